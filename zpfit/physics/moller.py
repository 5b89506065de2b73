"""Parity violation in Moller scattering."""

from zpfit.physics.compiled import FloatArray, ufunc
from zpfit.physics.couplings import Couplings


def moller_parity_violation(c: Couplings) -> FloatArray:
    """|C_Ve C_Ae|, the combination that Eq. (12) of arXiv:2102.07781 bounds; shape (n,).

    A mass-independent stand-in, as printed, for m_Zp below about 100 MeV.
    """
    result: FloatArray = _moller(c.C_Ve, c.C_Ae)
    return result


@ufunc
def _moller(c_ve, c_ae):  # type: ignore[no-untyped-def]
    return abs(c_ve * c_ae)
