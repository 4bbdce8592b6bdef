"""Treatment: what a fit says about the months to come, if something is done from time 0 on.

A treatment is a set of values for parameters that say nothing of a person, such as the factors on
what feeds the liver. Every draw of the posterior is followed under it, so that the bands hold what
the fit leaves open; measurements to come have the error of the assay on top.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from hepaflux.model.build import TOLERANCE
from hepaflux.model.courses import described
from hepaflux.model.fitted import people_of
from hepaflux.model.noise import noise_of
from hepaflux.model.predict import courses
from hepaflux.model.recipe import prepare, separate
from hepaflux.parameter import Fixed, LogNormal, Prior, center, describe
from hepaflux.study.study import Samples, Study, Subject
from hepaflux.systems.system import Output, System
from hepaflux.units import DAY

TIMES = 85
"""Times of a predicted course, evenly from time 0 to its end."""

SAMPLE_DIMS = ("chain", "draw")

ANY = LogNormal(1.0, 1.0)
"""Prior of what a treatment states: only that it is no constant of the compiled equations, so that
one compilation serves every treatment."""

Treatment = str | Mapping[str, float | Prior]
"""Name of a treatment that the system knows, or values by parameter; a prior is drawn anew for
each draw and person, where the effect of a treatment is itself not known exactly."""


def predict_treatment(
    posterior: xr.DataTree,
    system: System,
    *,
    treatment: Treatment,
    days: float = 168.0,
    who: str | None = None,
    seed: int = 1,
) -> xr.DataTree:
    """Predict the course of a person or a group under a treatment that begins at time 0.

    Parameters
    ----------
    posterior : DataTree
        What ``fit`` made of the system and of samples before treatment or early in it.
    system : System
        The one that was fitted.
    treatment : str, or mapping of str to float or Prior
        A name among ``system.treatments``, or values of parameters that these state. Whatever the
        fit assumed or found of these is replaced; of the others it stays.
    days : float
        How long it is followed.
    who : str, optional
        A subject; or a group, of which the typical person is meant. Everyone if not given.
    seed : int
        For the errors of measurements to come, and where a value is a prior.

    Returns
    -------
    DataTree
        ``courses`` with every output and flux, free of error, and ``measured`` with the outputs as
        an assay would report them: variables (chain, draw, subject, minutes) with ``unit`` and
        ``meaning`` in their attributes. Compositions are in ``courses`` alone.

    Raises
    ------
    KeyError
        If there is no such treatment, parameter, subject or group.
    ValueError
        If the system declares no treatments, a value is stated of what says something of a person,
        the posterior is of another system or of other options or fixed values, nobody in it is
        typical, or days is not above 0.
    StudyError
        If the system is driven by samples, which the future does not have.
    """
    if not system.treatments:
        raise ValueError(f"system {system.name!r} declares no treatments, so none can be predicted")
    if not 0 < days < np.inf:
        raise ValueError(f"days must be above 0, but is {days:g}")
    _check_same(posterior, system)
    stated = treatment_values(system, treatment)
    found = posterior["posterior"].to_dataset()
    kept = _kept(system, stated, found)
    people = people_of(posterior, kept, who)
    rng = np.random.default_rng(seed)
    treated = system.with_priors(**dict.fromkeys(_treatable(system), ANY))
    shape = (found.sizes["chain"] * found.sizes["draw"], len(people))
    draws = {
        p.name: np.stack([person.values[p.name] for person in people], axis=1)
        if p.name in kept
        else _stated(stated.get(p.name, system.parameter(p.name).prior), shape, rng)
        for p in treated.unknowns
    }
    minutes = np.linspace(0.0, days * DAY, TIMES)
    study = Study("", tuple(_nobody(person.name, treated, minutes) for person in people))
    recipe = separate(prepare(study, treated))
    values = courses(recipe, draws, [minutes] * len(people), tolerance=TOLERANCE)
    whole = _dataset(values, system, found, [person.name for person in people], minutes)
    measured = xr.Dataset(
        {
            o.name: whole[o.name].copy(data=_measured(o, whole[o.name], posterior, rng))
            for o in system.outputs
            if not o.is_composition
        }
    )
    told = treatment if isinstance(treatment, str) else _in_words(stated)
    tree = xr.DataTree.from_dict({"courses": whole, "measured": measured})
    tree.attrs.update(system=system.name, treatment=told, seed=seed)
    return tree


def treatment_values(system: System, treatment: Treatment) -> dict[str, float | Prior]:
    """Return the values that a treatment states by parameter.

    Raises
    ------
    KeyError
        If the system knows no such treatment or parameter.
    ValueError
        If a parameter says something of a person, so that another value would be another person.
    """
    if isinstance(treatment, str):
        for known in system.treatments:
            if known.name == treatment:
                return {name: reported.value for name, reported in known.values.items()}
        there = ", ".join(known.name for known in system.treatments) or "none"
        raise KeyError(f"system {system.name!r} has no treatment {treatment!r}; it has {there}")
    values = {system.parameter(name).name: value for name, value in treatment.items()}
    can = _treatable(system)
    for name in values:
        if name not in can:
            raise ValueError(
                f"{name} says something of a person, who is as the fit found; a treatment of"
                f" {system.name} can state {', '.join(can)}"
            )
    return values


def _treatable(system: System) -> tuple[str, ...]:
    """Return the parameters that the treatments of a system state."""
    return tuple(dict.fromkeys(name for known in system.treatments for name in known.values))


def _kept(system: System, stated: Mapping[str, Any], found: xr.Dataset) -> tuple[str, ...]:
    """Return the parameters of which the posterior is used: also treatments that were fitted."""
    sought = {p.name for p in system.unknowns} | {n for n in _treatable(system) if n in found}
    return tuple(p.name for p in system.parameters if p.name in sought - set(stated))


def _check_same(posterior: xr.DataTree, system: System) -> None:
    """Refuse a system that is not the one that was fitted, as far as the posterior tells."""
    about = posterior.attrs
    if about.get("system", system.name) != system.name:
        raise ValueError(f"the fit is of {about['system']}, not of {system.name}")
    chosen = json.loads(json.dumps(dict(system.settings)))
    for name, value in json.loads(about.get("options", "{}")).items():
        if chosen.get(name) != value:
            raise ValueError(
                f"the fit has {name}={value}, but the system given has {name}={chosen.get(name)}"
            )
    if "fixed" in about and "priors" in about:
        _check_known(json.loads(about["fixed"]), json.loads(about["priors"]), system)


def _check_known(fixed: list[str], priors: Mapping[str, str], system: System) -> None:
    """Refuse a system that takes other values as known than the fit, treatments aside."""
    for parameter in system.parameters:
        name, given = parameter.name, describe(parameter.prior)
        is_known = name in fixed or isinstance(parameter.prior, Fixed)
        if name in _treatable(system) or name not in priors or not is_known:
            continue
        if priors[name] != given:
            raise ValueError(
                f"the fit has {name} with {priors[name]}, but the system given has {given}; give"
                " the system that was fitted"
            )


def _in_words(stated: Mapping[str, float | Prior]) -> str:
    words = (v if isinstance(v, int | float) else f"about {center(v):.3g}" for v in stated.values())
    return ", ".join(f"{name} {word}" for name, word in zip(stated, words, strict=True))


def _stated(value: float | Prior, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return a value that a treatment states, or that the fit assumed, by draw and person."""
    if isinstance(value, int | float):
        return np.full(shape, float(value))
    if isinstance(value, Fixed):
        return np.full(shape, value.value)
    return np.asarray(value.distribution().rvs(shape, random_state=rng))


def _nobody(name: str, system: System, minutes: np.ndarray) -> Subject:
    """Return a subject without data, in whom every output could be measured."""
    ends = minutes[[0, -1]]
    samples = Samples(ends, np.full(2, 0.01), np.full(2, "none"))
    return Subject(name, {a: samples for output in system.outputs for a in output.analytes})


def _dataset(
    values: Mapping[str, np.ndarray],
    system: System,
    found: xr.Dataset,
    people: list[str],
    minutes: np.ndarray,
) -> xr.Dataset:
    shape = (found.sizes["chain"], found.sizes["draw"], len(people), len(minutes))
    dims = (*SAMPLE_DIMS, "subject", "minutes")
    about = described(system)
    coords = {"chain": found["chain"], "draw": found["draw"], "subject": people, "minutes": minutes}
    variables = {name: (dims, v.reshape(shape), about[name]) for name, v in values.items()}
    return xr.Dataset(variables, coords=coords)


def _measured(
    output: Output, course: xr.DataArray, posterior: xr.DataTree, rng: np.random.Generator
) -> np.ndarray:
    """Return what an assay would report of a course."""
    families = json.loads(posterior.attrs.get("noise", "{}"))
    noise = noise_of(output, families.get(output.name, "cv_floor"))
    found = posterior["posterior"]
    if output.error in found:
        error: Any = found[output.error].values[..., None, None]
    else:
        error = center(output.cv)
    distribution = noise.scipy(course.values, {output.error: error}, output.name)
    return np.asarray(distribution.rvs(size=course.shape, random_state=rng))
