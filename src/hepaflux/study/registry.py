"""Registry: published data sets by name, where their files are, and whether these are intact."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hepaflux.study.description import Tables, read_folder
from hepaflux.study.published import read_brannmark, read_fujita, read_ohashi

MIRROR = "HEPAFLUX_DATA_MIRROR"
"""Environment variable: a folder with one subfolder per data set, used instead of a network."""

CACHE = "HEPAFLUX_CACHE"
"""Environment variable: where downloaded files are kept."""

_CONDITIONAL_UDE = (
    "https://raw.githubusercontent.com/Computational-Biology-TUe/conditional-ude/"
    "bff936ffca97d5eb69287f38ab7d80710dc4e2f8/data"
)

_PETAB = (
    "https://raw.githubusercontent.com/Benchmarking-Initiative/Benchmark-Models-PEtab/"
    "4d2085084b289f6215a95475b1ee639fd7d42283/Benchmark-Models/Brannmark_JBC2010"
)


class DatasetError(RuntimeError):
    """A data set that is unknown, out of reach or not intact; says what to do by hand."""


@dataclass(frozen=True)
class RemoteFile:
    """A file at a public address that never changes, with its SHA-256."""

    name: str
    address: str
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """A published data set.

    Attributes
    ----------
    name : str
        What ``read_study`` takes.
    title, citation, license : str
        Cite the source wherever a number is used.
    reader : callable
        Turns the folder that holds the files into tables.
    files : tuple of RemoteFile
        Empty if the data set comes with the package.
    """

    name: str
    title: str
    citation: str
    license: str
    reader: Callable[[Path], Tables] = read_folder
    files: tuple[RemoteFile, ...] = ()

    @property
    def is_bundled(self) -> bool:
        """Return whether the data set comes with the package."""
        return not self.files


DATASETS = (
    Dataset(
        name="pacini_bergman_1986",
        title="Frequently sampled intravenous glucose tolerance test of one healthy subject",
        citation=(
            "Pacini G, Bergman RN (1986) MINMOD: a computer program to calculate insulin "
            "sensitivity and pancreatic responsivity from the frequently sampled intravenous "
            "glucose tolerance test. Comput Methods Programs Biomed 23:113-122."
        ),
        license="Figures typed from a published table",
    ),
    Dataset(
        name="dalla_man_2002_mean",
        title="Mean glucose and insulin of healthy subjects after a mixed meal",
        citation=(
            "Dalla Man C, Caumo A, Cobelli C (2002) The oral glucose minimal model: estimation of "
            "insulin sensitivity from a meal test. IEEE Trans Biomed Eng 49:419-429."
        ),
        license="Figures typed from a published table",
    ),
    Dataset(
        name="ogtt_demo",
        title="Synthetic study of 24 people (ogtt75, system oral, seed 1)",
        citation="Synthetic; not measured in anyone",
        license="CC0-1.0",
    ),
    Dataset(
        name="labeled_meal_demo",
        title="Synthetic study of 24 people (labeled_meal, system oral_labeled, seed 1)",
        citation="Synthetic; not measured in anyone",
        license="CC0-1.0",
    ),
    *(
        Dataset(
            name=f"joint_demo/{system}",
            title=f"Synthetic study of 40 people ({test}, system {system}, one of 2 tests, seed 1)",
            citation="Synthetic; not measured in anyone",
            license="CC0-1.0",
        )
        for system, test in (("oral_labeled", "labeled_meal"), ("heavy_water", "heavy_water"))
    ),
    Dataset(
        name="rothman_1991",
        title="Liver glycogen of seven fasting people by magnetic resonance",
        citation=(
            "Rothman DL, Magnusson I, Katz LD, Shulman RG, Shulman GI (1991) Quantitation of "
            "hepatic glycogenolysis and gluconeogenesis in fasting humans with 13C NMR. Science "
            "254:573-576."
        ),
        license="Figures read off a published figure",
    ),
    Dataset(
        name="magnusson_1992",
        title=("Mean liver glycogen of healthy people and people with type 2 diabetes in a fast"),
        citation=(
            "Magnusson I, Rothman DL, Katz LD, Shulman RG, Shulman GI (1992) Increased rate of "
            "gluconeogenesis in type II diabetes mellitus: a 13C nuclear magnetic resonance study. "
            "J Clin Invest 90:1323-1327."
        ),
        license="Figures read off a published figure",
    ),
    *(
        Dataset(
            name=f"nuttall_2008/{folder}",
            title=f"Glucose production and gluconeogenesis {of_whom}",
            citation=(
                "Nuttall FQ, Ngo A, Gannon MC (2008) Regulation of hepatic glucose production and "
                "the role of gluconeogenesis in humans: is the rate of gluconeogenesis constant? "
                "Diabetes Metab Res Rev 24:438-458."
            ),
            license="Figures typed from a published table",
        )
        for folder, of_whom in (
            ("healthy", "of healthy people in fasts, of 22 papers"),
            ("t2d", "in type 2 diabetes in fasts, of 7 papers"),
        )
    ),
    *(
        Dataset(
            name=f"fasts/{folder}",
            title=f"Fasts {of_whom}: liver glycogen, glucose production and the share that is new",
            citation=f"{first}. Nuttall FQ et al. (2008) Diabetes Metab Res Rev 24:438-458.",
            license="Figures read off published figures and typed from a published table",
        )
        for folder, of_whom, first in (
            (
                "healthy",
                "of healthy people",
                "Rothman DL et al. (1991) Science 254:573-576. Magnusson I et al. (1992) J Clin"
                " Invest 90:1323-1327",
            ),
            ("t2d", "in type 2 diabetes", "Magnusson I et al. (1992) J Clin Invest 90:1323-1327"),
        )
    ),
    Dataset(
        name="ohashi_2015",
        title="Oral glucose tolerance tests of 120 people, from normal tolerance to diabetes",
        citation=(
            "Ohashi K et al. (2015) Glucose homeostatic law: insulin clearance predicts the "
            "progression of glucose intolerance in humans. PLoS ONE 10:e0143880. "
            "Ohashi K et al. (2018) npj Syst Biol Appl 4:14."
        ),
        license="CC BY 4.0",
        reader=read_ohashi,
        files=(
            RemoteFile(
                "ohashi_OGTT.csv",
                f"{_CONDITIONAL_UDE}/ohashi_csv/ohashi_OGTT.csv",
                "cb1c7e54af1be95a5f4fc4693e2d512e46021f7afe235a655cb2fd3bd2e5f694",
            ),
            RemoteFile(
                "ohashi_subjectinfo.csv",
                f"{_CONDITIONAL_UDE}/ohashi_csv/ohashi_subjectinfo.csv",
                "ebcada8810d98cbfe150cb4c7ec8171fe77d8b8cba4d27577fe55ae55448b35c",
            ),
        ),
    ),
    Dataset(
        name="fujita_2022",
        title="Oral glucose tolerance tests of 20 healthy people, sampled 14 times",
        citation=(
            "Fujita S et al. (2022) Four features of temporal patterns characterize similarity "
            "among individuals and molecules by glucose ingestion in humans. npj Syst Biol Appl "
            "8:6. Fujita S et al. (2023) PLoS ONE 18:e0281594."
        ),
        license="CC BY 4.0",
        reader=read_fujita,
        files=(
            RemoteFile(
                "fujita_ogtt.csv",
                f"{_CONDITIONAL_UDE}/fujita_csv/fujita_ogtt.csv",
                "fc462101602991b14b08fa92062e6f842cfc39d8730b61fc87f1f598d9c02ea0",
            ),
        ),
    ),
    Dataset(
        name="brannmark_2010",
        title="Phosphorylation of insulin receptor and IRS-1 in fat cells after insulin",
        citation=(
            "Brännmark C, Palmér R, Glad ST, Cedersund G, Strålfors P (2010) Mass and information "
            "feedbacks through receptor endocytosis govern insulin signaling as revealed using a "
            "parameter-free modeling framework. J Biol Chem 285:20171-20179."
        ),
        license="BSD-3-Clause",
        reader=read_brannmark,
        files=(
            RemoteFile(
                "measurementData_Brannmark_JBC2010.tsv",
                f"{_PETAB}/measurementData_Brannmark_JBC2010.tsv",
                "3b7e85f804faf3d1269d8cd26f619c16fc4f8aa2b82897893bcd3843e9c75805",
            ),
            RemoteFile(
                "experimentalCondition_Brannmark_JBC2010.tsv",
                f"{_PETAB}/experimentalCondition_Brannmark_JBC2010.tsv",
                "2c9f3480ac55f0b71f787fbf83da7699fd7c60c569be6bd01aa7bcfe69664f82",
            ),
        ),
    ),
)
"""All data sets that have a name."""


def list_datasets() -> tuple[Dataset, ...]:
    """Return all data sets that ``read_study`` knows by name."""
    return DATASETS


def find_dataset(name: str) -> Dataset:
    """Return the record of a data set.

    Raises
    ------
    DatasetError
        If there is none of that name; the message lists the known ones.
    """
    for dataset in DATASETS:
        if dataset.name == name:
            return dataset
    known = ", ".join(dataset.name for dataset in DATASETS)
    raise DatasetError(f"no data set is called {name!r}; known are {known}")


def get_dataset(name: str) -> Path:
    """Return the folder that holds a data set's files, each verified by its checksum.

    Files are taken from the package, from the mirror that ``HEPAFLUX_DATA_MIRROR`` names, from
    the cache (``HEPAFLUX_CACHE`` moves it), or from their public address.

    Raises
    ------
    DatasetError
        If the name is unknown or a file is out of reach or not intact.
    """
    dataset = find_dataset(name)
    if dataset.is_bundled:
        return bundled_folder(name)
    mirror = os.environ.get(MIRROR)
    if mirror:
        return _mirrored(dataset, Path(mirror))
    for file in dataset.files:
        _download(file, cache_folder() / name)
    return cache_folder() / name


def cache_folder() -> Path:
    """Return the folder of downloaded files."""
    # Imported here because pooch brings a network stack that is needed for a download only.
    import pooch

    return Path(os.environ.get(CACHE) or pooch.os_cache("hepaflux"))


def bundled_folder(name: str) -> Path:
    """Return the folder of a data set that comes with the package."""
    here = Path(__file__).resolve()
    # A wheel carries the data inside the package, a checkout beside its sources.
    places = (here.parents[1] / "data" / name, here.parents[3] / "data" / name)
    for place in places:
        if place.is_dir():
            return place
    raise DatasetError(f"{name} is missing at {places[0]}; install hepaflux again")


def _mirrored(dataset: Dataset, mirror: Path) -> Path:
    """Return the folder of a data set in a mirror, once its files are verified."""
    folder = mirror / dataset.name
    for file in dataset.files:
        path = folder / file.name
        if not path.is_file():
            raise DatasetError(
                f"{MIRROR} is set, but {path} is not there; put {file.address} there, or unset "
                f"{MIRROR}"
            )
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != file.sha256:
            raise DatasetError(
                f"{path} has the SHA-256 {found}, but {file.sha256} was expected; replace it by "
                f"{file.address}"
            )
    return folder


def _download(file: RemoteFile, folder: Path) -> None:
    """Put a file into a folder unless it is there and intact."""
    import pooch

    try:
        pooch.retrieve(file.address, f"sha256:{file.sha256}", fname=file.name, path=folder)
    # No network, an address that moved and a folder that cannot be written are OSErrors;
    # pooch reports a wrong checksum as a ValueError.
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{file.name} could not be had from {file.address}: {error}. By hand: download that "
            f"address and save it as {folder / file.name} (SHA-256 {file.sha256}), or set "
            f"{MIRROR} to a folder that holds {folder.name}/{file.name}"
        ) from error
