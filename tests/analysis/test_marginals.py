"""Test limits on sizes, the information gain, and the marks on a parameter's row."""

from typing import Any

import numpy as np
import pytest

import zpfit
from zpfit.analysis.marginals import (
    LEVEL,
    PRIOR_DOMINATED,
    Marginals,
    at_end,
    has_open_sign,
    information_gain,
)
from zpfit.analysis.parameter_table import AT_END, DOMINATED, parameter_rows
from zpfit.inference.diagnostics import Diagnostics
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fractions, LogUniform, Normal, Priors, SignedLogUniform, Uniform
from zpfit.inference.samplers.result import Evidence, Samples, WeightedSamples
from zpfit.inference.search.best_fit import Minimum
from zpfit.likelihood.likelihood import Likelihood
from zpfit.models.effective import Effective

SMOOTH = Uniform(lower=0, upper=1)
N = 40_000


def gain_of(u: Any, prior: Any = SMOOTH) -> float:
    return information_gain(np.asarray(u), np.full(len(u), 1 / len(u)), prior)


@pytest.mark.parametrize("share", [1.0, 0.93, 0.5, 0.01])
def test_a_range_cut_to_a_share_gains_its_logarithm(share: float):
    u = np.random.default_rng(1).random(N) * share
    assert gain_of(u) == pytest.approx(-np.log2(share), abs=0.01)


@pytest.mark.parametrize("width", [0.1, 0.01])
def test_gain_of_a_gaussian(width: float):
    """Its entropy is ln(width sqrt(2 pi e))."""
    u = 0.5 + width * np.random.default_rng(2).standard_normal(N)
    truth = -np.log2(width * np.sqrt(2 * np.pi * np.e))
    assert gain_of(u) == pytest.approx(truth, abs=0.03)


def test_weights_and_steps_count():
    rng = np.random.default_rng(3)
    u = rng.random(N)
    weight = np.where(u < 0.25, 1.0, 0.0)
    assert information_gain(u, weight / weight.sum(), SMOOTH) == pytest.approx(2, abs=0.02)
    # One of the three values -1, 0, 1 is left.
    assert gain_of(rng.random(N) / 3, Fractions(largest=1)) == pytest.approx(np.log2(3), abs=0.01)


@pytest.mark.parametrize("n", [300, 3000, N])
def test_the_prior_itself_is_prior_dominated_for_any_number_of_samples(n: int):
    gains = [gain_of(np.random.default_rng(seed).random(n)) for seed in range(20)]
    assert max(gains) < PRIOR_DOMINATED


def test_ends_of_priors():
    signed = SignedLogUniform(lower=1e-9, upper=1e-2)
    for prior in (SMOOTH, LogUniform(lower=1, upper=9), signed, Fractions(largest=3)):
        assert at_end(1e-4, prior)
        assert at_end(1 - 1e-4, prior)
        assert not at_end(0.5, prior)
    assert not at_end(0.0, Normal(mean=0, sd=1))


def test_a_sign_that_the_data_know_is_not_open():
    values = np.array([-1.0] * 1 + [1.0] * 99)
    assert not has_open_sign((-2, 2), values)
    assert not has_open_sign((1, 2), np.full(9, 1.5))
    assert has_open_sign((-2, 2), np.array([-1.0] * 5 + [1.0] * 95))


def record_of(u: Any, chi2: Any, best: Minimum) -> Any:
    """Return the record of C_Ve with a uniform prior from -1 to 1 and samples at u."""
    u, chi2 = np.asarray(u)[:, None], np.asarray(chi2)
    priors = Priors({"C_Ve": Uniform(lower=-1, upper=1)})
    posterior = Posterior(Effective(), priors, Likelihood("none", (), ()))
    weighted = WeightedSamples.normalised(u, -0.5 * chi2, -0.5 * chi2)
    equal, one = weighted.resampled(np.random.default_rng(4), N)[0], np.ones(1)
    samples = Samples(
        engine="vegas", u=equal[None, :, None], log_likelihood=-0.5 * chi2[None, :, None],
        evidence=Evidence(0.0, 0.0, len(u)), weighted=weighted,
        diagnostics=Diagnostics(one, one, one, 1), acceptance=(), thin=1, shortcomings=(),
    )  # fmt: skip
    return Marginals(posterior, samples, best).of("C_Ve")


def test_limits_on_the_size_of_a_gaussian():
    """C = 0 +- 0.1: 95 % of |C| is below 0.196, and chi2 is 2.706 at 0.1645."""
    u = (np.arange(N) + 0.5) / N
    chi2 = ((2 * u - 1) / 0.1) ** 2
    record = record_of(u, chi2, Minimum(np.array([0.5]), 0.0))
    limit = record["size_limit"]
    assert limit["probability"] == LEVEL
    assert limit["posterior"] == pytest.approx(0.196, rel=1e-3)
    assert limit["profile_at_least"] == pytest.approx(0.1645, rel=1e-3)
    assert not limit["reaches_end_of_prior"]
    assert not record["prior_dominated"]
    assert not record["best_fit_at_end_of_prior"]


def test_ends_of_the_search_count_as_allowed_points():
    u = np.linspace(0.4, 0.6, 1001)
    searched = (np.array([[0.7], [0.9], [1.0]]), np.array([2.0, 2.6, 9.0]))
    record = record_of(u, np.zeros(len(u)), Minimum(np.array([0.5]), 0.0, searched))
    assert record["size_limit"]["profile_at_least"] == pytest.approx(0.8)


def test_marks_of_a_parameter_without_information():
    u = (np.arange(N) + 0.5) / N
    record = record_of(u, np.zeros(N), Minimum(np.array([1.0]), 0.0))
    assert record["prior_dominated"]
    assert record["best_fit_at_end_of_prior"]
    summary: Any = {"posterior": {"C_Ve": record}, "best_fit": {"parameters": {"C_Ve": 1.0}}}
    [row] = parameter_rows(summary)
    assert row.notes == (AT_END, DOMINATED)
    assert row.texts[:2] == ("1.00", "< 0.950")


def test_runs_of_older_versions_have_a_table():
    record = {"median": 0.4, "q16": 0.3996, "q84": 0.4004, "ess": None, "rhat": None}
    summary: Any = {"posterior": {"x": record}, "best_fit": {"parameters": {"x": 0.4}}}
    [row] = parameter_rows(summary)
    assert row.texts == ("0.400", "0.40000 (0.39960 to 0.40040)", "-", "-", "-")
    assert row.notes == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameter", "closest"),
    [("L_mu-L_tau_cs", "eps", 0.95), ("sm_u1_cs", "z_Lmu", 0.95), ("quickstart", "C_nue", 0.4)],
)
def test_the_profile_limit_is_at_least_the_bound(name: str, parameter: str, closest: float):
    """The limit of its own search, for which zpfit limit takes as long as the whole run."""
    run = zpfit.load(name, sampler="vegas")
    row = zpfit.fit(run, progress=False).summary["posterior"][parameter]["size_limit"]
    [limit] = zpfit.limit(run, parameter, cl=LEVEL, progress=False).frame["profile"]
    assert closest < row["profile_at_least"] / limit < 1.02
