"""Test weighted samples: pruning and resampling do not change means."""

from math import sqrt

import numpy as np
import pytest
from helpers_evidence import LIMIT
from helpers_samplers import first_fast

from zpfit.inference.samplers.result import WeightedSamples


def uneven(n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    u, log_weight = rng.random((n, 2)), 2 * rng.normal(size=n)
    log_weight += 2 * u[:, 0]
    return WeightedSamples.normalised(u, u[:, 0], log_weight)


@pytest.mark.parametrize("n", first_fast(500, 50, 5000))
def test_pruning_is_unbiased_and_keeps_few(n):
    samples, rng = uneven(), np.random.default_rng(1)
    functions = (lambda s: s.u[:, 0], lambda s: s.u[:, 1] ** 2, lambda s: s.log_likelihood)
    pruned = [samples.pruned(rng, n) for _ in range(400)]
    sizes = np.array([len(some.weight) for some in pruned])
    assert sizes.max() < n + 5 * sqrt(n)
    assert sizes.mean() == pytest.approx(n, rel=0.02)
    for function in functions:
        truth = samples.mean(function(samples))
        means = np.array([some.mean(function(some)) for some in pruned])
        # A ratio of sums is biased at order 1/n, far below its own spread of 1/sqrt(n).
        assert abs(means.mean() - truth) < LIMIT * means.std() / sqrt(400) + means.std() ** 2
    assert all(abs(some.weight.sum() - 1) < 1e-9 for some in pruned)


def test_pruning_keeps_what_is_few_already_and_what_is_heavy():
    samples, rng = uneven(), np.random.default_rng(1)
    assert samples.pruned(rng, 20_000) is samples
    heaviest = samples.u[np.argsort(samples.log_weight)[-100:]]
    kept = {tuple(point) for point in samples.pruned(rng, 2000).u}
    assert all(tuple(point) in kept for point in heaviest)


def test_resampling_follows_the_weights():
    samples = uneven()
    u, log_likelihood = samples.resampled(np.random.default_rng(1), 50_000)
    np.testing.assert_array_equal(u[:, 0], log_likelihood)
    error = u.std(axis=0) / sqrt(len(u))
    expected = [samples.mean(samples.u[:, axis]) for axis in range(2)]
    assert np.all(np.abs(u.mean(axis=0) - expected) < LIMIT * error)
