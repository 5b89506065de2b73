"""Experiments on neutrino-electron scattering, from first principles.

Each function gives recoils over those of the Standard Model, at tree level and with the
full propagator; see :mod:`zpfit.physics.electron_recoils`. Efficiencies within a window
are taken as constant. The paper's own formulas are in
:mod:`zpfit.physics.paper_2021`.
"""

from functools import cache

from zpfit.io.arrays import FloatArray
from zpfit.physics import charm2_flux
from zpfit.physics.couplings import Couplings
from zpfit.physics.electron_recoils import RecoilExperiment, recoil_ratio, standard_model_rate
from zpfit.physics.neutrino_spectra import BERYLLIUM_7, MUON_DECAY, REACTOR, tabulated

TEXONO = RecoilExperiment(3.0, 8.0, antineutrinos=REACTOR, electron_flavour=True)
"""Reactor nubar_e on CsI(Tl), recoils of 3-8 MeV; Deniz et al., arXiv:0911.1597."""

LSND = RecoilExperiment(18.0, 50.0, neutrinos=MUON_DECAY, electron_flavour=True)
"""nu_e of stopped muons, recoils of 18-50 MeV; Auerbach et al., hep-ex/0101039."""

CHARM2_NU = RecoilExperiment(3e3, 24e3, neutrinos=tabulated(charm2_flux.NEUTRINO_BEAM))
"""nu_mu of CHARM-II's neutrino beam, recoils of 3-24 GeV; Vilain et al., PLB 302, 351 (1993).

Without the 6 % of antineutrinos in the beam, for which cross-sections are corrected.
"""

CHARM2_NUBAR = RecoilExperiment(3e3, 24e3, antineutrinos=tabulated(charm2_flux.ANTINEUTRINO_BEAM))
"""nubar_mu of CHARM-II's antineutrino beam, recoils of 3-24 GeV; ibid.

Without the 13 % of neutrinos in the beam, for which cross-sections are corrected.
"""

BOREXINO_NUE = RecoilExperiment(0.27, 0.665, neutrinos=BERYLLIUM_7, electron_flavour=True)
"""nu_e of 7Be, recoils of 0.27 MeV to the end point; Bellini et al., arXiv:1104.1816."""
BOREXINO_OTHER = RecoilExperiment(0.27, 0.665, neutrinos=BERYLLIUM_7)
"""nu_mu or nu_tau that the nu_e of 7Be have become."""

SURVIVAL_PROBABILITY = 0.5
"""Of 7Be's nu_e as nu_e; Borexino finds 0.51 +- 0.07, and the rest is shared equally."""


def nue_texono(c: Couplings) -> FloatArray:
    """Reactor nubar_e e at TEXONO, rate/rate_SM; shape (n,)."""
    return recoil_ratio(TEXONO, c, c.C_nue)


def nue_lsnd(c: Couplings) -> FloatArray:
    """nu_e e at LSND, rate/rate_SM; shape (n,)."""
    return recoil_ratio(LSND, c, c.C_nue)


def nue_charm2_nu(c: Couplings) -> FloatArray:
    """nu_mu e at CHARM-II, folded with the beam's spectrum, sigma/sigma_SM; shape (n,)."""
    return recoil_ratio(CHARM2_NU, c, c.C_numu)


def nue_charm2_nubar(c: Couplings) -> FloatArray:
    """nubar_mu e at CHARM-II, folded with the beam's spectrum, sigma/sigma_SM; shape (n,)."""
    return recoil_ratio(CHARM2_NUBAR, c, c.C_numu)


def nue_borexino(c: Couplings, survival: float = SURVIVAL_PROBABILITY) -> FloatArray:
    """Solar 7Be neutrinos at Borexino, rate/rate_SM; shape (n,).

    A share ``survival`` arrives as nu_e, the others as nu_mu and nu_tau alike.
    """
    electron, other = _solar_shares(survival)
    return electron * recoil_ratio(BOREXINO_NUE, c, c.C_nue) + other * (
        recoil_ratio(BOREXINO_OTHER, c, c.C_numu) + recoil_ratio(BOREXINO_OTHER, c, c.C_nutau)
    )


@cache
def _solar_shares(survival: float) -> tuple[float, float]:
    """Shares of nu_e and of one other flavour in the recoils of the Standard Model."""
    electron = survival * standard_model_rate(BOREXINO_NUE)
    other = 0.5 * (1 - survival) * standard_model_rate(BOREXINO_OTHER)
    total = electron + 2 * other
    return electron / total, other / total
