"""First pass: why glucose rises less after a drink than after the same glucose by vein.

Three things differ or act: gut and liver keep a part of a drink (``f``), the rest comes in slowly,
and secreted insulin reaches the liver in the portal vein before it reaches anything else (``kp4``).
Each is switched off in turn, in a model that starts from the same basal state: a drink of which
nothing is kept has f = 1, glucose that need not be absorbed is injected, and without kp4 production
answers plasma insulin alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hepaflux.parameter import Fixed
from hepaflux.solver import solve
from hepaflux.study.study import Dose, Subject
from hepaflux.systems.system import System

TOLERANCE = 1e-8


@dataclass(frozen=True)
class FirstPass:
    """The rise of glucose by mouth and by vein, and what makes the difference.

    Attributes
    ----------
    by_mouth, by_vein : float, mmol/L
        Highest glucose above basal.
    extraction : float, mmol/L
        How much of the difference is made by what gut and liver keep.
    absorption : float, mmol/L
        How much is made by the time that absorption takes.
    portal_by_mouth, portal_by_vein : float, mmol/L
        By how much the portal signal lowers each rise.
    """

    by_mouth: float
    by_vein: float
    extraction: float
    absorption: float
    portal_by_mouth: float
    portal_by_vein: float

    @property
    def difference(self) -> float:
        """Return by how much glucose rises less by mouth, mmol/L."""
        return self.by_vein - self.by_mouth

    @property
    def portal(self) -> float:
        """Return how much of the difference is the portal signal's, mmol/L.

        Below zero if it lowers the rise by vein more than that by mouth.
        """
        return self.portal_by_mouth - self.portal_by_vein

    @property
    def shares(self) -> dict[str, float]:
        """Return what each of the three makes of the difference; they sum to one."""
        names = ("extraction", "absorption", "portal")
        return {name: getattr(self, name) / self.difference for name in names}


def first_pass(
    system: System,
    dose: float,
    *,
    values: Mapping[str, float] | None = None,
    minutes: float = 30.0,
    duration: float = 300.0,
) -> FirstPass:
    """Compare a drink of glucose with the same glucose by vein, in the same person.

    Extraction and absorption are told apart without the portal signal, each as the mean of what it
    makes before and after the other; the rest of the difference is that signal's.

    Parameters
    ----------
    system : System
        The system ``meal``, in some state of health.
    dose : float, mmol/kg
        Glucose, per kg of body weight.
    values : mapping of str to float, optional
        Parameters of the person; by default the centers of the priors.
    minutes : float, min
        How long the glucose by vein runs.
    duration : float, min
        How long glucose is followed.

    Returns
    -------
    FirstPass

    Raises
    ------
    ValueError
        If the glucose by vein does not run for a while, or the equations cannot be solved.
    """
    if not 0 < minutes < duration:
        raise ValueError(f"minutes must be between 0 and {duration:g}, but is {minutes:g}")
    person = {**system.centers, **(values or {})}
    kept = person["f"]
    mouth = Dose(0.0, "glucose", dose, "oral", per_kg=True)

    def vein(share: float) -> Dose:
        return Dose(0.0, "glucose", share * dose, "intravenous", minutes, per_kg=True)

    def rise(given: Dose, **changes: float) -> float:
        return highest_rise(system, {**person, **changes}, given, duration)

    by_mouth, by_vein = rise(mouth), rise(vein(1.0))
    neither, extracted = rise(vein(1.0), kp4=0.0), rise(vein(kept), kp4=0.0)
    absorbed, both = rise(mouth, kp4=0.0, f=1.0), rise(mouth, kp4=0.0)
    extraction = 0.5 * ((neither - extracted) + (absorbed - both))
    absorption = 0.5 * ((neither - absorbed) + (extracted - both))
    return FirstPass(
        by_mouth=by_mouth,
        by_vein=by_vein,
        extraction=extraction,
        absorption=absorption,
        portal_by_mouth=both - by_mouth,
        portal_by_vein=neither - by_vein,
    )


def highest_rise(
    system: System, person: Mapping[str, float], given: Dose, duration: float
) -> float:
    """Return the highest glucose above basal after one dose, mmol/L, on a grid of minutes."""
    known: dict[str, Any] = {name: Fixed(value) for name, value in person.items()}
    minutes = np.linspace(0.0, duration, round(duration) + 1)
    fixed = system.with_priors(**known)
    solved = solve(
        fixed, {}, Subject("", {}, (given,)), times=minutes, rtol=TOLERANCE, atol=TOLERANCE
    )
    if solved.failed:
        raise ValueError(f"system {system.name} cannot be solved for these values")
    glucose = solved.states["Gp"] / person["VG"]
    return float(glucose.max() - glucose[0])
