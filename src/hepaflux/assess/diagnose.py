"""Diagnose: may this posterior be believed, and what should be done if not."""

import pandas as pd
import xarray as xr

from hepaflux.assess import history
from hepaflux.assess.check import Check, Verdict
from hepaflux.assess.convergence import check_convergence
from hepaflux.assess.identifiability import FEWEST_DRAWS, check_identifiability
from hepaflux.assess.prediction import check_predictions
from hepaflux.assess.summary import summarize

APPROXIMATE = (
    "{method} only approximates the posterior: good for a first look; sample with NUTS before "
    "drawing conclusions."
)
POINT = (
    "A single best point has no uncertainty: no interval, probability or comparison follows from "
    "it; sample with NUTS before drawing conclusions."
)


def diagnose(posterior: xr.DataTree, *, table: pd.DataFrame | None = None) -> Verdict:
    """Judge whether a posterior may be believed.

    Parameters
    ----------
    posterior : DataTree
        Inference data as ``fit`` returns it. Checks whose numbers it lacks are left out.
    table : DataFrame, optional
        As ``summarize`` returns it, if it is at hand; it is the slow part.

    Returns
    -------
    Verdict
        All checks with value, limit and advice. A fit of each subject on its own is judged over
        its subjects: it fails if more than 5 % of them do.
    """
    table = summarize(posterior) if table is None else table
    predictive, notes = check_predictions(posterior)
    checks = (
        *_check_method(posterior),
        *check_convergence(posterior, table),
        *predictive,
        *check_identifiability(posterior),
    )
    return Verdict(checks, (*_missing(posterior, table), *notes))


def _check_method(posterior: xr.DataTree) -> tuple[Check, ...]:
    """Return a warning if the draws are not those of a sampler that is exact in the limit."""
    method = str(posterior.attrs.get("method", "nuts"))
    if history.is_sampled(posterior):
        return ()
    draws = history.draws(posterior)
    single = draws.sizes["chain"] * draws.sizes["draw"] == 1
    advice = POINT if single else APPROXIMATE.format(method=method)
    return (Check("method", method, None, None, "warn", advice),)


def _missing(posterior: xr.DataTree, table: pd.DataFrame) -> tuple[str, ...]:
    """Return in words what could not be judged."""
    draws = history.draws(posterior)
    sampled = history.is_sampled(posterior)
    absent = [
        (
            table["r_hat"].isna().all(),
            "R-hat needs at least two chains of four draws; convergence was not judged.",
        ),
        (
            draws.sizes["chain"] * draws.sizes["draw"] < FEWEST_DRAWS,
            f"What the data determine was not judged: fewer than {FEWEST_DRAWS} draws.",
        ),
        (
            sampled and "diverging" not in history.dataset(posterior, "sample_stats"),
            "The sampler left no statistics; divergences were not judged.",
        ),
        (
            "prior" not in posterior.children,
            "There are no prior draws; how far the data narrowed the priors was not judged.",
        ),
    ]
    return tuple(sentence for missing, sentence in absent if missing)
