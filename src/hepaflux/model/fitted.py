"""Fitted: the people whom a fit is about, each with the draws of what it found in them.

A person has the value of a parameter that all share, that of the own group, or one of the own. The
typical person of a group has the medians of the group's population.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from hepaflux.model.predict import in_a_row


class Person(NamedTuple):
    """Someone, with the draws (draw, [axis]) of each parameter."""

    name: str
    values: Mapping[str, np.ndarray]


def people_of(
    posterior: xr.DataTree, parameters: Sequence[str], who: str | None = None
) -> list[Person]:
    """Return people of a fit.

    Parameters
    ----------
    posterior : DataTree
        As ``fit`` returns it.
    parameters : sequence of str
        Of which the draws are wanted.
    who : str, optional
        A subject; or a group, of which the typical person is meant. Every subject if not given.

    Raises
    ------
    KeyError
        If nobody is called so.
    ValueError
        If the fit lacks a parameter, does not say who is in which group, or nobody is typical.
    """
    found = posterior["posterior"].to_dataset()
    lacking = [n for n in parameters if n not in found and f"{n}_population" not in found]
    if lacking:
        raise ValueError(f"the fit says nothing of {', '.join(lacking)}")
    groups, subjects = _labels(posterior, "group"), _labels(posterior, "subject")
    known = [*subjects, *groups] or [posterior.attrs.get("study", "person") or "person"]
    wanted = [who] if who is not None else subjects or known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise KeyError(f"nobody is called {unknown[0]!r}; there are {', '.join(known)}")
    group_of = _groups_of(posterior, subjects, groups)
    return [
        Person(
            name, {parameter: _own(found[parameter], name, group_of) for parameter in parameters}
        )
        if name in subjects or not groups
        else Person(name, {parameter: _typical(found, parameter, name) for parameter in parameters})
        for name in wanted
    ]


def _labels(posterior: xr.DataTree, dim: str) -> list[str]:
    """Return the labels along a dimension; a fit of one person has them beside its draws."""
    for part in posterior.children.values():
        if dim in part.coords:
            return [str(label) for label in np.atleast_1d(part.coords[dim].values)]
    return []


def _groups_of(posterior: xr.DataTree, subjects: list[str], groups: list[str]) -> dict[str, str]:
    """Return the group of each subject; nothing where the fit does not say."""
    constant = posterior.children.get("constant_data")
    if constant is None or "subject_group" not in constant:
        return {}
    index = constant["subject_group"].to_numpy()
    return {s: groups[i] for s, i in zip(subjects, index, strict=True) if i >= 0}


def _own(values: xr.DataArray, subject: str, group_of: Mapping[str, str]) -> np.ndarray:
    """Return the draws of a parameter in a subject."""
    if "subject" in values.dims:
        values = values.sel(subject=subject)
    if "group" in values.dims:
        if subject not in group_of:
            raise ValueError(f"the fit does not say in which group {subject} is")
        values = values.sel(group=group_of[subject])
    return in_a_row(values)


def _typical(found: xr.Dataset, parameter: str, group: str) -> np.ndarray:
    """Return the draws of a parameter in the typical person of a group."""
    name = parameter
    if name not in found or "subject" in found[name].dims:
        name = f"{parameter}_population"
        if name not in found:
            raise ValueError(
                f"{parameter} has a value of its own in each person, so nobody is typical; name a"
                f" subject, or fit with level shared, group or subject for {parameter}"
            )
    values = found[name]
    return in_a_row(values.sel(group=group) if "group" in values.dims else values)
