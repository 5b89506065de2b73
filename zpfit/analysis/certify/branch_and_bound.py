"""Branch and bound over mass and couplings, compiled.

Boxes that the contractors leave are halved, until they are excluded or too small, which
leaves them undecided.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.certify.contractors import survives
from zpfit.analysis.certify.quantities import FLOOR, N_COUPLINGS, IntArray
from zpfit.io.arrays import FloatArray
from zpfit.physics.intervals import rigorous

_MOST_IN_LEAF: Final = 5_000
"""Boxes of one leaf after which it counts as open; smaller cells take fewer."""
_MASS_WEIGHT: Final = 50.0
"""Relative width of a coupling that is halved as soon as ln m of this part of it."""


@rigorous
def _widest(box: FloatArray, node: int, leaves: int, log_width: float) -> tuple[int, float]:
    """Return the axis to halve (4 for the mass) and its width; -1 if the mass cannot be."""
    axis, largest = 4, _MASS_WEIGHT * log_width
    above = node
    while above > 1:
        above //= 2
        largest *= 0.5
    if node >= leaves:
        axis, largest = -1, 0.0
    for row in range(N_COUPLINGS):
        low, high = box[row, 0], box[row, 1]
        size = max(abs(low), abs(high))
        width = (high - low) / (size + FLOOR)
        if width > largest:
            axis, largest = row, width
    return axis, largest


@rigorous
def halving_point(low: float, high: float) -> float:
    """Return where to halve an interval: zero, a geometric mean, or the middle."""
    if low < 0.0 < high:
        return 0.0
    if low > 0.0 and high > 4.0 * low:
        return float(np.sqrt(low) * np.sqrt(high))
    if high < 0.0 and low < 4.0 * high:
        return float(-np.sqrt(-low) * np.sqrt(-high))
    if low == 0.0 and high > 1e-6:
        return 0.1 * high
    if high == 0.0 and low < -1e-6:
        return 0.1 * low
    return 0.5 * low + 0.5 * high


@rigorous
def _middle_leaf(node: int, leaves: int) -> int:
    """Return a leaf in the middle of a node."""
    leaf = node
    while leaf < leaves:
        leaf = 2 * leaf + (1 if leaf == node else 0)
    return leaf


@rigorous
def _put(box: FloatArray, place: FloatArray) -> None:
    """Copy a box; numba compiles an assignment of a whole array for seconds."""
    for row in range(N_COUPLINGS):
        place[row, 0], place[row, 1] = box[row, 0], box[row, 1]


@rigorous
def _halved(
    stack: FloatArray, nodes: IntArray, n_stack: int, box: FloatArray, node: int, axis: int
) -> int:
    """Put both halves of a box on the stack, and return how many boxes it holds."""
    if axis == N_COUPLINGS:
        for child in range(2):
            _put(box, stack[n_stack + child])
            nodes[n_stack + child] = 2 * node + child
        return n_stack + 2
    middle = halving_point(box[axis, 0], box[axis, 1])
    far = 1 if middle >= 0.0 and box[axis, 1] > -box[axis, 0] else 0
    for part in (far, 1 - far):  # the last one, closer to zero, is examined first
        _put(box, stack[n_stack])
        nodes[n_stack] = node
        stack[n_stack, axis, 1 - part] = middle
        n_stack += 1
    return n_stack


@rigorous
def _has_witness(
    box: FloatArray,
    leaf: int,
    cells: FloatArray,
    level: FloatArray,
    tau: FloatArray,
    products: FloatArray,
    blocks: IntArray,
    targets: FloatArray,
    dumps: FloatArray,
) -> bool:
    """Return True if the centre of a box survives in a leaf, so that it cannot be excluded."""
    centre = np.empty_like(box)
    for row in range(N_COUPLINGS):
        centre[row, 0] = centre[row, 1] = 0.5 * (box[row, 0] + box[row, 1])
    return survives(centre, leaf, cells, level, tau, products, blocks, targets, dumps)


@rigorous
def search(
    stack: FloatArray,
    nodes: IntArray,
    n_stack: int,
    found: FloatArray,
    found_leaves: IntArray,
    is_open: NDArray[np.bool_],
    cells: FloatArray,
    log_width: float,
    smallest: float,
    most: int,
    level: FloatArray,
    tau: FloatArray,
    products: FloatArray,
    blocks: IntArray,
    targets: FloatArray,
    dumps: FloatArray,
) -> tuple[int, int, int]:
    """Work on a stack of boxes until it is empty, ``found`` is full or ``most`` boxes are done.

    A leaf of the mass tree with a box that cannot be excluded is open: its other boxes are
    not examined.

    Parameters
    ----------
    stack, nodes : numpy.ndarray, shape (k, 4, 2) and (k,)
        Boxes and their mass nodes; changed in place.
    n_stack : int
        Number of boxes on the stack.
    found, found_leaves : numpy.ndarray, shape (f, 4, 2) and (f,)
        Receive a box of each open leaf.
    is_open : numpy.ndarray of bool, shape (2 leaves,)
        Marks open leaves; changed in place.
    cells : numpy.ndarray, shape (2 leaves, columns, 2)
        Tree of mass cells; the children of node i are 2 i and 2 i + 1.
    log_width : float
        Width of the root in ln m.
    smallest : float
        Relative width of the couplings of an undecided box.
    most : int
        Largest number of boxes.

    Returns
    -------
    tuple of int
        Boxes done, boxes left on the stack, open leaves found.
    """
    leaves = cells.shape[0] // 2
    done = n_found = in_leaf = last = 0
    while n_stack > 0 and done < most and n_found < found.shape[0]:
        n_stack -= 1
        box, node = stack[n_stack].copy(), nodes[n_stack]
        if is_open[node]:
            continue
        done += 1
        in_leaf = in_leaf + 1 if node == last else 0
        last = node
        if not survives(box, node, cells, level, tau, products, blocks, targets, dumps):
            continue
        axis, width = _widest(box, node, leaves, log_width)
        leaf = _middle_leaf(node, leaves)
        given_up = node >= leaves and (width < smallest or in_leaf > _MOST_IN_LEAF)
        if given_up or (
            not is_open[leaf]
            and _has_witness(box, leaf, cells, level, tau, products, blocks, targets, dumps)
        ):
            _put(box, found[n_found])
            found_leaves[n_found] = leaf
            is_open[leaf] = True
            n_found += 1
            if leaf == node:
                continue
        if width < smallest:
            axis = 4
        n_stack = _halved(stack, nodes, n_stack, box, node, axis)
    return done, n_stack, n_found
