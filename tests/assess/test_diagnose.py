"""The verdict passes what is good and names what is deliberately bad."""

import json

import numpy as np
import pytest
import xarray as xr
from fake_posterior import TRUTH, fake, replaced
from scipy import special

from hepaflux.assess import diagnose
from hepaflux.assess.check import Limits, study_status
from hepaflux.assess.prediction import check_predictions


def the(verdict, name, target=None):
    """The only check of a name (and target)."""
    (found,) = [c for c in verdict.checks if c.name == name and target in (None, c.target)]
    return found


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_a_good_posterior_passes(good):
    verdict = diagnose(good)
    assert verdict.verdict == "pass", str(verdict)
    assert verdict.problems == ()
    assert "every check passed" in str(verdict)


def test_chains_that_disagree_fail(good, rng):
    draws = good["posterior"]["SI"].values * np.array([1, 1, 1, 1.2])[:, None]
    verdict = diagnose(replaced(good, "posterior", SI=draws))
    check = the(verdict, "R-hat")
    assert (check.status, check.target, check.threshold) == ("fail", "SI", 1.01)
    assert check.value > 1.05
    assert "sample longer" in check.advice
    assert verdict.headline.startswith("Do not use these numbers yet: R-hat")


@pytest.mark.parametrize("name", ["effective draws, center", "effective draws, tails"])
def test_few_independent_draws_do_not_pass(good, rng, name):
    sticky = np.repeat(rng.normal(size=(4, 25)), 10, axis=1)
    draws = TRUTH["SI"] * np.exp(0.02 * sticky)
    check = the(diagnose(replaced(good, "posterior", SI=draws)), name)
    assert check.status != "pass"
    assert check.target == "SI"
    assert check.bound == "at least"


@pytest.mark.parametrize(("n", "status"), [(0, "pass"), (2, "warn"), (20, "fail")])
def test_divergences_are_graded_by_their_share(good, n, status):
    diverging = np.zeros(1000, dtype=bool)
    diverging[:n] = True
    tree = replaced(good, "sample_stats", diverging=diverging.reshape(4, 250))
    check = the(diagnose(tree), "divergences")
    assert (check.value, check.status) == (n / 1000, status)


def test_a_saturated_tree_depth_warns_and_never_fails(good):
    tree = replaced(good, "sample_stats", maxdepth_reached=np.full((4, 250), True))
    assert the(diagnose(tree), "tree depth").status == "warn"


@pytest.mark.parametrize(("persistence", "status"), [(0.9, "warn"), (0.99, "fail")])
def test_a_low_energy_fraction_is_flagged(good, rng, persistence, status):
    energy = np.zeros((4, 250))
    for i in range(1, 250):
        step = np.sqrt(1 - persistence**2) * rng.normal(size=4)
        energy[:, i] = persistence * energy[:, i - 1] + step
    assert the(diagnose(replaced(good, "sample_stats", energy=energy)), "E-BFMI").status == status


def test_failed_solves_are_judged_by_their_share(good):
    for failed, status in ((0, "pass"), (3, "pass"), (300, "warn")):
        tree = good.copy()
        tree.attrs = {**good.attrs, "failed_solves": failed}
        assert the(diagnose(tree), "failed solves").status == status


def test_failed_solves_in_the_posterior_fail(good):
    tree = good.copy()
    tree.attrs = {**good.attrs, "failed_in_posterior": 1}
    assert the(diagnose(tree), "failed solves in the posterior").status == "fail"


def test_a_model_that_misses_the_data_fails(good):
    observed = good["observed_data"]["glucose"].values * 1.5
    verdict = diagnose(replaced(good, "observed_data", glucose=observed))
    check = the(verdict, "samples inside their 90% interval")
    assert (check.value, check.status) == (0, "fail")
    assert "0 of 18 samples lie inside" in check.advice
    assert "in 0.5% of studies" in check.advice
    assert the(verdict, "left-out samples fall evenly").status == "warn"


def test_coverage_warns_at_its_stated_rate():
    alarms = 0
    for seed in range(100):
        tree = fake(seed=seed, draws=100, chains=1)
        checks, _ = check_predictions(tree.filter(lambda node: node.name != "log_likelihood"))
        alarms += checks[0].status != "pass"
    assert alarms <= 4  # 100 x at most 0.5 %: more than 4 happen in 1 of 5000 runs of this test


def test_a_censored_sample_counts_as_no_value(good):
    observed = good["observed_data"]["glucose"].values.copy()
    observed[0] = 0.1
    censoring = np.zeros(18, dtype=int)
    tree = replaced(good, "observed_data", glucose=observed)
    without = the(diagnose(tree), "samples inside their 90% interval")
    censoring[0] = 1
    tree = replaced(tree, "constant_data", glucose_censoring=censoring)
    assert the(diagnose(tree), "samples inside their 90% interval").value > without.value


def test_replicates_of_fewer_draws_are_paired_with_their_likelihood(good):
    tree = good.copy()
    fewer = good["posterior_predictive"].to_dataset().assign_coords(draw=range(250))
    for group in ("posterior", "log_likelihood"):
        tree[group] = xr.DataTree(good[group].to_dataset().assign_coords(draw=range(250)))
    tree["posterior_predictive"] = xr.DataTree(fewer.isel(draw=slice(None, None, 2)))
    assert the(diagnose(tree), "left-out samples fall evenly").status == "pass"


def ions_of(scale, *, n=24, seed=3):
    """A composition of three ions whose errors are ``scale`` times as large as the model says."""
    rng = np.random.default_rng(seed)
    mean = np.array([0.7, 0.2, 0.1])
    share = mean[0] + 0.002 * rng.normal(size=(4, 250))
    p = np.stack([share, (1 - share) * 2 / 3, (1 - share) / 3], axis=-1)[:, :, None, :]
    total = 2000.0
    observed = rng.dirichlet(total / scale**2 * mean, size=n)
    gammas = rng.gamma(np.broadcast_to(total * p, (4, 250, n, 3)))
    replicated = gammas / gammas.sum(-1, keepdims=True)
    density = special.gammaln(total) + (
        (total * p - 1) * np.log(observed) - special.gammaln(total * p)
    ).sum(-1)
    dim, names = "palmitate_observation", [f"palmitate_m{i}" for i in range(3)]
    flat = ("chain", "draw", dim)
    tree = fake(chains=4, draws=250, attrs={"priors": json.dumps({"f": "beta"})})
    tree["posterior"] = xr.DataTree(xr.Dataset({"f": (("chain", "draw"), share)}))
    tree["log_likelihood"] = xr.DataTree(xr.Dataset({"palmitate": (flat, density)}))
    parts = {name: (flat, replicated[..., i]) for i, name in enumerate(names)}
    tree["posterior_predictive"] = xr.DataTree(xr.Dataset(parts))
    measured = {name: (dim, observed[:, i]) for i, name in enumerate(names)}
    tree["observed_data"] = xr.DataTree(xr.Dataset(measured))
    tree["constant_data"] = xr.DataTree(xr.Dataset())
    return tree


@pytest.mark.parametrize(("scale", "status"), [(1.0, "pass"), (3.0, "warn")])
def test_the_ions_of_a_fatty_acid_are_left_out_together(scale, status):
    """Errors three times as large as stated leave the middle of all predictions empty."""
    checks, notes = check_predictions(ions_of(scale))
    found = [c for c in checks if c.name == "left-out samples fall evenly"]
    assert [check.status for check in found] == [status]
    assert found[0].target.startswith("palmitate_m")
    assert not notes


def test_ions_that_are_few_for_the_unknowns_are_not_judged():
    """Shares of a whole sum to one: three ions at one time are two values."""
    (note,) = check_predictions(ions_of(1.0, n=1))[1]
    assert "predictions of palmitate were not judged: 2 samples are few" in note


def test_influential_samples_are_named(good, rng):
    likelihood = good["log_likelihood"]["glucose"].values.copy()
    likelihood[..., :3] = -3 * rng.normal(size=(4, 250, 3))
    check = the(
        diagnose(replaced(good, "log_likelihood", glucose=likelihood)), "influential samples"
    )
    assert check.status == "warn"
    assert "S01" in check.advice


def test_leaving_out_is_not_judged_when_samples_are_few(good):
    tree = good.copy()
    few = {"glucose_observation": slice(0, 7)}
    for group in ("observed_data", "constant_data", "log_likelihood", "posterior_predictive"):
        tree[group] = xr.DataTree(good[group].to_dataset().isel(few))
    verdict = diagnose(tree)
    assert any("7 samples are few for 5 unknowns" in note for note in verdict.notes)
    assert not [c for c in verdict.checks if c.name.startswith(("influential", "left-out"))]


def test_a_posterior_like_its_prior_is_not_identified(good, rng):
    draws = good["prior"]["p2"].values.mean() * np.exp(0.55 * rng.normal(size=(4, 250)))
    verdict = diagnose(replaced(good, "posterior", p2=draws))
    check = the(verdict, "identified by the data", "p2")
    assert (check.status, check.threshold) == ("warn", 0.1)
    assert check.value < 0.1
    assert "NOT IDENTIFIED" in check.advice
    assert verdict.undetermined == ("p2",)
    assert "do not determine p2 alone" in verdict.headline


def test_a_narrow_prior_is_an_assumption_and_no_warning(good, rng):
    narrow = TRUTH["V"] * np.exp(0.07 * rng.normal(size=(1, 500)))
    same = TRUTH["V"] * np.exp(0.07 * rng.normal(size=(4, 250)))
    tree = replaced(replaced(good, "prior", V=narrow), "posterior", V=same)
    check = the(diagnose(tree), "identified by the data", "V")
    assert check.status == "pass"
    assert "an assumption, not" in check.advice


def test_what_only_carries_uncertainty_along_is_not_faulted(good, rng):
    draws = good["prior"]["p2"].values.mean() * np.exp(0.55 * rng.normal(size=(4, 250)))
    tree = replaced(good, "posterior", p2=draws)
    tree.attrs["carried"] = json.dumps(["p2"])
    verdict = diagnose(tree)
    check = the(verdict, "identified by the data", "p2")
    assert check.status == "pass"
    assert "no result" in check.advice
    assert not [c for c in verdict.checks if c.name == "power scaling" and c.target == "p2"]


@pytest.mark.parametrize(("share", "status"), [(0.9, "warn"), (0.2, "pass")])
def test_a_result_that_rests_on_others_says_so(good, rng, share, status):
    """SI is the product of a scalar and a vector, but for what is its own."""
    known = rng.normal(size=(4, 250, 3))
    own = rng.normal(size=(4, 250))
    line = np.sqrt(share / 3) * known.sum(axis=-1) + np.sqrt(1 - share) * own
    tree = replaced(good, "posterior", SI=TRUTH["SI"] * np.exp(0.3 * line))
    dataset = tree["posterior"].to_dataset()
    dims = ("chain", "draw")
    dataset["p2"] = (dims, TRUTH["p2"] * np.exp(0.1 * known[..., 0]))
    dataset["kinetics"] = ((*dims, "coordinate"), known[..., 1:])
    tree["posterior"] = xr.DataTree(dataset)
    tree.attrs["rests_on"] = json.dumps({"SI": ["p2", "kinetics", "absent"]})
    check = the(diagnose(tree), "separable", "SI and p2 and kinetics")
    assert check.status == status
    assert check.value == pytest.approx(share, abs=0.05)
    assert ("SI is conditional on p2 and kinetics" in check.advice) == (status == "warn")


@pytest.mark.parametrize(("sign", "combination"), [(-1, "product"), (1, "ratio")])
def test_a_ridge_names_the_pair_and_its_combination(good, rng, sign, combination):
    along, across = rng.normal(size=(2, 4, 250))
    tree = replaced(
        good,
        "posterior",
        SG=TRUTH["SG"] * np.exp(0.1 * along),
        p2=TRUTH["p2"] * np.exp(sign * 0.1 * along + 0.01 * across),
    )
    verdict = diagnose(tree)
    check = the(verdict, "separable")
    assert (check.status, check.target) == ("warn", "SG and p2")
    assert check.value > 0.98
    assert f"correlation {sign * check.value:+.2f}" in check.advice
    assert f"their {combination}" in check.advice
    assert verdict.undetermined == ("SG", "p2")


@pytest.mark.parametrize(("width", "status"), [(0.03, "pass"), (0.1, "warn")])
def test_two_parameters_that_are_both_known_are_told_apart(good, rng, width, status):
    """Known to 3 % each, with correlation -0.98: the ridge is short enough to be no matter."""
    along, across = rng.normal(size=(2, 4, 250))
    tree = replaced(
        good,
        "posterior",
        SG=TRUTH["SG"] * np.exp(width * along),
        p2=TRUTH["p2"] * np.exp(width * (0.2 * across - along)),
    )
    assert the(diagnose(tree), "separable").status == status


@pytest.mark.parametrize("prior_sd", [0.2, 1.0])
def test_a_ridge_is_found_although_the_priors_cut_it_short(good, rng, prior_sd):
    """A normal likelihood with correlation -0.95 and SD 0.2, times independent normal priors."""
    alone = 0.2**2 * np.array([[1.0, -0.95], [-0.95, 1.0]])
    together = np.linalg.inv(np.linalg.inv(alone) + np.eye(2) / prior_sd**2)
    draws = rng.multivariate_normal((0, 0), together, size=(4, 250))
    tree = replaced(
        good,
        "posterior",
        SG=TRUTH["SG"] * np.exp(draws[..., 0]),
        p2=TRUTH["p2"] * np.exp(draws[..., 1]),
    )
    before = np.exp(prior_sd * rng.normal(size=(2, 1, 500)))
    tree = replaced(tree, "prior", SG=TRUTH["SG"] * before[0], p2=TRUTH["p2"] * before[1])
    check = the(diagnose(tree), "separable")
    assert (check.status, check.target) == ("warn", "SG and p2")
    assert check.value == pytest.approx(0.95, abs=0.03)


def test_a_prior_that_drives_the_result_is_flagged(good, rng):
    wide = TRUTH["p2"] * np.exp(0.3 * rng.normal(size=(4, 250)))
    steep = -0.5 * (np.log(wide / TRUTH["p2"]) / 0.3) ** 2
    tree = replaced(replaced(good, "posterior", p2=wide), "log_prior", p2=steep)
    faint = 1e-3 * rng.normal(size=(4, 250, 18))
    check = the(diagnose(replaced(tree, "log_likelihood", glucose=faint)), "power scaling", "p2")
    assert check.status == "warn"
    assert "The prior moves the result more than the data do" in check.advice


def test_flat_densities_have_no_sensitivity_and_do_no_harm(good):
    tree = replaced(good, "log_likelihood", glucose=np.zeros((4, 250, 18)))
    verdict = diagnose(tree)
    assert not [c for c in verdict.checks if c.name == "power scaling"]
    assert any("does not vary" in note for note in verdict.notes)


def test_power_scaling_is_that_of_arviz(good):
    import arviz_stats as azs

    found = the(diagnose(good), "power scaling", "SG").value
    assert found == pytest.approx(float(azs.psense(good, group="prior", var_names=["SG"])["SG"]))


def test_one_bad_subject_among_many_warns_and_is_named(each):
    draws = each["posterior"]["SI"].values.copy()
    draws[0, :, 4] *= 1.3
    check = the(diagnose(replaced(each, "posterior", SI=draws)), "R-hat")
    assert (check.status, check.target) == ("warn", "SI of S04")
    assert "1 of 30 fall short (SI of S04)" in check.advice
    assert len(check.detail) == 30


def test_many_bad_subjects_fail(each):
    draws = each["posterior"]["SI"].values.copy()
    draws[0, :, :5] *= 1.3
    assert the(diagnose(replaced(each, "posterior", SI=draws)), "R-hat").status == "fail"


def test_a_subject_that_is_not_identified_is_named_among_many(each, rng):
    draws = each["posterior"]["p2"].values.copy()
    draws[..., 7] = TRUTH["p2"] * np.exp(0.55 * rng.normal(size=(4, 250)))
    check = the(diagnose(replaced(each, "posterior", p2=draws)), "identified by the data", "p2")
    assert check.status == "pass"
    assert "1 of 30 fall short (S07)" in check.advice


def test_a_single_point_warns_and_says_what_is_missing():
    verdict = diagnose(fake(chains=1, draws=1, attrs={"method": "map"}))
    assert verdict.verdict == "warn"
    assert "no uncertainty" in the(verdict, "method").advice
    assert any("R-hat needs" in note for note in verdict.notes)


def test_an_approximation_warns():
    verdict = diagnose(fake(chains=4, draws=125, attrs={"method": "pathfinder"}))
    check = the(verdict, "method")
    assert (check.status, check.target) == ("warn", "pathfinder")
    assert not [c for c in verdict.checks if c.name in ("R-hat", "effective draws, center")]


def test_a_bare_posterior_is_judged_as_far_as_it_goes(good):
    bare = xr.DataTree.from_dict({"posterior": good["posterior"].to_dataset()})
    verdict = diagnose(bare)
    assert the(verdict, "R-hat").status == "pass"
    assert any("divergences were not judged" in note for note in verdict.notes)
    assert any("no prior draws" in note for note in verdict.notes)


def test_the_record_is_strict_json(each):
    tree = replaced(each, "posterior", SI=np.full((4, 250, 30), np.arange(4)[:, None, None] + 1.0))
    verdict = diagnose(tree)
    record = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    assert record["verdict"] == verdict.verdict
    assert set(record["checks"][0]) == {
        *("name", "target", "value", "threshold", "bound", "status", "advice", "detail")
    }


def test_limits_work_both_ways():
    assert [Limits(1.01, 1.05).grade(v) for v in (1.01, 1.05, 1.06)] == ["pass", "warn", "fail"]
    assert [Limits(400, 100).grade(v) for v in (400, 100, 99)] == ["pass", "warn", "fail"]


def test_a_study_of_separate_fits_is_judged_by_shares():
    assert study_status(["fail"]) == "fail"
    assert study_status(["pass"] * 95 + ["warn"] * 5) == "pass"
    assert study_status(["pass"] * 94 + ["warn"] * 6) == "warn"
    assert study_status(["pass"] * 95 + ["fail"] * 5) == "warn"
    assert study_status(["pass"] * 94 + ["fail"] * 6) == "fail"


@pytest.mark.parametrize(("k", "status"), [(0.3, "pass"), (0.8, "warn"), (1.2, "fail")])
def test_weights_of_an_approximation_are_judged(good, k, status):
    tree = good.copy(deep=True)
    tree["sample_stats"] = xr.DataTree(xr.Dataset({"pareto_k": k}))
    tree.attrs = {**good.attrs, "method": "pathfinder"}
    (check,) = [c for c in diagnose(tree).checks if c.name == "Pareto k of the draws"]
    assert (check.status, check.value, check.threshold) == (status, k, 0.7)
    assert ("sample with method nuts" in check.advice) == (status != "pass")
