"""Inference data shared by the tests of this room; tests that change it take a copy."""

import pytest
import xarray as xr
from fake_posterior import fake


@pytest.fixture(scope="session")
def good():
    """One subject, well sampled, well described, well identified."""
    return fake()


@pytest.fixture(scope="session")
def small():
    """As good, but with one parameter and few draws: quick to report."""
    tree = fake(draws=20)
    tree["posterior"] = xr.DataTree(tree["posterior"].to_dataset()[["SI"]])
    return tree


@pytest.fixture(scope="session")
def grouped():
    """Six subjects in two groups; SI is 60 % lower in the second."""
    subjects = [f"S{i:02d}" for i in range(6)]
    groups = ["healthy"] * 3 + ["NAFLD"] * 3
    return fake(subjects=subjects, groups=groups, effect=0.4)


@pytest.fixture(scope="session")
def each():
    """Thirty subjects, each fitted alone."""
    return fake(subjects=[f"S{i:02d}" for i in range(30)], each=True)
