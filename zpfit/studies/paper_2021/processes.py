"""The processes in which :command:`zpfit paper` computes and draws."""

import gc
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import resource_tracker
from typing import Any

from threadpoolctl import threadpool_limits

from zpfit.errors import ProcessDied, ZpfitError
from zpfit.inference.progress import Progress
from zpfit.runs.pools import Spawning, begin_worker, cores

_NEEDED = (
    "zpfit.studies.paper_2021.reproduce",
    "zpfit.plots.exclusion",
    "zpfit.analysis.profile.profile",
    "zpfit.inference.sampling",
)
"""Modules that have the jobs, and that these import late."""


@dataclass(frozen=True)
class Workers:
    """Processes that wait for jobs, of which the caller does its share."""

    executor: ProcessPoolExecutor
    number: int

    def results_of(
        self, jobs: Mapping[str, Callable[[], Any]], progress: Progress
    ) -> dict[str, Any]:
        """Results of all jobs by name; jobs that take long should come first.

        ``progress`` is told from several threads, but from one at a time.

        Raises
        ------
        ZpfitError
            What a job raised, in words.
        """
        queue = _Queue(jobs, progress)
        # An executor has jobs wait at its processes, where nobody who is free could take them.
        with interrupts_held():  # what is half set up cannot be taken down
            fed = [_in_thread(partial(queue.work, self._elsewhere)) for _ in range(self.number)]
        queue.work(_reporting)
        for each in fed:
            each.result()
        return queue.results

    def _elsewhere(self, job: Callable[[], Any]) -> Any:
        return self.executor.submit(_reporting, job).result()


def _in_thread(call: Callable[[], None]) -> Future[None]:
    """Call in a thread that nobody waits for at the end, as its process may have been killed."""
    future: Future[None] = Future()

    def report() -> None:
        try:
            call()
            future.set_result(None)
        except BaseException as error:  # noqa: BLE001 - it is for whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=report, daemon=True).start()
    return future


class _Queue:
    """Jobs that threads take one by one."""

    def __init__(self, jobs: Mapping[str, Callable[[], Any]], progress: Progress) -> None:
        self.results: dict[str, Any] = {}
        self._waiting, self._number = deque(jobs.items()), len(jobs)
        self._progress, self._telling = progress, threading.Lock()

    def work(self, run: Callable[[Callable[[], Any]], Any]) -> None:
        """Run jobs until none is left; after a failure nobody begins another one."""
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
def workers() -> Iterator[Workers]:
    """A process for each core but the caller's own, all of which import what jobs need.

    What ends the block with an exception ends them at once.

    Raises
    ------
    ProcessDied
        One ended before its job did.
    """
    context = Spawning()
    number = max(cores() - 1, 1)
    if sys.platform != "win32":
        resource_tracker.ensure_running()  # which lets interrupts through again
    with ProcessPoolExecutor(number, context, _begin) as executor:
        try:
            with interrupts_held():  # by threads that libraries begin as well
                for _ in range(number):
                    executor.submit(int)  # a process begins when a job finds none idle
                _import()
            yield Workers(executor, number)
        except BaseException as error:
            for process in context.started:
                if process.is_alive():
                    process.kill()
            if isinstance(error, BrokenProcessPool):
                raise ProcessDied from error
            raise


def _begin() -> None:
    begin_worker()
    _import()
    gc.freeze()  # what has been imported stays: no need to go through it again and again


def _import() -> None:
    for name in _NEEDED:
        import_module(name)


def _reporting(job: Callable[[], Any]) -> Any:
    """Run a job in one thread; its failure travels between processes as words."""
    try:
        with threadpool_limits(limits=1):  # each process has one core
            return job()
    except ZpfitError as error:
        raise ZpfitError(str(error)) from None


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Ctrl-C waits, and is never heard by processes that begin inside: it is for who began them."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield  # nobody is interrupted here
        return
    heard: list[int] = []
    # Processes inherit a mask, but other threads may hear what is masked here.
    signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        with _masked():
            yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if heard:
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
