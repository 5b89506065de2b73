"""Recast published dark-photon limits onto a Z' with vector and axial electron couplings.

A limit on the kinetic mixing eps is one on the electron coupling e * eps. Curves
are interpolated in log-log; outside a curve's mass range there is no limit.
"""

from functools import cache
from math import exp, expm1, log

import numpy as np
from scipy.optimize import brentq

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import gufunc, inline
from zpfit.physics.constants import ELECTRON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.decays import width_shape
from zpfit.physics.spline import UniformSpline, locate, polynomial, tabulate


@inline
def interpolation_weight(x: float, table: FloatArray) -> tuple[int, float]:
    """Return the row below ``x`` in the sorted first column and the fraction to the next row."""
    # Bisection without a branch on the comparison, which a processor could not predict.
    low, length = 0, table.shape[0] - 1
    while length > 1:
        half = length // 2
        low += half if table[low + half, 0] <= x else 0
        length -= half
    return low, (x - table[low, 0]) / (table[low + 1, 0] - table[low, 0])


@inline
def blend(table: FloatArray, row: int, fraction: float, column: int) -> float:
    """Interpolate one column linearly between ``row`` and the next."""
    return float(table[row, column] + fraction * (table[row + 1, column] - table[row, column]))


def prompt_ratio(c: Couplings, curve: FloatArray) -> FloatArray:
    """Return sqrt((C_Ve^2 + C_Ae^2) BR(ee)) over its limit; shape (n,).

    Parameters
    ----------
    c : Couplings
        n points.
    curve : numpy.ndarray, shape (k, 2)
        Rows of ln(mass in MeV) and ln(limit on the coupling), masses increasing.

    Notes
    -----
    The axial coupling counts like the vector one, which holds for m_Zp far above 2 m_e.

    References
    ----------
    Eq. (10) of arXiv:2102.07781.

    Examples
    --------
    >>> curve = np.log([[10.0, 1e-4], [100.0, 1e-4]])
    >>> ratios = prompt_ratio(Couplings.of(m_Zp=[20.0, 200.0], C_Ve=2e-4), curve)
    >>> ratios.round(6).tolist()  # no limit beyond the curve
    [2.0, 0.0]
    """
    if c.vanish("C_Ve", "C_Ae"):
        return np.zeros(len(c))
    return _over_curve(c, c.visible_coupling, curve)


def invisible_ratio(c: Couplings, curve: FloatArray) -> FloatArray:
    """Return sqrt((C_Ve^2 + C_Ae^2) BR(nu nu)) over its limit; shape (n,).

    For missing energy with electrons (NA64, BaBar). ``curve`` and the axial coupling as
    in :func:`prompt_ratio`. Published limits assume that all decays are invisible.
    """
    if c.vanish("C_Ve", "C_Ae"):
        return np.zeros(len(c))
    return _over_curve(c, c.invisible_coupling, curve)


def muon_invisible_ratio(c: Couplings, curve: FloatArray) -> FloatArray:
    """Return |C_Vmu| sqrt(BR(nu nu)) over its limit, C_Amu neglected; shape (n,).

    For missing energy with muons (NA64mu, Belle II). ``curve`` as in :func:`prompt_ratio`,
    of the muon's coupling.
    """
    return _over_curve(c, c.muon_invisible_coupling, curve)


def muon_pair_ratio(c: Couplings, curve: FloatArray) -> FloatArray:
    """Return sqrt((C_Vmu^2 + C_Amu^2) BR(mu mu)) over its limit; shape (n,).

    For a Z' radiated by muons that decays to muons (four muons at BaBar). ``curve`` as in
    :func:`prompt_ratio`, of the muon's coupling.
    """
    return _over_curve(c, c.muon_pair_coupling, curve)


def _over_curve(c: Couplings, coupling: FloatArray, curve: FloatArray) -> FloatArray:
    # Beyond the curve the limit is infinite, and the ratio zero.
    result: FloatArray = coupling * np.exp(-interpolate(c.log_m, curve, 1, np.inf))
    return result


@inline
def _edge(region: FloatArray, row: int, fraction: float, column: int) -> float:
    """Interpolate an edge; at the mass of a row a neighbour in a gap does not count."""
    lower, upper = float(region[row, column]), float(region[row + 1, column])
    if fraction <= 0.0 or lower == upper:  # both may be infinite
        return lower
    return upper if fraction >= 1.0 else lower + fraction * (upper - lower)


@gufunc("(p),(n,k),(),()->(p)")
def interpolate(x, table, column, outside, out):  # type: ignore[no-untyped-def]
    """Interpolate a column of a table, sorted by the first; ``outside`` holds beyond its ends."""
    for i in range(x.shape[0]):
        if x[i] < table[0, 0] or x[i] > table[-1, 0]:
            out[i] = outside
            continue
        row, fraction = interpolation_weight(x[i], table)
        out[i] = _edge(table, row, fraction, int(column))


def dump_ratio(c: Couplings, region: FloatArray, length_ratio: float) -> FloatArray:
    """Return the decays seen behind a dump of electrons over their number at the edge; shape (n,).

    The number of decays is C^2 BR(ee) [exp(-t0 Gamma) - exp(-(1 + length_ratio) t0 Gamma)].
    The time t0(m) to cross the shielding follows from equal numbers at both edges of the
    excluded region of a dark photon that decays to electrons alone, below 2 m_mu;
    :func:`zpfit.physics.recast.displaced_ratio` holds above, too.

    Parameters
    ----------
    c : Couplings
        n points.
    region : numpy.ndarray, shape (k, 3)
        Rows of ln(mass in MeV), ln(lower edge) and ln(upper edge) of the electron coupling,
        masses increasing. Edges are equal at a tip of the region, and NaN in a gap, which reaches
        from the last mass with a limit to the next one.
    length_ratio : float
        Length of the decay volume over that of the shielding.

    References
    ----------
    P. Ilten et al., arXiv:1801.04847, Sec. 2.
    """
    if c.vanish("C_Ve", "C_Ae"):
        return np.zeros(len(c))
    result: FloatArray = _dump_ratio(
        c.m_Zp,
        c.log_m,
        c.C_Ve,
        c.C_Ae,
        c.br_ee,
        length_ratio,
        *edge_lifetime(length_ratio).arguments(),
        region,
    )
    return result


_CLOSEST_EDGES, _FARTHEST_EDGES = 1e-6, 30.0
"""Range of ln (upper/lower)^2: no dump has edges a factor of three million apart."""


@cache
def edge_lifetime(length_ratio: float) -> UniformSpline:
    """Return splines against ln q, q = (upper/lower)^2, of the lifetime at the edges.

    Equal numbers of decays at both edges fix tau = t0 Gamma at the lower edge. The two
    functions are ln(tau) + ln(q)/2 and -ln[exp(-tau) - exp(-(1 + length_ratio) tau)].
    """

    def functions(log_q: FloatArray) -> FloatArray:
        log_q = np.maximum(log_q, _CLOSEST_EDGES)
        log_mean = np.array([_edge_root(x, length_ratio) for x in log_q])
        tau = np.exp(log_mean - 0.5 * log_q)
        return np.stack([log_mean, tau - np.log(-np.expm1(-length_ratio * tau))])

    return tabulate(functions, 0.0, _FARTHEST_EDGES)


def _edge_root(log_q: float, length_ratio: float) -> float:
    """Return ln(tau) + ln(q)/2, at which both edges have equal numbers of decays."""

    def log_decays(log_tau: float) -> float:
        tau = exp(log_tau)
        return log_tau - tau + log(-expm1(-length_ratio * tau))

    def difference(log_mean: float) -> float:
        return log_decays(log_mean + 0.5 * log_q) - log_decays(log_mean - 0.5 * log_q)

    return float(brentq(difference, -20.0, 4.0, xtol=1e-13))


_LONGEST = 700.0
"""Lifetimes in the shielding after which no decay is left, as exp(-700) is almost zero."""


@inline
def decays_over_edge(
    log_m: float,
    strength: float,
    width: float,
    length_ratio: float,
    start: float,
    inverse_step: float,
    table: FloatArray,
    region: FloatArray,
) -> float:
    """Return the decays seen behind a shielding over their number at the edge of a region.

    Parameters
    ----------
    log_m : float
        ln(mass in MeV) within the masses of the region.
    strength : float
        Squared coupling of the production times the branching ratio over that of a dark photon.
    width : float
        Total width over that of a dark photon whose coupling e epsilon is 1.
    length_ratio : float
        Length of the decay volume over that of the shielding.
    start, inverse_step, table
        Splines of :func:`edge_lifetime`.
    region : numpy.ndarray, shape (k, 3)
        Rows of ln(mass in MeV) and ln(e epsilon) of both edges.
    """
    knot, fraction = interpolation_weight(log_m, region)
    log_lower = _edge(region, knot, fraction, 1)
    log_q = 2 * (_edge(region, knot, fraction, 2) - log_lower)
    if not log_q > -_CLOSEST_EDGES:  # NaN in a gap
        return 0.0
    interval, offset = locate(max(log_q, 0.0), start, inverse_step, table)
    log_edge_tau = polynomial(table, interval, 0, offset) - 0.5 * max(log_q, 0.0)
    tau = exp(log_edge_tau - 2 * log_lower) * width
    if tau > _LONGEST:  # the usual case of a fit, so that it should cost little
        return 0.0
    log_edge_norm = 2 * log_lower - polynomial(table, interval, 1, offset)
    return -strength * exp(-log_edge_norm - tau) * expm1(-length_ratio * tau)


@gufunc("(p),(p),(p),(p),(p),(),(),(),(n,f,k),(j,l)->(p)")
def _dump_ratio(  # type: ignore[no-untyped-def]
    m_Zp, log_m, c_ve, c_ae, br_ee, length_ratio, start, inverse_step, table, region, out
):
    for i in range(m_Zp.shape[0]):
        out[i] = 0.0
        if log_m[i] < region[0, 0] or log_m[i] > region[-1, 0] or br_ee[i] == 0.0:
            continue
        # Lifetimes follow from the full width; a dark photon at the edge decays to e+ e- only.
        x = (ELECTRON_MASS / m_Zp[i]) ** 2
        width = width_shape(c_ve[i], c_ae[i], x) / (width_shape(1.0, 0.0, x) * br_ee[i])
        produced = (c_ve[i] * c_ve[i] + c_ae[i] * c_ae[i]) * br_ee[i]
        out[i] = decays_over_edge(
            log_m[i], produced, width, length_ratio, start, inverse_step, table, region
        )
