"""Prediction: whether the model, with its noise, describes the measurements.

The share of measurements inside their central predictive intervals is compared with its nominal
value. The same measurements were fitted, so that a good model covers somewhat more, never less:
only a shortfall counts. Both tails of a misfit are judged by leave-one-out predictions where the
samples are many enough for the unknowns.
"""

import warnings
from collections.abc import Iterator, Sequence

import arviz_stats as azs
import numpy as np
import xarray as xr
from scipy import stats

from hepaflux.assess import history
from hepaflux.assess.check import Check, Limits, judge

COVERAGES = (0.5, 0.9)

FALSE_ALARM = 0.005
"""Probability that a calibrated interval warns, for each coverage and output."""

FALSE_FAILURE = 1e-6
"""Probability that a calibrated interval fails."""

SAMPLES_PER_UNKNOWN = 3
"""Leaving out a sample is only informative if the others still determine the unknowns."""

PARETO_K = 0.7
"""Above it, leaving out a sample cannot be imitated by weighting (Vehtari 2024, JMLR 25:72)."""

INFLUENTIAL_SHARE = Limits(0.05, np.inf)

EVENNESS = Limits(0.01, -np.inf)
"""Probability of so uneven a fall under a calibrated model: one false alarm in 100 studies."""

MOST_VALUES = 4_000_000
"""Draws times samples above which the draws are thinned for leave-one-out."""

NARROW = (
    "The measurements scatter more than the model expects: look at the fitted curves for a "
    "systematic misfit or outliers; if there is none, allow more measurement noise."
)
INFLUENTIAL = (
    "These few samples decide the result: look at them in the fitted curves, and repeat the fit "
    "without them."
)
UNEVEN = (
    "Samples do not fall where the model expects them when left out: the noise is mis-stated or "
    "the curve is systematically off; look at the fitted curves."
)


def check_predictions(posterior: xr.DataTree) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Return the checks of predictions and notes on those that could not be made."""
    checks: list[Check] = []
    notes: list[str] = []
    for whole, parts in history.wholes(posterior).items():
        for part in parts:
            checks += _check_coverage(posterior, part)
        reason = _why_not_left_out(posterior, whole, parts)
        if reason:
            notes.append(f"Leave-one-out predictions of {whole} were not judged: {reason}.")
        else:
            checks += _check_left_out(posterior, whole, parts)
    return tuple(checks), tuple(notes)


def _check_coverage(posterior: xr.DataTree, output: str) -> Iterator[Check]:
    """Yield one check for each predictive interval."""
    replicated = history.dataset(posterior, "posterior_predictive")
    if output not in replicated or replicated.sizes["chain"] * replicated.sizes["draw"] < 20:
        return
    measured = history.is_measured(posterior, output)
    observed = history.dataset(posterior, "observed_data")[output].values[measured]
    for nominal in COVERAGES:
        interval = azs.eti(replicated[output], prob=nominal, skipna=True)
        lower, upper = interval.transpose("ci_bound", ...).values[:, measured]
        inside = int(np.sum((lower <= observed) & (observed <= upper)))
        yield _coverage(output, nominal, inside, observed.size)


def _coverage(output: str, nominal: float, inside: int, n: int) -> Check:
    """Return the check of one predictive interval that holds ``inside`` of ``n`` samples."""
    least, least_tolerable = (
        float(stats.binom.ppf(alarm, n, nominal)) / max(n, 1)
        for alarm in (FALSE_ALARM, FALSE_FAILURE)
    )
    limits = Limits(least, min(least_tolerable, np.nextafter(least, -1)))
    advice = f"{inside} of {n} samples lie inside; a calibrated interval falls below the limit "
    advice += f"in {FALSE_ALARM:.1%} of studies. {NARROW}"
    name = f"samples inside their {nominal:.0%} interval"
    return judge(name, {output: inside / max(n, 1)}, limits, advice=advice)


def _why_not_left_out(posterior: xr.DataTree, whole: str, parts: Sequence[str]) -> str:
    """Return why leave-one-out makes no sense here; empty if it does."""
    likelihood = history.dataset(posterior, "log_likelihood")
    replicated = history.dataset(posterior, "posterior_predictive")
    if whole not in likelihood or not set(parts) <= set(replicated):
        return "the pointwise likelihood or the replicated measurements are not in the file"
    if likelihood.sizes["chain"] * likelihood.sizes["draw"] < 200:
        return "there are fewer than 200 draws"
    draws = history.draws(posterior)[list(history.unknowns(posterior))]
    n_unknown = sum(values.size for values in draws.isel(chain=0, draw=0).data_vars.values())
    is_measured = history.is_measured(posterior, parts[0])
    # The shares of a composition sum to one, so one of them says nothing new.
    n_samples = int(is_measured.sum()) * max(1, len(parts) - 1)
    if n_samples < SAMPLES_PER_UNKNOWN * n_unknown:
        return f"{n_samples} samples are few for {n_unknown} unknowns"
    measured = likelihood[whole].values[..., is_measured]
    if not np.isfinite(measured).all() or (np.ptp(measured, axis=(0, 1)) == 0).any():
        return "the likelihood of a sample is not finite or does not vary"
    return ""


def _check_left_out(posterior: xr.DataTree, whole: str, parts: Sequence[str]) -> Iterator[Check]:
    """Yield the checks of influential samples and of where left-out samples fall.

    The parts of a composition are left out together, and each falls somewhere; they share one
    false-alarm rate.
    """
    likelihood, replicated = _paired(posterior, whole, parts)
    weights, influence = (-likelihood).azstats.psislw(dim=list(history.SAMPLE_DIMS))
    is_measured = history.is_measured(posterior, parts[0])
    who = history.observation_subjects(posterior, parts[0])[is_measured]
    named = ", ".join(dict.fromkeys(who[~(influence.values <= PARETO_K)].tolist()))
    share = {whole: float((~(influence <= PARETO_K)).mean())}
    advice = f"Pareto k is above {PARETO_K} for this share of the samples (subject {named}). "
    yield judge("influential samples", share, INFLUENTIAL_SHARE, advice=advice + INFLUENTIAL)
    p_values = {}
    for part in parts:
        ranks = _left_out_ranks(posterior, replicated[part], weights, influence)
        p_values[part] = float(ranks.azstats.uniformity_test(dim=list(ranks.dims))[0])
    worst = min(p_values, key=lambda part: p_values[part])
    shared = {worst: min(1.0, len(parts) * p_values[worst])}
    yield judge("left-out samples fall evenly", shared, EVENNESS, advice=UNEVEN)


def _paired(
    posterior: xr.DataTree, whole: str, parts: Sequence[str]
) -> tuple[xr.DataArray, xr.Dataset]:
    """Return likelihood and replicates of the measured samples, at the draws that have both."""
    (dim,) = history.dataset(posterior, "observed_data")[parts[0]].dims
    likelihood, replicated = xr.align(
        history.dataset(posterior, "log_likelihood")[whole],
        history.dataset(posterior, "posterior_predictive")[list(parts)],
        join="inner",
        exclude=[dim],
    )
    step = max(1, likelihood.size // MOST_VALUES)
    kept = {dim: history.is_measured(posterior, parts[0]), "draw": slice(None, None, step)}
    return likelihood.isel(kept).astype(float), replicated.isel(kept).astype(float)


def _left_out_ranks(
    posterior: xr.DataTree, replicated: xr.DataArray, weights: xr.DataArray, influence: xr.DataArray
) -> xr.DataArray:
    """Return the probability of a smaller value than each sample, predicted from the others."""
    output = str(replicated.name)
    (dim,) = history.dataset(posterior, "observed_data")[output].dims
    measured = {dim: history.is_measured(posterior, output)}
    observed = history.dataset(posterior, "observed_data")[output].isel(measured)
    with warnings.catch_warnings():
        # Influential samples are a check of their own; here the message would only repeat it.
        warnings.filterwarnings("ignore", message=".*Pareto k.*")
        ranks, _ = replicated.azstats.loo_pit(
            y_obs=observed,
            log_weights=weights,
            pareto_k=influence,
            r_eff=1.0,
            sample_dims=list(history.SAMPLE_DIMS),
        )
    # A sample beyond all draws is rarer than one in their number, by how much is not known.
    resolution = 0.5 / (replicated.sizes["chain"] * replicated.sizes["draw"])
    clipped: xr.DataArray = ranks.clip(resolution, 1 - resolution)
    return clipped
