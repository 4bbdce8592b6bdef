"""Clamp with tracer: which insulin halves production, disposal and lipolysis.

Insulin is infused in steps, glucose as much as keeps its concentration. An infused tracer tells
what the liver still produces from what the infusion supplies. Production, disposal and the
appearance of free fatty acids are dose-response functions of insulin itself, not of its rise above
basal: who has a high basal insulin is partly suppressed from the start. Integration begins with the
tracer's prime, so an enrichment that has not reached its plateau is no error but information.

Assumes     tracers and glucose are handled alike; disposal is proportional to glucose and leaves
            the accessible pool, so that insulin sets a clearance, with one compartment or two
            production depends on insulin alone: glucose stays near basal
            each action follows plasma insulin with a first-order delay of its own
            free fatty acids leave plasma in proportion to their concentration
            the clamp begins in a basal steady state, in which production equals disposal
Valid for   euglycemic clamps of one or more insulin steps with an infused glucose tracer, labeled
            glucose infusate or not; basal tracer studies without insulin
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from hepaflux.parameter import Fixed, LogNormal, Parameter
from hepaflux.study.study import Study
from hepaflux.systems import labeled_pool as pool
from hepaflux.systems.infusion import LAST, SPACE, corrected_infusion, infusion_rate
from hepaflux.systems.pool import (
    basal_options,
    basal_sentence,
    driving_inputs,
    glucose_output,
    unknown,
)
from hepaflux.systems.response import (
    CONTE,
    RIZZA,
    disposal_parameters,
    half_maximal,
    lipolysis_parameters,
    production_parameters,
    remaining,
)
from hepaflux.systems.smooth import hill, positive_part
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
    after_dose,
    default_settings,
    fields_type,
)

DEFRONZO = "DeFronzo RA et al. (1979) Am J Physiol 237:E214"
LIVESEY = "Livesey G et al. (1998) Am J Physiol 275:E717 (0.23 at least); median: usual choice"

SPECIES = ("unlabeled", "egp_tracer")
"""All glucose: what is produced or infused without label, and the tracer."""

OPTIONS = (
    *basal_options(insulin="first"),
    pool.COMPARTMENTS,
    Option(
        "portal_factor",
        "how many times the peripheral insulin the liver sees at basal: 1 (peripheral insulin, as"
        " in published half-maximal values) or more, where secretion stays basal in the clamp",
        default=1.0,
    ),
    Option(
        "lipolysis",
        "whether free fatty acids are part of the model: measured (if anyone has them), yes, no",
        default="measured",
        choices=("measured", "yes", "no"),
    ),
)


def volume(compartments: str) -> tuple[Parameter, ...]:
    """Return the unknowns of glucose distribution."""
    if compartments == "one":
        return (unknown("V", LogNormal(0.16, 0.25), spread=0.1, source=LIVESEY),)
    source = pool.DALLA_MAN_2007
    exchange = tuple(p for p in pool.EXCHANGE if p.name in ("k21", "k12"))
    return (unknown("V", LogNormal(0.188, 0.12), spread=0.08, source=source), *exchange)


class Equations:
    """The equations under given settings."""

    def __init__(self, settings: Settings):
        self.compartments = settings["compartments"]
        self.excess = float(settings["portal_factor"]) - 1.0
        self.lipolysis = settings["lipolysis"] != "no"
        tissues = ("liver", "muscle", *(("fat",) if self.lipolysis else ()))
        remote = tuple(
            State(f"insulin_{t}", "pmol/L", f"insulin that acts on {t}", scale=100.0)
            for t in tissues
        )
        fat = (State("ffa", "mmol/L", "free fatty acids", scale=0.5),) if self.lipolysis else ()
        self.states = (*pool.states(SPECIES, compartments=self.compartments), *remote, *fat)
        self.record = fields_type("States", [state.name for state in self.states])

    def production(self, insulin: Any, p: Any, u: Any) -> Any:
        """Return production at a steady insulin, mmol/kg/min; basal insulin gives EGP_b."""
        above = self.excess * u.basal_insulin
        now = remaining(insulin + above, p.K_E, p.n_E)
        return p.EGP_b * now / remaining(u.basal_insulin + above, p.K_E, p.n_E)

    def egp(self, y: Any, p: Any, u: Any) -> Any:
        """Return endogenous glucose production, mmol/kg/min."""
        return self.production(positive_part(y.insulin_liver), p, u)

    def clearance(self, y: Any, p: Any, u: Any) -> Any:
        """Return the clearance of glucose, L/kg/min."""
        idle = remaining(positive_part(y.insulin_muscle), p.K_R, p.n_R)
        gain = remaining(u.basal_insulin, p.K_R, p.n_R) - idle
        return p.EGP_b / u.basal_glucose + p.Rmax / p.G_ref * gain

    def rd(self, y: Any, p: Any, u: Any) -> Any:
        """Return the rate of disappearance of all glucose, mmol/kg/min."""
        return self.clearance(y, p, u) * pool.total(y, SPECIES)

    def ra(self, y: Any, p: Any, u: Any) -> Any:
        """Return the rate of appearance of all glucose, mmol/kg/min."""
        return self.egp(y, p, u) + u.infused

    def ra_ffa(self, y: Any, p: Any, u: Any) -> Any:
        """Return the rate of appearance of free fatty acids, mmol/kg/min."""

        def released(insulin: Any) -> Any:
            return p.rho + (1 - p.rho) * remaining(insulin, p.K_L, p.n_L)

        basal = p.FFA_clearance * p.FFA_b
        return basal * released(positive_part(y.insulin_fat)) / released(u.basal_insulin)

    def rhs(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        """Return the time derivative."""
        del t
        leaving, rates = self.clearance(y, p, u) / p.V, {}
        for species in SPECIES:
            rates[species] = -leaving * getattr(y, species)
            if self.compartments == "two":
                returning = p.k12 * getattr(y, f"{species}_deep") - p.k21 * getattr(y, species)
                rates |= {species: rates[species] + returning, f"{species}_deep": -returning}
        rates["unlabeled"] = rates["unlabeled"] + self.egp(y, p, u) / p.V
        insulin = u.basal_insulin + u.insulin_above_basal
        rates["insulin_liver"] = p.p2_E * (insulin - y.insulin_liver)
        rates["insulin_muscle"] = p.p2_R * (insulin - y.insulin_muscle)
        if self.lipolysis:
            rates["insulin_fat"] = p.p2_L * (insulin - y.insulin_fat)
            rates["ffa"] = (self.ra_ffa(y, p, u) - p.FFA_clearance * y.ffa) / p.V_FFA
        return self.record(**rates)

    def initial(self, p: Any, u: Any) -> Any:
        """Return the basal steady state, without any tracer."""
        values = dict.fromkeys((state.name for state in self.states), 0.0)
        values |= {name: u.basal_insulin for name in values if name.startswith("insulin_")}
        values["unlabeled"] = u.basal_glucose
        if self.compartments == "two":
            values["unlabeled_deep"] = u.basal_glucose * p.k21 / p.k12
        if self.lipolysis:
            values["ffa"] = p.FFA_b
        return self.record(**values)

    def doses(self) -> tuple[DoseChannel, ...]:
        """Return where infused glucose and the tracer enter."""
        labeled = pool.infusion_channel("egp_tracer", self.states, self.record)
        glucose = pool.infusion_channel("unlabeled", self.states, self.record)
        return (replace(glucose, what="glucose"), labeled)

    def outputs(self) -> tuple[Output, ...]:
        """Return what is measured."""
        glucose = glucose_output(uses=after_dose, cv=Fixed(0.02))
        enrichment = pool.enrichment_output("egp_enrichment", lambda y, u: y.egp_tracer, SPECIES)
        ffa = Output(
            "ffa",
            "mmol/L",
            "free fatty acids",
            analyte="ffa",
            value=lambda y, p, u: y.ffa,
            cv=Fixed(0.05),
            floor=0.01,
            required=False,
        )
        return (
            replace(glucose, value=lambda y, p, u: pool.total(y, SPECIES)),
            replace(enrichment, required=True),
            *((ffa,) if self.lipolysis else ()),
        )

    def fluxes(self) -> tuple[Flux, ...]:
        """Return production, disposal, appearance and lipolysis as functions of time."""
        unit = "mmol/kg/min"
        ffa = Flux("RaFFA", unit, "rate of appearance of free fatty acids", self.ra_ffa)
        return (
            Flux("EGP", unit, "endogenous glucose production", self.egp),
            Flux("MCR", "L/kg/min", "metabolic clearance rate of glucose", self.clearance),
            Flux("Rd", unit, "rate of disappearance of glucose", self.rd),
            Flux("Ra", unit, "rate of appearance of glucose, produced or infused", self.ra),
            *((ffa,) if self.lipolysis else ()),
        )


def glucose_derived(equations: Equations) -> tuple[Derived, ...]:
    """Return what is computed of glucose."""
    return (
        pool.resistance_index(lambda p, u: p.EGP_b),
        Derived("M", "mmol/kg/min", "M value with space correction", lambda p, u: u.M_value),
        Derived(
            "Rd_NI",
            "mmol/kg/min",
            "disposal without insulin at glucose G_ref; below zero contradicts itself",
            lambda p, u: (
                p.EGP_b * p.G_ref / u.basal_glucose - p.Rmax * hill(u.basal_insulin, p.K_R, p.n_R)
            ),
        ),
        Derived(
            "I50_EGP",
            "pmol/L",
            "peripheral insulin that halves basal production",
            lambda p, u: half_maximal(p, u, "E", excess=equations.excess),
        ),
        Derived(
            "I50_Rd",
            "pmol/L",
            "insulin of a disposal halfway from basal to maximal",
            lambda p, u: half_maximal(p, u, "R"),
        ),
        Derived(
            "EGP_suppression",
            "1",
            "suppression of production at the end, share of basal",
            lambda p, u, y: 1 - equations.egp(y, p, u) / p.EGP_b,
            at_end=True,
        ),
    )


def lipolysis_derived(equations: Equations) -> tuple[Derived, ...]:
    """Return what is computed of free fatty acids."""
    return (
        Derived(
            "Adipo_IR",
            "mmol/L*pmol/L",
            "adipose insulin-resistance index, basal free fatty acids times basal insulin",
            lambda p, u: p.FFA_b * u.basal_insulin,
        ),
        Derived(
            "I50_FFA",
            "pmol/L",
            "insulin that halves the suppressible part of basal lipolysis",
            lambda p, u: half_maximal(p, u, "L"),
        ),
        Derived(
            "RaFFA_suppression",
            "1",
            "suppression of lipolysis at the end, share of basal",
            lambda p, u, y: 1 - equations.ra_ffa(y, p, u) / (p.FFA_clearance * p.FFA_b),
            at_end=True,
        ),
    )


def inputs(settings: Settings) -> tuple[Input, ...]:
    """Return basal values, insulin, infusions and the M value."""
    both = ("glucose", "egp_tracer")
    rate = infusion_rate(*both)
    return (
        *driving_inputs(settings),
        Input("infused", "mmol/kg/min", "infusion of glucose, tracer included", rate),
        Input(
            "M_value",
            "mmol/kg/min",
            f"infused glucose of the last {LAST:g} min less its rise in {SPACE:g} L/kg",
            corrected_infusion(*both),
        ),
    )


def adapt(settings: Settings, study: Study) -> Settings:
    """Return the settings with free fatty acids if any subject has them."""
    if settings["lipolysis"] != "measured":
        return settings
    there = any("ffa" in subject.samples for subject in study.subjects)
    return MappingProxyType({**settings, "lipolysis": "yes" if there else "no"})


def conventions(settings: Settings) -> tuple[str, ...]:
    """Say what a dose contains, what the liver sees and how basal was taken."""
    factor = float(settings["portal_factor"])
    return (
        "Each dose counts in full: the amount of a glucose infusion is its unlabeled glucose, and"
        " its label, if any, is an egp_tracer infusion at the same times.",
        "Half-maximal insulins K are absolute concentrations; I50 are those of a response halfway"
        " from its basal value to its limit.",
        f"The liver sees peripheral insulin plus {factor - 1:g} times basal insulin: infused"
        " insulin reaches it as it reaches the periphery, and what secretion adds is taken to stay"
        " basal. A factor on all insulin would only rescale K_E.",
        f"Compartments: {settings['compartments']}; disposal leaves the accessible one.",
        basal_sentence(settings),
    )


def declare(settings: Settings) -> System:
    """Declare the clamp under the given options."""
    equations = Equations(settings)
    fat = equations.lipolysis
    return System(
        name="clamp",
        title="Insulin clamp with tracer: responses of production, disposal and lipolysis",
        equations=(
            "dG_s/dt = entry_s / V - Rd / (V G) G_s,   s: unlabeled (EGP + infusion), tracer;"
            "   two compartments: - k21 G_s + k12 D_s,   dD_s/dt = k21 G_s - k12 D_s",
            "dI_j/dt = p2_j (I - I_j),   j: E (liver), R (muscle), L (fat)",
            "EGP = E0 / (1 + (I_E / K_E)^n_E),   E0 so that EGP is EGP_b at basal",
            "Rd = (Rd_NI + Rmax I_R^n_R / (K_R^n_R + I_R^n_R)) G / G_ref,   Rd = EGP_b at basal",
            "RaFFA = R0 (rho + (1 - rho) / (1 + (I_L / K_L)^n_L)),"
            "   V_FFA dFFA/dt = RaFFA - FFA_clearance FFA",
            "TTR = tracer / unlabeled,   G = unlabeled + tracer",
        ),
        references=(RIZZA, DEFRONZO, CONTE),
        states=equations.states,
        parameters=(
            *volume(equations.compartments),
            *production_parameters(float(settings["portal_factor"])),
            *disposal_parameters(),
            *(lipolysis_parameters() if fat else ()),
        ),
        inputs=inputs(settings),
        doses=equations.doses(),
        outputs=equations.outputs(),
        derived=(*glucose_derived(equations), *(lipolysis_derived(equations) if fat else ())),
        fluxes=equations.fluxes(),
        rhs=equations.rhs,
        initial=equations.initial,
        leading=("EGP_b", "K_E", "K_R", *(("K_L",) if fat else ())),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        adapt=adapt,
        conventions=conventions(settings),
    )


clamp = declare(default_settings(OPTIONS))
