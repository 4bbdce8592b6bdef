"""The solver against exact solutions, another solver and differences."""

import itertools

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from toys import decay, given, nothing, oscillator
from virtual import IVGTT, OGTT, TRUTH, adapted, insulin, ivgtt, prior_draw, samples, subject_for

import hepaflux as hf
from hepaflux.solver import solve
from hepaflux.study.study import Subject, start_time
from hepaflux.systems.system import Curve, fields_type

VARIANTS = {s.name: s for s in hf.systems.ALL if s.states}
VARIANTS["oral_GEZI"] = hf.systems.oral.with_options(effectiveness="GEZI")
each_system = pytest.mark.parametrize("name", VARIANTS)
TIGHT = {"rtol": 1e-12, "atol": 1e-12}


def test_order_of_convergence_of_states_and_sensitivities():
    """With a tolerance that accepts any step, the samples set the steps.

    The fit of the slope over a factor of eight in the step stays within 0.3 of the order.
    """
    w, end = 1.3, 8.0
    counts = np.array([16, 24, 32, 48, 64, 96, 128])
    errors = []
    for n in counts:
        times = np.linspace(0, end, n + 1)
        solved = solve(oscillator, {"w": w}, nothing, times=times, rtol=1e12, atol=1e12)
        state = solved.states["a"][-1] - np.cos(w * end)
        slope = solved.sensitivities["a", "w"][-1] + end * np.sin(w * end)
        errors.append((abs(state), abs(slope)))
    orders = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    np.testing.assert_allclose(orders, 5, atol=0.3)


def test_error_follows_the_tolerance():
    def error(tolerance):
        times = [0.0, 30.0]
        solved = solve(oscillator, {"w": 1.3}, nothing, times=times, rtol=tolerance, atol=tolerance)
        return abs(solved.states["a"][-1] - np.cos(39.0))

    tolerances = np.logspace(-4, -10, 7)
    slope = np.polyfit(np.log(tolerances), np.log([error(t) for t in tolerances]), 1)[0]
    assert slope == pytest.approx(1, abs=0.25)
    assert error(1e-10) < 1e-8


def reference(system, parameters, subject, times):
    """SciPy's DOP853 on the system's own functions, piece by piece between kinks and doses."""
    fixed = {p.name: getattr(p.prior, "value", None) for p in system.parameters}
    p = fields_type("P", list(fixed))(**{**fixed, **parameters})
    inputs = {i.name: i.read(subject) for i in system.inputs}
    record = fields_type("U", list(inputs))

    def at(value, t):
        if isinstance(value, tuple):
            return tuple(curve(t) for curve in value)
        return value(t) if isinstance(value, Curve) else value

    def u(t):
        return record(**{name: at(value, t) for name, value in inputs.items()})

    states = fields_type("Y", [s.name for s in system.states])
    curves = [c for v in inputs.values() for c in (v if isinstance(v, tuple) else (v,))]
    kinks = [c.time for c in curves if isinstance(c, Curve)]
    given = entering(system, subject, p, u)
    edges = [t for begin, end, _ in given for t in (begin, end)]
    start = start_time(subject)
    cuts = np.unique(np.concatenate([[start], times, edges, *kinks]))
    cuts = cuts[(cuts >= start) & (cuts <= times[-1])]
    y = np.array(system.initial(p, u(start)), dtype=float)
    found = dict.fromkeys(times[times <= start], y)
    for begin, end in itertools.pairwise(cuts):
        y = y + sum(amount for first, last, amount in given if first == last == begin)
        rate = sum(a / (last - first) for first, last, a in given if first <= begin < last)
        y = solve_ivp(
            lambda t, y, rate=rate: np.array(system.rhs(t, states(*y), p, u(t)), float) + rate,
            (begin, end),
            y,
            method="DOP853",
            rtol=1e-12,
            atol=1e-14,
        ).y[:, -1]
        found[end] = y
    return np.array([found[t] for t in times])


def entering(system, subject, p, u):
    """Begin, end and whole change of the states of every dose that enters."""
    channels = {(c.what, c.route): np.array(c.gain(p, u(0.0)), float) for c in system.doses}
    return [
        (d.time, d.time + d.duration, subject.amount_per_kg(d) * channels[d.what, d.route])
        for d in subject.doses
        if (d.what, d.route) in channels
    ]


@each_system
def test_agreement_with_scipy_on_prior_draws(name):
    rng = np.random.default_rng(3)
    system = adapted(VARIANTS[name])
    subject = subject_for(system)
    times = subject.samples[system.outputs[0].analytes[0]].time
    for _ in range(4):
        p = prior_draw(system, rng)
        solved = solve(system, p, subject, times=times, **TIGHT)
        expected = reference(system, p, subject, times)
        for i, state in enumerate(system.states):
            size = np.abs(expected[:, i]).max()
            np.testing.assert_allclose(
                solved.states[state.name], expected[:, i], rtol=0, atol=1e-8 * size
            )


@each_system
def test_sensitivities_against_differences(name):
    system = adapted(VARIANTS[name])
    subject = subject_for(system)
    times = subject.samples[system.outputs[0].analytes[0]].time
    p = prior_draw(system, np.random.default_rng(4))
    solved = solve(system, p, subject, times=times, **TIGHT)
    for parameter, index in ((q, i) for q, v in p.items() for i in range(np.size(v))):
        label = parameter if np.ndim(p[parameter]) == 0 else f"{parameter}[{index}]"
        step = 2e-3 * np.atleast_1d(p[parameter])[index]

        def moved(steps, parameter=parameter, index=index, step=step):
            value = np.atleast_1d(np.array(p[parameter], dtype=float))
            value[index] += steps * step
            value = value if np.ndim(p[parameter]) else value[0]
            return solve(system, {**p, parameter: value}, subject, times=times, **TIGHT).states

        one, other, two, opposite = moved(1), moved(-1), moved(2), moved(-2)
        for state, values in solved.states.items():
            near, far = one[state] - other[state], two[state] - opposite[state]
            slope = (8 * near - far) / (12 * step)
            exact = solved.sensitivities.get((state, label), np.zeros_like(values))
            size = np.abs(values).max() / abs(step / 2e-3) + np.abs(slope).max()
            np.testing.assert_allclose(exact, slope, rtol=0, atol=1e-6 * size)
            # Where nothing depends on the parameter, a difference is the last digits over the step.
            last_digits = 1e-14 * np.abs(values).max() / abs(step)
            allowed = 1e-5 * np.abs(slope).max() + 1e-9 + last_digits
            np.testing.assert_allclose(exact, slope, rtol=0, atol=allowed)


def exact_action(SI, p2, time, above):
    """Insulin action under piecewise-linear insulin, exactly."""
    action = [0.0 * SI]
    for i, h in enumerate(np.diff(time)):
        r = (above[i + 1] - above[i]) / h
        gone = np.exp(-p2 * h)
        driven = SI * (above[i] + r * h - r / p2) - SI * (above[i] - r / p2) * gone
        action.append(action[-1] * gone + driven)
    return np.array(action)


def test_insulin_action_and_its_sensitivities_are_exact():
    system = hf.systems.minimal.with_options(basal_insulin="first")
    p = TRUTH["minimal"]
    solved = solve(system, p, ivgtt(), times=IVGTT, rtol=1e-11, atol=1e-11)
    above = insulin(IVGTT) - insulin(0.0)
    exact = exact_action(p["SI"], p["p2"], IVGTT, above)
    size = exact.max()
    np.testing.assert_allclose(solved.states["action"], exact, rtol=0, atol=1e-9 * size)
    np.testing.assert_allclose(
        solved.sensitivities["action", "SI"], exact / p["SI"], rtol=0, atol=1e-9 * size / p["SI"]
    )
    tiny = 1e-30
    by_p2 = exact_action(p["SI"], p["p2"] + 1j * tiny, IVGTT, above).imag / tiny
    np.testing.assert_allclose(
        solved.sensitivities["action", "p2"], by_p2, rtol=0, atol=1e-9 * np.abs(by_p2).max()
    )
    assert ("action", "V") not in solved.sensitivities
    assert ("action", "SG") not in solved.sensitivities


def test_a_spike_far_narrower_than_the_steps_is_not_missed():
    time = np.array([0.0, 400.0, 400.01, 400.02, 800.0])
    above = np.array([0.0, 0.0, 1e5, 0.0, 0.0])
    curves = {"glucose": samples(time, 5.0), "insulin": samples(time, 40.0 + above)}
    system = hf.systems.minimal.with_options(basal_insulin="first")
    p = TRUTH["minimal"]
    subject = Subject("S", curves)
    solved = solve(system, p, subject, times=[410.0, 800.0], rtol=1e-6, atol=1e-6)
    every = np.array([*time[:4], 410.0, 800.0])
    exact = exact_action(p["SI"], p["p2"], every, np.interp(every, time, above))[-2:]
    assert exact[0] > 1e-3
    np.testing.assert_allclose(solved.states["action"], exact, rtol=1e-4, atol=1e-8)


def test_extra_output_times_do_not_change_the_curve():
    system, p = adapted(hf.systems.oral), TRUTH["oral"]
    subject = subject_for(system)
    dense = np.union1d(OGTT, np.linspace(0, 180, 777))
    few = solve(system, p, subject, times=OGTT, **TIGHT).states["glucose"]
    many = solve(system, p, subject, times=dense, **TIGHT).states["glucose"]
    np.testing.assert_allclose(many[np.isin(dense, OGTT)], few, rtol=1e-10)


def test_time_may_start_anywhere():
    here = solve(decay, {"k": 0.1}, given((0, 0, 0)), times=[0.0, 5.0])
    there = solve(decay, {"k": 0.1}, given((-7, 0, 0)), times=[-7.0, -2.0])
    np.testing.assert_allclose(here.states["a"], there.states["a"], rtol=1e-12)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="times must increase strictly"):
        solve(decay, {"k": 0.1}, nothing, times=[0.0, 5.0, 5.0])
    with pytest.raises(ValueError, match="parameters must give k"):
        solve(decay, {}, nothing, times=[0.0, 5.0])
