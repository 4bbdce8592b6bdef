"""States of health: what a system says of them, and what it becomes in one."""

import dataclasses

import numpy as np
import pytest

from hepaflux import systems
from hepaflux.parameter import Beta, Fixed, HalfNormal, LogNormal, Normal, Uniform, center, centered
from hepaflux.systems.condition import (
    Condition,
    Reported,
    parameters_under_any_option,
    reported,
)

EVERY = [(system, c) for system in systems.ALL for c in system.conditions]
each_condition = pytest.mark.parametrize(
    ("system", "condition"), EVERY, ids=[f"{s.name}-{c.name}" for s, c in EVERY]
)


@each_condition
def test_every_value_is_that_of_a_parameter_and_has_a_source(system, condition):
    """Of one that is there under some options at least."""
    known = parameters_under_any_option(system.in_condition(condition.name))
    for name, value in condition.values.items():
        assert center(known[name].prior) == pytest.approx(value.value, rel=1e-9)
        assert len(value.source) > 10
    assert system.condition(condition.name) is condition


@each_condition
def test_priors_keep_their_family_and_width(system, condition):
    chosen = system.in_condition(condition.name).with_options(**dict(system.settings))
    for parameter in system.unknowns:
        prior, there = parameter.prior, chosen.parameter(parameter.name).prior
        stated = condition.values.get(parameter.name)
        if isinstance(prior, Beta) and stated and stated.value in {0, 1}:
            assert isinstance(there, Fixed)  # no share has its median at an end
            continue
        assert type(there) is type(prior), parameter.name
        assert not isinstance(prior, LogNormal) or there.cv == prior.cv


@pytest.mark.parametrize("unknowns", ["few", "all"])
@pytest.mark.parametrize("state", ["normal", "t2d"])
def test_the_order_of_state_and_options_does_not_matter(state, unknowns):
    start = systems.meal.with_options(unknowns="all" if unknowns == "few" else "few")
    first, last = start.in_condition(state), start.with_options(unknowns=unknowns)
    chosen = first.with_options(unknowns=unknowns)
    assert chosen.priors == last.in_condition(state).priors
    assert len(chosen.unknowns) == len(last.unknowns) != len(start.unknowns)
    for name, value in systems.meal.condition(state).values.items():
        assert chosen.centers[name] == pytest.approx(value.value, rel=1e-9)


def test_a_stated_prior_outlasts_state_and_options():
    stated = {"Vmx": LogNormal(3e-4, 0.2), "m5": Fixed(0.04)}
    chosen = systems.meal.in_condition("t2d").with_priors(**stated).with_options(unknowns="all")
    assert {name: chosen.priors[name] for name in stated} == stated
    assert isinstance(chosen.priors["m1"], LogNormal)


def test_names_are_unique():
    for system in systems.ALL:
        names = [condition.name for condition in system.conditions]
        assert len(set(names)) == len(names)


def test_an_unknown_state_is_answered_by_the_known_ones():
    with pytest.raises(KeyError, match="no state of health 'well'; it has normal, impaired, t2d"):
        systems.meal.in_condition("well")
    with pytest.raises(KeyError, match="it has none"):
        systems.mida.in_condition("t2d")


def test_the_reference_differs_in_nothing():
    meal = systems.meal
    assert meal.condition("normal").differing(meal.centers) == ()
    differing = meal.condition("t2d").differing(meal.centers)
    assert {"kp3", "Vmx", "beta", "G_b"} <= set(differing)
    assert not {"f", "HE_b", "Fcns", "gamma"} & set(differing)


def test_what_nobody_compared_with_its_source_is_marked():
    assert systems.meal.condition("t2d").unverified == ("K_iv",)
    assert Condition("x", "someone", reported({"a": 1.0}, "a paper")).unverified == ()


def test_options_belong_to_a_state():
    wide = Condition("wide", "someone", settings={"unknowns": "all"})
    system = dataclasses.replace(systems.meal, conditions=(wide,))
    assert len(system.in_condition("wide").unknowns) > len(system.unknowns)


def test_a_state_without_meaning_and_a_value_without_source_are_refused():
    with pytest.raises(ValueError, match="must have a source, but 1 has none"):
        Reported(1.0, " ")
    with pytest.raises(ValueError, match="must have a name and a meaning"):
        Condition("t2d", "")


@pytest.mark.parametrize(
    ("prior", "value"),
    [
        (LogNormal(1.0, 0.5), 3.0),
        (Normal(0.0, 1.0), -2.0),
        (HalfNormal(2.0), 0.3),
        (Beta(2.0, 6.0), 0.7),
        (Fixed(1), 2.0),
    ],
)
def test_a_centered_prior_has_its_median_there(prior, value):
    moved = centered(prior, value)
    assert type(moved) is type(prior)
    assert center(moved) == pytest.approx(value, rel=1e-9)


def test_a_centered_share_is_as_concentrated_as_before():
    moved = centered(Beta(2.0, 6.0), 0.7)
    assert moved.alpha + moved.beta == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("prior", "value"), [(LogNormal(1, 1), 0.0), (Beta(2, 2), 1.0), (HalfNormal(1), -1.0)]
)
def test_what_a_family_cannot_have_as_its_median_is_known(prior, value):
    assert centered(prior, value) == Fixed(value)
    assert centered(Uniform(0.0, 1.0), 0.3) == Fixed(0.3)


def test_a_median_is_the_center():
    for prior in (LogNormal(2.0, 0.4), Beta(2.0, 3.0), Normal(1.0, 2.0)):
        assert center(prior) == pytest.approx(np.median(prior.distribution().ppf([0.4, 0.5, 0.6])))
