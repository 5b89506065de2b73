"""Experiments on neutrino-electron scattering, from first principles.

Each function returns the number of recoils over that of the Standard Model, at tree
level and with the full propagator: see :mod:`zpfit.physics.electron_recoils`.
Efficiencies within a window of recoils are taken as constant. The approximate formulas of
arXiv:2102.07781 are in :mod:`zpfit.physics.paper_2021`.
"""

from functools import cache

from zpfit.io.arrays import FloatArray
from zpfit.physics import charm2_flux
from zpfit.physics.couplings import Couplings
from zpfit.physics.electron_recoils import RecoilExperiment, recoil_ratio, standard_model_rate
from zpfit.physics.neutrino_spectra import BERYLLIUM_7, MUON_DECAY, REACTOR, tabulated
from zpfit.physics.observables import Group, observable

TEXONO = RecoilExperiment(3.0, 8.0, antineutrinos=REACTOR, electron_flavour=True)
"""Reactor nubar_e on CsI(Tl), recoils of 3-8 MeV; Deniz et al., arXiv:0911.1597."""

LSND = RecoilExperiment(18.0, 50.0, neutrinos=MUON_DECAY, electron_flavour=True)
"""nu_e of stopped muons, recoils of 18-50 MeV; Auerbach et al., hep-ex/0101039."""

CHARM2_NU = RecoilExperiment(3e3, 24e3, neutrinos=tabulated(charm2_flux.NEUTRINO_BEAM))
"""nu_mu of CHARM-II's neutrino beam, recoils of 3-24 GeV; Vilain et al., PLB 302, 351 (1993).

The 6 % of antineutrinos in the beam are left out, as published cross-sections are
corrected for them.
"""

CHARM2_NUBAR = RecoilExperiment(3e3, 24e3, antineutrinos=tabulated(charm2_flux.ANTINEUTRINO_BEAM))
"""nubar_mu of CHARM-II's antineutrino beam, recoils of 3-24 GeV; ibid.

The 13 % of neutrinos in the beam are left out, as published cross-sections are
corrected for them.
"""

BOREXINO_NUE = RecoilExperiment(0.27, 0.665, neutrinos=BERYLLIUM_7, electron_flavour=True)
"""nu_e of 7Be, recoils of 0.27 MeV to the end point; Bellini et al., arXiv:1104.1816."""
BOREXINO_OTHER = RecoilExperiment(0.27, 0.665, neutrinos=BERYLLIUM_7)
"""nu_mu or nu_tau from the oscillation of 7Be's nu_e, in the same window."""

SURVIVAL_PROBABILITY = 0.5
"""Fraction of 7Be's nu_e that arrive as nu_e. Borexino finds 0.51 +- 0.07. Half of the rest is
nu_mu, half nu_tau."""

_READS_NUE = ("m_Zp", "C_Ve", "C_Ae", "C_nue")
_READS_NUMU = ("m_Zp", "C_Ve", "C_Ae", "C_numu")


@observable(reads=_READS_NUE, group=Group.SCATTERING)
def nue_texono(c: Couplings) -> FloatArray:
    """Return rate/rate_SM of reactor nubar_e e at TEXONO; shape (n,).

    Examples
    --------
    >>> c = Couplings.of(m_Zp=17.0, C_Ve=1e-4, C_nue=[0.0, 1e-6])
    >>> nue_texono(c).round(3).tolist()
    [1.0, 1.071]
    """
    return recoil_ratio(TEXONO, c, c.C_nue)


@observable(reads=(*_READS_NUE, "C_numu", "C_nutau"), group=Group.SCATTERING)
def nue_borexino(c: Couplings, survival: float = SURVIVAL_PROBABILITY) -> FloatArray:
    """Return rate/rate_SM of solar 7Be neutrinos at Borexino; shape (n,).

    Parameters
    ----------
    c : Couplings
        n points.
    survival : float
        Fraction of neutrinos that arrive as nu_e, in [0, 1]. The rest is half nu_mu and
        half nu_tau.
    """
    electron, other = solar_shares(survival)
    return electron * recoil_ratio(BOREXINO_NUE, c, c.C_nue) + other * (
        recoil_ratio(BOREXINO_OTHER, c, c.C_numu) + recoil_ratio(BOREXINO_OTHER, c, c.C_nutau)
    )


@observable(reads=_READS_NUMU, group=Group.SCATTERING)
def nue_charm2_nu(c: Couplings) -> FloatArray:
    """Return sigma/sigma_SM of nu_mu e at CHARM-II, folded with the beam; shape (n,)."""
    return recoil_ratio(CHARM2_NU, c, c.C_numu)


@observable(reads=_READS_NUMU, group=Group.SCATTERING)
def nue_charm2_nubar(c: Couplings) -> FloatArray:
    """Return sigma/sigma_SM of nubar_mu e at CHARM-II, folded with the beam; shape (n,)."""
    return recoil_ratio(CHARM2_NUBAR, c, c.C_numu)


@observable(reads=_READS_NUE, group=Group.SCATTERING)
def nue_lsnd(c: Couplings) -> FloatArray:
    """Return rate/rate_SM of nu_e e at LSND; shape (n,)."""
    return recoil_ratio(LSND, c, c.C_nue)


@cache
def solar_shares(survival: float) -> tuple[float, float]:
    """Return the fractions of Standard Model recoils from nu_e and from one other flavour."""
    electron = survival * standard_model_rate(BOREXINO_NUE)
    other = 0.5 * (1 - survival) * standard_model_rate(BOREXINO_OTHER)
    total = electron + 2 * other
    return electron / total, other / total
