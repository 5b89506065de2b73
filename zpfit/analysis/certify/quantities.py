"""Bounds of simple functions of a box: the shared language of contractors and leaves, compiled.

A box is a node of the tree of mass cells and an interval for each of C_Ve, C_Ae, C_nue and
C_numu. Every bound is rounded outwards (:mod:`zpfit.physics.intervals`).
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.intervals import Interval, add, mul, rigorous, scale, sqr, sub

_INDEX: Any = np.arange(22)
"""Integers of NumPy: numba compiles a function again for each literal integer that it is called
with."""
V, A, NUE, NUMU = _INDEX[:4]
"""Rows of a box: C_Ve, C_Ae, C_nue, C_numu."""
N_COUPLINGS: Final = 4

IntArray = NDArray[np.int64]

# Columns of a mass cell. The first ones hold an interval each.
K_VE, K_AE, K_VMU, K_AMU = _INDEX[:4]
"""Factors of the squared couplings in (g-2)/2 of electron and muon."""
WIDTH_V, WIDTH_A = _INDEX[4:6]
"""Factors of C_Ve^2 and C_Ae^2 in the reduced width to electrons."""
VISIBLE, INVISIBLE = _INDEX[6:8]
"""Largest (C_Ve^2 + C_Ae^2) BR of decays to electrons and to neutrinos; upper ends count."""
STARS = _INDEX[8]
"""Largest (C_Ve^2 + C_Ae^2) sum C_nu^2; upper ends count."""
FLOOR_E, FLOOR_NU = _INDEX[9:11]
"""1 where nucleosynthesis forbids thermal contact by electrons alone, and by neutrinos alone;
lower ends count."""
TRIDENT_1, TRIDENT_2 = _INDEX[11:13]
"""Factors of x and x^2, x = C_Vmu C_numu, in the paper's trident rate."""
TAU_SLACK = _INDEX[13]
"""Largest distance of C_nutau from its sum of the other couplings; upper ends count."""
FLOOR_BOTH = _INDEX[14]
"""1 where nucleosynthesis forbids thermal contact by electrons and neutrinos; lower ends count."""
CAESIUM = _INDEX[15]
"""Factor K of the range of the Z' in Caesium."""
PARITY, PARITY_P = _INDEX[16:18]
"""Shifts of weak charges for one unit of the product of couplings, at no and at Qweak's momentum
transfer."""
RHO_SHARE = _INDEX[18]
"""(B_rho - B_omega)/(B_rho + B_omega), the part of C_Vn in pi0 -> gamma Z'."""
ISOSPIN_SLACK = _INDEX[19]
"""Largest relative distance of C_Vu - C_Vd from C_nue - C_Ve + C_Ae; upper ends count."""
PION_VISIBLE, PION_INVISIBLE = _INDEX[20:22]
"""Largest squared coupling times BR in pi0 -> gamma Z' with decays to electrons, and to neutrinos;
upper ends count."""
FIRST_FREE: Final = 22
"""First column of products, of beam dumps and of blocks of recoils."""

NO_LIMIT: Final = 1e250
"""Stands for a limit that is absent."""
FLOOR: Final = 1e-7
"""Size of a coupling below which its relative width counts as less."""


@rigorous
def interval_of(cells: FloatArray, node: int, column: int) -> Interval:
    """Return a quantity of a mass cell."""
    return cells[node, column, 0], cells[node, column, 1]


@rigorous
def coupling(box: FloatArray, row: int) -> Interval:
    """Return a coupling of a box."""
    return box[row, 0], box[row, 1]


@rigorous
def tau_coupling(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> Interval:
    """Return C_nutau, a sum of the other couplings with given factors and a slack."""
    total = (-cells[node, TAU_SLACK, 1], cells[node, TAU_SLACK, 1])
    for row in range(N_COUPLINGS):
        if tau[row] != 0.0:
            total = add(total, scale(tau[row], coupling(box, row)))
    return total


@rigorous
def electron_squares(box: FloatArray) -> Interval:
    """Return C_Ve^2 + C_Ae^2."""
    return add(sqr(coupling(box, V)), sqr(coupling(box, A)))


@rigorous
def neutrino_squares(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> Interval:
    """Return the sum of the squared neutrino couplings."""
    third = tau_coupling(box, cells, node, tau)
    return add(add(sqr(coupling(box, NUE)), sqr(coupling(box, NUMU))), sqr(third))


@rigorous
def largest_neutrino(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> Interval:
    """Return the largest squared coupling to a neutrino."""
    first, second = sqr(coupling(box, NUE)), sqr(coupling(box, NUMU))
    third = sqr(tau_coupling(box, cells, node, tau))
    return max(first[0], second[0], third[0]), max(first[1], second[1], third[1])


@rigorous
def electron_width(box: FloatArray, cells: FloatArray, node: int) -> Interval:
    """Return the width to electrons in units of m_Zp/(12 pi)."""
    return add(
        mul(interval_of(cells, node, WIDTH_V), sqr(coupling(box, V))),
        mul(interval_of(cells, node, WIDTH_A), sqr(coupling(box, A))),
    )


@rigorous
def difference(box: FloatArray, axial: float) -> Interval:
    """Return C_Ve - axial C_Ae - C_nue + C_numu."""
    total = sub(coupling(box, V), coupling(box, NUE))
    return sub(add(total, coupling(box, NUMU)), scale(axial, coupling(box, A)))
