"""Diagram: places and arrows of a system, each arrow as wide as its flux at one moment.

Everything drawn comes from the declaration of the system: a flux with an arrow says where it comes
from and where it goes. Flows of matter have one scale in all panels. What has no unit, a signal or
an activity, is as wide as it is large beside that of the first panel, and its number says so.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from hepaflux.assess.figures import INK, blank, color_of, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDEST, THINNEST, USUAL = 14.0, 0.6, 4.0
"""Width of the widest flow, of what nearly vanishes, and of a signal as in the first panel, pt."""

PANEL, ROW = 4.4, 1.0
"""Inches of a panel, and of a row of places."""

CLEARANCE = 15.0
"""Points that an arrow stays away from the middle of a place."""

BEND = 0.35
"""Bend of an arrow that leads back, or past a row, over its length."""


class Edge(NamedTuple):
    """One arrow: its two places, its width in points, and what stands beside it."""

    source: str
    target: str
    lowers: bool
    width: float
    label: str
    signal: bool


def plot_diagram(moments: Mapping[str, xr.Dataset]) -> "Figure":
    """Draw places and arrows of a system side by side, for example in health and in disease.

    Parameters
    ----------
    moments : mapping of str to Dataset
        By the title of the panel, the fluxes at one moment: scalars with ``unit``, ``source``,
        ``target``, ``lowers`` and ``counts`` in their attributes, as ``simulated_courses`` gives
        them. Variables without these are left out. The first is what the signals of the others
        are compared with.

    Raises
    ------
    ValueError
        If there is no flux with an arrow.
    """
    first = next(iter(moments.values()))
    names = [str(name) for name, flux in first.data_vars.items() if "source" in flux.attrs]
    if not names:
        raise ValueError("no flux says where it comes from and goes; declare an Arrow of each")
    panels = {title: list(_edges(names, moments, title)) for title in moments}
    rows = layers(next(iter(panels.values())))
    with style():
        figure = blank(width=PANEL * len(panels), height=ROW * len(rows) + 0.7)
        for ax, (title, edges) in zip(
            np.atleast_1d(figure.subplots(1, len(panels))), panels.items(), strict=True
        ):
            _draw(ax, edges, rows)
            ax.set_title(title)
        _say_kinds(figure, panels, (first[name].attrs["unit"] for name in names))
    return figure


def _edges(names: Iterable[str], moments: Mapping[str, xr.Dataset], title: str) -> Iterator[Edge]:
    """Yield the arrows of one panel."""
    reference, *_ = moments
    flows = [m[n] for m in moments.values() for n in names if not _is_signal(m[n])]
    largest = max(map(_amount, flows), default=1.0)
    for name in names:
        flux, usual = moments[title][name], float(moments[reference][name])
        signal, value = _is_signal(flux), float(flux)
        ratio = value / usual if usual else value
        width = USUAL * ratio if signal else WIDEST * _amount(flux) / largest
        compared = signal and title != reference
        yield Edge(
            flux.attrs["source"],
            flux.attrs["target"],
            bool(flux.attrs["lowers"]),
            float(np.clip(width, THINNEST, WIDEST)),
            f"×{ratio:.2g}" if compared else f"{value:.3g}",
            signal,
        )


def _is_signal(flux: xr.DataArray) -> bool:
    return str(flux.attrs["unit"]) == "1"


def _amount(flux: xr.DataArray) -> float:
    """Return a flow of matter in what the diagram counts."""
    return abs(float(flux)) * float(flux.attrs["counts"])


def layers(edges: Iterable[Edge]) -> list[list[str]]:
    """Return the places from top to bottom, each as many rows down as arrows lead to it.

    On top is what no arrow enters; of a circle that nothing enters, its first place.
    """
    edges = list(edges)
    places = list(dict.fromkeys(end for edge in edges for end in (edge.source, edge.target)))
    entered = {edge.target for edge in edges}
    rows = [[place for place in places if place not in entered] or places[:1]]
    left = [place for place in places if place not in rows[0]]
    while left:
        reached = {edge.target for edge in edges if edge.source in rows[-1]}
        # A circle apart from all others begins in the row at hand.
        row = [place for place in left if place in reached] or left[:1]
        rows.append(row)
        left = [place for place in left if place not in row]
    return rows


def _draw(ax: "Axes", edges: list[Edge], rows: list[list[str]]) -> None:
    """Draw one panel, in inches, so that bends are where they are reckoned."""
    at = {
        place: np.array([(i + 0.5) / len(row) * PANEL, -depth * ROW])
        for depth, row in enumerate(rows)
        for i, place in enumerate(row)
    }
    for edge in edges:
        _draw_edge(ax, edge, at[edge.source], at[edge.target])
    for place, (x, y) in at.items():
        words = place.replace(" of ", "\nof ")
        ax.text(x, y, words, ha="center", va="center", fontsize=9, bbox=PLACE, zorder=3)
    ax.set(xlim=(0, PANEL), ylim=(-ROW * (len(rows) - 0.5), ROW * 0.5), aspect="equal")
    ax.set_axis_off()


def _draw_edge(ax: "Axes", edge: Edge, begin: np.ndarray, end: np.ndarray) -> None:
    from matplotlib.patches import FancyArrowPatch

    fall = begin[1] - end[1]
    bend = 0.0 if 0 < fall <= ROW else BEND  # past other places
    way: dict[str, Any] = {"posA": begin, "posB": end, "connectionstyle": f"arc3,rad={bend}"}
    way |= {"shrinkA": CLEARANCE, "shrinkB": CLEARANCE, "color": color_of(KINDS[_kind(edge)])}
    head = edge.width + 7
    if edge.lowers:
        line: dict[str, Any] = {"arrowstyle": "-", "linewidth": edge.width, "capstyle": "butt"}
        ax.add_patch(FancyArrowPatch(**way, **line, zorder=1))
        bar = f"-[,widthB={head / 2:g},lengthB=0"
        ax.add_patch(FancyArrowPatch(**way, arrowstyle=bar, mutation_scale=1, linewidth=2.5))
    else:
        style = f"simple,tail_width={edge.width:g},head_width={head:g},head_length={head * 0.6:g}"
        ax.add_patch(FancyArrowPatch(**way, arrowstyle=style, mutation_scale=1, linewidth=0))
    x, y = (begin + end) / 2 + bend / 2 * np.array([end[1] - begin[1], begin[0] - end[0]])
    ax.text(x, y, edge.label, ha="center", va="center", fontsize=8, bbox=LABEL, zorder=4)


def _kind(edge: Edge) -> str:
    if edge.lowers:
        return "holds down"
    return "drives" if edge.signal else "flows"


def _say_kinds(figure: "Figure", panels: Mapping[str, list[Edge]], units: Iterable[str]) -> None:
    """Say what the colors mean, and what the numbers count."""
    from matplotlib.lines import Line2D

    first, *others = panels
    flow = ", ".join(dict.fromkeys(unit for unit in units if unit != "1"))
    beside = f", × that of {first}" if others else ""
    words = {"flows": f"flows ({flow})", "drives": f"drives{beside}"}
    words["holds down"] = f"holds down{beside}"
    there = [kind for kind in KINDS if any(_kind(edge) == kind for edge in panels[first])]
    lines = [
        Line2D([], [], color=color_of(KINDS[kind]), linewidth=4, label=words[kind])
        for kind in there
    ]
    figure.legend(handles=lines, loc="outside lower center", ncols=len(lines))


KINDS = {"flows": 2, "drives": 0, "holds down": 1}
"""Place of the color of each kind of arrow."""

PLACE = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": INK}
LABEL = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
"""What the name of a place, and the number of an arrow, stand on."""
