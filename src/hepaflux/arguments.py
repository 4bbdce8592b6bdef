"""Arguments: the words of a command line become priors, options of a system and designs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from hepaflux.model import Design, Missing
    from hepaflux.model.noise import Noise
    from hepaflux.parameter import Prior
    from hepaflux.study import Study
    from hepaflux.study.study import Dose
    from hepaflux.systems import System


def read_body(
    name: str,
    partners: Sequence[str] = (),
    *,
    state: str | None = None,
    settings: Sequence[str] = (),
    insulin_factor: float = 6.0,
) -> "System":
    """Return a system, in one body with others, in a state of health and under options.

    What is set goes before what belongs to the state of health.

    Parameters
    ----------
    partners : sequence of str
        The texts of ``--with``: another system, and which signal of one is which input of the
        other. A name alone is both.
    settings : sequence of str
        The texts of ``--set``.
    """
    from hepaflux.systems import compose, named

    options = dict(read_pair(text, "--set basal_insulin=first") for text in settings)

    system = named(name)
    for text in partners:
        partner, shared = read_partner(text)
        system = compose(named(partner), system, shared)
    chosen = system if state is None else system.in_condition(state)
    return chosen.with_options(insulin_factor=insulin_factor, **options)


def read_partner(text: str) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Return the system that ``--with`` names, and the inputs that each signal drives."""
    name, _, links = (part.strip() for part in text.partition(":"))
    shared: dict[str, tuple[str, ...]] = {}
    for link in read_names(links):
        signal, _, driven = (part.strip() for part in link.partition("="))
        shared[signal] = (*shared.get(signal, ()), driven or signal)
    if not (name and shared):
        raise ValueError(f"{text!r} cannot be read; write it like {WITH_EXAMPLE}")
    return name, shared


WITH_EXAMPLE = "--with extraction:portal_insulin_above_basal=liver_insulin_above_basal"


def read_system(
    name: str, words: Mapping[str, list[str]], study: "Study", *, state: str | None = None
) -> "System":
    """Return a system with the state of health, the options and the priors of the command line.

    What is set and stated there goes before what belongs to the state of health.

    Parameters
    ----------
    words : mapping of str to list of str
        The texts of ``--prior``, ``--set`` and ``--with`` as ``prior``, ``set_`` and ``with_``.
    """
    system = read_body(
        name,
        words.get("with_", ()),
        state=state,
        settings=words.get("set_", ()),
        insulin_factor=study.insulin_factor,
    )
    return system.with_priors(**read_priors(words.get("prior", [])))


def read_fitted(posterior: "xr.DataTree") -> "System":
    """Return the system that a run was fitted with, with its options and its priors.

    Raises
    ------
    ValueError
        If several systems were fitted at once, or in one body: the run does not say how they drive
        each other.
    """
    import json

    from hepaflux.parameter import describe, parse_prior
    from hepaflux.systems import named

    name = posterior.attrs["system"]
    if "+" in name:
        raise ValueError(
            f"the run was fitted with {name}, and does not say what drives what in it; treatments"
            " can be predicted of runs of one bundled system"
        )
    options, priors = (json.loads(posterior.attrs[part]) for part in ("options", "priors"))
    system = named(name).with_options(**options)
    usual = {n: describe(prior) for n, prior in system.priors.items()}
    other = {n: text for n, text in priors.items() if usual.get(n, text) != text}
    return system.with_priors(**{n: parse_prior(text) for n, text in other.items()})


def read_treatment(text: str) -> str | dict[str, float]:
    """Return the name of a treatment, or the values that it states by parameter."""
    if "=" not in text:
        return text.strip()
    example = "--treatment NEFA_factor=0.8,DNL_factor=0.5"
    pairs = dict(read_pair(part, example) for part in read_names(text))
    return {name: read_numbers(value, example)[0] for name, value in pairs.items()}


def read_parts(
    texts: list[str],
    system: str,
    study: "Study",
    words: dict[str, list[str]],
    *,
    state: str | None = None,
) -> dict[str, tuple["Study", "System"]]:
    """Return studies and systems by the name of the system: the first, and those of ``--also``.

    ``words`` are the texts of ``--prior``, ``--set`` and ``--with``; a name may begin with that of
    the system it belongs to and a point, and must where it is not of the first.
    """
    from hepaflux.study import read_study

    others = dict(read_pair(text, "--also heavy_water=FOLDER") for text in texts)
    if system in others or len(others) < len(texts):
        raise ValueError("--also: a system can be named once")
    studies = {system: study, **{name: read_study(source) for name, source in others.items()}}
    return {
        name: (
            own,
            read_system(
                name,
                {k: _belonging(v, name, studies, first=name == system) for k, v in words.items()},
                own,
                state=state if name == system else None,
            ),
        )
        for name, own in studies.items()
    }


def _belonging(texts: list[str], system: str, systems: Iterable[str], *, first: bool) -> list[str]:
    """Return the texts about one of several systems, without its name."""
    told = [text.removeprefix(f"{system}.") for text in texts if text.startswith(f"{system}.")]
    free = [t for t in texts if not any(t.startswith(f"{name}.") for name in systems)]
    return told + (free if first else [])


def read_noise(study: "Study", system: "System", family: str) -> dict[str, "Noise"]:
    """Return the noise of each output that a study has, of one family."""
    from hepaflux.model import noise_of
    from hepaflux.model.recipe import adapt

    return {output.name: noise_of(output, family) for output in adapt(system, study).outputs}


def read_priors(texts: list[str]) -> dict[str, "Prior"]:
    """Return the priors of the command line by parameter."""
    from hepaflux.parameter import parse_prior

    given = dict(read_pair(text, '--prior SI="median=5e-5, cv=0.9"') for text in texts)
    return {name: parse_prior(text) for name, text in given.items()}


def read_design(params: dict[str, Any], study: "Study") -> "Design":
    """Return the design that the arguments of a fit state."""
    from hepaflux.model import Design, DesignError

    if params["by"] not in (None, "group"):
        raise DesignError(f"--by must be group, but is {params['by']!r}")
    if params["by"] and len(study.groups) < 2:
        there = ", ".join(study.groups) or "none"
        raise DesignError(
            f"--by group needs at least two groups, but there is {there}; give a column group in "
            "subjects.csv"
        )
    stated = [name for name in ("level", "covariate", "correlate") if params[name]]
    stated += ["also"] if params["also"] else []
    if params["each"] and stated:
        raise DesignError(f"--each fits every subject on its own; remove --{stated[0]}")
    if params["shared"] and not params["also"]:
        raise DesignError("--shared goes with --also: one test has nothing in common with itself")
    covariates: dict[str, tuple[str, ...]] = {}
    for text in params["covariate"] or []:
        name, names = read_pair(text, "--covariate SI=bmi")
        covariates[name] = (*covariates.get(name, ()), *read_names(names))
    pairs = [read_names(text) for text in params["correlate"] or []]
    if any(len(pair) != 2 for pair in pairs):
        raise DesignError("write --correlate SI,p2: two parameters with a comma between them")
    # ``complete`` refuses what is no level, with the name of the parameter.
    others: list[Any] = [text for text in params["level"] or [] if "=" not in text]
    if len(others) > 1:
        raise DesignError(f"--level {others[0]} and {others[1]}: name the parameter of one of them")
    levels: dict[str, Any] = dict(
        read_pair(text, "--level p2=shared") for text in params["level"] or [] if "=" in text
    )
    return Design(
        levels=levels,
        by_group=params["by"] == "group",
        covariates=covariates,
        correlated=tuple((first, second) for first, second in pairs),
        others=others[0] if others else None,
    )


def read_pair(text: str, example: str) -> tuple[str, str]:
    """Return name and value of ``name=value``."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise ValueError(f"{text!r} cannot be read; write it like {example}")
    return name, value.strip("\"'")


def read_correlation(text: str) -> tuple[tuple[str, str], float]:
    """Return two parameters and their correlation."""
    example = "--correlate SI_L,f=-0.6"
    names, number = read_pair(text, example)
    (value,), pair = read_numbers(number, example)[:1], read_names(names)
    if len(pair) != 2:
        raise ValueError(f"{text!r} cannot be read; write it like {example}")
    return (pair[0], pair[1]), value


def read_effect(text: str) -> tuple[str, str, float]:
    """Return a parameter, the covariate that shifts it, and by how much per unit."""
    example = "--covariate SI=bmi:-0.05"
    name, rest = read_pair(text, example)
    covariate, _, slope = rest.partition(":")
    return name, covariate.strip(), read_numbers(slope, example)[0]


_MISSING = re.compile(r"(?P<analyte>[a-z_]*)(?:@(?P<time>-?[\d.]+))?(?:=(?P<chance>[\d.]+))?")


def read_missing(text: str) -> "Missing":
    """Return which samples are lost: ``0.1``, ``insulin=0.2``, ``c_peptide@60`` or ``@60=0.5``."""
    from hepaflux.model import Missing

    words = text.strip()
    if re.fullmatch(r"[\d.]+", words):
        words = f"={words}"
    found = _MISSING.fullmatch(words)
    try:
        if found and words:
            time = float(found["time"]) if found["time"] else None
            return Missing(float(found["chance"] or 1), found["analyte"], time)
    except ValueError as error:
        if "probability" in str(error):
            raise
    raise ValueError(f"{text!r} cannot be read; write it like --missing 0.1 or insulin@60")


def read_names(text: str) -> list[str]:
    """Return the names of a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def read_numbers(text: str, example: str) -> list[float]:
    """Return the numbers of a list with spaces or commas."""
    try:
        numbers = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        numbers = []
    if not numbers:
        raise ValueError(f"{text!r} cannot be read; write it like {example}")
    return numbers


def read_people(text: str) -> list[int]:
    """Return the numbers of people of a word such as ``10`` or ``1,10,20``."""
    example = "--subjects 1,10,20"
    numbers = read_numbers(text, example)
    if any(n != int(n) or n < 1 for n in numbers):
        raise ValueError(f"{text!r} is no number of people; write it like {example}")
    return [int(n) for n in numbers]


def read_range(text: str) -> tuple[float, float]:
    """Return the two bounds of a range."""
    try:
        lower, upper = (float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ValueError(f"--rope {text!r} cannot be read; write it like 0.8,1.25") from None
    if lower >= upper:
        raise ValueError(f"--rope must rise, but is {text!r}; write it like 0.8,1.25")
    return lower, upper


DOSE_EXAMPLE = '"75 g", "0.3 g/kg iv", "45 g at 4 h" or "0.05 U/kg insulin iv at 20 min over 5 min"'

_TIME = r"\d[\d.]*\s*[a-zA-Z]*"
_DOSE = re.compile(
    r"(?P<amount>-?\d[\d.eE+-]*)\s*(?P<unit>[a-zA-Zµμ]+)(?P<per_kg>/kg)?"
    r"(?:\s+(?P<what>glucose|insulin|glucagon))?(?:\s+(?P<route>\S+))??"
    rf"(?:\s+at\s+(?P<time>{_TIME}))?(?:\s+over\s+(?P<duration>{_TIME}))?"
)


def read_dose(text: str) -> "Dose":
    """Return a dose of words such as ``"45 g at 4 h"``.

    Glucose is drunk, insulin and glucagon go into a vein if nothing else is said.
    """
    from hepaflux.study.doses import ROUTES
    from hepaflux.study.study import Dose
    from hepaflux.units import CANONICAL_AMOUNT, conversion_factor

    found = _DOSE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"dose {text!r} cannot be read; write it like {DOSE_EXAMPLE}")
    if not float(found["amount"]) > 0:
        raise ValueError(f"a dose must be above 0, but is {found['amount']} {found['unit']}")
    unit = found["unit"]
    what = found["what"] or ("insulin" if unit.endswith("U") else "glucose")
    word = (found["route"] or ("oral" if what == "glucose" else "iv")).lower()
    if word not in ROUTES:
        raise ValueError(f"{word!r} in dose {text!r} is no route; write it like {DOSE_EXAMPLE}")
    amount = float(found["amount"]) * conversion_factor(
        unit, CANONICAL_AMOUNT[what], substance=what
    )
    time, duration = (read_minutes(found[name] or "0") for name in ("time", "duration"))
    return Dose(time, what, amount, ROUTES[word], duration, per_kg=bool(found["per_kg"]))


def read_length(
    hours: float | None, duration: str | None, *, days: float | None = None
) -> str | None:
    """Return how long a test lasts, stated as a number of hours or days, or in words."""
    said = {"--hours": hours, "--days": days, "--duration": duration}
    given = [name for name, value in said.items() if value is not None]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} say the same; remove one")
    for name, number, minutes in (("--hours", hours, 60), ("--days", days, 1440)):
        if number is not None and not 0 < number < float("inf"):
            raise ValueError(f"{name} must be above 0, but is {number:g}")
        if number is not None:
            return f"{number * minutes:.10g} min"
    return duration


def read_minutes(text: str) -> float:
    """Return the minutes of a time such as ``"8h"``; a bare number is in minutes."""
    from hepaflux.units import UnitError, conversion_factor

    found = re.fullmatch(r"(\d[\d.]*)\s*([a-zA-Z]*)", text.strip())
    try:
        if found:
            return float(found[1]) * conversion_factor(found[2] or "min", "min")
    except (ValueError, UnitError):
        pass
    raise ValueError(f"{text!r} is no time; write it like 8h or 90 min")
