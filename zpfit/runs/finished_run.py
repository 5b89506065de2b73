"""Finished run folders, read as results of fits."""

from dataclasses import dataclass
from functools import partial
from typing import NoReturn, cast

from zpfit.analysis.fit import FitResult
from zpfit.analysis.records import FitSummary
from zpfit.errors import ChangedData, InvalidModel, RunNotFound
from zpfit.inference.problem import Problem
from zpfit.io.python_code import unsaved
from zpfit.runs.records import read_record
from zpfit.runs.run_file import load_run, session_model
from zpfit.runs.run_folder import RunFolder


def read_fit(folder: RunFolder, name: str | None = None) -> FitResult:
    """Read a finished run.

    Parameters
    ----------
    folder
        Folder of the run.
    name
        Name of the result; the name of the folder by default.

    Raises
    ------
    RunNotFound
        The run is not finished.
    DamagedRecord
        The summary lacks a key, as those of older versions do, or a value has another type; the
        message names the key.
    ChangedData
        Its data have changed.
    InvalidInput
        The run file or the data are damaged.
    """
    # Only checked here: the record that is read back turns whole numbers into floats.
    summary = folder.summary()
    read_record(FitSummary, folder.summary_path)
    weighted = folder.weighted()
    if weighted.log_weight is None:
        raise RunNotFound(folder.path, "the weight of its samples")
    return FitResult(
        name or folder.path.resolve().name,
        _problem(folder, summary["data_hash"]),
        summary,
        folder.samples(),
        weighted,
        folder.dead_points(),
    )


def _problem(folder: RunFolder, data_hash: str) -> Problem:
    """Return the problem of a run, or what stands for it if its model was not saved."""
    if lost := session_model(folder.config_path):
        return cast(Problem, LostProblem(lost))
    problem = load_run(folder.config_path)
    if problem.data_hash() != data_hash:
        raise ChangedData(folder.path)
    return problem


@dataclass(frozen=True)
class LostProblem:
    """Stands for a problem whose model was defined in a Python session and is gone.

    Samples and numbers of the run can be read without it; its use raises :class:`InvalidModel`.
    """

    model: str

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # Python looks for hooks of copying and pickling
            raise AttributeError(name)
        raise unsaved(partial(InvalidModel, self.model))
