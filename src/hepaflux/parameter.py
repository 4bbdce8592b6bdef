"""Parameter: one name, unit, prior, meaning and source; and the families of priors.

A prior is a value: it can be printed, compared, parsed from the command line and evaluated with
SciPy. The graph is built from it on the floor that knows PyMC. All numbers are in the parameter's
own unit. ``LogNormal`` is stated by its median and coefficient of variation, so that its log-scale
standard deviation is sqrt(log(1 + cv^2)).
"""

import re
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import stats
from scipy.optimize import brentq

Support = Literal["positive", "unit", "real", "simplex", "fixed"]


@dataclass(frozen=True)
class LogNormal:
    """Log-normal by median and coefficient of variation."""

    median: float
    cv: float
    support: ClassVar[Support] = "positive"

    def __post_init__(self) -> None:
        """Refuse what is no log-normal."""
        _require(self.median > 0, "median", self.median, "positive")
        _require(self.cv > 0, "cv", self.cv, "positive")

    @property
    def log_sd(self) -> float:
        """Return the standard deviation of the logarithm."""
        return float(np.sqrt(np.log1p(self.cv**2)))

    def distribution(self) -> Any:
        """Return the frozen SciPy distribution."""
        return stats.lognorm(s=self.log_sd, scale=self.median)


@dataclass(frozen=True)
class Normal:
    """Normal by mean and standard deviation."""

    mean: float
    sd: float
    support: ClassVar[Support] = "real"

    def __post_init__(self) -> None:
        """Refuse what is no normal."""
        _require(self.sd > 0, "sd", self.sd, "positive")

    def distribution(self) -> Any:
        """Return the frozen SciPy distribution."""
        return stats.norm(self.mean, self.sd)


@dataclass(frozen=True)
class HalfNormal:
    """Half-normal by its scale."""

    scale: float
    support: ClassVar[Support] = "positive"

    def __post_init__(self) -> None:
        """Refuse what is no half-normal."""
        _require(self.scale > 0, "scale", self.scale, "positive")

    def distribution(self) -> Any:
        """Return the frozen SciPy distribution."""
        return stats.halfnorm(scale=self.scale)


@dataclass(frozen=True)
class Beta:
    """Beta by its two shape parameters."""

    alpha: float
    beta: float
    support: ClassVar[Support] = "unit"

    def __post_init__(self) -> None:
        """Refuse what is no beta."""
        _require(self.alpha > 0, "alpha", self.alpha, "positive")
        _require(self.beta > 0, "beta", self.beta, "positive")

    def distribution(self) -> Any:
        """Return the frozen SciPy distribution."""
        return stats.beta(self.alpha, self.beta)


@dataclass(frozen=True)
class Uniform:
    """Flat between two bounds."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        """Refuse an empty interval."""
        _require(self.upper > self.lower, "upper", self.upper, f"above lower ({self.lower:g})")

    @property
    def support(self) -> Support:
        """Return the scale on which the parameter may vary between subjects."""
        if self.lower < 0:
            return "real"
        return "unit" if self.upper <= 1 else "positive"

    def distribution(self) -> Any:
        """Return the frozen SciPy distribution."""
        return stats.uniform(self.lower, self.upper - self.lower)


@dataclass(frozen=True)
class Dirichlet:
    """Dirichlet by total concentration and expected shares, one share per part of the whole."""

    concentration: float
    shares: tuple[float, ...]
    support: ClassVar[Support] = "simplex"

    def __post_init__(self) -> None:
        """Refuse shares that are no shares."""
        _require(self.concentration > 0, "concentration", self.concentration, "positive")
        total = float(sum(self.shares))
        _require(abs(total - 1) < 1e-9, "sum of shares", total, "1")

    @property
    def alpha(self) -> np.ndarray:
        """Return the concentration of each part."""
        return self.concentration * np.asarray(self.shares)

    def distribution(self) -> Any:
        """Return the frozen SciPy distribution."""
        return stats.dirichlet(self.alpha)


@dataclass(frozen=True)
class Independent:
    """A vector of independent draws of one prior."""

    each: "LogNormal | Normal | HalfNormal | Beta | Uniform"
    size: int

    def __post_init__(self) -> None:
        """Refuse an empty vector."""
        _require(self.size > 0, "size", self.size, "positive")

    @property
    def support(self) -> Support:
        """Return the support of each element."""
        return self.each.support

    def distribution(self) -> Any:
        """Return the distribution of the vector, with ``logpdf`` of (size, draw) arrays."""
        return _Vector(self.each.distribution(), self.size)


class _Vector:
    """Independent and equal elements; the methods are those of ``scipy.stats.dirichlet``."""

    def __init__(self, each: Any, size: int):
        self._each = each
        self._size = size

    def logpdf(self, values: np.ndarray) -> np.ndarray:
        """Return the log-density of vectors that stand in columns."""
        return np.asarray(self._each.logpdf(values).sum(axis=0))

    def rvs(self, size: int = 1, random_state: Any = None) -> np.ndarray:
        """Return draws, one per row."""
        return np.asarray(self._each.rvs(size=(size, self._size), random_state=random_state))


@dataclass(frozen=True)
class Fixed:
    """A known constant."""

    value: float
    support: ClassVar[Support] = "fixed"


Prior = LogNormal | Normal | HalfNormal | Beta | Uniform | Dirichlet | Independent | Fixed

FAMILIES: tuple[type, ...] = (LogNormal, Normal, HalfNormal, Beta, Uniform, Fixed)


def size_of(prior: Prior) -> int:
    """Return the length of a vector-valued prior; 0 for a scalar."""
    if isinstance(prior, Dirichlet):
        return len(prior.shares)
    return prior.size if isinstance(prior, Independent) else 0


def center(prior: Prior) -> float:
    """Return the median of a scalar prior; the value of one that is fixed."""
    if isinstance(prior, (Dirichlet, Independent)):
        raise TypeError(f"{describe(prior)} has no single center")
    return prior.value if isinstance(prior, Fixed) else float(prior.distribution().median())


def centered(prior: Prior, value: float) -> Prior:
    """Return a prior of the same family and relative width whose median is ``value``.

    A value that the family cannot have as its median, such as a log-normal zero, is known: the
    prior becomes ``Fixed``. So does a ``Uniform``, whose bounds are no width around a center.
    """
    if isinstance(prior, LogNormal) and value > 0:
        return replace(prior, median=value)
    if isinstance(prior, Normal):
        return replace(prior, mean=value)
    if isinstance(prior, HalfNormal) and value > 0:
        return replace(prior, scale=prior.scale * value / center(prior))
    if isinstance(prior, Beta) and 0 < value < 1:
        return _beta_around(value, prior.alpha + prior.beta)
    return Fixed(value)


def _beta_around(median: float, total: float) -> Beta:
    """Return the Beta of a given median whose shape parameters sum to ``total``."""

    def excess(mean: float) -> float:
        return float(stats.beta(mean * total, (1 - mean) * total).median()) - median

    edge = 1e-9
    mean = float(brentq(excess, edge, 1 - edge, xtol=1e-15))
    return Beta(mean * total, (1 - mean) * total)


def _require(holds: bool, name: str, value: float, requirement: str) -> None:
    if not holds:
        raise ValueError(f"{name} must be {requirement}, but is {value:g}")


def describe(prior: Prior) -> str:
    """Return a prior in the words that ``parse_prior`` reads."""
    if isinstance(prior, Dirichlet):
        shares = " ".join(f"{share:.3g}" for share in prior.shares)
        return f"Dirichlet(concentration={prior.concentration:g}, shares={shares})"
    if isinstance(prior, Independent):
        return f"{prior.size} x ({describe(prior.each)})"
    pairs = ", ".join(f"{f.name}={getattr(prior, f.name):.6g}" for f in fields(prior))
    return pairs


def parse_prior(text: str) -> Prior:
    """Read a prior such as ``"median=5e-5, cv=0.9"``.

    The names of the numbers select the family: ``median, cv`` (log-normal), ``mean, sd`` (normal),
    ``scale`` (half-normal), ``alpha, beta`` (beta), ``lower, upper`` (uniform), ``value`` (fixed).

    Raises
    ------
    ValueError
        If the text names no family or a number cannot be read.
    """
    pairs = dict(re.findall(r"(\w+)\s*=\s*([^,\s]+)", text))
    families = {tuple(f.name for f in fields(family)): family for family in FAMILIES}
    family = families.get(tuple(pairs)) or families.get(tuple(reversed(pairs)))
    if family is None:
        known = "; ".join(", ".join(f"{name}=" for name in names) for names in families)
        raise ValueError(f"{text!r} is not a prior; write one of: {known}")
    try:
        numbers = {name: float(value) for name, value in pairs.items()}
    except ValueError as error:
        raise ValueError(f"{text!r} holds a number that cannot be read") from error
    return family(**numbers)


@dataclass(frozen=True)
class Parameter:
    """One unknown of a system.

    Attributes
    ----------
    name : str
        The same in the equations, the prior, the posterior and the report.
    unit : str
        Canonical; ``"1"`` if it has none.
    prior : Prior
        For one subject on its own, and for the population median in a hierarchical design.
    meaning : str
        What a physiologist would call it.
    source : str
        Where the prior comes from.
    spread : float
        Prior scale of the between-subject standard deviation, on the log or logit scale;
        zero if subjects are not expected to differ.
    axis : str
        Name of the dimension of a vector-valued parameter; empty for a scalar.
    fades_at : float
        Of a positive parameter, the value at which it begins to fade from the data, which far below
        cannot tell it from zero; 0 if that does not happen. Only how it is sampled depends on it.
    sought : bool
        Whether its value is a result. One that only carries along what is known of people in
        general, or the steps of a curve, is not faulted for a posterior as wide as its prior.
    """

    name: str
    unit: str
    prior: Prior
    meaning: str
    source: str
    spread: float = 0.0
    axis: str = ""
    sought: bool = True
    fades_at: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a parameter without unit, meaning or source."""
        for attribute in ("name", "unit", "meaning", "source"):
            if not getattr(self, attribute).strip():
                raise ValueError(f"parameter {self.name!r} must have a {attribute}")
        if not self.name.isidentifier():
            raise ValueError(f"parameter name must be an identifier, but is {self.name!r}")
        if self.fades_at < 0 or (self.fades_at and self.prior.support not in ("positive", "fixed")):
            raise ValueError(f"only a positive parameter can fade from data, not {self.name}")
