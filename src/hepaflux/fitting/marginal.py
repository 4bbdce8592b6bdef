"""Marginal: how probable all measurements of a person are in a population, whoever the person is.

To leave out a person means to predict somebody of whom nothing was measured. Given draws of what
people have in common, the parameters that are the person's own are integrated out by importance
sampling (Vehtari et al. 2016, J Mach Learn Res 17:1, integrated importance sampling). Points come
from a normal distribution around what the posterior says of the person, regressed on what people
have in common; they are wider than it by ``WIDENED``. Each draw shifts them anew, so that
their error averages out over draws. How many points carry the weight says where this fails; there
more are taken.

Assumes     the person's posterior is nearly normal on the line, as it is with several samples
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import xarray as xr
from scipy import special, stats
from scipy.special import logsumexp

from hepaflux.fitting.courses import noise_distribution
from hepaflux.model.build import TOLERANCE
from hepaflux.model.design import Design
from hepaflux.model.line import from_line, log_slope, to_line
from hepaflux.model.noise import normal_log_density, pointwise_log_density
from hepaflux.model.predict import in_a_row, predict
from hepaflux.model.recipe import Recipe, noise_unknowns, prepare, separate
from hepaflux.parameter import Parameter, size_of

POINTS = (64, 512)
"""Points for each person and draw, and how many where those were not enough; powers of two, as
Sobol sequences want."""

ENOUGH = 25
"""Effective points of the median draw with which more are not needed: each is known to a fifth."""

WIDENED = 1.25
"""How much wider the points lie than the posterior; a narrow proposal has heavy weights."""

CHUNK = 20_000
"""Draws times points that are evaluated at once, so that memory stays bounded."""

PERSON = "person"
"""Name of the variable among the log-likelihoods."""

EFFECTIVE = "effective_points"
"""Name of the variable beside it: how many points carry the weight; 0 where no point has any."""

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
        Of at most so many, evenly spread, the likelihood is computed.
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
    own, common = _own_parameters(recipe), _common(recipe, posterior)
    chains, length = posterior.sizes["chain"], posterior.sizes["draw"]
    kept = np.linspace(0, length - 1, min(length, max(1, draws // chains))).round().astype(int)
    rows = (length * np.arange(chains)[:, None] + kept).ravel()
    people = [_Person(recipe, own, posterior, i) for i in range(len(recipe.study.subjects))]
    found = [_integrated(one, common, rows, seed + i) for i, one in enumerate(people)]
    shape = (chains, len(kept), -1)
    columns = zip((PERSON, EFFECTIVE), zip(*found, strict=True), strict=True)
    values = {name: np.stack(column, axis=-1).reshape(shape) for name, column in columns}
    chosen = posterior.isel(draw=kept)
    names = [subject.name for subject in recipe.study.subjects]
    coords = {"chain": chosen.chain, "draw": chosen.draw, "subject": names}
    return xr.Dataset({n: (("chain", "draw", "subject"), v) for n, v in values.items()}, coords)


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


class _Person:
    """One person: a recipe of this person alone, and what the posterior says of the person.

    Attributes
    ----------
    line : array (draw, coordinate)
        The person's own parameters on the line.
    """

    def __init__(
        self, recipe: Recipe, own: tuple[Parameter, ...], posterior: xr.Dataset, number: int
    ):
        person, groups = recipe.study.subjects[number], recipe.study.groups
        self._recipe = prepare(
            replace(recipe.study, subjects=(person,)),
            recipe.system,
            design=Design(levels=separate(recipe).design.levels),
            noise=recipe.noise,
            adapted=True,
        )
        self._own, self._levels = own, recipe.design.levels
        at = {"subject": number, "group": groups.index(person.group) if person.group else 0}
        mine = posterior.isel(at, missing_dims="ignore")
        self._common = {name: in_a_row(mine[name]) for name in _common_names(recipe)}
        columns = [to_line(p.prior, in_a_row(mine[p.name]))[..., 0] for p in own]
        self.line = np.stack(columns, axis=-1)

    def density(self, points: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the joint log-density of points and measurements, shape (draw, point).

        Parameters
        ----------
        points : array (draw, point, coordinate)
            On the line.
        rows : array of int (draw,)
            Of the draws that say what people have in common.
        """
        common = {name: values[rows] for name, values in self._common.items()}
        shape = points.shape[:2]
        draws = {n: np.repeat(v, shape[1], axis=0)[:, None] for n, v in common.items()}
        total: Any = 0.0
        for j, parameter in enumerate(self._own):
            where = points[..., j]
            draws[parameter.name] = from_line(parameter.prior, where.reshape(-1, 1)[..., None])
            total = total + self._before(parameter, where, common)
        return np.asarray(total + _measured(self._recipe, draws).reshape(shape))

    def _before(
        self, parameter: Parameter, where: np.ndarray, common: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        """Return the log-density of an own parameter on the line, before measurement."""
        prior: Any = parameter.prior
        if self._levels[parameter.name] == "subject":
            middle = to_line(prior, common[f"{parameter.name}_population"])
            spread = common[f"{parameter.name}_spread"][:, None]
            return np.asarray(normal_log_density(where, middle, spread))
        value = from_line(prior, where[..., None])
        law: Any = _law(prior)
        return np.asarray(law.logpdf(value) + log_slope(prior, value))


@cache
def _law(prior: Any) -> Any:
    """Return the distribution of a prior; SciPy takes longer to make one than to use it."""
    return prior.distribution()


def _measured(recipe: Recipe, draws: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the log-likelihood of all measurements given all parameters, shape (draw,)."""
    means, total = predict(recipe, draws, tolerance=TOLERANCE), 0.0
    for observed in recipe.observations:
        law = noise_distribution(
            recipe, observed.output, observed.subject, draws, means[observed.output.name]
        )
        density = pointwise_log_density(law, observed.value, observed.censoring)
        total = total + density.sum(axis=1)
    return np.asarray(total)


class _Proposal:
    """Points on the line around what the posterior says of a person, draw by draw."""

    def __init__(self, line: np.ndarray, common: np.ndarray, size: int, seed: int):
        design = np.column_stack([np.ones(len(line)), common])
        slopes, *_ = np.linalg.lstsq(design, line, rcond=None)
        self.center = design @ slopes
        rest = np.atleast_2d(np.cov((line - self.center).T))
        self.factor = WIDENED * np.linalg.cholesky(rest + 1e-12 * np.eye(len(rest)))
        self.log_size = np.log(np.diag(self.factor)).sum()
        rng = np.random.default_rng(seed)
        self.uniform = stats.qmc.Sobol(line.shape[1], seed=rng).random(size)
        self.shift = rng.random((len(line), 1, line.shape[1]))

    def points(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the points of some draws (draw, point, coordinate), and their log-densities."""
        shifted = (self.uniform + self.shift[rows]) % 1.0
        standard = special.ndtri(np.clip(shifted, 1e-6, 1 - 1e-6))
        density = normal_log_density(standard, 0.0, 1.0).sum(axis=-1) - self.log_size
        return self.center[rows][:, None] + standard @ self.factor.T, density


def _integrated(
    person: _Person, common: np.ndarray, rows: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a person's log-likelihood and its effective points for some draws, shape (draw,)."""
    for size in POINTS:
        proposal = _Proposal(person.line, common, size, seed)
        parts = [_weighed(person, proposal, part) for part in _parts(rows, size)]
        likelihood, effective = (np.concatenate(column) for column in zip(*parts, strict=True))
        if np.median(effective) >= ENOUGH:
            break
    return likelihood, effective


def _parts(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    step = max(1, CHUNK // size)
    yield from (rows[first : first + step] for first in range(0, len(rows), step))


def _weighed(
    person: _Person, proposal: _Proposal, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    points, density = proposal.points(rows)
    return _summed(person.density(points, rows) - density)


def _summed(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the log of the mean weight over points, and how many points carry it.

    Parameters
    ----------
    weight : array (draw, point)
        Logarithms. What is no number, as where a course could not be followed, has no weight.
    """
    held = np.where(np.isnan(weight), -np.inf, weight)
    total = logsumexp(held, axis=1)
    is_held = np.isfinite(total)
    spread = logsumexp(2 * held, axis=1)
    twice = 2 * np.where(is_held, total, 0.0) - np.where(is_held, spread, 0.0)
    return total - np.log(weight.shape[1]), np.where(is_held, np.exp(twice), 0.0)
