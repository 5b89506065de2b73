"""The model-independent Z': every effective coupling is a parameter."""

from typing import Literal

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.io.schema import StrictModel
from zpfit.models.base import Model, Parameter, Values
from zpfit.physics.constants import MASS_RANGE
from zpfit.physics.couplings import QUARK_NAMES, QUARKS, TABLE, Coupling, Couplings, LaterRows

MASS = Parameter("m_Zp", "m_{Z'}", "MeV", MASS_RANGE, meaning="mass of the Z'")
"""The mass, under the name that every model uses."""

_FAMILIES = ("e", "mu", "tau")


def _parameter(coupling: Coupling) -> Parameter:
    quark = coupling.fermion in QUARKS
    # No packaged data constrain the tau, so that its couplings may be left out.
    default = 0.0 if quark or coupling.fermion == "tau" else None
    meaning = f"{coupling.kind} coupling, {coupling.fermion} {'quark' if quark else 'family'}"
    domain = (-1.0, 1.0)  # perturbative
    return Parameter(coupling.name, coupling.symbol, coupling.unit, domain, default, meaning, 0.0)


_QUARK_PARAMETERS = tuple(_parameter(row) for row in TABLE if row.fermion in QUARKS)
_FREE_NAMES = ("C_Vu", "C_Au", "C_Vd")
_FREE_QUARKS = tuple(p for p in _QUARK_PARAMETERS if p.name in _FREE_NAMES)
"""Couplings that stay free if the charged current is conserved."""


class EffectiveOptions(StrictModel):
    """Options of the effective couplings."""

    completion: Literal["leptons_only", "gauge_invariant"] = "leptons_only"
    """``gauge_invariant`` lets the quarks conserve the charged current, C_uL - C_dL = C_nue - C_eL,
    alike in all families; ``leptons_only`` leaves quark couplings independent, zero unless given.
    """


class Effective(Model):
    """Mass and couplings as in Eq. (6) of arXiv:2102.07781, and those of quarks.

    Examples
    --------
    >>> [parameter.name for parameter in Effective().parameters][:4]
    ['m_Zp', 'C_Ve', 'C_Ae', 'C_nue']
    >>> complete = Effective(EffectiveOptions(completion="gauge_invariant"))
    >>> point = {p.name: np.zeros(1) for p in complete.parameters} | {"C_Ae": np.array([1e-4])}
    >>> complete.couplings(point).C_Ad
    array([0.0001])
    """

    name = "effective"
    reference = "Eq. (6) of arXiv:2102.07781"

    def __init__(self, options: EffectiveOptions | None = None) -> None:
        completion = (options or EffectiveOptions()).completion
        self._gauge_invariant = completion == "gauge_invariant"

    @property
    def description(self) -> str:
        """The couplings that there are."""
        leptons = (
            "A Z' with independent vector, axial and neutrino couplings to each lepton family, "
            "the tau's zero unless given."
        )
        if not self._gauge_invariant:
            return leptons
        return f"{leptons} Quarks conserve the charged current of the first family."

    @property
    def formulas(self) -> tuple[str, ...]:
        """The axial coupling that the others fix, if the charged current is conserved."""
        if not self._gauge_invariant:
            return ()
        return (
            "C_Ad = C_Vd - (C_Vu - C_Au) + C_nue - (C_Ve - C_Ae)",
            "s and b couple like d, and c like u",
        )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The mass, the leptons' couplings, and those of quarks that are free or given."""
        rows = [row for row in TABLE if row.fermion in _FAMILIES]
        free = _FREE_QUARKS if self._gauge_invariant else ()
        return (MASS, *map(_parameter, rows), *free, *self.added)

    @property
    def optional(self) -> tuple[Parameter, ...]:
        """Couplings of quarks, unless the charged current fixes some of them."""
        return () if self._gauge_invariant else _QUARK_PARAMETERS

    def couplings(self, values: Values) -> Couplings:
        """Return couplings at n points."""
        if not self._gauge_invariant:
            return Couplings(**values)
        leptons = {name: column for name, column in values.items() if name not in _FREE_NAMES}
        inputs = (values[name] for name in (*_FREE_NAMES, "C_Ve", "C_Ae", "C_nue"))
        return Couplings.deferring(LaterRows(QUARK_NAMES, _completed, *inputs), **leptons)

    def embed(self, smaller: Model, values: Values) -> dict[str, FloatArray]:
        """Return the couplings of any model."""
        found = smaller.couplings(values)
        return {p.name: np.asarray(found[p.name], dtype=float) for p in self.parameters}


def _completed(
    c_vu: FloatArray,
    c_au: FloatArray,
    c_vd: FloatArray,
    c_ve: FloatArray,
    c_ae: FloatArray,
    c_nue: FloatArray,
) -> dict[str, FloatArray]:
    """Return quark couplings that conserve the charged current, with families alike."""
    c_ad = c_vd - (c_vu - c_au) + c_nue - (c_ve - c_ae)
    up = {f"C_V{quark}": c_vu for quark in ("u", "c")} | {f"C_A{q}": c_au for q in ("u", "c")}
    down = {f"C_V{q}": c_vd for q in ("d", "s", "b")} | {f"C_A{q}": c_ad for q in ("d", "s", "b")}
    return up | down
