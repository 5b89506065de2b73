"""Proposal densities on the unit cube: products of histograms, and mixtures of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray


@dataclass(frozen=True)
class HistogramMap:
    """A product of histograms, one for each axis, with intervals of equal probability.

    vegas's own inverse map is wrong if axes have different numbers of intervals.
    """

    edges: tuple[FloatArray, ...]
    """Edges of the intervals of each axis, from 0 to 1."""

    def draw(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """Draw ``n`` points, shape (n, d), and return them with ln of their density, shape (n,)."""
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
        """Return ln of the density at points of shape (n, d)."""
        volume = np.ones(len(u))
        for axis, edges in enumerate(self.edges):
            width = np.diff(edges)
            interval = np.searchsorted(edges, u[:, axis], side="right") - 1
            volume *= width[np.clip(interval, 0, len(width) - 1)] * len(width)
        result: FloatArray = -np.log(volume)
        return result

    def graded(self) -> "HistogramMap":
        """Return a map whose density falls gradually: wide intervals beside narrow ones are cut.

        Where a posterior ends at a wall, the interval across the wall is wide, and the rim inside
        is rarely drawn. That biases ln Z by more than its error.
        """
        return HistogramMap(tuple(_graded(edges) for edges in self.edges))


_GRADE = 2.0
"""Largest ratio of the widths of neighbouring intervals."""
_NARROWEST = 1e-12
"""Width below which an interval counts as so wide, as the number of cuts must stay finite."""


def _graded(edges: FloatArray) -> FloatArray:
    widths = np.diff(edges).tolist()
    for _ in range(2):  # from left to right and back
        widths = _growing_slowly(widths)[::-1]
    result = np.concatenate([[0.0], np.cumsum(widths)])
    result /= result[-1]
    return result


def _growing_slowly(widths: list[float]) -> list[float]:
    """Return intervals of the same total length, each at most ``_GRADE`` times its predecessor."""
    result = widths[:1]
    for whole in widths[1:]:
        rest = whole
        while rest > (most := _GRADE * max(result[-1], _NARROWEST)):
            result.append(min(most, rest / 2))  # halves, so that no sliver remains
            rest -= result[-1]
        result.append(rest)
    return result


@dataclass(frozen=True)
class MixtureMap:
    """Several maps in equal fractions, and a small fraction of the uniform prior.

    A mode that one map has missed is drawn from the others. The prior keeps every weight L/q
    finite (defensive mixture: Hesterberg 1995, Technometrics 37, 185).
    """

    maps: tuple[HistogramMap, ...]
    prior_share: float = 0.02
    """Fraction of the draws that comes from the uniform prior."""

    @property
    def dimension(self) -> int:
        """Number of axes, d."""
        return len(self.maps[0].edges)

    def draw(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """Draw ``n`` points, shape (n, d), and return them with ln of their density, shape (n,)."""
        u, _ = self.draw_labelled(rng, n)
        return u, self.log_density(u)

    def draw_labelled(
        self, rng: np.random.Generator, n: int
    ) -> tuple[FloatArray, NDArray[np.intp]]:
        """Draw ``n`` points; return them with their maps' indices, shape (n,); -1 is the prior."""
        label = rng.integers(len(self.maps), size=n)
        label[rng.random(n) < self.prior_share] = -1
        u = rng.random((n, self.dimension))
        for index, component in enumerate(self.maps):
            chosen = np.flatnonzero(label == index)
            u[chosen], _ = component.draw(rng, len(chosen))
        return u, label

    def log_density(self, u: FloatArray) -> FloatArray:
        """Return ln of the density at points of shape (n, d)."""
        return self.mix(self.log_densities(u))

    def log_densities(self, u: FloatArray) -> FloatArray:
        """Return ln of each map's density at points of shape (n, d); shape (maps, n)."""
        return np.stack([component.log_density(u) for component in self.maps])

    def mix(self, log_densities: FloatArray) -> FloatArray:
        """Return ln of the mixture's density, shape (n,), from the maps', shape (maps, n)."""
        share = (1 - self.prior_share) / len(self.maps)
        total = np.exp(log_densities).sum(axis=0)
        result: FloatArray = np.log(share * total + self.prior_share)
        return result
