"""The one-loop contribution of a Z' to a charged lepton's (g-2)/2."""

from functools import cache
from math import log, pi
from typing import Any

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import flat, gufunc
from zpfit.physics.constants import ELECTRON_MASS, MUON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, observable
from zpfit.physics.spline import UniformSpline, locate, polynomial, tabulate

_R_RANGE = (1e-10, 1e13)
"""Range of r = m_l^2/m_Zp^2 that is tabulated. Outside, the limits of Eq. (8) hold to 1e-6."""


@observable(reads=("m_Zp", "C_Ve", "C_Ae"), group=Group.ELECTRON, symbol=r"\Delta a_e")
def delta_a_e(c: Couplings) -> FloatArray:
    """Return the shift of the electron's (g-2)/2, Eq. (7) of arXiv:2102.07781; shape (n,).

    A vector coupling raises the moment, an axial one lowers it.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=17.0, C_Ve=[1e-4, 0.0], C_Ae=[0.0, 1e-4])
    >>> print([f"{shift:.2e}" for shift in delta_a_e(c)])
    ['7.53e-14', '-3.80e-13']
    """
    if c.vanish("C_Ve", "C_Ae"):
        return np.zeros(len(c))
    return _shift(ELECTRON_MASS, c.m_Zp, c.log_m, c.C_Ve, c.C_Ae)


@observable(reads=("m_Zp", "C_Vmu", "C_Amu"), group=Group.MUON, symbol=r"\Delta a_\mu")
def delta_a_mu(c: Couplings) -> FloatArray:
    """Return the shift of the muon's (g-2)/2, Eq. (7) of arXiv:2102.07781; shape (n,)."""
    if c.vanish("C_Vmu", "C_Amu"):
        return np.zeros(len(c))
    return _shift(MUON_MASS, c.m_Zp, c.log_m, c.C_Vmu, c.C_Amu)


def delta_a(lepton_mass: float, m_Zp: Any, c_v: Any, c_a: Any) -> FloatArray:
    """Return the shift of a lepton's (g-2)/2 by the exact integral, Eq. (7) of arXiv:2102.07781.

    Parameters
    ----------
    lepton_mass : float
        MeV.
    m_Zp : array_like
        Mass of the Z' in MeV.
    c_v, c_a : array_like
        Vector and axial coupling of the lepton, dimensionless.

    Returns
    -------
    numpy.ndarray
        The shift, with the broadcast shape of the arguments.
    """
    (m, c_v, c_a), shape = flat(m_Zp, c_v, c_a)
    return _shift(lepton_mass, m, np.log(m), c_v, c_a).reshape(shape)


def _shift(
    lepton_mass: float, m_Zp: FloatArray, log_m: FloatArray, c_v: FloatArray, c_a: FloatArray
) -> FloatArray:
    result: FloatArray = _delta_a(m_Zp, log_m, c_v, c_a, lepton_mass, *loop_table().arguments())
    return result


def loop_integrals(r: FloatArray) -> FloatArray:
    """Compute the integrals over x of Eq. (7) at r = m_l^2/m_Zp^2; shape (2, len(r)).

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
    """Return splines of the loop integrals against ln r.

    The vector one is multiplied by (1 + 2r/3), which makes it constant at both ends.
    """

    def slowly_varying(log_r: FloatArray) -> FloatArray:
        r = np.exp(log_r)
        vector, axial = loop_integrals(r)
        return np.stack([vector * (1 + 2 * r / 3), axial])

    return tabulate(slowly_varying, *np.log(_R_RANGE))


@gufunc("(p),(p),(p),(p),(),(),(),(n,f,k)->(p)")
def _delta_a(  # type: ignore[no-untyped-def]
    m_Zp, log_m, c_v, c_a, lepton_mass, start, inverse_step, table, out
):
    log_lepton_mass = log(lepton_mass)
    for i in range(m_Zp.shape[0]):
        ratio = lepton_mass / m_Zp[i]
        r = ratio * ratio
        interval, offset = locate(2 * (log_lepton_mass - log_m[i]), start, inverse_step, table)
        vector = polynomial(table, interval, 0, offset) / (1 + 2 * r / 3)
        axial = polynomial(table, interval, 1, offset)
        out[i] = r / (4 * pi**2) * (c_v[i] * c_v[i] * vector - c_a[i] * c_a[i] * axial)
