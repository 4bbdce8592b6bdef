"""Step: what a method sees of one step through time, whichever method it is."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from hepaflux.solver.code import Code, Number, Room


class Step(NamedTuple):
    """One step that is tried.

    Attributes
    ----------
    code : Code
        The function that is being written.
    t, length : Number, min
        When it begins within the segment, and how long it is.
    z, y : Room
        The extended vector at its begin and at its end.
    k : Room
        As many vectors of that kind as the method has stages; the first is dz/dt at the begin.
    memory : Room
        What the method keeps between steps; its first number is -1 at the begin of a segment.
    given : tuple of Room
        Parameters, constants and the segment's row.
    """

    code: Code
    t: Number
    length: Number
    z: Room
    y: Room
    k: Room
    memory: Room
    given: tuple[Any, ...]


def weighted(weights: Sequence[float], k: Room, b: Any, n: int) -> Number:
    """Write the sum of vector ``b`` of several stages, each of ``n`` vectors, times weights."""
    terms = [float(w) * k.vector(j * n + b) for j, w in enumerate(weights) if w != 0]
    return sum(terms[1:], start=terms[0])
