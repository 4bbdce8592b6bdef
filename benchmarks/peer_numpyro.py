"""The peer that samples: NUTS of numpyro over the diffrax density, 4 chains, 1000 + 1000 draws.

The wall time runs from the start of the process to the posterior on disk, imports and compilation
included; further runs of the compiled sampler then give the time of sampling alone. ``--cache``
keeps XLA's compiled code on disk, so that a second process does not compile.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")

OUT = Path(__file__).resolve().parent / "out"
CHAINS, DRAWS, TUNE = 4, 1000, 1000


def model(problem, forward, mode):
    """Return the numpyro model: priors on the natural scale, likelihood as the density has it."""
    import jax.numpy as jnp
    import numpy as np
    import numpyro
    import numpyro.distributions as dist
    import peer_diffrax
    import problems

    data = problems.data(problem)
    first = problems.FIRST_USED
    glucose = peer_diffrax.linked(1e-6, mode)
    if forward:

        def glucose(log_parameters, excess):
            return peer_diffrax._forward(log_parameters, excess, 1e-6)[0]

    def prior(name, index):
        return numpyro.sample(
            name, dist.LogNormal(problems.LOG_MEDIANS[index], problems.LOG_SDS[index])
        )

    def measure(mean, error, observed):
        sd = jnp.sqrt((error * mean) ** 2 + problems.FLOOR**2)
        numpyro.sample("glucose", dist.Normal(mean, sd), obs=observed[..., first:])

    def pacini():
        unknowns = jnp.stack([prior(name, j) for j, name in enumerate(problems.MEDIANS)])
        error = numpyro.sample("glucose_cv", dist.HalfNormal(problems.ERROR_SCALE))
        measure(glucose(jnp.log(unknowns), data.excess[0])[first:], error, data.glucose[0])

    def cohort():
        mu = prior("mu_SI", 1)
        omega = numpyro.sample(
            "omega", dist.LogNormal(np.log(problems.OMEGA_MEDIAN), problems.OMEGA_LOG_SD)
        )
        error = numpyro.sample("glucose_cv", dist.HalfNormal(problems.ERROR_SCALE))
        with numpyro.plate("person", problems.PERSONS):
            z = numpyro.sample("z", dist.Normal(0.0, 1.0))
            sg, p2, v = prior("SG", 0), prior("p2", 2), prior("V", 3)
        own = jnp.stack([jnp.log(sg), jnp.log(mu) + omega * z, jnp.log(p2), jnp.log(v)], axis=1)
        mean = peer_diffrax.everyone(glucose, mode)(own, data.excess)
        measure(mean[:, first:], error, data.glucose)

    return pacini if problem == "pacini" else cohort


def sampler(options):
    """Return the compiled function from four keys to draws, steps and divergences of each chain.

    Numpyro compiles anew at every ``run``; inside one compiled function it does so once, and
    the sampling can be timed alone.
    """
    import jax
    from numpyro.infer import MCMC, NUTS, init_to_median

    kernel = NUTS(
        model(options.problem, options.forward, options.mode),
        init_strategy=init_to_median,
        forward_mode_differentiation=options.forward,
    )

    def chain(key):
        runner = MCMC(kernel, num_warmup=TUNE, num_samples=DRAWS, progress_bar=False)
        runner.run(key, extra_fields=("num_steps", "diverging"))
        return runner.get_samples(), runner.get_extra_fields()

    together = {
        "parallel": jax.pmap(chain),
        "sequential": jax.jit(lambda keys: jax.lax.map(chain, keys)),
        "vectorized": jax.jit(jax.vmap(chain)),
    }
    return together[options.chains].lower(keys(options.seed)).compile()


def keys(seed):
    import jax

    return jax.random.split(jax.random.PRNGKey(seed), CHAINS)


def work(options):
    """Sample, save, note the time, then sample again without compiling."""
    import jax

    if options.cache:
        jax.config.update("jax_compilation_cache_dir", str(OUT / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    import numpyro  # noqa: F401
    import peer_diffrax  # noqa: F401
    import problems

    begin = time.monotonic()
    sample = sampler(options)
    compilation = time.monotonic() - begin
    seconds = []
    begin = time.monotonic()
    draws, extra = jax.block_until_ready(sample(keys(options.seed)))
    seconds.append(time.monotonic() - begin)
    posterior = save(draws, OUT / f"numpyro_{options.problem}.nc")
    total = time.monotonic() - options.started
    for repeat in range(1, options.repeats):
        begin = time.monotonic()
        jax.block_until_ready(sample(keys(options.seed + repeat)))
        seconds.append(time.monotonic() - begin)
    problems.report(
        "numpyro",
        options.problem,
        chains=options.chains,
        mode="forward_mode_differentiation" if options.forward else f"linked {options.mode}",
        cached=options.cache,
        total_seconds=round(total, 2),
        compile_seconds=round(compilation, 2),
        sampling_seconds=round(statistics.median(seconds), 2),
        gradients_after_tuning=int(extra["num_steps"].sum()),
        divergences=int(extra["diverging"].sum()),
        **quality(posterior),
    )


def save(values, path):
    """Write the posterior as netCDF and return it."""
    import numpy as np
    import xarray as xr

    draws = {
        name: (("chain", "draw", "person")[: value.ndim], np.asarray(value))
        for name, value in values.items()
    }
    posterior = xr.Dataset(draws)
    path.parent.mkdir(exist_ok=True)
    posterior.to_netcdf(path, engine="h5netcdf")
    return posterior


def quality(posterior):
    """Return the least effective sample size and the largest R-hat over all unknowns."""
    import arviz as az

    sizes = az.ess(posterior, method="bulk")
    ranks = az.rhat(posterior)
    names = list(posterior.data_vars)
    return {
        "min_ess_bulk": round(min(float(sizes[name].min()) for name in names)),
        "max_rhat": round(max(float(ranks[name].max()) for name in names), 4),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("problem", nargs="?", default="pacini", choices=("pacini", "cohort40"))
    parser.add_argument(
        "--chains", default="parallel", choices=("parallel", "sequential", "vectorized")
    )
    parser.add_argument("--mode", default="augmented", choices=("forward", "augmented"))
    parser.add_argument("--forward", action="store_true", help="numpyro's own forward mode")
    parser.add_argument("--cache", action="store_true", help="keep compiled code on disk")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3, help="samplings that are timed")
    parser.add_argument("--started", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.started is None:
        arguments = [*sys.argv[1:], "--started", str(time.monotonic())]
        sys.exit(subprocess.run([sys.executable, __file__, *arguments]).returncode)
    work(options)


if __name__ == "__main__":
    main()
