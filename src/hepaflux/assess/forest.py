"""Forest: published figures and what a fit makes of them, arm by arm.

The usual figure of a meta-analysis. Under the arms of each group stands the group's own value, that
of a typical study by a typical method; its interval is wider than that of any arm because studies
and methods differ.
"""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy import stats

from hepaflux.assess import history
from hepaflux.assess.figures import GROUP_COLORS, INK, PRIOR, axis_label, blank, short, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEGEND = (
    "Dots: printed means, with the central 90 % of their printed error; open circles: no error"
    " printed. Bars: central 90 % of the true mean of each group of people. Diamonds: value of a"
    " group over studies and methods, with its central 90 %. A rate per kilogram is multiplied by"
    " the median of the mass that it was divided by."
)

PROB = 0.9

LONGEST_ARM = 52


def quantities(posterior: xr.DataTree) -> tuple[str, ...]:
    """Return the quantities of published figures that inference data holds; most hold none.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    """
    names = map(str, history.dataset(posterior, "constant_data").data_vars)
    return tuple(name.removesuffix("_arm_n") for name in names if name.endswith("_arm_n"))


def plot_arms(posterior: xr.DataTree, quantity: str) -> "Figure":
    """Draw printed means, true means of the arms, and values of the groups of one quantity.

    Parameters
    ----------
    posterior : DataTree
        Inference data of published figures.
    quantity : str
        One of ``quantities``.
    """
    groups = history.dataset(posterior, "constant_data")[f"{quantity}_arm_group"].values
    labels: list[str] = []
    n_rows = groups.size + len(np.unique(groups))
    with style():
        figure = blank(width=7.0, height=0.8 + 0.24 * n_rows)
        ax = figure.subplots()
        for group in np.unique(groups):
            for arm in np.flatnonzero(groups == group):
                _draw_arm(ax, posterior, quantity, place=len(labels), arm=int(arm))
                labels.append(_label(posterior, quantity, int(arm)))
            _draw_group(ax, posterior, quantity, place=len(labels), group=int(group))
            labels.append(short(history.coordinate(posterior, "group")[group]))
        ax.set_yticks(range(len(labels)), labels, fontsize=7)
        ax.invert_yaxis()
        ax.set_xlim(left=0)
        ax.set_xlabel(axis_label(posterior, quantity))
    return figure


def _label(posterior: xr.DataTree, quantity: str, arm: int) -> str:
    """Return study, people and size of an arm."""
    constant = history.dataset(posterior, "constant_data")
    text = str(constant[f"{quantity}_arm"].values[arm])
    n = float(constant[f"{quantity}_arm_n"].values[arm])
    size = f"n = {n:.0f}" if np.isfinite(n) else "n not given"
    return f"{short(text, LONGEST_ARM)}; {size}"


def _color(group: int) -> str:
    return GROUP_COLORS[group % len(GROUP_COLORS)]


def _draw_group(
    ax: "Axes", posterior: xr.DataTree, quantity: str, *, place: int, group: int
) -> None:
    """Draw the value of a group."""
    draws = history.draws(posterior)[quantity].isel(group=group).values
    lower, middle, upper = _interval(draws)
    ax.hlines(place, lower, upper, color=_color(group), linewidth=1.6)
    ax.plot(middle, place, "D", color=_color(group), markersize=6)
    ax.axhline(place + 0.5, color=PRIOR, linewidth=0.4)


def _draw_arm(ax: "Axes", posterior: xr.DataTree, quantity: str, *, place: int, arm: int) -> None:
    """Draw the printed and the true mean of one arm."""
    constant = history.dataset(posterior, "constant_data")
    factor = _factor(posterior, str(constant[f"{quantity}_arm_mass"].values[arm]))
    color = _color(int(constant[f"{quantity}_arm_group"].values[arm]))
    draws = history.draws(posterior)[f"{quantity}_arm_mean"].values[..., arm]
    lower, _, upper = factor * _interval(draws)
    ax.hlines(place + 0.16, lower, upper, color=color, linewidth=3, alpha=0.6)
    mean = factor * history.dataset(posterior, "observed_data")[f"{quantity}_mean"].values[arm]
    error = factor * float(constant[f"{quantity}_arm_printed_se"].values[arm])
    known = np.isfinite(error)
    if known:
        half = error * stats.norm.ppf((1 + PROB) / 2)
        ax.hlines(place - 0.16, max(mean - half, 0.0), mean + half, color=INK, linewidth=0.8)
    face = INK if known else "white"
    ax.plot(mean, place - 0.16, "o", color=INK, markersize=4, markerfacecolor=face)


def _factor(posterior: xr.DataTree, mass: str) -> float:
    """Return the median of a mass in kg; 1 where a figure is that of the whole person."""
    return float(history.draws(posterior)[mass].median()) if mass else 1.0


def _interval(draws: np.ndarray) -> np.ndarray:
    """Return lower end, median and upper end of the central part of draws."""
    tail = (1 - PROB) / 2
    return np.quantile(draws, [tail, 0.5, 1 - tail])
