"""Inputs: the ways in which a system reads what drives it from a subject.

Each function here returns a function of a ``Subject``, to be used as ``Input.read``. A basal value
is ``"first"`` (mean of the samples at or before the first dose), ``"last"`` (mean of the samples
of the last hour of the test) or a number in the canonical unit.
"""

from collections.abc import Callable

import numpy as np

from hepaflux.study.study import Samples, StudyError, Subject, start_time, zero_time
from hepaflux.systems.system import Curve

END_OF_TEST = 60.0
"""Minutes before the last sample that count as the end of the test."""

STEP = 1e-6
"""Minutes in which a curve steps; the solver itself meets doses exactly."""


def constant(value: float) -> Callable[[Subject], float]:
    """Return a reader of what is the same for everyone unless another system drives it."""
    return lambda subject: value


def clock(subject: Subject) -> Curve:
    """Read the time since the test began, in min."""
    start = zero_time(subject)
    last = max(float(samples.time[-1]) for samples in subject.samples.values())
    first = min(
        start_time(subject), *(float(samples.time[0]) for samples in subject.samples.values())
    )
    edges = np.array([first, max(last, first + 1.0)])
    return Curve(edges, edges - start)


def steps(times: np.ndarray, values: np.ndarray) -> Curve:
    """Return a curve that steps at some times, within ``STEP`` after each, to the next value.

    Parameters
    ----------
    times : array (step,), min
        Increasing.
    values : array (step + 1,)
        The value before the first step, then that after each.
    """
    before, after = values[:-1], values[1:]
    edges = np.column_stack([times, times + STEP]).ravel()
    return Curve(edges, np.column_stack([before, after]).ravel())


def samples_of(subject: Subject, analyte: str) -> Samples:
    """Return a subject's samples of an analyte, or raise ``StudyError`` if there are none."""
    if analyte not in subject.samples or not len(subject.samples[analyte].time):
        raise StudyError([f"subject {subject.name}: no {analyte} samples; the system needs them."])
    return subject.samples[analyte]


def basal(analyte: str, rule: str | float) -> Callable[[Subject], float]:
    """Read the basal concentration of an analyte, by rule or as a given number."""

    def read(subject: Subject) -> float:
        if not isinstance(rule, str):
            return float(rule)
        samples = samples_of(subject, analyte)
        if rule == "first":
            chosen = samples.time <= zero_time(subject)
        else:
            chosen = samples.time >= samples.time[-1] - END_OF_TEST
        if not chosen.any():
            raise StudyError(
                [
                    f"subject {subject.name}: no basal {analyte} sample at or before the dose; "
                    f"add one, or give the basal value as a number (option basal_{analyte})."
                ]
            )
        return float(samples.value[chosen].mean())

    return read


def above_basal(
    analyte: str, rule: str | float, *, clipped: bool = False
) -> Callable[[Subject], Curve]:
    """Read a measured curve as its deviation from basal, negative parts kept or clipped."""
    read_basal = basal(analyte, rule)

    def read(subject: Subject) -> Curve:
        samples = samples_of(subject, analyte)
        curve = Curve(samples.time, samples.value - read_basal(subject))
        return clipped_at_zero(curve) if clipped else curve

    return read


def clipped_at_zero(curve: Curve) -> Curve:
    """Return the positive part of a piecewise-linear curve, with points where it crosses zero."""
    time, value = curve.time, curve.value
    crosses = np.nonzero(value[:-1] * value[1:] < 0)[0]
    span = time[crosses + 1] - time[crosses]
    zero = time[crosses] + span * value[crosses] / (value[crosses] - value[crosses + 1])
    order = np.argsort(np.concatenate([time, zero]), kind="stable")
    both = np.concatenate([np.maximum(value, 0.0), np.zeros_like(zero)])
    return Curve(np.concatenate([time, zero])[order], both[order])


def area_above_basal(
    analyte: str, rule: str | float, duration: float
) -> Callable[[Subject], float]:
    """Read the area of an analyte above basal over the first minutes after the dose."""
    read_curve = above_basal(analyte, rule)

    def read(subject: Subject) -> float:
        curve, start = read_curve(subject), zero_time(subject)
        inside = (curve.time > start) & (curve.time < start + duration)
        time = np.concatenate([[start], curve.time[inside], [start + duration]])
        return float(np.trapezoid(curve(time), time))

    return read


def only_dose(what: str, route: str) -> Callable[[Subject], float]:
    """Read the amount per kg of the one dose of a substance by a route.

    A system whose input is the shape of one meal has no meaning for two of them, and silence about
    the second would be wrong, so anything but one dose is refused.
    """

    def read(subject: Subject) -> float:
        doses = [d for d in subject.doses if d.what == what and d.route == route]
        if len(doses) != 1:
            raise StudyError(
                [
                    f"subject {subject.name}: the system needs exactly one {route} dose of {what}, "
                    f"but the study lists {len(doses)}."
                ]
            )
        return subject.amount_per_kg(doses[0])

    return read


def meal_size(within: float) -> Callable[[Subject], Curve]:
    """Read how large the latest meal is, mmol/kg of glucose; one that nobody eats has size 1.

    Parameters
    ----------
    within : float, min
        What is eaten within this time belongs to one meal, whose size grows with each part of it.
        Before the first meal the size is that of the first.
    """

    def read(subject: Subject) -> Curve:
        eaten = [d for d in subject.doses if (d.what, d.route) == ("glucose", "oral")]
        times = np.unique([dose.time for dose in eaten])
        sizes = [
            sum(subject.amount_per_kg(d) for d in eaten if time - within < d.time <= time)
            for time in times
        ]
        if not sizes:
            return Curve(np.array([0.0, 1.0]), np.ones(2))
        return steps(times, np.array(sizes[:1] + sizes))

    return read


def tracer_share(tracer: str, route: str) -> Callable[[Subject], float]:
    """Read the labeled share of a glucose dose, whose amount includes the label."""

    def read(subject: Subject) -> float:
        label, glucose = (
            sum(subject.amount_per_kg(d) for d in subject.doses if (d.what, d.route) == (w, route))
            for w in (tracer, "glucose")
        )
        if not 0 < label < glucose:
            raise StudyError(
                [
                    f"subject {subject.name}: {label:g} mmol/kg of {tracer} in {glucose:g} mmol/kg"
                    " of glucose is no label; every drink needs one, and the amount of glucose must"
                    " include it."
                ]
            )
        return label / glucose

    return read


def length_of_test(subject: Subject) -> float:
    """Read the time from the begin of the test to the last sample, min."""
    return max(float(s.time[-1]) for s in subject.samples.values()) - zero_time(subject)


def unit_hats(knots: tuple[float, ...]) -> Callable[[Subject], tuple[Curve, ...]]:
    """Read hat functions of unit height over knots after the begin of the test.

    Before the first knot all are zero; after the last one its hat stays at one.
    """

    def read(subject: Subject) -> tuple[Curve, ...]:
        time = zero_time(subject) + np.asarray(knots)
        return tuple(Curve(time, row) for row in np.eye(len(knots))[1:])

    return read


def hats(knots: tuple[float, ...], tail_rate: float) -> Callable[[Subject], tuple[Curve, ...]]:
    """Read hat functions over knots after the dose, each with unit area.

    Parameters
    ----------
    knots : tuple of float, min after the dose
        Increasing, the first zero. The hat of knot j rises from knot j - 1 and falls to knot j + 1;
        the last one falls exponentially, so its area is half its rise plus 1 / ``tail_rate``.
    tail_rate : float, 1/min
        Rate of the exponential tail.
    """
    areas = hat_areas(knots, tail_rate)

    def read(subject: Subject) -> tuple[Curve, ...]:
        start = zero_time(subject)
        time = start + np.asarray(knots)
        last = max(float(s.time[-1]) for s in subject.samples.values())
        if last > time[-1]:
            raise StudyError(
                [
                    f"subject {subject.name}: samples reach {last - start:g} min after the dose, "
                    f"but the last knot is at {knots[-1]:g} min; add a knot there."
                ]
            )
        rows = np.eye(len(knots))[1:]
        return tuple(Curve(time, row / area) for row, area in zip(rows, areas, strict=True))

    return read


def hat_areas(knots: tuple[float, ...], tail_rate: float) -> np.ndarray:
    """Return the area under each hat of height one, the tail included, in min."""
    gaps = np.diff(np.asarray(knots))
    following = np.append(gaps[1:] / 2, 1 / tail_rate)
    return gaps / 2 + following


def plasma_of(analyte: str) -> Callable[[Subject], Curve]:
    """Read the concentration of an analyte, linear between its samples."""

    def read(subject: Subject) -> Curve:
        samples = samples_of(subject, analyte)
        return Curve(samples.time, samples.value)

    return read


plasma = plasma_of("insulin")


def plasma_before(subject: Subject) -> float:
    """Read plasma insulin before the test, which is that of its first sample."""
    return float(samples_of(subject, "insulin").value[0])


def medium(subject: Subject) -> Curve:
    """Read the insulin of a medium, which keeps each value until the next one is set."""
    samples = samples_of(subject, "medium_insulin")
    if len(samples.time) == 1:
        return Curve(samples.time[0] + np.array([0.0, 1.0]), np.repeat(samples.value, 2))
    return steps(samples.time[1:], samples.value)


def medium_before(subject: Subject) -> float:
    """Read the insulin in which cells were kept before the test, the first that is stated."""
    return float(samples_of(subject, "medium_insulin").value[0])
