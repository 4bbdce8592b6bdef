"""Fat cells of Brännmark 2010: the signaling system goes through them, and says what they tell."""

import numpy as np
import pytest

import hepaflux as hf

pytestmark = pytest.mark.slow

RATES = ("K_R", "k_off", "k_in", "k_off_in", "k_back", "k_Y")


@pytest.fixture(scope="module")
def posterior(data_mirror):
    study = hf.read_study("brannmark_2010")
    system = hf.systems.signaling.with_options(tissue="fat", insulin="medium", unknowns="kinetics")
    by_experiment = {"scale_IRS": "group", "background": "group"}
    design = hf.Design(by_experiment, others="shared")
    model = hf.build_model(study, system, design=design)
    return hf.fit(model, seed=1, draws=120, tune=200, chains=2)


def test_chains_agree(posterior):
    checks = {check.name: check for check in hf.diagnose(posterior).checks}
    assert checks["divergences"].status == checks["failed solves"].status == "pass"
    # Few draws: the limit of a full run, 1.01, is for ten times as many.
    draws = posterior["posterior"].to_dataset()[list(RATES)]
    halves = draws.mean("draw"), draws.std(("chain", "draw"))
    apart = abs(halves[0].diff("chain")) / halves[1]
    assert float(apart.to_array().max()) < 0.5


def test_every_experiment_is_described(posterior):
    """Half of the blots within their 50 % interval, and no experiment far off."""
    replicated = posterior["posterior_predictive"]
    for output in ("ir_phosphorylation", "irs1_phosphorylation"):
        low, high = replicated[output].quantile((0.025, 0.975), ("chain", "draw")).values
        value = posterior["observed_data"][output].values
        assert np.mean((value >= low) & (value <= high)) > 0.85


def test_it_is_said_what_the_data_reach(posterior):
    """The rates of receptor and IRS, but not ``Y``: blots are relative, and far from saturation it
    changes nothing in their shape. Scales of what was not seen are carried along."""
    checks = hf.diagnose(posterior).checks
    narrowed = {c.target: c.value for c in checks if c.name == "identified by the data"}
    # In long runs 0.4 to 0.9, and 0.01 to 0.1 for Y.
    assert all(narrowed[name] > 0.2 for name in RATES)
    assert narrowed["Y"] < 0.3
    assert narrowed["K_R"] > 0.75
    sought = [c.advice for c in checks if c.target == "scale_Akt"]
    assert any("it is no result" in advice for advice in sought)
