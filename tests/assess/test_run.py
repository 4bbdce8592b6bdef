"""A run is whole or not there, and comes back as it was."""

import json
import os
import tomllib

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from fake_posterior import fake

from hepaflux.assess import (
    RunError,
    RunExistsError,
    load_run,
    refresh_report,
    report,
    require_place,
    run,
)
from hepaflux.assess.summary import COLUMNS

FILES = {"posterior.nc", "summary.csv", "diagnostics.json", "report.html", "run.toml"}


@pytest.fixture
def folder(tmp_path, small):
    return report(small, tmp_path / "runs" / "demo")


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_the_folder_holds_five_files(folder):
    assert names(folder) == FILES
    assert names(folder.parent) == {"demo"}


def test_the_posterior_comes_back(folder, small):
    back = load_run(folder)
    xr.testing.assert_identical(back["posterior"].to_dataset(), small["posterior"].to_dataset())
    predicted = back["posterior_predictive"]["glucose"]
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted, small["posterior_predictive"]["glucose"], rtol=1e-6)
    assert back.attrs == small.attrs


def test_the_files_are_read_by_ordinary_readers(folder):
    assert tuple(pd.read_csv(folder / "summary.csv").columns) == COLUMNS
    record = json.loads((folder / "diagnostics.json").read_text(), parse_constant=pytest.fail)
    assert record["verdict"] == "fail"  # too few draws
    recipe = tomllib.loads((folder / "run.toml").read_text())
    assert recipe["sampling"]["seed"] == 1
    assert recipe["model"]["options"] == {"basal_glucose": "first"}
    assert recipe["model"]["priors"]["SI"] == "median=6e-05, cv=0.9"
    assert recipe["study"]["study_checksum"] == "0" * 64
    assert recipe["versions"] == {"hepaflux": "0.1.0", "python": "3.13", "arviz": "1.3"}


def test_a_run_can_be_read_while_it_is_reported_again(folder, small):
    load_run(folder)
    report(small, folder, force=True)
    load_run(folder)


def test_an_existing_run_is_kept_unless_forced(folder, small):
    before = (folder / "run.toml").stat().st_ino
    with pytest.raises(RunExistsError, match=r"demo exists; choose another folder or force"):
        report(small, folder)
    assert (folder / "run.toml").stat().st_ino == before
    report(small, folder, force=True)
    assert (folder / "run.toml").stat().st_ino != before
    assert names(folder.parent) == {"demo"}


def test_force_replaces_nothing_but_runs(tmp_path, small):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(RunError, match="is not a run and will not be replaced"):
        report(small, tmp_path, force=True)
    with pytest.raises(RunError, match="is not a run and will not be replaced"):
        report(small, tmp_path / "thesis.docx", force=True)
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_a_place_where_nothing_can_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "table.csv").touch()
    with pytest.raises(
        RunError, match=r"run cannot be written .*table\.csv.*; choose another folder"
    ):
        require_place(tmp_path / "table.csv" / "run", force=False)
    require_place(tmp_path / "new" / "run", force=False)
    assert names(tmp_path) == {"table.csv"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("writer", ["_write_posterior", "render", "recipe"])
def test_an_interrupted_run_leaves_nothing(tmp_path, small, monkeypatch, writer, error):
    def interrupt(*args, **kwargs):
        raise error

    monkeypatch.setattr(run, writer, interrupt)
    with pytest.raises(error):
        report(small, tmp_path / "demo")
    assert names(tmp_path) == set()


def test_an_interrupted_replacement_leaves_the_old_run(folder, small, monkeypatch):
    before = (folder / "posterior.nc").read_bytes()
    rename, calls = os.rename, []

    def interrupt_second(source, target):
        calls.append(source)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(run.os, "rename", interrupt_second)
    with pytest.raises(KeyboardInterrupt):
        report(small, folder, force=True)
    assert (folder / "posterior.nc").read_bytes() == before
    assert names(folder.parent) == {"demo"}


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(RunError, match=r"is not a run: it holds no posterior\.nc"):
        load_run(tmp_path)


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_a_damaged_file_is_named(folder, keep):
    path = folder / "posterior.nc"
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    with pytest.raises(RunError, match=r"posterior\.nc is damaged and cannot be read"):
        load_run(folder)


def test_a_flipped_bit_is_noticed(folder):
    path = folder / "posterior.nc"
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 3, len(content) // 3 + 40_000, 500):
        content[place] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(RunError, match="damaged"):
        load_run(folder)


def test_the_report_is_made_anew(folder):
    page = folder / "report.html"
    first = page.read_text()
    page.write_text("lost")
    assert refresh_report(folder) == page
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert len(page.read_text()) == pytest.approx(len(first), rel=0.01)
    assert names(folder) == FILES


def test_an_interrupted_refresh_leaves_the_old_report(folder, monkeypatch):
    before = (folder / "report.html").read_text()

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(run.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        refresh_report(folder)
    assert (folder / "report.html").read_text() == before
    assert names(folder) == FILES


def test_messages_that_may_be_none_and_odd_attributes_are_stored(tmp_path):
    tree = fake(draws=10)
    messages = np.full((4, 10), None, dtype=object)
    messages[0, 0] = "energy"
    tree["sample_stats"]["divergence_message"] = xr.DataArray(messages, dims=("chain", "draw"))
    tree.attrs = {**tree.attrs, "nothing": None, "flag": True, "list": ["a", "b"]}
    tree["warmup_posterior"] = xr.DataTree(tree["posterior"].to_dataset())
    back = load_run(report(tree, tmp_path / "demo"))
    assert back["sample_stats"]["divergence_message"].values[0, 0] == "energy"
    assert back["sample_stats"]["divergence_message"].values[0, 1] == ""
    assert (back.attrs["nothing"], back.attrs["flag"]) == ("", 1)
    assert "warmup_posterior" not in back.children
