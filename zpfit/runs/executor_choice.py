"""The executor that a user chooses.

The command line reads it when it starts, so this module imports no executor.
"""

from dataclasses import dataclass
from enum import StrEnum
from numbers import Integral

from zpfit.errors import UnknownName, WrongType


class Kind(StrEnum):
    """The kinds of executor."""

    HERE = "here"
    PROCESSES = "processes"
    DASK = "dask"
    MPI = "mpi"


@dataclass(frozen=True)
class ExecutorChoice:
    """The executor that a user chooses, and its limits of time.

    Examples
    --------
    >>> ExecutorChoice(Kind.PROCESSES, workers=4).kind
    <Kind.PROCESSES: 'processes'>
    """

    kind: Kind = Kind.PROCESSES
    workers: int | None = None
    """Number of workers. The default is one for each core that this process may use. MPI and an
    existing Dask cluster have a fixed number."""
    scheduler: str | None = None
    """Address of an existing Dask scheduler."""
    grace: float = 60.0
    """Seconds that workers have to write a checkpoint after a stop request. Then they are
    killed. The slowest stage between two checkpoints takes about ten seconds."""
    connect_timeout: float = 10.0
    """Seconds to wait until a Dask scheduler answers."""

    def __post_init__(self) -> None:
        """Refuse other kinds, and fewer workers than one.

        Raises
        ------
        UnknownName
            There is no such kind.
        WrongType
            The number of workers is no integer of at least 1.
        """
        if self.kind not in list(Kind):
            raise UnknownName("kind of executor", str(self.kind), list(Kind))
        object.__setattr__(self, "kind", Kind(self.kind))
        workers = self.workers
        if workers is None:
            return
        if isinstance(workers, bool) or not isinstance(workers, Integral) or workers < 1:
            raise WrongType("workers", workers, "an integer of at least 1")
