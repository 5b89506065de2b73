"""Compare the bound from neutron-lead scattering with references and the published bound."""

import numpy as np
import pytest

from zpfit.physics.constants import ELECTRIC_CHARGE
from zpfit.physics.couplings import Couplings
from zpfit.physics.neutron_lead import neutron_lead

LIMIT = 3.4e-11
"""MeV^-4."""


def nucleons(m, c_vp, c_vn):
    return Couplings.of(m_Zp=m, C_Vu=(2 * c_vp - c_vn) / 3, C_Vd=(2 * c_vn - c_vp) / 3)


@pytest.mark.parametrize(
    ("c_vp", "c_vn", "expected"),
    [
        (0.0, 0.00757, 0.9727797076747284),
        (2e-4, -0.003, 0.14615102817816952),
        (2e-4, 0.0034, 0.20861462961749427),
    ],
)
def test_strength_over_the_limit(c_vp, c_vn, expected):
    m = 16.9 if c_vn == 0.0034 else 17.0
    assert neutron_lead(nucleons(m, c_vp, c_vn)) / LIMIT == pytest.approx(expected, rel=1e-8)


def test_limit_on_a_protophobic_boson():
    """arXiv:1604.07411 quotes |eps_n| < 2.5e-2 at 17 MeV."""
    one = neutron_lead(nucleons(17.0, 0.0, ELECTRIC_CHARGE))[0]
    assert np.sqrt(LIMIT / one) == pytest.approx(2.5e-2, rel=0.02)


def test_leptons_alone_scatter_no_neutrons():
    assert not neutron_lead(Couplings.of(m_Zp=17.0, C_Ve=1e-3)).any()
