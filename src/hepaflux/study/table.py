"""Table: a CSV file as text cells, each with the row that a person counts in a spreadsheet."""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hepaflux.study.headers import MEANINGS, read_header
from hepaflux.study.problems import refuse

LARGEST_FILE = 50_000_000
"""Bytes; a table of samples is a thousand times smaller."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_WORKBOOK = b"PK\x03\x04"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_ABSENT = {"", "na", "n/a"}


@dataclass(frozen=True)
class Row:
    """One row: text by column.

    Attributes
    ----------
    table : str
        Name of the file or option that it comes from.
    number : int
        Counted as in a spreadsheet, the header being row 1; zero if the place has no rows.
    cells : mapping of str to str
        By column, without the spaces around it.
    decimal_comma : bool
        Whether a comma in a number is a decimal mark.
    """

    table: str
    number: int
    cells: Mapping[str, str]
    decimal_comma: bool = False

    def text(self, column: str) -> str:
        """Return a cell, empty if the row has none."""
        return self.cells.get(column, "")

    def has(self, column: str) -> bool:
        """Return whether a cell holds anything but a mark of absence."""
        return self.text(column).lower() not in _ABSENT

    def place(self, what: str) -> str:
        """Say where the row stands."""
        subject = self.text("subject")
        of = f", subject {shown(subject)}" if subject else ""
        row = f" row {self.number}" if self.number else ""
        return f"{what}{of}, {self.table}{row}"

    def number_in(self, column: str, *, text: str | None = None) -> float:
        """Read a cell, or ``text`` taken from it, as a number."""
        text = self.text(column) if text is None else text
        text = text.replace("−", "-")
        text = text.replace(",", ".") if self.decimal_comma else text
        if text.lower() in _ABSENT:
            refuse(self.place(column), "the cell is empty; give a number.")
        if _NOT_FINITE.fullmatch(text) or (_NUMBER.fullmatch(text) and math.isinf(float(text))):
            refuse(self.place(column), f"{text} is not finite; leave a missing cell empty.")
        if not _NUMBER.fullmatch(text):
            mark = " with a decimal point" if "," in text else ""
            refuse(
                self.place(column),
                f"{shown(text)!r} is not a number; write one{mark}, or leave the cell empty.",
            )
        return float(text)


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes
    ----------
    name : str
        File name, as messages say it.
    columns : tuple of str
        As the file says them, or by meaning after ``by_meaning``.
    rows : tuple of Row
        In the order of the file, blank rows left out.
    units : mapping of str to str
        Units that the headers state, by column.
    written : tuple of str
        The columns as the file says them.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    units: Mapping[str, str] = field(default_factory=dict)
    written: tuple[str, ...] = ()


def shown(text: str) -> str:
    """Return text that is fit for a message: printable and not long."""
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable if len(printable) <= 60 else printable[:57] + "..."


def read_text(path: Path) -> str:
    """Return the text of a file that is there, small, UTF-8 and not empty."""
    if not path.is_file():
        refuse(str(path), "there is no such file; check the name and the folder.")
    size = path.stat().st_size
    if size > LARGEST_FILE:
        refuse(
            path.name,
            f"the file has {size / 1e6:.0f} MB, and the limit is {LARGEST_FILE / 1e6:.0f} MB; is "
            "it a table of samples? Keep only the rows and columns that are needed.",
        )
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = "save it again as " + ("UTF-8" if path.suffix == ".toml" else "'CSV UTF-8'")
        if content.startswith(_WORKBOOK):
            refuse(path.name, f"the file is a workbook, not a table of text; {remedy}.")
        encoding = "utf-16" if content.startswith(_UTF_16) else "latin1"
        remedy += f", or convert it with: iconv -f {encoding} -t utf-8 {path.name}"
        refuse(path.name, f"the file is not UTF-8 (byte {error.start + 1}); {remedy}")
    if not text.strip():
        refuse(path.name, "the file is empty; it needs a header and rows.")
    return text


def read_table(path: Path) -> Table:
    """Read a CSV file separated by commas, semicolons or tabs; all cells stay text."""
    text = read_text(path)
    first_line = text.lstrip().splitlines()[0]
    delimiter = max(",;\t", key=first_line.count)
    records = list(_records(text, delimiter, path.name))
    (_, header), *body = records
    rows = [_row(path.name, number, header, cells, delimiter) for number, cells in body]
    if not rows:
        refuse(path.name, "the file is empty below its header; it needs at least one row.")
    columns = tuple(name.strip() for name in header)
    if any(row.text("") for row in rows):
        refuse(path.name, "a column has cells but no name; name it or remove it.")
    named = tuple(name for name in columns if name)
    return Table(path.name, named, tuple(rows), written=named)


def _records(text: str, delimiter: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank, with their number."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            refuse(f"{name} row {number}", f"cannot be read ({error}); is a quote left open?")
        if any(cell.strip() for cell in cells):
            yield number, cells


def _row(name: str, number: int, header: list[str], cells: list[str], delimiter: str) -> Row:
    """Return one row; refuse one that is longer than the header."""
    if any(cell.strip() for cell in cells[len(header) :]):
        refuse(
            f"{name} row {number}",
            f"has {len(cells)} cells but the header has {len(header)}; is there a comma inside a "
            "number or a name?",
            kind=f"{name} long row",
        )
    columns, texts = (column.strip() for column in header), (cell.strip() for cell in cells)
    # Some programs drop the separators of empty cells at the end of a row.
    pairs = zip(columns, texts, strict=False)
    filled = {column: text for column, text in pairs if column or text}
    return Row(name, number, filled, delimiter == ";")


def by_meaning(table: Table, meanings: Iterable[str] = MEANINGS) -> Table:
    """Return the table with its columns named by what they mean, units apart.

    A column that means none of ``meanings`` keeps its name, marks and capitals aside.
    """
    headers = {column: read_header(column, meanings) for column in table.columns}
    names = [header.name for header in headers.values()]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice or len(headers) < len(table.columns):
        what = twice[0] if twice else "the same"
        refuse(
            table.name,
            f"two columns mean {what}; remove or rename one. Found: {', '.join(table.columns)}.",
        )
    rows = tuple(
        replace(row, cells={headers[c].name: text for c, text in row.cells.items() if c})
        for row in table.rows
    )
    units = {header.name: header.unit for header in headers.values() if header.unit}
    return Table(table.name, tuple(names), rows, units, table.written)


def require_columns(table: Table, needed: tuple[str, ...], *, otherwise: str = "") -> None:
    """Refuse a table that lacks a column; list those found and those needed."""
    missing = [column for column in needed if column not in table.columns]
    if missing:
        refuse(
            table.name,
            f"the column {' and '.join(missing)} is missing; needed are {', '.join(needed)}"
            f"{otherwise}; found are {', '.join(map(shown, table.written))}.",
        )
