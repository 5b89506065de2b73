"""Compare K+ -> pi+ Z' with the chiral Lagrangian in explicit matrices, and a published rate."""

from math import pi, sqrt

import numpy as np
import pytest
from scipy.linalg import expm

from zpfit.physics.constants import PION_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.kaon_decay import KAON_MASS
from zpfit.physics.kaon_to_pion import DECAY_CONSTANT, OCTET, k_pi_ee, kaon_charge

STEP = 1e-3
K2, PI2 = KAON_MASS**2, PION_MASS**2
CHARGES = [
    {"C_Au": 1e-4},
    {"C_Ad": 1e-4},
    {"C_As": 1e-4},
    {"C_Vu": 1e-4},
    {"C_Vd": 1e-4},
    {"C_Vs": 1e-4},
    {"C_Au": 3e-5, "C_Vd": -2e-5, "C_As": 5e-5, "C_Vu": 4e-5},
]


def exponential(kaon, pion):
    return expm(1j * (kaon + pion))


def product(kaon, pion):
    """Other fields for the same mesons, which amplitudes on the mass shell do not depend on."""
    return expm(1j * pion) @ expm(1j * kaon)


def second_order(function):
    """Return the coefficient of ab of a function near zero."""
    signs = [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]
    return sum(s * function(a * STEP, b * STEP) for a, b, s in signs) / (4 * STEP**2)


def from_lagrangian(fields, **charges):
    """Return A/(G8 F^2 eps.(p_K + p_pi)), with derivatives along eps alone and eps.p = 1.

    Fields of unit amplitude are sqrt(2)/F times a matrix with one element.
    """
    right, left = np.zeros((3, 3), complex), np.zeros((3, 3), complex)
    for index, quark in enumerate("uds"):
        vector, axial = charges.get(f"C_V{quark}", 0.0), charges.get(f"C_A{quark}", 0.0)
        right[index, index], left[index, index] = -(vector + axial), -(vector - axial)
    kaon, pion = np.zeros((3, 3), complex), np.zeros((3, 3), complex)
    kaon[0, 2], pion[1, 0] = 1.0, 1.0

    def source_and_mesons(a, b):
        """Return the term of the weak Lagrangian that is linear in the source."""

        def u(t):
            return fields(a * kaon * np.exp(-1j * t), b * pion * np.exp(1j * t))

        inverse = np.linalg.inv(u(0.0))
        own = 1j * inverse @ (u(1e-5) - u(-1e-5)) / 2e-5
        source = inverse @ right @ u(0.0) - left
        return (own @ source + source @ own)[1, 2]

    vertex = second_order(source_and_mesons)  # in units of 2 G8 F^2
    # The weak term of both mesons is 2 G8 F^2 p^2; charges of mesons are those of their quarks.
    v = (right + left).diagonal().real / 2
    of_kaon, of_pion = v[0] - v[2], v[0] - v[1]
    # eps.(p_K + p_pi) = 2
    radiated = 2 * (of_kaon * PI2 - of_pion * K2) / (K2 - PI2)
    total = 2 * (vertex + radiated) / 2
    assert abs(total.imag) < 1e-9
    return total.real


@pytest.mark.parametrize("fields", [exponential, product])
@pytest.mark.parametrize("charges", CHARGES, ids="-".join)
def test_charge_is_that_of_the_chiral_lagrangian(charges, fields):
    expected = -from_lagrangian(fields, **charges)
    assert kaon_charge(Couplings.of(m_Zp=17.0, **charges))[0] == pytest.approx(expected, abs=1e-9)


def test_light_limit_is_that_of_a_scalar_with_derivative_couplings():
    """Leading order of arXiv:2102.13112, there with N8 = 2 G8 F^2 and couplings c/f = -2 C_A/m."""
    m, axial, vector = 1.0, {"u": 3e-5, "d": -2e-5, "s": 7e-5}, {"u": 1e-5, "d": 4e-5, "s": -1e-5}
    cuu, cdd, css = (-2 * axial[q] / m for q in "uds")
    difference = -2 * (vector["d"] - vector["s"]) / m
    amplitude = (2 * cuu + cdd + css) * (K2 - PI2 - m**2) + 4 * css * m**2
    amplitude += 6 * (cuu + cdd - 2 * css) * m**2 * (K2 - m**2) / (4 * K2 - PI2 - 3 * m**2)
    amplitude += difference * (K2 + PI2 - m**2)
    amplitude *= 2 * OCTET * DECAY_CONSTANT**2 / 4
    momentum = sqrt((K2 - PI2 - m**2) ** 2 - 4 * PI2 * m**2) / (2 * KAON_MASS)
    rate = amplitude**2 * momentum / (8 * pi * K2) / (6.582119569e-22 / 1.238e-8)
    charges = {f"C_A{q}": x for q, x in axial.items()} | {f"C_V{q}": x for q, x in vector.items()}
    found = k_pi_ee(Couplings.of(m_Zp=m + 0.1, C_Ve=1e-4, **charges))[0]
    assert found * ((m + 0.1) / m) ** 2 == pytest.approx(rate, rel=1e-3)


def test_octet_is_that_of_kaons_to_two_pions():
    """K_S -> pi+ pi-: A = 2 G8 F (m_K^2 - m_pi^2), BR 0.692 of 1/0.8954e-10 s (PDG 2022)."""
    k0 = 497.611
    amplitude = 2 * OCTET * DECAY_CONSTANT * (k0**2 - PI2)
    momentum = sqrt(k0**2 / 4 - PI2)
    width = amplitude**2 * momentum / (8 * pi * k0**2)
    assert width == pytest.approx(0.692 * 6.582119569e-22 / 0.8954e-10, rel=0.15)


def test_conserved_currents_and_heavy_bosons_give_no_rate():
    photon = {"C_Vu": 2e-4, "C_Vd": -1e-4, "C_Vs": -1e-4}
    baryon = dict.fromkeys(("C_Vu", "C_Vd", "C_Vs"), 1e-4)
    for charges in (photon, baryon):
        assert k_pi_ee(Couplings.of(m_Zp=17.0, C_Ve=1e-4, **charges))[0] < 1e-40
    rates = k_pi_ee(Couplings.of(m_Zp=[134.0, 136.0, 400.0, 9000.0], C_Ve=1e-2, C_Au=1e-2))
    assert rates[0] > 0
    assert not rates[1:].any()


def test_the_electrons_that_are_left_count():
    c = Couplings.of(m_Zp=17.0, C_Ve=1e-4, C_Au=1e-4, width_dark=[0.0, 1.0])
    rates = k_pi_ee(c)
    assert rates[1] == pytest.approx(rates[0] * c.br_ee[1])
