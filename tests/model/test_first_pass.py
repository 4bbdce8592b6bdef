"""First pass: a drink against the same glucose by vein, in one person."""

import pytest

import hepaflux as hf
from hepaflux.model.first_pass import highest_rise
from hepaflux.study.study import Dose

DOSE = 5.3
"""75 g in someone of 78 kg, mmol/kg."""


def compared(state="normal", **how):
    return hf.first_pass(hf.systems.meal.in_condition(state), DOSE, **how)


@pytest.mark.parametrize("state", ["normal", "t2d"])
def test_a_drink_raises_glucose_less_and_the_parts_make_the_difference(state):
    found = compared(state)
    assert 0 < found.by_mouth < found.by_vein
    parts = found.extraction + found.absorption + found.portal
    assert parts == pytest.approx(found.difference, rel=1e-9)
    assert sum(found.shares.values()) == pytest.approx(1, rel=1e-9)
    assert found.shares["absorption"] > found.shares["extraction"] > 0


def test_the_portal_signal_lowers_both_rises():
    found = compared()
    assert found.portal_by_mouth > 0
    assert found.portal_by_vein > 0


def test_slower_glucose_by_vein_differs_less():
    fast, slow = compared(minutes=20.0), compared(minutes=120.0)
    assert fast.by_mouth == pytest.approx(slow.by_mouth, rel=1e-9)
    assert slow.absorption < 0.5 * fast.absorption


def test_what_does_not_act_has_no_share():
    assert compared(values={"f": 1.0}).extraction == pytest.approx(0, abs=1e-9)
    silent = compared(values={"kp4": 0.0})
    assert (silent.portal_by_mouth, silent.portal_by_vein) == (0, 0)


def test_the_rise_is_that_of_the_dose_alone():
    system = hf.systems.meal
    given = Dose(0.0, "glucose", DOSE, "oral", per_kg=True)
    rise = highest_rise(system, system.centers, given, 300.0)
    assert rise == pytest.approx(compared().by_mouth, rel=1e-9)


@pytest.mark.parametrize("minutes", [0.0, 300.0])
def test_glucose_by_vein_must_run_for_a_while(minutes):
    with pytest.raises(ValueError, match="minutes must be between 0 and 300"):
        compared(minutes=minutes)
