"""A block of pseudo-experiments: the unit of work, of storage and of continuation.

Batches of another size round differently in the last bit, so that toys are always computed in the
same blocks, whoever computes them.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.analysis.summary import no_zprime
from zpfit.analysis.toys.joint_sigma import joint_sigmas
from zpfit.analysis.toys.pseudo_data import predictions, pseudo_data, search_rng
from zpfit.analysis.toys.refit import refit
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.io.arrays import FloatArray
from zpfit.runs.run_file import load_run

TOYS_PER_BLOCK = 50
CHI2, CHI2_NO_ZPRIME, DELTA_CHI2 = "chi2", "chi2_no_zprime", "delta_chi2"
CHI2_NESTED, DELTA_CHI2_NESTED = "chi2_nested", "delta_chi2_nested"
JOINT_SIGMA = "joint_sigma"
_BLOCK_SEARCH = 1
"""First number of the random streams of a block's searches, unlike those of preparations."""


@dataclass(frozen=True)
class RunSource:
    """What a process needs to read a run file again."""

    path: Path
    changes: tuple[tuple[str, Any], ...] = ()
    asked: str = ""
    """Tells one command from the next: files may change in between, while workers of a cluster
    live on and remember."""


@lru_cache(maxsize=4)
def run_from(source: RunSource) -> Problem:
    """The run, read once in each process."""
    return load_run(source.path, dict(source.changes))


@dataclass(frozen=True, eq=False)
class ToyProblem:
    """What every block starts from; can be sent to another process."""

    run: RunSource
    nested: RunSource | None
    seed: int
    joint_sigma: bool
    truth: FloatArray
    """Expectation of each measurement under the hypothesis, shape (k,)."""
    pool: FloatArray
    """See :func:`zpfit.analysis.toys.refit.solution_pool`."""
    nested_pool: FloatArray | None

    def posterior(self) -> Posterior:
        """Of the model that is tested."""
        return run_from(self.run).posterior

    def nested_posterior(self) -> Posterior:
        """Of the smaller model, with the measurements in the same order."""
        assert self.nested is not None  # noqa: S101 - asked for where there is one
        smaller = run_from(self.nested).posterior
        return replace(smaller, likelihood=self.posterior().likelihood)


@dataclass(frozen=True)
class BlockResult:
    """The toys of a block."""

    columns: Mapping[str, FloatArray]
    """Statistics and data, each of shape (toys,)."""
    fit_seconds: float
    joint_sigma_seconds: float
    """Processor time."""


def toy_block(item: tuple[ToyProblem, int]) -> BlockResult:
    """Draw the toys of a block and refit them."""
    problem, block = item
    toys = range(block * TOYS_PER_BLOCK, (block + 1) * TOYS_PER_BLOCK)
    likelihood = problem.posterior().likelihood
    data = pseudo_data(likelihood, problem.truth, problem.seed, toys)
    result = statistics(problem, data, search_rng(problem.seed, _BLOCK_SEARCH, block))
    drawn = {f"data[{t.name}]": x for t, x in zip(likelihood.measurements, data.T, strict=True)}
    columns = {"toy": np.array(toys, dtype=float), **result.columns, **drawn}
    return replace(result, columns=columns)


def statistics(problem: ToyProblem, data: FloatArray, rng: np.random.Generator) -> BlockResult:
    """Every statistic of some experiments by the fast refit; ``data`` has shape (toys, k)."""
    posterior = problem.posterior()
    fit_rng, nested_rng, level_rng = rng.spawn(3)
    started = time.process_time()
    fits = refit(posterior, problem.pool, data, fit_rng)
    without = chi2_without(posterior, data)
    columns = {
        CHI2: fits.chi2,
        CHI2_NO_ZPRIME: without,
        DELTA_CHI2: _fall(without, fits.chi2),
    }
    if problem.nested_pool is not None:
        smaller = refit(problem.nested_posterior(), problem.nested_pool, data, nested_rng)
        columns |= {CHI2_NESTED: smaller.chi2, DELTA_CHI2_NESTED: _fall(smaller.chi2, fits.chi2)}
    fitted = time.process_time()
    if problem.joint_sigma:
        limits = run_from(problem.run).settings.joint_sigma
        columns[JOINT_SIGMA] = joint_sigmas(
            posterior, problem.pool, data, fits.u, limits, level_rng
        )
    return BlockResult(columns, fitted - started, time.process_time() - fitted)


def _fall(smaller: FloatArray, larger: FloatArray) -> FloatArray:
    """Differences of chi2; infinite, on the safe side, where a search has found nothing."""
    found = np.isfinite(smaller) & np.isfinite(larger)
    return np.where(found, smaller - np.where(found, larger, 0), np.inf)


def chi2_without(posterior: Posterior, data: FloatArray) -> FloatArray:
    """chi2 of each experiment if there is no Z', shape (toys,)."""
    c = no_zprime().take(np.zeros(len(data), dtype=np.intp))
    residuals = posterior.likelihood.residuals(c, 0.0, data)
    result: FloatArray = np.einsum("nk,nk->n", residuals, residuals)
    return result


def truth_of(posterior: Posterior, u: FloatArray | None) -> FloatArray:
    """What the measurements expect at a point of the unit cube, or without a Z'; shape (k,)."""
    hypothesis = no_zprime() if u is None else posterior.couplings(u[None])
    return predictions(posterior.likelihood, hypothesis)
