"""Density of weighted samples in a plane, and the areas of its regions of highest density.

A region of highest density is the smallest one that holds its probability. So the samples are
smoothed by kernels of several widths, round ones and ones of the samples' own shape, and the kernel
whose regions are smallest is used: wider ones blur thin regions, narrower ones follow the noise. A
sample does not count in its own density, so that noise does not make a region look small.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from zpfit.analysis.levels import REGIONS
from zpfit.analysis.profile.regions import adapted_edges, threshold_of
from zpfit.io.arrays import FloatArray

_CELLS = 480
"""Largest number of cells on each axis: bins that follow the samples, cut into equal parts."""
_ROUND = 13.0 * 2.0 ** (-0.5 * np.arange(9))
"""Standard deviations of round kernels, in cells."""
_SHAPED = 0.4 * 2.0 ** (-0.5 * np.arange(9))
"""Standard deviations of other kernels, in those of the samples along every direction."""
_TWICE = 2
"""Steps of either list by which the width doubles."""
_LEAST = 0.8
"""Smallest standard deviation of a kernel along any direction, in cells."""
_EQUAL = 1.01
"""Ratio of areas up to which the wider kernel is preferred."""
_JOINED, _BINS_PER_WIDTH = (2, 9), 1.5
"""Range of the number of cells on each axis that a record joins to a bin; number of bins in the
smallest standard deviation of the kernel that are enough."""


@dataclass(frozen=True)
class PlaneDensity:
    """A smoothed histogram of weighted samples on two axes, constant in each cell."""

    edges: tuple[FloatArray, ...]
    """Edges of the cells of each axis."""
    density: FloatArray
    """Density with maximum 1, shape (cells of the first axis, of the second)."""
    at_samples: FloatArray
    """Density of all other samples at each sample, shape (n,)."""
    weight: FloatArray
    """Weights of the samples, which add up to 1; shape (n,)."""
    excess: float
    """Growth of the areas if the kernel were twice as wide, relative; an upper bound of what the
    kernel itself has added where the regions are resolved."""
    finest: float
    """Smallest standard deviation of the kernel along any direction, in cells."""

    @classmethod
    def of(
        cls, samples: FloatArray, weight: FloatArray, reach: Sequence[tuple[float, float]]
    ) -> "PlaneDensity":
        """Return the density of samples.

        Kernels are reflected at the outermost cells, so a density that ends with the prior keeps
        its value there.

        Parameters
        ----------
        samples
            Samples, shape (n, 2).
        weight
            Weights, shape (n,), which add up to 1.
        reach
            Ends of the prior on each axis.
        """
        columns = zip(samples.T, reach, strict=True)
        bins = [adapted_edges(column, weight, ends, 2) for column, ends in columns]
        cells = _Cells.of(tuple(_cut(own) for own in bins), samples, weight)
        kernels = list(_kernels(cells.covariance))
        areas = np.array([cells.areas(*cells.smoothed(kernel.matrix)) for kernel in kernels])
        chosen, excess = _chosen(kernels, areas)
        density, at_samples = cells.smoothed(chosen.matrix)
        top = density.max()
        density = np.maximum(density, 0) / top  # rounding of the transform
        return cls(cells.edges, density, at_samples / top, weight, excess, chosen.finest)

    @cached_property
    def centres(self) -> tuple[FloatArray, ...]:
        """Centres of the cells of each axis."""
        return tuple((edges[1:] + edges[:-1]) / 2 for edges in self.edges)

    @property
    def mode(self) -> tuple[float, ...]:
        """Centre of the densest cell."""
        index = np.unravel_index(np.argmax(self.density), self.density.shape)
        return tuple(float(c[i]) for c, i in zip(self.centres, index, strict=True))

    def threshold(self, probability: float) -> float:
        """Return the density above which a fraction of the samples lies."""
        return threshold_of(self.at_samples, self.weight, probability)

    def area(self, probability: float, ends: Sequence[tuple[float, float]]) -> float:
        """Return the area of a region of highest density within the ends of each axis."""
        widths = [
            np.diff(np.clip(edges, *limits)) for edges, limits in zip(self.edges, ends, strict=True)
        ]
        return float(widths[0] @ (self.density >= self.threshold(probability)) @ widths[1])

    def shown(self) -> tuple[tuple[FloatArray, ...], FloatArray]:
        """Return edges of fewer bins, and the mean density in each."""
        edges, density = [], self.density
        for axis, own in enumerate(self.edges):
            cells = len(own) - 1
            most = max(_JOINED[0], self.finest / _BINS_PER_WIDTH)
            joined = max(n for n in range(*_JOINED) if n <= most and not cells % n)
            edges.append(own[::joined])
            density = np.stack(np.split(density, cells // joined, axis=axis)).mean(axis=axis + 1)
            density = np.moveaxis(density, 0, axis)
        return tuple(edges), np.round(density, 6)


@dataclass(frozen=True)
class _Kernel:
    """A Gaussian kernel."""

    shaped: bool
    """True if it has the shape of the samples, False if it is round."""
    step: int
    """Place in the list of widths."""
    matrix: FloatArray
    """Covariance in squares of cells, shape (2, 2)."""

    @property
    def finest(self) -> float:
        """Smallest standard deviation along any direction, in cells."""
        return float(np.sqrt(np.maximum(np.linalg.eigvalsh(self.matrix)[0], 0)))


def _kernels(covariance: FloatArray) -> Iterator[_Kernel]:
    """Yield all kernels that cells resolve, each kind from the widest to the narrowest."""
    for shaped, unit, widths in ((False, np.eye(2), _ROUND), (True, covariance, _SHAPED)):
        for step, width in enumerate(widths.tolist()):
            matrix = width**2 * unit
            kernel = _Kernel(shaped, step, matrix)
            if kernel.finest >= _LEAST:
                yield kernel


def _chosen(kernels: Sequence[_Kernel], areas: FloatArray) -> tuple[_Kernel, float]:
    """Return the kernel to use, and the excess of a kernel twice as wide as the best.

    Parameters
    ----------
    kernels
        Kernels, each kind from the widest to the narrowest.
    areas
        Areas of the regions with each kernel, shape (kernels, probabilities).
    """
    worse = (areas / areas.min(axis=0)).max(axis=1)
    best = int(np.argmin(worse))
    shaped, step = kernels[best].shaped, kernels[best].step
    twice = next(
        index
        for index, kernel in enumerate(kernels)
        if kernel.shaped == shaped and kernel.step >= step - _TWICE
    )
    equal = [k for k, own in zip(kernels, worse, strict=True) if own <= _EQUAL * worse[best]]
    widest = max(equal, key=lambda kernel: float(np.linalg.det(kernel.matrix)))
    return widest, float((areas[twice] / areas[best]).max() - 1)


@dataclass(frozen=True)
class _Cells:
    """Samples in the cells of a plane."""

    edges: tuple[FloatArray, ...]
    weight: FloatArray
    cell: NDArray[np.intp]
    """Number of the cell of each sample, shape (n,)."""
    inside: NDArray[np.bool_]
    """True for samples within the edges, shape (n,)."""
    covariance: FloatArray
    """Covariance of the samples, with cells as units of length; shape (2, 2)."""

    @classmethod
    def of(cls, edges: tuple[FloatArray, ...], samples: FloatArray, weight: FloatArray) -> "_Cells":
        columns = list(zip(samples.T, edges, strict=True))
        at = np.array([np.interp(own, e, np.arange(len(e))) for own, e in columns])
        inside = np.all([(own >= e[0]) & (own <= e[-1]) for own, e in columns], axis=0)
        shape = tuple(len(e) - 1 for e in edges)
        last = np.array(shape)[:, None] - 1
        first, second = np.minimum(at.astype(np.intp), last)
        covariance = np.cov(at, aweights=weight)
        return cls(edges, weight, first * shape[1] + second, inside, covariance)

    @cached_property
    def sizes(self) -> FloatArray:
        """Area of each cell."""
        return np.multiply.outer(*(np.diff(own) for own in self.edges))

    @cached_property
    def counts(self) -> FloatArray:
        """Sum of the weights in each cell."""
        kept = self.inside
        total = np.bincount(self.cell[kept], self.weight[kept], minlength=self.sizes.size)
        return total.astype(float).reshape(self.sizes.shape)

    def smoothed(self, kernel: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the density in each cell, and that of all other samples at each sample."""
        counts, own = _smooth(self.counts, kernel)
        density = counts / self.sizes
        left = self.weight * own / self.sizes.ravel()[self.cell]
        at_samples = np.where(self.inside, density.ravel()[self.cell] - left, 0.0)
        return density, at_samples

    def areas(self, density: FloatArray, at_samples: FloatArray) -> list[float]:
        """Return the area of the region of each probability."""
        thresholds = (threshold_of(at_samples, self.weight, p) for p in REGIONS)
        return [float(self.sizes[density >= threshold].sum()) for threshold in thresholds]


def _cut(edges: FloatArray) -> FloatArray:
    """Return the edges of bins that are cut into an even number of equal cells."""
    bins = len(edges) - 1
    parts = 2 * max(_CELLS // (2 * bins), 1)
    return np.interp(np.arange(bins * parts + 1) / parts, np.arange(bins + 1), edges)


def _smooth(counts: FloatArray, kernel: FloatArray) -> tuple[FloatArray, float]:
    """Return smoothed cells, and the share of a cell's content that stays in it."""
    margin = int(4 * np.sqrt(kernel.diagonal().max())) + 1
    pads = [min(margin, n) for n in counts.shape]
    padded = np.pad(counts, [(pad, pad) for pad in pads], mode="symmetric")
    lengths = [fft.next_fast_len(n, real=True) for n in padded.shape]
    x = 2 * np.pi * np.fft.fftfreq(lengths[0])[:, None]
    y = 2 * np.pi * np.fft.rfftfreq(lengths[1])
    square = kernel[0, 0] * x**2 + 2 * kernel[0, 1] * x * y + kernel[1, 1] * y**2
    factor = np.exp(-0.5 * square)
    smooth = fft.irfft2(fft.rfft2(padded, lengths) * factor, lengths)
    inner = tuple(slice(pad, pad + n) for pad, n in zip(pads, counts.shape, strict=True))
    return smooth[inner], float(fft.irfft2(factor, lengths)[0, 0])
