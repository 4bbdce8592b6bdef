"""Differentiation: which derivatives of a system's equations there are, and what they are.

A derivative that is zero for all values (insulin action does not depend on the glucose volume) is
found from the structure of the equations and left out.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.gradient import grad
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import MergeOptimizer

from hepaflux.solver.simplification import number_of, simplified

Pair = tuple[int, int]


def scalar(value: Any) -> Any:
    """Return a number as a constant, and a symbol as it is."""
    return ps.as_scalar(np.float64(value)) if isinstance(value, (int, float)) else value


def gradients(values: Sequence[Any], symbols: Sequence[Any]) -> dict[Pair, Any]:
    """Return d value / d symbol by their places, without those that are zero for all values."""
    found: dict[Pair, Any] = {}
    for i, value in enumerate(simplified(list(values))):
        if value.owner is None:
            row = [scalar(1.0) if value is symbol else None for symbol in symbols]
        else:
            row = grad(
                value, list(symbols), disconnected_inputs="ignore", return_disconnected="none"
            )
        found |= {(i, j): entry for j, entry in enumerate(row) if entry is not None}
    simple = dict(zip(found, simplified(list(found.values())), strict=True))
    return {pair: entry for pair, entry in simple.items() if number_of(entry) != 0.0}


def active_pairs(
    n_states: int, jacobian: Collection[Pair], others: Collection[Pair]
) -> tuple[Pair, ...]:
    """Return the (state, theta) pairs whose sensitivity can differ from zero.

    A pair is active if it is one of the ``others`` (the state depends on the parameter directly, or
    at the start, or through a dose), or through another state for which the pair is active.
    """
    pairs = set(others)
    for _ in range(n_states):
        pairs |= {(i, j) for i, other in jacobian for k, j in pairs if other == k}
    return tuple(sorted(pairs))


def graph(inputs: Sequence[Any], outputs: Sequence[Any]) -> FunctionGraph:
    """Return a graph of its own, in which nothing is computed twice."""
    made = FunctionGraph(list(inputs), [scalar(o) for o in outputs], clone=True)
    MergeOptimizer().rewrite(made)
    return made


@dataclass(frozen=True, eq=False)
class Curvature:
    """How the derivatives of the equations change, for a method that steps by them.

    Time counts as one state more, behind the others.

    Attributes
    ----------
    graph : FunctionGraph
        (theta, constants, t, y, curves, slopes of the curves) -> d(dy/dt)/dy for each pair of the
        Jacobian matrix, then an entry for each of ``drift``, ``bends`` and ``mixed``.
    drift : tuple of int
        Each state i with d(dy_i/dt)/dt.
    bends : tuple of (int, int, int)
        (i, k, l) with d2(dy_i/dt)/dy_k dy_l, and k = l or l before k.
    mixed : tuple of (int, int, int)
        (i, k, j) with d2(dy_i/dt)/dy_k dtheta_j.
    """

    graph: FunctionGraph
    drift: tuple[int, ...]
    bends: tuple[tuple[int, int, int], ...]
    mixed: tuple[tuple[int, int, int], ...]


def differentiate_again(
    rates: Sequence[Any],
    jacobian: dict[Pair, Any],
    given: Sequence[Any],
    moving: tuple[Any, Sequence[Any], Sequence[Any]],
    theta: Sequence[Any],
) -> Curvature:
    """Return the curvature of the equations.

    Parameters
    ----------
    rates : sequence of ScalarVariable
        dy/dt.
    jacobian : dict of (int, int) to ScalarVariable
        Its derivatives by the states.
    given : sequence of ScalarVariable
        What stays as it is in a solve.
    moving : tuple
        Time, the states, and the curves, of which each is a straight line in time.
    theta : sequence of ScalarVariable
        The parameters.
    """
    time, states, curves = moving
    rises = [ps.float64(f"slope of {curve.name}") for curve in curves]
    drift: dict[int, Any] = {}
    for (i, c), by_time in gradients(rates, [time, *curves]).items():
        term = by_time * rises[c - 1] if c else by_time
        drift[i] = drift[i] + term if i in drift else term
    n = len(states)
    places = [*jacobian, *((i, n) for i in drift)]
    entries = [*jacobian.values(), *drift.values()]
    again = gradients(entries, [*states, *theta])
    bends = {
        (*places[e], j): value for (e, j), value in again.items() if j < n and j <= places[e][1]
    }
    mixed = {(*places[e], j - n): value for (e, j), value in again.items() if j >= n}
    outputs = [*entries, *bends.values(), *mixed.values()]
    inputs = [*given, time, *states, *curves, *rises]
    return Curvature(graph(inputs, outputs), tuple(drift), tuple(bends), tuple(mixed))
