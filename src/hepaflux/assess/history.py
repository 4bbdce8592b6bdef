"""History: what inference data says about itself, read without assuming that it is complete.

Inference data carries units, meanings, priors and provenance in the attributes of its root, and
subjects and groups as coordinates. Older or foreign files lack some of it; each reader here then
returns something empty, so that judgement and report degrade instead of failing.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

SAMPLE_DIMS = ("chain", "draw")

POPULATION_SUFFIXES = ("_population", "_spread", "_slope", "_correlation")
"""Endings of the variables that a hierarchical design adds to a parameter's own."""


def dataset(posterior: xr.DataTree, group: str) -> xr.Dataset:
    """Return one group of inference data; empty if it is not there."""
    return posterior[group].to_dataset() if group in posterior.children else xr.Dataset()


def draws(posterior: xr.DataTree) -> xr.Dataset:
    """Return the numeric variables of the posterior.

    Raises
    ------
    ValueError
        If there is no posterior.
    """
    variables = dataset(posterior, "posterior").data_vars
    numeric = [name for name, values in variables.items() if values.dtype.kind in "fiub"]
    if not numeric:
        raise ValueError("inference data must hold a posterior group, but has none; fit a model")
    return dataset(posterior, "posterior")[numeric]


def structure(posterior: xr.DataTree, name: str) -> Any:
    """Return a root attribute that holds JSON; an empty dictionary if it is not there."""
    value = posterior.attrs.get(name, "")
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else {}
    except json.JSONDecodeError:
        return {}


def words(posterior: xr.DataTree, attribute: str, name: str) -> str:
    """Return the text of a variable in ``units``, ``meanings``, ``sources`` or ``priors``.

    A variable that a design or the data gave to a parameter falls back to the parameter's own
    meaning, but never to its unit.
    """
    texts = structure(posterior, attribute)
    if not isinstance(texts, Mapping):
        return ""
    if name in texts:
        return str(texts[name])
    return str(texts.get(name.removesuffix("_population"), ""))


def unit(posterior: xr.DataTree, name: str) -> str:
    """Return the unit of a variable: ``"1"`` if it has none, empty if it is not known."""
    return words(posterior, "units", name)


def in_unit(text: str, unit: str) -> str:
    """Return a text, for example a number, followed by its unit if it has one."""
    return text if unit in ("", "1") else f"{text} {unit}"


def coordinate(posterior: xr.DataTree, name: str) -> tuple[str, ...]:
    """Return the labels along a dimension, wherever in the tree they stand."""
    for group in posterior.children.values():
        if name in group.coords:
            return tuple(str(label) for label in np.atleast_1d(group.coords[name].values))
    return ()


def subject_labels(posterior: xr.DataTree, by: str = "group") -> dict[str, str]:
    """Return the label of each subject, for example its group; empty without labels."""
    constant = dataset(posterior, "constant_data")
    if f"subject_{by}" not in constant:
        return {}
    index = constant[f"subject_{by}"].values
    known = coordinate(posterior, by)
    if index.dtype.kind in "iu":
        text = [known[i] if 0 <= i < len(known) else "" for i in index]
    else:
        text = [str(label) for label in index]
    return dict(zip(coordinate(posterior, "subject"), text, strict=True))


def labels(posterior: xr.DataTree, by: str = "group") -> tuple[str, ...]:
    """Return the labels that subjects carry, in the order of the study."""
    found = dict.fromkeys(label for label in subject_labels(posterior, by).values() if label)
    return tuple(found) or coordinate(posterior, by)


def is_each(posterior: xr.DataTree) -> bool:
    """Return whether every subject was fitted on its own."""
    variables = draws(posterior).data_vars.values()
    return all("subject" in values.dims for values in variables)


def is_sampled(posterior: xr.DataTree) -> bool:
    """Return whether the draws are those of Markov chains and not of an approximation."""
    return str(posterior.attrs.get("method", "nuts")) == "nuts"


def unknowns(posterior: xr.DataTree) -> tuple[str, ...]:
    """Return the posterior variables that have a prior; derived quantities have none."""
    names = tuple(str(name) for name in draws(posterior).data_vars)
    declared = structure(posterior, "priors") or dataset(posterior, "log_prior").data_vars
    if not declared:
        return names
    return tuple(name for name in names if name in declared or name.endswith(POPULATION_SUFFIXES))


def derived(posterior: xr.DataTree) -> tuple[str, ...]:
    """Return the posterior variables that were computed from others."""
    return tuple(
        str(name) for name in draws(posterior).data_vars if name not in unknowns(posterior)
    )


def outputs(posterior: xr.DataTree) -> tuple[str, ...]:
    """Return the names of what was measured."""
    return tuple(str(name) for name in dataset(posterior, "observed_data").data_vars)


def wholes(posterior: xr.DataTree) -> dict[str, tuple[str, ...]]:
    """Return the outputs by what was measured at once: the parts of a composition are one."""
    observed = dataset(posterior, "observed_data").data_vars
    likelihoods = {v.dims[-1]: str(n) for n, v in dataset(posterior, "log_likelihood").items()}
    found: dict[str, tuple[str, ...]] = {}
    for name in outputs(posterior):
        whole = likelihoods.get(observed[name].dims[-1], name)
        found[whole] = (*found.get(whole, ()), name)
    return found


def observation_subjects(posterior: xr.DataTree, output: str) -> np.ndarray:
    """Return the subject of each observation of an output, by name."""
    constant = dataset(posterior, "constant_data")
    known = coordinate(posterior, "subject") or ("",)
    if f"{output}_subject" not in constant:
        return np.full(dataset(posterior, "observed_data")[output].shape, known[0])
    return np.asarray(known)[constant[f"{output}_subject"].values]


def is_measured(posterior: xr.DataTree, output: str) -> np.ndarray:
    """Return which observations of an output are values and not only limits of the assay."""
    constant = dataset(posterior, "constant_data")
    if f"{output}_censoring" not in constant:
        return np.full(dataset(posterior, "observed_data")[output].shape, True)
    return constant[f"{output}_censoring"].values == 0


def number(value: float) -> str:
    """Return a number with three significant digits."""
    return f"{value:.3g}" if np.isfinite(value) else "not available"


def join(names: Iterable[str], limit: int = 6) -> str:
    """Return names as a list in words, cut short when long."""
    names = list(names)
    shown = names[:limit] + ([f"{len(names) - limit} more"] if len(names) > limit else [])
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
