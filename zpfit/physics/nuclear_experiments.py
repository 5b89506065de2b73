"""Anomalous electron-positron pairs from excited nuclei, as ATOMKI and MEG II count them.

Rates of :mod:`zpfit.physics.nuclear` times the branching ratio to e+ e-. They are zero above the
energy of each transition, and below twice the electron's mass, where there are no such decays. The
Z' must decay promptly, which electron couplings above 1e-6 ensure.

Nuclear inputs are uncertain. Their deviations, in standard errors, are nuisance parameters:

``be8_vector``
    20 % of both vector amplitudes of Be-8, about the change between descriptions of isospin.
``be8_spins_1815``, ``be8_spins_1764``
    Spins of protons and neutrons, whose errors are independent: only their weighted sum matters.
``he4_axial``, ``c12_axial``
    A factor of two of the axial amplitude, log-normal.
``c12_energy``
    0.57 MeV of the energy of C-12, whose broad state was excited between 17.23 and 17.8 MeV.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.physics.nuclear import (
    BE8_1764,
    BE8_1815,
    CARBON,
    MagneticDipole,
    carbon_axial,
    electric_dipole,
    helium_axial,
    helium_vector,
    magnetic_dipole_axial,
    magnetic_dipole_vector,
)
from zpfit.physics.nucleons import (
    AXIAL_INPUTS,
    NUCLEON_INPUTS,
    axial_couplings,
    neutron_coupling,
    proton_coupling,
)
from zpfit.physics.observables import Group, observable

Deviations = Mapping[str, FloatArray]
"""Deviations of uncertain inputs, in standard errors, each of shape (n,)."""

_NONE: Final[Deviations] = MappingProxyType({})
_VECTOR_ERROR: Final = 0.2
"""Relative error of vector amplitudes of Be-8."""
_SPIN_ERRORS: Final = {BE8_1815: (0.029, 0.033), BE8_1764: (0.028, 0.029)}
"""Errors of the spin matrix elements of protons and neutrons (arXiv:1612.01525)."""
_SPINS: Final = {BE8_1815: "be8_spins_1815", BE8_1764: "be8_spins_1764"}
_ENERGY_RANGE: Final = 0.57
"""From 17.23 to 17.8 MeV."""
_CAPTURE: Final = 20.32
"""Mean energy of the three measurements of proton capture by tritium, MeV."""
_VECTOR_STRENGTH, _AXIAL_STRENGTH = 0.20, 0.87
"""ATOMKI's rate of He-4 over the pair width, read as the transition of 0+ and of 0-."""

_VECTOR_READS: Final = (
    "m_Zp", "C_Ve", "C_Ae", "C_nue", "C_numu", "C_nutau", "width_dark", *NUCLEON_INPUTS,
)  # fmt: skip
_READS: Final = (*_VECTOR_READS, *AXIAL_INPUTS)


@observable(
    reads=_READS,
    group=Group.OTHER,
    symbol=r"B_{18.15}(^8\mathrm{Be})",
    bound_only=True,
    theory=("be8_vector", "be8_spins_1815"),
)
def be8_1815(c: Couplings, deviations: Deviations = _NONE) -> FloatArray:
    """Return the rate of pairs by a Z' over that of photons, Be-8 at 18.15 MeV; shape (n,).

    Parameters
    ----------
    c : Couplings
        n points.
    deviations : mapping of str to numpy.ndarray, shape (n,)
        Deviations of uncertain inputs, in standard errors; zero if missing.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=[17.0, 18.2], C_Ve=2e-4, C_Au=6e-5, C_Ad=6e-5)
    >>> print([f"{rate:.1e}" for rate in be8_1815(c)])
    ['5.8e-06', '0.0e+00']
    """
    return _beryllium(c, BE8_1815, deviations)


@observable(
    reads=_READS,
    group=Group.OTHER,
    symbol=r"B_{17.64}(^8\mathrm{Be})",
    bound_only=True,
    theory=("be8_vector", "be8_spins_1764"),
)
def be8_1764(c: Couplings, deviations: Deviations = _NONE) -> FloatArray:
    """Return the rate of pairs by a Z' over that of photons, Be-8 at 17.64 MeV; shape (n,).

    See :func:`be8_1815`.
    """
    return _beryllium(c, BE8_1764, deviations)


@observable(
    reads=_READS,
    group=Group.OTHER,
    symbol=r"H(^4\mathrm{He})",
    bound_only=True,
    theory=("he4_axial",),
)
def he4_pairs(c: Couplings, deviations: Deviations = _NONE) -> FloatArray:
    """Return the rate of pairs by a Z' over that of ATOMKI, He-4 at 20.21 and 21.01 MeV.

    A vector Z' comes from the state 0+, an axial one from 0-. ATOMKI's rate is 0.20 of the pair
    width for the former and 0.87 for the latter; a Z' of both kinds adds the strengths.

    Parameters
    ----------
    c : Couplings
        n points.
    deviations : mapping of str to numpy.ndarray, shape (n,)
        Deviations of uncertain inputs, in standard errors; zero if missing.

    Examples
    --------
    >>> print(he4_pairs(Couplings.of(m_Zp=17.0, C_Ve=2e-4, C_Au=1e-4, C_Ad=1e-4)).round(2))
    [0.55]
    """
    vector = helium_vector(c.m_Zp, proton_coupling(c), neutron_coupling(c)) / _VECTOR_STRENGTH
    axial = helium_axial(c.m_Zp, *axial_couplings(c)) / _AXIAL_STRENGTH
    result: FloatArray = c.br_ee * (vector + axial * _doubled(deviations, "he4_axial"))
    return result


@observable(
    reads=_VECTOR_READS, group=Group.OTHER, symbol=r"B_\mathrm{E1}(^4\mathrm{He})", bound_only=True
)
def he4_capture(c: Couplings) -> FloatArray:
    """Return the rate of pairs by a Z' over that of photons, direct capture 3H(p, Z')4He.

    Electric dipole emission by vector couplings at 20.32 MeV, the mean of three energies; shape
    (n,). It is another reading of the data of :func:`he4_pairs`.

    References
    ----------
    X. Zhang and G. A. Miller, arXiv:2008.11288.
    """
    vector = electric_dipole(c.m_Zp, proton_coupling(c), neutron_coupling(c), _CAPTURE)
    result: FloatArray = c.br_ee * vector
    return result


@observable(
    reads=(*_VECTOR_READS, "C_Au", "C_Ad"),
    group=Group.OTHER,
    symbol=r"B(^{12}\mathrm{C})",
    bound_only=True,
    theory=("c12_axial", "c12_energy"),
)
def c12_1723(c: Couplings, deviations: Deviations = _NONE) -> FloatArray:
    """Return the rate of pairs by a Z' over that of photons, C-12 at 17.23 MeV; shape (n,).

    Parameters
    ----------
    c : Couplings
        n points.
    deviations : mapping of str to numpy.ndarray, shape (n,)
        Deviations of uncertain inputs, in standard errors; zero if missing.

    Examples
    --------
    >>> print(f"{c12_1723(Couplings.of(m_Zp=17.0, C_Ve=2e-4, C_Vd=1e-3))[0]:.1e}")
    2.6e-06
    """
    energy = CARBON.energy + _ENERGY_RANGE * _deviation(deviations, "c12_energy")
    vector = electric_dipole(c.m_Zp, proton_coupling(c), neutron_coupling(c), energy)
    axial = carbon_axial(c.m_Zp, *axial_couplings(c), replace(CARBON, energy=energy))
    result: FloatArray = c.br_ee * (vector + axial * _doubled(deviations, "c12_axial"))
    return result


@observable(reads=("m_Zp",), group=Group.OTHER, symbol=r"m_{Z'}", bound_only=True)
def mass(c: Couplings) -> FloatArray:
    """Return the mass of the Z' in MeV, shape (n,)."""
    return c.m_Zp


def _beryllium(c: Couplings, state: MagneticDipole, deviations: Deviations) -> FloatArray:
    """Return the rate of pairs over that of photons of a state of Be-8, shape (n,)."""
    vector = magnetic_dipole_vector(c.m_Zp, proton_coupling(c), neutron_coupling(c), state)
    vector = vector * (1 + _VECTOR_ERROR * _deviation(deviations, "be8_vector")) ** 2
    a_p, a_n = axial_couplings(c)
    amplitude = np.abs(a_p * state.proton_spin + a_n * state.neutron_spin)
    # Independent errors of two spins are one of their sum, towards a larger size.
    error_p, error_n = _SPIN_ERRORS[state]
    spread = np.hypot(a_p * error_p, a_n * error_n)
    amplitude = amplitude + spread * _deviation(deviations, _SPINS[state])
    # Written with the amplitude itself, as a unit spin of protons alone with this coupling has it.
    unit = replace(state, proton_spin=1.0, neutron_spin=0.0)
    axial = magnetic_dipole_axial(c.m_Zp, amplitude, 0.0, unit)
    result: FloatArray = c.br_ee * (vector + axial)
    return result


def _deviation(deviations: Deviations, name: str) -> Any:
    return deviations.get(name, 0.0)


def _doubled(deviations: Deviations, name: str) -> Any:
    """Return the factor of a rate whose amplitude has a log-normal error of a factor of two."""
    return 4.0 ** _deviation(deviations, name)
