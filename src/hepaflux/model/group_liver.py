"""Group liver: published figures of several quantities as what one liver at rest makes of a group.

The typical person of each group has plasma as groups of this kind have it, and a liver whose wires,
drive and supply are unknown; newly made share, secretion, suppression of production and the
sensitivity index then follow together, by the equations of ``resting_liver``. What papers do not
print of a group's plasma is unknown with a prior that is the same for every group.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import pymc as pm

from hepaflux.model.hypotheses import system_of
from hepaflux.parameter import Beta, Fixed, LogNormal, Parameter
from hepaflux.systems.fat_export import fat_share
from hepaflux.systems.resting_liver import newly_made_share, production, resting_liver, secretion
from hepaflux.systems.rivals import HEALTH, Hypothesis

WIDE = "wide by choice, the same for every group"

FASTED = (
    Parameter("insulin_fasted", "pmol/L", LogNormal(60.0, 0.7), "fasting insulin", WIDE),
    Parameter("glucose_fasted", "mmol/L", LogNormal(5.2, 0.08), "fasting glucose", WIDE),
    Parameter("ffa_fasted", "mmol/L", LogNormal(0.55, 0.35), "fasting fatty acids", WIDE),
)
"""Plasma of a typical person of a group."""


def raised(state: str, words: str, glucose: LogNormal) -> tuple[Parameter, ...]:
    """Return by how much insulin and glucose rise and fatty acids fall from the fasted state.

    They are told relative to it, so that no state has less insulin or more fatty acids.
    """
    rise, left = f"insulin_rise_{state}", f"ffa_left_{state}"
    return (
        Parameter(rise, "1", LogNormal(5.0, 0.8), f"rise of insulin {words}, over fasting", WIDE),
        Parameter(f"glucose_ratio_{state}", "1", glucose, f"glucose {words} over fasting", WIDE),
        Parameter(left, "1", Beta(2.0, 4.0), f"fatty acids {words} over fasting", WIDE),
    )


PLASMA = (
    *FASTED,
    *raised("fed", "after meals", LogNormal(1.4, 0.2)),
    *raised("clamp", "in a clamp", LogNormal(1.0, 0.05)),
)
"""What is unknown of plasma, by group."""

BY_GROUP = ("w_L", "drive", "supply", "L")
"""What of the liver differs between groups."""

DERIVED = ("kinase_load", "insulin_on_fat", "capacity")
"""What else is told of each group, as of a person."""

SCALE = Parameter(
    "sensitivity_scale",
    "1",
    LogNormal(1.0, 2.0),
    "what the source of hepatic_insulin_sensitivity scaled it by; that of health is 1",
    "the source does not print it",
)

GIVES = (
    *("dnl_fraction", "dnl_fraction_fed", "vldl_tg_secretion"),
    *("egp_suppression", "hepatic_insulin_sensitivity", "liver_fat"),
)
"""Quantities of published figures that follow."""


class Mechanism(NamedTuple):
    """What gives the value of a quantity in each group, instead of a prior of its own.

    Attributes
    ----------
    parameters : tuple of Parameter
        The unknowns.
    by_group : frozenset of str
        Those that have one value for each group.
    constants : mapping of str to float
        What is known.
    """

    parameters: tuple[Parameter, ...]
    by_group: frozenset[str]
    constants: Mapping[str, float]

    def values(self, p: Mapping[str, Any]) -> dict[str, Any]:
        """Return each quantity by group; derived quantities become variables of the model."""
        known = SimpleNamespace(**self.constants, **p)
        fasted, fed, clamp = (_plasma(known, state) for state in ("", "fed", "clamp"))
        basal = production(known, fasted)
        load = basal * fasted.insulin / (HEALTH["H_0"] * known.I_0)
        pm.Deterministic("HIRI_ratio", load, dims="group")
        for one in (d for d in resting_liver.derived if d.name in DERIVED):
            pm.Deterministic(one.name, one.value(known, fasted), dims="group")
        return {
            "dnl_fraction": newly_made_share(known, fasted),
            "dnl_fraction_fed": newly_made_share(known, fed),
            "vldl_tg_secretion": secretion(known, fasted),
            "egp_suppression": 1 - production(known, clamp) / basal,
            "hepatic_insulin_sensitivity": known.sensitivity_scale / load,
            "liver_fat": fat_share(known.L, known),
        }


def _plasma(p: Any, state: str) -> Any:
    """Return the inputs of the liver, fasted or in a state that followed."""
    basal = {n: getattr(p, f"{n}_fasted") for n in ("insulin", "glucose", "ffa")}
    now = basal
    if state:
        now = {
            "insulin": basal["insulin"] * (1 + getattr(p, f"insulin_rise_{state}")),
            "glucose": basal["glucose"] * getattr(p, f"glucose_ratio_{state}"),
            "ffa": basal["ffa"] * getattr(p, f"ffa_left_{state}"),
        }
    return SimpleNamespace(**now, **{f"basal_{name}": value for name, value in basal.items()})


def group_liver(hypothesis: Hypothesis) -> Mechanism:
    """Return the liver of groups under a hypothesis.

    Parameters
    ----------
    hypothesis : Hypothesis
        From ``systems.rivals``.
    """
    system = system_of(hypothesis)
    of_liver = tuple(p for p in system.parameters if not isinstance(p.prior, Fixed))
    known = {p.name: p.prior.value for p in system.parameters if isinstance(p.prior, Fixed)}
    by_group = frozenset((*BY_GROUP, *(p.name for p in PLASMA)))
    return Mechanism((*of_liver, *PLASMA, SCALE), by_group, known)
