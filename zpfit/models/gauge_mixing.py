r"""Couplings of leptons and quarks from U(1)' charges, kinetic mixing and mass mixing.

The conventions are those of arXiv:2102.07781. Kinetic mixing
-(eps/2) B'_mn X'^mn (Eq. 18) is removed by the field redefinition of Eq. (19), which
leaves i(g_t Y + g_X z) X in the covariant derivative with

    g_t = -g_1 eps / sqrt(1 - eps^2),    g_X = g' / sqrt(1 - eps^2).

The photon then decouples exactly, which leaves the 2 x 2 mass matrix of the Standard
Model's Z0 and of X,

    [ M^2           -M v gbar                              ]    M    = g_Z v / 2, the Z's
    [ -M v gbar     v^2 <g_i^2> + (g_X z_S v_S)^2          ]    g_i  = g_t/2 + g_X z_i,

where <.> is the mean over doublets weighted with their v_i^2 / v^2 and gbar = <g_i>.
Subtracting rows (Schur complement) turns <g_i^2> into the variance of the charges:
the determinant is M^2 m_X^2 with

    m_X^2 = (g_X z_S v_S)^2 + g_X^2 v^2 Var(z),

a sum of squares. The light mass, a factor 1e-4 below M, therefore follows without
cancellation, and couplings are their leading order times cos(phi) plus terms in

    delta = m^2 / (M^2 - m^2),

which stay accurate where the leading order vanishes. Each function takes arrays or
floats that broadcast; masses in MeV, couplings and charges dimensionless.

Quarks follow from the same eigenvector. The light state X cos(xi) - Z0 sin(xi) couples to
a fermion of hypercharge Y, charge z, isospin T3 and electric charge Q with

    cos(xi) (g_t Y + g_X z) - sin(xi) g_Z (T3 - s_w^2 Q),

where -sin(xi) g_Z = 2 cos(xi) gbar (1 + delta).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final, Protocol

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import ufunc
from zpfit.physics.constants import ELECTRIC_CHARGE, FERMI_CONSTANT, SIN2_THETA_W
from zpfit.physics.couplings import QUARK_NAMES, QUARKS, Couplings, LaterRows
from zpfit.physics.tracing import any_of

_S2: Final = SIN2_THETA_W
_C2: Final = 1 - SIN2_THETA_W

VEV: Final = 1 / sqrt(sqrt(2) * FERMI_CONSTANT)
"""v in MeV."""
HYPERCHARGE_COUPLING: Final = ELECTRIC_CHARGE / sqrt(_C2)
"""g_1."""
Z_COUPLING: Final = ELECTRIC_CHARGE / sqrt(_S2 * _C2)
"""g_Z = e / (s_w c_w)."""
BARE_Z_MASS: Final = Z_COUPLING * VEV / 2
"""M in MeV: tree level in alpha(0), s_w and G_F, so 3 % below the measured m_Z."""

FAMILIES: Final = ("e", "mu", "tau")
_UP: Final = ("u", "c")
"""Quarks of charge 2/3."""
_FAMILY_OF: Final = {"u": 0, "d": 0, "s": 1, "c": 1, "b": 2}
"""Family of each quark."""
_LATER: Final = (*QUARK_NAMES, "tan_xi")
"""Rows that few fits read."""


@dataclass(frozen=True)
class QuarkCharges:
    """Charges of the quarks of a family, or of all families; numbers or arrays of shape (n,)."""

    z_left: Any = 0.0
    """Charge z_q of the left-handed doublets."""
    up_higgs: Any = None
    """z_u - z_q: the charge of the Higgs doublet that gives u its mass, z_higgs if None."""
    down_higgs: Any = None
    """z_q - z_d: the charge of the Higgs doublet that gives d its mass, z_higgs if None."""


@dataclass(frozen=True)
class Charges:
    """Input of the gauge sector from a model at n points.

    Each field is a number or has shape (n,); families in the order of :data:`FAMILIES`.
    """

    g_prime: FloatArray
    """g'."""
    eps: FloatArray
    """Kinetic mixing with hypercharge, Eq. (18)."""
    z_higgs: Any
    """Charge of the doublets, the mean weighted with their v_i^2."""
    z_variance: Any
    """Variance of the doublets' charges with the same weights."""
    z_left: tuple[Any, Any, Any]
    """Charges z_L of the lepton doublets."""
    mismatch: tuple[Any, Any, Any]
    """z_higgs + z_R - z_L: zero if one doublet gives the lepton its mass directly."""
    quarks: QuarkCharges = QuarkCharges()
    heavier_quarks: tuple[QuarkCharges, QuarkCharges] | None = None
    """Charges of the second and third family where they differ from those of the first."""


class Route(Protocol):
    """A calculation of couplings from charges."""

    def couplings(self, charges: Charges, m: FloatArray) -> Couplings:
        """Return the couplings of a Z' of mass ``m`` (MeV), shape (n,)."""

    def light_mass(self, charges: Charges, m_singlet: Any) -> FloatArray:
        """Return m_Zp (MeV) if the singlet alone gives X the mass ``m_singlet`` = g' z_S v_S."""

    def singlet_mass(self, charges: Charges, m: FloatArray) -> FloatArray:
        """Return g' z_S v_S for a Z' of mass ``m``; NaN where the doublets force a larger one."""

    def doublets_share(self, charges: Charges, m: FloatArray) -> FloatArray:
        """Return the mass of X from the doublets over the largest one that allows ``m``."""

    def z_boson(self, charges: Charges, m: FloatArray) -> "ZBoson":
        """Return the heavy mass eigenstate."""


@dataclass(frozen=True)
class ZBoson:
    """The heavy mass eigenstate; every array has shape (n,)."""

    mass: FloatArray
    """m_Z in MeV."""
    mass_shift: FloatArray
    """m_Z / M - 1, which is smaller than the rounding of ``mass``."""
    phi: FloatArray
    """Mixing angle of Eq. (21)."""
    coupling_shifts: dict[str, FloatArray]
    """Shifts of the Z's couplings in units of g_Z, in which the Standard Model has T_3 - s_w^2 Q:
    ``g_Le``, ``g_Re``, ``g_nue`` and so on."""


class LeadingOrder:
    """Eqs. (22)-(32): leading order in g' and g_t."""

    def couplings(self, charges: Charges, m: FloatArray) -> Couplings:
        """Return the couplings of a Z' of mass ``m`` (MeV), shape (n,)."""
        g_x, g_t = charges.g_prime, hypercharge_part(charges.eps)
        return _couplings(charges, m, g_x, g_t, 0.0, g_t / 2 + g_x * charges.z_higgs)

    def light_mass(self, charges: Charges, m_singlet: Any) -> FloatArray:
        """Return m_Zp (MeV) if the singlet alone gives X the mass ``m_singlet`` = g' z_S v_S."""
        result: FloatArray = np.hypot(m_singlet, _doublet_mass(charges))
        return result

    def singlet_mass(self, charges: Charges, m: FloatArray) -> FloatArray:
        """Return g' z_S v_S for a Z' of mass ``m``; NaN where the doublets force a larger one."""
        return _root(m**2 - _doublet_mass(charges) ** 2)

    def doublets_share(self, charges: Charges, m: FloatArray) -> FloatArray:
        """Return the mass of X from the doublets over the largest one that allows ``m``."""
        return _doublet_mass(charges) / m

    def z_boson(self, charges: Charges, m: FloatArray) -> ZBoson:
        """Return the Z with the mixing angle of Eqs. (22) and (25) on the small branch."""
        g_t = hypercharge_part(charges.eps)
        g_bar = g_t / 2 + charges.g_prime * charges.z_higgs
        # v^2 z_{H^2} g'^2 / 4 + (g' z_S v_S)^2 of Eq. (25), whose singlet part is m^2 less the
        # doublets' variance: the diagonal element of X.
        diagonal = (g_bar * VEV) ** 2 + m**2
        phi = 0.5 * np.arctan(2 * g_bar * VEV * BARE_Z_MASS / (diagonal - BARE_Z_MASS**2))
        mass = np.full(phi.shape, BARE_Z_MASS)
        shifts = _coupling_shifts(charges, charges.g_prime, g_t, phi, np.zeros_like(phi))
        return ZBoson(mass, np.zeros_like(phi), phi, shifts)


class Exact:
    """The mass and kinetic matrices diagonalised to all orders.

    Examples
    --------
    Kinetic mixing alone couples like a dark photon, C_V = e eps for all families:

    >>> eps = 1e-3 / sqrt(_C2)  # normalised to the photon
    >>> zero = (0.0, 0.0, 0.0)
    >>> photon = Charges(np.ones(1), np.array([eps]), 0.0, 0.0, zero, zero)
    >>> c = Exact().couplings(photon, np.array([17.0]))
    >>> print(f"{float(c.C_Ve[0] / (ELECTRIC_CHARGE * 1e-3)):.6f}")
    1.000001
    >>> print(f"{float(c.C_Vu[0] / c.C_Ve[0]):.6f}")
    -0.666667
    """

    def couplings(self, charges: Charges, m: FloatArray) -> Couplings:
        """Return the couplings of a Z' of mass ``m`` (MeV), shape (n,)."""
        g_x, g_t, g_bar = _gauge_couplings(charges)
        cosine = _cosine(g_bar, m)
        residue = cosine * g_bar * _heavy_share(m)
        return _couplings(charges, m, cosine * g_x, cosine * g_t, residue, g_bar)

    def light_mass(self, charges: Charges, m_singlet: Any) -> FloatArray:
        """Return m_Zp (MeV) if the singlet alone gives X the mass ``m_singlet`` = g' z_S v_S."""
        _, _, g_bar = _gauge_couplings(charges)
        m_x = np.hypot(m_singlet, _doublet_mass(charges)) / np.sqrt(1 - charges.eps**2)
        result: FloatArray = _light_eigenvalue(m_x, g_bar * VEV)
        return result

    def singlet_mass(self, charges: Charges, m: FloatArray) -> FloatArray:
        """Return g' z_S v_S for a Z' of mass ``m``; NaN where the doublets force a larger one."""
        return _root(
            (1 - charges.eps**2) * _mass_of_x(charges, m) ** 2 - _doublet_mass(charges) ** 2
        )

    def doublets_share(self, charges: Charges, m: FloatArray) -> FloatArray:
        """Return the mass of X from the doublets over the largest one that allows ``m``."""
        share: FloatArray = _doublet_mass(charges) * _normalisation(charges.eps)
        return share / _mass_of_x(charges, m)

    def z_boson(self, charges: Charges, m: FloatArray) -> ZBoson:
        """Return the heavy mass eigenstate."""
        g_x, g_t, g_bar = _gauge_couplings(charges)
        tangent = -2 * g_bar / Z_COUPLING * (1 + _heavy_share(m))
        phi = np.arctan(tangent)
        share = _mixing_share(g_bar, m)
        shift = share / (1 + np.sqrt(1 + share))
        less = -(np.sin(phi) ** 2) / (1 + np.cos(phi))
        shifts = _coupling_shifts(charges, g_x, g_t, np.sin(phi), less)
        return ZBoson(BARE_Z_MASS * (1 + shift), shift, phi, shifts)


@ufunc
def hypercharge_part(eps: float) -> float:
    """Return g_t, the coupling of X to hypercharge, Eq. (20) to all orders in eps."""
    return -HYPERCHARGE_COUPLING * eps / sqrt(1 - eps * eps)


@ufunc
def vector_coupling(
    g_x: float, g_t: float, residue: float, z_higgs: float, z_left: float, mismatch: float
) -> float:
    """Return C_V of Eqs. (23) and (27) plus the exact correction ``residue``.

    z_R = z_L - z_higgs + mismatch.
    """
    charge = z_left + 0.5 * mismatch - (1 - 2 * _S2) * z_higgs
    return g_x * charge - _C2 * g_t - (0.5 - 2 * _S2) * residue


@ufunc
def axial_coupling(g_x: float, residue: float, mismatch: float) -> float:
    """Return C_A of Eqs. (24) and (28) plus the exact correction ``residue``."""
    return 0.5 * (g_x * mismatch + residue)


@ufunc
def neutrino_coupling(g_x: float, residue: float, z_higgs: float, z_left: float) -> float:
    """Return C_nu of Eqs. (29) and (32) plus the exact correction ``residue``."""
    return g_x * (z_left + z_higgs) + residue


@ufunc
def up_vector_coupling(
    g_x: float, g_t: float, residue: float, z_higgs: float, z_left: float, up_higgs: float
) -> float:
    """Return C_V of u, c and t; z_u = z_left + up_higgs."""
    charge = z_left + 0.5 * (up_higgs - z_higgs) + (1 - 4 * _S2 / 3) * z_higgs
    return g_x * charge + 2 * _C2 / 3 * g_t + (0.5 - 4 * _S2 / 3) * residue


@ufunc
def up_axial_coupling(g_x: float, residue: float, z_higgs: float, up_higgs: float) -> float:
    """Return C_A of u, c and t."""
    return 0.5 * (g_x * (up_higgs - z_higgs) - residue)


@ufunc
def down_vector_coupling(
    g_x: float, g_t: float, residue: float, z_higgs: float, z_left: float, down_higgs: float
) -> float:
    """Return C_V of d, s and b; z_d = z_left - down_higgs."""
    charge = z_left + 0.5 * (z_higgs - down_higgs) - (1 - 2 * _S2 / 3) * z_higgs
    return g_x * charge - _C2 / 3 * g_t - (0.5 - 2 * _S2 / 3) * residue


@ufunc
def down_axial_coupling(g_x: float, residue: float, z_higgs: float, down_higgs: float) -> float:
    """Return C_A of d, s and b."""
    return 0.5 * (g_x * (z_higgs - down_higgs) + residue)


@ufunc
def _normalisation(eps: float) -> float:
    """Return g_X / g'."""
    return 1 / sqrt(1 - eps * eps)


@ufunc
def _heavy_share(m: float) -> float:
    """Return delta, the relative correction of tan(phi) by the finite mass."""
    return m * m / (BARE_Z_MASS * BARE_Z_MASS - m * m)


@ufunc
def _cosine(g_bar: float, m: float) -> float:
    """Return cos(phi)."""
    tangent = 2 * g_bar / Z_COUPLING / (1 - (m / BARE_Z_MASS) ** 2)
    return 1 / sqrt(1 + tangent * tangent)


@ufunc
def _mixing_share(g_bar: float, m: float) -> float:
    """Return (m_Z / M)^2 - 1 = (m_X / m)^2 - 1, equal as the product of masses is fixed."""
    return (g_bar * VEV) ** 2 / (BARE_Z_MASS * BARE_Z_MASS - m * m)


@ufunc
def _light_eigenvalue(m_x: float, mixing: float) -> float:
    """Return the lighter mass for the determinant (M m_x)^2 and off-diagonal element M mixing."""
    trace = BARE_Z_MASS**2 + m_x * m_x + mixing * mixing
    below = (BARE_Z_MASS - m_x) ** 2 + mixing * mixing
    above = (BARE_Z_MASS + m_x) ** 2 + mixing * mixing
    return BARE_Z_MASS * m_x * sqrt(2 / (trace + sqrt(below * above)))


def _couplings(
    charges: Charges,
    m: FloatArray,
    g_x: FloatArray,
    g_t: FloatArray,
    residue: Any,
    g_bar: FloatArray,
) -> Couplings:
    """Return the couplings of all families; those of quarks are computed when they are read.

    ``g_x`` and ``g_t`` hold the cosine of the mixing, ``g_bar`` does not.
    """
    rows = {}
    for family, z_left, mismatch in zip(FAMILIES, charges.z_left, charges.mismatch, strict=True):
        vector = _combined(vector_coupling, g_x, g_t, residue, charges.z_higgs, z_left, mismatch)
        rows[f"C_V{family}"] = vector
        rows[f"C_A{family}"] = _combined(axial_coupling, g_x, residue, mismatch)
        rows[f"C_nu{family}"] = _combined(neutrino_coupling, g_x, residue, charges.z_higgs, z_left)
    inputs = (g_x, g_t, residue, g_bar, charges.z_higgs, *_quark_inputs(charges))
    return Couplings.deferring(LaterRows(_LATER, _later_rows, *inputs), m_Zp=m, **rows)


def _combined(formula: Callable[..., FloatArray], g_x: FloatArray, *others: Any) -> FloatArray:
    """Return a coupling; it vanishes without charges and mixing, which is known before g_X is.

    Entries that need this coupling then cost nothing.
    """
    return formula(g_x, *others) if any(map(any_of, others)) else np.zeros_like(g_x)


def _quark_inputs(charges: Charges) -> Iterator[Any]:
    """Yield z_left, up_higgs and down_higgs of one family for all, or of each family."""
    for quarks in (charges.quarks, *(charges.heavier_quarks or ())):
        yield quarks.z_left
        for z in (quarks.up_higgs, quarks.down_higgs):
            yield charges.z_higgs if z is None else z


def _later_rows(
    g_x: FloatArray, g_t: FloatArray, residue: Any, g_bar: Any, z_higgs: Any, *quarks: Any
) -> dict[str, FloatArray]:
    """Return the couplings of all quarks and the mixing; ``quarks`` is :func:`_quark_inputs`."""
    shared = (g_x, g_t, residue, z_higgs)
    families = [_quark_rows(*shared, *quarks[i : i + 3]) for i in range(0, len(quarks), 3)]
    rows = {}
    for quark in QUARKS:
        up, down = families[min(_FAMILY_OF[quark], len(families) - 1)]
        rows[f"C_V{quark}"], rows[f"C_A{quark}"] = up if quark in _UP else down
    return {**rows, "tan_xi": -2 * g_bar / Z_COUPLING}


def _quark_rows(
    g_x: FloatArray, g_t: FloatArray, residue: Any, z_higgs: Any, z_left: Any, up: Any, down: Any
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Return C_V and C_A of the up-type quark of a family, and of its down-type quark."""
    return (
        (
            _combined(up_vector_coupling, g_x, g_t, residue, z_higgs, z_left, up),
            _combined(up_axial_coupling, g_x, residue, z_higgs, up),
        ),
        (
            _combined(down_vector_coupling, g_x, g_t, residue, z_higgs, z_left, down),
            _combined(down_axial_coupling, g_x, residue, z_higgs, down),
        ),
    )


def _gauge_couplings(charges: Charges) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return g_X, g_t and gbar."""
    norm = _normalisation(charges.eps)
    g_x = charges.g_prime * norm
    g_t = hypercharge_part(charges.eps)
    return g_x, g_t, g_t / 2 + g_x * charges.z_higgs


def _mass_of_x(charges: Charges, m: FloatArray) -> FloatArray:
    """Return m_X for a light mass ``m``, from the determinant."""
    _, _, g_bar = _gauge_couplings(charges)
    result: FloatArray = m * np.sqrt(1 + _mixing_share(g_bar, m))
    return result


def _doublet_mass(charges: Charges) -> FloatArray:
    """Return g' v sd(z), the smallest mass with doublets of different charges."""
    result: FloatArray = charges.g_prime * VEV * np.sqrt(charges.z_variance)
    return result


def _root(square: FloatArray) -> FloatArray:
    """Return the square root, NaN for negative numbers."""
    return np.sqrt(np.where(square < 0, np.nan, square))


def _coupling_shifts(
    charges: Charges, g_x: FloatArray, g_t: FloatArray, sine: FloatArray, less: FloatArray
) -> dict[str, FloatArray]:
    """Return the shifts of the Z's couplings in units of g_Z, with ``less`` = cos(phi) - 1."""
    shifts = {}
    for family, z_left, mismatch in zip(FAMILIES, charges.z_left, charges.mismatch, strict=True):
        z_right = z_left - charges.z_higgs + mismatch
        for name, t3, q, y, z in (
            (f"g_L{family}", -0.5, -1, -0.5, z_left),
            (f"g_R{family}", 0.0, -1, -1.0, z_right),
            (f"g_nu{family}", 0.5, 0, -0.5, z_left),
        ):
            shifts[name] = less * (t3 - _S2 * q) + sine * (g_t * y + g_x * z) / Z_COUPLING
    return shifts
