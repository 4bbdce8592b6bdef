"""Published: means and spreads that papers print become the data of a PyMC model.

The likelihood is the sampling distribution of what is printed. In an arm (one group of people of
one study) with mean mu and between-person standard deviation sigma, n people give

    mean ~ Normal(mu, sigma / sqrt(n)),    (n - 1) SD^2 / sigma^2 ~ chi-squared(n - 1),

so that a printed SD, or SE times the root of n, says how well sigma is known. Where no spread is
printed, sigma is missing and comes from the other arms; where an SE is printed without n, the mean
has that SE and nothing is learned of sigma. Arms differ on the log scale, or on the log-odds scale
for fractions: mu is that of its group in a typical study by a typical method, shifted by the study,
the method and the arm itself (random effects after DerSimonian and Laird 1986, Control Clin Trials
7:177, in their Bayesian form of Higgins et al. 2009, J R Stat Soc A 172:137). On that scale sigma
varies between arms around a typical value. A spread that the source does not name is taken as what
the table presumes, and people as spread normally within an arm.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from hepaflux.model.priors import random_variable
from hepaflux.parameter import Beta, LogNormal, Parameter, Prior
from hepaflux.study.figures import Figure, Figures
from hepaflux.study.quantities import MASSES, Quantity
from hepaflux.study.study import StudyError

PRIORS: Mapping[str, Prior] = {
    "dnl_fraction": Beta(1.0, 5.0),
    "dnl_fraction_fed": Beta(1.5, 5.0),
    "vldl_tg_secretion": LogNormal(20.0, 1.5),
    "egp_suppression": Beta(2.0, 1.5),
    "hepatic_insulin_sensitivity": LogNormal(1.0, 3.0),
}
"""Prior of the value of a group, by quantity: wide, and the same for every group."""

WIDE = "weakly informative: covers what occurs in people, and is the same for every group"
CUSTOM = "given by the user"

STUDY, METHOD, ARM = LogNormal(0.4, 0.6), LogNormal(0.5, 0.6), LogNormal(0.4, 0.6)
"""Priors of how far studies, methods and arms lie apart: factors of 1.2 to 2.5. Few studies say
little about it, so the priors keep off zero: two studies never agree exactly."""

PERSON, PERSON_SPREAD = LogNormal(0.5, 0.45), LogNormal(0.25, 0.6)
"""Priors of how far people lie apart, and of how far arms differ in that."""

MASS_PRIORS: Mapping[str, Prior] = dict(
    zip(MASSES, (LogNormal(85.0, 0.2), LogNormal(57.0, 0.2)), strict=True)
)
"""Priors of the mass by which a rate was divided, kg; sources do not print it."""

NOT_STATED = "method not stated"

LINKS: Mapping[str, tuple[Callable, Callable, Callable]] = {
    "positive": (pt.log, pt.exp, lambda mean: mean),
    "unit": (pm.math.logit, pm.math.sigmoid, lambda mean: mean * (1 - mean)),
}
"""Scale on which arms differ, its inverse, and the inverse's slope at a mean, by support."""


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


@dataclass(frozen=True, eq=False)
class FiguresRecipe:
    """What a model of published figures was built from; ``fit`` reads it from the model.

    Attributes
    ----------
    figures : Figures
        The validated table.
    groups : tuple of str
        Those for which every quantity of the model has a figure.
    arms : tuple of Arms
        One per quantity.
    parameters : tuple of Parameter
        Every unknown that has a prior of its own.
    """

    figures: Figures
    groups: tuple[str, ...]
    arms: tuple[Arms, ...]
    parameters: tuple[Parameter, ...]


def build_figures_model(
    figures: Figures,
    quantity: str | Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    priors: Mapping[str, Prior] | None = None,
) -> pm.Model:
    """Build the PyMC model of published figures. Samples and compiles nothing.

    Parameters
    ----------
    figures : Figures
        From ``read_figures``.
    quantity : str or sequence of str
        What is fitted. Several quantities have nothing in common but the groups; together they can
        be given to ``compare_differences``.
    groups : sequence of str, optional
        Groups that enter, reference first; by default those for which every quantity has a figure.
    priors : mapping of str to Prior, optional
        Other priors, by the name of a quantity or another parameter.

    Returns
    -------
    pm.Model
        With one variable by group under each quantity's name, the spreads between studies, methods,
        arms and people, the mean and SD of each arm, and as observed variables the printed means
        (``..._mean``) and SDs (``..._sd``).

    Raises
    ------
    StudyError
        If there are no figures of a quantity or a group.
    ValueError
        If a prior is missing, or is given for what the model does not have.
    """
    names = (quantity,) if isinstance(quantity, str) else tuple(quantity)
    chosen = _groups(figures, names, groups)
    arms = tuple(_arms(figures, name, chosen) for name in names)
    parameters = _with_priors([p for part in arms for p in _parameters(part)], priors or {})
    recipe = FiguresRecipe(figures, chosen, arms, parameters)
    with pm.Model(coords=coordinates(recipe)) as model:
        values = {p.name: random_variable(p.name, p.prior, _dims(recipe, p)) for p in parameters}
        for part in arms:
            mean, sd = _add_arms(part, values)
            _observe(part, mean, sd)
    model.recipe = recipe
    return model


def coordinates(recipe: FiguresRecipe) -> dict[str, Any]:
    """Return the coordinates of the model's dimensions."""
    coords: dict[str, Any] = {"group": list(recipe.groups)}
    for arms in recipe.arms:
        labels = np.array(arms.labels)
        coords |= {
            f"{arms.name}_arm": list(labels),
            f"{arms.name}_from_study": list(arms.studies),
            f"{arms.name}_by_method": list(arms.methods),
            f"{arms.name}_mean_observation": list(labels),
            f"{arms.name}_sd_observation": list(labels[arms.has_sd]),
        }
    return coords


def _groups(figures: Figures, names: Sequence[str], asked: Sequence[str] | None) -> tuple[str, ...]:
    """Return the groups that enter the model."""
    by_quantity = [figures.groups(name) for name in names]
    shared = tuple(g for g in by_quantity[0] if all(g in others for others in by_quantity))
    chosen = shared if asked is None else tuple(asked)
    lacking = [
        (g, q) for g in chosen for q, has in zip(names, by_quantity, strict=True) if g not in has
    ]
    if lacking:
        group, name = lacking[0]
        known = ", ".join(figures.groups(name))
        raise StudyError([f"group {group!r}: no figure of {name}; there are figures of {known}."])
    if not chosen:
        raise StudyError([f"{' and '.join(names)}: no group has figures of all of them."])
    return chosen


def _arms(figures: Figures, name: str, groups: tuple[str, ...]) -> Arms:
    """Return the figures of a quantity as arrays."""
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


def _parameters(arms: Arms) -> list[Parameter]:
    """Return the unknowns of one quantity, those left out that its figures cannot speak about.

    One study says nothing of how studies differ: its groups are then compared as they are.
    """
    name, quantity = arms.name, arms.quantity
    of = f"of the log{'-odds' if quantity.support == 'unit' else ''} of {name}"
    many = len(arms.studies) > 1
    group = Parameter(
        name,
        quantity.unit,
        PRIORS.get(name, LogNormal(1.0, 1.0)),
        quantity.meaning,
        WIDE if name in PRIORS else CUSTOM,
    )
    spreads = (
        (many, "study_spread", STUDY, f"standard deviation between studies {of}"),
        (
            len(arms.methods) > 1,
            "method_spread",
            METHOD,
            f"standard deviation between methods {of}",
        ),
        (has_arm_effects(arms), "arm_spread", ARM, f"standard deviation between arms {of}"),
        (True, "person_sd", PERSON, f"standard deviation between people {of}, in a typical arm"),
        (
            True,
            "person_sd_spread",
            PERSON_SPREAD,
            "standard deviation between arms of its logarithm",
        ),
    )
    chosen = [
        Parameter(f"{name}_{suffix}", "1", prior, meaning, WIDE)
        for used, suffix, prior, meaning in spreads
        if used
    ]
    masses = [
        Parameter(
            mass_name(name, mass),
            "kg",
            MASS_PRIORS[mass],
            f"{mass} by which {name} was divided",
            "adults from lean to obese; the sources do not print it",
        )
        for mass in arms.masses
    ]
    return [group, *chosen, *masses]


def has_arm_effects(arms: Arms) -> bool:
    """Return whether arms may differ by more than group, study and method."""
    return len(arms.studies) > 1 or len(arms.labels) > len(set(arms.group))


def mass_name(name: str, mass: str) -> str:
    """Return the name of the parameter for an unreported mass."""
    return f"{name}_{mass.replace(' ', '_').replace('-', '_')}"


def _with_priors(
    parameters: Sequence[Parameter], priors: Mapping[str, Prior]
) -> tuple[Parameter, ...]:
    """Return the parameters with other priors where they are given."""
    known = [p.name for p in parameters]
    unknown = [name for name in priors if name not in known]
    if unknown:
        raise ValueError(f"prior of {unknown[0]}: the parameters are {', '.join(known)}")
    lacking = [p.name for p in parameters if p.source == CUSTOM and p.name not in priors]
    if lacking:
        raise ValueError(f"{lacking[0]} has no prior of its own; give one in priors")
    return tuple(
        Parameter(p.name, p.unit, priors[p.name], p.meaning, CUSTOM) if p.name in priors else p
        for p in parameters
    )


def _dims(recipe: FiguresRecipe, parameter: Parameter) -> tuple[str, ...]:
    return ("group",) if parameter.name in {arms.name for arms in recipe.arms} else ()


def _add_arms(arms: Arms, values: Mapping[str, Any]) -> tuple[Any, Any]:
    """Create the true mean of each arm, on the scale of its figure, and the SD of its people."""
    name, arm = arms.name, f"{arms.name}_arm"
    to_line, from_line, slope = LINKS[arms.quantity.support]
    method = _effects(name, "method", f"{name}_by_method", values)
    if len(arms.methods) > 1:
        pm.Deterministic(f"{name}_method_ratio", pt.exp(method), dims=f"{name}_by_method")
    line = to_line(values[name])[arms.group] + method[arms.method]
    line += _effects(name, "study", f"{name}_from_study", values)[arms.study]
    if has_arm_effects(arms):
        # Centered: the figures of an arm say more about it than the other arms do.
        line = pm.Normal(f"{name}_line_offset", line, values[f"{name}_arm_spread"], dims=arm)
    mean = from_line(line)
    person = values[f"{name}_person_sd"] * pt.exp(_effects(name, "person_sd", arm, values))
    mass = pt.stack([values[mass_name(name, s)] if s else pt.constant(1.0) for s in arms.scales])
    return (
        pm.Deterministic(f"{name}_arm_mean", mean / mass, dims=arm),
        pm.Deterministic(f"{name}_arm_sd", person * slope(mean) / mass, dims=arm),
    )


def _effects(name: str, what: str, dim: str, values: Mapping[str, Any]) -> Any:
    """Create the deviations of studies, methods or arms; zeros if they do not deviate."""
    spread = values.get(f"{name}_{what}_spread")
    if spread is None:
        return pt.zeros(len(pm.modelcontext(None).coords[dim]))
    return spread * pm.Normal(f"{name}_{what}_offset", dims=dim)


def _observe(arms: Arms, mean: Any, sd: Any) -> None:
    """Create the observed variables: printed means, and printed SDs where there are any."""
    name, rows = arms.name, arms.has_sd
    measured = pm.Data(f"{name}_mean_measured", arms.mean)
    error = sampling_error(arms, sd, pt.switch)
    pm.Normal(f"{name}_mean", mean, error, observed=measured, dims=f"{name}_mean_observation")
    if rows.size:
        freedom = arms.n[rows] - 1
        pm.CustomDist(
            f"{name}_sd",
            sd[rows],
            freedom,
            dist=_printed_sd,
            observed=pm.Data(f"{name}_sd_measured", arms.sd[rows]),
            dims=f"{name}_sd_observation",
        )


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


def _printed_sd(sigma: Any, freedom: Any, size: Any) -> Any:
    """Return the SD of a sample: its square is a gamma variable with the mean sigma squared."""
    return pt.sqrt(pm.Gamma.dist(freedom / 2, freedom / (2 * sigma**2), size=size))
