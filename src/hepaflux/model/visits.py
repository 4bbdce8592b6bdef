"""Visits: virtual people whose livers are measured at rest, under one of several hypotheses.

What plasma holds in each step is made up and the same under every hypothesis, so that plasma alone
tells nothing; what the liver makes of it follows from the hypothesis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hepaflux.model.recipe import prepare
from hepaflux.model.simulate import Simulated, with_measurements
from hepaflux.parameter import Fixed
from hepaflux.study.checksum import checksum
from hepaflux.study.study import Samples, Study, Subject
from hepaflux.systems.resting_liver import resting_liver
from hepaflux.systems.rivals import HEALTH, Hypothesis

APART = 240.0
"""Minutes between two steps."""


class Plasma(NamedTuple):
    """What plasma holds, pmol/L, mmol/L and mmol/L."""

    insulin: float
    glucose: float
    ffa: float


STEPS: Mapping[str, Mapping[str, Plasma]] = MappingProxyType(
    {
        "fasted": {"healthy": Plasma(40, 5.0, 0.50), "NAFLD": Plasma(85, 5.4, 0.65)},
        "glucose": {"healthy": Plasma(350, 8.0, 0.12), "NAFLD": Plasma(650, 9.0, 0.22)},
        "withdrawn": {"healthy": Plasma(20, 5.0, 0.70), "NAFLD": Plasma(20, 5.4, 0.85)},
        "low": {"healthy": Plasma(150, 5.0, 0.20), "NAFLD": Plasma(150, 5.0, 0.35)},
        "high": {"healthy": Plasma(500, 5.0, 0.08), "NAFLD": Plasma(500, 5.0, 0.18)},
    }
)
"""Medians by step and group, chosen here; in withdrawn insulin is replaced below its fasting level
while somatostatin stops the beta cells."""

TESTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "fasted": ("fasted",),
        "glucose": ("fasted", "glucose"),
        "clamp": ("fasted", "low", "high"),
        "withdrawal": ("fasted", "withdrawn", "high"),
    }
)
"""Steps of each test, in order."""

PLASMA_SPREAD = Plasma(0.3, 0.05, 0.2)
"""Standard deviation between people, of the logarithms."""

ONCE = ("vldl_tg_secretion", "ihtg")
"""What is measured in the fasted state alone."""

GROUPS = ("healthy", "NAFLD")


def simulate_visits(
    truth: Hypothesis, *, test: str = "clamp", subjects: int = 12, seed: int = 1
) -> Simulated:
    """Simulate healthy people and patients whose livers are as a hypothesis says.

    What all people have in common (lambda_L, e_F, e_G and the like) is drawn from the priors of the
    hypothesis; people lie around the medians that it states.

    Parameters
    ----------
    truth : Hypothesis
        From ``systems.rivals``.
    test : str
        A name in ``TESTS``.
    subjects : int
        People in each of the two groups.
    seed : int
        The same seed gives the same study.

    Raises
    ------
    ValueError
        If there is no such test, or no subject.
    """
    if test not in TESTS:
        raise ValueError(f"test must be one of {', '.join(TESTS)}, but is {test!r}")
    if subjects < 1:
        raise ValueError(f"subjects must be at least 1, but is {subjects}")
    rng = np.random.default_rng(seed)
    groups = [group for group in GROUPS for _ in range(subjects)]
    values = draw_people(truth, groups, rng)
    people = tuple(_person(i, group, TESTS[test], rng) for i, group in enumerate(groups))
    study = Study(
        name=f"virtual_{truth.name}",
        subjects=people,
        title=f"Virtual people, {truth.name} ({test}, {subjects} in each group, seed {seed})",
        citation="Synthetic; not measured in anyone",
        license="CC0-1.0",
        protocol=test,
    )
    measured = _reported(with_measurements(prepare(study, resting_liver), values, rng))
    labels = {"subject": [person.name for person in people], "group": groups}
    return Simulated(measured, pd.DataFrame({**labels, **values}))


def _reported(study: Study) -> Study:
    """Return a study as it is reported: what error makes negative is told as below zero.

    Under much insulin production can be so low that this happens to a fifth of the people, so the
    likelihood has to know that these values are censored.
    """
    people = tuple(
        replace(person, samples={n: _not_negative(own) for n, own in person.samples.items()})
        for person in study.subjects
    )
    return replace(study, subjects=people, checksum=checksum(people))


def _not_negative(samples: Samples) -> Samples:
    """Return samples with zero as the limit of detection."""
    censoring = np.where(samples.value < 0, "left", samples.censoring)
    return replace(samples, value=np.maximum(samples.value, 0.0), censoring=censoring)


def draw_people(
    truth: Hypothesis, groups: Sequence[str], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return every unknown of the liver by person, shape (person,) each."""
    system = resting_liver.with_priors(**truth.priors)
    ill = np.array([group != "healthy" for group in groups])
    values = {}
    for parameter in resting_liver.parameters:
        name = parameter.name
        prior: Any = system.parameter(name).prior
        if name in HEALTH:
            median = np.where(ill, truth.ill.get(name, HEALTH[name]), HEALTH[name])
            values[name] = median * np.exp(parameter.spread * rng.standard_normal(len(groups)))
        elif parameter in resting_liver.unknowns:
            is_known = isinstance(prior, Fixed)
            common = prior.value if is_known else prior.distribution().rvs(random_state=rng)
            values[name] = np.full(len(groups), float(common))
    return values


def _person(number: int, group: str, steps: Sequence[str], rng: np.random.Generator) -> Subject:
    """Return a person whose liver is still to be measured."""
    time = APART * np.arange(len(steps))
    own = np.exp(np.array(PLASMA_SPREAD) * rng.standard_normal(len(PLASMA_SPREAD)))
    plasma = np.array([STEPS[step][group] for step in steps]) * own
    known = dict(zip(Plasma._fields, plasma.T, strict=True))
    blank = {
        output.name: np.full(1 if output.name in ONCE else len(time), 0.01)
        for output in resting_liver.outputs
    }
    samples = {
        name: Samples(time[: len(values)], values, np.full(len(values), "none"))
        for name, values in {**known, **blank}.items()
    }
    return Subject(name=f"{group}_{number + 1:03d}", samples=samples, group=group)
