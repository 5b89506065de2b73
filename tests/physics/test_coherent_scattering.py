"""Compare coherent scattering with independent quadrature, reference values and published counts.

The reference values are of an independent calculation. Its integrals are on grids: they lack
recoils below about 1e-7 MeV, count photoelectrons in steps of about one, and end the decay of the
muon 8 microseconds after the pulse, as if the later muons were among the earlier ones. Tolerances
say how far that moves each number.
"""

from itertools import pairwise
from math import exp, gamma, pi, sqrt

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.optimize import brentq
from scipy.special import spherical_jn

from zpfit.physics import coherent_experiments as experiments
from zpfit.physics.coherent_experiments import (
    CONUS_NUEBAR,
    CSI_NUE,
    CSI_NUMU,
    CSI_NUMUBAR,
    coherent_csi,
    coherent_csi_events,
    coherent_lar,
    conus_plus,
    csi_efficiency,
    lindhard_recoil,
    time_fractions,
)
from zpfit.physics.coherent_scattering import (
    ARGON,
    CAESIUM,
    GERMANIUM,
    IODINE,
    CoherentDetector,
    Nucleus,
    Signal,
    coefficients,
    cross_section,
    expected_counts,
    helm_form_factor,
    standard_model_counts,
)
from zpfit.physics.couplings import Couplings
from zpfit.physics.neutrino_spectra import (
    STOPPED_MUON_NUE,
    STOPPED_MUON_NUMUBAR,
    STOPPED_PION_NUMU,
    Spectrum,
    reactor_density,
)

G_F, HBAR_C = 1.1663787e-11, 197.3269804
CM2 = (HBAR_C * 1e-13) ** 2
M_MU, M_PI = 105.6583755, 139.57039
G_N, G_P = -0.5117, {"numu": 0.03, "numubar": 0.03, "nue": 0.0382}
NUCLEI = {"Cs": CAESIUM, "I": IODINE, "Ar": ARGON, "Ge": GERMANIUM}
CSI = {"numu": CSI_NUMU, "numubar": CSI_NUMUBAR, "nue": CSI_NUE}
BEAMS = {
    "numu": STOPPED_PION_NUMU,
    "numubar": STOPPED_MUON_NUMUBAR,
    "nue": STOPPED_MUON_NUE,
}

# Numbers of the independent calculation.
HELM = [((10.0, 4.804), 0.9901592609358819), ((80.0, 3.55), 0.6995304314995493)]
CROSS_SECTIONS = [  # T, E, nucleus, m, C_nu, C_Vu, C_Vd; nu_mu
    ((0.01, 30.0, "Cs", 10.0, 0, 0, 0), 5.491543634736177e-37),
    ((0.01, 30.0, "Cs", 10.0, -3e-05, 1e-05, 1e-05), 6.3393475203827145e-37),
    ((0.015, 40.0, "I", 50.0, 3e-05, 3e-05, 3e-05), 4.3814374744408444e-37),
    ((0.001, 8.0, "Ge", 10.0, 1e-05, 2e-05, 1e-05), 6.989669437785156e-38),
]
AVERAGES = [  # cm^2 at 10 MeV: 1, p, n, pp, pn, nn
    ("Cs", "numu", (1.715372269785348e-38, -5.207367981762984e-30, -7.353489153538073e-30,
                    8.107796402414628e-22, 2.296007252706129e-21, 1.625498798298831e-21)),
    ("I", "numubar", (2.0850434014084022e-38, -5.054724173257569e-30, -7.019866344186305e-30,
                      7.5620605685841445e-22, 2.108293399140825e-21, 1.4694882592133946e-21)),
    ("Ar", "nue", (1.7139846721269266e-39, -4.9143886143955725e-31, -5.992405101971106e-31,
                   8.651401020387865e-23, 2.113266736973174e-22, 1.2905147945919617e-22)),
]  # fmt: skip
COUNTS = [
    (10.0, "numu", (50.978483040708, -3965326368.18782, -5470591127.327026,
                    8.289248884107923e16, 2.2904429690553216e17, 1.582331925599252e17)),
    (10.0, "numubar", (202.76657535699422, -10905603403.472967, -14883209049.179918,
                       1.695937636930874e17, 4.650971261627692e17, 3.189336457661233e17)),
    (100.0, "nue", (124.35402571660454, -1708559423.428847, -2329344888.998974,
                    5905855125620302.0, 1.6119190185268018e16, 1.1001071563752318e16)),
    (1000.0, "numu", (50.978483040708, -9135365.467783554, -12586706.78919248,
                      409295424478.6329, 1127772283406.1252, 776921996570.6206)),
]  # fmt: skip
RATIOS = [  # m, C_nue, C_numu, C_Vu, C_Vd
    (coherent_csi, (50.0, 0, 1e-4, 1e-5, -1e-5), 1.0078317088615298, 2e-6),
    (coherent_csi, (50.0, 5e-5, 0, -2e-5, 2e-5), 0.9961671669310712, 2e-6),
    (coherent_lar, (10.0, -3e-5, -3e-5, 1e-5, 1e-5), 1.1615367030822144, 4e-7),
    (coherent_lar, (50.0, 0, 1e-4, 1e-5, -1e-5), 1.0056521080865497, 1e-8),
    (coherent_lar, (50.0, 5e-5, 0, -2e-5, 2e-5), 0.9973726079916686, 1e-8),
]
CONUS_RATIO = 3.3291798740298026  # at m = 10, C_nue = -3e-5, C_Vu = C_Vd = 1e-5; ends at 8 MeV
PROMPT = (0.03437857638804424, 0.3981150792187388, 0.4943539367636019, 0.06880659487606888,
          0.0009618437093518173, 2.7162971871774744e-10, 0.0, 0.0, 0.0)  # fmt: skip
DELAYED = (0.0009492727336127306, 0.02096398439746926, 0.0774790959760446, 0.09602555437190667,
           0.1629645571361338, 0.12664237894059127, 0.1748662918864684, 0.10557814148437061,
           0.10226059182938885)  # fmt: skip


def coupled(m, c_nue, c_numu, c_u, c_d):
    return Couplings.of(m_Zp=m, C_nue=c_nue, C_numu=c_numu, C_Vu=c_u, C_Vd=c_d)


def form_factor(q: float, radius: float) -> float:
    """Return Helm's form factor with SciPy's Bessel function."""
    box = sqrt(5 / 3 * (radius**2 - 3 * 0.9**2))
    x = q * box / HBAR_C
    return 3 * spherical_jn(1, x) / x * exp(-((q * 0.9 / HBAR_C) ** 2) / 2)


def six(nucleus: Nucleus, recoil: float, m: float, g_p: float) -> np.ndarray:
    """Return Q^2 as coefficients of 1, p, n, pp, pn, nn, written out."""
    q = sqrt(2 * nucleus.mass * recoil)
    p = nucleus.protons * form_factor(q, nucleus.proton_radius)
    n = nucleus.neutrons * form_factor(q, nucleus.neutron_radius)
    x = 1 / (sqrt(2) * G_F * (m**2 + q**2))
    sm = g_p * p + G_N * n
    return np.array([sm**2, 2 * x * sm * p, 2 * x * sm * n, (x * p) ** 2, 2 * x * x * p * n, (x * n) ** 2])  # noqa: E501  # fmt: skip


def kinematics(nucleus: Nucleus, recoil: float, energy: float) -> float:
    return (
        1 - nucleus.mass * recoil / (2 * energy**2) - recoil / energy + (recoil / energy) ** 2 / 2
    )


def strength(nucleus: Nucleus) -> float:
    return CM2 * G_F**2 * nucleus.mass / pi


@pytest.mark.parametrize(("inputs", "expected"), HELM)
def test_form_factor(inputs, expected):
    q, radius = inputs
    assert helm_form_factor(np.array([q]), radius)[0] == pytest.approx(expected, rel=1e-13)
    assert form_factor(q, radius) == pytest.approx(expected, rel=1e-13)


def test_form_factor_is_smooth_where_its_series_begins():
    q = np.linspace(0.5, 4, 200)
    exact = [form_factor(one, 4.8) for one in q]
    np.testing.assert_allclose(helm_form_factor(q, 4.8), exact, rtol=1e-11)
    assert helm_form_factor(np.zeros(1), 4.8) == 1


@pytest.mark.parametrize(("inputs", "expected"), CROSS_SECTIONS)
def test_cross_section(inputs, expected):
    recoil, energy, nucleus, m, c_nu, c_u, c_d = inputs
    c = coupled(m, 0, c_nu, c_u, c_d)
    found = cross_section(NUCLEI[nucleus], np.array([recoil]), energy, c)
    assert found[0] == pytest.approx(expected, rel=1e-10)


def test_cross_section_ends_at_the_largest_recoil():
    end = CAESIUM.largest_recoil(30.0)
    recoil = np.array([0.999 * end, 1.001 * end])
    inside, beyond = cross_section(CAESIUM, recoil, 30.0, Couplings.none())
    assert inside > 0
    assert beyond == 0
    assert CAESIUM.least_energy(end) == pytest.approx(30.0)


def everything(recoil: np.ndarray) -> np.ndarray:
    return np.ones((len(recoil), 1))


@pytest.mark.parametrize(("name", "flavour", "expected"), AVERAGES)
def test_average_over_stopped_pions(name, flavour, expected):
    detector = CoherentDetector((NUCLEI[name],), 1e-12, 1.0, everything)
    signal = Signal(detector, BEAMS[flavour], electron_flavour=flavour == "nue")
    found = coefficients(signal, np.array([100.0]))[0, :, 0]
    np.testing.assert_allclose(found, expected, rtol=3e-4)
    np.testing.assert_allclose(found[:1], expected[:1], rtol=2e-5)


def test_average_agrees_with_double_quadrature():
    """Integrate over energy and recoil in the other order, with the spectrum as published."""
    detector = CoherentDetector((ARGON,), 0.02, 1.0, everything)
    signal = Signal(detector, STOPPED_MUON_NUE, electron_flavour=True)
    found = coefficients(signal, np.array([20.0**2]))[0, :, 0]
    least = ARGON.least_energy(0.02)
    for index in (0, 2, 3):

        def integrand(recoil: float, energy: float, index: int = index) -> float:
            x = energy / M_MU
            density = 192 / M_MU * x**2 * (0.5 - x)
            return density * kinematics(ARGON, recoil, energy) * six(ARGON, recoil, 20.0, 0.0382)[index]  # noqa: E501  # fmt: skip

        value, _ = dblquad(
            integrand, least, M_MU / 2, 0.02, ARGON.largest_recoil, epsabs=0, epsrel=1e-9
        )
        assert found[index] == pytest.approx(strength(ARGON) * value, rel=1e-8)


@pytest.mark.parametrize("bin_of", [1, 4])
def test_counts_in_a_bin_agree_with_double_quadrature(bin_of):
    """Integrate over photoelectrons and recoils of nu_mu with the gamma law as published."""
    lower, upper = experiments.CSI_PE_EDGES[bin_of : bin_of + 2]
    energy = (M_PI**2 - M_MU**2) / (2 * M_PI)

    def of(nucleus: Nucleus, index: int) -> float:
        def integrand(pe: float, recoil: float) -> float:
            kev = 1e3 * (0.0554628 * recoil + 4.30681 * recoil**2 - 111.707 * recoil**3
                         + 840.384 * recoil**4)  # fmt: skip
            shape = 1 + 9.56 * kev
            scale = 13.35 * kev / shape
            density = (pe / scale) ** (shape - 1) * exp(-pe / scale) / (scale * gamma(shape))
            efficiency = 1.32045 / (1 + exp(-0.285979 * (pe - 10.8646))) - 0.333322
            weight = kinematics(nucleus, recoil, energy) * efficiency * density
            return weight * six(nucleus, recoil, 10.0, 0.03)[index]

        end = nucleus.largest_recoil(energy)
        return strength(nucleus) * dblquad(integrand, 5e-4, end, lower, upper, epsabs=0, epsrel=1e-8)[0]  # noqa: E501  # fmt: skip

    exposure = 14.6e3 / (132.905452 + 126.904473) * 6.02214076e23
    exposure *= 3.198e23 * 0.0848 / (4 * pi * 1930**2)
    found = coefficients(CSI_NUMU, np.array([100.0]))[bin_of, :, 0]
    for index in (0, 5):
        expected = exposure * sum(of(nucleus, index) for nucleus in (CAESIUM, IODINE))
        assert found[index] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("m", "flavour", "expected"), COUNTS)
def test_counts_of_the_reference(m, flavour, expected):
    found = coefficients(CSI[flavour], np.array([m**2]))[:, :, 0].sum(axis=0)
    np.testing.assert_allclose(found, expected, rtol=2e-3)


@pytest.mark.parametrize(("function", "inputs", "expected", "within"), RATIOS)
def test_ratios_of_the_reference(function, inputs, expected, within):
    assert function(coupled(*inputs))[0] == pytest.approx(expected, abs=within)


def test_conus_agrees_with_the_reference_on_its_spectrum():
    """The reference ends at 8 MeV; the extrapolation to 9.5 MeV lowers the response by 1 %."""
    beam = Spectrum(reactor_density, (2.0, 4.0, 6.0, 8.0))
    signal = Signal(CONUS_NUEBAR.detector, beam, electron_flavour=True)
    c = coupled(10.0, -3e-5, 0, 1e-5, 1e-5)
    ratio = expected_counts(signal, c)[0, 0] / standard_model_counts(signal)[0]
    assert ratio == pytest.approx(CONUS_RATIO, rel=5e-5)
    assert conus_plus(c)[0] == pytest.approx(CONUS_RATIO, rel=0.01)


def test_window_of_conus_follows_from_lindhards_theory():
    def kev_of_electrons(recoil: float) -> float:
        reduced = 11.5 * 32 ** (-7 / 3) * recoil
        g = 3 * reduced**0.15 + 0.7 * reduced**0.6 + reduced
        return recoil * 0.162 * g / (1 + 0.162 * g)

    for energy in (0.16, 0.8):
        recoil = brentq(lambda x, at=energy: kev_of_electrons(x) - at, 0.1, 20)
        assert lindhard_recoil(energy) == pytest.approx(1e-3 * recoil, rel=1e-12)


def test_time_fractions_agree_with_a_convolution():
    """Fold the pulse with the decays numerically."""
    pion, muon = 0.026033, 2.1969811

    def density(t: float, law) -> float:
        def integrand(after: float) -> float:
            return law(after) * exp(-(((t - after - 0.5) / 0.15) ** 2) / 2) / (0.15 * sqrt(2 * pi))

        low, high = max(t - 0.5 - 8 * 0.15, 0), max(t - 0.5 + 8 * 0.15, 0.01)
        return quad(integrand, low, high, points=[low + 0.05], epsabs=1e-12)[0]

    def of_pion(t: float) -> float:
        return exp(-t / pion) / pion

    def of_muon(t: float) -> float:
        return (exp(-t / muon) - exp(-t / pion)) / (muon - pion)

    prompt, delayed = time_fractions()
    for found, law, bins in ((prompt, of_pion, (1, 2)), (delayed, of_muon, (2, 5))):
        for index in bins:
            lower, upper = experiments.CSI_TIME_EDGES[index : index + 2]
            nodes, weights = np.polynomial.legendre.leggauss(12)
            edges = sorted({lower, upper, *([0.52] if lower < 0.52 < upper else [])})
            total = 0.0
            for low, high in pairwise(edges):
                time = low + (high - low) * (nodes + 1) / 2
                values = [density(t, law) * exp(-0.0494 * max(t - 0.52, 0)) for t in time]
                total += (high - low) / 2 * float(weights @ values)
            assert found[index] == pytest.approx(total, rel=1e-7)


def test_time_fractions_of_the_reference():
    """Its delayed fractions are 2.7 % larger, because its muons decay within 8 microseconds."""
    prompt, delayed = time_fractions()
    np.testing.assert_allclose(prompt[:5], PROMPT[:5], atol=1e-4)
    cut = 1 - exp(-8 / 2.1969811)
    np.testing.assert_allclose(delayed[2:8] / np.array(DELAYED[2:8]), cut, rtol=2e-3)
    # All events come some time: without the efficiency the fractions would add up to that.
    assert delayed.sum() < 1 - exp(-5.5 / 2.197)


def test_published_numbers_of_events():
    """333 to 341 are expected at 0-60 photoelectrons; the cross-section is 189(6)e-40 cm^2."""
    assert coherent_csi_events(Couplings.none()).sum() == pytest.approx(327, abs=1)
    detector = CoherentDetector((CAESIUM, IODINE), 1e-12, 1.0, everything)
    total = 0.0
    for flavour, beam in BEAMS.items():
        signal = Signal(detector, beam, electron_flavour=flavour == "nue")
        # The mean over three flavours, and over a nucleus of each kind.
        total += coefficients(signal, np.ones(1))[0, 0, 0] / 6
    assert total == pytest.approx(189e-40, abs=6e-40)


def test_published_cross_section_of_argon():
    """2.2(7)e-39 cm^2 is measured, and 1.8e-39 expected."""
    detector = CoherentDetector((ARGON,), 1e-12, 1.0, everything)
    signals = (Signal(detector, b, electron_flavour=f == "nue") for f, b in BEAMS.items())
    total = sum(coefficients(signal, np.ones(1))[0, 0, 0] for signal in signals) / 3
    assert total == pytest.approx(1.8e-39, rel=0.02)


@pytest.mark.parametrize("function", [coherent_csi, coherent_lar, conus_plus])
def test_sign_of_the_interference(function):
    """B-L raises the rate; a universal vector lowers it first and raises it when it dominates."""
    small, large = 1e-5, 3e-4
    b_minus_l = Couplings.of(m_Zp=10.0, C_nue=-small, C_numu=-small, C_Vu=small / 3, C_Vd=small / 3)
    assert function(b_minus_l)[0] > 1
    g = np.array([small, large])
    universal = Couplings.of(m_Zp=10.0, C_nue=g, C_numu=g, C_Vu=g, C_Vd=g)
    lowered, raised = function(universal)
    assert lowered < 1 < raised


@pytest.mark.parametrize("function", [coherent_csi, coherent_lar, conus_plus])
def test_without_couplings_the_rate_is_that_of_the_standard_model(function):
    assert function(Couplings.none()) == pytest.approx(1, abs=1e-15)
    only_neutrinos = Couplings.of(m_Zp=17.0, C_nue=1e-3, C_numu=np.full(5, 1e-3))
    rows = function(only_neutrinos)
    assert rows.shape == (5,)
    assert rows.strides == (0,)
    only_quarks = Couplings.of(m_Zp=[17.0, 30.0], C_Vu=1e-3)
    np.testing.assert_allclose(function(only_quarks), 1, rtol=1e-14)


@pytest.mark.parametrize("signal", [CSI_NUMU, CSI_NUE, CONUS_NUEBAR])
def test_tables_agree_with_quadrature(signal):
    rng = np.random.default_rng(3)
    m = np.exp(rng.uniform(np.log(1e-4), np.log(1e4), 60))
    c_nu, c_u, c_d = 1e-4 * np.maximum(m / 30, 1) * rng.uniform(-1, 1, (3, 60))
    c = coupled(m, c_nu, c_nu, c_u, c_d)
    p, n = c_nu * (2 * c_u + c_d), c_nu * (c_u + 2 * c_d)
    monomials = np.stack([np.ones(60), p, n, p * p, p * n, n * n])
    exact = np.einsum("bkn,kn->nb", coefficients(signal, m**2), monomials)
    # Where the Z' cancels the Z, rounding of large terms is left.
    within = 1e-8 * standard_model_counts(signal).max()
    np.testing.assert_allclose(expected_counts(signal, c), exact, rtol=1e-8, atol=within)


def test_counts_are_positive_and_spread_over_time():
    rng = np.random.default_rng(4)
    m = np.exp(rng.uniform(0, 7, 200))
    couplings = (10 ** rng.uniform(-6, -2, (4, 200))) * rng.choice([-1, 1], (4, 200))
    c = coupled(m, *couplings)
    events = coherent_csi_events(c)
    assert events.shape == (200, 81)
    assert (events >= 0).all()
    prompt, delayed = time_fractions()
    in_bins = events.reshape(200, 9, 9).sum(axis=2)
    late = expected_counts(CSI_NUMUBAR, c) + expected_counts(CSI_NUE, c)
    expected = expected_counts(CSI_NUMU, c) * prompt.sum() + late * delayed.sum()
    np.testing.assert_allclose(in_bins, expected, rtol=1e-12)


def test_undefined_couplings_give_undefined_counts():
    c = coupled(np.array([17.0, np.nan]), 1e-5, 1e-5, np.array([1e-5, 1e-5]), 1e-5)
    with np.errstate(invalid="ignore"):
        assert np.isnan(coherent_csi(c)).tolist() == [False, True]


def test_efficiency_is_that_of_the_release():
    assert csi_efficiency(np.array([10.8646]))[0] == pytest.approx(1.32045 / 2 - 0.333322)


def test_response_is_normalised_to_the_efficiency():
    """A large signal lies in the bins up to the efficiency at its mean."""
    recoil = brentq(lambda t: 13.35e3 * (0.0554628 * t + 4.30681 * t**2 - 111.707 * t**3) - 25, 1e-3, 0.03)  # noqa: E501  # fmt: skip
    seen = experiments.csi_response(np.array([recoil])).sum()
    assert seen == pytest.approx(float(csi_efficiency(np.array([25.0]))[0]), rel=0.03)
    assert experiments.csi_response(np.array([5e-4])).max() < 1e-11
