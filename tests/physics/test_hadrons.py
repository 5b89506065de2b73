"""Test the hadronic width against reference values, data of resonances and closed forms."""

from math import pi

import numpy as np
import pytest

from zpfit.physics.constants import FINE_STRUCTURE, MASS_RANGE, PION0_MASS, PION_MASS
from zpfit.physics.couplings import QUARK_NAMES, Couplings
from zpfit.physics.hadron_data import COMPONENTS
from zpfit.physics.hadrons import PERTURBATIVE, TABLE, THRESHOLD, reduced_hadronic_width

PHOTON = {"u": 2 / 3, "d": -1 / 3, "s": -1 / 3, "c": 2 / 3, "b": -1 / 3}


def reduced(mass, **quarks):
    """Return the width in units of m/(12 pi) for couplings like ``Vu=1e-4``."""
    mass = np.atleast_1d(np.asarray(mass, dtype=float))
    rows = [np.full(len(mass), quarks.get(name.removeprefix("C_"), 0.0)) for name in QUARK_NAMES]
    return reduced_hadronic_width(mass, *rows)


def of_photon(mass):
    return reduced(mass, **{f"V{quark}": charge for quark, charge in PHOTON.items()})


def at_peak(br_ee, br_hadrons):
    """Return R at a narrow resonance from its branching ratios, 9 BR(ee) BR(hadrons)/alpha^2."""
    return 9 * br_ee * br_hadrons / FINE_STRUCTURE**2


def test_components_follow_eqs_215_to_218():
    """An independent calculation gives Gamma = 2.0973e-6 MeV at R of 5, 0.02, 0.001 and 0."""
    c_u, c_d, c_s = 1e-4, -5e-5, 2e-5
    weights = [(c_u - c_d) ** 2, 9 * (c_u + c_d) ** 2, 9 * c_s**2, 18 * (c_u + c_d) * c_s]
    assert 700 / (12 * pi) * np.dot(weights, [5, 0.02, 0.001, 0]) == pytest.approx(
        2.0973311076695496e-06, rel=1e-12
    )
    [row] = [row[1:] for row in COMPONENTS if row[0] == 1020.0]
    assert reduced(1020.0, Vu=c_u, Vd=c_d, Vs=c_s)[0] == pytest.approx(
        np.dot(weights, row),
        rel=1e-3,  # pi0 gamma
    )


def test_components_are_positive():
    """No direction of the couplings has a negative width: the omega-phi term is bounded."""
    _, _, omega, phi, mixed = TABLE.T
    assert np.all(omega * phi - mixed**2 >= 0)
    masses = np.concatenate([TABLE[:, 0], 0.5 * (TABLE[1:, 0] + TABLE[:-1, 0])])
    # The smallest width for C_Vs = 1: that of the isoscalar part, without pi0 gamma.
    for isoscalar in np.linspace(-3, 3, 25):
        weights = [isoscalar**2, 9, 6 * isoscalar]
        columns = [np.interp(masses, TABLE[:, 0], column) for column in (omega, phi, mixed)]
        assert np.all(weights @ np.array(columns) >= 0)


def test_form_factor_of_the_pion():
    """|F|^2 is 1.37 at 299 MeV and 45 at the rho; Gamma = C^2 m beta^3 |F|^2/(48 pi)."""
    for mass, size, accuracy in ((299.0, 1.37, 0.03), (775.0, 45.0, 0.03)):
        beta3 = (1 - (2 * PION_MASS / mass) ** 2) ** 1.5
        isovector = reduced(mass, Vu=0.5, Vd=-0.5)[0]
        assert 4 * isovector / beta3 == pytest.approx(size, rel=accuracy)
    beta3 = (1 - (2 * PION_MASS / 300) ** 2) ** 1.5
    assert (3e-4) ** 2 * 300 * beta3 / (48 * pi) == pytest.approx(8.805057712e-09, rel=1e-5)


def test_pion_and_photon():
    """An independent calculation, with 134.98 MeV for the pion and stable rho and omega."""
    found = reduced(279.0, Vu=2e-4, Vd=-1e-4)[0]
    scale = (279 / 300) ** 2 * ((1 - (PION0_MASS / 279) ** 2) / (1 - (PION0_MASS / 300) ** 2)) ** 3
    propagators = (775.26**2 - 300**2) / (775.26**2 - 279**2)
    expected = 3.9190609481298715e-11 * 12 * pi / 300 * scale * propagators**2
    assert found == pytest.approx(expected, rel=1e-3)


def test_peaks_of_resonances():
    """BR(omega -> ee) = 7.38e-5 and BR(pi0 gamma) = 8.35 %; 2.97e-4 and 83 % of the phi."""
    baryonic = {"Vu": 1 / 6, "Vd": 1 / 6}  # 9 (C_Vu + C_Vd)^2 = 1
    pions = float(np.interp(782.66, TABLE[:, 0], TABLE[:, 2]))
    photon = reduced(782.66, **baryonic)[0] - pions
    assert photon == pytest.approx(at_peak(7.38e-5, 0.0835), rel=0.06)
    assert TABLE[TABLE[:, 0] == 785.0, 2][0] == pytest.approx(at_peak(7.38e-5, 0.892), rel=0.25)
    kaons = float(TABLE[TABLE[:, 0] == 1020.0, 3][0])
    assert kaons == pytest.approx(at_peak(2.97e-4, 0.98), rel=0.15)


def test_open_channels():
    assert not of_photon(np.geomspace(MASS_RANGE[0], THRESHOLD)).any()
    baryonic = {"Vu": 1 / 3, "Vd": 1 / 3, "Vs": 1 / 3}
    light = np.linspace(136, 320)
    assert (reduced(light, **baryonic) < 1e-4).all()
    assert (reduced(light[light > 300], Vu=1.0, Vd=0.0) > 1e-2).all()
    assert not reduced(1500.0, Au=1.0, Ad=-1.0, As=1.0).any()  # unknown
    assert reduced(5000.0, Au=1.0, Ac=1.0)[0] == pytest.approx(3 * (0.974 + 0.512), rel=0.01)
    assert not reduced(2900.0, Vc=1.0).any()
    assert reduced(9700.0, Vb=1.0)[0] > 0


def test_quarks_of_heavy_bosons():
    """R of a photon is 3 sum Q^2 far above thresholds: 2 at 2.9 GeV less 10 % for masses."""
    assert of_photon(2900.0)[0] == pytest.approx(2.0, rel=0.02)
    assert of_photon(9500.0)[0] == pytest.approx(10 / 3, rel=0.01)
    for mass in (PERTURBATIVE, 1200.0):
        below, above = of_photon(mass - 1e-3)[0], of_photon(mass + 1e-3)[0]
        assert below == pytest.approx(above, rel=1e-4)


def test_hadrons_enter_every_branching_ratio():
    c = Couplings.of(m_Zp=[100.0, 500.0], C_Ve=1e-4, C_nue=1e-4, C_Vu=2e-4, C_Vd=-1e-4)
    assert c.widths.hadrons[0] == 0
    # beta^3 |F|^2/4 times the squared difference of the couplings, here three times that of e
    hadrons = 9 * 1e-8 * 0.505
    assert c.widths.hadrons[1] == pytest.approx(hadrons, rel=0.03)
    assert c.br_ee[1] == pytest.approx(1 / (1.5 + hadrons / 1e-8), rel=0.03)
    assert c.br_inv[1] == pytest.approx(0.5 / (1.5 + hadrons / 1e-8), rel=0.03)
    single = Couplings(**{name: float(row[1]) for name, row in c.items()})
    assert single.widths.hadrons == c.widths.hadrons[1]


def test_the_width_is_never_negative():
    """The interference of omega and phi is at most what their own widths allow."""
    mass = np.arange(280.0, 2000.0, 0.5)
    for ratio in (*-np.geomspace(1e-3, 1e3, 61), *np.geomspace(1e-3, 1e3, 61)):
        assert (reduced(mass, Vu=0.5, Vd=0.5, Vs=ratio) >= 0).all(), ratio
