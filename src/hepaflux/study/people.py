"""People: the group, body weight and covariates of each subject."""

from collections.abc import Mapping
from typing import NamedTuple

from hepaflux.study.problems import Problems, refuse
from hepaflux.study.samples import check_name
from hepaflux.study.table import Row, Table, require_columns
from hepaflux.units import UnitError, conversion_factor

HEAVIEST = 500.0
"""kg; no body weighs more."""


class Person(NamedTuple):
    """What is known of one subject beside the samples.

    Attributes
    ----------
    weight : float, kg
        NaN if it is not stated.
    refused : bool
        Whether a cell was refused: what is missing here need not be reported again.
    """

    row: Row
    group: str
    weight: float
    covariates: Mapping[str, float]
    refused: bool


def read_people(table: Table, problems: Problems) -> dict[str, Person]:
    """Read all rows of a subjects table."""
    before = len(problems.found)
    problems.attempt(require_columns, table, ("subject",))
    if len(problems.found) > before:
        return {}
    covariates = numeric_columns(table, ("subject", "group", "weight"))
    people: dict[str, Person] = {}
    for row in table.rows:
        name = problems.attempt(check_name, row, "subject")
        if name is not None and name in people:
            first = people[name].row.number
            problems.add(row.place("subject"), f"is in row {first} too; keep one row per subject.")
        elif name is not None:
            people[name] = _read_person(row, table, covariates, problems)
    return people


def numeric_columns(table: Table, others: tuple[str, ...]) -> list[str]:
    """Return the columns that hold numbers; a column of nothing but text is a comment."""
    return [
        column
        for column in table.columns
        if column not in others and any(_holds_number(row, column) for row in table.rows)
    ]


def _holds_number(row: Row, column: str) -> bool:
    return Problems().attempt(row.number_in, column) is not None


def _read_person(row: Row, table: Table, covariates: list[str], problems: Problems) -> Person:
    """Read one row, noting everything that is wrong with it."""
    unit, before = table.units.get("weight", "kg"), len(problems.found)
    group = problems.attempt(check_name, row, "group") if row.text("group") else ""
    weight = problems.attempt(_weight, row, unit) if row.has("weight") else None
    numbers = {c: problems.attempt(row.number_in, c) for c in covariates if row.has(c)}
    known = {c: number for c, number in numbers.items() if number is not None}
    refused = len(problems.found) > before
    return Person(row, group or "", float("nan") if weight is None else weight, known, refused)


def _weight(row: Row, unit: str) -> float:
    try:
        weight = row.number_in("weight") * conversion_factor(unit, "kg")
    except UnitError:
        refuse(row.table, f"{unit!r} is no unit of weight; write weight_kg.")
    if not 0 < weight <= HEAVIEST:
        refuse(row.place("weight"), f"{weight:g} kg is no body weight; is it in kg?")
    return weight
