"""Symbols: the functions of equations that no operator stands for, as nodes of graphs."""

import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.scalar.basic import ScalarVariable
from pytensor.tensor.variable import TensorVariable

from hepaflux.systems.smooth import exponential, log1p_exp, logistic

exponential.register(ScalarVariable, ps.exp)
exponential.register(TensorVariable, pt.exp)
logistic.register(ScalarVariable, ps.sigmoid)
logistic.register(TensorVariable, pt.sigmoid)
log1p_exp.register(ScalarVariable, ps.softplus)
log1p_exp.register(TensorVariable, pt.softplus)
