"""Relations: what goes together in virtual people, and what depends on their bodies.

Deviations of parameters from the median of a group may be correlated, within one test and across
tests. A covariate such as BMI or age may shift a parameter. Both are on the scale on which people
vary: the logarithm, or the logit of a fraction.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit, logit

from hepaflux.model.population import Population
from hepaflux.parameter import Parameter, size_of

COVARIATES = ("bmi", "age", "height", "sex")
"""What a parameter may depend on: kg/m2, years, cm, and 1 in men."""


def draw_deviations(
    members: Sequence[Population],
    varying: Collection[str],
    rng: np.random.Generator,
    *,
    first: Collection[str] = (),
) -> dict[str, np.ndarray]:
    """Draw standard normal deviations of the parameters that go together, for everyone.

    Parameters
    ----------
    members : sequence of Population
        The group of each person, with its correlations.
    varying : collection of str
        Parameters in which people vary.
    first : collection of str
        Parameters that are drawn before and beside those of the correlations.

    Returns
    -------
    dict of str to array (person,)

    Raises
    ------
    ValueError
        If a correlation is not of two parameters that people vary in, or several contradict each
        other.
    """
    pairs = {pair: None for member in members for pair in member.correlated}
    names = list(dict.fromkeys([*first, *(name for pair in pairs for name in pair)]))
    if not names:
        return {}
    drawn = np.array([rng.standard_normal(len(members)) for _ in names])
    mixed = drawn.copy()
    for group in dict.fromkeys(member.name for member in members):
        mine = np.array([member.name == group for member in members])
        population = members[int(np.argmax(mine))]
        mixed[:, mine] = _loadings(population.correlated, names, varying) @ drawn[:, mine]
    return dict(zip(names, mixed, strict=True))


def _loadings(
    correlated: Mapping[tuple[str, str], float], names: list[str], varying: Collection[str]
) -> np.ndarray:
    """Return what makes independent deviations correlated, shape (name, name)."""
    matrix = np.eye(len(names))
    for pair, correlation in correlated.items():
        if not set(pair) <= set(varying) or not -1 < correlation < 1 or pair[0] == pair[1]:
            raise ValueError(
                f"no correlation {correlation:g} of {' and '.join(pair)}: it must be between -1"
                f" and 1, of two of {', '.join(sorted(varying))}"
            )
        i, j = names.index(pair[0]), names.index(pair[1])
        matrix[i, j] = matrix[j, i] = correlation
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        told = ", ".join(f"{a},{b}={value:g}" for (a, b), value in correlated.items())
        raise ValueError(f"nobody can have these correlations together: {told}") from None


def check_effects(members: Sequence[Population], unknowns: Collection[Parameter]) -> None:
    """Refuse an effect on what is no scalar unknown, or of what is no covariate."""
    known = {p.name for p in unknowns if not size_of(p.prior)}
    for member in members:
        for name, slopes in member.effects.items():
            wrong = [c for c in slopes if c not in COVARIATES]
            if name not in known or wrong:
                raise ValueError(
                    f"no effect of {', '.join(slopes)} on {name}: an effect is of"
                    f" {', '.join(COVARIATES)} on one of {', '.join(sorted(known))}"
                )


def typical(population: Population) -> dict[str, float]:
    """Return the covariates of the typical person of a group."""
    weight, height = population.weight[0], population.height[0]
    return {
        "bmi": weight / height**2,
        "age": population.age[0],
        "height": 100 * height,
        "sex": 0.5,
    }


def depending(
    values: Mapping[str, np.ndarray],
    unknowns: Sequence[Parameter],
    members: Sequence[Population],
    covariates: Sequence[Mapping[str, Any]],
) -> dict[str, np.ndarray]:
    """Return the parameters of everyone, shifted by the covariates that they depend on.

    Parameters
    ----------
    values : mapping of str to array (person, ...)
        Drawn for people of typical covariates.
    covariates : sequence of mapping of str to float
        Of each person.
    """
    shifted = dict(values)
    for parameter in unknowns:
        name = parameter.name
        shift = np.array(
            [_shift(member, name, own) for member, own in zip(members, covariates, strict=True)]
        )
        if not shift.any():
            continue
        if parameter.prior.support == "unit":
            shifted[name] = expit(logit(values[name]) + shift)
        else:
            shifted[name] = values[name] * np.exp(shift)
    return shifted


def _shift(member: Population, name: str, own: Mapping[str, Any]) -> float:
    """Return by how much the covariates of a person shift a parameter."""
    slopes, center = member.effects.get(name, {}), typical(member)
    return sum(slope * (own[which] - center[which]) for which, slope in slopes.items())
