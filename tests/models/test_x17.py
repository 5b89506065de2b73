"""Test the parametrisation of X17 against the definitions of its combinations."""

import numpy as np
import pytest

from zpfit.models.x17 import X17, X17Options
from zpfit.physics.charged_current import pion_charge
from zpfit.physics.kaon_to_pion import kaon_charge
from zpfit.physics.nucleons import (
    LATTICE_SPINS,
    LITERATURE_SPINS,
    axial_couplings,
    neutron_coupling,
    nuclear_coupling,
    proton_coupling,
)

N = 50


def draw(model):
    """Return random points of either sign over many decades."""
    rng = np.random.default_rng(1)
    values = {}
    for parameter in model.parameters:
        size = 10.0 ** rng.uniform(-7, -2, N)
        values[parameter.name] = size * rng.choice([-1, 1], N)
    return values | {"m_Zp": rng.uniform(14, 20, N)}


@pytest.mark.parametrize("quarks", ["both", "vector"])
def test_combinations_are_those_of_their_names(quarks):
    model = X17(X17Options(quarks=quarks))
    values = draw(model)
    c = model.couplings(values)
    np.testing.assert_allclose(pion_charge(c), values["D_pi"], rtol=1e-9, atol=1e-17)
    charge = nuclear_coupling(c, protons=55, neutrons=78)
    np.testing.assert_allclose(charge, values["Q_Cs"], rtol=1e-9, atol=1e-15)


def test_axial_couplings_of_nucleons():
    model = X17()
    values = draw(model)
    found = axial_couplings(model.couplings(values))
    np.testing.assert_allclose(found, [values["a_p"], values["a_n"]], rtol=1e-9, atol=1e-17)


def test_gauge_invariance_conserves_the_charged_current():
    """C_uL - C_dL = C_nue - C_eL, with C_L = C_V - C_A."""
    model = X17(X17Options(completion="gauge_invariant"))
    c = model.couplings(draw(model))
    quarks = (c.C_Vu - c.C_Au) - (c.C_Vd - c.C_Ad)
    np.testing.assert_allclose(quarks, c.C_nue - (c.C_Ve - c.C_Ae), rtol=1e-9, atol=1e-17)
    np.testing.assert_allclose(pion_charge(c), 2 * (c.C_Au - c.C_Ad), rtol=1e-9, atol=1e-17)
    assert "D_pi" not in [p.name for p in model.parameters]


def test_kinds_of_quark_couplings():
    vector = X17(X17Options(quarks="vector"))
    axial = X17(X17Options(quarks="axial"))
    assert not vector.couplings(draw(vector)).gives("C_Au")
    c = axial.couplings(draw(axial))
    assert not c.gives("C_Vu")
    assert not np.any(proton_coupling(c))
    assert not np.any(neutron_coupling(c))


@pytest.mark.parametrize("quarks", ["both", "axial"])
@pytest.mark.parametrize("spins", ["literature", "lattice"])
@pytest.mark.parametrize("strange", ["down", "free"])
def test_strange_quarks_keep_the_couplings_of_nucleons(quarks, spins, strange):
    model = X17(X17Options(quarks=quarks, spins=spins, strange=strange))
    values = draw(model)
    c = model.couplings(values)
    fractions = {"literature": LITERATURE_SPINS, "lattice": LATTICE_SPINS}[spins]
    found = axial_couplings(c, fractions)
    np.testing.assert_allclose(found, [values["a_p"], values["a_n"]], rtol=1e-9, atol=1e-16)
    if strange == "free":
        np.testing.assert_allclose(kaon_charge(c), values["D_K"], rtol=1e-9, atol=1e-16)
    else:
        np.testing.assert_allclose(c.C_As, c.C_Ad)
        np.testing.assert_allclose(c.C_Vs, c.C_Vd)
        np.testing.assert_allclose(kaon_charge(c), 2 * (c.C_Au + c.C_Ad), rtol=1e-9, atol=1e-16)
    if quarks == "both":
        np.testing.assert_allclose(pion_charge(c), values["D_pi"], rtol=1e-9, atol=1e-16)


def test_strange_quarks_need_axial_couplings():
    with pytest.raises(ValueError, match="strange: free needs axial couplings"):
        X17Options(quarks="vector", strange="free")
