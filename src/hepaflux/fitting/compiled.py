"""Compiled: a PyMC model as native log-density and gradient, kept on disk between processes.

nutpie compiles two small C functions around PyTensor's native code each time, which takes longer
than the sampling. The functions written here do the same work with plain loops and carry the key
of the graph they call, so that a second process loads their machine code instead of making it.
They also change coordinates: the sampler's point w stands for x = center + inv(C') w, where C is a
sparse lower triangle; ``hepaflux.fitting.whitening`` chooses it, and at first it is the identity.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pymc as pm
import pytensor
from numba import types
from nutpie import compile_pymc
from pymc.initial_point import make_initial_point_fn
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS, compile_numba_function_src
from pytensor.link.numba.dispatch.basic import numba_njit

from hepaflux.solver.kernel import cache_key


class FitError(RuntimeError):
    """A posterior that a method cannot start on; the message says what to do."""


POINTER = types.CPointer(types.double)

SIGNATURES = {
    "density": types.int64(types.uint64, POINTER, POINTER, POINTER, types.voidptr),
    "expand": types.int64(types.uint64, types.uint64, POINTER, POINTER, types.voidptr),
}

BAD_GRADIENT, BAD_DENSITY = 3, 4
"""What the density returns where it is not finite; the sampler rejects such a point."""


COORDINATES = ("center", "order", "first", "column", "value")
"""Arrays of the change of coordinates: center of x, order of the unknowns in w, and C by rows
(compressed; the diagonal is the last entry of its row)."""


@numba_njit
def point_of(w, center, order, first, column, value, x):
    """Put the point x that w stands for in ``x``."""
    v = w.copy()
    for i in range(len(v) - 1, -1, -1):
        last = first[i + 1] - 1
        v[i] /= value[last]
        for q in range(first[i], last):
            v[column[q]] -= value[q] * v[i]
        x[order[i]] = center[order[i]] + v[i]


@numba_njit
def gradient_of(gradient, order, first, column, value, out):
    """Put the gradient by w in ``out``, given that by x."""
    for i in range(len(out)):
        last = first[i + 1] - 1
        total = gradient[order[i]]
        for q in range(first[i], last):
            total -= value[q] * out[column[q]]
        out[i] = total / value[last]


SOURCE = sha256(Path(__file__).read_bytes()).hexdigest()
"""Part of the cache key, so that machine code of another version of this file is not used."""


def identity(n: int) -> dict[str, np.ndarray]:
    """Return the change of coordinates that changes nothing."""
    index = np.arange(n + 1)
    arrays = (np.zeros(n), index[:n], index, index[:n], np.ones(n))
    return dict(zip(COORDINATES, arrays, strict=True))


def compile_model(
    model: pm.Model, *, keep: Sequence[str] | None = None
) -> compile_pymc.CompiledPyMCModel:
    """Compile a model for nutpie.

    Parameters
    ----------
    model : pm.Model
        Any model that PyTensor's numba backend can compile.
    keep : sequence of str, optional
        Names of the variables to store besides the unconstrained ones; all if not given.

    Returns
    -------
    nutpie.compile_pymc.CompiledPyMCModel
        ``with_data`` gives the same code other data.
    """
    jitter = set(model.free_RVs)
    initial = make_initial_point_fn(
        model=model, default_strategy="support_point", jitter_rvs=jitter, return_transformed=True
    )
    n_dim, n_expanded, density, expand, initial_point, shape_info, transformed = (
        compile_pymc._make_functions(
            model,
            mode="NUMBA",
            compute_grad=True,
            join_expanded=True,
            pymc_initial_point_fn=compile_pymc._wrap_with_lock(initial),
            var_names=keep,
        )
    )
    shared = list(dict.fromkeys([*density.get_shared(), *expand.get_shared()]))
    shared += [pytensor.shared(a, name=name) for name, a in identity(n_dim).items()]
    keys = {variable: f"shared{i}" for i, variable in enumerate(shared)}
    data = {keys[v]: np.array(v.get_value(), order="C", copy=True) for v in shared}
    for array in data.values():
        array.flags.writeable = False
    dims, coords = compile_pymc._prepare_dims_and_coords(model, shape_info, transformed)
    return compile_pymc.CompiledPyMCModel(
        _n_dim=n_dim,
        dims=dims,
        _coords=coords,
        _shapes={name: tuple(shape) for name, _, shape in zip(*shape_info, strict=True)},
        compiled_logp_func=_c_function("density", density, shared, n_dim, n_dim),
        compiled_expand_func=_c_function("expand", expand, shared, n_dim, n_expanded),
        initial_point_func=initial_point,
        shared_data=data,
        shared_var_keys=keys,
        user_data=compile_pymc.make_user_data(keys, data),
        n_expanded=n_expanded,
        shape_info=shape_info,
        logp_func=density,
        expand_func=expand,
        reparameterized_names=transformed,
    )


def with_study(
    compiled: compile_pymc.CompiledPyMCModel, values: Mapping[str, np.ndarray]
) -> compile_pymc.CompiledPyMCModel:
    """Return the same code with the data of another study.

    Parameters
    ----------
    compiled : CompiledPyMCModel
        From ``compile_model``.
    values : mapping of str to array
        By name of the ``pm.Data``; those that the code does not read are passed over, and the
        tolerance of the solver may be left as it is.

    Raises
    ------
    ValueError
        If one is missing that the code reads: it would go on reading the former study's. Or if
        values are censored where the code knows of none: it would take limits for values.
    """
    read = {variable.name for variable in compiled.shared_var_keys}
    limits = sorted(n for n in values if n.endswith(("_lower", "_upper")) and n not in read)
    if limits:
        raise ValueError(f"the compiled model does not read {', '.join(limits)}")
    missing = sorted(read - {*values, *COORDINATES, "tolerance"})
    if missing:
        raise ValueError(f"the compiled model also reads {', '.join(missing)}")
    return compiled.with_data(**{name: v for name, v in values.items() if name in read})


def _c_function(kind: str, function: Any, shared: list[Any], n_in: int, n_out: int) -> Any:
    """Return a C function that calls a compiled PyTensor function; loaded from disk if known."""
    native = function.vm.jit_fn
    source = _source(kind, function.get_shared(), shared, n_in, n_out)
    key = CACHED_SRC_FUNCTIONS.get(native.py_func)
    scope = {
        "__name__": __name__,
        "carray": numba.carray,
        "pointer": compile_pymc.address_as_void_pointer,
        "isfinite": np.isfinite,
        "empty": np.empty,
        "point_of": point_of,
        "gradient_of": gradient_of,
        "native": native,
        **{name: getattr(np, name) for name in ("uint64", "float64", "int64", "int32")},
    }
    cached = cache_key("C", SOURCE, key, source) if key else None
    python = compile_numba_function_src(source, kind, global_env=scope, cache_key=cached)
    return numba.cfunc(SIGNATURES[kind], cache=cached is not None)(python)


def _source(kind: str, used: Sequence[Any], shared: list[Any], n_in: int, n_out: int) -> str:
    """Write a C function; nutpie's record of shared data is pointers, sizes, then shapes."""
    heads = {
        "density": "def density(dim, w_, out_, value_, user_):",
        "expand": "def expand(dim, expanded, w_, out_, user_):",
    }
    names = {v.name: f"shared{i}" for i, v in enumerate(shared) if v.name in COORDINATES}
    lines = [f"w = carray(w_, ({n_in},))", f"out = carray(out_, ({n_out},))"]
    lines.append(f"user = carray(user_, ({_record_length(shared)},), uint64)")
    lines += _unpack([*used, *shared[-len(COORDINATES) :]], shared)
    lines.append(f"x = empty({n_in})")
    lines.append(f"point_of(w, {', '.join(names[name] for name in COORDINATES)}, x)")
    call = "native(" + ", ".join(["x", *(f"shared{shared.index(v)}" for v in used)]) + ")"
    if kind == "expand":
        lines += [*_guarded(f"result = {call}[0]"), f"for i in range({n_out}):"]
        lines += ["    out[i] = result[i]", "return 0"]
    else:
        lines += [
            *_guarded(f"density, gradient = {call}"),
            "carray(value_, (1,))[0] = density[()]",
            "if not isfinite(density[()]):",
            f"    return {BAD_DENSITY}",
            f"gradient_of(gradient, {', '.join(names[name] for name in COORDINATES[1:])}, out)",
            f"for i in range({n_out}):",
            "    if not isfinite(out[i]):",
            f"        return {BAD_GRADIENT}",
            "return 0",
        ]
    return "\n".join([heads[kind], *(f"    {line}" for line in lines)]) + "\n"


def _guarded(statement: str) -> list[str]:
    """Return lines that turn an exception, which C cannot see, into a status that it can.

    Without them a division by zero would leave the status at 0, and the point would look sound.
    """
    return ["try:", f"    {statement}", "except Exception:", f"    return {BAD_DENSITY}"]


def _record_length(shared: list[Any]) -> int:
    return max(1, 2 * len(shared) + sum(v.type.ndim for v in shared))


def _unpack(used: Sequence[Any], shared: list[Any]) -> list[str]:
    lines, at = [], 2 * len(shared)
    for i, variable in enumerate(shared):
        shape = "".join(f"int(user[{at + j}]), " for j in range(variable.type.ndim))
        if variable in used:
            lines.append(f"shared{i} = carray(pointer(user[{i}]), ({shape}), {variable.dtype})")
        at += variable.type.ndim
    return lines


def density_and_gradient(
    compiled: compile_pymc.CompiledPyMCModel,
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Return the native log-density as a Python function of the unconstrained point.

    Returns
    -------
    callable (array (n_dim,)) -> (float, array (n_dim,))
        Minus infinity and zeros where the density is not finite.
    """
    from ctypes import c_double, c_void_p

    function = compiled.compiled_logp_func.ctypes
    n_dim = compiled.n_dim

    def evaluate(point: np.ndarray) -> tuple[float, np.ndarray]:
        x = np.ascontiguousarray(point, dtype=float)
        gradient, value = np.zeros(n_dim), c_double()
        pointers = [a.ctypes.data_as(function.argtypes[1]) for a in (x, gradient)]
        # Through ``compiled``, which keeps the arrays alive that the record points to.
        status = function(n_dim, *pointers, value, c_void_p(compiled.user_data.ctypes.data))
        return (value.value, gradient) if status == 0 else (-np.inf, np.zeros(n_dim))

    return evaluate


def expand_points(compiled: compile_pymc.CompiledPyMCModel, points: np.ndarray) -> dict[str, Any]:
    """Return the model's variables at unconstrained points, shape (point, ...) each."""
    from ctypes import c_void_p

    function = compiled.compiled_expand_func.ctypes
    out = np.empty((len(points), compiled.n_expanded))
    for point, row in zip(np.ascontiguousarray(points), out, strict=True):
        pointers = [a.ctypes.data_as(function.argtypes[2]) for a in (point, row)]
        user = c_void_p(compiled.user_data.ctypes.data)
        function(compiled.n_dim, compiled.n_expanded, *pointers, user)
    names, slices, shapes = compiled.shape_info
    parts = zip(names, slices, shapes, strict=True)
    return {name: out[:, where].reshape(len(points), *shape) for name, where, shape in parts}
