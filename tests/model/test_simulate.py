"""Synthetic studies know their truth."""

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.model import HEALTHY, NAFLD
from hepaflux.model.simulate import TESTS

PROTOCOLS = {"minimal": "ivgtt", "oral": "ogtt75"}
each_system = pytest.mark.parametrize("system", hf.systems.ALL, ids=lambda s: s.name)


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
    adapted = system.for_study(simulated.study)
    output = adapted.outputs[0]
    cv = output.cv.value if hasattr(output.cv, "value") else output.cv.median
    standardized = []
    for subject, (_, row) in zip(simulated.study.subjects, simulated.truth.iterrows(), strict=True):
        p = {
            q.name: row[q.name]
            if not q.axis
            else row[[c for c in row.index if c.startswith(f"{q.name}[")]].to_numpy(dtype=float)
            for q in adapted.unknowns
        }
        samples = subject.samples["glucose"]
        used = output.uses(samples.time)
        mean = hf.solve(adapted, p, subject, times=samples.time[used]).states["glucose"]
        standardized.append((samples.value[used] - mean) / np.hypot(cv * mean, output.floor))
    z = np.concatenate(standardized)
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert abs((z**2).mean() - 1) < 4 * np.sqrt(2 / len(z))


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


@pytest.mark.parametrize("protocol", [name for name in TESTS if name != "ivgtt"])
def test_times_and_dose_are_those_of_the_test(protocol):
    (subject,) = hf.simulate_study(hf.systems.oral, subjects=1, protocol=protocol).study.subjects
    assert tuple(subject.samples["glucose"].time) == TESTS[protocol].times
    grams = TESTS[protocol].grams * (subject.weight if TESTS[protocol].per_kg else 1)
    expected = grams / 0.180156 / subject.weight
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
