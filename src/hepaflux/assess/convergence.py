"""Convergence: whether the sampler did its work, so that its draws stand for the posterior.

Limits follow Vehtari et al. (2021, Bayesian Analysis 16:667) for R-hat and effective sample size,
Betancourt (2016, arXiv:1604.00695) for the energy, and Vehtari et al. (2024, J Mach Learn Res
25(72):1) for Pareto k, above 1 of which the weights have no mean. A reached tree depth costs time,
not truth, and only warns.
"""

from collections.abc import Iterator

import arviz_stats as azs
import numpy as np
import pandas as pd
import xarray as xr

from hepaflux.assess import history
from hepaflux.assess.check import Check, Limits, judge

R_HAT = Limits(1.01, 1.05)
EFFECTIVE_DRAWS = Limits(400, 100)
DIVERGENT_SHARE = Limits(0.0, 0.005)
DEPTH_SHARE = Limits(0.01, np.inf)
ENERGY = Limits(0.3, 0.1)
PARETO_K = Limits(0.7, 1.0)
FAILED_SOLVE_SHARE = Limits(0.001, np.inf)

NO_MIXING = (
    "The chains do not agree, so this is not yet the posterior: sample longer (more tuning and "
    "draws); if that does not help, look for a parameter that the data do not determine."
)
FEW_DRAWS = (
    "Too few independent draws for stable {what}: sample longer, or tighten the prior of a "
    "parameter that is hard to tell from another."
)
DIVERGENT = (
    "Share of draws at which the sampler lost its way; intervals may be too narrow. Sample "
    "with more tuning; if they stay, tighten the priors or simplify the design."
)
DEEP = (
    "The sampler often stopped at its longest allowed path: results stand if R-hat does, but two "
    "parameters are probably tied; see the separable check."
)
LOW_ENERGY = (
    "The sampler hardly reaches the tails, often because subjects differ less than the priors "
    "allow. Tighten the prior of the between-subject spread or sample longer."
)
UNLIKE = (
    "Pathfinder does not describe this posterior well, and weighting its draws does not repair it: "
    "sample with method nuts."
)
FAILED = (
    "The equations could not be solved for this share of the tried parameter values; they were "
    "rejected. Tighten the priors so that they leave out impossible values."
)
FAILED_IN_POSTERIOR = (
    "The equations could not be solved for this many draws of the posterior, so predictions lack "
    "them. Tighten the priors; check doses and units."
)


def check_convergence(posterior: xr.DataTree, table: pd.DataFrame) -> tuple[Check, ...]:
    """Return the checks of the sampler that the inference data allows.

    Independent draws of an approximation have no chains that could agree or not.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    table : DataFrame
        As ``summarize`` returns it.
    """
    each = history.is_each(posterior)
    stats = history.dataset(posterior, "sample_stats")
    return (
        *(_check_draws(table, each=each) if history.is_sampled(posterior) else ()),
        *_check_transitions(stats),
        *_check_energy(stats),
        *_check_weights(stats),
        *_check_solves(posterior, stats),
    )


def _check_draws(table: pd.DataFrame, *, each: bool) -> Iterator[Check]:
    """Yield the checks of R-hat and of effective sample size."""
    for column, name, limits, advice in (
        ("r_hat", "R-hat", R_HAT, NO_MIXING),
        ("ess_bulk", "effective draws, center", EFFECTIVE_DRAWS, FEW_DRAWS.format(what="medians")),
        ("ess_tail", "effective draws, tails", EFFECTIVE_DRAWS, FEW_DRAWS.format(what="intervals")),
    ):
        values = _worst_by_unit(table.dropna(subset=[column]), column, limits, each=each)
        if values:
            yield judge(name, values, limits, advice=advice)


def _worst_by_unit(
    table: pd.DataFrame, column: str, limits: Limits, *, each: bool
) -> dict[str, float]:
    """Return the worst value of each fit, labeled by the parameter that has it."""
    if table.empty:
        return {}
    units = table["subject"] if each else pd.Series("", index=table.index)
    by_unit = table.groupby(units, sort=False)[column]
    rows = by_unit.idxmax() if limits.bound == "at most" else by_unit.idxmin()
    return {label_of(table.loc[row]): float(table.loc[row, column]) for row in rows}


def label_of(row: pd.Series) -> str:
    """Return what a row of the summary is about, in words."""
    where = row["subject"] or row["group"]
    return f"{row['parameter']} of {where}" if where else str(row["parameter"])


def _by_unit(values: xr.DataArray) -> dict[str, float]:
    """Return one number per fit: by subject if there is that dimension, else for the run."""
    if "subject" not in values.dims:
        return {"": float(values)}
    return {str(s): float(v) for s, v in zip(values["subject"].values, values.values, strict=True)}


def _check_transitions(stats: xr.Dataset) -> Iterator[Check]:
    """Yield the checks of divergences and of tree depth."""
    for names, name, limits, advice in (
        (("diverging",), "divergences", DIVERGENT_SHARE, DIVERGENT),
        (("maxdepth_reached", "reached_max_treedepth"), "tree depth", DEPTH_SHARE, DEEP),
    ):
        for found in (found for found in names if found in stats):
            shares = stats[found].astype(float).mean(history.SAMPLE_DIMS)
            yield judge(name, _by_unit(shares), limits, advice=advice)


def _check_energy(stats: xr.Dataset) -> Iterator[Check]:
    """Yield the check of the energy, by its least favorable chain."""
    if "energy" in stats and stats.sizes["draw"] > 3:
        fractions = azs.bfmi(stats[["energy"]])["energy"].min("chain")
        yield judge("E-BFMI", _by_unit(fractions), ENERGY, advice=LOW_ENERGY)


def _check_weights(stats: xr.Dataset) -> Iterator[Check]:
    """Yield the check of the importance weights of an approximation."""
    if "pareto_k" in stats:
        yield judge("Pareto k of the draws", _by_unit(stats["pareto_k"]), PARETO_K, advice=UNLIKE)


def _check_solves(posterior: xr.DataTree, stats: xr.Dataset) -> Iterator[Check]:
    """Yield the checks of failed solutions of the equations, while sampling and after."""
    if "failed_solves" in posterior.attrs:
        failed = float(posterior.attrs["failed_solves"])
        tried = float(stats["n_steps"].sum()) if "n_steps" in stats else 0.0
        share = failed / max(tried, failed, 1.0)
        yield judge("failed solves", {"": share}, FAILED_SOLVE_SHARE, advice=FAILED)
    if "failed_in_posterior" in posterior.attrs:
        failed = float(posterior.attrs["failed_in_posterior"])
        none = Limits(0.0, 0.0)
        name = "failed solves in the posterior"
        yield judge(name, {"": failed}, none, advice=FAILED_IN_POSTERIOR)
