"""VLDL and its sources: ranks of the truth are uniform, so stated certainty can be believed."""

import pytest
from ranks import p_values, ranks_of
from virtual import VLDL, labeled_sources, study_of, vldl_person

import hepaflux as hf
from hepaflux.systems import sources, vldl

pytestmark = pytest.mark.slow

FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of one test."""

REPLICATES = 24
SAMPLED = VLDL[1::2]


def failing(report):
    """Return the parameters of which any p-value is below the false alarm over all checks."""
    checks = sum(len(values) for values in report.values())
    return {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}


def test_secretion_and_turnover_have_uniform_ranks():
    model = hf.build_model(study_of(vldl_person(time=SAMPLED)), vldl)
    only = ("k", "delay", "VLDL_TG", "incorporation", "f_DNL", "IHTG")
    assert not failing(p_values(ranks_of(model, replicates=REPLICATES, seed=21, only=only)))


def test_shares_have_uniform_ranks():
    model = hf.build_model(study_of(labeled_sources()), sources)
    assert not failing(p_values(ranks_of(model, replicates=REPLICATES, seed=22, only=("share",))))
