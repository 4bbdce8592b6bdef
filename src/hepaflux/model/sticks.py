"""Sticks: coordinates for shares of a whole in which a share near zero has no long tail.

Shares are broken off a stick one after the other; the fraction v that is broken off what remains is
the normal distribution function of a coordinate z. With logarithms or logits a share that the data
only bound from above has an exponential tail, along which a sampler creeps; here the tail falls as
fast as that of a normal variable.
"""

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.distributions.transforms import Transform

ROOT_2 = np.sqrt(2.0)
LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)


class Sticks(Transform):
    """Shares in the last axis as one unbounded coordinate less.

    The shares are written out one by one, so that the compiler makes one function of all of them.

    Parameters
    ----------
    size : int
        How many shares.
    """

    name = "sticks"
    ndim_supp = 1

    def __init__(self, size: int):
        self.size = size

    def forward(self, value: Any, *inputs: Any) -> Any:
        """Return the coordinates of shares."""
        remaining = pt.cumsum(value[..., ::-1], axis=-1)[..., ::-1]
        return -ROOT_2 * pt.erfcinv(2 * value[..., :-1] / remaining[..., :-1])

    def backward(self, value: Any, *inputs: Any) -> Any:
        """Return the shares at coordinates."""
        left = self._left(value)
        broken = [_tail(-value[..., j]) * left[j] for j in range(self.size - 1)]
        return pt.stack([*broken, left[-1]], axis=-1)

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Return the log-determinant of the derivative of ``backward``."""
        parts = zip(range(self.size - 1), self._left(value), strict=False)
        return sum(-0.5 * value[..., j] ** 2 - LOG_ROOT_2PI + pt.log(left) for j, left in parts)

    def _left(self, value: Any) -> list[Any]:
        """Return what is left of the stick before each break, and after the last."""
        left = [pt.ones_like(value[..., 0])]
        for j in range(self.size - 1):
            left.append(left[-1] * _tail(value[..., j]))
        return left


def _tail(value: Any) -> Any:
    """Return the probability that a standard normal variable is larger."""
    return pt.erfc(value / ROOT_2) / 2
