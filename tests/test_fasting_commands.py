"""Commands about fasts: one line per state of health, and what cannot be is refused."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from virtual import ogtt, study_of

import hepaflux as hf
from hepaflux.arguments import read_dose
from hepaflux.cli import app

STATES = [condition.name for condition in hf.systems.fasting.conditions]


def run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    text = result.stdout + result.stderr
    assert result.exit_code == code, text
    assert "Traceback" not in text
    return text


def columns(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "subject"]
    return {name.split(" ")[0]: np.array([float(row[name]) for row in rows]) for name in names}


def test_every_state_is_listed():
    text = run("states", "fasting")
    assert all(f"fasting, {state}:" in text for state in STATES)
    assert set(STATES) >= {
        *("normal", "impaired", "t2d", "t1d", "hhs", "insulinoma"),
        *("von_gierke", "stress", "glucagon_deficiency"),
    }


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_one_line(state: str, tmp_path: Path):
    out = tmp_path / state
    words = ("simulate", "fasting", "--state", state, "--hours", 24, "-o", out)
    text = run(*words, *(["--plot"] if state in ("normal", "insulinoma") else []))
    assert "no problem found" in text
    study = hf.read_study(out)
    (subject,) = study.subjects
    assert {"glucose", "insulin", "liver_glycogen", "egp", "gng_fraction"} == set(subject.samples)
    assert subject.samples["glucose"].time[[0, -1]].tolist() == [240, 1440]
    if state == "insulinoma":
        found = columns(out / "courses.csv")
        assert {f.name for f in hf.systems.fasting.fluxes} <= set(found)
        low = found["minutes"][found["glucose"] < 3.0][0] - 240
        assert found["time_high"][-1] == pytest.approx(low, abs=5)
    again = study.notes.removeprefix("Made by: hepaflux ").split()
    if state == "normal":
        assert (out / "fluxes.png").is_file()
        run(*[word.replace("'", "") for word in _joined(again)], "-o", tmp_path / "again")
        assert hf.read_study(tmp_path / "again").checksum == study.checksum


def _joined(words: list[str]) -> list[str]:
    """Return the words of a command whose quoted parts were split."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].count("'") == 1:
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--state", "nope", "--hours", 24), "it has normal, impaired, t2d, t1d"),
        (("--state", "t1d", "--hours", 8760), "a test lasts 7 days at most, but here 365 days"),
        (("--state", "t1d", "--hours", 100), "a fast is described from 4 to 72 h"),
        (("--state", "t1d", "--hours", 3), "but ends at 3 h"),
        (("--state", "t1d", "--hours", -3), "--hours must be above 0, but is -3"),
        (("--state", "t1d", "--hours", 0), "--hours must be above 0"),
        (("--state", "t1d", "--hours", "nan"), "--hours must be above 0"),
        (("--hours", 24, "--duration", "24h"), "remove one"),
        (("--hours", 24, "--protocol", "fast"), "has its own doses and duration"),
        (
            ("--hours", 24, "--dose", "12 ug/kg glucagon at 6h"),
            "glucagon at 360 min is injected at once",
        ),
    ],
)
def test_what_cannot_be_is_refused(words, message: str, tmp_path: Path):
    out = tmp_path / "virtual"
    assert message in run("simulate", "fasting", *words, "-o", out, code=2)
    assert not out.exists()


def test_a_dose_that_nobody_drinks_leaves_nothing_behind(tmp_path: Path):
    out = tmp_path / "virtual"
    words = ("simulate", "meal", "--state", "t2d", "--dose", "750 g", "--duration", "8h", "-o", out)
    assert "outside 0.05–3 g/kg" in run(*words, code=2)
    assert not list(tmp_path.iterdir())


def test_hours_are_those_of_any_test(tmp_path: Path):
    run("simulate", "meal", "--state", "impaired", "--hours", 2, "-o", tmp_path / "rest")
    (subject,) = hf.read_study(tmp_path / "rest").subjects
    assert subject.samples["glucose"].time[-1] == 120
    assert "7 days at most" in run(
        "simulate", "meal", "--hours", 8760, "-o", tmp_path / "x", code=2
    )


def test_glucagon_is_a_dose():
    dose = read_dose("0.18 ug/kg glucagon at 6h over 60 min")
    assert (dose.what, dose.route, dose.duration) == ("glucagon", "intravenous", 60)
    assert dose.amount == pytest.approx(0.18e-6 / 3482.8 * 1e12)
    refused = "cannot describe a test in which is given: intravenous glucagon"
    with pytest.raises(ValueError, match=refused):
        hf.simulate_study(hf.systems.oral, protocol=_with(dose))


def test_a_fit_does_not_ignore_glucagon():
    dose = read_dose("0.18 ug/kg glucagon at 1h over 60 min")
    subject = ogtt()
    study = study_of(replace(subject, doses=(*subject.doses, dose)))
    with pytest.raises(
        hf.StudyError, match="dose of glucagon at 60 min does not enter system oral"
    ):
        hf.build_model(study, hf.systems.oral)


def _with(dose):
    from hepaflux.model.protocols import own_test

    return own_test([dose], 600.0)
