"""Published figures: each fault of a table has its message, and nothing is invented."""

# One fault per line reads as a table.
# ruff: noqa: E501

import csv
from pathlib import Path

import numpy as np
import pytest

import hepaflux as hf
from hepaflux.study import QUANTITIES, Quantity, StudyError

SOUND = """quantity,group,group_in_source,study,citation,condition,method,n,mean,spread,spread_kind,unit,scale,trust,note
dnl_fraction,healthy,lean,One 2001,One (2001) J 1:1,fasting,D2O,9,5.0,1.0,SE,%,,checked,
dnl_fraction,NAFLD,fat liver,One 2001,One (2001) J 1:1,fasting,D2O,16,0.2,0.05,SD,1,,checked,
dnl_fraction,NAFLD,steatosis,Two 2002,Two (2002) J 2:2,fasting,MIDA,12,25,,none,%,,checked,
dnl_fraction,healthy,control,Two 2002,Two (2002) J 2:2,fasting,MIDA,,4,1,SE presumed,%,,checked,
dnl_fraction,healthy,control,Three 2003,Three (2003) J 3:3,fasting,MIDA,8,6,2,SD,%,,unverified,
vldl_tg_secretion,healthy,lean,One 2001,One (2001) J 1:1,fasting,tracer,10,0.9,0.3,SD,umol/kg/min,fat-free mass,checked,
vldl_tg_secretion,NAFLD,fat liver,One 2001,One (2001) J 1:1,fasting,tracer,10,72,23,SD,umol/kg/d,body weight,checked,
"""

FIRST = "dnl_fraction,healthy,lean,One 2001,One (2001) J 1:1,fasting,D2O,9,5.0,1.0,SE,%,,checked,"

FAULTS = {
    "unknown quantity": ("dnl_fraction,healthy,lean", "dnl,healthy,lean", r"quantity, figures.csv row 2: 'dnl' is not known; known are dnl_fraction, .*egp_suppression"),
    "no group": ("dnl_fraction,healthy,lean", "dnl_fraction,,lean", r"group, figures.csv row 2: the cell is empty; give a label"),
    "no citation": ("One (2001) J 1:1,fasting,D2O,9", ",fasting,D2O,9", r"citation, figures.csv row 2: the citation is missing; say where"),
    "unknown unit": ("1.0,SE,%", "1.0,SE,furlong", r"unit, figures.csv row 2: unknown unit: 'furlong' does not measure"),
    "nonsense unit": ("1.0,SE,%", "1.0,SE,%%/", r"unit, figures.csv row 2: unknown unit: '%%/' is not a unit"),
    "no unit": ("1.0,SE,%", "1.0,SE,", r"unit, figures.csv row 2: the unit is missing; a fraction has the unit 1 or %"),
    "text in a mean": ("5.0,1.0", "five,1.0", r"mean, figures.csv row 2: 'five' is not a number"),
    "no mean": ("5.0,1.0", ",1.0", r"mean, figures.csv row 2: the cell is empty; give a number"),
    "percent called fraction": ("5.0,1.0,SE,%", "5.0,1.0,SE,1", r"mean, figures.csv row 2: 5.0 1 is outside 0.001–0.8; is the unit right \(1 or %\)\?"),
    "negative mean": ("5.0,1.0", "-5.0,1.0", r"mean, figures.csv row 2: -5.0 % is outside"),
    "negative spread": ("5.0,1.0", "5.0,-1.0", r"spread, figures.csv row 2: -1 is not positive; leave the cell empty"),
    "no spread called zero": ("5.0,1.0", "5.0,0", r"spread, figures.csv row 2: 0 is not positive; leave the cell empty"),
    "text in a spread": ("5.0,1.0", "5.0,wide", r"spread, figures.csv row 2: 'wide' is not a number"),
    "spread of another unit": ("0.2,0.05", "0.2,5", r"spread, figures.csv row 3: fractions with the mean 0.2 cannot have the SD 5 1; is it in the unit of the mean"),
    "SD called SE": ("9,5.0,1.0", "9,5.0,9.0", r"row 2: fractions with the mean 0.05 cannot have the SE 9.0 %"),
    "spread without a kind": ("1.0,SE", "1.0,", r"spread_kind, figures.csv row 2: the spread has no kind; write SD or SE"),
    "kind without a spread": ("5.0,1.0", "5.0,", r"spread, figures.csv row 2: the SE is missing"),
    "unknown kind": ("1.0,SE", "1.0,CI", r"spread_kind, figures.csv row 2: 'CI' is not one of SD, SE, SD presumed"),
    "nobody": ("D2O,9", "D2O,0", r"n, figures.csv row 2: 0 is no number of people"),
    "half a person": ("D2O,9", "D2O,9.5", r"n, figures.csv row 2: 9.5 is no number of people"),
    "text in n": ("D2O,9", "D2O,nine", r"n, figures.csv row 2: 'nine' is not a number"),
    "spread of one": ("D2O,9", "D2O,1", r"n, figures.csv row 2: one person has no spread"),
    "neither n nor an error": ("MIDA,12,25", "MIDA,,25", r"n, figures.csv row 4: neither n nor an SE is given, so nothing says how precise"),
    "SD without n": ("D2O,16", "D2O,", r"n, figures.csv row 3: neither n nor an SE is given"),
    "unknown trust": ("SE,%,,checked", "SE,%,,sure", r"trust, figures.csv row 2: 'sure' is neither checked nor unverified"),
    "unknown scale": ("fat-free mass", "muscle", r"scale, figures.csv row 7: 'muscle' is no scale of vldl_tg_secretion; use '', 'body weight', 'fat-free mass'"),
    "scale of a fraction": ("SE,%,,", "SE,%,body weight,", r"scale, figures.csv row 2: 'body weight' is no scale of dnl_fraction"),
    "rate per kg without scale": ("umol/kg/min,fat-free mass", "umol/kg/min,", r"unit, figures.csv row 7: unknown unit: 'umol/kg/min' does not measure .*write the unit and the scale"),
    "per day called per minute": ("72,23,SD,umol/kg/d", "72,23,SD,umol/kg/min", r"mean, figures.csv row 8: 72 umol/kg/min is outside 0.005–15 umol/min/kg"),
    "listed twice": (FIRST, f"{FIRST}\n{FIRST}", r"dnl_fraction, figures.csv row 3: One 2001, lean, fasting is in row 2 too; remove one"),
    "missing column": ("citation", "source", r"figures.csv: the column citation is missing; needed are quantity, group, citation, mean, unit"),
    "unknown column": (",note", ",remark", r"figures.csv: the column 'remark' is not known; known are quantity"),
    "header alone": (SOUND, SOUND.splitlines()[0] + "\n", r"figures.csv: the file is empty below its header"),
}  # fmt: skip


@pytest.fixture
def table(tmp_path: Path):
    """Write a table and return its path."""

    def write(text: str = SOUND) -> Path:
        path = tmp_path / "figures.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_message(table, fault):
    old, new, message = FAULTS[fault]
    assert old in SOUND
    with pytest.raises(StudyError, match=message) as caught:
        hf.read_figures(table(SOUND.replace(old, new, 1)))
    assert len(caught.value.problems) == 1


def test_all_faults_are_told_at_once(table):
    text = SOUND.replace("5.0,1.0,SE,%", "five,-1,CI,", 1).replace("25,,none,%", "25,,none,1")
    with pytest.raises(StudyError) as caught:
        hf.read_figures(table(text))
    assert [problem.split(",")[0] for problem in caught.value.problems] == [
        *("mean", "spread", "spread_kind", "unit", "mean")
    ]


def test_units_are_converted_and_errors_follow_from_n(table):
    one, two, three, four = hf.read_figures(table()).of("dnl_fraction")
    assert (one.mean, one.se) == pytest.approx((0.05, 0.01))
    assert one.sd == pytest.approx(0.01 * np.sqrt(9))
    assert (two.mean, two.sd, two.se) == pytest.approx((0.2, 0.05, 0.05 / np.sqrt(16)))
    assert (three.spread, three.sd, three.se) == (None, None, None)
    assert four.n is None
    assert four.sd is None
    assert four.se == pytest.approx(0.01)


def test_rates_keep_their_scale(table):
    lean, fat = hf.read_figures(table()).of("vldl_tg_secretion")
    assert (lean.mean, lean.scale) == (0.9, "fat-free mass")
    assert fat.mean == pytest.approx(72 / 1440)
    assert fat.sd == pytest.approx(23 / 1440)


def test_unverified_figures_stay_out_unless_asked_for(table):
    path = table()
    without, with_them = (hf.read_figures(path, unverified=asked) for asked in (False, True))
    assert [row.study for row in without.unverified] == ["Three 2003"]
    assert len(with_them.figures) == len(without.figures) + 1
    assert not with_them.unverified
    assert "Three 2003" not in {row.study for row in without.figures}


def test_a_table_without_checked_figures_says_so(table):
    with pytest.raises(StudyError, match="none of its 7 figures was compared with its source"):
        hf.read_figures(table(SOUND.replace(",checked,", ",unverified,")))


def test_order_of_rows_and_units_do_not_change_the_checksum(table):
    header, *rows = SOUND.splitlines()
    first = hf.read_figures(table()).checksum
    rows[0] = rows[0].replace("5.0,1.0,SE,%", "0.05,0.010,SE,1")
    assert hf.read_figures(table("\n".join([header, *rows[::-1]]))).checksum == first
    other = "\n".join([header, *rows]).replace("0.05,0.010", "0.05,0.011")
    assert hf.read_figures(table(other)).checksum != first


def test_few_columns_are_enough(table):
    text = "quantity,group,citation,mean,unit,n\negp_suppression,obese,A paper,70,%,12\n"
    (row,) = hf.read_figures(table(text)).figures
    assert (row.study, row.spread_kind, row.trust, row.method) == ("A paper", "none", "checked", "")


def test_a_quantity_of_ones_own(table):
    text = "quantity,group,citation,mean,unit,n\nSI,obese,A paper,0.6,1,12\n"
    with pytest.raises(StudyError, match="'SI' is not known"):
        hf.read_figures(table(text))
    own = Quantity("SI", "1", "insulin sensitivity", "positive", 0.1, 10.0)
    assert hf.read_figures(table(text), quantities=[own]).quantities == (own,)


def test_a_folder_with_a_description(table, tmp_path):
    table()
    (tmp_path / "figures.toml").write_text('title = "Mine"\nnotes = "Typed"\n', encoding="utf-8")
    for source in (tmp_path, tmp_path / "figures.toml"):
        assert hf.read_figures(source).title == "Mine"
    (tmp_path / "figures.toml").write_text('titel = "Mine"\n', encoding="utf-8")
    with pytest.raises(
        StudyError,
        match=r"the key 'titel' is not known \(did you mean 'title'\?\); known are name, title",
    ):
        hf.read_figures(tmp_path)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(StudyError, match="no such file or folder; the bundled table is published_"):
        hf.read_figures(tmp_path / "nothing.csv")
    with pytest.raises(StudyError, match=r"quantity 'SI': no figures; there are some of dnl_"):
        hf.read_figures().of("SI")


class TestBundledTable:
    """The table that comes with the package."""

    def test_it_reads_and_covers_the_three_groups(self):
        figures = hf.read_figures()
        for quantity in ("dnl_fraction", "vldl_tg_secretion", "egp_suppression"):
            assert {"healthy", "obese", "NAFLD"} <= set(figures.groups(quantity))
            assert figures.groups(quantity)[0] == "healthy"

    def test_every_figure_has_citation_method_and_words_of_its_source(self):
        every = hf.read_figures(unverified=True)
        for row in every.figures:
            assert row.citation
            assert row.method
            assert row.group_in_source
            assert row.condition
        assert {row.quantity for row in every.figures} == {q.name for q in QUANTITIES}

    def test_what_was_not_compared_with_its_source_stays_out(self):
        assert {row.study for row in hf.read_figures().unverified} == {
            "Lambert 2014",
            "NASH, source unknown",
        }

    def test_it_agrees_with_the_collection_it_was_curated_from(self, data_mirror):
        """Means and spreads of each paper stand in the collected figures, where it has them."""
        path = data_mirror.parent / "published_summary_statistics.csv"
        if not path.is_file():
            pytest.skip("the collection is not beside the mirror")
        with path.open(encoding="utf-8", newline="") as file:
            every = list(csv.DictReader(file))
        collected = {(row["mean"], row["sd_or_se"]) for row in every if row["mean"]}
        words = " ".join(row["group"] for row in every)
        table = Path(__file__).parents[2] / "data" / "published_figures" / "figures.csv"
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        from_elsewhere = {"Smith 2020", "Marchesini 2001", "Fabbrini 2008"}
        for row in rows:
            if row["study"] in from_elsewhere or row["study"].startswith("Sørensen"):
                continue
            if row["quantity"] == "liver_fat":  # it names the groups there
                assert f"IHTG {row['mean']} %" in words, row
                continue
            assert (row["mean"], row["spread"]) in collected, row
