"""Coverage with several processes, and the files that hold it.

Workers read the run file themselves, because a posterior with a user's Python model cannot be sent
to another process.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zpfit.analysis.coverage import (
    Columns,
    Coverage,
    CoverageProblem,
    coverage,
    coverage_block,
)
from zpfit.analysis.records import CoverageRecord
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.registry import packages_behind
from zpfit.io.arrays import FloatArray
from zpfit.io.versions import versions
from zpfit.io.writing import as_json, make_room, write_together, write_whole
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.figure_file import PLAIN, FigureStyle
from zpfit.runs.toy_folder import as_csv
from zpfit.runs.toys import RunSource, run_from
from zpfit.runs.workers import open_workers

RESULTS = ("coverage.json", "coverage.csv", "coverage.png", "coverage.pdf")
"""Files of a coverage: the fractions, a row for each toy, and the figure."""
_DPI = 300


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

        def run_blocks(
            problem: CoverageProblem, blocks: Sequence[range]
        ) -> Iterator[tuple[range, Columns]]:
            tasks = [_BlockTask.of(request.file, problem, block) for block in blocks]
            names = [f"toys {block.start} to {block.stop - 1}" for block in blocks]
            for index, columns in workers.run_all(_run_block, tasks, names, "blocks of toys"):
                yield blocks[index], columns

        return coverage(
            run_from(request.file),
            request.at,
            request.toys,
            credible=request.credible,
            progress=progress,
            run_blocks=run_blocks,
        )


def coverage_record(found: Coverage, engine: str) -> CoverageRecord:
    """Return a coverage in the form of JSON, with the versions of the packages behind it."""
    return {**found.record(), "versions": versions(packages_behind(engine))}


def write_coverage(
    found: Coverage, record: CoverageRecord, folder: Path, *, force: bool
) -> tuple[Path, ...]:
    """Write the files of a coverage.

    Raises
    ------
    FilesExist
        A file exists and ``force`` is false.
    UnwritablePath
        The folder cannot be written.
    """
    make_room(folder, RESULTS, force=force)
    data, table, *_ = RESULTS
    texts = {data: as_json(record), table: as_csv(found.columns)}

    def writer(text: str) -> Callable[[Path], object]:
        return lambda path: path.write_text(text, encoding="utf-8")

    written = write_together(folder, [(name, writer(text)) for name, text in texts.items()])
    return (*written, *draw_coverage(record, folder / data))


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
