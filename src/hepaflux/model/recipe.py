"""Recipe: a study, a system, a design and noise models, completed and turned into arrays.

What a model is built from, what the sampler's results are read with, and what a simulation runs.
No graph is made here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hepaflux.model.design import Design, Level, complete
from hepaflux.model.noise import Noise, noise_of
from hepaflux.model.observations import Observations, at_observations, gather, used_samples
from hepaflux.parameter import Fixed, Parameter
from hepaflux.solver.program import Program, compile_equations, widths
from hepaflux.solver.protocol import (
    Protocol,
    build_protocol,
    curve_names,
    has_infusions,
    read_inputs,
)
from hepaflux.study.study import Study, StudyError, Subject
from hepaflux.systems.system import Output, System, fields_type

ACTING = {"glucagon"}
"""What acts on glucose and is no input that a study samples."""

PROTOCOL_DATA = ("protocol_constants", "protocol_table", "protocol_rows")
"""Names of the ``pm.Data`` that hold what drives the solves."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """What a model was built from; ``fit`` reads it from the model.

    Attributes
    ----------
    study, system, design, noise
        The nouns, with settings and levels completed.
    program : Program or None
        The differentiated equations; None for an algebraic system.
    protocol : Protocol or None
        The subjects as the kernel's arrays; None for an algebraic system.
    observations : tuple of Observations
        One per output.
    """

    study: Study
    system: System
    design: Design
    noise: Mapping[str, Noise]
    program: Program | None
    protocol: Protocol | None
    observations: tuple[Observations, ...]

    @property
    def dynamics(self) -> tuple[Program, Protocol]:
        """Return program and protocol of a system with states."""
        if self.program is None or self.protocol is None:
            raise ValueError(f"system {self.system.name!r} has no states")
        return self.program, self.protocol


def prepare(
    study: Study,
    system: System,
    *,
    design: Design | None = None,
    noise: Mapping[str, Noise] | None = None,
    adapted: bool = False,
) -> Recipe:
    """Complete the nouns of a model and turn the subjects into arrays; see ``build_model``.

    Parameters
    ----------
    study, system, design, noise
        As for ``build_model``.
    adapted : bool
        Whether the system has its settings and outputs already (``adapt`` to a larger study),
        so that these subjects must not change them.
    """
    if not adapted:
        system = adapt(system, study)
    completed = complete(design or Design(), system.unknowns, study)
    noises = {o.name: (noise or {}).get(o.name) or noise_of(o) for o in system.outputs}
    _check_noise(noise or {}, noises)
    _check_doses(system, study)
    used = [used_samples(system.outputs, subject) for subject in study.subjects]
    times = [np.unique(np.concatenate([u.time for u in by_output])) for by_output in used]
    program, protocol = None, None
    if system.states:
        program = compile_equations(
            system,
            curve_names=curve_names(read_inputs(system, study.subjects[0])),
            infused=has_infusions(system, study.subjects),
        )
        protocol = build_protocol(system, program.layout, study.subjects, times)
    observations = tuple(
        gather(output, [by_output[o] for by_output in used], times)
        for o, output in enumerate(system.outputs)
    )
    return Recipe(study, system, completed, noises, program, protocol, observations)


def adapt(system: System, study: Study) -> System:
    """Return the system with the settings of a study and the outputs that somebody in it has."""
    system = system.for_study(study)
    there = {analyte for subject in study.subjects for analyte in subject.samples}
    kept = tuple(o for o in system.outputs if o.required or there & set(o.analytes))
    return replace(system, outputs=kept or system.outputs)


def _check_noise(given: Mapping[str, Noise], known: Mapping[str, Noise]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise KeyError(f"noise for {', '.join(unknown)}: the outputs are {', '.join(known)}")


def _check_doses(system: System, study: Study) -> None:
    """Refuse a study with a dose of a measured or acting substance that would be ignored."""
    taken = {(channel.what, channel.route) for channel in system.doses}
    taken |= {pair for read in system.inputs for pair in read.takes}
    measured = {analyte for output in system.outputs for analyte in output.analytes} | ACTING
    problems = [
        f"subject {subject.name}: the {dose.route} dose of {dose.what} at {dose.time:g} min does"
        f" not enter system {system.name}; choose a system for that route."
        for subject in study.subjects
        for dose in subject.doses
        if dose.what in measured and (dose.what, dose.route) not in taken
    ]
    if problems:
        raise StudyError(problems)


def separate(recipe: Recipe) -> Recipe:
    """Return a recipe in which every unknown has a value for each subject."""
    levels: dict[str, Level] = {p.name: "separate" for p in recipe.system.unknowns}
    return replace(recipe, design=replace(recipe.design, levels=levels))


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
        output = observations.output
        coords[f"{output.name}_observation"] = np.arange(len(observations.time))
        if output.is_composition:
            coords[output.axis] = list(output.analytes)
    return coords


def axis_labels(system: System, axis: str) -> tuple[Any, ...]:
    """Return the labels of a vector-valued parameter's dimension: its knots, or a count."""
    width = max(widths(system)[p.name] for p in system.parameters if p.axis == axis)
    setting = system.settings.get(f"{axis}s", ())
    labels = tuple(setting.split() if isinstance(setting, str) else setting)[-width:]
    return labels if len(labels) == width else tuple(range(width))


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
    values = {"subject_inputs": subject_inputs(recipe)}
    if recipe.protocol is not None:
        arrays = (recipe.protocol.constants, recipe.protocol.table, recipe.protocol.rows)
        values |= dict(zip(PROTOCOL_DATA, arrays, strict=True))
    for observations in recipe.observations:
        name = observations.output.name
        values[f"{name}_measured"] = observations.value
        values[f"{name}_saved"] = np.column_stack([observations.saved, observations.subject])
        values[f"{name}_curves"] = observed_curves(recipe, observations)
        values |= _censoring_limits(recipe, observations)
    return values


def curve_inputs(recipe: Recipe, subject: Subject) -> dict[str, Any]:
    """Return those inputs of a subject that vary in time: a curve or a tuple of curves each."""
    inputs = read_inputs(recipe.system, subject)
    return {name: value for name, value in inputs.items() if not np.isscalar(value)}


def curve_columns(recipe: Recipe) -> dict[str, int]:
    """Return how many columns each input that varies in time takes; 0 for a single curve."""
    curves = curve_inputs(recipe, recipe.study.subjects[0])
    return {n: len(v) if isinstance(v, tuple) else 0 for n, v in curves.items()}


def observed_curves(recipe: Recipe, observations: Observations) -> np.ndarray:
    """Return the inputs that vary in time at the observations, shape (observation, column)."""
    rows = [
        at_observations(curve_inputs(recipe, subject), observations.time[observations.subject == s])
        for s, subject in enumerate(recipe.study.subjects)
    ]
    return np.concatenate(rows)


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
        (subject.samples[analyte].censoring != "none").any()
        for subject in recipe.study.subjects
        for analyte in output.analytes
        if analyte in subject.samples
    )


def noise_parameters(recipe: Recipe) -> tuple[Parameter, ...]:
    """Return the parameters of the noise models."""
    return tuple(p for name, noise in recipe.noise.items() for p in noise.parameters(name))


def noise_unknowns(recipe: Recipe) -> tuple[Parameter, ...]:
    """Return those parameters of the noise models that are not fixed."""
    return tuple(p for p in noise_parameters(recipe) if not isinstance(p.prior, Fixed))


def noise_constants(recipe: Recipe) -> dict[str, float]:
    """Return the values of the fixed parameters of the noise models."""
    return {p.name: p.prior.value for p in noise_parameters(recipe) if isinstance(p.prior, Fixed)}


def records(
    recipe: Recipe, values: Mapping[str, Any], inputs: Mapping[str, Any]
) -> tuple[Any, Any]:
    """Return ``p`` and ``u`` for outputs and derived quantities; fixed parameters are added."""
    fixed = {p.name: getattr(p.prior, "value", None) for p in recipe.system.parameters}
    p = {**fixed, **values}
    return fields_type("P", list(p))(**p), fields_type("U", list(inputs))(**inputs)


def named_inputs(recipe: Recipe, constants: Any, curves: Any) -> dict[str, Any]:
    """Return inputs by name, given columns of constants and columns of curves side by side."""
    inputs = {name: constants[:, i] for i, name in enumerate(scalar_inputs(recipe))}
    first = 0
    for name, width in curve_columns(recipe).items():
        last = first + max(width, 1)
        parts = tuple(curves[:, i] for i in range(first, last))
        inputs[name] = parts if width else parts[0]
        first = last
    return inputs
