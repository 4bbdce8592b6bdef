"""Isotope patterns against published figures, a second method, and laws of probability."""

import math

import IsoSpecPy
import molmass
import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

from hepaflux import isotopes
from hepaflux.isotopes import Label

METHYL_PALMITATE = "C17H34O2"
IONS = (0, 1, 2)
ISOTOPES = isotopes.ABUNDANCES
ACETATE = Label("C", 1)
LABELS = (ACETATE, Label("C", 1, 0.99), Label("C", 2), Label("C", 2, 0.99))
GRID = (0.0, 0.001, 0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.5, 0.9)


def newly_made(p, *, formula=METHYL_PALMITATE, units=8, label=ACETATE, highest=2):
    patterns = isotopes.labeled_patterns(formula, label, units, highest)
    return isotopes.mix(isotopes.binomial(units, p, units), patterns)


def labeled(label, highest):
    return isotopes.labeled_patterns(METHYL_PALMITATE, label, 8, highest)


def excess(pattern, formula=METHYL_PALMITATE, ions=IONS):
    natural = isotopes.natural_pattern(formula, len(pattern) - 1)
    before, after = (np.array(isotopes.normalize(x, ions)) for x in (natural, pattern))
    return after - before


def by_isospec(counts, probabilities, highest):
    """Return the pattern of a molecule whose atoms have the given isotopes, by IsoSpec."""
    # IsoSpec takes no impossible isotopes.
    kept = [[(m, q) for m, q in enumerate(column) if q > 0] for column in probabilities]
    spectrum = IsoSpecPy.IsoTotalProb(
        prob_to_cover=1.0,
        atomCounts=list(counts),
        isotopeMasses=[[float(m) for m, _ in column] for column in kept],
        isotopeProbabilities=[[q for _, q in column] for column in kept],
    )
    pattern = np.zeros(highest + 1)
    for mass, probability in spectrum:
        if mass < highest + 0.5:
            pattern[round(mass)] += probability
    return pattern


class TestFormulas:
    def test_fatty_acids(self):
        assert isotopes.fatty_acid(16) == "C16H32O2"
        assert isotopes.fatty_acid(18, 1) == "C18H34O2"
        assert isotopes.methyl_ester(16) == METHYL_PALMITATE
        mass = molmass.Formula(isotopes.methyl_ester(16)).nominal_mass
        assert mass == 270

    def test_acetyl_units(self):
        assert isotopes.acetyl_units(16) == 8
        with pytest.raises(ValueError, match="carbons must be even and at least 4, but is 17"):
            isotopes.acetyl_units(17)

    def test_atoms_of_an_ion(self):
        assert isotopes.atoms("[C17H35O2]+") == {"C": 17, "H": 35, "O": 2}
        assert isotopes.atoms("C16H31O2Si(CH3)3") == {"C": 19, "H": 40, "O": 2, "Si": 1}

    @pytest.mark.parametrize(
        ("formula", "message"),
        [
            ("palmitate", "'palmitate' is not a chemical formula"),
            ("", "'' holds nothing; known are H, C, N"),
            ("C2H3AuO2", "'C2H3AuO2' holds Au; known are H, C, N"),
            ("D2O", "'D2O' holds 2H; known are"),
        ],
    )
    def test_other_formulas_are_refused(self, formula, message):
        with pytest.raises(ValueError, match=message):
            isotopes.atoms(formula)

    @pytest.mark.parametrize(
        ("label", "message"),
        [
            (("O", 1), "'O' cannot be the label; use C, H or N"),
            (("C", 0), "atoms must be at least 1, but is 0"),
            (("C", 1, 1.1), "purity must be above 0.010816 and at most 1, but is 1.1"),
        ],
    )
    def test_other_labels_are_refused(self, label, message):
        with pytest.raises(ValueError, match=message):
            Label(*label)

    def test_more_label_than_atoms_is_refused(self):
        with pytest.raises(ValueError, match="C4H8O2 has fewer than the 8 C of its units"):
            isotopes.labeled_patterns("C4H8O2", ACETATE, 8, 2)


class TestAbundances:
    def test_each_element_is_whole(self):
        assert all(math.isclose(sum(parts), 1, abs_tol=1e-12) for parts in ISOTOPES.values())

    @pytest.mark.parametrize("symbol", sorted(set(isotopes.ABUNDANCES) - {"C"}))
    def test_they_are_those_of_a_second_table(self, symbol):
        element = molmass.ELEMENTS[symbol].isotopes.values()
        lightest = min(isotope.massnumber for isotope in element)
        expected = {isotope.massnumber - lightest: isotope.abundance for isotope in element}
        assert dict(enumerate(ISOTOPES[symbol])) | expected == dict(enumerate(ISOTOPES[symbol]))

    def test_carbon_is_that_of_lipids_on_the_scale_of_the_standard(self):
        ratio = 0.0112372 * (1 - 0.027)
        assert pytest.approx(ratio / (1 + ratio), abs=1e-6) == isotopes.CARBON_13


class TestAcetate:
    """Newly made palmitate from [1-13C]acetate, seen as its methyl ester."""

    def test_natural_methyl_palmitate(self):
        natural = isotopes.normalize(isotopes.natural_pattern(METHYL_PALMITATE, 2))
        np.testing.assert_array_equal(np.round(natural, 4), [0.8252, 0.1572, 0.0175])

    @pytest.mark.parametrize(
        ("p", "first", "second", "ratio"),
        [
            (0.02, 0.0935, 0.0267, 0.286),
            (0.05, 0.1864, 0.0812, 0.435),
            (0.08, 0.2386, 0.1437, 0.602),
            (0.10, 0.2577, 0.1866, 0.724),
            (0.15, 0.2700, 0.2911, 1.078),
            (0.20, 0.2536, 0.3860, 1.522),
        ],
    )
    def test_asymptotes(self, p, first, second, ratio):
        _, one, two = excess(newly_made(p))
        assert (round(one, 4), round(two, 4), round(two / one, 3)) == (first, second, ratio)

    def test_only_the_ratio_of_the_excesses_tells_the_precursor(self):
        """The excess of M1 peaks near 0.14, so one value of it belongs to two precursors."""
        p = np.linspace(0.01, 0.4, 391)
        _, one, two = np.array([excess(newly_made(x)) for x in p]).T
        assert (np.diff(two / one) > 0).all()
        assert 0.13 < p[np.argmax(one)] < 0.15

    def test_the_label_is_the_binomial_of_the_labeled_carbons(self):
        """Eight carbons, each heavy with probability a + (1 - a) p; nine natural ones."""
        a, p = isotopes.CARBON_13, 0.07
        rest = isotopes.natural_pattern("C9H34O2", 5)
        expected = isotopes.convolve(rest, isotopes.binomial(8, a + (1 - a) * p, 5))
        np.testing.assert_allclose(newly_made(p, highest=5), expected, rtol=1e-12)

    def test_an_impure_tracer_is_a_lower_enrichment(self):
        a, purity, p = isotopes.CARBON_13, 0.95, 0.08
        impure = newly_made(p, label=Label("C", 1, purity))
        np.testing.assert_allclose(impure, newly_made(p * (purity - a) / (1 - a)), rtol=1e-12)

    def test_nothing_labeled_is_natural(self):
        natural = isotopes.natural_pattern(METHYL_PALMITATE, 9)
        np.testing.assert_allclose(newly_made(0.0, highest=9), natural, rtol=1e-12)

    def test_the_derivative_counts(self):
        """The ester's own carbon and hydrogens are seen in the first heavier ion."""
        ester, acid = (
            isotopes.normalize(isotopes.natural_pattern(f, 2))[1]
            for f in (METHYL_PALMITATE, isotopes.fatty_acid(16))
        )
        assert 0.006 < ester - acid < 0.009


@pytest.mark.parametrize("p", GRID)
@pytest.mark.parametrize(
    "label", [ACETATE, Label("C", 1, 0.99), Label("C", 2), Label("C", 2, 0.99)]
)
def test_shares_are_those_of_a_second_method(p, label):
    """IsoSpec on the same molecule, one pseudo-element for the carbons of an acetyl unit."""
    a, units = isotopes.CARBON_13, 8
    labeled = stats.binom(label.atoms, label.purity).pmf(range(label.atoms + 1))
    natural = stats.binom(label.atoms, a).pmf(range(label.atoms + 1))
    columns = (p * labeled + (1 - p) * natural, *(ISOTOPES[s] for s in "CHO"))
    counts = (units, 17 - units * label.atoms, 34, 2)
    expected = by_isospec(counts, columns, 16)
    np.testing.assert_allclose(newly_made(p, label=label, highest=16), expected, atol=1e-9)
    for ions in (IONS, (0, 2, 4, 16), (2, 1)):
        ours = isotopes.normalize(newly_made(p, label=label, highest=16), ions)
        np.testing.assert_allclose(ours, isotopes.normalize(expected, ions), atol=1e-6)


@pytest.mark.parametrize("formula", ["C19H40O2Si", "C23H33F5O2", "C5H9NO4S", "C40H80NO8P"])
def test_natural_patterns_are_those_of_a_second_method(formula):
    counted = isotopes.atoms(formula)
    expected = by_isospec(counted.values(), [ISOTOPES[s] for s in counted], 12)
    np.testing.assert_allclose(isotopes.natural_pattern(formula, 12), expected, atol=1e-9)


class TestLaws:
    @pytest.mark.parametrize("p", GRID)
    def test_whole_patterns_sum_to_one(self, p):
        heaviest = 17 + 34 + 2 * 2
        assert sum(newly_made(p, highest=heaviest)) == pytest.approx(1, abs=1e-12)
        assert sum(isotopes.binomial(8, p, 11)) == pytest.approx(1, abs=1e-12)

    def test_cutting_off_changes_no_other_share(self):
        whole = newly_made(0.1, highest=30)
        assert newly_made(0.1, highest=3) == pytest.approx(whole[:4], rel=1e-12)
        assert isotopes.deuterated_pattern(METHYL_PALMITATE, 22.5, 0.01, 2) == pytest.approx(
            isotopes.deuterated_pattern(METHYL_PALMITATE, 22.5, 0.01, 9)[:3], rel=1e-12
        )

    def test_the_mean_mass_is_that_of_the_atoms(self):
        whole = isotopes.natural_pattern(METHYL_PALMITATE, 55)
        mean = 17 * isotopes.CARBON_13 + 34 * 0.000115 + 2 * (0.00038 + 2 * 0.00205)
        assert whole @ np.arange(56) == pytest.approx(mean, rel=1e-10)

    @pytest.mark.parametrize("q", [0.0, 0.3, 1.0])
    @pytest.mark.parametrize("n", [3, 8])
    def test_binomial(self, n, q):
        expected = stats.binom(n, q).pmf(range(6))
        np.testing.assert_allclose(isotopes.binomial(n, q, 5), expected, atol=1e-15)

    def test_a_continuous_size_joins_the_integers(self):
        """At an integer it is the binomial; between them it is smooth and monotone."""
        at = isotopes.binomial(22.0, 0.01, 3)
        np.testing.assert_allclose(at, isotopes.binomial(22, 0.01, 3), rtol=1e-13)
        between = np.array([isotopes.binomial(n, 0.01, 3) for n in np.linspace(21, 23, 9)])
        assert (np.diff(between[:, 1]) > 0).all()
        assert (np.diff(between[:, 0]) < 0).all()

    @pytest.mark.parametrize("label", LABELS)
    @pytest.mark.parametrize("p", GRID)
    def test_nested_multiplication_is_the_mixture(self, p, label):
        coefficients = isotopes.in_powers(labeled(label, 16))
        nested = isotopes.made_from([p] * 8, coefficients)
        np.testing.assert_allclose(nested, newly_made(p, label=label, highest=16), atol=1e-12)

    @pytest.mark.parametrize(("p", "sd"), [(0.05, 0.02), (0.3, 0.2)])
    def test_an_uneven_precursor_is_a_beta_mixture(self, p, sd):
        correlation = sd**2 / (p * (1 - p))
        total = 1 / correlation - 1
        shares = stats.betabinom(8, p * total, (1 - p) * total).pmf(range(9))
        expected = isotopes.mix(shares, labeled(ACETATE, 4))
        coefficients = isotopes.in_powers(labeled(ACETATE, 4))
        made = isotopes.made_from(isotopes.moment_ratios(p, correlation, 8), coefficients)
        np.testing.assert_allclose(made, expected, rtol=1e-10)

    def test_an_even_precursor_is_the_limit(self):
        assert isotopes.moment_ratios(0.07, 0.0, 8) == [0.07] * 8

    def test_mixing(self):
        patterns = np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
        assert isotopes.mix((0.25, 0.75), patterns) == pytest.approx((0.4, 0.225, 0.375))


class TestHeavyWater:
    @pytest.mark.parametrize(
        ("water", "asymptote"), [(0.003, 0.0414), (0.005, 0.0659), (0.01, 0.1180), (0.02, 0.1899)]
    )
    def test_asymptote_of_the_first_heavier_ion(self, water, asymptote):
        pattern = isotopes.deuterated_pattern(METHYL_PALMITATE, 22.0, water, 2)
        assert round(excess(pattern)[1], 4) == asymptote

    @pytest.mark.parametrize(
        ("water", "percent"), [(0.003, 60), (0.005, 67), (0.01, 86.5), (0.02, 132)]
    )
    def test_the_product_of_hydrogens_and_enrichment_is_too_high(self, water, percent):
        pattern = isotopes.deuterated_pattern(METHYL_PALMITATE, 22.0, water, 2)
        assert 100 * (22 * water / excess(pattern)[1] - 1) == pytest.approx(percent, abs=0.6)

    def test_that_product_is_the_total_deuterium(self):
        """The mean mass rises by it, natural abundance aside: right for total deuterium."""
        water, highest = 0.01, 21
        made = isotopes.deuterated_pattern(METHYL_PALMITATE, 22, water, highest)
        natural = isotopes.natural_pattern(METHYL_PALMITATE, highest)
        rise = (np.array(made) - natural) @ np.arange(highest + 1)
        assert rise == pytest.approx(22 * water * (1 - 0.000115), rel=1e-9)

    def test_no_enrichment_is_natural(self):
        made = isotopes.deuterated_pattern(METHYL_PALMITATE, 21.3, 0.0, 4)
        natural = isotopes.natural_pattern(METHYL_PALMITATE, 4)
        np.testing.assert_allclose(made, natural, rtol=1e-12)

    @pytest.mark.parametrize("water", [0.003, 0.02])
    def test_shares_are_those_of_a_second_method(self, water):
        q = 0.000115 + (1 - 0.000115) * water
        columns = ((1 - q, q), *(ISOTOPES[s] for s in "HCO"))
        expected = by_isospec((22, 12, 17, 2), columns, 4)
        made = isotopes.deuterated_pattern(METHYL_PALMITATE, 22.0, water, 4)
        np.testing.assert_allclose(made, expected, atol=1e-9)


def even(x, y):
    return isotopes.made_from([0.1 * x] * 8, isotopes.in_powers(labeled(ACETATE, 2)))


def uneven(x, y):
    patterns = isotopes.labeled_patterns(METHYL_PALMITATE, ACETATE, 4, 2)
    factors = isotopes.moment_ratios(0.1 * x, 0.02 * y, 4)
    return isotopes.made_from(factors, isotopes.in_powers(patterns))


def heavy(x, y):
    return isotopes.deuterated_pattern(METHYL_PALMITATE, 22 * x, 0.01 * y, 2)


@pytest.mark.parametrize("pattern", [even, uneven, heavy])
class TestDifferentiation:
    at = np.array([0.9, 1.1])

    def test_gradients_of_the_graph_are_central_differences(self, pattern):
        point = pt.dvector()
        shares = isotopes.normalize(pattern(point[0], point[1]))
        gradients = [pytensor.grad(share, point) for share in shares[1:3]]
        slopes = pytensor.function([point], gradients)
        step = 1e-5 * np.eye(2)
        for i, slope in enumerate(slopes(self.at), start=1):
            ends = [[isotopes.normalize(pattern(*(self.at + d)))[i] for d in (h, -h)] for h in step]
            differences = np.array([(up - down) / 2e-5 for up, down in ends])
            np.testing.assert_allclose(slope, differences, rtol=1e-6, atol=1e-12)

    def test_arrays_give_what_numbers_give(self, pattern):
        x, y = np.array([0.5, 0.9]), np.array([0.7, 1.1])
        together = np.array(pattern(x, y))
        for i in range(2):
            np.testing.assert_allclose(together[:, i], pattern(x[i], y[i]), rtol=1e-13)
