"""The peer in JAX on the stiff cascade: diffrax's Kvaerno5, compiled by XLA.

Three modes: ``forward`` (differentiated through the solver in forward mode), ``reverse`` (backward
through the stored steps) and ``augmented`` (the sensitivity equations as states, under error
control as the other solvers have it). Samples are taken from the dense output.
"""

from functools import cache

import jax

jax.config.update("jax_enable_x64", True)

import compiled_loop  # noqa: E402
import diffrax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import problems  # noqa: E402
import stiff_problems  # noqa: E402

MODES = ("forward", "reverse", "augmented")


def _slopes(x, p):
    return jnp.stack(stiff_problems.slopes(x, p))


def _integrate(slope, start, theta, rtol, adjoint):
    return diffrax.diffeqsolve(
        diffrax.ODETerm(slope),
        diffrax.Kvaerno5(),
        0.0,
        stiff_problems.TIMES[-1],
        1e-3,
        start,
        args=theta,
        saveat=diffrax.SaveAt(ts=stiff_problems.TIMES),
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=rtol),
        adjoint=adjoint,
        max_steps=4096,
        throw=False,
    ).ys


def _states(theta, rtol, adjoint):
    def slope(t, x, theta):
        return _slopes(x, jnp.exp(theta))

    return _integrate(slope, jnp.zeros(6), theta, rtol, adjoint)


def _augmented(theta, rtol):
    """Return states and sensitivities to the logarithms."""

    def slope(t, z, theta):
        def of_both(x, theta):
            return _slopes(x, jnp.exp(theta))

        columns = jax.vmap(lambda s, e: jax.jvp(of_both, (z[0], theta), (s, e))[1], in_axes=(0, 0))(
            z[1:], jnp.eye(8)
        )
        return jnp.concatenate([of_both(z[0], theta)[None], columns])

    rows = _integrate(slope, jnp.zeros((9, 6)), theta, rtol, diffrax.DirectAdjoint())
    return rows[:, 0], rows[:, 1:]


def density(rtol, mode):
    """Return the log-density with its gradient as a function of the point."""
    samples, error = jnp.asarray(stiff_problems.samples()), stiff_problems.ERROR

    def value(theta, adjoint):
        residual = (samples - _states(theta, rtol, adjoint)) / error
        return -0.5 * jnp.sum(residual**2)

    def forward(theta):
        def twice(theta):
            result = value(theta, diffrax.ForwardMode())
            return result, result

        gradient, result = jax.jacfwd(twice, has_aux=True)(theta)
        return result, gradient

    def augmented(theta):
        states, sensitivities = _augmented(theta, rtol)
        residual = (samples - states) / error
        gradient = jnp.einsum("ti,tji->j", residual, sensitivities) / error
        return -0.5 * jnp.sum(residual**2), gradient

    def reverse(theta):
        return jax.value_and_grad(value)(theta, diffrax.RecursiveCheckpointAdjoint())

    return {"forward": forward, "reverse": reverse, "augmented": augmented}[mode]


@cache
def _compiled(rtol, mode):
    return jax.jit(density(rtol, mode))


def evaluate(theta, rtol=stiff_problems.RTOL, mode="forward"):
    """Return the log-density and its gradient."""
    value, gradient = _compiled(rtol, mode)(jnp.asarray(theta))
    return float(value), gradient


def microseconds(rtol=stiff_problems.RTOL, runs=5, mode="forward"):
    """Time the log-density and gradient inside one compiled loop."""
    points = jnp.asarray(stiff_problems.points())
    return compiled_loop.microseconds(density(rtol, mode), points, runs)


if __name__ == "__main__":
    for way in MODES:
        off = stiff_problems.error(lambda theta, way=way: evaluate(theta, mode=way))
        numbers = microseconds(mode=way)
        problems.report("diffrax", "cascade", mode=way, error=off, **numbers)
