"""The smallest that the largest of some heights can be made while demands are met.

Least squares pull many points towards a level below which all heights should be, and
towards what is demanded; sequential quadratic programming takes the best of them to the optimum.
A search starts from around the points that are best for its level of all that were met before, be
they from all over the cube or from searches for other levels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from zpfit.inference.search.descent import best_points, cost, descend, kick
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import wall_residual

_STARTS, _STARTS_WITH_STEPS = 100, 600
"""Of descents from all over the cube, times the number of parameters."""
_POLISHED = 8
"""Best points for a level from which the constrained search may go on."""
_FRUITLESS, _PROGRESS = 2, 1e-6
"""Of these in a row without progress, after which the others are left alone."""
_WALL = 30.0
"""Steepness of exclusions beside heights."""
_DESCENT_STEPS = 30
"""Few, as the constrained search goes on."""
_SETTLED = 1e-5
"""Fall of the sum of squares in a step that ends a descent."""
_MARGIN = 1e-6
"""By which the constrained search keeps inside, as it ends on edges to rounding."""
_STEP = 1e-7
_LOWEST_LOG = -20.0
"""Of a ratio that is far below its limit, or zero."""
_LARGEST_HEIGHT = 1e6
"""Beyond which heights do not tell how far off a point is."""


@dataclass(frozen=True)
class Heights:
    """What a point is judged by, each list of shape (n,) arrays."""

    to_lower: Sequence[FloatArray]
    """Of these the largest is to be made small."""
    limited: Sequence[FloatArray]
    """These must not be positive."""
    ratios: Sequence[FloatArray]
    """These must not exceed 1."""

    def largest(self) -> FloatArray:
        """The largest height, infinite where a demand is not met; shape (n,)."""
        result: FloatArray = np.max(self.to_lower, axis=0)
        for excess in self.limited:
            result = np.where(excess <= 0, result, np.inf)
        for ratio in self.ratios:
            result = np.where(ratio <= 1, result, np.inf)
        return result

    def slacks(self) -> FloatArray:
        """What the demands leave, those on heights as if their level were zero; shape (n, k)."""
        heights = np.minimum([*self.to_lower, *self.limited], _LARGEST_HEIGHT)
        logs = np.log(np.maximum(self.ratios, np.exp(_LOWEST_LOG)))
        result: FloatArray = (
            -_MARGIN - np.concatenate([heights, logs.reshape(-1, heights.shape[1])]).T
        )
        return result

    def residuals(self, level: float, wall: float) -> FloatArray:
        """By how much a level and the demands are exceeded, shape (n, k)."""
        above = [height - level for height in self.to_lower]
        heights = np.maximum([*above, *self.limited], 0)
        walls = wall_residual(np.array(self.ratios), wall).reshape(-1, heights.shape[1])
        result: FloatArray = np.concatenate([heights, walls]).T
        return result


Judge = Callable[[FloatArray], Heights]
"""Points of the unit cube, shape (n, d), to their heights."""


@dataclass(frozen=True)
class Lowest:
    """The smallest level that was found, and where."""

    level: float
    """Infinite if the demands are met nowhere."""
    u: FloatArray
    """On the unit cube, shape (d,)."""

    def or_lower(self, other: "Lowest") -> "Lowest":
        """The lower of the two."""
        return other if other.level < self.level else self


def starts_for(grain: FloatArray) -> int:
    """How many points :func:`scattered` starts from."""
    return len(grain) * (_STARTS_WITH_STEPS if grain.any() else _STARTS)


def scattered(
    judge: Judge, level: float, grain: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Where descents that aim at a level end from all over the cube, shape (n, d).

    ``grain`` is as in :mod:`zpfit.inference.search.descent`.
    """
    return _descended(judge, level, rng.random((starts_for(grain), len(grain))))


def lowest_near(
    judge: Judge,
    level: float,
    known: FloatArray,
    grain: FloatArray,
    rng: np.random.Generator,
    polished: int = _POLISHED,
) -> tuple[Lowest, FloatArray]:
    """What descents that aim at a level lead to from around the best of known points, (n, d).

    From as many as ``polished`` of the best the constrained search goes on.

    Returns
    -------
    The lowest of what was led to, which may be above known points, and all points known now.
    """
    kept = known[best_points(known, _ranks(judge, level, known), grain)]
    known = np.concatenate([known, _descended(judge, level, kick(kept, grain, rng))])
    best = best_points(known, _ranks(judge, level, known), grain)[:polished]
    # Descents may be inside already where the constrained search ends on an edge, a hair outside.
    reached = lowest_of_points(judge, known[best])
    fruitless = 0
    for index in best:
        found = lowest_of_points(judge, _polished(judge, known[index], grain == 0)[None])
        if found.level < reached.level - _PROGRESS:
            fruitless = 0
        elif np.isfinite(found.level):  # one that meets the demands tells where others lead
            fruitless += 1
        reached = reached.or_lower(found)
        if fruitless == _FRUITLESS:
            break
    return reached, np.vstack([known, reached.u])


def _descended(judge: Judge, level: float, starts: FloatArray) -> FloatArray:
    def residuals(u: FloatArray, wall: float) -> FloatArray:
        return judge(u).residuals(level, wall)

    return descend(residuals, starts, _WALL, _DESCENT_STEPS, settled=_SETTLED)[0]


def _ranks(judge: Judge, level: float, points: FloatArray) -> FloatArray:
    """Places by what a level and the demands are exceeded, and by height where that is the same."""
    heights = judge(points)
    costs = cost(heights.residuals(level, _WALL))
    result = np.empty(len(points))
    result[np.lexsort((np.max(heights.to_lower, axis=0), costs))] = np.arange(len(points))
    return result


def lowest_of_points(judge: Judge, points: FloatArray) -> Lowest:
    """The best of points, shape (n, d)."""
    largest = judge(points).largest()
    index = int(np.argmin(largest))
    return Lowest(float(largest[index]), points[index])


def _polished(judge: Judge, start: FloatArray, free: NDArray[np.bool_]) -> FloatArray:
    """Sequential quadratic programming: the least level with every demand as a constraint."""
    slopes = _Slopes(judge, start, free)
    first = float(-slopes.slacks(np.append(start[free], 0.0))[: slopes.n_lowered].min())
    result = minimize(
        lambda x: x[-1],
        np.append(start[free], first),
        jac=lambda x: np.append(np.zeros(len(x) - 1), 1.0),
        method="SLSQP",
        bounds=[(0, 1)] * int(free.sum()) + [(None, None)],
        constraints={"type": "ineq", "fun": slopes.slacks, "jac": slopes.gradients},
        options={"maxiter": 60, "ftol": 1e-7},
    )
    return slopes.point(result.x)


class _Slopes:
    """Slacks and their gradients at one point after another.

    The coordinates x are the free ones of the unit cube and the level. One call of the judge
    answers for both, as a few points take it no longer than one.
    """

    def __init__(self, judge: Judge, start: FloatArray, free: NDArray[np.bool_]) -> None:
        self._judge, self._start, self._free = judge, start, np.flatnonzero(free)
        self.n_lowered = len(judge(start[None]).to_lower)
        self._answered = b""
        self._values, self._gradients = np.empty(0), np.empty((0, 0))

    def point(self, x: FloatArray) -> FloatArray:
        """On the unit cube, shape (d,)."""
        u = self._start.copy()
        u[self._free] = np.clip(x[:-1], 0, 1)
        return u

    def slacks(self, x: FloatArray) -> FloatArray:
        """What the demands leave and the level leaves the heights, shape (k,)."""
        self._answer(x[:-1])
        values = self._values.copy()
        values[: self.n_lowered] += x[-1]
        return values

    def gradients(self, x: FloatArray) -> FloatArray:
        """Of the slacks by each coordinate, shape (k, number of coordinates)."""
        self._answer(x[:-1])
        return self._gradients

    def _answer(self, free: FloatArray) -> None:
        key = free.tobytes()
        if key == self._answered:
            return
        u = self.point(np.append(free, 0.0))
        steps = np.where(u > 0.5, -_STEP, _STEP)[self._free]
        points = np.repeat(u[None], len(steps) + 1, axis=0)
        points[np.arange(len(steps)), self._free] += steps
        slacks = self._judge(points).slacks()
        by_level = np.zeros((slacks.shape[1], 1))
        by_level[: self.n_lowered] = 1
        by_coordinate = ((slacks[:-1] - slacks[-1]) / steps[:, None]).T
        self._values, self._gradients = slacks[-1], np.hstack([by_coordinate, by_level])
        self._answered = key
