"""The meal simulator: how long a day of one person takes, and a drink of a thousand."""

import time

import numpy as np

from hepaflux.model.predict import predict
from hepaflux.model.protocols import drink
from hepaflux.model.recipe import prepare, separate
from hepaflux.model.simulate import simulate_study
from hepaflux.parameter import Fixed, center
from hepaflux.solver.machine_code import callable_kernel
from hepaflux.solver.program import compile_equations
from hepaflux.solver.protocol import build_protocol, curve_names, read_inputs
from hepaflux.study.study import Subject

TOLERANCE = np.array([1e-6, 1e-6])
RUNS = 200


def microseconds(system, *, free):
    """Return the least time of one solve of 8 h with samples every 10 min, in µs.

    ``free`` parameters have sensitivities; the others are known.
    """
    everything = system.with_options(unknowns="all")
    keep = {p.name for p in everything.unknowns[:free]}
    known = {p.name: Fixed(center(p.prior)) for p in everything.unknowns if p.name not in keep}
    chosen = everything.with_priors(**known)
    person = Subject("one", {}, (drink(75.0),), weight=72.0)
    times = np.linspace(0.0, 480.0, 49)
    program = compile_equations(chosen, curve_names=curve_names(read_inputs(chosen, person)))
    assert len(program.layout.theta) == free
    protocol = build_protocol(chosen, program.layout, [person], [times])
    theta = np.array([[center(everything.parameter(n).prior) for n in program.layout.theta]])
    kernel = callable_kernel(program)
    given = (theta.reshape(1, -1), protocol.constants, protocol.table, protocol.rows, TOLERANCE)
    assert np.isfinite(kernel(*given)[0]).all()
    return 1e6 * min(_seconds(kernel, given) for _ in range(RUNS))


def _seconds(kernel, given):
    begin = time.perf_counter()
    kernel(*given)
    return time.perf_counter() - begin


def thousand_people(system):
    """Return the time that 1,000 virtual people take through a drink of 3 h, with samples, in s."""
    made = simulate_study(system, subjects=1000, protocol="ogtt75", seed=1)
    recipe = separate(prepare(made.study, system))
    draws = {p.name: made.values(p.name)[None] for p in recipe.system.unknowns}
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        means = predict(recipe, draws, tolerance=tuple(TOLERANCE))
        seconds.append(time.perf_counter() - begin)
    assert all(np.isfinite(mean).all() for mean in means.values())
    return min(seconds)
