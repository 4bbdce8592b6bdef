"""Diacylglycerol: the lipid of the liver that turns on protein kinase C.

It follows the rate at which the liver makes triglyceride, of which it is the last stage, and in
part what triglyceride is held.

Assumes     one pool; its share at membranes, which is what kinases see, does not change
Valid for   days to years
"""

from typing import Any

from hepaflux.parameter import Fixed, Parameter
from hepaflux.systems.fat_tissue import CHOSEN
from hepaflux.systems.inputs import constant
from hepaflux.systems.lipogenesis import PER_DAY
from hepaflux.systems.system import Flux, Input, State, System, fields_type

SAMUEL = "Samuel VT et al. (2004) J Biol Chem 279:32345 (three days of fat, in rats)"

STATES = (State("DAG", "1", "diacylglycerol over that of health"),)
RECORD: Any = fields_type("States", ["DAG"])


def rhs(t: Any, y: Any, p: Any, u: Any) -> Any:
    """Return the time derivative."""
    del t
    made = u.storage_drive * u.content_drive**p.e_L
    return RECORD(DAG=(made - y.DAG) / p.tau_D * PER_DAY)


def initial(p: Any, u: Any) -> Any:
    """Return the state of health, in which time 0 finds it."""
    del p, u
    return RECORD(DAG=1.0)


diacylglycerol = System(
    name="diacylglycerol",
    title="Diacylglycerol of the liver",
    equations=("tau_D dDAG/dt = (storage/storage_before) (L/L_0)^e_L - DAG",),
    references=(SAMUEL,),
    states=STATES,
    parameters=(
        Parameter("e_L", "1", Fixed(0.3), "exponent of diacylglycerol in liver fat", CHOSEN),
        Parameter("tau_D", "day", Fixed(2.0), "time in which diacylglycerol follows", CHOSEN),
    ),
    inputs=(
        Input("storage_drive", "1", "triglyceride made over that before", constant(1.0)),
        Input("content_drive", "1", "triglyceride held over that before", constant(1.0)),
    ),
    outputs=(),
    signals=(Flux("DAG", "1", "diacylglycerol over that of health", lambda y, p, u: y.DAG),),
    rhs=rhs,
    initial=initial,
    conventions=("Diacylglycerol is that of health at time 0.",),
)
