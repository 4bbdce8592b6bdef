"""Response: production, disposal and lipolysis as functions of the insulin that acts on them.

Insulin is an absolute concentration, not a rise above basal: who has a high basal insulin is partly
suppressed before any test. Each response has a half-maximal insulin ``K``, a steepness ``n`` and a
delay ``p2``, with the letter E (endogenous production), R (disposal) or L (lipolysis).
"""

from typing import Any

from hepaflux.parameter import Beta, Fixed, LogNormal, Parameter

RIZZA = "Rizza RA et al. (1981) Am J Physiol 240:E630"
CONTE = "Conte C et al. (2012) Diabetes Care 35:1316"
FASTING = "Nuttall FQ et al. (2008) Diabetes Metab Res Rev 24:438 (2.0 mg/kg/min)"
DENTI = "p2 of intravenous tests: Denti P et al. (2010) Am J Physiol Endocrinol Metab 298:E950"
NURJHAN = "values of the class of Nurjhan (1986) and Jensen (1989), not checked"
KARPE = "Karpe F et al. (2011) Diabetes 60:2441 (half-life 2 to 4 min), in plasma volume"
CHOSEN = "chosen here"

HEALTHY_INSULIN = 50.0
"""Basal insulin of healthy people, pmol/L; only centers the prior of K_E on portal insulin."""


def remaining(insulin: Any, half: Any, n: Any) -> Any:
    """Return what insulin leaves of a process that it suppresses, 1 / (1 + (I / K)^n)."""
    return 1 / (1 + (insulin / half) ** n)


def half_maximal(p: Any, u: Any, letter: str, *, excess: float = 0.0) -> Any:
    """Return the peripheral insulin at which a response is halfway from basal to its limit.

    With r = (Ib / K)^n it is K (1 + 2 r)^(1/n), for a falling and for a rising response alike.

    Parameters
    ----------
    letter : str
        Of the response: E, R or L.
    excess : float
        What the responding tissue sees above peripheral insulin, in units of basal insulin.
    """
    half, n = getattr(p, f"K_{letter}"), getattr(p, f"n_{letter}")
    seen = (1 + excess) * u.basal_insulin
    return half * (1 + 2 * (seen / half) ** n) ** (1 / n) - excess * u.basal_insulin


def production_parameters(portal_factor: float) -> tuple[Parameter, ...]:
    """Return the unknowns of endogenous glucose production.

    Parameters
    ----------
    portal_factor : float
        How many times the peripheral insulin the liver sees at basal.
    """
    half = LogNormal(174.0 + (portal_factor - 1) * HEALTHY_INSULIN, 0.3)
    return (
        Parameter(
            "EGP_b",
            unit="mmol/kg/min",
            prior=LogNormal(0.0111, 0.13),
            meaning="endogenous glucose production at basal insulin",
            source=FASTING,
            spread=0.13,
        ),
        _half("E", half, "insulin that halves production", source=f"{RIZZA} (29 uU/mL)"),
        _steepness("E", LogNormal(2.2, 0.25), "production", source=f"{RIZZA} (86 % at 60 uU/mL)"),
        _delay("E", LogNormal(0.03, 0.5), "production", source=CHOSEN),
    )


def disposal_parameters() -> tuple[Parameter, ...]:
    """Return the unknowns of glucose disposal, and the glucose at which it is stated."""
    half = "insulin that half-maximally stimulates disposal"
    return (
        Parameter(
            "Rmax",
            unit="mmol/kg/min",
            prior=LogNormal(0.048, 0.3),
            meaning="insulin-dependent disposal at maximal insulin and glucose G_ref",
            source=f"{RIZZA} (10 to 11 mg/kg/min less basal disposal); width: chosen here",
            spread=0.3,
        ),
        _half("R", LogNormal(330.0, 0.3), half, source=f"{RIZZA} (55 uU/mL)"),
        _steepness("R", LogNormal(2.0, 0.25), "disposal", source=CHOSEN),
        _delay("R", LogNormal(0.025, 0.4), "disposal", source=DENTI),
        Parameter(
            "G_ref", "mmol/L", Fixed(5.0), "glucose at which disposal is stated", "a convention"
        ),
    )


def lipolysis_parameters() -> tuple[Parameter, ...]:
    """Return the unknowns of free fatty acids."""
    half = "insulin that halves the suppressible part of lipolysis"
    return (
        Parameter(
            "FFA_b",
            unit="mmol/L",
            prior=LogNormal(0.5, 0.4),
            meaning="free fatty acids at basal insulin",
            source=CHOSEN,
            spread=0.3,
        ),
        _half("L", LogNormal(80.0, 0.5), half, source=NURJHAN),
        _steepness("L", LogNormal(1.5, 0.3), "lipolysis", source=CHOSEN),
        _delay("L", LogNormal(0.06, 0.5), "lipolysis", source=CHOSEN),
        Parameter(
            "rho",
            unit="1",
            prior=Beta(4, 16),
            meaning="share of lipolysis at zero insulin that no insulin suppresses",
            source=f"{CONTE} (suppression of 79 % at high insulin); width: chosen here",
        ),
        Parameter(
            "FFA_clearance",
            unit="L/kg/min",
            prior=Fixed(0.01),
            meaning="clearance of free fatty acids; scales RaFFA, which no concentration tells",
            source=KARPE,
        ),
        Parameter(
            "V_FFA",
            unit="L/kg",
            prior=Fixed(0.045),
            meaning="distribution volume of free fatty acids",
            source="plasma volume",
        ),
    )


def _half(letter: str, prior: LogNormal, meaning: str, *, source: str) -> Parameter:
    return Parameter(f"K_{letter}", "pmol/L", prior, meaning, source, spread=prior.cv)


def _steepness(letter: str, prior: LogNormal, of: str, *, source: str) -> Parameter:
    meaning = f"steepness of the response of {of} to insulin"
    return Parameter(f"n_{letter}", "1", prior, meaning, source)


def _delay(letter: str, prior: LogNormal, of: str, *, source: str) -> Parameter:
    meaning = f"rate of the remote insulin compartment that acts on {of}"
    return Parameter(f"p2_{letter}", "1/min", prior, meaning, source)
