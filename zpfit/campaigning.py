"""A campaign from start to finish: hold its folder, fit, keep tables and plots."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from zpfit.campaign import run_campaign
from zpfit.campaign_file import Campaign
from zpfit.campaign_record import as_json, keep
from zpfit.errors import FailedTasks, Stopped
from zpfit.executor_choice import ExecutorChoice
from zpfit.executors import open_workers
from zpfit.progress import Progress
from zpfit.run_folder import RunFolder, make_folder
from zpfit.stopping import listening

OpenProgress = Callable[[Path], AbstractContextManager[Progress]]
"""From the path of the log."""


_REMEDY = "the same command goes on (without --force)"


def campaign_in_folder(
    campaign: Campaign,
    output: Path,
    choice: ExecutorChoice,
    open_progress: OpenProgress,
    *,
    force: bool = False,
) -> tuple[dict[str, Any], list[str], FailedTasks | None]:
    """The record that is kept in ``output``, what went wrong with plots, and with fits.

    Raises:
        FolderInUse: another process is at work on the campaign.
        Stopped: a signal asked for it; the same command goes on.
        MissingExtra, NoScheduler: see :func:`zpfit.executors.open_workers`.
        UnwritablePath: the folder cannot be written.
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
