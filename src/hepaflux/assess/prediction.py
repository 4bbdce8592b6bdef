"""Prediction: whether the model, with its noise, describes the measurements.

The share of measurements inside their central predictive intervals is compared with its nominal
value. The same measurements were fitted, so that a good model covers somewhat more, never less:
only a shortfall counts. Both tails of a misfit are judged by leave-one-out predictions where the
samples are many enough for the unknowns.
"""

import warnings
from collections.abc import Iterator

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
    for output in history.outputs(posterior):
        checks += _check_coverage(posterior, output)
        reason = _why_not_left_out(posterior, output)
        if reason:
            notes.append(f"Leave-one-out predictions of {output} were not judged: {reason}.")
        else:
            checks += _check_left_out(posterior, output)
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


def _why_not_left_out(posterior: xr.DataTree, output: str) -> str:
    """Return why leave-one-out makes no sense here; empty if it does."""
    likelihood = history.dataset(posterior, "log_likelihood")
    if output not in likelihood or output not in history.dataset(posterior, "posterior_predictive"):
        return "the pointwise likelihood or the replicated measurements are not in the file"
    if likelihood.sizes["chain"] * likelihood.sizes["draw"] < 200:
        return "there are fewer than 200 draws"
    draws = history.draws(posterior)[list(history.unknowns(posterior))]
    n_unknown = sum(values.size for values in draws.isel(chain=0, draw=0).data_vars.values())
    n_samples = int(history.is_measured(posterior, output).sum())
    if n_samples < SAMPLES_PER_UNKNOWN * n_unknown:
        return f"{n_samples} samples are few for {n_unknown} unknowns"
    measured = likelihood[output].values[..., history.is_measured(posterior, output)]
    if not np.isfinite(measured).all() or (np.ptp(measured, axis=(0, 1)) == 0).any():
        return "the likelihood of a sample is not finite or does not vary"
    return ""


def _check_left_out(posterior: xr.DataTree, output: str) -> Iterator[Check]:
    """Yield the checks of influential samples and of where left-out samples fall."""
    likelihood, replicated = _paired(posterior, output)
    weights, influence = (-likelihood).azstats.psislw(dim=list(history.SAMPLE_DIMS))
    who = history.observation_subjects(posterior, output)[history.is_measured(posterior, output)]
    named = ", ".join(dict.fromkeys(who[~(influence.values <= PARETO_K)].tolist()))
    share = {output: float((~(influence <= PARETO_K)).mean())}
    advice = f"Pareto k is above {PARETO_K} for this share of the samples (subject {named}). "
    yield judge("influential samples", share, INFLUENTIAL_SHARE, advice=advice + INFLUENTIAL)
    values = _left_out_ranks(posterior, replicated, weights, influence)
    p_value = float(values.azstats.uniformity_test(dim=list(values.dims))[0])
    yield judge("left-out samples fall evenly", {output: p_value}, EVENNESS, advice=UNEVEN)


def _paired(posterior: xr.DataTree, output: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Return likelihood and replicates of the measured samples, at the draws that have both."""
    (dim,) = history.dataset(posterior, "observed_data")[output].dims
    measured = {dim: history.is_measured(posterior, output)}
    likelihood, replicated = xr.align(
        *(
            history.dataset(posterior, name)[output]
            for name in ("log_likelihood", "posterior_predictive")
        ),
        join="inner",
        exclude=[dim],
    )
    step = max(1, likelihood.size // MOST_VALUES)
    return tuple(
        values.isel(measured).isel(draw=slice(None, None, step)).astype(float)
        for values in (likelihood, replicated)
    )


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
