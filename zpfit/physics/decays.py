"""Partial widths of the Z' at tree level.

The formulas are those of L = -Z'_mu lbar gamma^mu (C_V + C_A gamma5) l with
left-handed neutrinos, Eq. (6) of arXiv:2102.07781. Widths are "reduced": they are
in units of m_Zp/(12 pi), which cancels in branching ratios.
"""

from math import pi, sqrt

from zpfit.physics.compiled import gufunc, inline, ufunc
from zpfit.physics.constants import ELECTRON_MASS, MUON_MASS, TAU_MASS


@inline
def width_shape(c_v: float, c_a: float, x: float) -> float:
    """Return Gamma(Z' -> l+ l-) without phase space, at x = m_l^2/m_Zp^2 below 1/4."""
    return c_v * c_v * (1 + 2 * x) + c_a * c_a * (1 - 4 * x)


@inline
def reduced_width_ll(m_Zp: float, c_v: float, c_a: float, lepton_mass: float) -> float:
    """Return Gamma(Z' -> l+ l-) in units of m_Zp/(12 pi), zero below threshold."""
    ratio = lepton_mass / m_Zp
    x = ratio * ratio
    if x >= 0.25:
        return 0.0
    return sqrt(1 - 4 * x) * width_shape(c_v, c_a, x)


@inline
def reduced_width_nunu(c_nue: float, c_numu: float, c_nutau: float) -> float:
    """Return Gamma(Z' -> nu nubar) in units of m_Zp/(12 pi), summed over the flavours.

    The factor 1/2 relative to a vector coupling comes from the single helicity of
    left-handed neutrinos.
    """
    return 0.5 * (c_nue * c_nue + c_numu * c_numu + c_nutau * c_nutau)


@ufunc
def width_ll(m_Zp, c_v, c_a, lepton_mass):  # type: ignore[no-untyped-def]
    """Return Gamma(Z' -> l+ l-) in MeV.

    Parameters
    ----------
    m_Zp, lepton_mass : array_like
        Masses in MeV.
    c_v, c_a : array_like
        Vector and axial coupling of the lepton, dimensionless.

    Returns
    -------
    numpy.ndarray
        Width in MeV with the broadcast shape of the arguments, zero below threshold.

    Notes
    -----
    A reference function for users and tests; fits use :func:`reduced_widths`.

    Examples
    --------
    Far above threshold the width is m_Zp (C_V^2 + C_A^2)/(12 pi):

    >>> from zpfit.physics.constants import ELECTRON_MASS
    >>> print(f"{width_ll(1000.0, 1e-3, 0.0, ELECTRON_MASS):.4e}")
    2.6526e-05
    """
    return m_Zp / (12 * pi) * reduced_width_ll(m_Zp, c_v, c_a, lepton_mass)


@ufunc
def width_nunu(m_Zp, c_nue, c_numu, c_nutau):  # type: ignore[no-untyped-def]
    """Return Gamma(Z' -> nu nubar) in MeV, summed over the flavours.

    A reference function for users and tests; fits use :func:`reduced_widths`.
    """
    return m_Zp / (12 * pi) * reduced_width_nunu(c_nue, c_numu, c_nutau)


@gufunc("(p),(p),(p),(p),(p),(p),(p),(p),(p),(p),(p),(p)->(p),(p),(p),(p),(p)")
def reduced_widths(  # type: ignore[no-untyped-def]
    m_Zp, c_ve, c_ae, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau, hadrons, dark,
    electrons, muons, taus, neutrinos, total,
):  # fmt: skip
    """Compute the widths into leptons and the total one, in units of m_Zp/(12 pi).

    Those into hadrons and into a dark sector are given.
    """
    for i in range(m_Zp.shape[0]):
        m = m_Zp[i]
        electrons[i] = reduced_width_ll(m, c_ve[i], c_ae[i], ELECTRON_MASS)
        muons[i] = reduced_width_ll(m, c_vmu[i], c_amu[i], MUON_MASS)
        taus[i] = reduced_width_ll(m, c_vtau[i], c_atau[i], TAU_MASS)
        neutrinos[i] = reduced_width_nunu(c_nue[i], c_numu[i], c_nutau[i])
        leptons = electrons[i] + neutrinos[i] + muons[i] + taus[i]
        total[i] = leptons + dark[i] + hadrons[i]


@ufunc
def branching_ratio(partial, total):  # type: ignore[no-untyped-def]
    """Return partial/total, which is zero for a closed channel even if all are closed."""
    if partial == 0.0:
        return 0.0
    return partial / total
