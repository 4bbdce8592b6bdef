"""Results: draws become inference data with everything that judgment and reports need.

The groups and their names are ArviZ's. What is added to the posterior is computed from the draws
by the solver's kernel and by SciPy, so no further graph is compiled.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from hepaflux.fitting.courses import between_samples, flat_draws, noise_distribution
from hepaflux.fitting.record import history
from hepaflux.model.build import TOLERANCE
from hepaflux.model.noise import pointwise_log_density
from hepaflux.model.observations import Observations
from hepaflux.model.predict import predict
from hepaflux.model.recipe import (
    Recipe,
    coordinates,
    noise_unknowns,
)
from hepaflux.parameter import Parameter
from hepaflux.study.study import Study, zero_time

PRIOR_DRAWS = 1000
"""Draws of the prior that are kept beside the posterior."""

PREDICTIVE_DRAWS = 500
"""Draws, spread evenly over the chains, for which replicated measurements are kept."""


def is_internal(name: str) -> bool:
    """Return whether a variable only serves the sampler (offsets, transformed values)."""
    return name.endswith("_offset") or "__" in name


def assemble(
    recipe: Recipe,
    posterior: xr.Dataset,
    *,
    prior: xr.Dataset,
    sample_stats: xr.Dataset | None,
    record: Mapping[str, Any],
    rng: np.random.Generator,
) -> xr.DataTree:
    """Gather the groups of inference data.

    Parameters
    ----------
    recipe : Recipe
        Of the model that was fitted.
    posterior, prior : Dataset
        Draws with dimensions (chain, draw, ...).
    sample_stats : Dataset or None
        The sampler's record of each draw.
    record : mapping
        How the fit was made: method, draws, seed, and so on.
    rng : numpy Generator
        For the replicated measurements.
    """
    posterior = without_internals(posterior)
    groups = {
        "posterior": posterior,
        "prior": prior[[v for v in posterior.data_vars if v in prior]],
        **computed(recipe, posterior, prior, rng),
        "log_prior": log_prior((*recipe.system.unknowns, *noise_unknowns(recipe)), posterior),
    }
    return tree_of(groups, sample_stats, history(recipe, record))


def without_internals(posterior: xr.Dataset) -> xr.Dataset:
    """Return the variables that do not only serve the sampler."""
    return posterior[[v for v in posterior.data_vars if not is_internal(str(v))]]


def tree_of(
    groups: Mapping[str, xr.Dataset], sample_stats: xr.Dataset | None, attrs: Mapping[str, Any]
) -> xr.DataTree:
    """Return groups, the sampler's record and attributes as one tree."""
    every = dict(groups) if sample_stats is None else {**groups, "sample_stats": sample_stats}
    tree = xr.DataTree.from_dict({f"/{name}": dataset for name, dataset in every.items()})
    tree.attrs.update(attrs)
    return tree


def computed(
    recipe: Recipe, posterior: xr.Dataset, prior: xr.Dataset, rng: np.random.Generator
) -> dict[str, xr.Dataset]:
    """Return the groups that follow from draws of the parameters and from the measurements."""
    expected = _expected(recipe, posterior)
    thinned = _thinned(posterior)
    groups = {
        "expected": _expected(recipe, thinned),
        "posterior_predictive": _replicated(recipe, thinned, rng),
        "prior_predictive": _replicated(recipe, _thinned(prior), rng),
        "log_likelihood": _log_likelihood(recipe, posterior, expected),
        "observed_data": _observed(recipe),
        "constant_data": _constant(recipe),
        "measured": _measured(recipe),
    }
    return groups | between_samples(recipe, thinned, rng)


def draw_prior(model: pm.Model, seed: int) -> xr.Dataset:
    """Draw the parameters (not the measurements) from the prior."""
    names = [v.name for v in (*model.free_RVs, *model.deterministics) if not is_internal(v.name)]
    with model, _quiet("pymc.sampling.forward"):
        tree = pm.sample_prior_predictive(
            PRIOR_DRAWS,
            var_names=names,
            random_seed=seed,
            compile_kwargs={"mode": "FAST_COMPILE"},
        )
    return tree["prior"].to_dataset()


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Let a logger speak of nothing less than a warning."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _thinned(dataset: xr.Dataset) -> xr.Dataset:
    keep = max(1, PREDICTIVE_DRAWS // dataset.sizes["chain"])
    step = max(1, dataset.sizes["draw"] // keep)
    return dataset.isel(draw=slice(None, None, step))


def _dataset(recipe: Recipe, values: Mapping[str, np.ndarray], like: xr.Dataset) -> xr.Dataset:
    """Return per-observation arrays (chain x draw, observation) as a dataset."""
    shape = (like.sizes["chain"], like.sizes["draw"])
    variables: dict[str, Any] = {}
    for output in recipe.system.outputs:
        dims = ("chain", "draw", f"{output.name}_observation")
        whole = values[output.name]
        # Draws of a composition have its parts in a third axis; their likelihood does not.
        parts = np.moveaxis(whole, -1, 0) if whole.ndim == 3 else (whole,)
        names = output.parts if whole.ndim == 3 else (output.name,)
        variables |= {
            name: (dims, part.reshape(*shape, -1)) for name, part in zip(names, parts, strict=True)
        }
    coords = {"chain": like.chain, "draw": like.draw, **_observation_coords(recipe)}
    return xr.Dataset(variables, coords=coords)


def _observation_coords(recipe: Recipe) -> dict[str, Any]:
    every = coordinates(recipe)
    return {name: every[name] for name in every if name.endswith("_observation")}


def _expected(recipe: Recipe, dataset: xr.Dataset) -> xr.Dataset:
    draws = flat_draws(recipe, dataset)
    return _dataset(recipe, predict(recipe, draws, tolerance=TOLERANCE), dataset)


def _replicated(recipe: Recipe, dataset: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    draws = flat_draws(recipe, dataset)
    means = predict(recipe, draws, tolerance=TOLERANCE)
    replicated = {}
    for observations in recipe.observations:
        mean = means[observations.output.name]
        failed = np.isnan(mean)
        distribution = noise_distribution(
            recipe, observations.output, observations.subject, draws, np.where(failed, 1.0, mean)
        )
        values = np.where(failed, np.nan, distribution.rvs(size=mean.shape, random_state=rng))
        values = values if observations.output.is_composition else _clip(observations, values)
        replicated[observations.output.name] = values
    return _dataset(recipe, replicated, dataset)


def _clip(observations: Observations, values: np.ndarray) -> np.ndarray:
    """Return replicated measurements as the assay would report them: censored at its limits."""
    values = np.where(observations.censoring < 0, np.maximum(values, observations.value), values)
    return np.where(observations.censoring > 0, np.minimum(values, observations.value), values)


def _log_likelihood(recipe: Recipe, posterior: xr.Dataset, expected: xr.Dataset) -> xr.Dataset:
    draws = flat_draws(recipe, posterior)
    densities = {}
    for observations in recipe.observations:
        name = observations.output.name
        mean = _stacked(observations, expected)
        distribution = noise_distribution(
            recipe, observations.output, observations.subject, draws, mean
        )
        densities[name] = pointwise_log_density(
            distribution, observations.value, observations.censoring
        )
    return _dataset(recipe, densities, posterior)


def _stacked(observations: Observations, expected: xr.Dataset) -> np.ndarray:
    """Return the noise-free values (chain x draw, observation), parts in the last axis."""
    n = len(observations.time)
    parts = [expected[name].to_numpy().reshape(-1, n) for name in observations.output.parts]
    return np.stack(parts, axis=-1) if observations.output.is_composition else parts[0]


def log_prior(unknowns: Sequence[Parameter], posterior: xr.Dataset) -> xr.Dataset:
    """Return the log-density of the priors of all unknowns that have a prior of their own."""
    densities = {}
    for parameter in unknowns:
        for name in (f"{parameter.name}_population", parameter.name):
            if name in posterior:
                densities[name] = _prior_density(parameter, posterior[name])
                break
    return xr.Dataset(densities)


def _prior_density(parameter: Any, draws: xr.DataArray) -> xr.DataArray:
    distribution = parameter.prior.distribution()
    if not parameter.axis:
        return xr.apply_ufunc(distribution.logpdf, draws)
    values = np.moveaxis(draws.to_numpy(), -1, 0)
    density = distribution.logpdf(values.reshape(len(values), -1)).reshape(values.shape[1:])
    return draws.isel({draws.dims[-1]: 0}, drop=True).copy(data=density)


def _observed(recipe: Recipe) -> xr.Dataset:
    variables = {
        name: (f"{o.output.name}_observation", column)
        for o in recipe.observations
        for name, column in zip(o.output.parts, _columns(o), strict=True)
    }
    return xr.Dataset(variables, coords=_observation_coords(recipe))


def _columns(observations: Observations) -> np.ndarray:
    """Return the measured values, one row per part."""
    return observations.value.T if observations.value.ndim == 2 else observations.value[None]


def _constant(recipe: Recipe) -> xr.Dataset:
    variables: dict[str, Any] = {}
    for o in recipe.observations:
        columns = {"subject": o.subject, "time": o.time, "censoring": o.censoring}
        # The likelihood of a composition has the name of the whole, its values those of the parts.
        for part in dict.fromkeys((o.output.name, *o.output.parts)):
            dim = f"{o.output.name}_observation"
            variables |= {f"{part}_{what}": (dim, column) for what, column in columns.items()}
    return xr.Dataset(variables, coords=_observation_coords(recipe)).merge(people(recipe.study))


def people(study: Study) -> xr.Dataset:
    """Return the names of the subjects and the group of each, if any."""
    coords: dict[str, Any] = {"subject": [subject.name for subject in study.subjects]}
    if not study.groups:
        return xr.Dataset(coords=coords)
    groups = list(study.groups)
    index = [groups.index(s.group) if s.group else -1 for s in study.subjects]
    coords["group"] = groups
    return xr.Dataset({"subject_group": ("subject", np.array(index))}, coords=coords)


def _measured(recipe: Recipe) -> xr.Dataset:
    """Return every sample of the analytes, those outside the likelihood included."""
    variables: dict[str, Any] = {}
    used = {analyte: o for o in recipe.observations for analyte in o.output.analytes}
    analytes = dict.fromkeys(a for s in recipe.study.subjects for a in s.samples)
    for analyte in analytes:
        rows = [
            (i, t, v, t - zero_time(s))
            for i, s in enumerate(recipe.study.subjects)
            if analyte in s.samples
            for t, v in zip(s.samples[analyte].time, s.samples[analyte].value, strict=True)
        ]
        subject, time, value, since = (np.array(column) for column in zip(*rows, strict=True))
        enters = used[analyte].output.uses(since) if analyte in used else np.zeros(len(rows), bool)
        dim = f"{analyte}_sample"
        columns = {"": value, "_time": time, "_subject": subject, "_used": enters}
        variables |= {f"{analyte}{suffix}": (dim, a) for suffix, a in columns.items()}
    return xr.Dataset(variables)
