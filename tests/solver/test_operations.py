"""Operations: every instruction that equations may hold gives the number that NumPy gives."""

import numpy as np
import pytensor.scalar as ps
import pytest
from scipy.special import expit
from toys import decay, nothing, toy

from hepaflux.solver import solve
from hepaflux.solver.operations import WRITTEN
from hepaflux.systems.system import fields_type

ANY = (-40.0, -3.5, -1.0, -0.2, 0.0, 1e-9, 0.7, 2.0, 40.0)
POSITIVE = (1e-9, 0.3, 1.0, 2.5, 1e5)

UNARY = {
    "Neg": (lambda x: -x, np.negative, ANY),
    "Sqr": (ps.sqr, np.square, ANY),
    "Reciprocal": (ps.reciprocal, np.reciprocal, POSITIVE),
    "Identity": (ps.identity, lambda x: x, ANY),
    "Sign": (ps.sign, np.sign, ANY),
    "Abs": (abs, np.abs, ANY),
    "Exp": (ps.exp, np.exp, ANY),
    "Log": (ps.log, np.log, POSITIVE),
    "Sqrt": (ps.sqrt, np.sqrt, POSITIVE),
    "Sin": (ps.sin, np.sin, ANY),
    "Cos": (ps.cos, np.cos, ANY),
    "Log1p": (ps.log1p, np.log1p, POSITIVE),
    "Expm1": (ps.expm1, np.expm1, ANY),
    "Tanh": (ps.tanh, np.tanh, ANY),
    "Sigmoid": (ps.sigmoid, expit, ANY),
    "Softplus": (ps.softplus, lambda x: np.logaddexp(0.0, x), ANY),
    "Cast": (lambda x: ps.cast(ps.lt(x, 0.5), "float64"), lambda x: float(x < 0.5), ANY),
}

BINARY = {
    "Add": (lambda x, y: x + y, np.add),
    "Sub": (lambda x, y: x - y, np.subtract),
    "Mul": (lambda x, y: x * y, np.multiply),
    "TrueDiv": (lambda x, y: x / y, np.divide),
    "Pow": (lambda x, y: x**y, np.power),
    "Second": (lambda x, y: ps.second(x, y) + x, lambda x, y: y + x),
    "Maximum": (ps.maximum, np.maximum),
    "Minimum": (ps.minimum, np.minimum),
}

COMPARED = {
    "LT": (ps.lt, np.less),
    "LE": (ps.le, np.less_equal),
    "GT": (ps.gt, np.greater),
    "GE": (ps.ge, np.greater_equal),
    "EQ": (ps.eq, np.equal),
    "NEQ": (ps.neq, np.not_equal),
}


def values_at_start(functions, points, *names):
    """Return each function of the parameters at each point, as the solver computes it."""
    states = tuple(f"s{i}" for i in range(len(functions)))
    record = fields_type("Results", list(states))
    system = toy(
        states,
        names,
        lambda t, y, p, u: record(*(0.0 * value for value in y)),
        lambda p, u: record(*(f(*(getattr(p, name) for name in names)) for f in functions)),
    )
    found = []
    for point in points:
        trajectory = solve(system, dict(zip(names, point, strict=True)), nothing, times=[0.0])
        found.append([trajectory.states[state][0] for state in states])
    return np.array(found)


def test_of_one_number():
    points = sorted({x for *_, domain in UNARY.values() for x in domain})
    found = values_at_start([f for f, *_ in UNARY.values()], [(x,) for x in points], "x")
    for column, (name, (_, reference, domain)) in zip(found.T, UNARY.items(), strict=True):
        for x, value in zip(points, column, strict=True):
            if x in domain:
                expected = reference(np.float64(x))
                np.testing.assert_allclose(value, expected, rtol=1e-15 * 4, err_msg=f"{name}({x})")


def test_far_gates_are_open_or_shut():
    """Beyond 40 widths, where what is left out is 4e-18 of a width."""
    points = [(x,) for x in (-1e3, -40.1, 40.1, 1e3)]
    gates = [UNARY["Sigmoid"], UNARY["Softplus"]]
    found = values_at_start([f for f, *_ in gates], points, "x")
    for column, (_, reference, _) in zip(found.T, gates, strict=True):
        expected = [reference(np.float64(x)) for (x,) in points]
        np.testing.assert_allclose(column, expected, rtol=4e-15, atol=1e-17)


def test_of_two_numbers():
    points = [(x, y) for x in POSITIVE for y in (-2.0, -0.5, 0.3, 1.0, 3.0)]
    found = values_at_start([f for f, _ in BINARY.values()], points, "x", "y")
    for column, (name, (_, reference)) in zip(found.T, BINARY.items(), strict=True):
        expected = [reference(*np.array(point)) for point in points]
        np.testing.assert_allclose(column, expected, rtol=1e-15 * 4, err_msg=name)


def test_choices_follow_their_condition():
    points = [(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0)]
    functions = [
        lambda x, y, compare=compare: ps.switch(compare(x, y), 10.0 + x, 20.0 + y)
        for compare, _ in COMPARED.values()
    ]
    found = values_at_start(functions, points, "x", "y")
    for column, (name, (_, reference)) in zip(found.T, COMPARED.items(), strict=True):
        expected = [10.0 + x if reference(x, y) else 20.0 + y for x, y in points]
        np.testing.assert_array_equal(column, expected, err_msg=name)


def test_none_is_left_out():
    tested = {*UNARY, *BINARY, *COMPARED, "Switch"}
    assert {kind.__name__ for kind in WRITTEN} == tested


def test_an_unknown_one_is_named():
    Single = fields_type("Single", ["a"])
    system = toy(
        ("a",), ("x",), lambda t, y, p, u: Single(-ps.erf(p.x) * y.a), lambda p, u: Single(1.0)
    )
    with pytest.raises(NotImplementedError, match=r"operation erf.*Exp"):
        solve(system, {"x": 0.1}, nothing, times=[1.0])


def test_a_division_by_a_parameter_is_one():
    """Written as a product with a reciprocal, which is computed once in a solve."""
    record = fields_type("Single", ["a"])
    divided = toy(("a",), ("k",), lambda t, y, p, u: record(-y.a / p.k), lambda p, u: record(1.0))
    times = [0.0, 1.0, 5.0]
    found = solve(divided, {"k": 3.0}, nothing, times=times)
    same = solve(decay, {"k": 1 / 3.0}, nothing, times=times)
    np.testing.assert_allclose(found.states["a"], same.states["a"], rtol=1e-12)
