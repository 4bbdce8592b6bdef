"""Confusion: how often the right hypothesis is found, by how many people and by which test.

Virtual people are made under each hypothesis, fitted under each, and the hypotheses are ranked as
for measured people. Nothing but the data knows the truth. Each pair of a hypothesis and a number of
people is compiled once, and while people are left out of one fit the next is being sampled.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr
from scipy import stats

from hepaflux.assess.hypotheses import Ranking, compare_hypotheses
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model, with_study
from hepaflux.fitting.fit import kept_variables, sampling_of
from hepaflux.fitting.hypotheses import under, with_people
from hepaflux.fitting.marginal import person_log_likelihood
from hepaflux.model.hypotheses import build_hypothesis, recipe_of
from hepaflux.model.recipe import Recipe, data_values
from hepaflux.model.visits import simulate_visits
from hepaflux.study.study import Study
from hepaflux.systems.rivals import RIVALS, Hypothesis

SAMPLING: Mapping[str, int] = {"draws": 300, "tune": 300, "chains": 1}
"""Short chains, since there are many fits; enough to rank, not to report a posterior."""

LEFT_OUT_DRAWS = 200
"""Of at most so many draws of each fit people are left out: that moves leads by a few tenths, a
twentieth of their standard errors."""

Kind = tuple[str, frozenset[str]]
"""A hypothesis, and the names of the data: limits are among them only where some are censored."""


class Code(NamedTuple):
    """A model that was compiled once, and how it is sampled."""

    model: pm.Model
    compiled: Any
    settings: Mapping[str, Any]


def confuse_hypotheses(
    *,
    test: str = "clamp",
    subjects: int = 12,
    replicates: int = 10,
    hypotheses: Sequence[Hypothesis] = RIVALS,
    seed: int = 1,
    **sampling: int,
) -> pd.DataFrame:
    """Simulate studies under each hypothesis and tell which one is found.

    Parameters
    ----------
    test : str
        Steps that each person goes through, a name in ``model.visits.TESTS``.
    subjects : int
        People in each of the two groups.
    replicates : int
        Studies under each hypothesis.
    hypotheses : sequence of Hypothesis
        Those that are true in turn, and ranked each time.
    seed : int
        The same seed gives the same table.
    **sampling
        ``draws``, ``tune`` and ``chains``.

    Returns
    -------
    DataFrame
        One row per study: ``truth``, ``test``, ``subjects``, ``replicate``, the hypothesis
        ``found`` best, whether its lead is ``clear``, and the stacking ``weight`` of the truth.
    """
    how = {**SAMPLING, **sampling}
    rows = []
    codes: dict[Kind, Code] = {}
    for truth in hypotheses:
        for replicate in range(replicates):
            own = seed + 1000 * replicate
            study = simulate_visits(truth, test=test, subjects=subjects, seed=own).study
            ranking = _rank(study, hypotheses, codes, {**how, "seed": own})
            weight = {one.name: one.weight for one in ranking.standings}[truth.name]
            found = (ranking.best, ranking.is_clear, weight)
            rows.append((truth.name, test, subjects, replicate, *found))
    names = ["truth", "test", "subjects", "replicate", "found", "clear", "weight"]
    return pd.DataFrame(rows, columns=names)


class Running(NamedTuple):
    """A fit that is being sampled."""

    hypothesis: Hypothesis
    recipe: Recipe
    model: pm.Model
    sampler: Any


def _rank(
    study: Study,
    hypotheses: Sequence[Hypothesis],
    codes: dict[Kind, Code],
    how: Mapping[str, int],
) -> Ranking:
    """Rank the hypotheses on one study, with code that was compiled for an earlier one."""
    running = [_started(study, hypothesis, codes, how) for hypothesis in hypotheses]
    fits = {one.hypothesis.name: _finished(one, how["seed"]) for one in running}
    return compare_hypotheses(fits)


def _started(
    study: Study, hypothesis: Hypothesis, codes: dict[Kind, Code], how: Mapping[str, int]
) -> Running:
    """Start to sample a study under a hypothesis."""
    recipe = recipe_of(study, hypothesis)
    values = data_values(recipe)
    kind = (hypothesis.name, frozenset(values))
    if kind not in codes:
        model = build_hypothesis(study, hypothesis)
        compiled = compile_model(model, keep=kept_variables(model))
        codes[kind] = Code(model, compiled, sampling_of(model))
    model, compiled, settings = codes[kind]
    mine = with_study(compiled, values)
    return Running(hypothesis, recipe, model, nuts.start(mine, **{**settings, **how}))


def _finished(running: Running, seed: int) -> xr.DataTree:
    """Wait for a fit, and leave every person out of it."""
    drawn = nuts.finish(running.sampler)
    posterior = drawn["posterior"].to_dataset()[kept_variables(running.model)]
    likelihood = person_log_likelihood(running.recipe, posterior, draws=LEFT_OUT_DRAWS, seed=seed)
    tree = xr.DataTree.from_dict({"/posterior": posterior})
    return under(with_people(tree, likelihood), running.hypothesis)


def confusion_matrix(table: pd.DataFrame, *, ci_prob: float = 0.9) -> pd.DataFrame:
    """Return how often each hypothesis was found, by test, number of people and truth.

    Parameters
    ----------
    table : DataFrame
        Rows of ``confuse_hypotheses``, of one or more tests and numbers of people.
    ci_prob : float
        Probability inside the intervals.

    Returns
    -------
    DataFrame
        The number of ``studies``; as shares of them one column per hypothesis, and how often the
        lead was clear (``decided``) and clear for the wrong one (``misled``); and of each share,
        as ``..._lower`` and ``..._upper``, the interval by Wilson (1927, J Am Stat Assoc 22:209).
    """
    keys = ["test", "subjects", "truth"]
    names = list(dict.fromkeys(table["truth"]))
    happened = {name: table["found"] == name for name in names} | {
        "decided": table["clear"].astype(bool),
        "misled": table["clear"].astype(bool) & (table["found"] != table["truth"]),
    }
    grouped = table[keys].assign(**happened).groupby(keys)
    times, studies = grouped.sum(), grouped.size()
    matrix = times.div(studies, axis=0)
    matrix.insert(0, "studies", studies)
    for name in happened:
        bounds = [_interval(k, n, ci_prob) for k, n in zip(times[name], studies, strict=True)]
        matrix[[f"{name}_lower", f"{name}_upper"]] = np.array(bounds)
    return matrix


def _interval(times: int, studies: int, ci_prob: float) -> tuple[float, float]:
    """Return the bounds of a share by Wilson."""
    found = stats.binomtest(int(times), int(studies)).proportion_ci(ci_prob, method="wilson")
    return float(found.low), float(found.high)


def with_intervals(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return a confusion matrix as it is read: each share with its interval in one cell."""
    shares = [name for name in matrix if f"{name}_lower" in matrix]
    words = {
        name: [
            f"{share:.2f} ({lower:.2f} to {upper:.2f})"
            for share, lower, upper in zip(
                *(matrix[f"{name}{end}"] for end in ("", "_lower", "_upper")), strict=True
            )
        ]
        for name in shares
    }
    return matrix[["studies"]].assign(**words)
