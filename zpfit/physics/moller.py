"""Parity violation in Moller scattering."""

from math import sqrt
from typing import Final

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import ufunc
from zpfit.physics.constants import FERMI_CONSTANT
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, observable

_Q2: Final = 0.026e6
"""Mean momentum transfer of E158 in the t channel, MeV^2 (hep-ex/0504049)."""
_U: Final = _Q2 * (1 - 0.6) / 0.6
"""Momentum transfer in the u channel, Q^2 (1 - y)/y with E158's mean y = 0.6, MeV^2."""


@observable(reads=("m_Zp", "C_Ve", "C_Ae"), group=Group.SCATTERING)
def e158_sin2_theta(c: Couplings) -> FloatArray:
    """Return the shift of sin^2(theta_w) in E158's asymmetry; shape (n,).

    C_Ve C_Ae [1/(Q^2 + m^2) + 1/(U + m^2)] / (2 sqrt2 G_F) at the mean kinematics. At tree
    level parity violation is the difference of LL and RR scattering, to which Z and Z'
    contribute in the t and u channels. The spread of the kinematics makes the result
    uncertain by 4-15 %.

    References
    ----------
    Experiment: P. L. Anthony et al., hep-ex/0504049.

    Examples
    --------
    >>> shift = e158_sin2_theta(Couplings.of(m_Zp=17.0, C_Ve=1e-4, C_Ae=[1e-4, -1e-4]))
    >>> print(shift.round(4).tolist())
    [0.0287, -0.0287]
    """
    result: FloatArray = _e158(c.m_Zp, c.C_Ve, c.C_Ae)
    return result


@ufunc
def _e158(m_Zp, c_ve, c_ae):  # type: ignore[no-untyped-def]
    m2 = m_Zp * m_Zp
    channels = 1 / (_Q2 + m2) + 1 / (_U + m2)
    return c_ve * c_ae * channels / (2 * sqrt(2.0) * FERMI_CONSTANT)
