"""Sources of fatty acids: shares from labels in precursor and product, alone and together."""

import numpy as np
import pytest
from scipy import stats
from virtual import labeled_sources, samples, study_of

import hepaflux as hf
from hepaflux.model.noise import noise_of
from hepaflux.model.predict import predict
from hepaflux.model.recipe import coordinates, prepare
from hepaflux.parameter import Dirichlet
from hepaflux.study.study import StudyError, Subject
from hepaflux.systems.sources import CONCENTRATION, EXPECTED, analyte, sources
from hepaflux.systems.system import fields_type

SHARES = (0.5, 0.2, 0.1, 0.2)
TRUTH = {"share": np.array(SHARES), "E_NEFA": 0.06, "E_DNL": 0.2, "E_diet": 0.1}
TURNOVER = sources.with_options(kinetics="turnover")


def record(**fields):
    return fields_type("Record", list(fields))(**fields)


def values(system, p, **inputs):
    """Every output of a system by name."""
    return {o.name: o.value(record(), record(**p), record(**inputs)) for o in system.outputs}


def fraction(ratio):
    return ratio / (1 + ratio)


class TestMixing:
    @pytest.mark.parametrize("source", ["NEFA", "DNL", "diet"])
    def test_the_share_is_the_ratio_of_mole_fractions(self, source):
        found = values(sources, TRUTH)
        product, precursor = (
            fraction(found[analyte(source, role)]) for role in ("product", "precursor")
        )
        place = ("NEFA", "DNL", "diet").index(source)
        assert product / precursor == pytest.approx(SHARES[place], rel=1e-12)

    def test_counting_molecules_gives_the_same(self):
        """Of 1000 molecules half come from a precursor in which 60 of 1060 are labeled."""
        labeled = 500 * 60 / 1060
        found = values(sources, TRUTH)[analyte("NEFA", "product")]
        assert found == pytest.approx(labeled / (1000 - labeled), rel=1e-12)

    def test_without_label_there_is_none_in_the_product(self):
        found = values(sources, TRUTH | {"E_diet": 0.0})
        assert found[analyte("diet", "product")] == 0.0

    def test_the_newly_made_share_is_that_of_its_label(self):
        assert values(sources, TRUTH)["dnl_fraction"] == 0.2


class TestTurnover:
    k, t = 4 / 1440, 500.0

    def test_the_product_approaches_its_plateau(self):
        found = values(TURNOVER, TRUTH | {"k": self.k}, elapsed=self.t)
        reached = -np.expm1(-self.k * self.t)
        name = analyte("NEFA", "product")
        assert fraction(found[name]) == pytest.approx(reached * 0.5 * fraction(0.06), rel=1e-12)
        assert found["dnl_fraction"] == pytest.approx(reached * 0.2)
        late = values(TURNOVER, TRUTH | {"k": self.k}, elapsed=1e5)
        assert late == pytest.approx(values(sources, TRUTH))

    def test_time_runs_from_zero(self):
        curve = TURNOVER.inputs[0].read(labeled_sources(time=(600.0, 1440.0)))
        assert curve([-60.0, 0.0, 600.0, 1440.0]) == pytest.approx([0, 0, 600, 1440])
        with pytest.raises(StudyError, match="the labels start at time 0"):
            TURNOVER.inputs[0].read(labeled_sources(time=(-30.0, 0.0)))


class TestShares:
    def test_they_add_up_to_one(self):
        for system in (sources, sources.with_options(sources="NEFA DNL diet")):
            draws = system.parameter("share").prior.distribution().rvs(100, random_state=1)
            every = record(share=tuple(draws.T), E_NEFA=0.1, E_DNL=0.1, E_diet=0.1)
            parts = [d.value(every, record()) for d in system.derived if d.name[:2] == "f_"]
            np.testing.assert_allclose(sum(parts), 1.0, rtol=1e-12)
            assert len(parts) == draws.shape[1]

    def test_donnelly_lies_inside_the_prior_and_is_more_certain(self):
        """SDs of 0.099, 0.067 and 0.070 between nine people are a concentration of 24 to 42."""
        shares, _ = EXPECTED["NEFA DNL diet"]
        assert shares == (0.59, 0.26, 0.15)
        wide = stats.dirichlet(Dirichlet(CONCENTRATION, shares).alpha).var() ** 0.5
        assert (wide > 1.3 * np.array([0.099, 0.067, 0.070])).all()

    def test_the_posterior_names_the_sources(self):
        found = coordinates(prepare(study_of(labeled_sources()), sources))
        assert found["source"] == ["NEFA", "DNL", "diet", "stored"]
        three = sources.with_options(sources="NEFA DNL diet")
        assert coordinates(prepare(study_of(labeled_sources()), three))["source"] == [
            "NEFA",
            "DNL",
            "diet",
        ]


def without(subject, *names):
    return Subject(subject.name, {k: v for k, v in subject.samples.items() if k not in names})


class TestStudies:
    def test_only_measured_labels_are_part_of_the_model(self):
        subject = without(
            labeled_sources(), analyte("diet", "product"), analyte("diet", "precursor")
        )
        adapted = sources.for_study(study_of(subject))
        assert {p.name for p in adapted.parameters} == {"share", "E_NEFA", "E_DNL"}

    def test_the_newly_made_share_alone_will_do(self):
        subject = Subject("S1", {"dnl_fraction": samples([600.0], 0.2)})
        adapted = sources.for_study(study_of(subject))
        assert [p.name for p in adapted.parameters] == ["share"]
        assert adapted.for_study(study_of(subject)) is adapted

    def test_outputs_that_nobody_has_are_dropped(self):
        """An unmeasured optional output has no samples to predict, so it is no output at all."""
        names = [o.name for o in prepare(study_of(labeled_sources()), sources).system.outputs]
        assert len(names) == 6
        assert "dnl_fraction" not in names

    @pytest.mark.parametrize(
        ("subject", "message"),
        [
            (
                without(labeled_sources(), analyte("NEFA", "precursor")),
                "nefa_product_enrichment without nefa_precursor_enrichment",
            ),
            (
                without(labeled_sources(), analyte("diet", "product")),
                "diet_precursor_enrichment without diet_product_enrichment",
            ),
            (
                labeled_sources(nefa_precursor=0.03, nefa_product=0.06),
                "reaches 0.06 TTR, above the 0.03 TTR of nefa_precursor_enrichment; are the two",
            ),
            (
                Subject(
                    "S1", {**labeled_sources().samples, "dnl_fraction": samples([1440.0], 0.2)}
                ),
                "dnl_fraction and dnl_product_enrichment tell the same",
            ),
        ],
    )
    def test_labels_that_cannot_be(self, subject, message):
        with pytest.raises(StudyError) as error:
            prepare(study_of(subject), sources)
        assert message in str(error.value)

    def test_sources_without_a_label_are_refused(self):
        with pytest.raises(ValueError, match=r"option tracers must be .* stored has no label"):
            sources.with_options(tracers="NEFA stored")
        chosen = sources.with_options(tracers="diet NEFA")
        assert [p.name for p in chosen.parameters] == ["share", "E_NEFA", "E_diet"]


def test_log_density_is_that_of_a_formula_by_hand():
    """One tracer and the newly made share: Dirichlet, log-normal and normal errors."""
    names = [analyte("NEFA", role) for role in ("precursor", "product")]
    subject = Subject(
        "S1",
        {names[0]: samples([600.0], 0.06), names[1]: samples([600.0], 0.03)}
        | {"dnl_fraction": samples([600.0], 0.2)},
    )
    model = hf.build_model(study_of(subject), sources)
    share, e = np.array([0.4, 0.25, 0.05, 0.3]), 0.055
    product = share[0] * fraction(e) / (1 - share[0] * fraction(e))
    prior = sources.parameter("share").prior.distribution().logpdf(share)
    by_hand = prior + sources.parameter("E_NEFA").prior.distribution().logpdf(e)
    for mean, value in ((e, 0.06), (product, 0.03)):
        by_hand += stats.norm(mean, np.hypot(0.03 * mean, 1e-4)).logpdf(value)
    by_hand += stats.norm(0.25, np.hypot(0.025, 0.01)).logpdf(0.2)
    raw = {"share": share, "E_NEFA": np.array(e)}
    point = {}
    for v in model.free_RVs:
        forward = model.rvs_to_transforms[v].forward(raw[v.name], *v.owner.inputs)
        point[model.rvs_to_values[v].name] = forward.eval(mode="FAST_COMPILE")
    assert model.compile_logp(jacobian=False)(point) == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.slow
def test_known_shares_are_recovered():
    recipe = prepare(study_of(labeled_sources()), sources)
    means = predict(recipe, {n: np.array([v]) for n, v in TRUTH.items()}, tolerance=(1e-9, 1e-9))
    rng, curves = np.random.default_rng(3), {}
    for observed in recipe.observations:
        output = observed.output
        if len(observed.time):
            error = {output.error: output.cv.value}
            noise = noise_of(output).scipy(means[output.name][0], error, output.name)
            curves[output.analyte] = samples(observed.time, noise.rvs(random_state=rng))
    posterior = hf.fit(hf.build_model(study_of(Subject("S1", curves)), sources), seed=1)
    for place, name in enumerate(("NEFA", "DNL", "diet", "stored")):
        draws = posterior["posterior"][f"f_{name}"]
        mean, sd = float(draws.mean()), float(draws.std())
        assert abs(mean - SHARES[place]) < 4 * sd
        assert sd < 0.03
        np.testing.assert_allclose(draws, posterior["posterior"]["share"].sel(source=name))
