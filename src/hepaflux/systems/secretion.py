"""C-peptide minimal model: how the beta cells answer glucose and its rise in an oral test.

Secretion is known from C-peptide, which the liver leaves alone. Above its basal rate it has two
parts: a dynamic one, in proportion to the rise of glucose, and a static one, that follows with a
delay T what glucose above a threshold h asks for. Phi_d and Phi_s are their responsivities, Phi_tot
is all secretion above basal per glucose above the threshold. Glucose drives the model, as measured
or smoothed within it. Responsivities are per volume of C-peptide, as they are published.

Assumes     C-peptide in two compartments, lost from the one that is sampled
            basal secretion goes on and is in steady state before the test
            the static part is reckoned from basal: with h below basal, secretion falls below basal
            when glucose does
Valid for   OGTT and mixed meals with C-peptide, 5 to 20 samples over 2 to 7 hours; not for glucose
            into a vein
"""

from types import MappingProxyType
from typing import Any

from hepaflux.parameter import Fixed, LogNormal, Parameter
from hepaflux.study.study import Study
from hepaflux.systems import c_peptide, forcing
from hepaflux.systems.sensitivity import sensitivity_input, sensitivity_option
from hepaflux.systems.smooth import softplus
from hepaflux.systems.system import (
    Derived,
    Flux,
    Input,
    Output,
    Settings,
    State,
    System,
    default_settings,
    every,
    fields_type,
)

BREDA = "Breda E et al. (2001) Diabetes 50:150"
BASU = "Basu A et al. (2009) Diabetes Care 32:866"
VBA = "Eichenlaub MM et al. (2021) Comput Methods Programs Biomed 200:105911 (VBA-OMM)"

OPTIONS = (
    *forcing.OPTIONS,
    *c_peptide.OPTIONS,
    sensitivity_option("disposition"),
)

PARAMETERS = (
    Parameter(
        "Phi_s",
        "pmol/mmol/min",
        LogNormal(35.0, 0.8),
        "static responsivity of the beta cells (1e-9/min)",
        f"{BASU}: 46.6 healthy, 19.3 in type 2 diabetes; widened by choice",
        spread=0.5,
    ),
    Parameter(
        "Phi_d",
        "pmol/mmol",
        LogNormal(500.0, 0.9),
        "dynamic responsivity of the beta cells (1e-9)",
        f"{BASU}: 638 healthy, 270 in type 2 diabetes; widened by choice",
        spread=0.5,
    ),
    Parameter(
        "T",
        "min",
        LogNormal(10.0, 0.5),
        "delay of static secretion",
        VBA,
        spread=0.4,
    ),
    Parameter(
        "h_relative",
        "1",
        LogNormal(1.0, 0.05),
        "threshold of static secretion over basal glucose",
        f"median: {VBA}; width: chosen here, between its 20 % and the 3 % of {c_peptide.LARIZZA}",
        spread=0.05,
    ),
    Parameter(
        "h_bend",
        "mmol/L",
        Fixed(0.1),
        "width of the bend of static secretion at its threshold",
        "chosen here: below what glucose varies by at rest",
    ),
    Parameter(
        "CP_b",
        "pmol/L",
        LogNormal(600.0, 0.6),
        "basal C-peptide",
        "chosen here: fasting people, lean to obese",
        spread=0.4,
    ),
)


class Equations:
    """The equations under given settings."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.states: tuple[State, ...] = (
            *forcing.states(settings),
            State("c_peptide", "pmol/L", "plasma C-peptide", scale=500.0),
            State("deep", "pmol/L", "C-peptide out of plasma, per plasma volume", scale=500.0),
            State("provision", "pmol/L/min", "static secretion above basal", scale=10.0),
            State("exposure", "mmol*min/L", "glucose above the threshold until now", scale=100.0),
            State("risen", "mmol/L", "rises of glucose above basal until now", scale=5.0),
        )

    @property
    def record(self) -> Any:
        """Return the type of the states."""
        return fields_type("States", [state.name for state in self.states])

    def kinetics(self, p: Any, u: Any) -> c_peptide.Kinetics:
        """Return the person's kinetics of C-peptide."""
        return c_peptide.kinetics_of(p, u, self.settings)

    def threshold(self, p: Any, u: Any) -> Any:
        """Return the threshold of static secretion, mmol/L."""
        return p.h_relative * forcing.basal_of(p, u, self.settings)

    def excess(self, y: Any, p: Any, u: Any) -> Any:
        """Return glucose above the threshold, mmol/L."""
        glucose = forcing.glucose_of(y, p, u, self.settings)
        return softplus(glucose - self.threshold(p, u), p.h_bend)

    def dynamic(self, y: Any, p: Any, u: Any) -> Any:
        """Return dynamic secretion, pmol/L/min."""
        return p.Phi_d * forcing.rise_of(y, p, u, self.settings)

    def basal_isr(self, p: Any, u: Any) -> Any:
        """Return basal secretion, pmol/min."""
        kinetics = self.kinetics(p, u)
        return kinetics.V * kinetics.k01 * p.CP_b

    def isr(self, y: Any, p: Any, u: Any) -> Any:
        """Return secretion, pmol/min."""
        kinetics = self.kinetics(p, u)
        return kinetics.V * (kinetics.k01 * p.CP_b + y.provision + self.dynamic(y, p, u))

    def rates(self, y: Any, p: Any, u: Any) -> dict[str, Any]:
        """Return the time derivatives by state."""
        kinetics = self.kinetics(p, u)
        basal = forcing.basal_of(p, u, self.settings)
        demand = self.excess(y, p, u) - softplus(basal - self.threshold(p, u), p.h_bend)
        secreted = kinetics.k01 * p.CP_b + y.provision + self.dynamic(y, p, u)
        exchange = kinetics.k21 * y.c_peptide - kinetics.k12 * y.deep
        return {
            **forcing.rates(y, p, u, self.settings),
            "c_peptide": secreted - kinetics.k01 * y.c_peptide - exchange,
            "deep": exchange,
            "provision": (p.Phi_s * demand - y.provision) / p.T,
            "exposure": self.excess(y, p, u),
            "risen": forcing.rise_of(y, p, u, self.settings),
        }

    def rhs(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        """Return the time derivative."""
        del t
        return self.record(**self.rates(y, p, u))

    def start(self, p: Any, u: Any) -> dict[str, Any]:
        """Return the basal steady state by state."""
        kinetics = self.kinetics(p, u)
        resting = dict.fromkeys((state.name for state in self.states), 0.0)
        deep = p.CP_b * kinetics.k21 / kinetics.k12
        basal = {"c_peptide": p.CP_b, "deep": deep}
        return {**resting, **forcing.initial(p, self.settings), **basal}

    def initial(self, p: Any, u: Any) -> Any:
        """Return the basal steady state."""
        return self.record(**self.start(p, u))

    def outputs(self) -> tuple[Output, ...]:
        """Return what is measured."""
        return (
            Output(
                "c_peptide",
                "nmol/L",
                "plasma C-peptide",
                analyte="c_peptide",
                value=lambda y, p, u: 1e-3 * y.c_peptide,
                uses=every,
                cv=Fixed(0.06),
                floor=0.01,
            ),
            *forcing.outputs(self.settings),
        )

    def fluxes(self) -> tuple[Flux, ...]:
        """Return secretion and its two parts as functions of time."""
        unit = "pmol/min"
        return (
            Flux("ISR", unit, "insulin secretion rate", self.isr),
            Flux(
                "ISR_static",
                unit,
                "static secretion above basal",
                lambda y, p, u: self.kinetics(p, u).V * y.provision,
            ),
            Flux(
                "ISR_dynamic",
                unit,
                "dynamic secretion",
                lambda y, p, u: self.kinetics(p, u).V * self.dynamic(y, p, u),
            ),
        )

    def total(self, p: Any, u: Any, y: Any) -> Any:
        """Return secretion above basal per glucose above the threshold, 1e-9/min."""
        del u
        return p.Phi_s + p.Phi_d * y.risen / y.exposure

    def derived(self) -> tuple[Derived, ...]:
        """Return what is computed from the unknowns."""
        chosen = self.settings["disposition"]
        return (
            Derived(
                "Phi_tot",
                "pmol/mmol/min",
                "total responsivity of the beta cells (1e-9/min)",
                self.total,
                at_end=True,
            ),
            Derived(
                "Phi_b",
                "pmol/mmol/min",
                "basal secretion per volume over basal glucose (1e-9/min)",
                lambda p, u: (
                    self.kinetics(p, u).k01 * p.CP_b / forcing.basal_of(p, u, self.settings)
                ),
            ),
            Derived("h", "mmol/L", "threshold of static secretion", self.threshold),
            Derived("ISR_b", "pmol/min", "basal insulin secretion", self.basal_isr),
            *(() if chosen in ("no", "measured") else (self.disposition(),)),
            *c_peptide.derived(self.settings),
        )

    def disposition(self) -> Derived:
        """Return the disposition index."""
        unit = sensitivity_input(self.settings["disposition"])[0].unit
        product = "pmol/mmol/min" if unit == "1" else f"pmol/mmol/min*({unit})"
        return Derived(
            "DI",
            product,
            "disposition index, Phi_tot times insulin sensitivity",
            lambda p, u, y: self.total(p, u, y) * u.sensitivity,
            at_end=True,
        )

    def inputs(self) -> tuple[Input, ...]:
        """Return glucose, expected kinetics and insulin sensitivity."""
        return (
            *forcing.inputs(self.settings),
            *c_peptide.inputs(self.settings),
            *sensitivity_input(self.settings["disposition"]),
        )

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the unknowns."""
        return (
            *PARAMETERS,
            *c_peptide.parameters(self.settings),
            *forcing.parameters(self.settings),
        )

    def conventions(self) -> tuple[str, ...]:
        """Say what was taken and how it is counted."""
        return (
            "Responsivities count C-peptide and glucose in the same unit: pmol/mmol is 1e-9.",
            "Phi_tot counts every rise of glucose above basal; with one peak that is the peak above"
            " basal.",
            forcing.sentence(self.settings),
            c_peptide.sentence(self.settings),
        )


def equations_of(settings: Settings) -> tuple[str, ...]:
    """Return the equations under given settings, as a reader would write them."""
    smoothed = "dA/dt = (Gb + drive - A) / lag,   dG/dt = (A - G) / lag,   A(0) = G(0) = Gb"
    return (
        "dC/dt = k01 CP_b + SRs + SRd - (k01 + k21) C + k12 D,   dD/dt = k21 C - k12 D",
        "T dSRs/dt = Phi_s ((G - h)+ - (Gb - h)+) - SRs,   SRd = Phi_d (dG/dt)+ above Gb",
        *((smoothed,) if settings["glucose"] == "smoothed" else ()),
        "a = ln 2 / t_s,   b = ln 2 / t_l,   k12 = F b + (1 - F) a,   k01 = a b / k12,"
        "   k21 = a + b - k12 - k01",
        "Phi_tot = Phi_s + Phi_d (rises of G) / integral of (G - h)+,   ISR = V_C (k01 CP_b + SRs"
        " + SRd)",
    )


def adapt(settings: Settings, study: Study) -> Settings:
    """Return the settings that the study's samples determine."""
    settings = forcing.knots_of_protocol(settings, study)
    if settings["disposition"] != "measured":
        return settings
    there = all("insulin" in subject.samples for subject in study.subjects)
    return MappingProxyType({**settings, "disposition": "matsuda" if there else "no"})


def declare(settings: Settings) -> System:
    """Declare the C-peptide minimal model under the given options."""
    equations = Equations(settings)
    return System(
        name="secretion",
        title="Oral C-peptide minimal model: insulin secretion and beta-cell responsivity",
        equations=equations_of(settings),
        references=(BREDA, c_peptide.VAN_CAUTER, c_peptide.LARIZZA, BASU),
        states=equations.states,
        parameters=equations.parameters(),
        inputs=equations.inputs(),
        outputs=equations.outputs(),
        derived=equations.derived(),
        fluxes=equations.fluxes(),
        rhs=equations.rhs,
        initial=equations.initial,
        leading=("Phi_s", "Phi_d"),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        adapt=adapt,
        conventions=equations.conventions(),
    )


secretion = declare(default_settings(OPTIONS))
