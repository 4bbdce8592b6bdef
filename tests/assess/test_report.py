"""The report holds everything, loads nothing, and shows text from tables as text."""

import base64
import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr
from fake_posterior import TIMES, TRUTH, fake, replaced
from scipy import stats

from hepaflux.assess import compare_groups, curves, figures, render_report, summarize
from hepaflux.assess.report import gather, render

EVIL = "<script>$x_{1</script>"


class Page(HTMLParser):
    """The tags, addresses and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.images, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def evil():
    """Two subjects and two groups whose names are markup, with insulin and omitted samples."""
    subjects, groups = [EVIL, "b & c"], [EVIL, "$\\frac{"]
    tree = fake(subjects=subjects, groups=groups, effect=0.5)
    tree.attrs = {**tree.attrs, "study_title": EVIL, "citation": EVIL}
    n = TIMES.size
    tree["measured"] = xr.DataTree(
        xr.Dataset(
            {
                "insulin": ("insulin_sample", np.tile(50 + 200 * np.exp(-TIMES / 20), 2)),
                "insulin_time": ("insulin_sample", np.tile(TIMES, 2)),
                "insulin_subject": ("insulin_sample", np.repeat([0, 1], n)),
                "insulin_used": ("insulin_sample", np.zeros(2 * n, dtype=bool)),
                "glucose": ("glucose_sample", [14.0, 13.0, 15.0]),
                "glucose_time": ("glucose_sample", [3.0, 8.0, 4.0]),
                "glucose_subject": ("glucose_sample", [0, 0, 1]),
                "glucose_used": ("glucose_sample", [False, True, False]),
            }
        )
    )
    censoring = np.zeros(2 * n, dtype=int)
    censoring[[3, 5]] = (-1, 1)
    return replaced(tree, "constant_data", glucose_censoring=censoring)


@pytest.fixture(scope="module")
def page(evil):
    return Page(render_report(evil))


def test_markup_in_names_is_shown_and_not_run(page):
    assert "script" not in page.tags
    assert EVIL in page.text


def test_figures_show_mathematics_as_text(evil):
    figure = curves.plot_fit(evil, EVIL)
    title = figure.axes[0].get_title(loc="left")
    assert title == f"{EVIL}, {EVIL}"
    assert not figure.axes[0]._left_title.get_parse_math()


def test_the_page_loads_nothing(page):
    assert page.images
    assert all(address.startswith("data:image/svg+xml;base64,") for address in page.addresses)
    assert not {"script", "link", "iframe"} & set(page.tags)


def test_images_are_drawings_with_words(page):
    for image in page.images:
        drawing = base64.b64decode(image["src"].split(",")[1])
        assert drawing.startswith(b"<?xml")
        assert image["alt"]


def test_the_page_answers_with_units_and_can_be_repeated(good):
    text = Page(render_report(good)).text
    assert "These numbers may be used: every check passed." in text
    assert re.search(r"SI \(insulin sensitivity\): 6e-05 L/pmol/min \(90 % interval 5\.\d", text)
    for words in ("median=6e-05, cv=0.9", "Denti 2010", "0" * 64, "data/demo/study.toml"):
        assert words in text
    assert "One microunit of insulin is 6.00 pmol." in text


def test_the_command_is_shown(small):
    tree = small.copy()
    tree.attrs = {**small.attrs, "command": "hepaflux fit data/demo --seed 1"}
    assert "hepaflux fit data/demo --seed 1" in Page(render_report(tree)).text


def test_no_number_for_what_is_not_determined(good):
    rng = np.random.default_rng(3)
    draws = TRUTH["p2"] * np.exp(0.55 * rng.normal(size=(4, 250)))
    text = Page(render_report(replaced(good, "posterior", p2=draws))).text
    assert "p2 (rate of the remote insulin compartment) is not determined alone" in text
    assert "p2 (rate of the remote insulin compartment): " not in text
    assert "not determined alone" in text


def test_groups_are_compared_unless_a_comparison_is_given(grouped):
    automatic = " ".join(contrast.sentence for contrast in gather(grouped).contrasts)
    assert "SI was 60 % lower in NAFLD than in healthy" in automatic
    assert "DI was 60 % lower in NAFLD than in healthy" in automatic
    given = compare_groups(grouped, "SG")
    assert gather(grouped, [given]).contrasts == (given,)


def test_the_same_posterior_gives_the_same_page(small):
    assert render_report(small) == render_report(small)


def test_a_bare_posterior_still_has_a_page(good):
    bare = xr.DataTree.from_dict({"posterior": good["posterior"].to_dataset()})
    assert "Parameter inference" in Page(render_report(bare)).text


def test_a_single_point_has_a_page():
    text = Page(render_report(fake(chains=1, draws=1, attrs={"method": "map"}))).text
    assert "A single best point has no uncertainty" in text
    assert not re.search(r"\bnan\b", text)
    assert "(90 % interval" not in text


def test_many_subjects_are_represented():
    each = fake(subjects=[f"S{i:02d}" for i in range(25)], each=True, draws=10)
    shown = curves.chosen_subjects(each, most=5)
    assert len(shown) == 5
    assert list(shown) == sorted(shown)
    figure = curves.plot_fits(each, shown)
    assert figure.get_suptitle() == "5 of 25 subjects"
    assert "Shown are 24 of 25 subjects" in Page(render_report(each)).text.replace("\n", " ")


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 3), (6, 3), (7, 4), (8, 4), (9, 3)]
)
def test_the_lowest_panel_of_each_column_has_its_times(count: int, columns: int):
    subjects = [f"S{i}" for i in range(count)]
    figure = curves.plot_fits(fake(subjects=subjects, each=True, draws=10), subjects)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert len(shown) == count
    labeled = [ax.xaxis.get_tick_params()["labelbottom"] for ax in shown]
    assert labeled == [False] * (count - columns) + [True] * columns


def test_the_prior_is_drawn_once_for_subjects_that_share_its_draws():
    def drawn_prior(tree):
        return figures.plot_prior_posterior(tree, "SI").axes[0].collections[0].get_paths()[0]

    one = fake(each=True, draws=10)
    many = fake(subjects=["a", "b", "c"], each=True, draws=10)
    shared = replaced(many, "prior", SI=np.repeat(one["prior"]["SI"].values, 3, axis=-1))
    np.testing.assert_array_equal(drawn_prior(shared).vertices, drawn_prior(one).vertices)


@pytest.mark.parametrize("exact", [stats.lognorm(0.8, scale=1e-4), stats.norm(-1, 2)])
def test_a_density_is_that_of_its_draws(exact):
    grid, density = figures._density(exact.rvs(size=20_000, random_state=1))
    peak = exact.pdf(grid).max()
    np.testing.assert_allclose(density / peak, exact.pdf(grid) / peak, atol=0.06)


def test_no_figure_stays_open(good, grouped):
    table = summarize(grouped)
    figures.plot_prior_posterior(good, "SI")
    figures.plot_forest(grouped, "SI", table)
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []


def test_the_omitted_and_censored_samples_are_drawn(evil):
    axes = curves.plot_fit(evil, EVIL).axes
    markers = {line.get_marker() for line in axes[0].lines if line.get_xdata().size}
    assert {"o", "v", "^"} <= markers
    (omitted,) = [line for line in axes[0].lines if line.get_markerfacecolor() == "white"]
    assert list(omitted.get_xdata()) == [3.0]
    assert axes[1].get_ylabel() == "insulin\n(pmol/L)"
    assert axes[-1].get_xlabel() == "time (min)"


def test_all_ratios_stand_in_one_figure(grouped):
    """SI and what is 300 times it are 0.4 times as high in the second group."""
    contrasts = [compare_groups(grouped, name) for name in ("SI", "SG", "DI")]
    axes = figures.plot_contrasts(contrasts).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["SI", "SG", "DI"]
    points = [line for line in axes.lines if line.get_marker() == "o" and line.get_xdata().size]
    medians = [float(line.get_xdata()[0]) for line in points]
    assert medians == pytest.approx([0.4, 1.0, 0.4], rel=0.03)
    assert axes.get_xscale() == "log"


def test_parameters_that_are_correlated_are_compared_with_each_other(grouped):
    tree = grouped.copy()
    design = {"levels": {"SI": "subject"}, "correlated": [["SI", "SG"], ["SI", "p2"]]}
    tree.attrs = {**grouped.attrs, "design": json.dumps(design)}
    evidence = gather(tree)
    assert [found.parameter for found in evidence.differences] == ["SI and SG", "SI and p2"]
    page = Page(render(tree, evidence))
    assert evidence.differences[0].sentence in page.text
    assert gather(grouped).differences == ()
