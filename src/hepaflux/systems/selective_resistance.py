"""Selective resistance: the slow loop from fat mass to a liver deaf to one order of insulin.

Fat that is held too little leaks fatty acids; the liver esterifies them, diacylglycerol inhibits
the wire to glucose, glucose and insulin rise, and insulin drives lipogenesis by the wire that is
left. How much of that wire feels the inhibition too is the selectivity lambda_L. In health all
rests.

It has no equations of its own: fat tissue, the glucose balance, insulin signaling, diacylglycerol
and liver fat drive each other.

Assumes     means of a day; constants that no paper gives are chosen so that the whole answers as
            people do; no published model
Valid for   weeks to decades. The fastest part is glucose (an hour), hence the implicit method.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hepaflux.parameter import Fixed, Parameter, center
from hepaflux.systems.composition import compose
from hepaflux.systems.diacylglycerol import diacylglycerol
from hepaflux.systems.fat_tissue import DEFINED, fat_tissue
from hepaflux.systems.glucose_balance import glucose_balance
from hepaflux.systems.liver_fat import liver_fat
from hepaflux.systems.option import Option, Settings, default_settings
from hepaflux.systems.receptor import resting_shares
from hepaflux.systems.selective_resistance_values import LEADING, OWN, UNKNOWN, conditions
from hepaflux.systems.signaling import signaling
from hepaflux.systems.system import Arrow, Derived, Flux, System

FAT_AND_GLUCOSE = {"FFA": "FFA_drive", "insulin": "insulin"}
AND_SIGNALING = {
    "insulin": "insulin",
    "glucose_drive": "substrate",
    **{name: name for name in ("FFA", "TNFa", "IL6", "FoxO1_drive")},
}
FAT_OF_LIVER = {name: name for name in ("storage_drive", "content_drive")}
WHOLE = {
    "FFA": "NEFA_drive",
    "lipogenesis": "DNL_drive",
    **{name: name for name in ("insulin_drive", "DAG")},
}
"""Which signal of one part is which input of another."""

OPTIONS = (
    Option(
        "form",
        "whether signaling of minutes is followed (dynamic) or at rest at every moment"
        " (quasi-steady)",
        default="quasi-steady",
        choices=("quasi-steady", "dynamic"),
    ),
    Option(
        "pools",
        "one pool of liver triglyceride, or five with fatty acids",
        default="one",
        choices=("one", "five"),
    ),
    Option(
        "unknowns",
        "which parameters are unknown: what drives the loop and its selectivity (drivers), or what"
        " visits over years tell of people whose drivers are known (gains)",
        default="drivers",
        choices=tuple(UNKNOWN),
    ),
)


def parts(settings: Settings) -> System:
    """Return fat, glucose, signaling and liver fat as one system, each as it is by itself."""
    cell = signaling.with_options(stress="driven", form=settings["form"])
    liver = liver_fat.with_options(pools=settings["pools"])
    glucose = compose(fat_tissue, glucose_balance, FAT_AND_GLUCOSE)
    fat = compose(diacylglycerol, liver, FAT_OF_LIVER)
    return compose(compose(cell, glucose, AND_SIGNALING), fat, WHOLE)


def parameters(whole: System, asked: str) -> tuple[Parameter, ...]:
    """Return the parameters of the parts, of which only what is asked for is unknown."""
    unknown = UNKNOWN[asked]

    def known(parameter: Parameter) -> Parameter:
        own = OWN.get(parameter.name)
        if parameter.name in unknown:
            prior, spread = unknown[parameter.name]
            return replace(parameter, prior=prior, spread=spread)
        value = center(parameter.prior) if own is None else own.value
        source = parameter.source if own is None else f"{own.source} (not verified)"
        return replace(parameter, prior=Fixed(value), spread=0.0, source=source)

    kept = (p for p in whole.parameters if p.name != UNREPORTED)
    return (*map(known, kept), *beginnings(whole))


def beginnings(whole: System) -> tuple[Parameter, ...]:
    """Return by what factor each state differs from that of health at time 0."""
    return tuple(
        Parameter(
            f"from_{state.name}",
            unit="1",
            prior=Fixed(1.0),
            meaning=f"{state.meaning.removesuffix(' over that of health')}, at time 0 over health",
            source=DEFINED,
        )
        for state in whole.states
    )


def begun(whole: System) -> Callable[[Any, Any], Any]:
    """Return the function that gives the state at time 0."""
    healthy: Any = whole.initial

    def initial(p: Any, u: Any) -> Any:
        start = healthy(p, u)
        return type(start)(*(getattr(p, f"from_{n}") * x for n, x in start._asdict().items()))

    return initial


TOLD = (
    *("NEFA_uptake", "lipogenesis_rate", "storage", "secretion_rate", "HIRI", "FFA"),
    *("kinase_load", "FoxO1_effect", "MAPK_active"),
)
"""What is stored and drawn, of all that the parts know of a moment."""

ARROWS = {"kinase_load": Arrow("liver fat", "IRS", lowers=True), "MAPK_active": None}
"""Where a flux of a part stands in the loop: liver fat drives the kinases, by diacylglycerol."""


def told(whole: System) -> tuple[Flux, ...]:
    """Return the fluxes of the parts that are told."""
    chosen = (flux for flux in whole.fluxes if flux.name in TOLD)
    return tuple(replace(flux, arrow=ARROWS.get(flux.name, flux.arrow)) for flux in chosen)


def wires(whole: System) -> tuple[Flux, ...]:
    """Return what is left of either order of insulin, under the names of the loop."""
    at = {flux.name: flux.value for flux in whole.fluxes}
    return (
        Flux(
            "wire_1",
            "1",
            "IRS that is not inhibited, over that of health",
            lambda y, p, u: at["IRS_able"](y, p, u) / resting_shares(p.r0, p)[0],
            Arrow("IRS", "FoxO1", lowers=True),
        ),
        Flux(
            "wire_2",
            "1",
            "drive of lipogenesis over that of health",
            at["lipogenesis"],
            Arrow("insulin", "lipogenesis"),
        ),
        Flux(
            "inhibition",
            "1",
            "inhibited IRS over that of health",
            lambda y, p, u: at["IRS_inhibited"](y, p, u) / resting_shares(p.r0, p)[1],
        ),
    )


EXPORT = ("V_max", "relaxation")
"""What follows from the export of liver fat where that is unknown. Other results of liver fat are
constants here, or rest on what other parts drive."""

UNREPORTED = "TG_high"
"""A parameter of one of those others alone."""


def derived(whole: System, asked: str) -> tuple[Derived, ...]:
    """Return what follows from the unknowns."""
    return tuple(d for d in whole.derived if d.name in EXPORT and "K_V" in UNKNOWN[asked])


def declare(settings: Settings) -> System:
    """Declare the loop under the given options."""
    whole = parts(settings)
    return replace(
        whole,
        name="selective_resistance",
        title="The slow loop of fat, fatty liver, glucose and insulin",
        parameters=parameters(whole, settings["unknowns"]),
        derived=derived(whole, settings["unknowns"]),
        fluxes=(*told(whole), *wires(whole)),
        signals=(*whole.signals, *(f for f in whole.fluxes if f.name not in TOLD)),
        initial=begun(whole),
        leading=LEADING[settings["unknowns"]],
        rests_on={},
        conditions=conditions(),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        adapt=None,
        integrator="implicit",
        conventions=(
            "A state of health is where the drivers (FM, w_A, w_M, nutrients, beta) lead from time"
            " 0 on; it begins in health, or in a fatty liver where a diet is the state.",
            "Flows are means over 24 h; time is in min as everywhere. What is called before, or"
            " health, is the state in which all drivers are 1.",
            "The system is composed of fat_tissue, glucose_balance, signaling, diacylglycerol and"
            " liver_fat; the last equations say which drives which.",
        ),
    )


selective_resistance = declare(default_settings(OPTIONS))
