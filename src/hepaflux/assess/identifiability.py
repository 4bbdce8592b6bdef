"""Identifiability: what the data can tell, as opposed to what the priors said before.

Three questions. Did the data narrow each parameter (contraction, on the scale of its support)? Can
it be told from the others (correlation of the draws)? Does its posterior move when the prior is
strengthened or weakened (power scaling; Kallioinen 2024, Stat Comput 34:57)? A parameter that fails
one of them has a number, but the number is not a finding.
"""

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import arviz_stats  # noqa: F401  (registers the accessor azstats)
import numpy as np
import xarray as xr

from hepaflux.assess import history
from hepaflux.assess.check import IDENTIFIED, POWER_SCALING, Check, Limits, judge
from hepaflux.assess.separation import (
    by_place,
    check_dependence,
    check_separation,
    unconstrained,
)

CONTRACTION = Limits(0.1, -np.inf)
"""One minus the ratio of posterior to prior variance; below 0.1 the data said nothing."""

SENSITIVITY = 0.05
"""Power-scaling sensitivity from which a prior or a likelihood matters."""

TIGHT_PRIOR = 0.15
"""Prior standard deviation of the logarithm up to which a parameter is assumed, not sought."""

ALPHAS = (0.99, 1.01)
"""Powers to which prior and likelihood are raised."""

FEWEST_DRAWS = 200

NOT_IDENTIFIED = (
    "NOT IDENTIFIED: the posterior is as wide as the prior, or nearly so; the number repeats the "
    "prior and is not a finding. Fix {name} from the literature, or take samples that bear on it."
)
ASSUMED = "{name} rests on its narrow prior: read it as an assumption, not as a result."
CARRIED = "{name} only carries its prior's uncertainty along: it is no result."
SHAPED = (
    "Prior and data both shape {name}: it moves when its prior is made stronger or weaker. Check "
    "that the prior and its unit are meant, and report them with the result."
)
PRIOR_DRIVEN = (
    "The prior moves the result more than the data do: report {name} together with its prior, or "
    "take more samples."
)


def check_identifiability(posterior: xr.DataTree) -> tuple[Check, ...]:
    """Return the checks of what the data determine; none if there are too few draws."""
    draws = history.draws(posterior)
    if draws.sizes["chain"] * draws.sizes["draw"] < FEWEST_DRAWS:
        return ()
    contraction = tuple(_check_contraction(posterior, draws))
    flagged = {check.target for check in contraction if check.status != "pass"}
    assumed = {name for name in draws.data_vars if _is_tight(posterior, str(name))}
    assumed |= set(history.structure(posterior, "carried"))
    sought = [n for n in history.unknowns(posterior) if n not in flagged | assumed]
    ridges = (*check_separation(posterior, sought), *check_dependence(posterior))
    return (*contraction, *ridges, *_check_power_scaling(posterior, sought))


def _spread(posterior: xr.DataTree, values: xr.DataArray) -> xr.DataArray:
    """Return the standard deviation of draws on the scale of their support."""
    return unconstrained(posterior, values).std(history.SAMPLE_DIMS)


def _is_tight(posterior: xr.DataTree, name: str) -> bool:
    """Return whether a parameter's prior is so narrow that its value is an assumption."""
    prior = history.dataset(posterior, "prior")
    if name not in prior or not bool((prior[name] > 0).all()):
        return False
    return bool((_spread(posterior, prior[name]) <= TIGHT_PRIOR).all())


def _contraction(posterior: xr.DataTree, values: xr.DataArray) -> xr.DataArray:
    """Return one minus the ratio of posterior to prior variance."""
    before = history.dataset(posterior, "prior")[str(values.name)]
    same_scale = bool((before > 0).all()) == bool((values > 0).all())
    if not same_scale:
        narrowing: xr.DataArray = 1 - values.var(history.SAMPLE_DIMS) / before.var(
            history.SAMPLE_DIMS
        )
        return narrowing
    return 1 - (_spread(posterior, values) / _spread(posterior, before)) ** 2


def _check_contraction(posterior: xr.DataTree, draws: xr.Dataset) -> Iterator[Check]:
    """Yield one check for each unknown, over all its subjects and elements."""
    prior = history.dataset(posterior, "prior")
    for name in (n for n in history.unknowns(posterior) if n in prior):
        if float(prior[name].std()) == 0 or float(draws[name].std()) == 0:
            continue
        values = by_place(_contraction(posterior, draws[name]))
        check = judge(IDENTIFIED, values, CONTRACTION, advice=NOT_IDENTIFIED.format(name=name))
        if check.advice and name in history.structure(posterior, "carried"):
            check = replace(check, status="pass", advice=CARRIED.format(name=name))
        elif check.advice and _is_tight(posterior, name):
            check = replace(check, status="pass", advice=ASSUMED.format(name=name))
        yield replace(check, target=name)


def _check_power_scaling(posterior: xr.DataTree, names: Iterable[str]) -> Iterator[Check]:
    """Yield one check for each unknown whose prior and likelihood can be scaled.

    In a hierarchical fit the priors of the population are scaled: those of the subjects are part
    of the model, and their sensitivities would say nothing new.
    """
    if not {"log_prior", "log_likelihood"} <= set(posterior.children):
        return
    each = history.is_each(posterior)
    draws = history.draws(posterior)
    sought = [n for n in names if (each or "subject" not in draws[n].dims) and draws[n].std() > 0]
    if not sought:
        return
    prior, likelihood = _log_prior(posterior, each=each), _log_likelihood(posterior, each=each)
    if not all(bool((part.std(history.SAMPLE_DIMS) > 0).all()) for part in (prior, likelihood)):
        return  # a flat density stays flat at every power
    to_prior = _sensitivity(draws[sought], prior)
    to_likelihood = _sensitivity(draws[sought], likelihood)
    for name in sought:
        yield _power_scaling(name, by_place(to_prior[name]), by_place(to_likelihood[name]))


def _power_scaling(
    name: str, to_prior: Mapping[str, float], to_likelihood: Mapping[str, float]
) -> Check:
    """Return the check of one parameter from its sensitivities to prior and likelihood."""
    limits = Limits(SENSITIVITY, np.inf)
    informed = to_likelihood[limits.worst(to_prior)] >= SENSITIVITY
    advice = (SHAPED if informed else PRIOR_DRIVEN).format(name=name)
    check = judge(POWER_SCALING, to_prior, limits, advice=advice)
    return replace(check, target=name)


def _sensitivity(draws: xr.Dataset, log_density: xr.DataArray) -> xr.Dataset:
    """Return how fast each posterior changes when a log density is scaled, as ``azs.psense``.

    The accessors are called instead of ``azs.psense`` because they take the sum by subject and
    judge all subjects at once.
    """
    dims = list(history.SAMPLE_DIMS)
    log_weights = [log_density.azstats.power_scale_lw(alpha=alpha, dim=dims) for alpha in ALPHAS]
    lower, upper = (np.exp(weight) / np.exp(weight).sum(dims) for weight in log_weights)
    return draws.azstats.power_scale_sense(
        lower_w=lower,
        upper_w=upper,
        lower_alpha=ALPHAS[0],
        upper_alpha=ALPHAS[1],
        sample_dims=dims,
    )


def _log_prior(posterior: xr.DataTree, *, each: bool) -> xr.DataArray:
    """Return the log density of the prior that is scaled, by subject if each was fitted alone.

    What is only carried along is part of the model.
    """
    every = history.dataset(posterior, "log_prior")
    carried = [name for name in history.structure(posterior, "carried") if name in every]
    parts = every.drop_vars(carried).data_vars.values()
    if each:
        return _total(parts, keep=(*history.SAMPLE_DIMS, "subject"))
    population = [part for part in parts if "subject" not in part.dims]
    return _total(population or parts, keep=history.SAMPLE_DIMS)


def _log_likelihood(posterior: xr.DataTree, *, each: bool) -> xr.DataArray:
    """Return the log likelihood, by subject if each was fitted alone."""
    parts = history.dataset(posterior, "log_likelihood").data_vars
    if not each:
        return _total(parts.values(), keep=history.SAMPLE_DIMS)
    by_subject = []
    for output, part in parts.items():
        subject = history.observation_subjects(posterior, str(output))
        who = xr.DataArray(subject, dims=part.dims[-1], name="subject")
        by_subject.append(part.groupby(who).sum())
    order = list(history.coordinate(posterior, "subject"))
    whole = [part.reindex(subject=order, fill_value=0.0) for part in by_subject]
    return _total(whole, keep=(*history.SAMPLE_DIMS, "subject"))


def _total(parts: Iterable[xr.DataArray], *, keep: tuple[str, ...]) -> xr.DataArray:
    """Return the sum of log densities over all but the dimensions kept."""
    sums = [part.astype(float).sum([dim for dim in part.dims if dim not in keep]) for part in parts]
    total: xr.DataArray = functools.reduce(operator.add, sums)
    return total
