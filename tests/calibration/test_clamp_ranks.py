"""Clamp and labeled IVGTT: what was put in comes out, in whichever order it was put in."""

import numpy as np
import pytest
from ranks import p_values, ranks_of
from virtual import IVGTT, clamp_insulin, clamped, labeled_ivgtt, samples, study_of

import hepaflux as hf
from hepaflux.model import HEALTHY, Population
from hepaflux.parameter import Fixed, LogNormal
from hepaflux.study.study import Subject

pytestmark = pytest.mark.slow

REPLICATES = 36
FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any rank check of this file."""

DELAYS = {"p2_E": Fixed(0.03), "p2_R": Fixed(0.025), "p2_L": Fixed(0.06)}
FEW = np.array([-20, 0, 60, 120, 180, 240, 300, 360.0])
KINKS = np.array([-20, 0, 20, 120, 140, 240, 260, 360.0])
"""When insulin of the virtual clamp bends."""


def small_clamp():
    """Few samples, so that the many fits are quick."""
    subject = clamped(time=FEW, ffa=False)
    insulin = samples(KINKS, clamp_insulin(KINKS))
    return Subject("S1", {**subject.samples, "insulin": insulin}, subject.doses)


SMALL = {
    "clamp": (
        hf.systems.clamp.with_options(lipolysis="no").with_priors(
            n_E=Fixed(2.2), n_R=Fixed(2.0), p2_E=DELAYS["p2_E"], p2_R=DELAYS["p2_R"]
        ),
        small_clamp(),
    ),
    "ivgtt_labeled": (hf.systems.ivgtt_labeled, labeled_ivgtt(time=IVGTT)),
}


@pytest.mark.parametrize("name", SMALL)
def test_ranks_are_uniform_and_intervals_cover(name):
    system, subject = SMALL[name]
    model = hf.build_model(study_of(subject), system)
    report = p_values(ranks_of(model, replicates=REPLICATES, seed=20))
    checks = len(SMALL) * sum(len(values) for values in report.values())
    wrong = {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
    assert not wrong


LETTERS = ("L", "E", "R")
SWAPPED = Population("swapped", factors={"K_L": 300 / 80, "K_R": 90 / 330})


@pytest.mark.parametrize("population", [HEALTHY, SWAPPED], ids=lambda p: p.name)
def test_half_maximal_insulins_and_their_order_are_found(population):
    """From a three-step clamp, under one wide prior for all three: the data set the order.

    Of six true values one may be outside its 99.9 % interval in less than one run of a hundred.
    """
    wide = LogNormal(180.0, 1.0)
    system = hf.systems.clamp.with_priors(**DELAYS)
    made = hf.simulate_study(system, (population,), subjects=1, protocol="clamp", seed=1)
    fitted = system.with_priors(**{f"K_{letter}": wide for letter in LETTERS})
    tree = hf.fit(hf.build_model(made.study, fitted), draws=300, tune=300, chains=2, seed=1)
    draws = np.array([tree["posterior"][f"K_{letter}"].to_numpy().ravel() for letter in LETTERS])
    truth = np.array([made.truth[f"K_{letter}"][0] for letter in LETTERS])
    assert np.all(np.log(draws).std(axis=1) < 0.5 * wide.log_sd)
    lower, upper = np.quantile(draws, [0.0005, 0.9995], axis=1)
    assert np.all((lower < truth) & (truth < upper))
    found = np.argsort(draws, axis=0) == np.argsort(truth)[:, None]
    assert found.all(axis=0).mean() > 0.9
