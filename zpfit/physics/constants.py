"""Constants of the fit, in natural units: masses in MeV, couplings dimensionless."""

from math import pi, sqrt
from typing import Final

ELECTRON_MASS: Final = 0.51099895
"""MeV (CODATA 2018)."""
MUON_MASS: Final = 105.6583755
"""MeV (CODATA 2018)."""
TAU_MASS: Final = 1776.86
"""MeV (PDG 2022)."""
PION_MASS: Final = 139.57039
"""MeV, of the charged pion (PDG 2022)."""
PION0_MASS: Final = 134.9768
"""MeV (PDG 2022)."""
FERMI_CONSTANT: Final = 1.1663787e-11
"""G_F in MeV^-2 (MuLan)."""
FINE_STRUCTURE: Final = 1 / 137.035999084
"""alpha at zero momentum transfer (CODATA 2018)."""
ELECTRIC_CHARGE: Final = sqrt(4 * pi * FINE_STRUCTURE)
"""e; a dark photon with kinetic mixing eps couples with e * eps."""
SIN2_THETA_W: Final = 0.2312
"""sin^2 of the weak mixing angle in neutrino-electron scattering."""

MASS_RANGE: Final = (1e-4, 1e4)
"""MeV; every formula is finite and tested inside this range only."""
