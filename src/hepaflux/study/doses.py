"""Doses: what was given, to whom, when and how much of it, in canonical units."""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from hepaflux.study.headers import meant, spell_unit
from hepaflux.study.problems import Problems, refuse
from hepaflux.study.samples import Convention, minutes, substance_factor
from hepaflux.study.study import Dose
from hepaflux.study.table import Row, Table, require_columns, shown
from hepaflux.units import ALL_TRACERS, CANONICAL_AMOUNT, UnitError

DOSE_COLUMNS = ("subject", "time", "what", "amount", "unit", "route", "duration")
"""Columns of a dose table; the last is optional, and the unit may stand with the amount."""

_NEEDED = tuple(column for column in DOSE_COLUMNS if column not in ("unit", "duration"))

ROUTES: dict[str, Literal["oral", "intravenous"]] = {
    "oral": "oral",
    "po": "oral",
    "p.o.": "oral",
    "intravenous": "intravenous",
    "iv": "intravenous",
    "i.v.": "intravenous",
}
"""Names of the routes."""

_AMOUNT_AND_UNIT = re.compile(r"\s*([\d.,eE+-]*\d)\s*([^\d\s.,].*)")


class Given(NamedTuple):
    """A dose, whom it was given to (``"all"`` for everyone), and the row it comes from."""

    subject: str
    dose: Dose
    row: Row


def read_doses(table: Table, convention: Convention, problems: Problems) -> list[Given]:
    """Read all rows of a dose table."""
    before = len(problems.found)
    problems.attempt(require_columns, table, _NEEDED)
    if len(problems.found) > before:
        return []
    doses = (
        _read_dose(row, table.units, convention=convention, problems=problems) for row in table.rows
    )
    return [dose for dose in doses if dose is not None]


def _read_dose(
    row: Row, units: Mapping[str, str], *, convention: Convention, problems: Problems
) -> Given | None:
    """Read one row, noting everything that is wrong with it."""
    subject = problems.attempt(_receiver, row)
    time = problems.attempt(minutes, row, "time", units, convention.time_unit)
    duration = problems.attempt(_duration, row, units, convention)
    what = problems.attempt(_substance, row)
    route = problems.attempt(_route, row)
    amount = problems.attempt(_amount, row, what, units, convention) if what else None
    if subject is None or time is None or duration is None:
        return None
    if what is None or route is None or amount is None:
        return None
    return Given(subject, Dose(time, what, amount[0], route, duration, amount[1]), row)


def _receiver(row: Row) -> str:
    if not row.text("subject"):
        refuse(row.place("dose"), "the subject is empty; name one, or write all.")
    return row.text("subject")


def _duration(row: Row, units: Mapping[str, str], convention: Convention) -> float:
    if not row.has("duration"):
        return 0.0
    duration = minutes(row, "duration", units, convention.time_unit)
    if duration < 0:
        refuse(row.place("duration"), f"{duration:g} min is negative; write 0 for a bolus.")
    return duration


def _substance(row: Row) -> str:
    what = row.text("what").lower()
    if what not in CANONICAL_AMOUNT:
        known = ", ".join(CANONICAL_AMOUNT)
        question = meant(what, CANONICAL_AMOUNT)
        refuse(
            row.place("what"),
            f"{shown(what)!r} is no known substance{question}; known are {known}.",
        )
    return what


def _route(row: Row) -> Literal["oral", "intravenous"]:
    text = row.text("route").lower()
    if not text:
        refuse(row.place("route"), "the route of the dose is missing; say oral or intravenous.")
    if text not in ROUTES:
        refuse(row.place("route"), f"{shown(text)!r} is no route; say oral or intravenous.")
    return ROUTES[text]


def _amount(
    row: Row, what: str, units: Mapping[str, str], convention: Convention
) -> tuple[float, bool]:
    """Return the amount in canonical units, and whether it is per kg of body weight."""
    text, unit = row.text("amount"), row.text("unit") or units.get("amount", "")
    together = _AMOUNT_AND_UNIT.fullmatch(text)
    if not unit and together:
        text, unit = together[1], together[2]
    unit = spell_unit(unit)
    if not unit:
        refuse(row.place("dose"), "the unit of the dose is missing; write for example g or g/kg.")
    amount, per_kg = row.number_in("amount", text=text), unit.endswith("/kg")
    if amount <= 0:
        refuse(
            row.place("dose"), f"the amount {amount:g} is not positive; remove the row or fix it."
        )
    try:
        whole = unit.removesuffix("/kg")
        factor = substance_factor(whole, CANONICAL_AMOUNT[what], what, convention.insulin_factor)
    except UnitError as error:
        advice = "give the whole amount in g, mg, mmol or U, if need be per kg, as in g/kg"
        if what in ALL_TRACERS:
            advice = "give a tracer in mmol or umol, or per kg: its mass depends on the label"
        refuse(row.place("dose"), f"unknown unit: {error}; {advice}.")
    return amount * factor, per_kg
