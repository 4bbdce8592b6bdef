"""System: a physiological model as one frozen declaration, and the records it is made of.

A system states how its states change and start, which inputs and doses drive it, and which outputs
are measured, in plain arithmetic over named fields, so that the same functions run on floats,
arrays, PyTensor scalars and quantities with units. A system knows no solver and no PyMC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from hepaflux.parameter import Fixed, Parameter, Prior, center, centered, size_of
from hepaflux.systems.condition import Condition
from hepaflux.systems.curve import Curve as Curve
from hepaflux.systems.flux import Arrow as Arrow
from hepaflux.systems.flux import Flux as Flux
from hepaflux.systems.option import Option as Option
from hepaflux.systems.option import Settings as Settings
from hepaflux.systems.option import default_settings as default_settings


@dataclass(frozen=True)
class State:
    """One state variable.

    Attributes
    ----------
    name, unit, meaning : str
        The name is the field of ``y`` in the equations.
    scale : float
        A typical magnitude in ``unit``; the absolute tolerance of the solver is relative to it.
    """

    name: str
    unit: str
    meaning: str
    scale: float = 1.0


@dataclass(frozen=True)
class Input:
    """Something known that drives the system: a curve, a constant, or one curve per knot.

    Attributes
    ----------
    name, unit, meaning : str
        The name is the field of ``u`` in the equations.
    read : callable (subject) -> Curve, float or tuple of Curve
        How it is taken from a ``Subject``; raises ``StudyError`` if it is not there.
    axis : str
        Name of the dimension if the input is a tuple of curves; else empty.
    takes : tuple of (str, str)
        Substance and route of the doses that it reads; every other dose of a measured substance
        must have a channel, or the study is refused.
    """

    name: str
    unit: str
    meaning: str
    read: Callable[[Any], Any]
    axis: str = ""
    takes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DoseChannel:
    """Where a dose enters: a bolus adds ``amount x gain`` to the states, an infusion its rate.

    Attributes
    ----------
    what, route : str
        Which doses of the study it takes.
    unit : str
        Unit of the amount per kg of body weight.
    gain : callable (p, u) -> states
        Change of each state per unit of dose.
    """

    what: str
    route: str
    unit: str
    gain: Callable[[Any, Any], Any]


def every(minutes: np.ndarray) -> np.ndarray:
    """Return that every sample enters the likelihood."""
    return np.ones_like(minutes, dtype=bool)


def after_dose(minutes: np.ndarray) -> np.ndarray:
    """Return that the samples after the first dose enter the likelihood."""
    return minutes > 0


@dataclass(frozen=True)
class Output:
    """Something measured.

    Attributes
    ----------
    name, unit, meaning : str
        Name of the variable in the inference data.
    analyte : str or tuple of str
        The analyte of the study that measures it. A tuple is a composition, such as the ions of a
        fatty acid: only the ratios of the values are measured.
    value : callable (y, p, u) -> value
        The noise-free value; of a composition one value per analyte, on any common scale. ``u``
        has all inputs, curves at the time of the sample.
    cv : Prior
        Coefficient of variation of the measurement; fixed at the assay's where the samples are
        too few to tell it from the flexibility of the model.
    floor : float
        Standard deviation of the measurement at low values, in ``unit``.
    uses : callable (array of min since the first dose) -> array of bool
        Which samples enter the likelihood; all of them if not given.
    axis : str
        Name of the dimension of a composition; else empty.
    required : bool
        Whether a subject without the analyte is refused; else it is fitted without this output.
    prefix : str
        Put before the names under which the parts of a composition are stored.
    """

    name: str
    unit: str
    meaning: str
    analyte: str | tuple[str, ...]
    value: Callable[[Any, Any, Any], Any]
    cv: Prior
    floor: float
    uses: Callable[[np.ndarray], np.ndarray] = every
    axis: str = ""
    required: bool = True
    prefix: str = ""

    @property
    def analytes(self) -> tuple[str, ...]:
        """Return the analytes that measure it."""
        return self.analyte if isinstance(self.analyte, tuple) else (self.analyte,)

    @property
    def is_composition(self) -> bool:
        """Return whether it is measured in parts of which only the ratios are known."""
        return isinstance(self.analyte, tuple)

    @property
    def error(self) -> str:
        """Return the name of the parameter of its measurement error."""
        return f"{self.name}_sd" if self.is_composition else f"{self.name}_cv"

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the names under which its values are stored: its own, or those of its parts."""
        parts = tuple(f"{self.prefix}{analyte}" for analyte in self.analytes)
        return parts if self.is_composition else (self.name,)


@dataclass(frozen=True)
class Derived:
    """A quantity computed from parameters and constant inputs.

    Attributes
    ----------
    name, unit, meaning : str
        Name of the variable in the inference data.
    value : callable (p, u) -> value, or (p, u, y) -> value if ``at_end``
        Plain arithmetic.
    at_end : bool
        Whether it depends on the states at the last sample that enters the likelihood.
    """

    name: str
    unit: str
    meaning: str
    value: Callable[..., Any]
    at_end: bool = False


@dataclass(frozen=True, eq=False)
class System:
    """A physiological model: equations, unknowns, inputs, outputs, options.

    Attributes
    ----------
    name, title : str
        Short name, and what the model is.
    equations, references : tuple of str
        As a reader would write them, and the papers.
    states, parameters, inputs, doses, outputs, derived, fluxes, signals
        The records above. A system without states is algebraic: its outputs are functions of
        parameters and inputs. Signals are fluxes for ``compose`` alone, and not stored.
    rhs : callable (t, y, p, u) -> states
        Time derivative. ``y``, ``p`` and ``u`` have the declared names as fields. None without
        states.
    initial : callable (p, u) -> states
        The state at the first dose (or the first sample, if there is no dose). None without states.
    leading : tuple of str
        The parameters that a fit is made for: what differs between groups is said of these and of
        what is derived.
    rests_on : mapping of str to tuple of str
        By result, the parameters that it trades off with: what the data determine is them together,
        so that the result is conditional on the priors of these.
    conditions : tuple of Condition
        States of health, each with the values that are reported for it.
    treatments : tuple of Condition
        What can be done from time 0 on, as values of parameters that say nothing of a person.
    options : tuple of Option
        Modeling choices; ``settings`` holds the chosen values.
    declare : callable (settings) -> System
        Declares the system anew under other settings.
    adapt : callable (settings, study) -> settings
        Completes settings that depend on the study's protocol.
    around : mapping of str to float
        Values of a state of health, around which the priors lie under any settings.
    conventions : tuple of str
        Sentences for the documentation and for each run's record.
    begin : float, min
        When integration begins at the latest; else with the first dose or sample.
    integrator : str
        ``explicit``, or ``implicit`` where some states settle far faster than others.
    """

    name: str
    title: str
    equations: tuple[str, ...]
    references: tuple[str, ...]
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rhs: Callable[[Any, Any, Any, Any], Any] | None = None
    initial: Callable[[Any, Any], Any] | None = None
    doses: tuple[DoseChannel, ...] = ()
    derived: tuple[Derived, ...] = ()
    fluxes: tuple[Flux, ...] = ()
    signals: tuple[Flux, ...] = ()
    leading: tuple[str, ...] = ()
    rests_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    treatments: tuple[Condition, ...] = ()
    options: tuple[Option, ...] = ()
    settings: Settings = field(default_factory=dict)
    declare: "Callable[[Settings], System] | None" = None
    adapt: Callable[[Settings, Any], Settings] | None = None
    around: Mapping[str, float] = field(default_factory=dict)
    conventions: tuple[str, ...] = ()
    begin: float = float("inf")
    integrator: str = "explicit"

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself."""
        if self.integrator not in INTEGRATORS:
            known = " or ".join(INTEGRATORS)
            raise ValueError(f"integrator must be {known}, not {self.integrator!r}")
        named: tuple[Any, ...] = (*self.parameters, *self.inputs, *self.derived, *self.fluxes)
        if bool(self.states) != (self.rhs is not None and self.initial is not None):
            raise ValueError(f"system {self.name!r} must have states, rhs and initial, or none")
        names = [record.name for record in named]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"system {self.name!r} declares {', '.join(repeated)} twice")
        for record in (*self.states, *named, *self.outputs, *self.signals):
            if not record.unit or not record.meaning:
                raise ValueError(f"{record.name!r} of {self.name!r} must have a unit and a meaning")

    def parameter(self, name: str) -> Parameter:
        """Return the parameter called ``name``, or raise ``KeyError`` with the known names."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = ", ".join(self.priors)
        raise KeyError(f"system {self.name!r} has no parameter {name!r}; it has {known}")

    def with_priors(self, **priors: Prior) -> "System":
        """Return the system with other priors.

        Raises
        ------
        KeyError
            If a name is no parameter of this system.
        ValueError
            If a vector-valued parameter would get a scalar prior, or the other way round.
        """
        assays = {output.error: output for output in self.outputs}
        for name in priors.keys() - assays.keys():
            if size_of(self.parameter(name).prior) != size_of(priors[name]):
                raise ValueError(f"the prior of {name!r} must keep the parameter's dimension")
        parameters = tuple(replace(p, prior=priors.get(p.name, p.prior)) for p in self.parameters)
        outputs = tuple(
            replace(output, cv=priors.get(name, output.cv)) for name, output in assays.items()
        )
        return replace(self, parameters=parameters, outputs=outputs)

    def condition(self, name: str) -> Condition:
        """Return the state of health called ``name``, or raise ``KeyError`` with the known ones."""
        for condition in self.conditions:
            if condition.name == name:
                return condition
        known = ", ".join(condition.name for condition in self.conditions) or "none"
        raise KeyError(f"system {self.name!r} has no state of health {name!r}; it has {known}")

    def in_condition(self, name: str) -> "System":
        """Return the system with its options and the centers of its priors as in a state of health.

        Raises
        ------
        KeyError
            If there is no such condition; the message lists those there are.
        """
        condition = self.condition(name)
        chosen = self.with_options(**condition.settings)
        return chosen._around({n: reported.value for n, reported in condition.values.items()})

    def _around(self, values: Mapping[str, float]) -> "System":
        moved = {n: centered(p, values[n]) for n, p in self.priors.items() if n in values}
        values = MappingProxyType({**self.around, **values})
        return replace(self.with_priors(**moved), around=values)

    def with_integrator(self, integrator: str | None) -> "System":
        """Return the system with an ``explicit`` or ``implicit`` integrator; as it is for None."""
        return self if integrator is None else replace(self, integrator=integrator)

    def with_options(
        self, *, insulin_factor: float = 6.0, integrator: str | None = None, **changes: Any
    ) -> "System":
        """Return the system under other options; state of health and stated priors are kept.

        Every system with states takes ``integrator``, explicit or implicit.

        Raises
        ------
        KeyError
            If there is no such option; the message lists those there are.
        ValueError
            If an option does not take the value.
        """
        known = {option.name: option for option in self.options}
        for name in changes:
            if name not in known:
                also = ("integrator",) if self.states else ()
                there = ", ".join((*known, *also)) or "none"
                raise KeyError(f"system {self.name!r} has no option {name!r}; it has {there}")
        values = {k: known[k].parse(v, insulin_factor) for k, v in changes.items()}
        chosen = self._redeclared(MappingProxyType({**self.settings, **values}))
        return chosen.with_integrator(integrator)

    def for_study(self, study: Any) -> "System":
        """Return the system with the settings that the study's protocol determines."""
        if self.adapt is None:
            return self
        return self._redeclared(self.adapt(self.settings, study))

    def _redeclared(self, settings: Settings) -> "System":
        if self.declare is None or dict(settings) == dict(self.settings):
            return self
        before, fresh = (self.declare(s)._around(self.around) for s in (self.settings, settings))
        was, there = before.priors, fresh.priors
        kept = {k: v for k, v in self.priors.items() if v != was[k] and k in there}
        chosen = self.integrator if self.integrator != before.integrator else None
        return fresh.with_priors(**kept).with_integrator(chosen)

    @property
    def priors(self) -> dict[str, Prior]:
        """Return the prior of each parameter and of each output's coefficient of variation."""
        own = {p.name: p.prior for p in self.parameters}
        return own | {output.error: output.cv for output in self.outputs}

    @property
    def centers(self) -> dict[str, float]:
        """Return the median of each scalar parameter's prior, or its value if it is fixed."""
        return {p.name: center(p.prior) for p in self.parameters if not size_of(p.prior)}

    @property
    def unknowns(self) -> tuple[Parameter, ...]:
        """Return the parameters that are not fixed."""
        return tuple(p for p in self.parameters if not isinstance(p.prior, Fixed))


INTEGRATORS = ("explicit", "implicit")
"""How the states can be followed in time."""


def fields_type(title: str, names: tuple[str, ...] | list[str]) -> Any:
    """Return a NamedTuple type with the given field names, for ``y``, ``p`` and ``u``."""
    return _record_type(title, tuple(names))


@cache
def _record_type(title: str, names: tuple[str, ...]) -> Any:
    return NamedTuple(title, [(name, Any) for name in names])
