"""Parity violation in Moller scattering."""

from math import sqrt
from typing import Final

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import ufunc
from zpfit.physics.constants import FERMI_CONSTANT
from zpfit.physics.couplings import Couplings


def moller_parity_violation(c: Couplings) -> FloatArray:
    """|C_Ve C_Ae|, the combination that Eq. (12) of arXiv:2102.07781 bounds; shape (n,).

    A mass-independent stand-in, as printed, for m_Zp below about 100 MeV.
    """
    result: FloatArray = _moller(c.C_Ve, c.C_Ae)
    return result


@ufunc
def _moller(c_ve, c_ae):  # type: ignore[no-untyped-def]
    return abs(c_ve * c_ae)


_Q2: Final = 0.026e6
"""Mean momentum transfer of E158 in MeV^2, the t channel's."""
_U: Final = _Q2 * (1 - 0.6) / 0.6
"""That of the u channel, from Q2 (1 - y)/y with y = 0.6."""


def e158_sin2_theta(c: Couplings) -> FloatArray:
    """Shift of the effective sin^2(theta_w) that E158's asymmetry measures; shape (n,).

    C_Ve C_Ae [1/(Q2 + m^2) + 1/(U + m^2)] / (2 sqrt2 G_F) at the mean kinematics: at tree
    level parity violation is the difference of LL and RR scattering, to which the
    exchange of Z and Z' in the t and u channels adds (experiment: Anthony et al.,
    hep-ex/0504049). The spread of the kinematics makes it uncertain by 4-15 %.
    """
    result: FloatArray = _e158(c.m_Zp, c.C_Ve, c.C_Ae)
    return result


@ufunc
def _e158(m_Zp, c_ve, c_ae):  # type: ignore[no-untyped-def]
    m2 = m_Zp * m_Zp
    channels = 1 / (_Q2 + m2) + 1 / (_U + m2)
    return c_ve * c_ae * channels / (2 * sqrt(2.0) * FERMI_CONSTANT)
