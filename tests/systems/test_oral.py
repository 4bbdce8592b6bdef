"""The rate of appearance and the conventions of the oral minimal model."""

import numpy as np
import pytest
from virtual import OGTT, TRUTH, adapted, ogtt

import hepaflux as hf
from hepaflux.study.study import Dose, StudyError
from hepaflux.systems import oral as declared
from hepaflux.systems.inputs import hat_areas, hats, only_dose
from hepaflux.systems.oral import appearance, expected_shares, knots_of_protocol
from hepaflux.systems.system import fields_type

KNOTS = [
    (0.0, 10.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0),
    (0.0, 7.0, 11.0, 50.5, 203.3),
    (0.0, 180.0),
]
TAIL = 0.023


def read_hats(knots):
    time = np.array([0.0, knots[-1]])
    return hats(knots, TAIL)(ogtt(time=time))


@pytest.mark.parametrize("knots", KNOTS)
class TestHats:
    def test_each_has_unit_area_with_its_tail(self, knots):
        for j, hat in enumerate(read_hats(knots)):
            tail = hat(knots[-1]) / TAIL
            assert np.trapezoid(hat(knots), knots) + tail == pytest.approx(1, abs=1e-12)
            assert tail == 0 or j == len(knots) - 2

    def test_appearance_is_not_negative_and_its_total_is_the_absorbed_dose(self, knots):
        rng = np.random.default_rng(2)
        shares = rng.dirichlet(np.full(len(knots) - 1, 0.3))
        p = fields_type("P", ["absorption", "f"])(shares, 0.9)
        read = read_hats(knots)
        dose = only_dose("glucose", "oral")(ogtt(weight=80.0))

        def rate(t):
            return appearance(p, fields_type("U", ["hat", "dose"])([h(t) for h in read], dose))

        fine = np.union1d(np.linspace(0, knots[-1], 997), knots)
        values = rate(fine)
        assert values.min() >= 0
        total = np.trapezoid(values, fine) + values[-1] / TAIL
        assert total == pytest.approx(0.9 * 416.3 / 80, rel=1e-10)

    def test_expected_shares_are_shares(self, knots):
        shares = expected_shares(knots, TAIL)
        assert sum(shares) == pytest.approx(1, abs=1e-12)
        assert min(shares) > 0


def test_expected_shares_of_the_standard_knots():
    """Heights of VBA-OMM times the areas of the hats, the rest in the tail."""
    shares = expected_shares(KNOTS[0], 0.017)
    published = (0.048, 0.1825, 0.162, 0.153, 0.1665, 0.162, 0.126)
    np.testing.assert_allclose(shares, published, atol=2e-3)


def test_hat_areas():
    np.testing.assert_allclose(hat_areas((0.0, 10.0, 30.0), 0.1), [5 + 10, 10 + 10])


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (180.0, (0, 10, 30, 60, 90, 120, 180)),
        (120.0, (0, 10, 30, 60, 90, 120)),
        (150.0, (0, 10, 30, 60, 90, 120, 150)),
        (420.0, (0, 10, 30, 60, 90, 120, 180, 300, 420)),
    ],
)
def test_knots_reach_the_last_sample(last, expected):
    study = hf.Study("s", (ogtt(time=np.array([0.0, 30, 60, last])),))
    assert knots_of_protocol(declared.settings, study)["knots"] == expected


@pytest.mark.parametrize("system", [hf.systems.oral, hf.systems.oral_labeled])
def test_samples_that_end_before_absorption_has_a_course_are_refused(system):
    study = hf.Study("s", (ogtt(time=np.array([0.0, 10.0])),))
    with pytest.raises(
        ValueError, match=r"absorption has one share, .* add later samples or knots"
    ):
        hf.build_model(study, system)


def test_knots_that_end_too_early_are_refused():
    system = hf.systems.oral.with_options(knots=(0, 30, 90))
    with pytest.raises(StudyError, match=r"samples reach 180 min .* last knot is at 90 min"):
        hf.solve(system, {**TRUTH["oral"], "absorption": [0.5, 0.5]}, ogtt(), times=OGTT)


@pytest.mark.parametrize("n", [0, 2])
def test_anything_but_one_drink_is_refused(n):
    doses = tuple(Dose(60.0 * i, "glucose", 100.0, "oral") for i in range(n))
    with pytest.raises(StudyError, match=f"exactly one oral dose of glucose, .* lists {n}"):
        only_dose("glucose", "oral")(ogtt(doses=doses))


def test_conventions_of_effectiveness_give_the_same_curves():
    subject = ogtt()
    by_sg = adapted(hf.systems.oral, subject)
    by_gezi = adapted(hf.systems.oral.with_options(effectiveness="GEZI"), subject)
    p = dict(TRUTH["oral"])
    q = {**p, "GEZI": p["SG"] - p["SI"] * subject.samples["insulin"].value[0]}
    del q["SG"]
    one, other = (
        hf.solve(s, values, subject, times=OGTT) for s, values in ((by_sg, p), (by_gezi, q))
    )
    np.testing.assert_allclose(one.states["glucose"], other.states["glucose"], rtol=1e-7)
    assert np.ptp(one.states["glucose"]) > 2
