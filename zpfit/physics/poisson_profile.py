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

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from scipy.special import xlogy

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import gufunc, inline, inline_sum

_STEPS: Final = 100
"""Newton steps; a few suffice unless the signal is absurdly large, which takes a step a decade."""
_DECREMENT: Final = 1e-4
"""Squared Newton decrement after which one more step leaves an error of its square in chi2."""
_SMALL_DECREMENT: Final = 1e-9
"""Squared decrement below which a step with the Hessian of :class:`LinearStart` is enough: chi2 is
off by less than this already before the step, and by orders of magnitude less after it."""
_LEAST_FRACTION: Final = 0.1
"""Smallest fraction of a scale that one step leaves, so that scales stay positive."""
EXPECTED, DEFICIT, CURVATURE, WEIGHTED = range(4)
"""Rows of the work space: mu, 1 - n/mu, n/mu^2, and a template times that."""
_LEAST_EVENTS: Final = 1e-300
"""Added to expected counts, which keeps logarithms finite."""


@gufunc("(p,b),(q,b),(j,b),(p,k),(k),(p,k),(k,k)->(p,k),(p,b)")
def profiled_scales(  # type: ignore[no-untyped-def]
    signal, observed, backgrounds, centres, inverse_variances, start, inverse_hessian, out, expected
):
    """Return the scales that minimise chi2, shape (p, k), and the events expected then, (p, b).

    Parameters
    ----------
    signal : array, shape (p, b)
        Expected signal events of p points in b bins.
    observed : array, shape (p, b) or (1, b)
        Counts; one row stands for all points.
    backgrounds : array, shape (j, b)
        Expected events of each background; j = k - 1.
    centres : array, shape (p, k)
        Centres c of the priors of the scales, the signal's first.
    inverse_variances : array, shape (k,)
        1/sigma^2 of the priors; zero for a free scale.
    start : array, shape (p, k)
        Scales to start from, positive; see :class:`LinearStart`.
    inverse_hessian : array, shape (k, k)
        Inverse of the second derivatives of chi2/2 close to the minimum; NaN if unknown.
    """
    k, bins = inverse_variances.shape[0], signal.shape[1]
    # Contiguous copies, over which the loops use vector instructions.
    templates, counts = np.empty((k, bins)), np.empty(bins)
    work, gradient, hessian = np.empty((4, bins)), np.empty(k), np.empty((k, k))
    scales, step = np.empty(k), np.empty(k)
    for row in range(1, k):
        _copy_row(backgrounds, row - 1, templates[row])
    for i in range(signal.shape[0]):
        _copy_row(signal, i, templates[0])
        if i < observed.shape[0]:
            _copy_row(observed, i, counts)
        for row in range(k):
            scales[row] = start[i, row]
        _minimise(
            counts, templates, centres[i], inverse_variances, inverse_hessian, scales,
            work, gradient, hessian, step,
        )  # fmt: skip
        _fill_expected(templates, scales, work)
        for row in range(k):
            out[i, row] = scales[row]
        for b in range(bins):
            expected[i, b] = work[EXPECTED, b]


@inline
def _minimise(
    counts: FloatArray,
    templates: FloatArray,
    centres: FloatArray,
    inverse_variances: FloatArray,
    inverse_hessian: FloatArray,
    scales: FloatArray,
    work: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
    step: FloatArray,
) -> None:
    """Move the scales of one point to the minimum; the last four arrays are work space."""
    for iteration in range(_STEPS):
        _first_derivatives(counts, templates, scales, work, gradient)
        for row in range(scales.shape[0]):
            gradient[row] += inverse_variances[row] * (scales[row] - centres[row])
        if iteration == 0:
            decrement = _product(inverse_hessian, gradient, step)
            if decrement <= _SMALL_DECREMENT and _allowed_fraction(scales, step) == 1.0:
                _subtract(scales, 1.0, step)
                return
        _second_derivatives(counts, templates, work, hessian)
        for row in range(scales.shape[0]):
            hessian[row, row] += inverse_variances[row]
        decrement = _newton_step(hessian, gradient, step)
        _subtract(scales, _allowed_fraction(scales, step), step)
        if not decrement > _DECREMENT:  # also NaN
            return


@inline
def _fill_expected(templates: FloatArray, scales: FloatArray, work: FloatArray) -> None:
    for b in range(templates.shape[1]):
        work[EXPECTED, b] = _LEAST_EVENTS
    for row in range(scales.shape[0]):
        _add_scaled(work, EXPECTED, scales[row], templates, row)


@inline
def _first_derivatives(
    counts: FloatArray,
    templates: FloatArray,
    scales: FloatArray,
    work: FloatArray,
    gradient: FloatArray,
) -> None:
    """Fill in the gradient of half the Poisson chi2 with respect to the scales."""
    _fill_expected(templates, scales, work)
    for b in range(counts.shape[0]):
        work[DEFICIT, b] = 1 - counts[b] / work[EXPECTED, b]
    for row in range(scales.shape[0]):
        gradient[row] = _dot(templates, row, work, DEFICIT)


@inline
def _second_derivatives(
    counts: FloatArray, templates: FloatArray, work: FloatArray, hessian: FloatArray
) -> None:
    """Fill in the lower triangle of the second derivatives, where ``work`` has the first."""
    for b in range(counts.shape[0]):
        work[CURVATURE, b] = counts[b] / (work[EXPECTED, b] * work[EXPECTED, b])
    for row in range(templates.shape[0]):
        for b in range(counts.shape[0]):
            work[WEIGHTED, b] = templates[row, b] * work[CURVATURE, b]
        for column in range(row + 1):
            hessian[row, column] = _dot(templates, column, work, WEIGHTED)


@inline
def _subtract(scales: FloatArray, fraction: float, step: FloatArray) -> None:
    for row in range(scales.shape[0]):
        scales[row] -= fraction * step[row]


@inline
def _product(inverse_hessian: FloatArray, gradient: FloatArray, step: FloatArray) -> float:
    """Fill in the step with a known Hessian; return the squared Newton decrement."""
    decrement = 0.0
    for row in range(gradient.shape[0]):
        step[row] = 0.0
        for column in range(gradient.shape[0]):
            step[row] += inverse_hessian[row, column] * gradient[column]
        decrement += step[row] * gradient[row]
    return decrement


@inline
def _allowed_fraction(scales: FloatArray, step: FloatArray) -> float:
    """Return the fraction of a step that keeps every scale above a tenth of itself."""
    fraction = 1.0
    for row in range(scales.shape[0]):
        most = (1 - _LEAST_FRACTION) * scales[row]
        fraction = min(fraction, most / max(step[row], most))
    return fraction


@inline
def _copy_row(rows: FloatArray, row: int, copy: FloatArray) -> None:
    for b in range(copy.shape[0]):
        copy[b] = rows[row, b]


@inline
def _add_scaled(
    totals: FloatArray, total: int, factor: float, values: FloatArray, value: int
) -> None:
    """Add a multiple of a row of ``values`` to a row of ``totals``; views would be slower."""
    for b in range(totals.shape[1]):
        totals[total, b] += factor * values[value, b]


@inline_sum
def _dot(left: FloatArray, row: int, right: FloatArray, other: int) -> float:
    """Return the scalar product of two rows."""
    total = 0.0
    for b in range(left.shape[1]):
        total += left[row, b] * right[other, b]
    return total


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
                # Neither data nor prior know a scale with zero here, which stays where it is.
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


@dataclass(frozen=True)
class LinearStart:
    """Scales close to the profiled ones, linear in the signal and in the centres of the priors.

    They are exact to first order around one signal, so that most points need one Newton step.
    """

    constant: FloatArray
    """Shape (k,)."""
    per_signal: FloatArray
    """Change per event of the signal in a bin, shape (b, k)."""
    per_centre: FloatArray
    """Change per unit of the centre of a prior, shape (k, k)."""
    inverse_hessian: FloatArray
    """Of chi2/2 at the signal, shape (k, k)."""

    @classmethod
    def around(
        cls,
        signal: FloatArray,
        counts: FloatArray,
        backgrounds: FloatArray,
        inverse_variances: FloatArray,
        centres: FloatArray,
    ) -> "LinearStart":
        """Return the start that is exact at one signal and certain centres of the priors.

        Parameters
        ----------
        signal, counts : numpy.ndarray, shape (b,)
            Expected signal events and counts.
        backgrounds, inverse_variances
            As in :func:`profiled_scales`.
        centres : numpy.ndarray, shape (k,)
            Centres of the priors.
        """
        ones = np.ones((1, len(inverse_variances)))
        unknown = np.full((len(inverse_variances),) * 2, np.nan)
        [scales], [expected] = profiled_scales(
            signal[None], counts[None], backgrounds, centres[None], inverse_variances, ones, unknown
        )
        templates, inverse = np.vstack([signal, backgrounds]), 1 / expected
        curvature = templates * (counts * inverse**2)
        # The gradient stays zero: hessian @ d(scales) = -d(gradient) at fixed scales.
        gradient_per_signal = scales[0] * curvature
        gradient_per_signal[0] += 1 - counts * inverse
        hessian = curvature @ templates.T + np.diag(inverse_variances)
        inverse_hessian = np.linalg.pinv(hessian)  # what neither data nor prior know stays
        per_centre = (inverse_hessian * inverse_variances).T
        per_signal = -(inverse_hessian @ gradient_per_signal).T
        constant = scales - signal @ per_signal - centres @ per_centre
        return cls(constant, per_signal, per_centre, inverse_hessian)

    def scales(self, signal: FloatArray, centres: FloatArray) -> FloatArray:
        """Return the scales for signals of shape (p, b) and centres (p, k); shape (p, k)."""
        result = signal @ self.per_signal
        result += centres @ self.per_centre
        result += self.constant
        return np.maximum(result, _LEAST_FRACTION)


def expected_events(signal: FloatArray, backgrounds: FloatArray, scales: FloatArray) -> FloatArray:
    """Return the expected events in each bin, shape (p, b); never zero.

    Parameters are those of :func:`profiled_scales`, with scales of shape (p, k).
    """
    expected = scales[:, 1:] @ backgrounds
    expected += scales[:, :1] * signal
    expected += _LEAST_EVENTS
    result: FloatArray = expected
    return result


def poisson_chi2(counts: FloatArray, expected: FloatArray) -> FloatArray:
    """Return 2 sum_b [mu - n + n ln(n/mu)], shape (p,).

    Parameters
    ----------
    counts : numpy.ndarray, shape (b,) or (p, b)
        n in each bin.
    expected : numpy.ndarray, shape (p, b)
        mu in each bin, positive.

    Examples
    --------
    >>> print(poisson_chi2(np.array([3.0, 0.0]), np.array([[3.0, 0.5]])).round(2))
    [1.]
    """
    saturated = (xlogy(counts, counts) - counts).sum(axis=-1)
    logarithms = np.log(expected)
    if counts.ndim == 1:
        likelihood = expected.sum(axis=1) - logarithms @ counts
    else:
        likelihood = expected.sum(axis=1) - np.einsum("pb,pb->p", logarithms, counts)
    result: FloatArray = 2 * (likelihood + saturated)
    return result
