"""Published tables: readers of data sets whose files have a layout of their own."""

import re
from dataclasses import replace
from pathlib import Path

from hepaflux.study.description import NOT_PUBLISHED, Description, Tables
from hepaflux.study.doses import DOSE_COLUMNS
from hepaflux.study.headers import analyte_of
from hepaflux.study.samples import TIDY_COLUMNS
from hepaflux.study.table import Row, Table, read_table

_OHASHI_UNITS = {"PG": "mg/dL", "IRI": "uU/mL", "CPR": "ng/mL"}
_OHASHI_PEOPLE = {
    "No": "subject",
    "type": "group",
    "BW": "weight",
    "BMI": "bmi",
    "BH": "height",
    "age": "age",
    "sex(male1)": "sex",
}


def read_ohashi(folder: Path) -> Tables:
    """Read the oral glucose tolerance tests of Ohashi et al. 2015.

    Subject 89 has no value at all and is left out; subjects 5 and 93 have no 90 min sample, and
    subjects 5, 53 and 93 no C-peptide. The printed BMI of subjects 42, 68, 102 and 108 does not
    follow from their height and weight; the figures are kept as they are.
    """
    values = read_table(folder / "ohashi_OGTT.csv")
    rows = [row for source in values.rows for row in _ohashi_samples(source)]
    measured = {row.text("subject") for row in rows if row.has("value")}
    measurements = Table(
        values.name, TIDY_COLUMNS, tuple(r for r in rows if r.text("subject") in measured)
    )
    info = read_table(folder / "ohashi_subjectinfo.csv")
    people = [
        replace(row, cells={name: row.text(column) for column, name in _OHASHI_PEOPLE.items()})
        for row in info.rows
        if row.text("No") in measured
    ]
    subjects = Table(info.name, tuple(_OHASHI_PEOPLE.values()), tuple(people))
    description = Description(
        "ohashi_2015",
        protocol="75 g oral glucose tolerance test",
        notes="height is in cm; sex is 1 for men and 0 for women. Subject 89 has no values.",
    )
    return Tables(description, measurements, _drink_of_75_g(), subjects)


def _ohashi_samples(source: Row) -> list[Row]:
    """Return one row per value of a subject; the columns are called ``O-PG(30)`` and the like."""
    rows = []
    for column in source.cells:
        # One of the fifteen headers has a space after its hyphen.
        match = re.fullmatch(r"O-\s*(PG|IRI|CPR)\((\d+)\)", column)
        if match:
            cells = {
                "subject": source.text("No"),
                "time": match[2],
                "analyte": match[1],
                "value": source.text(column),
                "unit": _OHASHI_UNITS[match[1]],
            }
            rows.append(replace(source, cells=cells))
    return rows


def read_fujita(folder: Path) -> Tables:
    """Read glucose, insulin and C-peptide of the glucose tolerance tests of Fujita et al. 2022.

    The table has one row per molecule and one column per time; seventeen other molecules are left
    out.
    """
    table = read_table(folder / "fujita_ogtt.csv")
    rows = [
        _fujita_sample(source, column)
        for source in table.rows
        if analyte_of(source.text("Molecule"))
        for column in source.cells
        if re.fullmatch(r"-?\d+", column)
    ]
    description = Description(
        "fujita_2022",
        protocol="75 g oral glucose tolerance test",
        notes="The body weights were not published.",
        body_weight=NOT_PUBLISHED,
    )
    measurements = Table(table.name, TIDY_COLUMNS, tuple(rows))
    return Tables(description, measurements, _drink_of_75_g())


def _fujita_sample(source: Row, column: str) -> Row:
    """Return the value of a molecule at one time."""
    cells = {
        "subject": source.text("Subject"),
        "time": column,
        "analyte": source.text("Molecule"),
        "value": source.text(column),
        "unit": source.text("Unit"),
    }
    return replace(source, cells=cells)


def _drink_of_75_g() -> Table:
    """Return the dose table of a standard oral glucose tolerance test."""
    cells = {"subject": "all", "time": "0", "what": "glucose", "amount": "75", "unit": "g"}
    return Table("protocol", DOSE_COLUMNS, (Row("protocol", 0, cells | {"route": "oral"}),))
