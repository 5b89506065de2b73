"""Rates of recoils and tridents over a box, compiled."""

from typing import Any

import numpy as np

from zpfit.analysis.certify.quantities import (
    NO_LIMIT,
    NUE,
    NUMU,
    TRIDENT_1,
    TRIDENT_2,
    A,
    IntArray,
    V,
    coupling,
    difference,
    interval_of,
    tau_coupling,
)
from zpfit.io.arrays import FloatArray
from zpfit.physics.intervals import (
    Interval,
    down,
    greatest_quadratic,
    least_quadratic,
    mul,
    rigorous,
    up,
)


@rigorous
def trident_fails(box: FloatArray, cells: FloatArray, node: int, low: float, high: float) -> bool:
    """Return True if 1 + c_1 x + c_2 x^2 lies outside [low, high]; C_Vmu as without C_Amu."""
    if low > high:  # measurements contradict each other
        return True
    first, second = interval_of(cells, node, TRIDENT_1), interval_of(cells, node, TRIDENT_2)
    if low <= -NO_LIMIT or second[0] <= 0.0:
        return False
    x = mul(difference(box, 0.0), coupling(box, NUMU))
    none = (0.0, 0.0)
    squares = (second, none, none)
    least = down(1.0 + least_quadratic(first, none, squares, x, none))
    most = up(1.0 + greatest_quadratic(first, none, squares, x, none))
    return bool(least > high or most < low)


@rigorous
def _block(
    cells: FloatArray, node: int, column: int
) -> tuple[Interval, Interval, tuple[Interval, Interval, Interval]]:
    """Return the coefficients of C_V, C_A and of the squares, for C_nu = 1."""
    squares = (
        interval_of(cells, node, column + 2),
        interval_of(cells, node, column + 3),
        interval_of(cells, node, column + 4),
    )
    return interval_of(cells, node, column), interval_of(cells, node, column + 1), squares


@rigorous
def _neutrino(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, flavour: int
) -> Interval:
    if flavour == 0:
        return coupling(box, NUE)
    if flavour == 1:
        return coupling(box, NUMU)
    return tau_coupling(box, cells, node, tau)


@rigorous
def _largest_recoil(
    box: FloatArray,
    cells: FloatArray,
    node: int,
    tau: FloatArray,
    blocks: IntArray,
    first: int,
    last: int,
) -> float:
    """Return an upper bound of a rate; convex in each coupling, so that it is at a corner."""
    best = -NO_LIMIT
    for corner in range(4):
        c_v, c_a = box[V, corner % 2], box[A, corner // 2]
        total = 1.0
        for index in range(first, last):
            a, b, squares = _block(cells, node, blocks[index, 2])
            c_nu = _neutrino(box, cells, node, tau, blocks[index, 1])
            most = -NO_LIMIT
            for end in range(2):
                x = mul((c_nu[end], c_nu[end]), (c_v, c_v))
                y = mul((c_nu[end], c_nu[end]), (c_a, c_a))
                most = max(most, greatest_quadratic(a, b, squares, x, y))
            total = up(total + most)
        best = max(best, total)
    return best


@rigorous
def _smallest_recoil(
    box: FloatArray,
    cells: FloatArray,
    node: int,
    tau: FloatArray,
    blocks: IntArray,
    first: int,
    last: int,
) -> float:
    """Return a lower bound of a rate, from the ranges of C_nu C_V and C_nu C_A."""
    total = 1.0
    for index in range(first, last):
        a, b, squares = _block(cells, node, blocks[index, 2])
        c_nu = _neutrino(box, cells, node, tau, blocks[index, 1])
        x, y = mul(c_nu, coupling(box, V)), mul(c_nu, coupling(box, A))
        total = down(total + least_quadratic(a, b, squares, x, y))
    return total


@rigorous
def _central_recoil(
    box: FloatArray,
    cells: FloatArray,
    node: int,
    tau: FloatArray,
    blocks: IntArray,
    first: int,
    last: int,
) -> float:
    """Return about the rate at the centre; if it is allowed, no bound can exclude the box."""
    c_v, c_a = 0.5 * (box[V, 0] + box[V, 1]), 0.5 * (box[A, 0] + box[A, 1])
    total = 1.0
    for index in range(first, last):
        c_nu = _neutrino(box, cells, node, tau, blocks[index, 1])
        middle = 0.5 * (c_nu[0] + c_nu[1])
        x, y, column = middle * c_v, middle * c_a, blocks[index, 2]
        values = cells[node, column : column + 5]
        total += 0.5 * (values[0, 0] + values[0, 1]) * x + 0.5 * (values[1, 0] + values[1, 1]) * y
        total += 0.5 * (values[2, 0] + values[2, 1]) * x * x
        total += 0.5 * (values[3, 0] + values[3, 1]) * x * y
        total += 0.5 * (values[4, 0] + values[4, 1]) * y * y
    return total


@rigorous
def rate_that_fails(
    box: FloatArray,
    cells: FloatArray,
    node: int,
    tau: FloatArray,
    blocks: IntArray,
    targets: FloatArray,
) -> int:
    """Return the first rate of recoils that lies outside its limits; -1 if there is none.

    Parameters
    ----------
    box : numpy.ndarray, shape (4, 2)
        Couplings.
    cells : numpy.ndarray, shape (n, columns, 2)
        Tree of mass cells.
    node : int
        Row of the mass cell.
    tau : numpy.ndarray, shape (4,)
        Factors of the couplings in C_nutau.
    blocks : numpy.ndarray, shape (b, 3)
        Rate, flavour and first column of each block of coefficients, sorted by rate.
    targets : numpy.ndarray, shape (k, 2)
        Limits of each rate.
    """
    first: Any = np.int64(0)  # see the columns in quantities.py
    for rate in range(targets.shape[0]):
        last = first
        while last < blocks.shape[0] and blocks[last, 0] == rate:
            last += 1
        low, high = targets[rate, 0], targets[rate, 1]
        central = _central_recoil(box, cells, node, tau, blocks, first, last)
        if (
            central < low and _largest_recoil(box, cells, node, tau, blocks, first, last) < low
        ) or (
            central > high and _smallest_recoil(box, cells, node, tau, blocks, first, last) > high
        ):
            return rate
        first = last
    return -1
