"""What every system must obey, whichever physiology it holds."""

import dataclasses
import importlib
import pkgutil

import numpy as np
import pytest
from pint import DimensionalityError

from hepaflux import systems, units
from hepaflux.parameter import Fixed, LogNormal, Parameter
from hepaflux.solver.program import compile_equations, widths
from hepaflux.study.study import Subject
from hepaflux.systems.diacylglycerol import diacylglycerol
from hepaflux.systems.fat_tissue import fat_tissue
from hepaflux.systems.glucose_balance import glucose_balance
from hepaflux.systems.system import State, System, fields_type

ONE_BODY = {
    "I_b": "basal_insulin",
    "glucose_above_basal": "glucose_above_basal",
    "glucose_rise": "glucose_rise",
}
VARIANTS = {
    **{system.name: system for system in systems.ALL},
    "oral_GEZI": systems.oral.with_options(effectiveness="GEZI"),
    "oral_labeled_difference": systems.oral_labeled.with_options(production="difference"),
    "oral_labeled_free_two": systems.oral_labeled.with_options(
        production="free", compartments="two"
    ),
    "ivgtt_labeled_modeled": systems.ivgtt_labeled.with_options(glucose="modeled"),
    "clamp_two_portal": systems.clamp.with_options(compartments="two", portal_factor=2.5),
    "mida_heterogeneous": systems.mida.with_options(
        precursor="heterogeneous", kinetics="turnover", label="acetyl 13C2"
    ),
    "heavy_water_two": systems.heavy_water.with_options(pools="two"),
    "heavy_water_deuterium": systems.heavy_water.with_options(measurement="deuterium"),
    "clamp_without_lipolysis": systems.clamp.with_options(lipolysis="no"),
    "vldl_two_high": systems.vldl.with_options(pools="two", insulin="high"),
    "vldl_palmitate": systems.vldl.with_options(tracer="palmitate"),
    "vldl_measured": systems.vldl.with_options(precursor="measured", delay_compartments=3),
    "secretion_smoothed": systems.secretion.with_options(glucose="smoothed"),
    "secretion_standard": systems.secretion.with_options(
        kinetics="standard", disposition="matsuda"
    ),
    "extraction_saturable": systems.extraction.with_options(
        extraction="saturable", glucose="smoothed", disposition="covariate"
    ),
    "extraction+oral": systems.compose(
        systems.extraction, systems.oral, {**ONE_BODY, "insulin_above_basal": "insulin_above_basal"}
    ),
    "extraction+oral_labeled": systems.compose(
        systems.extraction.with_options(kinetics="standard", extraction="saturable"),
        systems.oral_labeled,
        {
            **ONE_BODY,
            "insulin_above_basal": "insulin_above_basal",
            "portal_insulin_above_basal": "liver_insulin_above_basal",
        },
    ),
    **{part.name: part for part in (fat_tissue, glucose_balance, diacylglycerol)},
    "selective_resistance_dynamic": systems.selective_resistance.with_options(
        form="dynamic", pools="five", unknowns="all"
    ),
    "selective_resistance_gains": systems.selective_resistance.with_options(unknowns="gains"),
    "liver_fat_five": systems.liver_fat.with_options(pools="five"),
    "signaling_cells": systems.signaling.with_options(
        tissue="fat", insulin="medium", unknowns="kinetics"
    ),
    "signaling_sites": systems.signaling.with_options(
        insulin="injected", measured="phosphosites", unknowns="cascade"
    ),
    "signaling_sites_quasi": systems.signaling.with_options(
        insulin="injected", measured="phosphosites", form="quasi-steady"
    ),
    "signaling_stated": systems.signaling.with_options(stress="stated", tissue="muscle"),
    "signaling_adipose": systems.signaling.with_options(stress="adipose"),
    "signaling_driven": systems.signaling.with_options(stress="driven"),
    "signaling_all_driven": systems.signaling.with_options(stress="driven", tissue="all"),
    "signaling_quasi": systems.signaling.with_options(form="quasi-steady", unknowns="all"),
    "sources_turnover": systems.sources.with_options(
        sources="NEFA DNL diet", kinetics="turnover", tracers="NEFA diet"
    ),
}
each_system = pytest.mark.parametrize("system", VARIANTS.values(), ids=VARIANTS)

SYSTEMS = tuple(pkgutil.iter_modules(systems.__path__))

RESTING = ("minimal", "oral", "labeled", "clamp", "secretion", "extraction")
AT_REST = [name for name in VARIANTS if any(word in name for word in RESTING)]
"""Systems that rest at basal values until something enters."""

DEVIATIONS = (
    "insulin_above_basal",
    "liver_insulin_above_basal",
    "glucose_above_basal",
    "glucose_rise",
)
"""Inputs that are zero at basal values."""


def test_names_of_systems_are_unique_and_found():
    assert len({s.name for s in systems.ALL}) == len(systems.ALL)
    assert all(systems.named(s.name) is s for s in systems.ALL)
    with pytest.raises(KeyError, match="no system 'kidney'; there are minimal, oral"):
        systems.named("kidney")


def test_a_system_that_is_not_listed_cannot_stand_alone():
    """Nothing in it is measured, or it takes as in health what nobody measures."""
    modules = [importlib.import_module(f"hepaflux.systems.{m.name}") for m in SYSTEMS]
    found = {v.name: v for m in modules for v in vars(m).values() if isinstance(v, System)}
    alone = {system.name for system in systems.ALL}
    assert found.keys() - alone == {"fat_tissue", "glucose_balance", "diacylglycerol"}
    nobody = Subject("nobody", {}, ())
    for name in found.keys() - alone:
        system = found[name]
        assert not system.outputs or all(i.read(nobody) == 1.0 for i in system.inputs)


@each_system
def test_every_record_has_a_unit_that_can_be_read_and_a_meaning(system):
    records = (
        *(*system.states, *system.parameters, *system.inputs),
        *(*system.outputs, *system.derived, *system.fluxes),
    )
    for record in records:
        units.parse(record.unit)
        assert len(record.meaning) > 3
    assert all(len(p.source) > 10 for p in system.parameters)
    assert system.equations
    assert system.references
    assert system.conventions


def plain_system(**changes):
    """y' = -k y, as small as a system can be."""
    record = fields_type("States", ["y"])
    fields = {
        "name": "plain",
        "title": "Decay",
        "equations": ("dy/dt = -k y",),
        "references": ("none",),
        "states": (State("y", "mmol/L", "the state"),),
        "parameters": (Parameter("k", "1/min", LogNormal(0.1, 0.5), "rate", "made up"),),
        "inputs": (),
        "outputs": (),
        "rhs": lambda t, y, p, u: record(-p.k * y.y),
        "initial": lambda p, u: record(1.0),
    }
    return System(**{**fields, **changes})


@each_system
def test_what_leads_is_unknown(system):
    assert set(system.leading) <= {parameter.name for parameter in system.unknowns}


def test_a_name_declared_twice_is_refused():
    parameter = plain_system().parameters[0]
    with pytest.raises(ValueError, match="'plain' declares k twice"):
        plain_system(parameters=(parameter, parameter))


@pytest.mark.parametrize("changed", [{"unit": ""}, {"meaning": ""}])
def test_a_state_without_unit_or_meaning_is_refused(changed):
    state = dataclasses.replace(plain_system().states[0], **changed)
    with pytest.raises(ValueError, match="must have a unit and a meaning"):
        plain_system(states=(state,))


def test_a_parameter_without_source_is_refused():
    with pytest.raises(ValueError, match="must have a source"):
        Parameter("k", "1/min", LogNormal(0.1, 0.5), "rate", "")


class Recorder:
    """A record that remembers which of its fields were read."""

    def __init__(self, **fields):
        self.fields, self.read = fields, set()

    def __getattr__(self, name):
        self.read.add(name)
        return self.fields[name]


def evaluate(system, y, p, u):
    """Run every function of a system; return its values with the unit each should have."""
    if system.states:
        rates = system.rhs(0.0, y, p, u)
        yield from ((r, f"{s.unit}/min") for r, s in zip(rates, system.states, strict=True))
        yield from zip(system.initial(p, u), [s.unit for s in system.states], strict=True)
    for channel in system.doses:
        gains = zip(channel.gain(p, u), system.states, strict=True)
        yield from ((g, f"({s.unit})/({channel.unit})") for g, s in gains)
    for output in system.outputs:
        value = output.value(y, p, u)
        yield from ((v, output.unit) for v in (value if output.is_composition else (value,)))
    passed = (*system.fluxes, *system.signals)
    yield from ((flux.value(y, p, u), flux.unit) for flux in passed)
    for derived in system.derived:
        value = derived.value(p, u, y) if derived.at_end else derived.value(p, u)
        yield value, derived.unit


def records(system, wrap=lambda value, unit: value, kind=lambda **fields: fields):
    """States, parameters and inputs with plausible values, vectors as tuples."""
    rng = np.random.default_rng(1)

    def value(record):
        width = widths(system).get(record.name, 0)
        if width:
            return tuple(wrap(v, record.unit) for v in rng.uniform(0.1, 1, size=width))
        return wrap(rng.uniform(0.1, 1), record.unit)

    groups = (system.states, system.parameters, system.inputs)
    return tuple(kind(**{r.name: value(r) for r in group}) for group in groups)


@each_system
def test_everything_declared_is_used(system):
    y, p, u = records(system, kind=Recorder)
    list(evaluate(system, y, p, u))
    assert y.read == {s.name for s in system.states}
    assert p.read == {q.name for q in system.parameters}
    assert u.read == {i.name for i in system.inputs}


@each_system
def test_every_parameter_is_seen_by_the_solver_or_by_what_is_reported(system):
    if not system.states:
        return
    curves = frozenset(i.name for i in system.inputs if i.axis or "above" in i.name)
    layout = compile_equations(system, curve_names=curves).layout
    seen = {name.split("[")[0] for name in (*layout.theta, *layout.constants)}
    y, p, u = records(system, kind=Recorder)
    for derived in system.derived:
        derived.value(p, u, y) if derived.at_end else derived.value(p, u)
    # A part that is not measured by itself reports to other systems.
    for record in system.outputs or (*system.fluxes, *system.signals):
        record.value(y, p, u)
    seen |= p.read
    assert {p.name for p in system.unknowns} <= seen
    assert {p.name for p in system.parameters if isinstance(p.prior, Fixed)} <= seen


def named_record(**fields):
    return fields_type("Record", list(fields))(**fields)


def check_dimensions(system):
    y, p, u = records(system, units.quantity, named_record)
    for value, unit in evaluate(system, y, p, u):
        if not (isinstance(value, float) and value == 0.0):
            units.registry().Quantity(value).to(units.parse(unit))


@each_system
def test_dimensions_are_consistent(system):
    check_dimensions(system)


def test_a_forgotten_factor_is_found_by_its_dimension():
    right = systems.minimal
    wrong = lambda t, y, p, u: right.rhs(t, y, p, u)._replace(  # noqa: E731
        action=p.SI * u.insulin_above_basal - y.action
    )
    with pytest.raises(DimensionalityError):
        check_dimensions(dataclasses.replace(right, rhs=wrong))


@pytest.mark.parametrize("name", AT_REST)
def test_basal_state_is_steady(name):
    system = VARIANTS[name]
    _, p, u = records(system, kind=named_record)
    width = widths(system)
    curves = {
        i.name: (0.0,) * width[i.name] if width[i.name] else 0.0
        for i in system.inputs
        if i.axis or i.name in DEVIATIONS
    }
    u = u._replace(**curves)
    rates = system.rhs(0.0, system.initial(p, u), p, u)
    resting = [
        rate
        for rate, state in zip(rates, system.states, strict=True)
        if not state.meaning.endswith("until now")
    ]
    np.testing.assert_allclose(resting, 0.0, atol=1e-15)


class TestOptions:
    def test_unknown_option_lists_the_known_ones(self):
        with pytest.raises(KeyError, match="no option 'basal'; it has basal_glucose"):
            systems.minimal.with_options(basal="first")

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("basal_insulin", "median"),
            ("basal_insulin", "7 mg/dL/min"),
            ("insulin_action", "cut"),
            ("insulin_action", 3),
            ("mixing", "soon"),
        ],
    )
    def test_bad_value_is_refused_by_name(self, option, value):
        with pytest.raises(ValueError, match=f"option {option} must be .* but is {value!r}"):
            systems.minimal.with_options(**{option: value})

    @pytest.mark.parametrize(("factor", "expected"), [(6.0, 43.8), (6.945, 50.6985)])
    def test_quantities_are_converted_with_the_insulin_factor(self, factor, expected):
        system = systems.minimal.with_options(basal_insulin="7.3 uU/mL", insulin_factor=factor)
        assert system.settings["basal_insulin"] == pytest.approx(expected, rel=1e-12)

    def test_glucose_by_mass(self):
        system = systems.oral.with_options(basal_glucose="90.078 mg/dL")
        assert system.settings["basal_glucose"] == pytest.approx(5.0, rel=1e-12)

    def test_choices_numbers_and_lists(self):
        system = systems.oral.with_options(basal_insulin="last", tail_rate="0.02", knots="0 30 120")
        assert system.settings["basal_insulin"] == "last"
        assert system.settings["tail_rate"] == 0.02
        assert system.settings["knots"] == (0.0, 30.0, 120.0)

    def test_changed_priors_survive_other_options(self):
        mine = LogNormal(1e-4, 0.3)
        system = systems.minimal.with_priors(SI=mine).with_options(mixing=10)
        assert system.parameter("SI").prior == mine
        assert system.parameter("SG").prior == systems.minimal.parameter("SG").prior

    def test_a_prior_of_no_parameter_is_refused(self):
        with pytest.raises(KeyError, match="no parameter 'Si'; it has SI"):
            systems.minimal.with_priors(Si=LogNormal(1, 1))

    def test_a_vector_keeps_its_dimension(self):
        with pytest.raises(ValueError, match="'absorption' must keep"):
            systems.oral.with_priors(absorption=LogNormal(1, 1))

    def test_the_original_is_unchanged(self):
        before = dict(systems.minimal.settings)
        systems.minimal.with_options(mixing=3)
        assert dict(systems.minimal.settings) == before
