"""Kernel: the adaptive Runge-Kutta method that integrates a program, compiled to native code.

Dormand and Prince's 5(4) pair with local extrapolation (Dormand JR, Prince PJ 1980, J Comput Appl
Math 6:19). The error of the states and of every sensitivity is controlled; a sensitivity's absolute
tolerance is that of its state divided by the parameter's magnitude, as in CVODES (Hindmarsh AC et
al. 2005, ACM Trans Math Softw 31:363). The method steps exactly to every sample, dose and kink
of an input, so that within a step everything is smooth. Steps are bounded in number and anything
not finite ends the solve, whose results are then NaN.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.graph.fg import FunctionGraph
from pytensor.link.numba.dispatch.basic import numba_njit

from hepaflux.solver.lines import Writer
from hepaflux.solver.program import Layout, Program
from hepaflux.solver.protocol import BEGIN, CONTINUOUS, CURVES, LENGTH, SAVE

WRITTEN_BY = tuple(
    Path(__file__).with_name(f"{name}.py") for name in ("kernel", "lines", "machine_code")
)
SOURCE = sha256(b"".join(path.read_bytes() for path in WRITTEN_BY)).hexdigest()
"""Part of the cache key, so that machine code of another version of these files is not used."""

MAX_STEPS = 20_000
"""Attempted steps of one solve before it counts as failed."""

MOST_LINES = 400
"""Lines up to which a step is written out in scalars; beyond it loops are as fast."""

CROSS = "cross(h, budget, z, y, theta, s, constants, table, r, k, floor, rtol)"
"""Name and arguments of the function that integrates over one segment; ``y`` is room to work in."""

SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0
"""Step-size controller: safety factor and the bounds of one change."""

C = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
"""Nodes of the tableau."""

A = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
)
"""Stages of the tableau; the last row is the solution of order five."""

E = np.append(A[6], 0) - np.array(
    [5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40]
)
"""Difference of the solutions of order five and four."""


def cache_key(*parts: object) -> str:
    """Return a key that is short enough for the name of a file."""
    return sha256(str(parts).encode()).hexdigest()


def native(function: Callable) -> Callable:
    """Compile a function in which a division by zero is infinite, not an exception.

    It is inlined into its caller: handing over arrays costs as much as a stage of the method.
    """
    return numba_njit(function, error_model="numpy", forceinline=True)


def compiled(source: str, name: str, scope: Mapping[str, Any], *, inline: bool = True) -> Callable:
    """Return a compiled function from its source."""
    environment: dict[str, Any] = {
        "__name__": __name__,
        "inf": np.inf,
        "nan": np.nan,
        "next_step": next_step,
        **scope,
    }
    exec(source, environment)
    if inline:
        return native(environment[name])
    return numba_njit(environment[name], error_model="numpy")


def scalars(layout: Layout) -> tuple[list[str], list[str]]:
    """Return the names of parameters and constants as scalars, and the lines that load them."""
    sizes = {"theta": len(layout.theta), "constants": len(layout.constants)}
    names = [f"{array}{i}" for array, n in sizes.items() for i in range(n)]
    loads = [f"{array}{i} = {array}[s, {i}]" for array, n in sizes.items() for i in range(n)]
    return names, loads


def start_source(layout: Layout, start: FunctionGraph, writer: Writer) -> str:
    """Write ``start``, which puts the state at the start, then the jumps by doses, in ``out``."""
    names, loads = scalars(layout)
    results = [f"out{i}" for i in range(len(start.outputs))]
    lines = [*loads, *writer.lines(start, names, results, "v")]
    lines += [f"out[{i}] = {result}" for i, result in enumerate(results)]
    return _function("start(theta, s, constants, out)", lines)


def slope_source(layout: Layout, derivative: FunctionGraph, writer: Writer) -> str:
    """Write ``slope``, which puts the derivative at ``y``, ``t`` min into a segment, in a row."""
    names, lines = scalars(layout)
    n, n_curves = len(layout.states) + len(layout.active), len(layout.curves)
    lines += [f"y{i} = y[{i}]" for i in range(n)]
    for i in range(n_curves):
        lines.append(f"curve{i} = table[r, {CURVES + i}] + t * table[r, {CURVES + n_curves + i}]")
    lines.append(f"now = table[r, {BEGIN}] + t")
    arguments = ["now", *(f"y{i}" for i in range(n)), *names]
    arguments += [f"curve{i}" for i in range(n_curves)]
    results = [f"k{i}" for i in range(n)]
    lines += writer.lines(derivative, arguments, results, "v")
    lines += [f"k[row, {i}] = k{i}" for i in range(n)]
    return _function("slope(t, y, theta, s, constants, table, r, k, row)", lines)


def cross_source(layout: Layout, derivative: FunctionGraph, writer: Writer) -> str:
    """Write ``cross``, which integrates ``z`` over one segment, with everything in scalars.

    ``k`` is the derivative at the begin and becomes that at the end. It returns the next step to
    try, NaN if it failed, and how many steps are left. The error is the mean square over the
    components in units of the tolerance. Written out in scalars it keeps everything in registers
    and runs several times as fast as loops over arrays, which the compiler must assume to overlap.
    """
    names, lines = scalars(layout)
    n, n_curves = len(layout.states) + len(layout.active), len(layout.curves)
    for i in range(n_curves):
        lines.append(f"rise{i} = table[r, {CURVES + n_curves + i}]")
        lines.append(f"level{i} = table[r, {CURVES + i}]")
    for i in range(n):
        lines += [f"z{i} = z[{i}]", f"k0_{i} = k[0, {i}]", f"floor{i} = floor[{i}]"]
    lines += [f"begin, end, t = table[r, {BEGIN}], table[r, {LENGTH}], 0.0", "while t < end:"]
    body = [
        "left = end - t",
        "tried = left if h >= left else (0.5 * left if h > 0.5 * left else h)",
    ]
    body += [*_stages(layout, derivative, names, writer), *_control(n)]
    for i in range(n):
        body.append(f"    z{i}, k0_{i} = y{i}, k6_{i}")
    lines += [f"    {line}" for line in body]
    for i in range(n):
        lines += [f"z[{i}] = z{i}", f"k[0, {i}] = k0_{i}"]
    lines.append("return h, budget")
    return _function(CROSS, lines)


def cross_in_loops_source(layout: Layout) -> str:
    """Write ``cross`` for a larger system: loops over arrays around calls of ``slope``.

    Written out in scalars such a system would take minutes to compile, and spill its registers.
    """
    n = len(layout.states) + len(layout.active)
    body = [
        "left = end - t",
        "tried = left if h >= left else (0.5 * left if h > 0.5 * left else h)",
    ]
    for stage in range(1, 7):
        combination = _combination(A[stage], "k[{j}, i]")
        body += [f"for i in range({n}):", f"    y[i] = z[i] + tried * ({combination})"]
        at = f"t + {float(C[stage])!r} * tried"
        body.append(f"slope({at}, y, theta, s, constants, table, r, k, {stage})")
    body += ["total = 0.0", f"for i in range({n}):"]
    body += [f"    error = tried * ({_combination(E, 'k[{j}, i]')})"]
    body += ["    scaled = error / (floor[i] + rtol * max(abs(z[i]), abs(y[i])))"]
    body += ["    total += scaled * scaled", *_control(n)]
    body += [f"    for i in range({n}):", "        z[i] = y[i]", "        k[0, i] = k[6, i]"]
    lines = [f"end, t = table[r, {LENGTH}], 0.0", "while t < end:"]
    lines += [*(f"    {line}" for line in body), "return h, budget"]
    return _function(CROSS, lines)


def _control(n: int) -> list[str]:
    """Write what follows the error of a step: give up, choose the next step, accept this one."""
    return [
        f"square = total * {1 / n!r}",
        "budget -= 1",
        "if budget == 0 or not (square < inf and tried > 1e-10 * end):",
        "    return nan, budget",
        "h = next_step(tried, h, square)",
        "if square <= 1.0:",
        "    t = end if tried == left else t + tried",
    ]


def _stages(
    layout: Layout, derivative: FunctionGraph, names: list[str], writer: Writer
) -> list[str]:
    """Write one step of the method from ``z`` at ``t``, its end ``y`` and its error ``total``."""
    n, n_curves = len(layout.states) + len(layout.active), len(layout.curves)
    lines = []
    for stage in range(1, 7):
        node = float(C[stage])
        lines += [
            f"y{i} = z{i} + tried * ({_combination(A[stage], f'k{{j}}_{i}')})" for i in range(n)
        ]
        lines.append(f"at = t + {node!r} * tried")
        lines += [f"curve{i} = level{i} + at * rise{i}" for i in range(n_curves)]
        lines.append("now = begin + at")
        arguments = ["now", *(f"y{i}" for i in range(n)), *names]
        arguments += [f"curve{i}" for i in range(n_curves)]
        results = [f"k{stage}_{i}" for i in range(n)]
        lines += writer.lines(derivative, arguments, results, f"v{stage}_")
    lines.append("total = 0.0")
    for i in range(n):
        lines += [
            f"error = tried * ({_combination(E, f'k{{j}}_{i}')})",
            f"scaled = error / (floor{i} + rtol * max(abs(z{i}), abs(y{i})))",
            "total += scaled * scaled",
        ]
    return lines


def _combination(weights: np.ndarray, term: str) -> str:
    terms = (f"{float(w)!r} * {term.format(j=j)}" for j, w in enumerate(weights) if w != 0)
    return " + ".join(terms)


def _function(signature: str, lines: list[str]) -> str:
    return f"def {signature}:\n" + "".join(f"    {line}\n" for line in lines)


def build_floor(layout: Layout) -> Callable:
    """Return the compiled function that sets each component's absolute tolerance."""
    n_y = len(layout.states)
    state_of = np.array([*range(n_y), *(i for i, _ in layout.active)], dtype=np.int64)
    theta_of = np.array([-1] * n_y + [j for _, j in layout.active], dtype=np.int64)
    scales = np.array(layout.scales)

    @native
    def set_floor(theta, s, atol, floor):
        for i in range(len(floor)):
            floor[i] = atol * scales[state_of[i]]
            if theta_of[i] >= 0 and theta[s, theta_of[i]] != 0.0:
                floor[i] /= abs(theta[s, theta_of[i]])

    return set_floor


@native
def first_step(z, k, floor, rtol, limit):
    """Return a step that changes the solution by about a hundredth of its size."""
    size, speed = 0.0, 0.0
    for i in range(len(z)):
        weight = floor[i] + rtol * abs(z[i])
        size += (z[i] / weight) ** 2
        speed += (k[0, i] / weight) ** 2
    if not speed > 0.0:
        return limit
    return min(limit, max(1e-3 * limit, 0.01 * np.sqrt(size / speed)))


@native
def next_step(tried, h, square):
    """Return the step to try after one with the given squared error (in units of the tolerance).

    Single precision is enough to choose a step, and its power takes a fifth of the time.
    """
    if not square < np.inf:
        return 0.1 * tried
    wish = SAFETY * float(np.float32(square + 1e-20) ** np.float32(-0.1))
    proposed = tried * min(GROW, max(SHRINK, wish))
    return max(h, proposed) if square <= 1.0 and proposed >= tried else proposed


@native
def is_finite(theta, s):
    """Return whether all parameters of a solve are finite."""
    for j in range(theta.shape[1]):
        if not np.isfinite(theta[s, j]):
            return False
    return True


def build_cross(program: Program) -> tuple[Callable, Callable]:
    """Return the compiled derivative, and the function that integrates over one segment."""
    layout, derivative = program.layout, program.derivative
    n_z = len(layout.states) + len(layout.active)
    small = 6 * len(derivative.apply_nodes) + 13 * n_z <= MOST_LINES
    writer = Writer()
    source = slope_source(layout, derivative, writer)
    slope = compiled(source, "slope", writer.scope, inline=small)
    if small:
        writer = Writer()
        source = cross_source(layout, derivative, writer)
        return slope, compiled(source, "cross", writer.scope)
    return slope, compiled(cross_in_loops_source(layout), "cross", {"slope": slope})


def build_solve(program: Program) -> Callable:
    """Return the compiled function that integrates one subject and says whether it succeeded."""
    layout = program.layout
    n_y, n_z = len(layout.states), len(layout.states) + len(layout.active)
    bolus, n_channels = CURVES + 2 * len(layout.curves), layout.n_channels
    slope, cross = build_cross(program)

    @native
    def solve(z, y, jumps, theta, s, constants, table, row, k, floor, rtol, saved):
        h, budget = -1.0, MAX_STEPS
        for r in range(row[0], row[1]):
            for c in range(n_channels):
                for i in range(n_z):
                    z[i] += table[r, bolus + c] * jumps[(c + 1) * n_z + i]
            if table[r, LENGTH] > 0.0:
                if h < 0.0 or table[r, CONTINUOUS] == 0.0:
                    slope(0.0, z, theta, s, constants, table, r, k, 0)
                if h < 0.0:
                    h = first_step(z, k, floor, rtol, table[r, LENGTH])
                h, budget = cross(h, budget, z, y, theta, s, constants, table, r, k, floor, rtol)
                if not np.isfinite(h):
                    return False
            if table[r, SAVE] >= 0.0:
                at = row[2] + int(table[r, SAVE])
                for i in range(n_y):
                    saved[0][at, i] = z[i]
                for i in range(n_y, n_z):
                    saved[1][at, i - n_y] = z[i]
        return True

    return solve


def kernel_key(program: Program) -> str:
    """Return what identifies the machine code of a program's integrator on disk."""
    return cache_key("kernel", SOURCE, program.key)


def shapes(layout: Layout) -> dict[str, str]:
    """Return the shape of each array that a kernel takes, as source, by the names of its sizes."""
    width = CURVES + 2 * len(layout.curves) + layout.n_channels
    return {
        "theta": f"(n, {len(layout.theta)})",
        "constants": f"(n, {len(layout.constants)})",
        "table": f"(n_segments, {width})",
        "rows": "(n, 4)",
        "tolerance": "(2,)",
        "states": f"(n_saved, {len(layout.states)})",
        "sensitivities": f"(n_saved, {len(layout.active)})",
    }


def build_kernel(program: Program) -> Callable:
    """Return the compiled integrator of a program.

    It takes ``(theta, constants, table, rows, tolerance, states, sensitivities)`` and fills the
    last two with the solution at every saved time; see ``Solve`` for the shapes.
    """
    layout = program.layout
    n_y, n_z = len(layout.states), len(layout.states) + len(layout.active)
    n_jumps = (layout.n_channels + 1) * n_z
    writer = Writer()
    start = compiled(start_source(layout, program.start, writer), "start", writer.scope)
    set_floor, solve = build_floor(layout), build_solve(program)

    # Elements are set one by one: numba compiles an error message for every slice that is set.
    @native
    def integrate(theta, constants, table, rows, tolerance, states, sensitivities):
        saved = (states, sensitivities)
        z, y, floor = np.empty(n_z), np.empty(n_z), np.empty(n_z)
        k, jumps = np.empty((7, n_z)), np.empty(n_jumps)
        for s in range(rows.shape[0]):
            solved = is_finite(theta, s)
            if solved:
                set_floor(theta, s, tolerance[1], floor)
                start(theta, s, constants, jumps)
                for i in range(n_z):
                    z[i] = jumps[i]
                row, rtol = rows[s], tolerance[0]
                solved = solve(z, y, jumps, theta, s, constants, table, row, k, floor, rtol, saved)
            if not solved:
                for at in range(rows[s, 2], rows[s, 3]):
                    for i in range(n_y):
                        states[at, i] = np.nan
                    for i in range(n_z - n_y):
                        sensitivities[at, i] = np.nan

    return integrate
