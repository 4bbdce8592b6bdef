"""Fasting: where plasma glucose comes from when nobody eats, and what holds it.

Liver glycogen breaks down, liver and kidney make new glucose, and both must leave by way of glucose
6-phosphate (G6P) and its phosphatase, the gate of production. Insulin, glucagon and epinephrine
follow glucose and act on glycogen through one switch, which turns its breakdown on and its
synthesis off; insulin closes the gate and holds lipolysis, too, each at another concentration.

Assumes     glucose has one pool; dS/dt = EGP + Ra - uptake, S = VG G
            G6P is in balance at every moment: what enters it is released, stored or goes down
            glycolysis, in proportion to G6P but for the saturable gate
            glucose that only passes the liver is no production, as tracers see it
            all glucose of the kidney is new, and its gate is that of the liver
            times count from the last meal; the first four hours are not described
Valid for   fasts from 4 to 72 h, drinks and infusions of glucose in them. The share of new
            glucose is that of what is released; a balance of glycogen nets its synthesis, too.
"""

from functools import partial
from math import log
from typing import Any, NamedTuple

from hepaflux.parameter import Fixed, LogNormal
from hepaflux.systems.fasting_states import conditions
from hepaflux.systems.fasting_values import (
    FLOW,
    HOUR,
    KONIG,
    KRSSAK,
    MAGNUSSON,
    NUTTALL,
    ROTHMAN,
    parameters,
)
from hepaflux.systems.hormones import called_for, cyclase, hormones, infused_hormone, restraint
from hepaflux.systems.release import Flows, flows
from hepaflux.systems.smooth import exponential, logistic
from hepaflux.systems.system import (
    Derived,
    DoseChannel,
    Flux,
    Input,
    Option,
    Output,
    Settings,
    State,
    System,
    default_settings,
)

EQUATIONS = (
    "dS/dt = EGP + Ra - Rd - liver_uptake - renal,   G = S / VG",
    "dGly/dt = (synthesis - breakdown) / V_L,   breakdown = V_L k_gly Gly gamma / gamma_usual",
    "synthesis = V_L k_gs (leak + (1 - leak) (1 - gamma)^sites) (1 - Gly / Gly_full)+ G6P",
    "gamma = (1 - I / (I + K_i) + PKA) / 2,"
    "   PKA = drive = 1 - (1 - g / (g + K_g)) (1 - eps_e e / (e + K_e))",
    "g = (Gn - waning (c - Gn_usual) - Gn_rest)+,   e = E - E_rest,   dc/dt = (Gn - c) / tau_c",
    "switch=dynamic: dcAMP/dt = (drive - cAMP) / tau_cAMP,   dPKA/dt = (cAMP - PKA) / tau_PKA",
    "new = GNG_4h N (lipolysis / lipolysis_usual)^e_F (gamma / gamma_usual)^e_P",
    "dN/dt = (1 + (GNG_rise - 1) (1 - I / (I + K_i)) - N) / tau_N,   N(4 h) = 1",
    "in = breakdown + (1 - renal_share) new + phosphorylated = out + synthesis + overflow,"
    "   phosphorylated = V_L V_GK Gp^n_GK / (K_GK^n_GK + Gp^n_GK)"
    " ((1 - gamma) / (1 - gamma_usual))^e_GK,"
    "   Gp = G + Ra / Q_P",
    "out = V_L V_G6P gate G6P / (K_G6P + G6P),   gate = g6pase / (1 + (I / K_E)^n_E)",
    "GLY = out breakdown / in,   GNG = out (1 - renal_share) new / in + kidney,   EGP = GLY + GNG",
    "kidney = renal_share new gate,   overflow = V_L k_over G6P",
    "Rd = Fcns (G / (G + K_c)) (G_usual + K_c) / G_usual + (CL + CL_I I^n_R / (K_R^n_R + I^n_R)) G",
    "I, Gn, E: sigmoid in G with half, steepness, min and max of each;   lipolysis = rho +"
    " (1 - rho) / (1 + (I / K_L)^n_L)",
)
"""As a reader would write them; gamma is the phosphorylated share."""

LOG_2 = log(2.0)

BEGIN = 4 * HOUR
"""Minutes after a meal from which a fast is described."""

LONGEST = 72 * HOUR
"""Minutes after a meal up to which it is described."""

LOW, SHARPNESS = 3.0, 0.02
"""Glucose below which there is hypoglycemia, mmol/L, and the width of that bound (chosen here)."""

STATES = (
    State("glycogen", "mmol/L", "liver glycogen", scale=100.0),
    State("S", "mmol/kg", "glucose in its pool", scale=1.0),
    State("stomach", "mmol/kg", "eaten glucose in the stomach", scale=5.0),
    State("gut", "mmol/kg", "eaten glucose in the gut", scale=5.0),
    State("adaptation", "pmol/L", "glucagon of the last half hour", scale=50.0),
    State("capacity", "1", "capacity of gluconeogenesis over that 4 h after a meal", scale=1.0),
    State("high", "min", f"time spent above {LOW:g} mmol/L until now", scale=1000.0),
)

CASCADE = (
    State("cAMP", "1", "cyclic AMP over its highest", scale=1.0),
    State("PKA", "1", "activity of protein kinase A", scale=1.0),
)


class States(NamedTuple):
    """The states; also their rates of change, and what a dose changes."""

    glycogen: Any = 0.0
    S: Any = 0.0
    stomach: Any = 0.0
    gut: Any = 0.0
    adaptation: Any = 0.0
    capacity: Any = 0.0
    high: Any = 0.0


class DynamicStates(NamedTuple):
    """The same with the cascade that opens the switch."""

    glycogen: Any = 0.0
    S: Any = 0.0
    stomach: Any = 0.0
    gut: Any = 0.0
    adaptation: Any = 0.0
    capacity: Any = 0.0
    high: Any = 0.0
    cAMP: Any = 0.0
    PKA: Any = 0.0


def target(insulin: Any, p: Any) -> Any:
    """Return the capacity of gluconeogenesis that long-lasting insulin allows."""
    return 1 + (p.GNG_rise - 1) * (1 - restraint(insulin, p))


class Equations:
    """The equations under given settings."""

    def __init__(self, settings: Settings):
        self.dynamic = settings["switch"] == "dynamic"
        self.states = (*STATES, *CASCADE) if self.dynamic else STATES
        self.record: Any = DynamicStates if self.dynamic else States

    def flows(self, y: Any, p: Any, u: Any) -> Flows:
        """Return all flows of a moment."""
        known = hormones(y.S / p.VG, p, u)
        kinase = y.PKA if self.dynamic else cyclase(known, y.adaptation, p)
        return flows(y, known, kinase, p)

    def rhs(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        """Return the time derivative."""
        del t
        now = self.flows(y, p, u)
        known = now.hormones
        cascade = {}
        if self.dynamic:
            drive = cyclase(known, y.adaptation, p)
            cascade = {
                "cAMP": (drive - y.cAMP) / p.tau_cAMP,
                "PKA": (y.cAMP - y.PKA) / p.tau_PKA,
            }
        return self.record(
            glycogen=(now.synthesis - now.breakdown) / p.V_L,
            S=now.EGP + now.Ra - now.uptake - now.liver_uptake - now.renal,
            stomach=-p.kabs * y.stomach,
            gut=p.kabs * (y.stomach - y.gut),
            adaptation=(known.glucagon - y.adaptation) / p.tau_c,
            capacity=(target(known.insulin, p) - y.capacity) / p.tau_N,
            high=logistic((y.S / p.VG / p.G_usual - LOW / 5.0) * 5.0 / SHARPNESS),
            **cascade,
        )

    def initial(self, p: Any, u: Any) -> Any:
        """Return the state four hours after a meal."""
        del u
        known = called_for(p.G_0, p)
        cascade = {}
        if self.dynamic:
            drive = cyclase(known, known.glucagon, p)
            cascade = {"cAMP": drive, "PKA": drive}
        return self.record(
            glycogen=p.Gly_4h,
            S=p.G_0 * p.VG,
            adaptation=known.glucagon,
            capacity=1.0,
            **cascade,
        )

    def dose(self, p: Any, u: Any, **gain: float) -> Any:
        """Return what a dose changes."""
        del p, u
        return self.record(**gain)


OPTIONS = (
    Option(
        "unknowns",
        "which parameters are unknown: few (those that a fast is about) or all whose spread between"
        " people is known; the others keep the values of the state of health",
        default="few",
        choices=("few", "all"),
    ),
    Option(
        "switch",
        "whether cyclic AMP and its kinase are at rest at every moment (steady) or follow the"
        " hormones in minutes (dynamic)",
        default="steady",
        choices=("steady", "dynamic"),
    ),
    Option(
        "method",
        "whether the gluconeogenic share is measured as it is (plain) or on the log-odds of a"
        " method that may lie off (shifted)",
        default="plain",
        choices=("plain", "shifted"),
    ),
    Option(
        "fasted",
        "time since the last meal at time 0 of the study",
        default=0.0,
        unit="min",
    ),
)


def inputs() -> tuple[Input, ...]:
    """Return what drives the system."""
    return tuple(
        Input(
            f"{name}_infused",
            "pmol/kg/min",
            f"{name} infused into a vein",
            infused_hormone(name),
            takes=((name, "intravenous"),),
        )
        for name in ("insulin", "glucagon")
    )


def new_share(now: Flows) -> Any:
    """Return the share of production that is new glucose."""
    return now.GNG / now.EGP


def measured_share(now: Flows, p: Any, *, shifted: bool) -> Any:
    """Return that share as a method measures it, which may lie off in its log-odds."""
    if not shifted:
        return new_share(now)
    odds = now.GNG / now.from_glycogen * exponential(p.gng_shift)
    return odds / (1 + odds)


def outputs(equations: Equations, *, shifted: bool) -> tuple[Output, ...]:
    """Return what can be measured; nobody needs to have all of it."""

    def at(measure: Any) -> Any:
        return lambda y, p, u: measure(equations.flows(y, p, u), p)

    plain = (
        ("glucose", "mmol/L", "plasma glucose", lambda y, p, u: y.S / p.VG, Fixed(0.02), 0.06),
        (
            "insulin",
            "pmol/L",
            "plasma insulin",
            at(lambda now, p: now.hormones.insulin),
            Fixed(0.07),
            3.0,
        ),
        (
            "liver_glycogen",
            "mmol/L",
            "liver glycogen, as magnetic resonance measures it",
            lambda y, p, u: y.glycogen,
            LogNormal(0.12, 0.5),
            3.0,
        ),
        (
            "egp",
            FLOW,
            "endogenous glucose production, as a tracer measures it",
            at(lambda now, p: now.EGP),
            LogNormal(0.1, 0.5),
            2e-4,
        ),
        (
            "gng_fraction",
            "1",
            "share of production that is new glucose",
            at(lambda now, p: measured_share(now, p, shifted=shifted)),
            LogNormal(0.06, 0.5),
            0.02,
        ),
    )
    return tuple(
        Output(name, unit, meaning, analyte=name, value=v, cv=cv, floor=floor, required=False)
        for name, unit, meaning, v, cv, floor in plain
    )


FLUXES = (
    ("EGP", FLOW, "endogenous glucose production", lambda now: now.EGP),
    ("GNG", FLOW, "release of new glucose by liver and kidney", lambda now: now.GNG),
    ("GLY", FLOW, "release of glucose from glycogen", lambda now: now.from_glycogen),
    ("kidney", FLOW, "release of new glucose by the kidney", lambda now: now.kidney),
    ("GNG_share", "1", "share of production that is new glucose", new_share),
    ("Rd", FLOW, "uptake by all tissue but the liver", lambda now: now.uptake),
    ("liver_uptake", FLOW, "uptake by the liver", lambda now: now.liver_uptake),
    ("renal", FLOW, "glucose lost by the kidney", lambda now: now.renal),
    ("Ra", FLOW, "appearance of eaten glucose", lambda now: now.Ra),
    ("breakdown", FLOW, "breakdown of glycogen", lambda now: now.breakdown),
    ("synthesis", FLOW, "synthesis of glycogen", lambda now: now.synthesis),
    ("overflow", FLOW, "G6P that goes to lactate, fat and urate", lambda now: now.overflow),
    ("G6P", "mmol/L", "glucose 6-phosphate in the liver", lambda now: now.G6P),
    ("phosphorylation", "1", "phosphorylated share of the switch", lambda now: now.phosphorylation),
    ("lipolysis", "1", "lipolysis over that without insulin", lambda now: now.lipolysis),
    ("glucagon", "pmol/L", "plasma glucagon", lambda now: now.hormones.glucagon),
    ("epinephrine", "pmol/L", "plasma epinephrine", lambda now: now.hormones.epinephrine),
)
"""Name, unit, meaning, and how each follows from the flows of a moment."""


def fluxes(equations: Equations) -> tuple[Flux, ...]:
    """Return what nobody measures."""

    def at(value: Any) -> Any:
        return lambda y, p, u: value(equations.flows(y, p, u))

    flows_of_moment = (Flux(n, unit, meaning, at(value)) for n, unit, meaning, value in FLUXES)
    passed = Flux("time_high", "min", STATES[-1].meaning, lambda y, p, u: y.high)
    return (*flows_of_moment, passed)


DERIVED = (
    Derived(
        "half_life",
        "h",
        "half-life of liver glycogen after an overnight fast, if none were made",
        lambda p, u: LOG_2 / p.k_gly / HOUR,
    ),
    Derived(
        "time_to_low",
        "min",
        f"time above {LOW:g} mmol/L of glucose, the whole test if glucose stays there",
        lambda p, u, y: y.high,
        at_end=True,
    ),
)


def declare(settings: Settings) -> System:
    """Declare the fasting system under the given options."""
    equations = Equations(settings)
    shifted = settings["method"] == "shifted"
    return System(
        name="fasting",
        title="Mass balance of glucose and its production in a fast",
        equations=EQUATIONS,
        references=(ROTHMAN, MAGNUSSON, NUTTALL, KRSSAK, KONIG),
        states=equations.states,
        parameters=parameters(settings["unknowns"], dynamic=equations.dynamic, shifted=shifted),
        inputs=inputs(),
        doses=(
            DoseChannel("glucose", "oral", "mmol/kg", partial(equations.dose, stomach=1.0)),
            DoseChannel("glucose", "intravenous", "mmol/kg", partial(equations.dose, S=1.0)),
        ),
        outputs=outputs(equations, shifted=shifted),
        derived=DERIVED,
        fluxes=fluxes(equations),
        rhs=equations.rhs,
        initial=equations.initial,
        leading=("k_gly", "Gly_4h", "GNG_4h"),
        conditions=conditions(),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        begin=BEGIN - settings["fasted"],
        conventions=(
            "Times count from the last meal (option fasted moves that). A fast begins 4 h after it,"
            " whenever the first sample is; a sample or dose before that begins it there.",
            "EGP = GLY + GNG is what is released and did not come from plasma; GLY is the share of"
            " it that came from glycogen.",
            "Parameters are those of a healthy person unless a state of health is chosen. Each"
            " hormone counts from its low level in health.",
            f"Hypoglycemia is glucose below {LOW:g} mmol/L; time_to_low is the time spent above it,"
            " so it is the time until then if glucose falls once.",
        ),
    )


fasting = declare(default_settings(OPTIONS))
