"""Summary: one row per scalar of the posterior, with its unit and how well it was sampled."""

import itertools
from collections.abc import Iterator
from typing import Any

import arviz_stats as azs
import numpy as np
import pandas as pd
import xarray as xr

from hepaflux.assess import history

STATISTICS = ("mean", "sd", "median", "lower", "upper", "r_hat", "ess_bulk", "ess_tail")

COLUMNS = (
    *("parameter", "subject", "group", "mean", "sd", "median", "lower", "upper"),
    *("unit", "r_hat", "ess_bulk", "ess_tail"),
)


def summarize(posterior: xr.DataTree, *, ci_prob: float = 0.9) -> pd.DataFrame:
    """Return the posterior as a table.

    Parameters
    ----------
    posterior : DataTree
        Inference data with a ``posterior`` group.
    ci_prob : float
        Probability inside the interval from ``lower`` to ``upper`` (equal-tailed).

    Returns
    -------
    DataFrame
        One row per scalar; an element of a vector is called ``absorption[30]``. Subject and
        group are blank where they do not apply. What the draws do not allow is NaN: R-hat with
        one chain or of a constant, every spread of a single point. A quantity of a test that a
        subject did not take has no row.
    """
    draws = history.draws(posterior)
    groups = history.subject_labels(posterior)
    statistics = _statistics(draws, ci_prob)
    known = {name: bool(draws[name].notnull().any()) for name in draws.data_vars}
    rows = [
        {**label, "group": label["group"] or groups.get(label["subject"], ""), **values}
        for name in draws.data_vars
        for label, values in _rows(statistics[name])
        # Others have it, so the subject did not take that test; what nobody has is shown as NaN.
        if not (known[name] and np.isnan(values["mean"]))
    ]
    table = pd.DataFrame(rows)
    table["unit"] = [history.unit(posterior, name.split("[")[0]) for name in table["parameter"]]
    return table[list(COLUMNS)]


def _statistics(draws: xr.Dataset, ci_prob: float) -> xr.Dataset:
    """Return the statistics of all variables along a dimension ``statistic``."""
    interval = azs.eti(draws, prob=ci_prob)
    many = draws.sizes["draw"] * draws.sizes["chain"] > 1
    # R-hat divides nought by nought for a constant such as a quantity known from the data.
    with np.errstate(invalid="ignore", divide="ignore"):
        r_hat = azs.rhat(draws)
    parts = (
        draws.mean(history.SAMPLE_DIMS),
        draws.std(history.SAMPLE_DIMS, ddof=1) if many else xr.full_like(r_hat, np.nan),
        draws.median(history.SAMPLE_DIMS),
        interval.sel(ci_bound="lower", drop=True),
        interval.sel(ci_bound="upper", drop=True),
        r_hat,
        azs.ess(draws, method="bulk"),
        azs.ess(draws, method="tail"),
    )
    return xr.concat(parts, dim="statistic", coords="minimal", compat="override")


def _rows(statistics: xr.DataArray) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Yield the label and the statistics of each scalar of a variable."""
    dims = [str(dim) for dim in statistics.dims if dim != "statistic"]
    values = statistics.transpose("statistic", *dims).values.reshape(len(STATISTICS), -1)
    places = itertools.product(*(statistics[dim].values for dim in dims))
    for place, column in zip(places, values.T, strict=True):
        at = dict(zip(dims, (str(label) for label in place), strict=True))
        label = {"subject": at.pop("subject", ""), "group": at.pop("group", "")}
        axis = f"[{', '.join(at.values())}]" if at else ""
        yield (
            {"parameter": f"{statistics.name}{axis}", **label},
            dict(zip(STATISTICS, column.tolist(), strict=True)),
        )
