"""Signals: by what one system can drive another, and which input of it a signal drives.

A signal is what a system lists as such, a flux, or a derived quantity that is constant. It drives
an input of the same unit in another system of the same body; ``composition`` makes one system of
the two.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hepaflux.systems.option import Option
from hepaflux.systems.renaming import public_names
from hepaflux.systems.system import Derived, Flux, Input, System
from hepaflux.units import UnitError, conversion_factor

Shared = Mapping[str, str | tuple[str, ...]]
"""Signals by name, each with the input or the inputs that it drives."""


@dataclass(frozen=True)
class Link:
    """A signal of one side that drives an input of the other.

    Attributes
    ----------
    maker, taker : int
        Places of the sides: 0 or 1.
    signal : Flux or Derived
        What drives.
    name : str
        The input.
    """

    maker: int
    taker: int
    signal: Flux | Derived
    name: str


def signals_of(system: System) -> dict[str, Flux | Derived]:
    """Return everything by which a system can drive another, by name."""
    constant = tuple(derived for derived in system.derived if not derived.at_end)
    offered: tuple[Flux | Derived, ...] = (*constant, *system.fluxes, *system.signals)
    return {signal.name: signal for signal in offered}


def links_of(sides: tuple[System, System], shared: Shared) -> Iterator[Link]:
    """Yield what drives what; ``shared`` as for ``compose``."""
    driven = set()
    if not shared:
        raise ValueError("systems are composed by a signal that they share; name one at least")
    for signal, names in shared.items():
        for name in (names,) if isinstance(names, str) else names:
            link = _link(sides, signal, name)
            if (link.taker, name) in driven:
                raise ValueError(f"input {name} would be driven twice; remove one of the signals")
            driven.add((link.taker, name))
            yield link


def _link(sides: tuple[System, System], signal: str, name: str) -> Link:
    """Return the one way in which a signal can drive an input."""
    of, _, bare = signal.rpartition(".")
    offers = [signals_of(side) if of in ("", side.name) else {} for side in sides]
    inputs = [{u.name: u for u in side.inputs} for side in sides]
    makers = [i for i in (0, 1) if bare in offers[i]]
    takers = [i for i in (0, 1) if name in inputs[i]]
    if not makers:
        raise KeyError(f"no signal {signal!r}; {_listed(sides, [list(o) for o in offers])}")
    if not takers:
        raise KeyError(f"no input {name!r}; {_listed(sides, [list(u) for u in inputs])}")
    ways = [(maker, taker) for maker in makers for taker in takers if maker != taker]
    if not ways:
        raise ValueError(
            f"a circle: {signal} and {name} both belong to {sides[makers[0]].name}, which cannot"
            " drive itself"
        )
    if len(ways) > 1:
        raise ValueError(f"both systems have {bare}; write {sides[0].name}.{bare}, or the other's")
    ((maker, taker),) = ways
    link = Link(maker, taker, offers[maker][bare], name)
    _check_units(link, inputs[taker][name])
    return link


def _listed(sides: tuple[System, System], names: list[list[str]]) -> str:
    told = zip(sides, names, strict=True)
    return "; ".join(f"{side.name} has {', '.join(there) or 'none'}" for side, there in told)


def _check_units(link: Link, driven: Input) -> None:
    if driven.axis:
        raise ValueError(f"input {driven.name} is one curve per {driven.axis}; no signal can be")
    try:
        fits = abs(conversion_factor(link.signal.unit, driven.unit) - 1) < 1e-9
    except UnitError:
        fits = False
    if not fits:
        raise ValueError(
            f"signal {link.signal.name} is in {link.signal.unit}, but input {driven.name} in"
            f" {driven.unit}; a signal has the unit of what it drives"
        )


def check_parts(first: System, second: System) -> None:
    """Refuse a system that is in both."""
    twice = sorted(set(first.name.split("+")) & set(second.name.split("+")))
    if twice:
        raise ValueError(
            f"a circle: {', '.join(twice)} is in both {first.name} and {second.name}; a body has"
            " a system once"
        )


def common(first: System, second: System) -> frozenset[str]:
    """Return the parameters that both declare alike: one quantity, which one body has once."""
    return frozenset(p.name for p in first.parameters if p in second.parameters)


def check_names(first: System, second: System) -> None:
    """Refuse what would make one name stand for two things."""
    both = sorted(public_names(first) & public_names(second) - common(first, second))
    if both:
        raise ValueError(
            f"{first.name} and {second.name} both have {', '.join(both)}; choose options under"
            " which only one has it, or give one of them other names by systems.renaming.renamed"
        )
    others = {option.name: option for option in second.options}
    for option in first.options:
        other = others.get(option.name, option)
        if _taken(option) != _taken(other):
            raise ValueError(f"option {option.name} of {first.name} and {second.name} differ")
        chosen = first.settings[option.name]
        if chosen != second.settings.get(option.name, chosen):
            raise ValueError(
                f"option {option.name} is {chosen!r} in {first.name}, but"
                f" {second.settings[option.name]!r} in {second.name}; set it alike in both"
            )


def _taken(option: Option) -> tuple[Any, ...]:
    return option.default, option.choices, option.unit, option.substance
