"""Figures: means, spreads and sizes of groups as papers print them, in canonical units and frozen.

Where only published figures are to be had, they are the data. A figure is one group of one paper;
what the paper does not report is missing here too. ``read_figures`` makes them from a table and is
the only place where such a table is judged.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from hepaflux.study.quantities import Quantity
from hepaflux.study.study import StudyError

SpreadKind = Literal["SD", "SE", "SD presumed", "SE presumed", "none"]
Trust = Literal["checked", "unverified"]
KINDS: tuple[str, ...] = get_args(SpreadKind)
TRUSTS: tuple[str, ...] = get_args(Trust)


@dataclass(frozen=True)
class Figure:
    """What one paper prints about one group.

    Attributes
    ----------
    quantity : str
        Name of the quantity.
    group, group_in_source : str
        The harmonized label, which comparisons use, and the source's own words.
    study, citation : str
        A short name, shared by the figures of one study, and where they are printed.
    mean : float
        In the quantity's canonical unit on ``scale``.
    n : int or None
        People in the group; None if not reported.
    spread : float or None
        SD or SE as ``spread_kind`` says, in the unit of ``mean``; None if not reported.
    spread_kind : {"SD", "SE", "SD presumed", "SE presumed", "none"}
        What the spread is; presumed if the source prints a bare ±.
    scale : {"", "body weight", "fat-free mass"}
        What a rate is divided by; empty for the whole person.
    method, condition, note : str
        How and in what state it was measured.
    trust : {"checked", "unverified"}
        Whether the figure was compared with its source.
    """

    quantity: str
    group: str
    study: str
    citation: str
    mean: float
    n: int | None = None
    spread: float | None = None
    spread_kind: SpreadKind = "none"
    scale: str = ""
    method: str = ""
    condition: str = ""
    group_in_source: str = ""
    trust: Trust = "checked"
    note: str = ""

    @property
    def sd(self) -> float | None:
        """Return the standard deviation between people, if it is known."""
        if self.spread is None or self.spread_kind.startswith("SD"):
            return self.spread
        return None if self.n is None else self.spread * float(np.sqrt(self.n))

    @property
    def se(self) -> float | None:
        """Return the standard error of the mean, if it is known."""
        if self.spread is None or self.spread_kind.startswith("SE"):
            return self.spread
        return None if self.n is None else self.spread / float(np.sqrt(self.n))

    @property
    def label(self) -> str:
        """Return study, group in the source's words and condition as one line."""
        parts = (self.study, self.group_in_source or self.group, self.condition)
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Figures:
    """A validated table of published figures.

    Attributes
    ----------
    name : str
        Short name.
    figures : tuple of Figure
        In the order of the table.
    quantities : tuple of Quantity
        Those that the figures are about.
    unverified : tuple of Figure
        Figures that were not compared with their source and were left out.
    title, license, notes, origin : str
        As ``figures.toml`` states them, and what was read.
    """

    name: str
    figures: tuple[Figure, ...]
    quantities: tuple[Quantity, ...]
    unverified: tuple[Figure, ...] = ()
    title: str = ""
    license: str = ""
    notes: str = ""
    origin: str = ""

    def of(self, quantity: str) -> tuple[Figure, ...]:
        """Return the figures of one quantity.

        Raises
        ------
        StudyError
            If there are none.
        """
        found = tuple(figure for figure in self.figures if figure.quantity == quantity)
        if not found:
            known = ", ".join(q.name for q in self.quantities)
            raise StudyError([f"quantity {quantity!r}: no figures; there are some of {known}."])
        return found

    def groups(self, quantity: str) -> tuple[str, ...]:
        """Return the groups of one quantity in order of first appearance."""
        return tuple(dict.fromkeys(figure.group for figure in self.of(quantity)))

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of the figures; notes and the order of rows do not matter."""
        content = sorted(json.dumps(_content(figure)) for figure in self.figures)
        return hashlib.sha256("\n".join(content).encode()).hexdigest()


def _content(figure: Figure) -> list[Any]:
    numbers = (figure.mean, figure.spread)
    texts = (figure.quantity, figure.group, figure.study, figure.method, figure.scale, figure.label)
    rounded = [None if number is None else f"{number:.9e}" for number in numbers]
    return [*texts, figure.n, figure.spread_kind, *rounded]
