"""Checks: what no single row can show, and what a body cannot have."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from hepaflux.isotopes import IONS
from hepaflux.study.doses import Given
from hepaflux.study.people import Person
from hepaflux.study.problems import Problems
from hepaflux.study.samples import Sample, is_enrichment, substance_factor
from hepaflux.study.study import Dose, Subject, zero_time
from hepaflux.study.table import Row, Table, shown
from hepaflux.study.tracers import check_tracers
from hepaflux.units import (
    ALL_TRACERS,
    CANONICAL,
    CANONICAL_AMOUNT,
    DEUTERATED,
    LIPID_ENRICHMENTS,
    LIPOPROTEINS,
    PHOSPHOSITES,
    RELATIVE,
    TRACERS,
)

PLAUSIBLE = {"glucose": (1.0, 50.0), "insulin": (0.0, 60_000.0), "c_peptide": (0.0, 20.0)}
PLAUSIBLE |= {"ffa": (0.0, 5.0)} | {
    f"{t.removesuffix('tracer')}enrichment": (0.0, 1.0) for t in TRACERS
}
PLAUSIBLE |= dict.fromkeys(DEUTERATED, (0.0, 0.1)) | dict.fromkeys(IONS, (0.0, math.inf))
PLAUSIBLE |= dict.fromkeys(LIPID_ENRICHMENTS, (0.0, 1.0))
PLAUSIBLE |= {f"{name}_tg": (0.001, 60.0) for name in LIPOPROTEINS}
PLAUSIBLE |= {"ihtg": (0.0, 0.7), "dnl_fraction": (0.0, 1.0)}
PLAUSIBLE |= {"liver_glycogen": (0.0, 1000.0), "egp": (0.0, 0.1), "gng_fraction": (0.0, 1.2)}
PLAUSIBLE |= {"plasma_tg": (0.05, 150.0), "vldl_tg_secretion": (0.5, 500.0)}
PLAUSIBLE |= {"medium_insulin": (0.0, 1e7)} | dict.fromkeys(RELATIVE, (0.0, math.inf))
"""What occurs in people, in canonical units, injected insulin included; in a medium of cells more.
Ions and blots have no scale."""

PLAUSIBLE_DOSE = {"glucose": (0.05, 3.0, "g/kg"), "insulin": (0.001, 5.0, "U/kg")}
PLAUSIBLE_DOSE |= {"glucagon": (0.05, 100.0, "ug/kg")}
PLAUSIBLE_DOSE |= dict.fromkeys(ALL_TRACERS, (1e-5, 1.0, "mmol/kg"))
"""Doses per kg of body weight that occur in tests of people."""

LOWEST_RATE = {"glucose": 1e-5, "insulin": 1e-5, "glucagon": 1e-5} | dict.fromkeys(
    ALL_TRACERS, 1e-7
)
"""Rates per min of infusions that occur; a clamp's infusion is one of many short pieces."""

USUAL_UNITS = {
    "glucose": ("mg/dL", "mmol/L", "g/L"),
    "insulin": ("uU/mL", "pmol/L", "ng/mL"),
    "c_peptide": ("ng/mL", "nmol/L", "pmol/L"),
    "ffa": ("mmol/L", "umol/L"),
    "ihtg": ("percent", "1"),
    "dnl_fraction": ("percent", "1"),
    "liver_glycogen": ("mmol/L",),
    "egp": ("umol/kg/min", "mg/kg/min", "mmol/kg/min"),
    "gng_fraction": ("percent", "1"),
    "medium_insulin": ("nmol/L", "pmol/L"),
    "plasma_tg": ("mg/dL", "mmol/L"),
    "vldl_tg_secretion": ("umol/min",),
    **dict.fromkeys(RELATIVE, ("arbitrary_unit",)),
}
USUAL_UNITS |= {f"{name}_tg": ("mg/dL", "mmol/L", "umol/L") for name in LIPOPROTEINS}
"""Units that laboratories report, the most usual first."""

USUAL_LENGTH = {"oral": (20.0, 2880.0), "intravenous": (8.0, 2880.0)}
"""Minutes for which blood is drawn after glucose was drunk or injected; a course that is shorter or
longer was most likely written in hours or seconds."""

_REFERENCE_WEIGHT = 70.0
"""kg; judges an absolute dose in someone whose weight was not published."""


LIVER_FAT = ("ihtg", "plasma_tg", "vldl_tg_secretion", "dnl_fraction")
"""What tells of liver fat, by itself and by what it does to plasma."""

STEADY = (*LIVER_FAT, *(f"{name}_tg" for name in LIPOPROTEINS))
"""What is taken as constant over a test: it needs no basal sample."""

PRODUCTION = ("liver_glycogen", "egp", "gng_fraction")
"""What is known of the liver by itself: it needs no basal sample."""

CELLS = ("medium_insulin", *RELATIVE)
"""What is known of cells outside a body."""

SINGLE = {*IONS, *LIPID_ENRICHMENTS, *STEADY, *PRODUCTION, *CELLS}
"""What a single sample tells something about; a concentration of glucose needs its course."""


class Parts(NamedTuple):
    """The content of the tables, before it is put together."""

    samples: list[Sample]
    doses: list[Given]
    people: Mapping[str, Person]
    refused: set[str]

    def doses_of(self, name: str) -> list[Given]:
        """Return what a subject was given."""
        return [given for given in self.doses if given.subject in (name, "all")]

    def is_refused(self, name: str) -> bool:
        """Return whether a row of a subject was refused in any table."""
        return name in self.refused or (name in self.people and self.people[name].refused)


def check_samples(samples: list[Sample], problems: Problems) -> None:
    """Note concentrations that no body has, and samples that exclude each other."""
    seen: dict[tuple[str, str, float], Row] = {}
    for sample in samples:
        _check_range(sample, problems)
        if sample.analyte in PHOSPHOSITES:
            continue  # A liver is taken once: what is sampled at one time are several animals.
        key = (sample.subject, sample.analyte, round(sample.time, 6))
        first = seen.setdefault(key, sample.row)
        if first is not sample.row:
            problems.add(
                sample.row.place("time"),
                f"{sample.time:g} min occurs twice for {sample.analyte} (also in row "
                f"{first.number}); average the replicates or remove one.",
            )


def _check_range(sample: Sample, problems: Problems) -> None:
    """Note a concentration outside what occurs, and the unit that would explain it."""
    low, high = PLAUSIBLE[sample.analyte]
    place = sample.row.place(sample.analyte)
    found = f"{sample.stated:g} {sample.unit}"
    if sample.value < 0:
        advice = "leave a missing cell empty"
        if is_enrichment(sample.analyte):
            advice = "below the background; write it as left-censored at the limit of detection"
        problems.add(place, f"{found} is negative; {advice}.")
    elif not low <= sample.value <= high:
        canonical = CANONICAL[sample.analyte]
        is_now = "" if sample.unit == canonical else f" ({sample.value:.3g} {canonical})"
        likely = _likely_unit(sample)
        advice = f"is the column in {likely}?" if likely else "is the number right?"
        problems.add(
            place,
            f"{found}{is_now} is outside {low:g}–{high:g} {canonical}; {advice}",
            kind=f"range {sample.analyte} {sample.unit}",
        )


def _likely_unit(sample: Sample) -> str:
    """Return the usual unit in which a number would be plausible, or an empty text."""
    low, high = PLAUSIBLE[sample.analyte]
    if is_enrichment(sample.analyte):
        return "MPE or TTR%" if 0 < sample.stated <= 100 else ""
    for unit in USUAL_UNITS[sample.analyte]:
        # The default insulin convention is near enough to tell units apart.
        value = sample.stated * substance_factor(unit, CANONICAL[sample.analyte], sample.analyte, 6)
        if unit != sample.unit and low <= value <= high:
            return unit
    return ""


def check_presence(
    parts: Parts, measurements: Table, subjects: Table | None, *, problems: Problems
) -> None:
    """Note subjects that one table knows and another does not."""
    measured = {sample.subject for sample in parts.samples} | parts.refused
    for name, person in parts.people.items():
        if name not in measured:
            problems.add(
                person.row.place("subject"),
                "has no measurements; remove the row or check the spelling.",
            )
    for given in parts.doses:
        if given.subject not in measured | {"all"}:
            problems.add(
                given.row.place("dose"),
                f"subject {shown(given.subject)!r} has no measurements; remove the row or check "
                "the spelling.",
            )
    first = {row.text("subject"): row for row in reversed(measurements.rows) if row.text("subject")}
    unknown = [row for name, row in first.items() if name not in parts.people]
    _check_unknown(unknown, measured, subjects, problems)


def _check_unknown(
    rows: list[Row], measured: set[str], subjects: Table | None, problems: Problems
) -> None:
    """Note subjects of whom nothing is known but a row of the measurement table."""
    for row in rows:
        if subjects:
            advice = f"is missing in {subjects.name}; add a row or check the spelling."
            problems.add(row.place("subject"), advice)
        elif row.text("subject") not in measured:
            problems.add(row.place("subject"), "has no value in any row; remove its rows.")


def check_twice(doses: list[Given], problems: Problems) -> None:
    """Note a second dose at the same time: who copied a row would have it delivered twice."""
    seen: dict[tuple[object, ...], Given] = {}
    for given in doses:
        _, dose, row = given
        start, duration = round(dose.time, 6), round(dose.duration, 6)
        first = seen.setdefault((dose.what, dose.route, start, duration), given)
        if first is given:
            continue
        # Nine digits, for the same dose may be stated in another unit.
        again = dose.per_kg == first.dose.per_kg and math.isclose(dose.amount, first.dose.amount)
        found = "is listed twice" if again else "is a second dose at the same time"
        problems.add(
            row.place("dose"),
            f"{_amount(row)} of {dose.what} at {dose.time:g} min {found} (also in row "
            f"{first.row.number}); remove one, or write the sum if both were given.",
        )


def _amount(row: Row) -> str:
    return f"{row.text('amount')} {row.text('unit')}".strip()


def check_subject(
    subject: Subject, doses: list[Given], *, weight_needed: bool, problems: Problems
) -> None:
    """Note what a subject lacks: samples, a basal value, a weight, a sensible dose."""
    times = {float(t) for samples in subject.samples.values() for t in samples.time}
    if len(times) < 2 and not subject.samples.keys() <= SINGLE:
        problems.add(
            f"time, subject {shown(subject.name)}",
            f"samples at {len(times)} time only; at least 2 times are needed, or leave it out.",
        )
    elif subject.doses:
        _check_basal(subject, problems)
        _check_length(subject, problems)
    check_tracers(subject, problems)
    for _, dose, row in doses:
        if not dose.per_kg and weight_needed and math.isnan(subject.weight):
            problems.add(
                f"dose, subject {shown(subject.name)}",
                "the dose is not per kg and the body weight is not known; give weight_kg, a dose "
                'per kg, or say body_weight = "not published" in study.toml.',
                kind="dose without weight",
            )
        else:
            _check_dose(subject, dose, row, problems)


def _check_basal(subject: Subject, problems: Problems) -> None:
    """Note an analyte that was first sampled after the first dose."""
    start = zero_time(subject)
    for analyte, samples in subject.samples.items():
        exempt = is_enrichment(analyte) or analyte in {*IONS, *STEADY, *PRODUCTION, *CELLS}
        if samples.time[0] > start and not exempt:
            problems.add(
                f"{analyte}, subject {shown(subject.name)}",
                f"no basal sample: the first is at {samples.time[0]:g} min and the first dose at "
                f"{start:g} min; add a sample at or before the dose, or check both times.",
                kind=f"basal {analyte}",
            )


def _check_length(subject: Subject, problems: Problems) -> None:
    """Note a course of glucose that is as long as no test, and the unit that would explain it."""
    given = [dose for dose in subject.doses if dose.what == "glucose" and dose.duration == 0]
    if not given or "glucose" not in subject.samples:
        return
    at, end = [dose.time for dose in given], float(subject.samples["glucose"].time[-1])
    low, high = USUAL_LENGTH[given[0].route]
    unit = "h" if 0 < end - min(at) < low else "s" if end - max(at) > high else ""
    if unit:
        problems.add(
            f"time, subject {shown(subject.name)}",
            f"the last sample of glucose is {end - min(at):g} min after the dose, and a test lasts"
            f" {low:g} to {high:g} min; are the times in {unit}? Then say"
            f' time_unit = "{unit}" in study.toml, or --time-unit {unit}.',
            kind="length of the test",
        )


def _check_dose(subject: Subject, dose: Dose, row: Row, problems: Problems) -> None:
    """Note a dose that nobody is given."""
    low, high, unit = PLAUSIBLE_DOSE[dose.what]
    if dose.duration > 0:
        low = min(low, LOWEST_RATE[dose.what] * dose.duration)
    known = math.isfinite(subject.weight)
    weight = 1.0 if dose.per_kg else subject.weight if known else _REFERENCE_WEIGHT
    mass, canonical = unit.removesuffix("/kg"), CANONICAL_AMOUNT[dose.what]
    amount = dose.amount / weight / substance_factor(mass, canonical, dose.what, 6)
    # The edges belong to the range in spite of rounding.
    if low * (1 - 1e-9) <= amount <= high * (1 + 1e-9):
        return
    assumed = "" if dose.per_kg or known else f" at {_REFERENCE_WEIGHT:g} kg"
    other = "g" if amount < low else "mg"
    likely = f"is it in {other}?" if dose.what == "glucose" else "is the unit right?"
    problems.add(
        replace(row, cells={"subject": subject.name}).place("dose"),
        f"{_amount(row)} is {amount:.3g} {unit}{assumed}, outside "
        f"{low:g}–{high:g} {unit}; {likely}",
        kind=f"dose range {dose.what} {other}",
    )
