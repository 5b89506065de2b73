"""Compare production ratios with reference values, closed forms and traces of flavour matrices."""

from math import sqrt

import mpmath
import numpy as np
import pytest

from zpfit.physics.constants import ELECTRIC_CHARGE
from zpfit.physics.couplings import Couplings
from zpfit.physics.production import (
    CHANNELS,
    dark_photon,
    is_produced,
    omega_propagator,
    phi_propagator,
    production_ratio,
)

MASSES = np.array([1.0, 17.0, 100.0, 300.0, 500.0, 760.0, 900.0])
"""MeV, below and between the vector mesons."""


def quarks(m, u, d, s=0.0, **others):
    return Couplings.of(m_Zp=m, C_Vu=u, C_Vd=d, C_Vs=s, **others)


REFERENCE = (
    ("pi0_gamma", 100.0, (1e-4, 1e-4, 1e-4), 9.811458578236923e-07),
    ("eta_gamma", 50.0, (1e-4, 1e-4, 1e-4), 2.4470252912993197e-07),
    ("eta_gamma", 300.0, (2e-4, -1e-4, 0.0), 1.4821349755221546e-06),
    ("eta_prime_gamma", 100.0, (1e-4, 2e-4, 3e-4), 7.139223622926913e-07),
    ("phi_eta", 50.0, (1e-4, 0.0, 2e-4), 3.925792194435909e-06),
)
"""Channel, mass, couplings of u, d and s, and the ratio of an independent calculation."""


@pytest.mark.parametrize(("channel", "m", "couplings", "expected"), REFERENCE)
def test_reference_values(channel, m, couplings, expected):
    found = production_ratio(quarks(m, *couplings), channel)[0]
    assert found == pytest.approx(expected, rel=1e-8)


def test_reference_values_of_propagators():
    assert omega_propagator(700.0) == pytest.approx(
        4.991753918202764 + 0.18568291311375953j, rel=1e-8
    )
    assert phi_propagator(1019.0) == pytest.approx(
        71.12987807032728 + 271.62099207982175j, rel=1e-8
    )


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_dark_photon_has_ratio_one(channel):
    np.testing.assert_allclose(production_ratio(dark_photon(MASSES), channel), 1, rtol=1e-12)


GENERATORS = {
    "gamma": np.array([2, -1, -1]) / 3,
    "rho": np.array([1, -1, 0]) / 2,
    "omega": np.array([1, 1, 0]) / 2,
    "phi": np.array([0, 0, 1]) / sqrt(2),
    "pi0": np.array([1, -1, 0]) / 2,
    "eta": np.array([1, 1, -1]) / sqrt(6),
    "eta_prime": np.array([1, 1, 2]) / sqrt(12),
}
"""Diagonals of the U(3) matrices, Eqs. (2.8) and (A.1) of arXiv:2206.08563."""
MESONS = {
    "rho": (775.49, 149.10, ((0.9988447, 139.57, 139.57),)),
    "omega": (
        782.65,
        8.49,
        ((0.8994773, 279.14, 134.98), (0.0834941, 134.98, 0), (0.0154283, 139.57, 139.57)),
    ),
    "phi": (
        1019.46,
        4.26,
        ((0.4893042, 493.68, 493.68), (0.3422127, 497.61, 497.61), (0.0130981, 547.85, 0)),
    ),
}
"""Mass, width, and branching fraction and masses of each final state."""


def momentum(m, first, second):
    return mpmath.sqrt((m**2 - (first + second) ** 2) * (m**2 - (first - second) ** 2)) / (2 * m)


def propagator(m, mass, width, decays):
    """Return the propagator, in 30 digits and with the p-wave width written out."""
    m, mass = mpmath.mpf(m), mpmath.mpf(mass)
    running = sum(
        fraction * (mass / m) ** 2 * (momentum(m, a, b) / momentum(mass, a, b)) ** 3
        for fraction, a, b in decays
        if m > a + b
    )
    return mass**2 / (mass**2 - m**2 - 1j * m * width * running)


def amplitude(m, parent, daughter, couplings):
    found = 0
    for vector, numbers in MESONS.items():
        matrix = GENERATORS[vector]
        weight = np.sum(GENERATORS[parent] * GENERATORS[daughter] * matrix)
        found += weight * np.sum(matrix * couplings) * propagator(m, *numbers)
    return found


@pytest.mark.parametrize("m", [17.0, 250.0, 530.0, 770.0, 940.0])
@pytest.mark.parametrize("parent", ["pi0", "eta", "eta_prime"])
def test_meson_decays_by_the_traces_of_flavour_matrices(parent, m):
    couplings = np.array([3e-4, -1e-4, 2e-4])
    charge = ELECTRIC_CHARGE * GENERATORS["gamma"]
    with mpmath.workdps(30):
        expected = abs(amplitude(m, parent, "gamma", couplings)) ** 2
        expected /= abs(amplitude(m, parent, "gamma", charge)) ** 2
    found = production_ratio(quarks(m, *couplings), f"{parent}_gamma")[0]
    assert found == pytest.approx(float(expected), rel=1e-10)


def test_light_limits():
    """Far below the vector mesons every channel counts one combination of couplings."""
    u, d, s = 3e-4, -1e-4, 2e-4
    combinations = {
        "proton_bremsstrahlung": 2 * u + d,
        "nucleon_dipole": (2 * u + d) - (u + 2 * d),
        "pi0_gamma": 2 * u + d,
        "eta_gamma": 3 * (2 * u - d + s) / 4,
        "eta_prime_gamma": 3 * (2 * u - d - 2 * s) / 7,
        "phi_eta": 3 * s,
        "rho_mixing": u - d,
        "omega_mixing": 3 * (u + d),
        "phi_mixing": 3 * s,
    }
    for channel, combination in combinations.items():
        found = production_ratio(quarks(1.0, u, d, s), channel)[0]
        assert found == pytest.approx((combination / ELECTRIC_CHARGE) ** 2, rel=1e-5), channel


def test_a_protophobic_boson_is_not_produced_by_protons_and_pions():
    protophobic, photon = quarks(MASSES[:3], -1e-3, 2e-3), quarks(MASSES[:3], 2e-3, -1e-3)
    assert not production_ratio(protophobic, "proton_bremsstrahlung").any()
    ratio = production_ratio(protophobic, "pi0_gamma") / production_ratio(photon, "pi0_gamma")
    assert ratio.max() < 1e-6  # the rho and the omega differ in mass


def test_axial_and_heavy_quarks_are_not_counted():
    c = Couplings.of(m_Zp=50.0, C_Au=1e-3, C_Ad=1e-3, C_As=1e-3, C_Vc=1e-3, C_Vb=1e-3)
    for channel in CHANNELS:
        assert not production_ratio(c, channel).any()
        if channel != "electron":
            assert not is_produced(c, channel)


def test_electrons_count_both_currents():
    c = Couplings.of(m_Zp=50.0, C_Ve=3e-4, C_Ae=-4e-4)
    found = production_ratio(c, "electron")[0]
    assert found == pytest.approx((5e-4 / ELECTRIC_CHARGE) ** 2, rel=1e-12)
