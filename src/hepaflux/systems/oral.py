"""Oral minimal model: insulin sensitivity from a glucose drink or a meal.

The glucose pool of the minimal model, fed by the gut. How fast glucose appears is unknown, so the
rate of appearance Ra is estimated along with insulin sensitivity: the shares of the absorbed dose
that fall under hat functions over ``knots`` form a simplex, which makes Ra non-negative and its
total exactly f dose / weight, exponential tail included.

Assumes     the fraction f of the dose reaches plasma, first-pass extraction included
            one pool of volume V; only SI V / f is well determined, so V and f need tight priors
            a sample at the very time of the dose was drawn just before it and defines basal
Valid for   OGTT and mixed meals, one oral dose, 5 to 20 samples over 2 to 7 hours
"""

from types import MappingProxyType
from typing import Any

import numpy as np

from hepaflux.parameter import Dirichlet, Fixed, LogNormal, Parameter
from hepaflux.study.study import zero_time
from hepaflux.systems.inputs import hat_areas, hats, only_dose
from hepaflux.systems.pool import (
    GEZI,
    STATES,
    States,
    action_rate,
    basal_options,
    basal_sentence,
    driving_inputs,
    glucose_output,
    glucose_rate,
    glucose_signals,
    initial,
    unknown,
)
from hepaflux.systems.system import (
    Derived,
    Input,
    Option,
    Settings,
    System,
    after_dose,
    default_settings,
)

DALLA_MAN = "Dalla Man C et al. (2002) IEEE Trans Biomed Eng 49:419"
DALLA_MAN_2007 = "Dalla Man C et al. (2007) IEEE Trans Biomed Eng 54:1740"
VBA = "Eichenlaub MM et al. (2021) Comput Methods Programs Biomed 200:105911 (VBA-OMM)"
VBA_MEDIAN = f"median: {VBA}; width: chosen here"

KNOTS = (0.0, 10.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0)
"""Knots of the rate of appearance, min after the dose (VBA-OMM, for a meal of 7 hours)."""

HEIGHTS = (0.0, 3.2e-3, 7.3e-3, 5.4e-3, 5.1e-3, 3.7e-3, 1.8e-3, 1.06e-3)
"""Prior rate of appearance at ``KNOTS`` as a share of the absorbed dose per min (VBA-OMM).

The last height is the one that makes the whole area one, tail included.
"""

FADES = 6e-5
"""SI below which two hours of samples may not tell it from zero, 1/min/(pmol/L): at an insulin 300
pmol/L above basal it removes less glucose than glucose itself does."""

CONCENTRATION = 30.0
"""Total concentration of the Dirichlet prior of the shares, chosen here."""

OPTIONS = (
    *basal_options(insulin="first"),
    Option(
        "effectiveness",
        "which glucose effectiveness has the prior: SG (at basal insulin, the p1 of the oral"
        " model) or GEZI (at zero insulin, SG = GEZI + SI Ib)",
        default="SG",
        choices=("SG", "GEZI"),
    ),
    Option(
        "knots",
        "minutes after the dose at which Ra may bend, the first 0; protocol: the standard knots"
        " up to the last sample, and the last sample",
        default="protocol",
        choices=("protocol",),
        unit="min",
    ),
    Option("tail_rate", "rate of the exponential tail after the last knot, 1/min", default=0.017),
)


def appearance(p: Any, u: Any) -> Any:
    """Return the rate of appearance of the drunk glucose, mmol/kg/min."""
    shares = sum(share * hat for share, hat in zip(p.absorption, u.hat, strict=True))
    return p.f * u.dose * shares


def slope_effectiveness(y: Any, p: Any, u: Any) -> Any:
    """Return the rate of change of glucose with SG as the parameter (Dalla Man 2002)."""
    return glucose_rate(y, p, u) + appearance(p, u) / p.V


def slope_zero_insulin(y: Any, p: Any, u: Any) -> Any:
    """Return the rate of change of glucose with GEZI as the parameter: SG = GEZI + SI Ib."""
    shift = p.SI * u.basal_insulin * (u.basal_glucose - y.glucose)
    return slope_effectiveness(y, Renamed(p, SG=p.GEZI), u) + shift


class Renamed:
    """The fields of a record, some of them under another value."""

    def __init__(self, record: Any, **fields: Any):
        self._record = record
        self._fields = fields

    def __getattr__(self, name: str) -> Any:
        """Return the field called ``name``."""
        return self._fields[name] if name in self._fields else getattr(self._record, name)


def knots_of_protocol(settings: Settings, study: Any) -> Settings:
    """Return the settings with the knots that the study's last sample determines."""
    if settings["knots"] != "protocol":
        return settings
    last = max(
        float(samples.time[-1]) - zero_time(subject)
        for subject in study.subjects
        for samples in subject.samples.values()
    )
    knots = (*(knot for knot in KNOTS if knot < last), last)
    return MappingProxyType({**settings, "knots": knots})


def expected_shares(knots: tuple[float, ...], tail_rate: float) -> tuple[float, ...]:
    """Return the prior share of the absorbed dose under each hat."""
    heights = np.interp(knots[1:], KNOTS, HEIGHTS)
    areas = heights * hat_areas(knots, tail_rate)
    return tuple(float(area) for area in areas / areas.sum())


def parameters(settings: Settings, knots: tuple[float, ...]) -> tuple[Parameter, ...]:
    """Return the unknowns for the given knots."""
    return (
        unknown("SI", LogNormal(1.2e-4, 1.0), spread=0.7, source=VBA, fades_at=FADES),
        unknown(settings["effectiveness"], LogNormal(0.025, 0.25), spread=0.25, source=VBA),
        unknown("p2", LogNormal(0.012, 0.40), spread=0.3, source=VBA),
        unknown("V", LogNormal(0.145, 0.07), spread=0.07, source=VBA_MEDIAN),
        Parameter(
            "f",
            unit="1",
            prior=Fixed(0.9),
            meaning="fraction of the dose that reaches plasma, first pass included",
            source=DALLA_MAN_2007,
        ),
        Parameter(
            "absorption",
            unit="1",
            prior=Dirichlet(CONCENTRATION, expected_shares(knots, float(settings["tail_rate"]))),
            meaning="share of the absorbed dose under the hat at each knot",
            source=VBA_MEDIAN,
            axis="knot",
        ),
    )


def derived(convention: str) -> tuple[Derived, ...]:
    """Return the glucose effectiveness that is not the parameter, and SI as a clearance."""
    at_basal_insulin = Derived(
        "SG",
        "1/min",
        "glucose effectiveness at basal insulin, GEZI + SI Ib",
        lambda p, u: p.GEZI + p.SI * u.basal_insulin,
    )
    clearance = Derived(
        "SI_clearance",
        "L/kg/min/(pmol/L)",
        "insulin sensitivity as a clearance, SI V",
        lambda p, u: p.SI * p.V,
    )
    return (GEZI if convention == "SG" else at_basal_insulin, clearance)


def drink(knots: tuple[float, ...], tail_rate: float) -> tuple[Input, ...]:
    """Return the dose, and the hats under which it may appear."""
    return (
        Input(
            "dose",
            "mmol/kg",
            "oral glucose dose",
            only_dose("glucose", "oral"),
            takes=(("glucose", "oral"),),
        ),
        Input(
            "hat",
            "1/min",
            "hat functions of unit area over the knots, the last with its tail",
            hats(knots, tail_rate),
            axis="knot",
        ),
    )


def conventions(settings: Settings, knots: tuple[float, ...], tail_rate: float) -> tuple[str, ...]:
    """Say which effectiveness has the prior, how basal was taken and where Ra may bend."""
    return (
        f"The prior of glucose effectiveness is on {settings['effectiveness']} (p1 of the oral"
        " model is SG); SI scales with p1 and V, whose values differ between traditions (p1 0.025"
        " per min with V 0.145 L/kg here).",
        basal_sentence(settings),
        "Ra has its knots at "
        + ", ".join(f"{knot:g}" for knot in knots)
        + f" min after the dose and an exponential tail of {tail_rate:g} per min, whose area"
        " counts in the total f dose / weight.",
    )


def declare(settings: Settings) -> System:
    """Declare the oral minimal model under the given options."""
    convention = settings["effectiveness"]
    knots = KNOTS if settings["knots"] == "protocol" else settings["knots"]
    tail_rate = float(settings["tail_rate"])
    slope = slope_effectiveness if convention == "SG" else slope_zero_insulin

    def rhs(t: Any, y: Any, p: Any, u: Any) -> States:
        del t
        return States(glucose=slope(y, p, u), action=action_rate(y, p, u))

    return System(
        name="oral",
        title="Oral glucose minimal model of the OGTT and the meal test",
        equations=(
            "dG/dt = SG (Gb - G) - X G + Ra(t) / V,   G(0) = Gb",
            "dX/dt = p2 (SI (I(t) - Ib) - X),   X(0) = 0",
            "Ra(t) = f dose / weight * sum_j absorption_j hat_j(t),   integral of hat_j = 1",
        ),
        references=(DALLA_MAN, VBA, DALLA_MAN_2007),
        states=STATES,
        parameters=parameters(settings, knots),
        inputs=(*driving_inputs(settings), *drink(knots, tail_rate)),
        outputs=(glucose_output(uses=after_dose, cv=Fixed(0.02)),),
        derived=derived(convention),
        signals=glucose_signals(lambda y, p, u: y.glucose, slope),
        rhs=rhs,
        initial=initial,
        leading=("SI",),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        adapt=knots_of_protocol,
        conventions=conventions(settings, knots, tail_rate),
    )


oral = declare(default_settings(OPTIONS))
