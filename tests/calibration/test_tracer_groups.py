"""Groups of people with a tracer: a difference is found, and none is made up too often.

Twelve healthy people and twelve of another group are given labeled acetate, and palmitate is
sampled once at the plateau. People are drawn without the model that is fitted; the system is
algebraic, and one compilation serves all studies. A calibrated interval fails each of the five
checks of this file in one run of a thousand or less.
"""

import numpy as np
import pytest
from scipy import stats
from scipy.special import logit

import hepaflux as hf
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model, with_study
from hepaflux.fitting.fit import sampling_of
from hepaflux.model import HEALTHY, NAFLD, Population
from hepaflux.model.lipid_tests import IONS
from hepaflux.model.recipe import data_values
from hepaflux.model.standard_test import StandardTest
from hepaflux.parameter import Fixed, center

pytestmark = pytest.mark.slow

SYSTEM = hf.systems.mida.with_priors(p=Fixed(0.08))

PLATEAU = StandardTest((), (), sampled=dict.fromkeys(IONS, (360.0,)))

PEOPLE, ALIKE, DIFFERENT = 24, 40, 15
"""People of a study, studies of two groups that are alike, and of two that differ."""

RARE = 1e-3
"""Probability that a calibrated interval fails one check."""

SIZES = {"draws": 300, "tune": 250, "chains": 1}


def studied(other, seed):
    populations = (HEALTHY, other)
    made = hf.simulate_study(SYSTEM, populations, subjects=PEOPLE, protocol=PLATEAU, seed=seed)
    return hf.build_model(made.study, SYSTEM, design=hf.Design(by_group=True))


def log_odds_ratios(compiled, other, studies):
    """Draws of the log odds ratio of the groups' median shares, shape (study, draw)."""
    found = []
    for seed in range(studies):
        model = studied(other, seed)
        mine = with_study(compiled, data_values(model.recipe))
        tree = nuts.sample(mine, seed=seed, **SIZES, **sampling_of(model))
        median = logit(tree["posterior"]["f_population"].to_numpy()[0])
        found.append(median[:, 1] - median[:, 0])
    return np.array(found)


@pytest.fixture(scope="module")
def compiled():
    return compile_model(studied(NAFLD, 0), keep=["f_population"])


def excluded(draws, value, prob):
    """How many central intervals of the given probability do not hold a value."""
    lower, upper = np.quantile(draws, [(1 - prob) / 2, (1 + prob) / 2], axis=1)
    return int(((value < lower) | (value > upper)).sum())


def test_no_difference_is_made_up(compiled):
    """False positives at 5 % and, to see intervals that are too wide, at 50 %."""
    draws = log_odds_ratios(compiled, Population("other"), ALIKE)
    assert stats.binom(ALIKE, 0.05).sf(excluded(draws, 0.0, 0.95) - 1) > RARE
    assert stats.binomtest(excluded(draws, 0.0, 0.5), ALIKE, 0.5).pvalue > RARE


def test_a_difference_is_recovered(compiled):
    """A median share twice as high; people differ by 0.6 on the logit."""
    share = center(SYSTEM.parameter("f").prior)
    truth = logit(NAFLD.factors["f"] * share) - logit(share)
    draws = log_odds_ratios(compiled, NAFLD, DIFFERENT)
    assert stats.binom(DIFFERENT, 0.05).sf(excluded(draws, truth, 0.95) - 1) > RARE
    medians = np.median(draws, axis=1)
    error = medians.std(ddof=1) / np.sqrt(DIFFERENT)
    assert abs(medians.mean() - truth) < stats.t(DIFFERENT - 1).ppf(1 - RARE / 2) * error
    # At this size 12 against 12 have a power of 0.95 by the normal approximation.
    found = int(((draws > 0).mean(axis=1) > 0.975).sum())
    assert stats.binom(DIFFERENT, 0.9).cdf(found) > RARE
