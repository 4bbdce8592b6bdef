"""Labeled pool: glucose of several origins in the same one or two compartments.

Endogenous, exogenous and tracer glucose are *species* that disposal cannot tell apart: each leaves
at the fractional rate that insulin sets. A species has a concentration in the accessible pool and,
with two compartments, one in a deep pool from which insulin-dependent disposal takes place.

With two compartments (Vicini 1997, Toffolo 2003) part of basal disposal leaves the accessible pool
whatever insulin does; the rest, and insulin's action, the deep one. ``SG_D`` and ``SI_D`` are the
fractional clearance at basal and its slope against insulin in the steady state, so that they mean
the same with one compartment and with two.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hepaflux.parameter import Fixed, LogNormal, Parameter
from hepaflux.systems.system import (
    Derived,
    DoseChannel,
    Flux,
    Option,
    Output,
    State,
    after_dose,
    every,
)

VICINI = "Vicini P et al. (1997) Am J Physiol 273:E1024"
TOFFOLO = (
    "Toffolo G, Cobelli C (2003) The hot IVGTT two-compartment minimal model: an improved version."
    " Am J Physiol Endocrinol Metab"
)
BASU = "Basu R et al. (2009) Diabetes Care 32:866; width: chosen here"
DALLA_MAN_2007 = "Dalla Man C et al. (2007) IEEE Trans Biomed Eng 54:1740; width: chosen here"

INFUSED = ("egp_tracer", "ra_tracer")
"""Tracers that enter by vein."""

TTR_CV, TTR_FLOOR = 0.025, 2e-4
"""Error of a measured tracer-to-tracee ratio: coefficient of variation, and SD at low values."""

COMPARTMENTS = Option(
    "compartments",
    "one or two compartments of glucose; two follow rapid changes",
    default="one",
    choices=("one", "two"),
)

DISPOSAL = (
    Parameter(
        "SI_D",
        unit="L/pmol/min",
        prior=LogNormal(8.0e-5, 0.9),
        meaning="insulin sensitivity of disposal (SI* of the labeled minimal model)",
        source=BASU,
        spread=0.6,
        fades_at=4.0e-5,  # half the prior's median, where a label in two hours hardly shows it
    ),
    Parameter(
        "SG_D",
        unit="1/min",
        prior=LogNormal(0.014, 0.3),
        meaning="fractional clearance of glucose at basal insulin (SG* of the labeled model)",
        source="production 11 umol/kg/min over V Gb in healthy people; width: chosen here",
        spread=0.2,
    ),
)

EXCHANGE = (
    Parameter(
        "k21",
        unit="1/min",
        prior=LogNormal(0.065, 0.3),
        meaning="rate from the accessible to the deep pool",
        source=DALLA_MAN_2007,
        spread=0.2,
    ),
    Parameter(
        "k12",
        unit="1/min",
        prior=LogNormal(0.079, 0.3),
        meaning="rate from the deep to the accessible pool",
        source=DALLA_MAN_2007,
        spread=0.2,
    ),
    Parameter(
        "accessible_share",
        unit="1",
        prior=Fixed(0.5),
        meaning="share of basal disposal that leaves the accessible pool whatever insulin does",
        source=f"{TOFFOLO} (a fraction of disposal; its size: chosen here)",
    ),
)


def states(species: Sequence[str], *, compartments: str) -> tuple[State, ...]:
    """Return the states of all species: their concentrations, and those in the deep pool."""
    accessible = tuple(State(s, "mmol/L", f"{_words(s)} glucose", scale=1.0) for s in species)
    if compartments == "one":
        return accessible
    return accessible + tuple(
        State(f"{s}_deep", "mmol/L", f"{_words(s)} glucose of the deep pool over V", scale=1.0)
        for s in species
    )


def _words(species: str) -> str:
    return species.replace("_", " ")


def total(y: Any, species: Sequence[str]) -> Any:
    """Return the concentration of all glucose, labeled or not."""
    return sum((getattr(y, s) for s in species[1:]), getattr(y, species[0]))


def deep_rate(p: Any) -> Any:
    """Return the basal rate of loss from the deep pool that makes SG_D the basal clearance."""
    flow = (1 - p.accessible_share) * p.SG_D
    return p.k12 * flow / (p.k21 - flow)


def kinetics(y: Any, p: Any, species: str, *, compartments: str) -> dict[str, Any]:
    """Return the rate of change of a species while none of it enters, by state."""
    c = getattr(y, species)
    if compartments == "one":
        return {species: -(p.SG_D + y.action) * c}
    deep = getattr(y, f"{species}_deep")
    leaving = p.accessible_share * p.SG_D + p.k21
    return {
        species: p.k12 * deep - leaving * c,
        f"{species}_deep": p.k21 * c - (p.k12 + deep_rate(p) + y.action) * deep,
    }


def equations(*, compartments: str) -> tuple[str, str]:
    """Return how a species and insulin's action change, in the manner of ``System.equations``."""
    if compartments == "one":
        return (
            "dG_s/dt = -(SG_D + X) G_s + entry_s / V",
            "dX/dt = p2 (SI_D (I - Ib) - X),   X(0) = 0",
        )
    return (
        "dG_s/dt = k12 D_s - (k21 + a SG_D) G_s + entry_s / V,   a: accessible_share,"
        "   dD_s/dt = k21 G_s - (k12 + k02 + X) D_s,   k02 so that SG_D is the basal clearance",
        "dX/dt = p2 (SI_D (k12 + k02)^2 / (k21 k12) (I - Ib) - X),   X(0) = 0",
    )


def action_rate(y: Any, p: Any, u: Any, *, compartments: str) -> Any:
    """Return the rate of change of insulin's action on disposal."""
    gain = 1.0 if compartments == "one" else (p.k12 + deep_rate(p)) ** 2 / (p.k21 * p.k12)
    return p.p2 * (gain * p.SI_D * u.insulin_above_basal - y.action)


def at_basal(p: Any, glucose: Any, *, compartments: str) -> Mapping[str, Any]:
    """Return endogenous glucose in the basal steady state, by state."""
    if compartments == "one":
        return {"endogenous": glucose}
    return {"endogenous": glucose, "endogenous_deep": p.k21 * glucose / (p.k12 + deep_rate(p))}


def basal_production(p: Any, u: Any) -> Any:
    """Return production in the basal steady state, mmol/kg/min."""
    return p.SG_D * p.V * u.basal_glucose


def resistance_index(basal: Callable[[Any, Any], Any]) -> Derived:
    """Return the index HIRI, given basal production as a function of ``p`` and ``u``."""
    return Derived(
        "HIRI",
        "mmol/kg/min*pmol/L",
        "hepatic insulin-resistance index, basal production times basal insulin",
        lambda p, u: basal(p, u) * u.basal_insulin,
    )


def disposal(y: Any, p: Any, species: Sequence[str], *, compartments: str) -> Any:
    """Return the rate of disappearance of all glucose, mmol/kg/min."""
    glucose = total(y, species)
    if compartments == "one":
        return p.V * (p.SG_D + y.action) * glucose
    deep = sum((getattr(y, f"{s}_deep") for s in species[1:]), getattr(y, f"{species[0]}_deep"))
    fast = p.accessible_share * p.SG_D * glucose
    return p.V * (fast + (deep_rate(p) + y.action) * deep)


def disposal_flux(species: Sequence[str], *, compartments: str) -> Flux:
    """Return the rate of disappearance as a function of time."""
    return Flux(
        "Rd",
        "mmol/kg/min",
        "rate of disappearance of glucose",
        lambda y, p, u: disposal(y, p, species, compartments=compartments),
    )


def infusion_channel(tracer: str, all_states: Sequence[State], record: Any) -> DoseChannel:
    """Return where an infused tracer enters; ``record`` makes the states."""

    def gain(p: Any, u: Any) -> Any:
        del u
        return record(**{s.name: 1 / p.V if s.name == tracer else 0.0 for s in all_states})

    return DoseChannel(tracer, "intravenous", "mmol/kg", gain)


def enrichment_output(analyte: str, labeled: Any, species: Sequence[str]) -> Output:
    """Return a measured tracer-to-tracee ratio.

    Parameters
    ----------
    analyte : str
        For example ``"meal_enrichment"``.
    labeled : callable (y, u) -> mmol/L
        Concentration of the tracer. The tracee is all other glucose.
    species : sequence of str
        All glucose.
    """

    def value(y: Any, p: Any, u: Any) -> Any:
        del p
        tracer = labeled(y, u)
        return tracer / (total(y, species) - tracer)

    return Output(
        analyte,
        "TTR",
        f"tracer-to-tracee ratio, {_words(analyte.removesuffix('_enrichment'))} tracer",
        analyte=analyte,
        value=value,
        uses=after_dose if analyte == "meal_enrichment" else every,
        cv=Fixed(TTR_CV),
        floor=TTR_FLOOR,
        required=False,
    )
