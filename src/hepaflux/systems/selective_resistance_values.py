"""Values of the slow loop: its constants in health, and the drivers of each state."""

from collections.abc import Mapping
from types import MappingProxyType

from hepaflux.parameter import Beta, Fixed, LogNormal, Parameter, Prior
from hepaflux.systems.condition import Condition, Reported, reported
from hepaflux.systems.liver_fat_values import RIEGER
from hepaflux.systems.response import RIZZA
from hepaflux.systems.signaling_values import LI, TER_HORST

CHOSEN = "chosen here so that the whole answers as people do"
REFERENCES = (RIEGER, RIZZA, LI, TER_HORST)

NUMBERS: Mapping[str, tuple[float, str, str]] = MappingProxyType(
    {
        "FM": (1.0, "1", "fat mass, or what leaks from it, over that of health"),
        "w_A": (1.0, "1", "insulin sensitivity of fat over that of health"),
        "w_M": (1.0, "1", "insulin sensitivity of muscle over that of health"),
        "nutrition": (1.0, "1", "nutrients that drive lipogenesis over those of health"),
        "beta": (1.0, "1", "capacity of beta cells over that of health"),
        "lambda_L": (0.0, "1", "share of the lipogenic wire that feels inhibited IRS"),
        "e_F": (0.35, "1", "share of production that fatty acids drive"),
        "k_P": (5.5, "1", "load added by diacylglycerol, over that of health"),
        "k_C": (1.0, "1", "load added by inflammation"),
        "k_S": (0.15, "1", "load added by S6K1, as lipogenesis shows it"),
        "r0": (0.15, "1", "inhibited over other IRS in health"),
        "K_V": (52.0, "mmol", "liver triglyceride that gives half the highest secretion"),
        "L_0": (53.0, "mmol", "liver triglyceride in health"),
        "lean_liver": (1450.0, "g", "mass of a liver without fat"),
        "TG_mass": (0.86, "g/mmol", "molar mass of triglyceride"),
        "NEFA": (172.0, "mmol/day", "uptake of fatty acids in health"),
        "DNL": (9.7, "mmol/day", "fatty acids made in health"),
        "remnants": (4.0, "mmol/day", "triglyceride of remnants that the liver takes up"),
        "ox": (0.6402, "1", "share of entering fatty acids that is burned in health"),
        "e_ox": (0.1, "1", "exponent with which it falls as lipogenesis rises"),
        "sigma": (0.30, "1", "suppression of secretion at full insulin action"),
        "G_0": (5.0, "mmol/L", "glucose in health"),
        "I_0": (40.0, "pmol/L", "insulin in health"),
        "H_0": (11e-3, "mmol/kg/min", "production of glucose in health"),
        "VG": (0.188, "L/kg", "glucose volume"),
        "S_g": (0.55, "1", "share of uptake that needs no insulin"),
        "n_I": (2.6, "1", "exponent of insulin in glucose"),
        "e_M": (0.85, "1", "exponent of insulin in what muscle lacks of sensitivity"),
        "r_P": (2.5, "1", "insulin of the portal vein over that of plasma"),
        "K_h": (100.0, "pmol/L", "portal insulin that halves production"),
        "n_h": (2.2, "1", "its steepness"),
        "e_A": (0.3, "1", "exponent of insulin's wire in what fatty acids drive"),
        "rho": (0.15, "1", "share of lipolysis that insulin cannot stop"),
        "K_lip": (110.0, "pmol/L", "insulin that halves the rest of lipolysis"),
        "n_lip": (1.2, "1", "its steepness"),
        "K_S": (250.0, "pmol/L", "portal insulin that drives half of lipogenesis"),
        "n_S": (1.3, "1", "its steepness"),
        "e_L": (0.3, "1", "exponent of diacylglycerol in liver fat"),
        "tau_D": (2.0, "day", "time in which diacylglycerol follows"),
        "tau_W": (3.0, "day", "time in which the wire to glucose follows"),
        "tau_S": (0.5, "day", "time in which lipogenesis follows"),
        "tau_C": (30.0, "day", "time in which inflammation follows"),
        "from_L": (1.0, "1", "liver triglyceride at time 0 over that of health"),
        "from_D": (1.0, "1", "diacylglycerol at time 0 over that of health"),
        "from_W": (1.0, "1", "sensitivity of the wire to glucose at time 0"),
        "from_S": (1.0, "1", "drive of lipogenesis at time 0"),
        "from_C": (0.0, "1", "inflammation at time 0"),
        "from_G": (1.0, "1", "glucose at time 0 over that of health"),
    }
)
"""Value in health, unit and meaning of each parameter."""

CHECKED = {"FM", "w_A", "w_M", "nutrition", "beta", *(f"from_{x}" for x in "LDWSCG")}
"""What health is by definition; the others carry the mark of what nobody compared with a source."""

UNKNOWN: Mapping[str, tuple[Prior, float]] = MappingProxyType(
    {
        "FM": (LogNormal(1.0, 0.3), 0.2),
        "w_A": (LogNormal(1.0, 0.3), 0.2),
        "w_M": (LogNormal(1.0, 0.3), 0.2),
        "nutrition": (LogNormal(1.0, 0.2), 0.15),
        "lambda_L": (Beta(1.0, 1.0), 0.0),
    }
)
"""Prior and spread between people of what is unknown."""


def parameters() -> tuple[Parameter, ...]:
    """Return the parameters in health."""
    return tuple(_parameter(name) for name in NUMBERS)


def _parameter(name: str) -> Parameter:
    value, unit, meaning = NUMBERS[name]
    source = "definition of health" if name in CHECKED else f"{CHOSEN} (not verified)"
    prior, spread = UNKNOWN.get(name, (Fixed(value), 0.0))
    return Parameter(name, unit, prior, meaning, source, spread=spread)


def drivers(**values: float) -> dict[str, Reported]:
    """Return what drives a state, with a selective wire."""
    return reported({**values, "lambda_L": 0.0}, CHOSEN, verified=False)


FATTY = {
    **{"from_L": 4.615765, "from_D": 2.595923, "from_W": 0.4471746, "from_S": 2.669598},
    **{"from_C": 0.45, "from_G": 1.0668791},
}
"""Where the drivers of ``nafld`` lead; a test holds them against its course."""

NAFLD = {"FM": 1.45, "w_A": 0.60, "w_M": 0.50, "nutrition": 1.30}


def conditions() -> tuple[Condition, ...]:
    """Return the states of health, the reference first."""
    healthy = {name: value for name, (value, _, _) in NUMBERS.items()}
    return (
        Condition(
            "normal", "health, in which all rests", reported(healthy, CHOSEN, verified=False)
        ),
        Condition(
            "obese",
            "obesity, from time 0 on",
            drivers(FM=1.25, w_A=0.80, w_M=0.75, nutrition=1.10),
        ),
        Condition("nafld", "a fatty liver, from time 0 on", drivers(**NAFLD)),
        Condition(
            "t2d",
            "a fatty liver with beta cells that fail, from time 0 on",
            drivers(**{**NAFLD, "w_A": 0.55, "w_M": 0.45, "beta": 0.4}),
        ),
        Condition(
            "nafld_diet",
            "a diet from time 0 on, in a fatty liver; sensitivities become those of the obese",
            drivers(**{"FM": 1.0, "w_A": 0.80, "w_M": 0.75, "nutrition": 0.5}, **FATTY),
        ),
    )
