"""The command that plans a study: its table, its advice, and what it refuses."""

import re

import pandas as pd
import pytest
from test_cli import refused, run

from hepaflux.arguments import read_people
from hepaflux.planning import advise

SPARSE, RICH = "0 30 60 90 120", "0 10 20 30 45 60 90 120 150 180"
DESIGN = ("design", "oral", "--parameter", "SI", "--protocol", "ogtt75")


def test_schedules_are_compared_and_one_is_advised():
    words = ("--schedule", SPARSE, "--schedule", RICH, "--subjects", "1", "10", "20")
    text = run(*DESIGN, *words, "--contraction", "0.8")
    assert "L/pmol/min" in text
    assert "sd of log SI" in text
    assert text.count("median, 20 people") == 2
    rows = {name: re.search(rf"^ {name} +\d.*$", text, re.MULTILINE) for name in (SPARSE, RICH)}
    sparse, rich = (float(row.group().split()[-1]) for row in rows.values())
    assert 0 < sparse < 0.8 <= rich < 1
    assert f"For a contraction of 0.8 of SI in one person, samples at {RICH} suffice" in text
    assert f"of SI of the median of 20 people, samples at {SPARSE} suffice" in text


def test_the_protocol_has_its_own_schedule():
    text = run("design", "minimal", "--parameter", "SI", "--subjects", "1")
    assert "minimal, ivgtt" in text
    assert "of the protocol" in text


def test_priors_and_options_are_taken():
    words = ("--schedule", SPARSE, "--subjects", "1")
    wide, narrow = (run(*DESIGN, *words, *more) for more in ((), ("--prior", "p2=value=0.012")))
    assert wide != narrow
    assert "GEZI" in refused(*DESIGN[:2], "--parameter", "SG", "--set", "effectiveness=GEZI")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--parameter", "S1"), "has no parameter 'S1'; it has SI"),
        (("--parameter", "f"), "f is fixed at 0.9, so no sample can narrow it"),
        (("--schedule", "0"), "schedule '0': none of its samples enters the likelihood"),
        (("--schedule", "0 60 30"), "times must increase, but are 0 60 30"),
        (("--schedule", "noon"), "write it like --schedule"),
        (("--schedule", ""), "write it like --schedule"),
        (("--subjects", "0"), "'0' is no number of people"),
        (("--subjects", "1", "few"), "'few' cannot be read; write it like --subjects"),
        (("--protocol", "ivgtt"), "protocol must be one of ogtt75"),
        (("--prior", "p2"), "write it like --prior"),
    ],
)
def test_what_cannot_be_planned_is_refused(words: tuple[str, ...], message: str):
    assert message in refused(*DESIGN, *words)


def test_an_unknown_system_is_answered_by_the_known_ones():
    assert "no system 'nope'; there are minimal" in refused("design", "nope", "--parameter", "SI")


def test_numbers_of_people_are_read():
    assert read_people("1,10 20") == [1, 10, 20]
    with pytest.raises(ValueError, match="no number of people"):
        read_people("2.5")


def table(*rows):
    columns = ("schedule", "samples", "subjects", "contraction_subject", "contraction_median")
    return pd.DataFrame(rows, columns=columns)


def test_the_fewest_samples_that_suffice_are_advised():
    expected = table(("rich", 9, 1, 0.9, 0.5), ("sparse", 4, 1, 0.85, 0.5), ("one", 1, 1, 0.2, 0.1))
    (sentence,) = advise(expected, "SI", 0.8)
    assert sentence.endswith("in one person, samples at sparse suffice (0.85).")


def test_the_nearest_is_named_if_none_suffices():
    expected = table(("rich", 9, 10, 0.7, 0.95), ("sparse", 4, 10, 0.6, 0.85))
    one, ten = advise(expected, "SI", 0.9)
    assert one.startswith("No schedule reaches a contraction of 0.9 of SI in one person")
    assert "samples at rich come nearest (0.70)" in one
    assert ten == (
        "For a contraction of 0.9 of SI of the median of 10 people, samples at rich suffice (0.95)."
    )
