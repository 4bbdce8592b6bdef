"""Fat export: how much triglyceride the liver holds, and what share of it leaves in VLDL.

Secretion rises with liver fat and reaches a plateau: V_max L / (K_V + L), where L is the
triglyceride of the liver. Insulin closes the gate by the share sigma. Secretion itself comes from
the kinetics of VLDL, so what follows here is the V_max that secretion and fat imply together.

Assumes     secretion was measured in the state that ``insulin`` names; fat changes too slowly to
            notice during the test
Valid for   liver fat as a fraction of mass; a magnetic resonance signal fraction is close to it
"""

from collections.abc import Callable
from typing import Any

from hepaflux.parameter import Beta, Fixed, LogNormal, Parameter
from hepaflux.systems.lipogenesis import PER_DAY
from hepaflux.systems.system import Derived, Output

FABBRINI = "Fabbrini E et al. (2008) Gastroenterology 134:424"
SORENSEN = "Sørensen LP et al. (2011) Diabetes 60:2257"

CONTENT = (
    Parameter(
        "IHTG",
        unit="1",
        prior=Beta(1.5, 12.0),
        meaning="liver triglyceride as a fraction of liver mass",
        source=f"chosen here to cover 0.034 to 0.227, group means of {FABBRINI}",
        spread=0.8,
    ),
    Parameter(
        "K_V",
        unit="mmol",
        prior=LogNormal(90.0, 0.7),
        meaning="liver triglyceride that gives half the maximal secretion",
        source=f"follows from two group means of {FABBRINI}; the width is chosen here",
        spread=0.3,
    ),
    Parameter("lean_liver", "g", Fixed(1450.0), "mass of a liver without fat", "chosen here"),
    Parameter("TG_mass", "g/mmol", Fixed(0.86), "molar mass of triglyceride", "usual, 860 g/mol"),
)
"""Unknowns of liver fat. At 3.4 % and 22.7 % fat secretion was 11.4 and 24.3 umol/min."""

GATE = Parameter(
    "sigma",
    unit="1",
    prior=Beta(5.4, 4.6),
    meaning="suppression of secretion by high insulin, share of basal",
    source=f"{SORENSEN}: 0.54 (SD 0.10) lean, 0.36 (SD 0.18) obese; widened by choice",
    spread=0.5,
)


def triglyceride(p: Any) -> Any:
    """Return the triglyceride of the liver, mmol."""
    return p.IHTG / (1 - p.IHTG) * p.lean_liver / p.TG_mass


def fat_share(content: Any, p: Any) -> Any:
    """Return the triglyceride of the liver, given in mmol, as a fraction of liver mass."""
    return content * p.TG_mass / (p.lean_liver + content * p.TG_mass)


def saturation(content: Any, p: Any) -> Any:
    """Return secretion as a share of what it would be with unlimited liver fat.

    Parameters
    ----------
    content : mmol
        Triglyceride of the liver.
    """
    return content / (p.K_V + content)


def fat_output() -> Output:
    """Return measured liver fat."""
    return Output(
        "ihtg",
        "1",
        "liver triglyceride, fraction of liver mass",
        analyte="ihtg",
        value=lambda y, p, u: p.IHTG,
        cv=Fixed(0.10),
        floor=0.005,
        required=False,
    )


def fat_derived(total: Callable[[Any, Any], Any], *, gated: bool) -> tuple[Derived, ...]:
    """Return what follows from liver fat and secretion.

    Parameters
    ----------
    total : callable (p, u) -> umol/min
        Secretion of VLDL triglyceride.
    gated : bool
        Whether it was measured at high insulin, so that ``sigma`` has to be undone.
    """

    def largest(p: Any, u: Any) -> Any:
        gate = 1 - p.sigma if gated else 1.0
        return total(p, u) / saturation(triglyceride(p), p) / gate

    return (
        Derived("liver_TG", "mmol", "triglyceride of the liver", lambda p, u: triglyceride(p)),
        Derived(
            "export_saturation",
            "1",
            "secretion over what it would be with unlimited liver fat; rests on the prior of K_V",
            lambda p, u: saturation(triglyceride(p), p),
        ),
        Derived(
            "V_max",
            "umol/min",
            "secretion at basal insulin with unlimited liver fat; rests on the prior of K_V",
            largest,
        ),
        Derived(
            "export_per_day",
            "1/day",
            "liver triglyceride that leaves in VLDL, pools per day",
            lambda p, u: total(p, u) / 1000 / triglyceride(p) / PER_DAY,
        ),
    )
