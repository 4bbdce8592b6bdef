"""Joint: several tests of the same people in one model, so that their parameters can go together.

One person may bring a drink, a clamp and a measurement of lipogenesis. Each *part* is a study with
its system; people are recognized by name. What differs between people is drawn once for everybody,
so that sensitivity from one test can be correlated with the newly made fat of another, and a
parameter that two tests have in common can be one. A person who lacks a test is described by the
others and by the population.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pymc as pm

from hepaflux.model.build import Place, add_likelihood, people_of
from hepaflux.model.design import Design, DesignError, Level, complete
from hepaflux.model.noise import Noise
from hepaflux.model.priors import build_parameters
from hepaflux.model.recipe import Recipe, adapt, axis_labels, coordinates, prepare
from hepaflux.parameter import Parameter
from hepaflux.study.study import Study, StudyError, Subject
from hepaflux.systems.renaming import distinct, renamed
from hepaflux.systems.system import System


@dataclass(frozen=True, eq=False)
class JointRecipe:
    """What a joint model was built from; ``fit`` reads it from the model.

    Attributes
    ----------
    study : Study
        Everybody, with group and covariates and without samples.
    design : Design
        With levels completed, for the unknowns of all parts.
    parts : mapping of str to Recipe
        Under names that differ between parts; each knows the people who took its test.
    places : mapping of str to Place
        Where the people of a part stand among everybody.
    """

    study: Study
    design: Design
    parts: Mapping[str, Recipe]
    places: Mapping[str, Place]

    @property
    def unknowns(self) -> tuple[Parameter, ...]:
        """Return the unknowns of all parts, those in common once."""
        everything = {p.name: p for part in self.parts.values() for p in part.system.unknowns}
        return tuple(everything.values())


def build_joint_model(
    parts: Mapping[str, tuple[Study, System]],
    *,
    shared: Collection[str] = (),
    design: Design | None = None,
    noise: Mapping[str, Mapping[str, Noise]] | None = None,
) -> pm.Model:
    """Build one PyMC model of several tests of the same people. Samples and compiles nothing.

    Parameters
    ----------
    parts : mapping of str to (Study, System)
        By a name for the test, such as ``"meal"``. People are recognized by name.
    shared : collection of str
        Parameters that are the same quantity in every part that has them. A name that several
        parts use for something else gets the part's name before it: ``clamp_V``, ``meal_V``.
    design : Design, optional
        Over all parts, under the joint names: for example
        ``Design(by_group=True, correlated=(("SI_L", "f"),))``.
    noise : mapping of str to mapping of str to Noise, optional
        By part, then by output under its old name.

    Returns
    -------
    pm.Model
        As from ``build_model``; ``fit`` takes it.

    Raises
    ------
    DesignError
        If the design does not fit, or a shared parameter differs between parts.
    StudyError
        If a person is in different groups, or lacks what a system needs.
    """
    recipe = prepare_joint(parts, shared=shared, design=design, noise=noise or {})
    with pm.Model(coords=_coordinates(recipe)) as model:
        people = people_of(recipe.study, recipe.design)
        values = build_parameters(recipe.unknowns, recipe.design, people)
        for name, part in recipe.parts.items():
            place = recipe.places[name]
            own = {p.name: _own(values[p.name], p, recipe, place) for p in part.system.unknowns}
            add_likelihood(part, own, prefix=f"{name}_", place=place)
    model.recipe = recipe
    return model


def prepare_joint(
    parts: Mapping[str, tuple[Study, System]],
    *,
    shared: Collection[str],
    design: Design | None,
    noise: Mapping[str, Mapping[str, Noise]],
) -> JointRecipe:
    """Complete the nouns of a joint model; see ``build_joint_model``."""
    if len(parts) < 2:
        raise DesignError("a joint model needs two parts or more; use build_model for one")
    adapted = {name: adapt(system, study) for name, (study, system) in parts.items()}
    check_shared(adapted, shared)
    names = distinct(adapted, shared)
    systems = {part: renamed(s, names[part], prefix=f"{part}_") for part, s in adapted.items()}
    everybody = _everybody({name: study for name, (study, _) in parts.items()})
    order = [subject.name for subject in everybody.subjects]
    unknowns = {p.name: p for system in systems.values() for p in system.unknowns}
    completed = complete(design or Design(), tuple(unknowns.values()), everybody)
    recipes, places = {}, {}
    for part, (study, _) in parts.items():
        index = [order.index(subject.name) for subject in study.subjects]
        places[part] = Place(np.array(index), len(order))
        noises = {names[part].get(k, k): v for k, v in noise.get(part, {}).items()}
        recipe = prepare(study, systems[part], noise=noises, adapted=True)
        recipes[part] = replace(recipe, design=_own_design(completed, systems[part]))
    return JointRecipe(everybody, completed, MappingProxyType(recipes), MappingProxyType(places))


def check_shared(systems: Mapping[str, System], shared: Collection[str]) -> None:
    """Refuse a shared parameter that is not the same wherever it is found."""
    for name in shared:
        having = {part: s for part, s in systems.items() if name in {p.name for p in s.parameters}}
        if len(having) < 2:
            raise DesignError(f"{name} cannot be shared: fewer than two parts have it")
        told = {part: s.parameter(name) for part, s in having.items()}
        kinds = {(p.unit, p.prior, p.spread, _labels(having[n], p)) for n, p in told.items()}
        if len(kinds) > 1:
            differing = "; ".join(f"{part}: {p.prior} {p.unit}" for part, p in told.items())
            raise DesignError(
                f"{name} cannot be shared: its priors, knots or spreads differ ({differing}); give"
                " it the same in each part, a prior by with_priors"
            )


def _labels(system: System, parameter: Parameter) -> tuple[Any, ...]:
    """Return what the elements of a vector stand for."""
    return axis_labels(system, parameter.axis) if parameter.axis else ()


def _everybody(studies: Mapping[str, Study]) -> Study:
    """Return everybody in any of the studies, without samples."""
    people: dict[str, Subject] = {}
    for part, study in studies.items():
        for subject in study.subjects:
            known = people.get(subject.name, subject)
            _check_same(known, subject, part)
            covariates = {**known.covariates, **subject.covariates}
            people[subject.name] = replace(subject, samples={}, doses=(), covariates=covariates)
    first = next(iter(studies.values()))

    def both(field: str) -> str:
        values = dict.fromkeys(getattr(study, field) for study in studies.values())
        return " + ".join(value for value in values if value)

    words = ("name", "title", "citation", "checksum", "origin")
    told: dict[str, Any] = {word: both(word) for word in words}
    return replace(first, subjects=tuple(people.values()), **told)


def _check_same(known: Subject, subject: Subject, part: str) -> None:
    """Refuse a person of whom two parts say different things."""
    told: list[tuple[str, Any, Any]] = [("group", known.group, subject.group)]
    told += [
        (name, value, subject.covariates[name])
        for name, value in known.covariates.items()
        if name in subject.covariates
    ]
    problems = [
        f"subject {subject.name}: {what} is {before!r} in one part and {now!r} in {part}; a person"
        f" has one {what}."
        for what, before, now in told
        if before != now
    ]
    if problems:
        raise StudyError(problems)


def _own_design(design: Design, system: System) -> Design:
    """Return the levels of a part, whose values come for each of its people, or one for all."""
    levels: dict[str, Level] = {
        p.name: "shared" if design.levels[p.name] == "shared" else "separate"
        for p in system.unknowns
    }
    return Design(levels)


def _own(value: Any, parameter: Parameter, recipe: JointRecipe, place: Place) -> Any:
    """Return the values of the people of a part."""
    if recipe.design.levels[parameter.name] == "shared":
        return value
    return value[place.index]


def _coordinates(recipe: JointRecipe) -> dict[str, Any]:
    """Return the coordinates of all parts, with everybody's names and groups."""
    coords: dict[str, Any] = {}
    for part in recipe.parts.values():
        coords |= coordinates(part)
    coords["subject"] = [subject.name for subject in recipe.study.subjects]
    if recipe.study.groups:
        coords["group"] = list(recipe.study.groups)
    for name, covariates in recipe.design.covariates.items():
        coords[f"{name}_covariate"] = list(covariates)
    return coords
