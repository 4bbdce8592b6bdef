"""Courses: what a fit says about the time between the samples.

Of every output the noise-free curve and the measurements to expect around it; of every flux, which
nobody measures, its draws.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from hepaflux.model.build import TOLERANCE
from hepaflux.model.predict import courses, in_a_row
from hepaflux.model.recipe import Recipe, noise_constants, noise_unknowns
from hepaflux.study.study import Subject, zero_time
from hepaflux.systems.system import Output

TIMES = 61
"""Times of a course, from the begin of the test to its last sample."""

JUST_AFTER = 1e-6
"""Of the length of a test, how long after a dose a course is looked at."""

PROBABILITIES = (0.05, 0.25, 0.75, 0.95)
"""Of measurements, those below the ends of the central 90 and 50 %."""


def flat_draws(recipe: Recipe, dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """Return the draws of unknowns and noise with chains and draws in one dimension."""
    names = [p.name for p in (*recipe.system.unknowns, *noise_unknowns(recipe))]
    return {name: in_a_row(dataset[name]) for name in names}


def noise_distribution(
    recipe: Recipe,
    output: Output,
    subject: np.ndarray,
    draws: Mapping[str, np.ndarray],
    mean: np.ndarray,
) -> Any:
    """Return the distribution of measurements of an output around their noise-free values.

    Parameters
    ----------
    recipe : Recipe
        Of the model that was fitted.
    output : Output
        What is measured.
    subject : array (time,) of int
        Who is measured.
    draws : mapping of str to array (draw, [subject])
        Of the parameters of the noise.
    mean : array (draw, time) or (draw, time, part)
        The noise-free values.
    """
    values: dict[str, Any] = dict(noise_constants(recipe))
    for parameter in noise_unknowns(recipe):
        value = draws[parameter.name]
        by_subject = value.ndim == 2
        values[parameter.name] = value[:, subject] if by_subject else value[:, None]
    return recipe.noise[output.name].scipy(mean, values, output.name)


def between_samples(
    recipe: Recipe, dataset: xr.Dataset, rng: np.random.Generator
) -> dict[str, xr.Dataset]:
    """Return the groups ``curves`` and, of a system with fluxes, ``fluxes``.

    Parameters
    ----------
    recipe : Recipe
        Of the model that was fitted.
    dataset : Dataset
        Draws of the posterior.
    rng : numpy Generator
        For the measurements to expect.

    Returns
    -------
    dict of Dataset
        ``curves``: of each part of an output its posterior median (subject, time), and with the
        ending ``_measured`` quantiles of what would be measured (probability, subject, time).
        ``fluxes``: the draws of each flux (chain, draw, subject, time). Both with ``minutes``
        (subject, time), as the time of a course differs from person to person.
    """
    minutes = _minutes(recipe)
    draws = flat_draws(recipe, dataset)
    found = courses(recipe, draws, list(minutes), tolerance=TOLERANCE)
    names = [subject.name for subject in recipe.study.subjects]
    groups = {
        "curves": xr.Dataset(
            _curves(recipe, draws, found, rng),
            coords={
                "subject": names,
                "probability": list(PROBABILITIES),
                "minutes": (("subject", "curve_time"), minutes),
            },
        )
    }
    if recipe.system.fluxes:
        shape = (dataset.sizes["chain"], dataset.sizes["draw"], *minutes.shape)
        dims = ("chain", "draw", "subject", "flux_time")
        fluxes: dict[str, Any] = {
            flux.name: (dims, found[flux.name].reshape(shape)) for flux in recipe.system.fluxes
        }
        groups["fluxes"] = xr.Dataset(
            fluxes,
            coords={
                "chain": dataset.chain,
                "draw": dataset.draw,
                "subject": names,
                "minutes": (("subject", "flux_time"), minutes),
            },
        )
    return groups


def _minutes(recipe: Recipe) -> np.ndarray:
    """Return equally many times over each subject's test, shape (subject, time)."""
    return np.array([_times(subject, recipe.system.begin) for subject in recipe.study.subjects])


def _times(subject: Subject, begin: float) -> np.ndarray:
    """Return the times of a person's courses: even ones, and those just after each dose.

    At the time of a dose itself a course is what it was before, so a bolus would look like a slope.
    """
    first = min(zero_time(subject), begin)
    last = max(float(samples.time[-1]) for samples in subject.samples.values())
    after = np.unique([dose.time for dose in subject.doses if first <= dose.time < last])
    after = after[: TIMES // 2] + JUST_AFTER * (last - first)
    return np.sort(np.concatenate([np.linspace(first, last, TIMES - len(after)), after]))


def _curves(
    recipe: Recipe,
    draws: Mapping[str, np.ndarray],
    found: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return median and expected measurements of every output.

    The error of a draw has the same quantile at all times, so that the bands, which are about one
    measurement at a time, are as smooth as the curve.
    """
    n_draws, n_people = len(next(iter(draws.values()))), len(recipe.study.subjects)
    quantile = (rng.permutation(n_draws) + 0.5) / n_draws
    subject = np.repeat(np.arange(n_people), TIMES)
    variables: dict[str, Any] = {}
    for output in recipe.system.outputs:
        mean = np.stack([found[part] for part in output.parts], axis=-1)
        failed = ~np.isfinite(mean)
        whole = np.where(failed, 1.0, mean)
        law = noise_distribution(
            recipe, output, subject, draws, whole if output.is_composition else whole[..., 0]
        )
        q = quantile[:, None, None] if output.is_composition else quantile[:, None]
        measured = np.where(failed, np.nan, law.ppf(q).reshape(mean.shape))
        bands, centers = _quantiles(measured, PROBABILITIES), _quantiles(mean, (0.5,))[0]
        for j, part in enumerate(output.parts):
            center = centers[..., j].reshape(n_people, TIMES)
            band = bands[..., j].reshape(len(PROBABILITIES), n_people, TIMES)
            variables[part] = (("subject", "curve_time"), center)
            variables[f"{part}_measured"] = (("probability", "subject", "curve_time"), band)
    return variables


def _quantiles(values: np.ndarray, probabilities: tuple[float, ...]) -> np.ndarray:
    """Return quantiles over the draws, of those that did not fail; NaN where all did."""
    failed = ~np.isfinite(values)
    if not failed.any():
        return np.asarray(np.quantile(values, probabilities, axis=0))
    never = failed.all(axis=0)
    some = np.where(never, 0.0, np.where(failed, np.nan, values))
    return np.where(never, np.nan, np.nanquantile(some, probabilities, axis=0))
