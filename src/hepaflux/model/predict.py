"""Predict: noise-free curves for many draws, by the same kernel and without a graph."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from hepaflux.model.observations import Observations, at_observations
from hepaflux.model.recipe import (
    Recipe,
    curve_inputs,
    named_inputs,
    observed_curves,
    records,
    subject_inputs,
)
from hepaflux.solver.machine_code import callable_kernel
from hepaflux.solver.program import widths
from hepaflux.solver.protocol import Protocol, build_protocol
from hepaflux.systems.system import fields_type

CHUNK = 20_000
"""Solves per call of the kernel, so that memory stays bounded."""


def in_a_row(values: xr.DataArray) -> np.ndarray:
    """Return draws with chains and draws in one dimension, shape (draw, ...)."""
    array = values.transpose("chain", "draw", ...).to_numpy()
    rows: np.ndarray = array.reshape(-1, *array.shape[2:])
    return rows


def theta_of_draws(recipe: Recipe, draws: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the kernel's parameters for each draw and subject.

    Parameters
    ----------
    recipe : Recipe
        Of the model that the draws come from.
    draws : mapping of str to array (draw, [subject or group], [axis])
        One entry per unknown.

    Returns
    -------
    array (draw, subject, theta)
    """
    by_column: dict[str, np.ndarray] = {}
    for parameter in recipe.system.unknowns:
        value = _per_subject(recipe, parameter.name, np.asarray(draws[parameter.name]))
        width = widths(recipe.system)[parameter.name]
        parts = {f"{parameter.name}[{j}]": value[..., j] for j in range(width)}
        by_column |= parts or {parameter.name: value}
    n_draws = len(next(iter(by_column.values())))
    shape = (n_draws, len(recipe.study.subjects))
    program, _ = recipe.dynamics
    columns = [np.broadcast_to(by_column[c], shape) for c in program.layout.theta]
    return np.stack(columns, axis=-1)


def _per_subject(recipe: Recipe, name: str, value: np.ndarray) -> np.ndarray:
    """Return draws with the subject as second dimension (length one if shared)."""
    level = recipe.design.levels[name]
    if level == "group":
        groups = [recipe.study.groups.index(s.group) for s in recipe.study.subjects]
        return value[:, groups]
    return value[:, None] if level == "shared" else value


def predict(
    recipe: Recipe, draws: Mapping[str, np.ndarray], *, tolerance: tuple[float, float]
) -> dict[str, np.ndarray]:
    """Return each output's noise-free values at its observations.

    Returns
    -------
    dict of str to array (draw, observation) or (draw, observation, part)
        The shares of the parts of a composition. A failed solve is NaN.
    """
    states = None
    if recipe.program is not None:
        theta = theta_of_draws(recipe, draws)
        states = solve_draws(recipe, theta, recipe.dynamics[1], tolerance)
    return {o.output.name: output_values(recipe, o, draws, states) for o in recipe.observations}


def fluxes(
    recipe: Recipe,
    draws: Mapping[str, np.ndarray],
    times: Sequence[np.ndarray],
    *,
    tolerance: tuple[float, float],
) -> dict[str, np.ndarray]:
    """Return the states and the fluxes that a system declares, as functions of time.

    Parameters
    ----------
    times : sequence of array, min
        One per subject, increasing.

    Returns
    -------
    dict of str to array (draw, saved)
        The times of all subjects one behind the other. A failed solve is NaN.
    """
    y, p, u, shape = _at_times(recipe, draws, times, tolerance)
    values = {f.name: f.value(y, p, u) for f in recipe.system.fluxes} | y._asdict()
    return {name: np.broadcast_to(value, shape) for name, value in values.items()}


def courses(
    recipe: Recipe,
    draws: Mapping[str, np.ndarray],
    times: Sequence[np.ndarray],
    *,
    tolerance: tuple[float, float],
) -> dict[str, np.ndarray]:
    """Return the outputs, free of noise, and the fluxes as functions of time.

    Parameters
    ----------
    times : sequence of array, min
        One per subject, increasing.

    Returns
    -------
    dict of str to array (draw, saved)
        By output, or by part of a composition as its share, and by flux. The times of all subjects
        one behind the other. A failed solve is NaN.
    """
    y, p, u, shape = _at_times(recipe, draws, times, tolerance)
    values: dict[str, Any] = {}
    for output in recipe.system.outputs:
        value = output.value(y, p, u)
        parts = value if output.is_composition else (value,)
        whole = sum(parts) if output.is_composition else 1.0
        values |= {n: part / whole for n, part in zip(output.parts, parts, strict=True)}
    values |= {flux.name: flux.value(y, p, u) for flux in recipe.system.fluxes}
    return {name: np.broadcast_to(value, shape) for name, value in values.items()}


def _at_times(
    recipe: Recipe,
    draws: Mapping[str, np.ndarray],
    times: Sequence[np.ndarray],
    tolerance: tuple[float, float],
) -> tuple[Any, Any, Any, tuple[int, int]]:
    """Return ``y``, ``p`` and ``u`` at times, and the shape (draw, saved) of what they give."""
    people = recipe.study.subjects
    states = None
    if recipe.program is not None:
        protocol = build_protocol(recipe.system, recipe.program.layout, people, times)
        states = solve_draws(recipe, theta_of_draws(recipe, draws), protocol, tolerance)
    subject = np.repeat(np.arange(len(people)), [len(t) for t in times])
    parts = [
        at_observations(curve_inputs(recipe, s), t) for s, t in zip(people, times, strict=True)
    ]
    y, p, u = _records(recipe, draws, subject, np.concatenate(parts), states)
    return y, p, u, (len(next(iter(draws.values()))), len(subject))


def solve_draws(
    recipe: Recipe, theta: np.ndarray, protocol: Protocol, tolerance: tuple[float, float]
) -> np.ndarray:
    """Integrate every draw of every subject; shape (draw, saved, state)."""
    solved = _in_chunks(recipe, theta, protocol, tolerance)
    return np.concatenate([states for states, _ in solved])


def solve_with_sensitivities(
    recipe: Recipe, theta: np.ndarray, protocol: Protocol, tolerance: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Integrate every draw of every subject, with the derivatives of the states.

    Returns
    -------
    array (draw, saved, state)
        The states; NaN where a solve failed.
    array (draw, saved, pair)
        Derivative of a state with respect to a column of ``theta``, for each of the layout's
        ``active`` pairs.
    """
    states, slopes = zip(*_in_chunks(recipe, theta, protocol, tolerance), strict=True)
    return np.concatenate(states), np.concatenate(slopes)


def _in_chunks(
    recipe: Recipe, theta: np.ndarray, protocol: Protocol, tolerance: tuple[float, float]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield states and their derivatives of some draws after others."""
    n_draws, n_subjects = theta.shape[:2]
    program, _ = recipe.dynamics
    step = max(1, CHUNK // n_subjects)
    kernel = callable_kernel(program)
    for first in range(0, n_draws, step):
        chunk = theta[first : first + step]
        rows = np.tile(protocol.rows, (len(chunk), 1))
        rows[:, 2:] += np.repeat(np.arange(len(chunk)), n_subjects)[:, None] * protocol.n_saved
        constants = np.tile(protocol.constants, (len(chunk), 1))
        flat = np.ascontiguousarray(chunk.reshape(-1, theta.shape[2]))
        solved = kernel(flat, constants, protocol.table, rows, np.array(tolerance))
        states, slopes = (part.reshape(len(chunk), protocol.n_saved, -1) for part in solved)
        yield states, slopes


def _records(
    recipe: Recipe,
    draws: Mapping[str, np.ndarray],
    subject: np.ndarray,
    curves: np.ndarray,
    states: Any,
) -> tuple[Any, Any, Any]:
    """Return ``y``, ``p`` and ``u`` with arrays that broadcast to (draw, time)."""
    names = [state.name for state in recipe.system.states]
    columns = np.moveaxis(states, -1, 0) if names else ()
    chosen = {}
    for parameter in recipe.system.unknowns:
        value = _per_subject(recipe, parameter.name, np.asarray(draws[parameter.name]))
        mine = value[:, subject] if value.shape[1] > 1 else value
        width = widths(recipe.system)[parameter.name]
        chosen[parameter.name] = tuple(np.moveaxis(mine, -1, 0)) if width else mine
    p, u = records(recipe, chosen, named_inputs(recipe, subject_inputs(recipe)[subject], curves))
    return fields_type("Y", names)(*columns), p, u


def output_values(
    recipe: Recipe, observations: Observations, draws: Mapping[str, np.ndarray], states: Any
) -> np.ndarray:
    """Return an output's noise-free values, given the states at all saved times."""
    output, curves = observations.output, observed_curves(recipe, observations)
    at = None if states is None else states[:, observations.saved]
    y, p, u = _records(recipe, draws, observations.subject, curves, at)
    shape = (len(next(iter(draws.values()))), len(observations.time))
    value = output.value(y, p, u)
    if not output.is_composition:
        return np.broadcast_to(value, shape)
    parts = np.stack([np.broadcast_to(part, shape) for part in value], axis=-1)
    return parts / parts.sum(axis=-1, keepdims=True)
