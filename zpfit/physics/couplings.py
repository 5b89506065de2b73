"""The effective couplings of a batch of points, which every observable reads."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.decays import (
    branching_ratio_ee,
    branching_ratio_invisible,
    branching_ratio_mumu,
)


@dataclass(frozen=True)
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

    @cached_property
    def log_m(self) -> FloatArray:
        """ln of the mass in MeV, which every tabulated function needs."""
        result: FloatArray = np.log(self.m_Zp)
        return result

    @cached_property
    def br_ee(self) -> FloatArray:
        """BR(Z' -> e+ e-), zero where no channel is open; every visible search needs it."""
        result: FloatArray = branching_ratio_ee(*self.rows())
        return result

    @cached_property
    def visible_coupling(self) -> FloatArray:
        """sqrt((C_Ve^2 + C_Ae^2) BR(Z' -> e+ e-)), Eq. (10) of arXiv:2102.07781."""
        result: FloatArray = np.sqrt((self.C_Ve**2 + self.C_Ae**2) * self.br_ee)
        return result

    @cached_property
    def br_inv(self) -> FloatArray:
        """BR(Z' -> nu nubar) of all flavours, zero where no channel is open."""
        result: FloatArray = branching_ratio_invisible(*self.rows())
        return result

    @cached_property
    def br_mumu(self) -> FloatArray:
        """BR(Z' -> mu+ mu-), zero below the threshold."""
        result: FloatArray = branching_ratio_mumu(*self.rows())
        return result

    @cached_property
    def invisible_coupling(self) -> FloatArray:
        """sqrt((C_Ve^2 + C_Ae^2) BR(Z' -> nu nubar)), of missing energy with electrons."""
        result: FloatArray = np.sqrt((self.C_Ve**2 + self.C_Ae**2) * self.br_inv)
        return result

    @cached_property
    def muon_invisible_coupling(self) -> FloatArray:
        """|C_Vmu| sqrt(BR(Z' -> nu nubar)), of missing energy with muons; C_Amu neglected."""
        result: FloatArray = np.abs(self.C_Vmu) * np.sqrt(self.br_inv)
        return result

    @cached_property
    def muon_pair_coupling(self) -> FloatArray:
        """sqrt((C_Vmu^2 + C_Amu^2) BR(Z' -> mu+ mu-)), of Z' radiated by muons, seen as muons."""
        result: FloatArray = np.sqrt((self.C_Vmu**2 + self.C_Amu**2) * self.br_mumu)
        return result

    def take(self, indices: slice | NDArray[np.intp]) -> "Couplings":
        """The points at ``indices``."""
        taken = Couplings(*(row[indices] for row in self.rows()))
        if "log_m" in self.__dict__:  # computed already, so that it need not be again
            taken.__dict__["log_m"] = self.log_m[indices]
        return taken

    def __len__(self) -> int:
        return len(self.m_Zp)


COUPLING_NAMES = tuple(field.name for field in fields(Couplings))
