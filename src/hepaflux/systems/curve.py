"""Curve: an input that varies in time, linear between the points at which it is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Curve:
    """A function of time, linear between its points and constant outside them.

    Attributes
    ----------
    time : array (point,), min
        Strictly increasing.
    value : array (point,)
        In the unit of the input.
    """

    time: np.ndarray
    value: np.ndarray

    def __call__(self, time: Any) -> Any:
        """Return the value at one or many times."""
        return np.interp(time, self.time, self.value)
