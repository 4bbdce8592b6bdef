"""Newly made palmitate from labeled acetate: patterns, options, recovery, and cells without it."""

import csv
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from virtual import samples, study_of

import hepaflux as hf
from hepaflux import isotopes
from hepaflux.model.noise import noise_of
from hepaflux.model.predict import predict
from hepaflux.model.recipe import prepare
from hepaflux.parameter import Beta, LogNormal
from hepaflux.study.study import StudyError, Subject
from hepaflux.systems.lipogenesis import formula_of, monitored
from hepaflux.systems.mida import elapsed, mida, presence
from hepaflux.systems.system import fields_type

TRUTH = {"f": 0.2, "p": 0.06}
HOURS = np.array([4.0, 5.0, 6.0])


def record(**fields):
    return fields_type("Record", list(fields))(**fields)


def shares(system, values, **inputs):
    """The output of a system as shares of the monitored ions."""
    (output,) = system.outputs
    return np.array(isotopes.normalize(output.value(record(), record(**values), record(**inputs))))


def person(system, values, *, name="S1"):
    """A subject with the given ions (sample, ion), at the first of ``HOURS``."""
    columns = np.atleast_2d(values).T
    time = 60 * HOURS[: columns.shape[1]]
    analytes = system.outputs[0].analytes
    return Subject(name, {a: samples(time, c) for a, c in zip(analytes, columns, strict=True)})


def measured(system, truth, *, sd=3e-4, seed=3, n=3):
    """A person whose ions were simulated, with their noise."""
    (output,) = system.outputs
    blank = person(system, np.ones((n, len(output.analytes))))
    draws = {name: np.array([value]) for name, value in truth.items()}
    mean = predict(prepare(study_of(blank), system), draws, tolerance=(1e-9, 1e-9))[output.name][0]
    noise = noise_of(output).scipy(mean, {output.error: sd}, output.name)
    return person(system, noise.rvs(random_state=seed))


class TestPattern:
    def test_the_mixture_is_that_of_binomials(self):
        a, f, p = isotopes.CARBON_13, 0.3, 0.08
        rest = isotopes.natural_pattern("C9H34O2", 2)
        old, new = (
            np.array(isotopes.convolve(rest, stats.binom(8, q).pmf(range(3))))
            for q in (a, a + (1 - a) * p)
        )
        mixture = (1 - f) * old + f * new
        found = shares(mida, {"f": f, "p": p}, labeled=1.0)
        np.testing.assert_allclose(found, mixture / mixture.sum(), rtol=1e-12)

    def test_before_the_tracer_it_is_natural(self):
        natural = isotopes.normalize(isotopes.natural_pattern("C17H34O2", 2))
        np.testing.assert_allclose(shares(mida, TRUTH, labeled=0.0), natural, rtol=1e-12)
        turnover = mida.with_options(kinetics="turnover")
        found = shares(turnover, TRUTH | {"k": 0.004}, elapsed=0.0)
        np.testing.assert_allclose(found, natural, rtol=1e-12)

    @pytest.mark.parametrize(
        ("p", "first", "second"), [(0.05, 0.1864, 0.0812), (0.1, 0.2577, 0.1866)]
    )
    def test_derived_excesses_are_those_of_newly_made_molecules(self, p, first, second):
        derived = {d.name: d.value(record(p=p), record()) for d in mida.derived}
        assert (round(derived["A1"], 4), round(derived["A2"], 4)) == (first, second)

    def test_turnover_is_one_pool(self):
        system = mida.with_options(kinetics="turnover")
        k, t = 6 / 1440, 77.0
        partial = shares(system, TRUTH | {"k": k}, elapsed=t)
        same = shares(mida, {"f": 0.2 * -np.expm1(-k * t), "p": 0.06}, labeled=1.0)
        np.testing.assert_allclose(partial, same, rtol=1e-12)
        per_day = {d.name: d for d in system.derived}["k_per_day"]
        assert per_day.value(record(k=k), record()) == pytest.approx(6.0)

    def test_a_heterogeneous_precursor_is_a_mixture_of_uniform_ones(self):
        """Beta-distributed p, integrated by quadrature over its quantiles."""
        p, correlation = 0.1, 0.02
        total = 1 / correlation - 1
        nodes, weights = np.polynomial.legendre.leggauss(80)
        each = stats.beta(p * total, (1 - p) * total).ppf((nodes + 1) / 2)
        uniform, mixed = (mida.with_options(precursor=w) for w in ("uniform", "heterogeneous"))
        value = uniform.outputs[0].value
        patterns = [value(record(), record(f=0.3, p=q), record(labeled=1.0)) for q in each]
        expected = isotopes.normalize(weights @ np.array(patterns))
        found = shares(mixed, {"f": 0.3, "p": p, "p_correlation": correlation}, labeled=1.0)
        np.testing.assert_allclose(found, expected, rtol=1e-4)
        assert not np.allclose(found, shares(uniform, {"f": 0.3, "p": p}, labeled=1.0), rtol=1e-3)
        derived = {d.name: d for d in mixed.derived}["p_sd"]
        sd = derived.value(record(p=p, p_correlation=correlation), record())
        assert sd == pytest.approx(stats.beta(p * total, (1 - p) * total).std())


class TestOptions:
    def test_the_label_and_the_ion_change_the_pattern(self):
        system = mida.with_options(label="acetyl 13C2", formula="carboxylate", ions="0 2 16")
        assert system.outputs[0].analytes == ("palmitate_m0", "palmitate_m2", "palmitate_m16")
        pure = shares(system, {"f": 1.0, "p": 1.0}, labeled=1.0)
        np.testing.assert_allclose(pure, [0, 0, 1], atol=1e-12)
        half = shares(system.with_options(purity=0.98), {"f": 1.0, "p": 1.0}, labeled=1.0)
        assert half[2] > 0.999

    def test_an_impure_tracer_needs_more_of_it(self):
        a = isotopes.CARBON_13
        impure = shares(mida.with_options(purity=0.9), TRUTH, labeled=1.0)
        same = shares(mida, TRUTH | {"p": 0.06 * (0.9 - a) / (1 - a)}, labeled=1.0)
        np.testing.assert_allclose(impure, same, rtol=1e-12)

    @pytest.mark.parametrize(
        ("fatty_acid", "form", "formula"),
        [
            ("palmitate", "methyl ester", "C17H34O2"),
            ("oleate", "free acid", "C18H34O2"),
            ("palmitate", "carboxylate", "C16H31O2"),
            ("palmitate", "C19H40O2Si", "C19H40O2Si"),
        ],
    )
    def test_formulas(self, fatty_acid, form, formula):
        assert formula_of(fatty_acid, form) == formula
        system = mida.with_options(fatty_acid=fatty_acid, formula=form)
        assert monitored(system.settings).formula == formula
        assert formula in " ".join(system.conventions)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"ions": "0"}, "ions must be two or more different integers from 0 to 16"),
            ({"ions": "0 0 1"}, "ions must be two or more different integers"),
            ({"ions": "0 1.5"}, "ions must be two or more different integers"),
            ({"ions": "0 17"}, "from 0 to 16, but are"),
            (
                {"formula": "wax"},
                "formula must be methyl ester or .* or a chemical formula, but is",
            ),
            ({"formula": "C3H7"}, "formula C3H7 has fewer carbons than palmitate, which has 16"),
            ({"purity": "1.2"}, "purity must be above 0.010816 and at most 1"),
            ({"label": "13C"}, "label must be acetate 13C1 or acetyl 13C2"),
        ],
    )
    def test_what_cannot_be_is_refused(self, changes, message):
        with pytest.raises(ValueError, match=message):
            mida.with_options(**changes)

    @pytest.mark.parametrize("nutrition", ["fasted", "fed"])
    def test_nutrition_chooses_the_prior(self, nutrition):
        """Means of newly made palmitate: 0.047 fasted, 0.18 to 0.23 after meals (Timlin 2005)."""
        prior = mida.with_options(nutrition=nutrition).parameter("f").prior.distribution()
        low, high = prior.interval(0.8)
        inside = {"fasted": (0.047,), "fed": (0.182, 0.231)}[nutrition]
        assert all(low < value < high for value in inside)


class TestTime:
    def test_the_tracer_starts_at_time_0_of_the_study(self):
        ions = monitored(mida.settings)
        times = np.array([-30.0, 0.0, 60.0])
        subject = Subject("S1", {a: samples(times, 1.0) for a in ions.analytes})
        np.testing.assert_array_equal(presence(ions)(subject)(times), [0, 0, 1])
        np.testing.assert_array_equal(elapsed(ions)(subject)(times), [0, 0, 60])

    @pytest.mark.parametrize("read", [presence, elapsed])
    def test_samples_only_before_are_refused(self, read):
        ions = monitored(mida.settings)
        early = Subject("S1", {a: samples([-60.0, 0.0], 1.0) for a in ions.analytes})
        with pytest.raises(
            StudyError, match="no palmitate_m0 sample after time 0, when the tracer"
        ):
            read(ions)(early)
        with pytest.raises(StudyError, match="there is none"):
            read(ions)(Subject("S1", {}))


def test_the_density_is_that_of_dirichlets():
    """Written by hand with SciPy, at one point, priors included."""
    rng = np.random.default_rng(4)
    counts = rng.dirichlet([80, 17, 3], size=2)
    subject = person(mida, 1000 * counts)
    model = hf.build_model(study_of(subject), mida)
    f, p, sd = 0.23, 0.07, 0.01
    mean = shares(mida, {"f": f, "p": p}, labeled=1.0)
    alpha = (0.25 / sd**2 - 1) * mean
    by_hand = sum(stats.dirichlet(alpha).logpdf(c) for c in counts)
    by_hand += stats.beta(1, 4).logpdf(f) + stats.beta(2, 30).logpdf(p)
    by_hand += stats.lognorm(LogNormal(4e-4, 0.5).log_sd, scale=4e-4).logpdf(sd)
    values = {}
    for v in model.free_RVs:
        raw = np.array({"f": f, "p": p, "palmitate_sd": sd}[v.name])
        forward = model.rvs_to_transforms[v].forward(raw, *v.owner.inputs)
        values[model.rvs_to_values[v].name] = forward.eval(mode="FAST_COMPILE")
    found = model.compile_logp(jacobian=False)(values)
    # PyMC rounds the constant of a beta density with whole parameters to single precision.
    assert found == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.slow
def test_known_values_are_recovered_and_may_be_used():
    posterior = hf.fit(hf.build_model(study_of(measured(mida, TRUTH)), mida), seed=1)
    draws = posterior["posterior"]
    for name, value in TRUTH.items():
        low, high = np.quantile(draws[name], [0.005, 0.995])
        assert low < value < high
        assert high - low < 0.1 * value
    undetermined = set(hf.diagnose(posterior).undetermined)
    assert not undetermined & {"f", "p"}


@pytest.mark.slow
def test_where_nothing_is_made_the_precursor_is_not_identified():
    """Of 0.1 % newly made the excess of M1 is below the error of a measurement."""
    scarce = {"f": 0.001, "p": 0.06}
    posterior = hf.fit(hf.build_model(study_of(measured(mida, scarce)), mida), seed=1)
    assert np.quantile(posterior["posterior"]["f"], 0.95) < 0.02
    verdict = hf.diagnose(posterior)
    advice = {c.target: c.advice for c in verdict.checks if c.name == "identified by the data"}
    assert "NOT IDENTIFIED" in advice["p"]
    assert "p" in verdict.undetermined


@pytest.mark.slow
def test_people_fitted_each_on_their_own_are_judged():
    people = [replace(measured(mida, TRUTH, seed=i), name=f"S{i}") for i in (1, 2)]
    posterior = hf.fit_each(study_of(*people), mida, seed=1)
    assert posterior["posterior"]["f"].dims == ("chain", "draw", "subject")
    assert not {"f", "p"} & set(hf.diagnose(posterior).undetermined)


@pytest.fixture(scope="session")
def lymphocytes(data_mirror):
    """Palmitate of cells in 13C-glucose by inhibitor: the raw ions of each sample."""
    path = data_mirror.parent / "dnl_palmitate_isotopologues_fameta.csv"
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside the copies of the public data sets")
    ions = defaultdict(dict)
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            place = int(row["isotopologue_M_plus"])
            ions[row["sampletype"], row["sample"]][place] = float(row["raw_intensity"])
    return {key: values for key, values in ions.items() if key[0] != "Blank"}


@pytest.mark.slow
def test_cells_whose_synthesis_is_blocked_make_next_to_none(lymphocytes):
    """13C-glucose labels both carbons of acetyl-CoA; the fatty acid synthase inhibitor stops it.

    The ions are those of the free acid in negative mode, not corrected for natural abundance. The
    prior of the error is wide because the cells do not have one precursor only.
    """
    ions = (0, 8, 10, 12, 14, 16)
    system = mida.with_options(label="acetyl 13C2", formula="carboxylate", ions=ions)
    system = system.with_priors(p=Beta(2, 2), palmitate_sd=LogNormal(0.01, 1.0))
    people = [person(system, [v[i] for i in ions], name=key[1]) for key, v in lymphocytes.items()]
    mode = hf.fit_each(study_of(*people), system, method="map", seed=1)["posterior"]
    made = mode["f"].to_numpy().ravel()
    blocked = np.array([kind == "FASN" for kind, _ in lymphocytes])
    assert blocked.sum() == 3
    assert made[blocked].max() < 0.02
    assert made[~blocked].min() > 0.2
    assert mode["palmitate_sd"].max() < 0.05
