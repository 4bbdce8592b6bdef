"""Machine code: that of a kernel, compiled once, kept on disk and called from everywhere.

LLVM makes an object file for this very processor; numba's code and Python's call the function in
it. What calls it from numba's code holds its name alone, also on disk.
"""

import ctypes
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

import llvmlite
import numpy as np
import pytensor
from llvmlite import binding
from numba import types

from hepaflux.solver.kernel import ARGUMENTS, cache_key, kernel_key, write_kernel
from hepaflux.solver.program import Program

NUMBERS, WHOLES = types.CPointer(types.float64), types.CPointer(types.int64)

SIGNATURE = types.void(types.int64, *(WHOLES if name == "rows" else NUMBERS for name in ARGUMENTS))
"""Of a kernel, as numba knows it."""

DIGEST_BYTES = 32


class MachineCode(NamedTuple):
    """A kernel's machine code.

    Attributes
    ----------
    address : int
        Where the function begins.
    external : numba ExternalFunction
        What native code calls.
    engine : llvmlite ExecutionEngine
        Keeps the machine code alive.
    """

    address: int
    external: Any
    engine: Any


_MADE: dict[str, MachineCode] = {}


def machine_code(program: Program) -> MachineCode:
    """Return the kernel of a program; compiled once, and kept on disk between processes."""
    key = kernel_key(program)
    if key not in _MADE:
        name = f"hepaflux_{key}"
        target = _target_machine()
        path = folder() / f"{cache_key(key, llvmlite.__version__, *_processor())}.o"
        compiled = _kept(path)
        if compiled is None:
            compiled = _compiled(write_kernel(program, name), target)
            _keep(path, compiled)
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target)
        engine.add_object_file(binding.ObjectFileRef.from_data(compiled))
        engine.finalize_object()
        address = engine.get_function_address(name)
        binding.add_symbol(name, address)
        _MADE[key] = MachineCode(address, types.ExternalFunction(name, SIGNATURE), engine)
    return _MADE[key]


def folder() -> Path:
    """Return the folder where machine code is kept, beside that of PyTensor."""
    return Path(pytensor.config.base_compiledir) / "hepaflux"


def _processor() -> tuple[str, str]:
    return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


def _target_machine() -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    name, features = _processor()
    target = binding.Target.from_default_triple()
    return target.create_target_machine(cpu=name, features=features, opt=2, jit=True)


def _compiled(source: str, target: Any) -> bytes:
    """Return the object file of a module in LLVM's language."""
    module = binding.parse_assembly(source)
    module.triple = target.triple
    module.data_layout = str(target.target_data)
    options = binding.create_pipeline_tuning_options(speed_level=2)
    options.slp_vectorization = True
    builder = binding.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)
    return target.emit_object(module)


def _kept(path: Path) -> bytes | None:
    """Return an object file that was kept and is whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, compiled = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    return compiled if sha256(compiled).digest() == digest else None


def _keep(path: Path, compiled: bytes) -> None:
    """Keep an object file, whole or not at all; where that is not allowed, it is made again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(sha256(compiled).digest() + compiled)
        os.replace(file.name, path)
    except OSError:
        return


def callable_kernel(program: Program) -> Callable:
    """Return the kernel as a function that Python may call.

    Returns
    -------
    callable
        Takes the parameters as one array ``theta`` (solve, theta), then the other inputs of
        ``Solve``; returns the states and the sensitivities at every saved time.
    """
    layout = program.layout
    native = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * len(ARGUMENTS))(
        machine_code(program).address
    )

    def solve(theta: Any, constants: Any, table: Any, rows: Any, tolerance: Any) -> tuple[Any, Any]:
        theta, constants, table, tolerance = (
            np.ascontiguousarray(a, dtype=np.float64) for a in (theta, constants, table, tolerance)
        )
        rows = np.ascontiguousarray(rows, dtype=np.int64)
        n_saved = int(rows[:, 3].max(initial=0))
        states = np.empty((n_saved, len(layout.states)))
        sensitivities = np.empty((n_saved, len(layout.active)))
        arrays = (theta, constants, table, rows, tolerance, states, sensitivities)
        native(len(rows), *(a.ctypes.data for a in arrays))
        return states, sensitivities

    return solve
