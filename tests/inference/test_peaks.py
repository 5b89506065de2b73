"""Modes that vegas's maps miss, and what is said if they are missed after all."""

from unittest.mock import patch

import numpy as np
import pytest
from closed_forms import (
    CLOSED_FORMS,
    ClosedForm,
    gaussian,
    gaussians,
    mirror_modes,
    slab_and_spike,
    spike_on_plateau,
    thin_beside_broad,
)
from scipy.spatial import cKDTree
from scipy.stats import multivariate_t

from zpfit.errors import PoorProposal
from zpfit.inference.samplers import peaks, vegas
from zpfit.inference.samplers.engine import SamplingTask
from zpfit.inference.samplers.importance import Target, integrate
from zpfit.inference.samplers.peak_census import Ends
from zpfit.inference.samplers.peak_search import EvenlySpread, PeakOptions
from zpfit.inference.samplers.peaks import add_peaks
from zpfit.inference.samplers.proposal_map import EvenMap, HistogramMap, MixtureMap
from zpfit.inference.samplers.proposal_peak import PeakMap
from zpfit.inference.samplers.result import Evidence, WeightedSamples
from zpfit.inference.samplers.unsampled import missing_weight
from zpfit.inference.samplers.vegas_map import MapOptions, adapt_maps

LIMIT = 4.0
"""Stated errors by which ln Z may differ from its closed form."""
FEW = PeakOptions(batch=10_000, prior_batches=4, map_batches=2, starts=30, fitted=1000, pilot=5_000)


def task_of(problem):
    return SamplingTask(problem.log_likelihood, problem.dimension, 2000)


def small_maps(problem, seed=1):
    rng = np.random.default_rng(seed)
    return adapt_maps(
        problem.log_likelihood, problem.dimension, 2, rng, options=MapOptions(batch=5_000)
    )


def small_integral(problem, mixture, seed=3):
    target = Target(0.02, 1000, 100_000)
    rng = np.random.default_rng(seed)
    return integrate(problem.log_likelihood, mixture, rng, target, batch=10_000)


def with_peaks(problem, seed=1, maps=None):
    maps = small_maps(problem, seed) if maps is None else maps
    return add_peaks(task_of(problem), maps, np.random.default_rng(seed), options=FEW)


def off(problem, integral):
    """Difference of ln Z from its closed form, in stated errors."""
    return abs(integral.evidence.log_z - problem.log_z) / integral.evidence.error


# ln Z against closed forms

FAST = (
    "thin at the image, 2d",
    "thin at the image, 5d",
    "mirror modes, 6d",
    "equicorrelated 0.99, 6d",
    "4 modes, 4d",
    "spike on a plateau, 3d",
)


@pytest.mark.parametrize("name", FAST)
def test_modes_that_maps_miss_are_integrated(name):
    problem = CLOSED_FORMS[name]
    integral = small_integral(problem, with_peaks(problem))
    assert not integral.shortcomings
    assert off(problem, integral) < LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_no_evidence_is_silently_wrong(name, seed):
    """A run with shortcomings may be imprecise, and its stated error must say so."""
    problem = CLOSED_FORMS[name]
    rng = np.random.default_rng(seed)
    options = vegas.VegasOptions()
    try:
        _, integral = vegas.adapt_and_integrate(task_of(problem), options, rng, effective=5000)
    except PoorProposal:
        return
    assert off(problem, integral) < LIMIT


@pytest.mark.parametrize("problem", [thin_beside_broad(5, 4e-3), spike_on_plateau(3, 2e-3)])
def test_without_peaks_a_thin_mode_is_lost_without_a_trace(problem):
    """Negative control: the cases above are hard."""
    integral = small_integral(problem, small_maps(problem, seed=4))
    assert not integral.shortcomings
    assert off(problem, integral) > 100


def test_leaving_the_peaks_out_of_the_density_is_caught():
    """Negative control: draws of peaks weighted by the maps' density alone."""
    problem = slab_and_spike(6)
    mixture = with_peaks(problem)
    assert mixture.peaks

    def maps_alone(self, densities):
        return np.log(densities[: len(self.maps)].mean(axis=0) + self.prior_share)

    with patch.object(MixtureMap, "mix", maps_alone):
        assert off(problem, small_integral(problem, mixture)) > 5 * LIMIT


def test_a_smooth_posterior_gets_no_useless_peaks():
    def log_likelihood(u):
        return np.where(np.abs(u - 0.5).max(axis=1) < 0.2, 0.0, -np.inf)

    problem = ClosedForm(3, log_likelihood, 3 * np.log(0.4))
    assert not with_peaks(problem).peaks


def test_starts_of_the_run_file_lead_to_a_spike_that_nothing_else_meets():
    spike = np.array([0.3, 0.61, 0.47, 0.83, 0.2, 0.7])
    problem = gaussians(6, (1.0, 0.5, 0.1), (1.0, spike, 1e-4))
    start = spike + 2e-4
    task = SamplingTask(problem.log_likelihood, 6, 2000, starts=(start,))
    mixture = add_peaks(task, small_maps(problem), np.random.default_rng(1), options=FEW)
    assert off(problem, small_integral(problem, mixture)) < LIMIT


def test_residuals_lead_through_excluded_regions_to_a_peak():
    """The likelihood is finite in two small boxes; a start in neither descends into both."""
    centres, sd = np.array([[0.2, 0.3, 0.4], [0.7, 0.81, 0.62]]), 1e-3

    def nearest(u):
        distance = np.abs(u[:, None] - centres).max(axis=2)
        return centres[np.argmin(distance, axis=1)], distance.min(axis=1)

    def residuals(u, wall):
        centre, distance = nearest(u)
        beyond = wall * np.maximum(distance - 0.02, 0)
        return np.column_stack([(u - centre) / sd, beyond])

    def log_likelihood(u):
        centre, distance = nearest(u)
        return np.where(distance < 0.02, gaussian(u - centre, 0.0, sd), -np.inf)

    problem = ClosedForm(3, log_likelihood, np.log(2))
    only_first = HistogramMap(tuple(np.array([0.0, c - 0.02, c + 0.02, 1.0]) for c in centres[0]))
    maps = MixtureMap((only_first, only_first))
    task = SamplingTask(log_likelihood, 3, 2000, residuals=residuals)
    mixture = add_peaks(task, maps, np.random.default_rng(1), options=FEW)
    assert off(problem, small_integral(problem, mixture)) < LIMIT


def test_discrete_axes_keep_their_steps():
    """Four steps of the first axis; the second is smooth, and narrow in one step alone."""

    def log_likelihood(u):
        third = np.floor(u[:, 0] * 4) == 2
        return np.where(third, gaussian(u[:, 1:], 0.4, 1e-4), -3.0)

    problem = ClosedForm(2, log_likelihood, np.log(0.25 + 0.75 * np.exp(-3)))
    task = SamplingTask(log_likelihood, 2, 2000, step_width=np.array([0.25, 0.0]))
    mixture = add_peaks(task, small_maps(problem), np.random.default_rng(1), options=FEW)
    assert mixture.peaks
    assert off(problem, small_integral(problem, mixture)) < LIMIT


def test_points_that_seek_peaks_leave_smaller_gaps_than_random_ones():
    """A disc that holds two of 20,000 points on average is empty for one in seven random sets."""
    n, radius = 20_000, np.sqrt(2 / (20_000 * np.pi))
    rng = np.random.default_rng(2)
    spread = EvenlySpread.over(2, n // 4, rng)
    even = np.vstack([spread.batch(i) for i in range(4)])
    assert np.all((even >= 0) & (even < 1))
    centres = rng.random((2000, 2))

    def empty(points):
        return np.mean(cKDTree(points, boxsize=1).query(centres)[0] > radius)

    assert empty(even) < 0.03
    assert empty(rng.random((n, 2))) > 0.1


# Mirror images


def one_mode(dimension, mean=0.3):
    edges = np.concatenate([[0.0], np.linspace(mean - 0.1, mean + 0.1, 200), [1.0]])
    return HistogramMap((edges,) * dimension)


def test_an_even_likelihood_gets_images_of_its_maps_and_peaks():
    problem = mirror_modes(4, 0.03)
    mixture = with_peaks(problem, maps=MixtureMap((one_mode(4),) * 2))
    assert all(isinstance(component, EvenMap) for component in mixture.maps)
    without = mixture.with_peaks((), ())
    integral = small_integral(problem, without)
    assert off(problem, integral) < LIMIT
    assert not integral.shortcomings


def test_an_even_likelihood_gets_the_image_of_a_peak_whose_partner_was_missed():
    """The search returns one of two equal modes, and the flat maps meet neither."""
    problem = mirror_modes(2, 1e-4)
    maps = MixtureMap((HistogramMap((np.linspace(0, 1, 9),) * 2),) * 2)
    search = peaks._searched

    def first_alone(*arguments):
        found, _ = search(*arguments)
        return found[:1], Ends()

    with patch.object(peaks, "_searched", first_alone):
        mixture = with_peaks(problem, maps=maps)
    first, second = (peak.centre for peak in mixture.peaks)
    np.testing.assert_allclose(first, 1 - second, atol=1e-9)
    assert off(problem, small_integral(problem, mixture)) < LIMIT


def test_only_the_axes_that_change_signs_are_reversed():
    def log_likelihood(u):
        return gaussian(u[:, :1], 0.8, 0.05) + np.logaddexp(
            gaussian(u[:, 1:], 0.3, 0.02), gaussian(u[:, 1:], 0.7, 0.02)
        )

    axes = np.array([False, True, True])
    maps = MixtureMap((HistogramMap((np.linspace(0, 1, 9), *one_mode(2).edges)),) * 2)
    task = SamplingTask(log_likelihood, 3, 2000, sign_axes=axes)
    mixture = add_peaks(task, maps, np.random.default_rng(1), options=FEW)
    assert all(component.axes.tolist() == axes.tolist() for component in mixture.maps)


def test_a_likelihood_that_is_nearly_even_gets_no_images():
    problem = gaussians(3, (1.0, 0.3, 0.02), (1.0001, 0.7, 0.02))
    mixture = with_peaks(problem, maps=MixtureMap((one_mode(3),) * 2))
    assert all(isinstance(component, HistogramMap) for component in mixture.maps)
    assert off(problem, small_integral(problem, mixture)) < LIMIT


# Densities


def test_the_density_of_a_peak_is_that_of_scipy_and_of_its_draws():
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]]) * 1e-4
    centre, steps = np.array([0.3, 0.55, 0.6]), np.array([0.0, 0.1, 0.0])
    peak = PeakMap(centre, covariance, steps)
    u = peak.draw(np.random.default_rng(1), 200_000)
    assert np.all(np.floor(u[:, 1] * 10) == 5)
    expected = multivariate_t(centre[[0, 2]], covariance, df=5).logpdf(u[:, [0, 2]]) + np.log(10)
    np.testing.assert_allclose(peak.log_density(u), expected, atol=1e-9)
    # The scale matrix times 5/3 is the covariance.
    np.testing.assert_allclose(np.cov(u[:, [0, 2]].T), covariance * 5 / 3, rtol=0.05)
    assert np.isneginf(peak.log_density(np.array([[0.3, 0.45, 0.6]])))[0]


def test_the_image_of_a_peak_has_the_density_at_image_points():
    peak = PeakMap(np.array([0.3, 0.6]), np.array([[4.0, 1.0], [1.0, 2.0]]) * 1e-3, np.zeros(2))
    axes = np.array([True, False])
    u = np.random.default_rng(1).random((50, 2))
    image = np.column_stack([1 - u[:, 0], u[:, 1]])
    np.testing.assert_allclose(peak.mirrored(axes).log_density(u), peak.log_density(image))


@pytest.mark.parametrize("seed", range(3))
def test_the_mixtures_density_integrates_to_one(seed):
    """The mean of 1/q over draws inside the cube is the cube's volume."""
    face = PeakMap(np.array([0.02, 0.5]), np.diag([1e-3, 1e-2]), np.zeros(2))
    maps = (EvenMap(one_mode(2), np.array([True, True])), one_mode(2, 0.6))
    mixture = MixtureMap(maps).with_peaks((face,), (0.4,))
    u, log_q = mixture.draw(np.random.default_rng(seed), 100_000)
    weight = np.where(np.all((u >= 0) & (u <= 1), axis=1), np.exp(-log_q), 0.0)
    assert abs(weight.mean() - 1) < LIMIT * weight.std() / np.sqrt(len(u))
    outside = 1 - np.mean(np.all((u >= 0) & (u <= 1), axis=1))
    assert outside > 0.05


# What is said if a mode is missed after all


def samples_of(problem, n=20_000, box=(0.0, 1.0)):
    """Weighted prior draws, from a part of the cube."""
    u = np.random.default_rng(5).uniform(*box, (n, problem.dimension))
    log_l = problem.log_likelihood(u)
    return WeightedSamples.normalised(u, log_l, log_l)


def found_missing(problem, best, log_z, samples=None):
    samples = samples_of(problem) if samples is None else samples
    rng, evidence = np.random.default_rng(2), Evidence(log_z, 0.001, 20_000)
    return missing_weight(task_of(problem), np.array(best), samples, evidence, rng)


@pytest.mark.parametrize("weight", [0.1, 1.0, 100.0])
def test_weight_at_the_best_fit_that_samples_lack_is_stated_with_its_size(weight):
    problem = gaussians(4, (1.0, 0.4, 0.1), (weight, 0.9, 1e-3))
    missing = found_missing(problem, [0.9] * 4, 0.0)
    # Within three standard deviations of four dimensions lie 93.9 %.
    assert missing.rise == pytest.approx(np.log1p(0.939 * weight), rel=0.03)
    assert f"{missing.rise:.2f} higher" in missing.shortcoming
    assert "best_fit.points" in missing.shortcoming


def test_a_best_fit_without_weight_is_no_shortcoming():
    problem = gaussians(4, (1.0, 0.4, 0.1), (0.01, 0.9, 1e-3))
    assert found_missing(problem, [0.9] * 4, 0.0) is None


@pytest.mark.parametrize("weight", [0.01, 1.0, 100.0])
def test_weight_that_samples_have_is_no_shortcoming(weight):
    problem = gaussians(2, (1.0, 0.4, 0.1), (weight, 0.9, 0.03))
    assert found_missing(problem, [0.9] * 2, problem.log_z) is None


def test_a_warned_run_states_its_largest_error():
    """Each map sees one of two modes: half of the distance of their values is the error."""
    problem = gaussians(2, (1.0, 0.3, 0.02), (3.0, 0.7, 0.02))
    narrow = MixtureMap((one_mode(2), one_mode(2, 0.7)))
    integral = small_integral(problem, narrow)
    assert integral.shortcomings
    assert integral.evidence.error == pytest.approx(0.5 * np.log(3), abs=0.05)


def test_a_model_without_smooth_axes_has_no_peaks():
    def log_likelihood(u):
        return np.where(np.floor(u[:, 0] * 4) == 2, 0.0, -3.0)

    steps = np.array([0.25])
    task = SamplingTask(log_likelihood, 1, 2000, step_width=steps)
    maps = MixtureMap((HistogramMap((np.linspace(0, 1, 5),)),) * 2)
    assert not add_peaks(task, maps, np.random.default_rng(1), options=FEW).peaks
    samples = samples_of(ClosedForm(1, log_likelihood, 0.0))
    evidence = Evidence(0.0, 0.01, 1000)
    best = np.array([0.6])
    assert missing_weight(task, best, samples, evidence, np.random.default_rng(1)) is None
