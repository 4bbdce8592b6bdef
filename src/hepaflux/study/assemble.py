"""Assembly: tables become one validated study, or one error that says all that is wrong."""

import math
from dataclasses import replace

import numpy as np

from hepaflux.study.check import (
    Parts,
    check_presence,
    check_samples,
    check_subject,
    check_twice,
)
from hepaflux.study.checksum import checksum
from hepaflux.study.description import NOT_PUBLISHED, Tables
from hepaflux.study.doses import read_doses
from hepaflux.study.flat import ReadOptions, unfold
from hepaflux.study.headers import ANALYTES, KNOWN, analyte_of, meant
from hepaflux.study.people import HEAVIEST, read_people
from hepaflux.study.problems import Problems
from hepaflux.study.samples import Convention, Sample, check_name, read_samples, tidy
from hepaflux.study.study import Samples, Study, Subject
from hepaflux.study.table import Row, Table


def assemble(tables: Tables, options: ReadOptions, problems: Problems) -> Study:
    """Make a study of its tables.

    Raises
    ------
    StudyError
        If anything is wrong with them.
    """
    _check_options(options, problems)
    convention = _convention(tables, options)
    measurements = problems.attempt(tidy, tables.measurements)
    if measurements is not None:
        tables = unfold(tables, options, problems)
    else:
        measurements = Table(tables.measurements.name, (), ())
    parts = _read_parts(tables, measurements, convention, problems)
    if not parts.samples:
        if not problems.found:
            problems.add(measurements.name, "holds no value at all; is it the right table?")
        problems.stop()
    check_samples(parts.samples, problems)
    check_presence(parts, measurements, tables.subjects, problems=problems)
    subjects = _subjects(parts, options)
    needed = tables.description.body_weight != NOT_PUBLISHED
    for subject in subjects:
        doses = parts.doses_of(subject.name)
        check_twice(doses, problems)
        if not parts.is_refused(subject.name):
            check_subject(subject, doses, weight_needed=needed, problems=problems)
    problems.stop()
    return _study(tables, subjects, convention)


def _check_options(options: ReadOptions, problems: Problems) -> None:
    """Note options that no study can have."""
    if options.weight is not None and not 0 < options.weight <= HEAVIEST:
        problems.add("option weight", f"{options.weight:g} kg is no body weight; is it in kg?")
    factor = options.insulin_factor
    if factor is not None and not 5 < factor < 8:
        problems.add("option insulin_factor", f"must be about 6.00 or 6.945, but is {factor:g}.")
    for name in (name for name in options.units if analyte_of(name) is None):
        question = meant(name, ANALYTES)
        problems.add(
            "option units", f"{name!r} is not a known analyte{question}; known are {KNOWN}."
        )
    if options.group:
        problems.attempt(check_name, Row("option group", 0, {"group": options.group}), "group")


def _convention(tables: Tables, options: ReadOptions) -> Convention:
    """Return how numbers are to be read: as the options say, else as the description does."""
    description = tables.description
    return Convention(
        options.time_unit or description.time_unit,
        options.insulin_factor or description.insulin_factor,
        {analyte_of(name) or name: unit for name, unit in options.units.items()},
    )


def _read_parts(
    tables: Tables, measurements: Table, convention: Convention, problems: Problems
) -> Parts:
    """Read the cells of all tables."""
    samples, refused = read_samples(measurements, convention, problems)
    doses = read_doses(tables.doses, convention, problems) if tables.doses else []
    people = read_people(tables.subjects, problems) if tables.subjects else {}
    return Parts(samples, doses, people, refused)


def _subjects(parts: Parts, options: ReadOptions) -> list[Subject]:
    """Return the subjects in the order of the tables."""
    samples: dict[str, list[Sample]] = {}
    for sample in parts.samples:
        samples.setdefault(sample.subject, []).append(sample)
    names = dict.fromkeys([*(n for n in parts.people if n in samples), *samples])
    return [_subject(name, samples[name], parts, options) for name in names]


def _subject(name: str, samples: list[Sample], parts: Parts, options: ReadOptions) -> Subject:
    """Return one subject with its samples and doses in order of time."""
    person = parts.people.get(name)
    weight = float("nan") if options.weight is None else options.weight
    doses = [given.dose for given in parts.doses_of(name)]
    subject = Subject(
        name,
        {
            analyte: _series(samples, analyte)
            for analyte in dict.fromkeys(s.analyte for s in samples)
        },
        tuple(sorted(doses, key=lambda dose: dose.time)),
        options.group or "",
        weight,
    )
    if person is None:
        return subject
    return replace(
        subject,
        group=person.group or subject.group,
        weight=weight if math.isnan(person.weight) else person.weight,
        covariates=person.covariates,
    )


def _series(samples: list[Sample], analyte: str) -> Samples:
    """Return the samples of one analyte in order of time."""
    ordered = sorted((s for s in samples if s.analyte == analyte), key=lambda s: s.time)
    return Samples(
        np.array([s.time for s in ordered]),
        np.array([s.value for s in ordered]),
        np.array([s.censoring for s in ordered]),
    )


def _study(tables: Tables, subjects: list[Subject], convention: Convention) -> Study:
    """Return the study that the tables describe."""
    about = tables.description
    return Study(
        name=about.name,
        subjects=tuple(subjects),
        title=about.title,
        citation=about.citation,
        license=about.license,
        protocol=about.protocol,
        notes=about.notes,
        insulin_factor=convention.insulin_factor,
        checksum=checksum(subjects),
        origin=about.origin,
    )
