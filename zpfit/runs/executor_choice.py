"""What a user chooses of how many fits are spread over processes."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Where calls are made."""

    HERE = "here"
    PROCESSES = "processes"
    DASK = "dask"
    MPI = "mpi"


@dataclass(frozen=True)
class ExecutorChoice:
    """Where calls are made, and by how many."""

    kind: Kind = Kind.PROCESSES
    workers: int | None = None
    """One for each core that this process may use, if left out; of MPI and an existing Dask
    cluster, as many as there are."""
    scheduler: str | None = None
    """Address of an existing Dask scheduler."""
