"""Receptor: the cycle of the insulin receptor, and the three forms of its substrate IRS.

Receptors are free, phosphorylated at the surface, phosphorylated inside the cell, or inside and on
their way back. Insulin enters at one step only, so that at rest the phosphorylated share is
proportional to I / (I + K_R): the occupancy that simpler models start from. IRS is competent,
tyrosine-phosphorylated (what signals) or serine-phosphorylated (inhibited), and the inhibited form
competes for the receptor.

Every form is a share of its moiety. Sources of the values are in ``signaling_values``.
"""

from typing import Any, NamedTuple


class Cycle(NamedTuple):
    """Receptors by form, or their rates of change; each a share of all receptors of health."""

    free: Any
    surface: Any
    inside: Any
    returning: Any


class Substrate(NamedTuple):
    """IRS by form, or their rates of change; each a share of the IRS of health."""

    competent: Any
    tyrosine: Any
    inhibited: Any


def passing(p: Any) -> Any:
    """Return all forms but the free one over that at the surface, at rest."""
    return 1 + p.k_in / p.k_off_in + p.k_in / p.k_back


def phosphorylated_share(p: Any) -> Any:
    """Return the phosphorylated share at endless insulin, at rest."""
    return (1 + p.k_in / p.k_off_in) / passing(p)


def binding(p: Any) -> Any:
    """Return the rate of binding that makes ``K_R`` the insulin of half of it, L/pmol/min."""
    return (p.k_off + p.k_in) / (p.K_R * passing(p))


def occupancy(insulin: Any, p: Any) -> Any:
    """Return what the receptors signal at rest, over all receptors of health at endless insulin."""
    return p.receptors * insulin / (insulin + p.K_R)


def signal(cycle: Cycle, p: Any) -> Any:
    """Return what the receptors signal now, on the scale of ``occupancy``; may pass 1 at first."""
    return (cycle.surface + cycle.inside) / phosphorylated_share(p)


def cycling(cycle: Cycle, insulin: Any, p: Any) -> Cycle:
    """Return the rates of change of the receptors, 1/min."""
    bound = binding(p) * insulin * cycle.free
    entering, stripped = p.k_in * cycle.surface, p.k_off_in * cycle.inside
    released, back = p.k_off * cycle.surface, p.k_back * cycle.returning
    return Cycle(
        free=released + back - bound,
        surface=bound - released - entering,
        inside=entering - stripped,
        returning=stripped - back,
    )


def resting_cycle(insulin: Any, p: Any) -> Cycle:
    """Return the receptors at rest."""
    surface = occupancy(insulin, p) / passing(p)
    inside, returning = p.k_in / p.k_off_in * surface, p.k_in / p.k_back * surface
    return Cycle(p.receptors - surface - inside - returning, surface, inside, returning)


def pull(signalled: Any, inhibited: Any, p: Any) -> Any:
    """Return tyrosine-phosphorylated over competent IRS, at rest.

    The inhibited form takes up receptors: K_c is the share of it that halves the pull.
    """
    return p.Y * signalled / (1 + inhibited / p.K_c)


def removal(p: Any) -> Any:
    """Return the rate at which inhibited IRS is dephosphorylated or degraded, 1/min."""
    return p.rho + p.k_T * (1 + p.delta)


def exchange(irs: Substrate, signalled: Any, load: Any, p: Any) -> Substrate:
    """Return the rates of change of IRS, 1/min.

    Parameters
    ----------
    signalled : 1
        What the receptors signal.
    load : 1
        Serine kinases over what removes their product: inhibited over other IRS, at rest.
    """
    kinases = load * removal(p)
    forward = p.k_Y * pull(signalled, irs.inhibited, p) * irs.competent
    backward = p.k_Y * irs.tyrosine
    restored = p.rho * irs.inhibited
    return Substrate(
        competent=backward
        - forward
        - kinases * irs.competent
        + restored
        + p.k_T * (1 - irs.competent),
        tyrosine=forward - backward - (kinases + p.k_T) * irs.tyrosine,
        inhibited=kinases * (irs.competent + irs.tyrosine) - removal(p) * irs.inhibited,
    )


def turnover(able: Any, inhibited: Any, load: Any, p: Any) -> tuple[Any, Any]:
    """Return the rates of change of IRS that is not inhibited, and of inhibited IRS, 1/min."""
    serine = load * removal(p) * able
    return (
        p.rho * inhibited - serine + p.k_T * (1 - able),
        serine - removal(p) * inhibited,
    )


def tyrosine(able: Any, inhibited: Any, signalled: Any, load: Any, p: Any) -> Any:
    """Return tyrosine-phosphorylated IRS at rest.

    Parameters
    ----------
    able : 1
        IRS that is not inhibited.
    """
    drawn = pull(signalled, inhibited, p)
    slow = (load * removal(p) + p.k_T) / p.k_Y
    return able * drawn / (1 + drawn + slow)


def resting_shares(load: Any, p: Any) -> tuple[Any, Any]:
    """Return IRS that is not inhibited and inhibited IRS, at rest under a load."""
    inhibited = load / (1 + load)
    whole = 1 / (1 + p.delta * inhibited)
    return whole * (1 - inhibited), whole * inhibited


def metabolic_unit(usual: Any, p: Any) -> Any:
    """Return tyrosine-phosphorylated IRS over occupancy, in health.

    Parameters
    ----------
    usual : pmol/L
        Insulin of a healthy fast, at which both signals are made alike.
    """
    signal = usual / (usual + p.K_R)
    return tyrosine(*resting_shares(p.r0, p), signal, p.r0, p) / signal
