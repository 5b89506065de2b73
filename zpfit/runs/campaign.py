"""A campaign carried out: every fit in a folder of its own, finished ones left as they are."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.runs.campaign_file import Campaign, Cell
from zpfit.runs.execution import Start, carry_out, claimed
from zpfit.runs.log import RunLog
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.workers import Workers

RUNS = "runs"
"""Folder of the fits within that of a campaign."""
_PATIENCE = 600.0
"""Seconds to wait for another process to leave a folder: one that was thought dead."""
_CELLS_AT_HAND = 16
"""Runs that a worker keeps, as seeds of one cell come one after the other."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One fit, ready to travel."""

    cell: Cell
    seed: int | None
    name: str
    folder: Path
    cross_check: bool
    plots: bool
    campaign_id: str
    """Tells one start of a campaign from the next: files may change in between, while workers
    of a cluster live on and remember."""


@dataclass(frozen=True)
class CampaignResult:
    """What became of every fit."""

    rows: list[Row]
    """Of the finished ones, in the order of the campaign."""
    failures: dict[str, str]
    """Why the others failed, by name."""
    seconds: float
    """Wall time."""


def run_campaign(
    campaign: Campaign, output: Path, workers: Workers, progress: Progress, *, force: bool = False
) -> CampaignResult:
    """Carry out what is not finished; with ``force`` first forget what is.

    Raises
    ------
    Stopped
        A signal asked for it; the campaign can be gone on with.
    """
    started, campaign_id = time.perf_counter(), uuid4().hex
    tasks = [
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
    for code in campaign.code:
        progress.note(f"Runs Python code: {code}")
    if force:
        for task in tasks:
            RunFolder(task.folder).forget()
    rows: dict[int, Row] = {}
    failures: dict[int, str] = {}
    progress.stage(f"{len(tasks)} fits, {workers.number} at a time")
    for outcome in workers.run(carry_out_task, tasks):
        if outcome.value is None:
            failures[outcome.index] = outcome.error or ""
            progress.note(f"{tasks[outcome.index].name} failed: {outcome.error}")
        else:
            rows[outcome.index] = outcome.value
        _report(progress, len(rows), len(failures), len(tasks), time.perf_counter() - started)
    return CampaignResult(
        [rows[index] for index in sorted(rows)],
        {tasks[index].name: failures[index] for index in sorted(failures)},
        time.perf_counter() - started,
    )


def _report(progress: Progress, finished: int, failed: int, total: int, seconds: float) -> None:
    done = finished + failed
    left = seconds / done * (total - done)
    failures = f", {failed} failed" if failed else ""
    progress.update(done / total, f"{done} of {total}{failures}, {left:,.0f} s left")


def carry_out_task(task: Task) -> Row:
    """Carry out one fit in its folder, or read what is finished there.

    Raises
    ------
    ZpfitError
        Whatever a run raises.
    """
    run = replace(_resolved(task.cell, task.campaign_id), name=task.name)
    if task.seed is not None:
        settings = run.settings.model_copy(update={"seed": task.seed})
        run = replace(run, settings=settings)
    folder = RunFolder(task.folder)
    with claimed(
        run, folder, Start.CONTINUE, cross_check=task.cross_check, patience=_PATIENCE
    ) as claim:
        if claim.finished:
            return _row(task, run, folder.summary())
        with RunLog(folder.log_path) as log:
            return _row(task, run, carry_out(claim, log, plots=task.plots))


@lru_cache(maxsize=_CELLS_AT_HAND)
def _resolved(cell: Cell, campaign_id: str) -> Problem:  # noqa: ARG001 - see Task
    return cell.run()


def _row(task: Task, run: Problem, summary: Mapping[str, Any]) -> Row:
    """What a table of a campaign shows of a fit; the same whoever computed it."""
    best, evidence = summary["best_fit"], summary["evidence"]
    log_z, without = evidence["log_z"], summary["no_zprime"]["chi2"]
    return {
        "name": task.name,
        **{axis: task.cell.labels.get(axis) for axis in ("runs", "models", "data", "priors")},
        "overrides": task.cell.labels.get("overrides"),
        "seed": run.settings.seed,
        "chi2": best["chi2"],
        "chi2_no_zprime": without,
        "log_z": log_z,
        "log_z_error": evidence["error"],
        "log_bayes_factor": log_z + 0.5 * without,
        "evaluations": evidence["evaluations"],
        "converged": summary["converged"],
        "shortcomings": summary["shortcomings"],
        "best_fit": best["parameters"],
    }
