"""Recast published dark-photon limits onto a Z' with vector and axial electron couplings.

A limit on the kinetic mixing eps is one on the electron coupling e * eps. Curves
are interpolated in log-log; outside a curve's mass range there is no limit.
"""

from functools import cache
from math import exp, expm1, log, sqrt

import numpy as np
from scipy.optimize import brentq

from zpfit.physics.compiled import FloatArray, gufunc, inline
from zpfit.physics.constants import ELECTRON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.decays import width_ll, width_not_ee
from zpfit.physics.spline import UniformSpline, locate, polynomial, tabulate


@inline
def interpolation_weight(x: float, table: FloatArray) -> tuple[int, float]:
    """Row below ``x`` in the sorted first column, and how far ``x`` is to the next, 0 to 1."""
    low, high = 0, table.shape[0] - 1
    while high - low > 1:
        middle = (low + high) // 2
        if table[middle, 0] <= x:
            low = middle
        else:
            high = middle
    return low, (x - table[low, 0]) / (table[high, 0] - table[low, 0])


@inline
def blend(table: FloatArray, row: int, fraction: float, column: int) -> float:
    """Linear interpolation of one column between ``row`` and the next."""
    return float(table[row, column] + fraction * (table[row + 1, column] - table[row, column]))


def prompt_ratio(c: Couplings, curve: FloatArray) -> FloatArray:
    """sqrt((C_Ve^2 + C_Ae^2) BR(ee)) over the limit on it; shape (n,).

    ``curve`` has rows (ln m in MeV, ln of the limit), m increasing. The axial
    coupling counts like the vector one, good for m_Zp much above 2 m_e.
    """
    result: FloatArray = _prompt_ratio(*c.rows(), curve)
    return result


@gufunc("(),(),(),(),(),(),(),(),(),(),(n,k)->()")
def _prompt_ratio(  # type: ignore[no-untyped-def]
    m_Zp, c_ve, c_ae, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau, curve, out
):
    log_m = log(m_Zp)
    out[0] = 0.0
    if log_m < curve[0, 0] or log_m > curve[-1, 0]:
        return
    visible = width_ll(m_Zp, c_ve, c_ae, ELECTRON_MASS)
    if visible == 0.0:
        return
    other = width_not_ee(m_Zp, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau)
    knot, fraction = interpolation_weight(log_m, curve)
    log_limit = blend(curve, knot, fraction, 1)
    coupling2 = c_ve * c_ve + c_ae * c_ae
    out[0] = sqrt(coupling2 * visible / (visible + other)) * exp(-log_limit)


def dump_ratio(c: Couplings, region: FloatArray, length_ratio: float) -> FloatArray:
    """Decays seen in a beam dump over their number at the edge of the excluded region; shape (n,).

    ``region`` has rows (ln m in MeV, ln of the lower edge, ln of the upper edge)
    in the electron coupling, m increasing. The number of decays is
    C^2 BR(ee) [exp(-t0 Gamma) - exp(-(1 + length_ratio) t0 Gamma)] with
    ``length_ratio`` the decay volume over the shielding; t0(m) follows from
    equal numbers at the dark photon's two edges (arXiv:1801.04847, Sec. 2).
    """
    result: FloatArray = _dump_ratio(
        *c.rows(), length_ratio, *edge_lifetime(length_ratio).arguments(), region
    )
    return result


@cache
def edge_lifetime(length_ratio: float) -> UniformSpline:
    """ln(t0 Gamma) at the upper edge less half of ln q against ln q, q = (upper/lower)^2."""

    def log_geometric_mean(log_q: FloatArray) -> FloatArray:
        return np.array([[_edge_root(max(x, 1e-6), length_ratio) for x in log_q]])

    # Beyond ln q = 30 (edges a factor of three million apart) the clamped spline
    # would no longer do; no dump spans that much.
    return tabulate(log_geometric_mean, 0.0, 30.0)


def _edge_root(log_q: float, length_ratio: float) -> float:
    def log_decays(log_tau: float) -> float:
        tau = exp(log_tau)
        return log_tau - tau + log(-expm1(-length_ratio * tau))

    def difference(log_mean: float) -> float:
        return log_decays(log_mean + 0.5 * log_q) - log_decays(log_mean - 0.5 * log_q)

    return float(brentq(difference, -20.0, 4.0, xtol=1e-13))


@gufunc("(),(),(),(),(),(),(),(),(),(),(),(),(),(n,f,k),(j,l)->()")
def _dump_ratio(  # type: ignore[no-untyped-def]
    m_Zp,
    c_ve,
    c_ae,
    c_nue,
    c_vmu,
    c_amu,
    c_numu,
    c_vtau,
    c_atau,
    c_nutau,
    length_ratio,
    start,
    inverse_step,
    table,
    region,
    out,
):
    log_m = log(m_Zp)
    out[0] = 0.0
    if log_m < region[0, 0] or log_m > region[-1, 0]:
        return
    visible = width_ll(m_Zp, c_ve, c_ae, ELECTRON_MASS)
    if visible == 0.0:
        return
    width = visible + width_not_ee(m_Zp, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau)
    knot, fraction = interpolation_weight(log_m, region)
    log_lower = blend(region, knot, fraction, 1)
    log_q = 2 * (blend(region, knot, fraction, 2) - log_lower)
    interval, offset = locate(log_q, start, inverse_step, table)
    edge_tau = exp(polynomial(table, interval, 0, offset) - 0.5 * log_q)
    edge_coupling2 = exp(2 * log_lower)
    tau = edge_tau * width / width_ll(m_Zp, sqrt(edge_coupling2), 0.0, ELECTRON_MASS)
    produced = (c_ve * c_ve + c_ae * c_ae) * (visible / width) / edge_coupling2
    decaying = expm1(-length_ratio * tau) / expm1(-length_ratio * edge_tau)
    out[0] = produced * exp(edge_tau - tau) * decaying
