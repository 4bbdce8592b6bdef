"""The stiff problem that peers solve, and the project's own solution of it.

A cascade of six states, of which the first settles within 0.1 min and the last within a day:

    dx1/dt = k1 (1 / (1 + g x6) - x1)
    dxi/dt = ki (x(i-1) (1 - xi) - h xi)       i = 2 ... 6,   x(0) = 0

The unknowns are the logarithms of ``NAMES``. The log-density is that of normal errors of known size
at every sample of every state.
"""

import json
import time
from functools import cache

import numba
import numpy as np
import pytensor
import pytensor.tensor as pt
from problems import best
from scipy.integrate import solve_ivp

from hepaflux.parameter import LogNormal, Parameter
from hepaflux.solver.op import Solve
from hepaflux.solver.program import compile_equations
from hepaflux.solver.protocol import build_protocol
from hepaflux.study import Dose, Subject
from hepaflux.systems.system import State, System, fields_type

TIME_CONSTANTS = np.array([0.1, 0.6, 4.0, 30.0, 200.0, 1440.0])
NAMES = ("k1", "k2", "k3", "k4", "k5", "k6", "g", "h")
CENTER = np.log([*(1 / TIME_CONSTANTS), 2.0, 0.5])
TIMES = np.concatenate([[0.0], np.geomspace(0.05, 4320.0, 30)])
ERROR = 0.02
RTOL = 1e-6


def points(number=64):
    """Return the points over which everything is timed, scattered by a tenth about the center."""
    return CENTER + 0.1 * np.random.default_rng(6).standard_normal((number, 8))


def slopes(x, p):
    """Return dx/dt; of any kind of number."""
    k, g, h = p[:6], p[6], p[7]
    rest = [k[i] * (x[i - 1] * (1 - x[i]) - h * x[i]) for i in range(1, 6)]
    return [k[0] * (1 / (1 + g * x[5]) - x[0]), *rest]


@cache
def samples():
    """Return what was measured, (time, state): the truth and a wave, so that residuals are."""
    truth = solve_ivp(
        lambda t, x: slopes(x, np.exp(CENTER)),
        (0.0, TIMES[-1]),
        np.zeros(6),
        "Radau",
        TIMES,
        rtol=1e-10,
        atol=1e-12,
    ).y.T
    return truth + ERROR * np.sin(np.arange(truth.size).reshape(truth.shape))


def reference(theta):
    """Return the log-density and gradient by Radau on the sensitivity equations."""
    p = np.exp(theta)
    k, g, h = p[:6], p[6], p[7]

    def augmented(t, z):
        x, s = z[:6], z[6:].reshape(6, 8)
        fall = 1 / (1 + g * x[5])
        jacobian, direct = np.zeros((6, 6)), np.zeros((6, 8))
        jacobian[0, 0], jacobian[0, 5] = -k[0], -k[0] * g * fall**2
        direct[0, 0], direct[0, 6] = k[0] * (fall - x[0]), -k[0] * g * x[5] * fall**2
        for i in range(1, 6):
            jacobian[i, i - 1], jacobian[i, i] = k[i] * (1 - x[i]), -k[i] * (x[i - 1] + h)
            direct[i, i] = k[i] * (x[i - 1] * (1 - x[i]) - h * x[i])
            direct[i, 7] = -k[i] * h * x[i]
        return np.concatenate([slopes(x, p), (jacobian @ s + direct).ravel()])

    span = (0.0, TIMES[-1])
    z = solve_ivp(augmented, span, np.zeros(54), "Radau", TIMES, rtol=1e-9, atol=1e-11).y.T
    residual = (samples() - z[:, :6]) / ERROR
    by_theta = np.einsum("ti,tij->j", residual, z[:, 6:].reshape(-1, 6, 8)) / ERROR
    return -0.5 * np.sum(residual**2), by_theta


def system():
    """Return the cascade as a system of the project."""
    record = fields_type("X", [f"x{i}" for i in range(1, 7)])
    return System(
        name="cascade",
        title="A stiff cascade",
        equations=(),
        references=(),
        states=tuple(State(name, "1", "a signal") for name in record._fields),
        parameters=tuple(
            Parameter(name, "1/min", LogNormal(float(np.exp(center)), 0.5), "a rate", "made up")
            for name, center in zip(NAMES, CENTER, strict=True)
        ),
        inputs=(),
        outputs=(),
        rhs=lambda t, y, p, u: record(*slopes(y, [getattr(p, name) for name in NAMES])),
        initial=lambda p, u: record(*[0.0] * 6),
        integrator="implicit",
    )


@cache
def _compiled(rtol, integrator="implicit"):
    """Return the function of a point that gives log-density and gradient, for compiled code."""
    declared = system().with_integrator(integrator)
    program = compile_equations(declared, curve_names=frozenset())
    person = Subject("one", {}, (Dose(0.0, "glucose", 0.0, "intravenous", per_kg=True),))
    protocol = build_protocol(declared, program.layout, [person], [TIMES])
    theta = pt.dvector("theta")
    rates = [pt.exp(theta[NAMES.index(name)]) for name in program.layout.theta]
    given = (protocol.constants, protocol.table, protocol.rows, np.array([rtol, rtol]))
    states, _ = Solve(program)(*rates, *given)
    value = -0.5 * pt.sum(((samples() - states) / ERROR) ** 2)
    return pytensor.function([theta], [value, pytensor.grad(value, theta)], mode="NUMBA")


def evaluate(theta, rtol=RTOL):
    """Return the log-density and its gradient."""
    value, gradient = _compiled(rtol)(theta)
    return float(value), gradient


@numba.njit
def _loop(function, points):
    total = 0.0
    for i in range(points.shape[0]):
        value, gradient = function(points[i])
        total += value[()] + gradient[0]
    return total


def microseconds(rtol=RTOL, runs=9, integrator="implicit"):
    """Time the log-density and gradient inside a compiled loop."""
    function, places = _compiled(rtol, integrator).vm.jit_fn, points()
    _loop(function, places)
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        _loop(function, places)
        seconds.append(time.perf_counter() - begin)
    return best(seconds, len(places))


@cache
def _wanted():
    """Return some points, each with its gradient by the reference."""
    return [(theta, reference(theta)[1]) for theta in points(3)]


def error(evaluated):
    """Return the largest error of a gradient, relative to its largest element, over points."""
    worst = 0.0
    for theta, wanted in _wanted():
        worst = max(worst, float(np.abs(evaluated(theta)[1] - wanted).max() / np.abs(wanted).max()))
    return worst


if __name__ == "__main__":
    for tolerance in (1e-4, 1e-6, 1e-8):
        found = error(lambda theta, rtol=tolerance: evaluate(theta, rtol))
        print(json.dumps({"rtol": tolerance, "error": found, **microseconds(tolerance)}))
