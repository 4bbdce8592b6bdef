"""Two tests of the same people: ranks of what ties them together are uniform.

In one model the same people drank glucose and were infused with labeled acetate, and their insulin
sensitivity goes together with the share of fat that they make. In the other a volume is one and the
same in two tests. Each of the unknowns is checked in three ways, and each model spends half of the
false-alarm rate of this file, divided by its checks.
"""

from dataclasses import replace

import pytest
from ranks import p_values, ranks_in_population
from virtual import ions, ivgtt, ogtt, study_of

import hepaflux as hf

pytestmark = pytest.mark.slow

FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of this file."""

REPLICATES = 60
PEOPLE = 6


def correlated():
    """Return a model of two tests whose parameters vary together, and what is checked."""
    drinks = study_of(*(ogtt(f"S{i}", size=1 + i / 8) for i in range(PEOPLE)))
    labels = study_of(*(ions(f"S{i}", time=[240.0, 300.0, 360.0]) for i in range(PEOPLE)))
    parts = {"drink": (drinks, hf.systems.oral), "acetate": (labels, hf.systems.mida)}
    design = hf.Design(correlated=(("SI", "acetate_f"),))
    names = ("SI_population", "SI_spread", "acetate_f_population", "acetate_f_spread")
    people = ("SI", "acetate_f", "SI_acetate_f_correlation")
    return hf.build_joint_model(parts, design=design), (*names, *people)


def shared():
    """Return a model of two tests of one person with the same volume, and what is checked."""
    volume = hf.systems.oral.parameter("V")
    like_oral = tuple(
        replace(p, prior=volume.prior, spread=volume.spread) if p.name == "V" else p
        for p in hf.systems.minimal.parameters
    )
    bolus = replace(hf.systems.minimal, parameters=like_oral, declare=None)
    parts = {
        "drink": (study_of(ogtt("S0")), hf.systems.oral),
        "bolus": (study_of(ivgtt("S0")), bolus),
    }
    return hf.build_joint_model(parts, shared=("V",)), ("V", "drink_SI", "bolus_SI")


@pytest.mark.parametrize("build", [correlated, shared])
def test_ranks_are_uniform_and_intervals_cover(build):
    model, names = build()
    report = p_values(ranks_in_population(model, names, replicates=REPLICATES, seed=4))
    assert set(report) == set(names)
    checks = 2 * sum(len(values) for values in report.values())
    assert not {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
