"""A comparison from start to finish: fit what is not fitted, compare, draw, keep."""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zpfit.compare import NO_ZPRIME, FinishedRun, compare
from zpfit.config import find_run_file, load_run
from zpfit.errors import ProblemCollector
from zpfit.fit import fit
from zpfit.models.effective import Effective
from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import COUPLING_NAMES
from zpfit.plots.comparison import chi2_figure, evidence_figure, overlay_figure
from zpfit.plots.style import house_style, pdf, png
from zpfit.progress import Progress
from zpfit.run_folder import RunFolder, make_folder, write_whole

_OVERLAID = 20_000
"""Samples of each model in the corner plot."""


def compare_all(
    files_or_runs: Sequence[str],
    output: Path | None,
    reference: str | None,
    seed: int,
    progress: Progress,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of :func:`zpfit.compare.compare`, and what went wrong with plots, in words.

    With ``output``, the rows, plots and the folders of runs fitted here are kept there.

    Raises:
        InvalidInput: everything that is wrong with the arguments.
        UnwritablePath: the output cannot be written.
        And what a fit raises.
    """
    if output is not None:
        make_folder(output)
    with tempfile.TemporaryDirectory() as scratch:
        runs = _finished(files_or_runs, (output or Path(scratch)) / "runs", progress)
        rows = compare(runs, reference or NO_ZPRIME, seed, progress)
        problems = [] if output is None else _keep(rows, runs, output, seed)
    return rows, problems


def _finished(files_or_runs: Sequence[str], folder: Path, progress: Progress) -> list[FinishedRun]:
    """Folders are read, run files are fitted; all of them are checked before the first fit."""
    problems = ProblemCollector()
    for argument in files_or_runs:
        with problems.collecting():
            if Path(argument).is_dir():
                RunFolder(Path(argument)).summary()
            else:
                load_run(find_run_file(argument))
    names = [Path(argument).stem for argument in files_or_runs if not Path(argument).is_dir()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"{name!r} is given twice; each run file must have its own name")
    problems.raise_if_any()
    return [FinishedRun.read(_folder_of(argument, folder, progress)) for argument in files_or_runs]


def _folder_of(argument: str, folder: Path, progress: Progress) -> RunFolder:
    if Path(argument).is_dir():
        return RunFolder(Path(argument))
    run = load_run(find_run_file(argument))
    run_folder = RunFolder(folder / run.name)
    run_folder.create(force=True)
    progress.stage(f"Fitting {run.settings.title or run.name}")
    fit(run, run_folder, progress)
    return run_folder


def _keep(
    rows: list[dict[str, Any]], runs: Sequence[FinishedRun], output: Path, seed: int
) -> list[str]:
    text = json.dumps(rows, indent=2, allow_nan=False) + "\n"
    write_whole(output / "compare.json", lambda path: path.write_text(text, encoding="utf-8"))
    rng = np.random.default_rng(seed)
    figures: dict[str, Callable[[], Figure]] = {
        "evidence": lambda: evidence_figure(rows),
        "chi2": lambda: chi2_figure(rows),
        "couplings": lambda: overlay_figure(_couplings(runs, rng), _SYMBOLS),
    }
    problems = []
    with house_style():
        for name, draw in figures.items():
            try:
                figure = draw()
                write_whole(output / f"{name}.png", png(figure))
                write_whole(output / f"{name}.pdf", pdf(figure))
            except Exception as error:  # noqa: BLE001 - a plot must not cost the comparison
                problems.append(f"{name} plot failed: {type(error).__name__}: {error}")
    return problems


_SYMBOLS = {
    parameter.name: parameter.symbol
    for parameter in Effective.parameters
    if not parameter.name.endswith("tau")
}


def _couplings(
    runs: Sequence[FinishedRun], rng: np.random.Generator
) -> dict[str, dict[str, FloatArray]]:
    """Couplings of equal weight, by the title of each run."""
    result = {}
    for finished in runs:
        weight = np.exp(finished.log_weight)
        chosen = rng.choice(len(weight), _OVERLAID, p=weight / weight.sum())
        rows = finished.couplings().take(chosen).rows()
        result[finished.summary["title"]] = dict(zip(COUPLING_NAMES, rows, strict=True))
    return result
