"""Cohort: virtual people who go through several tests, with parameters that go together.

What is drawn once per person is the same in every test: body, basal values, and the deviations of
correlated parameters from the median of the person's group.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from hepaflux.model.body import whole_body
from hepaflux.model.joint import check_shared
from hepaflux.model.population import HEALTHY, Population
from hepaflux.model.relations import check_effects, draw_deviations
from hepaflux.model.simulate import (
    Participants,
    Simulated,
    adapted_to,
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
    shared: Collection[str] = (),
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
    shared : collection of str
        Parameters that are the same quantity in every test, as for ``build_joint_model``.
    correlated : mapping of (str, str) to float
        Correlation, within groups, of the deviations of two parameters, on the scale on which
        people vary; under the names of ``build_joint_model``, as those of a population are here.

    Raises
    ------
    ValueError
        As ``simulate_study``; or if a correlation is not of two parameters that people vary in.
    """
    tests = {part: suited(system, protocol) for part, (system, protocol) in parts.items()}
    systems = {part: adapted_to(system, tests[part]) for part, (system, _) in parts.items()}
    check_shared(systems, shared)
    names = distinct(systems, shared)
    check_effects(populations, [p for system in systems.values() for p in system.unknowns])
    together = [replace(g, correlated={**g.correlated, **correlated}) for g in populations]
    members = in_groups(together, subjects)
    rng = np.random.default_rng(seed)
    deviations = _deviations(systems, names, members, shared, rng)
    bodies = [whole_body(member, rng) for member in members]
    made, truth = {}, pd.DataFrame()
    for part, (system, protocol) in parts.items():
        title = (
            f"Synthetic study of {subjects} people ({protocol}, system {system.name}, one of"
            f" {len(parts)} tests, seed {seed})"
        )
        made[part] = simulate_people(
            system,
            tests[part],
            Participants(members, bodies, deviations[part]),
            rng,
            protocol=protocol,
            title=title,
        )
        truth = _beside(truth, made[part].truth, names[part])
    return Cohort(MappingProxyType(made), truth)


def _deviations(
    systems: Mapping[str, System],
    names: Mapping[str, Mapping[str, str]],
    members: Sequence[Population],
    shared: Collection[str],
    rng: np.random.Generator,
) -> dict[str, dict[str, np.ndarray]]:
    """Return deviations of shared and correlated parameters, by part and name in it."""
    places: dict[str, list[tuple[str, str]]] = {}
    for part, system in systems.items():
        for p in system.unknowns:
            if p.spread > 0:
                places.setdefault(names[part].get(p.name, p.name), []).append((part, p.name))
    lacking = [name for name in shared if name not in places]
    if lacking:
        there = ", ".join(sorted(places))
        raise ValueError(f"people do not vary in {', '.join(lacking)}; they do in {there}")
    found: dict[str, dict[str, np.ndarray]] = {part: {} for part in systems}
    for name, deviation in draw_deviations(members, places, rng, first=shared).items():
        for part, own in places[name]:
            found[part][own] = deviation
    return found


def _beside(truth: pd.DataFrame, more: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return the truth of one more test beside that of others, under joint names."""

    def joint(column: str) -> str:
        name, bracket, rest = column.partition("[")
        return names.get(name, name) + bracket + rest

    renamed = more.rename(columns=joint)
    return renamed if truth.empty else truth.merge(renamed, on=["subject", "group"])
