"""Left out: how well a model of published figures predicts a figure that it was not shown.

To leave out a figure means to predict the printed mean and SD of an arm from all other figures.
What is the arm's own has to be integrated out first, or the figure would be predicted from itself:
how the arm deviates, with its study or method where no other arm has it, and the spread of its
people.
On the line (log or log-odds) these are normal, and Gauss-Hermite quadrature around where each draw
and the figure put them does both integrals (Naylor and Smith 1982, Appl Stat 31:214). Leaving out
is then Pareto-smoothed importance sampling (Vehtari et al. 2017, Stat Comput 27:1413); where that
fails, the model is fitted again to the other figures.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import xarray as xr
from arviz_stats import SamplingWrapper, loo, reloo
from numpy.polynomial.hermite_e import hermegauss
from scipy import special

from hepaflux.fitting import nuts
from hepaflux.fitting.fit import sampling_of
from hepaflux.fitting.published import printed_laws
from hepaflux.model.arms import Arms
from hepaflux.model.noise import normal_log_density
from hepaflux.model.predict import in_a_row
from hepaflux.model.published import LEFT_OUT, LINKS, FiguresRecipe, mass_name

NODES = 24
"""Nodes of each quadrature."""

WIDENED = 1.2
"""How much wider than expected the nodes lie, since what is integrated is skewed."""

NARROW = 1e-6
"""Deviation of an arm that does not deviate, on the line."""

SOUND = 0.5
"""Pareto k up to which importance sampling is trusted. Above it the variance of the weights is not
finite, and at 0.65 the density of a bundled figure was off by a factor of five."""

TO_LINE = {"positive": np.log, "unit": special.logit}
FROM_LINE = {"positive": np.exp, "unit": special.expit}
"""Scale on which arms differ, and its inverse, by support."""

FIGURE = "figure"
"""Dimension of the figures."""

WHOLE = "whole_figure"
"""Name of their log-likelihood."""


class Place(NamedTuple):
    """Where a figure stands: an arm of a quantity."""

    arms: Arms
    number: int

    @property
    def alone(self) -> Arms:
        """Return the arm without the others."""
        i = self.number
        cut = {n: getattr(self.arms, n)[[i]] for n in ("group", "study", "method")}
        cut |= {n: getattr(self.arms, n)[[i]] for n in ("n", "mean", "sd", "se")}
        return replace(
            self.arms, labels=(self.arms.labels[i],), scales=(self.arms.scales[i],), **cut
        )


def places_of(recipe: FiguresRecipe) -> tuple[Place, ...]:
    """Return every arm of every quantity, in the order of the figures."""
    return tuple(Place(arms, i) for arms in recipe.arms for i in range(len(arms.labels)))


def figure_log_likelihood(recipe: FiguresRecipe, posterior: xr.Dataset) -> xr.DataArray:
    """Return the log-likelihood of each printed figure with what is its own integrated out.

    Parameters
    ----------
    recipe : FiguresRecipe
        Of the model that was fitted.
    posterior : Dataset
        Draws with dimensions (chain, draw, ...).

    Returns
    -------
    DataArray (chain, draw, figure)
        Of the mean and, where it is printed, the SD together.
    """
    return _joined([_density(place, posterior) for place in places_of(recipe)], posterior)


def _joined(columns: list[np.ndarray], posterior: xr.Dataset) -> xr.DataArray:
    """Return columns (draw,) with chains and draws apart."""
    values = np.stack(columns, axis=-1)
    shape = (posterior.sizes["chain"], posterior.sizes["draw"], len(columns))
    coords = {"chain": posterior.chain, "draw": posterior.draw, FIGURE: np.arange(len(columns))}
    return xr.DataArray(values.reshape(shape), coords, ("chain", "draw", FIGURE), name=WHOLE)


def _density(place: Place, posterior: xr.Dataset) -> np.ndarray:
    """Return the log-likelihood of one figure, shape (draw,).

    The spread of its people is in the second dimension, the deviation of the arm in the third.
    """
    arm, draws = place.alone, posterior.sizes["chain"] * posterior.sizes["draw"]
    mass = np.ones((draws, 1))
    if arm.scales[0]:
        mass = in_a_row(posterior[mass_name(arm.name, arm.scales[0])])[:, None]
    spread, outer = _spreads(arm, posterior, mass)
    middle, apart = _expected(place, posterior)
    printed = TO_LINE[arm.quantity.support](arm.mean * mass)
    line, inner = _nodes(middle, apart, printed, _error(arm, spread, mass))
    mean = FROM_LINE[arm.quantity.support](line)
    sd = spread[..., None] * LINKS[arm.quantity.support][2](mean)
    density = _printed(arm, mean / mass[..., None], sd / mass[..., None])
    return np.asarray(special.logsumexp(density + inner + outer[..., None], axis=(1, 2)))


def _expected(place: Place, posterior: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return where an arm is expected on the line, and with which SD, shape (draw, 1) each."""
    (arms, i), name = place, place.arms.name
    group = in_a_row(posterior[name])[:, arms.group[i]]
    middle, variance = TO_LINE[arms.quantity.support](group), np.full(len(group), NARROW**2)
    for what, index in (("study", arms.study), ("method", arms.method), ("arm", None)):
        if f"{name}_{what}_spread" not in posterior:
            continue
        if index is None or (index == index[i]).sum() == 1:
            variance = variance + in_a_row(posterior[f"{name}_{what}_spread"]) ** 2
        else:
            middle = middle + np.log(in_a_row(posterior[f"{name}_{what}_ratio"])[:, index[i]])
    return middle[:, None], np.sqrt(variance)[:, None]


def _spreads(arm: Arms, posterior: xr.Dataset, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return spreads of an arm's people on the line, and their log-weights, (draw, node) each."""
    usual = np.log(in_a_row(posterior[f"{arm.name}_person_sd"]))
    apart = in_a_row(posterior[f"{arm.name}_person_sd_spread"])
    printed, error = usual, np.inf
    if arm.has_sd.size:
        printed = np.log(arm.sd / _slope(arm, mass))[:, 0]
        error = float(1 / np.sqrt(2 * (arm.n[0] - 1)))
    line, weight = _nodes(usual, apart, printed, np.full_like(usual, error))
    return np.exp(line), weight


def _slope(arm: Arms, mass: np.ndarray) -> np.ndarray:
    """Return how much the printed mean moves along the line, shape (draw, 1)."""
    return np.asarray(LINKS[arm.quantity.support][2](arm.mean * mass) / mass)


def _error(arm: Arms, spread: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Return about how well the printed mean is known on the line, shape (draw, node)."""
    error = spread / np.sqrt(arm.n) if np.isnan(arm.se[0]) else arm.se / _slope(arm, mass)
    return np.broadcast_to(error, spread.shape)


def _nodes(
    middle: np.ndarray, apart: np.ndarray, printed: np.ndarray, error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes of an integral over what is normal and was then measured with an error.

    Parameters
    ----------
    middle, apart : array (...)
        Mean and SD of the normal distribution.
    printed, error : array (...)
        What was measured, and how well, about; infinite where nothing was.

    Returns
    -------
    array (..., node)
        The nodes.
    array (..., node)
        The logs of their weights, which hold the normal density.
    """
    standard, weight = hermegauss(NODES)
    width = WIDENED / np.sqrt(apart**-2 + error**-2)
    center = (middle * apart**-2 + printed * error**-2) * (width / WIDENED) ** 2
    where = center[..., None] + width[..., None] * standard
    normal = normal_log_density(where, middle[..., None], apart[..., None])
    even = np.log(weight) + standard**2 / 2
    return where, normal + even + np.log(width)[..., None]


def _printed(arm: Arms, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return the log-density of what is printed of an arm, in the shape of mean and SD."""
    laws = printed_laws(arm, {"mean": mean[..., None], "sd": sd[..., None]})
    density = laws["mean"].logpdf(arm.mean)
    if arm.has_sd.size:
        density = density + laws["sd"].logpdf(arm.sd)
    return np.asarray(density[..., 0])


def leave_figures_out(
    model: pm.Model, compiled: Any, posterior: xr.Dataset, *, sampling: Mapping[str, int]
) -> xr.Dataset:
    """Return how well each figure is predicted by the others.

    Parameters
    ----------
    model : pm.Model
        From ``build_figures_model``.
    compiled : CompiledPyMCModel
        The same, compiled with its ``kept_variables``.
    posterior : Dataset
        Draws of it.
    sampling : mapping of str to int
        ``draws``, ``tune``, ``chains`` and ``seed`` of the fits without a figure.

    Returns
    -------
    Dataset (figure,)
        ``elpd``; ``pareto_k`` of importance sampling; whether it failed and the model was
        ``refitted``; and the ``quantity``, ``group`` and ``label`` of each figure. The attributes
        are ``good_k``, the limit of Pareto k, and ``draws``, their number.
    """
    refits = _Refits(model, compiled, posterior, sampling)
    with warnings.catch_warnings():
        # What is warned of is what is refitted.
        warnings.simplefilter("ignore", UserWarning)
        approximate = loo(refits.idata_orig, var_name=WHOLE, pointwise=True, reff=1.0)
        exact = reloo(refits, approximate, var_name=WHOLE, k_threshold=SOUND, pointwise=True)
    k, recipe = approximate.pareto_k.to_numpy(), model.recipe
    columns = {
        "elpd": exact.elpd_i.to_numpy(),
        "pareto_k": k,
        "refitted": k > SOUND,
        "quantity": [place.arms.name for place in refits.places],
        "group": [recipe.groups[place.arms.group[place.number]] for place in refits.places],
        "label": [place.alone.labels[0] for place in refits.places],
    }
    attrs = {"good_k": SOUND, "draws": int(approximate.n_samples)}
    return xr.Dataset({name: (FIGURE, column) for name, column in columns.items()}, attrs=attrs)


class _Refits(SamplingWrapper):
    """Fits of a model of figures without one of them, as ArviZ asks for them."""

    def __init__(
        self, model: pm.Model, compiled: Any, posterior: xr.Dataset, sampling: Mapping[str, int]
    ):
        likelihood = figure_log_likelihood(model.recipe, posterior).to_dataset()
        groups = {"/posterior": posterior, "/log_likelihood": likelihood}
        super().__init__(model, idata_orig=xr.DataTree.from_dict(groups))
        self.places = places_of(model.recipe)
        self._compiled, self._sampling = compiled, {**sampling_of(model), **sampling}

    def sel_observations(self, idx: int) -> tuple[Place, Place]:
        """Return a figure twice: as what the fit does without, and as what is predicted."""
        return self.places[idx], self.places[idx]

    def sample(self, modified_observed_data: Place) -> xr.DataTree:
        """Fit the model without a figure."""
        arms, number = modified_observed_data
        passed_over = np.zeros(len(arms.labels))
        passed_over[number] = 1.0
        others = self._compiled.with_data(**{f"{arms.name}_{LEFT_OUT}": passed_over})
        return nuts.sample(others, **self._sampling)

    def get_inference_data(self, fitted_model: xr.DataTree) -> xr.Dataset:
        """Return the draws of a fit."""
        return fitted_model["posterior"].to_dataset()

    def log_likelihood__i(self, excluded_obs: Place, idata__i: xr.Dataset) -> xr.DataArray:
        """Return the log-likelihood of a figure under a fit to the others."""
        return _joined([_density(excluded_obs, idata__i)], idata__i)
