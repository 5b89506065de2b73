r"""Couplings of the Z' to nucleons and nuclei.

A vector current counts valence quarks at zero momentum transfer, whatever the strong interaction
does: C_Vp = 2 C_Vu + C_Vd and C_Vn = C_Vu + 2 C_Vd, in the convention of
:class:`~zpfit.physics.couplings.Couplings`. Sea quarks, and thus the heavier flavours, drop out.
An axial current counts the spins of quarks, which are measured or computed on the lattice.
"""

from dataclasses import dataclass
from typing import Final

from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings

NUCLEON_INPUTS: Final = ("C_Vu", "C_Vd")
"""Couplings that the nucleons' vector couplings depend on, for the ``reads`` of observables."""


def couples_to_nucleons(c: Couplings) -> bool:
    """Return True unless C_Vu and C_Vd vanish at all points, so that every function returns zeros.

    Examples
    --------
    >>> couples_to_nucleons(Couplings.of(m_Zp=17.0, C_Ve=1e-4))
    False
    """
    return not c.vanish("C_Vu", "C_Vd")


def proton_coupling(c: Couplings) -> FloatArray:
    """Return the vector coupling of the proton, C_Vp = 2 C_Vu + C_Vd; shape (n,).

    Examples
    --------
    A dark photon couples to charge: C_Vp = -C_Ve and C_Vn = 0.

    >>> c = Couplings.of(m_Zp=17.0, C_Ve=-3e-4, C_Vu=2e-4, C_Vd=-1e-4)
    >>> print(f"{proton_coupling(c)[0]:.1e}", f"{neutron_coupling(c)[0]:.1e}")
    3.0e-04 0.0e+00
    """
    return nuclear_coupling(c, protons=1, neutrons=0)


def neutron_coupling(c: Couplings) -> FloatArray:
    """Return the vector coupling of the neutron, C_Vn = C_Vu + 2 C_Vd; shape (n,)."""
    return nuclear_coupling(c, protons=0, neutrons=1)


def nuclear_coupling(c: Couplings, *, protons: float, neutrons: float) -> FloatArray:
    """Return the vector coupling of a nucleus at zero momentum transfer; shape (n,).

    Parameters
    ----------
    c : Couplings
        n points.
    protons, neutrons : float
        Numbers Z and N; a fraction for a mean over isotopes.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Z C_Vp + N C_Vn = (2 Z + N) C_Vu + (Z + 2 N) C_Vd; the shared row of zeros if the model
        gives neither coupling.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=17.0, C_Vu=1e-5, C_Vd=1e-5)  # Caesium: 133 nucleons, 399 quarks
    >>> print(f"{nuclear_coupling(c, protons=55, neutrons=78)[0]:.2e}")
    3.99e-03
    """
    if not couples_to_nucleons(c):
        return c.C_Vu
    result: FloatArray = (2 * protons + neutrons) * c.C_Vu + (protons + 2 * neutrons) * c.C_Vd
    return result


@dataclass(frozen=True)
class SpinFractions:
    """Fractions of the proton's spin that quarks carry; those of u and d swap in the neutron."""

    up: float
    down: float
    strange: float


LITERATURE_SPINS: Final = SpinFractions(0.897, -0.376, -0.026)
"""Those of the literature on X17 (arXiv:1511.02867, arXiv:1611.00368), from memory; errors 0.027,
0.027 and 0.004."""
LATTICE_SPINS: Final = SpinFractions(0.781, -0.440, -0.055)
"""Lattice (arXiv:2503.07100; u seen in its abstract, the others from memory); errors 0.025, 0.039
and 0.009."""
AXIAL_INPUTS: Final = ("C_Au", "C_Ad", "C_As")
"""Couplings that the nucleons' axial couplings depend on, for the ``reads`` of observables."""


def axial_couplings(
    c: Couplings, spins: SpinFractions = LITERATURE_SPINS
) -> tuple[FloatArray, FloatArray]:
    """Return the axial couplings of proton and neutron at zero momentum transfer.

    a_p = Du C_Au + Dd C_Ad + Ds C_As and a_n = Dd C_Au + Du C_Ad + Ds C_As.

    Parameters
    ----------
    c : Couplings
        n points.
    spins : SpinFractions
        Du, Dd and Ds.

    Returns
    -------
    tuple of numpy.ndarray, shape (n,)
        The shared row of zeros if the model gives none of the quarks' axial couplings.

    Examples
    --------
    >>> a_p, a_n = axial_couplings(Couplings.of(m_Zp=17.0, C_Au=1e-4, C_Ad=1e-4))
    >>> print(f"{a_p[0]:.2e} {a_n[0]:.2e}")
    5.21e-05 5.21e-05
    """
    if not any(c.gives(name) for name in AXIAL_INPUTS):
        return c.C_Au, c.C_Au
    strange = spins.strange * c.C_As
    proton: FloatArray = spins.up * c.C_Au + spins.down * c.C_Ad + strange
    neutron: FloatArray = spins.down * c.C_Au + spins.up * c.C_Ad + strange
    return proton, neutron


def quark_axial_couplings(
    a_p: FloatArray, a_n: FloatArray, spins: SpinFractions = LITERATURE_SPINS
) -> tuple[FloatArray, FloatArray]:
    """Return C_Au and C_Ad that give nucleons their axial couplings, with C_As = 0.

    Parameters
    ----------
    a_p, a_n : numpy.ndarray, shape (n,)
        Axial couplings of proton and neutron.
    spins : SpinFractions
        Du and Dd.

    Examples
    --------
    >>> import numpy as np
    >>> up, down = quark_axial_couplings(np.array([5.21e-5]), np.array([5.21e-5]))
    >>> print(f"{up[0]:.2e} {down[0]:.2e}")
    1.00e-04 1.00e-04
    """
    up, down = spins.up, spins.down
    determinant = up**2 - down**2
    return (up * a_p - down * a_n) / determinant, (up * a_n - down * a_p) / determinant
