"""Systems become trajectories with sensitivities; the only floor that knows the integrator."""

from hepaflux.solve.op import Solve as Solve
from hepaflux.solve.trajectory import Trajectory as Trajectory
from hepaflux.solve.trajectory import solve as solve
