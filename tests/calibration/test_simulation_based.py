"""Simulation-based calibration (Talts et al. 2018): priors and likelihood are inverted rightly.

Parameters and data are drawn from the model, the model is fitted to the data, and the rank of each
true value among its posterior draws must be uniform. Every unknown of every study is checked in
three ways: 5, 5, 10 and 9 unknowns make 87 checks. They share one false-alarm rate (Bonferroni), so
that a sound sampler fails in at most one run of this file in two hundred. The chi-square
approximation alarms a fifth too often so far out, the discrete binomials a fifth and more too
seldom; together they stay below the rate.
"""

import pytest
from ranks import p_values, ranks_of
from virtual import IVGTT, OGTT, ivgtt, ogtt, study_of

import hepaflux as hf

pytestmark = pytest.mark.slow

REPLICATES = 120
FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of this file."""

STUDIES = {
    "minimal rich": (hf.systems.minimal, ivgtt(time=IVGTT)),
    "minimal sparse": (hf.systems.minimal, ivgtt(time=IVGTT[[0, 1, 3, 5, 7, 9, 12, 14, 17]])),
    "oral rich": (hf.systems.oral, ogtt(time=OGTT)),
    "oral sparse": (hf.systems.oral, ogtt(time=OGTT[[0, 3, 5, 6, 7]])),
}


@pytest.mark.parametrize("name", STUDIES)
def test_ranks_are_uniform_and_intervals_cover(name):
    system, subject = STUDIES[name]
    model = hf.build_model(study_of(subject), system)
    report = p_values(ranks_of(model, replicates=REPLICATES, seed=20))
    checks = len(STUDIES) * sum(len(values) for values in report.values())
    wrong = {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
    assert not wrong
