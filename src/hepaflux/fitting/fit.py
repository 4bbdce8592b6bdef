"""Fit: a model becomes inference data; or every subject of a study does, with one compilation."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import numpy as np
import pymc as pm
import xarray as xr

from hepaflux.fitting import approximate, nuts, published
from hepaflux.fitting.compiled import FitError, compile_model, with_study
from hepaflux.fitting.results import assemble, draw_prior, is_internal
from hepaflux.model.build import build_model
from hepaflux.model.design import Design
from hepaflux.model.noise import Noise
from hepaflux.model.published import FiguresRecipe
from hepaflux.model.recipe import Recipe, data_values, is_censored, prepare
from hepaflux.study.study import Study
from hepaflux.systems.system import System

Method = Literal["nuts", "pathfinder", "laplace", "map"]


def fit(
    model: pm.Model,
    *,
    method: Method = "nuts",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int | None = None,
) -> xr.DataTree:
    """Fit a model that ``build_model`` or ``build_figures_model`` made.

    Parameters
    ----------
    model : pm.Model
        From ``build_model`` or ``build_figures_model``, with anything added to it.
    method : {"nuts", "pathfinder", "laplace", "map"}
        The no-U-turn sampler; or an approximation, for a quick look (not for published figures).
    draws, tune, chains : int
        Draws kept and tuning steps of each chain. ``map`` returns one draw.
    seed : int, optional
        Drawn and recorded if not given.

    Returns
    -------
    DataTree
        ArviZ inference data; the root attributes hold everything needed to repeat the fit.

    Raises
    ------
    ValueError
        If the model was not made by one of these or an argument is out of range.
    FitError
        If the posterior has no place to start from, or a Laplace approximation does not exist.
    """
    recipe = getattr(model, "recipe", None)
    if recipe is None:
        raise ValueError("fit needs a model made by build_model or build_figures_model")
    how = _record(method, draws, tune, chains, seed)
    of_figures = isinstance(recipe, FiguresRecipe)
    if of_figures and method != "nuts":
        raise ValueError(published.ONLY_NUTS.format(method=method))
    with _Clock() as clock:
        compiled = compile_model(model, keep=kept_variables(model))
        posterior, stats, failed = _run(compiled, model, how)
    record = {**how, "sampling_seconds": clock.seconds, "failed_solves": failed, "each": 0}
    gather = published.assemble if of_figures else assemble
    return gather(
        recipe,
        posterior,
        prior=draw_prior(model, how["seed"]),
        sample_stats=stats,
        record=record,
        rng=np.random.default_rng(how["seed"]),
    )


def fit_each(
    study: Study,
    system: System,
    *,
    noise: Mapping[str, Noise] | None = None,
    seed: int | None = None,
    **settings: Any,
) -> xr.DataTree:
    """Fit every subject of a study on its own, with one compilation for all.

    Parameters
    ----------
    study, system, noise
        As for ``build_model``; the knots of a protocol are those of the whole study.
    seed : int, optional
        Each subject gets a seed derived from it.
    **settings
        ``method``, ``draws``, ``tune`` and ``chains`` as for ``fit``.

    Returns
    -------
    DataTree
        As from ``fit``, every variable with the dimension ``subject``.

    Raises
    ------
    FitError
        As ``fit``, with the name of the subject.
    """
    allowed = {"method": "nuts", "draws": 1000, "tune": 1000, "chains": 4}
    unknown = sorted(set(settings) - set(allowed))
    if unknown:
        raise TypeError(f"fit_each has no argument {', '.join(unknown)}; it has {list(allowed)}")
    chosen = {**allowed, **settings}
    how = _record(chosen["method"], chosen["draws"], chosen["tune"], chosen["chains"], seed)
    system = system.for_study(study)
    separate = Design({p.name: "separate" for p in system.unknowns})
    with _Clock() as clock:
        posteriors, stats, failed, model = _fit_subjects(study, system, noise, how)
    recipe = prepare(
        study, system, design=separate if len(study.subjects) > 1 else None, noise=noise
    )
    names = xr.DataArray([s.name for s in study.subjects], dims="subject", name="subject")
    record = {**how, "sampling_seconds": clock.seconds, "failed_solves": failed, "each": 1}
    return assemble(
        recipe,
        _along_subjects(posteriors, names),
        prior=_along_subjects([draw_prior(model, how["seed"])] * len(names), names),
        sample_stats=_along_subjects(stats, names) if stats[0] is not None else None,
        record=record,
        rng=np.random.default_rng(how["seed"]),
    )


def _fit_subjects(
    study: Study, system: System, noise: Mapping[str, Noise] | None, how: Mapping[str, Any]
) -> tuple[list[xr.Dataset], list[Any], int, pm.Model]:
    template = None
    posteriors, all_stats, failures = [], [], 0
    for i, alone in enumerate(_single_subject_studies(study)):
        recipe = prepare(alone, system, noise=noise)
        if template is None or _kind(recipe) != _kind(template[0].recipe):
            model = build_model(alone, system, noise=noise)
            template = (model, compile_model(model, keep=kept_variables(model)))
        model, compiled = template
        mine = with_study(compiled, data_values(recipe))
        try:
            posterior, stats, failed = _run(mine, model, {**how, "seed": how["seed"] + i})
        except FitError as error:
            raise FitError(f"subject {alone.subjects[0].name}: {error}") from error
        posteriors.append(posterior)
        all_stats.append(stats)
        failures += failed
    return posteriors, all_stats, failures, model


def _kind(recipe: Recipe) -> tuple[Any, ...]:
    """Return what must be equal for two subjects to share compiled code."""
    censored = tuple(is_censored(recipe, o.output) for o in recipe.observations)
    key = recipe.program.key if recipe.program else recipe.system.name
    return (key, censored)


def _single_subject_studies(study: Study) -> Iterator[Study]:
    from dataclasses import replace

    for subject in study.subjects:
        yield replace(study, subjects=(subject,))


def _along_subjects(datasets: list[xr.Dataset], names: xr.DataArray) -> xr.Dataset:
    return xr.concat(datasets, dim=names).transpose("chain", "draw", "subject", ...)


def kept_variables(model: pm.Model) -> list[str]:
    """Return the names of the variables that a posterior should hold."""
    variables = (*model.free_RVs, *model.deterministics)
    return [v.name for v in variables if not is_internal(v.name)]


def _record(method: str, draws: int, tune: int, chains: int, seed: int | None) -> dict[str, Any]:
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(get_args(Method))}, but is {method!r}")
    for name, value, least in (("draws", draws, 1), ("tune", tune, 0), ("chains", chains, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, but is {value}")
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    return {"method": method, "draws": draws, "tune": tune, "chains": chains, "seed": seed}


def _run(
    compiled: Any, model: pm.Model, how: Mapping[str, Any]
) -> tuple[xr.Dataset, xr.Dataset | None, int]:
    """Return posterior draws, the sampler's record of them, and the count of failed solves."""
    names = kept_variables(model)
    if how["method"] == "nuts":
        sizes = {k: how[k] for k in ("draws", "tune", "chains", "seed")}
        tree = nuts.sample(compiled, **_special(model.recipe), **sizes)
        stats = tree["sample_stats"].to_dataset()
        return tree["posterior"].to_dataset()[names], stats, nuts.failed_solves(tree)
    points = approximate.METHODS[how["method"]](
        compiled, draws=how["draws"] * how["chains"], seed=how["seed"]
    )
    chains = 1 if len(points) == 1 else how["chains"]
    return approximate.dataset(compiled, points, names, chains=chains), None, 0


def _special(recipe: Any) -> Mapping[str, Any]:
    """Return how a model is sampled unlike others."""
    if isinstance(recipe, FiguresRecipe):
        return published.SAMPLING
    population = "subject" in recipe.design.levels.values()
    return {"target_accept": nuts.POPULATION_ACCEPT} if population else {}


class _Clock:
    """Seconds between entering and leaving."""

    seconds = 0.0

    def __enter__(self) -> "_Clock":
        """Start."""
        self._start = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop."""
        self.seconds = time.perf_counter() - self._start
