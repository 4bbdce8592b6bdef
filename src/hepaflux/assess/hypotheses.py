"""Hypotheses: which of several explanations of the same data predicts what is left out best.

What is left out is a person of a study, or one of several published figures. The yardstick is the
expected log predictive density of a person of whom nothing was measured, or of a figure that was
not shown (elpd, by Pareto-smoothed leave-one-out, Vehtari et al. 2017, Stat Comput 27:1413), and
the weights are those of stacking (Yao et al. 2018, Bayesian Anal 13:917). Beside it stands the
posterior of the selectivity where no hypothesis fixes it. With few people both are noisy, and the
sentence says so.
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
from arviz_stats.utils import ELPDDataLOO

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
"""People or figures from which on standard errors of differences are trusted (the same)."""

EVIDENCE = "person_log_likelihood"
"""Group of the log-likelihoods of people that are left out one by one."""

FIGURES = "figures_left_out"
"""Group that says how well figures are predicted that were left out one by one."""

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
        People or figures whose leaving-out was estimated badly: by too few draws (Pareto k above
        its limit), or in half of the draws by too few points (below ``LEAST_POINTS``).
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
        How many people or figures were left out one by one.
    kind : str
        Which of both, "people" or "figures".
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
    kind: str
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
            verdict = f"The hypothesis that {best.says} predicted {self.kind} left out best"
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
                f"With {self.left_out} {self.kind} the standard errors are themselves uncertain."
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
        plain = {n: getattr(self, n) for n in ("left_out", "kind", "below_half", "narrowed")}
        return {
            "standings": [one._asdict() for one in self.standings],
            **plain,
            "selectivity": None if self.selectivity is None else self.selectivity._asdict(),
            "ci_prob": self.ci_prob,
            "is_clear": self.is_clear,
            "sentence": self.sentence,
        }


def compare_hypotheses(fits: Mapping[str, xr.DataTree], *, ci_prob: float = 0.9) -> Ranking:
    """Rank hypotheses by how well each predicts people, or published figures, left out.

    Parameters
    ----------
    fits : mapping of str to DataTree
        From ``fit_hypotheses`` or ``fit_figures_hypotheses``. One in which lambda_L is unknown
        gives its posterior and is not ranked, for it contains others.
    ci_prob : float
        Probability inside the interval of lambda_L.

    Raises
    ------
    ComparisonError
        If fewer than two can be ranked, or they were not fitted to the same data.
    """
    free = [name for name, tree in fits.items() if SELECTIVITY in tree["posterior"]]
    ranked = {name: tree for name, tree in fits.items() if name not in free}
    if len(ranked) < 2:
        raise ComparisonError(f"two hypotheses are needed, but there is {', '.join(ranked)}")
    parts = {name: _parts(name, tree) for name, tree in ranked.items()}
    first, (kind, left_out) = next(iter(parts.items()))
    for name, tree in fits.items():
        others = parts.get(name, parts[first])
        if _checksum(tree) != _checksum(ranked[first]) or others != parts[first]:
            raise ComparisonError(f"{name} was fitted to other data than {first}")
    selectivity, below_half, narrowed = (
        _selectivity(fits[free[0]], ci_prob) if free else (None, None, None)
    )
    standings, size = _standings(ranked, kind), len(left_out)
    return Ranking(standings, size, kind, selectivity, below_half, narrowed, ci_prob=ci_prob)


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


def _parts(name: str, tree: xr.DataTree) -> tuple[str, tuple[str, ...]]:
    """Return of what kind the parts are that are left out of a fit, and their names."""
    if EVIDENCE in tree.children:
        return "people", tuple(tree[EVIDENCE].to_dataset()["subject"].to_numpy())
    if FIGURES in tree.children:
        columns = (tree[FIGURES][column].to_numpy() for column in ("quantity", "label"))
        return "figures", tuple(map(": ".join, zip(*columns, strict=True)))
    raise ComparisonError(
        f"{name} has no likelihood of people or figures; fit it by fit_hypotheses"
    )


def _of_people(tree: xr.DataTree) -> tuple[ELPDDataLOO, int]:
    """Return ArviZ's record of leaving people out, and for how many that was done badly."""
    likelihood = tree[EVIDENCE].to_dataset().transpose(*history.SAMPLE_DIMS, "subject")
    record = _left_out(likelihood[PERSON])
    points = likelihood[EFFECTIVE].median(history.SAMPLE_DIMS).to_numpy()
    few = record.pareto_k.to_numpy() > record.good_k
    return record, int((few | (points < LEAST_POINTS)).sum())


def _left_out(values: xr.DataArray) -> Any:
    """Return ArviZ's record of leaving out; what it warns of is counted instead."""
    likelihood = values.to_dataset(name="left_out")
    tree = xr.DataTree.from_dict({"/log_likelihood": likelihood, "/posterior": likelihood})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return loo(tree, var_name="left_out", pointwise=True, reff=1.0)


def _of_figures(tree: xr.DataTree) -> tuple[ELPDDataLOO, int]:
    """Return such a record of figures, of what was found when each was left out."""
    found = tree[FIGURES].to_dataset()
    elpd, k = found["elpd"], xr.where(found["refitted"], 0.0, found["pareto_k"])
    bad = int((k > found.attrs["good_k"]).sum())
    record = ELPDDataLOO(
        elpd=float(elpd.sum()),
        se=float(np.sqrt(elpd.size) * elpd.std()),
        p=np.nan,
        n_samples=int(found.attrs["draws"]),
        n_data_points=elpd.size,
        scale="log",
        warning=bad > 0,
        good_k=float(found.attrs["good_k"]),
        elpd_i=elpd,
        pareto_k=k,
    )
    return record, bad


def _standings(fits: Mapping[str, xr.DataTree], kind: str) -> tuple[Standing, ...]:
    """Return the hypotheses, the best first."""
    judge = _of_people if kind == "people" else _of_figures
    records, bad = {}, {}
    for name, tree in fits.items():
        records[name], bad[name] = judge(tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        table = compare(records, method="stacking", round_to="none")
    return tuple(
        Standing(
            str(name),
            str(fits[name].attrs.get("hypothesis_says", name)),
            elpd=float(row["elpd"]),
            lead=float(row["elpd_diff"]),
            lead_se=float(row["dse"]),
            weight=float(row["weight"]),
            unreliable=bad[str(name)],
        )
        for name, row in table.iterrows()
    )


def _selectivity(
    tree: xr.DataTree, ci_prob: float
) -> tuple[Estimate | None, float | None, float | None]:
    """Return the posterior of the selectivity, its mass below one half, and what data added."""
    draws = history.draws(tree)[SELECTIVITY].to_numpy().ravel()
    prior = tree["prior"][SELECTIVITY].to_numpy()
    narrowed = 1 - draws.var() / prior.var()
    return estimate(draws, ci_prob), float(np.mean(draws < 0.5)), float(narrowed)
