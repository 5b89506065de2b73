r"""Coherent elastic scattering of neutrinos on nuclei with a Z', for any spectrum and detector.

    dsigma/dT = (G_F^2 M/pi) Q(T)^2 [1 - M T/(2 E^2) - T/E + T^2/(2 E^2)],
    Q = Z F_p [g_p + x C_nu C_Vp] + N F_n [g_n + x C_nu C_Vn],
    x = 1/[sqrt2 G_F (m_Zp^2 + 2 M T)],

for neutrinos and antineutrinos alike. The Z' adds -C_nu C_Vq/(q^2 + m_Zp^2) to the coefficient
-sqrt2 G_F g_V^q of (nubar gamma P_L nu)(qbar gamma q), with q^2 = 2 M T: couplings of opposite
sign raise the rate, as B-L does, because g_n < 0. Equal signs first lower it. F are Helm's form
factors with the rms radii of protons and neutrons.

At a given mass the count in a bin is a quadratic form in C_nu C_Vp and C_nu C_Vn. Its
coefficients are integrals over spectrum, recoil and response of the detector.

References
----------
D. Z. Freedman, Phys. Rev. D 9, 1389 (1974); J. Barranco et al., hep-ph/0508299; R. Helm,
Phys. Rev. 104, 1466 (1956).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import pi, sqrt
from typing import Any, Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import gufunc, merged
from zpfit.physics.constants import ELECTRON_MASS, FERMI_CONSTANT, MASS_RANGE
from zpfit.physics.couplings import Couplings
from zpfit.physics.neutrino_spectra import Line, Spectrum
from zpfit.physics.nucleons import neutron_coupling, proton_coupling
from zpfit.physics.spline import locate, tabulate

G_PROTON_NUE: Final = 0.0382
"""Weak vector coupling of the proton to nu_e with radiative corrections, whose charge radius
makes it differ between flavours; J. Erler and S. Su, arXiv:1303.5522."""
G_PROTON_NUMU: Final = 0.0300
"""Weak vector coupling of the proton to nu_mu; ibid."""
G_NEUTRON: Final = -0.5117
"""Weak vector coupling of the neutron; ibid. The tree-level values of proton and neutron are
1/2 - 2 sin^2(theta_w) and -1/2."""

HBAR_C: Final = 197.3269804
"""MeV fm."""
_CM2: Final = (HBAR_C * 1e-13) ** 2
"""cm^2 MeV^2."""
_ATOMIC_MASS_UNIT: Final = 931.49410242
"""MeV (CODATA 2018)."""
_SKIN: Final = 0.9
"""Thickness s of the nuclear surface in Helm's form factor, fm."""
_RECOIL_NODES = 96
"""Gauss-Legendre nodes over the recoil; doubling them changes counts by less than 1e-9."""


@dataclass(frozen=True)
class Nucleus:
    """A target nucleus; means over isotopes where an element has several."""

    protons: int
    neutrons: float
    atomic_mass: float
    """Mass of the atom in atomic mass units."""
    proton_radius: float
    """Root-mean-square radius of the protons, fm."""
    neutron_radius: float
    """Root-mean-square radius of the neutrons, fm."""

    @property
    def mass(self) -> float:
        """Mass of the bare nucleus in MeV, electron binding neglected."""
        return self.atomic_mass * _ATOMIC_MASS_UNIT - self.protons * ELECTRON_MASS

    def largest_recoil(self, energy: float) -> float:
        """Return the largest recoil from a neutrino of this energy; both in MeV."""
        return 2 * energy**2 / (self.mass + 2 * energy)

    def least_energy(self, recoil: float) -> float:
        """Return the smallest neutrino energy that can give this recoil; both in MeV."""
        return 0.5 * (recoil + sqrt(recoil**2 + 2 * self.mass * recoil))

    def form_factors(self, recoil: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return Z F_p and N F_n at recoils in MeV."""
        transfer = np.sqrt(2 * self.mass * recoil)
        return (
            self.protons * helm_form_factor(transfer, self.proton_radius),
            self.neutrons * helm_form_factor(transfer, self.neutron_radius),
        )


CAESIUM = Nucleus(55, 78, 132.905452, 4.804, 5.01)
IODINE = Nucleus(53, 74, 126.904473, 4.749, 4.94)
ARGON = Nucleus(18, 22, 39.9623831, 3.427, 3.55)
GERMANIUM = Nucleus(32, 40.63, 72.63, 4.05, 4.17)


def helm_form_factor(transfer: FloatArray, radius: float) -> FloatArray:
    """Return Helm's form factor, 3 j_1(q R)/(q R) exp(-q^2 s^2/2) with s = 0.9 fm.

    Parameters
    ----------
    transfer : numpy.ndarray
        Momentum transfer q in MeV, positive.
    radius : float
        Root-mean-square radius in fm; R^2 = (5/3)(radius^2 - 3 s^2).

    Examples
    --------
    >>> print(helm_form_factor(np.array([1e-3, 80.0]), 3.55).round(4))
    [1.     0.6995]
    """
    box = sqrt(5 / 3 * (radius**2 - 3 * _SKIN**2))
    x = transfer * box / HBAR_C
    # The closed form of j_1 cancels at small x.
    closed = 3 * (np.sin(x) - x * np.cos(x)) / np.maximum(x, 1e-3) ** 3
    sphere = np.where(x < 0.05, 1 - x**2 / 10 * (1 - x**2 / 28), closed)
    result: FloatArray = sphere * np.exp(-0.5 * (transfer * _SKIN / HBAR_C) ** 2)
    return result


def cross_section(
    nucleus: Nucleus,
    recoil: FloatArray,
    energy: float,
    c: Couplings,
    *,
    electron_flavour: bool = False,
) -> FloatArray:
    """Return dsigma/dT in cm^2/MeV at one point of a model.

    A reference function for users and tests; fits use :func:`expected_counts`.

    Parameters
    ----------
    nucleus : Nucleus
        Target.
    recoil : numpy.ndarray, shape (k,)
        Kinetic energy T of the nucleus in MeV.
    energy : float
        Energy of the neutrino in MeV.
    c : Couplings
        One point.
    electron_flavour : bool
        nu_e if True, nu_mu otherwise.

    Returns
    -------
    numpy.ndarray, shape (k,)
        Zero beyond the end point.

    Examples
    --------
    >>> b_minus_l = Couplings.of(m_Zp=10.0, C_numu=-3e-5, C_Vu=1e-5, C_Vd=1e-5)
    >>> recoil = np.array([0.01])
    >>> raised = cross_section(CAESIUM, recoil, 30.0, b_minus_l)
    >>> print((raised / cross_section(CAESIUM, recoil, 30.0, Couplings.none())).round(3))
    [1.154]
    """
    protons, neutrons = nucleus.form_factors(recoil)
    propagator = c.m_Zp**2 + 2 * nucleus.mass * recoil
    x = (c.C_nue if electron_flavour else c.C_numu) / (sqrt(2) * FERMI_CONSTANT * propagator)
    charge = protons * (_g_proton(electron_flavour) + x * proton_coupling(c))
    charge = charge + neutrons * (G_NEUTRON + x * neutron_coupling(c))
    kinematics = np.maximum(_kinematics(nucleus, recoil, energy), 0)
    result: FloatArray = _CM2 * FERMI_CONSTANT**2 * nucleus.mass / pi * charge**2 * kinematics
    return result


def _g_proton(electron_flavour: bool) -> float:  # noqa: FBT001 - a flag of the flavour
    return G_PROTON_NUE if electron_flavour else G_PROTON_NUMU


def _kinematics(nucleus: Nucleus, recoil: Any, energy: Any) -> Any:
    return (
        1 - nucleus.mass * recoil / (2 * energy**2) - recoil / energy + 0.5 * (recoil / energy) ** 2
    )


Response = Callable[[FloatArray], FloatArray]
"""Function from recoils in MeV, shape (k,), to detection probabilities in bins, (k, bins)."""


@dataclass(frozen=True, eq=False)
class CoherentDetector:
    """A detector of nuclear recoils. Instances are compared by identity."""

    nuclei: tuple[Nucleus, ...]
    """Its nuclei, in equal numbers."""
    recoil_min: float
    """MeV; no recoil below is counted."""
    recoil_max: float
    """MeV; the kinematic end point applies if it is lower."""
    response: Response
    exposure: float = 1.0
    """Nuclei of each kind times neutrinos of each flavour per cm^2; 1 where ratios are formed."""


@dataclass(frozen=True, eq=False)
class Signal:
    """The recoils from one flavour of neutrinos in a detector."""

    detector: CoherentDetector
    beam: Spectrum | Line
    electron_flavour: bool = False
    """True for nu_e and nubar_e; False for nu_mu and nubar_mu."""

    def scale(self) -> float:
        """Return a typical 2 M T in MeV^2; coefficients times (m^2 + scale) vary slowly."""
        nucleus = self.detector.nuclei[0]
        end = min(self.detector.recoil_max, nucleus.largest_recoil(self.beam.maximum))
        return 2 * nucleus.mass * sqrt(self.detector.recoil_min * end)

    def couplings(self, c: Couplings) -> tuple[FloatArray, FloatArray]:
        """Return C_nu C_Vp and C_nu C_Vn of the signal's flavour, each of shape (n,)."""
        c_nu = c.C_nue if self.electron_flavour else c.C_numu
        return c_nu * proton_coupling(c), c_nu * neutron_coupling(c)


def expected_counts(signal: Signal, c: Couplings) -> FloatArray:
    """Return the expected counts of a signal in each bin of its detector; shape (n, bins).

    Parameters
    ----------
    signal : Signal
        Detector, spectrum and flavour.
    c : Couplings
        n points.

    Examples
    --------
    >>> def all_recoils(recoil):
    ...     return np.ones((len(recoil), 1))
    >>> argon = CoherentDetector((ARGON,), 0.02, 1.0, all_recoils)
    >>> signal = Signal(argon, Line(29.8))
    >>> c = Couplings.of(m_Zp=10.0, C_numu=[0.0, -3e-5], C_Vu=1e-5, C_Vd=1e-5)
    >>> counts = expected_counts(signal, c)[:, 0]
    >>> print((counts / counts[0]).round(2))
    [1.  1.2]
    """
    standard_model, *table = _arguments(signal)
    protons, neutrons = signal.couplings(c)
    result: FloatArray = _counts(c.m_Zp, c.log_m, protons, neutrons, *table, standard_model)
    return result


def expected_count(signal: Signal, c: Couplings) -> FloatArray:
    """Return the expected count of a signal whose detector has one bin; shape (n,)."""
    [standard_model], *table = _arguments(signal)
    protons, neutrons = signal.couplings(c)
    result: FloatArray = _count(c.m_Zp, c.log_m, protons, neutrons, *table, standard_model)
    return result


def standard_model_counts(signal: Signal) -> FloatArray:
    """Return the counts of a signal without a Z', shape (bins,)."""
    return _arguments(signal)[0]


@cache
def _arguments(signal: Signal) -> tuple[FloatArray, float, float, float, FloatArray]:
    """Return the counts without a Z', and the scaled coefficients as splines against ln m_Zp."""
    scale = signal.scale()

    def scaled(log_m: FloatArray) -> FloatArray:
        m2 = np.exp(2 * log_m)
        powers = np.array([1, 1, 2, 2, 2])[:, None]
        result: FloatArray = coefficients(signal, m2)[:, 1:] * (m2 + scale) ** powers
        return result.reshape(-1, len(log_m))

    without = coefficients(signal, np.array([1.0]))[:, 0, 0]
    return without, scale, *tabulate(scaled, *np.log(MASS_RANGE)).arguments()


def coefficients(signal: Signal, m2: FloatArray) -> FloatArray:
    """Return the coefficients of the quadratic form in each bin by quadrature.

    Parameters
    ----------
    signal : Signal
        Detector, spectrum and flavour.
    m2 : numpy.ndarray, shape (n,)
        m_Zp^2 in MeV^2.

    Returns
    -------
    numpy.ndarray, shape (bins, 6, n)
        Of 1, p, n, p^2, p n, n^2 with p = C_nu C_Vp and n = C_nu C_Vn.
    """
    parts = [_coefficients(signal, nucleus, m2) for nucleus in signal.detector.nuclei]
    result: FloatArray = signal.detector.exposure * np.sum(parts, axis=0)
    return result


def _coefficients(signal: Signal, nucleus: Nucleus, m2: FloatArray) -> FloatArray:
    detector = signal.detector
    end = min(detector.recoil_max, nucleus.largest_recoil(signal.beam.maximum))
    nodes, weights = np.polynomial.legendre.leggauss(_RECOIL_NODES)
    half = 0.5 * (end - detector.recoil_min)
    recoil = detector.recoil_min + half * (nodes + 1)
    strength = _CM2 * FERMI_CONSTANT**2 * nucleus.mass / pi * half * weights
    weight = (strength * _beam_factor(signal.beam, nucleus, recoil))[:, None] * detector.response(
        recoil
    )
    p, n = nucleus.form_factors(recoil)
    sm = p * _g_proton(signal.electron_flavour) + n * G_NEUTRON
    x = 1 / (sqrt(2) * FERMI_CONSTANT * (m2[:, None] + 2 * nucleus.mass * recoil))
    one = np.ones_like(x)
    terms = (
        one * sm**2,
        2 * x * sm * p,
        2 * x * sm * n,
        x**2 * p**2,
        2 * x**2 * p * n,
        x**2 * n**2,
    )
    return np.stack([(term @ weight).T for term in terms], axis=1)


def _beam_factor(beam: Spectrum | Line, nucleus: Nucleus, recoil: FloatArray) -> FloatArray:
    """Return the integral of the kinematic factor over the spectrum, at each recoil."""

    def factor(one: float) -> float:
        least = nucleus.least_energy(one)
        energy, weight = beam.nodes(least, least)
        return float(weight @ _kinematics(nucleus, one, energy))

    return np.array([factor(float(one)) for one in recoil])


@gufunc("(p),(p),(p),(p),(),(),(),(n,f,k),(b)->(p,b)")
def _counts(  # type: ignore[no-untyped-def]
    m_Zp, log_m, protons, neutrons, scale, start, inverse_step, table, standard_model, out
):
    # The table holds coefficients times (m^2 + scale)^power; z takes the factors out again.
    for i in range(m_Zp.shape[0]):
        interval, offset = locate(log_m[i], start, inverse_step, table)
        z = 1 / (m_Zp[i] * m_Zp[i] + scale)
        p, n = z * protons[i], z * neutrons[i]
        for b in range(standard_model.shape[0]):
            out[i, b] = standard_model[b] + _added(p, n, table, interval, 5 * b, offset)


@gufunc("(p),(p),(p),(p),(),(),(),(n,f,k),()->(p)")
def _count(  # type: ignore[no-untyped-def]
    m_Zp, log_m, protons, neutrons, scale, start, inverse_step, table, standard_model, out
):
    for i in range(m_Zp.shape[0]):
        interval, offset = locate(log_m[i], start, inverse_step, table)
        z = 1 / (m_Zp[i] * m_Zp[i] + scale)
        p, n = z * protons[i], z * neutrons[i]
        out[i] = standard_model + _added(p, n, table, interval, 0, offset)


@merged
def _added(
    p: float, n: float, table: FloatArray, interval: int, first: int, offset: float
) -> float:
    """Return what the Z' adds to the counts in a bin, whose functions begin with ``first``."""
    pp, pn, nn = p * p, p * n, n * n
    total = 0.0
    for power in range(table.shape[2]):  # Horner's scheme for the sum of all terms
        term = p * table[interval, first, power] + n * table[interval, first + 1, power]
        term += pp * table[interval, first + 2, power]
        term += pn * table[interval, first + 3, power]
        term += nn * table[interval, first + 4, power]
        total = total * offset + term
    return float(total)
