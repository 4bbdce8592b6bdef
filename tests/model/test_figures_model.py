"""The model of published figures: its log-density against formulas written by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import hepaflux as hf
from hepaflux.model.published import ARM, METHOD, PERSON, PERSON_SPREAD, PRIORS, STUDY
from hepaflux.parameter import Beta, LogNormal
from hepaflux.study import Figure, Figures, Quantity, StudyError

DNL = Quantity("dnl_fraction", "1", "de novo lipogenesis", "unit", 0.001, 0.8)
RATE = Quantity("vldl_tg_secretion", "umol/min", "secretion", "positive", 1, 300, is_rate=True)
OWN = Quantity("SI", "1", "insulin sensitivity", "positive", 0.1, 10.0)


def figure(group, study, mean, **more):
    return Figure(
        group=group, study=study, citation=study, **{"quantity": DNL.name, **more, "mean": mean}
    )


FOUR = (
    figure("healthy", "One", 0.05, n=9, spread=0.01, spread_kind="SE", method="D2O"),
    figure("NAFLD", "One", 0.20, n=16, spread=0.05, spread_kind="SD", method="D2O"),
    figure("NAFLD", "Two", 0.25, n=12, method="MIDA"),
    figure("healthy", "Two", 0.04, spread=0.012, spread_kind="SE presumed", method="MIDA"),
)
"""An SE with n, an SD, no error, and an SE without n."""


SINGLE = {"abs": 1e-6}
"""The constant of a beta density is computed in single precision."""


def table(*rows, quantities=(DNL,)):
    return Figures("test", tuple(rows), quantities)


def log_density(model, values):
    """The model's log-density at constrained values by name, without Jacobians."""
    assert set(values) == {v.name for v in model.free_RVs}
    total = model.replace_rvs_by_values([model.logp(jacobian=False)])[0]
    raw = {}
    for variable in model.free_RVs:
        value = np.asarray(values[variable.name], dtype=float)
        transform = model.rvs_to_transforms[variable]
        if transform is not None:
            value = transform.forward(value, *variable.owner.inputs).eval(mode="FAST_COMPILE")
        raw[model.rvs_to_values[variable]] = value
    return float(total.eval(raw, mode="FAST_COMPILE"))


def logit(p):
    return np.log(p) - np.log1p(-p)


def chi_squared_of_sd(sd, n, sigma):
    """Log-density of a printed SD: that of (n - 1) SD^2 / sigma^2, by change of variables."""
    scaled = (n - 1) * sd**2 / sigma**2
    return stats.chi2(n - 1).logpdf(scaled) + np.log(2 * (n - 1) * sd / sigma**2)


POINT = {
    "dnl_fraction": np.array([0.06, 0.18]),
    "dnl_fraction_study_spread": 0.3,
    "dnl_fraction_method_spread": 0.6,
    "dnl_fraction_arm_spread": 0.2,
    "dnl_fraction_person_sd": 0.5,
    "dnl_fraction_person_sd_spread": 0.25,
    "dnl_fraction_study_offset": np.array([0.4, -1.1]),
    "dnl_fraction_method_offset": np.array([-0.2, 0.7]),
    "dnl_fraction_line_offset": np.array([-2.9, -1.4, -1.1, -3.0]),
    "dnl_fraction_person_sd_offset": np.array([0.3, -0.6, 1.2, 0.1]),
}


def by_hand(values=POINT):
    """Priors, deviations, and the sampling distributions of what is printed."""
    p = {name.removeprefix("dnl_fraction_"): value for name, value in values.items()}
    total = PRIORS["dnl_fraction"].distribution().logpdf(values["dnl_fraction"]).sum()
    spreads = (
        ("study", STUDY), ("method", METHOD), ("arm", ARM), ("person_sd", PERSON_SPREAD),
    )  # fmt: skip
    for what, prior in spreads:
        total += prior.distribution().logpdf(p[f"{what}_spread"])
    total += PERSON.distribution().logpdf(p["person_sd"])
    for what in ("study", "method", "person_sd"):
        total += stats.norm.logpdf(p[f"{what}_offset"]).sum()
    group, study = np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1])
    center = logit(values["dnl_fraction"])[group]
    center += p["study_spread"] * p["study_offset"][study]
    center += p["method_spread"] * p["method_offset"][study]
    total += stats.norm.logpdf(p["line_offset"], center, p["arm_spread"]).sum()
    mu = 1 / (1 + np.exp(-p["line_offset"]))
    sigma = p["person_sd"] * np.exp(p["person_sd_spread"] * p["person_sd_offset"]) * mu * (1 - mu)
    total += stats.norm.logpdf(0.05, mu[0], sigma[0] / np.sqrt(9))
    total += stats.norm.logpdf(0.20, mu[1], sigma[1] / np.sqrt(16))
    total += stats.norm.logpdf(0.25, mu[2], sigma[2] / np.sqrt(12))
    total += stats.norm.logpdf(0.04, mu[3], 0.012)
    total += chi_squared_of_sd(0.01 * np.sqrt(9), 9, sigma[0])
    return total + chi_squared_of_sd(0.05, 16, sigma[1])


def test_log_density_is_that_of_the_formulas():
    model = hf.build_figures_model(table(*FOUR), "dnl_fraction")
    assert log_density(model, POINT) == pytest.approx(by_hand(), **SINGLE)


def test_order_of_rows_changes_nothing():
    """The same arms in another order; groups and studies are told by name."""
    order = [3, 0, 2, 1]
    model = hf.build_figures_model(
        table(*(FOUR[i] for i in order)), "dnl_fraction", groups=("healthy", "NAFLD")
    )
    moved = dict(POINT)
    for name in ("dnl_fraction_line_offset", "dnl_fraction_person_sd_offset"):
        moved[name] = POINT[name][order]
    for name in ("dnl_fraction_study_offset", "dnl_fraction_method_offset"):
        moved[name] = POINT[name][::-1]
    assert log_density(model, moved) == pytest.approx(by_hand(), **SINGLE)


def test_a_rate_per_kilogram_is_divided_by_a_mass_that_is_unknown():
    rows = (
        replace(FOUR[0], quantity=RATE.name, mean=12.0, n=9, spread=4.0, spread_kind="SD"),
        replace(FOUR[1], quantity=RATE.name, mean=0.9, n=9, spread=0.3, spread_kind="SD",
                scale="fat-free mass"),
    )  # fmt: skip
    name = RATE.name
    model = hf.build_figures_model(table(*rows, quantities=(RATE,)), name)
    values = {
        name: np.array([14.0, 40.0]),
        f"{name}_fat_free_mass": 50.0,
        f"{name}_person_sd": 0.4,
        f"{name}_person_sd_spread": 0.2,
        f"{name}_person_sd_offset": np.array([0.5, -0.5]),
    }
    mu = np.array([14.0, 40.0 / 50.0])
    sigma = 0.4 * np.exp(0.2 * np.array([0.5, -0.5])) * mu
    total = stats.norm.logpdf([12.0, 0.9], mu, sigma / 3).sum()
    total += chi_squared_of_sd(np.array([4.0, 0.3]), 9, sigma).sum()
    total += stats.norm.logpdf([0.5, -0.5]).sum()
    priors = (PRIORS[name], LogNormal(57.0, 0.2), PERSON, PERSON_SPREAD)
    for prior, value in zip(priors, list(values.values())[:4], strict=True):
        total += prior.distribution().logpdf(value).sum()
    assert log_density(model, values) == pytest.approx(total, rel=1e-10)


def free(*rows, **options):
    return {
        v.name for v in hf.build_figures_model(table(*rows), "dnl_fraction", **options).free_RVs
    }


def test_what_the_figures_cannot_speak_about_is_no_parameter():
    one_study = free(*FOUR[:2])
    assert not {f"dnl_fraction_{what}_spread" for what in ("study", "method", "arm")} & one_study
    one_method = free(*(replace(row, method="") for row in FOUR))
    assert "dnl_fraction_study_spread" in one_method
    assert "dnl_fraction_method_spread" not in one_method


def test_no_printed_sd_leaves_no_node_for_it():
    bare = [replace(row, n=10, spread=None, spread_kind="none") for row in FOUR]
    model = hf.build_figures_model(table(*bare), "dnl_fraction")
    assert [v.name for v in model.observed_RVs] == ["dnl_fraction_mean"]


def test_groups_are_those_that_every_quantity_has():
    figures = hf.read_figures()
    alone = hf.build_figures_model(figures, "vldl_tg_secretion")
    assert set(alone.coords["group"]) == {"healthy", "obese", "NAFLD", "T2D"}
    both = hf.build_figures_model(figures, ("vldl_tg_secretion", "dnl_fraction"))
    assert set(both.coords["group"]) == {"healthy", "obese", "NAFLD"}
    chosen = hf.build_figures_model(figures, "dnl_fraction", groups=("NAFLD", "healthy"))
    assert chosen.coords["group"] == ("NAFLD", "healthy")
    assert len(chosen.coords["dnl_fraction_arm"]) == 8


def test_a_group_without_figures_is_refused():
    with pytest.raises(
        StudyError, match=r"group 'T2D': no figure of dnl_fraction; there are .*obese"
    ):
        hf.build_figures_model(hf.read_figures(), "dnl_fraction", groups=("healthy", "T2D"))
    rows = (FOUR[0], replace(FOUR[1], quantity=RATE.name, mean=12.0, spread=4.0))
    with pytest.raises(StudyError, match="no group has figures of all of them"):
        hf.build_figures_model(table(*rows, quantities=(DNL, RATE)), (DNL.name, RATE.name))


def test_priors_can_be_changed_but_not_made_up():
    figures = hf.read_figures()
    model = hf.build_figures_model(figures, "dnl_fraction", priors={"dnl_fraction": Beta(2.0, 9.0)})
    changed = {p.name: p for p in model.recipe.parameters}["dnl_fraction"]
    assert (changed.prior, changed.source) == (Beta(2.0, 9.0), "given by the user")
    with pytest.raises(ValueError, match=r"prior of SI: the parameters are dnl_fraction, "):
        hf.build_figures_model(figures, "dnl_fraction", priors={"SI": Beta(1.0, 1.0)})
    with pytest.raises(ValueError, match=r"prior of dnl_fraction: .* fraction between 0 and 1"):
        hf.build_figures_model(figures, "dnl_fraction", priors={"dnl_fraction": LogNormal(0.1, 1)})


def test_a_quantity_of_ones_own_needs_a_prior():
    rows = [replace(row, quantity="SI", mean=1.0 + i, n=9) for i, row in enumerate(FOUR)]
    figures = table(*rows, quantities=(OWN,))
    with pytest.raises(ValueError, match="SI has no prior of its own; give one in priors"):
        hf.build_figures_model(figures, "SI")
    model = hf.build_figures_model(figures, "SI", priors={"SI": LogNormal(1.0, 1.0)})
    assert np.isfinite(sum(model.point_logps().values()))


def test_the_prior_predicts_what_people_can_have():
    """Half of the prior means of every quantity lie where means of groups occur."""
    figures = hf.read_figures()
    for quantity in figures.quantities:
        prior = PRIORS[quantity.name].distribution()
        lower, upper = quantity.lower, quantity.upper
        assert prior.cdf(upper) - prior.cdf(lower) > 0.9


def test_every_parameter_has_unit_meaning_and_source():
    figures = hf.read_figures()
    for quantity in figures.quantities:
        for parameter in hf.build_figures_model(figures, quantity.name).recipe.parameters:
            assert parameter.unit
            assert parameter.meaning
            assert parameter.source
