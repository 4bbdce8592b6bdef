"""Parameters and priors: values that can be compared, printed, parsed and evaluated."""

import math
from typing import Any

import numpy as np
import pytest

from hepaflux.parameter import (
    FAMILIES,
    Beta,
    Dirichlet,
    Fixed,
    HalfNormal,
    LogNormal,
    Normal,
    Parameter,
    Uniform,
    describe,
    parse_prior,
)

PRIORS = [
    LogNormal(median=5e-5, cv=0.9),
    Normal(mean=-1.5, sd=0.25),
    HalfNormal(scale=0.3),
    Beta(alpha=4, beta=6),
    Uniform(lower=0.0, upper=1.0),
    Fixed(value=1.7),
]


def test_every_family_is_covered_here():
    assert {type(prior) for prior in PRIORS} == set(FAMILIES)


@pytest.mark.parametrize("prior", PRIORS, ids=lambda p: type(p).__name__)
def test_prior_is_described_in_words_that_it_is_parsed_from(prior):
    assert parse_prior(describe(prior)) == prior


def test_order_of_the_numbers_does_not_matter():
    assert parse_prior("cv=0.9, median=5e-5") == LogNormal(median=5e-5, cv=0.9)


@pytest.mark.parametrize("text", ["", "median=1", "mean=1, cv=2", "5e-5", "loc=0, scale=1, df=3"])
def test_text_that_is_no_prior_lists_what_is(text):
    with pytest.raises(ValueError, match=r"is not a prior; write one of: median=, cv=; mean=, sd="):
        parse_prior(text)


def test_number_that_cannot_be_read():
    with pytest.raises(ValueError, match="holds a number that cannot be read"):
        parse_prior("median=five, cv=1")


@pytest.mark.parametrize(("median", "cv"), [(5e-5, 0.9), (12.0, 0.1), (1.0, 2.0)])
def test_lognormal_has_the_median_and_variation_it_states(median, cv):
    distribution = LogNormal(median, cv).distribution()
    assert distribution.median() == pytest.approx(median)
    assert distribution.std() / distribution.mean() == pytest.approx(cv)


def test_other_families_have_the_numbers_they_state():
    assert Normal(2.0, 0.5).distribution().mean() == 2.0
    assert Normal(2.0, 0.5).distribution().std() == 0.5
    assert HalfNormal(3.0).distribution().std() == pytest.approx(3 * math.sqrt(1 - 2 / math.pi))
    assert Beta(4, 6).distribution().mean() == pytest.approx(0.4)
    assert Uniform(2.0, 5.0).distribution().support() == (2.0, 5.0)


@pytest.mark.parametrize(
    ("prior", "support"),
    [
        (Uniform(-1, 1), "real"),
        (Uniform(0, 1), "unit"),
        (Uniform(0, 2), "positive"),
        (LogNormal(1, 1), "positive"),
        (Normal(0, 1), "real"),
        (Beta(1, 1), "unit"),
        (Fixed(1), "fixed"),
        (Dirichlet(10, (0.5, 0.5)), "simplex"),
    ],
)
def test_support_is_where_the_prior_lives(prior, support):
    assert prior.support == support


def test_dirichlet_has_the_shares_it_states():
    prior = Dirichlet(concentration=20, shares=(0.7, 0.2, 0.1))
    np.testing.assert_allclose(prior.distribution().mean(), [0.7, 0.2, 0.1])
    assert prior.alpha.sum() == pytest.approx(20)
    assert describe(prior) == "Dirichlet(concentration=20, shares=0.7 0.2 0.1)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LogNormal(0, 1), "median must be positive, but is 0"),
        (lambda: LogNormal(1, -1), "cv must be positive, but is -1"),
        (lambda: Normal(0, 0), "sd must be positive, but is 0"),
        (lambda: HalfNormal(-2), "scale must be positive, but is -2"),
        (lambda: Beta(0, 1), "alpha must be positive, but is 0"),
        (lambda: Beta(1, 0), "beta must be positive, but is 0"),
        (lambda: Uniform(2, 2), r"upper must be above lower \(2\), but is 2"),
        (lambda: Dirichlet(0, (1.0,)), "concentration must be positive, but is 0"),
        (lambda: Dirichlet(1, (0.5, 0.4)), "sum of shares must be 1, but is 0.9"),
    ],
)
def test_numbers_that_are_no_prior(make, message):
    with pytest.raises(ValueError, match=message):
        make()


SOUND: dict[str, Any] = {
    "name": "SI",
    "unit": "L/pmol/min",
    "prior": LogNormal(7e-5, 0.9),
    "meaning": "insulin sensitivity",
    "source": "nobody",
}


@pytest.mark.parametrize("attribute", ["name", "unit", "meaning", "source"])
def test_parameter_has_everything_a_reader_needs(attribute):
    with pytest.raises(ValueError, match=f"must have a {attribute}"):
        Parameter(**(SOUND | {attribute: " "}))


def test_parameter_name_is_a_field():
    with pytest.raises(ValueError, match="must be an identifier, but is 'S I'"):
        Parameter(**(SOUND | {"name": "S I"}))


def test_parameters_are_values():
    assert Parameter(**SOUND) == Parameter(**SOUND)
    assert len({Parameter(**SOUND), Parameter(**SOUND)}) == 1
