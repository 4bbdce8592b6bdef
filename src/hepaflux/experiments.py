"""Experiments: the commands about virtual people, in health and in disease.

They make the same calls as the library. Everything but typer is imported inside them.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hepaflux import terminal
from hepaflux.arguments import DOSE_EXAMPLE, WITH_EXAMPLE, read_length, read_names
from hepaflux.terminal import told

if TYPE_CHECKING:
    from hepaflux.synthetic import Wanted


@told
def states(
    name: Annotated[
        str | None, typer.Argument(help="Show every value of one system.", show_default=False)
    ] = None,
) -> None:
    """List the states of health that a system can be in, what differs, and who reported it."""
    from hepaflux.systems import ALL, named

    terminal.show_states(ALL) if name is None else terminal.show_state_values(named(name))


@told
def simulate(
    system: Annotated[
        str, typer.Argument(help="The truth, such as oral or meal.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Study folder to write.", show_default="virtual/SYSTEM_STATE"
        ),
    ] = None,
    subjects: Annotated[
        int | None,
        typer.Option(
            help="How many people in all.", show_default="20; of a state its typical person"
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="ogtt75, ogtt75_sparse, ogtt75_c_peptide, meal, labeled_meal, triple_tracer,"
            " labeled_meal_c_peptide, ivgtt, ivgtt_labeled, clamp, labeled_acetate, heavy_water,"
            " vldl_tracer, fat_sources, resting_clamp, fast, half_year, year, insulin_steps or"
            " medium_steps.",
            show_default="the usual test of the system",
        ),
    ] = None,
    dose: Annotated[
        list[str] | None,
        typer.Option(help=f"What is given: {DOSE_EXAMPLE}. Repeatable.", show_default=False),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(
            help="How long a test of your own lasts: 8h.", show_default="5 h after the last dose"
        ),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(help="The same in hours: of fasting, the hours since the last meal."),
    ] = None,
    days: Annotated[
        float | None, typer.Option(help="The same in days: of liver fat, since treatment began.")
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help=f"Another system of the same body, and what it shares: {WITH_EXAMPLE[7:]}."
            " Repeatable.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="An option of the system: switch=dynamic. Repeatable."),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(help="healthy, NAFLD or healthy,NAFLD.", show_default="healthy"),
    ] = None,
    state: Annotated[
        str | None, typer.Option(help="State of health, from `hepaflux states`; not with --groups.")
    ] = None,
    weight: Annotated[
        float | None,
        typer.Option(help="Body weight in a state of health, kg.", show_default="as reported"),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(help="Another test of the same people, by system. Repeatable."),
    ] = None,
    correlate: Annotated[
        list[str] | None,
        typer.Option(help="SI,p2=0.5: their deviations go together. Repeatable."),
    ] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option(help="SI=bmi:-0.05: log SI per kg/m2; age, sex, height. Repeatable."),
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option(help="0.1 of all samples, insulin=0.2, or c_peptide@60. Repeatable."),
    ] = None,
    plot: Annotated[
        bool, typer.Option("--plot", help="Write figures of all outputs and fluxes, too.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same study.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing study.")] = False,
) -> None:
    """Write a synthetic study of virtual people, and beside it truth.csv, what it was made from."""
    from hepaflux.synthetic import Wanted, require_place, write_cohort, write_synthetic

    wanted = Wanted(
        groups=tuple(read_names(groups)) if groups is not None else (),
        state=state,
        subjects=subjects,
        protocol=protocol,
        doses=tuple(dose or ()),
        duration=read_length(hours, duration, days=days),
        weight=weight,
        correlations=tuple(correlate or ()),
        covariates=tuple(covariate or ()),
        missing=tuple(missing or ()),
        partners=tuple(with_ or ()),
        settings=tuple(set_ or ()),
        seed=seed,
    )
    out = out or Path("virtual") / "_".join([system, *(also or []), *([state] if state else [])])
    require_place(out, force=force)
    if also:
        if plot:
            raise ValueError("--plot draws one test; remove it, or --also")
        for study in write_cohort((system, *also), out, wanted):
            terminal.show_study(study)
        typer.echo(f"\nStudies: {out}\nTruth: {out / 'truth.csv'}")
        typer.echo(f"Fit: {_command(system, out, wanted, also)}")
        return
    study = write_synthetic(system, out, wanted, plot=plot)
    terminal.show_study(study)
    typer.echo(f"\nStudy: {out / 'study.toml'}\nTruth: {out / 'truth.csv'}")
    typer.echo(f"Fit: {_command(system, out, wanted)}")
    for figure in sorted(out.glob("*.png")):
        typer.echo(f"Figure: {figure}")


def _command(system: str, out: Path, wanted: "Wanted", also: Sequence[str] = ()) -> str:
    """Return the command that fits what was simulated, in its state and with its options.

    Effects of covariates are left to the user: they may be fitted or ignored.
    """
    words = ["hepaflux", "fit", str(out / system if also else out), "--system", system]
    words += [word for name in also for word in ("--also", f"{name}={out / name}")]
    words += ["--state", wanted.state] if wanted.state else []
    words += [word for text in wanted.settings for word in ("--set", text)]
    words += [word for text in wanted.partners for word in ("--with", text)]
    words += ["--by", "group"] if len(wanted.groups) > 1 else []
    pairs = [text.partition("=")[0] for text in wanted.correlations]
    words += [word for pair in pairs for word in ("--correlate", pair)]
    return shlex.join([*words, "-o", str(Path("runs") / out.name)])
