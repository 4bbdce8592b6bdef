"""Missing: samples that a study should have and has not, as happens in every ward."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hepaflux.study.study import Samples, Study, Subject, zero_time


@dataclass(frozen=True)
class Missing:
    """Which samples are lost, and how often.

    Attributes
    ----------
    probability : float
        Of each of them, above 0 and at most 1.
    analyte : str
        Of which analyte; of every one if empty.
    time : float, optional, min
        At which time; without it, at any time after the test began. Basal samples are lost only
        where their time is named: a test without them is not evaluated.
    """

    probability: float = 1.0
    analyte: str = ""
    time: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        if not 0 < self.probability <= 1:
            raise ValueError(
                f"a sample is missing with a probability above 0 and at most 1, not"
                f" {self.probability:g}"
            )


def lose_samples(study: Study, missing: Sequence[Missing], *, seed: int) -> Study:
    """Return a study from which samples are lost at random.

    Parameters
    ----------
    missing : sequence of Missing
        A sample that several of them are about is lost by each of them, independently.
    seed : int
        The same seed loses the same samples, and none of the draws that simulated the study with
        that seed are used again.

    Returns
    -------
    Study
        An analyte of which nothing is left is no longer there.

    Raises
    ------
    ValueError
        If nobody has the analyte, or was sampled at the time.
    """
    for lost in missing:
        _check(study, lost)
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
    return replace(study, subjects=tuple(_left(s, missing, rng) for s in study.subjects))


def _check(study: Study, lost: Missing) -> None:
    sampled = {a: samples for s in study.subjects for a, samples in s.samples.items()}
    if lost.analyte and lost.analyte not in sampled:
        raise ValueError(f"no {lost.analyte} can be missing; there are {', '.join(sampled)}")
    times = {
        float(time)
        for subject in study.subjects
        for analyte, samples in subject.samples.items()
        if lost.analyte in ("", analyte)
        for time in samples.time
    }
    if lost.time is not None and lost.time not in times:
        there = ", ".join(f"{time:g}" for time in sorted(times))
        raise ValueError(f"nothing is sampled at {lost.time:g} min, only at {there}")


def _left(subject: Subject, missing: Sequence[Missing], rng: np.random.Generator) -> Subject:
    """Return a person with the samples that are left."""
    left = {}
    for analyte, samples in subject.samples.items():
        kept = rng.random(len(samples.time)) < _chance(subject, analyte, samples, missing)
        if kept.any():
            fields = (samples.time, samples.value, samples.censoring)
            left[analyte] = Samples(*(field[kept] for field in fields))
    if not left:
        raise ValueError(f"subject {subject.name}: no sample is left")
    return replace(subject, samples=left)


def _chance(
    subject: Subject, analyte: str, samples: Samples, missing: Sequence[Missing]
) -> np.ndarray:
    """Return the probability that each sample is there."""
    chance = np.ones(len(samples.time))
    for lost in missing:
        if lost.analyte in ("", analyte):
            after = samples.time > zero_time(subject)
            concerned = after if lost.time is None else samples.time == lost.time
            chance[concerned] *= 1 - lost.probability
    return chance
