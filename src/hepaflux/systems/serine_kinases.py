"""Serine kinases: what inhibits IRS, and how a strained fat tissue gets to it.

Diacylglycerol acts by protein kinase C (epsilon in liver, theta in muscle), fatty acids by the
stress of the endoplasmic reticulum on JNK, cytokines on JNK and IKK-beta, and insulin itself by
S6K1. The load is the ratio of these kinases to what removes their product; in health it is r0, and
only what exceeds health raises it. Fat cells that outgrow their size spill fatty acids and draw
macrophages; new cells (hyperplasia) prevent both.
"""

from typing import Any, NamedTuple

from hepaflux.systems.smooth import rectified

BEND = 0.05
"""Width of the bend at the load of health, as a share of it (chosen here)."""


class Surroundings(NamedTuple):
    """What a cell is exposed to, each over that of health."""

    TNFa: Any = 1.0
    IL6: Any = 1.0
    FFA: Any = 1.0
    DAG: Any = 1.0
    substrate: Any = 1.0


HEALTH = Surroundings()


def saturating(x: Any, half: Any) -> Any:
    """Return x^2 / (half^2 + x^2)."""
    return x**2 / (half**2 + x**2)


def jnk(around: Surroundings, p: Any) -> Any:
    """Return the activity of JNK, between 0 and 1; fatty acids act by stress of the reticulum."""
    driven = p.w_TNF * around.TNFa + p.w_IL6 * around.IL6 + saturating(around.FFA, p.K_U)
    return driven / (1 + driven)


def ikk(around: Surroundings, p: Any) -> Any:
    """Return the activity of IKK-beta, between 0 and 1."""
    driven = p.w_TNF * around.TNFa
    return driven / (1 + driven)


def excess(around: Surroundings, p: Any) -> Any:
    """Return what the surroundings add to the load, over the load of health."""
    return (
        p.g_PKC * (saturating(around.DAG, p.K_D) - saturating(HEALTH.DAG, p.K_D))
        + p.g_JNK * (jnk(around, p) - jnk(HEALTH, p))
        + p.g_IKK * (ikk(around, p) - ikk(HEALTH, p))
    )


def load_with(added: Any, s6k: Any, usual: Any, p: Any) -> Any:
    """Return the load with the feedback of S6K1, at least that of health.

    Parameters
    ----------
    added : 1
        What the surroundings add, over the load of health.
    s6k, usual : 1
        Activity of S6K1 now, and in health at usual insulin.
    """
    return p.r0 * (1 + rectified(added + p.g_S6K * (s6k - usual), BEND))


def strain(size: Any) -> Any:
    """Return how far fat cells outgrow the size of health, which is 1."""
    return rectified(size - 1, BEND)


def cytokines(strained: Any, p: Any) -> tuple[Any, Any]:
    """Return TNF-alpha and interleukin 6 of a strained fat tissue, over those of health."""
    return 1 + p.e_TNF * strained, 1 + p.e_IL6 * strained


def spilling(p: Any) -> Surroundings:
    """Return what a fat tissue of some mass and number of cells exposes other tissue to."""
    strained = strain(p.fat_mass / p.fat_cells)
    tnf, il6 = cytokines(strained, p)
    return Surroundings(
        TNFa=tnf,
        IL6=il6,
        FFA=1 + p.e_FFA * strained,
        DAG=1 + p.e_DAG * strained,
        substrate=p.substrate,
    )
