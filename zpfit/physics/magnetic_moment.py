"""The one-loop contribution of a Z' to a charged lepton's (g-2)/2."""

from functools import cache
from math import log, pi

import numpy as np

from zpfit.physics.compiled import FloatArray, gufunc
from zpfit.physics.constants import ELECTRON_MASS, MUON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.spline import UniformSpline, locate, polynomial, tabulate

_R_RANGE = (1e-10, 1e13)
"""Range of r = m_l^2/m_Zp^2 that is tabulated; outside it the limits of Eq. (8) hold to 1e-6."""


def delta_a_e(c: Couplings) -> FloatArray:
    """Shift of the electron's (g-2)/2, Eq. (7) of arXiv:2102.07781; shape (n,)."""
    return delta_a(ELECTRON_MASS, c.m_Zp, c.C_Ve, c.C_Ae, c.log_m)


def delta_a_mu(c: Couplings) -> FloatArray:
    """Shift of the muon's (g-2)/2, Eq. (7) of arXiv:2102.07781; shape (n,)."""
    return delta_a(MUON_MASS, c.m_Zp, c.C_Vmu, c.C_Amu, c.log_m)


def delta_a(
    lepton_mass: float,
    m_Zp: FloatArray,
    c_v: FloatArray,
    c_a: FloatArray,
    log_m: FloatArray | None = None,
) -> FloatArray:
    """Shift of a lepton's (g-2)/2 by the exact integral, Eq. (7) of arXiv:2102.07781.

    Masses in MeV, couplings dimensionless, all broadcast together; ``log_m`` is
    ln m_Zp where the caller has it at hand.
    """
    log_r = 2 * (log(lepton_mass) - (np.log(m_Zp) if log_m is None else log_m))
    result: FloatArray = _delta_a(lepton_mass, m_Zp, log_r, c_v, c_a, *loop_table().arguments())
    return result


def loop_integrals(r: FloatArray) -> FloatArray:
    """The integrals over x of Eq. (7) by quadrature, at r = m_l^2/m_Zp^2; shape (2, len(r)).

    Row 0 multiplies C_V^2, row 1 multiplies -C_A^2; both times r/(4 pi^2). In
    s = ln(x/(1-x)) the integrands are smooth on the scale 1 and fall exponentially
    at both ends, so the trapezoidal rule is exact to rounding.
    """
    step = 0.2
    s = np.arange(-60, 60, step)
    x, y = 1 / (1 + np.exp(-s)), 1 / (1 + np.exp(s))
    weight = step * x * y / (y + x**2 * r[:, None])
    vector = x**2 * y
    axial = x * y * (4 - x) + 2 * x**3 * r[:, None]
    return np.stack([np.sum(weight * vector, axis=1), np.sum(weight * axial, axis=1)])


@cache
def loop_table() -> UniformSpline:
    """The loop integrals against ln r; the vector one times (1 + 2r/3), flat at both ends."""

    def slowly_varying(log_r: FloatArray) -> FloatArray:
        r = np.exp(log_r)
        vector, axial = loop_integrals(r)
        return np.stack([vector * (1 + 2 * r / 3), axial])

    return tabulate(slowly_varying, *np.log(_R_RANGE))


@gufunc("(),(),(),(),(),(),(),(n,f,k)->()")
def _delta_a(  # type: ignore[no-untyped-def]
    lepton_mass, m_Zp, log_r, c_v, c_a, start, inverse_step, table, out
):
    ratio = lepton_mass / m_Zp
    r = ratio * ratio
    interval, offset = locate(log_r, start, inverse_step, table)
    vector = polynomial(table, interval, 0, offset) / (1 + 2 * r / 3)
    axial = polynomial(table, interval, 1, offset)
    out[0] = r / (4 * pi**2) * (c_v * c_v * vector - c_a * c_a * axial)
