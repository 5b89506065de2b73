"""Mass floors of particles that stay in thermal contact during nucleosynthesis."""

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import gufunc
from zpfit.physics.couplings import Couplings


def mass_floor_ratio(
    c: Couplings, electrophilic: float, neutrinophilic: float, contact: float
) -> FloatArray:
    """Floor over m_Zp, above 1 where the Z' is too light; shape (n,).

    The floor (MeV) is ``electrophilic`` if the electron coupling
    sqrt(C_V^2 + C_A^2) exceeds ``contact``, ``neutrinophilic`` if any neutrino
    coupling does, the larger one if both do; without thermal contact there is no bound
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


@gufunc("(p),(p),(p),(p),(p),(p),(),(),()->(p)")
def _mass_floor_ratio(  # type: ignore[no-untyped-def]
    m_Zp, c_ve, c_ae, c_nue, c_numu, c_nutau, electrophilic, neutrinophilic, contact, out
):
    # Squares are compared, so that no sign and no root is needed.
    contact2 = contact * contact
    for i in range(m_Zp.shape[0]):
        floor = 0.0
        if (
            c_nue[i] * c_nue[i] > contact2
            or c_numu[i] * c_numu[i] > contact2
            or c_nutau[i] * c_nutau[i] > contact2
        ):
            floor = neutrinophilic
        if c_ve[i] * c_ve[i] + c_ae[i] * c_ae[i] > contact2 and electrophilic > floor:
            floor = electrophilic
        out[i] = floor / m_Zp[i]
