"""Smooth nonlinear functions that run on everything the equations run on.

Equations run on floats, arrays, symbols and quantities with units. Powers are an operator on all of
these; exponentials and logarithms are not, so ``exponential``, ``logistic`` and ``log1p_exp``
choose by the type of their argument. The floor that knows the symbols adds theirs.
"""

from functools import singledispatch
from typing import Any

import numpy as np


@singledispatch
def exponential(x: Any) -> Any:
    """Return exp(x) of a number, array or dimensionless quantity."""
    return np.exp(x)


@singledispatch
def logistic(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)) of a number, array or dimensionless quantity, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


@singledispatch
def log1p_exp(x: Any) -> Any:
    """Return log(1 + exp(x)) of a number, array or dimensionless quantity, without overflow."""
    return np.logaddexp(0.0, x)


def softplus(x: Any, scale: Any) -> Any:
    """Return x where it is far above zero, zero where it is far below, and a smooth bend between.

    Parameters
    ----------
    x : array
        Any unit.
    scale : float > 0, unit of x
        Width of the bend: the result exceeds max(x, 0) by ``scale`` log 2 at x = 0, and by less
        than 1 % of ``scale`` where abs(x) is above 5 ``scale``.
    """
    return scale * log1p_exp(x / scale)


def rectified(x: Any, scale: Any) -> Any:
    """Return x where it is far above zero, zero where it is far below, and exactly zero at zero.

    For rates that are zero at rest, where ``softplus`` would leave a small rest.

    Parameters
    ----------
    x : array
        Any unit.
    scale : float > 0, unit of x
        Width of the bend, in which the result falls at most 0.28 ``scale`` below zero.
    """
    return x * logistic(x / scale)


def between(x: Any, lowest: Any, highest: Any, scale: Any) -> Any:
    """Return x far within two bounds, and the nearer bound far outside of them.

    Parameters
    ----------
    x : array
        Any unit.
    lowest, highest : float, unit of x
        The bounds.
    scale : float > 0, unit of x
        Width of the bend at either bound.
    """
    return lowest + softplus(x - lowest, scale) - softplus(x - highest, scale)


def positive_part(x: Any) -> Any:
    """Return x where it is above zero, else zero; for round-off below zero, since it has a kink."""
    return 0.5 * (x + abs(x))


def power(x: Any, n: Any) -> Any:
    """Return x to the power n; zero where x, by round-off, is below zero.

    Parameters
    ----------
    x : array
        Dimensionless.
    n : float > 0
    """
    return positive_part(x) ** n


LEAST = 1e-18
"""Added to what is raised to a power: at zero the second derivative of a power below two, which the
implicit method takes, has no value. Beside any other value it is lost in rounding."""


def hill(x: Any, half: Any, n: Any) -> Any:
    """Return the saturable response x^n / (half^n + x^n), between 0 and 1.

    Parameters
    ----------
    x : array
        At least zero.
    half : float > 0, unit of x
        Where the response is one half.
    n : float > 0
        Steepness (Hill coefficient).
    """
    raised = power(x / half + LEAST, n)
    return raised / (1 + raised)
