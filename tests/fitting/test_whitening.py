"""The coordinates of the sampler: white where the posterior bends, the model's own elsewhere."""

import numpy as np
import pytest

from hepaflux.fitting.whitening import RIDGES, _factor


def test_the_factor_is_that_of_the_curvature_and_the_first_ridge():
    root = np.random.default_rng(1).normal(size=(4, 4))
    curvature = 50 * root @ root.T
    factor = _factor(curvature)
    np.testing.assert_array_equal(factor, np.tril(factor))
    np.testing.assert_allclose(factor @ factor.T, curvature + RIDGES[0] * np.eye(4))


def test_a_direction_that_bends_up_gets_the_smallest_ridge_that_helps():
    factor = _factor(np.diag([2.0, -5.0]))
    np.testing.assert_allclose(factor @ factor.T, np.diag([12.0, 5.0]))


@pytest.mark.parametrize("worst", [-1e9, np.nan, np.inf])
def test_where_no_ridge_helps_the_coordinates_stay_and_that_is_said(worst):
    with pytest.warns(RuntimeWarning, match=r"model's own coordinates.* look at the diagnostics"):
        factor = _factor(np.diag([2.0, worst]))
    np.testing.assert_array_equal(factor, np.eye(2))
