"""Systems whose glucose is an input, integrated by SciPy and without any of the engine."""

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

from hepaflux.parameter import Fixed
from hepaflux.systems.system import fields_type

TRUTH = {
    "Phi_s": 40.0,
    "Phi_d": 600.0,
    "T": 9.0,
    "h_relative": 1.0,
    "CP_b": 500.0,
    "kinetics": (0.3, -0.5, 0.8, 0.4),
}


def values(system, subject, **changes):
    """Parameters and inputs of a subject, curves as functions of time."""
    fixed = {q.name: q.prior.value for q in system.parameters if isinstance(q.prior, Fixed)}
    p = {**fixed, **TRUTH, **changes}
    p = {q.name: p[q.name] for q in system.parameters}
    return fields_type("P", list(p))(**p), {i.name: i.read(subject) for i in system.inputs}


def at(t, inputs):
    """The inputs at a time."""

    def now(value):
        if isinstance(value, tuple):
            return tuple(curve(t) for curve in value)
        return value(t) if callable(value) else value

    return fields_type("U", list(inputs))(**{name: now(v) for name, v in inputs.items()})


def kinks(inputs):
    curves = [c for v in inputs.values() for c in (v if isinstance(v, tuple) else (v,))]
    return np.unique(np.concatenate([c.time for c in curves if callable(c)] or [np.zeros(0)]))


def integrate(system, subject, times, *, start=None, tolerance=1e-9, **changes):
    """States at some times by SciPy, piece by piece between the kinks of the inputs."""
    p, inputs = values(system, subject, **changes)
    names = [state.name for state in system.states]
    y = np.array(system.initial(p, at(0.0, inputs)), dtype=float)
    y = y if start is None else y + np.array([start.get(name, 0.0) for name in names])
    record = fields_type("Y", names)
    times = np.asarray(times, dtype=float)
    inside = [k for k in kinks(inputs) if 0 < k < times[-1]]
    cuts = np.unique(np.concatenate([[0.0, times[-1]], inside]))
    found = np.full((len(times), len(y)), y)
    tight = {"rtol": tolerance, "atol": tolerance}
    for begin, end in pairwise(cuts):
        if end - begin < 2e-6:
            continue
        held = {n: v((begin + end) / 2) for n, v in inputs.items() if n == "glucose_rise"}

        def rate(t, y, held=held):
            u = at(t, inputs)._replace(**held)
            return np.array(system.rhs(t, record(*y), p, u), dtype=float)

        mine = (times > begin) & (times <= end)
        wanted = np.append(times[mine], end)
        piece = solve_ivp(rate, (begin, end), y, "LSODA", np.unique(wanted), **tight)
        found[mine], y = piece.y.T[: mine.sum()], piece.y[:, -1]
    return dict(zip(names, found.T, strict=True))
