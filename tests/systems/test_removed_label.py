"""Without its label a labeled meal says of insulin sensitivity what the unlabeled model says.

The two models are the same where production is that by difference, in which total glucose depends
on the net SI and SG and on p2, V and absorption alone; their hepatic shares only divide it. Two
more things differ by declaration and are made equal: the prior of V, and what reaches plasma, f of
the one and f_abs (1 - E_sp) of the other, both fixed. The remaining priors are the same. Production
by rate or of free course has no SI, and with E_sp unknown the dose would be uncertain, so neither
has an unlabeled counterpart.

A label of exactly zero is refused by the model, so it is removed in three other ways: nobody was
given any; it was given and not measured; or there is so little that it drowns in the assay's error.
"""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from arviz_stats.base import array_stats
from scipy import stats
from virtual import labeled_meal, prior_draw, samples, study_of

import hepaflux as hf
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model
from hepaflux.model.predict import predict
from hepaflux.model.recipe import prepare
from hepaflux.parameter import Fixed
from hepaflux.systems import oral, oral_labeled

TRUTH = {"SI": 1.1e-4, "SG": 0.026, "p2": 0.013, "V": 0.15}
SAME = ("SI", "SG", "p2", "absorption")
SHARES = ("SI_hepatic_share", "SG_hepatic_share")
TIGHT = np.array([1e-10, 1e-10])
LITTLE = 1e-6
"""Label as a share of the drink that no assay sees."""

LABELED = oral_labeled.with_options(production="difference").with_priors(
    V=oral.parameter("V").prior,
    E_sp=Fixed(1 - oral.parameter("f").prior.value / oral_labeled.parameter("f_abs").prior.value),
)

DRAWS = 1000
FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of the posteriors."""


def drinker():
    """A subject whose total glucose was simulated by the unlabeled model, with 2 % error."""
    subject = labeled_meal(tracers=())
    recipe = prepare(study_of(subject), oral)
    shares = np.asarray(recipe.system.parameter("absorption").prior.shares)
    draws = {k: np.asarray(v)[None] for k, v in {**TRUTH, "absorption": shares}.items()}
    mean = predict(recipe, draws, tolerance=tuple(TIGHT))["glucose"][0]
    value = np.full(len(subject.samples["glucose"].time), 5.0)
    value[-len(mean) :] = mean * (1 + 0.02 * np.random.default_rng(6).standard_normal(len(mean)))
    glucose = samples(subject.samples["glucose"].time, value)
    return replace(subject, samples={**subject.samples, "glucose": glucose})


def with_label(subject, share, enrichment):
    """The same subject, the drink labeled; the enrichment not measured if it is None."""
    drink = subject.doses[0]
    doses = (drink, replace(drink, what="meal_tracer", amount=share * drink.amount))
    after = subject.samples["glucose"].time[2:]
    measured = {} if enrichment is None else {"meal_enrichment": samples(after, enrichment)}
    return replace(subject, doses=doses, samples={**subject.samples, **measured})


PLAIN = drinker()
REMOVED = {
    "not given": PLAIN,
    "not measured": with_label(PLAIN, 0.04, None),
    "too little": with_label(PLAIN, LITTLE, 0.0),
}


def log_densities(subject, system, points):
    """Log-density of a model at each point, without Jacobians."""
    model = hf.build_model(study_of(subject), system)
    with model:
        pm.set_data({"tolerance": TIGHT})
    density = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    found = []
    for point in points:
        values = {}
        for variable in model.free_RVs:
            transform = model.rvs_to_transforms[variable]
            forward = transform.forward(point[variable.name], *variable.owner.inputs)
            values[model.rvs_to_values[variable].name] = forward.eval(mode="FAST_COMPILE")
        found.append(float(density(values)))
    return np.array(found)


@pytest.fixture(scope="module")
def points():
    """Points of the prior, and what the unlabeled model and the shares' priors say of them."""
    rng = np.random.default_rng(2)
    system = LABELED.for_study(study_of(PLAIN))
    drawn = [prior_draw(system, rng) for _ in range(5)]
    shares = sum(
        np.array([system.parameter(s).prior.distribution().logpdf(p[s]) for p in drawn])
        for s in SHARES
    )
    return drawn, log_densities(PLAIN, oral, drawn) + shares


def test_priors_are_the_same():
    study = study_of(PLAIN)
    labeled, plain = LABELED.for_study(study), oral.for_study(study)
    for name in (*SAME, "V"):
        assert labeled.parameter(name).prior == plain.parameter(name).prior
    assert {p.name for p in labeled.unknowns} == {*SAME, "V", *SHARES}


@pytest.mark.parametrize("removed", REMOVED)
def test_the_density_is_that_of_the_unlabeled_model_and_of_the_shares(points, removed):
    """Up to the constant that the density of an enrichment of nothing is."""
    drawn, expected = points
    found = log_densities(REMOVED[removed], LABELED, drawn)
    constant = found - expected
    np.testing.assert_allclose(constant, constant[0], atol=1e-4)
    if removed != "too little":
        assert constant[0] == pytest.approx(0, abs=1e-4)


def test_a_measured_label_says_more(points):
    drawn, expected = points
    found = log_densities(with_label(PLAIN, 0.04, 0.02), LABELED, drawn)
    assert np.ptp(found - expected) > 10


def sensitivity(subject, system, seed):
    """Value and Monte-Carlo error of what is compared of the posterior of log SI."""
    compiled = compile_model(hf.build_model(study_of(subject), system), keep=["SI"])
    tree = nuts.sample(compiled, draws=DRAWS, tune=1000, chains=4, seed=seed)
    draws = np.log(tree["posterior"]["SI"].transpose("chain", "draw").to_numpy())
    found = {
        "mean": (draws.mean(), array_stats.mcse(draws, method="mean")),
        "sd": (draws.std(), array_stats.mcse(draws, method="sd")),
    }
    for share in (0.05, 0.5, 0.95):
        error = array_stats.mcse(draws, method="quantile", prob=share)
        found[f"{share:.0%}"] = (np.quantile(draws, share), error)
    return found


@pytest.fixture(scope="module")
def unlabeled():
    """The posterior of the unlabeled model."""
    return sensitivity(PLAIN, oral, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("removed", REMOVED)
def test_the_posterior_of_insulin_sensitivity_is_that_of_the_unlabeled_model(unlabeled, removed):
    """Mean, spread and quantiles differ by no more than independent draws of one posterior may.

    The Monte-Carlo error is about a twentieth of the posterior's spread, so that a shift by a
    quarter of it is seen; what is finer shows in the density.
    """
    labeled = sensitivity(REMOVED[removed], LABELED, seed=2)
    most = stats.norm.isf(FALSE_ALARM / 2 / len(REMOVED) / len(unlabeled))
    for name, (value, error) in unlabeled.items():
        other, its_error = labeled[name]
        assert abs(value - other) < most * np.hypot(error, its_error), name
