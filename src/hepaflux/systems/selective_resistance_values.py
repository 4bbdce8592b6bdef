"""Values of the slow loop: what differs from its parts, what is unknown, its states of health."""

from collections.abc import Mapping
from types import MappingProxyType

from hepaflux.parameter import Beta, LogNormal, Prior
from hepaflux.systems.condition import Condition, Reported, reported
from hepaflux.systems.fat_tissue import DEFINED
from hepaflux.systems.signaling_values import TEXTBOOK

CHOSEN = "chosen here so that the whole answers as people do"
EXTREMES = f"{TEXTBOOK}, newly made fat 45 % of what is exported; it calls these extremes"

OWN: Mapping[str, Reported] = MappingProxyType(
    reported({"K_c": 5.0, "K_V": 52.0, "lambda_L": 0.0, "lambda_M": 0.0}, CHOSEN, verified=False)
    | reported({"IHTG": 0.03}, f"{CHOSEN}: a healthy liver", verified=False)
)
"""Values in which the loop differs from its parts. With the competition by inhibited IRS that
signaling assumes by itself (K_c = 0.5) production times insulin would rise above fourfold in a
fatty liver; two- to threefold is what people show."""

DRIVERS: Mapping[str, tuple[Prior, float]] = MappingProxyType(
    {
        "FM": (LogNormal(1.0, 0.3), 0.2),
        "w_A": (LogNormal(1.0, 0.3), 0.2),
        "w_M": (LogNormal(1.0, 0.3), 0.2),
        "nutrients": (LogNormal(1.0, 0.2), 0.15),
        "lambda_L": (Beta(1.0, 1.0), 0.0),
    }
)
GAINS: Mapping[str, tuple[Prior, float]] = MappingProxyType(
    {
        "e_F": (Beta(7.0, 13.0), 0.3),
        "g_PKC": (LogNormal(30.0, 0.5), 0.3),
        "K_V": (LogNormal(52.0, 0.5), 0.3),
    }
)
UNKNOWN: Mapping[str, Mapping[str, tuple[Prior, float]]] = MappingProxyType(
    {"drivers": DRIVERS, "gains": GAINS, "all": MappingProxyType({**DRIVERS, **GAINS})}
)
"""Prior and spread between people of what is unknown, by what is asked; chosen here."""

LEADING = {"drivers": ("FM", "w_A", "lambda_L"), "gains": tuple(GAINS), "all": ("FM", *GAINS)}
"""What a fit is made for, by what is asked."""


def drivers(values: Mapping[str, float], source: str = CHOSEN) -> dict[str, Reported]:
    """Return what drives a state, with a selective wire."""
    selective = reported({"lambda_L": 0.0}, CHOSEN, verified=False)
    return reported(values, source, verified=False) | selective


HEALTHY = dict.fromkeys(("FM", "w_A", "w_M", "nutrients", "beta"), 1.0)
NAFLD = {"FM": 1.45, "w_A": 0.60, "w_M": 0.50, "nutrients": 1.30}

FATTY: Mapping[str, float] = MappingProxyType(
    {
        **{"able": 0.3252177, "inhibited": 5.498549, "SREBP": 3.116019, "C": 1.449944},
        **{"G": 1.149082, "DAG": 2.352349, "L": 3.376314},
    }
)
"""Where the drivers of ``nafld`` lead; a test holds them against its course."""

EXTREME = {"FM": 1.3513698, "nutrients": 2.2487182, "w_A": 0.50, "w_M": 0.45}
"""Drivers under which the loop rests at all three of the textbook's extremes; a test solves for the
first two."""


OBESE = {"FM": 1.25, "w_A": 0.80, "w_M": 0.75, "nutrients": 1.10}
DIABETIC = {**NAFLD, "w_A": 0.55, "w_M": 0.45, "beta": 0.4}
DIET = {"FM": 1.0, "w_A": 0.80, "w_M": 0.75, "nutrients": 0.5}
"""A diet, on which sensitivities become those of the obese."""


def conditions() -> tuple[Condition, ...]:
    """Return the states of health, the reference first."""
    fatty = {f"from_{name}": value for name, value in FATTY.items()}
    return (
        Condition("normal", "health, in which all rests", reported(HEALTHY, DEFINED) | drivers({})),
        Condition("obese", "obesity, from time 0 on", drivers(OBESE)),
        Condition("nafld", "a fatty liver, from time 0 on", drivers(NAFLD)),
        Condition(
            "t2d", "a fatty liver with beta cells that fail, from time 0 on", drivers(DIABETIC)
        ),
        Condition(
            "nafld_diet",
            "a diet from time 0 on, in a fatty liver; sensitivities become those of the obese",
            drivers(DIET) | reported(fatty, "where the drivers of nafld lead", verified=False),
            settings={"form": "quasi-steady", "pools": "one"},
        ),
        Condition(
            "textbook",
            "the extremes of the textbook's account, from time 0 on; not what people show",
            drivers(EXTREME, f"solved for the {EXTREMES}"),
        ),
    )
