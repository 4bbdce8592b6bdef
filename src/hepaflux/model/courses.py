"""Courses: what happens in virtual people between their samples, free of any measurement error."""

from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from hepaflux.model.predict import courses
from hepaflux.model.recipe import prepare, separate
from hepaflux.model.simulate import TOLERANCE, Simulated
from hepaflux.systems.system import System

MOST_TIMES = 7 * 1440
"""Times of a course; the solver ends each step at the latest at the next of them."""


def simulated_courses(made: Simulated, system: System, *, step: float | None = None) -> xr.Dataset:
    """Return every output and flux of a simulated study as a function of time.

    Parameters
    ----------
    made : Simulated
        The study and what it was made from.
    system : System
        The one that it was made with, in the same state of health and with the same options.
    step : float, min, optional
        Between two times; the last sample is among them. A minute if nothing is said, more where a
        course lasts for more than ``MOST_TIMES`` of them.

    Returns
    -------
    Dataset
        Variables (subject, minutes); in their attributes ``unit``, ``meaning``, ``kind`` (output or
        flux) and, of an output, ``analyte``.
    """
    recipe = separate(prepare(made.study, system))
    draws = {p.name: made.values(p.name)[None] for p in recipe.system.unknowns}
    people = made.study.subjects
    sampled = np.concatenate([s.time for person in people for s in person.samples.values()])
    if step is None:
        step = max(1.0, float(np.ceil((sampled.max() - sampled.min()) / MOST_TIMES)))
    minutes = np.append(np.arange(sampled.min(), sampled.max(), step), sampled.max())
    values = courses(recipe, draws, [minutes] * len(people), tolerance=TOLERANCE)
    about = described(recipe.system)
    return xr.Dataset(
        {
            name: (("subject", "minutes"), value[0].reshape(len(people), -1), about[name])
            for name, value in values.items()
        },
        coords={
            "subject": [person.name for person in people],
            "minutes": minutes,
            "group": ("subject", [person.group for person in people]),
        },
        attrs={"system": recipe.system.name, "title": made.study.title},
    )


def described(system: System) -> dict[str, dict[str, Any]]:
    """Return unit, meaning and kind of each course, and the ends of the arrow of a flux."""
    fluxes = {
        f.name: {"unit": f.unit, "meaning": f.meaning, "kind": "flux"}
        | (asdict(f.arrow) if f.arrow else {})
        for f in system.fluxes
    }
    outputs = {
        part: {"unit": o.unit, "meaning": o.meaning, "kind": "output", "analyte": analyte}
        for o in system.outputs
        for part, analyte in zip(o.parts, o.analytes, strict=True)
    }
    return outputs | fluxes
