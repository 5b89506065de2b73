"""Compare K+ -> mu+ nu Z' with Feynman rules in explicit Dirac matrices, and with limits."""

from math import pi

import numpy as np
import pytest
from dirac import GAMMA, GAMMA5, LEFT, METRIC, bar, dalitz, dot, polarisations, slash

from zpfit.physics.constants import MUON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.kaon_decay import KAON_MASS, coupling_basis, k_munu_inv, rate_matrix

BR = 0.6356
"""BR(K+ -> mu+ nu)."""
ONE = np.eye(4)


def by_feynman_rules(m, c_v, c_a, c_nu, c_meson, c_vertex, nodes=24):
    """Return Gamma(K+ -> mu+ nu Z')/Gamma(K+ -> mu+ nu) from four diagrams, by quadrature."""
    muon, nu, k, weight = dalitz((MUON_MASS, 1e-9, m), KAON_MASS, nodes)
    p, lepton, neutrino = muon + nu + k, muon + k, nu + k
    p_slash = slash(p) @ LEFT
    propagator = (MUON_MASS * ONE - slash(lepton)) / (dot(lepton, lepton) - MUON_MASS**2)[
        ..., None, None
    ]
    current = p_slash @ propagator
    from_nu = c_nu * (slash(neutrino) / dot(neutrino, neutrino)[..., None, None]) @ p_slash
    pole = c_meson / (m**2 - 2 * dot(p, k))
    lowered = (2 * p - k) @ METRIC
    low = np.diag(METRIC)
    vertices = [
        # GAMMA has an upper index; the kaon's momentum gets one from its lowered components.
        current @ GAMMA[z] @ (c_v * ONE + c_a * GAMMA5)
        + GAMMA[z] @ from_nu
        + (pole * lowered[..., z] * low[z])[..., None, None] * (slash(p - k) @ LEFT)
        - c_vertex * GAMMA[z] @ LEFT
        for z in range(4)
    ]
    spins = polarisations(k, m**2)
    inner = [slash(nu) @ v @ (slash(muon) - MUON_MASS * ONE) for v in vertices]
    squared = sum(
        spins[..., z, y] * np.einsum("...ij,...ji", inner[z], bar(vertices[y]))
        for z in range(4)
        for y in range(4)
    )
    ratio = (MUON_MASS / KAON_MASS) ** 2
    two_body = MUON_MASS**2 * KAON_MASS**2 * (1 - ratio) ** 2 / (8 * pi)
    return np.sum(weight * squared.real) / two_body


def rate(m, *couplings):
    basis = np.array(coupling_basis(*couplings))
    return basis @ rate_matrix(np.array([m]), KAON_MASS, MUON_MASS)[:, :, 0] @ basis


@pytest.mark.parametrize("m", [60.0, 200.0])
def test_rate_by_feynman_rules(m):
    rng = np.random.default_rng(11)
    for couplings in (*np.eye(5), rng.normal(size=5)):
        assert rate(m, *couplings) == pytest.approx(by_feynman_rules(m, *couplings), rel=1e-6)


def test_a_light_boson_is_a_scalar_with_derivative_couplings():
    """The divergence of the muon's current, (C_V/m) ubar p-slash P_L v, is all that is left."""
    muon, nu, k, weight = dalitz((MUON_MASS, 1e-9, 1e-6), KAON_MASS, 60)
    p = muon + nu + k
    # Trace of n-slash p-slash P_L (l-slash - m_mu) P_R p-slash.
    squared = 2 * (2 * dot(nu, p) * dot(muon, p) - KAON_MASS**2 * dot(nu, muon))
    ratio = (MUON_MASS / KAON_MASS) ** 2
    scalar = np.sum(weight * squared) / (MUON_MASS**2 * KAON_MASS**2 * (1 - ratio) ** 2 / (8 * pi))
    assert rate(1.0, 1.0, 0, 0, 0, 0) == pytest.approx(scalar, rel=2e-3)


def test_the_enhancement_for_a_massless_muon():
    """BR/D^2 is 0.61 at 40 MeV without the muon's mass in the amplitude and phase space."""
    tiny = 1e-3
    found = rate_matrix(np.array([40.0]), KAON_MASS, tiny)[0, 0, 0]
    helicity = (tiny / MUON_MASS) ** 2 / (1 - (MUON_MASS / KAON_MASS) ** 2) ** 2
    assert BR * found * helicity == pytest.approx(0.61, abs=0.005)


def test_conserved_currents_are_not_enhanced():
    """A dark photon, and a Z' that couples to the muon and its neutrino alike."""
    for couplings in ((-1.0, 0, 0, 1.0, 1.0), (1.0, 0, 1.0, 0, 0)):
        assert rate(1.0, *couplings) < 1e-3 * rate(1.0, 1.0, 0, 0, 0, 0)


def test_the_table_follows_the_rate():
    m = np.geomspace(1.5, 380, 60)
    rng = np.random.default_rng(2)
    v, a, nu, v_u, a_u, v_s, a_s = rng.normal(size=(7, 60))
    quarks = {"C_Vu": v_u, "C_Au": a_u, "C_Vs": v_s, "C_As": a_s}
    c = Couplings.of(m_Zp=m, C_Vmu=v, C_Amu=a, C_numu=nu, width_dark=1e9, **quarks)
    basis = np.array(coupling_basis(v, a, nu, v_u - v_s, v_u + a_u - v_s - a_s))
    exact = np.einsum("in,jn,ijn->n", basis, basis, rate_matrix(m, KAON_MASS, MUON_MASS))
    np.testing.assert_allclose(k_munu_inv(c), BR * exact, rtol=2e-5)


def test_closed_above_threshold_and_for_visible_decays():
    closed = Couplings.of(m_Zp=[388.1, 1e3], C_Vmu=1.0, C_nutau=1.0)
    assert not k_munu_inv(closed).any()
    assert not k_munu_inv(Couplings.of(m_Zp=20.0, C_Vmu=1e-3, C_Ve=1e-4)).any()
