"""The minimal model against the published test and its own options."""

import numpy as np
import pytest
from scipy.optimize import least_squares
from virtual import IVGTT, ivgtt, samples

import hepaflux as hf
from hepaflux.study.study import StudyError, Subject
from hepaflux.systems.inputs import above_basal, area_above_basal, basal, clipped_at_zero
from hepaflux.systems.system import Curve

MG_PER_DL = 18.0156


def test_root_mean_square_at_the_optimum_of_the_published_test():
    """Reference: 3.9 mg/dL for samples from 8 min on, equal weights, basal insulin 7.3 µU/mL."""
    subject = hf.read_study("pacini_bergman_1986").subjects[0]
    system = hf.systems.minimal.with_options(basal_insulin="7.3 uU/mL")
    glucose = subject.samples["glucose"]
    used = system.outputs[0].uses(glucose.time)
    assert glucose.time[used][0] == 8
    names = ("SI", "SG", "p2", "V")

    def residuals(log_values):
        p = dict(zip(names, np.exp(log_values), strict=True))
        solved = hf.solve(system, p, subject, times=glucose.time[used])
        return (solved.states["glucose"] - glucose.value[used]) * MG_PER_DL

    fitted = least_squares(residuals, np.log([6e-5, 0.02, 0.03, 0.17]), x_scale=0.1)
    assert np.sqrt(np.mean(fitted.fun**2)) <= 4.0
    assert np.exp(fitted.x[0]) * 6 == pytest.approx(5.73e-4, rel=0.02)


def test_only_mixed_samples_enter_the_likelihood():
    uses = hf.systems.minimal.with_options(mixing=8).outputs[0].uses
    assert uses(np.array([0.0, 2, 7.9, 8, 10])).tolist() == [False, False, False, True, True]
    without = hf.systems.minimal.with_options(mixing=0).outputs[0].uses
    assert without(np.array([-5.0, 0, 2])).tolist() == [False, False, True]


class TestBasal:
    subject = ivgtt(
        time=np.array([-10.0, 0, 30, 120, 180]), glucose=np.array([4.0, 5.0, 9.0, 6.0, 7.0])
    )

    def test_first_is_the_mean_at_or_before_the_dose(self):
        assert basal("glucose", "first")(self.subject) == 4.5

    def test_last_is_the_mean_of_the_last_hour(self):
        assert basal("glucose", "last")(self.subject) == 6.5

    def test_a_number_is_taken_as_it_is(self):
        assert basal("glucose", 5.1)(self.subject) == 5.1

    def test_none_before_the_dose(self):
        late = ivgtt(time=np.array([5.0, 10, 20]))
        with pytest.raises(StudyError, match=r"no basal glucose sample .*option basal_glucose"):
            basal("glucose", "first")(late)

    def test_no_samples_at_all(self):
        with pytest.raises(StudyError, match="no insulin samples"):
            basal("insulin", "first")(Subject("S", {"glucose": samples([0, 1], 5.0)}))


class TestInsulinAction:
    def test_clipping_adds_the_crossings(self):
        curve = clipped_at_zero(Curve(np.array([0.0, 10, 20]), np.array([-5.0, 5.0, -15.0])))
        at = np.array([0.0, 2.5, 5, 7.5, 10, 11, 12.5, 16, 20])
        signed = np.interp(at, [0, 10, 20], [-5, 5, -15])
        np.testing.assert_allclose(curve(at), np.maximum(signed, 0), atol=1e-12)

    @pytest.mark.parametrize(("option", "sign"), [("signed", -1), ("clipped", 0)])
    def test_insulin_below_basal(self, option, sign):
        """Insulin below basal lowers the action, or counts as basal."""
        system = hf.systems.minimal.with_options(insulin_action=option, basal_insulin="first")
        curves = {"glucose": samples(IVGTT, 5.0), "insulin": samples(IVGTT, 40.0 - IVGTT / 10)}
        subject = Subject("S", curves)
        p = {"SI": 6e-5, "SG": 0.02, "p2": 0.03, "V": 0.17}
        action = hf.solve(system, p, subject, times=[60.0]).states["action"][0]
        assert np.sign(action) == sign

    def test_acute_area_is_that_of_the_curve(self):
        subject = ivgtt()
        curve, fine = above_basal("insulin", "first")(subject), np.linspace(0, 10, 100_001)
        area = area_above_basal("insulin", "first", 10.0)(subject)
        assert area == pytest.approx(np.trapezoid(curve(fine), fine), rel=1e-8)
