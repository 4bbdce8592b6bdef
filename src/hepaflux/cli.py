"""Command line: parses, makes the same calls as the library, prints.

Everything but typer is imported inside the commands, so that ``hepaflux --help`` answers at once.
Exit codes: 0 done; 1 no fit is possible, with the reason on standard error; 2 the input is wrong,
with everything that is wrong on standard error; 3 a fit was written but its verdict is ``fail``;
130 interrupted, with nothing written.
"""

import functools
import inspect
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hepaflux import experiments, hypotheses, pictures, planning, predictions, published, terminal
from hepaflux.arguments import (
    WITH_EXAMPLE,
    read_body,
    read_design,
    read_names,
    read_noise,
    read_pair,
    read_parts,
    read_range,
)
from hepaflux.terminal import EXIT_FAILED, told

if TYPE_CHECKING:
    from hepaflux.study import Study

HELP = """Bayesian parameter inference for hepatic insulin action.

From a table of glucose and insulin to a judged posterior, a comparison and a report.

[bold]Examples[/bold]

  hepaflux demo

  hepaflux check mydata/study.toml

  hepaflux fit pacini_bergman_1986 --system minimal -o runs/ivgtt

  hepaflux fit mydata/study.toml --system oral --by group -o runs/ogtt

  hepaflux fit one.csv --system oral --dose "75 g" --route oral --weight 72 -o runs/one

  hepaflux compare runs/ogtt --parameter SI

  hepaflux simulate meal --state t2d --dose 75g --duration 8h --plot -o runs/t2d

  hepaflux design oral --parameter SI --schedule "0 30 60 90 120" --subjects 1 10 20

[bold]Exit codes[/bold]

  0 done; 1 no fit is possible; 2 the input is wrong; 3 fitted, but the verdict is fail;
  130 interrupted
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data = typer.Typer(help="Published data sets that can be named wherever a STUDY is asked for.")
app.add_typer(data, name="data", no_args_is_help=True)
app.add_typer(published.app, name="figures", no_args_is_help=True)
app.add_typer(hypotheses.app, name="hypotheses", no_args_is_help=True)

STUDY_HELP = (
    "A study.toml, a folder that holds one, a CSV (subject, time, analyte, value, unit), or the "
    "name of a data set."
)
WITH_HELP = f"Another system of the same body, and what it shares: {WITH_EXAMPLE[7:]}. Repeatable."
TABLE, DESIGN, SAMPLER = "What a table does not say", "Design", "Method"

StudyArgument = Annotated[str, typer.Argument(help=STUDY_HELP, show_default=False)]
RunArgument = Annotated[Path, typer.Argument(help="A run folder.", show_default=False)]

TABLE_OPTIONS: dict[str, tuple[Any, str]] = {
    "dose": (str, 'Glucose given to everyone: "75 g" or "0.3 g/kg".'),
    "dose_time": (float, "When, in the table's unit of time; 0 if not said."),
    "route": (str, "How: oral or intravenous."),
    "weight": (float, "Body weight of everyone, kg."),
    "group": (str, "Group of every subject without one."),
    "time_unit": (str, "Unit of time, such as min or h."),
    "unit": (
        list[str],
        "Unit of an analyte, such as glucose=mg/dL; stronger than what the table says.",
    ),
    "insulin_factor": (
        float,
        "pmol/L in one microunit/mL of insulin: 6.0 (default) or 6.945 in older papers.",
    ),
}
"""What a command that reads a study can be told beside it: type and help by name."""


def reads_study[**P](command: Callable[P, None]) -> Callable[P, None]:
    """Give a command ``TABLE_OPTIONS``; ``_read`` finds their values in its context."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        for name in TABLE_OPTIONS:
            kwargs.pop(name)
        command(*args, **kwargs)

    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[kind | None, typer.Option(help=text, rich_help_panel=TABLE)],
        )
        for name, (kind, text) in TABLE_OPTIONS.items()
    ]
    own = inspect.signature(command)
    signature = own.replace(parameters=[*own.parameters.values(), *options])
    wrapped.__signature__ = signature  # type: ignore[attr-defined]
    return wrapped


def main() -> None:
    """Run the command line."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"hepaflux {version('hepaflux')}")
        raise typer.Exit


@app.callback()
def _front(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


@app.command()
@told
def systems(
    name: Annotated[str | None, typer.Argument(help="Show one system in full.")] = None,
    with_: Annotated[list[str] | None, typer.Option("--with", help=WITH_HELP)] = None,
) -> None:
    """List the systems that can be fitted; or one with equations, priors, units and sources."""
    from hepaflux.systems import ALL

    if with_ and name is None:
        raise ValueError("--with goes with the name of a system")
    terminal.show_systems(ALL) if name is None else terminal.show_system(
        read_body(name, with_ or ())
    )


@data.command("list")
@told
def data_list() -> None:
    """List the data sets that have a name."""
    import hepaflux as hf

    terminal.show_datasets(hf.list_datasets())


@data.command("get")
@told
def data_get(name: Annotated[str, typer.Argument(help="From `hepaflux data list`.")]) -> None:
    """Fetch a data set if need be, verify it, and print the folder that holds its files."""
    from hepaflux.study import get_dataset

    typer.echo(get_dataset(name))


@app.command()
@told
@reads_study
def check(
    ctx: typer.Context,
    study: StudyArgument,
) -> None:
    """Read a study and judge its tables. Exit code 2 and every problem if something is wrong."""
    terminal.show_study(_read(ctx))


@app.command()
@told
@reads_study
def fit(
    ctx: typer.Context,
    study: StudyArgument,
    system: Annotated[str, typer.Option(help="From `hepaflux systems`.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Run folder to write.", show_default=False)
    ],
    prior: Annotated[
        list[str] | None, typer.Option(help='Another prior: SI="median=5e-5, cv=0.9". Repeatable.')
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="An option of the system: basal_insulin=first. Repeatable."),
    ] = None,
    with_: Annotated[list[str] | None, typer.Option("--with", help=WITH_HELP)] = None,
    state: Annotated[
        str | None,
        typer.Option(help="State of health around which the priors lie, from `hepaflux states`."),
    ] = None,
    noise: Annotated[str, typer.Option(help="cv_floor, lognormal or student_t.")] = "cv_floor",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run.")] = False,
    by: Annotated[
        str | None,
        typer.Option(help="group: populations differ by group.", rich_help_panel=DESIGN),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            help="Another test of the same people: heavy_water=FOLDER. Repeatable.",
            rich_help_panel=DESIGN,
        ),
    ] = None,
    shared: Annotated[
        list[str] | None,
        typer.Option(help="With --also: V is the same in all tests.", rich_help_panel=DESIGN),
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="Every subject on its own.", rich_help_panel=DESIGN)
    ] = False,
    level: Annotated[
        list[str] | None,
        typer.Option(
            help="p2=shared, or group, subject, separate; shared alone: of all others. Repeatable.",
            rich_help_panel=DESIGN,
        ),
    ] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option(help="SI=bmi: SI shifts with BMI. Repeatable.", rich_help_panel=DESIGN),
    ] = None,
    correlate: Annotated[
        list[str] | None,
        typer.Option(help="SI,p2: their deviations go together.", rich_help_panel=DESIGN),
    ] = None,
    method: Annotated[
        str, typer.Option(help="nuts, pathfinder, laplace or map.", rich_help_panel=SAMPLER)
    ] = "nuts",
    draws: Annotated[
        int, typer.Option(help="Draws kept of each chain.", rich_help_panel=SAMPLER)
    ] = 1000,
    tune: Annotated[
        int, typer.Option(help="Tuning steps of each chain.", rich_help_panel=SAMPLER)
    ] = 1000,
    chains: Annotated[int, typer.Option(help="Chains.", rich_help_panel=SAMPLER)] = 4,
    seed: Annotated[int, typer.Option(help="Seed.", rich_help_panel=SAMPLER)] = 1,
) -> None:
    """Fit a study, judge the posterior and write a run folder with its report.

    Several subjects are drawn from a population unless --each fits every one on its own.

    Exit code 3 if the verdict is fail: the run is written all the same.
    """
    import hepaflux as hf
    from hepaflux.assess import require_place

    require_place(out, force=force)
    measured = _read(ctx)
    design = read_design(ctx.params, measured)
    words = {"prior": prior or [], "set_": set_ or [], "with_": with_ or []}
    parts = read_parts(also or [], system, measured, words, state=state)
    noises = {name: read_noise(*part, noise) for name, part in parts.items()}
    chosen = parts[system][1]
    how: dict[str, Any] = {k: ctx.params[k] for k in ("method", "draws", "tune", "chains", "seed")}
    if each:
        terminal.progress(f"Fitting {terminal.count(measured.subjects, 'subject')} one by one")
        posterior = hf.fit_each(measured, chosen, noise=noises[system], **how)
    else:
        terminal.progress(f"Building the model of {terminal.count(measured.subjects, 'subject')}")
        if also:
            model = hf.build_joint_model(parts, shared=shared or (), design=design, noise=noises)
        else:
            model = hf.build_model(measured, chosen, design=design, noise=noises[system])
        terminal.progress(f"Compiling and fitting ({method}, seed {seed})")
        posterior = hf.fit(model, **how)
    posterior.attrs["command"] = shlex.join(["hepaflux", *sys.argv[1:]])
    terminal.progress("Judging and writing the report")
    verdict = terminal.show_run(hf.report(posterior, out, force=force))
    if verdict == "fail":
        raise typer.Exit(EXIT_FAILED)


@app.command()
@told
def compare(
    run: RunArgument,
    parameter: Annotated[
        str, typer.Option(help="A parameter or derived quantity.", show_default=False)
    ],
    groups: Annotated[
        list[str] | None,
        typer.Option(help="Two or more groups, the reference first: --groups healthy NAFLD."),
    ] = None,
    more_groups: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    rope: Annotated[
        str | None,
        typer.Option(help="Range of practical equality, such as 0.8,1.25 (of the ratio)."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another parameter: do the two change alike?")
    ] = None,
    ci: Annotated[float, typer.Option(help="Probability inside the intervals.")] = 0.9,
) -> None:
    """Compare groups of a run: difference, ratio, direction, practical equality, one sentence."""
    import hepaflux as hf

    if more_groups and not groups:
        raise ValueError(f"{' '.join(more_groups)}: to name groups, write --groups before them")
    labels = [name for text in [*(groups or []), *(more_groups or [])] for name in read_names(text)]
    how: dict[str, Any] = {"groups": labels or None, "ci_prob": ci}
    if against:
        if rope:
            raise ValueError("--rope belongs to one parameter; remove it, or --against")
        both = hf.compare_differences(hf.load_run(run), parameter, against, **how)
        terminal.show_comparison(both)
    else:
        equal = read_range(rope) if rope else None
        contrast = hf.compare_groups(hf.load_run(run), parameter, rope=equal, **how)
        terminal.show_comparison(contrast)
    terminal.show_caveat(run)


@app.command()
@told
def report(run: RunArgument) -> None:
    """Make the report of a run anew from its posterior, and print where it lies."""
    from hepaflux.assess import refresh_report

    typer.echo(refresh_report(run))


app.command()(experiments.states)
app.command()(experiments.simulate)
app.command()(planning.design)
app.command()(predictions.predict)
app.command()(pictures.diagram)
app.command()(pictures.portrait)


@app.command()
@told
def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the run folders; they are replaced.")
    ] = Path("runs/demo"),
    seed: Annotated[int, typer.Option(help="Seed.")] = 1,
) -> None:
    """Fit a published IVGTT and a synthetic two-group OGTT study, and compare with the truth."""
    from hepaflux.demo import run_demo

    run_demo(out, seed=seed)


def _read(ctx: typer.Context) -> "Study":
    """Read the study that the arguments of a command name."""
    import hepaflux as hf

    given = {k: ctx.params[k] for k in TABLE_OPTIONS if ctx.params[k] is not None}
    if pairs := given.pop("unit", None):
        given["units"] = dict(read_pair(text, "--unit glucose=mg/dL") for text in pairs)
    return hf.read_study(ctx.params["study"], **given)
