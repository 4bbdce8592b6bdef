"""Simulation-based calibration (Talts et al. 2018): priors and likelihood are inverted rightly.

Parameters and data are drawn from the model, the model is fitted to the data, and the rank of each
true value among its posterior draws must be uniform. Every unknown of every study is checked in
three ways: 5, 5, 10 and 9 unknowns make 87 checks. They share one false-alarm rate (Bonferroni), so
that a sound sampler fails in at most one run of this file in two hundred. The chi-square
approximation alarms a fifth too often so far out, the discrete binomials a fifth and more too
seldom; together they stay below the rate.
"""

import numpy as np
import pytest
from scipy import stats
from virtual import IVGTT, OGTT, ivgtt, ogtt, study_of

import hepaflux as hf
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model
from hepaflux.model.noise import noise_of
from hepaflux.model.predict import predict

pytestmark = pytest.mark.slow

REPLICATES = 120
DRAWS = 240
KEPT = 59
"""Draws that are left after thinning; ranks then run from 0 to 59."""
BINS = 6
FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of this file."""

STUDIES = {
    "minimal rich": (hf.systems.minimal, ivgtt(time=IVGTT)),
    "minimal sparse": (hf.systems.minimal, ivgtt(time=IVGTT[[0, 1, 3, 5, 7, 9, 12, 14, 17]])),
    "oral rich": (hf.systems.oral, ogtt(time=OGTT)),
    "oral sparse": (hf.systems.oral, ogtt(time=OGTT[[0, 3, 5, 6, 7]])),
}


def draw_truth(recipe, rng):
    """Draw every unknown of a single subject, its noise included, from the priors."""
    truth = {}
    for name, prior in recipe.system.priors.items():
        if prior.support != "fixed":
            truth[name] = np.asarray(prior.distribution().rvs(random_state=rng)).squeeze()
    return truth


def draw_data(recipe, truth, rng):
    """Draw the measurements of a single subject."""
    (observed,) = recipe.observations
    output = observed.output
    mean = predict(recipe, {k: v[None] for k, v in truth.items()}, tolerance=(1e-8, 1e-8))
    cv = truth.get(f"{output.name}_cv", getattr(output.cv, "value", None))
    noise = noise_of(output).scipy(mean[output.name][0], {f"{output.name}_cv": cv}, output.name)
    return noise.rvs(random_state=rng)


def ranks_of(name, *, seed):
    """Rank of the truth among thinned posterior draws, by parameter, shape (replicate,)."""
    system, subject = STUDIES[name]
    model = hf.build_model(study_of(subject), system)
    compiled = compile_model(model, keep=[v.name for v in model.free_RVs])
    rng = np.random.default_rng(seed)
    ranks = {}
    for replicate in range(REPLICATES):
        truth = draw_truth(model.recipe, rng)
        data = draw_data(model.recipe, truth, rng)
        tree = nuts.sample(
            compiled.with_data(glucose_measured=data),
            draws=DRAWS,
            tune=300,
            chains=1,
            seed=seed + replicate,
        )
        chosen = tree["posterior"].isel(chain=0, draw=np.linspace(0, DRAWS - 1, KEPT).astype(int))
        for parameter, value in truth.items():
            below = np.atleast_1d((chosen[parameter].to_numpy() < value).sum(axis=0))
            for j, rank in enumerate(below):
                ranks.setdefault(f"{parameter}{j if value.ndim else ''}", []).append(rank)
    return {parameter: np.array(values) for parameter, values in ranks.items()}


@pytest.mark.parametrize("name", STUDIES)
def test_ranks_are_uniform_and_intervals_cover(name):
    ranks = ranks_of(name, seed=20)
    report = {}
    for parameter, values in ranks.items():
        counts = np.bincount(values * BINS // (KEPT + 1), minlength=BINS)
        u = (values + 0.5) / (KEPT + 1)
        covered = {share: int((np.abs(u - 0.5) < share / 2).sum()) for share in (0.5, 0.9)}
        report[parameter] = (
            stats.chisquare(counts).pvalue,
            *(stats.binomtest(n, len(u), share).pvalue for share, n in covered.items()),
        )
    checks = len(STUDIES) * sum(len(pvalues) for pvalues in report.values())
    wrong = {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
    assert not wrong
