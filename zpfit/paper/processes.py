"""The processes in which :command:`zpfit paper` computes and draws."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, forkserver, get_context, resource_tracker
from multiprocessing.context import BaseContext
from typing import Any

from threadpoolctl import threadpool_limits

from zpfit.errors import ProcessDied, ZpfitError
from zpfit.pools import begin_worker, cores
from zpfit.progress import Progress

_PRELOADED = "zpfit.paper.reproduce"


def begin() -> BaseContext:
    """A way to start processes, which on Linux are forked from one that has imported everything.

    That one begins at once, so that it imports while the caller does. Elsewhere forks are not
    safe, or not there.
    """
    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([_PRELOADED])
    resource_tracker.ensure_running()  # which lets interrupts through again
    with interrupts_held():
        forkserver.ensure_running()
    return context


def results_of(jobs: Mapping[str, Callable[[], Any]], progress: Progress) -> dict[str, Any]:
    """Results of all jobs by name, from as many processes as there are cores.

    Raises:
        ZpfitError: what a job raised, in words.
        ProcessDied: a process ended before its job did.
    """
    results: dict[str, Any] = {}
    others = active_children()
    with ProcessPoolExecutor(cores(), begin(), begin_worker) as pool:
        try:
            with interrupts_held():  # a pool that is half set up cannot be taken down
                futures: dict[str, Future[Any]] = {
                    name: pool.submit(_reporting, job) for name, job in jobs.items()
                }
            for done, (name, future) in enumerate(futures.items(), start=1):
                results[name] = future.result()
                progress.update(done / len(futures), name)
        except BrokenProcessPool as error:
            raise ProcessDied from error
        except BaseException:
            for process in {*active_children()}.difference(others):
                process.kill()
            raise
    return results


def _reporting(job: Callable[[], Any]) -> Any:
    """Run a job in one thread; its failure travels between processes as words."""
    try:
        with threadpool_limits(limits=1):  # each process has one core
            return job()
    except ZpfitError as error:
        raise ZpfitError(str(error)) from None


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Ctrl-C waits, and is never heard by processes that begin inside: it is for who began them.

    Imports go inside as well: threads that libraries begin would hear it.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
