"""Where on a plane some values of the profiled parameters meet demands.

Neighbouring points have neighbouring solutions: what is found anywhere is where all points near
it start, so that a boundary is where solutions end and not where luck did.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from zpfit.analysis.exclusion.plane import Plane, PlanePoints
from zpfit.inference.priors import Fractions
from zpfit.inference.search.descent import descend, kick
from zpfit.io.arrays import FloatArray

Demand = Callable[[PlanePoints], FloatArray]
"""How far points lie beyond what is allowed: zero or less within it; (n,)."""

_STARTS = 8
_STEPS = 25
_MET = 1e-10
"""Sum of squares at which a descent has met every demand."""
_RANKS = (1, 2, 4, 8)
"""Which of the known solutions a point starts from, the nearest being the first.

The next ones after it mostly are steps towards the same point of a boundary.
"""
_KICKS = 4
"""Further starts around the nearest, as what can be met shrinks to a corner at a boundary."""
_NEXT = 1.5
"""Distance of two nodes of a mesh that are next to each other, in cells."""


class Solutions:
    """Values of the profiled parameters that meet demands together, as they are found."""

    def __init__(self, plane: Plane, demands: Sequence[Demand], cell: float) -> None:
        self._plane, self._demands, self._reach = plane, demands, _NEXT * cell
        self._known = np.empty((0, 2 + len(plane.profiled)))
        priors = plane.profiled.values()
        self._grain = np.array([p.grain if isinstance(p, Fractions) else 0.0 for p in priors])
        self._rng = np.random.default_rng(0)

    def on_mesh(self, nodes: FloatArray) -> NDArray[np.bool_]:
        """At which nodes the demands can be met, shape (n,).

        Descents from the same random starts at every node, then from neighbours' solutions.
        """
        met = np.zeros(len(nodes), dtype=bool)
        for start in self._starts():
            left = np.flatnonzero(~met)
            met[left] = self._descend(nodes[left], np.tile(start, (len(left), 1)))
        return self._spread(nodes, met)

    def nearby(self, u: FloatArray) -> NDArray[np.bool_]:
        """At which points (n, 2) descents from solutions around them meet the demands, (n,)."""
        return self._spread(u, self._from_known(u))

    def _spread(self, u: FloatArray, met: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """From points that meet the demands to those next to them, until they spread no further."""
        news = u[met]
        while len(news) and not met.all():
            left = np.flatnonzero(~met)
            distance, _ = KDTree(news).query(u[left])
            left = left[distance < self._reach]
            met[left] = self._from_known(u[left])
            news = u[left[met[left]]]
        return met

    def _from_known(self, u: FloatArray) -> NDArray[np.bool_]:
        """Descents from the nearest solutions, and from some farther off if that fails."""
        ranks = [rank for rank in _RANKS if rank <= len(self._known)]
        if not ranks or not len(u):
            return np.zeros(len(u), dtype=bool)
        _, near = KDTree(self._known[:, :2]).query(u, ranks)
        starts = self._known[near, 2:]
        met = self._descend(u, starts[:, 0])
        left = np.flatnonzero(~met)
        if len(left):
            kicked = kick(starts[left, 0], self._grain, self._rng, _KICKS)
            kicked = kicked.reshape(len(left), _KICKS, -1)
            others = np.concatenate([starts[left, 1:], kicked], axis=1)
            tries = others.shape[1]
            found = self._descend(np.repeat(u[left], tries, axis=0), np.concatenate(others))
            met[left] = found.reshape(-1, tries).any(axis=1)
        return met

    def _starts(self) -> list[FloatArray]:
        """The middle is where a coupling of either sign is negligible."""
        k = len(self._plane.profiled)
        return [np.full(k, 0.5), *np.random.default_rng(0).random((_STARTS - 1, k))]

    def _descend(self, u: FloatArray, starts: FloatArray) -> NDArray[np.bool_]:
        """Whether a descent from each start meets the demands; remembers where."""
        points = np.hstack([u, starts])
        if not len(points):
            return np.zeros(0, dtype=bool)
        left = np.flatnonzero(np.sum(self._shortfalls(points, 1.0) ** 2, axis=1) >= _MET)
        met = np.ones(len(points), dtype=bool)
        if len(left):
            held = np.arange(points.shape[1]) < 2
            points[left], costs = descend(
                self._shortfalls, points[left], wall=1.0, steps=_STEPS, held=held
            )
            met[left] = costs < _MET
        self._known = np.concatenate([self._known, points[met]])
        return met

    def _shortfalls(self, v: FloatArray, wall: float) -> FloatArray:  # noqa: ARG002 - no walls here
        points = self._plane.points(v)
        return np.stack([np.maximum(demand(points), 0) for demand in self._demands], axis=1)
