"""A small sound study, written as tables that tests then spoil."""

from pathlib import Path

MEASUREMENTS = """\
subject,time,analyte,value,unit
S1,0,glucose,5.0,mmol/L
S1,30,glucose,8.1,mmol/L
S1,120,glucose,6.2,mmol/L
S1,0,insulin,48,pmol/L
S1,30,insulin,330,pmol/L
S1,120,insulin,180,pmol/L
S2,0,glucose,5.6,mmol/L
S2,30,glucose,9.4,mmol/L
S2,0,insulin,90,pmol/L
S2,30,insulin,600,pmol/L
"""
DOSES = """\
subject,time,what,amount,unit,route,duration
all,0,glucose,75,g,oral,0
"""
SUBJECTS = """\
subject,group,weight_kg,age,BMI
S1,lean,70,41,22.5
S2,obese,98,39,31.0
"""
DESCRIPTION = """\
title = "Two people"
citation = "None"
license = "CC0"
protocol = "75 g drink"
time_unit = "min"
"""


def write_tables(
    folder: Path,
    *,
    measurements: str = MEASUREMENTS,
    doses: str | None = DOSES,
    subjects: str | None = SUBJECTS,
    description: str = DESCRIPTION,
) -> Path:
    """Write a study folder; None leaves a table out."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "study.toml": description,
        "measurements.csv": measurements,
        "doses.csv": doses,
        "subjects.csv": subjects,
    }
    for name, text in contents.items():
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def write_csv(folder: Path, text: str, name: str = "table.csv") -> Path:
    """Write a bare table."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
