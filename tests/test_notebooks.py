"""Notebooks: they run from top to bottom, and what is stored in them is fit to be shown.

The notebooks read ``HEPAFLUX_NOTEBOOK_DRAWS`` and ``HEPAFLUX_NOTEBOOK_TUNE``; here they run with
few draws, so that their numbers mean nothing and only their code is tested.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from hepaflux.study import get_dataset
from hepaflux.study.registry import DatasetError

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
OHASHI = ("02", "11")
PUBLIC = {**dict.fromkeys(OHASHI, "ohashi_2015"), "12": "brannmark_2010"}
"""By notebook the data set that it reads."""

FEW = "60"
TIMEOUT = 600
MOST_BYTES = 1_000_000
MIRROR = "HEPAFLUX_DATA_MIRROR"

# Jupyter and its message queue warn of their own future on some versions; nothing here can act on
# that, and the kernel's warnings are looked for in its outputs.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore::DeprecationWarning:(jupyter_client|jupyter_core|zmq)"),
    pytest.mark.filterwarnings(r"ignore:unclosed (event loop|<socket|context):ResourceWarning"),
]

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem[:2])


def outputs(notebook: Any) -> Iterator[Any]:
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def words(notebook: Any) -> str:
    """Return all text of the outputs."""
    parts = []
    for output in outputs(notebook):
        shown = output.get("data", {})
        parts += [output.get("text", ""), shown.get("text/plain", ""), shown.get("text/html", "")]
    return "\n".join(parts)


def complaints(notebook: Any) -> list[str]:
    """Return errors, warnings and whatever else was written to the error stream."""
    found = [o["ename"] for o in outputs(notebook) if o.output_type == "error"]
    found += [o["text"] for o in outputs(notebook) if o.get("name") == "stderr"]
    return found + re.findall(r"Traceback|\w+Warning\b", words(notebook))


def execute(path: Path, folder: Path) -> Any:
    """Run a copy of a notebook in an empty folder by the Python that runs the tests."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=TIMEOUT,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    return notebook


@pytest.fixture
def kernel_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Few draws, and nothing of the user's own configuration."""
    monkeypatch.setenv("HEPAFLUX_NOTEBOOK_DRAWS", FEW)
    monkeypatch.setenv("HEPAFLUX_NOTEBOOK_TUNE", FEW)
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    # A kernel specification of another Python would hide the one that runs the tests.
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")


def reach(name: str) -> None:
    """Have a public data set from a mirror or from its address; the test is skipped without."""
    try:
        get_dataset(name)
    except DatasetError as error:
        pytest.skip(f"the data cannot be reached: {error}")


def test_there_are_notebooks() -> None:
    numbers = [f"{number:02d}" for number in range(1, len(NOTEBOOKS) + 1)]
    assert len(numbers) >= 14
    assert [path.stem[:2] for path in NOTEBOOKS] == numbers


@every_notebook
def test_notebook_asks_one_question(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    titles = re.findall(r"^# .+", prose, flags=re.MULTILINE)
    assert cells[0].source.startswith(titles[0])
    assert len(titles) == 1
    assert titles[0].endswith("?")
    assert re.fullmatch(r"\d\d(-[a-z0-9]+)+", path.stem)


@every_notebook
def test_stored_outputs_are_complete_and_clean(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "run it from top to bottom, then save it"
    assert complaints(notebook) == []
    assert any("image/png" in output.get("data", {}) for output in outputs(notebook))


@every_notebook
def test_stored_outputs_are_small_and_name_no_machine(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    text = words(nbformat.read(path, as_version=4))
    assert not re.search(r"(?<![\w/.])/(home|root|tmp|work|Users|var|opt)/|[A-Z]:\\", text)


@pytest.mark.slow
@every_notebook
@pytest.mark.usefixtures("kernel_environment", "mirror_if_any")
def test_notebook_runs(path: Path, tmp_path: Path) -> None:
    if path.stem[:2] in PUBLIC:
        reach(PUBLIC[path.stem[:2]])
    assert complaints(execute(path, tmp_path)) == []


@pytest.mark.slow
@pytest.mark.usefixtures("kernel_environment")
def test_notebook_says_what_to_do_when_the_data_are_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRROR, str(tmp_path))
    path, *_ = (path for path in NOTEBOOKS if path.stem.startswith(OHASHI))
    with pytest.raises(CellExecutionError, match=r"is not there; put https://.* there, or unset"):
        execute(path, tmp_path)
