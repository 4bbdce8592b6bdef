"""Values of the balance of liver fat: parameters, states of health and treatments, with sources."""

from collections.abc import Mapping
from types import MappingProxyType

from hepaflux.parameter import Beta, Fixed, LogNormal, Parameter, Prior
from hepaflux.systems.condition import Condition, Reported, reported
from hepaflux.systems.fat_export import CONTENT, FABBRINI
from hepaflux.systems.flux import Arrow

RIEGER = "Rieger TR et al. (2022) Front Pharmacol 13:910789"
SMITH = "Smith GI et al. (2020) J Clin Invest 130:1453"
CHOSEN = "chosen here"
FLOW = "mmol/day"


def unsure(values: Mapping[str, float], source: str) -> dict[str, Reported]:
    """Return values that nobody compared with their source."""
    return reported(values, source, verified=False)


VALUES: Mapping[str, Reported] = MappingProxyType(
    reported({"NEFA": 171.69, "DNL": 9.67, "chylomicrons": 97.6}, RIEGER)
    | reported({"k_LPL": 16.8, "k_rem": 0.573, "V_p": 4.515}, RIEGER)
    | reported({"ox": 0.642, "e_ox": 0.1}, f"{RIEGER}: 124.1 of 193.3 mmol/day")
    | reported({"FA_0": 0.15, "k_lip": 0.279, "V_c": 0.496, "V_r": 0.159}, RIEGER)
    | unsure({"IHTG": 0.03}, f"{CHOSEN}: a healthy liver")
    | unsure({"K_V": 90.0}, f"follows from two group means of {FABBRINI}")
    | unsure({"sigma": 0.30, "a_usual": 0.5}, f"{CHOSEN}: mean of a day")
    | reported(
        {"NEFA_factor": 1.0, "DNL_factor": 1.0, "diet_factor": 1.0}, "definition of no treatment"
    )
    | reported({"TG_high": 1.7}, "usual bound of hypertriglyceridemia")
)

MEANING: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "NEFA": (FLOW, "fatty acids that the liver takes up from plasma, before time 0"),
        "DNL": (FLOW, "fatty acids that the liver makes, before time 0"),
        "chylomicrons": (FLOW, "triglyceride that chylomicrons bring, before time 0"),
        "ox": ("1", "share of entering fatty acids that is burned, before time 0"),
        "e_ox": ("1", "exponent with which it falls as lipogenesis rises"),
        "k_LPL": ("1/day", "clearance of plasma triglyceride by other tissue, pools per day"),
        "k_rem": ("1/day", "clearance of plasma triglyceride by the liver, pools per day"),
        "V_p": ("L", "volume of plasma in which triglyceride spreads"),
        "sigma": ("1", "suppression of secretion at full insulin action"),
        "a_usual": ("1", "usual insulin action"),
        "NEFA_factor": ("1", "uptake of fatty acids from time 0 on, over that before"),
        "DNL_factor": ("1", "lipogenesis from time 0 on, over that before"),
        "diet_factor": ("1", "chylomicrons from time 0 on, over those before"),
        "TG_high": ("mmol/L", "plasma triglyceride above which it is called high"),
        "FA_0": ("mmol/L", "fatty acids of the cytosol and of the reticulum, before time 0"),
        "k_lip": ("1/day", "lipolysis of the triglyceride of the cytosol"),
        "V_c": ("L", "volume of the cytosol"),
        "V_r": ("L", "volume of the endoplasmic reticulum"),
    }
)
"""Unit and meaning of each parameter, but for those of liver fat itself."""

CV: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"NEFA": (0.35, 0.25), "DNL": (0.6, 0.4), "k_LPL": (0.3, 0.25)}
)
"""Coefficient of variation of the prior, and the spread between people, of what is unknown. Images
of uptake scale by up to 2.5, so that of NEFA is wide; the others are chosen here."""

FIVE = ("FA_0", "k_lip", "V_c", "V_r")
"""Parameters of five pools alone."""


def parameters(*, five: bool) -> tuple[Parameter, ...]:
    """Return the parameters of a healthy person."""
    names = [name for name in MEANING if five or name not in FIVE]
    fat = {p.name: p for p in CONTENT}
    own = Parameter(
        "IHTG",
        unit="1",
        prior=Beta(1.5, 30.0),
        meaning="liver triglyceride as a fraction of liver mass, before time 0",
        source=f"{CHOSEN}: wide around a healthy liver",
        spread=0.5,
    )
    return (own, *(fat[n] for n in ("K_V", "lean_liver", "TG_mass")), *map(_parameter, names))


def _parameter(name: str) -> Parameter:
    (unit, meaning), value = MEANING[name], VALUES[name]
    source = value.source if value.verified else f"{value.source} (not verified)"
    prior: Prior = Fixed(value.value)
    spread = 0.0
    if name in CV:
        width, spread = CV[name]
        prior = LogNormal(value.value, width)
    return Parameter(name, unit, prior, meaning, source, spread=spread)


NAFLD = unsure(
    {"IHTG": 0.18, "NEFA": 228.0, "DNL": 30.0},
    f"{CHOSEN}: uptake 1.3 times, as the appearance of palmitate in {FABBRINI}; newly made share"
    f" near that of {SMITH}",
)


ACIDS, FAT, PLASMA_FAT = "fatty acids of the liver", "liver fat", "plasma triglyceride"
ARROWS = {
    "NEFA_uptake": Arrow("plasma fatty acids", ACIDS),
    "lipogenesis_rate": Arrow("lipogenesis", ACIDS),
    "oxidation": Arrow(ACIDS, "burned"),
    "storage": Arrow(ACIDS, FAT, counts=3),
    "secretion_rate": Arrow(FAT, PLASMA_FAT, counts=3),
    "remnant_uptake": Arrow(PLASMA_FAT, ACIDS, counts=3),
}
"""By flux from where it comes to where it goes; a diagram counts fatty acids."""

LESS_ACIDS = reported({"NEFA_factor": 0.725}, f"{RIEGER}: pioglitazone")
DIET = reported({"NEFA_factor": 0.89, "DNL_factor": 0.448, "diet_factor": 0.8}, RIEGER)
BOTH = unsure({"NEFA_factor": 0.725 * 0.89}, f"{CHOSEN}: as if each did what it does alone")


def treatments() -> tuple[Condition, ...]:
    """Return what can be done from time 0 on; the first is nothing."""
    nothing = {name: VALUES[name] for name in ("NEFA_factor", "DNL_factor", "diet_factor")}
    lipogenesis = reported({"DNL_factor": 0.448}, f"{RIEGER}: what the diet does to lipogenesis")
    return (
        Condition("none", "nothing changes", nothing),
        Condition("pioglitazone", "less fatty acids reach the liver", nothing | LESS_ACIDS),
        Condition("diet", "less of all that feeds the liver, as on a diet", nothing | DIET),
        Condition("less_lipogenesis", "half of lipogenesis is inhibited", nothing | lipogenesis),
        Condition("both", "the diet and pioglitazone", nothing | DIET | BOTH),
    )


def conditions() -> tuple[Condition, ...]:
    """Return the states of health and treatments, the reference first."""
    return (
        Condition("normal", "a healthy liver", VALUES),
        Condition(
            "obese",
            "obesity without a fatty liver",
            unsure({"IHTG": 0.045, "NEFA": 200.0, "DNL": 14.0}, f"{CHOSEN}, newly made: {SMITH}"),
        ),
        Condition("nafld", "a fatty liver", NAFLD),
        Condition(
            "nafld_pioglitazone",
            "a fatty liver, with less fatty acids from time 0 on",
            NAFLD | LESS_ACIDS,
        ),
        Condition(
            "nafld_diet",
            "a fatty liver, on a diet from time 0 on",
            NAFLD | DIET,
        ),
        Condition(
            "published",
            "the liver of the published five pools",
            reported({"IHTG": 0.02214, "K_V": 26.7 * 0.655}, f"{RIEGER}: 58.3 and 26.7 mmol/L"),
            settings={"pools": "five"},
        ),
    )
