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
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from hepaflux.model.arms import Arms, arms_of, sampling_error
from hepaflux.model.group_liver import Mechanism
from hepaflux.model.priors import random_variable
from hepaflux.parameter import Beta, LogNormal, Parameter, Prior, Uniform, describe
from hepaflux.study.figures import Figures
from hepaflux.study.quantities import MASSES
from hepaflux.study.study import StudyError

PRIORS: Mapping[str, Prior] = {
    "dnl_fraction": Beta(1.0, 5.0),
    "dnl_fraction_fed": Beta(1.5, 5.0),
    "vldl_tg_secretion": LogNormal(20.0, 1.5),
    "egp_suppression": Beta(2.0, 1.5),
    "hepatic_insulin_sensitivity": LogNormal(1.0, 3.0),
    "liver_fat": Beta(1.0, 7.0),
}
"""Prior of the value of a group, by quantity: wide, and the same for every group."""

LEFT_OUT = "left_out"
"""Ends the names of the data that say which arms the likelihood passes over, 1 or 0."""

FLAT = 1e6
"""Standard error of a mean that is passed over: its density is the same wherever the arm is."""

UNNAMED: Mapping[str, Prior] = {"positive": LogNormal(1.0, 1.0), "unit": Uniform(0.0, 1.0)}
"""Stand for the prior of a quantity of the user's own, which has to be given."""

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

LINKS: Mapping[str, tuple[Callable, Callable, Callable]] = {
    "positive": (pt.log, pt.exp, lambda mean: mean),
    "unit": (pm.math.logit, pm.math.sigmoid, lambda mean: mean * (1 - mean)),
}
"""Scale on which arms differ, its inverse, and the inverse's slope at a mean, by support."""


@dataclass(frozen=True, eq=False)
class FiguresRecipe:
    """What a model of published figures was built from; ``fit`` reads it from the model.

    Attributes
    ----------
    figures : Figures
        The validated table.
    groups : tuple of str
        Those for which every quantity of the model has a figure; with a mechanism, any of them.
    arms : tuple of Arms
        One per quantity.
    parameters : tuple of Parameter
        Every unknown that has a prior of its own.
    by_group : frozenset of str
        Those of them that have one value for each group.
    """

    figures: Figures
    groups: tuple[str, ...]
    arms: tuple[Arms, ...]
    parameters: tuple[Parameter, ...]
    by_group: frozenset[str] = frozenset()


def build_figures_model(
    figures: Figures,
    quantity: str | Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    priors: Mapping[str, Prior] | None = None,
    mechanism: Mechanism | None = None,
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
        Groups that enter, reference first; by default those for which every quantity has a figure,
        or with a mechanism any of them.
    priors : mapping of str to Prior, optional
        Other priors, by the name of a quantity or another parameter.
    mechanism : Mechanism, optional
        What gives the quantities of a group together, such as ``group_liver(hypothesis)``.

    Returns
    -------
    pm.Model
        With one variable by group under each quantity's name, the spreads between studies, methods,
        arms and people, the mean and SD of each arm, and as observed variables the printed means
        (``..._mean``) and SDs (``..._sd``). The data ``..._left_out`` say which arms are passed
        over; at first none is.

    Raises
    ------
    StudyError
        If there are no figures of a quantity or a group.
    ValueError
        If a prior is missing, or is given for what the model does not have.
    """
    names = (quantity,) if isinstance(quantity, str) else tuple(dict.fromkeys(quantity))
    chosen = _groups(figures, names, groups, joined=mechanism is not None)
    arms = tuple(arms_of(figures, name, chosen) for name in names)
    stated = [p for part in arms for p in _parameters(part)]
    by_group = frozenset(names)
    if mechanism is not None:
        stated = [*(p for p in stated if p.name not in names), *mechanism.parameters]
        by_group = mechanism.by_group
    parameters = _with_priors(stated, priors or {})
    recipe = FiguresRecipe(figures, chosen, arms, parameters, by_group)
    with pm.Model(coords=coordinates(recipe)) as model:
        values = {p.name: random_variable(p.name, p.prior, _dims(recipe, p)) for p in parameters}
        if mechanism is not None:
            values |= _mechanistic(mechanism, values, names)
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


def _groups(
    figures: Figures, names: Sequence[str], asked: Sequence[str] | None, *, joined: bool
) -> tuple[str, ...]:
    """Return the groups that enter the model; joined by a mechanism, one may lack a quantity."""
    by_quantity = [figures.groups(name) for name in names]
    if joined:
        by_quantity = [tuple(dict.fromkeys(g for has in by_quantity for g in has))] * len(names)
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


def _parameters(arms: Arms) -> list[Parameter]:
    """Return the unknowns of one quantity, those left out that its figures cannot speak about.

    One study says nothing of how studies differ: its groups are then compared as they are.
    """
    name, quantity = arms.name, arms.quantity
    of = f"of the log{'-odds' if quantity.support == 'unit' else ''} of {name}"
    group = Parameter(
        name,
        quantity.unit,
        PRIORS.get(name, UNNAMED[quantity.support]),
        quantity.meaning,
        WIDE if name in PRIORS else CUSTOM,
    )
    between = "standard deviation between"
    spreads = (
        (arms.many_studies, "study_spread", STUDY, f"{between} studies {of}"),
        (arms.many_methods, "method_spread", METHOD, f"{between} methods {of}"),
        (arms.differ, "arm_spread", ARM, f"{between} arms {of}"),
        (True, "person_sd", PERSON, f"{between} people {of}, in a typical arm"),
        (True, "person_sd_spread", PERSON_SPREAD, f"{between} arms of the log of person_sd"),
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
    for parameter in parameters:
        _check_support(parameter, priors.get(parameter.name, parameter.prior))
    return tuple(
        replace(p, prior=priors[p.name], source=CUSTOM) if p.name in priors else p
        for p in parameters
    )


def _check_support(parameter: Parameter, prior: Prior) -> None:
    """Refuse a prior that would allow values that the parameter cannot take."""
    fitting = ("unit",) if parameter.prior.support == "unit" else ("positive", "unit")
    if prior.support not in fitting:
        kind = "a fraction between 0 and 1" if fitting == ("unit",) else "positive"
        raise ValueError(
            f"prior of {parameter.name}: {describe(prior)} is not of one that is {kind}"
        )


def _dims(recipe: FiguresRecipe, parameter: Parameter) -> tuple[str, ...]:
    return ("group",) if parameter.name in recipe.by_group else ()


def _mechanistic(
    mechanism: Mechanism, values: Mapping[str, Any], names: Sequence[str]
) -> dict[str, Any]:
    """Create the quantities of each group as what a mechanism makes of its unknowns."""
    own = {p.name: values[p.name] for p in mechanism.parameters}
    found = mechanism.values(own)
    lacking = [name for name in names if name not in found]
    if lacking:
        raise ValueError(f"the mechanism gives {', '.join(found)}, but not {lacking[0]}")
    return {name: pm.Deterministic(name, found[name], dims="group") for name in names}


def _add_arms(arms: Arms, values: Mapping[str, Any]) -> tuple[Any, Any]:
    """Create the true mean of each arm, on the scale of its figure, and the SD of its people."""
    name, arm = arms.name, f"{arms.name}_arm"
    to_line, from_line, slope = LINKS[arms.quantity.support]
    line = to_line(values[name])[arms.group]
    for what, dim, index in (
        ("method", f"{name}_by_method", arms.method),
        ("study", f"{name}_from_study", arms.study),
    ):
        effect = _effects(name, what, dim, values)
        line += effect[index]
        if f"{name}_{what}_spread" in values:
            pm.Deterministic(f"{name}_{what}_ratio", pt.exp(effect), dims=dim)
    if arms.differ:
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
    """Create the observed variables: printed means, and printed SDs where there are any.

    What is left out stays in the model, so that the same code serves with and without it.
    """
    name, rows = arms.name, arms.has_sd
    measured = pm.Data(f"{name}_mean_measured", arms.mean)
    is_left_out = pm.Data(f"{name}_{LEFT_OUT}", np.zeros(len(arms.labels)))
    error = pt.switch(is_left_out, FLAT, sampling_error(arms, sd, pt.switch))
    pm.Normal(f"{name}_mean", mean, error, observed=measured, dims=f"{name}_mean_observation")
    if rows.size:
        freedom = arms.n[rows] - 1
        pm.CustomDist(
            f"{name}_sd",
            pt.switch(is_left_out[rows], 1.0, sd[rows]),
            freedom,
            dist=_printed_sd,
            observed=pm.Data(f"{name}_sd_measured", arms.sd[rows]),
            dims=f"{name}_sd_observation",
        )


def _printed_sd(sigma: Any, freedom: Any, size: Any) -> Any:
    """Return the SD of a sample: its square is a gamma variable with the mean sigma squared."""
    return pt.sqrt(pm.Gamma.dist(freedom / 2, freedom / (2 * sigma**2), size=size))
