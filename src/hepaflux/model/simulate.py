"""Simulate: virtual people go through a standard test and become a study with its known truth.

Parameters are drawn around group medians with the between-subject spread that the system declares,
some of them together or shifted by covariates; absorption from its prior. Insulin that is an input
of the system is made up: a smooth response whose size falls as insulin sensitivity rises, as in
people. The samples of that response drive the simulated glucose exactly as measured insulin drives
a fit, and the basal sample carries no error, because fits take both as known; all other samples
carry the output's noise, and an enrichment below the limit of detection is reported as such,
left-censored. In a clamp glucose is infused as the person's own clearance and production ask for,
in steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from hepaflux.model.body import Body, body_of, covariates, kinetic_covariates, whole_body
from hepaflux.model.clamping import TOLERANCE, clamped
from hepaflux.model.noise import noise_of
from hepaflux.model.population import HEALTHY, Population, draw_parameter
from hepaflux.model.predict import predict
from hepaflux.model.protocols import (
    PLACEHOLDER,
    TESTS,
    StandardTest,
    excursion,
    given_insulin,
    phase,
)
from hepaflux.model.recipe import Recipe, prepare, separate
from hepaflux.model.relations import check_effects, depending, draw_deviations
from hepaflux.parameter import center
from hepaflux.study.samples import is_enrichment
from hepaflux.study.study import Samples, Study, StudyError, Subject, zero_time
from hepaflux.systems.system import Output, System
from hepaflux.units import RELATIVE

FEEDBACK = 0.6
"""Exponent with which the insulin response falls as insulin sensitivity rises."""

SENSITIVITIES = ("SI", "SI_D", "S2_I")
"""Names of the insulin sensitivity that the response follows, of the first that a system has."""

DETECTION = 3.0
"""Limit below which something is reported as not detected, in SDs of a blank's error."""


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

    def values(self, name: str) -> np.ndarray:
        """Return the true values of a parameter, shape (subject,) or (subject, part)."""
        if name in self.truth:
            return self.truth[name].to_numpy()
        parts = [column for column in self.truth if column.startswith(f"{name}[")]
        return self.truth[parts].to_numpy()


def simulate_study(
    system: System,
    populations: Sequence[Population] = (HEALTHY,),
    *,
    subjects: int = 20,
    protocol: str | StandardTest = "ogtt75",
    seed: int = 1,
) -> Simulated:
    """Simulate a study of virtual people.

    Parameters
    ----------
    system : System
        The truth: its equations, spreads and noise.
    populations : sequence of Population
        The groups, with what goes together in them; people are divided evenly among them.
    subjects : int
        How many people in all.
    protocol : str or StandardTest
        A name in ``TESTS``, or a test of one's own.
    seed : int
        The same seed gives the same study.

    Raises
    ------
    ValueError
        If there is no such protocol or no subject, the system does not take the protocol's dose, or
        what goes together cannot.
    """
    test = suited(system, protocol)
    members = in_groups(populations, subjects)
    unknowns = adapted_to(system, test).unknowns
    check_effects(populations, unknowns)
    name = protocol if isinstance(protocol, str) else "own doses"
    title = f"Synthetic study of {subjects} people ({name}, system {system.name}, seed {seed})"
    rng = np.random.default_rng(seed)
    varying = [p.name for p in unknowns if p.spread > 0]
    deviations = draw_deviations(members, varying, rng)
    # Bodies are drawn before the test where something depends on them.
    depends = any(population.effects for population in populations)
    bodies = [whole_body(member, rng) for member in members] if depends else ()
    people = Participants(members, bodies, deviations)
    return simulate_people(system, test, people, rng, protocol=name, title=title)


def in_groups(populations: Sequence[Population], subjects: int) -> list[Population]:
    """Return the group of each of so many people, divided evenly, one group behind the other."""
    if subjects < len(populations):
        raise ValueError(f"subjects must be at least {len(populations)}, but is {subjects}")
    members = [populations[i % len(populations)] for i in range(subjects)]
    return sorted(members, key=list(populations).index)


@dataclass(frozen=True, eq=False)
class Participants:
    """Virtual people before a test.

    Attributes
    ----------
    groups : sequence of Population
        The group of each.
    bodies : sequence of Body, optional
        The body of each, if it was drawn before.
    deviations : mapping of str to array (person,)
        Standard normal deviations of parameters that were drawn before.
    """

    groups: Sequence[Population]
    bodies: Sequence[Body] = ()
    deviations: Mapping[str, np.ndarray] = field(default_factory=dict)


def simulate_people(
    system: System,
    test: StandardTest,
    people: Participants,
    rng: np.random.Generator,
    *,
    protocol: str,
    title: str,
) -> Simulated:
    """Simulate a test of given people.

    Parameters
    ----------
    people : Participants
        Their groups, and what is known of them before.
    protocol, title : str
        Of the study.
    """
    values = _draw_parameters(system, test, people, rng)
    unknowns = adapted_to(system, test).unknowns
    if people.bodies:
        known = [covariates(body) for body in people.bodies]
        values = depending(values, unknowns, people.groups, known)
    relative = _relative_sensitivity(system, values)
    subjects = []
    for i, group in enumerate(people.groups):
        body = people.bodies[i] if people.bodies else body_of(group, rng)
        subjects.append(_person(f"S{i + 1:03d}", group, body, relative[i], test, rng))
    study = Study(
        name=f"synthetic_{system.name}",
        subjects=tuple(subjects),
        citation="Synthetic; not measured in anyone",
        license="CC0-1.0",
        protocol=protocol,
        title=title,
    )
    recipe = prepare(study, system, design=None)
    if test.is_clamp:
        recipe = prepare(clamped(recipe, values, test), system, design=None)
    measured = with_measurements(recipe, values, rng)
    return Simulated(measured, _truth(measured, recipe.system, values))


def suited(system: System, protocol: str | StandardTest) -> StandardTest:
    """Return a test; refuse one that does not exist or that the system cannot describe."""
    if isinstance(protocol, StandardTest):
        if not _suits(system, protocol):
            given = ", ".join(f"{dose.route} {dose.what}" for dose in protocol.doses) or "nothing"
            raise ValueError(
                f"system {system.name} cannot describe a test in which is given: {given}"
            )
        return protocol
    suited = [name for name, test in TESTS.items() if _suits(system, test)]
    if protocol not in suited:
        raise ValueError(
            f"protocol must be one of {', '.join(suited)} for system {system.name}, "
            f"but is {protocol!r}"
        )
    return TESTS[protocol]


def _suits(system: System, test: StandardTest) -> bool:
    """Return whether a system takes all doses of a test, and measures what is sampled in it."""
    try:
        adapted = adapted_to(system, test)
    except StudyError:
        return False
    taken = {(channel.what, channel.route) for channel in adapted.doses}
    taken |= {dose for given in adapted.inputs for dose in given.takes}
    given = {(dose.what, dose.route) for dose in test.doses if dose.what != "insulin"}
    needed = {a for output in adapted.outputs if output.required for a in output.analytes}
    measured = {a for output in adapted.outputs for a in output.analytes}
    sampled = test.sampled.keys() - test.known.keys()
    return given <= taken and needed <= test.analytes.keys() and sampled <= measured


def adapted_to(system: System, test: StandardTest) -> System:
    """Return the system with the settings that a test determines."""
    samples = {}
    for analyte, times in test.analytes.items():
        ends = np.array([times[0], times[-1]])
        samples[analyte] = Samples(ends, np.full(2, _placeholder(analyte)), np.full(2, "none"))
    return system.for_study(Study("", (Subject("", samples, test.doses, weight=70.0),)))


def _placeholder(analyte: str) -> float:
    return PLACEHOLDER.get(analyte, 0.01)


def _relative_sensitivity(system: System, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return everyone's insulin sensitivity over its prior median; one if there is none."""
    for name in SENSITIVITIES:
        if name in values:
            return values[name] / center(system.parameter(name).prior)
    return np.ones(len(next(iter(values.values()))))


def _draw_parameters(
    system: System,
    test: StandardTest,
    people: Participants,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    adapted = adapted_to(system, test)
    return {
        p.name: draw_parameter(p, people.groups, rng, deviation=people.deviations.get(p.name))
        for p in adapted.unknowns
    }


def _person(
    name: str,
    population: Population,
    body: Body,
    relative: float,
    test: StandardTest,
    rng: np.random.Generator,
) -> Subject:
    """Return a person whose measurements are still to be simulated.

    ``relative`` is the person's insulin sensitivity over the prior median.
    """
    time = np.array(test.times, dtype=float)
    known = {
        "glucose": excursion(test, body.glucose, time),
        "insulin": _insulin(test, body, relative, rng),
        **{analyte: np.array(values) for analyte, values in test.known.items()},
    }
    if "c_peptide" in test.analytes and not body.kinetic:
        body = body._replace(kinetic=kinetic_covariates(population, body.height, rng))
    wanted = {"bmi", *(name for slopes in population.effects.values() for name in slopes)}
    if "c_peptide" in test.analytes:
        wanted |= set(body.kinetic)
    known_of = {name: value for name, value in covariates(body).items() if name in wanted}
    return Subject(
        name=name,
        group=population.name,
        weight=round(body.weight, 1),
        covariates=known_of,
        samples={
            analyte: Samples(
                np.array(times, dtype=float),
                known.get(analyte, np.full(len(times), _placeholder(analyte))),
                np.full(len(times), "none"),
            )
            for analyte, times in test.analytes.items()
        },
        doses=test.doses,
    )


def _insulin(
    test: StandardTest, body: Body, relative: float, rng: np.random.Generator
) -> np.ndarray:
    """Return a smooth insulin response at the sampling times, pmol/L."""
    time = np.array(test.times, dtype=float)
    size = relative**-FEEDBACK * np.exp(0.25 * rng.standard_normal())
    response = np.full_like(time, body.insulin) + given_insulin(test, time, body.weight)
    for peak, height in test.phases:
        peak = peak * np.exp(0.1 * rng.standard_normal())
        response += size * height * phase(time, peak)
    return response


def with_measurements(
    recipe: Recipe, values: Mapping[str, np.ndarray], rng: np.random.Generator
) -> Study:
    """Return the study with each output simulated and measured with its noise."""
    draws = {name: value[None] for name, value in values.items()}
    means = predict(separate(recipe), draws, tolerance=TOLERANCE)
    people = list(recipe.study.subjects)
    for observations in recipe.observations:
        output = observations.output
        mean = means[output.name][0]
        noise = noise_of(output).scipy(mean, {output.error: center(output.cv)}, output.name)
        measured = noise.rvs(random_state=rng)
        for i, person in enumerate(people):
            mine = observations.subject == i
            people[i] = _measured(person, output, measured[mine])
    return replace(recipe.study, subjects=tuple(people))


def _measured(person: Subject, output: Output, values: np.ndarray) -> Subject:
    changed = {}
    columns = values.reshape(len(values), -1).T
    for analyte, column in zip(output.analytes, columns, strict=True):
        samples = person.samples[analyte]
        everything = samples.value.copy()
        everything[output.uses(samples.time - zero_time(person))] = column
        limit = round(DETECTION * output.floor, 9) if _is_limited(analyte) else -np.inf
        censoring = np.where(everything < limit, "left", samples.censoring)
        changed[analyte] = Samples(samples.time, np.maximum(everything, limit), censoring)
    return replace(person, samples={**person.samples, **changed})


def _is_limited(analyte: str) -> bool:
    """Return whether what cannot be detected is reported as such."""
    return is_enrichment(analyte) or analyte in ("insulin", "liver_glycogen", *RELATIVE)


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
