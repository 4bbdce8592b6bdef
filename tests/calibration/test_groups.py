"""Groups: a difference that is there is found, and none is made up."""

import numpy as np
import pytest
from scipy import stats

import hepaflux as hf
from hepaflux.model import HEALTHY, NAFLD, Population

pytestmark = pytest.mark.slow

RATIO = 0.45
"""True insulin sensitivity of the second population over that of the first."""


def log_ratio(populations, *, subjects, seed, tune=500, draws=500):
    """Posterior draws of the log ratio of the groups' population medians of SI."""
    simulated = hf.simulate_study(hf.systems.oral, populations, subjects=subjects, seed=seed)
    model = hf.build_model(simulated.study, hf.systems.oral, design=hf.Design(by_group=True))
    tree = hf.fit(model, draws=draws, tune=tune, chains=2, seed=seed)
    median = np.log(tree["posterior"]["SI_population"])
    first, second = simulated.study.groups
    return (median.sel(group=second) - median.sel(group=first)).to_numpy().ravel()


def test_a_difference_is_recovered():
    """24 people; the sampling error of the true medians is inside the 95 % interval."""
    draws = log_ratio((HEALTHY, NAFLD), subjects=24, seed=1)
    lower, upper = np.quantile(draws, [0.025, 0.975])
    assert lower < np.log(RATIO) < upper
    assert (draws < 0).mean() > 0.975


def test_no_difference_is_made_up():
    """Two groups from one population; under calibration more than two misses of six are rare."""
    same = Population("other")
    hits = 0
    for seed in range(6):
        lower, upper = np.quantile(
            log_ratio((HEALTHY, same), subjects=12, seed=seed, tune=300, draws=250), [0.025, 0.975]
        )
        hits += lower < 0 < upper
    assert stats.binom(6, 0.95).cdf(hits) > 3e-3
