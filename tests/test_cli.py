"""The command line: what it prints, what it refuses, and that it writes what it says."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import hepaflux as hf
from hepaflux.cli import app
from hepaflux.fitting.approximate import best_mode
from hepaflux.terminal import told

WRONG = 2


def run(*words: str | Path, code: int = 0) -> str:
    """Run a command, check its exit code and that nothing but messages came out; return all."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    text = result.stdout + result.stderr
    assert result.exit_code == code, text
    assert "Traceback" not in text
    return text


def refused(*words: str | Path) -> str:
    """Return the message of a command that ends because the input is wrong."""
    return run(*words, code=WRONG)


BARE = """subject,time,analyte,value,unit
A,0,glucose,90,mg/dL
A,30,glucose,150,mg/dL
A,60,glucose,160,mg/dL
A,90,glucose,140,mg/dL
A,120,glucose,120,mg/dL
A,0,insulin,8,uU/mL
A,30,insulin,50,uU/mL
A,60,insulin,60,uU/mL
A,90,insulin,50,uU/mL
A,120,insulin,40,uU/mL
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A table as someone types it."""
    path = tmp_path / "one.csv"
    path.write_text(BARE, encoding="utf-8")
    return path


@pytest.fixture
def existing_run(tmp_path: Path) -> Path:
    """A folder that looks like a run."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.toml").touch()
    return folder


@pytest.fixture
def no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the test fail if anything is fitted."""

    def fit(*args: object, **kwargs: object) -> None:
        raise AssertionError("something was fitted")

    monkeypatch.setattr(hf, "fit", fit)
    monkeypatch.setattr(hf, "fit_each", fit)


def test_help_answers_at_once():
    """Take less than 0.7 s of processor time, which is what a user waits on an idle machine."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "hepaflux", "--help"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert "hepaflux fit" in done.stdout
    assert min(seconds) < 0.7


def test_every_command_has_help():
    for command in ("systems", "check", "fit", "compare", "report", "simulate", "design", "demo"):
        assert "Usage" in run(command, "--help")


def test_the_version_is_that_of_the_package():
    assert run("--version").startswith("hepaflux 0.")


def test_systems_are_listed():
    text = run("systems")
    assert all(system.name in text for system in hf.systems.ALL)


@pytest.mark.parametrize("system", hf.systems.ALL, ids=lambda s: s.name)
def test_a_system_is_shown_with_everything_it_declares(system):
    text = run("systems", system.name)
    declared = (*system.parameters, *system.inputs, *system.derived, *system.options)
    assert all(record.name in text for record in declared)
    assert all(p.unit in text and p.meaning in text for p in system.parameters)
    assert all(line in text for line in (*system.equations, *system.references))
    assert all(flux.meaning in text for flux in system.fluxes)
    rows = [line.split()[:2] for line in text.splitlines()]
    chosen = [row for row in rows if row[:1] == ["integrator"]]
    assert chosen == ([["integrator", system.integrator]] if system.states else [])


def test_an_unknown_system_is_answered_by_the_known_ones():
    assert refused("systems", "nope").startswith("no system 'nope'; there are minimal, oral")


def test_data_sets_are_listed_and_found():
    assert "ohashi_2015" in run("data", "list")
    folder = Path(run("data", "get", "ogtt_demo").strip())
    assert (folder / "truth.csv").is_file()
    assert "known are" in refused("data", "get", "nope")


def test_a_good_study_is_described():
    text = run("check", "ogtt_demo")
    assert "24 subjects, no problem found" in text
    assert "75 g glucose oral at 0 min" in text
    assert "hepaflux simulate oral" in text


def test_every_problem_of_a_bad_table_is_told(tmp_path: Path):
    path = tmp_path / "bad.csv"
    path.write_text(BARE.replace("150", "x").replace("60,uU/mL", "60,bananas"), encoding="utf-8")
    text = refused("check", path, "--dose", "75 g", "--route", "oral", "--weight", "70")
    assert "The study has 2 problems" in text
    assert "'x'" in text
    assert "bananas" in text


def test_options_say_what_a_bare_table_does_not(bare: Path):
    text = run("check", bare, "--dose", "75 g", "--route", "oral", "--weight", "70")
    assert "75 g glucose oral at 0 min" in text
    text = run("check", bare, "--insulin-factor", "6.945", "--group", "healthy")
    assert "= 6.945 pmol/L" in text
    assert "healthy" in text


def test_wrong_units_are_noticed(bare: Path):
    assert "mmol/L" in refused("check", bare, "--unit", "glucose=mmol/L")


@pytest.mark.usefixtures("no_fit")
class TestFitRefuses:
    """What is wrong is said before anything is fitted."""

    fit = ("fit", "pacini_bergman_1986", "--system", "minimal")

    def test_an_existing_run(self, existing_run: Path):
        assert "exists" in refused(*self.fit, "-o", existing_run)
        assert (existing_run / "run.toml").exists()

    def test_to_replace_what_is_no_run(self, tmp_path: Path):
        (tmp_path / "diary.txt").touch()
        assert "is not a run" in refused(*self.fit, "-o", tmp_path, "--force")

    def test_a_missing_study(self, tmp_path: Path):
        text = refused("fit", "nowhere.csv", "--system", "oral", "-o", tmp_path / "run")
        assert "nowhere.csv: there is no such file" in text

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("--prior", "SI"), "write it like --prior"),
            (("--prior", "SI=large"), "is not a prior; write one of"),
            (("--prior", "S1=value=3"), "has no parameter 'S1'; it has SI"),
            (("--set", "basal_insulin=later"), "option basal_insulin must be first or last"),
            (("--set", "color=red"), "has no option 'color'; it has basal_glucose"),
            (("--set", "color=red"), "mixing, integrator"),
            (("--noise", "pink"), "noise must be one of cv_floor"),
            (("--by", "sex"), "--by must be group"),
            (("--by", "group"), "--by group needs at least two groups"),
            (("--level", "SI=family"), "is no level"),
            (("--level", "SI=subject"), "at least two subjects"),
            (("--level", "shared", "--level", "group"), "name the parameter of one of them"),
            (("--covariate", "SI=bmi"), "covariate for SI"),
            (("--correlate", "SI"), "write --correlate SI,p2"),
            (("--each", "--level", "SI=shared"), "remove --level"),
        ],
    )
    def test_a_word_it_does_not_know(self, tmp_path: Path, words: tuple[str, ...], message: str):
        run_folder = tmp_path / "run"
        assert message in refused(*self.fit, *words, "-o", run_folder)
        assert not run_folder.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--method", "guess"), "method must be one of nuts"),
        (("--draws", "0"), "draws must be at least 1"),
    ],
)
def test_a_method_that_does_not_exist_is_refused(
    tmp_path: Path, words: tuple[str, ...], message: str
):
    fit = ("fit", "pacini_bergman_1986", "--system", "minimal", "-o", tmp_path / "run")
    assert message in refused(*fit, *words)
    assert not os.listdir(tmp_path)


def test_what_is_no_run_cannot_be_compared_or_reported(tmp_path: Path):
    assert "is not a run" in refused("compare", tmp_path, "--parameter", "SI")
    assert "is not a run" in refused("report", tmp_path)


def test_a_range_must_be_two_rising_numbers(tmp_path: Path):
    for text in ("1", "x,2", "2,1"):
        assert "--rope" in refused("compare", tmp_path, "--parameter", "SI", "--rope", text)


def test_a_simulated_study_reads_back_with_its_truth(tmp_path: Path):
    folder = tmp_path / "virtual"
    words = ("simulate", "oral", "--subjects", "6", "--groups", "healthy,NAFLD", "--seed", "3")
    assert "6 subjects, no problem found" in run(*words, "-o", folder)
    study = hf.read_study(folder)
    assert study.groups == ("healthy", "NAFLD")
    assert len((folder / "truth.csv").read_text().splitlines()) == 7
    assert "exists" in refused(*words, "-o", folder)
    run(*words, "-o", folder, "--force")
    assert hf.read_study(folder).checksum == study.checksum


def test_a_study_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder, rename = tmp_path / "virtual", os.rename
    words = ("simulate", "minimal", "--subjects", "2", "-o", folder)
    run(*words)
    before = hf.read_study(folder).checksum

    def full_disk(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "rename", rename)
        raise OSError(28, "No space left on device", str(target))

    def once_moved_away(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "rename", full_disk)
        rename(source, target)

    monkeypatch.setattr(os, "rename", once_moved_away)
    assert "No space left" in refused(*words, "--seed", "2", "--force")
    assert hf.read_study(folder).checksum == before
    assert os.listdir(tmp_path) == ["virtual"]


def assert_same_tables(folder: Path, other: Path) -> None:
    """Two folders hold the same files with the same numbers, but for what processors round."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))
    assert names == sorted(str(path.relative_to(other)) for path in other.rglob("*.*"))
    for name in names:
        if name.endswith(".csv"):
            tables = (pd.read_csv(where / name) for where in (folder, other))
            pd.testing.assert_frame_equal(*tables, rtol=1e-7)
        else:
            assert (folder / name).read_text() == (other / name).read_text()


@pytest.mark.parametrize("name", ["ogtt_demo", "labeled_meal_demo"])
def test_a_bundled_synthetic_study_is_what_its_command_makes(name: str, tmp_path: Path):
    bundled = hf.read_study(name)
    words = bundled.notes.removeprefix("Made by: hepaflux ").split()
    run(*words, "-o", tmp_path / name)
    assert_same_tables(hf.study.get_dataset(name), tmp_path / name)


def test_a_bundled_cohort_is_what_its_command_makes(tmp_path: Path):
    bundled = hf.read_study("joint_demo/oral_labeled")
    words = bundled.notes.removeprefix("Made by: hepaflux ").split()
    run(*words, "-o", tmp_path / "joint_demo")
    whole = hf.study.get_dataset("joint_demo/oral_labeled").parent
    assert_same_tables(whole, tmp_path / "joint_demo")


def test_a_cohort_refuses_what_it_cannot_make(tmp_path: Path):
    words = ("simulate", "oral", "--also", "heavy_water", "-o", tmp_path / "cohort")
    assert "a system can be named once" in refused(*words, "--also", "oral")
    assert "no correlation 0.5 of SI and q" in refused(*words, "--correlate", "SI,q=0.5")
    assert "write it like --correlate SI_L,f=-0.6" in refused(*words, "--correlate", "SI=0.5")
    assert "takes the usual test of every system" in refused(*words, "--dose", "75 g")


def test_tests_of_the_same_people_are_fitted_together(tmp_path: Path, monkeypatch):
    """The words reach the right part; the fit itself is tested elsewhere."""
    asked = {}

    def build(parts, **how):
        asked.update(parts=parts, **how)
        raise hf.StudyError(["far enough"])

    monkeypatch.setattr(hf, "build_joint_model", build)
    text = refused(
        *("fit", "joint_demo/oral_labeled", "--system", "oral_labeled"),
        *("--also", "heavy_water=joint_demo/heavy_water", "--by", "group"),
        *("--correlate", "SI_L,f", "--set", "heavy_water.nutrition=fasted"),
        *("--prior", "V=median=0.2, cv=0.1", "-o", tmp_path / "run"),
    )
    assert "far enough" in text
    (_, meal), (_, water) = asked["parts"].values()
    assert water.settings["nutrition"] == "fasted"
    assert meal.parameter("V").prior.median == 0.2
    assert asked["design"].correlated == (("SI_L", "f"),)
    assert set(asked["noise"]) == {"oral_labeled", "heavy_water"}


def test_a_simulation_refuses_what_it_cannot_make(tmp_path: Path):
    out = ("-o", tmp_path / "virtual")
    assert "no group 'tall'" in refused("simulate", "oral", "--groups", "tall", *out)
    for protocol in ("walk", "ivgtt"):
        text = refused("simulate", "oral", "--protocol", protocol, *out)
        assert "protocol must be one of ogtt75, ogtt75_sparse, meal for system oral" in text
    twice = ("--groups", "NAFLD,healthy,NAFLD")
    assert "a group can be named once" in refused("simulate", "oral", *twice, *out)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    text = refused("simulate", "oral", "-o", tmp_path / "mine", "--force")
    assert "will not be replaced" in text
    assert sorted(os.listdir(tmp_path)) == ["mine"]


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signal_: signal.Signals
):
    """By Ctrl-C, or by a scheduler that ends the job."""

    def interrupted(*args: object, **kwargs: object) -> None:
        os.kill(os.getpid(), signal_)
        time.sleep(10)

    monkeypatch.setattr(hf, "fit", interrupted)
    words = ("fit", "pacini_bergman_1986", "--system", "minimal", "-o", tmp_path / "run")
    # Tests that run in the background of a shell ignore Ctrl-C, as would all that they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert "Interrupted; nothing was written" in run(*words, code=130)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not os.listdir(tmp_path)


def test_a_posterior_without_a_place_to_start_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def nowhere(*args: object, **kwargs: object) -> None:
        best_mode(lambda point: (-np.inf, np.zeros(2)), [np.zeros(2)])

    monkeypatch.setattr(hf, "fit", nowhere)
    words = ("fit", "pacini_bergman_1986", "--system", "minimal", "-o", tmp_path / "run")
    assert "no starting point has a finite log-density; check data and priors" in run(
        *words, code=1
    )
    assert not os.listdir(tmp_path)


def test_a_warning_is_one_plain_line(capsys: pytest.CaptureFixture[str]):
    @told
    def command() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("expect it to be slow", RuntimeWarning, stacklevel=1)

    command()
    assert capsys.readouterr().err == "Warning: expect it to be slow\n"


def test_a_bug_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(hf, "fit", broken)
    words = ("fit", "pacini_bergman_1986", "--system", "minimal", "-o", str(tmp_path / "run"))
    with pytest.raises(RuntimeError, match="a bug"):
        CliRunner().invoke(app, words, catch_exceptions=False)


@pytest.mark.slow
def test_a_fit_is_written_shown_compared_and_reported_anew(tmp_path: Path):
    folder = tmp_path / "run"
    words = ("fit", "ogtt_demo", "--system", "oral", "--by", "group", "--method", "map")
    text = run(*words, "-o", folder)
    assert "Verdict: warn" in text
    assert "SI_population" in text
    assert str(folder / "report.html") in text
    assert {path.name for path in folder.iterdir()} == {
        "posterior.nc",
        "summary.csv",
        "diagnostics.json",
        "report.html",
        "run.toml",
    }
    for groups in (("NAFLD", "healthy"), ("NAFLD,healthy",), ("NAFLD", "--groups", "healthy")):
        text = run("compare", folder, "--parameter", "SI", "--groups", *groups)
        assert "healthy against NAFLD" in text
    assert "probability of practical equality (ratio 0.8 to 1.25)" in text
    record = json.loads((folder / "diagnostics.json").read_text())
    (folder / "diagnostics.json").write_text(json.dumps({**record, "verdict": "fail"}))
    text = run("compare", folder, "--parameter", "SI", "--groups", "healthy", "NAFLD")
    assert f"the verdict of {folder} is fail, so do not use these numbers yet" in text
    assert "no group 'tall'" in refused(
        "compare", folder, "--parameter", "SI", "--groups", "tall", "healthy"
    )
    assert "is not in the posterior" in refused("compare", folder, "--parameter", "S1")
    assert run("report", folder).strip() == str(folder / "report.html")
