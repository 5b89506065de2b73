"""Where calls can be made: in this process, in local ones, by Dask, or by MPI."""

import importlib
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from zpfit.errors import MissingExtra, NoScheduler, ThreadedWorkers
from zpfit.runs.executor_choice import ExecutorChoice, Kind
from zpfit.runs.signals import obey_parent

FAREWELL = 60.0
"""Seconds that workers have to stop where their runs can go on; then they are killed."""
_BROKEN = 5.0
"""The same for what is left of a pool of which one has died."""
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
    cancel: Callable[[], object]
    _number: int = 0
    _asked: float = -math.inf

    @property
    def number(self) -> int:
        """Of workers, which may come and go; asked for once a second."""
        if time.monotonic() - self._asked > 1:
            self._number, self._asked = max(self.count(), 1), time.monotonic()
        return self._number

    def renew(self) -> None:
        """There is no need."""

    def stop(self) -> None:
        """Take back what has not begun; what has is lost but for its checkpoints."""
        self.cancel()


class _Here(Executor):
    """Calls at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call and hand out what came of it."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Spawning(SpawnContext):
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
        self._context = Spawning()
        return ProcessPoolExecutor(self.number, self._context, begin_worker)

    def renew(self) -> None:
        """A broken pool takes no more tasks."""
        self._end(_BROKEN)
        self.executor = self._fresh()

    def stop(self) -> None:
        """Each stops where its run can go on later."""
        for process in self._context.started:
            process.terminate()

    def close(self) -> None:
        """Wait for calls that are under way, but not for ever."""
        self._end(FAREWELL)

    def _end(self, patience: float) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)
        deadline = time.monotonic() + patience
        try:
            for process in self._context.started:
                process.join(max(deadline - time.monotonic(), 0))
        finally:
            for process in self._context.started:
                if process.is_alive():
                    process.kill()
        self.executor.shutdown(wait=True)


def begin_worker() -> None:
    """In a new process: one thread for linear algebra, and no life without its parent."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # for libraries that are yet to be loaded
    obey_parent()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _here(choice: ExecutorChoice, stack: ExitStack) -> Pool:  # noqa: ARG001 - as the others
    return _Lasting(_Here(), lambda: 1, lambda: None)


def _processes(choice: ExecutorChoice, stack: ExitStack) -> Pool:
    pool = _Processes(choice.workers or cores())
    stack.callback(pool.close)
    return pool


def _dask(choice: ExecutorChoice, stack: ExitStack) -> Pool:
    distributed, dask = _extra("distributed", "dask"), _extra("dask", "dask")
    address = choice.scheduler
    if address is None:
        # Whoever dies is missed at once, and replaced: see :mod:`zpfit.runs.workers`.
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0}))
        with _deaf_to_interrupts():
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
    if any(threads > 1 for threads in client.nthreads().values()):
        raise ThreadedWorkers(address)
    executor = stack.enter_context(client.get_executor(pure=False))
    return _Lasting(
        executor,
        lambda: sum(client.nthreads().values()),
        lambda: executor.shutdown(wait=False),
    )


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started inside ignore Ctrl-C, which is for the one that started them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _mpi(choice: ExecutorChoice, stack: ExitStack) -> Pool:  # noqa: ARG001 - as the others
    futures = _extra("mpi4py.futures", "mpi")
    executor = stack.enter_context(futures.MPIPoolExecutor())
    return _Lasting(
        executor,
        lambda: int(executor.num_workers),
        lambda: executor.shutdown(wait=False, cancel_futures=True),
    )


_OPENERS: dict[Kind, Callable[[ExecutorChoice, ExitStack], Pool]] = {
    Kind.HERE: _here,
    Kind.PROCESSES: _processes,
    Kind.DASK: _dask,
    Kind.MPI: _mpi,
}


def open_pool(choice: ExecutorChoice, stack: ExitStack) -> Pool:
    """What was chosen, closed with the stack.

    Raises
    ------
    MissingExtra
        What it needs is not installed.
    NoScheduler
        Nothing answers at the scheduler's address.
    """
    return _OPENERS[choice.kind](choice, stack)


def _extra(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except (ImportError, RuntimeError) as error:  # mpi4py without MPI raises the latter
        raise MissingExtra(module, extra, str(error)) from error


def cores() -> int:
    """That this process may use, which on a cluster are fewer than the machine has."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
