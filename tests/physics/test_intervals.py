"""Interval arithmetic and enclosures against mpmath with 40 digits."""

import mpmath
import numpy as np
import pytest

from zpfit.physics import intervals
from zpfit.physics.constants import ELECTRON_MASS, FERMI_CONSTANT, MUON_MASS
from zpfit.physics.enclosures import loop_bounds, recoil_bounds
from zpfit.physics.paper_2021 import CHARM2_NU, CHARM2_NUBAR

RNG = np.random.default_rng(5)


def random_interval(*, positive=False):
    ends = np.sort(RNG.normal(size=2) * 10.0 ** RNG.uniform(-12, 12))
    return tuple(map(float, np.sort(np.abs(ends)))) if positive else tuple(map(float, ends))


def inside(interval):
    """Exact numbers of an interval: its ends and two others."""
    low, high = (mpmath.mpf(end) for end in interval)
    return [low, high, low + (high - low) / 3, low + (high - low) * mpmath.mpf(RNG.random())]


@pytest.mark.parametrize(
    ("function", "exact"),
    [
        (intervals.add, lambda x, y: x + y),
        (intervals.sub, lambda x, y: x - y),
        (intervals.mul, lambda x, y: x * y),
        (intervals.div, lambda x, y: x / y),
    ],
)
def test_operations_on_two_intervals_contain_every_exact_result(function, exact):
    with mpmath.workdps(40):
        for _ in range(150):
            a, b = random_interval(), random_interval(positive=function is intervals.div)
            low, high = function(a, b)
            assert all(low <= exact(x, y) <= high for x in inside(a) for y in inside(b))


@pytest.mark.parametrize(
    ("function", "exact"),
    [
        (intervals.sqr, lambda x: x * x),
        (intervals.sqrt, mpmath.sqrt),
        (intervals.log, mpmath.log),
        (intervals.exp, mpmath.exp),
    ],
)
def test_operations_on_an_interval_contain_every_exact_result(function, exact):
    with mpmath.workdps(40):
        for _ in range(300):
            a = random_interval(positive=function in (intervals.sqrt, intervals.log))
            if function is intervals.exp:
                a = tuple(float(np.clip(end, -300, 300)) for end in a)
            low, high = function(a)
            assert all(low <= exact(x) <= high for x in inside(a))


def test_results_are_tight():
    """A few units in the last place: otherwise a huge interval would pass every other test."""
    low, high = intervals.mul((1.1, 1.1), (-3.3, -3.3))
    assert 0 < high - low < 1e-14
    low, high = intervals.log((2.0, 2.0))
    assert 0 < high - low < 1e-14


def test_quadratic_forms_are_bounded_over_rectangles():
    with mpmath.workdps(40):
        for _ in range(100):
            root = RNG.normal(size=(2, 2))
            square = root @ root.T + 1e-3 * np.eye(2)
            a, b = map(float, RNG.normal(size=2))
            q = (float(square[0, 0]), float(2 * square[0, 1]), float(square[1, 1]))
            x, y = random_interval(), random_interval()
            coefficients = tuple((c, c) for c in q)
            args = ((a, a), (b, b), coefficients, x, y)
            least, most = intervals.least_quadratic(*args), intervals.greatest_quadratic(*args)
            for u in inside(x):
                for v in inside(y):
                    value = a * u + b * v + q[0] * u**2 + q[1] * u * v + q[2] * v**2
                    assert least <= value <= most


def test_the_least_value_of_a_form_is_sharp():
    """x^2 - x y + y^2 - 3 y has its minimum -3 at (1, 2)."""
    form = ((0.0, 0.0), (-3.0, -3.0), ((1.0, 1.0), (-1.0, -1.0), (1.0, 1.0)))
    assert intervals.least_quadratic(*form, (0.0, 3.0), (0.0, 3.0)) == pytest.approx(-3, abs=1e-12)
    # At the edge x = 3 of [3, 4] it is 9 - 3 y + y^2 - 3 y = (y - 3)^2.
    assert intervals.least_quadratic(*form, (3.0, 4.0), (0.0, 5.0)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("lepton_mass", [ELECTRON_MASS, MUON_MASS])
@pytest.mark.parametrize("m", [1.0, 17.0, 100.0])
def test_loop_integrals_lie_inside_their_bounds(lepton_mass, m):
    """Eq. (7) of the paper by adaptive quadrature."""
    with mpmath.workdps(30):
        r = (mpmath.mpf(lepton_mass) / m) ** 2
        cuts = [0, mpmath.mpf(1) / 2, 1 - min(r, mpmath.mpf(1)) / 4, 1]
        if r > 1:
            cuts = sorted([0, 1 / mpmath.sqrt(1 + r), mpmath.mpf(1) / 2, 1])
        vector = mpmath.quad(lambda x: x**2 * (1 - x) / (1 - x + x**2 * r), cuts)
        axial = mpmath.quad(
            lambda x: (x * (1 - x) * (4 - x) + 2 * x**3 * r) / (1 - x + x**2 * r), cuts
        )
        exact = [r / (4 * mpmath.pi**2) * value for value in (vector, axial)]
    bounds = loop_bounds(lepton_mass, np.array([m]))
    for row, value in enumerate(exact):
        assert bounds.lower[row, 0] < value < bounds.upper[row, 0]
    assert np.all(bounds.upper / bounds.lower - 1 < 4e-9)


@pytest.mark.parametrize(
    ("experiment", "energy", "g"), [(CHARM2_NU, 23.7e3, 0), (CHARM2_NUBAR, 19.1e3, 1)]
)
@pytest.mark.parametrize("m", [1.0, 28.4, 95.0])
def test_recoil_coefficients_lie_inside_their_bounds(experiment, energy, g, m):
    """The cross-section of the module's docstring, expanded in the couplings by hand."""
    g_left, g_right = 0.2312 - 0.5, 0.2312
    end = min(24e3, 2 * energy**2 / (2 * energy + ELECTRON_MASS))

    def integral(weight, power):
        with mpmath.workdps(25):
            return (
                mpmath.quad(
                    lambda t: weight(t) / (m**2 + 2 * ELECTRON_MASS * t) ** power, [3e3, 8e3, end]
                )
                / (2 * mpmath.sqrt(2) * mpmath.mpf(FERMI_CONSTANT)) ** power
            )

    unity, square = lambda t: 1, lambda t: (1 - t / energy) ** 2
    left, right = (square, unity) if g else (unity, square)
    mixed = lambda t: ELECTRON_MASS * t / energy**2  # noqa: E731
    l0, r0, x0 = (integral(w, 0) for w in (left, right, mixed))
    model = g_left**2 * l0 + g_right**2 * r0 - g_left * g_right * x0
    l1, r1, x1 = (integral(w, 1) for w in (left, right, mixed))
    l2, r2, x2 = (integral(w, 2) for w in (left, right, mixed))
    exact = [
        (2 * g_left * l1 + 2 * g_right * r1 - (g_left + g_right) * x1) / model,
        (-2 * g_left * l1 + 2 * g_right * r1 - (g_left - g_right) * x1) / model,
        (l2 + r2 - x2) / model,
        2 * (r2 - l2) / model,
        (l2 + r2 + x2) / model,
    ]
    bounds = recoil_bounds(experiment, np.array([m * (1 - 1e-9), m * (1 + 1e-9)]))
    for row, value in enumerate(exact):
        assert bounds.lower[row, 0] < value < bounds.upper[row, 0]
    assert np.all(bounds.upper - bounds.lower < 3e-8 * np.abs(bounds.upper))
