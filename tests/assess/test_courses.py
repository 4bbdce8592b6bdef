"""Figures of courses: what stands where, in which unit of time, and that nothing looks like it."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from hepaflux.assess.courses import plot_courses

NAMES = tuple("abcdefg")


def made(names, *, until=600.0, **values):
    """Courses of one person that are one throughout, or as stated."""
    minutes = np.linspace(0.0, until, 5)
    about = {"unit": "mmol/kg/min", "meaning": "what flows", "kind": "flux"}
    flows = {
        name: (("subject", "minutes"), np.full((1, 5), values.get(name, 1.0)), about)
        for name in names
    }
    group = ("subject", ["normal"])
    return xr.Dataset(flows, coords={"subject": ["S1"], "minutes": minutes, "group": group})


@pytest.mark.parametrize("count", [1, 6, 7])
def test_every_course_has_its_place_and_every_column_its_time(count):
    figure = plot_courses(made(NAMES[:count]), "flux")
    placed = [(round(ax.get_position().x0, 3), -ax.get_position().y0, ax) for ax in figure.axes]
    down = [ax for *_, ax in sorted(placed, key=lambda place: place[:2])]
    assert [ax.get_ylabel().split("\n")[0] for ax in down] == list(NAMES[:count])
    columns = {x for x, *_ in placed}
    assert len(columns) == (1 if count <= 6 else 2)
    assert sum(ax.get_xlabel() == "time (min)" for ax in figure.axes) == len(columns)


@pytest.mark.parametrize(
    ("until", "unit", "last"), [(600, "min", 600), (1440, "h", 24), (20 * 1440, "day", 20)]
)
def test_long_courses_are_in_hours_and_days(until, unit, last):
    (ax,) = plot_courses(made("a", until=until), "flux").axes
    assert ax.get_xlabel() == f"time ({unit})"
    assert ax.lines[0].get_xdata()[-1] == pytest.approx(last)


def test_what_is_left_by_rounding_is_drawn_as_nothing():
    for rounding in (1e-20, -1e-20):
        figure = plot_courses(made("ab", a=5.0, b=rounding), "flux")
        low, high = figure.axes[1].get_ylim()
        assert low == 0
        assert high > 1e12 * abs(rounding)
    figure = plot_courses(made("ab", a=5.0, b=-1.0), "flux")
    assert figure.axes[1].get_ylim()[0] < -1


def test_nothing_is_drawn_on_the_scale_of_what_flows():
    figure = plot_courses(made("ab", a=5.0, b=0.0), "flux")
    assert figure.axes[1].get_ylim() == (0, 5000)


def test_flows_are_in_micromoles_and_their_samples_too():
    courses = made("a", a=0.012)
    courses["a"].attrs["analyte"] = "egp"
    samples = pd.DataFrame(
        {
            "time": [0.0, 60.0],
            "analyte": "egp",
            "value": [0.011, 0.002],
            "censoring": ["none", "left"],
        }
    )
    (ax,) = plot_courses(courses, "flux", samples=samples).axes
    assert ax.get_ylabel() == "a\n(µmol/kg/min)"
    line, measured, limit = ax.lines
    assert line.get_ydata()[0] == pytest.approx(12.0)
    assert (measured.get_ydata().tolist(), limit.get_ydata().tolist()) == ([11.0], [2.0])
    assert (measured.get_fillstyle(), limit.get_fillstyle()) == ("full", "none")


def test_there_may_be_none():
    assert plot_courses(made("a"), "output") is None
