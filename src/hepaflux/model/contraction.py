"""Contraction: how far a schedule of samples is expected to narrow a parameter.

Planning a study asks which samples, in how many people, before anyone is measured. The answer is
the expected variance of the posterior under its normal approximation, averaged over truths drawn
from the prior, because what a sample says depends on where the truth is (Atkinson, Donev and
Tobias 2007, Optimum Experimental Designs, with SAS). The contraction of it is the one of a fit's
verdict: one minus the ratio of posterior to prior variance, on the line.

Assumes     the model is true, and the same for all schedules: the knots of an absorption do not
            depend on the schedule, for a coarser model would only look better known
            inputs such as insulin and basal values are known as the study gives them, whatever
            the schedule is; only the measured outputs are thinned
            each person's other parameters are unknown under their own priors, as in a fit's
            default design; the between-subject spread is the one that the system declares. Where
            people are not expected to differ in the wanted parameter (its spread is 0), it and the
            others without spread have one value in all of them, and are unknown once
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from hepaflux.model.design import Design
from hepaflux.model.information import Sampling, inform
from hepaflux.model.line import Line
from hepaflux.model.recipe import Recipe, prepare
from hepaflux.parameter import Fixed, Parameter, size_of
from hepaflux.study.study import Samples, Study, Subject
from hepaflux.systems.system import Output, System

DRAWS = 50
"""Fewest truths that expectations are taken over."""

COLUMNS = ["schedule", "samples", "subjects", "prior_sd", "sd_subject", "sd_median"]

Schedule = Sequence[float] | Mapping[str, Sequence[float]]
"""Sampling times in min: of all outputs, or by output, where those not named are not measured."""


def expected_contraction(
    system: System,
    study: Study | Subject,
    parameter: str,
    *,
    schedules: Mapping[str, Schedule],
    subjects: Sequence[int] = (1, 5, 10, 20),
    seed: int = 1,
) -> pd.DataFrame:
    """Return how far schedules of samples are expected to narrow a parameter.

    Parameters
    ----------
    system : System
        With any options and priors changed.
    study : Study or Subject
        Gives doses and inputs; several subjects are averaged over. Of the measured values only
        those count that the system takes as inputs, such as basal glucose.
    parameter : str
        A scalar parameter that is not fixed.
    schedules : mapping of str to Schedule
        Sampling times by name of the schedule, min on the clock of the study.
    subjects : sequence of int
        Numbers of people.
    seed : int
        The same seed gives the same table.

    Returns
    -------
    DataFrame
        One row per schedule and number of subjects: ``schedule``; ``samples`` of one person that
        enter the likelihood; ``subjects``; ``prior_sd``; the root mean square of the posterior
        standard deviation and the contraction, of one person's value (``sd_subject``,
        ``contraction_subject``) and of the median of the population that so many people come from
        (``sd_median``, ``contraction_median``). Standard deviations are on the line: of the
        logarithm of a positive parameter, of the logit of a fraction.

    Raises
    ------
    KeyError
        If there is no such parameter or output.
    ValueError
        If the parameter is fixed or a vector, a schedule cannot be used, or no solve succeeds.
    StudyError
        If a subject lacks what the system needs.
    """
    wanted = _require_scalar(system, parameter)
    if not subjects or min(subjects) < 1:
        raise ValueError("subjects must be numbers from 1 on")
    people = study if isinstance(study, Study) else Study("design", (study,))
    outputs = system.for_study(people).outputs
    times = {name: read_schedule(name, s, outputs, people) for name, s in schedules.items()}
    rng = np.random.default_rng(seed)
    recipe = with_all_samples(system, people, times)
    n_people = len(people.subjects)
    line = Line(recipe.system)
    points = line.draw((-(-DRAWS // n_people), n_people), rng)
    if not wanted.spread:
        points[..., common_to_all(line)] = points[:, :1, common_to_all(line)]
    sampling = inform(recipe, points, rng)
    rows = [
        row for name in schedules for row in _rows(name, sampling, times[name], wanted, subjects)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).assign(
        contraction_subject=lambda row: 1 - (row["sd_subject"] / row["prior_sd"]) ** 2,
        contraction_median=lambda row: 1 - (row["sd_median"] / row["prior_sd"]) ** 2,
    )


def _rows(
    name: str,
    sampling: Sampling,
    times: Mapping[str, np.ndarray],
    parameter: Parameter,
    subjects: Sequence[int],
) -> list[tuple[str, int, int, float, float, float]]:
    """Return the rows of one schedule, one per number of subjects."""
    taken = np.zeros(len(sampling.time), dtype=bool)
    for output, time in times.items():
        taken |= (sampling.output == output) & np.isin(sampling.time, time)
    if not taken.any():
        raise ValueError(
            f"schedule {name!r}: none of its samples enters the likelihood; there must be one"
            " after the dose (and after the mixing time)"
        )
    samples = len(set(zip(sampling.output[taken], sampling.time[taken], strict=True)))
    variance = marginal_variance(sampling, parameter.name, taken)
    prior = prior_variance(sampling.line, parameter.name)
    rows = []
    for n in subjects:
        if parameter.spread:
            median = median_variance(variance, prior, spread=parameter.spread, subjects=n)
        else:
            median = common_variance(sampling, parameter.name, taken, subjects=n)
        one, of_median = float(np.sqrt(variance.mean())), float(np.sqrt(median))
        rows.append((name, samples, n, float(np.sqrt(prior)), one, of_median))
    return rows


def prior_variance(line: Line, parameter: str) -> float:
    """Return the variance of a scalar parameter's prior on the line."""
    at = line.slices[parameter].start
    return float(line.covariance[at, at])


def marginal_variance(sampling: Sampling, parameter: str, taken: np.ndarray) -> np.ndarray:
    """Return a scalar parameter's posterior variance, one per truth that could be solved.

    Raises
    ------
    ValueError
        If no solve succeeded.
    """
    at = sampling.line.slices[parameter].start
    variance = sampling.covariance(taken)[..., at, at].ravel()
    solved: np.ndarray = variance[np.isfinite(variance)]
    if not len(solved):
        raise ValueError("no solve succeeded; narrow the priors to values that people have")
    return solved


def median_variance(variance: np.ndarray, prior: float, *, spread: float, subjects: int) -> float:
    """Return the expected posterior variance of the median of a population.

    What the samples of one person say about the median is blurred by their own error and by the
    spread between people.

    Parameters
    ----------
    variance : array (truth,)
        Posterior variance of one person's value under the parameter's prior.
    prior : float
        Variance of that prior, which is also the prior of the median.
    spread : float
        Between-subject standard deviation on the line.
    subjects : int
        How many people there are.
    """
    of_samples = np.clip(1 / variance - 1 / prior, 0.0, None)
    about_median = of_samples / (1 + spread**2 * of_samples)
    return float(1 / (1 / prior + subjects * about_median.mean()))


def common_to_all(line: Line) -> np.ndarray:
    """Return which coordinates are of parameters in which people do not differ."""
    common = np.zeros(line.size, dtype=bool)
    for parameter in line.parameters:
        common[line.slices[parameter.name]] = not parameter.spread
    return common


def common_variance(
    sampling: Sampling, parameter: str, taken: np.ndarray, *, subjects: int
) -> float:
    """Return the expected posterior variance of a parameter that has one value in all people.

    What one person says about all common parameters is the information of the samples less what
    the person's own parameters take of it (a Schur complement); that of many adds up.

    Parameters
    ----------
    taken : array of bool (sample,)
        Which samples are taken.
    subjects : int
        How many people there are.

    Raises
    ------
    ValueError
        If no solve succeeded.
    """
    line = sampling.line
    common = common_to_all(line)
    prior = np.linalg.inv(line.covariance)
    told: np.ndarray = np.mean(
        [
            _about_common(sampling.slopes[:, taken & (sampling.subject == person)], prior, common)
            for person in np.unique(sampling.subject)
        ],
        axis=0,
    )
    told = told[np.isfinite(told).all(axis=(1, 2))]
    if not len(told):
        raise ValueError("no solve succeeded; narrow the priors to values that people have")
    at = int(np.flatnonzero(common).searchsorted(line.slices[parameter].start))
    covariance = np.linalg.inv(prior[np.ix_(common, common)] + subjects * told)
    return float(covariance[:, at, at].mean())


def _about_common(slopes: np.ndarray, prior: np.ndarray, common: np.ndarray) -> np.ndarray:
    """Return what one person's samples say of common coordinates, (draw, common, common)."""
    of_all, of_own = slopes[..., common], slopes[..., ~common]
    own = prior[np.ix_(~common, ~common)] + np.swapaxes(of_own, 1, 2) @ of_own
    cross = np.swapaxes(of_own, 1, 2) @ of_all
    lost = np.swapaxes(cross, 1, 2) @ np.linalg.solve(own, cross)
    return np.asarray(np.swapaxes(of_all, 1, 2) @ of_all - lost)


def read_schedule(
    name: str, schedule: Schedule, outputs: Sequence[Output], study: Study
) -> dict[str, np.ndarray]:
    """Return the sampling times of each output that a schedule measures.

    Raises
    ------
    KeyError
        If it names an output that is not there.
    ValueError
        If times do not increase, or lie where the study does not reach.
    """
    there = [o.name for o in outputs if all(o.analytes[0] in s.samples for s in study.subjects)]
    given = schedule if isinstance(schedule, Mapping) else dict.fromkeys(there, schedule)
    for output in given:
        if output not in there:
            raise KeyError(f"schedule {name!r}: no output {output!r}; there are {', '.join(there)}")
    last = min(max(float(x.time[-1]) for x in s.samples.values()) for s in study.subjects)
    return {output: _read_times(name, times, last) for output, times in given.items()}


def _read_times(name: str, times: Sequence[float], last: float) -> np.ndarray:
    time = np.asarray(times, dtype=float)
    if not time.size:
        raise ValueError(f"schedule {name!r}: there is no time")
    if not np.isfinite(time).all() or np.any(np.diff(time) <= 0):
        shown = " ".join(f"{t:g}" for t in time)
        raise ValueError(f"schedule {name!r}: times must increase, but are {shown}")
    if time[-1] > last:
        raise ValueError(
            f"schedule {name!r}: {time[-1]:g} min is after the last sample of the test"
            f" ({last:g} min), up to which its inputs are known"
        )
    return time


def with_all_samples(
    system: System, study: Study, schedules: Mapping[str, Mapping[str, np.ndarray]]
) -> Recipe:
    """Return the recipe of people who have the samples of all schedules, beside their own."""
    union: dict[str, np.ndarray] = {}
    for times in schedules.values():
        for name, time in times.items():
            union[name] = np.union1d(union.get(name, np.empty(0)), time)
    outputs = system.for_study(study).outputs
    people = tuple(_with_samples(s, outputs, union) for s in study.subjects)
    sampled = replace(study, subjects=people)
    unknowns = system.for_study(sampled).unknowns
    return prepare(sampled, system, design=Design({p.name: "separate" for p in unknowns}))


def _with_samples(
    subject: Subject, outputs: Sequence[Output], times: Mapping[str, np.ndarray]
) -> Subject:
    """Return a subject with outputs sampled at more times; values between are interpolated."""
    samples = dict(subject.samples)
    for output in outputs:
        for analyte in output.analytes if output.name in times else ():
            old = samples[analyte]
            time = np.union1d(old.time, times[output.name])
            value = np.interp(time, old.time, old.value)
            samples[analyte] = Samples(time, value, np.full(len(time), "none"))
    return replace(subject, samples=samples)


def _require_scalar(system: System, name: str) -> Parameter:
    """Return a parameter that is one number and can be narrowed, or say why it cannot be."""
    parameter = system.parameter(name)
    if isinstance(parameter.prior, Fixed):
        raise ValueError(
            f"{name} is fixed at {parameter.prior.value:g}, so no sample can narrow it; give it a"
            " prior, or choose another parameter"
        )
    if size := size_of(parameter.prior):
        scalars = ", ".join(p.name for p in system.unknowns if not size_of(p.prior))
        raise ValueError(f"{name} has {size} elements; choose one number: {scalars}")
    return parameter
