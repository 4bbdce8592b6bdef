"""Sensitivity: an index of insulin sensitivity that comes from beside the model, for dispositions.

A disposition index multiplies what the beta cells do by how well insulin acts. Where the model
itself has no insulin action, its measure is an index of glucose and insulin, or the result of
another fit, taken as known.
"""

from collections.abc import Callable

import numpy as np

from hepaflux.study.study import StudyError, Subject, zero_time
from hepaflux.systems.inputs import basal, samples_of
from hepaflux.systems.system import Input, Option
from hepaflux.units import INSULIN_FACTOR, MOLAR_MASS

MATSUDA = "Matsuda M, DeFronzo RA (1999) Diabetes Care 22:1462"

LENGTH = 120.0
"""Minutes of the test over which glucose and insulin are averaged."""


def sensitivity_option(name: str) -> Option:
    """Return the option that says where insulin sensitivity is from."""
    return Option(
        name,
        "insulin sensitivity of the disposition index: measured (matsuda if everybody has insulin,"
        f" else no), matsuda ({MATSUDA}), covariate (column SI, L/pmol/min, such as a fit of oral"
        " gives), no",
        default="measured",
        choices=("measured", "matsuda", "covariate", "no"),
    )


def sensitivity_input(chosen: str) -> tuple[Input, ...]:
    """Return insulin sensitivity as an input; none if the option asks for none."""
    if chosen == "matsuda":
        meaning = "insulin sensitivity by the Matsuda index of the first 2 h (mg/dL, µU/mL)"
        return (Input("sensitivity", "1", meaning, matsuda),)
    if chosen == "covariate":
        meaning = "insulin sensitivity SI, taken as known"
        return (Input("sensitivity", "L/pmol/min", meaning, covariate("SI")),)
    return ()


def covariate(name: str) -> Callable[[Subject], float]:
    """Read a covariate."""

    def read(subject: Subject) -> float:
        if name not in subject.covariates:
            problem = f"subject {subject.name}: no {name}; add a column {name} to subjects.csv."
            raise StudyError([problem])
        return float(subject.covariates[name])

    return read


def matsuda(subject: Subject) -> float:
    """Read the Matsuda index: 1e4 over the root of basal and mean glucose and insulin.

    Means are areas over time; one µU/mL counts as 6.00 pmol/L.
    """
    per_mg = MOLAR_MASS["glucose"] / 10
    product = 1.0
    for analyte, factor in (("glucose", per_mg), ("insulin", 1 / INSULIN_FACTOR)):
        first, mean = basal(analyte, "first")(subject), mean_of(subject, analyte)
        product *= factor * first * factor * mean
    return 1e4 / float(np.sqrt(product))


def mean_of(subject: Subject, analyte: str) -> float:
    """Return the mean of an analyte over the first 2 h, or over the test if it is shorter."""
    samples, start = samples_of(subject, analyte), zero_time(subject)
    end = min(start + LENGTH, float(samples.time[-1]))
    inside = (samples.time > start) & (samples.time < end)
    time = np.concatenate([[start], samples.time[inside], [end]])
    return float(np.trapezoid(np.interp(time, samples.time, samples.value), time)) / (end - start)
