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
from zpfit.executor_choice import ExecutorChoice
from zpfit.pools import Pool, open_pool
from zpfit.stopping import StopRequest

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

        Raises:
            Stopped: it was asked for.
        """
        waiting = deque(range(len(items)))
        running: dict[Future[list[Outcome[R]]], list[int]] = {}
        suspects: list[int] = []
        seconds = _TASK_SECONDS  # of one call, so that the first tasks hold one
        while waiting or running:
            while waiting and len(running) < _SPARE_TASKS * self.number:
                chosen = [waiting.popleft() for _ in range(self._share(len(waiting), seconds))]
                running[self._submit(function, items, chosen)] = chosen
            for future in self._done(running):
                chosen = running.pop(future)
                try:
                    outcomes = future.result()
                except Exception:  # noqa: BLE001 - failures of calls are outcomes: a worker died
                    suspects += chosen
                    continue
                seconds = sum(outcome.seconds for outcome in outcomes) / len(outcomes)
                yield from outcomes
            if suspects and not running:
                yield from self._one_by_one(function, items, suspects)
                suspects = []

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
        """Those that are done, of which there is at least one."""
        while True:
            if self.request.by is not None:
                self.pool.stop()
                self.request.heed()
            done, _ = wait(running, timeout=_LOOK_UP, return_when=FIRST_COMPLETED)
            if done:
                return done

    def _one_by_one(
        self, function: Callable[[A], R], items: Sequence[A], suspects: list[int]
    ) -> Iterator[Outcome[R]]:
        """Calls that may have killed a worker."""
        self.pool.renew()
        for index in suspects:
            for _ in range(_TRIES):
                future = self._submit(function, items, [index])
                self._done([future])
                try:
                    [outcome] = future.result()
                except Exception as error:  # noqa: BLE001 - as above
                    self.pool.renew()
                    reason = f"its worker died {_TRIES} times ({type(error).__name__})"
                    outcome = Outcome(index, None, reason)
                else:
                    break
            yield outcome


def call_many(function: Callable[[A], R], calls: Sequence[tuple[int, A]]) -> list[Outcome[R]]:
    """What a worker does with a task: linear algebra in one thread, as each has one core.

    Raises:
        Stopped: a signal has asked for it.
    """
    with threadpool_limits(limits=1):
        return [_call(function, index, item) for index, item in calls]


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

    Raises:
        MissingExtra: what they need is not installed.
        NoScheduler: nothing answers at the scheduler's address.
        Stopped: it was asked for.
    """
    with ExitStack() as stack:
        yield Workers(open_pool(choice, stack), stop or StopRequest())
