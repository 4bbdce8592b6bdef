"""Native code: failures are seen and counted, and a second process does not compile again."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from virtual import ivgtt, study_of

import hepaflux as hf
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model, density_and_gradient
from hepaflux.parameter import Normal


@pytest.fixture(scope="module")
def compiled(published):
    return compile_model(published)


@pytest.mark.parametrize("value", [np.nan, np.inf, 800.0, 1e300])
def test_points_beyond_all_numbers_are_rejected(compiled, value):
    """Without a guard, an exception in native code would look like the best of all points."""
    density = density_and_gradient(compiled)
    for i in range(compiled.n_dim):
        point = compiled.initial_point_func(1)
        point[i] = value
        assert density(point)[0] == -np.inf


# With such a prior there is no sound mode, hence nothing to whiten by.
@pytest.mark.filterwarnings("ignore:the log-density does not bend down:RuntimeWarning")
def test_failed_solves_are_counted():
    """Strongly negative insulin sensitivity makes glucose grow beyond all numbers."""
    system = hf.systems.minimal.with_priors(SI=Normal(0.0, 0.05))
    wild = compile_model(hf.build_model(study_of(ivgtt()), system))
    trees = [nuts.sample(wild, draws=30, tune=100, chains=1, seed=s) for s in range(4)]
    failures = sum(nuts.failed_solves(tree) for tree in trees)
    divergences = sum(
        int(tree[group]["diverging"].sum())
        for tree in trees
        for group in ("sample_stats", "warmup_sample_stats")
    )
    assert 0 < failures < divergences


SCRIPT = """
import sys
from pathlib import Path
import pytensor
import hepaflux as hf
from hepaflux.fitting.compiled import compile_model
study = hf.read_study("pacini_bergman_1986")
model = hf.build_model(study, hf.systems.minimal.with_options(basal_insulin="7.3 uU/mL"))
folder = Path(pytensor.config.base_compiledir)
before = {p for p in folder.rglob("*") if p.suffix in (".nbc", ".nbi", ".o")}
compile_model(model)
after = {p for p in folder.rglob("*") if p.suffix in (".nbc", ".nbi", ".o")}
print(len(after - before))
"""


def test_a_second_process_loads_what_the_first_compiled(tmp_path):
    """In a folder of their own, in which no other test compiles at the same time."""
    environment = {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment
        )
        for _ in range(2)
    )
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert int(first.stdout) > 0
    assert int(second.stdout) == 0


def test_sampling_leaves_the_interpreter_to_others(compiled):
    """Another Python thread is never kept waiting for long while two chains run."""
    gaps, stop = [], threading.Event()

    def tick():
        last = time.perf_counter()
        while not stop.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    nuts.sample(compiled, draws=2000, tune=500, chains=2, seed=1)
    took = time.perf_counter() - start
    stop.set()
    thread.join()
    assert max(gaps) < max(0.6 * took, 0.5)
    assert len(gaps) > 20
