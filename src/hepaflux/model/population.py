"""Population: groups of virtual people, and how the people of a group differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logit

from hepaflux.parameter import Dirichlet, Fixed, Independent, Parameter, center


@dataclass(frozen=True)
class Population:
    """A group of virtual people.

    Attributes
    ----------
    name : str
        The group's label.
    factors : mapping of str to float
        Factor on the prior median of a parameter, for example ``{"SI": 0.45}``.
    basal_glucose, basal_insulin : (float, float)
        Median (mmol/L, pmol/L) and between-subject standard deviation of the logarithm.
    weight, height, age : (float, float)
        Mean and standard deviation, kg, m and years. Men and women are equally many.
    spread : float
        Factor on every spread between people; with 0 everyone is the typical person.
    correlated : mapping of (str, str) to float
        Correlation of the deviations of two parameters, on the scale on which people vary.
    effects : mapping of str to mapping of str to float
        By parameter and covariate (bmi, age, height, sex), the shift of the parameter per unit of
        the covariate from that of the typical person, on the scale on which people vary:
        ``{"SI": {"bmi": -0.05}}`` makes SI 5 % lower per kg/m2.
    """

    name: str
    factors: Mapping[str, float] = field(default_factory=dict)
    basal_glucose: tuple[float, float] = (5.0, 0.06)
    basal_insulin: tuple[float, float] = (40.0, 0.30)
    weight: tuple[float, float] = (72.0, 10.0)
    height: tuple[float, float] = (1.72, 0.08)
    age: tuple[float, float] = (45.0, 12.0)
    spread: float = 1.0
    correlated: Mapping[tuple[str, str], float] = field(default_factory=dict)
    effects: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


HEALTHY = Population("healthy")
NAFLD = Population(
    "NAFLD",
    factors={
        **{"SI": 0.45, "SI_D": 0.45, "SI_L": 0.4, "S2_I": 0.45},
        **{"K_E": 2.0, "K_R": 1.5, "K_L": 2.2, "Rmax": 0.75},
        **{"f": 2.0, "f_DNL": 2.0, "VLDL_TG": 2.0},
    },
    basal_glucose=(5.5, 0.07),
    basal_insulin=(85.0, 0.35),
    weight=(93.0, 14.0),
)
"""Insulin sensitivity, and that of disposal where a system tells it apart, about half that of
healthy people, as glucose disposal in clamps (Marchesini 2001, Diabetes 50:1844). That of the liver
is 0.4 of it: chosen here, between glucose production in the same clamps, which fell by 63 against
84 %, and its fasting index, 0.3 in NAFLD against 0.7 in other obese people (Amaro 2010,
Gastroenterology 139:149). The half-maximal insulins of clamps, and the maximum of disposal, are
shifted by what is usually stated for insulin resistance and was not checked; so is the newly made
share of fatty acids, twice that of healthy people. Triglyceride of VLDL is doubled, and with it its
secretion: 24.3 against 11.4 µmol/min in obese people with and without fat in the liver (Fabbrini
2008, Gastroenterology 134:424)."""


def draw_parameter(
    parameter: Parameter,
    members: Sequence[Population],
    rng: np.random.Generator,
    *,
    deviation: np.ndarray | None = None,
) -> np.ndarray:
    """Draw one parameter for everyone, around the median of the group; a vector from its prior.

    Parameters
    ----------
    members : sequence of Population
        The group of each person.
    deviation : array (person,), optional
        Standard normal, instead of one that is drawn here.

    Returns
    -------
    array (person,) or (person, part)
    """
    prior, n = parameter.prior, len(members)
    if isinstance(prior, Fixed):
        raise TypeError(f"{parameter.name} is fixed and not drawn")
    spread = np.array([member.spread for member in members])
    if isinstance(prior, (Dirichlet, Independent)):
        drawn = np.asarray(prior.distribution().rvs(size=n, random_state=rng))
        return np.where(spread[:, None] > 0, drawn, _typical_parts(prior))
    factor = np.array([member.factors.get(parameter.name, 1.0) for member in members])
    median = factor * center(prior)
    standard = rng.standard_normal(n) if deviation is None else deviation
    shift = spread * parameter.spread * standard
    if prior.support == "unit":
        return expit(logit(median) + shift)
    return median * np.exp(shift)


def _typical_parts(prior: Dirichlet | Independent) -> np.ndarray:
    if isinstance(prior, Dirichlet):
        return np.array(prior.shares)
    return np.full(prior.size, center(prior.each))
