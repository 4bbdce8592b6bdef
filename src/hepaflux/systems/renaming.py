"""Renaming: a system under other names, so that it can stand in one model with another.

A clamp and a meal both have a distribution volume, an assay of glucose and a production. Where
they are not the same quantity they must not have the same name. The equations keep their own names:
what they see is a view of the record under the old ones.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from hepaflux.systems.system import System


class View:
    """A record whose fields are found under their former names."""

    def __init__(self, record: Any, names: Mapping[str, str]):
        self._record, self._names = record, names

    def __getattr__(self, name: str) -> Any:
        """Return the field formerly called ``name``."""
        return getattr(self._record, self._names.get(name, name))


def public_names(system: System) -> frozenset[str]:
    """Return the names by which a system appears in a model: all but those of states and inputs."""
    records: tuple[Any, ...] = (*system.parameters, *system.outputs, *system.derived)
    axes = {p.axis for p in system.parameters} | {output.axis for output in system.outputs}
    return frozenset({r.name for r in (*records, *system.fluxes)} | (axes - {""}))


def renamed(system: System, names: Mapping[str, str], *, prefix: str = "") -> System:
    """Return a system under other names.

    Parameters
    ----------
    system : System
        With the settings of its study: they cannot be changed afterwards.
    names : mapping of str to str
        New names of parameters, outputs, derived quantities, fluxes and axes, by the old ones.
    prefix : str
        Put before the names of the parts of a composition that is renamed.

    Returns
    -------
    System
        With the same equations.
    """

    def name_of(name: str) -> str:
        return names.get(name, name)

    def seen(function: Callable[..., Any], place: int) -> Callable[..., Any]:
        """Return a function that sees the parameters, its argument at ``place``, as they were."""

        def under_old_names(*arguments: Any) -> Any:
            before, p, after = arguments[:place], arguments[place], arguments[place + 1 :]
            return function(*before, View(p, names), *after)

        return under_old_names

    settings = {**system.settings}
    settings |= {f"{name_of(k[:-1])}s": v for k, v in settings.items() if name_of(k[:-1]) != k[:-1]}
    return replace(
        system,
        parameters=tuple(
            replace(p, name=name_of(p.name), axis=name_of(p.axis)) for p in system.parameters
        ),
        inputs=tuple(replace(u, axis=name_of(u.axis)) for u in system.inputs),
        outputs=tuple(
            replace(
                output,
                name=name_of(output.name),
                axis=name_of(output.axis),
                value=seen(output.value, 1),
                prefix=prefix if output.name in names else "",
            )
            for output in system.outputs
        ),
        derived=tuple(
            replace(d, name=name_of(d.name), value=seen(d.value, 0)) for d in system.derived
        ),
        fluxes=tuple(
            replace(f, name=name_of(f.name), value=seen(f.value, 1)) for f in system.fluxes
        ),
        signals=tuple(replace(s, value=seen(s.value, 1)) for s in system.signals),
        doses=tuple(replace(channel, gain=seen(channel.gain, 0)) for channel in system.doses),
        rhs=None if system.rhs is None else seen(system.rhs, 2),
        initial=None if system.initial is None else seen(system.initial, 0),
        leading=tuple(name_of(name) for name in system.leading),
        rests_on={name_of(k): tuple(map(name_of, v)) for k, v in system.rests_on.items()},
        settings=settings,
        declare=None,
        adapt=None,
    )


def distinct(
    systems: Mapping[str, System], shared: Collection[str] = ()
) -> dict[str, dict[str, str]]:
    """Return new names, by system and old name, so that no two systems use one for two things.

    Parameters
    ----------
    systems : mapping of str to System
        By the name of the part that each describes.
    shared : collection of str
        Parameters that are one quantity in all systems that have them.

    Returns
    -------
    dict of str to dict of str to str
        A name that several systems use gets its part's name before it; every other stays.
    """
    users = {part: public_names(system) for part, system in systems.items()}
    repeated = {
        name
        for part, names in users.items()
        for name in names
        if name not in shared and any(name in users[other] for other in users if other != part)
    }
    return {
        part: {name: f"{part}_{name}" for name in sorted(names & repeated)}
        for part, names in users.items()
    }
