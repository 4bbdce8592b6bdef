"""Resting liver: production, lipogenesis, export and fat by what a person's plasma holds.

What the slow loop of ``selective_resistance`` leads to, seen from outside and in fewer numbers:
insulin, glucose and fatty acids of plasma are known, and the liver is at rest under them, in the
fasted state and after every step that lasts for hours (a clamp, glucose). So each measurement is
plain arithmetic of what is unknown: how sensitive the wire to glucose is, whether the wire to fat
feels that (lambda_L), how much of production fatty acids drive, and what else drives lipogenesis.

Assumes     rest: each step lasts until production and lipogenesis have followed
            fatty acids of plasma stand for their appearance; those made and those taken up are
            esterified alike, and in the fasted state as much triglyceride leaves as is made
Valid for   means of hours
"""

from typing import Any

from hepaflux.parameter import Beta, Fixed, LogNormal, Parameter
from hepaflux.systems.fat_export import fat_share, saturation
from hepaflux.systems.glucose_balance import PARAMETERS as BALANCE
from hepaflux.systems.glucose_balance import produced
from hepaflux.systems.inputs import basal, plasma_of
from hepaflux.systems.labeled_pool import resistance_index
from hepaflux.systems.lipogenesis import PER_DAY
from hepaflux.systems.liver_fat_values import RIEGER
from hepaflux.systems.response import RIZZA
from hepaflux.systems.signaling_values import LI, TER_HORST
from hepaflux.systems.system import Derived, Input, Output, System
from hepaflux.systems.wires import gate, lipogenic, open_wire

TITCHENELL = "Titchenell PM et al. (2016) Cell Metab 23:1154"
CHOSEN = "chosen here"
RIZZA_PORTAL = f"{RIZZA}, at r_P times the insulin of plasma; the unit of w_L"

EQUATIONS = (
    "egp = H_0 ((1 - e_F) A/A_0 + e_F (A/A_0)^e_A F^0.5),   A = 1 / (1 + (w_L r_P I / K_h)^n_h)",
    "made = DNL drive s(x)/s(x_0) (G/G_0)^e_G,   s(x) = x^n_S / (K_S^n_S + x^n_S),"
    "   x = r_P I ((1 - lambda_L) + lambda_L w_L),   F = FFA / FFA_0",
    "old = preformed supply ((1 - e_P) + e_P F),   dnl_fraction = made / (made + old)",
    "vldl_tg_secretion = (made + old)/3 fasted, times gate / gate fasted,"
    "   gate = 1 - sigma z/(1 + z),   z = w_L r_P I / K_h",
    "ihtg = TG_mass L / (lean_liver + TG_mass L)",
    "capacity L/(K_V + L) gate/gate_0 (K_V + L_0)/L_0 = (made + old) / (DNL + preformed), fasted",
)
"""As a reader would write them; 0 marks health."""

UNKNOWN = (
    Parameter(
        "w_L",
        "1",
        LogNormal(0.7, 0.8),
        "sensitivity of the wire to glucose over that of health",
        "wide by choice: from a tenth of health to three times",
        spread=0.35,
    ),
    Parameter(
        "lambda_L",
        "1",
        Beta(1.0, 1.0),
        "share of the lipogenic wire that feels what dulls the wire to glucose",
        f"flat: 0 is {LI}, 1 is {TER_HORST}",
    ),
    Parameter(
        "e_F",
        "1",
        Beta(1.5, 2.5),
        "share of production that fatty acids drive",
        f"wide by choice, for {TITCHENELL}",
    ),
    Parameter(
        "drive",
        "1",
        LogNormal(1.0, 0.8),
        "lipogenesis that neither insulin nor glucose explains, over that of health",
        "wide by choice: fructose, carbohydrate and enzymes",
        spread=0.3,
    ),
    Parameter(
        "e_G",
        "1",
        LogNormal(1.0, 0.6),
        "exponent of lipogenesis in glucose",
        "chosen here",
    ),
    Parameter(
        "K_S",
        "pmol/L",
        LogNormal(250.0, 0.5),
        "portal insulin that drives half of lipogenesis",
        "chosen here",
    ),
    Parameter(
        "n_S",
        "1",
        LogNormal(1.3, 0.25),
        "steepness of lipogenesis in insulin",
        "chosen here",
    ),
    Parameter(
        "n_h",
        "1",
        LogNormal(2.2, 0.25),
        "steepness of production in insulin",
        f"{RIZZA} (86 % at twice the half-maximal insulin); the width is chosen here",
    ),
    Parameter(
        "H_0",
        "mmol/kg/min",
        LogNormal(0.011, 0.13),
        "production at the insulin and fatty acids of health",
        "chosen here; people differ by 13 %",
        spread=0.13,
    ),
    Parameter(
        "supply",
        "1",
        LogNormal(1.0, 0.5),
        "esterified fatty acids that were not made anew, over those of health at equal FFA",
        "wide by choice",
        spread=0.3,
    ),
    Parameter(
        "L",
        "mmol",
        LogNormal(100.0, 1.0),
        "triglyceride of the liver",
        "wide by choice: 1 to 30 % of liver mass",
        spread=0.7,
    ),
)
"""What a fit looks for."""

KNOWN = (
    Parameter("K_h", "pmol/L", Fixed(100.0), "portal insulin that halves production", RIZZA_PORTAL),
    Parameter("r_P", "1", Fixed(2.5), "insulin of the portal vein over that of plasma", CHOSEN),
    Parameter("I_0", "pmol/L", Fixed(40.0), "fasting insulin in health", CHOSEN),
    Parameter("r0", "1", Fixed(0.15), "inhibited over other IRS in health", CHOSEN),
    Parameter("DNL", "mmol/day", Fixed(9.7), "fatty acids made in health", RIEGER),
    Parameter("sigma", "1", Fixed(0.30), "suppression of secretion at full insulin action", CHOSEN),
    Parameter("K_V", "mmol", Fixed(52.0), "liver triglyceride that gives half the export", CHOSEN),
    Parameter("L_0", "mmol", Fixed(53.0), "liver triglyceride in health", CHOSEN),
    Parameter("lean_liver", "g", Fixed(1450.0), "mass of a liver without fat", CHOSEN),
    Parameter("TG_mass", "g/mmol", Fixed(0.86), "molar mass of triglyceride", "usual, 860 g/mol"),
    Parameter("FFA_0", "mmol/L", Fixed(0.5), "fatty acids of plasma in health", CHOSEN),
    Parameter(
        "preformed",
        "mmol/day",
        Fixed(66.0),
        "esterified fatty acids in health that were not made anew",
        f"{RIEGER}: what enters less what is burned",
    ),
    Parameter(
        "e_P",
        "1",
        Fixed(0.5),
        "share of them that follows fatty acids of plasma; the rest comes from stores",
        f"{CHOSEN} so that a meal raises the newly made share about fivefold",
    ),
)
"""What is taken as known; 0 marks health."""

LENT = tuple(p for p in BALANCE if p.name in ("G_0", "e_A"))
"""Constants of ``glucose_balance``, whose law of production this is."""


def production(p: Any, u: Any) -> Any:
    """Return the production of glucose, mmol/kg/min."""
    left = open_wire(u.insulin, p.w_L, p) / open_wire(p.I_0, 1.0, p)
    return produced(left, u.ffa / p.FFA_0, p)


def insulin_drive(p: Any, u: Any) -> Any:
    """Return what insulin does for lipogenesis, over that of health."""
    return lipogenic(u.insulin, p.w_L, p) / lipogenic(p.I_0, 1.0, p)


def made(p: Any, u: Any) -> Any:
    """Return newly made fatty acids, mmol/day."""
    return p.DNL * p.drive * insulin_drive(p, u) * (u.glucose / p.G_0) ** p.e_G


def old(p: Any, u: Any) -> Any:
    """Return the other fatty acids that are esterified, mmol/day."""
    return p.preformed * p.supply * ((1 - p.e_P) + p.e_P * u.ffa / p.FFA_0)


def newly_made_share(p: Any, u: Any) -> Any:
    """Return the newly made share of esterified fatty acids."""
    return made(p, u) / (made(p, u) + old(p, u))


class Fasted:
    """What is known, as it was in the fasted state."""

    def __init__(self, u: Any):
        self.insulin, self.glucose, self.ffa = u.basal_insulin, u.basal_glucose, u.basal_ffa


def secretion(p: Any, u: Any) -> Any:
    """Return the triglyceride secreted in VLDL, umol/min."""
    fasted = Fasted(u)
    made_there = (made(p, fasted) + old(p, fasted)) / 3
    closed = gate(u.insulin, p.w_L, p) / gate(fasted.insulin, p.w_L, p)
    return made_there * closed * 1000 * PER_DAY


def capacity(p: Any, u: Any) -> Any:
    """Return the highest export of triglyceride over that of health."""
    fasted = Fasted(u)
    leaving = (made(p, fasted) + old(p, fasted)) / (p.DNL + p.preformed)
    filled = saturation(p.L, p) / saturation(p.L_0, p)
    return leaving / filled * gate(p.I_0, 1.0, p) / gate(fasted.insulin, p.w_L, p)


MEASURED = (
    ("egp", "mmol/kg/min", "production of glucose", production, 0.08, 2e-4),
    ("dnl_fraction", "1", "newly made share of fatty acids", newly_made_share, 0.12, 0.01),
    ("vldl_tg_secretion", "umol/min", "secretion of VLDL triglyceride", secretion, 0.12, 0.5),
    ("ihtg", "1", "liver triglyceride", lambda p, u: fat_share(p.L, p), 0.10, 0.005),
)
"""Analyte, unit, meaning, value, and the error of its measurement, relative and at low values."""


def output(name: str, unit: str, meaning: str, value: Any, cv: float, floor: float) -> Output:
    """Return something measured, by a function of parameters and inputs."""
    return Output(
        name,
        unit,
        meaning,
        analyte=name,
        value=lambda y, p, u: value(p, u),
        cv=Fixed(cv),
        floor=floor,
        required=False,
    )


DERIVED = (
    resistance_index(lambda p, u: production(p, Fasted(u))),
    Derived(
        "kinase_load",
        "1",
        "inhibited over other IRS that alone would explain w_L; below zero where it is keener"
        " than all IRS free of inhibition would make it",
        lambda p, u: (1 + p.r0) / p.w_L - 1,
    ),
    Derived(
        "insulin_on_fat",
        "1",
        "what fasting insulin does for lipogenesis, over that of health",
        lambda p, u: insulin_drive(p, Fasted(u)),
    ),
    Derived("capacity", "1", "highest export of triglyceride over that of health", capacity),
)

INPUTS = tuple(
    known
    for name, unit, meaning in (
        ("insulin", "pmol/L", "insulin of plasma"),
        ("glucose", "mmol/L", "glucose of plasma"),
        ("ffa", "mmol/L", "fatty acids of plasma"),
    )
    for known in (
        Input(name, unit, meaning, plasma_of(name)),
        Input(f"basal_{name}", unit, f"{meaning}, fasted", basal(name, "first")),
    )
)

resting_liver = System(
    name="resting_liver",
    title="The liver at rest: production and lipogenesis by insulin, glucose and fatty acids",
    equations=EQUATIONS,
    references=(LI, TER_HORST, TITCHENELL, RIEGER, RIZZA),
    states=(),
    parameters=(*UNKNOWN, *KNOWN, *LENT),
    inputs=INPUTS,
    outputs=tuple(output(*row) for row in MEASURED),
    derived=DERIVED,
    leading=("w_L", "lambda_L", "e_F", "drive"),
    rests_on={"lambda_L": ("K_S", "n_S", "e_G"), "capacity": ("supply",)},
    conventions=(
        "The first sample is of the fasted state. Later ones are of steps that last for hours:"
        " insulin, glucose and fatty acids are read at the time of the sample.",
        "lambda_L is 0 where lipogenesis answers insulin as in health, 1 where it is as deaf to it"
        " as production. Newly made and other fatty acids are those that are esterified.",
        "w_L is one where production answers portal insulin at K_h; kinase_load and capacity"
        " follow from the other values and from constants that were chosen.",
    ),
)
"""Production and lipogenesis of a liver at rest, whichever hypothesis holds."""
