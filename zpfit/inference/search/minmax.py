"""Min-max problems: minimise the largest of several objectives under constraints.

Least squares pull many points towards a level below which all objectives should lie, and into
the constraints. Sequential quadratic programming then moves the best of them to the optimum.
A search starts around the points that were best for its level among all earlier ones, whether
they came from random starts or from searches for other levels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from zpfit.inference.search.descent import TRUST, descend, sum_of_squares
from zpfit.inference.search.kicks import kick
from zpfit.inference.search.selection import Space
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import wall_residual

_STARTS, _STARTS_WITH_STEPS = 100, 300
"""Random starts of descents for each parameter; more if some parameters are discrete."""
_POLISHED = 8
"""Default number of best points from which the constrained search starts."""
_LEADERS = 24
"""Largest number of strata whose best point is polished in the end."""
_HOPEFUL = 20.0
"""Ratio of the sum of squares of a stratum to the largest one below the best level, beyond which
it is not polished: its descents have not come to their ends, but near them."""
_FRUITLESS, _PROGRESS = 2, 1e-6
"""Successive constrained searches without so much progress that end the polish."""
_WALL = 30.0
"""Steepness of the walls of exclusions, beside objectives in standard errors."""
_DESCENT_STEPS = 30
"""Steps of a descent; few, as the constrained search follows."""
_FEW_STEPS, _FOLLOWED = 10, 4
"""Steps of all descents from random starts where parameters are discrete, and one in so many is
followed to its end. With smooth parameters alone this loses narrow basins."""
_TOLERANCE = 1e-5
"""Decrease of the sum of squares in one step below which a descent ends."""
_NEAR_BEST = 1.0
"""Distance of the sum of squares from the best descent within which others are followed."""
_ITERATIONS = 60
"""Default limit of the iterations of the constrained search."""
_MARGIN = 1e-6
"""Distance that the constrained search keeps from constraints: it ends on edges, to rounding."""
_STEP = 1e-7
"""Step size of finite differences on the unit cube: about the root of the rounding error."""
_LOWEST_LOG = -20.0
"""Lower limit of ln of a ratio, for ratios that are tiny or zero."""
_LARGEST = 1e6
"""Upper limit of objectives and excesses; beyond it they only say that a point is bad."""


@dataclass(frozen=True)
class Constraints:
    """Objectives and constraints at n points."""

    objectives: FloatArray
    """Quantities; the search minimises the largest, shape (a, n)."""
    excesses: FloatArray
    """Quantities that must not be positive, shape (b, n)."""
    ratios: FloatArray
    """Quantities that must not exceed 1, shape (c, n)."""

    @classmethod
    def of(
        cls,
        objectives: Sequence[FloatArray],
        excesses: Sequence[FloatArray],
        ratios: Sequence[FloatArray],
    ) -> "Constraints":
        """Stack sequences of arrays, each of shape (n,); those of constraints may be empty."""
        n = len(objectives[0])
        return cls(*(np.array(rows).reshape(-1, n) for rows in (objectives, excesses, ratios)))

    def largest(self) -> FloatArray:
        """Return the largest objective, infinite where a constraint is violated; shape (n,)."""
        allowed = (self.excesses <= 0).all(axis=0) & (self.ratios <= 1).all(axis=0)
        result: FloatArray = np.where(allowed, self.objectives.max(axis=0), np.inf)
        return result

    def slacks(self) -> FloatArray:
        """Return how far each constraint is from its limit, shape (n, k).

        An objective counts as a constraint with the limit 0. Slacks are negative outside.
        """
        values = np.minimum(np.concatenate([self.objectives, self.excesses]), _LARGEST)
        logs = np.log(np.maximum(self.ratios, np.exp(_LOWEST_LOG)))
        result: FloatArray = -_MARGIN - np.concatenate([values, logs]).T
        return result

    def residuals(self, level: FloatArray | float, wall: float) -> FloatArray:
        """Return the amounts by which a level and the constraints are exceeded, shape (n, k).

        Parameters
        ----------
        level
            Level of all points, or of each, shape (n,).
        wall
            Steepness of exclusions.
        """
        values = np.maximum(np.concatenate([self.objectives - level, self.excesses]), 0)
        result: FloatArray = np.concatenate([values, wall_residual(self.ratios, wall)]).T
        return result


Objective = Callable[[FloatArray], Constraints]
"""Function from points of the unit cube, shape (n, d), to their objectives and constraints."""


@dataclass(frozen=True)
class MinMax:
    """The smallest level of the objectives that was found, and its point."""

    level: float
    """Largest objective; infinite if no point meets the constraints."""
    u: FloatArray
    """Point of the unit cube, shape (d,)."""

    def or_lower(self, other: "MinMax") -> "MinMax":
        """Return the lower one of two results."""
        return other if other.level < self.level else self


def starts_for(space: Space) -> int:
    """Return the number of random starts of :func:`scattered`."""
    starts = _STARTS_WITH_STEPS if space.step_width.any() else _STARTS
    return len(space.step_width) * starts


def scattered(
    objective: Objective,
    level: float,
    space: Space,
    rng: np.random.Generator,
    fraction: float = 1.0,
) -> FloatArray:
    """Return the end points of descents towards a level from random starts, shape (n, d).

    Parameters
    ----------
    objective
        Points (n, d) to their objectives and constraints.
    level
        Level below which all objectives should lie.
    space
        Discrete coordinates and strata.
    rng
        Generator of the starts.
    fraction
        Number of starts over that of :func:`starts_for`.
    """
    number = ceil(fraction * starts_for(space))
    starts = rng.random((number, len(space.step_width)))
    if not space.step_width.any():
        return followed(objective, level, starts)
    points, costs = _descended(objective, level, starts, _FEW_STEPS)
    chosen = space.best(points, costs, ceil(number / _FOLLOWED))
    rest = _DESCENT_STEPS - _FEW_STEPS
    points[chosen], _ = _descended(objective, level, points[chosen], rest)
    return points


def followed(objective: Objective, level: float, starts: FloatArray) -> FloatArray:
    """Return the end points of descents towards a level from given starts, shape (n, d).

    Parameters
    ----------
    objective
        Points (n, d) to their objectives and constraints.
    level
        Level below which all objectives should lie.
    starts
        Points of the unit cube, shape (n, d).
    """
    return _descended(objective, level, starts)[0]


def improve_near(
    objective: Objective,
    level: float,
    known: FloatArray,
    space: Space,
    rng: np.random.Generator,
    polished: int = _POLISHED,
) -> tuple[MinMax, FloatArray]:
    """Search a level from around the best of known points.

    Parameters
    ----------
    objective
        Points (n, d) to their objectives and constraints.
    level
        Level below which all objectives should lie.
    known
        Points of earlier searches, shape (n, d).
    space
        Discrete coordinates and strata.
    rng
        Generator of the kicks.
    polished
        Largest number of points from which the constrained search starts.

    Returns
    -------
    MinMax
        Best result of this search; known points may be better.
    FloatArray
        All points known now.
    """
    kept = known[space.best(known, _ranks(objective, level, known))]
    near = kick(kept, space.step_width, rng)
    known = np.concatenate([known, followed(objective, level, near)])
    best = space.best(known, _ranks(objective, level, known))[:polished]
    # A descent may end inside where the constrained search ends outside by rounding.
    reached = best_of_points(objective, known[best])
    fruitless = 0
    for index in best:
        found = best_of_points(objective, polished_from(objective, known[index], space)[None])
        if found.level < reached.level - _PROGRESS:
            fruitless = 0
        elif np.isfinite(found.level):  # only a result that meets the constraints is comparable
            fruitless += 1
        reached = reached.or_lower(found)
        if fruitless == _FRUITLESS:
            break
    return reached, np.vstack([known, reached.u])


def _descended(
    objective: Objective, level: float, starts: FloatArray, steps: int = _DESCENT_STEPS
) -> tuple[FloatArray, FloatArray]:
    """Return the end points of descents towards a level, and their sums of squares."""

    def residuals(u: FloatArray, wall: float) -> FloatArray:
        return objective(u).residuals(level, wall)

    return descend(
        residuals,
        starts,
        _WALL,
        steps,
        tolerance=_TOLERANCE,
        margin=_NEAR_BEST,
        trust=TRUST,
    )


def _ranks(objective: Objective, level: float, points: FloatArray) -> FloatArray:
    """Rank points by the excess over a level and the constraints, and ties by their level."""
    values = objective(points)
    costs = sum_of_squares(values.residuals(level, _WALL))
    result = np.empty(len(points))
    result[np.lexsort((values.objectives.max(axis=0), costs))] = np.arange(len(points))
    return result


def best_of_points(objective: Objective, points: FloatArray) -> MinMax:
    """Return the best of given points, shape (n, d)."""
    largest = objective(points).largest()
    index = int(np.argmin(largest))
    return MinMax(float(largest[index]), points[index])


def hopeful_leaders(
    objective: Objective, level: float, reached: float, known: FloatArray, space: Space
) -> FloatArray:
    """Return the best point of each stratum that may lead below the best level, shape (n, d).

    Strata whose least squares are far above those of any point below the best level are left out.

    Parameters
    ----------
    objective
        Points (n, d) to their objectives and constraints.
    level
        Level that ranks the points of a stratum.
    reached
        Best level so far, above ``level``.
    known
        Points of earlier searches, shape (n, d).
    space
        Discrete coordinates and strata.
    """
    leaders = space.leaders(known, _ranks(objective, level, known), _LEADERS)
    values = objective(known[leaders])
    # Where all objectives are below the best level, the sum of squares is at most this.
    least = len(values.objectives) * (reached - level) ** 2
    near = sum_of_squares(values.residuals(level, _WALL)) <= _HOPEFUL * least
    near[0] = True
    return known[leaders[near]]


def polished_best(objective: Objective, starts: FloatArray, space: Space) -> MinMax:
    """Return the best result of constrained searches from given starts, shape (n, d).

    Least squares end where several constraints meet in a corner, short of the optimum. A narrow
    basin then looks worse than a wide one whose optimum is higher, until each is polished.
    """
    ends = [polished_from(objective, start, space) for start in starts]
    return best_of_points(objective, np.array(ends))


def polished_from(
    objective: Objective, start: FloatArray, space: Space, iterations: int = _ITERATIONS
) -> FloatArray:
    """Minimise the level under all constraints by sequential quadratic programming.

    Parameters
    ----------
    objective
        Points (n, d) to their objectives and constraints.
    start
        Point of the unit cube, shape (d,).
    space
        Discrete coordinates, which stay as they are.
    iterations
        Largest number of iterations.

    Returns
    -------
    FloatArray
        End point, shape (d,); it may violate constraints.
    """
    free = space.step_width == 0
    slopes = _Slopes(objective, start, free)
    first = float(-slopes.slacks(np.append(start[free], 0.0))[: slopes.n_objectives].min())
    result = minimize(
        lambda x: x[-1],
        np.append(start[free], first),
        jac=lambda x: np.append(np.zeros(len(x) - 1), 1.0),
        method="SLSQP",
        bounds=[(0, 1)] * int(free.sum()) + [(None, None)],
        constraints={"type": "ineq", "fun": slopes.slacks, "jac": slopes.gradients},
        options={"maxiter": iterations, "ftol": 1e-7},
    )
    return slopes.point(result.x)


class _Slopes:
    """Slacks and their gradients, from one call of the objective for both.

    The variables x are the free coordinates of the unit cube, then the level. A call at a few
    points takes no longer than at one.
    """

    def __init__(self, objective: Objective, start: FloatArray, free: NDArray[np.bool_]) -> None:
        self._objective, self._start, self._free = objective, start, np.flatnonzero(free)
        self.n_objectives = len(objective(start[None]).objectives)
        self._evaluated_at = b""
        self._values, self._gradients = np.empty(0), np.empty((0, 0))

    def point(self, x: FloatArray) -> FloatArray:
        """Return the point of the unit cube, shape (d,)."""
        u = self._start.copy()
        u[self._free] = np.clip(x[:-1], 0, 1)
        return u

    def slacks(self, x: FloatArray) -> FloatArray:
        """Return the slacks of objectives below the level and of constraints, shape (k,)."""
        self._evaluate(x[:-1])
        values = self._values.copy()
        values[: self.n_objectives] += x[-1]
        return values

    def gradients(self, x: FloatArray) -> FloatArray:
        """Return the derivatives of the slacks, shape (k, number of variables)."""
        self._evaluate(x[:-1])
        return self._gradients

    def _evaluate(self, free: FloatArray) -> None:
        key = free.tobytes()
        if key == self._evaluated_at:
            return
        u = self.point(np.append(free, 0.0))
        steps = np.where(u > 0.5, -_STEP, _STEP)[self._free]
        points = np.repeat(u[None], len(steps) + 1, axis=0)
        points[np.arange(len(steps)), self._free] += steps
        slacks = self._objective(points).slacks()
        by_level = np.zeros((slacks.shape[1], 1))
        by_level[: self.n_objectives] = 1
        by_coordinate = ((slacks[:-1] - slacks[-1]) / steps[:, None]).T
        self._values, self._gradients = slacks[-1], np.hstack([by_coordinate, by_level])
        self._evaluated_at = key
