"""The coordinates of the sampler: white where the posterior bends, the model's own elsewhere."""

import numpy as np
import pymc as pm
import pytest
from virtual import ions, study_of

import hepaflux as hf
from hepaflux.fitting.compiled import compile_model, density_and_gradient
from hepaflux.fitting.fit import sampling_of
from hepaflux.fitting.whitening import RIDGES, _factor, crossed, people, whiten


def test_the_factor_is_that_of_the_curvature_and_the_first_ridge():
    root = np.random.default_rng(1).normal(size=(4, 4))
    curvature = 50 * root @ root.T
    factor = _factor(curvature)
    np.testing.assert_array_equal(factor, np.tril(factor))
    np.testing.assert_allclose(factor @ factor.T, curvature + RIDGES[0] * np.eye(4))


def test_a_direction_that_bends_up_gets_the_smallest_ridge_that_helps():
    factor = _factor(np.diag([2.0, -5.0]))
    np.testing.assert_allclose(factor @ factor.T, np.diag([12.0, 5.0]))


@pytest.mark.parametrize("worst", [-1e9, np.nan, np.inf])
def test_where_no_ridge_helps_the_coordinates_stay_and_that_is_said(worst):
    with pytest.warns(RuntimeWarning, match=r"model's own coordinates.* look at the diagnostics"):
        factor = _factor(np.diag([2.0, worst]))
    np.testing.assert_array_equal(factor, np.eye(2))


def test_the_mode_is_sought_with_the_spread_between_people_held():
    """Eight people of whom hardly anything is known: the mode of everything has them all alike."""
    with pm.Model() as model:
        spread = pm.LogNormal("x_spread", np.log(0.5), 0.5)
        people = pm.Normal("x", 0.0, spread, shape=8)
        pm.Normal("seen", people, 2.0, observed=np.linspace(-1, 1, 8))
    compiled = compile_model(model)
    found = {}
    for held in (None, {"x_spread_log__": np.log(0.5)}):
        whitened = whiten(compiled, seed=1, held=held)
        names = {v.name: key for v, key in whitened.shared_var_keys.items()}
        found[held is None] = whitened.shared_data[names["center"]]
    free, sought = found[True], found[False]
    at = compiled.shape_info[1][compiled.shape_info[0].index("x_spread_log__")]
    assert sought[at] == np.log(0.5)
    assert free[at] < np.log(0.5) - 1.0
    _, gradient = density_and_gradient(compiled)(sought)
    assert np.abs(np.delete(gradient, np.arange(9)[at])).max() < 1e-3
    assert np.abs(gradient[at]).max() > 1.0


def test_the_mode_is_sought_with_correlations_held_at_nought():
    """Else it is where all people lie on a line, a point from which nothing looks round."""
    study = study_of(*(ions(f"S{i}", time=[360.0]) for i in range(4)))
    design = hf.Design(correlated=(("f", "p"),), levels={"f": "subject", "p": "subject"})
    model = hf.build_model(study, hf.systems.mida, design=design)
    held = sampling_of(model)["held"]
    assert held["f_p_offset_logodds__"] == 0.0
    compiled = compile_model(model)
    assert set(held) <= set(compiled.shape_info[0])
    whitened = whiten(compiled, seed=1, held=held)
    names = {v.name: key for v, key in whitened.shared_var_keys.items()}
    center = whitened.shared_data[names["center"]]
    gradient = density_and_gradient(compiled)(center)[1]
    at = {n: s for n, s in zip(*compiled.shape_info[:2], strict=True) if n in held}
    moved = np.delete(gradient, np.concatenate([np.arange(len(center))[s] for s in at.values()]))
    assert np.abs(moved).max() < 0.1


def test_each_person_is_taken_from_the_mode_that_serves_it_best():
    """Two peaks of each coordinate: the modes found differ in who is at the higher one."""

    def density(point):
        return float(np.sum(-((point**2 - 1) ** 2) + 0.5 * point)), np.zeros_like(point)

    found = [np.array([1.0, -1.0, 1.0]), np.array([1.0, 1.0, -1.0]), np.array([-1.0, -1.0, -1.0])]
    blocks = [np.array([i]) for i in range(3)]
    np.testing.assert_array_equal(crossed(density, found, blocks), [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(crossed(density, found, []), found[0])


def test_the_unknowns_of_a_person_are_found_by_their_subject():
    study = study_of(*(ions(f"S{i}", time=[360.0]) for i in range(4)))
    compiled = compile_model(hf.build_model(study, hf.systems.mida))
    blocks = people(compiled)
    places = dict(zip(*compiled.shape_info[:2], strict=True))
    own = {name: at for name, at in places.items() if name in ("f_line_offset", "p_logodds__")}
    assert [block.tolist() for block in blocks] == [
        sorted(at.start + i for at in own.values()) for i in range(4)
    ]
