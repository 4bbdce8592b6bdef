"""Systems with fast and slow states, and what SciPy's Radau method finds for them."""

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp
from toys import toy

from hepaflux.systems.smooth import exponential
from hepaflux.systems.system import DoseChannel, fields_type

Triple = fields_type("Triple", ["a", "b", "c"])
Chain = fields_type("Chain", [f"x{i}" for i in range(1, 8)])

robertson = toy(
    ("a", "b", "c"),
    ("slow", "fast", "back"),
    lambda t, y, p, u: Triple(
        p.back * y.b * y.c - p.slow * y.a,
        p.slow * y.a - p.back * y.b * y.c - p.fast * (y.b * y.b),
        p.fast * (y.b * y.b),
    ),
    lambda p, u: Triple(1.0, 0.0, 0.0),
)
"""Three substances that turn into each other, with nine powers of ten between the rates (Robertson
HH 1966, in Walsh J (ed) Numerical analysis: an introduction)."""

ROBERTSON = {"slow": 0.04, "fast": 3e7, "back": 1e4}

signaling = toy(
    ("a", "b", "c"),
    ("on", "off", "feedback", "steep"),
    lambda t, y, p, u: Triple(
        p.on * (1 - y.a) / (1 + p.feedback * y.c) - 10.0 * y.a,
        p.off * (y.a**p.steep / (0.2**p.steep + y.a**p.steep) - y.b),
        1e-3 * (y.b * exponential(-0.001 * t) - y.c),
    ),
    lambda p, u: Triple(0.01, 0.0, 0.0),
)
"""A receptor, a switch and a slow feedback, under a drive that fades."""

SIGNALING = {"on": 30.0, "off": 0.7, "feedback": 8.0, "steep": 2.5}

DAYS = 1440.0
CONSTANTS = np.array([0.1, 1.0, 10.0, 120.0, DAYS, 10 * DAYS, 100 * DAYS])
"""Time constants of the chain, min."""


def chain_rates(t, y, p, u):
    """Each pool flows into the next; a part of what leaves the last comes back."""
    flows = [getattr(p, f"k{i}") * getattr(y, f"x{i}") for i in range(1, 8)]
    return Chain(0.3 * flows[6] - flows[0], *(a - b for a, b in pairwise(flows)))


chain = toy(
    Chain._fields,
    [f"k{i}" for i in range(1, 8)],
    chain_rates,
    lambda p, u: Chain(*[0.0] * 7),
    doses=(DoseChannel("glucose", "intravenous", "mmol/kg", lambda p, u: Chain(1.0, *[0.0] * 6)),),
)
"""A linear cascade of seven pools, from 0.1 min to 100 days."""

CHAIN = {f"k{i}": float(1 / c) for i, c in enumerate(CONSTANTS, start=1)}


def radau(system, parameters, times, rtol=1e-10, atol=1e-13):
    """Return the states at some times from 0 on, as an array (time, state)."""
    p = fields_type("P", list(parameters))(**parameters)
    record = fields_type("Y", [s.name for s in system.states])
    solved = solve_ivp(
        lambda t, y: np.array(system.rhs(t, record(*y), p, None), dtype=float),
        (0.0, times[-1]),
        np.array(system.initial(p, None), dtype=float),
        "Radau",
        times,
        rtol=rtol,
        atol=atol,
    )
    assert solved.success
    return solved.y.T
