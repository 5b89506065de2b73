"""Comparisons in folders: fit missing runs, compare, draw and write."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zpfit.analysis.compare import NO_ZPRIME, Comparison, check_reference, compare
from zpfit.analysis.fit import FitResult
from zpfit.analysis.records import WrittenComparisonRow
from zpfit.errors import ProblemCollector
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.io.arrays import FloatArray
from zpfit.io.writing import make_room, write_json, write_text, write_whole
from zpfit.models.effective import Effective
from zpfit.runs.execution import Start, carry_out, check_room, claimed
from zpfit.runs.finished_run import read_fit
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FILES = (
    "compare.json",
    *(f"{plot}.{kind}" for plot in ("evidence", "chi2", "couplings") for kind in ("png", "pdf")),
)
"""Files of a comparison beside the folders of its runs."""
_OVERLAID = 20_000
"""Samples of each model that the corner plot shows."""


def compare_all(
    files_or_runs: Sequence[str],
    output: Path | None,
    reference: str | None,
    seed: int,
    progress: Progress,
    *,
    force: bool = False,
) -> tuple[Comparison, list[str]]:
    """Result of :func:`zpfit.analysis.compare.compare`, and what went wrong with plots, in words.

    With ``output``, the rows, plots and the folders of runs fitted here are kept there; what
    is there already is replaced with ``force`` only.

    Raises
    ------
    InvalidInput
        Everything that is wrong with the arguments.
    UnwritablePath
        The output cannot be written.
    And what a fit raises.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = (output or Path(scratch)) / "runs"
        planned = _planned(files_or_runs, folder)
        check_reference([plan.run for plan in planned], reference or NO_ZPRIME)
        if output is not None:
            make_room(output, _FILES, force=force)
        for plan in planned:
            if plan.to_fit:
                check_room(plan.folder, _start(plan, force=force))
        fits = [_finished(plan, _start(plan, force=force), progress) for plan in planned]
        result = compare(fits, reference or NO_ZPRIME, seed, progress)
        if output is None:
            return result, []
        folders = {plan.name: os.path.relpath(plan.folder.path, output) for plan in planned}
        problems = write_comparison(result, output, folders, seed)
    return result, problems


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
    write_json(output / "compare.json", rows)
    return _write_plots(result, output, seed)


class _Plan(NamedTuple):
    """A run of a comparison and its folder."""

    name: str
    folder: RunFolder
    run: Problem
    to_fit: bool
    """False for a finished run of the user, which is only read."""


def _planned(files_or_runs: Sequence[str], folder: Path) -> list[_Plan]:
    """Return the runs of a comparison; all of them are checked before the first fit."""
    problems, planned = ProblemCollector(), []
    for argument in files_or_runs:
        with problems.collecting():
            path = Path(argument)
            if path.is_dir():
                fit = read_fit(RunFolder(path))
                planned.append(_Plan(fit.name, RunFolder(path), fit.problem, to_fit=False))
            else:
                run = load_run(find_run_file(argument))
                planned.append(_Plan(run.name, RunFolder(folder / run.name), run, to_fit=True))
    names = [plan.name for plan in planned]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"{name!r} is given twice; runs and folders need names of their own")
    problems.raise_if_any()
    return planned


def _start(plan: _Plan, *, force: bool) -> Start:
    """Return how to start a run: a comparison resumes its unfinished runs by itself."""
    if force:
        return Start.REPLACE
    return Start.CONTINUE if plan.folder.is_unfinished else Start.NEW


def _finished(plan: _Plan, start: Start, progress: Progress) -> FitResult:
    """Return the finished run, after a fit if necessary."""
    if plan.to_fit:
        progress.stage(f"Fitting {plan.name}")
        with claimed(plan.run, plan.folder, start) as claim:
            summary = carry_out(claim, progress).summary
        text = "".join(f"Not converged: {problem}\n" for problem in summary["shortcomings"])
        write_text(plan.folder.log_path, text)
    return read_fit(plan.folder, plan.name)


def _write_plots(result: Comparison, output: Path, seed: int) -> list[str]:
    from zpfit.plots.comparison import chi2_figure, evidence_figure, overlay_figure
    from zpfit.plots.style import house_style, pdf, png

    rows, fits = list(result.rows), result.fits
    rng = np.random.default_rng(seed)
    figures: dict[str, Callable[[], Figure]] = {
        "evidence": lambda: evidence_figure(rows),
        "chi2": lambda: chi2_figure(rows),
        "couplings": lambda: overlay_figure(_couplings(fits, rng), _SYMBOLS),
    }
    problems = []
    with house_style():
        for name, draw in figures.items():
            try:
                figure = draw()
                write_whole(output / f"{name}.png", png(figure))
                write_whole(output / f"{name}.pdf", pdf(figure))
            except Exception as error:  # noqa: BLE001 - a failed plot must not lose the comparison
                problems.append(f"{name} plot failed: {type(error).__name__}: {error}")
    return problems


_SYMBOLS = {
    parameter.name: parameter.symbol
    for parameter in Effective.parameters
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
