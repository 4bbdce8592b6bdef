"""The verbs stay verbs, whatever was imported before."""

import subprocess
import sys

import pytest

SCRIPT = """
import {first}
import hepaflux as hf
for _ in range(2):
    for verb in ("fit", "solve", "report"):
        assert callable(getattr(hf, verb)), verb
from hepaflux import fit, solve
from hepaflux.fitting.compiled import compile_model
assert callable(fit) and callable(solve)
"""


@pytest.mark.parametrize("first", ["hepaflux", "hepaflux.fitting.compiled"])
def test_rooms_do_not_hide_verbs(first):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(first=first)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
