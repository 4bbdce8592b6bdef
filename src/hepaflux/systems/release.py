"""Release: what liver and kidney release into plasma, what they take up, and what governs it.

All that enters glucose 6-phosphate (G6P) - glycogen that breaks down, new glucose, glucose from
plasma - mixes there, and leaves through the gate, to glycogen or down glycolysis. What is released
of glucose that came from plasma was never gone: a tracer does not see it, and it is no production.

Assumes     G6P is in balance at every moment; glycolysis and synthesis take it in proportion
            the kidney makes new glucose only, behind the same gate
            insulin closes the gate and the release of fatty acids, each at its own concentration
"""

from typing import Any, NamedTuple

from hepaflux.systems.hormones import Hormones, phosphorylated
from hepaflux.systems.smooth import hill, softplus

WIDTH = 0.01
"""Width of each gate's bend, as a share of the scale of what passes it (chosen here)."""


class Flows(NamedTuple):
    """What flows at a moment, mmol/kg/min, and what governs it."""

    hormones: Hormones
    phosphorylation: Any
    lipolysis: Any
    G6P: Any
    breakdown: Any
    synthesis: Any
    overflow: Any
    from_glycogen: Any
    made: Any
    kidney: Any
    Ra: Any
    uptake: Any
    liver_uptake: Any
    renal: Any

    @property
    def GNG(self) -> Any:
        """Return the release of new glucose by liver and kidney."""
        return self.made + self.kidney

    @property
    def EGP(self) -> Any:
        """Return endogenous glucose production."""
        return self.from_glycogen + self.GNG


def gate(insulin: Any, p: Any) -> Any:
    """Return how far the gate of production is open, between 0 and 1."""
    return p.g6pase * (1 - hill(insulin, p.K_E, p.n_E))


def lipolysis(insulin: Any, p: Any) -> Any:
    """Return the release of fatty acids as a share of what it is without insulin."""
    return p.rho + (1 - p.rho) * (1 - hill(insulin, p.K_L, p.n_L))


def uptake(glucose: Any, insulin: Any, p: Any) -> Any:
    """Return uptake by all tissue but the liver, mmol/kg/min."""
    saturable = glucose / (glucose + p.K_c) * (p.G_usual + p.K_c) / p.G_usual
    return p.Fcns * saturable + (p.CL + p.CL_I * hill(insulin, p.K_R, p.n_R)) * glucose


def pooled(entering: Any, opened: Any, lost: Any, p: Any) -> Any:
    """Return the G6P at which what leaves it is what enters, mmol/L.

    ``V x / (K + x) + lost x = entering`` is quadratic in x, with one positive root.

    Parameters
    ----------
    entering : mmol/L/min
        From glycogen, new and from plasma.
    opened : mmol/L/min
        Highest flow through the gate.
    lost : 1/min
        To glycogen and glycolysis, per G6P.
    """
    rest = opened + lost * p.K_G6P - entering
    root = (rest**2 + 4 * lost * entering * p.K_G6P) ** 0.5
    return 2 * entering * p.K_G6P / (rest + root)


def flows(y: Any, known: Hormones, kinase: Any, p: Any) -> Flows:
    """Return all flows of a moment.

    Parameters
    ----------
    kinase : Any
        Activity of protein kinase A, between 0 and 1.
    """
    glucose, insulin = y.S / p.VG, known.insulin
    share, fat = phosphorylated(insulin, kinase, p), lipolysis(insulin, p)
    open_share = gate(insulin, p)
    turned = share / p.phosphorylation_usual
    Ra = p.f * p.kabs * y.gut
    broken = p.k_gly * y.glycogen * turned
    new = p.GNG_4h * y.capacity * (fat / p.lipolysis_usual) ** p.e_F * turned**p.e_P
    from_liver = (1 - p.renal_share) * new / p.V_L
    free = (1 - share) / (1 - p.phosphorylation_usual)
    taken = p.V_GK * hill(glucose + Ra / p.Q_P, p.K_GK, p.n_GK) * free**p.e_GK
    room = softplus(1 - y.glycogen / p.Gly_full, WIDTH)
    made = p.k_gs * (p.leak + (1 - p.leak) * (1 - share) ** p.sites) * room
    entering = broken + from_liver + taken
    G6P = pooled(entering, p.V_G6P * open_share, made + p.k_over, p)
    released = p.V_G6P * open_share * G6P / (p.K_G6P + G6P)
    # Released glucose is a mixture of all that enters G6P.
    passed = p.V_L * released / entering
    return Flows(
        hormones=known,
        phosphorylation=share,
        lipolysis=fat,
        G6P=G6P,
        breakdown=p.V_L * broken,
        synthesis=p.V_L * made * G6P,
        overflow=p.V_L * p.k_over * G6P,
        from_glycogen=passed * broken,
        made=passed * from_liver,
        kidney=p.renal_share * new * open_share,
        Ra=Ra,
        uptake=uptake(glucose, insulin, p),
        liver_uptake=p.V_L * taken - passed * taken,
        renal=p.CL_renal * softplus(glucose - p.G_renal, WIDTH * p.G_renal),
    )
