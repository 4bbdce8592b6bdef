"""Derivatives of equations: exact, and without what is zero."""

import itertools

import numpy as np
import pytensor.scalar as ps
import pytest
from pytensor.graph.traversal import graph_inputs
from toys import Single, nothing, toy

from hepaflux.solver import solve
from hepaflux.solver.differentiation import active_pairs, gradients
from hepaflux.solver.simplification import number_of, simplified
from hepaflux.systems.smooth import logistic

X, Y = ps.float64("x"), ps.float64("y")
VALUES = {X: 1.3, Y: 0.7}

EXPRESSIONS = {
    "a square": X * X,
    "a product with a factor thrice": X * X * X * Y,
    "a product of five": ps.mul(X, X, X, X, X),
    "a quotient by a square": Y / (X * X),
    "equal parts made twice": (X + Y) * (X + Y),
    "signs": -(X * X) * (-Y) * 2.0,
    "a power": X**2.5 / (0.3**2.5 + X**2.5),
    "a sigmoid": Y * logistic(X / 0.2) - X,
}


def value(expression, values):
    present = [v for v in values if v in set(graph_inputs([expression]))]
    if number_of(expression) is not None:
        return number_of(expression)
    return float(expression.eval({v: values[v] for v in present}))


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_first_and_second_derivatives_against_differences(expression):
    first = gradients([expression], [X, Y])
    second = gradients(list(first.values()), [X, Y])
    lower = [(expression, first, 0)]
    lower += [(entry, second, i) for i, entry in enumerate(first.values())]
    for (function, derivatives, row), (j, symbol) in itertools.product(lower, enumerate((X, Y))):
        step = 1e-4
        above, below = (
            value(function, {**VALUES, symbol: VALUES[symbol] + sign * step}) for sign in (1, -1)
        )
        found = value(derivatives[row, j], VALUES) if (row, j) in derivatives else 0.0
        assert found == pytest.approx((above - below) / (2 * step), rel=1e-6, abs=1e-6)


def test_zeros_are_left_out():
    linear = gradients([3.0 * X - Y, X / Y], [X, Y])
    again = gradients(list(linear.values()), [X, Y])
    assert [number_of(linear[pair]) for pair in ((0, 0), (0, 1))] == [3.0, -1.0]
    assert set(linear) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert {row for row, _ in again} == {2, 3}
    assert (2, 0) not in again


def test_simplified_expressions_have_the_same_value():
    for expression in EXPRESSIONS.values():
        (simple,) = simplified([expression])
        assert value(simple, VALUES) == pytest.approx(value(expression, VALUES), rel=1e-14)


def test_a_sensitivity_is_active_through_other_states():
    assert active_pairs(3, [(1, 0), (2, 1), (2, 2)], [(0, 5)]) == ((0, 5), (1, 5), (2, 5))


@pytest.mark.parametrize("integrator", ["explicit", "implicit"])
def test_a_state_times_itself(integrator):
    """da/dt = -k a a, so a = 1 / (1 + k t); PyTensor's own derivative of a a is 2."""
    square = toy(
        ("a",), ("k",), lambda t, y, p, u: Single(-p.k * (y.a * y.a)), lambda p, u: Single(1.0)
    )
    times = np.array([0.0, 1.0, 7.0])
    solved = solve(square, {"k": 0.5}, nothing, times=times, integrator=integrator)
    exact = 1 / (1 + 0.5 * times)
    np.testing.assert_allclose(solved.states["a"], exact, rtol=1e-6)
    np.testing.assert_allclose(solved.sensitivities["a", "k"], -times * exact**2, rtol=1e-6)
