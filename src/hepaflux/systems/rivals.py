"""Rivals: what may lie behind a liver that makes too much glucose and too much fat.

Three hypotheses and their common ground are one system under different priors, so that data can
choose between them. None forbids what the others allow beside it: production may follow fatty acids
and lipogenesis may follow substrate in all.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hepaflux.parameter import Fixed, LogNormal, Prior
from hepaflux.systems.resting_liver import TITCHENELL
from hepaflux.systems.signaling_values import LI, TER_HORST


class Hypothesis(NamedTuple):
    """One explanation, as the priors that it stands for.

    Attributes
    ----------
    name : str
        Short, as a table shows it.
    sentence : str
        What it says.
    source : str
        Who argues for it.
    priors : mapping of str to Prior
        Of ``resting_liver``; the others are those that the system declares.
    ill : mapping of str to float
        Medians of virtual patients under it, where they are not those of health.
    """

    name: str
    sentence: str
    source: str
    priors: Mapping[str, Prior]
    ill: Mapping[str, float] = MappingProxyType({})

    def fixes(self, name: str) -> bool:
        """Return whether a parameter is known under the hypothesis."""
        return isinstance(self.priors.get(name), Fixed)


SELECTIVITY = "lambda_L"
"""The parameter that the hypotheses are about; one that leaves it open contains others."""

AS_IN_HEALTH = 0.05
"""How far the median of a group may be from that of health and count as equal: as a coefficient of
variation. People of a group differ from it by a spread that is learned, as under the others."""

FATTY = 245.0
"""Liver triglyceride of virtual patients, mmol: 13 % of liver mass."""

SELECTIVE = Hypothesis(
    "selective",
    "insulin has lost its hold on production alone; lipogenesis answers it as in health",
    LI,
    {"lambda_L": Fixed(0.0)},
    ill={"w_L": 0.4, "drive": 1.2, "L": FATTY},
)
PROXIMAL = Hypothesis(
    "proximal",
    "insulin has lost its hold on both; substrate drives lipogenesis",
    TER_HORST,
    {"lambda_L": Fixed(1.0)},
    ill={"w_L": 0.4, "drive": 2.4, "L": FATTY},
)
INTACT = Hypothesis(
    "intact",
    "insulin signals as in health; fatty acids drive production, and substrate lipogenesis",
    TITCHENELL,
    {"w_L": LogNormal(1.0, AS_IN_HEALTH), "lambda_L": Fixed(0.0)},
    ill={"drive": 1.3, "L": FATTY},
)
FREE = Hypothesis(
    "free",
    "how far the wire to fat shares the fate of the wire to glucose is unknown",
    "common ground of the others",
    {},
)

RIVALS = (SELECTIVE, PROXIMAL, INTACT)
"""Those that are held against each other; ``FREE`` is where the posterior of lambda_L comes from.
"""

HEALTH: Mapping[str, float] = MappingProxyType(
    {"w_L": 1.0, "drive": 1.0, "H_0": 0.011, "supply": 1.0, "L": 53.0}
)
"""Medians of healthy virtual people."""


def hypothesis(name: str) -> Hypothesis:
    """Return the hypothesis called ``name``, or raise ``KeyError`` with the known names."""
    known = {one.name: one for one in (*RIVALS, FREE)}
    if name not in known:
        raise KeyError(f"no hypothesis {name!r}; there are {', '.join(known)}")
    return known[name]
