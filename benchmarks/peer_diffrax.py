"""The peer in JAX: diffrax solves, XLA compiles.

Two modes lead the field, and which is the faster depends on the problem, so both are timed:
``forward`` (two scalar states, differentiated through the solver in forward mode) and
``augmented`` (the sensitivity equations as states, under error control). Reverse mode took two to
four times as long for one person. Steps end exactly at the samples (``step_ts``); one solve with
dense output beat one solve per interval. Of forty persons, ``augmented`` solves one after another
(``lax.map``), which was clearly the faster; ``forward`` solves them in step (``vmap``), where the
two could not be told apart.
"""

from functools import cache

import jax

jax.config.update("jax_enable_x64", True)

import compiled_loop  # noqa: E402
import diffrax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import problems  # noqa: E402

MODES = ("forward", "augmented")
TIMES = problems.MINUTES
LOG_TWO_PI = np.log(2 * np.pi)


def solve(log_parameters, excess, rtol, mode):
    """Return glucose at every sample and its derivatives by log SG, SI, p2, V."""
    if mode == "augmented":
        return _augmented(log_parameters, excess, rtol)
    derivatives, mean = jax.jacfwd(_forward, has_aux=True)(log_parameters, excess, rtol)
    return mean, derivatives


def _forward(log_parameters, excess, rtol):
    sg, si, p2, v = jnp.exp(log_parameters)

    def slope(t, state, _):
        g, x = state
        drive = si * _insulin(t, excess)
        return sg * (problems.BASAL_GLUCOSE - g) - x * g, p2 * (drive - x)

    start = (problems.BASAL_GLUCOSE + problems.DOSE / v, jnp.zeros_like(v))
    mean = _integrate(slope, start, rtol)[0]
    return mean, mean


def _augmented(log_parameters, excess, rtol):
    sg, si, p2, v = jnp.exp(log_parameters)
    basal = problems.BASAL_GLUCOSE

    def slope(t, s, _):
        g, x = s[0], s[5]
        decay, drive = sg + x, si * _insulin(t, excess)
        glucose = [sg * basal - decay * g, sg * (basal - g) - decay * s[1]]
        glucose += [-decay * s[2] - s[6] * g, -decay * s[3] - s[7] * g, -decay * s[4]]
        return jnp.stack([*glucose, p2 * (drive - x), p2 * (drive - s[6]), p2 * (drive - x - s[7])])

    first, zero = problems.DOSE / v, jnp.zeros_like(v)
    start = jnp.stack([basal + first, zero, zero, zero, -first, zero, zero, zero])
    rows = _integrate(slope, start, rtol)
    return rows[:, 0], rows[:, 1:5]


def _integrate(slope, start, rtol):
    tolerance = diffrax.PIDController(rtol=rtol, atol=rtol)
    return diffrax.diffeqsolve(
        diffrax.ODETerm(slope),
        diffrax.Tsit5(),
        TIMES[0],
        TIMES[-1],
        1.0,
        start,
        saveat=diffrax.SaveAt(ts=TIMES),
        stepsize_controller=diffrax.ClipStepSizeController(tolerance, step_ts=TIMES[1:-1]),
        adjoint=diffrax.ForwardMode(),
        throw=False,
    ).ys


def _insulin(t, excess):
    """Piecewise linear; a sum of ramps compiles to faster code than a search."""
    rises = jnp.diff(excess) / np.diff(TIMES)
    bends = jnp.diff(rises, prepend=0.0)
    return excess[0] + jnp.sum(bends * jnp.maximum(t - TIMES[:-1], 0.0))


def linked(rtol, mode):
    """Return glucose of one person as a function whose reverse derivative is the forward solve."""

    @jax.custom_vjp
    def glucose(log_parameters, excess):
        return solve(log_parameters, excess, rtol, mode)[0]

    def ahead(log_parameters, excess):
        mean, derivatives = solve(log_parameters, excess, rtol, mode)
        return mean, (derivatives, excess)

    def back(kept, cotangent):
        return cotangent @ kept[0], jnp.zeros_like(kept[1])

    glucose.defvjp(ahead, back)
    return glucose


def everyone(glucose, mode):
    """Return glucose of all persons: one after another, or all in step, as is best for the mode."""
    if mode == "forward":
        return lambda persons, excess: jax.vmap(glucose)(persons, jnp.asarray(excess))
    return lambda persons, excess: jax.lax.map(
        lambda person: glucose(*person), (persons, jnp.asarray(excess))
    )


def density(problem, rtol, mode):
    """Return the log-density as a function of the unconstrained point."""
    data = problems.data(problem)
    glucose = linked(rtol, mode)
    medians, sds = problems.LOG_MEDIANS, problems.LOG_SDS

    def pacini(theta):
        fit = _fit(glucose(theta[:4], data.excess[0]), theta[4], data.glucose[0])
        return fit + _normal(theta[:4], medians, sds) + _half(theta[4], problems.ERROR_SCALE)

    def cohort(theta):
        mu, omega, error, z, (sg, p2, v) = problems.cohort_parts(theta)
        persons = jnp.stack([sg, mu + jnp.exp(omega) * z, p2, v], axis=1)
        own = np.array([0, 2, 3])
        mean = everyone(glucose, mode)(persons, data.excess)
        top = _normal(mu, medians[1], sds[1]) + _normal(
            omega, np.log(problems.OMEGA_MEDIAN), problems.OMEGA_LOG_SD
        )
        below = _normal(z, 0.0, 1.0) + _normal(persons[:, own], medians[own], sds[own])
        return _fit(mean, error, data.glucose) + _half(error, problems.ERROR_SCALE) + top + below

    return pacini if problem == "pacini" else cohort


def _fit(mean, log_error, glucose):
    mean, glucose = mean[..., problems.FIRST_USED :], glucose[..., problems.FIRST_USED :]
    variance = jnp.exp(2 * log_error) * mean**2 + problems.FLOOR**2
    return -0.5 * jnp.sum((glucose - mean) ** 2 / variance + jnp.log(variance) + LOG_TWO_PI)


def _normal(x, mean, sd):
    return jnp.sum(-0.5 * ((x - mean) / sd) ** 2 - jnp.log(sd) - 0.5 * LOG_TWO_PI)


def _half(log_x, scale):
    square = jnp.exp(2 * log_x) / scale**2
    return 0.5 * np.log(2 / np.pi) - np.log(scale) - 0.5 * square + log_x


@cache
def _compiled(problem, rtol, mode):
    return jax.jit(jax.value_and_grad(density(problem, rtol, mode)))


def evaluate(problem, theta, rtol=1e-6, mode="forward"):
    """Return the log-density and its gradient."""
    value, gradient = _compiled(problem, rtol, mode)(jnp.asarray(theta))
    return float(value), np.asarray(gradient)


def microseconds(problem, rtol=1e-6, runs=9, mode="forward"):
    """Time the log-density and gradient inside one compiled loop, and per call from Python."""
    points = jnp.asarray(problems.points(problem))
    points = points if problem == "pacini" else points[:64]
    both = jax.value_and_grad(density(problem, rtol, mode))
    call, theta = _compiled(problem, rtol, mode), points[0]
    call(theta)[1].block_until_ready()
    calls = compiled_loop.seconds(lambda: [call(theta) for _ in range(64)][-1][1], runs)
    single = problems.best(calls, 64)
    numbers = compiled_loop.microseconds(both, points, runs)
    return {**numbers, "from_python": single["microseconds"]}


if __name__ == "__main__":
    for each in problems.PROBLEMS:
        for way in MODES:
            problems.report("diffrax", each, mode=way, **microseconds(each, mode=way))
