"""Runs in folders, which can be stopped or killed and then resumed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

import numpy as np

from zpfit.analysis.fit import FitResult, complete, sample
from zpfit.errors import (
    ChangedLikelihood,
    DamagedCheckpoint,
    NoRunToResume,
    RunFolderExists,
    RunMismatch,
    Stopped,
    UnfinishedRun,
    UnsafeCheckpoint,
    UnwritablePath,
    ZpfitError,
)
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.result import StoredDeadPoints, StoredSamples
from zpfit.io.logging import LOGGER
from zpfit.io.yaml import dump_yaml
from zpfit.runs.checkpoint_files import CheckpointFiles
from zpfit.runs.fingerprint import Fingerprint, fingerprint, first_difference
from zpfit.runs.nested import dead_birth, paramnames
from zpfit.runs.plotting import plots_of
from zpfit.runs.run_file import resolved_settings
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.signals import StopRequest, listening

CHECKPOINT_INTERVAL = 10.0
"""Seconds between checkpoints: what a killed run loses, for negligible writing time."""
_TRIED = 1000
"""Points of a checkpoint at which ln L is computed again, to detect changed code."""
_SAME = 1e-9
"""Relative tolerance of ln L; another batch size or processor can round differently."""


class Start(Enum):
    """Action if the folder holds a run."""

    NEW = "refuse"
    REPLACE = "start again"
    RESUME = "resume, from the start if the run was killed before its first checkpoint"
    CONTINUE = "resume if there is an unfinished run, otherwise start"


@dataclass(frozen=True)
class Claim:
    """A run and its folder, locked for this process."""

    run: Problem
    folder: RunFolder
    fingerprint: Fingerprint
    finished: bool
    """True if the folder holds the finished run."""
    resumed: bool
    """True if the folder holds a part of the run."""


def check_room(folder: RunFolder, start: Start) -> None:
    """Make a folder and check that a run may write there.

    Raises
    ------
    RunFolderExists, UnfinishedRun, UnrelatedFilesExist
        The folder holds other files.
    UnwritablePath
        The folder cannot be made or written.
    """
    folder.create(force=start is Start.REPLACE)
    if start is Start.NEW and folder.is_unfinished:
        raise UnfinishedRun(folder.path)
    if start is Start.NEW and folder.is_finished:
        raise RunFolderExists(folder.path)


def check_same(run: Problem, folder: RunFolder) -> None:
    """Check that the run in a folder, finished or not, is a fit of a problem.

    Raises
    ------
    RunMismatch
        The folder holds another run; the message names the difference.
    """
    if difference := first_difference(folder.fingerprint(), fingerprint(run, cross_check=False)):
        raise RunMismatch(folder.path, difference)


@contextmanager
def claimed(
    run: Problem, folder: RunFolder, start: Start, *, cross_check: bool = False, patience: float = 0
) -> Iterator[Claim]:
    """Make the folder of a run and lock it.

    Parameters
    ----------
    run
        The problem to fit.
    folder
        Its folder.
    start
        What to do if the folder holds a run.
    cross_check
        Compute ln Z with a second engine as well.
    patience
        Seconds to wait for another process to release the folder.

    Raises
    ------
    FolderInUse
        Another process has locked the folder.
    RunFolderExists, UnfinishedRun, UnrelatedFilesExist
        The folder holds files that ``start`` does not allow to replace.
    NoRunToResume
        The folder never held a run.
    RunMismatch
        The folder holds another run; the message names the difference.
    UnwritablePath
        The folder cannot be made or written.
    """
    if start is Start.RESUME and not folder.has_seen_a_run:
        raise NoRunToResume(folder.path)
    folder.create(force=start is Start.REPLACE)
    with folder.locked(patience):
        now = fingerprint(run, cross_check=cross_check)
        yield _claim(run, folder, start, now)


def _claim(run: Problem, folder: RunFolder, start: Start, now: Fingerprint) -> Claim:
    check_room(folder, start)
    if start is not Start.REPLACE and (folder.is_finished or folder.is_unfinished):
        if difference := first_difference(folder.fingerprint(), now):
            raise RunMismatch(folder.path, difference)
        if folder.is_finished:
            folder.drop_unfinished()  # left by a run that was killed while it cleaned up
        return Claim(run, folder, now, folder.is_finished, not folder.is_finished)
    folder.drop_unfinished()
    folder.unfinished.copy_data(run.files())
    folder.unfinished.write_config(dump_yaml(resolved_settings(run)))
    folder.unfinished.write_fingerprint(now)
    return Claim(run, folder, now, finished=False, resumed=False)


def carry_out(
    claim: Claim,
    progress: Progress,
    *,
    plots: bool = True,
    plots_beside: bool = False,
    checkpoint_interval: float = CHECKPOINT_INTERVAL,
) -> FitResult:
    """Fit what is not finished yet, write and draw the results; return them.

    Parameters
    ----------
    claim
        The run and its folder.
    progress
        Receiver of stages and notes.
    plots
        Draw the plots.
    plots_beside
        Draw them in another process, see :func:`zpfit.runs.plotting.plots_of`.
    checkpoint_interval
        Seconds between checkpoints.

    Raises
    ------
    Stopped
        A signal arrived; the run can be resumed.
    UnwritablePath
        The folder cannot be written; the run can be resumed.
    ChangedLikelihood, DamagedCheckpoint, UnsafeCheckpoint
        The checkpoints cannot be used.
    NoAllowedPoint, ModelNeverValid, PoorProposal, UndefinedValue
        See :func:`zpfit.analysis.fit.fit`; checkpoints are removed.
    """
    run, folder = claim.run, claim.folder
    with listening() as stop:
        checkpoints = CheckpointFiles(folder.checkpoints, checkpoint_interval, stop)
        with (
            _judging_failures(folder, progress),
            plots_of(folder, beside=plots and plots_beside) as drawing,
        ):
            if claim.resumed:
                progress.note("Resuming an unfinished run")
                check_stored_points(checkpoints, run.posterior, stop)
            check = claim.fingerprint["cross_check"]
            sampled = sample(run, progress, checkpoints, check=check)
            # Samples are written before the search: a failure of the search does not lose them.
            _keep_samples(run, sampled.equal, sampled.weighted, sampled.dead_points, folder)
            drawing.samples_written(run.title)
            result = complete(sampled, progress, checkpoints, drawing.best_fit_found)
            folder.write_summary(result.summary)
            if plots:
                progress.stage("Drawing the plots")
                for problem in drawing.finish(stop.heed):
                    progress.note(problem)
            stop.heed()
            folder.write_fingerprint(claim.fingerprint)
            folder.drop_unfinished()
    return result


def keep_result(result: FitResult, folder: RunFolder, *, force: bool = False) -> None:
    """Write a fit that was computed in memory, as :func:`carry_out` would have left it.

    Parameters
    ----------
    result
        The fit.
    folder
        Run folder, which is made if it is missing. It is left alone if it holds this very run,
        with the same seed, data and code.
    force
        Replace another run in the folder.

    Raises
    ------
    RunMismatch, UnfinishedRun, UnrelatedFilesExist
        The folder holds something else and ``force`` is not given.
    UnwritablePath
        The folder cannot be written.
    """
    from zpfit.runs.drawing import draw_run  # imports matplotlib

    checked = "cross_check" in result.summary["evidence"]
    start = Start.REPLACE if force else Start.CONTINUE
    with claimed(result.problem, folder, start, cross_check=checked) as claim:
        if claim.finished:
            return
        if claim.resumed:
            raise UnfinishedRun(folder.path)
        _keep_samples(result.problem, result.samples, result.weighted, result.dead_points, folder)
        folder.write_summary(result.summary)
        for problem in draw_run(folder):
            LOGGER.warning(problem)
        folder.write_fingerprint(claim.fingerprint)
        folder.drop_unfinished()


def _keep_samples(
    problem: Problem,
    equal: StoredSamples,
    weighted: StoredSamples,
    dead_points: StoredDeadPoints | None,
    folder: RunFolder,
) -> None:
    """Replace what the folder holds by run file, data and samples of a fit."""
    title = problem.title
    folder.clear()
    folder.write_config(dump_yaml(resolved_settings(problem)))
    folder.copy_data(problem.files())
    folder.write_samples(equal, title)
    folder.write_weighted(weighted, title)
    if dead_points:
        folder.write_nested(dead_birth(dead_points), paramnames(problem.posterior))


@contextmanager
def _judging_failures(folder: RunFolder, progress: Progress) -> Iterator[None]:
    """Remove checkpoints after a failure that a resumed run would repeat."""
    try:
        yield
    except UnwritablePath:
        progress.note("Checkpoints are kept: resume the run when the folder can be written again")
        raise
    except (Stopped, ChangedLikelihood, DamagedCheckpoint, UnsafeCheckpoint):
        raise
    except ZpfitError:
        folder.drop_unfinished()  # a resumed run would fail again
        raise


def check_stored_points(
    checkpoints: CheckpointFiles, posterior: Posterior, stop: StopRequest
) -> None:
    """Compute some stored values of ln L again and compare.

    Raises
    ------
    ChangedLikelihood
        The values differ.
    DamagedCheckpoint
        A file cannot be read.
    Stopped
        A signal arrived.
    """
    for path, u, kept in checkpoints.points():
        stop.heed()
        some = np.arange(0, len(u), len(u) // _TRIED + 1)
        now = posterior.log_likelihood(u[some])
        same = np.isclose(now, kept[some], rtol=_SAME, atol=_SAME)
        if not np.all(same):
            worst = int(np.argmin(same))
            values = posterior.parameters(u[some][[worst]])
            point = ", ".join(f"{name} = {value[0]:.6g}" for name, value in values.items())
            raise ChangedLikelihood(path, float(kept[some][worst]), float(now[worst]), point)
