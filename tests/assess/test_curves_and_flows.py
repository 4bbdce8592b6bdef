"""Figures of the fit over the data and of the flows behind it."""

import numpy as np
import pytest
import xarray as xr
from fake_posterior import TIMES, fake, replaced

from hepaflux.assess import curves, flows
from hepaflux.assess.report import render_report


@pytest.fixture
def pair():
    return fake(subjects=["a", "b"], draws=20)


def lasting(tree, factor):
    """The same samples and curves, at times that lie further apart."""
    time = tree["constant_data"]["glucose_time"].values * factor
    minutes = tree["curves"]["minutes"].values * factor
    slow = replaced(tree, "constant_data", glucose_time=time)
    whole = slow["curves"].to_dataset()
    slow["curves"] = xr.DataTree(whole.assign_coords(minutes=(whole["minutes"].dims, minutes)))
    return slow


def with_flows(tree, subjects):
    """Draws of one flow in some subjects, of another in nobody."""
    draws = np.random.default_rng(1).normal(3, 0.1, size=(4, 20, len(subjects), 5))
    dims = ("chain", "draw", "subject", "flux_time")
    minutes = np.tile(np.linspace(0, 180, 5), (len(subjects), 1))
    tree["fluxes"] = xr.DataTree(
        xr.Dataset(
            {"EGP": (dims, draws), "Ra": (dims, np.full_like(draws, np.nan))},
            {"subject": list(subjects), "minutes": (("subject", "flux_time"), minutes)},
        )
    )
    return tree


class TestFit:
    @pytest.mark.parametrize(
        ("factor", "unit", "last"),
        [(1, "min", 180), (4, "h", 12), (60, "h", 180), (1440, "day", 180)],
    )
    def test_time_is_in_units_that_people_read(self, pair, factor, unit, last):
        slow = lasting(pair, factor)
        one, many = curves.plot_fit(slow, "b"), curves.plot_fits(slow)
        assert one.axes[-1].get_xlabel() == many.get_supxlabel() == f"time ({unit})"
        for ax in (one.axes[0], *many.axes):
            for line in (line for line in ax.lines if line.get_xdata().size):
                assert line.get_xdata()[-1] == pytest.approx(last)
            for band in ax.collections:
                assert band.get_paths()[0].vertices[:, 0].max() == pytest.approx(last)

    def test_the_line_is_that_of_the_person(self, pair):
        center = pair["curves"]["glucose"].values
        center[1] = np.linspace(9, 4, TIMES.size)
        lines = curves.plot_fit(replaced(pair, "curves", glucose=center), "b").axes[0].lines
        np.testing.assert_allclose(lines[0].get_ydata(), np.linspace(9, 4, TIMES.size))

    def test_the_axis_of_a_concentration_begins_at_zero_and_that_of_a_share_does_not(self, pair):
        assert curves.plot_fit(pair, "a").axes[0].get_ylim()[0] == 0
        parts = pair.copy(deep=True)
        for group in ("observed_data", "constant_data"):
            dataset = parts[group].to_dataset()
            more = {n.replace("glucose", "lactate"): v for n, v in dataset.items() if "glu" in n}
            parts[group] = xr.DataTree(dataset.assign(more))
        assert curves.plot_fit(parts, "a").axes[0].get_ylim()[0] > 0

    def test_without_curves_there_are_still_the_samples(self, pair):
        bare = pair.copy()
        del bare["curves"]
        ax = curves.plot_fit(bare, "a").axes[0]
        assert sum(line.get_xdata().size for line in ax.lines) == TIMES.size


class TestFlows:
    def test_only_what_is_known_of_a_person_is_drawn(self, pair):
        tree = with_flows(pair, ["b"])
        assert flows.flow_names(tree, "a") == ()
        assert flows.flow_names(tree, "b") == ("EGP",)
        (ax,) = flows.plot_fluxes(tree, "b").axes
        assert ax.get_ylabel().startswith("EGP")
        assert list(ax.lines[0].get_xdata()) == [0, 45, 90, 135, 180]

    def test_a_run_that_does_not_say_when_has_a_page_without_them(self, pair):
        tree = with_flows(pair, ["a", "b"])
        tree["fluxes"] = xr.DataTree(tree["fluxes"].to_dataset().reset_coords("minutes"))
        assert flows.flow_names(tree, "a") == ()
        assert "disposal in subject" not in render_report(tree)

    def test_a_page_has_them_for_those_who_have_them(self, pair):
        page = render_report(with_flows(pair, ["b"]))
        assert "disposal in subject b" in page
        assert "disposal in subject a" not in page
