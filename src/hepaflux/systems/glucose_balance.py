"""Glucose balance: glucose and insulin of a whole day, by what the liver makes and tissue takes up.

The liver makes glucose as far as insulin has not driven FoxO1 out of its nuclei, and as far as
fatty acids push it. Tissue takes glucose up by itself and by insulin. Beta cells answer glucose,
and what muscle lacks of sensitivity.

Assumes     means of a day; insulin follows glucose at once
Valid for   days to decades. Glucose itself follows in an hour.
"""

from typing import Any

from hepaflux.parameter import Fixed, LogNormal, Parameter
from hepaflux.systems.dalla_man import TABLE_I
from hepaflux.systems.fat_tissue import CHOSEN, DEFINED
from hepaflux.systems.inputs import constant
from hepaflux.systems.response import FASTING
from hepaflux.systems.signaling_values import known
from hepaflux.systems.system import Flux, Input, Output, State, System, fields_type

EQUATIONS = (
    "VG dG/dt = EGP - H_0 (G/G_0) (S_g + (1 - S_g) w_M I/I_ref)",
    "I = beta I_ref (G/G_0)^n_I w_M^-e_M",
    "EGP = H_0 ((1 - e_F) FoxO1 + e_F FoxO1^e_A FFA^0.5),   FoxO1, FFA: over those of health",
)
"""As a reader would write them."""

PARAMETERS = (
    Parameter(
        "w_M",
        unit="1",
        prior=LogNormal(1.0, 0.3),
        meaning="insulin sensitivity of muscle over that of health",
        source=DEFINED,
        spread=0.2,
    ),
    Parameter("beta", "1", Fixed(1.0), "capacity of beta cells over that of health", DEFINED),
    Parameter(
        "e_F",
        unit="1",
        prior=Fixed(0.35),
        meaning="share of production that fatty acids drive",
        source=CHOSEN,
        spread=0.2,
    ),
    Parameter("e_A", "1", Fixed(0.3), "exponent of FoxO1 in what fatty acids drive", CHOSEN),
    Parameter("G_0", "mmol/L", Fixed(5.0), "glucose in health", CHOSEN),
    known("I_ref"),
    Parameter("H_0", "mmol/kg/min", Fixed(11e-3), "production of glucose in health", FASTING),
    Parameter("VG", "L/kg", Fixed(0.188), "glucose volume", TABLE_I),
    Parameter("S_g", "1", Fixed(0.55), "share of uptake that needs no insulin", CHOSEN),
    Parameter("n_I", "1", Fixed(2.6), "exponent of insulin in glucose", CHOSEN),
    Parameter("e_M", "1", Fixed(0.85), "exponent of insulin in what muscle lacks", CHOSEN),
)

STATES = (State("G", "mmol/L", "plasma glucose, mean of a day", scale=5.0),)
RECORD: Any = fields_type("States", ["G"])


def insulin(y: Any, p: Any, u: Any) -> Any:
    """Return plasma insulin, pmol/L."""
    del u
    return p.beta * p.I_ref * (y.G / p.G_0) ** p.n_I * p.w_M ** (-p.e_M)


def produced(left: Any, fatty: Any, p: Any) -> Any:
    """Return the production of glucose by the liver, mmol/kg/min.

    Parameters
    ----------
    left : 1
        What insulin leaves of its drive, such as FoxO1 in nuclei, over that of health.
    fatty : 1
        Fatty acids over those of health.
    """
    return p.H_0 * ((1 - p.e_F) * left + p.e_F * left**p.e_A * fatty**0.5)


def production(y: Any, p: Any, u: Any) -> Any:
    """Return the production of glucose by the liver, mmol/kg/min."""
    del y
    return produced(u.FoxO1_drive, u.FFA_drive, p)


def uptake(y: Any, p: Any, u: Any) -> Any:
    """Return the uptake of glucose, mmol/kg/min."""
    driven = p.w_M * insulin(y, p, u) / p.I_ref
    return p.H_0 * y.G / p.G_0 * (p.S_g + (1 - p.S_g) * driven)


def hiri(y: Any, p: Any, u: Any) -> Any:
    """Return the index of hepatic insulin resistance over that of health."""
    return production(y, p, u) * insulin(y, p, u) / (p.H_0 * p.I_ref)


def rhs(t: Any, y: Any, p: Any, u: Any) -> Any:
    """Return the time derivative."""
    del t
    return RECORD(G=(production(y, p, u) - uptake(y, p, u)) / p.VG)


def initial(p: Any, u: Any) -> Any:
    """Return the state of health, in which time 0 finds it."""
    del u
    return RECORD(G=p.G_0)


MEASURED = (
    ("glucose", "mmol/L", "plasma glucose, mean of a day", lambda y, p, u: y.G, 0.03, 0.1),
    ("insulin", "pmol/L", "plasma insulin, mean of a day", insulin, 0.10, 3.0),
    ("egp", "mmol/kg/min", "production of glucose by the liver", production, 0.08, 2e-4),
)
"""Analyte, unit, meaning, value, and the error of its measurement, relative and at low values."""

glucose_balance = System(
    name="glucose_balance",
    title="Glucose and insulin of a whole day, by production and uptake",
    equations=EQUATIONS,
    references=(FASTING, TABLE_I),
    states=STATES,
    parameters=PARAMETERS,
    inputs=(
        Input("FFA_drive", "1", "appearance of fatty acids over that of health", constant(1.0)),
        Input("FoxO1_drive", "1", "FoxO1 in nuclei of the liver over health", constant(1.0)),
    ),
    outputs=tuple(
        Output(n, unit, meaning, n, value, cv=Fixed(cv), floor=floor, required=False)
        for n, unit, meaning, value, cv, floor in MEASURED
    ),
    fluxes=(Flux("HIRI", "1", "production times insulin over that of health", hiri),),
    signals=(
        Flux("insulin", "pmol/L", "plasma insulin", insulin),
        Flux("glucose_drive", "1", "glucose over that of health", lambda y, p, u: y.G / p.G_0),
    ),
    rhs=rhs,
    initial=initial,
    leading=("w_M",),
    conventions=("Glucose is that of health at time 0, and what drives it acts from then on.",),
)
