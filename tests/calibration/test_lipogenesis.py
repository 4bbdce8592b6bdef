"""Newly made palmitate: share and precursor of simulated people have uniform ranks."""

import pytest
from ranks import p_values, ranks_of
from virtual import ions, study_of

import hepaflux as hf
from hepaflux.systems import mida

pytestmark = pytest.mark.slow

FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of this file."""

REPLICATES = 60


def test_share_and_precursor_have_uniform_ranks():
    """Three samples, and shares down to where the precursor is not identified."""
    model = hf.build_model(study_of(ions(time=[240.0, 300.0, 360.0])), mida)
    report = p_values(ranks_of(model, replicates=REPLICATES, seed=8))
    assert set(report) == {"f", "p", "palmitate_sd"}
    checks = sum(len(values) for values in report.values())
    assert not {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
