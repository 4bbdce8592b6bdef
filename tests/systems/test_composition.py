"""Compositions: two systems of one body give what each gives alone, and what they share."""

from dataclasses import replace

import numpy as np
import pytest
from by_hand import integrate
from scipy import stats
from scipy.linalg import expm
from virtual import OGTT, c_peptide_test, ogtt, prior_draw, samples, study_of

import hepaflux as hf
from hepaflux.parameter import Fixed, LogNormal, Parameter
from hepaflux.solver import solve
from hepaflux.systems import compose, extraction, oral, oral_labeled, secretion
from hepaflux.systems.condition import Condition, reported
from hepaflux.systems.inputs import above_basal, constant
from hepaflux.systems.system import Flux, Input, State, System, fields_type

TIGHT = {"rtol": 1e-11, "atol": 1e-11}
FINE = np.linspace(0, 180, 361)
LOOP = {
    "insulin_above_basal": "insulin_above_basal",
    "I_b": "basal_insulin",
    "glucose_above_basal": "glucose_above_basal",
    "glucose_rise": "glucose_rise",
}
"""Glucose of the drink drives secretion, and the insulin that gets past the liver acts on it."""


def small(system, *free):
    """The system with all but a few of its unknowns known."""
    known = {
        p.name: Fixed(float(p.prior.distribution().median()))
        for p in system.unknowns
        if p.name not in free and not p.axis
    }
    return system.with_priors(**known)


@pytest.fixture(scope="module")
def one_liver():
    """Secretion, extraction and a drink in one body."""
    first = extraction.with_options(kinetics="standard", extraction="saturable")
    return small(compose(first, oral, LOOP), "SI", "Phi_s", "HE_b")


PLASMA = System(
    name="plasma",
    title="Insulin of plasma, as it was measured",
    equations=("insulin = measured insulin",),
    references=("none",),
    states=(),
    parameters=(),
    inputs=(
        Input("measured", "pmol/L", "plasma insulin above basal", above_basal("insulin", "first")),
    ),
    outputs=(),
    signals=(Flux("passed", "pmol/L", "the same insulin", lambda y, p, u: u.measured),),
)


class TestPassingThrough:
    """Insulin that is passed on as it was measured changes nothing."""

    whole = compose(PLASMA, oral, {"passed": "insulin_above_basal"})

    def test_trajectory(self):
        study = study_of(ogtt())
        p = prior_draw(oral.for_study(study), np.random.default_rng(2))
        one, other = (
            solve(system.for_study(study), p, study.subjects[0], times=OGTT, **TIGHT)
            for system in (oral, self.whole)
        )
        for name, values in one.states.items():
            # In another order, a sum is rounded otherwise.
            np.testing.assert_allclose(other.states[name], values, rtol=1e-12)
        for pair, values in one.sensitivities.items():
            size = np.abs(values).max()
            np.testing.assert_allclose(
                other.sensitivities[pair], values, rtol=1e-12, atol=1e-14 * size
            )

    def test_density(self):
        study = study_of(ogtt())
        one, other = (hf.build_model(study, system) for system in (oral, self.whole))
        point = one.initial_point()
        assert point.keys() == other.initial_point().keys()
        densities = [model.compile_logp(mode="FAST_COMPILE")(point) for model in (one, other)]
        assert densities[0] == pytest.approx(densities[1], rel=1e-12)

    def test_what_is_said_of_it(self):
        assert self.whole.name == "plasma+oral"
        assert [u.name for u in self.whole.inputs if u.name == "insulin_above_basal"] == []
        assert "insulin_above_basal of oral = passed of plasma" in self.whole.equations
        assert set(oral.equations) < set(self.whole.equations)


def test_insulin_that_drives_is_that_which_is_made(one_liver):
    """The drink alone, driven by the insulin and basal insulin of the whole, gives its glucose."""
    study = study_of(c_peptide_test())
    system = one_liver.for_study(study)
    p = prior_draw(system, np.random.default_rng(5))
    both = integrate(system, study.subjects[0], FINE, **p)
    made = ogtt(time=FINE, glucose=both["glucose"])
    made = replace(made, samples={**made.samples, "insulin": samples(FINE, both["insulin"])})
    alone = small(oral, "SI").for_study(study)
    own = {q.name: p[q.name] for q in alone.unknowns}
    driven = integrate(alone, made, FINE, **own)
    np.testing.assert_allclose(driven["glucose"], both["glucose"], atol=1e-3)


def test_glucose_that_drives_is_that_of_the_drink(one_liver):
    """Secretion alone, driven by the glucose of the whole, gives its C-peptide and insulin.

    Of a person whose glucose does not fall below basal: there the gate of rises is not the same.
    """
    study = study_of(c_peptide_test())
    system = one_liver.for_study(study)
    p = prior_draw(system, np.random.default_rng(5))
    both = integrate(system, study.subjects[0], FINE, **p)
    assert both["glucose"].min() >= 5
    first = small(
        extraction.with_options(kinetics="standard", extraction="saturable"), "Phi_s", "HE_b"
    )
    own = {q.name: p[q.name] for q in first.unknowns}
    person = c_peptide_test(time=FINE, glucose=both["glucose"])
    driven = integrate(first, person, FINE, **own)
    # The whole's gate of rises is smooth, and a drink begins with rises that are hardly any.
    for name in ("c_peptide", "insulin"):
        np.testing.assert_allclose(driven[name], both[name], rtol=1e-2)
        np.testing.assert_allclose(driven[name][60:], both[name][60:], rtol=3e-3)


def test_portal_insulin_acts_on_production_and_that_of_plasma_on_disposal():
    """The more flow dilutes it, the nearer portal insulin is to that of plasma."""
    links = {
        **LOOP,
        "insulin_above_basal": "insulin_above_basal",
        "portal_insulin_above_basal": "liver_insulin_above_basal",
    }
    first = extraction.with_options(kinetics="standard", extraction="saturable")
    portal = small(compose(first, oral_labeled, links), "Q_P")
    plasma = small(
        compose(
            first,
            oral_labeled,
            {**LOOP, "insulin_above_basal": ("insulin_above_basal", "liver_insulin_above_basal")},
        ),
        "Q_P",
    )
    study = study_of(c_peptide_test())
    time = np.array([0.0, 30, 60, 120, 180])

    def course(system, flow):
        system = system.for_study(study)
        values = {q.name: np.array(q.prior.shares) for q in system.unknowns if q.axis}
        return integrate(system, study.subjects[0], time, **values, Q_P=flow)

    slow, endless, without = course(portal, 0.6), course(portal, 1e9), course(plasma, 0.6)
    for name, values in without.items():
        np.testing.assert_allclose(endless[name], values, rtol=1e-6, atol=1e-9)
    assert np.all(slow["hepatic_action"][1:] > 1.3 * without["hepatic_action"][1:])


def test_sensitivities_against_differences(one_liver):
    study = study_of(c_peptide_test())
    system = one_liver.for_study(study)
    p = prior_draw(system, np.random.default_rng(4))
    times = np.array([0.0, 20, 45, 90, 180])

    def at(name, factor):
        changed = {**p, name: p[name] * factor}
        return solve(system, changed, study.subjects[0], times=times, **TIGHT)

    exact = at("SI", 1.0).sensitivities
    for name in ("SI", "Phi_s", "HE_b"):
        step = 1e-3
        near = [at(name, 1 + k * step).states for k in (-2, -1, 1, 2)]
        for state in ("glucose", "insulin", "c_peptide"):
            far, close = near[3][state] - near[0][state], near[2][state] - near[1][state]
            slope = (8 * close - far) / (12 * step * p[name])
            found = exact.get((state, name), np.zeros_like(times))
            size = np.abs(slope).max()
            np.testing.assert_allclose(found, slope, rtol=0, atol=2e-5 * size + 1e-12)


class TestOptionsAndStates:
    def test_options_of_both_reach_their_own_side(self, one_liver):
        whole = compose(extraction, oral, LOOP).with_options(
            extraction="saturable", effectiveness="GEZI", basal_glucose="last"
        )
        names = {p.name for p in whole.parameters}
        assert {"K_D", "GEZI"} <= names
        assert "SG" not in names
        assert whole.settings["basal_glucose"] == "last"
        with pytest.raises(KeyError, match="has no option 'nope'; it has basal_glucose"):
            whole.with_options(nope=1)

    def test_priors_survive(self, one_liver):
        kept = one_liver.with_options(basal_glucose="last").for_study(study_of(c_peptide_test()))
        assert kept.parameter("T").prior == one_liver.parameter("T").prior
        assert [p.name for p in kept.unknowns] == [p.name for p in one_liver.unknowns]

    def test_a_state_of_health_is_that_of_both_sides(self):
        ill = {"values": reported({"SI": 5e-5}, "made up, to be read here"), "weight": 90.0}
        slow = {"values": reported({"Phi_s": 12.0}, "made up, to be read here")}
        sides = (
            replace(extraction, conditions=(Condition("ill", "made up", **slow),)),
            replace(oral, conditions=(Condition("ill", "made up", **ill),)),
        )
        whole = compose(*sides, LOOP)
        assert whole.condition("ill").weight == 90
        chosen = whole.in_condition("ill").with_options(extraction="saturable")
        assert chosen.centers["SI"] == pytest.approx(5e-5)
        assert chosen.centers["Phi_s"] == pytest.approx(12.0)

    def test_a_name_of_both_that_nobody_reports_is_told_apart(self, one_liver):
        inputs = [u.name for u in one_liver.inputs]
        assert {"oral_basal_glucose", "extraction_basal_glucose"} <= set(inputs)
        assert len(set(inputs)) == len(inputs)


def clock(name, made, needed):
    """A system that passes on at once what it is told."""
    record = fields_type("States", [f"{name}_until_now"])
    return System(
        name=name,
        title="It passes on",
        equations=("made = needed",),
        references=("none",),
        states=(State(f"{name}_until_now", "pmol/L*min", "all of it"),),
        parameters=(),
        inputs=(Input(needed, "pmol/L", "what it is told", above_basal("insulin", "first")),),
        outputs=(),
        rhs=lambda t, y, p, u: record(getattr(u, needed)),
        initial=lambda p, u: record(0.0),
        signals=(Flux(made, "pmol/L", "the same", lambda y, p, u: getattr(u, needed)),),
    )


def ring(name, given, taken):
    """A state that follows another at a rate that all of its kind share."""
    record = fields_type("States", [f"{name}_level"])
    return System(
        name=name,
        title="It follows",
        equations=("dx/dt = rate (other - x)",),
        references=("none",),
        states=(State(f"{name}_level", "pmol/L", "what follows"),),
        parameters=(Parameter("rate", "1/min", LogNormal(0.1, 0.3), "rate", "made up, to test"),),
        inputs=(Input(taken, "pmol/L", "what it follows", constant(1.0)),),
        outputs=(),
        rhs=lambda t, y, p, u: record(p.rate * (getattr(u, taken) - getattr(y, f"{name}_level"))),
        initial=lambda p, u: record(1.0 if name == "one" else 0.0),
        signals=(Flux(given, "pmol/L", "the level", lambda y, p, u: getattr(y, f"{name}_level")),),
    )


class TestRings:
    """A composed side closes a loop through three, and shares what is one quantity."""

    two = compose(ring("one", "a", "from_c"), ring("two", "b", "from_a"), {"a": "from_a"})
    three = compose(two, ring("three", "c", "from_b"), {"b": "from_b", "c": "from_c"})

    def test_a_loop_of_three_is_closed(self):
        """By hand: the levels become equal, by a linear equation whose matrix goes round."""
        assert self.three.inputs == ()
        times = np.array([0.0, 3, 10, 40, 200])
        solved = solve(self.three, {"rate": 0.1}, ogtt(), times=times, **TIGHT)
        around = 0.1 * (np.roll(np.eye(3), 1, axis=0) - np.eye(3))
        for i, name in enumerate(("one", "two", "three")):
            expected = [expm(around * t)[i, 0] for t in times]
            np.testing.assert_allclose(solved.states[f"{name}_level"], expected, atol=1e-8)
        assert solved.states["three_level"][-1] == pytest.approx(1 / 3, abs=1e-6)

    def test_a_parameter_that_both_declare_alike_is_one(self):
        assert [p.name for p in self.three.parameters] == ["rate"]
        solved = [
            solve(self.three, {"rate": 0.1 + h}, ogtt(), times=np.array([0.0, 9.0]), **TIGHT)
            for h in (-1e-5, 0.0, 1e-5)
        ]
        rise = (solved[2].states["two_level"] - solved[0].states["two_level"]) / 2e-5
        slope = solved[1].sensitivities["two_level", "rate"]
        np.testing.assert_allclose(slope, rise, rtol=1e-5, atol=1e-8)

    def test_one_that_they_declare_otherwise_is_not(self):
        other = ring("three", "c", "from_b").with_priors(rate=LogNormal(0.3, 0.3))
        with pytest.raises(ValueError, match="both have rate; choose options"):
            compose(self.two, other, {"b": "from_b"})


REFUSED = {
    "unknown signal": (
        {"insulin": "basal_insulin"},
        KeyError,
        "no signal 'insulin'; extraction has",
    ),
    "unknown input": (
        {"I_b": "insulin"},
        KeyError,
        "no input 'insulin'; extraction has .*oral has",
    ),
    "unit": (
        {"ISR": "insulin_above_basal"},
        ValueError,
        "ISR is in pmol/min, but input .* in pmol/L",
    ),
    "itself": ({"HE": "expected_V_I"}, ValueError, "a circle: HE and expected_V_I both belong"),
    "several curves": ({"HE": "hat"}, ValueError, "one curve per knot"),
    "nothing": ({}, ValueError, "name one at least"),
    "twice": (
        {"insulin_above_basal": "insulin_above_basal", "I_portal": "insulin_above_basal"},
        ValueError,
        "driven twice",
    ),
}


class TestRefusals:
    @pytest.mark.parametrize(("shared", "error", "message"), REFUSED.values(), ids=REFUSED)
    def test_what_cannot_drive(self, shared, error, message):
        with pytest.raises(error, match=message):
            compose(extraction, oral, shared)

    def test_one_name_for_two_things(self):
        smoothed = secretion.with_options(glucose="smoothed")
        with pytest.raises(
            ValueError, match=r"secretion and oral both have glucose; choose options"
        ):
            compose(smoothed, oral, {"ISR_b": "basal_insulin"})

    def test_options_that_contradict_each_other(self):
        last = oral.with_options(basal_glucose="last")
        with pytest.raises(ValueError, match="basal_glucose is 'first' in extraction, but 'last'"):
            compose(extraction, last, LOOP)

    def test_a_system_is_in_a_body_once(self):
        whole = compose(extraction, oral, LOOP)
        with pytest.raises(ValueError, match=r"a circle: extraction is in both extraction and"):
            compose(extraction, whole, {"I_b": "oral_basal_glucose"})

    def test_a_circle_without_a_state(self):
        both = compose(
            clock("one", "there", "back"),
            clock("other", "home", "away"),
            {"there": "away", "home": "back"},
        )
        with pytest.raises(ValueError, match=r"a circle without a state in it: .* which needs"):
            solve(both, {}, ogtt(), times=OGTT)

    def test_a_constant_cannot_vary(self):
        whole = compose(extraction, oral, {**LOOP, "I_b": (), "I_portal": "basal_insulin"})
        study = study_of(c_peptide_test())
        with pytest.raises(
            ValueError, match="basal_insulin is a constant of each person, but I_por"
        ):
            hf.build_model(study, whole)


@pytest.mark.slow
def test_a_composed_cohort_is_recovered(one_liver):
    """Of 90 % intervals as many hold the truth as they do in 999 cohorts of 1000."""
    made = hf.simulate_study(one_liver, subjects=6, protocol="ogtt75_c_peptide", seed=7)
    tree = hf.fit_each(made.study, one_liver, draws=200, tune=200, chains=2, seed=1)
    names = ("SI", "Phi_s", "HE_b")
    held, total = 0, 0.0
    for name in names:
        draws = tree["posterior"][name].stack(sample=("chain", "draw"))
        truth = made.truth[name].to_numpy()
        lower, upper = (draws.quantile(q, "sample").to_numpy() for q in (0.05, 0.95))
        held += int(np.sum((lower < truth) & (truth < upper)))
        logs = np.log(draws)
        z = (np.log(truth) - logs.mean("sample").to_numpy()) / logs.std("sample").to_numpy()
        total += float(np.sum(z**2))
    least, most = stats.binom.interval(0.999, len(names) * 6, 0.9)
    assert least <= held <= most
    assert total < stats.chi2.ppf(0.999, df=len(names) * 6)


def test_no_equation_is_written_twice():
    """What the whole does is done by the functions of its sides: change one, and it changes."""
    blunt = replace(oral, rhs=lambda t, y, p, u: oral.rhs(t, y, p, u)._replace(glucose=0.0 * p.SG))
    study = study_of(c_peptide_test(glucose=None))
    whole = small(
        compose(
            small(extraction.with_options(kinetics="standard")), replace(blunt, declare=None), LOOP
        )
    )
    system = whole.for_study(study)
    p = prior_draw(system, np.random.default_rng(1))
    found = integrate(system, study.subjects[0], OGTT, **p)
    np.testing.assert_array_equal(found["glucose"], found["glucose"][0])
