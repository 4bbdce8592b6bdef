"""Fixtures that every room shares."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

MIRROR = "HEPAFLUX_DATA_MIRROR"


@pytest.fixture(scope="session")
def mirror_if_any() -> Iterator[Path | None]:
    """Point the registry at the folder of its files, stated or beside the project, and return it.

    None if there is no such folder; the registry then goes to the addresses of the data.
    """
    beside = Path(__file__).parents[2] / "shared" / "data" / "mirror"
    folder = Path(os.environ.get(MIRROR) or beside)
    with pytest.MonkeyPatch.context() as patch:
        if folder.is_dir():
            patch.setenv(MIRROR, str(folder))
        yield folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def data_mirror(mirror_if_any: Path | None) -> Path:
    """Return the folder of the registry's files; what needs it is skipped without."""
    if mirror_if_any is None:
        pytest.skip(f"{MIRROR} names no folder with copies of the public data sets")
    return mirror_if_any


@pytest.fixture(scope="session")
def mouse_livers(data_mirror: Path) -> Path:
    """Return the table of phosphosites of mouse livers; what needs it is skipped without.

    It is no data set of the registry: whoever has it keeps it in the folder above the mirror.
    """
    path = data_mirror.parent / "signalling_humphrey_2015_mouse_liver.csv"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in the folder above the one that {MIRROR} names")
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that sample for real, so that workers do not wait for one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
