"""Compare binned Poisson counts with independent minimisation, in every place that uses data."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.special import xlogy
from scipy.stats import norm

from zpfit.analysis.tension.parameter_goodness import parameter_goodness
from zpfit.analysis.toys.pseudo_data import predictions, pseudo_data
from zpfit.analysis.toys.refit import RefitOptions, refit, solution_pool
from zpfit.errors import InvalidInput
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fixed, Priors, Uniform
from zpfit.inference.search.best_fit import find_minimum
from zpfit.io.library import Library
from zpfit.likelihood.binned import BinnedTerm
from zpfit.likelihood.build import Assembled, LikelihoodSpec, assemble
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import CountsTerm, GaussianTerm
from zpfit.models.base import Model, Parameter
from zpfit.physics.coherent_experiments import CSI_NUE, CSI_NUMU, CSI_NUMUBAR, coherent_csi
from zpfit.physics.coherent_scattering import expected_counts
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, Observable, find_observable
from zpfit.physics.poisson_profile import (
    LinearStart,
    _start_at_large_signal,
    profiled_residuals,
    profiled_scales,
)

RARE = 1e-4
"""Probability that a test of random numbers fails although the code is correct."""

# Fractions in the bins of time and chi2 of the independent calculation in the notes of
# tests/physics/test_coherent_scattering.py, whose delayed fractions are 2.7 % too large.
PROMPT = (0.03437857638804424, 0.3981150792187388, 0.4943539367636019, 0.06880659487606888,
          0.0009618437093518173, 2.7162971871774744e-10, 0.0, 0.0, 0.0)  # fmt: skip
DELAYED = (0.0009492727336127306, 0.02096398439746926, 0.0774790959760446, 0.09602555437190667,
           0.1629645571361338, 0.12664237894059127, 0.1748662918864684, 0.10557814148437061,
           0.10226059182938885)  # fmt: skip
CHI2 = [  # m, C_nue, C_numu, C_Vu, C_Vd
    ((10.0, 4e-5, 4e-5, 4e-5, 4e-5), 112.6422872758524),
    ((17.0, 0, 5e-5, 2e-5, -1e-5), 78.10608225500559),
    ((50.0, 1e-4, 0, 1e-5, 3e-5), 78.2628581254503),
    ((1000.0, -8e-4, -8e-4, 8e-4 / 3, 8e-4 / 3), 81.55766613005166),
]
B_MINUS_L, UNIVERSAL, B_3L_MU = (-1, -1, 1 / 3), (1, 1, 1), (0, -3, 1 / 3)
LIMITS = [  # charges of nu_e, nu_mu and quarks; m; 2 sigma
    (B_MINUS_L, 1.0, 4.692877502711303e-5),
    (B_MINUS_L, 10.0, 4.7903159124897915e-5),
    (B_MINUS_L, 50.0, 6.473168865237311e-5),
    (B_MINUS_L, 100.0, 9.678835149095908e-5),
    (B_MINUS_L, 1000.0, 8.151124254112284e-4),
    (UNIVERSAL, 1.0, 2.325779702936295e-5),
    (UNIVERSAL, 10.0, 2.4e-5),
    (UNIVERSAL, 1000.0, 5.3e-4),
    (B_3L_MU, 10.0, 3.1e-5),
]
CONUS_LIMITS = [(1.0, 1.5e-5), (10.0, 2.0e-5), (30.0, 4.1e-5)]


def chosen(*names: str, **options: object) -> Assembled:
    return assemble(LikelihoodSpec(add=names, **options), Library.beside())  # type: ignore[arg-type]


def csi() -> tuple[Likelihood, BinnedTerm]:
    likelihood = chosen("coherent_csi_2021").likelihood
    [term] = likelihood.measurements
    assert isinstance(term, BinnedTerm)
    return likelihood, term


def charged(m, g, charges) -> Couplings:
    nue, numu, quark = charges
    return Couplings.of(m_Zp=m, C_nue=nue * g, C_numu=numu * g, C_Vu=quark * g, C_Vd=quark * g)


def random_points(n: int, seed: int = 1) -> Couplings:
    rng = np.random.default_rng(seed)
    names = ("C_nue", "C_numu", "C_Vu", "C_Vd")
    rows = {name: rng.choice([-1, 1], n) * 10 ** rng.uniform(-6, -3.5, n) for name in names}
    return Couplings.of(m_Zp=np.exp(rng.uniform(0, 7, n)), **rows)


def deviance(counts: np.ndarray, expected: np.ndarray) -> float:
    logarithm = np.where(counts > 0, counts * np.log(np.maximum(counts, 1) / expected), 0)
    return float(2 * np.sum(expected - counts + logarithm))


def least_chi2(term: BinnedTerm, signal: np.ndarray) -> float:
    """Minimise over positive scales with SciPy."""
    templates = np.vstack([signal, term.backgrounds])
    counts, errors = np.array(term.observed), np.array(term.scale_errors)

    def chi2(scales: np.ndarray) -> tuple[float, np.ndarray]:
        expected = scales @ templates
        pulls = (scales - 1) / errors
        gradient = templates @ (1 - counts / expected) + pulls / errors
        return deviance(counts, expected) + float(pulls @ pulls), 2 * gradient

    bounds = [(1e-9, None)] * len(errors)
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 1000}
    start = np.ones(len(errors))
    return float(
        minimize(chi2, start, jac=True, bounds=bounds, method="L-BFGS-B", options=options).fun
    )


# Closed forms and reference values


def test_chi2_agrees_with_an_independent_minimiser():
    likelihood, term = csi()
    c = random_points(40)
    found = likelihood.chi2(c)
    assert found.max() > 150  # some signals are far too large
    for one, signal in zip(found[::4], term.expectation(c)[::4], strict=True):
        assert one == pytest.approx(least_chi2(term, signal), rel=1e-8)


def notes_term() -> BinnedTerm:
    """Return the term with the fractions in time of the independent calculation."""

    def events(c: Couplings) -> np.ndarray:
        late = expected_counts(CSI_NUMUBAR, c) + expected_counts(CSI_NUE, c)
        prompt = expected_counts(CSI_NUMU, c)[:, :, None] * PROMPT
        return (prompt + late[:, :, None] * DELAYED).reshape(len(c), -1)

    _, term = csi()
    signal = Observable("notes", coherent_csi, Group.OTHER, spectrum=events)
    return BinnedTerm("notes", signal, term.observed, term.backgrounds, term.scale_errors)


@pytest.mark.parametrize(("inputs", "expected"), CHI2)
def test_chi2_of_the_reference(inputs, expected):
    m, c_nue, c_numu, c_u, c_d = inputs
    c = Couplings.of(m_Zp=m, C_nue=c_nue, C_numu=c_numu, C_Vu=c_u, C_Vd=c_d)
    assert notes_term().chi2(c)[0] == pytest.approx(expected, abs=0.02)
    # With all muon decays the expected signal is 2.3 % smaller.
    assert csi()[0].chi2(c)[0] == pytest.approx(expected, abs=0.9)


def test_fit_of_the_standard_model():
    """The notes fit 315 +- 32 of 335 events, with chi2 = 77.8 for 81 bins."""
    likelihood, term = csi()
    chi2 = likelihood.chi2(Couplings.none())[0]
    assert chi2 == pytest.approx(77.57, abs=0.01)
    assert sum(term.observed) == 1567
    events = term.expectation(Couplings.none()).sum()
    assert term.value * events == pytest.approx(311, abs=1)
    assert notes_term().chi2(Couplings.none())[0] == pytest.approx(77.8, abs=0.05)
    assert notes_term().value == pytest.approx(315 / 335, abs=0.015)


def limit(chi2, m: float, charges) -> float:
    """Return the smallest coupling whose chi2 is 4 above the least one."""
    g = np.geomspace(1e-6, 3e-3, 600)
    rises = chi2(charged(m, g, charges))
    least = rises.min()
    above = int(np.argmax(rises - least > 4))
    return brentq(lambda x: chi2(charged(m, x, charges))[0] - least - 4, g[above - 1], g[above])


@pytest.mark.parametrize(("charges", "m", "expected"), LIMITS)
def test_limits_of_the_reference(charges, m, expected):
    # Some are known to two digits.
    within = 0.005 if charges is B_MINUS_L else 0.025
    assert limit(notes_term().chi2, m, charges) == pytest.approx(expected, rel=within)
    assert limit(csi()[0].chi2, m, charges) == pytest.approx(expected, rel=0.045)


@pytest.mark.parametrize(("m", "expected"), CONUS_LIMITS)
def test_limits_of_conus(m, expected):
    chi2 = chosen("conus_plus_2025").likelihood.chi2
    assert limit(chi2, m, B_MINUS_L) == pytest.approx(expected, rel=0.035)


def test_count_alone_allows_a_second_region():
    """A universal vector may reverse the amplitude: g = 8.4e-5 to 9.3e-5 at 10 MeV."""
    chi2 = chosen("coherent_csi_2021_count").likelihood.chi2
    g = np.linspace(1e-6, 1.2e-4, 2000)
    allowed = chi2(charged(10.0, g, UNIVERSAL)) < 4
    edges = g[1:][np.diff(allowed.astype(int)) != 0]
    assert edges == pytest.approx([3.4e-5, 8.4e-5, 9.3e-5], rel=0.015)
    # The bins exclude it.
    likelihood, _ = csi()
    assert likelihood.chi2(charged(10.0, 8.8e-5, UNIVERSAL))[0] > 77.6 + 9


def test_points_without_nucleon_couplings_alone_and_among_others():
    """Terms that a batch skips have the values that they have beside points with a coupling."""
    likelihood = assemble(LikelihoodSpec(set="today_cs"), Library.beside()).likelihood
    couplings = {"C_Vmu": 1e-4, "C_numu": 1e-4, "C_nutau": 1e-4}
    alone = Couplings.of(m_Zp=[12.0, 40.0], C_Ve=0.0, C_Vu=0.0, C_Vd=0.0, **couplings)
    among = Couplings.of(
        m_Zp=[12.0, 40.0, 17.0], C_Ve=[0, 0, 1e-5], C_Vu=[0, 0, 1e-5], C_Vd=[0, 0, 2e-5],
        **couplings,
    )  # fmt: skip
    for found, expected in (
        (likelihood.chi2_by_term(alone), likelihood.chi2_by_term(among)),
        (likelihood.ratios(alone), likelihood.ratios(among)),
    ):
        assert found.keys() == expected.keys()
        for name, values in found.items():
            np.testing.assert_allclose(values, expected[name][:2], rtol=1e-12, err_msg=name)
    residuals = likelihood.residuals(alone, 1.0)
    np.testing.assert_allclose(residuals, likelihood.residuals(among, 1.0)[:2], rtol=0, atol=1e-5)


def test_more_than_four_templates_and_a_background_in_parts():
    """Three equal parts of a background are like the whole with an error smaller by sqrt(3)."""
    signal, counts = np.array([[30.0, 10.0, 5.0]]), np.array([[44.0, 39.0, 22.0]])
    background = np.array([[20.0, 25.0, 15.0], [1.0, 2.0, 3.0], [3.0, 1.0, 0.5]])
    parts = np.vstack([np.repeat(background[:1] / 3, 3, axis=0), background[1:]])
    found = []
    for templates, errors in (
        (background, [0.1, 0.2, 0.1, 0.1]),
        (parts, [0.1, *[0.2 * 3**0.5] * 3, 0.1, 0.1]),
    ):
        k = len(errors)
        ones, unknown = np.ones((1, k)), np.full((k, k), np.nan)
        weights = np.array(errors) ** -2.0
        scales, expected = profiled_scales(signal, counts, templates, ones, weights, ones, unknown)
        np.testing.assert_allclose(expected, scales[:, :1] * signal + scales[:, 1:] @ templates)
        found.append(expected)
    np.testing.assert_allclose(*found, rtol=1e-7)


# Residuals, pulls and nuisance parameters


def test_residuals_add_up_and_point_downhill():
    likelihood, term = csi()
    c = random_points(50)
    residuals = likelihood.residuals(c, wall=1.0)
    assert residuals.shape == (50, 81 + 4)
    chi2 = likelihood.chi2(c)
    np.testing.assert_allclose((residuals**2).sum(axis=1), chi2, rtol=1e-10)
    np.testing.assert_allclose(likelihood.chi2_by_term(c)["coherent_csi_2021"], chi2, rtol=1e-12)
    np.testing.assert_allclose(likelihood.log_likelihood(c), -chi2 / 2, rtol=1e-12)
    # Half the gradient of chi2 is that of the residuals.
    g, h = 3e-5, 1e-9
    near = charged(10.0, g + np.array([-h, 0, h]), B_MINUS_L)
    before, at, after = term.residuals_of(term.datum, term.expectation(near))
    low, _, high = term.chi2(near)
    assert 2 * at @ (after - before) / (2 * h) == pytest.approx((high - low) / (2 * h), rel=1e-5)


def test_pull_is_that_of_the_strength_of_the_signal():
    _, term = csi()
    pull = term.pull(Couplings.none())[0]
    assert pull == pytest.approx((term.value - 1) / term.error, abs=0.01)
    more, less = term.pull(charged(10.0, np.array([6e-5, 0]), B_MINUS_L))
    assert more < -2
    assert less == pytest.approx(pull)
    assert term.pull(charged(10.0, 3e-5, UNIVERSAL))[0] > 2
    # The least chi2 is that of the best strength.
    scaled = [least_chi2(term, term.value * term.expectation(Couplings.none())[0])]
    assert scaled[0] < term.chi2(Couplings.none())[0]


def test_counts_of_one_bin_without_errors_are_a_plain_poisson_term():
    c = charged(10.0, np.geomspace(1e-6, 1e-4, 20), B_MINUS_L)
    ratio = find_observable("coherent_csi")

    def events(c: Couplings) -> np.ndarray:
        return 30 * ratio.function(c)[:, None]

    signal = Observable("one bin", ratio.function, Group.OTHER, spectrum=events)
    term = BinnedTerm("one", signal, (50.0,), ((12.0,),), (1e-6, 1e-6))
    plain = CountsTerm("plain", ratio, 50, 30.0, 12.0)
    np.testing.assert_allclose(term.chi2(c), plain.chi2(c), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(term.pull(c), plain.pull(c), rtol=1e-4, atol=1e-4)
    assert term.value == pytest.approx(plain.value)
    assert term.error == pytest.approx(plain.error, rel=1e-6)


def test_shared_flux_is_profiled_together():
    """Minimise over the flux by hand, in the argon ratio and in the signal in CsI."""
    both = chosen("coherent_lar_2020", "coherent_csi_2021").likelihood
    _, term = csi()
    flux, own = 0.10, 0.0663
    # The scale of the signal has the error of both.
    assert term.scale_errors[0] == pytest.approx(np.hypot(flux, own))
    for c in (Couplings.none(), charged(10.0, 4e-5, B_MINUS_L), charged(30.0, 3e-5, UNIVERSAL)):
        ratio = float(find_observable("coherent_lar").function(c)[0])
        signal = term.expectation(c)[0]

        def chi2(parameters: np.ndarray, ratio=ratio, signal=signal) -> float:
            theta, free, *rest = parameters
            scales = np.exp(rest)
            expected = (1 + flux * theta + own * free) * signal + scales @ np.array(
                term.backgrounds
            )
            priors = np.sum(((scales - 1) / np.array(term.scale_errors[1:])) ** 2)
            argon = ((1.24 - ratio - flux * theta) / 0.367) ** 2
            poisson = deviance(np.array(term.observed), np.maximum(expected, 1e-9))
            return poisson + float(priors) + theta**2 + free**2 + argon

        first = minimize(chi2, np.zeros(5), method="Nelder-Mead", options={"maxfev": 6000})
        least = minimize(chi2, first.x, method="BFGS", options={"gtol": 1e-7}).fun
        assert both.chi2(c)[0] == pytest.approx(least, abs=1e-5)
        parts = sum(v[0] for v in both.chi2_by_term(c).values())
        assert parts == pytest.approx(least, abs=1e-5)
        squares = (both.residuals(c, wall=1.0) ** 2).sum()
        assert squares == pytest.approx(least, abs=1e-5)


def test_widths_of_shared_nuisances():
    names = ("coherent_lar_2020", "coherent_csi_2021")
    without = chosen(*names, nuisances={"sns_flux": 0.0}).likelihood
    assert without.shared_scales == ()
    argon, binned = without.measurements
    assert argon.error == pytest.approx(0.367)
    assert binned.scale_errors[0] == pytest.approx(0.0663)
    wide = chosen(*names, nuisances={"sns_flux": 2.0}).likelihood
    assert wide.measurements[1].scale_errors[0] == pytest.approx(np.hypot(0.2, 0.0663))
    with pytest.raises(InvalidInput, match="did you mean 'sns_flux'"):
        chosen("coherent_csi_2021", nuisances={"sns_flus": 1.0})


def test_without_the_couplings_all_points_cost_one():
    likelihood = chosen("coherent_csi_2021", "coherent_lar_2020", "conus_plus_2025").likelihood
    c = Couplings.of(m_Zp=np.linspace(10, 100, 5000), C_Ve=1e-4, C_nue=1e-5)
    chi2 = likelihood.chi2(c)
    assert np.ptp(chi2) == 0
    assert chi2[0] == pytest.approx(likelihood.chi2(Couplings.none())[0], rel=1e-12)
    # The search sees one residual instead of 85, for any number of points and any data.
    for points in (c, c.take(slice(0, 1))):
        residuals = likelihood.residuals(points, 1.0)
        assert residuals.shape == (len(points), 3)
        np.testing.assert_allclose((residuals**2).sum(axis=1), chi2[0], rtol=1e-12)
    drawn = pseudo_data(likelihood, predictions(likelihood, Couplings.none()), 2, range(4))
    squares = (likelihood.residuals(c.take(slice(0, 4)), 1.0, drawn) ** 2).sum(axis=1)
    for row, found in zip(drawn, squares, strict=True):
        again = likelihood.with_data(row)
        assert again.chi2(Couplings.none())[0] == pytest.approx(found, rel=1e-9)


def test_large_batches_agree_with_single_points():
    likelihood, _ = csi()
    c = random_points(3000)
    chi2 = likelihood.chi2(c)
    for index in (0, 1023, 1024, 2999):
        alone = likelihood.chi2(c.take(np.array([index])))[0]
        assert chi2[index] == pytest.approx(alone, rel=1e-10)
    for none in (c.take(slice(0, 0)), Couplings.none().take(slice(0, 0))):
        assert likelihood.chi2(none).shape == (0,)


@pytest.mark.parametrize("change", [0.0, 1e-6, 0.01, 0.3])
def test_chi2_at_scales_that_cannot_move_is_the_closed_form(change: float):
    usual = np.array([40.0, 20.0, 10.0])
    counts, background = np.array([52.0, 21.0, 0.0]), np.array([[5.0, 5.0, 5.0]])
    errors = np.array([1e-6, 1e-6])  # so that scales stay at 1
    start = LinearStart.around(usual, counts, background, errors**-2.0, np.ones(2))
    signal = usual * [1 + change, 1 - change / 2, 1.0]
    bins, pulls, chi2 = profiled_residuals(
        signal[None],
        counts,
        background,
        np.ones(1),
        errors,
        *start.arguments(),
    )
    mu = signal + 5.0
    shares = 2 * (mu - counts + xlogy(counts, counts / mu))
    np.testing.assert_allclose(bins[0], np.copysign(np.sqrt(shares), counts - mu), rtol=1e-8)
    assert chi2[0] == pytest.approx(shares.sum(), rel=1e-9)
    assert np.abs(pulls).max() < 1e-4


def test_a_negative_expectation_has_no_chi2():
    counts, background = np.array([52.0, 21.0]), np.array([[5.0, 5.0]])
    errors, usual = np.array([0.1, 0.1]), np.array([40.0, 20.0])
    start = LinearStart.around(usual, counts, background, errors**-2.0, np.ones(2))
    with np.errstate(all="ignore"):
        bins, _, chi2 = profiled_residuals(
            np.array([-usual, [-200.0, 20.0], usual]),
            counts,
            background,
            np.ones(3),
            errors,
            *start.arguments(),
        )
    assert np.isnan(chi2[:2]).all()
    assert np.isnan(bins[:2]).all()
    assert np.isfinite(chi2[2])


def test_absurd_signals_are_excluded_without_failure():
    likelihood, _ = csi()
    chi2 = likelihood.chi2(charged(10.0, np.array([1e-2, 1.0, 1e4]), B_MINUS_L))
    assert np.all(np.isfinite(chi2))
    assert np.all(chi2 > 120)
    with np.errstate(all="ignore"):
        assert np.isnan(likelihood.chi2(charged(10.0, np.array([np.nan]), B_MINUS_L))).all()


@pytest.mark.parametrize("size", [1e2, 1e5, 1e9])
@pytest.mark.parametrize("weight", [0.0, 100.0])
def test_large_signals_start_at_their_scale(size, weight):
    """It solves S - N/s + (s - 1) weight = 0 with the N events that the background leaves."""
    counts, templates = np.array([44.0, 39.0, 22.0]), np.array([[0.3, 0.3, 0.4], [5.0, 10.0, 5.0]])
    templates[0] *= size
    scales, centres, weights = np.array([0.1, 0.1]), np.ones(2), np.array([weight, 4.0])
    start = getattr(_start_at_large_signal, "py_func", _start_at_large_signal)
    start(counts, templates, centres, weights, scales)
    least = brentq(lambda s: size - 85 / s + weight * (s - 1), 1e-12, 1.0, xtol=1e-18)
    assert scales.tolist() == pytest.approx([least, 1.0])


def test_scales_without_data_or_prior_stay_where_they_are():
    empty = np.zeros((1, 2))
    empty, ones = np.zeros((1, 2)), np.ones((1, 2))
    with np.errstate(all="ignore"):
        unknown = np.full((2, 2), np.nan)
        weights = np.array([0, 4.0])
        scales, _ = profiled_scales(empty, ones, ones, ones, weights, ones, unknown)
    assert scales[0, 0] == 1
    assert scales[0, 1] == pytest.approx(1, abs=1e-9)


def test_linear_start_is_exact_to_first_order():
    signal, background = np.array([30.0, 10.0, 5.0]), np.array([[20.0, 25.0, 15.0]])
    counts, weights = np.array([44.0, 39.0, 22.0]), np.array([60.0, 90.0])
    start = LinearStart.around(signal, counts, background, weights, np.ones(2))
    for size, most in ((1e-2, 1e-4), (1e-3, 1e-6)):
        signals = signal * (1 + size * np.array([[1.0, -0.5, 0.3]]))
        centres = np.array([[1 + size, 1 - size]])
        unknown = np.full((2, 2), np.nan)
        linear = start.scales(signals, centres)
        exact, expected = profiled_scales(
            signals, counts[None], background, centres, weights, linear, unknown
        )
        np.testing.assert_allclose(linear, exact, rtol=0, atol=most)
        np.testing.assert_allclose(
            expected, exact[:, :1] * signals + exact[:, 1:] @ background, rtol=1e-14
        )
        short, _ = profiled_scales(
            signals, counts[None], background, centres, weights, linear, start.inverse_hessian
        )
        np.testing.assert_allclose(short, exact, rtol=0, atol=1e-7)


# Pseudo-experiments


def test_toys_scatter_with_poisson_numbers_and_scales():
    likelihood = chosen("coherent_csi_2021", "coherent_lar_2020").likelihood
    truth = predictions(likelihood, Couplings.none())
    assert truth.shape == likelihood.data.shape == (82,)
    assert likelihood.noise == 81 + 4 + 1
    n = 4000
    drawn = pseudo_data(likelihood, truth, 1, range(n))
    counts, argon = drawn[:, :81], drawn[:, 81]
    assert np.all(counts == np.round(counts))
    _, term = csi()
    errors = np.array(term.scale_errors)
    totals = np.array([truth[:81].sum(), *np.sum(term.backgrounds, axis=1)])
    variance = totals.sum() + np.sum((errors * totals) ** 2)
    limit = norm.isf(RARE / 6)
    total = counts.sum(axis=1)
    assert abs(total.mean() - totals.sum()) < limit * np.sqrt(variance / n)
    assert abs(total.var() / variance - 1) < limit * np.sqrt(2 / n) * 1.05
    # The flux is the same for both detectors.
    common = 0.1 * totals[0] * 0.1
    expected = common / np.sqrt(variance * (0.367**2 + 0.01))
    assert abs(np.corrcoef(total, argon)[0, 1] - expected) < limit / np.sqrt(n)
    # Draws depend on their own numbers alone.
    np.testing.assert_array_equal(pseudo_data(likelihood, truth, 1, range(7, 9)), drawn[7:9])


def test_chi2_of_toys_at_their_truth():
    """Its mean is about the number of data; few of them are in bins with less than five events."""
    likelihood = chosen("coherent_csi_2021", "coherent_lar_2020").likelihood
    n = 1000
    drawn = pseudo_data(likelihood, predictions(likelihood, Couplings.none()), 2, range(n))
    c = Couplings.none().take(np.zeros(n, dtype=np.intp))
    squares = (likelihood.residuals(c, 1.0, drawn) ** 2).sum(axis=1)
    assert squares.mean() == pytest.approx(82, abs=4)
    again = likelihood.with_data(drawn[3])
    assert again.chi2(Couplings.none())[0] == pytest.approx(squares[3], rel=1e-9)
    np.testing.assert_array_equal(again.data, drawn[3])
    pulls = likelihood.pulls(c, drawn)
    assert len(pulls) == 2
    assert np.std(pulls[0]) == pytest.approx(1, abs=0.12)


def test_names_of_data_tell_bins_apart():
    likelihood = chosen("coherent_lar_2020", "coherent_csi_2021").likelihood
    names = likelihood.data_names
    assert names[:2] == ["coherent_lar_2020", "coherent_csi_2021[0]"]
    assert len(set(names)) == len(likelihood.data) == 82
    with pytest.raises(ValueError, match="82 data are needed, not 2"):
        likelihood.with_data(np.zeros(2))


class Strength(Model):
    """Model of a signal of a free strength in ten bins."""

    name = "strength"
    parameters = (Parameter("x", "x"), Parameter("y", "y"))

    def couplings(self, values):
        zero = np.zeros(len(values["x"]))
        return Couplings(m_Zp=zero + 17.0, C_nue=values["x"], C_numu=values["y"])


FALLING = 40 * np.exp(-np.arange(10) / 3)
FLAT = np.full(10, 8.0)


def strength_events(c: Couplings) -> np.ndarray:
    return np.outer(1 + c.C_nue, FALLING) + np.outer(c.C_numu**2, FLAT)


def strength(c: Couplings) -> np.ndarray:
    return strength_events(c).sum(axis=1) / FALLING.sum()


def strength_posterior(y=Uniform(lower=-1, upper=1)) -> Posterior:  # noqa: B008
    signal = Observable("strength", strength, Group.SCATTERING, spectrum=strength_events)
    observed = tuple(float(round(x)) for x in 1.3 * FALLING + 3 + 0.4 * FLAT)
    term = BinnedTerm("mine", signal, observed, (tuple(np.full(10, 3.0)),), (0.05, 0.1))
    gaussian = GaussianTerm("sum", Observable("x", lambda c: c.C_nue, Group.OTHER), 0.2, 0.3)
    priors = Priors({"x": Uniform(lower=-0.9, upper=2), "y": y})
    return Posterior(Strength(), priors, Likelihood("toy", (term, gaussian), ()))


def test_search_finds_the_best_fit():
    posterior = strength_posterior()

    def chi2(x: np.ndarray) -> float:
        c = Couplings.of(m_Zp=17.0, C_nue=x[0], C_numu=x[1])
        return float(posterior.likelihood.chi2(c)[0])

    expected = min(
        minimize(chi2, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9}).fun
        for start in ([0.0, 0.5], [0.5, 0.1])
    )
    rng = np.random.default_rng(1)
    starts = rng.random((50, 2))
    found = find_minimum(
        posterior.residuals, lambda u: -2 * posterior.log_likelihood(u), starts, rng
    )
    assert found.chi2 == pytest.approx(expected, abs=1e-6)


def test_toys_of_binned_counts_are_refitted():
    posterior = strength_posterior(Fixed(value=0.0))
    truth = predictions(posterior.likelihood, Couplings.none())
    options = RefitOptions(training=20, random_starts=400, training_rounds=2)
    rng = np.random.default_rng(2)
    pool = solution_pool(posterior, truth, rng, options)
    data = pseudo_data(posterior.likelihood, truth, 3, range(20))
    fits = refit(posterior, pool, data, rng, options)
    for row, found in zip(data, fits.chi2, strict=True):
        likelihood = posterior.likelihood.with_data(row)
        x = np.linspace(-0.6, 1.0, 4001)
        grid = likelihood.chi2(Couplings.of(m_Zp=17.0, C_nue=x))
        assert found == pytest.approx(grid.min(), abs=1e-4)


@pytest.mark.slow
def test_bins_measure_more_directions_than_their_sum():
    """Signal and flat part have different shapes, so that ten bins measure both."""
    posterior = strength_posterior(Uniform(lower=0.1, upper=1))
    rng = np.random.default_rng(1)
    starts = rng.random((20, 2))

    def chi2(u: np.ndarray) -> np.ndarray:
        return -2 * posterior.log_likelihood(u)

    best = find_minimum(posterior.residuals, chi2, starts, rng)
    goodness = parameter_goodness(posterior, best, starts, rng)
    assert goodness.rank_together == 2
    assert goodness.by_group["scattering"].rank == 2
    assert goodness.by_group["other"].rank == 1
