"""The slow loop: what visits over years tell of its gains, and whether intervals cover."""

import numpy as np
import pytest
from ranks import p_values, ranks_of

import hepaflux as hf
from hepaflux.model.protocols import DAY, LOOP, StandardTest

pytestmark = pytest.mark.slow

REPLICATES = 14
FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of the ranks."""

YEARS = tuple(365.0 * DAY * np.arange(6))
VISITS = StandardTest(YEARS, (), sampled=dict.fromkeys(LOOP, YEARS))
GAINS = hf.systems.selective_resistance.with_options(unknowns="gains").in_condition("nafld")


@pytest.fixture(scope="module")
def model():
    """One person whose drivers are known, seen once a year."""
    return hf.build_model(hf.simulate_study(GAINS, subjects=1, protocol=VISITS).study, GAINS)


def test_ranks_are_uniform_and_intervals_cover(model):
    ranks = ranks_of(model, replicates=REPLICATES, seed=60, tune=150)
    assert set(ranks) == {"e_F", "g_PKC", "K_V"}
    report = p_values(ranks)
    checks = sum(len(values) for values in report.values())
    wrong = {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
    assert not wrong
