"""Description: what ``study.toml`` says about a study, and the tables that go with it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hepaflux.study.headers import meant
from hepaflux.study.problems import Problems, refuse
from hepaflux.study.table import Table, by_meaning, read_table, read_text, shown
from hepaflux.units import INSULIN_FACTOR

FILE_NAME = "study.toml"
NOT_PUBLISHED = "not published"
"""What ``body_weight`` says if a source does not print the weights."""

_TEXTS = ("name", "title", "citation", "license", "protocol", "notes", "time_unit", "body_weight")
_TABLES = {
    "measurements": "measurements.csv",
    "doses": "doses.csv",
    "subjects": "subjects.csv",
}


@dataclass(frozen=True)
class Description:
    """What is said about a study beside its tables; ``origin`` is what was read."""

    name: str
    title: str = ""
    citation: str = ""
    license: str = ""
    protocol: str = ""
    notes: str = ""
    time_unit: str = "min"
    body_weight: str = ""
    insulin_factor: float = INSULIN_FACTOR
    origin: str = ""


@dataclass(frozen=True)
class Tables:
    """A study on paper: its description and its tables, columns named by meaning."""

    description: Description
    measurements: Table
    doses: Table | None = None
    subjects: Table | None = None


def read_folder(path: Path) -> Tables:
    """Read a ``study.toml``, or the one in a folder, and the tables beside it."""
    path = _description_file(path)
    content = _read_toml(path)
    problems = Problems()
    _check_keys(problems, content, path.name)
    problems.stop()
    texts = {key: content[key] for key in _TEXTS if key in content}
    description = Description(
        **{"name": path.resolve().parent.name} | texts,
        insulin_factor=float(content.get("insulin_factor", INSULIN_FACTOR)),
        origin=str(path),
    )
    stated = content.get("tables", {})
    tables = {
        key: problems.attempt(_named_table, path.parent / stated.get(key, name), key)
        for key, name in _TABLES.items()
        if key == "measurements" or key in stated or (path.parent / name).exists()
    }
    problems.stop()
    return Tables(description, **tables)  # type: ignore[arg-type]


def _description_file(path: Path) -> Path:
    """Return the file that describes the study in ``path``."""
    if not path.is_dir():
        return path
    if not (path / FILE_NAME).is_file():
        there = ", ".join(sorted(shown(item.name) for item in path.iterdir())[:20]) or "nothing"
        refuse(
            str(path),
            f"the folder has no {FILE_NAME}; there is {there}. Write one (a title is enough), or "
            "name a CSV file.",
        )
    return path / FILE_NAME


def _named_table(path: Path, key: str) -> Table:
    """Read a table; a covariate keeps its name even if it is called like a measurement."""
    table = read_table(path)
    return by_meaning(table, ("subject", "weight")) if key == "subjects" else by_meaning(table)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        refuse(path.name, f"this is not TOML: {error}. Correct that line.")


def _check_keys(problems: Problems, content: Mapping[str, Any], name: str) -> None:
    """Note keys that are not known, for they would be ignored, and values of the wrong kind."""
    known = (*_TEXTS, "insulin_factor", "tables")
    for key in content:
        if key not in known:
            problems.add(
                name,
                f"the key {shown(key)!r} is not known{meant(key, known)}; known are"
                f" {', '.join(known)}.",
            )
    for key in _TEXTS:
        if not isinstance(content.get(key, ""), str):
            problems.add(name, f"{key} must be a text in quotes, but is {content[key]!r}.")
    factor = content.get("insulin_factor", INSULIN_FACTOR)
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 5 < factor < 8:
        problems.add(
            name, f"insulin_factor must be about 6.00 or 6.945 pmol/L per uU/mL, but is {factor!r}."
        )
    if content.get("body_weight", NOT_PUBLISHED) != NOT_PUBLISHED:
        found = content["body_weight"]
        problems.add(
            name,
            f"body_weight may only say {NOT_PUBLISHED!r}, but is {found!r}; weights stand "
            "in the column weight_kg of subjects.csv.",
        )
    _check_table_names(problems, content.get("tables", {}), name)


def _check_table_names(problems: Problems, section: Any, name: str) -> None:
    """Note whatever a section holds beside file names under known keys."""
    if not isinstance(section, dict) or not all(isinstance(v, str) for v in section.values()):
        problems.add(name, f"[tables] must hold file names in quotes, but is {section!r}.")
        return
    for key in section:
        if key not in _TABLES:
            known = ", ".join(_TABLES)
            problems.add(
                name,
                f"[tables] does not know {shown(key)!r}{meant(key, _TABLES)}; known are {known}.",
            )
