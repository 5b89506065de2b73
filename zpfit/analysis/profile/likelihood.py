"""Profile likelihoods: the least chi2 over all other parameters, at each node of a grid.

A profile shows how well the data can be met at given values of one or two parameters if all
others take their best values. Priors enter by their supports alone, and volume does not count: a
single point that fits counts as much as a wide region.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.profile.axis import Axis
from zpfit.inference.posterior import Posterior
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.search.best_fit import Minimum
from zpfit.inference.search.descent import BLOCK, descend
from zpfit.inference.search.kicks import kick_and_reflect, repeated_like
from zpfit.inference.search.selection import Index, best_of_each
from zpfit.inference.search.walls import descend_inside, walls
from zpfit.io.arrays import FloatArray

_RANDOM_STARTS = 12
"""Random starts of descents at each node."""
_SAMPLE_STARTS = 8
"""Posterior samples, the likeliest of those nearest to a node, where descents start as well."""
_KEPT = 4
"""Best end points of each node that continue with steep walls."""
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
_REFINEMENTS = {1: 6, 2: 2}
"""Number of times that intervals between nodes are halved, by the number of axes."""
_SMOOTH = {1: 0.05, 2: 0.3}
"""Largest change of L/L_max between neighbouring nodes, by the number of axes."""
_FAR = 4.0
"""Delta chi2 above the last level beyond which no contour is near."""


@dataclass(frozen=True)
class ProfileLikelihood:
    """Least chi2 at each node of one or two axes."""

    axes: tuple[Axis, ...]
    coordinates: tuple[FloatArray, ...]
    """Coordinates of the nodes, in increasing order; one array for each axis."""
    chi2: FloatArray
    """Least chi2, shape (nodes of axis 1[, of axis 2]); infinite where nothing is allowed."""
    solved: NDArray[np.bool_]
    """True where chi2 is a minimum; in a plane, chi2 far from every level is interpolated."""
    u: FloatArray
    """Points of the unit cube, shape (*chi2.shape, d); NaN where not solved."""
    best: Minimum
    """Global minimum: of the search for the best fit and of all nodes."""

    @property
    def delta_chi2(self) -> FloatArray:
        """chi2 above the global minimum; never negative."""
        return self.chi2 - self.best.chi2


def profile_likelihood(
    posterior: Posterior,
    axes: Sequence[Axis],
    points: int,
    best: Minimum,
    samples: tuple[FloatArray, FloatArray],
    rng: np.random.Generator,
    progress: Progress = SILENT,
    levels: Sequence[float] = (),
) -> ProfileLikelihood:
    """Minimise chi2 over all but the axes' parameters, at ``points`` nodes on each axis.

    Descents start at every node from random points, from the likeliest posterior samples near it
    and from the best fit. Then each node starts from its neighbours' solutions and from kicks of
    its own, until nothing improves. Hard exclusions and a model's conditions are respected as in
    :func:`zpfit.inference.search.best_fit.find_minimum`. A search finds the nodes' minima, so
    they are upper bounds of the profile.

    Parameters
    ----------
    posterior
        Model, priors and likelihood; of the priors only the supports matter.
    axes
        One or two axes.
    points
        Number of nodes on each axis.
    best
        Global best fit.
    samples
        Points of the unit cube, shape (n, d), and their ln L, shape (n,).
    rng
        Generator of random starts and kicks.
    progress
        Receiver of the rounds.
    levels
        Levels of Delta chi2. Nodes are added near them, near walls and where the likelihood
        changes fast.

    Returns
    -------
    ProfileLikelihood
        chi2 and its points at all nodes.

    References
    ----------
    W. A. Rolke, A. M. Lopez, J. Conrad, Nucl. Instrum. Meth. A 551, 493 (2005).
    """
    coordinates = [_with_best(axis.nodes(points), axis, best) for axis in axes]
    search = _Search(posterior, axes, coordinates, rng)
    search.start(samples, best)
    search.settle_down(progress)
    refined = _inserted if len(axes) == 1 else _doubled
    for _ in range(_REFINEMENTS[len(axes)] if levels else 0):
        search = refined(search, min(best.chi2, float(search.chi2.min())), levels)
    least = int(np.argmin(search.chi2))
    if search.chi2[least] < best.chi2:
        best = Minimum(search.u[least], float(search.chi2[least]))
    return ProfileLikelihood(
        tuple(axes),
        tuple(search.coordinates),
        search.chi2.reshape(search.shape),
        search.solved.reshape(search.shape),
        np.where(search.solved[:, None], search.u, np.nan).reshape(*search.shape, -1),
        best,
    )


class _Search:
    """The best solution of each node so far; nodes are counted along the last axis first."""

    def __init__(
        self,
        posterior: Posterior,
        axes: Sequence[Axis],
        coordinates: Sequence[FloatArray],
        rng: np.random.Generator,
    ) -> None:
        """Set up nodes at ``coordinates``, in increasing order, for each axis."""
        self._posterior, self._axes, self._rng = posterior, axes, rng
        self.coordinates = coordinates
        self.shape = tuple(len(column) for column in coordinates)
        on_cube = [axis.to_cube(column) for axis, column in zip(axes, coordinates, strict=True)]
        grid = np.meshgrid(*on_cube, indexing="ij")
        self._fixed = np.stack([column.ravel() for column in grid], axis=1)
        self._columns = [axis.index for axis in axes]
        self._neighbours = _neighbours(self.shape)
        # Descents do not cross steps, so they hold discrete parameters as well.
        self._held = posterior.priors.step_width > 0
        self._held[self._columns] = True
        self.u = np.full((len(self._fixed), posterior.dimension), 0.5)
        self.u[:, self._columns] = self._fixed
        self.chi2 = np.full(len(self._fixed), np.inf)
        self.solved = np.ones(len(self._fixed), dtype=bool)
        """Nodes at which chi2 is minimised."""

    def finer(self, coordinates: Sequence[FloatArray], old: Index) -> "_Search":
        """Return the search on more coordinates; the nodes ``old`` have solutions."""
        finer = _Search(self._posterior, self._axes, coordinates, self._rng)
        finer.solved[:] = False
        finer.u[old], finer.chi2[old], finer.solved[old] = self.u, self.chi2, self.solved
        return finer

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
        kept = best_of_each(node, cost, _KEPT)
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
        """Return new starts around points, and the node of each."""
        priors = self._posterior.priors
        new = kick_and_reflect(u, priors, self._rng, _KICKS, _REFLECTIONS)
        return repeated_like(node, _KICKS, _REFLECTIONS), new

    def sweep(self, changed: NDArray[np.bool_]) -> None:
        """Pass solutions of changed nodes to their neighbours, until no node changes."""
        pairs = self._neighbours[self.solved[self._neighbours].all(axis=1)]
        for _ in range(_MAX_SWEEPS):
            source, target = pairs[changed[pairs[:, 0]]].T
            if not len(source):
                return
            changed = self.attempt(target, self.u[source])

    def _nearest(self, u: FloatArray, log_likelihood: FloatArray) -> tuple[Index, FloatArray]:
        """Return nodes and the likeliest of the samples that are nearest to each."""
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
        node, u, log_likelihood = node[inside], u[inside], log_likelihood[inside]
        chosen = best_of_each(node, -log_likelihood, _SAMPLE_STARTS)
        return node[chosen], u[chosen]

    def _at(self, node: Index, u: FloatArray) -> FloatArray:
        """Return points moved to the coordinates of nodes."""
        moved = u.copy()
        moved[:, self._columns] = self._fixed[node]
        return moved

    def attempt(self, node: Index, starts: FloatArray) -> NDArray[np.bool_]:
        """Descend at nodes, keep better solutions, and return the mask of improved nodes."""
        u, chi2 = self._inside(node, self._at(node, starts))
        winner = best_of_each(node, chi2, 1)
        node, u, chi2 = node[winner], u[winner], chi2[winner]
        better = chi2 < self.chi2[node]
        progress = better & ~(chi2 > self.chi2[node] - _PROGRESS)
        self.u[node[better]], self.chi2[node[better]] = u[better], chi2[better]
        changed = np.zeros(len(self.chi2), dtype=bool)
        changed[node[progress]] = True
        return changed

    def _inside(self, node: Index, starts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return end points of descents and their true chi2, behind walls as steep as needed."""
        return descend_inside(
            starts,
            _WALLS,
            lambda points, _, wall: self._descended(points, wall),
            lambda points, _: -2 * self._posterior.log_likelihood(points),
            worth=self.chi2[node],
        )

    def _descended(self, starts: FloatArray, wall: float) -> tuple[FloatArray, FloatArray]:
        return descend(self._posterior.residuals, starts, wall, held=self._held, block=BLOCK)


def _with_best(nodes: FloatArray, axis: Axis, best: Minimum) -> FloatArray:
    """Return nodes with further ones at the best fit and its mirror image: peaks may be narrow."""
    at = best.u[axis.index]
    low, high = axis.prior.support()
    peaks = axis.from_cube(np.array([at, 1 - at] if low == -high else [at]))
    return np.union1d(nodes, peaks[(peaks > axis.low) & (peaks < axis.high)])


def _matters(corners: FloatArray, least: float, levels: Sequence[float]) -> NDArray[np.bool_]:
    """Return where intervals or cells cross a level or a nearby wall, or the likelihood is steep.

    ``corners`` holds chi2 at both ends or four corners, shape (2 or 4, ...).
    """
    delta = corners - least
    steep = np.ptp(np.exp(-0.5 * delta), axis=0) > _SMOOTH[corners.ndim - 1]
    allowed = [np.isfinite(delta), *(delta <= level for level in levels)]
    crosses = np.any([inside.any(axis=0) & ~inside.all(axis=0) for inside in allowed], axis=0)
    near = delta.min(axis=0) < max(levels) + _FAR
    result: NDArray[np.bool_] = near & (steep | crosses)
    return result


def _inserted(search: _Search, least: float, levels: Sequence[float]) -> _Search:
    """Insert a node in every interval of a single axis that matters."""
    [nodes], chi2 = search.coordinates, search.chi2
    corners = np.stack([chi2[:-1], chi2[1:]])
    before = 1 + np.flatnonzero(_matters(corners, least, levels))
    if not len(before):
        return search
    new = before + np.arange(len(before))
    coordinates = np.insert(nodes, before, (nodes[before - 1] + nodes[before]) / 2)
    old = np.setdiff1d(np.arange(len(coordinates)), new)
    finer = search.finer([coordinates], old)
    finer.solved[new] = True
    node, starts = np.tile(new, 2), finer.u[np.concatenate([new - 1, new + 1])]
    kicked_node, kicked = finer.kicked(node, starts)
    finer.sweep(
        finer.attempt(np.concatenate([node, kicked_node]), np.concatenate([starts, kicked]))
    )
    return finer


def _doubled(search: _Search, least: float, levels: Sequence[float]) -> _Search:
    """Double the nodes on both axes of a plane and solve them in the cells that matter."""
    coordinates = [_halved(column) for column in search.coordinates]
    shape = [len(column) for column in coordinates]
    number = np.arange(int(np.prod(shape))).reshape(shape)
    finer = search.finer(coordinates, number[::2, ::2].ravel())
    chi2 = search.chi2.reshape(search.shape)
    corners = np.stack([chi2[:-1, :-1], chi2[1:, :-1], chi2[:-1, 1:], chi2[1:, 1:]])
    matters = np.zeros(shape, dtype=bool)
    for x, y in np.argwhere(_matters(corners, least, levels)):
        matters[2 * x : 2 * x + 3, 2 * y : 2 * y + 3] = True
    unsolved = ~finer.solved.reshape(shape)
    others = unsolved & ~matters
    others[::2, ::2] = False  # interpolated before
    new, far = number[unsolved & matters], number[others]
    around = _corners(shape)
    finer.chi2[far] = finer.chi2[around[:, far]].mean(axis=0)
    finer.chi2[new] = np.inf
    finer.solved[new] = True
    node, source = np.unique(np.stack([np.tile(new, len(around)), around[:, new].ravel()]), axis=1)
    finer.sweep(finer.attempt(node, finer.u[source]))
    return finer


def _halved(nodes: FloatArray) -> FloatArray:
    """Return the nodes with one more in the middle of each interval."""
    return np.sort(np.concatenate([nodes, (nodes[1:] + nodes[:-1]) / 2]))


def _corners(shape: Sequence[int]) -> Index:
    """Return the four, or twice two, old nodes around each node of a doubled grid; (4, nodes)."""
    x, y = (index.ravel() for index in np.indices(shape))
    left, right, down, up = x - x % 2, x + x % 2, y - y % 2, y + y % 2
    pairs = ((left, down), (right, up), (left, up), (right, down))
    return np.stack([a * shape[1] + b for a, b in pairs])


def _neighbours(shape: Sequence[int]) -> Index:
    """Return pairs of nodes that differ by one step along one axis, in either order; (pairs, 2)."""
    number = np.arange(int(np.prod(shape))).reshape(shape)
    pairs = []
    for axis in range(len(shape)):
        line = np.moveaxis(number, axis, 0)
        ahead = np.stack([line[:-1].ravel(), line[1:].ravel()], axis=1)
        pairs += [ahead, ahead[:, ::-1]]
    return np.concatenate(pairs)
