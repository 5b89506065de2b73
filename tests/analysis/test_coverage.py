"""Coverage of intervals, against closed forms of linear models with uniform priors."""

import json
import os
import signal
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from light_toys import LIGHT
from resuming import at_file, done
from resuming import zpfit as zpfit_process
from scipy.stats import norm

import zpfit
from zpfit.analysis import coverage as module
from zpfit.analysis.coverage import Coverage, Covered, coverage
from zpfit.errors import InvalidInput, NoSamplingDistribution, OutsidePrior, PoorProposal
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fixed, Priors, Uniform
from zpfit.likelihood.exclusions import Exclusion, HalfGaussian
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import (
    AsymmetricTerm,
    Correlation,
    CountsTerm,
    GaussianTerm,
    TabulatedTerm,
)
from zpfit.models.base import Model, Parameter
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.observables import Group, Observable
from zpfit.runs.run_file import find_run_file, load_run

RARE = 1e-4
"""Probability that a test of random numbers fails although the code is right."""
DESIGN = np.array([[1.0, 0], [0, 1], [1, 1], [2, -1]])
ERRORS = np.array([0.02, 0.03, 0.04, 0.03])
TRUTH = {"x": 0.1, "y": -0.2}


class Linear(Model):
    """A model whose parameters x and y are couplings."""

    name = "linear"
    parameters = (Parameter("x", "x"), Parameter("y", "y", default=0.0))

    def couplings(self, values):
        zero = np.zeros(len(values["x"]))
        own = {"C_Ve": values["x"], "C_Vmu": values["y"]}
        return Couplings(**dict.fromkeys(COUPLING_NAMES, zero) | own)


def observable(a, b):
    return Observable(f"{a} x + {b} y", lambda c: a * c.C_Ve + b * c.C_Vmu, Group.SCATTERING)


def terms():
    return tuple(
        GaussianTerm(f"term {i}", observable(a, b), 0.0, e)
        for i, ((a, b), e) in enumerate(zip(DESIGN, ERRORS, strict=True))
    )


def problem(measurements, exclusions=(), y=None):
    wide = Uniform(lower=-1, upper=1)
    posterior = Posterior(
        Linear(),
        Priors({"x": wide, "y": wide if y is None else Fixed(value=y)}),
        Likelihood("toy", tuple(measurements), tuple(exclusions)),
    )
    return replace(load_run(find_run_file("quickstart")), posterior=posterior)


@pytest.fixture
def light(monkeypatch):
    monkeypatch.setattr(module, "solution_pool", partial(module.solution_pool, options=LIGHT))
    monkeypatch.setattr(module, "refit", partial(module.refit, options=LIGHT))


def estimates(found, seed):
    """Return least-squares estimates and standard errors from the data of the same toys."""
    data = module.pseudo_data(
        problem(terms()).posterior.likelihood,
        DESIGN @ np.array([*TRUTH.values()]),
        seed,
        range(len(found)),
    )
    a = DESIGN / ERRORS[:, None]
    covariance = np.linalg.inv(a.T @ a)
    return (data / ERRORS) @ a @ covariance, np.sqrt(np.diag(covariance))


@pytest.mark.usefixtures("light")
def test_delta_chi2_of_the_truth_is_that_of_linear_least_squares():
    run = problem(terms())
    found = coverage(run, TRUTH, 25, credible=False)
    best, errors = estimates(found, run.settings.seed)
    for axis, (name, true) in enumerate(TRUTH.items()):
        pulls = (best[:, axis] - true) / errors[axis]
        np.testing.assert_allclose(found.columns[f"delta_chi2[{name}]"], pulls**2, atol=1e-4)
        assert found.profile(name)["68"].covered == np.sum(np.abs(pulls) < 1)
        assert found.profile(name)["95"].covered == np.sum(np.abs(pulls) < 2)
    assert found.credible("x") is None
    assert found.shortcomings == ()
    assert "25 toys" in repr(found)
    assert list(found.frame) == ["toy", "delta_chi2[x]", "delta_chi2[y]"]


@pytest.mark.usefixtures("light", "quick_fits")
def test_the_rank_of_the_truth_is_that_of_a_gaussian_posterior():
    run = problem(terms())
    found = coverage(run, TRUTH, 3)
    best, errors = estimates(found, run.settings.seed)
    # The rank is a mean of 1,000 effective samples.
    limit = norm.isf(RARE / 12) * 0.5 / np.sqrt(1000)
    for axis, (name, true) in enumerate(TRUTH.items()):
        expected = norm.cdf((true - best[:, axis]) / errors[axis])
        assert np.all(np.abs(found.columns[f"rank[{name}]"] - expected) < limit)


@pytest.mark.usefixtures("light")
def test_with_one_parameter_nothing_is_left_to_minimise():
    run = problem(terms()[:1], y=0.0)
    found = coverage(run, {"x": 0.1}, 12, credible=False)
    data = module.pseudo_data(
        run.posterior.likelihood, np.array([0.1]), run.settings.seed, range(12)
    )
    expected = ((data[:, 0] - 0.1) / 0.02) ** 2
    np.testing.assert_allclose(found.columns["delta_chi2[x]"], expected, atol=1e-6)


def test_counts_of_intervals():
    columns = {
        "toy": np.arange(4.0),
        "delta_chi2[x]": np.array([0.5, 0.99, 3.9, 4.1]),
        "rank[x]": np.array([0.5, 0.16, 0.97, np.nan]),
        "converged": np.array([1.0, 1.0, 1.0, np.nan]),
    }
    found = Coverage("t", "m", "l", 1, {"x": 0.0}, columns)
    assert found.profile("x") == {"68": Covered(2, 4), "95": Covered(3, 4)}
    assert found.credible("x") == {"68": Covered(2, 3), "95": Covered(3, 3)}
    assert "posteriors of 1 of 4 toys" in found.shortcomings[0]
    assert found.record()["parameters"]["x"]["profile"]["95"]["fraction"] == 0.75
    assert json.dumps(found.record(), allow_nan=False)


def test_where_no_interval_exists_there_is_no_fraction():
    """Every posterior failed, and one refit found nothing: neither says that a truth is missed."""
    columns = {
        "toy": np.arange(4.0),
        "delta_chi2[x]": np.array([0.5, 2.0, np.inf, 0.1]),
        "delta_chi2[y]": np.array([0.5, 0.2, 0.3, 5.0]),
        "rank[x]": np.full(4, np.nan),
        "rank[y]": np.full(4, np.nan),
        "converged": np.full(4, np.nan),
    }
    found = Coverage("t", "m", "l", 1, {"x": 0.0, "y": 0.0}, columns)
    row = found.record()["parameters"]["x"]
    assert row["credible"]["68"] == {
        "covered": 0,
        "of": 0,
        "fraction": None,
        "interval": [0.0, 1.0],
    }
    assert found.profile("x") == {"68": Covered(2, 3), "95": Covered(3, 3)}
    assert found.profile("y")["95"] == Covered(3, 4)
    assert [text.split(" toys")[0] for text in found.shortcomings] == [
        "the posteriors of 4 of 4",
        "the refits of 1 of 4",
    ]
    assert found.record()["posteriors"] == {"converged": 0, "not_converged": 0, "failed": 4}
    assert json.dumps(found.record(), allow_nan=False)


@pytest.mark.usefixtures("light", "quick_fits")
def test_posteriors_that_are_not_converged_are_counted_and_said(monkeypatch):
    """One posterior of three has a shortcoming, and one cannot be sampled."""
    made, true = [], module.evidence_of

    def evidence(*arguments, **options):
        made.append(true(*arguments, **options))
        if len(made) == 3:
            raise PoorProposal(3.0, 10)
        return replace(made[-1], shortcomings=("too few",) if len(made) == 2 else ())

    monkeypatch.setattr(module, "evidence_of", evidence)
    found = coverage(problem(terms()), TRUTH, 3)
    counts = {"converged": 1, "not_converged": 1, "failed": 1}
    assert found.record()["posteriors"] == counts
    np.testing.assert_array_equal(found.columns["converged"], [1, 0, np.nan])
    assert found.credible("x")["68"].of == 2
    assert "the posteriors of 1 of 3 toys are not converged" in found.shortcomings[1]


def test_points_that_are_no_truth():
    wall = Exclusion(
        "wall", lambda c: np.abs(c.C_Ve) / 0.5, HalfGaussian(power=1, confidence_level=0.9)
    )
    run = problem(terms(), [wall])
    for at, words in (
        ({"x": 0.1}, "no value for y; give a value of each sampled parameter: x, y"),
        ({**TRUTH, "z": 1}, "'z' not sampled"),
        ({"x": 0.6, "y": 0}, "excluded by wall; choose an allowed one"),
    ):
        with pytest.raises(InvalidInput, match=words):
            coverage(run, at, 2)
    with pytest.raises(OutsidePrior):
        coverage(run, {"x": 3, "y": 0}, 2)
    table = TabulatedTerm("mine", observable(1, 0), (0.0, 1.0, 2.0), (1.0, 0.0, 1.0))
    with pytest.raises(NoSamplingDistribution):
        coverage(problem([*terms(), table]), TRUTH, 2)


def test_the_likelihood_of_other_data():
    correlation = Correlation(("term 0", "term 1"), ((1e-4, 5e-5), (5e-5, 4e-4)))
    unequal = AsymmetricTerm("u", observable(1, 0), 0.0, error_up=0.1, error_down=0.3)
    counts = CountsTerm("n", observable(1, 0), observed=3, signal=10.0, background=1.0)
    likelihood = Likelihood("toy", (*terms(), unequal, counts), (), (correlation,))
    data = np.array([0.1, 0.2, -0.1, 0.3, 0.4, 5.0])
    values = {"x": np.array([0.1, 0.4]), "y": np.array([0.3, -0.2])}
    c = Linear().couplings(values)
    other = likelihood.with_data(data)
    np.testing.assert_array_equal(other.data, data)
    residuals = likelihood.residuals(c, 1.0, np.tile(data, (2, 1)))
    np.testing.assert_allclose(other.log_likelihood(c), -0.5 * np.sum(residuals**2, axis=1))


RUN = """\
model: L_mu-L_tau
likelihood: paper_2021_cs
seed: 4
priors: {parameters: {m_Zp: 20, eps: 0}}
"""
COVERAGE = ("coverage", "mine.yaml", "--no-credible")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def three_in_a_block(monkeypatch):
    monkeypatch.setattr("zpfit.runs.coverage.TOYS_PER_BLOCK", 3)


@pytest.mark.usefixtures("light", "quick_fits")
def test_the_command_and_the_function_give_the_same(accepted, rejected, workspace):
    (workspace / "mine.yaml").write_text(RUN, encoding="utf-8")
    command = ("coverage", "mine.yaml", "--at", "g_prime=5e-4", "--n", 4, "--no-credible")
    printed = json.loads(accepted(*command, "--executor", "here", "--json"))
    found = zpfit.coverage("mine.yaml", {"g_prime": 5e-4}, 4, credible=False)
    assert printed == found.record
    folder = workspace / "output" / "coverage_mine"
    assert json.loads((folder / "coverage.json").read_text()) == printed
    assert len((folder / "coverage.csv").read_text().splitlines()) == 5
    assert found.table.loc[("g_prime", "profile", "95"), "of"] == len(found) == 4
    shown = accepted(*command, "--executor", "here")
    assert "g_prime" in shown
    assert "profile 68 %" in shown


@pytest.mark.usefixtures("light", "quick_fits", "three_in_a_block")
def test_toys_in_the_folder_are_reused(accepted, rejected, workspace):
    (workspace / "mine.yaml").write_text(RUN, encoding="utf-8")

    def command(place, n, *more, at="g_prime=5e-4"):
        where = ("--at", at, "--output", place)
        return (*COVERAGE, *where, "--n", n, *more, "--executor", "here")

    accepted(*command("parts", 4))
    first = (workspace / "parts" / "block_00000.csv").stat().st_mtime_ns
    accepted(*command("parts", 7))
    assert (workspace / "parts" / "block_00000.csv").stat().st_mtime_ns == first
    accepted(*command("whole", 7))
    for name in ("coverage.json", "coverage.csv"):
        parts, whole = (workspace / place / name for place in ("parts", "whole"))
        assert parts.read_bytes() == whole.read_bytes()
    for change, words in (
        (("--seed", "7"), "seed was 4 and is 7"),
        (("--set", "vegas.error=0.1"), "run.vegas.error"),
    ):
        message = rejected(*command("parts", 7, *change))
        assert words in message
        assert "--force" in message
    message = rejected(*command("parts", 7, at="g_prime=4e-4"))
    assert "at.g_prime was 0.0005 and is 0.0004" in message
    accepted(*command("parts", 3, "--seed", "7", "--force"))
    assert json.loads((workspace / "parts" / "coverage.json").read_text())["seed"] == 7


@pytest.mark.usefixtures("light", "quick_fits", "three_in_a_block")
def test_a_killed_coverage_resumes(tmp_path):
    (tmp_path / "mine.yaml").write_text(RUN, encoding="utf-8")

    def command(place):
        where = ("--at", "g_prime=5e-4", "--output", place)
        return (*COVERAGE, *where, "--n", 8, "--executor", "here")

    killed = zpfit_process(tmp_path, *command("out"), hooks=(at_file(2, die, "block_"),))
    assert killed.ended() == -signal.SIGKILL
    assert len(list((tmp_path / "out").glob("block_*.csv"))) == 1  # blocks have no fixed order
    assert not (tmp_path / "out" / "coverage.json").exists()
    assert "8 toys, 3 from before" in done(tmp_path, *command("out")).stderr
    done(tmp_path, *command("whole"))
    found, wanted = ((tmp_path / place / "coverage.csv").read_bytes() for place in ("out", "whole"))
    assert found == wanted


@pytest.mark.slow
def test_processes_give_the_same(accepted, workspace):
    (workspace / "mine.yaml").write_text(RUN, encoding="utf-8")
    command = (
        "coverage",
        "mine.yaml",
        "--at",
        "g_prime=5e-4",
        "--n",
        11,
        "--no-credible",
        "--json",
    )
    here = json.loads(accepted(*command, "--executor", "here"))
    assert json.loads(accepted(*command, "--workers", "2", "--output", "other")) == here


@pytest.mark.slow
@pytest.mark.usefixtures("light", "quick_fits")
def test_intervals_of_a_linear_model_cover():
    found = coverage(problem(terms()), TRUTH, 200)
    for name in TRUTH:
        for kind in (found.profile(name), found.credible(name)):
            for level, wanted in (("68", 0.6827), ("95", 0.9545)):
                error = np.sqrt(wanted * (1 - wanted) / 200)
                assert abs(kind[level].fraction - wanted) < norm.isf(RARE / 16) * error
