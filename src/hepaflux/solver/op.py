"""Solve: the operation that puts a system's solution into a PyTensor graph.

One operation returns the states and their sensitivities; its pullback contracts cotangents with
the second output, so that a gradient costs one solve. Everything about the study is an input, so
one compiled graph serves any subject.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.cache import compile_numba_function_src
from pytensor.link.numba.dispatch.basic import (
    numba_funcify_ensure_cache,
    numba_njit,
    register_funcify_and_cache_key,
)

from hepaflux.solver.kernel import build_kernel, cache_key
from hepaflux.solver.program import Program

SOURCE = sha256(Path(__file__).read_bytes()).hexdigest()
"""Part of the cache keys, so that machine code of another version of this file is not used."""


class Solve(Op):
    """States and sensitivities of a batch of solves.

    Inputs: ``theta`` (solve, theta), ``constants`` (solve, constant), ``table`` (segment, column),
    ``rows`` (solve, 4) of int64 and ``tolerance`` (2,): relative, absolute. Outputs: ``states``
    (saved, state) and ``sensitivities`` (saved, active). A failed solve is NaN in both.
    """

    __props__ = ("key",)

    def __init__(self, program: Program):
        self.program = program
        self.key = program.key

    def make_node(self, *inputs: Any) -> Apply:
        """Make the node; see the class for the inputs."""
        types = (pt.dmatrix(), pt.dmatrix(), pt.dmatrix(), pt.lmatrix(), pt.dvector())
        variables = [
            pt.as_tensor_variable(value, dtype=kind.dtype)
            for value, kind in zip(inputs, types, strict=True)
        ]
        layout = self.program.layout
        outputs = [
            pt.tensor(dtype="float64", shape=(None, len(layout.states))),
            pt.tensor(dtype="float64", shape=(None, len(layout.active))),
        ]
        return Apply(self, variables, outputs)

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Run the compiled kernel from Python."""
        del node
        arrays = [np.ascontiguousarray(value) for value in inputs]
        for storage, value in zip(
            output_storage, callable_kernel(self.program)(*arrays), strict=True
        ):
            storage[0] = value

    def infer_shape(self, node: Apply, shapes: Any) -> list[Any]:
        """Return the output shapes."""
        del shapes
        n_saved = node.inputs[3][:, 3].max()
        layout = self.program.layout
        return [(n_saved, len(layout.states)), (n_saved, len(layout.active))]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Say that only ``states`` depends differentiably on an input, and only on ``theta``."""
        del node
        return [[True, False], *([False, False] for _ in range(4))]

    def pullback(
        self, inputs: list[Variable], outputs: list[Variable], cotangents: list[Variable]
    ) -> list[Variable]:
        """Contract the cotangent of the states with the sensitivities."""
        _, sensitivities = outputs
        if isinstance(cotangents[0].type, DisconnectedType):
            return [disconnected_type() for _ in inputs]
        gradient = Contract(self.program.layout.active, len(self.program.layout.theta))(
            cotangents[0], sensitivities, inputs[3]
        )
        return [gradient, *(disconnected_type() for _ in inputs[1:])]


class Contract(Op):
    """Cotangents of the states times sensitivities, summed over each solve's saved times.

    Inputs: ``cotangent`` (saved, state), ``sensitivities`` (saved, active), ``rows`` (solve, 4).
    Output: (solve, theta).
    """

    __props__ = ("active", "n_theta")

    def __init__(self, active: tuple[tuple[int, int], ...], n_theta: int):
        self.active = active
        self.n_theta = n_theta

    def make_node(self, cotangent: Any, sensitivities: Any, rows: Any) -> Apply:
        """Make the node; see the class for the inputs."""
        variables = [pt.as_tensor_variable(v) for v in (cotangent, sensitivities, rows)]
        return Apply(self, variables, [pt.tensor(dtype="float64", shape=(None, self.n_theta))])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Contract in Python, for graphs that are not compiled."""
        del node
        output_storage[0][0] = contraction(self.active, self.n_theta)(*inputs)

    def infer_shape(self, node: Apply, shapes: Any) -> list[Any]:
        """Return the output shape."""
        del node
        return [(shapes[2][0], self.n_theta)]


def contraction(active: tuple[tuple[int, int], ...], n_theta: int) -> Callable:
    """Return the function that contracts cotangents with sensitivities."""
    pairs = np.array(active, dtype=np.int64).reshape(-1, 2)

    def contract(cotangent, sensitivities, rows):
        gradient = np.zeros((rows.shape[0], n_theta))
        for s in range(rows.shape[0]):
            for r in range(rows[s, 2], rows[s, 3]):
                for a in range(pairs.shape[0]):
                    gradient[s, pairs[a, 1]] += cotangent[r, pairs[a, 0]] * sensitivities[r, a]
        return gradient

    return contract


_KERNELS: dict[str, Callable] = {}


def callable_kernel(program: Program) -> Callable:
    """Return the kernel as a function that Python may call; compiled once, cached on disk."""
    if program.key not in _KERNELS:
        kernel, key = numba_funcify_ensure_cache(Solve(program))
        source = "def solve_batch(*args):\n    return kernel(*args)\n"
        scope = {"__name__": __name__, "kernel": kernel}
        function = compile_numba_function_src(
            source, "solve_batch", global_env=scope, cache_key=cache_key("callable", SOURCE, key)
        )
        _KERNELS[program.key] = numba_njit(function, final_function=True, cache=True)
    return _KERNELS[program.key]


@register_funcify_and_cache_key(Solve)
def numba_funcify_solve(op: Solve, **kwargs: Any) -> tuple[Callable, str]:
    """Give PyTensor the native kernel, with a key under which its machine code is cached."""
    del kwargs
    return build_kernel(op.program)


@register_funcify_and_cache_key(Contract)
def numba_funcify_contract(op: Contract, **kwargs: Any) -> tuple[Callable, str]:
    """Give PyTensor the native contraction."""
    del kwargs
    key = cache_key("contract", SOURCE, op.active, op.n_theta)
    return numba_njit(contraction(op.active, op.n_theta)), key
