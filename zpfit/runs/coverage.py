"""Coverage with several processes, and the files that hold it.

Workers read the run file themselves, because a posterior with a user's Python model cannot be sent
to another process.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zpfit.analysis.coverage import (
    TOYS_PER_BLOCK,
    Columns,
    Coverage,
    CoverageProblem,
    check_truth,
    coverage,
    coverage_block,
    coverage_of,
    prepare_coverage,
)
from zpfit.analysis.records import CoverageRecord
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.registry import packages_behind
from zpfit.io.arrays import FloatArray
from zpfit.io.versions import versions
from zpfit.io.writing import as_json, make_folder, write_together, write_whole
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.figure_file import PLAIN, FigureStyle
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.toy_folder import POOL, ToyFolder, as_csv, resumable_workers
from zpfit.runs.toys import RunSource, origin_of, run_from
from zpfit.runs.workers import Workers, open_workers

RESULTS = ("coverage.json", "coverage.csv", "coverage.png", "coverage.pdf")
"""Files of a coverage: the fractions, a row for each toy, and the figure."""
_DPI = 300
_TRUTH, _PREDICTED = "truth", "predicted"
"""Names of arrays that every block starts from, beside the pool."""
_DECISIVE = ("model", "likelihood", "priors", "sampler", "vegas", "dynesty")
"""Keys of a run file on which the toys of a coverage depend."""


@dataclass(frozen=True)
class CoverageRequest:
    """A number of toys at a true point."""

    file: RunSource
    """The run."""
    at: Mapping[str, float]
    """True value of every sampled parameter."""
    toys: int
    """Number of toys."""
    credible: bool = True
    """Sample the posterior of each toy."""


@dataclass(frozen=True, eq=False)
class _BlockTask:
    """A block of toys, in a form that can be sent to a worker."""

    file: RunSource
    truth: FloatArray
    predicted: FloatArray
    pool: FloatArray
    credible: bool
    toys: range

    @classmethod
    def of(cls, file: RunSource, problem: CoverageProblem, toys: range) -> "_BlockTask":
        return cls(file, problem.truth, problem.predicted, problem.pool, problem.credible, toys)


def _run_block(task: _BlockTask) -> Columns:
    """Compute a block of toys, in a worker."""
    run = run_from(task.file)
    problem = CoverageProblem(run, task.truth, task.predicted, task.pool, task.credible)
    return coverage_block(problem, task.toys)


def coverage_in_processes(
    request: CoverageRequest, choice: ExecutorChoice, progress: Progress
) -> Coverage:
    """Measure coverage with several processes; nothing is written.

    Parameters
    ----------
    request
        The run, the truth and the number of toys.
    choice
        The executor and its number of workers.
    progress
        Gets the stages and the number of finished toys.

    Raises
    ------
    FailedTasks
        Some blocks have failed.
    InvalidInput, OutsidePrior, NoSamplingDistribution
        See :func:`zpfit.analysis.coverage.coverage`.
    MissingExtra, SchedulerUnreachable, MultithreadedWorkers
        The executor cannot be opened, see :func:`zpfit.runs.workers.open_workers`.
    """
    with open_workers(choice) as workers:
        return coverage(
            run_from(request.file),
            request.at,
            request.toys,
            credible=request.credible,
            progress=progress,
            run_blocks=lambda problem, blocks: _run_blocks(request.file, problem, blocks, workers),
        )


def _run_blocks(
    file: RunSource, problem: CoverageProblem, blocks: Sequence[range], workers: Workers
) -> Iterator[tuple[range, Columns]]:
    """Compute blocks with workers and yield each when it is ready."""
    tasks = [_BlockTask.of(file, problem, block) for block in blocks]
    names = [f"toys {block.start} to {block.stop - 1}" for block in blocks]
    for index, columns in workers.run_all(_run_block, tasks, names, "blocks of toys"):
        yield blocks[index], columns


def coverage_in_folder(
    request: CoverageRequest,
    path: Path,
    choice: ExecutorChoice,
    progress: Progress,
    *,
    force: bool,
) -> tuple[CoverageRecord, Coverage]:
    """Measure coverage with the toys in a folder, and draw those that are missing.

    Parameters
    ----------
    request
        The run, the truth and the number of toys.
    path
        Folder of toys and results.
    choice
        The executor and its number of workers.
    progress
        Gets the stages and the number of finished toys.
    force
        Delete the toys in the folder and draw them again.

    Returns
    -------
    record : CoverageRecord
        The content of ``coverage.json``.
    coverage : Coverage
        Counts for each parameter, and the columns of the toys.

    Raises
    ------
    ToysMismatch, FilesExist, UnwritablePath
        The folder cannot be used, see :meth:`zpfit.runs.toy_folder.ToyFolder.open`.
    FolderInUse
        Another process works in the folder.
    FailedTasks
        Some blocks have failed; the others are stored.
    Stopped
        On SIGINT or SIGTERM; the same request resumes.
    InvalidInput, OutsidePrior, NoSamplingDistribution
        See :func:`zpfit.analysis.coverage.coverage`.
    """
    run, folder = run_from(request.file), ToyFolder(path, RESULTS)
    check_truth(run.posterior, request.at)
    make_folder(path)
    with RunFolder(path).locked():
        with resumable_workers(choice) as workers:
            folder.open(_origin(request, run), force=force)
            problem = _prepared(request, run, folder, progress)
            columns = folder.complete(
                request.toys,
                TOYS_PER_BLOCK,
                problem.column_names(),
                lambda blocks: _run_blocks(request.file, problem, blocks, workers),
                progress,
            )
        found = coverage_of(run, request.at, columns)
        record = coverage_record(found, run.settings.sampler.engine)
        write_coverage(found, record, path)
    return record, found


def _origin(request: CoverageRequest, run: Problem) -> dict[str, Any]:
    """Return all inputs of the toys but their number."""
    return {
        "versions": versions(packages_behind(run.settings.sampler.engine)),
        "seed": run.settings.seed,
        "at": {name: float(value) for name, value in request.at.items()},
        "credible": request.credible,
        "run": origin_of(run, *_DECISIVE),
        "toys_per_block": TOYS_PER_BLOCK,
    }


def _prepared(
    request: CoverageRequest, run: Problem, folder: ToyFolder, progress: Progress
) -> CoverageProblem:
    """Read the starting points from the folder, or compute and store them."""
    stored = folder.start(run.posterior, _TRUTH, _PREDICTED)
    if stored is None:
        found = prepare_coverage(run, request.at, progress, credible=request.credible)
        arrays = {_TRUTH: found.truth, _PREDICTED: found.predicted, POOL: found.pool}
        folder.write_start(run.posterior, arrays)
        return found
    return CoverageProblem(run, stored[_TRUTH], stored[_PREDICTED], stored[POOL], request.credible)


def coverage_record(found: Coverage, engine: str) -> CoverageRecord:
    """Return a coverage in the form of JSON, with the versions of the packages behind it."""
    return {**found.record(), "versions": versions(packages_behind(engine))}


def write_coverage(found: Coverage, record: CoverageRecord, folder: Path) -> None:
    """Write the files of a coverage, its figure among them.

    Raises
    ------
    UnwritablePath
        The folder cannot be written.
    """
    data, table, *_ = RESULTS
    texts = {data: as_json(record), table: as_csv(found.columns)}

    def writer(text: str) -> Callable[[Path], object]:
        return lambda path: path.write_text(text, encoding="utf-8")

    write_together(folder, [(name, writer(text)) for name, text in texts.items()])
    draw_coverage(record, folder / data)


def draw_coverage(
    record: CoverageRecord, data: Path, style: FigureStyle = PLAIN
) -> tuple[Path, ...]:
    """Draw a coverage beside its JSON file; return the files."""
    from zpfit.plots.coverage import coverage_figure
    from zpfit.plots.style import pdf, png

    image, vector = (data.with_suffix(suffix) for suffix in (".png", ".pdf"))
    with style.context():
        figure = coverage_figure(record, style.spec)
        write_whole(image, png(figure, dpi=_DPI))
        write_whole(vector, pdf(figure))
    return image, vector
