"""Knockout: what remains of a disease when one of its causes is undone in the posterior.

A cause is a parameter of the liver or what plasma holds. Draw by draw the values of a group are
moved by one factor, so that their geometric mean is that of healthy people and people differ as
they did; everything else stays as it was fitted, and the outputs follow. So each row tells what one
cause adds while the others are at work: shares need not add up to one, and what a loop would do to
plasma in the long run is not followed.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from hepaflux.model.build import TOLERANCE
from hepaflux.model.predict import in_a_row, predict
from hepaflux.model.recipe import Recipe, prepare
from hepaflux.study.study import Samples, Study, Subject


class Cause(NamedTuple):
    """What is undone.

    Attributes
    ----------
    parameters : tuple of str
        Of the liver.
    plasma : tuple of str
        Analytes, in the fasted state.
    """

    parameters: tuple[str, ...] = ()
    plasma: tuple[str, ...] = ()


CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "deaf wire to glucose": Cause(parameters=("w_L",)),
        "high insulin": Cause(plasma=("insulin",)),
        "fatty acids": Cause(plasma=("ffa",)),
        "high glucose": Cause(plasma=("glucose",)),
        "drive of lipogenesis": Cause(parameters=("drive",)),
        "supply of fatty acids": Cause(parameters=("supply",)),
        "all of them": Cause(("w_L", "drive", "supply", "H_0"), ("insulin", "ffa", "glucose")),
    }
)
"""Parts of the loops of a fatty liver."""


def knock_out(
    recipe: Recipe,
    posterior: xr.Dataset,
    *,
    reference: str = "healthy",
    causes: Mapping[str, Cause] = CAUSES,
) -> pd.DataFrame:
    """Return how outputs of patients compare with healthy people, cause by cause.

    Parameters
    ----------
    recipe : Recipe
        Of a model of livers at rest in several groups.
    posterior : Dataset
        Draws of it, with dimensions (chain, draw, ...).
    reference : str
        The healthy group.
    causes : mapping of str to Cause
        What is undone, one after the other.

    Returns
    -------
    DataFrame
        One row per group, output and cause (first ``nothing``): the ratio of fasted geometric means
        to the reference, as ``median``, ``lower`` and ``upper`` of 90 %.

    Raises
    ------
    ValueError
        If there is no such group, or no other.
    """
    groups = recipe.study.groups
    if reference not in groups or len(groups) < 2:
        raise ValueError(f"reference must be one of two or more groups: {', '.join(groups)}")
    draws = {p.name: in_a_row(posterior[p.name]) for p in recipe.system.unknowns}
    healthy = np.array([s.group == reference for s in recipe.study.subjects])
    base = _fasted(recipe, draws)
    rows = []
    for name, cause in {"nothing": Cause(), **causes}.items():
        undone = _fasted(*_without(recipe, draws, cause, healthy))
        for group in (g for g in groups if g != reference):
            mine = np.array([s.group == group for s in recipe.study.subjects])
            for output, logs in undone.items():
                reached = np.nanmean(logs[:, mine], axis=1)
                ratio = np.exp(reached - np.nanmean(base[output][:, healthy], axis=1))
                rows.append((group, output, name, *np.quantile(ratio, [0.5, 0.05, 0.95])))
    return pd.DataFrame(rows, columns=["group", "output", "without", "median", "lower", "upper"])


def _without(
    recipe: Recipe, draws: Mapping[str, np.ndarray], cause: Cause, healthy: np.ndarray
) -> tuple[Recipe, dict[str, np.ndarray]]:
    """Return recipe and draws in which a cause is undone in everybody who is not healthy."""
    changed, people = dict(draws), recipe.study.subjects
    member = np.array([recipe.study.groups.index(person.group) for person in people])
    for name in cause.parameters:
        changed[name] = np.exp(_moved(np.log(draws[name]), member, healthy))
    if not cause.plasma:
        return recipe, changed
    cured = list(people)
    for analyte in cause.plasma:
        first = np.log([[person.samples[analyte].value[0] for person in people]])
        values = np.exp(_moved(first, member, healthy))[0]
        cured = [_with(p, analyte, float(v)) for p, v in zip(cured, values, strict=True)]
    study: Study = replace(recipe.study, subjects=tuple(cured))
    again = prepare(study, recipe.system, design=recipe.design, noise=recipe.noise, adapted=True)
    return again, changed


def _moved(logs: np.ndarray, member: np.ndarray, healthy: np.ndarray) -> np.ndarray:
    """Return logarithms (draw, subject) with the mean of each group at that of healthy people."""
    usual = logs[:, healthy].mean(axis=1, keepdims=True)
    moved = logs.copy()
    for group in np.unique(member[~healthy]):
        mine = member == group
        moved[:, mine] += usual - logs[:, mine].mean(axis=1, keepdims=True)
    return moved


def _with(person: Subject, analyte: str, value: float) -> Subject:
    """Return a person with another concentration in the fasted state."""
    old = person.samples[analyte]
    values = np.concatenate([[value], old.value[1:]])
    return replace(
        person, samples={**person.samples, analyte: Samples(old.time, values, old.censoring)}
    )


def _fasted(recipe: Recipe, draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the log of each output at each person's first sample, (draw, subject)."""
    means: dict[str, Any] = predict(recipe, draws, tolerance=TOLERANCE)
    found = {}
    for observed in recipe.observations:
        values = np.log(means[observed.output.name])
        table = np.full((len(values), len(recipe.study.subjects)), np.nan)
        for i in range(table.shape[1]):
            mine = np.flatnonzero(observed.subject == i)
            if mine.size:
                table[:, i] = values[:, mine[np.argmin(observed.time[mine])]]
        found[observed.output.name] = table
    return found
