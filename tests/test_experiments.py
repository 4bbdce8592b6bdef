"""Commands about virtual people: states of health, own doses, figures."""

import csv
import dataclasses
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import hepaflux as hf
from hepaflux.arguments import read_dose, read_minutes, read_system
from hepaflux.cli import app
from hepaflux.study.study import Subject
from hepaflux.units import MOLAR_MASS

PNG = b"\x89PNG"


def run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    text = result.stdout + result.stderr
    assert result.exit_code == code, text
    return text


def test_states_are_listed_with_what_differs_and_its_source():
    text = run("states")
    for system in hf.systems.ALL:
        for condition in system.conditions:
            assert condition.meaning in text
            changed = set(condition.differing(system.centers)) & set(system.centers)
            assert all(condition.values[name].source in text for name in changed)
    assert "kp3" in text
    assert "(?)" in text
    assert "nothing: the reference" in text


@pytest.mark.parametrize(
    "system", [s for s in hf.systems.ALL if s.conditions], ids=lambda system: system.name
)
def test_every_value_of_a_system_is_shown(system):
    text = run("states", system.name)
    for condition in system.conditions:
        assert all(name in text for name in condition.values)
        assert all(source in text for source in condition.sources)


def test_systems_without_states_and_unknown_ones_are_said():
    assert "no states of health" in run("states", "mida")
    assert "no system 'nope'" in run("states", "nope", code=2)


def told_to_type(text: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith("Fit: hepaflux ")]
    return shlex.split(line)[2:]


def test_what_simulate_tells_to_type_fits_what_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    words = ("--subjects", 4, "--groups", "healthy,NAFLD", "--correlate", "SI,p2=0.5")
    fit = told_to_type(run("simulate", "minimal", *words, "-o", "two groups"))
    assert fit == [
        *("fit", "two groups", "--system", "minimal", "--by", "group"),
        *("--correlate", "SI,p2", "-o", "runs/two groups"),
    ]
    run(*fit, "--method", "map")
    assert hf.load_run("runs/two groups").attrs["study"] == "two groups"


def test_what_simulate_tells_to_type_has_the_state_and_the_options(tmp_path: Path):
    out = tmp_path / "diet"
    words = ("--state", "nafld_diet", "--set", "integrator=implicit", "--days", 28)
    fit = told_to_type(run("simulate", "liver_fat", *words, "-o", out))
    assert fit == [
        *("fit", str(out), "--system", "liver_fat", "--state", "nafld_diet"),
        *("--set", "integrator=implicit", "-o", "runs/diet"),
    ]
    also = ("--also", "heavy_water", "--correlate", "SI,k=-0.6", "--subjects", 2)
    fit = told_to_type(run("simulate", "oral", *also, "-o", tmp_path / "both"))
    assert fit == [
        *("fit", str(tmp_path / "both" / "oral"), "--system", "oral"),
        *("--also", f"heavy_water={tmp_path / 'both' / 'heavy_water'}"),
        *("--correlate", "SI,k", "-o", "runs/both"),
    ]


def test_a_person_in_a_state_of_health_is_simulated_and_drawn(tmp_path: Path):
    out = tmp_path / "t2d"
    words = ("simulate", "meal", "--state", "t2d", "--dose", "75g", "--duration", "8h")
    text = run(*words, "-o", out, "--plot")
    assert "1 subject, no problem found" in text
    for name in ("outputs.png", "fluxes.png"):
        assert (out / name).read_bytes().startswith(PNG)
        assert str(out / name) in text
    study = hf.read_study(out)
    (subject,) = study.subjects
    assert subject.weight == 91
    assert subject.doses[0].amount == pytest.approx(75e3 / MOLAR_MASS["glucose"])
    assert subject.samples["insulin"].time[-1] == 480
    with (out / "truth.csv").open(newline="", encoding="utf-8") as file:
        (truth,) = csv.DictReader(file)
    reported = hf.systems.meal.condition("t2d").values
    assert all(
        float(truth[p.name]) == pytest.approx(reported[p.name].value, rel=1e-5)
        for p in hf.systems.meal.unknowns
    )
    with (out / "courses.csv").open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    system = hf.systems.meal
    wanted = [f"{r.name} [{r.unit}]" for r in (*system.outputs, *system.fluxes)]
    assert header == ["subject", "minutes", *wanted]
    again = study.notes.removeprefix("Made by: hepaflux ").split()
    run(*again, "-o", tmp_path / "again" / "t2d")
    assert hf.read_study(tmp_path / "again" / "t2d").checksum == study.checksum


def test_what_excludes_each_other_is_refused(tmp_path: Path):
    out = ("-o", tmp_path / "virtual")

    def refused(*words: str) -> str:
        return run("simulate", "meal", *words, *out, code=2)

    assert "exclude each other" in refused("--state", "t2d", "--groups", "healthy")
    assert "its own doses" in refused("--protocol", "ogtt75", "--dose", "75g")
    assert "--weight goes with --state" in refused("--weight", "70")
    assert "it has normal, impaired, t2d" in refused("--state", "nope")
    assert "is outside a test of 60 min" in refused("--dose", "75g at 2h", "--duration", "1h")
    assert "cannot describe a test" in run("simulate", "minimal", "--dose", "75 g", *out, code=2)
    assert not (tmp_path / "virtual").exists()


def test_a_fit_lies_around_a_state_of_health():
    study = hf.read_study("ogtt_demo")
    chosen = read_system("meal", {"prior": ['kabs="value=0.05"']}, study, state="t2d")
    reported = hf.systems.meal.condition("t2d").values
    assert chosen.centers["Vmx"] == pytest.approx(reported["Vmx"].value)
    assert chosen.centers["kabs"] == 0.05


def test_what_is_set_goes_before_what_belongs_to_a_state(monkeypatch):
    meal = hf.systems.meal
    wide = dataclasses.replace(meal.condition("t2d"), settings={"unknowns": "all"})
    changed = dataclasses.replace(meal, conditions=(wide,))
    monkeypatch.setattr("hepaflux.systems.named", lambda name: changed)
    study = hf.read_study("ogtt_demo")
    chosen = read_system("meal", {"set_": ["unknowns=few"]}, study, state="t2d")
    assert {p.name for p in chosen.unknowns} == {p.name for p in meal.unknowns}
    assert chosen.priors == meal.in_condition("t2d").priors


def simulated(folder: Path, *words: object) -> Subject:
    run("simulate", *words, "-o", folder)
    (subject,) = hf.read_study(folder).subjects
    return subject


def test_a_study_has_a_place_of_its_own_if_none_is_stated(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("simulate", "fasting", "--state", "von_gierke", "--hours", "24")
    assert str(Path("virtual") / "fasting_von_gierke") in run(*words)
    assert "add --force" in run(*words, code=2)
    assert (tmp_path / "virtual" / "fasting_von_gierke" / "truth.csv").is_file()


def test_options_of_a_system_are_set(tmp_path: Path):
    words = ("fasting", "--state", "stress", "--hours", "12", "--set", "switch=dynamic")
    first = simulated(tmp_path / "first", *words)
    steady = simulated(tmp_path / "steady", *words[:-2])
    cascade = hf.systems.fasting.with_options(switch="dynamic")
    assert len(cascade.states) > len(hf.systems.fasting.states)
    assert (first.samples["egp"].value != steady.samples["egp"].value).any()
    np.testing.assert_allclose(first.samples["egp"].value, steady.samples["egp"].value, rtol=0.02)
    again = shlex.split(hf.read_study(tmp_path / "first").notes.removeprefix("Made by: hepaflux "))
    assert "--set=switch=dynamic" in again
    run(*again, "-o", tmp_path / "again" / "first")
    checksums = [hf.read_study(tmp_path / n).checksum for n in ("first", "again/first")]
    assert checksums[0] == checksums[1]


def test_what_is_set_goes_before_what_a_state_sets(tmp_path: Path):
    words = ("simulate", "liver_fat", "--state", "published", "--days", "7", "--set", "pools=one")
    run(*words, "--plot", "-o", tmp_path / "one")
    with (tmp_path / "one" / "courses.csv").open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    one = {f"{flux.name} [{flux.unit}]" for flux in hf.systems.liver_fat.fluxes}
    five = hf.systems.liver_fat.with_options(pools="five").fluxes
    assert one <= set(header)
    assert not {f"{flux.name} [{flux.unit}]" for flux in five} - one & set(header)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fasting", "--set", "nope=1"), "no option 'nope'; it has unknowns, switch, method"),
        (("fasting", "--set", "switch=up"), "must be steady or dynamic, but is 'up'"),
        (("fasting", "--set", "switch"), "write it like --set basal_insulin=first"),
        (("fasting", "--set", "integrator=magic"), "must be explicit or implicit, not 'magic'"),
        (
            ("oral_labeled", "--also", "heavy_water", "--set", "tail_rate=1"),
            "--also takes the usual",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path: Path, words, message: str):
    text = run("simulate", *words, "-o", tmp_path / "study", code=2)
    assert message in " ".join(text.split())
    assert not (tmp_path / "study").exists()


def test_insulin_is_injected_where_it_is_modeled(tmp_path: Path):
    words = ("meal", "--state", "normal", "--duration", "3h", "--dose", "75 g")
    plain = simulated(tmp_path / "plain", *words)
    injected = simulated(tmp_path / "injected", *words, "--dose", "0.05 U/kg at 1h")
    time = plain.samples["insulin"].time
    insulin, glucose = (
        injected.samples[name].value / plain.samples[name].value for name in ("insulin", "glucose")
    )
    assert insulin[time == 70] > 2
    assert glucose[time >= 90].mean() < 0.85


@pytest.mark.parametrize("how", ["at 1h", "at 1h over 10 min"])
def test_insulin_is_given_per_weight_where_it_is_made_up(tmp_path: Path, how: str):
    words = ("oral", "--subjects", "1", "--duration", "2h", "--dose", "75 g")
    plain = simulated(tmp_path / "plain", *words)
    whole = simulated(tmp_path / "whole", *words, "--dose", f"5 U {how}")
    per_kg = simulated(tmp_path / "per_kg", *words, "--dose", f"{5 / plain.weight:.8f} U/kg {how}")
    added = whole.samples["insulin"].value - plain.samples["insulin"].value
    assert np.all(added[plain.samples["insulin"].time <= 60] == 0)
    assert 100 < added.max() < 5000
    np.testing.assert_allclose(
        whole.samples["insulin"].value, per_kg.samples["insulin"].value, rtol=2e-3
    )


@pytest.mark.parametrize(
    ("text", "time", "what", "amount", "route", "duration", "per_kg"),
    [
        ("75 g", 0, "glucose", 75e3 / MOLAR_MASS["glucose"], "oral", 0, False),
        ("75g", 0, "glucose", 75e3 / MOLAR_MASS["glucose"], "oral", 0, False),
        ("0.3 g/kg iv", 0, "glucose", 300 / MOLAR_MASS["glucose"], "intravenous", 0, True),
        ("45 g at 4 h", 240, "glucose", 45e3 / MOLAR_MASS["glucose"], "oral", 0, False),
        ("2 mmol/kg iv at 10 over 1h", 10, "glucose", 2, "intravenous", 60, True),
        ("0.05 U/kg", 0, "insulin", 300, "intravenous", 0, True),
        ("6 pmol/kg insulin iv over 30 min", 0, "insulin", 6, "intravenous", 30, True),
    ],
)
def test_doses_are_read(text, time, what, amount, route, duration, per_kg):
    dose = read_dose(text)
    assert (dose.time, dose.what, dose.route) == (time, what, route)
    assert (dose.duration, dose.per_kg) == (duration, per_kg)
    assert dose.amount == pytest.approx(amount, rel=1e-9)


@pytest.mark.parametrize("text", ["", "75", "a lot", "75 g by spoon", "75 g at noon"])
def test_what_is_no_dose_is_refused(text):
    with pytest.raises(ValueError, match=r"cannot be read|is no route|is no time"):
        read_dose(text)


@pytest.mark.parametrize("text", ["-3 g", "0 g", "-0.05 U/kg insulin iv at 20 min"])
def test_a_dose_is_above_zero(text):
    with pytest.raises(ValueError, match="a dose must be above 0, but is"):
        read_dose(text)


@pytest.mark.parametrize(
    ("text", "minutes"), [("8h", 480), ("90", 90), ("1.5 h", 90), ("1day", 1440)]
)
def test_times_are_read(text, minutes):
    assert read_minutes(text) == pytest.approx(minutes)


@pytest.mark.parametrize("text", ["", "h", "8 g", "-3 h"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="is no time"):
        read_minutes(text)


def test_people_go_together_depend_on_their_bodies_and_miss_samples(tmp_path: Path):
    words = ("simulate", "oral", "--subjects", 12, "--protocol", "ogtt75_sparse")
    related = ("--correlate", "SI,p2=0.9", "--covariate", "SI=bmi:-0.1", "--covariate", "SI=age:0")
    missing = ("--missing", "insulin=0.3", "--missing", "@60")
    run(*words, *related, *missing, "-o", tmp_path / "study")
    study = hf.read_study(tmp_path / "study")
    assert all({"bmi", "age"} <= set(s.covariates) for s in study.subjects)
    assert all(60 not in s.samples["glucose"].time for s in study.subjects)
    assert {len(s.samples["insulin"].time) for s in study.subjects} != {4}
    with (tmp_path / "study" / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = list(csv.DictReader(file))
    assert [row["subject"] for row in truth] == [s.name for s in study.subjects]
    again = shlex.split(study.notes.removeprefix("Made by: hepaflux "))
    run(*again, "-o", tmp_path / "again" / "study")
    assert hf.read_study(tmp_path / "again" / "study").checksum == study.checksum
    whole = tmp_path / "whole"
    run(*words, *related, "-o", whole)
    for one, other in zip(study.subjects, hf.read_study(whole).subjects, strict=True):
        kept = np.isin(other.samples["glucose"].time, one.samples["glucose"].time)
        np.testing.assert_array_equal(
            one.samples["glucose"].value, other.samples["glucose"].value[kept]
        )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--missing", "often"), "no often can be missing; there are glucose, insulin"),
        (("--missing", "0.1.1"), "write it like --missing 0.1"),
        (("--missing", "2"), "above 0 and at most 1, not 2"),
        (("--covariate", "SI=bmi"), "write it like --covariate SI=bmi:-0.05"),
        (("--covariate", "SI=shoe:1"), "an effect is of bmi, age, height, sex"),
        (("--correlate", "SI,q=0.5"), "no correlation 0.5 of SI and q"),
        (("--with", "extraction"), "write it like --with extraction:portal"),
        (("--with", "extraction:nope"), "no signal 'nope'; extraction has"),
    ],
)
def test_relations_that_cannot_be_are_refused(tmp_path: Path, words, message):
    text = run("simulate", "oral", *words, "-o", tmp_path / "study", code=2)
    assert message in " ".join(text.split())


ONE_LIVER = (
    "extraction:portal_insulin_above_basal=liver_insulin_above_basal,insulin_above_basal,"
    "I_b=basal_insulin,glucose_above_basal,glucose_rise"
)


def test_systems_of_one_body_are_shown_and_simulated(tmp_path: Path):
    text = run("systems", "oral_labeled", "--with", ONE_LIVER)
    assert text.startswith("extraction+oral_labeled: ")
    line = "liver_insulin_above_basal of oral_labeled = portal_insulin_above_basal of extraction"
    assert line in " ".join(text.split())
    assert "portal_insulin_above_basal" in run("systems", "extraction")
    assert "--with goes with the name of a system" in run("systems", "--with", ONE_LIVER, code=2)
    out = tmp_path / "study"
    body = "secretion:glucose_above_basal,glucose_rise"
    run("simulate", "oral", "--with", body, "--subjects", 1, "-o", out)
    (subject,) = hf.read_study(out).subjects
    assert set(subject.samples) == {"glucose", "insulin", "c_peptide"}
    assert subject.samples["c_peptide"].value.max() > 2 * subject.samples["c_peptide"].value[0]
    assert hf.read_study(out).protocol == "ogtt75_c_peptide"
    words = {"with_": [ONE_LIVER], "set_": ["extraction=saturable"]}
    chosen = read_system("oral_labeled", words, hf.read_study(out))
    assert chosen.settings["extraction"] == "saturable"
    assert {"SI_L", "HE_b", "Phi_s"} <= set(chosen.leading)
