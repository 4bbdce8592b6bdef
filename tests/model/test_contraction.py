"""Schedules: more samples and more people never say less, and what cannot be used is named."""

import numpy as np
import pytest
from virtual import OGTT, labeled_meal, ogtt, study_of

import hepaflux as hf
from hepaflux.model.contraction import median_variance
from hepaflux.parameter import Fixed

NESTED = {
    "one": (120,),
    "three": (0, 60, 120),
    "five": (0, 30, 60, 90, 120),
    "ten": tuple(OGTT),
}


def expect(parameter="SI", schedules=NESTED, subjects=(1, 10), system=hf.systems.oral, who=None):
    study = who or study_of(ogtt("S1"), ogtt("S2", size=2.0))
    return hf.expected_contraction(
        system, study, parameter, schedules=schedules, subjects=subjects, seed=3
    )


@pytest.fixture(scope="module")
def table():
    return expect()


def test_there_is_a_row_per_schedule_and_number_of_people(table):
    assert list(table["schedule"]) == [name for name in NESTED for _ in range(2)]
    assert list(table["samples"][::2]) == [1, 2, 4, 9]  # the sample at the dose is basal
    assert list(table["subjects"]) == [1, 10] * 4


def test_more_samples_never_say_less(table):
    for _, rows in table.groupby("subjects"):
        assert (np.diff(rows["sd_subject"]) < 0).all()
        assert (np.diff(rows["sd_median"]) < 0).all()


def test_more_people_say_more_of_the_median_and_no_more_of_one(table):
    one, ten = (table[table["subjects"] == n].reset_index() for n in (1, 10))
    assert (ten["sd_median"] < one["sd_median"]).all()
    assert (ten["sd_subject"] == one["sd_subject"]).all()
    assert (one["sd_median"] > one["sd_subject"]).all()  # one person is not the population


def test_contraction_is_that_of_the_verdict(table):
    prior = hf.systems.oral.parameter("SI").prior
    np.testing.assert_allclose(table["prior_sd"], prior.log_sd)
    for whose in ("subject", "median"):
        expected = 1 - table[f"sd_{whose}"] ** 2 / prior.log_sd**2
        np.testing.assert_allclose(table[f"contraction_{whose}"], expected)
        assert table[f"contraction_{whose}"].between(0, 1).all()


def test_a_sparse_drink_knows_sensitivity_better_than_its_delay(table):
    sparse = {"five": NESTED["five"]}
    si, p2 = (expect(name, sparse)["contraction_subject"].iloc[0] for name in ("SI", "p2"))
    assert si > 0.5
    assert p2 < 0.2


def test_a_schedule_does_not_depend_on_the_others(table):
    alone = expect(schedules={"five": NESTED["five"]})
    together = table[table["schedule"] == "five"].reset_index(drop=True)
    np.testing.assert_allclose(alone["sd_subject"], together["sd_subject"], rtol=1e-5)


def test_the_same_seed_gives_the_same_table(table):
    assert expect().equals(table)


def test_a_person_will_do_for_a_study():
    assert len(expect(schedules={"one": (120,)}, who=ogtt())) == 2


class TestMedian:
    """Exact people are a sample of the population; people who are alike are one person."""

    def test_exact_measurements(self):
        variance = median_variance(np.array([1e-12]), 1.0, spread=0.5, subjects=4)
        assert variance == pytest.approx(1 / (1 + 4 / 0.25))

    def test_people_without_spread(self):
        variance = median_variance(np.array([0.25]), 1.0, spread=0.0, subjects=4)
        assert variance == pytest.approx(1 / (1 + 4 * 3))

    def test_samples_that_say_nothing(self):
        assert median_variance(np.array([1.0]), 1.0, spread=0.5, subjects=9) == pytest.approx(1)


def test_a_tracer_tells_what_glucose_alone_does_not():
    meal = (10, 20, 30, 45, 60, 90, 120, 180, 240)
    table = expect(
        "SI_L",
        {
            "glucose": {"glucose": meal},
            "tracer": dict.fromkeys(("glucose", "meal_enrichment"), meal),
        },
        system=hf.systems.oral_labeled,
        who=labeled_meal(),
        subjects=(1,),
    )
    alone, labeled = table["sd_subject"]
    assert labeled < 0.95 * alone
    assert list(table["samples"]) == [9, 18]


@pytest.mark.parametrize(
    ("parameter", "schedule", "error", "message"),
    [
        ("S1", (60,), KeyError, "has no parameter 'S1'; it has SI"),
        ("f", (60,), ValueError, r"f is fixed at 0\.9, so no sample can narrow it"),
        ("absorption", (60,), ValueError, "choose one number: SI, SG, p2, V"),
        ("SI", (), ValueError, "schedule 'mine': there is no time"),
        ("SI", (0,), ValueError, "none of its samples enters the likelihood"),
        ("SI", (-10, 0), ValueError, "there must be one after the dose"),
        ("SI", (60, 30), ValueError, "times must increase, but are 60 30"),
        ("SI", (30, 30), ValueError, "times must increase, but are 30 30"),
        ("SI", (60, np.nan), ValueError, "times must increase"),
        ("SI", (60, 240), ValueError, r"240 min is after the last sample of the test \(180 min\)"),
        ("SI", {"insulin": (60,)}, KeyError, "no output 'insulin'; there are glucose"),
    ],
)
def test_what_cannot_be_planned_is_named(parameter, schedule, error, message):
    with pytest.raises(error, match=message):
        expect(parameter, {"mine": schedule})


def test_numbers_of_people_are_from_one_on():
    for subjects in ((), (0,), (5, -1)):
        with pytest.raises(ValueError, match="subjects must be numbers from 1 on"):
            expect(subjects=subjects)


def test_a_parameter_with_another_prior_can_be_fixed_or_freed():
    fixed = hf.systems.oral.with_priors(p2=Fixed(0.012), SG=Fixed(0.025), V=Fixed(0.145))
    five = {"five": NESTED["five"]}
    free, tight = (expect(schedules=five, system=s) for s in (hf.systems.oral, fixed))
    assert tight["sd_subject"].iloc[0] < 0.9 * free["sd_subject"].iloc[0]
