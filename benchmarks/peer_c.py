"""The peer written by hand in C: compile it, call it, time it."""

import ctypes
import os
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import problems

HERE = Path(__file__).resolve().parent
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
_Pointer = ctypes.POINTER(ctypes.c_double)


class _Problem(ctypes.Structure):
    _fields_ = (
        ("samples", ctypes.c_int),
        ("first_used", ctypes.c_int),
        ("basal_glucose", ctypes.c_double),
        ("dose", ctypes.c_double),
        ("floor", ctypes.c_double),
        ("log_median", ctypes.c_double * 4),
        ("log_sd", ctypes.c_double * 4),
        ("error_scale", ctypes.c_double),
        ("omega_log_median", ctypes.c_double),
        ("omega_log_sd", ctypes.c_double),
        ("minutes", _Pointer),
        ("excess", _Pointer),
        ("glucose", _Pointer),
        ("rtol", ctypes.c_double),
        ("atol", ctypes.c_double),
        ("action_scale", ctypes.c_double),
    )


STYLES = {"plain": ("-DPLAIN",), "vector": ()}
"""Loops over arrays; or vectors and shuffles written for this model alone."""


@cache
def library(style="vector") -> ctypes.CDLL:
    """Compile the source if it is newer than the library, and load it."""
    source, built = HERE / "peer_c" / "minimal.c", HERE / "out" / f"minimal_{style}.so"
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        built.parent.mkdir(exist_ok=True)
        compiler = os.environ.get("CC", "cc")
        flags = (*FLAGS, *STYLES[style])
        subprocess.run([compiler, *flags, str(source), "-o", str(built), "-lm"], check=True)
    loaded = ctypes.CDLL(str(built))
    for name in ("pacini", "cohort", "timed"):
        getattr(loaded, name).restype = ctypes.c_double
    return loaded


def evaluate(problem, theta, rtol=1e-6, style="vector"):
    """Return the log-density and its gradient."""
    theta = np.ascontiguousarray(theta, dtype=float)
    gradient = np.zeros_like(theta)
    call = getattr(library(style), "pacini" if problem == "pacini" else "cohort")
    value = call(ctypes.byref(_problem(problem, rtol)), _pointer(theta), _pointer(gradient))
    return value, gradient


def trajectory(log_parameters, rtol=1e-6):
    """Return glucose, its derivatives by log parameter, and the number of steps, for pacini."""
    parameters = np.exp(log_parameters)
    rows = np.zeros((problems.MINUTES.size, 8))
    described = ctypes.byref(_problem("pacini", rtol))
    steps = library().trajectory(described, _pointer(parameters), _pointer(rows))
    return rows[:, 0], rows[:, 1:5], steps


def microseconds(problem, rtol=1e-6, runs=9, style="vector"):
    """Time the log-density and gradient inside the loop in C."""
    points = problems.points(problem)
    sink = ctypes.c_double()
    repeats = 20 if problem == "pacini" else 1
    arguments = (_pointer(points), len(points), repeats, ctypes.byref(sink))
    described = ctypes.byref(_problem(problem, rtol))
    seconds = [library(style).timed(described, *arguments) for _ in range(runs + 1)][1:]
    return problems.best(seconds, repeats * len(points))


@cache
def _problem(problem, rtol):
    data = problems.data(problem)
    vector = ctypes.c_double * 4
    return _Problem(
        data.minutes.size,
        problems.FIRST_USED,
        problems.BASAL_GLUCOSE,
        problems.DOSE,
        problems.FLOOR,
        vector(*problems.LOG_MEDIANS),
        vector(*problems.LOG_SDS),
        problems.ERROR_SCALE,
        np.log(problems.OMEGA_MEDIAN),
        0.0 if problem == "pacini" else problems.OMEGA_LOG_SD,
        _pointer(data.minutes),
        _pointer(data.excess),
        _pointer(data.glucose),
        rtol,
        rtol,
        problems.STATE_SCALES["action"],
    )


def _pointer(array):
    return array.ctypes.data_as(_Pointer)


if __name__ == "__main__":
    for way in STYLES:
        for each in problems.PROBLEMS:
            problems.report(f"c, {way}", each, **microseconds(each, style=way))
