"""The labeled IVGTT: its indexes are what they are called, and the published formulas hold."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from virtual import IVGTT, insulin, labeled_ivgtt, prior_draw, samples

import hepaflux as hf
from hepaflux.parameter import Fixed
from hepaflux.study.study import Dose, StudyError, Subject
from hepaflux.systems import ivgtt_labeled
from hepaflux.systems.system import fields_type

TRUTH = {
    "S2_I": 2.3e-5,
    "PCR": 2.0e-3,
    "p2": 0.025,
    "V": 0.18,
    "k21": 0.065,
    "k12": 0.079,
    "SI_L": 6e-6,
    "GE_L": 1.3e-3,
    "k_L": 0.03,
}
BASAL, DOSE = 5.0, 0.165
TIGHT = {"rtol": 1e-11, "atol": 1e-11}


def with_few_unknowns(*unknown, **options):
    """The system with all but a few parameters fixed, which compiles sooner."""
    system = ivgtt_labeled.with_options(basal_insulin="first", **options)
    known = {p.name: Fixed(TRUTH[p.name]) for p in system.unknowns if p.name not in unknown}
    return system.with_priors(**known)


modeled = with_few_unknowns("SI_L", "GE_L", glucose="modeled")
measured = with_few_unknowns("S2_I")


def truth_of(system):
    return {p.name: TRUTH[p.name] for p in system.unknowns}


def records(**changes):
    """``p`` and ``u`` of a person at basal."""
    fixed = {p.name: p.prior.value for p in modeled.parameters if hasattr(p.prior, "value")}
    values = {**TRUTH, **fixed, **changes}
    inputs = {"basal_glucose": BASAL, "basal_insulin": 50.0, "insulin_above_basal": 0.0}
    return fields_type("P", list(values))(**values), fields_type("U", list(inputs))(**inputs)


def derived(p, u):
    return {d.name: d.value(p, u) for d in modeled.derived}


class TestIndexes:
    def test_they_are_the_published_formulas_of_the_rate_constants(self):
        """S2_I and S2_G recomputed (Vicini 1997), PCR from basal disposal."""
        p, u = records()
        d = derived(p, u)
        k02, kp, Rd0 = d["k02"], d["kp"], d["Rd0"]
        sensitivity = p.V * p.k21 * p.k12 * (d["p3"] / p.p2) / (k02 + p.k12) ** 2
        effectiveness = p.V * (kp + p.k21 * k02 / (k02 + p.k12))
        assert sensitivity == pytest.approx(p.S2_I, rel=1e-12)
        assert effectiveness == pytest.approx(d["S2_G"], rel=1e-12)
        clearance = effectiveness + Rd0 / BASAL
        assert clearance == pytest.approx(p.PCR, rel=1e-12)
        assert d["EGP_b"] == pytest.approx(clearance * BASAL, rel=1e-12)

    def test_insulin_independent_disposal_is_three_times_the_other(self):
        p, u = records()
        d = derived(p, u)
        free = d["kp"] + d["Rd0"] / (p.V * BASAL)
        assert free == pytest.approx(3 * p.k21 * d["k02"] / (d["k02"] + p.k12), rel=1e-12)

    @staticmethod
    def steady_disposal(p, u, glucose, insulin_above):
        """Disposal at a glucose and insulin that are held, by the equations themselves."""
        u = u._replace(insulin_above_basal=insulin_above)
        states = fields_type("Y", [s.name for s in modeled.states])

        def at(action, deep):
            known = {"unlabeled": glucose, "unlabeled_deep": deep, "action": action}
            return states(**{name: known.get(name, 0.0) for name in states._fields})

        slope = (
            modeled.rhs(0, at(1.0, 0.0), p, u).action - modeled.rhs(0, at(0.0, 0.0), p, u).action
        )
        action = -modeled.rhs(0, at(0.0, 0.0), p, u).action / slope
        full, empty = (modeled.rhs(0, at(action, d), p, u).unlabeled_deep for d in (1.0, 0.0))
        y = at(action, -empty / (full - empty))
        return {f.name: f.value for f in modeled.fluxes}["Rd"](y, p, u)

    def test_they_are_slopes_of_steady_disposal(self):
        p, u = records()
        more = self.steady_disposal(p, u, BASAL, 1e-3) - self.steady_disposal(p, u, BASAL, -1e-3)
        assert more / 2e-3 / BASAL == pytest.approx(p.S2_I, rel=1e-6)
        up = self.steady_disposal(p, u, BASAL + 1e-3, 0.0)
        down = self.steady_disposal(p, u, BASAL - 1e-3, 0.0)
        assert (up - down) / 2e-3 == pytest.approx(derived(p, u)["S2_G"], rel=1e-6)
        assert self.steady_disposal(p, u, BASAL, 0.0) == pytest.approx(p.PCR * BASAL, rel=1e-12)

    def test_a_share_of_disposal_cannot_make_a_part_of_it_negative(self):
        """A constant disposal of 1 mg/kg/min can, in people whose clearance is low."""
        rng = np.random.default_rng(1)
        original = 1.0 / 180.156
        negative = 0
        system = ivgtt_labeled.with_options(glucose="modeled")
        for _ in range(100):
            draw = prior_draw(system, rng)
            p, u = records(**draw)
            d = derived(p, u)
            assert min(d["kp"], d["k02"], d["Rd0"], d["S2_G"]) > 0
            negative += p.NI_share * p.PCR * BASAL < original
        assert negative > 0


def basal_insulin_test(time):
    """A tracer bolus alone, at basal glucose and insulin."""
    curves = {"glucose": samples(time, BASAL), "insulin": samples(time, 50.0)}
    curves["egp_enrichment"] = samples(time[1:], 0.01)
    return Subject("S1", curves, (Dose(0.0, "egp_tracer", DOSE, "intravenous", per_kg=True),))


def test_clearance_is_dose_over_area():
    """At basal glucose and insulin the area under the tracer is dose / PCR (Simpson's rule)."""
    time = np.linspace(0, 3000, 12_001)
    subject = basal_insulin_test(time)
    y = hf.solve(measured, truth_of(measured), subject, times=time, **TIGHT).states
    curve = y["egp_tracer"].copy()
    curve[0] = DOSE / TRUTH["V"]
    weights = np.tile([2.0, 4.0], 6001)[:12_001]
    weights[[0, -1]] = 1.0
    area = (weights * curve).sum() * 0.25 / 3
    assert DOSE / area == pytest.approx(TRUTH["PCR"], rel=1e-6)


def test_glucose_and_its_label_enter_the_same_pool():
    """Half a minute after the bolus the two stand in the ratio in which they were injected."""
    subject = labeled_ivgtt(time=IVGTT)
    time = np.concatenate([[0.0, 0.5], IVGTT[1:]])
    y = hf.solve(modeled, truth_of(modeled), subject, times=time, **TIGHT).states
    assert (y["unlabeled"][1] - BASAL) / y["egp_tracer"][1] == pytest.approx(1.7 / DOSE, rel=0.01)
    assert y["egp_tracer"][1] == pytest.approx(DOSE / TRUTH["V"], rel=0.05)


def test_known_and_modeled_glucose_give_the_same_tracer():
    """The modeled curve, sampled densely and taken as known."""
    dense = np.concatenate([[0.0], np.geomspace(1e-3, 182, 1500)])
    subject = labeled_ivgtt(time=IVGTT)
    y = hf.solve(modeled, truth_of(modeled), subject, times=dense, **TIGHT).states
    glucose = y["unlabeled"] + y["egp_tracer"]
    known = labeled_ivgtt(time=dense, glucose=glucose)
    known = Subject("S1", {**known.samples, "insulin": subject.samples["insulin"]}, known.doses)
    found = hf.solve(measured, truth_of(measured), known, times=IVGTT[1:], **TIGHT).states
    at = [np.interp(IVGTT[1:], dense, y[name]) for name in ("egp_tracer", "egp_tracer_deep")]
    np.testing.assert_allclose(found["egp_tracer"], at[0], rtol=2e-4)
    np.testing.assert_allclose(found["egp_tracer_deep"], at[1], rtol=2e-4)


def test_agreement_with_another_integrator():
    subject, system = labeled_ivgtt(time=IVGTT), modeled
    found = hf.solve(system, truth_of(system), subject, times=IVGTT, **TIGHT).states
    p, u0 = records()
    basal = insulin(0.0)
    states = fields_type("Y", [s.name for s in system.states])

    def rhs(t, y):
        known = np.interp(t, IVGTT, insulin(IVGTT)) - basal
        u = u0._replace(insulin_above_basal=known, basal_insulin=basal)
        return np.array(system.rhs(t, states(*y), p, u), dtype=float)

    y = np.array(system.initial(p, u0), dtype=float)
    doses = {"glucose": 1.7, "egp_tracer": DOSE}
    for channel in system.doses:
        y = y + doses[channel.what] * np.array(channel.gain(p, u0), dtype=float)
    columns = []
    for begin, end in pairwise(IVGTT):
        y = solve_ivp(rhs, (begin, end), y, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
        columns.append(y)
    for i, state in enumerate(system.states):
        expected = np.array(columns)[:, i]
        np.testing.assert_allclose(
            found[state.name][1:], expected, atol=1e-8 * np.abs(expected).max()
        )


def test_production_falls_and_stays_above_zero():
    """Even where the linear law would make it negative."""
    subject = labeled_ivgtt(time=IVGTT)
    strong = truth_of(modeled) | {"GE_L": 4e-3, "SI_L": 4e-5}
    y = hf.solve(modeled, strong, subject, times=IVGTT, **TIGHT).states
    p, u = records(GE_L=4e-3, SI_L=4e-5)
    record = fields_type("Y", list(y))(**y)
    made = {f.name: f.value for f in modeled.fluxes}["EGP"](record, p, u)
    linear = p.PCR * BASAL - p.GE_L * (y["unlabeled"] + y["egp_tracer"] - BASAL)
    assert made[0] == pytest.approx(p.PCR * BASAL, rel=1e-9)
    assert linear.min() < 0 < made.min()


def test_only_mixed_samples_enter_the_likelihood():
    uses = ivgtt_labeled.with_options(mixing=8).outputs[0].uses
    assert uses(np.array([0.0, 2, 7.9, 8, 10])).tolist() == [False, False, False, True, True]


def test_a_test_without_a_label_is_refused():
    subject = labeled_ivgtt()
    curves = {k: v for k, v in subject.samples.items() if k != "egp_enrichment"}
    study = hf.Study("test", (Subject("S1", curves, subject.doses),))
    with pytest.raises(StudyError, match="no egp_enrichment samples to fit"):
        hf.build_model(study, ivgtt_labeled)
