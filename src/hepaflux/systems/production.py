"""Production: how the liver's release of glucose answers glucose and insulin, in three forms.

``rate``        falls with glucose, with its rate of rise and with delayed insulin (Dalla Man 2013);
                cannot become negative
``difference``  what makes the whole of a labeled test an unlabeled minimal model: the hepatic part
                of its glucose effectiveness and insulin sensitivity acts on production; may become
                negative, which is an artifact of that model
``free``        any positive course, linear in its logarithm between knots
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hepaflux.parameter import Beta, Independent, LogNormal, Normal, Parameter
from hepaflux.systems.labeled_pool import DISPOSAL, basal_production
from hepaflux.systems.smooth import exponential, logistic, softplus
from hepaflux.systems.system import Derived, State

DALLA_MAN_2006 = (
    "Dalla Man C et al. (2006) A model of glucose production during a meal."
    " Conf Proc IEEE Eng Med Biol Soc"
)
DALLA_MAN_2013 = "Dalla Man C et al. (2013) Am J Physiol Endocrinol Metab, PMID 23443923"
HOVORKA = "Hovorka R et al. (2002) Am J Physiol Endocrinol Metab 282:E992"
INTEGRATED = "Diabetes Technol Ther (2009), doi:10.1089/dia.2009.0011"
CHOSEN = "chosen here; the published models state none"
SI_SHARE = f"a third ({INTEGRATED}), 41 % ({DALLA_MAN_2006}), a half ({HOVORKA}); width: chosen"
SG_SHARE = f"36 % ({DALLA_MAN_2006}); prior: chosen, as for insulin sensitivity"

BASAL_STEEPNESS = 0.02
"""Width of the bend at zero production, as a share of basal production."""

SLOW_RISE = 0.02
"""Rise of glucose, as a share of that by basal production alone, that counts as none."""


@dataclass(frozen=True, eq=False)
class Production:
    """One form of endogenous glucose production (EGP).

    Attributes
    ----------
    equation : str
        How production follows, in the manner of ``System.equations``.
    parameters, states, derived
        What it adds to a system, disposal included.
    egp : callable (y, p, u, glucose, drift) -> mmol/kg/min
        ``drift`` is the rate of change of all glucose without production, mmol/L/min.
    rates : callable (y, p, u) -> dict of str to rate of change
        Of its own states.
    leading : tuple of str
        The parameters that a fit is made for.
    disposal : callable (p) -> p
        Adds the fields ``SI_D`` and ``SG_D`` where they are not parameters.
    """

    equation: str
    parameters: tuple[Parameter, ...]
    states: tuple[State, ...]
    derived: tuple[Derived, ...]
    egp: Callable[[Any, Any, Any, Any, Any], Any]
    rates: Callable[[Any, Any, Any], dict[str, Any]]
    leading: tuple[str, ...] = ("SI_D",)
    disposal: Callable[[Any], Any] = lambda p: p


HEPATIC = (
    Parameter(
        "SI_L",
        unit="L/kg/min/(pmol/L)",
        prior=LogNormal(9.0e-6, 0.9),
        meaning="hepatic insulin sensitivity: fall of production per insulin and basal glucose",
        source=f"{DALLA_MAN_2013}; width: chosen",
        spread=0.6,
        fades_at=4.5e-6,  # half the prior's median: production there hardly heeds insulin
    ),
    Parameter(
        "GE_L",
        unit="L/kg/min",
        prior=LogNormal(1.3e-3, 0.5),
        meaning="hepatic glucose effectiveness: fall of production per glucose",
        source=f"{DALLA_MAN_2006}; width: chosen",
        spread=0.3,
    ),
    Parameter(
        "k_GR",
        unit="L/kg",
        prior=LogNormal(0.015, 0.8),
        meaning="fall of production per rate of rise of glucose",
        source=CHOSEN,
    ),
    Parameter(
        "k_L",
        unit="1/min",
        prior=LogNormal(0.03, 0.5),
        meaning="rate of each of the two delays of insulin's action on the liver",
        source=CHOSEN,
        spread=0.2,
    ),
)


def by_rate(insulin: str = "insulin_above_basal") -> Production:
    """Return the form in which production follows glucose, its rise, and delayed insulin.

    Parameters
    ----------
    insulin : str
        Name of the input that acts on production.
    """

    def egp(y: Any, p: Any, u: Any, glucose: Any, drift: Any) -> Any:
        basal = basal_production(p, u)
        wanted = basal - p.GE_L * (glucose - u.basal_glucose) - y.hepatic_action
        # Production depends on the rate of rise, which depends on production: solved for both.
        rise = drift + wanted / p.V
        rising = rise * logistic(rise * p.V / (SLOW_RISE * basal))
        return softplus(wanted - p.k_GR / (1 + p.k_GR / p.V) * rising, BASAL_STEEPNESS * basal)

    def rates(y: Any, p: Any, u: Any) -> dict[str, Any]:
        wanted = p.SI_L * u.basal_glucose * getattr(u, insulin)
        return {
            "hepatic_delay": p.k_L * (wanted - y.hepatic_delay),
            "hepatic_action": p.k_L * (y.hepatic_delay - y.hepatic_action),
        }

    derived = (
        Derived(
            "SI_clearance",
            "L/kg/min/(pmol/L)",
            "net insulin sensitivity as a clearance, SI_D V + SI_L",
            lambda p, u: p.SI_D * p.V + p.SI_L,
        ),
        Derived(
            "SI_hepatic_share",
            "1",
            "hepatic share of net insulin sensitivity",
            lambda p, u: p.SI_L / (p.SI_D * p.V + p.SI_L),
        ),
    )
    delays = tuple(
        State(name, "mmol/kg/min", f"insulin action on the liver, {which} delay", scale=0.01)
        for name, which in (("hepatic_delay", "first"), ("hepatic_action", "second"))
    )
    equation = (
        "EGP = EGP_b - GE_L (G - Gb) - k_GR (dG/dt)+ - XL,   XL two delays k_L behind"
        " SI_L Gb (I - Ib),   EGP >= 0"
    )
    return Production(
        equation, (*DISPOSAL, *HEPATIC), delays, derived, egp, rates, ("SI_D", "SI_L", "GE_L")
    )


def _nothing(y: Any, p: Any, u: Any) -> dict[str, Any]:
    """Return the rates of a form without states."""
    del y, p, u
    return {}


NET = (
    Parameter(
        "SI",
        unit="L/pmol/min",
        prior=LogNormal(1.2e-4, 1.0),
        meaning="net insulin sensitivity (that of the unlabeled oral minimal model)",
        source="as for the unlabeled oral minimal model",
        spread=0.7,
    ),
    Parameter(
        "SG",
        unit="1/min",
        prior=LogNormal(0.025, 0.25),
        meaning="net glucose effectiveness (that of the unlabeled oral minimal model)",
        source="as for the unlabeled oral minimal model",
        spread=0.25,
    ),
    Parameter(
        "SI_hepatic_share",
        unit="1",
        prior=Beta(4, 6),
        meaning="hepatic share of net insulin sensitivity",
        source=SI_SHARE,
        spread=0.5,
    ),
    Parameter(
        "SG_hepatic_share",
        unit="1",
        prior=Beta(4, 6),
        meaning="hepatic share of net glucose effectiveness",
        source=SG_SHARE,
        spread=0.3,
    ),
)


class _WithDisposal:
    """Parameters of the difference form, with the part of each that is disposal."""

    def __init__(self, p: Any):
        self._p = p

    def __getattr__(self, name: str) -> Any:
        """Return a parameter, or the disposal part of a net one."""
        if name == "SI_D":
            return self._p.SI * (1 - self._p.SI_hepatic_share)
        if name == "SG_D":
            return self._p.SG * (1 - self._p.SG_hepatic_share)
        return getattr(self._p, name)


def by_difference() -> Production:
    """Return the form that makes the whole an unlabeled oral minimal model."""

    def egp(y: Any, p: Any, u: Any, glucose: Any, drift: Any) -> Any:
        del drift
        hepatic = y.action * p.SI_hepatic_share / (1 - p.SI_hepatic_share)
        return p.V * (p.SG * u.basal_glucose - (p.SG - p.SG_D + hepatic) * glucose)

    derived = (
        Derived(
            "SI_D",
            "L/pmol/min",
            "insulin sensitivity of disposal",
            lambda p, u: _WithDisposal(p).SI_D,
        ),
        Derived(
            "SI_L",
            "L/kg/min/(pmol/L)",
            "hepatic insulin sensitivity as a clearance",
            lambda p, u: p.SI * p.SI_hepatic_share * p.V,
        ),
        Derived(
            "SI_clearance",
            "L/kg/min/(pmol/L)",
            "net insulin sensitivity as a clearance",
            lambda p, u: p.SI * p.V,
        ),
    )
    equation = (
        "EGP = V (SG Gb - (SG - SG_D + X_L) G),   X_L = X SI_hepatic_share / (1 -"
        " SI_hepatic_share),   SI_D = SI (1 - SI_hepatic_share),   SG_D = SG (1 - SG_hepatic_share)"
    )
    return Production(
        equation, NET, (), derived, egp, _nothing, ("SI", "SI_hepatic_share"), _WithDisposal
    )


def freely(n_knots: int) -> Production:
    """Return the form without a law: the logarithm is linear between knots.

    Parameters
    ----------
    n_knots : int
        Knots after the first, at which production is basal.
    """
    steps = Parameter(
        "EGP_steps",
        unit="1",
        prior=Independent(Normal(0.0, 0.5), n_knots),
        meaning="change of the logarithm of production from knot to knot",
        source=CHOSEN,
        axis="egp_knot",
    )

    def egp(y: Any, p: Any, u: Any, glucose: Any, drift: Any) -> Any:
        del y, glucose, drift
        level, course = 0.0, 0.0
        for step, hat in zip(p.EGP_steps, u.egp_hat, strict=True):
            level = level + step
            course = course + level * hat
        return basal_production(p, u) * exponential(course)

    equation = "log(EGP / EGP_b) linear between knots, sum of EGP_steps up to each"
    return Production(equation, (*DISPOSAL, steps), (), (), egp, _nothing)
