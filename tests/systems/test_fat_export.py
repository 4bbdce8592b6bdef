"""Fat export: its conversion, the plateau of export, and the gate of insulin."""

import numpy as np
import pytest

from hepaflux.systems.fat_export import (
    CONTENT,
    GATE,
    fat_derived,
    fat_share,
    saturation,
    triglyceride,
)
from hepaflux.systems.system import fields_type

MEDIAN = {"IHTG": 0.1, "K_V": 90.0, "lean_liver": 1450.0, "TG_mass": 0.86}


def record(**fields):
    values = {**MEDIAN, **fields}
    return fields_type("Record", list(values))(**values)


def saturated(**fields):
    p = record(**fields)
    return saturation(triglyceride(p), p)


@pytest.mark.parametrize("millimoles", [10.0, 90.0, 500.0])
def test_the_fraction_is_fat_over_fat_and_lean_liver(millimoles):
    fat = 0.86 * millimoles
    share = fat / (1450 + fat)
    assert triglyceride(record(IHTG=share)) == pytest.approx(millimoles)
    assert fat_share(millimoles, record()) == pytest.approx(share)


def test_the_medians_give_the_two_published_means():
    """Fabbrini 2008: 11.4 (SE 1.1) umol/min at 3.4 % fat, 24.3 (SE 3.1) at 22.7 %."""
    half = {p.name: p.prior for p in CONTENT}["K_V"].median
    low, high = (saturated(IHTG=fat, K_V=half) for fat in (0.034, 0.227))
    error = 11.4 / 24.3 * np.hypot(1.1 / 11.4, 3.1 / 24.3)
    assert low / high == pytest.approx(11.4 / 24.3, abs=0.25 * error)


def test_export_reaches_a_plateau():
    fat = np.array([0.05, 0.1, 0.2, 0.3])
    found = saturated(IHTG=fat)
    assert (np.diff(found) > 0).all()
    assert (np.diff(found) / np.diff(fat) < found[:-1] / fat[:-1]).all()
    assert saturated(IHTG=1 - 1e-9) == pytest.approx(1)


@pytest.mark.parametrize(("gated", "sigma"), [(False, 0.5), (True, 0.5)])
def test_v_max_gives_back_the_secretion(gated, sigma):
    """Secretion is V_max L / (K_V + L) (1 - sigma)."""
    p = record(sigma=sigma)
    found = {d.name: d.value(p, None) for d in fat_derived(lambda p, u: 12.0, gated=gated)}
    content, gate = found["liver_TG"], 1 - sigma if gated else 1.0
    assert found["V_max"] * content / (90 + content) * gate == pytest.approx(12.0)
    assert found["export_per_day"] == pytest.approx(12.0 * 1.44 / content)


def test_the_gate_covers_lean_and_obese():
    low, high = GATE.prior.distribution().interval(0.9)
    assert low < 0.36 < 0.54 < high
