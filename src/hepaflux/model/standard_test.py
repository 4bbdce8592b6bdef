"""Standard test: what is given and sampled when, and what is made up beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hepaflux.study.study import Dose
from hepaflux.units import MOLAR_MASS

DRINK_LABEL = 0.04
"""Labeled share of the glucose of a labeled drink."""


@dataclass(frozen=True)
class StandardTest:
    """Doses, sampling times, and what is made up for the systems that take it as known.

    Attributes
    ----------
    times : tuple of float, min
        Sampling times of glucose and insulin; the test begins at 0.
    doses : tuple of Dose
        All that is given, in canonical units; of a clamp all but the glucose.
    phases : tuple of (float, float)
        The insulin response as a sum of gamma-shaped phases: peak time in min, and height in
        pmol/L above basal at the prior median of insulin sensitivity.
    sampled : mapping of str to tuple of float, min
        Sampling times of the other analytes.
    decay : tuple of (float, float)
        Glucose above basal after an intravenous dose, for systems that take glucose as known: sum
        of exponentials, mmol/L and 1/min.
    rises : tuple of (float, float)
        Glucose above basal after a drink, for systems that take glucose as known: sum of
        gamma-shaped phases, peak time in min and height in mmol/L.
    known : mapping of str to tuple of float
        Values of sampled analytes that systems take as known, at their sampling times.
    is_clamp : bool
        Whether glucose is infused so that it stays basal.
    label : float, TTR
        Tracer-to-tracee ratio of the glucose that is infused in a clamp.
    """

    times: tuple[float, ...]
    doses: tuple[Dose, ...]
    phases: tuple[tuple[float, float], ...] = ()
    sampled: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    decay: tuple[tuple[float, float], ...] = ()
    rises: tuple[tuple[float, float], ...] = ()
    known: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    is_clamp: bool = False
    label: float = 0.0

    @property
    def analytes(self) -> dict[str, tuple[float, ...]]:
        """Return the sampling times of every analyte."""
        always = {"glucose": self.times, "insulin": self.times} if self.times else {}
        return {**always, **self.sampled}


def drink(grams: float, *, per_kg: bool = False) -> Dose:
    """Return a glucose drink at time 0, g or g/kg."""
    return Dose(0.0, "glucose", grams * 1000 / MOLAR_MASS["glucose"], "oral", per_kg=per_kg)


def labeled_drink(grams_per_kg: float) -> tuple[Dose, Dose]:
    """Return a drink at time 0 with ``DRINK_LABEL`` of its glucose labeled, g/kg with the label."""
    glucose = drink(grams_per_kg, per_kg=True)
    return glucose, replace(glucose, what="meal_tracer", amount=DRINK_LABEL * glucose.amount)


def bolus(what: str, amount: float, *, time: float = 0.0) -> Dose:
    """Return an intravenous bolus, canonical amount per kg."""
    return Dose(time, what, amount, "intravenous", per_kg=True)


def infusion(what: str, rate: float, *, begin: float, end: float) -> Dose:
    """Return a constant infusion, canonical amount per kg and min."""
    return Dose(begin, what, rate * (end - begin), "intravenous", end - begin, per_kg=True)
