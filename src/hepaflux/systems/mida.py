"""Mass isotopomer distribution analysis: how much of a fatty acid was newly made, and from what.

A fatty acid made from labeled acetate holds none, one, two, ... labeled acetyl units in binomial
proportions, so the pattern of its ions tells the enrichment p of the acetyl-CoA it was made from,
which cannot be sampled. What was there before has its natural pattern. The newly made share f
follows from how much of the first pattern is in the mixture. All monitored ions enter the
likelihood together: the excess of M1 alone peaks near p = 0.14 and so belongs to two enrichments.

Assumes     natural abundance in every atom that the label does not reach, the derivative's included
            the tracer runs from time 0 of the study on; samples up to then are unlabeled
            p is the same at all times and, unless it is heterogeneous, in all molecules
            chains are made from the start; the elongation of shorter ones is not described
Valid for   labeled acetate in people and animals, labeled glucose in cells; even chains
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from hepaflux.isotopes import (
    FATTY_ACIDS,
    Label,
    acetyl_units,
    in_powers,
    labeled_patterns,
    made_from,
    moment_ratios,
)
from hepaflux.parameter import Beta, Parameter
from hepaflux.study.study import StudyError, Subject
from hepaflux.systems.lipogenesis import OPTIONS as SHARED_OPTIONS
from hepaflux.systems.lipogenesis import (
    Monitored,
    excess,
    ions_output,
    monitored,
    newly_made,
    per_day,
    turnover,
)
from hepaflux.systems.smooth import exponential
from hepaflux.systems.system import (
    Curve,
    Derived,
    Input,
    Option,
    Settings,
    System,
    default_settings,
)

HELLERSTEIN = "Hellerstein MK, Neese RA (1999) Am J Physiol 276:E1146"

LABELED_CARBONS = {"acetate 13C1": 1, "acetyl 13C2": 2}
"""Labeled carbons of an acetyl unit, by tracer."""

GRAIN = 1e-9
"""Minutes after the start of the tracer from which on a sample is labeled."""

OPTIONS = (
    *SHARED_OPTIONS,
    Option(
        "label",
        "what a labeled acetyl unit carries: acetate 13C1 (one carbon, 13C in position 1 or 2) or"
        " acetyl 13C2 (both; from [U-13C]glucose or [1,2-13C2]acetate)",
        default="acetate 13C1",
        choices=tuple(LABELED_CARBONS),
    ),
    Option("purity", "share of the labeled positions that are 13C in the tracer", default=1.0),
    Option(
        "precursor",
        "uniform (one p for all molecules) or heterogeneous (p varies between molecules by a beta"
        " distribution, as if made in places that the tracer reaches unevenly)",
        default="uniform",
        choices=("uniform", "heterogeneous"),
    ),
    Option(
        "kinetics",
        "plateau (every sample after time 0 has the share f) or turnover (f (1 - exp(-k t)))",
        default="plateau",
        choices=("plateau", "turnover"),
    ),
)


def times_of(subject: Subject, ions: Monitored) -> np.ndarray:
    """Return the times of a subject's ions, some of them after the start of the tracer.

    Raises
    ------
    StudyError
        If all samples were taken before: then time 0 is not what it must be.
    """
    analyte = ions.analytes[0]
    samples = subject.samples.get(analyte)
    if samples is None or samples.time[-1] <= 0:
        found = "there is none" if samples is None else f"the last is at {samples.time[-1]:g} min"
        raise StudyError(
            [
                f"subject {subject.name}: no {analyte} sample after time 0, when the tracer starts;"
                f" {found}. State times from the start of the tracer."
            ]
        )
    return samples.time


def presence(ions: Monitored) -> Callable[[Subject], Curve]:
    """Read whether the tracer has started: 0 up to time 0, and 1 after."""

    def read(subject: Subject) -> Curve:
        times_of(subject, ions)
        return Curve(np.array([0.0, GRAIN]), np.array([0.0, 1.0]))

    return read


def elapsed(ions: Monitored) -> Callable[[Subject], Curve]:
    """Read the time since the tracer started, zero before, in min."""

    def read(subject: Subject) -> Curve:
        time = np.array([-1.0, 0.0, times_of(subject, ions)[-1]])
        return Curve(time, np.maximum(time, 0.0))

    return read


PRESENT = ("labeled", "1", "0 up to the start of the tracer, 1 after", presence)
ELAPSED = ("elapsed", "min", "time since the tracer started", elapsed)


def newly_made_pattern(ions: Monitored, settings: Settings) -> Callable[[Any], Any]:
    """Return the function that gives the pattern of newly made molecules from ``p``."""
    label = Label("C", LABELED_CARBONS[settings["label"]], float(settings["purity"]))
    units = acetyl_units(FATTY_ACIDS[ions.fatty_acid][0])
    coefficients = in_powers(labeled_patterns(ions.formula, label, units, ions.highest))
    if settings["precursor"] == "uniform":
        return lambda p: made_from([p.p] * units, coefficients)
    return lambda p: made_from(moment_ratios(p.p, p.p_correlation, units), coefficients)


def share_at_plateau(p: Any, u: Any) -> Any:
    """Return the newly made share if the pool had turned over by the first sample."""
    return p.f * u.labeled


def share_of_one_pool(p: Any, u: Any) -> Any:
    """Return the newly made share of a pool that turns over with rate k."""
    return p.f * (1 - exponential(-p.k * u.elapsed))


def precursor_parameters(settings: Settings) -> tuple[Parameter, ...]:
    """Return the parameters of the precursor."""
    enrichment = Parameter(
        "p",
        unit="1",
        prior=Beta(2.0, 30.0),
        meaning="enrichment of the acetyl-CoA of lipogenesis above natural, mole fraction",
        source=f"0.02 to 0.08 with infused acetate; the width is a choice ({HELLERSTEIN})",
        spread=0.4,
    )
    correlation = Parameter(
        "p_correlation",
        unit="1",
        prior=Beta(1.0, 50.0),
        meaning="correlation of the labels in one molecule, variance of p over p (1 - p)",
        source=f"a choice: standard deviations up to about the mean ({HELLERSTEIN})",
    )
    uniform = settings["precursor"] == "uniform"
    return (enrichment,) if uniform else (enrichment, correlation)


def derived_quantities(
    ions: Monitored, settings: Settings, pattern: Callable[[Any], Any]
) -> tuple[Derived, ...]:
    """Return what follows from the parameters."""
    derived = [excess(ion, ions, pattern, "p") for ion in sorted(ions.ions)[1:3]]
    if settings["precursor"] == "heterogeneous":
        derived.append(
            Derived(
                "p_sd",
                "1",
                "standard deviation of p between molecules",
                lambda p, u: (p.p_correlation * p.p * (1 - p.p)) ** 0.5,
            )
        )
    return (*derived, *([per_day()] if settings["kinetics"] == "turnover" else []))


def declare(settings: Settings) -> System:
    """Declare mass isotopomer distribution analysis under the given options."""
    ions = monitored(settings)
    pattern, natural = newly_made_pattern(ions, settings), ions.natural
    plateau = settings["kinetics"] == "plateau"
    share = share_at_plateau if plateau else share_of_one_pool
    name, unit, meaning, read = PRESENT if plateau else ELAPSED

    def mixture(y: Any, p: Any, u: Any) -> list[Any]:
        del y
        new = share(p, u)
        return [n + new * (s - n) for n, s in zip(natural, pattern(p), strict=True)]

    return System(
        name="mida",
        title=f"Mass isotopomer distribution analysis of {ions.fatty_acid}",
        equations=(
            "y_m = (1 - f(t)) n_m + f(t) s_m(p),   normalized to the monitored ions",
            "s(p) = sum_j Binomial(j; units, p) s(j labeled units),   s(0) = n",
            "f(t) = f after time 0" if plateau else "f(t) = f (1 - exp(-k t))",
        ),
        references=(HELLERSTEIN,),
        states=(),
        parameters=(
            newly_made(settings["nutrition"], ions.fatty_acid),
            *precursor_parameters(settings),
            *(() if plateau else (turnover(ions.fatty_acid),)),
        ),
        inputs=(Input(name, unit, meaning, read(ions)),),
        outputs=(ions_output(ions, mixture),),
        derived=derived_quantities(ions, settings, pattern),
        leading=("f",),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        conventions=(
            f"Time 0 is the start of the tracer. The ion is {ions.formula}, monitored at {ions};"
            " its natural abundances are those of IUPAC, carbon 0.010816.",
            f"p is the excess mole fraction of labeled acetyl units ({settings['label']}), the"
            f" tracer {100 * float(settings['purity']):g} % pure; precursor"
            f" {settings['precursor']}, kinetics {settings['kinetics']}.",
            "Priors are for people who are given labeled acetate; labeled glucose in cells needs"
            ' another for p, for example --prior p="alpha=2, beta=2".',
        ),
    )


mida = declare(default_settings(OPTIONS))
