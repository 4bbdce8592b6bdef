"""Record: the attributes of inference data, which say how they came about and what they mean."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from hepaflux.model.build import TOLERANCE
from hepaflux.model.design import Design
from hepaflux.model.noise import FAMILIES, noise_of
from hepaflux.model.recipe import Recipe, noise_parameters
from hepaflux.parameter import Fixed, describe
from hepaflux.study.study import Study
from hepaflux.units import CANONICAL


def history(recipe: Recipe, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that say how the inference data came about."""
    study, system = recipe.study, recipe.system
    told = descriptions(recipe)
    structures = {
        **told,
        "units": told["units"] | correlation_units(recipe.design),
        "options": dict(system.settings),
        "design": design_record(recipe.design),
        "conventions": [insulin_sentence(study), *system.conventions],
    }
    named = {"system": system.name, "integrator": system.integrator}
    return {**stamped({**named, **study_record(study)}, structures), **record}


def descriptions(recipe: Recipe) -> dict[str, Any]:
    """Return what is said of each parameter and quantity of a model."""
    system = recipe.system
    parameters = (*system.parameters, *noise_parameters(recipe))
    described: tuple[Any, ...] = (*parameters, *system.derived, *system.fluxes, *system.outputs)
    units = {d.name: d.unit for d in described} | CANONICAL
    units |= {part: output.unit for output in system.outputs for part in output.parts}
    for parameter in system.unknowns:
        units |= {f"{parameter.name}_population": parameter.unit}
        units |= {f"{parameter.name}_{what}": "1" for what in ("spread", "slope")}
    return {
        "units": units,
        "meanings": {d.name: d.meaning for d in described},
        "sources": {p.name: p.source for p in parameters},
        "priors": {p.name: describe(p.prior) for p in parameters},
        "fixed": [p.name for p in parameters if isinstance(p.prior, Fixed)],
        "supports": {p.name: p.prior.support for p in parameters},
        "carried": [p.name for p in parameters if not p.sought],
        "rests_on": {name: list(others) for name, others in system.rests_on.items()},
        "noise": {o.name: noise_name(recipe.noise[o.name], o) for o in system.outputs},
        "leading": list(system.leading),
    }


def design_record(design: Design) -> dict[str, Any]:
    """Return a design as JSON can hold it."""
    return {
        "levels": dict(design.levels),
        "by_group": design.by_group,
        "covariates": {name: list(used) for name, used in design.covariates.items()},
        "correlated": [list(pair) for pair in design.correlated],
    }


def correlation_units(design: Design) -> dict[str, str]:
    """Return the units of correlations between parameters."""
    return {f"{first}_{second}_correlation": "1" for first, second in design.correlated}


def insulin_sentence(study: Study) -> str:
    """Say by which convention insulin was converted."""
    return f"1 µU/mL of insulin = {study.insulin_factor:g} pmol/L."


def study_record(study: Study) -> dict[str, Any]:
    """Return what was fitted and how its insulin was converted."""
    return {
        "study": study.name,
        "study_title": study.title,
        "study_checksum": study.checksum,
        "study_origin": study.origin,
        "citation": study.citation,
        "insulin_factor": study.insulin_factor,
        "tolerance": list(TOLERANCE),
    }


def stamped(plain: Mapping[str, Any], structures: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes with the time and the versions; structures as JSON."""
    names = ("hepaflux", "pymc", "pytensor", "numba", "nutpie", "arviz", "numpy")
    return {
        "hepaflux_version": version("hepaflux"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **plain,
        **{name: json.dumps(value) for name, value in structures.items()},
        "versions": json.dumps({name: version(name) for name in names}),
    }


def noise_name(noise: Any, output: Any) -> str:
    """Return the name of a noise model, or its description if it is none of the named ones."""
    return next((f for f in FAMILIES if noise_of(output, f) == noise), repr(noise))
