r"""Diagnostics for the emission of longitudinal Z' bosons.

Currents that fermion masses break couple the longitudinal Z' like an axion, in proportion to
m_f C_A/m, so that rates grow as 1/m^2. The measures are

    delta = tan(xi) m_Z/m,    C_A/m,

of mixing with the Z (the "dark Z") and of axial couplings. Rates of rare meson decays follow from
delta up to factors of three, as they depend on loops, and for axial couplings on what completes the
model.

References
----------
H. Davoudiasl, H.-S. Lee and W. J. Marciano, arXiv:1203.2947.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import COUPLING_NAMES, WIDTH_INPUTS, Couplings
from zpfit.physics.observables import Group, observable
from zpfit.physics.z_pole import M_Z

_NEEDS: Final = ("tan_xi",)
_LEPTONS: Final = ("m_Zp", "tan_xi", *COUPLING_NAMES[1:10], "width_dark")
_BELOW_B: Final = tuple(name for name in WIDTH_INPUTS if name not in ("C_Vb", "C_Ab"))
"""Mass and couplings that branching ratios depend on below 9 GeV."""
_AXIAL: Final = ("C_Ae", "C_Amu", "C_Atau", "C_Au", "C_Ad", "C_As", "C_Ac", "C_Ab")
_PION_GAP: Final = (110.0, 154.0)
"""Masses in MeV without a limit on K+ -> pi+ X, around that of the neutral pion."""
_KAON_END: Final = 260.0
"""Largest mass of X in K+ -> pi+ X, MeV."""
_B_END: Final = 4785.0
"""m_B - m_K, MeV."""


@observable(reads=("m_Zp", "tan_xi"), needs=_NEEDS, group=Group.OTHER, symbol=r"\delta")
def dark_z_delta(c: Couplings) -> FloatArray:
    """Return delta = tan(xi) m_Z/m; shape (n,).

    Examples
    --------
    An axial electron coupling of 2e-4 by mixing alone needs an angle of about 1.1e-3:

    >>> print(f"{dark_z_delta(Couplings.of(m_Zp=17.0, tan_xi=1.1e-3))[0]:.1f}")
    5.9
    """
    if not c.gives("tan_xi"):
        return c.tan_xi
    result: FloatArray = c.tan_xi * (M_Z / c.m_Zp)
    return result


@observable(reads=("m_Zp", *_AXIAL), group=Group.OTHER, symbol=r"|C_A|/m")
def axial_over_mass(c: Couplings) -> FloatArray:
    """Return the largest |C_A|/m of leptons and quarks, in 1/GeV; shape (n,).

    Examples
    --------
    >>> c = Couplings.of(m_Zp=20.0, C_Ae=2e-4, C_Ad=-4e-4)
    >>> print(f"{axial_over_mass(c)[0]:.3f}")
    0.020
    """
    given = [np.abs(c[name]) for name in _AXIAL if c.gives(name)]
    if not given:
        return c.C_Ae
    result: FloatArray = 1e3 * np.max(given, axis=0) / c.m_Zp
    return result


@observable(
    # Taus and strange hadrons are too heavy; u and d enter by the decay to pi0 gamma.
    reads=(*(name for name in _LEPTONS if name not in ("C_Vtau", "C_Atau")), "C_Vu", "C_Vd"),
    needs=_NEEDS,
    group=Group.OTHER,
    bound_only=True,
)
def dark_z_kaon_invisible(c: Couplings) -> FloatArray:
    """Return |delta| sqrt(BR(invisible)) where K+ -> pi+ X is searched for, else 0; shape (n,).

    The search has a gap around the neutral pion, 110-154 MeV, and ends at 260 MeV.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=[50.0, 130.0], tan_xi=1e-6, C_nue=1e-5)
    >>> dark_z_kaon_invisible(c).round(6).tolist()
    [0.001824, 0.0]
    """
    covered = (c.m_Zp < _KAON_END) & ((c.m_Zp < _PION_GAP[0]) | (c.m_Zp > _PION_GAP[1]))
    return _where(covered, c, c.br_inv)


@observable(reads=("tan_xi", *_BELOW_B), needs=_NEEDS, group=Group.OTHER, bound_only=True)
def dark_z_b_invisible(c: Couplings) -> FloatArray:
    """Return |delta| sqrt(BR(invisible)) where B -> K X is open, else 0; shape (n,)."""
    return _where(c.m_Zp < _B_END, c, c.br_inv)


@observable(reads=("tan_xi", *_BELOW_B), needs=_NEEDS, group=Group.OTHER, bound_only=True)
def dark_z_b_visible(c: Couplings) -> FloatArray:
    """Return |delta| sqrt(BR(ee)) where B -> K X is open, else 0; shape (n,)."""
    return _where(c.m_Zp < _B_END, c, c.br_ee)


def _where(covered: NDArray[np.bool_], c: Couplings, branching_ratio: FloatArray) -> FloatArray:
    if not c.gives("tan_xi"):
        return c.tan_xi
    return np.where(covered, np.abs(dark_z_delta(c)) * np.sqrt(branching_ratio), 0.0)
