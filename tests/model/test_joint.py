"""Joint models: several tests of the same people, side by side or with parameters in common."""

import json
from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import stats
from virtual import ivgtt, labeled_meal, labeled_sources, ogtt, study_of, vldl_person

import hepaflux as hf
from hepaflux.fitting import joint
from hepaflux.fitting.compiled import compile_model, density_and_gradient
from hepaflux.model.design import DesignError
from hepaflux.model.joint import prepare_joint
from hepaflux.study.study import StudyError
from hepaflux.systems.renaming import distinct, renamed

TINY = {"draws": 40, "tune": 100, "chains": 2}


def group(i):
    return "ab"[i // 2]


@pytest.fixture(scope="module")
def drinks():
    return study_of(*(ogtt(f"S{i}", size=1 + i / 4, group=group(i)) for i in range(4)))


@pytest.fixture(scope="module")
def labels():
    """Three of the four people, in another order."""
    return study_of(
        *(
            replace(labeled_sources(f"S{i}", dnl_product=0.04 + 0.01 * i), group=group(i))
            for i in (3, 1, 2)
        )
    )


@pytest.fixture(scope="module")
def model(drinks, labels):
    parts = {"drink": (drinks, hf.systems.oral), "dnl": (labels, hf.systems.sources)}
    return hf.build_joint_model(parts, design=hf.Design(by_group=True))


@pytest.fixture(scope="module")
def tree(model):
    return hf.fit(model, seed=2, **TINY)


def as_in_oral(system):
    """Return a system whose volume has the prior and the spread of ``oral``."""
    volume = hf.systems.oral.parameter("V")
    same = tuple(
        replace(p, prior=volume.prior, spread=volume.spread) if p.name == "V" else p
        for p in system.parameters
    )
    return replace(system, parameters=same, declare=None)


class TestNames:
    def test_a_name_of_several_parts_gets_that_of_its_part(self):
        names = distinct({"drink": hf.systems.oral, "bolus": hf.systems.minimal}, shared=("V",))
        assert names["drink"]["SI"] == "drink_SI"
        assert names["bolus"]["glucose"] == "bolus_glucose"
        assert not any("V" in changed for changed in names.values())
        assert "absorption" not in names["drink"]

    def test_a_renamed_system_is_the_same_system(self):
        """The same density, point by point; only the names differ."""
        study = study_of(ogtt())
        system = hf.systems.oral.for_study(study)
        names = {name: f"x_{name}" for name in ("SI", "V", "absorption", "knot", "glucose", "GEZI")}
        before = compile_model(hf.build_model(study, system))
        after = compile_model(hf.build_model(study, renamed(system, names)))
        point = np.linspace(-0.3, 0.3, before.n_dim)
        assert after.n_dim == before.n_dim
        old, new = (density_and_gradient(c)(point + s.initial_point_func(1))
                    for c, s in ((before, before), (after, before)))  # fmt: skip
        assert new[0] == pytest.approx(old[0], rel=1e-12)
        np.testing.assert_allclose(new[1], old[1], rtol=1e-10)


class TestDensity:
    def test_tests_with_nothing_in_common_add_up(self):
        """The log-density of the whole is the sum of those of its parts."""
        drink, label = study_of(ogtt("S0")), study_of(labeled_sources("S0"))
        parts = {"drink": (drink, hf.systems.oral), "dnl": (label, hf.systems.sources)}
        joint = hf.build_joint_model(parts)
        alone = [hf.build_model(*part) for part in parts.values()]
        point = joint.initial_point()
        own = [{v.name: point[v.name] for v in m.value_vars} for m in alone]
        # As it is written: Python's loops take no fused operation of so many parts.
        plain = Mode("py", None)
        whole = joint.compile_logp(mode=plain)(point)
        each = [m.compile_logp(mode=plain)(p) for m, p in zip(alone, own, strict=True)]
        assert {v.name for v in joint.value_vars} == set().union(*own)
        assert whole == pytest.approx(sum(map(float, each)), rel=1e-10)

    def test_a_shared_parameter_is_one_in_both(self):
        """Its prior counts once, and both likelihoods are those at its value."""
        bolus = as_in_oral(hf.systems.minimal)
        parts = {
            "drink": (study_of(ogtt("S0")), hf.systems.oral),
            "bolus": (study_of(ivgtt("S0")), bolus),
        }
        joint = hf.build_joint_model(parts, shared=("V",))
        names = {v.name for v in joint.free_RVs}
        assert {"V", "drink_SI", "bolus_SI"} <= names
        assert not names & {"SI", "drink_V", "bolus_V"}
        alone = {part: hf.build_model(*parts[part]) for part in parts}
        densities = {part: m.compile_logp(mode="FAST_COMPILE") for part, m in alone.items()}
        whole = joint.compile_logp(mode="FAST_COMPILE")
        prior = bolus.parameter("V").prior
        for volume in (0.12, 0.2):
            point = {**joint.initial_point(), "V_log__": np.log(volume)}
            total = 0.0
            for part, m in alone.items():
                names = {v.name: f"{part}_{v.name}" for v in m.value_vars}
                own = {old: point[new if new in point else old] for old, new in names.items()}
                total += float(densities[part](own))
            once = float(prior.distribution().logpdf(volume)) + np.log(volume)
            assert float(whole(point)) == pytest.approx(total - once, rel=1e-6)

    def test_parameters_of_two_tests_go_together(self, drinks):
        boluses = study_of(*(ivgtt(f"S{i}", group=group(i)) for i in range(4)))
        parts = {"drink": (drinks, hf.systems.oral), "bolus": (boluses, hf.systems.minimal)}
        design = hf.Design(correlated=(("drink_SI", "bolus_SI"),))
        joint = hf.build_joint_model(parts, design=design)
        point = joint.initial_point()
        population = point["drink_SI_population_log__"]
        line = population + np.array([-0.6, -0.2, 0.1, 0.7])
        bend = joint.rvs_to_transforms[joint["drink_SI_line_offset"]]
        point["drink_SI_line_offset_bend__"] = bend.forward(line).eval()
        deviations = (line - population) / np.exp(point["drink_SI_spread_log__"])
        for share, correlation in ((0.9, 0.8), (0.2, -0.6)):
            point["drink_SI_bolus_SI_offset_logodds__"] = np.log(share / (1 - share))
            logp = joint.compile_logp(vars=[joint["bolus_SI_line_offset"]], mode="FAST_COMPILE")
            spread = np.exp(point["bolus_SI_spread_log__"])
            mean = point["bolus_SI_population_log__"] + spread * correlation * deviations
            width = spread * np.sqrt(1 - correlation**2)
            expected = stats.norm(mean, width).logpdf(point["bolus_SI_line_offset"]).sum()
            assert float(logp(point)) == pytest.approx(expected, rel=1e-9)


def test_everybody_keeps_what_is_derived_in_another_order(drinks):
    """All four people, in another order in the second test."""
    order = (3, 1, 0, 2)
    people = (labeled_sources(f"S{i}", dnl_product=0.04 + 0.01 * i) for i in order)
    labels = study_of(*(replace(p, group=group(i)) for p, i in zip(people, order, strict=True)))
    parts = {"drink": (drinks, hf.systems.oral), "dnl": (labels, hf.systems.sources)}
    joint = hf.build_joint_model(parts)
    share, derived = pm.draw([joint["share"], joint["f_DNL"]], draws=2, random_seed=1)
    np.testing.assert_allclose(derived, share[..., 1], rtol=1e-12)


class TestFit:
    def test_everybody_is_there_and_nobody_has_what_was_not_measured(self, tree):
        assert tree["posterior"]["subject"].to_numpy().tolist() == ["S0", "S1", "S2", "S3"]
        f = tree["posterior"]["f_DNL"]
        assert np.isnan(f.sel(subject="S0")).all()
        assert np.isfinite(f.sel(subject=["S1", "S2", "S3"])).all()
        table = hf.summarize(tree)
        assert set(table[table.parameter == "f_DNL"].subject) == {"S1", "S2", "S3"}

    def test_a_person_keeps_the_own_samples(self, tree):
        """The share of new fatty acids rises with the number of the person, by construction."""
        means = tree["posterior"]["f_DNL"].mean(("chain", "draw"))
        assert means.sel(subject="S1") < means.sel(subject="S2") < means.sel(subject="S3")
        known = tree["constant_data"]["subject"].to_numpy()
        constant = tree["constant_data"]["dnl_product_enrichment_subject"].to_numpy()
        observed = tree["observed_data"]["dnl_product_enrichment"].to_numpy()
        found = {str(known[s]): v for s, v in zip(constant, observed, strict=True)}
        assert found == pytest.approx({"S1": 0.05, "S2": 0.06, "S3": 0.07})

    def test_expected_values_are_those_of_the_part_alone(self, tree, labels):
        """Mole fractions mix: the product of a label follows from the draws of its own person."""
        p, s = tree["posterior"].isel(chain=1, draw=7), {"subject": "S3", "source": "DNL"}
        mixed = float(p["share"].sel(s)) * float(p["E_DNL"].sel(subject="S3"))
        mixed /= 1 + float(p["E_DNL"].sel(subject="S3"))
        who = tree["constant_data"]["dnl_product_enrichment_subject"].to_numpy() == 3
        expected = tree["expected"]["dnl_product_enrichment"]
        draw = int(tree["posterior"]["draw"][7])
        value = expected.isel(chain=1).sel(draw=draw).to_numpy()[who]
        assert value == pytest.approx(np.full(who.sum(), mixed / (1 - mixed)), rel=1e-6)

    def test_a_report_can_be_made(self, tree, tmp_path):
        hf.report(tree, tmp_path / "run")
        assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
        assert hf.load_run(tmp_path / "run").attrs["system"] == "oral + sources"


class TestRefusals:
    def test_one_part_is_not_joint(self, drinks):
        with pytest.raises(DesignError, match="two parts or more"):
            hf.build_joint_model({"drink": (drinks, hf.systems.oral)})

    def test_a_person_has_one_group(self, drinks):
        other = study_of(replace(labeled_sources("S0"), group="b"))
        parts = {"drink": (drinks, hf.systems.oral), "dnl": (other, hf.systems.sources)}
        with pytest.raises(StudyError, match="S0: group is 'a' in one part and 'b' in dnl"):
            hf.build_joint_model(parts)

    def test_a_person_has_one_body(self, drinks):
        taller = replace(drinks.subjects[0], covariates={"bmi": 22.0})
        other = replace(labeled_sources("S0"), group="a", covariates={"bmi": 31.0})
        parts = {
            "drink": (study_of(taller), hf.systems.oral),
            "dnl": (study_of(other), hf.systems.sources),
        }
        with pytest.raises(StudyError, match=r"S0: bmi is 22\.0 in one part and 31\.0 in dnl"):
            hf.build_joint_model(parts)

    @pytest.mark.parametrize(
        ("shared", "message"),
        [
            ("SI", "its priors, knots or spreads differ"),
            ("absorption", "fewer than two parts have it"),
            ("glucose_cv", "fewer than two parts have it"),
        ],
    )
    def test_what_differs_cannot_be_shared(self, drinks, shared, message):
        parts = {
            "drink": (drinks, hf.systems.oral),
            "bolus": (study_of(ivgtt("S0", group="a")), hf.systems.minimal),
        }
        with pytest.raises(DesignError, match=message):
            prepare_joint(parts, shared=(shared,), design=None, noise={})


def test_a_value_by_group_is_that_of_each_person_of_a_part(drinks, labels):
    """The people of the second part stand in another order, the groups in that of the whole."""
    parts = {"drink": (drinks, hf.systems.oral), "dnl": (labels, hf.systems.sources)}
    recipe = prepare_joint(parts, shared=(), design=None, noise={})
    dims = ("chain", "draw", "group")
    coords = {"group": list(recipe.study.groups)}
    by_group = xr.DataArray([[[1.0, 2.0]]], dims=dims, coords=coords)
    own = joint._of_people(recipe, "dnl", by_group)
    assert own.dims == ("chain", "draw", "subject")
    assert own["subject"].to_numpy().tolist() == ["S3", "S1", "S2"]
    assert own.to_numpy().ravel().tolist() == [2.0, 1.0, 2.0]


def test_the_liver_s_answers_to_insulin_stand_side_by_side():
    """What a report compares between groups: what leads in each part, and what is derived."""
    parts = {
        "meal": (study_of(labeled_meal("S0")), hf.systems.oral_labeled),
        "vldl": (study_of(vldl_person("S0")), hf.systems.vldl),
    }
    recipe = prepare_joint(parts, shared=(), design=None, noise={})
    told = joint.history(recipe, {})
    derived = {d.name for part in recipe.parts.values() for d in part.system.derived}
    compared = {*json.loads(told["leading"]), *derived}
    assert {"SI_L", "EGP_suppression", "f_DNL", "DNL_flux", "VLDL_secretion"} <= compared
