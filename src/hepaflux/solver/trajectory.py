"""Trajectory: a system integrated for one subject, the plain door to the solver."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hepaflux.parameter import Fixed
from hepaflux.solver.machine_code import callable_kernel
from hepaflux.solver.program import columns, compile_equations, widths
from hepaflux.solver.protocol import build_protocol, curve_names, has_infusions, read_inputs
from hepaflux.study.study import Subject
from hepaflux.systems.system import System


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What a solve returns.

    Attributes
    ----------
    time : array (time,), min
        As asked for.
    states : dict of str to array (time,)
        By state; NaN if the solve failed.
    sensitivities : dict of (str, str) to array (time,)
        Derivative of a state with respect to a parameter; pairs that are zero are absent.
    failed : bool
        Whether the solver gave up.
    """

    time: np.ndarray
    states: dict[str, np.ndarray]
    sensitivities: dict[tuple[str, str], np.ndarray]
    failed: bool


def solve(
    system: System,
    parameters: Mapping[str, Any],
    subject: Subject,
    *,
    times: Any,
    rtol: float = 1e-8,
    atol: float = 1e-8,
    integrator: str | None = None,
) -> Trajectory:
    """Integrate a system over the given times.

    Parameters
    ----------
    system : System
        With its final settings (see ``System.for_study``).
    parameters : mapping of str to float or sequence
        One entry per parameter without a ``Fixed`` prior; canonical units.
    subject : Subject
        Gives the inputs and the doses.
    times : array (time,), min
        Strictly increasing. A time equal to that of a dose shows the state before it.
    rtol, atol : float
        Relative tolerance; absolute tolerance in units of each state's scale.
    integrator : str, optional
        ``explicit`` or ``implicit``; else the one that the system declares.

    Returns
    -------
    Trajectory

    Raises
    ------
    ValueError
        If the times do not increase or a parameter is missing.
    """
    wanted = np.atleast_1d(np.asarray(times, dtype=float))
    if np.any(np.diff(wanted) <= 0):
        raise ValueError("times must increase strictly")
    system = system.with_integrator(integrator)
    inputs = read_inputs(system, subject)
    program = compile_equations(
        system, curve_names=curve_names(inputs), infused=has_infusions(system, [subject])
    )
    theta = _theta(system, parameters, program.layout.theta)
    protocol = build_protocol(system, program.layout, [subject], [wanted])
    states, sensitivities = callable_kernel(program)(
        theta[None], protocol.constants, protocol.table, protocol.rows, np.array([rtol, atol])
    )
    layout = program.layout
    pairs = [(layout.states[i], layout.theta[j]) for i, j in layout.active]
    return Trajectory(
        time=wanted,
        states=dict(zip(layout.states, states.T, strict=True)),
        sensitivities=dict(zip(pairs, sensitivities.T, strict=True)),
        failed=bool(np.isnan(states).any()),
    )


def _theta(system: System, parameters: Mapping[str, Any], order: tuple[str, ...]) -> np.ndarray:
    missing = [p.name for p in system.unknowns if p.name not in parameters]
    if missing:
        fixed = [p.name for p in system.parameters if isinstance(p.prior, Fixed)]
        raise ValueError(
            f"parameters must give {', '.join(missing)}"
            f" (fixed ones are {', '.join(fixed) or 'none'})"
        )
    by_column: dict[str, float] = {}
    for name, width in widths(system).items():
        if name in parameters:
            values = np.atleast_1d(np.asarray(parameters[name], dtype=float))
            by_column |= dict(zip(columns(name, width), values, strict=True))
    return np.array([by_column[column] for column in order])
