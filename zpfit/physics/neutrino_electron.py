"""Neutrino-electron scattering with a Z', as ratios to the Standard Model."""

from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Any

import numpy as np

from zpfit.physics.compiled import FloatArray, flat, gufunc, ufunc
from zpfit.physics.constants import ELECTRON_MASS, FERMI_CONSTANT, MASS_RANGE, SIN2_THETA_W
from zpfit.physics.couplings import Couplings
from zpfit.physics.spline import UniformSpline, locate, polynomial, tabulate


def texono(c: Couplings) -> FloatArray:
    """Reactor nubar_e e at TEXONO, sigma/sigma_SM; Eq. (13) of arXiv:2102.07781; shape (n,).

    The contact limit of the Z' propagator and rounded coefficients, as printed:
    the exact ones differ by 2-8 %.
    """
    result: FloatArray = _texono(c.m_Zp, c.C_Ve, c.C_Ae, c.C_nue)
    return result


@ufunc
def _texono(m_Zp, c_ve, c_ae, c_nue):  # type: ignore[no-untyped-def]
    z = 1e11 * c_nue / (m_Zp * m_Zp)
    linear = 2.07 * c_ve + 1.39 * c_ae
    quadratic = 1.37 * c_ve * c_ve + 2.62 * c_ve * c_ae + 1.64 * c_ae * c_ae
    return 1 + z * linear + z * z * quadratic


def borexino(c: Couplings) -> FloatArray:
    """Solar 7Be neutrinos at Borexino, rate/rate_SM; Eq. (14) of arXiv:2102.07781; shape (n,).

    50/25/25 % of the three flavours, contact limit, rounded coefficients, as
    printed: the exact ones differ by 7-16 %.
    """
    result: FloatArray = _borexino(c.m_Zp, c.C_Ve, c.C_Ae, c.C_nue, c.C_numu, c.C_nutau)
    return result


@ufunc
def _borexino(m_Zp, c_ve, c_ae, c_nue, c_numu, c_nutau):  # type: ignore[no-untyped-def]
    inverse_m2 = 1 / (m_Zp * m_Zp)
    c_other = c_numu + c_nutau
    linear = c_ve * (6.86 * c_nue - 1.16 * c_other) + c_ae * (-8.27 * c_nue + 2.22 * c_other)
    charged = 1.38 * c_ae * c_ae + 0.81 * c_ve * c_ve - 1.38 * c_ve * c_ae
    neutral = 2 * c_nue * c_nue + c_numu * c_numu + c_nutau * c_nutau
    return 1 + 1e10 * inverse_m2 * linear + 1e21 * inverse_m2 * inverse_m2 * charged * neutral


@dataclass(frozen=True)
class NeutrinoBeam:
    """A mono-energetic beam of (anti)neutrinos and the electron recoils that are counted."""

    energy: float
    """MeV."""
    antineutrino: bool
    recoil_min: float
    """MeV."""
    recoil_max: float
    """MeV, or the kinematic end point 2 E^2/(2E + m_e) where that is lower."""

    def recoil_end(self) -> float:
        """Upper end of the counted recoils in MeV."""
        return min(self.recoil_max, 2 * self.energy**2 / (2 * self.energy + ELECTRON_MASS))


CHARM2_NU = NeutrinoBeam(23.7e3, antineutrino=False, recoil_min=3e3, recoil_max=24e3)
"""nu_mu at CHARM-II at their mean energy; Vilain et al., PLB 335, 246 (1994)."""
CHARM2_NUBAR = NeutrinoBeam(19.1e3, antineutrino=True, recoil_min=3e3, recoil_max=24e3)
"""nubar_mu at CHARM-II at their mean energy; Vilain et al., PLB 335, 246 (1994)."""


def charm2_nu(c: Couplings) -> FloatArray:
    """nu_mu e at CHARM-II, sigma/sigma_SM; shape (n,). See :func:`scattering_ratio`."""
    return _ratio(CHARM2_NU, c.m_Zp, c.log_m, c.C_Ve, c.C_Ae, c.C_numu)


def charm2_nubar(c: Couplings) -> FloatArray:
    """nubar_mu e at CHARM-II, sigma/sigma_SM; shape (n,). See :func:`scattering_ratio`."""
    return _ratio(CHARM2_NUBAR, c.m_Zp, c.log_m, c.C_Ve, c.C_Ae, c.C_numu)


def scattering_ratio(beam: NeutrinoBeam, m_Zp: Any, c_ve: Any, c_ae: Any, c_nu: Any) -> FloatArray:
    """sigma/sigma_SM of nu_mu (or nubar_mu) e scattering with the full Z' propagator.

    dsigma/dT ~ a^2 + b^2 (1 - T/E)^2 - a b m_e T/E^2, (a, b) = (g_L, g_R) for
    neutrinos and (g_R, g_L) for antineutrinos; the Z' adds
    C_nu C_{L,R} / [2 sqrt2 G_F (m^2 + 2 m_e T)] to g_{L,R}
    (Lindner et al., arXiv:1803.00060). At a given mass the ratio is a quadratic
    form in the couplings; its coefficients come from :func:`beam_table`.
    Arrays or numbers, broadcast together.
    """
    (m, c_ve, c_ae, c_nu), shape = flat(m_Zp, c_ve, c_ae, c_nu)
    return _ratio(beam, m, np.log(m), c_ve, c_ae, c_nu).reshape(shape)


def _ratio(
    beam: NeutrinoBeam,
    m_Zp: FloatArray,
    log_m: FloatArray,
    c_ve: FloatArray,
    c_ae: FloatArray,
    c_nu: FloatArray,
) -> FloatArray:
    scale, table = _propagator_scale(beam), beam_table(beam)
    result: FloatArray = _scattering_ratio(m_Zp, log_m, c_ve, c_ae, c_nu, scale, *table.arguments())
    return result


def _propagator_scale(beam: NeutrinoBeam) -> float:
    """A typical 2 m_e T in MeV^2; coefficients times (m^2 + scale) vary slowly with the mass."""
    return 2 * ELECTRON_MASS * 0.5 * (beam.recoil_min + beam.recoil_end())


@cache
def beam_table(beam: NeutrinoBeam) -> UniformSpline:
    """The five coefficients of :func:`beam_coefficients`, scaled, against ln m_Zp."""

    def scaled(log_m: FloatArray) -> FloatArray:
        m2 = np.exp(2 * log_m)
        propagator = m2 + _propagator_scale(beam)
        powers = np.array([1, 1, 2, 2, 2])[:, None]
        scaled_coefficients: FloatArray = beam_coefficients(beam, m2) * propagator**powers
        return scaled_coefficients

    return tabulate(scaled, *np.log(MASS_RANGE))


def beam_coefficients(beam: NeutrinoBeam, m2: FloatArray) -> FloatArray:
    """Coefficients of C_V, C_A, C_V^2, C_V C_A, C_A^2 in sigma/sigma_SM - 1; shape (5, len(m2)).

    For C_nu = 1 and m_Zp^2 = ``m2`` in MeV^2; the linear ones scale with C_nu,
    the quadratic ones with C_nu^2. The integral over the recoil is Gauss-Legendre,
    exact to rounding for a propagator that varies by a factor of ten at most.
    """
    nodes, weights = np.polynomial.legendre.leggauss(48)
    half = 0.5 * (beam.recoil_end() - beam.recoil_min)
    recoil = beam.recoil_min + half * (nodes + 1)
    y2 = (1 - recoil / beam.energy) ** 2
    weight_left, weight_right = (
        (y2, np.ones_like(y2)) if beam.antineutrino else (np.ones_like(y2), y2)
    )
    weight_mixed = ELECTRON_MASS * recoil / beam.energy**2
    g_left, g_right = SIN2_THETA_W - 0.5, SIN2_THETA_W

    shift = 1 / (2 * sqrt(2) * FERMI_CONSTANT * (m2[:, None] + 2 * ELECTRON_MASS * recoil))
    left, right, mixed = (weights * w for w in (weight_left, weight_right, weight_mixed))
    standard_model = np.sum(g_left**2 * left + g_right**2 * right - g_left * g_right * mixed)
    terms = (
        shift * (2 * g_left * left + 2 * g_right * right - (g_left + g_right) * mixed),
        shift * (-2 * g_left * left + 2 * g_right * right - (g_left - g_right) * mixed),
        shift**2 * (left + right - mixed),
        shift**2 * 2 * (right - left),
        shift**2 * (left + right + mixed),
    )
    return np.stack([term.sum(axis=1) for term in terms]) / standard_model


@gufunc("(p),(p),(p),(p),(p),(),(),(),(n,f,k)->(p)")
def _scattering_ratio(  # type: ignore[no-untyped-def]
    m_Zp, log_m, c_ve, c_ae, c_nu, scale, start, inverse_step, table, out
):
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
