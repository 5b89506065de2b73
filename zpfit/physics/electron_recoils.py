r"""Neutrinos scattering on electrons with a Z', for any spectrum and window of recoils.

    dsigma/dT = (2 G_F^2 m_e/pi) [a^2 + b^2 (1 - T/E)^2 - a b m_e T/E^2],

with (a, b) = (g_L, g_R) for neutrinos and (g_R, g_L) for antineutrinos, at tree level:
g_L = sin^2(theta_w) - 1/2, one more for nu_e, and g_R = sin^2(theta_w). A Z' adds
C_nu C_{L,R} / [2 sqrt2 G_F (m_Zp^2 + 2 m_e T)] to g_{L,R} (Lindner et al.,
arXiv:1803.00060). At a given mass the number of recoils is a quadratic form in the
couplings, whose coefficients are integrals over the spectrum and the window.
"""

from dataclasses import dataclass
from functools import cache
from math import pi, sqrt
from typing import Any

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import flat, gufunc
from zpfit.physics.constants import ELECTRON_MASS, FERMI_CONSTANT, MASS_RANGE, SIN2_THETA_W
from zpfit.physics.couplings import Couplings
from zpfit.physics.neutrino_spectra import Line, Spectrum
from zpfit.physics.spline import UniformSpline, locate, polynomial, tabulate

RECOIL_NODES = 24
"""Gauss-Legendre nodes over the recoil: exact to rounding for a propagator that varies tenfold."""


@dataclass(frozen=True, eq=False)
class RecoilExperiment:
    """A beam of one neutrino flavour and the window of electron recoils that is counted.

    If both neutrinos and antineutrinos are given, their recoils are counted together: a
    beam and its contamination. Instances are compared by identity, which avoids hashing
    spectra at every look-up of a table.
    """

    recoil_min: float
    """MeV."""
    recoil_max: float
    """MeV; the kinematic end point applies if it is lower."""
    neutrinos: Spectrum | Line | None = None
    antineutrinos: Spectrum | Line | None = None
    electron_flavour: bool = False
    """True for nu_e, which also scatters by W exchange; False for nu_mu and nu_tau."""
    sin2_theta_w: float = SIN2_THETA_W

    def recoil_end(self) -> float:
        """Return the upper end of the counted recoils in MeV."""
        spectra = [s for s in (self.neutrinos, self.antineutrinos) if s is not None]
        return min(self.recoil_max, max(recoil_end_point(s.maximum) for s in spectra))

    def g_left(self) -> float:
        """Return the Standard Model's coupling to left-handed electrons."""
        return self.sin2_theta_w - 0.5 + (1.0 if self.electron_flavour else 0.0)


def recoil_end_point(energy: float) -> float:
    """Return the largest recoil from a neutrino of this energy; both in MeV."""
    return 2 * energy**2 / (2 * energy + ELECTRON_MASS)


def least_energy(recoil: float) -> float:
    """Return the smallest neutrino energy that can give this recoil; both in MeV."""
    return 0.5 * (recoil + sqrt(recoil**2 + 2 * ELECTRON_MASS * recoil))


def recoil_ratio(experiment: RecoilExperiment, c: Couplings, c_nu: FloatArray) -> FloatArray:
    """Return the number of recoils over that of the Standard Model; shape (n,).

    Parameters
    ----------
    experiment : RecoilExperiment
        Beam and window of recoils.
    c : Couplings
        n points.
    c_nu : numpy.ndarray, shape (n,)
        Neutrino coupling of the experiment's flavour.

    Examples
    --------
    >>> beam = RecoilExperiment(3.0, 8.0, neutrinos=Line(10.0))
    >>> c = Couplings.of(m_Zp=17.0, C_Ve=1e-4, C_numu=[0.0, 1e-6])
    >>> ratio = recoil_ratio(beam, c, c.C_numu)
    >>> float(ratio[0]), bool(ratio[1] != 1)
    (1.0, True)
    """
    if c.vanish("C_Ve", "C_Ae"):
        return np.ones(len(c))
    return _ratio(experiment, c.m_Zp, c.log_m, c.C_Ve, c.C_Ae, c_nu)


def scattering_ratio(
    experiment: RecoilExperiment, m_Zp: Any, c_ve: Any, c_ae: Any, c_nu: Any
) -> FloatArray:
    """Return :func:`recoil_ratio` for arrays or numbers, broadcast together.

    A reference function for users and tests; fits use the observables of
    :mod:`zpfit.physics.recoil_experiments`.

    Parameters
    ----------
    experiment : RecoilExperiment
        Beam and window of recoils.
    m_Zp : array_like
        Mass in MeV.
    c_ve, c_ae, c_nu : array_like
        Dimensionless couplings of the electron and of the experiment's flavour.
    """
    (m, c_ve, c_ae, c_nu), shape = flat(m_Zp, c_ve, c_ae, c_nu)
    return _ratio(experiment, m, np.log(m), c_ve, c_ae, c_nu).reshape(shape)


def _ratio(
    experiment: RecoilExperiment,
    m_Zp: FloatArray,
    log_m: FloatArray,
    c_ve: FloatArray,
    c_ae: FloatArray,
    c_nu: FloatArray,
) -> FloatArray:
    result: FloatArray = _scattering_ratio(
        m_Zp, log_m, c_ve, c_ae, c_nu, *_kernel_arguments(experiment)
    )
    return result


@cache
def _kernel_arguments(experiment: RecoilExperiment) -> tuple[float, float, float, FloatArray]:
    return _propagator_scale(experiment), *recoil_table(experiment).arguments()


def standard_model_rate(experiment: RecoilExperiment) -> float:
    """Return the cross-section into the window, integrated over the spectrum, in MeV^-2."""
    _, kinds = phase_space(experiment)
    left, right, mixed = kinds.sum(axis=1)
    g_left, g_right = experiment.g_left(), experiment.sin2_theta_w
    total = g_left**2 * left + g_right**2 * right - g_left * g_right * mixed
    return float(2 * FERMI_CONSTANT**2 * ELECTRON_MASS / pi * total)


def recoil_coefficients(experiment: RecoilExperiment, m2: FloatArray) -> FloatArray:
    """Return the coefficients of C_V, C_A, C_V^2, C_V C_A, C_A^2 in the ratio - 1.

    Parameters
    ----------
    experiment : RecoilExperiment
        Beam and window of recoils.
    m2 : numpy.ndarray, shape (n,)
        m_Zp^2 in MeV^2.

    Returns
    -------
    numpy.ndarray, shape (5, n)
        For C_nu = 1. The linear ones scale with C_nu, the quadratic ones with C_nu^2.
    """
    recoils, kinds = phase_space(experiment)
    shift = 1 / (2 * sqrt(2) * FERMI_CONSTANT * (m2[:, None] + 2 * ELECTRON_MASS * recoils))
    left, right, mixed = kinds @ shift.T
    left2, right2, mixed2 = kinds @ (shift**2).T
    g_left, g_right = experiment.g_left(), experiment.sin2_theta_w
    all_left, all_right, all_mixed = kinds.sum(axis=1)
    standard_model = g_left**2 * all_left + g_right**2 * all_right - g_left * g_right * all_mixed
    terms = (
        2 * g_left * left + 2 * g_right * right - (g_left + g_right) * mixed,
        -2 * g_left * left + 2 * g_right * right - (g_left - g_right) * mixed,
        left2 + right2 - mixed2,
        2 * (right2 - left2),
        left2 + right2 + mixed2,
    )
    coefficients: FloatArray = np.stack(terms) / standard_model
    return coefficients


@cache
def recoil_table(experiment: RecoilExperiment) -> UniformSpline:
    """Return splines of the five scaled :func:`recoil_coefficients` against ln m_Zp."""

    def scaled(log_m: FloatArray) -> FloatArray:
        m2 = np.exp(2 * log_m)
        propagator = m2 + _propagator_scale(experiment)
        powers = np.array([1, 1, 2, 2, 2])[:, None]
        scaled_coefficients: FloatArray = recoil_coefficients(experiment, m2) * propagator**powers
        return scaled_coefficients

    return tabulate(scaled, *np.log(MASS_RANGE))


def _propagator_scale(experiment: RecoilExperiment) -> float:
    """Return a typical 2 m_e T in MeV^2.

    Coefficients times (m^2 + scale) vary slowly with the mass, which keeps splines accurate.
    """
    return 2 * ELECTRON_MASS * 0.5 * (experiment.recoil_min + experiment.recoil_end())


def phase_space(experiment: RecoilExperiment) -> tuple[FloatArray, FloatArray]:
    """Return the nodes of a quadrature over energy and recoil: recoils (n,), weights (3, n).

    The weights are those of g_L^2, g_R^2 and -g_L g_R in the cross-section.
    """
    recoils, kinds = [], []
    for spectrum, antineutrino in (
        (experiment.neutrinos, False),
        (experiment.antineutrinos, True),
    ):
        if spectrum is None:
            continue
        recoil, unity, squared, mixed = _beam_phase_space(experiment, spectrum)
        recoils.append(recoil)
        left, right = (squared, unity) if antineutrino else (unity, squared)
        kinds.append(np.stack([left, right, mixed]))
    return np.concatenate(recoils), np.concatenate(kinds, axis=1)


def _beam_phase_space(
    experiment: RecoilExperiment, spectrum: Spectrum | Line
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return recoils, and the weights of a^2, b^2 and -a b in the cross-section."""
    low, high = least_energy(experiment.recoil_min), least_energy(experiment.recoil_max)
    energy, weight = spectrum.nodes(low, high)
    end = np.minimum(experiment.recoil_max, 2 * energy**2 / (2 * energy + ELECTRON_MASS))
    nodes, weights = np.polynomial.legendre.leggauss(RECOIL_NODES)
    half = 0.5 * (end - experiment.recoil_min)[:, None]
    recoil = experiment.recoil_min + half * (nodes + 1)
    unity = weight[:, None] * half * weights
    squared = unity * (1 - recoil / energy[:, None]) ** 2
    mixed = unity * ELECTRON_MASS * recoil / energy[:, None] ** 2
    return recoil.ravel(), unity.ravel(), squared.ravel(), mixed.ravel()


@gufunc("(p),(p),(p),(p),(p),(),(),(),(n,f,k)->(p)")
def _scattering_ratio(  # type: ignore[no-untyped-def]
    m_Zp, log_m, c_ve, c_ae, c_nu, scale, start, inverse_step, table, out
):
    # The table holds coefficients times (m^2 + scale)^power; z takes the factors out again.
    for i in range(m_Zp.shape[0]):
        interval, offset = locate(log_m[i], start, inverse_step, table)
        c_v, c_a = c_ve[i], c_ae[i]
        z = c_nu[i] / (m_Zp[i] * m_Zp[i] + scale)
        linear = c_v * polynomial(table, interval, 0, offset)
        linear += c_a * polynomial(table, interval, 1, offset)
        quadratic = c_v * c_v * polynomial(table, interval, 2, offset)
        quadratic += c_v * c_a * polynomial(table, interval, 3, offset)
        quadratic += c_a * c_a * polynomial(table, interval, 4, offset)
        out[i] = 1 + z * linear + z * z * quadratic
