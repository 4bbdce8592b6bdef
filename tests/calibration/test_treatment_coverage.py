"""Treatments: bands of the months to come hold the truth as often as they say."""

import numpy as np
import pytest
import xarray as xr
from ranks import draw_data, draw_truth
from scipy import stats

import hepaflux as hf
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model
from hepaflux.model.protocols import StandardTest
from hepaflux.study.check import LIVER_FAT

pytestmark = pytest.mark.slow

FALSE_ALARM = 0.005
"""Probability that sound bands fail any check."""

REPLICATES = 40
DAYS = 112.0
SIZES = {"draws": 150, "tune": 200, "chains": 1}


@pytest.fixture(scope="module")
def held():
    """How often bands of 50 and 90 % held liver fat and triglyceride that came, of all people.

    Each person is drawn from the priors, measured twice before treatment, and fitted; the truth is
    followed under the diet, and measured at its end.
    """
    system = hf.systems.liver_fat
    visits = StandardTest((), (), sampled=dict.fromkeys(LIVER_FAT, (-7 * 1440.0, 0.0)))
    study = hf.simulate_study(system, subjects=1, protocol=visits, seed=1).study
    model = hf.build_model(study, system)
    compiled = compile_model(model, keep=[v.name for v in model.free_RVs])
    rng = np.random.default_rng(9)
    found: dict[tuple[str, str, float], list[bool]] = {}
    for replicate in range(REPLICATES):
        truth = draw_truth(model.recipe, rng)
        data = draw_data(model.recipe, truth, rng)
        fitted = nuts.finish(nuts.start(compiled.with_data(**data), **SIZES, seed=replicate))
        variables = {name: (("chain", "draw"), np.reshape(v, (1, 1))) for name, v in truth.items()}
        known = xr.DataTree.from_dict({"posterior": xr.Dataset(variables).assign_coords(
            chain=[0], draw=[0]
        )})  # fmt: skip
        how = {"treatment": "diet", "days": DAYS, "seed": replicate}
        band, course = (hf.predict_treatment(tree, system, **how) for tree in (fitted, known))
        for kind in ("courses", "measured"):
            for name in ("ihtg", "plasma_tg"):
                ends = (tree[kind][name].isel(minutes=-1).values.ravel() for tree in (band, course))
                draws, (value,) = ends
                place = (draws < value).mean()
                for prob in (0.5, 0.9):
                    found.setdefault((kind, name, prob), []).append(abs(place - 0.5) < prob / 2)
    return {key: sum(values) for key, values in found.items()}


def test_bands_hold_what_comes_as_often_as_they_say(held):
    assert len(held) == 8
    p_values = {
        key: stats.binomtest(count, REPLICATES, key[-1]).pvalue for key, count in held.items()
    }
    assert not {k: (held[k], p) for k, p in p_values.items() if p < FALSE_ALARM / len(held)}
