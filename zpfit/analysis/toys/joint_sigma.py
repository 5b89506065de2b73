"""The joint sigma of many pseudo-experiments at once.

As in :mod:`zpfit.analysis.joint_sigma`: the smallest level within which every anomaly can
be met while the other measurements lie within their limits and nothing is violated. Here least
squares alone pull all experiments below levels that are halved between what has been reached and
what has not, each experiment its own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.joint_sigma import heights_of_anomalies
from zpfit.analysis.toys.refit import apart_of_each, cheapest_apart
from zpfit.errors import NoAnomalies
from zpfit.inference.posterior import Posterior
from zpfit.inference.search.descent import descend_rows, kick
from zpfit.inference.search.minmax import Heights
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import wall_residual

MET = 1e-3
"""Level that is as good as zero, and precision of the others."""
_FIRST_LEVELS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Largest pulls that are aimed at: zero by all, the others while nothing has been reached."""
_AGAIN = (0.7, 0.9, 0.97, 0.9, 0.97)
"""Shares of what has been reached that are tried once more at the end, harder."""
_HARDER = 3
"""Times as many starts and kicks."""
_MAX_HALVINGS = 14
_MARGIN = 2e-4
"""By which descents aim below levels and limits, as they come to rest on edges."""
_WALL = 30.0
_STEPS, _SETTLED = 30, 1e-12
"""Of descents; their sums of squares are zero where everything is met."""
_STARTS, _KEPT, _KICKS = 16, 4, 4
"""From the pool, solutions so far and kicks of each, for each level of each experiment."""
_APART = 0.05
_BLOCK = 4000

Index = NDArray[np.intp]


@dataclass(frozen=True)
class _Judge:
    """What is asked of points by each experiment."""

    posterior: Posterior
    data: FloatArray
    """Shape (toys, k)."""
    limits: JointSigmaSpec

    def heights(self, u: FloatArray, toy: Index) -> Heights:
        """Of points (n, d), each for the data of its toy."""
        standing = self.posterior.standing(u, self.data[toy])
        return heights_of_anomalies(self.posterior, standing, self.limits)

    def excesses(self, u: FloatArray, toy: Index, level: FloatArray) -> FloatArray:
        """By how much a level (n,) and the demands are exceeded, a hair inside; shape (n, k)."""
        heights = self.heights(u, toy)
        return np.stack([*_above(heights, level), *_violations(heights)], axis=1)

    def descended(
        self, u: FloatArray, toy: Index, level: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Ends of descents towards levels, and their sums of squares."""
        points, costs = np.empty_like(u), np.empty(len(u))
        for first in range(0, len(u), _BLOCK):
            block = slice(first, first + _BLOCK)
            points[block], costs[block] = self._descended(u[block], toy[block], level[block])
        return points, costs

    def _descended(
        self, u: FloatArray, toy: Index, level: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        def residuals(u: FloatArray, _: float, rows: Index) -> FloatArray:
            return self.excesses(u, toy[rows], level[rows])

        return descend_rows(residuals, u, _WALL, _STEPS, settled=_SETTLED)


def joint_sigmas(
    posterior: Posterior,
    pool: FloatArray,
    data: FloatArray,
    fits: FloatArray,
    limits: JointSigmaSpec,
    rng: np.random.Generator,
) -> FloatArray:
    """The joint sigma of each experiment, shape (toys,), zero below :data:`MET`.

    Infinite where the other measurements and the exclusions leave nothing. Strictly upper bounds,
    as a search finds them.

    Parameters
    ----------
    posterior: binds model, priors and likelihood.
    pool: where descents start, shape (n, d), see :func:`zpfit.analysis.toys.refit.solution_pool`.
    data: of the experiments, shape (toys, k).
    fits: best fit of each, shape (toys, d), where descents start as well.
    limits: how far off the other measurements may be.
    rng: for kicks.

    Raises
    ------
    NoAnomalies
        The likelihood has no magnetic moment.
    """
    if not posterior.likelihood.anomalies:
        raise NoAnomalies(posterior.likelihood.name)
    search = _Search(_Judge(posterior, data, limits), pool, fits, rng)
    for level in _FIRST_LEVELS:
        left = np.flatnonzero(search.reached >= (np.inf if level else MET))
        search.aim(left, np.full(len(left), level))
    search.halve()
    for share in _AGAIN:
        left = search.unfinished()
        before = search.reached[left]
        search.aim(left, share * before, _HARDER)
        better = left[search.reached[left] < before - MET]
        search.failed[better] = 0.0
        search.halve()
    return np.where(search.reached < MET, 0.0, search.reached)


def _above(heights: Heights, level: FloatArray | float) -> list[FloatArray]:
    """By how much each anomaly is above a level, a hair below it."""
    # A level of zero is met by equations, not by inequalities: nothing is cut off there.
    aim = np.maximum(np.asarray(level) - _MARGIN, 0)
    return [np.maximum(height - aim, 0) for height in heights.to_lower]


def _violations(heights: Heights) -> list[FloatArray]:
    """By how much the other demands are not met, a hair inside them."""
    limited = [np.maximum(excess + _MARGIN, 0) for excess in heights.limited]
    return [*limited, *(wall_residual(ratio, _WALL) for ratio in heights.ratios)]


def _squares(columns: list[FloatArray]) -> FloatArray:
    """Sum of squares, infinite where something does not exist; shape (n,)."""
    total = sum((column**2 for column in columns), np.zeros(len(columns[0])))
    result: FloatArray = np.where(np.isnan(total), np.inf, total)
    return result


class _Search:
    """Levels that each experiment has reached so far, and those at which it has failed."""

    def __init__(
        self, judge: _Judge, pool: FloatArray, fits: FloatArray, rng: np.random.Generator
    ) -> None:
        self._judge, self._rng = judge, rng
        self._grain = judge.posterior.priors.grain
        self._pool = pool
        toys = len(judge.data)
        self.reached = np.full(toys, np.inf)
        self.failed = np.zeros(toys)
        self._toy, self._u = np.arange(toys), fits
        """Points from which each experiment goes on."""
        self._judged: dict[int, tuple[Heights, FloatArray]] = {}
        """Heights of the pool for an experiment, and what its violations cost."""
        self._note(self._toy, self._u)
        # Most best fits lie beside a point where every anomaly is met, if there is one.
        self._u, _ = judge.descended(fits, self._toy, np.zeros(toys))
        self._note(self._toy, self._u)

    def unfinished(self) -> Index:
        """Experiments that have reached a level, but not zero."""
        return np.flatnonzero(np.isfinite(self.reached) & (self.reached >= MET))

    def halve(self) -> None:
        """Aim between what was reached and where descents failed, until the two meet."""
        for _ in range(_MAX_HALVINGS):
            open_ = self.unfinished()
            open_ = open_[self.reached[open_] - self.failed[open_] > MET]
            if not len(open_):
                return
            self.aim(open_, (self.reached[open_] + self.failed[open_]) / 2)

    def aim(self, toys: Index, level: FloatArray, effort: int = 1) -> None:
        """Descend towards a level for each of some experiments; note what is reached."""
        if not len(toys):
            return
        levels = np.zeros(len(self.reached))
        levels[toys] = level
        toy, u = self._starts(toys, levels, effort)
        u, costs = self._judge.descended(u, toy, levels[toy])
        self._note(toy, u)
        kept = apart_of_each(toy, u, costs, 2 * _KEPT, _APART)
        others = ~np.isin(self._toy, toys)
        self._toy = np.concatenate([self._toy[others], toy[kept]])
        self._u = np.vstack([self._u[others], u[kept]])
        missed = toys[self.reached[toys] > np.maximum(level, MET)]
        self.failed[missed] = np.maximum(self.failed[missed], levels[missed])

    def _starts(self, toys: Index, levels: FloatArray, effort: int) -> tuple[Index, FloatArray]:
        size = len(self._pool)
        costs = np.empty((len(toys), size))
        for row, number in enumerate(toys):
            costs[row] = self._pool_costs(int(number), float(levels[number]))
        at, index = cheapest_apart(
            costs, np.arange(size)[None], self._pool, effort * _STARTS, _APART
        )
        own = np.isin(self._toy, toys)
        toy, u = self._toy[own], self._u[own]
        kicks = effort * _KICKS // 2
        kicked = kick(u, self._grain, self._rng, kicks)
        return (
            np.concatenate([toys[at], toy, np.repeat(toy, kicks)]),
            np.vstack([self._pool[index], u, kicked]),
        )

    def _pool_costs(self, toy: int, level: float) -> FloatArray:
        if toy not in self._judged:
            heights = self._judge.heights(self._pool, np.full(len(self._pool), toy))
            self._judged[toy] = heights, _squares(_violations(heights))
        heights, violations = self._judged[toy]
        return _squares(_above(heights, level)) + violations

    def _note(self, toy: Index, u: FloatArray) -> None:
        largest = self._judge.heights(u, toy).largest()
        np.minimum.at(self.reached, toy, np.where(np.isnan(largest), np.inf, largest))
