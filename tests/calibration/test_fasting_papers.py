"""Fasts of papers whose people differ: one paper neither speaks for all nor is overruled.

The truth is known. The people of the only paper that measured glycogen had a third of what is
usual; the other papers measured production and the share of it that is new, by one method, which
is right but might be off.
"""

from dataclasses import replace

import numpy as np
import pytest
from virtual import samples, study_of

import hepaflux as hf
from hepaflux.model import typical_courses
from hepaflux.model.predict import predict
from hepaflux.model.recipe import prepare, separate
from hepaflux.parameter import Fixed
from hepaflux.study.study import Subject

pytestmark = pytest.mark.slow

FASTING = hf.systems.fasting.with_options(method="shifted")
HOUR = 60.0
TYPICAL = {"Gly_4h": 360.0, "GNG_4h": 5e-3}
"""What most papers' people had, on average; all else is taken as known, but for the method."""

SHORT = 0.33
"""Glycogen of the people of one paper, as a share of what is usual."""

SPREAD, ERROR = 0.1, 0.04
"""SD between the other papers, and of the error of a measurement, both of the logarithm."""

GLYCOGEN, FLOWS = HOUR * np.array([4, 8, 12, 17, 22]), HOUR * np.array([14, 20])
OTHERS = 4
MOMENT = 15 * HOUR

SYSTEM = FASTING.with_priors(
    **{
        p.name: Fixed(FASTING.centers[p.name])
        for p in FASTING.unknowns
        if p.name not in (*TYPICAL, "gng_shift")
    }
)


def paper(name, method, **times):
    curves = {analyte: samples(time, 1.0) for analyte, time in times.items()}
    return Subject(name, curves, group=method)


def measured(study, people, rng):
    """Return the study with what was found in the people of each paper, with its error."""
    recipe = separate(prepare(study, SYSTEM))
    means = predict(recipe, {n: v[None] for n, v in people.items()}, tolerance=(1e-8, 1e-8))
    found = [dict(subject.samples) for subject in study.subjects]
    for observed in recipe.observations:
        values = means[observed.output.name][0]
        values = values * np.exp(ERROR * rng.standard_normal(values.shape))
        for i in np.unique(observed.subject):
            own = observed.subject == i
            found[i][observed.output.name] = samples(observed.time[own], values[own])
    return study_of(*(replace(s, samples=f) for s, f in zip(study.subjects, found, strict=True)))


@pytest.fixture(scope="module")
def papers():
    """The paper with little glycogen first, then the others, each with people of its own."""
    flows = {"egp": FLOWS, "gng_fraction": FLOWS}
    first = paper("glycogen", "13C-NMR", liver_glycogen=GLYCOGEN, egp=FLOWS[1:])
    study = study_of(first, *(paper(f"flows {i}", "2H2O", **flows) for i in range(OTHERS)))
    rng = np.random.default_rng(5)
    people = {
        name: value * np.exp(SPREAD * rng.standard_normal(1 + OTHERS))
        for name, value in TYPICAL.items()
    }
    people["Gly_4h"][0] = SHORT * TYPICAL["Gly_4h"]
    return measured(study, people | {"gng_shift": np.zeros(1 + OTHERS)}, rng)


@pytest.fixture(scope="module")
def truth():
    """The new share of the typical fast, at one moment."""
    study = study_of(paper("typical", "2H2O", gng_fraction=[MOMENT]))
    draws = {name: np.array([value]) for name, value in (TYPICAL | {"gng_shift": 0.0}).items()}
    found = predict(prepare(study, SYSTEM), draws, tolerance=(1e-8, 1e-8))
    return float(found["gng_fraction"][0, 0])


@pytest.fixture(scope="module")
def fit(papers):
    """Model and posterior with a level between papers."""
    levels = dict.fromkeys(TYPICAL, "subject") | {"gng_shift": "group"}
    model = hf.build_model(papers, SYSTEM, design=hf.Design(levels=levels))
    return model, hf.fit(model, draws=80, tune=150, chains=2, seed=3)


def test_the_typical_fast_is_found(fit, truth):
    """Of right models the interval misses the truth in one of ten cases; the seed is fixed."""
    share = typical_courses(*fit, [MOMENT], group="2H2O")["GNG_share"]
    lower, upper = share.quantile([0.05, 0.95])
    assert lower < truth < upper


def test_one_paper_neither_speaks_for_all_nor_is_overruled(fit):
    """Its people keep the little glycogen that was measured, and the others have more.

    Each interval misses in one of ten cases. One amount for all cannot be both.
    """
    found = fit[1]["posterior"]
    own, typical = found["Gly_4h"].sel(subject="glycogen"), found["Gly_4h_population"]
    for draws, amount in ((own, SHORT * TYPICAL["Gly_4h"]), (typical, TYPICAL["Gly_4h"])):
        lower, upper = draws.quantile([0.05, 0.95])
        assert lower < amount < upper
    assert float((own < 0.7 * typical).mean()) > 0.95
