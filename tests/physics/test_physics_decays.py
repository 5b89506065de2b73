"""Test branching ratios, invisible and muonic decays, and parity violation at E158."""

from math import sqrt

import numpy as np
import pytest
from scipy.optimize import brentq

from zpfit.physics.branching_ratios import br_ee, br_inv
from zpfit.physics.constants import (
    ELECTRON_MASS,
    FERMI_CONSTANT,
    MASS_RANGE,
    MUON_MASS,
    TAU_MASS,
)
from zpfit.physics.couplings import TABLE, Couplings
from zpfit.physics.dark_photon_limits import (
    dump_ratio,
    invisible_ratio,
    muon_invisible_ratio,
    muon_pair_ratio,
    prompt_ratio,
)
from zpfit.physics.decays import width_ll, width_nunu
from zpfit.physics.moller import e158_sin2_theta


def point(**values):
    return Couplings.of(**values)


def curve(limit):
    return np.log(np.array([[1.0, limit], [5000.0, limit]]))


def random_points(n=400):
    rng = np.random.default_rng(6)
    leptons = [row.name for row in TABLE if row.fermion in {"e", "mu", "tau"}]
    sizes = 10 ** rng.uniform(-6, -2, (len(leptons), n))
    rows = dict(zip(leptons, rng.choice([-1, 1], sizes.shape) * sizes, strict=True))
    mass = np.geomspace(*MASS_RANGE, n)
    return Couplings(**rows | {"m_Zp": mass, "width_dark": mass * rows["C_Ve"] ** 2 / 100})


def test_branching_ratios_are_partial_over_total_width():
    c = random_points()
    leptons = [
        width_ll(c.m_Zp, v, a, mass)
        for v, a, mass in (
            (c.C_Ve, c.C_Ae, ELECTRON_MASS),
            (c.C_Vmu, c.C_Amu, MUON_MASS),
            (c.C_Vtau, c.C_Atau, TAU_MASS),
        )
    ]
    neutrinos = width_nunu(c.m_Zp, c.C_nue, c.C_numu, c.C_nutau)
    invisible = neutrinos + c.width_dark
    total = sum(leptons) + invisible
    np.testing.assert_allclose(c.br_ee, leptons[0] / total, rtol=1e-12)
    np.testing.assert_allclose(c.br_mumu, leptons[1] / total, rtol=1e-12)
    np.testing.assert_allclose(c.br_inv, invisible / total, rtol=1e-12)
    tau = leptons[2] / total
    np.testing.assert_allclose(c.br_ee + c.br_mumu + c.br_inv + tau, 1, rtol=1e-12)


def test_invisible_decays_in_the_massless_limit():
    """Gamma(nu nu) is m C_nu^2/(24 pi) for each flavour, half of Gamma(ee) at equal coupling."""
    equal = {"C_Ve": 1e-4, "C_nue": 1e-4, "C_numu": -1e-4, "C_nutau": 1e-4}
    assert br_inv(point(m_Zp=100.0, **equal))[0] == pytest.approx(3 / 5, rel=1e-7)
    assert br_inv(point(m_Zp=100.0, C_nutau=1e-9))[0] == 1
    assert br_inv(point(m_Zp=1.0, C_Ve=1e-2, C_numu=1e-9))[0] == 1  # below 2 m_e
    # B-L and L_mu-L_tau below 2 m_mu
    assert br_inv(point(m_Zp=50.0, C_Ve=1, C_nue=1, C_numu=1, C_nutau=1))[0] == pytest.approx(0.6)
    assert br_inv(point(m_Zp=50.0, C_Vmu=1, C_numu=1, C_nutau=-1))[0] == 1


def test_closed_channels():
    nothing, light = point(m_Zp=50.0), point(m_Zp=200.0, C_Vmu=1e-3)
    for c in (nothing, light):
        assert br_inv(c)[0] == br_ee(c)[0] == c.br_mumu[0] == 0
        assert c.invisible_coupling[0] == c.muon_invisible_coupling[0] == 0
        assert c.muon_pair_coupling[0] == 0
    heavy = point(m_Zp=1e4, C_Vmu=1e-3, C_Ve=1e-3)
    assert heavy.br_mumu[0] == pytest.approx(0.5, rel=1e-6)
    assert point(m_Zp=212.0, C_Vmu=1e-3).br_mumu[0] == 1


def test_limit_on_invisible_decays_of_electron_production():
    """The invisible and the prompt limit differ only in the branching ratio, and complement each
    other."""
    values = {"m_Zp": 30.0, "C_Ve": 3e-4, "C_Ae": -4e-4}
    dark = point(**values, C_nue=1.0)
    assert invisible_ratio(dark, curve(1e-4))[0] == pytest.approx(5.0, rel=1e-6)
    assert prompt_ratio(dark, curve(1e-4))[0] < 0.01
    assert invisible_ratio(point(**values), curve(1e-4))[0] == 0
    shared = point(**values, C_numu=5e-4)
    together = [f(shared, curve(1e-4))[0] for f in (invisible_ratio, prompt_ratio)]
    assert np.hypot(*together) == pytest.approx(5.0, rel=1e-12)
    # C_nu^2/2 against C_V^2 + C_A^2, up to the electron's mass
    assert (together[0] / 5) ** 2 == pytest.approx(1 / 3, rel=2e-3)
    assert invisible_ratio(point(m_Zp=0.9, C_Ve=1.0, C_nue=1.0), curve(1e-4))[0] == 0


def test_a_dark_width_shortens_the_lifetime_behind_a_dump():
    """N = C^2 BR(ee) [exp(-t0 Gamma) - exp(-(1 + L) t0 Gamma)], with the total width."""
    length_ratio, lower, upper, m = 2.0, 1e-6, 1e-4, 20.0
    region = np.log([[10.0, lower, upper], [100.0, lower, upper]])

    def decays(coupling, dark_over_ee, t0):
        tau = t0 * coupling**2 * (1 + dark_over_ee)
        visible = coupling**2 / (1 + dark_over_ee)
        return visible * (np.exp(-tau) - np.exp(-(1 + length_ratio) * tau))

    t0 = brentq(lambda t: decays(lower, 0, t) - decays(upper, 0, t), 1e8, 1e10)
    ee = float(width_ll(m, 1e-5, 0.0, ELECTRON_MASS))
    for dark_over_ee in (0.0, 0.5, 20.0):
        c = point(m_Zp=m, C_Ve=1e-5, width_dark=dark_over_ee * ee)
        expected = decays(1e-5, dark_over_ee, t0) / decays(lower, 0, t0)
        assert dump_ratio(c, region, length_ratio)[0] == pytest.approx(expected, rel=1e-7)


def test_limits_of_muon_beams():
    """The Z' of L_mu-L_tau decays invisibly below 2 m_mu, and partly to muons above."""
    g = 2e-3
    light = point(m_Zp=50.0, C_Vmu=-g, C_numu=-g, C_nutau=g)
    assert muon_invisible_ratio(light, curve(5e-4))[0] == pytest.approx(4.0, rel=1e-12)
    assert muon_pair_ratio(light, curve(5e-4))[0] == 0
    heavy = point(m_Zp=2000.0, C_Vmu=g, C_numu=g, C_nutau=-g)
    x = (MUON_MASS / 2000) ** 2
    muons = sqrt(1 - 4 * x) * (1 + 2 * x)
    assert muon_pair_ratio(heavy, curve(5e-4))[0] == pytest.approx(
        4 * sqrt(muons / (muons + 1)), rel=1e-12
    )
    assert muon_invisible_ratio(heavy, curve(5e-4))[0] == pytest.approx(
        4 * sqrt(1 / (muons + 1)), rel=1e-12
    )
    axial = point(m_Zp=2000.0, C_Amu=g)
    assert muon_pair_ratio(axial, curve(5e-4))[0] == pytest.approx(4.0, rel=1e-12)
    assert muon_invisible_ratio(axial, curve(5e-4))[0] == 0


@pytest.mark.parametrize(
    ("m", "shift"), [(10.0, 2.900e-3), (17.0, 2.873e-3), (30.0, 2.789e-3), (100.0, 1.951e-3)]
)
def test_mixing_angle_at_e158(m, shift):
    """An independent calculation at C_Ve C_Ae = 1e-9 gives the same values."""
    for c_v, c_a, sign in ((1e-4, 1e-5, 1), (-1e-4, 1e-5, -1), (-1e-3, -1e-6, 1)):
        found = e158_sin2_theta(point(m_Zp=m, C_Ve=c_v, C_Ae=c_a))[0]
        assert found == pytest.approx(sign * shift, abs=0.6e-6)


def test_heavy_bosons_at_e158():
    """The contact limit is C_V C_A/(sqrt2 G_F m^2)."""
    m = 8e3
    found = e158_sin2_theta(point(m_Zp=m, C_Ve=0.3, C_Ae=0.2))[0]
    assert found == pytest.approx(0.06 / (sqrt(2) * FERMI_CONSTANT * m**2), rel=1e-3)


def test_e158_measures_the_product():
    """For a light boson 0.2397 +- 0.0013 against 0.2381 +- 0.0006 gives (6.5 +- 5.7)e-10."""
    per_product = e158_sin2_theta(point(m_Zp=1e-3, C_Ve=1e-5, C_Ae=1e-5))[0] / 1e-10
    assert (0.2397 - 0.2381) / per_product == pytest.approx(6.5e-10, rel=0.16)
    assert np.hypot(0.0013, 0.0006) / per_product == pytest.approx(5.7e-10, rel=0.16)
