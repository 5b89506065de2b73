"""Comparisons in folders: fit missing runs, compare, draw and write."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zpfit.analysis.compare import (
    NO_ZPRIME,
    Comparison,
    RunJobs,
    check_reference,
    compare,
    one_after_another,
)
from zpfit.analysis.fit import FitResult, fit
from zpfit.analysis.records import ComparisonRow, WrittenComparisonRow
from zpfit.errors import ProblemCollector
from zpfit.inference.problem import Problem
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.samplers import vegas
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.writing import make_room, write_json, write_text, write_whole
from zpfit.models.effective import Effective
from zpfit.runs.execution import Start, carry_out, check_room, check_same, claimed, keep_result
from zpfit.runs.figure_file import PLAIN, FigureStyle
from zpfit.runs.finished_run import read_fit
from zpfit.runs.pools import can_be_sent, cores
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.side_by_side import Finished
from zpfit.runs.side_by_side import workers as side_by_side

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ComparisonSource = str | Problem | FitResult
"""Path or name of a run, folder of a finished run, problem to fit, or fit."""

_ROWS, _RUNS = "compare.json", "runs"
"""File of the rows, and folder of the runs that a comparison fits."""
_UNFINISHED = "compare.unfinished.json"
"""The rows while plots are drawn."""
_FILES = (
    _ROWS,
    *(f"{plot}.{kind}" for plot in ("evidence", "chi2", "couplings") for kind in ("png", "pdf")),
)
"""Files of a comparison beside the folders of its runs."""
_NEEDED = ("zpfit.runs.comparison", "zpfit.inference.samplers.vegas_map")
"""Modules of the jobs of a comparison."""
_SEED = 1
"""Seed of the choice of samples in a plot that is drawn again."""
_OVERLAID = 20_000
"""Samples of each model that the corner plot shows."""


def compare_all(
    sources: Sequence[ComparisonSource],
    output: Path | None,
    reference: str | None,
    seed: int,
    progress: Progress,
    *,
    force: bool = False,
    workers: int | None = None,
) -> tuple[Comparison, list[str]]:
    """Fit what is not fitted yet, and compare all fits.

    Parameters
    ----------
    sources
        Run files, names of packaged runs, folders of finished runs, problems and fits.
    output
        Folder of the rows, the plots and the runs. Runs that a stopped comparison has left there
        are reused or resumed. Without it, fits are made in memory.
    reference
        Model in the denominator of the Bayes factors; by default none, without a Z'.
    seed
        Seed of what the comparison computes; fits have their own.
    progress
        Receiver of progress.
    force
        Replace what the folder holds.
    workers
        Number of processes; by default one for each core. Results do not depend on it.

    Returns
    -------
    Comparison
        Result of :func:`zpfit.analysis.compare.compare`.
    list of str
        A message for each plot that failed.

    Raises
    ------
    InvalidInput
        Everything that is wrong with the sources.
    FilesExist, RunMismatch
        The output folder holds another result and ``force`` is not given.
    UnwritablePath
        The output cannot be written.
    """
    planned = _planned(sources, output)
    check_reference([plan.problem for plan in planned], reference or NO_ZPRIME)
    if output is not None:
        make_room(output, _FILES, force=force or (output / _UNFINISHED).exists())
    # Folders are checked, and fits at hand are kept, before the first fit begins.
    for plan in planned:
        _prepare(plan, force=force)
    with _jobs_side_by_side(planned, workers or cores(), progress) as run_jobs:
        fits = _fitted(planned, run_jobs, progress, force=force)
        result = compare(fits, reference or NO_ZPRIME, seed, progress, run_jobs)
    if output is None:
        return result, []
    folders = {
        plan.name: os.path.relpath(plan.folder.path, output)
        for plan in planned
        if plan.folder is not None
    }
    return result, write_comparison(result, output, folders, seed)


def write_comparison(
    result: Comparison, output: Path, folders: Mapping[str, str], seed: int
) -> list[str]:
    """Write rows and plots of a comparison to a folder.

    Parameters
    ----------
    result
        The comparison.
    output
        Folder, which exists.
    folders
        Folder of each run by its name, relative to ``output``.
    seed
        Seed of the choice of samples in the corner plot.

    Returns
    -------
    list of str
        A message for each plot that failed.
    """
    rows: list[WrittenComparisonRow] = [
        {**row, "folder": folders.get(row["run"])} for row in result.rows
    ]
    # A comparison that is killed while it draws can be told from a complete one, and from a folder
    # with other plots.
    write_json(output / _UNFINISHED, rows)
    (output / _ROWS).unlink(missing_ok=True)
    problems = _write_plots(result, output, seed)
    (output / _UNFINISHED).replace(output / _ROWS)
    return problems


class _Plan(NamedTuple):
    """A fit of a comparison, made or to be made."""

    name: str
    problem: Problem
    folder: RunFolder | None
    """Folder that is read or to be written; None in memory."""
    fit: FitResult | None = None
    """The fit, if it is made."""
    kept: bool = False
    """Whether the fit lies in the folder already."""


def _planned(sources: Sequence[ComparisonSource], output: Path | None) -> list[_Plan]:
    """Return the plan of each source.

    Raises
    ------
    InvalidInput
        Some sources cannot be used, or share their name; lists all problems.
    """
    problems, planned = ProblemCollector(), []
    for source in sources:
        with problems.collecting():
            planned.append(_plan(source, output))
    names = [plan.name for plan in planned]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(
            f"{name!r} is given twice; runs and folders need names of their own, "
            "dictionaries titles of their own"
        )
    problems.raise_if_any()
    return planned


def _plan(source: ComparisonSource, output: Path | None) -> _Plan:
    if isinstance(source, str) and Path(source).is_dir():
        folder = RunFolder(Path(source))
        found = read_fit(folder)
        return _Plan(found.name, found.problem, folder, found, kept=True)
    made = source if isinstance(source, FitResult) else None
    if isinstance(source, FitResult):
        problem = source.problem
    else:
        loaded = load_run(find_run_file(source)) if isinstance(source, str) else source
        problem = _without_chains(loaded)
    name = problem.name if made is None else made.name
    folder_of_run = None if output is None else RunFolder(output / _RUNS / name)
    return _Plan(name, problem, folder_of_run, made)


def _without_chains(problem: Problem) -> Problem:
    """Return a problem that weighted samples answer, unless its run file names an engine.

    Chains take half of the time of a fit, and a comparison needs none.
    """
    if "engine" in problem.settings.sampler.model_fields_set:
        return problem
    return replace(problem, settings=problem.settings.with_engine(vegas.ENGINE.name))


def _prepare(plan: _Plan, *, force: bool) -> None:
    """Keep a fit at hand in its folder, or check the folder of a fit to be made."""
    if plan.kept or plan.folder is None:
        return
    if plan.fit is None:
        check_room(plan.folder, start := _start(plan, force=force))
        if start is Start.CONTINUE:
            check_same(plan.problem, plan.folder)
    else:
        keep_result(plan.fit, plan.folder, force=force)


def _start(plan: _Plan, *, force: bool) -> Start:
    """Return how to start a run: a comparison that was stopped has left some of its runs."""
    if force:
        return Start.REPLACE
    folder = plan.folder
    left = folder is not None and (folder.is_unfinished or folder.is_finished)
    return Start.CONTINUE if left else Start.NEW


@contextmanager
def _jobs_side_by_side(
    planned: Sequence[_Plan], number: int, progress: Progress
) -> Iterator[RunJobs]:
    """Open processes for the jobs of a comparison, if there are several that can be sent to them.

    A model or an observable that was defined in a Python session stays in its process.
    """
    if min(number, len(planned)) < 2 or not can_be_sent([plan.problem for plan in planned]):
        yield one_after_another
        return
    with side_by_side(_NEEDED, min(number, len(planned)) - 1) as pool:
        yield lambda jobs: pool.results_of(jobs, Finished(progress))


def _fitted(
    planned: Sequence[_Plan], run_jobs: RunJobs, progress: Progress, *, force: bool
) -> list[FitResult]:
    """Return all fits; those that are missing are made."""
    starts = [(plan, _start(plan, force=force)) for plan in planned if plan.fit is None]
    for plan, start in starts:
        progress.stage(f"{_verb(plan, start)} {plan.name}")
    jobs = {f"fit of {plan.name}": partial(_finished, plan, start) for plan, start in starts}
    made = run_jobs(jobs)
    for fitted in made.values():
        for text in (*fitted.problem.notes, *fitted.summary["shortcomings"]):
            progress.note(f"{fitted.name}: {text}")
    return [plan.fit or made[f"fit of {plan.name}"] for plan in planned]


def _verb(plan: _Plan, start: Start) -> str:
    """Return what is done about a run."""
    if start is not Start.CONTINUE or plan.folder is None:
        return "Fitting"
    return "Reading" if plan.folder.is_finished else "Resuming"


def _finished(plan: _Plan, start: Start) -> FitResult:
    """Make the fit of a plan, or read it where a comparison that was stopped has made it."""
    if plan.folder is None:
        return fit(plan.problem)
    with claimed(plan.problem, plan.folder, start) as claim:
        if claim.finished:
            return read_fit(plan.folder, plan.name)
        result = carry_out(claim, SILENT, plots=False)
    shortcomings = result.summary["shortcomings"]
    text = "".join(f"Not converged: {problem}\n" for problem in shortcomings)
    write_text(plan.folder.log_path, text)
    return result


def _write_plots(result: Comparison, output: Path, seed: int) -> list[str]:
    fits = {fitted.name: fitted for fitted in result.fits}
    problems = []
    for name, draw in _figures(list(result.rows), fits, seed).items():
        try:
            _write_plot(output / name, draw, PLAIN)
        except Exception as error:  # noqa: BLE001 - a failed plot must not lose the comparison
            problems.append(f"{name} plot failed: {type(error).__name__}: {error}")
    return problems


def draw_comparison(
    rows: Sequence[WrittenComparisonRow], output: Path, style: FigureStyle = PLAIN
) -> list[Path]:
    """Draw the plots of a comparison again; return the files.

    The overlaid posteriors need the folders of all runs, and are left as they are without them.

    Parameters
    ----------
    rows
        Content of ``compare.json``.
    output
        Folder of the comparison.
    style
        Description of the figures and style sheets.
    """
    places = {row["run"]: row.get("folder") for row in rows if row["model"] != NO_ZPRIME}
    folders = {
        name: RunFolder(output / (place or f"{_RUNS}/{name}")) for name, place in places.items()
    }
    there = all(folder.is_finished for folder in folders.values())
    fits = {name: read_fit(folder, name) for name, folder in folders.items()} if there else {}
    written = []
    for name, draw in _figures(list(rows), fits, _SEED).items():
        written += _write_plot(output / name, draw, style)
    return written


def _figures(
    rows: Sequence[ComparisonRow], fits: Mapping[str, FitResult], seed: int
) -> dict[str, "Callable[[FigureSpec], Figure]"]:
    """Return the figures of a comparison by the names of their files."""
    from zpfit.plots.comparison import chi2_figure, evidence_figure, overlay_figure
    from zpfit.plots.run_labels import run_labels

    figures: dict[str, Callable[[FigureSpec], Figure]] = {
        "evidence": lambda spec: evidence_figure(rows, spec),
        "chi2": lambda spec: chi2_figure(rows, spec),
    }
    if fits:
        rng = np.random.default_rng(seed)
        samples = _couplings(list(fits.values()), rng)
        labels = dict(zip((row["run"] for row in rows), run_labels(rows, {}), strict=True))
        figures["couplings"] = lambda spec: overlay_figure(samples, _SYMBOLS, spec, labels)
    return figures


def _write_plot(
    stem: Path, draw: "Callable[[FigureSpec], Figure]", style: FigureStyle
) -> list[Path]:
    from zpfit.plots.style import pdf, png

    image, vector = stem.with_suffix(".png"), stem.with_suffix(".pdf")
    with style.context():
        figure = draw(style.spec)
        write_whole(image, png(figure, dpi=200))
        write_whole(vector, pdf(figure))
    return [image, vector]


_SYMBOLS = {
    parameter.name: parameter.symbol
    for parameter in Effective().parameters
    if not parameter.name.endswith("tau")
}


def _couplings(
    fits: Sequence[FitResult], rng: np.random.Generator
) -> dict[str, dict[str, FloatArray]]:
    """Return samples of the couplings of equal weight, by the name of each run."""
    result = {}
    for finished in fits:
        weight = np.exp(finished.log_weight)
        chosen = rng.choice(len(weight), _OVERLAID, p=weight / weight.sum())
        result[finished.name] = dict(finished.couplings().take(chosen).items())
    return result
