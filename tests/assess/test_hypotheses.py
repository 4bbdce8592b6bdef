"""Ranking hypotheses: known likelihoods lead to known sentences."""

import numpy as np
import pytest
import xarray as xr
from fake_posterior import fake

import hepaflux as hf
from hepaflux.assess import ComparisonError, render_report

PEOPLE = [f"S{i:02d}" for i in range(30)]


def fit(name, likelihood, *, people=PEOPLE, free=None, points=90.0):
    """Inference data with given likelihoods (draw, person), and with a free selectivity."""
    draws = np.asarray(likelihood, dtype=float)[None]
    coords = {"chain": [0], "draw": np.arange(draws.shape[1]), "subject": people}
    values = xr.DataArray(draws, coords, ("chain", "draw", "subject"))
    posterior = {"other": values.isel(subject=0, drop=True)}
    groups = {}
    if free is not None:
        posterior["lambda_L"] = (("chain", "draw"), free[None])
        prior = np.random.default_rng(0).uniform(size=(1, 1000))
        groups["/prior"] = xr.Dataset({"lambda_L": (("chain", "draw"), prior)})
    groups |= {
        "/posterior": xr.Dataset(posterior),
        "/person_log_likelihood": xr.Dataset(
            {"person": values, "effective_points": xr.zeros_like(values) + points}
        ),
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["hypothesis_says"] = f"{name} it is"
    return tree


def fits(lead, *, seed=1, free=None):
    """Two hypotheses; the first predicts each person better by ``lead`` on average."""
    rng = np.random.default_rng(seed)
    person = rng.normal(-3, 1, size=len(PEOPLE))
    gain = lead + 0.2 * rng.standard_normal(len(PEOPLE))
    noise = 0.05 * rng.standard_normal((2, 400, len(PEOPLE)))
    found = {
        "first": fit("first", person + gain + noise[0]),
        "second": fit("second", person + noise[1]),
    }
    if free is not None:
        found["free"] = fit("free", person + noise[0], free=free)
    return found


def test_a_clear_lead_is_said_to_be_one():
    ranking = hf.compare_hypotheses(fits(1.0))
    assert ranking.best == "first"
    assert ranking.is_clear
    assert ranking.standings[1].lead == pytest.approx(-30, abs=3)
    # Its standard error is that of a sum of 30 differences with a spread of 0.2.
    assert ranking.standings[1].lead_se == pytest.approx(0.2 * np.sqrt(30), rel=0.4)
    assert ranking.standings[0].weight > 0.9
    assert "first it is predicted people left out best" in ranking.sentence
    assert "With 30 people the standard errors are themselves uncertain." in ranking.sentence


@pytest.mark.parametrize("lead", [0.0, 0.05])
def test_a_small_lead_decides_nothing(lead):
    """Also where it is many standard errors: below 4 in all these cannot be trusted."""
    ranking = hf.compare_hypotheses(fits(lead))
    assert not ranking.is_clear
    assert "cannot decide between" in ranking.sentence


def test_the_free_fit_tells_selectivity_and_is_not_ranked():
    near_one = np.random.default_rng(2).beta(30, 2, size=400)
    ranking = hf.compare_hypotheses(fits(1.0, free=near_one))
    assert {one.name for one in ranking.standings} == {"first", "second"}
    assert ranking.selectivity.median == pytest.approx(np.median(near_one))
    assert ranking.below_half < 0.01
    assert ranking.narrowed > 0.9
    assert "Left free, lambda_L was 0.9" in ranking.sentence


def test_people_on_whom_few_points_fell_are_counted():
    """Two of the second hypothesis: below 25 points in more than half of the draws."""
    both = fits(1.0)
    assert [one.unreliable for one in hf.compare_hypotheses(both).standings] == [0, 0]
    points = both["second"]["person_log_likelihood"]["effective_points"]
    points[:, :201, :2] = 20.0
    points[:, :199, 2] = 20.0
    ranking = hf.compare_hypotheses(both)
    assert {one.name: one.unreliable for one in ranking.standings} == {"first": 0, "second": 2}
    assert "2 of the estimates rest on few draws or points" in ranking.sentence


def test_a_posterior_as_wide_as_its_prior_is_called_silent():
    flat = np.random.default_rng(2).uniform(size=400)
    assert "hardly narrowed" in hf.compare_hypotheses(fits(0.0, free=flat)).sentence


def test_what_cannot_be_compared_is_refused():
    both = fits(1.0)
    with pytest.raises(ComparisonError, match="two hypotheses are needed, but there is first"):
        hf.compare_hypotheses({"first": both["first"]})
    others = fit("third", np.zeros((400, 30)), people=[f"T{i}" for i in range(30)])
    with pytest.raises(ComparisonError, match="third was fitted to other data than first"):
        hf.compare_hypotheses({**both, "third": others})
    # The same names, but other measurements.
    both["second"].attrs["study_checksum"] = "cd34"
    with pytest.raises(ComparisonError, match="second was fitted to other data than first"):
        hf.compare_hypotheses(both)
    del both["second"].attrs["study_checksum"]
    with pytest.raises(ComparisonError, match="plain has no likelihood of people or figures"):
        hf.compare_hypotheses({**both, "plain": fake()})


def figure_fits(leads, *, k=0.2, refitted=False):
    """Two hypotheses, by how much better the first predicts each figure."""
    found = {}
    for name, elpd in (("first", np.asarray(leads)), ("second", np.zeros(len(leads)))):
        numbers = np.arange(len(leads))
        columns = {
            "elpd": elpd - 2.0,
            "pareto_k": np.full(len(leads), k),
            "refitted": np.full(len(leads), refitted),
            "quantity": np.where(numbers % 2, "liver_fat", "dnl_fraction"),
            "label": numbers.astype(str),
        }
        record = xr.Dataset({n: ("figure", column) for n, column in columns.items()})
        record.attrs = {"good_k": 0.6, "draws": 400}
        posterior = xr.Dataset({"other": (("chain", "draw"), np.zeros((1, 4)))})
        groups = {"/posterior": posterior, "/figures_left_out": record}
        found[name] = xr.DataTree.from_dict(groups)
        found[name].attrs["hypothesis_says"] = f"{name} it is"
    return found


def test_figures_are_ranked_by_what_was_found_when_each_was_left_out():
    leads = 1.0 + 0.2 * np.random.default_rng(3).standard_normal(30)
    ranking = hf.compare_hypotheses(figure_fits(leads))
    assert ranking.is_clear
    assert (ranking.kind, ranking.left_out) == ("figures", 30)
    assert ranking.standings[0].elpd == pytest.approx(leads.sum() - 60)
    assert ranking.standings[1].lead == pytest.approx(-leads.sum())
    assert ranking.standings[1].lead_se == pytest.approx(np.sqrt(30) * leads.std())
    assert "first it is predicted figures left out best" in ranking.sentence
    assert "With 30 figures the standard errors are themselves uncertain." in ranking.sentence
    page = render_report(hf.with_ranking(fake(), ranking))
    assert "Expected log density (elpd) of 30 figures, each" in page


def test_a_figure_is_badly_estimated_unless_it_was_fitted_without():
    leads = np.linspace(0.5, 1.5, 10)
    for refitted, bad in ((False, 10), (True, 0)):
        ranking = hf.compare_hypotheses(figure_fits(leads, k=0.9, refitted=refitted))
        assert [one.unreliable for one in ranking.standings] == [bad, bad]


def test_people_and_figures_are_not_compared():
    mixed = {"people": fits(1.0)["first"], "figures": figure_fits(np.zeros(30))["first"]}
    with pytest.raises(ComparisonError, match="figures was fitted to other data than people"):
        hf.compare_hypotheses(mixed)


def test_the_report_shows_the_ranking():
    ranking = hf.compare_hypotheses(fits(1.0))
    page = render_report(hf.with_ranking(fake(), ranking))
    assert "Rival hypotheses" in page
    assert "first it is" in page
    assert "cannot decide" not in page
    assert "Rival hypotheses" not in render_report(fake())
