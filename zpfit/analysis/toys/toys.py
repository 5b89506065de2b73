"""Calibrated p-values from pseudo-experiments ("toys"), in memory.

Toys are drawn from a hypothesis, each is fitted as the data were fitted, and the fraction of toys
that are at least as extreme as the data is the p-value. The steps are public so that
:mod:`zpfit.runs.toys` can store their results in a folder and compute blocks in other processes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zpfit.analysis.joint_sigma import joint_sigma_or_none
from zpfit.analysis.toys.block import (
    CHI2,
    CHI2_NESTED,
    CHI2_NO_ZPRIME,
    DELTA_CHI2,
    DELTA_CHI2_NESTED,
    JOINT_SIGMA,
    TOYS_PER_BLOCK,
    BlockResult,
    ToyProblem,
    blocks_of,
    chi2_without,
    statistics,
    toy_block,
    truth_of,
)
from zpfit.analysis.toys.pseudo_data import pseudo_data, search_rng
from zpfit.analysis.toys.refit import solution_pool
from zpfit.analysis.toys.statistics import (
    Hypothesis,
    Rates,
    Toys,
    compare_with_data,
    find_shortcomings,
    naive_degrees,
)
from zpfit.errors import FailedRefit, InvalidInput, ModelsNotNested
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress, Silent
from zpfit.inference.search.best_fit import best_fit, starting_points
from zpfit.io.arrays import FloatArray

_PREPARATION = 0
"""First key of the random streams of searches before the blocks."""
_FIT, _NESTED_FIT, _JOINT_SIGMA, _POOL, _NESTED_POOL, _DATA = 0, 1, 2, 3, 4, 9
"""Second key: one stream for each search."""

RunBlocks = Callable[[ToyProblem, Sequence[range]], Iterator[tuple[range, BlockResult]]]
"""Computes blocks of toys and yields each with the numbers of its toys, in any order."""


@dataclass(frozen=True)
class Setup:
    """A tested model, a hypothesis and a smaller model that fit together."""

    run: Problem
    hypothesis: Hypothesis
    nested: Problem | None
    joint_sigma: bool
    toys_per_block: int = TOYS_PER_BLOCK

    @property
    def nested_posterior(self) -> Posterior | None:
        """Posterior of the smaller model, with the measurements in the order of the larger one."""
        if self.nested is None:
            return None
        return replace(self.nested.posterior, likelihood=self.run.posterior.likelihood)


@dataclass(frozen=True, eq=False)
class Preparation:
    """Results of the searches that come before the first toy; all arrays can be pickled."""

    observed: Mapping[str, float]
    """Statistics of the data by global searches. The joint sigma is infinite where it does not
    exist."""
    truth: FloatArray
    """Expectation of each datum under the hypothesis, shape (k,)."""
    pool: FloatArray
    """Starting points of the fast refit, shape (n, d)."""
    nested_pool: FloatArray | None
    """Starting points of the smaller model."""
    best: FloatArray
    """Best fit of the data by the global search, shape (1, d)."""
    nested_best: FloatArray | None
    """Best fit of the smaller model."""


@dataclass(frozen=True)
class RefittedData:
    """Statistics of the data by the fast refit."""

    observed: Mapping[str, float]
    """With the best fit of the data among the starts, as for every toy."""
    unaided: Mapping[str, float]
    """Without it: the difference shows how good the refit of toys is."""


def toys(
    run: Problem,
    n: int,
    *,
    hypothesis: Hypothesis = "no-zprime",
    nested: Problem | None = None,
    joint_sigma: bool = True,
    progress: Progress | None = None,
    run_blocks: RunBlocks | None = None,
    toys_per_block: int = TOYS_PER_BLOCK,
) -> Toys:
    """Draw ``n`` pseudo-experiments, refit each, and return the p-values of the data.

    The seed of the run decides every number. Toy i is the same whatever ``n`` is, but for the toys
    of a last block that is not complete: their data are the same, their searches share fewer
    solutions.

    Parameters
    ----------
    run
        The tested model with its data.
    n
        Number of toys, at least 1.
    hypothesis
        Where toys are drawn: ``"no-zprime"``, ``"best-fit"`` (of ``run``) or ``"nested"`` (best fit
        of the smaller model).
    nested
        A smaller model on the same data, compared with ``run`` by the difference in chi2.
    joint_sigma
        Compute the joint sigma of each toy, if the likelihood has anomalies.
    progress
        Gets the stages and the number of finished toys. The default reports nothing.
    run_blocks
        Computes the blocks, by default one after the other in this process.
    toys_per_block
        Number of toys that share their batches. It changes last digits.

    Returns
    -------
    Toys
        Statistics, p-values and the toys themselves.

    Raises
    ------
    InvalidInput
        The hypothesis is ``"nested"`` and there is no smaller model.
    ModelsNotNested
        ``nested`` has other data, or as many parameters as ``run``.
    NoSamplingDistribution
        A measurement is a table of chi2.
    NoAllowedPoint, UndefinedValue
        A search fails, as in :func:`zpfit.analysis.fit.fit`.
    FailedRefit
        The fast search fails for the data, although the global one succeeds.
    """
    progress = progress or Silent()
    checked = check_setup(run, hypothesis, nested, joint_sigma=joint_sigma)
    setup = replace(checked, toys_per_block=toys_per_block)
    preparation = prepare(setup, progress)
    problem = toy_problem(setup, preparation)
    data = check_of_data(preparation, problem)
    wanted = blocks_of(n, toys_per_block)
    progress.stage(f"{n} toys")
    blocks: dict[range, BlockResult] = {}
    for block, result in (run_blocks or run_blocks_here)(problem, wanted):
        blocks[block] = result
        toys_done = sum(map(len, blocks))
        progress.update(toys_done / n, f"{toys_done} toys")
    columns = join_blocks(problem, [blocks[block].columns for block in wanted], n)
    return summarise(setup, preparation, data, columns, Rates.of(list(blocks.values())))


def run_blocks_here(
    problem: ToyProblem, blocks: Sequence[range]
) -> Iterator[tuple[range, BlockResult]]:
    """Compute blocks one after the other in this process."""
    for block in blocks:
        yield block, toy_block(problem, block)


def check_setup(
    run: Problem, hypothesis: Hypothesis, nested: Problem | None, *, joint_sigma: bool
) -> Setup:
    """Check that model, hypothesis and smaller model fit together.

    Without anomalies in the likelihood there is no joint sigma, whatever ``joint_sigma`` says.

    Raises
    ------
    InvalidInput, ModelsNotNested, NoSamplingDistribution
        See :func:`toys`.
    """
    posterior = run.posterior
    _check_nested(run, hypothesis, nested)
    # Raises where a measurement has no sampling distribution, before anything is computed.
    pseudo_data(posterior.likelihood, truth_of(posterior, None), 0, range(1))
    return Setup(run, hypothesis, nested, joint_sigma and bool(posterior.likelihood.anomalies))


def _check_nested(run: Problem, hypothesis: Hypothesis, nested: Problem | None) -> None:
    if nested is None:
        if hypothesis == "nested":
            raise InvalidInput(
                ["hypothesis 'nested': no smaller model; give the run file of a smaller model"]
            )
        return
    if _data_of(nested) != _data_of(run):
        raise ModelsNotNested(Path(nested.name), f"its likelihood is not that of {run.name}")
    if nested.posterior.dimension >= run.posterior.dimension:
        raise ModelsNotNested(
            Path(nested.name),
            f"it has {nested.posterior.dimension} sampled parameters, not fewer than the "
            f"{run.posterior.dimension} of {run.name}",
        )


def _data_of(run: Problem) -> tuple[str, dict[str, bool]]:
    soft = {exclusion.name: exclusion.soft for exclusion in run.posterior.likelihood.exclusions}
    return run.assembled.data_hash(), soft


def prepare(setup: Setup, progress: Progress) -> Preparation:
    """Fit the data by global searches and find starting points for the toys.

    Raises
    ------
    NoAllowedPoint, UndefinedValue
        A search fails.
    """
    observed, best_u, nested_u = _fit_data(setup, progress)
    posterior, seed = setup.run.posterior, setup.run.settings.seed
    truth = _truth(setup, best_u, nested_u)
    progress.stage("Starting points of the fast refit")
    pool = solution_pool(posterior, truth, search_rng(seed, _PREPARATION, _POOL))
    nested_pool = None
    if (nested := setup.nested_posterior) is not None:
        nested_pool = solution_pool(nested, truth, search_rng(seed, _PREPARATION, _NESTED_POOL))
    smaller = None if nested_u is None else nested_u[None]
    return Preparation(observed, truth, pool, nested_pool, best_u[None], smaller)


def _fit_data(
    setup: Setup, progress: Progress
) -> tuple[dict[str, float], FloatArray, FloatArray | None]:
    """Return the statistics of the data and the best fits of both models."""
    run, posterior, seed = setup.run, setup.run.posterior, setup.run.settings.seed
    progress.stage("Global best fit of the data")
    best_u, chi2 = _global_fit(run, posterior, search_rng(seed, _PREPARATION, _FIT))
    without = float(chi2_without(posterior, posterior.likelihood.data[None])[0])
    observed = {CHI2: chi2, CHI2_NO_ZPRIME: without, DELTA_CHI2: without - chi2}
    nested_u = None
    if setup.nested is not None and (nested := setup.nested_posterior) is not None:
        rng = search_rng(seed, _PREPARATION, _NESTED_FIT)
        nested_u, least = _global_fit(setup.nested, nested, rng)
        observed |= {CHI2_NESTED: least, DELTA_CHI2_NESTED: least - chi2}
    if setup.joint_sigma:
        progress.stage("Joint sigma of the data")
        observed |= _joint_sigma(run, progress)
    return observed, best_u, nested_u


def _joint_sigma(run: Problem, progress: Progress) -> dict[str, float]:
    rng = search_rng(run.settings.seed, _PREPARATION, _JOINT_SIGMA)
    reached, notes = joint_sigma_or_none(run.posterior, rng, run.settings.joint_sigma)
    for note in notes:
        progress.note(note)
    if reached is None:
        # A note says that the other data cannot be met: then the data count as extreme.
        return {JOINT_SIGMA: np.inf} if notes else {}
    return {JOINT_SIGMA: reached.sigma}


def _truth(setup: Setup, best_u: FloatArray, nested_u: FloatArray | None) -> FloatArray:
    posterior = setup.run.posterior
    if setup.hypothesis == "no-zprime":
        return truth_of(posterior, None)
    if setup.hypothesis == "best-fit":
        return truth_of(posterior, best_u)
    return truth_of(setup.nested_posterior or posterior, nested_u)


def _global_fit(
    run: Problem, posterior: Posterior, rng: np.random.Generator
) -> tuple[FloatArray, float]:
    start_rng, kick_rng = rng.spawn(2)
    no_samples = np.empty((0, posterior.dimension))
    starts = starting_points(run, no_samples, np.empty(0), start_rng)
    best = best_fit(posterior, starts, kick_rng)
    return best.u, best.chi2


def toy_problem(setup: Setup, preparation: Preparation) -> ToyProblem:
    """Return everything that a block of toys is computed from."""
    return ToyProblem(
        posterior=setup.run.posterior,
        nested=setup.nested_posterior,
        limits=setup.run.settings.joint_sigma if setup.joint_sigma else None,
        seed=setup.run.settings.seed,
        truth=preparation.truth,
        pool=preparation.pool,
        nested_pool=preparation.nested_pool,
        known=preparation.best,
        nested_known=preparation.nested_best,
        toys_per_block=setup.toys_per_block,
    )


def join_blocks(
    problem: ToyProblem, blocks: Iterable[Mapping[str, FloatArray]], n: int
) -> dict[str, FloatArray]:
    """Join the columns of blocks and keep the first ``n`` toys."""
    whole = list(blocks)
    return {
        name: np.concatenate([block[name] for block in whole])[:n]
        for name in problem.column_names()
    }


def summarise(
    setup: Setup,
    preparation: Preparation,
    data: RefittedData,
    columns: Mapping[str, FloatArray],
    rates: Rates,
) -> Toys:
    """Compare toys with the data.

    Parameters
    ----------
    setup
        Models and hypothesis.
    preparation
        Statistics of the data by global searches.
    data
        Statistics of the data by the fast refit, from :func:`check_of_data`.
    columns
        Columns of the toys, each of shape (toys,).
    rates
        Computing time of the toys.
    """
    run, nested = setup.run, setup.nested
    smaller = None if nested is None else nested.posterior
    degrees = naive_degrees(run.posterior, smaller, setup.hypothesis)
    found = compare_with_data(columns, data.observed, preparation.observed, degrees)
    return Toys(
        title=run.settings.title or run.name,
        model=run.posterior.model.name,
        nested=None if smaller is None else smaller.model.name,
        likelihood=run.posterior.likelihood.name,
        hypothesis=setup.hypothesis,
        seed=run.settings.seed,
        statistics=found,
        columns=columns,
        rates=rates,
        shortcomings=find_shortcomings(found, data.unaided),
        figure=run.settings.figure.as_record(),
    )


def check_of_data(preparation: Preparation, problem: ToyProblem) -> RefittedData:
    """Refit the data as toys are refitted, before any toy is drawn.

    Raises
    ------
    FailedRefit
        The fast search fails for the data, although the global one succeeds.
    """
    observed = observed_by_refit(problem)
    for name, value in observed.items():
        expected = preparation.observed.get(name, np.inf)
        if np.isfinite(expected) and not np.isfinite(value):
            raise FailedRefit(name, expected)
    alone = replace(problem, known=problem.known[:0], nested_known=None, limits=None)
    return RefittedData(observed, observed_by_refit(alone))


def observed_by_refit(problem: ToyProblem) -> dict[str, float]:
    """Return the statistics of the data by the fast refit that toys have.

    The data are the first experiment of a block whose other toys do not count. What the searches
    miss they miss in data and toys alike, so that p compares like with like.
    """
    likelihood = problem.posterior.likelihood
    rng = search_rng(problem.seed, _PREPARATION, _DATA)
    noise = rng.standard_normal((problem.toys_per_block - 1, likelihood.noise))
    block = np.vstack([likelihood.data, likelihood.sample_data(problem.truth, noise)])
    columns = statistics(problem, block, rng).columns
    return {name: float(values[0]) for name, values in columns.items()}
