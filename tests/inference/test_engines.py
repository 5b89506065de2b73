"""Compare engines with each other and with plain sums on the paper's fits; calibrate posteriors."""

import warnings
from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
from calibration import BINS, calibrate, uniformity
from helpers_evidence import LIMIT, NESTED, nested
from helpers_samplers import first_fast, use_small_batches
from scipy.stats import kstwo

from zpfit.analysis.summary import stored_dead_points
from zpfit.inference.samplers.result import Samples
from zpfit.inference.sampling import sample_posterior
from zpfit.io.places import packaged_data
from zpfit.likelihood.likelihood import Likelihood
from zpfit.runs.nested import dead_birth, paramnames
from zpfit.runs.run_file import load_run
from zpfit.runs.run_folder import RunFolder

ENGINES = ("emcee", "vegas", "dynesty")

# Real runs


def real_run(name, **changes):
    keys = {key.replace("__", "."): str(value) for key, value in changes.items()}
    return load_run(packaged_data() / "runs" / f"{name}.yaml", keys)


def sampled(run, engine, seed, *, batch=20_000):
    settings = run.settings.with_engine(engine)
    rng = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        use_small_batches(patch, batch, batch)
        return sample_posterior(run.posterior, settings, rng)


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
"""Return a run with all parameters but the muon's vector coupling fixed: both signs fit."""


@pytest.fixture(scope="module")
def one_parameter():
    return real_run("quickstart", **FIXED, **(SMALL | {"dynesty__live_points": 200}))


@pytest.mark.parametrize("engine", first_fast(*ENGINES))
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


@pytest.mark.parametrize("engine", first_fast("vegas", "emcee", "dynesty"))
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
    """Return the p-value of the hypothesis that weighted points on the unit interval are
    uniform."""
    order = np.argsort(u)
    above = np.cumsum(weight[order])
    distance = max(np.max(above - u[order]), np.max(u[order] - above + weight[order]))
    return kstwo.sf(distance, round(1 / np.sum(weight**2)))


def prior_points(result):
    """Return independent points with their weights; of chains, the last positions of the
    walkers."""
    if result.engine == "emcee":
        last = result.u[:, -1].reshape(-1, result.u.shape[-1])
        return last, np.full(len(last), 1 / len(last))
    return result.weighted.u, result.weighted.weight


@pytest.mark.parametrize("engine", first_fast("vegas", "emcee", "dynesty"))
def test_a_run_without_data_returns_the_prior(engine):
    run = real_run("sm_u1_cs", **(SMALL | {"sampler__walkers": 200, "dynesty__live_points": 1000}))
    # Leave out the model's own conditions, which forbid a part of the prior.
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
    """Return ln of the mean likelihood over prior draws, and its error."""
    rng = np.random.default_rng(seed)
    shape = (100_000, posterior.dimension)
    values = [np.exp(posterior.log_likelihood(rng.random(shape))) for _ in range(n // shape[0])]
    mean, spread = np.mean(values), np.std(values)
    return float(np.log(mean)), float(spread / mean / sqrt(n))


PAPER_RUNS = ("quickstart", "effective_rb", "sm_u1_cs")


@pytest.mark.slow
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
    """Return ln Z and its error from the exported files, read with anesthetic's own reader."""
    anesthetic = pytest.importorskip("anesthetic")
    points = dead_birth(stored_dead_points(posterior, dead))
    RunFolder(folder).write_nested(points, paramnames(posterior))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*logL_birth.*")
        chains = anesthetic.read_chains(folder / "nested")
    assert len(chains) == len(dead.log_likelihood)
    assert list(chains.columns.get_level_values(0)[: posterior.dimension]) == list(posterior.names)
    np.random.seed(1)  # noqa: NPY002 - anesthetic draws from the global state
    draws = chains.logZ(200)
    return float(chains.logZ()), float(draws.std()), chains


class GaussianPosterior:
    """The part of a posterior that the export needs."""

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
    """Nine in ten points of the prior are excluded; the evidence counts them."""
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
