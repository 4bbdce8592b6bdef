"""The peer in C: CVODES with compiled callbacks solves the stiff cascade.

It needs a C compiler and SUNDIALS with its headers (libsundials-dev of Debian and Ubuntu, or built
from source), found by the compiler or in the folder that the variable SUNDIALS_DIR names. The
wheels on the Python index call back into Python at every step. Sensitivities are corrected together
with the states or after them; both ways are timed.
"""

import ctypes
import os
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import problems
import stiff_problems

HERE = Path(__file__).resolve().parent
FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")
LIBRARIES = ("cvodes", "nvecserial", "sunmatrixdense", "sunlinsoldense")
MODES = ("simultaneous", "staggered")
_Pointer = ctypes.POINTER(ctypes.c_double)


@cache
def library() -> ctypes.CDLL:
    """Compile the source and load it."""
    built = HERE / "out" / "cascade.so"
    built.parent.mkdir(exist_ok=True)
    command = [os.environ.get("CC", "cc"), *FLAGS, str(HERE / "peer_cvodes" / "cascade.c")]
    folder = os.environ.get("SUNDIALS_DIR")
    if folder:
        command += [f"-I{folder}/include", f"-L{folder}/lib", f"-Wl,-rpath,{folder}/lib"]
    core = ["-lsundials_core"] if _has_core(folder) else []
    links = [f"-lsundials_{name}" for name in LIBRARIES]
    subprocess.run([*command, "-o", str(built), *links, *core, "-lm"], check=True)
    loaded = ctypes.CDLL(str(built))
    for name in ("evaluate", "timed"):
        getattr(loaded, name).restype = ctypes.c_double
    return loaded


def _has_core(folder):
    """Return whether this is SUNDIALS 7, which has a library for what all others share."""
    places = [Path(folder) / "lib"] if folder else [*Path("/usr/lib").glob("*-linux-*")]
    return any((place / "libsundials_core.so").exists() for place in places)


def _given(rtol, mode):
    times, samples = stiff_problems.TIMES, np.ascontiguousarray(stiff_problems.samples())
    numbers = ctypes.c_double(stiff_problems.ERROR), ctypes.c_double(rtol)
    return len(times), _pointer(times), _pointer(samples), *numbers, MODES.index(mode)


def evaluate(theta, rtol=stiff_problems.RTOL, mode=MODES[0]):
    """Return the log-density and its gradient."""
    theta = np.ascontiguousarray(theta, dtype=float)
    gradient = np.zeros(8)
    value = library().evaluate(_pointer(theta), *_given(rtol, mode), _pointer(gradient))
    return value, gradient


def microseconds(rtol=stiff_problems.RTOL, runs=9, mode=MODES[0]):
    """Time the log-density and gradient inside the loop in C."""
    points, sink = np.ascontiguousarray(stiff_problems.points()), ctypes.c_double()
    arguments = (_pointer(points), len(points), *_given(rtol, mode), ctypes.byref(sink))
    seconds = [library().timed(*arguments) for _ in range(runs + 1)][1:]
    return problems.best(seconds, len(points))


def _pointer(array):
    return array.ctypes.data_as(_Pointer)


if __name__ == "__main__":
    for way in MODES:
        off = stiff_problems.error(lambda theta, way=way: evaluate(theta, mode=way))
        numbers = microseconds(mode=way)
        problems.report("cvodes", "cascade", mode=way, error=off, **numbers)
