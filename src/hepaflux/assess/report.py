"""Report: one self-contained HTML page that answers, shows the evidence and can be repeated.

The page holds its styles and figures and loads nothing. Every text goes through a template that
escapes it, and figures show text as it is.
"""

import base64
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import jinja2
import pandas as pd
import xarray as xr

from hepaflux.assess import curves, figures, flows, forest, history
from hepaflux.assess.check import SEPARATE, Check, Verdict
from hepaflux.assess.compare import (
    Comparison,
    ComparisonError,
    Contrast,
    compare_groups,
    probability,
)
from hepaflux.assess.diagnose import diagnose
from hepaflux.assess.differences import Differences, compare_differences
from hepaflux.assess.summary import summarize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INTERVAL = 0.9

MOST_RIDGES = 4

PROVENANCE = (
    ("system", "System"),
    ("study_title", "Study"),
    ("study_origin", "Read from"),
    ("study_checksum", "Checksum of the data (SHA-256)"),
    ("citation", "Data cited from"),
    ("insulin_factor", "Insulin convention (pmol per microunit)"),
    ("method", "Method"),
    ("chains", "Chains"),
    ("tune", "Tuning steps per chain"),
    ("draws", "Draws per chain"),
    ("seed", "Seed"),
    ("sampling_seconds", "Sampling time (s)"),
    ("sampled_longer", "Sampled longer, for their chains did not agree"),
    ("created", "Created"),
    ("hepaflux_version", "hepaflux"),
)

REPEAT = """import hepaflux as hf

run = hf.load_run("this-folder")   # the posterior, with everything it was made from
print(run.attrs)"""


class Image(NamedTuple):
    """A figure as the page holds it: a data address, and words for those who cannot see it."""

    address: str
    text: str


class Evidence(NamedTuple):
    """Everything that was computed from a posterior and is shown in more than one place."""

    table: pd.DataFrame
    verdict: Verdict
    contrasts: tuple[Contrast, ...]
    differences: tuple[Differences, ...]


def gather(posterior: xr.DataTree, contrasts: Iterable[Contrast | Comparison] = ()) -> Evidence:
    """Return summary, verdict and contrasts of a posterior.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    contrasts : iterable of Contrast or Comparison
        Already made; if there are none and the study has groups, the leading parameters and
        the derived quantities are compared.
    """
    table = summarize(posterior, ci_prob=INTERVAL)
    given = tuple(one for contrast in contrasts for one in contrast.contrasts)
    verdict, contrasts = diagnose(posterior, table=table), given or _contrasts(posterior)
    return Evidence(table, verdict, contrasts, _differences(posterior))


def render_report(
    posterior: xr.DataTree, *, contrasts: Iterable[Contrast | Comparison] = ()
) -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    posterior : DataTree
        Inference data as ``fit`` returns it; what it lacks is left out of the page.
    contrasts : iterable of Contrast or Comparison
        To be shown instead of the automatic ones.
    """
    return render(posterior, gather(posterior, contrasts))


def render(posterior: xr.DataTree, evidence: Evidence) -> str:
    """Return the report as one HTML page, from what was gathered."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hepaflux.assess"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = history.number
    environment.filters["probability"] = probability
    template = environment.get_template("report.html.j2")
    return template.render(
        title=_title(posterior),
        verdict=evidence.verdict,
        answers=tuple(_answers(posterior, evidence)),
        ranking=history.structure(posterior, "ranking"),
        contrasts=evidence.contrasts,
        differences=evidence.differences,
        contrast_images=tuple(_contrast_images(posterior, evidence)),
        fits=tuple(_fits(posterior)),
        legend=forest.LEGEND if forest.quantities(posterior) else "",
        n_subjects=len(history.coordinate(posterior, "subject")),
        most_subjects=curves.MOST_SUBJECTS,
        rows=tuple(_rows(posterior, evidence)),
        subject_tables=tuple(_subject_tables(posterior, evidence.table)),
        interval=f"{INTERVAL:.0%}".replace("%", " %"),
        parameter_images=tuple(_parameter_images(posterior)),
        ridges=tuple(_ridges(posterior, evidence.verdict)),
        traces=tuple(_traces(posterior, evidence.table)),
        priors=tuple(_priors(posterior)),
        provenance=tuple(_provenance(posterior)),
        conventions=tuple(history.structure(posterior, "conventions")),
        command=posterior.attrs.get("command") or REPEAT,
    )


def _title(posterior: xr.DataTree) -> str:
    """Return what the page is called."""
    attrs = posterior.attrs
    return str(attrs.get("study_title") or attrs.get("study") or "Parameter inference")


def leading(posterior: xr.DataTree) -> tuple[str, ...]:
    """Return the parameters that the fit was made for; the first one if the system names none."""
    return tuple(history.structure(posterior, "leading")) or history.unknowns(posterior)[:1]


def _contrasts(posterior: xr.DataTree) -> tuple[Contrast, ...]:
    """Return the contrasts that the fit was made for, or of what leads and what is derived."""
    found: list[Contrast] = []
    if len(history.labels(posterior)) < 2:
        return ()
    asked = history.structure(posterior, "compared")
    for name in asked or (*leading(posterior), *history.derived(posterior)):
        try:
            found += compare_groups(posterior, name, ci_prob=INTERVAL).contrasts
        except ComparisonError:  # shared or a vector: nothing to compare, and nobody asked
            continue
    return tuple(found)


def _differences(posterior: xr.DataTree) -> tuple[Differences, ...]:
    """Return whether two parameters that were thought to go together change alike, too."""
    found: list[Differences] = []
    design = history.structure(posterior, "design") or {}
    for first, second in design.get("correlated", ()):
        try:
            found.append(compare_differences(posterior, first, second, ci_prob=INTERVAL))
        except ComparisonError:  # no two groups, and nobody asked
            continue
    return tuple(found)


def _answers(posterior: xr.DataTree, evidence: Evidence) -> Iterator[str]:
    """Yield the main results in words; no number for what the data do not determine."""
    table, undetermined = evidence.table, evidence.verdict.undetermined
    shared = table[table["subject"] == ""]
    scalars = [n for n in dict.fromkeys(table["parameter"]) if "[" not in n]
    for name in (n for n in scalars if not n.endswith(("_spread", "_slope", "_correlation"))):
        if name in undetermined:
            yield f"{_called(posterior, name)} is not determined alone by these data."
            continue
        rows = shared[shared["parameter"] == name]
        for _, row in rows.iterrows():
            of = f" in {row['group']}" if row["group"] else ""
            yield f"{_called(posterior, name)}{of}: {_interval(row)}."
        if rows.empty and f"{name}_population" not in scalars:
            yield _over_subjects(posterior, name, table[table["parameter"] == name])


def _called(posterior: xr.DataTree, name: str) -> str:
    """Return a name with its meaning."""
    meaning = history.words(posterior, "meanings", name)
    population = ", population median" if name.endswith("_population") else ""
    return f"{name} ({meaning}{population})" if meaning else name


def _interval(row: pd.Series) -> str:
    """Return median, interval and unit in words; a single point or a constant has no interval."""
    median = history.in_unit(history.number(row["median"]), row["unit"])
    if row["sd"] == 0:
        return f"{median} (from the data, their error left aside)"
    if row["lower"] == row["upper"]:
        return median
    interval = f"{history.number(row['lower'])} to {history.number(row['upper'])}"
    return f"{median} ({INTERVAL * 100:g} % interval {interval})"


def _over_subjects(posterior: xr.DataTree, name: str, rows: pd.DataFrame) -> str:
    """Return how a parameter lies over the subjects, in words."""
    if len(rows) == 1:
        return f"{_called(posterior, name)}: {_interval(rows.iloc[0])}."
    medians, unit = rows["median"], rows["unit"].iloc[0]
    middle = history.in_unit(history.number(medians.median()), unit)
    ends = f"{history.number(medians.min())} to {history.number(medians.max())}"
    return (
        f"{_called(posterior, name)}: {middle} is the median over {len(rows)} subjects "
        f"(range {history.in_unit(ends, unit)})."
    )


def _fits(posterior: xr.DataTree) -> Iterator[Image]:
    """Yield the fit over the data, of each subject shown or of each published quantity."""
    if not {"observed_data", "constant_data"} <= set(posterior.children):
        return
    published = forest.quantities(posterior)
    for quantity in published:
        yield _image(forest.plot_arms(posterior, quantity), f"Published and fitted {quantity}")
    for subject in () if published else curves.chosen_subjects(posterior):
        text = f"Measurements and fitted curve of subject {subject}".rstrip()
        yield _image(curves.plot_fit(posterior, subject), text)
        if flows.flow_names(posterior, subject):
            text = f"Production, appearance and disposal in subject {subject}".rstrip()
            yield _image(flows.plot_fluxes(posterior, subject), text)


def _rows(posterior: xr.DataTree, evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Yield the rows of the main table: what is not of one subject among many."""
    table = evidence.table
    single = table["subject"].nunique() <= 1 + int((table["subject"] == "").any())
    for _, row in table[(table["subject"] == "") | single].iterrows():
        name = row["parameter"].split("[")[0]
        undetermined = name in evidence.verdict.undetermined
        meaning = history.words(posterior, "meanings", name)
        yield {**row.to_dict(), "meaning": meaning, "undetermined": undetermined}


def _subject_tables(posterior: xr.DataTree, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield one table with a row for each subject, if there are several."""
    own = table[(table["subject"] != "") & ~table["parameter"].str.contains("[", regex=False)]
    if own["subject"].nunique() < 2:
        return
    names = list(dict.fromkeys(own["parameter"]))
    units = {name: history.unit(posterior, name) for name in names}
    rows = [
        {
            "subject": subject,
            "group": part["group"].iloc[0],
            "cells": part.set_index("parameter").reindex(names).to_dict("records"),
        }
        for subject, part in own.groupby("subject", sort=False)
    ]
    grouped = any(row["group"] for row in rows)
    yield {"names": names, "units": units, "rows": rows, "grouped": grouped}


def _parameter_images(posterior: xr.DataTree) -> Iterator[Image]:
    """Yield the densities of each scalar unknown before and after the data."""
    draws = history.draws(posterior)
    for name in history.unknowns(posterior):
        extra = set(draws[name].dims) - {*history.SAMPLE_DIMS, "subject", "group"}
        if not extra and float(draws[name].std()) > 0:
            text = f"Prior and posterior of {name}"
            yield _image(figures.plot_prior_posterior(posterior, name), text)


def _ridges(posterior: xr.DataTree, verdict: Verdict) -> Iterator[Image]:
    """Yield the draws of each pair that cannot be told apart."""
    tied = [c for c in verdict.checks if c.name == SEPARATE and c.status != "pass"]
    for check in tied[:MOST_RIDGES]:
        first, second = check.target.split(" and ")
        figure = figures.plot_pair(posterior, (first, second), _worst_place(check))
        yield _image(figure, f"Draws of {first} against {second}")


def _worst_place(check: Check) -> str:
    """Return the subject or group that decided a check."""
    return max(check.detail, key=lambda place: abs(check.detail[place]), default="")


def _traces(posterior: xr.DataTree, table: pd.DataFrame) -> Iterator[Image]:
    """Yield the chains of the scalar of each unknown that mixed worst."""
    ranked = table.dropna(subset=["r_hat"])
    for name in history.unknowns(posterior):
        rows = ranked[ranked["parameter"] == name]
        if not rows.empty:
            worst = rows.loc[rows["r_hat"].idxmax()]
            place = worst["subject"] or worst["group"]
            yield _image(figures.plot_trace(posterior, name, place), f"Chains of {name}")


def _contrast_images(posterior: xr.DataTree, evidence: Evidence) -> Iterator[Image]:
    """Yield all ratios; then densities by group, and subjects sorted, of each parameter."""
    table = evidence.table
    if len([c for c in evidence.contrasts if c.ratio is not None]) > 1:
        yield _image(figures.plot_contrasts(evidence.contrasts), "Ratios between the groups")
    for name in dict.fromkeys(c.parameter for c in evidence.contrasts):
        yield _image(figures.plot_groups(posterior, name), f"Posterior of {name} by group")
        if ((table["parameter"] == name) & (table["subject"] != "")).any():
            yield _image(figures.plot_forest(posterior, name, table), f"{name} of each subject")


def _priors(posterior: xr.DataTree) -> Iterator[dict[str, str]]:
    """Yield prior, unit and source of each parameter."""
    for name, prior in history.structure(posterior, "priors").items():
        yield {
            "name": name,
            "meaning": history.words(posterior, "meanings", name),
            "prior": str(prior),
            "unit": history.unit(posterior, name),
            "source": history.words(posterior, "sources", name),
        }


def _provenance(posterior: xr.DataTree) -> Iterator[tuple[str, str]]:
    """Yield what the run was made from, as label and value."""
    for name, label in PROVENANCE:
        if posterior.attrs.get(name) not in (None, ""):
            yield label, str(posterior.attrs[name])
    for name, label in (("options", "Option"), ("design", "Design"), ("versions", "Version of")):
        for key, value in dict(history.structure(posterior, name) or {}).items():
            yield f"{label} {key}", _said(value)


def _said(value: Any) -> str:
    """Return a structure in words."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_said(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value) or "none"
    return str(value)


def _image(figure: "Figure", text: str) -> Image:
    """Return a figure as the page holds it; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with figures.style():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return Image("data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode(), text)
