"""Differences: whether two quantities change alike from one group to another.

A liver that lets insulin neither stop glucose production nor drive lipogenesis is resistant as a
whole; one that fails in the first alone is resistant selectively. That is a question about a
difference of differences, and about how probable it is that one quantity changes and the other does
not; neither follows from two contrasts that are read one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from hepaflux.assess import history
from hepaflux.assess.check import finite
from hepaflux.assess.compare import (
    CLEAR,
    ComparisonError,
    Estimate,
    estimate,
    known_subjects,
    probability,
    representatives,
)
from hepaflux.assess.history import number

PERSON_SDS = ("_person_sd", "_spread")
"""Endings of the variables that hold the standard deviation between people, on the log or log-odds
scale: of published figures, and of a population."""


DIFFERENCE = "difference"
"""Kind of the change of what can be zero or negative, which has no ratio."""


class Change(NamedTuple):
    """How one quantity changes from the reference group to the other.

    Attributes
    ----------
    parameter, kind : str
        What changes; its ratio, its odds ratio, or its change in SDs between people.
    value : Estimate
        The change, as ``kind`` says.
    probability_of_direction : float
        Posterior probability that it has the direction of its median.
    is_lower : bool
        The direction of the median.
    """

    parameter: str
    kind: str
    value: Estimate
    probability_of_direction: float
    is_lower: bool

    @property
    def side(self) -> str:
        """Return the direction of the change, no stronger than the posterior allows."""
        side = "lower" if self.is_lower else "higher"
        return side if self.probability_of_direction >= CLEAR else f"not clearly {side}"

    def __str__(self) -> str:
        """Return the change in words."""
        return f"{self.kind} {number(self.value.median)}"


@dataclass(frozen=True)
class Differences:
    """How the changes of two quantities between two groups compare.

    Attributes
    ----------
    first, second : Change
        The two changes.
    group, reference : str
        The groups.
    difference : Estimate
        The second change against the first: the ratio of (odds) ratios, or the difference in SDs.
    probability_of_direction : float
        Posterior probability that the changes differ in the direction of their median difference.
    probability_first_alone : float
        Posterior probability that the first quantity changes in the direction of its median while
        the second does not change in that direction.
    standardized : bool
        Whether changes are in standard deviations between people.
    ci_prob : float
        Probability inside each interval.
    """

    first: Change
    second: Change
    group: str
    reference: str
    difference: Estimate
    probability_of_direction: float
    probability_first_alone: float
    standardized: bool
    ci_prob: float

    @property
    def parameter(self) -> str:
        """Return both quantities in words."""
        return f"{self.first.parameter} and {self.second.parameter}"

    @property
    def contrasts(self) -> tuple["Differences", ...]:
        """Return the comparison itself, as the only one."""
        return (self,)

    @property
    def compared_by(self) -> str:
        """Return what the difference is, in words."""
        kinds = {"ratio": "ratio of ratios", "odds ratio": "ratio of odds ratios"}
        return kinds.get(self.first.kind, "difference in SDs between people")

    @property
    def sentence(self) -> str:
        """Return the result in one sentence that a paper can quote."""
        interval = f"{self.ci_prob * 100:.3g} % CI"
        parts = [
            f"{c.parameter} was {c.side} ({c}, {interval} {c.value})"
            for c in (self.first, self.second)
        ]
        verb = "differed" if self.probability_of_direction >= CLEAR else "did not clearly differ"
        side = "lower" if self.first.is_lower else "higher"
        return (
            f"In {self.group} against {self.reference}, {parts[0]} and {parts[1]}; the two changes"
            f" {verb} ({self.compared_by} {number(self.difference.median)}, {interval}"
            f" {self.difference}; probability of direction"
            f" {probability(self.probability_of_direction)}), and the probability that"
            f" {self.first.parameter} is {side} while {self.second.parameter} is not is"
            f" {probability(self.probability_first_alone)}."
        )

    def table(self) -> pd.DataFrame:
        """Return one row per number, with interval and unit."""
        none = (np.nan, np.nan)
        side = "lower" if self.first.is_lower else "higher"
        alone = f"probability that {self.first.parameter} is {side}, {self.second.parameter} not"
        rows: list[tuple[Any, ...]] = [
            *((f"{c.kind}, {c.parameter}", *c.value, "1") for c in (self.first, self.second)),
            (self.compared_by, *self.difference, "1"),
            ("probability of direction", self.probability_of_direction, *none, "1"),
            (alone, self.probability_first_alone, *none, "1"),
        ]
        table = pd.DataFrame(rows, columns=["quantity", "median", "lower", "upper", "unit"])
        labels = {"parameter": self.parameter, "group": self.group, "reference": self.reference}
        return table.assign(**labels)[[*labels, *table.columns]]

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values that JSON can hold."""
        changes = {
            name: {**c._asdict(), "value": _plain(c.value)}
            for name, c in (("first", self.first), ("second", self.second))
        }
        names = ("group", "reference", "standardized", "ci_prob", "probability_of_direction")
        plain = {name: getattr(self, name) for name in (*names, "probability_first_alone")}
        whole = {"difference": _plain(self.difference), "sentence": self.sentence}
        return {**changes, **plain, **whole}


def compare_differences(
    posterior: xr.DataTree,
    first: str,
    second: str,
    *,
    groups: Sequence[str] | None = None,
    standardized: bool | None = None,
    ci_prob: float = 0.9,
) -> Differences:
    """Compare how two parameters change from one group to another.

    Changes are log ratios, log odds ratios of fractions, or differences of what can be zero or
    negative. Ratios can be compared with ratios and odds ratios with odds ratios; else, or if asked
    for, changes are divided by the standard deviation between people on the same scale: that of the
    population, or among the subjects studied, within groups, for what no population was fitted to.

    Parameters
    ----------
    posterior : DataTree
        Inference data that holds both parameters by group.
    first, second : str
        For example ``"egp_suppression"`` and ``"dnl_fraction"``.
    groups : pair of str, optional
        The reference and the other group; needed if there are more than two.
    standardized : bool, optional
        Whether changes are in standard deviations between people; by default only if the two are
        not of one kind.
    ci_prob : float
        Probability inside the equal-tailed intervals.

    Raises
    ------
    ComparisonError
        If a parameter or group is not known, or a parameter is compared with itself, or if changes
        have to be standardized and no standard deviation between people is known.
    """
    if first == second:
        raise ComparisonError(f"{first} is compared with itself; name two parameters")
    reference, group = _pair(posterior, groups)
    kinds = [_kind(posterior, name) for name in (first, second)]
    alike = kinds[0] == kinds[1] != DIFFERENCE
    in_sds = not alike if standardized is None else standardized
    if not in_sds and not alike:
        raise ComparisonError(f"a {kinds[0]} and a {kinds[1]} compare only if standardized")
    named = list(zip((first, second), kinds, strict=True))
    moves = [_move(posterior, name, kind, (reference, group)) for name, kind in named]
    if in_sds:
        sds = [_person_sd(posterior, name, kind) for name, kind in named]
        moves = [move / sd for move, sd in zip(moves, sds, strict=True)]
        kinds = ["change in SDs", "change in SDs"]
    shown = np.asarray if in_sds else np.exp
    changes = [
        Change(name, kind, estimate(shown(m), ci_prob), _direction(m), bool(np.median(m) < 0))
        for name, kind, m in zip((first, second), kinds, moves, strict=True)
    ]
    sign = -1 if changes[0].is_lower else 1
    alone = (sign * moves[0] > 0) & (sign * moves[1] <= 0)
    return Differences(
        changes[0],
        changes[1],
        group=group,
        reference=reference,
        difference=estimate(shown(moves[1] - moves[0]), ci_prob),
        probability_of_direction=_direction(moves[1] - moves[0]),
        probability_first_alone=float(np.mean(alone)),
        standardized=in_sds,
        ci_prob=ci_prob,
    )


def _pair(posterior: xr.DataTree, groups: Sequence[str] | None) -> tuple[str, str]:
    """Return the reference and the other group."""
    known = history.labels(posterior)
    chosen = known if groups is None else tuple(groups)
    unknown = [label for label in chosen if label not in known]
    if unknown:
        raise ComparisonError(f"no group {unknown[0]!r}; there are {', '.join(known)}")
    if len(set(chosen)) != 2:
        there = ", ".join(chosen) or "none"
        raise ComparisonError(f"two groups are needed, the reference first, but there is {there}")
    return chosen[0], chosen[1]


def _kind(posterior: xr.DataTree, parameter: str) -> str:
    """Return what tells how a parameter changes: an odds ratio, a ratio, or a difference."""
    if history.words(posterior, "supports", parameter) == "unit":
        return "odds ratio"
    by_label, _ = representatives(posterior, parameter)
    return "ratio" if all((draws > 0).all() for draws in by_label.values()) else DIFFERENCE


def _on_line(values: Any, kind: str) -> Any:
    """Return values on the scale on which a change of a kind is a difference."""
    if kind == DIFFERENCE:
        return values
    return np.log(values) - (np.log1p(-values) if kind == "odds ratio" else 0.0)


def _move(posterior: xr.DataTree, parameter: str, kind: str, pair: tuple[str, str]) -> np.ndarray:
    """Return the draws of the change of a parameter between two groups, on the line of its kind."""
    by_label, _ = representatives(posterior, parameter)
    base, draws = (_on_line(by_label[label], kind) for label in pair)
    move: np.ndarray = draws - base
    return move


def _person_sd(posterior: xr.DataTree, parameter: str, kind: str) -> np.ndarray:
    """Return the draws of the standard deviation between people on the scale of the changes."""
    draws = history.draws(posterior)
    for ending in PERSON_SDS:
        if f"{parameter}{ending}" in draws:
            values = draws[f"{parameter}{ending}"].transpose(*history.SAMPLE_DIMS)
            flat: np.ndarray = values.values.ravel()
            return flat
    if "subject" in draws[parameter].dims:
        return _sd_of_studied(posterior, known_subjects(draws[parameter]), kind)
    without_ratio = ", which can be zero or negative and has no ratio" if kind == DIFFERENCE else ""
    raise ComparisonError(
        f"{parameter}{without_ratio}: no standard deviation between people was fitted, so its"
        " change cannot be standardized; compare parameters that are both fractions or both not, or"
        " fit a population"
    )


def _sd_of_studied(posterior: xr.DataTree, values: xr.DataArray, kind: str) -> np.ndarray:
    """Return the draws of the standard deviation among the subjects studied, within groups."""
    if kind != DIFFERENCE and not bool((values > 0).all()):
        raise ComparisonError(
            f"{values.name} is zero or negative in single people, so it has no ratio between them"
        )
    line = _on_line(values.transpose(*history.SAMPLE_DIMS, "subject"), kind)
    member = history.subject_labels(posterior)
    labels = np.array([member[str(name)] for name in line["subject"].values])
    squares, free = 0.0, 0
    for label in dict.fromkeys(labels):
        own = line.values[..., labels == label]
        squares = squares + ((own - own.mean(-1, keepdims=True)) ** 2).sum(-1)
        free += own.shape[-1] - 1
    if not free:
        raise ComparisonError(f"{values.name}: no group has two people, so they have no spread")
    sd: np.ndarray = np.sqrt(squares / free).ravel()
    return sd


def _direction(values: np.ndarray) -> float:
    return float(max(np.mean(values > 0), np.mean(values < 0)))


def _plain(value: Estimate) -> dict[str, float | None]:
    return {name: finite(number) for name, number in value._asdict().items()}
