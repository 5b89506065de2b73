"""Where a curve lies below a level, and the densest regions of weighted samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import gaussian_filter

from zpfit.io.arrays import FloatArray

_BINS = {1: 200, 2: 50}
"""On each axis, by the number of axes."""
_SMOOTHING = 1.5
"""Standard deviation of the Gaussian that bins are smoothed with, in bins."""
_TAIL = 5e-5
"""Share of the samples at either end of an axis that may lie outside the bins."""
_NOISE = 2.5
"""Standard errors of the density below which a dip or a bump of it tells nothing."""
_MARGIN = 0.15
"""Of the samples' range by which bins go beyond it, so that smoothing meets no edge of theirs."""


def intervals(x: FloatArray, y: FloatArray, level: float) -> list[tuple[float, float]]:
    """Every stretch of increasing ``x`` in which ``y <= level``.

    Ends are interpolated between nodes, both of shape (n,). A stretch ends at its last node
    where the next is infinite.
    """
    inside = np.concatenate([[False], y <= level, [False]])
    first = np.flatnonzero(inside[1:] & ~inside[:-1])
    last = np.flatnonzero(inside[:-1] & ~inside[1:]) - 1
    return [
        (_crossing(x, y, level, i, i - 1), _crossing(x, y, level, j, j + 1))
        for i, j in zip(first.tolist(), last.tolist(), strict=True)
    ]


def _crossing(x: FloatArray, y: FloatArray, level: float, inner: int, outer: int) -> float:
    """Where y reaches the level between a node inside and the next outside, if there is one."""
    if not 0 <= outer < len(x) or not np.isfinite(y[outer]):
        return float(x[inner])
    share = (level - y[inner]) / (y[outer] - y[inner])
    return float(x[inner] + share * (x[outer] - x[inner]))


@dataclass(frozen=True)
class Density:
    """A smoothed histogram of weighted samples on one or two axes.

    Between centres of bins the density is interpolated linearly; beyond the
    outermost it is constant to the edge, and zero outside.
    """

    edges: tuple[FloatArray, ...]
    """Of the bins, for each axis."""
    density: FloatArray
    """Smoothed, the largest being 1; shape (bins of the first axis[, of the second])."""
    error: FloatArray
    """Of the density, from the number of samples; the same shape."""
    at_samples: FloatArray
    """The density at each sample, shape (n,)."""
    weight: FloatArray
    """Of the samples, adding up to 1."""

    @classmethod
    def of(
        cls, samples: FloatArray, weight: FloatArray, reach: Sequence[tuple[float, float]]
    ) -> "Density":
        """From samples of shape (n, axes) and where the prior ends on each axis.

        Smoothing reflects at the outermost bins, so that a density that is cut off
        at the end of a prior stays as it is there. At an edge inside, such as that of a hard
        exclusion, it spreads over about a bin.
        """
        n_axes = samples.shape[1]
        columns = zip(samples.T, reach, strict=True)
        edges = tuple(_edges(column, weight, ends, _BINS[n_axes]) for column, ends in columns)
        histogram, _ = np.histogramdd(samples, bins=edges, weights=weight)
        smooth = gaussian_filter(histogram, _SMOOTHING, mode="reflect")
        squares, _ = np.histogramdd(samples, bins=edges, weights=weight**2)
        error = np.sqrt(_smoothed_variance(squares)) / smooth.max()
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
        """Of the bins, for each axis."""
        return tuple((edges[1:] + edges[:-1]) / 2 for edges in self.edges)

    @property
    def mode(self) -> tuple[float, ...]:
        """Centre of the densest bin."""
        index = np.unravel_index(np.argmax(self.density), self.density.shape)
        return tuple(float(c[i]) for c, i in zip(self.centres, index, strict=True))

    def threshold(self, probability: float) -> float:
        """The density above which that share of the samples lies.

        The samples themselves are counted, so that smoothing changes the shape
        of a region and not what it holds.
        """
        order = np.argsort(-self.at_samples)
        share = np.cumsum(self.weight[order])
        last = min(int(np.searchsorted(share, probability)), len(order) - 1)
        return float(self.at_samples[order[last]])

    def intervals(self, probability: float) -> list[tuple[float, float]]:
        """The highest-density intervals on a single axis; several if it has several modes.

        Intervals and gaps too narrow for what smoothing leaves of a mode or a dip are noise, and
        so are those in which the density rises or dips by less than its error: gaps are closed,
        and such intervals left out.
        """
        [edges], [centres] = self.edges, self.centres
        x = np.concatenate([edges[:1], centres, edges[-1:]])
        y = np.concatenate([self.density[:1], self.density, self.density[-1:]])
        threshold = self.threshold(probability)
        excess = (self.density - threshold) / np.maximum(self.error, 1e-300)
        width = 2 * _SMOOTHING * float(edges[1] - edges[0])

        def tells(low: float, high: float, sign: int) -> bool:
            within = (centres >= low) & (centres <= high)
            largest = float((sign * excess[within]).max(initial=-np.inf))
            return high - low >= width and largest >= _NOISE

        joined: list[tuple[float, float]] = []
        for low, high in intervals(x, -y, -threshold):
            if joined and not tells(joined[-1][1], low, -1):
                joined[-1] = (joined[-1][0], high)
            else:
                joined.append((low, high))
        return [piece for piece in joined if tells(*piece, 1)] or joined


def _smoothed_variance(squares: FloatArray) -> FloatArray:
    """Variance of smoothed bins, from the squares of the weights in each."""
    narrower = _SMOOTHING / np.sqrt(2)  # the square of a Gaussian is one as well
    share = (1 / (2 * np.sqrt(np.pi) * _SMOOTHING)) ** squares.ndim
    variance: FloatArray = share * gaussian_filter(squares, narrower, mode="reflect")
    return variance


def _edges(
    column: FloatArray, weight: FloatArray, reach: tuple[float, float], bins: int
) -> FloatArray:
    """Bins over all but the tails of the samples, or to the end of the prior where that is near."""
    order = np.argsort(column)
    share = np.cumsum(weight[order])
    ends = np.searchsorted(share, [_TAIL, 1 - _TAIL])
    low, high = column[order[np.minimum(ends, len(order) - 1)]]
    # The floor is for samples that are all the same.
    margin = max(_MARGIN * (high - low), 1e-9 * (reach[1] - reach[0]))
    return np.linspace(max(low - margin, reach[0]), min(high + margin, reach[1]), bins + 1)
