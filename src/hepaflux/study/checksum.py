"""Checksum: a fingerprint of what a study contains, whatever its tables look like."""

import hashlib
import json
from collections.abc import Iterable

from hepaflux.study.study import Dose, Samples, Subject


def checksum(subjects: Iterable[Subject]) -> str:
    """Return the SHA-256 of the canonical content of subjects.

    The order of rows and subjects does not matter, nor do the units on disk: numbers count with
    ten significant digits, which hides the rounding of a conversion and nothing else. Titles and
    citations are not content.
    """
    content = [_subject(subject) for subject in sorted(subjects, key=lambda s: s.name)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _number(value: float) -> str:
    # Adding zero turns a negative zero into a positive one.
    return f"{value + 0.0:.9e}"


def _subject(subject: Subject) -> list[object]:
    samples = [[name, *_samples(s)] for name, s in sorted(subject.samples.items())]
    doses = sorted(_dose(dose) for dose in subject.doses)
    covariates = [[name, _number(v)] for name, v in sorted(subject.covariates.items())]
    return [subject.name, subject.group, _number(subject.weight), samples, doses, covariates]


def _samples(samples: Samples) -> list[list[str]]:
    return [
        [_number(t) for t in samples.time],
        [_number(v) for v in samples.value],
        [str(c) for c in samples.censoring],
    ]


def _dose(dose: Dose) -> list[str]:
    numbers = [_number(dose.time), _number(dose.amount), _number(dose.duration)]
    return [dose.what, dose.route, str(dose.per_kg), *numbers]
