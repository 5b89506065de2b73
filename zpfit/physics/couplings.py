"""The effective couplings of a batch of points, which every observable reads."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from zpfit.physics.compiled import FloatArray


@dataclass(frozen=True, slots=True)
class Couplings:
    """Mass and lepton couplings of the Z' at n points; every field has shape (n,).

    L = -Z'_mu sum_l [lbar gamma^mu (C_V + C_A gamma5) l + C_nu nubar gamma^mu P_L nu],
    Eq. (6) of arXiv:2102.07781. ``m_Zp`` in MeV, couplings dimensionless.
    """

    m_Zp: FloatArray
    C_Ve: FloatArray
    C_Ae: FloatArray
    C_nue: FloatArray
    C_Vmu: FloatArray
    C_Amu: FloatArray
    C_numu: FloatArray
    C_Vtau: FloatArray
    C_Atau: FloatArray
    C_nutau: FloatArray

    def rows(self) -> tuple[FloatArray, ...]:
        """The ten arrays in the order of :data:`COUPLING_NAMES`."""
        return (
            self.m_Zp,
            self.C_Ve,
            self.C_Ae,
            self.C_nue,
            self.C_Vmu,
            self.C_Amu,
            self.C_numu,
            self.C_Vtau,
            self.C_Atau,
            self.C_nutau,
        )

    def take(self, indices: slice | NDArray[np.intp]) -> "Couplings":
        """The points at ``indices``."""
        return Couplings(*(row[indices] for row in self.rows()))

    def __len__(self) -> int:
        return len(self.m_Zp)


COUPLING_NAMES = tuple(field.name for field in fields(Couplings))
