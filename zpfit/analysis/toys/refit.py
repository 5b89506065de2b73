"""Best fits of many pseudo-experiments at once, some fifty times faster than global searches.

Pseudo-experiments of one hypothesis differ by their noise alone, so that what fits one is a good
start for another. A pool of solutions is searched once for a few hundred experiments that nobody
counts; every experiment then begins with the best of the pool, a few descents from its end, where
a global search would need thousands of random ones. All descents share each call of the
likelihood.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.posterior import Posterior
from zpfit.inference.search.descent import descend_rows, kick
from zpfit.io.arrays import FloatArray

_TRAINING = 300
"""Experiments, drawn apart from the counted ones, whose solutions make up the pool."""
_RANDOM_STARTS, _RANDOM_STARTS_WITH_STEPS = 12_000, 20_000
"""Of descents from which the pool begins; they do not cross steps of a prior."""
_TRAINING_ROUNDS = 8
_TRAINING_STARTS, _KEPT_OF_EACH = 8, 16
"""Of each training experiment in a round, and solutions of it that stay in the pool."""
_STARTS = 40
"""From the pool, for each experiment."""
_ROUNDS, _ROUNDS_WITH_STEPS = 4, 8
"""Of kicks."""
_KICKED, _KICKS, _MIRRORS = 6, 4, 4
"""Points of each experiment that are kicked; kicks, and changes of sign, of each."""
_APART, _SOLUTIONS_APART = 0.05, 0.02
"""Distance on the unit cube, along any axis, of starts and of solutions that count as different."""
_FINISHED = 3
"""Best points of each experiment that are taken behind the walls."""
_SOFT_WALL, _WALL = 3.0, 10.0
_STEEPER = tuple(100.0 * 10**k for k in range(5))
"""Steepness of walls, raised until a minimum lies inside them."""
_STEPS = 40
_SETTLED = 1e-6
"""Fall in chi2 in one step of a descent that is its last; valleys are long and flat."""
_BLOCK = 4000
"""Points at once: what they work on stays in the cache."""

Index = NDArray[np.intp]


@dataclass(frozen=True)
class Fits:
    """Best fits of several experiments."""

    chi2: FloatArray
    """Shape (toys,); infinite where nothing allowed was found."""
    u: FloatArray
    """On the unit cube, shape (toys, d)."""


@dataclass(frozen=True)
class Experiments:
    """What the data of many experiments say of points; toy i has row i of ``data``."""

    posterior: Posterior
    data: FloatArray
    """Shape (toys, k), as :func:`zpfit.analysis.toys.pseudo_data.pseudo_data` draws them."""

    def costs(self, u: FloatArray, toy: Index, wall: float) -> FloatArray:
        """chi2 and walls of points (n, d), each for the data of its toy; shape (n,)."""
        result = np.empty(len(u))
        for first in range(0, len(u), _BLOCK):
            block = slice(first, first + _BLOCK)
            residuals = self.posterior.residuals(u[block], wall, self.data[toy[block]])
            result[block] = np.einsum("nk,nk->n", residuals, residuals)
        return np.where(np.isnan(result), np.inf, result)

    def chi2(self, u: FloatArray, toy: Index) -> FloatArray:
        """chi2 alone, infinite where points are forbidden; shape (n,)."""
        result = np.full(len(u), np.inf)
        allowed = np.flatnonzero(np.isfinite(self.posterior.log_likelihood(u)))
        result[allowed] = self.costs(u[allowed], toy[allowed], 0.0)
        return result

    def descended(self, u: FloatArray, toy: Index, wall: float) -> tuple[FloatArray, FloatArray]:
        """Ends of descents, shape (n, d), and what they cost, shape (n,)."""
        points, costs = np.empty_like(u), np.empty(len(u))
        for first in range(0, len(u), _BLOCK):
            block = slice(first, first + _BLOCK)
            points[block], costs[block] = self._descended(u[block], toy[block], wall)
        return points, costs

    def _descended(self, u: FloatArray, toy: Index, wall: float) -> tuple[FloatArray, FloatArray]:
        def residuals(u: FloatArray, wall: float, rows: Index) -> FloatArray:
            return self.posterior.residuals(u, wall, self.data[toy[rows]])

        return descend_rows(residuals, u, wall, _STEPS, settled=_SETTLED)


def solution_pool(posterior: Posterior, truth: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Points of the unit cube, shape (n, d), among which starts for any experiment are.

    The data that were really seen are fitted as well: they may be unlike any experiment's.

    Parameters
    ----------
    posterior: binds model, priors and likelihood.
    truth: expectation of each measurement under the hypothesis, shape (k,).
    rng: for training experiments and starts.

    Raises
    ------
    NoSamplingDistribution
        A measurement is a table of chi2.
    """
    likelihood, grain = posterior.likelihood, posterior.priors.grain
    drawn = likelihood.sample_data(truth, rng.standard_normal((_TRAINING, len(truth))))
    experiments = Experiments(posterior, np.vstack([drawn, likelihood.data]))
    starts = _RANDOM_STARTS_WITH_STEPS if grain.any() else _RANDOM_STARTS
    toy = rng.integers(len(experiments.data), size=starts)
    pool, _ = experiments.descended(rng.random((starts, posterior.dimension)), toy, _SOFT_WALL)
    for _ in range(_TRAINING_ROUNDS):
        toy, u = _from_pool(experiments, pool, _TRAINING_STARTS)
        new_toy, new = _kicked(posterior, toy, u, rng, 1, 1)
        toy = np.concatenate([toy, new_toy])
        u, costs = experiments.descended(np.vstack([u, new]), toy, _WALL)
        kept = apart_of_each(toy, u, costs, _KEPT_OF_EACH, _SOLUTIONS_APART)
        pool = np.unique(u[kept], axis=0)
    return pool


def refit(
    posterior: Posterior, pool: FloatArray, data: FloatArray, rng: np.random.Generator
) -> Fits:
    """The best fit to each row of ``data``, shape (toys, k); ``pool`` is what to start from.

    It is what a search finds, so strictly an upper bound of the least chi2.
    """
    experiments = Experiments(posterior, data)
    toy, u = _from_pool(experiments, pool, _STARTS)
    u, costs = experiments.descended(u, toy, _WALL)
    for _ in range(_ROUNDS_WITH_STEPS if posterior.priors.grain.any() else _ROUNDS):
        kept = apart_of_each(toy, u, costs, _KICKED, _APART)
        toy, u, costs = toy[kept], u[kept], costs[kept]
        new_toy, new = _kicked(posterior, toy, u, rng, _KICKS, _MIRRORS)
        new, new_costs = experiments.descended(new, new_toy, _WALL)
        toy, u = np.concatenate([toy, new_toy]), np.vstack([u, new])
        costs = np.concatenate([costs, new_costs])
    # What the others have found may do for an experiment what it has not found itself.
    kept = best_of_each(toy, costs, _FINISHED)
    new_toy, new = _from_pool(experiments, u[kept], _KICKED)
    new, new_costs = experiments.descended(new, new_toy, _WALL)
    toy, u = np.concatenate([toy[kept], new_toy]), np.vstack([u[kept], new])
    kept = best_of_each(toy, np.concatenate([costs[kept], new_costs]), _FINISHED)
    toy, u = toy[kept], u[kept]
    u, chi2 = _inside(experiments, u, toy)
    best = best_of_each(toy, chi2, 1)
    return Fits(chi2[best], u[best])


def _from_pool(experiments: Experiments, pool: FloatArray, n: int) -> tuple[Index, FloatArray]:
    """For each toy the ``n`` points of a pool that fit best and are apart: toys, and points."""
    toys, size = len(experiments.data), len(pool)
    costs = np.empty((toys, size))
    for row in range(toys):
        costs[row] = experiments.costs(pool, np.full(size, row), _WALL)
    toy, index = cheapest_apart(costs, np.arange(size)[None], pool, n, _APART)
    return toy, pool[index]


def _kicked(
    posterior: Posterior,
    toy: Index,
    u: FloatArray,
    rng: np.random.Generator,
    kicks: int,
    mirrors: int,
) -> tuple[Index, FloatArray]:
    """New starts around points: kicked, and with signs changed, as observables hold products."""
    near = kick(u, posterior.priors.grain, rng, kicks)
    mirrored = np.repeat(u, mirrors, axis=0)
    supports = [prior.support() for prior in posterior.priors.free.values()]
    signed = np.array([low == -high for low, high in supports])
    flipped = signed & (rng.random(mirrored.shape) < 0.5)
    toys = np.concatenate([np.repeat(toy, kicks), np.repeat(toy, mirrors)])
    return toys, np.vstack([near, np.where(flipped, 1 - mirrored, mirrored)])


def _inside(experiments: Experiments, u: FloatArray, toy: Index) -> tuple[FloatArray, FloatArray]:
    """Points behind walls as steep as each needs, and their true chi2."""
    points = u.copy()
    chi2 = experiments.chi2(points, toy)
    for wall in _STEEPER:
        outside = np.flatnonzero(~np.isfinite(chi2))
        if not len(outside):
            break
        points[outside], _ = experiments.descended(points[outside], toy[outside], wall)
        chi2[outside] = experiments.chi2(points[outside], toy[outside])
    return points, chi2


def best_of_each(toy: Index, costs: FloatArray, n: int) -> Index:
    """Indices of the ``n`` cheapest entries of each toy, toy by toy."""
    order, rank = _ranked(toy, costs)
    return order[rank < n]


def apart_of_each(toy: Index, u: FloatArray, costs: FloatArray, n: int, apart: float) -> Index:
    """Indices of the ``n`` cheapest points of each toy that are apart, toy by toy."""
    order, rank = _ranked(toy, costs)
    # A table with a row for each toy; what is missing in a row is infinitely dear.
    index = np.zeros((int(toy.max()) + 1, int(rank.max()) + 1), dtype=np.intp)
    table = np.full(index.shape, np.inf)
    index[toy[order], rank] = order
    table[toy[order], rank] = costs[order]
    _, chosen = cheapest_apart(table, index, u, n, apart)
    return chosen


def cheapest_apart(
    costs: FloatArray, index: Index, u: FloatArray, n: int, apart: float
) -> tuple[Index, Index]:
    """In each row the ``n`` cheapest points of which no two are closer than ``apart``.

    Parameters
    ----------
    costs: shape (toys, m); those that are not finite are never chosen.
    index: which of the points ``u`` each column stands for, shape (toys or 1, m).
    u: points, shape (p, d).
    n: how many at most.
    apart: along any axis of the unit cube.

    Returns
    -------
    Rows, and indices of points, row by row from the cheapest on.
    """
    costs = np.where(np.isnan(costs), np.inf, costs)
    rows = np.arange(len(costs))
    coordinates = [column[index] for column in u.T]
    index = np.broadcast_to(index, costs.shape)
    chosen = []
    for _ in range(n):
        best = np.argmin(costs, axis=1)
        taken = index[rows, best]
        chosen.append(np.where(np.isfinite(costs[rows, best]), taken, -1))
        close = np.ones(costs.shape, dtype=bool)
        for column, at in zip(coordinates, u[taken].T, strict=True):
            close &= np.abs(column - at[:, None]) < apart
        costs[close] = np.inf
    found = np.stack(chosen, axis=1)
    toy, rank = np.nonzero(found >= 0)
    return toy, found[toy, rank]


def _ranked(toy: Index, costs: FloatArray) -> tuple[Index, Index]:
    """Entries by toy and then by cost, and the rank of each within its toy."""
    order = np.lexsort((costs, toy))
    ranked = toy[order]
    return order, np.arange(len(order)) - np.searchsorted(ranked, ranked)
