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
from zpfit.analysis.profile.refinement import (
    Levels,
    hidden,
    refined_line,
    refined_plane,
    with_peaks,
)
from zpfit.analysis.profile.search import NodeSearch, Points
from zpfit.inference.posterior import Posterior
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.search.best_fit import Minimum
from zpfit.io.arrays import FloatArray

_BRIDGES = 3
"""Largest number of times that jumps of the profile are searched again."""


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
    jumps: int = 0
    """Steps between nodes in which chi2 rises from below the last level by more than it."""
    hidden: int = 0
    """Points below the last level that were met where no node around is below it."""

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
    search = NodeSearch(posterior, axes, coordinates, rng)
    met = (np.vstack([samples[0], best.u]), np.append(-2 * samples[1], best.chi2))
    search.start(met, best)
    search.settle_down(progress)
    jumps = n_hidden = 0
    if levels:
        search, met = _refined(search, met, best, tuple(levels))
        known = Levels(best.chi2, tuple(levels)).lowered(search)
        jumps = len(search.jumps(known.least, known.steps[-1]))
        n_hidden = hidden(search, met, known)
        lowest = int(np.argmin(met[1]))
        if met[1][lowest] < best.chi2:
            best = Minimum(met[0][lowest], float(met[1][lowest]))
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
        jumps,
        n_hidden,
    )


def _refined(
    search: NodeSearch, met: Points, best: Minimum, steps: tuple[float, ...]
) -> tuple[NodeSearch, Points]:
    """Return the search with nodes where they matter, and all points that were met."""
    u, chi2 = search.free_minima()
    met = (np.vstack([met[0], u]), np.concatenate([met[1], chi2]))
    levels = Levels(min(best.chi2, float(met[1].min())), steps)
    _bridged(search, levels)
    search = with_peaks(search, met, levels.lowered(search))
    if len(search.shape) == 1:
        return refined_line(search, levels.lowered(search)), met
    search = refined_plane(search, levels.lowered(search))
    _bridged(search, levels.lowered(search))
    return search, met


def _bridged(search: NodeSearch, levels: Levels) -> None:
    """Search again beyond jumps until nothing improves."""
    for _ in range(_BRIDGES):
        jumps = search.jumps(levels.least, levels.steps[-1])
        if not len(jumps) or not search.bridge(jumps).any():
            return


def _with_best(nodes: FloatArray, axis: Axis, best: Minimum) -> FloatArray:
    """Return nodes with further ones at the best fit and its mirror image: peaks may be narrow."""
    at = best.u[axis.index]
    low, high = axis.prior.support()
    peaks = axis.from_cube(np.array([at, 1 - at] if low == -high else [at]))
    return np.union1d(nodes, peaks[(peaks > axis.low) & (peaks < axis.high)])
