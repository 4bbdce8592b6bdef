"""Tables of phosphosites: what becomes of a row, what is left out, and what is refused."""

import numpy as np
import pytest

from hepaflux import phosphosites, units
from hepaflux.study import StudyError, read_study, write_study

HEADER = "phosphosite,time_min,replicate_mouse,log2_ratio_RUV_normalised\n"
ROWS = (
    *("AKT1S1;247,0,Bio1,0.0", "AKT1S1;247,10,Bio1,2.0", "TSC2;939,10,Bio1,-1.0"),
    *("AKT1S1;247,0.0833,Bio9,0.5", "IRS1;302,0.0833,Bio9,1.7", "UNKNOWN;1,0.0833,Bio9,1.0"),
)


@pytest.fixture
def written(tmp_path):
    def write(rows=ROWS, header=HEADER):
        path = tmp_path / "livers.csv"
        path.write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
        return path

    return write


def test_a_log_ratio_becomes_a_ratio_over_basal(written):
    study = read_study(written())
    sampled = study["intermediate"].samples
    assert sampled["akt1s1_t247"].time.tolist() == [0.0, 10.0]
    assert sampled["akt1s1_t247"].value.tolist() == [1.0, 4.0]
    assert sampled["tsc2_s939"].value.tolist() == [0.5]


def test_an_experiment_is_a_subject_with_all_its_livers(written):
    study = read_study(written((*ROWS, "AKT1S1;247,10,Bio2,1.0")))
    assert {s.name: s.group for s in study.subjects} == {
        "intermediate": "intermediate",
        "early": "early",
    }
    site = study["intermediate"].samples["akt1s1_t247"]
    assert site.time.tolist() == [0.0, 10.0, 10.0]
    assert site.value.tolist() == [1.0, 4.0, 2.0]


def test_livers_of_one_time_survive_being_written(written, tmp_path):
    study = read_study(written((*ROWS, "AKT1S1;247,10,Bio2,1.0")))
    again = read_study(write_study(study, tmp_path / "copy"))
    assert again.checksum == study.checksum


def test_a_site_that_is_left_out_is_told_with_the_reason(written):
    notes = read_study(written()).notes
    assert "IRS1;302 (a serine by which IRS is inhibited;" in notes
    assert "UNKNOWN;1 (nothing is known of it here)" in notes
    assert "AKT1S1" not in notes


def test_an_empty_cell_is_no_value(written):
    study = read_study(written((*ROWS, "GSK3A;21,10,Bio1,NA")))
    assert "gsk3a_s21" not in study["intermediate"].samples


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (("IRS1;302,0,Bio1,1.0",), HEADER, "no row has a site that is known; known are AKT1S1;247"),
        (ROWS, HEADER.replace("log2_ratio", "ratio"), "one column must begin with log2_ratio"),
        (ROWS, HEADER.replace("replicate_mouse", "mouse"), "the column replicate_mouse is missing"),
        (("AKT1S1;247,0,Bio1,high",), HEADER, "'high' is not a number"),
        ((ROWS[0], ROWS[0]), HEADER, "the liver occurs twice"),
    ],
)
def test_what_cannot_be_read_is_refused(written, rows, header, message):
    with pytest.raises(StudyError, match=message):
        read_study(written(rows, header))


def test_every_site_is_said_to_be_read_or_left_out_with_a_reason():
    sites = phosphosites.SITES
    assert len({site.label for site in sites}) == len(sites)
    assert all(len(site.reason) > 10 for site in sites)
    assert {*phosphosites.READ, *phosphosites.LEFT_OUT} == set(sites)
    assert tuple(site.analyte for site in phosphosites.READ) == units.PHOSPHOSITES


def test_the_table_of_mouse_livers_is_read_whole(mouse_livers):
    """Humphrey 2015: six sites in 90 livers, 42 of the first seconds and 48 of ten minutes.

    Every site of the file is one that is known to be read or left out.
    """
    study = read_study(mouse_livers)
    assert "nothing is known of it here" not in study.notes
    assert study.groups == ("early", "intermediate")
    for analyte in units.PHOSPHOSITES:
        assert [len(s.samples[analyte].time) for s in study.subjects] == [42, 48]
    site = study["intermediate"].samples["akt1s1_t247"]
    assert np.log2(site.value[site.time == 2.0]).mean() == pytest.approx(2.51, abs=0.01)
