"""Equations: a program's graphs as native functions of the extended vector z."""

from collections.abc import Mapping, Sequence

from llvmlite import ir

from hepaflux.solver.code import DOUBLE, NUMBERS, Code, Number, Room
from hepaflux.solver.differentiation import Pair
from hepaflux.solver.lanes import Arrangement, Block, arrange
from hepaflux.solver.operations import write_graph
from hepaflux.solver.program import Program
from hepaflux.solver.protocol import BEGIN, CURVES

MOST_INLINE = 600
"""Operations of a function up to which it is written into each stage; a larger one is called."""


def function(module: ir.Module, name: str, result: ir.Type, *arguments: ir.Type) -> Code:
    """Return an empty function that others of the module may call."""
    made = ir.Function(module, ir.FunctionType(result, arguments), name)
    made.linkage = "internal"
    made.attributes.add("nounwind")
    for argument in made.args:
        if isinstance(argument.type, ir.PointerType):
            argument.add_attribute("noalias")
    return Code(made)


def inline_if_small(code: Code, operations: int) -> None:
    """Have a function written into those that call it, unless it is large."""
    code.function.attributes.add("alwaysinline" if operations <= MOST_INLINE else "noinline")


class Equations:
    """The functions ``start`` and ``slope`` of a module.

    Attributes
    ----------
    lanes : Arrangement
        Where the numbers of z are.
    start : function (theta, constants, out)
        It puts z at the start in ``out``, then the jumps of z by a unit of each dose.
    slope : function (t, y, k, theta, constants, row)
        It puts the derivative at ``y``, ``t`` min into the segment ``row``, in ``k``.
    """

    def __init__(self, module: ir.Module, program: Program):
        self.module = module
        self.program = program
        self.layout = program.layout
        self.lanes: Arrangement = arrange(program.layout)
        self.start = self._write_start()
        self.slope = self._write_slope()

    def steady(self, theta: Room, constants: Room) -> list[Number]:
        """Return what stays as it is in a solve."""
        values = [theta[j] for j in range(len(self.layout.theta))]
        return values + [constants[j] for j in range(len(self.layout.constants))]

    def moving(self, t: Number, y: Room, row: Room) -> list[Number]:
        """Return time, states and curves at a time of a segment."""
        curves = len(self.layout.curves)
        states = [y[self.lanes.position[i]] for i in range(len(self.layout.states))]
        lines = [row[CURVES + c] + t * row[CURVES + curves + c] for c in range(curves)]
        return [row[BEGIN] + t, *states, *lines]

    def _write_start(self) -> ir.Function:
        code = function(self.module, "start", ir.VoidType(), NUMBERS, NUMBERS, NUMBERS)
        theta, constants, out = code.arguments
        place, size = self.lanes.position, self.lanes.size
        results = write_graph(code, self.program.start, self.steady(theta, constants))
        n_vectors = self.layout.n_channels + 1
        for b in range(n_vectors * len(self.lanes.blocks)):
            out.set_vector(b, code.copies(0.0))
        for c in range(n_vectors):
            for component, position in enumerate(place):
                out[c * size + position] = results[c * len(place) + component]
        code.result()
        return code.function

    def _write_slope(self) -> ir.Function:
        code = function(self.module, "slope", ir.VoidType(), DOUBLE, *[NUMBERS] * 5)
        blocks, program = self.lanes.blocks, self.program
        inline_if_small(code, len(program.slopes.apply_nodes) + 4 * len(blocks))
        t, y, k, theta, constants, row = code.arguments
        steady, moving = self.steady(theta, constants), self.moving(t, y, row)
        results = write_graph(code, program.slopes, steady, moving)
        n, last = len(self.layout.states), len(results) - len(program.direct)
        jacobian = dict(zip(program.jacobian, results[n:last], strict=True))
        direct = dict(zip(program.direct, results[last:], strict=True))
        for b, block in enumerate(blocks):
            k.set_vector(b, self.chain(code, block, y, jacobian, results[:n], direct))
        code.result()
        return code.function

    def chain(
        self,
        code: Code,
        block: Block,
        y: Room,
        matrix: Mapping[Pair, Number],
        own: Sequence[Number],
        direct: Mapping[Pair, Number],
    ) -> Number:
        """Write one vector of a derivative of z: by the chain rule where it is of sensitivities.

        Parameters
        ----------
        block : Block
            Which vector.
        y : Room
            Holds the sensitivities that are multiplied by the matrix.
        matrix : mapping of (int, int) to Number
            Derivatives by the states.
        own : sequence of Number
            What stands in the place of the states.
        direct : mapping of (int, int) to Number
            Derivatives by the parameters.
        """
        n, components = len(self.layout.states), block.components
        pairs = [None if c is None or c < n else self.layout.active[c - n] for c in components]
        total = code.vector([None if pair is None else direct.get(pair) for pair in pairs])
        for b, other in enumerate(self.lanes.blocks):
            if block.state is None or other.state is None or other.column != block.column:
                continue
            if (block.state, other.state) in matrix:
                total = total + matrix[block.state, other.state] * y.vector(b)
        for lane, c in enumerate(components):
            if c is not None and c < n:
                total = total.with_lane(lane, own[c])
        return total
