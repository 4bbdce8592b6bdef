"""The likelihood of a whole person, against a case in which it is known in closed form.

A person's value is log-normal among people and its measurements are log-normal around it, times a
factor that all share: the logarithms of the measurements are then jointly normal.
"""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import hepaflux as hf
from hepaflux.fitting.marginal import person_log_likelihood
from hepaflux.model.recipe import prepare
from hepaflux.parameter import Fixed, LogNormal, Parameter
from hepaflux.study.study import Samples, Study, Subject
from hepaflux.systems.system import Output, System

PEOPLE, SAMPLES, ERROR, SPREAD = 3, 4, 0.2, 0.5


def scaled(**changes):
    """A person's value times a common factor."""
    fields = {
        "name": "scaled",
        "title": "A value",
        "equations": ("y = factor value",),
        "references": ("none",),
        "states": (),
        "inputs": (),
        "parameters": (
            Parameter("factor", "1", LogNormal(1.0, 0.5), "common", "made up"),
            Parameter("value", "mmol/L", LogNormal(5.0, 0.6), "own", "made up", spread=SPREAD),
        ),
        "outputs": (
            Output(
                "glucose",
                "mmol/L",
                "measured",
                analyte="glucose",
                value=lambda y, p, u: p.factor * p.value,
                cv=Fixed(ERROR),
                floor=0.0,
            ),
        ),
    }
    return System(**{**fields, **changes})


def study(rng):
    time = np.arange(float(SAMPLES))
    people = tuple(
        Subject(f"S{i}", {"glucose": Samples(time, v, np.full(SAMPLES, "none"))})
        for i, v in enumerate(np.exp(rng.normal(1.6, 0.3, size=(PEOPLE, SAMPLES))))
    )
    return Study("made", people)


def setting(level, rng):
    measured = study(rng)
    design = hf.Design(levels={"factor": "shared", "value": level})
    noise = {"glucose": hf.LogNormalNoise(Fixed(ERROR))}
    return prepare(measured, scaled(), design=design, noise=noise)


def posterior_and_truth(recipe, level, rng, draws=600):
    """Draws of what is common, exact draws of what is own, and the exact likelihood."""
    logs = np.log([s.samples["glucose"].value for s in recipe.study.subjects])
    factor = rng.normal(0.0, 0.1, size=draws)
    prior = LogNormal(5.0, 0.6)
    middle = np.full(draws, np.log(5.0))
    spread = np.full(draws, prior.log_sd)
    if level == "subject":
        middle, spread = rng.normal(1.6, 0.1, size=draws), np.exp(rng.normal(-0.7, 0.1, size=draws))
    precision = 1 / spread**2 + SAMPLES / ERROR**2
    sums = (logs[None] - factor[:, None, None]).sum(axis=-1) / ERROR**2
    own = (sums + (middle / spread**2)[:, None]) / precision[:, None]
    own += rng.standard_normal(own.shape) / np.sqrt(precision)[:, None]
    variables = {
        "factor": (("chain", "draw"), np.exp(factor)[None]),
        "value": (("chain", "draw", "subject"), np.exp(own)[None]),
        "value_population": (("chain", "draw"), np.exp(middle)[None]),
        "value_spread": (("chain", "draw"), spread[None]),
    }
    exact = np.empty((draws, PEOPLE))
    for i in range(draws):
        covariance = ERROR**2 * np.eye(SAMPLES) + spread[i] ** 2
        law = stats.multivariate_normal(np.full(SAMPLES, middle[i] + factor[i]), covariance)
        # The measurements are log-normal: their density has the Jacobian of the logarithm.
        exact[i] = law.logpdf(logs) - logs.sum(axis=1)
    return xr.Dataset(variables), exact


@pytest.mark.parametrize("level", ["subject", "separate"])
def test_it_is_the_density_of_jointly_normal_logarithms(level):
    rng = np.random.default_rng(5)
    recipe = setting(level, rng)
    posterior, exact = posterior_and_truth(recipe, level, rng)
    found = person_log_likelihood(recipe, posterior, draws=600)
    assert found.dims == ("chain", "draw", "subject")
    # 32 quasi-random points in one dimension leave an error of the order of a percent.
    np.testing.assert_allclose(found.to_numpy()[0], exact, atol=0.03)


def test_draws_are_thinned_and_seeds_repeat():
    rng = np.random.default_rng(5)
    recipe = setting("separate", rng)
    posterior, _ = posterior_and_truth(recipe, "separate", rng)
    first, again = (person_log_likelihood(recipe, posterior, draws=100, seed=3) for _ in range(2))
    assert first.sizes["draw"] == 100
    np.testing.assert_array_equal(first, again)


def test_without_anything_of_ones_own_nobody_can_be_left_out():
    levels = {"value": "shared", "factor": "shared"}
    recipe = prepare(study(np.random.default_rng(5)), scaled(), design=hf.Design(levels=levels))
    posterior = xr.Dataset({name: (("chain", "draw"), np.ones((1, 5))) for name in levels})
    with pytest.raises(ValueError, match="no parameter is a person's own"):
        person_log_likelihood(recipe, posterior)
