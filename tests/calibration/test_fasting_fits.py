"""Fits of real fasts: glycogen, the share of new glucose, and what was not fitted.

The shares of Landau (1996, heavy water) and of Rothman (1991, magnetic resonance) are held against
a fit that has not seen them. Of Rothman's persons it has seen the glycogen from which their shares
were reckoned, though not the glucose made; of Landau's it has seen nothing. Methods lie about 0.4
apart in the log-odds (SD), so twice that, with the errors of both sides, is allowed; a right model
fails a given comparison in one of twenty cases.
"""

from dataclasses import replace

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.model import typical_courses
from hepaflux.parameter import Fixed
from hepaflux.systems.fasting_values import SHIFT

pytestmark = pytest.mark.slow

PAPERS = ("Consoli 1987", "Hellerstein 1997", "Katz 1998", "Chandramouli 1997", "Staehr 2007")
KNOWN = ("CL", "G_0", "renal_share", "tau_N")
"""What only glucose or a longer fast could tell."""

HOUR = 60.0
MINUTES = HOUR * np.array([8, *range(10, 65, 2)])


def log_odds(share):
    return np.log(share / (1 - share))


@pytest.fixture(scope="module")
def fit():
    """Model and posterior of one fast: the seven persons and their glycogen, and five papers."""
    study = hf.read_study("fasts/healthy")
    chosen = (s for s in study.subjects if s.name in PAPERS or "liver_glycogen" in s.samples)
    system = hf.systems.fasting.with_options(method="shifted")
    system = system.with_priors(**{name: Fixed(system.centers[name]) for name in KNOWN})
    levels = dict.fromkeys((p.name for p in system.unknowns), "shared") | {"gng_shift": "group"}
    model = hf.build_model(
        replace(study, subjects=tuple(chosen)), system, design=hf.Design(levels=levels)
    )
    return model, hf.fit(model, draws=60, tune=100, chains=2, seed=1)


@pytest.fixture(scope="module")
def typical(fit):
    return typical_courses(*fit, MINUTES, subject="Consoli 1987", group="2H2O")


def test_glycogen_goes_as_fast_as_in_the_seven(typical):
    """Rates of the seven persons are 0.033 to 0.057 per hour, by a line through each logarithm."""
    glycogen = typical["liver_glycogen"]
    early, late = (glycogen.sel(minutes=HOUR * hour) for hour in (8, 28))
    rate = np.log(early / late) / 20
    low, high = rate.quantile([0.05, 0.95])
    assert 0.033 < low < high < 0.057


def test_the_rate_is_told_by_the_data(fit):
    """The prior is a normal of the logarithm with SD 0.2; its 90 % are 0.66 wide."""
    low, high = np.log(fit[1]["posterior"]["k_gly"]).quantile([0.05, 0.95])
    assert float(high - low) < 0.5 * 0.66


@pytest.mark.parametrize(
    ("hour", "found", "error"), [(14, 0.47, 0.04), (22, 0.67, 0.04), (42, 0.93, 0.02)]
)
def test_the_new_share_is_that_of_landau_within_a_method(typical, hour, found, error):
    """Heavy water labels glycogen that is made in the fast, so what returns of it counts as new."""
    agrees(by_balance(typical.sel(minutes=[HOUR * hour])), found, error)


@pytest.mark.parametrize(
    ("first", "last", "found", "error"), [(8, 22, 0.64, 0.05), (46, 64, 0.96, 0.01)]
)
def test_the_new_share_is_that_of_rothman_within_a_method(typical, first, last, found, error):
    """Magnetic resonance sees glycogen fall, which is breakdown less synthesis."""
    agrees(by_balance(typical.sel(minutes=slice(HOUR * first, HOUR * last))), found, error)


def test_nearly_all_is_new_in_the_end(typical):
    last = typical.sel(minutes=64 * HOUR)
    assert float(last["GNG_share"].quantile(0.05)) > 0.8
    assert float(by_balance(typical.sel(minutes=[64 * HOUR])).quantile(0.05)) > 0.9


def by_balance(course):
    """Return the share of production over some times that did not come from a fall of glycogen."""
    whole = course.sum("minutes")
    return 1 - (whole["breakdown"] - whole["synthesis"]) / whole["EGP"]


def agrees(share, found, error):
    """Compare the draws of a share with a measured one and its standard error."""
    odds = log_odds(share)
    error_of_odds = error / (found * (1 - found))
    allowed = 2 * np.sqrt(SHIFT.spread**2 + float(odds.std()) ** 2 + error_of_odds**2)
    assert abs(float(odds.median()) - log_odds(found)) < allowed
