"""Labeled oral minimal model: what insulin does to production by the liver and to disposal.

A meal with labeled glucose tells exogenous glucose from endogenous. Both leave the same pool at the
same fractional rate, so their two curves separate what an unlabeled test cannot: disposal, which
the exogenous curve shows alone, and endogenous production, which is what remains. Tracers infused
into a vein are further pools of the same kind; a study may hold any of them, or none.

Assumes     tracers and glucose are handled alike
            the amount of a glucose dose includes its label; the enrichment of the drink is the
            labeled share of it
            fraction f_abs of the drink is absorbed, of which gut and liver keep E_sp on the first
            pass; what production is lowered by afterwards counts in net splanchnic uptake
            the test begins in a basal steady state, in which production equals disposal
Valid for   labeled OGTT and meals with none, one, two or three tracers, 2 to 8 hours
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from hepaflux.parameter import Beta, Dirichlet, Fixed, LogNormal, Parameter
from hepaflux.study.study import Study
from hepaflux.systems import labeled_pool as pool
from hepaflux.systems import production
from hepaflux.systems.inputs import (
    above_basal,
    hats,
    length_of_test,
    only_dose,
    tracer_share,
    unit_hats,
)
from hepaflux.systems.labeled_pool import INFUSED
from hepaflux.systems.oral import (
    CONCENTRATION,
    KNOTS,
    VBA_MEDIAN,
    Renamed,
    appearance,
    expected_shares,
    knots_of_protocol,
)
from hepaflux.systems.oral import OPTIONS as ORAL_OPTIONS
from hepaflux.systems.pool import (
    basal_sentence,
    driving_inputs,
    glucose_output,
    glucose_signals,
    unknown,
)
from hepaflux.systems.system import (
    Derived,
    Flux,
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

VISENTIN = "Visentin R et al. (2015) Am J Physiol Endocrinol Metab 309:E161"
BASU_2003 = "Basu R et al. (2003) Am J Physiol Endocrinol Metab 284:E55 (0.129, SE 0.034)"
LIVESEY = "Livesey G et al. (1998) Am J Physiol 275:E717 (96 ± 3 %)"

EGP_KNOTS = (0.0, 15.0, 30.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 360.0)
"""Knots of production without a law, min after the meal."""

OPTIONS = (
    *(option for option in ORAL_OPTIONS if option.name != "effectiveness"),
    Option(
        "production",
        "how production is described: rate (by glucose, its rise and delayed insulin), difference"
        " (so that the whole is an unlabeled minimal model), free (any positive course)",
        default="rate",
        choices=("rate", "difference", "free"),
    ),
    pool.COMPARTMENTS,
    Option(
        "egp_knots",
        "minutes after the meal at which free production may bend; protocol: up to the last sample",
        default="protocol",
        choices=("protocol",),
        unit="min",
    ),
    Option(
        "tracers",
        "which tracers the study holds; protocol: those that were given",
        default="protocol",
        choices=("protocol",),
    ),
)

GUT = (
    Parameter(
        "f_abs",
        unit="1",
        prior=Fixed(0.96),
        meaning="fraction of the drunk glucose that is absorbed",
        source=LIVESEY,
    ),
    Parameter(
        "E_sp",
        unit="1",
        prior=Beta(6, 24),
        meaning="initial splanchnic extraction: share of the absorbed glucose that gut and liver"
        " keep on its first pass",
        source=f"{BASU_2003}; width: chosen here",
        spread=0.3,
    ),
)

LIVER_INSULIN = "liver_insulin_above_basal"
"""Input: the insulin that acts on production, which is that of plasma unless another system drives
it."""

PRODUCED = State("extra_production", "mmol/kg", "production above basal until now", scale=1.0)


class Equations:
    """The equations under given settings.

    Attributes
    ----------
    species : tuple of str
        All glucose, by origin.
    states : tuple of State
        Of all species, of insulin's actions, and the production above basal until now.
    """

    def __init__(self, settings: Settings, form: production.Production, tracers: tuple[str, ...]):
        self.compartments = settings["compartments"]
        self.form = form
        self.species = ("endogenous", "exogenous", *(t for t in INFUSED if t in tracers))
        action = State("action", "1/min", "insulin action on disposal", scale=0.01)
        glucose = pool.states(self.species, compartments=self.compartments)
        self.states = (*glucose, action, *form.states, PRODUCED)
        self.record = fields_type("States", [state.name for state in self.states])

    def glucose(self, y: Any, p: Any, u: Any) -> Any:
        """Return all glucose, mmol/L."""
        del p, u
        return pool.total(y, self.species)

    def meal(self, y: Any, p: Any, u: Any) -> Any:
        """Return the appearance of drunk glucose in plasma, mmol/kg/min."""
        del y
        return appearance(Renamed(p, f=p.f_abs * (1 - p.E_sp)), u)

    def drift(self, y: Any, p: Any, u: Any) -> Any:
        """Return the rate of change of all glucose without production, mmol/L/min."""
        p = self.form.disposal(p)
        left = [pool.kinetics(y, p, s, compartments=self.compartments)[s] for s in self.species]
        return sum(left[1:], left[0]) + self.meal(y, p, u) / p.V

    def egp(self, y: Any, p: Any, u: Any) -> Any:
        """Return endogenous production, mmol/kg/min."""
        drift = self.drift(y, p, u)
        return self.form.egp(y, self.form.disposal(p), u, pool.total(y, self.species), drift)

    def slope(self, y: Any, p: Any, u: Any) -> Any:
        """Return the rate of change of all glucose but what is infused, mmol/L/min."""
        return self.drift(y, p, u) + self.egp(y, p, u) / p.V

    def basal(self, p: Any, u: Any) -> Any:
        """Return endogenous production before the meal, mmol/kg/min."""
        return pool.basal_production(self.form.disposal(p), u)

    def disposal(self, y: Any, p: Any, u: Any) -> Any:
        """Return the rate of disappearance, mmol/kg/min."""
        del u
        p = self.form.disposal(p)
        return pool.disposal(y, p, self.species, compartments=self.compartments)

    def rhs(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        """Return the time derivative."""
        del t
        made, basal = self.egp(y, p, u), self.basal(p, u)
        p = self.form.disposal(p)
        rates: dict[str, Any] = {}
        for species in self.species:
            rates |= pool.kinetics(y, p, species, compartments=self.compartments)
        rates["endogenous"] = rates["endogenous"] + made / p.V
        rates["exogenous"] = rates["exogenous"] + self.meal(y, p, u) / p.V
        rates["action"] = pool.action_rate(y, p, u, compartments=self.compartments)
        rates |= self.form.rates(y, p, u)
        return self.record(**rates, extra_production=made - basal)

    def initial(self, p: Any, u: Any) -> Any:
        """Return the basal steady state, without any tracer."""
        zero = dict.fromkeys((state.name for state in self.states), 0.0)
        p = self.form.disposal(p)
        basal = pool.at_basal(p, u.basal_glucose, compartments=self.compartments)
        return self.record(**{**zero, **basal})

    def fluxes(self) -> tuple[Flux, ...]:
        """Return production, appearance and disposal as functions of time."""
        unit = "mmol/kg/min"
        return (
            Flux("EGP", unit, "endogenous glucose production", self.egp),
            Flux("Ra_meal", unit, "appearance of drunk glucose in plasma", self.meal),
            Flux("Rd", unit, "rate of disappearance of glucose", self.disposal),
        )

    def derived(self) -> tuple[Derived, ...]:
        """Return what is computed from parameters and from production over the test."""
        return (
            *self.form.derived,
            Derived("EGP_b", "mmol/kg/min", "basal endogenous production", self.basal),
            pool.resistance_index(self.basal),
            Derived(
                "EGP_suppression",
                "1",
                "suppression of production, mean from the meal to the last sample",
                lambda p, u, y: -y.extra_production / (self.basal(p, u) * u.test_length),
                at_end=True,
            ),
            Derived(
                "net_splanchnic_uptake",
                "1",
                "first-pass extraction and fall of production until the last sample, per absorbed"
                " glucose",
                lambda p, u, y: p.E_sp - y.extra_production / (p.f_abs * u.dose),
                at_end=True,
            ),
        )


def adapt(settings: Settings, study: Study) -> Settings:
    """Return the settings with the knots and tracers that the study's protocol determines."""
    settings = knots_of_protocol(settings, study)
    changes: dict[str, Any] = {}
    if settings["egp_knots"] == "protocol":
        last = settings["knots"][-1]
        changes["egp_knots"] = (*(knot for knot in EGP_KNOTS if knot < last), last)
    if settings["tracers"] == "protocol":
        given = {dose.what for subject in study.subjects for dose in subject.doses}
        changes["tracers"] = tuple(t for t in ("meal_tracer", *INFUSED) if t in given)
    return MappingProxyType({**settings, **changes})


def _resolved(settings: Settings) -> dict[str, Any]:
    """Return the settings with a typical protocol where no study has determined them."""
    typical = {"knots": KNOTS, "egp_knots": EGP_KNOTS, "tracers": ("meal_tracer",)}
    unknown = {name: value for name, value in typical.items() if settings[name] == "protocol"}
    return {**settings, **unknown}


def _form(settings: Settings) -> production.Production:
    if settings["production"] == "free":
        return production.freely(len(settings["egp_knots"]) - 1)
    if settings["production"] == "rate":
        return production.by_rate(LIVER_INSULIN)
    if settings["compartments"] == "two":
        raise ValueError("production by difference has one compartment, as the unlabeled model")
    return production.by_difference()


def _parameters(settings: Settings, form: production.Production) -> tuple[Parameter, ...]:
    shares = expected_shares(settings["knots"], float(settings["tail_rate"]))
    return (
        *form.parameters,
        unknown("p2", LogNormal(0.012, 0.40), spread=0.3, source=VBA_MEDIAN),
        unknown("V", LogNormal(0.16, 0.10), spread=0.07, source="chosen here, between traditions"),
        *(pool.EXCHANGE if settings["compartments"] == "two" else ()),
        *GUT,
        Parameter(
            "absorption",
            unit="1",
            prior=Dirichlet(CONCENTRATION, shares),
            meaning="share of the absorbed dose under the hat at each knot",
            source=VBA_MEDIAN,
            axis="knot",
        ),
    )


def _inputs(settings: Settings) -> tuple[Input, ...]:
    inputs = (
        *driving_inputs(settings),
        Input(
            "dose",
            "mmol/kg",
            "oral glucose dose, label included",
            only_dose("glucose", "oral"),
            takes=(("glucose", "oral"),),
        ),
        Input(
            "hat",
            "1/min",
            "hat functions of unit area over the knots, the last with its tail",
            hats(settings["knots"], float(settings["tail_rate"])),
            axis="knot",
        ),
        Input("test_length", "min", "from the meal to the last sample", length_of_test),
    )
    if "meal_tracer" in settings["tracers"]:
        read = tracer_share("meal_tracer", "oral")
        takes = (("meal_tracer", "oral"),)
        meaning = "labeled share of the drunk glucose"
        inputs += (Input("drink_label", "1", meaning, read, takes=takes),)
    if settings["production"] == "rate":
        read_insulin = above_basal("insulin", settings["basal_insulin"])
        meaning = "insulin above basal that acts on production; that of plasma"
        inputs += (Input(LIVER_INSULIN, "pmol/L", meaning, read_insulin),)
    if settings["production"] == "free":
        meaning = "hat functions of unit height over the knots of production"
        read_hats = unit_hats(settings["egp_knots"])
        inputs += (Input("egp_hat", "1", meaning, read_hats, axis="egp_knot"),)
    return inputs


def _outputs(equations: Equations, tracers: tuple[str, ...]) -> tuple[Output, ...]:
    glucose = glucose_output(uses=after_dose, cv=Fixed(0.02))
    outputs = [replace(glucose, value=equations.glucose)]
    if "meal_tracer" in tracers:
        drunk = lambda y, u: u.drink_label * y.exogenous  # noqa: E731
        outputs.append(pool.enrichment_output("meal_enrichment", drunk, equations.species))
    for tracer in (t for t in INFUSED if t in tracers):
        analyte = tracer.replace("tracer", "enrichment")
        infused = lambda y, u, tracer=tracer: getattr(y, tracer)  # noqa: E731
        outputs.append(pool.enrichment_output(analyte, infused, equations.species))
    return tuple(outputs)


def declare(settings: Settings) -> System:
    """Declare the labeled oral minimal model under the given options."""
    known = _resolved(settings)
    form, tracers = _form(known), known["tracers"]
    equations = Equations(known, form, tracers)
    infused = [tracer for tracer in INFUSED if tracer in tracers]
    return System(
        name="oral_labeled",
        title="Labeled oral minimal model: hepatic production and disposal of glucose",
        equations=(
            *pool.equations(compartments=known["compartments"]),
            f"s: {', '.join(equations.species)};   entry of endogenous: EGP",
            "entry of exogenous: f_abs (1 - E_sp) dose / weight * sum_j absorption_j hat_j(t)",
            f"{form.equation},   EGP_b = SG_D V Gb",
            "TTR = tracer / (G - tracer),   G = sum of all G_s",
        ),
        references=(production.DALLA_MAN_2013, VISENTIN, pool.VICINI, pool.TOFFOLO),
        states=equations.states,
        parameters=_parameters(known, form),
        inputs=_inputs(known),
        doses=tuple(pool.infusion_channel(t, equations.states, equations.record) for t in infused),
        outputs=_outputs(equations, tracers),
        derived=equations.derived(),
        fluxes=equations.fluxes(),
        signals=glucose_signals(equations.glucose, equations.slope),
        rhs=equations.rhs,
        initial=equations.initial,
        leading=(*form.leading, "E_sp"),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        adapt=adapt,
        conventions=(
            "A tracer-to-tracee ratio counts as tracee all glucose without that tracer; the amount"
            " of the drink includes its label.",
            "E_sp is first-pass extraction; net_splanchnic_uptake adds the fall of production over"
            " the test. They are different quantities.",
            f"Production: {settings['production']}; compartments: {settings['compartments']};"
            f" tracers: {', '.join(tracers) or 'none'}.",
            basal_sentence(settings),
        ),
    )


oral_labeled = declare(default_settings(OPTIONS))
