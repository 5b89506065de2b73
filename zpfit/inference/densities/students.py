"""Distances from a peak and Student's t-distribution around it in compiled loops over points."""

from math import floor, inf, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import contiguous, inline, loop

DEGREES: Final = 5
"""Degrees of freedom: tails heavy enough for peaks that fall more slowly than a Gaussian."""
_BLOCK: Final = 128
"""Points that stay in the cache together."""


def distances(
    u: FloatArray, centre: FloatArray, inverse_root: FloatArray, step_width: FloatArray
) -> FloatArray:
    """Return squared distances from a centre in standard deviations, shape (n,).

    Parameters
    ----------
    u
        Points of the unit cube, shape (n, d).
    centre
        Centre, shape (d,).
    inverse_root
        Inverse of Cholesky's factor of the scale matrix along the f smooth axes, shape (f, f).
    step_width
        Width of the steps of discrete axes, 0 for smooth ones, shape (d,). The distance is
        infinite at other steps than those of the centre.

    Examples
    --------
    >>> u = np.array([[0.5, 0.1], [0.7, 0.4], [0.7, 0.6]])
    >>> distances(u, np.array([0.5, 0.3]), np.array([[10.0]]), np.array([0.0, 0.5])).round(9)
    array([ 0.,  4., inf])
    """
    result = np.empty(len(u))
    smooth = np.flatnonzero(step_width == 0)
    _distances(*contiguous(u, centre, inverse_root), smooth, *contiguous(step_width), result)
    return result


def densities(square: FloatArray, norm: float, dimension: int) -> FloatArray:
    """Return the density of Student's t-distribution at squared distances, shape (n,).

    Parameters
    ----------
    square
        Squared distances from the centre in standard deviations, shape (n,); may be infinite.
    norm
        Density at the centre.
    dimension
        Number of smooth axes.

    Examples
    --------
    >>> densities(np.array([0.0, 5.0, np.inf]), 2.0, 1).tolist()
    [2.0, 0.25, 0.0]
    """
    result = np.empty(len(square))
    _densities(*contiguous(square), norm, float(dimension), result)
    return result


@inline
def _step(x: float, width: float) -> float:
    """Return the number of the step that holds a position; 1 belongs to the last one."""
    return min(floor(x / width), round(1 / width) - 1.0)


@inline
def _exclude_other_steps(
    u: FloatArray, centre: FloatArray, step_width: FloatArray, square: FloatArray
) -> None:
    """Replace the distance by infinity at other steps of discrete axes than those of the centre."""
    for axis in range(len(centre)):
        width = step_width[axis]
        if width > 0:
            own = _step(centre[axis], width)
            for i in range(len(u)):
                if _step(u[i, axis], width) != own:
                    square[i] = inf


@loop("(n,d)", "(d)", "(f,f)", "i8(f)", "(d)", "(n)")
def _distances(
    u: FloatArray,
    centre: FloatArray,
    inverse_root: FloatArray,
    smooth: NDArray[np.intp],
    step_width: FloatArray,
    result: FloatArray,
) -> None:
    """Fill in squared distances, block by block and axis by axis."""
    n, d = u.shape
    f = len(smooth)
    offset, total = np.zeros((f, _BLOCK)), np.empty(_BLOCK)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        for b in range(f):
            for i in range(size):
                offset[b, i] = u[start + i, smooth[b]] - centre[smooth[b]]
        square = result[start : start + size]
        square[:] = 0.0
        for a in range(f):
            total[:] = 0.0
            for b in range(a + 1):
                factor = inverse_root[a, b]
                for i in range(_BLOCK):  # with a fixed length the loop uses vector instructions
                    total[i] += factor * offset[b, i]
            for i in range(size):
                square[i] += total[i] * total[i]
        if f < d:
            _exclude_other_steps(u[start : start + size], centre, step_width, square)


@loop("(n)", "()", "()", "(n)")
def _densities(square: FloatArray, norm: float, dimension: float, result: FloatArray) -> None:
    # The exponent is -(DEGREES + dimension) / 2: a square root and products replace logarithms.
    power = DEGREES + int(dimension)
    for i in range(len(square)):
        ratio = 1 + square[i] / DEGREES
        product = sqrt(ratio) if power % 2 else 1.0
        for _ in range(power // 2):
            product *= ratio
        result[i] = norm / product
