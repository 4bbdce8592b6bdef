"""Marginal: how probable all measurements of a person are in a population, whoever the person is.

To leave out a person means to predict somebody of whom nothing was measured. Given draws of what
people have in common, the parameters that are the person's own are integrated out by importance
sampling (Vehtari et al. 2016, J Mach Learn Res 17:1, integrated importance sampling). Points come
from a normal distribution around what the posterior says of the person, regressed on what people
have in common; they are wider than it by ``WIDENED``. Each draw shifts them anew, so that
their error averages out over draws. How many points carry the weight says where this fails.

Assumes     the person's posterior is nearly normal on the line, as it is with several samples
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy import special, stats
from scipy.special import logsumexp

from hepaflux.fitting.results import noise_distribution
from hepaflux.model.build import TOLERANCE
from hepaflux.model.line import from_line, log_slope, to_line
from hepaflux.model.noise import pointwise_log_density
from hepaflux.model.predict import in_a_row, predict
from hepaflux.model.recipe import Recipe, noise_unknowns
from hepaflux.parameter import Parameter, size_of

POINTS = 128
"""Points for each person and draw; a power of two, as Sobol sequences want."""

WIDENED = 1.25
"""How much wider the points lie than the posterior; a narrow proposal has heavy weights."""

CHUNK = 20_000
"""Draws times points that are evaluated at once, so that memory stays bounded."""

PERSON = "person"
"""Name of the variable among the log-likelihoods."""

EFFECTIVE = "effective_points"
"""Name of the variable beside it: how many points carry the weight, 1 to ``POINTS``; 0 where no
point has any."""

OWN = ("subject", "separate")
"""Levels of parameters that are a person's own."""


def person_log_likelihood(
    recipe: Recipe, posterior: xr.Dataset, *, draws: int = 400, seed: int = 1
) -> xr.Dataset:
    """Return the log-likelihood of each person with the person's own parameters integrated out.

    Parameters
    ----------
    recipe : Recipe
        Of the model that was fitted, of several people.
    posterior : Dataset
        Draws with dimensions (chain, draw, ...).
    draws : int
        Of so many, evenly spread, the likelihood is computed.
    seed : int
        Of the points.

    Returns
    -------
    Dataset (chain, draw, subject)
        ``person``, and the ``effective_points`` that it rests on (Kong 1992: the squared sum of
        the weights over the sum of their squares). Its standard error is about one over their root.

    Raises
    ------
    ValueError
        If people have a vector of their own, or covariates or correlations.
    """
    own, line = _own_parameters(recipe), {}
    for parameter in own:
        line[parameter.name] = to_line(parameter.prior, in_a_row(posterior[parameter.name]))[..., 0]
    step = max(1, posterior.sizes["draw"] * posterior.sizes["chain"] // draws)
    chosen = posterior.isel(draw=slice(None, None, step))
    rows = np.arange(posterior.sizes["chain"] * posterior.sizes["draw"])
    kept = rows.reshape(posterior.sizes["chain"], -1)[:, ::step].ravel()
    common = _common(recipe, posterior)
    proposals = [
        _Proposal(np.stack([line[p.name][:, i] for p in own], axis=-1), common, seed + i)
        for i in range(len(recipe.study.subjects))
    ]
    parts = [_of_draws(recipe, own, posterior, proposals, part) for part in _parts(kept)]
    shape = (chosen.sizes["chain"], chosen.sizes["draw"], -1)
    names = [subject.name for subject in recipe.study.subjects]
    coords = {"chain": chosen.chain, "draw": chosen.draw, "subject": names}
    columns = zip((PERSON, EFFECTIVE), zip(*parts, strict=True), strict=True)
    found = {name: np.concatenate(column).reshape(shape) for name, column in columns}
    return xr.Dataset({n: (("chain", "draw", "subject"), v) for n, v in found.items()}, coords)


def _own_parameters(recipe: Recipe) -> tuple[Parameter, ...]:
    """Return the parameters that are a person's own, or say why they cannot be integrated out."""
    design = recipe.design
    if design.covariates or design.correlated:
        raise ValueError("people with covariates or correlated deviations cannot be left out")
    own = tuple(p for p in recipe.system.unknowns if design.levels[p.name] in OWN)
    vectors = [p.name for p in own if size_of(p.prior)]
    if vectors:
        raise ValueError(f"{vectors[0]} is a vector of each person and cannot be integrated out")
    if not own:
        raise ValueError("no parameter is a person's own, so there is nothing to integrate out")
    return own


def _common(recipe: Recipe, posterior: xr.Dataset) -> np.ndarray:
    """Return what people have in common on the line, standardized, shape (draw, coordinate)."""
    priors = {**recipe.system.priors, **{p.name: p.prior for p in noise_unknowns(recipe)}}
    columns = []
    for name in _common_names(recipe):
        values = in_a_row(posterior[name])
        prior = priors.get(name.removesuffix("_population"))
        # A spread has no prior among the system's; it is positive.
        columns.append(np.log(values) if prior is None else to_line(prior, values))
    joined = np.concatenate([column.reshape(len(column), -1) for column in columns], axis=1)
    return np.asarray((joined - joined.mean(axis=0)) / joined.std(axis=0))


def _common_names(recipe: Recipe) -> list[str]:
    """Return the variables of the posterior that people have in common."""
    names = [p.name for p in noise_unknowns(recipe)]
    for parameter in recipe.system.unknowns:
        level, name = recipe.design.levels[parameter.name], parameter.name
        names += [f"{name}_population", f"{name}_spread"] if level == "subject" else []
        names += [name] if level in ("shared", "group") else []
    return names


class _Proposal:
    """Points on the line around what the posterior says of a person, draw by draw."""

    def __init__(self, line: np.ndarray, common: np.ndarray, seed: int):
        design = np.column_stack([np.ones(len(line)), common])
        slopes, *_ = np.linalg.lstsq(design, line, rcond=None)
        self.center = design @ slopes
        rest = np.atleast_2d(np.cov((line - self.center).T))
        self.factor = WIDENED * np.linalg.cholesky(rest + 1e-12 * np.eye(len(rest)))
        rng = np.random.default_rng(seed)
        self.uniform = stats.qmc.Sobol(line.shape[1], seed=rng).random(POINTS)
        self.shift = rng.random((len(line), 1, line.shape[1]))

    def points(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the points of some draws (draw, point, coordinate), and their log-densities."""
        shifted = (self.uniform + self.shift[rows]) % 1.0
        standard = special.ndtri(np.clip(shifted, 1e-6, 1 - 1e-6))
        density = stats.norm.logpdf(standard).sum(axis=-1) - np.log(np.diag(self.factor)).sum()
        return self.center[rows][:, None] + standard @ self.factor.T, density


def _parts(rows: np.ndarray) -> Iterator[np.ndarray]:
    size = max(1, CHUNK // POINTS)
    yield from (rows[first : first + size] for first in range(0, len(rows), size))


def _of_draws(
    recipe: Recipe,
    own: tuple[Parameter, ...],
    posterior: xr.Dataset,
    proposals: list[_Proposal],
    rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return log-likelihood and effective points of each person for some draws (draw, subject)."""
    drawn = [proposal.points(rows) for proposal in proposals]
    points = np.stack([where for where, _ in drawn], axis=2)
    weight = -np.stack([density for _, density in drawn], axis=2)
    repeated = {
        name: np.repeat(in_a_row(posterior[name])[rows], POINTS, axis=0)
        for name in _common_names(recipe)
    }
    draws = dict(repeated)
    for j, parameter in enumerate(own):
        where = points[..., j].reshape(-1, points.shape[2])
        draws[parameter.name] = from_line(parameter.prior, where[..., None])
        density = _density_of_own(recipe, parameter, where, repeated)
        weight = weight + density.reshape(points.shape[:3])
    measured = _by_person(recipe, draws).reshape(points.shape[:3])
    return _summed(measured + weight)


def _summed(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the log of the mean weight over points, and how many points carry it.

    Parameters
    ----------
    weight : array (draw, point, subject)
        Logarithms. What is no number, as where a course could not be followed, has no weight.
    """
    held = np.where(np.isnan(weight), -np.inf, weight)
    total = logsumexp(held, axis=1)
    is_held = np.isfinite(total)
    spread = logsumexp(2 * held, axis=1)
    twice = 2 * np.where(is_held, total, 0.0) - np.where(is_held, spread, 0.0)
    return total - np.log(weight.shape[1]), np.where(is_held, np.exp(twice), 0.0)


def _density_of_own(
    recipe: Recipe, parameter: Parameter, where: np.ndarray, draws: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Return the log-density of a person's own parameter on the line, before measurement."""
    if recipe.design.levels[parameter.name] == "subject":
        middle = to_line(parameter.prior, draws[f"{parameter.name}_population"])[..., 0]
        if recipe.design.by_group:
            groups = recipe.study.groups
            middle = middle[:, [groups.index(s.group) for s in recipe.study.subjects]]
        else:
            middle = middle[:, None]
        spread = draws[f"{parameter.name}_spread"][:, None]
        return np.asarray(stats.norm.logpdf(where, middle, spread))
    prior: Any = parameter.prior
    value = from_line(prior, where[..., None])
    return np.asarray(prior.distribution().logpdf(value) + log_slope(prior, value))


def _by_person(recipe: Recipe, draws: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the log-likelihood of each person given all parameters, shape (draw, subject)."""
    means, people = predict(recipe, draws, tolerance=TOLERANCE), len(recipe.study.subjects)
    total: Any = 0.0
    for observed in recipe.observations:
        law = noise_distribution(recipe, observed, draws, means[observed.output.name])
        density = pointwise_log_density(law, observed.value, observed.censoring)
        # Summed one by one: in a product with zeros one person's infinity would reach all.
        own = [density[:, observed.subject == i].sum(axis=1) for i in range(people)]
        total = total + np.stack(own, axis=-1)
    return np.asarray(total)
