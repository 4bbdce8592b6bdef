"""Lines: a graph of scalar operations as lines of source, to be compiled within a larger function.

A call of a compiled function hands over dozens of numbers through memory; the same operations
written out where they are used stay in registers, and the compiler shares what they have in common.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Constant
from pytensor.graph.fg import FunctionGraph
from pytensor.link.numba.dispatch.basic import numba_funcify_and_cache_key

WRITTEN: dict[type, Callable[..., str]] = {
    ps.Add: lambda *a: " + ".join(a),
    ps.Mul: lambda *a: " * ".join(a),
    ps.Sub: lambda a, b: f"{a} - {b}",
    ps.TrueDiv: lambda a, b: f"{a} / {b}",
    ps.Neg: lambda a: f"-{a}",
    ps.Sqr: lambda a: f"{a} * {a}",
    ps.Second: lambda a, b: b,
    ps.Identity: lambda a: a,
}
"""Operations that are written out; every other is a call of PyTensor's native function for it."""


class Writer:
    """Writes graphs as lines, and gathers the functions that the lines call.

    Attributes
    ----------
    scope : dict of str to callable
        The compiled functions by the names that the lines use.
    """

    def __init__(self) -> None:
        self.scope: dict[str, Callable] = {}
        self._names: dict[Any, str] = {}

    def lines(
        self, graph: FunctionGraph, arguments: Sequence[str], results: Sequence[str], prefix: str
    ) -> list[str]:
        """Return the lines that compute ``results`` from ``arguments``.

        Parameters
        ----------
        graph : FunctionGraph
            Of scalar operations.
        arguments : sequence of str
            An expression without spaces or a name, for each input of the graph.
        results : sequence of str
            A name for each output.
        prefix : str
            Begins the name of every intermediate value, so that a graph can be written twice.
        """
        names: dict[Any, str] = dict(zip(graph.inputs, arguments, strict=True))
        lines = []
        for i, node in enumerate(graph.toposort()):
            operands = [_operand(variable, names) for variable in node.inputs]
            names[node.outputs[0]] = f"{prefix}{i}"
            lines.append(f"{prefix}{i} = {self._expression(node, operands)}")
        values = [_operand(variable, names) for variable in graph.outputs]
        return lines + [f"{r} = {v}" for r, v in zip(results, values, strict=True)]

    def _expression(self, node: Any, operands: list[str]) -> str:
        written = WRITTEN.get(type(node.op))
        if written is not None:
            return written(*operands)
        kind = (node.op, *(variable.type for variable in node.inputs))
        if kind not in self._names:
            self._names[kind] = self._compiled(node)
        return f"{self._names[kind]}({', '.join(operands)})"

    def _compiled(self, node: Any) -> str:
        """Return the name of the native function of a node, put in the scope."""
        function, key = numba_funcify_and_cache_key(node.op, node=node)
        name = f"operation_{key}" if str(key).isidentifier() else f"operation_{len(self.scope)}"
        self.scope[name] = function
        return name


def _operand(variable: Any, names: dict[Any, str]) -> str:
    if isinstance(variable, Constant):
        return f"({float(np.asarray(variable.data))!r})"
    return names[variable]
