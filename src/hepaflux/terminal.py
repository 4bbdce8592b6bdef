"""Terminal: what the commands print, and how an error ends one of them.

Results go to standard output, progress and errors to standard error. Names from tables are shown
as they are, never as markup.
"""

import csv
import functools
import json
import os
import signal
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from hepaflux.assess import Comparison, Contrast, Differences
    from hepaflux.study import Dataset, Figure, Figures, Study
    from hepaflux.systems import System

EXIT_NO_FIT, EXIT_WRONG, EXIT_FAILED, EXIT_INTERRUPTED = 1, 2, 3, 130

DEBUG = "HEPAFLUX_DEBUG"
"""Environment variable: if set, an error keeps its traceback."""

MOST_ROWS = 24
"""Rows of results that are printed; the others are in summary.csv."""

NARROW = 80
"""Characters of a line of running text."""

_START = time.perf_counter()


def told[**P](command: Callable[P, None]) -> Callable[P, None]:
    """Make a command end with a message and an exit code where no bug is to blame."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with warnings.catch_warnings(), _ended_politely():
                warnings.showwarning = _show_warning
                command(*args, **kwargs)
        except KeyboardInterrupt:
            typer.echo("\nInterrupted; nothing was written.", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except Exception as error:
            code = _exit_code(error)
            if code is None or os.environ.get(DEBUG):
                raise
            typer.echo(_message(error), err=True)
            raise typer.Exit(code) from None

    return wrapped


@contextmanager
def _ended_politely() -> Iterator[None]:
    """Let the signal by which schedulers end a job do what Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # Signals reach the main thread alone.
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning for a user, without the line of code that gave it."""
    typer.echo(f"Warning: {message}", err=True)


def _exit_code(error: Exception) -> int | None:
    """Return the code of an error that says what is wrong; a bug has none."""
    from hepaflux.study import DatasetError

    if isinstance(error, ValueError | KeyError | OSError | DatasetError):
        return EXIT_WRONG
    if isinstance(error, RuntimeError):
        from hepaflux.fitting import FitError

        return EXIT_NO_FIT if isinstance(error, FitError) else None
    return None


def _message(error: Exception) -> str:
    """Return what an error says; a ``KeyError`` would put it in quotes."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'error'}: {error.strerror}"
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


def progress(message: str) -> None:
    """Say what is being done, with the seconds since the start."""
    seconds = time.perf_counter() - _START
    typer.echo(f"[{seconds:5.1f} s] {message}", err=True)
    sys.stderr.flush()


def count(things: Sized, noun: str) -> str:
    """Return how many there are, in words."""
    return f"{len(things)} {noun}{'s' if len(things) != 1 else ''}"


def number(text: str) -> str:
    """Return a number of a CSV file with three significant digits; empty if there is none."""
    return f"{float(text):.3g}" if text else ""


def show_systems(systems: Iterable["System"]) -> None:
    """Print the systems, one line each."""
    rows = [(s.name, s.title, ", ".join(p.name for p in s.unknowns)) for s in systems]
    print_table(("system", "what it is", "unknowns"), rows)
    typer.echo("\n`hepaflux systems NAME` shows equations, priors, units, options and sources.")


def show_system(system: "System") -> None:
    """Print everything that a system declares."""
    from hepaflux.declaration import tables, words_of

    typer.echo(f"{system.name}: {system.title}\n")
    typer.echo("".join(f"{words}\n\n" for words in words_of(system) if words), nl=False)
    _list("Equations", system.equations)
    for table in tables(system):
        print_table(table.columns, table.rows)
    _list("Conventions", system.conventions)
    _list("References", system.references)


def show_states(systems: Iterable["System"]) -> None:
    """Print the states of health of each system, what differs in them, and who reported it."""
    from hepaflux.declaration import conditions

    table = conditions(systems)
    print_table(table.columns, table.rows)
    typer.echo(
        "\n`hepaflux states SYSTEM` shows every value. (?): not compared with its source."
        "\n`hepaflux simulate SYSTEM --state STATE` makes a virtual person."
    )


def show_state_values(system: "System") -> None:
    """Print every value of each state of health of a system."""
    from hepaflux.declaration import values

    for condition in system.conditions:
        table = values(system, condition)
        typer.echo(table.title)
        print_table(table.columns, table.rows)
    if not system.conditions:
        typer.echo(f"{system.name} has no states of health.")


def show_datasets(datasets: Iterable["Dataset"]) -> None:
    """Print the data sets that have a name."""
    rows = [
        (d.name, "bundled" if d.is_bundled else "download", d.license, d.title) for d in datasets
    ]
    print_table(("data set", "where", "license", "what it is"), rows)
    typer.echo("\nA name can stand wherever a STUDY is asked for.")


def show_figures(figures: "Figures", quantity: str | None = None) -> None:
    """Print how many figures of each quantity and group there are, or every figure of one."""
    typer.echo(f"{figures.title or figures.name}: {count(figures.figures, 'figure')}")
    if quantity:
        found = figures.of(quantity)
        (unit,) = (known.unit for known in figures.quantities if known.name == quantity)
        mean = "mean" if unit == "1" else f"mean ({unit})"
        columns = (
            "study",
            "group",
            "people and state",
            "n",
            mean,
            "spread",
            "method",
            "printed in",
        )
        print_table(columns, [_figure(row) for row in found])
        return
    rows = []
    for known in figures.quantities:
        held = [row.group for row in figures.of(known.name)]
        groups = ", ".join(f"{group} {held.count(group)}" for group in dict.fromkeys(held))
        rows.append((known.name, known.unit, groups, known.meaning))
    print_table(("quantity", "unit", "figures by group", "meaning"), rows)
    if figures.unverified:
        typer.echo(f"{count(figures.unverified, 'unverified figure')} left out; --unverified adds.")
    typer.echo(f"Checksum {figures.checksum}.")


def _figure(row: "Figure") -> tuple[str, ...]:
    """Return what is printed of one figure, in canonical units."""
    people = row.label.removeprefix(f"{row.study}, ")
    spread = f"{row.spread:.3g} {row.spread_kind}" if row.spread else "not reported"
    mean = f"{row.mean:.3g}" + (f" per kg {row.scale}" if row.scale else "")
    n = str(row.n or "?")
    return (row.study, row.group, people, n, mean, spread, row.method, row.citation)


def show_study(study: "Study") -> None:
    """Print what was read."""
    typer.echo(f"{study.title or study.name}: {count(study.subjects, 'subject')}, no problem found")
    rows = []
    for group in study.groups or ("",):
        people = [s for s in study.subjects if s.group == group or not study.groups]
        sizes = {
            a: [len(s.samples[a].time) for s in people if a in s.samples]
            for a in dict.fromkeys(a for s in people for a in s.samples)
        }
        samples = ", ".join(f"{a} {_span(n)}" for a, n in sizes.items())
        doses = dict.fromkeys(_dose(d) for s in people for d in s.doses)
        shown = [*list(doses)[:2], *(["..."] if len(doses) > 2 else [])]
        rows.append((group or "all", str(len(people)), samples, "; ".join(shown) or "none"))
    print_table(("group", "subjects", "samples each", "doses"), rows)
    lacking = [s.name for s in study.subjects if study.groups and not s.group]
    if lacking:
        typer.echo(f"Without a group: {', '.join(lacking)}")
    typer.echo(f"1 µU/mL of insulin = {study.insulin_factor:g} pmol/L. Checksum {study.checksum}.")
    if study.notes:
        typer.echo(f"Notes: {' '.join(study.notes.split())}")


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _dose(dose: Any) -> str:
    from hepaflux.units import CANONICAL_AMOUNT, MOLAR_MASS

    unit, amount = CANONICAL_AMOUNT[dose.what], dose.amount
    if dose.what in MOLAR_MASS and unit == "mmol":
        unit, amount = "g", amount * MOLAR_MASS[dose.what] / 1000
    per_kg = "/kg" if dose.per_kg else ""
    lasting = f" over {dose.duration:g} min" if dose.duration else ""
    return f"{amount:.4g} {unit}{per_kg} {dose.what} {dose.route} at {dose.time:g} min{lasting}"


def show_run(run: Path) -> str:
    """Print verdict, main results and the place of the report of a run; return the verdict."""
    from hepaflux.assess import Check, Verdict

    record = json.loads((run / "diagnostics.json").read_text(encoding="utf-8"))
    checks = tuple(Check(**check) for check in record["checks"])
    typer.echo(f"\nVerdict: {record['verdict']}. {Verdict(checks, tuple(record['notes']))}\n")
    with (run / "summary.csv").open(encoding="utf-8", newline="") as file:
        _show_summary(list(csv.DictReader(file)))
    for contrast in record.get("contrasts", ()):
        typer.echo(contrast["sentence"])
    typer.echo(f"Report: {run / 'report.html'}")
    return str(record["verdict"])


def _show_summary(rows: list[dict[str, str]]) -> None:
    """Print the rows of populations if there are any, else of subjects."""
    chosen = [row for row in rows if not row["subject"]] or rows
    people = len({row["subject"] for row in chosen} - {""}) > 1
    print_table(
        ("parameter", *(["subject"] if people else []), "group", "median", "90 % interval", "unit"),
        [
            (
                row["parameter"],
                *([row["subject"]] if people else []),
                row["group"],
                number(row["median"]),
                # A single point, or what is known from the data, has no interval.
                f"{number(row['lower'])} to {number(row['upper'])}"
                if row["lower"] != row["upper"]
                else "",
                "" if row["unit"] == "1" else row["unit"],
            )
            for row in chosen[:MOST_ROWS]
        ],
    )
    if len(rows) > len(chosen[:MOST_ROWS]):
        typer.echo(f"{len(rows) - len(chosen[:MOST_ROWS])} more rows are in summary.csv.")


def show_caveat(run: Path) -> None:
    """Say on standard error that the verdict of a run is fail, if it is."""
    path = run / "diagnostics.json"
    if path.is_file() and json.loads(path.read_text(encoding="utf-8"))["verdict"] == "fail":
        typer.echo(
            f"Warning: the verdict of {run} is fail, so do not use these numbers yet; why stands in"
            f" {run / 'report.html'}",
            err=True,
        )


def show_comparison(comparison: "Contrast | Comparison | Differences") -> None:
    """Print contrasts as tables and sentences."""
    for contrast in comparison.contrasts:
        table = contrast.table()
        rows = [
            (
                row.quantity,
                f"{row.median:.3g}",
                f"{row.lower:.3g} to {row.upper:.3g}" if row.lower == row.lower else "",
                "" if row.unit == "1" else row.unit,
            )
            for row in table.itertuples()
        ]
        interval = f"{contrast.ci_prob * 100:.3g} % interval"
        title = f"{contrast.parameter}: {contrast.group} against {contrast.reference}"
        typer.echo(f"\n{title}")
        print_table(("quantity", "median", interval, "unit"), rows)
        typer.echo(contrast.sentence)


def _list(title: str, lines: Iterable[str]) -> None:
    typer.echo(f"{title}\n" + "".join(f"  {line}\n" for line in lines))


def print_entry(title: str, entries: Mapping[str, str]) -> None:
    """Print what is said of one thing, in lines of at most ``NARROW`` characters."""
    typer.echo(title)
    indent = " " * (2 + max(map(len, entries)) + 2)
    for name, text in entries.items():
        first = f"  {name}".ljust(len(indent))
        typer.echo(textwrap.fill(text, NARROW, initial_indent=first, subsequent_indent=indent))
    typer.echo()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table whose cells are text and not markup; empty columns are left out."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [tuple(row) for row in rows]
    kept = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i in kept:
        table.add_column(columns[i], overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[i]) for i in kept))
    # Not a terminal: wide enough that nothing is folded and a script can read the lines.
    width = None if sys.stdout.isatty() else 1000
    Console(width=width, soft_wrap=False, highlight=False).print(table)
