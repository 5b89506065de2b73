"""A campaign from start to finish: hold its folder, fit, keep tables and plots."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from zpfit.errors import FailedTasks, Stopped
from zpfit.inference.progress import Progress
from zpfit.io.writing import make_folder
from zpfit.runs.campaign import run_campaign
from zpfit.runs.campaign_file import Campaign
from zpfit.runs.campaign_record import as_json, keep
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.signals import listening
from zpfit.runs.workers import open_workers

OpenProgress = Callable[[Path], AbstractContextManager[Progress]]
"""From the path of the log."""


_REMEDY = "the same command resumes it"


def campaign_in_folder(
    campaign: Campaign,
    output: Path,
    choice: ExecutorChoice,
    open_progress: OpenProgress,
    *,
    force: bool = False,
) -> tuple[dict[str, Any], list[str], FailedTasks | None]:
    """The record that is kept in ``output``, what went wrong with plots, and with fits.

    Raises
    ------
    FolderInUse
        Another process is at work on the campaign.
    Stopped
        A signal asked for it; the same command goes on.
    MissingExtra, NoScheduler
        See :func:`zpfit.runs.workers.open_workers`.
    UnwritablePath
        The folder cannot be written.
    """
    folder = RunFolder(output)
    make_folder(output)
    with folder.locked(), open_progress(folder.log_path) as progress:
        try:
            with listening() as stop, open_workers(choice, stop) as workers:
                result = run_campaign(campaign, output, workers, progress, force=force)
        except Stopped as error:
            raise Stopped(error.signal, error.number, _REMEDY) from error
        record = as_json(campaign.settings.title or campaign.name, result)
        problems = keep(record, output)
    total = len(result.rows) + len(result.failures)
    failed = FailedTasks(result.failures, total) if result.failures else None
    return record, problems, failed
