"""Signaling cell: the moieties of one tissue or of several, with their rates and their rest.

Tissue is an axis: every tissue has the same forms and the same equations, and its own states.
"""

from typing import Any, NamedTuple

from hepaflux.systems import receptor
from hepaflux.systems.inputs import constant, medium, medium_before, plasma, plasma_before
from hepaflux.systems.option import Settings
from hepaflux.systems.receptor import Cycle, Substrate
from hepaflux.systems.serine_kinases import Surroundings, excess, load_with, spilling
from hepaflux.systems.signaling_arms import (
    TISSUES,
    Arms,
    Drive,
    Tissue,
    at_rest,
    lipogenic,
    mtorc1,
    rates,
    usual_mtorc1,
)
from hepaflux.systems.signaling_values import MEANING
from hepaflux.systems.system import Input, State, fields_type

ROUNDS = 8
"""Rounds by which the resting load is found; the last changes it by less than a millionth."""

SCALE = 0.1
"""Typical magnitude of every share and activity."""


SLOW = ("able", "inhibited")
"""Forms of IRS where all that takes minutes is at rest."""


INJECTED = State("injected", "pmol/L", "insulin that an injection has left", scale=1000.0)


class Moment(NamedTuple):
    """All that is known of a tissue at one moment; shares of moieties and activities."""

    drive: Drive
    arms: Arms
    able: Any
    inhibited: Any
    load: Any


class Equations:
    """The equations under given settings."""

    def __init__(self, settings: Settings):
        self.dynamic = settings["form"] == "dynamic"
        self.stress = settings["stress"]
        self.in_medium = settings["insulin"] == "medium"
        self.injected = settings["insulin"] == "injected"
        chosen = settings["tissue"]
        self.tissues = tuple(TISSUES.values()) if chosen == "all" else (TISSUES[chosen],)
        self.record: Any = fields_type("States", [s.name for s in self.states()])

    def named(self, tissue: Tissue, name: str) -> str:
        """Return the name of something of a tissue; where there is one tissue its plain name."""
        return f"{tissue.name}_{name}" if len(self.tissues) > 1 else name

    def forms(self, tissue: Tissue) -> tuple[str, ...]:
        """Return the states of a tissue, by their plain names."""
        slow = ("SREBP",) if tissue.is_lipogenic else ()
        if not self.dynamic:
            return (*SLOW, *slow)
        arms = (*Arms._fields[:2], *tissue.effectors, *Arms._fields[3:])
        return (*Cycle._fields, *Substrate._fields, *arms, *slow)

    def states(self) -> tuple[State, ...]:
        """Return the states."""
        own = tuple(
            State(self.named(tissue, form), "1", f"{MEANING[form]}, {tissue.name}", scale=SCALE)
            for tissue in self.tissues
            for form in self.forms(tissue)
        )
        return (*own, INJECTED) if self.injected else own

    def around(self, p: Any, u: Any) -> Surroundings:
        """Return what the cells are exposed to."""
        if self.stress == "adipose":
            return spilling(p)
        if self.stress == "driven":
            return Surroundings(*(getattr(u, name) for name in Surroundings._fields))
        if self.stress == "stated":
            return Surroundings(*(getattr(p, name) for name in Surroundings._fields))
        return Surroundings(substrate=p.substrate)

    def added(self, p: Any, u: Any) -> Any:
        """Return what the surroundings add to the load, over that of health."""
        return p.load / p.r0 - 1 if self.stress == "load" else excess(self.around(p, u), p)

    def load(self, tissue: Tissue, s6k: Any, p: Any, u: Any) -> Any:
        """Return the load of serine kinases."""
        expected = usual_mtorc1(self.usual(tissue, p), p)
        return load_with(self.added(p, u), s6k, expected, p)

    def insulin(self, tissue: Tissue, known: Any, p: Any) -> Any:
        """Return the insulin that a tissue sees, pmol/L."""
        return p.r_P * known if tissue.portal and not self.in_medium else known

    def seen(self, tissue: Tissue, y: Any, p: Any, u: Any) -> Any:
        """Return the insulin that a tissue sees now, pmol/L."""
        if self.injected:
            return self.usual(tissue, p) + y.injected
        return self.insulin(tissue, u.insulin, p)

    def usual(self, tissue: Tissue, p: Any) -> Any:
        """Return the insulin that a tissue sees in a healthy fast, pmol/L."""
        return self.insulin(tissue, p.I_ref, p)

    def unit(self, tissue: Tissue, p: Any) -> Any:
        """Return tyrosine-phosphorylated IRS that signals as much as all receptors, in health."""
        return receptor.metabolic_unit(self.usual(tissue, p), p)

    def resting(self, tissue: Tissue, y: Any, p: Any, u: Any) -> Moment:
        """Return a tissue whose fast parts are at rest."""
        able, inhibited = (getattr(y, self.named(tissue, form)) for form in SLOW)
        signal = receptor.occupancy(self.seen(tissue, y, p, u), p)
        # What inhibits in a day hardly touches what turns over in a minute: any load will do.
        made = receptor.tyrosine(able, inhibited, signal, p.r0, p)
        drive = Drive(signal, made / self.unit(tissue, p))
        arms = at_rest(drive, tissue, self.usual(tissue, p), p)
        return Moment(drive, arms, able, inhibited, self.load(tissue, arms.S6K1, p, u))

    def moment(self, tissue: Tissue, y: Any, p: Any, u: Any) -> Moment:
        """Return a tissue as it is."""
        if not self.dynamic:
            return self.resting(tissue, y, p, u)
        now = {form: getattr(y, self.named(tissue, form)) for form in self.forms(tissue)}
        cycle = Cycle(*(now[form] for form in Cycle._fields))
        drive = Drive(receptor.signal(cycle, p), now["tyrosine"] / self.unit(tissue, p))
        effectors = tuple(now[name] for name in tissue.effectors)
        plain = {name: now[name] for name in Arms._fields if name != "effectors"}
        arms = Arms(effectors=effectors, **plain)
        able = now["competent"] + now["tyrosine"]
        return Moment(drive, arms, able, now["inhibited"], self.load(tissue, now["S6K1"], p, u))

    def start(self, tissue: Tissue, p: Any, u: Any) -> list[Any]:
        """Return the states of a tissue at rest before the test.

        In a body that another system drives, the cells start in health at usual insulin.
        """
        driven = self.stress == "driven"
        before = p.I_ref if driven or self.injected else u.insulin_before
        insulin = self.insulin(tissue, before, p)
        signal = receptor.occupancy(insulin, p)
        load = p.r0 if driven else self.resting_load(tissue, signal, p, u)
        moment = self.loaded(tissue, load, signal, p)
        known = {"able": moment.able, "inhibited": moment.inhibited}
        if self.dynamic:
            made = moment.drive.metabolic * self.unit(tissue, p)
            known |= {"competent": moment.able - made, "tyrosine": made}
            known |= receptor.resting_cycle(insulin, p)._asdict() | moment.arms._asdict()
            known |= dict(zip(tissue.effectors, moment.arms.effectors, strict=True))
        if tissue.is_lipogenic:
            usual = usual_mtorc1(self.usual(tissue, p), p)
            mtor, substrate = moment.arms.mTORC1, 1.0 if driven else self.around(p, u).substrate
            known["SREBP"] = usual if driven else lipogenic(mtor, substrate, p)
        return [known[form] for form in self.forms(tissue)]

    def resting_load(self, tissue: Tissue, signal: Any, p: Any, u: Any) -> Any:
        """Return the load at rest.

        It depends on S6K1, and S6K1 by IRS on the load; each round of the loop divides what is
        missing by five or more.
        """
        usual, unit = self.usual(tissue, p), self.unit(tissue, p)
        added, expected = self.added(p, u), usual_mtorc1(usual, p)
        load = load_with(added, expected, expected, p)
        for _ in range(ROUNDS):
            made = receptor.tyrosine(*receptor.resting_shares(load, p), signal, load, p)
            driven = Drive(signal, made / unit).past(p.lambda_L)
            load = load_with(added, mtorc1(driven, usual, p), expected, p)
        return load

    def loaded(self, tissue: Tissue, load: Any, signal: Any, p: Any) -> Moment:
        """Return a tissue that is at rest in all, slow parts included."""
        shares = receptor.resting_shares(load, p)
        made = receptor.tyrosine(*shares, signal, load, p)
        drive = Drive(signal, made / self.unit(tissue, p))
        return Moment(drive, at_rest(drive, tissue, self.usual(tissue, p), p), *shares, load)

    def initial(self, p: Any, u: Any) -> Any:
        """Return the state before the test."""
        own = (x for tissue in self.tissues for x in self.start(tissue, p, u))
        return self.record(*own, *((p.I_peak,) if self.injected else ()))

    def changes(self, tissue: Tissue, y: Any, p: Any, u: Any) -> list[Any]:
        """Return the rates of change of a tissue's states, 1/min."""
        now = self.moment(tissue, y, p, u)
        known: dict[str, Any] = {}
        if tissue.is_lipogenic:
            pushed = lipogenic(now.arms.mTORC1, self.around(p, u).substrate, p)
            known["SREBP"] = (pushed - getattr(y, self.named(tissue, "SREBP"))) / p.tau_S
        if not self.dynamic:
            slow = receptor.turnover(now.able, now.inhibited, now.load, p)
            return [{**known, **dict(zip(SLOW, slow, strict=True))}[f] for f in self.forms(tissue)]

        def held(kind: Any) -> Any:
            return kind(*(getattr(y, self.named(tissue, form)) for form in kind._fields))

        insulin = self.seen(tissue, y, p, u)
        moving = rates(now.arms, now.drive, tissue, self.usual(tissue, p), p)
        known |= receptor.cycling(held(Cycle), insulin, p)._asdict()
        known |= receptor.exchange(held(Substrate), now.drive.receptor, now.load, p)._asdict()
        known |= moving._asdict() | dict(zip(tissue.effectors, moving.effectors, strict=True))
        return [known[form] for form in self.forms(tissue)]

    def rhs(self, t: Any, y: Any, p: Any, u: Any) -> Any:
        """Return the time derivative."""
        del t
        own = (x for tissue in self.tissues for x in self.changes(tissue, y, p, u))
        return self.record(*own, *((-p.k_I * y.injected,) if self.injected else ()))

    def srebp(self, tissue: Tissue, y: Any) -> Any:
        """Return SREBP-1c of a lipogenic tissue."""
        return getattr(y, self.named(tissue, "SREBP"))

    def inputs(self) -> tuple[Input, ...]:
        """Return what drives the system."""
        now, before = (medium, medium_before) if self.in_medium else (plasma, plasma_before)
        where = "in the medium" if self.in_medium else "in plasma"
        known = (
            Input("insulin", "pmol/L", f"insulin {where}", now),
            Input("insulin_before", "pmol/L", f"insulin {where} before the test", before),
        )
        if self.stress != "driven":
            return () if self.injected else known
        return (
            *(() if self.injected else known[:1]),
            *(
                Input(
                    name,
                    "1",
                    f"{MEANING[name]}; as in health unless a system drives it",
                    constant(1.0),
                )
                for name in Surroundings._fields
            ),
        )
