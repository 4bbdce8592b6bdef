"""Observations: the samples of one output that enter the likelihood, with what belongs to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hepaflux.study.study import StudyError, Subject, zero_time
from hepaflux.systems.system import Output

CENSORING = {"none": 0, "left": -1, "right": 1}


@dataclass(frozen=True, eq=False)
class Observations:
    """The samples of one output that enter the likelihood, all subjects in one flat vector.

    Attributes
    ----------
    output : Output
        What is measured.
    subject, time, censoring : array (observation,)
        Index of the subject, min, and 0 (measured), -1 (left), 1 (right).
    value : array (observation,) or (observation, part)
        In the canonical unit; of a composition the shares of the parts.
    saved : array of int (observation,)
        Which of the saved times of the solves it belongs to.
    """

    output: Output
    subject: np.ndarray
    time: np.ndarray
    value: np.ndarray
    censoring: np.ndarray
    saved: np.ndarray


class Used(NamedTuple):
    """The samples of one subject that enter the likelihood of one output."""

    time: np.ndarray
    value: np.ndarray
    censoring: np.ndarray


def used_samples(outputs: Sequence[Output], subject: Subject) -> list[Used]:
    """Return the samples of a subject that enter the likelihood, by output.

    Raises
    ------
    StudyError
        If an analyte is missing, or none of the samples of an output enters the likelihood.
    """
    used = [_used(output, subject) for output in outputs]
    if not any(len(samples.time) for samples in used):
        names = ", ".join(a for output in outputs for a in output.analytes)
        raise StudyError([f"subject {subject.name}: nothing to fit; there is no {names}."])
    return used


def _used(output: Output, subject: Subject) -> Used:
    missing = [analyte for analyte in output.analytes if analyte not in subject.samples]
    if missing and (output.required or len(missing) < len(output.analytes)):
        raise StudyError([f"subject {subject.name}: no {', '.join(missing)} samples to fit."])
    if missing:
        shape = (0, len(output.analytes)) if output.is_composition else (0,)
        return Used(np.empty(0), np.empty(shape), np.empty(0, dtype=int))
    samples = subject.samples[output.analytes[0]]
    chosen = output.uses(samples.time - zero_time(subject))
    if not chosen.any():
        raise StudyError(
            [
                f"subject {subject.name}: none of the {len(chosen)} {output.analytes[0]} samples"
                " enters the likelihood; there must be one after the dose (and after the"
                " mixing time)."
            ]
        )
    if output.is_composition:
        return _shares(output, subject, chosen)
    codes = np.array([CENSORING[str(c)] for c in samples.censoring])
    return Used(samples.time[chosen], samples.value[chosen], codes[chosen])


def _shares(output: Output, subject: Subject, chosen: np.ndarray) -> Used:
    """Return a composition as shares of the whole, its parts sampled at the same times."""
    parts = [subject.samples[analyte] for analyte in output.analytes]
    time = parts[0].time
    for analyte, part in zip(output.analytes, parts, strict=True):
        if len(part.time) != len(time) or np.any(part.time != time):
            raise StudyError(
                [
                    f"subject {subject.name}: {analyte} was not sampled at the times of"
                    f" {output.analytes[0]}; every ion must be given at every time."
                ]
            )
        if (part.censoring != "none").any() or np.any(part.value <= 0):
            raise StudyError(
                [
                    f"subject {subject.name}: {analyte} has a value that is zero or censored; leave"
                    " this ion out of the monitored ones, or give its intensity."
                ]
            )
    values = np.column_stack([part.value for part in parts])[chosen]
    shares = values / values.sum(axis=1, keepdims=True)
    return Used(time[chosen], shares, np.zeros(len(shares), dtype=int))


def gather(output: Output, used: Sequence[Used], times: Sequence[np.ndarray]) -> Observations:
    """Return all subjects' samples of one output.

    Parameters
    ----------
    output : Output
        What is measured.
    used : sequence of Used
        One per subject.
    times : sequence of array, min
        The saved times of each subject's solve.
    """
    firsts = np.concatenate([[0], np.cumsum([len(t) for t in times])])[:-1]
    places = [
        first + np.searchsorted(saved, samples.time)
        for first, saved, samples in zip(firsts, times, used, strict=True)
    ]
    return Observations(
        output=output,
        subject=np.concatenate([np.full(len(u.time), s) for s, u in enumerate(used)]),
        time=np.concatenate([u.time for u in used]),
        value=np.concatenate([u.value for u in used]),
        censoring=np.concatenate([u.censoring for u in used]).astype(int),
        saved=np.concatenate(places).astype(np.int64),
    )


def at_observations(curves: Mapping[str, Any], times: np.ndarray) -> np.ndarray:
    """Return the values of input curves at times, shape (time, column); tuples side by side."""
    columns = []
    for value in curves.values():
        parts = value if isinstance(value, tuple) else (value,)
        columns += [curve(times) for curve in parts]
    return np.column_stack(columns) if columns else np.empty((len(times), 0))
