"""Enrichments and tracer doses: every way of stating them means the same, or is refused."""

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.study import StudyError
from hepaflux.units import UnitError, enrichment_to_ttr

HEAD = "subject,time,analyte,value,unit\n"
GLUCOSE = "A,-10,glucose,5.0,mmol/L\nA,30,glucose,8.0,mmol/L\n"
INSULIN = "A,-10,insulin,50,pmol/L\nA,30,insulin,200,pmol/L\n"
DOSES = "subject,time,what,amount,unit,route,duration\n"
LABEL = "A,0,meal_tracer,0.4,mmol/kg,oral,0\n"
TITLE = 'title = "t"\ntime_unit = "min"\nbody_weight = "not published"\n'


def study(folder, rows, doses=""):
    (folder / "measurements.csv").write_text(HEAD + GLUCOSE + INSULIN + rows)
    (folder / "doses.csv").write_text(DOSES + "A,0,glucose,1,g/kg,oral,0\n" + LABEL + doses)
    (folder / "study.toml").write_text(TITLE)
    return hf.read_study(folder)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("0.05", "TTR"),
        ("5", "TTR%"),
        ("4.761904761904762", "MPE"),
        ("0.0476190476190476", "mole fraction"),
    ],
)
def test_every_statement_of_an_enrichment_is_the_same(tmp_path, value, unit):
    read = study(tmp_path, f"A,30,meal_enrichment,{value},{unit}\n")
    assert read["A"].samples["meal_enrichment"].value == pytest.approx([0.05], rel=1e-12)


def test_conversion_is_that_of_a_mixture():
    """Of a parts tracer in b parts tracee the ratio is a / b, the mole fraction a / (a + b)."""
    tracer, tracee = np.array([0.01, 0.3, 2.0]), np.array([1.0, 1.0, 0.5])
    ratio = tracer / tracee
    np.testing.assert_allclose(enrichment_to_ttr(ratio, "TTR"), ratio)
    share = 100 * tracer / (tracer + tracee)
    np.testing.assert_allclose(enrichment_to_ttr(share, "MPE"), ratio, rtol=1e-12)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A,30,meal_enrichment,5,TTR\n", "5 TTR is outside 0–1 TTR; is the column in MPE or TTR%"),
        ("A,30,meal_enrichment,5,%\n", "'%' is no unit of enrichment; write TTR, TTR%, MPE"),
        ("A,30,meal_enrichment,-0.01,TTR\n", "-0.01 TTR is negative; below the background"),
        ("A,30,meal_enrichment,0.05,\n", "the unit of meal_enrichment is missing"),
        ("A,30,enrichment,0.05,TTR\n", "'enrichment' is not a known analyte"),
    ],
)
def test_bad_enrichment_has_its_message(tmp_path, row, message):
    with pytest.raises(StudyError) as error:
        study(tmp_path, row)
    assert message in str(error.value)


def test_an_enrichment_needs_no_basal_sample(tmp_path):
    assert len(study(tmp_path, "A,30,meal_enrichment,0.05,TTR\n")["A"].samples) == 3


def test_a_tracer_infused_before_does_not_move_the_test(tmp_path):
    """Basal is what was measured before the drink, not before the tracer."""
    read = study(
        tmp_path,
        "A,-10,egp_enrichment,0.03,TTR\n",
        "A,-120,egp_tracer,50,umol/kg,intravenous,240\n",
    )
    inputs = {i.name: i for i in hf.systems.oral.for_study(read).inputs}
    assert inputs["basal_glucose"].read(read["A"]) == 5.0
    assert read["A"].doses[0].amount == pytest.approx(0.05)


def test_a_tracer_by_mass_is_refused(tmp_path):
    with pytest.raises(StudyError, match="its mass depends on the label"):
        study(tmp_path, "", "A,-120,egp_tracer,50,mg/kg,intravenous,240\n")


def test_an_unknown_unit_is_refused():
    with pytest.raises(UnitError, match="no unit of enrichment"):
        enrichment_to_ttr(1.0, "APE")


@pytest.mark.parametrize(
    ("rows", "doses", "message"),
    [
        ("A,30,ra_enrichment,0.05,TTR\n", "", "no dose of ra_tracer; list it among the doses"),
        ("A,30,meal_enrichment,0.2,TTR\n", "", "0.2 TTR is above the 0.0777 TTR of the drink"),
        (
            "A,-10,egp_enrichment,0.03,TTR\n",
            "A,-120,egp_tracer,50,mmol/kg,intravenous,240\n",
            "is a production of 6.94e+03 umol/kg/min, outside 2–80",
        ),
    ],
)
def test_enrichments_that_the_doses_cannot_make(tmp_path, rows, doses, message):
    with pytest.raises(StudyError) as error:
        study(tmp_path, rows, doses)
    assert message in str(error.value)


def test_a_label_without_its_drink(tmp_path):
    """The amount of the drink includes its label, so a label cannot be the larger."""
    doses = "A,60,meal_tracer,6,mmol/kg,oral,0\n"
    with pytest.raises(StudyError, match="the amount of the drink must include its label"):
        study(tmp_path, "A,90,meal_enrichment,0.05,TTR\n", doses)
