"""The log-density of models against formulas written by hand, and its invariances."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from scipy import stats
from virtual import IVGTT, ivgtt, samples, study_of

import hepaflux as hf
from hepaflux.model import LogNormalNoise, StudentT, noise_of
from hepaflux.model.noise import CVFloor, Shares
from hepaflux.parameter import LogNormal
from hepaflux.study.study import Subject

SYSTEM = hf.systems.minimal
POINT = {"SI": 6e-5, "SG": 0.02, "p2": 0.03, "V": 0.17}
CV = 0.025
TOLERANCE = np.array([1e-11, 1e-11])
OUTPUT = SYSTEM.outputs[0]


def log_density(model, **values):
    """The model's log-density of all variables by name, without Jacobians."""
    variables = [model[name] for name in values]
    assert {v.name for v in variables} == {v.name for v in model.free_RVs}
    with model:
        pm.set_data({"tolerance": TOLERANCE})
    total = model.logp(jacobian=False)
    inputs = [model.rvs_to_values[v] for v in variables]
    graph = model.replace_rvs_by_values([total])[0]
    unconstrained = {}
    for variable, value in zip(variables, inputs, strict=True):
        transform = model.rvs_to_transforms[variable]
        raw = np.asarray(values[variable.name], dtype=float)
        if transform is not None:
            raw = transform.forward(raw, *variable.owner.inputs).eval(mode="FAST_COMPILE")
        unconstrained[value] = raw
    return float(graph.eval(unconstrained, mode="FAST_COMPILE"))


def prior_terms(point):
    terms = [SYSTEM.parameter(n).prior.distribution().logpdf(v) for n, v in point.items()]
    return sum(terms) + OUTPUT.cv.distribution().logpdf(CV)


def curve(subject, point=POINT):
    """Time, measured and noise-free glucose from the mixing time on."""
    glucose = subject.samples["glucose"]
    used = glucose.time >= 8
    rtol, atol = TOLERANCE
    solved = hf.solve(SYSTEM, point, subject, times=glucose.time[used], rtol=rtol, atol=atol)
    return glucose.value[used], solved.states["glucose"], glucose.censoring[used]


def scale(mean):
    return np.hypot(CV * mean, OUTPUT.floor)


def test_one_subject():
    subject = ivgtt()
    value, mean, _ = curve(subject)
    expected = prior_terms(POINT) + stats.norm(mean, scale(mean)).logpdf(value).sum()
    model = hf.build_model(study_of(subject), SYSTEM)
    assert log_density(model, **POINT, glucose_cv=CV) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("family", ["student_t", "lognormal"])
def test_other_noise(family):
    subject = ivgtt()
    value, mean, _ = curve(subject)
    noises = {
        "student_t": (StudentT(noise_of(OUTPUT), nu=3.0), stats.t(3.0, mean, scale(mean))),
        "lognormal": (LogNormalNoise(OUTPUT.cv), stats.norm(np.log(mean), CV)),
    }
    noise, distribution = noises[family]
    if family == "lognormal":
        likelihood = (distribution.logpdf(np.log(value)) - np.log(value)).sum()
    else:
        likelihood = distribution.logpdf(value).sum()
    model = hf.build_model(study_of(subject), SYSTEM, noise={"glucose": noise})
    expected = prior_terms(POINT) + likelihood
    assert log_density(model, **POINT, glucose_cv=CV) == pytest.approx(expected, rel=1e-7)


def test_quantiles_of_measurements_are_those_of_draws():
    """Of a composition those of each share, whatever the others are; 20,000 draws know them."""
    probabilities, rng = np.array([0.05, 0.5, 0.95]), np.random.default_rng(3)
    mean = np.full((20_000, 1), 6.0)
    law = CVFloor(LogNormal(0.03, cv=0.5), 0.1).scipy(mean, {"glucose_cv": 0.05}, "glucose")
    exact = stats.norm(6, np.hypot(0.3, 0.1)).ppf(probabilities)
    np.testing.assert_allclose(law.ppf(probabilities)[0], exact)
    shares = np.tile([0.7, 0.25, 0.05], (20_000, 1, 1))
    law = Shares(LogNormal(0.02, cv=0.5)).scipy(shares, {"ions_sd": 0.02}, "ions")
    drawn = np.quantile(law.rvs(random_state=rng)[:, 0], probabilities, axis=0)
    for q, row in zip(probabilities, drawn, strict=True):
        np.testing.assert_allclose(law.ppf(q)[0, 0], row, rtol=0.02)


def test_censored_samples_enter_by_their_tail():
    subject = ivgtt()
    glucose = subject.samples["glucose"]
    censoring = np.array(["none"] * len(glucose.time), dtype="U5")
    censoring[[4, 5]], censoring[-1] = "right", "left"
    curves = {**subject.samples, "glucose": samples(glucose.time, glucose.value, censoring)}
    subject = Subject("S1", curves, subject.doses)
    value, mean, kind = curve(subject)
    d = stats.norm(mean, scale(mean))
    terms = np.select(
        [kind == "left", kind == "right"], [d.logcdf(value), d.logsf(value)], d.logpdf(value)
    )
    model = hf.build_model(study_of(subject), SYSTEM)
    expected = prior_terms(POINT) + terms.sum()
    assert log_density(model, **POINT, glucose_cv=CV) == pytest.approx(expected, rel=1e-9)


def people(order=(0, 1, 2, 3), names="ABCD"):
    """Four people in two groups, with covariates, each sampled at times of their own."""
    groups, bmi = ("lean", "lean", "obese", "obese"), (21.0, 24.0, 31.0, 36.0)
    time = [IVGTT, IVGTT[:-1], np.append(IVGTT, 200.0), IVGTT[[0, 3, 5, 8, 11, 17]]]
    everyone = [
        ivgtt(names[i], time=time[i], size=1 + i / 3, group=groups[i], covariates={"bmi": bmi[i]})
        for i in range(4)
    ]
    return study_of(*(everyone[i] for i in order))


DESIGN = hf.Design(
    levels={"V": "group", "p2": "subject", "SG": "shared"},
    by_group=True,
    covariates={"SI": ("bmi",)},
    correlated=(("SI", "p2"),),
)
HIERARCHY = {
    "SG": 0.021,
    "V": np.array([0.16, 0.19]),
    "SI_population": np.array([7e-5, 4e-5]),
    "SI_spread": 0.5,
    "SI_line_offset": np.log([8e-5, 5e-5, 6e-5, 3.5e-5]),
    "SI_slope": np.array([-0.2]),
    "p2_population": np.array([0.028, 0.022]),
    "p2_spread": 0.3,
    "p2_offset": np.array([-1.0, 0.2, 0.4, 0.7]),
    "SI_p2_offset": 0.8,
    "glucose_cv": CV,
}


def hierarchical_density():
    """Priors, deviations and likelihood of the design above, written out."""
    h, group = HIERARCHY, np.array([0, 0, 1, 1])
    study = people()
    bmi = np.array([s.covariates["bmi"] for s in study.subjects])
    bmi = (bmi - bmi.mean()) / bmi.std()
    r = 2 * h["SI_p2_offset"] - 1
    shift = h["SI_slope"][0] * bmi
    SI = np.exp(h["SI_line_offset"])
    first = (h["SI_line_offset"] - np.log(h["SI_population"][group]) - shift) / h["SI_spread"]
    second = r * first + np.sqrt(1 - r**2) * h["p2_offset"]
    p2 = h["p2_population"][group] * np.exp(h["p2_spread"] * second)
    total = stats.beta(2, 2).logpdf(h["SI_p2_offset"]) + stats.norm(0, 0.5).logpdf(-0.2)
    total += OUTPUT.cv.distribution().logpdf(CV)
    for name in ("SI", "p2"):
        parameter = SYSTEM.parameter(name)
        total += parameter.prior.distribution().logpdf(h[f"{name}_population"]).sum()
        total += LogNormal(parameter.spread, 0.5).distribution().logpdf(h[f"{name}_spread"])
    total += stats.norm.logpdf(first).sum() - len(first) * np.log(h["SI_spread"])
    total += stats.norm.logpdf(h["p2_offset"]).sum()
    total += SYSTEM.parameter("V").prior.distribution().logpdf(h["V"]).sum()
    total += SYSTEM.parameter("SG").prior.distribution().logpdf(h["SG"])
    for i, subject in enumerate(study.subjects):
        point = {"SI": SI[i], "p2": p2[i], "SG": h["SG"], "V": h["V"][group[i]]}
        value, mean, _ = curve(subject, point)
        total += stats.norm(mean, scale(mean)).logpdf(value).sum()
    return total


def test_hierarchy_with_groups_covariate_and_correlation():
    model = hf.build_model(people(), SYSTEM, design=DESIGN)
    assert log_density(model, **HIERARCHY) == pytest.approx(hierarchical_density(), rel=1e-9)


def test_the_order_of_subjects_does_not_matter():
    order = np.array([1, 3, 0, 2])
    model = hf.build_model(people(order), SYSTEM, design=DESIGN)
    moved = {**HIERARCHY, **{n: HIERARCHY[n][order] for n in ("SI_line_offset", "p2_offset")}}
    assert list(model.coords["group"]) == ["lean", "obese"]
    assert log_density(model, **moved) == pytest.approx(hierarchical_density(), rel=1e-9)


def test_groups_follow_their_labels():
    model = hf.build_model(people((3, 2, 0, 1)), SYSTEM, design=DESIGN)
    assert list(model.coords["group"]) == ["obese", "lean"]
    turned = {k: v[::-1] if np.size(v) == 2 else v for k, v in HIERARCHY.items()}
    order = np.array([3, 2, 0, 1])
    turned |= {n: HIERARCHY[n][order] for n in ("SI_line_offset", "p2_offset")}
    assert log_density(model, **turned) == pytest.approx(hierarchical_density(), rel=1e-9)


def test_names_of_subjects_do_not_matter():
    model = hf.build_model(people(names=["<b>", "1", "Ü", "x y"]), SYSTEM, design=DESIGN)
    assert log_density(model, **HIERARCHY) == pytest.approx(hierarchical_density(), rel=1e-9)


class TestUnits:
    """The same test written in other units, rows and names has the same posterior."""

    @staticmethod
    def tables(folder, *, old_units, shuffled=False, name="A"):
        subject = ivgtt()
        factors = {"glucose": 18.0156 if old_units else 1.0, "insulin": 1 / (6 if old_units else 1)}
        labels = {"glucose": "mg/dL", "insulin": "uU/mL"}
        canonical = {"glucose": "mmol/L", "insulin": "pmol/L"}
        rows = [
            (name, t, analyte, v * factors[analyte], (labels if old_units else canonical)[analyte])
            for analyte, s in subject.samples.items()
            for t, v in zip(s.time, s.value, strict=True)
        ]
        table = pd.DataFrame(rows, columns=["subject", "time", "analyte", "value", "unit"])
        if shuffled:
            table = table.sample(frac=1.0, random_state=1)
        folder.mkdir()
        table.to_csv(folder / "measurements.csv", index=False, float_format="%.15g")
        amount, unit = (1.7 * 0.180156, "g/kg") if old_units else (1.7, "mmol/kg")
        (folder / "doses.csv").write_text(
            "subject,time,what,amount,unit,route,duration\n"
            f"all,0,glucose,{amount:.15g},{unit},intravenous,0\n"
        )
        (folder / "study.toml").write_text(
            'title = "t"\ncitation = "c"\nlicense = "l"\nprotocol = "p"\ntime_unit = "min"\n'
        )
        return hf.read_study(folder)

    @pytest.mark.parametrize("changes", [{"shuffled": True}, {"name": "Zoë"}, {}])
    def test_posterior_is_the_same(self, tmp_path, changes):
        plain = hf.build_model(self.tables(tmp_path / "a", old_units=False), SYSTEM)
        other = hf.build_model(self.tables(tmp_path / "b", old_units=True, **changes), SYSTEM)
        for SI in (3e-5, 6e-5, 1e-4):
            point = {**POINT, "SI": SI, "glucose_cv": CV}
            assert log_density(plain, **point) == pytest.approx(
                log_density(other, **point), rel=1e-10
            )
