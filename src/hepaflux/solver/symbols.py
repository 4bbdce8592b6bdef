"""Symbols: the functions of equations that no operator stands for, as nodes of graphs."""

import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.scalar.basic import ScalarVariable
from pytensor.tensor.variable import TensorVariable

from hepaflux.systems.smooth import log1p_exp

log1p_exp.register(ScalarVariable, ps.softplus)
log1p_exp.register(TensorVariable, pt.softplus)
