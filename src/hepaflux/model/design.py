"""Design: which parameters are shared, vary by group, or vary by subject, and how.

A level says how a parameter differs between people:

``shared``    one value for all
``group``     one value per group
``subject``   one value per subject, drawn from a population whose median may differ by group
``separate``  one value per subject, each with the parameter's own prior and nothing in common

Subjects vary on the log scale, or on the logit scale for fractions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from hepaflux.parameter import Parameter
from hepaflux.study.study import Study

WIDE_SPREAD = 0.5
"""Between-subject spread from which on people differ more than their samples leave open."""

Level = Literal["shared", "group", "subject", "separate"]


class DesignError(ValueError):
    """A design that does not fit the system or the study."""


@dataclass(frozen=True)
class Design:
    """How parameters vary between subjects.

    Attributes
    ----------
    levels : mapping of str to Level
        By parameter.
    by_group : bool
        Whether the populations of ``subject`` parameters have one median per group.
    covariates : mapping of str to tuple of str
        Covariates that shift a ``subject`` parameter, for example ``{"SI": ("bmi",)}``. They are
        standardized over the study; the slope is per standard deviation.
    correlated : tuple of (str, str)
        Pairs of ``subject`` parameters whose deviations are correlated.
    others : Level, optional
        Level of the parameters that ``levels`` does not name and that have no covariate and no
        correlation; the default of ``complete`` if not given.
    """

    levels: Mapping[str, Level] = field(default_factory=dict)
    by_group: bool = False
    covariates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    correlated: tuple[tuple[str, str], ...] = ()
    others: Level | None = None

    def __post_init__(self) -> None:
        """Freeze the mappings."""
        object.__setattr__(self, "levels", MappingProxyType(dict(self.levels)))
        object.__setattr__(self, "covariates", MappingProxyType(dict(self.covariates)))


def complete(design: Design, unknowns: Sequence[Parameter], study: Study) -> Design:
    """Return the design with a level for every unknown, or say why it cannot be.

    One subject needs no levels. Of several subjects, a parameter in which people differ widely
    (SI) is drawn from a population; in the others the samples of one person say too little about
    the spread between people for it to be learned, so each keeps the parameter's own prior, unless
    the design gives the parameter a covariate or a correlation.

    Raises
    ------
    DesignError
        If the design names what the system or the study does not have.
    """
    asked = {name for pair in design.correlated for name in pair} | set(design.covariates)
    levels = {p.name: _usual_level(p, study, asked, design.others) for p in unknowns}
    _check_names("level", design.levels, levels)
    levels |= dict(design.levels)
    _check_levels(levels, {p.name: p for p in unknowns}, study)
    _check_groups(design, levels, study)
    varying = {name: level for name, level in levels.items() if level == "subject"}
    _check_names("covariate", design.covariates, varying)
    for pair in design.correlated:
        _check_names("correlation", dict.fromkeys(pair, ""), varying)
    paired = [name for pair in design.correlated for name in pair]
    if len(set(paired)) < len(paired):
        raise DesignError("a parameter can be correlated with one other only")
    _check_covariates(design, study)
    return Design(levels, design.by_group, design.covariates, design.correlated)


def _usual_level(
    parameter: Parameter, study: Study, asked: set[str], others: Level | None
) -> Level:
    """Return the level of a parameter if its own is not stated."""
    is_alone = len(study.subjects) == 1
    if parameter.name in asked and parameter.spread > 0 and not is_alone:
        return "subject"
    if others is not None:
        return others
    if is_alone:
        return "shared"
    return "subject" if parameter.spread >= WIDE_SPREAD else "separate"


def _check_names(what: str, given: Mapping[str, object], known: Mapping[str, object]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        there = ", ".join(sorted(known)) or "none"
        raise DesignError(
            f"{what} for {', '.join(unknown)}: a {what} can be given for {there} only"
        )


def _check_levels(
    levels: Mapping[str, Level], unknowns: Mapping[str, Parameter], study: Study
) -> None:
    for name, level in levels.items():
        if level not in get_args(Level):
            raise DesignError(f"{name}: {level!r} is no level; use {', '.join(get_args(Level))}")
        parameter = unknowns[name]
        if level == "subject" and (parameter.axis or parameter.spread <= 0):
            raise DesignError(f"{name} has no between-subject spread; use level separate")
        if level == "subject" and len(study.subjects) < 2:
            raise DesignError(f"{name}: a population needs at least two subjects; use shared")


def _check_groups(design: Design, levels: Mapping[str, Level], study: Study) -> None:
    wanted = design.by_group or "group" in levels.values()
    lacking = [s.name for s in study.subjects if not s.group]
    if wanted and lacking:
        raise DesignError(
            f"a design by group needs a group for every subject, but {lacking[0]}"
            f" ({len(lacking)} in all) has none; add a column group to subjects.csv"
        )
    if design.by_group and len(study.groups) < 2:
        raise DesignError("a design by group needs at least two groups")


def _check_covariates(design: Design, study: Study) -> None:
    for name, covariates in design.covariates.items():
        for covariate in covariates:
            lacking = [s.name for s in study.subjects if covariate not in s.covariates]
            if lacking:
                raise DesignError(
                    f"covariate {covariate} of {name}: {lacking[0]} ({len(lacking)} subjects in"
                    " all) has no value in subjects.csv"
                )
