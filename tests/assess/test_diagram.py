"""Diagrams: they show what a system declares, in the widths that its fluxes have."""

import numpy as np
import pytest
import xarray as xr

from hepaflux.assess.diagram import THINNEST, USUAL, WIDEST, Edge, _edges, layers, plot_diagram


def flux(value, unit="mmol/day", source="a", target="b", lowers=False, counts=1.0):
    attrs = {"unit": unit, "source": source, "target": target, "lowers": lowers, "counts": counts}
    return xr.DataArray(value, attrs={**attrs, "meaning": "what it is"})


def edge(source, target):
    return Edge(source, target, lowers=False, width=1.0, label="", signal=False)


def widths(first, second):
    names, moments = list(first.data_vars), {"first": first, "second": second}
    return [[e.width for e in _edges(names, moments, title)] for title in moments]


def test_flows_have_one_scale_in_all_panels():
    first = xr.Dataset({"x": flux(10.0), "y": flux(4.0, counts=3.0)})
    second = xr.Dataset({"x": flux(40.0), "y": flux(2.0, counts=3.0)})
    (x, y), (more, less) = widths(first, second)
    assert more == WIDEST
    np.testing.assert_allclose([x, y, less], [WIDEST / 4, WIDEST * 12 / 40, WIDEST * 6 / 40])


def test_a_signal_is_compared_with_the_first_panel():
    first = xr.Dataset({"x": flux(0.2, "1"), "y": flux(5.0, "1")})
    second = xr.Dataset({"x": flux(0.3, "1"), "y": flux(0.0, "1")})
    (x, y), (more, none) = widths(first, second)
    assert (x, y, none) == (USUAL, USUAL, THINNEST)
    assert more == pytest.approx(1.5 * USUAL)


def test_numbers_say_values_or_ratios():
    first = xr.Dataset({"x": flux(0.2, "1"), "y": flux(12.0)})
    second = xr.Dataset({"x": flux(0.3, "1"), "y": flux(24.0)})
    moments = {"first": first, "second": second}
    assert [e.label for e in _edges(["x", "y"], moments, "first")] == ["0.2", "12"]
    assert [e.label for e in _edges(["x", "y"], moments, "second")] == ["×1.5", "24"]


def test_each_place_stands_below_what_leads_to_it():
    edges = [edge("a", "b"), edge("a", "c"), edge("c", "d"), edge("d", "b"), edge("e", "d")]
    assert layers(edges) == [["a", "e"], ["b", "c", "d"]]
    assert layers([edge("a", "b"), edge("b", "c"), edge("c", "b")]) == [["a"], ["b"], ["c"]]


def test_circles_that_nothing_enters_are_drawn_too():
    assert layers([edge("a", "b"), edge("b", "a")]) == [["a"], ["b"]]
    apart = [edge("x", "y"), edge("a", "b"), edge("b", "a")]
    assert sorted(place for row in layers(apart) for place in row) == ["a", "b", "x", "y"]


def test_every_place_and_every_number_is_in_the_picture():
    moment = xr.Dataset(
        {
            "x": flux(172.0, target="fatty acids of the liver"),
            "y": flux(0.5, "1", source="fatty acids of the liver", target="b", lowers=True),
            "z": xr.DataArray(1.0, attrs={"unit": "1"}),
        }
    )
    figure = plot_diagram({"normal": moment, "nafld": moment})
    words = {text.get_text() for ax in figure.axes for text in ax.texts}
    assert words == {"a", "b", "fatty acids\nof the liver", "172", "0.5", "×1"}
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["normal", "nafld"]
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["flows (mmol/day)", "holds down, × that of normal"]


def test_a_system_without_arrows_is_refused():
    with pytest.raises(ValueError, match="declare an Arrow"):
        plot_diagram({"normal": xr.Dataset({"z": xr.DataArray(1.0, attrs={"unit": "1"})})})
