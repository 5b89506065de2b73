"""Proposal densities on the unit cube: products of histograms, and mixtures of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.densities.histograms import HistogramTable
from zpfit.inference.samplers.proposal_peak import PeakMap
from zpfit.io.arrays import FloatArray


@dataclass(frozen=True)
class HistogramMap:
    """A product of histograms, one for each axis, with intervals of equal probability.

    vegas's own inverse map is wrong if axes have different numbers of intervals.

    Examples
    --------
    >>> halves = HistogramMap((np.array([0.0, 0.25, 1.0]),))
    >>> np.exp(halves.log_density(np.array([[0.0], [0.2], [0.25], [1.0]]))).round(3).tolist()
    [2.0, 2.0, 0.667, 0.667]
    """

    edges: tuple[FloatArray, ...]
    """Edges of the intervals of each axis, from 0 to 1."""

    @cached_property
    def _table(self) -> HistogramTable:
        return HistogramTable.of(self.edges)

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw ``n`` points, shape (n, d)."""
        return self._table.draw(rng, n)

    def density(self, u: FloatArray) -> FloatArray:
        """Return the density at points of shape (n, d)."""
        return 1 / self._table.volumes(u)

    def log_density(self, u: FloatArray) -> FloatArray:
        """Return ln of the density at points of shape (n, d)."""
        result: FloatArray = -np.log(self._table.volumes(u))
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
class EvenMap:
    """A map and its mirror image under u -> 1 - u along some axes, in equal fractions.

    A likelihood that is even under a change of signs has modes in pairs. A map may have found only
    one mode of a pair.
    """

    half: HistogramMap
    axes: NDArray[np.bool_]
    """Mask of the reversed axes, shape (d,)."""

    @property
    def edges(self) -> tuple[FloatArray, ...]:
        """Edges of the intervals of the map."""
        return self.half.edges

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw ``n`` points, shape (n, d)."""
        u = self.half.draw(rng, n)
        flipped = rng.random(n) < 0.5
        u[flipped] = mirror(u[flipped], self.axes)
        return u

    def density(self, u: FloatArray) -> FloatArray:
        """Return the density at points of shape (n, d)."""
        return 0.5 * (self.half.density(u) + self.half.density(mirror(u, self.axes)))

    def log_density(self, u: FloatArray) -> FloatArray:
        """Return ln of the density at points of shape (n, d)."""
        result: FloatArray = np.log(self.density(u))
        return result


def mirror(u: FloatArray, axes: NDArray[np.bool_]) -> FloatArray:
    """Return points with the chosen axes reversed, u -> 1 - u."""
    return np.where(axes, 1 - u, u)


@dataclass(frozen=True)
class Gap:
    """Mass of the likelihood that a proposal is known to lack."""

    log_mass: float
    """ln of the estimated integral of the likelihood."""
    reason: str
    """What is lacking, for a message."""


@dataclass(frozen=True)
class MixtureMap:
    """Maps in equal fractions, peaks, and a small fraction of the uniform prior.

    A mode that one map has missed is drawn from the others. The prior keeps every weight L/q
    finite (defensive mixture: Hesterberg 1995, Technometrics 37, 185).
    """

    maps: tuple[HistogramMap | EvenMap, ...]
    prior_share: float = 0.02
    """Fraction of the draws that comes from the uniform prior."""
    peaks: tuple[PeakMap, ...] = ()
    """Densities around single maxima of the likelihood."""
    peak_shares: tuple[float, ...] = ()
    """Fraction of the draws that comes from each peak."""
    gaps: tuple[Gap, ...] = ()
    """What no component follows, although the likelihood has or seems to have mass there."""

    @property
    def dimension(self) -> int:
        """Number of axes, d."""
        return len(self.maps[0].edges)

    @cached_property
    def shares(self) -> FloatArray:
        """Fraction of the draws from each map and then from each peak, shape (maps + peaks,)."""
        rest = 1 - self.prior_share - sum(self.peak_shares)
        return np.array([*[rest / len(self.maps)] * len(self.maps), *self.peak_shares])

    def with_peaks(self, peaks: Sequence[PeakMap], shares: Sequence[float]) -> "MixtureMap":
        """Return the same maps beside other peaks."""
        return replace(self, peaks=tuple(peaks), peak_shares=tuple(shares))

    def evened(self, axes: NDArray[np.bool_], chosen: Sequence[bool]) -> "MixtureMap":
        """Return the mixture with images of the chosen maps under the reversal of some axes."""
        maps = (
            EvenMap(part, axes) if turned and isinstance(part, HistogramMap) else part
            for part, turned in zip(self.maps, chosen, strict=True)
        )
        return replace(self, maps=tuple(maps))

    def draw(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """Draw ``n`` points, shape (n, d), and return them with ln of their density, shape (n,).

        Draws of peaks may lie outside the unit cube, where the likelihood is zero.
        """
        u, _ = self.draw_labelled(rng, n)
        return u, self.log_density(u)

    def draw_labelled(
        self, rng: np.random.Generator, n: int
    ) -> tuple[FloatArray, NDArray[np.intp]]:
        """Draw ``n`` points; return them with the index of the component of each, shape (n,).

        Maps come first, then peaks; -1 is the prior.
        """
        label = np.searchsorted(np.cumsum(self.shares), rng.random(n), side="right")
        label[label == len(self.shares)] = -1
        u = np.empty((n, self.dimension))
        for index, component in enumerate((*self.maps, *self.peaks)):
            chosen = np.flatnonzero(label == index)
            u[chosen] = component.draw(rng, len(chosen))
        chosen = np.flatnonzero(label == -1)
        u[chosen] = rng.random((len(chosen), self.dimension))
        return u, label

    def log_density(self, u: FloatArray) -> FloatArray:
        """Return ln of the density at points of shape (n, d)."""
        return self.mix(self.densities(u))

    def densities(self, u: FloatArray) -> FloatArray:
        """Return each component's density at points (n, d); shape (maps + peaks, n)."""
        result = np.empty((len(self.shares), len(u)))
        for row, component in zip(result, (*self.maps, *self.peaks), strict=True):
            row[:] = component.density(u)
        return result

    def mix(self, densities: FloatArray) -> FloatArray:
        """Return ln of the mixture's density, shape (n,), from its components' densities."""
        result: FloatArray = np.log(self.shares @ densities + self.prior_share)
        return result

    def mix_alone(self, densities: FloatArray, index: int) -> FloatArray:
        """Return ln of the density of draws from one map or from the peaks, shape (n,)."""
        shares = self.shares.copy()
        shares[: len(self.maps)] *= np.arange(len(self.maps)) == index
        used = shares > 0  # elsewhere a density may be infinite
        with np.errstate(divide="ignore"):  # far from this map and from all peaks
            result: FloatArray = np.log(shares[used] / shares.sum() @ densities[used])
        return result
