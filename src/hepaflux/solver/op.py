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
from pytensor.link.numba.dispatch.basic import (
    numba_njit,
    register_funcify_and_cache_key,
)

from hepaflux.solver.kernel import cache_key, kernel_key
from hepaflux.solver.machine_code import callable_kernel, machine_code
from hepaflux.solver.program import Layout, Program

SOURCE = sha256(Path(__file__).read_bytes()).hexdigest()
"""Part of the cache keys, so that machine code of another version of this file is not used."""


class Solve(Op):
    """States and sensitivities of a batch of solves.

    Inputs: one parameter each, as a scalar for all solves or as a vector (solve,), in the order of
    the program's ``theta``; then ``constants`` (solve, constant), ``table`` (segment, column),
    ``rows`` (solve, 4) of int64 and ``tolerance`` (2,): relative, absolute. Outputs: ``states``
    (saved, state) and ``sensitivities`` (saved, active). A failed solve is NaN in both.
    """

    __props__ = ("key",)

    def __init__(self, program: Program):
        self.program = program
        self.key = program.key

    def make_node(self, *inputs: Any) -> Apply:
        """Make the node; see the class for the inputs."""
        layout = self.program.layout
        n_theta = len(layout.theta)
        types = (pt.dmatrix(), pt.dmatrix(), pt.lmatrix(), pt.dvector())
        variables = [pt.as_tensor_variable(value, dtype="float64") for value in inputs[:n_theta]]
        variables += [
            pt.as_tensor_variable(value, dtype=kind.dtype)
            for value, kind in zip(inputs[n_theta:], types, strict=True)
        ]
        outputs = [
            pt.tensor(dtype="float64", shape=(None, len(layout.states))),
            pt.tensor(dtype="float64", shape=(None, len(layout.active))),
        ]
        return Apply(self, variables, outputs)

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Run the compiled kernel from Python."""
        del node
        n_theta = len(self.program.layout.theta)
        columns, arrays = inputs[:n_theta], [np.ascontiguousarray(v) for v in inputs[n_theta:]]
        theta = np.empty((len(arrays[0]), n_theta))
        for j, column in enumerate(columns):
            theta[:, j] = column
        for storage, value in zip(
            output_storage, callable_kernel(self.program)(theta, *arrays), strict=True
        ):
            storage[0] = value

    def infer_shape(self, node: Apply, shapes: Any) -> list[Any]:
        """Return the output shapes."""
        del shapes
        n_saved = node.inputs[-2][:, 3].max()
        layout = self.program.layout
        return [(n_saved, len(layout.states)), (n_saved, len(layout.active))]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Say that only ``states`` depends differentiably on an input, and only on parameters."""
        n_theta = len(self.program.layout.theta)
        return [[i < n_theta, False] for i in range(len(node.inputs))]

    def pullback(
        self, inputs: list[Variable], outputs: list[Variable], cotangents: list[Variable]
    ) -> list[Variable]:
        """Contract the cotangent of the states with the sensitivities."""
        _, sensitivities = outputs
        n_theta = len(self.program.layout.theta)
        unknown = [disconnected_type() for _ in inputs[n_theta:]]
        if isinstance(cotangents[0].type, DisconnectedType):
            return [*(disconnected_type() for _ in inputs[:n_theta]), *unknown]
        shared = tuple(column.type.ndim == 0 for column in inputs[:n_theta])
        contract = Contract(self.program.layout.active, shared)
        gradient = contract(cotangents[0], sensitivities, inputs[-2], return_list=True)
        return [*gradient, *unknown]


class Contract(Op):
    """Cotangents of the states times sensitivities, summed over each solve's saved times.

    Inputs: ``cotangent`` (saved, state), ``sensitivities`` (saved, active), ``rows`` (solve, 4).
    Outputs: one per parameter, (solve,), or summed over the solves if ``shared``.
    """

    __props__ = ("active", "shared")

    def __init__(self, active: tuple[tuple[int, int], ...], shared: tuple[bool, ...]):
        self.active = active
        self.shared = shared

    def make_node(self, cotangent: Any, sensitivities: Any, rows: Any) -> Apply:
        """Make the node; see the class for the inputs."""
        variables = [pt.as_tensor_variable(v) for v in (cotangent, sensitivities, rows)]
        return Apply(self, variables, [pt.dscalar() if s else pt.dvector() for s in self.shared])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Contract in Python, for graphs that are not compiled."""
        del node
        results = contraction(self.active, self.shared)(*inputs)
        for storage, result in zip(output_storage, results, strict=True):
            storage[0] = np.asarray(result)

    def infer_shape(self, node: Apply, shapes: Any) -> list[Any]:
        """Return the output shapes."""
        del node
        return [() if shared else (shapes[2][0],) for shared in self.shared]


def contraction(active: tuple[tuple[int, int], ...], shared: tuple[bool, ...]) -> Callable:
    """Return the function that contracts cotangents with sensitivities."""
    scope: dict[str, Any] = {"zeros": np.zeros}
    exec(contraction_source(active, shared), scope)
    return scope["contract"]


def contraction_source(active: tuple[tuple[int, int], ...], shared: tuple[bool, ...]) -> str:
    """Write the function that contracts, with one scalar per parameter in its inner loop."""
    names = [f"total{j}" for j in range(len(shared))]
    lines = [f"g{j} = zeros({'()' if s else 'rows.shape[0]'})" for j, s in enumerate(shared)]
    lines.append("for s in range(rows.shape[0]):")
    lines += [f"    {name} = 0.0" for name in names]
    lines.append("    for r in range(rows[s, 2], rows[s, 3]):")
    lines.append("        pass")
    for a, (i, j) in enumerate(active):
        lines.append(f"        total{j} += cotangent[r, {i}] * sensitivities[r, {a}]")
    at = ["()" if s else "s" for s in shared]
    lines += [f"    g{j}[{at[j]}] += {name}" for j, name in enumerate(names)]
    lines.append("return " + "".join(f"g{j}, " for j in range(len(shared))))
    body = "".join(f"    {line}\n" for line in lines)
    return f"def contract(cotangent, sensitivities, rows):\n{body}"


def columns_source(layout: Layout, shared: tuple[bool, ...]) -> str:
    """Write the function that gathers the parameters and calls the kernel."""
    names = [f"theta{j}" for j in range(len(shared))]
    lines = [
        f"theta = empty((rows.shape[0], {len(shared)}))",
        "whole = rows.astype(int64)",
        "n_saved = 0",
        "for s in range(rows.shape[0]):",
        "    n_saved = max(n_saved, whole[s, 3])",
    ]
    # Set one by one: numba compiles an error message for every slice that is set.
    lines += [
        f"    theta[s, {j}] = {name}{'[()]' if is_shared else '[s]'}"
        for j, (name, is_shared) in enumerate(zip(names, shared, strict=True))
    ]
    lines += [
        f"states = empty((n_saved, {len(layout.states)}))",
        f"sensitivities = empty((n_saved, {len(layout.active)}))",
        "contiguous = ascontiguousarray(constants)",
        "segments, allowed = ascontiguousarray(table), ascontiguousarray(tolerance)",
        "kernel(whole.shape[0], theta.ctypes, contiguous.ctypes, segments.ctypes, whole.ctypes,"
        " allowed.ctypes, states.ctypes, sensitivities.ctypes)",
        "return states, sensitivities",
    ]
    arguments = ", ".join([*names, "constants", "table", "rows", "tolerance"])
    return f"def solve({arguments}):\n" + "".join(f"    {line}\n" for line in lines)


@register_funcify_and_cache_key(Solve)
def numba_funcify_solve(op: Solve, node: Apply, **kwargs: Any) -> tuple[Callable, str]:
    """Give PyTensor the native kernel, with a key under which its machine code is cached."""
    del kwargs
    shared = tuple(column.type.ndim == 0 for column in node.inputs[:-4])
    scope: dict[str, Any] = {
        "empty": np.empty,
        "int64": np.int64,
        "ascontiguousarray": np.ascontiguousarray,
        "kernel": machine_code(op.program).external,
    }
    exec(columns_source(op.program.layout, shared), scope)
    return numba_njit(scope["solve"]), cache_key("solve", SOURCE, kernel_key(op.program), shared)


@register_funcify_and_cache_key(Contract)
def numba_funcify_contract(op: Contract, **kwargs: Any) -> tuple[Callable, str]:
    """Give PyTensor the native contraction."""
    del kwargs
    key = cache_key("contract", SOURCE, op.active, op.shared)
    return numba_njit(contraction(op.active, op.shared)), key
