"""The labeled oral model: mass is kept, origins add up, and without a label it is the old model."""

import numpy as np
import pytest
from virtual import adapted, labeled_meal, samples, study_of

import hepaflux as hf
from hepaflux.model.predict import fluxes, predict
from hepaflux.model.recipe import prepare
from hepaflux.parameter import Beta, Fixed
from hepaflux.study.study import Dose, StudyError
from hepaflux.systems import oral, oral_labeled

TIGHT = (1e-10, 1e-10)
ALL = ("meal_tracer", "egp_tracer", "ra_tracer")
TRUTH = {
    "SI_D": 8e-5,
    "SG_D": 0.014,
    "SI_L": 6e-6,
    "GE_L": 1.3e-3,
    "k_GR": 0.015,
    "k_L": 0.03,
    "p2": 0.012,
    "V": 0.16,
    "E_sp": 0.15,
    "k21": 0.065,
    "k12": 0.079,
}


def truth_of(system):
    known = {**TRUTH, "absorption": system.parameter("absorption").prior.shares}
    return {p.name: known[p.name] for p in system.unknowns}


def draws_of(values):
    return {name: np.asarray(value)[None] for name, value in values.items()}


GIVEN = {"one": ALL, "two": ("meal_tracer", "egp_tracer")}
"""Tracers with one and with two compartments; the more pools, the longer the compilation."""


@pytest.fixture(scope="module", params=GIVEN)
def recipe(request):
    system = oral_labeled.with_options(compartments=request.param)
    return prepare(study_of(labeled_meal(tracers=GIVEN[request.param])), system)


@pytest.fixture(scope="module")
def course(recipe):
    """States and fluxes at every minute from the start of the tracers to the last sample."""
    time = np.arange(-180.0, 301.0)
    values = fluxes(recipe, draws_of(truth_of(recipe.system)), [time], tolerance=TIGHT)
    return time, {name: value[0] for name, value in values.items()}


SPECIES = ("endogenous", "exogenous", "egp_tracer", "ra_tracer")


def glucose(y, pool=""):
    return sum(y[s + pool] for s in SPECIES if s + pool in y)


def test_origins_add_up_to_what_is_measured(recipe, course):
    time, y = course
    total = glucose(y)
    at = np.searchsorted(time, recipe.observations[0].time)
    found = predict(recipe, draws_of(truth_of(recipe.system)), tolerance=TIGHT)
    np.testing.assert_allclose(found["glucose"][0], total[at], rtol=1e-9)
    drunk = 0.04 * y["exogenous"]
    after = np.searchsorted(time, recipe.observations[1].time)
    np.testing.assert_allclose(
        found["meal_enrichment"][0], (drunk / (total - drunk))[after], rtol=1e-9
    )
    at = np.searchsorted(time, recipe.observations[2].time)
    np.testing.assert_allclose(
        found["egp_enrichment"][0],
        (y["egp_tracer"] / (total - y["egp_tracer"]))[at],
        rtol=1e-9,
    )


def test_all_glucose_obeys_its_mass_balance(recipe, course):
    """What entered less what left is what is there, tracers included."""
    time, y = course
    compartments = recipe.system.settings["compartments"]
    pools = glucose(y)
    if compartments == "two":
        pools = pools + glucose(y, "_deep")
    subject = recipe.study.subjects[0]
    infused = np.zeros_like(time)
    for dose in subject.doses:
        if dose.what in ("egp_tracer", "ra_tracer"):
            share = (time - dose.time) / dose.duration if dose.duration else time > dose.time
            infused += dose.amount * np.clip(share, 0, 1)
    net = y["EGP"] + y["Ra_meal"] - y["Rd"]
    # Simpson's rule on halves of each minute would need more points; trapezoids are enough to 1e-4.
    entered = np.concatenate([[0], np.cumsum(0.5 * (net[1:] + net[:-1]))])
    there = TRUTH["V"] * (pools - pools[0])
    assert np.abs(there - entered - infused).max() < 1e-3 * np.abs(there).max()


@pytest.mark.parametrize("step", [1, 5, 15])
def test_tracer_mass_does_not_depend_on_the_sampling(recipe, step):
    """Infused tracer is in the body or gone, however often blood is drawn."""
    system = recipe.system
    subject = recipe.study.subjects[0]
    times = np.arange(-180.0, 301.0, step)
    found = hf.solve(system, truth_of(system), subject, times=times, rtol=1e-11, atol=1e-11)
    once = hf.solve(system, truth_of(system), subject, times=[300.0], rtol=1e-11, atol=1e-11)
    for state in found.states.keys() & {"egp_tracer", "ra_tracer", "exogenous"}:
        assert found.states[state][-1] == pytest.approx(once.states[state][0], rel=1e-8)


def test_steady_enrichment_is_infusion_over_production(recipe):
    """Steele: after a long infusion without a meal, TTR = F / EGP."""
    system = recipe.system
    time = np.array([0.0, 1.0])
    doses = (
        Dose(-6000.0, "egp_tracer", 0.00022 * 6002, "intravenous", 6002.0, per_kg=True),
        Dose(0.5, "glucose", 5.55, "oral", per_kg=True),
        Dose(0.5, "meal_tracer", 0.2, "oral", per_kg=True),
    )
    flat = {"glucose": samples(time, 5.0), "insulin": samples(time, 45.0)}
    subject = labeled_meal(tracers=()).__class__("A", flat, doses)
    found = hf.solve(system, truth_of(system), subject, times=[0.0], rtol=1e-10, atol=1e-10)
    basal = TRUTH["SG_D"] * TRUTH["V"] * 5.0
    # The tracer itself is glucose and lowers production a little through GE_L, hence the band.
    ratio = found.states["egp_tracer"][0] / found.states["endogenous"][0]
    production = basal - TRUTH["GE_L"] * (
        found.states["endogenous"][0] + found.states["egp_tracer"][0] - 5.0
    )
    assert ratio == pytest.approx(0.00022 / production, rel=2e-3)


def test_without_a_label_it_is_the_unlabeled_model():
    """Production by difference and no tracer: glucose is that of the oral minimal model."""
    subject = labeled_meal(tracers=())
    study = study_of(subject)
    labeled = prepare(study, oral_labeled.with_options(production="difference"))
    plain = prepare(study, oral)
    shares = np.asarray(plain.system.parameter("absorption").prior.shares)
    net = {"SI": 1.1e-4, "SG": 0.026, "p2": 0.013, "V": 0.15, "absorption": shares}
    for share in (0.2, 0.6):
        parts = {"SI_hepatic_share": share, "SG_hepatic_share": 1 - share, "E_sp": 1 - 0.9 / 0.96}
        found = predict(labeled, draws_of({**net, **parts}), tolerance=TIGHT)["glucose"]
        expected = predict(plain, draws_of(net), tolerance=TIGHT)["glucose"]
        np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_insulin_on_the_liver_shows_in_endogenous_glucose_alone():
    """Twice the hepatic sensitivity leaves the exogenous curve where it was."""
    subject = labeled_meal()
    system = adapted(oral_labeled, subject)
    truth = truth_of(system)
    times = [60.0, 120.0, 240.0]
    one = hf.solve(system, truth, subject, times=times)
    two = hf.solve(system, {**truth, "SI_L": 2 * truth["SI_L"]}, subject, times=times)
    np.testing.assert_allclose(one.states["exogenous"], two.states["exogenous"], rtol=1e-6)
    assert np.all(two.states["endogenous"] < 0.97 * one.states["endogenous"])


def test_production_cannot_become_negative(recipe):
    strong = {**truth_of(recipe.system), "SI_L": 2e-4}
    time = np.arange(0.0, 300.0, 5)
    found = fluxes(recipe, draws_of(strong), [time], tolerance=TIGHT)["EGP"]
    assert found.min() >= 0
    assert found.min() < 1e-3 * TRUTH["SG_D"] * TRUTH["V"] * 5


def test_first_pass_and_net_splanchnic_uptake_are_different(recipe):
    """Without any fall of production they are equal; with it, net uptake is more."""
    derived = {d.name: d for d in recipe.system.derived}["net_splanchnic_uptake"]
    from types import SimpleNamespace as Record

    p, u = Record(E_sp=0.13, f_abs=0.96), Record(dose=5.55)
    assert derived.value(p, u, Record(extra_production=0.0)) == 0.13
    assert derived.value(p, u, Record(extra_production=-1.0)) == pytest.approx(0.13 + 1 / 5.328)


def test_difference_needs_one_compartment():
    with pytest.raises(ValueError, match="by difference has one compartment"):
        oral_labeled.with_options(production="difference", compartments="two")


def test_a_label_larger_than_the_drink_is_refused():
    subject = labeled_meal()
    doses = tuple(
        Dose(0.0, d.what, 9.0, "oral", per_kg=True) if d.what == "meal_tracer" else d
        for d in subject.doses
    )
    wrong = subject.__class__("A", subject.samples, doses)
    with pytest.raises(StudyError, match="is no label"):
        hf.build_model(study_of(wrong), oral_labeled)


def test_what_is_absorbed_and_what_passes_are_known_only_together():
    """A tenth less absorbed is a ninth more that passes; so one of them has to be fixed."""
    system, subject = oral_labeled.for_study(study_of(labeled_meal())), labeled_meal()
    assert isinstance(system.parameter("f_abs").prior, Fixed)
    freed = system.with_priors(f_abs=Beta(96, 4))
    truth = {**truth_of(system), "f_abs": 0.96}
    passed = 1 - truth["E_sp"]
    changes = ({}, {"f_abs": 0.864, "E_sp": 1 - passed / 0.9}, {"f_abs": 0.864})
    whole, same, less = (
        hf.solve(freed, {**truth, **change}, subject, times=[60.0]).states["exogenous"]
        for change in changes
    )
    assert same == pytest.approx(whole, rel=1e-6)
    assert less == pytest.approx(0.9 * whole, rel=0.05)
