"""The documents: the code that they show runs."""

import re
from pathlib import Path

import numpy as np
import pytest

import hepaflux as hf

ROOT = Path(__file__).parents[1]


def example(document: str) -> str:
    """Return the Python code of a document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    return code


@pytest.mark.slow
def test_the_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    code = example("README.md")
    assert len([line for line in code.splitlines() if line]) <= 15
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "runs" / "example" / "report.html").is_file()


def test_the_system_of_the_guide_can_be_solved_and_built():
    names: dict[str, object] = {"__name__": "guide"}
    exec(compile(example("CONTRIBUTING.md"), "CONTRIBUTING.md", "exec"), names)
    decay = names["decay"]
    assert isinstance(decay, hf.System)
    model = hf.build_model(hf.read_study("pacini_bergman_1986"), decay)
    point = model.initial_point()
    assert np.isfinite(model.compile_logp()(point))
