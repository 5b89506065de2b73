"""Bounds from stars."""

from math import sqrt

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import ufunc
from zpfit.physics.constants import FERMI_CONSTANT
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, observable


@observable(
    reads=("m_Zp", "C_Ve", "C_Ae", "C_nue", "C_numu", "C_nutau"),
    group=Group.OTHER,
    bound_only=True,
)
def white_dwarf_cooling(c: Couplings) -> FloatArray:
    """Return the Z' constant of e e nu nu over G_F, Eq. (9) of arXiv:2102.07781; shape (n,).

    White dwarfs cool no faster than observed if it is below about 1: a benchmark, not a
    confidence level.

    References
    ----------
    H. K. Dreiner et al., arXiv:1303.7232.
    """
    result: FloatArray = _white_dwarf_cooling(c.m_Zp, c.C_Ve, c.C_Ae, c.C_nue, c.C_numu, c.C_nutau)
    return result


@ufunc
def _white_dwarf_cooling(m_Zp, c_ve, c_ae, c_nue, c_numu, c_nutau):  # type: ignore[no-untyped-def]
    electron2 = c_ve * c_ve + c_ae * c_ae
    neutrino2 = c_nue * c_nue + c_numu * c_numu + c_nutau * c_nutau
    return sqrt(electron2 * neutrino2) / (m_Zp * m_Zp * FERMI_CONSTANT)
