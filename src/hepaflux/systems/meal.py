"""Meal: glucose and insulin of a whole day's meals, by the model of Dalla Man, Rizza and Cobelli.

Glucose that is eaten passes stomach and gut into plasma, exchanges with tissue, and is taken up,
produced by the liver and lost by the kidney; insulin is secreted on glucose and its rise, passes
the liver, and acts on production and uptake. Nothing is taken as known but what is given, so that
one person can be followed through any number of meals, injections and infusions.

Assumes     basal values are a steady state: one constant of each pair is computed from them
            what is eaten within an hour is one meal; the stomach empties by its share that is left
            gates are smooth, each over 1 % of its basal scale
Valid for   meals and drinks of glucose; the constants are those of a mixed meal. There is no
            counterregulation, so hypoglycemia is not described. Glucose that is infused is
            answered by the same secretion as a meal's, incretins included.
"""

from typing import Any, NamedTuple

from hepaflux.parameter import Fixed
from hepaflux.systems.dalla_man import PAPER, PERIPHERAL, conditions, parameters
from hepaflux.systems.infusion import infusion_rate
from hepaflux.systems.inputs import meal_size
from hepaflux.systems.smooth import between, logistic, rectified, softplus
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

WIDTH = 0.01
"""Width of each gate's bend, as a share of the basal scale of what passes it (chosen here)."""

HIGHEST_EXTRACTION = 0.95
"""Bound of hepatic extraction; its line has none, and at one insulin would not leave the liver."""

STATES = (
    State("Gp", "mmol/kg", "glucose in plasma and what equilibrates with it", scale=1.0),
    State("Gt", "mmol/kg", "glucose in tissue", scale=1.0),
    State("Il", "pmol/kg", "insulin in the liver", scale=10.0),
    State("Ip", "pmol/kg", "insulin in plasma", scale=5.0),
    State("I1", "pmol/L", "insulin on its way to production", scale=100.0),
    State("Id", "pmol/L", "delayed insulin that acts on production", scale=100.0),
    State("X", "pmol/L", "remote insulin above basal that acts on uptake", scale=100.0),
    State("Y", "pmol/kg/min", "static secretion above basal", scale=5.0),
    State("Ipo", "pmol/kg", "secreted insulin in the portal vein", scale=10.0),
    State("Q1", "mmol/kg", "glucose in the stomach, solid", scale=5.0),
    State("Q2", "mmol/kg", "glucose in the stomach, ground", scale=5.0),
    State("Qgut", "mmol/kg", "glucose in the gut", scale=5.0),
)


class States(NamedTuple):
    """The states; also their rates of change, and what a dose changes."""

    Gp: Any = 0.0
    Gt: Any = 0.0
    Il: Any = 0.0
    Ip: Any = 0.0
    I1: Any = 0.0
    Id: Any = 0.0
    X: Any = 0.0
    Y: Any = 0.0
    Ipo: Any = 0.0
    Q1: Any = 0.0
    Q2: Any = 0.0
    Qgut: Any = 0.0


def basal_secretion(p: Any) -> Any:
    """Return basal secretion, pmol/kg/min."""
    return p.m4 * p.I_b * p.VI / (PERIPHERAL * (1 - p.HE_b))


def basal_tissue(p: Any) -> Any:
    """Return glucose in tissue at the steady state, mmol/kg."""
    arriving = p.k1 * p.G_b * p.VG
    return (arriving + p.Fcns + renal(p.G_b * p.VG, p) - p.EGP_b) / p.k2


def m2(p: Any) -> Any:
    """Return the rate of insulin from plasma to the liver, 1/min."""
    return p.m4 * (1 - PERIPHERAL) / (PERIPHERAL * p.HE_b)


def m6(p: Any) -> Any:
    """Return hepatic extraction without secretion."""
    return p.HE_b + p.m5 * basal_secretion(p)


def kp1(p: Any) -> Any:
    """Return production without glucose and insulin, mmol/kg/min."""
    portal = basal_secretion(p) / p.gamma
    return p.EGP_b + p.kp2 * p.G_b * p.VG + p.kp3 * p.I_b + p.kp4 * portal


def vm0(p: Any) -> Any:
    """Return the highest uptake by tissue at basal insulin, mmol/kg/min."""
    tissue = basal_tissue(p)
    uptake = p.EGP_b - p.Fcns - renal(p.G_b * p.VG, p)
    return uptake * (p.Km0 + tissue) / tissue


def renal(mass: Any, p: Any) -> Any:
    """Return what the kidney loses at a mass of glucose in plasma, mmol/kg/min."""
    return p.ke1 * softplus(mass - p.ke2, WIDTH * p.ke2)


def production(y: Any, p: Any, u: Any) -> Any:
    """Return endogenous production, mmol/kg/min."""
    del u
    signal = kp1(p) - p.kp2 * y.Gp - p.kp3 * y.Id - p.kp4 * y.Ipo
    return softplus(signal, WIDTH * p.EGP_b)


def appearance(y: Any, p: Any, u: Any) -> Any:
    """Return the appearance of eaten glucose in plasma, mmol/kg/min."""
    del u
    return p.f * p.kabs * y.Qgut


def uptake(y: Any, p: Any, u: Any) -> Any:
    """Return uptake by tissue that insulin raises, mmol/kg/min."""
    del u
    return (vm0(p) + p.Vmx * y.X) * y.Gt / (p.Km0 + y.Gt)


def secretion(y: Any, p: Any, u: Any) -> Any:
    """Return the insulin that reaches the liver from the pancreas, pmol/kg/min."""
    del u
    return p.gamma * y.Ipo


def extraction(y: Any, p: Any, u: Any) -> Any:
    """Return the share of insulin that the liver extracts, between zero and its bound."""
    line = m6(p) - p.m5 * secretion(y, p, u)
    return between(line, 0.0, HIGHEST_EXTRACTION, WIDTH)


def emptying(y: Any, p: Any, u: Any) -> Any:
    """Return the rate of gastric emptying, 1/min.

    The paper's a (q - b D) and c (q - d D) with a = 5 / (2 D (1 - b)) and c = 5 / (2 D d) depend on
    the share q / D that is left of the meal; tanh(z) is 2 logistic(2 z) - 1.
    """
    left = (y.Q1 + y.Q2) / u.meal
    slowing = logistic(5 * (left - p.b) / (1 - p.b))
    speeding = logistic(5 * (left - p.d) / p.d)
    return p.kmin + (p.kmax - p.kmin) * (slowing - speeding + 1)


def provision(y: Any, p: Any, rise: Any) -> Any:
    """Return the insulin that is secreted into the portal vein, pmol/kg/min.

    Parameters
    ----------
    rise : mmol/L/min
        Rate of change of glucose, of which only a rise counts.
    """
    turnover = p.EGP_b / p.VG
    return y.Y + basal_secretion(p) + p.K * rectified(rise, WIDTH * turnover)


def rhs(t: Any, y: Any, p: Any, u: Any) -> States:
    """Return the time derivative."""
    del t
    entering = production(y, p, u) + appearance(y, p, u)
    leaving = p.Fcns + renal(y.Gp, p)
    glucose = entering - leaving - p.k1 * y.Gp + p.k2 * y.Gt
    # The channel of intravenous glucose brings in what an infusion adds, here and to the release.
    released = provision(y, p, (glucose + u.infused) / p.VG) - p.K_iv * u.infused / p.VG
    basal = basal_secretion(p)
    static = softplus(p.beta * (y.Gp / p.VG - p.G_b) + basal, WIDTH * basal) - basal
    share = extraction(y, p, u)
    insulin, secreted, emptied = y.Ip / p.VI, secretion(y, p, u), emptying(y, p, u) * y.Q2
    return States(
        Gp=glucose,
        Gt=p.k1 * y.Gp - p.k2 * y.Gt - uptake(y, p, u),
        Il=secreted + m2(p) * y.Ip - p.m1 * y.Il / (1 - share),
        Ip=p.m1 * y.Il - (m2(p) + p.m4) * y.Ip,
        I1=p.ki * (insulin - y.I1),
        Id=p.ki * (y.I1 - y.Id),
        X=p.p2U * (insulin - p.I_b - y.X),
        Y=p.alpha * (static - y.Y),
        Ipo=released - secreted,
        Q1=-p.kgri * y.Q1,
        Q2=p.kgri * y.Q1 - emptied,
        Qgut=emptied - p.kabs * y.Qgut,
    )


def initial(p: Any, u: Any) -> States:
    """Return the basal steady state, with nothing eaten."""
    del u
    insulin = p.I_b * p.VI
    return States(
        Gp=p.G_b * p.VG,
        Gt=basal_tissue(p),
        Il=(m2(p) + p.m4) * insulin / p.m1,
        Ip=insulin,
        I1=p.I_b,
        Id=p.I_b,
        Ipo=basal_secretion(p) / p.gamma,
    )


OPTIONS = (
    Option(
        "unknowns",
        "which parameters are unknown: few (those about which glucose and insulin after a drink say"
        " most) or all whose spread between people is known; the others keep the values of the"
        " state of health",
        default="few",
        choices=("few", "all"),
    ),
)

ONE_MEAL = 60.0
"""Minutes within which what is eaten is one meal (chosen here)."""

INPUTS = (
    Input("meal", "mmol/kg", "glucose of the latest meal", meal_size(ONE_MEAL)),
    Input("infused", "mmol/kg/min", "glucose infused into a vein", infusion_rate("glucose")),
)

DOSES = (
    DoseChannel("glucose", "oral", "mmol/kg", lambda p, u: States(Q1=1.0)),
    DoseChannel(
        "glucose", "intravenous", "mmol/kg", lambda p, u: States(Gp=1.0, Ipo=p.K_iv / p.VG)
    ),
    DoseChannel("insulin", "intravenous", "pmol/kg", lambda p, u: States(Ip=1.0)),
)

OUTPUTS = (
    Output(
        "glucose",
        "mmol/L",
        "plasma glucose",
        analyte="glucose",
        value=lambda y, p, u: y.Gp / p.VG,
        cv=Fixed(0.02),
        floor=0.06,
    ),
    Output(
        "insulin",
        "pmol/L",
        "plasma insulin",
        analyte="insulin",
        value=lambda y, p, u: y.Ip / p.VI,
        cv=Fixed(0.07),
        floor=3.0,
    ),
)

FLOW = "mmol/kg/min"

FLUXES = (
    Flux("EGP", FLOW, "endogenous glucose production", production),
    Flux("Ra", FLOW, "appearance of eaten glucose in plasma", appearance),
    Flux("Rd", FLOW, "uptake by all tissue, Uii + Uid", lambda y, p, u: p.Fcns + uptake(y, p, u)),
    Flux("Uii", FLOW, "uptake that needs no insulin", lambda y, p, u: p.Fcns),
    Flux("Uid", FLOW, "uptake by tissue that insulin raises", uptake),
    Flux("renal", FLOW, "glucose lost by the kidney", lambda y, p, u: renal(y.Gp, p)),
    Flux("secretion", "pmol/kg/min", "insulin that reaches the liver", secretion),
    Flux("HE", "1", "share of insulin that the liver extracts", extraction),
)

DERIVED = (
    Derived("S_b", "pmol/kg/min", "basal secretion", lambda p, u: basal_secretion(p)),
    Derived("m2", "1/min", "rate of insulin from plasma to the liver", lambda p, u: m2(p)),
    Derived("m6", "1", "hepatic extraction without secretion", lambda p, u: m6(p)),
    Derived("kp1", FLOW, "production without glucose and insulin", lambda p, u: kp1(p)),
    Derived("Vm0", FLOW, "highest uptake at basal insulin", lambda p, u: vm0(p)),
)


def declare(settings: Settings) -> System:
    """Declare the meal model under the given options."""
    return System(
        name="meal",
        title="Meals, drinks and injections of one person: the glucose-insulin system as a whole",
        equations=(
            "dGp/dt = EGP + Ra - Uii - renal - k1 Gp + k2 Gt,   G = Gp / VG",
            "dGt/dt = -Uid + k1 Gp - k2 Gt",
            "EGP = (kp1 - kp2 Gp - kp3 Id - kp4 Ipo)+,   dId/dt = -ki (Id - I1),"
            "   dI1/dt = -ki (I1 - I)",
            "Uii = Fcns,   Uid = (Vm0 + Vmx X) Gt / (Km0 + Gt),   dX/dt = -p2U (X - (I - I_b))",
            "renal = ke1 (Gp - ke2)+",
            "dQ1/dt = -kgri Q1 + dose,   dQ2/dt = kgri Q1 - kempt Q2,"
            "   dQgut/dt = kempt Q2 - kabs Qgut,   Ra = f kabs Qgut",
            "kempt = kmin + (kmax - kmin) / 2 (tanh(5 (q - b D) / (2 D (1 - b)))"
            " - tanh(5 (q - d D) / (2 D d)) + 2),   q = Q1 + Q2,   D: the meal",
            "dIl/dt = S + m2 Ip - (m1 + m3) Il,   dIp/dt = m1 Il - (m2 + m4) Ip,   I = Ip / VI",
            "m3 = HE m1 / (1 - HE),   HE = m6 - m5 S,   S = gamma Ipo",
            "dIpo/dt = -gamma Ipo + Y + S_b + K (dG/dt)+",
            "dY/dt = -alpha (Y - max(beta (G - G_b), -S_b))",
        ),
        references=(PAPER,),
        states=STATES,
        parameters=parameters(settings["unknowns"]),
        inputs=INPUTS,
        doses=DOSES,
        outputs=OUTPUTS,
        derived=DERIVED,
        fluxes=FLUXES,
        rhs=rhs,
        initial=initial,
        leading=("kp3", "Vmx", "K", "beta"),
        conditions=conditions(),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        conventions=(
            "Basal values are a steady state: S_b, m2, m6, kp1 and Vm0 are computed from G_b, I_b,"
            " EGP_b, HE_b and m4.",
            "The constants of gastric emptying follow from the size of the meal; what is eaten"
            f" within {ONE_MEAL:g} min is one meal. The dose counts as glucose.",
            "Rd = Uii + Uid. EGP is one flow: how much of it is new, and how much is from glycogen,"
            " is not in this model, but in fasting.",
            f"Gates are smooth over {WIDTH:.0%} of their basal scale; hepatic extraction stays"
            f" between 0 and {HIGHEST_EXTRACTION:g}.",
            "Glucose that is injected at once releases K_iv times its rise at once; glucose that is"
            " infused acts by its rise, as a meal's does.",
        ),
    )


meal = declare(default_settings(OPTIONS))
