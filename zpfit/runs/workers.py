"""Many calls of one function behind the interface of :mod:`concurrent.futures`.

Calls travel many to a task, so that a scheduler's rate of tasks is not the limit. What a worker
that dies had in its hands is done again, one call at a time, so that a call which kills its
worker is found and named.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from threadpoolctl import threadpool_limits

from zpfit.errors import Stopped, ZpfitError
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.pools import FAREWELL, Pool, open_pool
from zpfit.runs.signals import StopRequest, present_request

A = TypeVar("A")
R = TypeVar("R")

_TASK_SECONDS = 2.0
"""Work of one task: long against a scheduler's time for it, short against a campaign."""
_MOST_TASKS = 100
"""A second, for all workers together: what a scheduler does without sweat."""
_SPARE_TASKS = 2
"""Tasks in flight for each worker, so that none waits for the next."""
_TRIES = 2
"""Deaths of a worker with one call alone in its hands, after which the call is given up."""
_LOOK_UP = 0.5
"""Seconds between looks for a request to stop."""


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What became of one call."""

    index: int
    """Of its item."""
    value: R | None
    error: str | None = None
    """Why there is no value."""
    seconds: float = 0.0


@dataclass
class Workers:
    """Whoever makes the calls."""

    pool: Pool
    request: StopRequest

    @property
    def number(self) -> int:
        """How many there are."""
        return self.pool.number

    def run(self, function: Callable[[A], R], items: Sequence[A]) -> Iterator[Outcome[R]]:
        """Call ``function``, of a module's top level, with every item; outcomes as they come.

        A failure of a call is an outcome; a call whose worker dies twice fails as well.

        Raises
        ------
        Stopped
            It was asked for.
        """
        waiting = deque(range(len(items)))
        running: dict[Future[list[Outcome[R]]], list[int]] = {}
        suspects: list[int] = []
        seconds = _TASK_SECONDS  # of one call, so that the first tasks hold one
        broken = False
        while waiting or running:
            while waiting and not broken and len(running) < _SPARE_TASKS * self.number:
                chosen = [waiting.popleft() for _ in range(self._share(len(waiting), seconds))]
                try:
                    running[self._submit(function, items, chosen)] = chosen
                except Exception:  # noqa: BLE001 - a worker died since the last look
                    waiting.extendleft(reversed(chosen))
                    broken = True
            for future in self._done(running):
                chosen = running.pop(future)
                try:
                    outcomes = future.result()
                except Exception:  # noqa: BLE001 - failures of calls are outcomes: a worker died
                    suspects += chosen
                    broken = True
                    continue
                if outcomes:
                    seconds = sum(outcome.seconds for outcome in outcomes) / len(outcomes)
                # A worker that was asked to stop, and by others than us, has done a part.
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

    def _submit(
        self, function: Callable[[A], R], items: Sequence[A], chosen: list[int]
    ) -> Future[list[Outcome[R]]]:
        calls = [(index, items[index]) for index in chosen]
        return self.pool.executor.submit(call_many, function, calls)

    def _share(self, left: int, seconds: float) -> int:
        """How many calls go into the next task: fewer towards the end, for an even finish."""
        wanted = max(_TASK_SECONDS, self.number / _MOST_TASKS)
        by_time = int(wanted / max(seconds, 1e-6))
        by_number = left // (2 * _SPARE_TASKS * self.number)
        return max(1, min(by_time, by_number))

    def _done(self, running: Iterable[Future[R]]) -> set[Future[R]]:
        """Those that are done, of which there is at least one unless a stop is asked for."""
        while running and self.request.by is None:
            done, _ = wait(running, timeout=_LOOK_UP, return_when=FIRST_COMPLETED)
            if done:
                return done
        return set()

    def _last(self, running: Iterable[Future[list[Outcome[R]]]]) -> Iterator[Outcome[R]]:
        """What workers have done that are asked to stop."""
        self.pool.stop()
        done, _ = wait(running, timeout=FAREWELL)
        for future in done:
            if not future.cancelled() and future.exception() is None:
                yield from future.result()

    def _one_by_one(
        self, function: Callable[[A], R], items: Sequence[A], suspects: list[int]
    ) -> Iterator[Outcome[R]]:
        """Calls that may have killed a worker."""
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
                except Exception as error:  # noqa: BLE001 - as above
                    self.pool.renew()
                    reason = f"its worker died {_TRIES} times ({type(error).__name__})"
                    outcome = Outcome(index, None, reason)
                else:
                    break
            yield outcome


def call_many(function: Callable[[A], R], calls: Sequence[tuple[int, A]]) -> list[Outcome[R]]:
    """What a worker does with a task: linear algebra in one thread, as each has one core.

    Calls that are left when a stop is asked for have no outcome.
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
    except Exception as error:  # noqa: BLE001 - one fit must not cost the others
        failure = f"{type(error).__name__}: {error}"
    return Outcome(index, value, failure, time.perf_counter() - started)


@contextmanager
def open_workers(choice: ExecutorChoice, stop: StopRequest | None = None) -> Iterator[Workers]:
    """Workers as chosen, closed at the end; a request to stop is handed on to them.

    Raises
    ------
    MissingExtra
        What they need is not installed.
    NoScheduler
        Nothing answers at the scheduler's address.
    """
    with ExitStack() as stack:
        yield Workers(open_pool(choice, stack), stop or StopRequest())
