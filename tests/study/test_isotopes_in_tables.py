"""Ions of fatty acids and deuterated water in tables: any scale, one time, one unit."""

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.study import StudyError
from hepaflux.units import CANONICAL, UnitError, enrichment_to_share, parse

TITLE = 'title = "t"\ntime_unit = "h"\n'
HEAD = "subject,time,analyte,value,unit\n"
IONS = "A,4,palmitate_m0,8.2e5,counts\nA,4,palmitate_m1,1.6e5,counts\n"


def study(folder, rows):
    (folder / "measurements.csv").write_text(HEAD + rows)
    (folder / "study.toml").write_text(TITLE)
    return hf.read_study(folder)


@pytest.mark.parametrize("unit", ["counts", "a.u.", "cps", "1"])
def test_ions_have_any_scale(tmp_path, unit):
    read = study(tmp_path, IONS.replace("counts", unit))
    assert read["A"].samples["palmitate_m1"].value == pytest.approx([1.6e5])


def test_ions_in_a_wide_table(tmp_path):
    path = tmp_path / "wide.csv"
    head = "subject,time,palmitate_m0 [a.u.],palmitate_m1 [a.u.]\n"
    path.write_text(head + "A,4,820,160\nB,4,810,170\n")
    read = hf.read_study(path, time_unit="h")
    assert [float(s.samples["palmitate_m1"].value[0]) for s in read.subjects] == [160, 170]


def test_one_sample_is_enough_for_ions_and_only_for_them(tmp_path):
    assert study(tmp_path, IONS)["A"].samples["palmitate_m0"].time == pytest.approx([240])
    with pytest.raises(StudyError, match="samples at 1 time only"):
        study(tmp_path, IONS + "A,4,body_water,0.005,mole fraction\n")


def test_ions_need_no_basal_sample(tmp_path):
    (tmp_path / "doses.csv").write_text(
        "subject,time,what,amount,unit,route,duration\nA,0,glucose,1,g/kg,oral,0\n"
    )
    glucose = "A,0,glucose,5,mmol/L\nA,1,glucose,7,mmol/L\n"
    assert len(study(tmp_path, glucose + IONS)["A"].samples) == 3


WATER = "A,0,body_water,0,mole fraction\nA,24,body_water,{},{}\n"


@pytest.mark.parametrize(
    ("value", "unit"),
    [("0.005", "mole fraction"), ("0.5", "APE"), ("5000", "ppm excess"), ("0.5", "MPE")],
)
def test_every_statement_of_body_water_is_the_same(tmp_path, value, unit):
    read = study(tmp_path, WATER.format(value, unit))
    assert read["A"].samples["body_water"].value == pytest.approx([0, 0.005], rel=1e-12)


def test_a_ratio_becomes_a_share():
    np.testing.assert_allclose(enrichment_to_share([0.0, 0.25], "TTR"), [0.0, 0.2])
    with pytest.raises(UnitError, match="'delta' is no unit of enrichment"):
        enrichment_to_share(0.1, "delta")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (IONS.replace("8.2e5", "-3"), "-3 counts is negative; leave a missing cell empty"),
        (IONS.replace("counts", "mg/dL"), "'mg/dL' does not measure a quantity of palmitate_m0"),
        (IONS.replace("palmitate_m0", "palmitate_m99"), "'palmitate_m99' is not a known analyte"),
        (IONS.replace("palmitate_m0", "wax"), "body_water, and palmitate_m0, palmitate_m1, "),
        (WATER.format("0.5", "mole fraction"), "0.5 mole fraction .*outside 0–0.1 mole_fraction"),
    ],
)
def test_bad_rows_have_their_message(tmp_path, rows, message):
    with pytest.raises(StudyError, match=message):
        study(tmp_path, rows)


def test_units_can_be_read():
    assert all(parse(unit) is not None for unit in CANONICAL.values())


def test_a_written_study_reads_back(tmp_path):
    read = study(tmp_path, IONS + WATER.format("0.3", "APE"))
    hf.write_study(read, tmp_path / "again")
    assert hf.read_study(tmp_path / "again").checksum == read.checksum
