"""Planning: the command that says which samples, in how many people, before anyone is measured.

It makes the same call as the library, ``expected_contraction``, for virtual people who go through a
standard test. Everything but typer is imported inside it.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hepaflux import terminal
from hepaflux.arguments import read_numbers, read_people, read_system
from hepaflux.terminal import told

if TYPE_CHECKING:
    import pandas as pd

    from hepaflux.parameter import Parameter
    from hepaflux.study import Study
    from hepaflux.systems import System

PEOPLE = 5
"""Virtual people whose inputs are averaged over."""

OWN = "of the protocol"
"""Name of the schedule that is used if none is stated."""


@told
def design(
    system: Annotated[str, typer.Argument(help="From `hepaflux systems`.", show_default=False)],
    parameter: Annotated[str, typer.Option(help="What is to be known.", show_default=False)],
    more_subjects: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    protocol: Annotated[
        str | None,
        typer.Option(help="Standard test, as for simulate.", show_default="as for simulate"),
    ] = None,
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            help='Sampling times of what is measured, min: "0 30 60 90 120". Repeatable.',
            show_default="that of the protocol",
        ),
    ] = None,
    subjects: Annotated[
        list[str] | None,
        typer.Option(help="Numbers of people: --subjects 1 10 20.", show_default="1 5 10 20"),
    ] = None,
    contraction: Annotated[
        float, typer.Option(help="Wanted contraction, between 0 and 1.", min=0.0, max=1.0)
    ] = 0.8,
    prior: Annotated[
        list[str] | None, typer.Option(help='Another prior: SI="median=5e-5, cv=0.9". Repeatable.')
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="An option of the system: basal_insulin=first. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same table.")] = 1,
) -> None:
    """Say how well a parameter will be known from which samples in how many people.

    Contraction is one minus the ratio of posterior to prior variance: 0 if the samples say
    nothing, near 1 if they leave nothing open. It is expected by a normal approximation, over
    virtual people drawn from the prior.
    """
    import hepaflux as hf
    from hepaflux.synthetic import PROTOCOLS
    from hepaflux.systems import named

    numbers = [n for text in [*(subjects or []), *(more_subjects or [])] for n in read_people(text)]
    test = protocol or PROTOCOLS.get(system, "ogtt75")
    study = hf.simulate_study(named(system), subjects=PEOPLE, protocol=test, seed=seed).study
    words = {"prior": prior or [], "set_": set_ or []}
    chosen = read_system(system, words, study).for_study(study)
    schedules = {
        " ".join(f"{t:g}" for t in times): times
        for times in (read_numbers(text, '--schedule "0 30 60 90 120"') for text in schedule or [])
    }
    table = hf.expected_contraction(
        chosen,
        study,
        parameter,
        schedules=schedules or {OWN: own_schedule(chosen, study)},
        subjects=sorted(set(numbers)) or (1, 5, 10, 20),
        seed=seed,
    )
    show_table(table, chosen.parameter(parameter), f"{chosen.name}, {test}")
    for sentence in advise(table, parameter, contraction):
        typer.echo(sentence)


def own_schedule(system: "System", study: "Study") -> dict[str, Sequence[float]]:
    """Return the times at which a study measures each output that it measures."""
    samples = study.subjects[0].samples
    present = (o for o in system.outputs if o.analytes[0] in samples)
    return {o.name: samples[o.analytes[0]].time.tolist() for o in present}


def show_table(table: "pd.DataFrame", parameter: "Parameter", title: str) -> None:
    """Print what is expected of each schedule, for one person and for the population's median."""
    from hepaflux.model.line import scale_of

    scale = scale_of(parameter.prior)
    typer.echo(f"{parameter.name}, {parameter.meaning} ({title})")
    sd = f"sd of {scale} {parameter.name}" if scale else f"sd, {parameter.unit}"
    unit = "" if parameter.unit == "1" else f", {parameter.unit}"
    interval = f"90 % interval at the prior median{unit}"
    terminal.print_table(
        ("samples at, min", "samples used", "of", sd, interval, "contraction"),
        list(_rows(table, parameter)),
    )


def _rows(table: "pd.DataFrame", parameter: "Parameter") -> Iterator[tuple[str, ...]]:
    prior = float(table["prior_sd"].iloc[0])
    yield ("none", "0", "prior", f"{prior:.3g}", _interval(parameter, prior), "0")
    for name, rows in table.groupby("schedule", sort=False):
        first = rows.iloc[0]
        used = f"{first['samples']:.0f}"
        own = (first["sd_subject"], first["contraction_subject"])
        yield (str(name), used, "one person", *_cells(parameter, *own))
        for row in rows[rows["subjects"] > 1].itertuples():
            of_median = (row.sd_median, row.contraction_median)
            yield ("", "", f"median, {row.subjects} people", *_cells(parameter, *of_median))


def _cells(parameter: "Parameter", sd: float, contraction: float) -> tuple[str, str, str]:
    return f"{sd:.3g}", _interval(parameter, sd), f"{contraction:.2f}"


def _interval(parameter: "Parameter", sd: float) -> str:
    """Return the values 1.645 standard deviations to both sides of the prior median."""
    import numpy as np

    from hepaflux.model.line import from_line, to_line

    prior: Any = parameter.prior
    middle = to_line(prior, prior.distribution().median())
    lower, upper = (from_line(prior, middle + np.array([z * sd])) for z in (-1.645, 1.645))
    return f"{float(lower):.3g} to {float(upper):.3g}"


def advise(table: "pd.DataFrame", parameter: str, wanted: float) -> Iterator[str]:
    """Yield which schedule suffices for a wanted contraction, in one person and in the median.

    Parameters
    ----------
    table : DataFrame
        From ``expected_contraction``.
    parameter : str
        What is to be known.
    wanted : float
        Contraction.
    """
    goal = f"a contraction of {wanted:g} of {parameter}"
    people = [n for n in table["subjects"].unique() if n > 1]
    choices = [("in one person", table.drop_duplicates("schedule"), "contraction_subject")]
    choices += [
        (f"of the median of {n} people", table[table["subjects"] == n], "contraction_median")
        for n in people
    ]
    for whose, rows, column in choices:
        enough = rows[rows[column] >= wanted]
        if len(enough):
            best = enough.sort_values(["samples", column], ascending=[True, False]).iloc[0]
            yield f"For {goal} {whose}, samples at {best['schedule']} suffice ({best[column]:.2f})."
        else:
            best = rows.loc[rows[column].idxmax()]
            yield (
                f"No schedule reaches {goal} {whose}; samples at {best['schedule']} come nearest"
                f" ({best[column]:.2f})."
            )
