"""Pseudo-experiments: data of all measurements under a hypothesis."""

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood
from zpfit.physics.couplings import Couplings

_TOYS, _SEARCHES = 0, 1
"""First number of the keys of random streams that are spawned from one seed."""


def predictions(likelihood: Likelihood, hypothesis: Couplings) -> FloatArray:
    """Return the expectation of each datum at the one point of a hypothesis, shape (k,)."""
    return likelihood.expected_data(hypothesis)


def pseudo_data(likelihood: Likelihood, truth: FloatArray, seed: int, toys: range) -> FloatArray:
    """Draw the data of some pseudo-experiments, shape (toys, k).

    Each experiment has its own random stream, so its data do not depend on the others. Gaussian
    measurements scatter with their covariance, nuisance parameters included. Unequal errors put
    half of the experiments on each side. Counts are Poisson numbers; the scales of signal and
    backgrounds of binned ones scatter as well. Exclusions, hard or soft, are conditions of the
    analysis and are not drawn.

    Parameters
    ----------
    likelihood
        Sampling distribution of the k data.
    truth
        Expectation of each datum, shape (k,), from :func:`predictions`.
    seed
        Seed of all experiments.
    toys
        Numbers of the experiments to draw.

    Raises
    ------
    NoSamplingDistribution
        A measurement is a table of chi2.
    """
    noise = likelihood.noise
    z = [_stream(seed, _TOYS, toy).standard_normal(noise) for toy in toys]
    return likelihood.sample_data(truth, np.array(z).reshape(len(toys), noise))


def search_rng(seed: int, *keys: int) -> np.random.Generator:
    """Return a generator for searches that is independent of all data; keys tell tasks apart."""
    return _stream(seed, _SEARCHES, *keys)


def _stream(seed: int, *keys: int) -> np.random.Generator:
    """Return the generator of a key; streams of different keys are independent."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=keys))
