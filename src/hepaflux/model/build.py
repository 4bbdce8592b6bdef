"""Build: a study and a system become an ordinary PyMC model.

The only file that makes a graph of a system. Everything that differs between subjects enters as
``pm.Data``, so that one compiled model serves any subject of the same shape of protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from hepaflux.model.design import Design
from hepaflux.model.noise import Noise
from hepaflux.model.observations import Observations
from hepaflux.model.priors import People, build_parameters, random_variable
from hepaflux.model.recipe import (
    PROTOCOL_DATA,
    Recipe,
    coordinates,
    data_values,
    is_censored,
    named_inputs,
    noise_constants,
    noise_unknowns,
    prepare,
    records,
    scalar_inputs,
)
from hepaflux.solver.op import Solve
from hepaflux.solver.program import widths
from hepaflux.study.study import Study
from hepaflux.systems.system import System, fields_type

TOLERANCE = (1e-6, 1e-6)
"""Relative and absolute tolerance of the solver in fits."""


def build_model(
    study: Study,
    system: System,
    *,
    design: Design | None = None,
    noise: Mapping[str, Noise] | None = None,
    integrator: str | None = None,
) -> pm.Model:
    """Build the PyMC model of a study under a system. Samples and compiles nothing.

    Parameters
    ----------
    study : Study
        One subject or many.
    system : System
        With any options and priors changed.
    design : Design, optional
        How parameters vary between subjects; see ``hepaflux.model.design.complete`` for defaults.
    noise : mapping of str to Noise, optional
        Noise model by output; the others have ``noise_of(output)``.
    integrator : str, optional
        ``explicit`` or ``implicit``; else the one that the system declares.

    Returns
    -------
    pm.Model
        With one variable per parameter under the parameter's name, derived quantities, and one
        observed variable per output.

    Raises
    ------
    StudyError
        If a subject lacks what the system needs.
    DesignError
        If the design does not fit.
    """
    chosen = system.with_integrator(integrator)
    return graph(prepare(study, chosen, design=design, noise=noise))


def graph(recipe: Recipe) -> pm.Model:
    """Return the PyMC model of a recipe; see ``build_model``."""
    with pm.Model(coords=coordinates(recipe)) as model:
        people = people_of(recipe.study, recipe.design)
        values = build_parameters(recipe.system.unknowns, recipe.design, people)
        add_likelihood(recipe, values)
    model.recipe = recipe
    return model


def people_of(study: Study, design: Design) -> People:
    """Return who varies, with the covariates that a design uses standardized."""
    groups = [study.groups.index(s.group) for s in study.subjects if s.group]
    names = sorted({c for used in design.covariates.values() for c in used})
    standardized = {}
    for name in names:
        column = np.array([s.covariates[name] for s in study.subjects])
        standardized[name] = (column - column.mean()) / column.std()
    return People(len(study.subjects), np.array(groups, dtype=int), standardized)


@dataclass(frozen=True, eq=False)
class Place:
    """Where the subjects of a recipe stand among everybody in the model.

    Attributes
    ----------
    index : array of int (subject,)
        Place of each.
    everybody : int
        How many there are in all.
    """

    index: np.ndarray
    everybody: int


def add_likelihood(
    recipe: Recipe, values: Mapping[str, Any], *, prefix: str = "", place: Place | None = None
) -> None:
    """Add what was measured, and what is derived, to the current PyMC model.

    Parameters
    ----------
    recipe : Recipe
        Of these measurements.
    values : mapping of str to tensor
        The unknowns: scalar if shared, else one row per subject of the recipe.
    prefix : str
        Put before the names of data that every recipe has.
    place : Place, optional
        If the model has more subjects than the recipe.
    """
    n = len(recipe.study.subjects)
    data = _data(recipe, prefix)
    noise_values = _noise_parameters(recipe)
    states = _solve(recipe, values, data)
    _derived(recipe, values, states, data, place or Place(np.arange(n), n))
    for observations in recipe.observations:
        mean = _mean(recipe, observations, states, values, data)
        _observe(recipe, observations, mean, noise_values)


def _data(recipe: Recipe, prefix: str) -> dict[str, Any]:
    values = data_values(recipe)
    if recipe.program is not None:
        values["tolerance"] = np.array(TOLERANCE)
    common = {"subject_inputs", "tolerance", *PROTOCOL_DATA}
    return {
        name: pm.Data(f"{prefix}{name}" if name in common else name, value)
        for name, value in values.items()
    }


def _noise_parameters(recipe: Recipe) -> dict[str, Any]:
    unknown = {p.name: random_variable(p.name, p.prior, ()) for p in noise_unknowns(recipe)}
    return noise_constants(recipe) | unknown


def _solve(recipe: Recipe, values: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    """Return the states at all saved times, shape (saved, state); None without states."""
    if recipe.program is None:
        return None
    inputs = (data[name] for name in PROTOCOL_DATA)
    states, _ = Solve(recipe.program)(*_theta(recipe, values), *inputs, data["tolerance"])
    return states


def _theta(recipe: Recipe, values: Mapping[str, Any]) -> list[Any]:
    by_column: dict[str, Any] = {}
    for parameter in recipe.system.unknowns:
        value, width = values[parameter.name], widths(recipe.system)[parameter.name]
        if width:
            by_column |= {f"{parameter.name}[{j}]": value[..., j] for j in range(width)}
        else:
            by_column[parameter.name] = value
    return [by_column[name] for name in recipe.dynamics[0].layout.theta]


def _elements(recipe: Recipe, values: Mapping[str, Any], subject: Any) -> dict[str, Any]:
    """Return the parameters of the given subjects; a vector-valued one as a tuple of elements."""
    elements = {}
    for parameter in recipe.system.unknowns:
        value, width = values[parameter.name], widths(recipe.system)[parameter.name]
        by_subject = value.ndim > (1 if width else 0)
        mine = value[subject] if by_subject else value
        elements[parameter.name] = tuple(mine[..., j] for j in range(width)) if width else mine
    return elements


def _fields(recipe: Recipe, states: Any, at: Any) -> Any:
    """Return ``y`` at the given saved times."""
    names = [state.name for state in recipe.system.states]
    return fields_type("Y", names)(*(states[at, i] for i in range(len(names))))


def _derived(
    recipe: Recipe, values: Mapping[str, Any], states: Any, data: Mapping[str, Any], place: Place
) -> None:
    single = place.everybody == 1
    subject = 0 if single else np.arange(len(recipe.study.subjects))
    matrix = data["subject_inputs"]
    inputs = {name: matrix[subject, i] for i, name in enumerate(scalar_inputs(recipe))}
    p, u = records(recipe, _elements(recipe, values, subject), inputs)
    for derived in recipe.system.derived:
        ends: tuple[Any, ...] = ()
        if derived.at_end:
            ends = (_fields(recipe, states, data["protocol_rows"][subject, 3] - 1),)
        value = derived.value(p, u, *ends)
        value = value if single else _among(_for_each(value, subject), place)
        pm.Deterministic(derived.name, value, dims=() if single else "subject")


def _among(value: Any, place: Place) -> Any:
    """Return the values of everybody; NaN for those whom the recipe does not know."""
    if np.array_equal(place.index, np.arange(place.everybody)):
        return value
    return pt.full(place.everybody, np.nan)[place.index].set(value)


def _mean(
    recipe: Recipe,
    observations: Observations,
    states: Any,
    values: Mapping[str, Any],
    data: Mapping[str, Any],
) -> Any:
    """Return the noise-free value of an output at its observations, parts in the last axis."""
    output = observations.output
    index, curves = data[f"{output.name}_saved"], data[f"{output.name}_curves"]
    saved, subject = index[:, 0], index[:, 1]
    constants = data["subject_inputs"][subject]
    elements = _elements(recipe, values, subject)
    p, u = records(recipe, elements, named_inputs(recipe, constants, curves))
    value = output.value(_fields(recipe, states, saved), p, u)
    if not output.is_composition:
        return _for_each(value, subject)
    return pt.stack([_for_each(part, subject) for part in value], axis=1)


def _for_each(value: Any, subject: Any) -> Any:
    """Return a value for each entry of ``subject``, also if it is the same for all."""
    return value + pt.zeros_like(subject, dtype="float64") if np.ndim(value) == 0 else value


def _observe(
    recipe: Recipe, observations: Observations, mean: Any, values: Mapping[str, Any]
) -> None:
    output = observations.output
    name, axis = output.name, (output.axis,) if output.is_composition else ()
    model = pm.modelcontext(None)
    distribution = recipe.noise[name].graph(mean, values, name)
    if is_censored(recipe, output):
        limits = (model[f"{name}_lower"], model[f"{name}_upper"])
        distribution = pm.Censored.dist(distribution, *limits)
    model.register_rv(
        distribution,
        name,
        observed=model[f"{name}_measured"],
        dims=(f"{name}_observation", *axis),
    )
