"""System: a physiological model as one frozen declaration, and the records it is made of.

A system states what its states are, how they change (``rhs``), where they start (``initial``),
which inputs drive it and how each is read from a subject, which doses enter where, and which
outputs are measured. Everything is plain arithmetic over named fields, so that the same functions
run on floats, NumPy arrays, PyTensor scalars and dimensional quantities. A system knows no solver,
no prior sampler and no PyMC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from hepaflux.parameter import Fixed, Parameter, Prior
from hepaflux.units import UnitError, conversion_factor


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


@dataclass(frozen=True, eq=False)
class Curve:
    """A function of time, linear between its points and constant outside them.

    Attributes
    ----------
    time : array (point,), min
        Strictly increasing.
    value : array (point,)
        In the unit of the input.
    """

    time: np.ndarray
    value: np.ndarray

    def __call__(self, time: Any) -> Any:
        """Return the value at one or many times."""
        return np.interp(time, self.time, self.value)


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


@dataclass(frozen=True)
class Output:
    """Something measured.

    Attributes
    ----------
    name, unit, meaning : str
        Name of the variable in the inference data.
    analyte : str
        The analyte of the study that measures it.
    value : callable (y, p, u) -> value
        The noise-free value.
    uses : callable (array of min since the first dose) -> array of bool
        Which samples enter the likelihood.
    cv : Prior
        Coefficient of variation of the measurement; fixed at the assay's where the samples are
        too few to tell it from the flexibility of the model.
    floor : float
        Standard deviation of the measurement at low values, in ``unit``.
    """

    name: str
    unit: str
    meaning: str
    analyte: str
    value: Callable[[Any, Any, Any], Any]
    uses: Callable[[np.ndarray], np.ndarray]
    cv: Prior
    floor: float


@dataclass(frozen=True)
class Derived:
    """A quantity computed from parameters and constant inputs.

    Attributes
    ----------
    name, unit, meaning : str
        Name of the variable in the inference data.
    value : callable (p, u) -> value
        Plain arithmetic.
    """

    name: str
    unit: str
    meaning: str
    value: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Option:
    """A named modeling choice with its default.

    Attributes
    ----------
    name, meaning : str
        What the choice is about.
    default : Any
        The value used when nothing is said.
    choices : tuple of str
        The words it may take; empty if it is a number or a sequence of numbers.
    unit : str
        If not empty, a quantity in (or convertible to) this unit is accepted as well.
    substance : str
        The substance the quantity measures.
    """

    name: str
    meaning: str
    default: Any
    choices: tuple[str, ...] = ()
    unit: str = ""
    substance: str = ""

    def parse(self, value: Any, insulin_factor: float) -> Any:
        """Return a valid value of this option from a word, a number or a quantity as text.

        Raises
        ------
        ValueError
            If the value is none of what the option takes.
        """
        if value == self.default or (isinstance(value, str) and value in self.choices):
            return value
        if isinstance(self.default, str) and not self.unit:
            raise ValueError(self._refusal(value))
        try:
            return self._number(value, insulin_factor)
        except (ValueError, UnitError) as error:
            raise ValueError(self._refusal(value)) from error

    def _number(self, value: Any, insulin_factor: float) -> Any:
        if isinstance(value, (tuple, list)):
            return tuple(float(part) for part in value)
        if not isinstance(value, str):
            return float(value)
        words = value.split()
        if len(words) == 2 and self.unit:
            factor = conversion_factor(
                words[1], self.unit, substance=self.substance, insulin_factor=insulin_factor
            )
            return float(words[0]) * factor
        numbers = tuple(float(word) for word in value.replace(",", " ").split())
        return numbers[0] if len(numbers) == 1 else numbers

    def _refusal(self, value: Any) -> str:
        allowed = list(self.choices)
        if self.unit:
            allowed.append(f"a quantity in {self.unit}")
        elif not self.choices:
            allowed.append("a number or a list of numbers")
        return f"option {self.name} must be {' or '.join(allowed)}, but is {value!r}"


Settings = Mapping[str, Any]


def default_settings(options: tuple[Option, ...]) -> Settings:
    """Return the default of each option."""
    return MappingProxyType({option.name: option.default for option in options})


@dataclass(frozen=True, eq=False)
class System:
    """A physiological model: equations, unknowns, inputs, outputs, options.

    Attributes
    ----------
    name, title : str
        Short name, and what the model is.
    equations : tuple of str
        As a reader would write them.
    references : tuple of str
        The papers.
    states, parameters, inputs, doses, outputs, derived
        The records above.
    rhs : callable (t, y, p, u) -> states
        Time derivative. ``y``, ``p`` and ``u`` have the declared names as fields.
    initial : callable (p, u) -> states
        The state at the first dose (or the first sample, if there is no dose).
    options : tuple of Option
        Modeling choices; ``settings`` holds the chosen values.
    declare : callable (settings) -> System
        Declares the system anew under other settings.
    adapt : callable (settings, study) -> settings
        Completes settings that depend on the study's protocol.
    conventions : tuple of str
        Sentences for the documentation and for each run's record.
    """

    name: str
    title: str
    equations: tuple[str, ...]
    references: tuple[str, ...]
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rhs: Callable[[Any, Any, Any, Any], Any]
    initial: Callable[[Any, Any], Any]
    doses: tuple[DoseChannel, ...] = ()
    derived: tuple[Derived, ...] = ()
    options: tuple[Option, ...] = ()
    settings: Settings = field(default_factory=dict)
    declare: "Callable[[Settings], System] | None" = None
    adapt: Callable[[Settings, Any], Settings] | None = None
    conventions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself."""
        records: tuple[Any, ...] = (
            *self.states,
            *self.parameters,
            *self.inputs,
            *self.derived,
        )
        names = [record.name for record in records if record not in self.states]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"system {self.name!r} declares {', '.join(repeated)} twice")
        for record in (*records, *self.outputs):
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
        assays = {f"{output.name}_cv": output for output in self.outputs}
        for name in priors.keys() - assays.keys():
            if (self.parameter(name).prior.support == "simplex") != (
                priors[name].support == "simplex"
            ):
                raise ValueError(f"the prior of {name!r} must keep the parameter's dimension")
        parameters = tuple(replace(p, prior=priors.get(p.name, p.prior)) for p in self.parameters)
        outputs = tuple(
            replace(output, cv=priors.get(name, output.cv)) for name, output in assays.items()
        )
        return replace(self, parameters=parameters, outputs=outputs)

    def with_options(self, *, insulin_factor: float = 6.0, **changes: Any) -> "System":
        """Return the system declared anew under other options; changed priors are kept.

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
                there = ", ".join(known) or "none"
                raise KeyError(f"system {self.name!r} has no option {name!r}; it has {there}")
        values = {k: known[k].parse(v, insulin_factor) for k, v in changes.items()}
        return self._redeclared(MappingProxyType({**self.settings, **values}))

    def for_study(self, study: Any) -> "System":
        """Return the system with the settings that the study's protocol determines."""
        if self.adapt is None:
            return self
        return self._redeclared(self.adapt(self.settings, study))

    def _redeclared(self, settings: Settings) -> "System":
        if self.declare is None or dict(settings) == dict(self.settings):
            return self
        before, fresh = self.declare(self.settings).priors, self.declare(settings)
        changed = {name: prior for name, prior in self.priors.items() if before[name] != prior}
        return fresh.with_priors(**{k: v for k, v in changed.items() if k in fresh.priors})

    @property
    def priors(self) -> dict[str, Prior]:
        """Return the prior of each parameter and of each output's coefficient of variation."""
        own = {p.name: p.prior for p in self.parameters}
        return own | {f"{output.name}_cv": output.cv for output in self.outputs}

    @property
    def unknowns(self) -> tuple[Parameter, ...]:
        """Return the parameters that are not fixed."""
        return tuple(p for p in self.parameters if not isinstance(p.prior, Fixed))


def fields_type(title: str, names: tuple[str, ...] | list[str]) -> Any:
    """Return a NamedTuple type with the given field names, for ``y``, ``p`` and ``u``."""
    return NamedTuple(title, [(name, Any) for name in names])
