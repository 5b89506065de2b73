"""Profile likelihoods and densities far narrower than a grid, against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import norm

from zpfit.analysis.levels import REGIONS
from zpfit.analysis.profile.axis import AxisRequest, choose_axes
from zpfit.analysis.profile.contours import area_below, shares_below
from zpfit.analysis.profile.likelihood import profile_likelihood
from zpfit.analysis.profile.plane import PlaneDensity
from zpfit.analysis.profile.profile import levels_of, profile, profile_record, unresolved
from zpfit.analysis.profile.regions import Density, intervals, unknown_ends
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fixed, LogUniform, Priors, SignedLogUniform, Uniform
from zpfit.inference.progress import Silent
from zpfit.inference.samplers.importance import Integral
from zpfit.inference.samplers.result import Evidence, WeightedSamples
from zpfit.inference.search.best_fit import Minimum, find_minimum
from zpfit.inference.search.cancellations import cancellations
from zpfit.likelihood.exclusions import Exclusion, HalfGaussian
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import GaussianTerm
from zpfit.models.base import Model, Parameter
from zpfit.physics.constants import MUON_MASS
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.magnetic_moment import delta_a
from zpfit.physics.observables import Group, Observable
from zpfit.plots.profile import profile_figure
from zpfit.runs.run_file import find_run_file, load_run

LEVELS = {1: (1.0, 4.0), 2: (2.30, 6.18)}
UNIT = Uniform(lower=0, upper=1)


class Plain(Model):
    """x and y are couplings themselves, z adds to both."""

    name = "plain"
    parameters = tuple(Parameter(name, name) for name in "xyz")

    def couplings(self, values):
        x, y, z = (np.asarray(values[name], dtype=float) for name in "xyz")
        zero = np.zeros(x.shape)
        return Couplings(**dict.fromkeys(COUPLING_NAMES, zero) | {"C_Ve": x + z, "C_Vmu": y + z})


class Mixed(Model):
    """A charge g and a mixing eps that cancel in one coupling: C_Ve = -g - 0.3 eps."""

    name = "mixed"
    parameters = tuple(Parameter(name, name) for name in ("m", "g", "eps", "dark"))

    def couplings(self, values):
        m, g, eps, dark = (np.asarray(values[p.name], dtype=float) for p in self.parameters)
        own = {"m_Zp": m, "C_Ve": -g - 0.3 * eps, "C_numu": g, "C_nutau": dark}
        return Couplings(**dict.fromkeys(COUPLING_NAMES, np.zeros(m.shape)) | own)


def term(function, value, error, name="term"):
    return GaussianTerm(name, Observable(name, function, Group.MUON), value, error)


def hard(name, ratio):
    return Exclusion(name, ratio, HalfGaussian(power=1, confidence_level=0.9))


def posterior_of(terms, exclusions=(), model=None, **priors):
    chosen = {"x": UNIT, "y": Fixed(value=0.0), "z": Fixed(value=0.0)} | priors
    if model is not None:
        chosen = priors
    likelihood = Likelihood("toy", tuple(terms), tuple(exclusions))
    return Posterior(model or Plain(), Priors(chosen), likelihood)


def least(posterior, starts=100):
    rng = np.random.default_rng(2)
    return find_minimum(
        posterior.residuals,
        lambda u: -2 * posterior.log_likelihood(u),
        rng.random((starts, posterior.dimension)),
        rng,
        posterior.priors.step_width,
    )


def profiled(posterior, *names, points=20, best=None, met=None):
    axes = choose_axes(posterior.priors, [AxisRequest(name) for name in names])
    u = np.empty((0, posterior.dimension)) if met is None else met
    samples = u, posterior.log_likelihood(u) if len(u) else np.empty(0)
    best = best or least(posterior)
    rng = np.random.default_rng(1)
    return profile_likelihood(
        posterior, axes, points, best, samples, rng, levels=LEVELS[len(names)]
    )


def gaussians(mean, width):
    return [term(lambda c: c.C_Ve, mean[0], width[0]), term(lambda c: c.C_Vmu, mean[1], width[1])]


# One axis


@pytest.mark.parametrize("width", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_ends_of_a_gaussian_of_any_width(width):
    found = profiled(posterior_of([term(lambda c: c.C_Ve, 0.4321, width)]), "x")
    for n, level in ((1, 1.0), (2, 4.0)):
        [(low, high)] = intervals(found.coordinates[0], found.delta_chi2, level)
        ends = np.array([max(0.4321 - n * width, 0), 0.4321 + n * width])
        np.testing.assert_allclose([low, high], ends, atol=0.01 * np.diff(ends)[0], rtol=0)
    assert len(found.chi2) < 300


def test_ends_of_a_square_root():
    """delta_a of the muon grows as the coupling squared, so the ends are roots of it."""
    per_square = float(delta_a(MUON_MASS, 17.0, 1.0, 0.0))
    value, error = 2.5e-9, 6e-10
    moment = term(lambda c: per_square * c.C_Vmu**2, value, error)
    found = profiled(posterior_of([moment], x=Fixed(value=0.0), y=UNIT), "y")
    for n, level in ((1, 1.0), (2, 4.0)):
        [(low, high)] = intervals(found.coordinates[0], found.delta_chi2, level)
        ends = np.sqrt((value + n * error * np.array([-1, 1])) / per_square)
        np.testing.assert_allclose([low, high], ends, atol=0.01 * np.diff(ends)[0], rtol=0)


def test_a_narrow_minimum_that_a_sample_has_met():
    """Two minima of equal depth; the best fit is one, the other is met by a sample alone."""

    def residual(c):
        return np.minimum(np.abs(c.C_Ve - 0.2111) / 1e-5, np.abs(c.C_Ve - 0.7333) / 1e-5)

    posterior = posterior_of([term(residual, 0.0, 1.0)])
    best = Minimum(np.array([0.2111]), 0.0)
    found = profiled(posterior, "x", best=best, met=np.array([[0.7333 + 3e-6]]))
    pieces = intervals(found.coordinates[0], found.delta_chi2, 1.0)
    ends = [0.2111 - 1e-5, 0.2111 + 1e-5, 0.7333 - 1e-5, 0.7333 + 1e-5]
    np.testing.assert_allclose(np.ravel(pieces), ends, atol=2e-7, rtol=0)


def test_a_wall_ends_an_interval():
    """x below 0.3, hard, and 0.30001 +- 1e-4 is measured."""
    wall = hard("x < 0.3", lambda c: np.maximum(c.C_Ve, 0) / 0.3)
    found = profiled(posterior_of([term(lambda c: c.C_Ve, 0.30001, 1e-4)], [wall]), "x")
    # chi2 is (0.1)^2 at the wall, and 1.01 where Delta chi2 = 1.
    [(low, high)] = intervals(found.coordinates[0], found.delta_chi2, 1.0)
    np.testing.assert_allclose([low, high], [0.30001 - 1e-4 * np.sqrt(1.01), 0.3], atol=1e-6)


def test_brackets_of_ends():
    x = np.array([0.0, 1.0, 2.0, 2.1])
    assert unknown_ends(x, np.array([9.0, 0.0, 0.0, 9.0]), 1.0) == 1.0
    assert unknown_ends(x, np.array([0.0, 0.0, 0.0, 9.0]), 1.0) == pytest.approx(0.05)
    assert unknown_ends(x, np.array([9.0, 0.0, 9.0, 9.0]), 1.0) == np.inf
    assert unknown_ends(x, np.zeros(4), 1.0) == 0


RUN = load_run(find_run_file("quickstart"))
SETTINGS = RUN.settings.model_copy(
    update={"best_fit": RUN.settings.best_fit.model_copy(update={"starts": 50})}
)


def recorded(posterior, *names, points=20):
    run = replace(RUN, settings=SETTINGS, posterior=posterior)
    axes = choose_axes(posterior.priors, [AxisRequest(name) for name in names])
    return profile_record(run, profile(run, axes, points, Silent()))


def test_the_curve_agrees_with_its_bars():
    """Delta chi2 at the ends of the drawn bars is that of their level; the run is converged."""
    record = recorded(posterior_of([term(lambda c: c.C_Ve, 0.61, 1e-4)]), "x")
    assert record["converged"]
    figure = profile_figure(record)
    curve = next(line for line in figure.axes[0].lines if len(line.get_xdata()) > 2)
    x, delta = curve.get_data()
    for row in record["profile"]["levels"]:
        for ends in row["intervals"]:
            drawn = np.interp(ends, x, delta)
            np.testing.assert_allclose(drawn, row["delta_chi2"], rtol=0.06)


def test_what_cannot_be_resolved_is_a_shortcoming():
    """A minimum as narrow as the rounding of the axis is one node."""
    posterior = posterior_of([term(lambda c: c.C_Ve, 0.4321, 1e-15)])
    best = Minimum(np.array([0.4321]), 0.0)
    found = profiled(posterior, "x", best=best)
    words = unresolved(found, levels_of(REGIONS, 1))
    assert len(words) == 2
    assert "Delta chi2 < 1 are unknown" in words[0]


def test_allowed_points_outside_the_regions_are_a_shortcoming():
    """Two minima of one cell, 1e-6 wide on a flat curve, that samples have met: only the better one
    gets nodes."""

    def residual(c):
        first, second = np.abs(c.C_Ve - 0.2311) / 1e-6, np.abs(c.C_Ve - 0.2533) / 1e-6
        return np.minimum(np.minimum(first, second + 0.1), 9.0)

    posterior = posterior_of([term(residual, 0.0, 1.0)])
    u = np.array([[0.2311], [0.2533], [0.2533 + 1e-7], [0.6]])
    log_l = posterior.log_likelihood(u)
    samples = WeightedSamples.normalised(u, log_l, log_l)
    run = replace(RUN, settings=SETTINGS, posterior=posterior)
    axes = choose_axes(posterior.priors, [AxisRequest("x")])
    integral = Integral(samples, Evidence(0.0, 0.01, 1000), ())
    found = profile(run, axes, 10, Silent(), integral)
    assert found.likelihood.hidden == 2
    assert any(text.startswith("2 allowed points") for text in found.shortcomings)


# Planes


def test_area_of_a_narrow_region():
    """Gaussians of 0.003 and 0.001 in a unit square."""
    widths = 0.003, 0.001
    found = profiled(posterior_of(gaussians((0.41, 0.37), widths), y=UNIT), "x", "y")
    for level in LEVELS[2]:
        exact = np.pi * level * np.prod(widths)
        assert area_below(found.coordinates, found.delta_chi2, level) == pytest.approx(
            exact, rel=0.04
        )


@pytest.mark.slow
def test_area_of_a_narrow_ridge():
    """x - y = 0.1 +- 0.004, anywhere along the diagonal: a strip of the square."""
    ridge = [term(lambda c: c.C_Ve - c.C_Vmu, 0.1, 0.004)]
    found = profiled(posterior_of(ridge, y=UNIT), "x", "y")
    for level in LEVELS[2]:
        half = 0.004 * np.sqrt(level)
        exact = ((0.9 + half) ** 2 - (0.9 - half) ** 2) / 2
        area = area_below(found.coordinates, found.delta_chi2, level)
        assert area == pytest.approx(exact, rel=0.05)


def test_share_of_a_cell():
    # Beyond a wall the contour runs halfway.
    corners = np.array([0.0, np.inf, 0.0, np.inf])[:, None, None]
    assert shares_below(corners, 1.0).tolist() == [[0.5]]
    # The root of a parabola is linear.
    corners = np.array([0.0, 4.0, 0.0, 4.0])[:, None, None]
    assert shares_below(corners, 1.0).tolist() == [[0.5]]


def mixed():
    """Below 9.8, C_Ve must vanish to 1e-9; g is below 1e-4. Nothing else is measured."""
    slit = hard("floor", lambda c: np.where(np.abs(c.C_Ve) > 1e-9, 9.8 / c.m_Zp, 0.0))
    charge = hard("charge", lambda c: c.C_numu / 1e-4)
    return posterior_of(
        [term(lambda c: c.C_numu * 1e4, 0.0, 1.0)],
        [slit, charge],
        Mixed(),
        m=LogUniform(lower=1, upper=1000),
        g=LogUniform(lower=1e-8, upper=1e-1),
        eps=SignedLogUniform(lower=1e-8, upper=1e-1),
        dark=LogUniform(lower=1e-8, upper=1),
    )


def test_couplings_that_cancel_are_allowed():
    """At eps = -g/0.3 each mass is allowed: the slit is 1e-9 wide, and nothing leads to it."""
    posterior = mixed()
    found = profiled(posterior, "m", "g", points=10)
    [m, g] = (axis.values(c) for axis, c in zip(found.axes, found.coordinates, strict=True))
    exact = np.broadcast_to((g * 1e4) ** 2, (len(m), len(g)))
    allowed = np.broadcast_to(g < 1e-4, exact.shape)
    np.testing.assert_array_equal(np.isfinite(found.chi2), allowed)
    np.testing.assert_allclose(found.chi2[allowed], exact[allowed], atol=1e-3)


def test_roots_of_couplings():
    posterior = mixed()
    u = np.full((3, 4), 0.4)
    u[:, 1] = [0.1, 0.3, 0.6]

    def couplings(points):
        c = posterior.model.couplings(posterior.parameters(points))
        return np.stack([c.C_Ve, c.C_numu], axis=1)

    row, points = cancellations(couplings, u, 2)
    assert row.tolist() == [0, 1, 2]
    values = posterior.parameters(points)
    np.testing.assert_allclose(values["eps"], -values["g"] / 0.3, rtol=1e-12)
    # Where a coupling jumps over zero, nothing cancels.
    row, _ = cancellations(lambda v: np.sign(v - 0.5) * (0.1 + v), u[:, :1], 0)
    assert not len(row)


def test_jumps_of_a_profile_are_counted():
    """x < 0.3: a step from below the level to a wall, on one side of the line."""
    wall = hard("x < 0.3", lambda c: np.maximum(c.C_Ve, 0) / 0.3)
    found = profiled(posterior_of([term(lambda c: c.C_Ve, 0.2, 0.3)], [wall]), "x")
    assert found.jumps == 1
    assert profiled(posterior_of([term(lambda c: c.C_Ve, 0.2, 0.3)]), "x").jumps == 0


# Densities


def highest_density(modes, probability):
    """Intervals of highest density of Gaussians (mean, sd) with equal weights, far apart."""

    def pieces(height):
        for mean, sd in modes:
            ratio = height * sd * np.sqrt(2 * np.pi) * len(modes)
            half = sd * np.sqrt(max(-2 * np.log(ratio), 0)) if ratio < 1 else 0.0
            yield mean, sd, half

    def excess(log_height):
        inside = [2 * norm.cdf(half / sd) - 1 for _, sd, half in pieces(np.exp(log_height))]
        return np.mean(inside) - probability

    height = np.exp(brentq(excess, -30, 10))
    return [(mean - half, mean + half) for mean, _, half in pieces(height)]


@pytest.mark.parametrize("narrow", [2e-3, 2e-4])
def test_highest_density_of_a_narrow_mode_beside_a_wide_one(narrow):
    modes = ((0.3, narrow), (0.7, 0.05))
    rng = np.random.default_rng(4)
    halves = [rng.normal(*mode, size=30_000) for mode in modes]
    samples = np.concatenate(halves)[:, None]
    density = Density.of(samples, np.full(len(samples), 1 / len(samples)), [(0, 1)])
    for probability in (0.683, 0.954):
        found, exact = density.intervals(probability), highest_density(modes, probability)
        assert len(found) == 2
        for (low, high), (a, b) in zip(found, exact, strict=True):
            assert high - low == pytest.approx(b - a, rel=0.05)
            np.testing.assert_allclose([low, high], [a, b], atol=0.04 * (b - a))


def sampling_error(z, n, kernel):
    """Return the relative standard error of an interval that ends at z standard deviations.

    An end is where n pdf(z) crosses the threshold. The kernel holds 2 sqrt(pi) kernel n pdf(z)
    samples there, with their Poisson error, and 1.2 times that with the leading bias removed. The
    logarithm of the density falls by z in one standard deviation. Where the kernel holds less than
    a sample, the end follows the outermost one, with the error pi / sqrt(6) / z (Gumbel). The two
    ends are independent.
    """
    in_kernel = 2 * np.sqrt(np.pi) * kernel * n * norm.pdf(z)
    of_end = min(1.2 / np.sqrt(in_kernel), np.pi / np.sqrt(6)) / z
    return np.sqrt(2) * of_end / (2 * z)


@pytest.mark.parametrize("narrow", [2e-3, 2e-4])
def test_highest_density_of_a_narrow_mode_of_few_samples(narrow):
    """Over 16 seeds the width is right to the sampling error of a single one."""
    n, seeds, modes = 2_500, 16, ((0.3, narrow), (0.7, 0.05))
    exact = {p: np.array(highest_density(modes, p)[0]) for p in (0.683, 0.954)}
    excess = {p: np.empty(seeds) for p in exact}
    error = {p: np.empty(seeds) for p in exact}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        samples = np.concatenate([rng.normal(*mode, size=n) for mode in modes])[:, None]
        density = Density.of(samples, np.full(2 * n, 1 / (2 * n)), [(0, 1)])
        [edges] = density.edges
        for p, ends in exact.items():
            bins = np.searchsorted(edges, ends)
            kernel = 1.5 * np.mean(edges[bins] - edges[bins - 1]) / narrow
            error[p][seed] = sampling_error(np.diff(ends)[0] / (2 * narrow), n, kernel)
            excess[p][seed] = np.diff(density.intervals(p)[0])[0] / np.diff(ends)[0] - 1
    for p in exact:
        own = error[p].mean()
        assert own < 0.06
        assert abs(excess[p].mean()) < own * (1 + 3 / np.sqrt(seeds))
        assert np.std(excess[p]) < own * (1 + 3 / np.sqrt(2 * seeds))


def test_no_mode_that_holds_much_is_lost_as_noise():
    """The wider mode is barely above the threshold of 68 %, and holds a quarter of that."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        halves = [rng.normal(*mode, size=2_500) for mode in ((0.3, 2e-3), (0.7, 0.05))]
        samples = np.concatenate(halves)[:, None]
        density = Density.of(samples, np.full(5_000, 1 / 5_000), [(0, 1)])
        held = sum(np.mean((samples >= a) & (samples <= b)) for a, b in density.intervals(0.683))
        assert held == pytest.approx(0.683, abs=0.05)


def test_highest_density_area_of_a_narrow_mode_beside_a_wide_one():
    """In a plane: equal weights, each region as large as where its density is above one height."""
    rng = np.random.default_rng(4)
    sds = 0.004, 0.05
    halves = [
        rng.normal(mean, sd, size=(60_000, 2)) for mean, sd in zip((0.3, 0.7), sds, strict=True)
    ]
    samples = np.concatenate(halves)
    density = PlaneDensity.of(samples, np.full(len(samples), 1 / len(samples)), [(0, 1)] * 2)

    def radii(log_height):
        return [max(-2 * (log_height + np.log(4 * np.pi * sd**2)), 0) for sd in sds]

    for probability in (0.683, 0.954):
        excess = lambda h, p=probability: np.mean(chi2_distribution(2).cdf(radii(h))) - p  # noqa: E731
        squares = radii(brentq(excess, -20, 20))
        exact = sum(np.pi * sd**2 * square for sd, square in zip(sds, squares, strict=True))
        sizes = np.multiply.outer(*(np.diff(edges) for edges in density.edges))
        area = np.sum(sizes[density.density >= density.threshold(probability)])
        assert area == pytest.approx(exact, rel=0.1)
        narrow = density.density[: len(density.centres[0]) // 2]
        assert narrow.max() == pytest.approx(1)


SQUARE = [(0, 1)] * 2
WITHIN = 0.05
"""Relative deviation of an area that smoothing and 40,000 samples may leave."""


def correlated(correlation, n=40_000, sd=0.02, seed=6):
    rng = np.random.default_rng(seed)
    covariance = sd**2 * np.array([[1, correlation], [correlation, 1]])
    return rng.multivariate_normal([0.5, 0.4], covariance, n), np.full(n, 1 / n)


def ring(sd, n=40_000, radius=0.3):
    """A Gaussian in the radius; in the plane its draws weigh as much as their circles are long."""
    rng = np.random.default_rng(6)
    r, angle = rng.normal(radius, sd, n), 2 * np.pi * rng.random(n)
    return 0.5 + np.column_stack([r * np.cos(angle), r * np.sin(angle)]), r / r.sum()


@pytest.mark.parametrize("correlation", [0.0, 0.9, 0.98, 0.99, -0.995])
def test_highest_density_area_of_a_correlated_gaussian(correlation):
    """The region is an ellipse of area pi s^2 sqrt(1 - rho^2) q with the quantile q of chi2."""
    density = PlaneDensity.of(*correlated(correlation), SQUARE)
    for probability in (0.683, 0.954):
        quantile = -2 * np.log(1 - probability)
        exact = np.pi * 0.02**2 * np.sqrt(1 - correlation**2) * quantile
        assert density.area(probability, SQUARE) == pytest.approx(exact, rel=WITHIN)
    assert density.excess < WITHIN


def test_few_samples_of_a_correlated_gaussian_are_smoothed_along_it():
    """2,000 samples know the area at 95.4 % to 3.3 %, the mean of six sets to 1.4 %."""
    exact = np.pi * 0.02**2 * np.sqrt(1 - 0.995**2) * -2 * np.log(1 - 0.954)
    draws = [correlated(0.995, 2_000, seed=seed) for seed in range(6)]
    areas = [PlaneDensity.of(*own, SQUARE).area(0.954, SQUARE) for own in draws]
    assert np.mean(areas) == pytest.approx(exact, rel=WITHIN)


def test_highest_density_area_of_modes_that_are_thin_across_their_distance():
    """The samples as a whole lie along the diagonal, each of two modes across it."""
    rng, n, sds = np.random.default_rng(6), 40_000, np.array([0.003, 0.03])
    turned = rng.normal(size=(n, 2)) * sds @ np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    samples = np.where(rng.random((n, 1)) < 0.5, 0.3, 0.7) + turned
    density = PlaneDensity.of(samples, np.full(n, 1 / n), SQUARE)
    for probability in (0.683, 0.954):
        exact = -4 * np.pi * np.prod(sds) * np.log(1 - probability)
        assert density.area(probability, SQUARE) == pytest.approx(exact, rel=WITHIN)


def test_highest_density_area_of_a_ring():
    """The region is |r - 0.3| < h, with h as on a line, since the length of circles is linear."""
    density = PlaneDensity.of(*ring(0.01), SQUARE)
    for probability in (0.683, 0.954):
        exact = 4 * np.pi * 0.3 * 0.01 * norm.ppf((1 + probability) / 2)
        assert density.area(probability, SQUARE) == pytest.approx(exact, rel=WITHIN)
    assert density.excess < 2 * WITHIN


def test_highest_density_area_of_a_flat_density():
    """The region is any part of the square; its area is the probability, or less by noise."""
    n = 40_000
    flat = np.random.default_rng(6).random((n, 2)), np.full(n, 1 / n)
    density = PlaneDensity.of(*flat, SQUARE)
    for probability in (0.683, 0.954):
        assert density.area(probability, SQUARE) == pytest.approx(probability, rel=WITHIN)


def test_areas_that_no_kernel_resolves_are_a_shortcoming():
    """A ring of 0.0005 is narrower than the cells, and the samples are what they are."""
    posterior = posterior_of(gaussians((0.5, 0.5), (0.1, 0.1)), y=UNIT)
    u, weight = ring(0.0005)
    samples = WeightedSamples.normalised(u, posterior.log_likelihood(u), np.log(weight))
    run = replace(RUN, settings=SETTINGS, posterior=posterior)
    axes = choose_axes(posterior.priors, [AxisRequest("x"), AxisRequest("y")])
    found = profile(run, axes, 10, Silent(), Integral(samples, Evidence(0.0, 0.01, 1000), ()))
    assert found.density.excess > 0.3
    [text] = [text for text in found.shortcomings if "areas of the posterior" in text]
    assert f"{100 * found.density.excess:.0f} % larger" in text


def test_the_figure_has_few_bins_that_hold_the_same_probability():
    density = PlaneDensity.of(*correlated(0.5), SQUARE)
    edges, shown = density.shown()
    sizes = [np.multiply.outer(*map(np.diff, own)) for own in (density.edges, edges)]
    assert max(shown.shape) <= 80 < min(density.density.shape)
    assert np.sum(sizes[1] * shown) == pytest.approx(np.sum(sizes[0] * density.density), rel=1e-2)
