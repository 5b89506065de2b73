r"""Decays by the charged current that radiate a Z'.

They are enhanced where the W does not conserve the charge to which the Z' couples.
The longitudinal Z' of momentum k couples like the derivative of a scalar, divided by its mass. A
conserved current cannot feel it. Where a W changes the sum of the charges, the rate grows as
1/m^2. The measure of this for leptons is C_nu - C_L, with C_L = C_V - C_A.
"""

from functools import cache
from math import pi, sqrt
from typing import Any, Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import flat, gufunc
from zpfit.physics.constants import FERMI_CONSTANT, MASS_RANGE, MUON_MASS, PION_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, observable
from zpfit.physics.spline import UniformSpline, locate, polynomial, tabulate

CHARGED_CURRENT: Final = ("pi_enu_ee", "delta_w_width")
"""Observables of this module, which a Z' of leptons alone raises."""
W_MASS: Final = 80369.0
"""MeV (PDG 2024)."""
_W_LEPTON_WIDTH: Final = FERMI_CONSTANT * W_MASS**3 / (6 * sqrt(2) * pi)
"""Gamma(W -> l nu) of one family at tree level, MeV."""
_W_RATE: Final = 3 / (256 * pi**2) * _W_LEPTON_WIDTH * W_MASS**2
"""Gamma(W -> l nu Z') over (D_l/m)^2, MeV^3."""
_BR_PION_MUON: Final = 0.999877
"""BR(pi+ -> mu+ nu) (PDG 2022), which fixes the pion's decay constant and lifetime."""
_MUON_RATIO: Final = (MUON_MASS / PION_MASS) ** 2
_PION_RATE: Final = _BR_PION_MUON / (16 * pi**2 * _MUON_RATIO * (1 - _MUON_RATIO) ** 2)
"""BR(pi+ -> e+ nu Z') over Delta_pi^2 and the phase-space integral."""
_LAST: Final = 1 - 1e-4
"""Largest m/m_pi in the table, which is constant beyond: B0 vanishes with (1 - m/m_pi)^5."""

_QUARKS: Final = ("C_Vu", "C_Au", "C_Vd", "C_Ad")
_FAMILIES: Final = tuple((f"C_V{x}", f"C_A{x}", f"C_nu{x}") for x in ("e", "mu", "tau"))
"""Names of the vector, axial and neutrino coupling of each family."""
_WIDTHS: Final = ("m_Zp", "C_Ve", "C_Ae", "C_nue", "C_numu", "C_nutau", "width_dark")
"""Everything that BR(Z' -> e+ e-) depends on below the pion's mass."""


@observable(reads=(*_WIDTHS, *_QUARKS), group=Group.OTHER, symbol=r"\mathrm{BR}(\pi \to e \nu e e)")
def pi_enu_ee(c: Couplings) -> FloatArray:
    r"""Return BR(pi+ -> e+ nu Z') BR(Z' -> e+ e-), the excess over the Standard Model.

    Parameters
    ----------
    c : Couplings
        n points. Models that give no quark couplings couple to leptons alone.

    Returns
    -------
    numpy.ndarray, shape (n,)
        B0(m) Delta_pi^2 BR(ee), see :func:`pion_coefficient` and :func:`pion_charge`. The Z' must
        decay promptly, which couplings above 1e-6 ensure.

    References
    ----------
    M. Hostert and M. Pospelov, arXiv:2306.15077.

    Examples
    --------
    Electrons alone, and electrons with their neutrinos, which a W conserves:

    >>> c = Couplings.of(m_Zp=17.0, C_Ve=1e-4, C_nue=[0, 1e-4])
    >>> print([f"{rate:.2e}" for rate in pi_enu_ee(c)])
    ['1.67e-09', '0.00e+00']
    """
    delta = pion_charge(c)
    result: FloatArray = _pion_rate(c.m_Zp, c.log_m, delta, *_pion_table().arguments()) * c.br_ee
    return result


@observable(
    reads=("m_Zp", *sum(_FAMILIES, ()), *_QUARKS), group=Group.OTHER, symbol=r"\Delta \Gamma_W"
)
def delta_w_width(c: Couplings) -> FloatArray:
    r"""Return the width of W -> l nu Z', summed over the families, in MeV; shape (n,).

    Gamma(W -> l nu) (3/256 pi^2) (m_W/m)^2 sum_l D_l^2 with D_l = (C_nu - C_L)_l - (C_Lu - C_Ld):
    emission of the longitudinal Z' by equivalence with a scalar, for m much below m_W. What is left
    for a conserved current is not enhanced and neglected.

    Notes
    -----
    The coupling of the W itself is taken to be C_Lu - C_Ld, which conserves the current at its
    vertex with quarks. It is zero for a Z' that couples to leptons alone, and makes D_l vanish for
    gauge-invariant models.

    References
    ----------
    S. Karshenboim, D. McKeen, M. Pospelov, arXiv:1401.6154.

    Examples
    --------
    >>> print(delta_w_width(Couplings.of(m_Zp=50.0, C_Vmu=1e-2)).round(1).tolist())
    [69.7]
    """
    changes: list[FloatArray] = [c[nu] - c[v] + c[a] for v, a, nu in _FAMILIES]
    if not c.vanish(*_QUARKS):
        w_charge = c.C_Vu - c.C_Au - c.C_Vd + c.C_Ad
        changes = [change - w_charge for change in changes]
    rate: FloatArray = _W_RATE * sum(change**2 for change in changes) / c.m_Zp**2
    return rate


def pion_charge(c: Couplings) -> FloatArray:
    """Return the charge that pi+ -> e+ nu does not conserve; shape (n,).

    Delta_pi = (C_Vu + C_Au) - (C_Vd + C_Ad) + (C_Ve - C_Ae) - C_nue. At leading order of chiral
    perturbation theory the vertex of W, Z' and one pion holds the right-handed quarks alone, and
    radiation by the pion itself vanishes for massless leptons.

    Examples
    --------
    >>> print(f"{pion_charge(Couplings.of(m_Zp=17.0, C_Ve=1e-4, C_Ad=1e-5))[0]:.1e}")
    9.0e-05
    """
    delta: FloatArray = c.C_Ve - c.C_Ae - c.C_nue
    if not c.vanish(*_QUARKS):
        delta = delta + (c.C_Vu + c.C_Au - c.C_Vd - c.C_Ad)
    return delta


def pion_coefficient(m_Zp: Any) -> FloatArray:
    """Return B0 = BR(pi+ -> e+ nu Z')/Delta_pi^2 for massless leptons.

    Parameters
    ----------
    m_Zp : array_like
        Mass of the Z' in MeV, within 1e-4 to 1e4.

    Returns
    -------
    numpy.ndarray
        The coefficient in the shape of ``m_Zp``, zero from the pion's mass on. For a light Z' it
        is m_pi^4/(384 pi^2 m^2 m_mu^2 (1 - m_mu^2/m_pi^2)^2) BR(pi+ -> mu+ nu).

    Examples
    --------
    >>> pion_coefficient([17.0, 50.0, 139.6]).round(5).tolist()
    [0.16713, 0.01225, 0.0]
    """
    (m,), shape = flat(m_Zp)
    unit = np.ones_like(m)
    return np.reshape(_pion_rate(m, np.log(m), unit, *_pion_table().arguments()), shape)


def pion_phase_space(x: FloatArray) -> FloatArray:
    """Compute the integral of the rate over the leptons' squared mass s, at x = m/m_pi < 1.

    In units of m_pi it is the integral of sqrt(lam) [2 s + lam/(6 x^2)] with lam =
    lam(1, x^2, s). The rapidity eta of the Z' makes sqrt(lam) = 2 x sinh(eta), so that the
    integrand is entire and Gauss-Legendre quadrature exact to rounding.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        Mass of the Z' over that of the pion, between 0 and 1.
    """
    nodes, weights = np.polynomial.legendre.leggauss(48)
    end = -np.log(x)[:, None]
    eta = end * (nodes + 1) / 2
    x = x[:, None]
    s = (1 - x) ** 2 - 4 * x * np.sinh(eta / 2) ** 2
    momentum = 2 * x * np.sinh(eta)
    rate = momentum**2 * (2 * s + momentum**2 / (6 * x**2))
    result: FloatArray = np.sum(end / 2 * weights * rate, axis=1)
    return result


@cache
def _pion_table() -> UniformSpline:
    """Return a spline against ln m that varies slowly: B0 without 1/x^2 and (1 - x)^5."""

    def slowly_varying(log_m: FloatArray) -> FloatArray:
        x = np.exp(log_m) / PION_MASS
        return np.stack([_PION_RATE * pion_phase_space(x) * x**2 / (1 - x) ** 5])

    return tabulate(slowly_varying, np.log(MASS_RANGE[0]), np.log(PION_MASS * _LAST))


@gufunc("(p),(p),(p),(),(),(n,f,k)->(p)")
def _pion_rate(m_Zp, log_m, delta, start, inverse_step, table, out):  # type: ignore[no-untyped-def]
    for i in range(m_Zp.shape[0]):
        x = m_Zp[i] / PION_MASS
        if x >= 1.0:
            out[i] = 0.0
            continue
        interval, offset = locate(log_m[i], start, inverse_step, table)
        rest = 1 - x
        rest2 = rest * rest
        charge = delta[i] / x
        out[i] = polynomial(table, interval, 0, offset) * rest2 * rest2 * rest * charge * charge
