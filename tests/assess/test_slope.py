"""Slopes across people: both quantities have errors, and groups may differ for other reasons."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from hepaflux.assess.slope import slope_across, structural_slope


def people(slope, rng, *, n=40, error=(0.3, 0.15), scatter=0.25, shift=(0.0, 0.0)):
    """Values and errors of people in two groups, of which the second is shifted."""
    second = np.arange(n) >= n // 2
    x = rng.normal(0, 0.6, n) + shift[0] * second
    y = slope * (x - shift[0] * second) + rng.normal(0, scatter, n) + shift[1] * second
    errors = [np.full(n, e) for e in error]
    found = [rng.normal(v, e) for v, e in zip((x, y), errors, strict=True)]
    groups = np.where(second, "two", "one").tolist()
    return (found[0], errors[0]), (found[1], errors[1]), groups


def test_intervals_hold_the_slope():
    """Of 120 intervals of 90 % as many as in 9999 of 10000 such series."""
    rng, held = np.random.default_rng(1), 0
    for _ in range(120):
        lower, upper = structural_slope(*people(-1.0, rng)).interval(0.9)
        held += lower < -1.0 < upper
    least, most = stats.binom.interval(0.9999, 120, 0.9)
    assert least <= held <= most


def test_an_uncertain_abscissa_does_not_flatten_the_slope():
    """With errors as large as the spread ordinary regression finds half of the slope."""
    x, y, groups = people(-1.0, np.random.default_rng(2), n=600, error=(0.6, 0.05))
    found = structural_slope(x, y, groups)
    assert np.polyfit(x[0], y[0], 1)[0] > -0.65
    assert found.quantile(0.5) == pytest.approx(-1, abs=0.2)


def test_groups_that_differ_make_no_slope():
    x, y, groups = people(0.0, np.random.default_rng(3), n=200, shift=(-2.0, -2.0))
    assert np.polyfit(x[0], y[0], 1)[0] > 0.7
    lower, upper = structural_slope(x, y, groups).interval(0.999)
    assert lower < 0 < upper
    assert upper < 0.4


def test_it_is_the_density_by_hand():
    """Of two persons of one group, means integrated numerically."""
    x, y = (
        (np.array([0.0, 1.0]), np.array([0.2, 0.3])),
        (np.array([0.5, -0.4]), np.array([0.1, 0.2])),
    )
    from hepaflux.assess.slope import _evidence

    slope, spread, scatter = -0.7, 0.5, 0.4
    shared = slope * spread**2
    parts = (spread**2 + x[1] ** 2, np.array([shared]), slope * shared + scatter**2 + y[1] ** 2)
    axis = np.linspace(-6, 6, 601)
    total = np.zeros((601, 601))
    for i in range(2):
        covariance = [[parts[0][i], shared], [shared, parts[2][i]]]
        at = np.stack(np.meshgrid(x[0][i] - axis, y[0][i] - axis, indexing="ij"), -1)
        total += stats.multivariate_normal([0, 0], covariance).logpdf(at)
    expected = np.log(np.exp(total).sum() * (axis[1] - axis[0]) ** 2)
    constant = -np.log(2 * np.pi)
    assert float(_evidence(parts, x[0], y[0])) + constant == pytest.approx(expected, abs=1e-6)


def draws(values, name, subjects):
    rng = np.random.default_rng(5)
    noisy = np.exp(np.log(values) + 0.1 * rng.standard_normal((2, 200, len(values))))
    return xr.DataArray(
        noisy, dims=("chain", "draw", "subject"), coords={"subject": subjects}, name=name
    )


def test_people_are_recognized_by_name():
    values = np.exp(np.random.default_rng(4).normal(0, 0.5, 30))
    names = [f"S{i}" for i in range(30)]
    x, y = draws(values, "SI", names), draws(1 / values, "Phi", names)
    found = slope_across(x, y[:, :, ::-1].isel(subject=slice(0, 25)))
    assert found.people == 25
    assert found.quantile(0.5) == pytest.approx(-1, abs=0.15)
    assert found.probability_negative > 0.999


def test_what_has_no_slope_is_refused():
    names = ["a", "b", "c"]
    x = draws(np.ones(3), "SI", names)
    with pytest.raises(ValueError, match="three people with both"):
        slope_across(x, draws(np.ones(3), "Phi", ["a", "b", "d"]))
    with pytest.raises(ValueError, match="Phi is not positive"):
        slope_across(x, -draws(np.ones(3), "Phi", names))
