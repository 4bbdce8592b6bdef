"""Demo: the whole road on bundled data, and whether it leads back to a known truth."""

import csv
from pathlib import Path

import numpy as np
import typer
import xarray as xr

import hepaflux as hf
from hepaflux import terminal
from hepaflux.assess import Contrast, require_place
from hepaflux.study import get_dataset

IVGTT, OGTT = "pacini_bergman_1986", "ogtt_demo"

PARAMETER = "SI"

BY_GROUP = f"hepaflux fit {OGTT} --system oral --by group -o runs/ogtt_by_group"
"""The slower way to the same comparison, with a population per group."""


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
    terminal.progress("Compiling and sampling (slower the first time)")
    model = hf.build_model(hf.read_study(IVGTT), hf.systems.minimal)
    _write(hf.fit(model, seed=seed), folder / IVGTT, "--system minimal", seed)
    typer.echo(f"\n2. {OGTT}: synthetic glucose drinks of 12 healthy people and 12 with NAFLD")
    terminal.progress("Compiling once and sampling 24 people, each on their own")
    posterior = hf.fit_each(hf.read_study(OGTT), hf.systems.oral, seed=seed)
    _write(posterior, folder / OGTT, "--system oral --each", seed)
    typer.echo("\n3. Does the fit find the truth that the synthetic study was made from?")
    for line in compare_with_truth(posterior):
        typer.echo(f"   {line}")
    typer.echo("\nReports, to be opened in a browser:")
    for name in (IVGTT, OGTT):
        typer.echo(f"   {folder / name / 'report.html'}")
    typer.echo(f"\nThe groups as populations, which takes minutes:\n   {BY_GROUP}")


def _write(posterior: xr.DataTree, run: Path, how: str, seed: int) -> None:
    """Write a run and show what it holds."""
    posterior.attrs["command"] = f"hepaflux fit {run.name} {how} --seed {seed} -o {run}"
    terminal.progress("Judging and writing the report")
    terminal.show_run(hf.report(posterior, run, force=True))


def compare_with_truth(posterior: xr.DataTree) -> list[str]:
    """Return in words whether the intervals of the synthetic study hold what it was made from.

    Parameters
    ----------
    posterior : DataTree
        Of the synthetic study, every person fitted on their own.
    """
    contrast = hf.compare_groups(posterior, PARAMETER)
    if not isinstance(contrast, Contrast) or contrast.ratio is None:
        raise ValueError("the synthetic study must have two groups with a positive parameter")
    path = get_dataset(OGTT) / "truth.csv"
    with path.open(encoding="utf-8", newline="") as file:
        truth = [(r["subject"], r["group"], float(r[PARAMETER])) for r in csv.DictReader(file)]
    means = {
        group: float(np.exp(np.mean([np.log(value) for _, of, value in truth if of == group])))
        for group in (contrast.reference, contrast.group)
    }
    ratio = means[contrast.group] / means[contrast.reference]
    compared = (
        (f"mean {PARAMETER}, {contrast.reference}", means[contrast.reference]),
        (f"mean {PARAMETER}, {contrast.group}", means[contrast.group]),
        (f"ratio {contrast.group} over {contrast.reference}", ratio),
    )
    estimates = (contrast.reference_value, contrast.value, contrast.ratio)
    lines = [
        f"{what}: truth {true:.3g}, 90 % interval {estimate}: "
        + ("inside" if estimate.lower <= true <= estimate.upper else "OUTSIDE")
        for (what, true), estimate in zip(compared, estimates, strict=True)
    ]
    draws = posterior["posterior"][PARAMETER]
    held = [
        lower <= value <= upper
        for name, _, value in truth
        for lower, upper in [np.quantile(draws.sel(subject=name), [0.05, 0.95])]
    ]
    people = f"{sum(held)} of {len(held)} people: the 90 % interval holds their own {PARAMETER}"
    return [*lines, people]
