"""The pages of the systems: in step with the declarations, and what they tell to type works."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hepaflux as hf
from hepaflux.cli import app
from hepaflux.declaration import tables, words_of
from hepaflux.pages import BEGIN, END, current, page, words_in, write_pages

FOLDER = Path(__file__).parents[1] / "docs" / "systems"

HEADINGS = (
    "What it tells, and what it cannot",
    "Which data it wants",
    "Simulate and fit",
    "Real data and notebooks",
)
"""What is written by hand of every system."""

SYSTEMS = pytest.mark.parametrize("system", hf.systems.ALL, ids=lambda system: system.name)


def commands(system) -> list[list[str]]:
    """Return the words of each command that a page shows."""
    blocks = re.findall(r"```sh\n(.*?)```", words_in(FOLDER / f"{system.name}.md"), flags=re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


def test_the_pages_are_what_the_declarations_say():
    for path, text in current(FOLDER).items():
        found = path.read_text(encoding="utf-8") if path.is_file() else ""
        assert found == text, f"{path.name} is not what its declaration says: run `make docs`"


@SYSTEMS
def test_people_have_written_what_matters(system):
    words = words_in(FOLDER / f"{system.name}.md")
    advice = f"write it between the marks of docs/systems/{system.name}.md"
    assert tuple(re.findall("^## (.*)$", words, flags=re.MULTILINE)) == HEADINGS, advice
    assert {"simulate", "fit"} <= {line[0] for line in commands(system)}, advice


@SYSTEMS
def test_the_links_of_a_page_lead_somewhere(system):
    text = (FOLDER / f"{system.name}.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]*)\)", text):
        assert (FOLDER / target).exists(), target


@SYSTEMS
def test_a_page_has_everything_that_is_declared(system):
    text = (FOLDER / f"{system.name}.md").read_text(encoding="utf-8")
    explained, assumed = words_of(system)
    assert explained in text
    assert assumed.startswith("Assumes")
    assert "\nValid for" in assumed
    kinds = (system.parameters, system.inputs, system.outputs, system.states, system.derived)
    more = (system.options, system.fluxes, system.signals, system.conditions, system.treatments)
    for record in (*kinds, *more):
        assert all(f"| `{one.name}` |" in text for one in record)
    assert all(line in text for line in (*system.equations, *system.references))


class Built(Exception):
    """The model of a fit is built: all that remains is to sample it."""


@pytest.mark.slow
@SYSTEMS
def test_what_a_page_tells_to_type_works(system, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Fits are stopped once their model is built."""

    def build_first(study, system, **how):
        hf.build_model(replace(study, subjects=study.subjects[:1]), system, noise=how["noise"])
        raise Built

    def stop(model, **how):
        raise Built

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hf, "fit", stop)
    monkeypatch.setattr(hf, "fit_each", build_first)
    for words in commands(system):
        if words[0] == "compare":
            continue
        done = CliRunner().invoke(app, words)
        ended = isinstance(done.exception, Built) if words[0] == "fit" else done.exit_code == 0
        assert ended, f"{shlex.join(words)}: {done.output} {done.exception!r}"


def test_what_is_written_by_hand_is_kept(tmp_path: Path):
    write_pages(tmp_path)
    path = tmp_path / "minimal.md"
    assert words_in(path) == ""
    text = path.read_text(encoding="utf-8").replace(BEGIN, f"{BEGIN}\n\nMy words.")
    path.write_text(text.replace("Glucose leaves", "Glucose never leaves"), encoding="utf-8")
    write_pages(tmp_path)
    assert words_in(path) == "My words."
    assert path.read_text(encoding="utf-8") == page(hf.systems.minimal, "My words.")
    assert "Glucose never leaves" not in path.read_text(encoding="utf-8")


def test_a_page_without_its_marks_is_not_overwritten(tmp_path: Path):
    write_pages(tmp_path)
    path = tmp_path / "oral.md"
    mine = path.read_text(encoding="utf-8").replace(END, "My words.")
    path.write_text(mine, encoding="utf-8")
    with pytest.raises(ValueError, match=r"oral\.md must hold the lines"):
        write_pages(tmp_path)
    assert path.read_text(encoding="utf-8") == mine


def test_a_table_leaves_out_what_nobody_states():
    (doses,) = (t for t in tables(hf.systems.fasting) if t.title == "Doses")
    assert ("insulin", "intravenous", "") in doses.rows
    assert "unit" in doses.filled.columns
    assert replace(doses, rows=(("glucagon", "intravenous", ""),)).filled.columns == (
        "dose",
        "route",
    )


def test_a_table_of_treatments_says_what_they_change():
    (table,) = (t for t in tables(hf.systems.liver_fat) if t.title == "Treatments")
    changes = {row[0]: row[2] for row in table.rows}
    assert changes["none"] == "nothing"
    assert changes["diet"] == "NEFA_factor 0.89, DNL_factor 0.448, diet_factor 0.8"
    assert changes["both"].startswith("NEFA_factor 0.645 (?), DNL_factor")


def test_a_body_of_two_has_no_words_of_its_own():
    body = hf.systems.compose(
        hf.systems.secretion,
        hf.systems.oral,
        {"glucose_above_basal": "glucose_above_basal", "glucose_rise": "glucose_rise"},
    )
    assert words_of(body) == ("", "")
