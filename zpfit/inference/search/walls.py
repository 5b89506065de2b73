"""Minima inside hard exclusions: walls that become steeper until a descent ends inside."""

from collections.abc import Callable, Sequence

import numpy as np

from zpfit.inference.search.selection import Index
from zpfit.io.arrays import FloatArray

RowDescent = Callable[[FloatArray, Index, float], tuple[FloatArray, FloatArray]]
"""Starts (n, d), the rows (n,) they belong to and a wall, to end points (n, d) and costs (n,)."""
RowChi2 = Callable[[FloatArray, Index], FloatArray]
"""Points (n, d) and the rows (n,) they belong to, to chi2 (n,), infinite where excluded."""


def walls(first: float, number: int) -> tuple[float, ...]:
    """Return wall steepnesses, each ten times the one before."""
    return tuple(first * 10**k for k in range(number))


def descend_inside(
    starts: FloatArray,
    steepness: Sequence[float],
    descend: RowDescent,
    chi2_of: RowChi2,
    *,
    chi2: FloatArray | None = None,
    worth: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Descend behind walls that become steeper until each descent ends inside.

    chi2 may push a minimum a little way through a wall. Only descents that end outside continue
    with the next, steeper wall.

    Parameters
    ----------
    starts
        Points of the unit cube, shape (n, d).
    steepness
        Wall steepnesses in the order in which they are tried.
    descend
        Descent from points, given their row numbers in ``starts`` and a wall.
    chi2_of
        True chi2 of points, given their row numbers; infinite outside.
    chi2
        chi2 at the starts, shape (n,); points with a finite value stay. By default all descend.
    worth
        Costs, shape (n,), above which a descent that ends outside is given up: a steeper wall
        only costs more. By default none is.

    Returns
    -------
    tuple of FloatArray
        End points, shape (n, d), and their chi2, shape (n,), infinite for those still outside.

    Examples
    --------
    The minimum of (x - 1)^2 with x <= 1/2, if a wall adds (wall (x - 0.499))^2:

    >>> def descend(points, rows, wall):
    ...     x = (1 + wall**2 * 0.499) / (1 + wall**2)
    ...     return np.full_like(points, x), np.zeros(len(points))
    >>> def chi2_of(points, rows):
    ...     return np.where(points[:, 0] <= 0.5, (points[:, 0] - 1) ** 2, np.inf)
    >>> points, chi2 = descend_inside(np.array([[0.9]]), walls(3.0, 4), descend, chi2_of)
    >>> bool(points[0, 0] <= 0.5), bool(chi2[0] < 0.26)
    (True, True)
    """
    points = starts.copy()
    chi2 = np.full(len(starts), np.inf) if chi2 is None else chi2.copy()
    outside = np.flatnonzero(~np.isfinite(chi2))
    for wall in steepness:
        if not len(outside):
            break
        points[outside], costs = descend(points[outside], outside, wall)
        chi2[outside] = chi2_of(points[outside], outside)
        again = ~np.isfinite(chi2[outside])
        if worth is not None:
            again &= costs < worth[outside]
        outside = outside[again]
    return points, chi2
