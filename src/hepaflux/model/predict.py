"""Predict: noise-free curves for many draws, by the same kernel and without a graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hepaflux.model.build import Observations, Recipe, scalar_inputs, subject_inputs
from hepaflux.solver.op import callable_kernel
from hepaflux.solver.program import widths
from hepaflux.solver.protocol import Protocol, build_protocol
from hepaflux.systems.system import fields_type

CHUNK = 20_000
"""Solves per call of the kernel, so that memory stays bounded."""


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
    columns = [np.broadcast_to(by_column[c], shape) for c in recipe.program.layout.theta]
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
    dict of str to array (draw, observation)
        A failed solve is NaN.
    """
    theta = theta_of_draws(recipe, draws)
    states = solve_draws(recipe, theta, recipe.protocol, tolerance)
    return {o.output.name: _values(recipe, o, draws, states) for o in recipe.observations}


def curves(
    recipe: Recipe,
    draws: Mapping[str, np.ndarray],
    times: Sequence[np.ndarray],
    *,
    tolerance: tuple[float, float],
) -> np.ndarray:
    """Return the states at other times than the samples.

    Parameters
    ----------
    times : sequence of array, min
        One per subject.

    Returns
    -------
    array (draw, saved, state)
        The times of all subjects one behind the other.
    """
    layout = recipe.program.layout
    protocol = build_protocol(recipe.system, layout, recipe.study.subjects, times)
    return solve_draws(recipe, theta_of_draws(recipe, draws), protocol, tolerance)


def solve_draws(
    recipe: Recipe, theta: np.ndarray, protocol: Protocol, tolerance: tuple[float, float]
) -> np.ndarray:
    """Integrate every draw of every subject; shape (draw, saved, state)."""
    n_draws, n_subjects = theta.shape[:2]
    states = np.empty((n_draws, protocol.n_saved, len(recipe.program.layout.states)))
    step = max(1, CHUNK // n_subjects)
    kernel = callable_kernel(recipe.program)
    for first in range(0, n_draws, step):
        chunk = theta[first : first + step]
        rows = np.tile(protocol.rows, (len(chunk), 1))
        rows[:, 2:] += np.repeat(np.arange(len(chunk)), n_subjects)[:, None] * protocol.n_saved
        constants = np.tile(protocol.constants, (len(chunk), 1))
        flat = np.ascontiguousarray(chunk.reshape(-1, theta.shape[2]))
        solved, _ = kernel(flat, constants, protocol.table, rows, np.array(tolerance))
        states[first : first + step] = solved.reshape(len(chunk), protocol.n_saved, -1)
    return states


def _values(
    recipe: Recipe, observations: Observations, draws: Mapping[str, np.ndarray], states: Any
) -> np.ndarray:
    y = fields_type("Y", recipe.program.layout.states)(
        *np.moveaxis(states[:, observations.saved], -1, 0)
    )
    per_subject = {
        p.name: _per_subject(recipe, p.name, np.asarray(draws[p.name]))
        for p in recipe.system.unknowns
    }
    fixed = {p.name: getattr(p.prior, "value", None) for p in recipe.system.parameters}
    chosen = {
        name: value[:, observations.subject] if value.shape[1] > 1 else value
        for name, value in per_subject.items()
    }
    p = {**fixed, **chosen}
    inputs = dict(
        zip(
            scalar_inputs(recipe),
            subject_inputs(recipe)[observations.subject].T,
            strict=True,
        )
    )
    records = fields_type("P", list(p))(**p), fields_type("U", list(inputs))(**inputs)
    return np.asarray(observations.output.value(y, *records))
