"""Noise: how the true value of an output becomes a measurement.

A noise model states its parameters and its distribution given the noise-free value, once for the
graph and once for SciPy, both on the same standard deviation. ``CVFloor`` is the default: assays
state a coefficient of variation, and near the floor the error no longer shrinks with the value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy import special, stats

from hepaflux.parameter import Parameter, Prior
from hepaflux.systems.system import Output

ASSAY = "CV and floor of the assay; a CV that is estimated takes up model error as well"


class Noise(Protocol):
    """What every noise model offers."""

    def parameters(self, output: str) -> tuple[Parameter, ...]:
        """Return the unknowns, named after the output."""
        ...

    def graph(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the PyMC distribution of measurements around ``mean``."""
        ...

    def scipy(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the distribution of measurements around ``mean``, with SciPy's methods."""
        ...


def _cv_parameter(output: str, prior: Prior) -> Parameter:
    return Parameter(
        f"{output}_cv",
        unit="1",
        prior=prior,
        meaning=f"coefficient of variation of measured {output}",
        source=ASSAY,
    )


def normal_log_density(value: Any, mean: Any, sd: Any) -> Any:
    """Return the log-density of normal distributions; arguments broadcast and are not checked."""
    return -0.5 * ((value - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)


class _Normals:
    """Normal distributions; SciPy's own checks take several times as long as the density."""

    def __init__(self, mean: Any, sd: Any):
        self._mean, self._sd = mean, sd

    def logpdf(self, value: Any) -> np.ndarray:
        """Return the log-density of values."""
        return np.asarray(normal_log_density(value, self._mean, self._sd))

    def logcdf(self, value: Any) -> np.ndarray:
        """Return the log-probability of what is at or below values."""
        return np.asarray(special.log_ndtr((value - self._mean) / self._sd))

    def logsf(self, value: Any) -> np.ndarray:
        """Return the log-probability of what is above values."""
        return np.asarray(special.log_ndtr((self._mean - value) / self._sd))

    def ppf(self, probability: Any) -> np.ndarray:
        """Return the values below which a value is with some probabilities."""
        return np.asarray(self._mean + self._sd * special.ndtri(probability))

    def rvs(self, size: Any = None, random_state: Any = None) -> np.ndarray:
        """Return draws, one per distribution if no size is given."""
        shape = np.broadcast_shapes(np.shape(self._mean), np.shape(self._sd))
        drawn = np.random.default_rng(random_state).standard_normal(shape if size is None else size)
        return np.asarray(drawn * self._sd + self._mean)


@dataclass(frozen=True)
class CVFloor:
    """Normal with standard deviation sqrt((cv mean)^2 + floor^2).

    Attributes
    ----------
    cv : Prior
        Prior of the coefficient of variation.
    floor : float
        Standard deviation at low values, in the unit of the output.
    """

    cv: Prior
    floor: float

    def parameters(self, output: str) -> tuple[Parameter, ...]:
        """Return the coefficient of variation."""
        return (_cv_parameter(output, self.cv),)

    def sd(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the standard deviation of a measurement."""
        return ((values[f"{output}_cv"] * mean) ** 2 + self.floor**2) ** 0.5

    def graph(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the PyMC distribution."""
        return pm.Normal.dist(mean, self.sd(mean, values, output))

    def scipy(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the distribution with SciPy's methods."""
        return _Normals(mean, self.sd(mean, values, output))


@dataclass(frozen=True)
class StudentT:
    """Student's t with the scale of another noise model, for occasional bad samples.

    Attributes
    ----------
    scale : CVFloor
        Gives the parameters and the scale.
    nu : float
        Degrees of freedom.
    """

    scale: CVFloor
    nu: float = 4.0

    def parameters(self, output: str) -> tuple[Parameter, ...]:
        """Return the coefficient of variation."""
        return self.scale.parameters(output)

    def graph(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the PyMC distribution."""
        return pm.StudentT.dist(nu=self.nu, mu=mean, sigma=self.scale.sd(mean, values, output))

    def scipy(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the SciPy distribution."""
        return stats.t(self.nu, mean, self.scale.sd(mean, values, output))


@dataclass(frozen=True)
class LogNormalNoise:
    """Log-normal around the true value as the median, for strictly proportional error.

    Attributes
    ----------
    cv : Prior
        Prior of the standard deviation of the logarithm.
    """

    cv: Prior

    def parameters(self, output: str) -> tuple[Parameter, ...]:
        """Return the coefficient of variation."""
        return (_cv_parameter(output, self.cv),)

    def graph(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the PyMC distribution."""
        return pm.LogNormal.dist(pt.log(mean), values[f"{output}_cv"])

    def scipy(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the SciPy distribution."""
        return stats.lognorm(s=values[f"{output}_cv"], scale=mean)


@dataclass(frozen=True)
class Shares:
    """Dirichlet around the true shares of a composition, such as the ions of a fatty acid.

    The concentration is stated as the standard deviation of a share of one half, which is what
    a laboratory sees in repeated injections; a share y then has sd sqrt(4 y (1 - y)) times that.

    Attributes
    ----------
    sd : Prior
        Prior of that standard deviation.
    """

    sd: Prior

    def parameters(self, output: str) -> tuple[Parameter, ...]:
        """Return the standard deviation of a share of one half."""
        meaning = f"standard deviation of a measured share of one half, {output}"
        return (Parameter(f"{output}_sd", "1", self.sd, meaning, ASSAY),)

    def concentration(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the Dirichlet's parameters, parts in the last axis; ``mean`` on any scale."""
        total = 0.25 / values[f"{output}_sd"] ** 2 - 1
        total = total[..., None] if np.ndim(total) else total
        return total * mean / mean.sum(axis=-1, keepdims=True)

    def graph(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the PyMC distribution."""
        return pm.Dirichlet.dist(self.concentration(mean, values, output))

    def scipy(self, mean: Any, values: Mapping[str, Any], output: str) -> Any:
        """Return the distribution with SciPy's methods."""
        return _ManyDirichlets(self.concentration(mean, values, output))


class _ManyDirichlets:
    """Dirichlet distributions along the last axis; SciPy's takes only one at a time."""

    def __init__(self, alpha: np.ndarray):
        self._alpha = alpha

    def logpdf(self, shares: np.ndarray) -> np.ndarray:
        """Return the log-density of shares, one per distribution."""
        alpha = self._alpha
        constant = special.gammaln(alpha.sum(-1)) - special.gammaln(alpha).sum(-1)
        return np.asarray(constant + ((alpha - 1) * np.log(shares)).sum(-1))

    def ppf(self, probability: Any) -> np.ndarray:
        """Return the shares below which each share is with some probabilities, all others free."""
        alpha = self._alpha
        rest = alpha.sum(-1, keepdims=True) - alpha
        return np.asarray(special.betaincinv(alpha, rest, probability))

    def rvs(self, size: Any = None, random_state: Any = None) -> np.ndarray:
        """Return one draw per distribution."""
        del size
        parts = np.random.default_rng(random_state).standard_gamma(self._alpha)
        return np.asarray(parts / parts.sum(axis=-1, keepdims=True))


FAMILIES = ("cv_floor", "lognormal", "student_t")
"""Names of the noise models, as a command line or a run's record uses them."""


def noise_of(output: Output, family: str = "cv_floor") -> Noise:
    """Return a noise model with the coefficient of variation and floor of an output's assay.

    Raises
    ------
    ValueError
        If there is no such family.
    """
    if output.is_composition:
        return Shares(output.cv)
    match family:
        case "cv_floor":
            return CVFloor(output.cv, output.floor)
        case "lognormal":
            return LogNormalNoise(output.cv)
        case "student_t":
            return StudentT(CVFloor(output.cv, output.floor))
    raise ValueError(f"noise must be one of {', '.join(FAMILIES)}, but is {family!r}")


def pointwise_log_density(distribution: Any, value: np.ndarray, censoring: np.ndarray) -> Any:
    """Return the log-density of measurements, censored ones by their tail probability.

    Parameters
    ----------
    distribution : SciPy distribution
        Broadcasts against ``value``.
    value : array (observation,)
        Measurements; for a censored one, the limit.
    censoring : array (observation,) of int
        0 measured, -1 at or below the limit, 1 at or above it.
    """
    density = distribution.logpdf(value)
    if (censoring < 0).any():
        density = np.where(censoring < 0, distribution.logcdf(value), density)
    if (censoring > 0).any():
        density = np.where(censoring > 0, distribution.logsf(value), density)
    return density
