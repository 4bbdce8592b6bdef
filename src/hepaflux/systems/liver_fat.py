"""Liver fat: where the triglyceride of the liver comes from and goes, over days to months.

The liver takes up fatty acids from plasma (NEFA) and from remnants, makes others (lipogenesis),
burns a share and stores the rest as triglyceride, which leaves in VLDL: with a plateau in liver fat
and a gate that insulin closes. VLDL and chylomicrons are cleared from plasma, and a small part of
them comes back as remnants. All flows are means over 24 h.

Assumes     before time 0 the liver is at rest: its capacity of export follows from fat and flows
            the share that is burned falls with lipogenesis, by the power 0.1
            plasma triglyceride, which turns over in an hour, is at rest (one pool)
Valid for   days to years (pools=one). Five pools, fatty acids and triglyceride of cytosol and
            endoplasmic reticulum, have times from seconds to days: the implicit method.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from hepaflux.parameter import Fixed
from hepaflux.systems.fat_export import FABBRINI, fat_share, saturation, triglyceride
from hepaflux.systems.inputs import constant
from hepaflux.systems.lipogenesis import PER_DAY
from hepaflux.systems.liver_fat_values import ARROWS, RIEGER, conditions, parameters, treatments
from hepaflux.systems.system import (
    Derived,
    Flux,
    Input,
    Option,
    Output,
    Settings,
    State,
    System,
    default_settings,
    fields_type,
)

EQUATIONS = (
    "entering = NEFA + DNL + 3 remnants,   burned = ox entering (DNL_before / DNL)^e_ox",
    "pools=one: dL/dt = (entering - burned) / 3 - VLDL,   VLDL = V_max L / (K_V + L) gate",
    "V_max = VLDL_before (K_V + L_0) / L_0,   L_0 = IHTG / (1 - IHTG) lean_liver / TG_mass",
    "gate = (1 - sigma a) / (1 - sigma a_usual),   a = a_usual insulin_drive",
    "remnants = k_rem TG_p V_p,   V_p dTG_p/dt = VLDL + chylomicrons - (k_LPL + k_rem) TG_p V_p"
    " (at rest in one pool)",
    "pools=five: V_c dFA_c/dt = entering + 3 k_lip TG_c V_c - k_ox FA_c V_c (DNL_before/DNL)^e_ox -"
    " (k_c FA_c^3 + k_move FA_c) V_c",
    "V_c dTG_c/dt = (k_c FA_c^3 / 3 - k_lip TG_c) V_c,"
    "   V_r dFA_r/dt = k_move FA_c V_c - k_r FA_r^3 V_r,  V_r dTG_r/dt = k_r FA_r^3 V_r / 3 - VLDL",
    "from time 0 on NEFA, DNL and chylomicrons are multiplied by NEFA_factor, DNL_factor and"
    " diet_factor",
)
"""As a reader would write them; flows in mmol/day."""

FLOW = "mmol/day"


class Supply(NamedTuple):
    """What the liver is offered, mmol/day: fatty acids, and triglyceride of chylomicrons."""

    NEFA: Any
    DNL: Any
    chylomicrons: Any


class Balance(NamedTuple):
    """The flows of a moment, mmol/day; entering and burned are fatty acids, others triglyceride.

    ``plasma`` is plasma triglyceride in mmol/L, ``content`` that of the liver in mmol.
    """

    supply: Supply
    entering: Any
    burned: Any
    stored: Any
    secreted: Any
    remnants: Any
    plasma: Any
    content: Any


def before(p: Any) -> Supply:
    """Return what the liver was offered before time 0."""
    return Supply(p.NEFA, p.DNL, p.chylomicrons)


def after(p: Any) -> Supply:
    """Return what the liver is offered from time 0 on, if no other system drives it."""
    return Supply(p.NEFA * p.NEFA_factor, p.DNL * p.DNL_factor, p.chylomicrons * p.diet_factor)


def offered(p: Any, u: Any) -> Supply:
    """Return what the liver is offered now."""
    supply = after(p)
    return supply._replace(NEFA=supply.NEFA * u.NEFA_drive, DNL=supply.DNL * u.DNL_drive)


def returning(p: Any) -> Any:
    """Return the share of plasma triglyceride that comes back to the liver."""
    return p.k_rem / (p.k_rem + p.k_LPL)


def burned_share(supply: Supply, p: Any) -> Any:
    """Return the share of entering fatty acids that is burned."""
    return p.ox * (p.DNL / supply.DNL) ** p.e_ox


def resting_secretion(supply: Supply, p: Any) -> Any:
    """Return the secretion at which as much leaves as is stored, mmol/day of triglyceride."""
    kept, back = 1 - burned_share(supply, p), returning(p)
    enters = supply.NEFA + supply.DNL + 3 * back * supply.chylomicrons
    return kept * enters / 3 / (1 - kept * back)


def relaxation(p: Any) -> Any:
    """Return the days in which a small change of liver fat decays; a part of it comes back."""
    kept, unfilled = 1 - burned_share(after(p), p), 1 - saturation(triglyceride(p), p)
    return p.K_V / (capacity(p) * unfilled**2 * (1 - kept * returning(p)))


def capacity(p: Any) -> Any:
    """Return the highest secretion at usual insulin, mmol/day."""
    return resting_secretion(before(p), p) / saturation(triglyceride(p), p)


def gate(action: Any, p: Any) -> Any:
    """Return secretion over that at usual insulin action."""
    return (1 - p.sigma * action) / (1 - p.sigma * p.a_usual)


def opening(p: Any, u: Any) -> Any:
    """Return secretion over that at usual insulin action, with what drives it now."""
    return gate(p.a_usual * u.insulin_drive, p)


def resting_content(supply: Supply, opened: Any, p: Any) -> Any:
    """Return liver triglyceride at rest, mmol; below zero where secretion cannot keep up."""
    leaving = resting_secretion(supply, p)
    return p.K_V * leaving / (capacity(p) * opened - leaving)


def plasma_at_rest(entering: Any, p: Any) -> Any:
    """Return plasma triglyceride in mmol/L where as much is cleared as enters, in mmol/day."""
    return entering / ((p.k_LPL + p.k_rem) * p.V_p)


class OnePool:
    """Liver triglyceride as one pool; plasma triglyceride is at rest."""

    states = (State("L", "mmol", "triglyceride of the liver", scale=50.0),)
    record: Any = fields_type("States", ["L"])

    def balance(self, y: Any, p: Any, u: Any) -> Balance:
        """Return the flows of a moment."""
        supply = offered(p, u)
        secreted = capacity(p) * saturation(y.L, p) * opening(p, u)
        remnants = returning(p) * (secreted + supply.chylomicrons)
        entering = supply.NEFA + supply.DNL + 3 * remnants
        burned = burned_share(supply, p) * entering
        plasma = plasma_at_rest(secreted + supply.chylomicrons, p)
        stored = (entering - burned) / 3
        return Balance(supply, entering, burned, stored, secreted, remnants, plasma, y.L)

    def rhs(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        """Return the time derivative."""
        del t
        now = self.balance(y, p, u)
        return self.record((now.stored - now.secreted) * PER_DAY)

    def initial(self, p: Any, u: Any) -> Any:
        """Return the state at rest before time 0."""
        del u
        return self.record(triglyceride(p))


class FivePools:
    """Fatty acids and triglyceride of cytosol and endoplasmic reticulum, and of plasma."""

    states = (
        State("FA_c", "mmol/L", "fatty acids of the cytosol", scale=0.1),
        State("TG_c", "mmol/L", "triglyceride of the cytosol", scale=50.0),
        State("FA_r", "mmol/L", "fatty acids of the endoplasmic reticulum", scale=0.1),
        State("TG_r", "mmol/L", "triglyceride of the endoplasmic reticulum", scale=50.0),
        State("TG_p", "mmol/L", "triglyceride of plasma", scale=1.0),
    )
    record: Any = fields_type("States", ["FA_c", "TG_c", "FA_r", "TG_r", "TG_p"])

    def rates(self, p: Any) -> dict[str, Any]:
        """Return the rate constants that hold the state before time 0."""
        fat, (c, r) = self.initial(p, None), (p.V_c, p.V_r)
        leaving = resting_secretion(before(p), p)
        return {
            "k_ox": 3 * leaving * p.ox / (1 - p.ox) / (fat.FA_c * c),
            "k_c": 3 * p.k_lip * fat.TG_c / fat.FA_c**3,
            "k_move": 3 * leaving / (fat.FA_c * c),
            "k_r": 3 * leaving / (fat.FA_r**3 * r),
        }

    def balance(self, y: Any, p: Any, u: Any) -> Balance:
        """Return the flows of a moment."""
        supply, k = offered(p, u), self.rates(p)
        half = p.K_V / (p.V_c + p.V_r)
        secreted = capacity(p) * y.TG_r / (half + y.TG_r) * opening(p, u)
        remnants = p.k_rem * y.TG_p * p.V_p
        slowed = burned_share(supply, p) / p.ox
        made = (k["k_c"] * y.FA_c**3 - 3 * p.k_lip * y.TG_c) * p.V_c + k["k_r"] * y.FA_r**3 * p.V_r
        return Balance(
            supply=supply,
            entering=supply.NEFA + supply.DNL + 3 * remnants,
            burned=k["k_ox"] * y.FA_c * p.V_c * slowed,
            stored=made / 3,
            secreted=secreted,
            remnants=remnants,
            plasma=y.TG_p,
            content=y.TG_c * p.V_c + y.TG_r * p.V_r,
        )

    def rhs(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        """Return the time derivative."""
        del t
        now, k = self.balance(y, p, u), self.rates(p)
        released, bound = p.k_lip * y.TG_c, k["k_c"] * y.FA_c**3
        moved, made = k["k_move"] * y.FA_c * p.V_c, k["k_r"] * y.FA_r**3
        cleared = p.k_LPL * y.TG_p * p.V_p + now.remnants
        return self.record(
            FA_c=((now.entering - now.burned - moved) / p.V_c + 3 * released - bound) * PER_DAY,
            TG_c=(bound / 3 - released) * PER_DAY,
            FA_r=(moved / p.V_r - made) * PER_DAY,
            TG_r=(made / 3 - now.secreted / p.V_r) * PER_DAY,
            TG_p=(now.secreted + now.supply.chylomicrons - cleared) / p.V_p * PER_DAY,
        )

    def initial(self, p: Any, u: Any) -> Any:
        """Return the state at rest before time 0."""
        del u
        fat = triglyceride(p) / (p.V_c + p.V_r)
        return self.record(p.FA_0, fat, p.FA_0, fat, plasma_before(p))


def plasma_before(p: Any) -> Any:
    """Return plasma triglyceride before time 0, mmol/L."""
    return plasma_at_rest(resting_secretion(before(p), p) + p.chylomicrons, p)


POOLS: dict[str, OnePool | FivePools] = {"one": OnePool(), "five": FivePools()}


INPUTS = (
    Input("NEFA_drive", "1", "uptake of fatty acids over that before", constant(1.0)),
    Input("DNL_drive", "1", "lipogenesis over that before", constant(1.0)),
    Input("insulin_drive", "1", "action of insulin on secretion over that usual", constant(1.0)),
)

FLUXES = (
    ("NEFA_uptake", FLOW, "uptake of fatty acids from plasma", lambda b, p: b.supply.NEFA),
    ("lipogenesis_rate", FLOW, "fatty acids made by lipogenesis", lambda b, p: b.supply.DNL),
    ("oxidation", FLOW, "fatty acids burned by the liver", lambda b, p: b.burned),
    ("storage", FLOW, "triglyceride made for storage or export", lambda b, p: b.stored),
    ("secretion_rate", FLOW, "triglyceride secreted in VLDL", lambda b, p: b.secreted),
    ("remnant_uptake", FLOW, "triglyceride that comes back in remnants", lambda b, p: b.remnants),
    ("liver_content", "mmol", "triglyceride of the liver", lambda b, p: b.content),
)
"""Name, unit, meaning, and how each follows from the balance of a moment."""

Known = Callable[[Balance, Any], Any]
"""How something follows from the balance of a moment and the parameters."""


def of_balance(pools: OnePool | FivePools, value: Known) -> Callable[[Any, Any, Any], Any]:
    """Return what follows from a balance as a function of states, parameters and inputs."""
    return lambda y, p, u: value(pools.balance(y, p, u), p)


PER_MINUTE = 1000 * PER_DAY
"""umol/min in one mmol/day."""


def outputs(pools: OnePool | FivePools) -> tuple[Output, ...]:
    """Return what can be measured; nobody needs to have all of it."""
    plain = (
        (
            *("ihtg", "1", "liver triglyceride, fraction of liver mass", Fixed(0.10), 0.005),
            lambda b, p: fat_share(b.content, p),
        ),
        (
            *("plasma_tg", "mmol/L", "plasma triglyceride, mean of a day", Fixed(0.10), 0.05),
            lambda b, p: b.plasma,
        ),
        (
            *("vldl_tg_secretion", "umol/min", "secretion of VLDL triglyceride", Fixed(0.12), 0.5),
            lambda b, p: b.secreted * PER_MINUTE,
        ),
        (
            *("dnl_fraction", "1", "newly made share of secreted fatty acids", Fixed(0.12), 0.01),
            lambda b, p: b.supply.DNL / (3 * b.stored),
        ),
    )
    return tuple(
        Output(n, unit, meaning, n, of_balance(pools, at), cv=cv, floor=floor, required=False)
        for n, unit, meaning, cv, floor, at in plain
    )


def fluxes(pools: OnePool | FivePools) -> tuple[Flux, ...]:
    """Return what nobody measures."""
    return tuple(
        Flux(n, unit, meaning, of_balance(pools, at), ARROWS.get(n))
        for n, unit, meaning, at in FLUXES
    )


SIGNALS = (
    ("storage_drive", "made", lambda b, p: b.stored / resting_secretion(before(p), p)),
    ("content_drive", "held", lambda b, p: b.content / triglyceride(p)),
)
"""Name of what drives other systems, what it is over that before, and how it follows."""


def signals(pools: OnePool | FivePools) -> tuple[Flux, ...]:
    """Return by what it can drive another system, beside its fluxes."""
    return tuple(
        Flux(n, "1", f"triglyceride {what} over that before", of_balance(pools, at))
        for n, what, at in SIGNALS
    )


DERIVED = (
    Derived("V_max", FLOW, "highest secretion at usual insulin", lambda p, u: capacity(p)),
    Derived(
        "secretion_before",
        FLOW,
        "secretion at rest before time 0",
        lambda p, u: resting_secretion(before(p), p),
    ),
    Derived(
        "IHTG_in_the_end",
        "1",
        "liver fat at rest with what is offered from time 0 on; negative: none, it only rises",
        lambda p, u: fat_share(resting_content(after(p), 1.0, p), p),
    ),
    Derived(
        "relaxation",
        "day",
        "time in which liver fat approaches rest, near its beginning",
        lambda p, u: relaxation(p),
    ),
    Derived(
        "TG_over_high",
        "1",
        "plasma triglyceride before time 0 over TG_high",
        lambda p, u: plasma_before(p) / p.TG_high,
    ),
)

OPTIONS = (
    Option(
        "pools",
        "one pool of triglyceride, for inference, or five with fatty acids",
        default="one",
        choices=tuple(POOLS),
    ),
)


def declare(settings: Settings) -> System:
    """Declare the balance of liver fat under the given options."""
    pools = POOLS[settings["pools"]]
    return System(
        name="liver_fat",
        title="Liver fat: uptake, lipogenesis, oxidation and export of fatty acids",
        equations=EQUATIONS,
        references=(RIEGER, FABBRINI),
        states=pools.states,
        parameters=parameters(five=settings["pools"] == "five"),
        inputs=INPUTS,
        outputs=outputs(pools),
        derived=DERIVED if settings["pools"] == "one" else DERIVED[:2] + DERIVED[3:],
        fluxes=fluxes(pools),
        signals=signals(pools),
        rhs=pools.rhs,
        initial=pools.initial,
        leading=("IHTG", "NEFA", "DNL"),
        rests_on={"V_max": ("K_V",), "IHTG_in_the_end": ("K_V",)},
        conditions=conditions(),
        treatments=treatments(),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        integrator="implicit" if settings["pools"] == "five" else "explicit",
        conventions=(
            "Flows are means over 24 h, in mmol/day; time is in min as everywhere. NEFA and DNL are"
            " fatty acids, three to a triglyceride.",
            "Time 0 is when treatment begins; before it the liver is at rest, so that V_max follows"
            " from liver fat and flows.",
            "The newly made share is that of secreted fatty acids if none of them were burned.",
        ),
    )


liver_fat = declare(default_settings(OPTIONS))
