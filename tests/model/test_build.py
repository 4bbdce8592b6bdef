"""Models are ordinary PyMC models, with names for everything and clear refusals."""

import numpy as np
import pymc as pm
import pytest
from virtual import IVGTT, TRUTH, insulin, ivgtt, ogtt, samples, study_of

import hepaflux as hf
from hepaflux.fitting.compiled import compile_model, density_and_gradient, with_study
from hepaflux.model import DesignError
from hepaflux.model.design import complete
from hepaflux.model.recipe import data_values
from hepaflux.study.study import StudyError, Subject


def group_study(n=4, **fields):
    groups = ("lean", "obese")
    return study_of(
        *(
            ogtt(
                f"S{i}",
                group=groups[2 * i // n],
                size=1 + i / 5,
                covariates={"bmi": 20.0 + i},
                **fields,
            )
            for i in range(n)
        )
    )


@pytest.fixture(scope="module")
def single():
    return hf.build_model(study_of(ivgtt()), hf.systems.minimal)


@pytest.fixture(scope="module")
def grouped():
    return hf.build_model(group_study(), hf.systems.oral, design=hf.Design(by_group=True))


class TestNames:
    def test_a_parameter_has_its_own_name(self, single):
        assert {v.name for v in single.free_RVs} == {"SI", "SG", "p2", "V", "glucose_cv"}
        assert {v.name for v in single.deterministics} == {"GEZI", "AIRg", "DI"}
        assert [v.name for v in single.observed_RVs] == ["glucose"]

    def test_dimensions_of_a_hierarchy(self, grouped):
        dims = grouped.named_vars_to_dims
        assert dims["SI_population"] == ("group",)
        assert dims["SI"] == ("subject",)
        assert dims["absorption"] == ("subject", "knot")
        assert dims["glucose"] == ("glucose_observation",)
        assert list(grouped.coords["subject"]) == ["S0", "S1", "S2", "S3"]
        assert list(grouped.coords["knot"]) == [10, 30, 60, 90, 120, 180]

    def test_one_observed_variable_however_many_people(self, grouped):
        assert len(grouped.observed_RVs) == 1

    def test_samples_before_mixing_do_not_enter(self, single):
        assert len(single.coords["glucose_observation"]) == (IVGTT >= 8).sum()


class TestSamples:
    def test_people_may_be_sampled_at_times_of_their_own(self):
        times = (IVGTT, IVGTT[[0, 3, 5, 9, 17]], np.append(IVGTT, 240.0))
        study = study_of(*(ivgtt(f"S{i}", time=t) for i, t in enumerate(times)))
        (observed,) = hf.build_model(study, hf.systems.minimal).recipe.observations
        for i, t in enumerate(times):
            assert observed.time[observed.subject == i].tolist() == t[t >= 8].tolist()

    def test_a_missing_sample_of_one_analyte_is_simply_absent(self):
        glucose, drawn = IVGTT[IVGTT != 22], IVGTT[IVGTT != 42]
        curves = {
            "glucose": samples(glucose, 6.0),
            "insulin": samples(drawn, insulin(drawn)),
        }
        subject = Subject("S", curves, ivgtt().doses)
        (observed,) = hf.build_model(study_of(subject), hf.systems.minimal).recipe.observations
        assert 22 not in observed.time
        assert 42 in observed.time
        solved = hf.solve(hf.systems.minimal, TRUTH["minimal"], subject, times=[22.0, 42.0])
        assert not solved.failed

    def test_nobody_without_glucose(self):
        subject = Subject("S7", {"insulin": samples(IVGTT, 40.0)}, ivgtt().doses)
        with pytest.raises(StudyError, match="subject S7: no glucose samples"):
            hf.build_model(study_of(subject), hf.systems.minimal)

    def test_nobody_whose_samples_are_all_too_early(self):
        subject = ivgtt("S7", time=np.array([0.0, 2.0, 4.0]))
        with pytest.raises(StudyError, match="S7: none of the 3 glucose samples"):
            hf.build_model(study_of(subject), hf.systems.minimal)

    def test_no_dose_that_the_system_would_ignore(self):
        message = "intravenous dose of glucose at 0 min does not enter system oral"
        with pytest.raises(StudyError, match=message):
            hf.build_model(study_of(ivgtt()), hf.systems.oral)

    def test_nobody_without_weight_for_an_absolute_dose(self):
        with pytest.raises(StudyError, match="S7: the oral glucose dose is not per kg"):
            hf.build_model(study_of(ogtt("S7", weight=float("nan"))), hf.systems.oral)


@pytest.mark.parametrize("others", ["shared", "separate"])
@pytest.mark.parametrize(
    "asked", [{"covariates": {"SG": ("bmi",)}}, {"correlated": (("SG", "p2"),)}], ids=str
)
def test_what_has_a_covariate_or_a_correlation_is_not_among_the_others(others, asked):
    unknowns = hf.systems.minimal.unknowns
    people = [ivgtt(f"S{i}", covariates={"bmi": 20.0 + i}) for i in range(3)]
    found = complete(hf.Design(others=others, **asked), unknowns, study_of(*people)).levels
    drawn = {"SG"} | ({"p2"} if "correlated" in asked else set())
    assert found == {p.name: "subject" if p.name in drawn else others for p in unknowns}


class TestDesignErrors:
    @pytest.mark.parametrize(
        ("design", "message"),
        [
            (hf.Design({"Si": "shared"}), "level for Si"),
            (hf.Design({"SI": "random"}), "SI: 'random' is no level"),
            (hf.Design(others="random"), "'random' is no level"),
            (hf.Design({"absorption": "subject"}), "absorption has no between-subject spread"),
            (hf.Design({"f": "shared"}), "level for f"),
            (hf.Design(covariates={"SI": ("waist",)}), "covariate waist of SI: S0 .4 subjects"),
            (hf.Design(covariates={"absorption": ("bmi",)}), "covariate for absorption"),
            (hf.Design(correlated=(("SI", "x"),)), "correlation for x"),
            (
                hf.Design(correlated=(("SI", "p2"), ("SI", "SG"))),
                "correlated with one other only",
            ),
        ],
    )
    def test_each_has_its_message(self, design, message):
        with pytest.raises(DesignError, match=message):
            hf.build_model(group_study(), hf.systems.oral, design=design)

    def test_groups_are_needed_for_a_design_by_group(self):
        lacking = study_of(ogtt("A", group="lean"), ogtt("B"))
        with pytest.raises(DesignError, match="a group for every subject, but B"):
            hf.build_model(lacking, hf.systems.oral, design=hf.Design(by_group=True))
        alike = study_of(ogtt("A", group="lean"), ogtt("B", group="lean"))
        with pytest.raises(DesignError, match="at least two groups"):
            hf.build_model(alike, hf.systems.oral, design=hf.Design(by_group=True))

    def test_one_person_is_no_population(self):
        with pytest.raises(DesignError, match="at least two subjects"):
            hf.build_model(study_of(ogtt()), hf.systems.oral, design=hf.Design({"SI": "subject"}))

    def test_noise_of_no_output(self):
        noise = {"insulin": hf.LogNormalNoise(hf.systems.minimal.outputs[0].cv)}
        with pytest.raises(KeyError, match="noise for insulin: the outputs are glucose"):
            hf.build_model(study_of(ivgtt()), hf.systems.minimal, noise=noise)


def differences(density, point, step=1e-4):
    moves = step * np.eye(len(point))
    near = np.array([density(point + m)[0] - density(point - m)[0] for m in moves])
    far = np.array([density(point + 2 * m)[0] - density(point - 2 * m)[0] for m in moves])
    return (8 * near - far) / (12 * step)


@pytest.mark.parametrize("name", ["single", "grouped"])
def test_gradient_at_the_initial_point(name, request):
    model = request.getfixturevalue(name)
    compiled = compile_model(model)
    tight = {**data_values(model.recipe), "tolerance": np.array([1e-11, 1e-11])}
    density = density_and_gradient(with_study(compiled, tight))
    for seed in (1, 2):
        point = compiled.initial_point_func(seed)
        value, gradient = density(point)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        size = np.abs(gradient).max()
        np.testing.assert_allclose(gradient, differences(density, point), rtol=0, atol=1e-6 * size)


def test_both_integrators_give_the_same_density_and_gradient():
    study, found = study_of(ivgtt()), []
    for integrator in ("explicit", "implicit"):
        compiled = compile_model(hf.build_model(study, hf.systems.minimal, integrator=integrator))
        compiled = compiled.with_data(tolerance=np.array([1e-11, 1e-11]))
        found.append(density_and_gradient(compiled)(compiled.initial_point_func(1)))
    (value, gradient), (other, other_gradient) = found
    assert other == pytest.approx(value, rel=1e-9)
    size = np.abs(gradient).max()
    np.testing.assert_allclose(other_gradient, gradient, rtol=0, atol=1e-8 * size)
    assert not np.array_equal(other_gradient, gradient)


class TestInPyMC:
    def test_sampling(self, single):
        with single:
            tree = pm.sample(
                20, tune=20, chains=1, cores=1, random_seed=1, progressbar=False,
                compute_convergence_checks=False,
            )  # fmt: skip
            predicted = pm.sample_posterior_predictive(tree, random_seed=1, progressbar=False)
        assert np.isfinite(tree["posterior"]["SI"]).all()
        glucose = predicted["posterior_predictive"]["glucose"]
        assert glucose.sizes["glucose_observation"] == (IVGTT >= 8).sum()
        assert np.isfinite(glucose).all()

    @pytest.mark.filterwarnings("ignore:`find_MAP` will:FutureWarning")
    def test_mode(self):
        """The mode of the published test lies where the least-squares fit does."""
        study = hf.read_study("pacini_bergman_1986")
        with hf.build_model(study, hf.systems.minimal):
            found = pm.find_MAP(progressbar=False, random_seed=1)
        assert found["SI"] == pytest.approx(9.6e-5, rel=0.1)
        assert found["V"] == pytest.approx(0.171, rel=0.05)


def test_prior_predictive_is_physiological():
    """Healthy people after 75 g: median fasting 3.9 to 7 and median peak 6 to 12 mmol/L."""
    simulated = hf.simulate_study(hf.systems.oral, subjects=6, seed=2)
    glucose = [s.samples["glucose"].value for s in simulated.study.subjects]
    assert all(3.9 < g[0] < 7 for g in glucose)
    model = hf.build_model(simulated.study, hf.systems.oral, design=hf.Design({}))
    with model:
        tree = pm.sample_prior_predictive(
            200, random_seed=1, compile_kwargs={"mode": "FAST_COMPILE"}
        )
    drawn = tree["prior_predictive"]["glucose"].to_numpy()[0]
    assert drawn.shape[0] == 200
    subject = model.recipe.observations[0].subject
    peaks = np.array([drawn[:, subject == i].max(axis=1) for i in range(6)])
    assert 6 < np.nanmedian(peaks) < 12
    assert np.mean(np.isfinite(drawn)) == 1
    assert (drawn > 0).mean() > 0.99
