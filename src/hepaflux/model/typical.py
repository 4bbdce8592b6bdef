"""Typical: the course of a typical person, by what a fit says of the medians."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pymc as pm
import xarray as xr

from hepaflux.model.build import TOLERANCE
from hepaflux.model.courses import described
from hepaflux.model.design import Level
from hepaflux.model.joint import JointRecipe
from hepaflux.model.predict import courses
from hepaflux.model.recipe import Recipe, prepare, separate


def typical_courses(
    model: pm.Model,
    posterior: xr.DataTree,
    minutes: Sequence[float] | np.ndarray,
    *,
    subject: str | None = None,
    group: str | None = None,
    part: str | None = None,
) -> xr.Dataset:
    """Return every output and flux of a typical person, draw by draw and free of any error.

    A parameter that is shared counts as it is, one that varies between people at the median of its
    population, and what differs between groups as in the group that is named.

    Parameters
    ----------
    model : pm.Model
        From ``build_model`` or ``build_joint_model``.
    posterior : DataTree
        What ``fit`` made of it.
    minutes : array (time,), min
        Increasing.
    subject : str, optional
        Whose test it is, with its doses and inputs; the first subject if not given.
    group : str, optional
        Of people, or of a method of measurement; needed where something differs between groups.
    part : str, optional
        Of a joint model, which says what the test and the system are; its names are those of the
        joint model.

    Returns
    -------
    Dataset
        Variables (chain, draw, minutes); in their attributes ``unit``, ``meaning`` and ``kind``
        (output or flux).

    Raises
    ------
    ValueError
        If a parameter has a value of its own in each person, so that nobody is typical; or the
        group or the part is missing or unknown.
    """
    recipe, levels = _part(model.recipe, part)
    found = posterior["posterior"].to_dataset()
    shape = (found.sizes["chain"], found.sizes["draw"])
    draws = {}
    for parameter in recipe.system.unknowns:
        median = _median(parameter.name, levels[parameter.name], found, group)
        draws[parameter.name] = np.reshape(median, (shape[0] * shape[1], 1, *median.shape[2:]))
    values = courses(_alone(recipe, subject), draws, [np.asarray(minutes)], tolerance=TOLERANCE)
    about = described(recipe.system)
    dims = ("chain", "draw", "minutes")
    return xr.Dataset(
        {name: (dims, value.reshape(*shape, -1), about[name]) for name, value in values.items()},
        coords={"chain": found["chain"], "draw": found["draw"], "minutes": np.asarray(minutes)},
    )


def _part(recipe: Recipe | JointRecipe, part: str | None) -> tuple[Recipe, Mapping[str, Level]]:
    """Return the recipe of a test, and how each unknown differs between all people."""
    if isinstance(recipe, Recipe):
        if part is not None:
            raise ValueError(f"the model has no parts, so it has no {part!r}")
        return recipe, recipe.design.levels
    if part is None or part not in recipe.parts:
        raise ValueError(f"part must be one of {', '.join(recipe.parts)}, but is {part!r}")
    return recipe.parts[part], recipe.design.levels


def _alone(recipe: Recipe, subject: str | None) -> Recipe:
    """Return the recipe of one of its subjects, every unknown with a value of its own."""
    one = recipe.study[subject] if subject else recipe.study.subjects[0]
    study = replace(recipe.study, subjects=(one,))
    return separate(prepare(study, recipe.system, noise=recipe.noise, adapted=True))


def _median(name: str, level: Level, found: xr.Dataset, group: str | None) -> np.ndarray:
    """Return the draws (chain, draw, [axis]) of a parameter in a typical person."""
    if level == "separate":
        raise ValueError(
            f"{name} has a value of its own in each person, so nobody is typical; fit with level"
            f" shared or subject for {name}"
        )
    values = found[f"{name}_population" if level == "subject" else name]
    if "group" not in values.dims:
        return values.transpose("chain", "draw", ...).to_numpy()
    known = [str(label) for label in values["group"].values]
    if group not in known:
        raise ValueError(f"{name} differs between groups; name one of {', '.join(known)}")
    return values.sel(group=group).transpose("chain", "draw", ...).to_numpy()
