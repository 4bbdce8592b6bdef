"""The slow loop: health rests, drivers lead to disease, and a diet leads back."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from typer.testing import CliRunner

import hepaflux as hf
from hepaflux.cli import app
from hepaflux.systems.selective_resistance import RECORD, initial, rhs
from hepaflux.systems.selective_resistance_values import FATTY

LOOP = hf.systems.selective_resistance
DAY = 1440.0


@functools.cache
def course(state, days=(0, 3000), **changes):
    """Everything that is known at some days, by SciPy."""
    p = SimpleNamespace(**{**LOOP.in_condition(state).centers, **changes})
    solved = solve_ivp(
        lambda t, y: rhs(t, RECORD(*y), p, None),
        (0.0, days[-1] * DAY),
        np.array(initial(p, None)),
        method="LSODA",
        t_eval=np.array(days) * DAY,
        rtol=1e-9,
        atol=1e-11,
    )
    assert solved.success
    y = RECORD(*solved.y)
    return {r.name: r.value(y, p, None) for r in (*LOOP.outputs, *LOOP.fluxes)} | y._asdict()


def test_health_is_an_exact_fixed_point():
    p = SimpleNamespace(**LOOP.in_condition("normal").centers)
    rates = np.array(rhs(0.0, initial(p, None), p, None), dtype=float)
    np.testing.assert_allclose(rates, 0.0, atol=1e-10 / DAY)
    for selectivity in (0.3, 1.0):
        p.lambda_L = selectivity
        np.testing.assert_allclose(rhs(0.0, initial(p, None), p, None), 0.0, atol=1e-10 / DAY)


def test_health_comes_back_after_a_push():
    found = course("normal", (0, 1, 3000), from_L=1.5, from_D=1.5, from_W=0.7, from_S=1.5)
    assert abs(found["L"][1] / 53 - 1) > 0.1
    for name, healthy in (("L", 53.0), ("D", 1.0), ("W", 1.0), ("S", 1.0), ("G", 5.0)):
        assert found[name][-1] == pytest.approx(healthy, rel=1e-6)


TABLE = {
    "normal": (5.0, 40, 11.0, 3.05, 23.2, 0.139, 1.0, 1.0, 1.0),
    "obese": (5.2, 57, 11.8, 5.7, 30.6, 0.168, 0.68, 3.2, 1.5),
    "nafld": (5.33, 85, 12.1, 12.7, 38.1, 0.226, 0.447, 4.7, 2.34),
    "t2d": (7.08, 78, 14.7, 18.5, 41.7, 0.257, 0.368, 5.2, 2.60),
}
"""By state, as an earlier simulation of the same equations gave them: glucose, insulin, production
(umol/kg/min), liver fat (%), secretion (mmol/day), newly made share, wire 1, ratio of inhibited
IRS, HIRI ratio. There is no published simulation to hold them against."""


@pytest.mark.parametrize("state", TABLE)
def test_drivers_lead_where_they_are_said_to(state):
    found = {name: values[-1] for name, values in course(state).items()}
    load, healthy = found["kinase_load"], 0.15
    got = (
        *(found["glucose"], found["insulin"], 1e3 * found["egp"], 100 * found["ihtg"]),
        *(found["secretion_rate"], found["dnl_fraction"], found["wire_1"]),
        *(load / (1 + load) / (healthy / (1 + healthy)), found["HIRI"]),
    )
    # The table is rounded to two or three digits.
    np.testing.assert_allclose(got, TABLE[state], rtol=0.02)


def test_what_people_show_is_met_or_missed_as_said():
    """In fatty livers HIRI is two to three times that of health and secretion about twice, with a
    plateau; the newly made share was 0.26 to 0.38, which is missed from below."""
    well, ill, worse = (
        {n: v[-1] for n, v in course(s).items()} for s in ("normal", "nafld", "t2d")
    )
    assert 2 < ill["HIRI"] < 3
    assert 1.5 < ill["secretion_rate"] / well["secretion_rate"] < 2
    more_fat = worse["ihtg"] / ill["ihtg"] - 1
    assert worse["secretion_rate"] / ill["secretion_rate"] - 1 < more_fat / 3
    assert ill["dnl_fraction"] < 0.26


def test_a_diet_begins_where_the_fatty_liver_rests():
    end = course("nafld")
    healthy = {"L": 53.0, "G": 5.0}
    for name in "LDWSCG":
        found = end[name][-1] / healthy.get(name, 1.0)
        assert FATTY[f"from_{name}"] == pytest.approx(found, rel=1e-4)


def test_a_diet_leads_back_within_weeks():
    """Liver fat 12.7 %, then 11.2 (2 days), 7.7 (7), 4.2 (14) and 2.5 (28) by the same equations,
    which fits if fat and muscle become as sensitive as in obesity; if not, it falls later."""
    found = course("nafld_diet", (0, 2, 7, 14, 28))
    said = [12.7, 11.2, 7.7, 4.2, 2.5]
    np.testing.assert_allclose(100 * found["ihtg"], said, rtol=0.02)
    slower = course("nafld_diet", (0, 7, 14), w_A=0.6, w_M=0.5)
    assert np.all(slower["ihtg"][1:] > found["ihtg"][2:4])
    assert np.all(np.diff(found["wire_1"]) > 0)
    assert np.all(np.diff(found["HIRI"]) < 0)


def test_relaxation_takes_weeks_to_months():
    """From health half of the way to a fatty liver takes weeks."""
    days = tuple(range(0, 400, 4))
    fat = course("nafld", days)["ihtg"]
    half = days[int(np.argmax(fat > 0.5 * (fat[0] + fat[-1])))]
    assert 14 < half < 120


@pytest.mark.parametrize(("name", "value"), [("FM", 1.45), ("w_A", 0.6)])
def test_a_leak_of_fat_by_itself_makes_the_liver_deaf(name, value):
    found = course("normal", **{name: value})
    assert found["HIRI"][-1] > 1.05
    assert found["ihtg"][-1] > 1.05 * found["ihtg"][0]


def test_muscle_by_itself_raises_insulin_and_lipogenesis_alone():
    """A limit of these equations: beta cells answer muscle so well that glucose falls."""
    found = course("normal", w_M=0.5)
    assert found["insulin"][-1] > 1.3 * 40
    assert found["wire_2"][-1] > 1.1
    assert found["HIRI"][-1] == pytest.approx(1, abs=0.03)
    assert found["glucose"][-1] < 5.0


def test_selectivity_decides_over_lipogenesis():
    """The wire to glucose is lost in both. What insulin adds to lipogenesis beside nutrition and
    glucose is nearly as much as that of health if its wire is spared, a tenth of it if cut."""
    spared, cut = (course("nafld", lambda_L=value) for value in (0.0, 1.0))
    assert spared["wire_1"][-1] < 0.5
    assert cut["wire_1"][-1] < 0.6
    added = [f["wire_2"][-1] / (1.3 * f["glucose"][-1] / 5.0) - 1 for f in (spared, cut)]
    assert added[0] > 0.8
    assert 0 < added[1] < 0.1
    assert spared["ihtg"][-1] > cut["ihtg"][-1]


def test_the_loop_is_what_makes_it_worse():
    """Without diacylglycerol's hold on the wire, the same drivers leave most of it."""
    whole, cut = course("nafld"), course("nafld", k_P=0.0)
    assert cut["wire_1"][-1] > whole["wire_1"][-1] + 0.2
    assert cut["HIRI"][-1] < whole["HIRI"][-1]


def test_a_year_is_one_line(tmp_path):
    out = tmp_path / "loop"
    words = ["simulate", "selective_resistance", "--state", "nafld", "--days", "365", "--plot"]
    result = CliRunner().invoke(app, [*words, "-o", str(out)])
    assert result.exit_code == 0, result.stdout + result.stderr
    courses = np.genfromtxt(out / "courses.csv", delimiter=",", names=True, dtype=None)
    expected = course("nafld", (0, 28, 365))["ihtg"]
    drawn = np.interp([0, 28 * DAY, 365 * DAY], courses["minutes"], courses["ihtg_1"])
    np.testing.assert_allclose(drawn, expected, rtol=1e-3)


def test_a_person_can_be_fitted():
    """The model builds, and its density is finite where it begins."""
    model = hf.build_model(hf.simulate_study(LOOP, subjects=1, protocol="year").study, LOOP)
    assert np.isfinite(model.compile_logp()(model.initial_point()))
