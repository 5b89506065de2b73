"""Executors: calls in this process, in local processes, through Dask or through MPI.

Dask, MPI and the process pool are imported only where one of them is opened.
"""

import importlib
import logging
import math
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, Protocol

from zpfit.errors import MissingExtra, MultithreadedWorkers, SchedulerUnreachable
from zpfit.runs.executor_choice import ExecutorChoice, Kind
from zpfit.runs.signals import obey_parent

_BROKEN_POOL_GRACE = 5.0
"""Seconds until the remaining processes of a broken pool are killed: they do no useful work."""
_COUNT_INTERVAL = 1.0
"""Seconds between two counts of the workers of a cluster, which take a round trip each."""


class Pool(Protocol):
    """An executor that can be replaced after its workers have died."""

    @property
    def number(self) -> int:
        """Number of workers."""

    @property
    def executor(self) -> Executor:
        """The executor that is in use."""

    def renew(self) -> None:
        """Replace an executor that may be broken."""

    def stop(self) -> None:
        """Ask the workers to stop at their next checkpoint."""


@dataclass
class _PermanentPool:
    """An executor that survives the death of its workers, or has no workers."""

    executor: Executor
    count: Callable[[], int]
    cancel: Callable[[], object]
    _number: int = 0
    _counted: float = -math.inf

    @property
    def number(self) -> int:
        """Number of workers, which may change; counted at most once a second."""
        if time.monotonic() - self._counted > _COUNT_INTERVAL:
            self._number, self._counted = max(self.count(), 1), time.monotonic()
        return self._number

    def renew(self) -> None:
        """Do nothing: the executor replaces its workers itself."""

    def stop(self) -> None:
        """Cancel the queued calls; running ones can be resumed from their checkpoints."""
        self.cancel()


class _InlineExecutor(Executor):
    """Makes each call at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function and return a finished future."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Spawning(SpawnContext):
    """A context of multiprocessing that records the processes it starts.

    These do not import the caller's script, as processes of multiprocessing do by default: a fit
    that stands in a script would begin again in each, and fail there. Jobs hold no objects of the
    script, see :func:`can_be_sent`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.started: list[BaseProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> BaseProcess:  # type: ignore[override]  # noqa: N802
        """Create a process and record it."""
        process: BaseProcess = _WithoutScript(*args, **kwargs)
        self.started.append(process)
        return process


class _WithoutScript(SpawnProcess):
    """A process that starts without the caller's script."""

    def start(self) -> None:
        """Start the process."""
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")  # has no file that could be imported
        try:
            super().start()
        finally:
            sys.modules["__main__"] = script


def can_be_sent(jobs: Any) -> bool:
    """Return True if other processes can read an object, which needs nothing of the script.

    Examples
    --------
    >>> can_be_sent([len, 1.0]), can_be_sent(lambda: 1)
    (True, False)
    """
    try:
        return b"__main__" not in pickle.dumps(jobs)
    except Exception:  # noqa: BLE001 - pickle names a dozen kinds of failure
        return False


class _LocalProcesses:
    """Processes of this machine; a new pool replaces one that has lost a process."""

    def __init__(self, number: int, grace: float) -> None:
        self.number = number
        self._grace = grace
        self.executor: Executor = self._open()

    def _open(self) -> Executor:
        from concurrent.futures import ProcessPoolExecutor

        self._context = Spawning()
        return ProcessPoolExecutor(self.number, self._context, begin_worker)

    def renew(self) -> None:
        """Open a new pool, as a broken one takes no more tasks."""
        self._end(_BROKEN_POOL_GRACE)
        self.executor = self._open()

    def stop(self) -> None:
        """Send SIGTERM to each process, which stops at its next checkpoint."""
        for process in self._context.started:
            process.terminate()

    def close(self) -> None:
        """Wait for running calls, and kill the processes when the grace period is over."""
        self._end(self._grace)

    def _end(self, grace: float) -> None:
        # A broken executor holds its lock until all its processes have ended (Python 3.12 and
        # later), and these ignore its SIGTERM: another thread waits for the lock.
        ending = threading.Thread(
            target=partial(self.executor.shutdown, wait=True, cancel_futures=True), daemon=True
        )
        ending.start()
        deadline = time.monotonic() + grace
        try:
            for process in self._context.started:
                process.join(max(deadline - time.monotonic(), 0))
        finally:
            # Also after a second Ctrl-C: no process may outlive the command.
            for process in self._context.started:
                if process.is_alive():
                    process.kill()
        ending.join()


def begin_worker() -> None:
    """Prepare a new process: one thread for linear algebra, and an end with its parent."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # read by libraries that are loaded later
    obey_parent()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _open_inline(choice: ExecutorChoice, stack: ExitStack) -> Pool:  # noqa: ARG001 - as the others
    return _PermanentPool(_InlineExecutor(), lambda: 1, lambda: None)


def _open_processes(choice: ExecutorChoice, stack: ExitStack) -> Pool:
    pool = _LocalProcesses(choice.workers or cores(), choice.grace)
    stack.callback(pool.close)
    return pool


def _open_dask(choice: ExecutorChoice, stack: ExitStack) -> Pool:
    distributed = _import_extra("distributed", "dask")
    address = choice.scheduler or _local_cluster(choice, stack)
    try:
        client = stack.enter_context(distributed.Client(address, timeout=choice.connect_timeout))
    except (OSError, ValueError) as error:
        raise SchedulerUnreachable(address, str(error)) from error
    if any(threads > 1 for threads in client.nthreads().values()):
        raise MultithreadedWorkers(address)
    executor = stack.enter_context(client.get_executor(pure=False))
    return _PermanentPool(
        executor,
        lambda: sum(client.nthreads().values()),
        lambda: executor.shutdown(wait=False),
    )


def _local_cluster(choice: ExecutorChoice, stack: ExitStack) -> str:
    """Start a Dask cluster on this machine and return the address of its scheduler."""
    distributed, dask = _import_extra("distributed", "dask"), _import_extra("dask", "dask")
    # Report a dead worker at once: zpfit.runs.workers repeats its calls one by one.
    stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0}))
    with _interrupts_ignored():
        cluster = distributed.LocalCluster(
            n_workers=choice.workers or cores(),
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # any free port
            silence_logs=logging.CRITICAL,  # lost connections at the end are expected
        )
    address: str = stack.enter_context(cluster).scheduler_address
    return address


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let processes that start inside ignore Ctrl-C, which their parent handles."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _open_mpi(choice: ExecutorChoice, stack: ExitStack) -> Pool:  # noqa: ARG001 - as the others
    futures = _import_extra("mpi4py.futures", "mpi")
    executor = stack.enter_context(futures.MPIPoolExecutor())
    return _PermanentPool(
        executor,
        lambda: int(executor.num_workers),
        lambda: executor.shutdown(wait=False, cancel_futures=True),
    )


_OPENERS: dict[Kind, Callable[[ExecutorChoice, ExitStack], Pool]] = {
    Kind.HERE: _open_inline,
    Kind.PROCESSES: _open_processes,
    Kind.DASK: _open_dask,
    Kind.MPI: _open_mpi,
}


def open_pool(choice: ExecutorChoice, stack: ExitStack) -> Pool:
    """Open the chosen executor; ``stack`` closes it.

    Raises
    ------
    MissingExtra
        A package that the executor needs is not installed.
    SchedulerUnreachable
        No scheduler answers at the address.
    MultithreadedWorkers
        Workers of the Dask cluster have more than one thread.
    """
    return _OPENERS[choice.kind](choice, stack)


def _import_extra(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except (ImportError, RuntimeError) as error:  # mpi4py without MPI raises RuntimeError
        raise MissingExtra(module, extra, str(error)) from error


def cores() -> int:
    """Return the number of cores that this process may use.

    On a cluster it is often smaller than the number of cores of the machine.

    Examples
    --------
    >>> cores() >= 1
    True
    """
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
