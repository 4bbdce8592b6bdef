"""The command that says what a treatment will do to those who were fitted."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import hepaflux as hf
from hepaflux.arguments import read_fitted, read_treatment
from hepaflux.cli import app
from hepaflux.parameter import describe


def run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    text = result.stdout + result.stderr
    assert result.exit_code == code, text
    return text


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> Path:
    """The run of someone with a fatty liver who was seen in the first four weeks of a diet."""
    folder = tmp_path_factory.mktemp("fitted")
    study, made = folder / "study", folder / "run"
    run("simulate", "liver_fat", "--state", "nafld_diet", "--days", 28, "-o", study)
    words = ("--system", "liver_fat", "--state", "nafld_diet", "--set", "pools=one")
    run("fit", study, *words, "--method", "laplace", "--draws", 200, "-o", made)
    return made


def test_the_system_of_a_run_is_as_it_was_fitted(fitted: Path):
    system = read_fitted(hf.load_run(fitted))
    assert dict(system.settings) == {"pools": "one"}
    assert system.centers["DNL_factor"] == 0.448
    assert system.centers["ox"] == hf.systems.liver_fat.centers["ox"]


def test_priors_of_a_run_are_those_it_was_fitted_with(fitted: Path):
    """What the fit sought is not taken as known, a treatment or anything else."""
    posterior = hf.load_run(fitted)
    priors = json.loads(posterior.attrs["priors"])
    sought = {"DNL_factor": "median=0.6, cv=0.3", "ox": "alpha=2, beta=3"}
    posterior.attrs["priors"] = json.dumps(priors | sought)
    system = read_fitted(posterior)
    assert {name: describe(system.priors[name]) for name in sought} == sought
    assert {name: describe(prior) for name, prior in system.priors.items()} == priors | sought


def test_a_run_of_several_systems_is_refused(fitted: Path):
    posterior = hf.load_run(fitted)
    posterior.attrs["system"] = "liver_fat+extraction"
    with pytest.raises(ValueError, match=r"fitted with liver_fat\+extraction, and does not say"):
        read_fitted(posterior)


def test_treatments_are_compared_in_a_table_and_a_picture(fitted: Path, tmp_path: Path):
    out = tmp_path / "new" / "months"
    words = ("--treatment", "none", "--treatment", "NEFA_factor=0.8, DNL_factor=0.5")
    text = run("predict", fitted, *words, "--days", 56, "-o", out)
    assert (out / "treatments.png").read_bytes().startswith(b"\x89PNG")
    with (out / "treatments.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["quantity"] == "ihtg"]
    assert {row["treatment"] for row in rows} == {"none", "NEFA_factor 0.8, DNL_factor 0.5"}
    medians = {
        name: np.array([float(r["median"]) for r in rows if r["treatment"] == name])
        for name in {row["treatment"] for row in rows}
    }
    np.testing.assert_allclose(medians["none"], medians["none"][0], rtol=1e-5)
    other = medians["NEFA_factor 0.8, DNL_factor 0.5"]
    assert np.all(np.diff(other) < 0)
    assert other[0] == medians["none"][0]
    assert f"{other[-1]:.3g}" in text
    assert "on day 56" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--treatment", "magic"), "no treatment 'magic'; it has none, pioglitazone"),
        (("--treatment", "NEFA_factor=much"), "write it like --treatment NEFA_factor=0.8"),
        (("--treatment", "diet", "--who", "nobody"), "nobody is called 'nobody'"),
        (("--treatment", "diet", "--quantity", "fat"), "no quantity 'fat'; there are ihtg"),
    ],
)
def test_what_cannot_be_predicted_is_said(
    fitted: Path, tmp_path: Path, words: tuple[str, ...], message: str
):
    assert message in run("predict", fitted, *words, "-o", tmp_path / "out", code=2)
    assert not (tmp_path / "out").exists()


def test_words_of_a_treatment():
    assert read_treatment(" diet ") == "diet"
    assert read_treatment("NEFA_factor=0.8,DNL_factor=0.5") == {
        "NEFA_factor": 0.8,
        "DNL_factor": 0.5,
    }
