"""Writing: a study as a folder of tables that reads back as the same study."""

import csv
import math
from collections.abc import Iterable
from pathlib import Path

import tomli_w

from hepaflux.study.description import FILE_NAME, NOT_PUBLISHED
from hepaflux.study.doses import DOSE_COLUMNS
from hepaflux.study.study import Dose, Study, Subject
from hepaflux.units import CANONICAL_AMOUNT


def write_study(study: Study, folder: str | Path) -> Path:
    """Write a study as ``study.toml`` beside tidy tables in canonical units.

    Parameters
    ----------
    study : Study
        Anything that ``read_study`` returned, or a simulation.
    folder : str or Path
        Made if it is not there.

    Returns
    -------
    Path
        The ``study.toml``; ``read_study`` makes of it a study with the same checksum.

    Raises
    ------
    FileExistsError
        If the folder holds a study already.
    """
    folder = Path(folder)
    path = folder / FILE_NAME
    if path.exists():
        raise FileExistsError(f"{path} exists; name another folder or remove the study in it")
    folder.mkdir(parents=True, exist_ok=True)
    _write_table(folder / "measurements.csv", _measurements(study))
    _write_table(folder / "subjects.csv", _people(study))
    if any(subject.doses for subject in study.subjects):
        _write_table(folder / "doses.csv", _doses(study))
    # Last, so that a folder whose writing was interrupted is no study.
    path.write_text(tomli_w.dumps(_description(study)), encoding="utf-8")
    return path


def _description(study: Study) -> dict[str, str | float]:
    """Return the content of ``study.toml``; what is empty is left out."""
    texts = {
        key: getattr(study, key)
        for key in ("name", "title", "citation", "license", "protocol", "notes")
        if getattr(study, key)
    }
    unweighed = any(
        math.isnan(subject.weight) and not dose.per_kg
        for subject in study.subjects
        for dose in subject.doses
    )
    weight = {"body_weight": NOT_PUBLISHED} if unweighed else {}
    return {**texts, "time_unit": "min", "insulin_factor": study.insulin_factor, **weight}


def _measurements(study: Study) -> Iterable[Iterable[object]]:
    table = study.measurements()
    yield table.columns
    yield from table.itertuples(index=False)


def _people(study: Study) -> Iterable[Iterable[object]]:
    names = sorted({name for subject in study.subjects for name in subject.covariates})
    yield ("subject", "group", "weight_kg", *names)
    for subject in study.subjects:
        weight = "" if math.isnan(subject.weight) else subject.weight
        numbers = (subject.covariates.get(name, "") for name in names)
        yield (subject.name, subject.group, weight, *numbers)


def _doses(study: Study) -> Iterable[Iterable[object]]:
    yield DOSE_COLUMNS
    for subject in study.subjects:
        yield from (_dose(subject, dose) for dose in subject.doses)


def _dose(subject: Subject, dose: Dose) -> tuple[object, ...]:
    unit = CANONICAL_AMOUNT[dose.what] + ("/kg" if dose.per_kg else "")
    given = (subject.name, dose.time, dose.what, dose.amount, unit)
    return (*given, dose.route, dose.duration)


def _write_table(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV file; numbers keep every digit."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
