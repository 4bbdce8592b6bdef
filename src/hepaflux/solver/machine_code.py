"""Machine code: that of a kernel under a name, made once and called from everywhere.

numba copies a function into each native function that calls it, and optimizes every copy: into the
operation, into the graph around it, into the C function around the graph. The machine code of a
kernel therefore stands apart, as a C function whose address the compiler knows by a name. What
calls it holds the name alone, also on disk.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding
from numba import carray, cfunc, types
from pytensor.link.numba.cache import compile_numba_function_src

from hepaflux.solver.kernel import build_kernel, kernel_key, shapes
from hepaflux.solver.program import Program

NUMBERS, WHOLE = types.CPointer(types.float64), types.CPointer(types.int64)

ARGUMENTS: Mapping[str, Any] = {
    **dict.fromkeys(("theta", "constants", "table"), NUMBERS),
    "rows": WHOLE,
    **dict.fromkeys(("tolerance", "states", "sensitivities"), NUMBERS),
}
"""Arrays of a kernel by name, each a pointer; before them stand the numbers of solves, of segments
and of saved times."""

SIGNATURE = types.void(types.int64, types.int64, types.int64, *ARGUMENTS.values())


class MachineCode(NamedTuple):
    """A kernel's machine code.

    Attributes
    ----------
    function : numba CFunc
        Keeps the machine code alive.
    external : numba ExternalFunction
        What native code calls.
    """

    function: Any
    external: Any


_MADE: dict[str, MachineCode] = {}


def machine_code(program: Program) -> MachineCode:
    """Return the kernel of a program; compiled once, and kept on disk between processes."""
    key = kernel_key(program)
    if key not in _MADE:
        name = f"hepaflux_{key}"
        scope = {"carray": carray, "kernel": build_kernel(program), "__name__": __name__}
        python = compile_numba_function_src(
            _source(program), "integrate", global_env=scope, cache_key=key
        )
        function = cfunc(SIGNATURE, cache=True)(python)
        binding.add_symbol(name, function.address)
        _MADE[key] = MachineCode(function, types.ExternalFunction(name, SIGNATURE))
    return _MADE[key]


def _source(program: Program) -> str:
    """Write the C function that calls the kernel."""
    lines = [f"def integrate(n, n_segments, n_saved, {', '.join(ARGUMENTS)}):"]
    arrays = (f"carray({name}, {shape})" for name, shape in shapes(program.layout).items())
    lines.append(f"    kernel({', '.join(arrays)})")
    return "\n".join(lines) + "\n"


def callable_kernel(program: Program) -> Callable:
    """Return the kernel as a function that Python may call.

    Returns
    -------
    callable
        Takes the parameters as one array ``theta`` (solve, theta), then the other inputs of
        ``Solve``; returns the states and the sensitivities at every saved time.
    """
    layout, native = program.layout, machine_code(program).function.ctypes

    def solve(theta: Any, constants: Any, table: Any, rows: Any, tolerance: Any) -> tuple[Any, Any]:
        floats = [
            np.ascontiguousarray(a, dtype=np.float64) for a in (theta, constants, table, tolerance)
        ]
        whole = np.ascontiguousarray(rows, dtype=np.int64)
        n_saved = int(whole[:, 3].max(initial=0))
        states = np.empty((n_saved, len(layout.states)))
        sensitivities = np.empty((n_saved, len(layout.active)))
        arrays = (*floats[:3], whole, floats[3], states, sensitivities)
        pointers = (
            a.ctypes.data_as(kind) for a, kind in zip(arrays, native.argtypes[3:], strict=True)
        )
        native(len(whole), len(floats[2]), n_saved, *pointers)
        return states, sensitivities

    return solve
