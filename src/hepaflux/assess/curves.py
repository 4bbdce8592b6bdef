"""Curves: figures of the fit over the data, subject by subject.

Points are samples (triangles: beyond the limit of the assay; open circles: left out of the fit),
the line is the median of the noise-free curve, between the samples too, and the bands hold 50 and
90 % of the measurements that the model predicts.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from hepaflux.assess import history
from hepaflux.assess.figures import FIT, INK, PRIOR, axis_label, blank, short, style, unit_of_time
from hepaflux.assess.flows import BANDS, minutes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = {0: "o", -1: "v", 1: "^"}
"""Marker of a sample by its censoring: a value, below and above the limit of the assay."""

MOST_SUBJECTS = 24
"""Subjects whose curves are shown; more would not be looked at."""


def chosen_subjects(posterior: xr.DataTree, most: int = MOST_SUBJECTS) -> tuple[str, ...]:
    """Return the subjects whose fit is shown: all, or some from the best to the worst described.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    most : int
        How many at most.
    """
    subjects = history.coordinate(posterior, "subject") or ("",)
    if len(subjects) <= most:
        return subjects
    misfit = dict.fromkeys(subjects, 0.0)
    expected = history.dataset(posterior, "expected")
    for output in (name for name in history.outputs(posterior) if name in expected):
        observed = history.dataset(posterior, "observed_data")[output].values
        center = expected[output].median(history.SAMPLE_DIMS).values
        who = history.observation_subjects(posterior, output)
        for subject, value in zip(who, np.abs(observed / center - 1), strict=True):
            misfit[str(subject)] += float(value)
    ranked = sorted(subjects, key=lambda subject: misfit[subject])
    places = np.linspace(0, len(ranked) - 1, most).round().astype(int)
    shown = {ranked[place] for place in places}
    return tuple(subject for subject in subjects if subject in shown)


def plot_fit(posterior: xr.DataTree, subject: str) -> "Figure":
    """Draw the fit over the data of one subject, above the insulin that drives it.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    subject : str
        Name of the subject.
    """
    names = _sampled(posterior, subject)
    inputs = _inputs(posterior, subject)
    unit, length = unit_of_time(_sample_times(posterior, [subject]))
    with style():
        figure = blank(height=2.4 * len(names) + 1.0 * len(inputs))
        ratios = [3.0] * len(names) + [1.0] * len(inputs)
        axes = np.atleast_1d(figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios))
        for ax, name in zip(axes, names, strict=False):
            _draw_fit(ax, posterior, name, subject, length)
        for ax, (name, time, value) in zip(axes[len(names) :], inputs, strict=True):
            ax.plot(time / length, value, color=PRIOR, marker=".", linewidth=1)
            ax.set_ylabel(axis_label(posterior, name).replace(" (", "\n("))
        axes[0].set_title(_title(posterior, subject))
        axes[-1].set_xlabel(f"time ({unit})")
        compositions = [parts for parts in history.wholes(posterior).values() if len(parts) > 1]
        for ax, name in zip(axes, [*names, *(name for name, *_ in inputs)], strict=True):
            if not any(name in parts for parts in compositions):  # whose shares hardly move
                ax.set_ylim(bottom=0)
    return figure


def plot_fits(posterior: xr.DataTree, subjects: Sequence[str] | None = None) -> "Figure":
    """Draw the fit over the data of many subjects as small multiples.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    subjects : sequence of str, optional
        Which; by default all, or a representative 24.
    """
    everyone = history.coordinate(posterior, "subject") or ("",)
    shown = chosen_subjects(posterior) if subjects is None else tuple(subjects)
    whose = {subject: _sampled(posterior, subject) for subject in shown}
    names = history.outputs(posterior)
    panels = [(output, s) for output in names for s in shown if output in whose[s]]
    unit, length = unit_of_time(_sample_times(posterior, shown))
    n_columns = min(len(shown), min((4, 3), key=lambda columns: -len(shown) % columns))
    n_rows = -(-len(panels) // n_columns)
    with style():
        figure = blank(width=3.0 * n_columns, height=2.2 * n_rows)
        axes = figure.subplots(n_rows, n_columns, sharex=True, squeeze=False).ravel()
        for ax in axes[len(panels) :]:
            ax.set_visible(False)
        for ax in axes[len(panels) - n_columns : len(panels)]:  # no panel is below these
            ax.tick_params(labelbottom=True)
        for ax, (output, subject) in zip(axes, panels, strict=False):
            _draw_fit(ax, posterior, output, subject, length)
            ax.set_title(_title(posterior, subject))
        if len(shown) < len(everyone):
            figure.suptitle(f"{len(shown)} of {len(everyone)} subjects")
        figure.supxlabel(f"time ({unit})")
    return figure


def _sampled(posterior: xr.DataTree, subject: str) -> tuple[str, ...]:
    """Return the outputs that were measured in a subject."""
    return tuple(
        output
        for output in history.outputs(posterior)
        if (history.observation_subjects(posterior, output) == subject).any()
    )


def _title(posterior: xr.DataTree, subject: str) -> str:
    """Return the name of a subject with its group."""
    group = history.subject_labels(posterior).get(subject, "")
    return f"{short(subject)}, {short(group)}" if group else short(subject)


def _inputs(posterior: xr.DataTree, subject: str) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return name, times and values of each measured input of a subject."""
    names = history.outputs(posterior)
    return [found for found in _not_fitted(posterior, subject) if found[0] not in names]


def _not_fitted(
    posterior: xr.DataTree, subject: str
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, times and values of the samples that did not enter the likelihood."""
    known = list(history.coordinate(posterior, "subject"))
    measured = history.dataset(posterior, "measured")
    for name in (str(n) for n in measured.data_vars if f"{n}_time" in measured):
        own = measured[f"{name}_subject"].values == known.index(subject)
        if f"{name}_used" in measured:
            own &= ~measured[f"{name}_used"].values.astype(bool)
        if own.any():
            yield name, measured[f"{name}_time"].values[own], measured[name].values[own]


def _sample_times(posterior: xr.DataTree, subjects: Sequence[str]) -> np.ndarray:
    """Return the times in min of everything that was measured in some subjects."""
    constant = history.dataset(posterior, "constant_data")
    times = [
        constant[f"{output}_time"].values[
            np.isin(history.observation_subjects(posterior, output), subjects)
        ]
        for output in history.outputs(posterior)
    ]
    times += [time for subject in subjects for _, time, _ in _not_fitted(posterior, subject)]
    return np.concatenate(times)


def _draw_fit(ax: "Axes", posterior: xr.DataTree, output: str, subject: str, length: float) -> None:
    """Draw samples, median curve and predictive bands of one output over units of time."""
    constant = history.dataset(posterior, "constant_data")
    own = np.flatnonzero(history.observation_subjects(posterior, output) == subject)
    time = constant[f"{output}_time"].values[own]
    order = np.argsort(time, kind="stable")
    own, time = own[order], time[order]
    curves = history.dataset(posterior, "curves")
    if output in curves:
        _draw_curve(ax, curves.sel(subject=subject), output, length)
    observed = history.dataset(posterior, "observed_data")[output].values[own]
    censoring = constant.get(f"{output}_censoring", xr.zeros_like(constant[f"{output}_time"]))
    for kind, marker in MARKERS.items():
        at = censoring.values[own] == kind
        ax.plot(time[at] / length, observed[at], marker, color=INK, markersize=4, linestyle="none")
    _draw_omitted(ax, posterior, output, subject, length)
    ax.set_ylabel(axis_label(posterior, output).replace(" (", "\n("))


def _draw_curve(ax: "Axes", curves: xr.Dataset, output: str, length: float) -> None:
    """Draw the median curve of one subject, over the central 90 and 50 % predictive bands."""
    time, bands = minutes(curves, output) / length, curves[f"{output}_measured"].values
    for outer, (_, opacity) in enumerate(BANDS):
        lower, upper = bands[outer], bands[-1 - outer]
        ax.fill_between(time, lower, upper, color=FIT, alpha=opacity, linewidth=0)
    ax.plot(time, curves[output].values, color=FIT, linewidth=1.6)


def _draw_omitted(
    ax: "Axes", posterior: xr.DataTree, output: str, subject: str, length: float
) -> None:
    """Draw samples that did not enter the likelihood as open circles."""
    for name, time, value in _not_fitted(posterior, subject):
        if name == output:
            look: dict[str, Any] = {
                "color": INK,
                "markersize": 4,
                "markerfacecolor": "white",
                "linestyle": "none",
            }
            ax.plot(time / length, value, "o", **look)
