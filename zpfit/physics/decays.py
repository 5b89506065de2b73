"""Partial widths and branching ratios of the Z', at tree level, in MeV."""

from math import pi, sqrt

from zpfit.physics.compiled import FloatArray, inline, ufunc
from zpfit.physics.constants import ELECTRON_MASS, MUON_MASS, TAU_MASS
from zpfit.physics.couplings import Couplings


@inline
def width_ll(m_Zp: float, c_v: float, c_a: float, lepton_mass: float) -> float:
    """Gamma(Z' -> l+ l-), zero below threshold."""
    x = (lepton_mass / m_Zp) ** 2
    if x >= 0.25:
        return 0.0
    velocity2 = 1 - 4 * x
    return m_Zp / (12 * pi) * sqrt(velocity2) * (c_v * c_v * (1 + 2 * x) + c_a * c_a * velocity2)


@inline
def width_nunu(m_Zp: float, c_nue: float, c_numu: float, c_nutau: float) -> float:
    """Gamma(Z' -> nu nubar), summed over the three flavours of left-handed neutrinos."""
    return m_Zp / (24 * pi) * (c_nue * c_nue + c_numu * c_numu + c_nutau * c_nutau)


@inline
def width_not_ee(
    m_Zp: float,
    c_nue: float,
    c_vmu: float,
    c_amu: float,
    c_numu: float,
    c_vtau: float,
    c_atau: float,
    c_nutau: float,
) -> float:
    """Gamma of everything but Z' -> e+ e-."""
    width = width_nunu(m_Zp, c_nue, c_numu, c_nutau)
    if m_Zp > 2 * MUON_MASS:
        width += width_ll(m_Zp, c_vmu, c_amu, MUON_MASS)
    if m_Zp > 2 * TAU_MASS:
        width += width_ll(m_Zp, c_vtau, c_atau, TAU_MASS)
    return width


def br_ee(c: Couplings) -> FloatArray:
    """BR(Z' -> e+ e-), shape (n,); zero where no channel is open."""
    result: FloatArray = _br_ee(*c.rows())
    return result


@ufunc
def _br_ee(  # type: ignore[no-untyped-def]
    m_Zp, c_ve, c_ae, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau
):
    width = width_ll(m_Zp, c_ve, c_ae, ELECTRON_MASS)
    if width == 0.0:
        return 0.0
    return width / (
        width + width_not_ee(m_Zp, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau)
    )
