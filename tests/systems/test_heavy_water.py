"""Deuterium of body water in newly made palmitate: one pool in closed form, two, and recovery."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from virtual import samples, study_of

import hepaflux as hf
from hepaflux import isotopes
from hepaflux.model.noise import noise_of
from hepaflux.model.predict import predict
from hepaflux.model.recipe import prepare
from hepaflux.study.study import StudyError, Subject
from hepaflux.systems.heavy_water import body_water, heavy_water
from hepaflux.systems.system import fields_type

DAY = 1440.0
TRUTH = {"f": 0.2, "k": 6 / DAY, "N": 22.3}
TWO = TRUTH | {"k_liver": 0.3 / DAY, "phi": 0.4}
TIMES = DAY * np.array([0, 0.1, 0.2, 0.4, 0.7, 1, 2, 3.0])
METHYL_PALMITATE = "C17H34O2"


def record(**fields):
    return fields_type("Record", list(fields))(**fields)


def person(system, *, times=TIMES, water=0.005, values=1.0):
    """A subject in body water of the given enrichment at the times, with the given ions."""
    analytes = system.outputs[0].analytes
    columns = np.broadcast_to(values, (len(times), len(analytes))).T
    curves = {a: samples(times, column) for a, column in zip(analytes, columns, strict=True)}
    return Subject("S1", {**curves, "body_water": samples(times, water)})


def solved(system, p, subject, times=TIMES):
    found = hf.solve(system, p, subject, times=times, rtol=1e-10, atol=1e-12).states
    return np.array([found[state.name] for state in system.states])


class TestOnePool:
    @pytest.mark.parametrize("water", [0.003, 0.02])
    def test_constant_body_water_has_a_closed_form(self, water):
        """Every ion goes from its natural share to that of the mixture with rate k."""
        natural = isotopes.natural_pattern(METHYL_PALMITATE, 2)
        made = np.array(isotopes.deuterated_pattern(METHYL_PALMITATE, TRUTH["N"], water, 2))
        share = TRUTH["f"] * -np.expm1(-TRUTH["k"] * TIMES)
        expected = natural[:, None] + np.outer(made - natural, share)
        found = solved(heavy_water, TRUTH, person(heavy_water, water=water))
        np.testing.assert_allclose(found, expected, rtol=1e-8)

    def test_total_deuterium_in_rising_body_water_has_a_closed_form(self):
        """With w = r t the deuterium of a molecule is f N r (t - (1 - exp(-k t)) / k)."""
        system = heavy_water.with_options(measurement="deuterium")
        rate = 0.01 / TIMES[-1]
        f, k, n = (TRUTH[name] for name in ("f", "k", "N"))
        found = solved(system, TRUTH, person(system, water=rate * TIMES))[0]
        expected = f * n * rate * (TIMES + np.expm1(-k * TIMES) / k)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)

    def test_the_plateau_is_the_asymptote(self):
        """Of pure newly made palmitate at 0.5 % and N = 22 the excess of M1 is 0.0659."""
        pure = {"f": 1.0, "k": 6 / DAY, "N": 22.0}
        end = solved(heavy_water, pure, person(heavy_water, times=TIMES * 3), times=TIMES * 3)[
            :, -1
        ]
        natural = isotopes.normalize(isotopes.natural_pattern(METHYL_PALMITATE, 2))
        assert round(isotopes.normalize(end)[1] - natural[1], 4) == 0.0659

    def test_the_measured_deuterium_is_a_share_of_the_hydrogens(self):
        system = heavy_water.with_options(measurement="deuterium", formula="free acid")
        (output,) = system.outputs
        y = record(pool_deuterium=0.064)
        assert output.value(y, record(), record()) == pytest.approx(0.064 / 32)
        assert output.analytes == ("palmitate_deuterium",)


class TestTwoPools:
    system = heavy_water.with_options(pools="two")

    def test_against_a_second_integrator(self):
        p, w = record(**TWO), 0.005
        made = np.array(isotopes.deuterated_pattern(METHYL_PALMITATE, p.N, w, 2))
        natural = isotopes.natural_pattern(METHYL_PALMITATE, 2)
        new = p.f * made + (1 - p.f) * natural

        def rhs(t, y):
            del t
            vldl, liver = y.reshape(2, 3)
            into = p.phi * liver + (1 - p.phi) * new
            return np.concatenate([p.k * (into - vldl), p.k_liver * (new - liver)])

        start, span = np.tile(natural, 2), (0, TIMES[-1])
        other = solve_ivp(rhs, span, start, t_eval=TIMES, rtol=1e-11, atol=1e-13, method="LSODA")
        np.testing.assert_allclose(
            solved(self.system, TWO, person(self.system)), other.y, rtol=1e-7
        )

    def test_without_stores_it_is_one_pool(self):
        direct = solved(self.system, TWO | {"phi": 0.0}, person(self.system))[:3]
        np.testing.assert_allclose(
            direct, solved(heavy_water, TRUTH, person(heavy_water)), rtol=1e-9
        )

    def test_stores_delay_the_label(self):
        stored = solved(self.system, TWO, person(self.system))[1]
        assert (np.diff(stored) > 0).all()
        assert stored[-1] < solved(heavy_water, TRUTH, person(heavy_water))[1, -1]


class TestBodyWater:
    def test_it_is_read_as_it_was_measured(self):
        curve = body_water("palmitate_m0")(person(heavy_water, water=TIMES * 1e-6))
        assert curve(0.15 * DAY) == pytest.approx(0.15 * DAY * 1e-6)

    def test_it_must_be_known_when_palmitate_is(self):
        subject = person(heavy_water)
        late = {**subject.samples, "body_water": samples(TIMES[2:], 0.005)}
        with pytest.raises(StudyError, match="sampled from 0 min on, but body_water only from 288"):
            body_water("palmitate_m0")(Subject("S1", late))
        with pytest.raises(StudyError, match="no body_water samples"):
            body_water("palmitate_m0")(Subject("S1", {"palmitate_m0": samples(TIMES, 1.0)}))


class TestPriors:
    def test_hydrogens_of_palmitate(self):
        """22 to 23 in liver and 20 to 24 in vivo; longer chains in proportion."""
        low, high = heavy_water.parameter("N").prior.distribution().interval(0.99)
        assert 20 <= low < 22
        assert 23 < high <= 24
        longer = heavy_water.with_options(fatty_acid="stearate").parameter("N").prior
        assert longer.mean == pytest.approx(22 * 18 / 16)

    def test_rates_are_reported_per_day(self):
        derived = {d.name: d for d in heavy_water.derived}["k_per_day"]
        assert derived.value(record(k=heavy_water.parameter("k").prior.median), record()) == 6.0
        assert derived.unit == "1/day"


@pytest.mark.slow
def test_known_values_are_recovered():
    (output,) = heavy_water.outputs
    water = 0.005 * -np.expm1(-TIMES / 180)
    blank = person(heavy_water, water=water)
    draws = {name: np.array([value]) for name, value in TRUTH.items()}
    recipe = prepare(study_of(blank), heavy_water)
    mean = predict(recipe, draws, tolerance=(1e-9, 1e-9))[output.name][0]
    values = noise_of(output).scipy(mean, {output.error: 2e-4}, output.name).rvs(random_state=5)
    subject = person(heavy_water, water=water, values=values)
    posterior = hf.fit(hf.build_model(study_of(subject), heavy_water), seed=1)
    for name, value in TRUTH.items():
        low, high = np.quantile(posterior["posterior"][name], [0.005, 0.995])
        assert low < value < high
    assert "f" not in hf.diagnose(posterior).undetermined
