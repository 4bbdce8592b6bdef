"""Hepatic extraction: how much of the secreted insulin the liver keeps, by insulin and C-peptide.

C-peptide tells what the beta cells secrete, insulin what of it gets past the liver. The share that
the liver keeps on first passage, HE, may change through a test: as a curve that is linear on the
logit scale between knots, or as an uptake that saturates with secretion. Insulin that got past is
lost from one compartment at the rate n, which includes what the liver removes later. From secretion
and hepatic plasma flow follow the insulin of the portal vein and of the sinusoids.

What cannot be told apart: n V_I / (1 - HE_b) is the clearance of secreted insulin, basal secretion
over basal insulin, and no more than that is what basal samples determine. A larger n with a smaller
HE gives the same curve but for its speed, and secretion itself scales with the volume of C-peptide:
HE is conditional on the priors of n, V_I and the kinetics of C-peptide.

Assumes     insulin and C-peptide are secreted one to one, and the liver leaves C-peptide alone
            insulin is distributed in one compartment, from which it is lost in proportion
            hepatic plasma flow is constant, three quarters of it portal
Valid for   OGTT and mixed meals with insulin and C-peptide; no infused insulin
"""

from collections.abc import Callable
from itertools import accumulate
from types import MappingProxyType
from typing import Any

import numpy as np

from hepaflux.parameter import Beta, Fixed, Independent, LogNormal, Normal, Parameter
from hepaflux.study.study import Study, Subject, zero_time
from hepaflux.systems import secretion as secreted
from hepaflux.systems.c_peptide import bsa_of
from hepaflux.systems.inputs import unit_hats
from hepaflux.systems.smooth import exponential
from hepaflux.systems.system import (
    Derived,
    Flux,
    Input,
    Option,
    Output,
    Settings,
    State,
    System,
    default_settings,
    every,
)

TOFFOLO = "Toffolo G et al. (2006) Am J Physiol Endocrinol Metab 290:E169"
CAMPIONI = "Campioni M et al. (2009) Am J Physiol Endocrinol Metab 297:E941"
STANDARD = "Campioni M et al. (2004) IFMBE News, Sept, IM-IVGTT of 132 healthy people, abstract"
SMITH = "Smith GI et al. (2020) J Clin Invest 130:3305"
USUAL = "chosen here: a usual figure, not checked"

PORTAL = 0.75
"""Share of hepatic plasma flow that is portal; a usual figure, not checked."""

KNOTS = (0.0, 30.0, 60.0, 120.0, 180.0)
"""Minutes at which extraction may bend, beside the last sample."""

VOLUME = (1.0, 0.5358)
"""Logarithm of the volume of insulin in L: intercept, and slope per m2 of body surface (Campioni
2004)."""

OPTIONS = (
    Option(
        "extraction",
        "extraction through the test: curve (free between knots) or saturable (falls as secretion"
        " rises)",
        default="curve",
        choices=("curve", "saturable"),
    ),
    Option(
        "extraction_knots",
        "minutes at which the curve of extraction may bend, the first 0; protocol: 0, 30, 60, 120,"
        " 180 and the last sample",
        default="protocol",
        choices=("protocol",),
        unit="min",
    ),
    *secreted.OPTIONS,
)

PARAMETERS = (
    Parameter(
        "HE_b",
        "1",
        Beta(21.0, 14.0),
        "basal hepatic extraction of insulin",
        f"mean 0.60: {CAMPIONI}; width: chosen here",
        spread=0.3,
    ),
    Parameter(
        "n",
        "1/min",
        LogNormal(0.23, 0.25),
        "rate at which insulin past the liver is lost",
        f"{STANDARD}: 0.252 - 0.0005 per year of age; 25 %: {CAMPIONI}",
        spread=0.2,
    ),
    Parameter(
        "V_I_relative",
        "1",
        LogNormal(1.0, 0.25),
        "volume of insulin over that expected of the body surface",
        f"25 %: {CAMPIONI}",
        spread=0.2,
    ),
    Parameter(
        "Q_P",
        "L/min",
        LogNormal(0.6, 0.15),
        "portal plasma flow",
        USUAL,
        spread=0.1,
        sought=False,
    ),
)


def knots_of(settings: Settings) -> tuple[float, ...]:
    """Return the knots of extraction."""
    chosen = settings["extraction_knots"]
    return KNOTS if chosen == "protocol" else tuple(chosen)


def parameters(settings: Settings) -> tuple[Parameter, ...]:
    """Return the unknowns of extraction and insulin."""
    if settings["extraction"] == "saturable":
        return (
            *PARAMETERS,
            Parameter(
                "K_D",
                "pmol/min",
                LogNormal(1000.0, 1.0),
                "secretion above which extraction saturates",
                f"chosen here: basal 0.6 falls to 0.4 in a meal ({CAMPIONI}); form: {SMITH}",
                spread=0.5,
            ),
        )
    return (
        *PARAMETERS,
        Parameter(
            "HE_step",
            unit="1",
            prior=Independent(Normal(0.0, 0.5), len(knots_of(settings)) - 1),
            meaning="steps of the logit of extraction from knot to knot",
            source=f"chosen here: from 0.6 to 0.4 in a meal ({CAMPIONI}) are 0.8 in all",
            axis="extraction_knot",
            sought=False,
        ),
    )


def expected_volume(settings: Settings) -> Callable[[Subject], float]:
    """Read the volume of insulin that is expected of a body surface, L."""
    bsa = bsa_of(settings)
    return lambda subject: float(np.exp(VOLUME[0] + VOLUME[1] * bsa(subject)))


class Equations(secreted.Equations):
    """The equations under given settings."""

    def __init__(self, settings: Settings):
        super().__init__(settings)
        self.states = (
            *self.states,
            State("insulin", "pmol/L", "plasma insulin", scale=100.0),
            State("secreted", "pmol", "insulin secreted until now", scale=1e4),
            State("delivered", "pmol", "insulin that got past the liver until now", scale=1e4),
        )

    def volume(self, p: Any, u: Any) -> Any:
        """Return the volume of insulin, L."""
        return p.V_I_relative * u.expected_V_I

    def extraction(self, y: Any, p: Any, u: Any) -> Any:
        """Return the share of the secreted insulin that the liver keeps."""
        if self.settings["extraction"] == "saturable":
            return p.HE_b * (p.K_D + self.basal_isr(p, u)) / (p.K_D + self.isr(y, p, u))
        shifts = accumulate(p.HE_step)
        logit = sum(shift * hat for shift, hat in zip(shifts, u.extraction_hat, strict=True))
        return p.HE_b / (p.HE_b + (1 - p.HE_b) * exponential(-logit))

    def idr(self, y: Any, p: Any, u: Any) -> Any:
        """Return the rate at which insulin gets past the liver, pmol/min."""
        return self.isr(y, p, u) * (1 - self.extraction(y, p, u))

    def basal_insulin(self, p: Any, u: Any) -> Any:
        """Return basal insulin, pmol/L."""
        return self.basal_isr(p, u) * (1 - p.HE_b) / (p.n * self.volume(p, u))

    def places(self, insulin: Any, isr: Any, p: Any) -> tuple[Any, Any, Any]:
        """Return the insulin of plasma, portal vein and of what enters the sinusoids, pmol/L."""
        portal = insulin + isr / p.Q_P
        return insulin, portal, PORTAL * portal + (1 - PORTAL) * insulin

    def insulins(self, y: Any, p: Any, u: Any) -> tuple[Any, Any, Any]:
        """Return insulin at the three places."""
        return self.places(y.insulin, self.isr(y, p, u), p)

    def basal_insulins(self, p: Any, u: Any) -> tuple[Any, Any, Any]:
        """Return basal insulin at the three places."""
        return self.places(self.basal_insulin(p, u), self.basal_isr(p, u), p)

    def portal(self, y: Any, p: Any, u: Any) -> Any:
        """Return the insulin of the portal vein, pmol/L."""
        return self.insulins(y, p, u)[1]

    def sinusoidal(self, y: Any, p: Any, u: Any) -> Any:
        """Return the insulin of the blood that enters the sinusoids, pmol/L."""
        return self.insulins(y, p, u)[2]

    def rates(self, y: Any, p: Any, u: Any) -> dict[str, Any]:
        """Return the time derivatives by state."""
        isr = self.isr(y, p, u)
        past = isr * (1 - self.extraction(y, p, u))
        return {
            **super().rates(y, p, u),
            "insulin": past / self.volume(p, u) - p.n * y.insulin,
            "secreted": isr,
            "delivered": past,
        }

    def start(self, p: Any, u: Any) -> dict[str, Any]:
        """Return the basal steady state by state."""
        return {**super().start(p, u), "insulin": self.basal_insulin(p, u)}

    def outputs(self) -> tuple[Output, ...]:
        """Return what is measured."""
        insulin = Output(
            "insulin",
            "pmol/L",
            "plasma insulin",
            analyte="insulin",
            value=lambda y, p, u: y.insulin,
            uses=every,
            cv=Fixed(0.08),
            floor=2.0,
        )
        return (*super().outputs(), insulin)

    def fluxes(self) -> tuple[Flux, ...]:
        """Return secretion, extraction and what reaches the liver as functions of time."""
        isr, *_ = super().fluxes()
        return (
            isr,
            Flux("HE", "1", "hepatic extraction of insulin", self.extraction),
            Flux("IDR", "pmol/min", "insulin that gets past the liver", self.idr),
            Flux("I_portal", "pmol/L", "insulin of the portal vein", self.portal),
            Flux("I_sinusoid", "pmol/L", "insulin that enters the sinusoids", self.sinusoidal),
            Flux(
                "CL_secreted",
                "L/min",
                "clearance of secreted insulin, secretion over plasma insulin",
                lambda y, p, u: self.isr(y, p, u) / y.insulin,
            ),
        )

    def signals(self) -> tuple[Flux, ...]:
        """Return the insulin above basal at three places, by which it can act elsewhere."""
        levels = (lambda y, p, u: y.insulin, self.portal, self.sinusoidal)

        def above_basal(place: int) -> Callable[[Any, Any, Any], Any]:
            return lambda y, p, u: levels[place](y, p, u) - self.basal_insulins(p, u)[place]

        names = ("insulin", "portal_insulin", "sinusoidal_insulin")
        words = ("plasma", "the portal vein", "the blood that enters the sinusoids")
        return tuple(
            Flux(f"{name}_above_basal", "pmol/L", f"insulin of {where} above basal", above_basal(i))
            for i, (name, where) in enumerate(zip(names, words, strict=True))
        )

    def clearances(self) -> tuple[Derived, ...]:
        """Return volume and clearances of insulin."""
        return (
            Derived("V_I", "L", "volume of insulin", self.volume),
            Derived(
                "CL_I",
                "L/min",
                "clearance of insulin past the liver, n V_I",
                lambda p, u: p.n * self.volume(p, u),
            ),
            Derived(
                "CL_b",
                "L/min",
                "basal clearance of secreted insulin, n V_I / (1 - HE_b)",
                lambda p, u: p.n * self.volume(p, u) / (1 - p.HE_b),
            ),
        )

    def derived(self) -> tuple[Derived, ...]:
        """Return what is computed from the unknowns."""
        return (
            Derived(
                "HE_index",
                "1",
                "hepatic extraction of the whole test, 1 - delivered / secreted",
                lambda p, u, y: 1 - y.delivered / y.secreted,
                at_end=True,
            ),
            *self.clearances(),
            Derived("I_b", "pmol/L", "basal insulin", self.basal_insulin),
            Derived(
                "I_portal_b",
                "pmol/L",
                "basal insulin of the portal vein",
                lambda p, u: self.basal_insulins(p, u)[1],
            ),
            *super().derived(),
        )

    def inputs(self) -> tuple[Input, ...]:
        """Return what drives the system."""
        expected = expected_volume(self.settings)
        volume = Input("expected_V_I", "L", "expected volume of insulin", expected)
        if self.settings["extraction"] == "saturable":
            return (*super().inputs(), volume)
        hats = unit_hats(knots_of(self.settings))
        meaning = "hat functions of unit height over the knots of extraction"
        curve = Input("extraction_hat", "1", meaning, hats, axis="extraction_knot")
        return (*super().inputs(), volume, curve)

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the unknowns."""
        return (*parameters(self.settings), *super().parameters())

    def conventions(self) -> tuple[str, ...]:
        """Say what was taken and what is conditional."""
        knots = ", ".join(f"{knot:g}" for knot in knots_of(self.settings))
        curve = self.settings["extraction"] == "curve"
        return (
            "Extraction is conditional on the priors of n, V_I and the kinetics of C-peptide: the"
            " data determine V_C k01 (1 - HE_b) / (n V_I), and of n what shows in its speed.",
            f"Extraction bends at {knots} min." if curve else "Extraction saturates.",
            f"Portal insulin is plasma insulin and secretion over Q_P; {PORTAL:g} of the blood that"
            " enters the sinusoids is portal.",
            *super().conventions(),
        )


FORMS = {
    "curve": "logit HE = logit HE_b + steps up to t, linear between knots",
    "saturable": "HE = HE_b (K_D + ISR_b) / (K_D + ISR)",
}
"""Extraction as a reader would write it, by form."""


def equations_of(settings: Settings) -> tuple[str, ...]:
    """Return the equations under given settings, as a reader would write them."""
    return (
        "dI/dt = ISR (1 - HE) / V_I - n I,   I(0) = ISR_b (1 - HE_b) / (n V_I)",
        FORMS[settings["extraction"]],
        f"I_portal = I + ISR / Q_P,   I_sinusoid = {PORTAL:g} I_portal + {1 - PORTAL:g} I",
        *secreted.equations_of(settings),
    )


def adapt(settings: Settings, study: Study) -> Settings:
    """Return the settings that the study's samples determine."""
    settings = secreted.adapt(settings, study)
    if settings["extraction_knots"] != "protocol":
        return settings
    last = max(
        float(samples.time[-1]) - zero_time(subject)
        for subject in study.subjects
        for samples in subject.samples.values()
    )
    knots = (*(knot for knot in KNOTS if knot < last), last)
    return MappingProxyType({**settings, "extraction_knots": knots})


def declare(settings: Settings) -> System:
    """Declare hepatic extraction under the given options."""
    equations = Equations(settings)
    return System(
        name="extraction",
        title="Insulin secretion and its hepatic extraction in an oral test",
        equations=equations_of(settings),
        references=(TOFFOLO, CAMPIONI, STANDARD, *secreted.secretion.references),
        states=equations.states,
        parameters=equations.parameters(),
        inputs=equations.inputs(),
        outputs=equations.outputs(),
        derived=equations.derived(),
        fluxes=equations.fluxes(),
        signals=equations.signals(),
        rhs=equations.rhs,
        initial=equations.initial,
        leading=("HE_b", "Phi_s", "Phi_d"),
        rests_on={"HE_b": ("n", "V_I_relative", "kinetics")},
        options=OPTIONS,
        settings=settings,
        declare=declare,
        adapt=adapt,
        conventions=equations.conventions(),
    )


extraction = declare(default_settings(OPTIONS))
