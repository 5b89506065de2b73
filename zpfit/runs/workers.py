"""Many calls of one function through any executor of :mod:`concurrent.futures`.

A task holds many calls, so that the scheduler's rate of tasks does not limit the speed. The calls
of a task whose worker died are repeated one by one, which finds the call that kills its worker.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from threadpoolctl import threadpool_limits

from zpfit.errors import FailedTasks, Stopped, ZpfitError
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.pools import Pool, open_pool
from zpfit.runs.signals import StopRequest, present_request

A = TypeVar("A")
R = TypeVar("R")
I_co = TypeVar("I_co", covariant=True)

_TASK_SECONDS = 2.0
"""Work of one task in seconds: long against the scheduler's time for a task (some milliseconds),
short against a campaign."""
_MAX_TASK_RATE = 100
"""Tasks a second of all workers together; Dask's scheduler handles about 500
(docs/campaigns.md)."""
_TASKS_IN_FLIGHT = 2
"""Tasks in flight for each worker, so that no worker waits for its next task."""
_TRIES = 2
"""Deaths of a worker during one call alone, after which the call counts as failed. The first death
may have another cause, such as memory that other programs use."""
_POLL_INTERVAL = 0.5
"""Seconds between checks for a stop request."""


class Items(Protocol[I_co]):
    """Arguments of calls, such as a list, or a sequence that makes each of them when asked."""

    def __len__(self) -> int:
        """Return the number of items."""

    def __getitem__(self, index: int, /) -> I_co:
        """Return an item."""


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """The result of one call, or its failure."""

    index: int
    """Position of the item in the sequence of items."""
    value: R | None
    error: str | None = None
    """Reason of the failure; None if the call returned a value."""
    seconds: float = 0.0
    """Wall time of the call."""


@dataclass
class Workers:
    """The workers of an open executor."""

    pool: Pool
    request: StopRequest
    grace: float = 60.0
    """Seconds that workers have to stop, see :class:`zpfit.runs.executor_choice.ExecutorChoice`."""

    @property
    def number(self) -> int:
        """Number of workers."""
        return self.pool.number

    def run(self, function: Callable[[A], R], items: Items[A]) -> Iterator[Outcome[R]]:
        """Call ``function`` with every item and yield each outcome when it is ready.

        An exception of a call is an outcome. A call whose worker dies twice has failed as well.

        Parameters
        ----------
        function
            A function at the top level of a module, so that it can be pickled.
        items
            Arguments of the calls.

        Yields
        ------
        Outcome
            One for each item, in the order in which the calls end.

        Raises
        ------
        Stopped
            A signal has requested a stop.
        """
        waiting = deque(range(len(items)))
        running: dict[Future[list[Outcome[R]]], list[int]] = {}
        suspects: list[int] = []
        seconds = _TASK_SECONDS  # of a call, unknown yet: the first tasks hold one call
        broken = False
        while waiting or running:
            while waiting and not broken and len(running) < _TASKS_IN_FLIGHT * self.number:
                chosen = [waiting.popleft() for _ in range(self._share(len(waiting), seconds))]
                try:
                    running[self._submit(function, items, chosen)] = chosen
                except Exception:  # noqa: BLE001 - a worker has died meanwhile
                    waiting.extendleft(reversed(chosen))
                    broken = True
            for future in self._done(running):
                chosen = running.pop(future)
                try:
                    outcomes = future.result()
                except Exception:  # noqa: BLE001 - not of a call: a worker has died
                    suspects += chosen
                    broken = True
                    continue
                if outcomes:
                    seconds = sum(outcome.seconds for outcome in outcomes) / len(outcomes)
                # A worker that another program has stopped, such as a batch system, returns a part.
                left = sorted({*chosen} - {outcome.index for outcome in outcomes})
                waiting.extend(left)
                broken |= bool(left)
                yield from outcomes
            if self.request.by is not None:
                yield from self._last(running)
                self.request.heed()
            if broken and not running:
                self.pool.renew()
                yield from self._one_by_one(function, items, suspects)
                suspects, broken = [], False

    def run_all(
        self, function: Callable[[A], R], items: Sequence[A], names: Sequence[str], kind: str
    ) -> Iterator[tuple[int, R]]:
        """Yield index and value of each call; report the failed ones when all have ended.

        Parameters
        ----------
        function, items
            See :meth:`run`; the function never returns None.
        names
            Name of each call in messages.
        kind
            What the calls compute, as a plural.

        Raises
        ------
        FailedTasks
            Some calls have failed.
        Stopped
            A signal has requested a stop.
        """
        failures = {}
        for outcome in self.run(function, items):
            if outcome.value is None:
                failures[names[outcome.index]] = outcome.error or ""
            else:
                yield outcome.index, outcome.value
        if failures:
            raise FailedTasks(failures, len(items), kind)

    def _submit(
        self, function: Callable[[A], R], items: Items[A], chosen: list[int]
    ) -> Future[list[Outcome[R]]]:
        calls = [(index, items[index]) for index in chosen]
        return self.pool.executor.submit(call_many, function, calls)

    def _share(self, left: int, seconds: float) -> int:
        """Return the number of calls of the next task.

        It falls towards the end, so that all workers finish at about the same time.
        """
        wanted = max(_TASK_SECONDS, self.number / _MAX_TASK_RATE)
        by_time = int(wanted / max(seconds, 1e-6))
        by_number = left // (2 * _TASKS_IN_FLIGHT * self.number)
        return max(1, min(by_time, by_number))

    def _done(self, running: Iterable[Future[R]]) -> set[Future[R]]:
        """Wait for finished futures; return none only if a stop is requested."""
        while running and self.request.by is None:
            done, _ = wait(running, timeout=_POLL_INTERVAL, return_when=FIRST_COMPLETED)
            if done:
                return done
        return set()

    def _last(self, running: Iterable[Future[list[Outcome[R]]]]) -> Iterator[Outcome[R]]:
        """Stop the workers and yield the outcomes that they still return."""
        self.pool.stop()
        done, _ = wait(running, timeout=self.grace)
        for future in done:
            if not future.cancelled() and future.exception() is None:
                yield from future.result()

    def _one_by_one(
        self, function: Callable[[A], R], items: Items[A], suspects: list[int]
    ) -> Iterator[Outcome[R]]:
        """Repeat calls, because one of them may have killed its worker."""
        for index in suspects:
            for _ in range(_TRIES):
                try:
                    future = self._submit(function, items, [index])
                    while not self._done([future]):
                        yield from self._last([future])
                        self.request.heed()
                    [outcome] = future.result()
                except ZpfitError:
                    raise
                except Exception as error:  # noqa: BLE001 - the worker has died again
                    self.pool.renew()
                    reason = f"its worker died {_TRIES} times ({type(error).__name__})"
                    outcome = Outcome(index, None, reason)
                else:
                    break
            yield outcome


def call_many(function: Callable[[A], R], calls: Sequence[tuple[int, A]]) -> list[Outcome[R]]:
    """Make the calls of a task, in a worker.

    Linear algebra uses one thread, as each worker has one core. Calls that remain when a stop is
    requested have no outcome.

    Examples
    --------
    >>> [outcome.value for outcome in call_many(abs, [(0, -2), (1, 3)])]
    [2, 3]
    """
    request, outcomes = present_request(), []
    with threadpool_limits(limits=1):
        for index, item in calls:
            if request.by is not None:
                break
            try:
                outcomes.append(_call(function, index, item))
            except Stopped:
                break
    return outcomes


def _call(function: Callable[[A], R], index: int, item: A) -> Outcome[R]:
    started = time.perf_counter()
    value, failure = None, None
    try:
        value = function(item)
    except Stopped:
        raise
    except ZpfitError as error:
        failure = str(error)
    except Exception as error:  # noqa: BLE001 - one failed fit must not end the others
        failure = f"{type(error).__name__}: {error}"
    return Outcome(index, value, failure, time.perf_counter() - started)


@contextmanager
def open_workers(choice: ExecutorChoice, stop: StopRequest | None = None) -> Iterator[Workers]:
    """Open the chosen executor and close it at the end; ``stop`` is passed on to the workers.

    Raises
    ------
    MissingExtra
        A package that the executor needs is not installed.
    SchedulerUnreachable
        No scheduler answers at the address.
    MultithreadedWorkers
        Workers of the Dask cluster have more than one thread.
    """
    with ExitStack() as stack:
        yield Workers(open_pool(choice, stack), stop or StopRequest(), choice.grace)
