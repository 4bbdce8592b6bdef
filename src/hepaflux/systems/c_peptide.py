"""C-peptide kinetics: how plasma C-peptide follows its secretion, by age, sex, body and health.

C-peptide is secreted with insulin, one to one, and the liver leaves it alone. After a bolus it
falls as the sum of two exponentials. Their half-lives ``t_s`` and ``t_l``, the share ``F`` of the
faster one and the volume ``V`` (the macro-constants) follow, in two compartments, from the rates
k01 (loss), k21 and k12 (exchange), and the other way round. What they are in one person is not
learned in a test without a bolus; what they are in people is, and how they go together in a person.

Two sets of regressions of the same 207 people, never mixed:

``population``  means by covariates and the covariance of people around them (Larizza 2018, model
                M4): uncertainty of a person's kinetics is carried into secretion
``standard``    the regressions of Van Cauter 1992, taken as known, as is usual; secretion is then
                uncertain by some 15 % that no interval shows
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from hepaflux.parameter import Fixed, Independent, Normal, Parameter
from hepaflux.study.study import StudyError, Subject
from hepaflux.systems.smooth import softplus
from hepaflux.systems.system import Derived, Input, Option, Settings

VAN_CAUTER = "Van Cauter E et al. (1992) Diabetes 41:368"
LARIZZA = "Larizza C et al. (2018) CPT Pharmacometrics Syst Pharmacol 7:298, model M4"

HEALTH = ("normal", "obese", "diabetic")

DIABETIC = ("t2d", "t2dm", "dm2", "niddm", "diabetes", "diabetic")
"""Group labels, in lower case, that say type 2 diabetes."""

TALLEST = 2.6
"""Height in m; a larger number is in cm."""


class Regression(NamedTuple):
    """Expected macro-constants by covariates.

    Attributes
    ----------
    t_s, F : dict of str to float
        By health: min, and a share.
    t_l : (float, float)
        Intercept in min and slope per year of age.
    V : dict of str to (float, float)
        By sex: intercept in L and slope per m2 of body surface.
    """

    t_s: dict[str, float]
    F: dict[str, float]
    t_l: tuple[float, float]
    V: dict[str, tuple[float, float]]


REGRESSIONS = {
    "population": Regression(
        t_s=dict(zip(HEALTH, (4.991, 4.496, 4.693), strict=True)),
        F=dict(zip(HEALTH, (0.766, 0.781, 0.778), strict=True)),
        t_l=(26.705, 0.209),
        V={"male": (0.344, 2.061), "female": (0.795, 1.819)},
    ),
    "standard": Regression(
        t_s=dict(zip(HEALTH, (4.95, 4.55, 4.52), strict=True)),
        F=dict(zip(HEALTH, (0.76, 0.78, 0.78), strict=True)),
        t_l=(29.16, 0.14),
        V={"male": (0.64, 1.92), "female": (2.04, 1.11)},
    ),
}

COVARIANCE = np.array(
    [
        [1.295, 0.006, 3.250, 0.596],
        [0.006, 0.002, 0.071, -0.006],
        [3.250, 0.071, 33.044, 1.915],
        [0.596, -0.006, 1.915, 0.713],
    ]
)
"""Of people around the ``population`` regression: t_s (min), F, t_l (min), V (L)."""

SPREADS = np.sqrt(np.diag(COVARIANCE))
LOADINGS = np.linalg.cholesky(COVARIANCE / np.outer(SPREADS, SPREADS))
"""Turns independent standard normal coordinates into correlated standardized deviations."""

LEAST = {"t_s": 0.4, "t_l": 0.45, "V": 0.35}
"""Share of its expected value that a macro-constant stays above: a normal law reaches zero, a body
does not. Bends the law beyond about two and a half standard deviations; chosen here."""

BEND = 0.02
"""Width of the bend, as a share of the expected value."""

OPTIONS = (
    Option(
        "kinetics",
        "kinetics of C-peptide: population (uncertain, by covariates) or standard (Van Cauter"
        " 1992, taken as known)",
        default="population",
        choices=("population", "standard"),
    ),
    Option(
        "health",
        "for the kinetics: subject (diabetic by the group's label or a column diabetes, obese by a"
        " column obese, else normal), or one for all; obese means 15 % above ideal weight",
        default="subject",
        choices=("subject", *HEALTH),
    ),
    Option("age", "age: subject (column age), or one for all", "subject", ("subject",), "year"),
    Option(
        "sex",
        "sex: subject (column sex, 1 for men and 0 for women), or one for all",
        default="subject",
        choices=("subject", "male", "female"),
    ),
    Option(
        "bsa",
        "body surface: subject (column bsa, or height and weight), or one for all",
        default="subject",
        choices=("subject",),
        unit="m**2",
    ),
)


def covariate(subject: Subject, name: str, what: str) -> float:
    """Return a covariate of a subject, or raise ``StudyError`` that says how to give it."""
    if name not in subject.covariates:
        raise StudyError(
            [
                f"subject {subject.name}: no {name}, on which the kinetics of C-peptide depend; add"
                f" a column {name} ({what}) to subjects.csv, or give the option {name}."
            ]
        )
    return float(subject.covariates[name])


def age_of(settings: Settings) -> Callable[[Subject], float]:
    """Read the age in years."""
    given = settings["age"]
    if given != "subject":
        return lambda subject: float(given)
    return lambda subject: covariate(subject, "age", "years")


def sex_of(settings: Settings) -> Callable[[Subject], str]:
    """Read the sex."""

    def read(subject: Subject) -> str:
        if settings["sex"] != "subject":
            return str(settings["sex"])
        number = covariate(subject, "sex", "1 for men, 0 for women")
        if number not in (0, 1):
            problem = f"subject {subject.name}: sex is {number:g}; write 1 for men, 0 for women."
            raise StudyError([problem])
        return "male" if number else "female"

    return read


def bsa_of(settings: Settings) -> Callable[[Subject], float]:
    """Read the body surface, m2, by height and weight if it is not given (Du Bois 1916)."""

    def read(subject: Subject) -> float:
        if settings["bsa"] != "subject":
            return float(settings["bsa"])
        if "bsa" in subject.covariates:
            return float(subject.covariates["bsa"])
        if "height" not in subject.covariates or not np.isfinite(subject.weight):
            raise StudyError(
                [
                    f"subject {subject.name}: no body surface, on which the kinetics of C-peptide"
                    " depend; add columns height (cm) and weight_kg, or bsa (m2), to subjects.csv,"
                    " or give the option bsa."
                ]
            )
        return body_surface(subject.covariates["height"], subject.weight)

    return read


def body_surface(height: float, weight: float) -> float:
    """Return the body surface in m2 of a height in m (or cm) and a weight in kg."""
    meters = height if height <= TALLEST else height / 100
    return float(0.20247 * meters**0.725 * weight**0.425)


def health_of(settings: Settings) -> Callable[[Subject], str]:
    """Read which row of the regressions a person belongs to."""

    def read(subject: Subject) -> str:
        if settings["health"] != "subject":
            return str(settings["health"])
        if subject.covariates.get("diabetes", 0) or subject.group.lower() in DIABETIC:
            return "diabetic"
        return "obese" if subject.covariates.get("obese", 0) else "normal"

    return read


def inputs(settings: Settings) -> tuple[Input, ...]:
    """Return the macro-constants that are expected of people like a subject."""
    expected = REGRESSIONS[settings["kinetics"]]
    age, sex = age_of(settings), sex_of(settings)
    bsa, health = bsa_of(settings), health_of(settings)

    def volume(subject: Subject) -> float:
        intercept, slope = expected.V[sex(subject)]
        return intercept + slope * bsa(subject)

    return (
        Input(
            "expected_t_s",
            "min",
            "expected short half-life of C-peptide",
            lambda subject: expected.t_s[health(subject)],
        ),
        Input(
            "expected_F",
            "1",
            "expected share of the fast fall of C-peptide",
            lambda subject: expected.F[health(subject)],
        ),
        Input(
            "expected_t_l",
            "min",
            "expected long half-life of C-peptide",
            lambda subject: expected.t_l[0] + expected.t_l[1] * age(subject),
        ),
        Input("expected_V", "L", "expected volume of plasma C-peptide", volume),
    )


def parameters(settings: Settings) -> tuple[Parameter, ...]:
    """Return how a person's kinetics may deviate; nothing if they are taken as known."""
    if settings["kinetics"] == "standard":
        return ()
    rows = (
        ("t_s_sd", "min", "short half-life of C-peptide"),
        ("F_sd", "1", "share of the fast fall of C-peptide"),
        ("t_l_sd", "min", "long half-life of C-peptide"),
        ("V_sd", "L", "volume of plasma C-peptide"),
    )
    spreads = tuple(
        Parameter(name, unit, Fixed(float(sd)), f"between people, SD of the {what}", LARIZZA)
        for (name, unit, what), sd in zip(rows, SPREADS, strict=True)
    )
    deviations = Parameter(
        "kinetics",
        unit="1",
        prior=Independent(Normal(0.0, 1.0), 4),
        meaning="independent coordinates of a person's deviation from the expected kinetics",
        source=f"{LARIZZA}: covariance of t_s, F, t_l and V between people",
        axis="coordinate",
        sought=False,
    )
    return (deviations, *spreads)


class Kinetics(NamedTuple):
    """The macro-constants of a person, and what follows from them."""

    t_s: Any
    F: Any
    t_l: Any
    V: Any

    @property
    def rates(self) -> tuple[Any, Any]:
        """Return the rates of the fast and the slow exponential, 1/min."""
        return math.log(2) / self.t_s, math.log(2) / self.t_l

    @property
    def k12(self) -> Any:
        """Return the rate of return from the deep compartment, 1/min."""
        fast, slow = self.rates
        return self.F * slow + (1 - self.F) * fast

    @property
    def k01(self) -> Any:
        """Return the rate of loss, 1/min."""
        fast, slow = self.rates
        return fast * slow / self.k12

    @property
    def k21(self) -> Any:
        """Return the rate of passage to the deep compartment, 1/min."""
        fast, slow = self.rates
        return fast + slow - self.k12 - self.k01


def kinetics_of(p: Any, u: Any, settings: Settings) -> Kinetics:
    """Return a person's kinetics: as expected, or with the person's deviations."""
    expected = Kinetics(u.expected_t_s, u.expected_F, u.expected_t_l, u.expected_V)
    if settings["kinetics"] == "standard":
        return expected
    shifts = [
        sum(float(loading) * z for loading, z in zip(row[: i + 1], p.kinetics, strict=False))
        for i, row in enumerate(LOADINGS)
    ]
    spreads = (p.t_s_sd, p.F_sd, p.t_l_sd, p.V_sd)
    values = {
        name: mean + sd * shift
        for name, mean, sd, shift in zip(expected._fields, expected, spreads, shifts, strict=True)
    }
    for name, least in LEAST.items():
        mean = getattr(expected, name)
        values[name] = mean * (least + softplus(values[name] / mean - least, BEND))
    return Kinetics(**values)


def derived(settings: Settings) -> tuple[Derived, ...]:
    """Return the macro-constants and the rates of a person."""

    def of(name: str) -> Callable[[Any, Any], Any]:
        return lambda p, u: getattr(kinetics_of(p, u, settings), name)

    return (
        Derived("t_s", "min", "short half-life of C-peptide", of("t_s")),
        Derived("F", "1", "share of the fast fall of C-peptide", of("F")),
        Derived("t_l", "min", "long half-life of C-peptide", of("t_l")),
        Derived("V_C", "L", "volume of plasma C-peptide", of("V")),
        Derived("k01", "1/min", "rate of loss of C-peptide", of("k01")),
        Derived("k12", "1/min", "rate of return of C-peptide to plasma", of("k12")),
        Derived("k21", "1/min", "rate of passage of C-peptide out of plasma", of("k21")),
    )


def sentence(settings: Settings) -> str:
    """Say which kinetics were taken."""
    if settings["kinetics"] == "standard":
        return f"Kinetics of C-peptide are those of {VAN_CAUTER}, taken as known."
    return (
        f"Kinetics of C-peptide are those of people of the same age, sex, body surface and health"
        f" ({LARIZZA}, the people of {VAN_CAUTER}), with their covariance."
    )
