"""Selection of points from which a search continues: the best, and the best that are apart."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray

Index = NDArray[np.intp]
"""Array of indices or labels."""
KEPT = 60
"""Default number of points from which a search continues."""


OF_EACH = 3
"""Least number of points of each stratum that are eligible, if there are so many."""
_BEST_PART = 4
"""One in so many points is kept for its cost alone."""
APART = 0.05
"""Smallest distance, along any axis, of the points of a stratum that are kept for diversity."""

Stratum = Callable[[FloatArray], Index]
"""Points of the unit cube, shape (n, d), to the number of the stratum of each, shape (n,)."""


@dataclass(frozen=True)
class Space:
    """The unit cube as a search sees it: discrete coordinates, and strata to be kept apart."""

    step_width: FloatArray
    """Width of the steps of discrete coordinates, 0 for smooth ones; shape (d,)."""
    stratum: Stratum | None = None
    """Labels of points; without it all points belong together."""

    def best(self, points: FloatArray, costs: FloatArray, kept: int = KEPT) -> Index:
        """Return the indices of the best points, shape (m,) with m <= kept; cheapest first.

        Only the best point of each combination of steps is eligible. A quarter are the best of
        all; of each stratum a few are eligible, which are apart. The best points of a whole
        search often lie in one wide basin; a narrow one would then be lost.

        Parameters
        ----------
        points
            Points of the unit cube, shape (n, d).
        costs
            Cost of each point, shape (n,).
        kept
            Largest number of indices.

        Examples
        --------
        >>> points, costs = np.array([[0.1], [0.2], [0.9]]), np.array([2.0, 1.0, 3.0])
        >>> Space(np.array([0.5])).best(points, costs).tolist()
        [1, 2]
        >>> halves = Space(np.zeros(1), lambda u: (u[:, 0] > 0.5).astype(int))
        >>> halves.best(points, costs, 2).tolist()
        [1, 0]
        """
        order = self._of_each_step(points, np.argsort(costs))
        if self.stratum is None:
            return order[:kept]
        label, ranks = self.stratum(points[order]), np.arange(float(len(order)))
        of_each = max(OF_EACH, -(-kept // len(np.unique(label))))
        # The overall best are kept as they are: they descend deepest where they are close.
        eligible = np.union1d(
            np.arange(min(kept // _BEST_PART, len(order))),
            apart_of_each(label, points[order], ranks, of_each, APART),
        )
        return order[eligible][:kept]

    def leaders(self, points: FloatArray, costs: FloatArray, kept: int) -> Index:
        """Return the index of the best point of each stratum, cheapest first, at most ``kept``.

        Without strata these are the best points; see :meth:`best`.
        """
        order = self._of_each_step(points, np.argsort(costs))
        if self.stratum is None:
            return order[:kept]
        _, first = np.unique(self.stratum(points[order]), return_index=True)
        return order[np.sort(first)][:kept]

    def _of_each_step(self, points: FloatArray, order: Index) -> Index:
        """Return the first index of each combination of steps, in the same order."""
        discrete = self.step_width > 0
        if not discrete.any():
            return order
        steps = np.floor(points[order][:, discrete] / self.step_width[discrete])
        _, first = np.unique(steps, axis=0, return_index=True)
        return order[np.sort(first)]


def best_of_each(label: Index, costs: FloatArray, n: int) -> Index:
    """Return the indices of the ``n`` cheapest entries of each label, label by label.

    Parameters
    ----------
    label
        Node, experiment or the like that each entry belongs to, shape (m,).
    costs
        Cost of each entry, shape (m,).
    n
        Largest number of entries of each label.

    Examples
    --------
    >>> best_of_each(np.array([0, 1, 0]), np.array([3.0, 2.0, 1.0]), 1).tolist()
    [2, 1]
    """
    order, rank = _ranked(label, costs)
    return order[rank < n]


def apart_of_each(label: Index, u: FloatArray, costs: FloatArray, n: int, apart: float) -> Index:
    """Return the indices of the ``n`` cheapest points of each label that are apart.

    Parameters
    ----------
    label
        Label of each point, shape (m,).
    u
        Points of the unit cube, shape (m, d).
    costs
        Cost of each point, shape (m,).
    n
        Largest number of points of each label.
    apart
        Smallest distance of two chosen points, along any axis of the unit cube.
    """
    order, rank = _ranked(label, costs)
    # A table with a row for each label; missing entries have infinite costs.
    index = np.zeros((int(label.max()) + 1, int(rank.max()) + 1), dtype=np.intp)
    table = np.full(index.shape, np.inf)
    index[label[order], rank] = order
    table[label[order], rank] = costs[order]
    _, chosen = cheapest_apart(table, index, u, n, apart)
    return chosen


def cheapest_apart(
    costs: FloatArray, index: Index, u: FloatArray, n: int, apart: float
) -> tuple[Index, Index]:
    """Return the ``n`` cheapest points of each row that are at least ``apart`` from each other.

    Parameters
    ----------
    costs
        Costs, shape (rows, m); entries that are not finite are never chosen.
    index
        Index in ``u`` of the point behind each column, shape (rows or 1, m).
    u
        Points of the unit cube, shape (p, d).
    n
        Largest number of points of each row.
    apart
        Smallest distance of two chosen points, along any axis of the unit cube.

    Returns
    -------
    tuple of Index
        Rows, and indices of points, row by row from the cheapest point on.
    """
    costs = np.where(np.isnan(costs), np.inf, costs)
    rows = np.arange(len(costs))
    coordinates = [column[index] for column in u.T]
    index = np.broadcast_to(index, costs.shape)
    chosen = []
    for _ in range(n):
        best = np.argmin(costs, axis=1)
        taken = index[rows, best]
        chosen.append(np.where(np.isfinite(costs[rows, best]), taken, -1))
        close = np.ones(costs.shape, dtype=bool)
        for column, at in zip(coordinates, u[taken].T, strict=True):
            close &= np.abs(column - at[:, None]) < apart
        costs[close] = np.inf
    found = np.stack(chosen, axis=1)
    row, rank = np.nonzero(found >= 0)
    return row, found[row, rank]


def cheapest_of_strata(costs: FloatArray, label: Index, n: int) -> tuple[Index, Index]:
    """Return the cheapest point of each of the ``n`` best strata, for each row.

    Parameters
    ----------
    costs
        Costs, shape (rows, m); entries that are not finite are never chosen.
    label
        Stratum of each column, shape (m,).
    n
        Largest number of strata of each row.

    Returns
    -------
    tuple of Index
        Rows and columns, row by row from the cheapest point on.

    Examples
    --------
    >>> costs = np.array([[1.0, 2.0, 3.0, 4.0]])
    >>> row, column = cheapest_of_strata(costs, np.array([0, 0, 1, 2]), 2)
    >>> column.tolist()
    [0, 2]
    """
    strata = [np.flatnonzero(label == stratum) for stratum in np.unique(label)]
    rows = np.arange(len(costs))[:, None]
    costs = np.where(np.isnan(costs), np.inf, costs)
    leaders = np.stack([of[np.argmin(costs[:, of], axis=1)] for of in strata], axis=1)
    order = np.argsort(costs[rows, leaders], axis=1)[:, :n]
    chosen = leaders[rows, order]
    row, rank = np.nonzero(np.isfinite(costs[rows, chosen]))
    return row, chosen[row, rank]


def _ranked(label: Index, costs: FloatArray) -> tuple[Index, Index]:
    """Return the entries ordered by label and then by cost, and the rank within each label."""
    order = np.lexsort((costs, label))
    ranked = label[order]
    return order, np.arange(len(order)) - np.searchsorted(ranked, ranked)
