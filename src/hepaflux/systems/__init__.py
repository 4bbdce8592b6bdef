"""Physiological models, one per file; each is declared as one ``System``."""

from hepaflux.systems.clamp import clamp as clamp
from hepaflux.systems.composition import compose as compose
from hepaflux.systems.extraction import extraction as extraction
from hepaflux.systems.fasting import fasting as fasting
from hepaflux.systems.heavy_water import heavy_water as heavy_water
from hepaflux.systems.ivgtt_labeled import ivgtt_labeled as ivgtt_labeled
from hepaflux.systems.liver_fat import liver_fat as liver_fat
from hepaflux.systems.meal import meal as meal
from hepaflux.systems.mida import mida as mida
from hepaflux.systems.minimal import minimal as minimal
from hepaflux.systems.oral import oral as oral
from hepaflux.systems.oral_labeled import oral_labeled as oral_labeled
from hepaflux.systems.resting_liver import resting_liver as resting_liver
from hepaflux.systems.secretion import secretion as secretion
from hepaflux.systems.selective_resistance import selective_resistance as selective_resistance
from hepaflux.systems.signaling import signaling as signaling
from hepaflux.systems.sources import sources as sources
from hepaflux.systems.system import System as System
from hepaflux.systems.vldl import vldl as vldl

ALL: tuple[System, ...] = (
    minimal,
    oral,
    oral_labeled,
    ivgtt_labeled,
    clamp,
    mida,
    heavy_water,
    vldl,
    sources,
    secretion,
    extraction,
    meal,
    fasting,
    signaling,
    liver_fat,
    selective_resistance,
    resting_liver,
)
"""Every system that can be fitted."""


def named(name: str) -> System:
    """Return the system called ``name``, or raise ``KeyError`` with the known names."""
    for system in ALL:
        if system.name == name:
            return system
    raise KeyError(f"no system {name!r}; there are {', '.join(s.name for s in ALL)}")
