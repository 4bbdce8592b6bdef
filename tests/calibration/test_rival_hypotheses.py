"""Rival hypotheses: what data were made under is found, and nothing else knows it."""

import numpy as np
import pytest
from ranks import p_values, ranks_in_population

import hepaflux as hf
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model, with_study
from hepaflux.model.hypotheses import build_hypothesis
from hepaflux.model.recipe import data_values
from hepaflux.model.visits import simulate_visits
from hepaflux.systems.rivals import FREE, PROXIMAL, SELECTIVE

pytestmark = pytest.mark.slow

NAMES = ("lambda_L", "e_F", "chi", "K_S", "n_S")
REPLICATES = 36
FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any rank check of this file."""


def test_ranks_of_what_all_livers_share_are_uniform():
    study = simulate_visits(FREE, test="withdrawal", subjects=2, seed=1).study
    model = build_hypothesis(study, FREE)
    report = p_values(ranks_in_population(model, NAMES, replicates=REPLICATES, seed=60, tune=200))
    checks = sum(len(values) for values in report.values())
    assert not {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}


@pytest.fixture(scope="module")
def selectivity():
    """Draws of lambda_L under its flat prior, by what the people were made under."""
    found, compiled = {}, None
    for truth in (SELECTIVE, PROXIMAL):
        study = simulate_visits(truth, test="withdrawal", subjects=16, seed=4).study
        model = build_hypothesis(study, FREE)
        if compiled is None:
            compiled = compile_model(model, keep=["lambda_L"])
        mine = with_study(compiled, data_values(model.recipe))
        tree = nuts.sample(mine, draws=300, tune=300, chains=1, seed=1, target_accept=0.9)
        found[truth.name] = tree["posterior"]["lambda_L"].to_numpy().ravel()
    return found


def test_a_free_selectivity_goes_where_the_data_were_made(selectivity):
    """The prior has three tenths of its mass beyond either bound. With one seed this is not a
    rate; the ranks above say how often intervals cover."""
    assert np.median(selectivity["proximal"]) > 0.7
    assert np.median(selectivity["selective"]) < 0.3
    assert np.mean(selectivity["proximal"] < 0.5) < 0.1
    assert np.mean(selectivity["selective"] > 0.5) < 0.1


def test_the_hypothesis_that_made_the_data_is_found():
    """Of six people in each group. If each of two studies is ranked rightly with a probability of
    0.8, which is what a larger table gives for twelve people, neither is in one case of 25."""
    table = hf.confuse_hypotheses(
        subjects=6,
        replicates=1,
        hypotheses=(SELECTIVE, PROXIMAL),
        seed=11,
        draws=200,
        tune=250,
    )
    assert len(table) == 2
    assert (table["found"] == table["truth"]).any()
    assert not (table["clear"] & (table["found"] != table["truth"])).any()
    matrix = hf.confusion_matrix(table)
    assert matrix[["selective", "proximal"]].sum(axis=1).to_numpy() == pytest.approx(1.0)
