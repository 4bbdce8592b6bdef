"""Virtual subjects with known inputs, for tests of every floor above the study."""

import numpy as np

from hepaflux.study.study import Dose, Samples, Study, Subject

IVGTT = np.array([0, 2, 4, 8, 10, 14, 19, 22, 27, 32, 42, 52, 62, 82, 102, 122, 142, 182.0])
OGTT = np.array([0, 10, 20, 30, 45, 60, 90, 120, 150, 180.0])

TRUTH = {
    "minimal": {"SI": 6e-5, "SG": 0.02, "p2": 0.03, "V": 0.17},
    "oral": {
        "SI": 1.1e-4,
        "SG": 0.026,
        "p2": 0.013,
        "V": 0.15,
        "absorption": np.array([0.06, 0.2, 0.19, 0.16, 0.15, 0.24]),
    },
}
"""One plausible set of parameters of each system; the knots of ``oral`` are those of ``OGTT``."""


def samples(time, value, censoring="none"):
    time = np.asarray(time, dtype=float)
    return Samples(time, np.broadcast_to(value, time.shape), np.broadcast_to(censoring, time.shape))


def insulin(time, *, basal=45.0, size=1.0):
    early, late = np.asarray(time) / 4.0, np.asarray(time) / 40.0
    shape = 300 * early**2 * np.exp(2 * (1 - early)) + 180 * late**2 * np.exp(2 * (1 - late))
    return basal + size * shape


def ivgtt(name="S1", *, time=IVGTT, glucose=None, size=1.0, **fields):
    """A subject with an intravenous bolus at 0; glucose falls from 15 if it is not given."""
    value = 5.0 + 10 * np.exp(-0.03 * time) * (time > 0) if glucose is None else glucose
    fields = {"doses": (Dose(0.0, "glucose", 1.7, "intravenous", per_kg=True),), **fields}
    curves = {"glucose": samples(time, value), "insulin": samples(time, insulin(time, size=size))}
    return Subject(name, curves, **fields)


def ogtt(name="S1", *, time=OGTT, glucose=None, size=1.0, **fields):
    """A subject who drinks 75 g of glucose at 0."""
    value = 5.0 + 3 * time / 45 * np.exp(1 - time / 45) if glucose is None else glucose
    fields = {"doses": (Dose(0.0, "glucose", 416.3, "oral"),), "weight": 72.0, **fields}
    curves = {"glucose": samples(time, value), "insulin": samples(time, insulin(time, size=size))}
    return Subject(name, curves, **fields)


def subject_for(system, name="S1", **fields):
    return (ivgtt if system.name == "minimal" else ogtt)(name, **fields)


def study_of(*subjects):
    return Study("test", tuple(subjects))


def adapted(system, subject=None):
    """The system with the knots of a subject's protocol."""
    return system.for_study(study_of(subject or subject_for(system)))


def prior_draw(system, rng):
    """One draw of a system's unknowns from their priors."""
    draws = {}
    for parameter in system.unknowns:
        value = parameter.prior.distribution().rvs(random_state=rng)
        draws[parameter.name] = np.asarray(value)[0] if parameter.axis else float(value)
    return draws
