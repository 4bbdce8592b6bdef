"""Flat tables: doses, weights and covariates repeated on every row of a measurement table."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hepaflux.study.description import Tables
from hepaflux.study.doses import DOSE_COLUMNS
from hepaflux.study.headers import ANALYTES, KNOWN
from hepaflux.study.people import numeric_columns
from hepaflux.study.problems import Problems
from hepaflux.study.samples import TIDY_COLUMNS
from hepaflux.study.table import Row, Table, shown

_DOSE_COLUMNS = {
    "dose": "amount",
    "dose_unit": "unit",
    "dose_time": "time",
    "dose_what": "what",
    "route": "route",
    "dose_route": "route",
    "duration": "duration",
}


@dataclass(frozen=True)
class ReadOptions:
    """What a table does not say; an option fills gaps.

    Attributes
    ----------
    dose : str or None
        Glucose given to everyone: ``"75 g"`` or ``"0.3 g/kg"``.
    dose_time : float
        When, in the table's unit of time.
    route : {"oral", "intravenous"} or None
        How; needed with a dose, for the two are not told apart by the numbers.
    weight : float or None, kg
        Body weight of every subject whose weight the table does not state.
    group : str or None
        Group of every subject whose group the table does not state.
    time_unit : str or None
        Unit of times whose column states none; minutes unless ``study.toml`` says otherwise.
    units : mapping of str to str
        Unit by analyte, such as ``{"glucose": "mg/dL"}``; stronger than what the table says.
    insulin_factor : float or None, pmol/L per µU/mL
        The insulin convention; stronger than what ``study.toml`` says.
    """

    dose: str | None = None
    dose_time: float = 0.0
    route: str | None = None
    weight: float | None = None
    group: str | None = None
    time_unit: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    insulin_factor: float | None = None


def unfold(tables: Tables, options: ReadOptions, problems: Problems) -> Tables:
    """Return the study with all doses and covariates in tables of their own."""
    table = tables.measurements
    extra = [c for c in table.columns if c not in (*TIDY_COLUMNS, *ANALYTES)]
    numeric = numeric_columns(table, ())
    kept = [c for c in extra if c in (*_DOSE_COLUMNS, "group", "weight") or c in numeric]
    people = _one_row_each(table, kept, problems)
    about = [c for c in kept if c not in _DOSE_COLUMNS]
    subjects = Table(table.name, ("subject", *about), tuple(people), table.units) if about else None
    if about and tables.subjects:
        message = f"{', '.join(about)}: move these columns to {tables.subjects.name}."
        problems.add(table.name, message)
    doses = [tables.doses, _doses_on_rows(table, people, options), _dose_of_option(table, options)]
    stated = [doses_table for doses_table in doses if doses_table]
    if len(stated) > 1:
        both = " and ".join(doses_table.name for doses_table in stated)
        problems.add("dose", f"doses are stated in {both}; keep one, lest they add up.")
    if tables.doses or not stated:
        _check_idle(options, problems)
    described = [c for c in kept if c in _DOSE_COLUMNS]
    if described and "dose" not in described:
        message = f"{', '.join(described)} without a column dose; give the amount or remove them."
        problems.add(table.name, message)
    return replace(tables, doses=next(iter(stated), None), subjects=tables.subjects or subjects)


def _check_idle(options: ReadOptions, problems: Problems) -> None:
    """Note options that say something of a dose that is not theirs."""
    for name, idle in (("route", options.route), ("dose_time", options.dose_time)):
        if idle:
            message = "goes with the option dose or a column dose, and there is none; remove it."
            problems.add(f"option {name}", message)


_ONLY_KNOWN = f"the subject; only {KNOWN} may change: correct or remove it."


def _one_row_each(table: Table, columns: list[str], problems: Problems) -> list[Row]:
    """Return one row per subject with the constant content of some columns."""
    cells: dict[str, dict[str, str]] = {}
    first: dict[str, Row] = {}
    for row in table.rows:
        subject = row.text("subject")
        known = cells.setdefault(subject, {"subject": subject})
        first.setdefault(subject, row)
        for column in columns:
            text = row.text(column)
            if text and known.setdefault(column, text) != text:
                is_constant = column in (*_DOSE_COLUMNS, "group", "weight")
                problems.add(
                    row.place(column),
                    f"{shown(text)!r} differs from {shown(known[column])!r} in an earlier row of "
                    + ("the subject; correct one." if is_constant else _ONLY_KNOWN),
                    kind=f"varying {column}",
                )
    return [replace(first[subject], cells=found) for subject, found in cells.items()]


def _dose_table(table: Table, name: str, rows: list[Row]) -> Table | None:
    """Return doses as a table, with the units that the measurement table's headers state."""
    times = table.units.get("dose_time") or table.units.get("time", "")
    units = {"time": times, "duration": table.units.get("duration", "")}
    return Table(name, DOSE_COLUMNS, tuple(rows), units) if rows else None


def _defaults(options: ReadOptions) -> dict[str, str]:
    """Return the cells of a dose that only states its amount."""
    time = f"{options.dose_time:.17g}"
    return {"subject": "all", "what": "glucose", "time": time, "route": options.route or ""}


def _doses_on_rows(table: Table, people: list[Row], options: ReadOptions) -> Table | None:
    """Return the doses that the rows of a measurement table state."""
    rows = []
    for row in people:
        stated = {_DOSE_COLUMNS[c]: text for c, text in row.cells.items() if c in _DOSE_COLUMNS}
        if "amount" in stated:
            cells = {"subject": row.text("subject"), "unit": table.units.get("dose", "")}
            rows.append(replace(row, cells=_defaults(options) | cells | stated))
    return _dose_table(table, table.name, rows)


def _dose_of_option(table: Table, options: ReadOptions) -> Table | None:
    """Return the dose that the options state."""
    if options.dose is None:
        return None
    row = Row("option dose", 0, _defaults(options) | {"amount": options.dose})
    return _dose_table(table, "option dose", [row])
