"""Signaling arms: from the receptor to FoxO1, GLUT4 and PDE3B, to mTORC1 and to MAPK.

The metabolic arm passes IRS, PI3-kinase, PIP3 and Akt. What drives mTORC1 (and by it S6K1 and
lipogenesis) passes inhibited IRS in part, as does what drives Ras and MAPK: the selectivity lambda
of an arm is 0 where it does not feel the inhibition, and 1 where it does as the metabolic arm.

Each function gives the value at rest; ``rates`` lets all of them follow in minutes.
"""

from typing import Any, NamedTuple

from hepaflux.systems.smooth import hill, rectified


class Tissue(NamedTuple):
    """What a tissue does with insulin.

    Attributes
    ----------
    name : str
    effectors : tuple of str
        What Akt governs there; of FoxO1 it is the share in the nucleus, which Akt lowers.
    portal : bool
        Whether it sees the insulin of the portal vein.
    """

    name: str
    effectors: tuple[str, ...]
    portal: bool = False

    @property
    def is_lipogenic(self) -> bool:
        """Return whether SREBP-1c is followed there."""
        return self.name == "liver"


TISSUES = {
    "liver": Tissue("liver", ("FoxO1",), portal=True),
    "muscle": Tissue("muscle", ("GLUT4",)),
    "fat": Tissue("fat", ("PDE3B", "GLUT4")),
}
"""Tissues by name."""

LOWERED = ("FoxO1",)
"""Effectors that Akt turns off."""


class Arms(NamedTuple):
    """What the arms carry, each between 0 and about 1, or its rate of change."""

    PIP3: Any
    Akt: Any
    effectors: tuple[Any, ...]
    mTORC1: Any
    S6K1: Any
    Ras: Any
    MAPK: Any


class Drive(NamedTuple):
    """What reaches the arms, on the scale of occupancy.

    Attributes
    ----------
    receptor : 1
        What the receptors signal.
    metabolic : 1
        What IRS signals.
    """

    receptor: Any
    metabolic: Any

    def past(self, selectivity: Any) -> Any:
        """Return what drives an arm that feels inhibited IRS by the share ``selectivity``."""
        return (1 - selectivity) * self.receptor + selectivity * self.metabolic


def akt(pip3: Any, p: Any) -> Any:
    """Return active Akt at rest."""
    return pip3 / (pip3 + p.K_Akt)


def effector(name: str, active: Any, p: Any) -> Any:
    """Return what an effector does at rest at some active Akt; half at its insulin in health."""
    half = getattr(p, f"half_{name}")
    turned = hill(active, akt(half / (half + p.K_R), p), getattr(p, f"n_{name}"))
    return 1 - turned if name in LOWERED else turned


def mtorc1(driven: Any, usual: Any, p: Any) -> Any:
    """Return the activity of mTORC1 at rest.

    Parameters
    ----------
    driven : 1
        What drives it, on the scale of occupancy.
    usual : pmol/L
        Insulin that the tissue sees in a healthy fast.
    """
    return p.nutrients * _pushed(driven, usual, p)


def _pushed(driven: Any, usual: Any, p: Any) -> Any:
    half = p.M_half * usual
    return hill(driven, half / (half + p.K_R), p.n_M)


def usual_mtorc1(usual: Any, p: Any) -> Any:
    """Return the activity of mTORC1 in health: usual insulin and nutrients, all receptors."""
    return _pushed(usual / (usual + p.K_R), usual, p)


def usual_effector(name: str, usual: Any, p: Any) -> Any:
    """Return what an effector does in health at usual insulin, with all receptors."""
    return effector(name, akt(usual / (usual + p.K_R), p), p)


def at_rest(drive: Drive, tissue: Tissue, usual: Any, p: Any) -> Arms:
    """Return what the arms carry at rest."""
    active = akt(drive.metabolic, p)
    pushed, ras = mtorc1(drive.past(p.lambda_L), usual, p), drive.past(p.lambda_M)
    return Arms(
        PIP3=drive.metabolic,
        Akt=active,
        effectors=tuple(effector(name, active, p) for name in tissue.effectors),
        mTORC1=pushed,
        S6K1=pushed,
        Ras=ras,
        MAPK=ras / (ras + p.K_MAPK),
    )


def rates(arms: Arms, drive: Drive, tissue: Tissue, usual: Any, p: Any) -> Arms:
    """Return the rates of change of what the arms carry, 1/min.

    Akt and MAPK are moieties: what is active is made from what is not.
    """
    pushed = mtorc1(drive.past(p.lambda_L), usual, p)
    targets = (effector(name, arms.Akt, p) for name in tissue.effectors)
    return Arms(
        PIP3=p.k_PIP3 * (drive.metabolic - arms.PIP3),
        Akt=p.k_Akt * (arms.PIP3 * (1 - arms.Akt) / p.K_Akt - arms.Akt),
        effectors=tuple(
            getattr(p, f"k_{name}") * (target - now)
            for name, target, now in zip(tissue.effectors, targets, arms.effectors, strict=True)
        ),
        mTORC1=p.k_M * (pushed - arms.mTORC1),
        S6K1=p.k_S6K * (arms.mTORC1 - arms.S6K1),
        Ras=p.k_Ras * (drive.past(p.lambda_M) - arms.Ras),
        MAPK=p.k_MAPK * (arms.Ras * (1 - arms.MAPK) / p.K_MAPK - arms.MAPK),
    )


SUBSTRATE_BEND = 0.02
"""Width of the bend at the substrate of health (chosen here)."""


def lipogenic(mtor: Any, substrate: Any, p: Any) -> Any:
    """Return SREBP-1c at rest; substrate above that of health drives it too, as ChREBP does."""
    return mtor * (1 + p.chi * rectified(substrate - 1, SUBSTRATE_BEND))
