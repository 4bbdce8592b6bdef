"""Mass balance: what was given is in the pools, at every time and for every kind of dose."""

import numpy as np
import pytest
from toys import exchange, given

from hepaflux.solver import solve
from hepaflux.systems.system import INTEGRATORS

P = {"out": 0.13, "back": 0.07}
TIMES = np.array([0.0, 3.0, 10.0, 10.001, 25.0, 40.0])

DOSES = {
    "a bolus at the start": [(0, 1.5, 0)],
    "a bolus between samples": [(0, 1, 0), (7, 2, 0)],
    "a bolus at a sample": [(0, 1, 0), (10, 2, 0)],
    "a bolus at the last sample": [(0, 1, 0), (40, 2, 0)],
    "a bolus after the last sample": [(0, 1, 0), (60, 2, 0)],
    "two boluses at one time": [(0, 1, 0), (3, 2, 0), (3, 0.5, 0)],
    "an infusion": [(0, 6, 12)],
    "an infusion that ends after the last sample": [(5, 6, 100)],
    "infusions that overlap": [(0, 6, 12), (4, 3, 30)],
    "an infusion that ends when another begins": [(0, 6, 10), (10, 3, 10)],
    "an infusion and boluses at its start and end": [(0, 6, 10), (0, 1, 0), (10, 2, 0)],
    "an infusion of a twentieth of a second": [(0, 1, 0), (5, 4, 1e-3)],
}


def delivered(doses, times):
    """A sample at the time of a bolus is taken before it."""
    total = np.zeros_like(times)
    for time, amount, duration in doses:
        if duration:
            total += amount * np.clip((times - time) / duration, 0, 1)
        else:
            total += amount * (times > time)
    return total


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("doses", DOSES.values(), ids=DOSES.keys())
def test_mass_balance(doses, integrator):
    times = TIMES[min(d[0] for d in doses) <= TIMES]
    how = {"rtol": 1e-9, "atol": 1e-10, "integrator": integrator}
    solved = solve(exchange, P, given(*doses), times=times, **how)
    total = solved.states["a"] + solved.states["b"]
    np.testing.assert_allclose(total, delivered(doses, times), rtol=0, atol=1e-8)
    for name in P:
        flows = solved.sensitivities["a", name] + solved.sensitivities["b", name]
        np.testing.assert_allclose(flows, 0, atol=1e-7)


def test_mass_balance_of_pools_that_exchange_at_once():
    """Ten thousand times a minute, for a year; only the implicit method gets there."""
    p = {"out": 1e4, "back": 2e4}
    year = np.array([0.0, 1e-4, 1.0, 1e4, 525_600.0])
    doses = [(0, 1.5, 0), (1, 6, 300), (5000, 2, 0)]
    solved = solve(exchange, p, given(*doses), times=year, integrator="implicit")
    total = solved.states["a"] + solved.states["b"]
    np.testing.assert_allclose(total, delivered(doses, year), rtol=1e-7)
    np.testing.assert_allclose(solved.states["b"][-1], total[-1] / 3, rtol=1e-7)
    flows = solved.sensitivities["a", "out"] + solved.sensitivities["b", "out"]
    np.testing.assert_allclose(flows, 0, atol=1e-9)


def test_the_order_of_doses_does_not_matter():
    doses = [(0, 6, 12), (4, 3, 30), (3, 2, 0), (0, 1, 0)]
    one = solve(exchange, P, given(*doses), times=TIMES)
    other = solve(exchange, P, given(*doses[::-1]), times=TIMES)
    np.testing.assert_allclose(one.states["a"], other.states["a"], rtol=1e-12)


def test_a_sample_at_the_start_shows_the_state_before_the_dose():
    solved = solve(exchange, P, given((0, 1, 0)), times=[0.0, 1e-9])
    np.testing.assert_allclose(solved.states["a"], [0, 1], atol=1e-8)
    np.testing.assert_allclose(solved.states["b"], [0, 0], atol=1e-8)


def test_samples_before_the_first_dose_show_the_initial_state():
    solved = solve(exchange, P, given((5, 1, 0)), times=[0.0, 4.0, 5.0, 6.0])
    np.testing.assert_array_equal(solved.states["a"][:3], 0)
    assert solved.states["a"][3] > 0.8


def test_a_long_infusion_reaches_the_exact_state():
    """Without exchange back, the pool under rate r is (r / k) (1 - exp(-k t))."""
    p = {"out": 0.2, "back": 1e-12}
    solved = solve(exchange, p, given((0, 50, 100)), times=TIMES, rtol=1e-10, atol=1e-12)
    exact = 0.5 / 0.2 * (1 - np.exp(-0.2 * TIMES))
    np.testing.assert_allclose(solved.states["a"], exact, atol=1e-8)
