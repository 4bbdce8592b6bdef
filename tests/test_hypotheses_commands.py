"""The commands about rival hypotheses."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import hepaflux as hf
from hepaflux.cli import app
from hepaflux.systems.rivals import FREE, SELECTIVE


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


def test_a_test_that_is_none_is_refused():
    text = run("confuse", "--test", "breakfast", "--replicates", "1", code=2)
    assert "test must be one of fasted, glucose, clamp, withdrawal" in text


def test_a_virtual_study_reads_back(tmp_path: Path):
    study = hf.simulate_visits(SELECTIVE, subjects=2, seed=1).study
    hf.write_study(study, tmp_path / "livers")
    again = hf.read_study(tmp_path / "livers")
    assert again.groups == ("healthy", "NAFLD")
    assert set(again.subjects[0].samples) == set(study.subjects[0].samples)


@pytest.mark.slow
def test_fit_ranks_and_writes_a_report(tmp_path: Path):
    study = hf.simulate_visits(SELECTIVE, test="fasted", subjects=3, seed=1).study
    hf.write_study(study, tmp_path / "livers")
    words = ["--draws", "60", "--tune", "100", "--chains", "2"]
    result = CliRunner().invoke(
        app, ["hypotheses", "fit", str(tmp_path / "livers"), "-o", str(tmp_path / "run"), *words]
    )
    assert result.exit_code in (0, 3), result.stdout + result.stderr
    assert "stacking weight" in result.stdout
    assert "Left free, lambda_L was" in result.stdout
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Rival hypotheses" in page
    assert hf.load_run(tmp_path / "run").attrs["hypothesis"] == FREE.name
