"""Adapt a map of the unit cube to a likelihood, with vegas.

The adapted map turns uniform random numbers into points that lie about where
the posterior is: a source of starting points and of proposals.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import vegas
from scipy.optimize import brentq

from zpfit.errors import NoAllowedPoint
from zpfit.physics.compiled import FloatArray

LogLikelihood = Callable[[FloatArray], FloatArray]
"""Points of the unit cube, shape (n, d), to ln L, shape (n,)."""

_BATCH = 100_000
"""Evaluations of one adaptation."""
_SEARCH_LIMIT = 5_000_000
"""Prior draws after which a likelihood that is zero everywhere is given up."""
_ADAPTATIONS = 8
_HEATED_SHARE = 0.02
"""Effective share of a batch that a heated likelihood must keep, so that a map can follow it."""


@dataclass(frozen=True)
class AdaptedMap:
    """A separable density on the unit cube that follows a likelihood."""

    vegas_map: vegas.AdaptiveMap

    def draw(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """``n`` points, shape (n, d), and the ln of their density, shape (n,)."""
        y = rng.random((n, self.vegas_map.dim))
        u, jacobian = np.empty_like(y), np.empty(n)
        self.vegas_map.map(y, u, jacobian)
        return u, -np.log(jacobian)

    def log_density(self, u: FloatArray) -> FloatArray:
        """ln of the density at points of shape (n, d)."""
        y, jacobian = np.empty_like(u), np.empty(len(u))
        self.vegas_map.invmap(np.ascontiguousarray(u), y, jacobian)
        result: FloatArray = -np.log(jacobian)
        return result


def adapt_map(
    log_likelihood: LogLikelihood, dimension: int, rng: np.random.Generator
) -> AdaptedMap:
    """Adapt a map, first to heated likelihoods L^beta with beta rising to 1, then to L.

    Heating lets the map find a posterior that fills a tiny part of the prior.

    Raises:
        NoAllowedPoint: no draw from the prior has a finite likelihood.
    """
    integrator = vegas.Integrator(
        [[0, 1]] * dimension, ran_array_generator=rng.random, nproc=1, mpi=False, neval=_BATCH
    )
    adapted = AdaptedMap(integrator.map)
    _require_allowed_point(log_likelihood, dimension, rng)
    beta, cold_adaptations = 0.0, 0
    while cold_adaptations < _ADAPTATIONS:
        u, log_density = adapted.draw(rng, _BATCH)
        log_l = log_likelihood(u)
        beta = max(beta, _highest_beta(log_l, log_density))
        peak = beta * log_l.max()
        cold_adaptations += beta == 1.0

        @vegas.batchintegrand  # type: ignore[untyped-decorator]
        def heated(u: FloatArray, beta: float = beta, peak: float = peak) -> FloatArray:
            return np.exp(np.minimum(beta * log_likelihood(np.asarray(u)) - peak, 600.0))

        integrator(heated, nitn=1)
    return adapted


def _require_allowed_point(
    log_likelihood: LogLikelihood, dimension: int, rng: np.random.Generator
) -> None:
    for _ in range(_SEARCH_LIMIT // _BATCH):
        if np.isfinite(log_likelihood(rng.random((_BATCH, dimension)))).any():
            return
    raise NoAllowedPoint(_SEARCH_LIMIT)


def _highest_beta(log_l: FloatArray, log_density: FloatArray) -> float:
    """The largest beta <= 1 for which the weights L^beta/density keep an effective share."""
    allowed = np.isfinite(log_l)
    log_l, log_density = log_l[allowed], log_density[allowed]
    wanted = _HEATED_SHARE * len(allowed)

    def excess(beta: float) -> float:
        return effective_number(beta * log_l - log_density) - wanted

    if excess(1.0) >= 0:
        return 1.0
    if excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 0.0, 1.0, xtol=1e-4))


def effective_number(log_weights: FloatArray) -> float:
    """Effective number of weighted samples, (sum w)^2 / sum w^2 (Kish)."""
    if not len(log_weights) or not np.isfinite(peak := log_weights.max()):
        return 0.0
    weights = np.exp(log_weights - peak)
    return float(weights.sum() ** 2 / np.sum(weights**2))


def draw_posterior(
    adapted: AdaptedMap, log_likelihood: LogLikelihood, rng: np.random.Generator, n: int
) -> FloatArray:
    """``n`` points in proportion to the posterior, shape (n, d), by weighted resampling.

    Draws from the map until the effective number of weighted samples is ten
    times ``n``, so that few points come twice.

    Raises:
        NoAllowedPoint: none of many draws has a finite likelihood.
    """
    points, log_weights = [], []
    for _ in range(_SEARCH_LIMIT // _BATCH):
        u, log_density = adapted.draw(rng, _BATCH)
        log_weight = log_likelihood(u) - log_density
        allowed = np.isfinite(log_weight)
        points.append(u[allowed])
        log_weights.append(log_weight[allowed])
        if effective_number(np.concatenate(log_weights)) > 10 * n:
            break
    log_weight = np.concatenate(log_weights)
    if not len(log_weight):
        raise NoAllowedPoint(_SEARCH_LIMIT)
    weights = np.exp(log_weight - log_weight.max())
    chosen = rng.choice(len(weights), n, p=weights / weights.sum())
    result: FloatArray = np.concatenate(points)[chosen]
    return result
