"""Samples: rows of a measurement table, tidy or wide, become values in canonical units."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from hepaflux.study.headers import ANALYTES, KNOWN, analyte_of, meant, slug, spell_unit
from hepaflux.study.problems import Problems, refuse
from hepaflux.study.study import Censoring
from hepaflux.study.table import Row, Table, require_columns, shown
from hepaflux.units import (
    CANONICAL,
    DEUTERATED,
    UnitError,
    conversion_factor,
    enrichment_to_share,
    enrichment_to_ttr,
)

TIDY_COLUMNS = ("subject", "time", "analyte", "value", "unit", "censoring", "limit")
"""Columns of a tidy measurement table; the last three are optional."""

_CENSORING: dict[str, Censoring] = {
    "": "none",
    "none": "none",
    "no": "none",
    "left": "left",
    "<": "left",
    "right": "right",
    ">": "right",
}
_LONGEST_NAME = 100


class Sample(NamedTuple):
    """One value: minutes and the canonical unit of its analyte, with the row it comes from."""

    subject: str
    analyte: str
    time: float
    value: float
    censoring: Censoring
    unit: str
    stated: float
    row: Row


class Convention(NamedTuple):
    """How the numbers of a table are to be read.

    Attributes
    ----------
    time_unit : str
        Unit of times and durations whose column states none.
    insulin_factor : float, pmol/L per µU/mL
        The insulin convention.
    units : mapping of str to str
        Unit by analyte; stronger than what the table says.
    """

    time_unit: str
    insulin_factor: float
    units: Mapping[str, str]


def tidy(table: Table) -> Table:
    """Return a measurement table with one row per value, whether it was tidy or wide."""
    analytes = [column for column in table.columns if column in ANALYTES]
    if analytes:
        require_columns(table, ("subject", "time"))
        _check_wide(table, analytes)
        rows = tuple(_melted(row, column, table) for row in table.rows for column in analytes)
    else:
        wide = ", or subject, time and one column per analyte such as 'glucose [mg/dL]'"
        require_columns(table, TIDY_COLUMNS[:4], otherwise=wide)
        rows = table.rows
    return Table(table.name, TIDY_COLUMNS, rows, table.units)


def _check_wide(table: Table, analytes: list[str]) -> None:
    """Refuse columns that say something of one value where a row holds several."""
    tidy_only = [column for column in TIDY_COLUMNS[2:] if column in table.columns]
    if tidy_only:
        refuse(
            table.name,
            f"the column {' and '.join(tidy_only)} needs one value per row, but there are columns "
            f"{', '.join(analytes)}; write units in the header and censored values as <12, or use "
            "one row per value.",
        )


def _melted(row: Row, analyte: str, table: Table) -> Row:
    """Return the row of one analyte of a wide row."""
    cells = {
        "subject": row.text("subject"),
        "time": row.text("time"),
        "analyte": analyte,
        "value": row.text(analyte),
        "unit": table.units.get(analyte, ""),
    }
    return replace(row, cells=cells)


def check_name(row: Row, column: str) -> str:
    """Return a name as it stands; refuse one that is empty, endless or holds control characters.

    A name may hold any mark, ``<`` included: whoever writes it into a page escapes it.
    """
    name = row.text(column)
    if not name:
        refuse(row.place(column), f"the {column} is empty; give its name.")
    if len(name) > _LONGEST_NAME:
        found = f"the {column}'s name has {len(name)} characters"
        refuse(row.place(column), f"{found}; at most {_LONGEST_NAME} are allowed.")
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        found = f"the {column}'s name {name!r} holds a control character"
        refuse(row.place(column), f"{found}; remove it.")
    if column == "subject" and name == "all":
        refuse(row.place(column), "'all' stands for every subject in a dose table; rename it.")
    return name


@functools.cache
def substance_factor(unit: str, canonical: str, substance: str, insulin_factor: float) -> float:
    """Return the number that turns an amount or concentration of a substance canonical.

    Raises
    ------
    UnitError
        If the unit does not measure the substance. Units of activity measure insulin alone,
        which the conversion does not know.
    """
    if substance != "insulin" and "U" in unit:
        raise UnitError(f"{unit!r} does not measure {substance}")
    return conversion_factor(unit, canonical, substance=substance, insulin_factor=insulin_factor)


def factor_of(row: Row, analyte: str, convention: Convention) -> tuple[str, float]:
    """Return the unit of a row's value and the number that makes it canonical."""
    unit = spell_unit(convention.units.get(analyte, "") or row.text("unit"))
    place, kind = row.place(analyte), f"unit {analyte} {unit} {row.table}"
    example = f"for example {CANONICAL[analyte]}"
    if not unit:
        places = f"the header, as in '{analyte} [{CANONICAL[analyte]}]', or in a column unit"
        refuse(place, f"the unit of {analyte} is missing; state it in {places}.", kind=kind)
    factor = convention.insulin_factor
    try:
        if is_enrichment(analyte):
            canonical(0.0, unit, 1.0, analyte)
            return unit, 1.0
        return unit, substance_factor(unit, CANONICAL[analyte], analyte, factor)
    except UnitError as error:
        refuse(place, f"unknown unit: {error}; write {example}.", kind=kind)


def is_enrichment(analyte: str) -> bool:
    """Return whether an analyte is the enrichment of a tracer."""
    return analyte.endswith("_enrichment") or analyte in DEUTERATED


def canonical(stated: float, unit: str, factor: float, analyte: str) -> float:
    """Return a stated value in the canonical unit of its analyte."""
    if is_enrichment(analyte):
        convert = enrichment_to_share if analyte in DEUTERATED else enrichment_to_ttr
        return float(convert(stated, unit))
    return stated * factor


@functools.cache
def _minutes_in(unit: str) -> float:
    return conversion_factor(unit, CANONICAL["time"])


def minutes(row: Row, column: str, units: Mapping[str, str], time_unit: str) -> float:
    """Return a time or duration in minutes.

    A nanominute is the grain, lest 0.1 h and 6 min differ by the rounding of the conversion.
    """
    unit = spell_unit(units.get(column, "") or time_unit)
    try:
        factor = _minutes_in(unit)
    except UnitError:
        refuse(row.table, f"{unit!r} is no unit of time; write min, h or day.")
    return round(row.number_in(column) * factor, 9)


def _censored(row: Row) -> tuple[float, Censoring] | None:
    """Return a row's value and what is known of it, or None if the row holds no value."""
    word, text = row.text("censoring").lower(), row.text("value")
    if word not in _CENSORING:
        found = f"the censoring {shown(word)!r} is not known"
        refuse(row.place("censoring"), f"{found}; write none, left or right.")
    censoring, limited = _CENSORING[word], row.has("limit")
    if text[:1] in ("<", ">"):
        marked = _CENSORING[text[0]]
        if word and marked != censoring:
            found = f"the value {shown(text)!r} contradicts the censoring {word!r}"
            refuse(row.place("censoring"), f"{found}; make them agree.")
        return row.number_in("value", text=text[1:].lstrip(" =")), marked
    if not row.has("value"):
        return _without_value(row, censoring)
    value = row.number_in("value")
    if limited and censoring != "none":
        return _limit_of(row, value, censoring), censoring
    if limited and not word and value <= row.number_in("limit"):
        found = f"the value {text} does not exceed the limit {row.text('limit')}"
        refuse(row.place("limit"), f"{found}; say left or none in the column censoring.")
    return value, censoring


def _limit_of(row: Row, value: float, censoring: Censoring) -> float:
    """Return the limit of a censored row that states a value too."""
    limit = row.number_in("limit")
    # A lower limit often stands in every row, also where a value exceeds the upper one.
    if (censoring == "left" and value > limit) or (censoring == "right" and value != limit):
        found = f"{censoring}-censored, but the value {value:g} and the limit {limit:g} disagree"
        refuse(row.place("limit"), f"{found}; leave one of them empty.")
    return limit


def _without_value(row: Row, censoring: Censoring) -> tuple[float, Censoring] | None:
    """Return what a row without a value says: a limit, or nothing at all."""
    if not row.has("limit") and censoring == "none":
        return None
    if censoring == "none":
        refuse(row.place("limit"), "a limit without a value; say left or right in censoring.")
    return row.number_in("limit"), censoring


def read_samples(
    table: Table, convention: Convention, problems: Problems
) -> tuple[list[Sample], set[str]]:
    """Read all values of a tidy table.

    Returns
    -------
    list of Sample
        In the order of the table; rows without a value are left out.
    set of str
        Subjects with a row that was refused: what is missing there need not be reported again.
    """
    samples, refused = [], set()
    for row in table.rows:
        before = len(problems.found)
        sample = _read_sample(row, table, convention, problems)
        if len(problems.found) > before:
            refused.add(row.text("subject"))
        elif sample is not None:
            samples.append(sample)
    return samples, refused


def _read_sample(
    row: Row, table: Table, convention: Convention, problems: Problems
) -> Sample | None:
    """Read one row, noting everything that is wrong with it."""
    subject = problems.attempt(check_name, row, "subject")
    time = problems.attempt(minutes, row, "time", table.units, convention.time_unit)
    before = len(problems.found)
    value = problems.attempt(_censored, row)
    if value is None and len(problems.found) == before:
        return None
    analyte = problems.attempt(_analyte, row)
    scale = problems.attempt(factor_of, row, analyte, convention) if analyte else None
    if subject is None or time is None or analyte is None or scale is None or value is None:
        return None
    unit, factor = scale
    (stated, censoring) = value
    amount = canonical(stated, unit, factor, analyte)
    return Sample(subject, analyte, time, amount, censoring, unit, stated, row)


def _analyte(row: Row) -> str:
    """Return which analyte a row measures."""
    analyte = analyte_of(row.text("analyte"))
    if analyte is None:
        name = shown(row.text("analyte"))
        refuse(
            row.place("analyte"),
            f"{name!r} is not a known analyte{meant(name, ANALYTES)}; known are {KNOWN}. "
            "Correct the name or remove the rows.",
            kind=f"analyte {slug(name)}",
        )
    return analyte
