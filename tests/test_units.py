"""Units: conversions agree with the definitions, and with their own inverse."""

import numpy as np
import pytest

from hepaflux.units import CANONICAL, UnitError, conversion_factor, parse, quantity, to_canonical


def test_glucose_by_mass_and_by_amount():
    assert conversion_factor("mmol/L", "mg/dL", substance="glucose") == pytest.approx(18.0156)
    assert to_canonical(18.0156, "mg/dL", "glucose") == pytest.approx(1.0)
    assert to_canonical(0.180156, "g/L", "glucose") == pytest.approx(1.0)


@pytest.mark.parametrize("factor", [6.0, 6.945])
def test_insulin_convention_is_pmol_per_liter_in_one_microunit_per_milliliter(factor):
    for unit in ("uU/mL", "mU/L", "µU/mL", "μU/mL", "uIU/ml"):
        assert to_canonical(1.0, unit, "insulin", insulin_factor=factor) == pytest.approx(factor)


def test_insulin_dose_in_units():
    assert conversion_factor("U", "pmol", substance="insulin") == pytest.approx(6000.0)


def test_c_peptide_by_mass():
    assert to_canonical(3.0203, "ng/mL", "c_peptide") == pytest.approx(1.0)


@pytest.mark.parametrize("substance", ["glucose", "insulin", "c_peptide"])
def test_canonical_value_is_not_touched(substance):
    values = np.array([5.1, 7.7, 0.1 + 0.2])
    np.testing.assert_array_equal(to_canonical(values, CANONICAL[substance], substance), values)


@pytest.mark.parametrize(
    ("substance", "one", "other"),
    [
        ("glucose", "mg/dL", "mmol/L"),
        ("insulin", "uU/mL", "pmol/L"),
        ("insulin", "ng/mL", "pmol/L"),
        ("c_peptide", "ng/mL", "nmol/L"),
        ("", "h", "min"),
        ("", "lb", "kg"),
    ],
)
def test_there_and_back_is_one(substance, one, other):
    there = conversion_factor(one, other, substance=substance)
    back = conversion_factor(other, one, substance=substance)
    assert there * back == pytest.approx(1.0, rel=1e-14)


def test_input_is_not_changed():
    values = np.array([90.0, 150.0])
    to_canonical(values, "mg/dL", "glucose")
    assert values.tolist() == [90.0, 150.0]


def test_text_that_is_no_unit():
    with pytest.raises(UnitError, match="'mg/spoon' is not a unit that can be read"):
        parse("mg/spoon")


def test_unit_of_another_quantity():
    with pytest.raises(UnitError, match="'kg' does not measure a quantity of glucose in mmol/L"):
        to_canonical(1.0, "kg", "glucose")
    with pytest.raises(UnitError, match="'mg/dL' does not measure a quantity in mmol/L"):
        conversion_factor("mg/dL", "mmol/L")


def test_unknown_substance_lists_the_known_ones():
    with pytest.raises(UnitError, match=r"'lactose' is not known; the known ones are .*glucose"):
        to_canonical(1.0, "mmol/L", "lactose")


def test_quantity_carries_its_dimension():
    assert quantity(2.0, "mmol/L").check("[substance]/[length]**3")
