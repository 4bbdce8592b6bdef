"""Lipogenesis from heavy water: newly made fatty acids carry deuterium from body water.

About 22 of the 31 carbon-bound hydrogens of palmitate come from water or exchange with it while
the chain is made, N of them; their number is a parameter and need not be an integer. Fatty acids
made when body water has the enrichment w hold 0, 1, 2, ... deuterium atoms in binomial proportions.
They enter a pool of which f is newly made and which turns over with rate k; measured body water
drives it. The product N w overstates the excess of M1 by 60 % at w = 0.003 and by more at higher
enrichment; it is right for the total deuterium that isotope ratio mass spectrometry finds.

Assumes     body water is known: its samples are taken as exact and linear between them
            the label starts at the first sample of body water, everything before is natural
            f, k and N do not change during the test
Valid for   one drink to weeks of heavy water, enrichments up to 0.05; rates are in 1/min inside,
            and their priors are stated per day
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from hepaflux.isotopes import FATTY_ACIDS, Label, atoms, binomial, labeled_patterns, mix
from hepaflux.parameter import Beta, LogNormal, Normal, Parameter
from hepaflux.study.study import StudyError, Subject
from hepaflux.systems.inputs import samples_of
from hepaflux.systems.lipogenesis import (
    DONNELLY,
    PER_DAY,
    Monitored,
    ions_output,
    monitored,
    newly_made,
    per_day,
    turnover,
)
from hepaflux.systems.lipogenesis import OPTIONS as SHARED_OPTIONS
from hepaflux.systems.system import (
    Curve,
    Input,
    Option,
    Output,
    Settings,
    State,
    System,
    after_dose,
    default_settings,
    fields_type,
)

LEE = "Lee WN et al. (1994) Am J Physiol 266:E372"
HYDROGENS = "J Lipid Res (2011) 52:1420, doi:10.1194/jlr.D014993"

OPTIONS = (
    *SHARED_OPTIONS,
    Option(
        "measurement",
        "ions (mass isotopomers) or deuterium (total, by isotope ratio mass spectrometry; analyte"
        " <fatty acid>_deuterium, share of all hydrogens of the ion)",
        default="ions",
        choices=("ions", "deuterium"),
    ),
    Option(
        "pools",
        "one (what is made enters the sampled pool) or two (a share phi of it comes from liver"
        " triglyceride, which turns over with rate k_liver)",
        default="one",
        choices=("one", "two"),
    ),
)

POOLS = {"one": ("pool",), "two": ("vldl", "liver")}
"""Pools by name, the sampled one first."""


class Made(NamedTuple):
    """What is followed through the pools, for one molecule.

    Attributes
    ----------
    names : tuple of str
        Of the components: ions, or deuterium atoms.
    natural : tuple of float
        Without label.
    new : callable (p, u) -> components
        Of a newly made molecule at the present enrichment of body water.
    scale : float
        Typical magnitude.
    """

    names: tuple[str, ...]
    natural: tuple[float, ...]
    new: Callable[[Any, Any], Any]
    scale: float


def isotopomers(ions: Monitored) -> Made:
    """Return the shares of the ions of a molecule."""
    patterns = labeled_patterns(ions.formula, Label("H", 1), ions.highest, ions.highest)
    return Made(
        tuple(f"m{ion}" for ion in range(ions.highest + 1)),
        ions.natural,
        lambda p, u: mix(binomial(p.N, u.body_water, ions.highest), patterns),
        scale=0.1,
    )


def total_deuterium() -> Made:
    """Return the deuterium atoms of a molecule above natural."""
    return Made(("deuterium",), (0.0,), lambda p, u: (p.N * u.body_water,), scale=0.01)


def body_water(first_analyte: str) -> Callable[[Subject], Curve]:
    """Read the enrichment of body water, which must be known when the fatty acid is sampled."""

    def read(subject: Subject) -> Curve:
        water, sampled = samples_of(subject, "body_water"), samples_of(subject, first_analyte)
        if water.time[0] > sampled.time[0]:
            raise StudyError(
                [
                    f"subject {subject.name}: {first_analyte} is sampled from"
                    f" {sampled.time[0]:g} min on, but body_water only from {water.time[0]:g} min;"
                    " add body_water when the label starts (0 if before the first drink)."
                ]
            )
        return Curve(water.time, water.value)

    return read


def entering(made: Made, p: Any, u: Any) -> list[Any]:
    """Return the components of what enters the pools: newly made and older molecules."""
    return [n + p.f * (s - n) for n, s in zip(made.natural, made.new(p, u), strict=True)]


def held(y: Any, pool: str, made: Made) -> list[Any]:
    """Return the components that a pool holds."""
    return [getattr(y, f"{pool}_{name}") for name in made.names]


def one_pool(made: Made) -> Callable[[Any, Any, Any, Any], Any]:
    """Return the time derivative of one pool that turns over with rate k."""
    record = fields_type("States", names_of(made, "one"))

    def rhs(t: Any, y: Any, p: Any, u: Any) -> Any:
        del t
        flow = zip(entering(made, p, u), held(y, "pool", made), strict=True)
        return record(*(p.k * (new - now) for new, now in flow))

    return rhs


def two_pools(made: Made) -> Callable[[Any, Any, Any, Any], Any]:
    """Return the time derivative of VLDL that is fed by liver triglyceride and directly."""
    record = fields_type("States", names_of(made, "two"))

    def rhs(t: Any, y: Any, p: Any, u: Any) -> Any:
        del t
        new, vldl, liver = entering(made, p, u), held(y, "vldl", made), held(y, "liver", made)
        into = [p.phi * old + (1 - p.phi) * part for old, part in zip(liver, new, strict=True)]
        return record(
            *(p.k * (part - now) for part, now in zip(into, vldl, strict=True)),
            *(p.k_liver * (part - now) for part, now in zip(new, liver, strict=True)),
        )

    return rhs


def names_of(made: Made, pools: str) -> list[str]:
    """Return the names of the states, those of the sampled pool first."""
    return [f"{pool}_{name}" for pool in POOLS[pools] for name in made.names]


def hydrogens(fatty_acid: str) -> Parameter:
    """Return the parameter of the hydrogens that come from water, in proportion to the chain."""
    chain = FATTY_ACIDS[fatty_acid][0] / FATTY_ACIDS["palmitate"][0]
    return Parameter(
        "N",
        unit="1",
        prior=Normal(22.0 * chain, 0.7 * chain),
        meaning=f"hydrogens of newly made {fatty_acid} that come from body water",
        source=f"{HYDROGENS}, table 2: palmitate, 22 to 23 in liver, 20 to 24 in vivo",
    )


LIVER = (
    Parameter(
        "k_liver",
        unit="1/min",
        prior=LogNormal(0.3 * PER_DAY, 0.5),
        meaning="fractional turnover of liver triglyceride",
        source=f"a choice: days, not hours, as labels of {DONNELLY} take to get through",
        spread=0.4,
    ),
    Parameter(
        "phi",
        unit="1",
        prior=Beta(2.0, 2.0),
        meaning="share of VLDL that comes from stored liver triglyceride",
        source=f"a choice: anything but none or all of it (compare {DONNELLY})",
        spread=0.5,
    ),
)
"""The further parameters of two pools; the median turnover of the liver is 0.3 per day."""


def deuterium_output(ions: Monitored, state: str) -> Output:
    """Return the measured total deuterium."""
    bound = atoms(ions.formula)["H"]
    return Output(
        f"{ions.fatty_acid}_deuterium",
        "mole_fraction",
        f"deuterium of {ions.fatty_acid} above natural, share of all hydrogens",
        analyte=f"{ions.fatty_acid}_deuterium",
        value=lambda y, p, u: getattr(y, state) / bound,
        uses=after_dose,
        cv=LogNormal(0.03, 0.5),
        floor=1e-6,
    )


def equations(*, single: bool, by_ions: bool) -> tuple[str, str]:
    """Return what changes, and what newly made molecules are like."""
    return (
        "dy_m/dt = k (f s_m(w(t)) + (1 - f) n_m - y_m),   y(0) = n"
        if single
        else "dV_m/dt = k (phi L_m + (1 - phi) (f s_m + (1 - f) n_m) - V_m),"
        "   dL_m/dt = k_liver (f s_m + (1 - f) n_m - L_m)",
        "s(w) = Binomial(N, w) of deuterium in the natural pattern n"
        if by_ions
        else "one component, the deuterium atoms of a molecule: s = N w, n = 0",
    )


def declare(settings: Settings) -> System:
    """Declare lipogenesis from heavy water under the given options."""
    ions, pools = monitored(settings), settings["pools"]
    by_ions, single = settings["measurement"] == "ions", settings["pools"] == "one"
    made = isotopomers(ions) if by_ions else total_deuterium()
    names = names_of(made, pools)
    record = fields_type("States", names)
    sampled = names[: len(made.names)]
    unit = "1" if by_ions else "mole_fraction"
    output = (
        ions_output(ions, lambda y, p, u: [getattr(y, name) for name in sampled])
        if by_ions
        else deuterium_output(ions, sampled[0])
    )
    return System(
        name="heavy_water",
        title=f"Newly made {ions.fatty_acid} from the deuterium of body water",
        equations=equations(single=single, by_ions=by_ions),
        references=(LEE, HYDROGENS),
        states=tuple(
            State(name, unit, f"{name.replace('_', ' ')}, of all molecules", made.scale)
            for name in names
        ),
        parameters=(
            newly_made(settings["nutrition"], ions.fatty_acid),
            turnover(ions.fatty_acid),
            hydrogens(ions.fatty_acid),
            *(() if single else LIVER),
        ),
        inputs=(
            Input(
                "body_water",
                "mole_fraction",
                "deuterium of body water above natural, linear between the samples, constant after",
                body_water(output.analytes[0]),
            ),
        ),
        outputs=(output,),
        derived=(per_day(), *(() if single else (per_day("k_liver"),))),
        rhs=(one_pool if single else two_pools)(made),
        initial=lambda p, u: record(*made.natural * len(POOLS[pools])),
        leading=("f",),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        conventions=(
            "Rates are per min inside; k has the prior median 6 per day (VLDL triglyceride) and is"
            " reported per day as well.",
            f"The ion is {ions.formula}, measured as "
            + (f"ions {ions}" if by_ions else "total deuterium, share of its hydrogens")
            + "; the label starts at the first sample of body water, before it all is natural.",
            "N is known only to about 0.7, and f scales with 1 / N. Two pools need weeks of label:"
            " after days f, phi and k_liver are known only together.",
        ),
    )


heavy_water = declare(default_settings(OPTIONS))
