"""Synthetic: a simulated study as a folder, with the truth that it was made from beside it."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hepaflux.assess.run import staged
from hepaflux.model import HEALTHY, NAFLD, simulate_study
from hepaflux.study import Study, read_study, write_study
from hepaflux.systems import named

POPULATIONS = {population.name: population for population in (HEALTHY, NAFLD)}
PROTOCOLS = {
    "minimal": "ivgtt",
    "ivgtt_labeled": "ivgtt_labeled",
    "oral_labeled": "labeled_meal",
    "clamp": "clamp",
    "secretion": "ogtt75_c_peptide",
    "extraction": "ogtt75_c_peptide",
}
"""Protocol by system, if none is stated; else the 75 g drink."""


def write_synthetic(
    system: str,
    folder: Path,
    *,
    groups: Sequence[str],
    subjects: int,
    protocol: str | None,
    seed: int,
) -> Study:
    """Simulate a study and write it with ``truth.csv``, whole or not at all.

    Parameters
    ----------
    system : str
        Name of the system.
    folder : Path
        Where the study goes; one that is there is replaced, see ``require_place``.
    groups : sequence of str
        Names in ``POPULATIONS``.
    subjects, protocol, seed
        As for ``simulate_study``.

    Returns
    -------
    Study
        As it reads back from the folder.

    Raises
    ------
    KeyError
        If there is no such system or group.
    ValueError
        If a group is named twice, or as ``simulate_study`` says.
    """
    unknown = [name for name in groups if name not in POPULATIONS]
    if unknown or not groups:
        raise KeyError(f"no group {', '.join(unknown)!r}; there are {', '.join(POPULATIONS)}")
    if len(set(groups)) < len(groups):
        raise ValueError(f"a group can be named once, but the groups are {', '.join(groups)}")
    populations = tuple(POPULATIONS[name] for name in groups)
    protocol = protocol or PROTOCOLS.get(system, "ogtt75")
    made = simulate_study(
        named(system), populations, subjects=subjects, protocol=protocol, seed=seed
    )
    options = (f"--subjects={subjects}", f"--protocol={protocol}", f"--groups={','.join(groups)}")
    command = shlex.join(["hepaflux", "simulate", system, *options, f"--seed={seed}"])
    study = replace(made.study, name=folder.resolve().name, notes=f"Made by: {command}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with staged(folder) as stage:
        write_study(study, stage)
        made.truth.to_csv(stage / "truth.csv", index=False, float_format="%.6g")
    return read_study(folder / "study.toml")


def require_place(folder: Path, *, force: bool) -> None:
    """Refuse a folder that holds something which may not be replaced.

    Raises
    ------
    FileExistsError
        If something is there and ``force`` is false, or it is no synthetic study.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not force:
        raise FileExistsError(f"{folder} exists; choose another folder or add --force")
    if not (folder / "truth.csv").is_file():
        raise FileExistsError(f"{folder} is not a synthetic study and will not be replaced")
