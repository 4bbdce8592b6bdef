"""Fits of published figures: inference data that can be judged, compared and reported."""

import json

import numpy as np
import pytest
from arviz_stats import loo
from scipy import stats
from scipy.special import logsumexp

import hepaflux as hf
from hepaflux.assess import forest
from hepaflux.fitting.compiled import compile_model
from hepaflux.fitting.fit import kept_variables
from hepaflux.fitting.left_out import WHOLE, _Refits
from hepaflux.model.published import PRIORS

pytestmark = pytest.mark.slow

QUANTITY = "dnl_fraction"
GROUPS = ("healthy", "NAFLD")


@pytest.fixture(scope="module")
def figures():
    return hf.read_figures()


@pytest.fixture(scope="module")
def tree(figures):
    """The bundled figures of lipogenesis in two groups, briefly sampled."""
    model = hf.build_figures_model(figures, QUANTITY, groups=GROUPS)
    return hf.fit(model, draws=400, tune=600, chains=2, seed=1)


@pytest.fixture(scope="module")
def rows(figures):
    return [row for row in figures.of(QUANTITY) if row.group in GROUPS]


def test_the_likelihood_of_every_figure_is_that_of_the_formula(tree, rows):
    """A printed SD is a Nakagami variable: the root of a gamma variable."""
    draw = {"chain": 1, "draw": 123}
    point = tree["posterior"].isel(draw)
    found = tree["log_likelihood"].isel(draw)
    mean, sigma = (point[f"{QUANTITY}_arm_{what}"].to_numpy() for what in ("mean", "sd"))
    with_sd = 0
    for i, row in enumerate(rows):
        error = row.se if row.n is None else sigma[i] / np.sqrt(row.n)
        expected = stats.norm(mean[i], error).logpdf(row.mean)
        assert float(found[f"{QUANTITY}_mean"][i]) == pytest.approx(expected, rel=1e-9)
        if row.sd is not None:
            law = stats.nakagami((row.n - 1) / 2, scale=sigma[i])
            value = float(found[f"{QUANTITY}_sd"][with_sd])
            assert value == pytest.approx(law.logpdf(row.sd), rel=1e-9)
            with_sd += 1
    assert found[f"{QUANTITY}_sd"].size == with_sd


def test_the_prior_density_is_that_of_the_priors(tree):
    for name, law in (
        (QUANTITY, PRIORS[QUANTITY]),
        *((p, None) for p in json.loads(tree.attrs["priors"]) if p != QUANTITY),
    ):
        assert name in tree["log_prior"]
        if law is not None:
            expected = law.distribution().logpdf(tree["posterior"][name].to_numpy())
            assert tree["log_prior"][name].to_numpy() == pytest.approx(expected)


def test_replicates_scatter_as_another_sample_would(tree, rows):
    """Means by sigma / sqrt(n) or the printed error; SDs by their own law around sigma."""
    values = tree["posterior_predictive"]
    expected = tree["expected"]
    mean, sd = f"{QUANTITY}_mean", f"{QUANTITY}_sd"
    sigma = tree["posterior"][f"{QUANTITY}_arm_sd"].to_numpy()
    n = np.array([row.n or np.nan for row in rows], dtype=float)
    printed = np.array([row.se if row.n is None else np.nan for row in rows], dtype=float)
    error = np.where(np.isnan(n), printed, sigma / np.sqrt(n))
    z = (values[mean] - expected[mean]).to_numpy() / error
    assert z.std(axis=(0, 1)) == pytest.approx(np.ones(len(rows)), abs=0.12)
    ratio = (values[sd] / expected[sd]).to_numpy() ** 2
    assert ratio.mean(axis=(0, 1)) == pytest.approx(np.ones(ratio.shape[-1]), abs=0.12)


def test_the_history_tells_what_was_used(tree, rows):
    cited = {row.citation for row in rows}
    assert set(tree.attrs["citation"].split("; ")) == cited
    options = json.loads(tree.attrs["options"])
    assert options["figures"] == len(rows)
    assert options["unverified figures used"] == 0
    assert tree.attrs["study_checksum"] == hf.read_figures().checksum


def test_it_may_be_judged(tree):
    verdict = hf.diagnose(tree)
    assert verdict.verdict != "fail"
    names = {check.name for check in verdict.checks}
    assert {"R-hat", "divergences", "identified by the data"} <= names
    assert "failed solves" not in names


def test_lipogenesis_is_higher_with_a_fatty_liver(tree, rows):
    """As within each study that has both groups; their ratios lie inside the interval."""
    contrast = hf.compare_groups(tree, QUANTITY)
    by_study = {}
    for row in rows:
        by_study.setdefault(row.study, {})[row.group] = row.mean
    ratios = [m["NAFLD"] / m["healthy"] for m in by_study.values() if len(m) == 2]
    assert len(ratios) >= 2
    assert contrast.ratio.lower < min(ratios) <= max(ratios) < contrast.ratio.upper
    assert contrast.probability_of_direction > 0.95
    assert contrast.sentence.startswith("dnl_fraction was")


def test_an_arm_without_a_printed_error_is_as_uncertain_as_its_people_make_it(tree, rows):
    spread = tree["posterior"][f"{QUANTITY}_arm_mean"].std(("chain", "draw")).to_numpy()
    sigma = tree["posterior"][f"{QUANTITY}_arm_sd"].median(("chain", "draw")).to_numpy()
    bare = [i for i, row in enumerate(rows) if row.spread is None]
    assert bare
    for i in bare:
        assert spread[i] == pytest.approx(sigma[i] / np.sqrt(rows[i].n), rel=0.35)


def test_a_run_holds_it_and_its_report_shows_every_figure(tree, tmp_path):
    folder = hf.report(tree, tmp_path / "run")
    again = hf.load_run(folder)
    assert hf.compare_groups(again, QUANTITY).sentence == hf.compare_groups(tree, QUANTITY).sentence
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Published and fitted dnl_fraction" in page
    assert "Diamonds: value of a" in page
    assert "Donnelly" in page


def test_the_forest_has_a_row_for_every_arm_and_group(tree, rows):
    assert forest.quantities(tree) == (QUANTITY,)
    (ax,) = forest.plot_arms(tree, QUANTITY).axes
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert len(labels) == len(rows) + len(GROUPS)
    assert set(GROUPS) <= set(labels)
    assert sum("n not given" in label for label in labels) == sum(row.n is None for row in rows)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter:UserWarning")
def test_leaving_a_figure_out_is_what_a_fit_without_it_says(figures, tree):
    """Of the figure that importance sampling leaves out best; both rest on 800 draws.

    The log of a mean of as many likelihoods, whose logarithms vary by about one half, has an error
    of 0.03 with effective draws half as many: a difference of 0.2 is four or five of them.
    """
    model = hf.build_figures_model(figures, QUANTITY, groups=GROUPS)
    sampling = {"draws": 400, "tune": 600, "chains": 2, "seed": 2}
    compiled = compile_model(model, keep=kept_variables(model))
    refits = _Refits(model, compiled, tree["posterior"].to_dataset(), sampling)
    record = loo(refits.idata_orig, var_name=WHOLE, pointwise=True, reff=1.0)
    best = int(np.argmin(record.pareto_k.to_numpy()))
    assert record.pareto_k[best] < record.good_k
    without, place = refits.sel_observations(best)
    fitted = refits.get_inference_data(refits.sample(without))
    density = refits.log_likelihood__i(place, fitted).to_numpy()
    exact = logsumexp(density) - np.log(density.size)
    assert float(record.elpd_i[best]) == pytest.approx(exact, abs=0.2)
    whole = refits.idata_orig["log_likelihood"][WHOLE][..., best]
    assert float(whole.std()) < 1.0


def test_no_approximation_is_made(figures):
    model = hf.build_figures_model(figures, QUANTITY)
    with pytest.raises(ValueError, match="can be fitted by nuts only, not by laplace"):
        hf.fit(model, method="laplace")
