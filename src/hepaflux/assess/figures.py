"""Figures: functions that take inference data and return a Matplotlib figure.

Figures are made without pyplot, so that none stays open and none needs a display. Text from
tables is shown as it is, never read as mathematics. Colors are those of Okabe and Ito, which
color-blind readers tell apart.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats

from hepaflux.assess import history
from hepaflux.assess.compare import Contrast, representatives
from hepaflux.units import DAY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, FIT, PRIOR = "#333333", "#0072B2", "#999999"

GROUP_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

STYLE: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11.0,
    "axes.titlelocation": "left",
    "axes.edgecolor": INK,
    "axes.formatter.limits": (-3, 4),
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "text.parse_math": False,
    "svg.hashsalt": "hepaflux",
}

UNITS_OF_TIME = (("day", DAY, 10 * DAY), ("h", 60.0, 10 * 60.0), ("min", 1.0, -1.0))
"""Unit of time, its minutes, and the minutes above which a course is drawn in it."""

MOST_POINTS = 800

MOST_LINES = 40

LONGEST_LABEL = 24


@contextmanager
def style() -> Iterator[None]:
    """Apply the style of all figures."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        yield


def blank(*, width: float = 4.2, height: float = 3.0) -> "Figure":
    """Return an empty figure of a size in inches that a phone can show."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def color_of(place: int) -> str:
    """Return the color of a group or chain by its place."""
    return GROUP_COLORS[place % len(GROUP_COLORS)]


def short(text: str, most: int = LONGEST_LABEL) -> str:
    """Return a text cut to what fits into a figure."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def unit_of_time(minutes: np.ndarray) -> tuple[str, float]:
    """Return the unit in which courses over these times are drawn, and its minutes."""
    span = np.ptp(minutes[np.isfinite(minutes)])
    return next((unit, length) for unit, length, above in UNITS_OF_TIME if span > above)


def axis_label(posterior: xr.DataTree, name: str) -> str:
    """Return a name with its unit, for an axis."""
    unit = history.unit(posterior, name)
    return name if unit in ("", "1") else f"{name} ({unit})"


def plot_prior_posterior(posterior: xr.DataTree, parameter: str) -> "Figure":
    """Draw the densities of a scalar parameter before and after the data.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    parameter : str
        A variable that is shared, by group or by subject; subjects are drawn as thin lines.
    """
    draws = history.draws(posterior)[parameter]
    before = _prior(posterior, parameter)
    with style():
        figure = blank(height=2.4)
        ax = figure.subplots()
        if before is not None:
            grid, density = _density(before)
            ax.fill_between(grid, density / density.max(), color=PRIOR, alpha=0.4, label="prior")
        for label, color, values in _curves(posterior, draws):
            grid, density = _density(values)
            thin = "subject" in draws.dims
            width = 0.8 if thin else 1.6
            ax.plot(grid, density / density.max(), color=color, linewidth=width, label=short(label))
        ax.set_xlim(*_window(draws.values, before))
        ax.set(xlabel=axis_label(posterior, parameter), yticks=[], ylim=(0, 1.05))
        ax.spines["left"].set_visible(False)
        figure.legend(loc="outside upper left", ncols=2)
    return figure


def _curves(posterior: xr.DataTree, draws: xr.DataArray) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield label, color and values of each density of a parameter that varies."""
    by_group = "group" in draws.dims
    (dim,) = [d for d in draws.dims if d not in history.SAMPLE_DIMS] or [""]
    places = [str(place) for place in draws[dim].values] if dim else [""]
    for i, place in enumerate(places[:MOST_LINES]):
        values = (draws.sel({dim: place}) if dim else draws).values.ravel()
        if np.ptp(values) > 0:
            color = color_of(i) if by_group else FIT
            once = "posterior, by subject" if i == 0 else "_"
            yield (place if by_group else once if dim else "posterior"), color, values


def _prior(posterior: xr.DataTree, parameter: str) -> np.ndarray | None:
    """Return the draws of a scalar from its prior, which is the same for every subject and group.

    Those of one are enough, and those of all would look rough: subjects that were fitted on their
    own share one set of draws.
    """
    prior = history.dataset(posterior, "prior").get(parameter)
    if prior is None:
        return None
    first: np.ndarray = prior.isel(
        {d: 0 for d in prior.dims if d not in history.SAMPLE_DIMS}
    ).values
    return first.ravel()


def _density(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return grid and density of draws; positive ones are smoothed on the log scale."""
    values = values[np.isfinite(values)]
    if (values > 0).all():
        logarithm, density, _ = array_stats.kde(np.log(values), bound_correction=False)
        return np.exp(logarithm), density / np.exp(logarithm)
    grid, density, _ = array_stats.kde(values)
    return grid, density


def _window(after: np.ndarray, before: np.ndarray | None) -> tuple[float, float]:
    """Return the range to show: the posterior fills at least a fifth of it."""
    lower, upper = np.nanquantile(after, (0.001, 0.999))
    margin = 2 * (upper - lower)
    ends = (lower - margin, upper + margin)
    if before is None:
        return float(lower - margin / 4), float(upper + margin / 4)
    first, last = np.nanquantile(before, (0.005, 0.98))
    return float(min(lower, max(ends[0], first))), float(max(upper, min(ends[1], last)))


def plot_pair(posterior: xr.DataTree, names: tuple[str, str], subject: str = "") -> "Figure":
    """Draw the draws of two parameters against each other; a ridge shows what is tied.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    names : pair of str
        Scalar parameters.
    subject : str
        Whose draws, where a parameter varies by subject; the first by default.
    """
    columns = [_one(posterior, name, subject) for name in names]
    step = max(1, columns[0].size // MOST_POINTS)
    with style():
        figure = blank(width=3.4, height=3.0)
        ax = figure.subplots()
        ax.plot(columns[0][::step], columns[1][::step], ".", color=FIT, alpha=0.35, markersize=3)
        ax.set(xlabel=axis_label(posterior, names[0]), ylabel=axis_label(posterior, names[1]))
        ax.set_title(short(subject))
    return figure


def _one(posterior: xr.DataTree, name: str, place: str) -> np.ndarray:
    """Return the draws of one scalar of a variable, by chain."""
    draws = history.draws(posterior)[name]
    for dim in [d for d in draws.dims if d not in history.SAMPLE_DIMS]:
        labels = [str(label) for label in draws[dim].values]
        draws = draws.isel({dim: labels.index(place) if place in labels else 0})
    flat: np.ndarray = draws.transpose(*history.SAMPLE_DIMS).values.ravel()
    return flat


def plot_trace(posterior: xr.DataTree, parameter: str, place: str = "") -> "Figure":
    """Draw the draws of one scalar in order, one line per chain.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    parameter : str
        A variable of the posterior.
    place : str
        Whose draws, where it varies by subject or group; the first by default.
    """
    n_chains = history.draws(posterior).sizes["chain"]
    chains = _one(posterior, parameter, place).reshape(n_chains, -1)
    step = max(1, chains.shape[1] // MOST_POINTS)
    with style():
        figure = blank(height=1.9)
        ax = figure.subplots()
        for i, values in enumerate(chains):
            index = np.arange(values.size)[::step]
            color = color_of(i)
            ax.plot(index, values[::step], color=color, linewidth=0.5, alpha=0.8)
        ax.set(xlabel="draw", ylabel=axis_label(posterior, parameter))
        ax.set_title(short(place))
    return figure


def plot_groups(posterior: xr.DataTree, parameter: str) -> "Figure":
    """Draw the posterior of what stands for each group.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    parameter : str
        As for ``compare_groups``.
    """
    by_label, quantity = representatives(posterior, parameter)
    with style():
        figure = blank(height=2.4)
        ax = figure.subplots()
        for i, (label, values) in enumerate(by_label.items()):
            color = color_of(i)
            if np.ptp(values) > 0:
                ax.fill_between(*_density(values), color=color, alpha=0.3)
            ax.axvline(float(np.median(values)), color=color, linewidth=1.6, label=short(label))
        ax.set(xlabel=f"{axis_label(posterior, parameter)}\n{quantity}", yticks=[])
        ax.set_ylim(bottom=0)
        ax.spines["left"].set_visible(False)
        figure.legend(loc="outside upper left", ncols=2)
    return figure


def plot_forest(posterior: xr.DataTree, parameter: str, table: pd.DataFrame) -> "Figure":
    """Draw median and interval of each subject, sorted within groups.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    parameter : str
        A variable by subject.
    table : DataFrame
        As ``summarize`` returns it.
    """
    rows = table[(table["parameter"] == parameter) & (table["subject"] != "")]
    groups = list(dict.fromkeys(rows["group"]))
    rows = rows.assign(order=rows["group"].map(groups.index)).sort_values(["order", "median"])
    with style():
        figure = blank(height=min(1.4 + 0.17 * len(rows), 22.0))
        ax = figure.subplots()
        place = np.arange(len(rows))
        for i, group in enumerate(groups):
            own: Any = (rows["group"] == group).to_numpy()
            color = color_of(i)
            part = rows[own]
            ax.hlines(place[own], part["lower"], part["upper"], color=color, linewidth=1.2)
            ax.plot(
                part["median"], place[own], "o", color=color, markersize=3.5, label=short(group)
            )
        ax.set_yticks(place, [short(name, 18) for name in rows["subject"]], fontsize=7)
        ax.set_xlabel(axis_label(posterior, parameter))
        ax.set_ylim(-1, len(rows))
        if groups != [""]:
            figure.legend(loc="outside upper left", ncols=2)
    return figure


def plot_contrasts(contrasts: Sequence[Contrast]) -> "Figure":
    """Draw the ratio of each contrast with its interval; gray is what counts as equal.

    Parameters
    ----------
    contrasts : sequence of Contrast
        Those without a ratio are left out.
    """
    having = [(c, c.ratio) for c in contrasts if c.ratio is not None]
    pairs = list(dict.fromkeys(_pair_of(c) for c, _ in having))
    with style():
        figure = blank(height=1.3 + 0.24 * len(having))
        ax = figure.subplots()
        for rope in {c.rope for c, _ in having if c.rope}:
            ax.axvspan(*rope, color=PRIOR, alpha=0.25, linewidth=0)
        ax.axvline(1.0, color=INK, linewidth=0.8)
        for place, (contrast, ratio) in enumerate(having):
            color = color_of(pairs.index(_pair_of(contrast)))
            ax.hlines(place, ratio.lower, ratio.upper, color=color, linewidth=1.6)
            ax.plot(ratio.median, place, "o", color=color, markersize=4.5)
        for i, pair in enumerate(pairs):
            ax.plot([], [], "o-", color=color_of(i), label=pair)
        ax.set_yticks(range(len(having)), [short(c.parameter) for c, _ in having], fontsize=8)
        ax.set(xscale="log", xlabel="ratio", ylim=(len(having) - 0.5, -0.5))
        _plain_ticks(ax)
        figure.legend(loc="outside upper left")
    return figure


def _pair_of(contrast: Contrast) -> str:
    """Return both groups of a contrast in words."""
    return f"{short(contrast.group)} / {short(contrast.reference)}"


def _plain_ticks(ax: Any) -> None:
    """Write the ticks of a short logarithmic axis as plain numbers, few enough to be read."""
    from matplotlib.ticker import LogLocator, NullFormatter

    ax.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=8))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
