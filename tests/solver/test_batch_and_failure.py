"""Many solves at once, and solves that cannot succeed."""

import time

import numpy as np
import pytest
from toys import decay, explosion, nothing
from virtual import ivgtt, prior_draw

import hepaflux as hf
from hepaflux.solver import solve
from hepaflux.solver.machine_code import callable_kernel
from hepaflux.solver.program import compile_equations
from hepaflux.solver.protocol import build_protocol
from hepaflux.systems.system import INTEGRATORS

TOLERANCE = np.array([1e-8, 1e-8])
CURVES = frozenset({"insulin_above_basal"})


def solve_batch(system, theta, subjects, times, *, curves=frozenset()):
    program = compile_equations(system, curve_names=curves)
    protocol = build_protocol(system, program.layout, subjects, times)
    kernel = callable_kernel(program)
    arrays = (protocol.constants, protocol.table, protocol.rows, TOLERANCE)
    states, sensitivities = kernel(np.array(theta, dtype=float), *arrays)
    return [
        (states[a:b].copy(), sensitivities[a:b].copy()) for a, b in protocol.rows[:, 2:].tolist()
    ]


@pytest.mark.parametrize("integrator", INTEGRATORS)
class TestBatch:
    times = (np.array([0.0, 2, 8, 20]), np.array([3.0, 60, 61, 100, 182]), np.array([182.0]))
    subjects = tuple(ivgtt(f"S{i}", size=0.5 + i) for i in range(3))

    def theta(self, system):
        order = compile_equations(system, curve_names=CURVES).layout.theta
        rng = np.random.default_rng(5)
        draws = [prior_draw(system, rng) for _ in self.subjects]
        return [[p[name] for name in order] for p in draws]

    def batch(self, order, integrator):
        system = hf.systems.minimal.with_options(integrator=integrator)
        pick = lambda values: [values[i] for i in order]  # noqa: E731
        arrays = (pick(self.theta(system)), pick(self.subjects), pick(self.times))
        return solve_batch(system, *arrays, curves=CURVES)

    def test_equals_a_loop(self, integrator):
        alone = [self.batch([i], integrator)[0] for i in range(3)]
        for one, other in zip(self.batch([0, 1, 2], integrator), alone, strict=True):
            np.testing.assert_array_equal(one[0], other[0])
            np.testing.assert_array_equal(one[1], other[1])

    def test_follows_the_order_of_the_subjects(self, integrator):
        orders = ([2, 0, 1], [0, 1, 2])
        shuffled, straight = (self.batch(order, integrator) for order in orders)
        for k, i in enumerate([2, 0, 1]):
            np.testing.assert_array_equal(shuffled[k][0], straight[i][0])
            np.testing.assert_array_equal(shuffled[k][1], straight[i][1])


@pytest.mark.parametrize("integrator", INTEGRATORS)
class TestFailure:
    times = np.array([0.0, 0.5, 1.5])

    def test_a_solution_that_blows_up_is_nan_everywhere_and_said_so(self, integrator):
        start = time.perf_counter()
        solved = solve(explosion, {"k": 1.0}, nothing, times=self.times, integrator=integrator)
        assert solved.failed
        assert np.isnan(solved.states["a"]).all()
        assert np.isnan(solved.sensitivities["a", "k"]).all()
        assert time.perf_counter() - start < 60

    def test_before_it_blows_up_it_is_right(self, integrator):
        solved = solve(explosion, {"k": 1.0}, nothing, times=[0.0, 0.5, 0.9], integrator=integrator)
        assert not solved.failed
        np.testing.assert_allclose(solved.states["a"], [1, 2, 10], rtol=1e-6)

    @pytest.mark.parametrize(
        "k",
        [
            np.nan,
            np.inf,
            -np.inf,
        ],
    )
    def test_parameters_that_are_no_numbers(self, integrator, k):
        assert solve(decay, {"k": k}, nothing, times=self.times, integrator=integrator).failed

    @pytest.mark.parametrize("bad", [1.0, np.nan, 1e300])
    def test_the_others_of_the_batch_are_unharmed(self, integrator, bad):
        people, times = [nothing] * 3, [self.times] * 3
        system, k = explosion.with_options(integrator=integrator), [[0.1], [bad], [0.2]]
        first, middle, last = solve_batch(system, k, people, times)
        assert np.isnan(middle[0]).all()
        assert np.isnan(middle[1]).all()
        np.testing.assert_allclose(first[0][:, 0], 1 / (1 - 0.1 * self.times), rtol=1e-6)
        np.testing.assert_allclose(last[0][:, 0], 1 / (1 - 0.2 * self.times), rtol=1e-6)

    def test_steps_are_bounded(self, integrator):
        """Stability of the explicit method would need some 1e9 steps here."""
        solve(decay, {"k": 1.0}, nothing, times=self.times, integrator=integrator)
        start = time.perf_counter()
        solved = solve(decay, {"k": 1e8}, nothing, times=[0.0, 60.0], integrator=integrator)
        assert solved.failed == (integrator == "explicit")
        assert time.perf_counter() - start < 5
