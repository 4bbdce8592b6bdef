"""Glucose pool under insulin action: what the systems that hold one declare alike.

Glucose leaves one well-mixed pool by its own effect (SG) and by that of insulin, which acts from a
remote compartment that follows plasma insulin with rate p2. Measured insulin drives it. A system
adds how glucose gets into the pool: by a dose, a rate of appearance, a label.

A system that uses this room has the parameters ``SI``, ``SG`` and ``p2``, the options of
``basal_options`` and the inputs of ``driving_inputs``; it may have more states than the two here.
Priors differ between tests, and so do their sources; names, units and meanings do not.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from hepaflux.parameter import Parameter, Prior
from hepaflux.systems.inputs import above_basal, basal
from hepaflux.systems.smooth import logistic, positive_part
from hepaflux.systems.system import Derived, Flux, Input, Option, Output, Settings, State

STATES = (
    State("glucose", "mmol/L", "plasma glucose", scale=1.0),
    State("action", "1/min", "insulin action in the remote compartment", scale=0.01),
)

OPEN = 3.0
"""Widths of the gate by which glucose may be below basal and its rise still count."""

GATE = 0.01
"""Width of the gate of a pool's glucose, as a share of basal glucose (chosen here)."""

GEZI = Derived(
    "GEZI",
    "1/min",
    "glucose effectiveness at zero insulin, SG - SI Ib",
    lambda p, u: p.SG - p.SI * u.basal_insulin,
)

UNKNOWNS = {
    "SI": ("L/pmol/min", "insulin sensitivity"),
    "SG": ("1/min", "glucose effectiveness at basal insulin"),
    "GEZI": ("1/min", "glucose effectiveness at zero insulin"),
    "p2": ("1/min", "rate of the remote insulin compartment"),
    "V": ("L/kg", "glucose distribution volume"),
}
"""Unit and meaning of the parameters by name; GEZI stands for SG where it has the prior."""


class States(NamedTuple):
    """The states of the pool; also their rates of change."""

    glucose: Any
    action: Any


def rates(y: Any, p: Any, u: Any) -> States:
    """Return the time derivative while nothing enters from outside (Bergman 1979).

    ``y`` may be the record of a system with more states.
    """
    return States(glucose=glucose_rate(y, p, u), action=action_rate(y, p, u))


def glucose_rate(y: Any, p: Any, u: Any) -> Any:
    """Return the rate of change of glucose while none enters from outside, mmol/L/min."""
    return p.SG * (u.basal_glucose - y.glucose) - y.action * y.glucose


def action_rate(y: Any, p: Any, u: Any) -> Any:
    """Return the rate of change of insulin action, 1/min2."""
    return p.p2 * (p.SI * u.insulin_above_basal - y.action)


def initial(p: Any, u: Any) -> States:
    """Return the basal state."""
    del p
    return States(glucose=u.basal_glucose, action=0.0)


def unknown(
    name: str, prior: Prior, *, spread: float, source: str, fades_at: float = 0.0
) -> Parameter:
    """Return a parameter of the pool.

    Parameters
    ----------
    name : str
        One of ``UNKNOWNS``.
    prior, spread, source, fades_at
        As for ``Parameter``.
    """
    unit, meaning = UNKNOWNS[name]
    return Parameter(name, unit, prior, meaning, source, spread, fades_at=fades_at)


def basal_options(*, insulin: str) -> tuple[Option, Option]:
    """Return the options of the basal values; ``insulin`` is the default rule for basal insulin."""
    return (
        _basal_option("glucose", unit="mmol/L", default="first"),
        _basal_option("insulin", unit="pmol/L", default=insulin),
    )


def _basal_option(substance: str, *, unit: str, default: str) -> Option:
    return Option(
        f"basal_{substance}",
        f"basal {substance}: first (mean at or before the dose), last (mean of the last hour)",
        default=default,
        choices=("first", "last"),
        unit=unit,
        substance=substance,
    )


def basal_sentence(settings: Settings) -> str:
    """Say by which rule the basal values were taken."""
    return (
        f"Basal glucose: {settings['basal_glucose']}; basal insulin: {settings['basal_insulin']}"
        " (number: canonical unit; first: mean at or before the dose; last: mean of the last hour)."
    )


def driving_inputs(settings: Settings, *, clipped: bool = False) -> tuple[Input, ...]:
    """Return the basal values and the insulin above basal, negative parts kept or clipped."""
    glucose_rule, insulin_rule = settings["basal_glucose"], settings["basal_insulin"]
    return (
        Input("basal_glucose", "mmol/L", "basal glucose", basal("glucose", glucose_rule)),
        Input("basal_insulin", "pmol/L", "basal insulin", basal("insulin", insulin_rule)),
        Input(
            "insulin_above_basal",
            "pmol/L",
            "plasma insulin above basal, linear between the samples",
            above_basal("insulin", insulin_rule, clipped=clipped),
        ),
    )


def glucose_output(*, uses: Callable[[np.ndarray], np.ndarray], cv: Prior) -> Output:
    """Return plasma glucose as it is measured.

    Parameters
    ----------
    uses : callable (array of min since the first dose) -> array of bool
        Which samples enter the likelihood.
    cv : Prior
        Coefficient of variation of the measurement.
    """
    return Output(
        "glucose",
        "mmol/L",
        "plasma glucose",
        analyte="glucose",
        value=lambda y, p, u: y.glucose,
        uses=uses,
        cv=cv,
        floor=0.06,
    )


def rise_above(slope: Any, above: Any, gate: Any) -> Any:
    """Return how fast glucose rises, zero while it falls or is below basal, mmol/L/min.

    Parameters
    ----------
    slope : mmol/L/min
        Rate of change of glucose.
    above : mmol/L
        Glucose above basal.
    gate : mmol/L
        Width of the gate at basal.
    """
    return positive_part(slope) * logistic(above / gate + OPEN)


def glucose_signals(
    glucose: Callable[[Any, Any, Any], Any], slope: Callable[[Any, Any, Any], Any]
) -> tuple[Flux, Flux]:
    """Return glucose and its rise, by which a pool can drive secretion.

    Parameters
    ----------
    glucose, slope : callable (y, p, u) -> value
        Plasma glucose, mmol/L, and its rate of change, mmol/L/min.
    """

    def above(y: Any, p: Any, u: Any) -> Any:
        return glucose(y, p, u) - u.basal_glucose

    def rise(y: Any, p: Any, u: Any) -> Any:
        return rise_above(slope(y, p, u), above(y, p, u), GATE * u.basal_glucose)

    return (
        Flux("glucose_above_basal", "mmol/L", "plasma glucose above basal", above),
        Flux(
            "glucose_rise",
            "mmol/L/min",
            "rise of plasma glucose above basal, zero while it falls",
            rise,
        ),
    )
