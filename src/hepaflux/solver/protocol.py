"""Protocol: samples, doses and inputs of many subjects as the flat arrays that the kernel reads.

Time is cut wherever something happens: a sample, a dose, the end of an infusion, a kink of an
input. Each piece becomes one row of a table. A sample at the very time of a dose is taken before
it; a bolus belongs to the row that begins at its time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hepaflux.solver.program import Layout, columns, widths
from hepaflux.study.study import start_time
from hepaflux.systems.system import Curve, System

BEGIN, LENGTH, SAVE, CONTINUOUS, CURVES = 0, 1, 2, 3, 4
"""Columns of a protocol row: begin and length in min, index of the saved time among those of the
subject (-1: none), whether the derivative continues from the row before, first curve value.
Behind the values of the curves come their slopes, then the bolus of each dose channel."""


@dataclass(frozen=True, eq=False)
class Protocol:
    """What drives a batch of solves.

    Attributes
    ----------
    constants : array (solve, constant)
        Fixed parameters and constant inputs.
    table : array (segment, column)
        One row per smooth piece of time.
    rows : array of int (solve, 4)
        First and last (exclusive) row of ``table``; first and last (exclusive) saved time.
    """

    constants: np.ndarray
    table: np.ndarray
    rows: np.ndarray

    @property
    def n_saved(self) -> int:
        """Return the number of saved times."""
        return int(self.rows[-1, 3]) if len(self.rows) else 0


def read_inputs(system: System, subject: Any) -> dict[str, Any]:
    """Return the inputs of a subject by name: curves, constants, or tuples of curves."""
    return {i.name: i.read(subject) for i in system.inputs}


def curve_names(inputs: dict[str, Any]) -> frozenset[str]:
    """Return the names of those inputs that vary in time."""
    return frozenset(name for name, value in inputs.items() if not np.isscalar(value))


def has_infusions(system: System, subjects: Sequence[Any]) -> bool:
    """Return whether any dose that enters the system is an infusion."""
    routes = {(channel.what, channel.route) for channel in system.doses}
    return any(
        dose.duration > 0 and (dose.what, dose.route) in routes
        for subject in subjects
        for dose in subject.doses
    )


def build_protocol(
    system: System, layout: Layout, subjects: Sequence[Any], times: Sequence[np.ndarray]
) -> Protocol:
    """Turn subjects into the kernel's arrays.

    Parameters
    ----------
    system : System
        Says how inputs and doses are read.
    layout : Layout
        Says which of them the equations use, and in which order.
    subjects : sequence of Subject
        One per solve.
    times : sequence of array, min
        Increasing times at which each subject's states are wanted.

    Raises
    ------
    StudyError
        If a subject lacks what an input needs.
    """
    constants, tables, rows = [], [], []
    first_row = first_saved = 0
    for subject, wanted in zip(subjects, times, strict=True):
        inputs = read_inputs(system, subject)
        constants.append(_constants(system, layout, inputs))
        table = _segments(system, layout, subject, inputs, np.asarray(wanted, dtype=float))
        tables.append(table)
        last_row, last_saved = first_row + len(table), first_saved + len(wanted)
        rows.append((first_row, last_row, first_saved, last_saved))
        first_row, first_saved = last_row, last_saved
    return Protocol(np.array(constants), np.concatenate(tables), np.array(rows, dtype=np.int64))


class _Rate:
    """The rate of a channel's infusions, constant between their starts and ends."""

    def __init__(self, doses: list[Any], subject: Any):
        self._pieces = [
            (d.time, d.time + d.duration, subject.amount_per_kg(d) / d.duration)
            for d in doses
            if d.duration > 0
        ]
        self.time = np.array([edge for begin, end, _ in self._pieces for edge in (begin, end)])

    def inside(self, begin: float, end: float) -> float:
        """Return the rate between two neighboring cuts."""
        middle = 0.5 * (begin + end)
        return sum(rate for first, last, rate in self._pieces if first < middle < last)


def _constants(system: System, layout: Layout, inputs: dict[str, Any]) -> list[float]:
    fixed = {p.name: getattr(p.prior, "value", None) for p in system.parameters}
    return [float({**fixed, **inputs}[name]) for name in layout.constants]


def _curves(
    system: System, layout: Layout, subject: Any, inputs: dict[str, Any]
) -> list[Curve | _Rate]:
    by_column: dict[str, Curve | _Rate] = {}
    for name, width in widths(system).items():
        if name in inputs and not np.isscalar(inputs[name]):
            value = inputs[name] if width else (inputs[name],)
            by_column.update(zip(columns(name, width), value, strict=True))
    for c, channel in enumerate(system.doses):
        by_column[f"infusion[{c}]"] = _Rate(_doses(channel, subject), subject)
    return [by_column[name] for name in layout.curves]


def _doses(channel: Any, subject: Any) -> list[Any]:
    return [d for d in subject.doses if (d.what, d.route) == (channel.what, channel.route)]


def _segments(
    system: System, layout: Layout, subject: Any, inputs: dict[str, Any], wanted: np.ndarray
) -> np.ndarray:
    start = min(start_time(subject), system.begin)
    curves = _curves(system, layout, subject, inputs)
    boluses = [
        (dose.time, c, subject.amount_per_kg(dose))
        for c, channel in enumerate(system.doses)
        for dose in _doses(channel, subject)
        if dose.duration == 0
    ]
    cuts = _cuts(start, wanted, [c.time for c in curves], [time for time, _, _ in boluses])
    lengths = np.append(np.diff(cuts), 0.0)
    n_curves = len(curves)
    table = np.zeros((len(cuts), CURVES + 2 * n_curves + layout.n_channels))
    table[:, BEGIN], table[:, LENGTH] = cuts, lengths
    _fill_curves(table, cuts, lengths, curves)
    for time, c, amount in boluses:
        if time > cuts[-1]:
            continue
        table[np.searchsorted(cuts, time), CURVES + 2 * n_curves + c] += amount
    return _with_saves(table, start, wanted, n_curves)


def _cuts(
    start: float, wanted: np.ndarray, kinks: list[np.ndarray], boluses: list[float]
) -> np.ndarray:
    end = float(wanted[-1]) if len(wanted) else start
    every = np.unique(np.concatenate([[start], wanted, np.array(boluses), *kinks]))
    return every[(every >= start) & (every <= max(end, start))]


def _fill_curves(
    table: np.ndarray, cuts: np.ndarray, lengths: np.ndarray, curves: list[Curve | _Rate]
) -> None:
    n_curves, before = len(curves), lengths > 0
    for j, curve in enumerate(curves):
        if isinstance(curve, _Rate):
            pairs = zip(cuts, cuts + lengths, strict=True)
            table[:, CURVES + j] = [curve.inside(a, b) if b > a else 0.0 for a, b in pairs]
            continue
        values = curve(cuts)
        table[:, CURVES + j] = values
        rise = np.append(np.diff(values), 0.0)
        table[before, CURVES + n_curves + j] = rise[before] / lengths[before]


def _with_saves(table: np.ndarray, start: float, wanted: np.ndarray, n_curves: int) -> np.ndarray:
    """Return the table with the saved times marked.

    A saved time is reached at the end of a row. Those at or before the start are rows of no length
    that come first, so that they show the state before any dose.
    """
    early = np.nonzero(wanted <= start)[0]
    leading = np.zeros((len(early), table.shape[1]))
    leading[:, BEGIN], leading[:, SAVE] = start, early
    table[:, SAVE] = -1
    later = np.nonzero(wanted > start)[0]
    table[np.searchsorted(table[:, BEGIN], wanted[later]) - 1, SAVE] = later
    values = table[:, CURVES : CURVES + n_curves]
    slopes = table[:, CURVES + n_curves : CURVES + 2 * n_curves]
    reached = values[:-1] + slopes[:-1] * table[:-1, LENGTH, None]
    same = np.all(np.isclose(reached, values[1:], rtol=1e-12, atol=1e-14), axis=1)
    no_bolus = ~np.any(table[1:, CURVES + 2 * n_curves :] != 0.0, axis=1)
    table[1:, CONTINUOUS] = same & no_bolus
    return np.concatenate([leading, table])
