"""Studies and systems become PyMC models; and back, models become synthetic studies."""

from hepaflux.model.build import build_model as build_model
from hepaflux.model.cohort import simulate_cohort as simulate_cohort
from hepaflux.model.contraction import expected_contraction as expected_contraction
from hepaflux.model.courses import simulated_courses as simulated_courses
from hepaflux.model.design import Design as Design
from hepaflux.model.design import DesignError as DesignError
from hepaflux.model.first_pass import FirstPass as FirstPass
from hepaflux.model.first_pass import first_pass as first_pass
from hepaflux.model.joint import build_joint_model as build_joint_model
from hepaflux.model.missing import Missing as Missing
from hepaflux.model.missing import lose_samples as lose_samples
from hepaflux.model.noise import CVFloor as CVFloor
from hepaflux.model.noise import LogNormalNoise as LogNormalNoise
from hepaflux.model.noise import StudentT as StudentT
from hepaflux.model.noise import noise_of as noise_of
from hepaflux.model.population import HEALTHY as HEALTHY
from hepaflux.model.population import NAFLD as NAFLD
from hepaflux.model.population import Population as Population
from hepaflux.model.published import build_figures_model as build_figures_model
from hepaflux.model.simulate import simulate_study as simulate_study
from hepaflux.model.treatment import predict_treatment as predict_treatment
from hepaflux.model.typical import typical_courses as typical_courses
from hepaflux.model.visits import simulate_visits as simulate_visits
