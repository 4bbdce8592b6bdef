"""Cohorts: the same people in several tests, whose parameters go together as they were told to."""

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.model import HEALTHY, NAFLD
from hepaflux.model.joint import prepare_joint

PARTS = {
    "oral": (hf.systems.oral, "ogtt75_sparse"),
    "heavy_water": (hf.systems.heavy_water, "heavy_water"),
}


@pytest.fixture(scope="module")
def cohort():
    return hf.simulate_cohort(
        PARTS, (HEALTHY, NAFLD), subjects=400, correlated={("SI", "heavy_water_f"): -0.6}, seed=4
    )


def test_people_are_the_same_in_every_test(cohort):
    drink, water = (cohort.parts[name].study for name in PARTS)
    for one, other in zip(drink.subjects, water.subjects, strict=True):
        assert (one.name, one.group, one.weight) == (other.name, other.group, other.weight)
        assert one.covariates["bmi"] == other.covariates["bmi"]


def test_the_correlation_is_that_which_was_asked_for(cohort):
    """Within groups, of logarithm and logit; four standard errors of a correlation of 200."""
    for _, people in cohort.truth.groupby("group"):
        f = people["heavy_water_f"].to_numpy(dtype=float)
        deviations = np.log(people["SI"].to_numpy(dtype=float)), np.log(f / (1 - f))
        found = np.corrcoef(*deviations)[0, 1]
        assert abs(np.arctanh(found) - np.arctanh(-0.6)) < 4 / np.sqrt(197)


def test_a_shared_parameter_is_the_same_in_every_test():
    parts = {
        "drink": (hf.systems.oral, "ogtt75_sparse"),
        "meal": (hf.systems.oral, "ogtt75"),
    }
    made = hf.simulate_cohort(parts, subjects=6, shared=("V",), seed=2)
    one, other = (part.truth for part in made.parts.values())
    np.testing.assert_array_equal(one["V"], other["V"])
    assert not np.isclose(one["SI"], other["SI"]).any()


def test_a_person_has_one_age_in_every_test():
    parts = {
        name: (getattr(hf.systems, name), "ogtt75_c_peptide")
        for name in ("secretion", "extraction")
    }
    made = hf.simulate_cohort(parts, subjects=3, seed=2)
    one, other = (part.study.subjects for part in made.parts.values())
    assert [s.covariates for s in one] == [s.covariates for s in other]
    assert {"age", "sex", "height"} <= one[0].covariates.keys()


def test_truth_has_the_names_of_a_joint_model(cohort):
    parts = {name: (cohort.parts[name].study, system) for name, (system, _) in PARTS.items()}
    recipe = prepare_joint(parts, shared=(), design=None, noise={})
    unknown = {parameter.name for parameter in recipe.unknowns}
    told = {column.partition("[")[0] for column in cohort.truth.columns}
    assert unknown <= told


def test_a_correlation_needs_two_parameters_in_which_people_vary():
    with pytest.raises(ValueError, match=r"no correlation -0\.6 of SI and q: it must be between"):
        hf.simulate_cohort(PARTS, subjects=2, correlated={("SI", "q"): -0.6})
    both = {("SI", "V"): 0.9, ("SI", "p2"): 0.9, ("V", "p2"): -0.9}
    with pytest.raises(ValueError, match="nobody can have these correlations together"):
        hf.simulate_cohort(PARTS, subjects=2, correlated=both)
    with pytest.raises(ValueError, match=r"no correlation 1\.2 of SI and V"):
        hf.simulate_cohort(PARTS, subjects=2, correlated={("SI", "V"): 1.2})
