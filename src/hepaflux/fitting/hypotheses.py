"""Hypotheses: one study is fitted under every explanation, and every person is left out of each."""

from collections.abc import Sequence
from typing import Any

import xarray as xr

from hepaflux.fitting.fit import fit
from hepaflux.fitting.marginal import PERSON, person_log_likelihood
from hepaflux.model.hypotheses import build_hypothesis
from hepaflux.study.study import Study
from hepaflux.systems.rivals import FREE, RIVALS, Hypothesis


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
        Inference data by hypothesis, as from ``fit``, with the log-likelihood of each person
        (``person``) beside that of each measurement, and the hypothesis in the attributes.
    """
    found = {}
    for hypothesis in hypotheses:
        model = build_hypothesis(study, hypothesis)
        tree = fit(model, seed=seed, **settings)
        of_person = person_log_likelihood(model.recipe, tree["posterior"].to_dataset(), seed=seed)
        found[hypothesis.name] = with_people(tree, of_person, hypothesis)
    return found


def with_people(tree: xr.DataTree, of_person: xr.DataArray, hypothesis: Hypothesis) -> xr.DataTree:
    """Return inference data with the log-likelihood of people, and what it was fitted under."""
    tree["person_log_likelihood"] = xr.DataTree(xr.Dataset({PERSON: of_person}))
    tree.attrs["hypothesis"] = hypothesis.name
    tree.attrs["hypothesis_says"] = f"{hypothesis.sentence} ({hypothesis.source})"
    return tree
