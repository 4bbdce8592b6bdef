"""Mode, Laplace and Pathfinder against the sampler and against exact normals."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.fitting import FitError, approximate, pathfinder
from hepaflux.fitting.approximate import STEP
from hepaflux.fitting.pathfinder import approximations, climb, resample

NAMES = ("SI", "SG", "p2", "V")


def normal(mean, covariance):
    """Log-density and gradient of a normal, up to a constant."""
    precision = np.linalg.inv(covariance)

    def density(x):
        return -0.5 * (x - mean) @ precision @ (x - mean), -precision @ (x - mean)

    return density


@pytest.fixture
def target():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(5, 5)) * np.array([0.2, 1, 1, 3, 0.5])
    return rng.normal(size=5), root @ root.T + 0.1 * np.eye(5)


def use(monkeypatch, density, start):
    """Make the methods see a density instead of a compiled model."""
    for module in (approximate, pathfinder):
        monkeypatch.setattr(module, "density_and_gradient", lambda compiled: density)
    return SimpleNamespace(
        initial_point_func=lambda seed: start + np.random.default_rng(seed).normal(size=len(start))
    )


class TestExactNormal:
    def test_mode(self, monkeypatch, target):
        compiled = use(monkeypatch, normal(*target), np.zeros(5))
        (mode,), _ = approximate.find_mode(compiled, draws=1, seed=1)
        np.testing.assert_allclose(mode, target[0], atol=1e-3)

    @pytest.mark.parametrize("method", ["laplace", "pathfinder"])
    def test_moments(self, monkeypatch, target, method):
        compiled = use(monkeypatch, normal(*target), np.zeros(5))
        points, k = approximate.METHODS[method](compiled, draws=20_000, seed=1)
        assert k is None if method == "laplace" else k < 0.7
        sd = np.sqrt(np.diag(target[1]))
        assert points.shape == (20_000, 5)
        np.testing.assert_allclose((points.mean(axis=0) - target[0]) / sd, 0, atol=0.06)
        scaled = (np.cov(points.T) - target[1]) / np.outer(sd, sd)
        np.testing.assert_allclose(scaled, 0, atol=0.08)

    def test_draws_of_an_approximation_have_the_density_it_states(self, target):
        path = climb(normal(*target), np.zeros(5))
        approximation = approximations(*path)[-1]
        points, log_q = approximation.draw(50_000, np.random.default_rng(2))
        fitted = normal(points.mean(axis=0), np.cov(points.T))
        _, log_volume = np.linalg.slogdet(2 * np.pi * np.cov(points.T))
        recomputed = np.array([fitted(p)[0] for p in points[:500]]) - 0.5 * log_volume
        np.testing.assert_allclose(log_q[:500], recomputed, atol=0.15)


class TestErrors:
    def test_a_density_without_a_peak(self, monkeypatch):
        flat = lambda x: (-0.5 * x[0] ** 2, np.array([-x[0], 0.0]))  # noqa: E731
        compiled = use(monkeypatch, flat, np.zeros(2))
        with pytest.raises(FitError, match=r"not positive definite.*use method nuts"):
            approximate.laplace(compiled, draws=10, seed=1)

    def test_a_density_without_a_curvature(self, monkeypatch):
        edge = lambda x: (-0.5 * x @ x, -x if abs(x[0]) < STEP / 2 else x + np.nan)  # noqa: E731
        compiled = use(monkeypatch, edge, np.zeros(2))
        monkeypatch.setattr(approximate, "best_mode", lambda density, starts: np.zeros(2))
        with pytest.raises(FitError, match="does not exist"):
            approximate.laplace(compiled, draws=10, seed=1)

    @pytest.mark.parametrize("method", ["map", "laplace", "pathfinder"])
    def test_a_density_that_is_nowhere_finite(self, monkeypatch, method):
        compiled = use(monkeypatch, lambda x: (-np.inf, np.zeros(2)), np.zeros(2))
        with pytest.raises(FitError, match="no starting point has a finite log-density"):
            approximate.METHODS[method](compiled, draws=10, seed=1)

    def test_weights_that_do_not_help_are_said(self):
        rng = np.random.default_rng(1)
        points = rng.normal(size=(1000, 1))
        with pytest.warns(RuntimeWarning, match=r"Pareto k .* sample with NUTS"):
            _, k = resample(points, 5 * np.abs(points[:, 0]) ** 2, 100, rng)
        assert k > 0.7

    def test_points_are_drawn_by_their_weights(self):
        rng = np.random.default_rng(1)
        points = np.repeat([[0.0], [1.0]], 500, axis=0)
        log_weights = np.log(np.where(points[:, 0] == 0, 0.25, 0.75)) + rng.normal(0, 0.01, 1000)
        drawn, _ = resample(points, log_weights, 4000, rng)
        assert drawn.mean() == pytest.approx(0.75, abs=0.01)

    def test_draws_that_do_not_split(self):
        with pytest.raises(ValueError, match="10 draws do not split evenly into 3 chains"):
            approximate._split(np.zeros(10), 3)


@pytest.fixture(scope="module")
def sampled(published):
    return hf.fit(published, draws=1000, tune=500, chains=2, seed=1)["posterior"]


class TestPublishedTest:
    @pytest.mark.parametrize("method", ["laplace", "pathfinder"])
    def test_means_are_near_those_of_the_sampler(self, published, sampled, method):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Pathfinder does not describe", RuntimeWarning)
            tree = hf.fit(published, method=method, draws=1000, chains=2, seed=1)
        assert tree["posterior"].sizes == {"chain": 2, "draw": 1000}
        assert tree.attrs["method"] == method
        for name in NAMES:
            mean, sd = float(sampled[name].mean()), float(sampled[name].std())
            assert float(tree["posterior"][name].mean()) == pytest.approx(mean, abs=0.3 * sd)
            assert float(tree["posterior"][name].std()) == pytest.approx(sd, rel=0.3)

    def test_mode_is_one_draw_inside_the_posterior(self, published, sampled):
        mode = hf.fit(published, method="map", seed=1)["posterior"]
        assert mode.sizes == {"chain": 1, "draw": 1}
        for name in NAMES:
            lower, upper = sampled[name].quantile([0.01, 0.99])
            assert lower < mode[name].item() < upper

    @pytest.mark.filterwarnings("ignore:Pathfinder does not describe:RuntimeWarning")
    def test_pathfinder_says_of_every_subject_how_good_it_is(self, three):
        tree = hf.fit_each(three, hf.systems.oral, method="pathfinder", draws=50, chains=2, seed=1)
        k = tree["sample_stats"]["pareto_k"]
        assert k.dims == ("subject",)
        (check,) = [c for c in hf.diagnose(tree).checks if c.name == "Pareto k of the draws"]
        found = dict(zip(k["subject"].values, k.values, strict=True))
        assert check.value == pytest.approx(max(found.values()))
        assert (check.status == "pass") == (check.value <= 0.7)

    def test_pathfinder_repeats_with_its_seed(self, published):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Pathfinder does not describe", RuntimeWarning)
            one, two = (
                hf.fit(published, method="pathfinder", draws=20, chains=1, seed=7) for _ in range(2)
            )
        np.testing.assert_array_equal(one["posterior"]["SI"], two["posterior"]["SI"])
