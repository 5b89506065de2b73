"""Selection of points from which a search continues: the best, and the best that are apart."""

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray

Index = NDArray[np.intp]
"""Array of indices or labels."""
KEPT = 60
"""Default number of points from which a search continues."""


def best_points(
    points: FloatArray, costs: FloatArray, step_width: FloatArray, kept: int = KEPT
) -> Index:
    """Return the indices of the best points; of each combination of steps only the best one.

    Parameters
    ----------
    points
        Points of the unit cube, shape (n, d).
    costs
        Cost of each point, shape (n,).
    step_width
        Width of the steps of discrete coordinates, 0 for smooth ones; shape (d,).
    kept
        Largest number of indices.

    Examples
    --------
    >>> points = np.array([[0.1], [0.2], [0.9]])
    >>> best_points(points, np.array([2.0, 1.0, 3.0]), np.array([0.5])).tolist()
    [1, 2]
    """
    order = np.argsort(costs)
    if step_width.any():
        steps = np.floor(points[order][:, step_width > 0] / step_width[step_width > 0])
        _, first = np.unique(steps, axis=0, return_index=True)
        order = order[np.sort(first)]
    return order[:kept]


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


def _ranked(label: Index, costs: FloatArray) -> tuple[Index, Index]:
    """Return the entries ordered by label and then by cost, and the rank within each label."""
    order = np.lexsort((costs, label))
    ranked = label[order]
    return order, np.arange(len(order)) - np.searchsorted(ranked, ranked)
