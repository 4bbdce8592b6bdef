"""Measure everything and print the table: ``python benchmarks/run.py [name ...]``.

Each row is a measurement of this run on this machine, beside what must be reached. Peers that are
not installed are left out. Rows that need the Ohashi study need the network, or the variable
HEPAFLUX_DATA_MIRROR.
"""

import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import arviz as az
import meal_problems
import numpy as np
import own
import problems
import stiff_problems
import tracer_problems

import hepaflux as hf
from hepaflux.fitting import nuts
from hepaflux.fitting.compiled import compile_model, density_and_gradient
from hepaflux.model import HEALTHY, NAFLD
from hepaflux.parameter import Fixed

HERE = Path(__file__).resolve().parent
RUNS = 15


def row(what, reached, target):
    """Print one row of the table."""
    print(f"| {what} | {reached} | {target} |", flush=True)


def peer_lines(*arguments):
    """Run a peer's script and return its lines of JSON; none if it cannot run."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        print(f"{arguments[0]}: left out, {done.stderr.strip()[-200:]}", file=sys.stderr)
    return [json.loads(line) for line in lines]


def gradients():
    """Time the log-density and gradient beside those of the peers."""
    by_hand = peer_lines("peer_c.py")
    lines = {"own": [], "diffrax": peer_lines("peer_diffrax.py")}
    for style in ("c, plain", "c, vector"):
        lines[style] = [line for line in by_hand if line["peer"] == style]
    for problem in problems.PROBLEMS:
        lines["own"].append({"problem": problem, **own.microseconds(problem, runs=RUNS)})
    lines["pymc.ode"] = peer_lines("peer_pymc_ode.py")
    targets = {
        "c, plain": "own ≤ 1.5 ×",
        "c, vector": "",
        "diffrax": "≥ 1.5 × (pacini), ≥ 2.5 × (cohort)",
    }
    for problem in problems.PROBLEMS:
        least = {
            peer: min((r["least"] for r in found if r["problem"] == problem), default=None)
            for peer, found in lines.items()
        }
        row(f"{problem}: own", f"{least['own']:.1f} µs", "")
        for peer in ("c, plain", "c, vector", "diffrax", "pymc.ode"):
            if least[peer] is not None:
                ratio = f"{least[peer]:.1f} µs: {least[peer] / least['own']:.2f} × own"
                row(f"{problem}: {peer}", ratio, targets.get(peer, "≥ 500 ×"))


def stiff():
    """Time the stiff cascade beside its peers, and the implicit method where nothing is stiff."""
    cost = stiff_problems.microseconds(runs=RUNS)["least"]
    off = stiff_problems.error(stiff_problems.evaluate)
    row("stiff cascade: own", f"{cost:.0f} µs, gradient off by {off:.0e}", "")
    peers = {
        "diffrax, Kvaerno5": ("peer_diffrax_stiff.py", "≥ 4 × own"),
        "CVODES, callbacks in C": ("peer_cvodes.py", "≥ 1 × own"),
    }
    for peer, (script, target) in peers.items():
        for line in peer_lines(script):
            ratio = f"{line['least']:.0f} µs: {line['least'] / cost:.1f} × own"
            reached = f"{ratio}, gradient off by {line['error']:.0e}"
            row(f"stiff cascade: {peer}, {line['mode']}", reached, target)
    pair = [
        own.microseconds("pacini", runs=RUNS, integrator=integrator)["least"]
        for integrator in ("explicit", "implicit")
    ]
    reached = f"{pair[1]:.1f} µs: {pair[1] / pair[0]:.2f} × explicit"
    row("pacini by the implicit method", reached, "≤ 5 × explicit")


def sampling():
    """Effective draws per second of sampling, beside numpyro with diffrax."""
    compiled = compile_model(hf.build_model(own.study("pacini"), own.system()))
    rates = []
    for seed in (1, 2, 3):
        begin = time.perf_counter()
        tree = nuts.sample(compiled, draws=1000, tune=1000, chains=4, seed=seed)
        seconds = time.perf_counter() - begin
        posterior = tree["posterior"].to_dataset()[list(problems.PACINI_NAMES)]
        ess = min(float(v) for v in az.ess(posterior).data_vars.values())
        rhat = max(float(v) for v in az.rhat(posterior).data_vars.values())
        rates.append((ess / seconds, seconds, ess, rhat))
    rate, seconds, ess, rhat = sorted(rates)[1]
    row(
        "pacini: own ESS/s",
        f"{rate:.0f} ({ess:.0f} in {seconds:.2f} s, R-hat {rhat:.4f})",
        "R-hat ≤ 1.01",
    )
    peers = [
        line
        for mode in ("augmented", "forward")
        for line in peer_lines("peer_numpyro.py", "pacini", "--mode", mode)
    ]
    if peers:
        best = max(line["min_ess_bulk"] / line["sampling_seconds"] for line in peers)
        row("pacini: numpyro ESS/s", f"{best:.0f}: own is {rate / best:.1f} ×", "own ≥ 2 ×")


def processes():
    """Process start to posterior on disk, with an empty and with a warm cache."""
    with tempfile.TemporaryDirectory() as folder:
        flags = {"PYTENSOR_FLAGS": f"base_compiledir={folder}"}
        seconds = [_process(flags) for _ in range(3)]
    row("process to posterior, first", f"{seconds[0]:.1f} s", "≤ 40 s")
    row("process to posterior, later", f"{min(seconds[1:]):.1f} s", "≤ numpyro's")
    for label, arguments in (("first", ()), ("later", ("--cache",))):
        lines = []
        for _ in range(2 if arguments else 1):
            lines = peer_lines("peer_numpyro.py", "pacini", "--repeats", "1", *arguments)
        if lines:
            row(f"numpyro, {label}", f"{lines[0]['total_seconds']:.1f} s", "")


def _process(flags):
    begin = time.time()
    command = [sys.executable, str(HERE / "process.py"), str(begin)]
    environment = {**os.environ, **flags}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=HERE, env=environment, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])["total_seconds"]


def each():
    """Every person of the Ohashi study alone."""
    study = hf.read_study("ohashi_2015")
    begin = time.perf_counter()
    posterior = hf.fit_each(study, hf.systems.oral, seed=1, tune=300, draws=1200)
    seconds = time.perf_counter() - begin
    stats = posterior["sample_stats"].to_dataset()
    rhat = az.rhat(posterior["posterior"].to_dataset()[["SI", "SG", "p2", "V", "absorption"]])
    worst = max(float(v.max()) for v in rhat.data_vars.values())
    failed = int(np.isnan(posterior["expected"]["glucose"]).sum())
    row(
        "Ohashi, each",
        f"{seconds / len(study.subjects):.2f} s a person, worst R-hat {worst:.3f},"
        f" divergences {100 * float(stats.diverging.mean()):.3f} %, failed {failed}",
        "≤ 1 s, ≤ 1.01, < 0.1 %, 0",
    )


def secretion():
    """Every person of the Ohashi study with C-peptide alone: beta-cell function."""
    study = hf.read_study("ohashi_2015")
    people = tuple(s for s in study.subjects if "c_peptide" in s.samples)
    study = dataclasses.replace(study, subjects=people)
    begin = time.perf_counter()
    posterior = hf.fit_each(study, hf.systems.secretion, seed=1, tune=300, draws=1200)
    seconds = time.perf_counter() - begin
    stats = posterior["sample_stats"].to_dataset()
    rhat = az.rhat(posterior["posterior"].to_dataset()[["Phi_s", "Phi_d", "T", "CP_b"]])
    worst = max(float(v.max()) for v in rhat.data_vars.values())
    row(
        f"Ohashi, secretion of each of {len(people)}",
        f"{seconds / len(people):.2f} s a person, worst R-hat {worst:.3f},"
        f" divergences {100 * float(stats.diverging.mean()):.3f} %",
        "≤ 2 s, ≤ 1.01, < 0.1 %",
    )


def meal():
    """Time the meal simulator: 8 hours of one person, and a drink of a thousand."""
    system = hf.systems.meal
    for number, what, target in (
        (0, "8 h of one person, states alone", "≤ 150 µs"),
        (12, "8 h of one person, with 12 sensitivities", "≤ 1500 µs"),
    ):
        row(what, f"{meal_problems.microseconds(system, free=number):.0f} µs", target)
    seconds = meal_problems.thousand_people(system)
    row("a drink of 1,000 virtual people, 3 h", f"{seconds:.2f} s", "≤ 1 s")


def hierarchical():
    """All 120 people of the Ohashi study, hierarchical by group; and the memory it takes."""
    model = hf.build_model(
        hf.read_study("ohashi_2015"), hf.systems.oral, design=hf.Design(by_group=True)
    )
    begin = time.perf_counter()
    posterior = hf.fit(model, seed=1, tune=600, draws=1900)
    minutes = (time.perf_counter() - begin) / 60
    table = hf.summarize(posterior)
    divergences = int(posterior["sample_stats"].diverging.sum())
    row(
        "Ohashi, hierarchical by group",
        f"{minutes:.1f} min, R-hat {table.r_hat.max():.3f}, ESS {table.ess_bulk.min():.0f},"
        f" divergences {divergences}",
        "≤ 6 min, ≤ 1.01, ≥ 400, 0",
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    row("memory of that process", f"{memory:.2f} GB", "< 3 GB")


def scaling():
    """Gradient and compile time against the number of people."""
    numbers, costs, compilations = (10, 100, 1000), [], []
    for number in numbers:
        simulated = hf.simulate_study(hf.systems.oral, subjects=number, seed=1)
        begin = time.perf_counter()
        compiled = compile_model(hf.build_model(simulated.study, hf.systems.oral))
        compilations.append(time.perf_counter() - begin)
        density = density_and_gradient(compiled)
        point = np.asarray(compiled.initial_point_func(1))
        costs.append(min(_seconds(density, point) for _ in range(30)))
    exponent = np.polyfit(np.log(numbers), np.log(costs), 1)[0]
    row("gradient time against people", f"N^{exponent:.2f}", "≤ N^1.05")
    shown = ", ".join(f"{n}: {c:.1f} s" for n, c in zip(numbers, compilations, strict=True))
    row("compile time against people", shown, "does not grow")


def _seconds(density, point):
    begin = time.perf_counter()
    density(point)
    return time.perf_counter() - begin


def tracers():
    """Log-density and gradient of the systems with labels."""
    people = {
        "labeled oral model": hf.simulate_study(
            hf.systems.oral_labeled, subjects=1, protocol="labeled_meal", seed=1
        ).study,
        "MIDA, 40 samples": tracer_problems.ions(samples=40),
    }
    systems = (_twelve(hf.systems.oral_labeled), hf.systems.mida)
    targets = ("≤ 200 µs", "≤ 50 µs")
    for (what, study), system, target in zip(people.items(), systems, targets, strict=True):
        compiled = compile_model(hf.build_model(study, system))
        density = density_and_gradient(compiled)
        point = np.asarray(compiled.initial_point_func(1))
        least = min(_seconds(density, point) for _ in range(300))
        row(f"{what}, {compiled.n_dim} unknowns", f"{1e6 * least:.0f} µs", target)


def _twelve(system):
    """Return the labeled oral model with twelve unknowns: eight and a simplex of four free shares.

    Parameters that one labeled meal hardly tells are fixed at their median; the knots are fewer.
    """
    medians = {n: float(system.parameter(n).prior.distribution().median()) for n in ("k_GR",)}
    fewer = system.with_options(knots="0 30 60 120 200 300")
    return fewer.with_priors(**{name: Fixed(value) for name, value in medians.items()})


def joint():
    """Twenty healthy people and twenty with NAFLD, each with an OGTT and heavy water."""
    _joint("OGTT", hf.systems.oral, "ogtt75", ("SI", "water_f"), draws=2000)


def joint_labeled():
    """Fit the same with a labeled meal, whose equations are four times as many."""
    _joint("labeled meal", hf.systems.oral_labeled, "labeled_meal", ("SI_L", "f"), draws=1200)


def _joint(what, system, protocol, pair, *, draws):
    """Fit two tests of 2 x 20 people with a correlation between what they tell."""
    tests = {"glucose": (system, protocol), "water": (hf.systems.heavy_water, "heavy_water")}
    cohort = hf.simulate_cohort(
        tests, (HEALTHY, NAFLD), subjects=40, correlated={pair: -0.6}, seed=1
    )
    parts = {name: (cohort.parts[name].study, test[0]) for name, test in tests.items()}
    model = hf.build_joint_model(parts, design=hf.Design(by_group=True, correlated=(pair,)))
    begin = time.perf_counter()
    posterior = hf.fit(model, seed=1, tune=600, draws=draws)
    minutes = (time.perf_counter() - begin) / 60
    table = hf.summarize(posterior)
    divergences = int(posterior["sample_stats"].diverging.sum())
    row(
        f"{what} and heavy water of 2 x 20 people, joint",
        f"{minutes:.1f} min, R-hat {table.r_hat.max():.3f}, ESS {table.ess_bulk.min():.0f},"
        f" divergences {divergences}",
        "converges in ≤ 10 min",
    )


PARTS = (
    gradients,
    stiff,
    sampling,
    processes,
    each,
    secretion,
    scaling,
    tracers,
    meal,
    hierarchical,
    joint,
    joint_labeled,
)

if __name__ == "__main__":
    chosen = sys.argv[1:] or [part.__name__ for part in PARTS]
    print("| what | measured | must reach |\n|---|---|---|")
    for part in PARTS:
        if part.__name__ in chosen:
            part()
