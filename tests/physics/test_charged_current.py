"""Compare decays by the charged current with closed forms and explicit amplitudes."""

from math import log, pi

import numpy as np
import pytest
from dirac import GAMMA, LEFT, bar, dalitz, dot, polarisations, slash

from zpfit.models.nhdm_u1 import NHDMOptions, NHiggsDoubletU1
from zpfit.physics.charged_current import (
    _W_LEPTON_WIDTH,
    PION_MASS,
    W_MASS,
    delta_w_width,
    pi_enu_ee,
    pion_charge,
    pion_coefficient,
)
from zpfit.physics.constants import MUON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.kaon_decay import rate_matrix

REFERENCE = {
    5.0: 1.9676314352963926,
    16.7: 0.1733663370680133,
    20.0: 0.11922308882330385,
    50.0: 0.012251627620473991,
}
"""B0 of an independent program."""
CONSERVED = {
    "dark photon": {"C_Ve": -3, "C_Vu": 2, "C_Vd": -1},
    "B-L": {"C_Ve": -3, "C_nue": -3, "C_Vu": 1, "C_Vd": 1},
    "protophobic": {"C_Ve": 3, "C_Vu": -1, "C_Vd": 2},
}
"""Mixtures of electric charge, baryon number and lepton number: protophobic is B - Q here."""


def normalisation():
    r = (MUON_MASS / PION_MASS) ** 2
    return 0.999877 / (16 * pi**2 * r * (1 - r) ** 2)


def closed_form(m):
    """Return B0 by the elementary integrals of sqrt(lam) s and lam^(3/2) over s."""
    r = (m / PION_MASS) ** 2
    root = (1 - r**2) / 2 + r * log(r)
    linear = (1 + r) * root - (1 - r) ** 3 / 3
    cubic = (1 + r) * (1 - r) ** 3 / 4 - 3 * r * root
    return normalisation() * (2 * linear + cubic / (6 * r))


@pytest.mark.parametrize(("m", "expected"), REFERENCE.items())
def test_pion_coefficient_reference(m, expected):
    assert pion_coefficient(m) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("m", [0.01, 1.5, 17.3, 44.0, 90.0])
def test_pion_coefficient_in_closed_form(m):
    assert pion_coefficient(m) == pytest.approx(closed_form(m), rel=1e-8)


def test_pion_coefficient_is_that_of_the_massless_current():
    """Table of BR/D^2 with BR(pi+ -> mu+ nu) = 1, five digits."""
    m = [10.0, 17.0, 30.0, 60.0, 100.0, 120.0]
    published = [4.9056e-01, 1.6715e-01, 4.9019e-02, 6.2480e-03, 1.7297e-04, 5.1562e-06]
    np.testing.assert_allclose(pion_coefficient(m) / 0.999877, published, rtol=5e-5)


def test_a_light_boson_has_the_limit_of_a_scalar():
    m = 1e-3
    limit = normalisation() / (24 * (m / PION_MASS) ** 2)
    assert pion_coefficient(m) == pytest.approx(limit, rel=1e-8)


def test_the_rate_vanishes_with_the_fifth_power_at_threshold():
    below = PION_MASS - np.array([0.2, 0.1])
    first, second = pion_coefficient(below)
    assert first / second == pytest.approx(32, rel=0.01)
    assert not pion_coefficient([PION_MASS, 140.0, 1e4]).any()


@pytest.mark.parametrize("m", [3.0, 17.0, 60.0, 120.0])
def test_the_massless_lepton_agrees_with_the_general_amplitude(m):
    """The other derivation has five couplings, the pion's pole and the lepton's mass."""
    tiny = 1e-3
    ratio = rate_matrix(np.array([m]), PION_MASS, tiny)[0, 0, 0]
    r = (MUON_MASS / PION_MASS) ** 2
    helicity = 0.999877 * (tiny / MUON_MASS) ** 2 / (1 - r) ** 2
    assert ratio * helicity == pytest.approx(float(pion_coefficient(m)), rel=2e-6)


@pytest.mark.parametrize("charges", CONSERVED.values(), ids=CONSERVED)
def test_conserved_currents_are_not_enhanced(charges):
    c = Couplings.of(m_Zp=17.0, **{name: 1e-4 * charge for name, charge in charges.items()})
    assert abs(pion_charge(c)[0]) < 1e-18
    assert pi_enu_ee(c)[0] < 1e-35
    electron = {**charges, "C_Vmu": charges["C_Ve"], "C_Vtau": charges["C_Ve"]}
    nu = charges.get("C_nue", 0)
    families = Couplings.of(m_Zp=17.0, C_numu=nu, C_nutau=nu, **electron)
    assert delta_w_width(families)[0] < 1e-6


def test_gauge_invariant_models_measure_the_isovector_axial_coupling():
    """With C_Lu - C_Ld = C_nue - C_Le, Delta_pi is 2 (C_Au - C_Ad), and W -> l nu Z' drops out."""
    rng = np.random.default_rng(5)
    v_e, a_e, nu, v_d, a_u, a_d = rng.normal(size=(6, 50))
    v_u = a_u + (v_d - a_d) + nu - (v_e - a_e)
    rows = {"C_Ve": v_e, "C_Ae": a_e, "C_nue": nu, "C_Vu": v_u, "C_Au": a_u}
    same = {"C_Vmu": v_e, "C_Amu": a_e, "C_numu": nu, "C_Vtau": v_e, "C_Atau": a_e, "C_nutau": nu}
    c = Couplings.of(m_Zp=17.0, C_Vd=v_d, C_Ad=a_d, **rows, **same)
    np.testing.assert_allclose(pion_charge(c), 2 * (a_u - a_d), atol=1e-13)
    assert delta_w_width(c).max() < 1e-15 * delta_w_width(Couplings.of(m_Zp=17.0, C_Ve=1.0))[0]


def test_reference_points_of_the_branching_ratio():
    c = Couplings.of(
        m_Zp=16.7, C_Vu=1e-5, C_Au=-8e-5, C_Vd=-2e-5, C_Ad=-9e-5, C_Ve=1e-5, C_Ae=2e-4, C_nue=-2e-6
    )
    assert pion_charge(c) == pytest.approx(-1.48e-4)
    assert pi_enu_ee(c) == pytest.approx(3.797225793069863e-09, rel=1e-8)
    quarks = Couplings.of(m_Zp=16.9, C_Vu=-1e-3, C_Vd=2.2e-3, C_Ve=3e-4)
    assert pi_enu_ee(quarks) == pytest.approx(1.4227224954356207e-06, rel=1e-8)


def test_no_pairs_below_their_threshold_and_none_in_the_dark():
    assert not pi_enu_ee(Couplings.of(m_Zp=1.0, C_Ve=1e-4, C_numu=1e-4)).any()
    c = Couplings.of(m_Zp=17.0, C_Ve=1e-4, width_dark=[0.0, 1.0])
    visible, dark = pi_enu_ee(c)
    assert dark < 1e-7 * visible


def test_limit_on_the_charge_at_17_mev():
    """A branching ratio of 5e-10 allows |Delta_pi| up to 5.5e-5."""
    assert (5e-10 / pion_coefficient(17.0)) ** 0.5 == pytest.approx(5.5e-5, rel=0.01)


# W -> l nu Z'


def w_decay(m, left, nu):
    """Return Gamma(W -> l nu Z')/Gamma(W -> l nu) for massless leptons and m_W = 1, by quadrature.

    The amplitude radiates the Z' from both leptons; the W has no charge.
    """
    lepton, neutrino, k, weight = dalitz((1e-9, 1e-9, m), 1.0, 30)
    from_lepton = -left * slash(lepton + k) / dot(lepton + k, lepton + k)[..., None, None]
    from_nu = nu * slash(neutrino + k) / dot(neutrino + k, neutrino + k)[..., None, None]
    w_spins, z_spins = polarisations(np.array([1.0, 0, 0, 0]), 1.0), polarisations(k, m**2)
    vertex = {
        (w, z): GAMMA[w] @ from_lepton @ GAMMA[z] @ LEFT + GAMMA[z] @ from_nu @ GAMMA[w] @ LEFT
        for w in range(1, 4)  # a W at rest
        for z in range(4)
    }
    inner = {key: slash(neutrino) @ v @ slash(lepton) for key, v in vertex.items()}
    total = sum(
        w_spins[w, w]
        * z_spins[..., z, y]
        * np.einsum("...ij,...ji", inner[w, z], bar(vertex[w, y]))
        for w in range(1, 4)
        for z in range(4)
        for y in range(4)
    )
    squared = 2.0  # sum over spins of W -> l nu in the same units
    return np.sum(weight * total.real) / (squared / (8 * pi))


def test_the_width_of_the_w_is_that_of_a_longitudinal_boson():
    """The full amplitude approaches 3/(256 pi^2) (D/m)^2 as m falls, D = C_nu - C_L."""
    m = 0.005
    for left, nu in ((1.0, 0.0), (0.3, -0.8)):
        expected = 3 / (256 * pi**2) * ((nu - left) / m) ** 2
        assert w_decay(m, left, nu) == pytest.approx(expected, rel=0.005)
    assert w_decay(m, 1.0, 1.0) < 0.03 * 3 / (256 * pi**2) / m**2  # conserved: ln^2 m alone
    c = Couplings.of(m_Zp=40.0, C_Vmu=2e-3, C_Amu=-1e-3, C_numu=1e-3)
    own = 3 / (256 * pi**2) * (2e-3 * W_MASS / 40) ** 2
    assert delta_w_width(c) == pytest.approx(own * _W_LEPTON_WIDTH, rel=1e-12)


def several_doublets(u_doublet, d_doublet, tan_beta=0.2, C_Ae=1e-4):
    """Two doublets at 17 MeV; tan(beta) above 0.35 would force a larger mass."""
    options = NHDMOptions(u_doublet=u_doublet, d_doublet=d_doublet)
    z_1 = 2 * C_Ae * (1 + tan_beta**2) / 1e-3
    given = {"m_Zp": 17.0, "g_prime": 1e-3, "tan_beta": tan_beta, "z_1": z_1}
    model = NHiggsDoubletU1(options)
    values = {p.name: np.array([given.get(p.name, 0.0)]) for p in model.parameters}
    return model.couplings(values)


def test_one_doublet_for_all_masses_is_seen_by_sindrum():
    """|Delta_pi| = 4 |C_Ae| = 4e-4: B0 Delta_pi^2 = 0.167 x 1.6e-7, 50 times the limit of 5e-10."""
    c = several_doublets(2, 2)
    np.testing.assert_allclose(c.C_Ae, 1e-4, rtol=1e-6)
    np.testing.assert_allclose([c.C_Ad, -c.C_Au], [c.C_Ae, c.C_Ae], rtol=1e-6)
    np.testing.assert_allclose(pi_enu_ee(c) / c.br_ee, 0.16713 * 16e-8, rtol=1e-3)


def test_the_other_doublet_for_quarks_evades_sindrum_at_small_tan_beta():
    """C_Au = -C_Ad = C_Ae tan(beta)^2."""
    c = several_doublets(1, 1)
    np.testing.assert_allclose([c.C_Au, -c.C_Ad], 0.04 * np.array([c.C_Ae, c.C_Ae]), rtol=1e-6)
    np.testing.assert_allclose(pi_enu_ee(c) / c.br_ee, 0.16713 * (4 * 4e-6) ** 2, rtol=1e-3)
    apart = several_doublets(2, 1)
    assert pi_enu_ee(apart)[0] > 1e2 * pi_enu_ee(c)[0]
