"""Check and Verdict: what was judged, by which number against which limit, and what to do."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from hepaflux.assess.history import join

Status = Literal["pass", "warn", "fail"]

SEVERITY: tuple[Status, ...] = ("pass", "warn", "fail")

TOLERATED_SHARE = 0.05
"""Share of separately fitted subjects that may fall short before the study does."""

IDENTIFIED = "identified by the data"
SEPARATE = "separable"
POWER_SCALING = "power scaling"
IDENTIFIABILITY = (IDENTIFIED, SEPARATE, POWER_SCALING)
"""Names of the checks that ask what the data can tell, not whether the sampler worked."""


class Limits(NamedTuple):
    """The last value that passes and the last that is tolerated with a warning."""

    good: float
    tolerable: float

    @property
    def bound(self) -> Literal["at most", "at least"]:
        """Return on which side of the limits a value has to stay."""
        return "at most" if self.tolerable >= self.good else "at least"

    def grade(self, value: float) -> Status:
        """Return the status of a value; larger is worse if ``tolerable`` is above ``good``."""
        sign = 1 if self.bound == "at most" else -1
        if sign * value <= sign * self.good:
            return "pass"
        return "warn" if sign * value <= sign * self.tolerable else "fail"

    def worst(self, values: Mapping[str, float]) -> str:
        """Return the label of the worst value."""
        choose: Callable[..., str] = max if self.bound == "at most" else min
        return choose(values, key=lambda label: values[label])


@dataclass(frozen=True)
class Check:
    """One judgement.

    Attributes
    ----------
    name : str
        What was judged.
    target : str
        The parameter, pair, output or subject that decides; empty for the run as a whole.
    value : float or None
        The deciding number; None if there is none.
    threshold : float or None
        The limit that ``value`` had to keep to.
    status : {"pass", "warn", "fail"}
        The judgement.
    advice : str
        What it means and what to do; empty if there is nothing to do.
    detail : mapping of str to float
        The numbers behind it, by subject or parameter.
    bound : {"at most", "at least"}
        On which side of the limit ``value`` had to stay.
    """

    name: str
    target: str
    value: float | None
    threshold: float | None
    status: Status
    advice: str = ""
    detail: Mapping[str, float] = field(default_factory=dict)
    bound: Literal["at most", "at least"] = "at most"

    def __str__(self) -> str:
        """Return the check in one line."""
        of = f", {self.target}" if self.target else ""
        return f"{self.status}: {self.name}{of}{self.numbers}. {self.advice}".rstrip()

    @property
    def numbers(self) -> str:
        """Return value and limit in words."""
        if self.value is None:
            return ""
        if self.threshold is None:
            return f": {self.value:.4g}"
        value, limit = f"{self.value:.4g}", f"{self.threshold:.4g}"
        if value == limit and self.status != "pass":
            value = f"{self.value:.6g}"
        return f": {value} ({self.bound} {limit})"

    def to_dict(self) -> dict[str, Any]:
        """Return the check as plain values that JSON can hold; what is not finite is None."""
        return {
            "name": self.name,
            "target": self.target,
            "value": finite(self.value),
            "threshold": finite(self.threshold),
            "bound": self.bound,
            "status": self.status,
            "advice": self.advice,
            "detail": {label: finite(value) for label, value in self.detail.items()},
        }


@dataclass(frozen=True)
class Verdict:
    """Whether a posterior may be believed.

    Attributes
    ----------
    checks : tuple of Check
        All judgements.
    notes : tuple of str
        What could not be judged, and why.
    """

    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Status:
        """Return the worst status of all checks."""
        return worst_status([check.status for check in self.checks])

    @property
    def problems(self) -> tuple[Check, ...]:
        """Return the checks that did not pass, the worst first."""
        found = [check for check in self.checks if check.status != "pass"]
        return tuple(sorted(found, key=lambda check: -SEVERITY.index(check.status)))

    @property
    def undetermined(self) -> tuple[str, ...]:
        """Return the parameters whose value the data do not determine on their own."""
        named = [
            name
            for check in self.problems
            if check.name in (IDENTIFIED, SEPARATE)
            for name in check.target.split(" and ")
        ]
        return tuple(dict.fromkeys(named))

    @property
    def headline(self) -> str:
        """Return the verdict in one sentence."""
        if self.verdict == "fail":
            names = join(dict.fromkeys(c.name for c in self.problems if c.status == "fail"))
            return f"Do not use these numbers yet: {names} failed."
        if self.verdict == "pass":
            return "These numbers may be used: every check passed."
        other = [c.name for c in self.problems if c.name not in IDENTIFIABILITY]
        sentence = f"Use with care; look at: {join(dict.fromkeys(other))}." if other else ""
        if self.undetermined:
            start = " These data" if other else "Use with care: these data"
            sentence += f"{start} do not determine {join(self.undetermined)} alone."
        shaped = join(c.target for c in self.problems if c.name == POWER_SCALING)
        return sentence or f"Use with care: the priors still shape {shaped}."

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain values that JSON can hold."""
        return {
            "verdict": self.verdict,
            "headline": self.headline,
            "checks": [check.to_dict() for check in self.checks],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        """Return the verdict in words, one line per problem."""
        passed = dict.fromkeys(c.name for c in self.checks if c.status == "pass")
        lines = [self.headline, *(f"  - {check}" for check in self.problems)]
        lines += [f"  Passed: {join(passed, limit=20)}."] if passed else []
        return "\n".join([*lines, *(f"  Note: {note}" for note in self.notes)])


def finite(value: float | None) -> float | None:
    """Return a number that strict JSON can hold, else None."""
    return float(value) if value is not None and math.isfinite(value) else None


def worst_status(statuses: Sequence[Status]) -> Status:
    """Return the most severe status."""
    return max(statuses, key=SEVERITY.index, default="pass")


def study_status(statuses: Sequence[Status]) -> Status:
    """Return the status of many separate fits.

    The study fails if more than 5 % of its subjects do, and warns if any subject fails or more
    than 5 % warn: among hundreds of checks some exceed their limit by chance.
    """
    n = len(statuses)
    if n == 1:
        return statuses[0]
    failed = statuses.count("fail")
    if failed > TOLERATED_SHARE * n:
        return "fail"
    short = n - statuses.count("pass")
    return "warn" if failed or short > TOLERATED_SHARE * n else "pass"


def judge(name: str, values: Mapping[str, float], limits: Limits, *, advice: str) -> Check:
    """Return a check of one number per unit, a unit being the run or a subject fitted alone.

    Parameters
    ----------
    name : str
        What is judged.
    values : mapping of str to float
        By the label of the unit; the worst one becomes the target.
    limits : Limits
        What passes and what is tolerated.
    advice : str
        What to do if it does not pass.
    """
    statuses = {label: limits.grade(value) for label, value in values.items()}
    short = [label for label, status in statuses.items() if status != "pass"]
    worst, status = limits.worst(values), study_status(list(statuses.values()))
    if len(values) > 1 and short:
        advice = f"{len(short)} of {len(values)} fall short ({join(short)}). {advice}"
    return Check(
        name,
        worst,
        values[worst],
        limits.good,
        status,
        advice if short else "",
        dict(values) if len(values) > 1 else {},
        limits.bound,
    )
