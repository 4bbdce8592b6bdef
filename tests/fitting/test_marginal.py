"""The likelihood of a whole person, against a case in which it is known in closed form.

A person's value is log-normal among people and its measurements are log-normal around it, times a
factor that all share: the logarithms of the measurements are then jointly normal.
"""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import hepaflux as hf
from hepaflux.fitting.marginal import (
    EFFECTIVE,
    ENOUGH,
    PERSON,
    _summed,
    person_log_likelihood,
)
from hepaflux.fitting.marginal import POINTS as ROUNDS
from hepaflux.model.noise import pointwise_log_density
from hepaflux.model.recipe import prepare
from hepaflux.parameter import Fixed, LogNormal, Parameter
from hepaflux.study.study import Samples, Study, Subject
from hepaflux.systems.system import Output, System

POINTS, MORE = ROUNDS
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
    assert found[PERSON].dims == found[EFFECTIVE].dims == ("chain", "draw", "subject")
    # Quasi-random points in one dimension leave an error of the order of a percent.
    np.testing.assert_allclose(found[PERSON].to_numpy()[0], exact, atol=0.03)
    assert found[EFFECTIVE].min() > 0.5 * POINTS


def test_draws_are_thinned_and_seeds_repeat():
    rng = np.random.default_rng(5)
    recipe = setting("separate", rng)
    posterior, exact = posterior_and_truth(recipe, "separate", rng)
    posterior = posterior.assign_coords(draw=np.arange(600))
    first, again = (person_log_likelihood(recipe, posterior, draws=90, seed=3) for _ in range(2))
    assert first.sizes["draw"] == 90
    xr.testing.assert_identical(first, again)
    kept = first["draw"].to_numpy()
    assert (kept[0], kept[-1]) == (0, 599)
    assert set(np.diff(kept)) <= {6, 7}
    np.testing.assert_allclose(first[PERSON].to_numpy()[0], exact[kept], atol=0.03)


def test_a_person_without_a_density_leaves_the_others_as_they_were(monkeypatch):
    rng = np.random.default_rng(5)
    recipe = setting("separate", rng)
    posterior, _ = posterior_and_truth(recipe, "separate", rng, draws=100)
    whole = person_log_likelihood(recipe, posterior)
    first = recipe.observations[0].value[:SAMPLES]

    def lost(law, value, censoring):
        density = pointwise_log_density(law, value, censoring)
        return density * np.nan if np.array_equal(value, first) else density

    monkeypatch.setattr("hepaflux.fitting.marginal.pointwise_log_density", lost)
    found = person_log_likelihood(recipe, posterior)
    xr.testing.assert_allclose(found.isel(subject=[1, 2]), whole.isel(subject=[1, 2]))
    assert np.all(found[PERSON][..., 0] == -np.inf)
    assert np.all(found[EFFECTIVE][..., 0] == 0)


def test_without_anything_of_ones_own_nobody_can_be_left_out():
    levels = {"value": "shared", "factor": "shared"}
    recipe = prepare(study(np.random.default_rng(5)), scaled(), design=hf.Design(levels=levels))
    posterior = xr.Dataset({name: (("chain", "draw"), np.ones((1, 5))) for name in levels})
    with pytest.raises(ValueError, match="no parameter is a person's own"):
        person_log_likelihood(recipe, posterior)


CHAINS, DRAWS, GROUPS = 2, 300, ("healthy", "NAFLD")
OWN = {"first": 0.4, "second": 0.5, "third": 0.6}
"""Three values of each person, and how far people differ in the logarithm."""

MIXED = np.array([[1, 1, 0], [0, 1, 1]])
"""Glucose is the product of the first two and fatty acids that of the last two, so what is known of
a person's values is correlated, and one direction is not measured at all."""


def mixed():
    """Two products of three values of a person."""
    own = tuple(
        Parameter(name, "1", LogNormal(1.5, 0.6), "own", "made up", spread=spread)
        for name, spread in OWN.items()
    )
    products = {
        "glucose": lambda y, p, u: p.factor * p.first * p.second,
        "ffa": lambda y, p, u: p.factor * p.second * p.third,
    }
    outputs = tuple(
        Output(n, "mmol/L", "measured", analyte=n, value=value, cv=Fixed(ERROR), floor=0.0)
        for n, value in products.items()
    )
    return scaled(parameters=(scaled().parameters[0], *own), outputs=outputs)


def mixed_study(rng):
    """Four people in two groups; shape of the logarithms (person, output, sample)."""
    logs = rng.normal(1.0, 0.4, size=(4, 2, SAMPLES))
    time, plain = np.arange(float(SAMPLES)), np.full(SAMPLES, "none")
    people = tuple(
        Subject(
            f"S{i}",
            {
                n: Samples(time, np.exp(v), plain)
                for n, v in zip(("glucose", "ffa"), one, strict=True)
            },
            group=GROUPS[i // 2],
        )
        for i, one in enumerate(logs)
    )
    return Study("made", people), logs


@pytest.fixture(scope="module")
def correlated():
    """Recipe, draws (2 chains) and the exact likelihood of four people, shape (draw, person)."""
    rng = np.random.default_rng(8)
    measured, logs = mixed_study(rng)
    levels = {"factor": "shared", "first": "subject", "second": "subject", "third": "separate"}
    design = hf.Design(levels=levels, by_group=True)
    noise = {name: hf.LogNormalNoise(Fixed(ERROR)) for name in ("glucose", "ffa")}
    recipe = prepare(measured, mixed(), design=design, noise=noise)
    many = CHAINS * DRAWS
    factor = rng.normal(0.0, 0.1, size=many)
    middle = rng.normal(0.4, 0.1, size=(many, 2, 3))
    spread = np.exp(rng.normal(np.log(list(OWN.values())), 0.1, size=(many, 3)))
    prior = LogNormal(1.5, 0.6)
    middle[..., 2], spread[:, 2] = np.log(prior.median), prior.log_sd
    own, exact = np.empty((many, 4, 3)), np.empty((many, 4))
    slopes = np.repeat(MIXED, SAMPLES, axis=0)
    for i in range(many):
        precision = np.diag(spread[i] ** -2) + slopes.T @ slopes / ERROR**2
        wide = ERROR**2 * np.eye(len(slopes)) + slopes @ np.diag(spread[i] ** 2) @ slopes.T
        for person, value in enumerate(logs.reshape(4, -1)):
            usual = middle[i, person // 2]
            pull = slopes.T @ (value - factor[i]) / ERROR**2 + usual / spread[i] ** 2
            covariance = np.linalg.inv(precision)
            own[i, person] = rng.multivariate_normal(covariance @ pull, covariance)
            law = stats.multivariate_normal(factor[i] + slopes @ usual, wide)
            exact[i, person] = law.logpdf(value) - value.sum()
    shared = ("chain", "draw")
    variables = {"factor": (shared, np.exp(factor))}
    for j, name in enumerate(OWN):
        variables[name] = ((*shared, "subject"), np.exp(own[..., j]))
        variables[f"{name}_population"] = ((*shared, "group"), np.exp(middle[..., j]))
        variables[f"{name}_spread"] = (shared, spread[:, j])
    by_chain = {
        name: (dims, array.reshape(CHAINS, DRAWS, *array.shape[1:]))
        for name, (dims, array) in variables.items()
    }
    return recipe, xr.Dataset(by_chain), exact.reshape(CHAINS, DRAWS, 4)


def test_correlated_values_of_people_in_groups_are_integrated_out(correlated):
    """Groups have other medians and chains other draws: an axis taken for another is far off."""
    recipe, posterior, exact = correlated
    found = person_log_likelihood(recipe, posterior, draws=CHAINS * DRAWS)
    assert found.sizes == {"chain": CHAINS, "draw": DRAWS, "subject": 4}
    off = found[PERSON].to_numpy() - exact
    # By 100 effective points each draw is known to a tenth; Sobol points do better, and draws
    # that shift them make errors of their own, so that the mean over draws is known to 0.01.
    assert off.std() < 0.1
    assert np.abs(off.mean(axis=(0, 1))).max() < 0.01
    assert found[EFFECTIVE].median() > 0.5 * POINTS


def test_points_that_miss_a_person_are_seen(correlated):
    """The first person's draws are a tenth as wide as they are, so the points lie too close."""
    recipe, posterior, exact = correlated
    missed = posterior.copy(deep=True)
    for name in OWN:
        line = np.log(missed[name][..., 0])
        missed[name][..., 0] = np.exp(line.mean() + 0.1 * (line - line.mean()))
    found = person_log_likelihood(recipe, missed, draws=CHAINS * DRAWS)
    points = found[EFFECTIVE].median(("chain", "draw")).to_numpy()
    # This person was given more points, and they were not enough either.
    assert points[0] < 0.1 * MORE
    assert 0.5 * POINTS < points[1:].min() <= points[1:].max() <= POINTS
    off = np.abs(found[PERSON].to_numpy() - exact).mean(axis=(0, 1))
    assert off[0] > 5 * off[1:].max()


def test_who_has_few_effective_points_is_given_more(correlated, monkeypatch):
    """Where the first person's draws are half as wide as they are, more points make up for it."""
    recipe, posterior, exact = correlated
    missed = posterior.copy(deep=True)
    for name in OWN:
        line = np.log(missed[name][..., 0])
        missed[name][..., 0] = np.exp(line.mean() + 0.5 * (line - line.mean()))
    found = person_log_likelihood(recipe, missed, draws=100)
    monkeypatch.setattr("hepaflux.fitting.marginal.POINTS", ROUNDS[:1])
    once = person_log_likelihood(recipe, missed, draws=100)
    xr.testing.assert_identical(found.isel(subject=[1, 2, 3]), once.isel(subject=[1, 2, 3]))
    few, more = (one[EFFECTIVE][..., 0].median() for one in (once, found))
    assert few < ENOUGH <= more
    kept = np.linspace(0, DRAWS - 1, 50).round().astype(int)
    far, near = (float((one[PERSON][..., 0] - exact[:, kept, 0]).std()) for one in (once, found))
    # Weights have heavy tails here, so that eight times the points are worth less than that.
    assert near < far


def test_a_point_without_a_density_has_no_weight():
    weight = np.log([[1.0, 3.0, 1.0], [1.0, 1.0, 1.0]])
    weight[0, 2] = np.nan
    total, points = _summed(weight)
    np.testing.assert_allclose(total, [np.log(4 / 3), 0.0], atol=1e-12)
    np.testing.assert_allclose(points, [16 / 10, 3.0])
    total, points = _summed(np.full((1, 3), np.nan))
    assert total == -np.inf
    assert points == 0
