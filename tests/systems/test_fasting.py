"""Fasting: its balances, what hormones do in it, and each state of health with its cause."""

import functools
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import hepaflux as hf
from hepaflux.systems.release import pooled
from hepaflux.systems.system import fields_type

FASTING = hf.systems.fasting
HOUR = 60.0
BEGIN = 4 * HOUR
GLUCAGON = 3.0 / 3482.8 * 1000
"""3 ng/kg/min of glucagon in pmol/kg/min."""


class Person:
    """A fast of one person, integrated by SciPy on the declared functions; times since a meal."""

    def __init__(self, state="normal", *, system=FASTING, hours=24, infused=(), meal=(), **changes):
        chosen = system.in_condition(state)
        values = {**chosen.centers, **changes}
        self.system, self.p = chosen, SimpleNamespace(**values)
        self.infused = infused
        self.record = fields_type("Y", [s.name for s in chosen.states])
        self.time, self.y = self._solve(hours * HOUR, dict(meal))
        inputs = [self.u(t) for t in self.time]
        u = SimpleNamespace(
            **{n: np.array([getattr(i, n) for i in inputs]) for n in vars(inputs[0])}
        )
        y = self.record(*self.y)
        self.values = {f.name: f.value(y, self.p, u) for f in chosen.fluxes}
        self.values |= {o.name: o.value(y, self.p, u) for o in chosen.outputs} | y._asdict()

    def u(self, time):
        """Infusion of glucagon: begin, end and rate."""
        rate = sum(r for a, b, r in self.infused if a <= time < b)
        return SimpleNamespace(insulin_infused=0.0, glucagon_infused=rate)

    def _solve(self, end, meal):
        edges = {e for a, b, _ in self.infused for e in (a, b)}
        cuts = sorted({BEGIN, end, *meal, *edges})
        y = np.array(self.system.initial(self.p, None), dtype=float)
        times, states = [np.array([BEGIN])], [y[:, None]]
        for begin, stop in itertools.pairwise(cuts):
            y[2] += meal.get(begin, 0.0)
            u = self.u(begin)
            at = np.linspace(begin, stop, max(3, int((stop - begin) / 5) + 1))
            solved = solve_ivp(
                lambda t, y, u=u: self.system.rhs(t, self.record(*y), self.p, u),
                (begin, stop),
                y,
                method="LSODA",
                t_eval=at,
                max_step=30.0,
                rtol=1e-8,
                atol=1e-9,
            )
            assert solved.success
            times.append(solved.t[1:])
            states.append(solved.y[:, 1:])
            y = solved.y[:, -1].copy()
        return np.concatenate(times), np.concatenate(states, axis=1)

    def at(self, name, hour):
        """Return a flux, an output or a state at an hour."""
        values = np.broadcast_to(self.values[name], self.time.shape)
        return float(np.interp(hour * HOUR, self.time, values))

    def total(self, name):
        """Return the integral of a flux over the fast."""
        return float(np.trapezoid(np.broadcast_to(self.values[name], self.time.shape), self.time))


@functools.cache
def person(state="normal", hours=24, **changes):
    return Person(state, hours=hours, **changes)


MEAL = ((6 * HOUR, 4.0),)


@pytest.mark.parametrize("state", [c.name for c in FASTING.conditions])
def test_glucose_and_glycogen_are_balanced(state):
    who = Person(state, hours=18, meal=MEAL)
    # A drink is a jump that the trapezoids do not see; they are fine enough for the rest.
    gained = who.total("EGP") + who.total("Ra")
    lost = who.total("Rd") + who.total("liver_uptake") + who.total("renal")
    change = who.values["S"][-1] - who.values["S"][0]
    assert gained - lost == pytest.approx(change, abs=2e-3 * gained)
    stored = (who.total("synthesis") - who.total("breakdown")) / who.p.V_L
    change = who.values["glycogen"][-1] - who.values["glycogen"][0]
    assert stored == pytest.approx(change, abs=2e-3 * who.total("breakdown") / who.p.V_L)
    left = who.values["stomach"][-1] + who.values["gut"][-1]
    assert who.total("Ra") == pytest.approx(who.p.f * (4.0 - left), rel=2e-3)


@pytest.mark.parametrize("state", [c.name for c in FASTING.conditions])
def test_production_is_the_sum_of_its_sources(state):
    v = person(state).values
    np.testing.assert_allclose(v["EGP"], v["GNG"] + v["GLY"], rtol=1e-12)
    np.testing.assert_allclose(v["GNG_share"], v["GNG"] / v["EGP"], rtol=1e-12)
    np.testing.assert_allclose(v["gng_fraction"], v["GNG_share"], rtol=1e-12)
    np.testing.assert_allclose(v["egp"], v["EGP"], rtol=1e-12)
    assert np.all(v["kidney"] <= v["GNG"])
    assert np.all(v["liver_uptake"] >= 0)


def test_what_enters_glucose_6_phosphate_leaves_it():
    rng = np.random.default_rng(1)
    p = SimpleNamespace(K_G6P=2.0)
    for entering, opened, lost in 10 ** rng.uniform(-2, 1.5, size=(200, 3)):
        x = pooled(entering, opened, lost, p)
        assert x > 0
        assert opened * x / (p.K_G6P + x) + lost * x == pytest.approx(entering, rel=1e-9)


def test_a_method_shifts_the_odds_of_the_share():
    shifted = FASTING.with_options(method="shifted")
    plain = person().at("gng_fraction", 14)
    off = Person(system=shifted, gng_shift=0.7).at("gng_fraction", 14)
    assert off / (1 - off) == pytest.approx(np.exp(0.7) * plain / (1 - plain), rel=1e-6)


class TestHealth:
    """A healthy fast against what is measured in people."""

    fast = staticmethod(functools.partial(person, hours=72))

    def test_glucose_is_held(self):
        glucose = self.fast().values["glucose"]
        assert np.all((glucose > 3.9) & (glucose < 5.6))
        assert glucose[-1] < glucose[0]

    @pytest.mark.parametrize(
        ("hour", "measured"),
        [(14, (0.47, 0.63)), (22, (0.64, 0.67)), (42, (0.93,)), (55, (0.96,))],
    )
    def test_the_new_share_is_within_a_method_of_what_was_found(self, hour, measured):
        """Landau 1996, Rothman 1991 and Kunert 2003; methods lie 0.1 apart (SD), so 0.2 bound."""
        share = self.fast().at("GNG_share", hour)
        assert min(measured) - 0.2 < share < max(measured) + 0.2

    def test_glycogen_falls_as_fast_as_in_the_seven(self):
        """Rates of seven people by magnetic resonance were 0.033 to 0.057 per hour."""
        first, last = self.fast().at("glycogen", 8), self.fast().at("glycogen", 28)
        assert 0.033 < np.log(first / last) / 20 < 0.057

    def test_production_falls_as_in_the_compendium(self):
        """Means of its studies were 11.0 (SD 1.6) before 18 h and 8.4 umol/kg/min after 30 h."""
        assert 1e3 * self.fast().at("EGP", 12) == pytest.approx(11.0, abs=2 * 1.6)
        assert 1e3 * self.fast().at("EGP", 48) == pytest.approx(8.4, abs=1.6)

    def test_kidneys_share_of_production_is_contested_but_below_a_third(self):
        assert 0.1 < self.fast().at("kidney", 12) / self.fast().at("EGP", 12) < 0.33

    def test_a_meal_suppresses_production_and_fills_glycogen(self):
        """A meal of 140 g raised glycogen by 109 mmol/L in five hours (Taylor 1996); here by less,
        but by tens, and production is nearly nil within the hour."""
        who = Person(hours=17, meal=((12 * HOUR, 10.8),))
        assert who.at("EGP", 12.75) < 0.2 * who.at("EGP", 11.9)
        assert who.at("synthesis", 12.75) > 3 * who.at("breakdown", 12.75)
        assert who.values["glycogen"][who.time > 12 * HOUR].max() > who.at("glycogen", 12) + 40
        assert who.at("synthesis", 11.9) < 0.3 * who.at("breakdown", 11.9)


class TestSwitch:
    """Insulin, glucagon and epinephrine meet in one number, and breakdown opposes synthesis."""

    def moment(self, **changes):
        p = SimpleNamespace(**{**FASTING.centers, **changes})
        y = fields_type("Y", [s.name for s in FASTING.states])(*FASTING.initial(p, None))
        u = SimpleNamespace(insulin_infused=0.0, glucagon_infused=0.0)
        return {f.name: f.value(y, p, u) for f in FASTING.fluxes}

    @pytest.mark.parametrize(
        ("changes", "sign"),
        [({"I_floor": 100.0}, -1), ({"alpha_cells": 0.0}, -1), ({"E_added": 2000.0}, 1)],
        ids=["insulin", "no glucagon", "epinephrine"],
    )
    def test_breakdown_and_synthesis_are_regulated_reciprocally(self, changes, sign):
        base, changed = self.moment(), self.moment(**changes)
        assert sign * (changed["phosphorylation"] - base["phosphorylation"]) > 0.05
        assert sign * (changed["breakdown"] - base["breakdown"]) > 0
        per_g6p = [m["synthesis"] / m["G6P"] for m in (base, changed)]
        assert sign * (per_g6p[0] - per_g6p[1]) > 0
        assert sign * (changed["EGP"] - base["EGP"]) > 0

    def infusion(self, **fields):
        return Person(hours=11, infused=((7 * HOUR, 9 * HOUR, GLUCAGON),), **fields)

    def test_the_effect_of_glucagon_wanes(self):
        """3 ng/kg/min raised production from 1.8 to 2.5 mg/kg/min at 15 min, near basal at an hour;
        when it stopped, production fell to 1.4 (J Clin Endocrinol Metab 1979)."""
        who = self.infusion()
        basal, early, late, after = (who.at("EGP", h) for h in (6.9, 7.25, 8.9, 9.2))
        assert 1.2 < early / basal < 1.6
        assert late - basal < 0.6 * (early - basal)
        assert after < 0.85 * basal

    def test_part_of_it_is_adaptation_and_part_glucose_and_insulin(self):
        """Without adaptation more of the rise is left at two hours, and less is lost after it."""
        left, after = {}, {}
        for waning in (0.0, FASTING.centers["waning"]):
            who = self.infusion(waning=waning)
            basal, early, late, then = (who.at("EGP", h) for h in (6.9, 7.25, 8.9, 9.2))
            left[waning], after[waning] = (late - basal) / (early - basal), then / basal
        (none, some), (high, low) = left.values(), after.values()
        assert some + 0.1 < none < 0.9
        assert low + 0.05 < high < 1

    def test_cascade_and_rest_agree_but_for_minutes(self):
        """After a step of glucagon the cascade is behind by its time constants, 5 min in all."""
        dynamic = self.infusion(system=FASTING.with_options(switch="dynamic"))
        steady = self.infusion()
        for hour, within in ((5, 0.002), (7.5, 0.02), (8.8, 0.005), (10.9, 0.005)):
            assert dynamic.at("EGP", hour) == pytest.approx(steady.at("EGP", hour), rel=within)
            assert dynamic.at("glucose", hour) == pytest.approx(
                steady.at("glucose", hour), rel=0.01
            )
        soon = 7 + 2 / 60
        assert dynamic.at("EGP", soon) < 0.95 * steady.at("EGP", soon)


class TestStates:
    """Each state has its signature, and without its cause it has not."""

    def test_type_1_diabetes(self):
        well, ill, undone = person(), person("t1d"), person("t1d", beta_cells=1.0)
        assert ill.at("EGP", 5) > 1.4 * well.at("EGP", 5)
        assert ill.values["glucose"].max() > 10
        assert ill.at("glucagon", 8) > 1.5 * well.at("glucagon", 8)
        assert np.all(ill.values["lipolysis"] > 0.99)
        assert np.all(well.values["lipolysis"] < 0.9)
        for name in ("EGP", "glucose", "glucagon", "lipolysis"):
            assert undone.at(name, 8) == pytest.approx(well.at(name, 8), rel=1e-3)

    def test_hyperosmolar_state(self):
        well, ill, t1d = person(), person("hhs"), person("t1d")
        assert np.all(ill.values["glucose"] > 20)
        assert all(ill.at("lipolysis", h) <= 1.1 * well.at("lipolysis", h) for h in (8, 12, 24))
        assert ill.at("lipolysis", 12) < 0.85 * t1d.at("lipolysis", 12)
        assert ill.at("EGP", 12) > 0.9 * well.at("EGP", 12)

    def test_hyperosmolar_state_needs_some_insulin_and_two_half_maximal_ones(self):
        ill = person("hhs")
        without = person("hhs", beta_cells=0.0)
        assert without.at("lipolysis", 12) > 0.99
        alike = person("hhs", K_L=ill.p.K_E)
        assert alike.at("lipolysis", 12) > 0.9
        heard = person("hhs", K_E=80.0, K_i=80.0)
        assert heard.at("EGP", 8) < 0.75 * ill.at("EGP", 8)

    def test_insulinoma(self):
        well, ill, undone = person(), person("insulinoma"), person("insulinoma", I_floor=0.0)
        start = person(G_0=4.5)
        assert ill.at("EGP", 4) < 0.8 * start.at("EGP", 4)
        assert ill.at("EGP", 24) < 0.9 * well.at("EGP", 24)
        assert np.all(np.diff(ill.values["S"]) < 0)
        assert ill.values["glucose"][-1] < 3.0
        reached = ill.time[np.argmax(ill.values["glucose"] < 3.0)] - BEGIN
        assert ill.values["high"][-1] == pytest.approx(reached, abs=10)
        assert 60 < reached < 20 * HOUR
        assert undone.values["glucose"].min() > 3.9
        assert undone.values["high"][-1] == pytest.approx(20 * HOUR, rel=1e-3)

    def test_von_gierke_disease(self):
        well, ill, undone = person(), person("von_gierke"), person("von_gierke", g6pase=1.0)
        assert ill.at("glucose", 8) < 3.0
        assert ill.at("EGP", 12) < 0.6 * well.at("EGP", 12)
        for name in ("G6P", "overflow"):
            assert ill.at(name, 12) > 10 * well.at(name, 12)
        for hour in (8, 12, 24):
            assert ill.at("glycogen", hour) > 1.02 * well.at("glycogen", hour)
        for name in ("glucose", "EGP", "G6P", "overflow", "glycogen"):
            assert undone.at(name, 12) == pytest.approx(well.at(name, 12), rel=1e-3)

    def test_glucagon_does_not_help_in_von_gierke_disease(self):
        given = ((7 * HOUR, 8 * HOUR, GLUCAGON),)
        rises = {}
        for state in ("normal", "von_gierke"):
            with_it, without = Person(state, hours=9, infused=given), Person(state, hours=9)
            rises[state] = {n: with_it.at(n, 7.25) - without.at(n, 7.25) for n in ("EGP", "G6P")}
        assert rises["von_gierke"]["EGP"] < 0.2 * rises["normal"]["EGP"]

    def test_stress(self):
        well, ill, undone = person(), person("stress"), person("stress", E_added=0.0)
        assert ill.at("EGP", 4) > 1.3 * well.at("EGP", 4)
        assert ill.at("glucose", 6) > well.at("glucose", 6) + 0.5
        assert ill.at("glycogen", 12) < 0.95 * well.at("glycogen", 12)
        for name in ("EGP", "glucose", "glycogen"):
            assert undone.at(name, 6) == pytest.approx(well.at(name, 6), rel=1e-3)

    def test_glucagon_deficiency(self):
        """Without glucagon the liver gives less at once; what opposes hypoglycemia makes up for
        most of it within hours."""
        well, ill = person(), person("glucagon_deficiency")
        undone = person("glucagon_deficiency", alpha_cells=1.0)
        assert ill.at("EGP", 4) < 0.9 * well.at("EGP", 4)
        assert ill.at("glucose", 8) < well.at("glucose", 8) - 0.05
        assert ill.at("glycogen", 12) > well.at("glycogen", 12)
        assert ill.at("epinephrine", 12) > well.at("epinephrine", 12)
        for name in ("EGP", "glucose", "glycogen"):
            assert undone.at(name, 8) == pytest.approx(well.at(name, 8), rel=1e-3)

    def test_type_2_diabetes(self):
        well, ill = person(), person("t2d")
        assert 6.5 < ill.at("glucose", 12) < 11
        assert ill.at("EGP", 22) > 1.1 * well.at("EGP", 22)
        assert ill.at("GNG_share", 14) > well.at("GNG_share", 14) + 0.05
        assert ill.at("glycogen", 12) < 0.6 * well.at("glycogen", 12)
        undone = person("t2d", GNG_4h=well.p.GNG_4h)
        assert undone.at("glucose", 12) < ill.at("glucose", 12) - 1.5
        assert undone.at("EGP", 22) < well.at("EGP", 22)

    @pytest.mark.parametrize("made", [5.0e-3, 8.0e-3])
    def test_glycogen_and_heavy_water_of_type_2_diabetes_contradict_each_other(self, made):
        """Heavy water found 0.62 to 0.67 at 15 h (Gastaldelli 2001 and 2006). From as little
        glycogen as Magnusson found that cannot be, however much new glucose is made; from as much
        as in health it can, within the 0.1 by which methods differ."""
        little, much = (
            Person("t2d", hours=16, GNG_4h=made, Gly_4h=glycogen) for glycogen in (129.0, 390.0)
        )
        assert little.at("GNG_share", 15) > 0.8
        assert 0.5 < much.at("GNG_share", 15) < 0.75

    def test_impaired_tolerance(self):
        well, ill = person(), person("impaired")
        assert ill.at("insulin", 12) > 1.2 * well.at("insulin", 12)
        assert ill.at("glucose", 12) > well.at("glucose", 12)
        heard = person("impaired", **{n: getattr(well.p, n) for n in ("K_i", "K_E", "CL_I")})
        assert heard.at("glucose", 12) < ill.at("glucose", 12) - 0.1
        assert heard.at("insulin", 12) < 0.95 * ill.at("insulin", 12)


SINGLE = ("t1d", "von_gierke", "stress", "glucagon_deficiency")


@pytest.mark.parametrize("state", SINGLE)
def test_a_single_cause_is_a_single_parameter(state):
    condition = FASTING.condition(state)
    assert len(condition.differing(FASTING.centers)) == 1


def test_what_is_unverified_is_marked():
    unsure = FASTING.condition("normal").unverified
    assert {"K_L", "V_L", "waning", "renal_share"} <= set(unsure)
    assert not {"I_max", "Gn_half", "K_E", "VG"} & set(unsure)
    assert "g6pase" in FASTING.condition("von_gierke").unverified
