"""Typical courses: whose values count, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from virtual import IVGTT, TRUTH, ivgtt, study_of

import hepaflux as hf
from hepaflux.model import typical_courses
from hepaflux.model.simulate import TOLERANCE

TIMES = np.array([10.0, 60.0, 180.0])
NAMES = tuple(TRUTH["minimal"])
PEOPLE = study_of(
    replace(ivgtt("A", size=0.5), group="lean"), replace(ivgtt("B", size=2.0), group="obese")
)


def model_of(**levels):
    by_group = levels.pop("by_group", False)
    design = hf.Design(levels=dict.fromkeys(NAMES, "shared") | levels, by_group=by_group)
    return hf.build_model(PEOPLE, hf.systems.minimal, design=design)


def posterior(**values):
    """Two draws of one chain; the other parameters are as in ``TRUTH``."""
    coords = {"chain": [0], "draw": [0, 1], "subject": ["A", "B"], "group": ["lean", "obese"]}
    variables = {
        name: (("chain", "draw"), np.full((1, 2), value))
        for name, value in TRUTH["minimal"].items()
        if name not in values
    }
    return xr.DataTree.from_dict({"/posterior": xr.Dataset(variables | values, coords=coords)})


def solved(subject, **changes):
    rtol, atol = TOLERANCE
    system = hf.systems.minimal.for_study(PEOPLE)
    found = hf.solve(system, TRUTH["minimal"] | changes, subject, times=TIMES, rtol=rtol, atol=atol)
    return found.states["glucose"]


def test_shared_parameters_count_as_they_are():
    found = typical_courses(model_of(), posterior(), TIMES, subject="B")
    assert found["glucose"].dims == ("chain", "draw", "minutes")
    assert found["glucose"].attrs["unit"] == "mmol/L"
    assert IVGTT[-1] > TIMES[-1]
    expected = solved(PEOPLE["B"])
    for draw in found["glucose"].values[0]:
        np.testing.assert_allclose(draw, expected, rtol=1e-4)
    first = typical_courses(model_of(), posterior(), TIMES)
    np.testing.assert_allclose(first["glucose"].values[0, 0], solved(PEOPLE["A"]), rtol=1e-4)


def test_people_count_at_the_median_of_their_population():
    median = np.array([[3e-5, 9e-5]])
    values = {
        "SI": (("chain", "draw", "subject"), np.full((1, 2, 2), 5e-4)),
        "SI_population": (("chain", "draw"), median),
    }
    found = typical_courses(model_of(SI="subject"), posterior(**values), TIMES)
    for draw, value in zip(found["glucose"].values[0], median[0], strict=True):
        np.testing.assert_allclose(draw, solved(PEOPLE["A"], SI=value), rtol=1e-4)


@pytest.mark.parametrize("level", ["group", "subject"])
def test_groups_differ_and_one_is_named(level):
    name = "SI" if level == "group" else "SI_population"
    values = {name: (("chain", "draw", "group"), np.array([[[9e-5, 3e-5]] * 2]))}
    model = model_of(SI=level, by_group=level == "subject")
    for group, value in (("lean", 9e-5), ("obese", 3e-5)):
        found = typical_courses(model, posterior(**values), TIMES, group=group)
        np.testing.assert_allclose(
            found["glucose"].values[0, 1], solved(PEOPLE["A"], SI=value), rtol=1e-4
        )
    for group in (None, "NAFLD"):
        with pytest.raises(ValueError, match="SI differs between groups; name one of lean, obese"):
            typical_courses(model, posterior(**values), TIMES, group=group)


def test_nobody_is_typical_where_everybody_is_on_their_own():
    values = {"SI": (("chain", "draw", "subject"), np.full((1, 2, 2), 6e-5))}
    with pytest.raises(ValueError, match="SI has a value of its own in each person"):
        typical_courses(model_of(SI="separate"), posterior(**values), TIMES)


def test_a_part_of_a_joint_model_has_what_it_shares_and_what_is_its_own():
    """Both parts share SI, which differs between groups; V is each one's own."""
    one, other = (study_of(person) for person in PEOPLE.subjects)
    parts = {"first": (one, hf.systems.minimal), "second": (other, hf.systems.minimal)}
    own = {f"{part}_{name}": "shared" for part in parts for name in NAMES if name != "SI"}
    design = hf.Design(levels=own | {"SI": "group"})
    model = hf.build_joint_model(parts, shared=("SI",), design=design)
    values = {
        f"{part}_{name}": (("chain", "draw"), np.full((1, 2), value))
        for part, V in (("first", 0.15), ("second", 0.19))
        for name, value in (TRUTH["minimal"] | {"V": V}).items()
        if name != "SI"
    }
    values |= {"SI": (("chain", "draw", "group"), np.array([[[9e-5, 3e-5]] * 2]))}
    for part, subject, group, SI, V in (
        ("first", "A", "lean", 9e-5, 0.15),
        ("second", "B", "obese", 3e-5, 0.19),
    ):
        found = typical_courses(model, posterior(**values), TIMES, group=group, part=part)
        expected = solved(PEOPLE[subject], SI=SI, V=V)
        np.testing.assert_allclose(found[f"{part}_glucose"].values[0, 1], expected, rtol=1e-4)
    for part in (None, "third"):
        with pytest.raises(ValueError, match="part must be one of first, second"):
            typical_courses(model, posterior(**values), TIMES, part=part)
    with pytest.raises(ValueError, match="the model has no parts"):
        typical_courses(model_of(), posterior(), TIMES, part="first")
