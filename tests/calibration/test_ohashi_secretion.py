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


def test_responsivity_is_lower_in_diabetes(beta):
    for name in ("Phi_tot", "Phi_s", "Phi_d"):
        contrast = hf.compare_groups(beta, name, groups=("NGT", "T2DM"))
        values = beta["posterior"][name]
        means = {
            group: np.log(values.where(beta["posterior"]["group"] == group)).mean("subject")
            for group in ("NGT", "T2DM")
        }
        lower = float((means["T2DM"] < means["NGT"]).mean())
        assert lower > 0.99, (name, contrast.sentence)


def test_slope_of_responsivity_on_sensitivity(beta, people):
    """Of log Phi_tot on log SI, 90 %: within groups flatter than a constant product would have it.

    Everybody under one level makes a positive slope, since groups differ in both.
    """
    action = hf.fit_each(people, hf.systems.oral, **SHORT)["posterior"]["SI"]
    groups = [people[str(name)].group for name in action["subject"].values]
    within = slope_across(action, beta["posterior"]["Phi_tot"], groups)
    assert within.people == len(people.subjects)
    lower, upper = within.interval(0.9)
    assert -1 < lower < within.quantile(0.5) < upper < 0.5
    assert upper - lower < 1
    pooled = slope_across(action, beta["posterior"]["Phi_tot"])
    assert pooled.interval(0.9)[0] > within.quantile(0.5)
