"""Sources: where the fatty acids of liver or VLDL triglyceride come from, by several tracers.

Each source has a label of its own: fatty acids of plasma (NEFA), newly made ones (DNL), the diet.
The share of a source is the enrichment of the product over that of its precursor, both measured
with error. The shares add up to one; what no label marks is stored fat. Newly made fatty acids may
be given as a share instead, as an analysis of mass isotopomers finds it.

Assumes     the precursors keep their enrichment from time 0 on, when the labels start
            the labels do not overlap: each ratio counts as tracee everything without that label
            the product has reached its plateau, or is one pool with the turnover k
Valid for   labels of hours to days; with three sources everything unlabeled is taken as none
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np

from hepaflux.parameter import Dirichlet, Fixed, LogNormal, Parameter
from hepaflux.study.study import Study, StudyError, Subject
from hepaflux.systems.lipogenesis import AARSLAND, DONNELLY, PER_DAY, per_day
from hepaflux.systems.smooth import exponential
from hepaflux.systems.system import (
    Curve,
    Derived,
    Input,
    Option,
    Output,
    Settings,
    System,
    default_settings,
)

LABELED = ("NEFA", "DNL", "diet")
"""Sources that have a label."""

EXPECTED = {
    "NEFA DNL diet": ((0.59, 0.26, 0.15), f"{DONNELLY}: 0.59, 0.26 and 0.15 in fatty liver"),
    "NEFA DNL diet stored": (
        (0.45, 0.15, 0.10, 0.30),
        f"chosen here, {DONNELLY} with a share that no label marks",
    ),
}
"""Expected shares and their source, by option."""

CONCENTRATION = 8.0
"""Of the prior; the people of Donnelly 2005 differed as little as with about 25."""

ABOVE_PRECURSOR = 1.2
"""Enrichment of the product over that of its precursor that measurement error explains."""


def labels(text: str) -> tuple[str, ...]:
    """Return the labeled sources that a text names.

    Raises
    ------
    ValueError
        If it names something else.
    """
    unknown = [name for name in text.split() if name not in LABELED]
    if unknown:
        raise ValueError(f"{unknown[0]} has no label")
    return tuple(name for name in LABELED if name in text.split())


OPTIONS = (
    Option(
        "sources",
        "the sources that add up to one; stored is what no label marks",
        default="NEFA DNL diet stored",
        choices=tuple(EXPECTED),
    ),
    Option(
        "tracers",
        "sources with a measured precursor and product; protocol: those of the study",
        default="protocol",
        choices=("protocol",),
        other=f"some of {' '.join(LABELED)}",
        check=labels,
    ),
    Option(
        "kinetics",
        "plateau (the product is what enters it) or turnover (1 - exp(-k t) of it)",
        default="plateau",
        choices=("plateau", "turnover"),
    ),
)

TURNOVER = Parameter(
    "k",
    unit="1/min",
    prior=LogNormal(4.0 * PER_DAY, 1.0),
    meaning="fractional turnover of the product",
    source=f"wide by choice: VLDL, 2.1 to 9.2 pools per day ({AARSLAND}), is faster than liver",
    spread=0.4,
)


def analyte(source: str, role: str) -> str:
    """Return what measures a source; ``role`` is precursor or product."""
    return f"{source.lower()}_{role}_enrichment"


def last_time(subject: Subject) -> float:
    """Return the time of the last sample, min."""
    return max(float(samples.time[-1]) for samples in subject.samples.values())


def elapsed(subject: Subject) -> Curve:
    """Read the time since the labels started, zero before, in min."""
    end = last_time(subject)
    if end <= 0:
        raise StudyError(
            [
                f"subject {subject.name}: the last sample is at {end:g} min, but the labels start"
                " at time 0; state times from the start of the labels."
            ]
        )
    time = np.array([-1.0, 0.0, end])
    return Curve(time, np.maximum(time, 0.0))


class Balance:
    """The shares and what they make measurable, under given settings."""

    def __init__(self, settings: Settings):
        self.sources = tuple(settings["sources"].split())
        self.turnover = settings["kinetics"] == "turnover"
        chosen = settings["tracers"]
        self.tracers = LABELED if chosen == "protocol" else labels(chosen)

    def share(self, p: Any, source: str) -> Any:
        """Return the share of a source."""
        return p.share[self.sources.index(source)]

    def labeled(self, p: Any, u: Any, source: str) -> Any:
        """Return what a source has contributed to the product since time 0."""
        reached = 1 - exponential(-p.k * u.elapsed) if self.turnover else 1.0
        return self.share(p, source) * reached

    def product(self, p: Any, u: Any, source: str) -> Any:
        """Return the enrichment of the product, TTR.

        Shares count molecules, so the mole fraction is mixed and not the ratio.
        """
        precursor = getattr(p, f"E_{source}")
        fraction = self.labeled(p, u, source) * precursor / (1 + precursor)
        return fraction / (1 - fraction)

    def outputs(self) -> tuple[Output, ...]:
        """Return precursors, products and the newly made share."""
        found = []
        for source in self.tracers:
            precursor = lambda y, p, u, name=f"E_{source}": getattr(p, name)  # noqa: E731
            product = lambda y, p, u, s=source: self.product(p, u, s)  # noqa: E731
            words = f"enrichment of the {{}} by the label of {source}"
            found += [
                enrichment(analyte(source, "precursor"), words.format("precursor"), precursor),
                enrichment(analyte(source, "product"), words.format("product"), product),
            ]
        return (*found, newly_made(lambda y, p, u: self.labeled(p, u, "DNL")))

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the shares, the enrichments of the precursors, and the turnover."""
        expected, source = EXPECTED[" ".join(self.sources)]
        shares = Parameter(
            "share",
            unit="1",
            prior=Dirichlet(CONCENTRATION, expected),
            meaning="share of each source among the fatty acids of the product",
            source=f"{source}; the concentration is chosen here",
            axis="source",
        )
        precursors = (
            Parameter(
                f"E_{tracer}",
                unit="TTR",
                prior=LogNormal(0.05, 1.5),
                meaning=f"enrichment of the precursor from {tracer}",
                source="chosen here: wide, for it is measured",
            )
            for tracer in self.tracers
        )
        return (shares, *precursors, *((TURNOVER,) if self.turnover else ()))

    def derived(self) -> tuple[Derived, ...]:
        """Return the shares by name, and the turnover per day."""
        shares = (
            Derived(
                f"f_{source}",
                "1",
                f"share of {source} among the fatty acids of the product",
                lambda p, u, source=source: self.share(p, source),
            )
            for source in self.sources
        )
        return (*shares, *((per_day(),) if self.turnover else ()))


def enrichment(name: str, meaning: str, value: Callable[[Any, Any, Any], Any]) -> Output:
    """Return a measured tracer-to-tracee ratio."""
    return Output(
        name,
        "TTR",
        meaning,
        analyte=name,
        value=value,
        cv=Fixed(0.03),
        floor=1e-4,
        required=False,
    )


def newly_made(value: Callable[[Any, Any, Any], Any]) -> Output:
    """Return the newly made share that another analysis found."""
    return Output(
        "dnl_fraction",
        "1",
        "newly made share of the fatty acids of the product",
        analyte="dnl_fraction",
        value=value,
        cv=Fixed(0.1),
        floor=0.01,
        required=False,
    )


def adapt(settings: Settings, study: Study) -> Settings:
    """Return the settings with the labels that the study holds.

    Raises
    ------
    StudyError
        If a product lacks its precursor, or the other way round, or is the more enriched one.
    """
    problems = [p for subject in study.subjects for s in LABELED for p in _problems(subject, s)]
    if problems:
        raise StudyError(problems)
    if settings["tracers"] != "protocol":
        return settings
    there = {name for subject in study.subjects for name in subject.samples}
    tracers = " ".join(s for s in LABELED if analyte(s, "precursor") in there)
    return MappingProxyType({**settings, "tracers": tracers})


def _problems(subject: Subject, source: str) -> list[str]:
    """Return what is wrong with the label of one source in a subject."""
    precursor, product = (analyte(source, role) for role in ("precursor", "product"))
    found = [name for name in (precursor, product) if name in subject.samples]
    if len(found) == 1:
        missing = product if found[0] == precursor else precursor
        return [
            f"subject {subject.name}: {found[0]} without {missing}; a share needs both, so add the"
            " other or remove it."
        ]
    if not found:
        return []
    if source == "DNL" and "dnl_fraction" in subject.samples:
        return [
            f"subject {subject.name}: dnl_fraction and {product} tell the same; remove one of them."
        ]
    top, bottom = subject.samples[product].value.max(), subject.samples[precursor].value.max()
    if top <= ABOVE_PRECURSOR * bottom:
        return []
    return [
        f"subject {subject.name}: {product} reaches {top:.3g} TTR, above the {bottom:.3g} TTR of"
        f" {precursor}; are the two exchanged, or is a unit wrong?"
    ]


def declare(settings: Settings) -> System:
    """Declare the balance of sources under the given options."""
    balance = Balance(settings)
    time = Input("elapsed", "min", "time since the labels started", elapsed)
    return System(
        name="sources",
        title="Sources of the fatty acids of liver or VLDL triglyceride",
        equations=(
            f"sum of shares = 1,   sources: {', '.join(balance.sources)}",
            "x = share r(t) E / (1 + E),   product = x / (1 - x),   E: enrichment of the precursor",
            "r(t) = 1 - exp(-k t)" if balance.turnover else "r(t) = 1",
        ),
        references=(DONNELLY,),
        states=(),
        parameters=balance.parameters(),
        inputs=(time,) if balance.turnover else (),
        outputs=balance.outputs(),
        derived=balance.derived(),
        leading=("share",),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        adapt=adapt,
        conventions=(
            "Enrichments are tracer-to-tracee ratios; shares mix mole fractions, for the ratio of"
            " two ratios is too small or too large by as much as the enrichments.",
            "The precursor of DNL is a fatty acid made wholly anew: its enrichment at the present"
            " enrichment of acetyl-CoA or body water. Or give dnl_fraction instead, not both.",
            f"Kinetics: {settings['kinetics']}; labels: {', '.join(balance.tracers) or 'none'}.",
            "A source that is not labeled is known only through the others and the prior.",
        ),
    )


sources = declare(default_settings(OPTIONS))
