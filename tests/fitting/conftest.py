"""Small fits that the tests of this room share."""

import pytest
from virtual import ivgtt, ogtt, study_of

import hepaflux as hf

TINY = {"draws": 60, "tune": 100, "chains": 2}


@pytest.fixture(scope="session")
def published():
    """The published intravenous test, with the published basal insulin."""
    study = hf.read_study("pacini_bergman_1986")
    return hf.build_model(study, hf.systems.minimal.with_options(basal_insulin="7.3 uU/mL"))


@pytest.fixture(scope="session")
def three():
    """Three people with a drink each; the second lacks two samples."""
    people = [ogtt(f"S{i}", size=1 + i / 3, group="ab"[i // 2]) for i in range(3)]
    short = ogtt("S1", time=people[1].samples["glucose"].time[[0, 2, 3, 5, 7, 8, 9]], group="a")
    return study_of(people[0], short, people[2])


@pytest.fixture(scope="session")
def each(three):
    return hf.fit_each(three, hf.systems.oral, seed=4, **TINY)


@pytest.fixture(scope="session")
def alone():
    """A tree from a tiny fit of one virtual subject."""
    return hf.fit(hf.build_model(study_of(ivgtt()), hf.systems.minimal), seed=3, **TINY)
