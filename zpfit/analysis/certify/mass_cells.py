"""The tree of mass cells: proved bounds of everything that depends on the mass alone."""

from dataclasses import dataclass
from math import log, sqrt
from typing import Final

import numpy as np

from zpfit.analysis.certify.quantities import (
    CAESIUM,
    FIRST_FREE,
    FLOOR_BOTH,
    FLOOR_E,
    FLOOR_NU,
    INVISIBLE,
    ISOSPIN_SLACK,
    K_AE,
    K_AMU,
    K_VE,
    K_VMU,
    NO_LIMIT,
    PARITY,
    PARITY_P,
    PION_INVISIBLE,
    PION_VISIBLE,
    RHO_SHARE,
    STARS,
    TAU_SLACK,
    TRIDENT_1,
    TRIDENT_2,
    VISIBLE,
    WIDTH_A,
    WIDTH_V,
    IntArray,
)
from zpfit.analysis.certify.structure import Quarks, Structure
from zpfit.io.arrays import FloatArray
from zpfit.models.base import LeptonRelation
from zpfit.models.gauge_mixing import BARE_Z_MASS
from zpfit.physics.atomic_parity import delta_q_w_p
from zpfit.physics.constants import ELECTRON_MASS, FERMI_CONSTANT, MUON_MASS, SIN2_THETA_W
from zpfit.physics.couplings import Couplings
from zpfit.physics.curve_bounds import dump_bounds, largest_square
from zpfit.physics.enclosures import Bounds, caesium_bounds, loop_bounds, rho_share_bounds

_MARGIN: Final = 1e-12
"""Relative widening of closed formulas, a thousand times their rounding."""
_OF_QUARKS: Final = (
    CAESIUM, PARITY, PARITY_P, RHO_SHARE, ISOSPIN_SLACK, PION_VISIBLE, PION_INVISIBLE
)  # fmt: skip


@dataclass(frozen=True)
class MassCells:
    """Bounds on a dyadic tree of cells that are equal in ln m."""

    edges: FloatArray
    """Masses in MeV between the leaves, shape (leaves + 1,)."""
    table: FloatArray
    """Bounds, shape (2 leaves, columns, 2). Row 1 is the root, 2 i and 2 i + 1 the halves of i."""
    products: FloatArray
    """Column and limits of each product of C_Ve and C_Ae, shape (k, 3)."""
    dumps: FloatArray
    """First column and ratio of lengths of each beam dump, shape (l, 2)."""
    blocks: IntArray
    """Rate, flavour and first column of each block of recoils, shape (b, 3)."""

    @property
    def log_width(self) -> float:
        """Width of the root in ln m."""
        return float(np.log(self.edges[-1] / self.edges[0]))


def mass_cells(structure: Structure, low: float, high: float, leaves: int) -> MassCells:
    """Return the bounds for a structure.

    Parameters
    ----------
    structure : Structure
        Terms of the data.
    low, high : float
        Masses in MeV between which the cells lie.
    leaves : int
        Number of cells, a power of two.
    """
    edges = np.exp(np.linspace(log(low), log(high), leaves + 1))
    # Rounding must not leave a gap at the ends of the domain.
    edges[0], edges[-1] = low * (1 - _MARGIN), high * (1 + _MARGIN)
    columns, products, dumps, blocks = _columns(structure, edges)
    table = np.empty((2 * leaves, len(columns), 2))
    for column, bounds in enumerate(columns):
        table[leaves:, column, 0], table[leaves:, column, 1] = bounds.lower, bounds.upper
    for first in (leaves >> level for level in range(1, leaves.bit_length())):
        children = table[2 * first : 4 * first].reshape(first, 2, len(columns), 2)
        table[first : 2 * first, :, 0] = children[..., 0].min(axis=1)
        table[first : 2 * first, :, 1] = children[..., 1].max(axis=1)
    table[0] = 0.0
    return MassCells(edges, table, products, dumps, blocks)


def _columns(
    structure: Structure, edges: FloatArray
) -> tuple[list[Bounds], FloatArray, FloatArray, IntArray]:
    """Return the bounds of every column on the leaves; where products, dumps and recoils are."""
    fixed = _fixed_columns(structure, edges)
    columns = [fixed[index] for index in range(FIRST_FREE)]
    products = []
    for product in structure.products:
        products.append([len(columns), *product.target])
        columns.append(product.factor(edges))
    dumps = []
    for dump in structure.dumps:
        dumps.append([len(columns), dump.length_ratio])
        columns += dump_bounds(dump.region, dump.length_ratio, edges)
    blocks = []
    for rate, recoil in enumerate(structure.recoils):
        for flavour, bounds in recoil.blocks(edges):
            blocks.append([rate, flavour, len(columns)])
            columns += [Bounds(bounds.lower[i], bounds.upper[i]) for i in range(5)]
            _check_convex(recoil.name, bounds)
    return (
        columns,
        np.array(products, dtype=float).reshape(-1, 3),
        np.array(dumps, dtype=float).reshape(-1, 2),
        np.array(blocks, dtype=np.int64).reshape(-1, 3),
    )


def _fixed_columns(structure: Structure, edges: FloatArray) -> dict[int, Bounds]:
    electron = loop_bounds(ELECTRON_MASS, edges).between()
    muon = loop_bounds(MUON_MASS, edges).between()
    vector, axial = _widths(edges)
    return {
        K_VE: _row(electron, 0),
        K_AE: _row(electron, 1),
        K_VMU: _row(muon, 0),
        K_AMU: _row(muon, 1),
        WIDTH_V: vector,
        WIDTH_A: axial,
        VISIBLE: _limit(structure.visible, edges),
        INVISIBLE: _limit(structure.invisible, edges),
        STARS: _stars(structure.stars, edges),
        TAU_SLACK: _tau_slack(structure.relation, edges),
        FLOOR_E: _flag(structure.floors[0], edges),
        FLOOR_NU: _flag(structure.floors[1], edges),
        FLOOR_BOTH: _flag(structure.floors[2], edges),
        **_quarks(structure, edges),
        **dict(zip((TRIDENT_1, TRIDENT_2), _trident(edges), strict=True)),
    }


def _row(bounds: Bounds, index: int) -> Bounds:
    return Bounds(bounds.lower[index], bounds.upper[index])


def _widths(edges: FloatArray) -> tuple[Bounds, Bounds]:
    """Return bounds of sqrt(1 - 4 x) (1 + 2 x) and sqrt(1 - 4 x)^3, which grow with the mass."""
    x = (ELECTRON_MASS / edges) ** 2
    root = np.sqrt(np.maximum(1 - 4 * x, 0))
    # Close to threshold the difference magnifies rounding.
    error = np.where(1 - 4 * x < 1e-2, 1e-6, _MARGIN)
    found = []
    for value in (root * (1 + 2 * x), root**3):
        at_edges = Bounds(np.maximum(value - error, 0), value + error)
        found.append(at_edges.between())
    return found[0], found[1]


def _limit(curves: tuple[FloatArray, ...], edges: FloatArray) -> Bounds:
    """Return the least of the largest squared limits of several curves in each cell."""
    best = np.full(len(edges) - 1, NO_LIMIT)
    for curve in curves:
        best = np.minimum(best, largest_square(curve, edges, NO_LIMIT))
    best[edges[1:] >= 2 * MUON_MASS * (1 - _MARGIN)] = NO_LIMIT  # decays to muons
    return Bounds(best, best)


def _quarks(structure: Structure, edges: FloatArray) -> dict[int, Bounds]:
    """Return bounds for data on quarks; zeros where the structure has none."""
    quarks = structure.quarks
    if quarks == Quarks():
        none = np.zeros(len(edges) - 1)
        return dict.fromkeys(_OF_QUARKS, Bounds(none, none))
    slack = edges[1:] ** 2 / (2 * (1 - SIN2_THETA_W) * BARE_Z_MASS**2) * (1 + _MARGIN)
    at_rest = 2 * sqrt(2) / (FERMI_CONSTANT * edges**2)
    proton = Couplings.of(m_Zp=edges, C_Ae=1.0, C_Vu=1.0, C_Vd=-1.0)  # C_Vp = 1
    parity = Bounds(at_rest, at_rest).widened(_MARGIN).between()
    parity_p = delta_q_w_p(proton)
    return {
        CAESIUM: caesium_bounds(edges),
        PARITY: parity,
        PARITY_P: Bounds(parity_p, parity_p).widened(_MARGIN).between(),
        RHO_SHARE: rho_share_bounds(edges),
        ISOSPIN_SLACK: Bounds(slack, slack),
        PION_VISIBLE: _limit(quarks.visible, edges),
        PION_INVISIBLE: _limit(quarks.invisible, edges),
    }


def _stars(limit: float | None, edges: FloatArray) -> Bounds:
    """Return (limit G_F m^2)^2 at the upper end of each cell."""
    if limit is None:
        none = np.full(len(edges) - 1, NO_LIMIT)
        return Bounds(none, none)
    square = (limit * FERMI_CONSTANT * edges[1:] ** 2) ** 2 * (1 + _MARGIN)
    return Bounds(square, square)


def _tau_slack(relation: LeptonRelation, edges: FloatArray) -> Bounds:
    """Return the largest distance of C_nutau from its sum, at the upper end of each cell."""
    m2 = edges[1:] ** 2
    slack = relation.tau_slack + relation.tau_mixing * m2 / (BARE_Z_MASS**2 - m2) * (1 + _MARGIN)
    return Bounds(slack, slack)


def _flag(floor: float, edges: FloatArray) -> Bounds:
    """Return 1 for cells below a mass."""
    flag = (edges[1:] * (1 + _MARGIN) < floor).astype(float)
    return Bounds(flag, flag)


def _trident(edges: FloatArray) -> tuple[Bounds, Bounds]:
    """Return bounds of the coefficients of Eq. (16) of arXiv:2102.07781."""
    ones = np.full(len(edges) - 1, 5.6e5)
    second = 2.6e11 * np.log(MUON_MASS / edges)
    at_edges = Bounds(second - 2.6e11 * _MARGIN, second + 2.6e11 * _MARGIN)
    return Bounds(ones, ones).widened(_MARGIN), at_edges.between().widened(_MARGIN)


def _check_convex(name: str, bounds: Bounds) -> None:
    """Check the convexity that the bounds of rates assume, as a guard against wrong tables.

    The proof: the rate is a sum over recoils T of a form whose determinant has the sign of
    2 (1 - T/E) - m_e T/E^2, which kinematics keeps from being negative. Coefficients in the
    contact limit are constants times powers of the mass.

    Raises
    ------
    ArithmeticError
        A rate is not convex, which would be a mistake in the formulas of zpfit.
    """
    vector, mixed, axial = 0.5 * (bounds.lower[2:] + bounds.upper[2:])
    if np.any(vector < 0) or np.any(axial < 0) or np.any(mixed**2 > 4 * vector * axial):
        raise ArithmeticError(f"the rate of {name} is not convex in the couplings")
