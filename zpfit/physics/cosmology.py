"""Mass floors of particles that stay in thermal contact during nucleosynthesis."""

from zpfit.physics.compiled import FloatArray, ufunc
from zpfit.physics.couplings import Couplings


def mass_floor_ratio(
    c: Couplings, electrophilic: float, neutrinophilic: float, contact: float
) -> FloatArray:
    """Floor over m_Zp, above 1 where the Z' is too light; shape (n,).

    The floor (MeV) is ``electrophilic`` if the electron coupling
    sqrt(C_V^2 + C_A^2) exceeds ``contact``, else ``neutrinophilic`` if any
    neutrino coupling does, else zero: no thermal contact, no bound
    (Sabti et al., arXiv:1910.01649).
    """
    result: FloatArray = _mass_floor_ratio(
        c.m_Zp,
        c.C_Ve,
        c.C_Ae,
        c.C_nue,
        c.C_numu,
        c.C_nutau,
        electrophilic,
        neutrinophilic,
        contact,
    )
    return result


@ufunc
def _mass_floor_ratio(  # type: ignore[no-untyped-def]
    m_Zp, c_ve, c_ae, c_nue, c_numu, c_nutau, electrophilic, neutrinophilic, contact
):
    floor = 0.0
    if abs(c_nue) > contact or abs(c_numu) > contact or abs(c_nutau) > contact:
        floor = neutrinophilic
    if c_ve * c_ve + c_ae * c_ae > contact * contact and electrophilic > floor:
        floor = electrophilic
    return floor / m_Zp
