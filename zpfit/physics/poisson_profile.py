"""Poisson likelihood of binned counts, with the scales of signal and backgrounds profiled.

With n_b counts observed in bin b, mu_b = s_0 S_b + sum_j s_j B_jb expected, and scales s_j = 1 +-
sigma_j of Gaussian priors,

    chi2 = sum_b 2 [mu_b - n_b + n_b ln(n_b/mu_b)] + sum_j (s_j - c_j)^2/sigma_j^2

is least at the profiled scales. It is convex in the scales, and Newton's method finds its minimum
in a few steps. Scales stay positive.

References
----------
S. Baker and R. D. Cousins, Nucl. Instrum. Meth. 221, 437 (1984).
"""

from math import log, sqrt
from typing import Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import gufunc, inline

_STEPS: Final = 100
"""Newton steps; a few suffice unless the signal is absurdly large, which takes a step a decade."""
_DECREMENT: Final = 1e-7
"""Squared Newton decrement after which one more step leaves chi2 right to about 1e-12."""
_LEAST_FRACTION: Final = 0.1
"""Smallest fraction of a scale that one step leaves, so that scales stay positive."""
_LEAST_EVENTS: Final = 1e-300
"""Smallest expected count; a positive one keeps logarithms finite."""


@gufunc("(p,b),(p,b),(j,b),(p,k),(k)->(p,k)")
def profiled_scales(  # type: ignore[no-untyped-def]
    signal, observed, backgrounds, centres, inverse_variances, out
):
    """Return the scales of signal and backgrounds that minimise chi2, shape (p, k).

    Parameters
    ----------
    signal : array, shape (p, b)
        Expected signal events of p points in b bins.
    observed : array, shape (p, b)
        Counts.
    backgrounds : array, shape (j, b)
        Expected events of each background; j = k - 1.
    centres : array, shape (p, k)
        Centres c of the priors of the scales: first the signal's, 1 by default.
    inverse_variances : array, shape (k)
        1/sigma^2 of the priors; zero for a free scale.
    """
    k, bins = inverse_variances.shape[0], signal.shape[1]
    gradient, step = np.empty(k), np.empty(k)
    hessian, template = np.empty((k, k)), np.empty(k)
    for i in range(signal.shape[0]):
        for row in range(k):
            out[i, row] = 1.0
        for _ in range(_STEPS):
            for row in range(k):
                gradient[row] = inverse_variances[row] * (out[i, row] - centres[i, row])
                for column in range(row + 1):
                    hessian[row, column] = 0.0
                hessian[row, row] = inverse_variances[row]
            for b in range(bins):
                template[0] = signal[i, b]
                expected = out[i, 0] * template[0]
                for row in range(1, k):
                    template[row] = backgrounds[row - 1, b]
                    expected += out[i, row] * template[row]
                over = observed[i, b] / max(expected, _LEAST_EVENTS)
                curvature = over / max(expected, _LEAST_EVENTS)
                for row in range(k):
                    gradient[row] += template[row] * (1.0 - over)
                    weighted = template[row] * curvature
                    for column in range(row + 1):
                        hessian[row, column] += weighted * template[column]
            decrement = _newton_step(hessian, gradient, step)
            fraction = 1.0
            for row in range(k):
                if step[row] > (1 - _LEAST_FRACTION) * out[i, row]:
                    fraction = min(fraction, (1 - _LEAST_FRACTION) * out[i, row] / step[row])
            for row in range(k):
                out[i, row] -= fraction * step[row]
            if not decrement > _DECREMENT:  # also NaN
                break


@inline
def _newton_step(hessian: FloatArray, gradient: FloatArray, step: FloatArray) -> float:
    """Solve for the Newton step by Cholesky's method; return the squared Newton decrement."""
    k = gradient.shape[0]
    for row in range(k):
        for column in range(row + 1):
            value = hessian[row, column]
            for inner in range(column):
                value -= hessian[row, inner] * hessian[column, inner]
            if row == column:
                # Zero if neither data nor prior know the scale, which then stays where it is.
                hessian[row, row] = sqrt(value) if value > 0 else np.inf
            else:
                hessian[row, column] = value / hessian[column, column]
    decrement = 0.0
    for row in range(k):
        value = gradient[row]
        for inner in range(row):
            value -= hessian[row, inner] * step[inner]
        step[row] = value / hessian[row, row]
        decrement += step[row] ** 2
    for row in range(k - 1, -1, -1):
        value = step[row]
        for inner in range(row + 1, k):
            value -= hessian[inner, row] * step[inner]
        step[row] = value / hessian[row, row]
    return decrement


@gufunc("(p,b),(p,b),(j,b),(p,k),(p,k),(k)->(p)")
def binned_chi2(  # type: ignore[no-untyped-def]
    signal, observed, backgrounds, centres, scales, inverse_variances, out
):
    """Return chi2 at given scales, shape (p,); arguments as in :func:`profiled_scales`."""
    k, bins = inverse_variances.shape[0], signal.shape[1]
    for i in range(signal.shape[0]):
        chi2 = 0.0
        for b in range(bins):
            expected = scales[i, 0] * signal[i, b]
            for row in range(1, k):
                expected += scales[i, row] * backgrounds[row - 1, b]
            expected = max(expected, _LEAST_EVENTS)
            n = observed[i, b]
            chi2 += 2 * (expected - n)
            if n > 0:
                chi2 += 2 * n * log(n / expected)
        for row in range(k):
            chi2 += inverse_variances[row] * (scales[i, row] - centres[i, row]) ** 2
        out[i] = chi2
