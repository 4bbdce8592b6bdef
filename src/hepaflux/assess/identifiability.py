"""Identifiability: what the data can tell, as opposed to what the priors said before.

Three questions. Did the data narrow each parameter (contraction, on the scale of its support)? Can
it be told from the others (correlation of the draws)? Does its posterior move when the prior is
strengthened or weakened (power scaling; Kallioinen 2024, Stat Comput 34:57)? A parameter that fails
one of them has a number, but the number is not a finding.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping

import arviz_stats as azs
import numpy as np
import xarray as xr

from hepaflux.assess import history
from hepaflux.assess.check import IDENTIFIED, SEPARATE, Check, Limits, judge

CONTRACTION = Limits(0.1, -np.inf)
"""One minus the ratio of posterior to prior variance; below 0.1 the data said nothing."""

CORRELATION = Limits(0.9, np.inf)

SENSITIVITY = 0.05
"""Power-scaling sensitivity from which a prior or a likelihood matters."""

TIGHT_PRIOR = 0.15
"""Prior standard deviation of the logarithm up to which a parameter is assumed, not sought."""

FEWEST_DRAWS = 200

NOT_IDENTIFIED = (
    "NOT IDENTIFIED: the posterior is nearly as wide as the prior, so the number repeats the prior "
    "and is not a finding. Fix {name} from the literature, or take samples that bear on it."
)
ASSUMED = "{name} rests on its narrow prior: read it as an assumption, not as a result."
RIDGE = (
    "{first} and {second} are NOT IDENTIFIED separately (correlation {r:+.2f} on the log scale): "
    "the data determine roughly their {combination}, and neither alone. Fix one, give one a "
    "tighter prior, or take more samples; fixing one would narrow the other {fold:.1f}-fold."
)
CONFLICT = (
    "The result moves when its prior is made stronger or weaker, although the data are "
    "informative: the prior of {name} may contradict the data. Check the prior and its unit."
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
    sought = [n for n in history.unknowns(posterior) if n not in flagged | assumed]
    ridges = _check_ridges(posterior, draws)
    return (*contraction, *ridges, *_check_power_scaling(posterior, sought))


def unconstrained(posterior: xr.DataTree, values: xr.DataArray) -> xr.DataArray:
    """Return draws on the scale of their support: logit of shares, log of positive numbers.

    Parameters
    ----------
    posterior : DataTree
        Holds the text of the prior, which tells a share from a small positive number.
    values : DataArray
        One variable.
    """
    prior = history.words(posterior, "priors", str(values.name))
    if "alpha=" in prior or "concentration=" in prior:
        shares = values.clip(1e-12, 1 - 1e-12)
        return np.log(shares) - np.log1p(-shares)
    return np.log(values) if bool((values > 0).all()) else values


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


def _by_place(values: xr.DataArray) -> dict[str, float]:
    """Return the numbers of an array by their coordinates in words."""
    axes = [[str(label) for label in values[dim].values] for dim in values.dims]
    labels = (" ".join(place) for place in itertools.product(*axes))
    return dict(zip(labels, values.values.ravel().tolist(), strict=True))


def _check_contraction(posterior: xr.DataTree, draws: xr.Dataset) -> Iterator[Check]:
    """Yield one check for each unknown, over all its subjects and elements."""
    prior = history.dataset(posterior, "prior")
    for name in (n for n in history.unknowns(posterior) if n in prior):
        if float(prior[name].std()) == 0 or float(draws[name].std()) == 0:
            continue
        values = _by_place(_contraction(posterior, draws[name]))
        check = judge(IDENTIFIED, values, CONTRACTION, advice=NOT_IDENTIFIED.format(name=name))
        tight = _is_tight(posterior, name)
        advice = ASSUMED.format(name=name) if tight and check.advice else check.advice
        status = "pass" if tight else check.status
        limit = CONTRACTION.good
        yield Check(IDENTIFIED, name, check.value, limit, status, advice, check.detail)


def _check_ridges(posterior: xr.DataTree, draws: xr.Dataset) -> tuple[Check, ...]:
    """Return one check for each pair that cannot be told apart, or one that all can."""
    names = [n for n in history.unknowns(posterior) if _is_own(draws[n])]
    scaled = {n: unconstrained(posterior, draws[n]) for n in names}
    pairs = [
        _check_pair(scaled[first], scaled[second])
        for first, second in itertools.combinations(names, 2)
    ]
    if not pairs:
        return ()
    tied = tuple(pair for pair in pairs if pair.advice)
    return tied or (max(pairs, key=lambda pair: abs(pair.value or 0)),)


def _is_own(values: xr.DataArray) -> bool:
    """Return whether a variable is one varying number per subject, per group, or shared."""
    scalar = set(values.dims) <= {*history.SAMPLE_DIMS, "subject", "group"}
    own = not str(values.name).endswith(history.POPULATION_SUFFIXES)
    return scalar and own and float(values.std()) > 0


def _check_pair(first: xr.DataArray, second: xr.DataArray) -> Check:
    """Return the check whether two parameters can be told apart."""
    correlation = _by_place(xr.corr(first, second, dim=history.SAMPLE_DIMS))
    strength = {place: abs(r) for place, r in correlation.items()}
    worst = correlation[max(strength, key=lambda place: strength[place])]
    advice = RIDGE.format(
        first=first.name,
        second=second.name,
        r=worst,
        combination="product" if worst < 0 else "ratio",
        fold=1 / np.sqrt(max(1 - worst**2, 1e-6)),
    )
    check = judge(SEPARATE, strength, CORRELATION, advice=advice)
    target = f"{first.name} and {second.name}"
    detail = correlation if len(correlation) > 1 else {}
    limit = CORRELATION.good
    return Check(SEPARATE, target, check.value, limit, check.status, check.advice, detail)


def _check_power_scaling(posterior: xr.DataTree, names: Iterable[str]) -> Iterator[Check]:
    """Yield one check for each unknown whose prior or likelihood can be scaled."""
    if not {"log_prior", "log_likelihood"} <= set(posterior.children):
        return
    draws = history.draws(posterior)
    each = history.is_each(posterior)
    names = [n for n in names if (each or "subject" not in draws[n].dims) and draws[n].std() > 0]
    if not names:
        return
    subjects = history.coordinate(posterior, "subject") if each else ("",)
    found = {subject: _sensitivity(posterior, names, subject) for subject in subjects}
    for name in names:
        sensitivity = {
            f"{subject} {place}".strip(): values
            for subject, by_name in found.items()
            for place, values in by_name[name].items()
        }
        yield _power_scaling(name, sensitivity)


def _power_scaling(name: str, sensitivity: Mapping[str, tuple[float, float]]) -> Check:
    """Return the check of one parameter from its sensitivities to prior and likelihood."""
    to_prior = {place: prior for place, (prior, _) in sensitivity.items()}
    limits = Limits(SENSITIVITY, np.inf)
    worst = limits.worst(to_prior)
    advice = CONFLICT if sensitivity[worst][1] >= SENSITIVITY else PRIOR_DRIVEN
    check = judge("power scaling", to_prior, limits, advice=advice.format(name=name))
    return Check(check.name, name, check.value, SENSITIVITY, check.status, check.advice, to_prior)


def _sensitivity(
    posterior: xr.DataTree, names: list[str], subject: str
) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the sensitivities to prior and likelihood, by parameter and place."""
    tree = _scalable(posterior, names, subject)
    to_prior = azs.psense(tree, group="prior")
    to_likelihood = azs.psense(tree, group="likelihood")
    prior, likelihood = (_dataset(values) for values in (to_prior, to_likelihood))
    return {
        name: {
            place: (value, _by_place(likelihood[name])[place])
            for place, value in _by_place(prior[name]).items()
        }
        for name in names
    }


def _dataset(values: xr.Dataset | xr.DataTree) -> xr.Dataset:
    """Return a dataset, whichever of the two ArviZ returned."""
    return values.to_dataset() if isinstance(values, xr.DataTree) else values


def _scalable(posterior: xr.DataTree, names: list[str], subject: str) -> xr.DataTree:
    """Return the part of inference data whose prior and likelihood are scaled together.

    In a hierarchical fit these are the priors of the population: those of the subjects are part
    of the model. If each subject was fitted alone it is that subject's part.
    """
    draws = history.draws(posterior)[names]
    prior = history.dataset(posterior, "log_prior")
    likelihood = history.dataset(posterior, "log_likelihood")
    if subject:
        draws, prior = draws.sel(subject=subject), prior.sel(subject=subject)
        likelihood = xr.Dataset(
            {
                output: values.isel(
                    {values.dims[-1]: history.observation_subjects(posterior, str(output)) == subject}
                )
                for output, values in likelihood.data_vars.items()
            }
        )
    else:
        population = [n for n, values in prior.data_vars.items() if "subject" not in values.dims]
        prior = prior[population] if population else prior
    parts = {"posterior": draws, "log_prior": prior, "log_likelihood": likelihood}
    return xr.DataTree.from_dict({name: part.drop_vars("subject", errors="ignore") if subject else part for name, part in parts.items()})
