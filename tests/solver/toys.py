"""Systems with exact solutions, each as small as the law that it tests."""

from hepaflux.parameter import LogNormal, Parameter
from hepaflux.study.study import Dose, Subject
from hepaflux.systems.system import DoseChannel, State, System, fields_type

Pair = fields_type("Pair", ["a", "b"])
Single = fields_type("Single", ["a"])


def toy(states, parameters, rhs, initial, doses=()):
    return System(
        name="toy",
        title="A toy",
        equations=(),
        references=(),
        states=tuple(State(name, "mmol/kg", "a pool") for name in states),
        parameters=tuple(
            Parameter(name, "1/min", LogNormal(0.1, 0.5), "a rate", "made up")
            for name in parameters
        ),
        inputs=(),
        outputs=(),
        rhs=rhs,
        initial=initial,
        doses=doses,
    )


oscillator = toy(
    ("a", "b"),
    ("w",),
    lambda t, y, p, u: Pair(y.b, -p.w * p.w * y.a),
    lambda p, u: Pair(1.0, 0.0),
)
"""a = cos(w t)"""

exchange = toy(
    ("a", "b"),
    ("out", "back"),
    lambda t, y, p, u: Pair(p.back * y.b - p.out * y.a, p.out * y.a - p.back * y.b),
    lambda p, u: Pair(0.0, 0.0),
    doses=(DoseChannel("glucose", "intravenous", "mmol/kg", lambda p, u: Pair(1.0, 0.0)),),
)
"""Two pools without a leak: what was given is in them."""

explosion = toy(
    ("a",), ("k",), lambda t, y, p, u: Single(p.k * y.a * y.a), lambda p, u: Single(1.0)
)
"""a = 1 / (1 - k t), infinite at 1 / k"""

decay = toy(("a",), ("k",), lambda t, y, p, u: Single(-p.k * y.a), lambda p, u: Single(1.0))
"""a = exp(-k t)"""


def given(*doses):
    """A subject with intravenous doses per kg as (time, amount, duration)."""
    return Subject(
        "S",
        {},
        doses=tuple(
            Dose(time, "glucose", amount, "intravenous", duration, per_kg=True)
            for time, amount, duration in doses
        ),
    )


nothing = given((0.0, 0.0, 0.0))
"""A subject to whom nothing happens, from time 0 on."""
