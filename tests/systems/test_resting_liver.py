"""The liver at rest: health, signs, and what each hypothesis says of a deaf first wire."""

from types import SimpleNamespace

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.parameter import LogNormal
from hepaflux.systems.glucose_balance import production as production_of_loop
from hepaflux.systems.resting_liver import insulin_drive, newly_made_share, production
from hepaflux.systems.rivals import (
    AS_IN_HEALTH,
    FREE,
    INTACT,
    PROXIMAL,
    RIVALS,
    SELECTIVE,
    hypothesis,
)
from hepaflux.systems.wires import gate, lipogenic, open_wire

LIVER = hf.systems.resting_liver


def known(**changes):
    """Parameters at which the slow loop rests in health."""
    usual = {"w_L": 1.0, "lambda_L": 0.0, "e_F": 0.35, "drive": 1.0, "e_G": 1.0}
    usual |= {"K_S": 250.0, "n_S": 1.3, "n_h": 2.2, "H_0": 0.011, "supply": 1.0, "L": 53.0}
    return SimpleNamespace(**{**LIVER.centers, **usual, **changes})


def plasma(insulin=40.0, glucose=5.0, ffa=0.5):
    now = {"insulin": insulin, "glucose": glucose, "ffa": ffa}
    return SimpleNamespace(**now, **{f"basal_{name}": value for name, value in now.items()})


def values(p, u):
    return {r.name: r.value(None, p, u) for r in LIVER.outputs} | {
        d.name: d.value(p, u) for d in LIVER.derived
    }


@pytest.mark.parametrize("selectivity", [0.0, 0.5, 1.0])
def test_health_is_the_same_under_every_hypothesis(selectivity):
    found = values(known(lambda_L=selectivity), plasma())
    assert found["egp"] == pytest.approx(0.011)
    assert found["dnl_fraction"] == pytest.approx(9.7 / (9.7 + 66))
    assert found["insulin_on_fat"] == pytest.approx(1)
    assert found["capacity"] == pytest.approx(1)
    assert found["kinase_load"] == pytest.approx(0.15)
    assert found["vldl_tg_secretion"] == pytest.approx((9.7 + 66) / 3 * 1000 / 1440)


def test_production_is_what_insulin_leaves_and_what_fatty_acids_drive():
    """0.65 parts follow what insulin leaves, 0.35 parts its power 0.3 and the root of fatty acids.

    The constants are written out: portal insulin 2.5 times that of plasma, half at 100 pmol/L.
    """
    u = plasma(insulin=85.0, ffa=0.7)
    left = (1 + 1.0**2.2) / (1 + 0.95625**2.2)
    by_hand = 0.011 * (0.65 * left + 0.35 * left**0.3 * 1.4**0.5)
    assert production(known(w_L=0.45), u) == pytest.approx(by_hand, rel=1e-12)


def test_insulin_closes_the_gate_as_far_as_the_wire_hears_it():
    """Portal insulin is 1250 pmol/L, of which 500 are heard, five times K_h: 5/6 of sigma."""
    p = known(w_L=0.4)
    assert gate(500.0, 0.4, p) == pytest.approx(1 - 0.30 * 5 / 6, rel=1e-12)
    assert open_wire(500.0, 0.4, p) == pytest.approx(1 / (1 + 5**2.2), rel=1e-12)
    assert lipogenic(500.0, 0.4, known(lambda_L=1.0)) == pytest.approx(2**1.3 / (1 + 2**1.3))


def test_secretion_and_capacity_of_a_deaf_liver_by_hand():
    """In a clamp at 500 pmol/L after 100 fasted, with twice the drive and three times the fat."""
    p = known(w_L=0.4, drive=2.0, L=159.0)
    u = SimpleNamespace(
        **{"insulin": 500.0, "glucose": 5.0, "ffa": 0.1},
        **{"basal_insulin": 100.0, "basal_glucose": 5.0, "basal_ffa": 0.6},
    )
    # Of portal 250 and, in health, 100 pmol/L; the first is the half-point.
    push = 0.5 * (1 + (250 / 100) ** 1.3)
    entering = 9.7 * 2.0 * push + 66 * (0.5 + 0.5 * 0.6 / 0.5)
    fasted, clamp, health = 1 - 0.30 / 2, 1 - 0.30 * 5 / 6, 1 - 0.30 / 2
    found = values(p, u)
    assert found["vldl_tg_secretion"] == pytest.approx(entering / 3 * 1000 / 1440 * clamp / fasted)
    filled = 159 / (52 + 159) * (52 + 53) / 53
    assert found["capacity"] == pytest.approx(entering / 75.7 / filled * health / fasted)


def test_production_is_that_of_the_slow_loop():
    """Which hears FoxO1 and fatty acids over those of health."""
    p, u = known(w_L=0.45), plasma(insulin=85.0, ffa=0.7)
    left = open_wire(85.0, 0.45, p) / open_wire(40.0, 1.0, p)
    drives = SimpleNamespace(FoxO1_drive=left, FFA_drive=0.7 / 0.5)
    assert production(p, u) == pytest.approx(production_of_loop(None, p, drives), rel=1e-12)


def test_a_deaf_wire_spares_lipogenesis_if_selective_and_not_if_proximal():
    ill = plasma(insulin=85.0)
    whole = insulin_drive(known(), ill)
    assert insulin_drive(known(w_L=0.3, lambda_L=0.0), ill) == pytest.approx(whole)
    cut = insulin_drive(known(w_L=0.3, lambda_L=1.0), ill)
    assert cut < 0.5 * whole
    # A third of the sensitivity is a third of the insulin.
    assert cut == pytest.approx(insulin_drive(known(), plasma(insulin=0.3 * 85)))
    for selectivity in (0.0, 1.0):
        deaf = known(w_L=0.3, lambda_L=selectivity)
        assert production(deaf, ill) > 1.5 * production(known(), ill)


def test_with_an_intact_wire_fatty_acids_alone_raise_production():
    high = plasma(ffa=1.0)
    assert production(known(), high) > 1.1 * production(known(), plasma())
    assert production(known(e_F=0.0), high) == pytest.approx(production(known(e_F=0.0), plasma()))


@pytest.mark.parametrize(
    ("change", "sign"),
    [({"insulin": 80}, 1), ({"glucose": 8}, 1), ({"ffa": 0.2}, 1), ({"ffa": 1.0}, -1)],
)
def test_what_raises_the_newly_made_share(change, sign):
    moved = newly_made_share(known(), plasma(**change)) - newly_made_share(known(), plasma())
    assert np.sign(moved) == sign


def test_a_share_stays_a_share():
    extreme = newly_made_share(known(drive=50.0), plasma(insulin=2000, glucose=20, ffa=0.01))
    assert 0.9 < extreme < 1


def test_more_fat_at_equal_secretion_is_less_capacity():
    assert values(known(L=245.0), plasma())["capacity"] < 0.7


def test_hypotheses_differ_in_what_they_fix_and_in_nothing_else():
    assert SELECTIVE.priors.keys() == PROXIMAL.priors.keys() == {"lambda_L"}
    assert not FREE.priors
    assert INTACT.priors["w_L"] == LogNormal(1.0, AS_IN_HEALTH)
    assert [one.fixes("lambda_L") for one in (*RIVALS, FREE)] == [True, True, True, False]
    assert hypothesis("intact") is INTACT
    with pytest.raises(KeyError, match="no hypothesis 'mixed'; there are selective, proximal"):
        hypothesis("mixed")


def test_virtual_patients_are_ill_in_the_same_way_under_the_first_two():
    """Plasma tells nothing of the truth, and fasting production little: what differs is drive."""
    assert SELECTIVE.ill["w_L"] == PROXIMAL.ill["w_L"]
    made = [hf.simulate_visits(one, subjects=200, seed=1).study for one in RIVALS]
    table = [study.measurements() for study in made]
    for analyte in ("insulin", "glucose", "ffa"):
        first, *others = (t[t.analyte == analyte].value.to_numpy() for t in table)
        for other in others:
            assert np.median(other) == pytest.approx(np.median(first), rel=0.1)
