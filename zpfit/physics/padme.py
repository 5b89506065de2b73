"""The excess of electron-positron pairs at PADME."""

from math import exp
from typing import Final

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import ufunc
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, observable

_COUPLING2: Final = 5.6e-4**2
"""Square of the coupling that the excess corresponds to."""
_MASS: Final = 16.90
"""Mass of the most significant deviation, MeV."""
_WIDTH: Final = 0.04
"""Width of the response in the mass, MeV: a guess at the spread of the beam's energy and the motion
of bound electrons."""


@observable(
    reads=("m_Zp", "C_Ve", "C_Ae", "C_nue", "C_numu", "C_nutau", "width_dark"),
    group=Group.OTHER,
    bound_only=True,
)
def padme_excess(c: Couplings) -> FloatArray:
    """Return the signal at PADME over that of the excess at 16.90 MeV; shape (n,).

    (C_Ve^2 + C_Ae^2) BR(ee)/(5.6e-4)^2 times a Gaussian in the mass, of width 0.04 MeV.

    References
    ----------
    F. Bossi et al. (PADME), arXiv:2505.24797.

    Examples
    --------
    >>> padme_excess(Couplings.of(m_Zp=[16.90, 17.4], C_Ve=5.6e-4)).round(6).tolist()
    [1.0, 0.0]
    """
    result: FloatArray = _padme_excess(c.m_Zp, c.C_Ve, c.C_Ae, c.br_ee)
    return result


@ufunc
def _padme_excess(m_Zp, c_ve, c_ae, br_ee):  # type: ignore[no-untyped-def]
    deviation = (m_Zp - _MASS) / _WIDTH
    return (c_ve * c_ve + c_ae * c_ae) * br_ee / _COUPLING2 * exp(-0.5 * deviation * deviation)
