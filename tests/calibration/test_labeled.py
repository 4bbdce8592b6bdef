"""Labeled meals: parameters and flows of virtual people are recovered, as surely as stated.

Ranks of the truth are uniform in one person with a labeled drink, and with two tracers the course
of production and appearance lies inside its bands as often as the bands say.
"""

import numpy as np
import pytest
from ranks import draw_data, draw_truth, p_values, ranks_of
from scipy import stats
from virtual import labeled_meal, study_of

import hepaflux as hf
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model
from hepaflux.model.predict import fluxes
from hepaflux.systems import oral_labeled

pytestmark = pytest.mark.slow

FALSE_ALARM = 0.005
"""Probability that a sound sampler fails any check of one test."""

REPLICATES = 60
CHECKED = ("SI_D", "SG_D", "SI_L", "GE_L", "k_L", "p2", "V", "E_sp")

PEOPLE = 12
TIMES = np.arange(10.0, 300.0, 15)
TOLERANCE = (1e-8, 1e-8)


def test_hepatic_and_peripheral_sensitivity_have_uniform_ranks():
    model = hf.build_model(study_of(labeled_meal()), oral_labeled)
    report = p_values(ranks_of(model, replicates=REPLICATES, seed=5, only=CHECKED))
    checks = sum(len(values) for values in report.values())
    assert not {k: v for k, v in report.items() if min(v) < FALSE_ALARM / checks}


def test_production_and_appearance_stay_inside_their_bands():
    """Nine in ten of all times and people lie inside the 90 % band.

    The truth is drawn from the prior of freely shaped production; times of one person are not
    independent, so each person's share is one observation of a mean that must not be below 0.9.
    """
    system = oral_labeled.with_options(production="free")
    subject = labeled_meal(tracers=("meal_tracer", "egp_tracer"))
    model = hf.build_model(study_of(subject), system)
    compiled = compile_model(model, keep=[v.name for v in model.free_RVs])
    rng = np.random.default_rng(11)
    shares = {"EGP": [], "Ra_meal": []}
    for person in range(PEOPLE):
        truth = draw_truth(model.recipe, rng)
        data = draw_data(model.recipe, truth, rng)
        tree = nuts.sample(
            compiled.with_data(**data), draws=200, tune=300, chains=1, seed=100 + person
        )
        chosen = tree["posterior"].to_dataset().isel(chain=0)
        draws = {name: chosen[name].to_numpy() for name in truth}
        found = fluxes(model.recipe, draws, [TIMES], tolerance=TOLERANCE)
        known = {name: value[None] for name, value in truth.items()}
        right = fluxes(model.recipe, known, [TIMES], tolerance=TOLERANCE)
        for name, inside in shares.items():
            lower, upper = np.quantile(found[name], (0.05, 0.95), axis=0)
            inside.append(np.mean((lower <= right[name][0]) & (right[name][0] <= upper)))
    for inside in shares.values():
        spread = max(np.std(inside, ddof=1), 0.02) / np.sqrt(PEOPLE)
        assert np.mean(inside) > 0.9 + stats.t.ppf(FALSE_ALARM / 2, PEOPLE - 1) * spread
