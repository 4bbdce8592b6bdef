"""Lipogenesis: what the systems that find newly made fatty acids by their ions declare alike.

A fatty acid in plasma or liver is a mixture of molecules made since the label was given, share f,
and of older ones. Both systems monitor some ions of one fatty acid, take f as the main unknown and
follow it through a pool that turns over with rate k. They differ in the label and so in the pattern
of what is newly made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hepaflux import isotopes
from hepaflux.parameter import Beta, LogNormal, Parameter
from hepaflux.systems.option import Option, Settings
from hepaflux.systems.system import Derived, Output

TIMLIN = "Timlin MT, Parks EJ (2005) Am J Clin Nutr 81:35"
DONNELLY = "Donnelly KL et al. (2005) J Clin Invest 115:1343"
SMITH = "Smith GI et al. (2020) J Clin Invest 130:1453"
AARSLAND = "Aarsland A et al. (1996) J Clin Invest 98:2008"

PER_DAY = 1 / 1440
"""One per day in 1/min: turnover is canonical in minutes and readable in days."""

FORMS = ("methyl ester", "free acid", "carboxylate")
"""Ions by name; their hydrogens are 2 more, equal, or 1 fewer than those of the acid."""

NEWLY_MADE = {
    "any": (Beta(1.0, 4.0), f"covers {TIMLIN}; {SMITH}; the shape is a choice"),
    "fasted": (Beta(1.0, 12.0), f"{TIMLIN}: 0.047 (SD 0.033) fasted; widened by choice"),
    "fed": (Beta(2.0, 8.0), f"{TIMLIN}: 0.18 to 0.23 (SD 0.07 to 0.09) fed; widened by choice"),
}
"""Prior of the newly made share, by nutrition, and where it is from."""

OPTIONS = (
    Option(
        "fatty_acid",
        "the fatty acid whose ions <fatty acid>_m0, _m1, ... are measured",
        default="palmitate",
        choices=tuple(isotopes.FATTY_ACIDS),
    ),
    Option(
        "formula",
        "the ion: methyl ester (GC-MS), free acid, carboxylate (negative mode), or its formula if"
        " it is a fragment or another derivative",
        default="methyl ester",
        choices=FORMS,
        other="a chemical formula",
        check=isotopes.atoms,
    ),
    Option("ions", "mass units of the monitored ions above the lightest", default=(0, 1, 2)),
    Option(
        "nutrition",
        "which prior the newly made share has: any, fasted or fed",
        default="any",
        choices=tuple(NEWLY_MADE),
    ),
)


@dataclass(frozen=True)
class Monitored:
    """The ions of one fatty acid that a mass spectrometer reports.

    Attributes
    ----------
    fatty_acid, formula : str
        Its name, and the chemical formula of the ion.
    ions : tuple of int
        Mass units above the lightest ion.
    """

    fatty_acid: str
    formula: str
    ions: tuple[int, ...]

    @property
    def highest(self) -> int:
        """Return the mass units of the heaviest ion."""
        return max(self.ions)

    @property
    def analytes(self) -> tuple[str, ...]:
        """Return the analytes of the study, one for each ion."""
        return tuple(isotopes.ion(self.fatty_acid, ion) for ion in self.ions)

    @property
    def natural(self) -> tuple[float, ...]:
        """Return the natural pattern, from M0 to the heaviest monitored ion."""
        return tuple(isotopes.natural_pattern(self.formula, self.highest).tolist())

    def __str__(self) -> str:
        """Return the ions in words."""
        return ", ".join(f"M{ion}" for ion in self.ions)


def monitored(settings: Settings) -> Monitored:
    """Return what the options of a system say about the ions.

    Raises
    ------
    ValueError
        If these are no ions of the fatty acid, or the formula has too few carbons for it.
    """
    name, form = settings["fatty_acid"], settings["formula"]
    carbons, _ = isotopes.FATTY_ACIDS[name]
    stated = np.atleast_1d(settings["ions"]).tolist()
    if len(stated) < 2 or len({*stated}) < len(stated) or not {*stated} <= {*range(carbons + 1)}:
        allowed = f"two or more different integers from 0 to {carbons}"
        raise ValueError(f"ions must be {allowed}, but are {stated}")
    formula = formula_of(name, form)
    if isotopes.atoms(formula).get("C", 0) < carbons:
        raise ValueError(f"formula {formula} has fewer carbons than {name}, which has {carbons}")
    return Monitored(name, formula, tuple(int(ion) for ion in stated))


def formula_of(fatty_acid: str, form: str) -> str:
    """Return the chemical formula of an ion that is called by a name in ``FORMS``, or as it is."""
    carbons, double_bonds = isotopes.FATTY_ACIDS[fatty_acid]
    formulas = {
        "methyl ester": isotopes.methyl_ester(carbons, double_bonds),
        "free acid": isotopes.fatty_acid(carbons, double_bonds),
        "carboxylate": f"C{carbons}H{2 * (carbons - double_bonds) - 1}O2",
    }
    return formulas.get(form, form)


def newly_made(nutrition: str, fatty_acid: str) -> Parameter:
    """Return the parameter of the newly made share."""
    prior, source = NEWLY_MADE[nutrition]
    return Parameter(
        "f",
        unit="1",
        prior=prior,
        meaning=f"newly made share of the {fatty_acid} that enters the pool",
        source=f"{source} ({DONNELLY} for the spread)",
        spread=0.6,
    )


def turnover(fatty_acid: str) -> Parameter:
    """Return the parameter of the pool's turnover; its median is 6 per day."""
    return Parameter(
        "k",
        unit="1/min",
        prior=LogNormal(6.0 * PER_DAY, 0.7),
        meaning=f"fractional turnover of the pool of {fatty_acid}",
        source=f"{AARSLAND}: VLDL triglyceride, 9.2 to 2.1 pools per day",
        spread=0.4,
    )


def per_day(rate: str = "k") -> Derived:
    """Return a rate constant in pools per day."""
    meaning = "fractional turnover in pools per day" if rate == "k" else f"{rate} in pools per day"
    return Derived(f"{rate}_per_day", "1/day", meaning, lambda p, u: getattr(p, rate) / PER_DAY)


def ions_output(ions: Monitored, value: Callable[[Any, Any, Any], Any]) -> Output:
    """Return the measured ions of a fatty acid as one composition.

    Parameters
    ----------
    ions : Monitored
        Names the output and its analytes.
    value : callable (y, p, u) -> pattern
        From M0 to the heaviest monitored ion.
    """
    return Output(
        ions.fatty_acid,
        "1",
        f"ions of {ions.fatty_acid} ({ions}) as shares of their sum",
        analyte=ions.analytes,
        value=lambda y, p, u: tuple(value(y, p, u)[ion] for ion in ions.ions),
        cv=LogNormal(4e-4, 0.5),
        floor=0.0,
        axis="ion",
    )


def excess(ion: int, ions: Monitored, pattern: Callable[[Any], Any], precursor: str) -> Derived:
    """Return the excess of an ion in newly made molecules over its natural share.

    Parameters
    ----------
    ion : int
        Mass units above the lightest.
    ions : Monitored
        Its share is that among these.
    pattern : callable (p) -> pattern
        Of newly made molecules.
    precursor : str
        The parameter on which it depends, in words.
    """
    place = ions.ions.index(ion)
    natural = isotopes.normalize(ions.natural, ions.ions)[place]
    return Derived(
        f"A{ion}",
        "1",
        f"excess of M{ion} in newly made {ions.fatty_acid} at this {precursor}",
        lambda p, u: isotopes.normalize(pattern(p), ions.ions)[place] - natural,
    )
