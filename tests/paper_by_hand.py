"""The data of arXiv:2102.07781 by other means than zpfit's, and searches by other means.

Equations in plain numpy, loop integrals by adaptive quadrature, limits by np.interp on the
packaged tables. Only the CHARM-II cross-sections are zpfit's; they have tests of their own.
"""

from functools import cache
from math import exp, expm1, log, pi, sqrt

import numpy as np
from scipy.integrate import quad
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, differential_evolution

from zpfit.io.places import packaged_data
from zpfit.physics.electron_recoils import scattering_ratio
from zpfit.physics.paper_2021 import CHARM2_NU, CHARM2_NUBAR

M_E, M_MU = 0.51099895, 105.6583755
G_F = 1.1663787e-11
E = sqrt(4 * pi / 137.035999084)
A_E = {"cs": (-8.7e-13, 3.6e-13), "rb": (4.8e-13, 3.0e-13)}
A_MU = (25.1e-10, 5.9e-10)
BABAR = {"envelope": "babar_2014_envelope", "curve": "babar_2014"}


def loop_factors(lepton, m):
    """Return (k_V, k_A) of Delta a = k_V C_V^2 - k_A C_A^2, Eq. (7)."""
    r = (lepton / m) ** 2
    edge = min(r, 0.5)
    cuts = [1 - edge, 1 - edge / 30] if r < 1 else [1 / sqrt(1 + r), 0.5]

    def integral(numerator):
        def integrand(x):
            return numerator(x) / (1 - x + x**2 * r)

        return quad(integrand, 0, 1, points=cuts, epsabs=0, epsrel=1e-10, limit=200)[0]

    vector = integral(lambda x: x**2 * (1 - x))
    axial = integral(lambda x: x * (1 - x) * (4 - x) + 2 * x**3 * r)
    return r / (4 * pi**2) * vector, r / (4 * pi**2) * axial


@cache
def _loop_splines(lepton):
    nodes = np.geomspace(9, 110, 120)
    return CubicSpline(np.log(nodes), np.log([loop_factors(lepton, m) for m in nodes]))


def loops(lepton, m):
    """Return (k_V, k_A) for arrays of masses from 9 to 110 MeV."""
    return np.exp(_loop_splines(lepton)(np.log(m))).T


@cache
def table(name):
    """Return logarithms of the columns of a packaged table, couplings in place of kinetic
    mixings."""
    path = packaged_data() / "likelihoods" / "entries" / f"{name}.csv"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    logs = np.log([[float(cell) for cell in line.split(",")] for line in lines[1:]]).T
    logs[1:] += log(E)
    return logs


def limit(name, m):
    """Return the limit of a prompt search on the electron coupling, infinite outside its masses."""
    log_m, log_c = table(name)
    return np.exp(np.interp(np.log(m), log_m, log_c, left=np.inf, right=np.inf))


@cache
def _lifetimes():
    """Return ln of t0 Gamma at the lower edge of NA64's region against ln of (upper/lower)^2."""

    def at_lower_edge(log_q):
        def difference(log_x):
            return _log_decays(log_x) - _log_decays(log_x + log_q)

        # The number of decays is largest between the edges.
        return brentq(difference, _MOST - log_q, _MOST, xtol=1e-13)

    nodes = np.linspace(0.05, 15, 1200)
    return CubicSpline(nodes, [at_lower_edge(x) for x in nodes])


def _log_decays(log_x):
    x = exp(log_x)
    return log_x - x + log(-expm1(-4 * x))


_MOST = brentq(lambda y: 1 / exp(y) - 1 + 4 / expm1(4 * exp(y)), -5, 2)
"""Return ln of t0 Gamma where the number of decays is largest."""


def na64(name, m, ve, ae, br):
    """Return decays in the volume over those at the edge of the region; volume/shield = 4."""
    log_m, log_low, log_high = table(name)
    inside = (np.log(m) >= log_m[0]) & (np.log(m) <= log_m[-1])
    low, high = (np.exp(np.interp(np.log(m), log_m, edge)) for edge in (log_low, log_high))
    tau = np.exp(_lifetimes()(2 * np.log(high / low)))
    x = (M_E / m) ** 2
    width = (
        (ve**2 * (1 + 2 * x) + ae**2 * (1 - 4 * x)) / (1 + 2 * x) / np.maximum(br, 1e-300) / low**2
    )
    count = (ve**2 + ae**2) * br / low**2
    count = count * (np.exp(-tau * width) - np.exp(-5 * tau * width))
    return np.where(inside, count / (np.exp(-tau) - np.exp(-5 * tau)), 0)


def br_ee(m, ve, ae, nue, numu):
    """Return the branching ratio to electrons below the muons' threshold."""
    x = (M_E / m) ** 2
    electrons = np.sqrt(1 - 4 * x) * (ve**2 * (1 + 2 * x) + ae**2 * (1 - 4 * x))
    return electrons / np.maximum(electrons + (nue**2 + numu**2) / 2, 1e-300)


def moments(m, ve, ae, vmu, amu):
    """Return Delta a of electron and muon."""
    (ve_k, ae_k), (vmu_k, amu_k) = loops(M_E, m), loops(M_MU, m)
    return ve_k * ve**2 - ae_k * ae**2, vmu_k * vmu**2 - amu_k * amu**2


def texono(m, ve, ae, nue):
    """Return the rate of Eq. (13)."""
    z = nue / m**2
    first = 2.07e11 * ve + 1.39e11 * ae
    second = 1.37e22 * ve**2 + 2.62e22 * ve * ae + 1.64e22 * ae**2
    return 1 + z * first + z**2 * second


def borexino(m, ve, ae, nue, numu):
    """Return the rate of Eq. (14) without tau neutrinos."""
    first = ve * (6.86e10 * nue - 1.16e10 * numu) + ae * (2.22e10 * numu - 8.27e10 * nue)
    second = (1.38e21 * ae**2 + 0.81e21 * ve**2 - 1.38e21 * ve * ae) * (2 * nue**2 + numu**2)
    return 1 + first / m**2 + second / m**4


def trident(m, vmu, numu):
    """Return the rate of Eq. (16)."""
    x = vmu * numu
    return 1 + 5.6e5 * x + 1.3e11 * x**2 * np.log(M_MU**2 / m**2)


def excesses(form, m, ve, ae, nue, vmu, amu, numu):
    """Return the excess over each constraint except the moments; a positive excess is excluded.

    TEXONO and CCFR within two standard errors, Borexino and CHARM-II within one.
    """
    floor = np.where(ve**2 + ae**2 > 1e-18, 9.8, np.where(nue**2 + numu**2 > 1e-18, 8.3, 0))
    br = br_ee(m, ve, ae, nue, numu)
    seen = np.sqrt((ve**2 + ae**2) * br)
    charm = [scattering_ratio(beam, m, ve, ae, numu) for beam in (CHARM2_NU, CHARM2_NUBAR)]
    return [
        floor / m - 1,
        np.sqrt((ve**2 + ae**2) * (nue**2 + numu**2)) / (m**2 * G_F) - 1,
        np.abs(ve * ae) / 1e-8 - 1 - 1e-12,
        seen / limit(BABAR[form], m) - 1,
        seen / limit("kloe_2015", m) - 1,
        na64("na64_2020", m, ve, ae, br) - 1,
        np.abs(texono(m, ve, ae, nue) - 1.08) / 0.26 - 2,
        np.abs(borexino(m, ve, ae, nue, numu) - 1.00) / 0.10 - 1,
        np.abs(charm[0] - 1.00) / 0.06 - 1,
        np.abs(charm[1] - 1.00) / 0.06 - 1,
        np.abs(trident(m, vmu, numu) - 0.82) / 0.28 - 2,
    ]


def least(value, demands, box, seeds=(1, 2), iterations=300, population=20):
    """Return the least allowed value and its point, found by differential evolution."""

    def objective(x):
        beyond = sum(np.clip(demand, 0, 1e6) for demand in demands(*x))
        return np.where(beyond > 0, 1e3 + beyond, value(*x))

    def search(seed):
        found = differential_evolution(
            objective,
            box,
            maxiter=iterations,
            popsize=population,
            tol=0,
            atol=0,
            init="sobol",
            rng=seed,
            polish=False,
            vectorized=True,
            updating="deferred",
        )
        return found.fun, found.x

    return min((search(seed) for seed in seeds), key=lambda pair: pair[0])


def axial(m, moment, share):
    """Return C_Ve and C_Ae, with C_Ve C_Ae = share * 1e-8, that give the electron a moment."""
    k_v, k_a = loops(M_E, m)
    product = (share * 1e-8) ** 2
    ae = np.sqrt((-moment + np.sqrt(moment**2 + 4 * k_a * k_v * product)) / (2 * k_a))
    return share * 1e-8 / ae, ae


def vector(m, moment, amu):
    """Return the C_Vmu that gives the muon a moment with a C_Amu."""
    k_v, k_a = loops(M_MU, m)
    return np.sqrt((moment + k_a * amu**2) / k_v)
