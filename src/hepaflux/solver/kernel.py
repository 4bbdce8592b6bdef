"""Kernel: the integrator of a program, written in LLVM's language.

Here is what every method of integration shares; one step is that of the ``Explicit`` or of the
``Implicit`` method. The error of the states and of every sensitivity is controlled; a
sensitivity's absolute tolerance is that of its state divided by the parameter's magnitude, as in
CVODES (Hindmarsh AC et al. 2005, ACM Trans Math Softw 31:363). A method steps exactly to every
sample, dose and kink of an input, so that within a step everything is smooth. Steps are bounded in
number and in shortness, and a step with anything not finite in it counts as one that is too long;
where no step succeeds, the results are NaN.
"""

from hashlib import sha256
from pathlib import Path

import numpy as np
from llvmlite import ir

from hepaflux.solver.code import (
    DOUBLE,
    NUMBERS,
    TRUTH,
    WHOLE,
    WHOLES,
    Code,
    Number,
    Room,
)
from hepaflux.solver.equations import Equations, function
from hepaflux.solver.explicit import Explicit
from hepaflux.solver.implicit import Implicit
from hepaflux.solver.program import Layout, Program
from hepaflux.solver.protocol import CONTINUOUS, CURVES, LENGTH, SAVE
from hepaflux.solver.step import Step

WRITTEN_BY = tuple(
    Path(__file__).with_name(f"{name}.py")
    for name in (
        "kernel",
        "explicit",
        "implicit",
        "elimination",
        "equations",
        "step",
        "code",
        "lanes",
        "operations",
        "machine_code",
        "protocol",
    )
)
SOURCE = sha256(b"".join(path.read_bytes() for path in WRITTEN_BY)).hexdigest()
"""Part of the cache key, so that machine code of another version of these files is not used."""

MAX_STEPS = 20_000
"""Attempted steps of one solve before it counts as failed."""

SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0
"""Step-size controller: safety factor and the bounds of one change."""

SHORTEST = 1e-13
"""Steps are longer than this part of a segment, else the solve has failed."""

ARGUMENTS = ("theta", "constants", "table", "rows", "tolerance", "states", "sensitivities")
"""Arrays that a kernel takes, in their order; see ``Solve`` for the shapes. Before them stands the
number of solves. ``rows`` is of whole numbers."""

SIGNATURE = ir.FunctionType(
    ir.VoidType(), [WHOLE, *(WHOLES if name == "rows" else NUMBERS for name in ARGUMENTS)]
)


def cache_key(*parts: object) -> str:
    """Return a key that is short enough for the name of a file."""
    return sha256(str(parts).encode()).hexdigest()


def kernel_key(program: Program) -> str:
    """Return what identifies a program's integrator."""
    return cache_key("kernel", SOURCE, program.key)


def write_kernel(program: Program, name: str) -> str:
    """Write the integrator of a program.

    Parameters
    ----------
    program : Program
        The equations.
    name : str
        Of the function, which takes ``ARGUMENTS`` and fills the last two arrays with the solution
        at every saved time.

    Returns
    -------
    str
        A module in LLVM's language.
    """
    return str(_Kernel(program, name).module)


class _Kernel:
    """The functions of one integrator, written one after another; each calls those before it."""

    def __init__(self, program: Program, name: str):
        self.module = ir.Module(name)
        self.layout: Layout = program.layout
        equations = Equations(self.module, program)
        self.start, self.slope, self.lanes = equations.start, equations.slope, equations.lanes
        self.blocks = range(len(self.lanes.blocks))
        self.method = (Explicit if program.curvature is None else Implicit)(equations)
        self.cross = self._write_cross()
        self.solve = self._write_solve()
        self._write_integrate(name)

    def _write_cross(self) -> ir.Function:
        """Write ``cross(h, budget, z, k, floor, rtol, theta, constants, row)``.

        It integrates ``z`` over the segment ``row``. ``k`` is the derivative at the begin and
        becomes that at the end; ``budget[0]`` is the number of steps that are left. It returns the
        next step to try, NaN if it failed. The error is the mean square over the components in
        units of the tolerance.
        """
        kinds = [DOUBLE, WHOLES, NUMBERS, NUMBERS, NUMBERS, DOUBLE, NUMBERS, NUMBERS, NUMBERS]
        code = function(self.module, "cross", DOUBLE, *kinds)
        first, budget, z_in, k_in, floor, rtol, *given = code.arguments
        z, y, k = (code.room(count * self.lanes.size) for count in (1, 1, self.method.stages))
        memory = code.room(self.method.memory)
        memory[0] = -1.0
        for b in self.blocks:
            z.set_vector(b, z_in.vector(b))
            k.set_vector(b, k_in.vector(b))
        h, t, left = code.variable(first), code.variable(0.0), code.variable(budget[0], WHOLE)
        end = given[-1][LENGTH]
        with code.repeat(lambda: t.get() < end):
            rest, wish = end - t.get(), h.get()
            halved = code.chosen(wish > 0.5 * rest, 0.5 * rest, wish)
            tried = code.chosen(wish >= rest, rest, halved)
            step = Step(code, t.get(), tried, z, y, k, memory, tuple(given))
            self.method.write_step(step)
            square = self._squared_error(step, floor, rtol)
            left.set(left.get() - 1)
            with code.when(~(tried > SHORTEST * end) | left.get().equals(0)):
                code.result(np.nan)
            h.set(_next_step(code, tried, wish, square))
            with code.when(square <= 1.0):
                t.set(code.chosen(tried.equals(rest), end, t.get() + tried))
                for b in self.blocks:
                    z.set_vector(b, y.vector(b))
                self.method.write_arrival(step, t.get())
        for b in self.blocks:
            z_in.set_vector(b, z.vector(b))
            k_in.set_vector(b, k.vector(b))
        budget[0] = left.get()
        code.result(h.get())
        return code.function

    def _squared_error(self, step: Step, floor: Room, rtol: Number) -> Number:
        """Write the mean square of a step's error in units of the tolerance."""
        code = step.code
        total = code.copies(0.0)
        for b in self.blocks:
            size = code.larger(code.absolute(step.z.vector(b)), code.absolute(step.y.vector(b)))
            scaled = self.method.error(step, b) / (floor.vector(b) + rtol * size)
            total = total + scaled * scaled
        return total.total() * (1.0 / len(self.lanes.position))

    def _write_first_step(self) -> ir.Function:
        """Write ``first_step(z, k, floor, rtol, limit)``.

        It returns a step that changes the solution by about a hundredth of its size.
        """
        code = function(
            self.module, "first_step", DOUBLE, NUMBERS, NUMBERS, NUMBERS, DOUBLE, DOUBLE
        )
        z, k, floor, rtol, limit = code.arguments
        sums = [code.copies(0.0), code.copies(0.0)]
        for b in self.blocks:
            weight = floor.vector(b) + rtol * code.absolute(z.vector(b))
            for i, vector in enumerate((z.vector(b), k.vector(b))):
                ratio = vector / weight
                sums[i] = sums[i] + ratio * ratio
        size, speed = (vector.total() for vector in sums)
        step = 0.01 * code.intrinsic("sqrt", size / speed)
        bounded = code.smaller(limit, code.larger(step, 1e-3 * limit))
        code.result(code.chosen(speed > 0.0, bounded, limit))
        return code.function

    def _write_floor(self) -> ir.Function:
        """Write ``set_floor(theta, atol, floor)``, the absolute tolerance of each component."""
        code = function(self.module, "set_floor", ir.VoidType(), NUMBERS, DOUBLE, NUMBERS)
        theta, atol, floor = code.arguments
        layout, place = self.layout, self.lanes.position
        for b in self.blocks:
            floor.set_vector(b, code.copies(1.0))
        for i, scale in enumerate(layout.scales):
            floor[place[i]] = atol * scale
        for a, (i, j) in enumerate(layout.active):
            size = code.absolute(theta[j])
            divisor = code.chosen(size > 0.0, size, 1.0)
            floor[place[len(layout.states) + a]] = atol * layout.scales[i] / divisor
        code.result()
        return code.function

    def _write_solve(self) -> ir.Function:
        """Write ``solve(theta, constants, table, row, tolerance, states, sensitivities)``.

        It integrates one subject, whose entry of ``rows`` is ``row``, and returns whether it could.
        """
        set_floor, first_step = self._write_floor(), self._write_first_step()
        kinds = [NUMBERS, NUMBERS, NUMBERS, WHOLES, NUMBERS, NUMBERS, NUMBERS]
        code = function(self.module, "solve", TRUTH, *kinds)
        theta, constants, table, row, tolerance, states, sensitivities = code.arguments
        size = self.lanes.size
        jumps = code.room((self.layout.n_channels + 1) * size)
        floor, z, k = code.room(size), code.room(size), code.room(size)
        budget = code.whole_room(1)
        budget[0] = code.number(MAX_STEPS, WHOLE)
        for j in range(len(self.layout.theta)):
            with code.when(~(theta[j] - theta[j]).equals(0.0)):
                code.result(0, TRUTH)
        rtol = tolerance[0]
        code.call(set_floor, theta, tolerance[1], floor)
        code.call(self.start, theta, constants, jumps)
        for b in self.blocks:
            z.set_vector(b, jumps.vector(b))
        h = code.variable(-1.0)
        with code.count(row[0], row[1]) as r:
            segment = table.after(r * _width(self.layout))
            self._write_doses(code, segment, z, jumps)
            given = (theta, constants, segment)
            with code.when(segment[LENGTH] > 0.0):
                with code.when((h.get() < 0.0) | segment[CONTINUOUS].equals(0.0)):
                    code.call(self.slope, 0.0, z, k, *given)
                with code.when(h.get() < 0.0):
                    h.set(code.call(first_step, z, k, floor, rtol, segment[LENGTH]))
                h.set(code.call(self.cross, h.get(), budget, z, k, floor, rtol, *given))
                with code.when(~(h.get() < np.inf)):
                    code.result(0, TRUTH)
            with code.when(segment[SAVE] >= 0.0):
                at = row[2] + code.as_whole(segment[SAVE])
                self._write_save(z, at, states, sensitivities)
        code.result(1, TRUTH)
        return code.function

    def _write_doses(self, code: Code, segment: Room, z: Room, jumps: Room) -> None:
        """Write the jumps of z by the boluses at the begin of a segment."""
        bolus = CURVES + 2 * len(self.layout.curves)
        for c in range(self.layout.n_channels):
            amount = segment[bolus + c]
            with code.when(~amount.equals(0.0)):
                for b in self.blocks:
                    jump = jumps.vector((c + 1) * len(self.blocks) + b)
                    z.set_vector(b, z.vector(b) + amount * jump)

    def _write_save(self, z: Room, at: Number, states: Room, sensitivities: Room) -> None:
        n = len(self.layout.states)
        of_states = states.after(at * n)
        of_sensitivities = sensitivities.after(at * len(self.layout.active))
        for component, position in enumerate(self.lanes.position):
            if component < n:
                of_states[component] = z[position]
            else:
                of_sensitivities[component - n] = z[position]

    def _write_integrate(self, name: str) -> None:
        """Write the function for all subjects; one that fails is NaN everywhere."""
        code = Code(ir.Function(self.module, SIGNATURE, name))
        n, theta, constants, table, rows, tolerance, states, sensitivities = code.arguments
        layout, missing = self.layout, code.number(np.nan)
        with code.count(0, n) as s:
            row = rows.after(s * 4)
            arrays = theta.after(s * len(layout.theta)), constants.after(s * len(layout.constants))
            arguments = (*arrays, table, row, tolerance, states, sensitivities)
            solved = code.call(self.solve, *arguments)
            with code.when(~solved), code.count(row[2], row[3]) as at:
                for room, width in ((states, layout.states), (sensitivities, layout.active)):
                    for i in range(len(width)):
                        room[at * len(width) + i] = missing
        code.result()


def _width(layout: Layout) -> int:
    """Return the length of a row of the protocol's table."""
    return CURVES + 2 * len(layout.curves) + layout.n_channels


def _next_step(code: Code, tried: Number, wish: Number, square: Number) -> Number:
    """Write the step to try after one with the given squared error (in units of the tolerance).

    A few percent do not matter. A step that was cut short by the end of a segment does not shorten
    the next.
    """
    change = SAFETY * code.rough_power(square + 1e-20, -0.1)
    change = code.chosen(square < np.inf, change, SHRINK)
    proposed = tried * code.smaller(GROW, code.larger(change, SHRINK))
    kept = (square <= 1.0) & (proposed >= tried)
    return code.chosen(kept, code.larger(wish, proposed), proposed)
