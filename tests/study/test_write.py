"""Writing: a study that was written reads back as the same study."""

import tomllib
from dataclasses import replace

import pytest
from sound_study import write_csv

from hepaflux.study import list_datasets, read_study, write_study

AWKWARD = """\
subject,time,analyte,value,unit,censoring,limit,group,age,dose,route
"a, ""b"" <i>",0,glucose,90,mg/dL,,,"x;y",,0.3 g/kg,iv
"a, ""b"" <i>",0,insulin,<2,uU/mL,,,,,,
"a, ""b"" <i>",10.1,glucose,>450,mg/dL,,,,,,
É,0,glucose,91,mg/dL,,,z,41.3,75 g,oral
É,33.333333333,glucose,150,mg/dL,,,,,,
"""


@pytest.mark.parametrize("name", [dataset.name for dataset in list_datasets()])
def test_every_dataset_survives_a_round_trip(name, tmp_path, data_mirror):
    study = read_study(name)
    again = read_study(write_study(study, tmp_path / "copy"))
    assert again.checksum == study.checksum
    assert (again.name, again.citation) == (study.name, study.citation)
    assert again.insulin_factor == study.insulin_factor
    assert [s.name for s in again.subjects] == [s.name for s in study.subjects]


def test_awkward_content_survives_a_round_trip(tmp_path):
    study = read_study(write_csv(tmp_path, AWKWARD), weight=70)
    text = 'A "title" with \\ and\nlines, a tab\t and \x7f, 日本 and 😀'
    study = replace(study, title=text, notes=text)
    again = read_study(write_study(study, tmp_path / "copy"))
    assert again.checksum == study.checksum
    assert (again.title, again.notes) == (text, text)
    assert again["É"].covariates == study["É"].covariates


def test_numbers_are_written_with_every_digit(tmp_path):
    study = read_study("pacini_bergman_1986")
    again = read_study(write_study(study, tmp_path / "copy"))
    assert again.measurements().equals(study.measurements())
    assert again.subjects[0].doses == study.subjects[0].doses


def test_description_is_toml(tmp_path):
    path = write_study(read_study("pacini_bergman_1986"), tmp_path / "new" / "copy")
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    assert content["time_unit"] == "min"
    assert "body_weight" not in content


def test_study_is_never_overwritten(tmp_path):
    study = read_study("pacini_bergman_1986")
    write_study(study, tmp_path)
    with pytest.raises(FileExistsError, match="name another folder"):
        write_study(study, tmp_path)
