"""Hypotheses: one study is fitted under every explanation, and every person is left out of each."""

from collections.abc import Sequence
from typing import Any

import xarray as xr

from hepaflux.fitting.fit import fit
from hepaflux.fitting.marginal import person_log_likelihood
from hepaflux.model.hypotheses import build_hypothesis
from hepaflux.study.study import Study
from hepaflux.systems.rivals import FREE, RIVALS, SELECTIVITY, Hypothesis


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
