"""The peer that ships with PyMC: ``pymc.ode.DifferentialEquation``, on ODEPACK.

Its tolerances cannot be set: it runs at the default of SciPy's odeint, about 1.5e-8. One person
only; forty would take forty times as long.
"""

import time
from functools import cache

import numpy as np
import problems
import pymc as pm
import pytensor.tensor as pt
from pymc.ode import DifferentialEquation


@cache
def _function():
    data = problems.data("pacini")
    rises = np.diff(data.excess[0]) / np.diff(data.minutes)
    bends = np.diff(rises, prepend=0.0)

    def slope(y, t, p):
        excess = data.excess[0, 0] + pt.sum(bends * pt.maximum(t - data.minutes[:-1], 0.0))
        return [
            p[0] * (problems.BASAL_GLUCOSE - y[0]) - y[1] * y[0],
            p[2] * (p[1] * excess - y[1]),
        ]

    times = data.minutes[problems.FIRST_USED :]
    solution = DifferentialEquation(func=slope, times=times, n_states=2, n_theta=3, t0=0)
    with pm.Model() as model:
        unknowns = [
            pm.LogNormal(name, mu=mu, sigma=sd)
            for name, mu, sd in zip(
                problems.MEDIANS, problems.LOG_MEDIANS, problems.LOG_SDS, strict=True
            )
        ]
        error = pm.HalfNormal("glucose_cv", problems.ERROR_SCALE)
        start = pt.stack([problems.BASAL_GLUCOSE + problems.DOSE / unknowns[3], 0.0])
        mean = solution(y0=start, theta=pt.stack(unknowns[:3]))[:, 0]
        sd = pt.sqrt((error * mean) ** 2 + problems.FLOOR**2)
        pm.Normal("glucose", mean, sd, observed=data.glucose[0, problems.FIRST_USED :])
    function = model.logp_dlogp_function(ravel_inputs=True)
    function.set_extra_values({})
    return function


def evaluate(problem, theta, rtol=None):
    """Return the log-density and its gradient; the tolerance is the peer's own."""
    if problem != "pacini":
        raise ValueError(f"this peer solves pacini only, not {problem}")
    value, gradient = _function()(np.asarray(theta))
    return float(value), np.asarray(gradient)


def microseconds(problem, rtol=None, runs=5):
    """Time the log-density and gradient."""
    points = problems.points(problem)[:8]
    begin = time.perf_counter()
    evaluate(problem, points[0])
    compilation = time.perf_counter() - begin
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        for theta in points:
            evaluate(problem, theta)
        seconds.append(time.perf_counter() - begin)
    return {**problems.best(seconds, len(points)), "compile_s": round(compilation, 2)}


if __name__ == "__main__":
    problems.report("pymc.ode", "pacini", **microseconds("pacini"))
