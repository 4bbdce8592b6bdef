"""Wires: what insulin does in a liver at rest, by the wire to glucose and by the wire to fat.

Both begin at the insulin of the portal vein. The first closes production and the gate of VLDL; its
sensitivity is one in health. The second drives lipogenesis and feels a deaf first wire by the share
lambda_L: 0 not at all (selective), 1 as much (a block before the wires part). Insulin is that of
plasma, pmol/L.
"""

from typing import Any

from hepaflux.systems.smooth import hill


def open_wire(insulin: Any, sensitivity: Any, p: Any) -> Any:
    """Return the share of production that insulin leaves."""
    return 1 - hill(sensitivity * p.r_P * insulin, p.K_h, p.n_h)


def lipogenic(insulin: Any, sensitivity: Any, p: Any) -> Any:
    """Return what insulin does for lipogenesis, 0 to 1."""
    heard = (1 - p.lambda_L) + p.lambda_L * sensitivity
    return hill(p.r_P * insulin * heard, p.K_S, p.n_S)


def gate(insulin: Any, sensitivity: Any, p: Any) -> Any:
    """Return what insulin leaves of the secretion of triglyceride."""
    return 1 - p.sigma * hill(sensitivity * p.r_P * insulin / p.K_h, 1.0, 1.0)
