"""Study: what was measured in whom after which dose, in canonical units and frozen.

A study is a tuple of subjects; a subject holds samples per analyte, doses and covariates. The
records carry no behavior beyond looking things up. ``read_study`` makes them from tables and is
the only place where tables are judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from hepaflux.units import ALL_TRACERS, CANONICAL, INSULIN_FACTOR

Censoring = Literal["none", "left", "right"]


class StudyError(ValueError):
    """Everything that is wrong with a study's tables, all of it at once.

    Attributes
    ----------
    problems : tuple of str
        One sentence each: where, what was found, what to do.
    """

    def __init__(self, problems: tuple[str, ...] | list[str]):
        self.problems = tuple(problems)
        n = len(self.problems)
        heading = f"The study has {n} problem{'s' if n != 1 else ''}:"
        super().__init__("\n".join([heading, *(f"  - {problem}" for problem in self.problems)]))


def frozen_array(values: object, dtype: npt.DTypeLike = float) -> np.ndarray:
    """Return a read-only copy of ``values``."""
    array: np.ndarray = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of one analyte in one subject.

    Attributes
    ----------
    time : array (sample,), min
        Increasing; strictly but for phosphosites, of which every sample is another animal.
    value : array (sample,)
        Canonical unit of the analyte. For a censored sample this is the assay's limit.
    censoring : array (sample,) of str
        ``"none"``, ``"left"`` (true value at or below ``value``) or ``"right"`` (at or above).
    """

    time: np.ndarray
    value: np.ndarray
    censoring: np.ndarray

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "time", frozen_array(self.time))
        object.__setattr__(self, "value", frozen_array(self.value))
        object.__setattr__(self, "censoring", frozen_array(self.censoring, dtype=np.dtype("U5")))


@dataclass(frozen=True)
class Dose:
    """One dose: a bolus if its duration is zero, else a constant infusion.

    Attributes
    ----------
    time : float, min
        When it starts.
    what : str
        The substance, for example ``"glucose"``.
    amount : float, mmol glucose or pmol insulin; per kg of body weight if ``per_kg``
        The whole amount, also for an infusion.
    route : {"oral", "intravenous"}
        How it is given.
    duration : float, min
        Zero for a bolus or a drink.
    per_kg : bool
        Whether ``amount`` is per kilogram of body weight.
    """

    time: float
    what: str
    amount: float
    route: Literal["oral", "intravenous"]
    duration: float = 0.0
    per_kg: bool = False


@dataclass(frozen=True, eq=False)
class Subject:
    """One person (or one mean curve): samples, doses, covariates.

    Attributes
    ----------
    name : str
        Unique in the study.
    group : str
        The label that comparisons use; empty if the study has no groups.
    weight : float, kg
        Body weight; NaN if it was not published.
    samples : mapping of str to Samples
        By analyte.
    doses : tuple of Dose
        In order of time.
    covariates : mapping of str to float
        Numeric covariates such as ``bmi`` or ``age``.
    """

    name: str
    samples: Mapping[str, Samples]
    doses: tuple[Dose, ...] = ()
    group: str = ""
    weight: float = float("nan")
    covariates: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze the mappings."""
        object.__setattr__(self, "samples", MappingProxyType(dict(self.samples)))
        object.__setattr__(self, "covariates", MappingProxyType(dict(self.covariates)))

    def amount_per_kg(self, dose: Dose) -> float:
        """Return the amount of a dose per kg of body weight.

        Raises
        ------
        StudyError
            If the dose is absolute and the weight is not known.
        """
        if dose.per_kg:
            return dose.amount
        if not np.isfinite(self.weight):
            raise StudyError(
                [
                    f"subject {self.name}: the {dose.route} {dose.what} dose is not per kg and "
                    "the body weight is not known; give weight_kg in subjects.csv, the option "
                    "weight, or a dose in g/kg."
                ]
            )
        return dose.amount / self.weight


def start_time(subject: Subject) -> float:
    """Return the time of the first dose, or of the first sample if there is no dose, in min."""
    if subject.doses:
        return min(dose.time for dose in subject.doses)
    return min(float(samples.time[0]) for samples in subject.samples.values())


def zero_time(subject: Subject) -> float:
    """Return when the test begins, in min: at the first dose that is no tracer.

    Tracers are infused for hours before; samples up to this time are basal.
    """
    times = [dose.time for dose in subject.doses if dose.what not in ALL_TRACERS]
    return min(times) if times else start_time(subject)


@dataclass(frozen=True, eq=False)
class Study:
    """A validated study in canonical units.

    Attributes
    ----------
    name : str
        Short name, used for folders.
    subjects : tuple of Subject
        In the order of the tables.
    title, citation, license, protocol, notes : str
        As ``study.toml`` states them.
    insulin_factor : float, pmol/L per µU/mL
        The convention that its insulin values were converted with.
    checksum : str
        SHA-256 of the validated content; independent of row order and of units on disk.
    origin : str
        What was read, so that a run can be repeated: a path, a registry name, or empty.
    """

    name: str
    subjects: tuple[Subject, ...]
    title: str = ""
    citation: str = ""
    license: str = ""
    protocol: str = ""
    notes: str = ""
    insulin_factor: float = INSULIN_FACTOR
    checksum: str = ""
    origin: str = ""

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the group labels in order of first appearance."""
        return tuple(dict.fromkeys(s.group for s in self.subjects if s.group))

    def __getitem__(self, name: str) -> Subject:
        """Return the subject called ``name``."""
        for subject in self.subjects:
            if subject.name == name:
                return subject
        known = ", ".join(s.name for s in self.subjects)
        raise KeyError(f"no subject {name!r} in study {self.name!r}; there are {known}")

    def measurements(self) -> pd.DataFrame:
        """Return all samples as one tidy table in canonical units."""
        rows = [
            (s.name, t, analyte, v, CANONICAL[analyte], c)
            for s in self.subjects
            for analyte, samples in s.samples.items()
            for t, v, c in zip(samples.time, samples.value, samples.censoring, strict=True)
        ]
        columns = ["subject", "time", "analyte", "value", "unit", "censoring"]
        return pd.DataFrame(rows, columns=columns)
