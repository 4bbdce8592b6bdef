"""Infusion: glucose and tracer that run into a vein, as inputs and as what a clamp is judged by.

Infusions drive a system through its dose channels. What is read here is the rate itself, for
fluxes, and the clamp's own measure of insulin action, which needs no model.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from hepaflux.study.study import Dose, Subject
from hepaflux.systems.inputs import samples_of, steps
from hepaflux.systems.system import Curve

LAST = 30.0
"""Minutes before the last glucose sample over which a clamp is judged."""

SPACE = 0.19
"""Glucose space of the space correction, L/kg. DeFronzo 1979 (Am J Physiol 237:E214) is quoted with
0.095 mg/kg per mg/dL in 20 min, which is 1.9 dL/kg; not checked against the paper."""


def infusions(subject: Subject, what: Sequence[str]) -> list[Dose]:
    """Return the infusions of some substances."""
    return [
        dose
        for dose in subject.doses
        if dose.what in what and dose.route == "intravenous" and dose.duration > 0
    ]


def infused_between(subject: Subject, what: Sequence[str], begin: float, end: float) -> float:
    """Return the amount of some substances infused between two times, per kg."""
    total = 0.0
    for dose in infusions(subject, what):
        overlap = min(end, dose.time + dose.duration) - max(begin, dose.time)
        total += max(overlap, 0.0) / dose.duration * subject.amount_per_kg(dose)
    return total


def infusion_rate(*what: str) -> Callable[[Subject], Curve]:
    """Read the rate at which substances are infused, per kg and min; at a step the earlier one."""

    def read(subject: Subject) -> Curve:
        doses = infusions(subject, what)
        edges = np.unique([e for d in doses for e in (d.time, d.time + d.duration)])
        if not edges.size:
            return Curve(np.array([0.0, 1.0]), np.zeros(2))
        spans = np.append(edges, edges[-1] + 1.0)
        rates = np.array(
            [infused_between(subject, what, a, b) / (b - a) for a, b in pairwise(spans)]
        )
        return steps(edges, np.concatenate([[0.0], rates]))

    return read


def corrected_infusion(*what: str) -> Callable[[Subject], float]:
    """Read the M value, mmol/kg/min: infusion less the change of glucose in its space.

    Both are means over the last minutes (``LAST``) before the last glucose sample.
    """

    def read(subject: Subject) -> float:
        samples = samples_of(subject, "glucose")
        end = float(samples.time[-1])
        begin = max(end - LAST, float(samples.time[0]))
        first, last = np.interp([begin, end], samples.time, samples.value)
        infused = infused_between(subject, what, begin, end)
        return float(infused - SPACE * (last - first)) / (end - begin)

    return read
