"""Slope: how one quantity falls or rises with another across people, when neither is known exactly.

Ordinary regression takes the abscissa as known and finds too flat a slope when it is not. Here both
logarithms of a person scatter about what is true of that person, by as much as the posterior says;
what is true scatters between people, and the ordinate scatters about the line besides. Means are
free in each group, so that only differences within groups speak: groups that differ for another
reason cannot make a slope.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

STEEPEST, STEPS = 4.0, 161
"""The prior of the slope is uniform up to this in either direction; points of its grid."""

SPREADS = np.geomspace(0.02, 2.5, 18)
"""Grid of both scatters between people, natural logarithms; their prior is half-normal, scale 1."""


@dataclass(frozen=True)
class Slope:
    """The slope of one logarithm on another.

    Attributes
    ----------
    grid, density : array (point,)
        Slopes, and the posterior probability of each.
    people : int
        How many people it is of.
    """

    grid: np.ndarray
    density: np.ndarray
    people: int

    def quantile(self, probability: float) -> float:
        """Return the slope below which a share of the posterior lies."""
        below = np.cumsum(self.density) - 0.5 * self.density
        return float(np.interp(probability, below, self.grid))

    def interval(self, ci_prob: float = 0.9) -> tuple[float, float]:
        """Return the equal-tailed interval that holds a share of the posterior."""
        tail = 0.5 * (1 - ci_prob)
        return self.quantile(tail), self.quantile(1 - tail)

    @property
    def probability_negative(self) -> float:
        """Return the probability that one falls as the other rises."""
        return float(self.density[self.grid < 0].sum() + 0.5 * self.density[self.grid == 0].sum())


def slope_across(
    abscissa: xr.DataArray, ordinate: xr.DataArray, groups: Sequence[str] | None = None
) -> Slope:
    """Return the slope of the logarithm of one quantity on that of another, across people.

    Parameters
    ----------
    abscissa, ordinate : DataArray (chain, draw, subject)
        Positive draws of two independent fits; people who are in only one of them are left out.
    groups : sequence of str, optional
        The group of each subject of ``abscissa``; one group if not given.

    Returns
    -------
    Slope

    Raises
    ------
    ValueError
        If fewer than three people are in both, or a draw is not positive.
    """
    names = [str(name) for name in abscissa["subject"].values]
    labels = dict(zip(names, groups if groups is not None else [""] * len(names), strict=True))
    both = [name for name in names if name in set(map(str, ordinate["subject"].values))]
    if len(both) < 3:
        raise ValueError(f"a slope needs three people with both quantities, but there are {both}")
    x, y = (_logarithms(values.sel(subject=both)) for values in (abscissa, ordinate))
    return structural_slope(x, y, [labels[name] for name in both])


def structural_slope(
    x: tuple[np.ndarray, np.ndarray], y: tuple[np.ndarray, np.ndarray], groups: Sequence[str]
) -> Slope:
    """Return the slope of y on x, both with known errors.

    Parameters
    ----------
    x, y : (array (person,), array (person,))
        Values and their standard errors.
    groups : sequence of str
        The group of each person.
    """
    grid = np.linspace(-STEEPEST, STEEPEST, STEPS)
    slope, spread, scatter = (
        v[..., None] for v in np.meshgrid(grid, SPREADS, SPREADS, indexing="ij")
    )
    shared = slope * spread**2
    xx, yy = spread**2 + x[1] ** 2, slope * shared + scatter**2 + y[1] ** 2
    log_density = -0.5 * (spread**2 + scatter**2)[..., 0]
    labels = np.asarray(groups)
    for group in dict.fromkeys(groups):
        mine = labels == group
        parts = (xx[..., mine], shared, yy[..., mine])
        log_density = log_density + _evidence(parts, x[0][mine], y[0][mine])
    weights = np.gradient(SPREADS)
    density = np.exp(log_density - log_density.max()) * np.outer(weights, weights)
    marginal = density.sum(axis=(1, 2))
    return Slope(grid, marginal / marginal.sum(), len(labels))


def _evidence(
    covariance: tuple[np.ndarray, np.ndarray, np.ndarray], x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Return the log-density of a group's values, its two means integrated out.

    ``covariance`` has the variance of x, the covariance, and the variance of y of each person.
    """
    xx, xy, yy = covariance
    determinant = xx * yy - xy**2
    a, b, c = yy / determinant, -xy / determinant, xx / determinant
    along, across = (a * x + b * y).sum(-1), (b * x + c * y).sum(-1)
    square = (a * x**2 + 2 * b * x * y + c * y**2).sum(-1)
    a, b, c = a.sum(-1), b.sum(-1), c.sum(-1)
    whole = a * c - b**2
    explained = (c * along**2 - 2 * b * along * across + a * across**2) / whole
    return -0.5 * (np.log(determinant).sum(-1) + np.log(whole) + square - explained)


def _logarithms(values: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the logarithm of each person's draws."""
    if not bool((values > 0).all()):
        raise ValueError(f"{values.name} is not positive in every draw; it has no logarithm")
    logs = np.log(values)
    return (
        logs.mean(("chain", "draw")).to_numpy(),
        logs.std(("chain", "draw")).to_numpy(),
    )
