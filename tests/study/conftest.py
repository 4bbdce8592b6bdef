"""Fixtures of the study room."""

from pathlib import Path

import pytest
from sound_study import write_tables


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a sound study."""
    return write_tables(tmp_path / "sound")
