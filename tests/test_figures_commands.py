"""The commands about published figures."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import hepaflux as hf
from hepaflux.cli import app
from hepaflux.fitting.published import assemble
from hepaflux.fitting.results import draw_prior

WRONG = 2


def run(*words: str | Path, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["figures", *map(str, words)])
    text = result.stdout + result.stderr
    assert result.exit_code == code, text
    assert "Traceback" not in text
    return text


def test_list_tells_quantities_groups_and_what_was_left_out():
    text = run("list")
    assert "dnl_fraction" in text
    assert "healthy 5, obese 3, NAFLD 3" in text
    assert "4 unverified figures left out" in text
    assert "left out" not in run("list", "--unverified")


def test_list_shows_each_figure_with_what_is_missing_and_its_citation():
    text = run("list", "--quantity", "dnl_fraction")
    (smith,) = [line for line in text.splitlines() if "Smith 2020" in line and "lean" in line]
    assert "not reported" in smith
    assert "J Clin Invest 130:1453" in smith
    (diraison,) = [line for line in text.splitlines() if "Diraison" in line and "control" in line]
    assert " ? " in diraison


def test_a_bad_table_ends_with_every_problem(tmp_path: Path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "quantity,group,citation,mean,unit,n\ndnl_fraction,a,A paper,20,1,0\n", encoding="utf-8"
    )
    text = run("list", path, code=WRONG)
    assert "n, mine.csv row 2: 0 is no number of people" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--quantity", "nothing"), "quantity 'nothing': no figures"),
        (("--quantity", "dnl_fraction", "--groups", "healthy,T2D"), "no figure of dnl_fraction"),
        (("--quantity", "dnl_fraction", "--prior", "SI=alpha=1"), "is not a prior"),
        (("--quantity", "dnl_fraction", "--prior", "x=value=1"), "prior of x"),
    ],
)
def test_fit_refuses_what_cannot_be_fitted(tmp_path: Path, words, message):
    assert message in run("fit", *words, "-o", tmp_path / "run", code=WRONG)
    assert not (tmp_path / "run").exists()


def from_prior(model, *, seed, **sizes):
    """Stand for ``fit``: what is known before the data, as inference data."""
    prior = draw_prior(model, seed)
    how = {"method": "nuts", "seed": seed, "sampling_seconds": 0.0, **sizes}
    rng = np.random.default_rng(seed)
    return assemble(model.recipe, prior, prior=prior, sample_stats=None, record=how, rng=rng)


@pytest.mark.slow
def test_fit_writes_a_run_that_compare_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hf, "fit", from_prior)
    folder = tmp_path / "run"
    options = ("--groups", "healthy,NAFLD", "--prior", "dnl_fraction=alpha=1, beta=9")
    run("fit", "--quantity", "egp_suppression,dnl_fraction", "-o", folder, *options)
    assert "alpha=1, beta=9" in (folder / "run.toml").read_text(encoding="utf-8")
    words = ["compare", str(folder), "--parameter", "egp_suppression", "--against", "dnl_fraction"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    assert "In NAFLD against healthy, egp_suppression was" in result.stdout
    result = CliRunner().invoke(app, [*words, "--rope", "0.8,1.25"])
    assert result.exit_code == WRONG
    assert "--rope belongs to one parameter" in result.stderr
