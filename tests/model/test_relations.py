"""Virtual people whose parameters go together and depend on their bodies, with samples missing."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hepaflux as hf
from hepaflux.model import HEALTHY, NAFLD, Missing, Population, lose_samples
from hepaflux.parameter import Fixed
from hepaflux.study import write_study

PEOPLE = 400
TOGETHER = {("SI", "p2"): 0.6, ("SI", "V"): -0.4}
UNKNOWN = ("SI", "p2", "V", "SG")
OBESE = Population("obese", weight=(100.0, 18.0))


def system_of(*free):
    """The oral model with little to solve for: all but a few unknowns are known."""
    oral = hf.systems.oral
    known = {p.name: Fixed(oral.centers[p.name]) for p in oral.unknowns if not p.axis}
    return oral.with_priors(**{name: known[name] for name in known if name not in free})


def simulated(system, groups=(HEALTHY,), *, seed=1, subjects=PEOPLE, **how):
    groups = [Population(g.name, weight=g.weight, factors=g.factors, **how) for g in groups]
    return hf.simulate_study(system, groups, subjects=subjects, protocol="ogtt75_sparse", seed=seed)


@pytest.fixture(scope="module")
def correlated():
    return simulated(system_of(*UNKNOWN), (HEALTHY, NAFLD), correlated=TOGETHER)


@pytest.fixture(scope="module")
def shifted():
    effects = {"SI": {"bmi": -0.08, "age": 0.01}}
    return simulated(system_of("SI"), (HEALTHY, OBESE), effects=effects, seed=5)


@pytest.fixture(scope="module")
def study():
    return simulated(system_of("SI"), subjects=60).study


def fisher(correlation, n):
    """The z of a correlation, and its standard error."""
    return np.arctanh(correlation), 1 / np.sqrt(n - 3)


class TestCorrelation:
    """False alarms below 1e-4: four standard errors."""

    system = system_of(*UNKNOWN)

    @pytest.mark.parametrize("pair", [*TOGETHER, ("p2", "V"), ("SI", "SG")])
    def test_it_is_what_was_asked_for(self, correlated, pair):
        """Of logarithms, within groups; pairs that nobody named are independent."""
        wanted = TOGETHER.get(pair, 0.0)
        for _, people in correlated.truth.groupby("group"):
            found = np.corrcoef(*(np.log(people[name].to_numpy(float)) for name in pair))[0, 1]
            z, error = fisher(found, len(people))
            assert abs(z - np.arctanh(wanted)) < 4 * error

    def test_spreads_and_medians_stay(self, correlated):
        for name in ("SI", "p2", "V"):
            parameter = self.system.parameter(name)
            for group, people in correlated.truth.groupby("group"):
                factor = NAFLD.factors.get(name, 1.0) if group == "NAFLD" else 1.0
                logs = np.log(people[name].to_numpy(float) / factor / parameter.prior.median)
                assert abs(logs.mean()) < 4 * parameter.spread / np.sqrt(len(logs))
                assert abs(logs.std() / parameter.spread - 1) < 4 / np.sqrt(2 * len(logs))

    def test_groups_have_their_own(self):
        groups = [
            Population("one", correlated={("SI", "p2"): 0.8}),
            Population("other", correlated={("SI", "p2"): -0.8}),
        ]
        made = hf.simulate_study(
            self.system, groups, subjects=200, protocol="ogtt75_sparse", seed=3
        )
        found = [
            np.corrcoef(np.log(people["SI"]), np.log(people["p2"]))[0, 1]
            for _, people in made.truth.groupby("group", sort=False)
        ]
        assert found[0] > 0.6
        assert found[1] < -0.6

    @pytest.mark.parametrize(
        ("together", "message"),
        [
            ({("SI", "q"): 0.5}, "no correlation 0.5 of SI and q: it must be between"),
            ({("SI", "SI"): 0.5}, "no correlation 0.5 of SI and SI"),
            ({("SI", "p2"): 1.5}, "no correlation 1.5 of SI and p2"),
            (
                {("SI", "p2"): 0.9, ("SI", "V"): 0.9, ("p2", "V"): -0.9},
                "nobody can have these correlations together: SI,p2=0.9",
            ),
        ],
    )
    def test_what_cannot_be(self, together, message):
        with pytest.raises(ValueError, match=message):
            simulated(self.system, correlated=together, subjects=2)


class TestCovariates:
    system = system_of("SI")

    def test_they_are_columns_of_the_study(self, shifted):
        for subject in shifted.study.subjects:
            assert set(subject.covariates) == {"bmi", "age"}
            assert 12 < subject.covariates["bmi"] < 60
            assert subject.covariates["age"] >= 18

    def test_slopes_are_those_asked_for(self, shifted):
        """By least squares on the columns of the study, within groups; four standard errors."""
        people = shifted.study.subjects
        columns = [[s.covariates[name] for s in people] for name in ("bmi", "age")]
        groups = [[s.group == name for s in people] for name in ("healthy", "obese")]
        design = np.array([*columns, *groups], dtype=float).T
        logs = np.log(shifted.truth["SI"].to_numpy())
        found, *_ = np.linalg.lstsq(design, logs, rcond=None)
        spread = self.system.parameter("SI").spread
        errors = spread * np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
        assert np.all(np.abs(found[:2] - [-0.08, 0.01]) < 4 * errors[:2])
        assert abs(found[0]) > 4 * errors[0]

    def test_the_typical_person_is_not_shifted(self):
        """Without spread everyone is the typical person, whose BMI is written with one digit."""
        made = simulated(self.system, effects={"SI": {"bmi": -0.08}}, spread=0.0, subjects=2)
        median = self.system.parameter("SI").prior.median
        np.testing.assert_allclose(made.truth["SI"], median, rtol=0.08 * 0.05)

    def test_a_fraction_stays_one(self):
        """On the logit scale, on which people vary in a fraction."""
        labeled = hf.systems.oral_labeled
        known = {
            p.name: Fixed(labeled.centers[p.name])
            for p in labeled.unknowns
            if not p.axis and p.name != "E_sp"
        }
        people = Population("any", effects={"E_sp": {"age": 0.3}})
        made = hf.simulate_study(
            labeled.with_priors(**known), (people,), subjects=30, protocol="labeled_meal", seed=2
        )
        assert np.all((made.truth["E_sp"] > 0) & (made.truth["E_sp"] < 1))
        ages = [s.covariates["age"] for s in made.study.subjects]
        assert stats.spearmanr(ages, made.truth["E_sp"]).statistic > 0.8

    @pytest.mark.parametrize("effects", [{"SI": {"shoe": 1.0}}, {"nope": {"bmi": 1.0}}])
    def test_what_is_none_is_refused(self, effects):
        with pytest.raises(ValueError, match=r"no effect of .* on one of SI"):
            simulated(self.system, effects=effects, subjects=2)

    def test_people_of_a_cohort_have_one_body(self):
        parts = {
            "one": (self.system, "ogtt75_sparse"),
            "other": (hf.systems.heavy_water, "heavy_water"),
        }
        group = Population("any", effects={"SI": {"bmi": -0.08}})
        made = hf.simulate_cohort(parts, (group,), subjects=40, seed=2)
        tables = [
            pd.DataFrame([dict(s.covariates) for s in part.study.subjects])
            for part in made.parts.values()
        ]
        np.testing.assert_array_equal(tables[0]["bmi"], tables[1]["bmi"])
        assert stats.spearmanr(tables[0]["bmi"], made.truth["SI"]).statistic < 0


class TestMissing:
    def count(self, study, analyte, *, after=0.0):
        return sum(int((s.samples[analyte].time > after).sum()) for s in study.subjects)

    def test_as_many_are_missing_as_was_said(self, study):
        """Within the bounds of 9999 studies of 10000; basal samples are all there."""
        left = lose_samples(study, [Missing(0.1)], seed=3)
        for analyte in ("glucose", "insulin"):
            there = self.count(study, analyte)
            lost = there - self.count(left, analyte)
            least, most = stats.binom.interval(0.9999, there, 0.1)
            assert least <= lost <= most
        assert all(s.samples["glucose"].time[0] == 0 for s in left.subjects)

    def test_one_analyte_and_one_time(self, study):
        left = lose_samples(study, [Missing(0.5, "insulin"), Missing(time=60.0)], seed=3)
        for before, after in zip(study.subjects, left.subjects, strict=True):
            kept = before.samples["glucose"].time != 60
            np.testing.assert_array_equal(
                after.samples["glucose"].value, before.samples["glucose"].value[kept]
            )
        there = 3 * 60
        lost = there - self.count(left, "insulin")
        least, most = stats.binom.interval(0.9999, there, 0.5)
        assert least <= lost <= most

    def test_basal_samples_are_lost_where_they_are_named(self, study):
        left = lose_samples(study, [Missing(analyte="glucose", time=0.0)], seed=1)
        assert all(s.samples["glucose"].time[0] == 30 for s in left.subjects)
        assert all(s.samples["insulin"].time[0] == 0 for s in left.subjects)

    def test_the_same_seed_loses_the_same(self, study):
        one, again, other = (lose_samples(study, [Missing(0.2)], seed=s) for s in (1, 1, 2))
        assert one.measurements().equals(again.measurements())
        assert not one.measurements().equals(other.measurements())

    def test_it_reads_back(self, study, tmp_path):
        left = lose_samples(study, [Missing(0.2)], seed=1)
        again = hf.read_study(write_study(left, tmp_path / "study"))
        assert again.measurements().equals(left.measurements())
        for one, other in zip(again.subjects, left.subjects, strict=True):
            assert (one.name, dict(one.covariates)) == (other.name, dict(other.covariates))

    def test_what_is_left_can_be_fitted(self, study):
        left = lose_samples(study, [Missing(0.2)], seed=1)
        recipe = hf.build_model(left, system_of("SI")).recipe
        assert len(recipe.observations[0].value) == self.count(left, "glucose")

    @pytest.mark.parametrize(
        ("missing", "message"),
        [
            ({"analyte": "ffa"}, "no ffa can be missing; there are glucose, insulin"),
            ({"time": 7.0}, "nothing is sampled at 7 min, only at 0, 30, 60, 90, 120"),
            ({"probability": 0.0}, "above 0 and at most 1, not 0"),
            ({"probability": 1.1}, "above 0 and at most 1, not 1.1"),
        ],
    )
    def test_what_cannot_be(self, study, missing, message):
        with pytest.raises(ValueError, match=message):
            lose_samples(study, [Missing(**missing)], seed=1)
