"""Batched Levenberg-Marquardt descents on the unit cube.

All descents share each call of the residuals, so thousands cost little more than a few.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.search.selection import Index
from zpfit.inference.search.slopes import RowResiduals, Slopes
from zpfit.io.arrays import FloatArray

Residuals = Callable[[FloatArray, float], FloatArray]
"""Points (n, d) and the steepness of walls to residuals (n, k), whose squares add up to chi2.

A wall's residual is zero where the point is allowed and grows outside.
"""

DESCENT_STEPS = 40
"""Default number of steps of a descent."""
BLOCK = 4000
"""Descents at once, if there are many: their arrays then fit in the processor's cache."""
_FIRST_DAMPING, _SMALLEST_DAMPING, _HOPELESS_DAMPING = 1e-2, 1e-9, 1e8
"""Initial damping, its lower limit, and the value at which a descent stops."""
_DECREASE, _INCREASE = 0.3, 5.0
"""Factors of the damping after a step that lowers the sum of squares, and after one that fails."""
_FIRST_STEPS, _SLOWING = 5, 0.7
"""Steps before a descent may be given up; factor by which the pace of a descent falls at most
in one step."""
TRUST = 0.75
"""Ratio at which corrected slopes save a third of the residuals of a search with many starts, and
still lead it to the same best point. Lower ones lose narrow minima."""
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
    trust: float | None = None,
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
    trust
        Least ratio of the decrease in a step to that which the slopes promise, at which the slopes
        are corrected by the step, as Broyden does. They are computed anew at a lower one, and by
        default at each point: with few steps this ends lower.

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

    return descend_rows(of_rows, starts, wall, steps, held, tolerance, block, margin, trust=trust)


def descend_rows(
    residuals: RowResiduals,
    starts: FloatArray,
    wall: float,
    steps: int = DESCENT_STEPS,
    held: NDArray[np.bool_] | None = None,
    tolerance: float = 0.0,
    block: int | None = None,
    margin: float = np.inf,
    label: Index | None = None,
    trust: float | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Run descents where each start has its own sum of squares.

    ``residuals`` takes the row number of each point's start in ``starts`` as its third argument.
    Descents of one ``label``, shape (n,), share a least sum of squares for ``margin``; by default
    all of a block do. See :func:`descend` for the other parameters and the result.
    """
    label = np.zeros(len(starts), dtype=np.intp) if label is None else label
    points, costs = np.empty_like(starts), np.empty(len(starts))
    size = max(len(starts), 1) if block is None else block
    for first in range(0, len(starts), size):
        part = slice(first, first + size)

        def of_part(u: FloatArray, wall: float, rows: Index, first: int = first) -> FloatArray:
            return residuals(u, wall, rows + first)

        points[part], costs[part] = _descend_block(
            of_part, starts[part], wall, steps, held, tolerance, margin, label[part], trust
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
    label: Index,
    trust: float | None,
) -> tuple[FloatArray, FloatArray]:
    points = starts.copy()
    live = np.arange(len(points))
    current = np.ascontiguousarray(residuals(points, wall, live))
    costs = sum_of_squares(current)
    free = np.arange(points.shape[1]) if held is None else np.flatnonzero(~held)
    if not len(free):
        return points, costs
    damping = np.full(len(points), _FIRST_DAMPING)
    slopes, exact = Slopes.empty(current, free), np.zeros(len(points), dtype=bool)
    pace = np.full(len(points), np.inf)
    least = np.full(int(label.max()) + 1, np.inf)
    unknown = live
    for left in reversed(range(steps)):
        slopes.update(residuals, points, unknown, current, wall)
        exact[unknown] = True
        trial = points[live]
        step, gain = slopes.damped_step(trial[:, free], live, damping[live], _LONGEST_STEP)
        before = trial[:, free]
        trial[:, free] = np.clip(before + step, 0, 1)
        trial_residuals = np.ascontiguousarray(residuals(trial, wall, live))
        trial_costs, old_costs, sure = sum_of_squares(trial_residuals), costs[live], exact[live]
        better = trial_costs < old_costs
        # Both are infinite where a model does not exist.
        decrease = np.subtract(old_costs, trial_costs, np.zeros(len(live)), where=better)
        # A step in an allowed direction may follow several that fail.
        paces = pace[live]
        pace[live] = np.where(np.isfinite(paces), np.maximum(decrease, _SLOWING * paces), decrease)
        factor = np.where(better, _DECREASE, np.where(sure, _INCREASE, 1.0))
        damping[live] = np.maximum(damping[live] * factor, _SMALLEST_DAMPING)
        # A linear model of the residuals may expect no more.
        ended = (gain < tolerance) | (better & (decrease < tolerance))
        going = ~(sure & ended) & (damping[live] < _HOPELESS_DAMPING)
        going &= np.where(better, trial_costs, old_costs) > 0
        trusted = np.zeros(len(live), dtype=bool)
        if trust is not None:
            trusted = better & going & ~ended & (decrease > trust * gain)
        moved, corrected = live[better], live[trusted]
        slopes.correct(
            corrected,
            trial[trusted][:, free] - before[trusted],
            current[corrected],
            trial_residuals[trusted],
        )
        points[moved], current[moved] = trial[better], trial_residuals[better]
        costs[moved], exact[moved] = trial_costs[better], False
        if 0 < left < steps - _FIRST_STEPS:
            np.minimum.at(least, label, costs)
            going &= costs[live] - left * pace[live] <= least[label[live]] + margin
        unknown = live[going & ~trusted & (better | ~sure)]
        live = live[going]
        if not len(live):
            break
    return points, costs


def sum_of_squares(residuals: FloatArray) -> FloatArray:
    """Return the sum of squares of each row, infinite where a residual is NaN; shape (n,)."""
    total = np.einsum("nk,nk->n", residuals, residuals)
    return np.where(np.isnan(total), np.inf, total)
