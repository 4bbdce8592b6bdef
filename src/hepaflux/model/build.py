"""Build: a study and a system become an ordinary PyMC model.

The only floor that makes a graph. Everything that differs between subjects enters as ``pm.Data``,
so that one compiled model serves any subject of the same shape of protocol.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm

from hepaflux.model.design import Design, complete
from hepaflux.model.noise import Noise, noise_of
from hepaflux.model.priors import People, build_parameters, random_variable
from hepaflux.parameter import Fixed, Parameter
from hepaflux.solver.op import Solve
from hepaflux.solver.program import Program, compile_equations, widths
from hepaflux.solver.protocol import (
    Protocol,
    build_protocol,
    curve_names,
    has_infusions,
    read_inputs,
)
from hepaflux.study.study import Study, StudyError, Subject
from hepaflux.systems.inputs import start_time
from hepaflux.systems.system import Output, System, fields_type

TOLERANCE = (1e-6, 1e-6)
"""Relative and absolute tolerance of the solver in fits."""

PROTOCOL_DATA = ("protocol_constants", "protocol_table", "protocol_rows", "subject_inputs")
"""Names of the ``pm.Data`` that hold what drives the subjects."""


@dataclass(frozen=True, eq=False)
class Observations:
    """The samples of one output that enter the likelihood, all subjects in one flat vector.

    Attributes
    ----------
    output : Output
        What is measured.
    subject, time, value, censoring : array (observation,)
        Index of the subject, min, canonical unit, and 0 (measured), -1 (left), 1 (right).
    saved : array of int (observation,)
        Which of the saved times of the solves it belongs to.
    """

    output: Output
    subject: np.ndarray
    time: np.ndarray
    value: np.ndarray
    censoring: np.ndarray
    saved: np.ndarray


@dataclass(frozen=True, eq=False)
class Recipe:
    """What a model was built from; ``fit`` reads it from the model.

    Attributes
    ----------
    study, system, design, noise
        The nouns, with settings and levels completed.
    program : Program
        The differentiated equations.
    protocol : Protocol
        The subjects as the kernel's arrays.
    observations : tuple of Observations
        One per output.
    """

    study: Study
    system: System
    design: Design
    noise: Mapping[str, Noise]
    program: Program
    protocol: Protocol
    observations: tuple[Observations, ...]


def build_model(
    study: Study,
    system: System,
    *,
    design: Design | None = None,
    noise: Mapping[str, Noise] | None = None,
) -> pm.Model:
    """Build the PyMC model of a study under a system. Samples and compiles nothing.

    Parameters
    ----------
    study : Study
        One subject or many.
    system : System
        With any options and priors changed.
    design : Design, optional
        How parameters vary between subjects; see ``hepaflux.model.design.complete`` for defaults.
    noise : mapping of str to Noise, optional
        Noise model by output; the others have ``noise_of(output)``.

    Returns
    -------
    pm.Model
        With one variable per parameter under the parameter's name, derived quantities, and one
        observed variable per output.

    Raises
    ------
    StudyError
        If a subject lacks what the system needs.
    DesignError
        If the design does not fit.
    """
    recipe = prepare(study, system, design=design, noise=noise)
    with pm.Model(coords=coordinates(recipe)) as model:
        data = _data(recipe)
        values = build_parameters(recipe.system.unknowns, recipe.design, _people(recipe))
        noise_values = _noise_parameters(recipe)
        states = _solve(recipe, values, data)
        _derived(recipe, values, data)
        for observations in recipe.observations:
            mean = _mean(recipe, observations, states, values, data)
            _observe(recipe, observations, mean, noise_values)
    model.recipe = recipe
    return model


def prepare(
    study: Study,
    system: System,
    *,
    design: Design | None = None,
    noise: Mapping[str, Noise] | None = None,
) -> Recipe:
    """Complete the nouns of a model and turn the subjects into arrays; see ``build_model``."""
    system = system.for_study(study)
    completed = complete(design or Design(), system, study)
    noises = {o.name: (noise or {}).get(o.name) or noise_of(o) for o in system.outputs}
    _check_noise(noise or {}, noises)
    _check_doses(system, study)
    used = [_used_samples(system, subject) for subject in study.subjects]
    times = [np.unique(np.concatenate([t for t, _, _ in by_output])) for by_output in used]
    program = compile_equations(
        system,
        curve_names=curve_names(read_inputs(system, study.subjects[0])),
        infused=has_infusions(system, study.subjects),
    )
    protocol = build_protocol(system, program.layout, study.subjects, times)
    observations = tuple(
        _observations(output, [by_output[o] for by_output in used], times)
        for o, output in enumerate(system.outputs)
    )
    return Recipe(study, system, completed, noises, program, protocol, observations)


def _check_noise(given: Mapping[str, Noise], known: Mapping[str, Noise]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise KeyError(f"noise for {', '.join(unknown)}: the outputs are {', '.join(known)}")


def _check_doses(system: System, study: Study) -> None:
    """Refuse a study with a dose of a measured substance that the system would ignore."""
    taken = {(channel.what, channel.route) for channel in system.doses}
    taken |= {pair for read in system.inputs for pair in read.takes}
    measured = {output.analyte for output in system.outputs}
    problems = [
        f"subject {subject.name}: the {dose.route} dose of {dose.what} at {dose.time:g} min does"
        f" not enter system {system.name}; choose a system for that route."
        for subject in study.subjects
        for dose in subject.doses
        if dose.what in measured and (dose.what, dose.route) not in taken
    ]
    if problems:
        raise StudyError(problems)


def _used_samples(system: System, subject: Subject) -> list[tuple[np.ndarray, ...]]:
    """Return time, value and censoring of the samples that enter the likelihood, by output."""
    used: list[tuple[np.ndarray, ...]] = []
    for output in system.outputs:
        if output.analyte not in subject.samples:
            raise StudyError([f"subject {subject.name}: no {output.analyte} samples to fit."])
        samples = subject.samples[output.analyte]
        chosen = output.uses(samples.time - start_time(subject))
        if not chosen.any():
            raise StudyError(
                [
                    f"subject {subject.name}: none of the {len(chosen)} {output.analyte} samples"
                    " enters the likelihood; there must be one after the dose (and after the"
                    " mixing time)."
                ]
            )
        used.append((samples.time[chosen], samples.value[chosen], samples.censoring[chosen]))
    return used


def _observations(
    output: Output, used: Sequence[tuple[np.ndarray, ...]], times: Sequence[np.ndarray]
) -> Observations:
    firsts = np.concatenate([[0], np.cumsum([len(t) for t in times])])[:-1]
    codes = {"none": 0, "left": -1, "right": 1}
    return Observations(
        output=output,
        subject=np.concatenate([np.full(len(t), s) for s, (t, _, _) in enumerate(used)]),
        time=np.concatenate([t for t, _, _ in used]),
        value=np.concatenate([v for _, v, _ in used]),
        censoring=np.array([codes[str(c)] for _, _, cs in used for c in cs]),
        saved=np.concatenate(
            [
                first + np.searchsorted(saved, t)
                for first, saved, (t, _, _) in zip(firsts, times, used, strict=True)
            ]
        ),
    )


def coordinates(recipe: Recipe) -> dict[str, Any]:
    """Return the coordinates of the model's dimensions."""
    coords: dict[str, Any] = {"subject": [s.name for s in recipe.study.subjects]}
    if recipe.study.groups:
        coords["group"] = list(recipe.study.groups)
    for parameter in recipe.system.parameters:
        if parameter.axis:
            coords[parameter.axis] = list(axis_labels(recipe.system, parameter.axis))
    for name, covariates in recipe.design.covariates.items():
        coords[f"{name}_covariate"] = list(covariates)
    for observations in recipe.observations:
        coords[f"{observations.output.name}_observation"] = np.arange(len(observations.time))
    return coords


def axis_labels(system: System, axis: str) -> tuple[float, ...]:
    """Return the labels of a vector-valued parameter's dimension: its knots, or a count."""
    width = max(widths(system)[p.name] for p in system.parameters if p.axis == axis)
    setting = system.settings.get(f"{axis}s", ())
    labels = tuple(setting)[-width:] if not isinstance(setting, str) else ()
    return labels if len(labels) == width else tuple(range(width))


def _people(recipe: Recipe) -> People:
    study = recipe.study
    groups = [study.groups.index(s.group) for s in study.subjects if s.group]
    names = sorted({c for used in recipe.design.covariates.values() for c in used})
    standardized = {}
    for name in names:
        column = np.array([s.covariates[name] for s in study.subjects])
        standardized[name] = (column - column.mean()) / column.std()
    return People(len(study.subjects), np.array(groups, dtype=int), standardized)


def scalar_inputs(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of the inputs that are one number per subject."""
    inputs = read_inputs(recipe.system, recipe.study.subjects[0])
    return tuple(name for name, value in inputs.items() if np.isscalar(value))


def subject_inputs(recipe: Recipe) -> np.ndarray:
    """Return the scalar inputs of all subjects, shape (subject, input)."""
    names = scalar_inputs(recipe)
    rows = [read_inputs(recipe.system, subject) for subject in recipe.study.subjects]
    return np.array([[row[name] for name in names] for row in rows], dtype=float)


def data_values(recipe: Recipe) -> dict[str, np.ndarray]:
    """Return the values of all ``pm.Data`` of the model, by name."""
    protocol = recipe.protocol
    arrays = (protocol.constants, protocol.table, protocol.rows, subject_inputs(recipe))
    values = dict(zip(PROTOCOL_DATA, arrays, strict=True))
    for observations in recipe.observations:
        name = observations.output.name
        values[f"{name}_measured"] = observations.value
        values[f"{name}_saved"] = np.column_stack([observations.saved, observations.subject])
        values |= _censoring_limits(recipe, observations)
    return values


def _censoring_limits(recipe: Recipe, observations: Observations) -> dict[str, np.ndarray]:
    """Return the limits of a censored likelihood, if any subject of the study has one."""
    if not is_censored(recipe, observations.output):
        return {}
    limits = {-1: (observations.value, -np.inf), 1: (observations.value, np.inf)}
    name = observations.output.name
    return {
        f"{name}_{word}": np.where(observations.censoring == code, *limits[code])
        for word, code in (("lower", -1), ("upper", 1))
    }


def is_censored(recipe: Recipe, output: Output) -> bool:
    """Return whether any sample of an output's analyte is censored."""
    return any(
        (subject.samples[output.analyte].censoring != "none").any()
        for subject in recipe.study.subjects
    )


def _data(recipe: Recipe) -> dict[str, Any]:
    data = {name: pm.Data(name, value) for name, value in data_values(recipe).items()}
    data["tolerance"] = pm.Data("tolerance", np.array(TOLERANCE))
    return data


def _noise_parameters(recipe: Recipe) -> dict[str, Any]:
    unknown = {p.name: random_variable(p.name, p.prior, ()) for p in noise_unknowns(recipe)}
    return noise_constants(recipe) | unknown


def noise_parameters(recipe: Recipe) -> tuple[Parameter, ...]:
    """Return the parameters of the noise models."""
    return tuple(p for name, noise in recipe.noise.items() for p in noise.parameters(name))


def noise_unknowns(recipe: Recipe) -> tuple[Parameter, ...]:
    """Return those parameters of the noise models that are not fixed."""
    return tuple(p for p in noise_parameters(recipe) if not isinstance(p.prior, Fixed))


def noise_constants(recipe: Recipe) -> dict[str, float]:
    """Return the values of the fixed parameters of the noise models."""
    return {p.name: p.prior.value for p in noise_parameters(recipe) if isinstance(p.prior, Fixed)}


def _solve(recipe: Recipe, values: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    """Return the states at all saved times, shape (saved, state)."""
    inputs = (data[name] for name in PROTOCOL_DATA[:3])
    states, _ = Solve(recipe.program)(*_theta(recipe, values), *inputs, data["tolerance"])
    return states


def _theta(recipe: Recipe, values: Mapping[str, Any]) -> list[Any]:
    by_column: dict[str, Any] = {}
    for parameter in recipe.system.unknowns:
        value, width = values[parameter.name], widths(recipe.system)[parameter.name]
        if width:
            by_column |= {f"{parameter.name}[{j}]": value[..., j] for j in range(width)}
        else:
            by_column[parameter.name] = value
    return [by_column[name] for name in recipe.program.layout.theta]


def _records(recipe: Recipe, values: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
    """Return ``p`` and ``u`` for outputs and derived quantities."""
    fixed = {p.name: getattr(p.prior, "value", None) for p in recipe.system.parameters}
    p = {**fixed, **values}
    return fields_type("P", list(p))(**p), fields_type("U", list(inputs))(**inputs)


def _derived(recipe: Recipe, values: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    single = len(recipe.study.subjects) == 1
    names = scalar_inputs(recipe)
    matrix = data["subject_inputs"]
    inputs = {name: matrix[0, i] if single else matrix[:, i] for i, name in enumerate(names)}
    p, u = _records(recipe, values, inputs)
    for derived in recipe.system.derived:
        value = derived.value(p, u)
        pm.Deterministic(derived.name, value, dims=() if single else "subject")


def _mean(
    recipe: Recipe,
    observations: Observations,
    states: Any,
    values: Mapping[str, Any],
    data: Mapping[str, Any],
) -> Any:
    """Return the noise-free value of an output at its observations."""
    index = data[f"{observations.output.name}_saved"]
    saved, subject = index[:, 0], index[:, 1]
    names = recipe.program.layout.states
    y = fields_type("Y", names)(*(states[saved, i] for i in range(len(names))))
    inputs = {n: data["subject_inputs"][subject, i] for i, n in enumerate(scalar_inputs(recipe))}
    spread = {name: value[subject] if value.ndim else value for name, value in values.items()}
    return observations.output.value(y, *_records(recipe, spread, inputs))


def _observe(
    recipe: Recipe, observations: Observations, mean: Any, values: Mapping[str, Any]
) -> None:
    name = observations.output.name
    model = pm.modelcontext(None)
    distribution = recipe.noise[name].graph(mean, values, name)
    if is_censored(recipe, observations.output):
        limits = (model[f"{name}_lower"], model[f"{name}_upper"])
        distribution = pm.Censored.dist(distribution, *limits)
    model.register_rv(
        distribution,
        name,
        observed=model[f"{name}_measured"],
        dims=(f"{name}_observation",),
    )
