"""Test calls through every executor: failures, killed workers, stop requests."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import calls
import pytest

from zpfit.errors import MissingExtra, MultithreadedWorkers, SchedulerUnreachable, Stopped
from zpfit.runs.executor_choice import ExecutorChoice, Kind
from zpfit.runs.pools import cores
from zpfit.runs.signals import StopRequest
from zpfit.runs.workers import Workers, open_workers

PATIENCE = 300.0
"""Timeout of a test, in seconds."""


@pytest.fixture(autouse=True)
def workers_find_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Dask's workers and other processes import ``calls`` by name."""
    monkeypatch.setenv("PYTHONPATH", str(Path(calls.__file__).parent), prepend=os.pathsep)


@pytest.fixture(scope="module")
def dask_address():
    distributed = pytest.importorskip("distributed")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    try:
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        )
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
    with cluster:
        yield cluster.scheduler_address


@pytest.fixture(params=["here", "one process", "two processes", "dask"])
def workers(request):
    if request.param == "dask":
        address = request.getfixturevalue("dask_address")
        choice = ExecutorChoice(Kind.DASK, scheduler=address)
    else:
        number = {"here": None, "one process": 1, "two processes": 2}[request.param]
        choice = ExecutorChoice(Kind.PROCESSES if number else Kind.HERE, number)
    with open_workers(choice) as opened:
        yield opened


def test_every_item_once_and_failures_are_outcomes(workers):
    squares = {outcome.index: outcome.value for outcome in workers.run(calls.square, range(300))}
    assert squares == {x: x * x for x in range(300)}
    outcomes = {o.index: o for o in workers.run(calls.sometimes_fails, range(40))}
    assert len(outcomes) == 40
    for x, outcome in outcomes.items():
        expected = {3: f"{x} is not to my taste", 4: f"TypeError: {x} is a bug"}.get(x % 5)
        assert outcome.error == expected
        assert outcome.value == (None if expected else x)
    assert list(workers.run(calls.square, [])) == []


def test_linear_algebra_has_one_thread(workers):
    for outcome in workers.run(calls.threads_of_linear_algebra, range(3)):
        assert outcome.value
        assert set(outcome.value) == {1}


@pytest.mark.parametrize("number", [1, 2])
def test_a_call_that_kills_its_worker_is_found_and_the_others_are_done(number):
    with open_workers(ExecutorChoice(Kind.PROCESSES, number)) as workers:
        outcomes = {o.index: o for o in workers.run(calls.kills_its_worker, range(30))}
    assert len(outcomes) == 30
    assert outcomes.pop(7).error == "its worker died 2 times (BrokenProcessPool)"
    assert all(outcome.value == index for index, outcome in outcomes.items())


def test_calls_whose_worker_died_once_are_made_again(tmp_path):
    paths = [str(tmp_path / f"{index}") for index in range(3)]
    with open_workers(ExecutorChoice(Kind.PROCESSES, 2)) as workers:
        outcomes = {o.index: o.value for o in workers.run(calls.kills_its_worker_once, paths)}
    assert outcomes == dict(enumerate(paths))


@pytest.mark.slow
def test_dask_makes_calls_again_whose_worker_died(tmp_path, dask_address):
    paths = [str(tmp_path / f"{index}") for index in range(2)]
    with open_workers(ExecutorChoice(Kind.DASK, scheduler=dask_address)) as workers:
        outcomes = {o.index: o.value for o in workers.run(calls.kills_its_worker_once, paths)}
    assert outcomes == dict(enumerate(paths))


class Counting:
    """Executor that records the number of calls of each task."""

    number = 2

    def __init__(self, seconds):
        self.executor = self
        self.seconds = seconds
        self.sizes = []

    def submit(self, function, *arguments):
        from concurrent.futures import Future
        from dataclasses import replace

        future = Future()
        outcomes = function(*arguments)
        self.sizes.append(len(outcomes))
        future.set_result([replace(outcome, seconds=self.seconds) for outcome in outcomes])
        return future


@pytest.mark.parametrize(
    ("seconds", "most"), [(1e-3, 2000), (0.5, 4), pytest.param(30.0, 1, marks=pytest.mark.slow)]
)
def test_small_calls_travel_together(seconds, most):
    pool = Counting(seconds)
    outcomes = list(Workers(pool, StopRequest()).run(calls.square, range(1000)))
    assert len(outcomes) == 1000
    assert pool.sizes[0] == 1  # the duration of a call is not known yet
    assert max(pool.sizes) <= most
    assert max(pool.sizes) >= min(most, 100)
    assert pool.sizes[-1] <= 2  # all workers finish together


def test_workers_that_ignore_a_stop_are_killed(tmp_path):
    request = StopRequest()

    def ask():
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        request.by = signal.SIGTERM

    asking = threading.Thread(target=ask)
    asking.start()
    started = time.monotonic()
    with (
        pytest.raises(Stopped, match="SIGTERM"),
        open_workers(ExecutorChoice(Kind.PROCESSES, 2, grace=1.0), request) as workers,
    ):
        list(workers.run(calls.leaves_its_number, [str(tmp_path)] * 2))
    asking.join()
    while any(alive(int(path.name)) for path in tmp_path.iterdir()):
        assert time.monotonic() - started < PATIENCE
        time.sleep(0.05)


def test_every_worker_has_time_to_save_before_it_stops(tmp_path):
    """One worker stops seconds before the other, while further calls are queued."""
    request = StopRequest()

    def ask():
        while len(list(tmp_path.glob("began*"))) < 2:
            time.sleep(0.05)
        request.by = signal.SIGTERM

    asking = threading.Thread(target=ask)
    asking.start()
    items = [(str(tmp_path), seconds) for seconds in (0.0, 2.0, 0.1, 0.2, 0.3, 0.4)]
    with (
        pytest.raises(Stopped),
        open_workers(ExecutorChoice(Kind.PROCESSES, 2), request) as workers,
    ):
        list(workers.run(calls.stops_slowly, items))
    asking.join()
    assert {path.name for path in tmp_path.glob("saved*")} == {"saved0.0", "saved2.0"}
    assert len(list(tmp_path.glob("began*"))) == 2


@pytest.mark.slow
def test_dask_does_not_wait_for_calls_that_are_under_way(tmp_path, dask_address):
    request = StopRequest()

    def ask():
        while not list(tmp_path.iterdir()):
            time.sleep(0.05)
        request.by = signal.SIGTERM

    asking = threading.Thread(target=ask)
    asking.start()
    with (
        pytest.raises(Stopped),
        open_workers(ExecutorChoice(Kind.DASK, scheduler=dask_address), request) as workers,
    ):
        list(workers.run(calls.naps, [(str(tmp_path), 8.0)] * 2))
    asking.join()
    assert not list(tmp_path.glob("ended*"))  # written at the end of the pause


def test_a_worker_that_dies_between_outcomes(tmp_path):
    """The pool breaks while the caller handles an outcome; the next task notices it."""
    with open_workers(ExecutorChoice(Kind.PROCESSES, 1)) as workers:
        outcomes = {}
        for outcome in workers.run(calls.its_process, range(40)):
            outcomes[outcome.index] = outcome.value
            if len(outcomes) == 2:
                os.kill(outcome.value, signal.SIGKILL)
                time.sleep(0.5)
    assert sorted(outcomes) == list(range(40))
    assert len(set(outcomes.values())) >= 2


def test_a_stop_can_travel():
    error = pickle.loads(pickle.dumps(Stopped("SIGTERM", 15, "go on")))  # noqa: S301 - our own
    assert (str(error), error.number) == ("stopped by SIGTERM; go on", 15)


def test_workers_with_several_threads_are_refused(dask_address, monkeypatch):
    client = pytest.importorskip("distributed").Client
    monkeypatch.setattr(client, "nthreads", lambda _: {"tcp://127.0.0.1:1": 2})
    with (
        pytest.raises(MultithreadedWorkers, match="--nthreads 1"),
        open_workers(ExecutorChoice(Kind.DASK, scheduler=dask_address)),
    ):
        pass


def test_workers_do_not_outlive_their_parent(tmp_path):
    code = (
        "import calls; from zpfit.runs.workers import open_workers; "
        "from zpfit.runs.executor_choice import ExecutorChoice, Kind\n"
        "with open_workers(ExecutorChoice(Kind.PROCESSES, 2)) as workers:\n"
        f"    list(workers.run(calls.leaves_its_number, [{str(tmp_path)!r}] * 2))\n"
    )
    script = tmp_path.parent / "parent.py"
    script.write_text(code)
    parent = subprocess.Popen([sys.executable, str(script)])
    deadline = time.monotonic() + PATIENCE
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        assert parent.poll() is None
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    numbers = [int(path.name) for path in tmp_path.iterdir()]
    assert len(numbers) == 2
    while any(alive(number) for number in numbers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(number) for number in numbers)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(MissingExtra, match=r"pip install 'zpfit\[dask\]'"),
        open_workers(ExecutorChoice(Kind.DASK)),
    ):
        pass


def test_a_scheduler_that_does_not_answer():
    pytest.importorskip("distributed")
    choice = ExecutorChoice(Kind.DASK, scheduler="tcp://127.0.0.1:1", connect_timeout=1)
    with (
        pytest.raises(SchedulerUnreachable, match=r"tcp://127.0.0.1:1.*dask scheduler"),
        open_workers(choice),
    ):
        pass


def test_cores_of_this_process():
    assert 1 <= cores() <= (os.cpu_count() or 1)
