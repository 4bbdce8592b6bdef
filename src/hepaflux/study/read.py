"""Reading: from a name, a folder or a file to a validated study."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hepaflux.study.assemble import assemble
from hepaflux.study.description import Description, Tables, read_folder
from hepaflux.study.flat import ReadOptions
from hepaflux.study.phosphosites import holds_phosphosites, phosphosite_tables
from hepaflux.study.problems import Problems, refuse
from hepaflux.study.registry import Dataset, get_dataset, list_datasets
from hepaflux.study.study import Study
from hepaflux.study.table import by_meaning, read_table


def read_study(source: str | Path, **options: Any) -> Study:
    """Read a study and judge it.

    Parameters
    ----------
    source : str or Path
        A ``study.toml``, a folder that holds one, a CSV file (a table of phosphosites included),
        or the name of a data set. A plain name that the registry knows means the data set; write
        ``./name`` for a folder.
    **options
        What the tables do not say: the fields of ``ReadOptions``, such as ``dose="75 g"``,
        ``route="oral"``, ``weight=72.5`` or ``units={"glucose": "mg/dL"}``.

    Returns
    -------
    Study
        In canonical units.

    Raises
    ------
    StudyError
        If anything is wrong, with all of it.
    DatasetError
        If the files of a data set are out of reach or not intact.
    TypeError
        If an option is not known.
    """
    chosen = ReadOptions(**options)
    problems = Problems()
    return assemble(problems.require(_tables, source), chosen, problems)


def _tables(source: str | Path) -> Tables:
    """Return the tables that a source names."""
    for dataset in list_datasets():
        if dataset.name == source:
            return _dataset_tables(dataset)
    path = Path(source)
    if not path.exists():
        known = ", ".join(dataset.name for dataset in list_datasets())
        refuse(
            str(source),
            f"there is no such file or folder, nor a data set of that name; known are {known}.",
        )
    if path.is_dir() or path.suffix == ".toml":
        return read_folder(path)
    table = by_meaning(read_table(path))
    if holds_phosphosites(table):
        return phosphosite_tables(table, path)
    return Tables(Description(path.stem, origin=str(path)), table)


def _dataset_tables(dataset: Dataset) -> Tables:
    """Return the tables of a data set, described as the registry describes it."""
    tables = dataset.reader(get_dataset(dataset.name))
    description = replace(
        tables.description,
        name=dataset.name,
        title=dataset.title,
        citation=dataset.citation,
        license=dataset.license,
        origin=dataset.name,
    )
    return replace(tables, description=description)
