"""Coordinates for shares: a bijection whose Jacobian is right, also near the edge."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

from hepaflux.model.sticks import Sticks

sticks = Sticks(5)


@pytest.fixture(scope="module")
def functions():
    z = pt.vector("z")
    shares = sticks.backward(z)
    return (
        pytensor.function([z], shares, mode="FAST_COMPILE"),
        pytensor.function([z], sticks.forward(sticks.backward(z)), mode="FAST_COMPILE"),
        pytensor.function([z], sticks.log_jac_det(z), mode="FAST_COMPILE"),
    )


POINTS = [np.zeros(4), np.array([-1.0, 0.5, 2.0, -3.0]), np.array([-5.0, 1.0, -0.2, 4.0])]


@pytest.mark.parametrize("z", POINTS)
def test_shares_sum_to_one_and_lead_back(functions, z):
    shares, back, _ = functions
    assert shares(z).sum() == pytest.approx(1.0, abs=1e-14)
    assert (shares(z) > 0).all()
    np.testing.assert_allclose(back(z), z, rtol=1e-7)


@pytest.mark.parametrize("z", POINTS)
def test_the_jacobian_is_that_of_differences(functions, z):
    shares, _, log_jacobian = functions
    step = 1e-6 * np.eye(len(z))
    columns = [(shares(z + h)[:-1] - shares(z - h)[:-1]) / 2e-6 for h in step]
    _, expected = np.linalg.slogdet(np.array(columns))
    assert log_jacobian(z) == pytest.approx(expected, abs=1e-6)


def test_a_batch_is_its_points_one_by_one(functions):
    batch = np.stack(POINTS[1:])
    z = pt.matrix("z")
    shares = sticks.backward(z)
    both = pytensor.function(
        [z], [shares, sticks.forward(shares), sticks.log_jac_det(z)], mode="FAST_COMPILE"
    )
    for found, alone in zip(both(batch), functions, strict=True):
        np.testing.assert_allclose(found, [alone(point) for point in batch], rtol=1e-12)


def test_the_prior_is_the_same_in_any_coordinates():
    """Draws by a sampler that walks in the coordinates have the Dirichlet's marginal shares."""
    alpha = np.array([1.4, 5.0, 3.6])
    with pm.Model():
        pm.Dirichlet("x", alpha, default_transform=Sticks(3))
        tree = pm.sample(
            2000, tune=500, chains=2, cores=1, random_seed=3, progressbar=False,
            compute_convergence_checks=False,
        )  # fmt: skip
    first = tree["posterior"]["x"].to_numpy()[..., 0].ravel()[::4]
    assert stats.kstest(first, stats.beta(1.4, 8.6).cdf).pvalue > 1e-3
