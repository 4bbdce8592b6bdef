"""VLDL: how fast the liver secretes triglyceride into plasma, by a tracer that it builds in.

A bolus or an infusion of labeled glycerol or palmitate leaves plasma within minutes, and a share of
it, ``incorporation``, comes out of the liver in VLDL triglyceride after a delay. The delay is a
chain of equal compartments, so that a bolus leaves it in the shape of a gamma density. In plasma
the pool turns over with the fractional rate k; secretion is k times the pool. Instead of the dose a
measured enrichment of the plasma precursor may drive the model.

Assumes     the tracee is in steady state: secretion, pool and concentration are constant
            what the tracer adds to the secreted triglyceride does not add to secretion
            the liver is one path: label that returns from slow stores makes k appear smaller
            plasma volume is the volume of VLDL
Valid for   the fasting state, or a late steady state of a clamp, for hours up to about a day
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np

from hepaflux.parameter import Fixed
from hepaflux.study.study import Study, StudyError, Subject, start_time
from hepaflux.systems.fat_export import FABBRINI, SORENSEN, fat_derived, fat_output
from hepaflux.systems.inputs import samples_of
from hepaflux.systems.lipogenesis import AARSLAND, per_day
from hepaflux.systems.system import (
    Curve,
    Derived,
    DoseChannel,
    Input,
    Option,
    Output,
    Settings,
    State,
    System,
    default_settings,
    fields_type,
)
from hepaflux.systems.vldl_secretion import parameters

ADIELS = "Adiels M et al. (2005) J Lipid Res 46:58"

OPTIONS = (
    Option(
        "tracer",
        "the labeled part of triglyceride: glycerol (one per molecule) or palmitate",
        default="glycerol",
        choices=("glycerol", "palmitate"),
    ),
    Option(
        "precursor",
        "what drives the model: modeled (doses of vldl_tracer) or measured (the enrichment of the"
        " precursor in plasma, precursor_enrichment)",
        default="modeled",
        choices=("modeled", "measured"),
    ),
    Option(
        "pools",
        "one (VLDL) or two (VLDL1, part of which becomes VLDL2)",
        default="one",
        choices=("one", "two"),
    ),
    Option("delay_compartments", "compartments of the hepatic delay", default=5),
    Option(
        "lipogenesis",
        "whether the newly made share is part of the model: measured (if anyone has dnl_fraction),"
        " yes, no",
        default="measured",
        choices=("measured", "yes", "no"),
    ),
    Option(
        "liver_fat",
        "whether liver fat is part of the model: measured (if anyone has ihtg), yes, no",
        default="measured",
        choices=("measured", "yes", "no"),
    ),
    Option(
        "insulin",
        "the state in which the tracer was given: basal, or high (a clamp)",
        default="basal",
        choices=("basal", "high"),
    ),
)


def precursor(analyte: str) -> Callable[[Subject], Curve]:
    """Read the enrichment of the precursor, zero before the first dose and constant at the end."""

    def read(subject: Subject) -> Curve:
        driving, driven = samples_of(subject, "precursor_enrichment"), samples_of(subject, analyte)
        if driving.time[0] > driven.time[driven.value > 0].min(initial=np.inf):
            raise StudyError(
                [
                    f"subject {subject.name}: {analyte} is above zero before the first sample of"
                    f" precursor_enrichment at {driving.time[0]:g} min; add one when the tracer"
                    " starts."
                ]
            )
        start = start_time(subject)
        if start >= driving.time[0]:
            return Curve(driving.time, driving.value)
        return Curve(np.append(start, driving.time), np.append(0.0, driving.value))

    return read


def body_weight(subject: Subject) -> float:
    """Read the body weight, kg."""
    if not np.isfinite(subject.weight):
        raise StudyError(
            [
                f"subject {subject.name}: the body weight is not known; give weight_kg, for"
                " secretion is stated per person and per kg."
            ]
        )
    return float(subject.weight)


class Equations:
    """The equations under given settings."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.two, self.modeled = settings["pools"] == "two", settings["precursor"] == "modeled"
        self.number = compartments(settings["delay_compartments"])
        self.names = ("vldl1", "vldl2") if self.two else ("vldl",)
        self.chain = tuple(f"delay_{i + 1}" for i in range(self.number))
        labeled = [
            *((name, f"label in compartment {name[6:]} of the delay") for name in self.chain),
            *((name, f"enrichment of {name.upper()} triglyceride") for name in self.names),
        ]
        plasma = State("precursor", "mmol/kg", "tracer in plasma, not yet built in", scale=0.01)
        self.states = (
            *((plasma,) if self.modeled else ()),
            *(State(name, "TTR", meaning, scale=0.01) for name, meaning in labeled),
        )
        self.record = fields_type("States", [state.name for state in self.states])

    def residence(self, p: Any) -> tuple[Any, ...]:
        """Return the pools over secretion, min: how long secreted triglyceride is in each."""
        if not self.two:
            return (1 / p.k,)
        return ((1 - p.direct) / p.k1, self.into_second(p) / p.k2)

    def into_second(self, p: Any) -> Any:
        """Return what enters VLDL2 as a share of secretion."""
        return p.direct + p.conversion * (1 - p.direct)

    def secretion(self, p: Any) -> Any:
        """Return the secretion of triglyceride, mmol/kg/min."""
        return p.VLDL_TG * p.V / sum(self.residence(p)[1:], self.residence(p)[0])

    def total(self, p: Any, u: Any) -> Any:
        """Return the secretion of triglyceride, umol/min."""
        return 1000 * self.secretion(p) * u.weight

    def labeled_parts(self, p: Any) -> Any:
        """Return how many parts of a triglyceride molecule the tracer can stand for."""
        return 3 * p.palmitate_share if self.settings["tracer"] == "palmitate" else 1.0

    def entering(self, y: Any, p: Any, u: Any) -> Any:
        """Return the enrichment of what enters the delay, TTR."""
        if self.modeled:
            labeled = p.incorporation * p.k_precursor * y.precursor
            return labeled / (self.secretion(p) * self.labeled_parts(p))
        share = p.f_precursor * u.precursor_enrichment / (1 + u.precursor_enrichment)
        return share / (1 - share)

    def rhs(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        """Return the time derivative."""
        del t
        rates: dict[str, Any] = {}
        if self.modeled:
            rates["precursor"] = -p.k_precursor * y.precursor
        before = self.entering(y, p, u)
        for name in self.chain:
            rates[name] = self.number / p.delay * (before - getattr(y, name))
            before = getattr(y, name)
        return self.record(**rates, **self.plasma(before, y, p))

    def plasma(self, secreted: Any, y: Any, p: Any) -> dict[str, Any]:
        """Return the time derivative of enrichments in plasma, given that of what is secreted."""
        if not self.two:
            return {"vldl": p.k * (secreted - y.vldl)}
        share = p.direct / self.into_second(p)
        mixed = share * secreted + (1 - share) * y.vldl1
        return {"vldl1": p.k1 * (secreted - y.vldl1), "vldl2": p.k2 * (mixed - y.vldl2)}

    def initial(self, p: Any, u: Any) -> Any:
        """Return the state without any tracer."""
        del p, u
        return self.record(*(0.0 for _ in self.states))

    def doses(self) -> tuple[DoseChannel, ...]:
        """Return where the tracer enters."""

        def gain(p: Any, u: Any) -> Any:
            del p, u
            return self.record(1.0, *(0.0 for _ in self.states[1:]))

        return (DoseChannel("vldl_tracer", "intravenous", "mmol/kg", gain),) if self.modeled else ()

    def concentration(self, p: Any, place: int) -> Any:
        """Return the triglyceride of one of the pools, mmol/L."""
        return self.residence(p)[place] * self.secretion(p) / p.V


def compartments(number: Any) -> int:
    """Return a number of compartments.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not isinstance(number, (int, float)) or number != int(number) or not 1 <= number <= 20:
        raise ValueError(f"delay_compartments must be an integer from 1 to 20, but is {number!r}")
    return int(number)


def measured(analyte: str, unit: str, meaning: str, value: Any, *, cv: float) -> Output:
    """Return something measured; only the enrichment of VLDL is required."""
    floors = {"TTR": 1e-4, "mmol/L": 0.005, "1": 0.01}
    return Output(
        analyte,
        unit,
        meaning,
        analyte=analyte,
        value=value,
        cv=Fixed(cv),
        floor=floors[unit],
        required=unit == "TTR",
    )


def outputs(equations: Equations) -> tuple[Output, ...]:
    """Return enrichments and concentrations, and the newly made share if it is in the model."""
    found = []
    for place, name in enumerate(equations.names):
        enrichment = lambda y, p, u, name=name: getattr(y, name)  # noqa: E731
        content = lambda y, p, u, place=place: equations.concentration(p, place)  # noqa: E731
        words = f"of {name.upper()} triglyceride"
        found += [
            measured(f"{name}_enrichment", "TTR", f"enrichment {words}", enrichment, cv=0.03),
            measured(f"{name}_tg", "mmol/L", f"concentration {words}", content, cv=0.05),
        ]
    if equations.settings["lipogenesis"] != "no":
        words = "newly made share of the fatty acids of VLDL triglyceride"
        found.append(measured("dnl_fraction", "1", words, lambda y, p, u: p.f_DNL, cv=0.1))
    return (*found, *([fat_output()] if equations.settings["liver_fat"] != "no" else []))


def derived(equations: Equations) -> tuple[Derived, ...]:
    """Return secretion and what follows from it."""
    total = equations.total
    rates = ("k1", "k2") if equations.two else ("k",)
    made = Derived(
        "DNL_flux",
        "umol/min",
        "newly made fatty acids in secreted VLDL, if all are newly made in the share f_DNL",
        lambda p, u: 3 * p.f_DNL * total(p, u),
    )
    pool = Derived(
        "VLDL_pool",
        "mmol",
        "triglyceride in all VLDL of plasma",
        lambda p, u: p.VLDL_TG * p.V * u.weight,
    )
    return (
        Derived("VLDL_secretion", "umol/min", "secretion of VLDL triglyceride", total),
        Derived(
            "VLDL_secretion_per_kg",
            "umol/kg/min",
            "secretion of VLDL triglyceride per kg of body weight",
            lambda p, u: 1000 * equations.secretion(p),
        ),
        pool,
        *(per_day(rate) for rate in rates),
        *([made] if equations.settings["lipogenesis"] != "no" else []),
        *(
            fat_derived(total, gated=equations.settings["insulin"] == "high")
            if equations.settings["liver_fat"] != "no"
            else ()
        ),
    )


def inputs(equations: Equations) -> tuple[Input, ...]:
    """Return the body weight, and the precursor if it was measured."""
    weight = Input("weight", "kg", "body weight", body_weight)
    if equations.modeled:
        return (weight,)
    read = precursor(f"{equations.names[0]}_enrichment")
    meaning = "enrichment of the precursor in plasma, linear between the samples, constant after"
    return (weight, Input("precursor_enrichment", "TTR", meaning, read))


def adapt(settings: Settings, study: Study) -> Settings:
    """Return the settings with what was measured; a tracer that is followed must be dosed."""
    if settings["precursor"] == "modeled":
        _check_doses(study)
    changes = {}
    for option, analyte in (("lipogenesis", "dnl_fraction"), ("liver_fat", "ihtg")):
        if settings[option] == "measured":
            there = any(analyte in subject.samples for subject in study.subjects)
            changes[option] = "yes" if there else "no"
    return MappingProxyType({**settings, **changes})


def _check_doses(study: Study) -> None:
    """Refuse subjects without a dose of the tracer, and doses that would be ignored."""
    problems = []
    for subject in study.subjects:
        routes = {dose.route for dose in subject.doses if dose.what == "vldl_tracer"}
        if routes != {"intravenous"}:
            found = "an oral one is ignored" if routes else "there is none"
            problems.append(
                f"subject {subject.name}: an intravenous dose of vldl_tracer is needed, but"
                f" {found}; list it among the doses, or set precursor=measured."
            )
    if problems:
        raise StudyError(problems)


def declare(settings: Settings) -> System:
    """Declare the kinetics of VLDL triglyceride under the given options."""
    equations = Equations(settings)
    return System(
        name="vldl",
        title="VLDL triglyceride: secretion and turnover by a tracer",
        equations=(
            "dP/dt = dose - k_precursor P,   entering = incorporation k_precursor P / (S parts)"
            if equations.modeled
            else "entering = x / (1 - x),   x = f_precursor E / (1 + E),   E measured in plasma",
            f"dL_i/dt = {equations.number} / delay (L_(i-1) - L_i),   L_0 = entering",
            "dE_1/dt = k1 (L - E_1),   dE_2/dt = k2 (x L + (1 - x) E_1 - E_2),"
            "   x = direct / (direct + conversion (1 - direct))"
            if equations.two
            else "dE/dt = k (L - E)",
            "S = VLDL_TG V / residence,   residence = (1 - direct) / k1"
            " + (direct + conversion (1 - direct)) / k2"
            if equations.two
            else "S = k VLDL_TG V",
            "DNL_flux = 3 f_DNL S,   S = V_max L / (K_V + L) (1 - sigma at high insulin)",
        ),
        references=(AARSLAND, ADIELS, FABBRINI, SORENSEN),
        states=equations.states,
        parameters=parameters(settings),
        inputs=inputs(equations),
        doses=equations.doses(),
        outputs=outputs(equations),
        derived=derived(equations),
        rhs=equations.rhs,
        initial=equations.initial,
        leading=("VLDL_TG", *(("f_DNL",) if settings["lipogenesis"] != "no" else ())),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        adapt=adapt,
        conventions=(
            f"Enrichments are tracer-to-tracee ratios of the {settings['tracer']} in triglyceride;"
            " they are linear because the secretion of tracee is constant.",
            "The dose is the amount of tracer, not of triglyceride; the share of it that is"
            " secreted, incorporation, is found together with VLDL_TG and V.",
            "DNL_flux counts fatty acids, three per triglyceride, and gives all of them the newly"
            " made share of the one that was measured, usually palmitate.",
            f"Pools: {settings['pools']}; precursor: {settings['precursor']}; delay of"
            f" {equations.number} compartments; insulin: {settings['insulin']}.",
        ),
    )


vldl = declare(default_settings(OPTIONS))
