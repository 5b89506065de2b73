"""Measure campaigns: cost per fit from 10 to 2,000 fits, scaling with workers, overhead, memory.

Each campaign fits one small model (a coupling and a mass, quick options) with another seed in
each fit. The overhead of a fit is a worker's time for everything except the fit itself: reading,
fingerprint, lock, transfer, waiting. Executors are also measured with empty calls, many to
a task as zpfit does and one by one.

    python benchmarks/campaign.py [--quick] [--json FILE]
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

import calls_of_benchmarks as calls
import psutil

from zpfit.errors import FailedTasks
from zpfit.inference.progress import Silent
from zpfit.io.yaml import dump_yaml
from zpfit.runs.campaign import run_campaign
from zpfit.runs.campaign_file import Campaign, load_campaign
from zpfit.runs.campaign_store import RUNS
from zpfit.runs.executor_choice import ExecutorChoice, Kind
from zpfit.runs.workers import open_workers

TINY = {
    "sampler.engine": "dynesty",
    "sampler.target_ess": 100,
    "dynesty.live_points": 50,
    "dynesty.tolerance": 1,
    "best_fit.starts": 20,
    "priors.parameters.eps": 0,
}
SMALLEST = {
    "sampler.engine": "vegas",
    "sampler.target_ess": 100,
    "vegas.max_evaluations": 6000,
    "vegas.error": 0.05,
    "best_fit.starts": 1,
    "best_fit.quiet_rounds": 2,
    "priors.parameters": {"eps": 0, "m_Zp": 20},
}
"""Fit of one coupling in 0.04 s: ln Z to 0.005."""
SIZES, QUICK_SIZES = (10, 50, 2000), (10, 40)
SPEED_UP_FITS, QUICK_SPEED_UP_FITS = 200, 20
MOST_OVERHEAD_MS, LEAST_SPEED_UP = 20, 1.7
TASKS = 2000
"""Empty calls that measure the executors alone."""


class Memory:
    """Largest resident memory of this process and of its children over a time, in MiB."""

    def __init__(self) -> None:
        self.own = self.largest_child = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._over.wait(0.25):
            self.own = max(self.own, me.memory_info().rss / 2**20)
            for child in me.children(recursive=True):
                try:
                    mib = child.memory_info().rss / 2**20
                except psutil.Error:
                    continue
                self.largest_child = max(self.largest_child, mib)


def campaign_of(fits: int, folder: Path, settings: Mapping[str, object] = TINY) -> Campaign:
    """Return a campaign whose fits differ in seeds only."""
    path = folder / "grid.yaml"
    content = {
        "runs": {"tiny": {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs"}},
        "settings": dict(settings),
        "seeds": {"count": fits},
    }
    path.write_text(dump_yaml(content))
    return load_campaign(path)


def measured(fits: int, choice: ExecutorChoice) -> dict[str, float]:
    """Measure a campaign's wall time without the start of workers, its overhead and its memory."""
    with tempfile.TemporaryDirectory() as scratch, Memory() as memory:
        campaign = campaign_of(fits, Path(scratch))
        with open_workers(choice) as workers:
            list(workers.run(calls.warm, range(8 * workers.number)))
            result = run_campaign(campaign, Path(scratch) / "out", workers, Silent())
            number = workers.number
        if result.failures:
            raise FailedTasks(result.failures, fits)
        folders = Path(scratch).glob(f"out/{RUNS}/*/summary.json")
        fitting = sum(json.loads(path.read_text())["wall_time_s"] for path in folders)
    return {
        "fits": fits,
        "workers": number,
        "seconds": result.seconds,
        "seconds_per_fit": result.seconds / fits,
        "overhead_ms": 1000 * (result.seconds * number - fitting) / fits,
        "main_MiB": memory.own,
        "worker_MiB": memory.largest_child,
    }


def calls_per_second() -> dict[str, float]:
    """Measure empty calls, many to a task and one by one."""
    rates = {}
    for name, choice in {
        "processes": ExecutorChoice(Kind.PROCESSES, 2),
        "dask": ExecutorChoice(Kind.DASK, 2),
    }.items():
        with open_workers(choice) as workers:
            list(workers.run(calls.warm, range(16)))
            rates[f"{name}, many to a task"] = rate(
                lambda: list(workers.run(calls.nothing, range(TASKS)))
            )
            rates[f"{name}, one to a task"] = rate(partial(one_by_one, workers.pool.executor))
    return rates


def one_by_one(executor: Executor) -> None:
    """Run empty calls, one to a task."""
    for future in [executor.submit(calls.nothing, index) for index in range(TASKS)]:
        future.result()


def rate(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return TASKS / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer fits")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    arguments = parser.parse_args()
    fits = QUICK_SPEED_UP_FITS if arguments.quick else SPEED_UP_FITS

    one = measured(fits, ExecutorChoice(Kind.PROCESSES, 1))
    two = measured(fits, ExecutorChoice(Kind.PROCESSES, 2))
    dask = measured(fits, ExecutorChoice(Kind.DASK, 2))
    speed_up, overhead = one["seconds"] / two["seconds"], one["overhead_ms"]
    print(f"{fits} fits: 1 worker {one['seconds']:.1f} s, 2 workers {two['seconds']:.1f} s")
    met = speed_up >= LEAST_SPEED_UP
    print(f"  {speed_up:.2f} times as fast {goal(f'at least {LEAST_SPEED_UP}', met=met)}")
    print(f"  Dask with 2 workers: {dask['seconds']:.1f} s")
    met = overhead < MOST_OVERHEAD_MS
    print(f"overhead of a fit: {overhead:.1f} ms {goal(f'under {MOST_OVERHEAD_MS}', met=met)}")
    print(f"  {two['overhead_ms']:.1f} ms with 2 workers, {dask['overhead_ms']:.1f} ms with Dask")

    sizes = QUICK_SIZES if arguments.quick else SIZES
    rows = [measured(size, ExecutorChoice(Kind.PROCESSES, 2)) for size in sizes]
    rows = sorted([*rows, two], key=lambda row: row["fits"])
    print("  fits   seconds  ms per fit  overhead ms  main MiB  worker MiB")
    for row in rows:
        print(
            f"{row['fits']:6.0f} {row['seconds']:9.1f} {1000 * row['seconds_per_fit']:11.1f} "
            f"{row['overhead_ms']:12.1f} {row['main_MiB']:9.0f} {row['worker_MiB']:11.0f}"
        )
    rates = calls_per_second()
    for name, value in rates.items():
        print(f"{name}: {value:,.0f} empty calls a second")
    if arguments.json:
        numbers = {"one": one, "two": two, "dask": dask, "sizes": rows, "rates": rates}
        arguments.json.write_text(json.dumps(numbers, indent=2) + "\n")


def goal(words: str, *, met: bool) -> str:
    return f"(goal: {words}, {'met' if met else 'missed'})"


if __name__ == "__main__":
    main()
