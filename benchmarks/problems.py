"""The two problems that every peer solves: data, priors, and the points where they are timed.

The data are those of Pacini G, Bergman RN (1986) MINMOD: a computer program to calculate insulin
sensitivity and pancreatic responsivity from the frequently sampled intravenous glucose tolerance
test. Comput Methods Programs Biomed 23:113-122. The equations are the minimal model:

    dG/dt = SG (Gb - G) - X G         G(0) = Gb + D / V
    dX/dt = p2 (SI (I(t) - Ib) - X)   X(0) = 0

``pacini`` is one person, unknowns ``PACINI_NAMES``. ``cohort40`` is forty simulated persons with
log SI = log mu_SI + omega z, unknowns in the order of ``split_cohort``. Every peer works on the
logarithm of each positive unknown and adds the Jacobian; z is as it is.
"""

import json
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np

MINUTES = np.array(
    [
        0,
        2,
        4,
        6,
        8,
        10,
        12,
        14,
        16,
        19,
        22,
        27,
        32,
        42,
        52,
        62,
        72,
        82,
        92,
        102,
        122,
        142,
        162,
        182,
    ],
    dtype=float,
)
GLUCOSE_MG_DL = np.fromstring(
    "92 350 287 251 240 216 211 205 196 192 172 163 142 124 105 92 84 77 82 81 82 82 85 90", sep=" "
)
INSULIN_MICROUNITS = np.array(
    [11, 26, 130, 85, 51, 49, 45, 41, 35, 30, 30, 27, 30, 22, 15, 15, 11, 10, 8, 11, 7, 8, 8, 7],
    dtype=float,
)

MG_DL_PER_MMOL_L = 18.0156
PMOL_PER_MICROUNIT = 6.0
DOSE = 300 / 180.156
"""Glucose given, mmol per kg of body weight."""
BASAL_GLUCOSE = GLUCOSE_MG_DL[0] / MG_DL_PER_MMOL_L
BASAL_INSULIN = 7.3 * PMOL_PER_MICROUNIT
FIRST_USED = 4
"""The first sample that counts, at 8 minutes: earlier ones are still mixing."""
FLOOR = 0.06
"""Part of the measurement error that does not scale with glucose, mmol/L."""

MEDIANS = MappingProxyType({"SG": 0.019, "SI": 5.8e-5, "p2": 0.025, "V": 0.168})
CVS = MappingProxyType({"SG": 0.35, "SI": 0.9, "p2": 0.40, "V": 0.10})
LOG_MEDIANS = np.log(np.array(list(MEDIANS.values())))
LOG_SDS = np.sqrt(np.log1p(np.array(list(CVS.values())) ** 2))
ERROR_SCALE = 0.03
"""Half-normal scale of ``glucose_cv``."""
OMEGA_MEDIAN, OMEGA_LOG_SD = 0.7, float(np.sqrt(np.log1p(0.5**2)))
"""Log-normal prior of ``omega``: median and standard deviation of the logarithm (CV 0.5)."""
STATE_SCALES = {"glucose": 1.0, "action": 0.01}
"""The absolute tolerance of a state is this times the nominal one, 1/min for insulin action."""

PACINI_NAMES = ("SG", "SI", "p2", "V", "glucose_cv")
PACINI_CENTRE = np.log([0.021, 9.5e-5, 0.030, 0.170, 0.027])
PERSONS = 40
PROBLEMS = ("pacini", "cohort40")


@dataclass(frozen=True)
class Data:
    """What was given and measured: one row per person.

    Attributes
    ----------
    minutes : ndarray, shape (samples,)
    excess : ndarray, shape (persons, samples)
        Insulin above basal, pmol/L.
    glucose : ndarray, shape (persons, samples)
        mmol/L.
    """

    minutes: np.ndarray
    excess: np.ndarray
    glucose: np.ndarray


@cache
def data(problem: str) -> Data:
    """Return the data of a problem."""
    excess = INSULIN_MICROUNITS * PMOL_PER_MICROUNIT - BASAL_INSULIN
    if problem == "pacini":
        return Data(MINUTES, excess[None], GLUCOSE_MG_DL[None] / MG_DL_PER_MMOL_L)
    scale, theta, noise = _cohort_truth()
    excess = scale[:, None] * excess
    _, _, spread, persons = split_cohort(theta)
    mean = _runge_kutta(np.exp(persons), excess)
    sd = np.sqrt((np.exp(spread) * mean) ** 2 + FLOOR**2)
    return Data(MINUTES, excess, mean + sd * noise)


def centre(problem: str) -> np.ndarray:
    """Return the fixed point at which the peers must agree."""
    return PACINI_CENTRE.copy() if problem == "pacini" else _cohort_truth()[1]


def points(problem: str, number: int = 256) -> np.ndarray:
    """Return the points over which the peers are timed, scattered by a tenth about the centre."""
    middle = centre(problem)
    scatter = np.random.default_rng(86).standard_normal((number, middle.size))
    return middle + 0.1 * scatter


def split_cohort(theta):
    """Return log mu_SI, log omega, log glucose_cv and the (persons, 4) log SG, SI, p2, V.

    Works on whatever array type theta is, except that stacking is NumPy's: peers on other arrays
    use ``cohort_parts``.
    """
    mu, omega, error, z, (sg, p2, v) = cohort_parts(theta)
    si = mu + np.exp(omega) * z
    return mu, omega, error, np.stack([sg, si, p2, v], axis=1)


def cohort_parts(theta):
    """Return log mu_SI, log omega, log glucose_cv, z, and log SG, p2, V as a (3, persons) array."""
    return theta[0], theta[1], theta[2], theta[3 : 3 + PERSONS], theta[3 + PERSONS :].reshape(3, -1)


def best(seconds: list[float], calls: int) -> dict:
    """Return the least and the median time per call, in microseconds."""
    each = np.array(seconds) / calls * 1e6
    return {"microseconds": round(float(np.median(each)), 3), "least": round(float(each.min()), 3)}


def report(peer: str, problem: str, **numbers) -> None:
    print(json.dumps({"peer": peer, "problem": problem, **numbers}), flush=True)


@cache
def _cohort_truth() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return insulin scales, the true point, and the standardised errors of measurement."""
    generator = np.random.default_rng(1986)
    scale = np.exp(0.3 * generator.standard_normal(PERSONS))
    z = generator.standard_normal(PERSONS)
    own = LOG_MEDIANS[[0, 2, 3], None] + LOG_SDS[[0, 2, 3], None] * generator.standard_normal(
        (3, PERSONS)
    )
    theta = np.concatenate([np.log([5.8e-5, 0.5, 0.02]), z, own.ravel()])
    return scale, theta, generator.standard_normal((PERSONS, MINUTES.size))


def _runge_kutta(parameters: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """Return glucose of every person by small fixed steps, all persons at once."""
    sg, si, p2, v = parameters.T

    def slope(state, insulin):
        g, x = state
        return np.stack([sg * (BASAL_GLUCOSE - g) - x * g, p2 * (si * insulin - x)])

    state = np.stack([BASAL_GLUCOSE + DOSE / v, np.zeros(len(v))])
    saved = [state[0]]
    for left in range(MINUTES.size - 1):
        steps = int(np.ceil((MINUTES[left + 1] - MINUTES[left]) / 0.25))
        h = (MINUTES[left + 1] - MINUTES[left]) / steps
        rise = (excess[:, left + 1] - excess[:, left]) / steps
        for step in range(steps):
            begin = excess[:, left] + rise * step
            first = slope(state, begin)
            second = slope(state + h / 2 * first, begin + rise / 2)
            third = slope(state + h / 2 * second, begin + rise / 2)
            fourth = slope(state + h * third, begin + rise)
            state = state + h / 6 * (first + 2 * second + 2 * third + fourth)
        saved.append(state[0])
    return np.stack(saved, axis=1)
