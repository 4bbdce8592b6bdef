"""A coordinate for numbers that fade from the data: a bijection that leaves the prior as it is."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

from hepaflux.model.bend import STRETCH, Bend
from hepaflux.model.design import Design
from hepaflux.model.priors import People, build_parameters
from hepaflux.parameter import Beta, LogNormal, Parameter

CORNER = np.log(6e-5)
POINTS = CORNER + np.array([-30.0, -8.0, -1.0, -0.1, 0.0, 0.3, 1.0, 5.0, 40.0])


@pytest.fixture(scope="module")
def functions():
    z, bend = pt.vector("z"), Bend(6e-5)
    outputs = (bend.backward(z), bend.forward(bend.backward(z)), bend.log_jac_det(z))
    return pytensor.function([z], outputs, mode="FAST_COMPILE")


def test_it_leads_back(functions):
    _, back, _ = functions(POINTS)
    np.testing.assert_allclose(back, POINTS, rtol=1e-10)


def test_the_jacobian_is_that_of_differences(functions):
    below, above = functions(POINTS - 1e-5)[0], functions(POINTS + 1e-5)[0]
    np.testing.assert_allclose(np.exp(functions(POINTS)[2]), (above - below) / 2e-5, rtol=1e-5)


def test_it_runs_as_fast_as_the_logarithm_below_and_faster_above(functions):
    pace = np.exp(-functions(CORNER + np.array([-200.0, 800.0]))[2])
    np.testing.assert_allclose(pace, [1.0, STRETCH], rtol=1e-3)


def _parameter(**changes):
    settings = {"spread": 0.7, "fades_at": 6e-5, **changes}
    return Parameter("SI", "1", LogNormal(1.2e-4, 1.0), "sensitivity", "none", **settings)


@pytest.mark.parametrize("level", ["shared", "group", "separate", "subject"])
def test_density_differs_from_that_without_only_by_the_jacobian(level):
    """At the same value of SI: log-density in bent coordinates = in others + log-Jacobian."""
    people = People(3, np.array([0, 1, 0]), {})
    design = Design({"SI": level}, by_group=level == "group")
    coords = {"subject": ["a", "b", "c"], "group": ["x", "y"]}
    values = np.array([2e-6, 5e-5, 9e-4])
    if level != "separate" and level != "subject":
        values = values[: 2 if level == "group" else 1]
    found, jacobians = [], []
    for fades_at in (6e-5, 0.0):
        with pm.Model(coords=coords) as model:
            build_parameters([_parameter(fades_at=fades_at)], design, people)
        name = "SI_line_offset" if level == "subject" else "SI"
        variable = model[name]
        value = np.log(values) if level == "subject" else values
        point = model.initial_point(0)
        transform = model.rvs_to_transforms[variable]
        shaped = value if level != "shared" else value[0]
        key = model.rvs_to_values[variable].name
        inner = shaped if transform is None else transform.forward(pt.constant(shaped)).eval()
        point[key] = np.asarray(inner)
        found.append(float(model.compile_logp(mode="FAST_COMPILE")(point)))
        jacobian = 0.0 if transform is None else transform.log_jac_det(pt.constant(inner)).eval()
        jacobians.append(np.sum(jacobian))
    assert found[0] - found[1] == pytest.approx(jacobians[0] - jacobians[1], rel=1e-9)
    assert jacobians[0] != pytest.approx(jacobians[1])


def test_the_prior_is_the_same_in_any_coordinates():
    """Draws by a sampler that walks in the coordinates have the prior's distribution."""
    with pm.Model():
        build_parameters([_parameter()], Design({"SI": "shared"}), People(1, np.array([]), {}))
        tree = pm.sample(
            2000, tune=500, chains=2, cores=1, random_seed=3, progressbar=False,
            compute_convergence_checks=False,
        )  # fmt: skip
    draws = tree["posterior"]["SI"].to_numpy().ravel()[::4]
    assert stats.kstest(draws, LogNormal(1.2e-4, 1.0).distribution().cdf).pvalue > 1e-3


@pytest.mark.parametrize("changes", [{"fades_at": -1.0}, {"prior": Beta(2, 2), "fades_at": 0.1}])
def test_only_a_positive_number_can_fade(changes):
    settings = {"prior": LogNormal(1.0, 1.0), **changes}
    with pytest.raises(ValueError, match="positive"):
        Parameter("x", "1", settings["prior"], "meaning", "source", fades_at=settings["fades_at"])
