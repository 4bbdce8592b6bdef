"""Whitening: coordinates in which the posterior is nearly round, so that few steps are enough.

In a hierarchical model the population's median can move only together with all its people, and in
each person the samples fix a few combinations of parameters well. A sampler in the model's own
coordinates needs hundreds of small steps along such ridges. Here the sampler moves in

    w = C' (x - center),   C C' = negative Hessian of the log-density at its center,

which only changes how the posterior is walked, not what it is: the map is linear, and the density,
its gradient and the stored draws are those of x. Subjects touch each other through the population
alone, so with the population last C is sparse and the map costs less than one solve.

The center is the mode, but with the spreads between people held at their medians before the data,
and correlations at nought: the mode of everything is where all people are alike or lie on a line, a
point so sharp that the posterior, seen from there, is hundreds of times as wide as round. From one
start, some of many people end at a poor mode of their own; each is taken from the start that served
it best.
"""

import itertools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import linalg, sparse

from hepaflux.fitting.approximate import best_mode, hessian, modes, starting_points
from hepaflux.fitting.compiled import COORDINATES, density_and_gradient

RIDGES = 10.0 ** np.arange(-1, 5)
"""Multiples of the identity that are added to the negative Hessian, the smallest that makes it
positive definite; the first keeps directions that nothing determines at a few units."""


def whiten(compiled: Any, *, seed: int, held: Mapping[str, float] | None = None) -> Any:
    """Return a compiled model whose coordinates are white near their center.

    Parameters
    ----------
    compiled : CompiledPyMCModel
        From ``compile_model``, in the model's own coordinates.
    seed : int
        For the starting points of the search for the mode.
    held : mapping of str to float, optional
        Unconstrained unknowns by name, and the value that each has while the mode is sought.

    Returns
    -------
    CompiledPyMCModel
        The same code with other data; its initial points are draws of the normal approximation.

    Warns
    -----
    RuntimeWarning
        If no ridge makes the negative Hessian positive definite; the coordinates stay the model's.

    Raises
    ------
    FitError
        If the log-density is finite at no starting point.
    """
    density = density_and_gradient(compiled)
    center = _center(compiled, density, starting_points(compiled, seed), held or {})
    curvature = -hessian(density, center)
    order = np.argsort((curvature != 0).sum(axis=0), kind="stable")
    factor = _factor(curvature[np.ix_(order, order)])
    rows = sparse.csr_array(factor)
    rows.sort_indices()
    arrays = (center, order, rows.indptr, rows.indices, rows.data)
    changed = compiled.with_data(**dict(zip(COORDINATES, arrays, strict=True)))

    def initial_point(seed: Any = None) -> np.ndarray:
        return np.random.default_rng(seed).standard_normal(compiled.n_dim)

    return replace(changed, initial_point_func=initial_point)


def _center(
    compiled: Any, density: Callable, starts: Sequence[np.ndarray], held: Mapping[str, float]
) -> np.ndarray:
    """Return the mode among the points whose held unknowns have the given values."""
    where = {n: at for n, at in zip(*compiled.shape_info[:2], strict=True) if n in held}

    def along_others(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density(point)
        for at in where.values():
            gradient[at] = 0.0
        return value, gradient

    for start in starts:
        for name, at in where.items():
            start[at] = held[name]
    found = modes(along_others, starts)
    return best_mode(along_others, [crossed(along_others, found, people(compiled))])


def people(compiled: Any) -> list[np.ndarray]:
    """Return where the unknowns of each subject are; none in a model of fewer than two."""
    n = len(compiled.coords.get("subject", ()))
    own: list[list[int]] = [[] for _ in range(n)]
    for at, shape in zip(*compiled.shape_info[1:], strict=True):
        if n > 1 and at.stop <= compiled.n_dim and tuple(shape[:1]) == (n,):
            rows = np.arange(at.start, at.stop).reshape(n, -1)
            for places, row in zip(own, rows, strict=True):
                places.extend(row)
    return [np.array(places) for places in own if places]


def crossed(
    density: Callable, found: Sequence[np.ndarray], blocks: Sequence[np.ndarray]
) -> np.ndarray:
    """Return the highest mode, with each block from another one where it is higher so.

    Of forty people some end at a poor mode of their own from nearly every start, but hardly anyone
    from all of them.

    Parameters
    ----------
    density : callable
        As ``density_and_gradient`` returns it.
    found : sequence of array (n_dim,)
        Modes, the highest first.
    blocks : sequence of array of int
        Unknowns that hardly depend on those of other blocks.
    """
    point, height = found[0], density(found[0])[0]
    for other, block in itertools.product(found[1:], blocks):
        trial = point.copy()
        trial[block] = other[block]
        higher = density(trial)[0]
        if higher > height:
            point, height = trial, higher
    return point


def _factor(curvature: np.ndarray) -> np.ndarray:
    """Return the lower Cholesky factor, of the nearest ridge that has one; else the identity."""
    unit = np.eye(len(curvature))
    for ridge in RIDGES if np.isfinite(curvature).all() else ():
        try:
            return linalg.cholesky(curvature + ridge * unit, lower=True)
        except linalg.LinAlgError:
            continue
    warnings.warn(
        "the log-density does not bend down around the mode that was found, so the sampler walks in"
        " the model's own coordinates: expect it to be slow, and look at the diagnostics",
        RuntimeWarning,
        stacklevel=2,
    )
    return unit
