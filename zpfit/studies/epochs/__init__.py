"""The no-go theorem with new data: fits of every model to every epoch, and a page."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from zpfit.errors import StaleConclusions
from zpfit.inference.progress import Progress
from zpfit.io.writing import make_room, write_text
from zpfit.runs.comparison import compare_all
from zpfit.runs.side_by_side import Finished, workers
from zpfit.studies.epochs.conclusions import draw_conclusions
from zpfit.studies.epochs.numbers import (
    SEED,
    Fit,
    Numbers,
    Region,
    Varied,
    allowed_region,
    find_spots,
    read_hidden,
    region_runs,
    run_names,
    varied_jobs,
)
from zpfit.studies.epochs.page import render_page

_NEEDED = ("zpfit.studies.epochs.numbers",)
"""Modules of the jobs of the page."""
PAGE = "what-changed.md"
"""Name of the file with the page."""


def write_epochs(folder: Path, progress: Progress, *, force: bool) -> list[str]:
    """Fit every model to the data of every epoch; write comparison and page.

    This takes one to two hours.

    Parameters
    ----------
    folder
        Folder for runs, comparison and page.
    progress
        Gets the stages.
    force
        Replace earlier results.

    Returns
    -------
    list of str
        Problems of plots.

    Raises
    ------
    FilesExist
        The folder holds an earlier result and ``force`` is not given.
    UnwritablePath
        The folder or a file cannot be written.
    StaleConclusions
        Some conclusions no longer follow from the numbers; the page is written without them.
    """
    make_room(folder, (PAGE,), force=force)
    result, problems = compare_all(run_names(), folder, None, SEED, progress, force=force)
    rows = list(result.rows)
    fits = [Fit.of(row) for row in rows]
    progress.stage("Allowed regions, and joint sigmas with other readings of the data")
    regions, varied = _side_by_side(fits, progress)
    found = Numbers(fits, regions, find_spots(fits), read_hidden(folder), varied)
    write_text(folder / PAGE, render_page(found))
    stale = [claim.title for claim in draw_conclusions(found) if not claim.holds]
    if stale:
        raise StaleConclusions(folder / PAGE, stale)
    return problems


def _side_by_side(
    fits: Sequence[Fit], progress: Progress
) -> tuple[dict[str, Region], dict[Varied, float]]:
    """Compute the allowed regions, and the joint sigmas with changed data."""
    varied = varied_jobs(fits)
    regions = {f"allowed region of {run}": run for _, run in region_runs()}
    jobs: dict[str, Callable[[], Any]] = {
        name: partial(allowed_region, run) for name, run in regions.items()
    }
    with workers(_NEEDED) as pool:
        found = pool.results_of(
            jobs | {", ".join(key): job for key, job in varied.items()}, Finished(progress)
        )
    return (
        {run: found[name] for name, run in regions.items()},
        {key: found[", ".join(key)] for key in varied},
    )
