"""The search of a profile: the best solution of each node of a grid, found by all together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.profile.axis import Axis
from zpfit.inference.posterior import Posterior
from zpfit.inference.progress import Progress
from zpfit.inference.search.best_fit import Minimum
from zpfit.inference.search.cancellations import cancellations
from zpfit.inference.search.descent import BLOCK, descend
from zpfit.inference.search.kicks import kick_and_reflect, repeated_like
from zpfit.inference.search.selection import Index, best_of_each
from zpfit.inference.search.walls import descend_inside, walls
from zpfit.io.arrays import FloatArray

_RANDOM_STARTS = 12
"""Random starts of descents at each node."""
_MET_STARTS = 8
"""Known points, the likeliest of those nearest to a node, where descents start as well."""
_KEPT = 4
"""Best end points of each node that continue with steep walls."""
_CANCELLED = 2
"""Best end points of each node around which couplings are made to cancel."""
_TRIALS = 200
"""Random points at which couplings are tried for cancellations."""
_SOFT_WALL = 3.0
"""Steepness of the walls of the first descents."""
_WALLS = walls(30.0, 4)
"""Steepness of later walls, until a minimum lies inside them."""
_PROGRESS = 1e-3
"""Decrease of chi2 that counts as progress."""
_MAX_SWEEPS = 20
"""Largest number of times that solutions are passed to neighbours in one round."""
_KICKS, _REFLECTIONS = 4, 4
"""New starts around each node's solution: kicked ones, and ones with some signs reversed."""
_MAX_ROUNDS = 16
"""Largest number of rounds of kicks."""
_QUIET_ROUNDS = 2
"""Successive rounds of kicks without progress that end the search."""
_BRIDGE = 4
"""Steps in which a solution is moved across a jump."""

Points = tuple[FloatArray, FloatArray]
"""Points of the unit cube, shape (n, d), and their chi2, shape (n,)."""


class NodeSearch:
    """The best solution of each node so far; nodes are counted along the last axis first."""

    def __init__(
        self,
        posterior: Posterior,
        axes: Sequence[Axis],
        coordinates: Sequence[FloatArray],
        rng: np.random.Generator,
        cancelling: Index | None = None,
    ) -> None:
        """Set up nodes at ``coordinates``, in increasing order, for each axis.

        ``cancelling`` holds the coordinates along which couplings may cancel, if known.
        """
        self._posterior, self._axes, self._rng = posterior, axes, rng
        self.coordinates = coordinates
        self.shape = tuple(len(column) for column in coordinates)
        on_cube = [axis.to_cube(column) for axis, column in zip(axes, coordinates, strict=True)]
        grid = np.meshgrid(*on_cube, indexing="ij")
        self._fixed = np.stack([column.ravel() for column in grid], axis=1)
        self._columns = [axis.index for axis in axes]
        self._neighbours = _neighbours(self.shape)
        # Descents do not cross steps, so they hold discrete parameters as well.
        self._steps = posterior.priors.step_width > 0
        self._held = self._steps.copy()
        self._held[self._columns] = True
        self._cancelling = self._find_cancelling() if cancelling is None else cancelling
        self.u = np.full((len(self._fixed), posterior.dimension), 0.5)
        self.u[:, self._columns] = self._fixed
        self.chi2 = np.full(len(self._fixed), np.inf)
        self.solved = np.ones(len(self._fixed), dtype=bool)
        """Nodes at which chi2 is minimised."""

    def finer(self, coordinates: Sequence[FloatArray], old: Index) -> "NodeSearch":
        """Return the search on more coordinates; the nodes ``old`` have solutions."""
        finer = NodeSearch(self._posterior, self._axes, coordinates, self._rng, self._cancelling)
        finer.solved[:] = False
        finer.u[old], finer.chi2[old], finer.solved[old] = self.u, self.chi2, self.solved
        return finer

    def start(self, met: Points, best: Minimum) -> None:
        """Descend from random points, known ones and the best fit, through soft walls first."""
        nodes = np.arange(len(self.chi2))
        random = np.repeat(nodes, _RANDOM_STARTS)
        near, near_u = self.nearest(*met)
        u = np.vstack(
            [
                self._rng.random((len(random), self._posterior.dimension)),
                near_u,
                np.tile(best.u, (len(nodes), 1)),
            ]
        )
        node = np.concatenate([random, near, nodes])
        u, cost = self._descended(self._at(node, u), _SOFT_WALL)
        kept = best_of_each(node, cost, _KEPT)
        self.attempt(node[kept], u[kept])
        self.cancel(node[kept], u[kept], cost[kept])

    def free_minima(self) -> Points:
        """Return minima of chi2 near the solutions if the axes' parameters may change as well."""
        starts = self.u[np.isfinite(self.chi2) & self.solved]
        return descend_inside(
            starts,
            _WALLS,
            lambda points, _, wall: descend(
                self._posterior.residuals, points, wall, held=self._steps, block=BLOCK
            ),
            lambda points, _: self._chi2_of(points),
        )

    def settle_down(self, progress: Progress) -> None:
        """Sweep and kick until nothing improves."""
        changed = np.isfinite(self.chi2)
        quiet = 0
        for turn in range(_MAX_ROUNDS):
            self.sweep(changed)
            allowed = np.flatnonzero(np.isfinite(self.chi2))
            progress.update((turn + 1) / _MAX_ROUNDS, f"{len(allowed)} allowed nodes")
            if not len(allowed):
                return
            changed = self.attempt(*self.kicked(allowed, self.u[allowed]))
            quiet = 0 if changed.any() else quiet + 1
            if quiet == _QUIET_ROUNDS:
                return

    def kicked(self, node: Index, u: FloatArray) -> tuple[Index, FloatArray]:
        """Return new starts around points, and the node of each."""
        priors = self._posterior.priors
        new = kick_and_reflect(u, priors, self._rng, _KICKS, _REFLECTIONS)
        return repeated_like(node, _KICKS, _REFLECTIONS), new

    def sweep(self, changed: NDArray[np.bool_]) -> None:
        """Pass solutions of changed nodes to their neighbours, until no node changes."""
        pairs = self._pairs()
        for _ in range(_MAX_SWEEPS):
            source, target = pairs[changed[pairs[:, 0]]].T
            if not len(source):
                return
            changed = self.attempt(target, self.u[source])

    def jumps(self, least: float, level: float) -> Index:
        """Return pairs of neighbours, shape (m, 2), between which chi2 rises by over ``level``.

        The first node of each pair lies below the level; at the second nothing may be allowed.
        """
        source, target = self._pairs().T
        inside = self.chi2[source] <= least + level
        high: NDArray[np.bool_] = (
            self.chi2[target] > np.where(inside, self.chi2[source], np.inf) + level
        )
        rises: Index = np.stack([source, target], axis=1)[inside & high]
        return rises

    def bridge(self, jumps: Index) -> NDArray[np.bool_]:
        """Search again beyond jumps: move solutions across them in small steps.

        Returns
        -------
        bool array
            Nodes with better solutions, shape (nodes,).
        """
        source, target = jumps.T
        u = self.u[source]
        for step in range(1, _BRIDGE + 1):
            moved = u.copy()
            share = step / _BRIDGE
            moved[:, self._columns] = (1 - share) * self._fixed[source] + share * self._fixed[
                target
            ]
            ends, chi2 = self._inside(moved, np.full(len(moved), np.inf))
            u = np.where(np.isfinite(chi2)[:, None], ends, moved)
        changed = self.attempt(target, u)
        cancelled = self.cancel(target, u, np.zeros(len(u)))
        self.sweep(changed | cancelled)
        return changed | cancelled

    def nearest(self, u: FloatArray, chi2: FloatArray) -> tuple[Index, FloatArray]:
        """Return nodes and the likeliest of the points that are nearest to each."""
        if not len(u):
            return np.empty(0, dtype=np.intp), u
        node = np.zeros(len(u), dtype=np.intp)
        inside = np.ones(len(u), dtype=bool)
        for column, fixed in zip(self._columns, self._fixed.T, strict=True):
            levels = np.unique(fixed)
            edges = (levels[1:] + levels[:-1]) / 2
            node = node * len(levels) + np.searchsorted(edges, u[:, column])
            margin = (levels[-1] - levels[0]) / len(levels)
            inside &= np.abs(u[:, column] - levels.mean()) < np.ptp(levels) / 2 + margin
        node, u, chi2 = node[inside], u[inside], chi2[inside]
        chosen = best_of_each(node, chi2, _MET_STARTS)
        return node[chosen], u[chosen]

    def located(self, u: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return coordinates of points on the axes, shape (n, axes), and whether all are inside."""
        columns = [axis.from_cube(u[:, axis.index]) for axis in self._axes]
        within = [
            (own >= nodes[0]) & (own <= nodes[-1])
            for own, nodes in zip(columns, self.coordinates, strict=True)
        ]
        return np.stack(columns, axis=1), np.all(within, axis=0)

    def around(self, at: FloatArray) -> FloatArray:
        """Return chi2 at the nodes around coordinates, shape (2 or 4, n)."""
        low = self._below(at)
        table = self.chi2.reshape(self.shape)
        steps = np.ndindex(*(2,) * len(self.shape))
        return np.stack([table[tuple((low + np.array(step)).T)] for step in steps])

    def cell(self, at: FloatArray) -> Index:
        """Return the number of the cell of each coordinate, shape (n,)."""
        cells = [n - 1 for n in self.shape]
        result: Index = np.ravel_multi_index(tuple(self._below(at).T), cells)
        return result

    def _below(self, at: FloatArray) -> Index:
        """Return the numbers of the nodes below coordinates on each axis, shape (n, axes)."""
        columns = zip(self.coordinates, at.T, strict=True)
        low = [np.searchsorted(c, own, "right") - 1 for c, own in columns]
        numbers: Index = np.minimum(np.stack(low, axis=1), np.array(self.shape) - 2)
        return numbers

    def attempt(self, node: Index, starts: FloatArray) -> NDArray[np.bool_]:
        """Descend at nodes, keep better solutions, and return the mask of improved nodes."""
        return self._kept(node, *self._inside(self._at(node, starts), self.chi2[node]))

    def cancel(self, node: Index, u: FloatArray, cost: FloatArray) -> NDArray[np.bool_]:
        """Descend from where couplings cancel around points; return the mask of improved nodes."""
        if not len(self._cancelling):
            return np.zeros(len(self.chi2), dtype=bool)
        chosen = best_of_each(node, cost, _CANCELLED)
        node, u = node[chosen], self._at(node[chosen], u[chosen])
        changed = np.zeros(len(self.chi2), dtype=bool)
        for axis in self._cancelling:
            row, starts = cancellations(self._couplings, u, int(axis))
            if len(row):
                # The coordinate stays, because the least step leaves the slit.
                held = self._held.copy()
                held[axis] = True
                found = self._inside(starts, self.chi2[node[row]], held)
                changed |= self._kept(node[row], *found)
        return changed

    def _find_cancelling(self) -> Index:
        """Return the coordinates of a few random points along which a coupling changes its sign."""
        u = np.random.default_rng(0).random((_TRIALS, self._posterior.dimension))
        free = np.flatnonzero(~self._held)
        return np.array(
            [axis for axis in free if len(cancellations(self._couplings, u, int(axis))[0])],
            dtype=np.intp,
        )

    def _kept(self, node: Index, u: FloatArray, chi2: FloatArray) -> NDArray[np.bool_]:
        """Keep solutions that are better than the nodes' own; return the mask of progress."""
        winner = best_of_each(node, chi2, 1)
        node, u, chi2 = node[winner], u[winner], chi2[winner]
        better = chi2 < self.chi2[node]
        progress = better & ~(chi2 > self.chi2[node] - _PROGRESS)
        self.u[node[better]], self.chi2[node[better]] = u[better], chi2[better]
        changed = np.zeros(len(self.chi2), dtype=bool)
        changed[node[progress]] = True
        return changed

    def _inside(
        self, starts: FloatArray, worth: FloatArray, held: NDArray[np.bool_] | None = None
    ) -> Points:
        """Return end points of descents and their true chi2, behind walls as steep as needed.

        A start that is allowed and better than the end of its descent is returned itself.
        """
        u, chi2 = descend_inside(
            starts,
            _WALLS,
            lambda points, _, wall: self._descended(points, wall, held),
            lambda points, _: self._chi2_of(points),
            worth=worth,
        )
        own = self._chi2_of(starts)
        return np.where((own < chi2)[:, None], starts, u), np.minimum(own, chi2)

    def _descended(
        self, starts: FloatArray, wall: float, held: NDArray[np.bool_] | None = None
    ) -> Points:
        held = self._held if held is None else held
        return descend(self._posterior.residuals, starts, wall, held=held, block=BLOCK)

    def _chi2_of(self, u: FloatArray) -> FloatArray:
        return -2 * self._posterior.log_likelihood(u)

    def _couplings(self, u: FloatArray) -> FloatArray:
        """Return the couplings of points, shape (n, couplings)."""
        couplings = self._posterior.model.couplings(self._posterior.parameters(u))
        rows = [np.broadcast_to(row, len(u)) for _, row in couplings.computed()]
        return np.stack(rows, axis=1)

    def _at(self, node: Index, u: FloatArray) -> FloatArray:
        """Return points moved to the coordinates of nodes."""
        moved = u.copy()
        moved[:, self._columns] = self._fixed[node]
        return moved

    def _pairs(self) -> Index:
        """Return the pairs of neighbours that are both solved, shape (m, 2)."""
        return self._neighbours[self.solved[self._neighbours].all(axis=1)]


def _neighbours(shape: Sequence[int]) -> Index:
    """Return pairs of nodes that differ by one step along one axis, in either order; (pairs, 2)."""
    number = np.arange(int(np.prod(shape))).reshape(shape)
    pairs = []
    for axis in range(len(shape)):
        line = np.moveaxis(number, axis, 0)
        ahead = np.stack([line[:-1].ravel(), line[1:].ravel()], axis=1)
        pairs += [ahead, ahead[:, ::-1]]
    return np.concatenate(pairs)
