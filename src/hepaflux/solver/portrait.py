"""Portrait: where a system goes from several starts, and where it rests.

A system whose inputs are constant moves through the space of its states without memory, so that its
courses from several starts and its points of rest say all of it. Starts are any states, not those
that ``initial`` gives. Starts and parameters are data here: one compilation serves all states of
health, and nothing is differentiated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from scipy.optimize import root

from hepaflux.solver.trajectory import solve
from hepaflux.study.study import Samples, StudyError, Subject
from hepaflux.systems.system import Input, System, fields_type

POINTS = 200
"""Times of a course, more of them early."""

ALIKE = 1e-4
"""Points of rest that differ by less than this share of the scales are one."""

STILL = 1e-9
"""Rate in scales per minute below which a point rests."""

STEP = 1e-6
"""Share of its scale by which a state is moved to see what the rates do."""


def phase_portrait(
    system: System, starts: Sequence[Mapping[str, float]], *, minutes: float
) -> xr.DataTree:
    """Follow a system from several starts, and find where it rests.

    Parameters
    ----------
    system : System
        In a state of health: its parameters have the centers of their priors, and its inputs are
        constants that need no samples.
    starts : sequence of mapping of str to float
        States, in their units; those that are not named start as the system says.
    minutes : float
        How long each is followed.

    Returns
    -------
    DataTree
        ``courses`` with variables (start, minutes) and ``rests`` with variables (rest,), each with
        every state, output and flux; ``unit`` and ``meaning`` are in the attributes. ``stable``
        among the rests says whether what is near such a point comes back.

    Raises
    ------
    ValueError
        If the system has no states, an input that changes, or no state that a start names; or if a
        course cannot be followed.
    """
    moving = _Autonomous(system)
    times = np.concatenate([[0.0], np.geomspace(minutes / 1e4, minutes, POINTS - 1)])
    begins = [moving.start(start) for start in starts]
    courses = np.array([moving.follow(begin, times) for begin in begins])
    rests = moving.rests([*courses[:, -1], *begins])
    dims = ("start", "minutes")
    found = {
        "courses": moving.dataset(courses, dims).assign_coords(minutes=times),
        "rests": moving.dataset(np.reshape(rests, (-1, len(moving.names))), ("rest",)).assign(
            stable=("rest", np.array([moving.is_stable(y) for y in rests], dtype=bool))
        ),
    }
    return xr.DataTree.from_dict(found)


def ends(system: System, *, minutes: float) -> dict[str, dict[str, float]]:
    """Return where each state of health of a system leads, by its name; states in their units.

    One under whose options the system has other states is left out.
    """
    found = {}
    for condition in system.conditions:
        chosen = system.in_condition(condition.name)
        if [s.name for s in chosen.states] == [s.name for s in system.states]:
            moving = _Autonomous(chosen)
            last = moving.follow(moving.start({}), np.array([0.0, minutes]))[-1]
            found[condition.name] = dict(zip(moving.names, map(float, last), strict=True))
    return found


class _Autonomous:
    """The equations of a system with constant parameters and inputs, on arrays of its states."""

    def __init__(self, system: System):
        if system.rhs is None or system.initial is None:
            raise ValueError(f"system {system.name!r} has no states, so nothing moves in it")
        self.system = system
        self.names = [state.name for state in system.states]
        self.scales = np.array([state.scale for state in system.states])
        self.record: Any = fields_type("Y", self.names)
        self.p: Any = fields_type("P", list(system.centers))(**system.centers)
        inputs = constant_inputs(system)
        self.u: Any = fields_type("U", list(inputs))(**inputs)
        self.as_data = _as_data(system)

    def start(self, given: Mapping[str, float]) -> np.ndarray:
        unknown = sorted(set(given) - set(self.names))
        if unknown:
            there = ", ".join(self.names)
            raise ValueError(f"{unknown[0]!r} is no state of {self.system.name}; it has {there}")
        usual: Any = self.system.initial(self.p, self.u)  # type: ignore[misc]
        return np.array([given.get(n, getattr(usual, n)) for n in self.names], dtype=float)

    def rates(self, y: np.ndarray) -> np.ndarray:
        found: Any = self.system.rhs(0.0, self.record(*y), self.p, self.u)  # type: ignore[misc]
        return np.array([getattr(found, name) for name in self.names], dtype=float)

    def follow(self, begin: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Return the states at times, shape (time, state)."""
        name = self.system.name
        at_zero = Samples(times[:1], np.zeros(1), np.array(["none"]))
        data = dict(zip(map(started, self.names), map(float, begin), strict=True))
        data |= {held(n): value for n, value in self.p._asdict().items()}
        somebody = Subject(name, {"glucose": at_zero}, covariates=data)
        found = solve(self.as_data, {}, somebody, times=times)
        if found.failed:
            raise ValueError(f"{name} cannot be followed: a state leaves all bounds")
        return np.column_stack([found.states[state] for state in self.names])

    def rests(self, near: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the points of rest that are found from some states, each once."""
        found: list[np.ndarray] = []
        for guess in near:
            if any(np.abs((guess - y) / self.scales).max() < ALIKE for y in found):
                continue
            # On its way the search may leave what is possible, such as an amount below zero.
            with np.errstate(all="ignore"):
                solved = root(self._scaled_rates, guess / self.scales)
            rest = solved.x * self.scales
            still = solved.success and np.abs(self._scaled_rates(solved.x)).max() < STILL
            known = any(np.abs((rest - y) / self.scales).max() < ALIKE for y in found)
            if still and not known:
                found.append(rest)
        return found

    def _scaled_rates(self, x: np.ndarray) -> np.ndarray:
        return self.rates(x * self.scales) / self.scales

    def is_stable(self, rest: np.ndarray) -> bool:
        """Return whether every small push fades."""
        columns = []
        for i, scale in enumerate(self.scales):
            push = np.zeros_like(rest)
            push[i] = STEP * scale
            columns.append((self.rates(rest + push) - self.rates(rest - push)) / (2 * STEP * scale))
        return bool(np.linalg.eigvals(np.array(columns).T).real.max() < 0)

    def dataset(self, states: np.ndarray, dims: tuple[str, ...]) -> xr.Dataset:
        """Return every state, output and flux at states of shape (..., state)."""
        shape = states.shape[:-1]
        y = self.record(*np.moveaxis(states, -1, 0))
        plain = [o for o in self.system.outputs if not o.is_composition]
        read: list[Any] = [*plain, *self.system.fluxes]
        values: dict[str, tuple[Any, Any]] = {
            s.name: (s, getattr(y, s.name)) for s in self.system.states
        }
        values |= {r.name: (r, r.value(y, self.p, self.u)) for r in read}
        return xr.Dataset(
            {
                name: (dims, np.broadcast_to(value, shape), {"unit": r.unit, "meaning": r.meaning})
                for name, (r, value) in values.items()
            }
        )


def held(name: str) -> str:
    """Return the name of the input that holds a parameter."""
    return f"held_{name}"


def started(state: str) -> str:
    """Return the name of the input that holds where a state starts."""
    return f"start_{state}"


@dataclass(frozen=True)
class _Rates:
    """Rates of a system whose parameters are inputs; alike for all values, so compiled once."""

    rhs: Callable[[Any, Any, Any, Any], Any]
    names: tuple[str, ...]

    def __call__(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        values = (getattr(u, held(name)) for name in self.names)
        return self.rhs(t, y, fields_type("P", self.names)(*values), u)


@dataclass(frozen=True)
class _Start:
    """States that start where the inputs say."""

    names: tuple[str, ...]

    def __call__(self, p: Any, u: Any) -> Any:
        values = (getattr(u, started(name)) for name in self.names)
        return fields_type("Y", self.names)(*values)


def _as_data(system: System) -> System:
    """Return a system whose parameters and starts are inputs, read from covariates."""
    known = {held(p.name): (p.unit, p.meaning) for p in system.parameters}
    known |= {started(s.name): (s.unit, f"{s.meaning}, at the start") for s in system.states}
    inputs = tuple(Input(name, *about, _covariate(name)) for name, about in known.items())
    bare: dict[str, Any] = dict.fromkeys(("parameters", "outputs", "derived", "fluxes"), ())
    return replace(
        system,
        inputs=(*system.inputs, *inputs),
        rhs=_Rates(system.rhs, tuple(p.name for p in system.parameters)),  # type: ignore[arg-type]
        initial=_Start(tuple(state.name for state in system.states)),
        signals=(),
        **bare,
    )


def _covariate(name: str) -> Any:
    return lambda subject: subject.covariates[name]


def constant_inputs(system: System) -> dict[str, float]:
    """Return the inputs of a system that are constants for everyone.

    Raises
    ------
    ValueError
        If an input is read from samples or changes in time.
    """
    nobody, found = Subject("", {}), {}
    for read in system.inputs:
        try:
            value = read.read(nobody)
        except (StudyError, ValueError):
            value = None
        if not isinstance(value, int | float):
            raise ValueError(
                f"system {system.name!r} is driven by {read.name}, which must be constant here"
            )
        found[read.name] = float(value)
    return found
