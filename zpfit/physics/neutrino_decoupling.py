r"""The effective number of neutrinos if a Z' is in thermal contact with one sector.

Neutrinos leave the plasma at a temperature T_d of about 2 MeV, here all at once. A Z' that couples
to electrons alone, or to neutrinos alone, then hands its entropy s_Z' to that sector:

    electrons:   N_eff = N_SM [s_ge/(s_ge + s_Z')]^(4/3)
    neutrinos:   N_eff = N_SM [(s_nu + s_Z')/s_nu]^(4/3)

with the entropies of photons and electrons (s_ge), of neutrinos (s_nu) and of a massive vector with
three states, all at T_d. A Z' that couples to both keeps them at one temperature for longer, for
which there is no such formula: the prediction is then that of the Standard Model, and a floor of
the mass takes its place, see :func:`zpfit.physics.cosmology.mixed_mass_floor_ratio`.

References
----------
The method is that of C. Boehm, M. J. Dolan and C. McCabe, arXiv:1303.6270.
"""

from functools import cache
from math import exp, log, pi
from typing import Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import gufunc
from zpfit.physics.constants import ELECTRON_MASS, MASS_RANGE
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, observable
from zpfit.physics.spline import UniformSpline, locate, polynomial, tabulate

N_EFF_SM: Final = 3.044
"""N_eff of the Standard Model."""
DECOUPLING_TEMPERATURE: Final = 2.0
"""T_d in MeV; 1.9 to 2.3 MeV are as good, which moves limits on the mass by 1 MeV."""
CONTACT: Final = 1e-9
"""Coupling above which the Z' is in thermal contact, as in the entry ``bbn_2020``."""

_NEUTRINOS: Final = 7 / 8 * 6 * 2 * pi**2 / 45
"""Entropy of three neutrinos over T^3."""
_PHOTONS: Final = 2 * 2 * pi**2 / 45
"""Entropy of photons over T^3."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(160)
_LARGEST_ROOT: Final = 7.5
"""Upper limit of sqrt((E - m)/T); the rest of the integral is e^-56 of it."""
_NEGLIGIBLE: Final = 700.0
"""m/T above which the entropy, below e^-700, is that at this value."""


def entropy(mass_over_temperature: FloatArray, states: float, *, fermions: bool) -> FloatArray:
    r"""Return the entropy density of a particle in equilibrium over T^3, by quadrature.

    Parameters
    ----------
    mass_over_temperature : numpy.ndarray, shape (k,)
        m/T, not negative.
    states : float
        Number of spin states, antiparticles included.
    fermions : bool
        Fermi statistics rather than Bose statistics.

    Returns
    -------
    numpy.ndarray, shape (k,)
        (rho + p)/T^4 = g/(2 pi^2) times the integral of p E^2 + p^3/3 over E, with the
        distribution function. The integration variable is sqrt(E - m).

    Examples
    --------
    Massless bosons have 2 pi^2/45 for each state:

    >>> print(f"{float(entropy(np.zeros(1), 3, fermions=False)[0] / (3 * 2 * pi**2 / 45)):.10f}")
    1.0000000000
    """
    m = np.asarray(mass_over_temperature, dtype=float)[:, np.newaxis]
    root = _LARGEST_ROOT * (_NODES + 1) / 2
    energy = m + root**2
    momentum = root * np.sqrt(2 * m + root**2)
    occupied = np.exp(-energy) / (1 + np.exp(-energy) if fermions else -np.expm1(-energy))
    integrand = momentum * (energy**2 + momentum**2 / 3) * occupied * 2 * root
    result: FloatArray = states / (2 * pi**2) * _LARGEST_ROOT / 2 * (integrand @ _WEIGHTS)
    return result


@observable(
    reads=("m_Zp", "C_Ve", "C_Ae", "C_nue", "C_numu", "C_nutau"),
    group=Group.OTHER,
    symbol=r"N_\mathrm{eff}",
)
def n_eff(c: Couplings) -> FloatArray:
    """Return the effective number of neutrinos; shape (n,).

    A coupling counts if it exceeds 1e-9. Where the electron's counts and no neutrino's does, the Z'
    heats the photons, and where a neutrino's counts and the electron's does not, it heats the
    neutrinos. Everywhere else the result is 3.044. The prediction thus jumps where a coupling
    passes 1e-9, and is smooth in the mass.

    Notes
    -----
    Decoupling is instantaneous at 2 MeV. All flavours of neutrinos count alike, as they oscillate.
    Decays into a dark sector are neglected.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=10.0, C_Ve=[1e-4, 0, 1e-4], C_nue=[0, 1e-4, 1e-4])
    >>> n_eff(c).round(2).tolist()
    [2.8, 3.33, 3.04]
    """
    table = _log_entropy().arguments()
    result: FloatArray = _n_eff(
        c.log_m, c.C_Ve, c.C_Ae, c.C_nue, c.C_numu, c.C_nutau, _photons_and_electrons(), *table
    )
    return result


@cache
def _photons_and_electrons() -> float:
    electrons = entropy(np.array([ELECTRON_MASS / DECOUPLING_TEMPERATURE]), 4, fermions=True)
    return _PHOTONS + float(electrons[0])


@cache
def _log_entropy() -> UniformSpline:
    """Return the logarithm of the Z's entropy over T_d^3 as a function of ln(mass in MeV)."""

    def functions(log_m: FloatArray) -> FloatArray:
        found = entropy(np.exp(log_m) / DECOUPLING_TEMPERATURE, 3, fermions=False)
        return np.log(found)[np.newaxis]

    largest = min(MASS_RANGE[1], _NEGLIGIBLE * DECOUPLING_TEMPERATURE)
    return tabulate(functions, log(MASS_RANGE[0]), log(largest))


@gufunc("(p),(p),(p),(p),(p),(p),(),(),(),(k,f,d)->(p)")
def _n_eff(  # type: ignore[no-untyped-def]
    log_m, c_ve, c_ae, c_nue, c_numu, c_nutau, s_ge, start, inverse_step, table, out
):
    contact2 = CONTACT * CONTACT
    for i in range(log_m.shape[0]):
        electron = c_ve[i] * c_ve[i] + c_ae[i] * c_ae[i] > contact2
        neutrino = (
            c_nue[i] * c_nue[i] > contact2
            or c_numu[i] * c_numu[i] > contact2
            or c_nutau[i] * c_nutau[i] > contact2
        )
        out[i] = N_EFF_SM
        if electron != neutrino:
            interval, offset = locate(log_m[i], start, inverse_step, table)
            s = exp(polynomial(table, interval, 0, offset))
            ratio = s_ge / (s_ge + s) if electron else (_NEUTRINOS + s) / _NEUTRINOS
            out[i] = N_EFF_SM * ratio ** (4.0 / 3.0)
