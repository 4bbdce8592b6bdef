"""Simulate: virtual people go through a standard test and become a study with its known truth.

Parameters are drawn around group medians with the between-subject spread that the system declares;
absorption from its prior. Insulin is an input of the systems, so it is made up here: a smooth
response whose size falls as insulin sensitivity rises, as in people. The samples of that response
drive the simulated glucose exactly as measured insulin drives a fit, and the basal sample carries
no error, because fits take both as known; all other glucose samples carry the output's noise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from hepaflux.model.design import Level
from hepaflux.model.noise import noise_of
from hepaflux.model.predict import predict
from hepaflux.model.recipe import Recipe, prepare
from hepaflux.parameter import Fixed, Parameter, size_of
from hepaflux.study.study import Dose, Samples, Study, Subject, zero_time
from hepaflux.systems.system import Output, System
from hepaflux.units import MOLAR_MASS

TOLERANCE = (1e-9, 1e-9)
"""Relative and absolute tolerance of the solver in simulations."""

FEEDBACK = 0.6
"""Exponent with which the insulin response falls as insulin sensitivity rises."""


@dataclass(frozen=True)
class StandardTest:
    """A dose and the times of sampling.

    Attributes
    ----------
    times : tuple of float, min
        Sampling times; the dose is given at 0.
    grams, route, per_kg
        The glucose dose, g or g/kg.
    phases : tuple of (float, float)
        The insulin response as a sum of gamma-shaped phases: peak time in min, and height in
        pmol/L above basal at the prior median of insulin sensitivity.
    """

    times: tuple[float, ...]
    grams: float
    route: str
    per_kg: bool
    phases: tuple[tuple[float, float], ...]


OGTT_PHASES = ((35.0, 200.0), (90.0, 160.0))

TESTS: Mapping[str, StandardTest] = MappingProxyType(
    {
        "ogtt75": StandardTest(
            (0, 10, 20, 30, 45, 60, 90, 120, 150, 180), 75.0, "oral", False, OGTT_PHASES
        ),
        "ogtt75_sparse": StandardTest((0, 30, 60, 90, 120), 75.0, "oral", False, OGTT_PHASES),
        "meal": StandardTest(
            (0, 5, 10, 15, 20, 30, 40, 50, 60, 75, 90, 120, 150, 180, 210, 240, 260, 280, 300),
            1.0,
            "oral",
            True,
            OGTT_PHASES,
        ),
        "ivgtt": StandardTest(
            (
                *(0, 2, 4, 6, 8, 10, 12, 14, 16, 19, 22, 27, 32, 42, 52, 62, 72, 82, 92, 102),
                *(122, 142, 162, 182),
            ),
            0.3,
            "intravenous",
            True,
            ((3.0, 480.0), (30.0, 80.0)),
        ),
    }
)
"""Standard tests by name. Responses are made up (see the module), sized like published means."""


@dataclass(frozen=True)
class Population:
    """A group of virtual people.

    Attributes
    ----------
    name : str
        The group's label.
    factors : mapping of str to float
        Factor on the prior median of a parameter, for example ``{"SI": 0.45}``.
    basal_glucose, basal_insulin : (float, float)
        Median (mmol/L, pmol/L) and between-subject standard deviation of the logarithm.
    weight, height : (float, float)
        Mean and standard deviation, kg and m.
    """

    name: str
    factors: Mapping[str, float] = field(default_factory=dict)
    basal_glucose: tuple[float, float] = (5.0, 0.06)
    basal_insulin: tuple[float, float] = (40.0, 0.30)
    weight: tuple[float, float] = (72.0, 10.0)
    height: tuple[float, float] = (1.72, 0.08)


HEALTHY = Population("healthy")
NAFLD = Population(
    "NAFLD",
    factors={"SI": 0.45},
    basal_glucose=(5.5, 0.07),
    basal_insulin=(85.0, 0.35),
    weight=(93.0, 14.0),
)
"""Insulin sensitivity about half that of healthy people, as glucose disposal in clamps (Marchesini
2001, Diabetes 50:1844)."""


@dataclass(frozen=True, eq=False)
class Simulated:
    """A synthetic study and what it was made from.

    Attributes
    ----------
    study : Study
        As if it had been measured.
    truth : DataFrame
        One row per subject: subject, group, and one column per parameter.
    """

    study: Study
    truth: pd.DataFrame


def simulate_study(
    system: System,
    populations: Sequence[Population] = (HEALTHY,),
    *,
    subjects: int = 20,
    protocol: str = "ogtt75",
    seed: int = 1,
) -> Simulated:
    """Simulate a study of virtual people.

    Parameters
    ----------
    system : System
        The truth: its equations, spreads and noise.
    populations : sequence of Population
        The groups; people are divided evenly among them.
    subjects : int
        How many people in all.
    protocol : str
        A name in ``TESTS``.
    seed : int
        The same seed gives the same study.

    Raises
    ------
    ValueError
        If there is no such protocol or no subject, or the system does not take the protocol's dose.
    """
    _require_protocol(system, protocol)
    if subjects < len(populations):
        raise ValueError(f"subjects must be at least {len(populations)}, but is {subjects}")
    rng = np.random.default_rng(seed)
    members = [populations[i % len(populations)] for i in range(subjects)]
    members.sort(key=list(populations).index)
    values = _draw_parameters(system, protocol, members, rng)
    people = tuple(
        _person(f"S{i + 1:03d}", population, values["SI"][i] / _median(system, "SI"), protocol, rng)
        for i, population in enumerate(members)
    )
    title = f"Synthetic study of {subjects} people ({protocol}, system {system.name}, seed {seed})"
    study = Study(
        name=f"synthetic_{system.name}",
        subjects=people,
        title=title,
        citation="Synthetic; not measured in anyone",
        license="CC0-1.0",
        protocol=protocol,
    )
    recipe = prepare(study, system, design=None)
    measured = _with_measurements(recipe, values, rng)
    return Simulated(measured, _truth(measured, recipe.system, values))


def _require_protocol(system: System, protocol: str) -> None:
    """Refuse a protocol that does not exist or whose dose the system does not take."""
    taken = {(channel.what, channel.route) for channel in system.doses}
    taken |= {dose for given in system.inputs for dose in given.takes}
    suited = [name for name, test in TESTS.items() if ("glucose", test.route) in taken]
    if protocol not in suited:
        raise ValueError(
            f"protocol must be one of {', '.join(suited)} for system {system.name}, "
            f"but is {protocol!r}"
        )


def _median(system: System, name: str) -> float:
    prior = system.parameter(name).prior
    return prior.value if isinstance(prior, Fixed) else float(prior.distribution().median())


def _draw_parameters(
    system: System, protocol: str, members: Sequence[Population], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    last = TESTS[protocol].times[-1]
    blank = Samples(np.array([0.0, last]), np.array([5.0, 5.0]), np.array(["none", "none"]))
    adapted = system.for_study(Study("", (Subject("", {"glucose": blank}),)))
    return {p.name: _draw(p, members, rng) for p in adapted.unknowns}


def _draw(
    parameter: Parameter, members: Sequence[Population], rng: np.random.Generator
) -> np.ndarray:
    """Draw one parameter for everyone, around its median; a vector from its prior."""
    prior, n = parameter.prior, len(members)
    if isinstance(prior, Fixed):
        raise TypeError(f"{parameter.name} is fixed and not drawn")
    if size_of(prior):
        return np.asarray(prior.distribution().rvs(size=n, random_state=rng))
    factor = np.array([m.factors.get(parameter.name, 1.0) for m in members])
    median = prior.distribution().median()
    return median * factor * np.exp(parameter.spread * rng.standard_normal(n))


def _person(
    name: str, population: Population, relative: float, protocol: str, rng: np.random.Generator
) -> Subject:
    """Return a person whose glucose is still basal at all times.

    ``relative`` is the person's insulin sensitivity over the prior median.
    """
    test = TESTS[protocol]
    glucose, insulin = (
        median * np.exp(sd * rng.standard_normal())
        for median, sd in (population.basal_glucose, population.basal_insulin)
    )
    weight, height = (
        max(mean - 2 * sd, rng.normal(mean, sd))
        for mean, sd in (population.weight, population.height)
    )
    time = np.array(test.times, dtype=float)
    response = _insulin(test, insulin, relative, rng)
    plain = np.full(len(time), "none")
    grams = test.grams * 1000 / MOLAR_MASS["glucose"]
    return Subject(
        name=name,
        group=population.name,
        weight=round(weight, 1),
        covariates={"bmi": round(weight / height**2, 1)},
        samples={
            "glucose": Samples(time, np.full(len(time), glucose), plain),
            "insulin": Samples(time, response, plain),
        },
        doses=(Dose(0.0, "glucose", grams, test.route, 0.0, test.per_kg),),  # type: ignore[arg-type]
    )


def _insulin(
    test: StandardTest, basal: float, relative: float, rng: np.random.Generator
) -> np.ndarray:
    """Return a smooth insulin response at the sampling times, pmol/L."""
    time = np.array(test.times, dtype=float)
    size = relative**-FEEDBACK * np.exp(0.25 * rng.standard_normal())
    response = np.full_like(time, basal)
    for peak, height in test.phases:
        peak = peak * np.exp(0.1 * rng.standard_normal())
        response += size * height * (time / peak) ** 2 * np.exp(2 * (1 - time / peak))
    return response


def _with_measurements(
    recipe: Recipe, values: Mapping[str, np.ndarray], rng: np.random.Generator
) -> Study:
    """Return the study with each output simulated and measured with its noise."""
    draws = {name: value[None] for name, value in values.items()}
    separate = _separate(recipe)
    means = predict(separate, draws, tolerance=TOLERANCE)
    people = list(recipe.study.subjects)
    for observations in recipe.observations:
        output = observations.output
        mean = means[output.name][0]
        cv = (
            output.cv.distribution().median()
            if not isinstance(output.cv, Fixed)
            else output.cv.value
        )
        noise = noise_of(output).scipy(mean, {output.error: cv}, output.name)
        measured = noise.rvs(random_state=rng)
        for i, person in enumerate(people):
            mine = observations.subject == i
            people[i] = _measured(person, output, measured[mine])
    return replace(recipe.study, subjects=tuple(people))


def _separate(recipe: Recipe) -> Recipe:
    levels: dict[str, Level] = {p.name: "separate" for p in recipe.system.unknowns}
    return replace(recipe, design=replace(recipe.design, levels=levels))


def _measured(person: Subject, output: Output, values: np.ndarray) -> Subject:
    changed = {}
    columns = values.reshape(len(values), -1).T
    for analyte, column in zip(output.analytes, columns, strict=True):
        samples = person.samples[analyte]
        everything = samples.value.copy()
        everything[output.uses(samples.time - zero_time(person))] = column
        changed[analyte] = Samples(samples.time, everything, samples.censoring)
    return replace(person, samples={**person.samples, **changed})


def _truth(study: Study, system: System, values: Mapping[str, np.ndarray]) -> pd.DataFrame:
    columns: dict[str, object] = {
        "subject": [s.name for s in study.subjects],
        "group": [s.group for s in study.subjects],
    }
    for parameter in system.unknowns:
        value = values[parameter.name]
        if value.ndim == 1:
            columns[parameter.name] = value
        else:
            columns |= {f"{parameter.name}[{j}]": column for j, column in enumerate(value.T)}
    return pd.DataFrame(columns)
