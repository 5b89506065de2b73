"""Contractors of boxes, compiled.

A box is a node of the tree of mass cells and an interval for each of C_Ve, C_Ae, C_nue and
C_numu. Contractors shrink it to what the constraints leave; an empty box is excluded. Every
bound is rounded outwards (:mod:`zpfit.physics.intervals`).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.intervals import (
    Interval,
    add,
    div,
    down,
    greatest_quadratic,
    least_quadratic,
    mul,
    rigorous,
    scale,
    sqr,
    sqrt,
    sub,
    up,
)

V, A, NUE, NUMU = 0, 1, 2, 3
"""Rows of a box: C_Ve, C_Ae, C_nue, C_numu."""
N_COUPLINGS: Final = 4

IntArray = NDArray[np.int64]

# Columns of a mass cell. The first ones hold an interval each.
K_VE, K_AE, K_VMU, K_AMU = 0, 1, 2, 3
"""Factors of the squared couplings in (g-2)/2 of electron and muon."""
WIDTH_V, WIDTH_A = 4, 5
"""Factors of C_Ve^2 and C_Ae^2 in the reduced width to electrons."""
VISIBLE, INVISIBLE = 6, 7
"""Largest (C_Ve^2 + C_Ae^2) BR of decays to electrons and to neutrinos; upper ends count."""
STARS = 8
"""Largest (C_Ve^2 + C_Ae^2) sum C_nu^2; upper ends count."""
FLOOR_E, FLOOR_NU = 9, 10
"""1 where nucleosynthesis forbids thermal contact by electrons or by neutrinos; lower ends
count."""
TRIDENT_1, TRIDENT_2 = 11, 12
"""Factors of x and x^2, x = C_Vmu C_numu, in the paper's trident rate."""
TAU_SLACK = 13
"""Largest distance of C_nutau from its sum of the other couplings; upper ends count."""
FIRST_FREE: Final = 14
"""First column of products and of blocks of recoils."""

NO_LIMIT: Final = 1e250
"""Stands for a limit that is absent."""


_ROUNDS: Final = 3
"""Passes of the contractors over a box."""
FLOOR: Final = 1e-7
"""Size of a coupling below which its relative width counts as less."""


@rigorous
def _cell(cells: FloatArray, node: int, column: int) -> Interval:
    return cells[node, column, 0], cells[node, column, 1]


@rigorous
def _of(box: FloatArray, row: int) -> Interval:
    return box[row, 0], box[row, 1]


@rigorous
def _keep(box: FloatArray, row: int, low: float, high: float) -> bool:
    """Cut an interval to [low, high]; return False if nothing is left."""
    box[row, 0] = max(box[row, 0], low)
    box[row, 1] = min(box[row, 1], high)
    return bool(box[row, 0] <= box[row, 1])


@rigorous
def _keep_square(box: FloatArray, row: int, low: float, high: float) -> bool:
    """Cut to sizes whose squares lie in [low, high]; return False if nothing is left."""
    if high < 0.0:
        return False
    outer = sqrt((0.0, high))[1]
    if not _keep(box, row, -outer, outer):
        return False
    if low > 0.0:
        inner = sqrt((low, low))[0]
        if box[row, 0] > -inner:
            box[row, 0] = max(box[row, 0], inner)
        if box[row, 1] < inner:
            box[row, 1] = min(box[row, 1], -inner)
    return bool(box[row, 0] <= box[row, 1])


@rigorous
def _tau(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> Interval:
    """Return C_nutau, a sum of the other couplings with given factors and a slack."""
    total = (-cells[node, TAU_SLACK, 1], cells[node, TAU_SLACK, 1])
    for row in range(N_COUPLINGS):
        if tau[row] != 0.0:
            total = add(total, scale(tau[row], _of(box, row)))
    return total


@rigorous
def _electrons(box: FloatArray) -> Interval:
    """Return C_Ve^2 + C_Ae^2."""
    return add(sqr(_of(box, V)), sqr(_of(box, A)))


@rigorous
def _neutrinos(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> Interval:
    """Return the sum of the squared neutrino couplings."""
    return add(add(sqr(_of(box, NUE)), sqr(_of(box, NUMU))), sqr(_tau(box, cells, node, tau)))


@rigorous
def _keep_electrons(box: FloatArray, high: float) -> bool:
    """Cut to C_Ve^2 + C_Ae^2 <= high."""
    axial, vector = sqr(_of(box, A))[0], sqr(_of(box, V))[0]
    return _keep_square(box, V, 0.0, up(high - axial)) and _keep_square(
        box, A, 0.0, up(high - vector)
    )


@rigorous
def _keep_neutrinos(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, low: float, high: float
) -> bool:
    """Cut to squared neutrino couplings whose sum lies in [low, high]."""
    rest = sqr(_tau(box, cells, node, tau))
    for row, other in ((NUE, NUMU), (NUMU, NUE)):
        square = sqr(_of(box, other))
        least = down(low - up(square[1] + rest[1]))
        most = up(high - down(square[0] + rest[0]))
        if not _keep_square(box, row, least, most):
            return False
    return True


@rigorous
def _nucleosynthesis(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, contact: float
) -> bool:
    if cells[node, FLOOR_E, 0] > 0.0 and not _keep_electrons(box, up(contact * contact)):
        return False
    if cells[node, FLOOR_NU, 0] > 0.0:
        if not (
            _keep(box, NUE, -up(contact), up(contact))
            and _keep(box, NUMU, -up(contact), up(contact))
        ):
            return False
        third = _tau(box, cells, node, tau)
        return third[0] <= up(contact) and third[1] >= -up(contact)
    return True


@rigorous
def _moment(box: FloatArray, cells: FloatArray, node: int, low: float, high: float) -> bool:
    """Cut to low <= k_V C_Ve^2 - k_A C_Ae^2 <= high."""
    if low > high:  # measurements contradict each other
        return False
    k_v, k_a = _cell(cells, node, K_VE), _cell(cells, node, K_AE)
    target = (low, high)
    vector = mul(k_v, sqr(_of(box, V)))
    axial = div(sub(vector, target), k_a)
    if not _keep_square(box, A, axial[0], axial[1]):
        return False
    vector = div(add(target, mul(k_a, sqr(_of(box, A)))), k_v)
    return _keep_square(box, V, vector[0], vector[1])


@rigorous
def _products(box: FloatArray, cells: FloatArray, node: int, products: FloatArray) -> bool:
    """Cut to low <= factor C_Ve C_Ae <= high for every product."""
    for row in range(products.shape[0]):
        factor = _cell(cells, node, int(products[row, 0]))
        target = (products[row, 1], products[row, 2])
        value = mul(factor, mul(_of(box, V), _of(box, A)))
        if value[0] > target[1] or value[1] < target[0]:
            return False
        largest = div((0.0, max(abs(target[0]), abs(target[1]))), factor)[1]
        for one, other in ((V, A), (A, V)):
            least = sqrt((sqr(_of(box, other))[0], 1.0))[0]
            if least > 0.0:
                end = up(largest / least)
                if not _keep(box, one, -end, end):
                    return False
    return True


@rigorous
def _visible(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> bool:
    """Cut to P E/(E + N/2) <= L^2 with E = w_V C_Ve^2 + w_A C_Ae^2, w_V >= w_A."""
    limit = cells[node, VISIBLE, 1]
    if limit >= NO_LIMIT:
        return True
    both = _electrons(box)
    width = add(
        mul(_cell(cells, node, WIDTH_V), sqr(_of(box, V))),
        mul(_cell(cells, node, WIDTH_A), sqr(_of(box, A))),
    )
    if both[0] > limit:
        # N >= 2 E (P/L^2 - 1), which grows with P and with E.
        excess = down(down(both[0] / limit) - 1.0)
        if not _keep_neutrinos(
            box, cells, node, tau, down(2.0 * down(width[0] * excess)), NO_LIMIT
        ):
            return False
        if _neutrinos(box, cells, node, tau)[1] < down(2.0 * down(width[0] * excess)):
            return False
    least = cells[node, WIDTH_A, 0]
    if least <= 0.0:
        return True
    # E >= w_A P gives w_A P^2 <= L^2 (w_A P + N/2).
    ratio = up(up(2.0 * up(_neutrinos(box, cells, node, tau)[1] * limit)) / least)
    root = sqrt((0.0, up(up(limit * limit) + ratio)))[1]
    return _keep_electrons(box, up(0.5 * up(limit + root)))


@rigorous
def _invisible(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> bool:
    """Cut to P (N/2)/(E + N/2) <= L^2, where E <= w_V P."""
    limit = cells[node, INVISIBLE, 1]
    if limit >= NO_LIMIT:
        return True
    both, most = _electrons(box), cells[node, WIDTH_V, 1]
    if both[0] > limit:
        # N (P - L^2) <= 2 L^2 w_V P; the bound on N falls with P.
        bound = up(up(2.0 * up(up(limit * most) * both[0])) / down(both[0] - limit))
        if not _keep_neutrinos(box, cells, node, tau, 0.0, bound):
            return False
        if _neutrinos(box, cells, node, tau)[0] > bound:
            return False
    half = 0.5 * _neutrinos(box, cells, node, tau)[0]
    spare = down(half - up(limit * most))
    if spare > 0.0:  # P (N/2 - L^2 w_V) <= L^2 N/2; the bound on P falls with N.
        return _keep_electrons(box, up(up(limit * half) / spare))
    return True


@rigorous
def _stars(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> bool:
    """Cut to P N <= limit."""
    limit = cells[node, STARS, 1]
    if limit >= NO_LIMIT:
        return True
    both, neutrinos = _electrons(box), _neutrinos(box, cells, node, tau)
    if down(both[0] * neutrinos[0]) > limit:
        return False
    if both[0] > 0.0 and not _keep_neutrinos(box, cells, node, tau, 0.0, up(limit / both[0])):
        return False
    least = _neutrinos(box, cells, node, tau)[0]
    return least <= 0.0 or _keep_electrons(box, up(limit / least))


@rigorous
def _difference(box: FloatArray, axial: float) -> Interval:
    """Return C_Ve - axial C_Ae - C_nue + C_numu."""
    total = sub(_of(box, V), _of(box, NUE))
    return sub(add(total, _of(box, NUMU)), scale(axial, _of(box, A)))


@rigorous
def _between(box: FloatArray, axial: float, low: float, high: float) -> bool:
    """Cut to low <= C_Ve - axial C_Ae - C_nue + C_numu <= high."""
    factors = (1.0, -axial, -1.0, 1.0)
    total = _difference(box, axial)
    if total[0] > high or total[1] < low:
        return False
    for row in range(N_COUPLINGS):
        factor = factors[row]
        if factor == 0.0:
            continue
        # The others leave at least low - (their largest) and at most high - (their smallest).
        others = (0.0, 0.0)
        for other in range(N_COUPLINGS):
            if other != row:
                others = add(others, scale(factors[other], _of(box, other)))
        left = scale(factor, (down(low - others[1]), up(high - others[0])))
        if not _keep(box, row, left[0], left[1]):
            return False
    return True


@rigorous
def _muon(
    box: FloatArray, cells: FloatArray, node: int, low: float, high: float, free_axial: float
) -> bool:
    """Cut to low <= (g-2)/2 of the muon <= high.

    If C_Amu is free, the largest moment at given S = C_Vmu - C_Amu is S^2/(1/k_V - 1/k_A).
    Else C_Amu = C_Ae and C_Vmu = C_Ve - C_nue + C_numu.
    """
    if low > high:  # measurements contradict each other
        return False
    k_v, k_a = _cell(cells, node, K_VMU), _cell(cells, node, K_AMU)
    if free_axial > 0.0:
        axial, most = 1.0, NO_LIMIT
        inverse = sub(div((1.0, 1.0), k_v), div((1.0, 1.0), k_a))
        square = mul((max(low, 0.0), max(low, 0.0)), (max(inverse[0], 0.0), max(inverse[1], 0.0)))
    else:
        axial = 0.0
        part = mul(k_a, sqr(_of(box, A)))
        square = div(add((low, low), part), k_v)
        upper = div(add((high, high), part), k_v)[1]
        if upper < 0.0:
            return False
        most = sqrt((0.0, upper))[1]
    least = sqrt((square[0], square[0]))[0] if square[0] > 0.0 else 0.0
    total = _difference(box, axial)
    if least > 0.0:
        if total[1] < least:
            return _between(box, axial, -most, -least)
        if total[0] > -least:
            return _between(box, axial, least, most)
    return free_axial > 0.0 or _between(box, axial, -most, most)


@rigorous
def _trident(box: FloatArray, cells: FloatArray, node: int, low: float, high: float) -> bool:
    """Return False if 1 + c_1 x + c_2 x^2 lies outside [low, high]; C_Vmu as without C_Amu."""
    if low > high:  # measurements contradict each other
        return False
    first, second = _cell(cells, node, TRIDENT_1), _cell(cells, node, TRIDENT_2)
    if low <= -NO_LIMIT or second[0] <= 0.0:
        return True
    x = mul(_difference(box, 0.0), _of(box, NUMU))
    none = (0.0, 0.0)
    squares = (second, none, none)
    least = down(1.0 + least_quadratic(first, none, squares, x, none))
    most = up(1.0 + greatest_quadratic(first, none, squares, x, none))
    return least <= high and most >= low


@rigorous
def _block(
    cells: FloatArray, node: int, column: int
) -> tuple[Interval, Interval, tuple[Interval, Interval, Interval]]:
    """Return the coefficients of C_V, C_A and of the squares, for C_nu = 1."""
    squares = (
        _cell(cells, node, column + 2),
        _cell(cells, node, column + 3),
        _cell(cells, node, column + 4),
    )
    return _cell(cells, node, column), _cell(cells, node, column + 1), squares


@rigorous
def _neutrino(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, flavour: int
) -> Interval:
    if flavour == 0:
        return _of(box, NUE)
    if flavour == 1:
        return _of(box, NUMU)
    return _tau(box, cells, node, tau)


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
        x, y = mul(c_nu, _of(box, V)), mul(c_nu, _of(box, A))
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
def _recoils(
    box: FloatArray,
    cells: FloatArray,
    node: int,
    tau: FloatArray,
    blocks: IntArray,
    targets: FloatArray,
) -> bool:
    """Return False if a rate lies outside its limits; rows of ``blocks`` are sorted by rate."""
    first = 0
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
            return False
        first = last
    return True


@rigorous
def _size(box: FloatArray) -> float:
    """Return the sum of the relative widths of a box."""
    total = 0.0
    for row in range(N_COUPLINGS):
        largest = max(abs(box[row, 0]), abs(box[row, 1]))
        total += (box[row, 1] - box[row, 0]) / (largest + FLOOR)
    return total


@rigorous
def survives(
    box: FloatArray,
    node: int,
    cells: FloatArray,
    level: FloatArray,
    tau: FloatArray,
    products: FloatArray,
    blocks: IntArray,
    targets: FloatArray,
) -> bool:
    """Contract a box in place; return False if no point of it meets every constraint.

    ``level`` holds the ends for the moments of electron and muon, those for tridents, the
    coupling of thermal contact, and 1 if C_Amu is free.
    """
    for _ in range(_ROUNDS):
        before = _size(box)
        if not (
            _nucleosynthesis(box, cells, node, tau, level[6])
            and _moment(box, cells, node, level[0], level[1])
            and _products(box, cells, node, products)
            and _visible(box, cells, node, tau)
            and _invisible(box, cells, node, tau)
            and _stars(box, cells, node, tau)
            and _muon(box, cells, node, level[2], level[3], level[7])
        ):
            return False
        if _size(box) > 0.9 * before:
            break
    if level[7] == 0.0 and not _trident(box, cells, node, level[4], level[5]):
        return False
    return _recoils(box, cells, node, tau, blocks, targets)
