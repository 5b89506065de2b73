"""Campaigns: fit every combination of a campaign file, each in a folder of its own.

:mod:`zpfit.runs.campaign_columns` stores many small fits in columns instead.

Finished fits are reused, so that an interrupted campaign resumes when it is started again.
"""

import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np

from zpfit.analysis.records import (
    CampaignAxes,
    CampaignCell,
    CampaignFit,
    CampaignRecord,
    FitSummary,
)
from zpfit.errors import FailedTasks, Stopped
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.io.arrays import FloatArray
from zpfit.io.writing import make_folder, write_json, write_text, write_whole
from zpfit.runs.campaign_file import Campaign, Cell
from zpfit.runs.campaign_store import RUNS, Store, check_store
from zpfit.runs.execution import Start, carry_out, claimed
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.figure_file import PLAIN, FigureStyle
from zpfit.runs.log import RunLog
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.signals import REPEAT_TO_RESUME, listening
from zpfit.runs.workers import Workers, open_workers

JSON, CSV, PLOTS = "campaign.json", "campaign.csv", ("campaign.png", "campaign.pdf")
"""Names of the files with the results of all fits."""
AXES = ("runs", "models", "data", "priors", "overrides")
"""Axes of a campaign file, without the seeds."""
_COLUMNS = (
    "name", *AXES, "seed", "chi2", "chi2_no_zprime", "log_z", "log_z_error", "log_bayes_factor",
    "evaluations", "converged",
)  # fmt: skip
"""Columns of the CSV table."""
_LOCK_TIMEOUT = 600.0
"""Seconds to wait for the lock of a fit's folder. A worker that was taken for dead may still hold
it until its operating system notices."""
_CACHED_CELLS = 16
"""Resolved run files that a worker keeps in memory; the seeds of one cell follow each other."""
_SMALLEST_ERROR = 1e-12
"""Lower bound of the errors in weighted means, against division by zero."""
OpenProgress = Callable[[Path], AbstractContextManager[Progress]]
"""Opens a progress report that also writes to a log file of this path."""


@dataclass(frozen=True)
class Task:
    """One fit, in a form that can be sent to a worker."""

    cell: Cell
    seed: int | None
    name: str
    folder: Path
    cross_check: bool
    plots: bool
    campaign_id: str
    """Identifies one start of a campaign. Workers of a cluster outlive it and cache run files,
    which may change before the next start."""


@dataclass(frozen=True)
class CampaignResult:
    """The results and failures of all fits of a campaign."""

    rows: list[CampaignFit]
    """One row for each finished fit, in the order of the campaign."""
    failures: dict[str, str]
    """Error messages of failed fits, by name of the fit."""
    seconds: float
    """Wall time."""

    @property
    def failed_tasks(self) -> FailedTasks | None:
        """An exception that lists the failed fits; None if all are finished."""
        if not self.failures:
            return None
        return FailedTasks(self.failures, len(self.rows) + len(self.failures))


class CampaignReport(NamedTuple):
    """Record of :func:`campaign_in_folder`, and its failures."""

    record: CampaignRecord
    """The content of ``campaign.json``."""
    problems: list[str]
    """Reasons for which there is no plot."""
    failed: FailedTasks | None
    """The failed fits; None if all are finished."""


def campaign_in_folder(
    campaign: Campaign,
    output: Path,
    choice: ExecutorChoice,
    open_progress: OpenProgress,
    *,
    force: bool = False,
) -> CampaignReport:
    """Run a campaign and write tables and plots to its folder.

    Parameters
    ----------
    campaign
        The campaign file, see :func:`zpfit.runs.campaign_file.load_campaign`.
    output
        Folder of the campaign.
    choice
        The executor and its number of workers.
    open_progress
        Opens the progress report.
    force
        Delete finished fits and fit them again.

    Raises
    ------
    OtherStore
        The folder holds fits in columns.
    FolderInUse
        Another process works on the campaign.
    Stopped
        On SIGINT or SIGTERM; the campaign can be resumed.
    MissingExtra, SchedulerUnreachable, MultithreadedWorkers
        The executor cannot be opened, see :func:`zpfit.runs.workers.open_workers`.
    UnwritablePath
        The folder cannot be written.
    """
    check_store(output, Store.FOLDERS)
    folder = RunFolder(output)
    make_folder(output)
    with folder.locked(), open_progress(folder.log_path) as progress:
        try:
            with listening() as stop, open_workers(choice, stop) as workers:
                result = run_campaign(campaign, output, workers, progress, force=force)
        except Stopped as error:
            raise Stopped(error.signal, error.number, REPEAT_TO_RESUME) from error
        record = campaign_record(campaign.settings.title or campaign.name, result)
        problems = write_campaign(record, output)
    return CampaignReport(record, problems, result.failed_tasks)


def run_campaign(
    campaign: Campaign, output: Path, workers: Workers, progress: Progress, *, force: bool = False
) -> CampaignResult:
    """Run the fits that are not finished yet, and return the results of all.

    Parameters
    ----------
    campaign
        The campaign file.
    output
        Folder of the campaign; the fits go to its folder ``runs``.
    workers
        Open workers.
    progress
        Gets a line for each failed fit, and the number of finished ones.
    force
        Delete finished fits and fit them again.

    Raises
    ------
    Stopped
        On SIGINT or SIGTERM; the campaign can be resumed.
    """
    started = time.perf_counter()
    tasks = _tasks(campaign, output)
    for code in campaign.code:
        progress.note(f"Runs Python code: {code}")
    if force:
        for task in tasks:
            RunFolder(task.folder).forget()
    rows: dict[int, CampaignFit] = {}
    failures: dict[int, str] = {}
    progress.stage(f"{len(tasks)} fits, {workers.number} at a time")
    for outcome in workers.run(carry_out_task, tasks):
        if outcome.value is None:
            failures[outcome.index] = outcome.error or ""
            progress.note(f"{tasks[outcome.index].name} failed: {outcome.error}")
        else:
            rows[outcome.index] = outcome.value
        report(progress, len(rows), len(failures), len(tasks), time.perf_counter() - started)
    return CampaignResult(
        [rows[index] for index in sorted(rows)],
        {tasks[index].name: failures[index] for index in sorted(failures)},
        time.perf_counter() - started,
    )


def _tasks(campaign: Campaign, output: Path) -> list[Task]:
    campaign_id = uuid4().hex
    return [
        Task(
            cell=cell,
            seed=seed,
            name=name,
            folder=(output / RUNS / name).resolve(),
            cross_check=campaign.settings.cross_check,
            plots=campaign.settings.plots,
            campaign_id=campaign_id,
        )
        for cell, seed, name in campaign.tasks()
    ]


def report(progress: Progress, finished: int, failed: int, total: int, seconds: float) -> None:
    """Report the numbers of finished and failed fits, and the time that the others will take."""
    done = finished + failed
    left = seconds / done * (total - done)
    failures = f", {failed} failed" if failed else ""
    progress.update(done / total, f"{done} of {total}{failures}, {left:,.0f} s left")


def carry_out_task(task: Task) -> CampaignFit:
    """Run one fit in its folder, or read its results if it is finished.

    Raises
    ------
    ZpfitError
        The run file is invalid or the fit fails, see :func:`zpfit.runs.execution.carry_out`.
    """
    run = problem_of(resolved(task.cell, task.campaign_id), task.name, task.seed)
    folder = RunFolder(task.folder)
    with claimed(
        run, folder, Start.CONTINUE, cross_check=task.cross_check, patience=_LOCK_TIMEOUT
    ) as claim:
        if claim.finished:
            return fit_of(task.cell, run, folder.summary())
        with RunLog(folder.log_path) as log:
            return fit_of(task.cell, run, carry_out(claim, log, plots=task.plots).summary)


@lru_cache(maxsize=_CACHED_CELLS)
def resolved(cell: Cell, campaign_id: str) -> Problem:  # noqa: ARG001 - a key of the cache
    """Return the problem of a combination, which its seeds share."""
    return cell.run()


def problem_of(combination: Problem, name: str, seed: int | None) -> Problem:
    """Return the problem of one fit of a combination."""
    run = replace(combination, name=name)
    if seed is None:
        return run
    return replace(run, settings=run.settings.model_copy(update={"seed": seed}))


def fit_of(cell: Cell, run: Problem, summary: FitSummary) -> CampaignFit:
    """Return the row of a fit. It depends on the summary alone, not on the executor."""
    best, evidence, labels = summary["best_fit"], summary["evidence"], cell.labels
    log_z, without = evidence["log_z"], summary["no_zprime"]["chi2"]
    return {
        "name": run.name,
        "title": cell.title,
        "runs": labels.get("runs"),
        "models": labels.get("models"),
        "data": labels.get("data"),
        "priors": labels.get("priors"),
        "overrides": labels.get("overrides"),
        "seed": run.settings.seed,
        "chi2": best["chi2"],
        "chi2_no_zprime": without,
        "log_z": log_z,
        "log_z_error": evidence["error"],
        # Without a Z' nothing is free, so that ln Z is -chi2/2 there.
        "log_bayes_factor": log_z + 0.5 * without,
        "evaluations": evidence["evaluations"],
        "converged": summary["converged"],
        "shortcomings": summary["shortcomings"],
        "best_fit": best["parameters"],
    }


def combine_seeds(rows: Sequence[CampaignFit]) -> list[CampaignCell]:
    """Return one row for each combination of axes, with means over the seeds.

    ``log_z`` is the mean over seeds, weighted by inverse squared errors. ``log_z_scatter`` is the
    standard deviation between seeds; it should be about ``log_z_error_of_one``, the quadratic mean
    of the errors of one fit. ``chi2`` and ``best_fit`` are those of the best seed.

    Parameters
    ----------
    rows
        Rows of fits, as :func:`carry_out_task` returns them.
    """
    cells: dict[tuple[str | None, ...], list[CampaignFit]] = {}
    for row in rows:
        cells.setdefault(_labels(row), []).append(row)
    return [_combine(members) for members in cells.values()]


def _labels(row: CampaignAxes) -> tuple[str | None, ...]:
    """Return the labels of a fit on :data:`AXES`."""
    return row["runs"], row["models"], row["data"], row["priors"], row["overrides"]


def _combine(members: Sequence[CampaignFit]) -> CampaignCell:
    best = min(members, key=lambda row: row["chi2"])
    columns = {
        "chi2": np.array([row["chi2"] for row in members]),
        "log_z": np.array([row["log_z"] for row in members]),
        "log_z_error": np.array([row["log_z_error"] for row in members]),
        "log_bayes_factor": np.array([row["log_bayes_factor"] for row in members]),
        "converged": np.array([row["converged"] for row in members]),
    }
    title = best.get("title", "")
    return combination(best, title, columns, best["chi2_no_zprime"], best["best_fit"])


def combination(
    labels: CampaignAxes,
    title: str,
    columns: Mapping[str, FloatArray],
    without: float,
    best_fit: Mapping[str, float],
) -> CampaignCell:
    """Return the row of a combination from columns with an element for each of its seeds.

    Parameters
    ----------
    labels
        Labels of the combination.
    title
        Titles of its values on each axis with several.
    columns
        ``chi2``, ``log_z``, ``log_z_error``, ``log_bayes_factor`` and ``converged`` of each seed,
        shape (n,).
    without
        chi2 without a Z'.
    best_fit
        Parameters of the seed with the least chi2.
    """
    log_z, error, chi2 = columns["log_z"], columns["log_z_error"], columns["chi2"]
    weight = 1 / np.maximum(error, _SMALLEST_ERROR) ** 2
    mean = float(np.sum(weight * log_z) / np.sum(weight))
    return {
        "runs": labels["runs"],
        "models": labels["models"],
        "data": labels["data"],
        "priors": labels["priors"],
        "overrides": labels["overrides"],
        "name": "-".join(label for label in _labels(labels) if label),
        "title": title,
        "fits": len(log_z),
        "converged": int(np.sum(columns["converged"])),
        "chi2": float(chi2.min()),
        "chi2_worst_seed": float(chi2.max()),
        "chi2_no_zprime": without,
        "log_z": mean,
        "log_z_error": float(1 / np.sqrt(np.sum(weight))),
        "log_z_error_of_one": float(np.sqrt(np.mean(error**2))),
        "log_z_scatter": float(np.std(log_z, ddof=1)) if len(log_z) > 1 else None,
        "log_bayes_factor": mean + 0.5 * without,
        "log_bayes_factors": columns["log_bayes_factor"].tolist(),
        "best_fit": dict(best_fit),
    }


def campaign_record(title: str, result: CampaignResult) -> CampaignRecord:
    """Return the content of ``campaign.json``: fits, combinations and failures."""
    return {
        "title": title,
        "finished": len(result.rows),
        "failed": result.failures,
        "cells": combine_seeds(result.rows),
        "fits": result.rows,
    }


def write_campaign(record: CampaignRecord, output: Path) -> list[str]:
    """Write JSON, table and plots; return the reasons for which there is no plot.

    Raises
    ------
    UnwritablePath
        A file cannot be written.
    """
    write_text(output / CSV, _table(record["fits"]))
    return write_record(record, output)


def write_record(record: CampaignRecord, output: Path) -> list[str]:
    """Write JSON and plots; return the reasons for which there is no plot.

    Raises
    ------
    UnwritablePath
        A file cannot be written.
    """
    write_json(output / JSON, record)
    cells = record["cells"]
    if not cells:
        return ["no plot, as no fit is finished"]
    if not draw_campaign(record, output):
        from zpfit.plots.campaign import MOST_ROWS

        return [f"no plot of {len(cells)} combinations: it has room for {MOST_ROWS}"]
    return []


def draw_campaign(record: CampaignRecord, output: Path, style: FigureStyle = PLAIN) -> list[Path]:
    """Draw a campaign; return the files, none if it has no combinations or too many."""
    from zpfit.plots.campaign import MOST_ROWS, campaign_figure
    from zpfit.plots.style import pdf, png

    if not 0 < len(record["cells"]) <= MOST_ROWS:
        return []
    with style.context():
        figure = campaign_figure(record["title"], record["cells"], style.spec)
        for name, write in zip(PLOTS, (png(figure, dpi=200), pdf(figure)), strict=True):
            write_whole(output / name, write)
    return [output / name for name in PLOTS]


def _table(rows: Sequence[CampaignFit]) -> str:
    table = io.StringIO()
    writer = csv.DictWriter(table, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()
