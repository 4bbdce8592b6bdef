"""Fat tissue: the fatty acids that it leaks into plasma, and the cytokines of its inflammation.

More fat, or fat that insulin holds less, leaks more. Fat beyond that of health strains its cells
and draws macrophages, which takes weeks. Nothing of it is measured here: it drives other systems of
the same body.

Assumes     means of a day; lipolysis follows insulin at once
Valid for   weeks to decades
"""

from typing import Any

from hepaflux.parameter import Fixed, LogNormal, Parameter
from hepaflux.systems.inputs import plasma
from hepaflux.systems.lipogenesis import PER_DAY
from hepaflux.systems.response import CONTE, remaining
from hepaflux.systems.serine_kinases import cytokines, strain
from hepaflux.systems.signaling_values import known
from hepaflux.systems.system import Arrow, Flux, Input, State, System, fields_type

CHOSEN = "chosen here so that the slow loop answers as people do (not verified)"
DEFINED = "definition of health"

EQUATIONS = (
    "FFA = FM lip(w_A I) / lip(I_ref),"
    "   lip(I) = rho_lip + (1 - rho_lip) / (1 + (I / K_lip)^n_lip)",
    "tau_C dC/dt = 1 + (FM - 1)+ - C,   TNFa = 1 + e_TNF (C - 1),   IL6 = 1 + e_IL6 (C - 1)",
)
"""As a reader would write them."""

PARAMETERS = (
    Parameter(
        "FM",
        unit="1",
        prior=LogNormal(1.0, 0.3),
        meaning="fat mass, or what leaks from it, over that of health",
        source=DEFINED,
        spread=0.2,
    ),
    Parameter(
        "w_A",
        unit="1",
        prior=LogNormal(1.0, 0.3),
        meaning="insulin sensitivity of fat over that of health",
        source=DEFINED,
        spread=0.2,
    ),
    known("I_ref"),
    Parameter("rho_lip", "1", Fixed(0.15), "share of lipolysis that insulin cannot stop", CONTE),
    Parameter("K_lip", "pmol/L", Fixed(110.0), "insulin that halves other lipolysis", CHOSEN),
    Parameter("n_lip", "1", Fixed(1.2), "its steepness", CHOSEN),
    Parameter("tau_C", "day", Fixed(30.0), "time in which inflammation follows", CHOSEN),
    known("e_TNF"),
    known("e_IL6"),
)

STATES = (State("C", "1", "inflammation of fat tissue over that of health"),)
RECORD: Any = fields_type("States", ["C"])


def lipolysis(insulin: Any, p: Any) -> Any:
    """Return lipolysis at some insulin over that without."""
    return p.rho_lip + (1 - p.rho_lip) * remaining(insulin, p.K_lip, p.n_lip)


def fatty_acids(y: Any, p: Any, u: Any) -> Any:
    """Return the appearance of fatty acids over that of health."""
    del y
    return p.FM * lipolysis(p.w_A * u.insulin, p) / lipolysis(p.I_ref, p)


def rhs(t: Any, y: Any, p: Any, u: Any) -> Any:
    """Return the time derivative."""
    del t, u
    return RECORD(C=(1 + strain(p.FM) - y.C) / p.tau_C * PER_DAY)


def initial(p: Any, u: Any) -> Any:
    """Return the state of health, in which time 0 finds it."""
    del p, u
    return RECORD(C=1.0)


fat_tissue = System(
    name="fat_tissue",
    title="Fat tissue: leak of fatty acids, and inflammation",
    equations=EQUATIONS,
    references=(CONTE,),
    states=STATES,
    parameters=PARAMETERS,
    inputs=(Input("insulin", "pmol/L", "insulin in plasma", plasma),),
    outputs=(),
    fluxes=(
        Flux(
            "FFA",
            "1",
            "appearance of fatty acids over that of health",
            fatty_acids,
            Arrow("fat tissue", "plasma fatty acids"),
        ),
    ),
    signals=(
        Flux(
            "TNFa", "1", "TNF-alpha over that of health", lambda y, p, u: cytokines(y.C - 1, p)[0]
        ),
        Flux("IL6", "1", "IL-6 over that of health", lambda y, p, u: cytokines(y.C - 1, p)[1]),
    ),
    rhs=rhs,
    initial=initial,
    leading=("FM", "w_A"),
    conventions=("Fat is that of health until time 0, and what FM and w_A say from then on.",),
)
