"""ln Z and weighted samples against closed forms, engine against engine, and negative controls."""

import warnings
from dataclasses import replace
from math import log, pi, sqrt
from unittest.mock import patch

import numpy as np
import pytest
from calibration import BINS, calibrate, uniformity
from scipy.stats import kstwo, truncnorm

from zpfit.errors import NoAllowedPoint, PoorMap
from zpfit.inference.progress import Silent
from zpfit.inference.samplers.dynesty import nested_sampling
from zpfit.inference.samplers.importance import Target, integrate
from zpfit.inference.samplers.proposal_map import HistogramMap, MixtureMap
from zpfit.inference.samplers.result import Samples, WeightedSamples
from zpfit.inference.samplers.vegas import adapt_maps
from zpfit.inference.sampling import sample_posterior
from zpfit.io.places import packaged_data
from zpfit.likelihood.likelihood import Likelihood
from zpfit.runs.nested import dead_birth, paramnames
from zpfit.runs.run_file import load_run
from zpfit.runs.run_folder import RunFolder

LIMIT = 4.5
"""Standard errors; with some two hundred comparisons in this file, chance rarely goes beyond."""
ENGINES = ("emcee", "vegas", "dynesty")
SEEDS = range(20)


class Problem:
    """A likelihood on the unit cube with known ln Z and posterior moments."""

    def __init__(self, dimension, log_likelihood, log_z, moments=()):
        self.dimension = dimension
        self.log_likelihood = log_likelihood
        self.log_z = log_z
        self.moments = moments
        """(function of u, mean)."""


def normal(mean, sd, dimension):
    """ln L of a Gaussian, its ln Z, and its first and second moments."""
    moments = []
    for axis in range(dimension):
        moments.append(((lambda u, a=axis: u[:, a]), mean))
        moments.append(((lambda u, a=axis: (u[:, a] - mean) ** 2), sd**2))
    return Problem(
        dimension,
        lambda u: -0.5 * np.sum(((u - mean) / sd) ** 2, axis=1),
        dimension * log(sd * sqrt(2 * pi)),
        moments,
    )


def correlated(correlation, sd=0.05, mean=0.5):
    """Two parameters, each of standard deviation ``sd``."""
    precision = np.linalg.inv(sd**2 * np.array([[1, correlation], [correlation, 1]]))

    def log_likelihood(u):
        return -0.5 * np.einsum("ni,ij,nj->n", u - mean, precision, u - mean)

    moments = (
        (lambda u: u[:, 0], mean),
        (lambda u: (u[:, 1] - mean) ** 2, sd**2),
        (lambda u: (u[:, 0] - mean) * (u[:, 1] - mean), correlation * sd**2),
    )
    return Problem(2, log_likelihood, -0.5 * log(np.linalg.det(precision / (2 * pi))), moments)


def two_modes(dimension=2, sd=0.02, shares=(0.25, 0.75)):
    """Gaussians thirty standard deviations apart, one three times as heavy."""
    modes = [normal(centre, sd, dimension) for centre in (0.2, 0.8)]

    def log_likelihood(u):
        parts = [log(s) + m.log_likelihood(u) for s, m in zip(shares, modes, strict=True)]
        return np.logaddexp(*parts)

    moments = ((lambda u: (u[:, 0] > 0.5) * 1.0, shares[1]),)
    return Problem(dimension, log_likelihood, modes[0].log_z, moments)


def ridge(c=0.001):
    """Constant where |xy| < c on the square from -1 to 1, zero elsewhere: two thin crossed arms."""

    def log_likelihood(u):
        x, y = 2 * u.T - 1
        return np.where(np.abs(x * y) < c, 0.0, -np.inf)

    share = c * (1 - log(c))
    variance = (c**3 / 3 + c * (1 - c**2) / 2) / share
    moments = (
        (lambda u: 2 * u[:, 0] - 1, 0.0),
        (lambda u: (2 * u[:, 0] - 1) ** 2, variance),
        (lambda u: (2 * u[:, 1] - 1) ** 2, variance),
    )
    return Problem(2, log_likelihood, log(share), moments)


def wall(mean=0.5, sd=0.1):
    """A Gaussian cut off at its own centre is half-normal."""
    whole = normal(mean, sd, 2)

    def log_likelihood(u):
        return np.where(u[:, 0] > mean, whole.log_likelihood(u), -np.inf)

    half = truncnorm(0, np.inf, loc=mean, scale=sd)
    tail = 2 * np.exp(-0.5 * ((1 - mean) / sd) ** 2)  # beyond the cube: 1e-6 of the whole
    moments = (
        (lambda u: u[:, 0], half.mean()),
        (lambda u: (u[:, 0] - half.mean()) ** 2, half.var()),
        (lambda u: u[:, 1], mean),
    )
    return Problem(2, log_likelihood, whole.log_z - log(2) - tail / 10, moments)


def plateau(width, dimension=5):
    """Constant inside a box, zero elsewhere."""
    low = 0.4

    def log_likelihood(u):
        return np.where(np.all((u > low) & (u < low + width), axis=1), 0.0, -np.inf)

    moments = [((lambda u, a=a: u[:, a]), low + width / 2) for a in range(dimension)]
    moments.append((lambda u: (u[:, 0] - low - width / 2) ** 2, width**2 / 12))
    return Problem(dimension, log_likelihood, dimension * log(width), moments)


def constant(dimension=3):
    moments = [((lambda u, a=a: u[:, a]), 0.5) for a in range(dimension)]
    return Problem(dimension, lambda u: np.zeros(len(u)), 0.0, moments)


PROBLEMS = {
    "gaussian 1d": normal(0.4, 0.02, 1),
    "gaussian 2d": normal(0.4, 0.02, 2),
    "gaussian 5d": normal(0.4, 0.02, 5),
    "gaussian 10d": normal(0.5, 0.08, 10),
    "correlated": correlated(0.98),
    "two modes": two_modes(),
    "ridge": ridge(),
    "wall": wall(),
    "plateau": plateau(0.25),
    "constant": constant(),
}


def vegas(problem, seed, *, batch=10_000, error=0.01, effective=2000, max_evaluations=500_000):
    """Small batches, so that many seeds take seconds."""
    rng = np.random.default_rng(seed)
    target = Target(error, effective, max_evaluations)
    with (
        patch("zpfit.inference.samplers.vegas._BATCH", batch),
        patch("zpfit.inference.samplers.importance._BATCH", batch),
    ):
        maps = adapt_maps(problem.log_likelihood, problem.dimension, 2, rng)
        return integrate(problem.log_likelihood, maps, rng, target, Silent())


def pull(problem, evidence):
    """(found - true)/error of ln Z; the constant's error may be no more than rounding."""
    return (evidence.log_z - problem.log_z) / max(evidence.error, 1e-9)


def moment_pulls(problem, samples):
    """The same for posterior means, with the error of a ratio of weighted sums."""
    pulls = []
    for function, mean in problem.moments:
        values = function(samples.u)
        error = sqrt(np.sum((samples.weight * (values - mean)) ** 2))
        pulls.append((samples.mean(values) - mean) / error)
    return np.array(pulls)


# vegas


SLOW_FOR_VEGAS = ("gaussian 10d", "correlated")


def _slow_for_vegas(name):
    return pytest.param(name, marks=pytest.mark.slow) if name in SLOW_FOR_VEGAS else name


@pytest.mark.parametrize("name", [_slow_for_vegas(name) for name in PROBLEMS])
def test_vegas_pulls_over_many_seeds(name):
    """Errors of ln Z are neither too small nor too large, and there is no bias."""
    problem = PROBLEMS[name]
    results = [vegas(problem, seed) for seed in SEEDS]
    assert all(not result.shortcomings for result in results)
    pulls = np.array([pull(problem, result.evidence) for result in results])
    assert 0.7 < pulls.std(ddof=1) < 1.4
    assert abs(pulls.mean()) < 3.5 / sqrt(len(pulls))
    moments = np.array([moment_pulls(problem, result.samples) for result in results])
    assert np.abs(moments).max() < LIMIT
    assert np.all(np.abs(moments.mean(axis=0)) < LIMIT / sqrt(len(moments)))


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
    with patch.object(MixtureMap, "mix", lambda self, log_densities: 0 * log_densities[0]):
        result = vegas(problem, 1)
    assert abs(pull(problem, result.evidence)) > 10 * LIMIT
    assert np.abs(moment_pulls(problem, result.samples)).max() > 2 * LIMIT


# Missed modes and poor maps


def one_sided(low, high, dimension=2):
    """A map of nearly nothing but the box from ``low`` to ``high``."""
    edges = np.concatenate([[0.0], np.linspace(low, high, 10_000), [1.0]])
    return HistogramMap((edges,) * dimension)


LEFT, RIGHT, FLAT = one_sided(0.1, 0.3), one_sided(0.7, 0.9), HistogramMap((np.linspace(0, 1, 2),))


def hand_made(problem, maps, seed=1, *, batch=50_000, target=None):
    mixture = MixtureMap(tuple(maps))
    target = target or Target(0.05, 1000, 300_000)
    with patch("zpfit.inference.samplers.importance._BATCH", batch):
        rng = np.random.default_rng(seed)
        return integrate(problem.log_likelihood, mixture, rng, target, Silent())


@pytest.mark.parametrize("seed", [1, 2, 3])
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
    with pytest.raises(PoorMap):
        hand_made(problem, [flat(4)] * 2)


# dynesty


def nested(problem, seed, live_points=100, tolerance=0.05):
    rng = np.random.default_rng(seed)
    return nested_sampling(
        problem.log_likelihood, problem.dimension, live_points, tolerance, rng, Silent()
    )


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


NESTED = {
    "gaussian 1d": normal(0.4, 0.05, 1),
    "gaussian 2d": normal(0.4, 0.05, 2),
    "gaussian 5d": normal(0.4, 0.1, 5),
    "two modes": two_modes(sd=0.04),
    "wall": wall(),
    "plateau": plateau(0.5),
    "constant": constant(),
}
"""Less narrow, as the cost grows with the information."""


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", NESTED)
def test_dynesty(name, seed):
    problem = NESTED[name]
    result = nested(problem, seed)
    assert abs(pull(problem, result.evidence)) < 4
    dead = result.dead_points
    allowed = np.isfinite(dead.log_likelihood)
    assert np.all(dead.log_birth[allowed] < dead.log_likelihood[allowed])
    assert np.all(np.isneginf(dead.log_birth[~allowed]))
    assert np.all(np.diff(dead.log_likelihood[allowed]) >= 0)
    # Both sums take expected volumes; dynesty's is a trapezoid, which differs at order 1/live.
    assert classical_sum(dead) == pytest.approx(result.evidence.log_z, abs=0.03)


def test_the_error_of_nested_sampling_holds_the_excluded_volume():
    """A plateau has no information: its error is that of counting the allowed draws."""
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
    # dynesty's own error holds the variance of the volumes only, to first order.
    assert 0.5 < np.std(pulls, ddof=1) < 1.6
    assert abs(np.mean(pulls)) < 4 / sqrt(len(pulls))


# Information and dimensionality


def as_samples(result):
    """Only what information and dimensionality need."""
    return Samples("", result.samples, result.evidence, *[None] * 4, None, ())


@pytest.mark.parametrize("dimension", [1, 2, 5])
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


# Weighted samples


def uneven(n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    u, log_weight = rng.random((n, 2)), 2 * rng.normal(size=n)
    log_weight += 2 * u[:, 0]
    return WeightedSamples.normalised(u, u[:, 0], log_weight)


@pytest.mark.parametrize("n", [50, 500, 5000])
def test_pruning_is_unbiased_and_keeps_few(n):
    samples, rng = uneven(), np.random.default_rng(1)
    functions = (lambda s: s.u[:, 0], lambda s: s.u[:, 1] ** 2, lambda s: s.log_likelihood)
    pruned = [samples.pruned(rng, n) for _ in range(400)]
    sizes = np.array([len(some.weight) for some in pruned])
    assert sizes.max() < n + 5 * sqrt(n)
    assert sizes.mean() == pytest.approx(n, rel=0.02)
    for function in functions:
        truth = samples.mean(function(samples))
        means = np.array([some.mean(function(some)) for some in pruned])
        # A ratio of sums is biased at order 1/n, far below its own spread of 1/sqrt(n).
        assert abs(means.mean() - truth) < LIMIT * means.std() / sqrt(400) + means.std() ** 2
    assert all(abs(some.weight.sum() - 1) < 1e-9 for some in pruned)


def test_pruning_keeps_what_is_few_already_and_what_is_heavy():
    samples, rng = uneven(), np.random.default_rng(1)
    assert samples.pruned(rng, 20_000) is samples
    heaviest = samples.u[np.argsort(samples.log_weight)[-100:]]
    kept = {tuple(point) for point in samples.pruned(rng, 2000).u}
    assert all(tuple(point) in kept for point in heaviest)


def test_resampling_follows_the_weights():
    samples = uneven()
    u, log_likelihood = samples.resampled(np.random.default_rng(1), 50_000)
    np.testing.assert_array_equal(u[:, 0], log_likelihood)
    error = u.std(axis=0) / sqrt(len(u))
    expected = [samples.mean(samples.u[:, axis]) for axis in range(2)]
    assert np.all(np.abs(u.mean(axis=0) - expected) < LIMIT * error)


# Real runs


def real_run(name, **changes):
    keys = {key.replace("__", "."): str(value) for key, value in changes.items()}
    return load_run(packaged_data() / "runs" / f"{name}.yaml", keys)


def sampled(run, engine, seed, *, batch=20_000):
    settings = run.settings
    sampler = settings.sampler.model_copy(update={"engine": engine})
    settings = settings.model_copy(update={"sampler": sampler})
    rng = np.random.default_rng(seed)
    with (
        patch("zpfit.inference.samplers.vegas._BATCH", batch),
        patch("zpfit.inference.samplers.importance._BATCH", batch),
    ):
        return sample_posterior(run.posterior, settings, rng, Silent())


SMALL = {
    "sampler__walkers": 64,
    "sampler__target_ess": 1000,
    "sampler__max_steps": 2000,
    "vegas__max_evaluations": 300_000,
    "dynesty__live_points": 50,
    "dynesty__tolerance": 0.1,
}
FIXED = {
    f"priors__parameters__{name}": value
    for name, value in {
        "m_Zp": 20,
        "C_Ve": 2e-4,
        "C_Ae": 1e-7,
        "C_nue": 1e-7,
        "C_Amu": 1e-7,
        "C_numu": 1e-7,
    }.items()
}
"""All but the muon's vector coupling, so that its magnetic moment decides: both signs fit."""


@pytest.fixture(scope="module")
def one_parameter():
    return real_run("quickstart", **FIXED, **(SMALL | {"dynesty__live_points": 200}))


@pytest.mark.parametrize("engine", ENGINES)
def test_one_parameter(engine, one_parameter):
    posterior = one_parameter.posterior
    assert posterior.dimension == 1
    grid = (np.arange(1_000_000) + 0.5) / 1_000_000
    log_l = posterior.log_likelihood(grid[:, None])
    weight = np.exp(log_l - log_l.max())
    result = sampled(one_parameter, engine, 1)
    assert isinstance(result, Samples)
    truth = log_l.max() + log(weight.mean())
    assert abs(result.evidence.log_z - truth) < 4 * result.evidence.error
    effective = min(result.weighted.effective, float(result.diagnostics.ess.min()))
    for function in (lambda u: u, lambda u: np.abs(u - 0.5)):
        mean = np.average(function(grid), weights=weight)
        error = sqrt(np.average((function(grid) - mean) ** 2, weights=weight) / effective)
        weighted = result.weighted.mean(function(result.weighted.u[:, 0]))
        assert abs(weighted - mean) < LIMIT * error
        assert abs(function(result.u).mean() - mean) < LIMIT * error


@pytest.mark.parametrize(
    "engine", ["emcee", "vegas", pytest.param("dynesty", marks=pytest.mark.slow)]
)
def test_every_engine_returns_the_same_kind_of_result_and_a_seed_reproduces_it(engine):
    run = real_run("sm_u1_cs", **SMALL)
    first, second, other = (sampled(run, engine, seed) for seed in (5, 5, 6))
    for one, two in ((first.u, second.u), (first.weighted.u, second.weighted.u)):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(first.log_likelihood, second.log_likelihood)
    np.testing.assert_array_equal(first.weighted.log_weight, second.weighted.log_weight)
    assert first.evidence == second.evidence
    assert first.evidence.log_z != other.evidence.log_z
    assert first.engine == engine
    assert first.u.ndim == 4
    assert first.u.shape[:-1] == first.log_likelihood.shape
    assert first.u.shape[-1] == first.weighted.u.shape[-1] == run.posterior.dimension
    assert first.weighted.weight.sum() == pytest.approx(1)
    assert np.all(np.isfinite(first.weighted.log_likelihood))
    assert (first.dead_points is not None) == (engine == "dynesty")


def ks_p_value(u, weight):
    """That weighted points on the unit interval are uniform."""
    order = np.argsort(u)
    above = np.cumsum(weight[order])
    distance = max(np.max(above - u[order]), np.max(u[order] - above + weight[order]))
    return kstwo.sf(distance, round(1 / np.sum(weight**2)))


def prior_points(result):
    """Independent points with their weights: of chains, where the walkers have ended up."""
    if result.engine == "emcee":
        last = result.u[:, -1].reshape(-1, result.u.shape[-1])
        return last, np.full(len(last), 1 / len(last))
    return result.weighted.u, result.weighted.weight


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_without_data_returns_the_prior(engine):
    run = real_run("sm_u1_cs", **(SMALL | {"sampler__walkers": 200, "dynesty__live_points": 1000}))
    # Without the model's own conditions, which forbid a part of the prior.
    effective = real_run("quickstart").posterior
    run = replace(run, posterior=replace(effective, likelihood=Likelihood("none", (), ())))
    p_values = []
    for seed in range(3):
        result = sampled(run, engine, seed)
        assert abs(result.evidence.log_z) < 4 * result.evidence.error + 1e-9
        assert result.information == pytest.approx(0, abs=4 * result.evidence.error + 1e-9)
        assert result.dimensionality == pytest.approx(0, abs=1e-9)
        u, weight = prior_points(result)
        p_values += [ks_p_value(column, weight) for column in u.T]
    assert min(p_values) > 1e-3 / (len(ENGINES) * len(p_values))


def plain_sum(posterior, seed, n=2_000_000):
    """ln of the mean likelihood over prior draws, and its error."""
    rng = np.random.default_rng(seed)
    shape = (100_000, posterior.dimension)
    values = [np.exp(posterior.log_likelihood(rng.random(shape))) for _ in range(n // shape[0])]
    mean, spread = np.mean(values), np.std(values)
    return float(np.log(mean)), float(spread / mean / sqrt(n))


PAPER_RUNS = ("quickstart", "effective_rb", "sm_u1_cs")


@pytest.mark.parametrize("name", PAPER_RUNS)
def test_vegas_and_a_plain_sum_agree_on_the_papers_fits(name):
    run = real_run(name, sampler__target_ess=1000)
    result = sampled(run, "vegas", 1, batch=100_000)
    assert not result.shortcomings
    plain, error = plain_sum(run.posterior, 2)
    assert abs(result.evidence.log_z - plain) < 4 * np.hypot(error, result.evidence.error)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPER_RUNS)
def test_dynesty_and_vegas_agree_on_the_papers_fits(name):
    run = real_run(name, sampler__target_ess=1000, dynesty__live_points=300)
    first, second = (sampled(run, engine, 3).evidence for engine in ("vegas", "dynesty"))
    assert abs(first.log_z - second.log_z) < 4 * np.hypot(first.error, second.error)


# anesthetic


def anesthetic_log_z(posterior, dead, folder):
    """ln Z and its error from the exported files, read as anyone would."""
    anesthetic = pytest.importorskip("anesthetic")
    RunFolder(folder).write_nested(dead_birth(posterior, dead), paramnames(posterior))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*logL_birth.*")
        chains = anesthetic.read_chains(folder / "nested")
    assert len(chains) == len(dead.log_likelihood)
    assert list(chains.columns.get_level_values(0)[: posterior.dimension]) == list(posterior.names)
    np.random.seed(1)  # noqa: NPY002 - anesthetic draws from the global state
    draws = chains.logZ(200)
    return float(chains.logZ()), float(draws.std()), chains


class GaussianPosterior:
    """What the export needs of a posterior."""

    def __init__(self, real, problem):
        self._real, self.dimension = real, problem.dimension
        self.names = real.names[: problem.dimension]
        self.model = real.model

    def parameters(self, u):
        return dict(zip(self.names, u.T, strict=True))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", ["gaussian 2d", "gaussian 5d", "wall", "plateau"])
def test_anesthetic_reads_the_export(name, tmp_path):
    problem = NESTED[name]
    result = nested(problem, 4, live_points=200, tolerance=0.01)
    posterior = GaussianPosterior(real_run("quickstart").posterior, problem)
    log_z, error, _ = anesthetic_log_z(posterior, result.dead_points, tmp_path)
    assert log_z == pytest.approx(result.evidence.log_z, abs=0.03)
    assert error == pytest.approx(result.evidence.error, rel=0.3)
    assert abs(log_z - problem.log_z) < 4 * error


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_anesthetic_reads_the_papers_fit(tmp_path):
    """Nine prior points in ten are excluded, and belong to the evidence."""
    run = real_run("quickstart", dynesty__live_points=200, sampler__target_ess=100)
    result = sampled(run, "dynesty", 7)
    assert np.mean(np.isneginf(result.dead_points.log_likelihood)) > 0.3
    log_z, error, chains = anesthetic_log_z(run.posterior, result.dead_points, tmp_path)
    assert log_z == pytest.approx(result.evidence.log_z, abs=0.03)
    assert error == pytest.approx(result.evidence.error, rel=0.3)
    assert chains.D_KL() == pytest.approx(result.information, abs=0.1)
    vegas_log_z = sampled(run, "vegas", 7).evidence
    assert abs(log_z - vegas_log_z.log_z) < 4 * np.hypot(error, vegas_log_z.error)


# Simulation-based calibration


@pytest.mark.slow
def test_posteriors_of_simulated_data_are_calibrated():
    """Ranks of the truth are uniform for every parameter and for ln L."""
    ranks = calibrate(simulations=200, seed=1)
    assert all(len(values) == 200 for values in ranks.values())
    p_values = {name: uniformity(values) for name, values in ranks.items()}
    assert min(p_values.values()) > 1e-3 / len(p_values)


@pytest.mark.slow
def test_calibration_catches_posteriors_that_are_too_wide():
    """Negative control: fits with twice the errors of the simulation."""
    ranks = calibrate(simulations=120, seed=1, error_factor=2.0)
    assert min(uniformity(values) for values in ranks.values()) < 1e-4


def test_uniformity_of_ranks():
    rng = np.random.default_rng(0)
    assert uniformity(rng.random(200)) > 0.01
    assert uniformity(rng.random(200) ** 2) < 1e-4
    assert uniformity(np.repeat((np.arange(BINS) + 0.5) / BINS, 20)) == pytest.approx(1)


def test_scatter_over_batches_is_what_the_error_says():
    def log_likelihood(u):
        return -0.5 * np.sum(((u - 0.4) / 0.05) ** 2, axis=1)

    maps = adapt_maps(log_likelihood, 3, 2, np.random.default_rng(1))
    target = Target(error=1e-9, effective=0, max_evaluations=3_000_000)
    rng = np.random.default_rng(2)
    evidence = integrate(log_likelihood, maps, rng, target, Silent()).evidence
    # Thirty batches know the error to one part in eight.
    assert evidence.spread == pytest.approx(evidence.error, rel=4 / np.sqrt(2 * 29))
