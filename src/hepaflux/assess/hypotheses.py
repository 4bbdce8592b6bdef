"""Hypotheses: which of several explanations of the same people predicts a person left out best.

The yardstick is the expected log predictive density of a person of whom nothing was measured (elpd,
by Pareto-smoothed leave-one-out, Vehtari et al. 2017, Stat Comput 27:1413), and the weights are
those of stacking (Yao et al. 2018, Bayesian Anal 13:917). Beside it stands the posterior of the
selectivity where no hypothesis fixes it. With few people both are noisy, and the sentence says so.
"""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats import compare, loo

from hepaflux.assess import history
from hepaflux.assess.compare import ComparisonError, Estimate, estimate
from hepaflux.assess.history import number

SELECTIVITY = "lambda_L"
"""The parameter that the hypotheses are about, where it is unknown."""

CLEAR_ERRORS = 2.0
"""Standard errors by which the best must lead, for a sentence to commit itself."""

CLEAR_LEAD = 4.0
"""Least lead in elpd for the same: below it, the standard error cannot be trusted (Sivula et al.
2020, arXiv:2008.10296)."""

MANY = 100
"""People from which on standard errors of differences are trusted (the same)."""

EVIDENCE = "person_log_likelihood"
"""Group of the log-likelihoods that are left out one by one."""

PERSON, EFFECTIVE = "person", "effective_points"
"""Its variables: the log-likelihood, and how many points it rests on."""

LEAST_POINTS = 25
"""Effective points from which on a person's log-likelihood is known to a fifth, draw by draw."""


class Standing(NamedTuple):
    """How well one hypothesis predicts.

    Attributes
    ----------
    name, says : str
        The hypothesis.
    elpd, lead, lead_se : float
        Expected log predictive density of all people; its lead over the best (0 or below), with the
        standard error of that.
    weight : float
        By stacking, 0 to 1.
    unreliable : int
        People whose leaving-out was estimated badly: by too few draws (Pareto k above its limit),
        or in half of the draws by too few points (below ``LEAST_POINTS``).
    """

    name: str
    says: str
    elpd: float
    lead: float
    lead_se: float
    weight: float
    unreliable: int


@dataclass(frozen=True)
class Ranking:
    """Hypotheses in the order of how well they predict.

    Attributes
    ----------
    standings : tuple of Standing
        The best first.
    left_out : int
        How many people were left out one by one.
    selectivity : Estimate or None
        Posterior of lambda_L where it is free; None if no such fit was given.
    below_half : float or None
        Posterior probability that it is below one half.
    narrowed : float or None
        One minus the ratio of its posterior to its prior variance: 0 if the data are silent.
    ci_prob : float
        Probability inside the interval.
    """

    standings: tuple[Standing, ...]
    left_out: int
    selectivity: Estimate | None
    below_half: float | None
    narrowed: float | None
    ci_prob: float

    @property
    def best(self) -> str:
        """Return the hypothesis that predicts best, clearly or not."""
        return self.standings[0].name

    @property
    def is_clear(self) -> bool:
        """Return whether the best leads all others by more than chance explains."""
        return all(
            -other.lead > max(CLEAR_ERRORS * other.lead_se, CLEAR_LEAD)
            for other in self.standings[1:]
        )

    @property
    def sentence(self) -> str:
        """Return the result in words that a paper can quote, no stronger than it is."""
        return " ".join(part for part in (self._finding, self._selectivity, self._caution) if part)

    @property
    def _finding(self) -> str:
        best, *others = self.standings
        compared = "; ".join(
            f"{o.name} {number(o.lead)} (SE {number(o.lead_se)}, weight {o.weight:.2f})"
            for o in others
        )
        numbers = f"elpd of {best.name} {number(best.elpd)} (weight {best.weight:.2f}), {compared}"
        if self.is_clear:
            verdict = f"The hypothesis that {best.says} predicted people left out best"
        else:
            unsettled = [best.name] + [
                o.name for o in others if -o.lead <= max(CLEAR_ERRORS * o.lead_se, CLEAR_LEAD)
            ]
            verdict = f"These data cannot decide between {' and '.join(unsettled)}"
        return f"{verdict} ({numbers})."

    @property
    def _selectivity(self) -> str:
        if self.selectivity is None or self.narrowed is None or self.below_half is None:
            return ""
        interval = f"{self.ci_prob * 100:.3g} % CI {self.selectivity}"
        silent = "; the data hardly narrowed it" if self.narrowed < 0.5 else ""
        return (
            f"Left free, lambda_L was {number(self.selectivity.median)} ({interval}; probability"
            f" below one half {self.below_half:.3f}{silent})."
        )

    @property
    def _caution(self) -> str:
        parts = []
        if self.left_out < MANY:
            parts.append(
                f"With {self.left_out} people the standard errors are themselves uncertain."
            )
        bad = sum(one.unreliable for one in self.standings)
        if bad:
            parts.append(f"{bad} of the estimates rest on few draws or points (Pareto k, weights).")
        return " ".join(parts)

    def table(self) -> pd.DataFrame:
        """Return one row per hypothesis, the best first."""
        return pd.DataFrame(self.standings)

    def to_dict(self) -> dict[str, Any]:
        """Return the ranking as plain values that JSON can hold."""
        plain = {n: getattr(self, n) for n in ("left_out", "below_half", "narrowed")}
        return {
            "standings": [one._asdict() for one in self.standings],
            **plain,
            "selectivity": None if self.selectivity is None else self.selectivity._asdict(),
            "ci_prob": self.ci_prob,
            "is_clear": self.is_clear,
            "sentence": self.sentence,
        }


def compare_hypotheses(fits: Mapping[str, xr.DataTree], *, ci_prob: float = 0.9) -> Ranking:
    """Rank hypotheses by how well each predicts people of whom nothing was measured.

    Parameters
    ----------
    fits : mapping of str to DataTree
        From ``fit_hypotheses``. One in which lambda_L is unknown gives its posterior and is not
        ranked, for it contains others.
    ci_prob : float
        Probability inside the interval of lambda_L.

    Raises
    ------
    ComparisonError
        If fewer than two can be ranked, or they were not fitted to the same people.
    """
    free = [name for name, tree in fits.items() if SELECTIVITY in tree["posterior"]]
    ranked = {name: tree for name, tree in fits.items() if name not in free}
    if len(ranked) < 2:
        raise ComparisonError(f"two hypotheses are needed, but there is {', '.join(ranked)}")
    evidence = {name: _evidence(name, tree) for name, tree in ranked.items()}
    first = next(iter(evidence.values()))
    people, checksum = first["subject"], _checksum(next(iter(ranked.values())))
    for name, tree in fits.items():
        others = evidence.get(name, first)["subject"]
        if _checksum(tree) != checksum or not others.equals(people):
            raise ComparisonError(f"{name} was fitted to other data than {next(iter(ranked))}")
    selectivity, below_half, narrowed = (
        _selectivity(fits[free[0]], ci_prob) if free else (None, None, None)
    )
    standings = _standings(ranked, evidence)
    return Ranking(standings, people.size, selectivity, below_half, narrowed, ci_prob=ci_prob)


def with_ranking(posterior: xr.DataTree, ranking: Ranking) -> xr.DataTree:
    """Return inference data that carries a ranking, so that its report shows it.

    Parameters
    ----------
    posterior : DataTree
        Usually of the fit in which lambda_L is free.
    ranking : Ranking
        From ``compare_hypotheses``.
    """
    carrier = posterior.copy()
    carrier.attrs["ranking"] = json.dumps(ranking.to_dict())
    return carrier


def _checksum(tree: xr.DataTree) -> str:
    """Return what tells the data of a fit apart."""
    return str(tree.attrs.get("study_checksum", ""))


def _evidence(name: str, tree: xr.DataTree) -> xr.Dataset:
    """Return the log-likelihoods that are left out one by one, people last."""
    if EVIDENCE not in tree.children:
        raise ComparisonError(f"{name} has no likelihood of people; fit it by fit_hypotheses")
    return tree[EVIDENCE].to_dataset().transpose(*history.SAMPLE_DIMS, "subject")


def _standings(
    fits: Mapping[str, xr.DataTree], evidence: Mapping[str, xr.Dataset]
) -> tuple[Standing, ...]:
    """Return the hypotheses, the best first."""
    found = {name: _left_out(one[PERSON]) for name, one in evidence.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        table = compare(found, method="stacking", round_to="none")
    return tuple(
        Standing(
            str(name),
            str(fits[name].attrs.get("hypothesis_says", name)),
            elpd=float(row["elpd"]),
            lead=float(row["elpd_diff"]),
            lead_se=float(row["dse"]),
            weight=float(row["weight"]),
            unreliable=_unreliable(found[str(name)], evidence[str(name)]),
        )
        for name, row in table.iterrows()
    )


def _unreliable(record: Any, evidence: xr.Dataset) -> int:
    """Return how many people's leaving-out rests on too few draws or points."""
    points = evidence[EFFECTIVE].median(history.SAMPLE_DIMS).to_numpy()
    few = record.pareto_k.to_numpy() > record.good_k
    return int((few | (points < LEAST_POINTS)).sum())


def _left_out(values: xr.DataArray) -> Any:
    """Return ArviZ's record of leaving out; what it warns of is counted instead."""
    likelihood = values.to_dataset(name="left_out")
    tree = xr.DataTree.from_dict({"/log_likelihood": likelihood, "/posterior": likelihood})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return loo(tree, var_name="left_out", pointwise=True, reff=1.0)


def _selectivity(
    tree: xr.DataTree, ci_prob: float
) -> tuple[Estimate | None, float | None, float | None]:
    """Return the posterior of the selectivity, its mass below one half, and what data added."""
    draws = history.draws(tree)[SELECTIVITY].to_numpy().ravel()
    prior = tree["prior"][SELECTIVITY].to_numpy()
    narrowed = 1 - draws.var() / prior.var()
    return estimate(draws, ci_prob), float(np.mean(draws < 0.5)), float(narrowed)
