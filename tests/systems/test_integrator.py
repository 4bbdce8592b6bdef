"""How a system declares the method that follows its states in time, and how another is chosen."""

from dataclasses import replace

import pytest

import hepaflux as hf
from hepaflux.solver.program import compile_equations
from hepaflux.systems import compose, extraction, oral_labeled

PORTAL = {"portal_insulin_above_basal": "liver_insulin_above_basal"}


def test_a_system_is_solved_as_it_declares_and_as_is_asked():
    explicit = hf.systems.minimal
    implicit = explicit.with_options(integrator="implicit")
    assert (explicit.integrator, implicit.integrator) == ("explicit", "implicit")
    curves = frozenset({"insulin_above_basal"})
    programs = [compile_equations(s, curve_names=curves) for s in (explicit, implicit)]
    assert [program.curvature is None for program in programs] == [True, False]
    assert programs[0].key != programs[1].key


def test_seconds_beside_days_are_declared_stiff():
    kinds = {
        "implicit": [
            hf.systems.signaling,
            hf.systems.selective_resistance,
            hf.systems.liver_fat.with_options(pools="five"),
        ],
        "explicit": [
            hf.systems.signaling.with_options(form="quasi-steady"),
            hf.systems.liver_fat,
            hf.systems.meal,
        ],
    }
    for integrator, systems in kinds.items():
        assert {system.integrator for system in systems} == {integrator}


def test_what_was_asked_for_outlives_other_choices():
    implicit = hf.systems.oral.with_options(integrator="implicit")
    assert implicit.with_options(effectiveness="GEZI").integrator == "implicit"
    assert implicit.with_options(integrator="explicit").integrator == "explicit"


def test_an_option_may_bring_another_integrator():
    """A cascade in time is stiff, its quasi-steady form is not."""
    oral = hf.systems.oral

    def declare(settings):
        stiff = settings["effectiveness"] == "GEZI"
        chosen = replace(oral.declare(settings), declare=declare)
        return replace(chosen, integrator="implicit" if stiff else "explicit")

    system = declare(oral.settings)
    assert system.integrator == "explicit"
    assert system.with_options(effectiveness="GEZI").integrator == "implicit"
    kept = system.with_options(effectiveness="GEZI", integrator="explicit")
    assert kept.with_options(effectiveness="GEZI").integrator == "explicit"


def test_a_body_is_stiff_if_a_part_of_it_is():
    stiff = oral_labeled.with_options(integrator="implicit")
    assert compose(extraction, oral_labeled, PORTAL).integrator == "explicit"
    assert compose(extraction, stiff, PORTAL).integrator == "implicit"


def test_an_unknown_integrator_is_refused():
    message = "integrator must be explicit or implicit, not 'Euler'"
    with pytest.raises(ValueError, match=message):
        hf.systems.minimal.with_options(integrator="Euler")
