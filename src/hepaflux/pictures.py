"""Pictures: the commands that draw a system itself, with no data, in health and in disease.

They make the same calls as the library. Everything but typer is imported inside them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hepaflux.arguments import read_length, read_minutes, read_names
from hepaflux.terminal import told

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from hepaflux.systems import System

SystemArgument = Annotated[str, typer.Argument(help="From `hepaflux systems`.", show_default=False)]
FileOption = Annotated[
    Path, typer.Option("--out", "-o", help="Picture to write: .png, .svg or .pdf.")
]
StatesOption = Annotated[
    str | None,
    typer.Option(
        help="States of health, the reference first: normal,nafld.",
        show_default="the reference of the system",
    ),
]

LONG = 3000.0
"""Days after which a slow system rests."""


@told
def diagram(
    system: SystemArgument,
    out: FileOption,
    states: StatesOption = None,
    hours: Annotated[float | None, typer.Option(help="How long people are followed.")] = None,
    days: Annotated[float | None, typer.Option(help="The same in days.")] = None,
    at: Annotated[
        str | None, typer.Option(help="Time of the moment: 0 min, 8h.", show_default="the end")
    ] = None,
) -> None:
    """Draw where the fluxes of a system come from and go, as wide as they are at one moment.

    One panel for each state of health, of its typical person in the usual test of the system.
    """
    from hepaflux.assess.diagram import plot_diagram
    from hepaflux.systems import named

    chosen = named(system)
    names = _states(chosen, states)
    length = read_length(hours, None, days=days)
    moments = {name: _moment(system, name, length, at) for name in names}
    _write(plot_diagram(moments), out)


@told
def portrait(
    system: SystemArgument,
    out: FileOption,
    x: Annotated[str, typer.Option("--x", help="Quantity across.", show_default=False)],
    y: Annotated[str, typer.Option("--y", help="Quantity up.", show_default=False)],
    states: StatesOption = None,
    days: Annotated[float, typer.Option(help="How long each course is followed.")] = LONG,
) -> None:
    """Draw how a system moves between two of its quantities, and where it comes to rest.

    One panel for each state of health, whose drivers act from where every state of health leads.
    """
    from hepaflux.assess.portraits import plot_portrait
    from hepaflux.solver.portrait import ends, phase_portrait
    from hepaflux.systems import named
    from hepaflux.units import DAY

    chosen, minutes = named(system), days * DAY
    starts = ends(chosen, minutes=minutes)
    portraits = {
        name: phase_portrait(chosen.in_condition(name), list(starts.values()), minutes=minutes)
        for name in _states(chosen, states)
    }
    _write(plot_portrait(portraits, x, y), out)


def _states(system: "System", states: str | None) -> list[str]:
    """Return the states of health that are drawn."""
    if not system.conditions:
        raise ValueError(f"system {system.name} has no states of health, so nobody is typical")
    names = read_names(states or system.conditions[0].name)
    return [system.condition(name).name for name in names]


def _moment(system: str, state: str, length: str | None, at: str | None) -> "xr.Dataset":
    """Return the fluxes of the typical person of a state of health at one moment."""
    from hepaflux.model.courses import simulated_courses
    from hepaflux.synthetic import Wanted, simulate_wanted

    made, chosen = simulate_wanted(system, Wanted(state=state, duration=length))
    courses = simulated_courses(made, chosen).isel(subject=0)
    if at is None:
        return courses.isel(minutes=-1)
    return courses.sel(minutes=read_minutes(at), method="nearest")


def _write(figure: "Figure", out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=150)
    typer.echo(f"Figure: {out}")
