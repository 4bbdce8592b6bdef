"""Declaration: what a system declares, as words and tables, for the terminal and the pages.

Both show the same, so that whatever a declaration says is said everywhere once it is listed here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from hepaflux.parameter import describe

if TYPE_CHECKING:
    from hepaflux.systems import System
    from hepaflux.systems.condition import Condition, Reported

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Records of one kind: what they are called, the heads of the columns, a row for each."""

    title: str
    columns: Row
    rows: tuple[Row, ...]

    @property
    def filled(self) -> "Table":
        """Return the table without the columns in which nothing stands."""
        kept = [i for i in range(len(self.columns)) if any(row[i] for row in self.rows)]
        columns, *rows = (tuple(row[i] for i in kept) for row in (self.columns, *self.rows))
        return Table(self.title, columns, tuple(rows))


def words_of(system: "System") -> tuple[str, str]:
    """Return what a system explains, and what it assumes and is valid for.

    Both are of the docstring of its module; empty if it has none of its own, as a body of two has.
    """
    module = f"hepaflux.systems.{system.name}"
    if not system.name.isidentifier() or find_spec(module) is None:
        return "", ""
    _, _, text = cleandoc(import_module(module).__doc__ or "").partition("\n\n")
    explained, _, assumed = text.partition("\nAssumes ")
    return explained.strip(), f"Assumes {assumed}".rstrip() if assumed else ""


def tables(system: "System") -> tuple[Table, ...]:
    """Return a table of each kind of record that a system declares; kinds without any are absent.

    Conditions are not among them, see ``conditions``.
    """
    made = (build(system) for build in TABLES)
    return tuple(table for table in made if table.rows)


def parameters(system: "System") -> Table:
    """Return the parameters, then those of the measurement errors."""
    rows = [(p.name, p.unit, describe(p.prior), p.meaning, p.source) for p in system.parameters]
    rows += [(o.error, "1", describe(o.cv), _error_of(o), "assay") for o in system.outputs]
    return Table("Parameters", ("parameter", "unit", "prior", "meaning", "source"), tuple(rows))


def inputs(system: "System") -> Table:
    """Return what is taken as known."""
    return _plain_records("Inputs", "input", system.inputs)


def doses(system: "System") -> Table:
    """Return what can be given, also where it enters by an input."""
    rows = [(dose.what, dose.route, dose.unit) for dose in system.doses]
    rows += [(*taken, "") for given in system.inputs for taken in given.takes]
    return Table("Doses", ("dose", "route", "unit"), tuple(dict.fromkeys(rows)))


def options(system: "System") -> Table:
    """Return the modeling choices, of which every system with states has the integrator."""
    rows = [(o.name, _worded(o.default), _takes(o), o.meaning) for o in system.options]
    if system.states:
        rows.append(
            (
                "integrator",
                system.integrator,
                "explicit or implicit",
                "method that follows the states in time; implicit where some settle far faster",
            )
        )
    return Table("Options", ("option (--set)", "default", "takes", "meaning"), tuple(rows))


def outputs(system: "System") -> Table:
    """Return what is measured, with its error at low values and at others."""
    rows = (
        (
            o.name,
            o.unit,
            o.meaning,
            ", ".join(o.analytes),
            f"{o.floor:g} {o.unit}",
            "yes" if o.required else "no",
        )
        for o in system.outputs
    )
    columns = ("output", "unit", "meaning", "analyte", "floor of the error", "required")
    return Table("Outputs", columns, tuple(rows))


def states(system: "System") -> Table:
    """Return the state variables."""
    return _plain_records("States", "state", system.states)


def derived(system: "System") -> Table:
    """Return what is computed from parameters."""
    return _plain_records("Derived quantities", "derived", system.derived)


def fluxes(system: "System") -> Table:
    """Return what flows unmeasured, as functions of time."""
    return _plain_records("Fluxes", "flux", system.fluxes)


def signals(system: "System") -> Table:
    """Return what can drive another system of the same body."""
    return _plain_records("Signals", "signal (--with)", system.signals)


def treatments(system: "System") -> Table:
    """Return what can be done from time 0 on, and what it changes."""
    from hepaflux.systems.condition import usual_values

    usual = usual_values(system) if system.treatments else {}
    rows = []
    for treatment in system.treatments:
        changed = [(n, treatment.values[n]) for n in treatment.differing(usual)]
        words = ", ".join(f"{n} {r.value:.3g}{_mark(r)}" for n, r in changed) or "nothing"
        sources = "; ".join(dict.fromkeys(r.source for _, r in changed))
        rows.append((treatment.name, treatment.meaning, words, sources))
    columns = ("treatment (predict --treatment)", "meaning", "what it changes", "source")
    return Table("Treatments", columns, tuple(rows))


TABLES: tuple[Callable[["System"], Table], ...] = (
    *(parameters, inputs, doses, options, outputs, states, derived, fluxes, signals, treatments),
)
"""Every kind of record, in the order in which they are shown."""


def values(system: "System", condition: "Condition") -> Table:
    """Return every value of a state of health; (?) marks what nobody compared with its source."""
    from hepaflux.systems.condition import parameters_under_any_option

    known = parameters_under_any_option(system.in_condition(condition.name))
    rows = (
        (n, f"{r.value:.4g}{_mark(r)}", _unit(known[n].unit), known[n].meaning, r.source)
        for n, r in condition.values.items()
    )
    columns = ("parameter", "value", "unit", "meaning", "source")
    return Table(f"{system.name}, {condition.name}: {condition.meaning}", columns, tuple(rows))


def conditions(systems: Iterable["System"]) -> Table:
    """Return the states of health of systems, what differs in them, and who reported it."""
    from hepaflux.systems.condition import usual_values

    rows: list[Row] = []
    for system in systems:
        usual = usual_values(system) if system.conditions else {}
        rows += [
            (system.name, c.name, c.meaning, _differences(usual, c), _sources(system, c, usual))
            for c in system.conditions
        ]
    columns = ("system", "state", "who", "what differs (from)", "source")
    return Table("States of health", columns, tuple(rows))


def _plain_records(title: str, head: str, records: Iterable[Any]) -> Table:
    """Return a table of records that have a name, a unit and a meaning."""
    rows = tuple((record.name, record.unit, record.meaning) for record in records)
    return Table(title, (head, "unit", "meaning"), rows)


def _differences(reference: dict[str, float], condition: "Condition") -> str:
    """Return in words which values of a state are not those of the reference."""
    changes = [
        f"{name} {condition.values[name].value:.3g}{_mark(condition.values[name])}"
        f" ({reference[name]:.3g})"
        for name in condition.differing(reference)
    ]
    changes += [f"{name}={value}" for name, value in condition.settings.items()]
    return ", ".join(changes) or "nothing: the reference"


def _sources(system: "System", condition: "Condition", reference: dict[str, float]) -> str:
    """Return who reported what differs; of the reference, where its sources are listed."""
    changed = condition.differing(reference)
    named = dict.fromkeys(condition.values[name].source for name in changed)
    return "; ".join(named) or f"hepaflux states {system.name}"


def _mark(reported: "Reported") -> str:
    return "" if reported.verified else " (?)"


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _takes(option: Any) -> str:
    """Return in words what an option takes."""
    quantity = [f'a number of {option.unit}, or "90 UNIT"'] if option.unit else ["a number"]
    if option.name == "knots":
        quantity = ["minutes with commas"]
    elif isinstance(option.default, tuple):
        quantity = ["numbers with commas"]
    more = [option.other] if option.other else []
    more += quantity if option.unit or not option.choices else []
    return " or ".join([*option.choices, *more])


def _error_of(output: Any) -> str:
    """Return what the parameter of an output's measurement error is."""
    if output.is_composition:
        return f"standard deviation of a measured share of one half, {output.name}"
    return f"CV of measured {output.name}"


def _worded(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_worded(part) for part in value)
    return value if isinstance(value, str) else f"{value:g}"
