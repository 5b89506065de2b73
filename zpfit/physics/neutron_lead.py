"""Scattering of slow neutrons by lead, which a light Z' with vector couplings would distort."""

from math import pi
from typing import Final

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import ufunc
from zpfit.physics.couplings import Couplings
from zpfit.physics.nucleons import (
    NUCLEON_INPUTS,
    couples_to_nucleons,
    neutron_coupling,
    nuclear_coupling,
)
from zpfit.physics.observables import Group, observable

_PROTONS: Final = 82
_NEUTRONS: Final = 126
"""Lead 208."""


@observable(reads=("m_Zp", *NUCLEON_INPUTS), group=Group.SCATTERING, bound_only=True)
def neutron_lead(c: Couplings) -> FloatArray:
    """Return the strength of the neutron-lead force per nucleon over m^4, in MeV^-4; shape (n,).

    |C_Vn (82 C_Vp + 126 C_Vn)|/(4 pi 208 m^4), which the angular distribution of scattered
    neutrons bounds. Axial couplings do not add up over a nucleus and are neglected.

    References
    ----------
    R. Barbieri and T. E. O. Ericson, Phys. Lett. B 57, 270 (1975), for a scalar; J. L. Feng et
    al., arXiv:1604.07411, for a vector.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=17.0, C_Vu=-0.00257, C_Vd=0.00514)  # C_Vp = 0
    >>> print(f"{neutron_lead(c)[0]:.2e}")
    3.43e-11
    """
    if not couples_to_nucleons(c):
        return c.C_Vu
    lead = nuclear_coupling(c, protons=_PROTONS, neutrons=_NEUTRONS)
    result: FloatArray = _strength(c.m_Zp, neutron_coupling(c), lead)
    return result


@ufunc
def _strength(m_Zp, neutron, lead):  # type: ignore[no-untyped-def]
    m2 = m_Zp * m_Zp
    return abs(neutron * lead) / (4 * pi * (_PROTONS + _NEUTRONS) * m2 * m2)
