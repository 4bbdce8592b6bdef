"""The floors, the budgets and the map: what ARCHITECTURE.md says is what the tree is."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hepaflux as hf

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "hepaflux"
FILES = sorted(PACKAGE.rglob("*.py"))

FLOORS = {
    "units": 0,
    "parameter": 0,
    "isotopes": 0,
    "phosphosites": 0,
    "study": 1,
    "systems": 2,
    "solver": 3,
    "model": 4,
    "fitting": 5,
    "assess": 5,
    "arguments": 6,
    "synthetic": 6,
    "terminal": 6,
    "declaration": 6,
    "pages": 6,
    "demo": 6,
    "planning": 6,
    "pictures": 6,
    "predictions": 6,
    "experiments": 6,
    "published": 6,
    "confusion": 6,
    "hypotheses": 6,
    "cli": 6,
    "__main__": 6,
}
"""The floor of each room."""

NEVER = {
    "assess": {"pymc", "pytensor", "nutpie", "numba"},
    "study": {"pymc", "pytensor", "nutpie", "numba", "arviz"},
    "systems": {"pymc", "pytensor", "nutpie", "numba", "arviz"},
}
"""What a room never imports."""

SHUT_TO_ASSESS = {"study", "systems", "solver", "model", "fitting"}

FORBIDDEN_NAMES = {"utils", "util", "helpers", "base", "core", "common", "constants", "misc"}

HEAVY = {"numpy", "scipy", "pandas", "xarray", "matplotlib", "pymc", "pytensor", "numba", "arviz"}

LONGEST_FILE, LONGEST_BODY = 400, 60


def room(path: Path) -> str:
    """Return the room that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each module that a file imports, and whether it does so only for type checking."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in for_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            module = node.module or ""
            if module == "hepaflux":
                yield from ((f"hepaflux.{a.name}", id(node) in for_types) for a in node.names)
            else:
                yield module, id(node) in for_types


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path):
    if path == PACKAGE / "__init__.py":
        return
    own = room(path)
    for module, _ in imported(path):
        parts = module.split(".")
        assert parts[0] not in NEVER.get(own, set())
        if parts[0] == "hepaflux" and len(parts) > 1 and parts[1] != own:
            other = parts[1]
            assert FLOORS[other] <= FLOORS[own], f"{own} imports {other}"
            same = FLOORS[other] == FLOORS[own]
            assert not same or FLOORS[own] in (0, 6), f"{own} imports its neighbor {other}"
            assert not (own == "assess" and other in SHUT_TO_ASSESS)


def test_every_room_has_a_floor():
    assert {room(path) for path in FILES} - {"__init__"} == set(FLOORS)


def test_a_module_is_named_after_its_noun():
    names = {path.stem for path in FILES} | {path.parent.name for path in FILES}
    assert not names & FORBIDDEN_NAMES


@pytest.mark.parametrize("name", hf.__all__)
def test_every_public_name_is_documented(name: str):
    public = getattr(hf, name)
    assert inspect.getdoc(public)
    if inspect.isclass(public):
        for attribute, member in vars(public).items():
            if inspect.isfunction(member) and not attribute.startswith("_"):
                assert inspect.getdoc(member), f"{name}.{attribute}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_says_what_it_is(path: Path):
    first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
    assert first.endswith(".")


def test_the_front_door_is_complete():
    for name in hf.__all__:
        assert getattr(hf, name) is not None
    assert set(dir(hf)) == set(hf.__all__)
    with pytest.raises(AttributeError, match="no attribute 'anything_else'"):
        _ = hf.anything_else


@pytest.mark.parametrize("module", ["hepaflux", "hepaflux.cli"])
def test_an_import_costs_nothing(module: str):
    code = f"import sys, {module}; print(*sorted(name.split('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not HEAVY & set(done.stdout.split())


def test_assessment_needs_no_sampler():
    code = "import sys, hepaflux.assess; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"pymc", "pytensor", "nutpie"} & set(done.stdout.split())


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_keep_their_budget(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert body_length(node) <= LONGEST_BODY, node.name


def body_length(function: ast.FunctionDef) -> int:
    """Return the lines of a function's body; functions inside it are counted on their own."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    inner = [node for node in ast.walk(function) if isinstance(node, ast.FunctionDef)]
    lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
    return lines - sum(n.end_lineno - n.lineno + 1 for n in inner if n in body)


def test_the_map_is_the_tree():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([\w/]+\.py)` \|", text, flags=re.MULTILINE))
    tree = {str(p.relative_to(PACKAGE)) for p in FILES if p.name != "__init__.py"}
    assert listed == tree


def test_the_map_names_the_floors():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for name, floor in FLOORS.items():
        if name != "__main__":
            assert re.search(rf"^\| F{floor} \|.*`{name}`", text, flags=re.MULTILINE), name


def test_the_package_data_are_at_hand():
    for dataset in hf.list_datasets():
        if dataset.is_bundled:
            assert hf.read_study(dataset.name).subjects


def test_every_module_can_be_imported():
    for path in FILES:
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        importlib.import_module(".".join(p for p in parts if p != "__init__"))


def test_every_test_file_has_its_own_name():
    """Test files are imported by their bare name: two of one name cannot be collected together."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
