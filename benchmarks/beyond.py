"""Measure what limits campaigns on many machines, and derive the cost of 10^6 fits on 1,000 cores.

All costs are CPU seconds of the process concerned, so that other programs of the machine matter
little: a small fit, the start of a worker, a row in the command, a task and a worker in Dask's
scheduler. The last lines apply them to ``--fits`` and ``--workers``.

    python benchmarks/beyond.py [--fits N] [--workers N] [--json FILE]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import calls_of_benchmarks as calls
import psutil
from campaign import SMALLEST, campaign_of
from distributed import Client

from zpfit.runs.campaign_parts import PartWriter, part_paths
from zpfit.runs.campaign_store import PARTS
from zpfit.runs.executor_choice import ExecutorChoice, Kind
from zpfit.runs.workers import _MAX_TASK_RATE, _TASK_SECONDS, open_workers

FITS, ROWS, TASKS = 30, 50_000, 1_000
FEW_WORKERS, MANY_WORKERS = 10, 100
IDLE_SECONDS = 20
HERE = Path(__file__).parent
ROWS_PER_TASK = 270
"""Rows of a task of ten seconds of the smallest fits."""


def fits() -> dict[str, float]:
    """Measure the start of a worker, a fit, and the resolution of a combination."""
    with tempfile.TemporaryDirectory() as scratch:
        campaign_of(FITS, Path(scratch), SMALLEST)
        words = [sys.executable, "-m", "calls_of_benchmarks", f"{scratch}/grid.yaml"]
        done = subprocess.run(  # noqa: S603 - this Python
            words, capture_output=True, text=True, check=True, cwd=HERE
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def rows() -> dict[str, float]:
    """Measure the command: receiving a row and writing it."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        open_workers(ExecutorChoice(Kind.PROCESSES, 1)) as workers,
    ):
        output = Path(scratch)
        (output / PARTS).mkdir()
        writer = PartWriter(output, calls.PARAMETERS)

        def write(count: int) -> None:
            for outcome in workers.run(calls.row, range(count)):
                writer.add(outcome.value)
            writer.flush()

        write(100)  # imports
        cpu = cpu_of(lambda: write(ROWS), psutil.Process())
        size = sum(path.stat().st_size for path in part_paths(output))
    return {"command_us_per_row": 1e6 * cpu / ROWS, "bytes_per_row": size / ROWS}


def scheduler() -> dict[str, float]:
    """Measure Dask's scheduler: a worker that connects or waits, and a task."""
    with scheduler_at_work(FEW_WORKERS) as (process, client, _):
        few = idle_share(process)
        executor = client.get_executor(pure=False)

        def run(count: int) -> None:
            for future in [executor.submit(calls.payload, ROWS_PER_TASK) for _ in range(count)]:
                future.result()

        run(100)
        task = cpu_of(lambda: run(TASKS), process)
    with scheduler_at_work(MANY_WORKERS) as (process, _, connected):
        many = idle_share(process)
    each = (many - few) / (MANY_WORKERS - FEW_WORKERS)
    return {
        "scheduler_us_per_task": 1e6 * task / TASKS,
        "scheduler_ms_per_start": 1e3 * connected / MANY_WORKERS,
        "scheduler_share_per_wait": each,
        "scheduler_share": few - FEW_WORKERS * each,
    }


def idle_share(process: psutil.Process) -> float:
    """Return the share of a core that a process uses while nothing is to be done."""
    return cpu_of(lambda: time.sleep(IDLE_SECONDS), process) / IDLE_SECONDS


@contextmanager
def scheduler_at_work(workers: int) -> Iterator[tuple[psutil.Process, Client, float]]:
    """Start a scheduler and workers; yield it, a client and its CPU seconds of connecting."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "scheduler.json"
        words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
        words += ["--scheduler-file", str(file), "--host", "127.0.0.1"]
        started = [begin(words)]
        try:
            while not file.exists():
                time.sleep(0.2)
            process = psutil.Process(started[0].pid)
            before = cpu_seconds(process)
            words = [sys.executable, "-m", "calls_of_benchmarks", "--workers", str(workers)]
            started.append(begin([*words, str(file)]))
            with Client(scheduler_file=str(file)) as client:
                client.wait_for_workers(workers, timeout=300)
                yield process, client, cpu_seconds(process) - before
        finally:
            for child in reversed(started):
                child.terminate()
                child.wait()


def begin(words: list[str]) -> subprocess.Popen[bytes]:
    """Start a process without output, in a folder whose modules it can import."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen(words, cwd=HERE, stdout=quiet, stderr=quiet)  # noqa: S603


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def cpu_of(run: Callable[[], object], process: psutil.Process) -> float:
    """Return the CPU seconds of a process while something runs."""
    before = cpu_seconds(process)
    run()
    return cpu_seconds(process) - before


def derived(found: dict[str, float], number: int, workers: int) -> list[str]:
    """Return the cost of a campaign in words, with its derivation."""
    fitting = number * found["fit_s"]
    each = max(_TASK_SECONDS, workers / _MAX_TASK_RATE)
    rate = workers / each
    command = number * found["command_us_per_row"] / 1e6
    load = rate * found["scheduler_us_per_task"] / 1e6
    idle = found["scheduler_share"] + workers * found["scheduler_share_per_wait"]
    cores = f"{workers:,} cores"
    most = 1e6 / found["command_us_per_row"]
    return [
        f"fits: {fitting:,.0f} s of CPU, {fitting / workers:,.0f} s on {cores}",
        f"start: {found['start_s']:.1f} s of CPU in each worker",
        f"scheduler, start: {found['scheduler_ms_per_start'] * workers / 1e3:,.0f} s of CPU",
        f"scheduler, {rate:.0f} tasks a second of {each:.0f} s: {load:.0%} of a core",
        f"scheduler, most tasks a second: {1e6 / found['scheduler_us_per_task']:,.0f}",
        f"scheduler, {workers:,} workers that wait: {idle:.0%} of a core",
        f"command: {command:,.0f} s of CPU, at most {most:,.0f} rows a second",
        f"rows a second from {cores}: {workers / found['fit_s']:,.0f}",
        f"disk: {number * found['bytes_per_row'] / 1e6:,.0f} MB",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--json", type=Path, help="file for the numbers")
    options = parser.parse_args()
    found = {**fits(), **rows(), **scheduler()}
    for name, value in found.items():
        print(f"{name:26s} {value:12,.4f}")
    print("\n".join(derived(found, options.fits, options.workers)))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
