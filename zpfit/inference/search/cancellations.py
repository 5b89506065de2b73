"""Points where a coupling vanishes because two contributions to it cancel.

A limit that a tiny coupling evades leaves a slit around such points, as narrow as the cancellation
is exact. No slope outside tells of it, so descents and random points miss it; a root of the
coupling lies inside.
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize.elementwise import find_root

from zpfit.inference.search.selection import Index
from zpfit.io.arrays import FloatArray

_GRID = 65
"""Points at which a coordinate is searched for changes of sign: two for a factor e in a coupling
of either sign over seven decades."""
_MAX_STEPS = 60
"""Largest number of steps towards each root: enough to halve a bracket down to rounding."""
_JUMP = 1e-3
"""Smallest ratio of a coupling at its root and around it that shows a jump instead of a root."""


def cancellations(
    amplitudes: Callable[[FloatArray], FloatArray], u: FloatArray, axis: int
) -> tuple[Index, FloatArray]:
    """Return where amplitudes change their sign continuously along one coordinate.

    Parameters
    ----------
    amplitudes
        Points (n, d) to amplitudes (n, k), such as couplings.
    u
        Points of the unit cube, shape (n, d), whose coordinate ``axis`` is varied.
    axis
        Number of the coordinate.

    Returns
    -------
    tuple of Index and FloatArray
        Rows of ``u`` and the points found from them, shapes (m,) and (m, d).

    Examples
    --------
    >>> row, points = cancellations(lambda u: u - 0.3, np.array([[0.9]]), 0)
    >>> points.round(6).tolist()
    [[0.3]]
    """
    grid = np.linspace(0, 1, _GRID)
    trial = np.repeat(u, _GRID, axis=0)
    trial[:, axis] = np.tile(grid, len(u))
    table = amplitudes(trial).reshape(len(u), _GRID, -1)
    row, cell, which = np.nonzero(table[:, :-1] * table[:, 1:] < 0)
    points = u[row]
    if not len(row):
        return row, points
    low, high = grid[cell], grid[cell + 1]
    at_low, at_high = table[row, cell, which], table[row, cell + 1, which]
    found = find_root(
        lambda t, r, k: _with(amplitudes, u[r.astype(int)], axis, t)[
            np.arange(len(t)), k.astype(int)
        ],
        (low, high),
        args=(row, which),
        maxiter=_MAX_STEPS,
    )
    points[:, axis], value = found.x, found.f_x
    continuous = np.abs(value) <= _JUMP * np.minimum(np.abs(at_low), np.abs(at_high))
    return row[continuous], points[continuous]


def _with(
    amplitudes: Callable[[FloatArray], FloatArray], u: FloatArray, axis: int, t: FloatArray
) -> FloatArray:
    """Return the amplitudes of points with one coordinate replaced."""
    trial = u.copy()
    trial[:, axis] = t
    return amplitudes(trial)
