"""Nuts: a model is sampled by nutpie's no-U-turn sampler."""

import os
import sys
from collections.abc import Mapping
from typing import Any

import arviz_stats as azs
import numpy as np
import nutpie
import xarray as xr

from hepaflux.fitting.whitening import whiten

TARGET_ACCEPT = 0.9
"""Acceptance that the step size aims at; below it the curvature of these posteriors causes
divergences."""

POPULATION_ACCEPT = 0.95
"""The same for a model with a population, whose spread makes the curvature vary."""

MOST_R_HAT, LEAST_ESS = 1.01, 400
"""Chains agree up to this R-hat and from this number of effective draws on."""

MOST_DIVERGENT = 0.001
"""Share of the draws that may end a trajectory that diverged."""


def start(
    compiled: Any,
    *,
    whitened: bool = True,
    target_accept: float = TARGET_ACCEPT,
    progress: bool = True,
    held: Mapping[str, float] | None = None,
    **sizes: int,
) -> Any:
    """Start the sampler, which runs in threads of its own; ``finish`` waits for it.

    Parameters
    ----------
    compiled : CompiledPyMCModel
        From ``compile_model``.
    whitened : bool
        Whether the sampler walks in coordinates that are white at the mode.
    target_accept : float
        Acceptance that the step size aims at.
    progress : bool
        Whether progress is shown on a terminal.
    held : mapping of str to float, optional
        As for ``whiten``.
    **sizes : int
        ``draws``, ``tune``, ``chains`` and ``seed``.
    """
    return nutpie.sample(
        whiten(compiled, seed=sizes["seed"], held=held) if whitened else compiled,
        **sizes,
        cores=os.cpu_count(),
        progress_bar=progress and sys.stderr.isatty(),
        blocking=False,
        adaptation="diag",
        target_accept=target_accept,
    )


def finish(sampler: Any) -> xr.DataTree:
    """Wait for a sampler and return what it drew. An interruption yields no result."""
    # Waited for here because nutpie's own waiting turns Ctrl-C into a shorter sample.
    try:
        return sampler.wait()
    except BaseException:
        sampler.cancel()
        raise


def sample(compiled: Any, **settings: Any) -> xr.DataTree:
    """Start the sampler and wait for it; the settings are those of ``start``."""
    return finish(start(compiled, **settings))


def is_sound(posterior: xr.Dataset, stats: xr.Dataset) -> bool:
    """Return whether the chains agree, by the limits that the verdict has, and rarely diverge."""
    if float(stats["diverging"].mean()) > MOST_DIVERGENT:
        return False
    draws = posterior.transpose("chain", "draw", ...).data_vars.values()
    flat = np.concatenate([v.to_numpy().reshape(*v.shape[:2], -1) for v in draws], axis=-1)
    varying = np.ptp(flat, axis=(0, 1)) > 0
    together = xr.DataArray(flat[..., varying], dims=("chain", "draw", "quantity"))
    r_hat, ess = azs.rhat(together), azs.ess(together)
    return float(r_hat.max()) <= MOST_R_HAT and float(ess.min()) >= LEAST_ESS


def thinned(draws: xr.Dataset, step: int) -> xr.Dataset:
    """Return one of every ``step`` draws; a divergence among them stays one."""
    kept = draws.isel(draw=slice(step - 1, None, step))
    if "diverging" in draws:
        kept["diverging"] = draws["diverging"].coarsen(draw=step).max().assign_coords(kept.coords)
    return kept.assign_coords(draw=np.arange(kept.sizes["draw"]))


def failed_solves(tree: xr.DataTree) -> int:
    """Return how many trajectories, tuning included, ended at a point without a density.

    A failed solve is NaN; the compiled density then returns an error, the sampler ends the
    trajectory and keeps the error in the message of the divergence.
    """
    total = 0
    for group in ("sample_stats", "warmup_sample_stats"):
        if group in tree.children and "divergence_message" in tree[group]:
            messages = tree[group]["divergence_message"].to_numpy().ravel()
            total += sum("logp function" in str(m).lower() for m in messages if m is not None)
    return total
