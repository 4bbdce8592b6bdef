"""Selective resistance: the slow loop from fat mass to a liver deaf to one order of insulin.

Fat that is held too little leaks fatty acids; the liver esterifies them, diacylglycerol inhibits
the wire to glucose, glucose and insulin rise, and insulin drives lipogenesis by the wire that is
left. How much of that wire feels the inhibition too is the selectivity lambda_L. In health all
rests.

Assumes     means of a day; insulin and fatty acids follow glucose at once
            constants are chosen so that the whole answers as people do; no published model
Valid for   weeks to decades. The fastest part is glucose (an hour), hence the implicit method.
"""

from typing import Any

from hepaflux.parameter import Fixed
from hepaflux.systems.lipogenesis import PER_DAY
from hepaflux.systems.selective_resistance_values import REFERENCES, conditions, parameters
from hepaflux.systems.smooth import hill, rectified
from hepaflux.systems.system import Flux, Output, State, System, fields_type

EQUATIONS = (
    "F = FM lip(w_A I) / lip(I_0),   lip(I) = rho + (1 - rho) / (1 + (I / K_lip)^n_lip)",
    "I = beta I_0 (G / G_0)^n_I w_M^-e_M,   VG dG/dt = HGP - H_0 (G/G_0) (S_g + (1-S_g) w_M I/I_0)",
    "HGP = H_0 ((1 - e_F) A/A_0 + e_F (A/A_0)^e_A F^0.5),   A = 1 / (1 + (W r_P I / K_h)^n_h)",
    "entering = NEFA F + DNL S + 3 remnants,   burned = ox entering S^-e_ox,"
    "   E = (entering - burned) / 3",
    "dL/dt = E - VLDL,   VLDL = E_0 (K_V + L_0)/L_0 L/(K_V + L) gate,"
    "   gate = (1 - sigma z/(1+z)) / (1 - sigma z_0/(1+z_0)),   z = W r_P I / K_h",
    "tau_D dD/dt = E/E_0 (L/L_0)^e_L - D,   tau_C dC/dt = FM - 1 - C",
    "tau_W dW/dt = (1 + r0)/(1 + r0 k) - W,   k = 1 + k_P (D-1)+ + k_C C+ + k_S (S-1)+",
    "tau_S dS/dt = s(x)/s(x_0) nutrition G/G_0 - S,   s(x) = x^n_S/(K_S^n_S + x^n_S),"
    "   x = r_P I ((1 - lambda_L) + lambda_L W)",
)
"""As a reader would write them."""

BEND = 0.005
"""Width of each bend at the value of health (chosen here)."""

STATES = (
    State("L", "mmol", "triglyceride of the liver", scale=50.0),
    State("D", "1", "diacylglycerol over that of health"),
    State("W", "1", "sensitivity of the wire to glucose over that of health"),
    State("S", "1", "drive of lipogenesis over that of health"),
    State("C", "1", "inflammation of fat tissue", scale=0.3),
    State("G", "mmol/L", "plasma glucose, mean of a day", scale=5.0),
)

RECORD: Any = fields_type("States", [state.name for state in STATES])


def leak(insulin: Any, p: Any) -> Any:
    """Return lipolysis at some insulin over that without."""
    return p.rho + (1 - p.rho) * (1 - hill(insulin, p.K_lip, p.n_lip))


def insulin(y: Any, p: Any) -> Any:
    """Return plasma insulin, pmol/L."""
    return p.beta * p.I_0 * (y.G / p.G_0) ** p.n_I * p.w_M ** (-p.e_M)


def fatty_acids(y: Any, p: Any) -> Any:
    """Return the appearance of fatty acids over that of health."""
    return p.FM * leak(p.w_A * insulin(y, p), p) / leak(p.I_0, p)


def open_wire(sensitivity: Any, known: Any, p: Any) -> Any:
    """Return the share of production that insulin leaves."""
    return 1 - hill(sensitivity * p.r_P * known, p.K_h, p.n_h)


def production(y: Any, p: Any) -> Any:
    """Return the production of glucose by the liver, mmol/kg/min."""
    left = open_wire(y.W, insulin(y, p), p) / open_wire(1.0, p.I_0, p)
    return p.H_0 * ((1 - p.e_F) * left + p.e_F * left**p.e_A * fatty_acids(y, p) ** 0.5)


def uptake(y: Any, p: Any) -> Any:
    """Return the uptake of glucose, mmol/kg/min."""
    driven = p.w_M * insulin(y, p) / p.I_0
    return p.H_0 * y.G / p.G_0 * (p.S_g + (1 - p.S_g) * driven)


def entering(y: Any, p: Any) -> Any:
    """Return the fatty acids that enter the liver, mmol/day."""
    return p.NEFA * fatty_acids(y, p) + p.DNL * y.S + 3 * p.remnants


def stored(y: Any, p: Any) -> Any:
    """Return the triglyceride that the liver makes, mmol/day."""
    return entering(y, p) * (1 - p.ox * y.S ** (-p.e_ox)) / 3


def usual_storage(p: Any) -> Any:
    """Return the same in health; as much leaves there."""
    return (p.NEFA + p.DNL + 3 * p.remnants) * (1 - p.ox) / 3


def gate(y: Any, p: Any) -> Any:
    """Return what insulin leaves of secretion, over that in health."""
    now, usual = (
        hill(x, 1.0, 1.0) for x in (y.W * p.r_P * insulin(y, p) / p.K_h, p.r_P * p.I_0 / p.K_h)
    )
    return (1 - p.sigma * now) / (1 - p.sigma * usual)


def secreted(y: Any, p: Any) -> Any:
    """Return the triglyceride secreted in VLDL, mmol/day."""
    return usual_storage(p) * (p.K_V + p.L_0) / p.L_0 * y.L / (p.K_V + y.L) * gate(y, p)


def load(y: Any, p: Any) -> Any:
    """Return inhibited over other IRS at rest."""
    return p.r0 * (
        1
        + p.k_P * rectified(y.D - 1, BEND)
        + p.k_C * rectified(y.C, BEND)
        + p.k_S * rectified(y.S - 1, BEND)
    )


def lipogenic(known: Any, sensitivity: Any, p: Any) -> Any:
    """Return what insulin does for lipogenesis, 0 to 1."""
    heard = (1 - p.lambda_L) + p.lambda_L * sensitivity
    return hill(p.r_P * known * heard, p.K_S, p.n_S)


def lipogenesis(y: Any, p: Any) -> Any:
    """Return the drive of lipogenesis at rest, over that of health."""
    driven = lipogenic(insulin(y, p), y.W, p) / lipogenic(p.I_0, 1.0, p)
    return driven * p.nutrition * y.G / p.G_0


def rhs(t: Any, y: Any, p: Any, u: Any) -> Any:
    """Return the time derivative."""
    del t, u
    made = stored(y, p)
    return RECORD(
        L=(made - secreted(y, p)) * PER_DAY,
        D=(made / usual_storage(p) * (y.L / p.L_0) ** p.e_L - y.D) / p.tau_D * PER_DAY,
        W=((1 + p.r0) / (1 + load(y, p)) - y.W) / p.tau_W * PER_DAY,
        S=(lipogenesis(y, p) - y.S) / p.tau_S * PER_DAY,
        C=(p.FM - 1 - y.C) / p.tau_C * PER_DAY,
        G=(production(y, p) - uptake(y, p)) / p.VG,
    )


def initial(p: Any, u: Any) -> Any:
    """Return the state at time 0, at which the drivers of the state of health begin to act."""
    del u
    return RECORD(p.L_0 * p.from_L, p.from_D, p.from_W, p.from_S, p.from_C, p.G_0 * p.from_G)


def fat_share(y: Any, p: Any) -> Any:
    """Return liver triglyceride as a fraction of liver mass."""
    return y.L * p.TG_mass / (p.lean_liver + y.L * p.TG_mass)


MEASURED = (
    ("glucose", "mmol/L", "plasma glucose, mean of a day", lambda y, p: y.G, 0.03, 0.1),
    ("insulin", "pmol/L", "plasma insulin, mean of a day", insulin, 0.10, 3.0),
    ("egp", "mmol/kg/min", "production of glucose by the liver", production, 0.08, 2e-4),
    ("ihtg", "1", "liver triglyceride, fraction of liver mass", fat_share, 0.10, 0.005),
    (
        "vldl_tg_secretion",
        "umol/min",
        "secretion of VLDL triglyceride",
        lambda y, p: secreted(y, p) * 1000 * PER_DAY,
        0.12,
        0.5,
    ),
    (
        "dnl_fraction",
        "1",
        "newly made share of secreted fatty acids",
        lambda y, p: p.DNL * y.S / (3 * stored(y, p)),
        0.12,
        0.01,
    ),
)
"""Analyte, unit, meaning, value, and the error of its measurement, relative and at low values."""

FLUXES = (
    ("FFA", "1", "appearance of fatty acids over that of health", fatty_acids),
    ("storage", "mmol/day", "triglyceride that the liver makes", stored),
    ("secretion_rate", "mmol/day", "triglyceride secreted in VLDL", secreted),
    ("kinase_load", "1", "inhibited over other IRS at rest", load),
    ("HIRI", "1", "production times insulin over that of health", lambda y, p: hiri(y, p)),
    ("wire_1", "1", "sensitivity of the wire to glucose", lambda y, p: y.W),
    ("wire_2", "1", "drive of lipogenesis", lambda y, p: y.S),
)
"""Name, unit, meaning and value of what nobody measures as such."""


def hiri(y: Any, p: Any) -> Any:
    """Return the index of hepatic insulin resistance over that of health."""
    return production(y, p) * insulin(y, p) / (p.H_0 * p.I_0)


def of(value: Any) -> Any:
    """Return a function of states and parameters as one of states, parameters and inputs."""
    return lambda y, p, u: value(y, p)


selective_resistance = System(
    name="selective_resistance",
    title="The slow loop of fat, fatty liver, glucose and insulin",
    equations=EQUATIONS,
    references=REFERENCES,
    states=STATES,
    parameters=parameters(),
    inputs=(),
    outputs=tuple(
        Output(n, unit, meaning, n, of(value), cv=Fixed(cv), floor=floor, required=False)
        for n, unit, meaning, value, cv, floor in MEASURED
    ),
    fluxes=tuple(Flux(n, unit, meaning, of(value)) for n, unit, meaning, value in FLUXES),
    rhs=rhs,
    initial=initial,
    leading=("FM", "w_A", "lambda_L"),
    integrator="implicit",
    conditions=conditions(),
    conventions=(
        "A state of health is where the drivers (FM, w_A, w_M, nutrition, beta) lead from time 0"
        " on; it begins in health, or in a fatty liver where a diet is the state.",
        "Flows are means over 24 h; time is in min as everywhere, and time constants in days.",
    ),
)
