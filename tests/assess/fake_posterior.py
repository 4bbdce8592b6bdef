"""Inference data with known draws, in the form that a fit leaves it, made with NumPy alone."""

import json

import numpy as np
import xarray as xr
from scipy import stats

TIMES = np.array([8.0, 10, 12, 14, 16, 19, 22, 25, 30, 35, 40, 50, 60, 80, 100, 120, 140, 180])
UNITS = {"SI": "L/pmol/min", "SG": "1/min", "p2": "1/min", "V": "L/kg", "DI": "1"}
MEANINGS = {
    "SI": "insulin sensitivity",
    "SG": "glucose effectiveness",
    "p2": "rate of the remote insulin compartment",
    "V": "glucose distribution volume",
    "DI": "disposition index",
    "glucose_cv": "coefficient of variation of measured glucose",
}
TRUTH = {"SI": 6e-5, "SG": 0.02, "p2": 0.025, "V": 0.168}
PRIOR_CV = {"SI": 0.9, "SG": 0.6, "p2": 0.6, "V": 0.5}
CV = 0.03


def curve(p, times):
    """A falling curve that depends on every parameter; stands for the noise-free glucose."""
    decay = p["SG"][..., None] + 200 * p["SI"][..., None] * (
        1 - np.exp(-p["p2"][..., None] * times)
    )
    return 5 + 1.67 / p["V"][..., None] * np.exp(-decay * times)


def subject_draws(rng, *, truth=TRUTH, log_sd=0.02, chains=4, draws=250):
    """Independent draws of the parameters of one subject, log-normal around the truth."""
    return {n: m * np.exp(log_sd * rng.normal(size=(chains, draws))) for n, m in truth.items()}


def fake(
    *,
    subjects=("S01",),
    groups=(),
    effect=1.0,
    each=False,
    log_sd=0.02,
    chains=4,
    draws=250,
    seed=1,
    attrs=None,
):
    """A tree with parameters by subject; with ``effect``, SI differs in the second group.

    With one subject the parameters are shared and carry no subject dimension unless ``each``.
    """
    rng = np.random.default_rng(seed)
    labels = tuple(dict.fromkeys(groups))
    by_subject = len(subjects) > 1 or each
    parts = []
    for i, _ in enumerate(subjects):
        factor = effect if groups and labels.index(groups[i]) else 1.0
        truth = {**TRUTH, "SI": TRUTH["SI"] * factor}
        p = subject_draws(rng, truth=truth, log_sd=log_sd, chains=chains, draws=draws)
        expected = curve(p, TIMES)
        center = curve({n: np.array(v) for n, v in truth.items()}, TIMES)
        parts.append(
            {
                "p": p,
                "expected": expected,
                "replicated": expected * (1 + CV * rng.normal(size=expected.shape)),
                "observed": center * (1 + CV * rng.normal(size=TIMES.size)),
            }
        )
    dims = ("chain", "draw", "subject") if by_subject else ("chain", "draw")
    stacked = {n: np.stack([part["p"][n] for part in parts], axis=-1) for n in TRUTH}
    if not by_subject:
        stacked = {n: v[..., 0] for n, v in stacked.items()}
    posterior = {n: (dims, v) for n, v in stacked.items()}
    posterior["DI"] = (dims, stacked["SI"] * 300.0)
    shape = (chains, draws, len(subjects)) if each else (chains, draws)
    noise_dims = dims if each else ("chain", "draw")
    posterior["glucose_cv"] = (noise_dims, CV * np.exp(0.1 * rng.normal(size=shape)))
    expected = np.concatenate([part["expected"] for part in parts], axis=-1)
    observed = np.concatenate([part["observed"] for part in parts])
    n_prior = (1, 500, len(subjects)) if by_subject else (1, 500)
    prior_sd = {n: np.sqrt(np.log1p(cv**2)) for n, cv in PRIOR_CV.items()}
    prior = {
        n: (dims, TRUTH[n] * np.exp(s * rng.normal(size=n_prior))) for n, s in prior_sd.items()
    }
    log_prior = {
        n: (dims, stats.norm(np.log(TRUTH[n]), prior_sd[n]).logpdf(np.log(stacked[n])))
        for n in TRUTH
    }
    flat = ("chain", "draw", "glucose_observation")
    n = TIMES.size
    coords = {"subject": list(subjects)}
    constant = {
        "glucose_subject": ("glucose_observation", np.repeat(np.arange(len(subjects)), n)),
        "glucose_time": ("glucose_observation", np.tile(TIMES, len(subjects))),
        "glucose_censoring": ("glucose_observation", np.zeros(n * len(subjects), dtype=int)),
    }
    if groups:
        coords["group"] = list(labels)
        constant["subject_group"] = ("subject", [labels.index(g) for g in groups])
    stats_dims = dims if each else ("chain", "draw")
    likelihood = stats.norm(expected, CV * expected).logpdf(observed)
    replicated = np.concatenate([part["replicated"] for part in parts], axis=-1)
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(
                posterior, {"subject": coords["subject"]} if by_subject else {}
            ),
            "sample_stats": xr.Dataset(
                {
                    "diverging": (stats_dims, np.zeros(shape, dtype=bool)),
                    "maxdepth_reached": (stats_dims, np.zeros(shape, dtype=bool)),
                    "energy": (stats_dims, rng.normal(size=shape)),
                    "n_steps": (stats_dims, np.full(shape, 7)),
                },
                {"subject": coords["subject"]} if each else {},
            ),
            "posterior_predictive": xr.Dataset({"glucose": (flat, replicated)}),
            "expected": xr.Dataset({"glucose": (flat, expected)}),
            "curves": curves_of(expected, subjects),
            "observed_data": xr.Dataset({"glucose": ("glucose_observation", observed)}),
            "constant_data": xr.Dataset(constant, coords),
            "log_likelihood": xr.Dataset({"glucose": (flat, likelihood)}),
            "log_prior": xr.Dataset(
                log_prior, {"subject": coords["subject"]} if by_subject else {}
            ),
            "prior": xr.Dataset(prior, {"subject": coords["subject"]} if by_subject else {}),
        }
    )
    tree.attrs = {**ATTRS, **(attrs or {})}
    return tree


def curves_of(expected, subjects):
    """Medians and bands of measurements, which here are the samples joined by straight lines."""
    shape = (*expected.shape[:2], len(subjects), TIMES.size)
    by_subject = expected.reshape(shape).reshape(-1, *shape[2:])
    probability = [0.05, 0.25, 0.75, 0.95]
    error = 1 + CV * stats.norm.ppf(probability)[:, None, None]
    center = np.median(by_subject, axis=0)
    times = np.tile(TIMES, (len(subjects), 1))
    return xr.Dataset(
        {
            "glucose": (("subject", "curve_time"), center),
            "glucose_measured": (("probability", "subject", "curve_time"), center * error),
        },
        {
            "subject": list(subjects),
            "probability": probability,
            "minutes": (("subject", "curve_time"), times),
        },
    )


ATTRS = {
    "hepaflux_version": "0.1.0",
    "system": "minimal",
    "options": json.dumps({"basal_glucose": "first", "basal_insulin": None}),
    "study": "demo",
    "study_title": "A made study",
    "study_checksum": "0" * 64,
    "study_origin": "data/demo/study.toml",
    "citation": "Nobody (2020)",
    "insulin_factor": 6.0,
    "units": json.dumps({**UNITS, "glucose": "mmol/L", "insulin": "pmol/L", "glucose_cv": "1"}),
    "meanings": json.dumps(MEANINGS),
    "sources": json.dumps({n: "Denti 2010" for n in TRUTH}),
    "priors": json.dumps(
        {n: f"median={TRUTH[n]:g}, cv={cv:g}" for n, cv in PRIOR_CV.items()}
        | {"glucose_cv": "median=0.03, cv=0.5"}
    ),
    "design": json.dumps({"subject": ["SI"]}),
    "conventions": json.dumps(["One microunit of insulin is 6.00 pmol."]),
    "supports": json.dumps({name: "positive" for name in (*TRUTH, "glucose_cv")}),
    "seed": 1,
    "method": "nuts",
    "draws": 250,
    "tune": 250,
    "chains": 4,
    "failed_solves": 0,
    "failed_in_posterior": 0,
    "sampling_seconds": 1.5,
    "versions": json.dumps({"python": "3.13", "arviz": "1.3"}),
    "created": "2026-01-01T00:00:00+00:00",
}


def replaced(tree, group, **variables):
    """A copy of the tree with some variables of one group replaced by arrays of equal dims."""
    new = tree.copy(deep=True)
    old = new[group].to_dataset()
    changed = {name: (old[name].dims, np.asarray(values)) for name, values in variables.items()}
    new[group] = xr.DataTree(old.assign(changed))
    return new
