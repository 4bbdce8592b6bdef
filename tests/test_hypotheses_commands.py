"""The commands about rival hypotheses."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

import hepaflux as hf
from hepaflux.assess import render_report
from hepaflux.cli import app
from hepaflux.systems.rivals import FREE, RIVALS, SELECTIVE


def run(*words: str | Path, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["hypotheses", *map(str, words)])
    text = result.stdout + result.stderr
    assert result.exit_code == code, text
    assert "Traceback" not in text
    return text


def test_list_says_what_each_fixes():
    text = run("list")
    for word in ("selective", "proximal", "intact", "free", "lambda_L"):
        assert word in text
    said = " ".join(text.split())
    assert all(one.sentence in said and one.source in said for one in (*RIVALS, FREE))


def test_list_fits_a_narrow_terminal():
    lines = run("list").splitlines()
    assert max(map(len, lines)) <= 80
    starts = {line[:2] for line in lines if line}
    assert {"  "} < starts, "names stand out from what is said of them"


def test_a_test_that_is_none_is_refused():
    text = run("confuse", "--test", "breakfast", "--replicates", "1", code=2)
    assert "test must be one of fasted, glucose, clamp, withdrawal" in text


def test_people_come_whole():
    text = run("confuse", "--subjects", "6,12.5", "--replicates", "1", code=2)
    assert "'6,12.5' is no number of people" in text


def test_confuse_prints_how_often_each_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of two studies under each truth: selective found twice, clearly once; proximal once, and once
    clearly taken for selective."""
    asked = []

    def confuse_hypotheses(**how):
        asked.append(how)
        found = ["selective", "selective", "proximal", "selective"]
        return pd.DataFrame(
            {
                "truth": ["selective", "selective", "proximal", "proximal"],
                "test": how["test"],
                "subjects": how["subjects"],
                "replicate": [0, 1, 0, 1],
                "found": found,
                "clear": [True, False, False, True],
                "weight": [0.9, 0.6, 0.7, 0.1],
            }
        )

    monkeypatch.setattr("hepaflux.confusion.confuse_hypotheses", confuse_hypotheses)
    words = ("confuse", "--test", "fasted,clamp", "--subjects", "6", "--replicates", "2")
    text = run(*words, "--seed", "3", "--out", tmp_path / "studies.csv")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    one = {"subjects": 6, "replicates": 2, "seed": 3}
    assert asked == [{"test": "fasted", **one}, {"test": "clamp", **one}]
    assert "test subjects truth studies selective proximal decided misled" in lines
    # Wilson's 90 % intervals of none, one and two of two.
    none, half, both = "0.00 (0.00 to 0.57)", "0.50 (0.12 to 0.88)", "1.00 (0.43 to 1.00)"
    for test in ("fasted", "clamp"):
        assert f"{test} 6 selective 2 {both} {none} {half} {none}" in lines
        assert f"{test} 6 proximal 2 {half} {half} {half} {half}" in lines
    kept = pd.read_csv(tmp_path / "studies.csv")
    assert list(kept["found"]) == ["selective", "selective", "proximal", "selective"] * 2


def test_a_virtual_study_reads_back(tmp_path: Path):
    study = hf.simulate_visits(SELECTIVE, subjects=2, seed=1).study
    hf.write_study(study, tmp_path / "livers")
    again = hf.read_study(tmp_path / "livers")
    assert again.groups == ("healthy", "NAFLD")
    # The names of virtual people repeat; the checksum tells their studies apart.
    assert again.checksum == study.checksum
    assert study.checksum != hf.simulate_visits(SELECTIVE, subjects=2, seed=2).study.checksum
    assert set(again.subjects[0].samples) == set(study.subjects[0].samples)


def fitted(name: str, gain: float) -> xr.DataTree:
    """Inference data as a fit leaves it, as small as a report takes it."""
    rng = np.random.default_rng(len(name))
    shape = (2, 100)
    likelihood = gain + 0.05 * rng.standard_normal((*shape, 8))
    draws = {"e_G": rng.lognormal(size=shape)}
    if name == FREE.name:
        draws["lambda_L"] = rng.beta(2, 20, size=shape)
    sampled = xr.Dataset({k: (("chain", "draw"), v) for k, v in draws.items()})
    dims = ("chain", "draw", "subject")
    points = np.full(likelihood.shape, 90.0)
    people = xr.Dataset({"person": (dims, likelihood), "effective_points": (dims, points)})
    groups = {"/posterior": sampled, "/prior": sampled, "/person_log_likelihood": people}
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["hypothesis_says"] = f"{name} is true"
    return tree


def test_fit_ranks_and_writes_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = {}

    def fit_hypotheses(study, **how):
        asked.update(how, people=len(study.subjects))
        return {n: fitted(n, -i) for i, n in enumerate(("selective", "proximal", "free"))}

    monkeypatch.setattr("hepaflux.fitting.fit_hypotheses", fit_hypotheses)
    study = hf.simulate_visits(SELECTIVE, subjects=2, seed=1).study
    hf.write_study(study, tmp_path / "livers")
    check_run(("fit", tmp_path / "livers"), tmp_path / "run", "people")
    assert asked == {"draws": 60, "tune": 1000, "chains": 4, "seed": 1, "people": 4}


def check_run(words: tuple[str | Path, ...], folder: Path, kind: str) -> None:
    """Type a command that fits, and look at what it prints and writes."""
    typed = ["hypotheses", *words, "-o", folder, "--draws", "60"]
    result = CliRunner().invoke(app, [str(word) for word in typed])
    assert result.exit_code in (0, 3), result.stdout + result.stderr
    assert "stacking weight" in result.stdout
    assert f"selective is true predicted {kind} left out best" in " ".join(result.stdout.split())
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Rival hypotheses" in page
    assert f"of 8 {kind}, each" in page
    assert "Left free, lambda_L was 0.0" in page
    again = hf.load_run(folder)
    assert "Rival hypotheses" in render_report(again)


def test_figures_ranks_by_figures_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = {}

    def fit_figures_hypotheses(figures, **how):
        asked.update(how, quantities={quantity.name for quantity in figures.quantities})
        return {n: of_figures(n, -i) for i, n in enumerate(("selective", "proximal", "free"))}

    monkeypatch.setattr("hepaflux.fitting.fit_figures_hypotheses", fit_figures_hypotheses)
    check_run(("figures", "--groups", "healthy,NAFLD"), tmp_path / "run", "figures")
    assert "liver_fat" in asked.pop("quantities")
    sampling = {"draws": 60, "tune": 1000, "chains": 4, "seed": 1}
    assert asked == {"groups": ["healthy", "NAFLD"], **sampling}


def of_figures(name: str, gain: float) -> xr.DataTree:
    """The same, with eight figures left out instead of eight people."""
    tree = fitted(name, gain)
    elpd = tree["person_log_likelihood"]["person"].mean(("chain", "draw")).to_numpy()
    columns = {
        **{"elpd": elpd, "pareto_k": np.full(8, 0.3), "refitted": np.zeros(8, dtype=bool)},
        **{"quantity": ["liver_fat"] * 8, "label": [f"Study {i}" for i in range(8)]},
    }
    found = xr.Dataset({n: ("figure", np.array(v)) for n, v in columns.items()})
    found.attrs = {"good_k": 0.6, "draws": 200}
    del tree["person_log_likelihood"]
    tree["figures_left_out"] = xr.DataTree(found)
    return tree
