"""Known inputs give known contrasts."""

import json

import numpy as np
import pytest
import xarray as xr
from fake_posterior import fake
from scipy import stats

from hepaflux.assess import Comparison, ComparisonError, compare_groups
from hepaflux.assess.compare import overlap

N = (4, 2500)


def quantiles(center, sd, *, log=False):
    """Draws of a normal whose empirical quantiles are exact, so that results have closed forms."""
    draws = stats.norm(center, sd).ppf((np.arange(N[0] * N[1]) + 0.5) / (N[0] * N[1]))
    draws = (
        np.random.default_rng(int(abs(center * 1000)) + int(sd * 100)).permutation(draws).reshape(N)
    )
    return np.exp(draws) if log else draws


def by_group(name, **draws):
    """A tree with one variable by group."""
    values = np.stack(list(draws.values()), axis=-1)
    tree = fake(subjects=list(draws), groups=list(draws), chains=1, draws=2)
    dims = ("chain", "draw", "group")
    posterior = xr.Dataset({name: (dims, values)}, coords={"group": list(draws)})
    return tree.assign(posterior=xr.DataTree(posterior))


def contrast_of(name="SI", **draws):
    return compare_groups(by_group(name, **draws), name)


@pytest.fixture(scope="module")
def normal():
    """Two normal posteriors, a standard deviation each, 1 apart, around zero."""
    return contrast_of("GEZI", a=quantiles(-0.25, 1.0), b=quantiles(0.75, 1.0))


@pytest.fixture(scope="module")
def log_normal():
    """Two log-normal posteriors; the ratio of b to a has log mean -0.7 and log SD 0.1 sqrt 2."""
    return contrast_of(a=quantiles(-9.9, 0.1, log=True), b=quantiles(-10.6, 0.1, log=True))


def test_difference_and_its_interval(normal):
    spread = stats.norm.ppf(0.95) * np.sqrt(2)
    assert normal.difference.median == pytest.approx(1.0, abs=0.05)
    assert normal.difference.lower == pytest.approx(1.0 - spread, abs=0.08)
    assert normal.difference.upper == pytest.approx(1.0 + spread, abs=0.08)
    assert normal.ratio is None
    assert normal.rope is None


def test_probability_of_direction(normal):
    expected = stats.norm.cdf(1 / np.sqrt(2))
    assert normal.probability_of_direction == pytest.approx(expected, abs=0.015)


def test_overlap_of_two_normals(normal):
    assert normal.overlap == pytest.approx(2 * stats.norm.cdf(-0.5), abs=0.02)


def test_overlap_is_one_with_itself_and_zero_far_away():
    draws = quantiles(0.0, 1.0).ravel()
    assert overlap(draws, draws) == pytest.approx(1.0, abs=0.01)
    assert overlap(draws, draws + 20) == pytest.approx(0.0, abs=1e-6)
    assert overlap(np.ones(9), np.ones(9)) == 1
    assert overlap(np.ones(9), np.zeros(9)) == 0


def test_ratio_and_its_interval(log_normal):
    spread = stats.norm.ppf(0.95) * 0.1 * np.sqrt(2)
    expected = np.exp([-0.7, -0.7 - spread, -0.7 + spread])
    np.testing.assert_allclose(log_normal.ratio, expected, rtol=0.01)
    assert log_normal.probability_in_rope == pytest.approx(0.0, abs=1e-3)


def test_the_sentence_can_be_quoted(log_normal):
    assert log_normal.sentence == (
        "SI was 50 % lower in b than in a (group value 2.49e-05 vs 5.02e-05 L/pmol/min; ratio "
        f"{log_normal.ratio.median:.3g}, 90 % CI {log_normal.ratio.lower:.3g} to "
        f"{log_normal.ratio.upper:.3g}; probability of direction > 0.999)."
    )


@pytest.mark.parametrize(
    ("shift", "sd", "words"),
    [
        (0.2, 0.5, "did not clearly differ between b and a"),
        (0.01, 0.02, "was practically equal in b and a"),
        (1.2, 0.1, "was 3.32 times as high in b as in a"),
        (0.4, 0.1, "was 49 % higher in b than in a"),
    ],
)
def test_the_sentence_claims_no_more_than_the_posterior(shift, sd, words):
    pair = contrast_of(a=quantiles(1.0, sd, log=True), b=quantiles(1.0 + shift, sd, log=True))
    assert words in pair.sentence


def test_a_quantity_that_may_be_negative_is_compared_by_difference():
    pair = contrast_of("GEZI", a=quantiles(-0.5, 0.1), b=quantiles(0.5, 0.1))
    assert "GEZI was 1 higher in b than in a" in pair.sentence
    assert "difference 1, 90 % CI" in pair.sentence


def test_swapping_the_groups_inverts_the_contrast(grouped):
    one = compare_groups(grouped, "SI")
    other = compare_groups(grouped, "SI", groups=("NAFLD", "healthy"))
    assert (one.group, one.reference) == (other.reference, other.group) == ("NAFLD", "healthy")
    assert one.ratio.median == pytest.approx(1 / other.ratio.median)
    assert one.difference.median == pytest.approx(-other.difference.median)
    assert one.overlap == pytest.approx(other.overlap, abs=1e-6)


def test_subjects_are_represented_by_their_geometric_mean(grouped):
    draws = grouped["posterior"]["SI"].values
    means = [stats.gmean(draws[..., part], axis=-1) for part in (slice(3), slice(3, 6))]
    pair = compare_groups(grouped, "SI")
    assert pair.quantity == "geometric mean of the subjects studied"
    assert pair.ratio.median == pytest.approx(float(np.median(means[1] / means[0])))
    assert pair.ratio.median == pytest.approx(0.4, abs=0.02)


def test_a_population_median_is_preferred(grouped):
    tree = grouped.copy(deep=True)
    population = np.stack([np.full((4, 250), 1.0), np.full((4, 250), 3.0)], axis=-1)
    population *= np.exp(0.01 * np.random.default_rng(1).normal(size=population.shape))
    tree["posterior"]["SI_population"] = xr.DataArray(
        population, dims=("chain", "draw", "group"), coords={"group": ["healthy", "NAFLD"]}
    )
    pair = compare_groups(tree, "SI")
    assert pair.quantity == "population median"
    assert pair.ratio.median == pytest.approx(3.0, rel=0.01)


def test_derived_quantities_are_compared(grouped):
    assert compare_groups(grouped, "DI").ratio.median == pytest.approx(0.4, abs=0.02)


def test_a_given_rope_is_used(grouped):
    assert compare_groups(grouped, "SI", rope=(0.3, 0.5)).probability_in_rope == 1
    assert compare_groups(grouped, "SI").rope == (0.8, 1.25)


def test_three_groups_give_all_pairs():
    draws = {name: quantiles(i, 0.1, log=True) for i, name in enumerate("abc")}
    comparison = contrast_of(**draws)
    assert isinstance(comparison, Comparison)
    pairs = [(c.reference, c.group) for c in comparison.contrasts]
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c")]
    assert comparison.sentence.count("SI was") == 3
    assert len(comparison.table()) == 3 * len(comparison.contrasts[0].table())
    json.dumps(comparison.to_dict(), allow_nan=False)


def test_table_and_record_hold_every_number_with_its_unit(grouped):
    pair = compare_groups(grouped, "SI", ci_prob=0.8)
    table = pair.table().set_index("quantity")
    assert table.loc["difference", "unit"] == "L/pmol/min"
    assert table.loc["ratio", "median"] == pair.ratio.median
    assert table.loc["overlap of posteriors", "median"] == pair.overlap
    record = json.loads(json.dumps(pair.to_dict(), allow_nan=False))
    assert record["ratio"]["lower"] == pair.ratio.lower
    assert record["sentence"] == pair.sentence
    assert "80 % CI" in pair.sentence


def test_what_is_not_there_is_refused_with_what_is(grouped, good):
    with pytest.raises(ComparisonError, match=r"'Si' is not in the posterior; there are SI, SG"):
        compare_groups(grouped, "Si")
    with pytest.raises(ComparisonError, match=r"no group 'lean'; there are healthy, NAFLD"):
        compare_groups(grouped, "SI", groups=("healthy", "lean"))
    with pytest.raises(ComparisonError, match="subjects carry no label 'group'"):
        compare_groups(good, "SI")
    with pytest.raises(ComparisonError, match="needs two groups, but there is healthy"):
        compare_groups(grouped, "SI", groups=("healthy",))
    with pytest.raises(ComparisonError, match="glucose_cv is shared by all subjects"):
        compare_groups(grouped, "glucose_cv")


def test_a_vector_is_refused(grouped):
    tree = grouped.copy(deep=True)
    dims = ("chain", "draw", "subject", "knot")
    tree["posterior"]["absorption"] = xr.DataArray(np.ones((4, 250, 6, 3)), dims=dims)
    with pytest.raises(ComparisonError, match="absorption is a vector over knot"):
        compare_groups(tree, "absorption")
