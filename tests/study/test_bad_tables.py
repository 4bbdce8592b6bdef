"""Bad tables: each fault has its message, and one error tells all faults."""

# One fault per line reads as a table.
# ruff: noqa: E501

import pytest
from sound_study import DESCRIPTION, DOSES, MEASUREMENTS, SUBJECTS, write_csv, write_tables

from hepaflux.study import StudyError, read_study
from hepaflux.study.table import LARGEST_FILE

M, D, S, T = "measurements", "doses", "subjects", "description"
SOUND = {M: MEASUREMENTS, D: DOSES, S: SUBJECTS, T: DESCRIPTION}

FAULTS = {
    "unknown unit": (M, "5.0,mmol/L", "5.0,mmol/furlong", r"glucose, subject S1, .* row 2: unknown unit: 'mmol/furlong'.*write"),
    "unit of another thing": (M, "5.0,mmol/L", "5.0,uU/mL", r"unknown unit: 'uU/mL' does not measure glucose"),
    "no unit": (M, "5.0,mmol/L", "5.0,", r"row 2: the unit of glucose is missing"),
    "mg/dL called mmol/L": (M, "8.1,mmol/L", "146,mmol/L", r"glucose, subject S1, measurements.csv row 3: 146 mmol/L is outside 1–50 mmol/L; is the column in mg/dL\?"),
    "mmol/L called mg/dL": (M, "8.1,mmol/L", "8.1,mg/dL", r"row 3: 8.1 mg/dL \(0.45 mmol/L\) is outside 1–50 mmol/L; is the column in mmol/L\?"),
    "negative": (M, "8.1,mmol/L", "-8.1,mmol/L", r"row 3: -8.1 mmol/L is negative"),
    "duplicate time": (M, "S1,30,glucose", "S1,0,glucose", r"time, subject S1, measurements.csv row 3: 0 min occurs twice for glucose \(also in row 2\)"),
    "text in a value": (M, "8.1", "high", r"value, subject S1, .* row 3: 'high' is not a number"),
    "text in a time": (M, "S1,30,glucose", "S1,half,glucose", r"time, subject S1, .* row 3: 'half' is not a number"),
    "clock time": (M, "S1,30,glucose", "S1,0:30,glucose", r"row 3: '0:30' is not a number"),
    "decimal comma": (M, "8.1,", '"8,1",', r"row 3: '8,1' is not a number; write one with a decimal point"),
    "underscore": (M, "330", "3_30", r"'3_30' is not a number"),
    "no time": (M, "S1,30,glucose", "S1,,glucose", r"time, subject S1, .* row 3: the cell is empty"),
    "no subject": (M, "S1,30,glucose", ",30,glucose", r"row 3: the subject is empty"),
    "infinite": (M, "8.1", "inf", r"row 3: inf is not finite"),
    "too large for a number": (M, "8.1", "1e999", r"row 3: 1e999 is not finite"),
    "NaN": (M, "8.1", "NaN", r"row 3: NaN is not finite; leave a missing cell empty"),
    "misspelled analyte": (M, "S1,30,glucose", "S1,30,glucos", r"row 3: 'glucos' is not a known analyte \(did you mean 'glucose'\?\); known are"),
    "unknown analyte": (M, "S1,30,glucose", "S1,30,lactose", r"row 3: 'lactose' is not a known analyte; known are glucose, insulin, c_peptide"),
    "no basal glucose": (M, "S1,0,glucose", "S1,5,glucose", r"glucose, subject S1: no basal sample: the first is at 5 min and the first dose at 0 min"),
    "control character": (M, "S1,30,glucose", "S\x071,30,glucose", r"row 3: the subject's name 'S\\x071' holds a control character"),
    "endless name": (M, "S1,30,glucose", "S" * 101 + ",30,glucose", r"has 101 characters; at most 100"),
    "reserved name": (M, "S1,30,glucose", "all,30,glucose", r"'all' stands for every subject"),
    "missing column": (M, "subject,time,analyte,value", "subject,time,analyte,result", r"the column value is missing; needed are subject, time, analyte, value.*found are subject, time, analyte, result, unit\."),
    "column twice": (M, "subject,time,analyte,value,unit", "subject,time,analyte,value,value", r"two columns mean the same"),
    "two names of a column": (M, "subject,time,analyte,value,unit", "subject,id,analyte,value,unit", r"two columns mean subject"),
    "long row": (M, "S1,30,glucose,8.1", "S1,30,glucose,8,1", r"row 3: has 6 cells but the header has 5; is there a comma inside a number"),
    "open quote": (M, "S1,30,glucose", '"S1,30,glucose', r"is a quote left open"),
    "empty table": (M, MEASUREMENTS, "\n", r"measurements.csv: the file is empty"),
    "header alone": (M, MEASUREMENTS, "subject,time,analyte,value,unit\n", r"empty below its header"),
    "measured, not described": (S, "S2,obese,98,39,31.0\n", "", r"subject, subject S2, measurements.csv row 8: is missing in subjects.csv"),
    "described, not measured": (S, "S2,obese", "S3,obese,50,20,20\nS2,obese", r"subject S3, subjects.csv row 3: has no measurements"),
    "described twice": (S, "S2,obese", "S1,obese", r"subject S1, subjects.csv row 3: is in row 2 too"),
    "text in a covariate": (S, "70,41", "70,old", r"age, subject S1, subjects.csv row 2: 'old' is not a number"),
    "text in a weight": (S, "lean,70", "lean,slim", r"weight, subject S1, .* row 2: 'slim' is not a number"),
    "weight of no body": (S, "lean,70", "lean,70000", r"70000 kg is no body weight; is it in kg\?"),
    "dose without weight": (S, "lean,70", "lean,", r"dose, subject S1: the dose is not per kg and the body weight is not known; give weight_kg"),
    "grams called milligrams": (D, "75,g", "75,mg", r"dose, subject S1, doses.csv row 2: 75 mg is 0.00107 g/kg, outside 0.05–3 g/kg; is it in g\?"),
    "an infusion in grams called milligrams": (D, "75,g,oral,0", "5,mg,intravenous,10", r"5 mg is 7.14e-05 g/kg, outside 0.0001–3 g/kg; is it in g\?"),
    "milligrams called grams": (D, "75,g", "75000,g", r"75000 g is 1.07e\+03 g/kg, outside 0.05–3 g/kg; is it in mg\?"),
    "dose listed twice": (D, "all,0,glucose,75,g,oral,0\n", "all,0,glucose,75,g,oral,0\n" * 2, r"doses.csv row 3: 75 g of glucose at 0 min is listed twice \(also in row 2\)"),
    "dose for all and for one": (D, "all,0,glucose,75,g,oral,0\n", "all,0,glucose,75,g,oral,0\nS1,0,glucose,75,g,oral,0\n", r"row 3: 75 g of glucose at 0 min is listed twice"),
    "dose for one and for all": (D, "all,0,glucose,75,g,oral,0\n", "S1,0,glucose,75,g,oral,0\nall,0,glucose,75,g,oral,0\n", r"row 3: 75 g of glucose at 0 min is listed twice"),
    "dose in another unit": (D, "all,0,glucose,75,g,oral,0\n", "all,0,glucose,75,g,oral,0\nS1,0,glucose,75000,mg,oral,0\n", r"row 3: 75000 mg of glucose at 0 min is listed twice"),
    "second dose at the same time": (D, "all,0,glucose,75,g,oral,0\n", "all,0,glucose,75,g,oral,0\nS1,0,glucose,50,g,oral,0\n", r"doses.csv row 3: 50 g of glucose at 0 min is a second dose at the same time \(also in row 2\)"),
    "dose for nobody": (D, "all,0", "S9,0", r"doses.csv row 2: subject 'S9' has no measurements"),
    "dose of nothing": (D, "75,g", "0,g", r"the amount 0 is not positive"),
    "dose without a route": (D, "oral", "", r"the route of the dose is missing; say oral or intravenous"),
    "unknown route": (D, "oral", "nasal", r"'nasal' is no route"),
    "unknown substance": (D, "glucose", "fructose", r"'fructose' is no known substance; known are glucose, insulin"),
    "unknown unit of a dose": (D, "75,g", "75,spoons", r"unknown unit: 'spoons'.*give the whole amount"),
    "rate of an infusion": (D, "75,g", "5,mg/kg/min", r"unknown unit: 'mg/kg/min'.*give the whole amount"),
    "no unit of a dose": (D, "75,g", "75,", r"the unit of the dose is missing"),
    "negative duration": (D, "oral,0", "oral,-5", r"duration, subject all, .* row 2: -5 min is negative"),
    "missing dose column": (D, "amount", "quantity", r"doses.csv: the column amount is missing; needed are"),
    "TOML error": (T, 'title = "Two people"', "title = Two people", r"study.toml: this is not TOML: .*line 1"),
    "unknown key": (T, "time_unit", "time_units", r"the key 'time_units' is not known \(did you mean 'time_unit'\?\); known are .*time_unit"),
    "second unknown key": (T, "title", 'site = "here"\nauthor = "me"\ntitle', r"the key 'site' is not known;[^']*\n.*the key 'author' is not known"),
    "wrong kind of value": (T, '"Two people"', "2", r"title must be a text in quotes, but is 2"),
    "wrong insulin factor": (T, "title", "insulin_factor = 60\ntitle", r"insulin_factor must be about 6.00 or 6.945 .*but is 60"),
    "wrong body weight": (T, "title", 'body_weight = "70 kg"\ntitle', r"body_weight may only say 'not published'"),
    "wrong time unit": (T, '"min"', '"fortnights per inch"', r"is no unit of time; write min, h or day"),
    "unknown table": (T, 'unit = "min"', 'unit = "min"\n[tables]\nmeals = "a.csv"', r"\[tables\] does not know 'meals'"),
    "table that is no file": (T, 'unit = "min"', 'unit = "min"\n[tables]\ndoses = 3', r"\[tables\] must hold file names in quotes"),
    "table that is not there": (T, 'unit = "min"', 'unit = "min"\n[tables]\ndoses = "a.csv"', r"a.csv: there is no such file"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "old", "new", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_fault_has_its_message(tmp_path, table, old, new, message):
    assert old in SOUND[table]
    folder = write_tables(tmp_path / "bad", **{table: SOUND[table].replace(old, new, 1)})
    with pytest.raises(StudyError, match=message):
        read_study(folder)


HEAD = "subject,time,analyte,value,unit,censoring,limit\n1,0,insulin,60,pmol/L,,\n1,30,insulin,"

BARE = {
    "unknown censoring": (HEAD + "12,pmol/L,below,\n", r"censoring, subject 1, .* row 3: the censoring 'below' is not known; write none, left or right"),
    "contradiction": (HEAD + "<12,pmol/L,right,\n", r"the value '<12' contradicts the censoring 'right'"),
    "limit ignored": (HEAD + "8,pmol/L,,12\n", r"the value 8 does not exceed the limit 12; say left or none"),
    "limit alone": (HEAD + ",pmol/L,,12\n", r"a limit without a value; say left or right"),
    "left above its limit": (HEAD + "80,pmol/L,left,12\n", r"left-censored, but the value 80 and the limit 12 disagree; leave one"),
    "right with a lower limit": (HEAD + "900,pmol/L,right,12\n", r"right-censored, but the value 900 and the limit 12 disagree"),
    "censoring of a wide row": ("subject,time,glucose_mg_dl,censoring\nA,0,90,\nA,30,99,left\n", r"the column censoring needs one value per row, but there are columns glucose; write"),
    "wide and tidy at once": ("subject,time,analyte,value,unit,insulin\nA,0,glucose,5,mmol/L,48\n", r"the column analyte and value and unit needs one value per row"),
    "one sample": ("subject,time,glucose_mg_dl\nA,0,90\nA,30,99\nB,0,90\n", r"time, subject B: samples at 1 time only"),
    "no value at all": ("subject,time,glucose_mg_dl\nA,0,90\nA,30,99\nB,0,\n", r"subject B, .* row 4: has no value in any row"),
    "nothing measured": ("subject,time,glucose_mg_dl\nA,0,\nA,30,\n", r"holds no value at all"),
    "column without a name": ("subject,time,glucose_mg_dl,\nA,0,90,\nA,30,99,x\n", r"a column has cells but no name"),
    "unit nowhere": ("subject,time,glucose\nA,0,90\nA,30,99\n", r"row 2: the unit of glucose is missing; state it in the header, as in 'glucose \[mmol/L\]'"),
    "varying weight": ("subject,time,glucose_mg_dl,weight_kg\nA,0,90,60\nA,30,99,61\n", r"weight, subject A, .* row 3: '61' differs from '60' in an earlier row of the subject; correct one"),
    "varying dose": ("subject,time,glucose_mg_dl,dose_g,route,weight_kg\nA,0,90,75,oral,60\nA,30,99,50,oral,60\n", r"dose, subject A, .* row 3: '50' differs from '75'"),
    "hours called minutes": ("subject,time,glucose_mg_dl,dose_g,route,weight_kg\nA,0,90,75,oral,60\nA,3,99,75,oral,60\n", r"time, subject A: .* 3 min after the dose, and a test lasts 20 to 2880 min; are the times in h\? .*--time-unit h"),
    "seconds called minutes": ("subject,time,glucose_mg_dl,dose_g,route,weight_kg\nA,0,90,75,oral,60\nA,7200,99,75,oral,60\n", r"time, subject A: .* 7200 min after the dose.* are the times in s\?"),
    "hours of an injection": ("subject,time,glucose_mg_dl,dose_g,route,weight_kg\nA,0,90,20,intravenous,60\nA,3,99,20,intravenous,60\n", r"a test lasts 8 to 2880 min; are the times in h\?"),
    "mark of absence": ("subject,time,glucose_mg_dl\nA,0,90\nA,30,.\nA,60,99\n", r"'\.' is not a number; write one, or leave the cell empty"),
    "another analyte": ("subject,time,glucose_mg_dl,lactate\nA,0,90,1.1\nA,30,99,1.2\n", r"lactate, subject A, .* row 3: '1.2' differs .*only glucose, insulin, c_peptide, .* may change"),
    "route without a dose": ("subject,time,glucose_mg_dl,route\nA,0,90,oral\nA,30,99,oral\n", r"route without a column dose"),
    "no measurement column": ("subject,time,lactate\nA,0,1\n", r"the column analyte and value is missing; needed are .*such as 'glucose \[mg/dL\]'; found are subject, time, lactate"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BARE.values(), ids=BARE.keys())
def test_fault_of_a_bare_table_has_its_message(tmp_path, text, message):
    with pytest.raises(StudyError, match=message):
        read_study(write_csv(tmp_path, text))


WIDE = "subject,time,glucose_mg_dl\nA,0,90\nA,30,99\n"

OPTIONS = {
    "no route": ({"dose": "75 g", "weight": 70}, "option dose: the route of the dose is missing"),
    "no unit": ({"dose": "75", "route": "oral"}, "option dose: the unit of the dose is missing"),
    "no number": ({"dose": "a lot", "route": "oral"}, "option dose: "),
    "milligrams": ({"dose": "75 mg", "route": "oral", "weight": 70}, r"subject A, option dose: 75 mg"),
    "unit of nothing": ({"units": {"gluc": "mg/dL"}}, "option units: 'gluc' is not a known analyte"),
    "group": ({"group": "a\x00"}, "option group: the group's name .* holds a control character"),
    "no weight": ({"dose": "75 g", "route": "oral"}, "subject A: the dose is not per kg"),
    "weight": ({"weight": -1}, "option weight: -1 kg is no body weight"),
    "factor": ({"insulin_factor": 60}, "option insulin_factor: must be about 6.00 or 6.945"),
    "time unit": ({"time_unit": "kg"}, "'kg' is no unit of time"),
    "unit": ({"units": {"glucose": "mmol/L"}}, r"90 mmol/L is outside .* is the column in mg/dL"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "message"), OPTIONS.values(), ids=OPTIONS.keys())
def test_fault_of_an_option_has_its_message(tmp_path, options, message):
    with pytest.raises(StudyError, match=message):
        read_study(write_csv(tmp_path, WIDE), **options)


def test_doses_are_stated_in_one_place(tmp_path, folder):
    with pytest.raises(StudyError, match=r"stated in doses.csv and option dose; keep one"):
        read_study(folder, dose="75 g", route="oral")
    flat = "subject,time,glucose_mg_dl,dose_g_kg,route\nA,0,90,1,oral\nA,30,99,1,oral\n"
    with pytest.raises(StudyError, match=r"stated in table.csv and option dose; keep one"):
        read_study(write_csv(tmp_path, flat), dose="75 g", route="oral")


def test_weight_that_was_not_published_may_be_missing(tmp_path):
    description = DESCRIPTION + 'body_weight = "not published"\n'
    folder = write_tables(tmp_path / "study", subjects=None, description=description)
    study = read_study(folder)
    with pytest.raises(StudyError, match="the body weight is not known"):
        study["S1"].amount_per_kg(study["S1"].doses[0])


@pytest.mark.parametrize("option", [{"route": "iv"}, {"dose_time": 5}])
def test_option_about_another_dose_is_not_ignored(tmp_path, folder, option):
    (name,) = option
    for source in (folder, write_csv(tmp_path, WIDE)):
        with pytest.raises(StudyError, match=f"option {name}: goes with the option dose"):
            read_study(source, **option)


def test_refused_weight_is_not_reported_as_missing_too(tmp_path):
    folder = write_tables(tmp_path / "bad", subjects=SUBJECTS.replace("98", "heavy"))
    with pytest.raises(StudyError, match="'heavy'") as caught:
        read_study(folder)
    assert len(caught.value.problems) == 1


def test_all_problems_are_told_at_once(tmp_path):
    folder = write_tables(
        tmp_path / "bad",
        measurements=MEASUREMENTS.replace("8.1", "high").replace("9.4,mmol", "170,mmol"),
        doses=DOSES.replace("oral", "nasal"),
        subjects=SUBJECTS.replace("98", "heavy") + "S3,lean,60,30,20\n",
    )
    with pytest.raises(StudyError) as caught:
        read_study(folder)
    expected = ("'high'", "170 mmol/L", "'nasal'", "'heavy'", "subject S3")
    assert len(caught.value.problems) == len(expected)
    for word in expected:
        assert sum(word in problem for problem in caught.value.problems) == 1, word
    assert str(caught.value).startswith("The study has 5 problems:\n  - ")


def test_row_with_two_faults_tells_both(tmp_path):
    text = WIDE + "A,soon,none\n"
    with pytest.raises(StudyError) as caught:
        read_study(write_csv(tmp_path, text))
    assert len(caught.value.problems) == 2


def test_files_that_cannot_be_read_are_told_together(tmp_path):
    folder = write_tables(tmp_path / "bad", measurements="", doses="\n")
    with pytest.raises(StudyError) as caught:
        read_study(folder)
    assert len(caught.value.problems) == 2


def test_fault_of_a_whole_column_is_told_once(tmp_path):
    rows = "".join(f"A,{time},{90 + time}\n" for time in range(50))
    with pytest.raises(
        StudyError, match=r"row 2 \(and 49 more like it, up to .* row 51\)"
    ) as caught:
        read_study(write_csv(tmp_path, "subject,time,glucose_mmol_l\n" + rows))
    assert len(caught.value.problems) == 1


def test_blank_lines_count_as_rows(tmp_path):
    with pytest.raises(StudyError, match=r"row 5: 'x' is not a number"):
        read_study(write_csv(tmp_path, "subject,time,glucose_mg_dl\nA,0,90\n\n\nA,30,x\n"))


def test_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(StudyError, match=r"huge.csv: the file has 200 MB, and the limit is 50 MB"):
        read_study(path)
    assert LARGEST_FILE == 50_000_000


def test_other_encoding_is_refused_with_a_remedy(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("subject,time,glucose_mg_dl\nMüller,0,90\n".encode("latin-1"))
    with pytest.raises(StudyError, match=r"not UTF-8 \(byte 29\); save it again as 'CSV UTF-8'"):
        read_study(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("subject,time\n".encode("utf-16"), r"iconv -f utf-16 -t utf-8"),
        (b"PK\x03\x04\xbd\xff\x9a", r"is a workbook, not a table of text; save it again"),
    ],
)
def test_what_spreadsheets_write_is_refused_with_its_own_remedy(tmp_path, content, message):
    path = tmp_path / "sheet.csv"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=message):
        read_study(path)


def test_source_that_is_not_there(tmp_path):
    with pytest.raises(StudyError, match=r"no such file or folder.*known are pacini_bergman_1986"):
        read_study(tmp_path / "nowhere.csv")
    with pytest.raises(StudyError, match=r"ohashi_2051: there is no such.*ohashi_2015"):
        read_study("ohashi_2051")


def test_folder_without_a_description_lists_what_is_there(tmp_path):
    write_csv(tmp_path, WIDE, "glucose.csv")
    with pytest.raises(StudyError, match=r"the folder has no study.toml; there is glucose.csv"):
        read_study(tmp_path)
