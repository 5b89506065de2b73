"""What every engine returns: weighted and equal-weight samples, and the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zpfit.inference.diagnostics import Diagnostics
from zpfit.io.arrays import FloatArray


@dataclass(frozen=True)
class WeightedSamples:
    """Points of the unit cube with their share of the posterior."""

    u: FloatArray
    """Shape (n, d)."""
    log_likelihood: FloatArray
    """Shape (n,), finite."""
    log_weight: FloatArray
    """Shape (n,); the weights add up to 1."""

    @classmethod
    def normalised(
        cls, u: FloatArray, log_likelihood: FloatArray, log_weight: FloatArray
    ) -> "WeightedSamples":
        """From weights up to a factor."""
        peak = log_weight.max()
        total = peak + np.log(np.exp(log_weight - peak).sum())
        return cls(u, log_likelihood, log_weight - total)

    @cached_property
    def weight(self) -> FloatArray:
        """Shape (n,)."""
        result: FloatArray = np.exp(self.log_weight)
        return result

    @property
    def effective(self) -> float:
        """Effective number of samples, 1 / sum w^2 (Kish 1965)."""
        return effective_number(self.log_weight)

    @property
    def largest_share(self) -> float:
        """The largest weight."""
        return float(np.exp(self.log_weight.max()))

    def mean(self, values: FloatArray) -> float:
        """Posterior mean of a quantity of shape (n,)."""
        return float(np.sum(self.weight * values))

    def resampled(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """``n`` points of equal weight, shape (n, d), and their ln L."""
        weight = self.weight
        chosen = rng.choice(len(weight), n, p=weight / weight.sum())
        return self.u[chosen], self.log_likelihood[chosen]

    def pruned(self, rng: np.random.Generator, n: int) -> "WeightedSamples":
        """At most about ``n`` of the samples: light ones survive by chance and gain in weight."""
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
    """The weight t for which the sum of min(1, w/t) is n."""
    low, high = 0.0, float(weight.sum()) / n * 2
    for _ in range(100):
        middle = (low + high) / 2
        kept = np.minimum(1, weight / middle).sum()
        low, high = (middle, high) if kept > n else (low, middle)
    return high


@dataclass(frozen=True)
class Evidence:
    """ln Z = ln of the mean likelihood over the prior."""

    log_z: float
    error: float
    """Standard error."""
    evaluations: int
    """Calls of the likelihood, per point."""
    independent: tuple[tuple[float, float], ...] = ()
    """ln Z and error from each independent adaptation alone."""
    spread: float | None = None
    """Standard error of ln Z from the scatter over batches of draws, beside ``error``."""


@dataclass(frozen=True)
class DeadPoints:
    """Every point of a nested sampling run, in the order in which they died."""

    u: FloatArray
    """Shape (n, d)."""
    log_likelihood: FloatArray
    """Shape (n,), -inf where the likelihood is zero."""
    log_birth: FloatArray
    """ln L above which each was drawn, -inf for draws from the prior; shape (n,)."""


@dataclass(frozen=True)
class Samples:
    """A sampled posterior."""

    engine: str
    weighted: WeightedSamples
    evidence: Evidence
    u: FloatArray
    """Samples of equal weight, shape (ensembles, steps, walkers, d)."""
    log_likelihood: FloatArray
    """Of these, shape (ensembles, steps, walkers)."""
    thin: int
    """Steps between those kept."""
    acceptance: tuple[float, ...]
    """Mean acceptance of each ensemble; empty if the engine has none."""
    diagnostics: Diagnostics
    shortcomings: tuple[str, ...]
    """Why the result is not converged, with remedies; empty if it is."""
    dead_points: DeadPoints | None = None
    """If the engine is nested sampling."""

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
    """Effective number of weighted samples, (sum w)^2 / sum w^2 (Kish 1965)."""
    if not len(log_weights) or not np.isfinite(peak := log_weights.max()):
        return 0.0
    weights = np.exp(log_weights - peak)
    return float(weights.sum() ** 2 / np.sum(weights**2))


@dataclass(frozen=True)
class StoredSamples:
    """Posterior samples of every parameter that is not fixed."""

    values: Mapping[str, FloatArray]
    """Each of shape (ensembles, steps, walkers)."""
    log_likelihood: FloatArray
    """Shape (ensembles, steps, walkers)."""
    attributes: Mapping[str, Mapping[str, Any]]
    """Per parameter: ``symbol`` (LaTeX), ``unit``, ``scale`` and its ``lower`` end, ``step``."""
    log_weight: FloatArray | None = None
    """Of weighted samples, shape (ensembles, steps, walkers)."""
