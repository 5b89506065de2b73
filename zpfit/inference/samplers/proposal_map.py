"""Densities on the unit cube that can be drawn from: histograms, and mixtures of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray


@dataclass(frozen=True)
class HistogramMap:
    """A product of histograms, one for each axis.

    Each axis is cut into intervals of equal probability. (vegas's own inverse
    map misplaces points where axes have different numbers of intervals.)
    """

    edges: tuple[FloatArray, ...]
    """Of the intervals of each axis, from 0 to 1."""

    def draw(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """``n`` points, shape (n, d), and the ln of their density, shape (n,)."""
        y = rng.random((n, len(self.edges)))
        u, volume = np.empty_like(y), np.ones(n)
        for axis, edges in enumerate(self.edges):
            position = y[:, axis] * (len(edges) - 1)
            interval = position.astype(np.intp)
            width = np.diff(edges)
            u[:, axis] = edges[interval] + (position - interval) * width[interval]
            volume *= width[interval] * len(width)
        return u, -np.log(volume)

    def log_density(self, u: FloatArray) -> FloatArray:
        """ln of the density at points of shape (n, d)."""
        volume = np.ones(len(u))
        for axis, edges in enumerate(self.edges):
            width = np.diff(edges)
            interval = np.searchsorted(edges, u[:, axis], side="right") - 1
            volume *= width[np.clip(interval, 0, len(width) - 1)] * len(width)
        result: FloatArray = -np.log(volume)
        return result

    def graded(self) -> "HistogramMap":
        """Wide intervals beside narrow ones cut, so that the density nowhere falls at once.

        Where a posterior ends at a wall, the interval across it is wide, and the rim inside it
        is hardly ever drawn: a bias of ln Z that its error does not hold.
        """
        return HistogramMap(tuple(_graded(edges) for edges in self.edges))


_GRADE = 2.0
"""Largest ratio of the widths of neighbours."""
_NARROWEST = 1e-12


def _graded(edges: FloatArray) -> FloatArray:
    widths = np.diff(edges).tolist()
    for _ in range(2):  # from left to right and back
        widths = _growing_slowly(widths)[::-1]
    result = np.concatenate([[0.0], np.cumsum(widths)])
    result /= result[-1]
    return result


def _growing_slowly(widths: list[float]) -> list[float]:
    """The same length in intervals of which none is much wider than the one before it."""
    result = widths[:1]
    for whole in widths[1:]:
        rest = whole
        while rest > (most := _GRADE * max(result[-1], _NARROWEST)):
            result.append(min(most, rest / 2))  # no sliver may be left
            rest -= result[-1]
        result.append(rest)
    return result


@dataclass(frozen=True)
class MixtureMap:
    """Several maps in equal shares, and a small share of the uniform prior.

    A mode that one map has missed is drawn from the others, and the prior's share keeps every
    weight L/q finite (defensive mixture: Hesterberg 1995, Technometrics 37, 185).
    """

    maps: tuple[HistogramMap, ...]
    prior_share: float = 0.02

    @property
    def dimension(self) -> int:
        """Number of axes."""
        return len(self.maps[0].edges)

    def draw(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """``n`` points, shape (n, d), and the ln of their density, shape (n,)."""
        u, _ = self.draw_labelled(rng, n)
        return u, self.log_density(u)

    def draw_labelled(
        self, rng: np.random.Generator, n: int
    ) -> tuple[FloatArray, NDArray[np.intp]]:
        """``n`` points and the map that each comes from, shape (n,); -1 is the prior."""
        label = rng.integers(len(self.maps), size=n)
        label[rng.random(n) < self.prior_share] = -1
        u = rng.random((n, self.dimension))
        for index, component in enumerate(self.maps):
            chosen = np.flatnonzero(label == index)
            u[chosen], _ = component.draw(rng, len(chosen))
        return u, label

    def log_density(self, u: FloatArray) -> FloatArray:
        """ln of the density at points of shape (n, d)."""
        return self.mix(self.log_densities(u))

    def log_densities(self, u: FloatArray) -> FloatArray:
        """ln of each map's density, shape (maps, n)."""
        return np.stack([component.log_density(u) for component in self.maps])

    def mix(self, log_densities: FloatArray) -> FloatArray:
        """ln of the mixture's density from those of the maps."""
        share = (1 - self.prior_share) / len(self.maps)
        total = np.exp(log_densities).sum(axis=0)
        result: FloatArray = np.log(share * total + self.prior_share)
        return result
