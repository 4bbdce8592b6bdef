"""Glucose minimal model: how fast glucose falls after an intravenous dose, and why.

Glucose leaves one well-mixed pool by its own effect (glucose effectiveness, SG) and by that of
insulin, which acts from a remote compartment that follows plasma insulin with rate p2. Measured
insulin drives the model; the dose enters as a bolus, so the pool's volume V is a parameter. Not
separated: production by the liver and uptake by muscle.

Assumes     one pool (SG is overestimated about three-fold when insulin responds; Cobelli 1998)
            glucose is mixed after ``mixing`` minutes; earlier samples do not enter the likelihood
            a sample at the very time of a dose was drawn just before it
Valid for   intravenous glucose tolerance tests, standard or insulin-modified, 2 to 5 hours
"""

from typing import Any, NamedTuple

from hepaflux.parameter import LogNormal, Parameter
from hepaflux.systems.inputs import above_basal, area_above_basal, basal
from hepaflux.systems.system import (
    Derived,
    DoseChannel,
    Input,
    Option,
    Output,
    Settings,
    State,
    System,
    default_settings,
)

DENTI = "Denti P et al. (2010) Am J Physiol Endocrinol Metab 298:E950"
BERGMAN = "Bergman RN et al. (1979) Am J Physiol 236:E667. doi:10.1152/ajpendo.1979.236.6.E667"
PACINI = "Pacini G, Bergman RN (1986) Comput Methods Programs Biomed 23:113"

ACUTE_PHASE = 10.0
"""Minutes after the dose over which the acute insulin response is taken."""

OPTIONS = (
    Option(
        "basal_glucose",
        "basal glucose: first (mean at or before the dose), last (mean of the last hour)",
        default="first",
        choices=("first", "last"),
        unit="mmol/L",
        substance="glucose",
    ),
    Option(
        "basal_insulin",
        "basal insulin: first (mean at or before the dose), last (mean of the last hour)",
        default="last",
        choices=("first", "last"),
        unit="pmol/L",
        substance="insulin",
    ),
    Option(
        "insulin_action",
        "insulin below basal: signed (lowers the action, as MINMOD) or clipped (counts as basal)",
        default="signed",
        choices=("signed", "clipped"),
    ),
    Option(
        "mixing",
        "minutes after the dose before which samples do not enter the likelihood",
        default=8.0,
    ),
)


class States(NamedTuple):
    """The states of the minimal model."""

    glucose: Any
    action: Any


def rhs(t: Any, y: Any, p: Any, u: Any) -> States:
    """Return the time derivative (Bergman 1979)."""
    del t
    return States(
        glucose=p.SG * (u.basal_glucose - y.glucose) - y.action * y.glucose,
        action=p.p2 * (p.SI * u.insulin_above_basal - y.action),
    )


def initial(p: Any, u: Any) -> States:
    """Return the basal state."""
    return States(glucose=u.basal_glucose, action=0.0)


def glucose_gain(p: Any, u: Any) -> States:
    """Return the change of the states by 1 mmol/kg of intravenous glucose."""
    del u
    return States(glucose=1 / p.V, action=0.0)


def declare(settings: Settings) -> System:
    """Declare the minimal model under the given options."""
    glucose_rule, insulin_rule = settings["basal_glucose"], settings["basal_insulin"]
    clipped = settings["insulin_action"] == "clipped"
    mixing = float(settings["mixing"])
    return System(
        name="minimal",
        title="Glucose minimal model of the intravenous glucose tolerance test",
        equations=(
            "dG/dt = SG (Gb - G) - X G,   G(0) = Gb + dose / V",
            "dX/dt = p2 (SI (I(t) - Ib) - X),   X(0) = 0",
        ),
        references=(BERGMAN, PACINI, DENTI),
        states=(
            State("glucose", "mmol/L", "plasma glucose", scale=1.0),
            State("action", "1/min", "insulin action in the remote compartment", scale=0.01),
        ),
        parameters=(
            Parameter(
                "SI",
                unit="L/pmol/min",
                prior=LogNormal(5.8e-5, 0.9),
                meaning="insulin sensitivity",
                source=DENTI,
                spread=0.7,
            ),
            Parameter(
                "SG",
                unit="1/min",
                prior=LogNormal(0.019, 0.35),
                meaning="glucose effectiveness at basal insulin",
                source=DENTI,
                spread=0.21,
            ),
            Parameter(
                "p2",
                unit="1/min",
                prior=LogNormal(0.025, 0.40),
                meaning="rate of the remote insulin compartment",
                source=DENTI,
                spread=0.38,
            ),
            Parameter(
                "V",
                unit="L/kg",
                prior=LogNormal(0.168, 0.10),
                meaning="glucose distribution volume",
                source=DENTI,
                spread=0.104,
            ),
        ),
        inputs=(
            Input("basal_glucose", "mmol/L", "basal glucose", basal("glucose", glucose_rule)),
            Input("basal_insulin", "pmol/L", "basal insulin", basal("insulin", insulin_rule)),
            Input(
                "insulin_above_basal",
                "pmol/L",
                "plasma insulin above basal, linear between the samples",
                above_basal("insulin", insulin_rule, clipped=clipped),
            ),
            Input(
                "insulin_area",
                "pmol*min/L",
                "insulin above basal over the first 10 min",
                area_above_basal("insulin", insulin_rule, ACUTE_PHASE),
            ),
        ),
        doses=(DoseChannel("glucose", "intravenous", "mmol/kg", glucose_gain),),
        outputs=(
            Output(
                "glucose",
                "mmol/L",
                "plasma glucose",
                analyte="glucose",
                value=lambda y, p, u: y.glucose,
                uses=lambda minutes: minutes >= max(mixing, 1e-9),
                cv=LogNormal(0.02, 0.5),
                floor=0.06,
            ),
        ),
        derived=(
            Derived(
                "GEZI",
                "1/min",
                "glucose effectiveness at zero insulin, SG - SI Ib",
                lambda p, u: p.SG - p.SI * u.basal_insulin,
            ),
            Derived(
                "AIRg",
                "pmol*min/L",
                "acute insulin response to glucose, 0 to 10 min",
                lambda p, u: u.insulin_area,
            ),
            Derived("DI", "1", "disposition index, SI AIRg", lambda p, u: p.SI * u.insulin_area),
        ),
        rhs=rhs,
        initial=initial,
        options=OPTIONS,
        settings=settings,
        declare=declare,
        conventions=(
            "SI is per pmol/L of plasma insulin above basal and acts on fractional disposal (1/min)"
            "; multiply by V for a clearance.",
            f"Basal glucose: {glucose_rule}; basal insulin: {insulin_rule} (number: canonical unit;"
            " first: mean at or before the dose; last: mean of the last hour).",
            f"Insulin below basal is {settings['insulin_action']}; samples before {mixing:g} min"
            " after the dose do not enter the likelihood.",
        ),
    )


minimal = declare(default_settings(OPTIONS))
