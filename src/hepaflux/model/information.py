"""Information: what samples say about the unknowns of a system, by Fisher information.

The information of independent samples is J' R^-1 J, with J the derivative of the noise-free
outputs with respect to the unknowns and R the variance of the measurements. J comes from the
sensitivities that every solve returns anyway, so neither a graph nor a sampler is needed. Added to
the precision of the prior it gives the precision of a normal approximation of the posterior
(Chaloner and Verdinelli 1995, Stat Sci 10:273), in the coordinates of ``hepaflux.model.line``.

Assumes     the noise is that of each output's assay; a CV that is unknown is drawn from its prior
            and then taken as known, which neglects terms of the order of the CV squared
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from hepaflux.model.line import Line
from hepaflux.model.observations import Observations
from hepaflux.model.predict import output_values, solve_with_sensitivities, theta_of_draws
from hepaflux.model.recipe import Recipe
from hepaflux.parameter import Fixed
from hepaflux.systems.system import Output

STEP = 1e-5
"""Step along each coordinate; outputs are linear there but for its square."""

TOLERANCE = (1e-8, 1e-8)
"""Relative and absolute tolerance of the solver."""


@dataclass(frozen=True, eq=False)
class Sampling:
    """Samples, each with what it says about the unknowns.

    Attributes
    ----------
    line : Line
        The coordinates.
    slopes : array (draw, sample, coordinate)
        Derivatives of the noise-free values, in standard deviations of the measurement. The parts
        of a composition are samples of their own.
    output : array of str (sample,)
        Name of the output.
    subject : array of int (sample,)
        Whose sample it is.
    time : array (sample,), min
        When it is taken.
    """

    line: Line
    slopes: np.ndarray
    output: np.ndarray
    subject: np.ndarray
    time: np.ndarray

    def covariance(self, taken: np.ndarray) -> np.ndarray:
        """Return the posterior covariance of each draw and subject.

        Parameters
        ----------
        taken : array of bool (sample,)
            Which samples are taken.

        Returns
        -------
        array (draw, subject, coordinate, coordinate)
            NaN where the solve failed.
        """
        precision = np.linalg.inv(self.line.covariance)
        by_subject = []
        for subject in np.unique(self.subject):
            mine = self.slopes[:, taken & (self.subject == subject)]
            by_subject.append(np.linalg.inv(precision + np.swapaxes(mine, 1, 2) @ mine))
        return np.stack(by_subject, axis=1)


def inform(recipe: Recipe, points: np.ndarray, rng: np.random.Generator) -> Sampling:
    """Return what all samples of a recipe say about the unknowns at given truths.

    Parameters
    ----------
    recipe : Recipe
        With every parameter separate.
    points : array (draw, subject, coordinate)
        Truths on the line.
    rng : Generator
        Draws the coefficients of variation that are unknown.
    """
    line = Line(recipe.system)
    means, slopes = output_slopes(recipe, line, points)
    parts: list[tuple[Any, ...]] = []
    for observed in recipe.observations:
        output = observed.output
        error = _draw_error(observed, points.shape[0], rng)
        weights = np.sqrt(precision_of(output, means[output.name], error))
        standardized = slopes[output.name] * weights[..., None]
        width = len(output.analytes) if output.is_composition else 1
        labels = (np.full(len(observed.time), output.name), observed.subject, observed.time)
        flat = standardized.reshape(len(points), -1, points.shape[-1])
        parts.append((flat, *(np.repeat(label, width) for label in labels)))
    scaled, output_names, subject, time = zip(*parts, strict=True)
    return Sampling(
        line,
        np.concatenate(scaled, axis=1),
        np.concatenate(output_names),
        np.concatenate(subject),
        np.concatenate(time),
    )


def output_slopes(
    recipe: Recipe, line: Line, points: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the noise-free values of all outputs and their derivatives along the coordinates.

    The states move along their sensitivities, and the outputs, which are plain arithmetic, are
    differenced between both sides.

    Returns
    -------
    dict of str to array (draw, observation, [part])
        Values by output.
    dict of str to array (draw, observation, [part], coordinate)
        Derivatives by output.
    """
    states_near = _linear_states(recipe, line.values(points))

    def outputs(where: np.ndarray) -> dict[str, np.ndarray]:
        values = line.values(where)
        states = states_near(values)
        seen = recipe.observations
        return {o.output.name: output_values(recipe, o, values, states) for o in seen}

    sides = [(outputs(points + step), outputs(points - step)) for step in STEP * np.eye(line.size)]
    slopes = {
        o.output.name: np.stack(
            [(up[o.output.name] - down[o.output.name]) / (2 * STEP) for up, down in sides], axis=-1
        )
        for o in recipe.observations
    }
    return outputs(points), slopes


def _linear_states(
    recipe: Recipe, values: Mapping[str, np.ndarray]
) -> Callable[[Mapping[str, np.ndarray]], np.ndarray | None]:
    """Return the states as a linear function of parameters around the given ones."""
    if recipe.program is None:
        return lambda near: None
    program, protocol = recipe.dynamics
    theta = theta_of_draws(recipe, values)
    states, slopes = solve_with_sensitivities(recipe, theta, protocol, TOLERANCE)
    state, column = np.array(program.layout.active, dtype=int).T
    moves = (state[:, None] == np.arange(states.shape[2])).astype(float)
    who = np.repeat(np.arange(len(protocol.rows)), protocol.rows[:, 3] - protocol.rows[:, 2])

    def states_near(near: Mapping[str, np.ndarray]) -> np.ndarray:
        change = (theta_of_draws(recipe, near) - theta)[:, who][..., column]
        return np.asarray(states + (slopes * change) @ moves)

    return states_near


def _draw_error(observed: Observations, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return the CV (of a composition the sd) of each observation, shape (draw, observation)."""
    prior, subject = observed.output.cv, observed.subject
    if isinstance(prior, Fixed):
        return np.full((draws, len(subject)), prior.value)
    people = int(subject.max(initial=-1)) + 1
    drawn = prior.distribution().rvs(size=draws * people, random_state=rng)
    return np.asarray(np.asarray(drawn).reshape(draws, people)[:, subject])


def precision_of(output: Output, mean: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the Fisher information of measurements about noise-free values.

    The noise is that of ``noise_of``. Of the shares of a composition it is that of a Dirichlet
    along directions in which their sum stays one.

    Parameters
    ----------
    output : Output
        What is measured.
    mean : array (draw, observation, [part])
        Noise-free values.
    error : array (draw, observation)
        Coefficient of variation, or of a composition the standard deviation of a share of a half.
    """
    if output.is_composition:
        total = 0.25 / error[..., None] ** 2 - 1
        return np.asarray(total**2 * special.polygamma(1, total * mean))
    return np.asarray(1 / ((error * mean) ** 2 + output.floor**2))
