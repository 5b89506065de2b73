"""Products of histograms in compiled loops over points.

A search for an interval among a thousand edges costs more than many likelihoods. Here a table of
equal cells leads to the few edges between which a point can lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import contiguous, inline, loop

_CELLS: Final = 8192
"""Cells of an axis: a power of two, so that the product with a position has no rounding error."""
_BLOCK: Final = 512
"""Points that stay in the cache while the loop goes through all axes."""


@dataclass(frozen=True, eq=False)
class HistogramTable:
    """Intervals of equal probability along each of d axes, with tables that find them.

    Examples
    --------
    >>> table = HistogramTable.of([np.array([0.0, 0.25, 1.0])])
    >>> table.volumes(np.array([[0.0], [0.2], [0.25], [1.0]])).tolist()
    [0.5, 0.5, 1.5, 1.5]
    """

    edges: FloatArray
    """Edges of all axes, one axis after the other, shape (e,)."""
    volume: FloatArray
    """Inverse density along the axis between each edge and the next one, shape (e,)."""
    first: NDArray[np.int64]
    """Number of the first edge of each axis, and of all edges; shape (d + 1,)."""

    @classmethod
    def of(cls, edges: Sequence[FloatArray]) -> "HistogramTable":
        """Return the tables for edges of each axis, from 0 to 1."""
        joined = np.concatenate(edges).astype(float)
        first = np.cumsum([0, *map(len, edges)], dtype=np.int64)
        number = np.repeat(np.diff(first) - 1, np.diff(first))
        return cls(joined, np.diff(joined, append=np.nan) * number, first)

    @cached_property
    def _below(self) -> NDArray[np.int64]:
        """Number of the interval at the lower end of each cell and at 1, shape (d, cells + 2)."""
        ends = np.minimum(np.arange(_CELLS + 2) / _CELLS, 1.0)
        inner = [self.edges[a + 1 : b - 1] for a, b in pairwise(self.first.tolist())]
        return np.array([edges.searchsorted(ends, "right") for edges in inner], dtype=np.int64)

    def volumes(self, u: FloatArray) -> FloatArray:
        """Return the inverse density at points of shape (n, d); shape (n,).

        Points outside the cube count to the first or last interval.
        """
        result = np.ones(len(u))
        _multiply(*contiguous(u), self.edges, self.volume, self.first, self._below, result)
        return result

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw ``n`` points, shape (n, d)."""
        u = rng.random((n, len(self.first) - 1))
        _place(self.edges, self.first, u)
        return u


@inline
def _interval(x: float, edges: FloatArray, first: int, below: NDArray[np.int64], axis: int) -> int:
    """Return the interval that holds a position, an inner edge counting to the upper one."""
    inside = min(x, 1.0) if x > 0 else 0.0
    cell = int(inside * _CELLS)
    low, high = int(below[axis, cell]), int(below[axis, cell + 1])
    while low < high:
        middle = (low + high) // 2
        if edges[first + 1 + middle] <= inside:
            low = middle + 1
        else:
            high = middle
    return low


@loop("(n,d)", "(e)", "(e)", "i8(c)", "i8(d,k)", "(n)")
def _multiply(
    u: FloatArray,
    edges: FloatArray,
    volume: FloatArray,
    first: NDArray[np.int64],
    below: NDArray[np.int64],
    result: FloatArray,
) -> None:
    """Multiply the inverse densities along all axes to ``result``."""
    n, d = u.shape
    for start in range(0, n, _BLOCK):
        for axis in range(d):
            for i in range(start, min(start + _BLOCK, n)):
                interval = _interval(u[i, axis], edges, first[axis], below, axis)
                result[i] *= volume[first[axis] + interval]


@loop("(e)", "i8(c)", "(n,d)")
def _place(edges: FloatArray, first: NDArray[np.int64], u: FloatArray) -> None:
    """Replace uniform random numbers by points between the edges."""
    n, d = u.shape
    for start in range(0, n, _BLOCK):
        for axis in range(d):
            number = first[axis + 1] - first[axis] - 1
            for i in range(start, min(start + _BLOCK, n)):
                position = u[i, axis] * number
                interval = min(int(position), number - 1)
                low, high = edges[first[axis] + interval], edges[first[axis] + interval + 1]
                u[i, axis] = low + (position - interval) * (high - low)
