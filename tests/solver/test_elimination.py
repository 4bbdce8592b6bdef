"""Linear equations by sparse elimination, on plain numbers."""

import numpy as np
import pytest

from hepaflux.solver.elimination import eliminate


def entries(matrix):
    return {(i, k): matrix[i, k] for i, k in zip(*np.nonzero(matrix), strict=True)}


def solved(matrix, right):
    found = entries(matrix)
    elimination = eliminate(len(matrix), found)
    x = elimination.solution(elimination.factors(found), dict(enumerate(right)))
    return np.array([x[i] for i in range(len(matrix))])


@pytest.mark.parametrize("seed", range(20))
def test_pools_that_exchange_are_solved_at_any_step(seed):
    """The law of M-matrices: no pivoting is needed, though the rates span ten powers of ten."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    flows = (rng.random((n, n)) < 0.3) * 10.0 ** rng.uniform(-6, 4, (n, n))
    np.fill_diagonal(flows, 0)
    step = 10.0 ** rng.uniform(-3, 6)
    matrix = np.eye(n) + step * (np.diag(flows.sum(axis=0)) - flows)
    right = rng.random(n)
    found = solved(matrix, right)
    np.testing.assert_allclose(found.sum(), right.sum(), rtol=1e-5)
    np.testing.assert_allclose(matrix @ found, right, rtol=0, atol=1e-7)


def test_agreement_with_dense_elimination():
    rng = np.random.default_rng(1)
    for _ in range(50):
        matrix = np.eye(7) * 3 + rng.normal(size=(7, 7)) * (rng.random((7, 7)) < 0.4)
        right = rng.normal(size=7)
        expected = np.linalg.solve(matrix, right)
        np.testing.assert_allclose(solved(matrix, right), expected, rtol=1e-8, atol=1e-8)


def test_a_state_that_all_others_meet_is_eliminated_last():
    """In the given order of an arrow everything would fill."""
    n = 9
    arrow = {(i, i) for i in range(n)} | {(0, i) for i in range(n)} | {(i, 0) for i in range(n)}
    elimination = eliminate(n, arrow)
    assert set(elimination.entries) == arrow
    assert elimination.order.index(0) >= n - 2


def test_absent_numbers_of_the_right_hand_side_are_zeros():
    elimination = eliminate(2, {(0, 1)})
    factors = elimination.factors({(0, 0): 2.0, (0, 1): -1.0, (1, 1): 4.0})
    assert elimination.solution(factors, {0: 3.0}) == {0: 1.5}
    assert elimination.solution(factors, {1: 4.0}) == {0: 0.5, 1: 1.0}
