"""Compare recast limits with the counting of decays done by hand."""

from math import exp, pi, sqrt

import numpy as np
import pytest
from scipy.optimize import brentq

from zpfit.physics.constants import ELECTRIC_CHARGE, ELECTRON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.production import dark_photon
from zpfit.physics.recast import displaced_ratio, region_ratio, signal_ratio

E = ELECTRIC_CHARGE
PROMPT = np.log([[10.0, E * 1e-3], [1000.0, E * 1e-3]])
LOWER, UPPER, LENGTH = 8e-7, 2e-4, 10 / 480
REGION = np.log([[2.0, E * LOWER, E * UPPER], [600.0, E * LOWER, E * UPPER]])
ETA = {"channel": "eta_gamma", "final_state": "electrons"}
PION = {"channel": "pi0_gamma", "final_state": "electrons"}


def photon(m, epsilon, **others):
    """Return a dark photon, built from its charges."""
    charge = E * np.asarray(epsilon, dtype=float)
    down = {f"C_V{q}": -charge / 3 for q in "dsb"}
    up = {f"C_V{q}": 2 * charge / 3 for q in "uc"}
    leptons = {f"C_V{lepton}": -charge for lepton in ("e", "mu", "tau")}
    return Couplings.of(m_Zp=m, **leptons, **up, **down, **others)


def b_minus_l(m, g):
    g = np.asarray(g, dtype=float)
    leptons = {f"C_V{lepton}": -g for lepton in ("e", "mu", "tau")}
    neutrinos = {f"C_nu{lepton}": -g for lepton in ("e", "mu", "tau")}
    return Couplings.of(m_Zp=m, **leptons, **neutrinos, **{f"C_V{q}": g / 3 for q in "udscb"})


@pytest.mark.parametrize("m", [10.0, 50.0, 250.0, 480.0])
def test_limits_of_a_dark_photon_return_themselves(m):
    """This holds above the thresholds of muons and pions too, as both sides share all widths."""
    assert signal_ratio(photon(m, 1e-3), PROMPT, **PION)[0] == pytest.approx(1, rel=1e-12)
    for epsilon in (LOWER, UPPER):
        found = displaced_ratio(photon(m, epsilon), REGION, LENGTH, **ETA)[0]
        assert found == pytest.approx(1, rel=1e-8)
    assert displaced_ratio(photon(m, 1e-5), REGION, LENGTH, **ETA)[0] > 1


def test_decays_to_muons_return_their_own_limit():
    choice = {"channel": "eta_gamma", "final_state": "muons"}
    both = photon(300.0, [LOWER, UPPER])
    np.testing.assert_allclose(displaced_ratio(both, REGION, LENGTH, **choice), 1, rtol=1e-8)
    assert not displaced_ratio(photon(200.0, LOWER), REGION, LENGTH, **choice).any()


def decays_by_hand(m, rho, br, width):
    """Return the decays over those at the lower edge; lengths in units of the shielding.

    The time t0 follows from equal numbers of decays of a dark photon at both edges.
    """
    x = (ELECTRON_MASS / m) ** 2
    unit_width = E**2 * m * sqrt(1 - 4 * x) * (1 + 2 * x) / (12 * pi)

    def decays(strength, tau):
        return strength * (exp(-tau) - exp(-(1 + LENGTH) * tau))

    def difference(log_t0):
        t0 = exp(log_t0)
        edges = [decays(e**2, t0 * unit_width * e**2) for e in (LOWER, UPPER)]
        return edges[0] - edges[1]

    # The interesting root: decays of the upper edge fall with the time, and rise before.
    start = -np.log(unit_width * LOWER * UPPER)
    t0 = exp(brentq(difference, start - 6, start + 6, xtol=1e-14))
    edge = decays(LOWER**2, t0 * unit_width * LOWER**2)
    return decays(rho * br, t0 * width) / edge


@pytest.mark.parametrize("m", [3.0, 30.0, 150.0])
@pytest.mark.parametrize("g", [5e-7, 3e-6])
def test_displaced_decays_by_hand(m, g):
    """B-L: C_Vp = g, two fifths of the decays are to electrons, and there is a dark width."""
    x = (ELECTRON_MASS / m) ** 2
    electrons = g**2 * m * sqrt(1 - 4 * x) * (1 + 2 * x) / (12 * pi)
    neutrinos = 3 * g**2 * m / (24 * pi)
    dark = 0.7 * neutrinos
    total = electrons + neutrinos + dark
    choice = {"channel": "proton_bremsstrahlung", "final_state": "electrons"}
    c = b_minus_l(m, g)
    c = Couplings(**dict(c.items()), width_dark=np.array([dark]))
    found = displaced_ratio(c, REGION, LENGTH, **choice)[0]
    expected = decays_by_hand(m, (g / E) ** 2, electrons / total, total)
    assert found == pytest.approx(expected, rel=1e-7)


def test_b_minus_l_at_charm_agrees_with_an_independent_calculation():
    """At 2.0176 MeV the edges of a dark photon are 7.9617e-7 and 1.9777e-4."""
    edges = E * np.array([7.9617e-7, 1.9777e-4])
    region = np.log([[1.9, *edges], [2.1, *edges]])
    for g, expected in ((1e-6, 72.86639739222463), (3.41e-7, 0.9989586075594968)):
        found = displaced_ratio(b_minus_l(2.0176, g), region, 1 / 48, **ETA)[0]
        assert found == pytest.approx(expected, rel=1e-7)


def test_invisible_searches_count_neutrinos_and_the_dark_sector():
    choice = {"channel": "pi0_gamma", "final_state": "invisible"}
    g = 1e-3 * E
    found = signal_ratio(b_minus_l(50.0, g), PROMPT, **choice)[0]
    assert found == pytest.approx(sqrt(3 / 5), rel=1e-3)
    hidden = photon(50.0, 1e-3, width_dark=1.0)
    assert signal_ratio(hidden, PROMPT, **choice)[0] == pytest.approx(1, rel=1e-4)
    assert signal_ratio(hidden, PROMPT, **PION)[0] < 1e-3
    assert not signal_ratio(photon(50.0, 1e-3), PROMPT, **choice).any()


def test_a_protophobic_boson_evades_and_kinetic_mixing_does_not():
    masses = np.array([12.0, 17.0, 100.0])
    choices = (PION, {"channel": "proton_bremsstrahlung", "final_state": "electrons"})
    for choice in choices:
        c = Couplings.of(m_Zp=masses, C_Ve=1e-3, C_Vu=-1e-3, C_Vd=2e-3)
        assert signal_ratio(c, PROMPT, **choice).max() < 2e-3
        assert signal_ratio(photon(masses, 1e-2), PROMPT, **choice).min() > 9


def test_beyond_a_curve_and_without_quarks_there_is_no_signal():
    far, leptons = photon([1.0, 2000.0], 1e-2), Couplings.of(m_Zp=50.0, C_Ve=1e-2)
    for c in (far, leptons):
        assert not signal_ratio(c, PROMPT, **PION).any()
        assert not displaced_ratio(c, REGION, LENGTH, **ETA).any()
        assert not region_ratio(c, REGION, channel="proton_bremsstrahlung").any()


def test_up_and_down_quarks_alone_are_not_seen_in_decays_of_the_phi():
    c = Couplings.of(m_Zp=50.0, C_Ve=1e-2, C_Vu=1e-2, C_Vd=1e-2)
    choice = {"channel": "phi_eta", "final_state": "electrons"}
    assert not signal_ratio(c, PROMPT, **choice).any()
    assert not displaced_ratio(c, REGION, LENGTH, **choice).any()
    assert not region_ratio(c, REGION, channel="phi_eta").any()


def test_points_outside_a_model_stay_undefined():
    c = photon([20.0, 20.0], [1e-5, np.nan])
    for found in (
        signal_ratio(c, PROMPT, **PION),
        displaced_ratio(c, REGION, LENGTH, **PION),
        region_ratio(c, REGION, channel="pi0_gamma"),
    ):
        assert np.isnan(found).tolist() == [False, True]


def test_below_the_electrons_threshold_nothing_decays():
    region = np.log([[0.1, E * LOWER, E * UPPER], [600.0, E * LOWER, E * UPPER]])
    prompt = np.log([[0.1, E * 1e-3], [600.0, E * 1e-3]])
    assert not displaced_ratio(photon(0.9, 1e-5), region, LENGTH, **PION).any()
    assert not signal_ratio(photon(0.9, 1e-2), prompt, **PION).any()


def test_a_gap_in_a_region_is_no_limit():
    gap = np.log([[10.0, LOWER, UPPER], [20.0, np.nan, np.nan], [30.0, LOWER, UPPER]])
    gap[:, 1:] += np.log(E)
    c = photon([15.0, 25.0, 30.0], 1e-5)
    assert (displaced_ratio(c, gap, LENGTH, **PION) > 0).tolist() == [False, False, True]
    assert (region_ratio(c, gap, channel="pi0_gamma") > 0).tolist() == [False, False, True]


def test_depth_in_a_closed_region():
    epsilon = np.array([0.0, LOWER / 10, LOWER, sqrt(LOWER * UPPER), UPPER, 10 * UPPER])
    found = region_ratio(photon(50.0, epsilon), REGION, channel="proton_bremsstrahlung")
    expected = [0, 0.1, 1, sqrt(UPPER / LOWER), 1, 0.1]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_reference_photon_couples_to_charge():
    c = dark_photon(np.array([20.0]))
    for name, value in photon(20.0, 1.0).items():
        np.testing.assert_allclose(c[name], value, rtol=1e-15)
