"""Nodes that a profile needs besides a regular grid: at crossings of levels, walls and peaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, label

from zpfit.analysis.profile.contours import cells_of, crossed_share
from zpfit.analysis.profile.regions import pieces
from zpfit.analysis.profile.search import NodeSearch, Points
from zpfit.inference.search.selection import Index
from zpfit.io.arrays import FloatArray

TOLERANCE = 0.01
"""Largest distance of the nodes around the end of an interval, as a fraction of its length."""
ROUGH = 0.4
"""Area of the cells that a contour crosses, relative to the area inside, that needs no further
nodes: as a quarter of a cell is uncertain at worst, the area is known to 10 %."""
_FAR = 4.0
"""Delta chi2 above the last level beyond which no contour is near."""
_SMOOTH = {1: 0.05, 2: 0.3}
"""Largest change of L/L_max between neighbouring nodes, by the number of axes."""
_TAIL = 0.3
"""Smallest ratio of the likelihood at neighbouring nodes of a line, so that its tails are drawn."""
_FINEST = 1e-12
"""Smallest distance of nodes, as a fraction of the axis: close to the rounding of a coordinate."""
_COARSE = 1 / 4096
"""Largest distance of the nodes around the end of an interval, as a fraction of the axis."""
_GRADING = 0.1
"""Growth of the distance of nodes with the distance from an interval."""
_MAX_ROUNDS = 60
"""Largest number of rounds in which nodes are added to a line."""
_MAX_NODES = 1500
"""Number of nodes of a line beyond which none are added."""
_HALVINGS, _MAX_HALVINGS = 2, 24
"""Rounds that halve cells of a plane: for any region, and at most for narrow ones."""
_MORE, _LEAST_MORE = 1.0, 5000
"""Largest number of nodes solved after `_HALVINGS`: relative to those before, but at least the
second number."""
_MAX_LINES = 1000
"""Largest number of nodes on an axis of a plane."""
_PEAKS = 12
"""Largest number of isolated minima that get nodes of their own in a plane."""


@dataclass(frozen=True)
class Levels:
    """The least chi2 and levels above it."""

    least: float
    steps: tuple[float, ...]
    """Delta chi2 of the levels, in increasing order."""

    def lowered(self, search: NodeSearch) -> "Levels":
        """Return the levels above the least chi2 of a search, if it is less."""
        return Levels(min(self.least, float(search.chi2.min())), self.steps)


def with_peaks(search: NodeSearch, met: Points, levels: Levels) -> NodeSearch:
    """Return the search with nodes at known points that fit much better than the nodes around.

    Parameters
    ----------
    search
        Nodes and their solutions.
    met
        Points of the unit cube, shape (n, d), and their chi2, shape (n,).
    levels
        Only points below the last level count.
    """
    near, at = _near(search, met, levels)
    if not len(near):
        return search
    around = search.around(at).min(axis=0) - levels.least
    gain = np.exp(-0.5 * (met[1][near] - levels.least)) - np.exp(-0.5 * around)
    order = np.argsort(-gain)
    _, first = np.unique(search.cell(at[order]), return_index=True)
    chosen = order[np.sort(first)]  # of each cell only the best point
    chosen = chosen[gain[chosen] > _SMOOTH[len(search.shape)]]
    chosen = chosen if len(search.shape) == 1 else chosen[:_PEAKS]
    if not len(chosen):
        return search
    columns = zip(search.coordinates, at[chosen].T, strict=True)
    coordinates = [np.union1d(nodes, own) for nodes, own in columns]
    cells = np.zeros(int(np.prod([n - 1 for n in search.shape])), dtype=bool)
    cells[search.cell(at[chosen])] = True
    finer = _extended(search, coordinates, cells.reshape([n - 1 for n in search.shape]))
    u, chi2 = met[0][near[chosen]], met[1][near[chosen]]
    finer.sweep(finer.attempt(*finer.nearest(u, chi2)))
    return finer


def hidden(search: NodeSearch, met: Points, levels: Levels) -> int:
    """Return the number of known points below the last level where no node around is."""
    _, at = _near(search, met, levels)
    return int(np.sum(search.around(at).min(axis=0) > levels.least + levels.steps[-1]))


def _near(search: NodeSearch, met: Points, levels: Levels) -> tuple[Index, FloatArray]:
    """Return the known points within the axes below the last level, and their coordinates."""
    near = np.flatnonzero(met[1] <= levels.least + levels.steps[-1])
    at, inside = search.located(met[0][near])
    return near[inside], at[inside]


def refined_line(search: NodeSearch, levels: Levels) -> NodeSearch:
    """Return the search with nodes on both sides of every crossing, close to it.

    Nodes are added until the ends of each interval below a level are known to :data:`TOLERANCE`
    of its length, and until the likelihood is smooth on that scale.
    """
    for _ in range(_MAX_ROUNDS):
        levels = levels.lowered(search)
        new = _wanted(search, levels)
        if not len(new) or len(search.chi2) > _MAX_NODES:
            break
        search = _extended(search, [np.union1d(search.coordinates[0], new)], None)
    return search


def _wanted(search: NodeSearch, levels: Levels) -> FloatArray:
    """Return coordinates of the nodes that a line lacks, shape (m,)."""
    [x], delta = search.coordinates, search.chi2 - levels.least
    reach = float(x[-1] - x[0])
    tolerance = np.full(len(x) - 1, _COARSE * reach)
    new = []
    for level in levels.steps:
        for first, last in pieces(delta, level):
            own = np.clip(TOLERANCE * (x[last] - x[first]), _FINEST * reach, _COARSE * reach)
            away = np.maximum(x[first] - x[1:], x[:-1] - x[last]).clip(0)
            tolerance = np.minimum(tolerance, own + _GRADING * away)
            for inner, outer in ((first, first - 1), (last, last + 1)):
                if 0 <= outer < len(x) and abs(x[outer] - x[inner]) > own:
                    new.append(_between(x, delta, level, (inner, outer), own))
    matters = _matters(np.stack([delta[:-1], delta[1:]]), levels) & (np.diff(x) > tolerance)
    return np.concatenate([*new, (x[:-1][matters] + x[1:][matters]) / 2])


def _between(
    x: FloatArray, delta: FloatArray, level: float, ends: tuple[int, int], own: float
) -> FloatArray:
    """Return new nodes between one inside and one outside, close to the likely crossing."""
    a, b = x[list(ends)]
    low, high = np.sqrt(delta[list(ends)].clip(0))
    new = [a + (b - a) * np.array([0.25, 0.5, 0.75])]
    if np.isfinite(high):
        # The root of chi2 is close to linear.
        likely = a + (b - a) * (np.sqrt(level) - low) / (high - low)
        new.append(likely + 0.4 * own * np.array([-1, 1]))
    nodes = np.concatenate(new)
    result: FloatArray = nodes[(nodes > min(a, b)) & (nodes < max(a, b))]
    return result


def refined_plane(search: NodeSearch, levels: Levels) -> NodeSearch:
    """Return the search with cells halved where a contour, a wall or a steep slope is.

    Regions that are narrow relative to their cells get further nodes, up to a limit.
    """
    enough = np.inf
    for turn in range(_MAX_HALVINGS):
        levels = levels.lowered(search)
        delta = (search.chi2 - levels.least).reshape(search.shape)
        if turn == _HALVINGS:
            enough = search.solved.sum() + max(_MORE * search.solved.sum(), _LEAST_MORE)
        matters = _matters(cells_of(delta), levels)
        cells = matters if turn < _HALVINGS else _rough(search, levels)
        crowded = max(search.shape) > _MAX_LINES or search.solved.sum() > enough
        if crowded or not cells.any():
            break
        axes = zip(search.coordinates, (1, 0), strict=True)
        coordinates = [_halved(nodes, np.any(cells, axis=other)) for nodes, other in axes]
        search = _extended(search, coordinates, cells | matters)
    return search


def _halved(nodes: FloatArray, chosen: NDArray[np.bool_]) -> FloatArray:
    """Return nodes with further ones in the middle of the widest of the chosen intervals."""
    width = np.diff(nodes)
    chosen = chosen & (width > 0.6 * width[chosen].max())
    return np.union1d(nodes, (nodes[:-1][chosen] + nodes[1:][chosen]) / 2)


def _rough(search: NodeSearch, levels: Levels) -> NDArray[np.bool_]:
    """Return the cells that contours of narrow regions cross."""
    delta = (search.chi2 - levels.least).reshape(search.shape)
    rough = np.zeros([n - 1 for n in search.shape], dtype=bool)
    for level in levels.steps:
        corners = cells_of(delta) <= level
        crossed = corners.any(axis=0) & ~corners.all(axis=0)
        region, n_regions = label(corners.any(axis=0), np.ones((3, 3)))
        for number in range(1, n_regions + 1):
            own = region == number
            if (
                crossed_share(search.coordinates, np.where(own, cells_of(delta), np.inf), level)
                > ROUGH
            ):
                rough |= own & crossed
    # A region may bulge into a cell whose corners are all outside.
    rough = binary_dilation(rough, np.ones((3, 3)))
    wide = [np.diff(c) > _FINEST * (c[-1] - c[0]) for c in search.coordinates]
    result: NDArray[np.bool_] = rough & wide[0][:, None] & wide[1]
    return result


def _matters(corners: FloatArray, levels: Levels) -> NDArray[np.bool_]:
    """Return where intervals or cells cross a level or a nearby wall, or the likelihood is steep.

    ``corners`` holds Delta chi2 at both ends or four corners, shape (2 or 4, ...).
    """
    likelihood = np.exp(-0.5 * corners)
    steep = np.ptp(likelihood, axis=0) > _SMOOTH[corners.ndim - 1]
    if corners.ndim == 2:
        steep |= likelihood.min(axis=0) < _TAIL * likelihood.max(axis=0)
    allowed = [np.isfinite(corners), *(corners <= level for level in levels.steps)]
    crosses = np.any([inside.any(axis=0) & ~inside.all(axis=0) for inside in allowed], axis=0)
    near = corners.min(axis=0) < levels.steps[-1] + _FAR
    result: NDArray[np.bool_] = near & (steep | crosses)
    return result


def _extended(
    search: NodeSearch, coordinates: Sequence[FloatArray], cells: NDArray[np.bool_] | None
) -> NodeSearch:
    """Return the search on more coordinates, solved at new nodes of some cells.

    Parameters
    ----------
    search
        Nodes and their solutions.
    coordinates
        All coordinates of each axis, with the old ones among them.
    cells
        Mask of the old cells whose nodes are solved, shape (old nodes - 1, ...); None for all.
        Elsewhere chi2 is interpolated.
    """
    columns = list(zip(search.coordinates, coordinates, strict=True))
    below = [np.searchsorted(old, new, "right") - 1 for old, new in columns]
    above = [np.searchsorted(old, new, "left") for old, new in columns]
    choices = list(product(*zip(below, above, strict=True)))
    corners = np.stack(
        [np.ravel_multi_index(np.ix_(*choice), search.shape).ravel() for choice in choices]
    )
    is_old = (corners == corners[0]).all(axis=0)
    finer = search.finer(coordinates, np.flatnonzero(is_old))
    wanted = ~finer.solved
    if cells is not None:
        # Cell i + 1 of the padded table lies between old nodes i and i + 1.
        padded = np.pad(cells, 1)
        touching = [(high, low + 1) for low, high in zip(below, above, strict=True)]
        wanted &= np.any([padded[np.ix_(*t)] for t in product(*touching)], axis=0).ravel()
    far = np.flatnonzero(~finer.solved & ~wanted & ~is_old)
    finer.chi2[far] = search.chi2[corners[:, far]].mean(axis=0)
    new = np.flatnonzero(wanted)
    if len(new):
        _solve(finer, new, search.u[corners[:, new]])
    return finer


def _solve(search: NodeSearch, new: Index, starts: FloatArray) -> None:
    """Solve nodes from starts, shape (corners, nodes, d)."""
    search.chi2[new], search.solved[new] = np.inf, True
    node, u = np.tile(new, len(starts)), starts.reshape(-1, starts.shape[2])
    if len(search.shape) == 1:
        kicked_node, kicked = search.kicked(node, u)
        node, u = np.concatenate([node, kicked_node]), np.concatenate([u, kicked])
    changed = search.attempt(node, u)
    search.sweep(changed | search.cancel(node, u, np.zeros(len(u))))
