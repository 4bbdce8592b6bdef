"""From a model to inference data."""

from hepaflux.fit.fit import Method as Method
from hepaflux.fit.fit import fit as fit
from hepaflux.fit.fit import fit_each as fit_each
