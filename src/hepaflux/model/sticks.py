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
    """Shares in the last axis, K of them, as K - 1 unbounded coordinates."""

    name = "sticks"
    ndim_supp = 1

    def forward(self, value: Any, *inputs: Any) -> Any:
        """Return the coordinates of shares."""
        remaining = pt.cumsum(value[..., ::-1], axis=-1)[..., ::-1]
        return -ROOT_2 * pt.erfcinv(2 * value[..., :-1] / remaining[..., :-1])

    def backward(self, value: Any, *inputs: Any) -> Any:
        """Return the shares at coordinates."""
        left = _left(value)
        broken = pt.erfc(-value / ROOT_2) / 2
        return pt.concatenate([broken * left[..., :-1], left[..., -1:]], axis=-1)

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Return the log-determinant of the derivative of ``backward``."""
        density = -0.5 * value**2 - LOG_ROOT_2PI
        return pt.sum(density + pt.log(_left(value)[..., :-1]), axis=-1)


def _left(value: Any) -> Any:
    """Return what is left of the stick before each break, and after the last."""
    kept = pt.erfc(value / ROOT_2) / 2
    whole = pt.ones_like(value[..., :1])
    return pt.concatenate([whole, pt.cumprod(kept, axis=-1)], axis=-1)


sticks = Sticks()
