"""Line: parameters in coordinates without bounds, and the spread of their priors there.

A positive number becomes its logarithm, a fraction or a bounded number its logit, the shares of a
whole their logarithms relative to the last share. In these coordinates a posterior is nearly
normal, and the covariance of every family of priors is known in closed form: of a beta and a
Dirichlet it is made of trigamma functions, because they are ratios of gamma variables.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import linalg, special

from hepaflux.parameter import (
    Beta,
    Dirichlet,
    Fixed,
    HalfNormal,
    Independent,
    LogNormal,
    Normal,
    Parameter,
    Prior,
    Uniform,
    size_of,
)
from hepaflux.systems.system import System


def scale_of(prior: Prior) -> str:
    """Return the name of the scale: log, logit, log-ratio, or nothing for the values themselves."""
    match prior:
        case Independent():
            return scale_of(prior.each)
        case LogNormal() | HalfNormal():
            return "log"
        case Beta() | Uniform():
            return "logit"
        case Dirichlet():
            return "log-ratio"
    return ""


def to_line(prior: Prior, value: Any) -> np.ndarray:
    """Return values as coordinates, one more axis than a scalar has: (..., coordinate)."""
    array = np.asarray(value, dtype=float)
    if isinstance(prior, Dirichlet):
        return np.log(array[..., :-1]) - np.log(array[..., -1:])
    each = prior.each if isinstance(prior, Independent) else prior
    columns = array if size_of(prior) else array[..., None]
    if scale_of(each) == "logit":
        lower, width = _bounds(each)
        return special.logit((columns - lower) / width)
    return np.log(columns) if scale_of(each) == "log" else columns


def from_line(prior: Prior, coordinates: np.ndarray) -> np.ndarray:
    """Return the values at coordinates (..., coordinate); the inverse of ``to_line``."""
    if isinstance(prior, Dirichlet):
        last = np.zeros((*coordinates.shape[:-1], 1))
        return np.asarray(special.softmax(np.concatenate([coordinates, last], axis=-1), axis=-1))
    each = prior.each if isinstance(prior, Independent) else prior
    columns = coordinates
    if scale_of(each) == "logit":
        lower, width = _bounds(each)
        columns = lower + width * special.expit(coordinates)
    elif scale_of(each) == "log":
        columns = np.exp(coordinates)
    return columns if size_of(prior) else columns[..., 0]


def log_slope(prior: Prior, value: Any) -> np.ndarray:
    """Return the log of how much a scalar moves along its coordinate.

    Added to the log-density of a value it gives that of the coordinate.
    """
    array = np.asarray(value, dtype=float)
    if scale_of(prior) == "logit":
        lower, width = _bounds(prior)
        share = (array - lower) / width
        return np.asarray(np.log(width) + np.log(share) + np.log1p(-share))
    return np.log(array) if scale_of(prior) == "log" else np.zeros_like(array)


def _bounds(prior: Prior) -> tuple[float, float]:
    """Return the lower bound and the width of a bounded prior."""
    if isinstance(prior, Uniform):
        return prior.lower, prior.upper - prior.lower
    return 0.0, 1.0


def covariance(prior: Prior) -> np.ndarray:
    """Return the covariance of a prior in its coordinates, shape (coordinate, coordinate).

    Raises
    ------
    TypeError
        If the prior is that of a fixed parameter.
    """
    if isinstance(prior, Dirichlet):
        spread = _trigamma(prior.alpha)
        return np.asarray(np.diag(spread[:-1]) + spread[-1])
    if isinstance(prior, Independent):
        return _variance(prior.each) * np.eye(prior.size)
    return np.array([[_variance(prior)]])


def _variance(prior: Prior) -> float:
    """Return the variance of a scalar's prior on the line."""
    match prior:
        case LogNormal():
            return prior.log_sd**2
        case Normal():
            return prior.sd**2
        case HalfNormal():
            return np.pi**2 / 8
        case Beta():
            return float(_trigamma(prior.alpha) + _trigamma(prior.beta))
        case Uniform():
            return np.pi**2 / 3
    raise TypeError(f"{prior!r} has no variance on the line")


def _trigamma(value: Any) -> Any:
    return special.polygamma(1, value)


class Line:
    """The unknowns of a system side by side on the line.

    Attributes
    ----------
    parameters : tuple of Parameter
        The unknowns.
    slices : dict of str to slice
        Where the coordinates of each are.
    covariance : array (coordinate, coordinate)
        Of the prior; unknowns are independent of each other.
    """

    def __init__(self, system: System):
        self.parameters: tuple[Parameter, ...] = system.unknowns
        blocks = [covariance(p.prior) for p in self.parameters]
        ends = np.cumsum([len(block) for block in blocks])
        self.slices = {
            p.name: slice(int(end) - len(block), int(end))
            for p, block, end in zip(self.parameters, blocks, ends, strict=True)
        }
        self.covariance = np.asarray(linalg.block_diag(*blocks))

    @property
    def size(self) -> int:
        """Return the number of coordinates."""
        return len(self.covariance)

    def points(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return values by parameter as points, shape (..., coordinate)."""
        columns = [to_line(p.prior, values[p.name]) for p in self.parameters]
        return np.concatenate(columns, axis=-1)

    def values(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Return points as values by parameter."""
        return {
            p.name: from_line(p.prior, points[..., self.slices[p.name]]) for p in self.parameters
        }

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Return draws from the prior as points, shape (*shape, coordinate)."""
        values = {p.name: _draw(p.prior, shape, rng) for p in self.parameters}
        return self.points(values)


def _draw(prior: Prior, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if isinstance(prior, Fixed):
        raise TypeError("a fixed parameter is not drawn")
    drawn = prior.distribution().rvs(size=int(np.prod(shape)), random_state=rng)
    return np.asarray(drawn).reshape(*shape, *([size_of(prior)] if size_of(prior) else []))
