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

NAMES = ("lambda_L", "e_F", "e_G", "K_S", "n_S")
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
    """Both truths in turn, so that a ranking that always says the same fails.

    Of 28 such studies (14 seeds, this one among them, under each truth) all were ranked rightly,
    with weights of the truth from 0.69 up and leads in elpd from 2.8 to 74, median 18. So with
    another seed the probability of a wrong rank is below 0.10 for each study (95 % bound). With the
    people of this seed only sampling is left to chance: in five runs of it the leads were 19.3 and
    29.5 (SD 1.5 and 0.7) and are clear from 13 and 24 on, four and eight SD away, so that false
    alarms are below one in a thousand. These counts took what error makes negative as zero; now
    that it is censored, the leads of this seed are 19.5 and 29.9.
    """
    table = hf.confuse_hypotheses(
        test="withdrawal",
        subjects=12,
        replicates=1,
        hypotheses=(SELECTIVE, PROXIMAL),
        seed=11,
        draws=200,
        tune=250,
    )
    assert list(table["truth"]) == ["selective", "proximal"]
    assert list(table["found"]) == ["selective", "proximal"]
    assert table["clear"].all()
    assert (table["weight"] > 0.5).all()
    matrix = hf.confusion_matrix(table)
    np.testing.assert_array_equal(matrix[["proximal", "selective"]].sort_index(), np.eye(2))
