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
from math import copysign, nan, sqrt
from typing import Final

import numpy as np
from scipy.special import xlogy

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import (
    contiguous,
    gufunc,
    inline,
    inline_arrays,
    loop,
    merged,
    merged_sum,
)
from zpfit.physics.logarithm import logarithm

_STEPS: Final = 100
"""Newton steps; a few suffice unless the signal is absurdly large, which takes a step a decade."""
_DECREMENT: Final = 1e-4
"""Squared Newton decrement after which one more step leaves an error of its square in chi2."""
_SMALL_DECREMENT: Final = 1e-9
"""Squared decrement below which a step with the Hessian of :class:`LinearStart` is enough: chi2 is
off by less than this already before the step, and by orders of magnitude less after it."""
_LEAST_FRACTION: Final = 0.1
"""Smallest fraction of a scale that one step leaves, so that scales stay positive."""
_FUSED: Final = 4
"""Templates in one pass over the bins; zeros stand for missing ones."""
_LEAST_EVENTS: Final = 1e-150
"""Added to expected counts, which keeps logarithms finite; its square is a number too."""


def profiled_scales(
    signal: FloatArray,
    observed: FloatArray,
    backgrounds: FloatArray,
    centres: FloatArray,
    inverse_variances: FloatArray,
    start: FloatArray,
    inverse_hessian: FloatArray,
) -> tuple[FloatArray, FloatArray]:
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
    scales, expected = np.array(start, order="C"), np.empty(np.shape(signal))
    inputs = (signal, observed, backgrounds, centres, inverse_variances, inverse_hessian)
    _profile(*contiguous(*inputs), scales, expected)
    return scales, expected


@loop("(p,b)", "(q,b)", "(j,b)", "(p,k)", "(k)", "(k,k)", "(p,k)", "(p,b)")
def _profile(  # type: ignore[no-untyped-def]
    signal, observed, backgrounds, centres, inverse_variances, inverse_hessian, scales, expected
):
    """Move ``scales`` of each point to the minimum, and fill in the events expected there."""
    k, bins = inverse_variances.shape[0], signal.shape[1]
    rows = max(k, _FUSED)
    templates, factors = np.zeros((rows, bins)), np.zeros(rows)
    for row in range(1, k):
        _copy(backgrounds[row - 1], templates[row])
    others, gradient = np.full(bins, _LEAST_EVENTS), np.empty(rows)
    hessian, step = np.empty((rows, rows)), np.empty(k)
    for i in range(signal.shape[0]):
        _copy(signal[i], templates[0])
        _copy(scales[i], factors)
        counts, mu = observed[min(i, observed.shape[0] - 1)], expected[i]
        priors = centres[i], inverse_variances, inverse_hessian
        _minimise(counts, templates, priors, factors, others, mu, gradient, hessian, step)
        for row in range(k):
            scales[i, row] = factors[row]


@merged
def _copy(source: FloatArray, target: FloatArray) -> None:
    """Fill the beginning of an array; numba compiles an assignment of a slice for seconds."""
    for b in range(source.shape[0]):
        target[b] = source[b]


@inline
def _minimise(
    counts: FloatArray,
    templates: FloatArray,
    priors: tuple[FloatArray, FloatArray, FloatArray],
    factors: FloatArray,
    others: FloatArray,
    mu: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
    step: FloatArray,
) -> None:
    """Move the scales of one point to the minimum, and fill in the events expected there.

    ``priors`` are centres, inverse variances and the inverse Hessian close to the minimum; the
    last four arrays are places for what they are called.
    """
    centres, inverse_variances, inverse_hessian = priors
    if factors[0] <= _LEAST_FRACTION:
        _start_at_large_signal(counts, templates, centres, inverse_variances, factors)
    for iteration in range(_STEPS):
        _first_derivatives(counts, templates, factors, others, mu, gradient)
        for row in range(step.shape[0]):
            gradient[row] += inverse_variances[row] * (factors[row] - centres[row])
        if iteration == 0:
            decrement = _product(inverse_hessian, gradient, step)
            if decrement <= _SMALL_DECREMENT and not _ends_at_zero(
                factors, gradient, inverse_hessian, step
            ):
                _subtract(factors, 1.0, step)
                break
        _second_derivatives(counts, templates, mu, hessian)
        for row in range(step.shape[0]):
            hessian[row, row] += inverse_variances[row]
        decrement = _newton_step(hessian, gradient, step)
        if _ends_at_zero(factors, gradient, hessian, step):
            decrement = _inner_step(counts, templates, priors, factors, mu, gradient, hessian, step)
        fraction = _allowed_fraction(factors, step)
        _subtract(factors, fraction, step)
        if not decrement > (_DECREMENT if fraction == 1.0 else _SMALL_DECREMENT):  # also NaN
            break
    _first_derivatives(counts, templates, factors, others, mu, gradient)


@gufunc("(p,b),(b),(j,b),(p),(k),(k),(b,k),(k,k),(k,k),(b),(b)->(p,b),(p,k),(p)")
def profiled_residuals(  # type: ignore[no-untyped-def]
    signal, observed, backgrounds, signal_centre, errors, constant, per_signal, per_centre,
    inverse_hessian, inverse_expected, saturated, bins, pulls, chi2,
):  # fmt: skip
    """Compute what :func:`profiled_scales` leads to, in one call for each batch.

    Outputs are signed roots of the share of each bin in chi2, pulls of the scales, and chi2. The
    centres of the scales' priors are 1, but for that of the signal. Other inputs are the errors of
    the scales and the arrays of a :class:`LinearStart`, in their order.
    """
    data = _contiguous_data(observed, backgrounds, errors, per_signal, inverse_expected, saturated)
    start, places = (constant, per_centre, inverse_hessian), _places(data[1])
    _fill_residuals(signal, signal_centre, start, errors, data, places, bins, pulls, chi2)


@inline_arrays
def _contiguous_data(
    observed: FloatArray,
    backgrounds: FloatArray,
    errors: FloatArray,
    per_signal: FloatArray,
    inverse_expected: FloatArray,
    saturated: FloatArray,
) -> tuple[FloatArray, ...]:
    """Return counts, templates, centres and weights of priors, slopes of the start, and the rest.

    Loops over the copies use vector instructions. The first template and the first centre are those
    of the signal, which the caller fills in.
    """
    k, n_bins = errors.shape[0], observed.shape[0]
    templates, slopes = np.zeros((max(k, _FUSED), n_bins)), np.empty((k, n_bins))
    counts, inverse, logarithms = np.empty(n_bins), np.empty(n_bins), np.empty(n_bins)
    centres, weights = np.ones(k), np.empty(k)
    _copy(observed, counts)
    _copy(inverse_expected, inverse)
    _copy(saturated, logarithms)
    for row in range(k):
        weights[row] = 1 / (errors[row] * errors[row])
        _copy(per_signal[:, row], slopes[row])
    for row in range(1, k):
        _copy(backgrounds[row - 1], templates[row])
    return counts, templates, centres, weights, slopes, inverse, logarithms


@inline_arrays
def _places(templates: FloatArray) -> tuple[FloatArray, ...]:
    """Return arrays for scales, other events, expected events, gradient, Hessian, step, shares."""
    rows, n_bins = templates.shape
    others, expected, shares = np.full(n_bins, _LEAST_EVENTS), np.empty(n_bins), np.empty(n_bins)
    scales, gradient, step = np.zeros(rows), np.empty(rows), np.empty(rows)
    return scales, others, expected, gradient, np.empty((rows, rows)), step, shares


@inline
def _fill_residuals(
    signal: FloatArray,
    signal_centre: FloatArray,
    start: tuple[FloatArray, ...],
    errors: FloatArray,
    data: tuple[FloatArray, ...],
    places: tuple[FloatArray, ...],
    bins: FloatArray,
    pulls: FloatArray,
    chi2: FloatArray,
) -> None:
    constant, per_centre, inverse_hessian = start
    counts, templates, centres, weights, slopes, inverse, logarithms = data
    factors, others, mu, gradient, hessian, step, shares = places
    k, priors = centres.shape[0], (centres, weights, inverse_hessian)
    for i in range(signal.shape[0]):
        _copy(signal[i], templates[0])
        centres[0] = signal_centre[i]
        for row in range(k):
            value = constant[row] + _sum_of_products(templates[0], slopes[row])
            for column in range(k):
                value += centres[column] * per_centre[column, row]
            factors[row] = max(value, _LEAST_FRACTION)
        _minimise(counts, templates, priors, factors, others, mu, gradient, hessian, step[:k])
        total = 2 * _half_chi2(counts, mu, inverse, logarithms, shares)
        _take_signed_roots(counts, mu, shares)
        _copy(shares, bins[i])
        for row in range(k):
            pulls[i, row] = (centres[row] - factors[row]) / errors[row]
            total += pulls[i, row] * pulls[i, row]
        chi2[i] = total


@merged_sum
def _half_chi2(
    counts: FloatArray,
    mu: FloatArray,
    inverse: FloatArray,
    saturated: FloatArray,
    shares: FloatArray,
) -> float:
    """Fill in mu - n + n ln(n/mu) of each bin, and return their sum.

    ``inverse`` is 1/mu at the signal of a :class:`LinearStart`, and ``saturated`` n ln(n/mu) there.
    """
    total, impossible = 0.0, 0.0
    for b in range(counts.shape[0]):
        share = mu[b] - counts[b] + saturated[b] - counts[b] * logarithm(mu[b] * inverse[b])
        shares[b] = share
        total += share
        impossible += 0.0 if mu[b] > 0 else 1.0
    if impossible > 0:  # a negative signal, which has no logarithm, or NaN
        for b in range(counts.shape[0]):
            shares[b] = nan
        return nan
    return total


@merged
def _take_signed_roots(counts: FloatArray, mu: FloatArray, shares: FloatArray) -> None:
    """Replace the share of each bin in chi2/2 by the signed root of its share in chi2."""
    for b in range(counts.shape[0]):
        # Rounding may leave a tiny negative share at the minimum.
        shares[b] = copysign(sqrt(2 * max(shares[b], 0.0)), counts[b] - mu[b])


@inline
def _start_at_large_signal(
    counts: FloatArray,
    templates: FloatArray,
    centres: FloatArray,
    inverse_variances: FloatArray,
    factors: FloatArray,
) -> None:
    """Fill in the scales at which the signal explains what usual backgrounds leave.

    A start that is linear in the signal means nothing there, and Newton's method would take a step
    for each factor of ten.
    """
    total, excess = 0.0, 0.0
    for b in range(counts.shape[0]):
        total += templates[0, b]
        excess += counts[b]
    for row in range(1, centres.shape[0]):
        factors[row] = max(centres[row], _LEAST_FRACTION)
        for b in range(counts.shape[0]):
            excess -= centres[row] * templates[row, b]
    weight, excess = inverse_variances[0], max(excess, 1.0)
    if total == 0.0 and weight == 0.0:  # every scale is as good
        factors[0] = 1.0
        return
    # The zero of the derivative, total + weight (s - centre) - excess/s.
    slope = total - weight * centres[0]
    root = sqrt(slope * slope + 4 * weight * excess)
    # Both forms are the same root; each avoids a difference of large numbers.
    factors[0] = 2 * excess / (slope + root) if slope > 0 else (root - slope) / (2 * weight)
    factors[0] = min(factors[0], 1.0)


@merged_sum
def _sum_of_products(first: FloatArray, second: FloatArray) -> float:
    total = 0.0
    for b in range(first.shape[0]):
        total += first[b] * second[b]
    return total


@inline
def _first_derivatives(
    counts: FloatArray,
    rows: FloatArray,
    scales: FloatArray,
    others: FloatArray,
    expected: FloatArray,
    gradient: FloatArray,
) -> None:
    """Fill in the expected events, and the gradient of half the Poisson chi2."""
    if rows.shape[0] == _FUSED:
        _fused_gradient(counts, rows, scales, others, expected, gradient)
        return
    for b in range(others.shape[0]):  # and the events of all templates but four
        others[b] = _LEAST_EVENTS
    for row in range(_FUSED, rows.shape[0]):
        for b in range(others.shape[0]):
            others[b] += scales[row] * rows[row, b]
    _fused_gradient(counts, rows, scales, others, expected, gradient)
    for row in range(_FUSED, rows.shape[0]):
        gradient[row] = 0.0
        for b in range(counts.shape[0]):
            gradient[row] += (1 - counts[b] / expected[b]) * rows[row, b]


@merged_sum
def _fused_gradient(
    counts: FloatArray,
    rows: FloatArray,
    scales: FloatArray,
    others: FloatArray,
    expected: FloatArray,
    gradient: FloatArray,
) -> None:
    """Fill in the expected events, and the gradient along four templates, in one pass."""
    s0, s1, s2, s3 = scales[0], scales[1], scales[2], scales[3]
    g0 = g1 = g2 = g3 = 0.0
    for b in range(counts.shape[0]):
        r0, r1, r2, r3 = rows[0, b], rows[1, b], rows[2, b], rows[3, b]
        mu = others[b] + (s0 * r0 + s1 * r1) + (s2 * r2 + s3 * r3)
        expected[b] = mu
        deficit = 1 - counts[b] / mu
        g0 += deficit * r0
        g1 += deficit * r1
        g2 += deficit * r2
        g3 += deficit * r3
    gradient[0], gradient[1], gradient[2], gradient[3] = g0, g1, g2, g3


@inline
def _second_derivatives(
    counts: FloatArray, rows: FloatArray, expected: FloatArray, hessian: FloatArray
) -> None:
    """Fill in the lower triangle of the second derivatives of half the Poisson chi2."""
    _fused_hessian(counts, rows, expected, hessian)
    for row in range(_FUSED, rows.shape[0]):
        for column in range(row + 1):
            hessian[row, column] = 0.0
            for b in range(counts.shape[0]):
                weight = counts[b] / (expected[b] * expected[b])
                hessian[row, column] += weight * rows[row, b] * rows[column, b]


@merged_sum
def _fused_hessian(
    counts: FloatArray, rows: FloatArray, expected: FloatArray, hessian: FloatArray
) -> None:
    """Fill in the second derivatives along four templates, in one pass."""
    h00 = h10 = h11 = h20 = h21 = h22 = h30 = h31 = h32 = h33 = 0.0
    for b in range(counts.shape[0]):
        r0, r1, r2, r3 = rows[0, b], rows[1, b], rows[2, b], rows[3, b]
        weight = counts[b] / (expected[b] * expected[b])
        w1, w2, w3 = weight * r1, weight * r2, weight * r3
        h00 += weight * r0 * r0
        h10 += w1 * r0
        h11 += w1 * r1
        h20 += w2 * r0
        h21 += w2 * r1
        h22 += w2 * r2
        h30 += w3 * r0
        h31 += w3 * r1
        h32 += w3 * r2
        h33 += w3 * r3
    hessian[0, 0] = h00
    hessian[1, 0], hessian[1, 1] = h10, h11
    hessian[2, 0], hessian[2, 1], hessian[2, 2] = h20, h21, h22
    hessian[3, 0], hessian[3, 1], hessian[3, 2], hessian[3, 3] = h30, h31, h32, h33


@merged
def _subtract(scales: FloatArray, fraction: float, step: FloatArray) -> None:
    for row in range(step.shape[0]):
        scales[row] -= fraction * step[row]


@merged
def _product(inverse_hessian: FloatArray, gradient: FloatArray, step: FloatArray) -> float:
    """Fill in the step with a known Hessian; return the squared Newton decrement."""
    decrement = 0.0
    for row in range(step.shape[0]):
        value = 0.0
        for column in range(step.shape[0]):
            value += inverse_hessian[row, column] * gradient[column]
        step[row] = value
        decrement += value * gradient[row]
    return decrement


@merged
def _allowed_fraction(scales: FloatArray, step: FloatArray) -> float:
    """Return the fraction of a step that keeps every scale above a tenth of itself."""
    fraction = 1.0
    for row in range(step.shape[0]):
        most = (1 - _LEAST_FRACTION) * scales[row]
        fraction = min(fraction, most / max(step[row], most))
    return fraction


@merged
def _ends_at_zero(
    scales: FloatArray, gradient: FloatArray, root: FloatArray, step: FloatArray
) -> bool:
    """Return True if a scale would reach zero, or if chi2 falls towards zero along a line.

    ``root`` has a zero on the diagonal where chi2 has no curvature.
    """
    for row in range(step.shape[0]):
        if gradient[row] > 0 and root[row, row] == 0.0:
            return True
    return _allowed_fraction(scales, step) < 1.0


@inline
def _inner_step(
    counts: FloatArray,
    templates: FloatArray,
    priors: tuple[FloatArray, FloatArray, FloatArray],
    scales: FloatArray,
    mu: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
    step: FloatArray,
) -> float:
    """Fill in a Newton step that lets each scale approach zero; return how much chi2/2 may fall.

    Newton's own step would leave the allowed scales, and would be cut for all of them: the others
    would never arrive. With |gradient|/scale added to its curvature, a scale that falls stays
    positive (T. F. Coleman and Y. Li, SIAM J. Optim. 6, 418 (1996)).
    """
    _second_derivatives(counts, templates, mu, hessian)
    rising = 0.0  # what scales gain that rise, however small they are now
    for row in range(step.shape[0]):
        hessian[row, row] += priors[1][row]
        if gradient[row] < 0:
            rising += gradient[row] ** 2 / hessian[row, row]
        hessian[row, row] += abs(gradient[row]) / scales[row]
    return rising + _newton_step(hessian, gradient, step)


@merged
def _newton_step(hessian: FloatArray, gradient: FloatArray, step: FloatArray) -> float:
    """Solve for the Newton step by Cholesky's method; return the squared Newton decrement."""
    k = step.shape[0]
    for row in range(k):
        for column in range(row + 1):
            value = hessian[row, column]
            for inner in range(column):
                value -= hessian[row, inner] * hessian[column, inner]
            if row == column:
                # The inverse of the diagonal element of the root. Neither data nor prior know a
                # scale with zero here, which stays where it is.
                hessian[row, row] = 1 / sqrt(value) if value > 0 else 0.0
            else:
                hessian[row, column] = value * hessian[column, column]
    decrement = 0.0
    for row in range(k):
        value = gradient[row]
        for inner in range(row):
            value -= hessian[row, inner] * step[inner]
        step[row] = value * hessian[row, row]
        decrement += step[row] ** 2
    for row in range(k - 1, -1, -1):
        value = step[row]
        for inner in range(row + 1, k):
            value -= hessian[inner, row] * step[inner]
        step[row] = value * hessian[row, row]
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
    inverse_expected: FloatArray
    """1/mu for the events mu expected at the signal and its profiled scales, shape (b,)."""
    saturated: FloatArray
    """n ln(n/mu) for the counts n and the same mu, shape (b,)."""

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
        saturated = xlogy(counts, counts * inverse)
        return cls(constant, per_signal, per_centre, inverse_hessian, inverse, saturated)

    def arguments(self) -> tuple[FloatArray, ...]:
        """Return the last arguments of :func:`profiled_residuals`."""
        linear = self.constant, self.per_signal, self.per_centre
        return *linear, self.inverse_hessian, self.inverse_expected, self.saturated

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
