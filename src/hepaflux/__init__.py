"""hepaflux: Bayesian parameter inference for hepatic insulin action and lipogenesis.

The straight line from tables to a judged posterior is six calls::

    study = hf.read_study("study.toml")
    model = hf.build_model(study, hf.systems.oral)
    posterior = hf.fit(model, seed=1)
    verdict = hf.diagnose(posterior)
    contrast = hf.compare_groups(posterior, "SI")
    hf.report(posterior, "runs/demo")

Names are imported when they are first used, so that ``import hepaflux`` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hepaflux import systems as systems
    from hepaflux.assess import compare_differences as compare_differences
    from hepaflux.assess import compare_groups as compare_groups
    from hepaflux.assess import compare_hypotheses as compare_hypotheses
    from hepaflux.assess import diagnose as diagnose
    from hepaflux.assess import load_run as load_run
    from hepaflux.assess import report as report
    from hepaflux.assess import summarize as summarize
    from hepaflux.assess import with_ranking as with_ranking
    from hepaflux.confusion import confuse_hypotheses as confuse_hypotheses
    from hepaflux.confusion import confusion_matrix as confusion_matrix
    from hepaflux.fitting import fit_each as fit_each
    from hepaflux.fitting import fit_figures_hypotheses as fit_figures_hypotheses
    from hepaflux.fitting import fit_hypotheses as fit_hypotheses
    from hepaflux.fitting.fit import fit as fit
    from hepaflux.model import CVFloor as CVFloor
    from hepaflux.model import Design as Design
    from hepaflux.model import LogNormalNoise as LogNormalNoise
    from hepaflux.model import StudentT as StudentT
    from hepaflux.model import build_figures_model as build_figures_model
    from hepaflux.model import build_joint_model as build_joint_model
    from hepaflux.model import build_model as build_model
    from hepaflux.model import expected_contraction as expected_contraction
    from hepaflux.model import predict_treatment as predict_treatment
    from hepaflux.model import simulate_cohort as simulate_cohort
    from hepaflux.model import simulate_study as simulate_study
    from hepaflux.model import simulate_visits as simulate_visits
    from hepaflux.model.first_pass import first_pass as first_pass
    from hepaflux.parameter import Parameter as Parameter
    from hepaflux.solver import solve as solve
    from hepaflux.study import Study as Study
    from hepaflux.study import StudyError as StudyError
    from hepaflux.study import list_datasets as list_datasets
    from hepaflux.study import read_figures as read_figures
    from hepaflux.study import read_study as read_study
    from hepaflux.study import write_study as write_study
    from hepaflux.systems import System as System

_HOMES = {
    "CVFloor": "hepaflux.model",
    "Design": "hepaflux.model",
    "LogNormalNoise": "hepaflux.model",
    "Parameter": "hepaflux.parameter",
    "StudentT": "hepaflux.model",
    "Study": "hepaflux.study",
    "StudyError": "hepaflux.study",
    "System": "hepaflux.systems",
    "build_figures_model": "hepaflux.model",
    "build_joint_model": "hepaflux.model",
    "build_model": "hepaflux.model",
    "compare_differences": "hepaflux.assess",
    "compare_groups": "hepaflux.assess",
    "compare_hypotheses": "hepaflux.assess",
    "confuse_hypotheses": "hepaflux.confusion",
    "confusion_matrix": "hepaflux.confusion",
    "diagnose": "hepaflux.assess",
    "expected_contraction": "hepaflux.model",
    "first_pass": "hepaflux.model",
    "fit": "hepaflux.fitting",
    "fit_each": "hepaflux.fitting",
    "fit_figures_hypotheses": "hepaflux.fitting",
    "fit_hypotheses": "hepaflux.fitting",
    "list_datasets": "hepaflux.study",
    "load_run": "hepaflux.assess",
    "predict_treatment": "hepaflux.model",
    "read_figures": "hepaflux.study",
    "read_study": "hepaflux.study",
    "report": "hepaflux.assess",
    "simulate_cohort": "hepaflux.model",
    "simulate_study": "hepaflux.model",
    "simulate_visits": "hepaflux.model",
    "solve": "hepaflux.solver",
    "summarize": "hepaflux.assess",
    "with_ranking": "hepaflux.assess",
    "write_study": "hepaflux.study",
}

__all__ = [*sorted(_HOMES), "systems"]


def __getattr__(name: str) -> Any:
    """Import a public name from its room."""
    if name == "systems":
        return importlib.import_module("hepaflux.systems")
    if name not in _HOMES:
        raise AttributeError(f"module 'hepaflux' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
