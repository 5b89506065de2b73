"""Maps of the unit interval onto ranges of a parameter, in few passes over a batch.

Bounds are numbers, or arrays that broadcast with the coordinates. Results are clipped, as rounding
may exceed the bounds. NumPy computes the exponential, of several points at once. Each operation
rounds as NumPy's does: adapted maps and searches amplify the last bit of a point, so that fused
operations would give other samples for the same seed.
"""

from math import copysign
from typing import Any

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import rounded_ufunc

Bound = float | FloatArray
"""A bound, or bounds that broadcast with the points."""


def uniform(u: FloatArray, lower: Bound, upper: Bound) -> FloatArray:
    """Return values from ``lower`` at u = 0 to ``upper`` at u = 1, linear in u.

    Examples
    --------
    >>> uniform(np.array([0.0, 0.25, 1.0]), 2.0, 6.0).tolist()
    [2.0, 3.0, 6.0]
    """
    with _quiet():
        result: FloatArray = _uniform(u, lower, upper)
    return result


def log_uniform(u: FloatArray, lower: Bound, upper: Bound) -> FloatArray:
    """Return values from ``lower`` at u = 0 to ``upper`` at u = 1, whose logarithm is linear in u.

    Examples
    --------
    >>> log_uniform(np.array([0.0, 0.5, 1.0]), 1.0, 100.0).round(12).tolist()
    [1.0, 10.0, 100.0]
    """
    low, high = np.log(lower), np.log(upper)
    with _quiet():
        result: FloatArray = _clipped(np.exp(_line(u, low, high - low)), lower, upper)
    return result


def signed_log_uniform(u: FloatArray, lower: Bound, upper: Bound) -> FloatArray:
    """Return sign(s) lower (upper/lower)^|s| with s = 2u - 1; the sign at u = 1/2 is positive.

    Examples
    --------
    >>> signed_log_uniform(np.array([0.0, 0.25, 0.5, 1.0]), 1.0, 100.0).round(12).tolist()
    [-100.0, -10.0, 1.0, 100.0]
    """
    low, high = np.log(lower), np.log(upper)
    with _quiet():
        size: Any = np.exp(_line_on_both_sides(u, low, high - low))
        result: FloatArray = _signed(size, u, lower, upper)
    return result


def _quiet() -> np.errstate:
    """Return a context without the warning for NaN, which the kernels pass on.

    Compiled comparisons of several points at once set the flag "invalid" for NaN.
    """
    return np.errstate(invalid="ignore")


@rounded_ufunc
def _uniform(u: float, lower: float, upper: float) -> float:
    return min(max(lower + u * (upper - lower), lower), upper)


@rounded_ufunc
def _line(u: float, low: float, width: float) -> float:
    return u * width + low


@rounded_ufunc
def _clipped(value: float, lower: float, upper: float) -> float:
    return min(max(value, lower), upper)


@rounded_ufunc
def _line_on_both_sides(u: float, low: float, width: float) -> float:
    return abs(2 * u - 1) * width + low


@rounded_ufunc
def _signed(size: float, u: float, lower: float, upper: float) -> float:
    return copysign(min(max(size, lower), upper), 2 * u - 1)
