"""Branching ratios of the Z' as observables."""

from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import WIDTH_INPUTS, Couplings
from zpfit.physics.observables import Group, observable


@observable(reads=WIDTH_INPUTS, group=Group.OTHER)
def br_ee(c: Couplings) -> FloatArray:
    """Return BR(Z' -> e+ e-), zero below threshold; shape (n,)."""
    return c.br_ee


@observable(reads=WIDTH_INPUTS, group=Group.OTHER)
def br_inv(c: Couplings) -> FloatArray:
    """Return BR(Z' -> nu nubar or a dark sector), zero where no channel is open; shape (n,).

    Examples
    --------
    >>> br_inv(Couplings.of(m_Zp=1.0, C_Ve=1e-4, C_numu=1e-9)).tolist()  # below 2 m_e
    [1.0]
    """
    return c.br_inv
