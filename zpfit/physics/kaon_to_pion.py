r"""K+ -> pi+ Z' by the weak interaction of quarks, at leading order of chiral perturbation theory.

The weak Lagrangian of octets is L = -G8 F^4 (L_mu L^mu)_ds + h.c., with
L_mu = i U^+ (d_mu U - i r_mu U + i U l_mu) of the matrix U of mesons, and the Z' as the sources
r = -C_R Z' and l = -C_L Z' of quarks. A Z' on its mass shell, eps.k = 0, does not mix with neutral
mesons. Left are the vertex of both mesons and the Z', and its radiation before or after the kaon
turns into a pion. The sum is

    A = G8 F^2 eps.(p_K + p_pi) [2 C_Au + C_Ad + C_As
        + (C_Vd - C_Vs) (m_K^2 + m_pi^2)/(m_K^2 - m_pi^2)].

Currents of charge and of baryon number, C_Vd = C_Vs without axial couplings, are conserved, and
give none. The rate grows as 1/m^2 by the longitudinal Z'.
"""

from math import pi, sqrt
from typing import Final

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import ufunc
from zpfit.physics.constants import FERMI_CONSTANT, PION_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.kaon_decay import KAON_MASS
from zpfit.physics.observables import Group, observable

DECAY_CONSTANT: Final = 130.2 / sqrt(2)
"""Decay constant F of the pion, MeV (PDG 2022)."""
OCTET: Final = 5.0 * FERMI_CONSTANT / sqrt(2) * 0.2184
"""G8 = g8 G_F/sqrt(2) V_ud V_us, MeV^-2. g8 = 5.0 is that of decays of kaons to two pions at
leading order; higher orders lower it to 3.6."""
_WIDTH: Final = 5.317e-14
"""Width of the charged kaon, MeV: a lifetime of 12.38 ns (PDG 2022)."""
VECTOR_WEIGHT: Final = (KAON_MASS**2 + PION_MASS**2) / (KAON_MASS**2 - PION_MASS**2)
"""Weight of C_Vd - C_Vs."""
_GAP: Final = KAON_MASS - PION_MASS
_FIRST, _LAST = 1.0, 135.0
"""Range of masses in MeV; heavier bosons may decay to muons and pions."""
_RATE: Final = (OCTET * DECAY_CONSTANT**2) ** 2 / (16 * pi * KAON_MASS**3 * _WIDTH)

KAON_INPUTS: Final = ("C_Au", "C_Ad", "C_As", "C_Vd", "C_Vs")
"""Couplings that the decay depends on."""


@observable(
    reads=(
        "m_Zp", "C_Ve", "C_Ae", "C_nue", "C_numu", "C_nutau", "width_dark", *KAON_INPUTS,
    ),
    group=Group.OTHER,
    symbol=r"\mathrm{BR}(K \to \pi e e)",
    bound_only=True,
    masses=(_FIRST, _LAST),
)  # fmt: skip
def k_pi_ee(c: Couplings) -> FloatArray:
    """Return BR(K+ -> pi+ Z') BR(Z' -> e+ e-) below 135 MeV, zero beyond; shape (n,).

    Parameters
    ----------
    c : Couplings
        n points. The Z' must decay promptly: at 17 MeV electron couplings above 1.2e-4 give
        lifetimes below 1e-13 s.

    Notes
    -----
    Only the octet is counted. Neglected are the 27-plet and higher orders, each some ten per cent
    of the amplitude, and two terms of unknown size: the weak mass term, which drops out for
    C_Ld = C_Ls, and a term of the sum of axial couplings. The amplitude may be off by a factor of
    two, and more where its terms cancel. Flavour-changing couplings of the theory at high energies
    would add to it.

    References
    ----------
    M. Bauer, M. Neubert, S. Renner, M. Schnubel and A. Thamm, arXiv:2102.13112, for derivative
    couplings of a scalar.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=17.0, C_Ve=2e-4, C_Au=1e-4, C_As=[0.0, -2e-4])
    >>> print([f"{rate:.1e}" for rate in k_pi_ee(c)])
    ['2.8e-05', '0.0e+00']
    """
    if c.vanish(*KAON_INPUTS):
        return c.C_Au
    result: FloatArray = _rate(c.m_Zp, kaon_charge(c)) * c.br_ee
    return result


def kaon_charge(c: Couplings) -> FloatArray:
    """Return the charge that K+ -> pi+ does not conserve; shape (n,).

    2 C_Au + C_Ad + C_As + (C_Vd - C_Vs) (m_K^2 + m_pi^2)/(m_K^2 - m_pi^2).

    Examples
    --------
    >>> print(f"{kaon_charge(Couplings.of(m_Zp=17.0, C_Au=1e-4, C_Vd=1e-4))[0]:.2e}")
    3.17e-04
    """
    axial = 2 * c.C_Au + c.C_Ad + c.C_As
    result: FloatArray = axial + VECTOR_WEIGHT * (c.C_Vd - c.C_Vs)
    return result


@ufunc
def _rate(m_Zp, charge):  # type: ignore[no-untyped-def]
    if m_Zp > _LAST:
        return 0.0
    m2 = m_Zp * m_Zp
    # Compilers may take the root before the branch, which must not be of a negative number.
    momentum2 = max((_GAP * _GAP - m2) * ((KAON_MASS + PION_MASS) ** 2 - m2), 0.0)
    return _RATE * charge * charge * momentum2 * sqrt(momentum2) / m2
