"""Campaigns of many small fits: rows of columnar files instead of a folder for each fit.

Workers return a row for each fit, and the command writes the rows in parts. It holds one part in
memory, and of each fit a few numbers.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.fit import fit
from zpfit.analysis.joint_sigma import joint_sigma_or_none
from zpfit.analysis.records import CampaignAxes, CampaignCell, CampaignRecord, CampaignRow
from zpfit.errors import FailedTasks, InvalidInput, RunMismatch, Stopped
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.io.extras import require
from zpfit.io.writing import make_folder, write_json
from zpfit.runs.campaign import (
    AXES,
    CampaignReport,
    OpenProgress,
    combination,
    fit_of,
    problem_of,
    report,
    resolved,
    write_record,
)
from zpfit.runs.campaign_file import Campaign, Cell
from zpfit.runs.campaign_parts import BEST_FIT, EXTRA, ROWS, PartWriter, part_paths, read_parts
from zpfit.runs.campaign_store import PARTS, Store, check_store
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.fingerprint import Fingerprint, fingerprint, first_difference
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.signals import REPEAT_TO_RESUME, listening
from zpfit.runs.workers import Workers, open_workers

_INPUTS = "inputs.json"
"""File of the inputs of each combination, in the folder of the parts."""
_NAMED = 40
"""Fits that have not converged whose names the record holds."""
_KEYS = ("name", "combination", "seed")
"""Columns that tell which fit of a campaign a row holds."""
_NUMBERS = ("chi2", "chi2_no_zprime", "log_z", "log_z_error", "log_bayes_factor", "converged")
"""Columns that combinations are made from."""
_CACHED_CELLS = 16
"""Fingerprints that a worker keeps in memory."""


def campaign_in_columns(
    campaign: Campaign,
    output: Path,
    choice: ExecutorChoice,
    open_progress: OpenProgress,
    *,
    force: bool = False,
    rows_per_part: int = ROWS,
) -> CampaignReport:
    """Run a campaign, and write its fits in columns, its record and its plots.

    Parameters
    ----------
    campaign, output, choice, open_progress, force
        See :func:`zpfit.runs.campaign.campaign_in_folder`.
    rows_per_part
        Largest number of fits in a file.

    Raises
    ------
    OtherStore
        The folder holds fits in folders of their own.
    InvalidInput
        The campaign asks for plots of each fit.
    RunMismatch
        The folder holds fits with other inputs.
    FolderInUse, Stopped, MissingExtra, SchedulerUnreachable, MultithreadedWorkers, UnwritablePath
        See :func:`zpfit.runs.campaign.campaign_in_folder`.
    """
    require(EXTRA, "pyarrow.parquet")
    check_store(output, Store.PARQUET)
    if campaign.settings.plots:
        raise InvalidInput(["plots: fits in columns have no plots; leave the key out"])
    folder = RunFolder(output)
    make_folder(output / PARTS)
    with folder.locked(), open_progress(folder.log_path) as progress:
        if force:
            _forget(output)
        plan = _plan(campaign)
        _keep_inputs(plan, output)
        try:
            with listening() as stop, open_workers(choice, stop) as workers:
                record = _carried_out(plan, output, workers, progress, rows_per_part)
        except Stopped as error:
            raise Stopped(error.signal, error.number, REPEAT_TO_RESUME) from error
        problems = write_record(record, output)
    failed = record["failed"]
    total = record["finished"] + len(failed)
    return CampaignReport(record, problems, FailedTasks(failed, total) if failed else None)


def run_in_columns(
    campaign: Campaign, output: Path, workers: Workers, progress: Progress
) -> CampaignRecord:
    """Run the fits that are not finished yet by open workers, and return the record.

    Parameters
    ----------
    campaign
        The campaign file.
    output
        Folder of the campaign, which no other process may use.
    workers
        Open workers.
    progress
        Gets a line for each failed fit, and the number of finished ones.

    Raises
    ------
    MissingExtra, RunMismatch, Stopped, UnwritablePath
        See :func:`campaign_in_columns`.
    """
    make_folder(output / PARTS)
    plan = _plan(campaign)
    _keep_inputs(plan, output)
    return _carried_out(plan, output, workers, progress, ROWS)


def _carried_out(
    plan: "_Plan", output: Path, workers: Workers, progress: Progress, rows_per_part: int
) -> CampaignRecord:
    writer = PartWriter(output, plan.campaign.parameters, rows_per_part)
    return _record(plan, output, _run(plan, output, workers, progress, writer))


def _forget(output: Path) -> None:
    for path in part_paths(output):
        path.unlink()
    (output / PARTS / _INPUTS).unlink(missing_ok=True)


# The fits of a campaign and their numbers


class RowTask(NamedTuple):
    """One fit, in a form that can be sent to a worker."""

    cell: Cell
    seed: int | None
    number: int
    cross_check: bool
    joint_sigma: bool
    campaign_id: str
    """Identifies one start of a campaign, see :class:`zpfit.runs.campaign.Task`."""


@dataclass(frozen=True)
class _Plan:
    """A campaign, and the number of each of its fits in the order of its file."""

    campaign: Campaign
    inputs: Mapping[str, Fingerprint]
    """Inputs of each combination but the seed."""
    sorted_seeds: NDArray[np.uint64]
    order: NDArray[np.intp]
    """Position of each of the sorted seeds in the campaign file."""
    cells: Mapping[str, int]
    """Number of each combination."""
    campaign_id: str

    def __len__(self) -> int:
        """Return the number of fits."""
        return len(self.cells) * self.each

    @property
    def each(self) -> int:
        """Number of fits of each combination."""
        return max(len(self.sorted_seeds), 1)

    def name(self, number: int) -> str:
        """Return the name of a fit."""
        cell, seed = self.cell_and_seed(number)
        return cell.name if seed is None else f"{cell.name}-s{seed}"

    def cell_and_seed(self, number: int) -> tuple[Cell, int | None]:
        """Return combination and seed of a fit."""
        cell, seed = divmod(number, self.each)
        seeds = self.campaign.seeds
        return self.campaign.cells[cell], None if seeds is None else seeds[seed]

    def numbers(self, part: Any) -> NDArray[np.intp]:
        """Return the number of the fit of each row of a part; -1 if it is not of the campaign."""
        labels = part["combination"].to_pylist()
        cells = np.array([self.cells.get(label, -1) for label in labels], dtype=np.intp)
        if self.campaign.seeds is None:
            own = np.array(part["name"].to_pylist()) == np.array(labels)
            return np.where(own, cells, -1)
        seeds = part["seed"].to_numpy()
        at = np.minimum(np.searchsorted(self.sorted_seeds, seeds), self.each - 1)
        known = (cells >= 0) & (self.sorted_seeds[at] == seeds)
        own = np.array(part["name"].to_pylist()) != np.array(labels)
        return np.where(known & own, cells * self.each + self.order[at], -1)


def _plan(campaign: Campaign) -> _Plan:
    seeds = np.array(campaign.seeds or (), dtype=np.uint64)
    order = np.argsort(seeds, kind="stable")
    return _Plan(
        campaign,
        {cell.name: _inputs(cell.run(), campaign) for cell in campaign.cells},
        seeds[order],
        order,
        {cell.name: number for number, cell in enumerate(campaign.cells)},
        uuid4().hex,
    )


def _inputs(run: Problem, campaign: Campaign) -> Fingerprint:
    settings = campaign.settings
    return inputs_of(run, cross_check=settings.cross_check, joint_sigma=settings.joint_sigma)


def inputs_of(run: Problem, *, cross_check: bool, joint_sigma: bool) -> Fingerprint:
    """Return all inputs of a fit but its seed."""
    found = fingerprint(run, cross_check=cross_check)
    return {k: v for k, v in found.items() if k != "seed"} | {"search_joint_sigma": joint_sigma}


def digest(inputs: Fingerprint) -> str:
    """Return the SHA-256 of the inputs of a fit.

    Examples
    --------
    >>> digest({"model": "B-L"})[:8]
    '4fb77868'
    """
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _keep_inputs(plan: _Plan, output: Path) -> None:
    """Check the inputs of the fits that are finished, and store those of all combinations.

    Raises
    ------
    RunMismatch
        A finished fit had other inputs; the message names the first difference.
    """
    path = output / PARTS / _INPUTS
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    now = {name: digest(inputs) for name, inputs in plan.inputs.items()}
    for part in read_parts(output, [*_KEYS, "fingerprint"]):
        numbers = plan.numbers(part)
        there = [row for row in np.argsort(numbers) if numbers[row] >= 0]
        names, prints = part["combination"].to_pylist(), part["fingerprint"].to_pylist()
        for name, before in dict.fromkeys((names[row], prints[row]) for row in there):
            if before != now[name]:
                difference = first_difference(kept.get(before, {}), plan.inputs[name])
                raise RunMismatch(output, f"{name}: {difference}")
    write_json(path, kept | {now[name]: inputs for name, inputs in plan.inputs.items()})


@dataclass(frozen=True)
class _Missing:
    """The fits that no part holds, which are made when they are asked for."""

    plan: _Plan
    numbers: NDArray[np.intp]

    def __len__(self) -> int:
        """Return the number of fits."""
        return len(self.numbers)

    def __getitem__(self, index: int, /) -> RowTask:
        """Return a fit."""
        number = int(self.numbers[index])
        cell, seed = self.plan.cell_and_seed(number)
        settings = self.plan.campaign.settings
        return RowTask(
            cell, seed, number, settings.cross_check, settings.joint_sigma, self.plan.campaign_id
        )


# Fits


def _run(
    plan: _Plan, output: Path, workers: Workers, progress: Progress, writer: PartWriter
) -> dict[str, str]:
    """Run the fits that no part holds; return the error messages of the failed ones by name."""
    started = time.perf_counter()
    for code in plan.campaign.code:
        progress.note(f"Runs Python code: {code}")
    missing = _Missing(plan, np.flatnonzero(~_finished(plan, output)))
    failures: dict[int, str] = {}
    before = len(plan) - len(missing)
    words = f", {before} of them finished" if before else ""
    progress.stage(f"{len(plan)} fits{words}, {workers.number} at a time")
    rows = 0
    try:
        for outcome in workers.run(fit_row, missing):
            if outcome.value is None:
                number = int(missing.numbers[outcome.index])
                failures[number] = outcome.error or ""
                progress.note(f"{plan.name(number)} failed: {outcome.error}")
            else:
                rows += 1
                writer.add(outcome.value)
            report(progress, rows, len(failures), len(missing), time.perf_counter() - started)
    finally:
        writer.flush()
    return {plan.name(number): failures[number] for number in sorted(failures)}


def _finished(plan: _Plan, output: Path) -> NDArray[np.bool_]:
    """Return which fits are in the parts, shape (n,)."""
    found = np.zeros(len(plan), dtype=bool)
    for part in read_parts(output, _KEYS):
        numbers = plan.numbers(part)
        found[numbers[numbers >= 0]] = True
    return found


def fit_row(task: RowTask) -> CampaignRow:
    """Run one fit in memory and return its row.

    Raises
    ------
    ZpfitError
        The run file is invalid or the fit fails, see :func:`zpfit.analysis.fit.fit`.
    """
    shared = resolved(task.cell, task.campaign_id)
    name = task.cell.name if task.seed is None else f"{task.cell.name}-s{task.seed}"
    run = problem_of(shared, name, task.seed)
    started = time.perf_counter()
    found = fit_of(task.cell, run, fit(run, check=task.cross_check).summary)
    sigma = _joint_sigma(run) if task.joint_sigma else None
    return {
        **found,
        "number": task.number,
        "combination": task.cell.name,
        "changes": _changes(task.cell),
        "joint_sigma": sigma,
        "seconds": time.perf_counter() - started,
        "fingerprint": _fingerprint(task._replace(seed=None, number=0)),
    }


def _joint_sigma(run: Problem) -> float | None:
    # The fit spawns five generators from the seed; the sixth is independent of them.
    rng = np.random.default_rng(run.settings.seed).spawn(6)[-1]
    found, _ = joint_sigma_or_none(run.posterior, rng, run.settings.joint_sigma)
    return None if found is None else found.sigma


def _changes(cell: Cell) -> str:
    return json.dumps({".".join(map(str, c.keys)): c.value for c in cell.changes}, default=str)


@lru_cache(maxsize=_CACHED_CELLS)
def _fingerprint(task: RowTask) -> str:
    run = resolved(task.cell, task.campaign_id)
    return digest(inputs_of(run, cross_check=task.cross_check, joint_sigma=task.joint_sigma))


# The record


def _record(plan: _Plan, output: Path, failed: dict[str, str]) -> CampaignRecord:
    """Return the record of a campaign; of its fits, it holds the names of some poor ones."""
    cells, poor = _cells(plan, output)
    settings = plan.campaign.settings
    return {
        "title": settings.title or plan.campaign.name,
        "finished": sum(cell["fits"] for cell in cells),
        "failed": failed,
        "cells": cells,
        "fits": [],
        "store": str(Store.PARQUET),
        "not_converged": [plan.name(number) for number in poor[:_NAMED].tolist()],
    }


def _cells(plan: _Plan, output: Path) -> tuple[list[CampaignCell], NDArray[np.intp]]:
    """Return the combinations in their order, and the numbers of the fits that lack something."""
    parts: list[dict[str, NDArray[Any]]] = []
    best: dict[int, tuple[float, int, dict[str, float]]] = {}
    parameters = [BEST_FIT + name for name in plan.campaign.parameters]
    for part in read_parts(output, [*_KEYS, *_NUMBERS, *parameters]):
        numbers = plan.numbers(part)
        there = np.flatnonzero(numbers >= 0)
        columns = {name: part[name].to_numpy()[there] for name in _NUMBERS}
        columns["number"] = numbers[there]
        parts.append(columns)
        for cell, row in _least(columns, plan.each):
            found = (float(columns["chi2"][row]), int(columns["number"][row]))
            if cell not in best or found < best[cell][:2]:
                best[cell] = (*found, _best_fit(part, int(there[row])))
    if not best:
        return [], np.empty(0, dtype=np.intp)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(columns["number"])
    columns = {name: column[order] for name, column in columns.items()}
    poor = columns["number"][~columns["converged"]]
    ends = np.searchsorted(columns["number"] // plan.each, np.arange(len(plan.cells) + 1))
    cells = [
        combination(
            _labels(plan.campaign.cells[cell]),
            plan.campaign.cells[cell].title,
            {name: column[ends[cell] : ends[cell + 1]] for name, column in columns.items()},
            float(columns["chi2_no_zprime"][ends[cell]]),
            best[cell][2],
        )
        for cell in sorted(best)
    ]
    return cells, poor


def _labels(cell: Cell) -> CampaignAxes:
    runs, models, data, priors, overrides = (cell.labels.get(axis) for axis in AXES)
    return {
        "runs": runs,
        "models": models,
        "data": data,
        "priors": priors,
        "overrides": overrides,
    }


def _least(columns: Mapping[str, NDArray[Any]], each: int) -> Iterator[tuple[int, int]]:
    """Yield each combination of a part, and the row of its least chi2."""
    cells = columns["number"] // each
    order = np.lexsort((columns["number"], columns["chi2"], cells))
    _, first = np.unique(cells[order], return_index=True)
    for row in order[first].tolist():
        yield int(cells[row]), row


def _best_fit(part: Any, row: int) -> dict[str, float]:
    found = {
        name.removeprefix(BEST_FIT): part[name][row].as_py()
        for name in part.column_names
        if name.startswith(BEST_FIT)
    }
    return {name: value for name, value in found.items() if value is not None}
