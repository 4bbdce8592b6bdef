"""Simplification: derivatives without the zeros and ones that differentiation leaves in them.

What is differentiated symbol by symbol multiplies by one, adds zero and names variables on which
nothing depends. A derivative that is zero must be known as such before it is differentiated again.
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import toposort


def number_of(variable: Any) -> float | None:
    """Return the value of a constant, or None."""
    return float(np.asarray(variable.data)) if isinstance(variable, Constant) else None


def simplified(values: list[Any]) -> list[Any]:
    """Return scalar expressions in which no zero is added and nothing is multiplied by one.

    Parameters
    ----------
    values : list of ScalarVariable
        Expressions in any symbols.

    Returns
    -------
    list of ScalarVariable
        The same functions of the same symbols, with squares in the place of repeated factors;
        what occurs twice is one node.
    """
    simple: dict[Any, Any] = {}
    made: dict[Any, Any] = {}
    for node in toposort([value for value in values if value.owner is not None]):
        operands = [simple.get(variable, variable) for variable in node.inputs]
        rule = RULES.get(type(node.op))
        kept = operands == list(node.inputs)
        result = rule(operands) if rule else None
        if result is None:
            result = node.outputs[0] if kept else node.op(*operands)
        simple[node.outputs[0]] = made.setdefault(_meaning(result), result)
    return [simple.get(value, value) for value in values]


def _meaning(value: Any) -> Any:
    """Return what two expressions have in common that are the same."""
    if value.owner is None:
        return number_of(value) if isinstance(value, Constant) else value
    operands = ((number_of(v), None if isinstance(v, Constant) else v) for v in value.owner.inputs)
    return value.owner.op, *operands


def _constant(number: float) -> Any:
    return ps.as_scalar(np.float64(number))


def _negative(value: Any) -> Any:
    number = number_of(value)
    if number is not None:
        return _constant(-number)
    if value.owner is not None and isinstance(value.owner.op, ps.Neg):
        return value.owner.inputs[0]
    return ps.neg(value)


def _product(factors: list[Any]) -> Any:
    """Return a product in which no factor stands twice.

    PyTensor's derivative of a product leaves out every copy of a factor, so that of x x would be 2.
    """
    numbers = [number for factor in factors if (number := number_of(factor)) is not None]
    rest = [factor for factor in factors if number_of(factor) is None]
    known = prod(numbers)
    if known == 0.0 or not rest:
        return _constant(known)
    for place, factor in enumerate(rest):
        if factor.owner is not None and isinstance(factor.owner.op, ps.Neg):
            rest[place], known = factor.owner.inputs[0], -known
    while (twice := next((f for f in rest if rest.count(f) > 1), None)) is not None:
        rest.remove(twice)
        rest[rest.index(twice)] = ps.sqr(twice)
    if abs(known) != 1.0:
        rest = [_constant(abs(known)), *rest]
    product = rest[0] if len(rest) == 1 else ps.mul(*rest)
    return product if known > 0 else _negative(product)


def _sum(terms: list[Any]) -> Any:
    numbers = [number for term in terms if (number := number_of(term)) is not None]
    rest = [term for term in terms if number_of(term) is None]
    known = sum(numbers)
    if known != 0.0 or not rest:
        rest = [*rest, _constant(known)]
    return rest[0] if len(rest) == 1 else ps.add(*rest)


def _difference(operands: list[Any]) -> Any:
    left, right = operands
    if number_of(right) == 0.0:
        return left
    if number_of(left) == 0.0:
        return _negative(right)
    return None


def _quotient(operands: list[Any]) -> Any:
    above, below = operands
    if number_of(above) == 0.0:
        return _constant(0.0)
    return above if number_of(below) == 1.0 else None


RULES: Mapping[type, Callable[[list[Any]], Any]] = {
    ps.Second: lambda operands: operands[1],
    ps.Identity: lambda operands: operands[0],
    ps.Neg: lambda operands: _negative(operands[0]),
    ps.Mul: _product,
    ps.Add: _sum,
    ps.Sub: _difference,
    ps.TrueDiv: _quotient,
}
"""What becomes of each operation, given its simplified operands; None if it stays."""
