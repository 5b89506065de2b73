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
from zpfit.physics.constants import ELECTRIC_CHARGE
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
from zpfit.physics.observables import Group, Targets, observable
from zpfit.physics.rate_profile import (
    energy_and_amplitude,
    log_normal_amplitude,
    shared_amplitudes,
)

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

MASSES: Final = (1.0, 135.0)
"""Range in MeV where the formulas of :mod:`zpfit.physics.nuclear` hold."""
_VECTOR_READS: Final = (
    "m_Zp", "C_Ve", "C_Ae", "C_nue", "C_numu", "C_nutau", "width_dark", *NUCLEON_INPUTS,
)  # fmt: skip
READS: Final = (*_VECTOR_READS, *AXIAL_INPUTS)


def profiled_beryllium(
    c: Couplings, targets: Targets, widths: Mapping[str, float]
) -> dict[str, FloatArray]:
    """Return deviations of the vector amplitude and of the spins; see ``Profile``."""
    data = [targets.get(name, (0.0, 0.0)) for name in ("be8_1815", "be8_1764")]
    parts = [_beryllium_parts(c, state) for state in (BE8_1815, BE8_1764)]
    spreads = [
        widths.get(_SPINS[state], 0.0) * part[2] for state, part in zip(_SPINS, parts, strict=True)
    ]
    z = shared_amplitudes(
        (data[0][0], data[1][0]),
        (data[0][1], data[1][1]),
        (parts[0][0], parts[1][0]),
        (parts[0][1], parts[1][1]),
        (spreads[0], spreads[1]),
        _VECTOR_ERROR * widths.get("be8_vector", 0.0),
    )
    return dict(zip(("be8_vector", *_SPINS.values()), z, strict=True))


def profiled_helium(
    c: Couplings, targets: Targets, widths: Mapping[str, float]
) -> dict[str, FloatArray]:
    """Return the deviation of the axial amplitude of He-4; see ``Profile``."""
    width = widths.get("he4_axial", 0.0)
    return {"he4_axial": log_normal_amplitude(*targets["he4_pairs"], *_helium_parts(c), width)}


def profiled_carbon(
    c: Couplings, targets: Targets, widths: Mapping[str, float]
) -> dict[str, FloatArray]:
    """Return the deviations of energy and axial amplitude of C-12; see ``Profile``."""
    eps = (proton_coupling(c) - neutron_coupling(c)) / ELECTRIC_CHARGE
    # Over the cube of the momentum, which is the energy where the mass vanishes.
    axial = carbon_axial(0.0, *axial_couplings(c)) / CARBON.energy**3
    energy = CARBON.energy, _ENERGY_RANGE * widths.get("c12_energy", 0.0)
    rates = c.br_ee * eps**2, c.br_ee * axial
    width = widths.get("c12_axial", 0.0)
    z = energy_and_amplitude(*targets["c12_1723"], rates, c.m_Zp, energy, width)
    return {"c12_energy": z[0], "c12_axial": z[1]}


@observable(
    reads=READS,
    group=Group.OTHER,
    symbol=r"B_{18.15}(^8\mathrm{Be})",
    bound_only=True,
    masses=MASSES,
    theory=("be8_vector", "be8_spins_1815"),
    profile=profiled_beryllium,
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
    reads=READS,
    group=Group.OTHER,
    symbol=r"B_{17.64}(^8\mathrm{Be})",
    bound_only=True,
    masses=MASSES,
    theory=("be8_vector", "be8_spins_1764"),
    profile=profiled_beryllium,
)
def be8_1764(c: Couplings, deviations: Deviations = _NONE) -> FloatArray:
    """Return the rate of pairs by a Z' over that of photons, Be-8 at 17.64 MeV; shape (n,).

    See :func:`be8_1815`.
    """
    return _beryllium(c, BE8_1764, deviations)


@observable(
    reads=READS,
    group=Group.OTHER,
    symbol=r"H(^4\mathrm{He})",
    bound_only=True,
    masses=MASSES,
    theory=("he4_axial",),
    profile=profiled_helium,
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
    vector, axial = _helium_parts(c)
    result: FloatArray = vector + axial * _doubled(deviations, "he4_axial")
    return result


@observable(
    reads=_VECTOR_READS,
    group=Group.OTHER,
    symbol=r"B_\mathrm{E1}(^4\mathrm{He})",
    bound_only=True,
    masses=MASSES,
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
    masses=MASSES,
    theory=("c12_axial", "c12_energy"),
    profile=profiled_carbon,
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
    vector, amplitude, spread = _beryllium_parts(c, state)
    scale = 1 + _VECTOR_ERROR * _deviation(deviations, "be8_vector")
    shifted = amplitude + spread * _deviation(deviations, _SPINS[state])
    result: FloatArray = vector * scale**2 + shifted**2
    return result


def _beryllium_parts(
    c: Couplings, state: MagneticDipole
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return vector rate, root of the axial rate, and the error of that from spins; shape (n,)."""
    vector = magnetic_dipole_vector(c.m_Zp, proton_coupling(c), neutron_coupling(c), state)
    a_p, a_n = axial_couplings(c)
    # The rate of protons alone with a spin and a coupling of 1.
    unit = replace(state, proton_spin=1.0, neutron_spin=0.0)
    root = np.sqrt(c.br_ee * magnetic_dipole_axial(c.m_Zp, 1.0, 0.0, unit))
    amplitude = np.abs(a_p * state.proton_spin + a_n * state.neutron_spin)
    # Independent errors of two spins are one of their sum, towards a larger size.
    error_p, error_n = _SPIN_ERRORS[state]
    return c.br_ee * vector, root * amplitude, root * np.hypot(a_p * error_p, a_n * error_n)


def _helium_parts(c: Couplings) -> tuple[FloatArray, FloatArray]:
    """Return vector and axial rate of pairs over that of ATOMKI, shape (n,)."""
    vector = helium_vector(c.m_Zp, proton_coupling(c), neutron_coupling(c)) / _VECTOR_STRENGTH
    axial = helium_axial(c.m_Zp, *axial_couplings(c)) / _AXIAL_STRENGTH
    return c.br_ee * vector, c.br_ee * axial


def _deviation(deviations: Deviations, name: str) -> Any:
    return deviations.get(name, 0.0)


def _doubled(deviations: Deviations, name: str) -> Any:
    """Return the factor of a rate whose amplitude has a log-normal error of a factor of two."""
    return 4.0 ** _deviation(deviations, name)
