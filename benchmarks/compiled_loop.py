"""What the peers in JAX share: a gradient over many points, timed inside one compiled loop."""

import time
from functools import partial

import jax
import problems


def seconds(work, runs):
    """Time ``work``, whose result is waited for, ``runs`` times."""
    found = []
    for _ in range(runs):
        begin = time.perf_counter()
        work().block_until_ready()
        found.append(time.perf_counter() - begin)
    return found


def microseconds(both, points, runs):
    """Time ``both``, which returns a value and its gradient, per point; and its compilation."""

    @jax.jit
    def loop(points):
        def body(total, theta):
            value, gradient = both(theta)
            return total + value + gradient[0], None

        return jax.lax.scan(body, 0.0, points)[0]

    compilation = seconds(partial(loop, points), 1)[0]
    numbers = problems.best(seconds(partial(loop, points), runs), len(points))
    return {**numbers, "compile_s": round(compilation, 2)}
