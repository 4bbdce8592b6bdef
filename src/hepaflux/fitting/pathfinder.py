"""Pathfinder: normal approximations along the way to the mode, and draws from the best of them.

Zhang L, Carpenter B, Gelman A, Vehtari A (2022) Pathfinder: parallel quasi-Newton variational
inference. J Mach Learn Res 23(306):1-49. From several starting points L-BFGS climbs the posterior;
at each point of a path its estimate of the inverse Hessian gives a normal approximation. The one
with the highest evidence lower bound (ELBO) represents the path, and draws from all paths are
resampled by Pareto-smoothed importance weights.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from arviz_stats.base import array_stats
from scipy import linalg, optimize
from threadpoolctl import threadpool_limits

from hepaflux.fitting.compiled import FitError, density_and_gradient

PATHS = 8
"""Climbs from different starting points."""

HISTORY = 6
"""Last moves of a path that its inverse Hessian is estimated from."""

ELBO_DRAWS = 25
"""Draws that estimate the ELBO of one point of a path."""

PATH_DRAWS = 1000
"""Fewest draws of each path that enter the resampling."""

FLATTEST = 1e-12
"""Least curvature of a move, relative to the change of the gradient, that enters the estimate."""

POOR = 0.7
"""Pareto k above which importance weights no longer repair the approximation."""

Density = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Approximation:
    """A normal distribution whose covariance is a diagonal matrix changed in few directions.

    Attributes
    ----------
    mean : array (n_dim,)
        Its center.
    diagonal : array (n_dim,)
        Square root of the diagonal matrix.
    basis : array (n_dim, rank)
        Orthonormal directions, in units of ``diagonal``.
    factor : array (rank, rank)
        Lower Cholesky factor of the covariance along them.
    """

    mean: np.ndarray
    diagonal: np.ndarray
    basis: np.ndarray
    factor: np.ndarray

    def draw(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return draws, shape (draw, n_dim), and their log-densities."""
        standard = rng.standard_normal((n, len(self.mean)))
        along = standard @ self.basis
        moved = standard + (along @ self.factor.T - along) @ self.basis.T
        log_volume = np.log(self.diagonal).sum() + np.log(np.diag(self.factor)).sum()
        log_density = -0.5 * (standard**2 + np.log(2 * np.pi)).sum(axis=1) - log_volume
        return self.mean + self.diagonal * moved, log_density


def pathfinder(compiled: Any, *, draws: int, seed: int) -> tuple[np.ndarray, float]:
    """Draw from the multi-path approximation.

    Returns
    -------
    array (draw, n_dim)
        Points in unconstrained coordinates.
    float
        Pareto k of the importance weights.

    Warns
    -----
    RuntimeWarning
        If the draws are so unlike the posterior that weighting them does not help.

    Raises
    ------
    FitError
        If no path leads anywhere.
    """
    density = density_and_gradient(compiled)
    rng = np.random.default_rng(seed)
    starts = [np.asarray(compiled.initial_point_func(seed + i)) for i in range(PATHS)]
    found = [best_of_path(density, climb(density, start), rng) for start in starts]
    paths = [approximation for approximation in found if approximation is not None]
    if not paths:
        raise FitError("no starting point has a finite log-density; check data and priors")
    pools = [weighted_draws(density, path, max(PATH_DRAWS, draws), rng) for path in paths]
    points, weights = (np.concatenate(parts) for parts in zip(*pools, strict=True))
    return resample(points, weights, draws, rng)


def climb(density: Density, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of an L-BFGS path and the gradients there, shape (point, n_dim) each."""

    def negative(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density(point)
        return (-value, -gradient) if np.isfinite(value) else (1e100, gradient)

    points = [start]
    # Two threads of a linear algebra of vectors this short only wait for each other.
    with threadpool_limits(1, user_api="blas"):
        optimize.minimize(
            negative,
            start,
            jac=True,
            method="L-BFGS-B",
            callback=lambda point: points.append(np.array(point)),
            options={"maxcor": HISTORY},
        )
    evaluated = [(point, *density(point)) for point in points]
    finite = [(point, gradient) for point, value, gradient in evaluated if np.isfinite(value)]
    shape = (len(finite), len(start))
    return (
        np.reshape([point for point, _ in finite], shape),
        np.reshape([gradient for _, gradient in finite], shape),
    )


def best_of_path(
    density: Density, path: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> Approximation | None:
    """Return the approximation with the highest ELBO, or None if the path has none."""
    best, highest = None, -np.inf
    for approximation in approximations(*path):
        points, log_q = approximation.draw(ELBO_DRAWS, rng)
        elbo = float(np.mean([density(point)[0] for point in points] - log_q))
        if elbo > highest:
            best, highest = approximation, elbo
    return best


def approximations(points: np.ndarray, gradients: np.ndarray) -> list[Approximation]:
    """Return the normal approximation at each point of a path but the first."""
    diagonal = np.ones(points.shape[1])
    moves: list[np.ndarray] = []
    changes: list[np.ndarray] = []
    made = []
    for i in range(1, len(points)):
        move, change = points[i] - points[i - 1], gradients[i - 1] - gradients[i]
        if move @ change > FLATTEST * (change @ change):
            diagonal = updated_diagonal(diagonal, move, change)
            moves, changes = [*moves, move][-HISTORY:], [*changes, change][-HISTORY:]
        if moves:
            made.append(approximate(points[i], gradients[i], diagonal, moves, changes))
    return [approximation for approximation in made if approximation is not None]


def updated_diagonal(diagonal: np.ndarray, move: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return the diagonal of the inverse Hessian after one move (Gilbert and Lemarechal 1989)."""
    a, b = change @ (diagonal * change), change @ move
    c = move @ (move / diagonal)
    inverse = a / (b * diagonal) + change**2 / b - a * move**2 / (b * c * diagonal**2)
    return 1 / inverse


def approximate(
    point: np.ndarray,
    gradient: np.ndarray,
    diagonal: np.ndarray,
    moves: Sequence[np.ndarray],
    changes: Sequence[np.ndarray],
) -> Approximation | None:
    """Return the normal approximation at a point, or None if its covariance is not one.

    The inverse Hessian is diag + B M B' (Byrd, Nocedal and Schnabel 1994), with B made of the
    moves and of the changes of the gradient times the diagonal.
    """
    s, z = np.array(moves).T, np.array(changes).T
    products = s.T @ z
    r = linalg.inv(np.triu(products))
    middle = np.diag(np.diag(products)) + z.T @ (diagonal[:, None] * z)
    weights = np.block([[np.zeros_like(r), -r], [-r.T, r.T @ middle @ r]])
    wide = np.hstack([diagonal[:, None] * z, s])
    root = np.sqrt(diagonal)
    basis, coordinates = np.linalg.qr(wide / root[:, None])
    inner = np.eye(len(coordinates)) + coordinates @ weights @ coordinates.T
    try:
        factor = linalg.cholesky(0.5 * (inner + inner.T), lower=True)
    except (linalg.LinAlgError, ValueError):
        return None
    mean = point + diagonal * gradient + wide @ (weights @ (wide.T @ gradient))
    return Approximation(mean, root, basis, factor)


def weighted_draws(
    density: Density, path: Approximation, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of an approximation and their log importance weights."""
    points, log_q = path.draw(n, rng)
    return points, np.array([density(point)[0] for point in points]) - log_q


def resample(
    points: np.ndarray, log_weights: np.ndarray, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Return ``n`` points drawn by their Pareto-smoothed weights, in random order, and Pareto k."""
    possible = np.isfinite(log_weights)
    points, log_weights = points[possible], log_weights[possible]
    smoothed, k = array_stats.psislw(-log_weights)  # it takes the logarithm of 1 / weight
    if k > POOR:
        warnings.warn(
            f"Pathfinder does not describe this posterior well (Pareto k {k:.2f}, good is below"
            f" {POOR:g}); sample with NUTS.",
            RuntimeWarning,
            stacklevel=3,
        )
    weights = np.exp(smoothed - smoothed.max())
    steps = (np.arange(n) + rng.random()) / n
    chosen = np.searchsorted(np.cumsum(weights) / weights.sum(), steps)
    return points[rng.permutation(np.minimum(chosen, len(points) - 1))], float(k)
