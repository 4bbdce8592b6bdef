"""Arguments: the words of a command line become priors, options of a system and designs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hepaflux.model import Design
    from hepaflux.parameter import Prior
    from hepaflux.study import Study
    from hepaflux.systems import System


def read_system(name: str, priors: list[str], settings: list[str], study: "Study") -> "System":
    """Return a system with the options and priors of the command line."""
    from hepaflux.systems import named

    options = dict(read_pair(text, "--set basal_insulin=first") for text in settings)
    system = named(name).with_options(insulin_factor=study.insulin_factor, **options)
    return system.with_priors(**read_priors(priors))


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
    if params["each"] and stated:
        raise DesignError(f"--each fits every subject on its own; remove --{stated[0]}")
    covariates: dict[str, tuple[str, ...]] = {}
    for text in params["covariate"] or []:
        name, names = read_pair(text, "--covariate SI=bmi")
        covariates[name] = (*covariates.get(name, ()), *read_names(names))
    pairs = [read_names(text) for text in params["correlate"] or []]
    if any(len(pair) != 2 for pair in pairs):
        raise DesignError("write --correlate SI,p2: two parameters with a comma between them")
    # ``complete`` refuses what is no level, with the name of the parameter.
    levels: dict[str, Any] = dict(
        read_pair(text, "--level p2=shared") for text in params["level"] or []
    )
    return Design(
        levels=levels,
        by_group=params["by"] == "group",
        covariates=covariates,
        correlated=tuple((first, second) for first, second in pairs),
    )


def read_pair(text: str, example: str) -> tuple[str, str]:
    """Return name and value of ``name=value``."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise ValueError(f"{text!r} cannot be read; write it like {example}")
    return name, value.strip("\"'")


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


def read_range(text: str) -> tuple[float, float]:
    """Return the two bounds of a range."""
    try:
        lower, upper = (float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ValueError(f"--rope {text!r} cannot be read; write it like 0.8,1.25") from None
    if lower >= upper:
        raise ValueError(f"--rope must rise, but is {text!r}; write it like 0.8,1.25")
    return lower, upper
