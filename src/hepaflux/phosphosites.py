"""Phosphosites: which phosphorylated residues of liver tell of insulin signaling, and which not.

One table says what each site stands for and why. A site is read as active Akt if Akt phosphorylates
it by itself; what is phosphorylated by others, or what the equations of ``signaling`` have no
counterpart of, is left out and said to be.

The sites are those of a table of log2 ratios from the livers of mice after insulin (Humphrey SJ,
Azimifar SB, Mann M (2015) Nat Biotechnol 33:990), numbered as in mice. What is said of their
kinases is textbook knowledge and was not compared with papers.
"""

from typing import NamedTuple


class Site(NamedTuple):
    """A phosphorylated residue.

    Attributes
    ----------
    label : str
        Gene and number of the residue, as tables of phosphoproteomics write them.
    analyte : str
        Its name in a study; empty if it is left out.
    meaning : str
        Protein and residue.
    reason : str
        Why it stands for what it does, or why it is left out.
    """

    label: str
    analyte: str
    meaning: str
    reason: str

    @property
    def gene(self) -> str:
        """Return the gene in lower case, by which parameters of the site are named."""
        return self.label.partition(";")[0].lower()


LIKE_FOXO1 = "Akt phosphorylates it; its way out of the nucleus, which takes minutes, comes after"
ELSEWHERE = "not the site by which Akt inhibits the protein; its kinase is not known here"

SITES = (
    Site("AKT1S1;247", "akt1s1_t247", "PRAS40 at threonine 247", "Akt phosphorylates it"),
    Site("FOXO1;316", "foxo1_s316", "FoxO1 at serine 316", LIKE_FOXO1),
    Site("FOXO3;252", "foxo3_s252", "FoxO3 at serine 252", LIKE_FOXO1),
    Site("GSK3A;21", "gsk3a_s21", "GSK3-alpha at serine 21", "Akt phosphorylates it"),
    Site("PFKFB2;486", "pfkfb2_s486", "PFK-2 at serine 486", "Akt phosphorylates it"),
    Site("TSC2;939", "tsc2_s939", "TSC2 at serine 939", "Akt phosphorylates it, before mTORC1"),
    Site(
        "IRS1;302",
        "",
        "IRS-1 at serine 302",
        "a serine by which IRS is inhibited; what is inhibited in the equations changes over days,"
        " and this site within 5 s, before anything behind the receptor",
    ),
    Site("IRS1;1095", "", "IRS-1 at serine 1095", "no tyrosine that binds PI3-kinase"),
    Site("IRS1;1212", "", "IRS-1 at residue 1212", "no tyrosine that binds PI3-kinase"),
    Site("GSK3A;219", "", "GSK3-alpha at residue 219", ELSEWHERE),
    Site("PDE3B;474", "", "PDE3B at residue 474", f"{ELSEWHERE}; PDE3B is followed in fat alone"),
    Site("PDE3B;536", "", "PDE3B at residue 536", f"{ELSEWHERE}; PDE3B is followed in fat alone"),
    Site("GYS2;627", "", "glycogen synthase at residue 627", "glycogen is not in the equations"),
    Site("CDKN1B;178", "", "p27 at residue 178", "the cell cycle is not in the equations"),
)
"""Every site of the table, with what it stands for."""

READ = tuple(site for site in SITES if site.analyte)
"""Sites that are read, all as active Akt."""

LEFT_OUT = tuple(site for site in SITES if not site.analyte)
"""Sites that are not."""
