"""Synthetic studies know their truth."""

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.model import HEALTHY, NAFLD
from hepaflux.model.predict import predict
from hepaflux.model.protocols import STEPS, TESTS
from hepaflux.model.recipe import prepare
from hepaflux.parameter import Fixed
from hepaflux.study import write_study
from hepaflux.study.checksum import checksum

PROTOCOLS = {
    "minimal": "ivgtt",
    "oral": "ogtt75",
    "oral_labeled": "triple_tracer",
    "ivgtt_labeled": "ivgtt_labeled",
    "clamp": "clamp",
}
FREE = {"clamp": ("K_E", "K_R", "K_L"), "ivgtt_labeled": ("S2_I", "PCR")}
"""Of large systems few unknowns, so that they compile soon."""


def system_of(name):
    system = hf.systems.named(name)
    free = FREE.get(name, tuple(system.priors))
    medians = {
        p.name: Fixed(float(p.prior.distribution().median()))
        for p in system.unknowns
        if p.name not in free
    }
    return system.with_priors(**medians)


each_system = pytest.mark.parametrize(
    "system", [system_of(name) for name in PROTOCOLS], ids=PROTOCOLS
)


@each_system
def test_the_same_seed_gives_the_same_study(system):
    one, again, other = (
        hf.simulate_study(system, subjects=2, protocol=PROTOCOLS[system.name], seed=s)
        for s in (1, 1, 2)
    )
    assert one.study.measurements().equals(again.study.measurements())
    assert one.truth.equals(again.truth)
    assert not one.truth.equals(other.truth)


@each_system
def test_noise_around_the_true_curve_is_that_of_the_assay(system):
    """The mean squared standardized deviation is one (false alarms below 1e-4)."""
    simulated = hf.simulate_study(system, subjects=20, protocol=PROTOCOLS[system.name], seed=3)
    for z in standardized(simulated, system).values():
        assert abs(z.mean()) < 4 / np.sqrt(len(z))
        assert abs((z**2).mean() - 1) < 4 * np.sqrt(2 / len(z))


def standardized(simulated, system):
    """Deviations of samples from the true curves in units of the assay's error, by output.

    What was not detected has no deviation.
    """
    adapted = system.for_study(simulated.study)
    separate = hf.Design(levels={p.name: "separate" for p in adapted.unknowns})
    recipe = prepare(simulated.study, system, design=separate)
    draws = {p.name: true_values(simulated.truth, p)[None] for p in adapted.unknowns}
    means = predict(recipe, draws, tolerance=(1e-9, 1e-9))
    deviations = {}
    for observed in recipe.observations:
        output, mean = observed.output, means[observed.output.name][0]
        cv = getattr(output.cv, "value", None) or output.cv.median
        z = (observed.value - mean) / np.hypot(cv * mean, output.floor)
        deviations[output.name] = z[observed.censoring == 0]
    return deviations


def true_values(truth, parameter):
    """The column of a parameter, or the columns of a vector side by side."""
    if not parameter.axis:
        return truth[parameter.name].to_numpy()
    return truth[[c for c in truth if c.startswith(f"{parameter.name}[")]].to_numpy()


def test_groups_differ_as_they_should():
    simulated = hf.simulate_study(hf.systems.oral, (HEALTHY, NAFLD), subjects=80, seed=1)
    assert simulated.study.groups == ("healthy", "NAFLD")
    log_si = np.log(simulated.truth["SI"])
    groups = simulated.truth["group"]
    assert (groups == "NAFLD").sum() == 40
    ratio = log_si[groups == "NAFLD"].mean() - log_si[groups == "healthy"].mean()
    assert abs(ratio - np.log(0.45)) < 4 * 0.7 * np.sqrt(2 / 40)


def test_the_truth_has_a_column_per_parameter():
    simulated = hf.simulate_study(hf.systems.oral, subjects=3, seed=1)
    columns = list(simulated.truth.columns)
    assert columns[:2] == ["subject", "group"]
    assert {"SI", "SG", "p2", "V", "absorption[0]", "absorption[5]"} <= set(columns)
    shares = simulated.truth[[c for c in columns if c.startswith("absorption")]]
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert list(simulated.truth["subject"]) == [s.name for s in simulated.study.subjects]


@pytest.mark.parametrize(
    ("protocol", "grams", "per_kg"),
    [("ogtt75", 75.0, False), ("ogtt75_sparse", 75.0, False), ("meal", 1.0, True)],
)
def test_times_and_dose_are_those_of_the_test(protocol, grams, per_kg):
    (subject,) = hf.simulate_study(hf.systems.oral, subjects=1, protocol=protocol).study.subjects
    assert tuple(subject.samples["glucose"].time) == TESTS[protocol].times
    expected = grams / 0.180156 / (1 if per_kg else subject.weight)
    assert subject.amount_per_kg(subject.doses[0]) == pytest.approx(expected, rel=1e-9)


def labeled(protocol, **how):
    system = hf.systems.oral_labeled
    return hf.simulate_study(system, protocol=protocol, **{"subjects": 2, **how})


def test_a_labeled_drink_is_four_percent_label():
    for subject in labeled("labeled_meal").study.subjects:
        given = {d.what: subject.amount_per_kg(d) for d in subject.doses}
        assert given == pytest.approx({"glucose": 1 / 0.180156, "meal_tracer": 0.04 / 0.180156})
        assert set(subject.samples) == {"glucose", "insulin", "meal_enrichment"}
        sampled = subject.samples["meal_enrichment"].time
        assert sampled[0] > 0
        assert subject.samples["glucose"].time[-1] == sampled[-1] == 300


def test_a_triple_tracer_test_begins_with_a_primed_infusion():
    (subject,) = labeled("triple_tracer", subjects=1).study.subjects
    prime, infusion = (d for d in subject.doses if d.what == "egp_tracer")
    rate = infusion.amount / infusion.duration
    assert (prime.time, infusion.time, infusion.time + infusion.duration) == (-180, -180, 300)
    assert (prime.duration, prime.amount) == (0, pytest.approx(100 * rate))
    steps = [d for d in subject.doses if d.what == "ra_tracer"]
    ends = [step.time + step.duration for step in steps]
    assert [step.time for step in steps] == [0, *ends[:-1]]
    assert ends[-1] == 300


def test_steady_enrichment_is_that_of_production():
    """Steele: before the drink the tracer-to-tracee ratio is infusion over production."""
    simulated = labeled("triple_tracer", subjects=30, seed=4)
    truth, ratios = simulated.truth, []
    for i, subject in enumerate(simulated.study.subjects):
        basal = subject.samples["glucose"].value[0]
        production = truth["SG_D"][i] * truth["V"][i] * basal
        measured = subject.samples["egp_enrichment"]
        infusion = next(d for d in subject.doses if d.what == "egp_tracer" and d.duration)
        rate = infusion.amount / infusion.duration
        ratios.append(measured.value[measured.time <= 0].mean() * production / rate)
    # Production gives way a little to the infused glucose itself, and 180 min are not for ever.
    assert np.median(ratios) == pytest.approx(1.0, abs=0.05)


def test_what_cannot_be_detected_is_censored():
    """Enrichments are reported down to three SDs of a blank, lower ones as the limit."""
    people = labeled("labeled_meal", subjects=60, seed=1).study.subjects
    enrichments = [person.samples["meal_enrichment"] for person in people]
    value, censoring = (
        np.concatenate([getattr(e, name) for e in enrichments]) for name in ("value", "censoring")
    )
    assert set(censoring) == {"none", "left"}
    np.testing.assert_array_equal(censoring == "left", value == 6e-4)
    assert value.min() == 6e-4


@pytest.mark.parametrize("protocol", ["labeled_meal", "triple_tracer"])
def test_a_labeled_study_survives_being_written(protocol, tmp_path):
    study = labeled(protocol, subjects=30).study
    assert hf.read_study(write_study(study, tmp_path)).checksum == checksum(study.subjects)


def test_nafld_has_lower_sensitivity_of_liver_and_disposal():
    truth = labeled("labeled_meal", populations=(HEALTHY, NAFLD), subjects=80).truth
    for name, factor in (("SI_D", 0.45), ("SI_L", 0.4), ("GE_L", 1.0)):
        logs = np.log(truth[name]).groupby(truth["group"])
        change, spread = logs.mean()["NAFLD"] - logs.mean()["healthy"], logs.std().max()
        assert abs(change - np.log(factor)) < 4 * spread * np.sqrt(2 / 40)


@pytest.fixture(scope="module")
def clamped():
    return hf.simulate_study(system_of("clamp"), subjects=5, protocol="clamp", seed=1)


def test_a_clamp_keeps_glucose_basal(clamped):
    """Within noise and what a pump that is set every ten minutes leaves."""
    for subject in clamped.study.subjects:
        glucose = subject.samples["glucose"].value
        deviation = glucose / glucose[0] - 1
        assert abs(deviation.mean()) < 0.02
        assert abs(deviation).max() < 0.1


def test_a_clamp_infuses_glucose_with_its_label(clamped):
    """Glucose rises from step to step; every piece of it has the label of the infusate."""
    test = TESTS["clamp"]
    for subject in clamped.study.subjects:
        pieces = [d for d in subject.doses if d.what == "glucose"]
        labels = {d.time: d.amount for d in subject.doses if d.what == "egp_tracer" if d.time >= 0}
        assert all(labels[d.time] / d.amount == pytest.approx(test.label) for d in pieces)
        ends = [sum(d.amount for d in pieces if b - 30 <= d.time < b) for _, _, b in STEPS]
        assert 0 < ends[0] < ends[1] < ends[2]


def test_a_system_without_the_tracer_cannot_have_a_clamp():
    with pytest.raises(ValueError, match="must be one of ivgtt for system minimal"):
        hf.simulate_study(hf.systems.minimal, subjects=1, protocol="clamp")
    with pytest.raises(ValueError, match="must be one of ivgtt_labeled, clamp for system clamp"):
        hf.simulate_study(hf.systems.clamp, subjects=1, protocol="ivgtt")


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"protocol must be one of ogtt75, .* but is 'ogtt100'"):
        hf.simulate_study(hf.systems.oral, protocol="ogtt100")
    with pytest.raises(ValueError, match="subjects must be at least 2, but is 1"):
        hf.simulate_study(hf.systems.oral, (HEALTHY, NAFLD), subjects=1)


def test_a_protocol_of_the_other_route_is_refused():
    message = "must be one of ogtt75, ogtt75_sparse, meal for system oral, but is 'ivgtt'"
    with pytest.raises(ValueError, match=message):
        hf.simulate_study(hf.systems.oral, subjects=1, protocol="ivgtt")
