"""Units: the canonical ones used inside, and the conversions made once, at the border.

Inside hepaflux every number is canonical: minutes, mmol/L glucose, pmol/L insulin, nmol/L
C-peptide, kg, fractions. A number is converted when a table is read or a command-line option is
parsed, and never again. Insulin needs a convention: one microunit per mL is 6.00 pmol/L by the
current reference (Volund 1993, Diabetologia 36:1009) and 6.945 pmol in older papers. The 16 %
between them goes straight into insulin sensitivity, so the convention is stored with each study.
"""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pint

INSULIN_FACTOR = 6.00
"""Default pmol/L in one µU/mL of insulin (pmol in one milliunit)."""

MOLAR_MASS = {"glucose": 180.156, "c_peptide": 3020.3, "insulin": 5807.6}
"""Grams per mole; the substances that laboratories report by mass."""

CANONICAL = {
    "time": "min",
    "glucose": "mmol/L",
    "insulin": "pmol/L",
    "c_peptide": "nmol/L",
    "weight": "kg",
}
"""Canonical unit of each analyte, and of time and weight."""

CANONICAL_AMOUNT = {"glucose": "mmol", "insulin": "pmol"}
"""Canonical unit of a dose, by substance."""


class UnitError(ValueError):
    """A unit that cannot be read, or that does not measure the quantity at hand."""


@functools.cache
def registry() -> pint.UnitRegistry:
    """Return the unit registry, which knows insulin units beside the SI."""
    ureg: pint.UnitRegistry = pint.UnitRegistry()
    ureg.define("insulin_unit = [insulin_activity] = U = IU")
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


def quantity(value: Any, unit: str) -> Any:
    """Return ``value`` as a dimensional quantity, for tests of dimensional consistency."""
    return registry().Quantity(value, parse(unit))
