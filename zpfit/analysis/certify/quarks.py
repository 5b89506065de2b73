"""Data on quarks in models with one Higgs doublet, compiled.

Their vector couplings are two numbers: w = C_Vu - C_Vd, which is C_nue - C_Ve + C_Ae apart from
the mixing, and C_Vp, which is free because the charge of the quark doublets is. Weak charges bound
C_Ae C_Vp (Qweak) and C_Ae (133 C_Vp - 78 w) (Caesium). Decays of the pi0 bound C_Vp times the root
of a branching ratio. Each bound is linear in C_Vp, so that a range of w remains without it.
"""

from typing import Final

from zpfit.analysis.certify.quantities import (
    CAESIUM,
    ISOSPIN_SLACK,
    NO_LIMIT,
    NUE,
    PARITY,
    PARITY_P,
    PION_INVISIBLE,
    PION_VISIBLE,
    RHO_SHARE,
    WIDTH_V,
    A,
    V,
    coupling,
    electron_squares,
    electron_width,
    interval_of,
    neutrino_squares,
)
from zpfit.io.arrays import FloatArray
from zpfit.physics.intervals import (
    Interval,
    add,
    div,
    down,
    mul,
    rigorous,
    scale,
    sqrt,
    sub,
    up,
)

_FREE: Final = 1e100
"""Stands for an end that is absent."""
_LEAST: Final = 1e-20
"""Size of C_Ae below which weak charges bound nothing here."""
_NUCLEONS, _NEUTRONS = 133.0, 78.0
"""Caesium 133."""
_CS, _P = 8, 10
"""Where a level holds the ends of the shifts of both weak charges."""


@rigorous
def _isospin(box: FloatArray) -> Interval:
    """Return C_nue - C_Ve + C_Ae."""
    return add(sub(coupling(box, NUE), coupling(box, V)), coupling(box, A))


@rigorous
def _share(cells: FloatArray, node: int) -> Interval:
    """Return w over C_nue - C_Ve + C_Ae."""
    return down(1.0 - cells[node, ISOSPIN_SLACK, 1]), 1.0


@rigorous
def _axial_charges(cells: FloatArray, node: int, level: FloatArray) -> tuple[Interval, Interval]:
    """Return the ranges of C_Ae (133 C_Vp - 78 w) and of C_Ae C_Vp that weak charges leave."""
    caesium, proton = (-_FREE, _FREE), (-_FREE, _FREE)
    if level[_CS] > -NO_LIMIT:
        factor = mul(interval_of(cells, node, PARITY), interval_of(cells, node, CAESIUM))
        caesium = div((level[_CS], level[_CS + 1]), factor)
    if level[_P] > -NO_LIMIT:
        proton = div((level[_P], level[_P + 1]), interval_of(cells, node, PARITY_P))
    return caesium, proton


@rigorous
def _w_of(caesium: Interval, proton: Interval) -> Interval:
    """Return w from 133 C_Vp - 78 w and C_Vp, or both times C_Ae."""
    return div(sub(scale(_NUCLEONS, proton), caesium), (_NEUTRONS, _NEUTRONS))


@rigorous
def _pion_charge(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> Interval:
    """Return the range of C_Vp that limits on pi0 -> gamma Z' leave.

    They bound x^2 BR with x = C_Vp + share (w - C_Vp), and their sum bounds x^2.
    """
    visible, invisible = cells[node, PION_VISIBLE, 1], cells[node, PION_INVISIBLE, 1]
    square = _FREE
    width, both = electron_width(box, cells, node), electron_squares(box)[1]
    neutrinos = scale(0.5, neutrino_squares(box, cells, node, tau))
    if width[0] > 0.0:
        square = min(square, up(visible + invisible))
        part = down(width[0] / up(width[0] + neutrinos[1]))
        if part > 0.0:
            square = min(square, up(visible / part))
    if neutrinos[0] > 0.0:
        part = down(neutrinos[0] / up(neutrinos[0] + up(cells[node, WIDTH_V, 1] * both)))
        if part > 0.0:
            square = min(square, up(invisible / part))
    if square >= _FREE:
        return -_FREE, _FREE
    largest = sqrt((0.0, square))[1]
    share, w = interval_of(cells, node, RHO_SHARE), mul(_isospin(box), _share(cells, node))
    return div(sub((-largest, largest), mul(share, w)), sub((1.0, 1.0), share))


@rigorous
def isospin_window(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, level: FloatArray
) -> tuple[Interval, Interval]:
    """Return C_nue - C_Ve + C_Ae of a box, and the range of it that data on quarks leave.

    The range is (1, -1) if no C_Vp meets them.

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
    level : numpy.ndarray
        See :func:`zpfit.analysis.certify.proof.level_of`.
    """
    found, axial, sign = _isospin(box), coupling(box, A), 1.0
    if axial[1] < 0.0:
        axial, sign = (-axial[1], -axial[0]), -1.0
    if axial[0] < _LEAST:
        return found, (-_FREE, _FREE)
    caesium, proton = _axial_charges(cells, node, level)
    both = scale(sign, div(_w_of(caesium, proton), axial))
    caesium = scale(sign, div(caesium, axial))
    proton = scale(sign, div(proton, axial))
    pion = _pion_charge(box, cells, node, tau)
    charge = max(proton[0], pion[0]), min(proton[1], pion[1])
    if charge[0] > charge[1]:
        return found, (1.0, -1.0)
    other = _w_of(caesium, charge)
    low, high = max(both[0], other[0]), min(both[1], other[1])
    if low > high:
        return found, (1.0, -1.0)
    return found, div((low, high), _share(cells, node))


@rigorous
def axial_window(box: FloatArray, cells: FloatArray, node: int, level: FloatArray) -> Interval:
    """Return the range of C_Ae that both weak charges leave, as w is not zero."""
    w = mul(_isospin(box), _share(cells, node))
    caesium, proton = _axial_charges(cells, node, level)
    if w[0] > _LEAST:
        return div(_w_of(caesium, proton), w)
    if w[1] < -_LEAST:
        return scale(-1.0, div(_w_of(caesium, proton), (-w[1], -w[0])))
    return -_FREE, _FREE


@rigorous
def quarks_fail(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, level: FloatArray
) -> bool:
    """Return True if no point of a box meets the data on quarks."""
    found, window = isospin_window(box, cells, node, tau, level)
    return bool(window[0] > found[1] or window[1] < found[0])
