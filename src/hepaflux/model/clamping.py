"""Clamping: the glucose infusions that keep the glucose of virtual people basal."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hepaflux.model.predict import fluxes
from hepaflux.model.protocols import StandardTest, infusion
from hepaflux.model.recipe import Recipe, separate
from hepaflux.study.study import Dose, Study

TOLERANCE = (1e-9, 1e-9)
"""Relative and absolute tolerance of the solver in simulations."""

CLAMP_STEP = 10.0
"""Minutes for which a clamp's glucose infusion is kept."""

LEAST_RATE = 1e-4
"""Glucose infusion below which the pump is off, mmol/kg/min."""


def clamped(recipe: Recipe, values: Mapping[str, np.ndarray], test: StandardTest) -> Study:
    """Return the study with the glucose infusions that keep everyone's glucose basal.

    Clearance and production do not depend on glucose in a clamp, so they are those of a test
    without glucose.
    """
    starts = np.arange(0.0, test.times[-1], CLAMP_STEP)
    people = recipe.study.subjects
    middles = [starts + CLAMP_STEP / 2] * len(people)
    draws = {name: value[None] for name, value in values.items()}
    flows = fluxes(separate(recipe), draws, middles, tolerance=TOLERANCE)
    clearance, production = (flows[n][0].reshape(len(people), -1) for n in ("MCR", "EGP"))
    basal = np.array([[person.samples["glucose"].value[0]] for person in people])
    rates = clearance * basal - production
    return replace(
        recipe.study,
        subjects=tuple(
            replace(person, doses=(*person.doses, *_glucose(test, starts, mine)))
            for person, mine in zip(people, rates, strict=True)
        ),
    )


def _glucose(test: StandardTest, starts: np.ndarray, rates: np.ndarray) -> list[Dose]:
    """Return infusions of glucose at given rates, and of its label."""
    shares = {"glucose": 1 / (1 + test.label), "egp_tracer": test.label / (1 + test.label)}
    return [
        infusion(what, float(share * rate), begin=float(start), end=float(start) + CLAMP_STEP)
        for start, rate in zip(starts, rates, strict=True)
        for what, share in shares.items()
        if rate > LEAST_RATE and share > 0
    ]
