"""Units: the canonical ones used inside, and the conversions made once, at the border.

Inside hepaflux every number is canonical: minutes, mmol/L glucose, pmol/L insulin, nmol/L
C-peptide, kg, fractions. A number is converted when a table is read or a command-line option is
parsed, and never again. Insulin needs a convention: one microunit per mL is 6.00 pmol/L by the
current reference (Volund 1993, Am J Clin Nutr 58:714) and 6.945 pmol in older papers. The 16 %
between them goes straight into insulin sensitivity, so the convention is stored with each study.
"""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pint

from hepaflux.isotopes import FATTY_ACIDS, IONS
from hepaflux.phosphosites import READ

INSULIN_FACTOR = 6.00
"""Default pmol/L in one µU/mL of insulin (pmol in one milliunit)."""

DAY = 1440.0
"""Minutes in a day."""

MOLAR_MASS = {"glucose": 180.156, "c_peptide": 3020.3, "insulin": 5807.6, "glucagon": 3482.8}
MOLAR_MASS |= {"egp": MOLAR_MASS["glucose"]}
"""Grams per mole; the substances that laboratories report by mass."""

LIPOPROTEINS = ("vldl", "vldl1", "vldl2")
"""Whose triglyceride is measured, as ``<name>_tg`` and ``<name>_enrichment``."""

MOLAR_MASS |= {f"{name}_tg": 885.7 for name in LIPOPROTEINS}

CANONICAL = {
    "time": "min",
    "glucose": "mmol/L",
    "insulin": "pmol/L",
    "c_peptide": "nmol/L",
    "ffa": "mmol/L",
    "meal_enrichment": "TTR",
    "egp_enrichment": "TTR",
    "ra_enrichment": "TTR",
    "weight": "kg",
}
DEUTERATED = ("body_water", *(f"{name}_deuterium" for name in FATTY_ACIDS))
"""What is measured as the share of its hydrogens that are deuterium, above natural."""

LIPID_ENRICHMENTS = (
    *(f"{name}_enrichment" for name in LIPOPROTEINS),
    "precursor_enrichment",
    *(
        f"{s}_{role}_enrichment"
        for s in ("nefa", "dnl", "diet")
        for role in ("precursor", "product")
    ),
)
"""Of triglyceride in lipoproteins, of its precursor in plasma, and of the precursor and the product
of each source of fatty acids."""

BLOTS = tuple(f"{name}_phosphorylation" for name in ("ir", "irs1", "akt", "s6k", "erk"))
"""What blots of cells or a biopsy tell of insulin signaling."""

PHOSPHOSITES = tuple(site.analyte for site in READ)
"""What single phosphorylated residues tell of it, over basal."""

RELATIVE = (*BLOTS, *PHOSPHOSITES)
"""What has a scale of its own in every study."""

CANONICAL |= {f"{name}_tg": "mmol/L" for name in LIPOPROTEINS} | {"ihtg": "1", "dnl_fraction": "1"}
CANONICAL |= {"liver_glycogen": "mmol/L", "egp": "mmol/kg/min", "gng_fraction": "1"}
MOLAR_MASS |= {"plasma_tg": 885.7}
CANONICAL |= {"plasma_tg": "mmol/L", "vldl_tg_secretion": "umol/min"}
CANONICAL |= {"medium_insulin": "pmol/L"} | dict.fromkeys(RELATIVE, "arbitrary_unit")
CANONICAL |= dict.fromkeys(LIPID_ENRICHMENTS, "TTR")
CANONICAL |= dict.fromkeys(DEUTERATED, "mole_fraction") | dict.fromkeys(IONS, "1")
"""Canonical unit of each analyte, and of time and weight."""

TRACERS = ("meal_tracer", "egp_tracer", "ra_tracer")
"""Labeled glucose by its purpose: in the drink; infused to measure production; infused to imitate
the appearance of the meal. Each has the analyte ``<purpose>_enrichment``."""

ALL_TRACERS = (*TRACERS, "vldl_tracer")
"""With labeled glycerol or palmitate, which the liver builds into the triglyceride of VLDL."""

CANONICAL_AMOUNT = {"glucose": "mmol", "insulin": "pmol", "glucagon": "pmol"} | dict.fromkeys(
    ALL_TRACERS, "mmol"
)
"""Canonical unit of a dose, by substance."""

ENRICHMENT_UNITS: dict[str, tuple[str, float]] = {
    "ttr": ("ratio", 1.0),
    "ttr%": ("ratio", 0.01),
    "%ttr": ("ratio", 0.01),
    "mpe": ("fraction", 0.01),
    "molefraction": ("fraction", 1.0),
    "molefractionexcess": ("fraction", 1.0),
}
"""What an enrichment is stated as: the ratio of tracer to tracee, or the tracer's share of the
whole, and the number that removes percent."""

ATOM_UNITS = {"ape": ("fraction", 0.01), "ppmexcess": ("fraction", 1e-6)}
"""Further units where a share counts atoms, as that of deuterium does."""


class UnitError(ValueError):
    """A unit that cannot be read, or that does not measure the quantity at hand."""


@functools.cache
def registry() -> pint.UnitRegistry:
    """Return the unit registry, which knows insulin units beside the SI."""
    ureg: pint.UnitRegistry = pint.UnitRegistry()
    ureg.define("insulin_unit = [insulin_activity] = U = IU")
    ureg.define("tracer_to_tracee_ratio = [] = TTR")
    ureg.define("mole_fraction = []")
    ureg.define("arbitrary_unit = []")
    return ureg


def parse(unit: str) -> pint.Unit:
    """Read a unit as laboratories write it, both Greek mu characters and ``uU/mL`` included.

    Raises
    ------
    UnitError
        If the text is no unit.
    """
    text = unit.strip().replace("μ", "u").replace("µ", "u")
    text = text.replace("dl", "dL").replace("ml", "mL").replace("/l", "/L").replace("MG", "mg")
    try:
        return registry().Unit(text)
    except Exception as error:  # pint raises a dozen unrelated types, tokenizer errors included
        raise UnitError(f"{unit!r} is not a unit that can be read") from error


def conversion_factor(
    unit: str, canonical: str, *, substance: str = "", insulin_factor: float = INSULIN_FACTOR
) -> float:
    """Return the number that turns a value in ``unit`` into one in ``canonical``.

    Parameters
    ----------
    unit, canonical : str
        For example ``"mg/dL"`` and ``"mmol/L"``.
    substance : str
        What is measured; needed between mass and amount of substance.
    insulin_factor : float, pmol/L per µU/mL
        The insulin convention.

    Raises
    ------
    UnitError
        If the two units do not measure the same thing.
    """
    source, target = parse(unit), parse(canonical)
    quantity = registry().Quantity(1.0, source)
    bridges = [registry().Quantity(1.0)]
    if substance == "insulin":
        amount: Any = registry().Quantity(insulin_factor, "pmol")
        bridges.append(amount / registry().Quantity(1e-3, "U"))
    if substance in MOLAR_MASS:
        bridges.append(1.0 / registry().Quantity(MOLAR_MASS[substance], "g/mol"))
    for bridge in (*bridges, *(1.0 / bridge for bridge in bridges)):
        if (quantity * bridge).check(target.dimensionality):
            return float((quantity * bridge).to(target).magnitude)
    of = f" of {substance}" if substance else ""
    raise UnitError(f"{unit!r} does not measure a quantity{of} in {canonical}")


def to_canonical(
    value: npt.ArrayLike, unit: str, substance: str, *, insulin_factor: float = INSULIN_FACTOR
) -> np.ndarray:
    """Convert concentrations of a substance to its canonical unit.

    Raises
    ------
    UnitError
        If the substance has no canonical unit or the unit does not fit it.
    """
    if substance not in CANONICAL:
        raise UnitError(f"{substance!r} is not known; the known ones are {', '.join(CANONICAL)}")
    factor = conversion_factor(
        unit, CANONICAL[substance], substance=substance, insulin_factor=insulin_factor
    )
    return np.asarray(value, dtype=float) * factor


def enrichment_to_ttr(value: npt.ArrayLike, unit: str) -> np.ndarray:
    """Return an enrichment as the ratio of tracer to everything else.

    Parameters
    ----------
    value : array
        In ``unit``.
    unit : str
        TTR, TTR%, MPE (mole percent excess) or mole fraction.

    Raises
    ------
    UnitError
        If the unit is none of these. A bare percent sign does not say percent of what.
    """
    kind, number = _enrichment(value, unit, ENRICHMENT_UNITS)
    return number if kind == "ratio" else number / (1 - number)


def enrichment_to_share(value: npt.ArrayLike, unit: str) -> np.ndarray:
    """Return an enrichment as the share of heavy atoms; APE and ppm excess are units as well."""
    kind, number = _enrichment(value, unit, ENRICHMENT_UNITS | ATOM_UNITS)
    return number / (1 + number) if kind == "ratio" else number


def _enrichment(
    value: npt.ArrayLike, unit: str, units: dict[str, tuple[str, float]]
) -> tuple[str, np.ndarray]:
    known = unit.lower().replace(" ", "").replace("_", "")
    if known not in units:
        raise UnitError(f"{unit!r} is no unit of enrichment; write TTR, TTR%, MPE or mole fraction")
    kind, factor = units[known]
    return kind, np.asarray(value, dtype=float) * factor


def quantity(value: Any, unit: str) -> Any:
    """Return ``value`` as a dimensional quantity, for tests of dimensional consistency."""
    return registry().Quantity(value, parse(unit))
