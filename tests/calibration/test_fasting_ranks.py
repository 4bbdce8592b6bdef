"""Fasting: ranks of what was put in are uniform, intervals cover, and people stay physiological."""

import numpy as np
import pytest
from ranks import p_values, ranks_of
from virtual import fasted, study_of

import hepaflux as hf
from hepaflux.model import HEALTHY
from hepaflux.model.courses import simulated_courses
from hepaflux.model.protocols import own_fast

pytestmark = pytest.mark.slow

REPLICATES = 14
FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of the ranks."""

FEW = 60.0 * np.array([4, 8, 14, 22])
SOUGHT = ("k_gly", "Gly_4h", "GNG_4h", "GNG_rise", "CL", "G_0")


def test_ranks_are_uniform_and_intervals_cover():
    """The unknowns are those of the default, whose equations other tests compile, too."""
    model = hf.build_model(study_of(fasted(time=FEW)), hf.systems.fasting)
    ranks = ranks_of(model, replicates=REPLICATES, seed=40, only=SOUGHT, tune=150)
    report = p_values(ranks)
    checks = sum(len(values) for values in report.values())
    wrong = {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
    assert not wrong


def test_healthy_people_hold_their_glucose():
    """Of 200 people drawn from the priors, nineteen in twenty stay within 3.9 to 6.1 mmol/L."""
    made = hf.simulate_study(
        hf.systems.fasting, (HEALTHY,), subjects=200, protocol=own_fast((), 24 * 60.0), seed=1
    )
    courses = simulated_courses(made, hf.systems.fasting, step=60.0)
    glucose = courses["glucose"].sel(minutes=slice(12 * 60, None)).to_numpy()
    held = ((glucose > 3.9) & (glucose < 6.1)).all(axis=1)
    assert held.mean() > 0.95
