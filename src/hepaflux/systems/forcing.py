"""Forcing: glucose as what drives secretion, as it was measured or smoothed within the model.

Secretion answers glucose and its rise, so errors of glucose count twice. ``measured`` takes glucose
as known and linear between the samples. ``smoothed`` makes glucose unknown and its samples data: it
follows, through two equal lags, a drive that is linear between knots, so that its slope is
continuous and no more certain than the samples make it.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np

from hepaflux.parameter import Fixed, Independent, LogNormal, Normal, Parameter
from hepaflux.study.study import Study, StudyError, Subject, zero_time
from hepaflux.systems.inputs import above_basal, basal, clipped_at_zero, steps, unit_hats
from hepaflux.systems.pool import glucose_output, rise_above
from hepaflux.systems.system import Curve, Input, Option, Output, Settings, State, every

CHOSEN = "chosen here: as tests of glucose tolerance are"

OPTIONS = (
    Option(
        "glucose",
        "glucose that drives secretion: measured (known, linear between the samples) or smoothed"
        " (unknown, its samples are data)",
        default="measured",
        choices=("measured", "smoothed"),
    ),
    Option(
        "basal_glucose",
        "basal glucose if it is measured: first (mean at or before the dose), last (mean of the"
        " last hour)",
        default="first",
        choices=("first", "last"),
        unit="mmol/L",
        substance="glucose",
    ),
    Option(
        "glucose_knots",
        "minutes at which the drive of smoothed glucose may bend, the first 0; protocol: the times"
        " of the glucose samples",
        default="protocol",
        choices=("protocol",),
        unit="min",
    ),
)

PLAIN_KNOTS = (0.0, 30.0, 60.0, 90.0, 120.0)
"""Knots before there is a study."""


def knots_of_protocol(settings: Settings, study: Study) -> Settings:
    """Return the settings with the knots at the times of the study's glucose samples."""
    if settings["glucose"] != "smoothed" or settings["glucose_knots"] != "protocol":
        return settings
    times = {
        round(float(time) - zero_time(subject), 6)
        for subject in study.subjects
        if "glucose" in subject.samples
        for time in subject.samples["glucose"].time
    }
    knots = (0.0, *sorted(time for time in times if time > 0))
    return MappingProxyType({**settings, "glucose_knots": knots})


def knots_of(settings: Settings) -> tuple[float, ...]:
    """Return the knots of the drive."""
    chosen = settings["glucose_knots"]
    return PLAIN_KNOTS if chosen == "protocol" else tuple(chosen)


def rise_above_basal(rule: str | float) -> Callable[[Subject], Curve]:
    """Read how fast glucose above basal rises, zero while it falls, mmol/L/min."""
    read_curve = above_basal("glucose", rule)

    def read(subject: Subject) -> Curve:
        refuse_intravenous(subject)
        curve = clipped_at_zero(read_curve(subject))
        slopes = np.maximum(np.diff(curve.value) / np.diff(curve.time), 0.0)
        return steps(curve.time, np.concatenate([[0.0], slopes, [0.0]]))

    return read


def refuse_intravenous(subject: Subject) -> None:
    """Refuse glucose into a vein, which releases stored insulin that the equations do not hold."""
    if any(dose.what == "glucose" and dose.route == "intravenous" for dose in subject.doses):
        raise StudyError(
            [
                f"subject {subject.name}: glucose was given into a vein; its first phase of"
                " secretion is not that of a drink or a meal, for which the system is."
            ]
        )


TAKES = (("glucose", "oral"),)


def inputs(settings: Settings) -> tuple[Input, ...]:
    """Return measured glucose and its rise, or the hats of the drive."""
    if settings["glucose"] == "smoothed":
        read_hats = unit_hats(knots_of(settings))

        def read(subject: Subject) -> tuple[Curve, ...]:
            refuse_intravenous(subject)
            return read_hats(subject)

        meaning = "hat functions of unit height over the knots of glucose"
        return (Input("glucose_hat", "1", meaning, read, axis="glucose_knot", takes=TAKES),)
    rule = settings["basal_glucose"]
    return (
        Input("basal_glucose", "mmol/L", "basal glucose", basal("glucose", rule)),
        Input(
            "glucose_above_basal",
            "mmol/L",
            "plasma glucose above basal, linear between the samples",
            above_basal("glucose", rule),
            takes=TAKES,
        ),
        Input(
            "glucose_rise",
            "mmol/L/min",
            "rise of glucose above basal, zero while it falls",
            rise_above_basal(rule),
        ),
    )


def parameters(settings: Settings) -> tuple[Parameter, ...]:
    """Return the unknowns of smoothed glucose; none if it is measured."""
    if settings["glucose"] == "measured":
        return ()
    return (
        Parameter("G_b", "mmol/L", LogNormal(5.5, 0.3), "basal glucose", CHOSEN, 0.1),
        Parameter(
            "glucose_drive",
            unit="mmol/L",
            prior=Independent(Normal(2.0, 3.5), len(knots_of(settings)) - 1),
            meaning="glucose above basal that plasma glucose follows, at each knot",
            source=CHOSEN,
            axis="glucose_knot",
            sought=False,
        ),
        Parameter("glucose_lag", "min", Fixed(6.0), "each of two lags of glucose", CHOSEN),
        Parameter(
            "glucose_gate",
            unit="mmol/L",
            prior=Fixed(0.05),
            meaning="width of the gate at basal, above which a rise of glucose counts",
            source="chosen here: below the error of a glucose sample",
        ),
    )


def states(settings: Settings) -> tuple[State, ...]:
    """Return the states of smoothed glucose; none if it is measured."""
    if settings["glucose"] == "measured":
        return ()
    return (
        State("glucose_ahead", "mmol/L", "glucose that plasma glucose follows", scale=5.0),
        State("glucose", "mmol/L", "plasma glucose", scale=5.0),
    )


def initial(p: Any, settings: Settings) -> dict[str, Any]:
    """Return the basal state of smoothed glucose."""
    return {} if settings["glucose"] == "measured" else {"glucose_ahead": p.G_b, "glucose": p.G_b}


def rates(y: Any, p: Any, u: Any, settings: Settings) -> dict[str, Any]:
    """Return the time derivatives of smoothed glucose."""
    if settings["glucose"] == "measured":
        return {}
    drive = sum(d * hat for d, hat in zip(p.glucose_drive, u.glucose_hat, strict=True))
    return {
        "glucose_ahead": (p.G_b + drive - y.glucose_ahead) / p.glucose_lag,
        "glucose": (y.glucose_ahead - y.glucose) / p.glucose_lag,
    }


def basal_of(p: Any, u: Any, settings: Settings) -> Any:
    """Return basal glucose, mmol/L."""
    return u.basal_glucose if settings["glucose"] == "measured" else p.G_b


def glucose_of(y: Any, p: Any, u: Any, settings: Settings) -> Any:
    """Return plasma glucose, mmol/L."""
    del p
    measured = settings["glucose"] == "measured"
    return u.basal_glucose + u.glucose_above_basal if measured else y.glucose


def rise_of(y: Any, p: Any, u: Any, settings: Settings) -> Any:
    """Return how fast glucose above basal rises, zero while it falls, mmol/L/min."""
    if settings["glucose"] == "measured":
        return u.glucose_rise
    slope = (y.glucose_ahead - y.glucose) / p.glucose_lag
    return rise_above(slope, y.glucose - p.G_b, p.glucose_gate)


def outputs(settings: Settings) -> tuple[Output, ...]:
    """Return glucose as data if it is smoothed."""
    if settings["glucose"] == "measured":
        return ()
    return (glucose_output(uses=every, cv=Fixed(0.02)),)


def sentence(settings: Settings) -> str:
    """Say what drives secretion."""
    if settings["glucose"] == "measured":
        return (
            f"Glucose drives secretion as measured, linear between its samples; basal:"
            f" {settings['basal_glucose']}."
        )
    knots = ", ".join(f"{knot:g}" for knot in knots_of(settings))
    return f"Glucose is smoothed within the model, its drive bends at {knots} min; CV 2 %."
