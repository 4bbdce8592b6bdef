"""From a model to inference data."""

from hepaflux.fitting.compiled import FitError as FitError
from hepaflux.fitting.fit import Method as Method
from hepaflux.fitting.fit import fit as fit
from hepaflux.fitting.fit import fit_each as fit_each
from hepaflux.fitting.hypotheses import fit_figures_hypotheses as fit_figures_hypotheses
from hepaflux.fitting.hypotheses import fit_hypotheses as fit_hypotheses
