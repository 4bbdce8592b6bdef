"""Condition: a state of health, as reported values of a system's parameters and choices.

A system declares its conditions beside its equations: what is different in a disease, and who
reported it. ``System.in_condition`` puts the priors around these values, so that the same
declaration simulates a typical person in that state of health and fits one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isclose, nan
from types import MappingProxyType
from typing import Any

from hepaflux.parameter import center


@dataclass(frozen=True)
class Reported:
    """A value, and who reported it.

    Attributes
    ----------
    value : float
        In the unit of the parameter.
    source : str
        The paper and the place in it, or what the value is derived from.
    verified : bool
        Whether it was compared with its source; if not, it carries a mark wherever it is shown.
    """

    value: float
    source: str
    verified: bool = True

    def __post_init__(self) -> None:
        """Refuse a value that nobody stands for."""
        if not self.source.strip():
            raise ValueError(f"a reported value must have a source, but {self.value:g} has none")


@dataclass(frozen=True)
class Condition:
    """A state of health in which a system can be.

    Attributes
    ----------
    name, meaning : str
        Short name, such as ``"t2d"``, and who is meant.
    values : mapping of str to Reported
        Parameters that are stated for it, by name; the others keep their priors.
    settings : mapping of str to Any
        Options of the system that belong to it.
    weight : float, kg
        Mean body weight of the people it was reported for; NaN if that is not known.
    """

    name: str
    meaning: str
    values: Mapping[str, Reported] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    weight: float = float("nan")

    def __post_init__(self) -> None:
        """Freeze the mappings and refuse a condition without a meaning."""
        if not self.name.strip() or not self.meaning.strip():
            raise ValueError(f"condition {self.name!r} must have a name and a meaning")
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the sources of its values, each once."""
        return tuple(dict.fromkeys(reported.source for reported in self.values.values()))

    def differing(self, reference: Mapping[str, float]) -> tuple[str, ...]:
        """Return the names of its values that are not those of a reference.

        Parameters
        ----------
        reference : mapping of str to float
            Such as the centers of the system's priors.
        """
        values = ((name, reported.value) for name, reported in self.values.items())
        return tuple(n for n, value in values if not isclose(value, reference.get(n, nan)))

    @property
    def unverified(self) -> tuple[str, ...]:
        """Return the names of the values that nobody compared with their source."""
        return tuple(name for name, reported in self.values.items() if not reported.verified)


def reported(
    values: Mapping[str, float], source: str, *, verified: bool = True
) -> dict[str, Reported]:
    """Return values that share one source."""
    return {name: Reported(value, source, verified) for name, value in values.items()}


def parameters_under_any_option(system: Any) -> dict[str, Any]:
    """Return the parameters of a system by name, also those that only another option brings.

    A state of health may state values for options that are not chosen.
    """
    found: dict[str, Any] = {}
    others = (
        system.with_options(**{option.name: choice})
        for option in system.options
        for choice in option.choices
    )
    for chosen in (system, *others):
        for parameter in chosen.parameters:
            found.setdefault(parameter.name, parameter)
    return found


def usual_values(system: Any) -> dict[str, float]:
    """Return the center of each prior of a system, under any of its options."""
    return {n: center(p.prior) for n, p in parameters_under_any_option(system).items()}
