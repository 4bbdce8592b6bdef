"""Separation: which parameters the data can only determine together.

Two parameters are tied if their draws lie on a ridge. Priors cut a ridge short and so hide it, so
it is looked for in what the data alone say: near its peak the logarithm of the posterior is a
quadratic, the priors' part of its curvature is known, and what is left is the data's. Parameters
with a narrow prior are assumptions and keep theirs.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from hepaflux.assess import history
from hepaflux.assess.check import SEPARATE, Check, Limits, judge

CORRELATION = Limits(0.85, np.inf)
"""Correlation in the data alone; at 0.85 fixing one parameter halves the other's interval."""

KNOWN = 0.05
"""Standard deviation of the logarithm in the data alone up to which a parameter is known.

Two parameters that are both known to within 5 % are told apart, however correlated they are.
"""

LEAST_SHARE = 0.05
"""Share of the data in a direction's information below which it is not told from none."""

RIDGE = (
    "{first} and {second} are NOT IDENTIFIED separately (correlation {r:+.2f} on the log scale in "
    "the data alone): the data determine roughly their {combination}, and neither alone. Fix one, "
    "give one a tighter prior, or take more samples; fixing one would narrow the other "
    "{fold:.1f}-fold."
)

DEPENDENCE = Limits(0.5, np.inf)
"""Share of a result's variance that would go if what it rests on were known."""

CONDITIONAL = (
    "{result} is conditional on {others}: they trade off, so that their priors set {result} as "
    "much as the data do. Were they known, its variance would fall by {share:.0%}; report it with "
    "their priors, or measure them."
)


def unconstrained(posterior: xr.DataTree, values: xr.DataArray) -> xr.DataArray:
    """Return draws on the scale of their support: logit of shares, log of positive numbers.

    Parameters
    ----------
    posterior : DataTree
        Its attribute ``supports`` tells a share from a small positive number.
    values : DataArray
        One variable.
    """
    if history.words(posterior, "supports", str(values.name)) in ("unit", "simplex"):
        shares = values.clip(1e-12, 1 - 1e-12)
        return np.log(shares) - np.log1p(-shares)
    return np.log(values) if bool((values > 0).all()) else values


def by_place(values: xr.DataArray) -> dict[str, float]:
    """Return the numbers of an array by their coordinates in words.

    Parameters
    ----------
    values : DataArray
        Any dimensions; none gives one number without a name.
    """
    axes = [[str(label) for label in values[dim].values] for dim in values.dims]
    labels = (" ".join(place) for place in itertools.product(*axes))
    return dict(zip(labels, values.values.ravel().tolist(), strict=True))


def check_separation(posterior: xr.DataTree, sought: Sequence[str]) -> tuple[Check, ...]:
    """Return one check for each pair that cannot be told apart, or one that all can.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    sought : sequence of str
        Parameters whose priors are taken out, because the data speak about them.
    """
    draws = history.draws(posterior)
    names = [n for n in history.unknowns(posterior) if _is_own(draws[n])]
    if len(names) < 2:
        return ()
    covariance = _covariance_of_data(posterior, draws[names], sought)
    correlation = _correlation(covariance)
    pairs = [
        _check_pair(first, second, by_place(correlation.sel(unknown=first, other=second)))
        for first, second in itertools.combinations(names, 2)
    ]
    tied = tuple(pair for pair in pairs if pair.advice)
    return tied or (max(pairs, key=lambda pair: pair.value or 0.0),)


def check_dependence(posterior: xr.DataTree) -> tuple[Check, ...]:
    """Return one check for each result of which the system says on what it rests.

    Parameters
    ----------
    posterior : DataTree
        Its attribute ``rests_on`` names the parameters that a result trades off with.
    """
    draws = history.draws(posterior)
    rests_on = history.structure(posterior, "rests_on")
    checks = []
    for result, named in rests_on.items():
        others = [name for name in named if name in draws and float(draws[name].std()) > 0]
        if result in draws and others and float(draws[result].std()) > 0:
            shares = by_place(_explained(posterior, draws[[result, *others]]))
            checks.append(_check_dependence(result, others, shares))
    return tuple(checks)


def _by_element(draws: xr.Dataset) -> xr.Dataset:
    """Return draws with each element of a vector as a variable of its own."""
    kept = (*history.SAMPLE_DIMS, "subject", "group")
    elements = {}
    for name, values in draws.items():
        axes = [dim for dim in values.dims if dim not in kept]
        rows = values.stack(element=axes) if axes else values.expand_dims("element")
        for i in range(rows.sizes["element"]):
            elements[f"{name}[{i}]" if axes else name] = rows.isel(element=i, drop=True)
    return xr.Dataset(elements)


def _explained(posterior: xr.DataTree, draws: xr.Dataset) -> xr.DataArray:
    """Return the share of the first variable's variance that the others explain, at each place."""

    def explained(matrix: np.ndarray) -> np.ndarray:
        with_result, among = matrix[..., 1:, 0], matrix[..., 1:, 1:]
        slopes = np.linalg.solve(among, with_result[..., None])[..., 0]
        share: np.ndarray = (slopes * with_result).sum(axis=-1) / matrix[..., 0, 0]
        return share

    covariance = _covariance(posterior, _by_element(draws))
    return xr.apply_ufunc(explained, covariance, input_core_dims=[["unknown", "other"]])


def _check_dependence(result: str, others: Sequence[str], shares: Mapping[str, float]) -> Check:
    """Return the check whether a result stands on its own."""
    worst = shares[DEPENDENCE.worst(shares)]
    advice = CONDITIONAL.format(result=result, others=history.join(others), share=worst)
    check = judge(SEPARATE, shares, DEPENDENCE, advice=advice)
    return replace(check, target=" and ".join([result, *others]))


def _is_own(values: xr.DataArray) -> bool:
    """Return whether a variable is one varying number per subject, per group, or shared."""
    scalar = set(values.dims) <= {*history.SAMPLE_DIMS, "subject", "group"}
    own = not str(values.name).endswith(history.POPULATION_SUFFIXES)
    return scalar and own and float(values.std()) > 0


def _covariance_of_data(
    posterior: xr.DataTree, draws: xr.Dataset, sought: Sequence[str]
) -> xr.DataArray:
    """Return the covariances in the data alone, by pair and place."""
    covariance = _covariance(posterior, draws)
    prior = history.dataset(posterior, "prior")
    removed = [n for n in draws.data_vars if n in sought and n in prior and float(prior[n].std())]
    if removed:
        before = _covariance(posterior, prior[removed])
        place = [list(draws.data_vars).index(name) for name in removed]
        covariance = xr.apply_ufunc(
            lambda after, before: _without_prior(after, before, place),
            covariance,
            before.rename(unknown="known", other="known_other"),
            input_core_dims=[["unknown", "other"], ["known", "known_other"]],
            output_core_dims=[["unknown", "other"]],
        )
    return covariance


def _correlation(covariance: xr.DataArray) -> xr.DataArray:
    """Return the correlations; zero where both parameters are known."""
    variance = xr.apply_ufunc(
        lambda matrix: np.diagonal(matrix, axis1=-2, axis2=-1),
        covariance,
        input_core_dims=[["unknown", "other"]],
        output_core_dims=[["unknown"]],
    )
    scale: xr.DataArray = np.sqrt(variance)
    other = scale.rename(unknown="other")
    correlation = covariance / (scale * other)
    return correlation.where((scale > KNOWN) | (other > KNOWN), 0.0)


def _covariance(posterior: xr.DataTree, draws: xr.Dataset) -> xr.DataArray:
    """Return the covariance matrix on the unconstrained scale at each place."""
    scaled = xr.broadcast(*(unconstrained(posterior, values) for values in draws.values()))
    names = xr.DataArray(list(draws.data_vars), dims="unknown", name="unknown")
    table = xr.concat(scaled, dim=names)
    centered = table - table.mean(history.SAMPLE_DIMS)
    n = table.sizes["chain"] * table.sizes["draw"]
    other = centered.rename(unknown="other")
    return xr.dot(centered, other, dim=history.SAMPLE_DIMS) / (n - 1)


def _without_prior(after: np.ndarray, before: np.ndarray, place: Sequence[int]) -> np.ndarray:
    """Return the covariance that the data alone would give.

    Parameters
    ----------
    after : array (..., unknown, unknown)
        Covariance of the posterior.
    before : array (..., known, known)
        Covariance of the priors that are taken out.
    place : sequence of int
        Where those parameters stand among the unknowns.
    """
    scale = np.sqrt(np.diagonal(after, axis1=-2, axis2=-1))
    n = after.shape[-1]
    # A product that is exactly determined makes the matrix singular; this is far below the noise.
    ridge = 1e-9 * np.eye(n) * scale[..., None] ** 2
    root = np.linalg.cholesky(after + ridge)
    removed = np.zeros_like(after)
    removed[..., np.ix_(place, place)[0], np.ix_(place, place)[1]] = np.linalg.inv(before)
    share = np.eye(n) - np.swapaxes(root, -1, -2) @ removed @ root
    values, vectors = np.linalg.eigh(share)
    spread = root @ vectors / np.sqrt(np.clip(values, LEAST_SHARE, None))[..., None, :]
    whole: np.ndarray = spread @ np.swapaxes(spread, -1, -2)
    return whole


def _check_pair(first: str, second: str, correlation: Mapping[str, float]) -> Check:
    """Return the check whether two parameters can be told apart."""
    strength = {place: abs(r) for place, r in correlation.items()}
    worst = correlation[CORRELATION.worst(strength)]
    advice = RIDGE.format(
        first=first,
        second=second,
        r=worst,
        combination="product" if worst < 0 else "ratio",
        fold=1 / np.sqrt(max(1 - worst**2, 1e-6)),
    )
    check = judge(SEPARATE, strength, CORRELATION, advice=advice)
    detail = dict(correlation) if len(correlation) > 1 else {}
    return replace(check, target=f"{first} and {second}", detail=detail)
