"""Confusion: how often the right hypothesis is found, by how many people and by which test.

Virtual people are made under each hypothesis, fitted under each, and the hypotheses are ranked as
for measured people. Nothing but the data knows the truth. Each pair of a hypothesis and a number of
people is compiled once.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import pymc as pm
import xarray as xr

from hepaflux.assess.hypotheses import Ranking, compare_hypotheses
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model, with_study
from hepaflux.fitting.fit import kept_variables, sampling_of
from hepaflux.fitting.hypotheses import under, with_people
from hepaflux.fitting.marginal import person_log_likelihood
from hepaflux.model.hypotheses import build_hypothesis, recipe_of
from hepaflux.model.recipe import data_values
from hepaflux.model.visits import simulate_visits
from hepaflux.study.study import Study
from hepaflux.systems.rivals import RIVALS, Hypothesis

SAMPLING: Mapping[str, int] = {"draws": 300, "tune": 300, "chains": 1}
"""Short chains, since there are many fits; enough to rank, not to report a posterior."""


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


def _rank(
    study: Study,
    hypotheses: Sequence[Hypothesis],
    codes: dict[Kind, Code],
    how: Mapping[str, int],
) -> Ranking:
    """Rank the hypotheses on one study, with code that was compiled for an earlier one."""
    fits = {}
    for hypothesis in hypotheses:
        recipe = recipe_of(study, hypothesis)
        values = data_values(recipe)
        kind = (hypothesis.name, frozenset(values))
        if kind not in codes:
            model = build_hypothesis(study, hypothesis)
            compiled = compile_model(model, keep=kept_variables(model))
            codes[kind] = Code(model, compiled, sampling_of(model))
        model, compiled, settings = codes[kind]
        mine = with_study(compiled, values)
        drawn = nuts.finish(nuts.start(mine, **{**settings, **how}))
        posterior = drawn["posterior"].to_dataset()[kept_variables(model)]
        tree = xr.DataTree.from_dict({"/posterior": posterior})
        likelihood = person_log_likelihood(recipe, posterior, draws=how["draws"], seed=how["seed"])
        fits[hypothesis.name] = under(with_people(tree, likelihood), hypothesis)
    return compare_hypotheses(fits)


def confusion_matrix(table: pd.DataFrame) -> pd.DataFrame:
    """Return how often each hypothesis was found, by test, number of people and truth.

    Parameters
    ----------
    table : DataFrame
        Rows of ``confuse_hypotheses``, of one or more tests and numbers of people.

    Returns
    -------
    DataFrame
        Shares of the studies: one column per hypothesis, and how often the lead was clear
        (``decided``) and clear for the wrong one (``misled``).
    """
    keys = ["test", "subjects", "truth"]
    matrix = pd.crosstab([table[key] for key in keys], table["found"], normalize="index")
    order = list(dict.fromkeys(table["truth"]))
    matrix = matrix.reindex(columns=order, fill_value=0.0)
    wrong = table["clear"] & (table["found"] != table["truth"])
    judged = table.assign(decided=table["clear"].astype(float), misled=wrong.astype(float))
    return matrix.join(judged.groupby(keys)[["decided", "misled"]].mean())
