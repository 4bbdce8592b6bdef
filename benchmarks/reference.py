"""The tight reference: DOP853 on the sensitivity equations, and the density in plain NumPy."""

import numpy as np
import problems
from scipy.integrate import solve_ivp


def solve(log_parameters, excess, rtol=1e-11, atol=1e-13):
    """Return glucose at every sample and its derivatives by log SG, log SI, log p2, log V."""
    sg, si, p2, v = np.exp(log_parameters)
    times, basal = problems.MINUTES, problems.BASAL_GLUCOSE
    first = problems.DOSE / v
    state = np.array([basal + first, 0, 0, 0, -first, 0, 0, 0])
    rows = [state]
    for left in range(times.size - 1):
        rise = (excess[left + 1] - excess[left]) / (times[left + 1] - times[left])

        def slope(t, s, left=left, rise=rise):
            drive = si * (excess[left] + rise * (t - times[left]))
            decay = sg + s[5]
            glucose = [-decay * s[1] + sg * (basal - s[0]), -decay * s[2] - s[6] * s[0]]
            glucose += [-decay * s[3] - s[7] * s[0], -decay * s[4]]
            action = [p2 * (drive - s[5]), p2 * (drive - s[6]), p2 * (drive - s[5] - s[7])]
            return [sg * basal - decay * s[0], *glucose, *action]

        interval = times[left : left + 2]
        state = solve_ivp(slope, interval, state, method="DOP853", rtol=rtol, atol=atol).y[:, -1]
        rows.append(state)
    rows = np.array(rows)
    return rows[:, 0], rows[:, 1:5]


def evaluate(problem, theta, rtol=1e-11):
    """Return the log-density and its gradient in the unconstrained unknowns."""
    if problem == "pacini":
        return _pacini(theta, rtol)
    return _cohort(theta, rtol)


def _pacini(theta, rtol):
    data = problems.data("pacini")
    fit, by_person, by_error = _likelihood(
        theta[:4], theta[4], data.excess[0], data.glucose[0], rtol
    )
    prior, slope = _normal(theta[:4], problems.LOG_MEDIANS, problems.LOG_SDS)
    error, error_slope = _half_normal(theta[4], problems.ERROR_SCALE)
    gradient = np.append(by_person + slope, by_error + error_slope)
    return fit + prior.sum() + error, gradient


def _cohort(theta, rtol):
    data = problems.data("cohort40")
    mu, omega, error, persons = problems.split_cohort(theta)
    z = problems.cohort_parts(theta)[3]
    parts = [
        _likelihood(person, error, excess, glucose, rtol)
        for person, excess, glucose in zip(persons, data.excess, data.glucose, strict=True)
    ]
    fit = sum(part[0] for part in parts)
    by_person = np.array([part[1] for part in parts])
    own = [0, 2, 3]
    prior, slope = _normal(persons[:, own], problems.LOG_MEDIANS[own], problems.LOG_SDS[own])
    level, level_slope = _normal(mu, problems.LOG_MEDIANS[1], problems.LOG_SDS[1])
    center = np.log(problems.OMEGA_MEDIAN)
    spread, spread_slope = _normal(omega, center, problems.OMEGA_LOG_SD)
    noise, noise_slope = _half_normal(error, problems.ERROR_SCALE)
    standard, standard_slope = _normal(z, 0.0, 1.0)
    by_si = by_person[:, 1]
    top = [
        by_si.sum() + level_slope,
        np.exp(omega) * by_si @ z + spread_slope,
        sum(part[2] for part in parts) + noise_slope,
    ]
    below = (by_person[:, own] + slope).T.ravel()
    gradient = np.concatenate([top, np.exp(omega) * by_si + standard_slope, below])
    return fit + prior.sum() + level + spread + noise + standard.sum(), gradient


def _likelihood(log_parameters, log_error, excess, glucose, rtol):
    mean, slopes = solve(log_parameters, excess, rtol, rtol / 100)
    used = slice(problems.FIRST_USED, None)
    mean, slopes, glucose = mean[used], slopes[used], glucose[used]
    squared = np.exp(2 * log_error)
    variance = squared * mean**2 + problems.FLOOR**2
    residual = glucose - mean
    value = -0.5 * np.sum(residual**2 / variance + np.log(2 * np.pi * variance))
    excess_fit = (residual**2 / variance - 1) / variance
    by_mean = residual / variance + excess_fit * squared * mean
    return value, by_mean @ slopes, np.sum(excess_fit * squared * mean**2)


def _normal(x, mean, sd):
    z = (x - mean) / sd
    return -0.5 * z**2 - np.log(sd) - 0.5 * np.log(2 * np.pi), -z / sd


def _half_normal(log_x, scale):
    square = np.exp(2 * log_x) / scale**2
    value = 0.5 * np.log(2 / np.pi) - np.log(scale) - 0.5 * square + log_x
    return value, 1 - square
