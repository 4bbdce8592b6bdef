"""Implicit: one step of a Rosenbrock method, for systems some of whose states settle fast.

Rodas5P (Steinebach G 2023, BIT Numer Math 63:27), of order 5(4), stiffly accurate and L-stable:
the step follows the accuracy of what is slow, and what is fast dies out. Each stage solves linear
equations, all of a step with the same matrix I - h g J, where J is the Jacobian matrix at the
begin; there is no iteration that could fail.

The sensitivities are those of the step itself. The stage

    (I - h g J) u = h g F(Y) + g (c_1 u_1 + c_2 u_2 + ...)

differentiated is the same equation with the same matrix for du/dtheta, with dF/dtheta by the chain
rule and h g d(J u)/dtheta more, u held: what the curvature of the equations adds. Time counts as
one state more, whose derivative is one, so inputs that are straight lines need no terms of their
own.
"""

import numpy as np
from llvmlite import ir

from hepaflux.solver.code import DOUBLE, NUMBERS, Code, Number, Room
from hepaflux.solver.differentiation import Curvature, Pair
from hepaflux.solver.elimination import eliminate
from hepaflux.solver.equations import Equations, function, inline_if_small
from hepaflux.solver.operations import write_graph
from hepaflux.solver.protocol import CURVES
from hepaflux.solver.simplification import number_of
from hepaflux.solver.step import Step, weighted

GAMMA = 0.21193756319429014
"""The diagonal of the tableau."""

A = np.zeros((8, 8))
A[1, :1] = [3.0]
A[2, :2] = [2.849394379747939, 0.45842242204463923]
A[3, :3] = [-6.954028509809101, 2.489845061869568, -10.358996098473584]
A[4, :4] = [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641]
A[5, :5] = [
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
]
A[6] = A[5] + np.eye(8)[5]
A[7] = A[6] + np.eye(8)[6]
"""Where each stage stands, in terms of u; the end of the step is the last and its u. That u is the
difference of the solutions of order five and four."""

COUPLING = np.zeros((8, 8))
COUPLING[1, :1] = [-14.155112264123755]
COUPLING[2, :2] = [-17.97296035885952, -2.859693295451294]
COUPLING[3, :3] = [147.12150275711716, -1.41221402718213, 71.68940251302358]
COUPLING[4, :4] = [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306]
COUPLING[5, :5] = [
    24.854864614690072,
    -3.0009227002832186,
    47.4931110020768,
    5.5814197821558125,
    -0.6610691825249471,
]
COUPLING[6, :6] = [
    30.91273214028599,
    -3.1208243349937974,
    77.79954646070892,
    34.28646028294783,
    -19.097331116725623,
    -28.087943162872662,
]
COUPLING[7, :7] = [
    37.80277123390563,
    -3.2571969029072276,
    112.26918849496327,
    66.9347231244047,
    -40.06618937091002,
    -54.66780262877968,
    -9.48861652309627,
]
"""What each stage takes over from those before it, the c of the equation above."""

TIME = np.linalg.solve(np.eye(8) - GAMMA * COUPLING, np.full(8, GAMMA))
"""The u of time in each stage, per step."""

NODES = A @ TIME
"""When each stage is, as a part of the step."""


class Implicit:
    """The method; ``k`` holds the derivative at the begin, then ``u`` of each stage."""

    stages = 9

    def __init__(self, equations: Equations):
        curvature = equations.program.curvature
        if curvature is None:
            raise ValueError("the implicit method needs a program with its curvature")
        self.equations, self.lanes = equations, equations.lanes
        self.curvature: Curvature = curvature
        self.n = len(equations.layout.states)
        self.elimination = eliminate(self.n, equations.program.jacobian)
        self.known = len(curvature.graph.outputs)
        self.memory = 1 + self.known + len(self.elimination.entries)
        self.linearize = self._write_linearize()
        self.factor = self._write_factor()
        self.solve = self._write_solve()

    def write_step(self, step: Step) -> None:
        """Write the stages of a step from ``z`` at ``t``, which leave its end in ``y``."""
        code, (t, h, z, y, k) = step.code, step[1:6]
        n, size = len(self.lanes.blocks), self.lanes.size
        derivatives, factors = step.memory.after(1), step.memory.after(1 + self.known)
        with code.when(~step.memory[0].equals(t)):
            code.call(self.linearize, t, z, derivatives, *step.given)
            step.memory[0] = t
        scaled = GAMMA * h
        code.call(self.factor, scaled, derivatives, factors)
        for stage in range(8):
            u = k.after((1 + stage) * size)
            slope = self._write_slope(step, stage, u)
            with code.count(0, n) as b:
                right = scaled * slope.vector(b)
                if stage:
                    right = right + weighted(GAMMA * COUPLING[stage], k.after(size), b, n)
                u.set_vector(b, right)
            code.call(self.solve, scaled, float(TIME[stage]) * h, z, derivatives, factors, u)
        with code.count(0, n) as b:
            y.set_vector(b, y.vector(b) + k.vector(8 * n + b))

    def _write_slope(self, step: Step, stage: int, u: Room) -> Room:
        """Write where a stage stands, into ``y``, and return the derivative there."""
        code, n = step.code, len(self.lanes.blocks)
        if stage == 0:
            with code.count(0, n) as b:
                step.y.set_vector(b, step.z.vector(b))
            return step.k
        stages = step.k.after(self.lanes.size)
        further = stage > 1 and np.array_equal(A[stage], A[stage - 1] + np.eye(8)[stage - 1])
        before, weights = (step.y, np.eye(8)[stage - 1]) if further else (step.z, A[stage])
        with code.count(0, n) as b:
            step.y.set_vector(b, before.vector(b) + weighted(weights, stages, b, n))
        at = step.t + float(NODES[stage]) * step.length
        code.call(self.equations.slope, at, step.y, u, *step.given)
        return u

    def error(self, step: Step, b: int) -> Number:
        """Write the error of one vector."""
        return step.k.vector(8 * len(self.lanes.blocks) + b)

    def write_arrival(self, step: Step, at: Number) -> None:
        """Write what the next step needs: the derivative at ``z``, where ``at`` is reached."""
        step.code.call(self.equations.slope, at, step.z, step.k, *step.given)

    def _write_linearize(self) -> ir.Function:
        """Write ``linearize(t, y, out, theta, constants, row)``.

        It puts the outputs of the curvature's graph in ``out``.
        """
        code = function(self.equations.module, "linearize", ir.VoidType(), DOUBLE, *[NUMBERS] * 5)
        t, y, out, theta, constants, row = code.arguments
        curves = len(self.equations.layout.curves)
        rises = [row[CURVES + curves + c] for c in range(curves)]
        moving = self.equations.moving(t, y, row) + rises
        steady = self.equations.steady(theta, constants)
        for i, number in enumerate(write_graph(code, self.curvature.graph, steady, moving)):
            out[i] = number
        code.result()
        return code.function

    def _known(self, code: Code, derivatives: Room) -> list[Number]:
        """Return what ``linearize`` found, with constants as such."""
        outputs = self.curvature.graph.outputs
        values = [number_of(output) for output in outputs]
        return [
            derivatives[i] if value is None else code.number(value)
            for i, value in enumerate(values)
        ]

    def _write_factor(self) -> ir.Function:
        """Write ``factor(scaled, derivatives, factors)``, with ``scaled`` = h g."""
        code = function(self.equations.module, "factor", ir.VoidType(), DOUBLE, NUMBERS, NUMBERS)
        scaled, derivatives, out = code.arguments
        known = self._known(code, derivatives)
        jacobian = dict(zip(self.equations.program.jacobian, known, strict=False))
        matrix = {pair: -(scaled * entry) for pair, entry in jacobian.items()}
        for i in range(self.n):
            matrix[i, i] = 1.0 + matrix[i, i] if (i, i) in matrix else code.number(1.0)
        factors = self.elimination.factors(matrix)
        for i, pair in enumerate(self.elimination.entries):
            out[i] = factors[pair]
        code.result()
        return code.function

    def _write_solve(self) -> ir.Function:
        """Write ``solve_stage(scaled, moved, z, derivatives, factors, u)``.

        It solves a stage's equations for states and sensitivities, in the place of their right-hand
        side. ``moved`` is the u of time. The states come first: the curvature acts on theirs.
        """
        kinds = [DOUBLE, DOUBLE, *[NUMBERS] * 4]
        code = function(self.equations.module, "solve_stage", ir.VoidType(), *kinds)
        columns = 1 + max(block.column for block in self.lanes.blocks)
        work = self.known + 4 * len(self.elimination.entries) * (1 + columns)
        inline_if_small(code, work)
        scaled, moved, z, derivatives, room, u = code.arguments
        known, place = self._known(code, derivatives), self.lanes.position
        factors = {pair: room[i] for i, pair in enumerate(self.elimination.entries)}
        drift = self._drift(known)
        own = [scaled * moved * drift[i] if i in drift else code.number(0.0) for i in range(self.n)]
        right = {i: u[place[i]] + own[i] for i in range(self.n)}
        states = self.elimination.solution(factors, right)
        matrix, direct = self._curved(known, [states[i] for i in range(self.n)], moved)
        matrix = {pair: scaled * entry for pair, entry in matrix.items()}
        direct = {pair: scaled * entry for pair, entry in direct.items()}
        blocks = self.lanes.blocks
        for column in range(columns):
            rows = {
                block.state: b
                for b, block in enumerate(blocks)
                if block.column == column and block.state is not None
            }
            vectors = {
                i: u.vector(b) + self.equations.chain(code, blocks[b], z, matrix, own, direct)
                for i, b in rows.items()
            }
            for i, vector in self.elimination.solution(factors, vectors).items():
                u.set_vector(rows[i], vector)
        for i, number in states.items():
            u[place[i]] = number
        code.result()
        return code.function

    def _drift(self, known: list[Number]) -> dict[int, Number]:
        first = len(self.equations.program.jacobian)
        return dict(zip(self.curvature.drift, known[first:], strict=False))

    def _curved(
        self, known: list[Number], u: list[Number], moved: Number
    ) -> tuple[dict[Pair, Number], dict[Pair, Number]]:
        """Return the derivatives of J u, u held, by the states and by the parameters."""
        along = [*u, moved]
        first = len(self.equations.program.jacobian) + len(self.curvature.drift)
        bends = zip(self.curvature.bends, known[first:], strict=False)
        matrix: dict[Pair, Number] = {}
        direct: dict[Pair, Number] = {}
        for (i, k, j), value in bends:
            _add(matrix, (i, j), value * along[k])
            if j < k < self.n:
                _add(matrix, (i, k), value * along[j])
        mixed = known[first + len(self.curvature.bends) :]
        for (i, k, j), value in zip(self.curvature.mixed, mixed, strict=True):
            _add(direct, (i, j), value * along[k])
        return matrix, direct


def _add(numbers: dict[Pair, Number], pair: Pair, term: Number) -> None:
    numbers[pair] = numbers[pair] + term if pair in numbers else term
