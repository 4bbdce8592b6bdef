"""What a fit says of the time between the samples."""

import numpy as np
import pytest
import xarray as xr
from virtual import LABELED, ivgtt, labeled_meal, study_of

import hepaflux as hf
from hepaflux.fitting.courses import PROBABILITIES, TIMES, between_samples
from hepaflux.model.recipe import prepare


def thinned(tree, count=40):
    return tree["posterior"].to_dataset().isel(draw=slice(count))


class TestCurves:
    def test_it_ends_where_the_samples_end(self, each, three):
        """Medians of the same draws at the same time, once as a course, once as a sample."""
        curves, expected = each["curves"], each["expected"]["glucose"]
        who = each["constant_data"]["glucose_subject"].to_numpy()
        time = each["constant_data"]["glucose_time"].to_numpy()
        for i in range(len(three.subjects)):
            last = np.flatnonzero(who == i)[-1]
            end = curves["glucose"].isel(subject=i, curve_time=-1)
            assert float(end["minutes"]) == time[last]
            sampled = expected.isel(glucose_observation=last).median()
            np.testing.assert_allclose(end, sampled, rtol=1e-4)

    def test_it_goes_through_what_is_expected_at_every_sample(self, each, three):
        curves, expected = each["curves"], each["expected"]["glucose"]
        who = each["constant_data"]["glucose_subject"].to_numpy()
        time = each["constant_data"]["glucose_time"].to_numpy()
        for i in range(len(three.subjects)):
            own = curves.isel(subject=i)
            between = np.interp(time[who == i], own["minutes"], own["glucose"])
            sampled = expected.isel(glucose_observation=who == i).median(("chain", "draw"))
            np.testing.assert_allclose(between, sampled, rtol=0.01)

    def test_a_bolus_is_a_jump_and_not_a_slope(self, alone):
        """Just after the dose there are the basal glucose and the dose in its volume."""
        (subject,) = study_of(ivgtt()).subjects
        curve = alone["curves"].isel(subject=0)
        assert list(curve["minutes"][:2].round(2)) == [0, 0]
        basal, after = curve["glucose"].to_numpy()[:2]
        volume = float(alone["posterior"]["V"].median())
        assert after - basal == pytest.approx(subject.doses[0].amount / volume, rel=0.01)
        assert curve.sizes["curve_time"] == TIMES

    def test_the_bands_are_those_of_replicated_measurements(self, alone):
        recipe = prepare(study_of(ivgtt()), hf.systems.minimal)
        posterior = alone["posterior"].to_dataset()
        curves = between_samples(recipe, posterior, np.random.default_rng(1))["curves"]
        bands = curves["glucose_measured"].isel(subject=0, curve_time=-1)
        rng = np.random.default_rng(2)
        mean = alone["expected"]["glucose"].isel(glucose_observation=-1)
        cv = posterior["glucose_cv"].sel(draw=mean["draw"])
        output = recipe.system.outputs[0]
        sd = recipe.noise["glucose"].sd(mean.to_numpy(), {"glucose_cv": cv.to_numpy()}, output.name)
        made = mean.to_numpy() + sd * rng.standard_normal((2000, *mean.shape))
        found = np.quantile(made, PROBABILITIES)
        # 120 draws, one quantile of the error each: the ends are known to a tenth of their width.
        np.testing.assert_allclose(bands, found, atol=0.1 * np.ptp(found))

    def test_another_seed_moves_the_bands_and_not_the_curve(self, alone):
        recipe = prepare(study_of(ivgtt()), hf.systems.minimal)
        first, second = (
            between_samples(recipe, thinned(alone), np.random.default_rng(seed))["curves"]
            for seed in (1, 2)
        )
        xr.testing.assert_equal(first["glucose"], second["glucose"])
        assert not first["glucose_measured"].equals(second["glucose_measured"])

    def test_a_draw_that_failed_is_left_out_and_a_course_without_any_is_nothing(
        self, alone, monkeypatch
    ):
        recipe = prepare(study_of(ivgtt()), hf.systems.minimal)
        whole = between_samples(recipe, thinned(alone), np.random.default_rng(1))["curves"]

        def failing(*arguments, **options):
            found = solved(*arguments, **options)
            values = found["glucose"].copy()
            values[3], values[:, 10] = np.nan, np.nan
            return {"glucose": values}

        module = between_samples.__globals__
        solved = module["courses"]
        monkeypatch.setitem(module, "courses", failing)
        found = between_samples(recipe, thinned(alone), np.random.default_rng(1))["curves"]
        gone = np.isnan(found["glucose"].to_numpy()[0])
        assert list(np.flatnonzero(gone)) == [10]
        assert np.isnan(found["glucose_measured"].isel(curve_time=10)).all()
        np.testing.assert_allclose(
            found["glucose"].to_numpy()[0, ~gone], whole["glucose"].to_numpy()[0, ~gone], rtol=0.02
        )


class TestManyOutputsAndPeople:
    def test_each_output_and_flux_has_its_course_and_each_person_the_own_times(self):
        people = study_of(labeled_meal("long"), labeled_meal("short", time=LABELED[:-2]))
        recipe = prepare(people, hf.systems.oral_labeled)
        tree = hf.fit_each(people, hf.systems.oral_labeled, draws=5, tune=30, chains=1, seed=1)
        curves, fluxes = tree["curves"], tree["fluxes"]
        assert {o.name for o in recipe.system.outputs} <= set(curves.data_vars)
        assert set(fluxes.data_vars) == {flux.name for flux in recipe.system.fluxes}
        np.testing.assert_array_equal(curves["minutes"].isel(curve_time=-1), LABELED[[-1, -3]])
        np.testing.assert_array_equal(curves["minutes"], fluxes["minutes"])
