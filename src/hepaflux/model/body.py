"""Body: what a virtual person brings to every test."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from hepaflux.model.population import Population


class Body(NamedTuple):
    """What a person brings to every test: basal mmol/L and pmol/L, kg, m.

    ``kinetic`` has what the kinetics of C-peptide depend on; empty if it is still to be drawn.
    """

    glucose: float
    insulin: float
    weight: float
    height: float
    kinetic: Mapping[str, float] = MappingProxyType({})


def body_of(population: Population, rng: np.random.Generator) -> Body:
    """Draw the body of a person of a group."""
    glucose, insulin = (
        float(median * np.exp(population.spread * sd * rng.standard_normal()))
        for median, sd in (population.basal_glucose, population.basal_insulin)
    )
    weight, height = (
        float(max(mean - 2 * sd * population.spread, rng.normal(mean, sd * population.spread)))
        for mean, sd in (population.weight, population.height)
    )
    return Body(glucose, insulin, weight, height)


def kinetic_covariates(
    population: Population, height: float, rng: np.random.Generator
) -> dict[str, float]:
    """Return what the kinetics of C-peptide depend on beside weight: height in cm, age, sex."""
    mean, sd = population.age
    age = max(18.0, rng.normal(mean, sd * population.spread))
    return {"height": round(100 * height), "age": round(age), "sex": float(rng.integers(2))}


def whole_body(population: Population, rng: np.random.Generator) -> Body:
    """Draw the body of a person with all that any test or parameter depends on."""
    body = body_of(population, rng)
    return body._replace(kinetic=kinetic_covariates(population, body.height, rng))


def covariates(body: Body) -> dict[str, float]:
    """Return what of a body is a column of the study."""
    return {"bmi": round(body.weight / body.height**2, 1), **body.kinetic}
