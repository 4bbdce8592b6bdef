"""Compare: what differs between groups, in numbers and in one sentence."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats

from hepaflux.assess import history
from hepaflux.assess.check import finite
from hepaflux.assess.history import in_unit, number

ROPE = (0.8, 1.25)
"""Ratios that count as practically equal: the bounds of bioequivalence, symmetric on a log scale.
"""

CLEAR = 0.95
"""Probability of direction, or of practical equality, from which a sentence commits itself."""


class ComparisonError(ValueError):
    """A parameter or group that the inference data does not hold, or nothing to compare."""


class Estimate(NamedTuple):
    """Median and equal-tailed interval of a quantity."""

    median: float
    lower: float
    upper: float

    def __str__(self) -> str:
        """Return the interval in words."""
        return f"{number(self.lower)} to {number(self.upper)}"


@dataclass(frozen=True)
class Contrast:
    """How one group differs from a reference group.

    Attributes
    ----------
    parameter, unit : str
        What is compared; the unit is ``"1"`` if it has none.
    quantity : str
        What stands for a group: a population median, a group's own value, or a mean of subjects.
    group, reference : str
        The labels.
    value, reference_value : Estimate
        Of each group, in ``unit``.
    difference : Estimate
        Group minus reference, in ``unit``.
    ratio : Estimate or None
        Group over reference; None if the quantity is not positive.
    probability_of_direction : float
        Posterior probability that the difference has the sign of its median.
    rope : tuple of float or None
        Range of practical equality: of the ratio, or of the difference if there is no ratio.
    probability_in_rope : float or None
        Posterior probability of practical equality; None without a range.
    overlap : float
        Area shared by the two posterior densities, 0 to 1.
    ci_prob : float
        Probability inside each interval.
    """

    parameter: str
    unit: str
    quantity: str
    group: str
    reference: str
    value: Estimate
    reference_value: Estimate
    difference: Estimate
    ratio: Estimate | None
    probability_of_direction: float
    rope: tuple[float, float] | None
    probability_in_rope: float | None
    overlap: float
    ci_prob: float

    @property
    def contrasts(self) -> tuple["Contrast", ...]:
        """Return the contrast itself, as the only one."""
        return (self,)

    @property
    def sentence(self) -> str:
        """Return the result in one sentence that a paper can quote."""
        values = f"{number(self.value.median)} vs {number(self.reference_value.median)}"
        values = in_unit(values, self.unit)
        return (
            f"{self.parameter} {self._finding} ({self.quantity} {values}; {self._effect}; "
            f"probability of direction {probability(self.probability_of_direction)})."
        )

    @property
    def _finding(self) -> str:
        """Return what was found, no stronger than the posterior allows."""
        if self.probability_in_rope is not None and self.probability_in_rope >= CLEAR:
            return f"was practically equal in {self.group} and {self.reference}"
        if self.probability_of_direction < CLEAR:
            return f"did not clearly differ between {self.group} and {self.reference}"
        if self.ratio is None:
            size = in_unit(number(abs(self.difference.median)), self.unit)
        elif self.ratio.median >= 2:
            times = number(self.ratio.median)
            return f"was {times} times as high in {self.group} as in {self.reference}"
        else:
            size = f"{abs(self.ratio.median - 1):.0%}".replace("%", " %")
        side = "lower" if self.difference.median < 0 else "higher"
        return f"was {size} {side} in {self.group} than in {self.reference}"

    @property
    def _effect(self) -> str:
        """Return ratio or difference with its interval."""
        interval = f"{self.ci_prob * 100:.3g} % CI"
        if self.ratio is not None:
            return f"ratio {number(self.ratio.median)}, {interval} {self.ratio}"
        difference = f"{number(self.difference.median)}, {interval} {self.difference}"
        return in_unit(f"difference {difference}", self.unit)

    @property
    def _range(self) -> str:
        """Return what counts as equal, in words; empty if nothing does."""
        if self.rope is None:
            return ""
        what = "difference" if self.ratio is None else "ratio"
        return f" ({what} {number(self.rope[0])} to {number(self.rope[1])})"

    def table(self) -> pd.DataFrame:
        """Return one row per number, with interval and unit."""
        none = (np.nan, np.nan)
        probabilities = (
            ("probability of direction", self.probability_of_direction),
            (f"probability of practical equality{self._range}", self.probability_in_rope),
            ("overlap of posteriors", self.overlap),
        )
        rows: list[tuple[Any, ...]] = [
            (f"{self.quantity}, {self.group}", *self.value, self.unit),
            (f"{self.quantity}, {self.reference}", *self.reference_value, self.unit),
            ("difference", *self.difference, self.unit),
            *([("ratio", *self.ratio, "1")] if self.ratio else []),
            *((name, value, *none, "1") for name, value in probabilities if value is not None),
        ]
        table = pd.DataFrame(rows, columns=["quantity", "median", "lower", "upper", "unit"])
        labels = {"parameter": self.parameter, "group": self.group, "reference": self.reference}
        return table.assign(**labels)[[*labels, *table.columns]]

    def to_dict(self) -> dict[str, Any]:
        """Return the contrast as plain values that JSON can hold; what is not finite is None."""
        plain = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}
        return {**plain, "sentence": self.sentence}


@dataclass(frozen=True)
class Comparison:
    """All pairs among more than two groups.

    Attributes
    ----------
    contrasts : tuple of Contrast
        In the order of the groups; the earlier group is the reference.
    """

    contrasts: tuple[Contrast, ...]

    @property
    def sentence(self) -> str:
        """Return the sentences of all pairs."""
        return " ".join(contrast.sentence for contrast in self.contrasts)

    def table(self) -> pd.DataFrame:
        """Return the tables of all pairs in one."""
        return pd.concat([contrast.table() for contrast in self.contrasts], ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Return all pairs as plain values that JSON can hold."""
        return {"contrasts": [contrast.to_dict() for contrast in self.contrasts]}


def compare_groups(
    posterior: xr.DataTree,
    parameter: str,
    *,
    by: str = "group",
    groups: Sequence[str] | None = None,
    rope: tuple[float, float] | None = None,
    ci_prob: float = 0.9,
) -> Contrast | Comparison:
    """Compare a parameter or derived quantity between groups.

    A group is represented by its population median if the fit is hierarchical, by its own value
    if the parameter was fitted by group, else by the mean of its subjects: geometric if all draws
    are positive, arithmetic otherwise. A mean of subjects speaks of the subjects studied; only a
    population median speaks of others like them.

    Parameters
    ----------
    posterior : DataTree
        Inference data.
    parameter : str
        A variable of the posterior.
    by : str
        Which label of the subjects makes the groups.
    groups : sequence of str, optional
        The labels to compare, reference first; all, in the order of the study, by default.
    rope : pair of float, optional
        Range of practical equality. For positive quantities it is a range of the ratio, 0.8 to
        1.25 by default; for others a range of the difference, and none by default.
    ci_prob : float
        Probability inside the equal-tailed intervals.

    Returns
    -------
    Contrast or Comparison
        One contrast of two groups, or the comparison of all pairs of more. Both have
        ``sentence``, ``table()``, ``to_dict()`` and ``contrasts``.

    Raises
    ------
    ComparisonError
        If the parameter or a group is not known, or there are fewer than two groups.
    """
    by_label, quantity = representatives(posterior, parameter, by=by)
    chosen = _chosen(by_label, groups, by)
    contrasts = tuple(
        _contrast(
            (parameter, history.unit(posterior, parameter), quantity),
            {label: by_label[label] for label in (reference, group)},
            rope=rope,
            ci_prob=ci_prob,
        )
        for reference, group in itertools.combinations(chosen, 2)
    )
    return contrasts[0] if len(contrasts) == 1 else Comparison(contrasts)


def representatives(
    posterior: xr.DataTree, parameter: str, *, by: str = "group"
) -> tuple[dict[str, np.ndarray], str]:
    """Return the draws that stand for each group, and what they are in words.

    Raises
    ------
    ComparisonError
        If the parameter is not known, is a vector, or carries no groups.
    """
    draws = history.draws(posterior)
    if parameter not in draws:
        raise ComparisonError(
            f"{parameter!r} is not in the posterior; there are {', '.join(map(str, draws))}"
        )
    known = history.labels(posterior, by)
    if not known:
        raise ComparisonError(
            f"subjects carry no label {by!r}, so there is nothing to compare; give a column {by!r} "
            "in subjects.csv"
        )
    values, quantity = draws[parameter], f"{by} value"
    population = f"{parameter}_population"
    if population in draws and by in draws[population].dims:
        values, quantity = draws[population], "population median"
    if by in values.dims:
        return {label: _flat(values.sel({by: label}), parameter) for label in known}, quantity
    return _means(posterior, values, by)


def _means(
    posterior: xr.DataTree, values: xr.DataArray, by: str
) -> tuple[dict[str, np.ndarray], str]:
    """Return the mean over the subjects of each group, draw by draw."""
    if "subject" not in values.dims:
        raise ComparisonError(
            f"{values.name} is shared by all subjects, so it has no difference between groups; "
            f"fit it by {by} or by subject"
        )
    values = known_subjects(values)
    positive = bool((values > 0).all())
    member = history.subject_labels(posterior, by)
    studied = [str(name) for name in values["subject"].values]
    means = {}
    for label in history.labels(posterior, by):
        who = [name for name in studied if member[name] == label]
        if not who:
            raise ComparisonError(f"nobody of {label} has {values.name}: none took that test")
        own = values.sel(subject=who)
        mean = np.exp(np.log(own).mean("subject")) if positive else own.mean("subject")
        means[label] = _flat(mean, str(values.name))
    kind = "geometric mean" if positive else "mean"
    return means, f"{kind} of the subjects studied"


def known_subjects(values: xr.DataArray) -> xr.DataArray:
    """Return the draws of those who took the test; those of others are not numbers."""
    return values.dropna("subject", how="all")


def _flat(values: xr.DataArray, parameter: str) -> np.ndarray:
    """Return the draws of a scalar as one array."""
    axes = set(values.dims) - set(history.SAMPLE_DIMS)
    if axes:
        raise ComparisonError(
            f"{parameter} is a vector over {', '.join(map(str, axes))}; compare a scalar"
        )
    flat: np.ndarray = values.transpose(*history.SAMPLE_DIMS).values.ravel()
    return flat


def _chosen(
    by_label: Mapping[str, np.ndarray], groups: Sequence[str] | None, by: str
) -> tuple[str, ...]:
    """Return the labels to compare, reference first."""
    chosen = tuple(by_label) if groups is None else tuple(groups)
    unknown = [label for label in chosen if label not in by_label]
    if unknown:
        raise ComparisonError(f"no {by} {unknown[0]!r}; there are {', '.join(by_label)}")
    if len(set(chosen)) < 2:
        raise ComparisonError(f"a comparison needs two groups, but there is {', '.join(chosen)}")
    return chosen


def _contrast(
    subject: tuple[str, str, str],
    pair: Mapping[str, np.ndarray],
    *,
    rope: tuple[float, float] | None,
    ci_prob: float,
) -> Contrast:
    """Return the contrast of a pair of draws, the reference being first."""
    (reference, base), (group, draws) = pair.items()
    difference = draws - base
    positive = bool((draws > 0).all() and (base > 0).all())
    rope = ROPE if positive and rope is None else rope
    effect = draws / base if positive else difference
    inside = None if rope is None else float(np.mean((effect >= rope[0]) & (effect <= rope[1])))
    up, down = float(np.mean(difference > 0)), float(np.mean(difference < 0))
    scale = np.log if positive else np.asarray
    return Contrast(
        *subject,
        group=group,
        reference=reference,
        value=estimate(draws, ci_prob),
        reference_value=estimate(base, ci_prob),
        difference=estimate(difference, ci_prob),
        ratio=estimate(draws / base, ci_prob) if positive else None,
        probability_of_direction=max(up, down),
        rope=rope,
        probability_in_rope=inside,
        overlap=overlap(scale(draws), scale(base)),
        ci_prob=ci_prob,
    )


def estimate(draws: np.ndarray, ci_prob: float) -> Estimate:
    """Return median and equal-tailed interval."""
    lower, upper = array_stats.eti(draws, prob=ci_prob)
    return Estimate(float(np.median(draws)), float(lower), float(upper))


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Return the area that the densities of two sets of draws share, between 0 and 1.

    Parameters
    ----------
    first, second : array (draw,)
        On the same scale.
    """
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float(np.array_equal(np.unique(first), np.unique(second)))
    lower = min(first.min(), second.min())
    upper = max(first.max(), second.max())
    limits = (float(lower), float(upper))
    grid, one, _ = array_stats.kde(first, custom_lims=limits)
    _, other, _ = array_stats.kde(second, custom_lims=limits)
    return float(np.clip(np.trapezoid(np.minimum(one, other), grid), 0.0, 1.0))


def probability(value: float) -> str:
    """Return a probability in words; draws cannot tell it from one beyond three digits.

    Parameters
    ----------
    value : float
        Between 0 and 1.
    """
    return "> 0.999" if value > 0.999 else f"{value:.3f}"


def _plain(value: Any) -> Any:
    """Return estimates and numbers as JSON can hold them."""
    if isinstance(value, Estimate):
        return {name: finite(number) for name, number in value._asdict().items()}
    if isinstance(value, tuple):
        return [finite(number) for number in value]
    return finite(value) if isinstance(value, float) else value
