"""Figures left out: their likelihood by quadrature against brute force, and fits without them."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.special import expit, logit, logsumexp

import hepaflux as hf
from hepaflux.fitting import left_out
from hepaflux.fitting.left_out import figure_log_likelihood, leave_figures_out, places_of
from hepaflux.study import Figure, Figures, Quantity

DNL = Quantity("dnl_fraction", "1", "de novo lipogenesis", "unit", 0.001, 0.8)
RATE = Quantity("vldl_tg_secretion", "umol/min", "secretion", "positive", 1, 300, is_rate=True)
DRAWS = 40


def figure(group, study, mean, **more):
    return Figure(
        group=group, study=study, citation=study, **{"quantity": DNL.name, **more, "mean": mean}
    )


ROWS = (
    figure("healthy", "One", 0.05, n=9, spread=0.01, spread_kind="SE", method="D2O"),
    figure("NAFLD", "One", 0.20, n=16, spread=0.05, spread_kind="SD", method="D2O"),
    figure("NAFLD", "Two", 0.25, n=12, method="MIDA"),
    figure("healthy", "Three", 0.04, spread=0.012, spread_kind="SE presumed", method="MIDA"),
    figure("healthy", "Four", 0.13, n=5, spread=0.11, spread_kind="SD", method="tritium"),
    figure("healthy", "Four", 14.0, n=8, quantity=RATE.name, spread=4.0, spread_kind="SD"),
    figure("NAFLD", "Four", 0.9, n=8, quantity=RATE.name, scale="fat-free mass"),
)  # fmt: skip
"""An SE with n, an SD, no error, an SE without n, few people who differ widely, and rates. Studies
Two, Three and Four have one arm each, and the last method has one."""


def model_of(rows=ROWS):
    quantities = (DNL, RATE)
    return hf.build_figures_model(
        Figures("test", tuple(rows), quantities), [q.name for q in quantities]
    )


@pytest.fixture(scope="module")
def draws():
    """Draws as different from each other as those of a posterior, and the model."""
    model, rng = model_of(), np.random.default_rng(3)

    def some(center, apart, *size):
        return center + apart * rng.standard_normal((1, DRAWS, *size))

    name, rate, pair = DNL.name, RATE.name, ("chain", "draw")
    posterior = {
        name: ((*pair, "group"), expit(some(logit([0.06, 0.22]), 0.3, 2))),
        f"{name}_study_ratio": ((*pair, "study"), np.exp(some(0.0, 0.3, 4))),
        f"{name}_method_ratio": ((*pair, "method"), np.exp(some(0.0, 0.3, 3))),
        rate: ((*pair, "group"), np.exp(some(np.log([14.0, 40.0]), 0.2, 2))),
        f"{rate}_fat_free_mass": (pair, np.exp(some(np.log(50.0), 0.1))),
    }
    spreads = {f"{name}_{what}_spread": 0.5 for what in ("study", "method", "arm")}
    for one in (name, rate):
        spreads |= {f"{one}_person_sd": 0.5, f"{one}_person_sd_spread": 0.3}
    posterior |= {n: (pair, np.exp(some(np.log(center), 0.3))) for n, center in spreads.items()}
    return model, xr.Dataset(posterior)


def brute(posterior, i, rng, size=400_000):
    """The likelihood of figure i at one draw: the mean over what is the arm's own, as drawn."""
    p = {k: v.to_numpy()[0, 7] for k, v in posterior.items()}
    row, name = ROWS[i], ROWS[i].quantity
    group = int(row.group == "NAFLD")
    sd = p[f"{name}_person_sd"] * np.exp(p[f"{name}_person_sd_spread"] * rng.standard_normal(size))
    mass = 1.0
    if name == RATE.name:
        mean = np.full(size, p[name][group])
        mass = p[f"{name}_fat_free_mass"] if row.scale else 1.0
        sigma = sd * mean
    else:
        study, method = (0, 0, 1, 2, 3)[i], (0, 0, 1, 1, 2)[i]
        line = logit(p[name][group]) + p[f"{name}_arm_spread"] * rng.standard_normal(size)
        alone = {"study": study > 0, "method": method == 2}
        for what, index in (("study", study), ("method", method)):
            shift = p[f"{name}_{what}_spread"] * rng.standard_normal(size)
            line += shift if alone[what] else np.log(p[f"{name}_{what}_ratio"][index])
        mean = expit(line)
        sigma = sd * mean * (1 - mean)
    error = row.se if row.n is None else sigma / mass / np.sqrt(row.n)
    density = stats.norm.logpdf(row.mean, mean / mass, error)
    if row.sd is not None:
        scale = sigma / mass / np.sqrt(row.n - 1)
        density += stats.chi.logpdf(row.sd, row.n - 1, scale=scale)
    return density


@pytest.mark.parametrize("i", range(len(ROWS)))
def test_the_likelihood_of_a_figure_is_the_mean_over_what_is_its_own(draws, i):
    """By brute force, whose own error is a fifth of the bound."""
    model, posterior = draws
    found = float(figure_log_likelihood(model.recipe, posterior)[0, 7, i])
    density = brute(posterior, i, np.random.default_rng(i))
    weight = np.exp(density - density.max())
    error = weight.std() / weight.mean() / np.sqrt(len(weight))
    assert found == pytest.approx(logsumexp(density) - np.log(len(density)), abs=5 * error + 1e-3)
    assert error < 0.02


def test_twice_the_nodes_change_nothing(draws, monkeypatch):
    model, posterior = draws
    few = figure_log_likelihood(model.recipe, posterior)
    monkeypatch.setattr(left_out, "NODES", 2 * left_out.NODES)
    more = figure_log_likelihood(model.recipe, posterior)
    np.testing.assert_allclose(few, more, atol=5e-3)


def test_an_arm_that_is_left_out_says_nothing():
    """Two tables differ in the second figure alone; the density at two points tells what counts."""
    changed = [replace(row, mean=0.5, spread=0.2) if i == 1 else row for i, row in enumerate(ROWS)]
    gains = {}
    for name, model in (("one", model_of()), ("other", model_of(changed))):
        density = model.compile_logp(mode="FAST_COMPILE")
        point = model.initial_point()
        line = f"{DNL.name}_line_offset"
        moved = {**point, line: point[line] + 0.3}
        for out in (0.0, 1.0):
            model.set_data(f"{DNL.name}_left_out", np.array([0.0, out, 0.0, 0.0, 0.0]))
            gains[name, out] = float(density(moved) - density(point))
    assert abs(gains["one", 0.0] - gains["other", 0.0]) > 1.0
    assert abs(gains["one", 0.0] - gains["one", 1.0]) > 0.3
    assert gains["one", 1.0] == pytest.approx(gains["other", 1.0], abs=1e-6)


def test_where_importance_sampling_fails_the_model_is_fitted_without(draws, monkeypatch):
    """Draws of another fit stand for those of the fit without; only failures are fitted again."""
    model, posterior = draws
    rng, asked = np.random.default_rng(4), []
    likelihood = rng.uniform(-2.1, -1.9, size=(1, DRAWS, len(ROWS)))
    # One draw carries all of the weight of the third figure.
    likelihood[0, 5, 2] = -40.0

    class Compiled:
        def with_data(self, **data):
            asked.append(data)
            return self

    def sample(compiled, **settings):
        assert settings["draws"] == 30
        assert settings["target_accept"] == 0.99
        return xr.DataTree.from_dict({"/posterior": posterior})

    monkeypatch.setattr(
        left_out,
        "figure_log_likelihood",
        lambda recipe, posterior: xr.DataArray(
            likelihood,
            {"figure": np.arange(len(ROWS))},
            ("chain", "draw", "figure"),
            name=left_out.WHOLE,
        ),
    )
    monkeypatch.setattr(left_out.nuts, "sample", sample)
    found = leave_figures_out(model, Compiled(), posterior, sampling={"draws": 30, "seed": 1})
    assert list(np.flatnonzero(found["refitted"])) == [2]
    ((name, passed_over),) = asked[0].items()
    assert name == "dnl_fraction_left_out"
    np.testing.assert_array_equal(passed_over, [0, 0, 1, 0, 0])
    anew = left_out._density(places_of(model.recipe)[2], posterior)
    assert float(found["elpd"][2]) == pytest.approx(logsumexp(anew) - np.log(DRAWS))
    # The others are what is left of a nearly constant likelihood.
    np.testing.assert_allclose(found["elpd"].to_numpy()[[0, 1, 3, 4, 5, 6]], -2.0, atol=0.1)
    assert list(found["group"].to_numpy()) == [row.group for row in ROWS]
    assert found["label"].to_numpy()[0] == "One, healthy"
