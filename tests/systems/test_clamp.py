"""The clamp: mass is kept, steady states are Steele's, responses are what they are called."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from virtual import CLAMP, clamp_doses, clamp_insulin, clamped, samples, study_of

import hepaflux as hf
from hepaflux.model.noise import noise_of
from hepaflux.model.predict import predict
from hepaflux.model.recipe import prepare
from hepaflux.parameter import Fixed
from hepaflux.study.study import Dose, Subject, start_time
from hepaflux.systems import clamp
from hepaflux.systems.infusion import SPACE, infused_between, infusion_rate
from hepaflux.systems.response import half_maximal, remaining
from hepaflux.systems.smooth import hill
from hepaflux.systems.steele import steele
from hepaflux.systems.system import State, fields_type

TRUTH = {
    "V": SPACE,
    "k21": 0.065,
    "k12": 0.079,
    "EGP_b": 0.011,
    "K_E": 170.0,
    "n_E": 2.2,
    "p2_E": 0.03,
    "Rmax": 0.05,
    "K_R": 330.0,
    "n_R": 2.0,
    "p2_R": 0.025,
    "FFA_b": 0.5,
    "K_L": 80.0,
    "n_L": 1.5,
    "p2_L": 0.06,
    "rho": 0.2,
}
TRACER = 2e-4
"""Constant infusion of tracer, mmol/kg/min."""

LEDGER = ("produced", "gone", "gone_tracer", "released")
"""What entered and left until now: glucose produced, all glucose and tracer disposed of, and free
fatty acids released, mmol/kg."""


def with_ledger(compartments):
    """The clamp with states that add up what enters and leaves, and with few unknowns."""
    system = clamp.with_options(compartments=compartments, lipolysis="yes")
    known = {p.name: Fixed(TRUTH[p.name]) for p in system.unknowns if p.name not in ("EGP_b", "V")}
    system = system.with_priors(**known)
    flows = {flux.name: flux.value for flux in system.fluxes}
    names = [state.name for state in system.states]
    record = fields_type("States", [*names, *LEDGER])

    def rhs(t, y, p, u):
        return record(
            *system.rhs(t, y, p, u),
            produced=flows["EGP"](y, p, u),
            gone=flows["Rd"](y, p, u),
            gone_tracer=flows["MCR"](y, p, u) * y.egp_tracer,
            released=flows["RaFFA"](y, p, u),
        )

    def channel(given):
        return dataclasses.replace(
            given, gain=lambda p, u: record(*given.gain(p, u), *(0.0,) * len(LEDGER))
        )

    return dataclasses.replace(
        system,
        states=(*system.states, *(State(n, "mmol/kg", "amount until now") for n in LEDGER)),
        rhs=rhs,
        initial=lambda p, u: record(*system.initial(p, u), *(0.0,) * len(LEDGER)),
        doses=tuple(channel(given) for given in system.doses),
    )


LEDGERS = {"one": with_ledger("one"), "two": with_ledger("two")}
one, two = LEDGERS.values()
each_system = pytest.mark.parametrize("system", LEDGERS.values(), ids=LEDGERS)


def run(system, subject, times):
    truth = {"EGP_b": TRUTH["EGP_b"], "V": TRUTH["V"]}
    return hf.solve(system, truth, subject, times=times, rtol=1e-11, atol=1e-11).states


def pooled(y, species, system):
    """Amount of a species in the body, mmol/kg."""
    deep = y[f"{species}_deep"] if system.settings["compartments"] == "two" else 0.0
    return TRUTH["V"] * (y[species] + deep)


def given(subject, what, time):
    """Amount of a substance given until each time."""
    boluses = [d for d in subject.doses if d.what == what and d.duration == 0]
    return np.array(
        [
            infused_between(subject, (what,), start_time(subject), t)
            + sum(d.amount for d in boluses if d.time < t)
            for t in time
        ]
    )


@each_system
@pytest.mark.parametrize("step", [1.0, 5.0, 15.0])
def test_tracer_infused_is_in_the_pools_or_gone(system, step):
    subject, time = clamped(), np.arange(-180.0, 361.0, step)
    y = run(system, subject, time)
    infused = given(subject, "egp_tracer", time)
    np.testing.assert_allclose(
        pooled(y, "egp_tracer", system) + y["gone_tracer"], infused, atol=1e-8 * infused[-1]
    )


@each_system
def test_all_glucose_is_accounted_for(system):
    subject, time = clamped(), np.arange(-180.0, 361.0, 15.0)
    y = run(system, subject, time)
    there = pooled(y, "unlabeled", system) + pooled(y, "egp_tracer", system)
    entered = y["produced"] + sum(given(subject, w, time) for w in ("glucose", "egp_tracer"))
    np.testing.assert_allclose(there - there[0] + y["gone"], entered, atol=1e-8 * entered[-1])


def test_free_fatty_acids_are_accounted_for():
    """Released less cleared is what is there; clearance by trapezoids, hence the tolerance."""
    time = np.arange(-180.0, 361.0, 0.25)
    y = run(one, clamped(), time)
    fixed = {
        p.name: p.prior.value for p in clamp.parameters if p.name in ("FFA_clearance", "V_FFA")
    }
    cleared = fixed["FFA_clearance"] * np.trapezoid(y["ffa"], time)
    there = fixed["V_FFA"] * (y["ffa"][-1] - y["ffa"][0])
    assert there == pytest.approx(y["released"][-1] - cleared, abs=1e-6 * cleared)


def basal_tracer(prime, *, hours=30.0, label=0.0, glucose=0.0, insulin=50.0):
    """A subject at a steady insulin, with tracer infused for hours before the last sample."""
    begin = -60.0 * hours
    doses = [Dose(begin, "egp_tracer", -TRACER * begin, "intravenous", -begin, per_kg=True)]
    if prime:
        doses.append(Dose(begin, "egp_tracer", prime, "intravenous", per_kg=True))
    if glucose:
        doses.append(Dose(begin, "glucose", -glucose * begin, "intravenous", -begin, per_kg=True))
        doses.append(
            Dose(begin, "egp_tracer", -label * glucose * begin, "intravenous", -begin, per_kg=True)
        )
    time = np.array([begin - 20, begin, begin + 20, 0.0])
    curve = np.array([50.0, 50.0, insulin, insulin])
    return Subject(
        "S1", {"glucose": samples(time, 5.0), "insulin": samples(time, curve)}, tuple(doses)
    )


def enrichment(y):
    return y["egp_tracer"] / y["unlabeled"]


@each_system
def test_a_basal_plateau_is_infusion_over_production(system):
    """Steele's steady state, with one compartment and with two."""
    y = run(system, basal_tracer(0.018, hours=60), [0.0])
    assert TRACER / enrichment(y)[0] == pytest.approx(TRUTH["EGP_b"], rel=1e-6)
    assert y["unlabeled"][0] == pytest.approx(5.0, rel=1e-9)


@each_system
def test_a_plateau_of_the_clamp_with_labeled_infusate_is_that_of_steele(system):
    """At steady insulin and infusion, Steele's production is that of the response."""
    glucose, label = 0.03, 0.018
    subject = basal_tracer(0.018, hours=60, label=label, glucose=glucose, insulin=250.0)
    time = np.array([-2.0, -1.0, 0.0])
    y = run(system, subject, time)
    found = steele(
        time,
        enrichment(y),
        y["unlabeled"] + y["egp_tracer"],
        tracer=TRACER + label * glucose,
        infused=glucose,
    )
    response = remaining(250.0, TRUTH["K_E"], TRUTH["n_E"])
    expected = TRUTH["EGP_b"] * response / remaining(50.0, TRUTH["K_E"], TRUTH["n_E"])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("time", [[0.0], [0.0, 0.0], [10.0, 0.0]])
def test_steele_needs_a_slope(time):
    with pytest.raises(ValueError, match="two samples or more at increasing times"):
        steele(time, np.full(len(time), 0.02), np.full(len(time), 5.0), tracer=1e-4)


def test_one_compartment_obeys_steele_while_everything_changes():
    """The production that Steele's equation gives of dense samples is the model's own."""
    subject, time = clamped(), np.arange(-1800, 3601) / 10
    y = run(one, subject, time)
    found = steele(
        time[1:],
        enrichment(y)[1:],
        (y["unlabeled"] + y["egp_tracer"])[1:],
        tracer=infusion_rate("egp_tracer")(subject)(time[1:]),
        infused=infusion_rate("glucose")(subject)(time[1:]),
        volume=TRUTH["V"],
    )
    made = np.gradient(y["produced"], time)[1:]
    steps = np.concatenate([infusion_rate("glucose")(subject).time, [-180.0]])
    smooth = np.abs(time[1:, None] - steps).min(axis=1) > 0.6
    np.testing.assert_allclose(found[smooth], made[smooth], atol=1e-4 * TRUTH["EGP_b"])


class TestConstantInfusion:
    """Without a prime, enrichment is still rising when it is taken for a plateau."""

    def error(self, system, hours):
        y = run(system, basal_tracer(0.0, hours=hours), [0.0])
        return TRACER / enrichment(y)[0] / TRUTH["EGP_b"] - 1

    def test_it_overestimates_production_and_time_heals_it(self):
        early, late = self.error(two, 2.5), self.error(two, 5.0)
        assert 0.2 < early < 1.0
        assert late < 0.5 * early
        assert abs(self.error(two, 60.0)) < 1e-6

    def test_the_model_is_not_misled(self):
        """From the rise alone least squares finds production, whose plateau was never reached."""
        subject = basal_tracer(0.0, hours=2.5)
        time = np.arange(-140.0, 1.0, 10.0)
        measured = enrichment(run(two, subject, time))
        values = {"EGP_b": 0.014, "V": 0.15}
        for _ in range(8):
            solved = hf.solve(two, values, subject, times=time, rtol=1e-10, atol=1e-10)
            ratio = enrichment(solved.states)
            slopes = np.array(
                [
                    value
                    * ratio
                    * (
                        solved.sensitivities["egp_tracer", name] / solved.states["egp_tracer"]
                        - solved.sensitivities["unlabeled", name] / solved.states["unlabeled"]
                    )
                    for name, value in values.items()
                ]
            )
            step = np.linalg.lstsq(slopes.T, measured - ratio, rcond=None)[0]
            values = {n: v * np.exp(s) for (n, v), s in zip(values.items(), step, strict=True)}
        assert values["EGP_b"] == pytest.approx(TRUTH["EGP_b"], rel=1e-5)
        assert values["V"] == pytest.approx(TRUTH["V"], rel=1e-5)


@each_system
def test_infusions_are_met_exactly(system):
    """Another integrator, with the infusions as rates of its own."""
    subject, time = clamped(), np.array([-180.0, -100.0, 0.0, 90.0, 140.0, 265.0, 360.0])
    found = run(system, subject, time)
    inputs = {i.name: i.read(subject) for i in system.inputs}
    fixed = {p.name: getattr(p.prior, "value", None) for p in system.parameters}
    p = fields_type("P", list(fixed))(**{**fixed, **{n: TRUTH[n] for n in TRUTH if n in fixed}})
    record = fields_type("Y", [s.name for s in system.states])
    names = [channel.what for channel in system.doses]
    edges = {t for d in subject.doses for t in (d.time, d.time + d.duration)}
    cuts = np.unique([*edges, *CLAMP, *time])
    cuts = cuts[(cuts >= -180) & (cuts <= 360)]

    def u(t):
        values = {n: v(t) if callable(v) else v for n, v in inputs.items()}
        return fields_type("U", list(values))(**values)

    gains = [np.array(channel.gain(p, u(0.0)), dtype=float) for channel in system.doses]
    y = (
        np.array(system.initial(p, u(-180.0)), dtype=float)
        + 0.018 * gains[names.index("egp_tracer")]
    )
    states = {-180.0: np.array(system.initial(p, u(-180.0)), dtype=float)}
    for begin, end in pairwise(cuts):
        rates = [infused_between(subject, (n,), begin, end) / (end - begin) for n in names]
        entering = sum(rate * gain for rate, gain in zip(rates, gains, strict=True))
        y = solve_ivp(
            lambda t, y, entering=entering: np.array(system.rhs(t, record(*y), p, u(t))) + entering,
            (begin, end),
            y,
            method="DOP853",
            rtol=1e-11,
            atol=1e-13,
        ).y[:, -1]
        states[end] = y
    for i, state in enumerate(system.states):
        expected = np.array([states[t][i] for t in time])
        np.testing.assert_allclose(found[state.name], expected, atol=1e-8 * np.abs(expected).max())


@each_system
def test_without_glucose_or_insulin_nothing_happens(system):
    y = run(system, basal_tracer(0.018), np.arange(-1800.0, 1.0, 60.0))
    np.testing.assert_allclose(y["unlabeled"], 5.0, rtol=1e-9)
    np.testing.assert_allclose(y["ffa"], 0.5, rtol=1e-9)


@each_system
def test_without_glucose_insulin_lowers_it(system):
    """Zero infusion: glucose falls, stays positive, and nothing fails."""
    subject = clamped(glucose=False)
    y = run(system, subject, CLAMP)
    after = y["unlabeled"][CLAMP >= 20]
    assert np.all(np.diff(after) < 0)
    assert np.all(after > 0)
    assert M_value(subject) == pytest.approx(TRACER, rel=1e-9)


def M_value(subject):
    return {i.name: i for i in clamp.inputs}["M_value"].read(subject)


def test_M_is_disposal_less_production():
    """Infusion less the change of the pool, in the space of the correction: the mean of the end."""
    subject, time = clamped(), np.array([330.0, 360.0])
    y = run(one, subject, time)
    total = y["unlabeled"] + y["egp_tracer"]
    measured = samples(np.array([-10.0, 0.0, 330.0, 360.0]), np.array([5.0, 5.0, *total]))
    mean = (np.diff(y["gone"]) - np.diff(y["produced"]))[0] / 30
    seen = Subject("S1", {**subject.samples, "glucose": measured}, subject.doses)
    assert M_value(seen) == pytest.approx(mean, rel=1e-8)
    assert abs(np.diff(total)[0]) > 0.05


@pytest.fixture(scope="module")
def recipe():
    return prepare(study_of(clamped()), one)


@pytest.fixture(scope="module")
def means(recipe):
    draws = {p.name: np.array([TRUTH[p.name]]) for p in recipe.system.unknowns}
    return {k: v[0] for k, v in predict(recipe, draws, tolerance=(1e-11, 1e-11)).items()}


class TestOutputs:
    def test_all_glucose_is_tracer_and_tracee(self, means):
        y = run(one, clamped(), CLAMP)
        ratio, total = means["egp_enrichment"], y["unlabeled"] + y["egp_tracer"]
        np.testing.assert_allclose(means["glucose"], total[CLAMP > 0], rtol=1e-8)
        np.testing.assert_allclose(ratio * total / (1 + ratio), y["egp_tracer"], rtol=1e-8)

    @pytest.mark.parametrize(
        ("unit", "stated"),
        [
            ("TTR", lambda r: r),
            ("TTR%", lambda r: 100 * r),
            ("MPE", lambda r: 100 * r / (1 + r)),
            ("mole fraction", lambda r: r / (1 + r)),
        ],
    )
    def test_every_statement_of_the_enrichment_gives_the_same_density(
        self, recipe, means, tmp_path, unit, stated
    ):
        measured = 1.02 * means["egp_enrichment"]
        write_clamp(tmp_path, measured, unit, stated)
        read = prepare(hf.read_study(tmp_path), one)
        observed = {o.output.name: o for o in read.observations}["egp_enrichment"]
        noise = noise_of(observed.output).scipy(
            means["egp_enrichment"], {"egp_enrichment_cv": 0.025}, "egp_enrichment"
        )
        assert noise.logpdf(observed.value).sum() == pytest.approx(
            noise.logpdf(measured).sum(), rel=1e-9
        )

    def test_a_table_of_a_clamp_is_the_clamp(self, recipe, means, tmp_path):
        """Written and read, doses and inputs are the same, short pieces of infusion included."""
        write_clamp(tmp_path, means["egp_enrichment"], "TTR", lambda r: r)
        read = prepare(hf.read_study(tmp_path), one)
        np.testing.assert_allclose(
            read.protocol.table, recipe.protocol.table, rtol=1e-9, atol=1e-12
        )

    def test_free_fatty_acids_may_be_missing(self):
        without = clamp.for_study(study_of(clamped(ffa=False)))
        assert [o.name for o in without.outputs] == ["glucose", "egp_enrichment"]
        assert "K_L" not in without.priors
        both = study_of(clamped("A"), clamped("B", ffa=False))
        assert len(prepare(both, clamp).observations[2].time) == len(CLAMP)


def write_clamp(folder, measured, unit, stated):
    """The tables of the virtual clamp, with its enrichment in a unit."""
    subject = clamped()
    rows = ["subject,time,analyte,value,unit"]
    units = {"glucose": "mmol/L", "insulin": "pmol/L", "ffa": "mmol/L"}
    for analyte, unit_of in units.items():
        curve = subject.samples[analyte]
        rows += [
            f"S1,{t},{analyte},{v!r},{unit_of}"
            for t, v in zip(curve.time, curve.value.tolist(), strict=True)
        ]
    rows += [
        f"S1,{t},egp_enrichment,{float(stated(r))!r},{unit}"
        for t, r in zip(CLAMP, measured, strict=True)
    ]
    (folder / "measurements.csv").write_text("\n".join(rows))
    amounts = {"glucose": "mmol/kg", "insulin": "pmol/kg", "egp_tracer": "mmol/kg"}
    given_rows = ["subject,time,what,amount,unit,route,duration"]
    given_rows += [
        f"S1,{d.time},{d.what},{d.amount!r},{amounts[d.what]},iv,{d.duration}"
        for d in subject.doses
    ]
    (folder / "doses.csv").write_text("\n".join(given_rows))
    (folder / "study.toml").write_text(
        'title = "t"\ntime_unit = "min"\nbody_weight = "not published"\n'
    )


class TestResponses:
    p = fields_type("P", list(TRUTH))(**TRUTH)

    @staticmethod
    def u(basal):
        return fields_type("U", ["basal_insulin", "basal_glucose"])(basal, 5.0)

    @pytest.mark.parametrize("basal", [20.0, 50.0, 150.0])
    @pytest.mark.parametrize("factor", [1.0, 2.5])
    def test_half_maximal_insulin_halves_basal_production(self, basal, factor):
        system = clamp.with_options(portal_factor=factor)
        flows = {flux.name: flux.value for flux in system.fluxes}
        derived = {d.name: d.value for d in system.derived}
        u = self.u(basal)
        half = derived["I50_EGP"](self.p, u)
        record = fields_type("Y", ["insulin_liver"])
        assert flows["EGP"](record(basal), self.p, u) == pytest.approx(TRUTH["EGP_b"], rel=1e-12)
        assert flows["EGP"](record(half), self.p, u) == pytest.approx(TRUTH["EGP_b"] / 2, rel=1e-12)

    @pytest.mark.parametrize("basal", [20.0, 150.0])
    def test_half_maximal_insulin_of_disposal_is_halfway(self, basal):
        half = half_maximal(self.p, self.u(basal), "R")
        start = hill(basal, TRUTH["K_R"], TRUTH["n_R"])
        assert hill(half, TRUTH["K_R"], TRUTH["n_R"]) == pytest.approx((start + 1) / 2, rel=1e-12)

    def test_disposal_without_insulin_and_with_it_add_up(self):
        """At basal insulin the two parts are basal production; at zero only the first is left."""
        flows = {flux.name: flux.value for flux in clamp.fluxes}
        derived = {d.name: d.value for d in clamp.derived}
        u = self.u(50.0)
        p = fields_type("P", [*TRUTH, "G_ref"])(**TRUTH, G_ref=5.0)
        y = fields_type("Y", ["insulin_muscle", "unlabeled", "egp_tracer"])
        alone = derived["Rd_NI"](p, u)
        assert flows["Rd"](y(0.0, 5.0, 0.0), p, u) == pytest.approx(alone, rel=1e-12)
        dependent = TRUTH["Rmax"] * hill(50.0, TRUTH["K_R"], TRUTH["n_R"])
        assert alone + dependent == pytest.approx(TRUTH["EGP_b"], rel=1e-12)

    def test_production_is_never_negative(self):
        flows = {flux.name: flux.value for flux in clamp.fluxes}
        record = fields_type("Y", ["insulin_liver"])
        made = flows["EGP"](record(np.logspace(-3, 7, 50)), self.p, self.u(50.0))
        assert np.all(made > 0)
        assert np.all(np.diff(made) <= 0)

    def test_lipolysis_has_a_floor_and_half_of_the_rest_at_its_half_maximal_insulin(self):
        flows = {flux.name: flux.value for flux in clamp.fluxes}
        p = fields_type("P", [*TRUTH, "FFA_clearance"])(**TRUTH, FFA_clearance=0.01)
        record, u = fields_type("Y", ["insulin_fat"]), self.u(50.0)
        none, half, basal, much = (
            flows["RaFFA"](record(insulin), p, u) for insulin in (0.0, TRUTH["K_L"], 50.0, 1e12)
        )
        assert basal == pytest.approx(0.01 * TRUTH["FFA_b"], rel=1e-12)
        assert much / none == pytest.approx(TRUTH["rho"], rel=1e-9)
        assert half == pytest.approx((none + much) / 2, rel=1e-9)

    def test_indexes_are_products(self):
        derived = {d.name: d.value for d in clamp.derived}
        u = self.u(60.0)
        assert derived["HIRI"](self.p, u) == pytest.approx(TRUTH["EGP_b"] * 60.0)
        assert derived["Adipo_IR"](self.p, u) == pytest.approx(TRUTH["FFA_b"] * 60.0)


def test_suppression_at_the_end_is_that_of_the_fluxes():
    y = run(one, clamped(), [360.0])
    record = fields_type("Y", list(y))(**{k: v[0] for k, v in y.items()})
    fixed = {p.name: p.prior.value for p in clamp.parameters if hasattr(p.prior, "value")}
    p = fields_type("P", [*TRUTH, *fixed])(**TRUTH, **fixed)
    u = fields_type("U", ["basal_insulin", "basal_glucose"])(50.0, 5.0)
    ends = {d.name: d.value(p, u, record) for d in clamp.derived if d.at_end}
    liver = remaining(y["insulin_liver"][0], TRUTH["K_E"], TRUTH["n_E"])
    left = liver / remaining(50.0, TRUTH["K_E"], TRUTH["n_E"])
    assert ends["EGP_suppression"] == pytest.approx(1 - left, rel=1e-12)
    # Free fatty acids clear within minutes, so their concentration shows their suppression.
    assert ends["RaFFA_suppression"] == pytest.approx(1 - y["ffa"][0] / 0.5, abs=0.01)


def test_infusion_rates_add_up_to_the_doses():
    subject = clamped()
    curve = infusion_rate("glucose", "egp_tracer")(subject)
    total = sum(
        d.amount for d in subject.doses if d.what in ("glucose", "egp_tracer") and d.duration
    )
    assert np.trapezoid(curve.value, curve.time) == pytest.approx(total, rel=1e-6)
    assert infusion_rate("ra_tracer")(subject)(10.0) == 0.0


def test_insulin_of_the_steps():
    np.testing.assert_allclose(clamp_insulin(np.array([-60, 60, 200, 350.0])), [50, 130, 290, 850])
    assert {d.what for d in clamp_doses(label=0.0)} == {"egp_tracer", "insulin", "glucose"}
