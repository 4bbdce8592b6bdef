"""The meal model: its published table and figures, its balances, and other integrators."""

import dataclasses
import functools
import itertools
import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from virtual import samples, study_of

import hepaflux as hf
from hepaflux.model import HEALTHY, Population, simulated_courses
from hepaflux.model.population import draw_parameter
from hepaflux.model.protocols import own_test
from hepaflux.parameter import Fixed, center
from hepaflux.solver import solve
from hepaflux.study.study import Dose, Subject
from hepaflux.systems.dalla_man import CV, MG, MG_DL, NORMAL, PRINTED, SHARES, T2D
from hepaflux.systems.system import State, fields_type

meal = sys.modules["hepaflux.systems.meal"]
TABLES = {"normal": NORMAL, "t2d": T2D}
PRINTED_M2 = {"normal": 0.484, "t2d": 0.673}
PRINTED_A_C = {"normal": (0.00013, 0.00236), "t2d": (0.00006, 0.00023)}
EATEN = {"normal": (106.4e3, 78.0), "t2d": (124e3, 91.0)}
"""Meal of the published figures as its Table I implies it (mg), and body weight (kg)."""

each_state = pytest.mark.parametrize("state", TABLES)
TIGHT = {"rtol": 1e-12, "atol": 1e-12}


def known(state, **changes):
    """The system of a typical person, with nothing unknown."""
    system = hf.systems.meal.in_condition(state)
    return system.with_priors(**{n: Fixed(v) for n, v in {**system.centers, **changes}.items()})


def record(state, **changes):
    values = known(state, **changes).centers
    return fields_type("P", list(values))(**values)


def per_kg(time, what, amount, route, duration=0.0):
    return Dose(time, what, amount, route, duration, per_kg=True)


def dinner(amount, time=0.0):
    return per_kg(time, "glucose", amount, "oral")


def course(state, doses, times, **changes):
    subject = Subject("S", {"glucose": samples(times, 5.0)}, doses)
    solved = solve(known(state, **changes), {}, subject, times=times, **TIGHT)
    assert not solved.failed
    return meal.States(**solved.states)


class Paper:
    """The equations as they are printed, with Table I as it is printed: mg, dL, hard gates."""

    def __init__(self, state, dose):
        column = list(TABLES).index(state)
        self.table = {name: row[column] for name, row in PRINTED.items()} | {
            "m2": PRINTED_M2[state]
        }
        t = self.table
        self.dose = dose
        self.secretion = (t["m6"] - t["HE_b"]) / t["m5"]
        start = meal.initial(record(state), None)
        self.glucose = start.Gp / MG / t["VG"]
        self.insulin = start.Ip / t["VI"]
        mass = np.array([MG, MG, 1, 1, 1, 1, 1, 1, 1, MG, MG, MG])
        self.start = np.array(start, dtype=float) / mass

    def production(self, y):
        t = self.table
        signal = t["kp1"] - t["kp2"] * y[0] - t["kp3"] * y[5] - t["kp4"] * y[8]
        return max(0.0, signal)

    def appearance(self, y, weight):
        return self.table["f"] * self.table["kabs"] * y[11] / weight

    def rhs(self, time, y, weight, rate=0.0):
        t = self.table
        gp, gt, il, ip, i1, delayed, x, static, portal, q1, q2, gut = y
        renal = t["ke1"] * max(0.0, gp - t["ke2"])
        uptake = (t["Vm0"] + t["Vmx"] * x) * gt / (t["Km0"] + gt)
        entering = self.production(y) + self.appearance(y, weight) + rate
        dgp = entering - t["Fcns"] - renal - t["k1"] * gp + t["k2"] * gt
        secreted = t["gamma"] * portal
        extraction = t["m6"] - t["m5"] * secreted
        m3 = extraction * t["m1"] / (1 - extraction)
        wanted = max(t["beta"] * (gp / t["VG"] - self.glucose), -self.secretion)
        provided = static + self.secretion + t["K"] * max(0.0, dgp / t["VG"])
        a = 5 / (2 * self.dose * (1 - t["b"]))
        c = 5 / (2 * self.dose * t["d"])
        q = q1 + q2
        gates = np.tanh(a * (q - t["b"] * self.dose)) - np.tanh(c * (q - t["d"] * self.dose)) + 2
        emptied = (t["kmin"] + (t["kmax"] - t["kmin"]) / 2 * gates) * q2
        insulin = ip / t["VI"]
        return [
            dgp,
            t["k1"] * gp - t["k2"] * gt - uptake,
            secreted + t["m2"] * ip - (t["m1"] + m3) * il,
            t["m1"] * il - (t["m2"] + t["m4"]) * ip,
            t["ki"] * (insulin - i1),
            t["ki"] * (i1 - delayed),
            t["p2U"] * (insulin - self.insulin - x),
            t["alpha"] * (wanted - static),
            provided - secreted,
            -t["kgri"] * q1,
            t["kgri"] * q1 - emptied,
            emptied - t["kabs"] * gut,
        ]


class TestTable:
    @each_state
    def test_what_the_table_does_not_print_closes_to_rounding(self, state):
        p, table = record(state), TABLES[state]
        assert meal.kp1(p) == pytest.approx(table["kp1"], rel=1e-12)
        assert meal.vm0(p) == pytest.approx(table["Vm0"], rel=1e-7)
        assert meal.m6(p) == pytest.approx(table["m6"], rel=1e-12)
        assert meal.m2(p) == pytest.approx(PRINTED_M2[state], rel=3e-3)

    @pytest.mark.parametrize(
        ("state", "glucose", "insulin", "production", "tissue", "secretion"),
        [
            ("normal", 91.83, 25.56, 1.916, 130.4, 1.549),
            ("t2d", 159.2, 59.88, 1.992, 126.4, 4.027),
        ],
    )
    def test_the_basal_state_is_that_of_the_table(
        self, state, glucose, insulin, production, tissue, secretion
    ):
        p = record(state)
        found = (p.G_b / MG_DL, p.I_b, p.EGP_b / MG, meal.basal_tissue(p) / MG)
        np.testing.assert_allclose(found, (glucose, insulin, production, tissue), rtol=4e-4)
        assert meal.basal_secretion(p) == pytest.approx(secretion, rel=4e-4)

    @each_state
    def test_the_constants_of_emptying_are_those_of_the_dose(self, state):
        """The printed a and c, which are rounded, belong to the meal of the figures."""
        p, (dose, _) = record(state), EATEN[state]
        a, c = PRINTED_A_C[state]
        for share in np.linspace(0.0, 1.0, 41):
            q = share * dose
            gates = np.tanh(a * (q - p.b * dose)) - np.tanh(c * (q - p.d * dose)) + 2
            printed = p.kmin + (p.kmax - p.kmin) / 2 * gates
            y, u = meal.States(Q1=0.3 * q, Q2=0.7 * q), fields_type("U", ["meal"])(dose)
            assert meal.emptying(y, p, u) == pytest.approx(printed, abs=0.06 * p.kmax)


@functools.cache
def printed_course(state):
    """The printed equations integrated by SciPy, every minute of the meal of the figures."""
    dose, weight = EATEN[state]
    paper, minutes = Paper(state, dose), np.arange(0.0, 481.0)
    start = paper.start + dose * np.eye(12)[9]
    solved = solve_ivp(
        lambda t, y: paper.rhs(t, y, weight),
        (0, 480),
        start,
        "LSODA",
        minutes,
        rtol=1e-9,
        atol=1e-9,
    ).y
    appearing = np.array([paper.appearance(column, weight) for column in solved.T])
    production = np.array([paper.production(column) for column in solved.T])
    return minutes, solved, appearing, production


class TestFigures:
    @each_state
    def test_peaks_are_those_of_the_printed_equations_to_three_digits(self, state):
        """The gates here are smooth and those of the paper are not: far less than 1 % of a peak."""
        minutes, solved, appearing, production = printed_course(state)
        dose, weight = EATEN[state]
        y, p = course(state, (dinner(dose * MG / weight),), minutes), record(state)
        mine = (y.Gp / MG, y.Ip, meal.appearance(y, p, None) / MG)
        for one, other in zip(mine, (solved[0], solved[3], appearing), strict=True):
            assert one.max() == pytest.approx(other.max(), rel=1e-3)
            assert one.argmax() == other.argmax()
        lowest = meal.production(y, p, None).min() / MG
        assert lowest == pytest.approx(production.min(), rel=1e-2)

    @each_state
    def test_the_printed_equations_give_the_same_course(self, state):
        minutes, solved, appearing, _ = printed_course(state)
        dose, weight = EATEN[state]
        y = course(state, (dinner(dose * MG / weight),), minutes)
        p = record(state)
        for mine, other in (
            (y.Gp / MG, solved[0]),
            (y.Gt / MG, solved[1]),
            (y.Ip, solved[3]),
            (y.Ipo, solved[8]),
        ):
            np.testing.assert_allclose(mine, other, rtol=0, atol=6e-3 * np.abs(other).max())
        np.testing.assert_allclose(meal.appearance(y, p, None) / MG, appearing, atol=1e-3)

    def test_a_normal_meal_reaches_what_the_paper_shows(self):
        """Read from its figures: glucose 180 mg/dL, insulin 360 pmol/L, appearance 9.78."""
        y, p = self.after_the_meal("normal"), record("normal")
        assert (y.Gp / p.VG / MG_DL).max() == pytest.approx(180, abs=5)
        assert (y.Ip / p.VI).max() == pytest.approx(360, abs=15)
        assert meal.appearance(y, p, None).max() / MG == pytest.approx(9.78, abs=0.1)
        assert 0.2 < meal.production(y, p, None).min() / MG < 0.5

    def test_diabetes_is_higher_later_and_less_suppressed(self):
        y = {state: self.after_the_meal(state) for state in TABLES}
        p = {state: record(state) for state in TABLES}
        glucose = {s: y[s].Gp / p[s].VG for s in TABLES}
        insulin = {s: y[s].Ip for s in TABLES}
        assert glucose["t2d"].max() > 1.5 * glucose["normal"].max()
        assert glucose["t2d"].argmax() > 1.5 * glucose["normal"].argmax()
        assert insulin["t2d"].argmax() > 1.5 * insulin["normal"].argmax()
        lowest = {s: meal.production(y[s], p[s], None).min() for s in TABLES}
        assert lowest["t2d"] > 1.5 * lowest["normal"]

    def after_the_meal(self, state):
        dose, weight = EATEN[state]
        return course(state, (dinner(dose * MG / weight),), np.arange(0.0, 601.0))


class TestRest:
    @each_state
    def test_who_gets_nothing_stays_as_he_is(self, state):
        y = course(state, (), np.array([0.0, 600.0, 1440.0]))
        for values in y:
            np.testing.assert_allclose(values, values[0], rtol=1e-10, atol=1e-10)

    def test_every_person_of_the_prior_starts_at_rest(self):
        rng = np.random.default_rng(1)
        system = hf.systems.meal.with_options(unknowns="all")
        centers, n = system.centers, 20
        drawn = {
            q.name: q.prior.distribution().rvs(size=n, random_state=rng) for q in system.unknowns
        }
        u = fields_type("U", ["meal", "infused"])(1.0, 0.0)
        for i in range(n):
            p = fields_type("P", list(centers))(
                **{**centers, **{k: v[i] for k, v in drawn.items()}}
            )
            rates = meal.rhs(0.0, meal.initial(p, u), p, u)
            np.testing.assert_allclose(tuple(rates), 0.0, atol=1e-12)

    def test_after_a_meal_everything_returns(self):
        y = course("normal", (dinner(5.0),), np.array([0.0, 2880.0]))
        for name, (start, end) in zip(y._fields, np.transpose(tuple(y)).T, strict=True):
            assert end == pytest.approx(start, rel=1e-3, abs=1e-3), name


DAY = (
    dinner(3.2),
    per_kg(60.0, "insulin", 60.0, "intravenous", 30.0),
    dinner(5.0, 240.0),
    per_kg(300.0, "glucose", 0.8, "intravenous"),
    per_kg(360.0, "glucose", 1.5, "intravenous", 90.0),
    per_kg(500.0, "insulin", 20.0, "intravenous"),
)
"""Two meals, glucose and insulin injected and infused."""


class TestBalance:
    def balance(self, state):
        """The system with what was produced and what was lost as further states."""
        system = known(state)
        names = [*meal.States._fields, "produced", "lost", "appeared"]
        wide = fields_type("Wide", names)

        def rhs(t, y, p, u):
            lost = p.Fcns + meal.uptake(y, p, u) + meal.renal(y.Gp, p)
            gained = (meal.production(y, p, u), lost, meal.appearance(y, p, u))
            return wide(*meal.rhs(t, y, p, u), *gained)

        def widened(gain):
            return lambda p, u: wide(*gain(p, u), 0.0, 0.0, 0.0)

        doses = tuple(dataclasses.replace(d, gain=widened(d.gain)) for d in system.doses)
        more = tuple(State(n, "mmol/kg", "cumulated") for n in names[-3:])
        return dataclasses.replace(
            system,
            states=(*system.states, *more),
            rhs=rhs,
            initial=widened(meal.initial),
            doses=doses,
        )

    @each_state
    def test_no_glucose_is_made_or_lost_unaccounted(self, state):
        times = np.array([0.0, 30.0, 120.0, 301.0, 400.0, 3000.0])
        solved = solve(self.balance(state), {}, Subject("S", {}, DAY), times=times, **TIGHT)
        y, f = solved.states, known(state).centers["f"]
        held = y["Gp"] + y["Gt"] + f * (y["Q1"] + y["Q2"] + y["Qgut"])
        total = held + y["lost"] - y["produced"]
        eaten = f * np.array([0.0, 3.2, 3.2, 8.2, 8.2, 8.2])
        injected = np.array([0.0, 0.0, 0.0, 0.8, 0.8 + 1.5 * 40 / 90, 2.3])
        np.testing.assert_allclose(total - total[0], eaten + injected, rtol=0, atol=1e-8)
        assert y["appeared"][-1] == pytest.approx(f * 8.2, abs=1e-8)  # long after the last meal


def lsoda(state, doses, times):
    """The same equations by LSODA, piece by piece between doses and kinks of the inputs."""
    system, p = known(state), record(state)
    subject = Subject("S", {}, doses)
    inputs = {i.name: i.read(subject) for i in system.inputs}
    u_type = fields_type("U", list(inputs))
    channels = {(c.what, c.route): np.array(c.gain(p, None), float) for c in system.doses}
    given = [(d.time, d.time + d.duration, d.amount * channels[d.what, d.route]) for d in doses]
    edges = [edge for begin, end, _ in given for edge in (begin, end)]
    kinks = [curve.time for curve in inputs.values()]
    cuts = np.unique(np.concatenate([edges, times, *kinks]))
    y, found = np.array(meal.initial(p, None), float), {0.0: None}
    found[0.0] = y
    for begin, end in itertools.pairwise(cuts[(cuts >= 0) & (cuts <= times[-1])]):
        y = y + sum(a for first, last, a in given if first == last == begin)
        rate = sum(a / (last - first) for first, last, a in given if first <= begin < last)

        def rhs(t, y, rate=rate):
            u = u_type(**{name: float(curve(t)) for name, curve in inputs.items()})
            return np.array(meal.rhs(t, meal.States(*y), p, u), float) + rate

        y = solve_ivp(rhs, (begin, end), y, "LSODA", rtol=1e-12, atol=1e-13).y[:, -1]
        found[end] = y
    return np.array([found[t] for t in times]).T


@each_state
def test_agreement_with_lsoda_over_a_day_of_everything(state):
    times = np.array(
        [0.0, 20.0, 60.0, 75.0, 120.0, 240.0, 270.0, 310.0, 400.0, 480.0, 520.0, 600.0]
    )
    y = np.array(course(state, DAY, times))
    other = lsoda(state, DAY, times)
    size = np.abs(other).max(axis=1, keepdims=True)
    np.testing.assert_allclose(y / size, other / size, rtol=0, atol=1e-8)


class TestDoses:
    times = np.array([0.0, 15.0, 45.0, 90.0, 180.0, 300.0])

    def same(self, one, other, **how):
        mine, theirs = (np.array(course("normal", doses, self.times)) for doses in (one, other))
        np.testing.assert_allclose(mine, theirs, **{"rtol": 1e-9, "atol": 1e-9, **how})

    def test_two_halves_at_once_are_one_whole(self):
        self.same((dinner(2.0), dinner(3.0)), (dinner(5.0),))

    def test_two_injections_at_once_are_one(self):
        def bolus(amount):
            return per_kg(0.0, "glucose", amount, "intravenous")

        self.same((bolus(0.5), bolus(0.4)), (bolus(0.9),))

    def test_infusions_add_up(self):
        def infusion(amount):
            return per_kg(0.0, "glucose", amount, "intravenous", 100.0)

        self.same((infusion(1.0), infusion(0.7)), (infusion(1.7),))

    def test_an_infusion_in_two_parts_is_one(self):
        parts = tuple(per_kg(t, "glucose", 0.5, "intravenous", 50.0) for t in (0.0, 50.0))
        self.same(parts, (per_kg(0.0, "glucose", 1.0, "intravenous", 100.0),), rtol=1e-5, atol=1e-5)

    def test_what_is_drunk_in_sips_is_one_meal(self):
        system = hf.systems.meal
        (size,) = (i.read for i in system.inputs if i.name == "meal")
        subject = Subject("S", {}, (dinner(2.0), dinner(1.0, 20.0), dinner(4.0, 300.0)))
        at = size(subject)
        assert [float(at(t)) for t in (-10, 0, 10, 21, 299, 301, 900)] == [2, 2, 2, 3, 3, 4, 4]

    def test_a_later_meal_empties_by_its_own_size(self):
        alone = course("normal", (dinner(3.0, 0.0),), self.times)
        second = course("normal", (dinner(6.0), dinner(3.0, 1440.0)), 1440.0 + self.times)
        np.testing.assert_allclose(second.Qgut, alone.Qgut, atol=2e-4)

    def test_an_injection_is_in_plasma_at_once_and_releases_insulin(self):
        p = record("normal")
        bolus = per_kg(0.0, "glucose", 1.7, "intravenous")
        before, after = np.array(course("normal", (bolus,), np.array([0.0, 1e-7]))).T
        jump = meal.States(*(after - before))
        assert jump.Gp == pytest.approx(1.7, rel=1e-5)
        assert jump.Ipo == pytest.approx(p.K_iv * 1.7 / p.VG, rel=1e-5)

    def test_infused_glucose_is_answered_by_its_rise(self):
        """The printed equations, with the infusion among what enters plasma."""
        rate, minutes = 5e-3 / MG, np.arange(0.0, 121.0, 4.0)
        paper = Paper("normal", 1.0)
        solved = solve_ivp(
            lambda t, y: paper.rhs(t, y, 78.0, rate),
            (0, 120),
            paper.start,
            "LSODA",
            minutes,
            rtol=1e-9,
            atol=1e-9,
        ).y
        y = course("normal", (per_kg(0.0, "glucose", 5e-3 * 120, "intravenous", 120.0),), minutes)
        for mine, other in ((y.Gp / MG, solved[0]), (y.Ipo, solved[8])):
            np.testing.assert_allclose(mine, other, rtol=6e-3)

    def test_insulin_lowers_glucose_and_closes_production_off(self):
        clamp = per_kg(0.0, "insulin", 12.0 * 240, "intravenous", 240.0)
        y, p = course("normal", (clamp,), np.array([0.0, 120.0, 240.0])), record("normal")
        production = meal.production(y, p, None)
        assert y.Gp[1] < 0.6 * y.Gp[0]
        assert production[0] == pytest.approx(p.EGP_b, rel=1e-12)
        assert (production >= 0).all()


class TestGates:
    @each_state
    def test_the_kidney_is_silent_below_its_threshold(self, state):
        p = record(state)
        below, above = 0.9 * p.ke2, 1.5 * p.ke2
        assert meal.renal(below, p) < 1e-4 * p.ke1 * p.ke2
        assert meal.renal(above, p) == pytest.approx(0.5 * p.ke1 * p.ke2, rel=1e-9)
        slope = (meal.renal(above + 1e-3, p) - meal.renal(above, p)) / 1e-3
        assert slope == pytest.approx(p.ke1, rel=1e-9)

    def test_production_is_never_negative(self):
        p = record("normal")
        y = meal.States(Gp=10 * p.G_b * p.VG, Id=500.0, Ipo=300.0)
        assert 0 <= meal.production(y, p, None) < 1e-12

    def test_extraction_stays_a_share(self):
        p = record("normal")
        for portal in (0.0, 10.0, 100.0, 1e4):
            assert 0 <= meal.extraction(meal.States(Ipo=portal), p, None) < 1
        assert meal.extraction(meal.States(Ipo=meal.basal_secretion(p) / p.gamma), p, None) == (
            pytest.approx(p.HE_b, abs=1e-12)
        )

    def test_only_a_rise_of_glucose_releases_insulin(self):
        p = record("normal")
        basal = meal.basal_secretion(p)
        assert meal.provision(meal.States(), p, 0.0) == basal
        assert meal.provision(meal.States(), p, 0.2) == pytest.approx(basal + 0.2 * p.K)
        assert meal.provision(meal.States(), p, -0.2) == pytest.approx(basal)


def typical(protocol, state="normal"):
    system = hf.systems.meal.in_condition(state)
    person = Population(state, weight=(78.0, 5.0), spread=0.0)
    return system, hf.simulate_study(system, (person,), subjects=1, protocol=protocol, seed=2)


def test_one_person_drinks_and_is_injected():
    """Basal is the same in both tests; an injection is higher at once, and both return."""
    glucose = {}
    for protocol in ("ogtt75", "ivgtt"):
        system, made = typical(protocol)
        found = simulated_courses(made, system)
        glucose[protocol] = found["glucose"].isel(subject=0)
        assert set(found.data_vars) == {
            *(o.name for o in system.outputs),
            *(f.name for f in system.fluxes),
        }
        samples = made.study.subjects[0].samples["glucose"]
        truth = np.interp(samples.time, found["minutes"], glucose[protocol])
        later = samples.time > 0
        np.testing.assert_allclose(samples.value[later], truth[later], rtol=0.1)
    drink, injection = (glucose[name] for name in ("ogtt75", "ivgtt"))
    assert float(drink[0]) == pytest.approx(float(injection[0]), rel=1e-12)
    assert float(injection.max()) > float(drink.max()) > 1.3 * float(drink[0])
    assert injection.values.argmax() < drink.values.argmax()


def test_a_day_of_meals_rises_three_times():
    doses = tuple(dinner(3.0, time) for time in (0.0, 240.0, 720.0))
    system, made = typical(own_test(doses, 1440.0))
    found = simulated_courses(made, system, step=5.0).isel(subject=0)
    rising = np.diff((found["Ra"].values > 0.02).astype(int))
    assert (rising == 1).sum() == 3


def test_a_study_without_insulin_is_refused():
    _, made = typical("ogtt75")
    (subject,) = made.study.subjects
    alone = dataclasses.replace(subject, samples={"glucose": subject.samples["glucose"]})
    with pytest.raises(hf.StudyError, match="no insulin samples"):
        hf.build_model(study_of(alone), hf.systems.meal)


@pytest.mark.parametrize("name", CV)
def test_people_differ_by_the_coefficient_of_variation(name):
    """Of a share to first order only: the logit is not straight over its range."""
    parameter = hf.systems.meal.with_options(unknowns="all").parameter(name)
    rng = np.random.default_rng(5)
    drawn = draw_parameter(parameter, [HEALTHY] * 50_000, rng)
    rel = 0.1 if name in SHARES else 0.03
    assert drawn.std() / drawn.mean() == pytest.approx(CV[name][0], rel=rel)
    assert np.median(drawn) == pytest.approx(center(parameter.prior), rel=0.03)


RECOVERED = ("G_b", "I_b", "kabs", "Vmx", "kp3", "beta", "K")


@pytest.mark.slow
def test_a_fit_finds_the_person_that_was_simulated():
    """Of a person unlike the prior's center, every unknown is in its 98 % interval."""
    system = hf.systems.meal
    made = hf.simulate_study(
        system, (Population("other", factors={"kabs": 0.5, "Vmx": 0.6}),), subjects=1, seed=4
    )
    posterior = hf.fit(hf.build_model(made.study, system), seed=1, draws=250, tune=400, chains=2)
    found = posterior["posterior"]
    for parameter in system.unknowns:
        (truth,) = made.values(parameter.name)
        low, high = np.quantile(found[parameter.name], (0.01, 0.99))
        assert low < truth < high, parameter.name
    spread = {n: float(np.log(found[n]).std()) for n in RECOVERED}
    prior = {n: system.parameter(n).prior.log_sd for n in RECOVERED}
    assert spread["kabs"] < 0.5 * prior["kabs"]
    assert spread["Vmx"] < 0.7 * prior["Vmx"]
    assert spread["G_b"] < 0.3 * prior["G_b"]


def test_impaired_tolerance_is_halved_insulin_action():
    """Half of what insulin does raises fasting and peak glucose; undone, it is health again."""
    condition = hf.systems.meal.condition("impaired")
    assert {"Vmx", "kp3"} <= set(condition.differing(hf.systems.meal.centers))
    times = np.arange(0, 301, 20.0)
    well = course("normal", [dinner(5.55)], times).Gp
    ill = course("impaired", [dinner(5.55)], times).Gp
    basal = {n: getattr(record("normal"), n) for n in ("G_b", "I_b", "EGP_b")}
    undone = {n: NORMAL[n] for n in ("Vmx", "kp3")} | basal
    assert ill.max() > 1.1 * well.max()
    assert ill[0] > well[0]
    np.testing.assert_allclose(
        course("impaired", [dinner(5.55)], times, **undone).Gp, well, rtol=1e-6
    )


def test_diabetes_rests_on_secretion_and_on_insulin_action():
    """With both undone the meal raises glucose as in health, but for a tenth of the difference."""
    times = np.arange(0, 421, 20.0)

    def rise(state, **changes):
        glucose = course(state, [dinner(5.55)], times, **changes).Gp
        return (glucose / record(state, **changes).VG).max() - record(state, **changes).G_b

    secretion = {name: NORMAL[name] for name in ("K", "alpha", "beta")}
    action = {name: NORMAL[name] for name in ("Vmx", "kp3")}
    well, ill = rise("normal"), rise("t2d")
    assert ill > 1.5 * well
    one = [rise("t2d", **secretion), rise("t2d", **action)]
    both = rise("t2d", **secretion, **action)
    assert both < min(one) < max(one) < ill - 0.1 * (ill - well)
    assert both - well < 0.1 * (ill - well)
