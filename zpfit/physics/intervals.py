"""Interval arithmetic with outward rounding, compiled.

An interval is a tuple (lower, upper) of finite floats. Each function returns an interval
that contains every exact result for arguments inside its arguments. Sums, products, quotients
and square roots are rounded to nearest by the processor and then moved outwards by at least
one unit in the last place. Logarithms and exponentials are moved by 4 units, which covers the
errors of the usual mathematical libraries (below 1 unit in glibc).

No function is compiled with fast-math options, which would allow other roundings.

References
----------
R. E. Moore, R. B. Kearfott, M. J. Cloud, Introduction to Interval Analysis (SIAM, 2009).
"""

import math
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba

from zpfit.physics.kernel_cache import kernel_cache

Interval = tuple[float, float]
"""Lower and upper end."""

_numba: Any = numba
"""numba has no complete type hints."""

F = TypeVar("F", bound=Callable[..., Any])

_UNIT: Final = 2.0**-52
"""Relative distance between neighbouring floats, at most."""
_TINY: Final = sys.float_info.min
"""Smallest normal float; covers underflow."""
_LARGEST: Final = sys.float_info.max
_LIBRARY: Final = 4 * _UNIT
"""Relative error allowed to logarithms and exponentials."""


def rigorous(function: F) -> F:
    """Compile without fast-math options; division by zero gives infinity, as in NumPy."""
    # The name of the cache's folder follows every file that holds helpers.
    with kernel_cache(function) as cache:
        # Nothing calls these functions through a pointer of C.
        compiled: F = _numba.njit(function, error_model="numpy", cache=cache, no_cfunc_wrapper=True)
    return compiled


@rigorous
def down(x: float) -> float:
    """Return a float below ``x`` by at least one unit in its last place."""
    if x > _LARGEST:
        return float(_LARGEST)
    return float(x - (abs(x) * _UNIT + _TINY))


@rigorous
def up(x: float) -> float:
    """Return a float above ``x`` by at least one unit in its last place."""
    if x < -_LARGEST:
        return float(-_LARGEST)
    return float(x + (abs(x) * _UNIT + _TINY))


@rigorous
def point(x: float) -> Interval:
    """Return the interval that holds ``x`` alone."""
    return x, x


@rigorous
def add(a: Interval, b: Interval) -> Interval:
    """Return a + b.

    Examples
    --------
    >>> from fractions import Fraction
    >>> low, high = add((0.1, 0.1), (0.2, 0.2))
    >>> low < Fraction(0.1) + Fraction(0.2) < high
    True
    """
    return down(a[0] + b[0]), up(a[1] + b[1])


@rigorous
def sub(a: Interval, b: Interval) -> Interval:
    """Return a - b."""
    return down(a[0] - b[1]), up(a[1] - b[0])


@rigorous
def mul(a: Interval, b: Interval) -> Interval:
    """Return a b."""
    p, q, r, s = a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]
    return down(min(p, q, r, s)), up(max(p, q, r, s))


@rigorous
def scale(factor: float, a: Interval) -> Interval:
    """Return a times a number."""
    p, q = factor * a[0], factor * a[1]
    return down(min(p, q)), up(max(p, q))


@rigorous
def sqr(a: Interval) -> Interval:
    """Return a^2, which is not negative."""
    low, high = abs(a[0]), abs(a[1])
    least = 0.0 if a[0] <= 0.0 <= a[1] else min(low, high)
    return max(down(least * least), 0.0), up(max(low, high) * max(low, high))


@rigorous
def div(a: Interval, b: Interval) -> Interval:
    """Return a / b for an interval ``b`` of positive numbers."""
    p, q, r, s = a[0] / b[0], a[0] / b[1], a[1] / b[0], a[1] / b[1]
    return down(min(p, q, r, s)), up(max(p, q, r, s))


@rigorous
def sqrt(a: Interval) -> Interval:
    """Return the square root of the part of ``a`` that is not negative."""
    low, high = math.sqrt(max(a[0], 0.0)), math.sqrt(max(a[1], 0.0))
    return max(down(low), 0.0), up(high)


@rigorous
def log(a: Interval) -> Interval:
    """Return the natural logarithm of an interval of positive numbers."""
    low, high = math.log(a[0]), math.log(a[1])
    return low - (abs(low) * _LIBRARY + _TINY), high + (abs(high) * _LIBRARY + _TINY)


@rigorous
def exp(a: Interval) -> Interval:
    """Return the exponential."""
    low, high = math.exp(a[0]), math.exp(a[1])
    return max(low - (low * _LIBRARY + _TINY), 0.0), high + (high * _LIBRARY + _TINY)


@rigorous
def quadratic(a: Interval, b: Interval, x: float, y: float, q: tuple[Interval, ...]) -> Interval:
    """Return a x + b y + q_0 x^2 + q_1 x y + q_2 y^2 at a point."""
    linear = add(scale(x, a), scale(y, b))
    squares = add(mul(sqr((x, x)), q[0]), mul(sqr((y, y)), q[2]))
    return add(linear, add(squares, mul(mul((x, x), (y, y)), q[1])))


@rigorous
def least_quadratic(
    a: Interval, b: Interval, q: tuple[Interval, ...], x: Interval, y: Interval
) -> float:
    """Return a lower bound of a convex quadratic form over a rectangle.

    The form is a x + b y + q_0 x^2 + q_1 x y + q_2 y^2 and convex for every choice of the
    coefficients inside their intervals that is to be covered. A convex function lies above
    each of its tangent planes, so that any point of tangency gives a proved bound. The one
    used is close to the minimum for the mean coefficients, where the bound is sharp.
    """
    x0, y0 = _near_minimum(a, b, q, x, y)
    value = quadratic(a, b, x0, y0, q)
    slope_x = add(a, add(scale(2.0 * x0, q[0]), scale(y0, q[1])))
    slope_y = add(b, add(scale(x0, q[1]), scale(2.0 * y0, q[2])))
    rise = add(mul(slope_x, sub(x, (x0, x0))), mul(slope_y, sub(y, (y0, y0))))
    return add(value, rise)[0]


@rigorous
def _near_minimum(
    a: Interval, b: Interval, q: tuple[Interval, ...], x: Interval, y: Interval
) -> tuple[float, float]:
    """Return about where the mean form is smallest; rounding and errors do no harm."""
    p, r = 0.5 * (a[0] + a[1]), 0.5 * (b[0] + b[1])
    xx, xy, yy = (
        0.5 * (q[0][0] + q[0][1]),
        0.5 * (q[1][0] + q[1][1]),
        0.5 * (q[2][0] + q[2][1]),
    )
    x0, y0 = 0.5 * (x[0] + x[1]), 0.5 * (y[0] + y[1])
    determinant = 4 * xx * yy - xy * xy
    if determinant > 0.0:
        x0 = (xy * r - 2 * yy * p) / determinant
        y0 = (xy * p - 2 * xx * r) / determinant
    x0, y0 = min(max(x0, x[0]), x[1]), min(max(y0, y[0]), y[1])
    for _ in range(4):  # exact along each axis in turn
        if xx > 0.0:
            x0 = min(max(-(p + xy * y0) / (2 * xx), x[0]), x[1])
        if yy > 0.0:
            y0 = min(max(-(r + xy * x0) / (2 * yy), y[0]), y[1])
    return x0, y0


@rigorous
def greatest_quadratic(
    a: Interval, b: Interval, q: tuple[Interval, ...], x: Interval, y: Interval
) -> float:
    """Return an upper bound of a quadratic form, convex in each variable, over a rectangle."""
    top = quadratic(a, b, x[0], y[0], q)[1]
    top = max(top, quadratic(a, b, x[0], y[1], q)[1])
    top = max(top, quadratic(a, b, x[1], y[0], q)[1])
    return max(top, quadratic(a, b, x[1], y[1], q)[1])
