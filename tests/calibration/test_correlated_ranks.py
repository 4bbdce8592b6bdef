"""Two tests of the same people whose newly made shares go together: ranks are uniform.

Palmitate under labeled acetate, after lunch and after dinner. The systems are algebraic, and one
compilation serves all replicates. Truth and data come from the joint model: medians by group, the
spread of each share between people, and the correlation of both. Each of the seven unknowns is
checked in three ways, and the false-alarm rate is divided by the checks.
"""

import pytest
from ranks import p_values, ranks_in_population
from virtual import ions, study_of

import hepaflux as hf
from hepaflux.parameter import Fixed

pytestmark = pytest.mark.slow

FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of this file."""

REPLICATES = 36

PEOPLE, SAMPLES = 6, [240.0, 360.0]

NAMES = (
    "lunch_f_dinner_f_correlation",
    *(f"{meal}_f{what}" for meal in ("lunch", "dinner") for what in ("_population", "_spread", "")),
)


def joint_model():
    """Three people of either group, in both tests; the enrichment of the precursor is known."""
    system = hf.systems.mida.with_options(nutrition="fed").with_priors(p=Fixed(0.08))
    groups = ["healthy"] * (PEOPLE // 2) + ["NAFLD"] * (PEOPLE // 2)
    study = study_of(*(ions(f"S{i}", time=SAMPLES, group=g) for i, g in enumerate(groups)))
    design = hf.Design(by_group=True, correlated=(("lunch_f", "dinner_f"),))
    return hf.build_joint_model(
        {"lunch": (study, system), "dinner": (study, system)}, design=design
    )


def test_ranks_are_uniform_and_intervals_cover():
    report = p_values(
        ranks_in_population(joint_model(), NAMES, replicates=REPLICATES, seed=4, tune=300)
    )
    assert set(report) == set(NAMES)
    checks = sum(len(values) for values in report.values())
    assert not {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
