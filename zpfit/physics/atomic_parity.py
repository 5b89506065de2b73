r"""Parity violation with nuclei: the weak charges of Caesium and of the proton.

With L = (G_F/sqrt2) sum_q C_1q (ebar gamma gamma5 e)(qbar gamma q) and Q_W = -2 [(2 Z + N) C_1u +
(Z + 2 N) C_1d], exchange of a Z' between an axial electron and a vector quark shifts a weak charge
by (2 sqrt2/G_F) C_Ae (Z C_Vp + N C_Vn)/m^2 at zero momentum transfer. The product of vector
electron and axial quark couplings depends on the nuclear spin and is neglected.
"""

from functools import cache
from math import sqrt
from typing import Any, Final

import numpy as np
from scipy.interpolate import make_interp_spline

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import flat, gufunc, ufunc
from zpfit.physics.constants import FERMI_CONSTANT
from zpfit.physics.couplings import Couplings
from zpfit.physics.nucleons import (
    NUCLEON_INPUTS,
    couples_to_nucleons,
    nuclear_coupling,
    proton_coupling,
)
from zpfit.physics.observables import Group, observable
from zpfit.physics.spline import UniformSpline, locate, polynomial, tabulate

_PROTONS, _NEUTRONS = 55, 78
"""Caesium 133."""
_Q2: Final = 0.0248e6
"""Mean momentum transfer of Qweak, MeV^2 (Nature 557, 207)."""
_PER_PRODUCT: Final = 2 * sqrt(2.0) / FERMI_CONSTANT
"""Shift of a weak charge for one unit of the product of couplings over m^2, MeV^2."""

_K_RANGE: Final = (0.1, 3000.0)
"""MeV, of the table below. Lighter Z' are taken to act like one of 0.1 MeV, for which the whole
atom is close; for heavier ones K is 1 within 4e-5."""
_LIGHTEST: Final = _K_RANGE[0]
_K: Final = np.array(
    [
        0.0259886, 0.0402379, 0.0604854, 0.0878517, 0.1228403, 0.1650826, 0.2133523, 0.2658512,
        0.3206239, 0.3759276, 0.4304513, 0.4833712, 0.5342884, 0.5831097, 0.6299153, 0.6748400,
        0.7179757, 0.7592977, 0.7986142, 0.8355448, 0.8695397, 0.8999487, 0.9261470, 0.9476985,
        0.9645054, 0.9768776, 0.9854745, 0.9911411, 0.9947152, 0.9968952, 0.9981941, 0.9989561,
        0.9993989, 0.9996546, 0.9998018, 0.9998864, 0.9999349, 0.9999627,
    ]
)  # fmt: skip
"""K(m) of Caesium at masses spaced uniformly in ln m over ``_K_RANGE``.

Ratio of the matrix elements of gamma5 times the Yukawa function of range 1/m, folded with the
nuclear density, and of gamma5 times the density itself, between the s1/2 and p1/2 Dirac waves of
zero binding energy. Fermi nucleus (half radius 5.671 fm, thickness 2.3 fm) with Thomas-Fermi
screening; ``tests/physics/test_atomic_parity.py`` computes the waves again.
"""


@observable(
    reads=("m_Zp", "C_Ae", *NUCLEON_INPUTS), group=Group.OTHER, symbol=r"\Delta Q_W(\mathrm{Cs})"
)
def delta_q_w_cs(c: Couplings) -> FloatArray:
    r"""Return the shift of the weak charge of Caesium 133; shape (n,).

    (2 sqrt2/G_F) C_Ae (55 C_Vp + 78 C_Vn) K(m)/m^2, where K(m) is that of
    :func:`caesium_factor`. Zero at no cost for models without quark couplings.

    References
    ----------
    C. Bouchiat and P. Fayet, hep-ph/0410260.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=17.0, C_Ae=1e-4, C_Vu=1e-8, C_Vd=1e-8)
    >>> print(f"{delta_q_w_cs(c)[0]:.4f}")
    0.2728
    """
    if not couples_to_nucleons(c):
        return c.C_Vu
    charge = nuclear_coupling(c, protons=_PROTONS, neutrons=_NEUTRONS)
    table = factor_table().arguments()
    result: FloatArray = _caesium(c.m_Zp, c.log_m, c.C_Ae, charge, *table)
    return result


@observable(reads=("m_Zp", "C_Ae", *NUCLEON_INPUTS), group=Group.OTHER, symbol=r"\Delta Q_W(p)")
def delta_q_w_p(c: Couplings) -> FloatArray:
    r"""Return the shift of the proton's weak charge in the asymmetry of Qweak; shape (n,).

    (2 sqrt2/G_F) C_Ae C_Vp/(m^2 + Q^2) with Q^2 = 0.0248 GeV^2, at tree level in the forward
    direction. The product C_Ve C_Ap is suppressed by 1 - 4 sin^2(theta_w) and neglected.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=17.0, C_Ae=1e-4, C_Vu=1e-6, C_Vd=1e-6)
    >>> print(f"{delta_q_w_p(c)[0]:.5f}")
    0.00290
    """
    if not couples_to_nucleons(c):
        return c.C_Vu
    result: FloatArray = _proton(c.m_Zp, c.C_Ae, proton_coupling(c))
    return result


def caesium_factor(m_Zp: Any) -> FloatArray:
    """Return K(m), by which the range of the Z' reduces parity violation in Caesium.

    Parameters
    ----------
    m_Zp : array_like
        Mass of the Z' in MeV.

    Returns
    -------
    numpy.ndarray
        K in the shape of ``m_Zp``, between 0 and 1. It is accurate to 1 % above 5 MeV and to a few
        per cent at 1 MeV, and an estimate below 0.5 MeV: many-body effects are neglected.

    Examples
    --------
    >>> caesium_factor([1.0, 17.0, 100.0]).round(3).tolist()
    [0.335, 0.815, 0.975]
    """
    (m,), shape = flat(m_Zp)
    unit = np.ones_like(m)
    shift = _caesium(m, np.log(m), unit, unit, *factor_table().arguments())
    return np.reshape(shift * m**2 / _PER_PRODUCT, shape)


@cache
def factor_table() -> UniformSpline:
    """Return a spline of K against ln m, through the table's ln[K/(1 - K)]."""
    lower, upper = np.log(_K_RANGE)
    odds = np.log(_K / (1 - _K))
    spline = make_interp_spline(np.linspace(lower, upper, len(_K)), odds, k=5)
    return tabulate(lambda log_m: 1 / (1 + np.exp(-spline(log_m)))[None], lower, upper)


@gufunc("(p),(p),(p),(p),(),(),(n,f,k)->(p)")
def _caesium(  # type: ignore[no-untyped-def]
    m_Zp, log_m, c_ae, charge, start, inverse_step, table, out
):
    for i in range(m_Zp.shape[0]):
        interval, offset = locate(log_m[i], start, inverse_step, table)
        m = max(m_Zp[i], _LIGHTEST)
        shift = _PER_PRODUCT * c_ae[i] * charge[i] / (m * m)
        out[i] = shift * polynomial(table, interval, 0, offset)


@ufunc
def _proton(m_Zp, c_ae, c_vp):  # type: ignore[no-untyped-def]
    return _PER_PRODUCT * c_ae * c_vp / (m_Zp * m_Zp + _Q2)
