"""Courses: what happens in virtual people between their samples, free of any measurement error."""

from typing import Any

import numpy as np
import xarray as xr

from hepaflux.model.predict import courses
from hepaflux.model.recipe import prepare, separate
from hepaflux.model.simulate import TOLERANCE, Simulated
from hepaflux.systems.system import System


def simulated_courses(made: Simulated, system: System, *, step: float = 1.0) -> xr.Dataset:
    """Return every output and flux of a simulated study as a function of time.

    Parameters
    ----------
    made : Simulated
        The study and what it was made from.
    system : System
        The one that it was made with, in the same state of health and with the same options.
    step : float, min
        Between two times; the last sample is among them.

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
    """Return unit, meaning and kind of each course."""
    fluxes = {f.name: {"unit": f.unit, "meaning": f.meaning, "kind": "flux"} for f in system.fluxes}
    outputs = {
        part: {"unit": o.unit, "meaning": o.meaning, "kind": "output", "analyte": analyte}
        for o in system.outputs
        for part, analyte in zip(o.parts, o.analytes, strict=True)
    }
    return outputs | fluxes
