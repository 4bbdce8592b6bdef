"""Values of the fasting system in health: its parameters, and where each number is from.

Rates that papers state per hour are converted here. What was recalled, or chosen so that the whole
answers as people do, is not verified and carries that mark wherever it is shown.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hepaflux.parameter import Beta, Fixed, LogNormal, Normal, Parameter, Prior, centered
from hepaflux.systems.condition import Reported, reported
from hepaflux.systems.dalla_man import TABLE_I
from hepaflux.systems.response import RIZZA

KONIG = "code of König M, Bulik S, Holzhütter HG (2012) PLoS Comput Biol 8:e1002577"
ROTHMAN = "Rothman DL et al. (1991) Science 254:573"
MAGNUSSON = "Magnusson I et al. (1992) J Clin Invest 90:1323"
NUTTALL = "Nuttall FQ, Ngo A, Gannon MC (2008) Diabetes Metab Res Rev 24:438"
KRSSAK = "Krssak M et al. (2004) Diabetes 53:3048"
STUMVOLL = "Stumvoll M et al. (1997) Diabetologia 40:749"
GLUCAGON = "glucagon at 3 ng/kg/min (J Clin Endocrinol Metab 1979)"
CHOSEN = "chosen here"
RECALLED = "usual value, not compared with a source"
DEFINED = "definition of health"

HOUR = 60.0
"""Minutes in an hour."""


def unsure(values: Mapping[str, float], source: str) -> dict[str, Reported]:
    """Return values that nobody compared with their source."""
    return reported(values, source, verified=False)


HEALTHY: Mapping[str, Reported] = MappingProxyType(
    reported(
        {
            **{"I_max": 818.9, "I_half": 8.6, "I_n": 4.2},
            **{"Gn_max": 190.0, "Gn_min": 37.9, "Gn_half": 3.01, "Gn_n": 6.4, "Gn_rest": 37.9},
            **{"E_max": 6090.0, "E_min": 100.0, "E_half": 3.10, "E_n": 8.4, "E_rest": 100.0},
            **{"K_i": 81.9, "K_g": 15.2, "K_e": 599.0, "eps_e": 0.8, "Gn_usual": 43.6},
            **{"Gly_full": 500.0, "K_GK": 7.5, "n_GK": 1.6, "K_G6P": 2.0},
        },
        KONIG,
    )
    | reported({"I_floor": 0.0, "E_added": 0.0, "G_usual": 5.0}, DEFINED)
    | reported({"beta_cells": 1.0, "alpha_cells": 1.0, "g6pase": 1.0}, DEFINED)
    | reported({"VG": 0.188, "Fcns": 5.55e-3, "f": 0.9}, TABLE_I)
    | reported({"CL_renal": 0.94e-3, "G_renal": 10.0}, TABLE_I)
    | reported({"K_E": 174.0, "n_E": 2.2, "K_R": 330.0, "CL_I": 10.5e-3}, RIZZA)
    | reported({"Gly_4h": 390.0}, f"means of {ROTHMAN}, read off its figure")
    | reported({"k_gly": 0.047 / HOUR}, f"fits to {ROTHMAN} and {MAGNUSSON}")
    | unsure(
        {"GNG_4h": 4.7e-3, "GNG_rise": 1.4, "tau_N": 24 * HOUR},
        f"{CHOSEN}: with fatty acids it gives the means of {NUTTALL} at 12 to 60 h",
    )
    | unsure(
        {"renal_share": 0.4},
        f"{STUMVOLL}: a quarter of production; contested, others find nearly none",
    )
    | unsure({"waning": 0.7, "tau_c": 25.0}, f"{CHOSEN}: near the course under {GLUCAGON}")
    | unsure({"k_gs": 3.0, "V_GK": 0.35}, f"{CHOSEN}: near net synthesis after meals, {KRSSAK}")
    | unsure(
        {"leak": 0.06, "sites": 4.0, "k_over": 0.03, "e_F": 0.5, "e_P": 0.3, "e_GK": 2.0}, CHOSEN
    )
    | unsure({"V_G6P": 5.0}, f"{CHOSEN}: 0.25 mmol/L of G6P after an overnight fast")
    | unsure({"CL": 0.55e-3}, f"{CHOSEN}: uptake equals production after an overnight fast")
    | unsure({"alpha2": 0.6, "unopposed": 0.35, "K_c": 2.0, "kabs": 0.025, "G_0": 5.0}, CHOSEN)
    | unsure({"phosphorylation_usual": 0.51, "lipolysis_usual": 0.65}, f"{CHOSEN}: fasting")
    | unsure({"V_L": 1.5 / 70, "Q_P": 0.6 / 70, "n_R": 2.0}, RECALLED)
    | unsure({"CL_insulin": 0.015, "CL_glucagon": 0.009}, RECALLED)
    | unsure({"K_L": 80.0, "n_L": 1.5, "rho": 0.2}, RECALLED)
)
"""Every parameter of a healthy person, but for what the switch takes in time."""

DELAYS = unsure({"tau_cAMP": 2.0, "tau_PKA": 3.0}, f"{RECALLED}; a few minutes")
"""How fast the switch is where it takes time."""

FLOW = "mmol/kg/min"

MEANING: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "k_gly": ("1/min", "breakdown of liver glycogen after an overnight fast"),
        "Gly_4h": ("mmol/L", "liver glycogen 4 h after a meal"),
        "GNG_4h": (FLOW, "gluconeogenesis of liver and kidney 4 h after a meal"),
        "GNG_rise": ("1", "factor by which its capacity would rise without insulin"),
        "tau_N": ("min", "time in which its capacity rises"),
        "CL": ("L/kg/min", "clearance of glucose by tissue without insulin"),
        "G_0": ("mmol/L", "glucose when the test begins"),
        "renal_share": ("1", "share of gluconeogenesis that the kidney does"),
        "I_max": ("pmol/L", "insulin at the highest glucose"),
        "I_half": ("mmol/L", "glucose at half the highest insulin"),
        "I_n": ("1", "steepness of insulin"),
        "I_floor": ("pmol/L", "insulin that is secreted whatever glucose is"),
        "beta_cells": ("1", "share of the beta cells that works"),
        "alpha2": ("1", "share of secretion that epinephrine can hold back"),
        "CL_insulin": ("L/kg/min", "clearance of infused insulin"),
        "Gn_max": ("pmol/L", "glucagon at the lowest glucose"),
        "Gn_min": ("pmol/L", "glucagon at the highest glucose"),
        "Gn_half": ("mmol/L", "glucose at half of the rise of glucagon"),
        "Gn_n": ("1", "steepness of glucagon"),
        "alpha_cells": ("1", "share of the alpha cells that works"),
        "unopposed": ("1", "share of glucagon that glucose cannot hold without beta cells"),
        "CL_glucagon": ("L/kg/min", "clearance of infused glucagon"),
        "E_max": ("pmol/L", "epinephrine at the lowest glucose"),
        "E_min": ("pmol/L", "epinephrine at the highest glucose"),
        "E_half": ("mmol/L", "glucose at half of the rise of epinephrine"),
        "E_n": ("1", "steepness of epinephrine"),
        "E_added": ("pmol/L", "epinephrine beyond what glucose calls for"),
        "K_i": ("pmol/L", "insulin with half its effect on the switch"),
        "K_g": ("pmol/L", "glucagon above its low level with half its effect"),
        "K_e": ("pmol/L", "epinephrine above its low level with half its effect"),
        "eps_e": ("1", "effect of epinephrine as a share of that of glucagon"),
        "Gn_rest": ("pmol/L", "glucagon from which its effect counts"),
        "E_rest": ("pmol/L", "epinephrine from which its effect counts"),
        "Gn_usual": ("pmol/L", "glucagon that the liver is used to"),
        "waning": ("1", "share of a rise of glucagon that the liver gets used to"),
        "tau_c": ("min", "time in which it gets used to glucagon"),
        "tau_cAMP": ("min", "time in which cyclic AMP follows its cyclase"),
        "tau_PKA": ("min", "time in which protein kinase A follows cyclic AMP"),
        "phosphorylation_usual": ("1", "phosphorylated share at which breakdown is k_gly"),
        "k_gs": ("1/min", "synthesis of glycogen from G6P, none phosphorylated"),
        "leak": ("1", "share of its activity that phosphorylated synthase keeps"),
        "sites": ("1", "steepness of synthase in its dephosphorylated share"),
        "Gly_full": ("mmol/L", "glycogen beyond which none is made"),
        "V_L": ("L/kg", "volume of the liver"),
        "e_F": ("1", "exponent of gluconeogenesis in lipolysis"),
        "e_P": ("1", "exponent of gluconeogenesis in the switch"),
        "V_GK": ("mmol/L/min", "highest phosphorylation of glucose by the liver"),
        "K_GK": ("mmol/L", "portal glucose at half of it"),
        "n_GK": ("1", "its steepness"),
        "e_GK": ("1", "its exponent in what the switch leaves dephosphorylated"),
        "Q_P": ("L/kg/min", "plasma flow of the portal vein"),
        "V_G6P": ("mmol/L/min", "highest release of glucose by glucose-6-phosphatase"),
        "K_G6P": ("mmol/L", "G6P at half of it"),
        "g6pase": ("1", "share of glucose-6-phosphatase that works"),
        "k_over": ("1/min", "G6P that goes down glycolysis, to lactate, fat and urate"),
        "K_E": ("pmol/L", "insulin that halves the gate of production"),
        "n_E": ("1", "steepness of the gate in insulin"),
        "K_L": ("pmol/L", "insulin that halves lipolysis"),
        "n_L": ("1", "steepness of lipolysis in insulin"),
        "rho": ("1", "share of lipolysis that insulin cannot stop"),
        "lipolysis_usual": ("1", "lipolysis at which gluconeogenesis is as stated"),
        "VG": ("L/kg", "glucose volume"),
        "Fcns": (FLOW, "uptake by brain and blood, at usual glucose"),
        "G_usual": ("mmol/L", "usual glucose"),
        "K_c": ("mmol/L", "glucose at half the highest uptake by brain and blood"),
        "CL_I": ("L/kg/min", "clearance that insulin can add"),
        "K_R": ("pmol/L", "insulin that adds half of it"),
        "n_R": ("1", "steepness of clearance in insulin"),
        "CL_renal": ("L/kg/min", "loss of glucose by the kidney above its threshold"),
        "G_renal": ("mmol/L", "threshold of the kidney"),
        "f": ("1", "share of eaten glucose that reaches the portal vein"),
        "kabs": ("1/min", "rate of either of two steps of absorption"),
    }
)
"""Unit and meaning of each parameter."""

CV: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "k_gly": (0.2, 0.18),
        "Gly_4h": (0.17, 0.15),
        "GNG_4h": (0.25, 0.2),
        "GNG_rise": (0.15, 0.1),
        "tau_N": (0.4, 0.3),
        "CL": (0.2, 0.15),
        "G_0": (0.06, 0.06),
        "I_max": (0.3, 0.3),
        "Gn_max": (0.3, 0.3),
        "K_i": (0.3, 0.3),
        "K_E": (0.3, 0.3),
        "K_L": (0.5, 0.4),
        "CL_I": (0.3, 0.3),
        "V_GK": (0.3, 0.3),
        "k_gs": (0.3, 0.3),
        "e_F": (0.3, 0.2),
        "Fcns": (0.1, 0.08),
    }
)
"""Coefficient of variation of the prior, and the spread between people, of what may be unknown.
Those of glycogen are from its people; the others are chosen here. Beside them ``renal_share``."""

FEW = ("k_gly", "Gly_4h", "GNG_4h", "GNG_rise", "tau_N", "CL", "G_0", "renal_share")
"""Unknowns by default: what a fast is about. The others keep the values of the state of health."""

SOUGHT = ("k_gly", "Gly_4h", "GNG_4h", "GNG_rise", "CL")
"""What a fast may tell; the other unknowns carry along what is known of people in general."""

SHIFT = Parameter(
    "gng_shift",
    unit="1",
    prior=Normal(0.0, 0.4),
    meaning="what a method adds to the log-odds of the gluconeogenic share",
    source=f"{CHOSEN}: methods of {NUTTALL} lie about 0.1 apart in the share",
    spread=0.4,
)
"""Unknown where methods are compared."""


def parameters(unknowns: str, *, dynamic: bool, shifted: bool) -> tuple[Parameter, ...]:
    """Return the parameters of a healthy person.

    Parameters
    ----------
    unknowns : {"few", "all"}
        Whether few, or all that have a spread, are unknown.
    dynamic : bool
        Whether the switch takes time.
    shifted : bool
        Whether a method may shift the gluconeogenic share.
    """
    free = FEW if unknowns == "few" else (*CV, "renal_share")
    names = [name for name in MEANING if dynamic or name not in DELAYS]
    own = tuple(_parameter(name, is_unknown=name in free) for name in names)
    return (*own, SHIFT) if shifted else own


def _parameter(name: str, *, is_unknown: bool) -> Parameter:
    unit, meaning = MEANING[name]
    value = {**HEALTHY, **DELAYS}[name]
    source = value.source if value.verified else f"{value.source} (not verified)"
    if not is_unknown:
        return Parameter(name, unit, Fixed(value.value), meaning, source)
    prior: Prior = centered(Beta(4.0, 6.0), value.value)
    spread = 0.3
    if name in CV:
        width, spread = CV[name]
        prior = LogNormal(value.value, width)
    kept = {"spread": spread, "sought": name in SOUGHT}
    return Parameter(name, unit, prior, meaning, f"median: {source}", **kept)  # type: ignore[arg-type]
