"""Labeled minimal model of the IVGTT with two compartments: how insulin moves glucose out.

A labeled dose shows disposal alone, since nothing labeled is produced. Two compartments separate
mixing from disposal, which one compartment takes for glucose effectiveness. Disposal that insulin
does not touch leaves the accessible pool, at a constant rate and in proportion to glucose; insulin
acts on what leaves the deep pool.

The parameters are the indexes themselves, with the rate constants computed from them: insulin
sensitivity S2_I and plasma clearance PCR are what the test determines and what papers report.

Assumes     tracer and glucose are handled alike; the label was injected with the glucose
            basal disposal is three quarters insulin-independent (``NI_share``), and a fixed
            fraction of it constant (``Rd0_share``), so that neither part can become negative
            glucose is taken as known unless the option says that it is modeled, with production
            that falls with glucose and delayed insulin and cannot become negative
Valid for   IVGTT, standard or insulin-modified, with a glucose tracer in the bolus, 3 to 5 hours
"""

from dataclasses import replace
from typing import Any

from hepaflux.parameter import Fixed, LogNormal, Parameter
from hepaflux.systems import labeled_pool as pool
from hepaflux.systems.inputs import above_basal
from hepaflux.systems.pool import (
    basal_options,
    basal_sentence,
    driving_inputs,
    glucose_output,
    unknown,
)
from hepaflux.systems.production import BASAL_STEEPNESS, HEPATIC, by_rate
from hepaflux.systems.smooth import softplus
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
    fields_type,
)

CAUMO = "Caumo A, Cobelli C (1993) Am J Physiol 264:E829"
DENTI = "Denti P et al. (2010) Am J Physiol Endocrinol Metab 298:E950 (unlabeled test)"
VICINI, TOFFOLO = pool.VICINI, pool.TOFFOLO

OPTIONS = (
    *basal_options(insulin="last"),
    Option(
        "glucose",
        "measured (taken as known, linear between samples) or modeled (an output, with production)",
        default="measured",
        choices=("measured", "modeled"),
    ),
    Option(
        "mixing",
        "minutes after the dose before which samples do not enter the likelihood",
        default=2.0,
    ),
)

INDEXES = (
    Parameter(
        "S2_I",
        unit="L/kg/min/(pmol/L)",
        prior=LogNormal(2.3e-5, 0.9),
        meaning="insulin sensitivity: rise of clearance per insulin, in the steady state",
        source=f"{VICINI} (0.138 mL/kg/min per uU/mL, SE 0.025, n 14)",
        spread=0.6,
    ),
    Parameter(
        "PCR",
        unit="L/kg/min",
        prior=LogNormal(2.02e-3, 0.35),
        meaning="plasma clearance rate of glucose in the basal steady state",
        source=f"{VICINI} (2.02 mL/kg/min, SE 0.14, n 14)",
        spread=0.25,
    ),
)

SHARES = (
    Parameter(
        "NI_share",
        unit="1",
        prior=Fixed(0.75),
        meaning="insulin-independent share of basal disposal",
        source=f"{CAUMO} (three times the insulin-dependent one); quoted from memory, not checked",
    ),
    Parameter(
        "Rd0_share",
        unit="1",
        prior=Fixed(0.58),
        meaning="share of basal disposal that stays constant when glucose changes",
        source=f"1 - S2_G / PCR of {VICINI} (0.85 / 2.02); that it is a share: {TOFFOLO}",
    ),
)


def parameters(*, modeled: bool) -> tuple[Parameter, ...]:
    """Return the unknowns; those of production only where glucose is modeled."""
    kinetics = tuple(p for p in pool.EXCHANGE if p.name in ("k21", "k12"))
    hepatic = tuple(p for p in HEPATIC if p.name in ("SI_L", "GE_L", "k_L"))
    return (
        *INDEXES,
        unknown("p2", LogNormal(0.025, 0.4), spread=0.35, source=DENTI),
        unknown("V", LogNormal(0.188, 0.15), spread=0.08, source=pool.DALLA_MAN_2007),
        *kinetics,
        *SHARES,
        *(hepatic if modeled else ()),
    )


def deep_loss(p: Any) -> Any:
    """Return k02: the loss from the deep pool that makes up insulin-dependent basal disposal."""
    flow = (1 - p.NI_share) * p.PCR / p.V
    return p.k12 * flow / (p.k21 - flow)


def proportional_loss(p: Any) -> Any:
    """Return kp: the insulin-independent loss in proportion to glucose, 1/min."""
    return (p.NI_share - p.Rd0_share) * p.PCR / p.V


def constant_disposal(p: Any, u: Any) -> Any:
    """Return Rd0: the insulin-independent disposal that does not depend on glucose."""
    return p.Rd0_share * p.PCR * u.basal_glucose


def production(y: Any, p: Any, u: Any) -> Any:
    """Return endogenous production where glucose is modeled, mmol/kg/min."""
    basal = p.PCR * u.basal_glucose
    rise = y.unlabeled + y.egp_tracer - u.basal_glucose
    return softplus(basal - p.GE_L * rise - y.hepatic_action, BASAL_STEEPNESS * basal)


class Equations:
    """The equations under given settings."""

    def __init__(self, settings: Settings):
        self.modeled = settings["glucose"] == "modeled"
        self.species = ("unlabeled", "egp_tracer") if self.modeled else ("egp_tracer",)
        self.form = by_rate()
        self.states = (
            *pool.states(self.species, compartments="two"),
            State("action", "1/min", "insulin action on disposal from the deep pool", scale=0.01),
            *(self.form.states if self.modeled else ()),
        )
        self.record = fields_type("States", [state.name for state in self.states])

    def glucose(self, y: Any, p: Any, u: Any) -> Any:
        """Return all glucose, mmol/L."""
        del p
        return pool.total(y, self.species) if self.modeled else u.glucose_known

    def leaving(self, y: Any, p: Any, u: Any) -> Any:
        """Return the fractional disposal from the accessible pool, 1/min."""
        constant = constant_disposal(p, u) / (p.V * self.glucose(y, p, u))
        return proportional_loss(p) + constant

    def rhs(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        """Return the time derivative (Vicini 1997)."""
        del t
        leaving, k02, rates = self.leaving(y, p, u), deep_loss(p), {}
        for species in self.species:
            accessible, deep = getattr(y, species), getattr(y, f"{species}_deep")
            rates[species] = p.k12 * deep - (leaving + p.k21) * accessible
            rates[f"{species}_deep"] = p.k21 * accessible - (p.k12 + k02 + y.action) * deep
        gain = (k02 + p.k12) ** 2 / (p.V * p.k21 * p.k12)
        rates["action"] = p.p2 * (gain * p.S2_I * u.insulin_above_basal - y.action)
        if self.modeled:
            rates["unlabeled"] = rates["unlabeled"] + production(y, p, u) / p.V
            rates |= self.form.rates(y, p, u)
        return self.record(**rates)

    def initial(self, p: Any, u: Any) -> Any:
        """Return the basal steady state, without tracer."""
        values: dict[str, Any] = dict.fromkeys((state.name for state in self.states), 0.0)
        if self.modeled:
            deep = p.k21 * u.basal_glucose / (p.k12 + deep_loss(p))
            values |= {"unlabeled": u.basal_glucose, "unlabeled_deep": deep}
        return self.record(**values)

    def doses(self) -> tuple[DoseChannel, ...]:
        """Return where the bolus enters; unlabeled glucose only where it is modeled."""
        channels = [pool.infusion_channel(s, self.states, self.record) for s in self.species]
        return tuple(replace(c, what=c.what.replace("unlabeled", "glucose")) for c in channels)

    def inputs(self, settings: Settings) -> tuple[Input, ...]:
        """Return basal values, insulin, and glucose where it is taken as known."""
        if self.modeled:
            return driving_inputs(settings)
        known = Input(
            "glucose_known",
            "mmol/L",
            "measured glucose, linear between the samples",
            above_basal("glucose", 0.0),
            takes=(("glucose", "intravenous"),),
        )
        return (*driving_inputs(settings), known)

    def outputs(self, mixing: float) -> tuple[Output, ...]:
        """Return what is measured."""

        def uses(minutes: Any) -> Any:
            return minutes >= max(mixing, 1e-9)

        glucose = glucose_output(uses=uses, cv=Fixed(0.02))
        enrichment = Output(
            "egp_enrichment",
            "TTR",
            "tracer-to-tracee ratio, tracer of the bolus",
            analyte="egp_enrichment",
            value=lambda y, p, u: y.egp_tracer / (self.glucose(y, p, u) - y.egp_tracer),
            uses=uses,
            cv=Fixed(pool.TTR_CV),
            floor=pool.TTR_FLOOR,
        )
        return (*((replace(glucose, value=self.glucose),) if self.modeled else ()), enrichment)

    def fluxes(self) -> tuple[Flux, ...]:
        """Return production and disposal, which need unlabeled glucose in both pools."""
        if not self.modeled:
            return ()

        def disposal(y: Any, p: Any, u: Any) -> Any:
            deep = y.unlabeled_deep + y.egp_tracer_deep
            fast = self.leaving(y, p, u) * self.glucose(y, p, u)
            return p.V * (fast + (deep_loss(p) + y.action) * deep)

        return (
            Flux("EGP", "mmol/kg/min", "endogenous glucose production", production),
            Flux("Rd", "mmol/kg/min", "rate of disappearance of glucose", disposal),
        )


DERIVED = (
    Derived(
        "S2_G",
        "L/kg/min",
        "glucose effectiveness: disposal per glucose at basal insulin, constant part left out",
        lambda p, u: p.PCR * (1 - p.Rd0_share),
    ),
    Derived(
        "S2_G0",
        "L/kg/min",
        "glucose effectiveness at zero insulin, S2_G - S2_I Ib",
        lambda p, u: p.PCR * (1 - p.Rd0_share) - p.S2_I * u.basal_insulin,
    ),
    Derived("k02", "1/min", "loss from the deep pool at basal insulin", lambda p, u: deep_loss(p)),
    Derived(
        "kp",
        "1/min",
        "insulin-independent loss in proportion to glucose",
        lambda p, u: proportional_loss(p),
    ),
    Derived("Rd0", "mmol/kg/min", "constant disposal", constant_disposal),
    Derived("p3", "L/pmol/min^2", "rate at which insulin builds up its action", lambda p, u: p3(p)),
    Derived("EGP_b", "mmol/kg/min", "basal production", lambda p, u: p.PCR * u.basal_glucose),
)


def p3(p: Any) -> Any:
    """Return the rate at which insulin builds up its action; S2_I is p3 / p2 in the steady state.

    S2_I = V k21 k12 (p3 / p2) / (k02 + k12)^2 (Vicini 1997).
    """
    return p.p2 * p.S2_I * (deep_loss(p) + p.k12) ** 2 / (p.V * p.k21 * p.k12)


def declare(settings: Settings) -> System:
    """Declare the labeled minimal model of the IVGTT under the given options."""
    equations, mixing = Equations(settings), float(settings["mixing"])
    return System(
        name="ivgtt_labeled",
        title="Labeled glucose minimal model of the IVGTT with two compartments",
        equations=(
            "dQ1/dt = -(kp + Rd0 / (V G) + k21) Q1 + k12 Q2,   Q1(0) = tracer dose / V",
            "dQ2/dt = k21 Q1 - (k12 + k02 + X) Q2,   Q2(0) = 0",
            "dX/dt = p3 (I(t) - Ib) - p2 X,   X(0) = 0",
            "S2_I = V k21 k12 (p3 / p2) / (k02 + k12)^2,   S2_G = V (kp + k21 k02 / (k02 + k12))",
            "kp + Rd0 / (V Gb) = 3 k21 k02 / (k02 + k12),   Rd0 = Rd0_share PCR Gb",
            "TTR = Q1 / (G - Q1); modeled: the same for unlabeled glucose with dose and"
            " EGP = EGP_b - GE_L (G - Gb) - XL,   EGP >= 0",
        ),
        references=(CAUMO, VICINI, TOFFOLO),
        states=equations.states,
        parameters=parameters(modeled=equations.modeled),
        inputs=equations.inputs(settings),
        doses=equations.doses(),
        outputs=equations.outputs(mixing),
        derived=DERIVED,
        fluxes=equations.fluxes(),
        rhs=equations.rhs,
        initial=equations.initial,
        leading=("S2_I",),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        conventions=(
            "Each dose counts in full: the amount of glucose is unlabeled glucose, and its label is"
            " a bolus of egp_tracer of its own.",
            "S2_I and S2_G are clearances (per pmol/L insulin, and per glucose); divide by V for"
            " fractional rates.",
            f"Glucose is {settings['glucose']}; samples before {mixing:g} min after the dose do not"
            " enter the likelihood.",
            basal_sentence(settings),
        ),
    )


ivgtt_labeled = declare(default_settings(OPTIONS))
