"""Neutrino-electron scattering with a Z', as ratios to the Standard Model: the paper's formulas.

:mod:`zpfit.physics.recoil_experiments` has the same experiments from first principles.
"""

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import ufunc
from zpfit.physics.couplings import Couplings
from zpfit.physics.electron_recoils import RecoilExperiment, recoil_ratio
from zpfit.physics.neutrino_spectra import Line


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


CHARM2_NU = RecoilExperiment(3e3, 24e3, neutrinos=Line(23.7e3))
"""nu_mu at CHARM-II at their mean energy; Vilain et al., PLB 335, 246 (1994)."""
CHARM2_NUBAR = RecoilExperiment(3e3, 24e3, antineutrinos=Line(19.1e3))
"""nubar_mu at CHARM-II at their mean energy; Vilain et al., PLB 335, 246 (1994)."""


def charm2_nu(c: Couplings) -> FloatArray:
    """nu_mu e at CHARM-II's mean energy, sigma/sigma_SM with the full propagator; shape (n,)."""
    return recoil_ratio(CHARM2_NU, c, c.C_numu)


def charm2_nubar(c: Couplings) -> FloatArray:
    """nubar_mu e at CHARM-II's mean energy, sigma/sigma_SM with the full propagator; shape (n,)."""
    return recoil_ratio(CHARM2_NUBAR, c, c.C_numu)
