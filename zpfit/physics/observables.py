"""Names of observables, as entries and tables use them, to the physics behind them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.physics.magnetic_moment import delta_a_e, delta_a_mu
from zpfit.physics.moller import e158_sin2_theta, moller_parity_violation
from zpfit.physics.paper_2021 import borexino, charm2_nu, charm2_nubar, texono
from zpfit.physics.recoil_experiments import (
    nue_borexino,
    nue_charm2_nu,
    nue_charm2_nubar,
    nue_lsnd,
    nue_texono,
)
from zpfit.physics.stars import white_dwarf_cooling
from zpfit.physics.trident import trident, trident_ccfr, trident_charm2, trident_nutev


class Group(Enum):
    """What kind of data an observable belongs to, for tension between kinds."""

    ELECTRON = "electron g-2"
    MUON = "muon g-2"
    SCATTERING = "scattering"
    OTHER = "other"


ANOMALIES = (Group.ELECTRON, Group.MUON)
"""What a Z' is asked to explain."""


@dataclass(frozen=True)
class Observable:
    """A number that a point predicts."""

    name: str
    function: Callable[[Couplings], FloatArray]
    """A batch of n points to predictions of shape (n,)."""
    group: Group = Group.OTHER
    symbol: str = ""
    """LaTeX, without dollar signs; empty where there is none."""


def br_ee(c: Couplings) -> FloatArray:
    """Branching ratio of Z' -> e+ e-, zero where no channel is open; shape (n,)."""
    return c.br_ee


def br_inv(c: Couplings) -> FloatArray:
    """Branching ratio of Z' -> nu nubar, zero where no channel is open; shape (n,)."""
    return c.br_inv


def _by_name(*observables: Observable) -> dict[str, Observable]:
    return {observable.name: observable for observable in observables}


PREDICTIONS = _by_name(
    Observable("delta_a_e", delta_a_e, Group.ELECTRON, r"\Delta a_e"),
    Observable("delta_a_mu", delta_a_mu, Group.MUON, r"\Delta a_\mu"),
    Observable("texono", texono, Group.SCATTERING),
    Observable("borexino", borexino, Group.SCATTERING),
    Observable("charm2_nu", charm2_nu, Group.SCATTERING),
    Observable("charm2_nubar", charm2_nubar, Group.SCATTERING),
    Observable("ccfr", trident, Group.SCATTERING),
    Observable("nue_texono", nue_texono, Group.SCATTERING),
    Observable("nue_borexino", nue_borexino, Group.SCATTERING),
    Observable("nue_charm2_nu", nue_charm2_nu, Group.SCATTERING),
    Observable("nue_charm2_nubar", nue_charm2_nubar, Group.SCATTERING),
    Observable("nue_lsnd", nue_lsnd, Group.SCATTERING),
    Observable("trident_ccfr", trident_ccfr, Group.SCATTERING),
    Observable("trident_charm2", trident_charm2, Group.SCATTERING),
    Observable("trident_nutev", trident_nutev, Group.SCATTERING),
    Observable("e158_sin2_theta", e158_sin2_theta, Group.SCATTERING),
    Observable("br_ee", br_ee),
    Observable("br_inv", br_inv),
)
"""What :command:`zpfit evaluate` reports for every point."""

BOUNDED = _by_name(
    Observable("white_dwarf_cooling", white_dwarf_cooling),
    Observable("moller_parity_violation", moller_parity_violation),
)
"""Combinations that only bounds refer to."""

OBSERVABLES = PREDICTIONS | BOUNDED
