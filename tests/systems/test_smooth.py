"""Smooth functions are the same function on numbers, arrays, symbols and quantities."""

import numpy as np
import pytensor
import pytensor.scalar as ps
import pytensor.tensor as pt
import pytest
from pint import DimensionalityError
from scipy.special import expit

from hepaflux import solver, units
from hepaflux.systems.smooth import (
    between,
    exponential,
    hill,
    log1p_exp,
    logistic,
    power,
    rectified,
    softplus,
)

FUNCTIONS = {
    "exponential": (exponential, (-0.7,)),
    "logistic": (logistic, (-0.7,)),
    "softplus": (softplus, (-0.7, 0.2)),
    "rectified": (rectified, (-0.7, 0.2)),
    "between": (between, (0.7, 0.0, 0.95, 0.2)),
    "power": (power, (0.7, 2.2)),
    "hill": (hill, (0.7, 0.4, 2.2)),
}
each_function = pytest.mark.parametrize("name", FUNCTIONS)


def compiled(outputs, inputs):
    return pytensor.function(inputs, outputs, mode="FAST_COMPILE")


def graph_of_scalars(function, arguments):
    """The function on scalar symbols, and its slopes, as the solver sees them."""
    symbols = [ps.float64(f"x{i}") for i in range(len(arguments))]
    value = function(*symbols)
    slopes = [pytensor.gradient.grad(value, s) for s in symbols]
    return symbols, [value, *slopes]


@each_function
def test_scalar_symbols_agree_with_numbers_and_finite_differences(name):
    function, arguments = FUNCTIONS[name]
    symbols, outputs = graph_of_scalars(function, arguments)
    tensors = [pt.dscalar() for _ in symbols]
    op = ps.Composite(symbols, outputs)
    wrapped = [pt.elemwise.Elemwise(op)(*tensors)]
    value, *slopes = compiled(wrapped[0], tensors)(*arguments)
    assert value == pytest.approx(function(*arguments), rel=1e-14)
    for i, slope in enumerate(slopes):
        step = np.eye(len(arguments))[i] * 1e-6
        up, down = (function(*(np.array(arguments) + s)) for s in (step, -step))
        assert slope == pytest.approx((up - down) / 2e-6, rel=1e-7)


@each_function
def test_tensors_and_arrays_agree_with_numbers(name):
    function, arguments = FUNCTIONS[name]
    columns = [np.array([a, 1.3 * a]) for a in arguments]
    rows = [function(*(c[i] for c in columns)) for i in (0, 1)]
    np.testing.assert_allclose(function(*columns), rows, rtol=1e-14)
    tensors = [pt.dvector() for _ in arguments]
    np.testing.assert_allclose(compiled(function(*tensors), tensors)(*columns), rows, rtol=1e-14)


def test_quantities_keep_their_unit():
    """The two arguments may come in different units of the same dimension."""
    x, scale = units.quantity(-700.0, "umol/L"), units.quantity(0.2, "mmol/L")
    assert softplus(x, scale).to("mmol/L").magnitude == pytest.approx(softplus(-0.7, 0.2))
    steep = units.quantity(2.2, "dimensionless")
    response = hill(units.quantity(700.0, "pmol/L"), units.quantity(0.4, "nmol/L"), steep)
    assert response.to("dimensionless").magnitude == pytest.approx(hill(0.7, 0.4, 2.2))


def test_a_scale_of_another_dimension_is_refused():
    with pytest.raises(DimensionalityError):
        softplus(units.quantity(1.0, "mmol/L"), units.quantity(1.0, "min"))


def test_softplus_is_what_it_says():
    scale, x = 0.3, np.linspace(-3, 3, 61)
    excess = softplus(x, scale) - np.maximum(x, 0)
    assert softplus(0.0, scale) == pytest.approx(scale * np.log(2))
    assert np.all(excess > 0)
    assert np.all(excess[np.abs(x) > 5 * scale] < 0.01 * scale)
    np.testing.assert_allclose(
        np.gradient(softplus(x, scale), x)[1:-1], expit(x / scale)[1:-1], 0.02
    )
    assert np.isfinite(softplus(np.array([-1e4, 1e4]), 1e-3)).all()


def test_logistic_is_the_slope_of_softplus_and_does_not_overflow():
    x = np.array([-1e4, -3.0, 0.0, 3.0, 1e4])
    np.testing.assert_allclose(logistic(x), expit(x), rtol=1e-12, atol=1e-16)


def test_hill_is_one_half_at_half_and_stays_between_zero_and_one():
    assert hill(330.0, 330.0, 1.7) == 0.5
    response = hill(np.array([-1e-12, 0.0, 1e-9, 1e9]), 1.0, 3.0)
    assert response[0] == 0.0
    assert response[1] < 1e-50  # not zero, so that it has a second derivative
    assert response[3] == pytest.approx(1.0)
    assert np.all(np.diff(response[1:]) > 0)


def test_slopes_at_zero_are_numbers():
    """Zero to a power has the logarithm of zero in its slope."""
    symbols, outputs = graph_of_scalars(hill, (0.0, 1.0, 2.0))
    tensors = [pt.dscalar() for _ in symbols]
    wrapped = pt.elemwise.Elemwise(ps.Composite(symbols, outputs))(*tensors)
    with np.errstate(divide="ignore", invalid="ignore"):
        assert np.all(np.isfinite(compiled(wrapped, tensors)(0.0, 1.0, 2.0)))


def test_the_solver_adds_the_symbols():
    assert solver.symbols
    for function in (exponential, logistic, log1p_exp):
        assert {t.__name__ for t in function.registry} >= {"ScalarVariable", "TensorVariable"}


def test_a_rectified_rate_is_zero_at_rest_and_itself_far_from_it():
    assert rectified(0.0, 0.1) == 0.0
    assert rectified(3.0, 0.1) == pytest.approx(3.0, rel=1e-9)
    assert rectified(-3.0, 0.1) == pytest.approx(0.0, abs=1e-9)
    assert rectified(np.linspace(-3, 3, 6001), 0.1).min() > -0.028


def test_between_two_bounds_a_value_is_itself_and_outside_the_nearer_bound():
    assert between(0.5, 0.0, 1.0, 0.01) == pytest.approx(0.5, abs=1e-15)
    assert between(9.0, 0.0, 1.0, 0.01) == pytest.approx(1.0, abs=1e-12)
    assert between(-9.0, 0.0, 1.0, 0.01) == pytest.approx(0.0, abs=1e-12)
