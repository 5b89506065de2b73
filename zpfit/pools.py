"""Where calls can be made: in this process, in local ones, by Dask, or by MPI."""

import importlib
import logging
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from zpfit.errors import MissingExtra, NoScheduler
from zpfit.executor_choice import ExecutorChoice, Kind

_PATIENCE = 10
"""Seconds to wait for a scheduler to answer."""


class Pool(Protocol):
    """An executor that can be had afresh after its workers have died."""

    @property
    def number(self) -> int:
        """Of workers."""

    @property
    def executor(self) -> Executor:
        """The present one."""

    def renew(self) -> None:
        """Replace an executor that may be broken."""

    def stop(self) -> None:
        """Ask the workers to stop where they can go on later."""


@dataclass
class _Lasting:
    """An executor that outlives its workers, or has none to lose."""

    executor: Executor
    count: Callable[[], int]

    @property
    def number(self) -> int:
        """Of workers, which may come and go."""
        return max(self.count(), 1)

    def renew(self) -> None:
        """There is no need."""

    def stop(self) -> None:
        """Whoever closes the executor ends them."""


class _Here(Executor):
    """Calls at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call and hand out what came of it."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class _Spawning(SpawnContext):
    """Starts processes, and knows which."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[BaseProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> BaseProcess:  # type: ignore[override]  # noqa: N802
        """A process that is about to start."""
        process: BaseProcess = SpawnContext.Process(*args, **kwargs)
        self.started.append(process)
        return process


class _Processes:
    """Processes of this machine, new ones whenever one of them has died."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.executor: Executor = self._fresh()

    def _fresh(self) -> Executor:
        self._context = _Spawning()
        return ProcessPoolExecutor(self.number, self._context, _begin_worker)

    def renew(self) -> None:
        """A broken pool takes no more tasks."""
        self.close()
        self.executor = self._fresh()

    def stop(self) -> None:
        """Each stops where its run can go on later."""
        for process in self._context.started:
            process.terminate()

    def close(self) -> None:
        """Wait for calls that are under way."""
        self.executor.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    """In a new process: one thread for linear algebra, and no life without its parent."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # for libraries that are yet to be loaded
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent asks them to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _here(choice: ExecutorChoice, stack: ExitStack) -> Pool:  # noqa: ARG001 - as the others
    return _Lasting(_Here(), lambda: 1)


def _processes(choice: ExecutorChoice, stack: ExitStack) -> Pool:
    pool = _Processes(choice.workers or cores())
    stack.callback(pool.close)
    return pool


def _dask(choice: ExecutorChoice, stack: ExitStack) -> Pool:
    distributed = _extra("distributed", "dask")
    address = choice.scheduler
    if address is None:
        cluster = distributed.LocalCluster(
            n_workers=choice.workers or cores(),
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # any free port
            silence_logs=logging.CRITICAL,  # connections that end with the cluster are no news
        )
        address = stack.enter_context(cluster).scheduler_address
    try:
        client = stack.enter_context(distributed.Client(address, timeout=_PATIENCE))
    except (OSError, ValueError) as error:
        raise NoScheduler(address, str(error)) from error
    executor = stack.enter_context(client.get_executor(pure=False))
    return _Lasting(executor, lambda: sum(client.nthreads().values()))


def _mpi(choice: ExecutorChoice, stack: ExitStack) -> Pool:  # noqa: ARG001 - as the others
    futures = _extra("mpi4py.futures", "mpi")
    executor = stack.enter_context(futures.MPIPoolExecutor())
    return _Lasting(executor, lambda: int(executor.num_workers))


_OPENERS: dict[Kind, Callable[[ExecutorChoice, ExitStack], Pool]] = {
    Kind.HERE: _here,
    Kind.PROCESSES: _processes,
    Kind.DASK: _dask,
    Kind.MPI: _mpi,
}


def open_pool(choice: ExecutorChoice, stack: ExitStack) -> Pool:
    """What was chosen, closed with the stack.

    Raises:
        MissingExtra: what it needs is not installed.
        NoScheduler: nothing answers at the scheduler's address.
    """
    return _OPENERS[choice.kind](choice, stack)


def _extra(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except (ImportError, RuntimeError) as error:  # mpi4py without MPI raises the latter
        raise MissingExtra(module, extra, str(error)) from error


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0))
