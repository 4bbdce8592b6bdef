"""Fit: a model becomes inference data; or every subject of a study does, with one compilation."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pymc as pm
import xarray as xr
from rich.console import Console
from rich.progress import track

from hepaflux.fitting import approximate, joint, nuts, published
from hepaflux.fitting.compiled import FitError, compile_model, with_study
from hepaflux.fitting.results import assemble, draw_prior, is_internal
from hepaflux.model.build import graph
from hepaflux.model.joint import JointRecipe
from hepaflux.model.noise import Noise
from hepaflux.model.priors import tie_name
from hepaflux.model.published import FiguresRecipe
from hepaflux.model.recipe import (
    Recipe,
    adapt,
    data_values,
    prepare,
    scalar_inputs,
    separate,
)
from hepaflux.study.study import Study
from hepaflux.systems.system import System

ENOUGH = 4000
"""Draws in all chains from which on a subject's chains are expected to agree."""

AGAIN = ((2, 0.95), (4, 0.98))
"""How many times as long the chains of a subject are that did not agree or diverged, and at what
acceptance: a second attempt, which is enough for nearly all, and a third."""

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
    """Fit a model that ``build_model`` or one of its kind made.

    Parameters
    ----------
    model : pm.Model
        From ``build_model``, ``build_joint_model`` or ``build_figures_model``, with anything
        added to it.
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
        raise ValueError(
            "fit needs a model made by build_model, build_joint_model or build_figures_model"
        )
    how = record_of(method, draws, tune, chains, seed)
    of_figures = isinstance(recipe, FiguresRecipe)
    if of_figures and method != "nuts":
        raise ValueError(published.ONLY_NUTS.format(method=method))
    return carry_out(model, how)


def carry_out(model: pm.Model, how: Mapping[str, Any], compiled: Any = None) -> xr.DataTree:
    """Fit a model as a record says.

    Parameters
    ----------
    model : pm.Model
        As for ``fit``.
    how : mapping
        From ``record_of``.
    compiled : CompiledPyMCModel, optional
        Of the model, with its ``kept_variables``, if it is there already.
    """
    recipe = model.recipe
    with _Clock() as clock:
        compiled = compiled or compile_model(model, keep=kept_variables(model))
        method = how["method"]
        sampler = _start(compiled, model, how, progress=True) if method == "nuts" else None
        posterior, stats, failed = _run(compiled, model, how, sampler)
    record = {**how, "sampling_seconds": clock.seconds, "failed_solves": failed, "each": 0}
    gather = GATHER[type(recipe)]
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

    Where the chains of a subject do not agree, or diverge, they are sampled anew in smaller steps,
    longer, and as many draws are kept of them; the attribute ``sampled_longer`` names these
    subjects.

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
    how = record_of(chosen["method"], chosen["draws"], chosen["tune"], chosen["chains"], seed)
    system = adapt(system, study)
    with _Clock() as clock:
        fits = _fit_subjects(study, system, noise, how)
    recipe = separate(prepare(study, system, noise=noise))
    names = xr.DataArray([s.name for s in study.subjects], dims="subject", name="subject")
    failed = sum(fit.failed for fit in fits)
    longer = [str(name) for name, fit in zip(names.values, fits, strict=True) if fit.longer]
    record = {
        **how,
        "sampling_seconds": clock.seconds,
        "failed_solves": failed,
        "each": 1,
        "sampled_longer": ", ".join(longer),
    }
    stats = [fit.stats for fit in fits]
    return assemble(
        recipe,
        _along_subjects([fit.posterior for fit in fits], names),
        prior=_along_subjects([_prior(fits[0].model, how["seed"])] * len(fits), names),
        sample_stats=None if stats[0] is None else _along_subjects(stats, names),
        record=record,
        rng=np.random.default_rng(how["seed"]),
    )


GATHER: Mapping[type, Any] = {
    Recipe: assemble,
    JointRecipe: joint.assemble,
    FiguresRecipe: published.assemble,
}
"""What makes inference data of draws, by the kind of recipe."""


class _Fitted(NamedTuple):
    """One subject's model and what came of it."""

    model: pm.Model
    posterior: xr.Dataset
    stats: xr.Dataset | None
    failed: int
    longer: bool


def _prior(model: pm.Model, seed: int) -> xr.Dataset:
    """Draw what does not depend on a subject's inputs: the parameters, not what is derived."""
    derived = [derived.name for derived in model.recipe.system.derived]
    return draw_prior(model, seed).drop_vars(derived)


class _Started(NamedTuple):
    """One subject's model, and the sampler that is at work on it, if the method has one."""

    model: pm.Model
    compiled: Any
    how: Mapping[str, Any]
    sampler: Any
    name: str


def _fit_subjects(
    study: Study, system: System, noise: Mapping[str, Noise] | None, how: Mapping[str, Any]
) -> list[_Fitted]:
    """Fit one after the other; the next is being sampled while one is looked at."""
    fits, at_work = [], []
    try:
        for started in _start_subjects(study, system, noise, how):
            at_work.append(started)
            if len(at_work) > 1:
                fits.append(_finish(at_work.pop(0)))
        fits.append(_finish(at_work.pop(0)))
    except BaseException:
        for started in at_work:
            if started.sampler is not None:
                started.sampler.cancel()
        raise
    return fits


def _start_subjects(
    study: Study, system: System, noise: Mapping[str, Noise] | None, how: Mapping[str, Any]
) -> Iterator[_Started]:
    """Start the sampler of each; subjects of one kind share a model and its compiled code."""
    templates: dict[Any, tuple[pm.Model, Any]] = {}
    everyone = list(_single_subject_studies(study))
    console = Console(stderr=True)
    shown = track(everyone, "Subjects", console=console, disable=not console.is_terminal)
    for i, alone in enumerate(shown):
        recipe = prepare(alone, system, noise=noise, adapted=True)
        kind = _kind(recipe)
        if kind not in templates:
            model = graph(recipe)
            templates[kind] = model, compile_model(model, keep=kept_variables(model))
        model, compiled = templates[kind]
        mine, own = with_study(compiled, data_values(recipe)), {**how, "seed": how["seed"] + i}
        name = alone.subjects[0].name
        with _naming(name):
            sampler = _start(mine, model, own) if how["method"] == "nuts" else None
        yield _Started(model, mine, own, sampler, name)


@contextmanager
def _naming(subject: str) -> Iterator[None]:
    """Put the name of a subject before what is said of a fit that failed."""
    try:
        yield
    except FitError as error:
        raise FitError(f"subject {subject}: {error}") from error


def _finish(started: _Started) -> _Fitted:
    """Wait for one subject; sample anew if the chains do not agree or diverge.

    Then in smaller steps and longer, and fewer draws are kept.

    Of a hundred people a few have a posterior that is hard to walk; all others need not wait.
    """
    model, compiled, how = started.model, started.compiled, started.how
    with _naming(started.name):
        posterior, stats, failed = _run(compiled, model, how, started.sampler)
    longer = 1
    for attempt, (times, accept) in enumerate(AGAIN, start=1):
        can_be = how["method"] == "nuts" and how["draws"] * how["chains"] >= ENOUGH
        if not can_be or nuts.is_sound(posterior, stats):
            break
        # With another seed, or a chain that went astray in its tuning would do so again.
        longer, anew = times, {"tune": 2 * how["tune"], "seed": how["seed"] + attempt}
        sizes = {**anew, "draws": longer * how["draws"], "target_accept": accept}
        posterior, stats, failed = _run(compiled, model, {**how, **sizes})
    if longer > 1:
        posterior, stats = (nuts.thinned(draws, longer) for draws in (posterior, stats))
    return _Fitted(model, posterior, stats, failed, longer=longer > 1)


def _kind(recipe: Recipe) -> tuple[Any, ...]:
    """Return what must be equal for two subjects to share compiled code."""
    key = recipe.program.key if recipe.program else recipe.system.name
    data = tuple((name, value.shape[1:]) for name, value in data_values(recipe).items())
    return key, scalar_inputs(recipe), data


def _single_subject_studies(study: Study) -> Iterator[Study]:
    for subject in study.subjects:
        yield replace(study, subjects=(subject,))


def _along_subjects(datasets: list[xr.Dataset], names: xr.DataArray) -> xr.Dataset:
    whole = xr.concat(datasets, dim=names)
    return whole.transpose("chain", "draw", "subject", ..., missing_dims="ignore")


def kept_variables(model: pm.Model) -> list[str]:
    """Return the names of the variables that a posterior should hold."""
    variables = (*model.free_RVs, *model.deterministics)
    return [v.name for v in variables if not is_internal(v.name)]


def record_of(method: str, draws: int, tune: int, chains: int, seed: int | None) -> dict[str, Any]:
    """Return how a model is fitted, or say which argument is out of range."""
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(get_args(Method))}, but is {method!r}")
    for name, value, least in (("draws", draws, 1), ("tune", tune, 0), ("chains", chains, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, but is {value}")
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    return {"method": method, "draws": draws, "tune": tune, "chains": chains, "seed": seed}


def _start(
    compiled: Any, model: pm.Model, how: Mapping[str, Any], *, progress: bool = False
) -> Any:
    """Start the sampler of a model."""
    chosen = {k: how[k] for k in ("draws", "tune", "chains", "seed", "target_accept") if k in how}
    return nuts.start(compiled, progress=progress, **{**sampling_of(model), **chosen})


def _run(
    compiled: Any, model: pm.Model, how: Mapping[str, Any], sampler: Any = None
) -> tuple[xr.Dataset, xr.Dataset | None, int]:
    """Return posterior draws, the sampler's record of them, and the count of failed solves.

    A sampler that was started is waited for; else one is started here.
    """
    names = kept_variables(model)
    if how["method"] == "nuts":
        tree = nuts.finish(sampler or _start(compiled, model, how))
        stats = tree["sample_stats"].to_dataset()
        return tree["posterior"].to_dataset()[names], stats, nuts.failed_solves(tree)
    points, k = approximate.METHODS[how["method"]](
        compiled, draws=how["draws"] * how["chains"], seed=how["seed"]
    )
    chains = 1 if len(points) == 1 else how["chains"]
    stats = None if k is None else xr.Dataset({"pareto_k": k})
    return approximate.dataset(compiled, points, names, chains=chains), stats, 0


def sampling_of(model: pm.Model) -> Mapping[str, Any]:
    """Return how a model is sampled unlike others."""
    if isinstance(model.recipe, FiguresRecipe):
        return published.SAMPLING
    spreads = [variable for variable in model.free_RVs if variable.name.endswith("_spread")]
    if not spreads:
        return {}
    held = {f"{s.name}_log__": float(s.owner.op.dist_params(s.owner)[0].eval()) for s in spreads}
    for first, second in model.recipe.design.correlated:
        held[f"{tie_name(first, second)}_logodds__"] = 0.0
    return {"target_accept": nuts.POPULATION_ACCEPT, "held": held}


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
