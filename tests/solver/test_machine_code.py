"""Machine code: what is kept on disk is whole, and nothing depends on its being kept."""

import ctypes

import llvmlite.binding as binding
import numpy as np
import pytest
from llvmlite import ir
from toys import nothing, toy

from hepaflux.solver import machine_code, solve
from hepaflux.solver.code import DOUBLE, LANES, Code
from hepaflux.solver.lanes import arrange
from hepaflux.solver.program import Layout
from hepaflux.systems.system import fields_type

Single = fields_type("Single", ["a"])


@pytest.fixture
def forgotten(monkeypatch, tmp_path):
    """Nothing is compiled yet, and what will be is kept in a new folder."""
    monkeypatch.setattr(machine_code, "_MADE", {})
    monkeypatch.setattr(machine_code, "folder", lambda: tmp_path / "kept")
    return tmp_path / "kept"


def half(amount):
    """Return a after one half-life of a pool that begins at ``amount``."""
    system = toy(("a",), ("k",), lambda t, y, p, u: Single(-p.k * y.a), lambda p, u: Single(amount))
    return solve(system, {"k": np.log(2)}, nothing, times=[1.0]).states["a"][0]


def test_it_is_kept_once(forgotten, monkeypatch):
    assert half(3.0) == pytest.approx(1.5, rel=1e-7)
    assert len(list(forgotten.iterdir())) == 1
    monkeypatch.setattr(machine_code, "_MADE", {})
    monkeypatch.setattr(machine_code, "write_kernel", None)
    assert half(3.0) == pytest.approx(1.5, rel=1e-7)


def test_a_damaged_file_is_made_again(forgotten, monkeypatch):
    half(5.0)
    (path,) = forgotten.iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    monkeypatch.setattr(machine_code, "_MADE", {})
    assert half(5.0) == pytest.approx(2.5, rel=1e-7)
    assert machine_code._kept(path) is not None


def test_a_folder_that_cannot_be_made_does_no_harm(forgotten):
    forgotten.write_text("a file where the folder should be")
    assert half(7.0) == pytest.approx(3.5, rel=1e-7)


def layout(n_states, n_theta, active):
    return Layout(
        theta=tuple(f"p{j}" for j in range(n_theta)),
        constants=(),
        curves=(),
        states=tuple(f"s{i}" for i in range(n_states)),
        scales=(1.0,) * n_states,
        active=tuple(sorted(active)),
        n_channels=0,
        infused=False,
    )


@pytest.mark.parametrize(
    ("n_states", "n_theta", "fewest"),
    [
        (5, 0, 2),  # states alone share vectors
        (2, 3, 2),  # a state and three sensitivities fill one
        (2, 4, 3),  # four sensitivities fill one, and the states stand in another
        (3, 11, 9),
    ],
)
def test_numbers_that_go_together_share_a_vector(n_states, n_theta, fewest):
    active = [(i, j) for i in range(n_states) for j in range(n_theta)]
    arrangement = arrange(layout(n_states, n_theta, active))
    assert len(arrangement.blocks) == fewest
    assert len(set(arrangement.position)) == n_states + len(active)
    assert max(arrangement.position) < arrangement.size


def test_a_sensitivity_has_the_same_lane_for_every_state():
    """Or the chain rule could not be a sum of whole vectors."""
    active = [(0, j) for j in range(7)] + [(1, 2), (1, 6)] + [(2, 6)]
    arrangement = arrange(layout(3, 7, active))
    lanes = {}
    for a, (_, j) in enumerate(sorted(active)):
        lanes.setdefault(j, set()).add(arrangement.position[3 + a] % LANES)
    assert all(len(found) == 1 for found in lanes.values())
    assert len(arrangement.blocks) < 3 * 2 + 1


def test_a_large_slope_is_called_and_not_repeated(forgotten, monkeypatch):
    """Both ways give the same solution, each from code of its own."""
    system = toy(
        ("a",), ("k",), lambda t, y, p, u: Single(-p.k * y.a * y.a), lambda p, u: Single(1.0)
    )
    found = []
    for most in (10_000, 0):
        monkeypatch.setattr("hepaflux.solver.equations.MOST_INLINE", most)
        monkeypatch.setattr(machine_code, "_MADE", {})
        monkeypatch.setattr(machine_code, "kernel_key", lambda _, most=most: f"most{most}")
        found.append(solve(system, {"k": 0.5}, nothing, times=[1.0, 4.0]).states["a"])
    sizes = sorted(path.stat().st_size for path in forgotten.iterdir())
    assert len(sizes) == 2
    assert sizes[0] < sizes[1]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-14)
    np.testing.assert_allclose(found[0], 1 / (1 + 0.5 * np.array([1.0, 4.0])), rtol=1e-7)


def native(write):
    """Return a function of one number, whose code ``write`` gives from the code and its number."""
    module = ir.Module()
    code = Code(ir.Function(module, ir.FunctionType(DOUBLE, [DOUBLE]), "f"))
    code.builder.ret(write(code, *code.arguments).value)
    target = machine_code._target_machine()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target)
    compiled = machine_code._compiled(str(module), target)
    engine.add_object_file(binding.ObjectFileRef.from_data(compiled))
    engine.finalize_object()
    call = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(engine.get_function_address("f"))
    call.engine = engine  # or its code would be gone
    return call


@pytest.mark.parametrize("exponent", [-0.1, -0.125, 0.1])
def test_a_rough_power_is_within_four_percent(exponent):
    """Of the exponents of step-size controllers; over all sizes of an error.

    The straight line within an octave is off by at most 0.0861 octaves, (1 + 0.125) times that is
    a factor of 1.069, of which 0.97 is the middle: from -3 % to +3.7 %.
    """
    power = native(lambda code, number: code.rough_power(number, exponent))
    numbers = np.geomspace(1e-20, 1e12, 4001)
    found = np.array([power(number) for number in numbers])
    np.testing.assert_allclose(found, numbers**exponent, rtol=0.038)
