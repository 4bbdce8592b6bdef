"""Pages: the documentation of the systems, made from their declarations.

``make docs`` writes a page per system and an index. What a declaration says is written anew; what
people wrote between two marks of a page is kept as it is, since it stands nowhere else.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from hepaflux.declaration import Table, conditions, tables, words_of

if TYPE_CHECKING:
    from hepaflux.systems import System

BEGIN = "<!-- Written by hand, from here -->"
END = "<!-- to here. `make docs` makes all other lines from the declaration. -->"
"""Marks around what is written by hand."""

INDEX = "README.md"
"""File of the index, which is what a folder shows on the web."""


def page(system: "System", words: str) -> str:
    """Return the page of a system.

    Parameters
    ----------
    words : str
        What was written by hand: what the system tells, and how it is used.
    """
    explained, assumed = words_of(system)
    return _render(
        "system",
        system=system,
        explained=explained,
        assumed=assumed,
        words=f"{BEGIN}\n\n{words}\n\n{END}",
        tables=[table.filled for table in tables(system)],
        conditions=_own_conditions(system),
    )


def index(systems: tuple["System", ...]) -> str:
    """Return the page that lists all others."""
    return _render("systems", systems=systems)


def words_in(path: Path) -> str:
    """Return what was written by hand in a page; empty if there is no page.

    Raises
    ------
    ValueError
        If the page has lost its marks: it would be written anew without its words.
    """
    if not path.is_file():
        return ""
    _, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    words, end, _ = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path} must hold the lines {BEGIN!r} and {END!r}; put them back")
    return words.strip()


def current(folder: Path) -> dict[Path, str]:
    """Return every page by its path, as it should be with the words that are in the folder."""
    from hepaflux.systems import ALL

    paths = {system: folder / f"{system.name}.md" for system in ALL}
    pages = {path: page(system, words_in(path)) for system, path in paths.items()}
    return {folder / INDEX: index(ALL)} | pages


def write_pages(folder: Path) -> None:
    """Write every page and the index."""
    pages = current(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")


def _own_conditions(system: "System") -> Table:
    """Return the states of health, without the column that names the system."""
    table = conditions([system])
    return Table(table.title, table.columns[1:], tuple(row[1:] for row in table.rows))


def _render(name: str, **values: Any) -> str:
    """Return a template of this package, filled."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hepaflux"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template(f"{name}.md.j2").render(**values)


def _cell(text: str) -> str:
    """Return a text in which nothing is taken for the end of a cell, a tag or emphasis."""
    for mark in ("\\", "|", "*", "<"):
        text = text.replace(mark, f"\\{mark}")
    return text


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
