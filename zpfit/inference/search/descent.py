"""Batched Levenberg-Marquardt descents on the unit cube.

All descents share each call of the residuals, so thousands cost little more than a few.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.search.selection import Index
from zpfit.io.arrays import FloatArray

Residuals = Callable[[FloatArray, float], FloatArray]
"""Points (n, d) and the steepness of walls to residuals (n, k), whose squares add up to chi2.

A wall's residual is zero where the point is allowed and grows outside.
"""
RowResiduals = Callable[[FloatArray, float, Index], FloatArray]
"""Residuals that differ from start to start: the third argument is the start's number, (n,)."""

DESCENT_STEPS = 40
"""Default number of steps of a descent."""
BLOCK = 4000
"""Descents at once, if there are many: their arrays then fit in the processor's cache."""
_STEP = 1e-7
"""Step size of finite differences on the unit cube: about the root of the rounding error."""
_FIRST_DAMPING, _SMALLEST_DAMPING, _HOPELESS_DAMPING = 1e-2, 1e-9, 1e8
"""Initial damping, its lower limit, and the value at which a descent stops."""
_DECREASE, _INCREASE = 0.3, 5.0
"""Factors of the damping after a step that lowers the sum of squares, and after one that fails."""
_FIRST_STEPS, _SLOWING = 5, 0.7
"""Steps before a descent may be given up; factor by which the pace of a descent falls at most
in one step."""
_LONGEST_STEP = 0.3
"""Largest change of a coordinate in one step."""


def descend(
    residuals: Residuals,
    starts: FloatArray,
    wall: float,
    steps: int = DESCENT_STEPS,
    held: NDArray[np.bool_] | None = None,
    tolerance: float = 0.0,
    block: int | None = None,
    margin: float = np.inf,
) -> tuple[FloatArray, FloatArray]:
    """Run Levenberg-Marquardt descents from all starts at once, inside the unit cube.

    Coordinates that push against a face of the cube are held there.

    Parameters
    ----------
    residuals
        Points (n, d) and the wall steepness to residuals (n, k).
    starts
        Points of the unit cube, shape (n, d).
    wall
        Steepness of the walls.
    steps
        Largest number of steps.
    held
        Mask of the coordinates that keep their values, shape (d,).
    tolerance
        Decrease of the sum of squares in one step, made or expected, below which a descent ends.
    block
        Largest number of descents at once; by default all.
    margin
        Distance from the least sum of squares of its block that a descent must be able to reach,
        at its pace so far, to go on; by default all go on.

    Returns
    -------
    tuple of FloatArray
        End points, shape (n, d), and their sums of squares, shape (n,).

    References
    ----------
    D. W. Marquardt, SIAM J. Appl. Math. 11, 431 (1963).

    Examples
    --------
    >>> points, costs = descend(lambda u, wall: 3 * (u - 0.25), np.array([[0.9], [0.1]]), 1.0)
    >>> points.round(6).ravel().tolist()
    [0.25, 0.25]
    """

    def of_rows(u: FloatArray, wall: float, _: Index) -> FloatArray:
        return residuals(u, wall)

    return descend_rows(of_rows, starts, wall, steps, held, tolerance, block, margin)


def descend_rows(
    residuals: RowResiduals,
    starts: FloatArray,
    wall: float,
    steps: int = DESCENT_STEPS,
    held: NDArray[np.bool_] | None = None,
    tolerance: float = 0.0,
    block: int | None = None,
    margin: float = np.inf,
) -> tuple[FloatArray, FloatArray]:
    """Run descents where each start has its own sum of squares.

    ``residuals`` takes the row number of each point's start in ``starts`` as its third argument.
    See :func:`descend` for the other parameters and the result.
    """
    points, costs = np.empty_like(starts), np.empty(len(starts))
    size = max(len(starts), 1) if block is None else block
    for first in range(0, len(starts), size):
        part = slice(first, first + size)

        def of_part(u: FloatArray, wall: float, rows: Index, first: int = first) -> FloatArray:
            return residuals(u, wall, rows + first)

        points[part], costs[part] = _descend_block(
            of_part, starts[part], wall, steps, held, tolerance, margin
        )
    return points, costs


def _descend_block(
    residuals: RowResiduals,
    starts: FloatArray,
    wall: float,
    steps: int,
    held: NDArray[np.bool_] | None,
    tolerance: float,
    margin: float,
) -> tuple[FloatArray, FloatArray]:
    points = starts.copy()
    rows = np.arange(len(points))
    current = residuals(points, wall, rows)
    costs = sum_of_squares(current)
    free = np.arange(points.shape[1]) if held is None else np.flatnonzero(~held)
    if not len(free):
        return points, costs
    damping = np.full(len(points), _FIRST_DAMPING)
    slopes = _Slopes.empty(len(points), len(free))
    pace = np.full(len(points), np.inf)
    live = moved = rows
    for left in reversed(range(steps)):
        # A descent that stays where it is keeps its slopes: about half of all steps fail.
        slopes.update(residuals, points, moved, current[moved], wall, free)
        step, gain = slopes.damped_step(points[live][:, free], live, damping[live])
        trial = points[live]
        trial[:, free] = np.clip(trial[:, free] + step, 0, 1)
        trial_residuals = residuals(trial, wall, live)
        trial_costs = sum_of_squares(trial_residuals)
        better = trial_costs < costs[live]
        # Both are infinite where a model does not exist.
        decrease = np.subtract(costs[live], trial_costs, np.zeros(len(live)), where=better)
        arrived = better & (decrease < tolerance)
        # A step in an allowed direction may follow several that fail.
        pace[live] = np.where(
            np.isfinite(pace[live]), np.maximum(decrease, _SLOWING * pace[live]), decrease
        )
        moved = live[better]
        points[moved], current[moved] = trial[better], trial_residuals[better]
        costs[moved] = trial_costs[better]
        damping[live] = np.maximum(
            damping[live] * np.where(better, _DECREASE, _INCREASE), _SMALLEST_DAMPING
        )
        going = (damping[live] < _HOPELESS_DAMPING) & (costs[live] > 0) & ~arrived
        going &= gain >= tolerance  # a linear model of the residuals expects no more
        if 0 < left < steps - _FIRST_STEPS:
            going &= costs[live] - left * pace[live] <= costs.min() + margin
        live, moved = live[going], live[going & better]
        if not len(live):
            break
    return points, costs


def sum_of_squares(residuals: FloatArray) -> FloatArray:
    """Return the sum of squares of each row, infinite where a residual is NaN; shape (n,)."""
    total = np.einsum("nk,nk->n", residuals, residuals)
    return np.where(np.isnan(total), np.inf, total)


@dataclass(frozen=True)
class _Slopes:
    """First and approximate second derivatives of half the sum of squares of each descent."""

    gradient: FloatArray
    """Shape (n, f) for f free coordinates."""
    hessian: FloatArray
    """Product of the Jacobian with itself, shape (n, f, f)."""

    @classmethod
    def empty(cls, n: int, f: int) -> "_Slopes":
        """Return slopes of n descents that are not computed yet."""
        return cls(np.empty((n, f)), np.empty((n, f, f)))

    def update(
        self,
        residuals: RowResiduals,
        points: FloatArray,
        rows: Index,
        current: FloatArray,
        wall: float,
        free: Index,
    ) -> None:
        """Compute the slopes of some descents, whose numbers are ``rows``."""
        if not len(rows):
            return
        jacobian = _jacobian(residuals, points[rows], rows, current, wall, free)
        self.gradient[rows] = np.einsum("ndk,nk->nd", jacobian, current)
        # Several times faster than einsum.
        self.hessian[rows] = jacobian @ jacobian.transpose(0, 2, 1)

    def damped_step(
        self, at: FloatArray, rows: Index, damping: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return steps from points, both (n, f), and the decreases that slopes promise, (n,)."""
        gradient, hessian = self.gradient[rows], self.hessian[rows]
        held = ((at <= 0) & (gradient > 0)) | ((at >= 1) & (gradient < 0))
        gradient[held] = 0
        hessian[held[:, :, None] | held[:, None, :]] = 0
        axis = np.arange(at.shape[1])
        scale = hessian[:, axis, axis]
        # A coordinate without influence gets a small fraction of the largest scale, so that the
        # matrix stays regular; a held one gets 1.
        floor = 1e-6 * scale.max(axis=1, keepdims=True) + 1e-12
        damped = damping[:, None] * (scale + floor) + floor * 1e-6 + held
        hessian[:, axis, axis] += damped
        step = -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        longest = np.abs(step).max(axis=1)
        part = np.minimum(1, _LONGEST_STEP / np.maximum(longest, 1e-300))
        # The sum of squares falls by -(2 g.s + s.H.s), where (H + damped) s = -g.
        slope = -np.einsum("nf,nf->n", gradient, step)
        curved = slope - np.einsum("nf,nf,nf->n", damped, step, step)
        return step * part[:, None], 2 * part * slope - part**2 * curved


def _jacobian(
    residuals: RowResiduals,
    points: FloatArray,
    rows: Index,
    current: FloatArray,
    wall: float,
    free: Index,
) -> FloatArray:
    """Return d(residual k)/d(free coordinate f), shape (n, f, k).

    Differences are one-sided and point into the cube, as residuals may not exist outside.
    """
    n, d = points.shape
    f = len(free)
    step = np.where(points[:, free] > 0.5, -_STEP, _STEP)
    shifted = np.repeat(points[:, None, :], f, axis=1)
    shifted[:, np.arange(f), free] += step
    values = residuals(shifted.reshape(n * f, d), wall, np.repeat(rows, f)).reshape(n, f, -1)
    result: FloatArray = (values - current[:, None, :]) / step[:, :, None]
    return result
