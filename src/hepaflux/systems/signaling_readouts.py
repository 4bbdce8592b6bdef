"""Signaling readouts: what blots or phosphosites show of signaling, on scales of their own.

A readout is ``scale (background + signal)``: a scale, since nothing is measured in units, and a
background, since some of what is seen is there without any insulin. Ratios over basal are the same
with a scale of their own, so that log2 ratios get an offset each (the scale) and a range (the
background). Of blots the background is common to those of one study; every phosphosite has its own.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hepaflux.parameter import LogNormal, Parameter
from hepaflux.phosphosites import READ
from hepaflux.systems.option import Settings


class Readout(NamedTuple):
    """What is measured of signaling.

    Attributes
    ----------
    analyte, meaning, flux : str
        What a study calls it, what it is, and the flux that it measures.
    background : str
        Parameter of what is seen without any signal, as a share of the scale.
    """

    analyte: str
    meaning: str
    flux: str
    background: str = "background"


BLOTS: Mapping[str, Readout] = MappingProxyType(
    {
        "IR": Readout("ir_phosphorylation", "phosphorylated insulin receptor", "receptor"),
        "IRS": Readout("irs1_phosphorylation", "tyrosine-phosphorylated IRS-1", "IRS_signal"),
        "Akt": Readout("akt_phosphorylation", "phosphorylated Akt", "Akt_active"),
        "S6K": Readout("s6k_phosphorylation", "phosphorylated S6K1", "S6K1_activity"),
        "ERK": Readout("erk_phosphorylation", "phosphorylated ERK", "MAPK_active"),
    }
)
SITES: Mapping[str, Readout] = MappingProxyType(
    {s.gene: Readout(s.analyte, s.meaning, "Akt_active", f"background_{s.gene}") for s in READ}
)
"""By the end of the name of its scale."""

BLOT, BLANK = LogNormal(0.1, 0.5), 1.0
"""Coefficient of variation of a blot, and its error at low signals where 100 is a high one."""

SITE, SITE_BLANK = LogNormal(0.4, 0.5), 0.05
"""The same of a phosphosite over basal, from one liver to the next; chosen here."""

CHOSEN = "chosen here, wide"


def readouts(settings: Settings) -> Mapping[str, Readout]:
    """Return what is measured under given options, by the end of the name of its scale."""
    return SITES if settings["measured"] == "phosphosites" else BLOTS


def scales(settings: Settings) -> tuple[Parameter, ...]:
    """Return the scale of each readout, and the backgrounds of phosphosites."""
    if settings["measured"] == "blots":
        return tuple(_scale(name, one, LogNormal(100.0, 2.0)) for name, one in BLOTS.items())
    return tuple(
        parameter
        for name, one in SITES.items()
        for parameter in (_scale(name, one, LogNormal(5.0, 1.5)), _background(one))
    )


def _scale(name: str, one: Readout, prior: LogNormal) -> Parameter:
    return Parameter(
        f"scale_{name}",
        unit="arbitrary_unit",
        prior=prior,
        meaning=f"{one.analyte} at full signal",
        source=f"arbitrary units; wide ({one.meaning})",
        sought=False,
    )


def _background(one: Readout) -> Parameter:
    return Parameter(
        one.background,
        unit="1",
        prior=LogNormal(0.05, 1.5),
        meaning=f"{one.analyte} without any signal, as a share of its scale",
        source=CHOSEN,
        sought=False,
    )
