"""Hypotheses: the commands that hold explanations of hepatic insulin resistance against each other.

They make the same calls as the library: ``fit_hypotheses``, ``compare_hypotheses``, ``report`` and
``confuse_hypotheses``. Everything but typer is imported inside them.
"""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hepaflux import terminal
from hepaflux.arguments import read_names, read_people
from hepaflux.published import SOURCE_HELP
from hepaflux.terminal import EXIT_FAILED, told

if TYPE_CHECKING:
    import xarray as xr

    from hepaflux.assess import Ranking

app = typer.Typer(
    help="Selective, proximal or intact: explanations of hepatic insulin resistance compared."
)

Chains = Annotated[int, typer.Option(help="Chains.")]
Seed = Annotated[int, typer.Option(help="Seed.")]


@app.command("list")
@told
def list_hypotheses() -> None:
    """Say what the hypotheses are, who argues for them, and what each fixes."""
    from hepaflux.parameter import describe
    from hepaflux.systems.rivals import FREE, RIVALS

    for one in (*RIVALS, FREE):
        own = ", ".join(f"{name}: {describe(prior)}" for name, prior in one.priors.items())
        said = {"says": one.sentence, "argued by": one.source}
        terminal.print_entry(one.name, {**said, "priors of its own": own or "none"})


@app.command("fit")
@told
def fit_study(
    study: Annotated[
        str,
        typer.Argument(help="A study of livers at rest, as `fit` takes it.", show_default=False),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Run folder to write.", show_default=False)
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run.")] = False,
    draws: Annotated[int, typer.Option(help="Draws kept of each chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Tuning steps of each chain.")] = 1000,
    chains: Chains = 4,
    seed: Seed = 1,
) -> None:
    """Fit a study under each hypothesis, rank them, and report the fit with lambda_L free.

    Exit code 3 if the verdict on that fit is fail: the run is written all the same.
    """
    import hepaflux as hf
    from hepaflux.assess import require_place

    require_place(out, force=force)
    measured = hf.read_study(study)
    terminal.progress(f"Fitting {terminal.count(measured.subjects, 'person')} four times")
    _tell(hf.fit_hypotheses(measured, draws=draws, tune=tune, chains=chains, seed=seed), out, force)


@app.command("figures")
@told
def fit_figures(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Run folder to write.", show_default=False)
    ],
    source: Annotated[str, typer.Argument(help=SOURCE_HELP)] = "published_figures",
    groups: Annotated[
        str, typer.Option(help="Groups that enter, reference first.")
    ] = "healthy,obese,NAFLD",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run.")] = False,
    draws: Annotated[int, typer.Option(help="Draws kept of each chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Tuning steps of each chain.")] = 1000,
    chains: Chains = 4,
    seed: Seed = 1,
) -> None:
    """Fit published figures through one liver of each group under each hypothesis.

    They are ranked by how well each figure is predicted by the others. Where that cannot be
    estimated from the fit, the figures are fitted again without it. Exit code 3 as for fit.
    """
    import hepaflux as hf
    from hepaflux.assess import require_place

    require_place(out, force=force)
    figures = hf.read_figures(source)
    terminal.progress("Fitting published figures four times, and again without some of them")
    fits = hf.fit_figures_hypotheses(
        figures, groups=read_names(groups), draws=draws, tune=tune, chains=chains, seed=seed
    )
    _tell(fits, out, force)


def _tell(fits: "dict[str, xr.DataTree]", out: Path, force: bool) -> None:
    """Rank fits, report the one with lambda_L free, and end with its verdict."""
    import hepaflux as hf
    from hepaflux.systems.rivals import FREE

    ranking = hf.compare_hypotheses(fits)
    posterior = hf.with_ranking(fits[FREE.name], ranking)
    posterior.attrs["command"] = shlex.join(["hepaflux", *sys.argv[1:]])
    verdict = terminal.show_run(hf.report(posterior, out, force=force))
    show_ranking(ranking)
    if verdict == "fail":
        raise typer.Exit(EXIT_FAILED)


def show_ranking(ranking: "Ranking") -> None:
    """Print the hypotheses, the best first, and the sentence."""
    rows = [
        (
            one.name,
            f"{one.elpd:.1f}",
            f"{one.lead:.1f}",
            f"{one.lead_se:.1f}",
            f"{one.weight:.2f}",
            str(one.unreliable),
        )
        for one in ranking.standings
    ]
    columns = ("hypothesis", "elpd", "lead", "SE", "stacking weight", "badly estimated")
    terminal.print_table(columns, rows)
    typer.echo(ranking.sentence)


@app.command("confuse")
@told
def confuse(
    test: Annotated[
        str, typer.Option(help="fasted, glucose, clamp, withdrawal, or several: clamp,glucose.")
    ] = "clamp",
    subjects: Annotated[str, typer.Option(help="People in each group: 6,12,24.")] = "12",
    replicates: Annotated[int, typer.Option(help="Studies under each hypothesis.", min=1)] = 10,
    seed: Seed = 1,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV of the studies, one row each.")
    ] = None,
) -> None:
    """Simulate studies under each hypothesis and say how often the right one is found.

    Each share of the studies is printed with its 90 % interval (Wilson).
    """
    import pandas as pd

    import hepaflux as hf
    from hepaflux.confusion import with_intervals

    sizes = read_people(subjects)
    tables = []
    for name in read_names(test):
        for size in sizes:
            terminal.progress(f"{name}, {size} people in each group")
            tables.append(
                hf.confuse_hypotheses(test=name, subjects=size, replicates=replicates, seed=seed)
            )
            if out is not None:
                pd.concat(tables).to_csv(out, index=False)
    matrix = with_intervals(hf.confusion_matrix(pd.concat(tables))).reset_index()
    rows = [tuple(map(str, row)) for row in matrix.itertuples(index=False)]
    terminal.print_table([str(name) for name in matrix.columns], rows)
