"""Bend: a coordinate for a positive number that the data may not tell from zero.

On the logarithm such a number has a narrow peak where the data see it, and below that a shoulder
as wide as the prior, for nothing there is visible any more. No single step suits both. The
coordinate runs as fast as the logarithm far below a threshold, and ``STRETCH`` times as fast far
above it, so that peak and shoulder become about equally wide. The prior and the posterior stay what
they are.
"""

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.distributions.transforms import Transform

STRETCH = 4.0
"""How many times as fast as the logarithm the coordinate runs far above the threshold."""

WIDTH = 1.0
"""Over how much of the logarithm the pace changes."""


class Bend(Transform):
    """A hyperbola with slope 1 far below the threshold and ``STRETCH`` far above it."""

    name = "bend"
    ndim_supp = 0

    def __init__(self, threshold: float):
        """Bend at the logarithm of the threshold."""
        self.corner = float(np.log(threshold))

    def forward(self, value: Any, *inputs: Any) -> Any:
        """Return the coordinate of a logarithm."""
        u = value - self.corner
        return self.corner + u + (STRETCH - 1) / 2 * (u + pt.sqrt(u**2 + WIDTH**2))

    def backward(self, value: Any, *inputs: Any) -> Any:
        """Return the logarithm at a coordinate."""
        v = value - self.corner
        root = pt.sqrt(v**2 + STRETCH * WIDTH**2)
        return self.corner + ((STRETCH + 1) * v - (STRETCH - 1) * root) / (2 * STRETCH)

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Return the logarithm of the derivative of ``backward``."""
        v = value - self.corner
        root = pt.sqrt(v**2 + STRETCH * WIDTH**2)
        return pt.log(((STRETCH + 1) - (STRETCH - 1) * v / root) / (2 * STRETCH))
