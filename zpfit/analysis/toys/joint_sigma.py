"""The joint sigma of many pseudo-experiments at once.

See :mod:`zpfit.analysis.joint_sigma` for the definition. Here least squares alone pull all
experiments below their levels. Each experiment bisects between the lowest level that it has
reached and the highest at which it has failed.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zpfit.analysis.joint_sigma import AnomalyConstraints
from zpfit.errors import NoAnomalies
from zpfit.inference.posterior import Posterior
from zpfit.inference.search.descent import BLOCK, TRUST, descend_rows, sum_of_squares
from zpfit.inference.search.kicks import kick
from zpfit.inference.search.minmax import Constraints, polished_from
from zpfit.inference.search.selection import (
    Index,
    apart_of_each,
    best_of_each,
    cheapest_apart,
    cheapest_of_strata,
)
from zpfit.inference.search.strata import search_space
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import wall_residual

MET = 1e-3
"""Level that counts as zero, and smallest progress, in standard errors."""
_FIRST_LEVELS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Levels at which descents aim: all experiments at zero, the others until they reach one."""
_GAP = 0.05
"""Distance of reached and failed levels at which bisection ends; the constrained search follows."""
_MAX_HALVINGS = 9
"""Largest number of bisections; 9 reduce an interval of 16 to the gap."""
_AGAIN = (0.7, 0.97)
"""Levels, as fractions of the best one, of the final searches with more starts."""
_FEWER, _MORE = 0.25, 3.0
"""Factors of starts and kicks in bisections, which continue from points at hand, and in the final
searches, which look for other basins."""
_MARGIN = 2e-4
"""Margin by which descents aim inside levels and limits, as they end on edges."""
_WALL = 30.0
"""Steepness of the walls of exclusions."""
_STEPS, _TOLERANCE = 30, 1e-12
"""Steps and tolerance of descents; sums of squares are zero where every constraint is met."""
_NEAR_BEST = 0.1
"""Distance of the sum of squares from the best descent of an experiment within which others are
followed."""
_STARTS, _KEPT, _KICKS = 16, 4, 2
"""Starts from the pool, solutions kept and kicks of each, per level and experiment."""
_POLISHED, _ITERATIONS = 3, 20
"""Solutions of each experiment from which the constrained search starts, beside its best point,
and its iterations; one that fails would use many more."""
_STRATA = 8
"""Starts from the pool that are the best of their stratum, per level and experiment."""
_APART = 0.05
"""Smallest distance of two starts, along any axis of the unit cube."""


@dataclass(frozen=True)
class _Objectives:
    """Objectives and constraints of each experiment."""

    posterior: Posterior
    data: FloatArray
    """Data of the experiments, shape (toys, k)."""
    limits: JointSigmaSpec

    @cached_property
    def _of_points(self) -> AnomalyConstraints:
        return AnomalyConstraints(self.posterior, self.limits)

    def constraints(self, u: FloatArray, toy: Index) -> Constraints:
        """Return the constraints at points (n, d), each for the data of its toy."""
        return self._of_points(u, self.data[toy])

    def excesses(self, u: FloatArray, toy: Index, level: FloatArray) -> FloatArray:
        """Return the excesses over levels (n,) and limits, less a margin; shape (n, k)."""
        constraints = self.constraints(u, toy)
        return np.concatenate([_above(constraints, level), _violations(constraints)]).T

    def descended(
        self, u: FloatArray, toy: Index, level: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the end points of descents towards levels, and their sums of squares."""

        def residuals(u: FloatArray, _: float, rows: Index) -> FloatArray:
            return self.excesses(u, toy[rows], level[rows])

        return descend_rows(
            residuals,
            u,
            _WALL,
            _STEPS,
            tolerance=_TOLERANCE,
            block=BLOCK,
            margin=_NEAR_BEST,
            label=toy,
            trust=TRUST,
        )


def joint_sigmas(
    posterior: Posterior,
    pool: FloatArray,
    data: FloatArray,
    fits: FloatArray,
    limits: JointSigmaSpec,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the joint sigma of each experiment, shape (toys,), zero below :data:`MET`.

    It is infinite if no point meets the other measurements and the exclusions. A search finds
    the results, so they are upper bounds.

    Parameters
    ----------
    posterior
        Model, priors and likelihood.
    pool
        Starts of descents on the unit cube, shape (n, d); see
        :func:`zpfit.analysis.toys.refit.solution_pool`.
    data
        Data of the experiments, shape (toys, k).
    fits
        Best fit of each experiment, shape (toys, d), where descents start as well.
    limits
        Largest pulls of the other measurements, in standard errors.
    rng
        Generator of the kicks.

    Raises
    ------
    NoAnomalies
        The likelihood has no magnetic moment.
    """
    if not posterior.likelihood.anomalies:
        raise NoAnomalies(posterior.likelihood.name)
    search = _Search(_Objectives(posterior, data, limits), pool, fits, rng)
    for level in _FIRST_LEVELS:
        left = np.flatnonzero(search.reached >= (np.inf if level else MET))
        search.aim(left, np.full(len(left), level))
    search.halve()
    search.polish(search.unfinished())
    for share in _AGAIN:
        left = search.unfinished()
        before = search.reached[left]
        search.aim(left, share * before, _MORE)
        better = left[search.reached[left] < before - MET]
        search.failed[better] = 0.0
        search.halve()
        search.polish(better)
    # The last searches may have ended near other corners.
    search.polish(search.unfinished())
    return np.where(search.reached < MET, 0.0, search.reached)


def _above(constraints: Constraints, level: FloatArray | float) -> FloatArray:
    """Return the amounts by which the anomalies exceed a level, less a margin; shape (a, n)."""
    # At level zero every pull must vanish, so there is no inside to aim at.
    aim = np.maximum(np.asarray(level) - _MARGIN, 0)
    return np.maximum(constraints.objectives - aim, 0)


def _violations(constraints: Constraints) -> FloatArray:
    """Return the amounts by which the other limits, less a margin, are exceeded; (b, n)."""
    excesses = np.maximum(constraints.excesses + _MARGIN, 0)
    return np.concatenate([excesses, wall_residual(constraints.ratios, _WALL)])


class _Search:
    """The lowest level that each experiment has reached, and the highest at which it failed."""

    def __init__(
        self, objectives: _Objectives, pool: FloatArray, fits: FloatArray, rng: np.random.Generator
    ) -> None:
        self._objectives, self._rng = objectives, rng
        self._step_width = objectives.posterior.priors.step_width
        self._pool = pool
        self._space = search_space(objectives.posterior)
        stratum = self._space.stratum
        self._strata = np.zeros(len(pool), dtype=np.intp) if stratum is None else stratum(pool)
        toys = len(objectives.data)
        self.reached, self._best = np.full(toys, np.inf), fits.copy()
        self.failed = np.zeros(toys)
        self._toy, self._u = np.arange(toys), fits
        """Points from which each experiment continues."""
        self._pool_constraints: dict[int, tuple[Constraints, FloatArray]] = {}
        """Constraints of the pool for an experiment, and what its violations cost."""
        self._note(self._toy, self._u)
        # Most best fits lie near a point that meets every anomaly, if there is one.
        self._u, _ = objectives.descended(fits, self._toy, np.zeros(toys))
        self._note(self._toy, self._u)

    def unfinished(self) -> Index:
        """Return the experiments that have reached a level, but not zero."""
        return np.flatnonzero(np.isfinite(self.reached) & (self.reached >= MET))

    def halve(self) -> None:
        """Bisect between reached and failed levels until the two are close."""
        for _ in range(_MAX_HALVINGS):
            open_ = self.unfinished()
            open_ = open_[self.reached[open_] - self.failed[open_] > _GAP]
            if not len(open_):
                return
            self.aim(open_, (self.reached[open_] + self.failed[open_]) / 2, _FEWER)

    def polish(self, left: Index) -> None:
        """Search the optimum around the best points of some experiments.

        Descents end short of corners where several constraints meet.
        """
        # The points of an experiment are in the order of their costs.
        leading = best_of_each(self._toy, np.arange(float(len(self._toy))), _POLISHED)
        leading = leading[np.isin(self._toy[leading], left)]
        toy = np.concatenate([left, self._toy[leading]])
        u = np.vstack([self._best[left], self._u[leading]])
        ends = [self._polished(one, start) for one, start in zip(toy.tolist(), u, strict=True)]
        if ends:
            self._note(toy, np.array(ends))

    def _polished(self, toy: int, start: FloatArray) -> FloatArray:
        def objective(u: FloatArray) -> Constraints:
            return self._objectives.constraints(u, np.full(len(u), toy))

        return polished_from(objective, start, self._space, _ITERATIONS)

    def aim(self, toys: Index, level: FloatArray, effort: float = 1.0) -> None:
        """Descend towards a level for each of some experiments and record the levels reached."""
        if not len(toys):
            return
        levels = np.zeros(len(self.reached))
        levels[toys] = level
        toy, u = self._starts(toys, levels, effort)
        u, costs = self._objectives.descended(u, toy, levels[toy])
        self._note(toy, u)
        kept = apart_of_each(toy, u, costs, 2 * _KEPT, _APART)
        others = ~np.isin(self._toy, toys)
        self._toy = np.concatenate([self._toy[others], toy[kept]])
        self._u = np.vstack([self._u[others], u[kept]])
        missed = toys[self.reached[toys] > np.maximum(level, MET)]
        self.failed[missed] = np.maximum(self.failed[missed], levels[missed])

    def _starts(self, toys: Index, levels: FloatArray, effort: float) -> tuple[Index, FloatArray]:
        size = len(self._pool)
        costs = np.empty((len(toys), size))
        for row, number in enumerate(toys):
            costs[row] = self._pool_costs(int(number), float(levels[number]))
        at, index = cheapest_apart(
            costs, np.arange(size)[None], self._pool, round(effort * _STARTS), _APART
        )
        leading, leader = cheapest_of_strata(costs, self._strata, round(effort * _STRATA))
        own = np.isin(self._toy, toys)
        toy, u = self._toy[own], self._u[own]
        kicks = max(1, round(effort * _KICKS))
        kicked = kick(u, self._step_width, self._rng, kicks)
        return (
            np.concatenate([toys[at], toys[leading], toy, np.repeat(toy, kicks)]),
            np.vstack([self._pool[index], self._pool[leader], u, kicked]),
        )

    def _pool_costs(self, toy: int, level: float) -> FloatArray:
        size = len(self._pool)
        if toy not in self._pool_constraints:
            constraints = self._objectives.constraints(self._pool, np.full(size, toy))
            self._pool_constraints[toy] = constraints, sum_of_squares(_violations(constraints).T)
        constraints, violations = self._pool_constraints[toy]
        return sum_of_squares(_above(constraints, level).T) + violations

    def _note(self, toy: Index, u: FloatArray) -> None:
        largest = self._objectives.constraints(u, toy).largest()
        largest = np.where(np.isnan(largest), np.inf, largest)
        best = best_of_each(toy, largest, 1)
        better = best[largest[best] < self.reached[toy[best]]]
        self.reached[toy[better]], self._best[toy[better]] = largest[better], u[better]
