"""Options that remedy a failure.

Exceptions say what is wrong and what to do, for users of Python and of the command line alike. This
module adds how to do it with options of a command.
"""

from collections.abc import Callable

from zpfit.errors import (
    AmbiguousReference,
    ChangedLikelihood,
    DamagedCheckpoint,
    FilesExist,
    FolderInUse,
    ModelsNotNested,
    MultithreadedWorkers,
    NoRunToResume,
    NoSamplingDistribution,
    OtherProof,
    OtherStore,
    PortInUse,
    RunFolderExists,
    RunMismatch,
    SchedulerUnreachable,
    Stopped,
    ToysMismatch,
    UnfinishedRun,
    UnknownReference,
    UnrelatedFilesExist,
    UnsafeCheckpoint,
    UnwritablePath,
    WrongSuffix,
    ZpfitError,
)

_REPEATABLE = ("campaign", "toys")
"""Commands that resume when they are repeated, without an option."""


def message_of(error: ZpfitError, command: str | None = None) -> str:
    """Return the message of a failure for users of the command line.

    Parameters
    ----------
    error
        The failure.
    command
        Name of the command that failed.

    Examples
    --------
    >>> from pathlib import Path
    >>> message_of(RunFolderExists(Path("output/fit")))
    'output/fit: already holds a run; choose another folder, or replace it (--output, --force)'
    """
    if isinstance(error, Stopped):
        return _of_stopped(error, command)
    for kind, reword in _REWORDED.items():
        if isinstance(error, kind):
            return reword(str(error))
    return str(error)


def _of_stopped(error: Stopped, command: str | None) -> str:
    if command == "run":
        return f"{error} (--resume)"
    return f"{error} (without --force)" if command in _REPEATABLE else str(error)


def _with_options(options: str) -> Callable[[str], str]:
    """Return a function that adds options behind a message."""
    return lambda message: f"{message} ({options})"


def _as_option(message: str) -> str:
    """Turn the parameter that a message begins with into an option."""
    return f"--{message}"


_REWORDED: dict[type[ZpfitError], Callable[[str], str]] = {
    UnwritablePath: _with_options("--output"),
    FolderInUse: _with_options("--output"),
    RunFolderExists: _with_options("--output, --force"),
    FilesExist: _with_options("--output, --force"),
    UnrelatedFilesExist: _with_options("--output, --force"),
    ToysMismatch: _with_options("--output, --force"),
    RunMismatch: _with_options("--output, --force"),
    UnfinishedRun: _with_options("--resume, --force"),
    NoRunToResume: _with_options("leave out --resume"),
    OtherProof: _with_options("--force"),
    OtherStore: _with_options("--store, --output"),
    DamagedCheckpoint: _with_options("--force"),
    UnsafeCheckpoint: _with_options("--force"),
    ChangedLikelihood: _with_options("--force"),
    NoSamplingDistribution: _with_options("--set KEY=VALUE"),
    ModelsNotNested: _as_option,
    UnknownReference: _as_option,
    AmbiguousReference: _as_option,
    PortInUse: _as_option,
    WrongSuffix: _as_option,
    SchedulerUnreachable: _as_option,
    MultithreadedWorkers: _as_option,
}
"""How the command line words the message of an exception."""
