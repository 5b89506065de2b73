"""Regions of a plane below a level, from values at the nodes of a grid."""

from collections.abc import Sequence

import numpy as np

from zpfit.io.arrays import FloatArray

_BEYOND = 2.0
"""Largest root of a value in units of that of the level, for interpolation. Beyond a wall there is
none; the contour of a flat region then runs halfway between a node inside and one outside."""
_FINE = 8
"""Points on each side of a cell that a contour crosses, to measure the area inside."""


def cells_of(values: FloatArray) -> FloatArray:
    """Return the values at the corners of all cells, shape (4, n - 1, m - 1), from (n, m).

    The order is (low, low), (high, low), (low, high), (high, high).
    """
    return np.stack([values[:-1, :-1], values[1:, :-1], values[:-1, 1:], values[1:, 1:]])


def roots(values: FloatArray, level: float) -> FloatArray:
    """Return finite values whose linear interpolation crosses 1 at the contour of a level.

    They are the roots of values in units of the level, since that of a chi2 is close to linear.
    """
    result: FloatArray = np.minimum(np.sqrt(np.maximum(values, 0) / level), _BEYOND)
    return result


def shares_below(corners: FloatArray, level: float) -> FloatArray:
    """Return the share of each cell in which values are below a level, shape (n, m).

    Parameters
    ----------
    corners
        Values at the corners of cells, shape (4, n, m), see :func:`cells_of`.
    level
        Level of the values.

    Examples
    --------
    >>> shares_below(np.array([0.0, 4.0, 0.0, 4.0])[:, None, None], 1.0).tolist()
    [[0.5]]
    """
    inside = corners <= level
    share = inside.all(axis=0).astype(float)
    crossed = inside.any(axis=0) & ~inside.all(axis=0)
    a, b, c, d = roots(corners[:, crossed], level)[:, :, None, None]
    t = (np.arange(_FINE) + 0.5) / _FINE
    s = t[:, None]
    between = (1 - s) * ((1 - t) * a + t * c) + s * ((1 - t) * b + t * d)
    share[crossed] = (between <= 1).mean(axis=(1, 2))
    return share


def area_below(coordinates: Sequence[FloatArray], values: FloatArray, level: float) -> float:
    """Return the fraction of a plane in which interpolated values are below a level.

    Parameters
    ----------
    coordinates
        Coordinates of the nodes on either axis, shapes (n,) and (m,).
    values
        Values at the nodes, shape (n, m).
    level
        Level of the values.
    """
    sizes = _sizes(coordinates)
    return float(np.sum(sizes * shares_below(cells_of(values), level)) / sizes.sum())


def crossed_share(coordinates: Sequence[FloatArray], corners: FloatArray, level: float) -> float:
    """Return the area of the cells that a contour crosses, relative to the area inside.

    ``corners`` holds the values at the corners of cells, shape (4, n, m). Zero without a region.
    """
    inside = corners <= level
    sizes = _sizes(coordinates)
    crossed = sizes[inside.any(axis=0) & ~inside.all(axis=0)].sum()
    area = np.sum(sizes * shares_below(corners, level))
    return float(crossed / area) if area else float(np.inf if crossed else 0)


def _sizes(coordinates: Sequence[FloatArray]) -> FloatArray:
    """Return the area of each cell."""
    return np.multiply.outer(np.diff(coordinates[0]), np.diff(coordinates[1]))
