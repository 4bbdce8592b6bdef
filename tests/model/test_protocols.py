"""Protocols: what given insulin adds where insulin is made up."""

import numpy as np
import pytest

from hepaflux.model.protocols import (
    INSULIN_CLEARANCE,
    StandardTest,
    bolus,
    given_insulin,
    infusion,
)
from hepaflux.study.study import Dose

TIME = np.linspace(0, 200, 20001)


def course(*doses, time=TIME, weight=70.0):
    return given_insulin(StandardTest((0.0, 200.0), doses), time, weight)


@pytest.mark.parametrize("duration", [0.0, 5.0, 40.0])
def test_all_that_is_given_is_cleared(duration):
    dose = Dose(20.0, "insulin", 300.0, "intravenous", duration, per_kg=True)
    cleared = INSULIN_CLEARANCE * np.trapezoid(course(dose), TIME)
    assert cleared == pytest.approx(300, rel=1e-3)


def test_an_injection_is_the_limit_of_short_infusions():
    short = infusion("insulin", 300 / 1e-4, begin=20, end=20 + 1e-4)
    time = np.array([0.0, 10, 20, 21, 30, 60])
    added = course(bolus("insulin", 300.0, time=20), time=time)
    np.testing.assert_allclose(added, course(short, time=time), rtol=1e-4)
    assert np.all(added[:3] == 0)


def test_an_absolute_dose_is_divided_by_the_weight():
    whole = Dose(0.0, "insulin", 6000.0, "intravenous")
    np.testing.assert_allclose(course(whole, weight=60.0), course(bolus("insulin", 100.0)))
