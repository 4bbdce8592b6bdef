"""Flux: what flows or acts in a system and is not measured, with where it comes from and goes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Arrow:
    """From where to where a flux goes, in the words of a diagram.

    Attributes
    ----------
    source, target : str
        Places such as ``"liver fat"``, which need not be states; what is called alike, also in
        another system of the same body, is one place.
    lowers : bool
        Whether it holds the target down instead of filling or driving it.
    counts : float
        How many of what the diagram counts one unit of the flux is, such as three fatty acids to a
        triglyceride; arrows that meet at a place then balance.
    """

    source: str
    target: str
    lowers: bool = False
    counts: float = 1.0

    def __post_init__(self) -> None:
        """Refuse an arrow that begins or ends nowhere."""
        if not self.source.strip() or not self.target.strip():
            raise ValueError(
                f"an arrow must have two ends, but is {self.source!r}, {self.target!r}"
            )


@dataclass(frozen=True)
class Flux:
    """A flow or a signal that is not measured, as a function of time.

    Attributes
    ----------
    name, unit, meaning : str
        Name of the variable in the inference data.
    value : callable (y, p, u) -> value
        Plain arithmetic; ``u`` has all inputs, curves at the time in question.
    arrow : Arrow, optional
        Where it stands in a diagram of the system; a diagram leaves out what has none.
    """

    name: str
    unit: str
    meaning: str
    value: Callable[[Any, Any, Any], Any]
    arrow: Arrow | None = None
