"""Flows: figures of what nobody measures, production and appearance, as functions of time.

The line is the posterior median; the bands hold 50 and 90 % of the posterior of the flow itself,
without any measurement error.
"""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from hepaflux.assess import history
from hepaflux.assess.figures import FIT, axis_label, blank, style, unit_of_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BANDS = ((0.9, 0.18), (0.5, 0.3))
"""Probability and opacity of each band."""


def flow_names(posterior: xr.DataTree, subject: str) -> tuple[str, ...]:
    """Return the names of the flows of a subject; none without a test that tells of flows."""
    found = history.dataset(posterior, "fluxes")
    if subject not in found.get("subject", ()):
        return ()
    own = found.sel(subject=subject)
    return tuple(
        str(name) for name, v in own.items() if v.notnull().any() and _times_of(v) is not None
    )


def minutes(found: xr.Dataset, name: str) -> np.ndarray:
    """Return the times at which a course is known, min; tests of one person may have their own."""
    times = _times_of(found[name])
    if times is None:
        raise KeyError(f"the times of {name} are not known")
    return times


def _times_of(course: xr.DataArray) -> np.ndarray | None:
    """Return the coordinate that says when; None in a run of an earlier version."""
    return next((c.values for n, c in course.coords.items() if str(n).endswith("minutes")), None)


def plot_fluxes(posterior: xr.DataTree, subject: str) -> "Figure":
    """Draw the flows of one subject.

    Parameters
    ----------
    posterior : DataTree
        Inference data of a system with fluxes.
    subject : str
        Name of the subject.
    """
    found = history.dataset(posterior, "fluxes").sel(subject=subject)
    names = flow_names(posterior, subject)
    unit, length = unit_of_time(np.concatenate([minutes(found, name) for name in names]))
    with style():
        figure = blank(height=1.6 * len(names) + 0.6)
        axes = np.atleast_1d(figure.subplots(len(names), 1, sharex=True))
        for ax, name in zip(axes, names, strict=True):
            _draw(ax, minutes(found, name) / length, found[name].values)
            ax.set_ylabel(axis_label(posterior, name).replace(" (", "\n("))
            ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
        axes[0].set_title(subject)
        axes[-1].set_xlabel(f"time ({unit})")
    return figure


def _draw(ax: "Axes", time: np.ndarray, values: np.ndarray) -> None:
    """Draw median and bands of one flow, values (chain, draw, time)."""
    for prob, opacity in BANDS:
        tails = ((1 - prob) / 2, (1 + prob) / 2)
        lower, upper = np.nanquantile(values, tails, axis=(0, 1))
        ax.fill_between(time, lower, upper, color=FIT, alpha=opacity, linewidth=0)
    ax.plot(time, np.nanmedian(values, axis=(0, 1)), color=FIT, linewidth=1.6)
