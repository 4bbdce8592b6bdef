"""Quantities: what published figures are about, each with its unit and the values that it can take.

A quantity is the mean of a group of people as a paper prints it. A rate may be printed for the
whole person or per kilogram of body weight or of fat-free mass; that is its scale.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

MASSES = ("body weight", "fat-free mass")
"""Scales other than the whole person, which is the empty text."""

LIGHTEST, HEAVIEST = 20.0, 200.0
"""Body masses in kg between which a group's typical mass lies, whichever mass it is."""


@dataclass(frozen=True)
class Quantity:
    """Something that papers print as a mean of a group.

    Attributes
    ----------
    name : str
        Name of the parameter that stands for it in a fit.
    unit : str
        Canonical, for the whole person; ``"1"`` for a fraction.
    meaning : str
        What a physiologist would call it.
    support : {"positive", "unit"}
        A positive number, or a fraction between 0 and 1.
    lower, upper : float
        Means of groups that occur, in ``unit``.
    is_rate : bool
        Whether it may also be printed per kilogram.
    """

    name: str
    unit: str
    meaning: str
    support: Literal["positive", "unit"]
    lower: float
    upper: float
    is_rate: bool = False

    def __post_init__(self) -> None:
        """Refuse a name that no variable can have, and an empty range."""
        if not self.name.isidentifier():
            raise ValueError(f"a quantity's name must be an identifier, but is {self.name!r}")
        if not self.lower < self.upper:
            raise ValueError(f"{self.name}: lower must be below upper")

    @property
    def scales(self) -> tuple[str, ...]:
        """Return the scales on which it may be printed."""
        return ("", *MASSES) if self.is_rate else ("",)

    def unit_on(self, scale: str) -> str:
        """Return its canonical unit on a scale."""
        return f"{self.unit}/kg" if scale else self.unit

    def range_on(self, scale: str) -> tuple[float, float]:
        """Return the means of groups that occur on a scale."""
        return (self.lower / HEAVIEST, self.upper / LIGHTEST) if scale else (self.lower, self.upper)


QUANTITIES = (
    Quantity(
        "dnl_fraction",
        "1",
        "fraction of the fatty acids of hepatic or secreted triglyceride made by de novo"
        " lipogenesis, fasting",
        "unit",
        0.001,
        0.8,
    ),
    Quantity(
        "dnl_fraction_fed",
        "1",
        "fraction of the fatty acids of secreted triglyceride made by de novo lipogenesis, after"
        " meals or on a high-carbohydrate diet",
        "unit",
        0.001,
        0.9,
    ),
    Quantity(
        "vldl_tg_secretion",
        "umol/min",
        "secretion of VLDL-triglyceride, fasting",
        "positive",
        1.0,
        300.0,
        is_rate=True,
    ),
    Quantity(
        "egp_suppression",
        "1",
        "fraction by which insulin lowers endogenous glucose production in a clamp",
        "unit",
        0.02,
        0.995,
    ),
    Quantity(
        "hepatic_insulin_sensitivity",
        "1",
        "reciprocal of fasting glucose production times insulin, scaled as its source prints it",
        "positive",
        0.001,
        1000.0,
    ),
    Quantity(
        "liver_fat",
        "1",
        "triglyceride of the liver, fraction of its mass or of its magnetic resonance signal",
        "unit",
        0.002,
        0.6,
    ),
)
"""The quantities of the bundled table."""


def by_name(extra: Iterable[Quantity] = ()) -> Mapping[str, Quantity]:
    """Return the known quantities and further ones by their names."""
    return {quantity.name: quantity for quantity in (*QUANTITIES, *extra)}
