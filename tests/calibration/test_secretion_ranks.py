"""Secretion and extraction: ranks of what was put in are uniform, and intervals cover."""

import numpy as np
import pytest
from ranks import p_values, ranks_of
from virtual import c_peptide_test, study_of

import hepaflux as hf
from hepaflux.parameter import Fixed

pytestmark = pytest.mark.slow

REPLICATES = 24
FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of this file."""

FEW = np.array([0.0, 30, 60, 120, 180])
KNOWN = {"h_relative": Fixed(1.0)}
CASES = {
    "secretion": (
        hf.systems.secretion.with_priors(**KNOWN),
        ("Phi_s", "Phi_d", "T", "CP_b", "kinetics"),
    ),
    "secretion_smoothed": (
        hf.systems.secretion.with_options(glucose="smoothed", kinetics="standard").with_priors(
            T=Fixed(10.0), **KNOWN
        ),
        ("Phi_s", "Phi_d", "G_b", "glucose_drive"),
    ),
    "extraction": (
        hf.systems.extraction.with_options(
            kinetics="standard", extraction_knots=(0, 60, 180)
        ).with_priors(T=Fixed(10.0), Q_P=Fixed(0.6), V_I_relative=Fixed(1.0), **KNOWN),
        ("HE_b", "HE_step", "n", "Phi_s", "Phi_d"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_ranks_are_uniform_and_intervals_cover(name):
    system, only = CASES[name]
    model = hf.build_model(study_of(c_peptide_test(time=FEW)), system)
    report = p_values(ranks_of(model, replicates=REPLICATES, seed=30, only=only))
    checks = len(CASES) * sum(len(values) for values in report.values())
    wrong = {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
    assert not wrong
