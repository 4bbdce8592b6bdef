"""Cohort: virtual people who go through several tests, with parameters that go together.

What is drawn once per person is the same in every test: body, basal values, and the deviations of
correlated parameters from the median of the person's group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from hepaflux.model.population import HEALTHY, Population
from hepaflux.model.simulate import (
    People,
    Simulated,
    adapted_to,
    body_of,
    in_groups,
    simulate_people,
    suited,
)
from hepaflux.systems.renaming import distinct
from hepaflux.systems.system import System


@dataclass(frozen=True, eq=False)
class Cohort:
    """People after several tests.

    Attributes
    ----------
    parts : mapping of str to Simulated
        The study of each test, by its name.
    truth : DataFrame
        One row per person, with the parameters of all tests under the names that a joint model
        gives them.
    """

    parts: Mapping[str, Simulated]
    truth: pd.DataFrame


def simulate_cohort(
    parts: Mapping[str, tuple[System, str]],
    populations: Sequence[Population] = (HEALTHY,),
    *,
    subjects: int = 20,
    correlated: Mapping[tuple[str, str], float] = MappingProxyType({}),
    seed: int = 1,
) -> Cohort:
    """Simulate several tests of the same virtual people.

    Parameters
    ----------
    parts : mapping of str to (System, str)
        The system of each test and the name of its protocol, as for ``simulate_study``.
    populations, subjects, seed
        As for ``simulate_study``.
    correlated : mapping of (str, str) to float
        Correlation, within groups, of the deviations of two parameters, on the scale on which
        people vary; under the names of ``build_joint_model``.

    Raises
    ------
    ValueError
        As ``simulate_study``; or if a correlation is not of two parameters that people vary in.
    """
    tests = {part: suited(system, protocol) for part, (system, protocol) in parts.items()}
    systems = {part: adapted_to(system, tests[part]) for part, (system, _) in parts.items()}
    names = distinct(systems)
    members = in_groups(populations, subjects)
    rng = np.random.default_rng(seed)
    deviations = _deviations(systems, names, correlated, rng, subjects)
    bodies = [body_of(member, rng) for member in members]
    made, truth = {}, pd.DataFrame()
    for part, (system, protocol) in parts.items():
        title = (
            f"Synthetic study of {subjects} people ({protocol}, system {system.name}, one of"
            f" {len(parts)} tests, seed {seed})"
        )
        made[part] = simulate_people(
            system,
            tests[part],
            People(members, bodies, deviations[part]),
            rng,
            protocol=protocol,
            title=title,
        )
        truth = _beside(truth, made[part].truth, names[part])
    return Cohort(MappingProxyType(made), truth)


def _deviations(
    systems: Mapping[str, System],
    names: Mapping[str, Mapping[str, str]],
    correlated: Mapping[tuple[str, str], float],
    rng: np.random.Generator,
    n: int,
) -> dict[str, dict[str, np.ndarray]]:
    """Return the deviations of correlated parameters, by part and by the name they have in it."""
    places = {
        names[part].get(p.name, p.name): (part, p.name)
        for part, system in systems.items()
        for p in system.unknowns
        if p.spread > 0
    }
    found: dict[str, dict[str, np.ndarray]] = {part: {} for part in systems}
    for pair, correlation in correlated.items():
        unknown = [name for name in pair if name not in places]
        if unknown or not -1 < correlation < 1:
            raise ValueError(
                f"no correlation {correlation:g} of {' and '.join(pair)}: it must be between -1"
                f" and 1, of two of {', '.join(sorted(places))}"
            )
        first, other = rng.standard_normal((2, n))
        second = correlation * first + np.sqrt(1 - correlation**2) * other
        for name, deviation in zip(pair, (first, second), strict=True):
            part, own = places[name]
            found[part][own] = deviation
    return found


def _beside(truth: pd.DataFrame, more: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return the truth of one more test beside that of others, under joint names."""

    def joint(column: str) -> str:
        name, bracket, rest = column.partition("[")
        return names.get(name, name) + bracket + rest

    renamed = more.rename(columns=joint)
    return renamed if truth.empty else truth.merge(renamed, on=["subject", "group"])
