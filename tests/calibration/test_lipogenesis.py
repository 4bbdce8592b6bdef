"""Newly made palmitate, by labeled acetate and by heavy water: ranks of the truth are uniform.

Every unknown is checked in three ways: 3 unknowns of one system and 4 of the other make 9 and 12
checks. Each system spends half of the false-alarm rate of this file, divided by its checks.
"""

import pytest
from ranks import p_values, ranks_of
from virtual import heavy_water, ions, study_of

import hepaflux as hf

pytestmark = pytest.mark.slow

FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of this file."""

REPLICATES = 60

STUDIES = {
    "mida": (ions(time=[240.0, 300.0, 360.0]), {"f", "p", "palmitate_sd"}),
    "heavy_water": (heavy_water(), {"f", "k", "N", "palmitate_sd"}),
}
"""A person and the unknowns, by system: shares go down to where the rest is not identified."""


@pytest.mark.parametrize("name", STUDIES)
def test_ranks_are_uniform_and_intervals_cover(name):
    subject, unknowns = STUDIES[name]
    model = hf.build_model(study_of(subject), getattr(hf.systems, name))
    report = p_values(ranks_of(model, replicates=REPLICATES, seed=8))
    assert set(report) == unknowns
    checks = len(STUDIES) * sum(len(values) for values in report.values())
    assert not {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}
