"""Hypotheses: data are fitted under every explanation, and each of their parts is left out of each.

The part of a study is a person, that of published figures a figure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from hepaflux.fitting.compiled import compile_model
from hepaflux.fitting.fit import carry_out, fit, kept_variables, record_of
from hepaflux.fitting.left_out import leave_figures_out
from hepaflux.fitting.marginal import person_log_likelihood
from hepaflux.model.group_liver import GIVES, group_liver
from hepaflux.model.hypotheses import build_hypothesis
from hepaflux.model.published import build_figures_model
from hepaflux.study.figures import Figures
from hepaflux.study.study import Study
from hepaflux.systems.rivals import FREE, RIVALS, SELECTIVITY, Hypothesis

ABOUT = ("healthy", "obese", "NAFLD")
"""Groups of published figures that the hypotheses are about."""

SIZES: Mapping[str, int] = {"draws": 1000, "tune": 1000, "chains": 4}
"""Of fits for which no others are given, as of ``fit``."""


def fit_hypotheses(
    study: Study,
    hypotheses: Sequence[Hypothesis] = (*RIVALS, FREE),
    *,
    seed: int = 1,
    **settings: Any,
) -> dict[str, xr.DataTree]:
    """Fit a study of livers at rest under each hypothesis.

    Parameters
    ----------
    study : Study
        As for ``build_hypothesis``.
    hypotheses : sequence of Hypothesis
        Of different names.
    seed : int
        The same for all.
    **settings
        ``draws``, ``tune`` and ``chains`` as for ``fit``.

    Returns
    -------
    dict of str to DataTree
        Inference data by hypothesis, as from ``fit``, with the hypothesis in the attributes; of
        those that fix lambda_L, with the log-likelihood of each person beside that of each
        measurement.
    """
    found = {}
    for hypothesis in hypotheses:
        model = build_hypothesis(study, hypothesis)
        tree = fit(model, seed=seed, **settings)
        if hypothesis.fixes(SELECTIVITY):
            posterior = tree["posterior"].to_dataset()
            tree = with_people(tree, person_log_likelihood(model.recipe, posterior, seed=seed))
        found[hypothesis.name] = under(tree, hypothesis)
    return found


def fit_figures_hypotheses(
    figures: Figures,
    hypotheses: Sequence[Hypothesis] = (*RIVALS, FREE),
    *,
    groups: Sequence[str] = ABOUT,
    seed: int = 1,
    **settings: Any,
) -> dict[str, xr.DataTree]:
    """Fit published figures through one liver of each group under each hypothesis.

    Parameters
    ----------
    figures : Figures
        From ``read_figures``, with some of the quantities that ``group_liver`` gives.
    hypotheses : sequence of Hypothesis
        Of different names.
    groups : sequence of str
        Groups that enter, reference first.
    seed : int
        The same for all.
    **settings
        ``draws``, ``tune`` and ``chains`` as for ``fit``. Fits without a figure, of which one
        number is wanted, have half the draws and half the tuning steps.

    Returns
    -------
    dict of str to DataTree
        Inference data by hypothesis, as from ``fit``, with the hypothesis in the attributes; of
        those that fix lambda_L, with how well each figure is predicted by the others
        (``figures_left_out``).
    """
    how = record_of("nuts", **{**SIZES, **settings}, seed=seed)
    halves = {name: max(1, how[name] // 2) for name in ("draws", "tune")}
    shorter = {**halves, "chains": how["chains"], "seed": seed}
    found, there = {}, {quantity.name for quantity in figures.quantities}
    for hypothesis in hypotheses:
        model = build_figures_model(
            figures,
            [name for name in GIVES if name in there],
            groups=groups,
            mechanism=group_liver(hypothesis),
        )
        compiled = compile_model(model, keep=kept_variables(model))
        tree = carry_out(model, how, compiled)
        if hypothesis.fixes(SELECTIVITY):
            posterior = tree["posterior"].to_dataset()
            of_figures = leave_figures_out(model, compiled, posterior, sampling=shorter)
            tree["figures_left_out"] = xr.DataTree(of_figures)
        found[hypothesis.name] = under(tree, hypothesis)
    return found


def with_people(tree: xr.DataTree, of_person: xr.Dataset) -> xr.DataTree:
    """Return inference data with the log-likelihood of people."""
    tree["person_log_likelihood"] = xr.DataTree(of_person)
    return tree


def under(tree: xr.DataTree, hypothesis: Hypothesis) -> xr.DataTree:
    """Return inference data that says under which hypothesis it was fitted."""
    tree.attrs["hypothesis"] = hypothesis.name
    tree.attrs["hypothesis_says"] = hypothesis.sentence
    tree.attrs["hypothesis_source"] = hypothesis.source
    return tree
