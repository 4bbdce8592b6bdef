"""Check that the peers compute the same thing, and print accuracy against cost.

Every peer must give the log-density and gradient of the reference at the fixed point, to 1e-4: the
gradient relative to its largest element (``norm``); the figure by element is printed too. The
ladder then gives, for each tolerance, the time and the largest relative error of the gradient over
some points (an element smaller than one counts as one).
"""

import importlib
import sys
from functools import partial

import numpy as np
import problems
import reference

TOLERANCE = 1e-4
LADDER = (1e-4, 1e-6, 1e-8)


def peers(problem):
    """Return the evaluation and timing functions of every peer that can be imported."""
    found = {}
    for name in ("own", "peer_c", "peer_diffrax", "peer_pymc_ode"):
        if name == "peer_pymc_ode" and problem != "pacini":
            continue
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            print(f"{name}: left out, {error}", file=sys.stderr)
            continue
        for mode in getattr(module, "MODES", ("",)):
            settings = {"mode": mode} if mode else {}
            label = f"{name.removeprefix('peer_')} {mode}".strip()
            found[label] = (
                partial(module.evaluate, problem, **settings),
                partial(module.microseconds, problem, **settings),
            )
    return found


def distance(got, want):
    return float(np.max(np.abs(got - want) / np.maximum(np.abs(want), 1.0)))


def check_agreement(problem):
    """Print the table of log-densities and gradients at the fixed point; return what disagrees."""
    theta = problems.centre(problem)
    value, gradient = reference.evaluate(problem, theta)
    print(f"\n{problem}: log-density {value:.8f}, gradient {np.round(gradient[:5], 6)} ...")
    wrong = []
    for label, (evaluate, _) in peers(problem).items():
        got, slope = evaluate(theta)
        off, steep = distance(got, value), distance(slope, gradient)
        worst = np.max(np.abs(slope - gradient)) / np.max(np.abs(gradient))
        print(
            f"  {label:20s} {got:14.8f}  off by {off:.1e}, gradient {steep:.1e}, norm {worst:.1e}"
        )
        if max(off, worst) > TOLERANCE:
            wrong.append(f"{problem} {label}")
    return wrong


def ladder(problem, number=8):
    points = problems.points(problem)[:number]
    truth = [reference.evaluate(problem, theta)[1] for theta in points]
    print(f"\n{problem}: rtol, microseconds, largest relative error of the gradient")
    for label, (evaluate, microseconds) in peers(problem).items():
        for rtol in LADDER[1:2] if label == "pymc_ode" else LADDER:
            errors = [
                distance(evaluate(theta, rtol=rtol)[1], want)
                for theta, want in zip(points, truth, strict=True)
            ]
            cost = microseconds(rtol=rtol, runs=5)["microseconds"]
            stated = "own" if label == "pymc_ode" else f"{rtol:.0e}"
            print(f"  {label:20s} {stated:>6s} {cost:12.2f} {max(errors):10.1e}", flush=True)


if __name__ == "__main__":
    disagreements = [wrong for problem in problems.PROBLEMS for wrong in check_agreement(problem)]
    if "--ladder" in sys.argv:
        for each in problems.PROBLEMS:
            ladder(each)
    if disagreements:
        sys.exit(f"These disagree with the reference: {', '.join(disagreements)}")
