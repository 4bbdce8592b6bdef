"""VLDL secretion: unknowns of the kinetics of VLDL triglyceride, with sources of their priors."""

from hepaflux.parameter import Beta, LogNormal, Parameter
from hepaflux.systems.fat_export import CONTENT, GATE
from hepaflux.systems.lipogenesis import AARSLAND, NEWLY_MADE, PER_DAY
from hepaflux.systems.option import Settings

KOUTSARI = "Koutsari C et al. (2013) Diabetes 62:2386"
CHOSEN = "chosen here"
UNVERIFIED = "chosen here; published figures of subfractions are not checked"

DRIVEN = {
    "glycerol": Parameter(
        "f_precursor",
        "1",
        Beta(2.0, 2.0),
        "share of the glycerol in secreted triglyceride that comes from plasma glycerol",
        CHOSEN,
        0.4,
    ),
    "palmitate": Parameter(
        "f_precursor",
        "1",
        Beta(6.0, 2.5),
        "share of the palmitate in secreted triglyceride that comes from plasma palmitate",
        f"{KOUTSARI}: 0.65 to 0.95 of fatty acids, from earlier work; the shape is a choice",
        0.4,
    ),
}
"""What the measured enrichment of the precursor is diluted by, by tracer."""

DOSED = {
    "glycerol": (Beta(1.5, 20.0), "chosen here"),
    "palmitate": (Beta(3.5, 46.5), f"{KOUTSARI}: 0.07 of systemic fatty acids; widened by choice"),
}
"""Prior and source of the share of a dose that comes out in VLDL, by tracer."""


def dosed_parameters(tracer: str) -> tuple[Parameter, ...]:
    """Return the unknowns of a tracer that is followed from its dose."""
    prior, source = DOSED[tracer]
    meaning = "share of the tracer that is secreted in VLDL triglyceride"
    clearance = Parameter(
        "k_precursor",
        unit="1/min",
        prior=LogNormal(0.15, 0.4),
        meaning=f"fractional rate at which {tracer} leaves plasma",
        source="chosen here: a half-life of minutes",
        spread=0.2,
    )
    share = Parameter(
        "palmitate_share",
        unit="1",
        prior=Beta(27.0, 73.0),
        meaning="palmitate among the fatty acids of VLDL triglyceride",
        source="chosen here: about 0.25 to 0.30, not checked",
    )
    incorporated = Parameter("incorporation", "1", prior, meaning, source, spread=0.4)
    return (incorporated, clearance, *((share,) if tracer == "palmitate" else ()))


TURNOVER = {
    "one": (
        Parameter(
            "k",
            "1/min",
            LogNormal(8.0 * PER_DAY, 0.5),
            "fractional catabolic rate of VLDL triglyceride",
            f"{AARSLAND}: 9.2 (SD 3.8) pools per day fasted, 2.1 overfed; widened by choice",
            0.4,
        ),
    ),
    "two": (
        Parameter(
            "k1",
            "1/min",
            LogNormal(15.0 * PER_DAY, 0.5),
            "fractional rate at which triglyceride leaves VLDL1",
            UNVERIFIED,
            0.4,
        ),
        Parameter(
            "k2",
            "1/min",
            LogNormal(6.0 * PER_DAY, 0.5),
            "fractional rate at which triglyceride leaves VLDL2",
            UNVERIFIED,
            0.4,
        ),
        Parameter(
            "conversion", "1", Beta(2, 3), "share of VLDL1 that becomes VLDL2", UNVERIFIED, 0.5
        ),
        Parameter("direct", "1", Beta(2, 6), "share of secretion that is VLDL2", UNVERIFIED, 0.5),
    ),
}
"""Rates by number of pools."""

SIZE = (
    Parameter(
        "delay",
        "min",
        LogNormal(22.0, 0.3),
        "mean time from plasma precursor to secretion",
        "chosen here: 15 to 30 min, not checked",
        0.2,
    ),
    Parameter(
        "VLDL_TG",
        "mmol/L",
        LogNormal(0.4, 0.9),
        "triglyceride in all VLDL of plasma",
        f"chosen here; {AARSLAND}: secretion over clearance is 0.2 fasted, 2.7 overfed",
        0.5,
    ),
    Parameter(
        "V",
        "L/kg",
        LogNormal(0.042, 0.12),
        "volume of VLDL, that of plasma",
        f"{AARSLAND}: clearance over turnover is 0.038 and 0.043",
        0.1,
    ),
)

NEWLY_MADE_SHARE = Parameter(
    "f_DNL",
    unit="1",
    prior=NEWLY_MADE["any"][0],
    meaning="newly made share of the fatty acids of VLDL triglyceride",
    source=NEWLY_MADE["any"][1],
    spread=0.6,
)


def parameters(settings: Settings) -> tuple[Parameter, ...]:
    """Return the unknowns under given settings."""
    tracer, modeled = settings["tracer"], settings["precursor"] == "modeled"
    fat = settings["liver_fat"] != "no"
    return (
        *TURNOVER[settings["pools"]],
        *SIZE,
        *(dosed_parameters(tracer) if modeled else (DRIVEN[tracer],)),
        *((NEWLY_MADE_SHARE,) if settings["lipogenesis"] != "no" else ()),
        *(CONTENT if fat else ()),
        *((GATE,) if fat and settings["insulin"] == "high" else ()),
    )
