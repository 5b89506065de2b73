"""Mass floors of particles that stay in thermal contact during nucleosynthesis."""

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import gufunc
from zpfit.physics.couplings import Couplings


def mass_floor_ratio(
    c: Couplings, electrophilic: float, neutrinophilic: float, contact: float
) -> FloatArray:
    """Return the lowest allowed mass over m_Zp, above 1 where the Z' is too light.

    Parameters
    ----------
    c : Couplings
        n points.
    electrophilic : float
        Lowest mass (MeV) if the electron coupling sqrt(C_V^2 + C_A^2) exceeds ``contact``.
    neutrinophilic : float
        Lowest mass (MeV) if any neutrino coupling exceeds ``contact``.
    contact : float
        Coupling above which the Z' is in thermal contact with the plasma.

    Returns
    -------
    numpy.ndarray, shape (n,)
        The larger one of both bounds applies; zero without thermal contact.

    References
    ----------
    N. Sabti et al., arXiv:1910.01649.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=5.0, C_Ve=[0.0, 1e-6])
    >>> mass_floor_ratio(c, 10.0, 11.0, 1e-9).tolist()
    [0.0, 2.0]
    """
    both = max(electrophilic, neutrinophilic)
    result: FloatArray = _mass_floor_ratio(*_rows(c), electrophilic, neutrinophilic, both, contact)
    return result


def mixed_mass_floor_ratio(
    c: Couplings, electrophilic: float, neutrinophilic: float, contact: float
) -> FloatArray:
    """Return the lowest allowed mass over m_Zp where electrons and neutrinos both couple.

    It complements :func:`zpfit.physics.neutrino_decoupling.n_eff`, which covers couplings to
    electrons alone and to neutrinos alone. Arguments are those of :func:`mass_floor_ratio`.

    Returns
    -------
    numpy.ndarray, shape (n,)
        The larger one of both bounds over m_Zp; zero unless both couplings exceed ``contact``.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=5.0, C_Ve=1e-6, C_nue=[0.0, 1e-6])
    >>> mixed_mass_floor_ratio(c, 10.0, 11.0, 1e-9).tolist()
    [0.0, 2.2]
    """
    if c.vanish("C_Ve", "C_Ae"):
        return np.zeros(len(c))
    result: FloatArray = _mass_floor_ratio(
        *_rows(c), 0.0, 0.0, max(electrophilic, neutrinophilic), contact
    )
    return result


def _rows(c: Couplings) -> tuple[FloatArray, ...]:
    return c.m_Zp, c.C_Ve, c.C_Ae, c.C_nue, c.C_numu, c.C_nutau


@gufunc("(p),(p),(p),(p),(p),(p),(),(),(),()->(p)")
def _mass_floor_ratio(  # type: ignore[no-untyped-def]
    m_Zp, c_ve, c_ae, c_nue, c_numu, c_nutau, electrons, neutrinos, both, contact, out
):
    # Comparing squares needs neither signs nor roots.
    contact2 = contact * contact
    for i in range(m_Zp.shape[0]):
        electron = c_ve[i] * c_ve[i] + c_ae[i] * c_ae[i] > contact2
        neutrino = (
            c_nue[i] * c_nue[i] > contact2
            or c_numu[i] * c_numu[i] > contact2
            or c_nutau[i] * c_nutau[i] > contact2
        )
        without_electrons = neutrinos if neutrino else 0.0
        with_electrons = both if neutrino else electrons
        out[i] = (with_electrons if electron else without_electrons) / m_Zp[i]
