"""Likelihoods with more peaks than the first search keeps, and what is said of peaks not met."""

from dataclasses import replace

import numpy as np
import pytest
from closed_forms import CROWDS, ClosedForm, crowd

from zpfit.errors import PoorProposal
from zpfit.inference.samplers import vegas
from zpfit.inference.samplers.engine import SamplingTask
from zpfit.inference.samplers.importance import Target, integrate
from zpfit.inference.samplers.more_peaks import of_one_map
from zpfit.inference.samplers.peak_census import (
    Census,
    Ends,
    Measured,
    log_unseen,
    log_unseen_if_alike,
)
from zpfit.inference.samplers.peak_search import Peak, PeakOptions, fitted, peak_at, same_peaks
from zpfit.inference.samplers.peaks import add_peaks
from zpfit.inference.samplers.proposal_map import Gap, HistogramMap, MixtureMap

LIMIT = 4.0
"""Stated errors by which ln Z may differ from its closed form."""
FEW = PeakOptions(batch=5_000, prior_batches=2, map_batches=1, fitted=500, pilot=5_000)


def flat_maps(dimension: int) -> MixtureMap:
    return MixtureMap((HistogramMap((np.linspace(0, 1, 9),) * dimension),) * 2)


def task_of(problem: ClosedForm) -> SamplingTask:
    return SamplingTask(problem.log_likelihood, problem.dimension, 1000)


def small_integral(problem, options, seed=1):
    rng = np.random.default_rng(seed)
    mixture = add_peaks(task_of(problem), flat_maps(problem.dimension), rng, options=options)
    target = Target(0.02, 1000, 100_000)
    return mixture, integrate(problem.log_likelihood, mixture, rng, target, batch=10_000)


def off(problem, integral):
    """Difference of ln Z from its closed form, in stated errors."""
    return abs(integral.evidence.log_z - problem.log_z) / integral.evidence.error


# ln Z against closed forms


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", CROWDS)
def test_no_evidence_of_many_peaks_is_silently_wrong(name, seed):
    problem = CROWDS[name](seed)
    rng = np.random.default_rng(seed)
    try:
        _, integral = vegas.adapt_and_integrate(task_of(problem), vegas.VegasOptions(), rng)
    except PoorProposal:
        return
    assert off(problem, integral) < LIMIT
    if "equal" in name:
        assert not integral.shortcomings
        assert integral.evidence.error < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_few_evaluations_miss_no_peak_silently(seed):
    """Few ascents meet each peak only five times, and some not at all, though none just once."""
    problem, options = crowd(12, 30, (0.02, 0.02)), vegas.VegasOptions(max_evaluations=30_000)
    rng = np.random.default_rng(seed)
    _, integral = vegas.adapt_and_integrate(task_of(problem), options, rng)
    assert integral.shortcomings or off(problem, integral) < LIMIT


def test_more_equal_peaks_than_the_first_search_keeps_are_integrated():
    problem = crowd(4, 20, (0.01, 0.01))
    mixture, integral = small_integral(problem, FEW)
    assert len(mixture.peaks) == 20
    assert not mixture.gaps
    assert not integral.shortcomings
    assert off(problem, integral) < LIMIT


# Peaks that are left out or were not met


def test_peaks_beyond_the_limit_are_reported_with_their_size():
    """Eighteen of twenty equal peaks fit, so that ln Z lacks ln(20/18)."""
    problem = crowd(4, 20, (0.01, 0.01))
    _, integral = small_integral(problem, replace(FEW, limit=18))
    [text] = integral.shortcomings
    assert "more separate peaks than the proposal takes" in text
    # The peaks that are left out are those whose draws happen to weigh least.
    assert any(f"with them ln Z would be about 0.{size}" in text for size in ("08", "09", "1"))
    assert integral.evidence.error == pytest.approx(np.log(20 / 18), rel=0.2)
    assert off(problem, integral) < LIMIT


def test_a_search_that_ends_too_early_says_what_it_may_lack():
    """A few starts cannot meet fifty peaks twice."""
    problem = crowd(4, 50, (0.004, 0.004))
    _, integral = small_integral(problem, replace(FEW, starts=6, rounds=1))
    assert problem.log_z - integral.evidence.log_z > 0.05
    assert any("others were probably not met" in text for text in integral.shortcomings)
    assert off(problem, integral) < LIMIT


def test_a_peak_that_only_one_map_draws_is_added_for_the_other():
    """A peak of 1e-3 in a plane: ln(L/Z) is 12 at its summit, and the density of a map 1 or e^8."""
    flat, narrow = (
        HistogramMap((np.array(edges),) * 2)
        for edges in ([0, 1], [0, *np.linspace(0.295, 0.305, 53), 1])
    )
    one = peak(0.3, 1e-3, height=-np.log(2 * np.pi * 1e-6))

    def added(*maps, peaks=()):
        proposal = MixtureMap(maps).with_peaks(peaks, [0.1] * len(peaks))
        return of_one_map([one], proposal, 0.0)

    assert added(flat, narrow) == added(narrow, flat) == [one]
    assert added(narrow, narrow) == []
    assert added(flat, flat) == []  # it stands alone
    assert added(flat, narrow, peaks=[one.map]) == []
    light = peak(0.3, 1e-3, height=-np.log(2 * np.pi * 1e-6) - 9)
    assert of_one_map([light], MixtureMap((flat, narrow)), 0.0) == []


@pytest.mark.parametrize("rise", [0.003, 0.5])
def test_a_gap_counts_in_the_error_if_it_matters(rise):
    """ln Z of the flat likelihood is 0."""
    gap = Gap(float(np.log(np.expm1(rise))), "a gap")
    mixture = replace(flat_maps(2), gaps=(gap,))
    target = Target(0.01, 100, 30_000)
    rng = np.random.default_rng(1)
    integral = integrate(lambda u: np.zeros(len(u)), mixture, rng, target, batch=5_000)
    assert bool(integral.shortcomings) == (rise > 0.1)
    if integral.shortcomings:
        assert "a gap; with them ln Z would be about 0.5 higher" in integral.shortcomings[0]
        assert integral.evidence.error == pytest.approx(rise, abs=0.01)


# The census


def peak(centre, sd=0.01, height=0.0):
    """Return a round peak in two dimensions."""
    return peak_at(np.full(2, centre), height, np.eye(2) / sd**2, np.zeros(2))


def census_of(*peaks: tuple[Peak, int]) -> Census:
    """Return a census of peaks and the numbers of their first captures."""
    measured = tuple(Measured(one, np.empty((0, 2)), np.empty(0)) for one, _ in peaks)
    masses = tuple(one.log_mass for one, _ in peaks)
    return Census(measured, masses, (2,) * len(peaks), tuple(since for _, since in peaks))


def test_the_estimate_of_unseen_peaks_agrees_with_draws_of_equal_peaks():
    """Captures of 50 equal peaks, eighty at a time: about 50 exp(-1.6) = 10 remain unseen."""
    rng = np.random.default_rng(1)
    estimates, unseen = [], []
    for _ in range(300):
        counts = np.bincount(rng.integers(50, size=80), minlength=50)
        once = [0.0] * int(np.sum(counts == 1))
        estimates.append(np.exp(log_unseen(once, int(np.sum(counts == 2)))))
        unseen.append(np.sum(counts == 0))
    assert np.mean(unseen) == pytest.approx(50 * 0.98**80, rel=0.05)
    assert np.mean(estimates) == pytest.approx(np.mean(unseen), rel=0.2)


@pytest.mark.parametrize("draws", [100, 250])
def test_the_estimate_for_peaks_met_alike_agrees_with_draws(draws):
    """With many captures of 50 equal peaks few are met once, and 50 exp(-draws/50) not at all."""
    rng = np.random.default_rng(1)
    estimates, unseen = [], []
    for _ in range(300):
        counts = np.bincount(rng.integers(50, size=draws), minlength=50)
        met = counts[counts > 0]
        estimates.append(len(met) * np.exp(log_unseen_if_alike(met.mean())))
        unseen.append(np.sum(counts == 0))
    assert np.mean(unseen) == pytest.approx(50 * 0.98**draws, rel=0.2)
    assert np.mean(estimates) == pytest.approx(50 * 0.98**draws, rel=0.2)


@pytest.mark.parametrize("once", [0, 1])
def test_few_peaks_met_once_are_no_sign_of_others(once):
    assert log_unseen([0.0] * once, 0) == -np.inf


def test_ends_near_one_summit_are_one_peak():
    ends = [peak(0.3, height=-0.1), peak(0.7), peak(0.3005)]
    assert same_peaks(ends) == [[1], [2, 0]]
    assert same_peaks(ends, 1) == [[1]]


def test_captures_of_a_peak_are_counted_once_for_draws_of_one_batch():
    problem = crowd(2, 2, (1e-3, 1e-3), seed=3)
    rng, task = np.random.default_rng(1), task_of(problem)

    def measure(one):
        return Measured.of(fitted(task.log_likelihood, one, rng, 500), rng)

    height = -np.log(2 * 2 * np.pi * 1e-6)
    means = np.random.default_rng(3).uniform(0.15, 0.85, (2, 2))
    found = [peak_at(mean, height, np.eye(2) * 1e6, np.zeros(2)) for mean in means]
    first = Ends().with_more([found[0]] * 3, np.arange(3))
    ends = first.with_more([found[1]] * 3, np.zeros(3, dtype=int))
    census = Census.of(ends, flat_maps(2), 0.0, measure)
    assert sorted(census.times) == [1, 3]
    assert np.allclose(census.log_masses, -np.log(2), atol=0.1)
    assert census.log_new(first.next_capture) == pytest.approx(-np.log(2), abs=0.1)


def test_narrower_peaks_that_are_met_later_are_a_sign_of_others():
    wide = [(peak(0.1 * k, 0.03), k) for k in range(5)]
    later = [(peak(0.1 * k, 0.01), 10 + k) for k in range(3)]
    census = census_of(*wide, *later)
    assert census.log_narrower(10) == pytest.approx(np.log(2 * np.pi * (5 * 9e-4 + 3e-4)))
    assert census.log_narrower(20) == -np.inf
    assert census_of(*wide, (peak(0.9, 0.03), 10)).log_narrower(10) == -np.inf
