"""The summary says what NumPy says, with the right names."""

import numpy as np
import pytest
import xarray as xr
from fake_posterior import fake

from hepaflux.assess import summarize

COLUMNS = [
    *("parameter", "subject", "group", "mean", "sd", "median", "lower", "upper"),
    *("unit", "r_hat", "ess_bulk", "ess_tail"),
]


def test_columns_are_exact(good):
    assert list(summarize(good).columns) == COLUMNS


def test_numbers_are_those_of_the_draws(good):
    row = summarize(good, ci_prob=0.5).set_index("parameter").loc["SI"]
    draws = good["posterior"]["SI"].values.ravel()
    lower, upper = np.quantile(draws, (0.25, 0.75))
    expected = [draws.mean(), draws.std(ddof=1), np.median(draws), lower, upper]
    found = row[["mean", "sd", "median", "lower", "upper"]].astype(float)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert row["unit"] == "L/pmol/min"
    assert 0.99 < row["r_hat"] < 1.02
    assert row["ess_bulk"] > 500


def test_every_subject_has_its_row_and_its_group(grouped):
    rows = summarize(grouped).query("parameter == 'SI'")
    assert list(rows["subject"]) == [f"S{i:02d}" for i in range(6)]
    assert list(rows["group"]) == ["healthy"] * 3 + ["NAFLD"] * 3
    shared = summarize(grouped).query("parameter == 'glucose_cv'")
    assert list(shared["subject"]) == [""]
    assert list(shared["group"]) == [""]


def test_elements_of_a_vector_are_named_by_their_place(good):
    tree = good.copy(deep=True)
    shares = np.random.default_rng(1).dirichlet((1, 2, 3), size=(4, 250))
    knots = {"knot": [10, 30, 60]}
    tree["posterior"]["absorption"] = xr.DataArray(
        shares, dims=("chain", "draw", "knot"), coords=knots
    )
    names = list(summarize(tree)["parameter"])
    assert names[-3:] == ["absorption[10]", "absorption[30]", "absorption[60]"]


def test_a_single_point_has_no_spread_and_no_warning():
    row = summarize(fake(chains=1, draws=1)).iloc[0]
    assert row[["sd", "r_hat", "ess_bulk", "ess_tail"]].isna().all()
    assert row["median"] == row["mean"]


def test_a_constant_has_no_r_hat(good):
    tree = good.copy(deep=True)
    tree["posterior"]["AIRg"] = xr.full_like(tree["posterior"]["SI"], 300.0)
    row = summarize(tree).set_index("parameter").loc["AIRg"]
    assert np.isnan(row["r_hat"])
    assert row["mean"] == 300


def test_what_is_no_inference_data_is_refused():
    with pytest.raises(ValueError, match="must hold a posterior group"):
        summarize(xr.DataTree())


def test_missing_attributes_leave_blanks(good):
    tree = good.copy()
    tree.attrs = {"units": "not json"}
    assert set(summarize(tree)["unit"]) == {""}
