"""Pseudo-experiments with several processes and a folder that stores them.

The statistics are those of :mod:`zpfit.analysis.toys.toys`. Workers read the run file themselves,
because a posterior with a user's Python model cannot be sent to another process.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.analysis.records import ToysRecord
from zpfit.analysis.toys.block import (
    TOYS_PER_BLOCK,
    BlockResult,
    ToyProblem,
    toy_block,
)
from zpfit.analysis.toys.statistics import Hypothesis, Rates, Toys
from zpfit.analysis.toys.toys import (
    Preparation,
    Setup,
    check_of_data,
    check_setup,
    prepare,
    summarise,
    toy_problem,
    toys,
)
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.registry import packages_behind
from zpfit.io.arrays import FloatArray
from zpfit.io.document import Given
from zpfit.io.versions import versions
from zpfit.io.writing import make_folder, write_whole
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.run_file import load_run, resolved_settings
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.toy_folder import POOL, Columns, ToyFolder, resumable_workers
from zpfit.runs.workers import Workers, open_workers

_CACHED_RUNS = 4
"""Run files that a process keeps in memory: a run and a smaller one, for two sets of toys."""


@dataclass(frozen=True)
class RunSource:
    """A run file and its changes, from which any process can load the same problem."""

    path: Path
    changes: tuple[tuple[str, Given], ...] = ()
    """Changed keys of the run file and their values, texts in YAML."""
    asked: str = ""
    """Identifies one command. Workers of a cluster outlive it and cache run files, which may
    change before the next command."""


@lru_cache(maxsize=_CACHED_RUNS)
def run_from(source: RunSource) -> Problem:
    """Load a run; each process reads a source once."""
    return load_run(source.path, dict(source.changes))


@dataclass(frozen=True)
class ToyRequest:
    """A number of toys of a hypothesis."""

    file: RunSource
    """The tested model and its data."""
    toys: int
    """Number of toys."""
    hypothesis: Hypothesis = "no-zprime"
    nested: RunSource | None = None
    """A smaller model on the same data."""
    joint_sigma: bool = True
    toys_per_block: int = TOYS_PER_BLOCK
    """Number of toys that are computed and stored together. It changes last digits."""

    def checked(self) -> Setup:
        """Load the runs and check that they fit together.

        Raises
        ------
        InvalidInput, ModelsNotNested, NoSamplingDistribution
            See :func:`zpfit.analysis.toys.toys.toys`.
        """
        nested = None if self.nested is None else run_from(self.nested)
        run = run_from(self.file)
        checked = check_setup(run, self.hypothesis, nested, joint_sigma=self.joint_sigma)
        return replace(checked, toys_per_block=self.toys_per_block)


@dataclass(frozen=True, eq=False)
class BlockTask:
    """A block of toys, in a form that can be sent to a worker."""

    request: ToyRequest
    """The request, with a joint sigma only if there is one."""
    preparation: Preparation
    toys: range
    """Numbers of the toys of the block."""

    def problem(self) -> ToyProblem:
        """Load the runs and return what the block is computed from."""
        request = self.request
        nested = None if request.nested is None else run_from(request.nested)
        setup = Setup(
            run_from(request.file),
            request.hypothesis,
            nested,
            request.joint_sigma,
            request.toys_per_block,
        )
        return toy_problem(setup, self.preparation)


def run_block(task: BlockTask) -> BlockResult:
    """Compute a block of toys, in a worker."""
    return toy_block(task.problem(), task.toys)


def _run_blocks(
    request: ToyRequest, preparation: Preparation, blocks: Sequence[range], workers: Workers
) -> Iterator[tuple[range, BlockResult]]:
    """Compute blocks with workers and yield each when it is ready.

    Raises
    ------
    FailedTasks
        Some blocks have failed.
    """
    tasks = [BlockTask(request, preparation, block) for block in blocks]
    names = [f"block {block.start // request.toys_per_block}" for block in blocks]
    for index, result in workers.run_all(run_block, tasks, names, "blocks of toys"):
        yield blocks[index], result


def toys_in_memory(request: ToyRequest, choice: ExecutorChoice, progress: Progress) -> Toys:
    """Draw pseudo-experiments with several processes; nothing is written.

    Parameters
    ----------
    request
        Models, hypothesis and number of toys.
    choice
        The executor and its number of workers.
    progress
        Gets the stages and the number of finished toys.

    Raises
    ------
    FailedTasks
        Some blocks have failed.
    InvalidInput, ModelsNotNested, NoSamplingDistribution, NoAllowedPoint, UndefinedValue
        See :func:`zpfit.analysis.toys.toys.toys`.
    MissingExtra, SchedulerUnreachable, MultithreadedWorkers
        The executor cannot be opened, see :func:`zpfit.runs.workers.open_workers`.
    """
    setup = request.checked()
    request = replace(request, joint_sigma=setup.joint_sigma)
    with open_workers(choice) as workers:

        def run_blocks(
            problem: ToyProblem, blocks: Sequence[range]
        ) -> Iterator[tuple[range, BlockResult]]:
            return _run_blocks(request, _preparation_of(problem), blocks, workers)

        return toys(
            setup.run,
            request.toys,
            hypothesis=request.hypothesis,
            nested=setup.nested,
            joint_sigma=request.joint_sigma,
            progress=progress,
            run_blocks=run_blocks,
            toys_per_block=request.toys_per_block,
        )


def _preparation_of(problem: ToyProblem) -> Preparation:
    """Return what workers need to build a problem again; they need no statistics of the data."""
    return Preparation(
        {},
        problem.truth,
        problem.pool,
        problem.nested_pool,
        problem.known,
        problem.nested_known,
    )


def toys_in_folder(
    request: ToyRequest,
    folder: ToyFolder,
    choice: ExecutorChoice,
    progress: Progress,
    *,
    force: bool,
) -> tuple[ToysRecord, Toys]:
    """Draw pseudo-experiments until the folder holds ``request.toys``; existing ones are reused.

    Parameters
    ----------
    request
        Models, hypothesis and number of toys.
    folder
        Folder of toys and results.
    choice
        The executor and its number of workers.
    progress
        Gets the stages and the number of finished toys.
    force
        Delete the toys in the folder and draw them again.

    Returns
    -------
    record : ToysRecord
        The content of ``toys.json``.
    toys : Toys
        Statistics, p-values and the toys themselves.

    Raises
    ------
    InvalidInput, ModelsNotNested, NoSamplingDistribution
        The request is contradictory, see :func:`zpfit.analysis.toys.toys.toys`.
    ToysMismatch, FilesExist, UnwritablePath
        The folder cannot be used, see :meth:`zpfit.runs.toy_folder.ToyFolder.open`.
    FolderInUse
        Another process works in the folder.
    NoAllowedPoint, UndefinedValue
        A search fails, as in :func:`zpfit.analysis.fit.fit`.
    FailedRefit
        The fast search fails for the data, although the global one succeeds.
    FailedTasks
        Some blocks have failed; the others are stored.
    Stopped
        On SIGINT or SIGTERM; the same request resumes.
    MissingExtra, SchedulerUnreachable, MultithreadedWorkers
        The executor cannot be opened, see :func:`zpfit.runs.workers.open_workers`.
    """
    setup = request.checked()
    request = replace(request, joint_sigma=setup.joint_sigma)
    make_folder(folder.path)
    with RunFolder(folder.path).locked():
        with resumable_workers(choice) as workers:
            folder.open(_origin(setup), force=force)
            result = _toys(request, setup, folder, workers, progress)
        packages = packages_behind(setup.run.settings.sampler.engine)
        record: ToysRecord = {**result.record(), "versions": versions(packages)}
        write_toys(record, result, folder)
    return record, result


def _toys(
    request: ToyRequest, setup: Setup, folder: ToyFolder, workers: Workers, progress: Progress
) -> Toys:
    for note in setup.run.notes:
        progress.note(note)
    preparation = _prepared(setup, folder, progress)
    problem = toy_problem(setup, preparation)
    data = check_of_data(preparation, problem)
    new: list[BlockResult] = []

    def compute(blocks: Sequence[range]) -> Iterator[tuple[range, Columns]]:
        for block, result in _run_blocks(request, preparation, blocks, workers):
            new.append(result)
            yield block, result.columns

    columns = folder.complete(
        request.toys, request.toys_per_block, problem.column_names(), compute, progress
    )
    return summarise(setup, preparation, data, columns, Rates.of(new))


def _origin(setup: Setup) -> dict[str, Any]:
    """Return all inputs of the toys but their number."""
    return {
        "versions": versions(packages_behind(setup.run.settings.sampler.engine)),
        "hypothesis": setup.hypothesis,
        "seed": setup.run.settings.seed,
        "joint_sigma": setup.joint_sigma,
        "run": origin_of(setup.run, *_DECISIVE),
        "nested": None if setup.nested is None else origin_of(setup.nested, *_DECISIVE),
        "toys_per_block": setup.toys_per_block,
    }


def origin_of(run: Problem, *keys: str) -> dict[str, Any]:
    """Return the settings of a run under these keys, and the hash of its data."""
    settings = resolved_settings(run)
    return {name: settings[name] for name in keys} | {"data_hash": run.data_hash()}


_DECISIVE = ("model", "likelihood", "priors", "best_fit", "joint_sigma")
"""Keys of a run file on which toys depend."""
_TRUTH, _NESTED_POOL, _BEST, _NESTED_BEST = "truth", "nested_pool", "best", "nested_best"
_ARRAYS = (_TRUTH, POOL, _NESTED_POOL, _BEST, _NESTED_BEST)
"""Names of arrays in the file of the preparation; the others are statistics of the data."""


def _prepared(setup: Setup, folder: ToyFolder, progress: Progress) -> Preparation:
    """Read the preparation from the folder, or compute and store it."""
    posterior = setup.run.posterior
    stored = folder.start(posterior, _TRUTH, _BEST)
    if stored is not None:
        return _from_arrays(stored)
    preparation = prepare(setup, progress)
    folder.write_start(posterior, _as_arrays(preparation))
    return preparation


def _as_arrays(preparation: Preparation) -> dict[str, FloatArray]:
    arrays = {name: np.array(value) for name, value in preparation.observed.items()}
    arrays |= {_TRUTH: preparation.truth, POOL: preparation.pool, _BEST: preparation.best}
    if preparation.nested_pool is not None and preparation.nested_best is not None:
        arrays |= {_NESTED_POOL: preparation.nested_pool, _NESTED_BEST: preparation.nested_best}
    return arrays


def _from_arrays(arrays: Mapping[str, FloatArray]) -> Preparation:
    observed = {name: float(value) for name, value in arrays.items() if name not in _ARRAYS}
    return Preparation(
        observed,
        arrays[_TRUTH],
        arrays[POOL],
        arrays.get(_NESTED_POOL),
        arrays[_BEST],
        arrays.get(_NESTED_BEST),
    )


def write_toys(record: ToysRecord, result: Toys, folder: ToyFolder) -> None:
    """Write results, table and figure to the folder.

    Raises
    ------
    UnwritablePath
        A file cannot be written.
    """
    from zpfit.plots.style import house_style, pdf, png
    from zpfit.plots.toys import toys_figure

    folder.write_results(record, result.columns)
    with house_style():
        figure = toys_figure(record, result.columns)
        write_whole(folder.path / "toys.png", png(figure))
        write_whole(folder.path / "toys.pdf", pdf(figure))
