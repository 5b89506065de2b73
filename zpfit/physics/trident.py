"""Neutrino trident production nu_mu N -> nu_mu mu+ mu- N with a Z'."""

from math import log

from zpfit.physics.compiled import FloatArray, ufunc
from zpfit.physics.constants import MUON_MASS
from zpfit.physics.couplings import Couplings

_LOG_MUON_MASS = log(MUON_MASS)


def trident(c: Couplings) -> FloatArray:
    """sigma/sigma_SM, Eq. (16) of arXiv:2102.07781, C_Amu neglected; shape (n,).

    A leading-log estimate, as printed: against the exact calculation its linear
    coefficient is 2.4 times and its quadratic one 1.7-1.85 times too large at
    10-30 MeV, and the logarithm fails above 60 MeV.
    """
    result: FloatArray = _trident(c.log_m, c.C_Vmu, c.C_numu)
    return result


@ufunc
def _trident(log_m, c_vmu, c_numu):  # type: ignore[no-untyped-def]
    x = c_vmu * c_numu
    return 1 + 5.6e5 * x + 1.3e11 * x * x * 2 * (_LOG_MUON_MASS - log_m)
