"""Signaling: its moieties, its two forms, what cuts one wire and spares the other, and cells."""

import functools
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import hepaflux as hf
from hepaflux.study.study import Samples, Subject
from hepaflux.systems.receptor import Cycle, occupancy, removal
from hepaflux.systems.signaling_arms import TISSUES
from hepaflux.systems.signaling_values import HEALTHY_LOAD, TEXTBOOK_LOAD
from hepaflux.systems.system import fields_type

SIGNALING = hf.systems.signaling
DAY = 1440.0
POINTS = 40
"""Points of each step of insulin."""


class Cell:
    """A tissue in steps of insulin, integrated by SciPy on the declared functions.

    ``insulin`` are pairs of a time and the insulin that is held from then on; the first holds
    before.
    """

    def __init__(self, insulin, until, *, state="normal", options=None, **changes):
        self.system = SIGNALING.with_options(**(options or {})).in_condition(state)
        self.p = SimpleNamespace(**{**self.system.centers, **changes})
        self.record = fields_type("Y", [s.name for s in self.system.states])
        first = insulin[0][1]
        y = np.array(self.system.initial(self.p, SimpleNamespace(insulin_before=first)))
        times, states, given = [np.array([insulin[0][0]])], [y[:, None]], [first]
        cuts = [*insulin, (until, None)]
        for (begin, value), (end, _) in itertools.pairwise(cuts):
            u = SimpleNamespace(insulin=value)
            at = np.linspace(begin, end, POINTS + 1)
            solved = solve_ivp(
                lambda t, y, u=u: self.system.rhs(t, self.record(*y), self.p, u),
                (begin, end),
                y,
                method="LSODA",
                t_eval=at,
                rtol=1e-7,
                atol=1e-10,
            )
            assert solved.success
            y = solved.y[:, -1]
            times.append(at[1:])
            states.append(solved.y[:, 1:])
            given += [value] * POINTS
        self.time, self.y = np.concatenate(times), np.concatenate(states, axis=1)
        self.u = SimpleNamespace(insulin=np.array(given))
        values = self.record(*self.y)
        records = (*self.system.fluxes, *self.system.outputs)
        self.values = {r.name: r.value(values, self.p, self.u) for r in records}
        self.values |= values._asdict()

    def at(self, name, time):
        """Return a flux, an output or a state at a time."""
        return float(np.interp(time, self.time, self.values[name]))


STEPS = ((0.0, 40.0), (1.0, 400.0), (240.0, 40.0))
each_tissue = pytest.mark.parametrize("tissue", TISSUES)
each_state = pytest.mark.parametrize("state", [c.name for c in SIGNALING.conditions])


@functools.cache
def steps(state="normal", until=480.0, **options):
    return Cell(STEPS, until, state=state, options=options)


@each_state
@each_tissue
def test_it_begins_at_rest(state, tissue):
    """What its last round leaves of the resting load moves IRS by less than 1e-6 a day."""
    system = SIGNALING.with_options(tissue=tissue).in_condition(state)
    p, u = SimpleNamespace(**system.centers), SimpleNamespace(insulin=55.0, insulin_before=55.0)
    rates = system.rhs(0.0, system.initial(p, u), p, u)
    np.testing.assert_allclose(rates, 0.0, atol=1e-6 / DAY)


class TestMoieties:
    """Nothing gets lost in the receptor, IRS, Akt and MAPK."""

    @each_tissue
    def test_receptors_stay(self, tissue):
        v = steps("nafld", tissue=tissue).values
        total = sum(v[form] for form in Cycle._fields)
        np.testing.assert_allclose(total, 1.0, atol=1e-7)
        assert all(v[form].min() > -1e-9 for form in Cycle._fields)
        assert np.ptp(v["free"]) > 0.05

    def test_irs_stays_but_for_what_is_degraded_in_excess(self):
        for delta in (0.0, 2.0):
            cell = Cell(STEPS, 480.0, state="nafld", delta=delta)
            y = cell.record(*cell.y[:, -1])
            u = SimpleNamespace(insulin=40.0)
            change = cell.system.rhs(0.0, y, cell.p, u)
            changed = change.competent + change.tyrosine + change.inhibited
            whole = y.competent + y.tyrosine + y.inhibited
            made = cell.p.k_T * (1 - whole) - cell.p.k_T * delta * y.inhibited
            assert changed == pytest.approx(made, abs=1e-15)
            assert whole == pytest.approx(1.0, abs=1e-9) or delta
            assert whole < 0.7 or not delta

    def test_what_is_active_lies_between_none_and_all(self):
        """At the bounds the rates point inward, whatever drives them."""
        system = SIGNALING
        p = SimpleNamespace(**system.centers)
        rng = np.random.default_rng(1)
        names = [s.name for s in system.states]
        for bound, sign in ((0.0, 1), (1.0, -1)):
            for name in ("Akt", "MAPK", "FoxO1"):
                values = dict(zip(names, rng.uniform(0, 1, len(names)), strict=True))
                y = fields_type("Y", names)(**{**values, name: bound})
                rate = system.rhs(0.0, y, p, SimpleNamespace(insulin=500.0))
                assert sign * getattr(rate, name) >= 0

    def test_the_receptor_is_half_active_at_its_insulin(self):
        """At rest the cycle gives I / (I + K_R), whatever its rates are."""
        rng = np.random.default_rng(2)
        for _ in range(5):
            names = ("k_off", "k_in", "k_off_in", "k_back")
            rates = dict(zip(names, rng.uniform(0.1, 3, 4), strict=True))
            cell = Cell(((0.0, 2900.0),), 300.0, options={"tissue": "muscle"}, **rates)
            assert cell.at("receptor", 300) == pytest.approx(0.5, abs=1e-7)
            jump = Cell(((0.0, 0.0), (1.0, 2900.0)), 600.0, options={"tissue": "muscle"}, **rates)
            assert jump.at("receptor", 600) == pytest.approx(0.5, abs=1e-5)


class TestForms:
    """Beyond minutes the quasi-steady form is the dynamic one."""

    @each_tissue
    @pytest.mark.parametrize("state", ["normal", "nafld"])
    def test_what_takes_minutes_is_at_rest_four_hours_after_a_step(self, state, tissue):
        """The slowest of it, S6K1, has a time of 23 min: after 3.9 h 4e-5 of a step is left.

        Both forms get the same slow parts, those of the dynamic one.
        """
        followed = steps(state, tissue=tissue)
        resting = SIGNALING.with_options(tissue=tissue, form="quasi-steady").in_condition(state)
        y = SimpleNamespace(
            **followed.values, able=followed.values["competent"] + followed.values["tyrosine"]
        )
        ends, soon = [POINTS, 2 * POINTS, 3 * POINTS], POINTS + 2
        assert followed.time[soon] < 20
        for flux in resting.fluxes:
            found = np.broadcast_to(flux.value(y, followed.p, followed.u), followed.time.shape)
            np.testing.assert_allclose(followed.values[flux.name][ends], found[ends], rtol=0.01)
            if flux.name == "S6K1_activity":
                assert followed.values[flux.name][soon] < 0.9 * found[soon]

    @pytest.mark.parametrize("state", ["normal", "nafld"])
    def test_they_agree_over_three_days_of_a_higher_insulin(self, state):
        """The slow parts move: inhibited IRS by S6K1, lipogenesis by SREBP-1c. They begin to by
        half an hour later in the dynamic form, which is seen for half a day.
        """
        high = ((0.0, 40.0), (1.0, 120.0))
        followed, resting = (
            Cell(high, 3 * DAY, state=state, options={"form": form})
            for form in ("dynamic", "quasi-steady")
        )
        for name in ("IRS_inhibited", "IRS_able", "lipogenesis", "Akt_active", "FoxO1_effect"):
            for day in (1, 2, 3):
                found = followed.at(name, day * DAY)
                assert found == pytest.approx(resting.at(name, day * DAY), rel=0.01), name
        assert followed.at("IRS_inhibited", 3 * DAY) > 1.02 * followed.at("IRS_inhibited", 0)
        assert followed.at("lipogenesis", 3 * DAY) > 1.5 * followed.at("lipogenesis", 0)

    def test_all_tissues_are_each_of_them(self):
        whole = steps("nafld", tissue="all")
        for tissue in TISSUES:
            one = steps("nafld", tissue=tissue)
            for name in ("receptor", "Akt_active", "IRS_inhibited", "S6K1_activity"):
                together = whole.values[f"{tissue}_{name}"]
                np.testing.assert_allclose(together, one.values[name], atol=1e-6)


class TestTextbook:
    """The textbook's figures, which it calls hypothetical: extremes, met by one calibration."""

    def raised(self, state, insulin=40.0, **changes):
        """A tissue that was at rest in a fast, at once after insulin is what is said."""
        options = {"form": "quasi-steady"}
        given = ((0.0, 40.0), (1.0, insulin))
        cell = Cell(given, 1.0 + 1e-6, state=state, options=options, **changes)
        return {flux.name: cell.values[flux.name][-1] for flux in cell.system.fluxes}

    def test_one_load_meets_both_figures(self):
        """Inhibited IRS 6 times and competent IRS 25 %: two figures, two loads, one solution."""
        healthy, ill = (self.raised(state, lambda_L=0.0) for state in ("normal", "textbook"))
        assert ill["IRS_inhibited"] / healthy["IRS_inhibited"] == pytest.approx(6, rel=1e-6)
        assert ill["IRS_able"] / healthy["IRS_able"] == pytest.approx(0.25, rel=1e-6)
        share = 0.75 / (6 - 0.25)
        assert share / (1 - share) == pytest.approx(HEALTHY_LOAD, rel=1e-9)
        assert 6 * share / (1 - 6 * share) == pytest.approx(TEXTBOOK_LOAD, rel=1e-9)

    def test_surroundings_can_give_that_load(self):
        stated = SIGNALING.with_options(form="quasi-steady", stress="stated")
        for state in ("obese", "nafld", "t2d", "selective"):
            p = SimpleNamespace(**{**stated.in_condition(state).centers, "lambda_L": 0.0})
            u = SimpleNamespace(insulin=40.0, insulin_before=40.0)
            y = stated.initial(p, u)
            direct = SIGNALING.in_condition(state).centers["load"]
            assert y.inhibited / y.able == pytest.approx(direct, rel=0.1), state

    def test_the_metabolic_arm_is_lost_while_others_hold_if_they_are_selective(self):
        spared = {"lambda_L": 0.0, "lambda_M": 0.0}
        healthy, ill = (self.raised(s, 108.0, **spared) for s in ("normal", "textbook"))
        assert healthy["FoxO1_effect"] < 0.15
        assert ill["FoxO1_effect"] > 0.9
        for name in ("MAPK_active", "mTORC1_activity", "S6K1_activity"):
            assert ill[name] == pytest.approx(healthy[name], rel=1e-9)

    def test_all_arms_are_lost_if_the_block_is_proximal(self):
        cut = {"lambda_L": 1.0, "lambda_M": 1.0}
        healthy, ill = (self.raised(s, 108.0, **cut) for s in ("normal", "textbook"))
        assert ill["FoxO1_effect"] > 0.9
        for name in ("MAPK_active", "mTORC1_activity"):
            assert ill[name] < 0.35 * healthy[name]

    def test_high_insulin_tells_selective_from_proximal(self):
        """Portal 270 pmol/L in the extreme: the lipogenic drive is twice, or a third of, that of a
        healthy fast (0.52 and 0.07 against 0.24); FoxO1 is in the nucleus either way (0.93)."""
        usual = self.raised("normal")["mTORC1_activity"]
        selective, proximal = (self.raised(s, 108.0) for s in ("selective", "proximal"))
        assert usual == pytest.approx(0.245, abs=0.005)
        assert selective["mTORC1_activity"] == pytest.approx(0.52, abs=0.02)
        assert proximal["mTORC1_activity"] == pytest.approx(0.07, abs=0.015)
        for found in (selective, proximal):
            assert found["FoxO1_effect"] == pytest.approx(0.92, abs=0.02)

    def test_competition_multiplies_resistance(self):
        """Insulin that halves nuclear FoxO1: 4.5 times without competition, 11 times with it."""

        def half(state, **changes):
            system = SIGNALING.with_options(form="quasi-steady").in_condition(state)
            p = SimpleNamespace(**{**system.centers, "lambda_L": 0.0, **changes})
            y = system.initial(p, SimpleNamespace(insulin_before=40.0))
            insulin = np.geomspace(10, 3000, 2000)
            (flux,) = (f for f in system.fluxes if f.name == "FoxO1_effect")
            found = flux.value(y, p, SimpleNamespace(insulin=insulin))
            return float(np.interp(-0.5, -found, insulin))

        for competition, ratio in ((0.5, 10.8), (1e9, 4.46)):
            found = half("textbook", K_c=competition) / half("normal", K_c=competition)
            assert found == pytest.approx(ratio, rel=0.05)


class TestLoops:
    """What feeds back, and what stands above it."""

    def test_the_slow_layer_takes_days(self):
        p = SimpleNamespace(**SIGNALING.in_condition("nafld").centers)
        assert 1 < 1 / removal(p) / DAY < 3

    def test_s6k_feeds_back_where_its_gain_is_not_nought(self):
        high = ((0.0, 40.0), (1.0, 400.0))
        for gain in (0.0, 5.0):
            cell = Cell(high, 3 * DAY, options={"form": "quasi-steady"}, g_S6K=gain, lambda_L=0.0)
            rise = cell.at("IRS_inhibited", 3 * DAY) / cell.at("IRS_inhibited", 0)
            assert rise == pytest.approx(1, abs=1e-6) if gain == 0 else rise > 1.5

    @pytest.mark.parametrize("name", ["TNFa", "IL6", "FFA", "DAG"])
    def test_every_stress_raises_the_load(self, name):
        loads = [
            Cell(((0.0, 40.0),), 1.0, options={"stress": "stated"}, **{name: value}).at(
                "kinase_load", 0
            )
            for value in (1.0, 2.0, 4.0)
        ]
        assert loads[0] == pytest.approx(HEALTHY_LOAD, rel=1e-9)
        assert loads[0] < loads[1] < loads[2]

    def test_new_fat_cells_prevent_what_larger_ones_do(self):
        def load(mass, cells):
            changes = {"fat_mass": mass, "fat_cells": cells}
            cell = Cell(((0.0, 40.0),), 1.0, options={"stress": "adipose"}, **changes)
            return cell.at("kinase_load", 0)

        assert load(1.0, 1.0) == pytest.approx(HEALTHY_LOAD, rel=1e-9)
        assert load(1.5, 1.0) > 5 * HEALTHY_LOAD
        assert load(1.5, 1.5) == pytest.approx(HEALTHY_LOAD, rel=1e-9)

    def test_substrate_drives_lipogenesis_without_insulin_action(self):
        cells = [
            Cell(((0.0, 40.0),), 1.0, state="proximal", substrate=value) for value in (1.0, 2.0)
        ]
        low, high = (cell.at("lipogenesis", 0) for cell in cells)
        assert high == pytest.approx(2 * low, rel=1e-6)
        assert cells[0].at("FoxO1_effect", 0) == cells[1].at("FoxO1_effect", 0)


CELLS = {"tissue": "fat", "insulin": "medium", "unknowns": "kinetics"}


class TestCells:
    """Fat cells in a medium, against the figures that the rates were fitted to."""

    K_R = 700.0
    """Insulin of half the receptors in these cells, pmol/L; in people it is four times that."""

    def shape(self, name, times, *insulin):
        cell = Cell(insulin, max(times) + 1, options=CELLS, K_R=self.K_R)
        return np.array([cell.at(name, t) for t in times])

    def test_the_receptor_overshoots_within_a_minute(self):
        """Brännmark 2010, 100 nmol/L: 100 at 0.9 min, 51 at 3.3, 46 at 7 and 35 to 43 after 15."""
        found = self.shape("ir_phosphorylation", [0.9, 3.3, 7, 20], (-1.0, 0.0), (0.0, 1e5))
        np.testing.assert_allclose(100 * found / found[0], [100, 53, 47, 45], atol=6)

    def test_irs_follows_it(self):
        """228 at 0.9 min, 146 at 2.3, 95 at 7, 73 to 100 after 15."""
        found = self.shape("irs1_phosphorylation", [0.9, 2.3, 7, 20], (-1.0, 0.0), (0.0, 1e5))
        np.testing.assert_allclose(228 * found / found[0], [228, 150, 103, 100], atol=15)

    def test_the_second_step_adds_little(self):
        """1.2 then 10 nmol/L: 58 at 0.9 min, 56 at 4 min, 70 to 75 after, 14 of them blank."""
        steps_ = ((-1.0, 0.0), (0.0, 1200.0), (4.0, 10_000.0))
        found = self.shape("irs1_phosphorylation", [0.9, 4.0, 5.2], *steps_)
        np.testing.assert_allclose(found / found[-1], [0.66, 0.66, 1.0], atol=0.12)

    def test_occupancy_is_that_of_the_whole_receptor_pool(self):
        p = SimpleNamespace(receptors=0.5, K_R=100.0)
        assert occupancy(100.0, p) == pytest.approx(0.25)


def test_insulin_that_is_set_is_held():
    from hepaflux.systems.inputs import medium

    times, values = np.array([-1.0, 0.0, 4.0]), np.array([0.0, 1200.0, 1e4])
    curve = medium(Subject("S", {"medium_insulin": Samples(times, values, np.full(3, "none"))}))
    assert [curve(t) for t in (-5, -0.5, 0.1, 3.9, 4.1, 90)] == [0, 0, 1200, 1200, 1e4, 1e4]


def test_a_medium_may_hold_no_insulin_at_all():
    """All is at zero then, where powers below two have no second derivative of their own."""
    levels = Samples(np.array([-1.0, 0.0, 30.0]), np.array([0.0, 1200.0, 0.0]), np.full(3, "none"))
    subject = Subject("S", {"medium_insulin": levels, "ir_phosphorylation": levels})
    system = SIGNALING.with_options(**CELLS)
    found = [
        hf.solve(
            system.with_integrator(integrator),
            system.centers,
            subject,
            times=np.array([-0.5, 10.0, 29.0, 90.0]),
            rtol=1e-8,
        )
        for integrator in ("explicit", "implicit")
    ]
    for state, one in found[0].states.items():
        np.testing.assert_allclose(found[1].states[state], one, rtol=1e-5, atol=1e-7)
    surface = found[0].states["surface"]
    assert surface[0] == 0 < surface[3] < 0.05 * surface[1]
