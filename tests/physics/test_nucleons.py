"""Vector couplings of nucleons and nuclei."""

import numpy as np
import pytest

from zpfit.physics.couplings import Couplings
from zpfit.physics.nucleons import (
    couples_to_nucleons,
    neutron_coupling,
    nuclear_coupling,
    proton_coupling,
)


def test_nucleons_count_their_valence_quarks() -> None:
    c = Couplings.of(m_Zp=17.0, C_Vu=[1e-3, 0.0, 2e-4], C_Vd=[0.0, 1e-3, -1e-4])
    np.testing.assert_allclose(proton_coupling(c), [2e-3, 1e-3, 3e-4])
    np.testing.assert_allclose(neutron_coupling(c), [1e-3, 2e-3, 0.0], atol=1e-18)


def test_a_nucleus_is_the_sum_of_its_nucleons() -> None:
    c = Couplings.of(m_Zp=17.0, C_Vu=[3e-4, -1e-4], C_Vd=[2e-5, 7e-4])
    whole = nuclear_coupling(c, protons=55, neutrons=78)
    np.testing.assert_allclose(whole, 55 * proton_coupling(c) + 78 * neutron_coupling(c))
    np.testing.assert_allclose(whole, 188 * c.C_Vu + 211 * c.C_Vd)


def test_one_quark_coupling_is_enough() -> None:
    c = Couplings.of(m_Zp=17.0, C_Vd=1e-4)
    assert proton_coupling(c) == pytest.approx([1e-4])


def test_models_of_leptons_alone_cost_nothing() -> None:
    c = Couplings(m_Zp=np.full(1000, 17.0), C_Ve=np.full(1000, 1e-4))
    assert not couples_to_nucleons(c)
    assert proton_coupling(c).strides == (0,)  # one zero, no memory of its own
    assert not nuclear_coupling(c, protons=55, neutrons=78).any()
