"""Published: draws of a model of published figures become inference data.

The same groups as for measured people, so that the same judgment, comparison and report apply.
Where a measurement would stand stands a printed mean or SD, and what is replicated is what another
sample of people of the same size would have printed.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from hepaflux.fitting.record import stamped
from hepaflux.fitting.results import log_prior, tree_of, without_internals
from hepaflux.model.arms import Arms, sampling_error
from hepaflux.model.published import FiguresRecipe, coordinates, mass_name
from hepaflux.parameter import Fixed, describe

SAMPLING: Mapping[str, Any] = {"whitened": False, "target_accept": 0.99}
"""How such a model is sampled. Where an SD is missing, the density rises without bound as the SD
goes to zero: the mode says nothing of where the posterior is, and coordinates that are white there
are of no use. A step is cheap, so small ones are affordable."""

ONLY_NUTS = (
    "published figures can be fitted by nuts only, not by {method}: where an SD is missing, the"
    " posterior has no peak that an approximation could start from"
)


def assemble(
    recipe: FiguresRecipe,
    posterior: xr.Dataset,
    *,
    prior: xr.Dataset,
    sample_stats: xr.Dataset | None,
    record: Mapping[str, Any],
    rng: np.random.Generator,
) -> xr.DataTree:
    """Gather the groups of inference data.

    Parameters
    ----------
    recipe : FiguresRecipe
        Of the model that was fitted.
    posterior, prior : Dataset
        Draws with dimensions (chain, draw, ...).
    sample_stats : Dataset or None
        The sampler's record of each draw.
    record : mapping
        How the fit was made: method, draws, seed, and so on.
    rng : numpy Generator
        For the replicated means and SDs.
    """
    posterior = without_internals(posterior)
    unknowns = [p for p in recipe.parameters if not isinstance(p.prior, Fixed)]
    groups = {
        "posterior": posterior,
        "prior": prior[[v for v in posterior.data_vars if v in prior]],
        "expected": _per_figure(recipe, posterior, lambda _, values: values),
        "posterior_predictive": _replicated(recipe, posterior, rng),
        "prior_predictive": _replicated(recipe, prior, rng),
        "log_likelihood": _log_likelihood(recipe, posterior),
        "log_prior": log_prior(unknowns, posterior),
        "observed_data": _observed(recipe),
        "constant_data": _constant(recipe),
    }
    # Nothing is solved here, so there is no failed solution to be judged.
    told = {name: value for name, value in record.items() if name != "failed_solves"}
    return tree_of(groups, sample_stats, history(recipe, told))


def _per_figure(recipe: FiguresRecipe, draws: xr.Dataset, made: Any) -> xr.Dataset:
    """Return what ``made`` makes of the true mean and SD of each arm, for means and SDs."""
    every = coordinates(recipe)
    variables, coords = {}, {"chain": draws.chain, "draw": draws.draw}
    for arms in recipe.arms:
        mean, sd = (draws[f"{arms.name}_arm_{what}"].to_numpy() for what in ("mean", "sd"))
        values = made(arms, {"mean": mean, "sd": sd})
        for what in _printed(arms):
            dim = f"{arms.name}_{what}_observation"
            array = values[what][..., arms.has_sd] if what == "sd" else values[what]
            variables[f"{arms.name}_{what}"] = (("chain", "draw", dim), array)
            coords[dim] = every[dim]
    return xr.Dataset(variables, coords=coords)


def _printed(arms: Arms) -> tuple[str, ...]:
    return ("mean", "sd") if arms.has_sd.size else ("mean",)


def printed_laws(arms: Arms, values: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the sampling distributions of the printed mean and SD of each arm.

    Parameters
    ----------
    arms : Arms
        The figures.
    values : mapping of str to array (..., arm)
        Their true ``mean`` and ``sd``.
    """
    freedom = np.where(arms.n > 1, arms.n - 1, 1.0)
    error = sampling_error(arms, values["sd"], np.where)
    return {
        "mean": stats.norm(values["mean"], error),
        "sd": stats.chi(freedom, scale=values["sd"] / np.sqrt(freedom)),
    }


def _replicated(recipe: FiguresRecipe, draws: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    def replicate(arms: Arms, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        shape = values["mean"].shape
        distributions = printed_laws(arms, values).items()
        return {what: law.rvs(size=shape, random_state=rng) for what, law in distributions}

    return _per_figure(recipe, draws, replicate)


def _log_likelihood(recipe: FiguresRecipe, draws: xr.Dataset) -> xr.Dataset:
    def density(arms: Arms, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        printed = {"mean": arms.mean, "sd": arms.sd}
        distributions = printed_laws(arms, values).items()
        return {what: law.logpdf(printed[what]) for what, law in distributions}

    return _per_figure(recipe, draws, density)


def _observed(recipe: FiguresRecipe) -> xr.Dataset:
    every = coordinates(recipe)
    variables, coords = {}, {}
    for arms in recipe.arms:
        printed = {"mean": arms.mean, "sd": arms.sd[arms.has_sd]}
        for what in _printed(arms):
            dim = f"{arms.name}_{what}_observation"
            variables[f"{arms.name}_{what}"] = (dim, printed[what])
            coords[dim] = every[dim]
    return xr.Dataset(variables, coords=coords)


def _constant(recipe: FiguresRecipe) -> xr.Dataset:
    """Return group, size, printed error and unreported mass of each arm."""
    every = coordinates(recipe)
    variables: dict[str, Any] = {}
    for arms in recipe.arms:
        known = np.where(np.isfinite(arms.se), arms.se, arms.sd / np.sqrt(arms.n))
        masses = [mass_name(arms.name, scale) if scale else "" for scale in arms.scales]
        columns = {"group": arms.group, "n": arms.n, "printed_se": known, "mass": masses}
        for what, column in columns.items():
            variables[f"{arms.name}_arm_{what}"] = (f"{arms.name}_arm", column)
    used = {dim for dim, _ in variables.values()} | {"group"}
    return xr.Dataset(variables, coords={dim: every[dim] for dim in used})


def history(recipe: FiguresRecipe, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that say how the inference data came about.

    Parameters
    ----------
    recipe : FiguresRecipe
        Of the model that was fitted.
    record : mapping
        How the fit was made.
    """
    figures, parameters = recipe.figures, recipe.parameters
    rows = [f for arms in recipe.arms for f in figures.of(arms.name) if f.group in recipe.groups]
    names = [arms.name for arms in recipe.arms]
    structures = {
        "options": {
            "quantity": names,
            "groups": list(recipe.groups),
            "figures": len(rows),
            "unverified figures used": sum(row.trust == "unverified" for row in rows),
        },
        "compared": names,
        "units": {p.name: p.unit for p in parameters} | _units(recipe),
        "meanings": {p.name: p.meaning for p in parameters} | _meanings(recipe),
        "sources": {p.name: p.source for p in parameters},
        "priors": {p.name: describe(p.prior) for p in parameters},
        "supports": {p.name: p.prior.support for p in parameters},
        "conventions": _conventions(recipe),
    }
    plain = {
        "system": "published figures",
        "study": figures.name,
        "study_title": figures.title,
        "study_checksum": figures.checksum,
        "study_origin": figures.origin,
        "citation": "; ".join(dict.fromkeys(row.citation for row in rows)),
    }
    return {**stamped(plain, structures), **record}


def _units(recipe: FiguresRecipe) -> dict[str, str]:
    """Return the units of what is printed; rates of several scales have no common one."""
    units: dict[str, str] = {}
    for arms in recipe.arms:
        mixed = len(set(arms.scales)) > 1
        unit = "as printed" if mixed else arms.quantity.unit_on(arms.scales[0])
        units |= {f"{arms.name}_{what}": unit for what in ("mean", "sd", "arm_mean", "arm_sd")}
        units |= {f"{arms.name}_{what}_ratio": "1" for what in ("method", "study")}
    return units


def _meanings(recipe: FiguresRecipe) -> dict[str, str]:
    meanings: dict[str, str] = {}
    for arms in recipe.arms:
        odds = "odds" if arms.quantity.support == "unit" else "value"
        meanings |= {
            f"{arms.name}_arm_mean": f"true mean {arms.name} of each arm",
            f"{arms.name}_arm_sd": f"SD of {arms.name} between the people of each arm",
            f"{arms.name}_method_ratio": f"{odds} by a method over those by a typical method",
            f"{arms.name}_study_ratio": f"{odds} in a study over those in a typical study",
        }
    return meanings


def _conventions(recipe: FiguresRecipe) -> list[str]:
    """Return in words what the numbers rest on."""
    told = [
        "The data are means, SDs and SEs as papers print them; a bare ± is taken as the table"
        " presumes.",
        "The value of a group is that of a typical study by a typical method; groups are compared"
        " across studies, not within people.",
    ]
    single = [arms.name for arms in recipe.arms if not arms.many_studies]
    if single:
        told.append(
            f"One study alone is behind {' and '.join(single)}: it speaks of its own people."
        )
    return told
