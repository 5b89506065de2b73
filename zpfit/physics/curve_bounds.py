"""Proved bounds of published curves over mass cells.

Curves and edges of regions are linear in the logarithms between their knots, so that values at
the ends of a cell and at the knots inside enclose them.

**Beam dumps.** The decays seen are C^2 BR g(t) with g(t) = exp(-t) [1 - exp(-r t)], and t is
proportional to the width. A dark photon at an edge of the excluded region has t = s at the lower
edge and q s at the upper one, q = (upper/lower)^2, with equal numbers of decays: h(s) = h(q s),
h(t) = t g(t). The slope of ln h against ln t is 1 - t + r t/[exp(r t) - 1], which falls. Hence h
rises to a maximum and then falls, s falls as q grows, and ln h(q s) - ln h(s) falls as s grows,
so that its sign brackets s. The maximum of h lies above t = 1, where its slope is positive. The
slope of the difference against ln s is at least q s (1 - 1/q), which is at least 0.0099 for the
smallest q that is used: rounding of 1e-12 moves s by less than 1e-9 of itself.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.constants import ELECTRON_MASS, MUON_MASS
from zpfit.physics.enclosures import Bounds

_MARGIN: Final = 1e-12
"""Relative widening of closed formulas, a thousand times their rounding."""
_TABLES: Final = 2e-6
"""Relative error allowed to the splines of the likelihood and to s; they err by a fifth of it."""
_NARROW: Final = 1e-2
_WIDE: Final = 29.0
"""Range of ln q; regions that are narrower, close to a tip, or wider give no limit here."""
_HALVINGS: Final = 60
"""Halvings of a range of ln s of 40."""


def curve_range(
    x: FloatArray, y: FloatArray, log_edges: FloatArray
) -> tuple[Bounds, NDArray[np.bool_]]:
    """Return the least and largest value of a curve in each cell.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (k,)
        Knots, x increasing; y is NaN in a gap.
    log_edges : numpy.ndarray, shape (n + 1,)
        Edges of the cells on the axis of x, increasing.

    Returns
    -------
    Bounds
        Arrays of shape (n,); NaN where a gap touches the cell.
    numpy.ndarray of bool, shape (n,)
        True if the curve covers the whole cell.
    """
    ends = np.interp(log_edges, x, y)
    with np.errstate(invalid="ignore"):  # NaN spreads
        least, largest = np.minimum(ends[:-1], ends[1:]), np.maximum(ends[:-1], ends[1:])
        for shift in (-_MARGIN, _MARGIN):  # a knot at an edge counts on both sides
            knots = x + shift * (1 + np.abs(x))
            cell = np.searchsorted(log_edges, knots) - 1
            inside = (cell >= 0) & (cell < len(largest))
            np.maximum.at(largest, cell[inside], y[inside])
            np.minimum.at(least, cell[inside], y[inside])
    slack = _MARGIN * (np.abs(log_edges[:-1]) + np.abs(log_edges[1:]) + 1)
    covered = (log_edges[:-1] - slack >= x[0]) & (log_edges[1:] + slack <= x[-1])
    return Bounds(least, largest), covered


def largest_square(curve: FloatArray, edges: FloatArray, no_limit: float) -> FloatArray:
    """Return the largest squared limit in each cell.

    Parameters
    ----------
    curve : numpy.ndarray, shape (k, 2)
        Rows of ln(mass in MeV) and ln(limit on the coupling).
    edges : numpy.ndarray, shape (n + 1,)
        Masses in MeV, increasing.
    no_limit : float
        Value of cells that the curve does not cover.
    """
    logs, covered = curve_range(curve[:, 0], curve[:, 1], np.log(edges))
    return np.where(covered, np.exp(2 * logs.upper) * (1 + 1e-9), no_limit)


def dump_bounds(
    region: FloatArray, length_ratio: float, edges: FloatArray
) -> tuple[Bounds, Bounds]:
    """Return bounds of the two numbers that describe a beam dump in each mass cell.

    The decays seen over those at the edge are k P BR(ee) g(b W). P is C_Ve^2 + C_Ae^2 and W the
    total width in units of m_Zp/(12 pi).

    Parameters
    ----------
    region : numpy.ndarray, shape (j, 3)
        See :func:`zpfit.physics.dark_photon_limits.dump_ratio`.
    length_ratio : float
        Length of the decay volume over that of the shielding, r.
    edges : numpy.ndarray, shape (n + 1,)
        Masses in MeV, increasing.

    Returns
    -------
    Bounds, Bounds
        Of k, zero where the region does not cover the cell, and of b; shape (n,) each.
    """
    log_edges = np.log(edges)
    lower, covered = curve_range(region[:, 0], region[:, 1], log_edges)
    log_q, _ = curve_range(region[:, 0], 2 * (region[:, 2] - region[:, 1]), log_edges)
    # Comparisons with NaN are false. Above two muons the width has more parts.
    used = covered & (log_q.lower > _NARROW) & (log_q.upper < _WIDE)
    used &= (edges[1:] < 2 * MUON_MASS * (1 - _MARGIN)) & (edges[:-1] > 3 * ELECTRON_MASS)
    time = Bounds(
        lifetime_at_edge(np.where(used, log_q.upper, 1.0), length_ratio),
        lifetime_at_edge(np.where(used, log_q.lower, 1.0), length_ratio),
    ).widened(_TABLES)
    squares = Bounds(np.exp(2 * lower.lower), np.exp(2 * lower.upper)).widened(_TABLES)
    width = _vector_width(edges)
    k = 1 / (squares.upper * _most_seen(time, length_ratio))
    low, high = time.lower / squares.upper / width.upper, time.upper / squares.lower / width.lower
    k, low, high = np.where(used, [k, low, high], [[0.0], [0.0], [1.0]])
    return Bounds(k, k), Bounds(low, high).widened(_MARGIN)


def lifetime_at_edge(log_q: FloatArray, length_ratio: float) -> FloatArray:
    """Return s, the number of lifetimes to cross the shielding at the lower edge.

    Parameters
    ----------
    log_q : numpy.ndarray, shape (n,)
        2 ln(upper/lower edge), above 0.
    length_ratio : float
        Length of the decay volume over that of the shielding.

    Examples
    --------
    Equal numbers of decays at both edges:

    >>> s = lifetime_at_edge(np.array([2.0]), 4.0)
    >>> t = s * np.exp([0.0, 2.0])
    >>> seen = t * np.exp(-t) * (1 - np.exp(-4 * t))
    >>> bool(abs(seen[1] / seen[0] - 1) < 1e-9)
    True
    """
    low, high = np.full_like(log_q, -38.0), np.full_like(log_q, 2.0)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        rises = _log_decays(middle + log_q, length_ratio) > _log_decays(middle, length_ratio)
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    result: FloatArray = np.exp(0.5 * (low + high))
    return result


def _log_decays(log_time: FloatArray, length_ratio: float) -> FloatArray:
    """Return ln h."""
    time = np.exp(log_time)
    result: FloatArray = log_time - time + np.log(-np.expm1(-length_ratio * time))
    return result


def _most_seen(time: Bounds, length_ratio: float) -> FloatArray:
    """Return the largest g in ranges of t; g has its only maximum at ln(1 + r)/r."""
    at = np.clip(np.log1p(length_ratio) / length_ratio, time.lower, time.upper)
    result: FloatArray = np.exp(-at) * -np.expm1(-length_ratio * at) * (1 + _MARGIN)
    return result


def _vector_width(edges: FloatArray) -> Bounds:
    """Return bounds of sqrt(1 - 4 x) (1 + 2 x), which grows with the mass; above 3 m_e."""
    x = np.minimum((ELECTRON_MASS / edges) ** 2, 1 / 9)
    value = np.sqrt(1 - 4 * x) * (1 + 2 * x)
    return Bounds(value, value).widened(_MARGIN).between()
