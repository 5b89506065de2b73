"""Compare exact neutrino tridents with the calculation behind their tables, and publications."""

from math import sqrt

import numpy as np
import pytest
from scipy.optimize import brentq

from zpfit.physics.constants import FERMI_CONSTANT, MASS_RANGE, SIN2_THETA_W
from zpfit.physics.couplings import Couplings
from zpfit.physics.paper_2021 import paper_ccfr
from zpfit.physics.trident import (
    trident_ccfr,
    trident_charm2,
    trident_coefficients,
    trident_nutev,
    trident_ratio,
)
from zpfit.physics.trident_spectra import CCFR, CHARM2, NUTEV

MASSES = (1.0, 10.0, 17.0, 30.0, 100.0, 1000.0)
"""Masses in MeV."""
CALCULATED = {
    "ccfr": (
        (2.313203e5, 2.300458e5, 2.282646e5, 2.239310e5, 1.940011e5, 4.354161e4),
        (6.614186e11, 3.392506e11, 2.672960e11, 1.939318e11, 6.814264e10, 8.141808e8),
        (-7.421092e5, -4.664021e5, -4.031862e5, -3.361168e5, -1.999855e5, -2.746515e4),
        (3.634077e15, 3.619569e13, 1.245661e13, 3.947519e12, 3.228541e11, 1.069981e9),
    ),
    "charm2": (
        (6.640908e5, 6.584219e5, 6.506363e5, 6.320618e5, 5.119019e5, 6.652700e4),
        (2.999639e12, 1.494641e12, 1.160294e12, 8.219700e11, 2.606221e11, 1.600382e9),
        (-2.959385e6, -1.764496e6, -1.491508e6, -1.203434e6, -6.345634e5, -4.831158e4),
        (1.574471e16, 1.565532e14, 5.368756e13, 1.687755e13, 1.297944e12, 2.370705e9),
    ),
    "nutev": (
        (2.754213e5, 2.738018e5, 2.715432e5, 2.660638e5, 2.285633e5, 4.752885e4),
        (8.423896e11, 4.306199e11, 3.386063e11, 2.448027e11, 8.485532e10, 9.286127e8),
        (-9.291645e5, -5.793496e5, -4.991612e5, -4.140913e5, -2.420794e5, -3.049503e4),
        (4.609429e15, 4.591376e13, 1.580175e13, 5.005110e12, 4.055593e11, 1.238061e9),
    ),
}
"""a_V, b_V, a_A and b_A at each mass from the 2 -> 4 cross-section, by an independent program."""
EXPERIMENTS = {
    "ccfr": (CCFR, trident_ccfr),
    "charm2": (CHARM2, trident_charm2),
    "nutev": (NUTEV, trident_nutev),
}
CCFR_95 = 0.82 + 1.96 * 0.28
every_experiment = pytest.mark.parametrize("name", EXPERIMENTS)


def point(**values):
    return Couplings.of(**values)


@every_experiment
def test_coefficients(name):
    spectrum, _ = EXPERIMENTS[name]
    found = trident_coefficients(spectrum, np.array(MASSES) ** 2)
    np.testing.assert_allclose(found, CALCULATED[name], rtol=1e-6)


@every_experiment
def test_prediction_is_the_polynomial_in_the_couplings(name):
    _, function = EXPERIMENTS[name]
    for index, m in enumerate(MASSES):
        a_v, b_v, a_a, b_a = (row[index] for row in CALCULATED[name])
        for c_v, c_a, c_nu in ((2e-3, 0.0, 3e-4), (0.0, 1e-4, -2e-3), (-5e-3, 4e-4, 1e-3)):
            x_v, x_a = c_v * c_nu, c_a * c_nu
            expected = 1 + a_v * x_v + b_v * x_v**2 + a_a * x_a + b_a * x_a**2
            found = function(point(m_Zp=m, C_Vmu=c_v, C_Amu=c_a, C_numu=c_nu))
            assert found[0] == pytest.approx(expected, rel=2e-6)


@every_experiment
def test_spline_follows_the_coefficients(name):
    spectrum, _ = EXPERIMENTS[name]
    m = np.geomspace(MASS_RANGE[0] * 1.01, MASS_RANGE[1] * 0.99, 501)
    a_v, b_v, a_a, b_a = trident_coefficients(spectrum, m**2)
    c_nu = 1e2 * (m**2 + 1e2)
    for c_v, c_a, linear, quadratic in ((1e-6, 0.0, a_v, b_v), (0.0, 1e-6, a_a, b_a)):
        up, down = (trident_ratio(spectrum, m, c_v, c_a, s * c_nu) for s in (1, -1))
        np.testing.assert_allclose(0.5 * (up + down) - 1, quadratic * (1e-6 * c_nu) ** 2, rtol=1e-7)
        x = 1e-10 * c_nu
        up, down = (trident_ratio(spectrum, m, c_v, c_a, 1e-4 * s * c_nu) for s in (1, -1))
        np.testing.assert_allclose(0.5 * (up - down), linear * x, rtol=1e-6)


@every_experiment
def test_weights_are_normalised_to_the_standard_model(name):
    spectrum, _ = EXPERIMENTS[name]
    g_vector, g_axial = 0.5 + 2 * SIN2_THETA_W, 0.5
    total = g_vector**2 * sum(spectrum.vector) + g_axial**2 * sum(spectrum.axial)
    assert total == pytest.approx(1, rel=1e-6)


@every_experiment
def test_heavy_bosons_follow_the_published_contact_limit(name):
    """[1 + (1 + 4 s2 + 2 v^2 x/m^2)^2]/[1 + (1 + 4 s2)^2] to leading log, arXiv:1406.2332.

    There both currents weigh the same; exactly, they differ by 10-30 %.
    """
    spectrum, _ = EXPERIMENTS[name]
    m, x = 9e5, 3.0
    shift = 2 * x / (sqrt(2) * FERMI_CONSTANT * m**2)
    norm = 1 + (1 + 4 * SIN2_THETA_W) ** 2
    a_v, b_v, _, _ = trident_coefficients(spectrum, np.array([m**2]))[:, 0]
    published = ((1 + 4 * SIN2_THETA_W + shift) ** 2 + 1) / norm - 1
    assert a_v * x + b_v * x**2 == pytest.approx(published, rel=0.07)


def test_limit_on_light_l_mu_l_tau():
    """An independent calculation finds R = 1.369 at g' = 8.7e-4 and 10 MeV."""

    def excess(g):
        return trident_ccfr(point(m_Zp=10.0, C_Vmu=g, C_numu=g))[0] - CCFR_95

    assert brentq(excess, 1e-5, 1e-2) == pytest.approx(8.7e-4, rel=2e-3)


def test_limit_on_heavy_l_mu_l_tau():
    """m/g' is 545 GeV to leading log, 550 GeV as published in arXiv:1406.2332, and 539 GeV in
    zpfit."""
    m = 1e6

    def excess(scale):
        x = (m / scale) ** 2
        a_v, b_v, _, _ = trident_coefficients(CCFR, np.array([m**2]))[:, 0]
        return 1 + a_v * x + b_v * x**2 - CCFR_95

    found = brentq(excess, 1e5, 1e7)
    assert found == pytest.approx(545e3, rel=0.015)
    assert found == pytest.approx(550e3, rel=0.025)


@pytest.mark.parametrize(("m", "linear", "quadratic"), [(10.0, 2.4, 1.85), (30.0, 2.4, 1.7)])
def test_the_papers_formula_is_too_large(m, linear, quadratic):
    """Eq. (16) of arXiv:2102.07781 differs from the exact coefficients as stated."""
    parts = []
    for function in (paper_ccfr, trident_ccfr):
        up, down = (function(point(m_Zp=m, C_Vmu=s * 1e-3, C_numu=1e-3))[0] for s in (1, -1))
        parts.append((0.5 * (up - down), 0.5 * (up + down) - 1))
    assert parts[0][0] / parts[1][0] == pytest.approx(linear, rel=0.05)
    assert parts[0][1] / parts[1][1] == pytest.approx(quadratic, rel=0.05)
