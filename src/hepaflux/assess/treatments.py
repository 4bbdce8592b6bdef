"""Treatments: figures and tables of what a fit expects of the months to come.

The line is the posterior median and the dark band what the fit leaves open; the light band holds
what an assay would report.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from hepaflux.assess.figures import INK, blank, color_of, short, style
from hepaflux.assess.history import SAMPLE_DIMS
from hepaflux.units import DAY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURED, EXPECTED = 0.12, 0.3
"""Opacity of the bands."""


def treatment_bands(predicted: xr.DataTree, *, ci_prob: float = 0.9) -> pd.DataFrame:
    """Return median and bands of every quantity at every time.

    Parameters
    ----------
    predicted : DataTree
        What ``predict_treatment`` returns.
    ci_prob : float
        Probability inside the bands, equal-tailed.

    Returns
    -------
    DataFrame
        One row per subject, day and quantity: treatment, subject, day, quantity, unit, median,
        lower and upper of the course, and of what is measured where an assay measures it.
    """
    tails = ((1 - ci_prob) / 2, 0.5, (1 + ci_prob) / 2)
    measured = predicted["measured"].to_dataset()
    rows = []
    for name, course in predicted["courses"].to_dataset().data_vars.items():
        lower, median, upper = course.quantile(tails, SAMPLE_DIMS).values
        table = pd.DataFrame(
            {
                "treatment": predicted.attrs["treatment"],
                "subject": np.repeat(course["subject"].values, course.sizes["minutes"]),
                "day": np.tile(course["minutes"].values / DAY, course.sizes["subject"]),
                "quantity": str(name),
                "unit": course.attrs["unit"],
                **{"median": median.ravel(), "lower": lower.ravel(), "upper": upper.ravel()},
            }
        )
        if name in measured:
            low, _, high = measured[name].quantile(tails, SAMPLE_DIMS).values
            table = table.assign(measured_lower=low.ravel(), measured_upper=high.ravel())
        rows.append(table)
    return pd.concat(rows, ignore_index=True)


def plot_treatments(
    predicted: Sequence[xr.DataTree],
    quantities: Sequence[str],
    *,
    subject: str | None = None,
    samples: pd.DataFrame | None = None,
    ci_prob: float = 0.9,
) -> "Figure":
    """Draw the courses of one person or group under several treatments, one color for each.

    Parameters
    ----------
    predicted : sequence of DataTree
        What ``predict_treatment`` returns, one for each treatment.
    quantities : sequence of str
        Outputs and fluxes, one below the other.
    subject : str, optional
        Who; the first if not given.
    samples : DataFrame, optional
        Measurements with columns subject, time (min), analyte and value.
    ci_prob : float
        Probability inside the bands, equal-tailed.

    Raises
    ------
    KeyError
        If there is no such quantity; the message lists those there are.
    """
    known = predicted[0]["courses"].to_dataset()
    there = [str(name) for name in known.data_vars]
    for name in quantities:
        if name not in there:
            raise KeyError(f"no quantity {name!r}; there are {', '.join(there)}")
    who = str(known["subject"].values[0]) if subject is None else subject
    bands = {tree.attrs["treatment"]: treatment_bands(tree, ci_prob=ci_prob) for tree in predicted}
    with style():
        figure = blank(width=6.0, height=2.1 * len(quantities) + 0.8)
        axes = np.atleast_1d(figure.subplots(len(quantities), 1, sharex=True))
        for ax, name in zip(axes, quantities, strict=True):
            _draw(ax, bands, name, who)
            if samples is not None:
                own = samples[(samples["subject"] == who) & (samples["analyte"] == name)]
                ax.plot(own["time"] / DAY, own["value"], "o", color=INK, markersize=3)
            unit = known[name].attrs["unit"]
            ax.set_ylabel(name if unit == "1" else f"{name}\n({unit})")
            ax.set_title(known[name].attrs["meaning"])
            ax.set_ylim(bottom=0)
        axes[-1].set_xlabel(f"time since treatment began (day); bands hold {100 * ci_prob:g} %")
        lines = axes[0].get_lines()[: len(bands)]
        labels = [short(name) for name in bands]
        figure.legend(lines, labels, loc="outside upper right", ncols=min(len(bands), 3))
    return figure


def _draw(ax: "Axes", bands: Mapping[str, pd.DataFrame], name: str, who: str) -> None:
    """Draw one quantity under every treatment."""
    for place, table in enumerate(bands.values()):
        own = table[(table["quantity"] == name) & (table["subject"] == who)]
        day, color = own["day"].to_numpy(), color_of(place)
        ax.plot(day, own["median"], color=color, linewidth=1.6)
        ax.fill_between(day, own["lower"], own["upper"], color=color, alpha=EXPECTED, linewidth=0)
        if "measured_lower" in own and own["measured_lower"].notna().all():
            reported = (own["measured_lower"], own["measured_upper"])
            ax.fill_between(day, *reported, color=color, alpha=MEASURED, linewidth=0)
