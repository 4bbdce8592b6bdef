"""Flows: figures of what nobody measures, production and appearance, as functions of time.

The line is the posterior median; the bands hold 50 and 90 % of the posterior of the flow itself,
without any measurement error.
"""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from hepaflux.assess import history
from hepaflux.assess.figures import FIT, axis_label, blank, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BANDS = ((0.9, 0.18), (0.5, 0.3))
"""Probability and opacity of each band."""


def flow_names(posterior: xr.DataTree) -> tuple[str, ...]:
    """Return the names of the flows that the system declares; none if it declares none."""
    found = history.dataset(posterior, "fluxes")
    return tuple(str(name) for name in found.data_vars if "draw" in found[name].dims)


def minutes(found: xr.Dataset, name: str) -> np.ndarray:
    """Return the times at which a course is known, min; tests of one person may have their own."""
    return next(c.values for n, c in found[name].coords.items() if str(n).endswith("minutes"))


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
    names = [name for name in flow_names(posterior) if found[name].notnull().any()]
    with style():
        figure = blank(height=1.6 * len(names) + 0.6)
        axes = np.atleast_1d(figure.subplots(len(names), 1, sharex=True))
        for ax, name in zip(axes, names, strict=True):
            _draw(ax, minutes(found, name), found[name].values)
            ax.set_ylabel(axis_label(posterior, name).replace(" (", "\n("))
            ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
        axes[0].set_title(subject)
        axes[-1].set_xlabel("time (min)")
    return figure


def _draw(ax: "Axes", minutes: np.ndarray, values: np.ndarray) -> None:
    """Draw median and bands of one flow, values (chain, draw, time)."""
    for prob, opacity in BANDS:
        tails = ((1 - prob) / 2, (1 + prob) / 2)
        lower, upper = np.nanquantile(values, tails, axis=(0, 1))
        ax.fill_between(minutes, lower, upper, color=FIT, alpha=opacity, linewidth=0)
    ax.plot(minutes, np.nanmedian(values, axis=(0, 1)), color=FIT, linewidth=1.6)
