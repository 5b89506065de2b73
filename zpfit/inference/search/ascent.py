"""Batched Newton ascents of a function on the unit cube that gives no residuals."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray

Function = Callable[[FloatArray], FloatArray]
"""Points (n, d) to values (n,); -inf where a point is excluded."""

ASCENT_STEPS = 25
"""Default number of steps of an ascent."""
WIDEST = 0.3
"""Largest standard deviation of a peak along any direction: about that of the uniform prior."""
_FIRST_STEP = 1e-5
"""First step of finite differences on the unit cube."""
_SMALLEST_STEP, _LARGEST_STEP = 1e-8, 1e-2
"""Limits of the step, which becomes a tenth of the peak's width along each axis."""
_LENGTHS = np.array([1 / 64, 1 / 8, 1.0, 4.0, 16.0])
"""Multiples of Newton's step that are tried at once.

Far outside a peak that adds to a plateau, Newton's step is much too short.
"""
_LONGEST = 0.3
"""Largest change of a coordinate in one step."""
_GAIN = 1e-3
"""Gain in a step below which an ascent has arrived, unless its gains are growing."""
_GROWING = 2.0
"""Ratio of a gain to the one before at which gains are growing: a foot of a peak on a plateau."""


def ascend(
    function: Function, starts: FloatArray, free: NDArray[np.intp], steps: int = ASCENT_STEPS
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Climb from all starts at once, inside the unit cube.

    Each step divides the gradient by the moduli of the curvatures, so that saddles repel (Dauphin
    et al., arXiv:1406.2572).

    Parameters
    ----------
    function
        Points (n, d) to values (n,), for example ln L.
    starts
        Points of the unit cube with finite values, shape (n, d).
    free
        Indices of the coordinates that may change, shape (f,).
    steps
        Largest number of steps.

    Returns
    -------
    tuple of FloatArray
        End points, shape (n, d), their values, shape (n,), and their negative second derivatives,
        shape (n, f, f).

    Examples
    --------
    >>> def parabola(u):
    ...     return -np.sum(((u - 0.3) / 0.01) ** 2, axis=1) / 2
    >>> points, values, curvature = ascend(parabola, np.array([[0.9, 0.1]]), np.arange(2))
    >>> bool(np.allclose(points, 0.3)), bool(np.allclose(curvature, 1e4 * np.eye(2), atol=1))
    (True, True)
    """
    points, values = starts.copy(), function(starts)
    width = np.full((len(points), len(free)), _FIRST_STEP)
    curvature = np.zeros((len(points), len(free), len(free)))
    last_gain = np.zeros(len(points))
    live = np.arange(len(points))
    for _ in range(steps):
        gradient, curvature[live] = _derivatives(function, points[live], free, width[live])
        width[live] = _next_width(curvature[live])
        trial, found = _best_trial(
            function, points[live], _newton_step(gradient, curvature[live]), free
        )
        better = found > values[live]
        gain = np.where(better, found - values[live], 0.0)
        arrived = (gain <= _GAIN) & (gain <= _GROWING * last_gain[live])
        last_gain[live] = gain
        points[live[better]], values[live[better]] = trial[better], found[better]
        live = live[~arrived]
        if not len(live):
            break
    _, curvature = _derivatives(function, points, free, width)
    return points, values, curvature


def _best_trial(
    function: Function, points: FloatArray, step: FloatArray, free: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    """Return the best of several lengths of each step, shape (n, d), and its value, shape (n,)."""
    n, d = points.shape
    trials = np.repeat(points[:, None], len(_LENGTHS), axis=1)
    moved = np.clip(_LENGTHS[:, None] * step[:, None], -_LONGEST, _LONGEST)
    trials[:, :, free] = np.clip(trials[:, :, free] + moved, 0, 1)
    found = function(trials.reshape(-1, d)).reshape(n, -1)
    best = np.argmax(np.where(np.isnan(found), -np.inf, found), axis=1)
    row = np.arange(n)
    return trials[row, best], found[row, best]


def _newton_step(gradient: FloatArray, curvature: FloatArray) -> FloatArray:
    """Return the gradient divided by the moduli of the curvatures, shape (n, f)."""
    size, axes = np.linalg.eigh(curvature)
    # Rounding of the differences is no curvature.
    least = 1e-9 * np.abs(size).max(axis=1, keepdims=True) + 1e-300
    along = np.einsum("nfk,nf->nk", axes, gradient) / np.maximum(np.abs(size), least)
    step: FloatArray = np.einsum("nfk,nk->nf", axes, along)
    return step


def _next_width(curvature: FloatArray) -> FloatArray:
    """Return the step of finite differences along each axis, shape (n, f)."""
    diagonal = np.abs(np.einsum("nff->nf", curvature))
    width: FloatArray = np.clip(0.1 / np.sqrt(diagonal + 1e-300), _SMALLEST_STEP, _LARGEST_STEP)
    return width


def _derivatives(
    function: Function, points: FloatArray, free: NDArray[np.intp], width: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return gradients, shape (n, f), and negative second derivatives, shape (n, f, f).

    Derivatives across the edge of the allowed region are zero.
    """
    n, f = width.shape
    first, second = np.triu_indices(f, 1)
    unit = np.eye(f)
    shifts = np.concatenate([np.zeros((1, f)), unit, -unit, unit[first] + unit[second]])
    stencil = np.repeat(points[:, None], len(shifts), axis=1)
    middle = np.clip(points[:, free], width, 1 - width)
    stencil[:, :, free] = middle[:, None] + shifts * width[:, None]
    values = function(stencil.reshape(-1, points.shape[1])).reshape(n, -1)
    here, up, down = values[:, :1], values[:, 1 : f + 1], values[:, f + 1 : 2 * f + 1]
    both = values[:, 2 * f + 1 :]
    with np.errstate(invalid="ignore"):
        gradient = (up - down) / (2 * width)
        diagonal = (up + down - 2 * here) / width**2
        mixed = (both - up[:, first] - up[:, second] + here) / (width[:, first] * width[:, second])
    curvature = np.zeros((n, f, f))
    curvature[:, first, second] = curvature[:, second, first] = -_finite(mixed)
    curvature[:, np.arange(f), np.arange(f)] = -_finite(diagonal)
    return _finite(gradient), curvature


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, 0.0)
