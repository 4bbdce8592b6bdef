"""Demo: the whole road on bundled data, and whether it leads back to a known truth."""

import csv
from pathlib import Path

import numpy as np
import typer
import xarray as xr

import hepaflux as hf
from hepaflux import terminal
from hepaflux.assess import Contrast, require_place
from hepaflux.model import HEALTHY, NAFLD
from hepaflux.study import get_dataset
from hepaflux.systems import System

IVGTT, OGTT = "pacini_bergman_1986", "ogtt_demo"

PARAMETER = "SI"


def run_demo(folder: Path, *, seed: int = 1) -> None:
    """Fit the bundled studies, compare groups, compare with the truth, write the runs.

    Parameters
    ----------
    folder : Path
        Gets one run folder per study; runs that are there are replaced.
    seed : int
        Of both fits.
    """
    for name in (IVGTT, OGTT):
        require_place(folder / name, force=True)
    typer.echo(f"1. {IVGTT}: a published intravenous test, fitted by the minimal model")
    _fit(IVGTT, hf.systems.minimal, None, folder, seed)
    typer.echo(f"\n2. {OGTT}: synthetic drinks of glucose, 12 healthy people and 12 with NAFLD")
    posterior = _fit(OGTT, hf.systems.oral, hf.Design(by_group=True), folder, seed)
    typer.echo("\n3. Does the fit find the truth that the synthetic study was made from?")
    for line in compare_with_truth(posterior):
        typer.echo(f"   {line}")
    typer.echo("\nReports, to be opened in a browser:")
    for name in (IVGTT, OGTT):
        typer.echo(f"   {folder / name / 'report.html'}")


def _fit(
    name: str, system: System, design: hf.Design | None, folder: Path, seed: int
) -> xr.DataTree:
    """Fit a bundled study, write its run and return the posterior."""
    model = hf.build_model(hf.read_study(name), system, design=design)
    terminal.progress("Compiling and sampling (slower the first time)")
    posterior = hf.fit(model, seed=seed)
    by = " --by group" if design else ""
    posterior.attrs["command"] = (
        f"hepaflux fit {name} --system {system.name}{by} --seed {seed} -o {folder / name}"
    )
    terminal.progress("Judging and writing the report")
    terminal.show_run(hf.report(posterior, folder / name, force=True))
    return posterior


def compare_with_truth(posterior: xr.DataTree) -> list[str]:
    """Return in words whether the intervals of the synthetic study hold what it was made from.

    Parameters
    ----------
    posterior : DataTree
        Of the synthetic study, fitted by group.
    """
    contrast = hf.compare_groups(posterior, PARAMETER, groups=(HEALTHY.name, NAFLD.name))
    if not isinstance(contrast, Contrast) or contrast.ratio is None:
        raise ValueError("the synthetic study must have two groups with a positive parameter")
    median = float(hf.systems.oral.parameter(PARAMETER).prior.distribution().median())
    healthy = median * HEALTHY.factors.get(PARAMETER, 1.0)
    ill = median * NAFLD.factors.get(PARAMETER, 1.0)
    compared = (
        (f"median {PARAMETER}, {contrast.reference}", healthy, contrast.reference_value),
        (f"median {PARAMETER}, {contrast.group}", ill, contrast.value),
        ("ratio", ill / healthy, contrast.ratio),
    )
    lines = [
        f"{what}: truth {truth:.3g}, 90 % interval {estimate} - "
        + ("inside" if estimate.lower <= truth <= estimate.upper else "OUTSIDE")
        for what, truth, estimate in compared
    ]
    inside, people = _people_inside(posterior)
    return [*lines, f"{inside} of {people} people: the 90 % interval holds their own {PARAMETER}"]


def _people_inside(posterior: xr.DataTree) -> tuple[int, int]:
    """Return of how many people the interval holds the truth, and how many there are."""
    path = get_dataset(OGTT) / "truth.csv"
    with path.open(encoding="utf-8", newline="") as file:
        truth = {row["subject"]: float(row[PARAMETER]) for row in csv.DictReader(file)}
    draws = posterior["posterior"][PARAMETER]
    held = [
        lower <= value <= upper
        for name, value in truth.items()
        for lower, upper in [np.quantile(draws.sel(subject=name), [0.05, 0.95])]
    ]
    return sum(held), len(held)
