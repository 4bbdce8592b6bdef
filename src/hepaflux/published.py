"""Published: the commands about figures that papers print.

They make the same calls as the library: ``read_figures``, ``build_figures_model``, ``fit``,
``report``. Everything but typer is imported inside them.
"""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from hepaflux import terminal
from hepaflux.arguments import read_names, read_priors
from hepaflux.terminal import EXIT_FAILED, told

SOURCE_HELP = "A figures.toml, a folder that holds one, or a CSV; the bundled table by default."

Source = Annotated[str, typer.Argument(help=SOURCE_HELP)]
Unverified = Annotated[
    bool, typer.Option("--unverified", help="Keep figures that nobody compared with their source.")
]

app = typer.Typer(help="Means and spreads of groups as papers print them, and fits of them.")


@app.command("list")
@told
def list_figures(
    source: Source = "published_figures",
    quantity: Annotated[str | None, typer.Option(help="Show every figure of one.")] = None,
    unverified: Unverified = False,
) -> None:
    """Read a table of figures, judge it and show what it holds. Exit code 2 if it is wrong."""
    from hepaflux.study import read_figures

    terminal.show_figures(read_figures(source, unverified=unverified), quantity)


@app.command("fit")
@told
def fit_figures(
    quantity: Annotated[
        list[str],
        typer.Option(help="dnl_fraction, or several: repeat it.", show_default=False),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Run folder to write.", show_default=False)
    ],
    source: Source = "published_figures",
    unverified: Unverified = False,
    groups: Annotated[
        str | None, typer.Option(help="healthy,NAFLD: the groups that enter, reference first.")
    ] = None,
    prior: Annotated[
        list[str] | None,
        typer.Option(help='Another prior: dnl_fraction="alpha=1, beta=9". Repeatable.'),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run.")] = False,
    draws: Annotated[int, typer.Option(help="Draws kept of each chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Tuning steps of each chain.")] = 1000,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    seed: Annotated[int, typer.Option(help="Seed.")] = 1,
) -> None:
    """Fit the groups of one or more quantities, judge the posterior and write a run folder.

    Exit code 3 if the verdict is fail: the run is written all the same.
    """
    import hepaflux as hf
    from hepaflux.assess import require_place

    require_place(out, force=force)
    figures = hf.read_figures(source, unverified=unverified)
    names = [name for text in quantity for name in read_names(text)]
    model = hf.build_figures_model(
        figures,
        names,
        groups=read_names(groups) if groups else None,
        priors=read_priors(prior or []),
    )
    terminal.progress(f"Compiling and fitting {', '.join(names)} (seed {seed})")
    posterior = hf.fit(model, draws=draws, tune=tune, chains=chains, seed=seed)
    posterior.attrs["command"] = shlex.join(["hepaflux", *sys.argv[1:]])
    terminal.progress("Judging and writing the report")
    verdict = terminal.show_run(hf.report(posterior, out, force=force))
    if verdict == "fail":
        raise typer.Exit(EXIT_FAILED)
