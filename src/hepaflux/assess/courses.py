"""Courses: figures of what happens in virtual people, outputs and fluxes as functions of time.

Lines are free of measurement error, one per person and in the color of the group; points are the
simulated measurements, open where the assay says only that the value is below (or above) them.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from hepaflux.assess.figures import INK, blank, color_of, short, style, unit_of_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 6
"""Courses that stand one below the other; more make further columns."""

NOTHING = 1e-6
"""Share of the largest value in the same unit below which a course is drawn as nothing."""

SHOWN = {"mmol/kg/min": ("µmol/kg/min", 1000.0)}
"""By canonical unit the one that people read flows in, and how many of it are one."""

MOST_LINES = 40
"""People whose lines are shown; more would not be told apart."""

MOST_ABREAST = 4
"""Groups that one line of the legend names."""


def plot_courses(
    courses: xr.Dataset, kind: str, *, samples: pd.DataFrame | None = None
) -> "Figure | None":
    """Draw all outputs, or all fluxes, one below the other and then side by side.

    Parameters
    ----------
    courses : Dataset
        Variables (subject, minutes) with ``unit``, ``meaning`` and ``kind`` in their attributes.
    kind : {"output", "flux"}
        What is drawn.
    samples : DataFrame, optional
        Measurements with columns subject, time, analyte and value.

    Returns
    -------
    Figure or None
        None if there is nothing of this kind.
    """
    names = [str(n) for n in courses.data_vars if courses[n].attrs["kind"] == kind]
    if not names:
        return None
    unit, length = unit_of_time(courses["minutes"].values)
    columns = -(-len(names) // MOST_ROWS)
    rows = -(-len(names) // columns)
    with style():
        figure = blank(width=6.0 if columns == 1 else 4.2 * columns, height=1.9 * rows + 0.6)
        axes = figure.subplots(rows, columns, sharex=True, squeeze=False).T.ravel()
        for ax in axes[len(names) :]:
            ax.remove()
        for ax, name in zip(axes, names, strict=False):
            _draw(ax, courses[name], length)
            if samples is not None and "analyte" in courses[name].attrs:
                own = samples[samples["analyte"] == courses[name].attrs["analyte"]]
                _draw_samples(ax, own, length, _shown(courses[name])[1])
            _bound(ax, courses[name], _largest(courses, courses[name].attrs["unit"]))
        _say_groups(figure, courses)
        for last in range(rows - 1, len(names) + rows - 1, rows):
            ax = axes[min(last, len(names) - 1)]
            ax.set_xlabel(f"time ({unit})")
            ax.tick_params(labelbottom=True)
    return figure


def _bound(ax: "Axes", course: xr.DataArray, largest: float) -> None:
    """Begin an axis at zero if nothing is below it; show nothing on the scale of the largest."""
    _, factor = _shown(course)
    lowest, highest = float(course.min()), float(np.abs(course).max())
    is_nothing = highest <= NOTHING * largest
    ax.set_ylim(
        bottom=None if lowest < -NOTHING * largest else 0.0,
        top=factor * (largest or 1.0) if is_nothing else None,
    )


def _shown(course: xr.DataArray) -> tuple[str, float]:
    """Return the unit in which a course is drawn, and how many of it one canonical unit is."""
    unit = str(course.attrs["unit"])
    return SHOWN.get(unit, (unit, 1.0))


def _largest(courses: xr.Dataset, unit: str) -> float:
    """Return the largest value of what is measured in a unit."""
    alike = (course for course in courses.data_vars.values() if course.attrs["unit"] == unit)
    return max(float(np.nanmax(np.abs(course.values))) for course in alike)


def _draw(ax: "Axes", course: xr.DataArray, length: float) -> None:
    groups = list(dict.fromkeys(course["group"].values))
    time = course["minutes"].values / length
    thin = course.sizes["subject"] > 1
    unit, factor = _shown(course)
    for values, group in list(zip(course.values, course["group"].values, strict=True))[:MOST_LINES]:
        color = color_of(groups.index(group))
        ax.plot(time, factor * values, color=color, linewidth=0.8 if thin else 1.6)
    ax.set_ylabel(str(course.name) if unit == "1" else f"{course.name}\n({unit})")
    ax.set_title(course.attrs["meaning"])


def _draw_samples(ax: "Axes", samples: pd.DataFrame, length: float, factor: float) -> None:
    censored = samples["censoring"] != "none"
    for own, filling in ((samples[~censored], "full"), (samples[censored], "none")):
        ax.plot(
            own["time"] / length,
            factor * own["value"],
            "o",
            color=INK,
            fillstyle=filling,
            markersize=2 if filling == "full" else 3,
            linestyle="none",
        )


def _say_groups(figure: "Figure", courses: xr.Dataset) -> None:
    from matplotlib.lines import Line2D

    groups = [str(group) for group in dict.fromkeys(courses["group"].values) if group]
    lines = [Line2D([], [], color=color_of(n), label=short(g)) for n, g in enumerate(groups)]
    if lines:
        figure.legend(handles=lines, loc="outside upper right", ncols=min(len(lines), MOST_ABREAST))
