"""Fixtures that every room shares."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

MIRROR = "HEPAFLUX_DATA_MIRROR"


@pytest.fixture(scope="session")
def data_mirror() -> Iterator[Path]:
    """Return the folder of the registry's files, and point the registry at it."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "mirror"
    folder = Path(os.environ.get(MIRROR) or beside)
    if not folder.is_dir():
        pytest.skip(f"{MIRROR} names no folder with copies of the public data sets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MIRROR, str(folder))
        yield folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that sample for real, so that workers do not wait for one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
