"""Synthetic studies know their truth."""

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.model import HEALTHY, NAFLD
from hepaflux.model.predict import predict
from hepaflux.model.protocols import TESTS
from hepaflux.model.recipe import prepare

PROTOCOLS = {"minimal": "ivgtt", "oral": "ogtt75"}
each_system = pytest.mark.parametrize(
    "system", [hf.systems.named(name) for name in PROTOCOLS], ids=PROTOCOLS
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
    """Deviations of all samples from the true curves in units of the assay's error, by output."""
    adapted = system.for_study(simulated.study)
    separate = hf.Design(levels={p.name: "separate" for p in adapted.unknowns})
    recipe = prepare(simulated.study, system, design=separate)
    draws = {p.name: true_values(simulated.truth, p)[None] for p in adapted.unknowns}
    means = predict(recipe, draws, tolerance=(1e-9, 1e-9))
    deviations = {}
    for observed in recipe.observations:
        output, mean = observed.output, means[observed.output.name][0]
        cv = getattr(output.cv, "value", None) or output.cv.median
        deviations[output.name] = (observed.value - mean) / np.hypot(cv * mean, output.floor)
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


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"protocol must be one of ogtt75, .* but is 'ogtt100'"):
        hf.simulate_study(hf.systems.oral, protocol="ogtt100")
    with pytest.raises(ValueError, match="subjects must be at least 2, but is 1"):
        hf.simulate_study(hf.systems.oral, (HEALTHY, NAFLD), subjects=1)


def test_a_protocol_of_the_other_route_is_refused():
    message = "must be one of ogtt75, ogtt75_sparse, meal for system oral, but is 'ivgtt'"
    with pytest.raises(ValueError, match=message):
        hf.simulate_study(hf.systems.oral, subjects=1, protocol="ivgtt")
