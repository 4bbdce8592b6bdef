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


def read_brannmark(folder: Path) -> Tables:
    """Read phosphorylation of receptor and IRS-1 in fat cells, Brännmark et al. 2010.

    Each dose of the dose response is a subject, as are the cells that got one step of insulin and
    those that got two; the experiments are the groups, each with its own scale of blots. The
    identifiers of two conditions do not name their insulin (``Dose_1`` is 0.3 nM, ``Dose_3`` is
    1 nM): the numbers count.
    """
    blots = read_table(folder / "measurementData_Brannmark_JBC2010.tsv")
    conditions = read_table(folder / "experimentalCondition_Brannmark_JBC2010.tsv")
    given = {row.text("conditionId"): _insulin_of(row) for row in conditions.rows}
    experiments: dict[str, tuple[Row, str]] = {}
    rows = []
    for source in blots.rows:
        insulin = given[source.text("simulationConditionId")]
        group = source.text("experimentId").removesuffix("_time_response")
        subject = f"{group} {insulin[-1][1]:g} nM"
        experiments.setdefault(subject, (source, group))
        blot = (source.text("time"), _BRANNMARK_BLOTS[source.text("observableId").split("_")[0]])
        rows.append(_cells_sample(source, subject, *blot, source.text("measurement")))
    for subject, (source, _) in experiments.items():
        for time, level in given[source.text("simulationConditionId")]:
            rows.append(_cells_sample(source, subject, f"{time:g}", "medium_insulin", f"{level:g}"))
    people = tuple(
        replace(source, cells={"subject": subject, "group": group})
        for subject, (source, group) in experiments.items()
    )
    return Tables(
        Description(
            "brannmark_2010",
            protocol="insulin added to the medium of fat cells",
            notes="The cells were without insulin before time 0; each group is one experiment.",
            body_weight=NOT_PUBLISHED,
        ),
        Table(blots.name, TIDY_COLUMNS, tuple(rows)),
        subjects=Table(blots.name, ("subject", "group"), people),
    )


_BRANNMARK_BLOTS = {"IR1": "ir_phosphorylation", "IRS1": "irs1_phosphorylation"}


def _insulin_of(condition: Row) -> list[tuple[float, float]]:
    """Return time, min, and insulin of the medium from then on, nM; each dose adds to the last."""
    time, added, later, more = (
        condition.number_in(f"insulin_{what}_{n}") for n in (1, 2) for what in ("time", "dose")
    )
    return [(-1.0, 0.0), (time, added), *([(later, added + more)] if more else [])]


def _cells_sample(source: Row, subject: str, time: str, analyte: str, value: str) -> Row:
    """Return a blot, or the insulin of the medium, of one experiment."""
    unit = "nmol/L" if analyte == "medium_insulin" else "arbitrary_unit"
    cells = {"subject": subject, "time": time, "analyte": analyte, "value": value, "unit": unit}
    return replace(source, cells=cells)


def _drink_of_75_g() -> Table:
    """Return the dose table of a standard oral glucose tolerance test."""
    cells = {"subject": "all", "time": "0", "what": "glucose", "amount": "75", "unit": "g"}
    return Table("protocol", DOSE_COLUMNS, (Row("protocol", 0, cells | {"route": "oral"}),))
