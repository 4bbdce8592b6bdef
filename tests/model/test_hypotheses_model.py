"""Models of hypotheses, virtual people under them, causes undone, and groups of published figures.

Nothing here samples: truths stand where draws of a posterior would.
"""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
import xarray as xr

import hepaflux as hf
from hepaflux.fitting.results import draw_prior
from hepaflux.model.contraction import common_to_all, common_variance, with_all_samples
from hepaflux.model.group_liver import GIVES, group_liver
from hepaflux.model.hypotheses import build_hypothesis, design_of, recipe_of
from hepaflux.model.information import inform
from hepaflux.model.knockout import Cause, knock_out
from hepaflux.model.line import Line
from hepaflux.model.recipe import data_values
from hepaflux.parameter import LogNormal
from hepaflux.study import Figure, Figures, Quantity
from hepaflux.systems.rivals import FREE, PROXIMAL, RIVALS, SELECTIVE


def test_unknowns_differ_by_what_a_hypothesis_fixes():
    study = hf.simulate_visits(FREE, subjects=2).study
    names = {
        one.name: {v.name for v in build_hypothesis(study, one).free_RVs} for one in (*RIVALS, FREE)
    }
    assert all(names[one.name] == names["free"] - {"lambda_L"} for one in RIVALS)
    # Also where the wire is intact, how far people differ in it has to be learned.
    assert {"w_L_population", "w_L_spread"} < names["intact"]
    levels = {one.name: dict(design_of(one, study).levels) for one in (*RIVALS, FREE)}
    assert levels["intact"] | {"lambda_L": "shared"} == levels["free"]
    assert design_of(FREE, study).levels["e_G"] == "shared"


def test_virtual_people_repeat_by_seed_and_share_what_livers_share():
    first, again = (hf.simulate_visits(PROXIMAL, subjects=4, seed=2) for _ in range(2))
    np.testing.assert_array_equal(first.truth.to_numpy(), again.truth.to_numpy())
    assert (first.truth["lambda_L"] == 1).all()
    assert first.truth["K_S"].nunique() == 1
    assert first.truth["w_L"].nunique() == 8
    person = first.study.subjects[0]
    assert list(person.samples["egp"].time) == [0, 240, 480]
    assert list(person.samples["ihtg"].time) == [0]
    with pytest.raises(ValueError, match="test must be one of fasted, glucose, clamp, withdrawal"):
        hf.simulate_visits(PROXIMAL, test="breakfast")
    with pytest.raises(ValueError, match="at least 1"):
        hf.simulate_visits(PROXIMAL, subjects=0)


def test_what_error_makes_negative_is_reported_as_below_zero(tmp_path):
    """In this study production under much insulin is near zero; what is written says the same."""
    made = hf.simulate_visits(SELECTIVE, subjects=20, seed=6).study
    hf.write_study(made, tmp_path / "study")
    study = hf.read_study(tmp_path / "study")
    last = [person.samples["egp"] for person in study.subjects]
    below = np.concatenate([samples.censoring == "left" for samples in last])
    values = np.concatenate([samples.value for samples in last])
    np.testing.assert_array_equal(below, values == 0)
    assert below.any()
    recipe = recipe_of(study, SELECTIVE)
    lower = data_values(recipe)["egp_lower"]
    assert (lower == 0).sum() == below.sum()
    assert np.isneginf(lower).sum() == (~below).sum()


@pytest.fixture(scope="module")
def patients():
    """A recipe and the truth of many people in place of draws."""
    made = hf.simulate_visits(SELECTIVE, subjects=60, seed=3)
    recipe = recipe_of(made.study, FREE)
    people = xr.Dataset()
    for parameter in recipe.system.unknowns:
        values = made.truth[parameter.name].to_numpy()
        shared = recipe.design.levels[parameter.name] == "shared"
        kept, dims = (values[0], ()) if shared else (values, ("subject",))
        people[parameter.name] = (("chain", "draw", *dims), np.array(kept)[None, None])
    return recipe, people


def test_without_any_cause_patients_are_as_healthy_people(patients):
    table = knock_out(*patients).set_index(["output", "without"])["median"]
    assert table["dnl_fraction", "nothing"] > 1.3
    # What is left is scatter between people, which shrinks with their root, and L is not undone.
    for output in ("egp", "dnl_fraction", "vldl_tg_secretion"):
        assert table[output, "all of them"] == pytest.approx(1, abs=0.12)
    assert table["ihtg", "all of them"] == pytest.approx(table["ihtg", "nothing"])


def test_each_cause_acts_where_its_wire_goes(patients):
    table = knock_out(*patients).set_index(["output", "without"])["median"]
    assert table["egp", "deaf wire to glucose"] < 0.9 * table["egp", "nothing"]
    assert table["egp", "high insulin"] > table["egp", "nothing"]
    assert table["egp", "drive of lipogenesis"] == pytest.approx(table["egp", "nothing"])
    # Under a selective wire, curing the deaf wire does nothing for fat, and insulin does much.
    same = table["dnl_fraction", "nothing"]
    assert table["dnl_fraction", "deaf wire to glucose"] == pytest.approx(same)
    assert table["dnl_fraction", "high insulin"] < 0.95 * same


def test_a_group_that_is_not_there_is_refused(patients):
    with pytest.raises(ValueError, match="reference must be one of two or more groups: healthy"):
        knock_out(*patients, reference="lean", causes={"wire": Cause(("w_L",))})


@pytest.mark.parametrize("one", [*RIVALS, FREE], ids=lambda h: h.name)
def test_figures_of_groups_follow_from_one_liver(one):
    figures = hf.read_figures("published_figures")
    model = hf.build_figures_model(
        figures, GIVES, groups=("healthy", "obese", "NAFLD"), mechanism=group_liver(one)
    )
    free = {variable.name for variable in model.free_RVs}
    assert not free & set(GIVES)
    assert ("lambda_L" in free) == (one is FREE)


def test_figures_of_a_group_at_one_point_by_hand():
    """Fasting insulin 200 pmol/L is 500 in the portal vein, of which a wire at 0.4 hears 200.

    That is twice K_h, so the gate is closed by 2/3 of sigma and, with n_h = 2, a fifth of
    production is left where health leaves half. With n_S = 1 it drives 200/450 of lipogenesis,
    against 100/350 in health. After meals 500, in the clamp 1000 pmol/L are heard.
    """
    mechanism = group_liver(PROXIMAL)
    point = {
        **{"w_L": 0.4, "e_F": 0.5, "drive": 2.0, "e_G": 1.0, "K_S": 250.0, "n_S": 1.0},
        **{"n_h": 2.0, "H_0": 0.012, "supply": 1.5, "L": 159.0, "sensitivity_scale": 3.0},
        **{"insulin_fasted": 200.0, "glucose_fasted": 5.0, "ffa_fasted": 0.6},
        **{"insulin_rise_fed": 1.5, "glucose_ratio_fed": 1.4, "ffa_left_fed": 0.2},
        **{"insulin_rise_clamp": 4.0, "glucose_ratio_clamp": 1.0, "ffa_left_clamp": 0.1},
    }
    assert point.keys() == {p.name for p in mechanism.parameters}
    shaped = {
        name: pt.constant(np.array([value] if name in mechanism.by_group else value))
        for name, value in point.items()
    }
    with pm.Model(coords={"group": ["NAFLD"]}) as model:
        quantities = mechanism.values(shaped)
    told = {v.name: v for v in model.deterministics}
    found = {name: v.eval().item() for name, v in {**quantities, **told}.items()}
    basal = 0.012 * (0.5 * 0.4 + 0.5 * 0.4**0.3 * 1.2**0.5)
    clamp = 0.012 * (0.5 * 2 / 101 + 0.5 * (2 / 101) ** 0.3 * 0.12**0.5)
    load = basal * 200 / (0.011 * 40)
    made, old = 9.7 * 2 * 14 / 9, 66 * 1.5 * (0.5 + 0.5 * 1.2)
    made_fed, old_fed = 9.7 * 2 * 7 / 3 * 1.4, 66 * 1.5 * (0.5 + 0.5 * 0.24)
    filled = 159 / (52 + 159) * (52 + 53) / 53
    expected = {
        "dnl_fraction": made / (made + old),
        "dnl_fraction_fed": made_fed / (made_fed + old_fed),
        "vldl_tg_secretion": (made + old) / 3 * 1000 / 1440,
        "egp_suppression": 1 - clamp / basal,
        "hepatic_insulin_sensitivity": 3 / load,
        "liver_fat": 159 * 0.86 / (1450 + 159 * 0.86),
        "HIRI_ratio": load,
        "kinase_load": 1.15 / 0.4 - 1,
        "insulin_on_fat": 14 / 9,
        "capacity": (made + old) / 75.7 / filled * 0.85 / 0.8,
    }
    assert found == pytest.approx(expected, rel=1e-9)


def test_prior_figures_are_ones_that_groups_can_have():
    """Whatever the unknowns are, a share is a share and insulin suppresses."""
    figures = hf.read_figures("published_figures")
    model = hf.build_figures_model(figures, GIVES, mechanism=group_liver(FREE))
    prior = draw_prior(model, 1)
    for name in GIVES:
        assert prior[name].sizes["group"] == len(model.recipe.groups)
        assert np.all(prior[name] > 0)
        assert name in ("vldl_tg_secretion", "hepatic_insulin_sensitivity") or np.all(
            prior[name] < 1
        )


def test_a_quantity_that_no_liver_gives_is_refused():
    own = Quantity("bile", "1", "what a liver at rest does not tell", "positive", 0.1, 10.0)
    row = Figure("bile", "healthy", mean=1.0, n=5, study="One", citation="One")
    figures = Figures("test", (row,), (own,))
    priors = {"bile": LogNormal(1.0, 1.0)}
    with pytest.raises(ValueError, match=r"the mechanism gives dnl_fraction.* but not bile"):
        hf.build_figures_model(figures, "bile", mechanism=group_liver(FREE))
    assert hf.build_figures_model(figures, "bile", priors=priors).recipe.groups == ("healthy",)


def test_common_parameters_are_told_by_all_people_together():
    """Against the information matrix of as many equal people, written out in full."""
    study = hf.simulate_visits(FREE, test="clamp", subjects=1, seed=1).study
    liver = hf.systems.resting_liver
    times = {"c": {"egp": np.array([0.0, 240.0]), "dnl_fraction": np.array([0.0, 240.0])}}
    recipe = with_all_samples(liver, study, times)
    line = Line(recipe.system)
    rng = np.random.default_rng(1)
    points = line.draw((1, 2), rng)
    sampling = inform(recipe, points, rng)
    taken = np.ones(len(sampling.time), dtype=bool)
    common = common_to_all(line)
    prior = np.linalg.inv(line.covariance)
    many = 3
    own = int((~common).sum())
    people = [sampling.slopes[0][sampling.subject == person] for person in (0, 1)] * many
    whole = np.zeros((common.sum() + own * len(people),) * 2)
    head = slice(0, common.sum())
    whole[head, head] = prior[np.ix_(common, common)]
    for i, slopes in enumerate(people):
        tail = slice(common.sum() + own * i, common.sum() + own * (i + 1))
        whole[head, head] += slopes[:, common].T @ slopes[:, common]
        whole[head, tail] = slopes[:, common].T @ slopes[:, ~common]
        whole[tail, head] = whole[head, tail].T
        block = slopes[:, ~common].T @ slopes[:, ~common]
        whole[tail, tail] = prior[np.ix_(~common, ~common)] + block
    at = int(np.flatnonzero(common).searchsorted(line.slices["lambda_L"].start))
    expected = np.linalg.inv(whole)[at, at]
    found = common_variance(sampling, "lambda_L", taken, subjects=len(people))
    assert found == pytest.approx(expected, rel=1e-6)
