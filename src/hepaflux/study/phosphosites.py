"""Phosphosites: a table of log2 ratios over basal becomes a study of what each site was.

One row is one site in one liver: ``phosphosite`` (``AKT1S1;247``), ``time_min``,
``replicate_mouse`` and a column whose name begins with ``log2_ratio``. A liver is taken once, so
that a replicate's number is no animal that was sampled again. It tells the experiments apart, and
these are the subjects, each with several samples of a site at a time.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hepaflux.phosphosites import LEFT_OUT, READ
from hepaflux.study.description import NOT_PUBLISHED, Description, Tables
from hepaflux.study.problems import refuse
from hepaflux.study.samples import TIDY_COLUMNS
from hepaflux.study.table import Row, Table, require_columns

NEEDED = ("phosphosite", "time", "replicate_mouse")
RATIO = "log2_ratio"

EARLY = 1.0
"""Minutes within which the experiment of the first seconds ends."""

_ANALYTES = {site.label: site.analyte for site in READ}


def holds_phosphosites(table: Table) -> bool:
    """Return whether a table, its columns named by meaning, has the layout."""
    return "phosphosite" in table.columns


def phosphosite_tables(table: Table, path: Path) -> Tables:
    """Return the tables of a study; sites that stand for nothing in the equations are left out.

    A replicate is of the experiment ``early`` if its last liver was taken within a minute, and of
    ``intermediate`` otherwise; each experiment has its own livers at time 0, and is a group.

    Raises
    ------
    StudyError
        If a column is missing, a number cannot be read, a liver occurs twice, or no site is one of
        those that are known.
    """
    require_columns(table, NEEDED)
    ratio = _ratio_column(table)
    known = [r for r in table.rows if r.text("phosphosite") in _ANALYTES and r.has(ratio)]
    if not known:
        found = f"no row has a site that is known; known are {', '.join(_ANALYTES)}"
        refuse(table.name, f"{found}. Write sites as gene;residue, numbered as in mice.")
    _check_twice(known)
    experiments = _experiments(known)
    rows = tuple(_sample(row, ratio, experiments) for row in known)
    people = tuple(
        replace(rows[0], cells={"subject": name, "group": name})
        for name in dict.fromkeys(row.text("subject") for row in rows)
    )
    description = Description(
        path.stem,
        protocol="insulin injected into the portal vein at time 0",
        notes=_notes(table),
        body_weight=NOT_PUBLISHED,
        origin=str(path),
    )
    subjects = Table(table.name, ("subject", "group"), people)
    measurements = Table(table.name, TIDY_COLUMNS, rows, table.units)
    return Tables(description, measurements, subjects=subjects)


def _ratio_column(table: Table) -> str:
    """Return the column of log2 ratios."""
    named = [column for column in table.columns if column.startswith(RATIO)]
    if len(named) != 1:
        found = ", ".join(table.written)
        refuse(table.name, f"one column must begin with {RATIO}, of these: {found}.")
    return named[0]


def _check_twice(rows: list[Row]) -> None:
    """Refuse a site that one liver has twice: who copied a row would have it count twice."""
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        first = seen.setdefault(tuple(row.text(column) for column in NEEDED), row.number)
        if first != row.number:
            site = row.text("phosphosite")
            refuse(row.place(site), f"the liver occurs twice (also in row {first}); remove one.")


def _sample(row: Row, ratio: str, experiments: Mapping[str, str]) -> Row:
    """Return what a site was over basal, in one liver."""
    cells = {
        "subject": experiments[row.text("replicate_mouse")],
        "time": row.text("time"),
        "analyte": _ANALYTES[row.text("phosphosite")],
        "value": f"{2.0 ** row.number_in(ratio):.17g}",
        "unit": "arbitrary_unit",
    }
    return replace(row, cells=cells)


def _experiments(rows: list[Row]) -> Mapping[str, str]:
    """Return the experiment of each replicate."""
    last: dict[str, float] = {}
    for row in rows:
        name = row.text("replicate_mouse")
        last[name] = max(row.number_in("time"), last.get(name, 0.0))
    return {name: "early" if time <= EARLY else "intermediate" for name, time in last.items()}


def _notes(table: Table) -> str:
    """Say which sites were left out, and why."""
    found = dict.fromkeys(row.text("phosphosite") for row in table.rows)
    reasons = {site.label: site.reason for site in LEFT_OUT}
    left = [
        f"{label} ({reasons.get(label, 'nothing is known of it here')})"
        for label in found
        if label not in _ANALYTES
    ]
    about = "Values are 2 to the power of the log2 ratio. Each liver was taken once."
    return f"{about} Left out: {'; '.join(left)}." if left else about
