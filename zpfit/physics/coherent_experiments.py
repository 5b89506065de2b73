"""Experiments on coherent neutrino-nucleus scattering, from first principles.

COHERENT's CsI and liquid argon detectors stand at the Spallation Neutron Source, where stopped
pions give one nu_mu, nubar_mu and nu_e each. CONUS+ is a germanium detector at a power reactor.
Each observable is the number of recoils over that of the Standard Model, as
:mod:`zpfit.physics.coherent_scattering` has it. :func:`coherent_csi_events` has the spectrum
in photoelectrons and time.
"""

from functools import cache
from math import pi
from typing import Final

import numpy as np
from scipy.special import erfcx, gammaln

from zpfit.io.arrays import FloatArray
from zpfit.physics.coherent_scattering import (
    ARGON,
    CAESIUM,
    GERMANIUM,
    IODINE,
    CoherentDetector,
    Signal,
    expected_count,
    expected_counts,
    standard_model_counts,
)
from zpfit.physics.compiled import gufunc
from zpfit.physics.couplings import Couplings
from zpfit.physics.neutrino_spectra import (
    REACTOR,
    STOPPED_MUON_NUE,
    STOPPED_MUON_NUMUBAR,
    STOPPED_PION_NUMU,
)
from zpfit.physics.nucleons import NUCLEON_INPUTS, couples_to_nucleons
from zpfit.physics.observables import Group, observable

CSI_PE_EDGES: Final = (8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 32.0, 40.0, 50.0, 60.0)
"""Edges of the bins in photoelectrons; all events below 8 are left out."""
CSI_TIME_EDGES: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Edges of the bins in time, microseconds."""
_PE_PER_KEV: Final = 13.35
"""Light yield of the CsI detector per keV of electrons; arXiv:2110.07730."""
_PE_SHAPE: Final = 9.56
"""Growth of the shape of the gamma law of photoelectrons, per keV of electrons; ibid."""
_QUENCHING: Final = (0.0, 0.0554628, 4.30681, -111.707, 840.384)
"""Powers of the recoil in MeV that give the energy of electrons in MeV; ibid."""
_PE_NODES: Final = 12
"""Gauss-Legendre nodes in each bin of photoelectrons."""

_PULSE: Final = (0.5, 0.15)
"""Mean and width of the proton pulse in microseconds, a Gaussian; its file was not available. The
width is that of the release of the argon detector, the mean fits the CsI data."""
_PION_LIFETIME: Final = 0.026033
"""Microseconds."""
_MUON_LIFETIME: Final = 2.1969811
"""Microseconds."""
_TIME_CUT: Final = (0.52, 0.0494)
"""Time after which the efficiency falls, and its rate per microsecond; arXiv:2110.07730."""
_TIME_NODES: Final = 48
"""Gauss-Legendre nodes between two edges of time."""

_LINDHARD: Final = 0.162
"""Lindhard's k of germanium; arXiv:2202.03754."""
_CONUS_WINDOW: Final = (0.16, 0.80)
"""Window of CONUS+ in keV of electrons."""


def csi_efficiency(photoelectrons: FloatArray) -> FloatArray:
    """Return the efficiency of the CsI detector at 8-60 photoelectrons.

    References
    ----------
    COHERENT, arXiv:2110.07730, data release.
    """
    rise = np.exp(-0.285979 * (photoelectrons - 10.8646))
    result: FloatArray = 1.32045 / (1 + rise) - 0.333322
    return result


def csi_response(recoil: FloatArray) -> FloatArray:
    """Return the probabilities of the nine bins of photoelectrons, shape (k, 9).

    Photoelectrons follow a gamma law of mean 13.35/keV times the quenched energy.

    Parameters
    ----------
    recoil : numpy.ndarray, shape (k,)
        MeV.
    """
    energy = 1e3 * np.polynomial.polynomial.polyval(recoil, _QUENCHING)[:, None]
    shape = 1 + _PE_SHAPE * energy
    rate = shape / (_PE_PER_KEV * energy)
    nodes, weights = np.polynomial.legendre.leggauss(_PE_NODES)
    lower, upper = np.array(CSI_PE_EDGES[:-1]), np.array(CSI_PE_EDGES[1:])
    half = 0.5 * (upper - lower)[:, None]
    pe = (lower[:, None] + half * (nodes + 1)).ravel()
    weight = (half * weights).ravel() * csi_efficiency(pe)
    logarithm = shape * np.log(rate) + (shape - 1) * np.log(pe) - rate * pe - gammaln(shape)
    density = (np.exp(logarithm) * weight).reshape(len(recoil), len(lower), -1)
    bins: FloatArray = density.sum(axis=2)
    return bins


def _in_all_bins(recoil: FloatArray) -> FloatArray:
    together: FloatArray = csi_response(recoil).sum(axis=1, keepdims=True)
    return together


def _constant(recoil: FloatArray) -> FloatArray:
    return np.ones((len(recoil), 1))


_MOLAR_MASS: Final = CAESIUM.atomic_mass + IODINE.atomic_mass
_NUCLEI: Final = 14.6e3 / _MOLAR_MASS * 6.02214076e23
"""Nuclei of caesium, and of iodine, in 14.6 kg."""
_NEUTRINOS: Final = 3.198e23 * 0.0848 / (4 * pi * 1930.0**2)
"""Neutrinos of each flavour per cm^2 at 19.3 m: 13.99 GWh of protons, 0.0848 per proton."""

_CSI_RECOILS: Final = (5e-4, 1.0)
"""MeV; a smaller recoil gives 8 photoelectrons with a probability below 1e-12."""
_CSI = CoherentDetector((CAESIUM, IODINE), *_CSI_RECOILS, csi_response, _NUCLEI * _NEUTRINOS)
CSI_NUMU = Signal(_CSI, STOPPED_PION_NUMU)
"""Prompt nu_mu in the CsI detector, in bins of photoelectrons."""
CSI_NUMUBAR = Signal(_CSI, STOPPED_MUON_NUMUBAR)
"""Delayed nubar_mu in the CsI detector."""
CSI_NUE = Signal(_CSI, STOPPED_MUON_NUE, electron_flavour=True)
"""Delayed nu_e in the CsI detector."""


def _at_stopped_pions(detector: CoherentDetector) -> tuple[Signal, ...]:
    return (
        Signal(detector, STOPPED_PION_NUMU),
        Signal(detector, STOPPED_MUON_NUMUBAR),
        Signal(detector, STOPPED_MUON_NUE, electron_flavour=True),
    )


CSI_TOTAL = _at_stopped_pions(CoherentDetector((CAESIUM, IODINE), *_CSI_RECOILS, _in_all_bins))
"""All flavours in the CsI detector at 8-60 photoelectrons."""
LAR_TOTAL = _at_stopped_pions(CoherentDetector((ARGON,), 0.020, 1.0, _constant))
"""All flavours in the argon detector: recoils above 20 keV, constant efficiency."""


def lindhard_recoil(energy: float) -> float:
    """Return the recoil in MeV that germanium quenches to an energy in keV of electrons.

    Lindhard's theory with k = 0.162, solved by fixed-point iteration.
    """
    recoil = energy / 0.2  # keV
    for _ in range(100):
        reduced = 11.5 * GERMANIUM.protons ** (-7 / 3) * recoil
        loss = _LINDHARD * (3 * reduced**0.15 + 0.7 * reduced**0.6 + reduced)
        recoil = energy * (1 + loss) / loss
    return 1e-3 * recoil


_CONUS = CoherentDetector(
    (GERMANIUM,),
    lindhard_recoil(_CONUS_WINDOW[0]),
    lindhard_recoil(_CONUS_WINDOW[1]),
    _constant,
)
CONUS_NUEBAR = Signal(_CONUS, REACTOR, electron_flavour=True)
"""Reactor nubar_e in the germanium of CONUS+."""

_READS_NUE = ("m_Zp", "C_nue", *NUCLEON_INPUTS)
_READS_SNS = (*_READS_NUE, "C_numu")


def coherent_csi_events(c: Couplings) -> FloatArray:
    """Return the events of COHERENT's CsI detector in bins, shape (n, 81).

    Nine bins of time for each of nine bins of photoelectrons, in this order.

    Parameters
    ----------
    c : Couplings
        n points.

    References
    ----------
    COHERENT, arXiv:2110.07730.

    Examples
    --------
    >>> events = coherent_csi_events(Couplings.none())
    >>> events.shape, round(float(events.sum()))
    ((1, 81), 327)
    """
    if not _scatters(c):
        return np.broadcast_to(_events_without(), (len(c), len(_events_without())))
    late = expected_counts(CSI_NUMUBAR, c) + expected_counts(CSI_NUE, c)
    return _in_time(expected_counts(CSI_NUMU, c), late)


def _scatters(c: Couplings) -> bool:
    """Return True unless the couplings of nucleons or of neutrinos vanish at all points."""
    return couples_to_nucleons(c) and not c.vanish("C_nue", "C_numu")


@cache
def _events_without() -> FloatArray:
    late = standard_model_counts(CSI_NUMUBAR) + standard_model_counts(CSI_NUE)
    prompt = standard_model_counts(CSI_NUMU)
    [events] = _in_time(prompt[None], late[None])
    result: FloatArray = events
    return result


def _in_time(prompt: FloatArray, late: FloatArray) -> FloatArray:
    """Spread counts of each bin of photoelectrons over the bins of time, the faster axis."""
    result: FloatArray = _spread(prompt, late, *_fractions_of_bins())
    return result


@cache
def _fractions_of_bins() -> tuple[FloatArray, FloatArray]:
    """Return the :func:`time_fractions` of all bins of photoelectrons one after the other."""
    early, late = time_fractions()
    bins = len(CSI_PE_EDGES) - 1
    return np.tile(early, bins), np.tile(late, bins)


@gufunc("(p,e),(p,e),(b),(b)->(p,b)")
def _spread(prompt, late, early_fractions, late_fractions, out):  # type: ignore[no-untyped-def]
    bins = out.shape[1] // prompt.shape[1]
    for i in range(prompt.shape[0]):
        for e in range(prompt.shape[1]):
            for b in range(e * bins, (e + 1) * bins):
                out[i, b] = prompt[i, e] * early_fractions[b] + late[i, e] * late_fractions[b]


@cache
def time_fractions() -> tuple[FloatArray, FloatArray]:
    """Return the detected fractions of prompt and delayed neutrinos in each bin of time.

    The Gaussian pulse is folded with the decay of the pion, and of the muon for delayed
    neutrinos, and multiplied by the efficiency. Some events come after the last edge.

    Examples
    --------
    >>> prompt, delayed = time_fractions()
    >>> print(f"{prompt.sum():.3f} {delayed.sum():.3f}")
    0.997 0.845
    """
    nodes, weights = np.polynomial.legendre.leggauss(_TIME_NODES)
    start, slope = _TIME_CUT
    edges = np.unique([*CSI_TIME_EDGES, start])
    half = 0.5 * np.diff(edges)[:, None]
    time = edges[:-1, None] + half * (nodes + 1)
    weight = half * weights * np.exp(-slope * np.maximum(time - start, 0))
    pion, muon = _PION_LIFETIME, _MUON_LIFETIME
    after_pion, after_muon = _pulse_and_decay(time, pion), _pulse_and_decay(time, muon)
    delayed = (muon * after_muon - pion * after_pion) / (muon - pion)
    pieces = np.stack([(weight * density).sum(axis=1) for density in (after_pion, delayed)])
    # The start of the falling efficiency divides a bin.
    first = np.searchsorted(edges, CSI_TIME_EDGES[:-1])
    prompt, late = np.add.reduceat(pieces, first, axis=1)
    return prompt, late


def _pulse_and_decay(time: FloatArray, lifetime: float) -> FloatArray:
    """Return the density in time of an exponential decay after a Gaussian pulse."""
    mean, width = _PULSE
    late = (time - mean) / width
    z = (width / lifetime - late) / np.sqrt(2)
    # erfcx(z) = exp(z^2) erfc(z) grows as exp(z^2) for negative z, which cancels.
    density: FloatArray = 0.5 / lifetime * np.exp(-0.5 * late**2) * erfcx(z)
    return density


def _ratio(signals: tuple[Signal, ...], c: Couplings) -> FloatArray:
    """Return the counts of some signals together over those without a Z'; shape (n,)."""
    if not _scatters(c):
        return np.broadcast_to(1.0, len(c))
    total = sum(float(standard_model_counts(signal)[0]) for signal in signals)
    counts = sum((expected_count(signal, c) for signal in signals), np.zeros(1))
    return counts / total


@observable(
    reads=_READS_SNS,
    group=Group.SCATTERING,
    symbol=r"N/N_\mathrm{SM}",
    spectrum=coherent_csi_events,
    axes=(("pe", CSI_PE_EDGES), ("t", CSI_TIME_EDGES)),
)
def coherent_csi(c: Couplings) -> FloatArray:
    """Return counts/counts_SM of COHERENT's CsI detector at 8-60 photoelectrons; shape (n,).

    Examples
    --------
    Couplings of opposite sign, as in B-L, raise the rate; equal ones lower it first.

    >>> c = Couplings.of(m_Zp=10.0, C_nue=[-3e-5, 3e-5], C_numu=[-3e-5, 3e-5], C_Vu=1e-5, C_Vd=1e-5)
    >>> coherent_csi(c).round(2).tolist()
    [1.13, 0.88]
    """
    return _ratio(CSI_TOTAL, c)


@observable(reads=_READS_SNS, group=Group.SCATTERING, symbol=r"N/N_\mathrm{SM}")
def coherent_lar(c: Couplings) -> FloatArray:
    """Return counts/counts_SM of COHERENT's argon detector; shape (n,)."""
    return _ratio(LAR_TOTAL, c)


@observable(reads=_READS_NUE, group=Group.SCATTERING, symbol=r"N/N_\mathrm{SM}")
def conus_plus(c: Couplings) -> FloatArray:
    """Return counts/counts_SM of reactor nubar_e at CONUS+; shape (n,).

    Scattering of nubar_e on electrons in the same window is left out.
    """
    return _ratio((CONUS_NUEBAR,), c)
