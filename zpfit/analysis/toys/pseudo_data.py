"""Pseudo-experiments: what the measurements would find if a hypothesis were true."""

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood
from zpfit.physics.couplings import Couplings

_TOYS, _SEARCHES = 0, 1
"""First number of the keys under which random streams are spawned from one seed."""


def predictions(likelihood: Likelihood, hypothesis: Couplings) -> FloatArray:
    """What each measurement expects at the one point of a hypothesis, shape (k,)."""
    return np.array([float(t.prediction(hypothesis)[0]) for t in likelihood.measurements])


def pseudo_data(likelihood: Likelihood, truth: FloatArray, seed: int, toys: range) -> FloatArray:
    """Data of some of the pseudo-experiments that belong to a seed, shape (toys, k).

    Experiment i is the same whichever others are drawn: its random numbers come from a stream of
    its own. Gaussian measurements scatter with their covariance, nuisance parameters
    included; unequal errors put half of the experiments on each side; counts are Poisson
    numbers. Exclusions, hard or soft, are conditions of the analysis and are not drawn again.

    Parameters
    ----------
    likelihood: says how data scatter.
    truth: expectation of each of the k measurements, as :func:`predictions` gives it.
    seed: of the whole set.
    toys: numbers of the experiments.

    Raises
    ------
    NoSamplingDistribution
        A measurement is a table of chi2.
    """
    k = len(likelihood.measurements)
    z = [_stream(seed, _TOYS, toy).standard_normal(k) for toy in toys]
    return likelihood.sample_data(truth, np.array(z).reshape(len(toys), k))


def search_rng(seed: int, *keys: int) -> np.random.Generator:
    """Random numbers for the searches of one unit of work, none of which any toy's data use."""
    return _stream(seed, _SEARCHES, *keys)


def _stream(seed: int, *keys: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=keys))
