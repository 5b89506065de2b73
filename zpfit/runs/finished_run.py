"""Finished run folders, read as results of fits."""

from zpfit.analysis.fit import FitResult
from zpfit.errors import RunNotFound
from zpfit.runs.run_file import load_run
from zpfit.runs.run_folder import RunFolder

_NEEDED = {"evidence", "best_fit", "no_zprime", "data_hash", "impossible_prior_fraction", "sampler"}
"""Keys of a summary that a comparison reads; runs of old versions lack some."""


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
        The run is not finished, is of an older version, or its data have changed.
    InvalidInput
        The run file or the data are damaged.
    """
    summary, weighted = folder.summary(), folder.weighted()
    if weighted.log_weight is None or not set(summary) >= _NEEDED:
        raise RunNotFound(folder.path, "its evidence")
    problem = load_run(folder.config_path)
    if problem.data_hash() != summary["data_hash"]:
        raise RunNotFound(folder.path, "the data that it was fitted to")
    return FitResult(
        name or folder.path.resolve().name, problem, summary, folder.samples(), weighted
    )
