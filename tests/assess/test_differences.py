"""Differences of differences: known inputs give known answers."""

import json

import numpy as np
import pytest
import xarray as xr

from hepaflux.assess import ComparisonError, compare_differences

GROUPS = ("healthy", "obese", "NAFLD")
N = (4, 1000)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def tree(groups=GROUPS, **variables):
    """Inference data with variables by group (three dimensions) or shared (two)."""
    dims = ("chain", "draw", "group")
    posterior = {name: (dims[: values.ndim], values) for name, values in variables.items()}
    made = xr.DataTree.from_dict(
        {"/posterior": xr.Dataset(posterior, coords={"group": list(groups)})}
    )
    made.attrs["supports"] = json.dumps({"suppression": "unit", "share": "unit"})
    return made


def around(*centers, sd=0.1, seed=1):
    rng = np.random.default_rng(seed)
    return np.stack([c + sd * rng.standard_normal(N) for c in centers], axis=-1)


SUPPRESSION = logistic(around(1.5, 1.0, 0.3))
SHARE = logistic(around(-3.0, -2.0, -1.3, seed=2))
RATE = np.exp(around(2.0, 2.1, 2.6, seed=3))
PAIR = {"groups": ("healthy", "NAFLD")}


@pytest.fixture(scope="module")
def both():
    shared = {"suppression_person_sd": np.full(N, 0.5), "rate_spread": np.full(N, 0.25)}
    return tree(suppression=SUPPRESSION, share=SHARE, rate=RATE, **shared)


def test_fractions_are_compared_by_odds_ratios(both):
    found = compare_differences(both, "suppression", "share", **PAIR)
    assert (found.first.kind, found.second.kind) == ("odds ratio", "odds ratio")
    assert found.first.value.median == pytest.approx(np.exp(0.3 - 1.5), rel=0.03)
    assert found.second.value.median == pytest.approx(np.exp(-1.3 + 3.0), rel=0.03)
    assert found.difference.median == pytest.approx(np.exp(1.7 + 1.2), rel=0.03)
    width = np.log(found.difference.upper / found.difference.lower)
    assert width == pytest.approx(2 * 1.645 * 0.1 * 2, rel=0.06)


def test_the_probability_that_one_changes_alone():
    """Of two halves of the draws the second quantity falls in one: 0.5 by construction."""
    half = np.where(np.arange(N[1]) % 2, 1.2, 0.8) * np.ones(N)
    one = np.ones(N)
    made = tree(("a", "b"), first=np.stack([one, 0.5 * one], -1), second=np.stack([one, half], -1))
    found = compare_differences(made, "first", "second")
    assert found.probability_first_alone == 0.5
    assert found.first.is_lower
    assert found.probability_of_direction == 1.0
    assert "the probability that first is lower while second is not is 0.500" in found.sentence


def test_equal_changes_do_not_differ():
    factor = around(0.0, -0.7)
    made = tree(("a", "b"), first=np.exp(factor), second=3 * np.exp(factor))
    found = compare_differences(made, "first", "second")
    assert found.difference.median == pytest.approx(1.0)
    assert found.probability_first_alone == 0.0
    assert "the two changes did not clearly differ" in found.sentence


def test_quantities_of_two_kinds_are_compared_in_sds_between_people(both):
    found = compare_differences(both, "suppression", "rate", **PAIR)
    assert found.standardized
    assert found.first.value.median == pytest.approx(-1.2 / 0.5, rel=0.03)
    assert found.second.value.median == pytest.approx(0.6 / 0.25, rel=0.03)
    assert found.difference.median == pytest.approx(0.6 / 0.25 + 1.2 / 0.5, rel=0.03)
    assert "change in SDs" in found.sentence


def test_the_sentence_is_one_and_says_what_was_found(both):
    sentence = compare_differences(both, "suppression", "share", **PAIR).sentence
    assert sentence.startswith("In NAFLD against healthy, suppression was lower (odds ratio 0.3")
    assert "share was higher (odds ratio 5." in sentence
    assert "the two changes differed (ratio of odds ratios" in sentence
    assert sentence.endswith("is lower while share is not is > 0.999.")
    assert sentence.count(". ") == 0


def test_direction_is_not_claimed_where_it_is_not_clear(both):
    made = tree(
        ("a", "b"), first=np.exp(around(0.0, 0.02)), second=np.exp(around(0.0, 1.0, seed=5))
    )
    assert "first was not clearly " in compare_differences(made, "first", "second").sentence


def test_table_and_record_hold_the_numbers(both):
    found = compare_differences(both, "suppression", "share", **PAIR)
    table = found.table()
    assert table["median"].tolist() == pytest.approx(
        [
            found.first.value.median,
            found.second.value.median,
            found.difference.median,
            found.probability_of_direction,
            found.probability_first_alone,
        ]
    )
    assert json.loads(json.dumps(found.to_dict()))["sentence"] == found.sentence


@pytest.mark.parametrize(
    ("first", "second", "options", "message"),
    [
        ("share", "share", PAIR, "share is compared with itself"),
        ("share", "nothing", PAIR, "'nothing' is not in the posterior"),
        ("share", "suppression", {}, "two groups are needed, .* there is healthy, obese, NAFLD"),
        ("share", "suppression", {"groups": ("healthy", "T2D")}, "no group 'T2D'"),
        ("share", "rate", {**PAIR, "standardized": False}, "compare only if standardized"),
        ("share", "rate", PAIR, "share: no standard deviation between people was fitted"),
    ],
)
def test_what_cannot_be_compared_is_refused(both, first, second, options, message):
    with pytest.raises(ComparisonError, match=message):
        compare_differences(both, first, second, **options)


def test_a_quantity_that_can_be_negative_has_no_ratio():
    made = tree(("a", "b"), first=around(0.0, 0.1), second=np.exp(around(0.0, 1.0)))
    with pytest.raises(ComparisonError, match="first, which can be zero or negative"):
        compare_differences(made, "first", "second")


def of_people(*rows, sd=0.0, seed=4):
    """A quantity by subject with the given values, which the draws scatter about."""
    noise = sd * np.random.default_rng(seed).standard_normal((*N, len(rows)))
    return np.array(rows) + noise


def people(share, groups=("a", "a", "a", "b", "b", "b"), **variables):
    """Inference data of six people with a share by group and quantities by subject."""
    coords = {"group": ["a", "b"], "subject": [f"S{i}" for i in range(len(groups))]}
    by_subject = {name: (("chain", "draw", "subject"), v) for name, v in variables.items()}
    by_group = {"share_population": (("chain", "draw", "group"), share)}
    spread = {"share_spread": (("chain", "draw"), np.full(N, 0.5))}
    whole = xr.Dataset({**by_subject, **by_group, **spread}, coords)
    whole["share"] = whole["share_population"].isel(group=0, drop=True)
    index = [coords["group"].index(group) for group in groups]
    constant = xr.Dataset({"subject_group": ("subject", index)}, coords)
    made = xr.DataTree.from_dict({"/posterior": whole, "/constant_data": constant})
    made.attrs["supports"] = json.dumps({"share": "unit"})
    return made


SHARES = logistic(around(-2.0, -1.0, sd=0.05))


def test_what_follows_is_measured_by_the_scatter_of_the_subjects_within_groups():
    """Logarithms -1, 0, 1 and 1, 2, 3: the SD within groups is 1, and their means differ by 2."""
    made = people(SHARES, flux=np.exp(of_people(-1.0, 0.0, 1.0, 1.0, 2.0, 3.0)))
    found = compare_differences(made, "flux", "share")
    assert found.standardized
    assert found.first.value.median == pytest.approx(2.0)
    assert found.second.value.median == pytest.approx(1.0 / 0.5, rel=0.02)


def test_what_can_be_negative_is_compared_by_its_difference():
    """Values -1, 0, 1 and -2, -1, 0: a fall by one SD, beside a share that rises by two."""
    made = people(SHARES, suppression=of_people(-1.0, 0.0, 1.0, -2.0, -1.0, 0.0))
    found = compare_differences(made, "suppression", "share")
    assert found.first.value.median == pytest.approx(-1.0)
    assert found.first.is_lower
    assert found.difference.median == pytest.approx(3.0, rel=0.03)


def test_who_did_not_take_a_test_has_no_part_in_it():
    """One of each group lacks it: the others are -1, 1 and 1, 3, with an SD of the root of 2."""
    nan = np.nan
    made = people(SHARES, flux=np.exp(of_people(-1.0, nan, 1.0, 1.0, nan, 3.0)))
    found = compare_differences(made, "flux", "share")
    assert found.first.value.median == pytest.approx(2 / np.sqrt(2))


def test_single_people_have_no_spread():
    made = people(SHARES, groups=("a", "b"), flux=np.exp(of_people(0.0, 1.0)))
    with pytest.raises(ComparisonError, match="flux: no group has two people"):
        compare_differences(made, "flux", "share")
