"""Partial widths and branching ratios of the Z', at tree level, in MeV."""

from math import pi, sqrt

from zpfit.physics.compiled import inline, ufunc
from zpfit.physics.constants import ELECTRON_MASS, MUON_MASS, TAU_MASS


@inline
def width_shape(c_v: float, c_a: float, x: float) -> float:
    """How Gamma(Z' -> l+ l-) depends on the couplings, at x = m_l^2/m_Zp^2 below 1/4."""
    return c_v * c_v * (1 + 2 * x) + c_a * c_a * (1 - 4 * x)


@inline
def reduced_width_ll(m_Zp: float, c_v: float, c_a: float, lepton_mass: float) -> float:
    """Gamma(Z' -> l+ l-) in units of m_Zp/(12 pi), zero below threshold."""
    ratio = lepton_mass / m_Zp
    x = ratio * ratio
    if x >= 0.25:
        return 0.0
    return sqrt(1 - 4 * x) * width_shape(c_v, c_a, x)


@inline
def reduced_width_nunu(c_nue: float, c_numu: float, c_nutau: float) -> float:
    """Gamma(Z' -> nu nubar) in units of m_Zp/(12 pi), summed over left-handed neutrinos."""
    return 0.5 * (c_nue * c_nue + c_numu * c_numu + c_nutau * c_nutau)


@ufunc
def width_ll(m_Zp, c_v, c_a, lepton_mass):  # type: ignore[no-untyped-def]
    """Gamma(Z' -> l+ l-) in MeV."""
    return m_Zp / (12 * pi) * reduced_width_ll(m_Zp, c_v, c_a, lepton_mass)


@ufunc
def width_nunu(m_Zp, c_nue, c_numu, c_nutau):  # type: ignore[no-untyped-def]
    """Gamma(Z' -> nu nubar) in MeV, summed over the flavours."""
    return m_Zp / (12 * pi) * reduced_width_nunu(c_nue, c_numu, c_nutau)


@inline
def reduced_width(
    m_Zp: float,
    c_ve: float,
    c_ae: float,
    c_nue: float,
    c_vmu: float,
    c_amu: float,
    c_numu: float,
    c_vtau: float,
    c_atau: float,
    c_nutau: float,
) -> float:
    """The total width in units of m_Zp/(12 pi)."""
    total = reduced_width_ll(m_Zp, c_ve, c_ae, ELECTRON_MASS)
    total += reduced_width_nunu(c_nue, c_numu, c_nutau)
    if m_Zp > 2 * MUON_MASS:
        total += reduced_width_ll(m_Zp, c_vmu, c_amu, MUON_MASS)
    if m_Zp > 2 * TAU_MASS:
        total += reduced_width_ll(m_Zp, c_vtau, c_atau, TAU_MASS)
    return total


@ufunc
def branching_ratio_ee(  # type: ignore[no-untyped-def]
    m_Zp, c_ve, c_ae, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau
):
    """BR(Z' -> e+ e-), zero where no channel is open."""
    electrons = reduced_width_ll(m_Zp, c_ve, c_ae, ELECTRON_MASS)
    if electrons == 0.0:
        return 0.0
    return electrons / reduced_width(
        m_Zp, c_ve, c_ae, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau
    )


@ufunc
def branching_ratio_mumu(  # type: ignore[no-untyped-def]
    m_Zp, c_ve, c_ae, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau
):
    """BR(Z' -> mu+ mu-), zero below the threshold."""
    muons = reduced_width_ll(m_Zp, c_vmu, c_amu, MUON_MASS)
    if muons == 0.0:
        return 0.0
    return muons / reduced_width(
        m_Zp, c_ve, c_ae, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau
    )


@ufunc
def branching_ratio_invisible(  # type: ignore[no-untyped-def]
    m_Zp, c_ve, c_ae, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau
):
    """BR(Z' -> nu nubar), summed over the flavours; zero where no channel is open."""
    neutrinos = reduced_width_nunu(c_nue, c_numu, c_nutau)
    if neutrinos == 0.0:
        return 0.0
    return neutrinos / reduced_width(
        m_Zp, c_ve, c_ae, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau
    )
