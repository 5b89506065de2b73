"""Branching ratios of the Z' as observables, and remarks about its widths."""

from math import pi
from typing import Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import QUARK_NAMES, WIDTH_INPUTS, Couplings
from zpfit.physics.hadrons import THRESHOLD
from zpfit.physics.observables import Group, observable


@observable(reads=WIDTH_INPUTS, group=Group.OTHER, symbol=r"\mathrm{BR}(Z' \to e e)")
def br_ee(c: Couplings) -> FloatArray:
    """Return BR(Z' -> e+ e-), zero below threshold; shape (n,)."""
    return c.br_ee


@observable(reads=WIDTH_INPUTS, group=Group.OTHER, symbol=r"\mathrm{BR}(Z' \to \mathrm{inv})")
def br_inv(c: Couplings) -> FloatArray:
    """Return BR(Z' -> nu nubar or a dark sector), zero where no channel is open; shape (n,).

    Examples
    --------
    >>> br_inv(Couplings.of(m_Zp=1.0, C_Ve=1e-4, C_numu=1e-9)).tolist()  # below 2 m_e
    [1.0]
    """
    return c.br_inv


HADRONIC_WIDTHS = (
    "above 135 MeV all branching ratios include hadrons, by vector couplings of quarks: e+ e- data "
    "to 1.2 GeV (10 to 20 %), interpolated to 2 GeV (40 %), quarks above; the widths of axial "
    "couplings below 2 GeV are unknown and left out"
)
"""A remark about results at masses where hadronic channels are open."""
BROAD: Final = 0.1
"""Width over mass above which a remark says that the Z' is broad."""


def notes_about_widths(c: Couplings, largest_mass: float) -> tuple[str, ...]:
    """Return which hadronic widths enter results, if any can be open, and whether Z' are broad.

    Parameters
    ----------
    c : Couplings
        Some points of a model.
    largest_mass : float
        Largest mass of the results, MeV.

    Examples
    --------
    >>> notes_about_widths(Couplings.of(m_Zp=17.0, C_Vu=1e-4), 100.0)
    ()
    >>> notes_about_widths(Couplings.of(m_Zp=17.0, width_dark=34.0), 100.0)[0][:47]
    "the Z' has a width of up to 2 times its mass: p"
    """
    opens = largest_mass > THRESHOLD and any(map(c.gives, QUARK_NAMES))
    return (*((HADRONIC_WIDTHS,) if opens else ()), *_broad(c))


def _broad(c: Couplings) -> tuple[str, ...]:
    """Return a remark if the Z' is broad at any of the points."""
    with np.errstate(all="ignore"):  # couplings of a user's model may be anything
        share = float(np.nanmax(c.widths.total, initial=0.0)) / (12 * pi)
    if not share > BROAD:
        return ()
    narrow = "predictions assume a narrow Z' and do not hold there"
    return (f"the Z' has a width of up to {share:.2g} times its mass: {narrow}",)
