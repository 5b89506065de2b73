"""A few jobs side by side, in the process of a command and in others.

:mod:`zpfit.runs.workers` is made for thousands of jobs. For the figures and numbers of the paper it
took 69 s of processor time on two cores instead of 59 s, with equal results: it starts one process
for each core beside the command's own, which imports the same modules for some seconds and then
waits. Here the command's process takes its share of the jobs, and the other processes import while
it imports. Ctrl-C ends the other processes at once; what they have written to folders stays.
"""

import gc
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import resource_tracker
from typing import Any

from threadpoolctl import threadpool_limits

from zpfit.errors import WorkerKilled
from zpfit.inference.progress import Progress, Silent
from zpfit.runs.pools import Spawning, begin_worker, cores


@dataclass(frozen=True)
class Workers:
    """Processes that wait for jobs; the caller takes its share of the jobs."""

    executor: ProcessPoolExecutor
    number: int

    def results_of(
        self, jobs: Mapping[str, Callable[[], Any]], progress: Progress
    ) -> dict[str, Any]:
        """Run all jobs and return their results by name.

        Parameters
        ----------
        jobs
            Picklable functions by name. Long jobs should come first.
        progress
            Gets the name of each finished job, from several threads but one at a time.

        Raises
        ------
        ZpfitError
            A job has raised one; the message is the same.
        """
        queue = _Queue(jobs, progress)
        # Jobs wait here and not in the executor, so that whichever process is free takes the next.
        with interrupts_held():  # a half-built set of threads cannot be stopped
            fed = [_in_thread(partial(queue.work, self._elsewhere)) for _ in range(self.number)]
        queue.work(_in_one_thread)
        for each in fed:
            each.result()
        return queue.results

    def _elsewhere(self, job: Callable[[], Any]) -> Any:
        return self.executor.submit(_in_one_thread, job).result()


class Finished(Silent):
    """Names each job that has ended."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def update(self, fraction: float, note: str) -> None:
        """Report a finished job."""
        self._progress.update(fraction, note)
        self._progress.stage(f"Finished: {note}")


def _in_thread(call: Callable[[], None]) -> Future[None]:
    """Call in a daemon thread: Python must not wait for it if its process has been killed."""
    future: Future[None] = Future()

    def report() -> None:
        try:
            call()
            future.set_result(None)
        except BaseException as error:  # noqa: BLE001 - raised again with the result
            future.set_exception(error)

    threading.Thread(target=report, daemon=True).start()
    return future


class _Queue:
    """A queue of jobs that several threads work on."""

    def __init__(self, jobs: Mapping[str, Callable[[], Any]], progress: Progress) -> None:
        self.results: dict[str, Any] = {}
        self._waiting, self._number = deque(jobs.items()), len(jobs)
        self._progress, self._telling = progress, threading.Lock()

    def work(self, run: Callable[[Callable[[], Any]], Any]) -> None:
        """Run jobs until none remains; after a failure no further job begins."""
        try:
            while (taken := self._taken()) is not None:
                name, job = taken
                self._add(name, run(job))
        except BaseException:
            self._waiting.clear()
            raise

    def _taken(self) -> tuple[str, Callable[[], Any]] | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def _add(self, name: str, result: Any) -> None:
        with self._telling:
            self.results[name] = result
            self._progress.update(len(self.results) / self._number, name)


@contextmanager
def workers(needed: Sequence[str], number: int | None = None) -> Iterator[Workers]:
    """Open processes beside the caller's own, with modules imported.

    An exception in the block kills the processes at once.

    Parameters
    ----------
    needed
        Modules of the jobs, and modules that these import late: all are imported in advance.
    number
        Number of processes; by default one for each core but the caller's own, and at least one.

    Raises
    ------
    WorkerKilled
        A process was killed during its job.
    """
    context = Spawning()
    number = number or max(cores() - 1, 1)
    if sys.platform != "win32":
        resource_tracker.ensure_running()  # it would unmask interrupts if it started later
    with ProcessPoolExecutor(number, context, _begin, (needed,)) as executor:
        try:
            with interrupts_held():  # also in threads that libraries start
                for _ in range(number):
                    executor.submit(
                        int
                    )  # the pool starts a process for each job that finds none idle
                _import(needed)
            yield Workers(executor, number)
        except BaseException as error:
            for process in context.started:
                if process.is_alive():
                    process.kill()
            if isinstance(error, BrokenProcessPool):
                raise WorkerKilled from error
            raise


def _begin(needed: Sequence[str]) -> None:
    begin_worker()
    _import(needed)
    gc.freeze()  # imported objects stay alive: the collector need not visit them


def _import(needed: Sequence[str]) -> None:
    for name in needed:
        import_module(name)


def _in_one_thread(job: Callable[[], Any]) -> Any:
    """Run a job in one thread, as each process has one core."""
    with threadpool_limits(limits=1):
        return job()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Delay Ctrl-C until the end of the block; processes that start inside ignore it for good.

    The parent process ends its children itself.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield  # Python interrupts the main thread alone
        return
    received: list[int] = []
    # Processes inherit the mask, but other threads of this one may still receive the signal.
    signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    try:
        with _masked():
            yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if received:
            handler(signal.SIGINT, None)


@contextmanager
def _masked() -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
