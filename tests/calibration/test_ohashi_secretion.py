"""Beta cells of real people: what the groups of a published study differ in."""

from dataclasses import replace

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.assess import slope_across

GROUPS = ("NGT", "IGT", "T2DM")
EACH = 10
SHORT = {"draws": 200, "tune": 250, "chains": 2, "seed": 1}

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("data_mirror")]


@pytest.fixture(scope="module")
def people(data_mirror):
    """The first of each group whose C-peptide was measured."""
    study = hf.read_study("ohashi_2015")
    measured = [s for s in study.subjects if "c_peptide" in s.samples]
    some = [s for g in GROUPS for s in [p for p in measured if p.group == g][:EACH]]
    assert len(some) == EACH * len(GROUPS)
    return replace(study, subjects=tuple(some))


@pytest.fixture(scope="module")
def beta(people):
    return hf.fit_each(people, hf.systems.secretion, **SHORT)


def test_responsivity_is_lower_in_diabetes(beta, people):
    """With a probability above 0.99, by the draws of the people's geometric means."""
    groups = np.array([people[str(name)].group for name in beta["posterior"]["subject"].values])
    for name in ("Phi_tot", "Phi_s", "Phi_d"):
        logs = np.log(beta["posterior"][name])
        healthy, ill = (
            logs.isel(subject=np.flatnonzero(groups == group)).mean("subject")
            for group in ("NGT", "T2DM")
        )
        assert float((ill < healthy).mean()) > 0.99, name
        assert hf.compare_groups(beta, name, groups=("NGT", "T2DM")).ratio.upper < 1


def test_slope_of_responsivity_on_sensitivity(beta, people):
    """Of log Phi_tot on log SI within groups: a constant product, -1, is outside 90 %."""
    action = hf.fit_each(people, hf.systems.oral, **SHORT)["posterior"]["SI"]
    groups = [people[str(name)].group for name in action["subject"].values]
    within = slope_across(action, beta["posterior"]["Phi_tot"], groups)
    assert within.people == len(people.subjects)
    lower, upper = within.interval(0.9)
    assert -1 < lower < within.quantile(0.5) < upper < 0.5
    assert upper - lower < 1
