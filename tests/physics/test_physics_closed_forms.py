"""Compare physics with closed forms, direct quadrature and the paper's equations."""

import os
import subprocess
import sys
from math import log, pi

import mpmath
import numpy as np
import pytest

from zpfit.likelihood.exclusions import HalfGaussian, ZeroBackground
from zpfit.physics.branching_ratios import br_ee
from zpfit.physics.constants import ELECTRON_MASS, MASS_RANGE, MUON_MASS
from zpfit.physics.cosmology import mass_floor_ratio
from zpfit.physics.couplings import Couplings
from zpfit.physics.dark_photon_limits import dump_ratio, prompt_ratio
from zpfit.physics.electron_recoils import recoil_coefficients, scattering_ratio
from zpfit.physics.magnetic_moment import delta_a, loop_integrals
from zpfit.physics.paper_2021 import CHARM2_NU, CHARM2_NUBAR


def point(**values):
    return Couplings.of(**values)


def test_loop_integrals_against_adaptive_quadrature():
    """Return Eq. (7) of the paper by mpmath, with 30 digits."""
    for r in (1e-10, 1e-6, 3e-3, 0.7, 40.0, 1e5, 1e9, 1e13):
        with mpmath.workdps(30):
            x0 = 1 / mpmath.sqrt(1 + r)
            cuts = sorted(
                {mpmath.mpf(0), x0, mpmath.mpf(0.5), 1 - min(mpmath.mpf(r), x0) / 2, mpmath.mpf(1)}
            )
            vector = mpmath.quad(lambda x, r=r: x**2 * (1 - x) / (1 - x + x**2 * r), cuts)
            axial = mpmath.quad(
                lambda x, r=r: (x * (1 - x) * (4 - x) + 2 * x**3 * r) / (1 - x + x**2 * r), cuts
            )
        np.testing.assert_allclose(
            loop_integrals(np.array([r]))[:, 0], [float(vector), float(axial)], rtol=1e-10
        )


def test_tabulated_loop_functions_follow_the_quadrature():
    r = np.geomspace(1.1e-10, 0.9e13, 3001)
    vector, axial = loop_integrals(r)
    prefactor = r / (4 * pi**2)
    m = 1 / np.sqrt(r)
    np.testing.assert_allclose(delta_a(1.0, m, 1.0, 0.0), prefactor * vector, rtol=1e-9)
    np.testing.assert_allclose(delta_a(1.0, m, 0.0, 1.0), -prefactor * axial, rtol=1e-9)


def test_limits_of_heavy_and_light_bosons():
    """Return Eq. (8) of the paper, with the next terms of the light limit."""
    heavy = 1e6
    expected = ELECTRON_MASS**2 / (12 * pi**2 * heavy**2)
    assert delta_a(ELECTRON_MASS, heavy, 1.0, 0.0) == pytest.approx(expected, rel=1e-6)
    assert delta_a(ELECTRON_MASS, heavy, 0.0, 1.0) == pytest.approx(-5 * expected, rel=1e-6)
    m = 1e-3
    r = (MUON_MASS / m) ** 2
    assert delta_a(MUON_MASS, m, 1.0, 0.0) == pytest.approx(
        (1 - pi * m / MUON_MASS) / (8 * pi**2), rel=1e-6
    )
    assert delta_a(MUON_MASS, m, 0.0, 1.0) == pytest.approx(
        -(r + log(r) - 2.5) / (4 * pi**2), rel=1e-6
    )


@pytest.mark.parametrize("beam", [CHARM2_NU, CHARM2_NUBAR])
def test_charm2_spline_follows_the_recoil_integral(beam):
    m = np.geomspace(MASS_RANGE[0] * 1.01, MASS_RANGE[1] * 0.99, 501)
    c_v, c_a, c_nu = 3e-5, -2e-4, 1.5e-5
    k = recoil_coefficients(beam, m**2)
    linear = c_nu * (k[0] * c_v + k[1] * c_a)
    quadratic = c_nu**2 * (k[2] * c_v**2 + k[3] * c_v * c_a + k[4] * c_a**2)
    np.testing.assert_allclose(
        scattering_ratio(beam, m, c_v, c_a, c_nu), 1 + linear + quadratic, rtol=1e-10
    )
    # compare the response alone too, where it is small against 1
    half = 0.5 * (
        scattering_ratio(beam, m, c_v, c_a, 1e3) - scattering_ratio(beam, m, c_v, c_a, -1e3)
    )
    np.testing.assert_allclose(half, linear / c_nu * 1e3, rtol=1e-7)


@pytest.mark.parametrize("antineutrino", [False, True])
def test_charm2_recoil_integral_by_mpmath(antineutrino):
    """Return the integral of the docstring's differential cross-section at simple couplings."""
    beam = CHARM2_NUBAR if antineutrino else CHARM2_NU
    m, c_v, c_a, c_nu = 20.0, 1e-4, 2e-4, 1e-5
    from zpfit.physics.constants import FERMI_CONSTANT, SIN2_THETA_W

    def cross_section(strength):
        def differential(t):
            k = (
                strength
                * c_nu
                / (2 * mpmath.sqrt(2) * FERMI_CONSTANT * (m**2 + 2 * ELECTRON_MASS * t))
            )
            left, right = SIN2_THETA_W - 0.5 + k * (c_v - c_a), SIN2_THETA_W + k * (c_v + c_a)
            a, b = (right, left) if antineutrino else (left, right)
            e = (beam.antineutrinos or beam.neutrinos).energy
            return a**2 + b**2 * (1 - t / e) ** 2 - a * b * ELECTRON_MASS * t / e**2

        return mpmath.quad(differential, [beam.recoil_min, beam.recoil_end()])

    expected = float(cross_section(1) / cross_section(0))
    assert scattering_ratio(beam, m, c_v, c_a, c_nu) == pytest.approx(expected, rel=1e-10)


def test_branching_ratio_in_the_massless_limit():
    """The widths are m (C_V^2 + C_A^2)/(12 pi) to electrons and m C_nu^2/(24 pi) to neutrinos."""
    assert br_ee(point(m_Zp=100.0, C_Ve=1e-4, C_nue=1e-4))[0] == pytest.approx(2 / 3, rel=1e-8)
    assert br_ee(point(m_Zp=100.0, C_Ae=1e-4, C_nue=1e-4))[0] == pytest.approx(2 / 3, rel=1e-3)
    # above the muons' threshold three equal couplings share alike, up to the muon mass
    heavy = br_ee(point(m_Zp=1000.0, C_Ve=1e-4, C_Vmu=1e-4))[0]
    x = (MUON_MASS / 1000) ** 2
    assert heavy == pytest.approx(1 / (1 + np.sqrt(1 - 4 * x) * (1 + 2 * x)), rel=1e-9)


def test_branching_ratio_without_an_open_channel_is_zero():
    assert br_ee(point(m_Zp=1.0, C_Ve=1e-4))[0] == 0
    assert br_ee(point(m_Zp=10.0))[0] == 0


def test_mass_floors_switch_on_with_contact():
    def ratio(**values):
        return mass_floor_ratio(point(m_Zp=4.9, **values), 9.8, 8.3, 1e-9)[0]

    assert ratio(C_Ae=2e-9) == pytest.approx(2.0)
    assert ratio(C_numu=-2e-9) == pytest.approx(8.3 / 4.9)
    assert ratio(C_Ve=2e-9, C_nue=1e-3) == pytest.approx(2.0)
    assert ratio(C_Ve=0.5e-9, C_nutau=0.5e-9, C_Vmu=0.1) == 0


def test_prompt_limit_is_interpolated_in_logarithms_and_ends_with_its_curve():
    curve = np.log(np.array([[10.0, 1e-4], [40.0, 4e-4]]))
    inside = prompt_ratio(point(m_Zp=20.0, C_Ve=3e-4, C_Ae=4e-4), curve)[0]
    assert inside == pytest.approx(5e-4 / 2e-4, rel=1e-12)
    assert prompt_ratio(point(m_Zp=9.99, C_Ve=1.0), curve)[0] == 0
    assert prompt_ratio(point(m_Zp=40.1, C_Ve=1.0), curve)[0] == 0


def test_invisible_decays_weaken_a_prompt_limit_by_the_root_of_the_branching_ratio():
    curve = np.log(np.array([[10.0, 1e-4], [400.0, 1e-4]]))
    visible = prompt_ratio(point(m_Zp=100.0, C_Ve=1e-4), curve)[0]
    shared = prompt_ratio(point(m_Zp=100.0, C_Ve=1e-4, C_nutau=1e-4), curve)[0]
    assert shared / visible == pytest.approx(np.sqrt(2 / 3), rel=1e-8)


@pytest.mark.parametrize("length_ratio", [0.1, 1.0, 4.0, 300.0])
def test_dump_region_recast_onto_itself(length_ratio):
    region = np.log(np.array([[5.0, 1e-5, 1e-3], [20.0, 2e-5, 1e-4], [21.0, 3e-5, 3.0001e-5]]))
    for m, edges in (
        (5.0, (1e-5, 1e-3)),
        (10.0, (np.sqrt(2) * 1e-5, np.sqrt(1e-7))),
        (20.0, (2e-5, 1e-4)),
    ):
        m_inside = m * (1 + 1e-12)
        for edge in edges:
            ratio = dump_ratio(point(m_Zp=m_inside, C_Ve=edge), region, length_ratio)[0]
            assert ratio == pytest.approx(1, rel=1e-8)
        middle = dump_ratio(
            point(m_Zp=m_inside, C_Ve=np.sqrt(edges[0] * edges[1])), region, length_ratio
        )
        assert middle[0] > 1


@pytest.mark.parametrize(("share", "shift"), [(0.05, -0.04), (0.5, -0.48)])
def test_invisible_width_lowers_the_upper_edge_of_a_dump(share, shift):
    """Invisible shares of 5 % (50 %) move NA64's upper edge by about -4 % (-48 %) near 17 MeV."""
    lower, upper = 3.6e-5, 1.95e-4
    region = np.log(np.array([[16.0, lower, upper], [18.0, lower, upper]]))
    c_ve = np.linspace(0.4 * upper, upper, 4001)
    zero = np.zeros_like(c_ve)
    c_nu = c_ve * np.sqrt(2 * share / (1 - share))
    points = Couplings(17.0 + zero, c_ve, zero, c_nu, *[zero] * 6)
    ratio = dump_ratio(points, region, 4.0)
    edge = c_ve[np.flatnonzero(ratio > 1)[-1]]
    assert edge / upper - 1 == pytest.approx(shift, abs=0.015)


def test_soft_forms_at_the_limit():
    """At the limit chi2 = z^2, z = 1.2816 at 90 %, or 2 x 2.30 events for a zero-background
    search."""
    assert HalfGaussian(power=2, confidence_level=0.90).chi2(np.array([1.0]))[0] == pytest.approx(
        1.2816**2, rel=1e-4
    )
    assert HalfGaussian(power=2, confidence_level=0.95).chi2(np.array([2.0]))[0] == pytest.approx(
        (4 * 1.6449) ** 2, rel=1e-4
    )
    assert ZeroBackground(confidence_level=0.90).chi2(np.array([1.0]))[0] == pytest.approx(
        2 * 2.3026, rel=1e-4
    )
    assert HalfGaussian(power=2, confidence_level=0.90).chi2(np.array([0.0]))[0] == 0


@pytest.mark.slow
def test_formulas_run_interpreted():
    """NUMBA_DISABLE_JIT=1, for debugging and coverage, gives the same numbers."""
    code = (
        "import numpy as np; from zpfit.likelihood.build import LikelihoodSpec, assemble; "
        "from zpfit.io.library import Library; from zpfit.physics.couplings import Couplings; "
        "l = assemble(LikelihoodSpec(set='paper_2021_cs'), Library.beside()).likelihood; "
        "c = Couplings(*np.array([[18., 1e-5, 1.6e-4, 1e-6, 5e-4, 1e-6, 1e-6, 0, 0, 0]]).T); "
        "print(repr(float(l.chi2(c)[0])), repr(float(l.ratios(c)['na64_2020'][0]))); "
        "from zpfit.physics.observables import built_in_observables; "
        "print(*(repr(float(o.function(c)[0])) for o in built_in_observables().values()))"
    )

    def run(**environment):
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return [float(word) for word in result.stdout.split()]

    assert run(NUMBA_DISABLE_JIT="1") == pytest.approx(run(NUMBA_DISABLE_JIT="0"), rel=1e-9)
