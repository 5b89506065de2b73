"""Bounds of published curves over mass cells: beam dumps and ranges of curves."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest

from zpfit.physics.couplings import Couplings
from zpfit.physics.curve_bounds import curve_range, dump_bounds, lifetime_at_edge
from zpfit.physics.dark_photon_limits import dump_ratio, edge_lifetime
from zpfit.physics.spline import locate, polynomial

RATIOS = (0.1, 1.0, 4.0, 40.0)
LOWER, UPPER = 1e-6, 1e-4


def flat_region(lower=LOWER, upper=UPPER):
    """The same edges from 5 to 50 MeV."""
    return np.log([[5.0, lower, upper], [50.0, lower, upper]])


def thin_cell(mass):
    return np.array([mass, mass * (1 + 1e-9)])


def seen(k, b, coupling, width, ratio):
    time = b * width
    return k * coupling**2 * np.exp(-time) * (1 - np.exp(-ratio * time))


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("coupling", [LOWER, UPPER])
def test_a_dark_photon_on_either_edge_meets_the_limit(coupling, ratio):
    """It decays to electrons alone, and has as many decays behind the dump as are allowed."""
    mass = 20.0
    k, b = dump_bounds(flat_region(), ratio, thin_cell(mass))
    x = (0.51099895 / mass) ** 2
    width = coupling**2 * np.sqrt(1 - 4 * x) * (1 + 2 * x)
    numbers = [seen(k.lower[0], end[0], coupling, width, ratio) for end in (b.lower, b.upper)]
    assert min(numbers) <= 1
    np.testing.assert_allclose(numbers, 1, rtol=1e-4)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("log_q", [1e-2, 0.1, 3.0, 29.0])
def test_lifetimes_at_the_edge_are_roots(log_q, ratio):
    def difference(log_s):
        s, q = mpmath.exp(log_s), mpmath.exp(log_q)
        h = [t * mpmath.exp(-t) * -mpmath.expm1(-ratio * t) for t in (s, q * s)]
        return mpmath.log(h[1] / h[0])

    found = float(np.log(lifetime_at_edge(np.array([log_q]), ratio)[0]))
    with mpmath.workdps(40):
        assert difference(mpmath.mpf(found) - 1e-9) > 0 > difference(mpmath.mpf(found) + 1e-9)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_splines_of_the_likelihood_are_as_accurate_as_proofs_assume(ratio):
    log_q = np.linspace(1e-2, 29.0, 1234)
    start, inverse_step, table = edge_lifetime(ratio).arguments()
    places = [locate(x, start, inverse_step, table) for x in log_q]
    log_mean = np.array([polynomial(table, *place[:1], 0, place[1]) for place in places])
    log_seen = np.array([polynomial(table, *place[:1], 1, place[1]) for place in places])
    s = lifetime_at_edge(log_q, ratio)
    np.testing.assert_allclose(np.exp(log_mean - log_q / 2), s, rtol=5e-7)
    np.testing.assert_allclose(np.exp(-log_seen), np.exp(-s) * -np.expm1(-ratio * s), rtol=5e-7)


def test_bounds_enclose_the_likelihood_over_a_cell():
    """Sloping edges, cells of several sizes, decays to neutrinos too."""
    rng = np.random.default_rng(1)
    region = np.log([[5.0, 1e-6, 3e-4], [11.0, 2e-6, 1e-4], [30.0, 5e-6, 2e-5]])
    for edges in (thin_cell(8.0), np.array([7.0, 9.0]), np.array([10.0, 20.0])):
        k, b = dump_bounds(region, 4.0, edges)
        n = 2000
        c = Couplings.of(
            m_Zp=rng.uniform(*edges, n),
            **{x: 10 ** rng.uniform(-6.5, -3.5, n) for x in ("C_Ve", "C_Ae", "C_nue")},
        )
        x = (0.51099895 / c.m_Zp) ** 2
        shape = c.C_Ve**2 * (1 + 2 * x) + c.C_Ae**2 * (1 - 4 * x)
        electrons, both = np.sqrt(1 - 4 * x) * shape, c.C_Ve**2 + c.C_Ae**2
        width = electrons + 0.5 * c.C_nue**2
        at_ends = [
            k.lower[0] * both * electrons / width * np.exp(-t) * -np.expm1(-4 * t)
            for t in (b.lower[0] * width, b.upper[0] * width)
        ]
        assert np.all(np.minimum(*at_ends) <= dump_ratio(c, region, 4.0) * (1 + 1e-9))


def test_gaps_tips_and_ends_give_no_limit():
    nan = np.nan
    region = np.array([[5.0, 1e-6, 1e-4], [10.0, 1e-6, 1e-4], [12.0, nan, nan], [15.0, 1e-6, 1e-4],
                       [20.0, 1e-5, 1e-5]])  # fmt: skip
    edges = np.array([4.0, 4.9, 5.1, 9.9, 10.1, 11.0, 14.0, 15.1, 18.0, 19.9, 21.0])
    k, _ = dump_bounds(np.log(region), 4.0, edges)
    used = k.lower > 0
    assert used.tolist() == [False, False, True] + [False] * 4 + [True, True, False]
    over_the_gap, _ = dump_bounds(np.log(region), 4.0, np.array([9.0, 16.0]))
    assert over_the_gap.lower[0] == 0


def test_ranges_of_curves_are_those_of_many_points():
    rng = np.random.default_rng(2)
    x, y = np.sort(rng.uniform(0, 1, 30)), rng.normal(size=30)
    edges = np.sort(rng.uniform(-0.1, 1.1, 12))
    bounds, covered = curve_range(x, y, edges)
    for i, (low, high) in enumerate(pairwise(edges)):
        assert covered[i] == (x[0] <= low and high <= x[-1])
        values = np.interp(np.linspace(low, high, 20_000), x, y)
        assert bounds.lower[i] <= values.min() + 1e-9
        assert bounds.upper[i] >= values.max() - 1e-9
        if covered[i]:
            np.testing.assert_allclose(
                [bounds.lower[i], bounds.upper[i]], [values.min(), values.max()], atol=0.05
            )
