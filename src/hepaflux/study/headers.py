"""Headers: the names that laboratories give to columns, analytes and units, and what they mean."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from hepaflux.isotopes import IONS, ion
from hepaflux.units import DEUTERATED, LIPID_ENRICHMENTS, LIPOPROTEINS, RELATIVE

ANALYTES: dict[str, tuple[str, ...]] = {
    "glucose": ("glucose", "g", "pg", "bg", "plasma_glucose", "blood_glucose"),
    "insulin": ("insulin", "i", "iri", "ins", "plasma_insulin", "serum_insulin"),
    "c_peptide": ("c_peptide", "cpeptide", "cpr", "c_pep", "connecting_peptide"),
    "ffa": ("ffa", "nefa", "free_fatty_acids", "nonesterified_fatty_acids"),
    "meal_enrichment": ("meal_enrichment",),
    "egp_enrichment": ("egp_enrichment",),
    "ra_enrichment": ("ra_enrichment",),
    "ihtg": ("ihtg", "liver_fat", "hepatic_fat", "intrahepatic_triglyceride"),
    "dnl_fraction": ("dnl_fraction",),
    "liver_glycogen": ("liver_glycogen", "hepatic_glycogen"),
    "egp": ("egp", "hgp", "endogenous_glucose_production"),
    "gng_fraction": ("gng_fraction", "gng_share"),
    "medium_insulin": ("medium_insulin",),
    "plasma_tg": ("plasma_tg",),
    "vldl_tg_secretion": ("vldl_tg_secretion",),
    **{name: (name,) for name in RELATIVE},
}
ANALYTES |= {name: (name,) for name in (*(f"{x}_tg" for x in LIPOPROTEINS), *LIPID_ENRICHMENTS)}
NEAR = 0.8
"""Least similarity of a misspelled name to the one that was meant, by ``difflib``."""

KNOWN = (
    f"{', '.join(ANALYTES)}, body_water, and {ion('palmitate', 0)}, {ion('palmitate', 1)}, ..., "
    "palmitate_deuterium or those of another fatty acid"
)
"""The analytes in words, for messages."""

ANALYTES |= {name: (name,) for name in (*DEUTERATED, *IONS)}
"""Names under which each analyte is known."""

COLUMNS = {
    "subject": ("subject", "subject_id", "id", "participant", "patient"),
    "time": ("time",),
    "weight": ("weight", "body_weight", "bw"),
    "dose": ("dose",),
    "dose_time": ("dose_time",),
    "duration": ("duration", "dose_duration"),
    "amount": ("amount",),
}
"""Names of the columns that may carry a unit in their header, or are known by several names."""

UNIT_SPELLINGS = {
    "mg_dl": "mg/dL",
    "g_l": "g/L",
    "mmol_l": "mmol/L",
    "mm": "mmol/L",
    "uu": "uU",
    "uu_ml": "uU/mL",
    "uiu_ml": "uU/mL",
    "mu_l": "mU/L",
    "miu_l": "mU/L",
    "pmol_l": "pmol/L",
    "pm": "pmol/L",
    "nmol_l": "nmol/L",
    "nm": "nmol/L",
    "ng_ml": "ng/mL",
    "ug_l": "ug/L",
    "pg_ml": "pg/mL",
    "min": "min",
    "mins": "min",
    "minutes": "min",
    "h": "h",
    "hr": "h",
    "hours": "h",
    "s": "s",
    "d": "day",
    "days": "day",
    "kg": "kg",
    "lb": "lb",
    "g": "g",
    "mg": "mg",
    "mmol": "mmol",
    "u": "U",
    "iu": "U",
    "mu": "mU",
    "g_kg": "g/kg",
    "mg_kg": "mg/kg",
    "mmol_kg": "mmol/kg",
    "u_kg": "U/kg",
    "mu_kg": "mU/kg",
    "mmol_kg_min": "mmol/kg/min",
    "umol_kg_min": "umol/kg/min",
    "mg_kg_min": "mg/kg/min",
    "counts": "counts",
    "cps": "counts",
    "a_u": "arbitrary_unit",
    "percent": "percent",
    "fraction": "1",
}
"""Units by their spelling in lower case with every mark as an underscore."""

MEANINGS = (*ANALYTES, *COLUMNS)
"""What a column can mean; other columns keep their name."""

_MEANING = {
    alias: name for names in (ANALYTES, COLUMNS) for name, all_ in names.items() for alias in all_
}


class Header(NamedTuple):
    """A column's meaning and the unit that its header states; ``""`` if it states none."""

    name: str
    unit: str


def slug(text: str) -> str:
    """Return a name in lower case with every run of marks and spaces as one underscore."""
    return re.sub(r"[\W_]+", "_", text.strip().lower()).strip("_")


def analyte_of(text: str) -> str | None:
    """Return the analyte that a laboratory calls ``text``, or None."""
    name = _MEANING.get(slug(text))
    return name if name in ANALYTES else None


def meant(text: str, names: Iterable[str]) -> str:
    """Return a question about the name that a misspelled one is nearest to, or nothing."""
    near = get_close_matches(slug(text), list(names), n=1, cutoff=NEAR)
    return f" (did you mean {near[0]!r}?)" if near else ""


def spell_unit(text: str) -> str:
    """Return a unit in the spelling that ``hepaflux.units`` reads, both mu characters included.

    Case is ignored only for known units: ``uu/ml`` and ``MG/DL`` are what people type, and the
    first would otherwise be read as an atomic mass.
    """
    text = text.strip().replace("μ", "u").replace("µ", "u")
    return UNIT_SPELLINGS.get(slug(text), text)


def read_header(text: str, meanings: Iterable[str] = MEANINGS) -> Header:
    """Split a column name such as ``glucose_mg_dl`` or ``Glucose [mg/dL]`` into meaning and unit.

    Only columns that have a unit are split; a covariate keeps its name.
    """
    known = {alias: name for alias, name in _MEANING.items() if name in meanings}
    bracketed = re.fullmatch(r"(.+?)\s*[\[(](.*)[\])]\s*", text)
    if bracketed and slug(bracketed[1]) in known:
        return Header(known[slug(bracketed[1])], spell_unit(bracketed[2]))
    name = slug(text.replace("μ", "u").replace("µ", "u"))
    for spelling, unit in UNIT_SPELLINGS.items():
        stem = name.removesuffix(f"_{spelling}")
        if stem != name and stem in known:
            return Header(known[stem], unit)
    return Header(known.get(name, name), "")
