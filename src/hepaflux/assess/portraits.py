"""Portraits: figures of how a system moves between two of its quantities, and where it rests."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from hepaflux.assess.figures import INK, blank, color_of, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = (3.6, 3.4)
"""Width and height of a panel, inches."""

HEAD = 0.25
"""Share of the way along a course at which its arrowhead stands."""


def plot_portrait(portraits: Mapping[str, xr.DataTree], x: str, y: str) -> "Figure":
    """Draw courses in the plane of two quantities, one panel for each set of drivers.

    Parameters
    ----------
    portraits : mapping of str to DataTree
        By the title of the panel, what ``phase_portrait`` found.
    x, y : str
        States, outputs or fluxes. Open circles are starts; a filled circle is a stable point of
        rest and a cross one that is left at the slightest push.

    Raises
    ------
    KeyError
        If there is no such quantity; the message lists those there are.
    """
    for name in (x, y):
        for tree in portraits.values():
            if name not in tree["courses"]:
                known = ", ".join(str(n) for n in tree["courses"].data_vars)
                raise KeyError(f"no quantity {name!r}; there are {known}")
    with style():
        figure = blank(width=PANEL[0] * len(portraits), height=PANEL[1])
        panels = np.atleast_1d(figure.subplots(1, len(portraits), sharex=True, sharey=True))
        for ax, (title, tree) in zip(panels, portraits.items(), strict=True):
            _draw(ax, tree, x, y)
            ax.set_title(title)
            ax.set_xlabel(_label(tree, x))
        panels[0].set_ylabel(_label(next(iter(portraits.values())), y))
    return figure


def _draw(ax: "Axes", tree: xr.DataTree, x: str, y: str) -> None:
    courses, rests = tree["courses"], tree["rests"]
    for start in range(courses.sizes["start"]):
        across, up = (courses[name].values[start] for name in (x, y))
        ax.plot(across, up, color=color_of(0), linewidth=1.0, alpha=0.8)
        ax.plot(across[:1], up[:1], "o", color=color_of(0), markersize=4, markerfacecolor="white")
        _draw_head(ax, across, up)
    stable = rests["stable"].values
    for mark, chosen in (("o", stable), ("X", ~stable)):
        ax.plot(rests[x].values[chosen], rests[y].values[chosen], mark, color=INK, markersize=7)


def _draw_head(ax: "Axes", across: np.ndarray, up: np.ndarray) -> None:
    """Draw the arrowhead of a course a part of the way along it, as the axes show it."""
    ranges = [np.ptp(values) or 1.0 for values in (across, up)]
    way = np.cumsum(np.hypot(np.diff(across) / ranges[0], np.diff(up) / ranges[1]))
    if not way[-1] > 0:
        return
    at = int(np.searchsorted(way, HEAD * way[-1]))
    begin, end = (across[at], up[at]), (across[at + 1], up[at + 1])
    # Without room kept at its ends, between two points close to each other it does not turn round.
    arrow = {"arrowstyle": "-|>", "color": color_of(0), "linewidth": 0}
    arrow |= {"shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, xytext=begin, arrowprops=arrow)


def _label(tree: xr.DataTree, name: str) -> str:
    about = tree["courses"][name].attrs
    unit = "" if about["unit"] == "1" else f" ({about['unit']})"
    return f"{about['meaning']}{unit}"
