"""Systems become trajectories with sensitivities; the only floor that knows the integrator."""

from hepaflux.solver import symbols as symbols
from hepaflux.solver.op import Solve as Solve
from hepaflux.solver.trajectory import Trajectory as Trajectory
from hepaflux.solver.trajectory import solve as solve
