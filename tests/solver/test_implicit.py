"""The implicit method against exact solutions, SciPy's Radau method, and the explicit method."""

import time

import numpy as np
import pytest
from scipy.linalg import expm_frechet
from stiff_toys import (
    CHAIN,
    DAYS,
    ROBERTSON,
    SIGNALING,
    chain,
    radau,
    robertson,
    signaling,
)
from test_accuracy import VARIANTS, reference
from toys import explosion, given, nothing, toy
from virtual import IVGTT, adapted, prior_draw, subject_for

from hepaflux.parameter import Fixed, center
from hepaflux.solver import solve
from hepaflux.solver.implicit import GAMMA, NODES, TIME
from hepaflux.systems.system import INTEGRATORS, fields_type

TIGHT = {"rtol": 1e-11, "atol": 1e-14, "integrator": "implicit"}
LOOSE = {"rtol": 1e12, "atol": 1e12, "integrator": "implicit"}
Single = fields_type("Single", ["a"])

fading = toy(("a",), ("k",), lambda t, y, p, u: Single(-p.k * t * y.a**2), lambda p, u: Single(1.0))
"""a = 1 / (1 + k t^2 / 2): the equations depend on time"""


def exact_explosion(k, t):
    return 1 / (1 - k * t), t / (1 - k * t) ** 2


def exact_fading(k, t):
    return 1 / (1 + k * t**2 / 2), -(t**2) / 2 / (1 + k * t**2 / 2) ** 2


@pytest.mark.parametrize(
    ("system", "exact"), [(explosion, exact_explosion), (fading, exact_fading)]
)
def test_order_of_convergence_of_states_and_sensitivities(system, exact):
    """With a tolerance that accepts any step, the samples set the steps.

    The fit of the slope over a factor of eight in the step stays within 0.3 of the order.
    """
    k, end = 0.1, 6.0
    counts = np.array([16, 24, 32, 48, 64, 96, 128])
    errors = []
    for n in counts:
        solved = solve(system, {"k": k}, nothing, times=np.linspace(0, end, n + 1), **LOOSE)
        found = solved.states["a"][-1], solved.sensitivities["a", "k"][-1]
        errors.append(np.abs(np.subtract(found, exact(k, end))))
    orders = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    np.testing.assert_allclose(orders, 5, atol=0.3)


def test_the_state_of_time_gives_the_published_nodes():
    """Table 2 of Steinebach (2023): nodes, and the weights of the derivative by time."""
    nodes = [0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664]
    np.testing.assert_allclose(NODES, [*nodes, 1, 1, 1], atol=1e-14)
    weights = [-0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069]
    np.testing.assert_allclose(TIME, [GAMMA, *weights, 0, 0, 0], atol=1e-13)


def test_what_has_settled_stays_settled_at_any_step():
    """A pool a billion times faster than the samples; the first samples set the steps."""
    fast = toy(("a",), ("k",), lambda t, y, p, u: Single(p.k * (1 - y.a)), lambda p, u: Single(0.0))
    solved = solve(fast, {"k": 1e9}, nothing, times=np.arange(0.0, 60.0), integrator="implicit")
    np.testing.assert_allclose(solved.states["a"][1:], 1, rtol=1e-8)


def test_with_nothing_unknown_there_are_states_alone():
    known = VARIANTS["minimal"].with_priors(
        **{p.name: Fixed(center(p.prior)) for p in VARIANTS["minimal"].unknowns}
    )
    subject = subject_for(known)
    found = [
        solve(known, {}, subject, times=IVGTT, rtol=1e-10, atol=1e-10, integrator=integrator)
        for integrator in INTEGRATORS
    ]
    assert not found[1].sensitivities
    np.testing.assert_allclose(found[1].states["glucose"], found[0].states["glucose"], rtol=1e-8)


STIFF = {
    "robertson": (robertson, ROBERTSON, np.array([0.0, 1e-3, 0.1, 1, 40, 4e3])),
    "signaling": (signaling, SIGNALING, np.array([0.0, 0.05, 0.3, 2, 30, 300, 2000])),
}
each_stiff = pytest.mark.parametrize("name", STIFF)


@each_stiff
def test_agreement_with_radau(name):
    system, p, times = STIFF[name]
    solved = solve(system, p, nothing, times=times, **TIGHT)
    expected = radau(system, p, times)
    for i, values in enumerate(solved.states.values()):
        size = np.abs(expected[:, i]).max()
        np.testing.assert_allclose(values, expected[:, i], rtol=1e-7, atol=1e-9 * size)


@each_stiff
def test_sensitivities_against_differences_of_radau(name):
    """The difference over 0.2 % of a parameter is off by some 1e-6: by its third derivative, and by
    what Radau's tolerance of 1e-10 becomes when it is divided by the step."""
    system, p, times = STIFF[name]
    solved = solve(system, p, nothing, times=times, **TIGHT)
    for parameter, value in p.items():
        above, below = (
            radau(system, {**p, parameter: value * (1 + sign * 1e-3)}, times) for sign in (1, -1)
        )
        slopes = (above - below) / (2e-3 * value)
        for i, state in enumerate(solved.states):
            found = solved.sensitivities[state, parameter]
            size = np.abs(slopes[:, i]).max()
            np.testing.assert_allclose(found, slopes[:, i], rtol=0, atol=1e-5 * size)


def chain_matrix(p):
    rates = np.array(list(p.values()))
    matrix = np.diag(rates[:-1], -1) - np.diag(rates)
    matrix[0, 6] = 0.3 * rates[6]
    return matrix


def test_from_a_tenth_of_a_minute_to_a_hundred_days_over_a_year():
    """Doses every 50 days; exact by the exponential of the matrix, and its derivative."""
    times = np.array([0.0, 0.2, 5.0, 60.0, DAYS, 30 * DAYS, 99 * DAYS, 180 * DAYS, 365 * DAYS])
    doses = [(50 * DAYS * i, 1.0 + i, 0.0) for i in range(8)]
    matrix = chain_matrix(CHAIN)
    expected = np.zeros((len(times), 7))
    by_last = np.zeros((len(times), 7))
    change = chain_matrix({**CHAIN, "k7": 2 * CHAIN["k7"]}) - matrix
    for i, now in enumerate(times):
        for begin, amount, _ in doses:
            if begin < now:
                whole, moved = expm_frechet(matrix * (now - begin), change * (now - begin))
                expected[i] += amount * whole[:, 0]
                by_last[i] += amount * moved[:, 0] / CHAIN["k7"]
    solve(chain, CHAIN, given(*doses), times=times, **TIGHT)
    begin = time.perf_counter()
    solved = solve(chain, CHAIN, given(*doses), times=times, **TIGHT)
    assert time.perf_counter() - begin < 5
    for i, name in enumerate(solved.states):
        for found, wanted in (
            (solved.states[name], expected[:, i]),
            (solved.sensitivities[name, "k7"], by_last[:, i]),
        ):
            size = np.abs(wanted).max()
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-7 * size)


def test_the_explicit_method_gives_up_on_the_same_year():
    """Stability would need some 2e6 steps."""
    solved = solve(chain, CHAIN, given((0, 1, 0)), times=[0.0, 365 * DAYS], integrator="explicit")
    assert solved.failed


@pytest.mark.parametrize("name", ["meal", "oral_labeled"])
def test_systems_that_are_not_stiff_are_solved_as_well(name):
    system = adapted(VARIANTS[name])
    subject = subject_for(system)
    times = subject.samples[system.outputs[0].analytes[0]].time
    p = prior_draw(system, np.random.default_rng(3))
    solved = solve(system, p, subject, times=times, rtol=1e-11, atol=1e-11, integrator="implicit")
    explicit = solve(system, p, subject, times=times, rtol=1e-11, atol=1e-11)
    expected = reference(system, p, subject, times)
    for i, state in enumerate(system.states):
        size = np.abs(expected[:, i]).max()
        values = solved.states[state.name]
        np.testing.assert_allclose(values, expected[:, i], rtol=0, atol=1e-7 * size)
    assert solved.sensitivities.keys() == explicit.sensitivities.keys()
    for pair, values in explicit.sensitivities.items():
        size = np.abs(values).max()
        np.testing.assert_allclose(
            solved.sensitivities[pair], values, rtol=0, atol=1e-6 * size + 1e-9
        )
