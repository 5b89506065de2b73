"""Blocks of pseudo-experiments: the unit of computing and of storing toys.

Batches of another size round differently in the last bit, and the toys of a block share solutions.
Toys are therefore always computed in the same blocks, whichever process computes them. Only the
last block is shorter where the number of toys is no multiple of the size of a block.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from zpfit.analysis.toys.joint_sigma import joint_sigmas
from zpfit.analysis.toys.pseudo_data import predictions, pseudo_data, search_rng
from zpfit.analysis.toys.refit import refit
from zpfit.inference.posterior import Posterior
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings

TOYS_PER_BLOCK = 50
"""Default size of a block: large enough for batched descents, and a few seconds of computing."""
CHI2, CHI2_NO_ZPRIME, DELTA_CHI2 = "chi2", "chi2_no_zprime", "delta_chi2"
CHI2_NESTED, DELTA_CHI2_NESTED = "chi2_nested", "delta_chi2_nested"
JOINT_SIGMA = "joint_sigma"
_BLOCK_STREAM = 1
"""First key of the random streams of blocks; those of the preparation begin with 0."""


@dataclass(frozen=True, eq=False)
class ToyProblem:
    """Everything that a block of toys is computed from."""

    posterior: Posterior
    """Posterior of the tested model."""
    nested: Posterior | None
    """Posterior of the smaller model, with the likelihood of the tested one."""
    limits: JointSigmaSpec | None
    """Limits of the other measurements in joint sigmas; None leaves joint sigmas out."""
    seed: int
    truth: FloatArray
    """Expectation of each datum under the hypothesis, shape (k,)."""
    pool: FloatArray
    """Starting points, shape (n, d), see :func:`zpfit.analysis.toys.refit.solution_pool`."""
    nested_pool: FloatArray | None
    """Starting points of the smaller model."""
    known: FloatArray
    """Best fit of the data, shape (1, d), from which every experiment starts as well."""
    nested_known: FloatArray | None
    """Best fit of the smaller model."""
    toys_per_block: int = TOYS_PER_BLOCK

    def column_names(self) -> list[str]:
        """Return the names of the columns of a block: toy, statistics and data."""
        names = ["toy", CHI2, CHI2_NO_ZPRIME, DELTA_CHI2]
        names += [CHI2_NESTED, DELTA_CHI2_NESTED] if self.nested is not None else []
        names += [JOINT_SIGMA] if self.limits is not None else []
        return names + [f"data[{name}]" for name in self.posterior.likelihood.data_names]


@dataclass(frozen=True)
class BlockResult:
    """The toys of a block."""

    columns: Mapping[str, FloatArray]
    """Statistics and data by name, each of shape (toys,)."""
    fit_seconds: float
    """Processor time of the refits."""
    joint_sigma_seconds: float
    """Processor time of the joint sigmas."""


def blocks_of(toys: int, toys_per_block: int) -> list[range]:
    """Return the numbers of the toys of each block; the last block may be shorter.

    Examples
    --------
    >>> blocks_of(120, 50)
    [range(0, 50), range(50, 100), range(100, 120)]
    """
    first = range(0, toys, toys_per_block)
    return [range(one, min(one + toys_per_block, toys)) for one in first]


def toy_block(problem: ToyProblem, toys: range) -> BlockResult:
    """Draw the toys of a block and refit them.

    Parameters
    ----------
    problem
        Posterior, hypothesis and starting points.
    toys
        Numbers of the toys, from :func:`blocks_of`.
    """
    block = toys.start // problem.toys_per_block
    likelihood = problem.posterior.likelihood
    data = pseudo_data(likelihood, problem.truth, problem.seed, toys)
    result = statistics(problem, data, search_rng(problem.seed, _BLOCK_STREAM, block))
    drawn = {f"data[{n}]": x for n, x in zip(likelihood.data_names, data.T, strict=True)}
    columns = {"toy": np.array(toys, dtype=float), **result.columns, **drawn}
    return replace(result, columns=columns)


def statistics(problem: ToyProblem, data: FloatArray, rng: np.random.Generator) -> BlockResult:
    """Compute every statistic of some experiments with the fast refit.

    Parameters
    ----------
    problem
        Posterior, hypothesis and starting points.
    data
        Data of the experiments, shape (toys, k).
    rng
        Random numbers of the searches.
    """
    posterior = problem.posterior
    # One stream for each search: leaving one out must not change the others.
    fit_rng, nested_rng, level_rng = rng.spawn(3)
    started = time.process_time()
    fits = refit(posterior, problem.pool, data, fit_rng, known=problem.known)
    without = chi2_without(posterior, data)
    columns = {
        CHI2: fits.chi2,
        CHI2_NO_ZPRIME: without,
        DELTA_CHI2: _difference(without, fits.chi2),
    }
    if problem.nested is not None and problem.nested_pool is not None:
        smaller = refit(
            problem.nested, problem.nested_pool, data, nested_rng, known=problem.nested_known
        )
        columns |= {
            CHI2_NESTED: smaller.chi2,
            DELTA_CHI2_NESTED: _difference(smaller.chi2, fits.chi2),
        }
    fitted = time.process_time()
    if problem.limits is not None:
        columns[JOINT_SIGMA] = joint_sigmas(
            posterior, problem.pool, data, fits.u, problem.limits, level_rng
        )
    return BlockResult(columns, fitted - started, time.process_time() - fitted)


def _difference(smaller: FloatArray, larger: FloatArray) -> FloatArray:
    """Return chi2 of the smaller model less that of the larger one.

    It is infinite, which counts as extreme, where a search has found no allowed point.
    """
    found = np.isfinite(smaller) & np.isfinite(larger)
    return np.where(found, smaller - np.where(found, larger, 0), np.inf)


def chi2_without(posterior: Posterior, data: FloatArray) -> FloatArray:
    """Return chi2 of each experiment without a Z'.

    Parameters
    ----------
    posterior
        Posterior with the likelihood of the experiments.
    data
        Data of the experiments, shape (toys, k).

    Returns
    -------
    array, shape (toys,)
    """
    c = Couplings.none().take(np.zeros(len(data), dtype=np.intp))
    residuals = posterior.likelihood.residuals(c, 0.0, data)
    result: FloatArray = np.einsum("nk,nk->n", residuals, residuals)
    return result


def truth_of(posterior: Posterior, u: FloatArray | None) -> FloatArray:
    """Return the expectation of each measurement at a point, or without a Z'.

    Parameters
    ----------
    posterior
        Posterior with model and likelihood.
    u
        Point of the unit cube, shape (d,); None for no Z'.

    Returns
    -------
    array, shape (k,)
    """
    hypothesis = Couplings.none() if u is None else posterior.couplings(u[None])
    return predictions(posterior.likelihood, hypothesis)
