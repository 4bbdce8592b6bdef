"""Synthetic: a simulated study as a folder, with the truth that it was made from beside it."""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import xarray as xr

from hepaflux.arguments import (
    read_body,
    read_correlation,
    read_dose,
    read_effect,
    read_minutes,
    read_missing,
    read_partner,
)
from hepaflux.assess.courses import plot_courses
from hepaflux.assess.run import staged
from hepaflux.model import (
    HEALTHY,
    NAFLD,
    Population,
    lose_samples,
    simulate_cohort,
    simulate_study,
)
from hepaflux.model.courses import simulated_courses
from hepaflux.model.protocols import StandardTest, own_course, own_fast, own_loop, own_test
from hepaflux.model.simulate import Simulated
from hepaflux.study import Study, read_study, write_study
from hepaflux.systems import System, named

POPULATIONS = {population.name: population for population in (HEALTHY, NAFLD)}
PROTOCOLS = {
    "minimal": "ivgtt",
    "ivgtt_labeled": "ivgtt_labeled",
    "oral_labeled": "labeled_meal",
    "clamp": "clamp",
    "mida": "labeled_acetate",
    "heavy_water": "heavy_water",
    "vldl": "vldl_tracer",
    "sources": "fat_sources",
    "fasting": "fast",
    "signaling": "insulin_steps",
    "resting_liver": "resting_clamp",
    "liver_fat": "half_year",
    "selective_resistance": "year",
    "secretion": "ogtt75_c_peptide",
    "extraction": "ogtt75_c_peptide",
    "secretion+oral": "ogtt75_c_peptide",
    "extraction+oral": "ogtt75_c_peptide",
    "extraction+oral_labeled": "labeled_meal_c_peptide",
}
"""Protocol by system, if none is stated; else the 75 g drink."""


OWN = {"fasting": own_fast, "liver_fat": own_course, "selective_resistance": own_loop}
"""What makes a test of one's own, by system; else ``own_test``."""

PLAIN = "ogtt75"
"""Protocol of systems that have none of their own."""

TYPICAL_WEIGHT = 72.0
"""Weight of the typical person of a state of health for which none is reported, kg."""

TAIL = 300.0
"""Minutes after the last dose at which a test ends if nothing else is said."""

SUBJECTS = 20
"""People of a study if nothing else is said."""


@dataclass(frozen=True)
class Wanted:
    """Who goes through which test, in the words of the command line.

    Attributes
    ----------
    groups : tuple of str
        Names in ``POPULATIONS``; healthy people if there are none and no state.
    state : str, optional
        A state of health of the system, instead of groups.
    subjects : int, optional
        How many people in all. By default 20 of groups, and of a state its typical person.
    protocol : str, optional
        Name of a standard test.
    doses : tuple of str
        What is given in a test of one's own, such as ``"75 g"``; see ``arguments.read_dose``.
    duration : str, optional
        How long a test of one's own lasts, such as ``"8h"``.
    weight : float, optional, kg
        Body weight of the people of a state, on average.
    correlations : tuple of str
        Of two parameters, such as ``"SI,p2=0.5"``.
    covariates : tuple of str
        What shifts a parameter, such as ``"SI=bmi:-0.05"``; see ``arguments.read_effect``.
    missing : tuple of str
        Which samples are lost; see ``arguments.read_missing``.
    partners : tuple of str
        Other systems of the same body; see ``arguments.read_partner``.
    settings : tuple of str
        Options of the system, such as ``"switch=dynamic"``.
    seed : int
        The same seed gives the same study.
    """

    groups: tuple[str, ...] = ()
    state: str | None = None
    subjects: int | None = None
    protocol: str | None = None
    doses: tuple[str, ...] = ()
    duration: str | None = None
    weight: float | None = None
    correlations: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what excludes each other."""
        if self.groups and self.state:
            raise ValueError("--groups and --state exclude each other; remove one")
        if self.protocol and (self.doses or self.duration):
            raise ValueError("--protocol has its own doses and duration; remove it or these")
        if self.subjects is not None and self.subjects < 1:
            raise ValueError(f"--subjects must be at least 1, but is {self.subjects}")
        if self.weight is not None and not self.weight > 0:
            raise ValueError(f"--weight must be above 0 kg, but is {self.weight:g}")
        if self.weight is not None and not self.state:
            raise ValueError("--weight goes with --state; groups have weights of their own")

    def command(self, system: str, *also: str) -> str:
        """Return the command that makes the study, or the studies of several tests."""
        options = [f"--also={other}" for other in also]
        repeated = {
            "with": self.partners,
            "set": self.settings,
            "correlate": self.correlations,
            "covariate": self.covariates,
            "missing": self.missing,
        }
        options += [f"--{name}={text}" for name, texts in repeated.items() for text in texts]
        if self.subjects is not None or not self.state:
            options.append(f"--subjects={_given(self.subjects, SUBJECTS)}")
        if not (self.doses or self.duration or also):
            options.append(f"--protocol={self.protocol or self.usual(system)}")
        options += [f"--dose={dose}" for dose in self.doses]
        said = {"duration": self.duration, "state": self.state, "weight": self.weight}
        options += [f"--{name}={value}" for name, value in said.items() if value is not None]
        if not self.state:
            options.append(f"--groups={','.join(self.groups or ('healthy',))}")
        return shlex.join(["hepaflux", "simulate", system, *options, f"--seed={self.seed}"])

    def usual(self, system: str) -> str:
        """Return the name of the usual test of a system, or of all that is in the body."""
        partners = [read_partner(text)[0] for text in self.partners]
        return PROTOCOLS.get("+".join([*reversed(partners), system]), PROTOCOLS.get(system, PLAIN))

    def test(self, system: str) -> str | StandardTest:
        """Return the name of a standard test, or a test of one's own."""
        if not (self.doses or self.duration):
            return self.protocol or self.usual(system)
        doses = [read_dose(text) for text in self.doses]
        last = max((dose.time + dose.duration for dose in doses), default=0.0)
        ends = read_minutes(self.duration) if self.duration else last + TAIL
        return OWN.get(system, own_test)(doses, ends)

    def populations(self, system: System | None = None) -> tuple[Population, ...]:
        """Return the groups of people, with what goes together in them."""
        effects: dict[str, dict[str, float]] = {}
        for name, covariate, slope in map(read_effect, self.covariates):
            effects.setdefault(name, {})[covariate] = slope
        correlated = dict(read_correlation(text) for text in self.correlations)
        return tuple(
            replace(group, correlated=correlated, effects=effects) for group in self._groups(system)
        )

    def _groups(self, system: System | None) -> tuple[Population, ...]:
        if not self.state or system is None:
            return _groups(self.groups or ("healthy",))
        reported = system.condition(self.state).weight
        weight = _given(self.weight, TYPICAL_WEIGHT if math.isnan(reported) else reported)
        spread = 0.0 if self.subjects is None else 1.0
        return (Population(self.state, weight=(weight, 10.0), spread=spread),)


def _given[T](value: T | None, otherwise: T) -> T:
    """Return a value, or what stands for it where none was given; nought was given."""
    return otherwise if value is None else value


def _groups(names: tuple[str, ...]) -> tuple[Population, ...]:
    unknown = [name for name in names if name not in POPULATIONS]
    if unknown:
        raise KeyError(f"no group {', '.join(unknown)!r}; there are {', '.join(POPULATIONS)}")
    if len(set(names)) < len(names):
        raise ValueError(f"a group can be named once, but the groups are {', '.join(names)}")
    return tuple(POPULATIONS[name] for name in names)


def write_synthetic(system: str, folder: Path, wanted: Wanted, *, plot: bool = False) -> Study:
    """Simulate a study and write it with ``truth.csv``, whole or not at all.

    Parameters
    ----------
    system : str
        Name of the system.
    folder : Path
        Where the study goes; one that is there is replaced, see ``require_place``.
    wanted : Wanted
        Who goes through which test.
    plot : bool
        Whether figures of all outputs and fluxes are written, with their values in
        ``courses.csv``.

    Returns
    -------
    Study
        As it reads back from the folder.

    Raises
    ------
    KeyError
        If there is no such system, group or state of health.
    ValueError
        If a group is named twice, as ``simulate_study`` says, or if the study cannot be read back
        because it holds what no body has, such as the glucose after 750 g.
    """
    made, chosen = simulate_wanted(system, wanted)
    notes = f"Made by: {wanted.command(system)}"
    study = _as_measured(made.study, wanted, name=folder.resolve().name, notes=notes)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with staged(folder) as stage:
        write_study(study, stage)
        made.truth.to_csv(stage / "truth.csv", index=False, float_format="%.6g")
        if plot:
            _write_courses(simulated_courses(made, chosen), study, stage)
        # Before it moves to its place: what cannot be in a body, nobody can read, and is not kept.
        return read_study(stage / "study.toml")


def simulate_wanted(system: str, wanted: Wanted) -> tuple[Simulated, System]:
    """Return the people that are wanted, simulated, and the system that they were made with."""
    chosen = read_body(system, wanted.partners, state=wanted.state, settings=wanted.settings)
    made = simulate_study(
        chosen,
        wanted.populations(chosen),
        subjects=_given(wanted.subjects, 1 if wanted.state else SUBJECTS),
        protocol=wanted.test(system),
        seed=wanted.seed,
    )
    return made, chosen


def write_cohort(systems: Sequence[str], folder: Path, wanted: Wanted) -> tuple[Study, ...]:
    """Simulate several tests of the same people; each study gets a folder in ``folder``.

    ``truth.csv`` beside them has the parameters under the names of a joint model. Arguments, errors
    and the rest as of ``write_synthetic``; every test is the usual one of its system.
    """
    said = (wanted.state, wanted.protocol, wanted.doses, wanted.duration, wanted.partners)
    if any((*said, wanted.settings)):
        raise ValueError("--also takes the usual test of every system, and people of --groups")
    if len(set(systems)) < len(systems):
        raise ValueError(f"a system can be named once, but they are {', '.join(systems)}")
    made = simulate_cohort(
        {name: (named(name), wanted.usual(name)) for name in systems},
        wanted.populations(),
        subjects=_given(wanted.subjects, SUBJECTS),
        seed=wanted.seed,
    )
    notes = f"Made by: {wanted.command(*systems)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with staged(folder) as stage:
        for name, simulated in made.parts.items():
            own = f"{folder.resolve().name}_{name}"
            study = _as_measured(simulated.study, wanted, name=own, notes=notes)
            write_study(study, stage / name)
        made.truth.to_csv(stage / "truth.csv", index=False, float_format="%.6g")
        return tuple(read_study(stage / name / "study.toml") for name in systems)


def _as_measured(study: Study, wanted: Wanted, **told: str) -> Study:
    """Return a study under a name of its own, without the samples that are missing."""
    missing = [read_missing(text) for text in wanted.missing]
    left = lose_samples(study, missing, seed=wanted.seed) if missing else study
    return replace(left, **told)  # type: ignore[arg-type]


def _write_courses(courses: xr.Dataset, study: Study, folder: Path) -> None:
    """Write the courses as a table and as figures."""
    names = {n: f"{n} [{courses[n].attrs['unit']}]" for n in map(str, courses.data_vars)}
    table = courses.drop_vars("group").to_dataframe().reset_index().rename(columns=names)
    table.to_csv(folder / "courses.csv", index=False, float_format="%.6g")
    for kind in ("output", "flux"):
        figure = plot_courses(courses, kind, samples=study.measurements())
        if figure is not None:
            figure.savefig(folder / f"{FIGURES[kind]}.png", dpi=150)


FIGURES = {"output": "outputs", "flux": "fluxes"}
"""Name of the figure of each kind of course."""


def require_place(folder: Path, *, force: bool) -> None:
    """Refuse a folder that holds something which may not be replaced.

    Raises
    ------
    FileExistsError
        If something is there and ``force`` is false, or it is no synthetic study.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not force:
        raise FileExistsError(f"{folder} exists; choose another folder or add --force")
    if not (folder / "truth.csv").is_file():
        raise FileExistsError(f"{folder} is not a synthetic study and will not be replaced")
