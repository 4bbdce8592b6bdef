"""Joint results: draws of a joint model become inference data, part by part.

What follows from the draws is computed for each part as if it were alone, and put side by side.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from hepaflux.fitting.record import (
    correlation_units,
    descriptions,
    design_record,
    insulin_sentence,
    stamped,
    study_record,
)
from hepaflux.fitting.results import computed, log_prior, people, tree_of, without_internals
from hepaflux.model.joint import JointRecipe
from hepaflux.model.recipe import Recipe, noise_unknowns
from hepaflux.units import CANONICAL


def assemble(
    recipe: JointRecipe,
    posterior: xr.Dataset,
    *,
    prior: xr.Dataset,
    sample_stats: xr.Dataset | None,
    record: Mapping[str, Any],
    rng: np.random.Generator,
) -> xr.DataTree:
    """Gather the groups of inference data; arguments as of ``results.assemble``."""
    posterior = without_internals(posterior)
    every = {
        name: _settled(
            recipe,
            name,
            computed(part, _own(recipe, name, posterior), _own(recipe, name, prior), rng),
        )
        for name, part in recipe.parts.items()
    }
    groups: dict[str, xr.Dataset] = {}
    for group in dict.fromkeys(group for part in every.values() for group in part):
        groups[group] = xr.merge(
            [part[group] for part in every.values() if group in part],
            join="outer",
            compat="no_conflicts",
        )
    noise = [p for part in recipe.parts.values() for p in noise_unknowns(part)]
    groups["constant_data"] = groups["constant_data"].merge(people(recipe.study))
    groups["posterior"] = posterior
    groups["prior"] = prior[[v for v in posterior.data_vars if v in prior]]
    groups["log_prior"] = log_prior([*recipe.unknowns, *noise], posterior)
    return tree_of(groups, sample_stats, history(recipe, record))


def _own(recipe: JointRecipe, name: str, draws: xr.Dataset) -> xr.Dataset:
    """Return draws of the unknowns of a part, for its people."""
    part = recipe.parts[name]
    names = [p.name for p in (*part.system.unknowns, *noise_unknowns(part))]
    return xr.Dataset({n: _of_people(recipe, name, draws[n]) for n in names})


def _of_people(recipe: JointRecipe, name: str, values: xr.DataArray) -> xr.DataArray:
    """Return the draws of a parameter for the people of a part."""
    index = recipe.places[name].index
    if "group" in values.dims:
        labels = list(recipe.study.groups)
        own = [labels.index(recipe.study.subjects[i].group) for i in index]
        values = values.isel(group=own).drop_vars("group").rename(group="subject")
        names = [recipe.study.subjects[i].name for i in index]
        return values.assign_coords(subject=names).transpose("chain", "draw", "subject", ...)
    return values.isel(subject=index) if "subject" in values.dims else values


def _settled(
    recipe: JointRecipe, name: str, groups: Mapping[str, xr.Dataset]
) -> dict[str, xr.Dataset]:
    """Return the groups of a part as they stand beside those of others."""
    place = recipe.places[name].index
    settled = dict(groups)
    constant = groups["constant_data"].drop_dims(["subject", "group"], errors="ignore")
    settled["constant_data"] = _among_everybody(constant, place)
    measured = _among_everybody(groups["measured"], place)
    settled["measured"] = measured.rename(_distinct(recipe, name, measured))
    for group, time in (("curves", "curve_time"), ("fluxes", "flux_time")):
        if group in groups:
            own = {time: f"{name}_{time}", "minutes": f"{name}_minutes"}
            settled[group] = groups[group].rename(own)
    return settled


def _among_everybody(dataset: xr.Dataset, place: np.ndarray) -> xr.Dataset:
    """Return a dataset whose indices of subjects count everybody."""
    changed = {n: v.copy(data=place[v]) for n, v in dataset.items() if str(n).endswith("_subject")}
    return dataset.assign(changed)


def _distinct(recipe: JointRecipe, name: str, measured: xr.Dataset) -> dict[str, str]:
    """Return new names of what another part measures too."""
    others = {
        analyte
        for other, part in recipe.parts.items()
        if other != name
        for subject in part.study.subjects
        for analyte in subject.samples
    }
    own = [n for n in map(str, measured.data_vars) if f"{n}_time" in measured]
    repeated = [analyte for analyte in own if analyte in others]
    suffixes = ("", "_time", "_subject", "_used", "_sample")
    return {f"{a}{suffix}": f"{name}_{a}{suffix}" for a in repeated for suffix in suffixes}


def history(recipe: JointRecipe, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that say how the inference data came about."""
    structures: dict[str, Any] = {}
    for part in recipe.parts.values():
        for what, told in descriptions(part).items():
            structures[what] = told if what not in structures else _both(structures[what], told)
    structures["units"] |= _units(recipe) | correlation_units(recipe.design)
    structures["options"] = {
        f"{name} {option}": value
        for name, part in recipe.parts.items()
        for option, value in _options(part)
    }
    structures["design"] = design_record(recipe.design)
    structures["conventions"] = [
        f"{name}: {said}"
        for name, part in recipe.parts.items()
        for said in (insulin_sentence(part.study), *part.system.conventions)
    ]
    system = " + ".join(part.system.name for part in recipe.parts.values())
    return {**stamped({"system": system, **study_record(recipe.study)}, structures), **record}


def _both(first: Any, second: Any) -> Any:
    return {**first, **second} if isinstance(first, dict) else [*first, *second]


def _options(part: Recipe) -> list[tuple[str, Any]]:
    """Return the settings of a part under the names of its options."""
    return [(o.name, part.system.settings[o.name]) for o in part.system.options]


def _units(recipe: JointRecipe) -> dict[str, str]:
    """Return the units of what several parts measure, under the names it has here."""
    analytes = {
        (name, analyte)
        for name, part in recipe.parts.items()
        for subject in part.study.subjects
        for analyte in subject.samples
    }
    return {f"{name}_{analyte}": CANONICAL[analyte] for name, analyte in analytes}
