"""Hepatic extraction: mass, steady states, limits, what cannot be told apart, recovery."""

import numpy as np
import pytest
from by_hand import at, integrate, values
from scipy import stats
from scipy.special import logit
from virtual import c_peptide_test, study_of

import hepaflux as hf
from hepaflux.parameter import Fixed
from hepaflux.systems.extraction import PORTAL, extraction
from hepaflux.systems.system import fields_type

TRUTH = {
    "HE_b": 0.6,
    "n": 0.21,
    "V_I_relative": 0.9,
    "Q_P": 0.6,
    "HE_step": (-0.3, -0.5, 0.2, 0.4),
    "K_D": 900.0,
}
CURVE = extraction.with_options(extraction_knots=(0, 30, 60, 120, 180))
SATURABLE = extraction.with_options(extraction="saturable")
FINE = np.linspace(0, 180, 721)

each_form = pytest.mark.parametrize("system", [CURVE, SATURABLE], ids=["curve", "saturable"])


def run(system, times=FINE, subject=None, **changes):
    return integrate(system, subject or c_peptide_test(), times, **{**TRUTH, **changes})


def along(system, states, times, subject=None, **changes):
    """The fluxes along a solution."""
    p, inputs = values(system, subject or c_peptide_test(), **{**TRUTH, **changes})
    y = [fields_type("Y", list(states))(*row) for row in np.array(list(states.values())).T]
    return {
        f.name: np.array([f.value(y[i], p, at(t, inputs)) for i, t in enumerate(times)])
        for f in system.fluxes
    }


def fixed(system, subject=None, **changes):
    p, inputs = values(system, subject or c_peptide_test(), **{**TRUTH, **changes})
    u = at(0.0, inputs)
    return {d.name: d.value(p, u) for d in system.derived if not d.at_end}


@each_form
def test_insulin_is_accounted_for(system):
    """What got past the liver is in plasma or was lost from it."""
    y, found = run(system), fixed(system)
    lost = TRUTH["n"] * found["V_I"] * np.trapezoid(y["insulin"], FINE)
    there = found["V_I"] * (y["insulin"][-1] - y["insulin"][0])
    assert there + lost == pytest.approx(y["delivered"][-1], rel=1e-5)


@each_form
def test_what_is_secreted_is_delivered_or_extracted(system):
    y = run(system)
    flux = along(system, y, FINE)
    extracted = np.trapezoid(flux["ISR"] * flux["HE"], FINE)
    # Dynamic secretion jumps at samples, where the trapezoids round.
    assert y["delivered"][-1] + extracted == pytest.approx(y["secreted"][-1], rel=2e-3)
    index = {d.name: d.value for d in system.derived}["HE_index"]
    end = fields_type("Y", list(y))(*(v[-1] for v in y.values()))
    assert index(None, None, end) == pytest.approx(1 - y["delivered"][-1] / y["secreted"][-1])


@each_form
def test_rest_is_steady_and_clearance_is_secretion_over_insulin(system):
    """For two days at basal glucose; then n V_I / (1 - HE) is ISR / I."""
    subject = c_peptide_test(glucose=5.0, time=np.array([0.0, 2880.0]))
    steps = {"HE_step": (0.0,) * 4}
    y = run(system, [1.0, 2880.0], subject, **steps)
    found = fixed(system, subject)
    np.testing.assert_allclose(y["insulin"], found["I_b"], rtol=1e-6)
    flux = along(system, y, [1.0, 2880.0], subject, **steps)
    np.testing.assert_allclose(flux["CL_secreted"], found["CL_b"], rtol=1e-6)
    np.testing.assert_allclose(flux["HE"], TRUTH["HE_b"], rtol=1e-6)
    assert found["I_portal_b"] == pytest.approx(found["I_b"] + found["ISR_b"] / 0.6)


@pytest.mark.parametrize("n", [0.1, 0.3])
def test_without_extraction_all_that_is_secreted_arrives(n):
    """Insulin is then secretion passed through one compartment, by convolution."""
    subject = c_peptide_test(time=np.array([0.0, 30, 60, 120, 180]))
    y = run(CURVE, subject=subject, HE_b=1e-12, n=n)
    np.testing.assert_allclose(y["delivered"], y["secreted"], rtol=1e-9)
    found = fixed(CURVE, subject, HE_b=1e-12, n=n)
    assert found["I_b"] == pytest.approx(found["ISR_b"] / (n * found["V_I"]))
    step = FINE[1] - FINE[0]
    entering = np.diff(y["secreted"]) / step / found["V_I"]
    insulin = [found["I_b"]]
    for rate in entering:
        gone = np.exp(-n * step)
        insulin.append(insulin[-1] * gone + rate / n * (1 - gone))
    np.testing.assert_allclose(y["insulin"], insulin, rtol=1e-3)


def test_extraction_takes_its_steps_on_the_logit_scale():
    y = run(CURVE, np.array([0.0, 30.0, 60.0, 120.0, 180.0]))
    found = along(CURVE, y, [0.0, 30.0, 60.0, 120.0, 180.0])["HE"]
    logit = np.log(found / (1 - found)) - np.log(0.6 / 0.4)
    np.testing.assert_allclose(logit, np.cumsum([0.0, *TRUTH["HE_step"]]), atol=1e-12)


def test_saturable_extraction_falls_as_secretion_rises():
    times = np.array([0.0, 20.0, 45.0, 90.0, 180.0])
    flux = along(SATURABLE, run(SATURABLE, times), times)
    order = np.argsort(flux["ISR"])
    assert np.all(np.diff(flux["HE"][order]) < 0)
    # The liver keeps K_D worth of capacity: HE (K_D + ISR) is the same at all times.
    capacity = flux["HE"] * (TRUTH["K_D"] + flux["ISR"])
    np.testing.assert_allclose(capacity, capacity[0])


def test_portal_insulin_is_diluted_on_its_way():
    times = np.array([0.0, 45.0, 90.0])
    y = run(CURVE, times)
    flux = along(CURVE, y, times)
    np.testing.assert_allclose((flux["I_portal"] - y["insulin"]) * 0.6, flux["ISR"])
    share = (flux["I_sinusoid"] - y["insulin"]) / (flux["I_portal"] - y["insulin"])
    np.testing.assert_allclose(share, PORTAL)
    assert np.all(np.abs(np.log(flux["I_portal"] / y["insulin"] / 3.5)) < np.log(2.4))


def test_a_faster_loss_with_less_extraction_is_the_same_at_rest_and_quicker_after():
    """The ridge: with n V_I / (1 - HE_b) the same, only the speed of insulin differs."""
    slow, fast = {"n": 0.16, "HE_b": 0.6}, {"n": 0.24, "HE_b": 0.4}
    assert fixed(CURVE, **slow)["I_b"] == pytest.approx(fixed(CURVE, **fast)["I_b"])
    steps = {"HE_step": (0.0,) * 4}
    one, other = (run(CURVE, **given, **steps)["insulin"] for given in (slow, fast))
    assert np.corrcoef(one, other)[0, 1] > 0.99
    assert FINE[np.argmax(other)] < FINE[np.argmax(one)]


def test_volume_is_that_of_the_body_surface():
    found = fixed(CURVE, c_peptide_test(more={"bsa": 1.9}))
    assert found["V_I"] == pytest.approx(0.9 * np.exp(0.5358 * 1.9 + 1))


def test_knots_end_at_the_last_sample():
    subject = c_peptide_test(time=np.array([0.0, 30, 60, 90, 120]))
    adapted = extraction.for_study(study_of(subject))
    assert adapted.settings["extraction_knots"] == (0.0, 30.0, 60.0, 120.0)


def test_insulin_and_c_peptide_are_both_needed():
    with pytest.raises(hf.StudyError, match="no insulin samples to fit"):
        hf.build_model(study_of(c_peptide_test(insulin=None)), extraction)


def test_the_equations_state_the_share_of_portal_blood(monkeypatch):
    monkeypatch.setitem(extraction.declare.__globals__, "PORTAL", 0.625)
    text = " ".join(extraction.with_options(extraction="saturable").equations)
    assert "I_sinusoid = 0.625 I_portal + 0.375 I" in text


@pytest.mark.slow
def test_extraction_of_virtual_people_is_found():
    """With n, V_I and T known, so that extraction is not conditional on them."""
    known = {"V_I_relative": Fixed(1.0), "n": Fixed(0.23), "Q_P": Fixed(0.6), "T": Fixed(10.0)}
    system = extraction.with_options(kinetics="standard", extraction_knots=(0, 60, 240))
    system = system.with_priors(**known)
    made = hf.simulate_study(system, subjects=3, protocol="ogtt75_c_peptide", seed=3)
    tree = hf.fit_each(made.study, system, draws=300, tune=300, chains=2, seed=1)
    draws = logit(tree["posterior"]["HE_b"]).stack(sample=("chain", "draw"))
    error = logit(made.truth["HE_b"].to_numpy()) - draws.mean("sample").to_numpy()
    spread = draws.std("sample").to_numpy()
    assert np.sum((error / spread) ** 2) < stats.chi2.ppf(0.999, df=3)
    assert np.all(spread < 0.2)
