"""Figure table: a table of published figures becomes one validated record, or one error.

A standard error that a source calls a standard deviation cannot be told from its number alone; what
can be told is a spread that no fraction can have, and everything that is listed below.
"""

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hepaflux.study.figures import KINDS, TRUSTS, Figure, Figures
from hepaflux.study.headers import meant
from hepaflux.study.problems import Problems, refuse
from hepaflux.study.quantities import Quantity, by_name
from hepaflux.study.registry import bundled_folder
from hepaflux.study.table import Row, Table, read_table, read_text, require_columns, shown
from hepaflux.units import UnitError, conversion_factor

PUBLISHED = "published_figures"
"""Name of the table that comes with the package."""

FILE_NAME, TABLE_NAME = "figures.toml", "figures.csv"

_TEXTS = ("name", "title", "license", "notes")

NEEDED = ("quantity", "group", "citation", "mean", "unit")

COLUMNS = (
    *("quantity", "group", "group_in_source", "study", "citation", "condition", "method", "n"),
    *("mean", "spread", "spread_kind", "unit", "scale", "trust", "note"),
)


def read_figures(
    source: str | Path = PUBLISHED,
    *,
    unverified: bool = False,
    quantities: Iterable[Quantity] = (),
) -> Figures:
    """Read a table of published figures and judge it.

    Parameters
    ----------
    source : str or Path
        A ``figures.toml``, a folder that holds one or a ``figures.csv``, a CSV file, or the name of
        the bundled table.
    unverified : bool
        Whether figures that were not compared with their source are kept.
    quantities : iterable of Quantity
        Quantities beside the known ones.

    Raises
    ------
    StudyError
        If anything is wrong, with all of it.
    """
    problems = Problems()
    table, texts = problems.require(_files, source)
    known = tuple(quantities)
    rows = problems.require(read_rows, table, known, problems)
    kept = tuple(row for row in rows if unverified or row.trust == "checked")
    if rows and not kept and not problems.found:
        problems.add(
            table.name,
            f"none of its {len(rows)} figures was compared with its source; ask for them with"
            " unverified=True (--unverified).",
        )
    problems.stop()
    return _gathered(kept, tuple(row for row in rows if row not in kept), known, texts)


def _gathered(
    kept: tuple[Figure, ...],
    left_out: tuple[Figure, ...],
    extra: tuple[Quantity, ...],
    texts: Mapping[str, Any],
) -> Figures:
    used = dict.fromkeys(figure.quantity for figure in kept)
    quantities = tuple(by_name(extra)[name] for name in used)
    return replace(Figures("", kept, quantities, left_out), **texts)


def _files(source: str | Path) -> tuple[Any, dict[str, str]]:
    """Return the table of figures and what is said about it."""
    path = bundled_folder(PUBLISHED) if source == PUBLISHED else Path(source)
    if not path.exists():
        refuse(str(source), f"there is no such file or folder; the bundled table is {PUBLISHED}.")
    folder = path.parent if path.suffix == ".toml" else path
    texts = {"name": folder.stem, "origin": str(source)}
    if path.suffix == ".toml" or (path.is_dir() and (path / FILE_NAME).is_file()):
        texts |= _description(folder / (path.name if path.suffix == ".toml" else FILE_NAME))
    return read_table(folder / TABLE_NAME if folder.is_dir() else folder), texts


def _description(path: Path) -> dict[str, str]:
    """Return what a ``figures.toml`` says; refuse what would be ignored."""
    try:
        content = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        refuse(path.name, f"this is not TOML: {error}. Correct that line.")
    for key, value in content.items():
        if key not in _TEXTS:
            known = ", ".join(_TEXTS)
            refuse(
                path.name, f"the key {key!r} is not known{meant(key, _TEXTS)}; known are {known}."
            )
        if not isinstance(value, str):
            refuse(path.name, f"{key} must be a text in quotes, but is {value!r}.")
    return content


def read_rows(table: Table, extra: Iterable[Quantity], problems: Problems) -> tuple[Figure, ...]:
    """Return the figures of a table, and note what is wrong with its rows.

    Parameters
    ----------
    table : Table
        As its file says it.
    extra : iterable of Quantity
        Quantities beside the known ones.
    problems : Problems
        Gets everything that is wrong with single rows.
    """
    require_columns(table, NEEDED)
    unknown = [column for column in table.columns if column not in COLUMNS]
    if unknown:
        refuse(
            table.name,
            f"the column {shown(unknown[0])!r} is not known{meant(unknown[0], COLUMNS)}; known are"
            f" {', '.join(COLUMNS)}.",
        )
    quantities = by_name(extra)
    figures: list[Figure] = []
    first: dict[tuple[str, ...], int] = {}
    for row in table.rows:
        figure = _figure(row, quantities, problems)
        if figure is not None:
            problems.attempt(_check_once, row, figure, first)
            figures.append(figure)
    return tuple(figures)


def _check_once(row: Row, figure: Figure, first: dict[tuple[str, ...], int]) -> None:
    """Refuse people who were listed before for the same quantity."""
    key = (figure.quantity, figure.study, figure.label)
    if first.setdefault(key, row.number) != row.number:
        refuse(
            row.place(figure.quantity),
            f"{shown(figure.label)} is in row {first[key]} too; remove one, or tell the groups"
            " apart in group_in_source or condition.",
            kind="listed twice",
        )


def _figure(row: Row, quantities: Mapping[str, Quantity], problems: Problems) -> Figure | None:
    """Return the figure of a row, or note everything that is wrong with it."""
    before = len(problems.found)
    cells = {name: problems.attempt(read, row) for name, read in READERS.items()}
    quantity = problems.attempt(_quantity, row, quantities)
    factor = None if quantity is None else problems.attempt(_factor, row, quantity)
    if len(problems.found) == before:
        problems.attempt(_check_precision, row, cells)
    if quantity is None or factor is None or len(problems.found) > before:
        return None
    figure = _converted(row, cells, quantity.name, factor)
    problems.attempt(_check_range, row, figure, quantity)
    return figure if len(problems.found) == before else None


def _converted(row: Row, cells: Mapping[str, Any], quantity: str, factor: float) -> Figure:
    """Return the figure of a sound row in canonical units."""
    spread = cells["spread"]
    numbers = {
        "mean": cells["mean"] * factor,
        "spread": None if spread is None else spread * factor,
    }
    texts = {name: row.text(name) for name in PLAIN}
    study = row.text("study") or cells["citation"]
    return Figure(quantity=quantity, study=study, **{**cells, **numbers, **texts})


def _quantity(row: Row, quantities: Mapping[str, Quantity]) -> Quantity:
    name = row.text("quantity")
    if name not in quantities:
        known = ", ".join(quantities)
        refuse(
            row.place("quantity"),
            f"{shown(name)!r} is not known{meant(name, quantities)}; known are {known}.",
        )
    return quantities[name]


def _group(row: Row) -> str:
    if not row.has("group"):
        refuse(row.place("group"), "the cell is empty; give a label such as healthy or NAFLD.")
    return row.text("group")


def _citation(row: Row) -> str:
    if not row.has("citation"):
        refuse(row.place("citation"), "the citation is missing; say where the figure is printed.")
    return row.text("citation")


def _trust(row: Row) -> str:
    trust = row.text("trust") or TRUSTS[0]
    if trust not in TRUSTS:
        refuse(row.place("trust"), f"{shown(trust)!r} is neither {' nor '.join(TRUSTS)}.")
    return trust


def _n(row: Row) -> int | None:
    if not row.has("n"):
        return None
    n = row.number_in("n")
    if n < 1 or n != int(n):
        refuse(row.place("n"), f"{n:g} is no number of people; leave the cell empty if not known.")
    return int(n)


def _spread(row: Row) -> float | None:
    if not row.has("spread"):
        return None
    spread = row.number_in("spread")
    if spread <= 0:
        refuse(
            row.place("spread"),
            f"{spread:g} is not positive; leave the cell empty if it is not reported.",
        )
    return spread


def _kind(row: Row) -> str:
    kind = row.text("spread_kind") or "none"
    if kind not in KINDS:
        refuse(row.place("spread_kind"), f"{shown(kind)!r} is not one of {', '.join(KINDS)}.")
    if row.has("spread") and kind == "none":
        refuse(
            row.place("spread_kind"),
            "the spread has no kind; write SD or SE, with 'presumed' if the source does not say.",
        )
    if kind != "none" and not row.has("spread"):
        refuse(row.place("spread"), f"the {kind} is missing; give it, or write none as its kind.")
    return kind


def _factor(row: Row, quantity: Quantity) -> float:
    """Return the number that turns the row's unit into the canonical one on its scale."""
    scale = row.text("scale")
    if scale not in quantity.scales:
        known = ", ".join(repr(name) for name in quantity.scales)
        refuse(row.place("scale"), f"{shown(scale)!r} is no scale of {quantity.name}; use {known}.")
    unit = row.text("unit")
    if not unit:
        refuse(row.place("unit"), "the unit is missing; a fraction has the unit 1 or %.")
    try:
        return conversion_factor(unit, quantity.unit_on(scale))
    except UnitError as error:
        refuse(
            row.place("unit"),
            f"unknown unit: {error}; write the unit and the scale (body weight or fat-free mass for"
            " a rate per kg)."
            if quantity.is_rate
            else f"unknown unit: {error}.",
        )


READERS: Mapping[str, Callable[[Row], Any]] = {
    "group": _group,
    "citation": _citation,
    "trust": _trust,
    "n": _n,
    "mean": lambda row: row.number_in("mean"),
    "spread": _spread,
    "spread_kind": _kind,
}
"""How the cells that mean the same for every quantity are read."""

PLAIN = ("method", "condition", "group_in_source", "scale", "note")
"""Columns that are taken as they are."""


def _check_precision(row: Row, cells: dict[str, Any]) -> None:
    """Refuse a mean about whose precision nothing is known."""
    is_error = str(cells["spread_kind"]).startswith("SE")
    if cells["n"] is None and not is_error:
        refuse(
            row.place("n"),
            "neither n nor an SE is given, so nothing says how precise the mean is; give one.",
        )
    if cells["n"] == 1 and cells["spread"] is not None:
        refuse(row.place("n"), "one person has no spread; remove it or correct n.")


def _check_range(row: Row, figure: Figure, quantity: Quantity) -> None:
    """Refuse a mean or a spread that does not occur, with a guess why."""
    lower, upper = quantity.range_on(figure.scale)
    unit = quantity.unit_on(figure.scale)
    if not lower <= figure.mean <= upper:
        refuse(
            row.place("mean"),
            f"{row.text('mean')} {row.text('unit')} is outside {_range(lower, upper, unit)}; is the"
            f" unit right{' (1 or %)' if unit == '1' else ''}?",
        )
    if quantity.support == "unit":
        _check_spread_of_fraction(row, figure)


def _check_spread_of_fraction(row: Row, figure: Figure) -> None:
    """Refuse a spread that no fractions of this mean can have."""
    n = figure.n or 1
    widest = math.sqrt(figure.mean * (1 - figure.mean) * n / max(n - 1, 1))
    sd = figure.spread if figure.sd is None else figure.sd
    if sd is not None and sd > widest:
        what = f"{figure.spread_kind} {row.text('spread')} {row.text('unit')}"
        refuse(
            row.place("spread"),
            f"fractions with the mean {figure.mean:.3g} cannot have the {what}; is it in the unit"
            " of the mean, and an SD or an SE?",
        )


def _range(lower: float, upper: float, unit: str) -> str:
    text = f"{lower:.3g}–{upper:.3g}"
    return text if unit == "1" else f"{text} {unit}"
