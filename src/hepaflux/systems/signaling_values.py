"""Values of insulin signaling: its parameters, its states of health, and where each number is from.

Rate constants of receptor and IRS are those with which this receptor cycle goes through the time
courses and dose responses of Brännmark (2010) in fat cells. Half-points of the arms are those of
clamps. What was chosen so that the whole answers as people do carries a mark wherever it is shown.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hepaflux.parameter import Beta, Fixed, LogNormal, Parameter, Prior
from hepaflux.systems.condition import Condition, Reported, reported
from hepaflux.systems.lipogenesis import PER_DAY
from hepaflux.systems.option import Settings
from hepaflux.systems.response import RIZZA
from hepaflux.systems.signaling_arms import Tissue
from hepaflux.systems.signaling_readouts import scales

BRANNMARK = "Brännmark C et al. (2010) J Biol Chem 285:20171"
BRANNMARK_T2D = "Brännmark C et al. (2013) J Biol Chem 288:9867 (BioModels 448 and 449)"
SEDAGHAT = "Sedaghat AR et al. (2002) Am J Physiol Endocrinol Metab 283:E1084"
KUBOTA = "Kubota H et al. (2012) Mol Cell 46:820 (MODEL1204060000)"
LI = "Li S, Brown MS, Goldstein JL (2010) Proc Natl Acad Sci USA 107:3441"
TER_HORST = "ter Horst KW et al. (2021) Diabetes Care 44:489"
TEXTBOOK = "textbook account: inhibited IRS 6 times and competent IRS 25 % of that of health"
FITTED = f"fitted to {BRANNMARK} by least squares"
CHOSEN = "chosen here"
DEFINED = "definition of health"
REFERENCES = (BRANNMARK, BRANNMARK_T2D, SEDAGHAT, KUBOTA, LI, TER_HORST, RIZZA)

HEALTHY_LOAD = 0.15
"""Inhibited over other IRS in health. With a load of 3.6 it is the one solution of a ratio of 6 in
inhibited and of 1/4 in other IRS: s = 3/4 / (6 - 1/4) = 0.130, and 6 s = 0.783."""

TEXTBOOK_LOAD = 3.6


def unsure(values: Mapping[str, float], source: str) -> dict[str, Reported]:
    """Return values that nobody compared with their source."""
    return reported(values, source, verified=False)


VALUES: Mapping[str, Reported] = MappingProxyType(
    reported({"K_R": 2900.0}, f"occupancy derived from {RIZZA}; 3300 in {SEDAGHAT}")
    | unsure({"k_off": 1.7, "k_in": 0.56, "k_off_in": 3.9, "k_back": 0.25}, FITTED)
    | unsure({"Y": 0.05, "k_Y": 2.7}, FITTED)
    | reported({"receptors": 1.0, "fat_mass": 1.0, "fat_cells": 1.0}, DEFINED)
    | reported(dict.fromkeys(("TNFa", "IL6", "FFA", "DAG", "substrate"), 1.0), DEFINED)
    | reported({"r0": HEALTHY_LOAD, "load": HEALTHY_LOAD}, f"one solution of the {TEXTBOOK}")
    | unsure({"K_c": 0.5}, f"{CHOSEN}; hardly known, and endless without competition")
    | unsure({"rho": 0.5 * PER_DAY}, f"{CHOSEN}: resistance comes and goes in one to three days")
    | unsure({"k_T": 0.3 * PER_DAY, "delta": 0.0}, f"{CHOSEN}; degradation alike in all forms")
    | unsure({"g_PKC": 30.0, "g_JNK": 10.0, "g_IKK": 6.0, "g_S6K": 5.0}, CHOSEN)
    | unsure({"w_TNF": 0.3, "w_IL6": 0.1, "K_U": 3.0, "K_D": 2.0}, CHOSEN)
    | unsure({"e_TNF": 2.2, "e_IL6": 2.2, "e_FFA": 1.0, "e_DAG": 2.7}, CHOSEN)
    | unsure({"k_PIP3": 1.0, "k_Akt": 0.5, "K_Akt": 0.5}, CHOSEN)
    | unsure({"half_FoxO1": 100.0, "n_FoxO1": 2.2}, f"production in clamps, {RIZZA}; portal")
    | reported({"k_FoxO1": 0.15}, KUBOTA)
    | unsure({"half_GLUT4": 330.0, "n_GLUT4": 2.0}, f"disposal in clamps, {RIZZA}")
    | reported({"k_GLUT4": 0.167}, f"{SEDAGHAT}, endocytosis")
    | unsure({"half_PDE3B": 80.0, "n_PDE3B": 1.5, "k_PDE3B": 0.2}, f"{CHOSEN}: lipolysis")
    | unsure({"M_half": 2.5, "n_M": 1.3, "nutrients": 1.0}, CHOSEN)
    | reported({"k_M": 0.124}, KUBOTA)
    | unsure({"k_S6K": 0.044}, f"near S6 kinase of {BRANNMARK_T2D}")
    | unsure({"lambda_L": 0.5, "lambda_M": 0.2}, f"open: {LI} against {TER_HORST}")
    | unsure({"K_MAPK": 0.2, "k_Ras": 0.5, "k_MAPK": 0.3}, CHOSEN)
    | unsure({"tau_S": 0.5 / PER_DAY, "chi": 1.0}, f"{CHOSEN}: hours in cells of {LI}")
    | unsure({"I_ref": 40.0}, f"{CHOSEN}: usual fasting insulin")
    | unsure({"r_P": 2.5}, "usual value, not compared with a source; published are 2 to 5")
    | unsure({"I_peak": 3e4}, f"{CHOSEN}: about a unit per kg in the blood of a mouse")
    | unsure({"k_I": 0.2}, f"{CHOSEN}: insulin leaves plasma in minutes")
    | unsure({"background": 0.0}, f"{CHOSEN}; blots of cells have one")
)
"""Every parameter in health, but for the scales."""

MEANING: Mapping[str, str] = MappingProxyType(
    {
        "K_R": "insulin at which half as many receptors signal as can",
        "k_off": "insulin and phosphate lost at the surface",
        "k_in": "internalization of phosphorylated receptors",
        "k_off_in": "dephosphorylation of receptors inside",
        "k_back": "return of receptors to the surface",
        "Y": "tyrosine-phosphorylated over competent IRS at endless insulin",
        "k_Y": "dephosphorylation of tyrosines of IRS",
        "receptors": "receptors over those of health",
        "fat_mass": "fat mass over that of health",
        "fat_cells": "number of fat cells over that of health",
        "TNFa": "TNF-alpha over that of health",
        "IL6": "interleukin 6 over that of health",
        "FFA": "fatty acids that strain the reticulum, over those of health",
        "DAG": "diacylglycerol over that of health",
        "substrate": "substrate of lipogenesis over that of health",
        "r0": "inhibited over other IRS in health",
        "load": "inhibited over other IRS at rest, at usual insulin",
        "K_c": "inhibited IRS that halves the pull of receptors on the other IRS",
        "rho": "dephosphorylation of inhibited IRS",
        "k_T": "turnover of IRS",
        "delta": "degradation of inhibited IRS in excess of that of other IRS",
        "g_PKC": "load added by protein kinase C, over that of health",
        "g_JNK": "load added by JNK, over that of health",
        "g_IKK": "load added by IKK-beta, over that of health",
        "g_S6K": "load added by S6K1, over that of health",
        "w_TNF": "drive of JNK and of IKK-beta by TNF-alpha",
        "w_IL6": "drive of JNK by interleukin 6",
        "K_U": "fatty acids with half their effect on the reticulum",
        "K_D": "diacylglycerol with half its effect on protein kinase C",
        "e_TNF": "rise of TNF-alpha with the strain of fat cells",
        "e_IL6": "rise of interleukin 6 with the strain of fat cells",
        "e_FFA": "rise of fatty acids with the strain of fat cells",
        "e_DAG": "rise of diacylglycerol with the strain of fat cells",
        "k_PIP3": "turnover of PIP3",
        "k_Akt": "dephosphorylation of Akt",
        "K_Akt": "signal of IRS at which half of Akt is active",
        "half_FoxO1": "insulin that drives half of FoxO1 out of the nucleus, in health",
        "n_FoxO1": "its steepness",
        "k_FoxO1": "rate at which FoxO1 moves",
        "half_GLUT4": "insulin that brings half of GLUT4 to the membrane, in health",
        "n_GLUT4": "its steepness",
        "k_GLUT4": "rate at which GLUT4 moves",
        "half_PDE3B": "insulin that turns on half of PDE3B, in health",
        "n_PDE3B": "its steepness",
        "k_PDE3B": "rate at which PDE3B is turned off",
        "M_half": "insulin that drives half of mTORC1, over usual insulin",
        "n_M": "its steepness",
        "nutrients": "amino acids that mTORC1 needs, over usual",
        "k_M": "rate at which mTORC1 follows",
        "k_S6K": "rate at which S6K1 follows",
        "lambda_L": "share of the lipogenic arm that feels inhibited IRS",
        "lambda_M": "share of the mitogenic arm that feels inhibited IRS",
        "K_MAPK": "signal of Ras at which half of MAPK is active",
        "k_Ras": "rate at which Ras follows",
        "k_MAPK": "dephosphorylation of MAPK",
        "tau_S": "time in which SREBP-1c follows",
        "chi": "rise of lipogenesis with its substrate",
        "I_ref": "usual fasting insulin of plasma",
        "r_P": "insulin of the portal vein over that of plasma",
        "I_peak": "insulin that an injection adds in the portal vein at time 0",
        "k_I": "rate at which it leaves",
        "background": "signal of a blot without any, as a share of its scale",
        "free": "free receptors",
        "surface": "phosphorylated receptors at the surface",
        "inside": "phosphorylated receptors inside",
        "returning": "receptors on their way back",
        "able": "IRS that is not inhibited",
        "competent": "IRS with no phosphate",
        "tyrosine": "tyrosine-phosphorylated IRS",
        "inhibited": "serine-phosphorylated IRS",
        "PIP3": "PIP3 over that of health at endless insulin",
        "Akt": "active share of Akt",
        "FoxO1": "share of FoxO1 in the nucleus",
        "GLUT4": "share of GLUT4 at the membrane, of what can be",
        "PDE3B": "share of PDE3B that is turned on",
        "mTORC1": "activity of mTORC1",
        "S6K1": "activity of S6K1",
        "Ras": "activity of Ras",
        "MAPK": "active share of MAPK",
        "SREBP": "SREBP-1c, with what substrate adds",
    }
)
"""What each parameter and each state is."""

RATE, INSULIN, TIME = "1/min", "pmol/L", "min"
UNITS = {"K_R": INSULIN, "I_ref": INSULIN, "I_peak": INSULIN, "rho": RATE, "tau_S": TIME}

RECEPTOR = ("K_R", "receptors")
KINETIC = ("k_off", "k_in", "k_off_in", "k_back")
IRS = ("Y", "k_Y", "r0", "K_c", "rho", "k_T", "delta", "g_S6K")
ARMS = ("K_Akt", "M_half", "n_M", "nutrients", "lambda_L", "I_ref")
PACE = ("k_PIP3", "k_Akt", "k_M", "k_S6K", "k_Ras", "k_MAPK")
MITOGENIC = ("lambda_M", "K_MAPK")
STRAINS = ("e_TNF", "e_IL6", "e_FFA", "e_DAG")
KINASES = ("g_PKC", "g_JNK", "g_IKK", "w_TNF", "w_IL6", "K_U", "K_D")
STRESS = {
    "load": ("load",),
    "stated": (*KINASES, "TNFa", "IL6", "FFA", "DAG", "substrate"),
    "adipose": (*KINASES, *STRAINS, "fat_mass", "fat_cells", "substrate"),
    "driven": KINASES,
}
"""Parameters by what the load follows from."""

CV = {
    **{"load": (1.0, 0.4), "K_R": (0.3, 0.2), "k_off": (1.0, 0.3), "k_in": (0.7, 0.3)},
    **{"k_off_in": (1.0, 0.3), "k_back": (0.7, 0.3), "Y": (1.0, 0.3), "k_Y": (0.7, 0.3)},
    **{"background": (1.0, 0.3), "DAG": (0.4, 0.2), "fat_mass": (0.2, 0.2)},
    **{"half_FoxO1": (0.25, 0.2), "half_GLUT4": (0.25, 0.2), "half_PDE3B": (0.25, 0.2)},
    **{"M_half": (0.5, 0.2), "K_MAPK": (0.5, 0.2)},
    **{"k_PIP3": (1.0, 0.3), "k_Akt": (1.0, 0.3), "K_Akt": (1.0, 0.3)},
    **{"I_peak": (2.0, 0.3), "k_I": (1.0, 0.3)},
}
"""Coefficient of variation of the prior, and spread between people, of what may be unknown; chosen
here but for that of K_R and the half-points, which are those of clamps."""

CV_OF_CELLS = {**CV, "K_R": (1.0, 0.2)}
"""The same for cells in a medium and for mice, whose receptors need not answer as those of clamps
do."""

SELECTIVITY = {"lambda_L": Beta(1.0, 1.0), "lambda_M": Beta(1.0, 4.0)}
"""Priors of the selectivity: of the lipogenic arm any, of the mitogenic arm the usual account."""

RATES = (*RECEPTOR[:1], *KINETIC, "Y", "k_Y")
CELLS = (*RATES, "background")
"""Unknowns that cells can tell."""

INJECTION = ("I_peak", "k_I")
CASCADE = (*RATES, "k_PIP3", "k_Akt", "K_Akt", *INJECTION)
"""Unknowns of what leads from an injection of insulin to Akt."""


def unknown(settings: Settings) -> tuple[str, ...]:
    """Return the names of the unknown parameters, but for the scales."""
    stress = {"load": ("load",), "stated": ("DAG",), "adipose": ("fat_mass",), "driven": ()}
    people = ("lambda_L", "lambda_M", *stress[settings["stress"]])
    halves = ("half_FoxO1", "half_GLUT4", "half_PDE3B", "M_half", "K_MAPK")
    chosen = {"selectivity": people, "kinetics": CELLS, "cascade": CASCADE}
    chosen["all"] = (*people, *CELLS, *halves)
    return chosen[settings["unknowns"]]


def names(settings: Settings, tissues: tuple[Tissue, ...]) -> tuple[str, ...]:
    """Return the names of the parameters that the equations use."""
    effectors = dict.fromkeys(name for tissue in tissues for name in tissue.effectors)
    dynamic, driven = settings["form"] == "dynamic", settings["stress"] == "driven"
    liver = any(tissue.is_lipogenic for tissue in tissues)
    portal, injected = liver and settings["insulin"] != "medium", settings["insulin"] == "injected"
    blots = not driven and settings["measured"] == "blots"
    stress = STRESS[settings["stress"]]
    fed = () if "substrate" in stress or driven else ("substrate",)
    return (
        *(*RECEPTOR, *(KINETIC if dynamic else ()), *IRS, *stress, *ARMS, *MITOGENIC),
        *(f"{kind}_{name}" for name in effectors for kind in ("half", "n")),
        *((*PACE, *(f"k_{name}" for name in effectors)) if dynamic else ()),
        *(("tau_S", "chi", *fed) if liver else ()),
        *(("r_P",) if portal else ()),
        *(INJECTION if injected else ()),
        *(("background",) if blots else ()),
    )


def known(name: str) -> Parameter:
    """Return a parameter with its value in health, for another system that has it too."""
    return _parameter(name)


def parameters(settings: Settings, tissues: tuple[Tissue, ...]) -> tuple[Parameter, ...]:
    """Return the parameters under given options, in health."""
    widths = CV if settings["insulin"] == "plasma" else CV_OF_CELLS
    free = {name: widths.get(name, (0.0, 0.0)) for name in unknown(settings)}
    found = tuple(_parameter(n, free.get(n)) for n in names(settings, tissues))
    return found if settings["stress"] == "driven" else (*found, *scales(settings))


def leading(settings: Settings) -> tuple[str, ...]:
    """Return what a fit is made for."""
    sought = ("load", "lambda_L", "K_R", *(("k_Akt",) if settings["form"] == "dynamic" else ()))
    return tuple(name for name in unknown(settings) if name in sought)


def _parameter(name: str, widths: tuple[float, float] | None = None) -> Parameter:
    """Return a parameter; where it is unknown, with the widths of its prior and of people."""
    value = VALUES[name]
    source = value.source if value.verified else f"{value.source} (not verified)"
    unit = UNITS.get(name, RATE if name.startswith("k_") else "1")
    unit = INSULIN if name.startswith("half_") else unit
    if widths is None:
        return Parameter(name, unit, Fixed(value.value), MEANING[name], source)
    width, spread = widths
    prior: Prior = SELECTIVITY.get(name) or LogNormal(value.value or 0.1, width)
    return Parameter(name, unit, prior, MEANING[name], f"median: {source}", spread=spread)


def conditions() -> tuple[Condition, ...]:
    """Return the states of health, the reference first.

    The load of each is that of its surroundings at usual insulin; a test holds them together.
    """
    added = f"{CHOSEN} between health and the textbook's extreme"
    around = {"TNFa": 3.0, "IL6": 3.0, "FFA": 2.0, "DAG": 4.4, "fat_mass": 2.2}
    extreme = unsure({"load": TEXTBOOK_LOAD}, TEXTBOOK) | unsure(
        around, f"{CHOSEN}: surroundings under which the load is that of the {TEXTBOOK}"
    )
    return (
        Condition("normal", "insulin signaling in health", VALUES),
        Condition(
            "obese",
            "obesity without a fatty liver",
            unsure({"TNFa": 1.3, "IL6": 1.3, "FFA": 1.2, "DAG": 1.4, "load": 0.86}, added)
            | unsure({"fat_mass": 1.15}, added),
        ),
        Condition(
            "nafld",
            "obesity with a fatty liver",
            unsure({"TNFa": 2.0, "IL6": 2.0, "FFA": 1.45, "DAG": 2.2, "load": 2.09}, added)
            | unsure({"fat_mass": 1.45}, added),
        ),
        Condition(
            "t2d",
            "type 2 diabetes with a fatty liver",
            unsure({"TNFa": 2.2, "IL6": 2.2, "FFA": 1.6, "DAG": 2.6, "load": 2.51}, added)
            | unsure({"fat_mass": 1.58}, added),
        ),
        Condition(
            "t2d_fat_cells",
            "fat cells in type 2 diabetes: half of the receptors, a weak feedback of mTORC1",
            reported({"receptors": 0.5, "g_S6K": 0.75}, BRANNMARK_T2D),
            settings={"tissue": "fat"},
        ),
        Condition(
            "textbook",
            "the extreme of the textbook: inhibited IRS six times, competent IRS a quarter",
            extreme,
        ),
        Condition(
            "selective",
            "the same, with lipogenic and mitogenic arms that do not feel it",
            extreme | unsure({"lambda_L": 0.0, "lambda_M": 0.0}, TEXTBOOK),
        ),
        Condition(
            "proximal",
            "the same, with arms that all feel it",
            extreme | unsure({"lambda_L": 1.0, "lambda_M": 1.0}, TER_HORST),
        ),
    )
