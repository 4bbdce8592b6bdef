"""Studies and systems become PyMC models; and back, models become synthetic studies."""

from hepaflux.model.build import build_model as build_model
from hepaflux.model.design import Design as Design
from hepaflux.model.design import DesignError as DesignError
from hepaflux.model.noise import CVFloor as CVFloor
from hepaflux.model.noise import LogNormalNoise as LogNormalNoise
from hepaflux.model.noise import StudentT as StudentT
from hepaflux.model.noise import noise_of as noise_of
