"""The no-go theorem with new data: fits of every model to every epoch, and a page."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from zpfit.analysis.compare import RunJobs
from zpfit.errors import StaleConclusions
from zpfit.inference.progress import Progress
from zpfit.io.writing import make_room, write_json, write_text
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.side_by_side import Finished, workers
from zpfit.studies.epochs.conclusions import draw_conclusions
from zpfit.studies.epochs.fits import fit_runs, rows_of
from zpfit.studies.epochs.numbers import (
    SEED,
    Numbers,
    find_spots,
    hidden_below,
    region_jobs,
    run_names,
    varied_jobs,
)
from zpfit.studies.epochs.page import render_page

_NEEDED = ("zpfit.studies.epochs.fits", "zpfit.inference.samplers.vegas_map")
"""Modules of the jobs."""
PAGE = "what-changed.md"
"""Name of the file with the page."""
NUMBERS = "epochs.json"
"""Name of the file with all numbers."""


def write_epochs(folder: Path, progress: Progress, *, force: bool) -> list[str]:
    """Fit every model to the data of every epoch; write all numbers and the page.

    This takes some minutes.

    Parameters
    ----------
    folder
        Folder for numbers and page.
    progress
        Gets the stages.
    force
        Replace earlier results.

    Returns
    -------
    list of str
        Reasons why fits are not converged.

    Raises
    ------
    FilesExist
        The folder holds an earlier result and ``force`` is not given.
    UnwritablePath
        The folder or a file cannot be written.
    StaleConclusions
        Some conclusions no longer follow from the numbers; the page is written without them.
    """
    make_room(folder, (PAGE, NUMBERS), force=force)
    with workers(_NEEDED) as pool:
        found, problems = compute(lambda jobs: pool.results_of(jobs, Finished(progress)), progress)
    write_json(folder / NUMBERS, _record(found))
    write_text(folder / PAGE, render_page(found))
    stale = [claim.title for claim in draw_conclusions(found) if not claim.holds]
    if stale:
        raise StaleConclusions(folder / PAGE, stale)
    return problems


def compute(run_jobs: RunJobs, progress: Progress) -> tuple[Numbers, list[str]]:
    """Return the numbers of the page, and the reasons why fits are not converged.

    Parameters
    ----------
    run_jobs
        Runs fits and searches.
    progress
        Gets the stages.
    """
    progress.stage("Evidences and best fits")
    fits = fit_runs([load_run(find_run_file(name)) for name in run_names()], SEED, run_jobs)
    hidden: dict[str, float] = {}
    for one in fits:
        hidden |= hidden_below(one.run.name, one.point)
    progress.stage("Joint sigmas")
    rows = rows_of(fits, SEED, run_jobs)
    progress.stage("Allowed regions, and joint sigmas with other readings of the data")
    regions, varied = region_jobs(rows), varied_jobs(rows)
    jobs = {f"allowed region of {run}": job for run, job in regions.items()}
    results = run_jobs({**jobs, **{", ".join(key): job for key, job in varied.items()}})
    found = Numbers(
        rows,
        {run: results[f"allowed region of {run}"] for run in regions},
        find_spots(rows),
        hidden,
        {key: results[", ".join(key)] for key in varied},
    )
    return found, [f"{one.run.name}: {text}" for one in fits for text in one.shortcomings]


def _record(found: Numbers) -> dict[str, Any]:
    """Return all numbers in the form of JSON."""
    varied = [
        {"run": run, "variant": words, "joint_sigma": sigma}
        for (run, words), sigma in found.varied.items()
    ]
    return asdict(found) | {"varied": varied}
