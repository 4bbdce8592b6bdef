"""Arms: published figures of one quantity as arrays, and how precisely each mean is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hepaflux.study.figures import Figure, Figures
from hepaflux.study.quantities import MASSES, Quantity

NOT_STATED = "method not stated"


@dataclass(frozen=True, eq=False)
class Arms:
    """The figures of one quantity as arrays with one entry per arm.

    Attributes
    ----------
    quantity : Quantity
        What they are about.
    labels, studies, methods : tuple of str
        Of the arms; the distinct studies; the distinct methods.
    group, study, method : array of int (arm,)
        Which of the recipe's groups, of ``studies`` and of ``methods``.
    scales : tuple of str
        What the rate of each arm was divided by; empty for the whole person.
    n, mean, sd, se : array (arm,)
        As printed; NaN where not known. ``se`` is known only where it must stand for both n and SD.
    """

    quantity: Quantity
    labels: tuple[str, ...]
    studies: tuple[str, ...]
    methods: tuple[str, ...]
    group: np.ndarray
    study: np.ndarray
    method: np.ndarray
    scales: tuple[str, ...]
    n: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    se: np.ndarray

    @property
    def name(self) -> str:
        """Return the name of the quantity, with which all names of its part of the model begin."""
        return self.quantity.name

    @property
    def has_sd(self) -> np.ndarray:
        """Return the indices of the arms whose SD enters the likelihood."""
        return np.flatnonzero(np.isfinite(self.sd) & (self.n > 1))

    @property
    def masses(self) -> tuple[str, ...]:
        """Return the masses that rates were divided by."""
        return tuple(mass for mass in MASSES if mass in self.scales)

    @property
    def many_studies(self) -> bool:
        """Return whether the figures can say anything of how studies differ."""
        return len(self.studies) > 1

    @property
    def many_methods(self) -> bool:
        """Return whether the figures can say anything of how methods differ."""
        return len(self.methods) > 1

    @property
    def differ(self) -> bool:
        """Return whether arms may differ by more than group, study and method."""
        return self.many_studies or len(self.labels) > len(set(self.group.tolist()))


def arms_of(figures: Figures, name: str, groups: Sequence[str]) -> Arms:
    """Return the figures of a quantity in some groups as arrays.

    Raises
    ------
    StudyError
        If there are no figures of the quantity.
    """
    rows = [figure for figure in figures.of(name) if figure.group in groups]
    (quantity,) = (q for q in figures.quantities if q.name == name)
    studies = tuple(dict.fromkeys(row.study for row in rows))
    methods = tuple(dict.fromkeys(row.method or NOT_STATED for row in rows))
    return Arms(
        quantity=quantity,
        labels=tuple(row.label for row in rows),
        studies=studies,
        methods=methods,
        group=np.array([groups.index(row.group) for row in rows]),
        study=np.array([studies.index(row.study) for row in rows]),
        method=np.array([methods.index(row.method or NOT_STATED) for row in rows]),
        scales=tuple(row.scale for row in rows),
        n=_floats(row.n for row in rows),
        mean=_floats(row.mean for row in rows),
        sd=_floats(row.sd for row in rows),
        se=_floats(_own_error(row) for row in rows),
    )


def _own_error(row: Figure) -> float | None:
    """Return the printed SE of a figure whose n is not known."""
    return row.se if row.n is None else None


def _floats(values: Any) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def sampling_error(arms: Arms, sd: Any, where: Callable) -> Any:
    """Return the standard error of each mean: sigma / sqrt(n), or as printed if n is not known.

    Parameters
    ----------
    arms : Arms
        The figures.
    sd : array or tensor (..., arm)
        SD between people.
    where : callable
        ``numpy.where`` or its counterpart for tensors.
    """
    printed = np.isfinite(arms.se)
    root = np.sqrt(np.where(printed, 1.0, arms.n))
    return where(printed, np.where(printed, arms.se, 1.0), sd / root)
