r"""Minimise chi2 over uncertain inputs of a rate that grows as the square of an amplitude.

Deviations z of inputs are in standard errors, and chi2 adds their squares:

    chi2 = sum_r w_r (d_r - R_r)^2 + sum_j z_j^2,

with data d_r of inverse variance w_r. Three forms of the rates R_r occur. All amplitudes are
positive, because a change of sign costs deviations and changes no rate.

:func:`shared_amplitudes`
    R_r = V_r (1 + s z_0)^2 + (e_r + f_r z_r)^2. In the squares of 1 + s z_0 and e_r + f_r z_r, chi2
    is a sum of convex functions, (d - R)^2 and minus roots, so that it has one minimum. Given the
    first square, each other one solves a cubic with one positive root.
:func:`log_normal_amplitude`
    R = r + A 4^(s z). With u = A 4^(s z), the slope of chi2 is a concave function of z where
    u < (d - r)/4 and convex beyond: there is at most one minimum on either side.
:func:`energy_and_amplitude`
    R = S b (3 - b^2)/2 + T k^3 4^(s z_1), with momentum k and speed b = k/E at the energy
    E = E_0 + t z_0. At each k the second form applies; minima along k are enclosed by changes
    of sign of the slope.
"""

from math import exp, inf, log, sqrt
from typing import Any, Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import flat, inline, loop

_STEPS: Final = 200
"""Newton steps. Ten suffice, but where a rate is many decades too large each takes off a fixed
factor."""
_TOLERANCE: Final = 1e-7
"""Relative size of the last step. Newton's steps square it; chi2 is off by the square of that."""
_NODES: Final = 8
"""Intervals between nodes in the logarithm of the momentum."""
_LARGEST_RATIO: Final = 1e3
"""Largest ratio of two momenta that are searched, where negative data set no other limit."""
_LN4: Final = log(4.0)


def shared_amplitudes(
    targets: tuple[FloatArray | float, FloatArray | float],
    inverse_variances: tuple[float, float],
    vectors: tuple[FloatArray, FloatArray],
    amplitudes: tuple[FloatArray, FloatArray],
    spreads: tuple[FloatArray, FloatArray],
    scale_error: float,
) -> FloatArray:
    """Return deviations of a scale that two rates share, and of an amplitude of each.

    Parameters
    ----------
    targets
        Data d of the two rates; shapes broadcast to (n,).
    inverse_variances
        w; zero for a rate without data.
    vectors
        Rates V that the common scale multiplies, not negative.
    amplitudes, spreads
        Amplitudes e and their errors f, not negative.
    scale_error
        Relative error s of the common amplitude.

    Returns
    -------
    numpy.ndarray, shape (3, n)
        Deviations of the scale and of the two amplitudes, in standard errors.

    Examples
    --------
    Nothing changes where data agree with the rates:

    >>> one, none = np.ones(1), np.zeros(1)
    >>> shared_amplitudes((4 * one, one), (1.0, 1.0), (3 * one, one), (one, none), (one, one), 0.2)
    array([[0.],
           [0.],
           [0.]])
    """
    rows = [*targets, *vectors, *amplitudes, *spreads]
    columns, shape = flat(*rows)
    z = np.empty((3, columns[0].size))
    _shared(*map(np.array, columns), *inverse_variances, scale_error, z)
    return z.reshape(3, *shape)


@loop(*["(n)"] * 8, "()", "()", "()", "(n,m)")
def _shared(  # type: ignore[no-untyped-def]
    d0, d1, v0, v1, e0, e1, f0, f1, w0, w1, error, z
):
    for i in range(d0.shape[0]):
        x = _square_of_scale(d0[i], d1[i], v0[i], v1[i], e0[i], e1[i], f0[i], f1[i], w0, w1, error)
        z[0, i] = (sqrt(x) - 1) / error if error > 0 else 0.0
        z[1, i] = _deviation(d0[i] - v0[i] * x, w0, e0[i], f0[i])
        z[2, i] = _deviation(d1[i] - v1[i] * x, w1, e1[i], f1[i])


@inline
def _square_of_scale(
    d0: float,
    d1: float,
    v0: float,
    v1: float,
    e0: float,
    e1: float,
    f0: float,
    f1: float,
    w0: float,
    w1: float,
    error: float,
) -> float:
    """Return the square x of the common scale at the minimum.

    Half the slope of chi2 in x, c (1 - 1/sqrt(x))/2 - sum of w V (d - V x - y^2) with c = 1/s^2,
    increases with x.
    """
    x, low, high = 1.0, 0.0, inf
    if not error > 0 or not w0 * v0 + w1 * v1 > 0:
        return x
    stiffness = 0.5 / (error * error)
    for _ in range(_STEPS):
        y0, g0 = _amplitude(d0 - v0 * x, w0, e0, f0)
        y1, g1 = _amplitude(d1 - v1 * x, w1, e1, f1)
        root = 1 / sqrt(x)
        slope = stiffness * (1 - root)
        slope -= w0 * v0 * (d0 - v0 * x - y0 * y0) + w1 * v1 * (d1 - v1 * x - y1 * y1)
        if slope == 0:
            break
        low, high = (low, x) if slope > 0 else (x, high)
        curvature = 0.5 * stiffness * root / x + w0 * v0 * v0 * g0 + w1 * v1 * v1 * g1
        step = slope / curvature
        if not abs(step) > _TOLERANCE * x:  # also NaN
            return x - step
        trial = x - step
        if not low < trial < high:
            trial = 0.5 * (low + high) if high < inf else 2 * x
        x = trial
    return x


@inline
def _amplitude(excess: float, weight: float, e: float, f: float) -> tuple[float, float]:
    """Return the amplitude y that minimises w (D - y^2)^2 + (y - e)^2/f^2, and 1 + d(y^2)/dD < 1.

    It is the positive root of t y^3 + (1 - t D) y - e with t = 2 w f^2, and Newton's steps from
    above decrease to it. The second number is the share of a change of D that y^2 leaves.
    """
    t = 2 * weight * f * f
    if not t > 0:
        return e, 1.0
    linear = 1 - t * excess
    if e <= 0:
        return (0.0, 1.0) if linear >= 0 else (sqrt(-linear / t), 0.0)
    y = max(e, sqrt(max(excess, 0.0)))
    for _ in range(_STEPS):
        step = (t * y * y * y + linear * y - e) / (3 * t * y * y + linear)
        y -= step
        if not step > _TOLERANCE * y:  # also NaN
            break
    return y, 1 - 2 * t * y * y / (3 * t * y * y + linear)


@inline
def _deviation(excess: float, weight: float, e: float, f: float) -> float:
    y, _ = _amplitude(excess, weight, e, f)
    return (y - e) / f if f > 0 else 0.0


def log_normal_amplitude(
    target: Any, inverse_variance: float, fixed: Any, rate: Any, error: float
) -> FloatArray:
    """Return the deviation of an amplitude with a log-normal error.

    Parameters
    ----------
    target
        Datum d; shapes broadcast to (n,).
    inverse_variance
        w.
    fixed, rate
        Rates r and A, not negative; the amplitude's square multiplies A.
    error
        Standard error s of the amplitude, in factors of two.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Deviation in standard errors.

    Examples
    --------
    The prediction is four errors off; a factor of 1.41 in the amplitude takes up nearly all of it.

    >>> z = log_normal_amplitude(2.0, 16.0, 0.0, 1.0, 1.0)
    >>> print(z.round(3), (4**z).round(3))
    0.496 1.989
    """
    columns, shape = flat(target, fixed, rate)
    z = np.empty(columns[0].size)
    _log_normal(*map(np.array, columns), inverse_variance, error * _LN4, z)
    return z.reshape(shape)


@loop("(n)", "(n)", "(n)", "()", "()", "(n)")
def _log_normal(target, fixed, rate, weight, growth, z):  # type: ignore[no-untyped-def]
    for i in range(target.shape[0]):
        z[i] = _log_scale(target[i] - fixed[i], weight, rate[i], growth)


@inline
def _log_scale(excess: float, weight: float, rate: float, growth: float) -> float:
    """Return the z that minimises w (D - A e^(g z))^2 + z^2."""
    if not rate > 0 or not weight * growth > 0:
        return 0.0
    if rate >= excess:
        return _from_above(excess, weight, rate, growth, 0.0)
    upper = _from_above(excess, weight, rate, growth, log(excess / rate) / growth)
    if rate > 0.3 * excess:
        return upper
    lower = _from_below(excess, weight, rate, growth)
    if np.isnan(upper):
        return lower
    first = _chi2_of_scale(excess, weight, rate, growth, lower)
    second = _chi2_of_scale(excess, weight, rate, growth, upper)
    return lower if first < second else upper


@inline
def _chi2_of_scale(excess: float, weight: float, rate: float, growth: float, z: float) -> float:
    left = excess - rate * exp(growth * z)
    return weight * left * left + z * z


@inline
def _from_above(excess: float, weight: float, rate: float, growth: float, start: float) -> float:
    """Return the minimum where A e^(g z) > D/4, by Newton's steps downwards; NaN without one."""
    z = start
    for _ in range(_STEPS):
        u = rate * exp(growth * z)
        slope = z - weight * growth * u * (excess - u)
        curvature = 1 - weight * growth * growth * u * (excess - 2 * u)
        if curvature <= 0 or u < 0.2 * excess:
            return np.nan
        step = slope / curvature
        z -= step
        if not step > _TOLERANCE * (1 + abs(z)):  # also NaN
            break
    return z


@inline
def _from_below(excess: float, weight: float, rate: float, growth: float) -> float:
    """Return the minimum where A e^(g z) < D/4, by Newton's steps upwards; NaN without one."""
    z = 0.0
    for _ in range(_STEPS):
        u = rate * exp(growth * z)
        slope = z - weight * growth * u * (excess - u)
        curvature = 1 - weight * growth * growth * u * (excess - 2 * u)
        if curvature <= 0 or u > 0.3 * excess:
            return np.nan
        step = slope / curvature
        z -= step
        if not -step > _TOLERANCE * (1 + abs(z)):  # also NaN
            break
    return z


def energy_and_amplitude(
    target: Any,
    inverse_variance: float,
    rates: tuple[Any, Any],
    m_Zp: Any,
    energy: tuple[float, float],
    error: float,
) -> FloatArray:
    """Return the deviations of the energy of a transition and of its axial amplitude.

    Parameters
    ----------
    target
        Datum d; shapes broadcast to (n,).
    inverse_variance
        w.
    rates
        S and T of the module's formula, not negative.
    m_Zp
        Mass, MeV.
    energy
        E_0 and its error t, MeV.
    error
        Standard error s of the amplitude, in factors of two.

    Returns
    -------
    numpy.ndarray, shape (2, n)
        Deviations of energy and amplitude, in standard errors.

    Examples
    --------
    A mass above E_0 needs a higher energy, if the signal is worth it:

    >>> z = energy_and_amplitude([1.0, 1.0], 25.0, (3.0, 0.0), [17.0, 17.3], (17.23, 0.57), 1.0)
    >>> print(z[0].round(2))
    [0.35 0.84]
    """
    columns, shape = flat(target, *rates, m_Zp)
    z = np.empty((2, columns[0].size))
    numbers = (inverse_variance, *energy, error * _LN4)
    _energy(*map(np.array, columns), *numbers, z)
    return z.reshape(2, *shape)


@loop(*["(n)"] * 4, *["()"] * 4, "(m,n)")
def _energy(target, vector, axial, mass, weight, e0, width, growth, z):  # type: ignore[no-untyped-def]
    for i in range(target.shape[0]):
        d, s, t, m = target[i], vector[i], axial[i], mass[i]
        usual = sqrt(max((e0 - m) * (e0 + m), 0.0))
        k = usual
        if width > 0 and s + t > 0:
            k = _momentum(d, s, t, m, weight, e0, width, growth, usual)
        z[0, i] = 0.0 if k == usual else (sqrt(m * m + k * k) - e0) / width
        z[1, i] = _scale_at(k, d, s, t, m, weight, growth)


@inline
def _momentum(
    d: float,
    s: float,
    t: float,
    m: float,
    weight: float,
    e0: float,
    width: float,
    growth: float,
    usual: float,
) -> float:
    """Return the momentum at the least chi2.

    Rates increase with it, so that it lies between the usual one, at E_0, and both that where the
    deviation of the energy alone costs the usual chi2, and that where the rate is the datum.
    """
    arguments = d, s, t, m, weight, e0, width, growth
    best, chi2 = usual, _energy_slope(usual, *arguments)[0] if usual > 0 else weight * d * d
    above = d > s * _dipole(usual, m) + t * usual**3
    farthest = e0 + width * sqrt(chi2) * (1 if above else -1)
    end = sqrt(max((farthest - m) * (farthest + m), 0.0)) if farthest > 0 else 0.0
    if above:
        high = min(end, _momentum_above(d, s, t, m))
        low = max(usual, high / _LARGEST_RATIO)
    else:
        high = usual
        low = max(end, _momentum_below(d, s, t, m)) if d > 0 else high / _LARGEST_RATIO
        at_low = _energy_slope(end, *arguments)[0]
        best, chi2 = (end, at_low) if at_low < chi2 else (best, chi2)
    if not high > low:
        return best
    factor = (high / low) ** (1 / _NODES)
    k, before = low, _energy_slope(low, *arguments)[1]
    for _ in range(_NODES):
        after = _energy_slope(factor * k, *arguments)[1]
        if before < 0 <= after:
            root = _root(k, factor * k, before, after, arguments)
            found = _energy_slope(root, *arguments)[0]
            best, chi2 = (root, found) if found < chi2 else (best, chi2)
        k, before = factor * k, after
    return best


@inline
def _momentum_above(d: float, s: float, t: float, m: float) -> float:
    """Return a momentum at which the rate is d or more, with the usual amplitude."""
    share = d / s if s > 0 else inf
    by_vector = m * share / sqrt(1 - share * share) if share < 1 else inf
    by_axial = (d / t) ** (1 / 3) if t > 0 else inf
    return min(by_vector, by_axial) * (1 + 1e-12)


@inline
def _momentum_below(d: float, s: float, t: float, m: float) -> float:
    """Return a momentum at which the rate is d or less, with the usual amplitude."""
    half = 0.5 * max(d, 0.0)
    by_vector = half * m / (1.5 * s) if s > 0 else inf
    by_axial = (half / t) ** (1 / 3) if t > 0 else inf
    return min(by_vector, by_axial)


@inline
def _root(low: float, high: float, below: float, above: float, arguments: Any) -> float:
    """Return the momentum of a minimum between two slopes of opposite sign (Illinois method)."""
    k, side = low, 0
    for _ in range(_STEPS):
        before, k = k, (low * above - high * below) / (above - below)
        slope = _energy_slope(k, *arguments)[1]
        if slope < 0:
            low, below = k, slope
            above = above * 0.5 if side == -1 else above
            side = -1
        else:
            high, above = k, slope
            below = below * 0.5 if side == 1 else below
            side = 1
        if slope == 0 or not abs(k - before) > _TOLERANCE * high:
            break
    return k


@inline
def _energy_slope(
    k: float,
    d: float,
    s: float,
    t: float,
    m: float,
    weight: float,
    e0: float,
    width: float,
    growth: float,
) -> tuple[float, float]:
    """Return the chi2 at a momentum, with the least deviation of the amplitude, and half its slope.

    The slope of the vector rate is 1.5 S m^4/E^5.
    """
    energy = sqrt(m * m + k * k)
    z = _scale_at(k, d, s, t, m, weight, growth)
    axial = t * k * k * exp(growth * z)
    left = d - s * _dipole(k, m) - axial * k
    shift = (energy - e0) / width
    chi2 = weight * left * left + shift * shift + z * z
    growth_of_rate = 1.5 * s * (m / energy) ** 4 / energy + 3 * axial
    return chi2, shift * k / (energy * width) - weight * left * growth_of_rate


@inline
def _scale_at(
    k: float, d: float, s: float, t: float, m: float, weight: float, growth: float
) -> float:
    return _log_scale(d - s * _dipole(k, m), weight, t * k * k * k, growth)


@inline
def _dipole(k: float, m: float) -> float:
    """Return (k/E) (1 + m^2/(2 E^2)), the rate of an electric dipole."""
    square = m * m + k * k
    return k / sqrt(square) * (1 + 0.5 * m * m / square)
