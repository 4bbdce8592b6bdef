"""Hormones: insulin, glucagon and epinephrine as glucose calls for them, and their common switch.

Each hormone is a sigmoid curve of plasma glucose: insulin rises with it, the two that oppose it
fall. In the liver they meet in one number, the phosphorylated share of the enzymes that make and
break glycogen. Glucagon and epinephrine raise it by cyclic AMP and its kinase, insulin lowers it.
What glucagon does wanes while it stays high.

Assumes     the switch of König, Bulik and Holzhütter, in which the stronger of glucagon and
            epinephrine counts, is made smooth: the two act like independent chances
            each hormone counts from its own low level in health, in every state of health
            without beta cells, glucose loses part of its hold on the alpha cells
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from hepaflux.study.study import StudyError, Subject
from hepaflux.systems.infusion import infusion_rate
from hepaflux.systems.smooth import hill, softplus
from hepaflux.systems.system import Curve

WIDTH = 0.05
"""Width of the bend where glucagon falls below its low level, as a share of ``K_g``."""


class Hormones(NamedTuple):
    """Concentrations in plasma, pmol/L."""

    insulin: Any
    glucagon: Any
    epinephrine: Any


def called_for(glucose: Any, p: Any) -> Hormones:
    """Return what glucose calls for, with what is secreted in spite of it.

    Parameters
    ----------
    glucose : mmol/L
        In plasma.
    """
    lack = 1 - hill(glucose, p.E_half, p.E_n)
    epinephrine = p.E_min + (p.E_max - p.E_min) * lack + p.E_added
    held = p.alpha2 * adrenergic(epinephrine, p)
    insulin = p.I_max * p.beta_cells * hill(glucose, p.I_half, p.I_n) * (1 - held)
    # Without insulin beside them the alpha cells are held by glucose in part only.
    hold = 1 - p.unopposed * (1 - p.beta_cells)
    lack = 1 - hold * hill(glucose, p.Gn_half, p.Gn_n)
    glucagon = p.alpha_cells * (p.Gn_min + (p.Gn_max - p.Gn_min) * lack)
    return Hormones(insulin + p.I_floor, glucagon, epinephrine)


def hormones(glucose: Any, p: Any, u: Any) -> Hormones:
    """Return what glucose calls for, with what is infused."""
    own = called_for(glucose, p)
    return own._replace(
        insulin=own.insulin + u.insulin_infused / p.CL_insulin,
        glucagon=own.glucagon + u.glucagon_infused / p.CL_glucagon,
    )


def adrenergic(epinephrine: Any, p: Any) -> Any:
    """Return the response to epinephrine, between 0 and 1."""
    above = epinephrine - p.E_rest
    return above / (above + p.K_e)


def cyclase(known: Hormones, adaptation: Any, p: Any) -> Any:
    """Return the drive of adenylyl cyclase by glucagon and epinephrine, between 0 and 1.

    Parameters
    ----------
    adaptation : pmol/L
        The glucagon of the last half hour; the share ``waning`` of its rise above ``Gn_usual`` no
        longer counts.
    """
    felt = known.glucagon - p.waning * (adaptation - p.Gn_usual) - p.Gn_rest
    above = softplus(felt, WIDTH * p.K_g)
    glucagon = above / (above + p.K_g)
    epinephrine = p.eps_e * adrenergic(known.epinephrine, p)
    return 1 - (1 - glucagon) * (1 - epinephrine)


def restraint(insulin: Any, p: Any) -> Any:
    """Return the response of the switch to insulin, between 0 and 1."""
    return insulin / (insulin + p.K_i)


def phosphorylated(insulin: Any, kinase: Any, p: Any) -> Any:
    """Return the phosphorylated share of phosphorylase and synthase.

    Parameters
    ----------
    insulin : pmol/L
        In plasma.
    kinase : Any
        Activity of protein kinase A, between 0 and 1; at rest that of the cyclase.
    """
    return 0.5 * (1 - restraint(insulin, p) + kinase)


def infused_hormone(name: str) -> Callable[[Subject], Curve]:
    """Read the rate at which a hormone is infused, pmol/kg/min; refuse an injection."""

    def read(subject: Subject) -> Curve:
        for dose in subject.doses:
            if dose.what == name and dose.duration == 0:
                raise StudyError(
                    [
                        f"subject {subject.name}: {name} at {dose.time:g} min is injected at once,"
                        " but the system knows infusions only; give its duration."
                    ]
                )
        return infusion_rate(name)(subject)

    return read
