"""Energy spectra of neutrinos; their normalisation cancels in ratios of rates."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.constants import MUON_MASS, PION_MASS

_NODES = 8
"""Gauss-Legendre nodes between two edges of a spectrum."""


@cache
def _quadrature() -> tuple[FloatArray, FloatArray]:
    """Return nodes in [-1, 1] and weights; finding them takes longer than an integral."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


@dataclass(frozen=True)
class Spectrum:
    """A continuous spectrum of neutrinos."""

    density: Callable[[FloatArray], FloatArray]
    """Maps energies in MeV to neutrinos per energy, in any unit."""
    edges: tuple[float, ...]
    """MeV, increasing: the ends of the spectrum, and the points between which it is smooth."""

    @property
    def maximum(self) -> float:
        """Largest energy in MeV."""
        return self.edges[-1]

    def nodes(self, lower: float, cut: float) -> tuple[FloatArray, FloatArray]:
        """Return energies above ``lower`` (MeV) and weights for an integral over them.

        The integrand may have a kink at ``cut`` (MeV).
        """
        inside = [e for e in (lower, cut, *self.edges) if lower <= e <= self.maximum]
        edges = np.unique([e for e in inside if e >= self.edges[0]])
        half = 0.5 * np.diff(edges)[:, None]
        nodes, weights = _quadrature()
        energy = (edges[:-1, None] + half * (nodes + 1)).ravel()
        return energy, (half * weights).ravel() * self.density(energy)


@dataclass(frozen=True)
class Line:
    """Neutrinos of one energy."""

    energy: float
    """MeV."""

    @property
    def maximum(self) -> float:
        """The energy in MeV."""
        return self.energy

    def nodes(self, lower: float, cut: float) -> tuple[FloatArray, FloatArray]:  # noqa: ARG002
        """Return the energy with weight one, or zero if it is below ``lower`` (MeV)."""
        energy = np.array([self.energy])
        return energy, (energy > lower).astype(float)


def reactor_density(energy: FloatArray) -> FloatArray:
    """Return nubar_e per MeV and fission of a power reactor, at energies in MeV.

    The exponential of a polynomial for each isotope, good for 2-8 MeV. The fission
    fractions are typical; ratios of rates hardly depend on them.

    References
    ----------
    P. Huber, arXiv:1106.0687, Table III; for 238U Th. Mueller et al., arXiv:1101.2663,
    Table VI.
    """
    isotopes = [
        fraction * np.exp(np.polynomial.polynomial.polyval(energy, powers))
        for fraction, powers in _FISSION
    ]
    density: FloatArray = np.sum(isotopes, axis=0)
    return density


_FISSION = (
    (0.55, (4.367, -4.577, 2.100, -0.5294, 0.06186, -0.002777)),  # 235U
    (0.32, (4.757, -5.392, 2.563, -0.6596, 0.07820, -0.003536)),  # 239Pu
    (0.06, (2.990, -2.882, 1.278, -0.3343, 0.03905, -0.001754)),  # 241Pu
    (0.07, (0.4833, 0.1927, -0.1283, -0.006762, 0.002233, -0.0001536)),  # 238U
)

REACTOR = Spectrum(reactor_density, (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.5))
"""nubar_e of a power reactor, extrapolated above 8 MeV."""

BERYLLIUM_7 = Line(0.862)
"""nu_e of the Sun's 7Be, the line seen by Borexino."""

MICHEL_END_POINT = 52.83
"""MeV: (m_mu^2 - m_e^2)/(2 m_mu)."""


def michel_density(energy: FloatArray) -> FloatArray:
    """Return nu_e per MeV of mu+ -> e+ nu_e nubar_mu at rest, normalised to one."""
    x = energy / MICHEL_END_POINT
    return 12 / MICHEL_END_POINT * x**2 * (1 - x)


MUON_DECAY = Spectrum(michel_density, (0.0, 35.0, MICHEL_END_POINT))
"""nu_e of stopped mu+."""

STOPPED_PION_NUMU = Line((PION_MASS**2 - MUON_MASS**2) / (2 * PION_MASS))
"""nu_mu of pi+ -> mu+ nu_mu at rest, 29.79 MeV."""


def stopped_muon_nue_density(energy: FloatArray) -> FloatArray:
    """Return nu_e per MeV of mu+ -> e+ nu_e nubar_mu at rest, massless positron; normalised."""
    x = energy / MUON_MASS
    return 192 / MUON_MASS * x**2 * (0.5 - x)


def stopped_muon_numubar_density(energy: FloatArray) -> FloatArray:
    """Return nubar_mu per MeV of mu+ -> e+ nu_e nubar_mu at rest, massless positron; normalised."""
    x = energy / MUON_MASS
    return 64 / MUON_MASS * x**2 * (0.75 - x)


STOPPED_MUON_NUE = Spectrum(stopped_muon_nue_density, (0.0, MUON_MASS / 2))
"""nu_e of stopped mu+ at a spallation source, normalised to one."""
STOPPED_MUON_NUMUBAR = Spectrum(stopped_muon_numubar_density, (0.0, MUON_MASS / 2))
"""nubar_mu of stopped mu+ at a spallation source, normalised to one."""


@dataclass(frozen=True)
class TabulatedDensity:
    """A spectrum interpolated in logarithms between (energy, density) rows."""

    rows: tuple[tuple[float, float], ...]

    def __call__(self, energy: FloatArray) -> FloatArray:
        """Return the density at energies within the rows."""
        log_energy, log_density = np.log(np.array(self.rows)).T
        density: FloatArray = np.exp(np.interp(np.log(energy), log_energy, log_density))
        return density


def tabulated(rows_in_gev: tuple[tuple[float, float], ...]) -> Spectrum:
    """Return a spectrum from rows of energy in GeV and density in any unit."""
    rows = tuple((1e3 * energy, density) for energy, density in rows_in_gev)
    return Spectrum(TabulatedDensity(rows), tuple(energy for energy, _ in rows))
