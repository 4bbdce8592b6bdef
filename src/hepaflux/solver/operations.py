"""Operations: a graph of scalar operations as instructions of a function that is being written."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Constant
from pytensor.graph.fg import FunctionGraph

from hepaflux.solver.code import Code, Number

FAR = 40.0
"""Where exp(-x), 4e-18, is nothing beside 1."""


def _sum(code: Code, *terms: Number) -> Number:
    del code
    return sum(terms[1:], start=terms[0])


def _product(code: Code, *factors: Number) -> Number:
    del code
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def _decay(code: Code, x: Number, of: Callable[[Number], Number]) -> Number:
    """Write a function of exp(-|x|) that is zero where that is nothing beside 1.

    Gates are mostly far open or far shut, and what need not be computed takes no time.
    """
    size, found = code.absolute(x), code.variable(code.number(0.0))
    with code.when(~(size > FAR)):
        found.set(of(code.intrinsic("exp", -size)))
    return found.get()


def _sigmoid(code: Code, x: Number) -> Number:
    decay = _decay(code, x, lambda decay: decay)
    return code.chosen(x < 0.0, decay, 1.0) / (1.0 + decay)


def _softplus(code: Code, x: Number) -> Number:
    return code.larger(x, 0.0) + _decay(code, x, lambda decay: code.library("log1p", decay))


def _sign(code: Code, x: Number) -> Number:
    return code.chosen(x > 0.0, 1.0, code.chosen(x < 0.0, -1.0, x))


def _intrinsic(name: str) -> Callable[..., Number]:
    return lambda code, *numbers: code.intrinsic(name, *numbers)


def _library(name: str) -> Callable[..., Number]:
    return lambda code, x: code.library(name, x)


WRITTEN: Mapping[type, Callable[..., Number]] = {
    ps.Add: _sum,
    ps.Mul: _product,
    ps.Sub: lambda code, a, b: a - b,
    ps.TrueDiv: lambda code, a, b: a / b,
    ps.Neg: lambda code, a: -a,
    ps.Sqr: lambda code, a: a * a,
    ps.Reciprocal: lambda code, a: 1.0 / a,
    ps.Second: lambda code, a, b: b,
    ps.Identity: lambda code, a: a,
    ps.Cast: lambda code, a: a,
    ps.Sign: _sign,
    ps.Switch: lambda code, condition, a, b: code.chosen(condition, a, b),
    ps.LT: lambda code, a, b: a < b,
    ps.LE: lambda code, a, b: a <= b,
    ps.GT: lambda code, a, b: a > b,
    ps.GE: lambda code, a, b: a >= b,
    ps.EQ: lambda code, a, b: a.equals(b),
    ps.NEQ: lambda code, a, b: ~a.equals(b),
    ps.ScalarMaximum: lambda code, a, b: code.larger(a, b),
    ps.ScalarMinimum: lambda code, a, b: code.smaller(a, b),
    ps.Abs: lambda code, a: code.absolute(a),
    ps.Exp: _intrinsic("exp"),
    ps.Log: _intrinsic("log"),
    ps.Sqrt: _intrinsic("sqrt"),
    ps.Pow: _intrinsic("pow"),
    ps.Sin: _intrinsic("sin"),
    ps.Cos: _intrinsic("cos"),
    ps.Log1p: _library("log1p"),
    ps.Expm1: _library("expm1"),
    ps.Tanh: _library("tanh"),
    ps.Sigmoid: _sigmoid,
    ps.Softplus: _softplus,
}
"""How each operation that equations may hold is written."""


def write_graph(
    code: Code, graph: FunctionGraph, steady: Sequence[Number], moving: Sequence[Number] = ()
) -> list[Number]:
    """Write the instructions of a graph of scalar operations.

    A division by what depends on steady numbers alone is written as a product, so that its
    reciprocal is computed once and not in every stage.

    Parameters
    ----------
    code : Code
        The function that is being written.
    graph : FunctionGraph
        Of scalar operations.
    steady : sequence of Number
        The first inputs of the graph, which stay as they are in a solve.
    moving : sequence of Number
        The other inputs, which change.

    Returns
    -------
    list of Number
        One for each output.

    Raises
    ------
    NotImplementedError
        If the graph holds an operation that ``WRITTEN`` does not.
    """
    numbers: dict[Any, Number] = dict(zip(graph.inputs, [*steady, *moving], strict=True))
    changing = set(graph.inputs[len(steady) :])
    for node in graph.toposort():
        write = WRITTEN.get(type(node.op))
        if write is None:
            raise NotImplementedError(
                f"the equations hold the operation {node.op}, which the solver cannot compile;"
                f" it knows {', '.join(sorted(kind.__name__ for kind in WRITTEN))}"
            )
        operands = [_operand(code, variable, numbers) for variable in node.inputs]
        if isinstance(node.op, ps.Switch):
            operands[1:] = [code.as_double(operand) for operand in operands[1:]]
        else:
            operands = [code.as_double(operand) for operand in operands]
        if changing.intersection(node.inputs):
            changing.update(node.outputs)
            if isinstance(node.op, ps.TrueDiv) and node.inputs[1] not in changing:
                write = _product
                operands[1] = 1.0 / operands[1]
        numbers[node.outputs[0]] = write(code, *operands)
    return [code.as_double(_operand(code, variable, numbers)) for variable in graph.outputs]


def _operand(code: Code, variable: Any, numbers: Mapping[Any, Number]) -> Number:
    if isinstance(variable, Constant):
        return code.number(float(np.asarray(variable.data)))
    return numbers[variable]
