"""Protocols: standard tests that virtual people go through.

Doses and sampling times are those of usual tests. What a system takes as known is made up: insulin
as a smooth response, or as what an insulin infusion reaches; glucose, for systems in which it is an
input, as a decay after the dose. Sizes are like those of published means.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from hepaflux.model.lipid_tests import LIPID_TESTS
from hepaflux.model.standard_test import (
    StandardTest,
    bolus,
    drink,
    infusion,
    labeled_drink,
)
from hepaflux.study.check import LIVER_FAT, PRODUCTION
from hepaflux.study.study import Dose
from hepaflux.systems.fasting import BEGIN, LONGEST
from hepaflux.units import BLOTS, DAY, MOLAR_MASS, PHOSPHOSITES

INSULIN_CLEARANCE = 0.015
"""Clearance of infused insulin, L/kg/min: 1 mU/kg/min raises insulin by about 67 µU/mL."""

INSULIN_RATE = 0.1
"""Rate at which infused insulin approaches its plateau, 1/min."""

MILLIUNIT = 6.0
"""pmol in one milliunit of insulin."""

PLACEHOLDER = {"glucose": 5.0, "insulin": 50.0, "c_peptide": 0.5, "ffa": 0.5}
"""What stands in a table of virtual measurements until it is simulated; else 0.01."""


PLACEHOLDER |= {"liver_glycogen": 200.0, "gng_fraction": 0.5}

MOST_SAMPLES = 100
"""Samples of a long test of one's own."""

FAST_SAMPLES = 31
"""Samples of a fast, or of a course of liver fat, of one's own."""

LONGEST_TEST = 7 * DAY
"""Longest test of one's own, min."""

LONGEST_COURSE = 3650 * DAY
"""Longest course of liver fat, min."""


def own_test(doses: Sequence[Dose], duration: float) -> StandardTest:
    """Return a test of one's own, sampled from time 0 on every 10 min, in long tests less often.

    Where insulin or glucose is an input, the response that is made up is that of a standard test
    with the first dose's route.

    Parameters
    ----------
    doses : sequence of Dose
        In canonical units.
    duration : float, min
        Time of the last sample.

    Raises
    ------
    ValueError
        If it does not last or lasts for too long, or a dose is given before it begins or after it
        ends.
    """
    given = _inside(doses, duration)
    every = max(10.0, duration / MOST_SAMPLES)
    times = (*np.arange(0.0, duration - 1e-9, every).tolist(), duration)
    by_vein = bool(given) and given[0].route == "intravenous"
    like = TESTS["ivgtt" if by_vein else "ogtt75"]
    return StandardTest(times, given, like.phases, decay=like.decay)


def own_fast(doses: Sequence[Dose], duration: float) -> StandardTest:
    """Return a fast, sampled from four hours after the last meal on; times count from that meal.

    Parameters
    ----------
    doses : sequence of Dose
        What is given in it; one before four hours begins it.
    duration : float, min
        Time of the last sample.

    Raises
    ------
    ValueError
        If it is shorter or longer than what is described, or a dose is outside of it.
    """
    given = _inside(doses, duration)
    begin = min([BEGIN, *(dose.time for dose in given)])
    if not begin < duration <= LONGEST:
        raise ValueError(
            f"a fast is described from {BEGIN / 60:g} to {LONGEST / 60:g} h after the last meal,"
            f" but ends at {duration / 60:g} h"
        )
    times = tuple(np.linspace(begin, duration, FAST_SAMPLES).tolist())
    return StandardTest(times, given, sampled=dict.fromkeys(PRODUCTION, times))


def own_course(doses: Sequence[Dose], duration: float) -> StandardTest:
    """Return a course of liver fat over days to years; errors as of ``own_fast``."""
    given = _inside(doses, duration, longest=LONGEST_COURSE)
    times = tuple(np.linspace(0.0, duration, FAST_SAMPLES).tolist())
    return StandardTest((), given, sampled=dict.fromkeys(LIVER_FAT, times))


def own_loop(doses: Sequence[Dose], duration: float) -> StandardTest:
    """Return the same with glucose, insulin and production."""
    times = own_course(doses, duration).sampled[LIVER_FAT[0]]
    return StandardTest(times, tuple(doses), sampled=dict.fromkeys(LOOP, times))


def _inside(
    doses: Sequence[Dose], duration: float, *, longest: float = LONGEST_TEST
) -> tuple[Dose, ...]:
    """Return doses in order of time; refuse a test that cannot be, and a dose outside of it."""
    if not duration > 0:
        raise ValueError(f"a test must last, but its duration is {duration:g} min")
    if duration > longest:
        days = longest / DAY
        raise ValueError(f"a test lasts {days:g} days at most, but here {duration / DAY:g} days")
    given = tuple(sorted(doses, key=lambda dose: dose.time))
    outside = [dose.time for dose in given if not 0 <= dose.time < duration]
    if outside:
        raise ValueError(f"a dose at {outside[0]:g} min is outside a test of {duration:g} min")
    return given


def given_insulin(test: StandardTest, time: np.ndarray, weight: float) -> np.ndarray:
    """Return what given insulin adds to insulin at some times, pmol/L.

    One pool of ``INSULIN_CLEARANCE / INSULIN_RATE`` L/kg; a sample at the time of an injection is
    taken before it.

    Parameters
    ----------
    time : array (sample,), min
    weight : float, kg
        Body weight, by which absolute doses are divided.
    """
    added = np.zeros_like(time)
    for dose in test.doses:
        if dose.what == "insulin":
            amount = dose.amount if dose.per_kg else dose.amount / weight
            added += amount / INSULIN_CLEARANCE * _passing(time - dose.time, dose.duration)
    return added


def _passing(since: np.ndarray, duration: float) -> np.ndarray:
    """Return the share of a dose per min that is cleared at times since its begin, 1/min."""
    if duration == 0:
        return np.where(since > 0, INSULIN_RATE * np.exp(-INSULIN_RATE * np.maximum(since, 0)), 0.0)
    begun, ended = (np.maximum(since - end, 0) for end in (0.0, duration))
    return (np.exp(-INSULIN_RATE * ended) - np.exp(-INSULIN_RATE * begun)) / duration


def excursion(test: StandardTest, basal: float, time: np.ndarray) -> np.ndarray:
    """Return made-up glucose at some times, mmol/L; basal in tests in which it is simulated."""
    above = sum((height * np.exp(-rate * time) for height, rate in test.decay), np.zeros_like(time))
    above = above + sum(height * phase(time, peak) for peak, height in test.rises)
    return basal + np.where(time > 0, above, 0.0)


def phase(time: np.ndarray, peak: float) -> np.ndarray:
    """Return a gamma-shaped phase of height one with its peak at a time, zero before the test."""
    since = np.maximum(time, 0.0) / peak
    return since**2 * np.exp(2 * (1 - since))


OGTT_PHASES = ((35.0, 200.0), (90.0, 160.0))
IVGTT_PHASES = ((3.0, 480.0), (30.0, 80.0))
IVGTT_TIMES = (
    *(0, 2, 4, 6, 8, 10, 12, 14, 16, 19, 22, 27, 32, 42, 52, 62, 72, 82, 92, 102),
    *(122, 142, 162, 182),
)
C_PEPTIDE_TIMES = (-10, 0, 10, 20, 30, 45, 60, 75, 90, 120, 150, 180, 210, 240)
LABELED_IVGTT_TIMES = (*IVGTT_TIMES, 202, 222, 242)
LABELED_TIMES = (0, 10, 20, 30, 45, 60, 75, 90, 120, 150, 180, 210, 240, 300)
"""The labels tell production from disposal when both return, so the test lasts 5 h."""

TRACER_BEGIN, TRACER_RATE = -180.0, 2.2e-4
"""Begin of a primed tracer infusion before a meal, min, and its rate, mmol/kg/min; its prime is
what runs in 100 min. Gives a ratio near 0.02 while production is basal."""

RA_STEPS = ((6e-4, 0, 30), (9e-4, 30, 90), (5e-4, 90, 180), (2e-4, 180, 300))
"""Infusion that follows the appearance of the meal as it is expected, so that its ratio to the
tracer of the meal changes little (Basu 2003, Am J Physiol Endocrinol Metab 284:E55; rates: chosen
here): mmol/kg/min, from and to, min."""

STEPS = ((0.2, 0, 120), (0.6, 120, 240), (2.0, 240, 360))
"""Insulin infusion of a three-step clamp: mU/kg/min, from and to, min."""

FAST_TIMES = tuple(60.0 * h for h in (4, 6, 8, 10, 12, 14, 16, 20, 24, 30, 36, 42, 48, 56, 64))
"""Sampling times of a fast, since the last meal."""

YEAR = tuple(DAY * day for day in (0, 3, 7, 14, 28, 56, 112, 182, 365))
"""Sampling times of the slow loop from the first day of its drivers on, min."""

LOOP = ("egp", "ihtg", "vldl_tg_secretion", "dnl_fraction")
"""What is sampled in it beside glucose and insulin."""

STAIRCASE = (
    *((0, 40), (5, 120), (60, 120), (65, 400), (120, 400), (125, 1200), (180, 1200)),
    *((185, 4000), (240, 4000)),
)
"""Insulin of a clamp with steps: time, min, and plasma insulin, pmol/L."""

BLOT_TIMES = (0, 2, 5, 10, 30, 60, 65, 90, 120, 125, 150, 180, 185, 210, 240)
"""Sampling times of phosphorylated proteins in it, min."""

MEDIUM = ((-1, 0), (0, 1200), (4, 10_000), (30, 100_000), (60, 0))
"""Insulin of the medium of cells: time, min, from which on it is held, and pmol/L."""

CELL_TIMES = (-1, 0.5, 1, 2, 4, 4.5, 5, 7, 10, 20, 30, 30.5, 31, 33, 40, 60, 63, 70, 90)
"""Sampling times of cells in it, min."""

LIVER_TIMES = (0.0, *(s / 60 for s in (5, 10, 15, 30)), 1.0, 2.0, 3.0, 4.0, 6.0, 10.0)
"""Times at which livers are taken after an injection into the portal vein, min."""

TESTS: Mapping[str, StandardTest] = MappingProxyType(
    {
        **LIPID_TESTS,
        "fast": StandardTest(FAST_TIMES, (), sampled=dict.fromkeys(PRODUCTION, FAST_TIMES)),
        "year": StandardTest(YEAR, (), sampled=dict.fromkeys(LOOP, YEAR)),
        "insulin_steps": StandardTest(
            (),
            (),
            sampled={
                "insulin": tuple(time for time, _ in STAIRCASE),
                **dict.fromkeys(BLOTS, BLOT_TIMES),
            },
            known={"insulin": tuple(float(value) for _, value in STAIRCASE)},
        ),
        "medium_steps": StandardTest(
            (),
            (),
            sampled={
                "medium_insulin": tuple(time for time, _ in MEDIUM),
                **dict.fromkeys(BLOTS[:2], CELL_TIMES),
            },
            known={"medium_insulin": tuple(float(value) for _, value in MEDIUM)},
        ),
        "portal_injection": StandardTest((), (), sampled=dict.fromkeys(PHOSPHOSITES, LIVER_TIMES)),
        "ogtt75": StandardTest(
            (0, 10, 20, 30, 45, 60, 90, 120, 150, 180), (drink(75.0),), OGTT_PHASES
        ),
        "ogtt75_sparse": StandardTest((0, 30, 60, 90, 120), (drink(75.0),), OGTT_PHASES),
        "ogtt75_c_peptide": StandardTest(
            C_PEPTIDE_TIMES,
            (drink(75.0),),
            OGTT_PHASES,
            sampled={"c_peptide": C_PEPTIDE_TIMES},
            rises=((35.0, 3.2), (90.0, 1.8)),
        ),
        "meal": StandardTest(
            (0, 5, 10, 15, 20, 30, 40, 50, 60, 75, 90, 120, 150, 180, 210, 240, 260, 280, 300),
            (drink(1.0, per_kg=True),),
            OGTT_PHASES,
        ),
        "labeled_meal": StandardTest(
            LABELED_TIMES,
            labeled_drink(1.0),
            OGTT_PHASES,
            sampled={"meal_enrichment": LABELED_TIMES[1:]},
        ),
        "labeled_meal_c_peptide": StandardTest(
            LABELED_TIMES,
            labeled_drink(1.0),
            OGTT_PHASES,
            sampled={"meal_enrichment": LABELED_TIMES[1:], "c_peptide": LABELED_TIMES},
            rises=((35.0, 3.2), (90.0, 1.8)),
        ),
        "triple_tracer": StandardTest(
            LABELED_TIMES,
            (
                bolus("egp_tracer", 100 * TRACER_RATE, time=TRACER_BEGIN),
                infusion("egp_tracer", TRACER_RATE, begin=TRACER_BEGIN, end=LABELED_TIMES[-1]),
                *labeled_drink(1.0),
                *(infusion("ra_tracer", rate, begin=a, end=b) for rate, a, b in RA_STEPS),
            ),
            OGTT_PHASES,
            sampled={
                "meal_enrichment": LABELED_TIMES[1:],
                "egp_enrichment": (-30, -15, *LABELED_TIMES),
                "ra_enrichment": LABELED_TIMES[1:],
            },
        ),
        "ivgtt": StandardTest(
            IVGTT_TIMES, (bolus("glucose", 300 / MOLAR_MASS["glucose"]),), IVGTT_PHASES
        ),
        "ivgtt_labeled": StandardTest(
            LABELED_IVGTT_TIMES,
            (
                bolus("glucose", 300 / MOLAR_MASS["glucose"]),
                bolus("egp_tracer", 30 / MOLAR_MASS["glucose"]),
            ),
            IVGTT_PHASES,
            sampled={"egp_enrichment": LABELED_IVGTT_TIMES[1:]},
            decay=((7.0, 0.3), (8.0, 0.03)),
        ),
        "clamp": StandardTest(
            tuple(range(-20, 361, 10)),
            (
                bolus("egp_tracer", 0.018, time=-180),
                infusion("egp_tracer", 2e-4, begin=-180, end=360),
                *(infusion("insulin", r * MILLIUNIT, begin=a, end=b) for r, a, b in STEPS),
            ),
            sampled={
                "egp_enrichment": tuple(range(-60, 361, 15)),
                "ffa": tuple(range(-30, 361, 30)),
            },
            is_clamp=True,
            label=0.018,
        ),
    }
)
"""Standard tests by name."""
