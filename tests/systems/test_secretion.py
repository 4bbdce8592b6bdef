"""Secretion by C-peptide: published kinetics, closed forms, mass, what is refused, recovery."""

import math

import numpy as np
import pytest
from by_hand import TRUTH, at, integrate, values
from scipy import stats
from virtual import c_peptide_test, prior_draw, study_of

import hepaflux as hf
from hepaflux.model import simulated_courses
from hepaflux.study.study import Dose, StudyError
from hepaflux.systems import c_peptide, sensitivity
from hepaflux.systems.c_peptide import COVARIANCE, Kinetics, body_surface, kinetics_of
from hepaflux.systems.secretion import secretion
from hepaflux.systems.system import fields_type

SMOOTHED = secretion.with_options(glucose="smoothed", glucose_knots=(0, 20, 40, 60, 90, 120, 180))
DRIVE = (4.0, 5.0, 4.5, 2.0, 0.5, -0.5)


def derived(system, subject, **changes):
    """Derived quantities that do not need the end of the test."""
    p, inputs = values(system, subject, **changes)
    u = at(0.0, inputs)
    return {d.name: d.value(p, u) for d in system.derived if not d.at_end}


class TestKinetics:
    def test_rates_of_the_published_worked_subject(self):
        """A man of 25 years: rates that Larizza 2018 gives for the first of its models."""
        kinetics = Kinetics(5.000, 0.764, 27.797 + 0.177 * 25, 4.2)
        found = (kinetics.k01, kinetics.k12, kinetics.k21)
        np.testing.assert_allclose(found, (0.0607, 0.0491, 0.0503), atol=1e-4)

    def test_standard_kinetics_of_a_worked_subject_are_those_of_van_cauter(self):
        """A woman of 52 years, 164 cm, 68 kg: the regressions, by hand."""
        subject = c_peptide_test(weight=68.0, covariates={"age": 52.0, "sex": 0.0, "height": 164.0})
        found = derived(secretion.with_options(kinetics="standard"), subject)
        surface = 0.20247 * 1.64**0.725 * 68**0.425
        assert found["t_s"] == pytest.approx(4.95)
        assert found["F"] == pytest.approx(0.76)
        assert found["t_l"] == pytest.approx(0.14 * 52 + 29.16)
        assert found["V_C"] == pytest.approx(1.11 * surface + 2.04)

    @pytest.mark.parametrize(
        ("group", "more", "half_life"),
        [
            ("T2DM", {}, 4.52),
            ("NGT", {"obese": 1.0}, 4.55),
            ("", {"diabetes": 1.0}, 4.52),
            ("IGT", {}, 4.95),
        ],
    )
    def test_health_is_that_of_group_or_column(self, group, more, half_life):
        subject = c_peptide_test(group=group, more=more)
        system = secretion.with_options(kinetics="standard")
        assert derived(system, subject)["t_s"] == half_life

    def test_people_spread_as_the_covariance_says(self):
        """Of 200 000 people; the bend at short half-lives moves the second digit."""
        rng = np.random.default_rng(5)
        p, inputs = values(secretion, c_peptide_test())
        drawn = p._replace(kinetics=tuple(rng.standard_normal((4, 200_000))))
        people = np.array(kinetics_of(drawn, at(0.0, inputs), secretion.settings))
        found = np.cov(people)
        spreads, expected = np.sqrt(np.diag(found)), np.sqrt(np.diag(COVARIANCE))
        np.testing.assert_allclose(spreads, expected, rtol=0.02)
        correlation = found / np.outer(spreads, spreads)
        np.testing.assert_allclose(
            correlation, COVARIANCE / np.outer(expected, expected), atol=0.02
        )
        means = [inputs[f"expected_{name}"] for name in ("t_s", "F", "t_l", "V")]
        np.testing.assert_allclose(people.mean(axis=1), means, rtol=0.01)
        assert people.min() > 0

    def test_expected_kinetics_are_those_of_the_refit(self):
        """A man of 40 years and 1.9 m2."""
        system = secretion.with_options(age=40, sex="male", bsa=1.9)
        found = derived(system, c_peptide_test(covariates={}), kinetics=(0.0, 0.0, 0.0, 0.0))
        assert found["t_s"] == pytest.approx(4.991)
        assert found["t_l"] == pytest.approx(26.705 + 0.209 * 40)
        assert found["V_C"] == pytest.approx(0.344 + 2.061 * 1.9)

    def test_rates_and_macro_constants_say_the_same(self):
        """The two rates are the eigenvalues of the two compartments."""
        kinetics = Kinetics(4.4, 0.71, 36.0, 4.0)
        matrix = [
            [-(kinetics.k01 + kinetics.k21), kinetics.k12],
            [kinetics.k21, -kinetics.k12],
        ]
        fast, slow = kinetics.rates
        np.testing.assert_allclose(np.sort(np.linalg.eigvals(matrix)), [-fast, -slow])

    @pytest.mark.parametrize(
        ("covariates", "weight", "message"),
        [
            ({"sex": 1.0, "bsa": 1.8}, 70.0, "no age, .* column age .* option age"),
            ({"age": 30.0, "bsa": 1.8}, 70.0, r"no sex, .*\(1 for men, 0 for women\)"),
            ({"age": 30.0, "sex": 2.0, "bsa": 1.8}, 70.0, "sex is 2; write 1 for men"),
            ({"age": 30.0, "sex": 1.0}, 70.0, r"no body surface, .* height \(cm\) and weight_kg"),
            ({"age": 30.0, "sex": 1.0, "height": 170.0}, math.nan, "or give the option bsa"),
        ],
    )
    def test_what_is_missing_is_said_with_what_to_do(self, covariates, weight, message):
        subject = c_peptide_test(covariates=covariates, weight=weight)
        with pytest.raises(StudyError, match=message):
            hf.build_model(study_of(subject), secretion)

    def test_height_may_be_in_meters(self):
        assert body_surface(1.75, 70.0) == body_surface(175.0, 70.0)
        assert body_surface(1.75, 70.0) == pytest.approx(1.84776, rel=1e-3)


class TestClosedForms:
    def test_a_bolus_falls_as_two_exponentials(self):
        """What is added to plasma at rest falls with the macro-constants."""
        time = np.array([1.0, 3, 8, 20, 60, 120, 240])
        subject = c_peptide_test(glucose=5.0, time=np.array([0.0, 240]))
        found = integrate(secretion, subject, time, start={"c_peptide": 900.0})["c_peptide"]
        k = derived(secretion, subject)
        fast, slow = (math.log(2) / k[name] for name in ("t_s", "t_l"))
        exact = k["F"] * np.exp(-fast * time) + (1 - k["F"]) * np.exp(-slow * time)
        np.testing.assert_allclose(found - TRUTH["CP_b"], 900 * exact, rtol=1e-7)

    @pytest.mark.parametrize("relative", [0.93, 1.0, 1.06])
    def test_steady_glucose_gives_secretion_over_clearance(self, relative):
        """Glucose from 5 to 9 mmol/L for good; h above, at or below basal."""
        time = np.array([0.0, 10.0, 2000.0])
        subject = c_peptide_test(glucose=np.array([5.0, 9.0, 9.0]), time=time)
        end = integrate(secretion, subject, [1990.0, 2000.0], h_relative=relative)
        k01 = derived(secretion, subject)["k01"]
        asked = TRUTH["Phi_s"] * (9 - 5 * max(relative, 1.0)) / 1.0
        np.testing.assert_allclose(end["provision"], asked, atol=TRUTH["Phi_s"] * 0.072)
        secreted = k01 * TRUTH["CP_b"] + end["provision"]
        np.testing.assert_allclose(end["c_peptide"], secreted / k01, rtol=1e-6)

    def test_dynamic_secretion_is_responsivity_times_the_rise(self):
        """All of it, whatever the speed; the fall and the way back to basal count nothing."""
        time = np.array([0.0, 10, 30, 45, 90, 120, 150, 180])
        glucose = np.array([5.0, 7.0, 9.5, 8.0, 4.0, 4.8, 5.6, 5.0])
        subject = c_peptide_test(glucose=glucose, time=time)
        end = integrate(secretion, subject, [180.0])
        assert end["risen"][0] == pytest.approx(4.5 + 0.6, rel=1e-5)

    def test_total_responsivity_is_all_secretion_over_all_glucose_above_the_threshold(self):
        """The test is so long that nothing is still on its way."""
        time = np.array([0.0, 20, 50, 90, 150, 400])
        glucose = np.array([5.0, 8.5, 9.0, 7.0, 5.0, 5.0])
        subject = c_peptide_test(glucose=glucose, time=time)
        fine = np.linspace(0, 400, 4001)
        y = integrate(secretion, subject, fine)
        p, inputs = values(secretion, subject)
        total = {d.name: d for d in secretion.derived}["Phi_tot"]
        end = fields_type("Y", list(y))(*(v[-1] for v in y.values()))
        dynamic = TRUTH["Phi_d"] * (9.0 - 5.0)
        static = np.trapezoid(y["provision"], fine)
        at_rest = TRUTH["Phi_s"] * 0.1 * math.log(2) * 400
        expected = (dynamic + static + at_rest) / y["exposure"][-1]
        assert total.value(p, at(400.0, inputs), end) == pytest.approx(expected, rel=1e-4)

    def test_c_peptide_is_accounted_for(self):
        subject = c_peptide_test()
        fine = np.linspace(0, 180, 3601)
        y = integrate(secretion, subject, fine)
        k = derived(secretion, subject)
        static = np.trapezoid(y["provision"], fine)
        secreted = k["k01"] * TRUTH["CP_b"] * 180 + static + TRUTH["Phi_d"] * y["risen"][-1]
        lost = k["k01"] * np.trapezoid(y["c_peptide"], fine)
        there = sum(y[name][-1] - y[name][0] for name in ("c_peptide", "deep"))
        assert there + lost == pytest.approx(secreted, rel=1e-5)

    def test_secretion_is_the_sum_of_its_parts(self):
        p, inputs = values(secretion, c_peptide_test())
        flux = {f.name: f.value for f in secretion.fluxes}
        y = fields_type("Y", ["provision"])(7.0)
        u = at(5.0, inputs)
        basal = derived(secretion, c_peptide_test())["ISR_b"]
        parts = (flux[name](y, p, u) for name in ("ISR_static", "ISR_dynamic"))
        assert flux["ISR"](y, p, u) == pytest.approx(basal + sum(parts))


class TestSmoothedGlucose:
    def smoothed(self, time, **changes):
        changes = {"G_b": 5.0, "glucose_drive": DRIVE, **changes}
        return integrate(SMOOTHED, c_peptide_test(), time, **changes)

    def test_glucose_reaches_its_drive(self):
        found = self.smoothed([180.0, 600.0], glucose_drive=(2.0,) * 6)
        np.testing.assert_allclose(found["glucose"], 7.0, rtol=1e-6)

    def test_both_kinds_of_glucose_give_the_same_c_peptide(self):
        """The smoothed curve, sampled every other minute and taken as measured."""
        time = np.arange(0.0, 181.0, 2.0)
        smoothed = self.smoothed(time)
        subject = c_peptide_test(glucose=smoothed["glucose"], time=time)
        measured = integrate(secretion, subject, time)
        np.testing.assert_allclose(measured["c_peptide"], smoothed["c_peptide"], rtol=5e-3)
        np.testing.assert_allclose(measured["risen"][-1], smoothed["risen"][-1], rtol=2e-2)

    def test_knots_are_the_sampling_times(self):
        subject = c_peptide_test(time=np.array([-10.0, 0, 30, 60, 120]))
        adapted = secretion.with_options(glucose="smoothed").for_study(study_of(subject))
        assert adapted.settings["glucose_knots"] == (0.0, 30.0, 60.0, 120.0)
        model = hf.build_model(study_of(subject), adapted)
        assert {v.name for v in model.observed_RVs} == {"glucose", "c_peptide"}


class TestDisposition:
    def test_matsuda_index_by_hand(self):
        """Steady 90 mg/dL and 10 µU/mL: 1e4 / 900."""
        steady = c_peptide_test(glucose=90.0 / 18.0156, insulin=60.0)
        assert sensitivity.matsuda(steady) == pytest.approx(1e4 / 900)

    def test_means_are_those_of_two_hours(self):
        time = np.array([0.0, 60, 120, 180])
        subject = c_peptide_test(time=time, glucose=np.array([5.0, 9.0, 5.0, 50.0]))
        assert sensitivity.mean_of(subject, "glucose") == pytest.approx(7.0)

    @pytest.mark.parametrize(("insulin", "chosen"), [(60.0, "matsuda"), (None, "no")])
    def test_an_index_needs_insulin(self, insulin, chosen):
        adapted = secretion.for_study(study_of(c_peptide_test(insulin=insulin)))
        assert adapted.settings["disposition"] == chosen
        assert ("DI" in {d.name for d in adapted.derived}) == (chosen == "matsuda")

    def test_index_is_responsivity_times_sensitivity(self):
        system = secretion.with_options(disposition="covariate")
        subject = c_peptide_test(more={"SI": 2e-4})
        p, inputs = values(system, subject)
        y = fields_type("Y", ["risen", "exposure"])(4.0, 200.0)
        found = {d.name: d for d in system.derived}["DI"]
        assert found.value(p, at(0.0, inputs), y) == pytest.approx((40 + 600 * 4 / 200) * 2e-4)
        with pytest.raises(StudyError, match="no SI; add a column SI"):
            values(system, c_peptide_test())


@pytest.mark.parametrize(
    ("system", "message"),
    [
        (secretion, "its first phase of secretion is not that of a drink"),
        (SMOOTHED, "does not enter system secretion; choose a system for that route"),
    ],
    ids=["measured", "smoothed"],
)
def test_glucose_into_a_vein_is_refused(system, message):
    bolus = (Dose(0.0, "glucose", 1.7, "intravenous", per_kg=True),)
    with pytest.raises(StudyError, match=message):
        hf.build_model(study_of(c_peptide_test(doses=bolus)), system)


def test_virtual_people_have_what_the_kinetics_need():
    made = hf.simulate_study(secretion, subjects=4, protocol="ogtt75_c_peptide", seed=2)
    for subject in made.study.subjects:
        assert set(subject.covariates) == {"bmi", "height", "age", "sex"}
        assert subject.samples["glucose"].value.max() > 7
        assert (
            subject.samples["c_peptide"].value.max() > 1.5 * subject.samples["c_peptide"].value[0]
        )


@pytest.fixture(scope="module")
def recovered():
    """Six virtual people whose kinetics nobody knows, and a fit of each."""
    made = hf.simulate_study(secretion, subjects=6, protocol="ogtt75_c_peptide", seed=5)
    return made, hf.fit_each(made.study, secretion, draws=300, tune=300, chains=2, seed=1)


@pytest.mark.slow
def test_what_was_put_in_is_found(recovered):
    """Errors are as large as the posteriors say.

    Their squares, in units of the posterior, add up to no more than they do in 999 studies of 1000.
    """
    made, tree = recovered
    for name in ("Phi_s", "Phi_d", "CP_b"):
        draws = np.log(tree["posterior"][name]).stack(sample=("chain", "draw"))
        error = np.log(made.truth[name].to_numpy()) - draws.mean("sample").to_numpy()
        spread = draws.std("sample").to_numpy()
        assert np.sum((error / spread) ** 2) < stats.chi2.ppf(0.999, df=6), name
        assert np.all(spread < 0.3)


@pytest.mark.slow
def test_secretion_stays_inside_its_band(recovered):
    """Nine in ten of all times and people lie inside the 90 % band of secretion.

    Times of one person are not independent, so each person's share is one observation of a mean
    that must not be below 0.9; a sound fit fails in one study of 1000.
    """
    made, tree = recovered
    right = simulated_courses(made, secretion)["ISR"]
    found = tree["fluxes"]
    inside = []
    for i in range(found.sizes["subject"]):
        lower, upper = found["ISR"].isel(subject=i).quantile((0.05, 0.95), ("chain", "draw")).values
        true = np.interp(found["minutes"].isel(subject=i), right["minutes"], right.isel(subject=i))
        assert np.all(upper / lower < 3)
        inside.append(np.mean((lower <= true) & (true <= upper)))
    spread = max(np.std(inside, ddof=1), 0.02) / np.sqrt(len(inside))
    assert np.mean(inside) > 0.9 + stats.t.ppf(0.001, len(inside) - 1) * spread


@pytest.mark.slow
@pytest.mark.usefixtures("data_mirror")
@pytest.mark.parametrize(
    ("study", "name", "options"),
    [
        ("ohashi_2015", "1", {}),
        ("fujita_2022", "1", {"age": 40, "sex": "male", "bsa": 1.75}),
    ],
)
def test_real_people_have_responsivities_of_the_published_size(study, name, options):
    """Between a third of the mean in type 2 diabetes and three times that in health (Basu 2009)."""
    whole = hf.read_study(study)
    system = secretion.with_options(**options)
    tree = hf.fit(
        hf.build_model(study_of(whole[name]), system), draws=300, tune=300, chains=2, seed=1
    )
    published = {"Phi_s": (19.3, 46.6), "Phi_d": (270.0, 638.0), "Phi_tot": (20.7, 52.6)}
    for parameter, (diabetic, healthy) in published.items():
        assert diabetic / 3 < float(tree["posterior"][parameter].median()) < 3 * healthy
    assert float(tree["sample_stats"]["diverging"].mean()) < 0.01


def test_prior_draws_are_people():
    """Peak C-peptide of people drawn from the priors, in an ordinary test: 0.5 to 20 nmol/L."""
    rng, peaks = np.random.default_rng(6), []
    subject = c_peptide_test()
    for _ in range(20):
        drawn = prior_draw(secretion, rng)
        solved = integrate(secretion, subject, [30.0, 60, 90, 120], tolerance=1e-4, **drawn)
        peaks.append(solved["c_peptide"].max())
    assert 1000 < np.median(peaks) < 4000
    assert np.quantile(peaks, 0.05) > 300
    assert np.quantile(peaks, 0.95) < 20_000


def test_covariates_that_nobody_needs_are_not_asked_for():
    system = secretion.with_options(age=40, sex="female", bsa=1.7, health="diabetic")
    subject = c_peptide_test(covariates={}, weight=math.nan)
    assert c_peptide.health_of(system.settings)(subject) == "diabetic"
    hf.build_model(study_of(subject), system)


def test_samples_before_the_drink_are_data():
    subject = c_peptide_test(time=np.array([-10.0, 0, 30, 60, 120]))
    model = hf.build_model(study_of(subject), secretion)
    assert len(model.recipe.observations[0].time) == 5
