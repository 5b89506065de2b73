r"""Emission of a Z' in transitions of excited nuclei: Be-8, He-4 and C-12.

A nuclear transition of energy E0 emits a Z' of momentum k = sqrt(E0^2 - m^2), the recoil of the
nucleus being negligible (below 1 keV). Parity decides which couplings of the nucleons contribute:

==========  ===========  ============  ==========================  ==========================
nucleus     E0 [MeV]     transition    vector                      axial
==========  ===========  ============  ==========================  ==========================
Be-8        18.15        1+ -> 0+      magnetic dipole             s-wave
Be-8        17.64        1+ -> 0+      magnetic dipole             s-wave
He-4        20.21        0+ -> 0+      monopole                    none
He-4        21.01        0- -> 0+      none                        p-wave
C-12        17.23        1- -> 0+      electric dipole             spin dipole
==========  ===========  ============  ==========================  ==========================

Vector and axial amplitudes have opposite parity, so total rates have no interference. All rates
vanish continuously at threshold, m = E0, and are zero beyond.

The formulas hold for 1 MeV < m < 135 MeV. The nuclear inputs (:class:`NuclearInputs`) are from the
literature or from shell-model estimates, and most are uncertain by 20 % to a factor of two.
"""

from dataclasses import dataclass
from math import pi
from typing import Any, Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.constants import ELECTRIC_CHARGE, FINE_STRUCTURE

_HBAR_C: Final = 197.3269804
"""MeV fm."""


@dataclass(frozen=True)
class MagneticDipole:
    """A transition 1+ -> 0+ of Be-8.

    Vector couplings of protons and neutrons enter as isoscalar and isovector combination, each with
    its share of the photon's amplitude; the shares add up to 1.
    """

    energy: float
    """Energy of the transition, MeV."""
    width: float
    """Width of the decay by a photon, MeV."""
    isoscalar: float
    """Isoscalar share of the photon's magnetic dipole amplitude."""
    proton_spin: float
    """Reduced matrix element <0||sigma||1> of the protons."""
    neutron_spin: float
    """The same of the neutrons."""


@dataclass(frozen=True)
class MixedStates:
    """The two 1+ states of Be-8 as mixtures of states of isospin 0 and 1.

    |18.15> = beta |0> - alpha |1> and |17.64> = alpha |0> + beta |1>.

    References
    ----------
    J. Feng et al., arXiv:1608.03591.

    Examples
    --------
    >>> print(round(MixedStates(breaking=0.0).isoscalar_1815, 4))
    -0.0931
    """

    alpha: float = 0.21
    beta: float = 0.98
    scalar: float = 0.014
    """Isoscalar magnetic dipole amplitude, nuclear magnetons."""
    vector: float = 0.767
    """Isovector amplitude, nuclear magnetons."""
    breaking: float = 0.549
    """Amplitude from the breaking of isospin in the transition itself, over the isovector one."""

    @property
    def isoscalar_1815(self) -> float:
        """Isoscalar share of the amplitude of the 18.15 MeV transition."""
        scalar = self.beta * self.scalar
        return scalar / (scalar + (self.beta * self.breaking - self.alpha) * self.vector)

    @property
    def isoscalar_1764(self) -> float:
        """Isoscalar share of the amplitude of the 17.64 MeV transition."""
        scalar = self.alpha * self.scalar
        return scalar / (scalar + (self.beta + self.alpha * self.breaking) * self.vector)


_STATES: Final = MixedStates()

BE8_1815: Final = MagneticDipole(18.15, 1.9e-6, _STATES.isoscalar_1815, -0.047, -0.132)
BE8_1764: Final = MagneticDipole(17.64, 1.5e-5, _STATES.isoscalar_1764, 0.102, -0.073)


@dataclass(frozen=True)
class Helium:
    """Inputs of the two transitions of He-4."""

    energy: float = 20.21
    """Energy of the state 0+, MeV."""
    energy_odd: float = 21.01
    """Energy of the state 0-, MeV."""
    pair_width: float = 3.3e-10
    """Width of the decay of 0+ to an electron-positron pair, MeV."""
    dipole: float = 3.33
    """Spin dipole matrix element <0||sum sigma.r||0->, fm: shell model, an upper estimate."""
    retardation: float = 2 / 3
    """Factor of the amplitude from the axial charge; 1/3 without it."""


@dataclass(frozen=True)
class Carbon:
    """Inputs of the transition of C-12."""

    energy: float = 17.23
    """Energy of the state 1-, MeV; its width is 1.15 MeV, and 17.23 to 17.8 MeV was excited."""
    width: float = 4.4e-5
    """Width of the decay by a photon, MeV."""
    dipole: float = 1.34
    """Spin dipole matrix element |<0||r x sigma||1->|/sqrt(2), fm: shell model."""


HELIUM: Final = Helium()
CARBON: Final = Carbon()


def magnetic_dipole_vector(m_Zp: Any, c_vp: Any, c_vn: Any, state: MagneticDipole) -> FloatArray:
    """Return Gamma(Z')/Gamma(gamma) of a transition of Be-8 by vector couplings.

    [w0 (eps_p + eps_n) + w1 (eps_p - eps_n)]^2 (k/E0)^3 with eps = C_V/e and w0 + w1 = 1.

    Parameters
    ----------
    m_Zp : array_like
        Mass of the Z', MeV.
    c_vp, c_vn : array_like
        Vector couplings of proton and neutron; shapes broadcast.
    state : MagneticDipole
        The excited state.

    References
    ----------
    J. Feng et al., arXiv:1608.03591.

    Examples
    --------
    A photon has eps_p = 1 and eps_n = 0. A light Z' that couples like it has its rate:

    >>> from zpfit.physics.constants import ELECTRIC_CHARGE
    >>> print(magnetic_dipole_vector(1e-3, ELECTRIC_CHARGE, 0.0, BE8_1815).round(6))
    1.0
    """
    scalar, vector = np.add(c_vp, c_vn), np.subtract(c_vp, c_vn)
    amplitude = state.isoscalar * scalar + (1 - state.isoscalar) * vector
    result: FloatArray = (amplitude / ELECTRIC_CHARGE) ** 2 * _speed(m_Zp, state.energy) ** 3
    return result


def magnetic_dipole_axial(m_Zp: Any, a_p: Any, a_n: Any, state: MagneticDipole) -> FloatArray:
    """Return Gamma(Z')/Gamma(gamma) of a transition of Be-8 by axial couplings.

    k/(18 pi Gamma_gamma) (2 + E0^2/m^2) (a_p <sigma_p> + a_n <sigma_n>)^2. The pion pole does not
    contribute.

    Parameters
    ----------
    m_Zp : array_like
        Mass of the Z', MeV.
    a_p, a_n : array_like
        Axial couplings of proton and neutron; shapes broadcast.
    state : MagneticDipole
        The excited state.

    References
    ----------
    J. Kozaczuk, D. Morrissey, S. Stroberg, arXiv:1612.01525.

    Examples
    --------
    >>> print(f"{magnetic_dipole_axial(17.0, 3e-5, 3e-5, BE8_1815):.1e}")
    5.4e-06
    """
    amplitude = np.multiply(a_p, state.proton_spin) + np.multiply(a_n, state.neutron_spin)
    momentum = state.energy * _speed(m_Zp, state.energy)
    longitudinal = 2 + (state.energy / np.asarray(m_Zp)) ** 2
    result: FloatArray = momentum * longitudinal / (18 * pi * state.width) * amplitude**2
    return result


def helium_vector(m_Zp: Any, c_vp: Any, c_vn: Any, helium: Helium = HELIUM) -> FloatArray:
    """Return Gamma(Z')/Gamma(e+ e-) of the transition 0+ -> 0+ of He-4.

    (15 pi/2 alpha) (eps_p + eps_n)^2 m^2 k^3/E0^5: no single photon can be emitted, so the rate is
    over that of a pair by a virtual photon, Gamma = alpha^2 E0^5 |M0|^2/(135 pi).

    Parameters
    ----------
    m_Zp : array_like
        Mass of the Z', MeV.
    c_vp, c_vn : array_like
        Vector couplings of proton and neutron; shapes broadcast.
    helium : Helium
        Inputs.

    Examples
    --------
    >>> print(helium_vector(17.0, 0.0, 3e-3).round(3))
    0.035
    """
    ratio = np.asarray(m_Zp) / helium.energy
    amplitude = np.add(c_vp, c_vn) / ELECTRIC_CHARGE * ratio
    kinematics = _speed(m_Zp, helium.energy) ** 3
    result: FloatArray = 7.5 * pi / FINE_STRUCTURE * amplitude**2 * kinematics
    return result


def helium_axial(m_Zp: Any, a_p: Any, a_n: Any, helium: Helium = HELIUM) -> FloatArray:
    """Return Gamma(Z') of the transition 0- -> 0+ over the pair width of 0+ of He-4.

    c^2 k^3 E0^2 D^2/(2 pi m^2 Gamma_pair), D = (a_p + a_n)/2 times the spin dipole. The amplitude
    is an estimate within a factor of two.

    Parameters
    ----------
    m_Zp : array_like
        Mass of the Z', MeV.
    a_p, a_n : array_like
        Axial couplings of proton and neutron; shapes broadcast.
    helium : Helium
        Inputs.

    Examples
    --------
    >>> print(helium_axial(16.94, 5e-5, 5e-5).round(2))
    0.45
    """
    energy = helium.energy_odd
    dipole = 0.5 * np.add(a_p, a_n) * helium.dipole / _HBAR_C
    amplitude = helium.retardation * dipole * energy / np.asarray(m_Zp)
    momentum = energy * _speed(m_Zp, energy)
    result: FloatArray = momentum**3 * amplitude**2 / (2 * pi * helium.pair_width)
    return result


def electric_dipole(m_Zp: Any, c_vp: Any, c_vn: Any, energy: Any) -> FloatArray:
    """Return Gamma(Z')/Gamma(gamma) of electric dipole emission by vector couplings.

    (eps_p - eps_n)^2 (k/E0) (1 + m^2/(2 E0^2)): of C-12 at 17.23 MeV, and of direct capture of
    protons by tritium at 20.2 to 20.5 MeV.

    Parameters
    ----------
    m_Zp : array_like
        Mass of the Z', MeV.
    c_vp, c_vn : array_like
        Vector couplings of proton and neutron; shapes broadcast.
    energy : array_like
        Energy of the transition, MeV.

    Examples
    --------
    >>> print(f"{electric_dipole(17.03, 0.0, 1.2e-3, 17.8):.2e}")
    6.66e-06
    """
    amplitude = np.subtract(c_vp, c_vn) / ELECTRIC_CHARGE
    massive = 1 + 0.5 * (np.asarray(m_Zp) / energy) ** 2
    result: FloatArray = amplitude**2 * _speed(m_Zp, energy) * massive
    return result


def carbon_axial(m_Zp: Any, a_p: Any, a_n: Any, carbon: Carbon = CARBON) -> FloatArray:
    """Return Gamma(Z')/Gamma(gamma) of the spin dipole transition of C-12 by axial couplings.

    k^3/(36 pi Gamma_gamma) (a_p - a_n)^2 d^2. The shell model's d is an estimate within a factor of
    two.

    Parameters
    ----------
    m_Zp : array_like
        Mass of the Z', MeV.
    a_p, a_n : array_like
        Axial couplings of proton and neutron; shapes broadcast.
    carbon : Carbon
        Inputs.

    Examples
    --------
    >>> print(f"{carbon_axial(17.03, 1e-3, -1e-3):.2e}")
    6.65e-07
    """
    amplitude = np.subtract(a_p, a_n) * carbon.dipole / _HBAR_C
    momentum = carbon.energy * _speed(m_Zp, carbon.energy)
    result: FloatArray = momentum**3 * amplitude**2 / (36 * pi * carbon.width)
    return result


def _speed(m_Zp: Any, energy: Any) -> FloatArray:
    """Return k/E0, zero below threshold."""
    ratio = np.asarray(m_Zp) / energy
    result: FloatArray = np.sqrt(np.maximum((1 - ratio) * (1 + ratio), 0))
    return result
