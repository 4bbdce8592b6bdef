"""Treatments: what is predicted is the solution, nothing changes where nothing is done, bands."""

import json

import numpy as np
import pytest
import xarray as xr

import hepaflux as hf
from hepaflux.assess.treatments import plot_treatments, treatment_bands
from hepaflux.parameter import Fixed, LogNormal
from hepaflux.study.study import Samples, Subject
from hepaflux.systems.fat_export import fat_share
from hepaflux.units import DAY

LIVER_FAT = hf.systems.liver_fat
NAMES = tuple(p.name for p in LIVER_FAT.unknowns)
PERSON = {"IHTG": 0.18, "K_V": 90.0, "NEFA": 228.0, "DNL": 30.0, "k_LPL": 16.8}


def posterior(**values):
    """Three draws of one chain; the parameters that are not named are those of ``PERSON``."""
    coords = {"chain": [0], "draw": [0, 1, 2], "subject": ["A", "B"], "group": ["lean", "fat"]}
    known = {n: (("chain", "draw"), np.full((1, 3), v)) for n, v in PERSON.items()}
    kept = {n: v for n, v in known.items() if n not in values and f"{n}_population" not in values}
    data = xr.Dataset(kept | values, coords=coords)
    used = {dim for variable in data.data_vars.values() for dim in variable.dims}
    return xr.DataTree.from_dict({"/posterior": data.drop_vars(set(data.coords) - used)})


def solved(days, treatment, **changes):
    """Liver fat at some days by the plain door to the solver."""
    named = {t.name: t for t in LIVER_FAT.treatments}[treatment].values
    system = LIVER_FAT.with_priors(**{n: Fixed(r.value) for n, r in named.items()})
    parameters = {**PERSON, **changes}
    nobody = Subject("", {"ihtg": Samples(np.array([0.0]), np.array([0.1]), np.array(["none"]))})
    found = hf.solve(system, parameters, nobody, times=np.array(days) * DAY)
    p = hf.systems.system.fields_type("P", list(system.centers))(**system.centers | parameters)
    return fat_share(found.states["L"], p)


def predicted(tree, treatment, **how):
    return hf.predict_treatment(tree, LIVER_FAT, treatment=treatment, **how)


@pytest.mark.parametrize("treatment", ["none", "pioglitazone", "diet", "both"])
def test_it_is_the_solution_of_the_treated_system(treatment):
    fat = (("chain", "draw"), np.array([[0.1, 0.18, 0.25]]))
    tree = predicted(posterior(IHTG=fat), treatment, days=84.0)
    course = tree["courses"]["ihtg"].sel(subject="person")
    assert course.dims == ("chain", "draw", "minutes")
    days = course["minutes"].values / DAY
    assert (days[0], days[-1]) == (0.0, 84.0)
    for draw, start in enumerate((0.1, 0.18, 0.25)):
        expected = solved(days, treatment, IHTG=start)
        np.testing.assert_allclose(course[0, draw], expected, rtol=1e-4)


def test_nothing_changes_where_nothing_is_done():
    fat = (("chain", "draw", "subject"), np.array([[[0.1, 0.3], [0.18, 0.05], [0.25, 0.2]]]))
    courses = predicted(posterior(IHTG=fat), "none")["courses"].to_dataset()
    assert courses["subject"].values.tolist() == ["A", "B"]
    for course in courses.data_vars.values():
        first = course.isel(minutes=[0]).values
        np.testing.assert_allclose(course.values, np.broadcast_to(first, course.shape), rtol=1e-5)
    np.testing.assert_allclose(courses["ihtg"].isel(minutes=0), fat[1], rtol=1e-6)


def test_what_the_fit_assumed_of_a_treatment_is_replaced():
    """Early visits of a diet: the same diet goes on, or another treatment stands in its place."""
    dieting = LIVER_FAT.in_condition("nafld_diet")
    both = [
        hf.predict_treatment(posterior(), system, treatment="diet")["courses"]["ihtg"].values
        for system in (LIVER_FAT, dieting)
    ]
    np.testing.assert_allclose(*both)
    own = hf.predict_treatment(posterior(), dieting, treatment={"NEFA_factor": 1.0})
    # What is not stated stays as it was fitted: the other two factors of the diet.
    assert float(own["courses"]["lipogenesis_rate"][0, 0, 0, -1]) == pytest.approx(30.0 * 0.448)
    assert float(own["courses"]["NEFA_uptake"][0, 0, 0, -1]) == pytest.approx(228.0)


UNSURE = LIVER_FAT.with_priors(DNL_factor=LogNormal(0.6, 0.3))
"""What the treatment does to lipogenesis is fitted."""


class TestFittedTreatment:
    """What a treatment does can be fitted, too, and then counts as it was found."""

    found = (("chain", "draw"), np.array([[0.4, 0.6, 0.8]]))

    @pytest.mark.parametrize("system", [LIVER_FAT, UNSURE])
    def test_it_is_as_the_fit_found(self, system):
        tree = posterior(DNL_factor=self.found)
        told = hf.predict_treatment(tree, system, treatment={"NEFA_factor": 1.0})
        made = told["courses"]["lipogenesis_rate"][0, :, 0, -1]
        np.testing.assert_allclose(made, 30.0 * self.found[1][0])

    def test_a_stated_value_stands_in_its_place(self):
        tree = posterior(DNL_factor=self.found)
        made = predicted(tree, {"DNL_factor": 0.5})["courses"]["lipogenesis_rate"]
        np.testing.assert_allclose(made[..., -1], 15.0)

    def test_one_that_the_fit_does_not_know_is_refused_unless_stated(self):
        with pytest.raises(ValueError, match="the fit says nothing of DNL_factor"):
            hf.predict_treatment(posterior(), UNSURE, treatment={"NEFA_factor": 1.0})
        hf.predict_treatment(posterior(), UNSURE, treatment={"DNL_factor": 1.0}, days=1.0)


class TestWho:
    def test_the_typical_person_of_a_group(self):
        """Medians of populations count, shared values as they are, by group those of the group."""
        tree = posterior(
            IHTG=(("chain", "draw", "subject"), np.full((1, 3, 2), 0.3)),
            IHTG_population=(("chain", "draw", "group"), np.full((1, 3, 2), [0.05, 0.2])),
            NEFA=(("chain", "draw", "group"), np.full((1, 3, 2), [150.0, 230.0])),
        )
        courses = predicted(tree, "diet", days=28.0, who="fat")["courses"]
        expected = solved(courses["minutes"].values / DAY, "diet", IHTG=0.2, NEFA=230.0)
        np.testing.assert_allclose(courses["ihtg"][0, 0, 0], expected, rtol=1e-4)

    def test_a_subject_has_the_values_of_its_group(self):
        tree = posterior(
            IHTG=(("chain", "draw", "subject"), np.full((1, 3, 2), [0.1, 0.3])),
            NEFA=(("chain", "draw", "group"), np.full((1, 3, 2), [150.0, 230.0])),
        )
        constant = xr.Dataset({"subject_group": ("subject", [1, 0])})
        tree["constant_data"] = xr.DataTree(constant)
        courses = predicted(tree, "none", who="A")["courses"]
        assert float(courses["NEFA_uptake"][0, 0, 0, 0]) == pytest.approx(230.0)
        assert float(courses["ihtg"][0, 0, 0, 0]) == pytest.approx(0.1)

    @pytest.mark.parametrize("constant", [None, {"subject_group": ("subject", [-1, 0])}])
    def test_a_subject_of_no_group_has_no_value_by_group(self, constant):
        tree = posterior(
            IHTG=(("chain", "draw", "subject"), np.full((1, 3, 2), [0.1, 0.3])),
            NEFA=(("chain", "draw", "group"), np.full((1, 3, 2), [150.0, 230.0])),
        )
        if constant:
            tree["constant_data"] = xr.DataTree(xr.Dataset(constant))
        with pytest.raises(ValueError, match="does not say in which group A is"):
            predicted(tree, "none", who="A")

    def test_one_person_alone_keeps_the_name(self):
        """Draws of a fit of one person have no subject; what was measured has."""
        tree = posterior()
        tree["constant_data"] = xr.DataTree(xr.Dataset(coords={"subject": ["S001"]}))
        assert predicted(tree, "none")["courses"]["subject"].values.tolist() == ["S001"]
        predicted(tree, "none", who="S001")

    def test_nobody_is_typical_where_each_has_a_value_of_its_own(self):
        by_subject = (("chain", "draw", "subject"), np.full((1, 3, 2), 0.3))
        by_group = (("chain", "draw", "group"), np.full((1, 3, 2), 200.0))
        with pytest.raises(ValueError, match="IHTG has a value of its own in each person"):
            predicted(posterior(IHTG=by_subject, NEFA=by_group), "diet", who="fat")


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"treatment": "magic"}, KeyError, "no treatment 'magic'; it has none, pioglitazone, diet"),
        ({"treatment": {"magic": 0.5}}, KeyError, "no parameter 'magic'"),
        ({"treatment": {"NEFA": 150.0}}, ValueError, "NEFA says something of a person.*DNL_factor"),
        ({"treatment": {"ox": 0.5}}, ValueError, "ox says something of a person"),
        ({"treatment": "diet", "who": "C"}, KeyError, "nobody is called 'C'; there are person"),
        ({"treatment": "diet", "days": 0.0}, ValueError, "days must be above 0"),
    ],
)
def test_what_cannot_be_predicted_is_said(how, error, message):
    with pytest.raises(error, match=message):
        hf.predict_treatment(posterior(), LIVER_FAT, **how)


def test_a_fit_of_something_else_is_refused():
    tree = posterior()
    lacking = xr.DataTree.from_dict({"posterior": tree["posterior"].to_dataset()[["NEFA", "DNL"]]})
    with pytest.raises(ValueError, match="the fit says nothing of IHTG, K_V, k_LPL"):
        predicted(lacking, "diet")
    tree.attrs["system"] = "minimal"
    with pytest.raises(ValueError, match="the fit is of minimal, not of liver_fat"):
        predicted(tree, "diet")


@pytest.mark.parametrize("name", ["minimal", "selective_resistance"])
def test_a_system_without_treatments_is_refused(name):
    system = hf.systems.named(name)
    known = {parameter.name: 0.5 for parameter in system.parameters}
    with pytest.raises(ValueError, match=f"system '{name}' declares no treatments"):
        hf.predict_treatment(posterior(), system, treatment=known)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"options": {"pools": "five"}}, "the fit has pools=five, but .* has pools=one"),
        ({"fixed": ["ox"], "priors": {"ox": "value=0.5"}}, "the fit has ox with value=0.5, but"),
        ({"fixed": [], "priors": {"ox": "alpha=2, beta=2"}}, "the fit has ox with alpha=2, beta=2"),
        ({"fixed": ["K_V"], "priors": {"K_V": "value=52"}}, "K_V with value=52, but .* median="),
    ],
)
def test_another_choice_than_that_of_the_fit_is_refused(about, message):
    tree = posterior()
    tree.attrs |= {name: json.dumps(value) for name, value in about.items()}
    with pytest.raises(ValueError, match=message):
        predicted(tree, "diet")


class TestBands:
    def many(self, draws=2000):
        values = {n: (("chain", "draw"), np.full((1, draws), v)) for n, v in PERSON.items()}
        data = xr.Dataset(values, coords={"chain": [0], "draw": np.arange(draws)})
        return xr.DataTree.from_dict({"/posterior": data})

    def test_measurements_have_the_error_of_the_assay(self):
        tree = predicted(self.many(), "none", days=7.0)
        (output,) = (o for o in LIVER_FAT.outputs if o.name == "ihtg")
        sd = np.hypot(output.cv.value * 0.18, output.floor)
        measured = tree["measured"]["ihtg"].values
        # 2000 x 85 independent values: the relative error of an SD is 0.2 %.
        assert measured.std() == pytest.approx(sd, rel=0.01)
        assert measured.mean() == pytest.approx(0.18, abs=0.001)
        again = predicted(self.many(), "none", days=7.0)["measured"]["ihtg"].values
        np.testing.assert_array_equal(measured, again)

    def test_an_effect_that_is_not_known_exactly_widens_them(self):
        effect = {"DNL_factor": 0.5, "NEFA_factor": LogNormal(0.8, 0.1)}
        tree = predicted(self.many(), effect, days=7.0)
        assert tree.attrs["treatment"] == "DNL_factor 0.5, NEFA_factor about 0.8"
        ratio = tree["courses"]["NEFA_uptake"].values[0, :, 0, -1] / 228.0
        low, median, high = np.quantile(ratio, [0.16, 0.5, 0.84])
        assert median == pytest.approx(0.8, abs=0.02)
        assert np.log(high / low) / 2 == pytest.approx(np.sqrt(np.log(1.01)), rel=0.1)
        fat = tree["courses"]["ihtg"]
        assert float(fat.isel(minutes=0).std()) < 1e-9 < float(fat.isel(minutes=-1).std())

    def test_tables_and_pictures_hold_every_treatment(self):
        trees = [predicted(self.many(20), name, days=28.0) for name in ("none", "diet")]
        table = treatment_bands(trees[1])
        last = table[(table["quantity"] == "ihtg") & (table["day"] == 28.0)].iloc[0]
        assert last["median"] == pytest.approx(solved([0.0, 28.0], "diet")[-1], rel=1e-4)
        assert last["measured_lower"] < last["lower"] <= last["upper"] < last["measured_upper"]
        figure = plot_treatments(trees, ["ihtg", "oxidation"])
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["none", "diet"]
        with pytest.raises(KeyError, match="no quantity 'fat'; there are ihtg"):
            plot_treatments(trees, ["fat"])
