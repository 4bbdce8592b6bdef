"""Published figures of virtual people: what they were made from is recovered, with coverage.

True values are drawn from the priors, people from the true arms, and each arm prints the mean and
SD of its people as papers do; some print no SD. Every rank of a truth among its posterior draws is
compared with a uniform one. The false-alarm rate of a test is 1e-4 and there are sixteen, so
that a sound sampler fails in one run of six hundred.
"""

import numpy as np
import pytest
from scipy import stats

import hepaflux as hf
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model
from hepaflux.fitting.published import SAMPLING
from hepaflux.parameter import LogNormal
from hepaflux.study import Figure, Figures, Quantity

pytestmark = pytest.mark.slow

REPLICATES, DRAWS, KEPT, BINS = 40, 240, 39, 4
ALARM = 1e-4

RATE = Quantity("rate", "1", "a rate", "positive", 1e-6, 1e6)
PEOPLE = {"One": (12, 9), "Two": (20, 15), "Three": (8, 11), "Four": (14, 10)}
METHODS = {"One": "tracer", "Two": "tracer", "Three": "balance", "Four": "balance"}
BARE = {("Two", "b"), ("Four", "a")}
"""Arms that print no SD."""

PRIORS = {"rate": LogNormal(10.0, 0.8), "rate_person_sd": LogNormal(0.2, 0.3)}
"""People lie close enough together that the mean of an arm is far from zero."""


def layout():
    """Arms of four studies with two groups each; the numbers are put in later."""
    rows = []
    for study, sizes in PEOPLE.items():
        for group, n in zip("ab", sizes, strict=True):
            bare = (study, group) in BARE
            spread = {} if bare else {"spread": 1.0, "spread_kind": "SD"}
            where = {"study": study, "citation": study, "method": METHODS[study]}
            rows.append(Figure("rate", group, mean=10.0, n=n, **where, **spread))
    return Figures("virtual", tuple(rows), (RATE,))


def print_figures(recipe, truth, rng):
    """Draw people of every arm and return the means and SDs that their study prints."""
    (arms,) = recipe.arms
    line = np.log(truth["rate"])[arms.group]
    line += truth["rate_study_spread"] * rng.standard_normal(len(arms.studies))[arms.study]
    line += truth["rate_method_spread"] * rng.standard_normal(len(arms.methods))[arms.method]
    line += truth["rate_arm_spread"] * rng.standard_normal(len(line))
    deviation = truth["rate_person_sd_spread"] * rng.standard_normal(len(line))
    sigma = truth["rate_person_sd"] * np.exp(deviation + line)
    people = [
        rng.normal(mu, sd, size=int(n))
        for mu, sd, n in zip(np.exp(line), sigma, arms.n, strict=True)
    ]
    means = np.array([p.mean() for p in people])
    sds = np.array([p.std(ddof=1) for p in people])
    return means, sds[arms.has_sd]


@pytest.fixture(scope="module")
def recovered():
    """Rank of the truth among thinned draws, by quantity; true and fitted ratio of the groups."""
    model = hf.build_figures_model(layout(), "rate", priors=PRIORS)
    compiled = compile_model(model, keep=[p.name for p in model.recipe.parameters])
    rng = np.random.default_rng(11)
    found, ratios = {}, []
    for replicate in range(REPLICATES):
        truth = {
            p.name: p.prior.distribution().rvs(2 if p.name == "rate" else None, random_state=rng)
            for p in model.recipe.parameters
        }
        means, sds = print_figures(model.recipe, truth, rng)
        tree = nuts.sample(
            compiled.with_data(rate_mean_measured=means, rate_sd_measured=sds),
            draws=DRAWS,
            tune=250,
            chains=1,
            seed=replicate,
            **SAMPLING,
        )
        draws = tree["posterior"].isel(chain=0, draw=np.linspace(0, DRAWS - 1, KEPT).astype(int))
        values = {name: draws[name].to_numpy() for name in truth}
        values["ratio"] = values["rate"][:, 1] / values["rate"][:, 0]
        truth["ratio"] = truth["rate"][1] / truth["rate"][0]
        ratios.append((truth["ratio"], np.median(values["ratio"])))
        for name, value in truth.items():
            below = np.atleast_1d((values[name] < value).sum(axis=0))
            for j, rank in enumerate(below):
                found.setdefault(f"{name}{j if below.size > 1 else ''}", []).append(rank)
    return {name: np.array(values) for name, values in found.items()}, np.array(ratios)


def test_intervals_cover_and_ranks_are_even(recovered):
    report = {}
    for name, values in recovered[0].items():
        counts = np.bincount(values * BINS // (KEPT + 1), minlength=BINS)
        u = (values + 0.5) / (KEPT + 1)
        inside = int((np.abs(u - 0.5) < 0.45).sum())
        report[name] = (
            stats.chisquare(counts).pvalue,
            stats.binomtest(inside, len(u), 0.9).pvalue,
        )
    assert len(report) == 8
    assert not {name: values for name, values in report.items() if min(values) < ALARM}


def test_the_ratio_of_groups_is_learned(recovered):
    """Fitted ratios follow the true ones, which span a factor of ten."""
    true, fitted = np.log(recovered[1]).T
    assert np.corrcoef(true, fitted)[0, 1] > 0.9
    assert np.polyfit(true, fitted, 1)[0] == pytest.approx(1.0, abs=0.2)
