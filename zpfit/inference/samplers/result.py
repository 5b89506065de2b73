"""Results of sampling engines: weighted samples, samples of equal weight, and the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zpfit.inference.diagnostics import Diagnostics
from zpfit.io.arrays import FloatArray


@dataclass(frozen=True)
class WeightedSamples:
    """Points of the unit cube with their posterior weights."""

    u: FloatArray
    """Points of the unit cube, shape (n, d)."""
    log_likelihood: FloatArray
    """ln L of the points, shape (n,), finite."""
    log_weight: FloatArray
    """ln of the weights, shape (n,); the weights add up to 1."""

    @classmethod
    def normalised(
        cls, u: FloatArray, log_likelihood: FloatArray, log_weight: FloatArray
    ) -> "WeightedSamples":
        """Return samples whose weights are given up to a factor.

        Parameters
        ----------
        u
            Points of the unit cube, shape (n, d).
        log_likelihood
            ln L of the points, shape (n,).
        log_weight
            ln of the weights up to a constant, shape (n,).

        Examples
        --------
        >>> u, zero = np.zeros((4, 1)), np.zeros(4)
        >>> samples = WeightedSamples.normalised(u, zero, zero)
        >>> samples.weight.tolist(), samples.effective
        ([0.25, 0.25, 0.25, 0.25], 4.0)
        """
        peak = log_weight.max()
        total = peak + np.log(np.exp(log_weight - peak).sum())
        return cls(u, log_likelihood, log_weight - total)

    @cached_property
    def weight(self) -> FloatArray:
        """Weights, shape (n,), which add up to 1."""
        result: FloatArray = np.exp(self.log_weight)
        return result

    @property
    def effective(self) -> float:
        """Effective number of samples, 1 / sum w^2 (Kish 1965)."""
        return effective_number(self.log_weight)

    @property
    def largest_share(self) -> float:
        """Largest weight of a single sample."""
        return float(np.exp(self.log_weight.max()))

    def mean(self, values: FloatArray) -> float:
        """Return the posterior mean of a quantity, shape (n,)."""
        return float(np.sum(self.weight * values))

    def resampled(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """Draw ``n`` points of equal weight, shape (n, d), and return them with their ln L."""
        weight = self.weight
        chosen = rng.choice(len(weight), n, p=weight / weight.sum())
        return self.u[chosen], self.log_likelihood[chosen]

    def pruned(self, rng: np.random.Generator, n: int) -> "WeightedSamples":
        """Return about ``n`` samples at most, without bias of means.

        Light samples survive by chance, and survivors gain weight.
        """
        weight = self.weight
        if len(weight) <= n:
            return self
        threshold = _threshold(weight, n)
        survives = rng.random(len(weight)) * threshold < weight
        log_weight = np.log(np.maximum(weight[survives], threshold))
        return WeightedSamples.normalised(
            self.u[survives], self.log_likelihood[survives], log_weight
        )


def _threshold(weight: FloatArray, n: int) -> float:
    """Return the weight t for which the sum of min(1, w/t) over more than n samples is n.

    If the k largest weights are above t, t is the sum of the others over n - k.

    Examples
    --------
    >>> _threshold(np.array([5.0, 1.0, 1.0, 1.0]), 2)
    3.0
    """
    rising = np.sort(weight)
    largest, others = rising[::-1][:n], np.cumsum(rising)[::-1][:n]
    trial = others / (n - np.arange(n))
    return float(trial[np.argmax(largest <= trial)])


@dataclass(frozen=True)
class Evidence:
    """ln Z = ln of the mean likelihood over the prior."""

    log_z: float
    error: float
    """Standard error of ln Z."""
    evaluations: int
    """Number of points at which the likelihood was evaluated."""
    independent: tuple[tuple[float, float], ...] = ()
    """ln Z and its error from each independent adaptation alone."""
    spread: float | None = None
    """Standard error of ln Z from the scatter over batches of draws, to compare with ``error``."""


@dataclass(frozen=True)
class DeadPoints:
    """All points of a nested sampling run, in the order in which they died."""

    u: FloatArray
    """Points of the unit cube, shape (n, d)."""
    log_likelihood: FloatArray
    """ln L of the points, shape (n,); -inf where the likelihood is zero."""
    log_birth: FloatArray
    """ln L above which each point was drawn, shape (n,); -inf for draws from the prior."""


@dataclass(frozen=True)
class StoredDeadPoints:
    """All points of a nested sampling run, with the values of the sampled parameters."""

    values: Mapping[str, FloatArray]
    """Values by parameter, shape (n,) each."""
    log_likelihood: FloatArray
    """ln L of the points, shape (n,); -inf where the likelihood is zero."""
    log_birth: FloatArray
    """ln L above which each point was drawn, shape (n,); -inf for draws from the prior."""


@dataclass(frozen=True)
class Samples:
    """A sampled posterior."""

    engine: str
    """Name of the engine."""
    weighted: WeightedSamples
    """Samples behind the evidence."""
    evidence: Evidence
    u: FloatArray
    """Samples of equal weight on the unit cube, shape (ensembles, steps, walkers, d)."""
    log_likelihood: FloatArray
    """ln L of the samples of equal weight, shape (ensembles, steps, walkers)."""
    thin: int
    """Steps from one kept step to the next."""
    acceptance: tuple[float, ...]
    """Mean acceptance fraction of each ensemble; empty if the engine has no chains."""
    diagnostics: Diagnostics
    shortcomings: tuple[str, ...]
    """Reasons why the result is not converged, with remedies; empty if it is."""
    dead_points: DeadPoints | None = None
    """Dead points, if the engine is nested sampling."""

    @property
    def information(self) -> float:
        """Kullback-Leibler divergence of posterior from prior, <ln L> - ln Z, in nats."""
        return self.weighted.mean(self.weighted.log_likelihood) - self.evidence.log_z

    @property
    def dimensionality(self) -> float:
        """Bayesian model dimensionality, 2 Var(ln L) (Handley & Lemos, arXiv:1903.06682)."""
        log_l = self.weighted.log_likelihood
        mean = self.weighted.mean(log_l)
        return 2 * self.weighted.mean((log_l - mean) ** 2)


def effective_number(log_weights: FloatArray) -> float:
    """Return the effective number of weighted samples, (sum w)^2 / sum w^2 (Kish 1965).

    Examples
    --------
    >>> round(effective_number(np.log([1.0, 2.0])), 6)  # 9/5
    1.8
    """
    if not len(log_weights) or not np.isfinite(peak := log_weights.max()):
        return 0.0
    weights = np.exp(log_weights - peak)
    return float(weights.sum() ** 2 / np.sum(weights**2))


def weighted_quantile(values: FloatArray, weight: FloatArray, probability: float) -> float:
    """Return the value below which a fraction of weighted samples lies.

    Parameters
    ----------
    values
        Values at the samples, shape (n,).
    weight
        Weights of the samples, which add up to 1, shape (n,).
    probability
        The fraction, between 0 and 1.

    Examples
    --------
    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([0.1, 0.8, 0.1]), 0.4)
    1.0
    """
    order = np.argsort(values)
    share = np.cumsum(weight[order])
    return float(np.interp(probability, share - 0.5 * weight[order], values[order]))


@dataclass(frozen=True)
class StoredSamples:
    """Posterior samples of every parameter that is not fixed."""

    values: Mapping[str, FloatArray]
    """Values by parameter, shape (ensembles, steps, walkers) each."""
    log_likelihood: FloatArray
    """ln L, shape (ensembles, steps, walkers)."""
    attributes: Mapping[str, Mapping[str, Any]]
    """By parameter: ``symbol`` (LaTeX), ``unit``, ``scale`` and its ``lower`` end, ``step``."""
    log_weight: FloatArray | None = None
    """ln of the weights of weighted samples, shape (ensembles, steps, walkers)."""
