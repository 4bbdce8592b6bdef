"""The slow loop: ranks of its gains are uniform and intervals cover, by visits once a year.

The gains (e_F, g_PKC, K_V) are what such visits tell where the drivers are known. Fits of one and
of four people with all six analytes converge, too, and find them; in the fattest liver, where
export is near its plateau, g_PKC and K_V are told by their product alone. Of drivers that are
unknown, FM and w_A are told by their ratio alone. Three analytes are enough here, and compile in a
third of the time.
"""

import numpy as np
import pytest
from ranks import p_values, ranks_of

import hepaflux as hf
from hepaflux.model.protocols import DAY, StandardTest

pytestmark = pytest.mark.slow

REPLICATES = 14
FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of the ranks."""

YEARS = tuple(365.0 * DAY * np.arange(6))
MEASURED = ("glucose", "insulin", "ihtg")
VISITS = StandardTest(YEARS, (), sampled=dict.fromkeys(MEASURED, YEARS))
GAINS = hf.systems.selective_resistance.with_options(unknowns="gains").in_condition("nafld")


def test_ranks_are_uniform_and_intervals_cover():
    """Of one person whose drivers are known."""
    study = hf.simulate_study(GAINS, subjects=1, protocol=VISITS).study
    assert set(study.subjects[0].samples) == set(MEASURED)
    ranks = ranks_of(hf.build_model(study, GAINS), replicates=REPLICATES, seed=60, tune=100)
    assert set(ranks) == {"e_F", "g_PKC", "K_V"}
    report = p_values(ranks)
    checks = sum(len(values) for values in report.values())
    wrong = {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
    assert not wrong


def test_all_its_states_can_be_followed_in_a_fit():
    """Signaling of minutes and five pools beside years of visits: a short fit finds the gains.

    One of three farther than 4.5 posterior SDs from the truth is what a sound fit has in one of
    50,000 cases; the margin is for the few draws.
    """
    system = GAINS.with_options(form="dynamic", pools="five")
    made = hf.simulate_study(system, subjects=1, protocol=VISITS)
    posterior = hf.fit(hf.build_model(made.study, system), draws=60, tune=80, chains=1, seed=1)
    for name in ("e_F", "g_PKC", "K_V"):
        draws = np.log(posterior["posterior"][name].values)
        assert draws.std() > 0
        assert abs(draws.mean() - np.log(made.truth[name].iloc[0])) < 4.5 * draws.std(), name
