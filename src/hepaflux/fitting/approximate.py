"""Approximate: the posterior's mode, and normal approximations of it, for a quick look.

All three work on the model's native log-density in unconstrained coordinates, so they see the same
posterior as the sampler. None of them comes with a guarantee; ``diagnose`` says so.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy import linalg, optimize
from threadpoolctl import threadpool_limits

from hepaflux.fitting.compiled import FitError, density_and_gradient, expand_points
from hepaflux.fitting.pathfinder import pathfinder

PATHS = 4
"""Optimizations from different starting points; the best mode is kept."""

STEP = 1e-4
"""Step of the differences of gradients that give the Hessian, in unconstrained units."""


def find_mode(compiled: Any, *, draws: int, seed: int) -> tuple[np.ndarray, None]:
    """Return the mode of the posterior in unconstrained coordinates, shape (1, n_dim)."""
    del draws
    return best_mode(density_and_gradient(compiled), starting_points(compiled, seed))[None], None


def laplace(compiled: Any, *, draws: int, seed: int) -> tuple[np.ndarray, None]:
    """Draw from the normal approximation at the mode, shape (draw, n_dim).

    Raises
    ------
    FitError
        If the log-density does not bend down in every direction at the mode.
    """
    density = density_and_gradient(compiled)
    mode = best_mode(density, starting_points(compiled, seed))
    deviations = np.random.default_rng(seed).standard_normal((draws, len(mode)))
    try:
        scale = linalg.cholesky(-hessian(density, mode))
    except (linalg.LinAlgError, ValueError) as error:  # the latter where it is not finite
        raise FitError(
            "the Laplace approximation does not exist: at the mode the Hessian is not positive"
            " definite, so the posterior has no peak there (a parameter that the data leave open"
            " under a flat prior does this); use method nuts, or a narrower prior"
        ) from error
    return mode + linalg.solve_triangular(scale, deviations.T).T, None


def starting_points(compiled: Any, seed: int) -> list[np.ndarray]:
    """Return jittered starting points in unconstrained coordinates."""
    return [np.asarray(compiled.initial_point_func(seed + i)) for i in range(PATHS)]


def best_mode(density: Callable, starts: Sequence[np.ndarray]) -> np.ndarray:
    """Return the highest mode that optimizations from several starts find; raises as ``modes``."""
    return modes(density, starts)[0]


def modes(density: Callable, starts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the mode that is found from each start, the highest first.

    Raises
    ------
    FitError
        If the log-density is finite at no start.
    """

    def negative(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density(point)
        return (-value, -gradient) if np.isfinite(value) else (1e100, gradient)

    # Two threads of a linear algebra of vectors this short only wait for each other.
    with threadpool_limits(1, user_api="blas"):
        found = [optimize.minimize(negative, x, jac=True, method="L-BFGS-B") for x in starts]
    ranked = sorted((result for result in found if result.fun < 1e100), key=lambda r: r.fun)
    if not ranked:
        raise FitError("no starting point has a finite log-density; check data and priors")
    return [result.x for result in ranked]


def hessian(density: Callable, point: np.ndarray) -> np.ndarray:
    """Return the Hessian of a log-density by differences of its gradient."""
    columns = [
        (density(point + step)[1] - density(point - step)[1]) / (2 * STEP)
        for step in STEP * np.eye(len(point))
    ]
    matrix = np.array(columns)
    return 0.5 * (matrix + matrix.T)


METHODS: dict[str, Callable[..., tuple[np.ndarray, float | None]]] = {
    "map": find_mode,
    "laplace": laplace,
    "pathfinder": pathfinder,
}
"""By the name that ``fit`` takes. Each returns points (draw, n_dim) and, where their importance
weights tell how good they are, Pareto k."""


def dataset(compiled: Any, points: np.ndarray, names: Sequence[str], *, chains: int) -> xr.Dataset:
    """Return the model's variables at unconstrained points, split evenly into chains."""
    values = expand_points(compiled, points)
    dims = compiled.dims or {}
    coords = {name: np.asarray(labels) for name, labels in compiled.coords.items()}
    variables = {
        name: (("chain", "draw", *dims.get(name, ())), _split(values[name], chains))
        for name in names
    }
    used = {dim for dimensions, _ in variables.values() for dim in dimensions}
    return xr.Dataset(variables, coords={k: v for k, v in coords.items() if k in used})


def _split(values: np.ndarray, chains: int) -> np.ndarray:
    if len(values) % chains:
        raise ValueError(f"{len(values)} draws do not split evenly into {chains} chains")
    return values.reshape(chains, len(values) // chains, *values.shape[1:])
