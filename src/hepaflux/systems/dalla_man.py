"""Dalla Man: the published values of the meal model, as parameters and as states of health.

Table I of the paper is typed as it is printed and converted here. What follows from a steady state
is computed: basal secretion, insulin, glucose and production from the constants of the table, so
that a named state of health is at rest to the last digit. Spreads are those of the ten virtual
adults of a type 1 diabetes simulator; they are few, so they serve as widths of priors only.
"""

from collections.abc import Mapping
from math import sqrt
from types import MappingProxyType

from hepaflux.parameter import Beta, Fixed, LogNormal, Parameter, Prior, centered
from hepaflux.systems.condition import Condition, Reported, reported
from hepaflux.units import MOLAR_MASS

PAPER = "Dalla Man C et al. (2007) IEEE Trans Biomed Eng 54:1740"
TABLE_I = f"{PAPER}, Table I"
STEADY = f"steady state of {TABLE_I}"
ADULTS = "adults of the simglucose simulator (n = 10)"

MG = 1 / MOLAR_MASS["glucose"]
"""mmol of glucose in 1 mg."""

MG_DL = 10 * MG
"""mmol/L of glucose in 1 mg/dL."""

PERIPHERAL = 0.4
"""Basal removal of insulin outside the liver, as a share of the basal secretion that passes the
liver (the paper's 2/5)."""

PRINTED: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "VG": (1.88, 1.49, 0.1),
        "k1": (0.065, 0.042, 1.0),
        "k2": (0.079, 0.071, 1.0),
        "VI": (0.05, 0.04, 1.0),
        "m1": (0.190, 0.379, 1.0),
        "m4": (0.194, 0.269, 1.0),
        "m5": (0.0304, 0.0526, 1.0),
        "m6": (0.6471, 0.8118, 1.0),
        "HE_b": (0.6, 0.6, 1.0),
        "kmax": (0.0558, 0.0465, 1.0),
        "kmin": (0.0080, 0.0076, 1.0),
        "kabs": (0.057, 0.023, 1.0),
        "kgri": (0.0558, 0.0465, 1.0),
        "f": (0.90, 0.90, 1.0),
        "b": (0.82, 0.68, 1.0),
        "d": (0.010, 0.09, 1.0),
        "kp1": (2.70, 3.09, MG),
        "kp2": (0.0021, 0.0007, 1.0),
        "kp3": (0.009, 0.005, MG),
        "kp4": (0.0618, 0.0786, MG),
        "ki": (0.0079, 0.0066, 1.0),
        "Fcns": (1.0, 1.0, MG),
        "Vm0": (2.50, 4.65, MG),
        "Vmx": (0.047, 0.034, MG),
        "Km0": (225.59, 466.21, MG),
        "p2U": (0.0331, 0.0840, 1.0),
        "K": (2.30, 0.99, 1 / MG_DL),
        "alpha": (0.050, 0.013, 1.0),
        "beta": (0.11, 0.05, 1 / MG_DL),
        "gamma": (0.5, 0.5, 1.0),
        "ke1": (0.0005, 0.0007, 1.0),
        "ke2": (339.0, 269.0, MG),
    }
)
"""Normal, type 2 diabetes, and the canonical unit in the printed one. The constants a and c of
gastric emptying are not here: they follow from b, d and the dose of the meal."""

NORMAL, T2D = ({name: row[column] * row[2] for name, row in PRINTED.items()} for column in (0, 1))

IMPAIRED = {**NORMAL, "Vmx": NORMAL["Vmx"] / 2, "kp3": NORMAL["kp3"] / 2}
"""Impaired tolerance as the paper simulates it: insulin does half as much to uptake and production.
The steady state that follows has more glucose and production for the same basal insulin."""

COMPUTED = ("m6", "kp1", "Vm0")
"""Constants of the table that the model computes from basal values, so that it starts at rest."""


def basal_values(table: Mapping[str, float]) -> dict[str, float]:
    """Return basal glucose, insulin and production at the steady state of a table's constants.

    Basal secretion is the one at which the extraction line passes through HE_b. What remains is
    quadratic in glucose, with one positive root; the kidney is silent there.

    Parameters
    ----------
    table : mapping of str to float
        The constants of ``PRINTED`` in canonical units.
    """
    secretion = (table["m6"] - table["HE_b"]) / table["m5"]
    mass = PERIPHERAL * secretion * (1 - table["HE_b"]) / table["m4"]
    insulin = mass / table["VI"]
    portal = secretion / table["gamma"]
    most = table["kp1"] - table["kp3"] * insulin - table["kp4"] * portal
    # Tissue glucose is slope * plasma + offset; uptake by tissue is most - kp2 * plasma - Fcns.
    slope = (table["k1"] + table["kp2"]) / table["k2"]
    offset = (table["Fcns"] - most) / table["k2"]
    left = most - table["Fcns"]
    square = table["kp2"] * slope
    linear = table["Vm0"] * slope + table["kp2"] * (table["Km0"] + offset) - left * slope
    rest = table["Vm0"] * offset - left * (table["Km0"] + offset)
    plasma = (-linear + sqrt(linear**2 - 4 * square * rest)) / (2 * square)
    return {
        "G_b": plasma / table["VG"],
        "I_b": insulin,
        "EGP_b": most - table["kp2"] * plasma,
    }


RELEASE = (0.46 / MG_DL, 0.05 / MG_DL)
"""Secretion per rise of glucose by an injection, normal and in type 2 diabetes. That of a meal does
not predict the first phase (Steil GM et al. 2004, Diabetes 53:1201) and would exceed it."""

RELEASE_SOURCES = (
    "chosen here: near the first phase of one man (Larizza C et al. 2018, CPT Pharmacometrics Syst"
    " Pharmacol 7:298) if his dose was 0.3 g/kg",
    "chosen here: the first phase is nearly lost",
)


def stated(table: Mapping[str, float]) -> dict[str, Reported]:
    """Return what is known of the parameters in one column of the table, or derived from one."""
    own = {name: value for name, value in table.items() if name not in COMPUTED}
    column = 1 if table == T2D else 0
    release = Reported(RELEASE[column], RELEASE_SOURCES[column], verified=False)
    return reported(own, TABLE_I) | reported(basal_values(table), STEADY) | {"K_iv": release}


def impaired() -> dict[str, Reported]:
    """Return impaired tolerance: the halves that the paper states, and what follows from them."""
    halves = {name: IMPAIRED[name] for name in ("Vmx", "kp3")}
    return stated(IMPAIRED) | reported(halves, f"half of normal, as {PAPER} simulates it")


def conditions() -> tuple[Condition, ...]:
    """Return the states of health of the table."""
    return (
        Condition("normal", "normal glucose tolerance", stated(NORMAL), weight=78.0),
        Condition("impaired", "impaired glucose tolerance", impaired(), weight=78.0),
        Condition("t2d", "type 2 diabetes", stated(T2D), weight=91.0),
    )


MEANING = {
    "VG": ("L/kg", "glucose volume"),
    "k1": ("1/min", "rate of glucose from plasma to tissue"),
    "k2": ("1/min", "rate of glucose from tissue to plasma"),
    "VI": ("L/kg", "insulin volume"),
    "m1": ("1/min", "rate of insulin from liver to plasma"),
    "m4": ("1/min", "rate at which insulin is removed outside the liver"),
    "m5": ("min*kg/pmol", "fall of hepatic insulin extraction per rise of secretion"),
    "HE_b": ("1", "basal hepatic extraction of insulin"),
    "kmax": ("1/min", "highest rate of gastric emptying"),
    "kmin": ("1/min", "lowest rate of gastric emptying"),
    "kabs": ("1/min", "rate of intestinal absorption"),
    "kgri": ("1/min", "rate of grinding in the stomach"),
    "f": ("1", "share of the absorbed glucose that reaches plasma, first pass included"),
    "b": ("1", "share of the meal in the stomach at which emptying slows"),
    "d": ("1", "share of the meal in the stomach at which emptying speeds up again"),
    "kp2": ("1/min", "fall of production per rise of plasma glucose"),
    "kp3": ("mmol*L/kg/min/pmol", "fall of production per rise of delayed insulin"),
    "kp4": ("mmol/min/pmol", "fall of production per rise of portal insulin"),
    "ki": ("1/min", "rate of the delay between insulin and production"),
    "Fcns": ("mmol/kg/min", "uptake of glucose that needs no insulin"),
    "Vmx": ("mmol*L/kg/min/pmol", "rise of the highest uptake by tissue per rise of insulin"),
    "Km0": ("mmol/kg", "tissue glucose at half the highest uptake"),
    "p2U": ("1/min", "rate of remote insulin"),
    "K": ("pmol*L/kg/mmol", "secretion per rise of glucose"),
    "K_iv": ("pmol*L/kg/mmol", "secretion per rise of glucose by an injection"),
    "alpha": ("1/min", "rate at which static secretion follows glucose"),
    "beta": ("pmol*L/kg/min/mmol", "static secretion per glucose above basal"),
    "gamma": ("1/min", "rate at which secreted insulin reaches the liver"),
    "ke1": ("1/min", "renal clearance of glucose above the threshold"),
    "ke2": ("mmol/kg", "plasma glucose at the renal threshold"),
    "G_b": ("mmol/L", "basal glucose"),
    "I_b": ("pmol/L", "basal insulin"),
    "EGP_b": ("mmol/kg/min", "basal endogenous glucose production"),
}
"""Unit and meaning of each parameter of the model."""

CHOSEN = "width: chosen here"

CV: Mapping[str, tuple[float, str]] = MappingProxyType(
    {
        "VG": (0.075, ADULTS),
        "k1": (0.30, ADULTS),
        "k2": (0.41, ADULTS),
        "VI": (0.27, ADULTS),
        "m1": (0.37, ADULTS),
        "m4": (0.27, ADULTS),
        "m5": (0.57, ADULTS),
        "kmax": (0.30, ADULTS),
        "kmin": (0.55, ADULTS),
        "kabs": (0.98, ADULTS),
        "kgri": (0.30, ADULTS),
        "b": (0.15, ADULTS),
        "d": (0.39, ADULTS),
        "kp2": (0.44, ADULTS),
        "kp3": (0.59, ADULTS),
        "kp4": (0.35, CHOSEN),
        "ki": (0.49, ADULTS),
        "Vmx": (0.59, ADULTS),
        "Km0": (0.09, ADULTS),
        "p2U": (0.32, ADULTS),
        "K": (0.35, CHOSEN),
        "alpha": (0.35, CHOSEN),
        "beta": (0.35, CHOSEN),
        "G_b": (0.12, CHOSEN),
        "I_b": (0.6, CHOSEN),
        "EGP_b": (0.13, CHOSEN),
    }
)
"""Coefficient of variation of the prior, and where it is from; what is not here is known."""

SHARES = ("b",)
"""Parameters between zero and one that may vary."""

FEW = ("kmax", "kabs", "kp3", "Vmx", "K", "beta", "m4", "G_b", "I_b")
"""Unknowns by default: those about which glucose and insulin after a drink say most. The others
keep the values of the state of health."""


def parameters(unknowns: str) -> tuple[Parameter, ...]:
    """Return the parameters, of which few, or all that have a spread, are unknown.

    Parameters
    ----------
    unknowns : {"few", "all"}
    """
    free = FEW if unknowns == "few" else tuple(CV)
    normal = stated(NORMAL)
    return tuple(_parameter(name, normal[name], name in free) for name in MEANING)


def _parameter(name: str, normal: Reported, is_unknown: bool) -> Parameter:
    """Return a parameter; its spread is the SD of the log or, to first order, of the logit."""
    unit, meaning = MEANING[name]
    if not is_unknown:
        return Parameter(name, unit, Fixed(normal.value), meaning, normal.source)
    cv, width = CV[name]
    positive = LogNormal(normal.value, cv)
    prior: Prior = positive
    spread = positive.log_sd
    if name in SHARES:
        spread = cv / (1 - normal.value)
        total = (1 - normal.value) / (normal.value * cv**2) - 1
        prior = centered(Beta(total / 2, total / 2), normal.value)
    source = f"median: {normal.source}; {width if width == CHOSEN else f'width: {width}'}"
    return Parameter(name, unit, prior, meaning, source, spread=spread)
