"""Ranks: the machinery of simulation-based calibration (Talts et al. 2018).

Parameters and data are drawn from a model, the model is fitted to the data, and the rank of each
true value among its posterior draws must be uniform.
"""

import numpy as np
import pymc as pm
from scipy import stats

from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model
from hepaflux.model.noise import noise_of
from hepaflux.model.predict import predict

DRAWS = 240
KEPT = 59
"""Draws that are left after thinning; ranks then run from 0 to 59."""
BINS = 6


def draw_truth(recipe, rng):
    """Draw every unknown of a single subject, its noise included, from the priors."""
    truth = {}
    for name, prior in recipe.system.priors.items():
        if prior.support != "fixed":
            vector = name in {p.name for p in recipe.system.parameters if p.axis}
            value = prior.distribution().rvs(1, random_state=rng)
            truth[name] = np.asarray(value)[0] if vector else np.asarray(value).squeeze()
    return truth


def draw_data(recipe, truth, rng):
    """Draw the measurements of a single subject, by name of the model's data."""
    means = predict(recipe, {k: v[None] for k, v in truth.items()}, tolerance=(1e-8, 1e-8))
    data = {}
    for observed in recipe.observations:
        output, mean = observed.output, means[observed.output.name][0]
        error = truth.get(output.error, getattr(output.cv, "value", None))
        noise = noise_of(output).scipy(mean, {output.error: error}, output.name)
        # SciPy returns a scalar for a single sample.
        data[f"{output.name}_measured"] = np.reshape(noise.rvs(random_state=rng), np.shape(mean))
    return data


def ranks_of(model, *, replicates, seed, only=None, tune=300):
    """Rank of the truth among thinned posterior draws, by parameter, shape (replicate,)."""
    compiled = compile_model(model, keep=[v.name for v in model.free_RVs])
    rng = np.random.default_rng(seed)
    ranks = {}
    for replicate in range(replicates):
        truth = draw_truth(model.recipe, rng)
        data = draw_data(model.recipe, truth, rng)
        sizes = {"draws": DRAWS, "tune": tune, "chains": 1, "seed": seed + replicate}
        tree = nuts.finish(nuts.start(compiled.with_data(**data), **sizes))
        chosen = tree["posterior"].isel(chain=0, draw=np.linspace(0, DRAWS - 1, KEPT).astype(int))
        for parameter in only or truth:
            value = truth[parameter]
            below = np.atleast_1d((chosen[parameter].to_numpy() < value).sum(axis=0))
            for j, rank in enumerate(below):
                ranks.setdefault(f"{parameter}{j if value.ndim else ''}", []).append(rank)
    return {parameter: np.array(values) for parameter, values in ranks.items()}


def ranks_in_population(model, names, *, replicates, seed, tune=400):
    """Rank of the truth among thinned posterior draws, by name, for a model of many people.

    Truth and data come from the model itself. Of a vector the first element counts.
    """
    with model:
        prior = pm.sample_prior_predictive(replicates, random_seed=seed)
    truth, data = (prior[g].to_dataset().isel(chain=0) for g in ("prior", "prior_predictive"))
    compiled = compile_model(model, keep=list(names))
    ranks = {name: [] for name in names}
    for replicate in range(replicates):
        drawn = {f"{n}_measured": v.isel(draw=replicate).values for n, v in data.items()}
        sizes = {"draws": DRAWS, "tune": tune, "chains": 1, "seed": seed + replicate}
        tree = nuts.finish(nuts.start(compiled.with_data(**drawn), **sizes))
        chosen = tree["posterior"].isel(chain=0, draw=np.linspace(0, DRAWS - 1, KEPT).astype(int))
        for name in names:
            draws = chosen[name].to_numpy().reshape(KEPT, -1)[:, 0]
            value = truth[name].isel(draw=replicate).to_numpy().ravel()[0]
            ranks[name].append(int((draws < value).sum()))
    return {name: np.array(values) for name, values in ranks.items()}


def p_values(ranks):
    """Return three p-values by parameter: uniform ranks, 50 % and 90 % intervals that cover."""
    report = {}
    for parameter, values in ranks.items():
        counts = np.bincount(values * BINS // (KEPT + 1), minlength=BINS)
        u = (values + 0.5) / (KEPT + 1)
        covered = {share: int((np.abs(u - 0.5) < share / 2).sum()) for share in (0.5, 0.9)}
        report[parameter] = (
            stats.chisquare(counts).pvalue,
            *(stats.binomtest(n, len(u), share).pvalue for share, n in covered.items()),
        )
    return report
