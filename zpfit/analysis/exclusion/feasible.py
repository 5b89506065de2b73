"""Points of a plane at which some values of the profiled parameters meet all demands.

Neighbouring points have neighbouring solutions. Points start from the solutions of all points
near them, so that boundaries do not depend on the luck of random starts.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from zpfit.analysis.exclusion.plane import Plane, PlanePoints
from zpfit.inference.priors import Fractions
from zpfit.inference.search.descent import descend
from zpfit.inference.search.kicks import kick
from zpfit.io.arrays import FloatArray

Demand = Callable[[PlanePoints], FloatArray]
"""Function of points to their distance beyond the allowed range, shape (n,); <= 0 within it."""

STARTS = 8
"""Default number of starts at every node of a mesh."""
_STEPS = 25
"""Largest number of steps of a descent."""
_MET = 1e-10
"""Sum of squares below which a descent has met every demand."""
_RANKS = (1, 2, 4, 8)
"""Ranks, by distance, of the known solutions from which a point starts.

Solutions with the ranks between them mostly lie on the way to the same point of a boundary.
"""
_KICKS = 4
"""Kicked starts around the nearest solution: near a boundary the solutions form a corner."""
_NEXT = 1.5
"""Largest distance of neighbouring nodes of a mesh, in cells; it includes diagonals."""


class Solutions:
    """Known values of the profiled parameters that meet all demands.

    Parameters
    ----------
    plane
        Axes and profiled parameters.
    demands
        Demands that must be met together.
    cell
        Size of a cell of the mesh, on the unit square.
    starts
        Number of starts at every node of a mesh.
    """

    def __init__(
        self, plane: Plane, demands: Sequence[Demand], cell: float, starts: int = STARTS
    ) -> None:
        self._number_of_starts = starts
        self._plane, self._demands, self._reach = plane, demands, _NEXT * cell
        self._known = np.empty((0, 2 + len(plane.profiled)))
        priors = plane.profiled.values()
        self._step_width = np.array(
            [p.step_width if isinstance(p, Fractions) else 0.0 for p in priors]
        )
        self._rng = np.random.default_rng(0)

    def on_mesh(self, nodes: FloatArray) -> NDArray[np.bool_]:
        """Return at which nodes the demands can be met, shape (n,).

        Descents start from the same points at every node, then from neighbours' solutions.
        """
        met = np.zeros(len(nodes), dtype=bool)
        for start in self._starts():
            left = np.flatnonzero(~met)
            met[left] = self._descend(nodes[left], np.tile(start, (len(left), 1)))
        return self._spread(nodes, met)

    def nearby(self, u: FloatArray) -> NDArray[np.bool_]:
        """Return at which points (n, 2) descents from nearby solutions meet the demands, (n,)."""
        return self._spread(u, self._from_known(u))

    def _spread(self, u: FloatArray, met: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Pass solutions on to neighbouring points until no further point meets the demands."""
        news = u[met]
        while len(news) and not met.all():
            left = np.flatnonzero(~met)
            distance, _ = KDTree(news).query(u[left])
            left = left[distance < self._reach]
            met[left] = self._from_known(u[left])
            news = u[left[met[left]]]
        return met

    def _from_known(self, u: FloatArray) -> NDArray[np.bool_]:
        """Descend from the nearest solution, and from farther ones where that fails."""
        ranks = [rank for rank in _RANKS if rank <= len(self._known)]
        if not ranks or not len(u):
            return np.zeros(len(u), dtype=bool)
        _, near = KDTree(self._known[:, :2]).query(u, ranks)
        starts = self._known[near, 2:]
        met = self._descend(u, starts[:, 0])
        left = np.flatnonzero(~met)
        if len(left):
            kicked = kick(starts[left, 0], self._step_width, self._rng, _KICKS)
            kicked = kicked.reshape(len(left), _KICKS, -1)
            others = np.concatenate([starts[left, 1:], kicked], axis=1)
            tries = others.shape[1]
            found = self._descend(np.repeat(u[left], tries, axis=0), np.concatenate(others))
            met[left] = found.reshape(-1, tries).any(axis=1)
        return met

    def _starts(self) -> list[FloatArray]:
        """Return the starts; at the first, the middle, signed couplings are negligible."""
        k = len(self._plane.profiled)
        return [np.full(k, 0.5), *np.random.default_rng(0).random((self._number_of_starts - 1, k))]

    def _descend(self, u: FloatArray, starts: FloatArray) -> NDArray[np.bool_]:
        """Return whether a descent from each start meets the demands, and store the solutions."""
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
