"""Profile likelihoods: the least chi2 over all other parameters, at each node of a grid.

A profile asks how well the data can be met at given values of one or two
parameters if all the others are chosen for the best. It knows no prior but its
ends, and no volume: a single point that fits counts as much as a wide region.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from zpfit.axis import Axis
from zpfit.optimize import Minimum, descend, kick
from zpfit.physics.compiled import FloatArray
from zpfit.posterior import Posterior
from zpfit.progress import Progress

_RANDOM_STARTS = 12
"""Of descents at each node."""
_SAMPLE_STARTS = 8
"""Likeliest posterior samples nearest to each node, where descents start as well."""
_KEPT = 4
"""Best ends of each node's descents that go on to steep walls."""
_SOFT_WALL = 3.0
_WALLS = tuple(30.0 * 10**k for k in range(6))
"""Steepness of walls, raised until a minimum lies inside them."""
_BLOCK = 4000
"""Descents at once: what they work on stays in the cache."""
_PROGRESS = 1e-4
"""Fall in chi2 that counts as progress."""
_MAX_SWEEPS = 300
_KICKS, _MIRRORS = 4, 4
"""New starts around each node's solution, and with the signs of some parameters changed."""
_MAX_ROUNDS = 16
_QUIET_ROUNDS = 2
"""Rounds of kicks without progress after which the search ends."""
_REFINEMENTS = {1: 6, 2: 3}
"""Times that a stretch between two nodes is halved where it matters, by the number of axes."""
_SMOOTH = {1: 0.05, 2: 0.3}
"""Change of L/L_max from node to node that needs no node between."""
_FAR = 4.0
"""Delta chi2 above the last level at which no contour is near."""

Index = NDArray[np.intp]


@dataclass(frozen=True)
class ProfileLikelihood:
    """Least chi2 at each node of one or two axes."""

    axes: tuple[Axis, ...]
    coordinates: FloatArray
    """Of the nodes, shape (n, axes): first those of the grid, the second axis running faster,
    then further ones, which lie closer where Delta chi2 crosses a level."""
    chi2: FloatArray
    """Shape (n,); infinite where nothing is allowed."""
    u: FloatArray
    """Where it is reached on the unit cube, shape (n, d)."""
    best: Minimum
    """Least of all: of the search for the best fit and of every node."""

    @property
    def delta_chi2(self) -> FloatArray:
        """Above the least of all, never negative."""
        return self.chi2 - self.best.chi2


def profile_likelihood(
    posterior: Posterior,
    axes: Sequence[Axis],
    points: int,
    best: Minimum,
    samples: tuple[FloatArray, FloatArray],
    rng: np.random.Generator,
    progress: Progress,
    levels: Sequence[float] = (),
) -> ProfileLikelihood:
    """Minimise chi2 over all but the axes' parameters, at ``points`` nodes on each axis.

    Descents start at every node from random points, from the likeliest posterior
    samples nearest to it and from the best fit. Then each node starts from the solutions of
    its neighbours, until nothing improves, and from kicks of its own. Priors enter
    by their ends alone; hard exclusions and a model's conditions are kept as in
    :func:`zpfit.optimize.find_minimum`. Nodes are what a global search finds, so strictly
    upper bounds of the profile.

    Args:
        posterior: binds model, priors and likelihood.
        axes: one or two.
        points: nodes on each axis.
        best: the global best fit.
        samples: points of the unit cube, shape (n, d), and their ln L, shape (n,).
        rng: for random starts and kicks.
        progress: told of each round.
        levels: of Delta chi2, near which there are further nodes, as there are at walls and where
            the likelihood changes fast.
    """
    columns = np.meshgrid(*(axis.nodes(points) for axis in axes), indexing="ij")
    coordinates = np.stack([column.ravel() for column in columns], axis=1)
    search = _Search(posterior, axes, coordinates, rng)
    search.start(samples, best)
    search.settle_down(progress)
    search = _with_best(search, axes, best)
    for _ in range(_REFINEMENTS[len(axes)] if levels else 0):
        search = _refined(search, levels)
    least = int(np.argmin(search.chi2))
    if search.chi2[least] < best.chi2:
        best = Minimum(search.u[least], float(search.chi2[least]))
    return ProfileLikelihood(tuple(axes), search.coordinates, search.chi2, search.u, best)


class _Search:
    """The best solution of each node so far."""

    def __init__(
        self,
        posterior: Posterior,
        axes: Sequence[Axis],
        coordinates: FloatArray,
        rng: np.random.Generator,
    ) -> None:
        """``coordinates`` of the nodes on the axes, shape (n, axes)."""
        self._posterior, self._axes, self._rng = posterior, axes, rng
        self.coordinates = coordinates
        on_cube = zip(axes, coordinates.T, strict=True)
        self._fixed = np.stack([axis.to_cube(column) for axis, column in on_cube], axis=1)
        self._columns = [axis.index for axis in axes]
        ranges = np.array([axis.high - axis.low for axis in axes])
        self.edges = _edges(coordinates / ranges)
        # Descents do not cross steps: they hold parameters that come in such, too.
        self._held = posterior.priors.grain > 0
        self._held[self._columns] = True
        # Most observables depend on products of couplings: other signs are near-symmetries.
        supports = [prior.support() for prior in posterior.priors.free.values()]
        self._signed = np.array([low == -high for low, high in supports])
        self.u = np.full((len(coordinates), posterior.dimension), 0.5)
        self.u[:, self._columns] = self._fixed
        self.chi2 = np.full(len(coordinates), np.inf)

    def with_nodes(self, coordinates: FloatArray) -> "_Search":
        """The same with further nodes, which have no solution yet."""
        together = np.concatenate([self.coordinates, coordinates])
        more = _Search(self._posterior, self._axes, together, self._rng)
        more.u[: len(self.u)], more.chi2[: len(self.u)] = self.u, self.chi2
        return more

    def start(self, samples: tuple[FloatArray, FloatArray], best: Minimum) -> None:
        """Descend from random points, samples and the best fit, through soft walls first."""
        nodes = np.arange(len(self.chi2))
        random = np.repeat(nodes, _RANDOM_STARTS)
        near, near_u = self._nearest(*samples)
        u = np.vstack(
            [
                self._rng.random((len(random), self._posterior.dimension)),
                near_u,
                np.tile(best.u, (len(nodes), 1)),
            ]
        )
        node = np.concatenate([random, near, nodes])
        u, cost = self._descended(self._at(node, u), _SOFT_WALL)
        kept = _best_of_each(node, cost, _KEPT)
        self.attempt(node[kept], u[kept])

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
        """New starts for nodes around points: kicked, and with signs changed."""
        near = kick(u, self._posterior.priors.grain, self._rng, _KICKS)
        mirrored = np.repeat(u, _MIRRORS, axis=0)
        flipped = self._signed & (self._rng.random(mirrored.shape) < 0.5)
        mirrored = np.where(flipped, 1 - mirrored, mirrored)
        nodes = np.concatenate([np.repeat(node, _KICKS), np.repeat(node, _MIRRORS)])
        return nodes, np.concatenate([near, mirrored])

    def sweep(self, changed: NDArray[np.bool_]) -> None:
        """Every neighbour of a changed node tries its solution, until no node changes."""
        pairs = np.concatenate([self.edges, self.edges[:, ::-1]])
        for _ in range(_MAX_SWEEPS):
            source, target = pairs[changed[pairs[:, 0]]].T
            if not len(source):
                return
            changed = self.attempt(target, self.u[source])

    def _nearest(self, u: FloatArray, log_likelihood: FloatArray) -> tuple[Index, FloatArray]:
        """Nodes, and the likeliest of the samples that are nearest to each."""
        node = np.zeros(len(u), dtype=np.intp)
        inside = np.ones(len(u), dtype=bool)
        for column, fixed in zip(self._columns, self._fixed.T, strict=True):
            levels = np.unique(fixed)
            edges = (levels[1:] + levels[:-1]) / 2
            node = node * len(levels) + np.searchsorted(edges, u[:, column])
            margin = (levels[-1] - levels[0]) / len(levels)
            inside &= np.abs(u[:, column] - levels.mean()) < np.ptp(levels) / 2 + margin
        node, u, log_likelihood = node[inside], u[inside], log_likelihood[inside]
        chosen = _best_of_each(node, -log_likelihood, _SAMPLE_STARTS)
        return node[chosen], u[chosen]

    def _at(self, node: Index, u: FloatArray) -> FloatArray:
        """Points moved to the coordinates of nodes."""
        moved = u.copy()
        moved[:, self._columns] = self._fixed[node]
        return moved

    def attempt(self, node: Index, starts: FloatArray) -> NDArray[np.bool_]:
        """Descend at nodes within hard walls and keep what is better; which nodes have changed."""
        u, chi2 = self._inside(node, self._at(node, starts))
        winner = _best_of_each(node, chi2, 1)
        node, u, chi2 = node[winner], u[winner], chi2[winner]
        better = chi2 < self.chi2[node]
        progress = better & ~(chi2 > self.chi2[node] - _PROGRESS)
        self.u[node[better]], self.chi2[node[better]] = u[better], chi2[better]
        changed = np.zeros(len(self.chi2), dtype=bool)
        changed[node[progress]] = True
        return changed

    def _inside(self, node: Index, starts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Ends of descents and their true chi2, behind walls as steep as each needs.

        A steeper wall only costs more, so descents that are no better than what their node
        has end outside.
        """
        points, chi2 = starts.copy(), np.full(len(starts), np.inf)
        outside = np.arange(len(starts))
        for wall in _WALLS:
            points[outside], costs = self._descended(points[outside], wall)
            chi2[outside] = -2 * self._posterior.log_likelihood(points[outside])
            promising = ~np.isfinite(chi2[outside]) & (costs < self.chi2[node[outside]])
            outside = outside[promising]
            if not len(outside):
                break
        return points, chi2

    def _descended(self, starts: FloatArray, wall: float) -> tuple[FloatArray, FloatArray]:
        points, costs = np.empty_like(starts), np.empty(len(starts))
        for first in range(0, len(starts), _BLOCK):
            block = slice(first, first + _BLOCK)
            points[block], costs[block] = descend(
                self._posterior.residuals, starts[block], wall, held=self._held
            )
        return points, costs


def _with_best(search: _Search, axes: Sequence[Axis], best: Minimum) -> _Search:
    """A further node where the best fit is, as a peak may be narrow."""
    at = np.array([axis.from_cube(best.u[[axis.index]])[0] for axis in axes])
    inside = all(axis.low < c < axis.high for axis, c in zip(axes, at, strict=True))
    if not inside or (search.coordinates == at).all(axis=1).any():
        return search
    search = search.with_nodes(at[None])
    search.sweep(search.attempt(np.array([len(search.u) - 1]), best.u[None]))
    return search


def _refined(search: _Search, levels: Sequence[float]) -> _Search:
    """One more node on every edge that crosses a level or a wall, or is steep."""
    start, end = search.edges.T
    delta = search.chi2 - search.chi2.min()
    inside = np.column_stack([np.isfinite(delta), *(delta <= level for level in levels)])
    crosses = (inside[start] != inside[end]).any(axis=1)
    height = np.exp(-0.5 * delta)
    n_axes = search.coordinates.shape[1]
    steep = np.abs(height[start] - height[end]) > _SMOOTH[n_axes]
    near = np.minimum(delta[start], delta[end]) < max(levels) + _FAR
    start, end = search.edges[(crosses | steep) & near].T
    if not len(start):
        return search
    finer = search.with_nodes((search.coordinates[start] + search.coordinates[end]) / 2)
    new = np.arange(len(search.u), len(finer.u))
    node, starts = np.tile(new, 2), finer.u[np.concatenate([start, end])]
    if n_axes == 1:  # in a plane, their neighbours are kicks enough
        more, kicked = finer.kicked(node, starts)
        node, starts = np.concatenate([node, more]), np.concatenate([starts, kicked])
    finer.sweep(finer.attempt(node, starts))
    return finer


def _edges(coordinates: FloatArray) -> Index:
    """Pairs of neighbouring nodes, shape (pairs, 2): along a line, or of a Delaunay triangulation.

    ``coordinates``: shape (n, axes), in units of what an axis covers.
    """
    if coordinates.shape[1] == 1:
        order = np.argsort(coordinates[:, 0])
        return np.stack([order[:-1], order[1:]], axis=1)
    triangles = Delaunay(coordinates).simplices
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]])
    edges: Index = np.unique(np.sort(sides, axis=1), axis=0)
    return edges


def _best_of_each(node: Index, cost: FloatArray, n: int) -> Index:
    """Indices of the ``n`` cheapest entries of each node."""
    order = np.lexsort((cost, node))
    ranked = node[order]
    first = np.searchsorted(ranked, ranked)
    return order[np.arange(len(order)) - first < n]
