"""Tracers: whether enrichments can come from the doses that were given.

A tracer dose in the wrong unit gives smooth curves and a wrong liver, so each is held against what
it would mean: a drink cannot enrich plasma above itself, and a steady infusion over its enrichment
is production (Steele), which no body has beyond certain bounds.
"""

import math

from hepaflux.study.problems import Problems
from hepaflux.study.study import Dose, Samples, Subject, zero_time
from hepaflux.study.table import shown
from hepaflux.units import TRACERS

PRODUCTION = (0.002, 0.08)
"""Fasting production that occurs, mmol/kg/min (11 in health, less after a long fast, two to three
times as much in poorly controlled diabetes; the bounds leave room for unsteady tracers)."""

ABOVE_DRINK = 1.1
"""Enrichment over that of the drink that measurement error explains."""


def check_tracers(subject: Subject, problems: Problems) -> None:
    """Note enrichments without a dose, above that of the drink, or of an impossible production."""
    for tracer in TRACERS:
        analyte = tracer.replace("tracer", "enrichment")
        if analyte not in subject.samples:
            continue
        samples = subject.samples[analyte]
        doses = [dose for dose in subject.doses if dose.what == tracer]
        place = f"{analyte}, subject {shown(subject.name)}"
        if not doses:
            problems.add(
                place,
                f"no dose of {tracer}; list it among the doses, or remove the enrichments.",
                kind=f"no {tracer}",
            )
        elif all(dose.route == "oral" for dose in doses):
            _check_drink(subject, tracer, samples, problems=problems)
        else:
            _check_infusion(subject, doses, samples, place=place, problems=problems)


def _check_drink(subject: Subject, tracer: str, samples: Samples, *, problems: Problems) -> None:
    label, glucose = (
        sum(_amount(subject, d) for d in subject.doses if (d.what, d.route) == (what, "oral"))
        for what in (tracer, "glucose")
    )
    if math.isnan(label + glucose):
        return
    if not 0 < label < glucose:
        problems.add(
            f"dose, subject {shown(subject.name)}",
            f"{label:.3g} mmol/kg of {tracer} in {glucose:.3g} mmol/kg of glucose; the amount of"
            " the drink must include its label: check both units.",
        )
        return
    drink, most = label / (glucose - label), float(samples.value.max())
    if most > ABOVE_DRINK * drink:
        problems.add(
            f"{tracer.replace('tracer', 'enrichment')}, subject {shown(subject.name)}",
            f"{most:.3g} TTR is above the {drink:.3g} TTR of the drink; is the dose of {tracer} or"
            " the unit of the enrichment wrong?",
        )


def _check_infusion(
    subject: Subject, doses: list[Dose], samples: Samples, *, place: str, problems: Problems
) -> None:
    start = zero_time(subject)
    basal = samples.value[(samples.time <= start) & (samples.value > 0)]
    rate = sum(
        _amount(subject, dose) / dose.duration
        for dose in doses
        if dose.duration > 0 and dose.time < start <= dose.time + dose.duration
    )
    if not len(basal) or not rate > 0:
        return
    production = rate / float(basal.mean())
    low, high = PRODUCTION
    if not low <= production <= high:
        problems.add(
            place,
            f"{1000 * rate:.3g} umol/kg/min over {basal.mean():.3g} TTR before the test is a"
            f" production of {1000 * production:.3g} umol/kg/min, outside {1000 * low:g}–"
            f"{1000 * high:g}; is the dose or the unit of the enrichment wrong?",
        )


def _amount(subject: Subject, dose: Dose) -> float:
    """Return the amount per kg; NaN, which fails no check, if the weight is not known."""
    known = dose.per_kg or math.isfinite(subject.weight)
    return subject.amount_per_kg(dose) if known else math.nan
