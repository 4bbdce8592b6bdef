"""Reading: whatever the table looks like, the same content is the same study."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sound_study import DOSES, MEASUREMENTS, SUBJECTS, write_csv, write_tables

from hepaflux.study import Study, read_study
from hepaflux.study.headers import analyte_of, read_header, spell_unit

OGTT = {"dose": "75 g", "route": "oral", "weight": 70}


def reading(folder: Path, text: str, **options: Any) -> Study:
    return read_study(write_csv(folder, text), **options)


def test_reading_is_exact(folder):
    study = read_study(folder)
    glucose = study["S1"].samples["glucose"]
    assert glucose.time.tolist() == [0.0, 30.0, 120.0]
    assert glucose.value.tolist() == [5.0, 8.1, 6.2]
    assert study["S2"].samples["insulin"].value.tolist() == [90.0, 600.0]
    assert set(glucose.censoring) == {"none"}


def test_subjects_carry_group_weight_and_covariates(folder):
    study = read_study(folder)
    assert study.groups == ("lean", "obese")
    assert study["S2"].weight == 98.0
    assert dict(study["S2"].covariates) == {"age": 39.0, "bmi": 31.0}


def test_dose_for_all_is_given_once_to_each(folder):
    for subject in read_study(folder).subjects:
        (dose,) = subject.doses
        assert dose.amount == pytest.approx(75 / 180.156 * 1000, rel=1e-12)
        assert (dose.time, dose.route, dose.per_kg) == (0.0, "oral", False)
        assert subject.amount_per_kg(dose) == pytest.approx(dose.amount / subject.weight)


def test_description_is_kept(folder):
    study = read_study(folder / "study.toml")
    assert (study.name, study.title, study.license) == ("sound", "Two people", "CC0")
    assert study.origin == str(folder / "study.toml")


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_rows_are_the_same_study(tmp_path, folder, seed):
    header, *rows = MEASUREMENTS.splitlines()
    random.Random(seed).shuffle(rows)
    shuffled = read_study(
        write_tables(tmp_path / "shuffled", measurements="\n".join([header, *rows]))
    )
    assert shuffled.checksum == read_study(folder).checksum
    for subject in shuffled.subjects:
        for samples in subject.samples.values():
            assert (np.diff(samples.time) > 0).all()


def in_older_units(factor: float) -> str:
    header, *rows = (line.split(",") for line in MEASUREMENTS.splitlines())
    scale = {"glucose": ("mg/dL", 18.0156), "insulin": ("uU/mL", 1 / factor)}
    lines = [",".join(header)]
    for subject, time, analyte, value, _ in rows:
        unit, ratio = scale[analyte]
        lines.append(f"{subject},{time},{analyte},{float(value) * ratio!r},{unit}")
    return "\n".join(lines)


@pytest.mark.parametrize("factor", [6.0, 6.945])
def test_units_on_disk_do_not_matter(tmp_path, folder, factor):
    description = f"insulin_factor = {factor}\n"
    other = read_study(
        write_tables(
            tmp_path / "older",
            measurements=in_older_units(factor),
            doses=DOSES.replace("75,g,", "75000,mg,"),
            description=description,
        )
    )
    study = read_study(folder)
    values, expected = other.measurements()["value"], study.measurements()["value"]
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert other.checksum == study.checksum
    assert other.insulin_factor == factor


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("measurements", "S1,30,glucose,8.1", "S1,30,glucose,8.100001"),
        ("measurements", "S1,30,glucose", "S1,31,glucose"),
        ("measurements", "S2,30,insulin,600", "S2,30,insulin,>600"),
        ("doses", "75,g", "75.001,g"),
        ("doses", "oral,0", "oral,5"),
        ("doses", "oral", "intravenous"),
        ("subjects", "lean,70", "lean,70.01"),
        ("subjects", "obese", "heavy"),
        ("subjects", "70,41", "70,42"),
    ],
)
def test_checksum_changes_with_any_value(tmp_path, folder, table, old, new):
    original = {"measurements": MEASUREMENTS, "doses": DOSES, "subjects": SUBJECTS}[table]
    assert old in original
    changed = write_tables(tmp_path / "changed", **{table: original.replace(old, new)})
    assert read_study(changed).checksum != read_study(folder).checksum


WIDE = {
    "suffixes": "subject,time_min,glucose_mg_dl,insulin_uu_ml\n1,0,90,8\n1,30,150,55\n",
    "brackets": "ID,Time [min],Glucose [mg/dL],IRI (µU/mL)\n1,0,90,8\n1,30,150,55\n",
    "hours": "subject,time_h,G_mg_dl,insulin_uU_mL\n1,0,90,8\n1,0.5,150,55\n",
    "semicolons": "subject;time;PG [mg/dl];insulin [μU/ml]\n1;0;90,0;8\n1;30;150;55,0\n",
    "tabs": "subject\ttime\tPG [mg/dl]\tinsulin [uIU/ml]\n1\t0\t90\t8\n1\t30\t150\t55\n",
    "byte order mark": "\ufeffsubject,time,glucose_mg_dl,insulin_uu_ml\n1,0,90,8\n1,30,150,55\n",
    "empty columns": "subject,time,glucose_mg_dl,,insulin_uu_ml,\n1,0,90,,8,\n1,30,150,,55,\n",
    "windows": "subject,time,glucose_mg_dl,insulin_mu_l\r\n1,0,90,8\r\n\r\n1,30,150,55\r\n",
    "tidy": (
        "Subject,Time,Analyte,Value,Unit\n"
        "1,0,Glucose,90,mg/dl\n1,30,PG,150,MG/DL\n1,0,Insulin,8,uu/ml\n1,30,IRI,55,mU/l\n"
    ),
}


@pytest.mark.parametrize("text", WIDE.values(), ids=WIDE.keys())
def test_every_layout_is_the_same_study(tmp_path, text):
    expected = reading(tmp_path, WIDE["suffixes"], **OGTT)
    study = reading(tmp_path, text, **OGTT)
    assert study["1"].samples["insulin"].value.tolist() == [48.0, 330.0]
    assert study.checksum == expected.checksum


FLAT = """\
subject,time,glucose_mmol_l,dose,dose_unit,route,weight_kg,group,age,comment
S1,0,5,75,g,oral,70,lean,41,fasting
S1,30,8,75,g,oral,70,lean,41,a word
S2,0,5,75,g,oral,98,obese,39,
S2,30,9,,,,,,,
"""


def test_constant_columns_become_doses_and_covariates(tmp_path):
    study = reading(tmp_path, FLAT)
    assert [len(subject.doses) for subject in study.subjects] == [1, 1]
    assert [subject.weight for subject in study.subjects] == [70.0, 98.0]
    assert study.groups == ("lean", "obese")
    assert dict(study["S2"].covariates) == {"age": 39.0}


def test_flat_table_equals_separate_tables(tmp_path):
    measurements = "subject,time,glucose [mmol/L]\nS1,0,5\nS1,30,8\nS2,0,5\nS2,30,9\n"
    subjects = "subject,group,weight_kg,age\nS1,lean,70,41\nS2,obese,98,39\n"
    folder = write_tables(tmp_path / "apart", measurements=measurements, subjects=subjects)
    assert read_study(folder).checksum == reading(tmp_path, FLAT).checksum


@pytest.mark.parametrize("dose", ["75 g", "75g", "75000 mg", "416.3058682475188 mmol"])
def test_dose_option_is_read_with_its_unit(tmp_path, dose):
    study = reading(tmp_path, WIDE["suffixes"], dose=dose, route="oral", weight=70)
    assert study["1"].doses[0].amount == pytest.approx(416.3058682475188)


def test_dose_per_kg_needs_no_weight(tmp_path):
    subject = reading(tmp_path, WIDE["suffixes"], dose="0.3 g/kg", route="iv")["1"]
    assert subject.amount_per_kg(subject.doses[0]) == pytest.approx(0.3 / 180.156 * 1000)


def test_options_fill_gaps_only(tmp_path):
    text = "subject,time,glucose,weight_kg\nA,0,90,60\nA,30,150,60\nB,0,90,\nB,30,150,\n"
    study = reading(tmp_path, text, weight=80, group="all of them", units={"glucose": "mg/dL"})
    assert [subject.weight for subject in study.subjects] == [60.0, 80.0]
    assert study.groups == ("all of them",)


def test_insulin_convention_scales_insulin_and_nothing_else(tmp_path):
    new = reading(tmp_path, WIDE["suffixes"])["1"].samples
    old = reading(tmp_path, WIDE["suffixes"], insulin_factor=6.945)["1"].samples
    np.testing.assert_allclose(old["insulin"].value / new["insulin"].value, 6.945 / 6.0)
    np.testing.assert_array_equal(old["glucose"].value, new["glucose"].value)


def test_unknown_option_is_refused(folder):
    with pytest.raises(TypeError, match="doze"):
        read_study(folder, doze="75 g")


def test_missing_cells_are_absent_samples(tmp_path):
    text = "subject,time,glucose_mg_dl,insulin_uu_ml\n1,0,90,8\n1,30,150,\n1,60,NA,40\n"
    samples = reading(tmp_path, text)["1"].samples
    assert samples["glucose"].time.tolist() == [0.0, 30.0]
    assert samples["insulin"].time.tolist() == [0.0, 60.0]


@pytest.mark.parametrize(
    "row",
    ["<12,pmol/L,,", "< 12,pmol/L,left,", "12,pmol/L,left,", ",pmol/L,left,12", "5,pmol/L,<,12"],
)
def test_left_censored_value_is_the_limit(tmp_path, row):
    head = "subject,time,analyte,value,unit,censoring,limit\n1,0,insulin,"
    samples = reading(tmp_path, head + row + "\n1,30,insulin,90,pmol/L,,\n")["1"].samples["insulin"]
    assert samples.value.tolist() == [12.0, 90.0]
    assert samples.censoring.tolist() == ["left", "none"]


def test_right_censored_value_is_converted_like_any_other(tmp_path):
    text = "subject,time,glucose_mg_dl\n1,0,90.078\n1,30,>450.39\n"
    samples = reading(tmp_path, text)["1"].samples["glucose"]
    assert samples.censoring.tolist() == ["none", "right"]
    np.testing.assert_allclose(samples.value, [5.0, 25.0])


def test_name_is_kept_as_it_stands(tmp_path):
    name = "<script>alert('S1')</script> & Ärzte"
    study = reading(tmp_path, f'subject,time,glucose_mg_dl\n"{name}",0,90\n"{name}",30,150\n')
    assert study.subjects[0].name == name


def test_subject_called_na_is_a_subject(tmp_path):
    assert reading(tmp_path, "subject,time,glucose_mg_dl\nNA,0,90\nNA,30,150\n")["NA"]


def test_nothing_that_was_read_can_be_changed(folder):
    study = read_study(folder)
    with pytest.raises(ValueError, match="read-only"):
        study["S1"].samples["glucose"].value[0] = 1.0
    with pytest.raises(TypeError):
        study["S1"].samples["glucose"] = study["S1"].samples["insulin"]  # type: ignore[index]


def test_options_and_files_are_not_changed(folder):
    units = {"glucose": "mmol/L"}
    before = {path: path.read_bytes() for path in folder.iterdir()}
    read_study(folder, units=units)
    assert units == {"glucose": "mmol/L"}
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("header", ["amount_g", "Amount [g]"])
def test_unit_of_a_dose_may_stand_in_its_header(tmp_path, folder, header):
    doses = f"subject,time_h,what,{header},route\nall,0,glucose,75,oral\n"
    assert read_study(write_tables(tmp_path / "h", doses=doses)).checksum == (
        read_study(folder).checksum
    )


def test_conversion_leaves_no_crumbs_in_times(tmp_path):
    text = "subject,time_h,glucose_mg_dl\n1,0.1,90\n1,1.1,150\n"
    assert reading(tmp_path, text)["1"].samples["glucose"].time.tolist() == [6.0, 66.0]


def test_bolus_and_infusion_may_start_together(tmp_path):
    doses = DOSES.replace("oral", "iv") + "S1,0,glucose,50,g,iv,60\nS2,20,insulin,0.03,U/kg,iv,\n"
    study = read_study(write_tables(tmp_path / "primed", doses=doses))
    assert [dose.duration for dose in study["S1"].doses] == [0.0, 60.0]
    insulin = study["S2"].doses[1]
    assert insulin.amount == pytest.approx(0.03 * 6000)
    assert (insulin.time, insulin.per_kg) == (20.0, True)


@pytest.mark.parametrize("unit", ["h", "hours", "hr"])
def test_time_unit_of_the_description_holds_for_doses_too(tmp_path, unit):
    study = read_study(
        write_tables(
            tmp_path / "hours",
            description=f'time_unit = "{unit}"\n',
            doses=DOSES.replace("oral,0", "iv,0.5"),
        )
    )
    assert study["S1"].samples["glucose"].time.tolist() == [0.0, 1800.0, 7200.0]
    assert study["S1"].doses[0].duration == 30.0


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        ("glucose_mg_dl", ("glucose", "mg/dL")),
        ("C-Peptide [ng/mL]", ("c_peptide", "ng/mL")),
        ("insulin_µU_ml", ("insulin", "uU/mL")),
        ("Body weight (lb)", ("weight", "lb")),
        ("dose_g_kg", ("dose", "g/kg")),
        ("dose_time_min", ("dose_time", "min")),
        ("Waist (cm)", ("waist_cm", "")),
        ("kg", ("kg", "")),
    ],
)
def test_headers_mean_what_they_say(header, meaning):
    assert read_header(header) == meaning


@pytest.mark.parametrize("text", ["CPR", "c-peptide", "C Peptide", "cpeptide"])
def test_analytes_have_many_names(text):
    assert analyte_of(text) == "c_peptide"


@pytest.mark.parametrize("text", ["µU/mL", "μU/mL", "uu/ml", "uIU/mL", "UU/ML"])
def test_units_have_many_spellings(text):
    assert spell_unit(text) == "uU/mL"


def test_reading_needs_neither_sampler_nor_network_nor_plots():
    code = (
        "import sys, hepaflux.study\n"
        "heavy = {'pymc', 'pytensor', 'arviz', 'matplotlib', 'pooch', 'requests'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
