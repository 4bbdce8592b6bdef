"""Run: a folder with posterior, summary, diagnostics, report and recipe; written whole or not.

A run is built in a hidden folder beside its place and moved there by one rename, so that an error
or Ctrl-C leaves either the old state or the new one.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import tomli_w
import xarray as xr

from hepaflux.assess import history
from hepaflux.assess.compare import Comparison, Contrast
from hepaflux.assess.report import Evidence, gather, render, render_report

POSTERIOR, SUMMARY, DIAGNOSTICS = "posterior.nc", "summary.csv", "diagnostics.json"
PAGE, RECIPE = "report.html", "run.toml"

ENGINE = "h5netcdf"

KEPT_OUT = ("warmup_posterior", "warmup_sample_stats")
"""Groups that nobody reads after sampling."""

LARGE = ("posterior_predictive", "prior_predictive", "expected", "log_likelihood")
"""Groups that are stored in single precision: seven digits are more than the noise leaves."""

RECIPE_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "study": ("study", "study_title", "study_origin", "study_checksum", "citation"),
    "model": (
        "system",
        "insulin_factor",
        "options",
        "design",
        "noise",
        "priors",
        "fixed",
        "tolerance",
        "conventions",
    ),
    "sampling": ("method", "chains", "tune", "draws", "seed", "sampling_seconds", "sampled_longer"),
}


class RunError(ValueError):
    """A folder that is no run, or a run that cannot be read."""


class RunExistsError(RunError):
    """A run that would be overwritten."""


def report(
    posterior: xr.DataTree,
    folder: str | Path,
    *,
    force: bool = False,
    contrasts: Iterable[Contrast | Comparison] = (),
) -> Path:
    """Write a run folder, whole or not at all.

    Parameters
    ----------
    posterior : DataTree
        Inference data as ``fit`` returns it.
    folder : path
        Where the run goes; folders above it are made.
    force : bool
        Whether an existing run may be replaced; the old one goes only when the new one is whole.
    contrasts : iterable of Contrast or Comparison
        To be reported instead of the automatic ones.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RunExistsError
        If the folder exists and ``force`` is false.
    RunError
        If ``force`` is true but the folder holds something else than a run.
    """
    target = Path(folder)
    require_place(target, force=force)
    evidence = gather(posterior, contrasts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with staged(target) as stage:
        _write(posterior, evidence, stage)
    return target


def load_run(folder: str | Path) -> xr.DataTree:
    """Read the posterior of a run, into memory.

    Raises
    ------
    RunError
        If the folder is no run or its posterior cannot be read.
    """
    path = Path(folder) / POSTERIOR
    if not path.is_file():
        raise RunError(f"{folder} is not a run: it holds no {POSTERIOR}")
    try:
        with xr.open_datatree(path, engine=ENGINE) as tree:
            posterior = tree.load()
    except Exception as error:  # HDF5 raises a dozen unrelated types for a damaged file
        raise RunError(f"{path} is damaged and cannot be read; repeat the run ({error})") from error
    if "posterior" not in posterior.children:
        raise RunError(f"{path} is not a run: it has no posterior group")
    return posterior


def refresh_report(folder: str | Path) -> Path:
    """Make the report of a run anew from its posterior, and return its path.

    Raises
    ------
    RunError
        If the folder is no run or its posterior cannot be read.
    """
    page = render_report(load_run(folder))
    target = Path(folder) / PAGE
    part = _beside(target)
    try:
        part.write_text(page, encoding="utf-8")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def require_place(target: Path, *, force: bool) -> None:
    """Refuse a place for a run that holds something which may not be replaced.

    Parameters
    ----------
    target : path
        Where a run shall go.
    force : bool
        Whether a run that is there may be replaced.

    Raises
    ------
    RunExistsError
        If the folder exists and ``force`` is false.
    RunError
        If ``force`` is true but the folder holds something else than a run, or nothing can be
        written there.
    """
    if not os.path.lexists(target):
        return _require_writable(target)
    if not force:
        raise RunExistsError(
            f"{target} exists; choose another folder or force its replacement (--force)"
        )
    is_run = (target / RECIPE).is_file()
    if not is_run and not (target.is_dir() and not any(target.iterdir())):
        raise RunError(f"{target} is not a run and will not be replaced; choose another folder")


def _require_writable(target: Path) -> None:
    """Refuse a place below which nothing can be written, before an hour of sampling is lost."""
    above = next(folder for folder in target.absolute().parents if os.path.lexists(folder))
    try:
        with TemporaryDirectory(dir=above, prefix="."):
            pass
    except OSError as error:
        raise RunError(
            f"{target} cannot be written ({above}: {error.strerror}); choose another folder"
        ) from None


def _beside(target: Path) -> Path:
    """Return a new hidden name in the same folder, hence on the same disk."""
    return target.absolute().parent / f".{target.name}.{uuid.uuid4().hex[:8]}"


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Give a folder to write in, which takes the place of ``target`` if nothing goes wrong.

    Parameters
    ----------
    target : path
        A folder, there or not; those above it must be there. What it holds goes only when the new
        one is whole.
    """
    stage, old = _beside(target), _beside(target)
    try:
        stage.mkdir()
        yield stage
        if target.exists():
            os.rename(target, old)
        os.rename(stage, target)
    finally:
        if old.exists() and not target.exists():
            os.rename(old, target)
        for litter in (stage, old):
            shutil.rmtree(litter, ignore_errors=True)


def _write(posterior: xr.DataTree, evidence: Evidence, stage: Path) -> None:
    """Write the five files of a run."""
    _write_posterior(posterior, stage / POSTERIOR)
    evidence.table.to_csv(stage / SUMMARY, index=False)
    record = evidence.verdict.to_dict()
    record["contrasts"] = [contrast.to_dict() for contrast in evidence.contrasts]
    record["differences"] = [one.to_dict() for one in evidence.differences]
    text = json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False)
    (stage / DIAGNOSTICS).write_text(text + "\n", encoding="utf-8")
    (stage / PAGE).write_text(render(posterior, evidence), encoding="utf-8")
    (stage / RECIPE).write_text(tomli_w.dumps(recipe(posterior)), encoding="utf-8")


def _write_posterior(posterior: xr.DataTree, path: Path) -> None:
    """Write inference data, compressed and with checksums against damage."""
    groups = {
        name: _storable(group.to_dataset(), single=name in LARGE)
        for name, group in posterior.children.items()
        if name not in KEPT_OUT
    }
    encoding = {
        f"/{name}": {
            variable: {"compression": "gzip", "compression_opts": 4, "fletcher32": True}
            for variable, values in group.variables.items()
            if values.ndim and values.dtype.kind in "fiub"
        }
        for name, group in groups.items()
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {name: _attribute(value) for name, value in posterior.attrs.items()}
    tree.to_netcdf(path, engine=ENGINE, encoding=encoding)


def _storable(group: xr.Dataset, *, single: bool) -> xr.Dataset:
    """Return a group in types that netCDF holds; messages that may be None become text."""
    stored = group.copy()
    for name, values in group.variables.items():
        if values.dtype.kind == "O":
            stored[name] = (
                values.dims,
                np.array(
                    ["" if pd.isna(v) else str(v) for v in values.values.ravel()], dtype=str
                ).reshape(values.shape),
            )
        elif single and values.dtype == np.float64 and name not in group.dims:
            stored[name] = stored[name].astype(np.float32)
    stored.attrs = {name: _attribute(value) for name, value in group.attrs.items()}
    return stored


def _attribute(value: Any) -> Any:
    """Return an attribute in a type that netCDF holds."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    return json.dumps(value) if isinstance(value, dict | list | tuple) else value


def recipe(posterior: xr.DataTree) -> dict[str, Any]:
    """Return what is needed to make a run again, as ``run.toml`` holds it.

    Parameters
    ----------
    posterior : DataTree
        Inference data; what its attributes lack is left out.
    """
    attrs = {name: _decoded(posterior, name) for name in posterior.attrs}
    sections = {
        section: {name: attrs[name] for name in names if name in attrs}
        for section, names in RECIPE_SECTIONS.items()
    }
    made = {name: attrs[name] for name in ("created", "command") if name in attrs}
    versions = {"hepaflux": attrs.get("hepaflux_version"), **(attrs.get("versions") or {})}
    whole: dict[str, Any] = _without_none({"run": made, **sections, "versions": versions})
    return whole


def _decoded(posterior: xr.DataTree, name: str) -> Any:
    """Return a root attribute, as structure if it holds one."""
    value = posterior.attrs[name]
    if isinstance(value, str) and value[:1] in "{[":
        return history.structure(posterior, name)
    return value.item() if isinstance(value, np.generic) else value


def _without_none(value: Any) -> Any:
    """Return a structure without its missing values, which TOML cannot hold."""
    if isinstance(value, Mapping):
        return {str(k): _without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_without_none(v) for v in value if v is not None]
    return value
