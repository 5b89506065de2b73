"""Width of the Z' into hadrons.

Vector couplings of quarks excite the rho, omega and phi, so that the width follows from
annihilation of e+ e- into hadrons. With R the cross-sections over that of massless muon
pairs, the width in units of m_Zp/(12 pi) is

    (C_Vu - C_Vd)^2 R_rho + 9 (C_Vu + C_Vd)^2 R_omega + 9 C_Vs^2 R_phi
    + 18 (C_Vu + C_Vd) C_Vs R_omega-phi,

Eqs. (2.15)-(2.18) of arXiv:1801.04847. pi0 gamma follows from the anomaly and vector
dominance. Between 1.2 GeV, where the tables end, and 2 GeV, where quarks take over, the
components are interpolated. Ranges and accuracies:

==============  ================================================================
mass            channels
==============  ================================================================
below m_pi0     none
to 2 m_pi       pi0 gamma
to 1.2 GeV      tables of 2 pi, 3 pi, 4 pi and K K, and pi0 gamma; 10 to 20 %, worse
                within 10 MeV of the omega and the phi
1.2 to 2 GeV    interpolated; 40 %
above 2 GeV     quarks with constituent masses, without QCD corrections; 10 %
==============  ================================================================

Axial couplings enter above 2 GeV only: below, their widths are not known. By axial couplings
alone a Z' decays to three pions or more.
"""

from math import sqrt
from typing import Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import gufunc, inline
from zpfit.physics.constants import FINE_STRUCTURE, PION0_MASS, PION_MASS
from zpfit.physics.decays import reduced_width_ll
from zpfit.physics.hadron_data import COMPONENTS

THRESHOLD: Final = PION0_MASS
"""MeV; no hadronic channel is open below."""
PERTURBATIVE: Final = 2000.0
"""MeV; above, a Z' decays to pairs of quarks."""

_PION0_WIDTH: Final = 7.80e-6
"""MeV, pi0 -> gamma gamma (PDG 2022)."""
_RHO_MASS: Final = 775.26
_RHO_WIDTH: Final = 147.4
_OMEGA_MASS: Final = 782.66
_OMEGA_WIDTH: Final = 8.68
"""MeV (PDG 2022), like the three above. Production (:mod:`zpfit.physics.production`) keeps the
values of DarkCast."""
_LIGHT_MASS: Final = 330.0
"""MeV, constituent mass of u and d."""
_STRANGE_MASS: Final = 500.0
_CHARM_MASS: Final = 1500.0
_BOTTOM_MASS: Final = 4800.0

_MARGIN: Final = 1e-12
"""Relative distance of R_omega-phi from its bound, above rounding."""

_ANOMALY: Final = 2 * _PION0_WIDTH / (FINE_STRUCTURE * PION0_MASS**3)
"""MeV^-2; times m^2, phase space and the squared coupling 2 C_Vu + C_Vd, the width to pi0 gamma in
units of m_Zp/(12 pi)."""


def _pairs_of_quarks(mass: float) -> float:
    """Return the width at 2 GeV into quarks with unit vector coupling, three colours.

    Written out, because a call of the compiled formula at import costs each process 0.8 s.
    """
    x = (mass / PERTURBATIVE) ** 2
    return 3 * (sqrt(1 - 4 * x) * (1 + 2 * x))


def _table() -> FloatArray:
    """Return rows of mass and components, the last one that of quarks at 2 GeV."""
    light, strange = _pairs_of_quarks(_LIGHT_MASS), _pairs_of_quarks(_STRANGE_MASS)
    # C_Vu^2 + C_Vd^2 is half the squared difference and half the squared sum.
    table = np.array([*COMPONENTS, (PERTURBATIVE, light / 2, light / 18, strange / 9, 0.0)])
    # |R_omega-phi| above the geometric mean, by rounding and interpolation, makes widths negative.
    largest = np.sqrt(table[:, 2] * table[:, 3]) * (1 - _MARGIN)
    table[:, 4] = np.clip(table[:, 4], -largest, largest)
    return table


TABLE: Final = _table()


@inline
def _component(m: float, column: int, low: int, table: FloatArray) -> float:
    """Return a component at ``m``, which lies between the rows ``low`` and ``low + 1``."""
    share = (m - table[low, 0]) / (table[low + 1, 0] - table[low, 0])
    return float(table[low, column] + share * (table[low + 1, column] - table[low, column]))


@inline
def _propagator(m: float, mass: float, width: float) -> complex:
    """Return mass^2/(mass^2 - m^2 - i mass width)."""
    return mass * mass / complex(mass * mass - m * m, -mass * width)


@inline
def _rho_width(m: float) -> float:
    """Return the energy-dependent width of the rho, MeV, a p-wave of two pions."""
    if m <= 2 * PION_MASS:
        return 0.0
    share = (m * m - 4 * PION_MASS**2) / (_RHO_MASS**2 - 4 * PION_MASS**2)
    return _RHO_WIDTH * share * sqrt(share) * _RHO_MASS / m


@inline
def pion_photon(m: float, c_vu: float, c_vd: float) -> float:
    """Return Gamma(Z' -> pi0 gamma) in units of m_Zp/(12 pi), from the anomaly."""
    if m <= PION0_MASS:
        return 0.0
    rho = 0.5 * (c_vu - c_vd) * _propagator(m, _RHO_MASS, _rho_width(m))
    omega = 1.5 * (c_vu + c_vd) * _propagator(m, _OMEGA_MASS, _OMEGA_WIDTH)
    amplitude = rho + omega
    size = amplitude.real * amplitude.real + amplitude.imag * amplitude.imag
    phase_space = 1 - (PION0_MASS / m) ** 2
    return _ANOMALY * m * m * phase_space**3 * size


@inline
def _exclusive(m: float, c_vu: float, c_vd: float, c_vs: float, table: FloatArray) -> float:
    """Return the hadronic width between the pi0's mass and 2 GeV."""
    width = pion_photon(m, c_vu, c_vd)
    if m <= table[0, 0]:
        return width
    low = int(np.searchsorted(table[:, 0], m)) - 1
    isovector, isoscalar, strange = c_vu - c_vd, 3 * (c_vu + c_vd), 3 * c_vs
    width += isovector * isovector * _component(m, 1, low, table)
    width += isoscalar * isoscalar * _component(m, 2, low, table)
    width += strange * strange * _component(m, 3, low, table)
    return width + 2 * isoscalar * strange * _component(m, 4, low, table)


@gufunc("(p),(p),(p),(p),(p),(p),(p),(p),(p),(p),(p),(n,k)->(p)")
def _reduced_hadronic_width(  # type: ignore[no-untyped-def]
    m_Zp, c_vu, c_au, c_vd, c_ad, c_vs, c_as, c_vc, c_ac, c_vb, c_ab, table, out
):
    for i in range(m_Zp.shape[0]):
        m = m_Zp[i]
        if m <= PION0_MASS:
            out[i] = 0.0
        elif m < PERTURBATIVE:
            out[i] = _exclusive(m, c_vu[i], c_vd[i], c_vs[i], table)
        else:
            up = reduced_width_ll(m, c_vu[i], c_au[i], _LIGHT_MASS)
            down = reduced_width_ll(m, c_vd[i], c_ad[i], _LIGHT_MASS)
            strange = reduced_width_ll(m, c_vs[i], c_as[i], _STRANGE_MASS)
            charm = reduced_width_ll(m, c_vc[i], c_ac[i], _CHARM_MASS)
            bottom = reduced_width_ll(m, c_vb[i], c_ab[i], _BOTTOM_MASS)
            out[i] = 3 * (up + down + strange + charm + bottom)


def reduced_hadronic_width(m_Zp: FloatArray, *quarks: FloatArray) -> FloatArray:
    """Return Gamma(Z' -> hadrons) in units of m_Zp/(12 pi).

    Parameters
    ----------
    m_Zp : numpy.ndarray, shape (n,)
        Mass in MeV.
    *quarks : numpy.ndarray, shape (n,)
        Vector and axial coupling of u, d, s, c and b, ten arrays in this order.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Zero below the mass of the pi0.

    References
    ----------
    Eqs. (2.15)-(2.18) of arXiv:1801.04847; axial widths, which are left out below 2 GeV, are in
    arXiv:2206.08563.

    Examples
    --------
    A photon of 700 MeV goes to hadrons five times as often as to massless muons:

    >>> charges = np.array([2.0, 0.0, -1.0, 0.0, -1.0, 0.0, 2.0, 0.0, -1.0, 0.0])[:, None] / 3
    >>> print(f"{float(reduced_hadronic_width(np.array([700.0]), *charges)[0]):.2f}")
    4.93
    """
    result: FloatArray = _reduced_hadronic_width(m_Zp, *quarks, TABLE)
    return result
