"""Coordinates without bounds: there and back, and the spread of every prior."""

import numpy as np
import pytest
from virtual import adapted

import hepaflux as hf
from hepaflux.model.line import Line, covariance, from_line, scale_of, to_line
from hepaflux.parameter import (
    Beta,
    Dirichlet,
    Fixed,
    HalfNormal,
    Independent,
    LogNormal,
    Normal,
    Uniform,
)

PRIORS = {
    "log": LogNormal(3.0, 0.8),
    "": Normal(-2.0, 1.5),
    "log ": HalfNormal(2.0),
    "logit": Beta(2.0, 5.0),
    "logit ": Uniform(-3.0, 7.0),
    "log-ratio": Dirichlet(12.0, (0.2, 0.5, 0.3)),
    "log  ": Independent(LogNormal(2.0, 0.4), 3),
}
each_prior = pytest.mark.parametrize(
    ("scale", "prior"), PRIORS.items(), ids=[type(p).__name__ for p in PRIORS.values()]
)


@each_prior
def test_the_way_there_leads_back(scale, prior):
    values = prior.distribution().rvs(size=20, random_state=np.random.default_rng(1))
    coordinates = to_line(prior, values)
    assert coordinates.shape == (20, len(covariance(prior)))
    np.testing.assert_allclose(from_line(prior, coordinates), values, rtol=1e-9)
    assert scale_of(prior) == scale.strip()


@each_prior
def test_the_spread_is_that_of_draws(scale, prior):
    """Each covariance is within five standard errors, about 0.02 of the variances, of 1e5 draws."""
    values = prior.distribution().rvs(size=100_000, random_state=np.random.default_rng(2))
    drawn = np.cov(to_line(prior, values).T).reshape(covariance(prior).shape)
    sd = np.sqrt(np.diag(covariance(prior)))
    np.testing.assert_allclose(
        drawn / np.outer(sd, sd), covariance(prior) / np.outer(sd, sd), atol=0.04
    )


def test_a_fixed_parameter_has_no_spread():
    with pytest.raises(TypeError, match="has no variance"):
        covariance(Fixed(1.0))


def test_unknowns_stand_side_by_side():
    system = adapted(hf.systems.oral)
    line = Line(system)
    points = line.draw((4, 2), np.random.default_rng(1))
    assert points.shape == (4, 2, line.size)
    assert line.size == len(system.unknowns) - 1 + 5  # six shares have five coordinates
    values = line.values(points)
    assert values["absorption"].shape == (4, 2, 6)
    assert values["SI"].shape == (4, 2)
    np.testing.assert_allclose(line.points(values), points, rtol=1e-9, atol=1e-9)
    assert line.covariance[line.slices["SI"], line.slices["SG"]] == 0
