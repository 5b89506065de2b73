"""Approximate formulas of arXiv:2102.07781 as printed; their names begin with ``paper_``.

They reproduce the paper's results and carry its approximations. The exact counterparts
are in :mod:`zpfit.physics.recoil_experiments`, :mod:`zpfit.physics.trident` and
:mod:`zpfit.physics.moller`.
"""

from math import log

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import ufunc
from zpfit.physics.constants import MUON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.electron_recoils import RecoilExperiment, recoil_ratio
from zpfit.physics.neutrino_spectra import Line
from zpfit.physics.observables import Group, observable

_LOG_MUON_MASS = log(MUON_MASS)


@observable(reads=("m_Zp", "C_Ve", "C_Ae", "C_nue"), group=Group.SCATTERING)
def paper_texono(c: Couplings) -> FloatArray:
    """Return sigma/sigma_SM of reactor nubar_e e at TEXONO, Eq. (13); shape (n,).

    Contact limit of the Z' propagator with rounded coefficients. The exact ones differ
    by 2-8 %: see :func:`zpfit.physics.recoil_experiments.nue_texono`.

    Examples
    --------
    >>> paper_texono(Couplings.none()).tolist()
    [1.0]
    """
    result: FloatArray = _texono(c.m_Zp, c.C_Ve, c.C_Ae, c.C_nue)
    return result


@ufunc
def _texono(m_Zp, c_ve, c_ae, c_nue):  # type: ignore[no-untyped-def]
    # Eq. (13) with m_Zp in MeV.
    z = 1e11 * c_nue / (m_Zp * m_Zp)
    linear = 2.07 * c_ve + 1.39 * c_ae
    quadratic = 1.37 * c_ve * c_ve + 2.62 * c_ve * c_ae + 1.64 * c_ae * c_ae
    return 1 + z * linear + z * z * quadratic


@observable(reads=("m_Zp", "C_Ve", "C_Ae", "C_nue", "C_numu", "C_nutau"), group=Group.SCATTERING)
def paper_borexino(c: Couplings) -> FloatArray:
    """Return rate/rate_SM of solar 7Be neutrinos at Borexino, Eq. (14); shape (n,).

    50/25/25 % of the three flavours, contact limit, rounded coefficients. The exact ones
    differ by 7-16 %: see :func:`zpfit.physics.recoil_experiments.nue_borexino`.
    """
    result: FloatArray = _borexino(c.m_Zp, c.C_Ve, c.C_Ae, c.C_nue, c.C_numu, c.C_nutau)
    return result


@ufunc
def _borexino(m_Zp, c_ve, c_ae, c_nue, c_numu, c_nutau):  # type: ignore[no-untyped-def]
    # Eq. (14) with m_Zp in MeV.
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


@observable(reads=("m_Zp", "C_Ve", "C_Ae", "C_numu"), group=Group.SCATTERING)
def paper_charm2_nu(c: Couplings) -> FloatArray:
    """Return sigma/sigma_SM of nu_mu e at CHARM-II's mean energy; shape (n,).

    Full propagator, since the contact limit fails at 2 m_e T = (157 MeV)^2.
    """
    return recoil_ratio(CHARM2_NU, c, c.C_numu)


@observable(reads=("m_Zp", "C_Ve", "C_Ae", "C_numu"), group=Group.SCATTERING)
def paper_charm2_nubar(c: Couplings) -> FloatArray:
    """Return sigma/sigma_SM of nubar_mu e at CHARM-II's mean energy; shape (n,).

    Full propagator, as in :func:`paper_charm2_nu`.
    """
    return recoil_ratio(CHARM2_NUBAR, c, c.C_numu)


@observable(reads=("m_Zp", "C_Vmu", "C_numu"), group=Group.SCATTERING)
def paper_ccfr(c: Couplings) -> FloatArray:
    """Return sigma/sigma_SM of neutrino tridents, Eq. (16), C_Amu neglected; shape (n,).

    A leading-log estimate. Against the exact calculation
    (:func:`zpfit.physics.trident.trident_ccfr`) its linear coefficient is 2.4 times and its
    quadratic one 1.7-1.85 times too large at 10-30 MeV. The logarithm fails above 60 MeV.
    """
    result: FloatArray = _ccfr(c.log_m, c.C_Vmu, c.C_numu)
    return result


@ufunc
def _ccfr(log_m, c_vmu, c_numu):  # type: ignore[no-untyped-def]
    # Eq. (16) with ln(m_mu^2/m_Zp^2) = 2 (ln m_mu - ln m_Zp).
    x = c_vmu * c_numu
    return 1 + 5.6e5 * x + 1.3e11 * x * x * 2 * (_LOG_MUON_MASS - log_m)


@observable(reads=("C_Ve", "C_Ae"), group=Group.OTHER, bound_only=True)
def paper_moller(c: Couplings) -> FloatArray:
    """Return |C_Ve C_Ae|, which Eq. (12) bounds by parity violation; shape (n,).

    Independent of the mass, as printed for m_Zp below about 100 MeV. For the measured
    asymmetry see :func:`zpfit.physics.moller.e158_sin2_theta`.
    """
    result: FloatArray = _moller(c.C_Ve, c.C_Ae)
    return result


@ufunc
def _moller(c_ve, c_ae):  # type: ignore[no-untyped-def]
    return abs(c_ve * c_ae)
