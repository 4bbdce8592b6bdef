"""Isotopes: how the molecules of a substance spread over their masses.

A *pattern* holds the shares of the molecules that are 0, 1, 2, ... mass units heavier than the
lightest one (M0, M1, M2, ...), cut off after the heaviest that matters; what is cut off changes
none of the others. Patterns of independent parts of a molecule are convolved. Enrichments are mole
fractions in excess of natural abundance. Where an argument is said to be a *number*, plain
arithmetic is all that is done with it, so that it may be a float, an array, a symbol or a
dimensionless quantity, and everything can be differentiated.

Formulas are those of the ion that is monitored. A fatty acid that is measured as its methyl ester
has the formula of the ester, C17H34O2 for palmitate, and one that is measured as a fragment that of
the fragment: every atom of the ion spreads its mass, also those that no label can reach.
"""

import itertools
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import molmass
import numpy as np

CARBON_13 = 0.010816
"""Natural abundance of 13C in lipids and C3 plants.

It follows from a ratio of 0.0112372 in the standard VPDB (Craig 1957, Geochim Cosmochim Acta
12:133) and the -27 per mil by which such carbon is below it. The representative abundance of IUPAC
is 0.0107 with an uncertainty of 0.0008, which is too wide for mass isotopomers.
"""

ABUNDANCES: Mapping[str, tuple[float, ...]] = {
    "H": (0.999885, 0.000115),
    "C": (1 - CARBON_13, CARBON_13),
    "N": (0.99636, 0.00364),
    "O": (0.99757, 0.00038, 0.00205),
    "F": (1.0,),
    "Si": (0.92223, 0.04685, 0.03092),
    "P": (1.0,),
    "S": (0.9499, 0.0075, 0.0425, 0.0, 0.0001),
}
"""Natural abundance of each element's isotopes by mass units above the lightest.

Representative abundances of IUPAC (Berglund & Wieser 2011, Pure Appl Chem 83:397), carbon excepted.
"""


FATTY_ACIDS: Mapping[str, tuple[int, int]] = {
    "myristate": (14, 0),
    "palmitate": (16, 0),
    "palmitoleate": (16, 1),
    "stearate": (18, 0),
    "oleate": (18, 1),
}
"""Carbons and double bonds of the fatty acids that lipogenesis is measured in."""


def ion(fatty_acid: str, mass: int) -> str:
    """Return the name of the ion of a fatty acid that is ``mass`` units above the lightest."""
    return f"{fatty_acid}_m{mass}"


IONS = tuple(
    ion(name, mass) for name, (carbons, _) in FATTY_ACIDS.items() for mass in range(carbons + 1)
)
"""Names of all ions that a study may measure, unlabeled to labeled in every carbon."""


@dataclass(frozen=True)
class Label:
    """What a labeled building block carries into the molecule.

    Attributes
    ----------
    element : str
        The labeled element; its heavier isotope is one mass unit above the lighter.
    atoms : int
        Labeled atoms of each building block that end up in the molecule.
    purity : float
        Share of these atoms that are heavy in the tracer.
    """

    element: str
    atoms: int
    purity: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a label that is none."""
        if self.element not in ABUNDANCES or len(ABUNDANCES[self.element]) != 2:
            raise ValueError(f"{self.element!r} cannot be the label; use C, H or N")
        if self.atoms < 1:
            raise ValueError(f"atoms must be at least 1, but is {self.atoms}")
        natural = ABUNDANCES[self.element][1]
        if not natural < self.purity <= 1:
            allowed = f"above {natural:g} and at most 1"
            raise ValueError(f"purity must be {allowed}, but is {self.purity}")


def atoms(formula: str) -> dict[str, int]:
    """Return how many atoms of each element a chemical formula holds; a charge is ignored.

    Raises
    ------
    ValueError
        If the formula cannot be read, is empty, or names an element or a single isotope that is not
        in ``ABUNDANCES``.
    """
    try:
        counted = molmass.Formula(formula).composition()
    except molmass.FormulaError as error:
        raise ValueError(f"{formula!r} is not a chemical formula") from error
    found = {symbol: item.count for symbol, item in counted.items() if symbol != "e-"}
    unknown = ", ".join(symbol for symbol in found if symbol not in ABUNDANCES)
    if unknown or not found:
        raise ValueError(
            f"{formula!r} holds {unknown or 'nothing'}; known are {', '.join(ABUNDANCES)}"
        )
    return found


def fatty_acid(carbons: int, double_bonds: int = 0) -> str:
    """Return the formula of a fatty acid, such as 16, 0 for palmitic acid."""
    return f"C{carbons}H{2 * (carbons - double_bonds)}O2"


def methyl_ester(carbons: int, double_bonds: int = 0) -> str:
    """Return the formula of a fatty acid's methyl ester."""
    return fatty_acid(carbons + 1, double_bonds)


def acetyl_units(carbons: int) -> int:
    """Return how many acetyl units a fatty acid is made of.

    Raises
    ------
    ValueError
        If the chain is odd: it starts from a propionyl unit, which the precursor does not label.
    """
    if carbons % 2 or carbons < 4:
        raise ValueError(f"carbons must be even and at least 4, but is {carbons}")
    return carbons // 2


def powers(base: Any, highest: int) -> list[Any]:
    """Return the powers 0 to ``highest`` of a number, by repeated multiplication."""
    return list(itertools.accumulate([base] * highest, operator.mul, initial=1.0))


def choose(n: Any, k: int) -> Any:
    """Return the binomial coefficient; ``n`` may be any number."""
    return math.prod((n - i) / (i + 1) for i in range(k))


def binomial(n: Any, q: Any, highest: int) -> tuple[Any, ...]:
    """Return the pattern of ``n`` equal atoms, each heavy with probability ``q``.

    Parameters
    ----------
    n : int or number
        How many atoms. An integer is exact for every ``q``; any other number, as the number of
        exchangeable hydrogens is, must exceed ``highest`` and the pattern is the binomial series.
    q : number
        Between 0 and 1.
    highest : int
        Mass units after which the pattern is cut off.
    """
    top = min(n, highest) if isinstance(n, int) else highest
    heavy, light = powers(q, top), powers(1 - q, top)
    rest = (1 - q) ** (n - top)
    terms = [rest * choose(n, k) * heavy[k] * light[top - k] for k in range(top + 1)]
    return (*terms, *[0.0] * (highest - top))


def convolve(first: Sequence[Any], second: Sequence[Any]) -> tuple[Any, ...]:
    """Return the pattern of two parts together, cut off where the first pattern is."""
    return tuple(
        sum(first[i] * second[k - i] for i in range(k + 1) if k - i < len(second))
        for k in range(len(first))
    )


def normalize(pattern: Sequence[Any], ions: Sequence[int] | None = None) -> tuple[Any, ...]:
    """Return the shares of the monitored ions among themselves.

    Parameters
    ----------
    pattern : sequence of number
        From M0 on.
    ions : sequence of int, optional
        Mass units of the monitored ions, in any order and with gaps; by default all.
    """
    chosen = pattern if ions is None else [pattern[ion] for ion in ions]
    total = sum(chosen)
    return tuple(part / total for part in chosen)


def mix(shares: Sequence[Any], patterns: np.ndarray) -> tuple[Any, ...]:
    """Return the pattern of a mixture.

    Parameters
    ----------
    shares : sequence of number
        Share of each component.
    patterns : array (component, ion)
        The pattern of each component.
    """
    columns = np.asarray(patterns, dtype=float).T.tolist()
    return tuple(
        sum(share * part for share, part in zip(shares, column, strict=True)) for column in columns
    )


def natural_pattern(formula: str | Mapping[str, int], highest: int) -> np.ndarray:
    """Return the pattern of a molecule without label.

    Parameters
    ----------
    formula : str or mapping of str to int
        Chemical formula, or atoms by element.
    highest : int
        Mass units after which the pattern is cut off.

    Returns
    -------
    array (ion,)
        Shares of all molecules, M0 to ``highest``.
    """
    composition = atoms(formula) if isinstance(formula, str) else formula
    parts = [ABUNDANCES[symbol] for symbol, n in composition.items() for _ in range(n)]
    pattern = np.eye(1, highest + 1)[0]
    for part in parts:
        pattern = np.convolve(pattern, part)[: highest + 1]
    return pattern


def labeled_patterns(formula: str, label: Label, units: int, highest: int) -> np.ndarray:
    """Return the patterns of a molecule of which 0 to ``units`` building blocks are labeled.

    Every other atom, those of the blocks that no label reaches included, has its natural abundance.
    The pattern of newly made molecules is the mixture of the rows with binomial shares, which for
    [1-13C]acetate is that of Hellerstein & Neese (1999, Am J Physiol 276:E1146).

    Parameters
    ----------
    formula : str
        The monitored ion.
    label : Label
        What a labeled building block carries.
    units : int
        Labeled building blocks at most.
    highest : int
        Mass units after which the patterns are cut off.

    Returns
    -------
    array (labeled unit, ion)
        Shares of all molecules with that many labeled units.

    Raises
    ------
    ValueError
        If the molecule has fewer atoms than its building blocks carry.
    """
    composition = atoms(formula)
    reached = units * label.atoms
    if composition.get(label.element, 0) < reached:
        raise ValueError(f"{formula} has fewer than the {reached} {label.element} of its units")
    rows = []
    for heavy in range(0, reached + 1, label.atoms):
        rest = composition | {label.element: composition[label.element] - heavy}
        labeled = binomial(heavy, label.purity, highest)
        rows.append(convolve(natural_pattern(rest, highest).tolist(), labeled))
    return np.array(rows)


def deuterated_pattern(
    formula: str, exchangeable: Any, enrichment: Any, highest: int
) -> tuple[Any, ...]:
    """Return the pattern of a molecule that was made in heavy water.

    Parameters
    ----------
    formula : str
        The monitored ion.
    exchangeable : number
        Hydrogens that come from body water or exchange with it while the molecule is made; it need
        not be an integer (Lee et al. 1994, Am J Physiol 266:E372).
    enrichment : number
        Deuterium of body water, mole fraction above natural.
    highest : int
        Mass units after which the pattern is cut off; fewer than ``exchangeable``.

    Returns
    -------
    tuple of number
        Shares of all molecules, M0 to ``highest``.
    """
    patterns = labeled_patterns(formula, Label("H", 1), highest, highest)
    return mix(binomial(exchangeable, enrichment, highest), patterns)


def in_powers(patterns: np.ndarray) -> np.ndarray:
    """Return a binomial mixture of patterns as polynomials in the enrichment.

    Parameters
    ----------
    patterns : array (labeled unit, ion)
        As ``labeled_patterns`` returns them.

    Returns
    -------
    array (power, ion)
        Coefficients, the constant first.
    """
    units = len(patterns) - 1
    differences = [np.diff(patterns, n=power, axis=0)[0] for power in range(units + 1)]
    return np.array([math.comb(units, power) * row for power, row in enumerate(differences)])


def made_from(factors: Sequence[Any], coefficients: np.ndarray) -> tuple[Any, ...]:
    """Return the pattern of molecules made from a precursor, by nested multiplication.

    It equals ``mix`` with the shares of the labeled units, in the fewest steps.

    Parameters
    ----------
    factors : sequence of number
        One for each unit: ``[enrichment] * units`` if every molecule sees the same precursor, or
        ``moment_ratios`` if it is uneven.
    coefficients : array (power, ion)
        As ``in_powers`` returns them.
    """
    constant, *steps = np.asarray(coefficients).tolist()
    nested = steps[-1]
    for factor, step in zip(factors[:0:-1], steps[-2::-1], strict=True):
        nested = [part + factor * rest for part, rest in zip(step, nested, strict=True)]
    return tuple(part + factors[0] * rest for part, rest in zip(constant, nested, strict=True))


def moment_ratios(mean: Any, correlation: Any, units: int) -> list[Any]:
    """Return each moment of an uneven precursor's enrichment over the moment before it.

    The enrichment varies between molecules by a beta distribution, and all units of one molecule
    come from the same precursor, so that labels in one molecule are correlated.

    Parameters
    ----------
    mean : number
        Of the enrichment.
    correlation : number
        Of the labels of two units of a molecule, 0 to 1: the variance of the enrichment is
        ``correlation * mean * (1 - mean)``.
    units : int
        How many moments; at least 2.
    """
    first, second = mean, correlation + mean * (1 - correlation)
    further = (
        (i * correlation + mean * (1 - correlation)) / (1 + (i - 1) * correlation)
        for i in range(2, units)
    )
    return [first, second, *further]
