"""Names of observables, as entries and tables use them, to the physics behind them."""

from collections.abc import Callable
from dataclasses import dataclass

from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.physics.magnetic_moment import delta_a_e, delta_a_mu
from zpfit.physics.moller import moller_parity_violation
from zpfit.physics.neutrino_electron import borexino, charm2_nu, charm2_nubar, texono
from zpfit.physics.stars import white_dwarf_cooling
from zpfit.physics.trident import trident


@dataclass(frozen=True)
class Observable:
    """A number that a point predicts."""

    name: str
    symbol: str
    """LaTeX."""
    function: Callable[[Couplings], FloatArray]
    """A batch of n points to predictions of shape (n,)."""

    @property
    def description(self) -> str:
        """First line of the formula's documentation."""
        return (self.function.__doc__ or "").strip().splitlines()[0]


def br_ee(c: Couplings) -> FloatArray:
    """Branching ratio of Z' -> e+ e-, zero where no channel is open; shape (n,)."""
    return c.br_ee


def _by_name(*observables: Observable) -> dict[str, Observable]:
    return {observable.name: observable for observable in observables}


PREDICTIONS = _by_name(
    Observable("delta_a_e", r"$\Delta a_e$", delta_a_e),
    Observable("delta_a_mu", r"$\Delta a_\mu$", delta_a_mu),
    Observable("texono", r"$\sigma/\sigma_{\rm SM}$ (TEXONO)", texono),
    Observable("borexino", r"$R/R_{\rm SM}$ (Borexino)", borexino),
    Observable("charm2_nu", r"$\sigma/\sigma_{\rm SM}$ (CHARM-II $\nu_\mu$)", charm2_nu),
    Observable("charm2_nubar", r"$\sigma/\sigma_{\rm SM}$ (CHARM-II $\bar\nu_\mu$)", charm2_nubar),
    Observable("ccfr", r"$\sigma/\sigma_{\rm SM}$ (CCFR trident)", trident),
    Observable("br_ee", r"${\rm BR}(Z' \to e^+e^-)$", br_ee),
)
"""What :command:`zpfit evaluate` reports for every point."""

BOUNDED = _by_name(
    Observable("white_dwarf_cooling", r"$G_{Z'}/G_F$", white_dwarf_cooling),
    Observable("moller_parity_violation", r"$|C_{Ve} C_{Ae}|$", moller_parity_violation),
)
"""Combinations that only bounds refer to."""

OBSERVABLES = PREDICTIONS | BOUNDED
