"""The published intravenous test: what its posterior must and must not say."""

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.parameter import Uniform

pytestmark = pytest.mark.slow

PER_MICROUNIT = 6.0
"""pmol/L in one µU/mL."""


@pytest.fixture(scope="module")
def study():
    return hf.read_study("pacini_bergman_1986")


@pytest.fixture(scope="module")
def system():
    return hf.systems.minimal.with_options(basal_insulin="7.3 uU/mL")


@pytest.fixture(scope="module")
def flat(study, system):
    wide = system.with_priors(
        SI=Uniform(1e-6, 1e-3), SG=Uniform(1e-4, 0.1), p2=Uniform(1e-3, 0.3), V=Uniform(0.05, 0.5)
    )
    return hf.fit(hf.build_model(study, wide), draws=1500, tune=1000, chains=2, seed=1)


def test_insulin_sensitivity(study, system):
    tree = hf.fit(hf.build_model(study, system), seed=1)
    assert 4.5e-4 < float(tree["posterior"]["SI"].median()) * PER_MICROUNIT < 8.5e-4
    assert tree.attrs["failed_solves"] <= 5
    assert int(tree["sample_stats"]["diverging"].sum()) <= 4


def test_the_ridge_at_the_optimum(study, system):
    """By exact sensitivities at the least-squares optimum, V free as in published fits."""
    subject, best = study.subjects[0], {"SI": 9.554e-5, "SG": 0.02042, "p2": 0.02927, "V": 0.17353}
    time = subject.samples["glucose"].time
    trajectory = hf.solve(system, best, subject, times=time)
    slopes = [trajectory.sensitivities["glucose", n][time >= 8] * v for n, v in best.items()]
    covariance = np.linalg.inv(np.array(slopes) @ np.array(slopes).T)
    scale = np.sqrt(np.diag(covariance))
    assert (covariance / np.outer(scale, scale))[1, 2] < -0.99


@pytest.mark.xfail(
    reason="the ridge is curved: -0.997 at its optimum, but -0.87 to -0.90 over all of it,"
    " under noise of CV and floor as under a constant SD"
)
def test_effectiveness_and_action_rate_are_not_separated(flat):
    SG, p2 = (flat["posterior"][n].to_numpy().ravel() for n in ("SG", "p2"))
    assert np.corrcoef(SG, p2)[0, 1] < -0.9


def test_the_ridge_is_named(flat):
    advice = [f"{check.name} {check.advice}" for check in hf.diagnose(flat).checks]
    assert any("SG" in text and "p2" in text for text in advice)
