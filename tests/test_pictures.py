"""Commands that draw a system itself."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hepaflux.cli import app

PNG = b"\x89PNG"


def run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    text = result.stdout + result.stderr
    assert result.exit_code == code, text
    return text


def test_a_diagram_of_health_beside_disease(tmp_path: Path):
    out = tmp_path / "new" / "liver.png"
    text = run("diagram", "liver_fat", "--states", "normal,nafld", "--days", 14, "-o", out)
    assert f"Figure: {out}" in text
    assert out.read_bytes().startswith(PNG)
    run("diagram", "liver_fat", "--days", 14, "--at", "0 min", "-o", tmp_path / "liver.svg")
    assert "normal" in (tmp_path / "liver.svg").read_text(encoding="utf-8")


def test_a_portrait_of_a_liver_with_and_without_a_diet(tmp_path: Path):
    out = tmp_path / "liver.png"
    words = ("--states", "nafld,nafld_diet", "--x", "ihtg", "--y", "secretion_rate", "--days", 400)
    run("portrait", "liver_fat", *words, "-o", out)
    assert out.read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("diagram", "mida"), "no states of health"),
        (("diagram", "liver_fat", "--states", "normal,ill"), "no state of health 'ill'"),
        (("diagram", "nope"), "no system 'nope'"),
        (("portrait", "meal", "--x", "Gp", "--y", "EGP"), "must be constant here"),
    ],
)
def test_what_cannot_be_drawn_is_said(tmp_path: Path, words: tuple[str, ...], message: str):
    out = tmp_path / "figure.png"
    assert message in run(*words, "-o", out, code=2)
    assert not out.exists()
