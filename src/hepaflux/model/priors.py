"""Priors: a parameter and its level become random variables of a PyMC model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import Chain, log

from hepaflux.model.bend import Bend
from hepaflux.model.design import WIDE_SPREAD, Design
from hepaflux.model.sticks import Sticks
from hepaflux.parameter import (
    Beta,
    Dirichlet,
    HalfNormal,
    Independent,
    LogNormal,
    Normal,
    Parameter,
    Prior,
    Uniform,
)

SPREAD_CV = 0.5
"""Coefficient of variation of the prior of a between-subject standard deviation."""

SLOPE_SD = 0.5
"""Prior standard deviation of a covariate's slope, log or logit units per standard deviation."""


FEWEST_SHARES = 2
"""Parts of a whole of which something can be unknown."""


@dataclass(frozen=True, eq=False)
class People:
    """Who varies.

    Attributes
    ----------
    n_subjects : int
        Number of subjects.
    group_of_subject : array of int (subject,)
        Index of each subject's group; empty without groups.
    covariates : dict of str to array (subject,)
        Standardized.
    """

    n_subjects: int
    group_of_subject: np.ndarray
    covariates: dict[str, np.ndarray]


def random_variable(
    name: str, prior: Prior, dims: tuple[str, ...], *, fades_at: float = 0.0
) -> Any:
    """Create the random variable of a prior in the current PyMC model.

    Parameters
    ----------
    fades_at : float
        As of ``Parameter``; a prior that is not log-normal has coordinates that suit it already.

    Raises
    ------
    ValueError
        If a whole has a single part.
    """
    match prior:
        case LogNormal():
            bent = {"default_transform": Chain([log, Bend(fades_at)])} if fades_at else {}
            return pm.LogNormal(
                name, mu=np.log(prior.median), sigma=prior.log_sd, dims=dims, **bent
            )
        case Normal():
            return pm.Normal(name, mu=prior.mean, sigma=prior.sd, dims=dims)
        case HalfNormal():
            return pm.HalfNormal(name, sigma=prior.scale, dims=dims)
        case Beta():
            return pm.Beta(name, alpha=prior.alpha, beta=prior.beta, dims=dims)
        case Uniform():
            return pm.Uniform(name, lower=prior.lower, upper=prior.upper, dims=dims)
        case Dirichlet():
            return _shares(name, prior, dims)
        case Independent():
            return random_variable(name, prior.each, dims)
    raise TypeError(f"{prior!r} of {name!r} has no random variable")


def _shares(name: str, prior: Dirichlet, dims: tuple[str, ...]) -> Any:
    if len(prior.shares) < FEWEST_SHARES:
        raise ValueError(
            f"{name} has one share, which leaves nothing to be known: add later samples or knots,"
            " or check that the times are in min"
        )
    return pm.Dirichlet(name, a=prior.alpha, dims=dims, default_transform=Sticks(len(prior.shares)))


def build_parameters(
    parameters: Sequence[Parameter], design: Design, people: People
) -> dict[str, Any]:
    """Create the random variables of all unknowns.

    Returns
    -------
    dict of str to tensor
        By parameter: scalar if shared, else one row per subject.
    """
    values = {
        p.name: _common(p, design, people) for p in parameters if design.levels[p.name] != "subject"
    }
    follows = {second: first for first, second in design.correlated}
    varying = [p for p in parameters if design.levels[p.name] == "subject"]
    deviations: dict[str, Any] = {}
    for parameter in sorted(varying, key=lambda p: p.name in follows):
        name = parameter.name
        leader = follows.get(name, "")
        tie = _tie(leader, name, deviations[leader]) if leader else NO_TIE
        values[name], deviations[name] = _by_subject(parameter, tie, design, people)
    return {p.name: values[p.name] for p in parameters}


def _common(parameter: Parameter, design: Design, people: People) -> Any:
    """Create a parameter that is shared, by group, or separate for each subject."""
    level = design.levels[parameter.name]
    axis = (parameter.axis,) if parameter.axis else ()
    dims = {"shared": axis, "separate": ("subject", *axis), "group": ("group", *axis)}[level]
    value = random_variable(parameter.name, parameter.prior, dims, fades_at=parameter.fades_at)
    return value[people.group_of_subject] if level == "group" else value


class Tie(NamedTuple):
    """What another parameter says about a standardized deviation: its mean and its width."""

    mean: Any
    width: Any


NO_TIE = Tie(0.0, 1.0)


def _tie(first: str, second: str, deviation: Any) -> Tie:
    """Create a correlation; its LKJ(2) prior is a beta(2, 2) stretched to (-1, 1)."""
    share = pm.Beta(tie_name(first, second), alpha=2.0, beta=2.0)
    correlation = pm.Deterministic(f"{first}_{second}_correlation", 2 * share - 1)
    return Tie(correlation * deviation, pt.sqrt(1 - correlation**2))


def tie_name(first: str, second: str) -> str:
    """Return the name of the variable on (0, 1) that is sampled for a correlation."""
    return f"{first}_{second}_offset"


def is_centered(parameter: Parameter) -> bool:
    """Return whether a subject's value itself is sampled, and not its standardized deviation.

    Both say the same; they differ in how well they can be sampled. Where people differ more than
    the samples leave open, as in SI, the value is; otherwise, as in V, the deviation.
    """
    return parameter.spread >= WIDE_SPREAD


def _by_subject(parameter: Parameter, tie: Tie, design: Design, people: People) -> tuple[Any, Any]:
    """Create a parameter that varies around its population median on its natural scale.

    Returns
    -------
    tensor, tensor (subject,)
        The values, and their standardized deviations.
    """
    name, support = parameter.name, parameter.prior.support
    dims = ("group",) if design.by_group else ()
    median = random_variable(f"{name}_population", parameter.prior, dims)
    spread = random_variable(f"{name}_spread", LogNormal(parameter.spread, SPREAD_CV), ())
    center = _to_line(median[people.group_of_subject] if design.by_group else median, support)
    center = center + _covariate_shift(name, design, people)
    if is_centered(parameter):
        mean, width = center + spread * tie.mean, spread * tie.width
        bent = {"default_transform": Bend(parameter.fades_at)} if parameter.fades_at else {}
        line = pm.Normal(f"{name}_line_offset", mean, width, dims="subject", **bent)
        deviation = (line - center) / spread
    else:
        deviation = tie.mean + tie.width * pm.Normal(f"{name}_offset", dims="subject")
        line = center + spread * deviation
    return pm.Deterministic(name, _from_line(line, support), dims="subject"), deviation


def _to_line(value: Any, support: str) -> Any:
    """Return a value on the scale on which subjects vary: log, logit or as it is."""
    if support == "unit":
        return pt.log(value) - pt.log1p(-value)
    return pt.log(value) if support == "positive" else value


def _from_line(value: Any, support: str) -> Any:
    if support == "unit":
        return pt.sigmoid(value)
    return pt.exp(value) if support == "positive" else value


def _covariate_shift(name: str, design: Design, people: People) -> Any:
    covariates = design.covariates.get(name, ())
    if not covariates:
        return 0.0
    slope = pm.Normal(f"{name}_slope", sigma=SLOPE_SD, dims=f"{name}_covariate")
    matrix = np.column_stack([people.covariates[c] for c in covariates])
    return pt.dot(matrix, slope)
