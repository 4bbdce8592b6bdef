"""Program: the equations of a system with their sensitivities, as functions that compile.

The system's plain functions are run once on symbols. Differentiating the result gives the
derivative of the extended vector z, which holds the states and, behind them, their sensitivities
dy/dtheta. A sensitivity that is zero for every parameter value (insulin action does not depend on
the glucose volume) is found from the structure of the graph and left out of z.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

import pytensor.scalar as ps
from pytensor import config
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.traversal import graph_inputs

from hepaflux.parameter import Fixed, size_of
from hepaflux.solver.differentiation import (
    Curvature,
    active_pairs,
    differentiate_again,
    gradients,
    graph,
    scalar,
)
from hepaflux.solver.simplification import number_of
from hepaflux.systems.system import System, fields_type


@dataclass(frozen=True)
class Layout:
    """Names and order of everything that the kernel sees as bare arrays.

    Attributes
    ----------
    theta, constants, curves : tuple of str
        Columns of the three kinds of input. ``theta`` is differentiated; ``constants`` holds fixed
        parameters and constant inputs; ``curves`` vary in time. A vector appears as ``name[j]``.
    states : tuple of str
        States of the system.
    scales : tuple of float
        Typical magnitude of each state.
    active : tuple of (int, int)
        (state, theta) of each sensitivity that is not zero for structural reasons.
    n_channels : int
        Dose channels.
    infused : bool
        Whether the last ``n_channels`` curves are infusion rates.
    """

    theta: tuple[str, ...]
    constants: tuple[str, ...]
    curves: tuple[str, ...]
    states: tuple[str, ...]
    scales: tuple[float, ...]
    active: tuple[tuple[int, int], ...]
    n_channels: int
    infused: bool


@dataclass(frozen=True, eq=False)
class Program:
    """The symbolic equations of a system.

    Attributes
    ----------
    layout : Layout
        What the arrays mean.
    slopes : FunctionGraph
        (theta, constants, t, y, curves) -> dy/dt, then d(dy/dt)/dy for each pair of ``jacobian``,
        then d(dy/dt)/dtheta for each pair of ``direct``.
    jacobian : tuple of (int, int)
        (state, state) of each derivative that is not zero for structural reasons.
    direct : tuple of (int, int)
        (state, theta) of each.
    start : FunctionGraph
        (theta, constants) -> z at the start, then the jump of z per unit of each dose channel.
    curvature : Curvature or None
        For the implicit method, None for the explicit one.
    key : str
        Identifies the compiled code on disk: equal graphs have equal keys.
    """

    layout: Layout
    slopes: FunctionGraph
    jacobian: tuple[tuple[int, int], ...]
    direct: tuple[tuple[int, int], ...]
    start: FunctionGraph
    curvature: Curvature | None
    key: str


def widths(system: System) -> dict[str, int]:
    """Return the length of each vector-valued parameter and input; scalars have length 0."""
    lengths = {p.axis: size_of(p.prior) for p in system.parameters if p.axis}
    records: tuple[Any, ...] = (*system.parameters, *system.inputs)
    return {record.name: lengths.get(record.axis, 0) for record in records}


def columns(name: str, width: int) -> tuple[str, ...]:
    """Return the column names of a scalar (width 0) or a vector."""
    return tuple(f"{name}[{j}]" for j in range(width)) if width else (name,)


def _symbol(name: str, width: int) -> Any:
    symbols = tuple(ps.float64(column) for column in columns(name, width))
    return symbols if width else symbols[0]


def _record(title: str, symbols: dict[str, Any]) -> Any:
    return fields_type(title, list(symbols))(**symbols)


def _flat(values: Sequence[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        flat.extend(value if isinstance(value, tuple) else (value,))
    return flat


@dataclass(frozen=True)
class _Symbols:
    """The system's functions evaluated on symbols."""

    t: Any
    theta: list[Any]
    constants: list[Any]
    curves: list[Any]
    y: list[Any]
    rates: list[Any]
    start: list[Any]
    gains: list[list[Any]]


def _evaluate(system: System, curve_names: frozenset[str], infused: bool) -> _Symbols:
    """Run ``rhs``, ``initial`` and the dose gains of a system on symbols."""
    if system.rhs is None or system.initial is None:
        raise ValueError(f"system {system.name!r} is algebraic; there is nothing to integrate")
    width = widths(system)
    t = ps.float64("t")
    y = {s.name: ps.float64(s.name) for s in system.states}
    p = {q.name: _symbol(q.name, width[q.name]) for q in system.parameters}
    u = {i.name: _symbol(i.name, width[i.name]) for i in system.inputs}
    y_record, p_record, u_record = _record("Y", y), _record("P", p), _record("U", u)
    gains = [[scalar(g) for g in channel.gain(p_record, u_record)] for channel in system.doses]
    rates = [scalar(f) for f in system.rhs(t, y_record, p_record, u_record)]
    infusions = [ps.float64(f"infusion[{c}]") for c in range(len(gains))] if infused else []
    for rate, gain in zip(infusions, gains, strict=False):
        rates = [f + rate * g for f, g in zip(rates, gain, strict=True)]
    unknown = {q.name for q in system.unknowns}
    fixed = [value for name, value in p.items() if name not in unknown]
    return _Symbols(
        t=t,
        theta=_flat([value for name, value in p.items() if name in unknown]),
        constants=_flat([*fixed, *(v for n, v in u.items() if n not in curve_names)]),
        curves=[*_flat([v for n, v in u.items() if n in curve_names]), *infusions],
        y=list(y.values()),
        rates=rates,
        start=[scalar(v) for v in system.initial(p_record, u_record)],
        gains=gains,
    )


def _used(symbols: _Symbols, candidates: list[Any]) -> list[Any]:
    """Return those candidates that some equation depends on."""
    everything = [*symbols.rates, *symbols.start, *(g for gain in symbols.gains for g in gain)]
    present = set(graph_inputs(everything))
    return [candidate for candidate in candidates if candidate in present]


@dataclass(frozen=True)
class _Equations:
    """A system, equal to another with the same equations in the same unknowns."""

    system: System = field(compare=False)
    signature: tuple[Any, ...]


def _signature(system: System) -> tuple[Any, ...]:
    """Return all that the equations depend on: not the priors, but which are ``Fixed``."""
    known = tuple((p.name, size_of(p.prior), isinstance(p.prior, Fixed)) for p in system.parameters)
    inputs = tuple((i.name, i.axis) for i in system.inputs)
    axes = tuple(p.axis for p in system.parameters)
    functions = (system.rhs, system.initial, system.states, system.doses)
    return (*functions, known, axes, inputs, system.integrator)


def compile_equations(
    system: System, *, curve_names: frozenset[str], infused: bool = False
) -> Program:
    """Differentiate a system's equations; the last few are remembered, whatever the priors.

    Parameters
    ----------
    system : System
        With its final settings and priors; parameters with a ``Fixed`` prior are constants.
    curve_names : frozenset of str
        Inputs that vary in time; the others are constants of a subject.
    infused : bool
        Whether any dose of the study is an infusion.

    Returns
    -------
    Program
        Graphs that the kernel compiles.
    """
    return _differentiated(_Equations(system, _signature(system)), curve_names, infused)


# Where in the source each of thousands of symbols was made is of no use, and slow to find out.
@lru_cache(maxsize=32)
@config.change_flags(traceback__limit=0)
def _differentiated(equations: _Equations, curve_names: frozenset[str], infused: bool) -> Program:
    system = equations.system
    symbols = _evaluate(system, curve_names, infused)
    theta = _used(symbols, symbols.theta)
    constants = _used(symbols, symbols.constants)
    curves = _used(symbols, symbols.curves)
    n = len(symbols.y)
    derivatives = gradients(symbols.rates, [*symbols.y, *theta])
    jacobian = {(i, j): entry for (i, j), entry in derivatives.items() if j < n}
    direct = {(i, j - n): entry for (i, j), entry in derivatives.items() if j >= n}
    starts = [symbols.start, *symbols.gains]
    seeds = [gradients(vector, theta) for vector in starts]
    active = active_pairs(n, jacobian, {*direct, *(p for s in seeds for p in s)})
    jumps = [
        entry
        for vector, seed in zip(starts, seeds, strict=True)
        for entry in (*vector, *(seed.get(pair, 0.0) for pair in active))
    ]
    given, moving = [*theta, *constants], (symbols.t, symbols.y, curves)
    slopes = graph(
        [*given, symbols.t, *symbols.y, *curves],
        [*symbols.rates, *jacobian.values(), *direct.values()],
    )
    start = graph(given, jumps)
    curvature = None
    if system.integrator == "implicit":
        curvature = differentiate_again(symbols.rates, jacobian, given, moving, theta)
    layout = Layout(
        theta=tuple(q.name for q in theta),
        constants=tuple(c.name for c in constants),
        curves=tuple(c.name for c in curves),
        states=tuple(s.name for s in system.states),
        scales=tuple(s.scale for s in system.states),
        active=active,
        n_channels=len(system.doses),
        infused=infused,
    )
    pairs = tuple(jacobian), tuple(direct)
    key = _key((layout, *pairs), slopes, start, curvature)
    return Program(layout, slopes, *pairs, start, curvature, key)


def _key(
    meaning: Any, slopes: FunctionGraph, start: FunctionGraph, curvature: Curvature | None
) -> str:
    graphs = [slopes, start]
    if curvature is not None:
        graphs.append(curvature.graph)
        meaning = (meaning, curvature.drift, curvature.bends, curvature.mixed)
    text = "\n".join(_text(graph) for graph in graphs)
    return sha256(f"{meaning}\n{text}".encode()).hexdigest()


def _text(graph: FunctionGraph) -> str:
    """Return a graph in words: what each operation is, and which numbers it is applied to."""
    names = {variable: f"input {i}" for i, variable in enumerate(graph.inputs)}

    def name(variable: Any) -> str:
        number = number_of(variable)
        return names[variable] if number is None else repr(number)

    lines = []
    for i, node in enumerate(graph.toposort()):
        lines.append(f"{type(node.op).__name__} {node.op} {', '.join(map(name, node.inputs))}")
        names[node.outputs[0]] = f"number {i}"
    return "\n".join([*lines, *map(name, graph.outputs)])
