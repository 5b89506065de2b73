"""Compare ln Z and weighted samples with closed forms, with negative controls."""

from math import log, pi, sqrt
from unittest.mock import patch

import numpy as np
import pytest
from helpers_evidence import (
    LIMIT,
    NESTED,
    PROBLEMS,
    SEEDS,
    Problem,
    moment_pulls,
    nested,
    normal,
    plateau,
    pull,
    two_modes,
    vegas,
)
from helpers_samplers import first_fast

from zpfit.errors import NoAllowedPoint, PoorProposal
from zpfit.inference.samplers.engine import SamplingTask
from zpfit.inference.samplers.importance import Target, integrate
from zpfit.inference.samplers.proposal_map import HistogramMap, MixtureMap
from zpfit.inference.samplers.result import Samples
from zpfit.inference.samplers.vegas import VegasOptions, adapt_and_integrate
from zpfit.inference.samplers.vegas_map import adapt_maps

# vegas


FEW_SEEDS = range(3)
SLOW_FOR_VEGAS = ("gaussian 10d", "correlated")


def _slow_for_vegas(name):
    return pytest.param(name, marks=pytest.mark.slow) if name in SLOW_FOR_VEGAS else name


@pytest.mark.parametrize("name", [_slow_for_vegas(name) for name in PROBLEMS])
def test_vegas_agrees_with_closed_forms(name):
    problem = PROBLEMS[name]
    for seed in FEW_SEEDS:
        result = vegas(problem, seed)
        assert not result.shortcomings
        assert abs(pull(problem, result.evidence)) < LIMIT
        assert np.abs(moment_pulls(problem, result.samples)).max() < LIMIT


@pytest.mark.parametrize("limit", [3_000, 30_000])
@pytest.mark.parametrize("problem", [normal(0.3, 0.02, 1), normal(0.5, 0.05, 2), two_modes()])
def test_small_limits_of_evaluations_are_honest(problem, limit):
    """A hundredth of the usual draws gives ln Z with a larger error, which is still true."""
    task = SamplingTask(problem.log_likelihood, problem.dimension, 100)
    options = VegasOptions(max_evaluations=limit, error=0.1)
    found = [
        adapt_and_integrate(task, options, np.random.default_rng(seed))[1] for seed in range(8)
    ]
    assert not any(integral.shortcomings for integral in found)
    assert all(integral.evidence.evaluations <= limit for integral in found)
    pulls = np.array([pull(problem, integral.evidence) for integral in found])
    assert np.abs(pulls).max() < LIMIT
    assert 0.3 < pulls.std(ddof=1) < 2.0


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_vegas_pulls_over_many_seeds(name):
    """Errors of ln Z are neither too small nor too large, and ln Z has no bias."""
    problem = PROBLEMS[name]
    results = [vegas(problem, seed) for seed in SEEDS]
    assert all(not result.shortcomings for result in results)
    pulls = np.array([pull(problem, result.evidence) for result in results])
    assert 0.7 < pulls.std(ddof=1) < 1.4
    assert abs(pulls.mean()) < 3.5 / sqrt(len(pulls))
    moments = np.array([moment_pulls(problem, result.samples) for result in results])
    assert np.abs(moments).max() < LIMIT
    assert np.all(np.abs(moments.mean(axis=0)) < LIMIT / sqrt(len(moments)))


@pytest.mark.slow
def test_vegas_finds_a_plateau_of_one_part_in_a_hundred_thousand():
    problem = plateau(0.1)
    result = vegas(problem, 1, batch=100_000)
    assert not result.shortcomings
    assert abs(pull(problem, result.evidence)) < LIMIT
    assert np.abs(moment_pulls(problem, result.samples)).max() < LIMIT


@pytest.mark.parametrize("engine", ["vegas", "dynesty"])
def test_an_impossible_likelihood_is_an_error(engine):
    problem = Problem(2, lambda u: np.full(len(u), -np.inf), -np.inf)
    with pytest.raises(NoAllowedPoint, match="none of"):
        vegas(problem, 0) if engine == "vegas" else nested(problem, 0)


def test_leaving_out_the_proposal_density_is_caught():
    """Negative control: weights L instead of L/q must fail the same checks."""
    problem = PROBLEMS["gaussian 2d"]
    with patch.object(MixtureMap, "mix", lambda self, densities: 0 * densities[0]):
        result = vegas(problem, 1)
    assert abs(pull(problem, result.evidence)) > 10 * LIMIT
    assert np.abs(moment_pulls(problem, result.samples)).max() > 2 * LIMIT


# Missed modes and poor maps


def one_sided(low, high, dimension=2):
    """Return a map that covers almost only the box from ``low`` to ``high``."""
    edges = np.concatenate([[0.0], np.linspace(low, high, 10_000), [1.0]])
    return HistogramMap((edges,) * dimension)


LEFT, RIGHT, FLAT = one_sided(0.1, 0.3), one_sided(0.7, 0.9), HistogramMap((np.linspace(0, 1, 2),))


def hand_made(problem, maps, seed=1, *, batch=50_000, target=None):
    mixture = MixtureMap(tuple(maps))
    target = target or Target(0.05, 1000, 300_000)
    rng = np.random.default_rng(seed)
    return integrate(problem.log_likelihood, mixture, rng, target, batch=batch)


@pytest.mark.parametrize("seed", first_fast(1, 2, 3))
def test_what_one_map_misses_the_other_draws(seed):
    problem = two_modes()
    result = hand_made(problem, (LEFT, RIGHT), seed)
    assert abs(pull(problem, result.evidence)) < LIMIT
    assert np.abs(moment_pulls(problem, result.samples)).max() < LIMIT


def test_maps_that_disagree_are_reported_with_the_remedy():
    problem = two_modes()
    result = hand_made(problem, (LEFT, RIGHT))
    alone = [log_z - problem.log_z for log_z, _ in result.evidence.independent]
    assert alone == pytest.approx([log(0.25), log(0.75)], abs=0.05)
    [text] = result.shortcomings
    assert "independent adaptations of vegas disagree" in text
    assert "vegas.adaptations" in text
    assert "sampler.engine: dynesty" in text


def test_maps_that_agree_are_not_reported():
    both = one_sided(0.1, 0.9)
    assert not hand_made(two_modes(), (both, both)).shortcomings


def flat(dimension):
    return HistogramMap(FLAT.edges * dimension)


POOR = {
    "error": (normal(0.5, 0.1, 2), 10_000, Target(1e-4, 100, 30_000), "where 0.0001 was wanted"),
    "fraction": (normal(0.5, 0.02, 3), 100_000, Target(1, 10, 300_000), "draws are effective"),
    "share": (normal(0.5, 0.1, 2), 200, Target(1, 10, 300), "a single draw of vegas carries"),
}


@pytest.mark.parametrize("case", POOR)
def test_a_poor_integral_says_so_and_what_to_do(case):
    problem, batch, target, words = POOR[case]
    maps = [flat(problem.dimension)] * 2
    result = hand_made(problem, maps, batch=batch, target=target)
    [text] = [text for text in result.shortcomings if words in text]
    assert "raise vegas.max_evaluations, or use sampler.engine: dynesty" in text


def test_a_hopeless_map_is_an_error():
    problem = normal(0.5, 0.001, 4)
    with pytest.raises(PoorProposal):
        hand_made(problem, [flat(4)] * 2)


def test_scatter_over_batches_is_what_the_error_says():
    def log_likelihood(u):
        return -0.5 * np.sum(((u - 0.4) / 0.05) ** 2, axis=1)

    maps = adapt_maps(log_likelihood, 3, 2, np.random.default_rng(1))
    # An integral that misses its target for the error states the largest of all estimates.
    target = Target(error=1.0, effective=1e9, max_evaluations=600_000)
    rng = np.random.default_rng(2)
    evidence = integrate(log_likelihood, maps, rng, target, batch=20_000).evidence
    # Thirty batches determine the error to one part in eight.
    assert evidence.spread == pytest.approx(evidence.error, rel=4 / np.sqrt(2 * 29))


# dynesty


def classical_sum(dead):
    """ln of the sum of L times the shell of prior volume that each dead point stands for.

    The number of live points at each death follows from births and deaths alone.
    """
    order = np.argsort(dead.log_likelihood, kind="stable")
    log_l = dead.log_likelihood[order]
    births = np.sort(dead.log_birth[np.isfinite(dead.log_birth)])
    born = len(log_l) - len(births) + np.searchsorted(births, log_l)
    live = born - np.arange(len(log_l))
    assert live.min() >= 1
    volume = np.concatenate([[1.0], np.exp(np.cumsum(np.log(live / (live + 1))))])
    return float(np.log(np.sum(np.exp(log_l) * -np.diff(volume))))


@pytest.mark.parametrize("seed", first_fast(1, 2))
@pytest.mark.parametrize(
    "name", ["wall", *first_fast("gaussian 2d", *sorted({*NESTED} - {"wall", "gaussian 2d"}))]
)
def test_dynesty(name, seed):
    problem = NESTED[name]
    result = nested(problem, seed)
    assert abs(pull(problem, result.evidence)) < 4
    dead = result.dead_points
    allowed = np.isfinite(dead.log_likelihood)
    assert np.all(dead.log_birth[allowed] < dead.log_likelihood[allowed])
    assert np.all(np.isneginf(dead.log_birth[~allowed]))
    assert np.all(np.diff(dead.log_likelihood[allowed]) >= 0)
    # Both sums use expected volumes; dynesty's is a trapezoid, which differs at order 1/live.
    assert classical_sum(dead) == pytest.approx(result.evidence.log_z, abs=0.03)


def test_the_error_of_nested_sampling_holds_the_excluded_volume():
    """A plateau has no information, so its error is that of counting the allowed draws."""
    problem = plateau(0.5)
    evidences = [nested(problem, seed).evidence for seed in range(60)]
    pulls = np.array([pull(problem, evidence) for evidence in evidences])
    assert 0.7 < pulls.std(ddof=1) < 1.4
    assert abs(pulls.mean()) < 3.5 / sqrt(len(pulls))
    counting = sqrt((1 - 0.5**5) / 100)
    assert np.mean([evidence.error for evidence in evidences]) == pytest.approx(counting, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gaussian 2d", "two modes", "wall"])
def test_dynesty_pulls_over_many_seeds(name):
    problem = NESTED[name]
    pulls = [pull(problem, nested(problem, seed).evidence) for seed in SEEDS]
    # dynesty's own error contains only the variance of the volumes, to first order.
    assert 0.5 < np.std(pulls, ddof=1) < 1.6
    assert abs(np.mean(pulls)) < 4 / sqrt(len(pulls))


# Information and dimensionality


def as_samples(result):
    """The part of a result that information and dimensionality need."""
    return Samples("", result.samples, result.evidence, *[None] * 4, None, ())


@pytest.mark.parametrize("dimension", first_fast(2, 1, 5))
@pytest.mark.parametrize("engine", ["vegas", "dynesty"])
def test_information_and_dimensionality_of_a_gaussian(engine, dimension):
    """D_KL = -d/2 (1 + ln 2 pi) - d ln sd on the unit cube, and 2 Var(ln L) = d."""
    sd = 0.05
    problem = normal(0.4, sd, dimension)
    result = vegas(problem, 3) if engine == "vegas" else nested(problem, 3, tolerance=0.01)
    samples, effective = as_samples(result), result.samples.effective
    information = -dimension * (0.5 * (1 + log(2 * pi)) + log(sd))
    error = sqrt(dimension / 2 / effective) + result.evidence.error
    assert abs(samples.information - information) < LIMIT * error
    # 2 ln L is -chi2 with variance 2 d and excess kurtosis 12/d.
    spread = dimension * sqrt((2 + 12 / dimension) / effective)
    assert abs(samples.dimensionality - dimension) < LIMIT * spread
