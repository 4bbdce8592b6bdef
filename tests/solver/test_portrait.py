"""Portraits: rests and courses of systems in which both are known."""

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.assess.portraits import plot_portrait
from hepaflux.parameter import Fixed, Parameter
from hepaflux.solver.portrait import ends, phase_portrait
from hepaflux.systems.system import Flux, State, System, fields_type

Y = fields_type("Y", ["x", "v"])


def toy(rhs, **fields):
    """A system of two states that begins at (0.5, 0)."""
    return System(
        name="toy",
        title="two states",
        equations=(),
        references=(),
        states=(State("x", "1", "place"), State("v", "1", "another")),
        parameters=(Parameter("k", "1/min", Fixed(2.0), "rate", "chosen"),),
        inputs=(),
        outputs=(),
        rhs=rhs,
        initial=lambda p, u: Y(0.5, 0.0),
        fluxes=(Flux("twice", "1", "twice the place", lambda y, p, u: 2 * y.x),),
        **fields,
    )


TWO_WELLS = toy(lambda t, y, p, u: Y(p.k * (y.x - y.x**3), -y.v))
"""Rests at -1, 0 and 1, of which the middle one is left at the slightest push."""

ENDLESS = toy(lambda t, y, p, u: Y(p.k * y.x**2, -y.v))
"""Reaches infinity after a minute."""


def test_all_rests_are_found_and_judged():
    starts = [{}, {"x": -0.5}, {"x": 0.0}, {"x": 0.5, "v": 3.0}]
    tree = phase_portrait(TWO_WELLS, starts, minutes=50.0)
    rests = tree["rests"].to_dataset().sortby("x")
    np.testing.assert_allclose(rests["x"], [-1, 0, 1], atol=1e-7)
    np.testing.assert_allclose(rests["twice"], 2 * rests["x"])
    assert rests["stable"].values.tolist() == [True, False, True]
    last = tree["courses"]["x"].isel(minutes=-1)
    np.testing.assert_allclose(last, [1, -1, 0, 1], atol=1e-7)


def test_courses_are_the_solution():
    """x' = -k x, v' = -v: exponentials."""
    linear = toy(lambda t, y, p, u: Y(-p.k * y.x, -y.v))
    courses = phase_portrait(linear, [{"v": 3.0}], minutes=4.0)["courses"]
    minutes = courses["minutes"].values
    np.testing.assert_allclose(courses["x"][0], 0.5 * np.exp(-2 * minutes), atol=1e-7)
    np.testing.assert_allclose(courses["v"][0], 3 * np.exp(-minutes), atol=1e-7)
    assert courses["x"].attrs == {"unit": "1", "meaning": "place"}


def test_what_never_rests_has_no_rest():
    away = toy(lambda t, y, p, u: Y(p.k, -y.v))
    assert phase_portrait(away, [{}], minutes=5.0)["rests"].sizes["rest"] == 0


def test_the_slow_loop_rests_once_under_each_set_of_drivers():
    loop, minutes = hf.systems.selective_resistance, 3000 * 1440.0
    led = ends(loop, minutes=minutes)
    assert set(led) == {c.name for c in loop.conditions}
    for state in ("normal", "nafld"):
        tree = phase_portrait(loop.in_condition(state), list(led.values()), minutes=minutes)
        assert tree["rests"]["stable"].values.tolist() == [True]
        for name, value in led[state].items():
            assert float(tree["rests"][name][0]) == pytest.approx(value, rel=1e-4, abs=1e-6)


def test_inputs_that_are_constant_are_read():
    tree = phase_portrait(hf.systems.liver_fat, [{}, {"L": 200.0}], minutes=1e6)
    assert tree["rests"].sizes["rest"] == 1


def test_states_of_health_with_other_pools_are_no_starts():
    led = ends(hf.systems.liver_fat, minutes=1e5)
    assert "published" in {c.name for c in hf.systems.liver_fat.conditions} - set(led)
    assert all(set(states) == {"L"} for states in led.values())


@pytest.mark.parametrize(
    ("system", "starts", "message"),
    [
        (hf.systems.minimal, [{}], "driven by .*, which must be constant"),
        (hf.systems.mida, [{}], "has no states"),
        (TWO_WELLS, [{"y": 1.0}], "'y' is no state of toy; it has x, v"),
        (ENDLESS, [{}], "cannot be followed"),
    ],
    ids=["inputs", "algebraic", "unknown state", "endless"],
)
def test_what_has_no_portrait_is_refused(system, starts, message):
    with pytest.raises(ValueError, match=message):
        phase_portrait(system, starts, minutes=10.0)


def test_the_picture_shows_courses_starts_and_rests():
    tree = phase_portrait(TWO_WELLS, [{}, {"x": -0.5}, {"x": 0.0}], minutes=50.0)
    figure = plot_portrait({"health": tree, "disease": tree}, "x", "twice")
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["health", "disease"]
    stable, unstable = figure.axes[0].get_lines()[-2:]
    np.testing.assert_allclose(np.sort(stable.get_xdata()), [-1, 1], atol=1e-6)
    np.testing.assert_allclose(unstable.get_xdata(), [0], atol=1e-6)
    with pytest.raises(KeyError, match="no quantity 'z'; there are x, v, twice"):
        plot_portrait({"health": tree}, "x", "z")
