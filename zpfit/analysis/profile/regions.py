"""Intervals of a curve below a level, and regions of highest density of weighted samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import gaussian_filter, minimum_filter1d

from zpfit.io.arrays import FloatArray

_BINS = {1: 200, 2: 50}
"""Number of bins on each axis, by the number of axes."""
_SMOOTHING = 1.5
"""Standard deviation of the smoothing Gaussian, in bins."""
_TAIL = 5e-5
"""Fraction of the samples at either end of an axis that may lie outside the bins."""
_NOISE = 2.5
"""Height of a dip or bump of the density, in standard errors, below which it counts as noise."""
_HEAVY = 0.05
"""Probability in an interval from which it is kept, whatever the noise of its density."""
_SHARP = 0.05
"""Change of the density by smoothing, relative to the maximum, from which bins are halved."""
_BLURRED = 0.015
"""Change of the smoothed density by smoothing it once more, relative to the maximum, from which
bins are halved; the width of a Gaussian mode is then right to 2 %."""
_QUIETER = 0.27
"""Standard error of this change relative to that of the smoothed density."""
_SURE = 4.0
"""Standard errors of a bin that such a change must exceed."""
_FILLED = {1: 75.0, 2: 150.0}
"""Effective number of samples from which a bin may be halved, by the number of axes.

Gaussian modes of 1,250 to 10,000 samples beside one that is 25 or 250 times as wide were drawn
from 40 seeds. With 150 on one axis, intervals of 1,250 are 8 to 10 % too wide on average, with 75
they are 3 % too wide.
"""
_GRADED_OVER = {1: 8, 2: 1}
"""Distance in bins over which widths grow by at most about a factor of two.

An end of an interval often lies in the tail of a narrow mode, where bins are not halved for their
own sake. With neighbours alone (1), such bins are as wide as the mode. The interval of a mode of
2,500 samples beside one 250 times as wide is then 8 to 11 % too wide (40 seeds), with 8 it is 3 %.
"""
_CHANGE = 2.0
"""Standard errors of a change by smoothing from which the density is corrected for it."""
_CORRECTED = 1.2
"""Standard error of a fully corrected density relative to that of the smoothed one.

The variances of the kernels ``2 K(s) - K(s sqrt(2))`` and ``K(s)`` have the ratio
``4 - 4 sqrt(2 / 3) + sqrt(1 / 2)`` = 1.44.
"""
_MAX_HALVINGS = 20
"""Largest number of times that a bin is halved."""
_MAX_BINS = {1: 1600, 2: 120}
"""Largest number of bins on each axis, by the number of axes."""
_MARGIN = 0.15
"""Margin of the bins beyond the samples, as a fraction of their range; smoothing needs it."""


def intervals(x: FloatArray, y: FloatArray, level: float) -> list[tuple[float, float]]:
    """Return all intervals of ``x`` in which ``y <= level``.

    Parameters
    ----------
    x
        Nodes in increasing order, shape (n,).
    y
        Values at the nodes, shape (n,). Ends of intervals are interpolated linearly; an interval
        ends at its last node if the next value is infinite.
    level
        Level of ``y``.

    Examples
    --------
    >>> intervals(np.arange(4.0), np.array([2.0, 0.0, 0.0, 2.0]), 1.0)
    [(0.5, 2.5)]
    """
    return [
        (_crossing(x, y, level, i, i - 1), _crossing(x, y, level, j, j + 1))
        for i, j in pieces(y, level)
    ]


def pieces(y: FloatArray, level: float) -> list[tuple[int, int]]:
    """Return the first and last index of each run of values of at most ``level``."""
    inside = np.concatenate([[False], y <= level, [False]])
    first = np.flatnonzero(inside[1:] & ~inside[:-1])
    last = np.flatnonzero(inside[:-1] & ~inside[1:]) - 1
    return list(zip(first.tolist(), last.tolist(), strict=True))


def unknown_ends(x: FloatArray, y: FloatArray, level: float) -> float:
    """Return the widest bracket of an end of an interval, relative to the interval's length.

    Parameters
    ----------
    x, y, level
        See :func:`intervals`.

    Returns
    -------
    float
        Zero if there is no interval or none ends inside; infinite if one is a single node.

    Examples
    --------
    >>> unknown_ends(np.array([0.0, 1.0, 2.0, 2.5]), np.array([0.0, 0.0, 0.0, 2.0]), 1.0)
    0.25
    """
    worst = 0.0
    for first, last in pieces(y, level):
        length = float(x[last] - x[first])
        for inner, outer in ((first, first - 1), (last, last + 1)):
            if 0 <= outer < len(x):
                width = abs(float(x[outer] - x[inner]))
                worst = max(worst, width / length if length else np.inf)
    return worst


def _crossing(x: FloatArray, y: FloatArray, level: float, inner: int, outer: int) -> float:
    """Return where y crosses the level between a node inside and the next one outside."""
    if not 0 <= outer < len(x) or not np.isfinite(y[outer]):
        return float(x[inner])
    share = (level - y[inner]) / (y[outer] - y[inner])
    return float(x[inner] + share * (x[outer] - x[inner]))


@dataclass(frozen=True)
class Density:
    """A smoothed histogram of weighted samples on one axis.

    The density is interpolated linearly between centres of bins. It is constant from the
    outermost centres to the edges, and zero outside.
    """

    edges: tuple[FloatArray, ...]
    """Edges of the bins of each axis."""
    density: FloatArray
    """Smoothed density with maximum 1; shape (bins,)."""
    error: FloatArray
    """Standard error of the density from the number of samples; same shape."""
    at_samples: FloatArray
    """Density at each sample, shape (n,)."""
    weight: FloatArray
    """Weights of the samples, which add up to 1; shape (n,)."""

    @classmethod
    def of(
        cls, samples: FloatArray, weight: FloatArray, reach: Sequence[tuple[float, float]]
    ) -> "Density":
        """Return the density of samples.

        Smoothing reflects at the outermost bins, so a density that ends with the prior keeps its
        value there. An edge inside, such as that of a hard exclusion, spreads over about a bin.
        Where smoothing changes the density by more than noise, the change is undone to leading
        order.

        Parameters
        ----------
        samples
            Samples, shape (n, 1).
        weight
            Weights, shape (n,), which add up to 1.
        reach
            Ends of the prior.
        """
        columns = zip(samples.T, reach, strict=True)
        edges = tuple(adapted_edges(column, weight, ends, 1) for column, ends in columns)
        counts, _ = np.histogramdd(samples, bins=edges, weights=weight)
        squares, _ = np.histogramdd(samples, bins=edges, weights=weight**2)
        smooth, error = _corrected(counts, squares, edges[0])
        error /= smooth.max()
        smooth /= smooth.max()
        centres = [(e[1:] + e[:-1]) / 2 for e in edges]
        inner = np.clip(samples, [c[0] for c in centres], [c[-1] for c in centres])
        at_samples = RegularGridInterpolator(centres, smooth)(inner)
        outside = np.any(
            [(s < e[0]) | (s > e[-1]) for s, e in zip(samples.T, edges, strict=True)], axis=0
        )
        at_samples[outside] = 0
        return cls(edges, smooth, error, at_samples, weight)

    @cached_property
    def centres(self) -> tuple[FloatArray, ...]:
        """Centres of the bins of each axis."""
        return tuple((edges[1:] + edges[:-1]) / 2 for edges in self.edges)

    @property
    def mode(self) -> tuple[float, ...]:
        """Centre of the densest bin."""
        index = np.unravel_index(np.argmax(self.density), self.density.shape)
        return tuple(float(c[i]) for c, i in zip(self.centres, index, strict=True))

    def shown(self) -> tuple[tuple[FloatArray, ...], FloatArray]:
        """Return edges of bins and the density in each, for a record."""
        return self.edges, self.density

    def threshold(self, probability: float) -> float:
        """Return the density above which a fraction of the samples lies.

        The samples themselves are counted, so smoothing changes the shape of a region but not
        its probability.
        """
        return threshold_of(self.at_samples, self.weight, probability)

    def intervals(self, probability: float) -> list[tuple[float, float]]:
        """Return the highest-density intervals on a single axis, one for each mode.

        Intervals and gaps narrower than the smoothing are noise. So are those in which the
        density rises or falls by less than a few standard errors. Such gaps are closed, and such
        intervals are dropped unless they hold more than a few per cent of the probability.
        """
        [edges], [centres] = self.edges, self.centres
        x = np.concatenate([edges[:1], centres, edges[-1:]])
        y = np.concatenate([self.density[:1], self.density, self.density[-1:]])
        threshold = self.threshold(probability)
        excess = (self.density - threshold) / np.maximum(self.error, 1e-300)
        bins = np.arange(len(edges))

        def significant(low: float, high: float, sign: int) -> bool:
            within = (centres >= low) & (centres <= high)
            largest = float((sign * excess[within]).max(initial=-np.inf))
            width = float(np.diff(np.interp([low, high], edges, bins))[0])
            return width >= 2 * _SMOOTHING and largest >= _NOISE

        joined: list[tuple[float, float]] = []
        for low, high in intervals(x, -y, -threshold):
            if joined and not significant(joined[-1][1], low, -1):
                joined[-1] = (joined[-1][0], high)
            else:
                joined.append((low, high))
        mass = np.concatenate([[0.0], np.cumsum(self.density * np.diff(edges))])

        def heavy(low: float, high: float) -> bool:
            below, above = np.interp([low, high], edges, mass / mass[-1])
            return bool(above - below > _HEAVY)

        return [piece for piece in joined if heavy(*piece) or significant(*piece, 1)] or joined


def _smooth(
    counts: FloatArray, squares: FloatArray, edges: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return the density in each bin and its standard error, from sums of weights and squares.

    Counts are smoothed over a number of bins, so narrow bins are smoothed less. Dividing by the
    widths, smoothed likewise, gives the density.
    """
    sizes = np.ones(())
    for own in edges:
        width = gaussian_filter(np.diff(own), _SMOOTHING, mode="reflect")
        sizes = np.multiply.outer(sizes, width)
    smooth: FloatArray = gaussian_filter(counts, _SMOOTHING, mode="reflect") / sizes
    return smooth, np.sqrt(_smoothed_variance(squares)) / sizes


def _corrected(
    counts: FloatArray, squares: FloatArray, edges: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return a smoothed density without its leading bias, and the standard error.

    Let f1 be the density smoothed once and f2 the one smoothed twice. Then f1^2 / f2 has no bias of
    second order in the width of the kernel, and is positive. Its noise is larger, so f1 is kept
    where f1 - f2 is noise.

    References
    ----------
    G. R. Terrell and D. W. Scott, Ann. Statist. 8, 1160 (1980).
    """
    once, error = _smooth(counts, squares, [edges])
    change = once - _smoothed_twice(counts, np.diff(edges))
    noise = (_CHANGE * _QUIETER * error) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(change**2 > noise, 1 - noise / change**2, 0.0)
        factor = np.where(share > 0, (once / (once - change)) ** share, 1.0)
    return once * factor, error * factor * (1 + (_CORRECTED - 1) * share)


def _smoothed_twice(counts: FloatArray, width: FloatArray) -> FloatArray:
    """Return the density from counts in bins that are smoothed twice."""
    return _smoothed(counts, 2) / _smoothed(width, 2)


def _smoothed(values: FloatArray, times: int) -> FloatArray:
    """Return values on one axis after smoothing a number of times."""
    result: FloatArray = gaussian_filter(values, _SMOOTHING * np.sqrt(times), mode="reflect")
    return result


def _smoothed_variance(squares: FloatArray) -> FloatArray:
    """Return the variance of smoothed bins from the sums of squared weights in each bin."""
    narrower = _SMOOTHING / np.sqrt(2)  # the square of a Gaussian is a Gaussian
    share = (1 / (2 * np.sqrt(np.pi) * _SMOOTHING)) ** squares.ndim
    variance: FloatArray = share * gaussian_filter(squares, narrower, mode="reflect")
    return variance


def threshold_of(at_samples: FloatArray, weight: FloatArray, probability: float) -> float:
    """Return the density above which a fraction of samples lies.

    Parameters
    ----------
    at_samples
        Density at each sample, shape (n,).
    weight
        Weights, shape (n,), which add up to 1.
    probability
        The fraction, 0 to 1.
    """
    order = np.argsort(-at_samples)
    share = np.cumsum(weight[order])
    last = min(int(np.searchsorted(share, probability)), len(order) - 1)
    return float(at_samples[order[last]])


def adapted_edges(
    column: FloatArray, weight: FloatArray, reach: tuple[float, float], n_axes: int
) -> FloatArray:
    """Return edges of bins over nearly all samples, narrow where their density changes fast.

    Parameters
    ----------
    column
        Samples on one axis, shape (n,).
    weight
        Weights, shape (n,), which add up to 1.
    reach
        Ends of the prior.
    n_axes
        Number of axes of the density, 1 or 2.
    """
    return _adapted(column, weight, _edges(column, weight, reach, _BINS[n_axes]), n_axes)


def _adapted(column: FloatArray, weight: FloatArray, edges: FloatArray, n_axes: int) -> FloatArray:
    """Return edges of bins that are narrow where the density changes fast.

    Bins are halved where smoothing changes the density by more than noise does. Bins near each
    other differ by at most about a factor of two in width, so that modes of any width keep their
    shapes.
    """
    order = np.argsort(column)
    column, weight = column[order], weight[order]
    sums = [np.concatenate([[0.0], np.cumsum(weight**power)]) for power in (1, 2)]
    for _ in range(_MAX_HALVINGS):
        at = np.searchsorted(column, edges)
        counts, squares = (np.diff(total[at]) for total in sums)
        width = np.diff(edges)
        smooth, error = _smooth(counts, squares, [edges])
        away = np.abs(counts / width - smooth)
        sharp = (away > _SHARP * smooth.max()) & (away > _SURE * np.sqrt(squares) / width)
        if n_axes == 1:  # planes have other smoothing
            # Smoothing once more changes a mode as much as the first time, with less noise.
            again = np.abs(smooth - _smoothed_twice(counts, width))
            sharp |= (again > _BLURRED * smooth.max()) & (again > _SURE * _QUIETER * error)
        sharp &= counts**2 > _FILLED[n_axes] * squares
        if not sharp.any():
            break
        halved = np.convolve(sharp, np.ones(5), "same") > 0
        halved = _graded(width, halved, _GRADED_OVER[n_axes])
        if len(width) + halved.sum() > _MAX_BINS[n_axes]:
            break
        edges = np.union1d(edges, (edges[:-1][halved] + edges[1:][halved]) / 2)
    return edges


def _graded(width: FloatArray, halved: NDArray[np.bool_], over: int) -> NDArray[np.bool_]:
    """Return the bins to halve, with those that would be too wide near halved ones."""
    while True:
        new = np.where(halved, width / 2, width)
        least = minimum_filter1d(new, 2 * over + 1, mode="nearest")
        wide = (new > 2.5 * least) & ~halved
        if not wide.any():
            return halved
        halved = halved | wide


def _edges(
    column: FloatArray, weight: FloatArray, reach: tuple[float, float], bins: int
) -> FloatArray:
    """Return edges of bins over all but the tails of the samples, within the prior."""
    order = np.argsort(column)
    share = np.cumsum(weight[order])
    ends = np.searchsorted(share, [_TAIL, 1 - _TAIL])
    low, high = column[order[np.minimum(ends, len(order) - 1)]]
    # The lower limit of the margin is for samples that are all equal.
    margin = max(_MARGIN * (high - low), 1e-9 * (reach[1] - reach[0]))
    return np.linspace(max(low - margin, reach[0]), min(high + margin, reach[1]), bins + 1)
