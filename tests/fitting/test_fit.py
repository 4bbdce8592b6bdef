"""What a fit returns, and that it can be repeated."""

import json
import logging
from dataclasses import replace
from importlib import import_module

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from virtual import ivgtt, labeled_meal, labeled_sources, study_of

import hepaflux as hf
from hepaflux.fitting import FitError, approximate
from hepaflux.fitting.compiled import compile_model, with_study
from hepaflux.fitting.results import draw_prior

fit_module = import_module("hepaflux.fitting.fit")

TINY = {"draws": 60, "tune": 100, "chains": 2}
GROUPS = {
    *("posterior", "prior", "expected", "posterior_predictive", "prior_predictive"),
    *("log_likelihood", "log_prior", "observed_data", "constant_data", "measured", "sample_stats"),
    "curves",
}


class TestTree:
    def test_groups(self, alone):
        assert set(alone.children) == GROUPS

    def test_posterior(self, alone):
        posterior = alone["posterior"]
        expected = {"SI", "SG", "p2", "V", "glucose_cv", "GEZI", "AIRg", "DI"}
        assert set(posterior.data_vars) == expected
        assert all(v.dims == ("chain", "draw") for v in posterior.data_vars.values())
        assert dict(posterior.sizes) == {"chain": 2, "draw": 60}

    def test_derived_quantities_follow_from_the_parameters(self, alone):
        p = alone["posterior"]
        xr.testing.assert_allclose(p["DI"], p["SI"] * p["AIRg"])
        insulin = (p["SG"] - p["GEZI"]) / p["SI"]
        assert float(insulin.std()) < 1e-8 * float(insulin.mean())

    def test_expected_curve_is_that_of_the_solver(self, alone):
        draw = {n: float(alone["posterior"][n][1, 6]) for n in ("SI", "SG", "p2", "V")}
        time = alone["constant_data"]["glucose_time"].to_numpy()
        solved = hf.solve(hf.systems.minimal, draw, ivgtt(), times=time)
        expected = alone["expected"]["glucose"].sel(draw=6).isel(chain=1)
        np.testing.assert_allclose(solved.states["glucose"], expected, rtol=1e-4)

    def test_log_likelihood_is_that_of_the_noise(self, alone):
        density = alone["log_likelihood"]["glucose"]
        assert density.dims == ("chain", "draw", "glucose_observation")
        assert np.isfinite(density).all()

    def test_history_can_be_read_by_a_machine(self, alone):
        attrs = alone.attrs
        assert attrs["system"] == "minimal"
        assert attrs["integrator"] == "explicit"
        assert attrs["method"] == "nuts"
        assert (attrs["draws"], attrs["tune"], attrs["chains"], attrs["seed"]) == (60, 100, 2, 3)
        assert attrs["failed_solves"] >= 0
        assert attrs["sampling_seconds"] > 0
        for name in ("options", "units", "priors", "design", "noise", "versions", "conventions"):
            assert json.loads(attrs[name])
        assert json.loads(attrs["units"])["SI"] == "L/pmol/min"

    def test_tree_can_be_stored(self, alone, tmp_path):
        alone.to_netcdf(tmp_path / "posterior.nc", engine="h5netcdf")
        with xr.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf") as again:
            xr.testing.assert_equal(again["posterior"]["SI"], alone["posterior"]["SI"])


class TestRepetition:
    def test_the_same_seed_gives_the_same_draws(self, alone):
        model = hf.build_model(study_of(ivgtt()), hf.systems.minimal)
        again = hf.fit(model, seed=3, **TINY)
        for group in ("posterior", "posterior_predictive", "prior"):
            xr.testing.assert_equal(again[group].to_dataset(), alone[group].to_dataset())

    def test_another_seed_gives_others_and_none_is_recorded_too(self, alone):
        model = hf.build_model(study_of(ivgtt()), hf.systems.minimal)
        other = hf.fit(model, seed=4, **TINY)
        assert not np.array_equal(other["posterior"]["SI"], alone["posterior"]["SI"])
        unseeded = hf.fit(model, draws=5, tune=10, chains=1)
        assert isinstance(unseeded.attrs["seed"], int)


def test_drawing_the_prior_says_nothing_and_leaves_the_logger_as_it_was(caplog, published):
    logger = logging.getLogger("pymc.sampling.forward")
    with caplog.at_level(logging.INFO, logger.name):
        draw_prior(published, 1)
        assert not caplog.records
        assert logger.level == logging.INFO


class TestEach:
    def test_every_variable_has_the_subjects(self, each, three):
        posterior = each["posterior"]
        assert all("subject" in v.dims for v in posterior.data_vars.values())
        assert list(posterior["subject"].values) == [s.name for s in three.subjects]
        assert set(each.children) == GROUPS
        assert each.attrs["each"]

    def test_a_subject_gets_what_it_gets_alone(self, each, three):
        """With the seed it has in the whole, its draws are the same, number by number."""
        system = hf.systems.oral.for_study(three)
        for i, subject in enumerate(three.subjects):
            single = hf.build_model(study_of(subject), system)
            draws = hf.fit(single, seed=4 + i, **TINY)["posterior"]["SI"]
            together = each["posterior"]["SI"].isel(subject=i)
            np.testing.assert_allclose(together, draws, rtol=1e-9)

    def test_one_subject_may_be_each(self, three):
        one = replace(three, subjects=three.subjects[:1])
        tree = hf.fit_each(one, hf.systems.oral, seed=4, **TINY)
        assert tree["posterior"]["SI"].sizes["subject"] == 1
        assert np.isfinite(tree["expected"]["glucose"]).all()

    def test_observations_belong_to_their_subjects(self, each, three):
        subject = each["constant_data"]["glucose_subject"].to_numpy()
        observed = each["observed_data"]["glucose"].to_numpy()
        for i, s in enumerate(three.subjects):
            assert observed[subject == i].tolist() == s.samples["glucose"].value[1:].tolist()

    def test_a_subject_that_cannot_be_fitted_is_named(self, three, monkeypatch):
        fitted = iter([False, True])

        def second_fails(compiled, **_):
            if next(fitted):
                raise FitError("no place to start")
            return np.zeros((1, compiled.n_dim)), None

        monkeypatch.setitem(approximate.METHODS, "map", second_fails)
        with pytest.raises(FitError, match="subject S1: no place to start"):
            hf.fit_each(three, hf.systems.oral, method="map", seed=1)

    def test_a_subject_does_not_get_the_samples_of_the_one_before(self):
        """The second has no dietary label: what it does not have must not be the first one's."""
        whole = labeled_sources("whole", diet_precursor=0.1, diet_product=0.03)
        less = {k: v for k, v in whole.samples.items() if not k.startswith("diet")}
        without = replace(whole, name="without", samples=less)
        study = study_of(whole, without, replace(whole, name="again"))
        tree = hf.fit_each(study, hf.systems.sources, seed=1, **TINY)
        share = {name: tree["posterior"]["f_diet"].sel(subject=name) for name in ("whole", "again")}
        spread = float(share["whole"].std())
        assert float(tree["posterior"]["f_diet"].sel(subject="without").std()) > 3 * spread
        assert abs(float(share["again"].mean() - share["whole"].mean())) < spread

    def test_kinds_may_alternate(self, three):
        """A censored sample needs other code; what was compiled before is used again."""
        glucose = three.subjects[1].samples["glucose"]
        limits = np.where(np.arange(len(glucose.time)) == 4, "left", "none")
        middle = replace(
            three.subjects[1],
            samples={**three.subjects[1].samples, "glucose": replace(glucose, censoring=limits)},
        )
        study = study_of(three.subjects[0], middle, three.subjects[2])
        how = {"method": "map", "draws": 1, "tune": 0, "chains": 1, "seed": 1}
        fits = fit_module._fit_subjects(study, fit_module.adapt(hf.systems.oral, study), None, how)
        assert fits[0].model is fits[2].model
        assert fits[0].model is not fits[1].model

    def test_chains_that_do_not_agree_are_sampled_longer(self, three, monkeypatch):
        """Only those, as often as needed; as many draws are kept, and no divergence is lost."""
        asked, answers = [], iter([True, False, False, False, True])
        run = fit_module._run

        def recorded(compiled, model, how, sampler=None):
            asked.append((how["seed"], how["draws"]))
            posterior, stats, failed = run(compiled, model, how, sampler)
            stats["diverging"][:, 5] = True
            return posterior, stats, failed

        monkeypatch.setattr(fit_module, "_run", recorded)
        monkeypatch.setattr(fit_module, "ENOUGH", 1)
        monkeypatch.setattr(fit_module.nuts, "is_sound", lambda *_: next(answers))
        tree = hf.fit_each(three, hf.systems.oral, seed=4, **TINY)
        assert asked == [(4, 60), (5, 60), (6, 120), (7, 240), (6, 60), (7, 120)]
        assert dict(tree["posterior"].sizes)["draw"] == 60
        assert tree.attrs["sampled_longer"] == "S1, S2"
        diverging = tree["sample_stats"]["diverging"].to_numpy()
        assert all(diverging[:, draw, s].all() for s, draw in enumerate((5, 1, 2)))

    def test_an_interruption_stops_every_sampler(self, three, monkeypatch):
        """Also the one that is ahead, on the next subject."""
        stopped = []

        class Sampler:
            def wait(self):
                raise KeyboardInterrupt

            def cancel(self):
                stopped.append(self)

        started = [Sampler(), Sampler()]
        each = iter(started)
        monkeypatch.setattr(fit_module.nuts, "start", lambda *args, **kwargs: next(each))
        with pytest.raises(KeyboardInterrupt):
            hf.fit_each(three, hf.systems.oral, seed=4, **TINY)
        assert stopped == started

    def test_chains_are_sound_by_r_hat_effective_draws_and_divergences(self):
        draws = np.random.default_rng(1).normal(size=(4, 1000))
        apart = draws + np.arange(4)[:, None]
        none = xr.Dataset({"diverging": (("chain", "draw"), np.zeros(draws.shape, dtype=bool))})
        some = none.copy(deep=True)
        some["diverging"][:, :2] = True
        sound = fit_module.nuts.is_sound
        known = np.full_like(draws, 7.0)
        dims = ("chain", "draw")
        good = xr.Dataset({"x": (dims, draws), "known": (dims, known)})
        assert sound(good, none)
        assert not sound(good, some)
        assert not sound(xr.Dataset({"x": (dims, apart)}), none)
        assert not sound(xr.Dataset({"x": (dims, draws[:, :50])}), none)

    def test_code_takes_no_less_than_it_reads(self, published):
        compiled = compile_model(published)
        with pytest.raises(ValueError, match="does not read glucose_lower, glucose_upper"):
            with_study(compiled, {"glucose_lower": np.zeros(1), "glucose_upper": np.ones(1)})
        with pytest.raises(ValueError, match="the compiled model also reads glucose_measured"):
            with_study(compiled, {})

    def test_unknown_argument(self, three):
        with pytest.raises(TypeError, match="fit_each has no argument draw; it has"):
            hf.fit_each(three, hf.systems.oral, draw=10)


class TestArguments:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"method": "gibbs"}, "method must be one of nuts, pathfinder, laplace, map"),
            ({"draws": 0}, "draws must be at least 1, but is 0"),
            ({"chains": 0}, "chains must be at least 1"),
            ({"tune": -1}, "tune must be at least 0"),
        ],
    )
    def test_each_has_its_message(self, published, change, message):
        with pytest.raises(ValueError, match=message):
            hf.fit(published, **change)

    def test_a_model_of_another_origin(self):
        with pm.Model() as model:
            pm.Normal("x")
        with pytest.raises(ValueError, match="a model made by build_model"):
            hf.fit(model)


@pytest.mark.parametrize("production", ["rate", "difference"])
def test_everything_declared_is_kept(production):
    """No parameter or derived quantity is taken for one that only serves the sampler."""
    system = hf.systems.oral_labeled.with_options(production=production)
    model = hf.build_model(study_of(labeled_meal()), system)
    declared = {*(p.name for p in system.unknowns), *(d.name for d in system.derived)}
    assert "SI_hepatic_share" in declared
    assert declared <= set(fit_module.kept_variables(model))
