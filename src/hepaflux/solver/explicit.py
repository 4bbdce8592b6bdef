"""Explicit: one step of Dormand and Prince's Runge-Kutta method.

Their 5(4) pair with local extrapolation (Dormand JR, Prince PJ 1980, J Comput Appl Math 6:19). The
derivative at the end of a step is that at the begin of the next.
"""

import numpy as np

from hepaflux.solver.code import Number
from hepaflux.solver.equations import Equations
from hepaflux.solver.step import Step, weighted

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


class Explicit:
    """The method; ``k`` holds the derivative at the begin, then those of the other stages."""

    stages = 7
    memory = 1

    def __init__(self, equations: Equations):
        self.slope = equations.slope
        self.lanes = equations.lanes

    def write_step(self, step: Step) -> None:
        """Write the stages of a step from ``z`` at ``t``, which leave its end in ``y``."""
        size, n = self.lanes.size, len(self.lanes.blocks)
        for stage in range(1, 7):
            for b in range(n):
                change = weighted(A[stage], step.k, b, n)
                step.y.set_vector(b, step.z.vector(b) + step.length * change)
            at = step.t + float(C[stage]) * step.length
            step.code.call(self.slope, at, step.y, step.k.after(stage * size), *step.given)

    def error(self, step: Step, b: int) -> Number:
        """Write the error of one vector."""
        return step.length * weighted(E, step.k, b, len(self.lanes.blocks))

    def write_arrival(self, step: Step, at: Number) -> None:
        """Write what the next step needs: the derivative at ``z``, where ``at`` is reached."""
        del at
        n = len(self.lanes.blocks)
        for b in range(n):
            step.k.set_vector(b, step.k.vector(6 * n + b))
