"""Lipid tests: standard tests that tell of liver fat, lipogenesis and VLDL.

Doses and times are like those of published studies; the made-up inputs are constant.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hepaflux.model.standard_test import StandardTest, bolus
from hepaflux.study.check import LIVER_FAT
from hepaflux.units import DAY

HALF_YEAR = tuple(DAY * day for day in (0, 7, 14, 28, 56, 84, 126, 168))
"""Sampling times of liver fat under treatment, min."""

IONS = ("palmitate_m0", "palmitate_m1", "palmitate_m2")

LABELING_DAY = (180, 360, 540, 720, 1080, 1440)
"""Sampling times of fatty acids after a drink of heavy water, min."""

ACETATE_TIMES = (0, 300, 360, 420, 480)
"""Those under infused labeled acetate, before it and at the plateau, min."""

VLDL_TRACER = 0.075
"""Labeled glycerol in a bolus, mmol/kg."""

VLDL_TIMES = (0, 15, 30, 45, 60, 90, 120, 180, 240, 300, 360, 480, 600, 720)
"""Sampling times of VLDL after it, min."""

FED_TIMES = (1200, 1320, 1440)
"""Sampling times of precursors and products at the end of a day of labels, min."""

PRECURSORS = ("nefa", "dnl", "diet")
"""What each of three labels marks."""

RESTS = (0, 240, 480)
"""Times of the fasted state and of the ends of two steps of a clamp, min."""

LIPID_TESTS: Mapping[str, StandardTest] = MappingProxyType(
    {
        "heavy_water": StandardTest(
            (),
            (),
            sampled={"body_water": (0, 120, 720, 1440), **dict.fromkeys(IONS, LABELING_DAY)},
            known={"body_water": (0.0, 0.005, 0.005, 0.005)},
        ),
        "labeled_acetate": StandardTest((), (), sampled=dict.fromkeys(IONS, ACETATE_TIMES)),
        "vldl_tracer": StandardTest(
            (),
            (bolus("vldl_tracer", VLDL_TRACER),),
            sampled={
                "vldl_enrichment": VLDL_TIMES,
                "vldl_tg": (0, 360, 720),
                "dnl_fraction": (720,),
                "ihtg": (0,),
            },
        ),
        "fat_sources": StandardTest(
            (),
            (),
            sampled={
                f"{source}_{role}_enrichment": FED_TIMES
                for source in PRECURSORS
                for role in ("precursor", "product")
            },
        ),
        "resting_clamp": StandardTest(
            (),
            (),
            sampled={
                **dict.fromkeys(("insulin", "glucose", "ffa", "egp", "dnl_fraction"), RESTS),
                **dict.fromkeys(("vldl_tg_secretion", "ihtg"), RESTS[:1]),
            },
            known={
                "insulin": (40.0, 150.0, 500.0),
                "glucose": (5.0, 5.0, 5.0),
                "ffa": (0.5, 0.2, 0.08),
            },
        ),
        "half_year": StandardTest((), (), sampled=dict.fromkeys(LIVER_FAT, HALF_YEAR)),
    }
)
"""These tests by name."""
