"""Phosphosites of liver: what leads from an injection of insulin to Akt, and what of it they reach.

The truth of a synthetic table in the layout of the published one is recovered where it is reached;
the published table is fitted where a copy is at hand. The normal approximation at the mode stands
for the posterior; the notebook on the two wires samples it. Three sites and eight unknown rates are
enough here, and compile in a third of the time. The page of ``signaling`` has the command, which
another test types.
"""

import csv
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.model import noise_of
from hepaflux.parameter import Fixed
from hepaflux.phosphosites import READ

pytestmark = pytest.mark.slow

OPTIONS = {"insulin": "injected", "measured": "phosphosites", "unknowns": "cascade"}
CASCADE = hf.systems.signaling.with_options(**OPTIONS)
BEGIN = hf.study.Dose(0.0, "glucose", 0.0, "oral", per_kg=True)
NOBODY = hf.study.Subject("livers", {}, (BEGIN,))

EXPERIMENTS = {
    "early": (range(7, 11), [0, 5 / 60, 10 / 60, 15 / 60, 0.5]),
    "intermediate": (range(1, 7), [0, 0.5, 1, 2, 3, 4, 6, 10]),
}
"""Livers of each time, and times, min."""

SEEN = ("akt1s1", "foxo3", "gsk3a")
"""Genes whose sites are fitted."""

ANALYTES = {site.analyte: site.label for site in READ if site.gene in SEEN}

KNOWN = ("K_R", "k_off", "k_in", "k_back")
"""Rates that are not sought."""

TRUTH = {"k_PIP3": 2.0, "k_Akt": 1.0, "K_Akt": 0.8, "I_peak": 2e4, "k_I": 0.35}
"""What differs from the medians of the priors."""

NOISE = 0.2
REACHED = ("k_PIP3", "k_Akt", "k_I")
UNREACHED = ("Y", "k_off_in")
"""By livers of one injection: no dose was varied, and the inside pool is small."""

ALARM = 3.5
"""Distance from the truth, in posterior SDs; three sound ones exceed it in one of 700 cases."""


def course(times, **changes):
    """Return every site over its full signal and background, of a liver that is all known."""
    values = {**CASCADE.centers, **changes}
    known = CASCADE.with_priors(**{n: Fixed(v) for n, v in values.items()})
    solved = hf.solve(known, {}, NOBODY, times=times)
    y, p = SimpleNamespace(**solved.states), SimpleNamespace(**known.centers)
    return {o.name: o.value(y, p, SimpleNamespace()) for o in known.outputs}


def write_livers(path, seed):
    """Write log2 ratios over basal as the published table holds them."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        columns = ("phosphosite", "time_min", "replicate_mouse", "log2_ratio_normalised")
        table.writerow(columns)
        for livers, times in EXPERIMENTS.values():
            found = course(times, **TRUTH)
            for analyte, values in ((name, found[name]) for name in ANALYTES):
                for time, ratio in zip(times, values / values[0], strict=True):
                    for liver in livers:
                        measured = (np.log(ratio) + NOISE * rng.standard_normal()) / np.log(2)
                        table.writerow((ANALYTES[analyte], time, f"Bio{liver}", measured))
    return path


def narrowed(posterior):
    checks = hf.diagnose(posterior).checks
    return {c.target: c.value for c in checks if c.name == "identified by the data"}


def fit(study, levels):
    """Fit three sites of a study."""
    genes = {site.gene for site in READ} - set(SEEN)
    unseen = [f"{kind}_{gene}" for kind in ("scale", "background") for gene in genes]
    known = {name: Fixed(CASCADE.centers[name]) for name in (*KNOWN, *unseen)}
    system = CASCADE.with_priors(**known)
    noise = {o.name: noise_of(o, "lognormal") for o in system.outputs if o.name in ANALYTES}
    design = hf.Design(levels, others="shared")
    model = hf.build_model(study, system, design=design, noise=noise)
    return hf.fit(model, method="laplace", draws=500, seed=1)


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    table = write_livers(tmp_path_factory.mktemp("livers") / "livers.csv", seed=1)
    return fit(hf.read_study(table), {})


def test_what_is_reached_is_recovered(synthetic):
    for name in REACHED:
        draws = np.log(synthetic["posterior"][name].values)
        assert abs(draws.mean() - np.log(TRUTH[name])) < ALARM * draws.std(), name


def test_it_is_said_what_is_reached_and_what_is_not(synthetic):
    found = narrowed(synthetic)
    assert all(found[name] > 0.4 for name in REACHED)
    assert all(found[name] < 0.25 for name in UNREACHED)


def test_livers_of_mice(mouse_livers):
    """Humphrey 2015. The sites reach how fast insulin leaves and Akt follows, not ``Y``.

    Their errors are 40 to 90 % of the value, several times those of blots; most values lie within
    the interval that should hold 90 %.
    """
    study = hf.read_study(mouse_livers)
    livers = [
        replace(one, samples={name: one.samples[name] for name in ANALYTES})
        for one in study.subjects
    ]
    levels = {f"scale_{gene}": "group" for gene in SEEN}
    posterior = fit(replace(study, subjects=tuple(livers)), levels)
    found = narrowed(posterior)
    assert found["k_I"] > 0.5
    assert found["k_Akt"] > 0.3
    assert found["Y"] < 0.1
    for analyte in ANALYTES:
        replicated = posterior["posterior_predictive"][analyte]
        low, high = replicated.quantile((0.05, 0.95), ("chain", "draw")).values
        value = posterior["observed_data"][analyte].values
        assert np.mean((value >= low) & (value <= high)) > 0.8, analyte
