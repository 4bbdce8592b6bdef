"""Two tests of the same person with one volume: ranks of the truth are uniform.

Each of the unknowns is checked in three ways, and the false-alarm rate is divided by the checks.
"""

from dataclasses import replace

import pytest
from ranks import p_values, ranks_in_population
from virtual import ivgtt, ogtt, study_of

import hepaflux as hf

pytestmark = pytest.mark.slow

FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of this file."""

REPLICATES = 36


def test_ranks_are_uniform_and_intervals_cover():
    volume = hf.systems.oral.parameter("V")
    like_oral = tuple(
        replace(p, prior=volume.prior, spread=volume.spread) if p.name == "V" else p
        for p in hf.systems.minimal.parameters
    )
    bolus = replace(hf.systems.minimal, parameters=like_oral, declare=None)
    drink = (study_of(ogtt("S0")), hf.systems.oral)
    parts = {"drink": drink, "bolus": (study_of(ivgtt("S0")), bolus)}
    model = hf.build_joint_model(parts, shared=("V",))
    names = ("V", "drink_SI", "bolus_SI")
    report = p_values(ranks_in_population(model, names, replicates=REPLICATES, seed=4))
    assert set(report) == set(names)
    checks = sum(len(values) for values in report.values())
    assert not {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
