"""The project itself: its declared system, its model, its compiled log-density.

Nothing here is written for the benchmark: a study is made of the problem's numbers, ``build_model``
makes the model, and the function that the sampler calls is timed inside a compiled loop.
"""

import time
from dataclasses import replace
from functools import cache

import numba
import numpy as np
import problems

import hepaflux as hf
from hepaflux.fitting.compiled import compile_model, density_and_gradient
from hepaflux.parameter import HalfNormal
from hepaflux.study import Dose, Samples, Study, Subject


def study(problem):
    """Return the problem's data as a study."""
    data = problems.data(problem)
    plain = np.full(data.minutes.size, "none")
    subjects = []
    for i, (excess, glucose) in enumerate(zip(data.excess, data.glucose, strict=True)):
        glucose = np.concatenate([[problems.BASAL_GLUCOSE], glucose[1:]])
        insulin = excess + problems.BASAL_INSULIN
        samples = {
            "glucose": Samples(data.minutes, glucose, plain),
            "insulin": Samples(data.minutes, insulin, plain),
        }
        dose = Dose(0.0, "glucose", problems.DOSE, "intravenous", per_kg=True)
        subjects.append(Subject(f"S{i:02d}", samples, (dose,)))
    return Study(problem, tuple(subjects))


def system():
    """Return the minimal model with the problem's basal insulin and noise."""
    declared = hf.systems.minimal.with_options(basal_insulin=problems.BASAL_INSULIN)
    noisy = declared.with_priors(glucose_cv=HalfNormal(problems.ERROR_SCALE))
    return replace(noisy, outputs=(replace(noisy.outputs[0], floor=problems.FLOOR),))


@cache
def _compiled(problem, integrator=None):
    separate = dict.fromkeys(("SG", "p2", "V"), "separate")
    design = None if problem == "pacini" else hf.Design(levels=separate)
    model = hf.build_model(study(problem), system(), design=design, integrator=integrator)
    return compile_model(model)


@cache
def _order(problem):
    """Return where each unconstrained unknown of the model stands in the problem's vector."""
    names = ("SG", "SI", "p2", "V", "glucose_cv")
    if problem == "pacini":
        starts = {f"{name}_log__": (i, 1) for i, name in enumerate(names)}
    else:
        n = problems.PERSONS
        starts = {"SI_population_log__": (0, 1), "SI_spread_log__": (1, 1)}
        starts |= {"glucose_cv_log__": (2, 1), "SI_line_offset": (3, n)}
        blocks = enumerate(("SG", "p2", "V"))
        starts |= {f"{name}_log__": (3 + n * (1 + i), n) for i, name in blocks}
    own = [name for name in _compiled(problem).shape_info[0] if name in starts]
    return np.concatenate([np.arange(*_span(starts[name])) for name in own])


def _span(start_and_length):
    start, length = start_and_length
    return start, start + length


def centered(problem, theta):
    """Return a point with log SI of each person in place of z, as the model samples it."""
    theta = np.array(theta, dtype=float)
    if problem != "pacini":
        persons = slice(3, 3 + problems.PERSONS)
        shift = np.exp(theta[..., 1:2]) * theta[..., persons]
        theta[..., persons] = theta[..., :1] + shift
    return theta


def evaluate(problem, theta, rtol=1e-6):
    """Return the log-density and its gradient in the problem's order and unknowns."""
    order = _order(problem)
    compiled = _compiled(problem).with_data(tolerance=np.array([rtol, rtol]))
    value, found = density_and_gradient(compiled)(centered(problem, theta)[order])
    gradient = np.empty_like(found)
    gradient[order] = found
    if problem != "pacini":
        n, persons = problems.PERSONS, slice(3, 3 + problems.PERSONS)
        omega, z, by_line = np.exp(theta[1]), theta[persons], gradient[persons].copy()
        value += n * theta[1]
        gradient[0] += by_line.sum()
        gradient[1] += omega * by_line @ z + n
        gradient[persons] = omega * by_line
    return value, gradient


@numba.njit
def _loop(function, points, shared):
    total = 0.0
    for i in range(points.shape[0]):
        value, gradient = function(points[i], *shared)
        total += value[()] + gradient[0]
    return total


def microseconds(problem, rtol=1e-6, runs=9, integrator=None):
    """Time the log-density and gradient inside a compiled loop."""
    begin = time.perf_counter()
    compiled = _compiled(problem, integrator).with_data(tolerance=np.array([rtol, rtol]))
    points = centered(problem, problems.points(problem))[:, _order(problem)]
    points = np.ascontiguousarray(points)
    keys = compiled.shared_var_keys
    shared = tuple(compiled.shared_data[keys[v]].copy() for v in compiled.logp_func.get_shared())
    function = compiled.logp_func.vm.jit_fn
    _loop(function, points, shared)
    compilation = time.perf_counter() - begin
    repeats = 8 if problem == "pacini" else 1
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        for _ in range(repeats):
            _loop(function, points, shared)
        seconds.append(time.perf_counter() - begin)
    numbers = problems.best(seconds, repeats * len(points))
    return {**numbers, "compile_s": round(compilation, 2)}


if __name__ == "__main__":
    for each in problems.PROBLEMS:
        problems.report("own", each, **microseconds(each))
