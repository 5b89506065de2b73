"""Compare the sampler with known moments; tolerances follow from the stated errors."""

from itertools import count

import gvar
import numpy as np
import pytest
from helpers_samplers import first_fast
from scipy.stats import norm, truncnorm

from zpfit.errors import NoAllowedPoint
from zpfit.inference.diagnostics import diagnose
from zpfit.inference.samplers.emcee_chains import ChainOptions, default_moves, run_chains
from zpfit.inference.samplers.emcee_map_move import MapMove
from zpfit.inference.samplers.importance import Target, integrate
from zpfit.inference.samplers.result import (
    Evidence,
    Samples,
    WeightedSamples,
    effective_number,
)
from zpfit.inference.samplers.vegas_map import MapOptions, adapt_map, adapt_maps
from zpfit.inference.sampling import cross_check
from zpfit.io.places import packaged_data
from zpfit.runs.run_file import load_run

LIMIT = 4.5
"""Tolerance in standard errors, rarely exceeded by chance in the hundred comparisons of this
file."""


def draw(log_likelihood, maps, rng, n):
    target = Target(error=1.0, effective=10 * n, max_evaluations=5_000_000)
    result = integrate(log_likelihood, maps, rng, target)
    assert result.samples.effective > 10 * n
    return result.samples.resampled(rng, n)[0]


def run(
    log_likelihood,
    dimension,
    seed,
    *,
    walkers=64,
    target_ess=2000,
    max_steps=4000,
    options=ChainOptions(),  # noqa: B008 - frozen
):
    rng = np.random.default_rng(seed)
    adapted = adapt_maps(log_likelihood, dimension, 2, rng)
    starts = draw(log_likelihood, adapted, rng, 2 * walkers).reshape(2, walkers, dimension)
    result = run_chains(
        log_likelihood, adapted, starts, target_ess, max_steps, rng, options=options
    )
    assert not result.shortcomings
    return result


def deviations(result, expected):
    """(found - expected) in standard errors for functions of u with known mean and variance.

    ``expected`` lists (function, mean, variance); the error of each mean comes
    from the effective sample size of that very function.
    """
    scores = []
    for function, mean, variance in expected:
        values = function(result.u)
        ess = diagnose(values[..., None], result.thin).ess[0]
        scores.append((values.mean() - mean) / np.sqrt(variance / ess))
    return np.array(scores)


def moments(dimension, mean, sd):
    """Return the first and second central moment of independent normal coordinates."""
    for axis in range(dimension):
        yield (lambda u, axis=axis: u[..., axis]), mean, sd**2
        yield (lambda u, axis=axis: (u[..., axis] - mean) ** 2), sd**2, 2 * sd**4


def gaussian(mean, sd):
    return lambda u: -0.5 * np.sum(((u - mean) / sd) ** 2, axis=1)


@pytest.mark.parametrize("dimension", first_fast(5, 1, 2))
@pytest.mark.parametrize("seed", first_fast(1, 2))
def test_gaussian(dimension, seed):
    mean, sd = 0.4, 0.02
    result = run(gaussian(mean, sd), dimension, seed)
    assert np.abs(deviations(result, list(moments(dimension, mean, sd)))).max() < LIMIT


@pytest.mark.parametrize("seed", first_fast(1, 2, 3))
def test_separate_modes_keep_their_weights(seed):
    """The likelihood is two Gaussians 30 standard deviations apart, one three times as heavy."""
    sd = 0.02
    centres, shares = (0.2, 0.8), (0.25, 0.75)

    def log_likelihood(u):
        parts = [np.log(s) + gaussian(c, sd)(u) for c, s in zip(centres, shares, strict=True)]
        return np.logaddexp(*parts)

    result = run(log_likelihood, 2, seed)
    upper = [(lambda u: (u[..., 0] > 0.5) * 1.0, 0.75, 0.75 * 0.25)]
    assert np.abs(deviations(result, upper)).max() < LIMIT


@pytest.mark.parametrize("seed", first_fast(1, 2))
def test_hard_wall(seed):
    """A Gaussian cut off at its own centre is half-normal."""
    mean, sd = 0.5, 0.1

    def log_likelihood(u):
        return np.where(u[:, 0] > mean, gaussian(mean, sd)(u), -np.inf)

    result = run(log_likelihood, 2, seed)
    half = truncnorm(0, np.inf, loc=mean, scale=sd)
    expected = [(lambda u: u[..., 0], half.mean(), half.var()), (lambda u: u[..., 1], mean, sd**2)]
    assert np.abs(deviations(result, expected)).max() < LIMIT


@pytest.mark.slow  # test_evidence.py has a plateau of its own
@pytest.mark.parametrize("seed", [1, 2])
def test_plateau(seed):
    """The likelihood is constant inside a box that fills 1e-5 of the cube, and zero outside."""
    low, high = 0.6, 0.7

    def log_likelihood(u):
        return np.where(np.all((u > low) & (u < high), axis=1), 0.0, -np.inf)

    result = run(log_likelihood, 5, seed)
    width = high - low
    expected = [((lambda u, a=a: u[..., a]), 0.65, width**2 / 12) for a in range(5)]
    assert np.abs(deviations(result, expected)).max() < LIMIT


@pytest.mark.slow  # test_engines.py has a run without data
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_constant_likelihood_returns_the_prior(seed):
    result = run(lambda u: np.zeros(len(u)), 3, seed)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    expected = [
        ((lambda u, a=a, p=p: (u[..., a] < p) * 1.0), p, p * (1 - p))
        for a in range(3)
        for p in levels
    ]
    assert np.abs(deviations(result, expected)).max() < LIMIT


def test_a_biased_sampler_is_caught():
    """Negative control: without the density of the draws the same check must fail."""
    mean, sd = 0.4, 0.05

    class Biased:
        def __init__(self, adapted):
            self.adapted = adapted

        def draw(self, rng, n):
            return self.adapted.draw(rng, n)[0], np.zeros(n)

        def log_density(self, u):
            return np.zeros(len(u))

    def moves(adapted):
        (_, weight), *others = default_moves(adapted)
        return [(MapMove(Biased(adapted)), weight), *others]

    result = run(gaussian(mean, sd), 2, 1, options=ChainOptions(moves=moves))
    assert np.abs(deviations(result, list(moments(2, mean, sd)))).max() > 2 * LIMIT


def test_starts_are_distributed_like_the_posterior():
    mean, sd, n = 0.3, 0.01, 4000
    rng = np.random.default_rng(5)
    log_likelihood = gaussian(mean, sd)
    starts = draw(log_likelihood, adapt_maps(log_likelihood, 4, 2, rng), rng, n)
    # The sample is drawn from ten times as many weighted draws: the error is a tenth above that of
    # n.
    scores = (starts.mean(axis=0) - mean) / (sd * np.sqrt(1.1 / n))
    assert np.abs(scores).max() < LIMIT
    spread = (starts.std(axis=0) / sd - 1) * np.sqrt(2 * n / 1.1)
    assert np.abs(spread).max() < LIMIT


def test_map_density_is_normalised_and_inverts():
    rng = np.random.default_rng(0)
    adapted = adapt_maps(gaussian(0.5, 0.05), 3, 2, rng)
    u, log_density = adapted.draw(rng, 50_000)
    np.testing.assert_allclose(adapted.log_density(u), log_density, rtol=1e-9, atol=1e-9)
    density = np.exp(adapted.log_density(rng.random((50_000, 3))))
    assert abs(density.mean() - 1) < LIMIT * density.std() / np.sqrt(len(density))


def test_effective_number_of_weights():
    assert effective_number(np.zeros(10)) == pytest.approx(10)
    assert effective_number(np.array([0.0, -800.0])) == pytest.approx(1)
    assert effective_number(np.full(4, -np.inf)) == 0
    assert effective_number(np.log(np.array([1.0, 2.0]))) == pytest.approx(9 / 5)


def test_a_likelihood_that_hardly_allows_anything_is_an_error():
    """With one allowed draw in a million no map can adapt, and the run stops with a message."""

    def log_likelihood(u):
        return np.where(np.all(np.abs(u - 0.5) < 0.005, axis=1), 0.0, -np.inf)

    with pytest.raises(NoAllowedPoint, match="of 5,000,000"):
        adapt_map(log_likelihood, 3, np.random.default_rng(0))


@pytest.mark.slow
def test_few_allowed_points_are_enough_to_find_a_peak():
    """One draw in ten thousand is allowed, and the peak fills a small part of the allowed
    region."""

    def log_likelihood(u):
        return np.where(u.max(axis=1) < 0.1, gaussian(0.03, 0.004)(u), -np.inf)

    result = run(log_likelihood, 4, 1)
    assert np.abs(deviations(result, list(moments(4, 0.03, 0.004)))).max() < LIMIT


def test_an_impossible_likelihood_is_an_error():
    with pytest.raises(NoAllowedPoint):
        adapt_map(lambda u: np.full(len(u), -np.inf), 2, np.random.default_rng(0))


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_autocorrelation_time_of_an_ar1_process(correlation):
    """The autocorrelation time is (1 + rho)/(1 - rho)."""
    rng = np.random.default_rng(3)
    steps, shape = 4000, (2, 20)
    x = np.empty((shape[0], steps, shape[1], 1))
    x[:, 0, :, 0] = rng.normal(size=shape)
    for t in range(1, steps):
        noise = rng.normal(size=shape) * np.sqrt(1 - correlation**2)
        x[:, t, :, 0] = correlation * x[:, t - 1, :, 0] + noise
    found = diagnose(norm.cdf(x) if correlation == 0 else x, 1)
    expected = (1 + correlation) / (1 - correlation)
    assert found.autocorrelation_time[0] == pytest.approx(expected, rel=0.1)
    assert found.rhat[0] == pytest.approx(1, abs=0.01)


def test_walkers_stuck_in_modes_count_as_few_samples():
    rng = np.random.default_rng(3)
    stuck = rng.choice([0.2, 0.8], (2, 1, 50, 1)) + 0.01 * rng.random((2, 500, 50, 1))
    found = diagnose(stuck, 1)
    assert found.ess[0] < 200
    assert any("effective samples" in text for text in found.shortcomings(1000))


def test_ensembles_that_disagree_are_reported():
    rng = np.random.default_rng(3)
    apart = rng.random((2, 500, 20, 1)) * 0.1 + np.array([0.2, 0.3])[:, None, None, None]
    found = diagnose(apart, 1)
    assert found.rhat[0] > 1.5
    assert any("R-hat" in text for text in found.shortcomings(10))


def test_a_run_that_is_cut_short_says_so():
    rng = np.random.default_rng(1)
    log_likelihood = gaussian(0.5, 0.1)
    adapted = adapt_maps(log_likelihood, 2, 2, rng)
    starts = draw(log_likelihood, adapted, rng, 32).reshape(2, 16, 2)
    result = run_chains(log_likelihood, adapted, starts, 10_000, 40, rng)
    assert any("10000 wanted" in text for text in result.shortcomings)


@pytest.mark.slow
def test_a_seed_reproduces_a_run_to_the_bit():
    log_likelihood = gaussian(0.5, 0.1)
    first, second = (run(log_likelihood, 2, 7, target_ess=500) for _ in range(2))
    np.testing.assert_array_equal(first.u, second.u)
    other = run(log_likelihood, 2, 8, target_ess=500)
    assert not np.array_equal(first.u[:, :10], other.u[:, :10])


@pytest.mark.slow
def test_the_papers_posterior_agrees_with_plain_monte_carlo():
    """Weighted draws from the prior need neither map nor moves nor starting points."""
    posterior = load_run(packaged_data() / "runs" / "quickstart.yaml").posterior
    result = run(posterior.log_likelihood, posterior.dimension, 3, walkers=128, target_ess=5000)
    rng = np.random.default_rng(11)
    batches = [rng.random((100_000, posterior.dimension)) for _ in range(40)]
    weights = np.exp(np.concatenate([posterior.log_likelihood(u) for u in batches]))
    draws = np.concatenate(batches)
    coordinates = (draws[:, 0], np.abs(draws[:, 2] - 0.5) > 0.28, np.abs(draws[:, 3] - 0.5))
    functions = (
        lambda u: u[..., 0],
        lambda u: (np.abs(u[..., 2] - 0.5) > 0.28) * 1.0,
        lambda u: np.abs(u[..., 3] - 0.5),
    )
    share = weights / weights.sum()
    for plain, function in zip(coordinates, functions, strict=True):
        mean = np.sum(share * plain)
        error2 = np.sum((share * (plain - mean)) ** 2)
        variance = np.sum(share * (plain - mean) ** 2)
        values = function(result.u)
        error2 += variance / diagnose(values[..., None], result.thin).ess[0]
        assert abs(values.mean() - mean) < LIMIT * np.sqrt(error2)


@pytest.mark.slow
def test_standard_errors_hold_over_many_seeds():
    """The effective sample sizes predict the scatter of means over 40 runs."""
    scores = [
        deviations(run(gaussian(0.4, 0.02), 3, seed), list(moments(3, 0.4, 0.02)))
        for seed in range(40)
    ]
    assert np.std(scores) == pytest.approx(1, abs=4 / np.sqrt(2 * np.size(scores)) + 0.1)


@pytest.mark.parametrize(
    ("log_z", "errors", "sigma"),
    [((-10.0, -9.0), (0.3, 0.4), 2.0), ((-9.0, -10.0), (0.4, 0.3), -2.0), ((-1, 1.6), (0, 1), 2.6)],
)
def test_a_cross_check_counts_both_errors(
    log_z: tuple[float, float],
    errors: tuple[float, float],
    sigma: float,
    monkeypatch: pytest.MonkeyPatch,
):
    """Two independent values differ by the root of the sum of squares: 0.3 and 0.4 give 0.5."""
    run = load_run(packaged_data() / "runs" / "quickstart.yaml")
    u, zero = np.full((4, 1), 0.5), np.zeros(4)
    first, second = (
        Samples(
            engine=engine,
            weighted=WeightedSamples.normalised(u, zero, zero),
            evidence=Evidence(value, error, 4),
            u=u[None, :, None],
            log_likelihood=zero[None, :, None],
            thin=1,
            acceptance=(),
            diagnostics=diagnose(np.random.default_rng(0).random((2, 20, 2, 1)), 1),
            shortcomings=(),
        )
        for engine, value, error in zip(("vegas", "dynesty"), log_z, errors, strict=True)
    )
    monkeypatch.setattr("zpfit.inference.sampling.sample_posterior", lambda *_: second)
    check = cross_check(first, run.posterior, run.settings, np.random.default_rng(1))
    assert check.sigma == pytest.approx(sigma)
    assert check.agrees


def test_an_adaptation_leaves_nothing_in_the_covariance_matrix_of_gvar():
    # vegas's results would add rows to it, in a worker until its end.
    rows = len(gvar.gvar.cov)
    options = MapOptions(batch=1000)
    adapt_map(lambda u: -50 * u[:, 0], 1, np.random.default_rng(0), options=options)
    assert len(gvar.gvar.cov) == rows


def test_gvar_has_its_covariance_matrix_back_after_a_failure():
    calls = count()

    def fails_in_vegas(u):
        if next(calls) >= 2:  # the search for allowed points and the draws before come first
            raise FloatingPointError
        return -50 * u[:, 0]

    before = gvar.gvar
    with pytest.raises(FloatingPointError):
        adapt_map(fails_in_vegas, 1, np.random.default_rng(0), options=MapOptions(batch=1000))
    assert gvar.gvar is before
