"""Composition: two systems of one body, in which what one makes is an input of the other.

A system reads what drives it from a subject: insulin as it was measured, for example. Where another
system describes the same quantity, that one can drive it instead: insulin of the portal vein, which
nobody measures, comes from secretion and acts on production. Each side keeps its own equations,
options and states of health; only where an input comes from is changed. A signal may go either
way, so that glucose of one side drives secretion of the other while insulin goes back. A side may
itself be composed, so that a loop closes through any number of systems.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from hepaflux.parameter import Parameter
from hepaflux.systems.condition import Condition
from hepaflux.systems.option import Settings
from hepaflux.systems.renaming import View
from hepaflux.systems.signals import Link, Shared, check_names, check_parts, common, links_of
from hepaflux.systems.system import (
    INTEGRATORS,
    Derived,
    DoseChannel,
    Input,
    State,
    System,
    fields_type,
)


def compose(first: System, second: System, shared: Shared) -> System:
    """Return one system of two, in which signals of one are inputs of the other.

    Parameters
    ----------
    first, second : System
        What is public of the second comes first: it is what the whole is made for.
    shared : mapping of str to str or tuple of str
        Signals by name, each with the input or inputs that it drives. A signal is what a system
        lists as such, a flux, or a derived quantity that is constant. ``extraction.ISR`` is that
        of one system, where both have the name.

    Returns
    -------
    System
        States, unknowns, outputs, options and states of health of both. The inputs that are driven
        are no longer read from the subject. States and inputs of which both have the name get that
        of their system before it. A parameter that both declare alike is one.

    Raises
    ------
    KeyError
        If there is no such signal or input; the message lists those there are.
    ValueError
        If units differ, both systems use a name for something that is reported, an input would be
        driven twice, or a system would drive itself.
    """
    check_parts(first, second)
    check_names(first, second)
    whole = Composition(first, second, tuple(links_of((first, second), shared)))
    return whole.declare(dict(shared))


class Composition:
    """Two systems, and how each of their functions sees the records of the whole.

    Attributes
    ----------
    sides : (System, System)
        The two.
    links : tuple of Link
        Which inputs are driven by what.
    """

    def __init__(self, first: System, second: System, links: tuple[Link, ...]):
        self.sides = (first, second)
        self.links = {(link.taker, link.name): link for link in links}
        self.state_names = self._distinct([[s.name for s in side.states] for side in self.sides])
        self.input_names = self._distinct(
            [
                [u.name for u in side.inputs if (i, u.name) not in self.links]
                for i, side in enumerate(self.sides)
            ]
        )
        self.record = fields_type("States", [state.name for state in self.states])

    def _distinct(self, names: list[list[str]]) -> list[dict[str, str]]:
        """Return a new name for each name that both sides have, by side."""
        both = set(names[0]) & set(names[1])
        prefixes = [side.name.replace("+", "_") for side in self.sides]
        return [
            {name: f"{prefix}_{name}" for name in own if name in both}
            for prefix, own in zip(prefixes, names, strict=True)
        ]

    @property
    def states(self) -> tuple[State, ...]:
        """Return the states of both sides."""
        named = zip(self.sides, self.state_names, strict=True)
        return tuple(
            replace(s, name=names.get(s.name, s.name)) for side, names in named for s in side.states
        )

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Return the inputs that are still read from the subject; the second side's first."""
        return tuple(
            replace(u, name=self.input_names[i].get(u.name, u.name))
            for i in (1, 0)
            for u in self.sides[i].inputs
            if (i, u.name) not in self.links
        )

    def rhs(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        """Return the time derivative of all states."""
        body = Body(self, y, p, u)
        rates = (
            side.rhs(t, body.states[i], p, body.inputs[i])
            for i, side in enumerate(self.sides)
            if side.rhs is not None
        )
        return self.record(*chain.from_iterable(rates))

    def initial(self, p: Any, u: Any) -> Any:
        """Return where all states start."""
        body = Body(self, None, p, u, at_start=True)
        starts = (body.states[i] for i, side in enumerate(self.sides) if side.states)
        return self.record(*chain.from_iterable(starts))

    def of_states(self, function: Callable[..., Any], side: int) -> Callable[..., Any]:
        """Return a function (y, p, u) of one side as one of the whole."""

        def of_whole(y: Any, p: Any, u: Any) -> Any:
            body = Body(self, y, p, u)
            return function(body.states[side], p, body.inputs[side])

        return of_whole

    def derived(self, derived: Derived, side: int) -> Derived:
        """Return a derived quantity of one side as one of the whole."""

        def at_end(p: Any, u: Any, y: Any) -> Any:
            body = Body(self, y, p, u)
            return derived.value(p, body.inputs[side], body.states[side])

        def constant(p: Any, u: Any) -> Any:
            return derived.value(p, Body(self, None, p, u).inputs[side])

        return replace(derived, value=at_end if derived.at_end else constant)

    def channel(self, channel: DoseChannel, side: int) -> DoseChannel:
        """Return a dose channel of one side as one that leaves the states of the other alone."""

        def gain(p: Any, u: Any) -> Any:
            own = channel.gain(p, Body(self, None, p, u).inputs[side])
            both: list[tuple[Any, ...]] = [(0.0,) * len(s.states) for s in self.sides]
            both[side] = tuple(own)
            return self.record(*chain.from_iterable(both))

        return replace(channel, gain=gain)

    def each(self, name: str) -> Iterator[tuple[int, Any]]:
        """Yield the records of one kind with their side; the second side's first."""
        for side in (1, 0):
            yield from ((side, record) for record in getattr(self.sides[side], name))

    def only_first(self) -> Iterator[Parameter]:
        """Yield the parameters of the first side that the second does not have, too."""
        first, second = self.sides
        return (p for p in first.parameters if p.name not in common(first, second))

    def sentences(self) -> tuple[str, ...]:
        """Say what drives what."""
        return tuple(
            f"{link.name} of {self.sides[link.taker].name} = {link.signal.name} of"
            f" {self.sides[link.maker].name}"
            for link in self.links.values()
        )

    def declare(self, shared: Shared) -> System:
        """Declare the whole as one system."""
        first, second = self.sides
        settings = MappingProxyType({**first.settings, **second.settings})
        adapts = [side for side in self.sides if side.adapt is not None]

        def seen(kind: str) -> tuple[Any, ...]:
            records = self.each(kind)
            return tuple(replace(r, value=self.of_states(r.value, i)) for i, r in records)

        return System(
            name=f"{first.name}+{second.name}",
            title=f"{second.title}; with: {first.title}",
            equations=(*second.equations, *first.equations, *self.sentences()),
            references=tuple(dict.fromkeys((*second.references, *first.references))),
            states=self.states,
            parameters=(*second.parameters, *self.only_first()),
            inputs=self.inputs,
            doses=tuple(self.channel(c, side) for side, c in self.each("doses")),
            outputs=seen("outputs"),
            fluxes=seen("fluxes"),
            signals=seen("signals"),
            derived=tuple(self.derived(d, side) for side, d in self.each("derived")),
            rhs=self.rhs if self.states else None,
            initial=self.initial if self.states else None,
            leading=(*second.leading, *first.leading),
            rests_on={**second.rests_on, **first.rests_on},
            conditions=tuple(_conditions(first, second)),
            options=tuple({o.name: o for _, o in self.each("options")}.values()),
            settings=settings,
            declare=lambda chosen: compose(_under(first, chosen), _under(second, chosen), shared),
            adapt=(lambda chosen, study: _adapted(self.sides, chosen, study)) if adapts else None,
            begin=min(first.begin, second.begin),
            integrator=max(first.integrator, second.integrator, key=INTEGRATORS.index),
            around={**first.around, **second.around},
            conventions=(*second.conventions, *first.conventions),
        )


class Body:
    """Both sides of a composition at one moment, each as its own functions see it.

    Attributes
    ----------
    states, inputs : list
        The records ``y`` and ``u`` of each side. Without states only what is constant is known,
        unless the moment is the start.
    """

    def __init__(self, whole: Composition, y: Any, p: Any, u: Any, *, at_start: bool = False):
        self.whole, self.p = whole, p
        self.asked: list[Link] = []
        self.known: dict[tuple[int, str], Any] = {}
        self.inputs = [Driven(View(u, names), i, self) for i, names in enumerate(whole.input_names)]
        self.states: Any = [None, None]
        if at_start:
            self.states = Starting(self)
        elif y is not None:
            self.states = [View(y, names) for names in whole.state_names]

    def value(self, link: Link) -> Any:
        """Return the value of a signal, which is reckoned once."""
        key = link.maker, link.signal.name
        if key in self.known:
            return self.known[key]
        if link in self.asked:
            told = ", which needs ".join(asked.signal.name for asked in [*self.asked, link])
            raise ValueError(f"a circle without a state in it: {told}")
        self.asked.append(link)
        self.known[key] = self._value(link)
        self.asked.pop()
        return self.known[key]

    def _value(self, link: Link) -> Any:
        u, signal = self.inputs[link.maker], link.signal
        if isinstance(signal, Derived):
            return signal.value(self.p, u)
        y = self.states[link.maker]
        if y is None and self.whole.sides[link.maker].states:
            raise ValueError(
                f"{link.name} is a constant of each person, but {signal.name} varies in time; drive"
                " it by a derived quantity"
            )
        return signal.value(y, self.p, u)


class Driven:
    """The inputs of one side, those that the other side drives among them."""

    def __init__(self, record: Any, side: int, body: Body):
        self._record, self._side, self._body = record, side, body

    def __getattr__(self, name: str) -> Any:
        """Return an input."""
        link = self._body.whole.links.get((self._side, name))
        return getattr(self._record, name) if link is None else self._body.value(link)


class Starting:
    """The states of both sides at the start, of each when it is asked for."""

    def __init__(self, body: Body):
        self._body = body

    def __getitem__(self, side: int) -> Any:
        """Return the states of a side."""
        initial = self._body.whole.sides[side].initial
        return None if initial is None else initial(self._body.p, self._body.inputs[side])


def _under(system: System, settings: Settings) -> System:
    """Return a side under those of the settings that are its own."""
    if system.declare is None:
        return system
    return system.declare(_own(system, settings))


def _own(system: System, settings: Settings) -> Settings:
    return MappingProxyType({name: settings[name] for name in system.settings})


def _adapted(sides: tuple[System, System], settings: Settings, study: Any) -> Settings:
    """Return the settings that a study's protocol determines for either side."""
    found = dict(settings)
    for side in sides:
        if side.adapt is not None:
            found |= dict(side.adapt(_own(side, settings), study))
    return MappingProxyType(found)


def _conditions(first: System, second: System) -> Iterator[Condition]:
    """Yield the states of health of either side; one of both is stated by both."""
    found = {condition.name: condition for condition in first.conditions}
    for condition in second.conditions:
        other = found.pop(condition.name, None)
        yield condition if other is None else _both(other, condition)
    yield from found.values()


def _both(first: Condition, second: Condition) -> Condition:
    values = {**first.values, **second.values}
    settings = {**first.settings, **second.settings}
    known = second.weight == second.weight
    return replace(
        second, values=values, settings=settings, weight=second.weight if known else first.weight
    )
