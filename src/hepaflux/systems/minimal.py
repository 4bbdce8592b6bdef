"""Glucose minimal model: how fast glucose falls after an intravenous dose, and why.

Glucose leaves one well-mixed pool by its own effect (glucose effectiveness, SG) and by that of
insulin, which acts from a remote compartment that follows plasma insulin with rate p2. Measured
insulin drives the model; the dose enters as a bolus, so the pool's volume V is a parameter. Not
separated: production by the liver and uptake by muscle.

Assumes     one pool (SG is overestimated about three-fold when insulin responds; Cobelli
            1998, Overestimation of minimal model glucose effectiveness in presence of insulin
            response is due to undermodeling, Am J Physiol)
            glucose is mixed after ``mixing`` minutes; earlier samples do not enter the likelihood
            a sample at the very time of a dose was drawn just before it
Valid for   intravenous glucose tolerance tests, standard or insulin-modified, 2 to 5 hours
"""

from typing import Any

from hepaflux.parameter import LogNormal
from hepaflux.systems.inputs import area_above_basal
from hepaflux.systems.pool import (
    GEZI,
    STATES,
    States,
    basal_options,
    basal_sentence,
    driving_inputs,
    glucose_output,
    initial,
    rates,
    unknown,
)
from hepaflux.systems.system import (
    Derived,
    DoseChannel,
    Input,
    Option,
    Settings,
    System,
    default_settings,
)

DENTI = "Denti P et al. (2010) Am J Physiol Endocrinol Metab 298:E950"
BERGMAN = "Bergman RN et al. (1979) Am J Physiol 236:E667. doi:10.1152/ajpendo.1979.236.6.E667"
PACINI = "Pacini G, Bergman RN (1986) Comput Methods Programs Biomed 23:113"

ACUTE_PHASE = 10.0
"""Minutes after the dose over which the acute insulin response is taken."""

OPTIONS = (
    *basal_options(insulin="last"),
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


PARAMETERS = (
    unknown("SI", LogNormal(5.8e-5, 0.9), spread=0.7, source=DENTI),
    unknown("SG", LogNormal(0.019, 0.35), spread=0.21, source=DENTI),
    unknown("p2", LogNormal(0.025, 0.40), spread=0.38, source=DENTI),
    unknown("V", LogNormal(0.168, 0.10), spread=0.104, source=DENTI),
)
"""Medians of 204 healthy people (Denti 2010); SI and SG are given more room than these differ by,
for people who are not healthy."""

DERIVED = (
    GEZI,
    Derived(
        "AIRg",
        "pmol*min/L",
        "acute insulin response to glucose, 0 to 10 min",
        lambda p, u: u.insulin_area,
    ),
    Derived("DI", "1", "disposition index, SI AIRg", lambda p, u: p.SI * u.insulin_area),
)


def rhs(t: Any, y: Any, p: Any, u: Any) -> States:
    """Return the time derivative (Bergman 1979)."""
    del t
    return rates(y, p, u)


def glucose_gain(p: Any, u: Any) -> States:
    """Return the change of the states by 1 mmol/kg of intravenous glucose."""
    del u
    return States(glucose=1 / p.V, action=0.0)


def acute_insulin(settings: Settings) -> Input:
    """Return the area of insulin above basal in the acute phase."""
    return Input(
        "insulin_area",
        "pmol*min/L",
        "insulin above basal over the first 10 min",
        area_above_basal("insulin", settings["basal_insulin"], ACUTE_PHASE),
    )


def declare(settings: Settings) -> System:
    """Declare the minimal model under the given options."""
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
        states=STATES,
        parameters=PARAMETERS,
        inputs=(*driving_inputs(settings, clipped=clipped), acute_insulin(settings)),
        doses=(DoseChannel("glucose", "intravenous", "mmol/kg", glucose_gain),),
        outputs=(
            glucose_output(
                uses=lambda minutes: minutes >= max(mixing, 1e-9), cv=LogNormal(0.02, 0.5)
            ),
        ),
        derived=DERIVED,
        rhs=rhs,
        initial=initial,
        leading=("SI",),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        conventions=(
            "SI is per pmol/L of plasma insulin above basal and acts on fractional disposal (1/min)"
            "; multiply by V for a clearance.",
            basal_sentence(settings),
            f"Insulin below basal is {settings['insulin_action']}; samples before {mixing:g} min"
            " after the dose do not enter the likelihood.",
        ),
    )


minimal = declare(default_settings(OPTIONS))
