"""Assess: what follows from inference data, and whether it may be believed."""

from hepaflux.assess.check import Check, Verdict
from hepaflux.assess.compare import Comparison, ComparisonError, Contrast, compare_groups
from hepaflux.assess.diagnose import diagnose
from hepaflux.assess.differences import Differences, compare_differences
from hepaflux.assess.hypotheses import Ranking, compare_hypotheses, with_ranking
from hepaflux.assess.report import render_report
from hepaflux.assess.run import (
    RunError,
    RunExistsError,
    load_run,
    refresh_report,
    report,
    require_place,
)
from hepaflux.assess.slope import Slope, slope_across
from hepaflux.assess.summary import summarize

__all__ = [
    "Check",
    "Comparison",
    "ComparisonError",
    "Contrast",
    "Differences",
    "Ranking",
    "RunError",
    "RunExistsError",
    "Slope",
    "Verdict",
    "compare_differences",
    "compare_groups",
    "compare_hypotheses",
    "diagnose",
    "load_run",
    "refresh_report",
    "render_report",
    "report",
    "require_place",
    "slope_across",
    "summarize",
    "with_ranking",
]
